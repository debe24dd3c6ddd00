//! Gives an expression its type, and reports everything that cannot work.
//!
//! One mistake is one finding: what was reported has the type [`Type::Any`], which fits everything.

mod change;
mod fault;
mod operators;
mod words;

use super::filters::{self, Filter, Gives};
use super::finding::{Finding, Span};
use super::tree::{Expr, Kind, Operator};
use crate::value::Type;

use fault::{Fault, With};
pub(super) use operators::takes_literal;

/// What is known about variables where an expression stands.
pub trait TypeScope {
    /// Looks a variable up.
    fn variable(&self, name: &str) -> Lookup;
    /// The type of a field of a variable, where that is an object that has it: what [`TypeScope::variable`] says, without a copy of the
    /// whole object. `None` also where that is to be asked.
    fn field(&self, name: &str, field: &str) -> Option<Type> {
        let _ = (name, field);
        None
    }
    /// All names that could be meant, for suggestions.
    fn names(&self) -> Vec<String>;
}

/// What is known about a variable.
#[derive(Debug, Clone, PartialEq)]
pub enum Lookup {
    /// It has a value of this type.
    Known(Type),
    /// It exists, but not every way here gives it a value.
    Unassigned,
    /// There is no such variable.
    Unknown,
}

/// The type of an expression, and everything that is wrong with it.
pub fn infer(expr: &Expr, scope: &dyn TypeScope) -> (Type, Vec<Finding>) {
    let mut inference = Inference {
        scope,
        findings: Vec::new(),
        misfits: Vec::new(),
        present: Vec::new(),
    };
    let ty = inference.ty(expr);
    (ty, inference.findings)
}

/// As [`infer`], for an expression that is inserted into a text: what cannot be said there is a finding
/// too, namely secrets, objects and what may be `none`.
pub fn infer_inserted(expr: &Expr, scope: &dyn TypeScope) -> (Type, Vec<Finding>) {
    let mut inference = Inference {
        scope,
        findings: Vec::new(),
        misfits: Vec::new(),
        present: Vec::new(),
    };
    let ty = inference.inserted(expr, With::Text);
    (ty, inference.findings)
}

/// As [`infer`], for a condition: anything but `bool` is a finding.
pub fn infer_condition(expr: &Expr, scope: &dyn TypeScope) -> Vec<Finding> {
    let mut inference = Inference {
        scope,
        findings: Vec::new(),
        misfits: Vec::new(),
        present: Vec::new(),
    };
    inference.condition(expr);
    inference.findings
}

impl Expr {
    /// The paths (`[profile, surname]`) that are certainly not `none` when this condition is `truth`.
    pub fn proves_present(&self, truth: bool) -> Vec<Vec<String>> {
        let path = |expr: &Expr| -> Vec<Vec<String>> { expr.as_place().into_iter().collect() };
        match &self.kind {
            Kind::Not(of) => of.proves_present(!truth),
            Kind::IsNone(of, yes) if *yes != truth => path(of),
            Kind::Binary(Operator::And, a, b) if truth => {
                [a.proves_present(true), b.proves_present(true)].concat()
            }
            Kind::Binary(Operator::Or, a, b) if !truth => {
                [a.proves_present(false), b.proves_present(false)].concat()
            }
            // Only `none` equals `none`, so what equals a literal is there.
            Kind::Binary(Operator::Equal, a, b) if truth && b.is_literal() => path(a),
            Kind::Binary(Operator::Equal, a, b) if truth && a.is_literal() => path(b),
            Kind::Binary(Operator::NotEqual, a, b) if !truth && b.is_literal() => path(a),
            Kind::Binary(Operator::NotEqual, a, b) if !truth && a.is_literal() => path(b),
            _ => Vec::new(),
        }
    }

    fn is_literal(&self) -> bool {
        matches!(self.kind, Kind::Bool(_) | Kind::Number(_) | Kind::Text(_))
    }
}

struct Inference<'a> {
    scope: &'a dyn TypeScope,
    findings: Vec<Finding>,
    /// Places among the findings of those that say that a filter does not take the value before it.
    misfits: Vec<usize>,
    /// Paths known not to be `none` where we are.
    present: Vec<Vec<String>>,
}

impl Inference<'_> {
    fn report(&mut self, span: Span, fault: Fault<'_>) -> Type {
        self.findings.push(fault.at(span));
        Type::Any
    }

    fn ty(&mut self, expr: &Expr) -> Type {
        let ty = match &expr.kind {
            Kind::None => Type::None,
            Kind::Bool(_) => Type::Bool,
            Kind::Number(_) => Type::Number,
            Kind::Text(text) => Type::OneOf(vec![text.clone()]),
            Kind::List(items) => self.list(items),
            Kind::Name(name) => self.name(name, expr.span),
            Kind::Field(of, name, span) => self.field(of, name, *span),
            Kind::Index(of, index) => self.index(of, index),
            Kind::Filter(of, name, span, arguments) => self.filter(of, name, *span, arguments),
            Kind::Negate(of) => self.negated(of),
            Kind::Not(of) => {
                self.condition(of);
                Type::Bool
            }
            Kind::Binary(operator, a, b) => self.binary(*operator, a, b),
            Kind::IsNone(of, _) => {
                self.operand(of, With::Symbol("is none"));
                Type::Bool
            }
            Kind::Choice(condition, a, b) => self.choice(expr, condition, a, b),
        };
        let known = !self.present.is_empty()
            && expr
                .as_place()
                .is_some_and(|path| self.present.contains(&path));
        if known { ty.without_none().clone() } else { ty }
    }

    /// The type of something that an operator works on: not a secret.
    fn operand(&mut self, expr: &Expr, with: With<'_>) -> Type {
        let ty = self.ty(expr);
        if ty.holds_secret() {
            let ty = &ty;
            return self.report(expr.span, Fault::Secret { expr, ty, with });
        }
        ty
    }

    /// The type of something that must be there.
    fn present(&mut self, expr: &Expr, with: With<'_>) -> Type {
        let ty = self.operand(expr, with);
        self.not_none(expr, ty, with)
    }

    fn not_none(&mut self, expr: &Expr, ty: Type, with: With<'_>) -> Type {
        match ty {
            Type::None => self.report(expr.span, Fault::None { with }),
            Type::Optional(inner) => {
                self.report(expr.span, Fault::MaybeNone { expr, with });
                *inner
            }
            ty => ty,
        }
    }

    fn inserted(&mut self, expr: &Expr, with: With<'_>) -> Type {
        let ty = self.operand(expr, with);
        let ty = match ty {
            Type::Optional(_) => {
                self.report(expr.span, Fault::MaybeNone { expr, with });
                return ty.without_none().clone();
            }
            ty => ty,
        };
        let fault = match &ty {
            Type::None => Fault::None { with },
            Type::Object { .. } => Fault::Object {
                expr,
                ty: &ty,
                with,
            },
            Type::List(inner) if !stands_in_text(inner) => Fault::ListOf { expr, inner, with },
            _ => return ty,
        };
        self.report(expr.span, fault)
    }

    fn condition(&mut self, expr: &Expr) {
        let ty = self.operand(expr, With::Condition);
        if !matches!(ty, Type::Bool | Type::Any) {
            self.report(expr.span, Fault::Condition { expr, ty: &ty });
        }
    }

    fn list(&mut self, items: &[Expr]) -> Type {
        let types = self.items(items);
        let mut all: Option<Type> = None;
        for (item, ty) in items.iter().zip(types) {
            all = Some(match all {
                None => ty,
                Some(all) => match all.join(&ty) {
                    Some(joined) => joined,
                    None => {
                        let (all, other) = (&all, &ty);
                        self.report(item.span, Fault::Mixed { all, other })
                    }
                },
            });
        }
        Type::List(Box::new(all.unwrap_or(Type::Any)))
    }

    fn items(&mut self, items: &[Expr]) -> Vec<Type> {
        items
            .iter()
            .map(|item| self.operand(item, With::List))
            .collect()
    }

    fn name(&mut self, name: &str, span: Span) -> Type {
        match self.scope.variable(name) {
            Lookup::Known(ty) => ty,
            Lookup::Unassigned => self.report(span, Fault::Unassigned { name }),
            Lookup::Unknown => {
                let names = &self.scope.names();
                self.report(span, Fault::NoVariable { name, names })
            }
        }
    }

    fn field(&mut self, of: &Expr, name: &str, span: Span) -> Type {
        if let Kind::Name(variable) = &of.kind
            && let Some(ty) = self.scope.field(variable, name)
        {
            return ty;
        }
        // Reading a field of an object that holds a secret shows nothing of the secret.
        let ty = self.ty(of);
        if ty == Type::Secret {
            return self.report(of.span, Fault::SecretField { of });
        }
        let ty = if matches!(ty, Type::Optional(_)) {
            self.not_none(of, ty, With::Field(name))
        } else {
            ty
        };
        if let Some(part) = part(&ty, name) {
            return part;
        }
        match &ty {
            Type::Any => Type::Any,
            Type::Object { fields, open } => {
                if let Some(field) = fields.get(name) {
                    return field.clone();
                }
                if *open {
                    // Nobody promised that it is there.
                    return Type::Optional(Box::new(Type::Any));
                }
                self.report(span, Fault::NoField { of, ty: &ty, name })
            }
            ty => {
                let parts: Vec<&str> = PARTS
                    .iter()
                    .copied()
                    .filter(|part_name| part(ty, part_name).is_some())
                    .collect();
                let parts = parts.as_slice();
                let fault = Fault::NoPart {
                    of,
                    ty,
                    name,
                    parts,
                };
                self.report(span, fault)
            }
        }
    }

    fn index(&mut self, of: &Expr, index: &Expr) -> Type {
        if let Some(name) = index.as_text() {
            let name = name.to_owned();
            return self.field(of, &name, index.span);
        }
        let ty = self.present(of, With::Symbol("[ ]"));
        let by = self.present(index, With::Symbol("[ ]"));
        let broken = constant(index).is_some_and(|place| place.fract() != 0.0);
        if broken && matches!(ty, Type::Any | Type::List(_)) {
            return self.report(index.span, Fault::Fraction { index });
        }
        match (&ty, &by) {
            (Type::Any, _) => Type::Any,
            // The list may be shorter.
            (Type::List(inner), Type::Number | Type::Any) => match inner.as_ref() {
                Type::Any => Type::Optional(inner.clone()),
                inner => inner.clone().or_none(),
            },
            (Type::List(_), ty) => self.report(index.span, Fault::ListIndex { index, ty }),
            (Type::Object { .. }, Type::Text | Type::OneOf(_) | Type::Any) => Type::Any,
            (Type::Object { .. }, ty) => self.report(index.span, Fault::ObjectIndex { index, ty }),
            (ty, _) => self.report(of.span, Fault::Index { of, ty }),
        }
    }

    fn filter(&mut self, of: &Expr, name: &str, span: Span, arguments: &[Expr]) -> Type {
        let with = With::Filter(name);
        let Some(filter) = filters::find(name) else {
            // What it would have taken is not known: a secret, or what may be none.
            for part in std::iter::once(of).chain(arguments) {
                self.ty(part);
            }
            return self.report(span, Fault::NoFilter { name });
        };
        let argument = self.argument(filter, span, arguments);
        let mut ty = self.ty(of);
        if ty.holds_secret() && !filter.takes.iter().any(|kind| kind.fits(&ty)) {
            let (expr, secret) = (of, &Type::Secret);
            ty = self.report(
                of.span,
                Fault::Secret {
                    expr,
                    ty: secret,
                    with,
                },
            );
        }
        if filter.gives == Gives::Present {
            return self.default(of, ty, argument.unwrap_or(Type::Any), arguments);
        }
        let ty = &self.not_none(of, ty, with);
        if !filter.takes.iter().any(|kind| kind.fits(ty)) {
            self.misfits.push(self.findings.len());
            self.report(of.span, Fault::FilterTakes { filter, of, ty });
        } else if matches!(filter.name, "digits" | "ordinal")
            && constant(of).is_some_and(|number| number < 0.0 || number.fract() != 0.0)
        {
            self.misfits.push(self.findings.len());
            self.report(of.span, Fault::NotNatural { filter, of });
        } else if filter.name == "join"
            && let Type::List(inner) = ty
            && !stands_in_text(inner)
        {
            self.report(of.span, Fault::Joined { of, inner });
        }
        match filter.gives {
            Gives::Number => Type::Number,
            Gives::Speech | Gives::Text | Gives::Present => Type::Text,
        }
    }

    /// The type of a filter's argument, if it is given.
    fn argument(&mut self, filter: &Filter, span: Span, arguments: &[Expr]) -> Option<Type> {
        let with = With::Filter(filter.name);
        let types: Vec<Type> = arguments
            .iter()
            .map(|argument| self.operand(argument, with))
            .collect();
        let most = usize::from(filter.argument.is_some());
        let least = usize::from(
            filter
                .argument
                .as_ref()
                .is_some_and(|argument| argument.required),
        );
        if types.len() > most || types.len() < least {
            self.report(span, Fault::Arguments { filter });
            return None;
        }
        let ty = types.into_iter().next()?;
        let kind = filter.argument.as_ref()?.kind;
        if !kind.fits(&ty) {
            let ty = &ty;
            self.report(arguments[0].span, Fault::Argument { filter, kind, ty });
            return None;
        }
        Some(ty)
    }

    fn default(&mut self, of: &Expr, ty: Type, argument: Type, arguments: &[Expr]) -> Type {
        let present = match &ty {
            Type::None => return argument,
            ty => ty.without_none().clone(),
        };
        if present == Type::Any {
            return Type::Any;
        }
        match present.join(&argument) {
            Some(ty) => ty,
            None => {
                let span = arguments.first().map_or(of.span, |argument| argument.span);
                let (is, default) = (&present, &argument);
                self.report(span, Fault::Default { of, is, default });
                present
            }
        }
    }

    fn negated(&mut self, of: &Expr) -> Type {
        let ty = self.present(of, With::Symbol("-"));
        match ty {
            Type::Number | Type::Duration | Type::Money | Type::Any => ty,
            ty => self.report(of.span, Fault::Negated { of, ty: &ty }),
        }
    }

    fn choice(&mut self, expr: &Expr, condition: &Expr, a: &Expr, b: &Expr) -> Type {
        self.condition(condition);
        let yes = self.assuming(condition.proves_present(true), |inference| {
            inference.operand(a, With::Symbol("if"))
        });
        let no = self.assuming(condition.proves_present(false), |inference| {
            inference.operand(b, With::Symbol("if"))
        });
        match yes.join(&no) {
            Some(ty) => ty,
            None => {
                let (yes, no) = (&yes, &no);
                self.report(expr.span, Fault::Sides { a, yes, b, no })
            }
        }
    }

    fn assuming<T>(&mut self, paths: Vec<Vec<String>>, then: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.present.len();
        self.present.extend(paths);
        let result = then(self);
        self.present.truncate(before);
        result
    }
}

/// The fields that dates, times and amounts have by nature.
const PARTS: [&str; 10] = [
    "year", "month", "day", "weekday", "hour", "minute", "second", "date", "time", "currency",
];

/// The names of the days, Monday first.
pub(super) const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

fn part(ty: &Type, name: &str) -> Option<Type> {
    let of_date = matches!(ty, Type::Date | Type::DateTime);
    let of_time = matches!(ty, Type::Time | Type::DateTime);
    match name {
        "year" | "month" | "day" if of_date => Some(Type::Number),
        "weekday" if of_date => Some(Type::OneOf(WEEKDAYS.map(str::to_owned).to_vec())),
        "hour" | "minute" | "second" if of_time => Some(Type::Number),
        "date" if *ty == Type::DateTime => Some(Type::Date),
        "time" if *ty == Type::DateTime => Some(Type::Time),
        "currency" if *ty == Type::Money => Some(Type::Text),
        _ => None,
    }
}

/// Whether the items of a list can stand in a text.
fn stands_in_text(item: &Type) -> bool {
    !matches!(
        item,
        Type::None | Type::Optional(_) | Type::Object { .. } | Type::List(_) | Type::Secret
    )
}

fn is_text(ty: &Type) -> bool {
    matches!(ty, Type::Text | Type::OneOf(_) | Type::Phone)
}

/// The value of a number as it is written, with its sign.
fn constant(expr: &Expr) -> Option<f64> {
    match &expr.kind {
        Kind::Number(number) => Some(*number),
        Kind::Negate(of) => constant(of).map(|number| -number),
        _ => None,
    }
}
