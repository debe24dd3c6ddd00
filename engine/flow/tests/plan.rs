//! What a plan holds for the contact core: edges and inputs, in the shapes that steps expect.

mod support;

use serde_json::{Value as Json, json};
use strowger_flow::check;
use strowger_flow::plan::{Action, Edge, Node, Plan, StepCall, Template};
use strowger_flow::value::Type;

fn plan(text: &str) -> Plan {
    let checked = check("case.flow.yaml", text.as_bytes(), &support::project());
    let frames: String = checked
        .diagnostics
        .iter()
        .map(|found| found.render(text, false))
        .collect();
    checked.plan.unwrap_or_else(|| panic!("{frames}"))
}

fn good(index: usize) -> Plan {
    plan(support::GOOD[index].1)
}

/// The first action of a step.
fn node<'p>(plan: &'p Plan, step: &str) -> &'p Node {
    plan.nodes
        .iter()
        .find(|node| node.step == step)
        .unwrap_or_else(|| panic!("no step {step}"))
}

fn call<'p>(plan: &'p Plan, step: &str) -> &'p StepCall {
    match &node(plan, step).action {
        Action::Step(call) => call,
        other => panic!("{step} is {other:?}"),
    }
}

/// Where an edge leads, in words.
fn leads(plan: &Plan, edge: &Edge) -> String {
    match edge {
        Edge::Node(id) => plan.nodes[id.0 as usize].step.clone(),
        Edge::Flow(flow) => format!("flow:{flow}"),
        Edge::Repeat => "repeat".to_owned(),
        Edge::End => "end".to_owned(),
    }
}

fn edges(plan: &Plan, step: &str) -> Json {
    call(plan, step)
        .edges
        .iter()
        .map(|(name, edge)| (name.clone(), Json::from(leads(plan, edge))))
        .collect()
}

/// An input as a step would see it, with prompts by name and expressions as `${}`.
fn json_of(plan: &Plan, template: &Template) -> Json {
    match template {
        Template::Literal(value) => value.to_json(),
        Template::Expr(_) => json!("${}"),
        Template::Text(pieces) => json!(format!("{} pieces", pieces.len())),
        Template::Prompt(id) => {
            json!(format!(
                "p:{}",
                plan.prompts[id.0 as usize]
                    .name
                    .as_deref()
                    .unwrap_or("inline")
            ))
        }
        Template::Deferred(id) => json!(format!("e:{}", id.0)),
        Template::List(items) => items.iter().map(|item| json_of(plan, item)).collect(),
        Template::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), json_of(plan, value)))
            .collect(),
    }
}

fn input(plan: &Plan, step: &str) -> Json {
    json_of(plan, &call(plan, step).input)
}

#[test]
fn a_menu_gets_its_prompts_keys_and_defaults() {
    let plan = good(0);
    assert_eq!(call(&plan, "main").step, "std/menu@1");
    assert_eq!(
        input(&plan, "main"),
        json!({
            "prompt": "p:main_menu",
            "short": "p:main_menu_short",
            "press": {
                "0": { "label": "p:agent" },
                "1": { "label": "p:orders", "match": ["order", "订单", "物流"] },
                "2": { "label": "p:vip" },
                "9": {},
            },
            "reprompt": { "no_input": ["p:still_there", "p:last_chance"], "no_match": ["p:not_an_option"] },
            "attempts": 3,
            "timeout": 5000,
            "gap": 2000,
            "barge_in": true,
        })
    );
    assert_eq!(
        edges(&plan, "main"),
        json!({
            "0": "operator", "1": "orders", "2": "flow:vip-routing", "9": "repeat",
            "no_input": "operator", "no_match": "operator",
        })
    );
    assert_eq!(input(&plan, "language")["attempts"], json!(1));
    assert_eq!(leads(&plan, &plan.global.press["0"]), "operator");
    assert_eq!(
        plan.global
            .error
            .as_ref()
            .map(|edge| leads(&plan, edge))
            .as_deref(),
        Some("sorry")
    );
    assert_eq!(leads(&plan, &Edge::Node(plan.start)), "language");
}

#[test]
fn hours_are_minutes_and_a_missing_holiday_is_closed() {
    let plan = good(0);
    assert_eq!(
        input(&plan, "check_hours"),
        json!({ "hours": {
            "name": "support",
            "timezone": "Asia/Shanghai",
            "weekly": [
                { "days": [1, 2, 3, 4, 5], "from": 540, "to": 1260 },
                { "days": [6, 7], "from": 600, "to": 720 },
                { "days": [6, 7], "from": 780, "to": 1080 },
            ],
            "closed": [["2026-10-01", "2026-10-03"]],
            "open": [{ "date": "2026-10-10", "from": 540, "to": 1080 }],
        } })
    );
    let text = support::GOOD[0].1.replace("      holiday: closed\n", "");
    let plan = plan_of(&text);
    assert_eq!(
        edges(&plan, "check_hours"),
        json!({ "open": "main", "closed": "closed", "holiday": "closed" })
    );
}

fn plan_of(text: &str) -> Plan {
    plan(text)
}

#[test]
fn an_answer_is_expected_and_stored() {
    let plan = good(1);
    let input = input(&plan, "start");
    assert_eq!(
        input["expect"],
        json!({ "kind": "digits", "min": 8, "max": 12 })
    );
    assert_eq!(input["end_key"], json!("#"));
    assert_eq!(
        (&input["timeout"], &input["gap"]),
        (&json!(8000), &json!(3000))
    );
    assert_eq!(input["confirm"], json!("p:confirm_order_no"));
    assert_eq!(
        into(call(&plan, "start")),
        Some(("order_no".to_owned(), "value".to_owned()))
    );
    assert_eq!(
        edges(&plan, "start"),
        json!({ "ok": "lookup", "no_input": "hand_over", "no_match": "hand_over" })
    );
}

#[test]
fn a_plugins_step_gets_its_limits() {
    let plan = good(1);
    let lookup = call(&plan, "lookup");
    assert_eq!(
        (lookup.step.as_str(), lookup.timeout_ms),
        ("orders/lookup@1", 3000)
    );
    assert_eq!(lookup.bind.as_deref(), Some("order"));
    let retry = lookup.retry.as_ref().expect("a retry");
    assert_eq!((retry.times, retry.wait_ms, retry.factor), (2, 300, 2.0));
    assert_eq!(retry.only, ["timeout", "error"]);
    let meanwhile = lookup.meanwhile.as_ref().expect("a meanwhile");
    assert_eq!(meanwhile.after_ms, 1000);
    assert!(meanwhile.say.is_some());
    assert_eq!(
        input(&plan, "lookup"),
        json!({ "order_no": "${}", "phone": "${}" })
    );
    assert_eq!(input(&good(2), "call_back")["within"], json!(1_800_000));
}

#[test]
fn a_list_goes_on_with_its_next_action() {
    let plan = good(0);
    let closed: Vec<&Node> = plan
        .nodes
        .iter()
        .filter(|node| node.step == "closed")
        .collect();
    assert_eq!(
        (closed[0].verb.as_str(), closed[1].verb.as_str()),
        ("say", "record")
    );
    let Edge::Node(next) = &closed[0].next else {
        panic!("{:?}", closed[0].next)
    };
    assert_eq!(plan.nodes[next.0 as usize].verb, "record");
    let Action::Step(record) = &closed[1].action else {
        panic!("{:?}", closed[1].action)
    };
    assert_eq!(json_of(&plan, &record.input)["max"], json!(90_000));
    assert_eq!(leads(&plan, &record.edges["done"]), "bye");
    assert_eq!(leads(&plan, &record.edges["no_input"]), "bye");
    assert_eq!(
        into(record),
        Some(("voicemail".to_owned(), "recording".to_owned()))
    );
}

#[test]
fn conditions_are_choices_and_switches() {
    let plan = good(2);
    let Action::Choose { arms, otherwise } = &node(&plan, "tier").action else {
        panic!("tier is no choice")
    };
    assert_eq!(arms.len(), 2);
    assert_eq!(leads(&plan, otherwise), "standard");
    let hello = node(&plan, "hello");
    assert!(hello.when.is_some());
    assert_eq!(leads(&plan, &hello.next), "house_team");
    let plan = good(1);
    let Action::Switch {
        arms, otherwise, ..
    } = &node(&plan, "status").action
    else {
        panic!("status is no switch")
    };
    assert_eq!(arms.len(), 2);
    assert!(otherwise.is_some());
}

#[test]
fn tests_are_read_with_their_lines() {
    let (file, text) = support::GOOD[1];
    let checked = check(file, text.as_bytes(), &support::project());
    assert_eq!(checked.tests.len(), 2);
    let first = &checked.tests[0];
    assert_eq!(first.name, "a shipped order is read out");
    assert_eq!(first.given.from.as_deref(), Some("+8613800138000"));
    let reply = &first.mocks["orders/lookup"][0];
    assert_eq!(reply.outcome, "found");
    assert_eq!(
        reply.data["order"]["total"],
        json!({ "amount": 19900, "currency": "CNY" })
    );
    assert_eq!(first.run.len(), 4);
    assert_eq!(checked.tests[1].mocks["orders/lookup"].len(), 3);
}

#[test]
fn a_signature_is_read_without_checking() {
    let (name, signature) =
        strowger_flow::signature(support::GOOD[2].1.as_bytes()).expect("a signature");
    assert_eq!(name, "vip-routing");
    assert!(
        !signature.inputs["reason"].required,
        "an input with a default need not be given"
    );
    let (_, signature) =
        strowger_flow::signature(support::GOOD[1].1.as_bytes()).expect("a signature");
    assert_eq!(signature.outcomes, ["done", "operator"]);
}

#[test]
fn a_finding_is_one_line_of_json() {
    let text =
        "flow: case\nformat: 1\nsteps: { start: { wait: 3, then: bye }, bye: { hangup: done } }\n";
    let checked = check("case.flow.yaml", text.as_bytes(), &support::steps());
    let found: Json = serde_json::from_str(&checked.diagnostics[0].render_json()).expect("JSON");
    assert_eq!(found["rule"], "missing-unit");
    assert_eq!((&found["line"], &found["column"]), (&json!(3), &json!(25)));
    assert_eq!(
        (&found["endLine"], &found["endColumn"]),
        (&json!(3), &json!(26))
    );
    assert_eq!(found["fix"]["replacement"], "3s");
    assert!(!checked.diagnostics[0].render_json().contains('\n'));
}

#[test]
fn a_reason_allows_a_warning() {
    let text = "flow: case\nformat: 1\nsteps:\n  start: # strowger: allow(dead-air) music comes from the carrier\n    \
                - wait: 20s\n    - hangup: done\n";
    let checked = check("case.flow.yaml", text.as_bytes(), &support::steps());
    assert!(checked.diagnostics.is_empty(), "{:?}", checked.diagnostics);
    assert!(checked.plan.is_some());
}

fn into(call: &StepCall) -> Option<(String, String)> {
    let into = call.into.as_ref()?;
    Some((into.variable.clone(), into.field.clone()))
}

#[test]
fn a_message_is_a_secret_where_the_flow_says_so() {
    let text = |sensitive: bool, said: &str| {
        format!(
            "flow: message\nformat: 1\nsteps:\n  start:\n    - record: {{ max: 90s }}\n      sensitive: {sensitive}\n      \
             into: message\n    - say: \"{said}\"\n    - hangup: done\n"
        )
    };
    for (sensitive, ty) in [(true, Type::Secret), (false, Type::Text)] {
        let plan = plan(&text(sensitive, "Thank you."));
        let into = call(&plan, "start").into.as_ref().expect("it is kept");
        assert_eq!(into.ty, ty);
    }
    let rules = |text: &str| -> Vec<&str> {
        let checked = check("case.flow.yaml", text.as_bytes(), &support::project());
        checked.diagnostics.iter().map(|found| found.rule).collect()
    };
    assert!(rules(&text(true, "It is ${message}.")).contains(&"secret-leak"));
    assert!(!rules(&text(false, "It is ${message}.")).contains(&"secret-leak"));
}
