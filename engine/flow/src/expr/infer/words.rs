//! The words of findings.

use super::is_text;
use crate::expr::filters::{FILTERS, Filter, Gives};
use crate::expr::tree::Expr;
use crate::value::Type;

/// The type in one word: the values of a fixed set are for the help.
pub(super) fn word(ty: &Type) -> String {
    match ty {
        Type::OneOf(_) => "text".to_owned(),
        Type::Optional(inner) => format!("{} or none", word(inner)),
        Type::Object { .. } => "an object".to_owned(),
        Type::List(_) => "a list".to_owned(),
        Type::Number
        | Type::Bool
        | Type::Date
        | Type::Time
        | Type::DateTime
        | Type::Duration
        | Type::Secret => {
            format!("a {ty}")
        }
        ty => ty.to_string(),
    }
}

/// Names in quotes, the first dozen.
pub(super) fn listed<T: AsRef<str>>(names: impl ExactSizeIterator<Item = T>) -> String {
    const MOST: usize = 20;
    let total = names.len();
    let shown: Vec<String> = names
        .take(MOST)
        .map(|name| name.as_ref().to_owned())
        .collect();
    let more = if total > MOST {
        format!(" and {} more", total - MOST)
    } else {
        String::new()
    };
    format!("{}{more}", shown.join(", "))
}

pub(super) fn fields_help<'a>(
    of: &Expr,
    fields: impl ExactSizeIterator<Item = &'a String>,
) -> Option<String> {
    (fields.len() > 0).then(|| format!("the fields of `{of}`: {}", listed(fields)))
}

pub(super) fn filter_help(filter: &Filter, of: &Expr, ty: &Type) -> Option<String> {
    match (filter.name, ty) {
        ("number", ty) if is_text(ty) => {
            Some(format!("digits of a text are said by `{of} | digits`"))
        }
        (_, Type::Object { fields, .. }) => fields_help(of, fields.keys()),
        (_, Type::Number) if filter.name == "money" => {
            Some("an amount has a currency: its schema says `format: money`".to_owned())
        }
        (_, ty) => {
            let others = FILTERS.iter().filter(|other| {
                other.gives == Gives::Speech && other.takes.iter().any(|kind| kind.fits(ty))
            });
            let names: Vec<String> = others.map(|other| format!("`| {}`", other.name)).collect();
            (!names.is_empty() && *ty != Type::Any)
                .then(|| format!("{} is said by {}", word(ty), names.join(", ")))
        }
    }
}
