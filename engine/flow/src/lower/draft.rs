use std::collections::BTreeMap;

use super::names::Declared;
use super::{Binds, Test};
use crate::catalog::{Runs, StepDescription};
use crate::diagnostic::Text;
use crate::expr::{Expr, Span};
use crate::plan::{Edge, Global, Node, NodeId, Prompt};
use crate::value::Type;

/// Node ids from here on stand for named steps that may not be lowered yet: `STEP + index`.
pub(crate) const STEP: u32 = 1 << 31;

/// Stands for a target that is not known because of a finding.
pub(crate) const UNKNOWN: NodeId = NodeId(u32::MAX);

/// The edge to [`UNKNOWN`].
pub(crate) fn unknown() -> Edge {
    Edge::Node(UNKNOWN)
}

/// A flow whose text has been understood as far as possible.
#[derive(Debug, Default)]
pub(crate) struct Draft<'t> {
    pub flow: Option<String>,
    pub languages: Vec<String>,
    pub inputs: BTreeMap<String, Declared>,
    pub vars: BTreeMap<String, Declared>,
    pub outcomes: Vec<String>,
    pub prompts: Vec<PromptDraft<'t>>,
    pub expressions: Vec<Expr>,
    pub nodes: Vec<Node>,
    /// What checking needs to know of each node beside the plan; as many as there are nodes.
    pub facts: Vec<Facts<'t>>,
    /// Named steps: name, place of the name, first action.
    pub steps: Vec<(String, Span, NodeId)>,
    pub start: Option<NodeId>,
    pub global: Global,
    pub global_spans: BTreeMap<String, Span>,
    pub uses: Vec<Use>,
    pub prompt_uses: Vec<PromptUse>,
    pub bindings: Vec<Binding>,
    pub tests: Vec<Test>,
    /// What it runs; there once all of its actions are lowered.
    pub runs: Runs,
    /// Whether some target's name could not be resolved, not even to a suggestion.
    pub lost_target: bool,
    /// Texts without insertions that are values, as of `tag:`, `attach:` and `set:`.
    pub kept: Vec<(Span, &'t str)>,
    /// Variables that are set and not declared, with those that were taken for them.
    pub guessed: Vec<(String, String)>,
    /// Names of steps that are not there and may be slips in several.
    pub doubtful_targets: Vec<String>,
    pub max_duration_ms: u64,
    pub max_steps: u32,
}

/// What checking needs to know of a node beside the plan.
#[derive(Debug, Clone)]
pub(crate) struct Facts<'t> {
    /// Index of the named step.
    pub step: usize,
    /// The whole action.
    pub span: Span,
    /// The verb's key.
    pub verb: Span,
    /// The verb's key and value, when the value is one word; else the key.
    pub head: Span,
    pub description: Option<&'t StepDescription>,
    /// Whether the step listens to keys or answers.
    pub listens: bool,
    /// Whether a finding made it impossible to know what the action does.
    pub broken: bool,
    /// The action before it in its list.
    pub before: Option<NodeId>,
    /// Variables that get a value here.
    pub assigned: Vec<Assigned>,
    /// Keys of `press` and their places.
    pub keys: BTreeMap<String, Span>,
    /// How many of them are announced.
    pub labelled: usize,
    /// Places of `timeout`, `retry` and so on, for findings about them.
    pub options: BTreeMap<&'static str, Span>,
    /// The least and the most digits of the answer that it asks for.
    pub digits: Option<(u32, u32)>,
}

impl Facts<'_> {
    pub fn new(step: usize) -> Self {
        Facts {
            step,
            span: Span::default(),
            verb: Span::default(),
            head: Span::default(),
            description: None,
            listens: false,
            broken: true,
            before: None,
            assigned: Vec::new(),
            keys: BTreeMap::new(),
            labelled: 0,
            options: BTreeMap::new(),
            digits: None,
        }
    }
}

/// That a variable gets a value.
#[derive(Debug, Clone)]
pub(crate) struct Assigned {
    /// On this outcome only; `None`: whenever the action runs.
    pub outcome: Option<String>,
    /// Index into [`Draft::bindings`].
    pub binding: usize,
}

/// One place at which a variable gets a value.
#[derive(Debug, Clone)]
pub(crate) struct Binding {
    pub name: String,
    pub ty: Type,
    pub span: Span,
    /// The least and the most digits of which the value is, and nothing else.
    pub digits: Option<(u32, u32)>,
}

/// An expression, and what is wanted of it.
#[derive(Debug, Clone)]
pub(crate) struct Use {
    pub node: NodeId,
    pub expr: Expr,
    pub binds: Binds,
    pub want: Want,
}

/// What is wanted of an expression.
#[derive(Debug, Clone)]
pub(crate) enum Want {
    /// True or false.
    Condition,
    /// Something that a text can take.
    Inserted {
        /// What the text is, in findings: `the tag`, `the input reason`.
        place: Text,
    },
    /// A value of a type.
    Value {
        /// What takes it, in findings.
        place: Text,
        /// The type.
        ty: Type,
        /// Whether secrets may go there.
        secret: bool,
    },
    /// A secret, and nothing else.
    Secret {
        /// What takes it, in findings.
        place: Text,
    },
    /// A value to compare with the names of edges.
    Switch {
        /// The names and where they stand.
        arms: Vec<(String, Span)>,
        /// Whether `else:` is there.
        otherwise: bool,
        /// Where to say that something is missing.
        then: Span,
    },
}

/// That a step says a prompt.
#[derive(Debug, Clone)]
pub(crate) struct PromptUse {
    pub node: NodeId,
    pub prompt: usize,
    pub binds: Binds,
    /// The step's input: `main`, `reprompt` and so on.
    pub input: String,
}

/// A prompt and its places.
#[derive(Debug, Clone)]
pub(crate) struct PromptDraft<'t> {
    pub prompt: Prompt,
    /// Its name, or the whole of an inline one.
    pub span: Span,
    pub used: bool,
    /// Its expressions.
    pub exprs: Vec<Expr>,
    /// Its texts: place, text as written.
    pub texts: Vec<(Span, &'t str)>,
}
