//! What a flow runs, as the tests of this flow and of those that lead to it may mock it.

use std::collections::BTreeMap;

use super::Draft;
use crate::catalog::{Catalog, Runs, StepDescription};
use crate::plan::{Action, StepCall, Template};
use crate::value::Value;

/// By what a step hands a contact over: the input's name, and what its name begins with in a mock.
type Hand<'d> = (&'d str, &'static str);

/// Of people whom a step finds by itself.
const ANYBODY: [&str; 2] = ["queue.", "transfer."];

impl Runs {
    /// Of a flow whose actions are lowered.
    pub(super) fn of(draft: &Draft<'_>) -> Runs {
        let mut runs = draft.runs.clone();
        let mut hands: BTreeMap<&str, Vec<Hand<'_>>> = BTreeMap::new();
        for (node, facts) in draft.nodes.iter().zip(&draft.facts) {
            match &node.action {
                Action::Step(call) => {
                    let bare = call.step.split('@').next().unwrap_or_default();
                    if !runs.names.contains(bare) {
                        runs.names.insert(bare.to_owned());
                    }
                    let Some(description) = facts.description else {
                        runs.any.extend(ANYBODY.map(str::to_owned));
                        continue;
                    };
                    let hands = hands
                        .entry(&call.step)
                        .or_insert_with(|| hands_of(description));
                    if hands.is_empty() && !description.people.is_empty() {
                        runs.any.extend(ANYBODY.map(str::to_owned));
                    }
                    for hand in hands {
                        runs.hand(call, hand);
                    }
                }
                Action::Call { flow, .. } => {
                    runs.names.insert(format!("call.{flow}"));
                }
                _ => {}
            }
        }
        runs
    }

    fn hand(&mut self, call: &StepCall, (input, kind): &Hand<'_>) {
        let Template::Object(inputs) = &call.input else {
            return;
        };
        match inputs.get(*input) {
            None => {}
            Some(Template::Literal(Value::Text(name))) => {
                self.names.insert(format!("{kind}{name}"));
            }
            Some(_) => {
                self.any.insert((*kind).to_owned());
            }
        }
    }

    fn take(&mut self, other: &Runs) {
        self.names.extend(other.names.iter().cloned());
        self.any.extend(other.any.iter().cloned());
    }

    /// What the flows run to which a flow leads, over others too; `None` when not all of it is known. Its own doing is not among it.
    pub(super) fn beyond(&self, own: Option<&str>, catalog: &Catalog) -> Option<Runs> {
        let mut all = Runs::default();
        let mut open: Vec<&String> = self.leads.iter().collect();
        while let Some(flow) = open.pop() {
            if own == Some(flow) || !all.leads.insert(flow.clone()) {
                continue;
            }
            let runs = catalog.flows.as_ref()?.get(flow)?.runs.as_ref()?;
            all.take(runs);
            open.extend(&runs.leads);
        }
        Some(all)
    }

    /// Whether a mock of this name may answer something.
    pub(super) fn asks_for(&self, name: &str) -> bool {
        let bare = match name.starts_with("transfer.") {
            // A SIP URI has an `@` of its own.
            true => name,
            false => name.split('@').next().unwrap_or(name),
        };
        self.names.contains(bare) || self.any.iter().any(|kind| name.starts_with(kind.as_str()))
    }
}

fn hands_of(description: &StepDescription) -> Vec<Hand<'_>> {
    let inputs = description.input["properties"].as_object();
    let hands = inputs.into_iter().flatten().filter_map(|(name, schema)| {
        let kind = match schema["format"].as_str()? {
            "queue" => "queue.",
            "destination" => "transfer.",
            _ => return None,
        };
        Some((name.as_str(), kind))
    });
    hands.collect()
}
