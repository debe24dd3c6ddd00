//! The words of findings.

use super::is_text;
use crate::diagnostic::{Text, text};
use crate::expr::filters::{FILTERS, Filter, Gives};
use crate::expr::tree::Expr;
use crate::value::Type;

/// The type in one word: the values of a fixed set are for the help.
pub(super) fn word(ty: &Type) -> Text {
    match ty {
        Type::OneOf(_) => Text::fixed("text", "文本"),
        Type::Optional(inner) => {
            let inner = word(inner);
            text!("{inner} or none", "{inner}或 `none`"; inner)
        }
        Type::Object { .. } => Text::fixed("an object", "对象"),
        Type::List(_) => Text::fixed("a list", "列表"),
        Type::Bool => Text::fixed("a bool", "真假值"),
        Type::Number | Type::Date | Type::Time | Type::DateTime | Type::Duration | Type::Secret => {
            ty.with_article()
        }
        ty => Text::both(ty.to_string(), ty.in_chinese()),
    }
}

/// Names, the first twenty.
pub(super) fn listed<T: AsRef<str>>(names: impl ExactSizeIterator<Item = T>) -> Text {
    const MOST: usize = 20;
    let total = names.len();
    let shown: Vec<T> = names.take(MOST).collect();
    let english: Vec<&str> = shown.iter().map(AsRef::as_ref).collect();
    let chinese: Vec<String> = english.iter().map(|name| format!("`{name}`")).collect();
    let (english, chinese) = (english.join(", "), chinese.join("、"));
    match total.saturating_sub(MOST) {
        0 => Text::both(english, chinese),
        more => text!("{english} and {more} more", "{chinese}，另有 {more} 个"),
    }
}

/// The fields of an object that has some.
pub(super) fn fields_help(of: &Expr, ty: &Type) -> Option<Text> {
    let Type::Object { fields, .. } = ty else {
        return None;
    };
    let fields = (!fields.is_empty()).then(|| listed(fields.keys()))?;
    Some(text!("the fields of `{of}`: {fields}", "`{of}` 的字段：{fields}"; fields))
}

/// How a value is said that a filter does not take.
pub(super) fn filter_help(filter: &Filter, of: &Expr, ty: &Type) -> Option<Text> {
    match (filter.name, ty) {
        ("number", ty) if is_text(ty) => Some(text!(
            "digits of a text are said by `{of} | digits`",
            "文本里的数字用 `{of} | digits` 读出"
        )),
        (_, Type::Object { .. }) => fields_help(of, ty),
        ("money", Type::Number) => Some(Text::fixed(
            "an amount has a currency: its schema says `format: money`",
            "金额要有币种：它的模式里写 `format: money`",
        )),
        (_, ty) => {
            let others = FILTERS.iter().filter(|other| {
                other.gives == Gives::Speech && other.takes.iter().any(|kind| kind.fits(ty))
            });
            let names: Vec<String> = others.map(|other| format!("`| {}`", other.name)).collect();
            let filters = (!names.is_empty() && *ty != Type::Any)
                .then(|| Text::both(names.join(", "), names.join("、")))?;
            let is = word(ty);
            Some(text!("{is} is said by {filters}", "{is}可用 {filters} 读出"; is, filters))
        }
    }
}
