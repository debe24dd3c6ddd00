//! Gives an expression its type, and reports everything that cannot work.
//!
//! One mistake is one finding: what was reported has the type [`Type::Any`], which fits everything.

mod operators;
mod words;

use super::filters::{self, FILTERS, Filter, Gives};
use super::finding::{Finding, Span};
use super::suggest::closest;
use super::tree::{Expr, Kind, Operator};
use crate::value::Type;

pub(super) use operators::takes_literal;
use words::{fields_help, filter_help, listed, word};

/// What is known about variables where an expression stands.
pub trait TypeScope {
    /// Looks a variable up.
    fn variable(&self, name: &str) -> Lookup;
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
        present: Vec::new(),
    };
    let ty = inference.inserted(expr, "a text");
    (ty, inference.findings)
}

/// As [`infer`], for a condition: anything but `bool` is a finding.
pub fn infer_condition(expr: &Expr, scope: &dyn TypeScope) -> Vec<Finding> {
    let mut inference = Inference {
        scope,
        findings: Vec::new(),
        present: Vec::new(),
    };
    inference.condition(expr);
    inference.findings
}

impl Expr {
    /// The paths (`[profile, surname]`) that are certainly not `none` when this condition is `truth`.
    pub fn proves_present(&self, truth: bool) -> Vec<Vec<String>> {
        let path = |expr: &Expr| -> Vec<Vec<String>> {
            let path = expr.as_path();
            path.map(|path| path.into_iter().map(str::to_owned).collect())
                .into_iter()
                .collect()
        };
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
    /// Paths known not to be `none` where we are.
    present: Vec<Vec<String>>,
}

impl Inference<'_> {
    fn report(
        &mut self,
        rule: &'static str,
        span: Span,
        message: String,
        help: impl Into<Option<String>>,
    ) -> Type {
        self.findings.push(Finding {
            rule,
            span,
            message,
            help: help.into(),
        });
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
                self.operand(of, "is none");
                Type::Bool
            }
            Kind::Choice(condition, a, b) => self.choice(expr, condition, a, b),
        };
        let known = expr
            .as_path()
            .is_some_and(|path| self.present.iter().any(|present| *present == path));
        if known { ty.without_none().clone() } else { ty }
    }

    /// The type of something that an operator works on: not a secret.
    fn operand(&mut self, expr: &Expr, with: &str) -> Type {
        let ty = self.ty(expr);
        if ty.holds_secret() {
            let what = if ty == Type::Secret {
                "is a secret"
            } else {
                "holds a secret"
            };
            let message = format!("`{expr}` {what}: it cannot stand in `{with}`");
            return self.report("secret-leak", expr.span, message, SECRET_HELP.to_owned());
        }
        ty
    }

    /// The type of something that must be there.
    fn present(&mut self, expr: &Expr, with: &str) -> Type {
        let ty = self.operand(expr, with);
        self.not_none(expr, ty, with)
    }

    fn not_none(&mut self, expr: &Expr, ty: Type, with: &str) -> Type {
        match ty {
            Type::None => {
                let message = format!("`none` cannot stand in `{with}`");
                self.report("type-mismatch", expr.span, message, None)
            }
            Type::Optional(inner) => {
                let message = format!("`{expr}` may be none: it cannot stand in `{with}`");
                let help = format!(
                    "give it a value for that case: `{expr} | default(…)`, or ask `{expr} is not none`"
                );
                self.findings.push(Finding {
                    rule: "type-mismatch",
                    span: expr.span,
                    message,
                    help: Some(help),
                });
                *inner
            }
            ty => ty,
        }
    }

    fn inserted(&mut self, expr: &Expr, place: &str) -> Type {
        let ty = self.ty(expr);
        if ty.holds_secret() {
            let message = format!("`{expr}` is a secret: it cannot stand in {place}");
            return self.report("secret-leak", expr.span, message, SECRET_HELP.to_owned());
        }
        match ty {
            Type::None => self.report(
                "type-mismatch",
                expr.span,
                format!("`none` cannot stand in {place}"),
                None,
            ),
            Type::Optional(inner) => {
                let message = format!("`{expr}` may be none: it cannot stand in {place}");
                let help = format!("give it a value for that case: `{expr} | default(\"…\")`");
                self.report("type-mismatch", expr.span, message, help);
                *inner
            }
            Type::Object { fields, .. } => {
                let message = format!("`{expr}` is an object: it cannot stand in {place}");
                self.report(
                    "type-mismatch",
                    expr.span,
                    message,
                    fields_help(expr, fields.keys()),
                )
            }
            Type::List(inner) if !stands_in_text(&inner) => {
                let message = format!(
                    "`{expr}` is a list of {}: it cannot stand in {place}",
                    word(&inner)
                );
                self.report("type-mismatch", expr.span, message, None)
            }
            ty => ty,
        }
    }

    fn condition(&mut self, expr: &Expr) {
        let ty = self.operand(expr, "a condition");
        if matches!(ty, Type::Bool | Type::Any) {
            return;
        }
        let help = match &ty {
            Type::Optional(inner) if **inner == Type::Bool => {
                format!("give it a value for that case: `{expr} | default(false)`")
            }
            Type::Optional(_) => format!("to ask whether it is there, write `{expr} is not none`"),
            Type::Number => format!("compare it, as in `{expr} > 0`"),
            Type::List(_) => format!("to ask whether it has items, write `{expr} | length > 0`"),
            Type::OneOf(texts) => {
                format!(
                    "compare it, as in `{expr} == \"{}\"`",
                    texts.first().map_or("", String::as_str)
                )
            }
            _ => format!("compare it, as in `{expr} == …`"),
        };
        let message = format!("a condition is true or false; `{expr}` is {}", word(&ty));
        self.report("type-mismatch", expr.span, message, help);
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
                        let message = format!("this list has {} and {}", word(&all), word(&ty));
                        let help = "all items of a list have the same type".to_owned();
                        self.report("type-mismatch", item.span, message, help)
                    }
                },
            });
        }
        Type::List(Box::new(all.unwrap_or(Type::Any)))
    }

    fn items(&mut self, items: &[Expr]) -> Vec<Type> {
        items
            .iter()
            .map(|item| self.operand(item, "a list"))
            .collect()
    }

    fn name(&mut self, name: &str, span: Span) -> Type {
        match self.scope.variable(name) {
            Lookup::Known(ty) => ty,
            Lookup::Unassigned => {
                let message = format!("`{name}` has no value yet on some way to this place");
                let help =
                    "give it a value on every way, or declare it under `vars:` with a default"
                        .to_owned();
                self.report("unassigned-variable", span, message, help)
            }
            Lookup::Unknown => {
                let names = self.scope.names();
                let help = match closest(name, names.iter().map(String::as_str)) {
                    Some(meant) => Some(format!("did you mean `{meant}`?")),
                    None if names.is_empty() => None,
                    None => Some(format!("known here: {}", listed(names.iter()))),
                };
                self.report(
                    "unknown-variable",
                    span,
                    format!("there is no variable `{name}`"),
                    help,
                )
            }
        }
    }

    fn field(&mut self, of: &Expr, name: &str, span: Span) -> Type {
        // Reading a field of an object that holds a secret shows nothing of the secret.
        let ty = self.ty(of);
        if ty == Type::Secret {
            let message = format!("`{of}` is a secret: it has no fields");
            return self.report("secret-leak", of.span, message, SECRET_HELP.to_owned());
        }
        let ty = if matches!(ty, Type::Optional(_)) {
            self.not_none(of, ty, &format!(".{name}"))
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
                    return Type::Any;
                }
                let help = match closest(name, fields.keys().map(String::as_str)) {
                    Some(meant) => Some(format!(
                        "did you mean `{meant}`? its fields: {}",
                        listed(fields.keys())
                    )),
                    None => fields_help(of, fields.keys()),
                };
                self.report(
                    "unknown-field",
                    span,
                    format!("`{of}` has no field `{name}`"),
                    help,
                )
            }
            ty => {
                let parts: Vec<&str> = PARTS
                    .iter()
                    .copied()
                    .filter(|part_name| part(ty, part_name).is_some())
                    .collect();
                let help = match closest(name, parts.iter().copied()) {
                    Some(meant) => Some(format!("did you mean `{meant}`?")),
                    None if parts.is_empty() => None,
                    None => Some(format!("it has {}", parts.join(", "))),
                };
                let message = format!("`{of}` is {}: it has no field `{name}`", word(ty));
                self.report("unknown-field", span, message, help)
            }
        }
    }

    fn index(&mut self, of: &Expr, index: &Expr) -> Type {
        if let Some(name) = index.as_text() {
            let name = name.to_owned();
            return self.field(of, &name, index.span);
        }
        let ty = self.present(of, "[ ]");
        let by = self.present(index, "[ ]");
        match (&ty, &by) {
            (Type::Any, _) => Type::Any,
            (Type::List(inner), Type::Number | Type::Any) => inner.as_ref().clone().or_none(),
            (Type::List(_), by) => {
                let message = format!(
                    "a list is indexed by a number from 0; `{index}` is {}",
                    word(by)
                );
                self.report("type-mismatch", index.span, message, None)
            }
            (Type::Object { .. }, Type::Text | Type::OneOf(_) | Type::Any) => Type::Any,
            (Type::Object { .. }, by) => {
                let message = format!("an object is indexed by a text; `{index}` is {}", word(by));
                self.report("type-mismatch", index.span, message, None)
            }
            (ty, _) => {
                let message = format!(
                    "`{of}` is {}: only a list or an object takes `[ ]`",
                    word(ty)
                );
                self.report("type-mismatch", of.span, message, None)
            }
        }
    }

    fn filter(&mut self, of: &Expr, name: &str, span: Span, arguments: &[Expr]) -> Type {
        let Some(filter) = filters::find(name) else {
            self.operand(of, &format!("| {name}"));
            for argument in arguments {
                self.operand(argument, &format!("| {name}"));
            }
            let help = match closest(name, FILTERS.iter().map(|filter| filter.name)) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!(
                    "the filters are {}",
                    listed(FILTERS.iter().map(|filter| filter.name))
                ),
            };
            return self.report(
                "unknown-filter",
                span,
                format!("there is no filter `{name}`"),
                help,
            );
        };
        let with = format!("| {name}");
        let argument = self.argument(filter, span, arguments);
        let mut ty = self.ty(of);
        if ty.holds_secret() && !filter.takes.iter().any(|kind| kind.fits(&ty)) {
            let message = format!("`{of}` is a secret: it cannot stand in `{with}`");
            self.report("secret-leak", of.span, message, SECRET_HELP.to_owned());
            ty = Type::Any;
        }
        if filter.gives == Gives::Present {
            return self.default(of, ty, argument.unwrap_or(Type::Any), arguments);
        }
        let ty = self.not_none(of, ty, &with);
        if !filter.takes.iter().any(|kind| kind.fits(&ty)) {
            let message = format!(
                "`{with}` takes {}; `{of}` is {}",
                filter.takes_words(),
                word(&ty)
            );
            let help = filter_help(filter, of, &ty);
            self.report("type-mismatch", of.span, message, help);
        } else if filter.name == "join"
            && let Type::List(inner) = &ty
            && !stands_in_text(inner)
        {
            let message = format!(
                "`{of}` is a list of {}: its items cannot stand in a text",
                word(inner)
            );
            self.report("type-mismatch", of.span, message, None);
        }
        match filter.gives {
            Gives::Number => Type::Number,
            Gives::Speech | Gives::Text | Gives::Present => Type::Text,
        }
    }

    /// The type of a filter's argument, if it is given.
    fn argument(&mut self, filter: &Filter, span: Span, arguments: &[Expr]) -> Option<Type> {
        let with = format!("| {}", filter.name);
        let types: Vec<Type> = arguments
            .iter()
            .map(|argument| self.operand(argument, &with))
            .collect();
        let most = usize::from(filter.argument.is_some());
        let least = usize::from(
            filter
                .argument
                .as_ref()
                .is_some_and(|argument| argument.required),
        );
        if types.len() > most || types.len() < least {
            let message = match (least, most) {
                (_, 0) => format!("`{}` takes nothing in brackets", filter.name),
                (0, _) => format!("`{}` takes at most one value in brackets", filter.name),
                _ => format!("`{}` takes exactly one value in brackets", filter.name),
            };
            let help = format!("as in `{}`", filter.example.0);
            self.report("type-mismatch", span, message, help);
            return None;
        }
        let ty = types.into_iter().next()?;
        let kind = filter.argument.as_ref()?.kind;
        if !kind.fits(&ty) {
            let message = format!(
                "`{}` takes {} in brackets; this is {}",
                filter.name,
                kind.word(),
                word(&ty)
            );
            self.report("type-mismatch", arguments[0].span, message, None);
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
                let message = format!(
                    "`{of}` is {}, but its default is {}",
                    word(&present),
                    word(&argument)
                );
                self.report("type-mismatch", span, message, None);
                present
            }
        }
    }

    fn negated(&mut self, of: &Expr) -> Type {
        let ty = self.present(of, "-");
        match ty {
            Type::Number | Type::Duration | Type::Money | Type::Any => ty,
            ty => {
                let message = format!("`-` takes a number; `{of}` is {}", word(&ty));
                self.report("type-mismatch", of.span, message, None)
            }
        }
    }

    fn choice(&mut self, expr: &Expr, condition: &Expr, a: &Expr, b: &Expr) -> Type {
        self.condition(condition);
        let yes = self.assuming(condition.proves_present(true), |inference| {
            inference.operand(a, "if")
        });
        let no = self.assuming(condition.proves_present(false), |inference| {
            inference.operand(b, "if")
        });
        match yes.join(&no) {
            Some(ty) => ty,
            None => {
                let message = format!("`{a}` is {}, but `{b}` is {}", word(&yes), word(&no));
                let help = "both sides of `if` have the same type".to_owned();
                self.report("type-mismatch", expr.span, message, help)
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

const SECRET_HELP: &str = "a secret goes whole to an input marked `x-secret`, or through `| last4`";

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
