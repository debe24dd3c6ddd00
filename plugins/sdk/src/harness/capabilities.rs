//! The capabilities as the script answers them. Modules and signatures are those that the generator
//! makes of the WIT, so that the SDK's own code does not know which of the two it calls.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Act, Script, WORLD, wit};
use crate::Error;
use wit::media::media::{Binding, Bound, Heard, ListenOptions, Prompt, Secret, Utterance};

/// The script of the running test.
fn world<T>(answer: impl FnOnce(&mut Script) -> T) -> T {
    WORLD.with_borrow_mut(|world| {
        answer(
            world.as_mut().expect(
                "outside wasm a step runs inside `Script::run`, which is the world it calls",
            ),
        )
    })
}

pub(crate) mod host {
    pub(crate) mod contact {
        use super::super::{wit::contact::contact::Facts, world};

        pub(crate) fn read() -> Facts {
            world(|script| script.facts.clone())
        }
    }

    pub(crate) mod media {
        use super::super::wit::media::media::{
            Binding, Heard, ListenOptions, RecordOptions, Recording, Said, Utterance,
        };
        use super::super::{bound_values, checks, hear, show, world};
        use crate::Error;

        pub(crate) fn say(what: &Utterance, _barge_in: bool) -> Result<Said, Error> {
            world(|script| {
                script.heard.push(show(what));
                Ok(Said::Finished)
            })
        }

        pub(crate) fn listen(what: &Utterance, options: &ListenOptions) -> Result<Heard, Error> {
            world(|script| {
                script.heard.push(show(what));
                hear(script.acts.pop_front(), options, &mut script.secrets)
            })
        }

        pub(crate) fn is_card_number(handle: &str) -> Result<bool, Error> {
            let entry = world(|script| script.secrets.get(handle).cloned());
            let unknown =
                || Error::InvalidArgument(format!("`{handle}` is no secret of the script"));
            Ok(checks(&entry.ok_or_else(unknown)?))
        }

        pub(crate) fn capture(_options: &RecordOptions) -> Result<Recording, Error> {
            world(|script| script.recorded.take().unwrap_or(Err(Error::Hangup)))
        }

        pub(crate) fn evaluate(expression: &str, bindings: &[Binding]) -> Result<String, Error> {
            let bound = bound_values(bindings)?;
            world(|script| match &script.evaluator {
                Some(value) => Ok(value(expression, &bound).to_string()),
                None => Err(Error::InvalidArgument(format!(
                    "`{expression}` is no expression of the script"
                ))),
            })
        }
    }

    pub(crate) mod route {
        use super::super::wit::route::route::{QueueOptions, Queued, TransferOptions, Transferred};
        use super::super::world;
        use crate::Error;

        pub(crate) fn transfer(
            target: &str,
            options: &TransferOptions,
        ) -> Result<Transferred, Error> {
            world(|script| {
                script.transfers.push((target.to_owned(), options.clone()));
                script.transferred.take().unwrap_or(Err(Error::Hangup))
            })
        }

        pub(crate) fn enqueue(queue: &str, options: &QueueOptions) -> Result<Queued, Error> {
            world(|script| {
                script.queues.push((queue.to_owned(), options.clone()));
                script.queued.take().unwrap_or(Err(Error::Hangup))
            })
        }
    }

    pub(crate) mod wait {
        use super::super::{Act, wit::wait::wait::Condition, world};
        use crate::Error;

        pub(crate) fn sleep(ms: u64) -> Result<(), Error> {
            world(|script| {
                script.now += ms;
                Ok(())
            })
        }

        pub(crate) fn wait_any(conditions: &[Condition]) -> Result<u32, Error> {
            world(|script| {
                let acts = matches!(script.acts.front(), Some(Act::Press(_) | Act::Send(_)));
                let rank = |condition: &Condition| match condition {
                    Condition::Input if acts => Some(0),
                    Condition::Input => None,
                    Condition::Elapsed(ms) => Some(*ms),
                };
                let first = conditions
                    .iter()
                    .zip(0..)
                    .filter_map(|(c, i)| Some((rank(c)?, i)))
                    .min();
                match first {
                    Some((ms, index)) => {
                        script.now += ms;
                        Ok(index)
                    }
                    None => Err(Error::Hangup),
                }
            })
        }
    }

    pub(crate) mod http {
        use super::super::{wit::http::client::Request, wit::http::client::Response, world};
        use crate::Error;

        pub(crate) fn fetch(request: &Request) -> Result<Response, Error> {
            world(|script| {
                script.requests.push(request.clone());
                let answer = script.service.as_ref().and_then(|service| service(request));
                answer.unwrap_or_else(|| {
                    Err(Error::Unavailable(format!(
                        "nobody answers at {}",
                        request.url
                    )))
                })
            })
        }
    }

    pub(crate) mod kv {
        use super::super::world;
        use crate::Error;

        pub(crate) fn get(key: &str) -> Result<Option<Vec<u8>>, Error> {
            world(|script| Ok(script.kept.get(key).cloned()))
        }

        pub(crate) fn set(key: &str, value: &[u8], _ttl_ms: Option<u64>) -> Result<(), Error> {
            world(|script| {
                script.kept.insert(key.to_owned(), value.to_owned());
                Ok(())
            })
        }

        pub(crate) fn delete(key: &str) -> Result<(), Error> {
            world(|script| {
                script.kept.remove(key);
                Ok(())
            })
        }

        pub(crate) fn compare_and_set(
            key: &str,
            expected: Option<&[u8]>,
            value: &[u8],
        ) -> Result<bool, Error> {
            world(|script| {
                let same = script.kept.get(key).map(Vec::as_slice) == expected;
                if same {
                    script.kept.insert(key.to_owned(), value.to_owned());
                }
                Ok(same)
            })
        }
    }

    pub(crate) mod env {
        use super::super::wit::env::env::{Civil, Level};
        use super::super::world;
        use crate::Error;

        pub(crate) fn now() -> u64 {
            world(|script| script.now)
        }

        pub(crate) fn local_time(_zone: &str) -> Result<Civil, Error> {
            world(|script| Ok(script.civil))
        }

        pub(crate) fn random(length: u32) -> Result<Vec<u8>, Error> {
            // Nothing in a test may depend on chance.
            Ok((0..length).map(|i| i.to_le_bytes()[0]).collect())
        }

        pub(crate) fn config() -> String {
            world(|script| script.config.clone())
        }

        pub(crate) fn log(level: Level, message: &str) {
            world(|script| script.log.push(format!("{level:?} {message}")));
        }
    }
}

/// The handle of the secret entry heard last.
const SECRET: &str = "s:1";

/// Luhn, as the engine does it: spaces and hyphens count for nothing, and no digits are no number.
fn checks(entry: &str) -> bool {
    let written = entry
        .chars()
        .rev()
        .filter(|letter| !matches!(letter, ' ' | '-'));
    let digits: Option<Vec<u32>> = written.map(|letter| letter.to_digit(10)).collect();
    digits.is_some_and(|digits| {
        let weighed = digits.iter().enumerate().map(|(at, digit)| match at % 2 {
            0 => *digit,
            _ => digit * 2 / 10 + digit * 2 % 10,
        });
        !digits.is_empty() && weighed.sum::<u32>() % 10 == 0
    })
}

/// What a caller's act means to a step that listens, by the rules of `media.listen`.
fn hear(
    act: Option<Act>,
    options: &ListenOptions,
    secrets: &mut BTreeMap<String, String>,
) -> Result<Heard, Error> {
    let choice = |text: &str| {
        let same = |word: &String| word.to_lowercase() == text.trim().to_lowercase();
        let found = options
            .choices
            .iter()
            .find(|choice| choice.key == text || choice.words.iter().any(same));
        found.map(|choice| choice.key.clone())
    };
    let digits = |text: &str| {
        let rules = options.digits.as_ref()?;
        let entry = rules
            .end_key
            .as_ref()
            .and_then(|key| text.strip_suffix(key.as_str()))
            .unwrap_or(text);
        let fits = (rules.min as usize..=rules.max as usize).contains(&entry.len());
        (fits && entry.bytes().all(|byte| byte.is_ascii_digit())).then(|| entry.to_owned())
    };
    let (text, written) = match act {
        None => return Err(Error::Hangup),
        Some(Act::Refuse(error)) => return Err(error),
        Some(Act::Silence) => return Ok(Heard::Nothing),
        Some(Act::Press(keys)) => (keys, false),
        Some(Act::Send(text)) => (text, true),
    };
    if let Some(key) = choice(&text) {
        return Ok(Heard::Choice(key));
    }
    let entry = digits(&text).or_else(|| (written && options.text).then(|| text.trim().to_owned()));
    match entry {
        None if options.sensitive => Ok(Heard::Unmatched(String::new())),
        None => Ok(Heard::Unmatched(text)),
        Some(entry) if options.sensitive => {
            let length = entry.chars().count();
            let last_four = if length < 8 {
                ""
            } else {
                &entry[entry.len() - 4..]
            };
            let last_four = last_four.to_owned();
            secrets.insert(SECRET.to_owned(), entry);
            Ok(Heard::Secret(Secret {
                handle: SECRET.to_owned(),
                length: u32::try_from(length).unwrap_or(u32::MAX),
                last_four,
            }))
        }
        Some(entry) if written && digits(&text).is_none() => Ok(Heard::Text(entry)),
        Some(entry) => Ok(Heard::Digits(entry)),
    }
}

/// An utterance as one line.
fn show(what: &Utterance) -> String {
    let prompts = what.prompts.iter().map(show_prompt);
    let bindings = what.bindings.iter().map(|binding| match &binding.value {
        Bound::Value(json) => format!("{}={json}", binding.name),
        Bound::Prompts(prompts) => {
            let spoken: String = prompts.iter().map(show_prompt).collect();
            format!("{}={spoken}", binding.name)
        }
    });
    prompts.chain(bindings).collect::<Vec<_>>().join(" ")
}

fn show_prompt(prompt: &Prompt) -> String {
    match prompt {
        Prompt::Given(handle) => handle.clone(),
        Prompt::Text(text) => text.text.clone(),
        Prompt::Audio(path) => format!("[{path}]"),
        Prompt::Spoken(spoken) => format!("{}|{}", spoken.value, spoken.style),
    }
}

/// The values of bindings; prompts cannot stand in an expression.
fn bound_values(bindings: &[Binding]) -> Result<BTreeMap<String, Value>, Error> {
    let mut values = BTreeMap::new();
    for binding in bindings {
        let Bound::Value(json) = &binding.value else {
            return Err(Error::InvalidArgument(format!(
                "`{}` is bound to prompts",
                binding.name
            )));
        };
        let value = serde_json::from_str(json).map_err(|error| {
            Error::InvalidArgument(format!("`{}` is bound to no JSON: {error}", binding.name))
        })?;
        values.insert(binding.name.clone(), value);
    }
    Ok(values)
}
