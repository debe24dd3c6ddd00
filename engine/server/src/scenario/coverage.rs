//! Which steps, lines and ways of the flows the tests have walked.

use std::collections::{BTreeMap, BTreeSet};

use strowger_contact::{Mark, Way};
use strowger_flow::plan::{Action, Node, NodeId, Plan};

use super::run::TestResult;
use super::suite::FlowTests;

/// The coverage of some flows.
#[derive(Debug)]
pub struct Coverage {
    /// By file.
    pub flows: Vec<FlowCoverage>,
}

/// The coverage of a flow.
#[derive(Debug)]
pub struct FlowCoverage {
    /// The flow.
    pub flow: String,
    /// Its file.
    pub file: String,
    /// Its named steps, each with the line of its first action.
    pub steps: Vec<Point>,
    /// The lines on which actions stand.
    pub lines: Vec<Point>,
    /// The ways out of its actions, and those of `global`.
    pub edges: Vec<Point>,
}

/// Something that can be walked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// Its line, from 1.
    pub line: u32,
    /// Its name: a step's, or a step with its outcome.
    pub name: String,
    /// How many times it was walked.
    pub walked: u64,
}

impl Coverage {
    /// Counts what the contacts of `results` have walked in `flows`. Of a selection of tests (`selected`) only the flows are told whose
    /// tests are in it, or into which one of them came: of the others nothing was to be seen.
    pub fn of<'f>(
        flows: impl IntoIterator<Item = &'f FlowTests>,
        results: &[TestResult],
        selected: bool,
    ) -> Coverage {
        let mut walked: BTreeMap<(&str, Option<u32>, &Way), u64> = BTreeMap::new();
        for Mark { plan, node, way } in results.iter().flat_map(|result| &result.trail) {
            // A flow that a test mocks has no file: it is not the one that is covered.
            if !plan.file.is_empty() {
                let node = node.map(|NodeId(node)| node);
                *walked.entry((&plan.flow, node, way)).or_default() += 1;
            }
        }
        let ran: BTreeSet<&str> = walked
            .keys()
            .map(|(flow, ..)| *flow)
            .chain(results.iter().map(|result| result.flow.as_str()))
            .collect();
        let flows = flows.into_iter();
        let flows = flows.filter(|flow| !selected || ran.contains(flow.plan.flow.as_str()));
        let flows = flows.map(|flow| {
            let name = flow.plan.flow.as_str();
            let count =
                |node: Option<u32>, way: Way| walked.get(&(name, node, &way)).copied().unwrap_or(0);
            of_plan(&flow.plan, &flow.file, count)
        });
        Coverage {
            flows: flows.collect(),
        }
    }
}

impl FlowCoverage {
    /// Ways walked, in percent of all ways; a flow without any is covered when it was entered.
    pub fn percent(&self) -> f64 {
        let points = match self.edges.is_empty() {
            true => &self.steps,
            false => &self.edges,
        };
        let walked = points.iter().filter(|point| point.walked > 0).count();
        100.0 * walked as f64 / points.len().max(1) as f64
    }
}

fn of_plan(plan: &Plan, file: &str, count: impl Fn(Option<u32>, Way) -> u64) -> FlowCoverage {
    let mut steps: BTreeMap<&str, (u32, u64)> = BTreeMap::new();
    let mut lines: BTreeMap<u32, (BTreeSet<&str>, u64)> = BTreeMap::new();
    let mut edges = Vec::new();
    for (id, node) in (0..).zip(&plan.nodes) {
        let entered = count(Some(id), Way::Entered);
        let step = steps.entry(&node.step).or_insert((node.line, 0));
        step.0 = step.0.min(node.line);
        step.1 = step.1.max(entered);
        let line = lines.entry(node.line).or_default();
        line.0.insert(&node.verb);
        line.1 = line.1.max(entered);
        for (name, way) in ways(node) {
            edges.push(Point {
                line: node.line,
                name: format!("{} → {name}", node.step),
                walked: count(Some(id), way),
            });
        }
    }
    let global = &plan.global;
    let named = [
        ("error", &global.error),
        ("hangup", &global.hangup),
        ("too_long", &global.too_long),
    ];
    let named = named
        .into_iter()
        .filter(|(_, edge)| edge.is_some())
        .map(|(name, _)| name.to_owned());
    for name in global
        .press
        .keys()
        .map(|key| format!("press {key}"))
        .chain(named)
    {
        edges.push(Point {
            line: global.lines.get(&name).copied().unwrap_or_default(),
            name: format!("global → {name}"),
            walked: count(None, Way::Global(name)),
        });
    }
    edges.sort_by_key(|edge| edge.line);
    let mut steps: Vec<Point> = steps
        .into_iter()
        .map(|(name, (line, walked))| Point {
            line,
            name: name.to_owned(),
            walked,
        })
        .collect();
    steps.sort_by_key(|step| step.line);
    let lines = lines
        .into_iter()
        .map(|(line, (verbs, walked))| Point {
            line,
            name: verbs.into_iter().collect::<Vec<_>>().join(", "),
            walked,
        })
        .collect();
    FlowCoverage {
        flow: plan.flow.clone(),
        file: file.to_owned(),
        steps,
        lines,
        edges,
    }
}

/// The ways out of an action that has more than one, as a designer names them.
fn ways(node: &Node) -> Vec<(String, Way)> {
    let mut ways = Vec::new();
    let lines = |names: Vec<&String>, otherwise: bool| {
        let lines = names
            .into_iter()
            .map(|name| (name.clone(), Way::Line(name.clone())));
        let otherwise = otherwise.then(|| ("else".to_owned(), Way::Otherwise));
        lines.chain(otherwise).collect::<Vec<_>>()
    };
    match &node.action {
        Action::Step(call) => {
            ways = lines(call.edges.keys().collect(), call.otherwise.is_some());
        }
        Action::Call {
            edges, otherwise, ..
        } => ways = lines(edges.keys().collect(), otherwise.is_some()),
        Action::Switch {
            arms, otherwise, ..
        } => ways = lines(arms.keys().collect(), otherwise.is_some()),
        Action::Choose { arms, .. } => {
            let single = arms.len() == 1;
            ways.extend((0..arms.len()).map(|index| {
                let name = match single {
                    true => "true".to_owned(),
                    false => format!("condition {}", index + 1),
                };
                (name, Way::Arm(index))
            }));
            let otherwise = if single { "false" } else { "else" };
            ways.push((otherwise.to_owned(), Way::Otherwise));
        }
        Action::Set(_)
        | Action::Tag { .. }
        | Action::Wait(_)
        | Action::Goto
        | Action::Return { .. }
        | Action::HangUp { .. } => {}
    }
    if node.when.is_some() {
        ways.push(("when: false".to_owned(), Way::Skipped));
    }
    ways
}
