//! Why a contact goes where it goes: the expressions that its flow asked, with what they gave, for whoever reads a trace.
//!
//! None of it is in a journal. Who wants to know walks a contact again and keeps its reasons, as [`Contact::keep_reasons`] says:
//! the same flow, walked with the same inputs, has the same.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::Value as Json;
use strowger_flow::expr::Expr;
use strowger_flow::plan::{Action, Edge, Node, NodeId, Piece, Plan, Template};
use strowger_flow::value::Value;

use crate::Millis;
use crate::call::{Binding, CallError};
use crate::contact::Contact;

/// Stands for what says something of a secret.
const VEIL: &str = "•••";
/// Most characters of a value in words; all of it is in JSON.
const MAX_SHOWN: usize = 200;

/// What an action's expressions gave, and what followed from that.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reason {
    /// The number of the journal's entry before which it comes.
    #[serde(skip)]
    pub before: u32,
    /// When.
    #[serde(skip)]
    pub at: Millis,
    /// The flow.
    #[serde(skip)]
    pub flow: String,
    /// The named step.
    #[serde(skip)]
    pub step: String,
    /// The line of the action in the flow's file.
    #[serde(skip)]
    pub line: u32,
    /// The action's verb.
    pub verb: String,
    /// What was asked.
    pub what: What,
    /// The expressions, in the order in which they were asked. After the one that decided, none was.
    pub asked: Vec<Asked>,
    /// The way that was taken: `then` or `else` of `if`, `line 2` of `choose`, the value's line of `switch`. None where the
    /// action has no ways, or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken: Option<String>,
    /// Where that leads, as `flow:line step`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

/// What an action's expressions are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// `when:` was true, or failed: the action is not skipped.
    When,
    /// `when:` was false: the action is skipped.
    Skipped,
    /// `if`, `choose`, `switch` and `goto` with `when:` take a way.
    Decided,
    /// Values are made, of `set:`, `tag:`, `call:` and `return:`.
    Made,
    /// A step asks what an expression of its own says, such as `valid:`.
    Checked,
}

/// An expression and what it gave.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Asked {
    /// The name that gets the value, where one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// As a flow writes it.
    pub expression: String,
    /// Its value; `•••` for what says something of a secret. None where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Json>,
    /// Why it has no value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The values of the names in it; secrets are `•••`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, Json>,
}

/// The reasons of a contact; kept only when somebody wants them.
#[derive(Debug, Default)]
pub(crate) struct Reasons(Option<Vec<Reason>>);

impl Contact {
    /// From now on the contact notes why it goes where it goes. Memory grows with each action, and expressions are evaluated
    /// twice.
    pub fn keep_reasons(&mut self) {
        self.reasons.0.get_or_insert_default();
    }

    /// What was noted so far, in order; nothing of it is kept.
    pub fn take_reasons(&mut self) -> Vec<Reason> {
        let kept = self.reasons.0.as_mut();
        kept.map(std::mem::take).unwrap_or_default()
    }

    /// Notes what `when:` of an action says.
    pub(crate) fn reason_for_skipping(&mut self, now: Millis, id: NodeId) {
        self.note_reason(now, id, |this, node| {
            let asked = this.asked(now, None, node.when.as_ref()?, &BTreeMap::new());
            let skips = asked.value == Some(Json::Bool(false));
            Some(Found {
                what: if skips { What::Skipped } else { What::When },
                asked: vec![asked],
                way: None,
            })
        });
    }

    /// Notes what an action's own expressions say.
    pub(crate) fn reason_for_acting(&mut self, now: Millis, id: NodeId) {
        self.note_reason(now, id, |this, node| this.found(now, node));
    }

    /// Notes what an expression says that a step asks for.
    pub(crate) fn reason_of_evaluating(&mut self, now: Millis, handle: &str, bindings: &[Binding]) {
        let Some(id) = self.activation().map(|activation| activation.node) else {
            return;
        };
        if self.reasons.0.is_none() {
            return;
        }
        let asked = self.with_given(|this, given| {
            let expression = &this.frame().plan.expressions[given.expression(handle)?];
            let bound = this.bindings(bindings, given)?.values;
            Ok::<_, CallError>(this.asked(now, None, expression, &bound))
        });
        // Whoever asks is told what is wrong with the question.
        let Ok(asked) = asked else {
            return;
        };
        self.note_reason(now, id, |_, _| {
            Some(Found {
                what: What::Checked,
                asked: vec![asked],
                way: None,
            })
        });
    }

    fn note_reason(
        &mut self,
        now: Millis,
        id: NodeId,
        find: impl FnOnce(&Contact, &Node) -> Option<Found>,
    ) {
        if self.reasons.0.is_none() {
            return;
        }
        let plan = self.frame().plan.clone();
        let node = &plan.nodes[id.0 as usize];
        let Some(found) = find(self, node) else {
            return;
        };
        let (taken, to) = match found.way {
            Some((taken, edge)) => (Some(taken), Some(place(&plan, &edge))),
            None => (None, None),
        };
        let reason = Reason {
            before: self.next_entry,
            at: now,
            flow: plan.flow.clone(),
            step: node.step.clone(),
            line: node.line,
            verb: node.verb.clone(),
            what: found.what,
            asked: found.asked,
            taken,
            to,
        };
        if let Some(reasons) = &mut self.reasons.0 {
            reasons.push(reason);
        }
    }

    /// What an action's expressions give; none where it has none.
    fn found(&self, now: Millis, node: &Node) -> Option<Found> {
        let none = BTreeMap::new();
        match &node.action {
            Action::Choose { arms, otherwise } => {
                let mut asked = Vec::new();
                let mut way = Some(("else".to_owned(), otherwise.clone()));
                for (number, (condition, edge)) in (1..).zip(arms) {
                    let answer = self.asked(now, None, condition, &none);
                    let value = answer.value.clone();
                    asked.push(answer);
                    match value {
                        Some(Json::Bool(false)) => continue,
                        Some(Json::Bool(true)) => {
                            let taken = match node.verb.as_str() {
                                "choose" => format!("line {number}"),
                                _ => "then".to_owned(),
                            };
                            way = Some((taken, edge.clone()));
                        }
                        _ => way = None,
                    }
                    break;
                }
                Some(Found {
                    what: What::Decided,
                    asked,
                    way,
                })
            }
            Action::Switch {
                value,
                arms,
                otherwise,
            } => {
                let asked = self.asked(now, None, value, &none);
                let gives = self.evaluate(now, value, &none).ok();
                let line = gives.map(|gives| gives.to_literal().unwrap_or_default());
                let veiled = asked.value == Some(hidden());
                let way = line.and_then(|line| match (arms.get_key_value(&line), otherwise) {
                    (Some((_, edge)), _) if veiled => Some((VEIL.to_owned(), edge.clone())),
                    (Some((name, edge)), _) => Some((name.clone(), edge.clone())),
                    (None, Some(edge)) => Some(("else".to_owned(), edge.clone())),
                    (None, None) => None,
                });
                Some(Found {
                    what: What::Decided,
                    asked: vec![asked],
                    way,
                })
            }
            Action::Set(values)
            | Action::Call { with: values, .. }
            | Action::Return { with: values, .. } => self.made(now, values, None),
            Action::Tag { values, word } => self.made(now, values, word.as_ref()),
            // What a step is given is in the journal, as it is given.
            Action::Step(_) | Action::Wait(_) | Action::Goto | Action::HangUp { .. } => None,
        }
    }

    fn made(
        &self,
        now: Millis,
        values: &BTreeMap<String, Template>,
        word: Option<&Template>,
    ) -> Option<Found> {
        let mut asked = Vec::new();
        for (name, template) in values {
            self.asked_in(now, Some(name), template, &mut asked);
        }
        if let Some(word) = word {
            self.asked_in(now, None, word, &mut asked);
        }
        (!asked.is_empty()).then_some(Found {
            what: What::Made,
            asked,
            way: None,
        })
    }

    /// The expressions of a template.
    fn asked_in(
        &self,
        now: Millis,
        name: Option<&str>,
        template: &Template,
        asked: &mut Vec<Asked>,
    ) {
        let none = BTreeMap::new();
        match template {
            Template::Expr(expr) => asked.push(self.asked(now, name, expr, &none)),
            Template::Text(pieces) => {
                for piece in pieces {
                    if let Piece::Expr(expr) = piece {
                        asked.push(self.asked(now, name, expr, &none));
                    }
                }
            }
            Template::List(items) => {
                for item in items {
                    self.asked_in(now, name, item, asked);
                }
            }
            Template::Object(fields) => {
                for (field, value) in fields {
                    let name = name.map(|name| format!("{name}.{field}"));
                    self.asked_in(now, name.as_deref(), value, asked);
                }
            }
            Template::Literal(_) | Template::Prompt(_) | Template::Deferred(_) => {}
        }
    }

    fn asked(
        &self,
        now: Millis,
        name: Option<&str>,
        expr: &Expr,
        bound: &BTreeMap<String, Value>,
    ) -> Asked {
        let mut secret = false;
        let mut names = BTreeMap::new();
        for place in expr.places() {
            let Ok(value) = self.evaluate(now, place, bound) else {
                continue;
            };
            secret |= value.holds_secret();
            names.insert(place.to_string(), shown(&value));
        }
        let (value, error) = match self.evaluate(now, expr, bound) {
            // Which way a condition leads is seen by what follows.
            Ok(value @ Value::Bool(_)) => (Some(value.to_json()), None),
            Ok(_) if secret => (Some(hidden()), None),
            Ok(value) => (Some(shown(&value)), None),
            Err(why) => (None, Some(why)),
        };
        if names.len() == 1 && names.contains_key(&expr.to_string()) {
            names.clear();
        }
        Asked {
            name: name.map(str::to_owned),
            expression: expr.to_string(),
            value,
            error,
            names,
        }
    }
}

/// What is noted of an action.
struct Found {
    what: What,
    asked: Vec<Asked>,
    /// What the way that was taken is called, and where it leads.
    way: Option<(String, Edge)>,
}

fn hidden() -> Json {
    Json::from(VEIL)
}

/// A value in which no secret shows: not even how long it is.
fn shown(value: &Value) -> Json {
    match value {
        Value::Secret(_) => hidden(),
        Value::List(items) => items.iter().map(shown).collect(),
        Value::Object(fields) => {
            let fields = fields.iter();
            let fields = fields.map(|(name, value)| (name.clone(), shown(value)));
            Json::Object(fields.collect())
        }
        value => value.to_json(),
    }
}

/// Where an edge leads, as entries of the journal name places.
fn place(plan: &Plan, edge: &Edge) -> String {
    match edge {
        Edge::Node(id) => {
            let node = &plan.nodes[id.0 as usize];
            format!("{}:{} {}", plan.flow, node.line, node.step)
        }
        Edge::Flow(flow) => format!("flow:{flow}"),
        Edge::Repeat => "repeat".to_owned(),
        Edge::End => "the end".to_owned(),
    }
}

/// In words: `a > 2 and a < 10 is true (a = 4): then, to main:9 pay`.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            What::Skipped => f.write_str("skipped: ")?,
            What::When => f.write_str("not skipped: ")?,
            What::Decided | What::Made | What::Checked => {}
        }
        for (number, asked) in self.asked.iter().enumerate() {
            if number > 0 {
                f.write_str("; ")?;
            }
            asked.fmt(f)?;
        }
        match (&self.taken, &self.to) {
            (Some(taken), Some(to)) => write!(f, ": {taken}, to {to}"),
            (Some(taken), None) => write!(f, ": {taken}"),
            (None, _) if self.what == What::Decided => f.write_str(": no line for that"),
            (None, _) => Ok(()),
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "{name}: ")?;
        }
        f.write_str(&self.expression)?;
        match (&self.value, &self.error) {
            (Some(value), _) => write!(f, " is {}", in_short(value))?,
            (None, Some(why)) => write!(f, " has no value: {why}")?,
            (None, None) => {}
        }
        if self.names.is_empty() {
            return Ok(());
        }
        let names = self.names.iter();
        let names = names.map(|(name, value)| format!("{name} = {}", in_short(value)));
        write!(f, " ({})", names.collect::<Vec<_>>().join(", "))
    }
}

/// A value as a flow writes it, cut where it is long.
fn in_short(value: &Json) -> String {
    let text = match value {
        Json::Null => "none".to_owned(),
        Json::String(text) if text == VEIL => text.clone(),
        value => value.to_string(),
    };
    match text.chars().nth(MAX_SHOWN) {
        Some(_) => text.chars().take(MAX_SHOWN).chain(['…']).collect(),
        None => text,
    }
}
