//! Calculating with numbers, durations, amounts and moments.

use jiff::SignedDuration;

use super::word;
use crate::expr::tree::Operator;
use crate::value::{Money, Value};

pub(super) const TOO_LARGE: &str = "the result is too large";
const BY_ZERO: &str = "nothing can be divided by zero";

pub(super) fn arithmetic(operator: Operator, left: &Value, right: &Value) -> Result<Value, String> {
    use Operator::{Add, Divide, Multiply, Remainder, Subtract};
    use Value::{Date, DateTime, Duration, Number};
    let too_large = || TOO_LARGE.to_owned();
    match (operator, left, right) {
        (Divide | Remainder, _, Number(b)) if *b == 0.0 => Err(BY_ZERO.to_owned()),
        (_, Number(a), Number(b)) => {
            let result = match operator {
                Add => a + b,
                Subtract => a - b,
                Multiply => a * b,
                Divide => a / b,
                _ => remainder(*a, *b),
            };
            if result.is_finite() {
                Ok(Number(result))
            } else {
                Err(too_large())
            }
        }
        (Add, Duration(a), Duration(b)) => a.checked_add(*b).map(Duration).ok_or_else(too_large),
        (Subtract, Duration(a), Duration(b)) => {
            a.checked_sub(*b).map(Duration).ok_or_else(too_large)
        }
        (Divide, Duration(_), Duration(0)) => Err(BY_ZERO.to_owned()),
        (Divide, Duration(a), Duration(b)) => Ok(Number(*a as f64 / *b as f64)),
        (Multiply, Duration(a), Number(b)) | (Multiply, Number(b), Duration(a)) => {
            whole(*a as f64 * b).map(Duration)
        }
        (Divide, Duration(a), Number(b)) => whole(*a as f64 / b).map(Duration),
        (_, Value::Money(a), Value::Money(b)) => money(operator, a, b),
        (Multiply, Value::Money(a), Number(b)) | (Multiply, Number(b), Value::Money(a)) => {
            whole(a.amount as f64 * b).map(|amount| amount_of(a, amount))
        }
        (Divide, Value::Money(a), Number(b)) => {
            whole(a.amount as f64 / b).map(|amount| amount_of(a, amount))
        }
        (Add, DateTime(a), Duration(b)) | (Add, Duration(b), DateTime(a)) => a
            .checked_add(SignedDuration::from_millis(*b))
            .map(DateTime)
            .map_err(|_| too_large()),
        (Subtract, DateTime(a), Duration(b)) => a
            .checked_sub(SignedDuration::from_millis(*b))
            .map(DateTime)
            .map_err(|_| too_large()),
        (Subtract, DateTime(a), DateTime(b)) => millis(a.duration_since(b)),
        (Subtract, Date(a), Date(b)) => millis(a.duration_since(*b)),
        (operator, left, right) => Err(format!(
            "`{}` does not work on {} and {}",
            operator.symbol(),
            word(left),
            word(right)
        )),
    }
}

fn money(operator: Operator, a: &Money, b: &Money) -> Result<Value, String> {
    if a.currency != b.currency {
        return Err("amounts of different currencies cannot be put together".to_owned());
    }
    let amount = match operator {
        Operator::Add => a.amount.checked_add(b.amount),
        Operator::Subtract => a.amount.checked_sub(b.amount),
        Operator::Divide if b.amount == 0 => return Err(BY_ZERO.to_owned()),
        Operator::Divide => return Ok(Value::Number(a.amount as f64 / b.amount as f64)),
        _ => {
            return Err(format!(
                "`{}` does not work on two amounts of money",
                operator.symbol()
            ));
        }
    };
    amount
        .map(|amount| amount_of(a, amount))
        .ok_or_else(|| TOO_LARGE.to_owned())
}

fn amount_of(like: &Money, amount: i64) -> Value {
    Value::Money(Money {
        amount,
        currency: like.currency.clone(),
    })
}

/// What is left of a division that is rounded down: it has the sign of the divisor, so that
/// `place % 7` counts around the week from any side.
fn remainder(a: f64, b: f64) -> f64 {
    let rest = a % b;
    if rest != 0.0 && (rest < 0.0) != (b < 0.0) {
        rest + b
    } else {
        rest
    }
}

/// The nearest whole number, halves away from zero.
fn whole(number: f64) -> Result<i64, String> {
    let rounded = number.round();
    // 2^63 is the first number that does not fit; NaN is not smaller than anything.
    if rounded.abs() < 9_223_372_036_854_775_808.0 {
        Ok(rounded as i64)
    } else {
        Err(TOO_LARGE.to_owned())
    }
}

fn millis(duration: SignedDuration) -> Result<Value, String> {
    i64::try_from(duration.as_millis())
        .map(Value::Duration)
        .map_err(|_| TOO_LARGE.to_owned())
}
