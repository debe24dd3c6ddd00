//! The tree of an expression.

use std::fmt::{self, Write as _};

use super::finding::Span;
use crate::beside::Beside;

/// A parsed expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// What it is.
    pub(super) kind: Kind,
    /// Where it stands, in bytes of the file.
    pub(super) span: Span,
}

/// The kinds of expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// `none`.
    None,
    /// `true`, `false`.
    Bool(bool),
    /// `3`, `2.5`.
    Number(f64),
    /// `"text"`.
    Text(String),
    /// `[a, b]`.
    List(Vec<Expr>),
    /// `order`.
    Name(String),
    /// `order.status`; the span is that of the name after the dot.
    Field(Box<Expr>, String, Span),
    /// `list[0]`.
    Index(Box<Expr>, Box<Expr>),
    /// `value | filter(arguments)`; the span is that of the filter's name.
    Filter(Box<Expr>, String, Span, Vec<Expr>),
    /// `-a`.
    Negate(Box<Expr>),
    /// `not a`.
    Not(Box<Expr>),
    /// `a op b`.
    Binary(Operator, Box<Expr>, Box<Expr>),
    /// `a is none` (`true`), `a is not none` (`false`).
    IsNone(Box<Expr>, bool),
    /// `a if condition else b`: condition, a, b.
    Choice(Box<Expr>, Box<Expr>, Box<Expr>),
}

/// Operators with two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    Join,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Operator {
    /// Its level in the parser's table.
    pub(super) fn level(self) -> u8 {
        match self {
            Operator::Or => 1,
            Operator::And => 2,
            Operator::Equal
            | Operator::NotEqual
            | Operator::Less
            | Operator::LessOrEqual
            | Operator::Greater
            | Operator::GreaterOrEqual
            | Operator::In
            | Operator::NotIn => 4,
            Operator::Join => 5,
            Operator::Add | Operator::Subtract => 6,
            Operator::Multiply | Operator::Divide | Operator::Remainder => 7,
        }
    }

    /// As it is written.
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Operator::Or => "or",
            Operator::And => "and",
            Operator::Equal => "==",
            Operator::NotEqual => "!=",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
            Operator::In => "in",
            Operator::NotIn => "not in",
            Operator::Join => "~",
            Operator::Add => "+",
            Operator::Subtract => "-",
            Operator::Multiply => "*",
            Operator::Divide => "/",
            Operator::Remainder => "%",
        }
    }
}

impl Beside for Expr {
    fn beside(&self) -> usize {
        match &self.kind {
            Kind::None | Kind::Bool(_) | Kind::Number(_) => 0,
            Kind::Text(text) | Kind::Name(text) => text.beside(),
            Kind::List(items) => items.beside(),
            Kind::Field(of, name, _) => of.beside() + name.beside(),
            Kind::Filter(of, name, _, arguments) => {
                of.beside() + name.beside() + arguments.beside()
            }
            Kind::Negate(of) | Kind::Not(of) | Kind::IsNone(of, _) => of.beside(),
            Kind::Index(a, b) | Kind::Binary(_, a, b) => a.beside() + b.beside(),
            Kind::Choice(condition, a, b) => condition.beside() + a.beside() + b.beside(),
        }
    }
}

impl Expr {
    /// Where it stands, in bytes of the file.
    pub fn span(&self) -> Span {
        self.span
    }

    /// Lets it and all its parts stand at one place.
    pub(super) fn move_to(&mut self, span: Span) {
        self.span = span;
        match &mut self.kind {
            Kind::None | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Name(_) => {}
            Kind::List(items) => items.iter_mut().for_each(|item| item.move_to(span)),
            Kind::Field(of, _, at) => {
                *at = span;
                of.move_to(span);
            }
            Kind::Filter(of, _, at, arguments) => {
                *at = span;
                of.move_to(span);
                arguments.iter_mut().for_each(|one| one.move_to(span));
            }
            Kind::Negate(of) | Kind::Not(of) | Kind::IsNone(of, _) => of.move_to(span),
            Kind::Index(a, b) | Kind::Binary(_, a, b) => {
                a.move_to(span);
                b.move_to(span);
            }
            Kind::Choice(condition, a, b) => {
                condition.move_to(span);
                a.move_to(span);
                b.move_to(span);
            }
        }
    }

    /// The variables it reads, one call for every mention, in any order.
    pub fn each_root<'e>(&'e self, read: &mut dyn FnMut(&'e str)) {
        self.each(&mut |part| {
            if let Kind::Name(name) = &part.kind {
                read(name);
            }
        });
    }

    /// The variables it reads, in the order of the text; one entry for every mention.
    pub fn roots(&self) -> Vec<(&str, Span)> {
        let mut roots = Vec::new();
        self.roots_into(&mut roots);
        roots
    }

    /// The same, in place of what the list held.
    pub fn roots_into<'e>(&'e self, roots: &mut Vec<(&'e str, Span)>) {
        roots.clear();
        self.each(&mut |part| {
            if let Kind::Name(name) = &part.kind {
                roots.push((name.as_str(), part.span));
            }
        });
        roots.sort_by_key(|(_, span)| span.start);
    }

    /// Whether it may have no value although every type in it is right: it divides, counts into a list, or puts two values
    /// together that may be money of two currencies.
    pub fn may_fail(&self) -> bool {
        let mut fails = false;
        self.each(&mut |part| {
            let number = |expr: &Expr| matches!(expr.kind, Kind::Number(_));
            fails |= match &part.kind {
                Kind::Index(..) => true,
                Kind::Binary(Operator::Divide | Operator::Remainder, _, by) => {
                    !matches!(by.kind, Kind::Number(by) if by != 0.0)
                }
                Kind::Binary(
                    Operator::Add
                    | Operator::Subtract
                    | Operator::Less
                    | Operator::LessOrEqual
                    | Operator::Greater
                    | Operator::GreaterOrEqual,
                    a,
                    b,
                ) => !number(a) && !number(b),
                _ => false,
            };
        });
        fails
    }

    /// The name, when the expression is nothing but a variable.
    pub fn as_name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Name(name) => Some(name),
            _ => None,
        }
    }

    /// The path, when the expression is a variable or a field of one: `order.total` is `[order, total]`.
    pub fn as_path(&self) -> Option<Vec<&str>> {
        match &self.kind {
            Kind::Name(name) => Some(vec![name]),
            Kind::Field(of, name, _) => {
                let mut path = of.as_path()?;
                path.push(name);
                Some(path)
            }
            _ => None,
        }
    }

    /// The path, when the expression is a variable, a field of a place, or an item of one by a written number or name.
    pub(super) fn as_place(&self) -> Option<Vec<String>> {
        let (of, part) = match &self.kind {
            Kind::Name(name) => return Some(vec![name.clone()]),
            Kind::Field(of, name, _) => (of, name.clone()),
            Kind::Index(of, index) => match &index.kind {
                Kind::Text(name) => (of, name.clone()),
                // No field has such a name.
                Kind::Number(number) => (of, format!("[{number}]")),
                _ => return None,
            },
            _ => return None,
        };
        let mut path = of.as_place()?;
        path.push(part);
        Some(path)
    }

    /// The places that it reads, each whole, in the order of the text: `order.total` of `order.total > limit`, and `limit`.
    pub fn places(&self) -> Vec<&Expr> {
        let mut places = Vec::new();
        self.each_place(&mut places);
        places
    }

    fn each_place<'e>(&'e self, places: &mut Vec<&'e Expr>) {
        if self.as_place().is_some() {
            places.push(self);
            return;
        }
        match &self.kind {
            Kind::None | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Name(_) => {}
            Kind::List(items) => items.iter().for_each(|item| item.each_place(places)),
            Kind::Field(of, ..) | Kind::Negate(of) | Kind::Not(of) | Kind::IsNone(of, _) => {
                of.each_place(places);
            }
            Kind::Filter(of, _, _, arguments) => {
                of.each_place(places);
                arguments.iter().for_each(|one| one.each_place(places));
            }
            Kind::Index(a, b) | Kind::Binary(_, a, b) => {
                a.each_place(places);
                b.each_place(places);
            }
            Kind::Choice(condition, a, b) => {
                a.each_place(places);
                condition.each_place(places);
                b.each_place(places);
            }
        }
    }

    /// The variables to which a filter is put directly, and where they stand.
    pub(crate) fn names_before(&self, filter: &str) -> Vec<(&str, Span)> {
        let mut names = Vec::new();
        self.each(&mut |part| {
            if let Kind::Filter(of, name, ..) = &part.kind
                && name == filter
                && let Kind::Name(variable) = &of.kind
            {
                names.push((variable.as_str(), of.span));
            }
        });
        names
    }

    /// The filters that it has, and where their names stand.
    pub(crate) fn filters(&self) -> Vec<(&str, Span)> {
        let mut filters = Vec::new();
        self.each(&mut |part| {
            if let Kind::Filter(_, name, span, _) = &part.kind {
                filters.push((name.as_str(), *span));
            }
        });
        filters
    }

    /// The expression and all its parts.
    pub(super) fn each<'e>(&'e self, see: &mut dyn FnMut(&'e Expr)) {
        see(self);
        match &self.kind {
            Kind::None | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Name(_) => {}
            Kind::List(items) => items.iter().for_each(|item| item.each(see)),
            Kind::Field(of, ..) | Kind::Negate(of) | Kind::Not(of) | Kind::IsNone(of, _) => {
                of.each(see);
            }
            Kind::Filter(of, _, _, arguments) => {
                of.each(see);
                arguments.iter().for_each(|argument| argument.each(see));
            }
            Kind::Index(a, b) | Kind::Binary(_, a, b) => {
                a.each(see);
                b.each(see);
            }
            Kind::Choice(condition, a, b) => {
                condition.each(see);
                a.each(see);
                b.each(see);
            }
        }
    }

    /// The text, when the expression is nothing but a quoted text.
    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The expression as it is written, with as few brackets as it needs.
impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

impl Expr {
    /// Its level in the parser's table.
    fn level(&self) -> u8 {
        match &self.kind {
            Kind::Choice(..) => 0,
            Kind::Not(_) => 3,
            Kind::Binary(operator, ..) => operator.level(),
            Kind::IsNone(..) => 4,
            Kind::Negate(_) => 8,
            Kind::Number(number) if number.is_sign_negative() => 8,
            Kind::Filter(..) => 9,
            _ => 10,
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, least: u8) -> fmt::Result {
        let brackets = self.level() < least;
        if brackets {
            f.write_str("(")?;
        }
        match &self.kind {
            Kind::None => f.write_str("none")?,
            Kind::Bool(bool) => write!(f, "{bool}")?,
            Kind::Number(number) => write!(f, "{number}")?,
            Kind::Text(text) => write_text(f, text)?,
            Kind::List(items) => write_items(f, "[", items, "]")?,
            Kind::Name(name) => f.write_str(name)?,
            Kind::Field(of, name, _) => {
                // `1.a` would be read as a number.
                of.write(
                    f,
                    if matches!(of.kind, Kind::Number(_)) {
                        11
                    } else {
                        10
                    },
                )?;
                write!(f, ".{name}")?;
            }
            Kind::Index(of, index) => {
                of.write(f, 10)?;
                write_items(f, "[", std::slice::from_ref(index), "]")?;
            }
            Kind::Filter(of, name, _, arguments) => {
                of.write(f, 8)?;
                write!(f, " | {name}")?;
                if !arguments.is_empty() {
                    write_items(f, "(", arguments, ")")?;
                }
            }
            Kind::Negate(of) => {
                f.write_str("-")?;
                // A filter would take the sign along.
                of.write(
                    f,
                    if matches!(of.kind, Kind::Filter(..)) {
                        10
                    } else {
                        8
                    },
                )?;
            }
            Kind::Not(of) => {
                f.write_str("not ")?;
                of.write(f, 3)?;
            }
            Kind::Binary(operator, a, b) => {
                let level = operator.level();
                a.write(f, if level == 4 { 5 } else { level })?;
                write!(f, " {} ", operator.symbol())?;
                b.write(f, level + 1)?;
            }
            Kind::IsNone(of, yes) => {
                of.write(f, 5)?;
                f.write_str(if *yes { " is none" } else { " is not none" })?;
            }
            Kind::Choice(condition, a, b) => {
                a.write(f, 1)?;
                f.write_str(" if ")?;
                condition.write(f, 1)?;
                f.write_str(" else ")?;
                b.write(f, 0)?;
            }
        }
        if brackets {
            f.write_str(")")?;
        }
        Ok(())
    }
}

fn write_text(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\t' => f.write_str("\\t")?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

fn write_items(f: &mut fmt::Formatter<'_>, open: &str, items: &[Expr], close: &str) -> fmt::Result {
    f.write_str(open)?;
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        item.write(f, 0)?;
    }
    f.write_str(close)
}
