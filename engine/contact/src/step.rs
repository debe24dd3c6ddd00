//! Running a step: its start, its end, and where it leads.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use strowger_flow::plan::{Action, Edge, NodeId, StepCall};
use strowger_flow::value::{Type, Value, from_json, missing_field};

use crate::Millis;
use crate::activation::{Activation, Pending};
use crate::contact::{Contact, State};
use crate::entry::EntryKind;
use crate::given::{Given, secrets_of, within};
use crate::hostcalls::SECRET_LOST;
use crate::io::{Output, StepFailure, StepResult};
use crate::shared::SharedJson;
use crate::timers::Timer;
use crate::trail::Way;

/// The field of a step's input that names the variable `into:` fills. The engine's, not the author's.
pub const INTO_FIELD: &str = "$into";
/// The field of a step's input that carries the data of the outcome that led to `repeat`.
pub const KEPT_FIELD: &str = "$kept";

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

    /// Starts a step on a fresh instance. Gives the edge to follow when it could not be started.
    ///
    /// `first` is the activation of the first attempt when this one is a repetition.
    pub(crate) fn start_step(
        &mut self,
        now: Millis,
        node: NodeId,
        retries: u32,
        first: Option<u32>,
        out: &mut Vec<Output>,
    ) -> Option<Edge> {
        let plan = self.frame().plan.clone();
        let Action::Step(call) = &plan.nodes[node.0 as usize].action else {
            unreachable!("only step actions are started");
        };
        let mut given = Given {
            step: self.program.step(&call.step).cloned(),
            ..Given::default()
        };
        let input = self.input(now, call, &mut given);
        self.last_activation += 1;
        let id = self.last_activation;
        if first.is_none() {
            self.aside.said = false;
        }
        self.state = State::Step(Box::new(Activation {
            id,
            node,
            step: call.step.clone(),
            given,
            calls: 0,
            function: String::new(),
            pending: Pending::None,
            asks: None,
            retries,
            first: first.unwrap_or(id),
            masked: false,
            unanswered: false,
            lost_secret: false,
            listened: false,
            interrupted: false,
        }));
        match input {
            Ok(input) => {
                self.falls_silent(now);
                let ran = EntryKind::Ran {
                    activation: id,
                    plugin: call.step.clone(),
                    digest: self.program.digest(&call.step).to_owned(),
                    flow_hash: plan.hash.clone(),
                    input: input.clone(),
                    timeout_ms: Some(call.timeout_ms),
                };
                self.write(now, ran, out);
                out.push(Output::Run {
                    activation: id,
                    step: call.step.clone(),
                    input,
                    timeout_ms: call.timeout_ms,
                });
                None
            }
            Err(message) => {
                let result = StepResult::failed(StepFailure {
                    code: "expression".into(),
                    message,
                    timeout: false,
                    retryable: false,
                    own: false,
                });
                self.end_step(now, id, result, out)
            }
        }
    }

    fn input(&self, now: Millis, call: &StepCall, given: &mut Given) -> Result<SharedJson, String> {
        let Value::Object(fields) = self.fill(now, &call.input, given)? else {
            return Err("the input of a step is an object".into());
        };
        // An input whose value is `none` counts as not given.
        let fields = fields
            .into_iter()
            .filter(|(_, value)| *value != Value::None)
            .collect();
        let fields = Value::Object(fields);
        secrets_of(&fields, &mut given.secrets);
        let schema = given.step.as_ref().map_or(&Json::Null, |step| &step.input);
        let Json::Object(mut input) = fields.to_json_for(schema) else {
            return Err("the input of a step is an object".into());
        };
        if let Some(into) = &call.into {
            input.insert(INTO_FIELD.into(), Json::String(into.variable.clone()));
        }
        if let Some(kept) = self.frame().kept() {
            input.insert(KEPT_FIELD.into(), Json::clone(kept));
        }
        Ok(Json::Object(input).into())
    }

    /// A step came to its end.
    pub(crate) fn step_ended(
        &mut self,
        now: Millis,
        id: u32,
        result: StepResult,
        out: &mut Vec<Output>,
    ) {
        let edge = self.end_step(now, id, result, out);
        self.go_on_unless_away(now, edge, out);
    }

    /// Ends a step; gives the edge to follow, unless something has to be waited for first.
    fn end_step(
        &mut self,
        now: Millis,
        id: u32,
        result: StepResult,
        out: &mut Vec<Output>,
    ) -> Option<Edge> {
        if self
            .activation()
            .is_none_or(|activation| activation.id != id)
        {
            return None;
        }
        let State::Step(activation) = std::mem::replace(&mut self.state, State::Waiting(Edge::End))
        else {
            unreachable!("just looked");
        };
        self.parted(now);
        let used = (result.cpu_us, result.memory_bytes, result.host_calls);
        let (outcome, data) = match result.outcome {
            Ok(outcome) => outcome,
            Err(failure) => return self.failed(now, &activation, failure, used, out),
        };
        let entry = EntryKind::Outcome {
            plugin: activation.step.clone(),
            outcome: outcome.clone(),
            data: data.clone(),
            cpu_us: result.cpu_us,
            memory_bytes: result.memory_bytes,
            host_calls: result.host_calls,
        };
        self.write(now, entry, out);
        let kept = self.keep(&activation, &outcome, &data);
        if kept.is_ok() {
            self.expects_rest(now, &activation, out);
            self.mark_contact(now, &activation, &outcome, &data, out);
        }
        match kept {
            // Even when the caller has hung up, as after leaving a message.
            _ if activation.interrupted => {
                self.step_over(&activation, out);
                self.after_hang_up(now, out)
            }
            // What it used stands with its outcome already.
            Err(message) => self.failed(now, &activation, bad_output(message), (0, 0, 0), out),
            Ok(()) => {
                self.step_over(&activation, out);
                self.outcome(now, &activation, &outcome, data, out)
            }
        }
    }

    /// Whatever belonged to the step is over with it.
    fn step_over(&mut self, activation: &Activation, out: &mut Vec<Output>) {
        self.fall_quiet(activation, out);
        self.timers.clear(Timer::Meanwhile);
        if self.aside.music.take().is_some() {
            out.push(Output::StopPlaying);
        }
    }

    /// Whatever the step did itself is over; what the caller hears meanwhile goes on.
    fn fall_quiet(&mut self, activation: &Activation, out: &mut Vec<Output>) {
        self.timers.clear(Timer::Listen);
        self.timers.clear(Timer::Wait);
        let queued = self.aside.queued.take().is_some();
        match &activation.pending {
            // What waits for the end of a `meanwhile` sentence is not heard yet.
            Pending::Say { .. } if !queued => out.push(Output::StopPlaying),
            Pending::Listen(listening) if listening.play.is_some() && !queued => {
                out.push(Output::StopPlaying);
            }
            Pending::Capture { effect, .. } => out.push(Output::StopRecording { effect: *effect }),
            Pending::Effect { effect, .. } => out.push(Output::CancelEffect { effect: *effect }),
            _ => {}
        }
        if activation.masked {
            out.push(Output::Mask(false));
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
        } else if self.aside.music.take().is_some() {
            out.push(Output::StopPlaying);
        }
        for timer in [Timer::Retry, Timer::Wait, Timer::Meanwhile] {
            self.timers.clear(timer);
        }
    }

    /// Puts the data of an outcome where `into:` and `as:` want it.
    fn keep(&mut self, activation: &Activation, outcome: &str, data: &Json) -> Result<(), String> {
        let plan = self.frame().plan.clone();
        let Action::Step(call) = &plan.nodes[activation.node.0 as usize].action else {
            unreachable!("only step actions are started")
        };
        let step = activation.given.step.clone();
        let step = step.as_ref();
        let ty = step.and_then(|step| step.outcomes.get(outcome));
        let ty = ty.unwrap_or(&Type::Any);
        let typed = self.types_answers();
        let held = self.held_bytes();
        let allowed = |value: Value| {
            let mut secrets = BTreeSet::new();
            secrets_of(&value, &mut secrets);
            match secrets.is_subset(&activation.given.secrets) {
                true => within(held.saturating_add(value.held_bytes())).map(|()| value),
                false => Err("it holds a secret that the step was not given".to_owned()),
            }
        };
        let unfit =
            |message: String| format!("the data of outcome `{outcome}` does not fit: {message}");
        if let Some(into) = &call.into
            && field_of(ty, &into.field).is_some()
        {
            let missing = &Json::Null;
            let value = data.get(&into.field).unwrap_or(missing);
            let value = from_json(value, &into.ty).and_then(allowed);
            let value = value.map_err(|why| unfit(format!("`{}`: {why}", into.field)))?;
            self.frame_mut().vars.set(into.variable.clone(), value);
        }
        if let Some(variable) = &call.bind {
            let expected = call.data.get(outcome).filter(|_| typed);
            let ty = expected.unwrap_or(ty);
            let value = from_json(data, ty).and_then(allowed).map_err(unfit)?;
            // The checker took every promised field for given.
            if let Some(field) = missing_field(&value, ty) {
                return Err(unfit(format!("`{field}` is missing")));
            }
            // What an outcome without data leads to still sees what the variable was: so the checker counts.
            if step.is_none_or(|step| step.carries.contains(outcome)) {
                self.frame_mut().vars.set(variable.clone(), value);
            }
        }
        Ok(())
    }

    /// Marks the contact with what its step's description says of the outcome, even when the caller has hung up meanwhile. What
    /// a secret is part of marks nothing.
    fn mark_contact(
        &mut self,
        now: Millis,
        activation: &Activation,
        outcome: &str,
        data: &Json,
        out: &mut Vec<Output>,
    ) {
        let Some(step) = activation.given.step.clone() else {
            return;
        };
        let mut values = serde_json::Map::new();
        for mark in step.tags.get(outcome).into_iter().flatten() {
            match (&mark.name, data.get(&mark.field)) {
                (_, None | Some(Json::Null)) => {}
                (Some(name), Some(value)) => {
                    values.insert(name.clone(), value.clone());
                }
                (None, Some(value)) => {
                    let fields = value.as_object().into_iter().flatten();
                    values.extend(fields.map(|(name, value)| (name.clone(), value.clone())));
                }
            }
        }
        values.retain(|_, value| {
            let mut secrets = BTreeSet::new();
            let value = from_json(value, &Type::Any);
            value.is_ok_and(|value| {
                secrets_of(&value, &mut secrets);
                secrets.is_empty()
            })
        });
        if !values.is_empty() {
            let values = Json::Object(values);
            self.write(now, EntryKind::Tagged { values }, out);
        }
    }

    /// Where an outcome leads.
    fn outcome(
        &mut self,
        now: Millis,
        activation: &Activation,
        outcome: &str,
        data: SharedJson,
        out: &mut Vec<Output>,
    ) -> Option<Edge> {
        let plan = self.frame().plan.clone();
        let node = &plan.nodes[activation.node.0 as usize];
        let Action::Step(call) = &node.action else {
            unreachable!("only step actions are started")
        };
        self.mark(activation.node, || Way::of(&call.edges, outcome));
        match call.edges.get(outcome).or(call.otherwise.as_ref()) {
            Some(Edge::Repeat) if self.one_action_more() => self.leave_too_long(now, out),
            Some(Edge::Repeat) => {
                self.frame_mut().keep(Some(data));
                self.start_step(now, activation.node, 0, None, out)
            }
            Some(edge) => Some(edge.clone()),
            // A step with a single way on may be left by what follows it.
            None if outcome == "done" || call.edges.is_empty() => Some(node.next.clone()),
            None => {
                let message = format!("no line for outcome `{outcome}`");
                self.error_edge(now, Some(activation.node), &message, out)
            }
        }
    }

    fn failed(
        &mut self,
        now: Millis,
        activation: &Activation,
        failure: StepFailure,
        (cpu_us, memory_bytes, host_calls): (u64, u64, u32),
        out: &mut Vec<Output>,
    ) -> Option<Edge> {
        let plan = self.frame().plan.clone();
        let Action::Step(call) = &plan.nodes[activation.node.0 as usize].action else {
            unreachable!("only step actions are started");
        };
        let failure = match activation.lost_secret && !failure.timeout {
            // Trying again finds it no more than before.
            true => StepFailure {
                code: SECRET_LOST.into(),
                retryable: false,
                own: false,
                ..failure
            },
            false => failure,
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
            code: failure.code,
            message: failure.message.clone(),
            retries_left: retry.map_or(0, |retry| retry.times - activation.retries),
            returned_retryable: failure.own.then_some(failure.retryable),
            cpu_us,
            memory_bytes,
            host_calls,
        };
        self.write(now, entry, out);
        if let Some(retry) = retry {
            self.fall_quiet(activation, out);
            let pause = retry.pause_ms(activation.retries);
            self.timers.set(Timer::Retry, now.saturating_add(pause));
            self.state = State::Retrying {
                node: activation.node,
                retries: activation.retries + 1,
                first: activation.first,
            };
            return None;
        }
        self.expects_rest(now, activation, out);
        self.step_over(activation, out);
        if activation.interrupted {
            return self.after_hang_up(now, out);
        }
        let led = call.edges.get(kind).or(call.otherwise.as_ref());
        if led.is_some() {
            self.mark(activation.node, || Way::of(&call.edges, kind));
        }
        match led {
            Some(Edge::Repeat) if self.one_action_more() => self.leave_too_long(now, out),
            Some(Edge::Repeat) => self.start_step(now, activation.node, 0, None, out),
            Some(edge) => Some(edge.clone()),
            None => self.error_edge(now, Some(activation.node), &failure.message, out),
        }
    }
}

fn bad_output(message: String) -> StepFailure {
    StepFailure {
        code: "bad-output".into(),
        message,
        timeout: false,
        retryable: false,
        own: false,
    }
}

fn field_of<'t>(ty: &'t Type, field: &str) -> Option<&'t Type> {
    match ty {
        Type::Object { fields, .. } => fields.get(field),
        _ => None,
    }
}
