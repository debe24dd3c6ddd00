//! `resume:` of a route: a caller whose line dropped may go on where it broke.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use strowger_flow::diagnostic::{Text, text};

/// Longest time for coming back, in minutes: a day.
pub const MAX_MINUTES: u32 = 1_440;
/// Longest question, in characters.
const MAX_QUESTION: usize = 500;

/// For how long, and how they are asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resume {
    /// How long after the line dropped the caller may go on, in minutes: 1 to [`MAX_MINUTES`].
    pub minutes: u32,
    /// What is asked, by language; the standing question where there is none. It says that 1 goes on and 2 begins anew.
    pub say: BTreeMap<String, String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    minutes: u32,
    #[serde(default)]
    say: BTreeMap<String, String>,
}

impl Resume {
    /// The time for coming back, in milliseconds.
    pub fn window_ms(&self) -> u64 {
        u64::from(self.minutes) * 60_000
    }

    /// What is wrong with it: the keys that lead there, what, and what to do. `languages` are those of the route's flow;
    /// none where that is not known.
    pub(super) fn wrong(&self, languages: Option<&[String]>) -> Vec<(Vec<&str>, Text, Text)> {
        let mut wrong = Vec::new();
        let minutes = self.minutes;
        if !(1..=MAX_MINUTES).contains(&minutes) {
            let message = text!(
                "`resume` is {minutes} minutes, not 1 to {MAX_MINUTES}",
                "`resume` 是 {minutes} 分钟，应为 1 到 {MAX_MINUTES}"
            );
            let help = Text::fixed(
                "write how many minutes a caller who was cut off has to call again, as in `resume: 10`",
                "写出通话中断后主叫可以重新打来的分钟数，例如 `resume: 10`",
            );
            wrong.push((vec!["minutes"], message, help));
        }
        for (language, question) in &self.say {
            let characters = question.chars().count();
            if question.trim().is_empty() || characters > MAX_QUESTION {
                let message = text!(
                    "the question in `{language}` has {characters} characters, not 1 to {MAX_QUESTION}",
                    "`{language}` 的问题有 {characters} 个字符，应为 1 到 {MAX_QUESTION}"
                );
                let help = Text::fixed(
                    "say that the call was cut off, that 1 goes on and that 2 begins anew; or leave it out for the \
                     standing question",
                    "请说明通话中断、按一继续、按二重新开始；或删去它以使用内置的问题",
                );
                wrong.push((vec!["say", language], message, help));
            } else if let Some(languages) = languages.filter(|known| !known.contains(language)) {
                let (known, shown) = (languages.join(", "), languages.join("`、`"));
                let message = text!(
                    "the flow does not speak `{language}`: this question is never asked",
                    "流程不使用 `{language}`：这个问题永远不会问到"
                );
                let help = text!(
                    "the flow's languages are {known}",
                    "流程的语言有：`{shown}`"
                );
                wrong.push((vec!["say", language], message, help));
            }
        }
        wrong
    }
}

impl<'de> Deserialize<'de> for Resume {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Resume, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Resume;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("minutes, as in `resume: 10`, or `{ minutes: 10, say: { en: … } }`")
            }

            fn visit_u64<E: de::Error>(self, minutes: u64) -> Result<Resume, E> {
                let minutes = u32::try_from(minutes)
                    .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(minutes), &self))?;
                Ok(Resume {
                    minutes,
                    say: BTreeMap::new(),
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Resume, A::Error> {
                let Whole { minutes, say } = Whole::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Resume { minutes, say })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl JsonSchema for Resume {
    fn schema_name() -> Cow<'static, str> {
        "Resume".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let minutes = || {
            serde_json::json!({
                "type": "integer", "minimum": 1, "maximum": MAX_MINUTES,
                "description": "How long after the line dropped the caller may go on, in minutes."
            })
        };
        json_schema!({
            "oneOf": [
                minutes(),
                {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["minutes"],
                    "properties": {
                        "minutes": minutes(),
                        "say": {
                            "type": "object",
                            "description": "What is asked, by language; the standing question where there is none. It says that 1 goes on and 2 begins anew.",
                            "additionalProperties": { "type": "string", "minLength": 1, "maxLength": MAX_QUESTION }
                        }
                    }
                }
            ]
        })
    }
}
