//! Running a step: its start, its end, and what happens in between that is not talk.

use serde_json::Value as Json;
use strowger_flow::plan::{Action, Edge, NodeId, StepCall};
use strowger_flow::value::{Type, Value, from_json};

use crate::Millis;
use crate::contact::{Contact, State};
use crate::entry::EntryKind;
use crate::io::{Output, StepFailure, StepResult};
use crate::listening::Listening;
use crate::speech::Given;
use crate::timers::Timer;

/// The field of a step's input that names the variable `into:` fills. The engine's, not the author's.
pub const INTO_FIELD: &str = "$into";
/// The field of a step's input that carries the data of the outcome that led to `repeat`.
pub const KEPT_FIELD: &str = "$kept";
/// Longest pause before a step is tried again, in milliseconds.
const MAX_RETRY_WAIT_MS: f64 = 60_000.0;

/// A step that runs.
#[derive(Debug)]
pub(crate) struct Activation {
    pub id: u32,
    pub node: NodeId,
    /// `plugin/step@major`.
    pub step: String,
    pub given: Given,
    /// Host calls so far.
    pub calls: u32,
    pub pending: Pending,
    /// Repetitions before this activation.
    pub retries: u32,
    /// The caller hung up while the step ran.
    pub interrupted: bool,
}

impl Activation {
    /// The plugin's name.
    pub fn plugin(&self) -> &str {
        self.step
            .split_once('/')
            .map_or(&self.step, |(plugin, _)| plugin)
    }
}

/// The host call that the guest waits for.
#[derive(Debug)]
pub(crate) enum Pending {
    /// None: the guest computes.
    None,
    /// `media.say`
    Say { play: u32, barge_in: bool },
    /// `media.listen`
    Listen(Listening),
    /// `media.capture`
    Capture { effect: u32, end_key: Option<char> },
    /// `wait.sleep`
    Sleep,
    /// `wait.wait-any`: the index of `elapsed` that comes first, and of `input`.
    WaitAny {
        elapsed: Option<u32>,
        input: Option<u32>,
    },
    /// An effect whose result is the answer.
    Effect { effect: u32, transfer: bool },
}

impl Contact {
    pub(crate) fn step_call(&self, node: NodeId) -> Option<&StepCall> {
        match &self.frame().plan.nodes[node.0 as usize].action {
            Action::Step(call) => Some(call),
            _ => None,
        }
    }

    pub(crate) fn activation(&mut self) -> Option<&mut Activation> {
        match &mut self.state {
            State::Step(activation) => Some(activation),
            _ => None,
        }
    }

    /// Starts a step on a fresh instance.
    pub(crate) fn start_step(
        &mut self,
        now: Millis,
        node: NodeId,
        retries: u32,
        out: &mut Vec<Output>,
    ) {
        let plan = self.frame().plan.clone();
        let Action::Step(call) = &plan.nodes[node.0 as usize].action else {
            unreachable!("only step actions are started");
        };
        let binds = self
            .program
            .step(&call.step)
            .map(|types| types.binds.clone())
            .unwrap_or_default();
        let mut given = Given {
            binds,
            ..Given::default()
        };
        let input = self.input(now, call, &mut given);
        self.last_activation += 1;
        let id = self.last_activation;
        self.state = State::Step(Box::new(Activation {
            id,
            node,
            step: call.step.clone(),
            given,
            calls: 0,
            pending: Pending::None,
            retries,
            interrupted: false,
        }));
        match input {
            Ok(input) => {
                if let Some(meanwhile) = &call.meanwhile {
                    self.timers.set(Timer::Meanwhile, now + meanwhile.after_ms);
                }
                out.push(Output::Run {
                    activation: id,
                    step: call.step.clone(),
                    input: input.to_string(),
                    timeout_ms: call.timeout_ms,
                });
            }
            Err(message) => {
                let failure = StepFailure {
                    code: "expression".into(),
                    message,
                    timeout: false,
                    retryable: false,
                };
                let result = StepResult {
                    outcome: Err(failure),
                    cpu_us: 0,
                    memory_bytes: 0,
                    host_calls: 0,
                };
                self.step_ended(now, id, result, out);
            }
        }
    }

    fn input(&self, now: Millis, call: &StepCall, given: &mut Given) -> Result<Json, String> {
        let Value::Object(fields) = self.fill(now, &call.input, given)? else {
            return Err("the input of a step is an object".into());
        };
        // An input whose value is `none` counts as not given.
        let fields = fields
            .into_iter()
            .filter(|(_, value)| *value != Value::None)
            .collect();
        let schema = self
            .program
            .step(&call.step)
            .map_or(&Json::Null, |types| &types.input);
        let Json::Object(mut input) = Value::Object(fields).to_json_for(schema) else {
            return Err("the input of a step is an object".into());
        };
        if let Some((variable, _)) = &call.into {
            input.insert(INTO_FIELD.into(), Json::String(variable.clone()));
        }
        if let Some(kept) = &self.frame().kept {
            input.insert(KEPT_FIELD.into(), kept.clone());
        }
        Ok(Json::Object(input))
    }

    /// A step came to its end.
    pub(crate) fn step_ended(
        &mut self,
        now: Millis,
        id: u32,
        result: StepResult,
        out: &mut Vec<Output>,
    ) {
        if self
            .activation()
            .is_none_or(|activation| activation.id != id)
        {
            return;
        }
        let State::Step(activation) = std::mem::replace(&mut self.state, State::Waiting(Edge::End))
        else {
            unreachable!("just looked");
        };
        self.step_over(&activation, out);
        match result.outcome {
            Ok((outcome, data)) => {
                let entry = EntryKind::Outcome {
                    plugin: activation.step.clone(),
                    outcome: outcome.clone(),
                    data: data.clone(),
                    cpu_us: result.cpu_us,
                    memory_bytes: result.memory_bytes,
                    host_calls: result.host_calls,
                };
                self.write(now, entry, out);
                if activation.interrupted {
                    return self.after_hang_up(now, out);
                }
                self.outcome(now, &activation, &outcome, data, out);
            }
            Err(failure) => self.failed(now, &activation, failure, out),
        }
    }

    /// Whatever belonged to the step is over with it.
    fn step_over(&mut self, activation: &Activation, out: &mut Vec<Output>) {
        for timer in [Timer::Listen, Timer::Wait, Timer::Meanwhile] {
            self.timers.clear(timer);
        }
        match &activation.pending {
            Pending::Say { .. } => out.push(Output::StopPlaying),
            Pending::Listen(listening) => {
                if listening.play.is_some() {
                    out.push(Output::StopPlaying);
                }
                if listening.sensitive {
                    out.push(Output::Mask(false));
                }
            }
            Pending::Capture { effect, .. } => out.push(Output::StopRecording { effect: *effect }),
            _ => {}
        }
        self.aside.queued = None;
        if std::mem::take(&mut self.aside.music) {
            out.push(Output::StopPlaying);
        }
    }

    /// Leaves the running step, if there is one, without asking it.
    pub(crate) fn cancel_step(&mut self, out: &mut Vec<Output>) {
        if let State::Step(activation) =
            std::mem::replace(&mut self.state, State::Waiting(Edge::End))
        {
            out.push(Output::Cancel {
                activation: activation.id,
            });
            self.step_over(&activation, out);
        }
        self.timers.clear(Timer::Retry);
        self.timers.clear(Timer::Wait);
    }

    fn outcome(
        &mut self,
        now: Millis,
        activation: &Activation,
        outcome: &str,
        data: Json,
        out: &mut Vec<Output>,
    ) {
        let plan = self.frame().plan.clone();
        let node = &plan.nodes[activation.node.0 as usize];
        let Action::Step(call) = &node.action else {
            unreachable!("only step actions are started")
        };
        let ty = self
            .program
            .step(&call.step)
            .and_then(|types| types.outcomes.get(outcome))
            .cloned()
            .unwrap_or(Type::Any);
        if let Some((variable, field)) = &call.into
            && let Some(value) = data.get(field)
        {
            let declared = plan.vars.get(variable).map(|declaration| &declaration.ty);
            let ty = declared
                .or_else(|| field_of(&ty, field))
                .unwrap_or(&Type::Any);
            let value = from_json(value, ty).or_else(|_| from_json(value, &Type::Any));
            let value = value.unwrap_or(Value::None);
            self.frame_mut().vars.insert(variable.clone(), value);
        }
        if let Some(variable) = &call.bind {
            match from_json(&data, &ty) {
                Ok(value) => self.frame_mut().vars.insert(variable.clone(), value),
                Err(message) => {
                    let message = format!(
                        "the data of outcome `{outcome}` does not fit its schema: {message}"
                    );
                    let failure = StepFailure {
                        code: "bad-output".into(),
                        message,
                        timeout: false,
                        retryable: false,
                    };
                    return self.failed(now, activation, failure, out);
                }
            };
        }
        let edge = match call.edges.get(outcome).or(call.otherwise.as_ref()) {
            Some(Edge::Repeat) => {
                self.frame_mut().kept = Some(data);
                return self.start_step(now, activation.node, 0, out);
            }
            Some(edge) => Some(edge.clone()),
            // A step with a single way on may be left by what follows it.
            None if outcome == "done" || call.edges.is_empty() => Some(node.next.clone()),
            None => self.error_edge(now, None, &format!("no line for outcome `{outcome}`"), out),
        };
        if let Some(edge) = edge {
            self.walk(now, edge, out);
        }
    }

    fn failed(
        &mut self,
        now: Millis,
        activation: &Activation,
        failure: StepFailure,
        out: &mut Vec<Output>,
    ) {
        let plan = self.frame().plan.clone();
        let Action::Step(call) = &plan.nodes[activation.node.0 as usize].action else {
            unreachable!("only step actions are started");
        };
        let kind = if failure.timeout { "timeout" } else { "error" };
        let retry = call.retry.as_ref().filter(|retry| {
            retry.only.iter().any(|only| only == kind)
                && activation.retries < retry.times
                && (failure.timeout || failure.retryable)
                && !self.hung_up
        });
        let entry = EntryKind::Failed {
            plugin: activation.step.clone(),
            code: failure.code.clone(),
            message: failure.message.clone(),
            retries_left: retry.map_or(0, |retry| retry.times - activation.retries),
        };
        self.write(now, entry, out);
        if activation.interrupted {
            return self.after_hang_up(now, out);
        }
        if let Some(retry) = retry {
            let pause = retry.wait_ms as f64 * retry.factor.powi(activation.retries as i32);
            self.timers.set(
                Timer::Retry,
                now + pause.clamp(0.0, MAX_RETRY_WAIT_MS) as Millis,
            );
            self.state = State::Retrying {
                node: activation.node,
                done: activation.retries + 1,
            };
            return;
        }
        let own = call.edges.get(kind).or(call.otherwise.as_ref()).cloned();
        if self.hung_up && own.is_none() {
            return self.end(now, "abandoned", true, None, out);
        }
        if let Some(edge) = self.error_edge(now, own, &failure.message, out) {
            self.walk(now, edge, out);
        }
    }

    /// A step has been busy for a while: let the caller hear something.
    pub(crate) fn meanwhile(&mut self, now: Millis, out: &mut Vec<Output>) {
        let State::Step(activation) = &self.state else {
            return;
        };
        if !matches!(activation.pending, Pending::None | Pending::Effect { .. }) || self.hung_up {
            return;
        }
        let Some(meanwhile) = self
            .step_call(activation.node)
            .and_then(|call| call.meanwhile.clone())
        else {
            return;
        };
        if let Some(prompt) = meanwhile.say
            && let Ok(segments) = self.say_prompt(now, prompt)
        {
            let play = self.start_play(now, segments, out);
            self.aside.sentence = Some(play);
        } else {
            self.start_music(out);
        }
    }

    /// Plays the `meanwhile` music of the running step, if it has any.
    pub(crate) fn start_music(&mut self, out: &mut Vec<Output>) {
        let State::Step(activation) = &self.state else {
            return;
        };
        if !matches!(activation.pending, Pending::None | Pending::Effect { .. }) {
            return;
        }
        let music = self
            .step_call(activation.node)
            .and_then(|call| call.meanwhile.as_ref()?.music.clone());
        if let Some(path) = music {
            self.last_play += 1;
            self.aside.music = true;
            let language = self.language.clone();
            let segments = vec![crate::io::Segment::Audio {
                path,
                text: None,
                language,
            }];
            out.push(Output::Play {
                play: self.last_play,
                segments,
                repeat: true,
            });
        }
    }
}

fn field_of<'t>(ty: &'t Type, field: &str) -> Option<&'t Type> {
    match ty {
        Type::Object { fields, .. } => fields.get(field),
        _ => None,
    }
}
