//! Tree to value.

use std::cell::Cell;

use proptest::prelude::*;

use super::{World, parsed, value_in, world};
use crate::expr::{Budget, Scope, eval, infer, parse};
use crate::value::{Locale, Value};

/// The value as JSON, in English.
#[track_caller]
fn gives(text: &str, expected: &str) {
    let value = value_in(text, "en", true).unwrap_or_else(|why| panic!("{text}: {why}"));
    assert_eq!(value.to_json().to_string(), expected, "{text}");
}

#[track_caller]
fn fails(text: &str, expected: &str) {
    assert_eq!(
        value_in(text, "en", true).expect_err(text).message,
        expected,
        "{text}"
    );
}

#[test]
fn values() {
    gives("tries + 1", "3");
    gives("7 / 2", "3.5");
    gives("-7 % 3", "2");
    gives("2 + 3 * 4 - -1", "15");
    gives("0.1 + 0.2 == 0.3", "false");
    gives("\"a\" ~ 1 ~ true", "\"a1true\"");
    gives(
        "order.eta ~ \" \" ~ order.total ~ \" \" ~ wait",
        "\"2026-03-05 199.00 CNY 1m30s\"",
    );
    gives("\"x\" if tries > 1 else \"y\"", "\"x\"");
    gives("vip and not (tries == 3)", "true");
    // The right side is not looked at when the left one decides.
    gives("false and 1 / 0 > 1", "false");
    gives("true or 1 / 0 > 1", "true");
    gives("1 if true else 1 / 0", "1");
    gives("order.status in [\"shipped\"]", "true");
    gives("3 not in [1, 2]", "true");
    gives("\"60\" in order_no", "true");
    gives("order.note is none", "true");
    gives("order.note | default(\"-\")", "\"-\"");
    gives("order.note == \"x\"", "false");
    gives("tags[1]", "\"b\"");
    gives("tags[7]", "null");
    gives("tags[-1]", "null");
    gives("tags[tries / 4]", "null");
    gives("order[\"status\"]", "\"shipped\"");
    // A phone number is one of the values of `text`, and is taken where a text is.
    gives("call.from | default(\"x\") | upper", "\"+8613800138000\"");
    gives("call.from | default(\"x\") | lower | length", "14");
    gives(
        "tags | join(call.from | default(\"x\"))",
        "\"a+8613800138000b\"",
    );
    gives("tags | join", "\"a, b\"");
    gives("tags | join(\"+\") | upper", "\"A+B\"");
    gives("(tags | length) + (order_no | length)", "10");
    gives("order.total * 1.5", r#"{"amount":29850,"currency":"CNY"}"#);
    gives(
        "order.total + order.total",
        r#"{"amount":39800,"currency":"CNY"}"#,
    );
    gives("-order.total / 3", r#"{"amount":-6633,"currency":"CNY"}"#);
    gives("order.total > \"100.00 CNY\"", "true");
    gives("order.eta == \"2026-03-05\"", "true");
    gives("\"2026-03-04\" < order.eta", "true");
    gives("order.eta in [\"2026-03-05\"]", "true");
    gives("order.eta - now.date", "259200000");
    gives("now + wait", "\"2026-03-02T10:31:30+08:00\"");
    gives("(now + wait) - now == wait", "true");
    gives("wait * 2 > \"2m\"", "true");
    gives("now.weekday ~ \" \" ~ now.hour", "\"monday 10\"");
    gives("raw.n + 1", "2");
    gives("raw.eta | date", "\"March 5, 2026\"");
    gives("raw.nothing is none", "true");
    gives("order.eta | date", "\"March 5, 2026\"");
    gives("order.total | money", "\"one hundred ninety-nine yuan\"");
    gives("call.from | phone", "\"plus 8 6, 1 3 8, 0 0 1 3, 8 0 0 0\"");
    gives("order.card | last4", "\"1, 1, 1, 1\"");
    gives("\"\" | last4", "\"\"");
    let chinese = value_in("order.total | money", "zh", true);
    assert_eq!(chinese, Ok(Value::Text("一百九十九元".to_owned())));
    let written = value_in("order.total | money", "zh", false);
    assert_eq!(written, Ok(Value::Text("¥199.00".to_owned())));
}

#[test]
fn failures() {
    fails("1 / 0", "nothing can be divided by zero");
    fails("1 % 0", "nothing can be divided by zero");
    fails("raw.nothing.more", "none has no field `more`");
    fails(
        "raw.n and true",
        "a condition is true or false; this is a number",
    );
    fails("raw.n == \"1\"", "a number is not comparable with text");
    fails("raw.eta > 1", "`>` cannot compare text with a number");
    fails("raw.n + \"1\"", "`+` does not work on a number and text");
    gives("raw.list ~ \"\"", "\"1, 2\"");
    fails("[raw.list] ~ \"\"", "a list cannot stand in a text");
    fails("raw.nothing ~ \"\"", "none cannot stand in a text");
    fails(
        "raw.nothing | date",
        "`| date` takes date or datetime; this is none",
    );
    fails(
        "raw.n | date",
        "a value of the type number cannot be said as `date`",
    );
    fails("raw.n | upper", "`| upper` takes text; this is a number");
}

#[test]
fn secrets_do_not_leak() {
    for text in [
        "order.card == order.card",
        "order.card ~ \"\"",
        "order.card | digits",
        "order.card | upper",
        "order.card | default(\"\")",
        "order.card | length",
        "order.card | join",
        "order.card[0]",
        "order.card[\"handle\"]",
        "order.card.handle",
        "order.card is none",
        "order.card in [\"1\"]",
        "[order.card]",
        "[order]",
        "order == order",
        "order.card if vip else \"\"",
        "not order.card",
        "-order.card",
    ] {
        let error = value_in(text, "en", true).expect_err(text);
        assert!(error.message.contains("secret"), "{text}: {error}");
        assert!(
            !error.message.contains("s-7") && !error.message.contains("1111"),
            "{text}: {error}"
        );
    }
    let whole = value_in("order.card", "en", true);
    assert!(matches!(whole, Ok(Value::Secret(_))));
    assert_eq!(format!("{whole:?}"), "Ok(Secret(Secret(16 characters)))");
}

#[test]
fn the_budget_ends_what_costs_too_much() {
    struct Long(Cell<u32>);
    impl Scope for Long {
        fn variable(&self, name: &str) -> Option<Value> {
            self.0.set(self.0.get() + 1);
            let text = || Value::Text("x".repeat(160));
            match name {
                "text" => Some(text()),
                "list" => Some(Value::List((0..600).map(|_| text()).collect())),
                _ => None,
            }
        }
    }
    let locale = Locale {
        language: "en".to_owned(),
        spoken: false,
    };
    let run = |text: &str| {
        let mut budget = Budget::default();
        (
            eval(&parsed(text), &Long(Cell::new(0)), &locale, &mut budget).map(|_| ()),
            budget.left(),
        )
    };
    let (result, left) = run("text ~ text");
    assert_eq!(result, Ok(()));
    assert!((9_900..10_000).contains(&left), "{left}");
    let (result, left) = run("list | join | upper | lower");
    assert_eq!(left, 0);
    assert_eq!(
        result.map_err(|error| error.message),
        Err(
            "this expression costs too much to evaluate: its texts or lists are too long"
                .to_owned()
        )
    );
}

/// Random expressions over the world's variables, most of them ill-typed.
fn expression() -> impl Strategy<Value = String> {
    let atoms = prop::sample::select(vec![
        "tries",
        "vip",
        "order_no",
        "now",
        "wait",
        "tags",
        "order",
        "order.status",
        "order.eta",
        "order.total",
        "order.note",
        "order.card",
        "raw",
        "raw.n",
        "raw.list",
        "call.from",
        "1",
        "0",
        "2.5",
        "\"x\"",
        "\"3m\"",
        "\"2026-03-05\"",
        "true",
        "none",
        "[1, 2]",
        "[\"a\"]",
        "[]",
        "late",
    ]);
    atoms
        .prop_map(str::to_owned)
        .prop_recursive(4, 24, 3, |inner| {
            let operators = prop::sample::select(vec![
                "+", "-", "*", "/", "%", "~", "==", "!=", "<", "<=", ">", ">=", "and", "or", "in",
                "not in",
            ]);
            let filters = prop::sample::select(vec![
                "digits",
                "spell",
                "number",
                "ordinal",
                "money",
                "date",
                "time",
                "datetime",
                "phone",
                "duration",
                "percent",
                "default(1)",
                "default(\"x\")",
                "upper",
                "lower",
                "length",
                "join",
                "last4",
            ]);
            prop_oneof![
                (inner.clone(), operators, inner.clone())
                    .prop_map(|(a, op, b)| format!("({a} {op} {b})")),
                (inner.clone(), filters).prop_map(|(a, filter)| format!("({a} | {filter})")),
                (inner.clone(), inner.clone(), inner.clone())
                    .prop_map(|(a, c, b)| format!("({a} if {c} else {b})")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})[{b}]")),
                inner.clone().prop_map(|a| format!("(not {a})")),
                inner.clone().prop_map(|a| format!("(-{a})")),
                inner.clone().prop_map(|a| format!("({a} is not none)")),
                inner.prop_map(|a| format!("({a}).hour")),
            ]
        })
}

/// What the checker cannot know: numbers, amounts and dates out of range, and all that `raw` may hold.
fn is_arithmetic(message: &str) -> bool {
    [
        "divided by zero",
        "too large",
        "whole number",
        "place in a row",
        "costs too much",
    ]
    .iter()
    .any(|part| message.contains(part))
        || message.contains("cannot be said as `digits`")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// What the checker accepts has a value of the type it said; nothing panics.
    #[test]
    fn accepted_expressions_have_values_of_their_types(text in expression()) {
        let Ok(expr) = parse(&text, 0) else { return Ok(()) };
        let world: World = world();
        let (ty, findings) = infer(&expr, &world);
        let locale = Locale { language: "en".to_owned(), spoken: true };
        let result = eval(&expr, &world, &locale, &mut Budget::default());
        if findings.is_empty() && !text.contains("raw") && !text.contains("[]") {
            match result {
                Ok(value) => prop_assert!(
                    crate::value::from_json(&value.to_json(), &ty).is_ok() || value.holds_secret(),
                    "{} is {:?}, not {}", text, value, ty
                ),
                Err(error) => prop_assert!(is_arithmetic(&error.message), "{}: {}", text, error),
            }
        }
    }
}
