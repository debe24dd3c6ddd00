//! Requests as nobody should write them, and the limits.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use strowger_checker::{Checker, MAX_FILES, MAX_HELD_BYTES, MAX_PROJECTS, MAX_REQUEST_BYTES};

const FLOW: &str = "flow: a\nformat: 1\nsteps:\n  start:\n    use: p/s@1\n    with: { x: 1 }\n    as: r\n    \
                    then: { done: bye, else: bye }\n  bye: { hangup: done }\n";

fn ask(checker: &mut Checker, request: &Json) -> Json {
    answer(checker, request.to_string().as_bytes())
}

/// An answer is an object with one member, whatever was asked.
fn answer(checker: &mut Checker, request: &[u8]) -> Json {
    let answer: Json = serde_json::from_str(&checker.ask(request)).expect("an answer is JSON");
    let object = answer.as_object().expect("an answer is an object");
    assert_eq!(object.len(), 1, "{answer}");
    if let Some(error) = object.get("error") {
        let text = |name: &str| error[name].as_str().is_some_and(|text| !text.is_empty());
        assert!(text("code") && text("message"), "{answer}");
    }
    answer
}

fn code(answer: &Json) -> &str {
    answer["error"]["code"].as_str().unwrap_or("none")
}

fn check(project: &Json, file: &str, text: &str) -> Json {
    json!({ "ask": "check", "project": project, "file": file, "text": text })
}

/// Everything that can be asked about a file.
fn questions(project: &Json, file: &str, at: u32) -> Vec<Json> {
    [
        json!({ "ask": "report", "form": "text" }),
        json!({ "ask": "complete", "at": at }),
        json!({ "ask": "hover", "at": at, "language": "zh" }),
        json!({ "ask": "outline" }),
        json!({ "ask": "format" }),
        json!({ "ask": "graph", "form": "svg" }),
        json!({ "ask": "graph", "form": "mermaid" }),
    ]
    .into_iter()
    .map(|mut question| {
        question["project"] = project.clone();
        question["file"] = json!(file);
        question
    })
    .collect()
}

#[test]
fn what_cannot_be_read_is_told() {
    let mut checker = Checker::default();
    for request in [
        &b""[..],
        b"\xff\xfe",
        b"[]",
        b"{}",
        b"{\"ask\":\"about\",\"more\":1}",
        b"{\"ask\":\"open\",\"catalog\":{\"steps\":{\"a/b@1\":{\"input\":1}}}}",
        b"{\"ask\":\"open\",\"catalog\":{\"plugins\":{}}}",
        b"{\"ask\":\"rules\",\"language\":\"fr\"}",
    ] {
        let answer = answer(&mut checker, request);
        assert_eq!(code(&answer), "unreadable", "{answer}");
    }
    let long = vec![b' '; MAX_REQUEST_BYTES + 1];
    assert_eq!(code(&answer(&mut checker, &long)), "too-long");
    let answer = ask(
        &mut checker,
        &json!({ "ask": "explain", "rule": "ded-end" }),
    );
    let message = answer["error"]["message"].as_str().unwrap_or_default();
    assert!(message.ends_with("did you mean \"dead-end\"?"), "{message}");
}

#[test]
fn what_is_held_has_limits() {
    let mut checker = Checker::default();
    let open = json!({ "ask": "open", "catalog": {} });
    let projects: Vec<Json> = (0..MAX_PROJECTS)
        .map(|_| ask(&mut checker, &open)["answer"]["project"].clone())
        .collect();
    assert_eq!(code(&ask(&mut checker, &open)), "too-many-projects");
    let close = json!({ "ask": "close", "project": projects[0] });
    ask(&mut checker, &close);
    assert_eq!(code(&ask(&mut checker, &open)), "none");
    let project = &projects[1];
    for index in 0..MAX_FILES {
        ask(&mut checker, &check(project, &index.to_string(), "a: 1"));
    }
    let more = check(project, "more", "");
    assert_eq!(code(&ask(&mut checker, &more)), "too-many-files");
    // A text in the place of another counts once.
    let project = &projects[2];
    let long = "x".repeat(4 * 1024 * 1024);
    for _ in 0..=MAX_HELD_BYTES / long.len() {
        let answer = ask(&mut checker, &check(project, "long", &long));
        assert_eq!(code(&answer), "none");
    }
    let files = (0..MAX_HELD_BYTES / long.len())
        .map(|index| ask(&mut checker, &check(project, &index.to_string(), &long)));
    let refused = files.filter(|answer| code(answer) == "held-too-much");
    assert!(refused.count() > 0);
    let forget = json!({ "ask": "forget", "project": project, "file": "long" });
    ask(&mut checker, &forget);
    let again = check(project, "again", &long[1..]);
    assert_eq!(code(&ask(&mut checker, &again)), "none");
}

#[test]
fn a_catalogue_that_no_host_would_take_breaks_nothing() {
    let mut checker = Checker::default();
    let odd = [
        json!(null),
        json!(true),
        json!({ "type": "object", "properties": 7, "required": { "x": 1 } }),
        json!({ "type": ["object", "null"], "properties": { "x": { "format": "press", "enum": 1 } } }),
        json!({ "properties": { "x": { "$ref": "#" } }, "anyOf": [{}, 1] }),
        json!({ "type": "object", "properties": { "x": { "format": "expect", "default": [] } } }),
    ];
    for schema in &odd {
        let step = json!({
            "input": schema, "main": "nothing", "outcomesFrom": ["x", "y", ""], "binds": { "": schema, "x y": schema },
            "into": "deep.er", "outcomes": { "done": schema, "": schema, "else": {} }, "people": ["nobody"],
        });
        let catalog = json!({
            "steps": { "p/s@1": step, "": step, "no key": step },
            "verbs": { "s": "p/s@1", "say": "nowhere/none@1", "": "" },
            "flows": { "a": { "inputs": { "": { "type": { "list": "any" }, "required": true } }, "outcomes": [""] } },
            "queues": [""], "audio": ["../../.."],
        });
        let open = json!({ "ask": "open", "catalog": catalog });
        let project = ask(&mut checker, &open)["answer"]["project"].clone();
        assert!(project.is_u64(), "{schema}");
        for text in [
            FLOW.to_owned(),
            FLOW.replace("use: p/s@1", "s: 1"),
            FLOW.replace("use: p/s@1", "say: hello"),
            FLOW.replace("use: p/s@1", "call: a"),
        ] {
            ask(&mut checker, &check(&project, "a", &text));
            for at in (0..180).step_by(7) {
                for question in questions(&project, "a", at) {
                    ask(&mut checker, &question);
                }
            }
        }
        ask(&mut checker, &json!({ "ask": "close", "project": project }));
    }
}

/// A flow that is open in a project with one step.
fn opened() -> (Checker, Json) {
    let mut checker = Checker::default();
    let step = json!({ "input": { "type": "object", "properties": { "x": { "type": "integer" } } }, "outcomes": { "done": {} } });
    let catalog = json!({ "steps": { "p/s@1": step }, "flows": {} });
    let open = json!({ "ask": "open", "catalog": catalog });
    let project = ask(&mut checker, &open)["answer"]["project"].clone();
    let answer = ask(&mut checker, &check(&project, "a", FLOW));
    assert_eq!(answer["answer"]["findings"], json!([]));
    (checker, project)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_bytes_break_it(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        answer(&mut Checker::default(), &bytes);
    }

    #[test]
    fn no_change_of_a_request_breaks_it(at in 0..1000usize, byte in any::<u8>(), which in 0..8usize) {
        let (mut checker, project) = opened();
        let mut all = questions(&project, "a", 30);
        all.push(check(&project, "a", FLOW));
        let mut request = all[which].to_string().into_bytes();
        let place = at % request.len();
        request[place] = byte;
        answer(&mut checker, &request);
        let answer = ask(&mut checker, &check(&project, "a", FLOW));
        prop_assert_eq!(&answer["answer"]["findings"], &json!([]));
    }

    /// Typing: any text at any place, and questions anywhere after it.
    #[test]
    fn no_change_of_a_text_breaks_it(
        changes in proptest::collection::vec((0..200usize, 0..40usize, "[ -~\\n好😀]{0,6}"), 1..8),
        at in 0..300u32,
    ) {
        let (mut checker, project) = opened();
        let mut text: Vec<char> = FLOW.chars().collect();
        for (start, length, new) in changes {
            let start = start.min(text.len());
            let end = (start + length).min(text.len());
            text.splice(start..end, new.chars());
            let text: String = text.iter().collect();
            let mut request = check(&project, "a", &text);
            request["edited"] = json!(start);
            let answer = ask(&mut checker, &request);
            prop_assert!(answer["answer"]["findings"].is_array(), "{}", answer);
            for question in questions(&project, "a", at) {
                ask(&mut checker, &question);
            }
        }
    }
}

#[test]
fn a_flow_that_cannot_be_read_is_no_finding_of_those_that_call_it() {
    let mut checker = Checker::default();
    let open = json!({ "ask": "open", "catalog": { "flows": {} } });
    let project = ask(&mut checker, &open)["answer"]["project"].clone();
    let calls = "flow: calls\nformat: 1\nsteps:\n  start:\n    call: called\n    with: { number: a }\n    then: { done: bye, error: bye }\n  \
                 bye: { hangup: completed }\n";
    for called in [
        "flow: called\nsteps: [",
        "format: 1\nsteps: {",
        "flow: called\ninptus: { number: text }\n",
    ] {
        ask(&mut checker, &check(&project, "called.flow.yaml", called));
        let answer = ask(&mut checker, &check(&project, "calls.flow.yaml", calls));
        let findings = answer["answer"]["findings"].as_array().map(Vec::len);
        assert_eq!(findings, Some(0), "{called}: {answer}");
        let forget = json!({ "ask": "forget", "project": project, "file": "called.flow.yaml" });
        ask(&mut checker, &forget);
    }
}
