//! Inputs of which a part is a question: which kinds of answer it takes, and what tells the parts of a list apart.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::Lowerer;
use crate::check::rules::bad_input;
use crate::diagnostic::{Text, text};
use crate::plan::Template;
use crate::value::Value;
use crate::yaml::Node;

impl<'t> Lowerer<'t> {
    /// What an answer may be, where an input is about more than the one answer of a step. `properties.kind.enum` of the schema says which
    /// kinds the step takes there.
    pub(super) fn expected_kind(
        &mut self,
        schema: &Json,
        place: &Text,
        node: &'t Node<'t>,
    ) -> Option<Template> {
        let template = self.expect(node)?.template;
        let kind = match &template {
            Template::Literal(Value::Object(fields)) => fields.get("kind"),
            _ => None,
        };
        if let (Some(Value::Text(kind)), Some(kinds)) =
            (kind, schema["properties"]["kind"]["enum"].as_array())
            && !kinds.iter().any(|known| known == kind.as_str())
        {
            let kinds: Vec<String> = kinds
                .iter()
                .filter_map(|kind| Some(kind.as_str()?.to_owned()))
                .collect();
            let names = crate::check::suggest::shown(&kinds);
            let message = text!("{place} does not take `{kind}`", "{place} 不接受 `{kind}`"; place);
            let help = text!("it takes {names}", "可选：{names}"; names);
            bad_input::bad(&mut self.report, node.span, message, Some(help));
        }
        Some(template)
    }

    /// Tells of a field that a list may not have twice, by `x-unique` of its schema, where two of its values write the same.
    pub(super) fn told_apart(&mut self, place: &Text, schema: &Json, items: &[Node<'t>]) {
        let Some(field) = schema["x-unique"].as_str() else {
            return;
        };
        let mut seen = BTreeSet::new();
        for item in items {
            let value = item.map().and_then(|map| map.value(field));
            let Some((value, text)) = value.and_then(|value| Some((value, value.text()?))) else {
                continue;
            };
            if !seen.insert(text) {
                let message = text!(
                    "{place} has `{field}: {text}` twice",
                    "{place} 中 `{field}: {text}` 出现两次";
                    place
                );
                bad_input::bad(&mut self.report, value.span, message, None);
            }
        }
    }
}
