//! How much of a text an inserted value is: how long it takes to say, and whether it may be nothing.
//!
//! A value that stands in the flow is measured, one whose type bounds it counts with the longest of its type. Of any other text nobody
//! knows: it counts as [`UNKNOWN_MS`].

use std::collections::BTreeMap;

use super::eval::{Budget, Scope, eval};
use super::infer::{TypeScope, infer};
use super::tree::{Expr, Kind, Operator};
use crate::speak::{has_words, is_heard, longest_ms, render, say_as, speech_ms};
use crate::value::{Locale, Type, Value};

/// What a text of which nobody knows how long it is counts as, in milliseconds: a name, a word or two.
pub(crate) const UNKNOWN_MS: u64 = 3_000;

/// How much of a text an inserted value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    /// How long it takes to say, at most, in milliseconds.
    pub ms: u64,
    /// Whether that is a bound, and not [`UNKNOWN_MS`] for something unknown.
    pub known: bool,
    /// Whether it may be that nothing of it is heard.
    pub maybe_silent: bool,
}

/// What is known where a value is inserted.
pub(crate) struct Known<'k> {
    /// The types of variables.
    pub types: &'k dyn TypeScope,
    /// The values of variables that never change.
    pub constants: &'k BTreeMap<&'k str, &'k Value>,
    /// The most digits that variables have which are nothing but digits.
    pub digits: &'k dyn Fn(&str) -> Option<u32>,
    /// The languages that the text may be said in.
    pub languages: &'k [String],
}

impl Scope for Known<'_> {
    fn variable(&self, name: &str) -> Option<Value> {
        self.constants.get(name).map(|value| (*value).clone())
    }
}

impl Extent {
    const NOTHING: Extent = Extent {
        ms: 0,
        known: true,
        maybe_silent: true,
    };

    const UNKNOWN: Extent = Extent {
        ms: UNKNOWN_MS,
        known: false,
        maybe_silent: true,
    };

    fn heard(ms: u64) -> Extent {
        Extent {
            ms,
            known: true,
            maybe_silent: false,
        }
    }

    fn of_text(text: &str) -> Extent {
        Extent {
            ms: speech_ms(text),
            known: true,
            maybe_silent: !is_heard(text),
        }
    }

    /// One of the two.
    fn or(self, other: Extent) -> Extent {
        Extent {
            ms: self.ms.max(other.ms),
            known: self.known && other.known,
            maybe_silent: self.maybe_silent || other.maybe_silent,
        }
    }

    /// One after the other.
    fn then(self, other: Extent) -> Extent {
        Extent {
            ms: self.ms.saturating_add(other.ms),
            known: self.known && other.known,
            maybe_silent: self.maybe_silent && other.maybe_silent,
        }
    }
}

/// How much of a text the value of an expression is, spoken.
pub(crate) fn extent(expr: &Expr, known: &Known<'_>) -> Extent {
    let mut constant = true;
    expr.each_root(&mut |name| constant &= known.constants.contains_key(name));
    if constant {
        return known.in_each(|locale| {
            let value = eval(expr, known, locale, &mut Budget::default()).ok();
            value.map(|value| Extent::of_text(&render(&value, locale)))
        });
    }
    match &expr.kind {
        Kind::Choice(_, a, b) => extent(a, known).or(extent(b, known)),
        Kind::Binary(Operator::Join, a, b) => extent(a, known).then(extent(b, known)),
        Kind::Filter(of, filter, _, arguments) => filtered(expr, of, filter, arguments, known),
        _ => of_type(expr, known),
    }
}

fn filtered(expr: &Expr, of: &Expr, filter: &str, arguments: &[Expr], known: &Known<'_>) -> Extent {
    match filter {
        "default" => match (&of.kind, arguments) {
            (Kind::Name(_) | Kind::Field(..) | Kind::Index(..), [other]) => {
                let is = type_of(of, known);
                by_type(of, is.without_none(), known).or(extent(other, known))
            }
            (_, [other]) => extent(of, known).or(extent(other, known)),
            _ => Extent::UNKNOWN,
        },
        "upper" | "lower" => extent(of, known),
        "digits" | "spell" | "phone" => match type_of(of, known) {
            Type::Number => known.longest("digits"),
            Type::OneOf(words) => words
                .iter()
                .map(|word| known.said(word, filter))
                .reduce(Extent::or)
                .unwrap_or(Extent::UNKNOWN),
            _ => match of.as_name().and_then(known.digits) {
                Some(digits) => known.said(&"7".repeat(digits as usize), filter),
                None => of_type(of, known),
            },
        },
        _ if longest_ms(filter, "en").is_some() => known.longest(filter),
        _ => of_type(expr, known),
    }
}

fn of_type(expr: &Expr, known: &Known<'_>) -> Extent {
    by_type(expr, &type_of(expr, known), known)
}

fn type_of(expr: &Expr, known: &Known<'_>) -> Type {
    infer(expr, known.types).0
}

fn by_type(expr: &Expr, ty: &Type, known: &Known<'_>) -> Extent {
    match ty {
        Type::Number => known.longest("figures"),
        Type::Bool => [true, false]
            .map(|bool| known.rendered(&Value::Bool(bool)))
            .into_iter()
            .fold(Extent::heard(0), Extent::or),
        Type::OneOf(words) => words
            .iter()
            .map(|word| known.rendered(&Value::Text(word.clone())))
            .reduce(Extent::or)
            .unwrap_or(Extent::UNKNOWN),
        Type::Date => known.longest("date"),
        Type::Time => known.longest("time"),
        Type::DateTime => known.longest("datetime"),
        Type::Duration => known.longest("duration"),
        Type::Money => known.longest("money"),
        // Whoever calls from the net may write what they like for a number. One that is withheld is called so, where there are words.
        Type::Phone => Extent {
            known: false,
            maybe_silent: !known.languages.iter().all(|language| has_words(language)),
            ..known.longest("phone")
        },
        Type::Text => match expr.as_name().and_then(known.digits) {
            Some(digits) => Extent::of_text(&"7".repeat(digits as usize)),
            None => Extent::UNKNOWN,
        },
        Type::Optional(inner) => by_type(expr, inner, known).or(Extent::NOTHING),
        _ => Extent::UNKNOWN,
    }
}

impl Known<'_> {
    /// The most that something is in one of the languages. Where it has no words in one, the step fails and nothing is said.
    fn in_each(&self, of: impl Fn(&Locale) -> Option<Extent>) -> Extent {
        let languages = self.languages.iter().map(|language| {
            let locale = Locale {
                language: language.clone(),
                spoken: true,
            };
            of(&locale).unwrap_or(Extent::NOTHING)
        });
        languages.reduce(Extent::or).unwrap_or(Extent::NOTHING)
    }

    fn longest(&self, style: &str) -> Extent {
        let languages = self.languages.iter();
        let longest = languages
            .map(|language| longest_ms(style, language).map_or(Extent::NOTHING, Extent::heard));
        longest.reduce(Extent::or).unwrap_or(Extent::NOTHING)
    }

    fn rendered(&self, value: &Value) -> Extent {
        self.in_each(|locale| Some(Extent::of_text(&render(value, locale))))
    }

    fn said(&self, text: &str, style: &str) -> Extent {
        let value = Value::Text(text.to_owned());
        self.in_each(|locale| {
            let words = say_as(&value, style, locale).ok()?;
            Some(Extent::of_text(&words))
        })
    }
}
