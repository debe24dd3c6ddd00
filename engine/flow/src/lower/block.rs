use super::draft::unknown;
use super::habits::bare_verb;
use super::{Lowerer, Place, UNKNOWN};
use crate::check::rules::{bad_value, missing_key, yaml_colon};
use crate::check::wrong_sign;
use crate::diagnostic::{Text, text};
use crate::expr::Span;
use crate::plan::{Edge, NodeId};
use crate::yaml::{Content, Entry, Node};

impl<'t> Lowerer<'t> {
    /// A named step: one action, or a list of them.
    pub(super) fn step(&mut self, index: usize, entry: &'t Entry<'t>) {
        let place = Place {
            step: index,
            depth: 0,
            after: Edge::End,
            repeat: false,
        };
        let first = match &entry.value.content {
            Content::List(items) => match self.block(items, &place, entry.key_span) {
                Edge::Node(id) if id != UNKNOWN => id,
                // An empty list has no action to lead to.
                _ => self.nothing(&place, entry),
            },
            Content::Map(_) => {
                let id = self.reserve(&place);
                self.action(id, &entry.value, &place);
                id
            }
            Content::Scalar(_) => {
                let written = entry.value.text().unwrap_or_default();
                let what = match bare_verb(written) {
                    Some(verb) => {
                        text!("an action such as `{verb}`", "动作，例如 `{verb}`")
                    }
                    None => Text::fixed(
                        "an action such as `say: hello`, or a list of actions",
                        "动作，例如 `say: hello`，或动作列表",
                    ),
                };
                self.wrong_shape(&entry.key, &entry.value, what);
                self.nothing(&place, entry)
            }
        };
        self.draft
            .steps
            .push((entry.key.to_string(), entry.key_span, first));
    }

    /// A step that cannot be understood.
    fn nothing(&mut self, place: &Place, entry: &'t Entry<'t>) -> NodeId {
        let id = self.reserve(place);
        self.facts(id).span = entry.span();
        self.facts(id).head = entry.key_span;
        id
    }

    /// A list of actions; the edge to the first of them.
    pub(super) fn block(&mut self, items: &'t [Node<'t>], place: &Place, span: Span) -> Edge {
        if items.is_empty() {
            bad_value::why(
                &mut self.report,
                span,
                Text::fixed("this list has no action in it", "此列表里没有动作"),
                Some(Text::fixed(
                    "write at least one, such as `- hangup: completed`",
                    "请至少写一个，例如 `- hangup: completed`",
                )),
            );
            return unknown();
        }
        let ids: Vec<NodeId> = items.iter().map(|_| self.reserve(place)).collect();
        for (index, item) in items.iter().enumerate() {
            let after = ids
                .get(index + 1)
                .map_or(place.after.clone(), |next| Edge::Node(*next));
            let inner = Place {
                after,
                ..place.clone()
            };
            self.facts(ids[index]).before = index.checked_sub(1).map(|before| ids[before]);
            if item.map().is_some() {
                self.action(ids[index], item, &inner);
            } else {
                self.facts(ids[index]).span = item.span;
                self.facts(ids[index]).head = item.span;
                let verbs = std::mem::take(&mut self.verbs);
                let told = self.no_colon(item, |word| verbs.iter().any(|verb| verb == word));
                self.verbs = verbs;
                if told {
                    self.report.spoil(item.span);
                } else if item.absent() {
                    missing_key::value(&mut self.report, item.span, "-");
                } else {
                    let verb = item.text().and_then(bare_verb).unwrap_or("say: hello");
                    let what = text!("an action such as `{verb}`", "动作，例如 `{verb}`");
                    self.wrong_shape("-", item, what);
                }
            }
        }
        Edge::Node(ids[0])
    }

    /// Tells of an item that is a text and begins with a key: the colon behind that lacks, the blank behind the colon, or another sign
    /// stands there.
    pub(super) fn no_colon(&mut self, item: &Node<'_>, is_key: impl Fn(&str) -> bool) -> bool {
        let source = self.report.lines().source();
        let Some(written) = item.text().filter(|written| !written.contains('\n')) else {
            return false;
        };
        let at = item.span.start;
        // What stands in quotes is meant to be a text.
        if !source[at..].starts_with(written) {
            return false;
        }
        let end = written.find(|c: char| !(c.is_ascii_lowercase() || c == '_'));
        let Some((word, behind)) = end.map(|end| written.split_at(end)) else {
            return false;
        };
        if !is_key(word) {
            return false;
        }
        let place = |start: usize, end: usize| Span {
            start: at + start,
            end: at + end,
        };
        let end = word.len();
        let report = &mut self.report;
        if let Some(length) = wrong_sign(behind) {
            let colon = match behind.len() > length {
                true => ": ",
                false => ":",
            };
            let (sign, fix) = (behind[..length].trim(), place(end, end + length));
            yaml_colon::sign(report, (place(0, end), word), sign, (fix, colon));
        } else if behind.starts_with(':') {
            let word = &written[..=end];
            yaml_colon::blank(report, place(0, end + 1), word);
        } else if behind.starts_with(' ') {
            yaml_colon::colon(report, place(0, end), word, ":");
        } else {
            return false;
        }
        true
    }
}
