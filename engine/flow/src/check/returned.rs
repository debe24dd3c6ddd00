//! What a flow gives to those who call it: the fields of each outcome, and their types.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::assign::Assignments;
use super::graph::Graph;
use super::types::{Here, type_of_call};
use crate::expr;
use crate::lower::Draft;
use crate::plan::{Action, Template};
use crate::value::Type;

/// How deep the types of fields are kept. A flow that gives back what a call of itself gave would know ever more of it.
const MAX_DEPTH: usize = 4;

/// Most parts of one field's type that are kept.
const MAX_PARTS: usize = 256;

/// Per outcome that is returned somewhere its fields. One that not every `return:` of the outcome gives may be `none`.
pub(super) fn results(
    graph: &Graph<'_>,
    draft: &Draft<'_>,
    assigned: &Assignments<'_>,
) -> BTreeMap<String, BTreeMap<String, Type>> {
    let call = type_of_call(&draft.languages);
    let mut results: BTreeMap<String, BTreeMap<String, Type>> = BTreeMap::new();
    for (index, node) in draft.nodes.iter().enumerate() {
        let Action::Return { outcome, with } = &node.action else {
            continue;
        };
        if !graph.reachable[index] {
            continue;
        }
        let here = Here {
            node: index,
            draft,
            assigned,
            call: &call,
            binds: &BTreeMap::new(),
            to_compare: &Cell::new(0),
        };
        let given = with.iter();
        let given = given.map(|(name, value)| (name.clone(), kept(type_of(value, &here))));
        let given: BTreeMap<String, Type> = given.collect();
        match results.get_mut(outcome) {
            None => {
                results.insert(outcome.clone(), given);
            }
            Some(known) => *known = either(known, &given),
        }
    }
    results
}

/// The fields of one `return:` or of another.
fn either(a: &BTreeMap<String, Type>, b: &BTreeMap<String, Type>) -> BTreeMap<String, Type> {
    let names = a.keys().chain(b.keys());
    let fields = names.map(|name| {
        let ty = match (a.get(name), b.get(name)) {
            (Some(a), Some(b)) => a.join(b).unwrap_or(Type::Any),
            (Some(one), None) | (None, Some(one)) => maybe(one.clone()),
            (None, None) => Type::Any,
        };
        (name.clone(), ty)
    });
    fields.collect()
}

/// A type with `none`; of anything, too, it is told that it may be missing.
fn maybe(ty: Type) -> Type {
    match ty {
        Type::Any => Type::Optional(Box::new(Type::Any)),
        ty => ty.or_none(),
    }
}

fn type_of(value: &Template, here: &Here<'_>) -> Type {
    match value {
        Template::Literal(value) => Type::of(value),
        Template::Text(_) => Type::Text,
        Template::Expr(expr) => match expr::infer(expr, here) {
            (ty, findings) if findings.is_empty() && !ty.holds_secret() => ty,
            // What is wrong with it is told where it stands.
            _ => Type::Any,
        },
        Template::Object(fields) => Type::Object {
            fields: fields
                .iter()
                .map(|(name, value)| (name.clone(), type_of(value, here)))
                .collect(),
            open: false,
        },
        Template::List(items) => {
            let mut types = items.iter().map(|item| type_of(item, here));
            let first = types.next().unwrap_or(Type::Any);
            let all = types.try_fold(first, |all, ty| all.join(&ty));
            Type::List(Box::new(all.unwrap_or(Type::Any)))
        }
        _ => Type::Any,
    }
}

/// What is kept of a type.
fn kept(ty: Type) -> Type {
    let mut left = MAX_PARTS;
    cut(ty, MAX_DEPTH, &mut left)
}

fn cut(ty: Type, depth: usize, left: &mut usize) -> Type {
    let Some(less) = left.checked_sub(1) else {
        return Type::Any;
    };
    *left = less;
    match ty {
        Type::Object { .. } | Type::List(_) if depth == 0 => Type::Any,
        Type::Object { fields, open } => Type::Object {
            fields: fields
                .into_iter()
                .map(|(name, ty)| (name, cut(ty, depth - 1, left)))
                .collect(),
            open,
        },
        Type::List(inner) => Type::List(Box::new(cut(*inner, depth - 1, left))),
        Type::Optional(inner) => maybe(cut(*inner, depth, left)),
        ty => ty,
    }
}
