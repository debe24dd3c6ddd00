//! Steps that run, mocked or real, and what they ask for.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use strowger_contact::{Input, Millis, StepResult};
use strowger_flow::Reply;
use strowger_flow::plan::Action;
use strowger_plugin::Limits;

use super::record::What;
use super::world::{Asked, Due, World};
use super::{hours, mocks, stub};
use crate::runtime::{Guest, StepRun, failure, step_name};

/// Busy time of a step in a test, in milliseconds. Only processor time ends a step there: the wall's time
/// says nothing about a flow, and would make the result depend on how busy the machine is.
const BUSY_MS: u64 = 3_600_000;

/// The capabilities by which a step waits for the contact, for people or for a clock: that time is not its `timeout:`'s.
const WAITING: [&str; 3] = ["media", "route", "wait"];

impl World<'_> {
    pub(super) fn run(&mut self, activation: u32, step: String, input: String, timeout_ms: u64) {
        self.asked = Asked::Nothing;
        if let Some(key) = stub::key(&step) {
            let (key, step) = (key.to_owned(), step.clone());
            return self.run_stub(activation, &key, &step);
        }
        let bare = step.split('@').next().unwrap_or(&step).to_owned();
        if self.mocks.has(&step)
            && let Some(plugin) = self.steps.plugins.get(&step)
            && let Err(error) = plugin.takes(step_name(&bare), &input, &Limits::default())
        {
            // As in a call: the step refuses its input before it does anything.
            self.note(What::Used {
                step: bare,
                mocked: true,
            });
            let refused = StepResult::failed(failure(&error));
            self.ends(activation, (0, refused), false);
            return;
        }
        if let Some(reply) = self.mocks.step(&step) {
            self.note(What::Used {
                step: bare,
                mocked: true,
            });
            let description = self.steps.descriptions.get(&step);
            let node = self.node();
            let call = node.and_then(|(_, node)| match &node.action {
                Action::Step(call) => Some(&**call),
                _ => None,
            });
            let plugin = self.steps.plugins.get(&step);
            let may_wait = plugin.is_some_and(|plugin| {
                let mut imports = plugin.imports().iter();
                imports.any(|import| WAITING.contains(&import.as_str()))
            });
            match mocks::step_result(&step, reply, call, description, timeout_ms, may_wait) {
                Ok(end) => self.ends(activation, end, may_wait),
                Err(why) => self.trouble("a mock does not fit", &why),
            }
            return;
        }
        // The program was checked against these very steps.
        let Some(plugin) = self.steps.plugins.get(&step).cloned() else {
            return self.trouble(
                &format!("no plugin offers `{step}`"),
                &format!("mock it: `mock: {{ {bare}: {{ outcome: … }} }}`"),
            );
        };
        let name = step_name(&bare).to_owned();
        self.note(What::Used {
            step: bare,
            mocked: false,
        });
        let input = hours::ruled(input, &self.test.given.hours);
        let limits = Limits {
            busy_ms: BUSY_MS,
            ..Limits::default()
        };
        let step = StepRun {
            plugin,
            activation,
            step: name,
            input,
            limits,
        };
        self.guest = Some(Guest::start(step, self.rebuild));
    }

    /// A mocked flow gives its next answer.
    fn run_stub(&mut self, activation: u32, key: &str, step: &str) {
        let Some((number, reply)) = self.mocks.next(key) else {
            return self.trouble(
                &format!("the mock `{key}` has no answer"),
                "write `{ outcome: … }`",
            );
        };
        let answer = Reply {
            outcome: match reply.outcome.as_str() {
                "error" => "error".to_owned(),
                _ => stub::outcome(number),
            },
            after_ms: reply.after_ms,
            data: BTreeMap::new(),
        };
        let node = self.node();
        let call = node.and_then(|(_, node)| match &node.action {
            Action::Step(call) => Some(&**call),
            _ => None,
        });
        match mocks::step_result(step, &answer, call, None, 0, true) {
            Ok(end) => self.ends(activation, end, true),
            Err(why) => self.trouble("a mock does not fit", &why),
        }
    }

    /// A mocked step ends in so many milliseconds, with its result.
    fn ends(&mut self, activation: u32, (after, result): (Millis, StepResult), waits: bool) {
        let end = Due::Step {
            activation,
            result: Box::new(result),
            waits,
        };
        self.due.push((self.now.saturating_add(after), end));
    }

    /// The caller is gone: a mocked step that waits for them ends, with what the test gives it. A real one is told so.
    pub(super) fn nobody_waits(&mut self) {
        for (at, due) in &mut self.due {
            if matches!(due, Due::Step { waits: true, .. }) {
                *at = self.now.min(*at);
            }
        }
    }

    pub(super) fn step_ended(&mut self, activation: u32, result: StepResult, mocked: bool) {
        self.mocked = mocked;
        self.handle(Input::StepEnded { activation, result });
        self.mocked = false;
    }
}

impl Asked {
    /// What a guest waits for once it has called the host.
    pub(super) fn by_call(interface: &str, function: &str, args: &[Json]) -> Asked {
        match (interface, function) {
            ("media", "say") => Asked::Talk {
                prompts: prompts(args.first()),
                listens: false,
            },
            ("media", "listen") => Asked::Talk {
                prompts: prompts(args.first()),
                listens: true,
            },
            ("wait", "wait-any") if endless(args.first()) => Asked::Input,
            _ => Asked::Nothing,
        }
    }
}

/// The flow's prompts in an utterance, by number.
fn prompts(utterance: Option<&Json>) -> Vec<u32> {
    let prompts = utterance.and_then(|utterance| utterance.get("prompts")?.as_array());
    prompts
        .into_iter()
        .flatten()
        .filter_map(|prompt| {
            prompt
                .get("given")?
                .as_str()?
                .strip_prefix("p:")?
                .parse()
                .ok()
        })
        .collect()
}

/// Whether no time ends a wait.
fn endless(conditions: Option<&Json>) -> bool {
    let conditions = conditions.and_then(Json::as_array);
    !conditions
        .into_iter()
        .flatten()
        .any(|condition| condition.get("elapsed").is_some())
}
