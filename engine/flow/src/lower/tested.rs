//! What tests name that stands outside the flow: plugins' steps, queues, suppliers, other flows.

pub(super) mod named;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use self::named::What;
use super::Lowerer;
use crate::catalog::Runs;
use crate::check::rules::{unknown_destination, unknown_plugin, unknown_queue};
use crate::check::suggest::misspelt;
use crate::destination::{Destination, NoDestination};
use crate::diagnostic::{Diagnostic, Level};
use crate::expr::Span;
use crate::plan::Action;
use crate::value::Type;
use crate::yaml::Node;

/// What a flow and its tests name by a word alone.
#[derive(Debug, Clone, Copy)]
pub(super) enum Named {
    Queue,
    Transfer,
}

/// What the flow does, as far as its tests name it.
#[derive(Default)]
pub(super) struct Walked {
    /// What runs in it that can be mocked: steps with their versions, and `call.FLOW`.
    ran: BTreeMap<String, Ran>,
    /// Outcomes and dispositions.
    ends: BTreeSet<String>,
    /// What expressions read: where that has no value, it is told there.
    pub read: BTreeSet<String>,
    /// Whether it calls other flows, which may end the contact.
    calls: bool,
    /// What runs in the flows that it leads to; `None` when not all of it is known.
    beyond: Option<Runs>,
}

/// Something that runs at one place of the flow, or at several.
#[derive(Default)]
pub(super) struct Ran {
    /// The variables that take all data, by `as:`.
    pub whole: BTreeSet<String>,
    /// Those that take a field, by `into:`, with its type.
    pub field: BTreeMap<String, (String, Type)>,
    /// The outcomes that have a line.
    pub lines: BTreeSet<String>,
}

impl Ran {
    /// All variables that take something.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.whole.iter().chain(self.field.keys())
    }
}

impl Walked {
    /// What runs in the flow under the name of a mock, which may leave the version out.
    pub fn ran<'w>(&'w self, mock: &'w str) -> impl Iterator<Item = (&'w str, &'w Ran)> {
        let named = self.ran.range(mock.to_owned()..);
        let named = named.take_while(move |(name, _)| name.starts_with(mock));
        named
            .filter(move |(name, _)| is_step(mock, name))
            .map(|(name, ran)| (name.as_str(), ran))
    }

    /// Whether a flow to which this one leads may run what is mocked.
    pub fn runs_beyond(&self, mock: &str) -> bool {
        let beyond = self.beyond.as_ref();
        beyond.is_none_or(|beyond| beyond.asks_for(mock))
    }
}

/// Whether the name of a mock, with or without a major version, stands for a step.
pub(super) fn is_step(mock: &str, step: &str) -> bool {
    step == mock || step.split('@').next() == Some(mock)
}

impl<'t> Lowerer<'t> {
    pub(super) fn walked(&mut self) -> Rc<Walked> {
        if let Some(walked) = &self.walked {
            return walked.clone();
        }
        let own = self.draft.flow.as_deref();
        let mut walked = Walked {
            ends: self.draft.outcomes.iter().cloned().collect(),
            beyond: self.draft.runs.beyond(own, self.catalog),
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
                    let ran = walked.ran.entry(call.step.clone()).or_default();
                    ran.whole.extend(call.bind.clone());
                    ran.lines.extend(call.edges.keys().cloned());
                    if let Some(into) = &call.into {
                        let field = (into.field.clone(), into.ty.clone());
                        ran.field.insert(into.variable.clone(), field);
                    }
                }
                Action::HangUp { reason } => {
                    walked.ends.insert(reason.clone());
                }
                Action::Call { flow, bind, .. } => {
                    walked.calls = true;
                    let ran = walked.ran.entry(format!("call.{flow}")).or_default();
                    ran.whole.extend(bind.clone());
                }
                _ => {}
            }
        }
        let walked = Rc::new(walked);
        self.walked = Some(walked.clone());
        walked
    }

    /// What a mock may answer, in this flow and those that it leads to; `None` when that cannot be known.
    pub(super) fn mockable(&mut self, mock: &str) -> Option<bool> {
        // Something that is misspelt runs as well.
        let wrong = |found: &Diagnostic| found.level == Level::Error;
        if self.report.has_gaps() || self.report.diagnostics().iter().any(wrong) {
            return None;
        }
        let walked = self.walked();
        let beyond = walked.beyond.as_ref()?;
        Some(self.draft.runs.asks_for(mock) || beyond.asks_for(mock))
    }

    /// Tells of a queue or a supplier that the project does not have, and of what nobody can be called by, whatever the
    /// project has.
    pub(super) fn known_outside(&mut self, kind: Named, name: &str, at: Span) {
        let names = match kind {
            Named::Queue => self.catalog.queues.as_ref(),
            Named::Transfer => self.catalog.destinations.as_ref(),
        };
        if names.is_some_and(|names| names.contains(name)) {
            return;
        }
        if let Named::Transfer = kind {
            match Destination::read(name) {
                Ok(_) => return,
                Err(NoDestination::Malformed(why)) => {
                    return unknown_destination::malformed(&mut self.report, at, why);
                }
                Err(NoDestination::Name) => {}
            }
        }
        let Some(names) = names else {
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
        if walked.ends.contains(name) {
            self.named.right(What::End, name);
        }
        if walked.calls || walked.ends.contains(name) {
            return;
        }
        let meant = self.nearest(name, walked.ends.iter().map(String::as_str));
        if let Some(meant) = meant.filter(|meant| misspelt(name, meant) == Some(1)) {
            self.named.slip(What::End, name, meant, at);
        }
    }

    /// Tells of a step that no plugin has: `plugin/step`, with or without its version. One that the flow itself uses is told where
    /// it does.
    pub(super) fn known_step(&mut self, name: &str, at: Span) {
        let catalog = self.catalog;
        let first = catalog.steps.range(name.to_owned()..);
        let mut near = first.take_while(|(key, _)| key.starts_with(name));
        if near.any(|(key, _)| is_step(name, key)) || self.walked().ran(name).next().is_some() {
            return;
        }
        let mut names: Vec<&str> = Vec::new();
        for key in catalog.steps.keys() {
            match name.contains('@') {
                true => names.push(key),
                false => names.extend(key.split('@').next()),
            }
        }
        names.dedup();
        let meant = self.nearest(name, names.iter().copied()).map(str::to_owned);
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        unknown_plugin::unknown(&mut self.report, at, name, meant.as_deref(), &names);
    }
}
