//! What a step's answer is called: `into:` and `as:`, and the names that its own prompts have for it.

use std::collections::BTreeMap;

use super::Lowerer;
use super::draft::Assigned;
use super::names::is_variable;
use super::shape::{Bound, Outcome, Shape};
use crate::catalog::StepDescription;
use crate::check::rules::{bad_name, bad_value, secret_leak, type_mismatch, unknown_key};
use crate::check::suggest::same_letters;
use crate::diagnostic::{Text, text};
use crate::expr::Span;
use crate::plan::{Into, NodeId};
use crate::value::Type;
use crate::yaml::{Entry, Map};

/// What the flow says of a step's answer, where the step's description says no more than that there is one.
pub(super) struct Answer {
    /// Its type; `None` where the flow says nothing of it.
    pub ty: Option<Type>,
    /// The least and the most digits of which it is, and nothing else.
    pub digits: Option<(u32, u32)>,
}

impl Answer {
    /// What `into:` gets, where the description has `described`.
    fn within(&self, described: &Type) -> Type {
        let several = matches!(self.ty, Some(Type::Object { .. }));
        match (&self.ty, described) {
            (Some(_), described) if several && !is_any_object(described) => described.clone(),
            // What the description does not require may be missing, whatever the flow expects.
            (Some(ty), Type::Optional(_)) => ty.clone().or_none(),
            (Some(ty), _) => ty.clone(),
            (None, described) => described.clone(),
        }
    }

    /// The same among what `as:` gets, and as the step itself calls it: there the description goes before the flow, where it says
    /// anything.
    fn where_open(&self, described: &Type) -> Type {
        let secret = self.ty.as_ref().is_some_and(Type::holds_secret);
        let open = *described.without_none() == Type::Any || is_any_object(described);
        match open || secret {
            true => self.within(described),
            false => described.clone(),
        }
    }
}

/// Whether a description says no more of a value than that it is an object.
fn is_any_object(ty: &Type) -> bool {
    matches!(ty.without_none(), Type::Object { fields, open: true } if fields.is_empty())
}

impl<'t> Lowerer<'t> {
    /// The names that the step's own prompts may use beside the flow's.
    pub(super) fn step_binds(
        &mut self,
        id: NodeId,
        map: &'t Map<'t>,
        description: Option<&StepDescription>,
        shape: &Shape<'t>,
        answer: &Answer,
    ) -> BTreeMap<String, Bound> {
        let mut binds = shape.binds.clone();
        let field = description.and_then(|description| description.into.as_ref());
        // What the step calls the value in its own prompts is what the value is, and as secret.
        if let Some(bound) = field.and_then(|field| binds.get_mut(field)) {
            bound.ty = answer.where_open(&bound.ty);
            let of_outcome = |outcome: &Outcome<'_>| match &outcome.ty {
                Type::Object { fields, .. } => fields
                    .get(field?)
                    .is_some_and(Type::holds_secret)
                    .then_some(()),
                _ => None,
            };
            if shape.outcomes.iter().find_map(of_outcome).is_some() {
                bound.ty = Type::Secret;
            }
        }
        // A step that does not say its result has none of it in its prompts either.
        let known = field.and_then(|field| binds.get(field));
        let known = known.map(|bound| bound.inputs.clone());
        let (Some(entry), Some(field)) = (map.entry("into"), field) else {
            return binds;
        };
        let Some((name, span)) = self.result_name("into", entry) else {
            return binds;
        };
        for outcome in &shape.outcomes {
            let Type::Object { fields, .. } = &outcome.ty else {
                continue;
            };
            let Some(ty) = fields.get(field) else {
                continue;
            };
            let ty = answer.within(ty);
            if let Some(inputs) = known.clone() {
                let ty = ty.clone();
                binds.insert(name.clone(), Bound { ty, inputs });
            }
            self.assign(id, &name, span, Some(outcome.name.to_owned()), ty);
            if let Some(binding) = self.draft.bindings.last_mut() {
                binding.digits = answer.digits;
            }
        }
        binds
    }

    /// Notes an assignment, and that the variable can take the value.
    fn assign(&mut self, id: NodeId, name: &str, span: Span, outcome: Option<String>, ty: Type) {
        let binding = self.assigned(name, span, ty);
        self.facts(id).assigned.push(Assigned { outcome, binding });
    }

    /// The binding of a value to a variable, after telling that the variable cannot take it.
    pub(super) fn assigned(&mut self, name: &str, span: Span, ty: Type) -> usize {
        let declared = self.draft.vars.get(name);
        let secret = declared.is_some_and(|declared| declared.secret);
        let bound = match declared.map(|declared| declared.ty.clone()) {
            Some(declared) if ty.holds_secret() && !secret && declared != Type::Secret => {
                secret_leak::leak(
                    &mut self.report,
                    span,
                    &Text::fixed("a plain variable", "普通变量"),
                    None,
                );
                ty
            }
            Some(Type::Any) if secret => ty,
            Some(declared) if !declared.accepts(&ty) => {
                let what = Text::same(format!("`{name}`"));
                type_mismatch::mismatch(&mut self.report, span, &what, &declared, &ty);
                declared
            }
            Some(Type::Any) | None => ty,
            Some(declared) => declared,
        };
        self.bind(name, bound, span)
    }

    /// `as:` takes the data of an outcome whole; `field` of them is the step's answer. Gives their types by outcome, where those
    /// are more than the description says.
    pub(super) fn bind_result(
        &mut self,
        id: NodeId,
        name: &str,
        span: Span,
        shape: &Shape<'t>,
        field: Option<&str>,
        answer: &Answer,
    ) -> BTreeMap<String, Type> {
        let mut data = BTreeMap::new();
        for outcome in shape.outcomes.iter().filter(|outcome| outcome.carries) {
            let on = Some(outcome.name.to_owned());
            let mut ty = outcome.ty.clone();
            if let (Type::Object { fields, .. }, Some(field)) = (&mut ty, field)
                && let Some(described) = fields.get_mut(field)
            {
                let is = answer.where_open(described);
                if is != *described {
                    *described = is;
                    data.insert(outcome.name.to_owned(), ty.clone());
                }
            }
            self.assign(id, name, span, on, ty);
        }
        data
    }

    /// The variable that `as:` or `into:` names.
    pub(super) fn result_name(
        &mut self,
        key: &str,
        entry: &'t Entry<'t>,
    ) -> Option<(String, Span)> {
        let name = self.expect_text(
            key,
            &entry.value,
            Text::fixed("the name of a variable", "变量的名字"),
        )?;
        let inserted = name
            .strip_prefix("${")
            .and_then(|name| name.strip_suffix('}'));
        let inner = inserted.map(str::trim).filter(|name| is_variable(name));
        if let Some(inner) = inner {
            let message = text!(
                "`{key}` takes the name of a variable, and inserts nothing",
                "`{key}` 应为变量的名字，这里不插入值"
            );
            bad_value::slip(&mut self.report, entry.value.span, message, inner);
        }
        let name = inner.unwrap_or(name);
        // Of one that is both it is told already.
        if self.draft.inputs.contains_key(name) && !self.draft.vars.contains_key(name) {
            bad_value::input(&mut self.report, entry.value.span, name);
            return None;
        }
        let span = entry.value.span;
        if !is_variable(name) {
            // It is told of where it is declared.
            if self.draft.vars.contains_key(name) {
                return Some((name.to_owned(), span));
            }
            let declared = self.draft.vars.keys().map(String::as_str);
            let declared = same_letters(name, declared);
            // A sign that ends a sentence or goes on with a list.
            let word = name.trim_end_matches([',', '.', ';', ':']);
            let meant = declared.or_else(|| is_variable(word).then_some(word));
            if let Some(meant) = meant.map(str::to_owned) {
                let what = Text::fixed("a variable", "变量");
                bad_name::meant(&mut self.report, span, name, what, &meant);
                return Some((meant, span));
            }
        }
        self.variable_name(name, span)
            .then(|| (name.to_owned(), span))
    }

    pub(super) fn field_into(
        &mut self,
        id: NodeId,
        map: &'t Map<'t>,
        description: Option<&StepDescription>,
    ) -> Option<Into> {
        let entry = map.entry("into")?;
        let description = description?;
        let Some(field) = &description.into else {
            let names = ["as".to_owned()];
            unknown_key::unknown(
                &mut self.report,
                entry.key_span,
                "into",
                &Text::fixed("this step", "此步骤"),
                &names,
            );
            return None;
        };
        let name = entry.value.text()?;
        let mut bound = self.draft.facts[id.0 as usize]
            .assigned
            .iter()
            .map(|assigned| &self.draft.bindings[assigned.binding])
            .filter(|binding| binding.name == name);
        let ty = bound.next().map_or(Type::Any, |first| {
            bound.fold(first.ty.clone(), |all, one| {
                all.join(&one.ty).unwrap_or(Type::Any)
            })
        });
        Some(Into {
            variable: name.to_owned(),
            field: field.clone(),
            ty,
        })
    }
}
