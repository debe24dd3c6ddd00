use serde_json::{Map, Value as Json, json};

use super::{
    DURATION, INSERTED, LANGUAGE, NAME, VARIABLE, described, named, object, of, one_or_list, words,
};
use crate::editor::keys;

/// The file itself.
pub(super) fn schema() -> Json {
    let mut file = object(keys::FILE, |key| match key {
        "flow" | "start" => of("name"),
        "format" => json!({ "enum": [1, "1"] }),
        "languages" => json!({ "type": "array", "items": of("language"), "minItems": 1 }),
        "inputs" | "vars" => named(VARIABLE, &of("declaration")),
        "outcomes" => json!({ "type": "array", "items": of("name") }),
        "prompts" => named(NAME, &of("spoken")),
        "hours" => named(NAME, &of("hours")),
        "defaults" => defaults(),
        "global" => object(keys::GLOBAL, |key| match key {
            "press" => of("press"),
            _ => of("target"),
        }),
        "steps" => named(
            NAME,
            &json!({ "anyOf": [of("action"), { "type": "array", "items": of("action"), "minItems": 1 }] }),
        ),
        "tests" => json!({ "type": "object", "additionalProperties": of("test") }),
        _ => of("scalar"),
    });
    file["required"] = json!(["flow", "format", "steps"]);
    file
}

/// What the parts of a file refer to.
pub(super) fn define(definitions: &mut Map<String, Json>) {
    let mut define = |name: &str, schema: Json| definitions.insert(name.to_owned(), schema);
    define(
        "scalar",
        json!({ "type": ["string", "number", "boolean", "null"] }),
    );
    define("text", json!({ "type": ["string", "number", "boolean"] }));
    define("name", json!({ "type": "string", "pattern": NAME }));
    define("language", json!({ "type": "string", "pattern": LANGUAGE }));
    define("yes_no", json!({ "enum": [true, false, "true", "false"] }));
    define(
        "duration",
        json!({
            "type": "string",
            "anyOf": [{ "pattern": DURATION }, { "pattern": INSERTED }],
            "description": "`250ms`, `5s`, `3m`, `1h30m`"
        }),
    );
    define(
        "number",
        json!({ "anyOf": [
            { "type": "number" },
            { "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$" },
            { "type": "string", "pattern": INSERTED }
        ] }),
    );
    define(
        "expression",
        json!({ "type": ["string", "number", "boolean"], "description": "An expression, without `${ }`." }),
    );
    define("words", json!({ "type": "array", "items": of("text") }));
    define("type", words(keys::TYPES));
    define(
        "declaration",
        json!({ "anyOf": [of("type"), object(keys::DECLARATION, |key| match key {
            "type" => of("type"),
            "default" => json!(true),
            "secret" => of("yes_no"),
            "one_of" => of("words"),
            _ => of("scalar"),
        })] }),
    );
    // A prompt where it is defined: a text for every language, or a voice for each.
    define("spoken", json!({ "anyOf": [of("text"), of("voices")] }));
    define(
        "voices",
        json!({
            "type": "object",
            "minProperties": 1,
            "propertyNames": { "anyOf": [{ "const": "any" }, { "pattern": LANGUAGE }] },
            "additionalProperties": one_or_list(&of("voice"))
        }),
    );
    define(
        "voice",
        json!({ "anyOf": [of("text"), object(keys::VOICE, |key| match key {
            "lang" => of("language"),
            _ => of("text"),
        }), { "type": "array", "minItems": 1, "items": of("voice") }] }),
    );
    define(
        "prompt",
        described(
            json!({ "anyOf": [of("text"), of("voices")] }),
            "The name of a prompt, a text, or a voice for each language.",
        ),
    );
    define("hours", hours());
    define(
        "expect",
        json!({ "anyOf": [
            words(&["digits", "yes_no", "number", "date", "time", "money", "phone", "text", "card"]),
            object(keys::EXPECT, |key| match key {
                "one_of" => of("words"),
                _ => json!({ "type": ["string", "integer"] }),
            })
        ] }),
    );
    tests(&mut define);
}

fn defaults() -> Json {
    object(keys::DEFAULTS, |key| match key {
        "timeout" | "gap" | "max_duration" => of("duration"),
        "attempts" | "max_steps" => of("number"),
        "barge_in" => of("yes_no"),
        "reprompt" => {
            json!({ "type": "object", "additionalProperties": { "type": "array", "items": of("prompt") } })
        }
        _ => of("text"),
    })
}

fn hours() -> Json {
    let span = json!({
        "type": "string",
        "pattern": "^[0-9]{1,2}:[0-9]{2} *- *[0-9]{1,2}:[0-9]{2}$",
        "description": "`09:00-21:00`; may cross midnight."
    });
    let spans = one_or_list(&span);
    let day = "(mon|tue|wed|thu|fri|sat|sun)";
    object(keys::HOURS, |key| match key {
        "weekly" => named(&format!("^{day}(-{day})?$"), &spans),
        "closed" => json!({ "type": "array", "items": { "type": "string" } }),
        "open" => named("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", &spans),
        _ => of("text"),
    })
}

fn tests(define: &mut impl FnMut(&str, Json) -> Option<Json>) {
    define(
        "test",
        object(keys::TEST, |key| match key {
            "given" => of("given"),
            "mock" => {
                json!({ "type": "object", "additionalProperties": one_or_list(&of("reply")) })
            }
            "run" => json!({ "type": "array", "items": of("act") }),
            "only" => of("yes_no"),
            _ => of("text"),
        }),
    );
    define(
        "given",
        object(keys::GIVEN, |key| match key {
            "language" => of("language"),
            "channel" => words(&["voice", "chat"]),
            "inputs" | "vars" => json!({ "type": "object" }),
            "hours" => json!({
                "type": "object",
                "additionalProperties": words(&["open", "closed", "holiday"])
            }),
            _ => of("text"),
        }),
    );
    define(
        "reply",
        json!({
            "type": "object",
            "required": ["outcome"],
            "properties": { "outcome": of("name"), "after": of("duration") }
        }),
    );
    define(
        "act",
        json!({ "anyOf": [words(&["silence", "hangup", "drop", "call_back"]), act()] }),
    );
    define(
        "expectation",
        object(keys::EXPECTATION, |key| match key {
            "within" => of("duration"),
            "vars" => json!({ "type": "object" }),
            "used" | "tag" => json!(true),
            "priority" => of("number"),
            _ => of("text"),
        }),
    );
}

fn act() -> Json {
    let mut act = object(keys::ACT, |key| match key {
        "wait" => of("duration"),
        "expect" => json!({ "anyOf": [of("text"), of("expectation")] }),
        "silence" => of("number"),
        _ => of("scalar"),
    });
    act["minProperties"] = json!(1);
    act["maxProperties"] = json!(1);
    act
}
