//! From action to action.

use std::collections::BTreeMap;

use strowger_flow::check::GOODBYE_MS;
use strowger_flow::plan::{Action, Edge, MAX_TAG_CHARS, NodeId, Template};
use strowger_flow::value::Value;

use crate::Millis;
use crate::contact::{Contact, Frame, MAX_CALL_DEPTH, State};
use crate::entry::EntryKind;
use crate::given::Given;
use crate::io::Output;
use crate::timers::Timer;
use crate::trail::Way;

/// What `set:` calls the contact's priority.
const PRIORITY: &str = "call.priority";
/// The highest priority. What a flow computes beyond it, or below 0, counts as the nearest that there is.
const MAX_PRIORITY: f64 = 100.0;
/// The first format of journals that have a priority as it was set, and not as the flow computed it.
const PRIORITY_AS_SET: u32 = 7;
/// The first format of journals in which a `call:` that cannot be made takes its own `error` line.
const CALL_TAKES_ITS_LINE: u32 = 8;

/// The first format of journals in which a `hangup` whose `when:` fails is skipped where failed actions are.
const HANGUP_IS_SKIPPED: u32 = 8;

/// A failure of an action: a stable code and a sentence.
struct Fault {
    code: &'static str,
    message: String,
}

impl Fault {
    fn of_expression(message: String) -> Fault {
        Fault {
            code: "expression",
            message,
        }
    }
}

impl Contact {
    /// Follows an edge until something has to be waited for.
    pub(crate) fn walk(&mut self, now: Millis, edge: Edge, out: &mut Vec<Output>) {
        let mut edge = edge;
        while let Some(next) = self.follow(now, edge, out) {
            edge = next;
        }
    }

    /// Follows an edge, if there is one.
    pub(crate) fn go_on(&mut self, now: Millis, edge: Option<Edge>, out: &mut Vec<Output>) {
        if let Some(edge) = edge {
            self.walk(now, edge, out);
        }
    }

    /// Follows one edge; gives the next one unless the contact now waits or is over.
    fn follow(&mut self, now: Millis, edge: Edge, out: &mut Vec<Output>) -> Option<Edge> {
        let id = match edge {
            Edge::Node(id) => id,
            Edge::Flow(flow) => return self.leave_for(now, &flow, out),
            Edge::Repeat | Edge::End => {
                self.part(now, "fell-off", None, out);
                return None;
            }
        };
        if self.one_action_more() {
            return self.leave_too_long(now, out);
        }
        let plan = self.frame().plan.clone();
        let node = &plan.nodes[id.0 as usize];
        match self.act(now, id, out) {
            Ok(next) => next,
            Err(fault) => {
                self.failed_in_flow(now, &node.verb, &fault, out);
                self.error_edge(now, Some(id), &fault.message, out)
            }
        }
    }

    /// Writes down that an action of the engine's own failed.
    fn failed_in_flow(&mut self, now: Millis, verb: &str, fault: &Fault, out: &mut Vec<Output>) {
        let failed = EntryKind::Failed {
            plugin: verb.to_owned(),
            code: fault.code.to_owned(),
            message: fault.message.clone(),
            retries_left: 0,
            returned_retryable: None,
            cpu_us: 0,
            memory_bytes: 0,
            host_calls: 0,
        };
        self.write(now, failed, out);
    }

    /// Counts an action; true when there were too many.
    pub(crate) fn one_action_more(&mut self) -> bool {
        self.actions += 1;
        self.actions > self.most_actions
    }

    fn act(
        &mut self,
        now: Millis,
        id: NodeId,
        out: &mut Vec<Output>,
    ) -> Result<Option<Edge>, Fault> {
        let plan = self.frame().plan.clone();
        let node = &plan.nodes[id.0 as usize];
        let none = BTreeMap::new();
        let evaluate = |this: &Self, expr: &_| {
            this.evaluate(now, expr, &none).map_err(|message| Fault {
                code: "expression",
                message,
            })
        };
        let is_true = |this: &Self, expr: &_| match evaluate(this, expr)? {
            Value::Bool(answer) => Ok(answer),
            _ => Err(Fault {
                code: "expression",
                message: "a condition is neither true nor false".into(),
            }),
        };
        self.reason_for_skipping(now, id);
        if let Some(when) = &node.when
            && !is_true(self, when)?
        {
            self.mark(id, || Way::Skipped);
            return Ok(Some(node.next.clone()));
        }
        self.write(
            now,
            EntryKind::Entered {
                flow: plan.flow.clone(),
                step: node.step.clone(),
                line: node.line,
                verb: node.verb.clone(),
            },
            out,
        );
        self.mark(id, || Way::Entered);
        self.reason_for_acting(now, id);
        match &node.action {
            Action::Step(_) => {
                self.frame_mut().keep(None);
                Ok(self.start_step(now, id, 0, None, out))
            }
            Action::Goto => Ok(Some(node.next.clone())),
            Action::Choose { arms, otherwise } => {
                for (index, (condition, edge)) in arms.iter().enumerate() {
                    if is_true(self, condition)? {
                        self.mark(id, || Way::Arm(index));
                        return Ok(Some(edge.clone()));
                    }
                }
                self.mark(id, || Way::Otherwise);
                Ok(Some(otherwise.clone()))
            }
            Action::Switch {
                value,
                arms,
                otherwise,
            } => {
                let value = evaluate(self, value)?.to_literal().unwrap_or_default();
                self.mark(id, || Way::of(arms, &value));
                arms.get(&value)
                    .or(otherwise.as_ref())
                    .cloned()
                    .map(Some)
                    .ok_or_else(|| Fault {
                        code: "no-edge",
                        message: format!("`switch` has no line for `{value}` and no `else`"),
                    })
            }
            Action::Set(assignments) => {
                let mut values = self.values(now, assignments)?;
                let older = (self.format < PRIORITY_AS_SET).then(|| shown(&values));
                if let Some(Value::Number(priority)) = values.get_mut(PRIORITY) {
                    *priority = priority.clamp(0.0, MAX_PRIORITY).trunc();
                }
                let shown = older.unwrap_or_else(|| shown(&values));
                for (name, value) in values {
                    self.assign(&name, value)?;
                }
                self.write(now, EntryKind::Set { values: shown }, out);
                Ok(Some(node.next.clone()))
            }
            Action::Tag { values, word } => {
                let mut values = self.values(now, values)?;
                if let Some(word) = word
                    && let Value::Text(word) = self.filled(now, word)?
                    && !word.trim().is_empty()
                {
                    let word = word.trim().chars().take(MAX_TAG_CHARS).collect();
                    values.insert(word, Value::Bool(true));
                }
                if !values.is_empty() {
                    let values = shown(&values);
                    self.write(now, EntryKind::Tagged { values }, out);
                }
                Ok(Some(node.next.clone()))
            }
            Action::Wait(ms) => {
                self.timers.set(Timer::Wait, now.saturating_add(*ms));
                self.state = State::Waiting(node.next.clone());
                Ok(None)
            }
            Action::Call {
                flow,
                with,
                edges,
                otherwise,
                ..
            } => match self.called_flow(now, id, flow, with) {
                Ok(edge) => Ok(Some(edge)),
                Err(fault) => {
                    let line = edges.get("error").or(otherwise.as_ref());
                    match line.filter(|_| self.format >= CALL_TAKES_ITS_LINE) {
                        Some(line) => {
                            self.failed_in_flow(now, &node.verb, &fault, out);
                            self.mark(id, || Way::of(edges, "error"));
                            Ok(Some(line.clone()))
                        }
                        None => Err(fault),
                    }
                }
            },
            Action::Return { outcome, with } => {
                let values = self.values(now, with)?;
                Ok(self.returned(now, outcome, values, out))
            }
            Action::HangUp { reason } => {
                self.end(now, reason, false, None, out);
                Ok(None)
            }
        }
    }

    /// Comes into a flow that the action `id` calls.
    fn called_flow(
        &mut self,
        now: Millis,
        id: NodeId,
        flow: &str,
        with: &BTreeMap<String, Template>,
    ) -> Result<Edge, Fault> {
        if self.frames.len() >= MAX_CALL_DEPTH {
            let message = format!("flows call each other more than {MAX_CALL_DEPTH} deep");
            return Err(Fault {
                code: "call-depth",
                message,
            });
        }
        let called = self.program.flow(flow).cloned().ok_or_else(|| Fault {
            code: "no-flow",
            message: format!("there is no flow `{flow}`"),
        })?;
        let vars = self.values(now, with)?;
        let start = called.start;
        self.frames.push(Frame::new(called, vars, Some(id)));
        Ok(Edge::Node(start))
    }

    fn values(
        &self,
        now: Millis,
        templates: &BTreeMap<String, Template>,
    ) -> Result<BTreeMap<String, Value>, Fault> {
        let mut given = Given::beside(self.held_bytes());
        templates
            .iter()
            .map(|(name, template)| {
                let value = self.fill(now, template, &mut given);
                Ok((name.clone(), value.map_err(Fault::of_expression)?))
            })
            .collect()
    }

    fn filled(&self, now: Millis, template: &Template) -> Result<Value, Fault> {
        self.fill(now, template, &mut Given::default())
            .map_err(Fault::of_expression)
    }

    fn assign(&mut self, name: &str, value: Value) -> Result<(), Fault> {
        match (name, value) {
            ("call.language", Value::Text(language)) => self.chosen_language = language,
            // It is within bounds, and a float cast saturates.
            (PRIORITY, Value::Number(priority)) => self.priority = priority as u32,
            (name, _) if name.starts_with("call.") => {
                return Err(Fault {
                    code: "set",
                    message: format!("`{name}` cannot be set to that"),
                });
            }
            (name, value) => {
                self.frame_mut().vars.set(name.to_owned(), value);
            }
        }
        Ok(())
    }

    /// Ends the running flow with an outcome: its caller goes on, or the contact is over.
    fn returned(
        &mut self,
        now: Millis,
        outcome: &str,
        values: BTreeMap<String, Value>,
        out: &mut Vec<Output>,
    ) -> Option<Edge> {
        let Some(called_by) = self.frame().called_by else {
            self.end(now, outcome, false, None, out);
            return None;
        };
        self.frames.pop();
        let plan = self.frame().plan.clone();
        let node = &plan.nodes[called_by.0 as usize];
        let Action::Call {
            bind,
            edges,
            otherwise,
            ..
        } = &node.action
        else {
            unreachable!("only a call action opens a frame with `called_by`");
        };
        if let Some(name) = bind {
            self.frame_mut()
                .vars
                .set(name.clone(), Value::Object(values));
        }
        self.mark(called_by, || Way::of(edges, outcome));
        match edges.get(outcome).or(otherwise.as_ref()) {
            Some(edge) => Some(edge.clone()),
            None if edges.is_empty() => Some(node.next.clone()),
            None => self.error_edge(
                now,
                Some(called_by),
                &format!("`call` has no line for outcome `{outcome}`"),
                out,
            ),
        }
    }

    /// Goes to another flow without coming back.
    fn leave_for(&mut self, now: Millis, flow: &str, out: &mut Vec<Output>) -> Option<Edge> {
        match self.program.flow(flow).cloned() {
            Some(plan) => {
                let start = plan.start;
                self.frames = vec![Frame::new(plan, BTreeMap::new(), None)];
                Some(Edge::Node(start))
            }
            None => self.error_edge(now, None, &format!("there is no flow `{flow}`"), out),
        }
    }

    /// Where an error leads that the action has no edge for: `global.error` of this flow, else the `error`
    /// outcome of the `call` that led here, and so on outwards. Without any of them the contact is over.
    ///
    /// A `global.error` that was followed is not followed again until the contact is heard, or a broken
    /// error path would lead to itself. There, and when nobody is on the line, a failed action counts as
    /// skipped, and a failed choice as one that finds nothing true.
    pub(crate) fn error_edge(
        &mut self,
        now: Millis,
        failed: Option<NodeId>,
        message: &str,
        out: &mut Vec<Output>,
    ) -> Option<Edge> {
        let mut failed = failed;
        loop {
            let depth = self.frames.len() - 1;
            let plan = self.frame().plan.clone();
            if let Some(edge) = &plan.global.error
                && !self.hung_up
                && self.error_path.is_none_or(|followed| depth < followed)
            {
                self.error_path = Some(depth);
                self.mark_global(|| "error".to_owned());
                return Some(edge.clone());
            }
            let node = failed.map(|id| &plan.nodes[id.0 as usize]);
            let skippable = node.filter(|node| {
                !matches!(node.action, Action::HangUp { .. }) || self.format >= HANGUP_IS_SKIPPED
            });
            let next = skippable.map_or(&Edge::End, |node| node.after_failure());
            if (self.hung_up || plan.global.error.is_some()) && *next != Edge::End {
                return Some(next.clone());
            }
            let Some(called_by) = self.frame().called_by else {
                let error = Some(message.to_owned());
                match self.hung_up {
                    true => {
                        let (reason, gone) = self.gone();
                        self.end(now, reason, gone, error, out);
                    }
                    false => self.part(now, "error", error, out),
                }
                return None;
            };
            self.frames.pop();
            failed = Some(called_by);
            let plan = self.frame().plan.clone();
            if let Action::Call {
                edges, otherwise, ..
            } = &plan.nodes[called_by.0 as usize].action
                && let Some(edge) = edges.get("error").or(otherwise.as_ref())
            {
                self.mark(called_by, || Way::of(edges, "error"));
                return Some(edge.clone());
            }
        }
    }

    /// The contact has lasted too long, in time or in actions. The flow may say goodbye once; where it has nothing for that, the
    /// contact hears an apology.
    pub(crate) fn leave_too_long(&mut self, now: Millis, out: &mut Vec<Output>) -> Option<Edge> {
        let place = self
            .frames
            .iter()
            .rposition(|frame| frame.plan.global.too_long.is_some());
        if self.too_long {
            // Its minute for a goodbye is over.
            self.end(now, "too-long", false, None, out);
            return None;
        }
        let Some(depth) = place else {
            self.part(now, "too-long", None, out);
            return None;
        };
        self.too_long = true;
        self.actions = 0;
        self.cancel_step(out);
        self.frames.truncate(depth + 1);
        self.timers
            .set(Timer::Duration, now.saturating_add(GOODBYE_MS));
        self.mark_global(|| "too_long".to_owned());
        self.frame().plan.global.too_long.clone()
    }
}

/// Values as they may be written down: secrets show nothing.
fn shown(values: &BTreeMap<String, Value>) -> serde_json::Value {
    values
        .iter()
        .map(|(name, value)| (name.clone(), value.to_json()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}
