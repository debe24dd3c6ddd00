use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::harness::{Script, check_description, read_description};
use crate::media::{self, Utterance};
use crate::{About, Failure, Step, env};

crate::plugin! {
    name: "desk",
    version: "1.2.0",
    summary: { "en" => "Sends callers on.", "zh" => "转接来电。" },
    steps: [Decide, Close],
}

/// A step with all that a type can say.
struct Decide;

#[derive(Deserialize, JsonSchema)]
struct Decision {
    /// What is said first.
    #[schemars(extend("format" = "prompt"))]
    prompt: String,
    tier: Tier,
    #[serde(default = "utc")]
    zone: String,
    /// Open cases.
    #[serde(default)]
    #[schemars(range(max = 99))]
    cases: u32,
    note: Option<String>,
    #[serde(default)]
    texts: BTreeMap<String, String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Tier {
    /// Served first.
    Gold,
    /// Everybody else.
    Standard,
}

fn utc() -> String {
    "UTC".to_owned()
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Decided {
    /// Somebody in particular.
    Vip {
        priority: u8,
        desk: Desk,
    },
    AsUsual(Desk),
    NotOpen,
}

#[derive(Serialize, JsonSchema)]
struct Desk {
    /// Whom to ask.
    #[schemars(extend("format" = "destination"))]
    name: String,
}

impl Step for Decide {
    const NAME: &'static str = "decide";
    type Input = Decision;
    type Output = Decided;

    fn about() -> About {
        About::new()
            .title("en", "Decide")
            .title("zh", "决定")
            .main("prompt")
            .into("priority")
            .bind::<u8>("hour")
            .people("vip")
            .idempotent()
            .example(&json!({ "prompt": "p:0", "tier": "gold" }), "vip")
            .example_with(
                &json!({ "prompt": "p:0", "tier": "standard" }),
                "as_usual",
                &json!({ "name": "desk" }),
            )
    }

    fn run(input: Decision) -> Result<Decided, Failure> {
        let hour = env::local_time(&input.zone)?.hour;
        if !(8..20).contains(&hour) {
            return Ok(Decided::NotOpen);
        }
        media::say(&Utterance::given(input.prompt), true)?;
        let desk = Desk {
            name: input.note.unwrap_or_else(|| "desk".to_owned()),
        };
        Ok(match input.tier {
            Tier::Gold => Decided::Vip {
                priority: 60 + input.cases.min(30) as u8 + input.texts.len() as u8,
                desk,
            },
            Tier::Standard => Decided::AsUsual(desk),
        })
    }
}

/// A step with as little as there can be.
struct Close;

#[derive(Deserialize, JsonSchema)]
struct Nothing {}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Closed {
    Closed,
    WasClosed,
}

impl Step for Close {
    const NAME: &'static str = "close";
    type Input = Nothing;
    type Output = Closed;

    fn run(Nothing {}: Nothing) -> Result<Closed, Failure> {
        match env::config::<BTreeMap<String, bool>>()?.get("closed") {
            Some(true) => Ok(Closed::WasClosed),
            _ => Ok(Closed::Closed),
        }
    }
}

#[test]
fn the_description_is_what_the_types_say() {
    let expected = json!({
        "name": "desk",
        "version": "1.2.0",
        "summary": { "en": "Sends callers on.", "zh": "转接来电。" },
        "steps": {
            "decide": {
                "title": { "en": "Decide", "zh": "决定" },
                "input": {
                    "type": "object",
                    "required": ["prompt", "tier"],
                    "additionalProperties": false,
                    "patternProperties": { "^\\$": {} },
                    "properties": {
                        "prompt": { "type": "string", "format": "prompt", "description": "What is said first." },
                        "tier": { "type": "string", "enum": ["gold", "standard"] },
                        "zone": { "type": "string", "default": "UTC" },
                        "cases": { "type": "integer", "minimum": 0, "maximum": 99, "default": 0, "description": "Open cases." },
                        "note": { "type": ["string", "null"] },
                        "texts": { "type": "object", "additionalProperties": { "type": "string" }, "default": {} }
                    }
                },
                "main": "prompt",
                "into": "priority",
                "binds": { "hour": { "type": "integer", "minimum": 0, "maximum": 255 } },
                "outcomes": {
                    "vip": {
                        "type": "object",
                        "description": "Somebody in particular.",
                        "required": ["priority", "desk"],
                        "properties": {
                            "priority": { "type": "integer", "minimum": 0, "maximum": 255 },
                            "desk": {
                                "type": "object",
                                "required": ["name"],
                                "properties": {
                                    "name": { "type": "string", "format": "destination", "description": "Whom to ask." }
                                }
                            }
                        }
                    },
                    "as_usual": {
                        "type": "object",
                        "required": ["name"],
                        "properties": {
                            "name": { "type": "string", "format": "destination", "description": "Whom to ask." }
                        }
                    },
                    "not_open": {}
                },
                "people": ["vip"],
                "idempotent": true,
                "examples": [
                    { "input": { "prompt": "p:0", "tier": "gold" }, "outcome": "vip" },
                    {
                        "input": { "prompt": "p:0", "tier": "standard" },
                        "outcome": "as_usual",
                        "data": { "name": "desk" }
                    }
                ]
            },
            "close": {
                "input": {
                    "type": "object",
                    "additionalProperties": false,
                    "patternProperties": { "^\\$": {} }
                },
                "outcomes": { "closed": {}, "was_closed": {} }
            }
        }
    });
    let described = read_description(&description());
    assert_eq!(described, expected, "{described:#}");
    // The same bytes each time: a component is known by what it is.
    assert_eq!(description(), description());
    check_description(&description(), STEPS);
}

#[test]
fn a_step_runs_in_the_harness_and_ends_with_its_variants() {
    let ran = |step: &str, hour: u8, input: Value| {
        let script = Script::new().at((2026, 3, 5), 4, (hour, 0));
        script.run(|| run(step, &input.to_string()))
    };
    let gold = ran(
        "decide",
        9,
        json!({ "prompt": "p:0", "tier": "gold", "cases": 5 }),
    );
    let expected = json!({ "priority": 65, "desk": { "name": "desk" } });
    assert_eq!(gold.outcome(), ("vip", expected));
    assert_eq!(gold.heard, ["p:0"]);
    let standard = json!({ "prompt": "p:0", "tier": "standard", "note": "sales" });
    let expected = json!({ "name": "sales" });
    assert_eq!(
        ran("decide", 9, standard.clone()).outcome(),
        ("as_usual", expected)
    );
    assert_eq!(
        ran("decide", 22, standard).outcome(),
        ("not_open", json!({}))
    );
    assert_eq!(ran("close", 9, json!({})).outcome(), ("closed", json!({})));
    for (step, input, code) in [
        (
            "decide",
            json!({ "prompt": "p:0", "tier": "lead" }),
            "bad-input",
        ),
        ("open", json!({}), "unknown-step"),
    ] {
        let failure = ran(step, 9, input).result.expect_err(step);
        assert_eq!(failure.code, code, "{}", failure.message);
    }
}

#[test]
fn what_is_no_enum_of_outcomes_is_told() {
    #[derive(Serialize, JsonSchema)]
    struct Several {
        one: u8,
        two: u8,
    }
    let failure = super::outcome(&Several { one: 1, two: 2 }).expect_err("two members");
    assert_eq!(failure.code, "bad-output");
    assert!(
        failure.message.contains("no variant of an enum"),
        "{}",
        failure.message
    );
    assert!(super::outcome(&7).is_err());
    // An outcome's data is an object.
    #[derive(Serialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    enum Odd {
        Told(String),
    }
    let outcomes = super::schema::of_outcomes::<Odd>();
    let odd = json!({ "version": "1.0.0", "steps": { "odd": { "input": { "type": "object" }, "outcomes": outcomes } } });
    let told = std::panic::catch_unwind(|| check_description(&odd.to_string(), &["odd"]));
    let told = told.expect_err("a text is no data");
    let told = told.downcast_ref::<String>().expect("words");
    assert!(
        told.contains("the data of outcome `told` is no object"),
        "{told}"
    );
    assert!(super::outcome(&Odd::Told(String::new())).is_ok());
}
