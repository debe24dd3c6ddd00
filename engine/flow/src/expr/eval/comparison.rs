//! Which values are equal, and which is less.

use std::cmp::Ordering;

use super::{EvalError, word};
use crate::expr::infer::takes_literal;
use crate::expr::tree::{Expr, Operator};
use crate::value::{Type, Value, parse_literal};

/// A quoted text beside a date, time, datetime, duration or amount is a literal of that type.
pub(super) fn meet(
    (a, left): (&Expr, Value),
    (b, right): (&Expr, Value),
) -> Result<(Value, Value), EvalError> {
    let literal = |expr: &Expr, other: &Value| -> Option<Result<Value, EvalError>> {
        let (text, ty) = (expr.as_text()?, Type::of(other));
        takes_literal(&ty).then(|| {
            parse_literal(text, &ty).map_err(|why| EvalError::new(expr.span, why.english()))
        })
    };
    if let Some(value) = literal(b, &left) {
        return Ok((left, value?));
    }
    if let Some(value) = literal(a, &right) {
        return Ok((value?, right));
    }
    Ok((left, right))
}

pub(super) fn equal(
    (a, left): (&Expr, &Value),
    (b, right): (&Expr, &Value),
) -> Result<bool, EvalError> {
    match (left, right) {
        (Value::None, right) => return Ok(*right == Value::None),
        (_, Value::None) => return Ok(false),
        (Value::Text(x) | Value::Phone(x), Value::Text(y) | Value::Phone(y)) => return Ok(x == y),
        (Value::Number(x), Value::Number(y)) => return Ok(x == y),
        _ => {}
    }
    let (left, right) = meet((a, left.clone()), (b, right.clone()))?;
    if std::mem::discriminant(&left) != std::mem::discriminant(&right) {
        let message = format!("{} is not comparable with {}", word(&left), word(&right));
        return Err(EvalError::new(a.span.to(b.span), message));
    }
    Ok(left == right)
}

pub(super) fn order(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => a.partial_cmp(b),
        (Value::Date(a), Value::Date(b)) => Some(a.cmp(b)),
        (Value::Time(a), Value::Time(b)) => Some(a.cmp(b)),
        (Value::DateTime(a), Value::DateTime(b)) => Some(a.timestamp().cmp(&b.timestamp())),
        (Value::Duration(a), Value::Duration(b)) => Some(a.cmp(b)),
        (Value::Money(a), Value::Money(b)) if a.currency == b.currency => {
            Some(a.amount.cmp(&b.amount))
        }
        _ => None,
    }
}

pub(super) fn incomparable(
    expr: &Expr,
    operator: Operator,
    left: &Value,
    right: &Value,
) -> EvalError {
    let message = match (left, right) {
        (Value::Money(_), Value::Money(_)) => {
            "amounts of different currencies cannot be compared".to_owned()
        }
        _ => format!(
            "`{}` cannot compare {} with {}",
            operator.symbol(),
            word(left),
            word(right)
        ),
    };
    EvalError::new(expr.span, message)
}
