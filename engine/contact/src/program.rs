//! Everything a contact may walk through: the project's plans and steps.

use std::collections::BTreeMap;
use std::sync::Arc;

use strowger_flow::catalog::StepDescription;
use strowger_flow::plan::{Action, Edge, Plan};
use strowger_flow::value::{Type, type_of_schema};

/// The plans and steps of one revision of a project. Immutable; a contact keeps the one it began with.
#[derive(Debug, Default)]
pub struct Program {
    flows: BTreeMap<String, Arc<Plan>>,
    steps: BTreeMap<String, StepTypes>,
    configs: BTreeMap<String, String>,
}

#[derive(Debug, Default)]
pub(crate) struct StepTypes {
    /// JSON Schema of the input.
    pub input: serde_json::Value,
    pub outcomes: BTreeMap<String, Type>,
    pub binds: BTreeMap<String, Type>,
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
            for node in &plan.nodes {
                let missing_flow = match &node.action {
                    Action::Call { flow, .. } if !flows.contains_key(flow) => Some(flow),
                    _ => None,
                };
                let missing_flow = missing_flow.or(match &node.next {
                    Edge::Flow(flow) if !flows.contains_key(flow) => Some(flow),
                    _ => None,
                });
                if let Some(missing) = missing_flow {
                    return Err(ProgramError::MissingFlow {
                        flow: plan.flow.clone(),
                        missing: missing.clone(),
                    });
                }
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
                    StepTypes {
                        input: step.input.clone(),
                        outcomes: types(&step.outcomes),
                        binds: types(&step.binds),
                    },
                )
            })
            .collect();
        Ok(Program {
            flows,
            steps,
            configs,
        })
    }

    /// A flow by name.
    pub fn flow(&self, name: &str) -> Option<&Arc<Plan>> {
        self.flows.get(name)
    }

    /// All flows, by name.
    pub fn flows(&self) -> impl Iterator<Item = &Arc<Plan>> {
        self.flows.values()
    }

    pub(crate) fn step(&self, key: &str) -> Option<&StepTypes> {
        self.steps.get(key)
    }

    pub(crate) fn config(&self, plugin: &str) -> &str {
        self.configs.get(plugin).map_or("{}", String::as_str)
    }
}
