//! Every flow that we accept reads the same in serde_yaml: designers may use other tools on the same
//! files, and must not be told two different things.

mod support;

use serde_yaml::Value;
use strowger_flow::check;

/// What YAML 1.1 readers make of a file, every scalar as text.
fn flat(value: &Value, path: &str, out: &mut Vec<(String, String)>) {
    match value {
        Value::Null => out.push((path.to_owned(), String::new())),
        Value::Bool(bool) => out.push((path.to_owned(), bool.to_string())),
        Value::Number(number) => out.push((path.to_owned(), number.to_string())),
        Value::String(text) => out.push((path.to_owned(), text.clone())),
        Value::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                flat(item, &format!("{path}[{index}]"), out);
            }
        }
        Value::Mapping(map) => {
            for (key, value) in map {
                let mut keys = Vec::new();
                flat(key, "", &mut keys);
                flat(value, &format!("{path}.{}", keys[0].1), out);
            }
        }
        Value::Tagged(tagged) => flat(&tagged.value, path, out),
    }
}

#[test]
fn the_good_flows_say_the_same_to_serde_yaml() {
    for (file, text) in support::GOOD {
        let checked = check(file, text.as_bytes(), &support::project());
        let plan = checked.plan.expect("a good flow has a plan");
        let yaml: Value = serde_yaml::from_str(text).expect("a good flow is YAML");
        let mut flattened = Vec::new();
        flat(&yaml, "", &mut flattened);
        let look_up = |path: &str| {
            flattened
                .iter()
                .find(|(known, _)| known == path)
                .map(|(_, value)| value.as_str())
        };
        assert_eq!(look_up(".flow"), Some(plan.flow.as_str()));
        let languages: Vec<&str> = flattened
            .iter()
            .filter(|(path, _)| path.starts_with(".languages["))
            .map(|(_, value)| value.as_str())
            .collect();
        assert_eq!(languages, plan.languages);
        for prompt in plan.prompts.iter().filter(|prompt| prompt.name.is_some()) {
            let name = prompt.name.as_deref().unwrap_or_default();
            for (language, voices) in &prompt.voices {
                let Some(written) = look_up(&format!(".prompts.{name}.{language}")) else {
                    continue;
                };
                let ours: String = voices[0].text.iter().flatten().map(piece).collect();
                let theirs = blank_expressions(written);
                assert_eq!(ours, theirs, "{file}: {name}.{language}");
            }
        }
        for name in yaml["steps"].as_mapping().expect("steps").keys() {
            let name = name.as_str().expect("a step's name is text");
            assert!(
                plan.nodes.iter().any(|node| node.step == name),
                "{file}: {name}"
            );
        }
    }
}

fn piece(piece: &strowger_flow::plan::Piece) -> String {
    match piece {
        strowger_flow::plan::Piece::Text(text) => text.clone(),
        strowger_flow::plan::Piece::Expr(_) => "${}".to_owned(),
    }
}

fn blank_expressions(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        out.push_str(&rest[..at]);
        out.push_str("${}");
        rest = rest[at..].find('}').map_or("", |end| &rest[at + end + 1..]);
    }
    out.push_str(rest);
    out
}

/// A scalar that YAML readers turn into something else is text to us, unless its field says otherwise.
#[test]
fn scalars_are_text_until_the_field_says_otherwise() {
    let text = "flow: case\nformat: 1\nvars:\n  phone: { type: text, default: +8613800138000 }\n  \
                number: { type: text, default: 0012345 }\n  time: { type: text, default: 09:30 }\n  \
                word: { type: text, default: no }\n  exact: { type: number, default: 7 }\n\
                steps:\n  start:\n    - say: \"${phone} ${number} ${time} ${word} ${exact}\"\n    - hangup: done\n";
    let checked = check("case.flow.yaml", text.as_bytes(), &support::steps());
    let plan = checked
        .plan
        .unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
    let default = |name: &str| format!("{:?}", plan.vars[name].default);
    assert_eq!(default("phone"), "Some(Text(\"+8613800138000\"))");
    assert_eq!(default("number"), "Some(Text(\"0012345\"))");
    assert_eq!(default("time"), "Some(Text(\"09:30\"))");
    assert_eq!(default("word"), "Some(Text(\"no\"))");
    assert_eq!(default("exact"), "Some(Number(7.0))");
}
