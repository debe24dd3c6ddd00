//! Mocks of tests are held against what they stand for: names, outcomes, and data with their types.

mod support;

use strowger_flow::diagnostic::Diagnostic;
use strowger_flow::{Catalog, Test, check, survey};

/// A flow with a test that mocks `MOCK`.
const FLOW: &str = "flow: a
format: 1
languages: [en]
steps:
  start:
    - ask: Your order number
      expect: { digits: 8..12 }
      into: order_no
      then: { no_input: desk, no_match: desk }
    - use: orders/lookup@1
      with: { order_no: \"${order_no}\" }
      as: order
      then: { found: told, not_found: desk, timeout: desk, error: desk }
  told:
    - say: \"It is ${order.status_text} and costs ${order.total}.\"
    - goto: desk
  desk:
    queue: front-desk
    meanwhile: { music: audio/hold.wav }
    then: { done: bye, else: bye }
  bye: { hangup: completed }
tests:
  one:
    mock:
      MOCK
    run:
      - hangup
";

/// The line of the mock.
const MOCKED: u32 = 25;

fn found(mock: &str) -> Vec<Diagnostic> {
    let text = FLOW.replace("MOCK", mock);
    check("a.flow.yaml", text.as_bytes(), &support::project()).diagnostics
}

/// What is told of a mock: `rule: message; help`.
fn told(mock: &str) -> Vec<String> {
    let all = found(mock);
    let all = all.iter().map(|found| {
        assert_eq!(
            found.primary.place.line,
            MOCKED,
            "{}",
            found.message.english()
        );
        for text in std::iter::once(&found.message).chain(&found.help) {
            assert_ne!(text.english(), text.chinese(), "{mock}");
        }
        let help = found.help.as_ref().map_or("", |help| help.english());
        format!("{}: {}; {help}", found.rule, found.message.english())
    });
    all.collect()
}

fn reply(mock: &str) -> serde_json::Value {
    let text = FLOW.replace("MOCK", mock);
    let checked = check("a.flow.yaml", text.as_bytes(), &support::project());
    assert_eq!(told(mock), [""; 0]);
    let Test { mocks, .. } = &checked.tests[0];
    let replies = mocks.values().next().expect("a mock");
    serde_json::to_value(&replies[0].data).expect("JSON")
}

#[test]
fn values_of_mocks_are_written_as_everywhere_in_the_language() {
    let data = reply(
        "orders/lookup: { outcome: found, order: { status: shipped, status_text: 20260302, eta: 2026-03-05, total: 199.00 CNY } }",
    );
    let order = &data["order"];
    assert_eq!(
        order["total"],
        serde_json::json!({ "amount": 19900, "currency": "CNY" })
    );
    assert_eq!(
        order["status_text"], "20260302",
        "a text is a text without quotes"
    );
    assert_eq!(order["eta"], "2026-03-05");
    // As a plugin gives it, and as a journal has it.
    let data = reply(
        "orders/lookup@1: { outcome: found, order: { total: { amount: 19900, currency: CNY }, eta: none } }",
    );
    assert_eq!(data["order"]["total"]["amount"], 19900);
    assert_eq!(data["order"]["eta"], serde_json::Value::Null);
    // By the names of the fields, and of the variable of `into:`.
    assert_eq!(
        reply("orders/lookup: { outcome: found, total: 5 CNY }")["total"]["amount"],
        500
    );
    assert_eq!(
        reply("std/ask: { outcome: ok, order_no: 12345678 }")["order_no"],
        "12345678"
    );
}

#[test]
fn what_is_right_is_told_of_nowhere() {
    for mock in [
        "queue.front-desk: { outcome: done, after: 3m }",
        "orders/lookup: [ { outcome: timeout }, { outcome: error }, { outcome: not_found } ]",
        "orders/lookup: { outcome: found, order: { status: packed } }",
        "std/queue: { outcome: full }",
    ] {
        assert_eq!(told(mock), [""; 0], "{mock}");
    }
}

#[test]
fn a_mock_that_nothing_asks_for_is_told() {
    for (mock, wanted) in [
        (
            "crm/caller: { outcome: unknown }",
            "unused: nothing asks for the mock `crm/caller`",
        ),
        (
            "queue.general: { outcome: done }",
            "unused: nothing asks for the mock `queue.general`",
        ),
        (
            "transfer.supplier-a: { outcome: busy }",
            "unused: nothing asks for the mock `transfer.supplier-a`",
        ),
        (
            "call.order-status: { outcome: done }",
            "unused: nothing asks for the mock `call.order-status`",
        ),
        ("orders/lookup: []", "missing-key: "),
    ] {
        let told = told(mock);
        assert_eq!(told.len(), 1, "{told:#?}");
        assert!(told[0].starts_with(wanted), "{told:#?}");
    }
}

#[test]
fn data_that_the_outcome_never_has_are_told() {
    let with = |data: &str| format!("orders/lookup: {{ outcome: found, order: {{ {data} }} }}");
    for (mock, wanted) in [
        (
            "orders/lookup@2: { outcome: found }".to_owned(),
            ["unknown-plugin: ", "did you mean `orders/lookup@1`?"],
        ),
        (with("status: lost"), ["bad-value: ", "it is one of"]),
        (
            with("status: shiped"),
            ["bad-value: ", "did you mean `shipped`?"],
        ),
        (
            with("status: [shipped]"),
            ["bad-value: ", "and this is a list"],
        ),
        (with("eta: tomorrow"), ["bad-value: ", "`2026-03-05`"]),
        (with("eta: 2026-02-30"), ["bad-value: ", "there is no day"]),
        (with("total: 199"), ["bad-value: ", "`199.00 CNY`"]),
        (with("total: 199.005 CNY"), ["bad-value: ", "decimals"]),
        (
            with("total: { amount: 19.9, currency: CNY }"),
            ["bad-value: ", "smallest unit"],
        ),
        (
            with("total: { amount: 1990, curency: CNY }"),
            ["bad-value: ", "smallest unit"],
        ),
        (with("status: "), ["bad-value: ", "nothing"]),
        (
            with("statu: shipped"),
            ["unknown-field: ", "did you mean `status`?"],
        ),
        (
            with("weight: 3"),
            ["unused: nothing reads `weight`", "`eta`"],
        ),
        (
            "orders/lookup: { outcome: found, order: shipped }".to_owned(),
            ["bad-value: ", "is not an object"],
        ),
        (
            "orders/lookup: { outcome: found, parcel: { status: shipped } }".to_owned(),
            ["unused: nothing takes `parcel`", "`order`"],
        ),
        (
            "orders/lookup: { outcome: found, oder: { status: shipped } }".to_owned(),
            ["unknown-field: ", "did you mean `order`?"],
        ),
        (
            "orders/lookup: { outcome: not_found, order: { status: shipped } }".to_owned(),
            ["unused: nothing takes `order`", "remove it"],
        ),
        (
            "orders/lookup: { outcome: timeout, order: { status: shipped } }".to_owned(),
            ["unused: nothing takes `order`", "remove it"],
        ),
        (
            "orders/lookup: { outcome: fond }".to_owned(),
            ["unknown-outcome: ", "did you mean `found`?"],
        ),
        (
            "queue.front-desk: { outcome: done, agent: Li }".to_owned(),
            ["unused: nothing takes `agent`", "remove it"],
        ),
        (
            "std/ask: { outcome: ok, order_no: 123 45 }".to_owned(),
            ["", ""],
        ),
    ] {
        let told = told(&mock);
        if wanted == ["", ""] {
            assert_eq!(told, [""; 0], "{mock}");
            continue;
        }
        assert_eq!(told.len(), 1, "{mock}: {told:#?}");
        assert!(
            told[0].starts_with(wanted[0]) && told[0].contains(wanted[1]),
            "{told:#?}"
        );
    }
}

#[test]
fn bounds_and_shapes_of_a_description_hold_for_mocks_and_a_secret_is_none() {
    let mut catalog = support::project();
    let lookup = catalog
        .steps
        .get_mut("orders/lookup@1")
        .expect("it is there");
    lookup.outcomes.insert(
        "found".to_owned(),
        serde_json::json!({ "type": "object", "required": ["parcels", "wait", "code", "card", "status_text", "total"], "properties": {
            "parcels": { "type": "integer", "minimum": 1, "maximum": 9 },
            "wait": { "type": "integer", "format": "duration" },
            "code": { "type": "string", "pattern": "^[A-Z]{2}$" },
            "names": { "type": "array", "items": { "type": "string", "maxLength": 5 } },
            "card": { "type": "object", "x-secret": true },
            "status_text": { "type": "string" }, "total": { "type": "object", "format": "money" } } }),
    );
    let told = |data: &str| {
        let mock = format!("orders/lookup: {{ outcome: found, order: {{ {data} }} }}");
        let text = FLOW.replace("MOCK", &mock);
        let checked = check("a.flow.yaml", text.as_bytes(), &catalog);
        let all = checked.diagnostics.iter().map(|found| {
            let help = found.help.as_ref().map_or("", |help| help.english());
            format!("{}: {}; {help}", found.rule, found.message.english())
        });
        all.collect::<Vec<_>>()
    };
    for (data, wanted) in [
        ("parcels: 0", "at least 1"),
        ("parcels: 12", "at most 9"),
        ("parcels: 1.5", "whole number"),
        ("parcels: many", "is not a number"),
        ("code: abc", "has the shape"),
        ("names: [Li, Zhangsan]", "at most 5 characters"),
        ("names: Li", "is not a list"),
        ("wait: soon", "is not a duration"),
        ("card: \"4111111111111111\"", "a secret is not mocked"),
    ] {
        let told = told(data);
        assert_eq!(told.len(), 1, "{data}: {told:#?}");
        assert!(
            told[0].starts_with("bad-value: ") && told[0].contains(wanted),
            "{told:#?}"
        );
    }
    for data in [
        "parcels: 9, code: AB, names: [Li], wait: 30m",
        "wait: 1800000",
    ] {
        assert_eq!(told(data), [""; 0], "{data}");
    }
}

/// A project of two flows, of which the first leads to the second.
fn together(first: &str, second: &str) -> Vec<String> {
    let mut catalog: Catalog = support::project();
    catalog.flows = None;
    let files = [
        ("a.flow.yaml", first.as_bytes()),
        ("b.flow.yaml", second.as_bytes()),
    ];
    let all = survey(&files, &mut catalog);
    let all = all.iter().flat_map(|checked| &checked.diagnostics);
    all.map(|found| format!("{}: {}", found.rule, found.message.english()))
        .collect()
}

#[test]
fn what_runs_in_a_flow_that_is_led_to_may_be_mocked() {
    let first = |mock: &str| {
        format!(
            "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    - call: b\n    - hangup: completed\ntests:\n  one:\n    mock: {{ {mock} }}\n    run: [hangup]\n"
        )
    };
    let second = |step: &str| {
        format!(
            "flow: b\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    - {step}\n    - hangup: done\n"
        )
    };
    let lookup = second(
        "use: orders/lookup@1\n      with: { order_no: \"12345678\" }\n      as: parcel\n      then: { found: said, else: said }",
    );
    let lookup = format!(
        "{lookup}  said:\n    - say: \"${{parcel.status_text if parcel is not none else '-'}}\"\n    - hangup: done\n"
    );
    let lookup = lookup
        .replace("flow: b\n", "flow: b\nvars: { }\n")
        .replace("vars: { }\n", "");
    let mock = "orders/lookup: { outcome: found, parcel: { status: shipped, status_text: here, total: 1 CNY } }";
    let told = together(&first(mock), &lookup);
    let about: Vec<_> = told
        .iter()
        .filter(|told| told.contains("mock") || told.contains("parcel`"))
        .collect();
    assert!(
        !about.iter().any(|told| told.starts_with("unused")),
        "{told:#?}"
    );
    // Its variable takes what the step gives, of the step's types.
    let wrong = mock.replace("1 CNY", "much");
    let told = together(&first(&wrong), &second("say: Hello."));
    assert_eq!(told.len(), 2, "{told:#?}");
    let queue = second("queue: general\n      max_wait: 5s\n      then: { else: gone }")
        .replace("    - hangup: done\n", "  gone: { hangup: done }\n");
    assert_eq!(
        together(&first("queue.general: { outcome: full }"), &queue),
        [""; 0]
    );
    let told = together(&first("queue.front-desk: { outcome: full }"), &queue);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(
        told[0].contains("nothing asks for the mock `queue.front-desk`"),
        "{told:#?}"
    );
    // A queue whose name only a contact shows may be any.
    let some = queue.replace("queue: general", "queue: \"${call.to}\"");
    assert_eq!(
        together(&first("queue.front-desk: { outcome: full }"), &some),
        [""; 0]
    );
    // Of a flow with errors nobody knows what it runs.
    let broken = queue.replace("gone }", "gonne }");
    let told = together(&first("queue.front-desk: { outcome: full }"), &broken);
    assert!(!told.iter().any(|told| told.contains("mock")), "{told:#?}");
}

#[test]
fn a_transfer_in_a_chat_is_not_mocked() {
    let flow = |channel: &str| {
        format!(
            "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    transfer: supplier-a\n    then: {{ done: bye, else: bye }}\n  bye: {{ hangup: completed }}\ntests:\n  one:\n    given: {{ channel: {channel} }}\n    mock: {{ transfer.supplier-a: {{ outcome: done }} }}\n    run: [ hangup ]\n"
        )
    };
    let told = |channel: &str| {
        let found = check("a.flow.yaml", flow(channel).as_bytes(), &support::project());
        let found = found.diagnostics.into_iter().map(|found| {
            let help = found.help.expect("it says what to do");
            format!(
                "{} {}: {}",
                found.primary.place.line,
                found.rule,
                help.english()
            )
        });
        found.collect::<Vec<_>>()
    };
    assert_eq!(told("voice"), [""; 0]);
    assert_eq!(
        told("chat"),
        ["12 bad-value: leave the mock out, or write `channel: voice`"]
    );
}
