//! Answers that a test gives instead of plugins, queues, transfers and flows.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use strowger_contact::{HIDDEN, Millis, StepFailure, StepResult, TransferResult};
use strowger_flow::catalog::StepDescription;
use strowger_flow::plan::StepCall;
use strowger_flow::{Reply, Test};

/// The mocks of one contact: lists are used up in order, and the last answer stays.
#[derive(Debug)]
pub(super) struct Mocks<'t> {
    replies: &'t BTreeMap<String, Vec<Reply>>,
    used: BTreeMap<&'t str, usize>,
}

impl<'t> Mocks<'t> {
    pub fn new(test: &'t Test) -> Mocks<'t> {
        Mocks {
            replies: &test.mocks,
            used: BTreeMap::new(),
        }
    }

    /// The next answer of `key`, and its number.
    pub fn next(&mut self, key: &str) -> Option<(usize, &'t Reply)> {
        let (key, replies) = self.replies.get_key_value(key)?;
        let used = self.used.entry(key).or_default();
        let index = (*used).min(replies.len().checked_sub(1)?);
        *used += 1;
        Some((index, &replies[index]))
    }

    /// The next answer of a step, with or without the major version in its name.
    pub fn step(&mut self, step: &str) -> Option<&'t Reply> {
        let key = self.name_of(step)?;
        self.next(key).map(|(_, reply)| reply)
    }

    /// Whether a step is mocked, with or without the major version in its name.
    pub fn has(&self, step: &str) -> bool {
        self.name_of(step).is_some()
    }

    fn name_of<'s>(&self, step: &'s str) -> Option<&'s str> {
        let bare = step.split('@').next().unwrap_or(step);
        [step, bare]
            .into_iter()
            .find(|name| self.replies.contains_key(*name))
    }

    /// Mocks that nothing asked for.
    pub fn unused(&self) -> impl Iterator<Item = &'t str> {
        self.replies
            .keys()
            .map(String::as_str)
            .filter(|key| !self.used.contains_key(key))
    }
}

/// What a mocked step gives, and after which time; the text says why the mock is none. A step that is mocked to take longer than its
/// timeout has timed out by then, whatever it was to give; unless it `may_wait`, for the contact, people or a clock, which is
/// not counted.
pub(super) fn step_result(
    step: &str,
    reply: &Reply,
    call: Option<&StepCall>,
    description: Option<&StepDescription>,
    timeout_ms: Millis,
    may_wait: bool,
) -> Result<(Millis, StepResult), String> {
    let failure = |timeout: bool| StepFailure {
        code: if timeout { "timeout" } else { "mocked" }.to_owned(),
        message: format!("the test says so: {step} ends with `{}`", reply.outcome),
        timeout,
        retryable: true,
        own: false,
    };
    let (after, outcome) = match reply.outcome.as_str() {
        // A step that is too slow keeps the contact waiting for as long as it may.
        "timeout" if !says(description, "timeout") => {
            let after = match reply.after_ms {
                0 => timeout_ms,
                after => after,
            };
            (after, Err(failure(true)))
        }
        "error" if !says(description, "error") => (reply.after_ms, Err(failure(false))),
        outcome => {
            let listed = call.is_some_and(|call| call.edges.contains_key(outcome));
            if !listed && !says(description, outcome) {
                let known: Vec<_> = description
                    .into_iter()
                    .flat_map(|step| step.outcomes.keys())
                    .map(|name| format!("`{name}`"))
                    .collect();
                return Err(format!(
                    "{step} has no outcome `{outcome}`: write one of {}, `timeout` or `error`",
                    known.join(", ")
                ));
            }
            (
                reply.after_ms,
                Ok((outcome.to_owned(), data(reply, call).into())),
            )
        }
    };
    let (after, outcome) = match !may_wait && after > timeout_ms {
        true => (timeout_ms, Err(failure(true))),
        false => (after, outcome),
    };
    let result = StepResult {
        outcome,
        cpu_us: 0,
        memory_bytes: 0,
        host_calls: 0,
    };
    Ok((after, result))
}

/// Descriptions of steps in which no field of an outcome's data is promised: a mock gives what its flow
/// reads, and the rest has no value. What it gives is held against its type all the same, and a real step
/// against its own description by the plugin host.
pub(super) fn partial(
    steps: &BTreeMap<String, StepDescription>,
) -> BTreeMap<String, StepDescription> {
    let mut steps = steps.clone();
    for outcome in steps
        .values_mut()
        .flat_map(|step| step.outcomes.values_mut())
    {
        promise_nothing(outcome);
    }
    steps
}

/// Depth is bounded by the description's own, which the host has limited.
fn promise_nothing(schema: &mut Json) {
    match schema {
        Json::Object(fields) => {
            fields.values_mut().for_each(promise_nothing);
            // A property of that name has a schema, not a list.
            if fields.get("required").is_some_and(Json::is_array) {
                fields.remove("required");
            }
        }
        Json::Array(items) => items.iter_mut().for_each(promise_nothing),
        _ => {}
    }
}

/// What a mocked step gave, as it may be shown: of what is a secret, nothing.
pub(super) fn veiled(data: &Json, schema: &Json) -> Json {
    let of = |schema: &Json| schema["x-secret"] == true;
    let either = schema["anyOf"].as_array();
    if of(schema) || either.is_some_and(|either| either.iter().any(of)) {
        // What stands for a secret may be seen, and so may that there is none.
        let open = data.is_object() || data.is_null();
        return if open { data.clone() } else { json!(HIDDEN) };
    }
    match data {
        Json::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), veiled(value, &schema["properties"][name])))
            .collect(),
        Json::Array(items) => items
            .iter()
            .map(|item| veiled(item, &schema["items"]))
            .collect(),
        other => other.clone(),
    }
}

fn says(description: Option<&StepDescription>, outcome: &str) -> bool {
    description.is_some_and(|step| step.outcomes.contains_key(outcome))
}

/// The data of an outcome: a mock names the variables that take it.
fn data(reply: &Reply, call: Option<&StepCall>) -> Json {
    let mut fields = reply.data.clone();
    let bound = call.and_then(|call| call.bind.as_ref());
    let bound = bound.and_then(|name| fields.remove(name));
    let mut data = match bound {
        Some(Json::Object(data)) => data,
        _ => serde_json::Map::new(),
    };
    for (name, value) in fields {
        let into = call.and_then(|call| call.into.as_ref());
        let field = match into {
            Some(into) if into.variable == name => into.field.clone(),
            _ => name,
        };
        data.insert(field, value);
    }
    Json::Object(data)
}

/// How a queue lets go of a contact, in the JSON of `route.enqueue`.
pub(super) fn queue_end(reply: &Reply) -> Result<Json, String> {
    let ends = ["done", "timeout", "full", "closed", "no_agents", "failed"];
    match ends.contains(&reply.outcome.as_str()) {
        true => Ok(json!({ "ok": reply.outcome.replace('_', "-") })),
        false => Err(no_end("a queue", &reply.outcome, &ends)),
    }
}

/// How a transfer ends, in the JSON of `route.transfer`.
pub(super) fn transfer_end(reply: &Reply) -> Result<Json, String> {
    let ends = ["done", "busy", "no_answer", "declined", "failed"];
    let result = match reply.outcome.as_str() {
        "done" => TransferResult::Done,
        "busy" => TransferResult::Busy,
        "no_answer" => TransferResult::NoAnswer,
        "declined" => TransferResult::Declined,
        "failed" => TransferResult::Failed,
        other => return Err(no_end("a transfer", other, &ends)),
    };
    Ok(result.to_json())
}

fn no_end(what: &str, outcome: &str, ends: &[&str]) -> String {
    format!(
        "{what} does not end with `{outcome}`: write one of `{}`",
        ends.join("`, `")
    )
}
