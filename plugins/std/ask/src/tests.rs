use serde_json::{Value, json};
use strowger_sdk::harness::{Ran, Script, check_description, described_default};

fn run(script: Script, expect: Value, more: Value) -> Ran {
    let mut input = json!({
        "prompt": "p:1",
        "expect": expect,
        "reprompt": { "no_input": ["p:7"], "no_match": ["p:8", "p:9"] },
        "$into": "order_no",
    });
    for (name, value) in more.as_object().expect("further inputs are an object") {
        input[name] = value.clone();
    }
    script.run(|| super::run("ask", &input.to_string()))
}

/// The value when it fits, null when it does not.
fn typed(expect: Value, keys: &str) -> Value {
    value(run(
        Script::new().press(keys),
        expect,
        json!({ "attempts": 1 }),
    ))
}

fn written(expect: Value, text: &str) -> Value {
    value(run(
        Script::new().chat().send(text),
        expect,
        json!({ "attempts": 1 }),
    ))
}

fn value(ran: Ran) -> Value {
    match ran.outcome() {
        ("ok", data) => data["value"].clone(),
        ("no_match", _) => Value::Null,
        other => panic!("unexpected {other:?}"),
    }
}

fn order() -> Value {
    json!({ "kind": "digits", "min": 8, "max": 12 })
}

#[test]
fn the_description_is_sound() {
    check_description(super::DESCRIPTION, super::STEPS);
}

#[test]
fn digits_stay_text() {
    assert_eq!(typed(order(), "00260302#"), json!("00260302"));
    assert_eq!(typed(order(), "2026#"), Value::Null);
    assert_eq!(written(order(), "20260302"), json!("20260302"));
}

#[test]
fn yes_and_no() {
    let yes_no = || json!({ "kind": "yes_no" });
    assert_eq!(typed(yes_no(), "1"), json!(true));
    assert_eq!(typed(yes_no(), "2"), json!(false));
    assert_eq!(typed(yes_no(), "3"), Value::Null);
    assert_eq!(written(yes_no(), "Yes"), json!(true));
    assert_eq!(written(yes_no(), "不是"), json!(false));
}

#[test]
fn numbers_obey_their_range() {
    let number = || json!({ "kind": "number", "min": 1, "max": 10 });
    assert_eq!(typed(number(), "7"), json!(7));
    assert_eq!(typed(number(), "0"), Value::Null);
    assert_eq!(typed(number(), "11"), Value::Null);
    assert_eq!(typed(json!({ "kind": "number" }), "007"), json!(7));
    let any = || json!({ "kind": "number" });
    assert_eq!(written(any(), "１,234.5"), json!(1234.5));
    assert_eq!(written(any(), "-3"), json!(-3));
    for (text, number) in [
        ("十二", json!(12)),
        ("负三", json!(-3)),
        ("两百零五", json!(205)),
        ("一万二", json!(12_000)),
        ("1.5万", json!(15_000)),
        ("三点五", json!(3.5)),
    ] {
        assert_eq!(written(any(), text), number, "{text}");
    }
    assert_eq!(written(number(), "十"), json!(10));
    assert_eq!(written(number(), "十一"), Value::Null);
    for wrong in [
        "1e5",
        "NaN",
        ".",
        "1.2.3",
        "--1",
        // Commas that group nothing: one point five, and who knows what.
        "1,5",
        "1,00",
        "12,34",
        "1,5万",
        "1234,567",
        "1,234,5",
        "1.234,5",
        "",
        "十十",
        "百",
        "十二个半",
    ] {
        assert_eq!(written(any(), wrong), Value::Null, "{wrong}");
    }
}

#[test]
fn days_are_of_the_calendar() {
    let date = || json!({ "kind": "date" });
    assert_eq!(typed(date(), "20260302"), json!("2026-03-02"));
    assert_eq!(typed(date(), "20260230"), Value::Null);
    assert_eq!(typed(date(), "20280229"), json!("2028-02-29"));
    for text in [
        "2026-3-2",
        "2026/03/02",
        "2026年3月2日",
        "二〇二六年三月二日",
    ] {
        assert_eq!(written(date(), text), json!("2026-03-02"), "{text}");
    }
    for wrong in ["tomorrow", "2026-13-01", "2026-00-10", "2026-3", "26-3-2-1"] {
        assert_eq!(written(date(), wrong), Value::Null, "{wrong}");
    }
}

#[test]
fn times_of_day() {
    let time = || json!({ "kind": "time" });
    assert_eq!(typed(time(), "930#"), json!("09:30:00"));
    assert_eq!(typed(time(), "2159"), json!("21:59:00"));
    assert_eq!(typed(time(), "2400"), Value::Null);
    assert_eq!(typed(time(), "1260"), Value::Null);
    assert_eq!(written(time(), "9：30"), json!("09:30:00"));
    assert_eq!(written(time(), "9点"), json!("09:00:00"));
    for (text, of_day) in [
        ("下午3点", "15:00:00"),
        ("3 pm", "15:00:00"),
        ("3:05PM", "15:05:00"),
        ("12 a.m.", "00:00:00"),
        ("12pm", "12:00:00"),
        ("930 am", "09:30:00"),
        ("下午三点半", "15:30:00"),
        ("晚上8点一刻", "20:15:00"),
        ("早上九点零五分", "09:05:00"),
        ("中午12点", "12:00:00"),
        ("中午一点", "13:00:00"),
        ("晚上12点", "00:00:00"),
        ("晚上零点", "00:00:00"),
        ("晚上1点", "01:00:00"),
        ("晚上两点", "02:00:00"),
        ("晚上3点半", "03:30:00"),
        ("夜里1点", "01:00:00"),
        ("晚上4点59分", "04:59:00"),
        ("晚上5点", "17:00:00"),
        ("晚上19点", "19:00:00"),
        ("凌晨十二点半", "00:30:00"),
        ("下午15:20", "15:20:00"),
        ("三点整", "03:00:00"),
        ("十五点三十分", "15:30:00"),
        ("21时", "21:00:00"),
    ] {
        assert_eq!(written(time(), text), json!(of_day), "{text}");
    }
    for wrong in [
        "9:",
        "3",
        "下午",
        "pm",
        "13 am",
        "0 pm",
        "上午12点",
        "上午15点",
        "中午五点",
        "晚上3点60分",
        "三",
        "25点",
        "3pm pm",
    ] {
        assert_eq!(written(time(), wrong), Value::Null, "{wrong}");
    }
}

#[test]
fn amounts_are_exact() {
    let yuan = || json!({ "kind": "money", "currency": "CNY" });
    let amount = |amount: i64, currency: &str| json!({ "amount": amount, "currency": currency });
    assert_eq!(typed(yuan(), "199#"), amount(19_900, "CNY"));
    assert_eq!(written(yuan(), "199.5元"), amount(19_950, "CNY"));
    assert_eq!(written(yuan(), "1,000.01"), amount(100_001, "CNY"));
    for (text, fen) in [
        ("12元5角", 1_250),
        ("12元5角3分", 1_253),
        ("十二块五", 1_250),
        ("12块50", 1_250),
        ("12元05", 1_205),
        ("12块零5", 1_205),
        ("十二块零五", 1_205),
        ("12块〇五", 1_205),
        ("十元零五分", 1_005),
        ("三毛", 30),
        ("三毛五", 35),
        ("5分", 5),
        ("一百块钱", 10_000),
        ("人民币壹佰元整", 10_000),
        ("1.5万元", 1_500_000),
        ("两百", 20_000),
    ] {
        assert_eq!(written(yuan(), text), amount(fen, "CNY"), "{text}");
    }
    let dollars = || json!({ "kind": "money", "currency": "USD" });
    for text in ["$20", "20 usd", "20", "20.00 USD", "二十美元"] {
        assert_eq!(written(dollars(), text), amount(2_000, "USD"), "{text}");
    }
    let yen = || json!({ "kind": "money", "currency": "JPY" });
    assert_eq!(typed(yen(), "500#"), amount(500, "JPY"));
    assert_eq!(written(yen(), "500日元"), amount(500, "JPY"));
    // Who asks for dollars does not reckon with yuan.
    for (asked, text) in [
        (yuan(), "$20"),
        (yuan(), "20 usd"),
        (yuan(), "500日元"),
        (dollars(), "20元"),
        (yen(), "€5"),
    ] {
        assert_eq!(written(asked, text), Value::Null, "{text}");
    }
    for wrong in [
        "0.001",
        "-5",
        "－5",
        "-5元",
        "¥-5",
        "-¥5",
        "负五元",
        "1,5",
        "$12,34",
        "12块零50",
        "free",
        "99999999999999999999",
        ".",
        "12 usd 50",
        "12.5元5角",
        "12元15角",
        "12元500",
        "元",
        "十二分钟",
    ] {
        assert_eq!(written(yuan(), wrong), Value::Null, "{wrong}");
    }
}

#[test]
fn the_currency_is_never_guessed() {
    let money = || json!({ "kind": "money" });
    let ran = run(Script::new().press("5#"), money(), json!({}));
    assert_eq!((ran.failure(), ran.heard.len()), ("no-currency", 0));
    let ran = run(
        Script::new()
            .config(&json!({ "currency": "EUR" }))
            .press("5#"),
        money(),
        json!({}),
    );
    assert_eq!(
        ran.outcome().1,
        json!({ "value": { "amount": 500, "currency": "EUR" } })
    );
}

#[test]
fn telephone_numbers_and_texts() {
    let phone = || json!({ "kind": "phone" });
    assert_eq!(typed(phone(), "13800138000#"), json!("13800138000"));
    assert_eq!(
        written(phone(), "+86 138-0013-8000"),
        json!("+8613800138000")
    );
    assert_eq!(written(phone(), "12"), Value::Null);
    assert_eq!(
        written(json!({ "kind": "text" }), "  蓝色的那件 "),
        json!("蓝色的那件")
    );
}

#[test]
fn one_of_some_by_place_or_by_name() {
    let colour = || json!({ "kind": "one_of", "values": ["red", "blue"] });
    assert_eq!(typed(colour(), "2"), json!("blue"));
    assert_eq!(typed(colour(), "3"), Value::Null);
    assert_eq!(written(colour(), "RED"), json!("red"));
}

#[test]
fn a_card_is_a_secret_of_fitting_length_that_checks() {
    let card = || json!({ "kind": "card" });
    let secret = json!({ "secret": "s:1", "length": 16, "lastFour": "1111" });
    assert_eq!(typed(card(), "4111111111111111#"), secret);
    assert_eq!(typed(card(), "41111#"), Value::Null);
    assert_eq!(typed(card(), "4111111111111112#"), Value::Null);
}

#[test]
fn a_sensitive_entry_is_a_secret_and_a_sensitive_choice_a_mistake() {
    let sensitive = || json!({ "sensitive": true });
    let pin = json!({ "kind": "digits", "min": 4, "max": 4 });
    let ran = run(Script::new().press("1234"), pin, sensitive());
    assert_eq!(
        ran.outcome().1,
        json!({ "value": { "secret": "s:1", "length": 4, "lastFour": "" } })
    );
    assert_eq!(
        run(Script::new(), json!({ "kind": "yes_no" }), sensitive()).failure(),
        "bad-input"
    );
}

#[test]
fn the_confirm_prompt_knows_the_value_by_both_names() {
    let confirm = || json!({ "confirm": "p:2" });
    let ran = run(
        Script::new().press("20260302#").press("1"),
        order(),
        confirm(),
    );
    assert_eq!(ran.outcome(), ("ok", json!({ "value": "20260302" })));
    assert_eq!(
        ran.heard,
        ["p:1", "p:2 value=\"20260302\" order_no=\"20260302\""]
    );
}

#[test]
fn a_value_called_wrong_is_asked_for_again_without_a_ladder_line() {
    let script = Script::new()
        .press("11111111#")
        .press("2")
        .press("22222222#")
        .press("1");
    let ran = run(script, order(), json!({ "confirm": "p:2", "short": "p:3" }));
    assert_eq!(ran.outcome(), ("ok", json!({ "value": "22222222" })));
    assert_eq!(ran.heard[2], "p:3");
}

#[test]
fn calling_values_wrong_uses_up_attempts() {
    let script = Script::new()
        .press("11111111#")
        .press("2")
        .press("22222222#")
        .press("2")
        .press("33333333#")
        .press("2");
    let ran = run(script.silence(), order(), json!({ "confirm": "p:2" }));
    assert_eq!((ran.outcome().0, ran.unused), ("no_match", 1));
    let script = Script::new()
        .silence()
        .press("11111111#")
        .press("2")
        .silence();
    let ran = run(script.silence(), order(), json!({ "confirm": "p:2" }));
    assert_eq!((ran.outcome().0, ran.unused), ("no_input", 1));
}

#[test]
fn a_miss_while_confirming_repeats_the_confirmation() {
    let script = Script::new()
        .press("20260302#")
        .press("5")
        .silence()
        .press("1");
    let ran = run(script, order(), json!({ "confirm": "p:2", "attempts": 4 }));
    assert_eq!(ran.outcome().0, "ok");
    let bound = "value=\"20260302\" order_no=\"20260302\"";
    assert_eq!(
        ran.heard[2..],
        [format!("p:8 p:2 {bound}"), format!("p:7 p:2 {bound}")]
    );
}

#[test]
fn misses_climb_the_ladder_and_the_last_kind_ends_the_step() {
    let ran = run(
        Script::new().press("1#").silence().press("1#"),
        order(),
        json!({ "short": "p:3" }),
    );
    assert_eq!(
        ran.outcome(),
        ("no_match", json!({ "no_input": 1, "no_match": 2 }))
    );
    assert_eq!(ran.heard, ["p:1", "p:8 p:3", "p:7 p:3"]);
}

#[test]
fn an_expression_may_refuse_a_value() {
    let script = || {
        Script::new().expressions(|handle, bound| {
            assert_eq!((handle, bound["value"] == bound["order_no"]), ("e:0", true));
            json!(bound["value"] == "20260302")
        })
    };
    let valid = || json!({ "valid": "e:0" });
    let ran = run(
        script().press("11111111#").press("20260302#"),
        order(),
        valid(),
    );
    assert_eq!(ran.outcome(), ("ok", json!({ "value": "20260302" })));
    assert_eq!(ran.heard[1], "p:8 p:1");
    let odd = Script::new()
        .expressions(|_, _| json!("perhaps"))
        .press("20260302#");
    assert_eq!(run(odd, order(), valid()).failure(), "bad-expression");
}

#[test]
fn defaults_are_those_of_the_description() {
    for (input, default) in [
        ("attempts", json!(super::attempts())),
        ("timeout", json!(super::timeout())),
        ("gap", json!(super::gap())),
        ("end_key", json!(super::end_key())),
        ("barge_in", json!(super::barge_in())),
        ("sensitive", json!(false)),
    ] {
        assert_eq!(
            described_default(super::DESCRIPTION, "ask", input),
            default,
            "{input}"
        );
    }
}
