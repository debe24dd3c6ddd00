//! What types mean to each other.

use std::fmt;

use super::{Type, Value};
use crate::diagnostic::Text;

impl Type {
    /// Whether a value of the type `other` may stand where this type is expected.
    ///
    /// [`Type::Any`] fits both ways, except that nothing but `secret` takes a secret or something that
    /// holds one. A phone number and a text of a fixed set are texts; nothing else is converted.
    pub fn accepts(&self, other: &Type) -> bool {
        match (self, other) {
            (Type::Secret, other) => matches!(other, Type::Secret | Type::Any),
            (Type::Any, other) => !other.holds_secret(),
            (_, Type::Any) => true,
            (Type::Optional(_), Type::None) => true,
            (Type::Optional(inner), Type::Optional(other)) => inner.accepts(other),
            (Type::Optional(inner), other) => inner.accepts(other),
            (Type::Text, Type::OneOf(_) | Type::Phone) => true,
            (Type::OneOf(all), Type::OneOf(some)) => some.iter().all(|text| all.contains(text)),
            (Type::List(inner), Type::List(other)) => inner.accepts(other),
            (
                Type::Object { fields, open },
                Type::Object {
                    fields: others,
                    open: more,
                },
            ) => {
                let known = fields.iter().all(|(name, ty)| match others.get(name) {
                    Some(other) => ty.accepts(other),
                    None => *more || matches!(ty, Type::Optional(_) | Type::Any),
                });
                let extra = others
                    .iter()
                    .filter(|(name, _)| !fields.contains_key(*name));
                known && extra.fold(true, |fits, (_, ty)| fits && *open && !ty.holds_secret())
            }
            (a, b) => a == b,
        }
    }

    /// The type of a value. Texts are `text`, and the objects' fields are those that are there.
    pub fn of(value: &Value) -> Type {
        match value {
            Value::None => Type::None,
            Value::Bool(_) => Type::Bool,
            Value::Number(_) => Type::Number,
            Value::Text(_) => Type::Text,
            Value::Date(_) => Type::Date,
            Value::Time(_) => Type::Time,
            Value::DateTime(_) => Type::DateTime,
            Value::Duration(_) => Type::Duration,
            Value::Money(_) => Type::Money,
            Value::Phone(_) => Type::Phone,
            Value::List(items) => {
                let mut items = items.iter().map(Type::of);
                let first = items.next().unwrap_or(Type::Any);
                let all = items.try_fold(first, |all, item| all.join(&item));
                Type::List(Box::new(all.unwrap_or(Type::Any)))
            }
            Value::Object(fields) => Type::Object {
                fields: fields
                    .iter()
                    .map(|(name, value)| (name.clone(), Type::of(value)))
                    .collect(),
                open: false,
            },
            Value::Secret(_) => Type::Secret,
        }
    }

    /// The narrowest type that has the values of both, if there is one.
    pub fn join(&self, other: &Type) -> Option<Type> {
        match (self, other) {
            (a, b) if a == b => Some(a.clone()),
            (Type::Secret, _) | (_, Type::Secret) => None,
            (Type::Any, b) | (b, Type::Any) => (!b.holds_secret()).then_some(Type::Any),
            (Type::None, b) | (b, Type::None) => Some(b.clone().or_none()),
            (Type::Optional(a), b) | (b, Type::Optional(a)) => {
                Some(match a.join(b.without_none())? {
                    // That it may be missing is known, whatever it is.
                    Type::Any => Type::Optional(Box::new(Type::Any)),
                    ty => ty.or_none(),
                })
            }
            (Type::OneOf(a), Type::OneOf(b)) => {
                let mut all = a.clone();
                all.extend(b.iter().filter(|text| !a.contains(text)).cloned());
                Some(Type::OneOf(all))
            }
            (Type::OneOf(_), Type::Phone) | (Type::Phone, Type::OneOf(_)) => Some(Type::Text),
            (Type::List(a), Type::List(b)) => Some(Type::List(Box::new(a.join(b)?))),
            (a, b) if a.accepts(b) => Some(a.clone()),
            (a, b) if b.accepts(a) => Some(b.clone()),
            _ => None,
        }
    }

    /// The type without `none`.
    pub fn without_none(&self) -> &Type {
        match self {
            Type::Optional(inner) => inner.without_none(),
            ty => ty,
        }
    }

    /// The type with `none`.
    pub fn or_none(self) -> Type {
        match self {
            Type::Any | Type::None | Type::Optional(_) => self,
            ty => Type::Optional(Box::new(ty)),
        }
    }

    /// The type when the value at a path of fields is known not to be `none`.
    pub fn assuming_present(&self, path: &[&str]) -> Type {
        let mut ty = self.clone();
        let Some((first, rest)) = path.split_first() else {
            return ty.without_none().clone();
        };
        // A field that is there is a field of something that is there.
        ty = ty.without_none().clone();
        if let Type::Object { fields, .. } = &mut ty
            && let Some(field) = fields.get_mut(*first)
        {
            *field = field.assuming_present(rest);
        }
        ty
    }

    /// Whether a value of this type is a secret or holds one.
    pub fn holds_secret(&self) -> bool {
        match self {
            Type::Secret => true,
            Type::List(inner) | Type::Optional(inner) => inner.holds_secret(),
            Type::Object { fields, .. } => fields.values().any(Type::holds_secret),
            _ => false,
        }
    }
}

/// The type in a sentence.
impl Type {
    /// With its article: `a number`, `one of "a", "b"`.
    pub(crate) fn with_article(&self) -> Text {
        let english = match self {
            Type::Bool => "true or false".to_owned(),
            Type::Object { .. } => "an object".to_owned(),
            Type::Number
            | Type::Date
            | Type::Time
            | Type::DateTime
            | Type::Duration
            | Type::Phone
            | Type::Secret
            | Type::List(_) => format!("a {self}"),
            ty => ty.to_string(),
        };
        Text::both(english, self.in_chinese())
    }

    /// In Chinese, where no articles are.
    pub(crate) fn in_chinese(&self) -> String {
        let word = match self {
            Type::Any => "任意值",
            Type::None => "`none`",
            Type::Bool => "真假值",
            Type::Number => "数字",
            Type::Text => "文本",
            Type::OneOf(texts) if texts.is_empty() => "文本",
            Type::Date => "日期",
            Type::Time => "时刻",
            Type::DateTime => "日期时间",
            Type::Duration => "时长",
            Type::Money => "金额",
            Type::Phone => "电话号码",
            Type::Object { .. } => "对象",
            Type::Secret => "机密",
            Type::List(inner) if **inner == Type::Any => "列表",
            Type::OneOf(texts) => {
                let texts: Vec<String> = texts.iter().map(|text| format!("\"{text}\"")).collect();
                return format!("{} 之一", texts.join("、"));
            }
            Type::List(inner) => return format!("{}的列表", inner.in_chinese()),
            Type::Optional(inner) => return format!("{}或 `none`", inner.in_chinese()),
        };
        word.to_owned()
    }
}

impl Value {
    /// Whether the value is a secret or holds one.
    pub fn holds_secret(&self) -> bool {
        match self {
            Value::Secret(_) => true,
            Value::List(items) => items.iter().any(Value::holds_secret),
            Value::Object(fields) => fields.values().any(Value::holds_secret),
            _ => false,
        }
    }
}

/// The type as a designer writes or says it.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Any => f.write_str("anything"),
            Type::None => f.write_str("none"),
            Type::Bool => f.write_str("bool"),
            Type::Number => f.write_str("number"),
            Type::Text => f.write_str("text"),
            Type::OneOf(texts) => match texts.as_slice() {
                [] => f.write_str("text"),
                [one] => write!(f, "the text \"{one}\""),
                [first, rest @ ..] => {
                    write!(f, "one of \"{first}\"")?;
                    rest.iter().try_for_each(|text| write!(f, ", \"{text}\""))
                }
            },
            Type::Date => f.write_str("date"),
            Type::Time => f.write_str("time"),
            Type::DateTime => f.write_str("datetime"),
            Type::Duration => f.write_str("duration"),
            Type::Money => f.write_str("money"),
            Type::Phone => f.write_str("phone"),
            Type::List(inner) if **inner == Type::Any => f.write_str("list"),
            Type::List(inner) => write!(f, "list of {inner}"),
            Type::Object { .. } => f.write_str("object"),
            Type::Optional(inner) => write!(f, "{inner} or none"),
            Type::Secret => f.write_str("secret"),
        }
    }
}
