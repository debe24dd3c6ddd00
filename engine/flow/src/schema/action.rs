use serde_json::{Map, Value as Json, json};

use super::{described, input, named, object, of, one_or_list};
use crate::catalog::{Catalog, FlowSignature, StepDescription};
use crate::editor::keys;

/// Outcomes that every step has.
const EVERYBODY: [&str; 3] = ["timeout", "error", "else"];

/// Keys of a telephone: `1`, `12`, `star`.
const KEY: &str = "^([0-9]{1,8}|star|hash|\\*|#)$";

/// Where a contact can go: `bye`, `flow:main-menu`.
const TARGET: &str = "^(flow:)?[a-z][a-z0-9_-]*$";

/// Actions, and where they lead.
pub(super) fn define(definitions: &mut Map<String, Json>, catalog: &Catalog) {
    let mut define = |name: String, schema: Json| definitions.insert(name, schema);
    define(
        "target".to_owned(),
        json!({
            "anyOf": [
                { "type": "string", "pattern": TARGET },
                { "type": "array", "items": of("action"), "minItems": 1 }
            ],
            "description": "A step, `flow:NAME`, `repeat`, or a list of actions to do here."
        }),
    );
    define(
        "press".to_owned(),
        named(
            KEY,
            &json!({ "anyOf": [of("target"), object(keys::PRESS_LINE, |key| match key {
                "to" => of("target"),
                "label" => of("prompt"),
                _ => one_or_list(&of("text")),
            })] }),
        ),
    );
    let mut verbs = Vec::new();
    for (verb, options, page) in keys::ENGINE_VERBS {
        match *verb {
            "use" => {}
            "call" => calls(&mut verbs, options, page, catalog),
            _ => verbs.push(engine_verb(verb, options, page)),
        }
    }
    for (key, step) in &catalog.steps {
        verbs.push(use_step(key, step, catalog));
    }
    for (verb, key) in &catalog.verbs {
        if let Some(step) = catalog.steps.get(key) {
            verbs.push(step_verb(verb, step, catalog));
        }
    }
    define("action".to_owned(), json!({ "anyOf": verbs }));
}

fn action(verb: &str, value: Json, options: Map<String, Json>) -> Json {
    let mut properties = options;
    properties.insert(verb.to_owned(), value);
    json!({
        "type": "object",
        "required": [verb],
        "additionalProperties": false,
        "properties": properties
    })
}

/// An option beside a verb.
fn option(name: &str) -> Json {
    let schema = match name {
        "when" => of("expression"),
        "as" | "into" => of("name"),
        "timeout" => of("duration"),
        "global" => of("yes_no"),
        "else" => of("target"),
        "then" => json!({ "anyOf": [
            of("target"),
            { "type": "object", "additionalProperties": of("target") }
        ] }),
        "with" => json!({ "type": "object" }),
        "retry" => object(keys::RETRY, |key| match key {
            "wait" => of("duration"),
            "only" => of("words"),
            _ => of("number"),
        }),
        "meanwhile" => object(keys::MEANWHILE, |key| match key {
            "after" => of("duration"),
            "say" => of("prompt"),
            _ => of("text"),
        }),
        _ => of("text"),
    };
    let page = keys::OPTIONS.iter().find(|(option, _)| *option == name);
    described(schema, page.map_or("", |(_, page)| page))
}

fn options(names: &[&str]) -> Map<String, Json> {
    names
        .iter()
        .map(|name| ((*name).to_owned(), option(name)))
        .collect()
}

fn engine_verb(verb: &str, names: &[&str], page: &str) -> Json {
    let value = match verb {
        "if" | "switch" => of("expression"),
        "choose" => json!({ "type": "array", "minItems": 1, "items": object(keys::CHOOSE, |key| {
            match key {
                "when" => of("expression"),
                _ => of("target"),
            }
        }) }),
        "set" => json!({ "type": "object", "minProperties": 1 }),
        "tag" => json!({ "anyOf": [of("text"), { "type": "object", "minProperties": 1 }] }),
        "wait" => of("duration"),
        "goto" => of("target"),
        "hangup" => of("scalar"),
        _ => of("text"),
    };
    action(verb, described(value, page), options(names))
}

/// `call:` with the inputs and outcomes of each flow that is known.
fn calls(verbs: &mut Vec<Json>, names: &[&str], page: &str, catalog: &Catalog) {
    let Some(flows) = &catalog.flows else {
        verbs.push(action("call", described(of("name"), page), options(names)));
        return;
    };
    for (flow, signature) in flows {
        verbs.push(call(flow, signature, names, page));
    }
}

fn call(flow: &str, signature: &FlowSignature, names: &[&str], page: &str) -> Json {
    let mut options = options(names);
    let inputs: Map<String, Json> = signature
        .inputs
        .keys()
        .map(|input| (input.clone(), json!(true)))
        .collect();
    let needed: Vec<&String> = signature
        .inputs
        .iter()
        .filter(|(_, input)| input.required)
        .map(|(name, _)| name)
        .collect();
    options.insert(
        "with".to_owned(),
        json!({ "type": "object", "additionalProperties": false, "properties": inputs, "required": needed }),
    );
    let outcomes = signature.outcomes.iter().map(String::as_str);
    let outcomes: Vec<&str> = outcomes.chain(["done"]).collect();
    options.insert("then".to_owned(), then(&outcomes, false));
    action("call", described(json!({ "const": flow }), page), options)
}

/// `then:` with a line for each outcome; with `open`, also for keys that are outcomes.
fn then(outcomes: &[&str], open: bool) -> Json {
    let lines: Map<String, Json> = outcomes
        .iter()
        .chain(&EVERYBODY)
        .map(|outcome| ((*outcome).to_owned(), of("target")))
        .collect();
    let others = if open { of("target") } else { json!(false) };
    let lines = json!({ "type": "object", "properties": lines, "additionalProperties": others });
    let page = keys::OPTIONS.iter().find(|(option, _)| *option == "then");
    described(
        json!({ "anyOf": [of("target"), lines] }),
        page.map_or("", |(_, page)| page),
    )
}

fn outcomes(step: &StepDescription) -> Json {
    let mut outcomes: Vec<&str> = step.outcomes.keys().map(String::as_str).collect();
    if outcomes.is_empty() {
        outcomes.push("done");
    }
    then(&outcomes, !step.outcomes_from.is_empty())
}

fn title(step: &StepDescription) -> String {
    let titles: Vec<&str> = step.title.values().map(String::as_str).collect();
    titles.join(" / ")
}

/// `use: plugin/step@1`
fn use_step(key: &str, step: &StepDescription, catalog: &Catalog) -> Json {
    let names = keys::ENGINE_VERBS
        .iter()
        .find(|(verb, _, _)| *verb == "use")
        .map_or(&[] as &[&str], |(_, names, _)| *names);
    let mut options = options(names);
    let inputs = input::properties(&step.input, catalog);
    let defaults = |name: &str| keys::DEFAULTS.iter().any(|(key, _)| *key == name);
    let needed: Vec<&str> = step.input["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .filter(|name| !defaults(name))
        .collect();
    options.insert(
        "with".to_owned(),
        json!({ "type": "object", "additionalProperties": false, "properties": inputs, "required": needed }),
    );
    options.insert("then".to_owned(), outcomes(step));
    action(
        "use",
        described(json!({ "const": key }), &title(step)),
        options,
    )
}

/// A step written as a verb: its inputs stand beside it, or all below it.
fn step_verb(verb: &str, step: &StepDescription, catalog: &Catalog) -> Json {
    let mut options = options(&[
        "when",
        "title",
        "global",
        "as",
        "into",
        "retry",
        "meanwhile",
    ]);
    let inputs = input::properties(&step.input, catalog);
    let below = json!({ "type": "object", "additionalProperties": false, "properties": inputs });
    let main = step.main.as_ref().and_then(|main| inputs.get(main));
    let schema = step
        .main
        .as_ref()
        .map(|main| &step.input["properties"][main.as_str()]);
    // What the step says by itself need not be written.
    let itself = schema.is_some_and(|schema| !schema["default"].is_null());
    let value = match main {
        Some(main) if itself => json!({ "anyOf": [main, below, { "type": "null" }] }),
        Some(main) => json!({ "anyOf": [main, below] }),
        None => json!({ "anyOf": [below, { "type": "null" }] }),
    };
    options.extend(inputs);
    options.insert("then".to_owned(), outcomes(step));
    action(verb, described(value, &title(step)), options)
}
