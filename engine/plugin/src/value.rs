//! Values at the component boundary as JSON, by the component's own types.
//!
//! | WIT | JSON |
//! |---|---|
//! | `bool`, integers | the same; `u64` and `s64` are numbers too |
//! | `f32`, `f64` | a number; `"NaN"`, `"Infinity"`, `"-Infinity"` |
//! | `char`, `string` | a text |
//! | `list<u8>` | a text: standard base64 with padding |
//! | other lists, tuples | an array |
//! | `record` | an object with the WIT's names |
//! | `variant` | `{"name": payload}`, or `"name"` where the case has none |
//! | `enum` | `"name"` |
//! | `flags` | an array of names |
//! | `option` | the value or `null` |
//! | `result` | `{"ok": value}` or `{"err": value}`; `null` inside where there is no payload |
//!
//! Serde's externally tagged enums with kebab-case names read and write the same. A record field that
//! JSON leaves out is `none` where it may be; a field that the type does not have is passed over, so
//! that a provider may know more than an old component asks for.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value};
use wasmtime::component::{Type, Val};

/// A value that does not fit its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// Where, from the outside in: `ok.headers[2].name`.
    pub path: String,
    /// What was expected and what is there.
    pub reason: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.reason)
        } else {
            write!(f, "`{}`: {}", self.path, self.reason)
        }
    }
}

impl std::error::Error for Mismatch {}

/// Why a guest's value does not become JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// One text or byte list is longer than allowed.
    TooLong {
        what: &'static str,
        bytes: usize,
        most: usize,
    },
    /// A type that has no place in the contract.
    Unsupported(String),
}

/// Bounds and counts what passes from the guest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measure {
    pub(crate) string_bytes: usize,
    pub(crate) list_bytes: usize,
    /// Approximate size of everything converted so far. Bytes.
    pub(crate) seen: usize,
}

/// What a number, a name or a bracket counts. Bytes.
const SCALAR_BYTES: usize = 8;

/// A guest's value as JSON.
pub(crate) fn to_json(value: &Val, ty: &Type, measure: &mut Measure) -> Result<Value, Refusal> {
    measure.seen += SCALAR_BYTES;
    Ok(match (value, ty) {
        (Val::Bool(v), _) => Value::from(*v),
        (Val::S8(v), _) => Value::from(*v),
        (Val::U8(v), _) => Value::from(*v),
        (Val::S16(v), _) => Value::from(*v),
        (Val::U16(v), _) => Value::from(*v),
        (Val::S32(v), _) => Value::from(*v),
        (Val::U32(v), _) => Value::from(*v),
        (Val::S64(v), _) => Value::from(*v),
        (Val::U64(v), _) => Value::from(*v),
        (Val::Float32(v), _) => float_to_json(f64::from(*v)),
        (Val::Float64(v), _) => float_to_json(*v),
        (Val::Char(v), _) => Value::from(v.to_string()),
        (Val::String(v), _) => {
            measure.count("text", v.len(), measure.string_bytes)?;
            Value::from(v.as_str())
        }
        (Val::List(items), Type::List(list)) => {
            let ty = list.ty();
            if ty == Type::U8 {
                measure.count("byte list", items.len(), measure.list_bytes)?;
                let bytes: Vec<u8> = items
                    .iter()
                    .map(|item| if let Val::U8(byte) = item { *byte } else { 0 })
                    .collect();
                return Ok(Value::from(BASE64.encode(bytes)));
            }
            array(items.iter().map(|item| to_json(item, &ty, measure)))?
        }
        (Val::Tuple(items), Type::Tuple(tuple)) => {
            let types: Vec<_> = tuple.types().collect();
            array(
                items
                    .iter()
                    .zip(&types)
                    .map(|(item, ty)| to_json(item, ty, measure)),
            )?
        }
        (Val::Record(fields), Type::Record(record)) => {
            let mut object = Map::with_capacity(fields.len());
            for ((name, value), field) in fields.iter().zip(record.fields()) {
                object.insert(name.clone(), to_json(value, &field.ty, measure)?);
            }
            Value::Object(object)
        }
        (Val::Variant(name, payload), Type::Variant(variant)) => match payload {
            None => Value::from(name.as_str()),
            Some(payload) => {
                let case = variant.cases().find(|case| case.name == name);
                let ty = case
                    .and_then(|case| case.ty)
                    .ok_or_else(|| Refusal::Unsupported(format!("case `{name}`")))?;
                tagged(name, to_json(payload, &ty, measure)?)
            }
        },
        (Val::Enum(name), _) => Value::from(name.as_str()),
        (Val::Flags(names), _) => Value::from(names.clone()),
        (Val::Option(None), _) => Value::Null,
        (Val::Option(Some(value)), Type::Option(option)) => to_json(value, &option.ty(), measure)?,
        (Val::Result(value), Type::Result(result)) => {
            let (name, payload, ty) = match value {
                Ok(payload) => ("ok", payload, result.ok()),
                Err(payload) => ("err", payload, result.err()),
            };
            let payload = match (payload, ty) {
                (Some(payload), Some(ty)) => to_json(payload, &ty, measure)?,
                _ => Value::Null,
            };
            tagged(name, payload)
        }
        (other, _) => {
            let kind = format!("{other:?}");
            let kind = kind.split(['(', ' ', '{']).next().unwrap_or_default();
            return Err(Refusal::Unsupported(kind.to_lowercase()));
        }
    })
}

impl Measure {
    fn count(&mut self, what: &'static str, bytes: usize, most: usize) -> Result<(), Refusal> {
        self.seen += bytes;
        if bytes > most {
            return Err(Refusal::TooLong { what, bytes, most });
        }
        Ok(())
    }
}

/// The value that the host's JSON stands for.
pub(crate) fn from_json(value: Value, ty: &Type) -> Result<Val, Mismatch> {
    Ok(match ty {
        Type::Bool => Val::Bool(
            value
                .as_bool()
                .ok_or_else(|| mismatch("a boolean", &value))?,
        ),
        Type::S8 => Val::S8(integer(&value)?),
        Type::U8 => Val::U8(integer(&value)?),
        Type::S16 => Val::S16(integer(&value)?),
        Type::U16 => Val::U16(integer(&value)?),
        Type::S32 => Val::S32(integer(&value)?),
        Type::U32 => Val::U32(integer(&value)?),
        Type::S64 => Val::S64(integer(&value)?),
        Type::U64 => Val::U64(integer(&value)?),
        Type::Float32 => Val::Float32(float_from_json(&value)? as f32),
        Type::Float64 => Val::Float64(float_from_json(&value)?),
        Type::Char => {
            let text = value.as_str().unwrap_or_default();
            let mut chars = text.chars();
            match (chars.next(), chars.next()) {
                (Some(char), None) => Val::Char(char),
                _ => return Err(mismatch("a single character", &value)),
            }
        }
        Type::String => match value {
            Value::String(text) => Val::String(text),
            other => return Err(mismatch("a text", &other)),
        },
        Type::List(list) => {
            let ty = list.ty();
            match (value, ty == Type::U8) {
                (Value::String(text), true) => {
                    let bytes = BASE64
                        .decode(text)
                        .map_err(|error| Mismatch::here(format!("expected base64: {error}")))?;
                    Val::List(bytes.into_iter().map(Val::U8).collect())
                }
                (other, true) => return Err(mismatch("a text in base64", &other)),
                (Value::Array(items), false) => {
                    let items = items.into_iter().enumerate();
                    let items = items
                        .map(|(i, item)| from_json(item, &ty).map_err(|e| e.at(&format!("[{i}]"))));
                    Val::List(items.collect::<Result<_, _>>()?)
                }
                (other, false) => return Err(mismatch("an array", &other)),
            }
        }
        Type::Tuple(tuple) => match value {
            Value::Array(items) if items.len() == tuple.types().len() => {
                let items = items.into_iter().zip(tuple.types()).enumerate();
                let items = items.map(|(i, (item, ty))| {
                    from_json(item, &ty).map_err(|e| e.at(&format!("[{i}]")))
                });
                Val::Tuple(items.collect::<Result<_, _>>()?)
            }
            other => {
                return Err(mismatch(
                    &format!("an array of {}", tuple.types().len()),
                    &other,
                ));
            }
        },
        Type::Record(record) => {
            let Value::Object(mut object) = value else {
                return Err(mismatch("an object", &value));
            };
            let fields = record.fields().map(|field| {
                let value = match (object.remove(field.name), &field.ty) {
                    (Some(value), ty) => from_json(value, ty).map_err(|e| e.at(field.name))?,
                    (None, Type::Option(_)) => Val::Option(None),
                    (None, _) => return Err(Mismatch::here("is missing".into()).at(field.name)),
                };
                Ok((field.name.to_owned(), value))
            });
            Val::Record(fields.collect::<Result<_, _>>()?)
        }
        Type::Variant(variant) => {
            let (name, payload) = untag(value, "a variant")?;
            let Some(case) = variant.cases().find(|case| case.name == name) else {
                let known: Vec<_> = variant.cases().map(|case| case.name.to_owned()).collect();
                return Err(unknown("case", &name, &known));
            };
            let payload = match (case.ty, payload) {
                (None, None | Some(Value::Null)) => None,
                (None, Some(other)) => return Err(mismatch("no payload", &other).at(&name)),
                (Some(ty), payload) => {
                    let payload = payload.unwrap_or(Value::Null);
                    Some(Box::new(from_json(payload, &ty).map_err(|e| e.at(&name))?))
                }
            };
            Val::Variant(name, payload)
        }
        Type::Enum(names) => match value {
            Value::String(name) if names.names().any(|known| known == name) => Val::Enum(name),
            Value::String(name) => {
                let known: Vec<_> = names.names().map(str::to_owned).collect();
                return Err(unknown("name", &name, &known));
            }
            other => return Err(mismatch("a name", &other)),
        },
        Type::Flags(flags) => {
            let Value::Array(items) = value else {
                return Err(mismatch("an array of names", &value));
            };
            let names = items.into_iter().map(|item| match item {
                Value::String(name) if flags.names().any(|known| known == name) => Ok(name),
                other => Err(mismatch("the name of a flag", &other)),
            });
            Val::Flags(names.collect::<Result<_, _>>()?)
        }
        Type::Option(option) => match value {
            Value::Null => Val::Option(None),
            value => Val::Option(Some(Box::new(from_json(value, &option.ty())?))),
        },
        Type::Result(result) => {
            let (name, payload) = untag(value, "`ok` or `err`")?;
            let ty = match name.as_str() {
                "ok" => result.ok(),
                "err" => result.err(),
                _ => return Err(unknown("case", &name, &["ok".into(), "err".into()])),
            };
            let payload = match (ty, payload) {
                (None, None | Some(Value::Null)) => None,
                (None, Some(other)) => return Err(mismatch("no payload", &other).at(&name)),
                (Some(ty), payload) => {
                    let payload = payload.unwrap_or(Value::Null);
                    Some(Box::new(from_json(payload, &ty).map_err(|e| e.at(&name))?))
                }
            };
            Val::Result(if name == "ok" {
                Ok(payload)
            } else {
                Err(payload)
            })
        }
        other => {
            return Err(Mismatch::here(format!("{other:?} has no form in JSON")));
        }
    })
}

/// The approximate size of a JSON value on its way to the guest. Bytes.
pub(crate) fn size(value: &Value) -> usize {
    SCALAR_BYTES
        + match value {
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(size).sum(),
            Value::Object(fields) => fields.values().map(size).sum(),
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        }
}

impl Mismatch {
    fn here(reason: String) -> Self {
        Self {
            path: String::new(),
            reason,
        }
    }

    /// The same, one level further out.
    fn at(mut self, outer: &str) -> Self {
        let dot = if self.path.is_empty() || self.path.starts_with('[') {
            ""
        } else {
            "."
        };
        self.path = format!("{outer}{dot}{}", self.path);
        self
    }
}

fn array(items: impl Iterator<Item = Result<Value, Refusal>>) -> Result<Value, Refusal> {
    Ok(Value::Array(items.collect::<Result<_, _>>()?))
}

fn tagged(name: &str, payload: Value) -> Value {
    let mut object = Map::with_capacity(1);
    object.insert(name.to_owned(), payload);
    Value::Object(object)
}

/// Takes `"name"` or `{"name": payload}` apart.
fn untag(value: Value, expected: &str) -> Result<(String, Option<Value>), Mismatch> {
    match value {
        Value::String(name) => Ok((name, None)),
        Value::Object(object) if object.len() == 1 => {
            let (name, payload) = object.into_iter().next().unwrap_or_default();
            Ok((name, Some(payload)))
        }
        other => Err(mismatch(expected, &other)),
    }
}

fn integer<T: TryFrom<i128>>(value: &Value) -> Result<T, Mismatch> {
    let number = match (value.as_u64(), value.as_i64()) {
        (Some(number), _) => Some(i128::from(number)),
        (None, Some(number)) => Some(i128::from(number)),
        (None, None) => None,
    };
    number
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| {
            mismatch(
                &format!("an integer ({})", std::any::type_name::<T>()),
                value,
            )
        })
}

fn float_to_json(value: f64) -> Value {
    match serde_json::Number::from_f64(value) {
        Some(number) => Value::Number(number),
        None if value.is_nan() => Value::from("NaN"),
        None if value > 0.0 => Value::from("Infinity"),
        None => Value::from("-Infinity"),
    }
}

fn float_from_json(value: &Value) -> Result<f64, Mismatch> {
    match value.as_str() {
        Some("NaN") => Ok(f64::NAN),
        Some("Infinity") => Ok(f64::INFINITY),
        Some("-Infinity") => Ok(f64::NEG_INFINITY),
        _ => value.as_f64().ok_or_else(|| mismatch("a number", value)),
    }
}

/// Says what kind of value is there, never the value itself: it may be a caller's secret.
fn mismatch(expected: &str, found: &Value) -> Mismatch {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a fraction",
        Value::Number(_) => "an integer",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    Mismatch::here(format!("expected {expected}, found {found}"))
}

fn unknown(what: &str, name: &str, known: &[String]) -> Mismatch {
    Mismatch::here(format!(
        "unknown {what} `{name}`; known are {}",
        known.join(", ")
    ))
}

#[cfg(test)]
mod tests;
