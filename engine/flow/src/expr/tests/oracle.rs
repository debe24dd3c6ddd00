//! What this language and Jinja have in common has the same value in both: minijinja is the oracle.

use std::collections::BTreeMap;

use minijinja::Environment;
use minijinja::value::ValueKind;
use proptest::prelude::*;

use super::parsed;
use crate::expr::{Budget, Scope, eval};
use crate::value::{Locale, Type, Value, from_json};

struct Variables(BTreeMap<&'static str, serde_json::Value>);

impl Scope for Variables {
    fn variable(&self, name: &str) -> Option<Value> {
        from_json(self.0.get(name)?, &Type::Any).ok()
    }
}

fn variables() -> Variables {
    Variables(BTreeMap::from([
        ("n", serde_json::json!(7)),
        ("m", serde_json::json!(-3)),
        ("f", serde_json::json!(2.5)),
        ("t", serde_json::json!("abc")),
        ("yes", serde_json::json!(true)),
        ("missing", serde_json::json!(null)),
        ("o", serde_json::json!({ "a": { "b": "deep" }, "n": 12 })),
        ("l", serde_json::json!([1, 2, 3])),
    ]))
}

/// The variables as Jinja has them.
fn context(variables: &Variables) -> minijinja::Value {
    fn value(json: &serde_json::Value) -> minijinja::Value {
        match json {
            serde_json::Value::Null => minijinja::Value::from(()),
            serde_json::Value::Bool(bool) => minijinja::Value::from(*bool),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(whole) => minijinja::Value::from(whole),
                None => minijinja::Value::from(number.as_f64().expect("a finite number")),
            },
            serde_json::Value::String(text) => minijinja::Value::from(text.as_str()),
            serde_json::Value::Array(items) => items.iter().map(value).collect(),
            serde_json::Value::Object(fields) => {
                let fields: BTreeMap<String, minijinja::Value> = fields
                    .iter()
                    .map(|(name, field)| (name.clone(), value(field)))
                    .collect();
                minijinja::Value::from(fields)
            }
        }
    }
    let values: BTreeMap<&str, minijinja::Value> = variables
        .0
        .iter()
        .map(|(name, json)| (*name, value(json)))
        .collect();
    minijinja::Value::from(values)
}

fn from_jinja(value: &minijinja::Value) -> Value {
    match value.kind() {
        ValueKind::None => Value::None,
        ValueKind::Bool => Value::Bool(value.is_true()),
        ValueKind::Number => Value::Number(f64::try_from(value.clone()).expect("a number")),
        _ => Value::Text(
            value
                .as_str()
                .unwrap_or_else(|| panic!("{value:?} is not a text"))
                .to_owned(),
        ),
    }
}

fn number() -> impl Strategy<Value = String> {
    let atom = prop_oneof![
        (0u32..20).prop_map(|number| number.to_string()),
        prop::sample::select(vec!["n", "m", "f", "o.n", "l[1]", "0.5"]).prop_map(str::to_owned),
    ];
    atom.prop_recursive(4, 16, 2, |inner| {
        let operator = prop::sample::select(vec!["+", "-", "*", "/", "%"]);
        prop_oneof![
            (inner.clone(), operator, inner.clone())
                .prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (
                inner.clone(),
                prop::sample::select(vec!["+", "-", "*"]),
                inner.clone()
            )
                .prop_map(|(a, op, b)| format!("({a} {op} {b} {op} 2)")),
            inner.prop_map(|a| format!("(-{a})")),
        ]
    })
}

fn text() -> impl Strategy<Value = String> {
    let atom = prop::sample::select(vec!["t", "o.a.b", "o[\"a\"].b", "\"x\"", "'q'", "\"\""])
        .prop_map(str::to_owned);
    atom.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} ~ {b})")),
            inner.clone().prop_map(|a| format!("({a} ~ 3)")),
            inner.clone().prop_map(|a| format!("({a} | upper)")),
            inner.clone().prop_map(|a| format!("({a} | lower)")),
            inner.prop_map(|a| format!("([{a}, t] | join(\"-\"))")),
        ]
    })
}

fn condition() -> impl Strategy<Value = String> {
    let comparison = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let atom = prop_oneof![
        Just("yes".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        (number(), comparison, number()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        (
            text(),
            prop::sample::select(vec!["==", "!=", "in", "not in"]),
            text()
        )
            .prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        number().prop_map(|a| format!("{a} in [1, 2, n]")),
        Just("missing is none".to_owned()),
        Just("o.a is not none".to_owned()),
        Just("(t | length) == 3".to_owned()),
    ];
    atom.prop_recursive(3, 12, 2, |inner| {
        prop_oneof![
            // Without brackets: precedence is part of the comparison.
            (
                inner.clone(),
                prop::sample::select(vec!["and", "or"]),
                inner.clone()
            )
                .prop_map(|(a, op, b)| format!("{a} {op} {b}")),
            inner.clone().prop_map(|a| format!("not {a}")),
            inner.prop_map(|a| format!("({a})")),
        ]
    })
}

fn any() -> impl Strategy<Value = String> {
    prop_oneof![
        number(),
        text(),
        condition(),
        (number(), condition(), number()).prop_map(|(a, c, b)| format!("{a} if {c} else {b}")),
        (text(), condition(), text(), condition(), text())
            .prop_map(|(a, c, b, d, e)| format!("{a} if {c} else {b} if {d} else {e}")),
        text().prop_map(|a| format!("missing | default({a}, true)")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn jinja_agrees(text in any()) {
        prop_assume!(text.len() <= crate::expr::MAX_BYTES);
        let variables = variables();
        let locale = Locale { language: "en".to_owned(), spoken: false };
        // Jinja's `default` asks for undefined variables; its second argument makes it ask for none.
        let ours_text = text.replace(", true)", ")");
        let ours = eval(&parsed(&ours_text), &variables, &locale, &mut Budget::default());
        let environment = Environment::new();
        let theirs = environment.compile_expression(&text).expect("common grammar").eval(context(&variables));
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => {
                prop_assert_eq!(ours, from_jinja(&theirs), "{}", text);
            }
            (Err(ours), Err(_)) => prop_assert!(ours.message.contains("zero"), "{}: {}", text, ours),
            (ours, theirs) => prop_assert!(false, "{}: {:?} here, {:?} there", text, ours, theirs),
        }
    }
}
