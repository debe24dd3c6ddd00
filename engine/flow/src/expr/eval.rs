//! Gives an expression its value.
//!
//! As strict as the type checker: what it refuses fails here too, so that a value whose type nobody
//! declared cannot be misread. A field that an object does not have is `none`.

mod arithmetic;
mod comparison;

use std::cmp::Ordering;
use std::fmt;

use super::filters::{self, Gives};
use super::finding::Span;
use super::infer::WEEKDAYS;
use super::tree::{Expr, Kind, Operator};
use crate::speak;
use crate::value::{Locale, Money, Value};

use arithmetic::{TOO_LARGE, arithmetic};
use comparison::{equal, incomparable, meet, order};

/// The values of variables.
pub trait Scope {
    /// The value of a variable; `None` when there is no such variable.
    fn variable(&self, name: &str) -> Option<Value>;

    /// Whether what older programs refused, and this one does not, is refused: the last four characters of an empty text, and the
    /// item of a list at a place that is no whole number.
    fn refuses_as_before(&self) -> bool {
        false
    }
}

/// What evaluation may still cost, in units: one per operation, and one more per sixteen bytes of
/// text and per item of a list that is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    left: u32,
}

/// Units of a fresh [`Budget`]: far more than any expression of a sensible flow, and spent in less than a
/// millisecond.
pub const UNITS: u32 = 10_000;

/// Bytes of text that cost one unit.
const BYTES_PER_UNIT: usize = 16;

impl Default for Budget {
    fn default() -> Budget {
        Budget::new(UNITS)
    }
}

impl Budget {
    /// So many units.
    pub fn new(units: u32) -> Budget {
        Budget { left: units }
    }

    /// The units that are left.
    pub fn left(&self) -> u32 {
        self.left
    }

    fn spend(&mut self, units: usize, span: Span) -> Result<(), EvalError> {
        let units = u32::try_from(units).unwrap_or(u32::MAX);
        match self.left.checked_sub(units) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(EvalError::new(
                    span,
                    "this expression costs too much to evaluate: its texts or lists are too long",
                ))
            }
        }
    }
}

/// Why an expression has no value. Holds no values, so that it may be logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvalError {
    /// Where, in bytes of the file.
    pub span: Span,
    /// What went wrong: one sentence without a full stop.
    pub message: String,
}

impl EvalError {
    fn new(span: Span, message: impl Into<String>) -> EvalError {
        EvalError {
            span,
            message: message.into(),
        }
    }
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EvalError {}

/// The value of an expression. A secret comes out only when the expression is nothing but its path.
///
/// # Errors
///
/// What the type checker would have refused, had it known the types; a division by zero; a number that
/// grew too large; amounts of different currencies; a spent [`Budget`].
pub fn eval(
    expr: &Expr,
    scope: &dyn Scope,
    locale: &Locale,
    budget: &mut Budget,
) -> Result<Value, EvalError> {
    Evaluation {
        scope,
        locale,
        budget,
    }
    .value(expr)
}

struct Evaluation<'a> {
    scope: &'a dyn Scope,
    locale: &'a Locale,
    budget: &'a mut Budget,
}

impl Evaluation<'_> {
    fn value(&mut self, expr: &Expr) -> Result<Value, EvalError> {
        self.budget.spend(1, expr.span)?;
        match &expr.kind {
            Kind::None => Ok(Value::None),
            Kind::Bool(bool) => Ok(Value::Bool(*bool)),
            Kind::Number(number) => Ok(Value::Number(*number)),
            Kind::Text(text) => Ok(Value::Text(text.clone())),
            Kind::List(items) => items
                .iter()
                .map(|item| self.operand(item))
                .collect::<Result<_, _>>()
                .map(Value::List),
            Kind::Name(name) => self
                .scope
                .variable(name)
                .ok_or_else(|| EvalError::new(expr.span, format!("there is no variable `{name}`"))),
            Kind::Field(of, name, span) => {
                let value = self.value(of)?;
                self.field(value, name, of, *span)
            }
            Kind::Index(of, index) => self.index(of, index),
            Kind::Filter(of, name, span, arguments) => {
                self.filter(expr, of, name, *span, arguments)
            }
            Kind::Negate(of) => self.negated(of),
            Kind::Not(of) => Ok(Value::Bool(!self.condition(of)?)),
            Kind::Binary(operator, a, b) => self.binary(expr, *operator, a, b),
            Kind::IsNone(of, yes) => Ok(Value::Bool((self.operand(of)? == Value::None) == *yes)),
            Kind::Choice(condition, a, b) => {
                let chosen = if self.condition(condition)? { a } else { b };
                self.operand(chosen)
            }
        }
    }

    /// A value that an operator works on: not a secret.
    fn operand(&mut self, expr: &Expr) -> Result<Value, EvalError> {
        let value = self.value(expr)?;
        self.budget.spend(cost(&value), expr.span)?;
        if value.holds_secret() {
            return Err(EvalError::new(
                expr.span,
                "a secret can only be passed on whole, or through `| last4`",
            ));
        }
        Ok(value)
    }

    fn condition(&mut self, expr: &Expr) -> Result<bool, EvalError> {
        match self.operand(expr)? {
            Value::Bool(bool) => Ok(bool),
            value => Err(EvalError::new(
                expr.span,
                format!("a condition is true or false; this is {}", word(&value)),
            )),
        }
    }

    fn field(
        &mut self,
        value: Value,
        name: &str,
        of: &Expr,
        span: Span,
    ) -> Result<Value, EvalError> {
        if let Some(part) = part(&value, name) {
            return Ok(part);
        }
        match value {
            Value::Object(mut fields) => Ok(fields.remove(name).unwrap_or(Value::None)),
            Value::Secret(_) => Err(EvalError::new(of.span, "a secret has no fields")),
            value => Err(EvalError::new(
                span,
                format!("{} has no field `{name}`", word(&value)),
            )),
        }
    }

    fn index(&mut self, of: &Expr, index: &Expr) -> Result<Value, EvalError> {
        let value = self.value(of)?;
        let by = self.operand(index)?;
        match (value, by) {
            (Value::List(mut items), Value::Number(place)) => {
                let whole = place.fract() == 0.0;
                if !whole && self.scope.refuses_as_before() {
                    return Err(EvalError::new(
                        index.span,
                        "a list is indexed by a whole number",
                    ));
                }
                let inside = whole && place >= 0.0 && place < items.len() as f64;
                Ok(if inside {
                    items.swap_remove(place as usize)
                } else {
                    Value::None
                })
            }
            (value @ Value::Secret(_), _) => {
                drop(value);
                Err(EvalError::new(of.span, "a secret has no parts"))
            }
            (value, Value::Text(name) | Value::Phone(name)) => {
                self.field(value, &name, of, index.span)
            }
            (value, by) => {
                let message = format!("{} cannot be indexed by {}", word(&value), word(&by));
                Err(EvalError::new(of.span.to(index.span), message))
            }
        }
    }

    fn filter(
        &mut self,
        expr: &Expr,
        of: &Expr,
        name: &str,
        span: Span,
        arguments: &[Expr],
    ) -> Result<Value, EvalError> {
        let filter = filters::find(name)
            .ok_or_else(|| EvalError::new(span, format!("there is no filter `{name}`")))?;
        let value = self.value(of)?;
        self.budget.spend(cost(&value), of.span)?;
        let argument = arguments
            .first()
            .map(|argument| self.operand(argument))
            .transpose()?;
        let takes_secret =
            filter.takes.contains(&filters::Kind::Secret) && matches!(value, Value::Secret(_));
        if value.holds_secret() && !takes_secret {
            return Err(EvalError::new(
                of.span,
                format!("a secret cannot stand in `| {name}`"),
            ));
        }
        if filter.gives == Gives::Present {
            let argument = argument
                .ok_or_else(|| EvalError::new(span, "`default` takes one value in brackets"))?;
            return Ok(if value == Value::None {
                argument
            } else {
                value
            });
        }
        // A value that nobody declared a type for comes as JSON has it; `say_as` reads dates and amounts in it.
        let readable =
            matches!(filter.gives, Gives::Speech) && !matches!(value, Value::None | Value::List(_));
        if !readable && !filter.takes.iter().any(|kind| kind.fits_value(&value)) {
            let message = format!(
                "`| {name}` takes {}; this is {}",
                filter.takes_text().english(),
                word(&value)
            );
            return Err(EvalError::new(of.span, message));
        }
        let result = match (name, &value) {
            ("last4", Value::Text(text) | Value::Phone(text))
                if text.is_empty() && self.scope.refuses_as_before() =>
            {
                return Err(EvalError::new(of.span, speak::TOO_SHORT));
            }
            ("length", Value::List(items)) => Value::Number(items.len() as f64),
            ("length", Value::Text(text) | Value::Phone(text)) => {
                Value::Number(text.chars().count() as f64)
            }
            ("upper", Value::Text(text) | Value::Phone(text)) => Value::Text(text.to_uppercase()),
            ("lower", Value::Text(text) | Value::Phone(text)) => Value::Text(text.to_lowercase()),
            ("join", Value::List(items)) => {
                let between = match &argument {
                    Some(Value::Text(text) | Value::Phone(text)) => text.as_str(),
                    Some(other) => {
                        return Err(EvalError::new(
                            span,
                            format!("`join` takes a text in brackets, not {}", word(other)),
                        ));
                    }
                    None => speak::list_separator(self.locale),
                };
                self.budget.spend(
                    items
                        .len()
                        .saturating_mul(1 + between.len() / BYTES_PER_UNIT),
                    expr.span,
                )?;
                if let Some(misfit) = items.iter().find(|item| !stands_in_text(item)) {
                    return Err(EvalError::new(
                        of.span,
                        format!("{} cannot stand in a text", word(misfit)),
                    ));
                }
                let texts: Vec<String> = items
                    .iter()
                    .map(|item| speak::render(item, self.locale))
                    .collect();
                Value::Text(texts.join(between))
            }
            _ => Value::Text(
                speak::say_as(&value, name, self.locale)
                    .map_err(|why| EvalError::new(of.span, why))?,
            ),
        };
        self.budget.spend(cost(&result), expr.span)?;
        Ok(result)
    }

    /// A value as `~` joins it: as a flow writes it, whatever the language and the channel.
    fn joined(&mut self, value: &Value, expr: &Expr) -> Result<String, EvalError> {
        let misfit = match value {
            Value::List(items) => items.iter().find(|item| !stands_in_text(item)),
            value => (!stands_in_text(value)).then_some(value),
        };
        let misfit = match (misfit, value.to_literal()) {
            (None, Some(text)) => return Ok(text),
            (misfit, _) => misfit.unwrap_or(value),
        };
        Err(EvalError::new(
            expr.span,
            format!("{} cannot stand in a text", word(misfit)),
        ))
    }

    fn negated(&mut self, of: &Expr) -> Result<Value, EvalError> {
        let wrong = |what: &str| EvalError::new(of.span, what.to_owned());
        match self.operand(of)? {
            Value::Number(number) => Ok(Value::Number(-number)),
            Value::Duration(ms) => ms
                .checked_neg()
                .map(Value::Duration)
                .ok_or_else(|| wrong(TOO_LARGE)),
            Value::Money(money) => {
                let amount = money.amount.checked_neg().ok_or_else(|| wrong(TOO_LARGE))?;
                Ok(Value::Money(Money { amount, ..money }))
            }
            value => Err(wrong(&format!(
                "`-` takes a number; this is {}",
                word(&value)
            ))),
        }
    }

    fn binary(
        &mut self,
        expr: &Expr,
        operator: Operator,
        a: &Expr,
        b: &Expr,
    ) -> Result<Value, EvalError> {
        match operator {
            Operator::And => Ok(Value::Bool(self.condition(a)? && self.condition(b)?)),
            Operator::Or => Ok(Value::Bool(self.condition(a)? || self.condition(b)?)),
            Operator::Join => {
                let (left, right) = (self.operand(a)?, self.operand(b)?);
                let text = self.joined(&left, a)? + &self.joined(&right, b)?;
                self.budget.spend(text.len() / BYTES_PER_UNIT, expr.span)?;
                Ok(Value::Text(text))
            }
            Operator::In | Operator::NotIn => {
                let (left, right) = (self.operand(a)?, self.operand(b)?);
                let found = match (&left, &right, &b.kind) {
                    (_, Value::List(items), Kind::List(exprs)) => {
                        let mut found = false;
                        for (item, item_expr) in items.iter().zip(exprs) {
                            found |= equal((a, &left), (item_expr, item))?;
                        }
                        found
                    }
                    (left, Value::List(items), _) => {
                        let mut found = false;
                        for item in items {
                            found |= equal((a, left), (b, item))?;
                        }
                        found
                    }
                    (
                        Value::Text(part) | Value::Phone(part),
                        Value::Text(text) | Value::Phone(text),
                        _,
                    ) => text.contains(part.as_str()),
                    (left, right, _) => {
                        let message =
                            format!("`in` cannot look for {} in {}", word(left), word(right));
                        return Err(EvalError::new(expr.span, message));
                    }
                };
                Ok(Value::Bool(found == (operator == Operator::In)))
            }
            Operator::Equal | Operator::NotEqual => {
                let (left, right) = (self.operand(a)?, self.operand(b)?);
                Ok(Value::Bool(
                    equal((a, &left), (b, &right))? == (operator == Operator::Equal),
                ))
            }
            Operator::Less
            | Operator::LessOrEqual
            | Operator::Greater
            | Operator::GreaterOrEqual => {
                let (left, right) = (self.operand(a)?, self.operand(b)?);
                let (left, right) = meet((a, left), (b, right))?;
                let order = order(&left, &right)
                    .ok_or_else(|| incomparable(expr, operator, &left, &right))?;
                Ok(Value::Bool(match operator {
                    Operator::Less => order == Ordering::Less,
                    Operator::LessOrEqual => order != Ordering::Greater,
                    Operator::Greater => order == Ordering::Greater,
                    _ => order != Ordering::Less,
                }))
            }
            Operator::Add
            | Operator::Subtract
            | Operator::Multiply
            | Operator::Divide
            | Operator::Remainder => {
                let (left, right) = (self.operand(a)?, self.operand(b)?);
                arithmetic(operator, &left, &right).map_err(|why| EvalError::new(expr.span, why))
            }
        }
    }
}

fn stands_in_text(value: &Value) -> bool {
    !matches!(
        value,
        Value::None | Value::Object(_) | Value::List(_) | Value::Secret(_)
    )
}

/// What looking at a value costs.
fn cost(value: &Value) -> usize {
    match value {
        Value::Text(text) | Value::Phone(text) => text.len() / BYTES_PER_UNIT,
        Value::List(items) => items
            .iter()
            .fold(items.len(), |sum, item| sum.saturating_add(cost(item))),
        Value::Object(fields) => fields
            .values()
            .fold(fields.len(), |sum, field| sum.saturating_add(cost(field))),
        _ => 0,
    }
}

/// The fields that dates, times and amounts have by nature.
fn part(value: &Value, name: &str) -> Option<Value> {
    let date = match value {
        Value::Date(date) => Some(*date),
        Value::DateTime(moment) => Some(moment.date()),
        _ => None,
    };
    let time = match value {
        Value::Time(time) => Some(*time),
        Value::DateTime(moment) => Some(moment.time()),
        _ => None,
    };
    let number = |number: i16| Value::Number(f64::from(number));
    match (name, value) {
        ("year", _) => Some(number(date?.year())),
        ("month", _) => Some(number(date?.month().into())),
        ("day", _) => Some(number(date?.day().into())),
        ("weekday", _) => {
            let day = date?.weekday().to_monday_zero_offset();
            let name = usize::try_from(day)
                .ok()
                .and_then(|day| WEEKDAYS.get(day))?;
            Some(Value::Text((*name).to_owned()))
        }
        ("hour", _) => Some(number(time?.hour().into())),
        ("minute", _) => Some(number(time?.minute().into())),
        ("second", _) => Some(number(time?.second().into())),
        ("date", Value::DateTime(_)) => date.map(Value::Date),
        ("time", Value::DateTime(_)) => time.map(Value::Time),
        ("currency", Value::Money(money)) => Some(Value::Text(money.currency.clone())),
        _ => None,
    }
}

/// The type in a word, without the value.
fn word(value: &Value) -> &'static str {
    match value {
        Value::None => "none",
        Value::Bool(_) => "a bool",
        Value::Number(_) => "a number",
        Value::Text(_) => "text",
        Value::Date(_) => "a date",
        Value::Time(_) => "a time",
        Value::DateTime(_) => "a datetime",
        Value::Duration(_) => "a duration",
        Value::Money(_) => "money",
        Value::Phone(_) => "a phone number",
        Value::List(_) => "a list",
        Value::Object(_) => "an object",
        Value::Secret(_) => "a secret",
    }
}
