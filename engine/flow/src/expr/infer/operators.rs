//! What the operators take and give.

use super::fault::{Fault, With};
use super::{Inference, constant, is_text};
use crate::expr::tree::{Expr, Kind, Operator};
use crate::value::{Type, parse_literal};

impl Inference<'_> {
    pub(super) fn binary(&mut self, operator: Operator, a: &Expr, b: &Expr) -> Type {
        let with = With::Symbol(operator.symbol());
        match operator {
            Operator::And | Operator::Or => {
                self.condition(a);
                let proven = a.proves_present(operator == Operator::And);
                self.assuming(proven, |inference| inference.condition(b));
                Type::Bool
            }
            Operator::Equal | Operator::NotEqual => {
                let left = self.operand(a, with);
                let right = self.operand(b, with);
                self.equality(operator, (a, &left), (b, &right));
                Type::Bool
            }
            Operator::Less
            | Operator::LessOrEqual
            | Operator::Greater
            | Operator::GreaterOrEqual => {
                let left = self.present(a, with);
                let right = self.present(b, with);
                self.order(operator, (a, &left), (b, &right));
                Type::Bool
            }
            Operator::In | Operator::NotIn => {
                self.membership(operator, a, b);
                Type::Bool
            }
            Operator::Join => {
                self.inserted(a, with);
                self.inserted(b, with);
                Type::Text
            }
            Operator::Add
            | Operator::Subtract
            | Operator::Multiply
            | Operator::Divide
            | Operator::Remainder => {
                let left = self.present(a, with);
                let right = self.present(b, with);
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
            let of = if *right == Type::None { a } else { b };
            self.report(a.span.to(b.span), Fault::ComparedWithNone { of, operator });
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
        if !alike(plain_left, plain_right) {
            self.incomparable(operator, (a, plain_left), (b, plain_right));
        }
    }

    fn impossible(
        &mut self,
        (a, some): (&Expr, &[String]),
        (b, others): (&Expr, &[String]),
        operator: Operator,
    ) {
        // The side that is written as a text is the one that was misspelt.
        let (of, values, literal) = match (a.as_text(), b.as_text()) {
            (_, Some(text)) => (a, some, Some((text, b.span))),
            (Some(text), None) => (b, others, Some((text, a.span))),
            (None, None) => (a, some, None),
        };
        match literal {
            Some((text, span)) => {
                let fault = Fault::Never {
                    of,
                    text,
                    values,
                    operator,
                };
                self.report(span, fault);
            }
            None => {
                let fault = Fault::NothingInCommon {
                    a,
                    some,
                    b,
                    others,
                    operator,
                };
                self.report(a.span.to(b.span), fault);
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
            (left, right) => self.incomparable(operator, (a, left), (b, right)),
        }
    }

    fn membership(&mut self, operator: Operator, a: &Expr, b: &Expr) {
        let with = With::Symbol(operator.symbol());
        let left = self.operand(a, with);
        if let Kind::List(items) = &b.kind {
            // Each item by itself, so that the misspelt one is pointed at.
            let types = self.items(items);
            let plain = left.without_none();
            let mut told = false;
            for (item, ty) in items.iter().zip(types) {
                if ty == Type::None || left == Type::None {
                    continue;
                }
                let of = ty.without_none();
                let literal = [(item, plain), (a, of)]
                    .into_iter()
                    .any(|(literal, ty)| literal.as_text().is_some() && takes_literal(ty));
                if literal || alike(plain, of) {
                    self.equality(Operator::Equal, (a, &left), (item, &ty));
                } else if !std::mem::replace(&mut told, true) {
                    // Items of another type are one slip, however many they are.
                    self.incomparable(operator, (a, plain), (item, of));
                }
            }
            return;
        }
        let right = self.present(b, with);
        match &right {
            Type::Any => {}
            Type::List(inner) => {
                let (plain, item) = (left.without_none(), inner.without_none());
                let alike = alike(plain, item) || (a.as_text().is_some() && takes_literal(item));
                if left != Type::None && alike {
                    self.equality(Operator::Equal, (a, &left), (b, inner));
                } else if left != Type::None {
                    let left = plain;
                    let inner = item;
                    self.report(a.span.to(b.span), Fault::NoItem { a, left, b, inner });
                }
            }
            right if is_text(right) => {
                let left = self.not_none(a, left, with);
                if !is_text(&left) && left != Type::Any {
                    self.incomparable(operator, (a, &left), (b, right));
                }
            }
            ty => {
                self.report(b.span, Fault::Membership { b, ty, operator });
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
            let divides = matches!(operator, Operator::Divide | Operator::Remainder);
            if divides && constant(b) == Some(0.0) {
                self.report(b.span, Fault::ByZero { operator });
            }
            return ty;
        }
        self.forget_misfits(b);
        let fault = Fault::Arithmetic {
            a,
            left,
            b,
            right,
            operator,
        };
        self.report(a.span.to(b.span), fault)
    }

    /// Takes back that the filters at the end of an operation, the last that was looked at, do not take what is before them: they were
    /// meant for what the operation gives, and that is told.
    fn forget_misfits(&mut self, last: &Expr) {
        let mut filtered = last;
        while let Kind::Filter(of, ..) = &filtered.kind {
            let latest = self.findings.len().checked_sub(1);
            if let Some(latest) = latest.filter(|latest| self.misfits.last() == Some(latest))
                && self.findings[latest].span == of.span
            {
                self.findings.pop();
                self.misfits.pop();
            }
            filtered = of;
        }
    }

    fn incomparable(
        &mut self,
        operator: Operator,
        (a, left): (&Expr, &Type),
        (b, right): (&Expr, &Type),
    ) {
        let fault = Fault::Incomparable {
            a,
            left,
            b,
            right,
            operator,
        };
        self.report(a.span.to(b.span), fault);
    }

    /// Whether one side is a quoted text and the other a date, time, datetime, duration or money: the text
    /// is then a literal of that type. Reports a text that cannot be read so.
    fn literal_meets(&mut self, a: &Expr, left: &Type, b: &Expr, right: &Type) -> bool {
        for (literal, ty) in [(b, left), (a, right)] {
            if let Some(text) = literal.as_text()
                && takes_literal(ty)
            {
                if let Err(why) = parse_literal(text, ty) {
                    self.report(literal.span, Fault::Literal { why });
                }
                return true;
            }
        }
        false
    }
}

/// Whether values of these types may equal each other. A telephone number is a text, and may equal one of a fixed set.
fn alike(left: &Type, right: &Type) -> bool {
    (is_text(left) && is_text(right)) || left.accepts(right) || right.accepts(left)
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
