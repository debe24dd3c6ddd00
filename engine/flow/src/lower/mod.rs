//! Tree to draft: names resolved, defaults filled in, every value compiled for the field it stands in.
//!
//! Lowering never stops at a finding. What it cannot understand becomes [`UNKNOWN`], which later stages
//! take for "goes on somewhere", so that one mistake is one finding. What depends on the way a contact
//! came (types of variables, whether they have a value) is written down as a [`Use`] and checked when the
//! whole graph stands.

mod action;
mod answer;
mod block;
mod branches;
mod declare;
mod defaults;
mod draft;
mod engine_verbs;
mod expect;
mod file;
mod flow_call;
mod habits;
mod hours;
mod input;
mod insertions;
mod mock;
mod names;
mod own_words;
mod parts;
mod press;
mod prompt;
mod regex;
mod respell;
mod runs;
mod shape;
mod spelt;
mod ssml;
mod step_call;
pub(crate) mod template;
mod test;
mod tested;
mod then;

pub(crate) use declare::is_taken;
pub(crate) use draft::{Assigned, Binding, Draft, Facts, UNKNOWN, Use, Want};
use draft::{STEP, unknown};
pub use expect::answer_kinds;
pub(crate) use file::lower;
pub(crate) use habits::is_otherwise;
pub(crate) use names::{Declared, TYPES, flow_signature, is_name, is_variable, unreadable_flow};
pub(crate) use respell::{respell_body, respell_head};
use shape::{Bound, Shape, bound_in};
pub use test::{Act, Expectation, Given, Reply, Test};

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use regex_lite::Regex;

use crate::catalog::Catalog;
use crate::check::report::Report;
use crate::diagnostic::Text;
use crate::expr::{Expr, Span};
use crate::hashed::HashMap;
use crate::plan::{Edge, Node as PlanNode, NodeId};
use crate::value::Type;
use crate::yaml::{Entry, Map, Node};

/// The names that a step's own prompts and expressions may use beside the flow's.
pub(crate) type Binds = Rc<BTreeMap<String, Type>>;

/// Lowers one file.
pub(crate) struct Lowerer<'t> {
    report: Report<'t>,
    catalog: &'t Catalog,
    /// The verbs that may begin a step: the engine's and the catalogue's.
    verbs: Vec<String>,
    steps: HashMap<&'t str, usize>,
    step_names: Vec<String>,
    prompt_ids: BTreeMap<&'t str, usize>,
    /// The kinds of step that the file has, by `plugin/step@major`.
    shapes: [HashMap<String, Rc<Shape<'t>>>; 2],
    /// What findings call the inputs that the file gives.
    called: HashMap<&'t str, Rc<Text>>,
    /// The same of its verbs and steps.
    steps_called: HashMap<String, Rc<Text>>,
    /// No names of a step's own.
    unbound: Binds,
    /// The patterns that inputs are held against; none for one that cannot be read here.
    patterns: HashMap<String, Option<Regex>>,
    /// Hours by name, in the form that a step gets them.
    hours: BTreeMap<String, serde_json::Value>,
    /// Whether opening hours stand under `hours:` without their name.
    unnamed_hours: bool,
    used_hours: BTreeSet<String>,
    defaults: BTreeMap<&'t str, &'t Entry<'t>>,
    /// Those of them that a step has taken.
    taken_defaults: BTreeSet<&'t str>,
    /// Whether it is told that the languages of the flow are not as they should be: then nothing is of what is in which.
    languages_told: bool,
    /// The voice of texts that name none.
    default_voice: Option<String>,
    draft: Draft<'t>,
    /// What the tests may name, once one of them does.
    walked: Option<Rc<tested::Walked>>,
    /// The names that tests write.
    named: tested::named::Names,
    /// Whether the action being lowered has two verbs.
    two_verbs: bool,
    /// Name comparisons made for suggestions.
    compared: usize,
}

/// Where a target or an action stands.
#[derive(Debug, Clone)]
struct Place {
    /// The named step.
    step: usize,
    /// How many inline lists are around it.
    depth: usize,
    /// What follows when an action has nowhere else to go.
    after: Edge,
    /// Whether `repeat` means something: in the lines of a step that can be run again.
    repeat: bool,
}

/// One action while its inputs are compiled.
struct Site {
    id: NodeId,
    place: Place,
    /// What the step is called in findings.
    name: Rc<Text>,
    /// The step's own names, and where they may be used.
    bound: BTreeMap<String, Bound>,
    /// Those of them that the prompts and expressions of the input being compiled may use.
    binds: Binds,
    /// None of them.
    unbound: Binds,
    /// Keys of `press`, with their places and where they lead.
    pressed: Vec<(String, Span, Edge)>,
    /// Keys that are announced to the caller: those with a label.
    labelled: usize,
    /// Whether nothing stands after its verb, which is told.
    empty: bool,
}

impl Site {
    /// Begins an input of the step.
    fn enter(&mut self, input: &str) {
        self.binds = match self.bound.is_empty() {
            true => self.unbound.clone(),
            false => bound_in(&self.bound, input),
        };
    }
}

/// Most name comparisons for suggestions in one file: a file of typing errors stays cheap. A flow of 1,000 steps may
/// have a hundred misspelt targets before the rest of them get no suggestion.
pub(crate) const MAX_COMPARED: usize = 100_000;

impl<'t> Lowerer<'t> {
    /// The nearest name, unless this file has had its share of comparisons.
    fn nearest<'n>(
        &mut self,
        written: &str,
        names: impl ExactSizeIterator<Item = &'n str>,
    ) -> Option<&'n str> {
        self.compared += names.len();
        if self.compared > MAX_COMPARED {
            return None;
        }
        crate::check::suggest::nearest(written, names)
    }

    /// Makes room for an action, so that others can lead to it before it is lowered.
    fn reserve(&mut self, place: &Place) -> NodeId {
        let id = NodeId(u32::try_from(self.draft.nodes.len()).unwrap_or(STEP - 1));
        self.draft.nodes.push(PlanNode {
            step: self.step_names.get(place.step).cloned().unwrap_or_default(),
            line: 1,
            column: 1,
            verb: String::new(),
            when: None,
            next: unknown(),
            global_keys: true,
            action: crate::plan::Action::Goto,
        });
        self.draft.facts.push(Facts::new(place.step));
        id
    }

    fn node(&mut self, id: NodeId) -> &mut PlanNode {
        &mut self.draft.nodes[id.0 as usize]
    }

    fn facts(&mut self, id: NodeId) -> &mut Facts<'t> {
        &mut self.draft.facts[id.0 as usize]
    }

    fn used(&mut self, node: NodeId, expr: &Expr, binds: &Binds, want: Want) {
        self.draft.uses.push(Use {
            node,
            expr: expr.clone(),
            binds: binds.clone(),
            want,
        });
    }

    /// The map that a field must be; a finding when it is something else.
    fn expect_map<'n>(&mut self, key: &str, node: &'n Node<'n>, what: Text) -> Option<&'n Map<'n>> {
        match node.map() {
            Some(map) => Some(map),
            None => {
                self.wrong_shape(key, node, what);
                None
            }
        }
    }

    /// The list that a field must be; a finding when it is something else.
    fn expect_list<'n>(
        &mut self,
        key: &str,
        node: &'n Node<'n>,
        what: Text,
    ) -> Option<&'n [Node<'n>]> {
        match node.list() {
            Some(list) => Some(list),
            None => {
                self.wrong_shape(key, node, what);
                None
            }
        }
    }

    /// The text that a field must be; a finding when it is something else.
    fn expect_text<'n>(&mut self, key: &str, node: &'n Node, what: Text) -> Option<&'n str> {
        match node.text() {
            Some(text) => Some(text),
            None => {
                self.wrong_shape(key, node, what);
                None
            }
        }
    }

    fn wrong_shape(&mut self, key: &str, node: &Node, what: Text) {
        use crate::check::rules::{bad_value, missing_key};
        use crate::yaml::Content;
        let is = match &node.content {
            Content::Scalar(_) if node.absent() => {
                missing_key::value(&mut self.report, node.span, key);
                return;
            }
            Content::Scalar(_) => Text::fixed("a single value", "单个值"),
            Content::List(_) => Text::fixed("a list", "列表"),
            Content::Map(_) => Text::fixed("a map", "映射"),
        };
        bad_value::shape(&mut self.report, node.span, key, &what, is);
    }

    /// Tells of every key of a map that is not among the names.
    fn unknown_keys(&mut self, map: &Map, place: Text, names: &[&str]) {
        for entry in &map.entries {
            if !names.contains(&entry.key.as_ref()) {
                let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
                crate::check::rules::unknown_key::unknown(
                    &mut self.report,
                    entry.key_span,
                    &entry.key,
                    &place,
                    &names,
                );
            }
        }
    }
}
