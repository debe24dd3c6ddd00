//! Everything a contact may walk through: the project's plans and steps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use strowger_flow::catalog::{StepDescription, carries_data};
use strowger_flow::plan::{Action, Edge, Node, Plan};
use strowger_flow::value::{Type, type_of_schema};

/// The plans and steps of one revision of a project. Immutable; a contact keeps the one it began with.
#[derive(Debug, Default)]
pub struct Program {
    flows: BTreeMap<String, Arc<Plan>>,
    steps: BTreeMap<String, Arc<StepTypes>>,
    configs: BTreeMap<String, String>,
    digests: BTreeMap<String, String>,
    content: String,
    configuration: String,
    audio: String,
}

#[derive(Debug, Default)]
pub(crate) struct StepTypes {
    /// JSON Schema of the input.
    pub input: serde_json::Value,
    pub outcomes: BTreeMap<String, Type>,
    /// The outcomes that have data, which `as:` takes.
    pub carries: BTreeSet<String>,
    pub binds: BTreeMap<String, Type>,
    /// Per outcome the fields of its data that mark the contact.
    pub tags: BTreeMap<String, Vec<Mark>>,
}

/// A field of an outcome's data that marks the contact as `tag:` does: `x-tag` of its schema.
#[derive(Debug)]
pub(crate) struct Mark {
    pub field: String,
    /// The tag's name; none where the field is an object, each of whose own fields is a tag.
    pub name: Option<String>,
}

/// The fields of an outcome's data that mark the contact.
fn marks(schema: &serde_json::Value) -> Vec<Mark> {
    let fields = schema["properties"].as_object();
    let marks = fields.into_iter().flatten().filter_map(|(field, schema)| {
        let name = match &schema["x-tag"] {
            serde_json::Value::Bool(true) => None,
            serde_json::Value::String(name) => Some(name.clone()),
            _ => return None,
        };
        let field = field.clone();
        Some(Mark { field, name })
    });
    marks.collect()
}

/// Why plans do not make a program.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ProgramError {
    /// A plan refers to a flow that is not there.
    #[error(
        "flow `{flow}` refers to flow `{missing}`, which is not in the project: add it, or correct the name"
    )]
    MissingFlow {
        /// Who refers.
        flow: String,
        /// To what.
        missing: String,
    },
    /// A plan refers to a step that no plugin offers.
    #[error(
        "flow `{flow}` uses step `{missing}`, which no plugin of the project offers: add the plugin, or correct the name"
    )]
    MissingStep {
        /// Who refers.
        flow: String,
        /// To what.
        missing: String,
    },
}

impl Program {
    /// Puts a program together. Every flow and step that a plan names must be there.
    ///
    /// `configs` holds what `env.config` answers, by plugin name; `{}` for those without.
    pub fn new(
        flows: impl IntoIterator<Item = Arc<Plan>>,
        steps: &BTreeMap<String, StepDescription>,
        configs: BTreeMap<String, String>,
    ) -> Result<Program, ProgramError> {
        let flows: BTreeMap<_, _> = flows
            .into_iter()
            .map(|plan| (plan.flow.clone(), plan))
            .collect();
        for plan in flows.values() {
            let named = plan.nodes.iter().flat_map(flows_named_by);
            let global = global_edges(plan).filter_map(flow_of);
            if let Some(missing) = named.chain(global).find(|flow| !flows.contains_key(*flow)) {
                return Err(ProgramError::MissingFlow {
                    flow: plan.flow.clone(),
                    missing: missing.to_owned(),
                });
            }
            for node in &plan.nodes {
                if let Action::Step(call) = &node.action
                    && !steps.contains_key(&call.step)
                {
                    return Err(ProgramError::MissingStep {
                        flow: plan.flow.clone(),
                        missing: call.step.clone(),
                    });
                }
            }
        }
        let steps = steps
            .iter()
            .map(|(key, step)| {
                let types = |schemas: &BTreeMap<String, serde_json::Value>| {
                    schemas
                        .iter()
                        .map(|(name, schema)| (name.clone(), type_of_schema(schema)))
                        .collect()
                };
                (
                    key.clone(),
                    Arc::new(StepTypes {
                        input: step.input.clone(),
                        outcomes: types(&step.outcomes),
                        carries: step
                            .outcomes
                            .iter()
                            .filter(|(_, schema)| carries_data(schema))
                            .map(|(name, _)| name.clone())
                            .collect(),
                        binds: types(&step.binds),
                        tags: step
                            .outcomes
                            .iter()
                            .map(|(name, schema)| (name.clone(), marks(schema)))
                            .collect(),
                    }),
                )
            })
            .collect();
        Ok(Program {
            flows,
            steps,
            configs,
            digests: BTreeMap::new(),
            content: String::new(),
            configuration: String::new(),
            audio: String::new(),
        })
    }

    /// Names what the program is made of, for the journal: the SHA-256 of each step's plugin, by
    /// `plugin/step@major`, that of the whole, that of what plugins are configured to, empty where none is, and that of the audio
    /// files alone.
    pub fn identified(
        mut self,
        digests: BTreeMap<String, String>,
        content: String,
        configuration: String,
        audio: String,
    ) -> Program {
        self.digests = digests;
        self.content = content;
        self.configuration = configuration;
        self.audio = audio;
        self
    }

    /// SHA-256 over all flows, plugins and audio files; empty when nobody named it.
    pub fn content(&self) -> &str {
        &self.content
    }

    /// SHA-256 over what `env.config` answers to each plugin that has a configuration; empty when none has, or nobody named
    /// it. It is no part of [`Program::content`]: a contact that sleeps goes on where an address was corrected meanwhile, unless a
    /// step has read the old one.
    pub fn configuration(&self) -> &str {
        &self.configuration
    }

    /// SHA-256 over all audio files; empty when nobody named it.
    pub fn audio(&self) -> &str {
        &self.audio
    }

    /// SHA-256 of a step's plugin; empty when nobody named it.
    pub fn digest(&self, step: &str) -> &str {
        self.digests.get(step).map_or("", String::as_str)
    }

    /// A flow by name.
    pub fn flow(&self, name: &str) -> Option<&Arc<Plan>> {
        self.flows.get(name)
    }

    /// All flows, by name.
    pub fn flows(&self) -> impl Iterator<Item = &Arc<Plan>> {
        self.flows.values()
    }

    /// Lets contacts walk this plan in place of its own for that flow, which is like it: so several programs have one.
    pub fn share(&mut self, plan: Arc<Plan>) {
        self.flows.insert(plan.flow.clone(), plan);
    }

    pub(crate) fn step(&self, key: &str) -> Option<&Arc<StepTypes>> {
        self.steps.get(key)
    }

    pub(crate) fn config(&self, plugin: &str) -> &str {
        self.configs.get(plugin).map_or("{}", String::as_str)
    }
}

/// The flows that an action calls or leaves for.
fn flows_named_by(node: &Node) -> impl Iterator<Item = &str> {
    let (called, edges): (_, Vec<&Edge>) = match &node.action {
        Action::Step(call) => (None, call.edges.values().chain(&call.otherwise).collect()),
        Action::Call {
            flow,
            edges,
            otherwise,
            ..
        } => (
            Some(flow.as_str()),
            edges.values().chain(otherwise).collect(),
        ),
        Action::Choose { arms, otherwise } => {
            let arms = arms.iter().map(|(_, edge)| edge);
            (None, arms.chain([otherwise]).collect())
        }
        Action::Switch {
            arms, otherwise, ..
        } => (None, arms.values().chain(otherwise).collect()),
        Action::Set(_)
        | Action::Tag { .. }
        | Action::Wait(_)
        | Action::Goto
        | Action::Return { .. }
        | Action::HangUp { .. } => (None, Vec::new()),
    };
    let edges = edges.into_iter().chain([&node.next]).filter_map(flow_of);
    called.into_iter().chain(edges)
}

fn global_edges(plan: &Plan) -> impl Iterator<Item = &Edge> {
    let global = &plan.global;
    let press = global.press.values();
    press
        .chain(&global.error)
        .chain(&global.hangup)
        .chain(&global.too_long)
}

fn flow_of(edge: &Edge) -> Option<&str> {
    match edge {
        Edge::Flow(flow) => Some(flow),
        _ => None,
    }
}
