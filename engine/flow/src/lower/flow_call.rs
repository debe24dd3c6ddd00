use std::collections::BTreeMap;

use super::draft::Assigned;
use super::then::{Outcomes, Then};
use super::{Lowerer, Place};
use crate::check::rules::{missing_input, unknown_input};
use crate::diagnostic::{Text, text};
use crate::plan::{Action, NodeId, Template};
use crate::value::Type;
use crate::yaml::{Entry, Map};

impl<'t> Lowerer<'t> {
    /// `call:` walks another flow and comes back with one of its outcomes.
    pub(super) fn flow_call(
        &mut self,
        id: NodeId,
        map: &'t Map<'t>,
        entry: &'t Entry<'t>,
        place: &Place,
    ) {
        let name = self.expect_text(
            "call",
            &entry.value,
            Text::fixed("the name of a flow", "流程的名字"),
        );
        let flow = name.and_then(|name| self.flow_named(name, entry.value.span));
        self.draft.runs.leads.extend(flow.clone());
        let catalog = self.catalog;
        let signature = flow
            .as_ref()
            .and_then(|flow| catalog.flows.as_ref().and_then(|flows| flows.get(flow)))
            .filter(|signature| !signature.unreadable);
        let mut with: BTreeMap<String, Template> = BTreeMap::new();
        let lines = map.entry("with").and_then(|with| {
            self.expect_map(
                "with",
                &with.value,
                Text::fixed("a map of inputs", "输入的映射"),
            )
        });
        let called = flow.as_deref().unwrap_or("?");
        let what = text!("the flow `{called}`", "流程 `{called}`");
        let mut missing: Vec<String> = Vec::new();
        if let Some(signature) = signature {
            missing = signature.needed();
            missing.retain(|name| lines.is_none_or(|lines| lines.entry(name).is_none()));
        }
        for line in lines.into_iter().flat_map(|map| &map.entries) {
            let mut ty = Type::Any;
            if let Some(signature) = signature {
                match signature.inputs.get(line.key.as_ref()) {
                    Some(input) => ty = input.ty.clone(),
                    None => {
                        let names: Vec<String> = signature.inputs.keys().cloned().collect();
                        let meant = self
                            .nearest(&line.key, names.iter().map(String::as_str))
                            .map(str::to_owned);
                        unknown_input::unknown(
                            &mut self.report,
                            line.key_span,
                            &line.key,
                            &what,
                            meant.as_deref(),
                            &names,
                        );
                        missing.retain(|name| Some(name) != meant.as_ref());
                        continue;
                    }
                }
            }
            // Of a flow of which nothing is known it is not known either that it keeps no secrets.
            let secret = ty == Type::Secret || signature.is_none();
            let place_name = self.input_called(&line.key);
            if let Some(value) =
                self.value_template(id, &line.key, &line.value, &place_name, &ty, secret)
            {
                with.insert(line.key.to_string(), value);
            }
        }
        if !missing.is_empty() {
            let head = self.draft.facts[id.0 as usize].head;
            missing_input::missing(&mut self.report, head, &what, &missing);
        }
        let unknowable = signature.is_none();
        let all: Vec<String> = signature
            .map(|signature| signature.outcomes.clone())
            .unwrap_or_default();
        let bind = map
            .entry("as")
            .and_then(|entry| self.result_name("as", entry));
        if let Some((name, span)) = &bind {
            // Of a flow of which nothing is known nobody knows what it gives.
            let unknown = unknowable.then_some((None, Type::Any));
            let known = signature.into_iter().flat_map(|signature| {
                let outcomes = signature.outcomes.iter();
                outcomes.map(|outcome| (Some(outcome.clone()), signature.result(outcome)))
            });
            for (outcome, ty) in unknown.into_iter().chain(known) {
                // Of the fields of an object the flow that gives it knows more.
                let declared = self.draft.vars.get(name).map(|declared| &declared.ty);
                let narrower = declared
                    .is_some_and(|all| matches!(all, Type::Object { .. }) && all.accepts(&ty));
                let binding = match narrower {
                    true => self.bind(name, ty, *span),
                    false => self.assigned(name, *span, ty),
                };
                self.facts(id).assigned.push(Assigned { outcome, binding });
            }
        }
        let inner = Place {
            repeat: true,
            ..place.clone()
        };
        let then = self.then(map, &inner);
        // A flow without outcomes simply comes back.
        let back = vec!["done".to_owned()];
        let plain = all.is_empty();
        let goes_on = matches!(then, Then::One(_) | Then::Absent);
        let verb = self.facts(id).head;
        let known = Outcomes {
            all: if plain { &back } else { &all },
            soft: &["error"],
            soft_needed: false,
            falls: &[],
            verb,
            unknowable: unknowable && !goes_on,
        };
        let (edges, otherwise) = self.edges(then, place, &known);
        let node = self.node(id);
        node.next = place.after.clone();
        if let Some(edge) = edges.get("done").filter(|_| goes_on) {
            node.next = edge.clone();
        }
        let goes_everywhere = (plain || unknowable) && goes_on;
        node.action = Action::Call {
            flow: flow.clone().unwrap_or_default(),
            with,
            bind: bind.map(|(name, _)| name),
            otherwise: otherwise.or_else(|| edges.get("done").cloned().filter(|_| goes_everywhere)),
            edges,
        };
        if flow.is_none() {
            self.facts(id).broken = true;
        }
    }
}
