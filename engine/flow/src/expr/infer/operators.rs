//! What the operators take and give.

use super::words::{listed, word};
use super::{Inference, is_text};
use crate::expr::suggest::closest;
use crate::expr::tree::{Expr, Kind, Operator};
use crate::value::{Type, parse_literal};

impl Inference<'_> {
    pub(super) fn binary(&mut self, operator: Operator, a: &Expr, b: &Expr) -> Type {
        match operator {
            Operator::And | Operator::Or => {
                self.condition(a);
                let proven = a.proves_present(operator == Operator::And);
                self.assuming(proven, |inference| inference.condition(b));
                Type::Bool
            }
            Operator::Equal | Operator::NotEqual => {
                let left = self.operand(a, operator.symbol());
                let right = self.operand(b, operator.symbol());
                self.equality(operator, (a, &left), (b, &right));
                Type::Bool
            }
            Operator::Less
            | Operator::LessOrEqual
            | Operator::Greater
            | Operator::GreaterOrEqual => {
                let left = self.present(a, operator.symbol());
                let right = self.present(b, operator.symbol());
                self.order(operator, (a, &left), (b, &right));
                Type::Bool
            }
            Operator::In | Operator::NotIn => {
                self.membership(operator, a, b);
                Type::Bool
            }
            Operator::Join => {
                self.inserted(a, "`~`");
                self.inserted(b, "`~`");
                Type::Text
            }
            Operator::Add
            | Operator::Subtract
            | Operator::Multiply
            | Operator::Divide
            | Operator::Remainder => {
                let left = self.present(a, operator.symbol());
                let right = self.present(b, operator.symbol());
                self.arithmetic(operator, (a, &left), (b, &right))
            }
        }
    }

    /// Reports a comparison that cannot be true, or makes no sense.
    fn equality(
        &mut self,
        operator: Operator,
        (a, left): (&Expr, &Type),
        (b, right): (&Expr, &Type),
    ) {
        if matches!(left, Type::None) || matches!(right, Type::None) {
            let (of, not) = (
                if *right == Type::None { a } else { b },
                operator == Operator::NotEqual,
            );
            let message = format!("`none` is not compared with `{}`", operator.symbol());
            let help = format!("write `{of} is {}none`", if not { "not " } else { "" });
            self.report("type-mismatch", a.span.to(b.span), message, help);
            return;
        }
        let (plain_left, plain_right) = (left.without_none(), right.without_none());
        if self.literal_meets(a, plain_left, b, plain_right) {
            return;
        }
        if let (Type::OneOf(some), Type::OneOf(others)) = (plain_left, plain_right) {
            if !some.iter().any(|text| others.contains(text)) {
                self.impossible((a, some), (b, others), operator);
            }
            return;
        }
        // A telephone number is a text, and may equal one of a fixed set.
        let texts = is_text(plain_left) && is_text(plain_right);
        if !texts && !plain_left.accepts(plain_right) && !plain_right.accepts(plain_left) {
            self.incomparable(operator, (a, plain_left), (b, plain_right), None);
        }
    }

    fn impossible(
        &mut self,
        (a, some): (&Expr, &[String]),
        (b, others): (&Expr, &[String]),
        operator: Operator,
    ) {
        let never = if operator == Operator::NotEqual {
            "always differs from"
        } else {
            "is never"
        };
        // The side that is written as a text is the one that was misspelt.
        let (of, values, literal) = match (a.as_text(), b.as_text()) {
            (_, Some(text)) => (a, some, Some((text, b.span))),
            (Some(text), None) => (b, others, Some((text, a.span))),
            (None, None) => (a, some, None),
        };
        match literal {
            Some((text, span)) => {
                let values_listed = listed(values.iter());
                let help = match closest(text, values.iter().map(String::as_str)) {
                    Some(meant) => {
                        format!("did you mean \"{meant}\"? it is one of: {values_listed}")
                    }
                    None => format!("it is one of: {values_listed}"),
                };
                self.report(
                    "impossible-comparison",
                    span,
                    format!("`{of}` {never} \"{text}\""),
                    help,
                );
            }
            None => {
                let message = format!("`{a}` {never} `{b}`: they have no value in common");
                let help = format!(
                    "`{a}` is one of: {}; `{b}`: {}",
                    listed(some.iter()),
                    listed(others.iter())
                );
                self.report("impossible-comparison", a.span.to(b.span), message, help);
            }
        }
    }

    fn order(&mut self, operator: Operator, (a, left): (&Expr, &Type), (b, right): (&Expr, &Type)) {
        if self.literal_meets(a, left, b, right) || *left == Type::Any && has_order(right) {
            return;
        }
        match (left, right) {
            (left, Type::Any) if has_order(left) => {}
            (Type::Any, Type::Any) => {}
            (left, right) if left == right && has_order(left) => {}
            (left, right) => {
                let texts = is_text(left) && is_text(right);
                let help =
                    texts.then(|| "texts have no order; compare them with `==` or `in`".to_owned());
                self.incomparable(operator, (a, left), (b, right), help);
            }
        }
    }

    fn membership(&mut self, operator: Operator, a: &Expr, b: &Expr) {
        let left = self.operand(a, operator.symbol());
        if let Kind::List(items) = &b.kind {
            // Each item by itself, so that the misspelt one is pointed at.
            let types = self.items(items);
            for (item, ty) in items.iter().zip(types) {
                if ty != Type::None && left != Type::None {
                    self.equality(Operator::Equal, (a, &left), (item, &ty));
                }
            }
            return;
        }
        let right = self.present(b, operator.symbol());
        match &right {
            Type::Any => {}
            Type::List(inner) => {
                if left != Type::None {
                    self.equality(Operator::Equal, (a, &left), (b, inner));
                }
            }
            right if is_text(right) => {
                let left = self.not_none(a, left, operator.symbol());
                if !is_text(&left) && left != Type::Any {
                    self.incomparable(operator, (a, &left), (b, right), None);
                }
            }
            right => {
                let message = format!(
                    "`{}` looks into a list or a text; `{b}` is {}",
                    operator.symbol(),
                    word(right)
                );
                self.report("type-mismatch", b.span, message, None);
            }
        }
    }

    fn arithmetic(
        &mut self,
        operator: Operator,
        (a, left): (&Expr, &Type),
        (b, right): (&Expr, &Type),
    ) -> Type {
        if let Some(ty) = arithmetic(operator, left, right) {
            return ty;
        }
        let symbol = operator.symbol();
        let message = format!(
            "`{symbol}` does not work on {} and {}",
            word(left),
            word(right)
        );
        let filtered = [a, b]
            .into_iter()
            .find(|side| matches!(side.kind, Kind::Filter(..)));
        let help = if let Some(side) = filtered {
            format!(
                "a filter takes only the value just before it: put brackets around the rest of `{side}`"
            )
        } else if operator == Operator::Add && (is_text(left) || is_text(right)) {
            format!("texts are joined by `~`: `{a} ~ {b}`")
        } else {
            format!("`{a}` is {}, `{b}` is {}", word(left), word(right))
        };
        self.report("type-mismatch", a.span.to(b.span), message, help)
    }

    fn incomparable(
        &mut self,
        operator: Operator,
        (a, left): (&Expr, &Type),
        (b, right): (&Expr, &Type),
        help: Option<String>,
    ) {
        let symbol = operator.symbol();
        let message = format!(
            "`{a}` is {}, `{b}` is {}: `{symbol}` cannot compare them",
            word(left),
            word(right)
        );
        let help = help.or_else(|| match (left, right) {
            (Type::OneOf(values), Type::Number) if a.as_text().is_none() => {
                Some(format!("`{a}` is one of: {}", listed(values.iter())))
            }
            (Type::Number, Type::OneOf(values)) if b.as_text().is_none() => {
                Some(format!("`{b}` is one of: {}", listed(values.iter())))
            }
            (Type::Number, Type::OneOf(_)) => number_help(b),
            (Type::OneOf(_), Type::Number) => number_help(a),
            (left, Type::Number) if is_text(left) => {
                Some(format!("put the digits in quotes: `\"{b}\"`"))
            }
            (Type::Number, right) if is_text(right) => {
                Some(format!("put the digits in quotes: `\"{a}\"`"))
            }
            (Type::Date, Type::DateTime) => Some(format!("compare the day: `{b}.date`")),
            (Type::DateTime, Type::Date) => Some(format!("compare the day: `{a}.date`")),
            (Type::Time, Type::DateTime) => Some(format!("compare the time of day: `{b}.time`")),
            (Type::DateTime, Type::Time) => Some(format!("compare the time of day: `{a}.time`")),
            (Type::Money, Type::Number) => Some(format!("name the currency: `\"{b}.00 CNY\"`")),
            (Type::Duration, Type::Number) => Some(format!("name the unit: `\"{b}s\"`")),
            _ => None,
        });
        self.report("type-mismatch", a.span.to(b.span), message, help);
    }

    /// Whether one side is a quoted text and the other a date, time, datetime, duration or money: the text
    /// is then a literal of that type. Reports a text that cannot be read so.
    fn literal_meets(&mut self, a: &Expr, left: &Type, b: &Expr, right: &Type) -> bool {
        for (literal, ty) in [(b, left), (a, right)] {
            if let Some(text) = literal.as_text()
                && takes_literal(ty)
            {
                if let Err(why) = parse_literal(text, ty) {
                    self.report("type-mismatch", literal.span, why, None);
                }
                return true;
            }
        }
        false
    }
}

/// Whether a quoted text compared with this type is read as a value of the type.
pub(in crate::expr) fn takes_literal(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Date | Type::Time | Type::DateTime | Type::Duration | Type::Money
    )
}

/// What arithmetic gives, where it is defined.
fn arithmetic(operator: Operator, left: &Type, right: &Type) -> Option<Type> {
    use Operator::{Add, Divide, Multiply, Remainder, Subtract};
    use Type::{Any, Date, DateTime, Duration, Money, Number};
    match (operator, left, right) {
        (_, Any, Any) => Some(Any),
        (Add | Subtract | Multiply | Divide | Remainder, Number, Number) => Some(Number),
        (Add | Subtract, Duration, Duration) | (Multiply | Divide, Duration, Number) => {
            Some(Duration)
        }
        (Multiply, Number, Duration) => Some(Duration),
        (Divide, Duration, Duration) => Some(Number),
        (Add | Subtract, Money, Money) | (Multiply | Divide, Money, Number) => Some(Money),
        (Multiply, Number, Money) => Some(Money),
        (Divide, Money, Money) => Some(Number),
        (Add | Subtract, DateTime, Duration) => Some(DateTime),
        (Add, Duration, DateTime) => Some(DateTime),
        (Subtract, DateTime, DateTime) | (Subtract, Date, Date) => Some(Duration),
        (_, Any, ty) | (_, ty, Any)
            if matches!(ty, Number | Duration | Money | DateTime | Date) =>
        {
            Some(Any)
        }
        _ => None,
    }
}

fn has_order(ty: &Type) -> bool {
    matches!(
        ty,
        Type::Number
            | Type::Date
            | Type::Time
            | Type::DateTime
            | Type::Duration
            | Type::Money
            | Type::Any
    )
}

/// A quoted number compared with a number.
fn number_help(literal: &Expr) -> Option<String> {
    let text = literal.as_text()?;
    text.parse::<f64>()
        .ok()
        .map(|_| format!("leave out the quotes: `{text}`"))
}
