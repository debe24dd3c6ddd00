//! Which way a contact has gone: for whoever wants to know what a set of walks has covered.

use std::collections::BTreeMap;
use std::sync::Arc;

use strowger_flow::plan::{Edge, NodeId, Plan};

use crate::contact::Contact;

/// One thing that happened on the way.
#[derive(Debug, Clone)]
pub struct Mark {
    /// The flow.
    pub plan: Arc<Plan>,
    /// Its action; `None` for what works in the whole flow ([`Way::Global`]).
    pub node: Option<NodeId>,
    /// What happened there.
    pub way: Way,
}

/// What happened at an action.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// It was reached.
    Entered,
    /// Its `when` was false.
    Skipped,
    /// It was left by the line of this outcome, or value of a `switch`.
    Line(String),
    /// It was left by the condition of this number, from 0.
    Arm(usize),
    /// It was left by `else`, or by what follows it.
    Otherwise,
    /// `error`, `hangup`, `too_long` or `press KEY` of `global` was followed.
    Global(String),
}

impl Way {
    /// The line that serves an outcome.
    pub(crate) fn of(lines: &BTreeMap<String, Edge>, outcome: &str) -> Way {
        match lines.contains_key(outcome) {
            true => Way::Line(outcome.to_owned()),
            false => Way::Otherwise,
        }
    }
}

/// The marks of a contact; kept only when somebody wants them.
#[derive(Debug, Default)]
pub(crate) struct Trail(Option<Vec<Mark>>);

impl Contact {
    /// From now on the contact notes which way it goes. Memory grows with each action.
    pub fn keep_trail(&mut self) {
        self.trail.0.get_or_insert_default();
    }

    /// What was noted.
    pub fn trail(&self) -> &[Mark] {
        self.trail.0.as_deref().unwrap_or_default()
    }

    /// Notes something at an action of the running flow.
    pub(crate) fn mark(&mut self, node: NodeId, way: impl FnOnce() -> Way) {
        if self.trail.0.is_some() {
            self.note(Some(node), way());
        }
    }

    /// Notes that a target of `global` of the running flow is followed.
    pub(crate) fn mark_global(&mut self, name: impl FnOnce() -> String) {
        if self.trail.0.is_some() {
            self.note(None, Way::Global(name()));
        }
    }

    fn note(&mut self, node: Option<NodeId>, way: Way) {
        let plan = self.frame().plan.clone();
        if let Some(marks) = &mut self.trail.0 {
            marks.push(Mark { plan, node, way });
        }
    }
}
