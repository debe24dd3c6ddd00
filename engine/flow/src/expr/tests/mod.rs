//! Expressions at their boundary: text in; tree, type, value and findings out.

mod evaluating;
mod oracle;
mod parsing;
mod typing;

use std::collections::BTreeMap;

use serde_json::json;

use super::{Budget, EvalError, Expr, Finding, Lookup, Scope, TypeScope, eval, parse};
use crate::value::{Locale, Type, Value, from_json, parse_literal, type_of_schema};

/// Variables with their types and values.
#[derive(Default)]
struct World {
    types: BTreeMap<String, Type>,
    values: BTreeMap<String, Value>,
}

impl TypeScope for World {
    fn variable(&self, name: &str) -> Lookup {
        match self.types.get(name) {
            _ if name == "late" => Lookup::Unassigned,
            Some(ty) => Lookup::Known(ty.clone()),
            None => Lookup::Unknown,
        }
    }

    fn names(&self) -> Vec<String> {
        self.types.keys().cloned().collect()
    }
}

impl Scope for World {
    fn variable(&self, name: &str) -> Option<Value> {
        self.values.get(name).cloned()
    }
}

/// The variables of an order flow.
fn world() -> World {
    let mut world = World::default();
    let mut add = |name: &str, ty: Type, value: Value| {
        world.types.insert(name.to_owned(), ty);
        world.values.insert(name.to_owned(), value);
    };
    let literal = |text: &str, ty: Type| parse_literal(text, &ty).expect("a good literal");
    add("tries", Type::Number, Value::Number(2.0));
    add("vip", Type::Bool, Value::Bool(true));
    add("order_no", Type::Text, Value::Text("20260302".to_owned()));
    add(
        "now",
        Type::DateTime,
        literal("2026-03-02T10:30+08:00", Type::DateTime),
    );
    add("wait", Type::Duration, Value::Duration(90_000));
    add(
        "tags",
        Type::List(Box::new(Type::Text)),
        Value::List(vec![
            Value::Text("a".to_owned()),
            Value::Text("b".to_owned()),
        ]),
    );
    add(
        "call",
        type_of_schema(
            &json!({"required": ["from", "language"], "properties": {"from": {"format": "phone"}, "language": {"enum": ["en", "zh"]}}}),
        ),
        {
            let ty = type_of_schema(
                &json!({"required": ["from", "language"], "properties": {"from": {"format": "phone"}, "language": {"type": "string"}}}),
            );
            from_json(&json!({"from": "+8613800138000", "language": "en"}), &ty).expect("a call")
        },
    );
    let order = json!({
        "type": "object",
        "required": ["status", "eta", "total", "card"],
        "properties": {
            "status": {"type": "string", "enum": ["shipped", "unpaid", "packed", "cancelled"]},
            "eta": {"type": "string", "format": "date"},
            "total": {"type": "object", "format": "money"},
            "note": {"type": "string"},
            "card": {"type": "string", "x-secret": true}
        }
    });
    let ty = type_of_schema(&order);
    let value = from_json(
        &json!({
            "status": "shipped", "eta": "2026-03-05", "total": {"amount": 19900, "currency": "CNY"},
            "card": {"secret": "s-7", "length": 16, "lastFour": "1111"}
        }),
        &ty,
    );
    add("order", ty, value.expect("an order"));
    add(
        "raw",
        Type::Any,
        from_json(
            &json!({"n": 1, "eta": "2026-03-05", "list": [1, 2]}),
            &Type::Any,
        )
        .expect("anything"),
    );
    world
}

fn parsed(text: &str) -> Expr {
    parse(text, 0).unwrap_or_else(|findings| panic!("{text}: {findings:?}"))
}

fn value_in(text: &str, language: &str, spoken: bool) -> Result<Value, EvalError> {
    let locale = Locale {
        language: language.to_owned(),
        spoken,
    };
    eval(&parsed(text), &world(), &locale, &mut Budget::default())
}

/// A finding as one line: the rule, the text it points at, the message, the help.
fn line(text: &str, finding: &Finding) -> String {
    let help = finding
        .help
        .as_ref()
        .map(|help| format!(" ({})", help.english()))
        .unwrap_or_default();
    let place = text
        .get(finding.span.start..finding.span.end)
        .expect("a span on character boundaries");
    let message = finding.message.english();
    format!("{} @ {place}: {message}{help}", finding.rule)
}
