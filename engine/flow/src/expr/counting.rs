//! What a condition says of a number, and what an assignment adds to it: enough to prove that a loop which counts ends.

use super::tree::{Expr, Kind, Operator};

/// That a variable is below or above something.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bound<'e> {
    /// The variable.
    pub name: &'e str,
    /// Whether the limit is above it.
    pub above: bool,
    /// What it is held against.
    pub limit: Limit<'e>,
    /// Whether it may also equal the limit.
    pub reached: bool,
}

/// What a number is held against.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Limit<'e> {
    Number(f64),
    Name(&'e str),
}

impl Expr {
    /// The number, when the expression is nothing but a written one.
    pub(crate) fn as_number(&self) -> Option<f64> {
        match &self.kind {
            Kind::Number(number) => Some(*number),
            Kind::Negate(of) => of.as_number().map(|number| -number),
            _ => None,
        }
    }

    /// What is added to a variable, when the expression is the variable plus or minus a written number.
    pub(crate) fn adds_to(&self, name: &str) -> Option<f64> {
        let Kind::Binary(operator, a, b) = &self.kind else {
            return None;
        };
        match operator {
            Operator::Add if a.as_name() == Some(name) => b.as_number(),
            Operator::Add if b.as_name() == Some(name) => a.as_number(),
            Operator::Subtract if a.as_name() == Some(name) => b.as_number().map(|number| -number),
            _ => None,
        }
    }

    /// What is certain of numbers when this condition is `truth`.
    pub(crate) fn bounds(&self, truth: bool) -> Vec<Bound<'_>> {
        match &self.kind {
            Kind::Not(of) => of.bounds(!truth),
            Kind::Binary(Operator::And, a, b) if truth => [a.bounds(true), b.bounds(true)].concat(),
            Kind::Binary(Operator::Or, a, b) if !truth => {
                [a.bounds(false), b.bounds(false)].concat()
            }
            Kind::Binary(operator, a, b) => compared(*operator, a, b, truth),
            _ => Vec::new(),
        }
    }
}

fn compared<'e>(operator: Operator, a: &'e Expr, b: &'e Expr, truth: bool) -> Vec<Bound<'e>> {
    // `a < b` and `a <= b` put the limit above a; a condition that is false says the opposite.
    let (above, reached) = match operator {
        Operator::Less => (true, false),
        Operator::LessOrEqual => (true, true),
        Operator::Greater => (false, false),
        Operator::GreaterOrEqual => (false, true),
        _ => return Vec::new(),
    };
    let (above, reached) = if truth {
        (above, reached)
    } else {
        (!above, !reached)
    };
    let limit = |expr: &'e Expr| {
        let number = expr.as_number().map(Limit::Number);
        number.or_else(|| expr.as_name().map(Limit::Name))
    };
    let bound = |of: &'e Expr, to: &'e Expr, above| {
        Some(Bound {
            name: of.as_name()?,
            above,
            limit: limit(to)?,
            reached,
        })
    };
    bound(a, b, above)
        .into_iter()
        .chain(bound(b, a, !above))
        .collect()
}
