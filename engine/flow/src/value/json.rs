//! Values and types to JSON and back: how they cross the wall to the plugins and stand in the journal.
//!
//! | type | JSON |
//! |---|---|
//! | text, phone | string |
//! | date, time, datetime | string: `2026-03-05`, `09:30:00`, `2026-03-05T09:30:00+08:00` |
//! | duration | integer milliseconds; an ISO 8601 string (`PT30M`) where the schema wants a string |
//! | money | `{"amount": 19900, "currency": "CNY"}`, the amount in the smallest unit |
//! | secret | `{"secret": handle, "length": 16, "lastFour": "1234"}` |
//! | none | null |

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::{Money, Secret, Type, Value, literal};

/// Largest whole number that a [`Value::Number`] holds exactly: 2^53.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

impl Value {
    /// The value as JSON; see the table in this module's page.
    pub fn to_json(&self) -> Json {
        match self {
            Value::None => Json::Null,
            Value::Bool(bool) => json!(bool),
            Value::Number(number) if number.fract() == 0.0 && number.abs() <= MAX_EXACT => {
                json!(*number as i64)
            }
            Value::Number(number) => json!(number),
            Value::Text(text) | Value::Phone(text) => json!(text),
            Value::Date(date) => json!(date.to_string()),
            Value::Time(time) => json!(time.to_string()),
            // RFC 3339 has the offset but not the zone's name, which JSON Schema's `date-time` refuses.
            Value::DateTime(moment) => json!(
                moment
                    .timestamp()
                    .display_with_offset(moment.offset())
                    .to_string()
            ),
            Value::Duration(ms) => json!(ms),
            Value::Money(money) => json!({ "amount": money.amount, "currency": money.currency }),
            Value::List(items) => items.iter().map(Value::to_json).collect(),
            Value::Object(fields) => {
                let fields: Map<String, Json> = fields
                    .iter()
                    .map(|(name, value)| (name.clone(), value.to_json()))
                    .collect();
                Json::Object(fields)
            }
            Value::Secret(secret) => {
                json!({ "secret": secret.handle, "length": secret.length, "lastFour": secret.last_four })
            }
        }
    }

    /// The value as JSON for a place that a JSON Schema describes: a duration becomes an ISO 8601 string
    /// where the schema wants a string, and a missing optional property is left out of its object.
    pub fn to_json_for(&self, schema: &Json) -> Json {
        match self {
            Value::Duration(ms) if wants(schema, "string") => json!(iso_duration(*ms)),
            Value::List(items) => items
                .iter()
                .map(|item| item.to_json_for(&schema["items"]))
                .collect(),
            Value::Object(fields) => {
                let mut object = Map::new();
                for (name, value) in fields {
                    let property = &schema["properties"][name.as_str()];
                    if *value == Value::None && !property.is_null() && !wants(property, "null") {
                        continue;
                    }
                    object.insert(name.clone(), value.to_json_for(property));
                }
                Json::Object(object)
            }
            value => value.to_json(),
        }
    }
}

/// Reads a JSON value as a value of a type.
///
/// An object's field that is missing stays missing (it reads as `none`); one that the type does not know
/// is kept as it is. A duration may be integer milliseconds, ISO 8601 or as a flow writes it. What has the shape of a secret is a
/// secret, whatever the type.
///
/// # Errors
///
/// One sentence that names the path to what does not fit, and what was expected there.
pub fn from_json(json: &Json, ty: &Type) -> Result<Value, String> {
    read(json, ty, &mut Vec::new())
}

fn read(json: &Json, ty: &Type, path: &mut Vec<String>) -> Result<Value, String> {
    if let Some(secret) = secret(json) {
        return match ty.without_none() {
            Type::Secret | Type::Any => Ok(Value::Secret(secret)),
            _ => Err(format!(
                "{} is a secret where a {ty} is expected",
                place(path)
            )),
        };
    }
    let value = match (ty, json) {
        (Type::Any, json) => return Ok(untyped(json)),
        (Type::None | Type::Optional(_), Json::Null) => Value::None,
        (Type::Optional(inner), json) => return read(json, inner, path),
        (Type::Bool, Json::Bool(bool)) => Value::Bool(*bool),
        (Type::Number, Json::Number(number)) => Value::Number(number.as_f64().unwrap_or(f64::MAX)),
        (Type::Text, Json::String(text)) => Value::Text(text.clone()),
        (Type::Phone, Json::String(text)) => Value::Phone(text.clone()),
        (Type::OneOf(texts), Json::String(text)) if texts.contains(text) => {
            Value::Text(text.clone())
        }
        (Type::Date, Json::String(text)) => literal::date(text)
            .map(Value::Date)
            .map_err(|why| format!("{}: {}", place(path), why.english()))?,
        (Type::Time, Json::String(text)) => literal::time(text)
            .map(Value::Time)
            .map_err(|why| format!("{}: {}", place(path), why.english()))?,
        (Type::DateTime, Json::String(text)) => literal::datetime(text)
            .map(Value::DateTime)
            .map_err(|why| format!("{}: {}", place(path), why.english()))?,
        (Type::Duration, json) => match duration(json) {
            Some(ms) => Value::Duration(ms),
            None => return Err(unfit(json, ty, path)),
        },
        (Type::Money, json) => match money(json) {
            Some(money) => Value::Money(money),
            None => return Err(unfit(json, ty, path)),
        },
        (Type::List(inner), Json::Array(items)) => {
            let mut list = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                path.push(index.to_string());
                list.push(read(item, inner, path)?);
                path.pop();
            }
            Value::List(list)
        }
        (Type::Object { fields, .. }, Json::Object(object)) => {
            let mut read_fields = BTreeMap::new();
            for (name, json) in object {
                path.push(name.clone());
                let value = read(json, fields.get(name).unwrap_or(&Type::Any), path)?;
                path.pop();
                read_fields.insert(name.clone(), value);
            }
            Value::Object(read_fields)
        }
        (ty, json) => return Err(unfit(json, ty, path)),
    };
    Ok(value)
}

/// The path to a field that a type promises and a value does not have, if there is one.
///
/// A field is promised unless its type has `none` in it or is [`Type::Any`].
pub fn missing_field(value: &Value, ty: &Type) -> Option<String> {
    lacks(value, ty).map(|mut path| {
        path.reverse();
        path.join(".")
    })
}

/// The same, as the path's names from the last to the first.
fn lacks(value: &Value, ty: &Type) -> Option<Vec<String>> {
    match (value, ty.without_none()) {
        (Value::Object(has), Type::Object { fields, .. }) => {
            fields.iter().find_map(|(name, ty)| match has.get(name) {
                None => {
                    let may_lack = matches!(ty, Type::Any | Type::None | Type::Optional(_));
                    (!may_lack).then(|| vec![name.clone()])
                }
                Some(value) => named(lacks(value, ty), name),
            })
        }
        (Value::List(items), Type::List(ty)) => items
            .iter()
            .enumerate()
            .find_map(|(index, item)| named(lacks(item, ty), &index.to_string())),
        _ => None,
    }
}

fn named(path: Option<Vec<String>>, name: &str) -> Option<Vec<String>> {
    path.map(|mut path| {
        path.push(name.to_owned());
        path
    })
}

fn unfit(json: &Json, ty: &Type, path: &[String]) -> String {
    let is = match json {
        Json::Null => "missing".to_owned(),
        Json::Bool(bool) => format!("`{bool}`"),
        // The content may be long or private: its kind says enough.
        Json::Number(_) if *ty.without_none() == Type::Secret => "a number".to_owned(),
        Json::Number(number) => format!("the number {number}"),
        Json::String(_) => "a text that does not fit".to_owned(),
        Json::Array(_) => "a list".to_owned(),
        Json::Object(_) => "an object".to_owned(),
    };
    format!("{} is {is}; expected: {ty}", place(path))
}

fn place(path: &[String]) -> String {
    if path.is_empty() {
        "the value".to_owned()
    } else {
        format!("`{}`", path.join("."))
    }
}

fn untyped(json: &Json) -> Value {
    if let Some(secret) = secret(json) {
        return Value::Secret(secret);
    }
    match json {
        Json::Null => Value::None,
        Json::Bool(bool) => Value::Bool(*bool),
        Json::Number(number) => Value::Number(number.as_f64().unwrap_or(f64::MAX)),
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(untyped).collect()),
        Json::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, json)| (name.clone(), untyped(json)))
                .collect(),
        ),
    }
}

fn secret(json: &Json) -> Option<Secret> {
    let object = json.as_object().filter(|object| object.len() == 3)?;
    Some(Secret {
        handle: object.get("secret")?.as_str()?.to_owned(),
        length: u32::try_from(object.get("length")?.as_u64()?).ok()?,
        last_four: object.get("lastFour")?.as_str()?.to_owned(),
    })
}

fn money(json: &Json) -> Option<Money> {
    let currency = json.get("currency")?.as_str()?;
    let valid = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
    valid.then_some(Money {
        amount: json.get("amount")?.as_i64()?,
        currency: currency.to_owned(),
    })
}

fn duration(json: &Json) -> Option<i64> {
    match json {
        Json::Number(number) => number.as_i64(),
        Json::String(text) if text.starts_with(['P', 'p', '-']) => {
            let span: jiff::SignedDuration = text.parse().ok()?;
            i64::try_from(span.as_millis()).ok()
        }
        Json::String(text) => match super::parse_literal(text, &Type::Duration) {
            Ok(Value::Duration(ms)) => Some(ms),
            _ => None,
        },
        _ => None,
    }
}

/// ISO 8601: `PT1H30M`.
fn iso_duration(ms: i64) -> String {
    jiff::SignedDuration::from_millis(ms).to_string()
}

/// Whether a schema's `type` is, or allows, a type.
fn wants(schema: &Json, ty: &str) -> bool {
    match &schema["type"] {
        Json::String(one) => one == ty,
        Json::Array(all) => all.iter().any(|one| one == ty),
        _ => false,
    }
}

/// The type that a JSON Schema describes.
///
/// `x-secret: true` is a secret. `format` says `date`, `time`, `date-time`, `duration`, `money` or
/// `phone`. `enum` and `const` of texts are a fixed set. A property is optional when it may be null, and unless `required`
/// lists it: as in JSON Schema (validation, §6.5.3), leaving the list out is an empty list. An object has no other fields than its `properties` unless it has none or says
/// `additionalProperties: true`. What a schema leaves open is [`Type::Any`].
pub fn type_of_schema(schema: &Json) -> Type {
    if schema["x-secret"] == true {
        return Type::Secret;
    }
    if let Some(either) = schema["anyOf"]
        .as_array()
        .or_else(|| schema["oneOf"].as_array())
    {
        return either
            .iter()
            .map(type_of_schema)
            .reduce(|all, one| all.join(&one).unwrap_or(Type::Any))
            .unwrap_or(Type::Any);
    }
    let ty = type_of_present(schema);
    let nullable = schema["nullable"] == true
        || (wants(schema, "null") && schema["type"].is_array())
        || schema["enum"]
            .as_array()
            .is_some_and(|values| values.contains(&Json::Null));
    if nullable { ty.or_none() } else { ty }
}

fn type_of_present(schema: &Json) -> Type {
    match schema["format"].as_str() {
        Some("date") => return Type::Date,
        Some("time") => return Type::Time,
        Some("date-time") => return Type::DateTime,
        Some("duration") => return Type::Duration,
        Some("money") => return Type::Money,
        Some("phone") => return Type::Phone,
        _ => {}
    }
    let values = match (&schema["enum"], &schema["const"]) {
        (Json::Array(values), _) => values.clone(),
        (_, Json::Null) => Vec::new(),
        (_, value) => vec![value.clone()],
    };
    let values: Vec<Json> = values
        .into_iter()
        .filter(|value| !value.is_null())
        .collect();
    if !values.is_empty() {
        let texts: Option<Vec<String>> = values
            .iter()
            .map(|value| value.as_str().map(str::to_owned))
            .collect();
        if let Some(texts) = texts {
            return Type::OneOf(texts);
        }
        let types = values.iter().map(|value| Type::of(&untyped(value)));
        return types
            .reduce(|all, one| all.join(&one).unwrap_or(Type::Any))
            .unwrap_or(Type::Any);
    }
    let names: Vec<&str> = match &schema["type"] {
        Json::String(name) => vec![name],
        Json::Array(names) => names
            .iter()
            .filter_map(Json::as_str)
            .filter(|name| *name != "null")
            .collect(),
        _ if schema["properties"].is_object() => vec!["object"],
        _ if !schema["items"].is_null() => vec!["array"],
        _ => Vec::new(),
    };
    match names.as_slice() {
        ["string"] => Type::Text,
        ["integer" | "number"] => Type::Number,
        ["integer", "number"] | ["number", "integer"] => Type::Number,
        ["boolean"] => Type::Bool,
        ["array"] => Type::List(Box::new(type_of_schema(&schema["items"]))),
        ["object"] => object(schema),
        ["null"] => Type::None,
        [] if wants(schema, "null") => Type::None,
        _ => Type::Any,
    }
}

fn object(schema: &Json) -> Type {
    let required = schema["required"].as_array();
    let mut fields = BTreeMap::new();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let ty = type_of_schema(property);
        let promised =
            required.is_some_and(|required| required.iter().any(|one| one == name.as_str()));
        fields.insert(name.clone(), if promised { ty } else { ty.or_none() });
    }
    let more = &schema["additionalProperties"];
    let open = match more {
        Json::Bool(open) => *open,
        Json::Object(_) => true,
        _ => fields.is_empty(),
    };
    Type::Object { fields, open }
}
