//! What could be written at a place.

use super::grammar;
use super::keys;
use super::mention::Kind;
use super::offer::{Offer, OfferKind};
use super::part::{Keys, Part, Role};
use super::repair;
use super::{Sheet, expression, schema};
use crate::catalog::Catalog;
use crate::check::report::Report;
use crate::check::unassigned_at;
use crate::diagnostic::floor;
use crate::expr::Span;
use crate::lower::lower;
use crate::value::{Type, type_of_schema};
use crate::yaml::Node;

/// Stands at the cursor while the file is read: a character that Unicode keeps for private use.
const MARK: &str = "\u{E000}";

impl Sheet {
    /// What could be written at a byte, the best first. Nothing when the place cannot be understood.
    pub fn complete(&self, at: usize, catalog: &Catalog) -> Vec<Offer> {
        let at = floor(&self.source, at);
        let Some((text, root)) = self.marked(at) else {
            return Vec::new();
        };
        let parts = grammar::parts(&root, catalog);
        let Some(part) = parts.iter().find(|part| part.text.contains(MARK)) else {
            return Vec::new();
        };
        let mut offers = self.offers(part, at, catalog);
        let field = |offer: &Offer| self.source[..offer.replaces.start].ends_with('.');
        if self.decides(part) && !offers.first().is_some_and(field) {
            let (draft, _) = lower(&root, catalog, Report::new("", &text));
            expression::last_without_value(&mut offers, &unassigned_at(&draft, at));
        }
        for offer in &mut offers {
            if offer.replaces == Span::default() {
                let start = part.exact.unwrap_or(at).min(at);
                offer.replaces = Span { start, end: at };
            }
        }
        offers
    }

    /// The tree of the text with a mark at the cursor. What is being typed is rarely YAML yet: it is tried as
    /// a value and as a key, with the line as it is and with its end made good, with and without what
    /// follows.
    fn marked(&self, at: usize) -> Option<(String, Node<'static>)> {
        let source = &self.source;
        let (line_start, line_end) = repair::line(source, at);
        let (head, tail) = source.split_at(at);
        let after_line = &source[line_end..];
        let close = repair::closers(&source[line_start..at]);
        let lines = [
            format!("{MARK}{}", &tail[..line_end - at]),
            format!("{MARK}:{}", &tail[..line_end - at]),
            format!("{MARK}{close}"),
            format!("{MARK}: {close}"),
        ];
        for rest in [after_line, ""] {
            for line in &lines {
                let text = format!("{head}{line}{rest}");
                if let Ok(root) = repair::attempt(&text) {
                    return Some((text, root));
                }
            }
        }
        // With the lines left out that this sheet was read without; all keeps its place.
        if let (Some(before), Some(after)) =
            (self.text.get(..line_start), self.text.get(line_end..))
        {
            for line in &lines {
                let text = format!("{before}{}{line}{after}", &source[line_start..at]);
                if let Ok(root) = repair::attempt(&text) {
                    return Some((text, root));
                }
            }
        }
        if source.len() > repair::MAX_GAPPED {
            return None;
        }
        lines.iter().find_map(|line| {
            let read = repair::read(&format!("{head}{line}{after_line}"), None);
            let root = read.root.filter(|_| read.text.contains(MARK))?;
            Some((read.text, root))
        })
    }

    /// Whether a part is the condition by which a step decides where to go, or whether to run.
    fn decides(&self, part: &Part<'_>) -> bool {
        let key = self.source.get(part.owner..).unwrap_or_default();
        let word = key.split(|c: char| !c.is_ascii_lowercase()).next();
        matches!(part.role, Role::Bare) && matches!(word, Some("if" | "when" | "switch"))
    }

    fn offers(&self, part: &Part<'_>, at: usize, catalog: &Catalog) -> Vec<Offer> {
        let names = &self.names;
        let bare = matches!(part.role, Role::Bare);
        let typed = part.text.split(MARK).next().unwrap_or_default();
        let takes_text = matches!(
            part.role,
            Role::Text | Role::Prompt | Role::Value(_) | Role::Bare | Role::Name(..)
        );
        if !part.key
            && takes_text
            && let Some(text) = expression::before(typed, bare)
        {
            return expression::offers(text, at, names, bare);
        }
        let own_line = !self.source[part.owner.min(at)..at].trim_start().is_empty()
            && self.source[part.owner.min(at)..at].contains('\n');
        let target = |repeat: bool| self.targets(repeat, catalog);
        match &part.role {
            Role::Key(keys) | Role::Of(_, _, keys) => match part.key || own_line {
                true => self.keys(part, *keys, at, catalog),
                false => Vec::new(),
            },
            Role::Action if own_line => keys::verbs(catalog),
            Role::Target { repeat } => target(*repeat),
            Role::Then(action) => {
                let mut offers = Vec::new();
                if own_line {
                    offers = keys::outcomes(action, names, catalog);
                }
                offers.extend(target(true));
                offers
            }
            Role::Prompt => self.prompts(),
            Role::Name(kind, _) => {
                let mut offers = self.named(*kind, part, at, catalog);
                if part.key {
                    leave_out_siblings(part, &mut offers);
                }
                offers
            }
            Role::Plugin => catalog
                .steps
                .iter()
                .filter(|(key, _)| !key.starts_with("std/"))
                .map(|(key, description)| {
                    let title = description.title.get("en").cloned().unwrap_or_default();
                    Offer::new(OfferKind::Step, key)
                        .detail(title)
                        .page(schema::page(key, description))
                })
                .collect(),
            Role::Words(words) => words
                .iter()
                .map(|word| Offer::new(OfferKind::Word, *word))
                .collect(),
            Role::Expect => keys::expect(own_line),
            Role::Value(schema) => words_of(schema),
            Role::Language => names
                .languages
                .iter()
                .map(|language| Offer::new(OfferKind::Word, language))
                .collect(),
            Role::Audio => catalog
                .audio
                .iter()
                .flatten()
                .map(|path| Offer::new(OfferKind::File, path))
                .collect(),
            Role::Action | Role::Text | Role::Bare | Role::Free => Vec::new(),
        }
    }

    fn keys(&self, part: &Part<'_>, keys: Keys<'_>, at: usize, catalog: &Catalog) -> Vec<Offer> {
        let mut offers = keys::offers(keys, &self.names, catalog);
        leave_out_siblings(part, &mut offers);
        let after = self.source[at..].trim_start_matches(|c: char| {
            c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')
        });
        if after.starts_with(':') {
            for offer in &mut offers {
                offer.insert.clone_from(&offer.label);
            }
        }
        offers
    }

    fn targets(&self, repeat: bool, catalog: &Catalog) -> Vec<Offer> {
        let mut offers: Vec<Offer> = self
            .names
            .steps
            .iter()
            .filter(|step| !step.contains(MARK))
            .map(|step| Offer::new(OfferKind::Target, step).detail("step"))
            .collect();
        if repeat {
            offers.push(
                Offer::new(OfferKind::Word, "repeat")
                    .detail("the same step again, its counters kept"),
            );
        }
        let flows = catalog.flows.iter().flat_map(|flows| flows.keys());
        offers.extend(
            flows
                .filter(|flow| self.names.flow.as_ref() != Some(flow))
                .map(|flow| {
                    Offer::new(OfferKind::Flow, format!("flow:{flow}"))
                        .detail("leaves this flow and does not come back")
                }),
        );
        offers
    }

    fn prompts(&self) -> Vec<Offer> {
        self.names
            .prompts
            .iter()
            .map(|(name, text)| Offer::new(OfferKind::Prompt, name).detail(text))
            .collect()
    }

    fn named(&self, kind: Kind, part: &Part<'_>, at: usize, catalog: &Catalog) -> Vec<Offer> {
        let names = &self.names;
        let list = |kind: OfferKind, all: &mut dyn Iterator<Item = &String>| -> Vec<Offer> {
            all.map(|name| Offer::new(kind, name)).collect()
        };
        match kind {
            Kind::Step => list(OfferKind::Target, &mut names.steps.iter()),
            Kind::Prompt => self.prompts(),
            Kind::Outcome => list(OfferKind::Outcome, &mut names.outcomes.iter()),
            Kind::Hours => list(OfferKind::Name, &mut names.hours.iter()),
            Kind::Queue => list(OfferKind::Name, &mut catalog.queues.iter().flatten()),
            Kind::Supplier => list(OfferKind::Name, &mut catalog.destinations.iter().flatten()),
            Kind::Flow => {
                let flows = catalog.flows.iter().flat_map(|flows| flows.keys());
                let mut flows = flows.filter(|flow| names.flow.as_ref() != Some(flow));
                list(OfferKind::Flow, &mut flows)
            }
            // A key of `set:` that has just begun.
            Kind::Variable if part.key => self.keys(part, Keys::Set, at, catalog),
            Kind::Variable => names
                .variables
                .iter()
                .filter(|(_, variable)| variable.role == "variable")
                .map(|(name, variable)| {
                    let types: Vec<String> = variable.types.iter().map(Type::to_string).collect();
                    Offer::new(OfferKind::Variable, name).detail(types.join(" or "))
                })
                .collect(),
            Kind::Input | Kind::Plugin | Kind::Audio => Vec::new(),
        }
    }
}

fn words_of(schema: &serde_json::Value) -> Vec<Offer> {
    let words = match type_of_schema(schema).without_none() {
        Type::OneOf(words) => words.clone(),
        Type::Bool => keys::YES_NO.iter().map(|word| (*word).to_owned()).collect(),
        _ => Vec::new(),
    };
    words
        .into_iter()
        .map(|word| Offer::new(OfferKind::Word, word))
        .collect()
}

/// Leaves out what stands beside a key already: it would be there twice.
fn leave_out_siblings(part: &Part<'_>, offers: &mut Vec<Offer>) {
    if let Some(map) = part.siblings {
        offers.retain(|offer| map.entry(&offer.label).is_none());
    }
}
