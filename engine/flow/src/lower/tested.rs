//! What tests name that stands outside the flow: plugins' steps, queues, suppliers, other flows.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::Lowerer;
use super::input::address;
use crate::check::rules::{
    unknown_destination, unknown_field, unknown_outcome, unknown_plugin, unknown_queue,
};
use crate::check::suggest::slips;
use crate::expr::Span;
use crate::plan::Action;
use crate::yaml::{Entry, Node};

/// How a queue lets go of a contact; `wit/1.0/deps/route`.
const QUEUE_ENDS: [&str; 6] = ["done", "timeout", "full", "closed", "no_agents", "failed"];

/// How a transfer ends; the same.
const TRANSFER_ENDS: [&str; 5] = ["done", "busy", "no_answer", "declined", "failed"];

/// What a test names by a word alone.
#[derive(Debug, Clone, Copy)]
pub(super) enum Named {
    Queue,
    Transfer,
}

/// What the flow does, as far as its tests name it.
#[derive(Default)]
pub(super) struct Walked {
    /// Steps of plugins, without their versions.
    steps: BTreeSet<String>,
    /// Outcomes and dispositions.
    ends: BTreeSet<String>,
    /// The variables that take results.
    results: BTreeSet<String>,
    /// What expressions read: where that has no value, it is told there.
    read: BTreeSet<String>,
    /// Whether it calls other flows, which may end the contact.
    calls: bool,
}

impl<'t> Lowerer<'t> {
    fn walked(&mut self) -> Rc<Walked> {
        if let Some(walked) = &self.walked {
            return walked.clone();
        }
        let mut walked = Walked {
            ends: self.draft.outcomes.iter().cloned().collect(),
            results: self
                .draft
                .bindings
                .iter()
                .map(|binding| binding.name.clone())
                .collect(),
            ..Walked::default()
        };
        let prompts = self.draft.prompts.iter().flat_map(|prompt| &prompt.exprs);
        for expr in prompts.chain(self.draft.uses.iter().map(|used| &used.expr)) {
            let names = expr.roots().into_iter().map(|(name, _)| name.to_owned());
            walked.read.extend(names);
        }
        for node in &self.draft.nodes {
            match &node.action {
                Action::Step(call) => {
                    walked
                        .steps
                        .extend(call.step.split('@').next().map(str::to_owned));
                }
                Action::HangUp { reason } => {
                    walked.ends.insert(reason.clone());
                }
                Action::Call { .. } => walked.calls = true,
                _ => {}
            }
        }
        let walked = Rc::new(walked);
        self.walked = Some(walked.clone());
        walked
    }

    /// Tells of a mock for something that is not there, or that never ends as the mock says.
    pub(super) fn mocked(&mut self, entry: &Entry<'_>) {
        let (key, at) = (entry.key.as_ref(), entry.key_span);
        let after = |kind: &str| {
            let name = key.strip_prefix(kind)?;
            // Only the name, not the word before it.
            let start = at.end - name.len().min(at.end - at.start);
            Some((name, Span { start, end: at.end }))
        };
        if key.contains('/') {
            self.known_step(key, at);
        } else if let Some((name, _)) = after("queue.") {
            self.known_in_test(Named::Queue, name, at);
        } else if let Some((name, _)) = after("transfer.") {
            self.known_in_test(Named::Transfer, name, at);
        } else if let Some((name, at)) = after("call.") {
            self.flow_named(name, at);
        }
        self.mocked_data(entry);
        let Some(ends) = self.ends_of(key) else {
            return;
        };
        let replies = entry
            .value
            .list()
            .unwrap_or(std::slice::from_ref(&entry.value));
        for outcome in replies
            .iter()
            .filter_map(|reply| reply.map()?.value("outcome"))
        {
            if let Some(name) = outcome
                .text()
                .filter(|name| !ends.iter().any(|end| end == name))
            {
                let meant = self
                    .nearest(name, ends.iter().map(String::as_str))
                    .map(str::to_owned);
                unknown_outcome::mocked(
                    &mut self.report,
                    outcome.span,
                    name,
                    key,
                    meant.as_deref(),
                    &ends,
                );
            }
        }
    }

    /// Tells of data that are nearly what the step gives, or nearly a variable that takes them. Others may be invented.
    fn mocked_data(&mut self, entry: &Entry<'_>) {
        let key = entry.key.as_ref();
        let steps = self.catalog.steps.range(format!("{key}@")..);
        let steps = steps.take_while(|(step, _)| step.split('@').next() == Some(key));
        let outcomes = steps.flat_map(|(_, step)| step.outcomes.values());
        let fields = outcomes.filter_map(|schema| schema["properties"].as_object());
        let mut known: BTreeSet<&str> = fields
            .flat_map(|fields| fields.keys())
            .map(String::as_str)
            .collect();
        let walked = self.walked();
        known.extend(walked.results.iter().map(String::as_str));
        let replies = entry
            .value
            .list()
            .unwrap_or(std::slice::from_ref(&entry.value));
        let data = replies
            .iter()
            .filter_map(Node::map)
            .flat_map(|map| &map.entries);
        for field in data.filter(|field| !matches!(field.key.as_ref(), "outcome" | "after")) {
            let name = field.key.as_ref();
            if known.contains(name) || walked.read.contains(name) {
                continue;
            }
            let all: Vec<&str> = known.iter().copied().collect();
            let meant = self.nearest(name, all.into_iter());
            if let Some(meant) = meant.filter(|meant| slips(name, meant) == Some(1)) {
                unknown_field::mocked(&mut self.report, field.key_span, key, name, meant);
            }
        }
    }

    /// How what is mocked may end; `None` when that cannot be known.
    fn ends_of(&self, key: &str) -> Option<Vec<String>> {
        let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        if key.starts_with("queue.") {
            return Some(named(&QUEUE_ENDS));
        }
        if key.starts_with("transfer.") {
            return Some(named(&TRANSFER_ENDS));
        }
        let mut ends: Vec<String> = Vec::new();
        if let Some(flow) = key.strip_prefix("call.") {
            let signature = self.catalog.flows.as_ref()?.get(flow)?;
            if signature.unreadable {
                return None;
            }
            ends.extend(signature.outcomes.iter().cloned());
            ends.push("error".to_owned());
            if ends.len() == 1 {
                ends.push("done".to_owned());
            }
            return Some(ends);
        }
        let is = |step: &str| step.split('@').next() == Some(key);
        let versions = self
            .catalog
            .steps
            .range(format!("{key}@")..)
            .take_while(|(step, _)| is(step));
        for (_, description) in versions {
            // What keys lead to is up to each place that uses the step.
            if !description.outcomes_from.is_empty() {
                return None;
            }
            ends.extend(description.outcomes.keys().cloned());
        }
        if ends.is_empty() {
            return None;
        }
        ends.extend(["timeout", "error"].map(str::to_owned));
        ends.dedup();
        Some(ends)
    }

    /// Tells of a queue or a supplier that the project does not have.
    pub(super) fn known_in_test(&mut self, kind: Named, name: &str, at: Span) {
        let names = match kind {
            Named::Queue => &self.catalog.queues,
            Named::Transfer if address(name) => return,
            Named::Transfer => &self.catalog.destinations,
        };
        let Some(names) = names.as_ref().filter(|names| !names.contains(name)) else {
            return;
        };
        let meant = self.nearest(name, names.iter().map(String::as_str));
        let meant = meant.map(str::to_owned);
        let names: Vec<String> = names.iter().cloned().collect();
        let tell = match kind {
            Named::Queue => unknown_queue::unknown,
            Named::Transfer => unknown_destination::unknown,
        };
        tell(&mut self.report, at, name, meant.as_deref(), &names);
    }

    /// The steps of `used:`.
    pub(super) fn known_steps(&mut self, used: Option<&Node<'_>>) {
        for node in used
            .into_iter()
            .flat_map(|node| node.list().unwrap_or(std::slice::from_ref(node)))
        {
            if let Some(name) = node.text() {
                self.known_step(name, node.span);
            }
        }
    }

    /// Tells of an end that is nearly one of this flow's and none of them. The ends of other flows are their own matter.
    pub(super) fn known_end(&mut self, node: Option<&Node<'_>>) {
        let Some((name, at)) = node.and_then(|node| Some((node.text()?, node.span))) else {
            return;
        };
        let walked = self.walked();
        if walked.calls || walked.ends.contains(name) {
            return;
        }
        let meant = self.nearest(name, walked.ends.iter().map(String::as_str));
        if let Some(meant) = meant.filter(|meant| slips(name, meant) == Some(1)) {
            unknown_outcome::ends(&mut self.report, at, name, meant);
        }
    }

    /// Tells of a step that no plugin has: `plugin/step`, without its version. One that the flow itself uses is told where
    /// it does.
    fn known_step(&mut self, name: &str, at: Span) {
        let is = |key: &str| key.split('@').next() == Some(name);
        let mut first = self.catalog.steps.range(format!("{name}@")..);
        if first.next().is_some_and(|(key, _)| is(key)) || self.walked().steps.contains(name) {
            return;
        }
        let mut names: Vec<&str> = Vec::new();
        for key in self.catalog.steps.keys() {
            names.extend(key.split('@').next());
        }
        names.dedup();
        let meant = self.nearest(name, names.iter().copied()).map(str::to_owned);
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        unknown_plugin::unknown(&mut self.report, at, name, meant.as_deref(), &names);
    }
}
