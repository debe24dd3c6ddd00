//! Tree to type, and what cannot work.

use super::{line, parsed, world};
use crate::expr::{FILTERS, infer, infer_condition, infer_inserted};

#[track_caller]
fn ty(text: &str, expected: &str) {
    let (ty, findings) = infer(&parsed(text), &world());
    assert_eq!(findings, [], "{text}");
    assert_eq!(ty.to_string(), expected, "{text}");
}

#[track_caller]
fn refused(text: &str, expected: &[&str]) {
    let (_, findings) = infer(&parsed(text), &world());
    let lines: Vec<String> = findings.iter().map(|finding| line(text, finding)).collect();
    assert_eq!(lines, expected, "{text}");
}

#[test]
fn types() {
    ty("tries + 1", "number");
    ty("-tries % 2", "number");
    ty("order.status == \"shipped\"", "bool");
    ty(
        "order.status",
        "one of \"shipped\", \"unpaid\", \"packed\", \"cancelled\"",
    );
    ty("order.note", "text or none");
    ty("order.note | default(\"\")", "text");
    ty("order.note is not none and order.note == order_no", "bool");
    ty(
        "(order.note | upper) if order.note is not none else \"\"",
        "text",
    );
    ty("order.note is none or (order.note | length) > 3", "bool");
    ty("\"a\" if vip else \"b\"", "one of \"a\", \"b\"");
    ty("none if vip else 1", "number or none");
    ty("order.status in [\"shipped\", \"packed\"]", "bool");
    ty("\"026\" in order_no", "bool");
    ty("call.from in [\"+8613800138000\"]", "bool");
    ty("order_no ~ \"-\" ~ tries", "text");
    ty("tags[0] | default(\"x\")", "text");
    ty("order[\"total\"] | money", "text");
    ty("[1, 2] | length", "number");
    ty("tags | join(\"; \")", "text");
    ty("order.total * 2 - order.total", "money");
    ty("order.total / order.total", "number");
    ty("order.total > \"1000.00 CNY\"", "bool");
    ty("order.eta < \"2026-04-01\"", "bool");
    ty("wait > \"3m\"", "bool");
    ty("now + wait", "datetime");
    ty("now - now", "duration");
    ty("now.hour < 12 and now.weekday != \"sunday\"", "bool");
    ty("now.time >= \"09:00\"", "bool");
    ty("now.date == order.eta", "bool");
    ty("raw.anything.at.all + 1", "anything");
    ty("raw.x == 1 and raw.y > 2 and raw.z < raw.a", "bool");
    ty("order.card | last4", "text");
    ty("order.card", "secret");
    ty("order", "object");
    ty("[]", "list");
}

#[test]
fn wrong_names() {
    refused(
        "trise > 1",
        &["unknown-variable @ trise: there is no variable `trise` (did you mean `tries`?)"],
    );
    refused(
        "late + 1",
        &[
            "unassigned-variable @ late: `late` has no value yet on some way to this place (give it a value on every way, or declare it under `vars:` with a default)",
        ],
    );
    refused(
        "order.totl | money",
        &[
            "unknown-field @ totl: `order` has no field `totl` (did you mean `total`? its fields: card, eta, note, status, total)",
        ],
    );
    refused(
        "tries.x",
        &["unknown-field @ x: `tries` is a number: it has no field `x`"],
    );
    refused(
        "now.hours",
        &[
            "unknown-field @ hours: `now` is a datetime: it has no field `hours` (did you mean `hour`?)",
        ],
    );
    refused(
        "order.total | mony",
        &["unknown-filter @ mony: there is no filter `mony` (did you mean `money`?)"],
    );
    // One mistake is one finding.
    refused(
        "trise + 1 > 3 and (trise | money) == \"x\"",
        &[
            "unknown-variable @ trise: there is no variable `trise` (did you mean `tries`?)",
            "unknown-variable @ trise: there is no variable `trise` (did you mean `tries`?)",
        ],
    );
}

#[test]
fn comparisons() {
    refused(
        "order.status == \"delivered\" or order.status > 3",
        &[
            "impossible-comparison @ \"delivered\": `order.status` is never \"delivered\" (it is one of: shipped, unpaid, packed, cancelled)",
            "type-mismatch @ order.status > 3: `order.status` is text, `3` is a number: `>` cannot compare them (`order.status` is one of: shipped, unpaid, packed, cancelled)",
        ],
    );
    refused(
        "\"shiped\" != order.status",
        &[
            "impossible-comparison @ \"shiped\": `order.status` always differs from \"shiped\" (did you mean \"shipped\"? it is one of: shipped, unpaid, packed, cancelled)",
        ],
    );
    refused(
        "order.status in [\"shipped\", \"packd\"]",
        &[
            "impossible-comparison @ \"packd\": `order.status` is never \"packd\" (did you mean \"packed\"? it is one of: shipped, unpaid, packed, cancelled)",
        ],
    );
    refused(
        "call.language == order.status",
        &[
            "impossible-comparison @ call.language == order.status: `call.language` is never `order.status`: they have no value in common (`call.language` is one of: en, zh; `order.status`: shipped, unpaid, packed, cancelled)",
        ],
    );
    refused(
        "tries == \"2\"",
        &[
            "type-mismatch @ tries == \"2\": `tries` is a number, `\"2\"` is text: `==` cannot compare them (leave out the quotes: `2`)",
        ],
    );
    refused(
        "order_no == 20260302",
        &[
            "type-mismatch @ order_no == 20260302: `order_no` is text, `20260302` is a number: `==` cannot compare them (put the digits in quotes: `\"20260302\"`)",
        ],
    );
    // Items of another type are one finding.
    refused(
        "order_no in [123456, 7, 8]",
        &[
            "type-mismatch @ order_no in [123456: `order_no` is text, `123456` is a number: `in` cannot compare them (put the digits in quotes: `\"123456\"`)",
        ],
    );
    refused(
        "tries not in [1, \"2\"]",
        &[
            "type-mismatch @ tries not in [1, \"2\": `tries` is a number, `\"2\"` is text: `not in` cannot compare them (leave out the quotes: `2`)",
        ],
    );
    refused(
        "order_no > \"5\"",
        &[
            "type-mismatch @ order_no > \"5\": `order_no` is text, `\"5\"` is text: `>` cannot compare them (texts have no order; compare them with `==` or `in`)",
        ],
    );
    refused(
        "order.note == none",
        &[
            "type-mismatch @ order.note == none: `none` is not compared with `==` (write `order.note is none`)",
        ],
    );
    refused(
        "order.eta > \"March\"",
        &[
            "type-mismatch @ \"March\": `March` is not a date: write year-month-day, as in `2026-03-05`",
        ],
    );
    refused(
        "order.eta > now",
        &[
            "type-mismatch @ order.eta > now: `order.eta` is a date, `now` is a datetime: `>` cannot compare them (compare the day: `now.date`)",
        ],
    );
    refused(
        "order.total > 1000",
        &[
            "type-mismatch @ order.total > 1000: `order.total` is money, `1000` is a number: `>` cannot compare them (name the currency: `\"1000.00 CNY\"`)",
        ],
    );
    refused(
        "wait > 3",
        &[
            "type-mismatch @ wait > 3: `wait` is a duration, `3` is a number: `>` cannot compare them (name the unit: `\"3s\"`)",
        ],
    );
    refused(
        "1 in tries",
        &["type-mismatch @ tries: `in` looks into a list or a text; `tries` is a number"],
    );
}

#[test]
fn nothing_is_converted() {
    refused(
        "order_no and vip",
        &[
            "type-mismatch @ order_no: a condition is true or false; `order_no` is text (compare it, as in `order_no == …`)",
        ],
    );
    refused(
        "not tries",
        &[
            "type-mismatch @ tries: a condition is true or false; `tries` is a number (compare it, as in `tries > 0`)",
        ],
    );
    refused(
        "1 if order.note else 2",
        &[
            "type-mismatch @ order.note: a condition is true or false; `order.note` is text or none (to ask whether it is there, write `order.note is not none`)",
        ],
    );
    refused(
        "order_no + 1",
        &[
            "type-mismatch @ order_no + 1: `+` does not work on text and a number (texts are joined by `~`: `order_no ~ 1`)",
        ],
    );
    refused(
        "order.total + order.total | money",
        &[
            "type-mismatch @ order.total + order.total | money: `+` does not work on money and text (a filter takes only the value just before it: put brackets around the rest of `order.total | money`)",
        ],
    );
    // Brackets that are missing are one mistake, whatever the filter makes of the last value alone.
    let missing = [
        ("*", "order.total", "3", "money", "money"),
        ("/", "order.total", "3", "money", "money"),
        ("+", "tries", "1", "spell", "a number"),
        ("+", "tries", "2.5", "digits", "a number"),
        ("-", "order.total", "1", "money | upper", "money"),
        ("*", "order.total", "1", "money | ordinal", "money"),
    ];
    for (symbol, left, right, filter, is) in missing {
        let written = format!("{left} {symbol} {right} | {filter}");
        let told = format!(
            "type-mismatch @ {written}: `{symbol}` does not work on {is} and text (a filter takes only the value just before it: put brackets around the rest of `{right} | {filter}`)"
        );
        refused(&written, &[told.as_str()]);
    }
    // A mistake within what is filtered is another one.
    refused(
        "order.total * [3 | money] | join",
        &[
            "type-mismatch @ 3: `| money` takes money; `3` is a number (an amount has a currency: its schema says `format: money`)",
            "type-mismatch @ order.total * [3 | money] | join: `*` does not work on money and text (a filter takes only the value just before it: put brackets around the rest of `[3 | money] | join`)",
        ],
    );
    refused(
        "order_no | money",
        &[
            "type-mismatch @ order_no: `| money` takes money; `order_no` is text (text is said by `| digits`, `| spell`, `| phone`, `| last4`)",
        ],
    );
    refused(
        "order_no | number",
        &[
            "type-mismatch @ order_no: `| number` takes number; `order_no` is text (digits of a text are said by `order_no | digits`)",
        ],
    );
    refused(
        "order.note | upper",
        &[
            "type-mismatch @ order.note: `order.note` may be none: it cannot stand in `| upper` (give it a value for that case: `order.note | default(…)`, or ask `order.note is not none`)",
        ],
    );
    refused(
        "tags[0] ~ \"x\"",
        &[
            "type-mismatch @ tags[0]: `tags[0]` may be none: it cannot stand in `~` (give it a value for that case: `tags[0] | default(\"…\")`)",
        ],
    );
    refused(
        "1 if vip else \"x\"",
        &[
            "type-mismatch @ 1 if vip else \"x\": `1` is a number, but `\"x\"` is text (both sides of `if` have the same type)",
        ],
    );
    refused(
        "[1, \"x\"]",
        &[
            "type-mismatch @ \"x\": this list has a number and text (all items of a list have the same type)",
        ],
    );
    refused(
        "order.note | default(3)",
        &["type-mismatch @ 3: `order.note` is text, but its default is a number"],
    );
    refused(
        "tags | join(3)",
        &["type-mismatch @ 3: `join` takes text in brackets; this is a number"],
    );
    refused(
        "tags | length(3)",
        &[
            "type-mismatch @ length: `length` takes nothing in brackets (as in `[\"a\", \"b\"] | length`)",
        ],
    );
    refused(
        "tags[\"x\"]",
        &["unknown-field @ \"x\": `tags` is a list: it has no field `x`"],
    );
}

#[test]
fn secrets_do_not_leak() {
    let help = "(a secret goes whole to an input marked `x-secret`, or through `| last4`)";
    for (text, place, what) in [
        (
            "order.card == \"1\"",
            "order.card",
            "`order.card` is a secret: it cannot stand in `==`",
        ),
        (
            "order.card ~ \"\"",
            "order.card",
            "`order.card` is a secret: it cannot stand in `~`",
        ),
        (
            "order.card | upper",
            "order.card",
            "`order.card` is a secret: it cannot stand in `| upper`",
        ),
        (
            "order.card | digits",
            "order.card",
            "`order.card` is a secret: it cannot stand in `| digits`",
        ),
        (
            "order.card | default(\"\")",
            "order.card",
            "`order.card` is a secret: it cannot stand in `| default`",
        ),
        (
            "order.card | length",
            "order.card",
            "`order.card` is a secret: it cannot stand in `| length`",
        ),
        (
            "order.card[0]",
            "order.card",
            "`order.card` is a secret: it cannot stand in `[ ]`",
        ),
        (
            "order.card is none",
            "order.card",
            "`order.card` is a secret: it cannot stand in `is none`",
        ),
        (
            "\"1\" in order.card",
            "order.card",
            "`order.card` is a secret: it cannot stand in `in`",
        ),
        (
            "order.card in [\"1\"]",
            "order.card",
            "`order.card` is a secret: it cannot stand in `in`",
        ),
        (
            "[order.card]",
            "order.card",
            "`order.card` is a secret: it cannot stand in a list",
        ),
        (
            "order.card if vip else order.card",
            "order.card",
            "`order.card` is a secret: it cannot stand in `if`",
        ),
        (
            "order == order",
            "order",
            "`order` holds a secret: it cannot stand in `==`",
        ),
        (
            "-order.card",
            "order.card",
            "`order.card` is a secret: it cannot stand in `-`",
        ),
    ] {
        let (_, findings) = infer(&parsed(text), &world());
        assert!(!findings.is_empty(), "{text}");
        for finding in &findings {
            assert_eq!(
                line(text, finding),
                format!("secret-leak @ {place}: {what} {help}"),
                "{text}"
            );
        }
    }
    let text = "order.card";
    let (_, findings) = infer_inserted(&parsed(text), &world());
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].rule, "secret-leak");
}

#[test]
fn conditions_and_insertions() {
    assert_eq!(infer_condition(&parsed("tries > 2"), &world()), []);
    assert_eq!(
        infer_condition(&parsed("tries"), &world())[0].rule,
        "type-mismatch"
    );
    assert_eq!(infer_inserted(&parsed("order.total"), &world()).1, []);
    for text in ["order.note", "raw if vip else none", "none"] {
        assert_eq!(
            infer_inserted(&parsed(text), &world()).1.len(),
            usize::from(text != "raw if vip else none"),
            "{text}"
        );
    }
}

#[test]
fn what_a_condition_proves() {
    let proves = |text: &str, truth: bool| -> Vec<String> {
        parsed(text)
            .proves_present(truth)
            .into_iter()
            .map(|path| path.join("."))
            .collect()
    };
    assert_eq!(proves("a.b is not none and c == 1", true), ["a.b", "c"]);
    assert_eq!(proves("a.b is not none and c == 1", false), [""; 0]);
    assert_eq!(proves("not (a is none or b is none)", true), ["a", "b"]);
    assert_eq!(proves("a is none", false), ["a"]);
    assert_eq!(proves("a == b", true), [""; 0]);
}

#[test]
fn nested_lists_are_typed_in_linear_time() {
    let text = format!("{}1{}", "1 in [".repeat(31), "]".repeat(31));
    let (_, findings) = infer(&parsed(&text), &world());
    assert!(!findings.is_empty());
}

#[test]
fn every_filter_has_one_name_and_an_example_that_parses() {
    for (place, filter) in FILTERS.iter().enumerate() {
        assert!(
            FILTERS[..place]
                .iter()
                .all(|other| other.name != filter.name),
            "{}",
            filter.name
        );
        let _ = parsed(filter.example.0);
    }
}

#[test]
fn constants_that_can_only_fail() {
    let zero =
        |symbol: &str| format!("nothing can be divided by zero: this `{symbol}` fails always");
    for (text, symbol) in [
        ("1 / 0", "/"),
        ("1 % 0", "%"),
        ("tries / 0.0", "/"),
        ("tries % -0", "%"),
        ("order.total / 0", "/"),
        ("wait / 0", "/"),
    ] {
        let (_, findings) = infer(&parsed(text), &world());
        let told: Vec<&str> = findings
            .iter()
            .map(|found| found.message.english())
            .collect();
        assert_eq!(told, [zero(symbol)], "{text}");
        assert_eq!(findings[0].rule, "type-mismatch");
    }
    for text in [
        "tags[0.5] | default(\"z\")",
        "raw[-1.5]",
        "[1, 2][0.5] | default(1)",
    ] {
        let (_, findings) = infer(&parsed(text), &world());
        assert_eq!(findings.len(), 1, "{text}");
        let message = findings[0].message.english();
        assert!(
            message.starts_with("a list is indexed by whole numbers"),
            "{text}: {message}"
        );
    }
    ty("1 / 2", "number");
    ty("0 / 1", "number");
    ty("tries / tries", "number");
    ty("tags[1.0] | default(\"z\")", "text");
}
