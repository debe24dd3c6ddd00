use std::collections::BTreeMap;

use super::{Lowerer, spelt};
use crate::check::rules::bad_input;
use crate::diagnostic::{Text, text};
use crate::plan::Template;
use crate::value::{Type, Value, parse_literal};
use crate::yaml::{Content, Node};

/// Most digits of an answer; what the host's `listen` takes.
const MAX_DIGITS: u32 = 64;

/// The least and the most digits of a card's number; ISO/IEC 7812-1 §4.1.
const CARD_DIGITS: (u32, u32) = (12, 19);

/// The currency of `expect: money` that names none: a fixed one, so that a flow means the same everywhere. ISO 4217.
const CURRENCY: &str = "CNY";

/// What an answer may be.
pub(super) struct Expected {
    /// As the step gets it.
    pub template: Template,
    /// What the answer is afterwards.
    pub ty: Type,
    /// The least and the most digits of which the answer is, and nothing else.
    pub digits: Option<(u32, u32)>,
}

/// The kinds that are one word.
const KINDS: [(&str, Type); 9] = [
    ("digits", Type::Text),
    ("yes_no", Type::Bool),
    ("number", Type::Number),
    ("date", Type::Date),
    ("time", Type::Time),
    ("money", Type::Money),
    ("phone", Type::Phone),
    ("text", Type::Text),
    ("card", Type::Secret),
];

/// The kinds that say more about the answer.
pub(super) const MAP_KINDS: [&str; 4] = ["digits", "number", "money", "one_of"];

/// The kinds of answers that `expect:` knows: words, and keys that no word stands for.
pub fn answer_kinds() -> impl Iterator<Item = &'static str> {
    let words = KINDS.iter().map(|(kind, _)| *kind);
    let keys = MAP_KINDS.iter().copied();
    words.chain(keys.filter(|key| KINDS.iter().all(|(kind, _)| kind != key)))
}

/// What an answer is by its `expect:`, of which whatever is wrong is told elsewhere.
pub(super) fn type_of_expected(node: &Node<'_>) -> Option<Type> {
    if let Some(word) = node.text() {
        let kind = KINDS.iter().find(|(kind, _)| *kind == word);
        return kind.map(|(_, ty)| ty.clone());
    }
    let [entry] = node.map()?.entries.as_slice() else {
        return None;
    };
    if entry.key == "one_of" {
        let words = entry.value.list()?.iter();
        let words = words.map(|word| word.text().map(str::to_owned));
        return words.collect::<Option<_>>().map(Type::OneOf);
    }
    let mut kinds = MAP_KINDS.iter().filter(|kind| entry.key == **kind);
    let kind = kinds.next()?;
    let known = KINDS.iter().find(|(name, _)| name == kind);
    known.map(|(_, ty)| ty.clone())
}

impl<'t> Lowerer<'t> {
    /// `expect:` of a step that asks.
    pub(super) fn expect(&mut self, node: &'t Node<'t>) -> Option<Expected> {
        match &node.content {
            Content::Scalar(_) => {
                let word = self.expect_text(
                    "expect",
                    node,
                    Text::fixed(
                        "what the answer is, such as `digits`",
                        "回答的种类，例如 `digits`",
                    ),
                )?;
                let Some((kind, ty)) = KINDS.iter().find(|(kind, _)| *kind == word) else {
                    let names: Vec<String> =
                        KINDS.iter().map(|(kind, _)| (*kind).to_owned()).collect();
                    crate::check::rules::bad_value::word(
                        &mut self.report,
                        node.span,
                        "expect",
                        word,
                        &names,
                    );
                    return None;
                };
                let mut fields = vec![("kind", text_value(kind))];
                let digits = match *kind {
                    "digits" => Some((1, MAX_DIGITS)),
                    "card" => Some(CARD_DIGITS),
                    _ => None,
                };
                if *kind == "digits" {
                    fields.push(("min", Value::Number(1.0)));
                    fields.push(("max", Value::Number(f64::from(MAX_DIGITS))));
                }
                if *kind == "money" {
                    fields.push(("currency", text_value(CURRENCY)));
                }
                Some(Expected {
                    digits,
                    ..expected(fields, ty.clone())
                })
            }
            Content::Map(map) => match map.entries.as_slice() {
                [entry] => match entry.key.as_ref() {
                    "digits" => self.digits(&entry.value),
                    "number" => self.numbers(&entry.value),
                    "money" => self.money(&entry.value),
                    "one_of" => {
                        let words = self.words("one_of", &entry.value);
                        let values = words.iter().map(|word| text_value(word)).collect();
                        let fields = vec![
                            ("kind", text_value("one_of")),
                            ("values", Value::List(values)),
                        ];
                        Some(expected(fields, Type::OneOf(words)))
                    }
                    other => {
                        let names = MAP_KINDS.map(str::to_owned);
                        crate::check::rules::unknown_key::unknown(
                            &mut self.report,
                            entry.key_span,
                            other,
                            &Text::fixed("`expect`", "`expect`"),
                            &names,
                        );
                        None
                    }
                },
                _ => {
                    self.wrong_shape(
                        "expect",
                        node,
                        Text::fixed("one of `{ digits: 4..6 }`, `{ number: 1..10 }`, `{ money: USD }`, `{ one_of: [a, b] }`", "`{ digits: 4..6 }`、`{ number: 1..10 }`、`{ money: USD }`、`{ one_of: [a, b] }` 之一"),
                    );
                    None
                }
            },
            Content::List(_) => {
                self.wrong_shape(
                    "expect",
                    node,
                    Text::fixed(
                        "what the answer is, such as `digits` or `{ digits: 4..6 }`",
                        "回答的种类，例如 `digits` 或 `{ digits: 4..6 }`",
                    ),
                );
                None
            }
        }
    }

    /// `n` or `n..m` digits.
    fn digits(&mut self, node: &'t Node<'t>) -> Option<Expected> {
        let written = self.expect_text(
            "digits",
            node,
            Text::fixed(
                "how many, such as `4` or `8..12`",
                "位数，例如 `4` 或 `8..12`",
            ),
        )?;
        let (least, most) = written.split_once("..").unwrap_or((written, written));
        match (least.parse::<u32>(), most.parse::<u32>()) {
            (Ok(min), Ok(max)) if 1 <= min && min <= max && max <= MAX_DIGITS => {
                let fields = vec![
                    ("kind", text_value("digits")),
                    ("min", Value::Number(f64::from(min))),
                    ("max", Value::Number(f64::from(max))),
                ];
                Some(Expected {
                    digits: Some((min, max)),
                    ..expected(fields, Type::Text)
                })
            }
            _ => {
                let rule = text!("from 1 to {MAX_DIGITS}", "1 到 {MAX_DIGITS} 位");
                self.bad_range(node, written, "4..6", rule);
                None
            }
        }
    }

    /// `n..m`, both whole or with decimals.
    fn numbers(&mut self, node: &'t Node<'t>) -> Option<Expected> {
        let written = self.expect_text(
            "number",
            node,
            Text::fixed("a range such as `1..10`", "范围，例如 `1..10`"),
        )?;
        let bounds = written.split_once("..").map(|(least, most)| {
            (
                parse_literal(least.trim(), &Type::Number),
                parse_literal(most.trim(), &Type::Number),
            )
        });
        match bounds {
            Some((Ok(Value::Number(min)), Ok(Value::Number(max)))) if min <= max => {
                let fields = vec![
                    ("kind", text_value("number")),
                    ("min", Value::Number(min)),
                    ("max", Value::Number(max)),
                ];
                Some(expected(fields, Type::Number))
            }
            _ => {
                let rule = Text::fixed("the smaller number first", "小的在前");
                self.bad_range(node, written, "1..10", rule);
                None
            }
        }
    }

    /// An amount in a currency, ISO 4217.
    fn money(&mut self, node: &'t Node<'t>) -> Option<Expected> {
        let written = self.expect_text(
            "money",
            node,
            Text::fixed("a currency such as `USD`", "币种，例如 `USD`"),
        )?;
        if parse_literal(&format!("1 {written}"), &Type::Money).is_err() {
            let message = text!("`{written}` is no currency", "`{written}` 不是币种");
            let help = Text::fixed(
                "write its three letters, such as `CNY`",
                "写三个字母的代码，例如 `CNY`",
            );
            bad_input::bad(&mut self.report, node.span, message, Some(help));
            return None;
        }
        let fields = vec![
            ("kind", text_value("money")),
            ("currency", text_value(written)),
        ];
        Some(expected(fields, Type::Money))
    }

    fn bad_range(&mut self, node: &Node, written: &str, example: &str, rule: Text) {
        let message = text!("`{written}` is not a range", "`{written}` 不是有效的范围");
        let help = match spelt::range(written).filter(|meant| meant != written) {
            Some(meant) => Text::did_you_mean(meant),
            None => text!("write `{example}`, {rule}", "请写成 `{example}`，{rule}"; rule),
        };
        bad_input::bad(&mut self.report, node.span, message, Some(help));
    }
}

fn expected(fields: Vec<(&str, Value)>, ty: Type) -> Expected {
    let fields: BTreeMap<String, Value> = fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    Expected {
        template: Template::Literal(Value::Object(fields)),
        ty,
        digits: None,
    }
}

fn text_value(text: &str) -> Value {
    Value::Text(text.to_owned())
}
