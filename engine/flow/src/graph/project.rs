//! The graph of a project: how its flows lead to each other, and which numbers lead to them.

use std::collections::BTreeMap;

use super::flow::edges;
use super::{Arrow, Card, Graph, Kind};
use crate::plan::{Action, Edge, Plan};

pub(super) fn build(title: &str, plans: &[&Plan], routes: &[(&str, &str)]) -> Graph {
    let mut plans = plans.to_vec();
    let numbers = |plan: &Plan| -> Vec<&str> {
        let of_plan = routes.iter().filter(|(_, flow)| *flow == plan.flow);
        of_plan.map(|(number, _)| *number).collect()
    };
    // Flows that contacts come in by stand first.
    plans.sort_by_key(|plan| (numbers(plan).is_empty(), plan.flow.clone()));
    let mut cards: Vec<Card> = plans
        .iter()
        .map(|plan| {
            let numbers = numbers(plan);
            Card {
                name: plan.flow.clone(),
                kind: match numbers.is_empty() {
                    true => Kind::Step,
                    false => Kind::Start,
                },
                lines: numbers.into_iter().map(str::to_owned).collect(),
            }
        })
        .collect();
    let mut arrows: BTreeMap<(usize, usize), Vec<String>> = BTreeMap::new();
    for (from, plan) in plans.iter().enumerate() {
        for (flow, label) in leads(plan) {
            let to = match cards.iter().position(|card| card.name == flow) {
                Some(to) => to,
                // A flow that is not among the plans is drawn as one of elsewhere.
                None => {
                    cards.push(Card {
                        name: flow,
                        lines: Vec::new(),
                        kind: Kind::Flow,
                    });
                    cards.len() - 1
                }
            };
            let labels = arrows.entry((from, to)).or_default();
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
    }
    Graph {
        title: title.to_owned(),
        cards,
        arrows: arrows
            .into_iter()
            .map(|((from, to), labels)| Arrow { from, to, labels })
            .collect(),
    }
}

/// The flows that a flow calls or goes on in, each with what says so: `call in orders`, `from main`.
fn leads(plan: &Plan) -> Vec<(String, String)> {
    let mut leads = Vec::new();
    for node in &plan.nodes {
        if let Action::Call { flow, .. } = &node.action {
            leads.push((flow.clone(), format!("call in {}", node.step)));
        }
        for (_, edge) in edges(node) {
            if let Edge::Flow(flow) = edge {
                leads.push((flow, format!("from {}", node.step)));
            }
        }
    }
    let global = &plan.global;
    let named = [&global.error, &global.hangup, &global.too_long];
    for edge in named.into_iter().flatten().chain(global.press.values()) {
        if let Edge::Flow(flow) = edge {
            leads.push((flow.clone(), "from global".to_owned()));
        }
    }
    leads
}
