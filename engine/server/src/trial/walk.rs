//! A step that is walked alone, on one instance or on a new one for each answer.

use serde_json::Value as Json;
use strowger_contact::Input;
use strowger_plugin::{HostCalls, Limits, Plugin};

use crate::runtime::{Guest, StepRun};

/// When the instance of a step is dropped, to be built anew for the answer it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drops {
    /// Never.
    Never,
    /// At every host call.
    AtEachCall,
}

/// What a step did.
#[derive(Debug, Clone, PartialEq)]
pub struct Walked {
    /// Its host calls: `interface.function` and the arguments.
    pub calls: Vec<(String, Vec<Json>)>,
    /// Outcome and data, or a failure's code and message.
    pub result: Result<(String, Json), (String, String)>,
    /// How often its instance was dropped.
    pub dropped: usize,
}

impl Walked {
    /// What another walk did otherwise, in a sentence; none when it did the same.
    pub fn differs(&self, other: &Walked) -> Option<String> {
        let both = self.calls.iter().zip(&other.calls);
        for (number, (one, two)) in (1..).zip(both) {
            if one != two {
                let (then, now) = (shown(one), shown(two));
                return Some(format!("call {number} was {then}, and is {now}"));
            }
        }
        if self.calls.len() != other.calls.len() {
            let (then, now) = (self.calls.len(), other.calls.len());
            return Some(format!("there were {then} calls, and are {now}"));
        }
        let same = self.result == other.result;
        (!same).then(|| {
            format!(
                "it ended with {:?}, and ends with {:?}",
                self.result, other.result
            )
        })
    }
}

fn shown((function, args): &(String, Vec<Json>)) -> String {
    format!("{function} {}", Json::from(args.clone()))
}

/// Walks a step; `host` answers it.
pub async fn walk(
    plugin: &Plugin,
    step: &str,
    input: &str,
    limits: &Limits,
    mut host: impl HostCalls,
    drops: Drops,
) -> Walked {
    let run = StepRun {
        plugin: plugin.clone(),
        activation: 1,
        step: step.to_owned(),
        input: input.to_owned(),
        limits: limits.clone(),
    };
    let mut guest = Guest::start(run, drops == Drops::AtEachCall);
    let mut calls = Vec::new();
    loop {
        match guest.turn().await {
            Input::Called {
                interface,
                function,
                args,
                ..
            } => {
                let args = match args.into_json() {
                    Json::Array(args) => args,
                    other => vec![other],
                };
                calls.push((format!("{interface}.{function}"), args.clone()));
                match host.call(&interface, &function, args).await {
                    Ok(answer) => guest.answer(answer),
                    Err(error) => {
                        let result = Err(("host".to_owned(), error.to_string()));
                        let dropped = guest.dropped();
                        return Walked {
                            calls,
                            result,
                            dropped,
                        };
                    }
                }
            }
            Input::StepEnded { result, .. } => {
                let result = result
                    .outcome
                    .map(|(outcome, data)| (outcome, data.into_json()))
                    .map_err(|failure| (failure.code, failure.message));
                let dropped = guest.dropped();
                return Walked {
                    calls,
                    result,
                    dropped,
                };
            }
            other => unreachable!("a guest calls or ends: {other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Walked;

    #[test]
    fn another_call_another_argument_and_another_end_are_told() {
        let walked = |calls: &[(&str, i32)], outcome: &str| Walked {
            calls: calls
                .iter()
                .map(|(name, value)| ((*name).to_owned(), vec![json!(value)]))
                .collect(),
            result: Ok((outcome.to_owned(), json!({}))),
            dropped: 0,
        };
        let one = walked(&[("kv.get", 1), ("kv.set", 2)], "done");
        assert_eq!(one.differs(&one.clone()), None);
        for (other, told) in [
            (
                walked(&[("kv.get", 1), ("kv.set", 3)], "done"),
                "call 2 was kv.set [2], and is kv.set [3]",
            ),
            (
                walked(&[("kv.get", 1), ("kv.get", 2)], "done"),
                "and is kv.get [2]",
            ),
            (
                walked(&[("kv.get", 1)], "done"),
                "there were 2 calls, and are 1",
            ),
            (
                walked(&[("kv.get", 1), ("kv.set", 2)], "else"),
                "it ended with",
            ),
        ] {
            let said = one.differs(&other).unwrap_or_default();
            assert!(said.contains(told), "{said}");
        }
    }
}
