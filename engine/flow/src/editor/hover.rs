//! What stands at a place.

use super::mention::Kind;
use super::part::{Keys, Part, Role};
use super::{Names, Sheet, expression, grammar, keys, schema};
use crate::catalog::Catalog;
use crate::diagnostic::{Diagnostic, Language};
use crate::expr::Span;

/// What stands at a place, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hover {
    /// What is meant, in bytes of the text.
    pub span: Span,
    /// In Markdown.
    pub page: String,
}

impl Sheet {
    /// The pages of the rules of the findings at a byte, then what stands there. `findings` are those of this text.
    pub fn hover_with(
        &self,
        findings: &[Diagnostic],
        at: usize,
        catalog: &Catalog,
        language: Language,
    ) -> Option<Hover> {
        let mut pages = Vec::new();
        let mut span: Option<Span> = None;
        for finding in findings {
            let place = finding.primary.span;
            if place.start <= at
                && at <= place.end
                && let Some(rule) = crate::rule(finding.rule)
            {
                span.get_or_insert(place);
                pages.push(format!(
                    "**{}** — {}\n\n{}",
                    rule.slug,
                    rule.title(language),
                    rule.page_in(language).trim_end()
                ));
            }
        }
        if let Some(hover) = self.hover(at, catalog) {
            span = Some(hover.span);
            pages.push(hover.page);
        }
        pages.dedup();
        Some(Hover {
            span: span?,
            page: pages.join("\n\n---\n\n"),
        })
    }

    /// What stands at a byte.
    pub fn hover(&self, at: usize, catalog: &Catalog) -> Option<Hover> {
        let root = self.root.as_ref()?;
        let parts = grammar::parts(root, catalog);
        let touching = parts
            .iter()
            .filter(|part| part.span.start <= at && at <= part.span.end);
        let part = touching.min_by_key(|part| (part.span.end - part.span.start, !part.key))?;
        if !part.key {
            for expr in expression::of_part(part) {
                let span = expr.span();
                if part.exact.is_some()
                    && span.start <= at
                    && at <= span.end
                    && let Some((span, page)) =
                        expression::page(&self.source, span, at, &self.names)
                {
                    return Some(Hover { span, page });
                }
            }
        }
        let page = page_of(part, &self.names, catalog)?;
        Some(Hover {
            span: part.inner(),
            page,
        })
    }
}

fn page_of(part: &Part<'_>, names: &Names, catalog: &Catalog) -> Option<String> {
    let name = part.text;
    match &part.role {
        Role::Key(keys) => key_page(*keys, name, names, catalog),
        Role::Of(_, flow, keys) => {
            let page = key_page(*keys, name, names, catalog).unwrap_or_default();
            Some(format!("{page}\n\nof the flow `{flow}`"))
        }
        Role::Name(Kind::Variable, _) => expression::variable_page(name, names),
        Role::Name(Kind::Prompt, _) | Role::Prompt => {
            let text = names.prompts.get(name)?;
            Some(format!("prompt `{name}`\n\n{text}"))
        }
        Role::Name(Kind::Flow, _) => flow_page(name, catalog),
        Role::Target { .. } | Role::Then(_) => match name.strip_prefix("flow:") {
            Some(flow) => flow_page(flow, catalog),
            None if name == "repeat" => Some("The same step again, its counters kept.".to_owned()),
            None => Some(format!("step `{name}`")),
        },
        Role::Name(Kind::Step, _) => Some(format!("step `{name}`")),
        Role::Plugin => Some(schema::page(name, catalog.steps.get(name)?)),
        Role::Name(Kind::Queue, _) => Some(format!("queue `{name}`")),
        Role::Name(Kind::Supplier, _) => Some(format!("transfer to `{name}`")),
        Role::Name(Kind::Hours, _) => Some(format!("opening hours `{name}`")),
        _ => None,
    }
}

fn key_page(keys: Keys<'_>, name: &str, names: &Names, catalog: &Catalog) -> Option<String> {
    let mut offers = keys::offers(keys, names, catalog);
    if let Keys::Action(_) = keys {
        // The verb that is there is not offered again, but has a page.
        offers.extend(keys::verbs(catalog));
    }
    let offer = offers.into_iter().find(|offer| offer.label == name)?;
    Some(match (offer.page.is_empty(), offer.detail.is_empty()) {
        (false, _) => offer.page,
        (true, false) => format!("`{name}`: {}", offer.detail),
        (true, true) => return None,
    })
}

fn flow_page(name: &str, catalog: &Catalog) -> Option<String> {
    let signature = catalog.flows.as_ref()?.get(name)?;
    let mut page = format!("flow `{name}`");
    for (name, input) in &signature.inputs {
        page.push_str(&format!("\n- input `{name}`: {input}"));
    }
    if !signature.outcomes.is_empty() {
        page.push_str(&format!("\n- outcomes: {}", signature.outcomes.join(", ")));
    }
    Some(page)
}
