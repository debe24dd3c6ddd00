//! Flows that a test mocks (`call.FLOW`): a flow of one step that gives the test's answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;
use strowger_contact::{Program, ProgramError};
use strowger_flow::catalog::StepDescription;
use strowger_flow::plan::{Action, Edge, Global, Node, NodeId, Plan, StepCall, Template};
use strowger_flow::value::{Type, Value, from_json};
use strowger_flow::{Reply, Test};

/// The plugin that a mocked flow's step belongs to: no plugin can have this name.
const PLUGIN: &str = "call.";
/// Most milliseconds that a mocked flow may take; the contact's own limit comes first.
const MAX_MS: u64 = 86_400_000;

/// The key of the mock behind a step of a stub, such as `call.order-status`.
pub(super) fn key(step: &str) -> Option<&str> {
    step.strip_prefix(PLUGIN)?;
    step.strip_suffix("/mock@0")
}

/// The outcome that the answer of this number gives.
pub(super) fn outcome(number: usize) -> String {
    format!("answer-{number}")
}

/// The program with the flows that a test mocks exchanged; `None` when it mocks none.
pub(super) fn program(
    test: &Test,
    plans: &[Arc<Plan>],
    steps: &BTreeMap<String, StepDescription>,
    configs: &BTreeMap<String, String>,
) -> Result<Option<Arc<Program>>, ProgramError> {
    let mocked: Vec<_> = test
        .mocks
        .iter()
        .filter_map(|(key, replies)| Some((key.strip_prefix(PLUGIN)?, replies)))
        .collect();
    if mocked.is_empty() {
        return Ok(None);
    }
    let mut flows: BTreeMap<String, Arc<Plan>> = plans
        .iter()
        .map(|plan| (plan.flow.clone(), plan.clone()))
        .collect();
    let mut steps = steps.clone();
    for (flow, replies) in mocked {
        let description = StepDescription {
            outcomes: (0..replies.len())
                .map(|number| (outcome(number), Json::Object(serde_json::Map::new())))
                .collect(),
            ..StepDescription::default()
        };
        let step = format!("{PLUGIN}{flow}/mock@0");
        steps.insert(step.clone(), description);
        let languages = plans.first().map(|plan| plan.languages.clone());
        let binds = binds(flow, plans);
        let plan = plan(flow, step, replies, &binds, languages.unwrap_or_default());
        flows.insert(flow.to_owned(), Arc::new(plan));
    }
    Program::new(flows.into_values(), &steps, configs.clone())
        .map(|program| Some(Arc::new(program)))
}

/// The variables that take what a flow returned, wherever it is called.
fn binds<'p>(called: &str, plans: &'p [Arc<Plan>]) -> Vec<&'p str> {
    let nodes = plans.iter().flat_map(|plan| &plan.nodes);
    nodes
        .filter_map(|node| match &node.action {
            Action::Call { flow, bind, .. } if flow == called => bind.as_deref(),
            _ => None,
        })
        .collect()
}

fn plan(
    flow: &str,
    step: String,
    replies: &[Reply],
    binds: &[&str],
    languages: Vec<String>,
) -> Plan {
    let node = |action: Action| Node {
        step: "mock".to_owned(),
        line: 0,
        column: 0,
        verb: "mock".to_owned(),
        when: None,
        next: Edge::End,
        global_keys: false,
        action,
    };
    // The answer `error` has no line: it leaves the flow by the `error` of whoever called it.
    let returned = || {
        let numbered = replies.iter().enumerate();
        numbered.filter(|(_, reply)| reply.outcome != "error")
    };
    let edges = returned()
        .zip(1..)
        .map(|((number, _), node)| (outcome(number), Edge::Node(NodeId(node))))
        .collect();
    let call = StepCall {
        step,
        input: Template::Object(BTreeMap::new()),
        bind: None,
        data: BTreeMap::new(),
        into: None,
        binds: BTreeMap::new(),
        timeout_ms: MAX_MS,
        retry: None,
        meanwhile: None,
        edges,
        otherwise: None,
    };
    let returns = returned().map(|(_, reply)| {
        node(Action::Return {
            outcome: reply.outcome.clone(),
            with: fields(reply, binds),
        })
    });
    let nodes = std::iter::once(node(Action::Step(Box::new(call))))
        .chain(returns)
        .collect();
    Plan {
        flow: flow.to_owned(),
        file: String::new(),
        hash: String::new(),
        languages,
        inputs: BTreeMap::new(),
        outcomes: replies.iter().map(|reply| reply.outcome.clone()).collect(),
        vars: BTreeMap::new(),
        prompts: Vec::new(),
        expressions: Vec::new(),
        nodes,
        start: NodeId(0),
        global: Global::default(),
        max_duration_ms: MAX_MS,
        max_steps: u32::MAX,
    }
}

/// What the flow returns: a mock names the variable that takes it, or the fields themselves.
fn fields(reply: &Reply, binds: &[&str]) -> BTreeMap<String, Template> {
    let mut fields = BTreeMap::new();
    for (name, value) in &reply.data {
        match value {
            Json::Object(inner) if binds.contains(&name.as_str()) => {
                fields.extend(
                    inner
                        .iter()
                        .map(|(name, value)| (name.clone(), literal(value))),
                );
            }
            value => {
                fields.insert(name.clone(), literal(value));
            }
        }
    }
    fields
}

fn literal(value: &Json) -> Template {
    Template::Literal(from_json(value, &Type::Any).unwrap_or(Value::None))
}
