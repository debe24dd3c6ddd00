use super::draft::unknown;
use super::file::ENGINE_VERBS;
use super::then::Then;
use super::{Lowerer, Place};
use crate::catalog::StepDescription;
use crate::check::rules::{two_verbs, unknown_verb};
use crate::diagnostic::Text;
use crate::expr::{self, Span};
use crate::plan::NodeId;
use crate::yaml::{Content, Entry, Map, Node};

/// Options that stand beside any verb.
pub(super) const COMMON: [&str; 4] = ["then", "when", "title", "global"];

/// Options that stand beside a step's verb, unless the step has an input of that name.
pub(super) const STEP_OPTIONS: [&str; 4] = ["as", "into", "retry", "meanwhile"];

/// A condition that is true for some contacts and not for others.
const EITHER: &str = "call.priority > 50";

/// A verb in an action.
pub(super) enum Verb<'t> {
    /// The engine walks it.
    Engine,
    /// It is short for a step of a plugin: its key and description.
    Step(&'t str, &'t StepDescription),
}

impl<'t> Lowerer<'t> {
    /// One action.
    pub(super) fn action(&mut self, id: NodeId, item: &'t Node<'t>, place: &Place) {
        let Content::Map(map) = &item.content else {
            return;
        };
        let (line, column) = self.report.lines().position(item.span.start);
        self.facts(id).span = item.span;
        self.facts(id).head = map
            .entries
            .first()
            .map_or(item.span, |entry| entry.key_span);
        let node = self.node(id);
        node.line = line;
        node.column = column;
        node.next = unknown();
        let Some((entry, verb)) = self.verb(map, item) else {
            self.strange_action(id, map, place);
            return;
        };
        let head = head(entry);
        let two = std::mem::take(&mut self.two_verbs);
        let facts = self.facts(id);
        facts.verb = entry.key_span;
        facts.head = head;
        facts.broken = two;
        self.node(id).verb = entry.key.to_string();
        self.common(id, map);
        match verb {
            Verb::Engine => self.engine_verb(id, map, entry, place),
            Verb::Step(key, description) => self.verb_step(id, map, entry, key, description, place),
        }
    }

    /// The one verb of an action.
    fn verb(&mut self, map: &'t Map<'t>, item: &Node) -> Option<(&'t Entry<'t>, Verb<'t>)> {
        let mut verbs = map
            .entries
            .iter()
            .filter_map(|entry| Some((entry, self.verb_named(&entry.key)?)));
        let first = verbs.next();
        let mut found: Vec<(&'t Entry<'t>, Verb<'t>)> = match verbs.next() {
            None if first.is_some() => return first,
            second => first.into_iter().chain(second).chain(verbs).collect(),
        };
        // A verb's name may be another verb's option, as `hours` could be of a call back.
        if found.len() > 1 {
            let options: Vec<&str> = found
                .iter()
                .filter_map(|(_, verb)| match verb {
                    Verb::Step(_, description) => description.input["properties"].as_object(),
                    Verb::Engine => None,
                })
                .flat_map(|properties| properties.keys().map(String::as_str))
                .collect();
            if found
                .iter()
                .any(|(entry, _)| !options.contains(&entry.key.as_ref()))
            {
                found.retain(|(entry, _)| !options.contains(&entry.key.as_ref()));
            }
        }
        if let [(first, _), (second, _), ..] = found.as_slice() {
            two_verbs::two(
                &mut self.report,
                (&first.key, first.key_span),
                (&second.key, second.key_span),
            );
            self.two_verbs = true;
        }
        if found.is_empty() {
            let stranger = map.entries.iter().find(|entry| {
                !COMMON.contains(&entry.key.as_ref()) && !STEP_OPTIONS.contains(&entry.key.as_ref())
            });
            let verbs = std::mem::take(&mut self.verbs);
            let options = map.entries.iter().all(|entry| self.is_option(&entry.key));
            match stranger {
                Some(entry) if options => {
                    unknown_verb::gone(&mut self.report, entry.key_span, &verbs);
                }
                Some(entry) => {
                    unknown_verb::unknown(&mut self.report, entry.key_span, &entry.key, &verbs);
                }
                None => {
                    let at = map
                        .entries
                        .first()
                        .map_or(item.span, |entry| entry.key_span);
                    unknown_verb::none(&mut self.report, at, &verbs);
                }
            }
            self.verbs = verbs;
            return None;
        }
        Some(found.swap_remove(0))
    }

    /// Whether a key stands beside some verb.
    fn is_option(&self, key: &str) -> bool {
        let mut steps = self.catalog.verbs.values();
        let takes = |step: &String| {
            let description = self.catalog.steps.get(step);
            description.is_some_and(|step| !step.input["properties"][key].is_null())
        };
        COMMON.contains(&key) || STEP_OPTIONS.contains(&key) || steps.any(takes)
    }

    fn verb_named(&self, name: &str) -> Option<Verb<'t>> {
        if ENGINE_VERBS.contains(&name) {
            return Some(Verb::Engine);
        }
        let key = self.catalog.verbs.get(name)?;
        let description = self.catalog.steps.get(key)?;
        Some(Verb::Step(key, description))
    }

    /// `when`, `title` and `global`.
    fn common(&mut self, id: NodeId, map: &'t Map<'t>) {
        if let Some(node) = map.value("when") {
            self.facts(id).options.insert("when", node.span);
            let condition = self.condition(id, "when", node);
            // One that cannot be read leaves both ways open.
            self.node(id).when = condition.or_else(|| expr::parse(EITHER, node.span.start).ok());
        }
        if let Some(node) = map.value("title") {
            self.expect_text("title", node, Text::fixed("a text", "文本"));
        }
        if let Some(node) = map.value("global")
            && let Some(global) = self.yes_or_no("global", node)
        {
            self.node(id).global_keys = global;
        }
    }

    /// An action whose verb is unknown: where it leads is still looked up, and counts as led to.
    fn strange_action(&mut self, id: NodeId, map: &'t Map<'t>, place: &Place) {
        let repeatable = Place {
            repeat: true,
            ..place.clone()
        };
        let ways = match self.then(map, &repeatable) {
            Then::Absent => vec![place.after.clone()],
            Then::One(edge) => vec![edge],
            Then::Lines {
                lines, otherwise, ..
            } => lines
                .into_iter()
                .map(|(_, _, edge)| edge)
                .chain(otherwise)
                // It may end in ways of its own as well.
                .chain([place.after.clone()])
                .collect(),
        };
        self.ways(id, ways);
    }
}

/// The verb and what it acts on, when that is one word; else the verb alone.
fn head(entry: &Entry) -> Span {
    match &entry.value.content {
        Content::Scalar(scalar) if !scalar.absent() && scalar.exact.is_some() => entry.span(),
        _ => entry.key_span,
    }
}
