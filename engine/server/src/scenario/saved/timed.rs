//! Which tags tell a time, by the expressions of the flows that give them their values.

use std::collections::BTreeSet;
use std::sync::Arc;

use strowger_flow::plan::{Action, Plan, Template};

/// The moment, as expressions name it.
const NOW: &str = "now";
/// Says how long somebody spoke, which a test knows about only.
const RECORD: &str = "std/record@";
/// The field in which it does.
const DURATION: &str = "duration";

/// Tags whose values come of the moment at which something was.
#[derive(Debug, Default)]
pub(super) struct Timed {
    names: BTreeSet<String>,
    /// All names that flows write as they stand, and whether others are made of a time.
    known: BTreeSet<String>,
    words: bool,
}

impl Timed {
    /// The tags of these flows.
    pub fn of(plans: &[Arc<Plan>]) -> Timed {
        let mut times = Times::default();
        while times.spread(plans) {}
        let mut timed = Timed::default();
        for plan in plans {
            for node in &plan.nodes {
                let Action::Tag { values, word } = &node.action else {
                    continue;
                };
                for (name, value) in values {
                    timed.known.insert(name.clone());
                    if times.are_in(&plan.flow, value) {
                        timed.names.insert(name.clone());
                    }
                }
                let word = word.as_ref();
                timed.words |= word.is_some_and(|word| times.are_in(&plan.flow, word));
            }
        }
        timed
    }

    pub fn contains(&self, tag: &str) -> bool {
        self.names.contains(tag) || (self.words && !self.known.contains(tag))
    }
}

/// What holds a time, or what comes of one.
#[derive(Default)]
struct Times<'p> {
    /// Variables and inputs, by flow.
    vars: BTreeSet<(&'p str, &'p str)>,
    /// Flows that return such a value.
    returned: BTreeSet<&'p str>,
}

impl<'p> Times<'p> {
    /// Follows values one action further; whether that led anywhere new.
    fn spread(&mut self, plans: &'p [Arc<Plan>]) -> bool {
        let before = self.vars.len() + self.returned.len();
        for plan in plans {
            let flow = plan.flow.as_str();
            for node in &plan.nodes {
                match &node.action {
                    Action::Set(values) => {
                        let told = values.iter().filter(|(_, value)| self.are_in(flow, value));
                        let told: Vec<_> = told.map(|(name, _)| (flow, name.as_str())).collect();
                        self.vars.extend(told);
                    }
                    Action::Call {
                        flow: called,
                        with,
                        bind,
                        ..
                    } => {
                        let told = with.iter().filter(|(_, value)| self.are_in(flow, value));
                        let told: Vec<_> = told
                            .map(|(name, _)| (called.as_str(), name.as_str()))
                            .collect();
                        self.vars.extend(told);
                        let bind = bind.as_deref();
                        let bind = bind.filter(|_| self.returned.contains(called.as_str()));
                        self.vars.extend(bind.map(|name| (flow, name)));
                    }
                    Action::Return { with, .. }
                        if with.values().any(|value| self.are_in(flow, value)) =>
                    {
                        self.returned.insert(flow);
                    }
                    Action::Step(call) if call.step.starts_with(RECORD) => {
                        let into = call.into.as_ref().filter(|into| into.field == DURATION);
                        let into = into.map(|into| into.variable.as_str());
                        let names = call.bind.as_deref().into_iter().chain(into);
                        self.vars.extend(names.map(|name| (flow, name)));
                    }
                    _ => {}
                }
            }
        }
        self.vars.len() + self.returned.len() > before
    }

    /// Whether one is in a value of a flow.
    fn are_in(&self, flow: &str, value: &Template) -> bool {
        value.any(&|expr| {
            let mut read = false;
            expr.each_root(&mut |name| read |= name == NOW || self.vars.contains(&(flow, name)));
            read
        })
    }
}
