//! Literals, JSON and types at their boundary.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{Secret, Type, Value, from_json, parse_literal, type_of_schema};

fn one_of(texts: &[&str]) -> Type {
    Type::OneOf(texts.iter().map(|text| (*text).to_owned()).collect())
}

fn object(fields: &[(&str, Type)], open: bool) -> Type {
    Type::Object {
        fields: fields
            .iter()
            .map(|(name, ty)| ((*name).to_owned(), ty.clone()))
            .collect(),
        open,
    }
}

#[test]
fn literals() {
    let reads = |text: &str, ty: Type, json: Json| {
        let value = parse_literal(text, &ty).unwrap_or_else(|why| panic!("{text}: {why:?}"));
        assert_eq!(value.to_json(), json, "{text}");
        assert!(
            ty.accepts(&Type::of(&value)) || matches!(ty, Type::OneOf(_)),
            "{text}"
        );
    };
    reads("no", Type::Text, json!("no"));
    reads("0012345", Type::Text, json!("0012345"));
    reads("42", Type::Number, json!(42));
    reads("-2.5", Type::Number, json!(-2.5));
    reads("true", Type::Bool, json!(true));
    reads("2026-03-05", Type::Date, json!("2026-03-05"));
    reads("09:30", Type::Time, json!("09:30:00"));
    reads("23:59:59", Type::Time, json!("23:59:59"));
    reads(
        "2026-03-02T10:00+08:00",
        Type::DateTime,
        json!("2026-03-02T10:00:00+08:00"),
    );
    reads(
        "2026-03-02T10:00:00Z",
        Type::DateTime,
        json!("2026-03-02T10:00:00+00:00"),
    );
    reads(
        "2026-03-02T10:00+08:00[Asia/Shanghai]",
        Type::DateTime,
        json!("2026-03-02T10:00:00+08:00"),
    );
    reads("250ms", Type::Duration, json!(250));
    reads("5s", Type::Duration, json!(5000));
    reads("3m", Type::Duration, json!(180_000));
    reads("1h30m", Type::Duration, json!(5_400_000));
    reads("0s", Type::Duration, json!(0));
    reads(
        "199.00 CNY",
        Type::Money,
        json!({"amount": 19900, "currency": "CNY"}),
    );
    reads(
        "199 CNY",
        Type::Money,
        json!({"amount": 19900, "currency": "CNY"}),
    );
    reads(
        "-0.5 USD",
        Type::Money,
        json!({"amount": -50, "currency": "USD"}),
    );
    reads(
        "500 JPY",
        Type::Money,
        json!({"amount": 500, "currency": "JPY"}),
    );
    reads(
        "1.234 KWD",
        Type::Money,
        json!({"amount": 1234, "currency": "KWD"}),
    );
    reads("+86 138-0013-8000", Type::Phone, json!("+8613800138000"));
    reads("gold", one_of(&["gold", "silver"]), json!("gold"));
    reads("none", Type::Optional(Box::new(Type::Number)), json!(null));
    reads("3", Type::Optional(Box::new(Type::Number)), json!(3));
}

#[test]
fn literals_that_are_refused() {
    let refuses = |text: &str, ty: Type, why: &str| {
        let refused = parse_literal(text, &ty).map_err(|refused| refused.english().to_owned());
        assert_eq!(refused, Err(why.to_owned()), "{text}")
    };
    refuses(
        "no",
        Type::Bool,
        "`no` is not a bool: write `true` or `false`",
    );
    refuses(
        "1e3",
        Type::Number,
        "`1e3` is not a number: write `42` or `2.5`",
    );
    refuses(
        "inf",
        Type::Number,
        "`inf` is not a number: write `42` or `2.5`",
    );
    refuses(
        "1.",
        Type::Number,
        "`1.` is not a number: write `42` or `2.5`",
    );
    refuses(
        "5/3/2026",
        Type::Date,
        "`5/3/2026` is not a date: write year-month-day, as in `2026-03-05`",
    );
    refuses(
        "2026-02-30",
        Type::Date,
        "there is no day `2026-02-30` in the calendar",
    );
    refuses(
        "9:30",
        Type::Time,
        "`9:30` is not a time: write hours and minutes, as in `09:30`",
    );
    refuses(
        "24:00",
        Type::Time,
        "there is no time `24:00`: hours go to 23, minutes and seconds to 59",
    );
    refuses(
        "23:59:60",
        Type::Time,
        "there is no time `23:59:60`: hours go to 23, minutes and seconds to 59",
    );
    let moment = "`2026-03-02T10:00` is not a moment: write `2026-03-05T09:30+08:00`, with the zone's offset";
    refuses("2026-03-02T10:00", Type::DateTime, moment);
    refuses(
        "3",
        Type::Duration,
        "`3` has no unit: write `3s` for seconds or `3ms` for milliseconds",
    );
    refuses(
        "",
        Type::Duration,
        "a duration is missing: write `250ms`, `5s`, `3m` or `1h30m`",
    );
    refuses(
        "30m1h",
        Type::Duration,
        "`30m1h` is not a duration: write `250ms`, `5s`, `3m` or `1h30m`",
    );
    refuses(
        "5 s",
        Type::Duration,
        "`5 s` is not a duration: write `250ms`, `5s`, `3m` or `1h30m`",
    );
    refuses(
        "-5s",
        Type::Duration,
        "`-5s` is not a duration: write `250ms`, `5s`, `3m` or `1h30m`",
    );
    refuses("999999h", Type::Duration, "`999999h` is longer than a year");
    refuses(
        "99999999999999999999s",
        Type::Duration,
        "`99999999999999999999s` is not a duration: write `250ms`, `5s`, `3m` or `1h30m`",
    );
    refuses(
        "199",
        Type::Money,
        "`199` is not an amount of money: write `199.00 CNY`",
    );
    refuses(
        "1.5 JPY",
        Type::Money,
        "`1.5 JPY` has more decimals than JPY, which has 0",
    );
    refuses(
        "1 yuan",
        Type::Money,
        "`1 yuan` is not an amount of money: write `199.00 CNY`",
    );
    refuses(
        "call me",
        Type::Phone,
        "`call me` is not a telephone number: write it as in `+8613800138000`",
    );
    refuses(
        "bronze",
        one_of(&["gold", "silver"]),
        "`bronze` is not one of `gold`, `silver`",
    );
    refuses(
        "1234",
        Type::Secret,
        "a secret is never written in a flow; it comes from the caller",
    );
}

#[test]
fn what_fits_where() {
    let optional = |ty: Type| Type::Optional(Box::new(ty));
    let list = |ty: Type| Type::List(Box::new(ty));
    for (expected, given, fits) in [
        (Type::Text, one_of(&["a"]), true),
        (Type::Text, Type::Phone, true),
        (Type::Phone, Type::Text, false),
        (Type::Text, Type::Number, false),
        (one_of(&["a", "b"]), one_of(&["b"]), true),
        (one_of(&["a"]), one_of(&["a", "b"]), false),
        (one_of(&["a"]), Type::Text, false),
        (Type::Number, optional(Type::Number), false),
        (optional(Type::Number), Type::Number, true),
        (optional(Type::Number), Type::None, true),
        (Type::Number, Type::None, false),
        (list(Type::Text), list(one_of(&["a"])), true),
        (list(Type::Number), list(Type::Any), true),
        (Type::Any, Type::Number, true),
        (Type::Number, Type::Any, true),
        (Type::Any, Type::Secret, false),
        (Type::Text, Type::Secret, false),
        (Type::Secret, Type::Secret, true),
        (Type::Secret, Type::Text, false),
        (Type::Any, list(Type::Secret), false),
        (
            object(&[], true),
            object(&[("card", Type::Secret)], false),
            false,
        ),
        (
            object(&[("card", Type::Secret)], false),
            object(&[("card", Type::Secret)], false),
            true,
        ),
        (
            object(&[("a", Type::Text)], false),
            object(&[], false),
            false,
        ),
        (
            object(&[("a", optional(Type::Text))], false),
            object(&[], false),
            true,
        ),
        (
            object(&[], false),
            object(&[("a", Type::Text)], false),
            false,
        ),
        (object(&[], true), object(&[("a", Type::Text)], false), true),
        (Type::DateTime, Type::Date, false),
    ] {
        assert_eq!(expected.accepts(&given), fits, "{expected} <- {given}");
    }
    let profile = object(&[("surname", optional(Type::Text))], false);
    assert_eq!(
        optional(profile).assuming_present(&["surname"]),
        object(&[("surname", Type::Text)], false)
    );
}

#[test]
fn schemas() {
    let is = |schema: Json, ty: Type| assert_eq!(type_of_schema(&schema), ty, "{schema}");
    let optional = |ty: Type| Type::Optional(Box::new(ty));
    is(json!({}), Type::Any);
    is(json!(true), Type::Any);
    is(json!({"type": "string"}), Type::Text);
    is(json!({"type": "string", "format": "prompt"}), Type::Text);
    is(json!({"type": "integer"}), Type::Number);
    is(json!({"type": ["string", "null"]}), optional(Type::Text));
    is(json!({"type": ["string", "number"]}), Type::Any);
    is(
        json!({"type": "string", "format": "date", "nullable": true}),
        optional(Type::Date),
    );
    is(
        json!({"anyOf": [{"type": "number"}, {"type": "null"}]}),
        optional(Type::Number),
    );
    is(
        json!({"enum": ["a", "b", null]}),
        optional(one_of(&["a", "b"])),
    );
    is(json!({"const": "a"}), one_of(&["a"]));
    is(json!({"enum": [1, 2]}), Type::Number);
    is(json!({"type": "string", "x-secret": true}), Type::Secret);
    is(
        json!({"type": "array", "items": {"format": "phone"}}),
        Type::List(Box::new(Type::Phone)),
    );
    is(json!({"type": "object"}), object(&[], true));
    is(
        json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "boolean"}}}),
        object(
            &[("a", optional(Type::Text)), ("b", optional(Type::Bool))],
            false,
        ),
    );
    is(
        json!({"type": "object", "required": ["a", "b"], "properties": {"a": {"type": "string"}, "b": {"type": "boolean"}}}),
        object(&[("a", Type::Text), ("b", Type::Bool)], false),
    );
    is(
        json!({"required": ["a"], "properties": {"a": {"type": "string"}, "b": {"type": "boolean"}}, "additionalProperties": true}),
        object(&[("a", Type::Text), ("b", optional(Type::Bool))], true),
    );
}

#[test]
fn json_that_does_not_fit_is_told_with_its_path() {
    let order = type_of_schema(
        &json!({"required": ["status", "eta", "lines", "card"], "properties": {
            "status": {"enum": ["shipped"]}, "eta": {"format": "date"}, "lines": {"items": {"type": "number"}}, "card": {"x-secret": true}
        }}),
    );
    let why = |json: Json| from_json(&json, &order).expect_err("a misfit");
    assert_eq!(
        why(json!({"status": "lost"})),
        "`status` is a text that does not fit; expected: the text \"shipped\""
    );
    assert_eq!(
        why(json!({"eta": null})),
        "`eta` is missing; expected: date"
    );
    assert_eq!(
        why(json!({"lines": [1, "x"]})),
        "`lines.1` is a text that does not fit; expected: number"
    );
    assert_eq!(
        why(json!({"card": "4111111111111111"})),
        "`card` is a text that does not fit; expected: secret"
    );
    assert_eq!(why(json!([])), "the value is a list; expected: object");
    // A field that is not there reads as none.
    assert!(from_json(&json!({}), &order).is_ok());
}

#[test]
fn secrets_keep_their_mouths_shut() {
    let secret = Secret {
        handle: "s-7".to_owned(),
        length: 16,
        last_four: "1111".to_owned(),
    };
    let value = Value::Secret(secret);
    assert_eq!(format!("{value:?}"), "Secret(Secret(16 characters))");
    let json = value.to_json();
    assert_eq!(
        json,
        json!({"secret": "s-7", "length": 16, "lastFour": "1111"})
    );
    // The handle is known again wherever it turns up.
    assert_eq!(from_json(&json, &Type::Secret), Ok(value.clone()));
    assert_eq!(from_json(&json, &Type::Any), Ok(value));
    assert_eq!(
        from_json(&json, &Type::Text),
        Err("the value is a secret where a text is expected".to_owned())
    );
}

#[test]
fn durations_in_json() {
    for json in [json!(5_400_000), json!("PT1H30M"), json!("1h30m")] {
        assert_eq!(
            from_json(&json, &Type::Duration),
            Ok(Value::Duration(5_400_000)),
            "{json}"
        );
    }
    let value = Value::Duration(1_800_000);
    assert_eq!(
        value.to_json_for(&json!({"type": "integer", "format": "duration"})),
        json!(1_800_000)
    );
    assert_eq!(
        value.to_json_for(&json!({"type": "string", "format": "duration"})),
        json!("PT30M")
    );
    let input = Value::Object(
        [
            ("within".to_owned(), value),
            ("note".to_owned(), Value::None),
        ]
        .into(),
    );
    let schema = json!({"properties": {"within": {"type": "string"}, "note": {"type": "string"}}});
    assert_eq!(input.to_json_for(&schema), json!({"within": "PT30M"}));
}

fn typed_literal() -> impl Strategy<Value = (String, Type)> {
    prop_oneof![
        any::<f32>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(|number| (format!("{number}"), Type::Number)),
        (1i16..=9999, 1i8..=12, 1i8..=28)
            .prop_map(|(y, m, d)| (format!("{y:04}-{m:02}-{d:02}"), Type::Date)),
        (0i8..24, 0i8..60).prop_map(|(h, m)| (format!("{h:02}:{m:02}"), Type::Time)),
        (0i8..24, -12i8..=12).prop_map(|(h, z)| (
            format!(
                "2026-03-05T{h:02}:00{}{:02}:00",
                if z < 0 { '-' } else { '+' },
                z.abs()
            ),
            Type::DateTime
        )),
        (0u32..9, 0u32..60, 0u32..60)
            .prop_map(|(h, m, s)| (format!("{h}h{m}m{s}s"), Type::Duration)),
        (any::<i32>(), 0u32..100)
            .prop_map(|(whole, part)| (format!("{whole}.{part:02} CNY"), Type::Money)),
        "\\+?[0-9]{1,15}".prop_map(|number| (number, Type::Phone)),
        any::<String>().prop_map(|text| (text, Type::Text)),
    ]
}

proptest! {
    #[test]
    fn values_survive_json((text, ty) in typed_literal()) {
        let value = parse_literal(&text, &ty).expect("made well");
        let json = value.to_json();
        prop_assert_eq!(from_json(&json, &ty).map(|value| value.to_json()), Ok(json.clone()));
        // … and their own way of being written.
        let written = value.to_literal().expect("a scalar");
        prop_assert_eq!(parse_literal(&written, &ty).map(|value| value.to_json()), Ok(json));
    }

    #[test]
    fn any_text_is_a_literal_or_refused(text: String, shape in "[0-9hms:.TZ+\\- \\[\\]a-zCNY]{0,24}") {
        for text in [text, shape] {
            for ty in [Type::Bool, Type::Number, Type::Date, Type::Time, Type::DateTime, Type::Duration, Type::Money, Type::Phone] {
                if let Ok(value) = parse_literal(&text, &ty) {
                    prop_assert_eq!(Type::of(&value), ty);
                }
            }
        }
    }
}

#[test]
fn what_a_value_takes_of_memory_counts_the_room_that_it_has_left() {
    let mut text = String::with_capacity(1_000);
    text.push('x');
    let roomy = Value::Text(text);
    assert!(roomy.memory_bytes() >= 1_000);
    assert!(roomy.shrunk().memory_bytes() < 100);
    let mut items = Vec::with_capacity(100);
    items.push(Value::None);
    assert_eq!(Value::List(items).memory_bytes(), 101 * size_of::<Value>());
    // A map of one entry has a node for eleven.
    let one = Value::Object([("a".to_owned(), Value::None)].into());
    assert!(one.memory_bytes() > 11 * (size_of::<String>() + size_of::<Value>()));
    assert_eq!(Value::Object([].into()).memory_bytes(), size_of::<Value>());
}
