use proptest::prelude::*;
use serde_json::json;
use wasmtime::component::{Component, types::ComponentItem};
use wasmtime::{Config, Engine};

use super::*;

/// A function whose parameters have every kind of type that has a form in JSON.
const EVERY_TYPE: &str = r#"(component
  (type $e0 (enum "no-answer" "busy")) (import "e" (type $e (eq $e0)))
  (type $g0 (flags "read" "write")) (import "g" (type $g (eq $g0)))
  (type $v0 (variant (case "hangup") (case "limit" string) (case "age" u8))) (import "v" (type $v (eq $v0)))
  (type $r0 (record
    (field "from" string) (field "ring-ms" u32) (field "maybe" (option s64)) (field "error" $v)))
  (import "r" (type $r (eq $r0)))
  (import "f" (func
    (param "a" bool) (param "b" u64) (param "c" s64) (param "d" f64) (param "e" char) (param "f" string)
    (param "g" (list u8)) (param "h" (list (tuple u8 string))) (param "i" $r) (param "j" $v) (param "k" $e)
    (param "l" $g) (param "m" (option string)) (param "n" (result string (error $v))) (param "o" (result))
    (param "p" s8) (param "q" f32))))"#;

/// The types of the function's parameters, in order.
fn types() -> Vec<Type> {
    let engine = Engine::new(Config::new().concurrency_support(false)).expect("an engine");
    let bytes = wat::parse_str(EVERY_TYPE).expect("well-formed text");
    let component = Component::new(&engine, bytes).expect("a component");
    let import = component
        .component_type()
        .get_import(&engine, "f")
        .expect("f")
        .ty;
    let ComponentItem::ComponentFunc(function) = import else {
        panic!("f is a function");
    };
    function.params().map(|(_, ty)| ty).collect()
}

fn measure() -> Measure {
    Measure {
        string_bytes: 1 << 20,
        list_bytes: 1 << 20,
        seen: 0,
    }
}

fn variant() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!("hangup")),
        any::<String>().prop_map(|text| json!({"limit": text})),
        any::<u8>().prop_map(|age| json!({"age": age})),
    ]
}

/// A fitting value for each parameter.
fn fitting() -> impl Strategy<Value = Vec<Value>> {
    let numbers = (
        any::<bool>(),
        any::<u64>(),
        any::<i64>(),
        -1e300..1e300,
        any::<char>(),
        any::<i8>(),
    );
    let texts = (
        any::<String>(),
        any::<Vec<u8>>(),
        any::<Vec<(u8, String)>>(),
        any::<Option<String>>(),
    );
    let record = (
        any::<String>(),
        any::<u32>(),
        any::<Option<i64>>(),
        variant(),
    );
    let rest = (variant(), any::<bool>(), any::<bool>(), any::<bool>());
    (numbers, texts, record, rest).prop_map(|(n, t, r, (variant, busy, write, fails))| {
        vec![
            json!(n.0),
            json!(n.1),
            json!(n.2),
            json!(n.3),
            json!(n.4.to_string()),
            json!(t.0),
            json!(BASE64.encode(t.1)),
            json!(t.2),
            json!({"from": r.0, "ring-ms": r.1, "maybe": r.2, "error": r.3}),
            variant.clone(),
            json!(if busy { "busy" } else { "no-answer" }),
            json!(if write { vec!["read", "write"] } else { vec![] }),
            json!(t.3),
            if fails {
                json!({"err": variant})
            } else {
                json!({"ok": "done"})
            },
            if fails {
                json!({"err": null})
            } else {
                json!({"ok": null})
            },
            json!(n.5),
            json!(0.5),
        ]
    })
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z-]{0,10}|ok|err|hangup|limit|from".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map("ok|err|limit|age|from|ring-ms|error|x", inner, 0..5)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

#[test]
fn fitting_values_come_back_as_they_went() {
    let types = types();
    proptest!(|(values in fitting())| {
        for (value, ty) in values.into_iter().zip(&types) {
            let passed = from_json(value.clone(), ty).map_err(|error| TestCaseError::fail(error.to_string()))?;
            let back = to_json(&passed, ty, &mut measure());
            prop_assert_eq!(back, Ok(value));
        }
    });
}

#[test]
fn any_value_is_taken_or_refused() {
    let types = types();
    proptest!(|(value in any_json())| {
        for ty in &types {
            if let Ok(passed) = from_json(value.clone(), ty) {
                prop_assert!(to_json(&passed, ty, &mut measure()).is_ok());
            }
        }
    });
}

#[test]
fn a_mismatch_says_where_and_shows_no_value() {
    let types = types();
    let told = |index: usize, value: Value| {
        from_json(value, &types[index])
            .expect_err("does not fit")
            .to_string()
    };
    assert_eq!(
        told(7, json!([[1, "a"], [256, "4111111111111111"]])),
        "`[1][0]`: expected an integer (u8), found an integer"
    );
    assert_eq!(
        told(
            8,
            json!({"from": "x", "ring-ms": "4111", "error": "hangup"})
        ),
        "`ring-ms`: expected an integer (u32), found a text"
    );
    assert_eq!(told(8, json!({"from": "x"})), "`ring-ms`: is missing");
    assert_eq!(
        told(13, json!({"err": {"limit": 1}})),
        "`err.limit`: expected a text, found an integer"
    );
    assert_eq!(
        told(10, json!("away")),
        "unknown name `away`; known are no-answer, busy"
    );
}

#[test]
fn fields_may_be_left_out_or_be_unknown() {
    let types = types();
    let value = json!({"from": "x", "ring-ms": 1, "error": {"hangup": null}, "added-later": 1});
    let passed = from_json(value, &types[8]).expect("fits");
    assert_eq!(
        to_json(&passed, &types[8], &mut measure()),
        Ok(json!({"from": "x", "ring-ms": 1, "maybe": null, "error": "hangup"}))
    );
}

#[test]
fn numbers_that_json_lacks_are_words() {
    for (number, word) in [
        (f64::INFINITY, "Infinity"),
        (f64::NEG_INFINITY, "-Infinity"),
        (f64::NAN, "NaN"),
    ] {
        assert_eq!(float_to_json(number), json!(word));
        let back = float_from_json(&json!(word)).expect("a number");
        assert!(back == number || back.is_nan() && number.is_nan());
    }
}
