//! The checked form of a flow: what the contact core walks.
//!
//! A plan is a graph of [`Node`]s. Every action of the flow's text is one node; names are resolved,
//! defaults are filled in, and every outcome has an edge. A plan is immutable and shared by all
//! contacts that started on it.

use std::collections::BTreeMap;

use crate::expr::Expr;
use crate::value::{Type, Value};

mod memory;

/// Index of a node in [`Plan::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// Index of a prompt in [`Plan::prompts`]. Guests see it as the handle `p:N`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PromptId(pub u32);

/// Index of an expression in [`Plan::expressions`] that a step evaluates itself. Guests see it as `e:N`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExprId(pub u32);

/// A checked flow.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The flow's name, unique in its project.
    pub flow: String,
    /// Path of the file as the user gave it.
    pub file: String,
    /// SHA-256 of the text, lower-case hex; filled in by whoever loads the file.
    pub hash: String,
    /// Spoken languages; the first is the default. Never empty.
    pub languages: Vec<String>,
    /// Arguments of `call:`.
    pub inputs: BTreeMap<String, Declaration>,
    /// What the flow can `return`.
    pub outcomes: Vec<String>,
    /// Variables.
    pub vars: BTreeMap<String, Declaration>,
    /// Every prompt, named or inline.
    pub prompts: Vec<Prompt>,
    /// Expressions handed to steps for later evaluation (`valid:` of an `ask`).
    pub expressions: Vec<Expr>,
    /// All actions.
    pub nodes: Vec<Node>,
    /// Entry.
    pub start: NodeId,
    /// What works everywhere.
    pub global: Global,
    /// Longest duration of a contact in this flow, in milliseconds; default 30 minutes.
    pub max_duration_ms: u64,
    /// Most actions of a contact in this flow; default 500.
    pub max_steps: u32,
}

impl Plan {
    /// The inputs that the flow cannot begin without, in order: only `call:` and tests give them.
    pub fn needed(&self) -> Vec<&str> {
        let inputs = self.inputs.iter();
        inputs
            .filter(|(_, input)| input.default.is_none())
            .map(|(name, _)| name.as_str())
            .collect()
    }
}

/// A declared variable or input.
#[derive(Debug, Clone, PartialEq)]
pub struct Declaration {
    /// Its type.
    pub ty: Type,
    /// Its value at the start; `None` when it has none.
    pub default: Option<Value>,
    /// Whether it holds a secret.
    pub secret: bool,
}

/// What works in every step that does not opt out with `global: false`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Global {
    /// Keys that work in every listening step that has no such key of its own.
    pub press: BTreeMap<String, Edge>,
    /// What may be written instead of those keys in a chat, for those that have a `label` or a `match`.
    pub words: BTreeMap<String, KeyWords>,
    /// Where `error` and `timeout` go when a step has no edge of its own.
    pub error: Option<Edge>,
    /// Where the contact goes when the caller has hung up. Nothing can be said there.
    pub hangup: Option<Edge>,
    /// Where the contact goes when `max_duration` or `max_steps` is reached.
    pub too_long: Option<Edge>,
    /// The line of the flow's file, from 1, on which each of these stands: `error`, `hangup`, `too_long`, `press KEY`.
    pub lines: BTreeMap<String, u32>,
}

/// What may be written in a chat instead of pressing a key.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KeyWords {
    /// The key's label: its text in the contact's language counts.
    pub label: Option<PromptId>,
    /// Further words.
    pub words: Vec<String>,
}

/// A word as chats compare it: without regard to capitals and outer blanks.
pub fn folded(word: &str) -> String {
    word.trim().to_lowercase()
}

/// One action.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The named step that the action stands in.
    pub step: String,
    /// Line of the action in the file, from 1.
    pub line: u32,
    /// Column of the action, from 1, in characters.
    pub column: u32,
    /// The verb as written: `menu`, `use`, `if` …
    pub verb: String,
    /// The action is skipped when this is false.
    pub when: Option<Expr>,
    /// Where to go when the action is skipped, and after an action without outcomes of its own.
    pub next: Edge,
    /// Whether `global.press` works while this action listens.
    pub global_keys: bool,
    /// What it does.
    pub action: Action,
}

impl Node {
    /// Where a contact goes when the action fails and nothing takes over, as on the way of `global.error` or after a hang-up: what
    /// comes after it, or where a choice goes that finds nothing true. [`Edge::End`] where there is no such place.
    pub fn after_failure(&self) -> &Edge {
        match &self.action {
            Action::Choose { otherwise, .. } => otherwise,
            Action::Switch { otherwise, .. } => otherwise.as_ref().unwrap_or(&Edge::End),
            Action::Return { .. } => &Edge::End,
            // Of a `hangup` only its `when` can fail.
            Action::HangUp { .. }
            | Action::Step(_)
            | Action::Call { .. }
            | Action::Set(_)
            | Action::Tag { .. }
            | Action::Wait(_)
            | Action::Goto => &self.next,
        }
    }

    /// Whether the action itself may fail, although all types in it are right. Steps of plugins always may.
    pub fn may_fail(&self) -> bool {
        let any = |values: &BTreeMap<String, Template>| values.values().any(Template::may_fail);
        self.when.as_ref().is_some_and(Expr::may_fail)
            || match &self.action {
                Action::Step(_) => true,
                Action::Call { with, .. } | Action::Return { with, .. } => any(with),
                Action::Choose { arms, .. } => arms.iter().any(|(when, _)| when.may_fail()),
                Action::Switch { value, .. } => value.may_fail(),
                Action::Set(values) => any(values),
                Action::Tag { values, word } => {
                    any(values) || word.as_ref().is_some_and(Template::may_fail)
                }
                Action::HangUp { .. } | Action::Wait(_) | Action::Goto => false,
            }
    }
}

/// What an action does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Runs a step of a plugin: `use`, and every verb that is not the engine's.
    Step(Box<StepCall>),
    /// Walks another flow and comes back.
    Call {
        /// The flow's name.
        flow: String,
        /// Its inputs.
        with: BTreeMap<String, Template>,
        /// The variable that takes what the flow returned.
        bind: Option<String>,
        /// Edge per outcome of that flow.
        edges: BTreeMap<String, Edge>,
        /// Edge of every other outcome, `error` included.
        otherwise: Option<Edge>,
    },
    /// The first true condition wins. `if` is a choice of one.
    Choose {
        /// Conditions in order.
        arms: Vec<(Expr, Edge)>,
        /// When none is true.
        otherwise: Edge,
    },
    /// Compares a value, as text, with the names of its edges.
    Switch {
        /// The value.
        value: Expr,
        /// Edge per value.
        arms: BTreeMap<String, Edge>,
        /// For every other value.
        otherwise: Option<Edge>,
    },
    /// Gives values to variables, `call.language` and `call.priority`; in no particular order, all
    /// right-hand sides before any assignment.
    Set(BTreeMap<String, Template>),
    /// Marks the contact for reports.
    Tag {
        /// Tags by name.
        values: BTreeMap<String, Template>,
        /// A tag whose name is a text with expressions in it; its value is `true`. At most [`MAX_TAG_CHARS`] characters of it
        /// count, and nothing is marked where it is empty.
        word: Option<Template>,
    },
    /// Lets time pass, in milliseconds.
    Wait(u64),
    /// Goes on elsewhere ([`Node::next`]).
    Goto,
    /// Ends this flow with an outcome.
    Return {
        /// One of [`Plan::outcomes`].
        outcome: String,
        /// What goes with it.
        with: BTreeMap<String, Template>,
    },
    /// Ends the contact.
    HangUp {
        /// The disposition written into the contact's record.
        reason: String,
    },
}

/// The call of a plugin's step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepCall {
    /// `plugin/step@major`, as in `std/menu@1` or `orders/lookup@1`.
    pub step: String,
    /// The input object.
    pub input: Template,
    /// The variable that takes the outcome's data (`as:`).
    pub bind: Option<String>,
    /// What the checker took the data of an outcome for, where the flow says more of them than the step's description: `as:` reads
    /// them so.
    pub data: BTreeMap<String, Type>,
    /// The variable that takes one field of the outcome's data (`into:`), and that field.
    pub into: Option<Into>,
    /// What the checker took the names for that the step gives its own prompts and expressions, where the flow says more of them
    /// than the step's description.
    pub binds: BTreeMap<String, Type>,
    /// How long the step may be busy, in milliseconds, not counting the time it talks with the contact
    /// or waits for people; default 5,000.
    pub timeout_ms: u64,
    /// How often to run it again.
    pub retry: Option<Retry>,
    /// What the caller hears while it is busy.
    pub meanwhile: Option<Meanwhile>,
    /// Edge per outcome; keys of `press` are outcomes too. `error` and `timeout` may stand here.
    pub edges: BTreeMap<String, Edge>,
    /// Edge of every other outcome (`else`).
    pub otherwise: Option<Edge>,
}

/// Where one field of an outcome's data goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Into {
    /// The variable.
    pub variable: String,
    /// The field.
    pub field: String,
    /// What the checker took its value for: every later expression relies on it.
    pub ty: Type,
}

/// Running a step again after it failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    /// How many more times, at most 10.
    pub times: u32,
    /// Pause before the first repetition, in milliseconds.
    pub wait_ms: u64,
    /// Each pause is so many times the one before.
    pub factor: f64,
    /// Which of `timeout` and `error` to repeat; both unless the flow says otherwise.
    pub only: Vec<String>,
}

/// Longest pause before a step is run again. Milliseconds: a minute is as long as anybody waits for a service.
const MAX_PAUSE_MS: f64 = 60_000.0;

impl Retry {
    /// The pause before it is run again, in milliseconds, when it has been so many times: at most a minute.
    pub fn pause_ms(&self, repeated: u32) -> u64 {
        let growth = self
            .factor
            .powi(i32::try_from(repeated).unwrap_or(i32::MAX));
        (self.wait_ms as f64 * growth).clamp(0.0, MAX_PAUSE_MS) as u64
    }

    /// All its pauses, in milliseconds.
    pub fn pauses_ms(&self) -> impl Iterator<Item = u64> {
        (0..self.times).map(|repeated| self.pause_ms(repeated))
    }
}

/// What the caller hears while a step is busy.
#[derive(Debug, Clone, PartialEq)]
pub struct Meanwhile {
    /// Milliseconds of silence before anything is heard.
    pub after_ms: u64,
    /// Said once.
    pub say: Option<PromptId>,
    /// An audio file, repeated until the step ends.
    pub music: Option<String>,
}

/// Where a contact goes next.
#[derive(Debug, Clone, PartialEq)]
pub enum Edge {
    /// To an action of this flow.
    Node(NodeId),
    /// To another flow, without coming back.
    Flow(String),
    /// The same listening step again, its counters kept.
    Repeat,
    /// Off the end of the file: the checker refuses every flow in which this can happen; the contact
    /// core ends such a contact with the reason `fell-off`.
    End,
}

/// A value to be made when the action is reached.
#[derive(Debug, Clone, PartialEq)]
pub enum Template {
    /// A value as it stands.
    Literal(Value),
    /// The value of an expression; its type is kept.
    Expr(Expr),
    /// Text with expressions in it.
    Text(Vec<Piece>),
    /// Becomes the handle `p:N`.
    Prompt(PromptId),
    /// Becomes the handle `e:N`; evaluated when the step asks for it.
    Deferred(ExprId),
    /// Values in order.
    List(Vec<Template>),
    /// Named values.
    Object(BTreeMap<String, Template>),
}

impl Template {
    /// Whether an expression in it may have no value although its types are right.
    pub(crate) fn may_fail(&self) -> bool {
        self.any(&Expr::may_fail)
    }

    /// Whether one of the expressions that are evaluated where it stands is so.
    pub fn any(&self, is: &dyn Fn(&Expr) -> bool) -> bool {
        match self {
            Template::Expr(expr) => is(expr),
            Template::Text(pieces) => pieces
                .iter()
                .any(|piece| matches!(piece, Piece::Expr(expr) if is(expr))),
            Template::List(items) => items.iter().any(|item| item.any(is)),
            Template::Object(fields) => fields.values().any(|field| field.any(is)),
            Template::Literal(_) | Template::Prompt(_) | Template::Deferred(_) => false,
        }
    }
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// As it stands.
    Text(String),
    /// Inserted, as text in the contact's language.
    Expr(Expr),
}

/// Something to say.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// Its name; `None` for a text written where it is used.
    pub name: Option<String>,
    /// Line of its definition, from 1.
    pub line: u32,
    /// Voices per language; the key `any` stands for every language that has none of its own.
    pub voices: BTreeMap<String, Vec<Voice>>,
}

/// One part of a prompt in one language.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Voice {
    /// What is spoken when there is no audio, and read in a chat when there is no `chat`.
    pub text: Option<Vec<Piece>>,
    /// An audio file, by its path below the project's folder.
    pub audio: Option<String>,
    /// What is read in a chat.
    pub chat: Option<Vec<Piece>>,
    /// A voice of the synthesiser.
    pub voice: Option<String>,
    /// The language of this part, where it is not that of the prompt.
    pub language: Option<String>,
}

/// Longest name of a tag. Characters; reports group by it.
pub const MAX_TAG_CHARS: usize = 200;
