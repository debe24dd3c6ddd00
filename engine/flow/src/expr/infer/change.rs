//! The changes that mend what is wrong with the types of an expression, where it is certain what was meant.

use super::fault::{Fault, word_meant};
use crate::expr::filters::FILTERS;
use crate::expr::finding::{Change, Span};
use crate::expr::suggest::closest;
use crate::expr::tree::Operator;
use crate::value::Type;

impl Fault<'_> {
    /// The change that the help names, where it is one.
    pub(super) fn change(&self, span: Span) -> Option<Change> {
        match self {
            Fault::NoVariable { name, names } => {
                let small = name.to_lowercase();
                let meant = match small.as_str() {
                    "true" | "false" => small.as_str(),
                    _ if word_meant(name).is_some() => return None,
                    _ => closest(name, names.iter().map(String::as_str))?,
                };
                Some(Change::new(span, *name, meant))
            }
            Fault::NoField {
                ty: Type::Object { fields, .. },
                name,
                ..
            } => {
                let meant = closest(name, fields.keys().map(String::as_str))?;
                Some(Change::new(span, *name, meant))
            }
            Fault::NoPart { name, parts, .. } => {
                let meant = closest(name, parts.iter().copied())?;
                Some(Change::new(span, *name, meant))
            }
            Fault::NoFilter { name } => {
                let meant = closest(name, FILTERS.iter().map(|filter| filter.name))?;
                Some(Change::new(span, *name, meant))
            }
            Fault::Never { text, values, .. } => {
                let meant = closest(text, values.iter().map(String::as_str))?;
                // The quotes stay those that are there.
                let inside = Span {
                    start: span.start + 1,
                    end: span.end.saturating_sub(1),
                };
                let plain = !text.contains(['"', '\'', '\\']) && !text.is_empty();
                plain.then(|| Change::new(inside, *text, meant))
            }
            Fault::ComparedWithNone { of, operator } => {
                let is = match operator {
                    Operator::Equal => "is",
                    Operator::NotEqual => "is not",
                    _ => return None,
                };
                let written = format!("{of} {} none", operator.symbol());
                Some(Change::new(span, written, format!("{of} {is} none")))
            }
            Fault::Incomparable {
                a,
                left,
                b,
                right,
                operator,
            } => {
                let literal = match (left, right) {
                    (Type::Number, Type::OneOf(_)) => b,
                    (Type::OneOf(_), Type::Number) => a,
                    _ => return None,
                };
                let text = literal.as_text()?;
                text.parse::<f64>().ok()?;
                let order = !matches!(operator, Operator::In | Operator::NotIn);
                order.then(|| Change::new(literal.span, format!("\"{text}\""), text))
            }
            _ => None,
        }
    }
}
