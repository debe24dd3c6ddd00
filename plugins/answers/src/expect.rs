//! What may be answered: how to listen for it, and how to read it.

use serde::Deserialize;
use serde_json::{Value, json};
use strowger_sdk::media::{self, Choice, Digits, Heard};
use strowger_sdk::{Failure, env};

use crate::answer;
use crate::choice;
use crate::words::YesNo;

/// Most digits that the engine takes in one entry.
const MAX_DIGITS: u32 = 64;
/// Most digits of a number: whole numbers are exact up to 2^53, which has 16.
const MAX_NUMBER_DIGITS: u32 = 15;
/// Fewest and most digits of a telephone number: national short numbers up to E.164's 15.
pub const PHONE: (u32, u32) = (3, 15);
/// Lengths of a card's number (ISO/IEC 7812-1; payment cards have at least 12).
const CARD: (u32, u32) = (12, 19);

/// A kind of answer.
#[derive(Debug, Deserialize)]
#[serde(from = "Written")]
pub enum Expect {
    /// Digits, kept as text: leading zeros count.
    Digits {
        /// Fewest.
        min: Option<u32>,
        /// Most.
        max: Option<u32>,
    },
    /// Yes or no.
    YesNo,
    /// A number in a range. On the telephone a whole one.
    Number {
        /// The least that will do.
        min: Option<f64>,
        /// The most.
        max: Option<f64>,
    },
    /// A day: on the telephone year, month and day as eight digits.
    Date,
    /// A time of day: on the telephone hour and minute as three or four digits.
    Time,
    /// An amount: on the telephone in whole units.
    Money {
        /// ISO 4217: of an amount that names none.
        currency: Option<String>,
    },
    /// A telephone number.
    Phone,
    /// Whatever is written.
    Text,
    /// One of some texts, by its place in the list or by itself.
    OneOf {
        /// The texts, in order.
        values: Vec<String>,
    },
    /// The number of a payment card, with its check digit: always a secret.
    Card,
}

/// The same as it is written: one plain record reads with a third of the code of a tagged union.
#[derive(Deserialize)]
struct Written {
    kind: Kind,
    min: Option<f64>,
    max: Option<f64>,
    currency: Option<String>,
    #[serde(default)]
    values: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Digits,
    YesNo,
    Number,
    Date,
    Time,
    Money,
    Phone,
    Text,
    OneOf,
    Card,
}

impl From<Written> for Expect {
    fn from(written: Written) -> Expect {
        let Written {
            kind,
            min,
            max,
            currency,
            values,
        } = written;
        // A float cast saturates; what is out of range is put into range where it is used.
        let count = |bound: Option<f64>| bound.map(|bound| bound as u32);
        match kind {
            Kind::Digits => Expect::Digits {
                min: count(min),
                max: count(max),
            },
            Kind::YesNo => Expect::YesNo,
            Kind::Number => Expect::Number { min, max },
            Kind::Date => Expect::Date,
            Kind::Time => Expect::Time,
            Kind::Money => Expect::Money { currency },
            Kind::Phone => Expect::Phone,
            Kind::Text => Expect::Text,
            Kind::OneOf => Expect::OneOf { values },
            Kind::Card => Expect::Card,
        }
    }
}

/// What the operator may configure.
#[derive(Deserialize)]
struct Config {
    /// ISO 4217: the currency of amounts.
    currency: Option<String>,
}

impl Expect {
    /// What may be chosen; nothing for kinds that are typed.
    pub fn choices(&self, language: &str) -> Vec<Choice> {
        match self {
            Expect::YesNo => YesNo::choices(language),
            Expect::OneOf { values } => {
                let numbered = (1..).zip(values);
                numbered
                    .map(|(place, value): (u32, _)| {
                        choice(&place.to_string(), value, &[value.as_str()])
                    })
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// The entry of digits, if this kind has one.
    pub fn digits(&self, end_key: &str) -> Option<Digits> {
        let (min, max) = match self {
            Expect::Digits { min, max } => (min.unwrap_or(1), max.unwrap_or(MAX_DIGITS)),
            Expect::Number { max, .. } => (1, whole_digits(*max)),
            Expect::Date => (8, 8),
            Expect::Time => (3, 4),
            Expect::Money { .. } => (1, 12),
            Expect::Phone => PHONE,
            Expect::Card => CARD,
            Expect::YesNo | Expect::Text | Expect::OneOf { .. } => return None,
        };
        let end_key = (!end_key.is_empty()).then(|| end_key.to_owned());
        Some(Digits {
            min: min.max(1),
            max: max.clamp(1, MAX_DIGITS),
            end_key,
        })
    }

    /// Whether what a chat's contact writes is an answer, beyond bare digits and choices.
    pub fn is_written(&self) -> bool {
        !matches!(
            self,
            Expect::Digits { .. } | Expect::YesNo | Expect::OneOf { .. } | Expect::Card
        )
    }

    /// Whether the answer is typed, not chosen.
    pub fn is_typed(&self) -> bool {
        !matches!(self, Expect::YesNo | Expect::OneOf { .. })
    }

    /// Whether nobody may read the answer, whatever the flow says.
    pub fn is_always_secret(&self) -> bool {
        matches!(self, Expect::Card)
    }

    /// The currency that amounts are asked for in: the flow's, else the operator's.
    /// Fails with `no-currency` when amounts are asked for and neither said one.
    pub fn currency(&self) -> Result<Option<String>, Failure> {
        let Expect::Money { currency } = self else {
            return Ok(None);
        };
        let currency = match currency {
            Some(currency) => Some(currency.clone()),
            None => env::config::<Config>()?.currency,
        };
        let message = "`expect: money` needs a currency: set `currency` in the configuration of plugin `std`, \
                       for instance to \"CNY\"";
        currency
            .map(Some)
            .ok_or_else(|| Failure::new("no-currency", message))
    }

    /// The value of what was heard; `None` when it does not fit.
    pub fn read(&self, heard: &Heard, currency: Option<&str>) -> Result<Option<Value>, Failure> {
        if let (Expect::Card, Heard::Secret(secret)) = (self, heard) {
            let fits = (CARD.0..=CARD.1).contains(&secret.length) && media::is_card_number(secret)?;
            return Ok(fits.then(|| secret.to_value()));
        }
        Ok(self.value(heard, currency))
    }

    fn value(&self, heard: &Heard, currency: Option<&str>) -> Option<Value> {
        match heard {
            Heard::Choice(key) => match self {
                Expect::YesNo => Some(json!(YesNo::is_yes(key))),
                Expect::OneOf { values } => {
                    let place: usize = key.parse().ok()?;
                    values.get(place.checked_sub(1)?).map(|value| json!(value))
                }
                _ => None,
            },
            Heard::Digits(entry) | Heard::Text(entry) => {
                self.parse(&answer::plain(entry), currency)
            }
            Heard::Secret(secret) => Some(secret.to_value()),
            Heard::Unmatched(_) | Heard::Nothing => None,
        }
    }

    fn parse(&self, entry: &str, currency: Option<&str>) -> Option<Value> {
        match self {
            // The engine has counted them.
            Expect::Digits { .. } => Some(json!(entry)),
            Expect::Number { min, max } => {
                let number = answer::number(entry)?;
                let fits =
                    min.is_none_or(|min| number >= min) && max.is_none_or(|max| number <= max);
                fits.then(|| answer::json_number(number))
            }
            Expect::Date => answer::date(entry).map(|date| json!(date)),
            Expect::Time => answer::time(entry).map(|time| json!(time)),
            Expect::Money { .. } => {
                // Another currency than the flow asks for would fail in its first sum.
                let asked = currency?;
                let (amount, named) = answer::money(entry, asked)?;
                (named == asked).then(|| json!({ "amount": amount, "currency": asked }))
            }
            Expect::Phone => answer::phone(entry, PHONE).map(|phone| json!(phone)),
            Expect::Text => (!entry.is_empty()).then(|| json!(entry)),
            Expect::YesNo | Expect::OneOf { .. } | Expect::Card => None,
        }
    }
}

/// How many digits the largest whole number of a range has.
fn whole_digits(max: Option<f64>) -> u32 {
    match max {
        Some(max) if max >= 1.0 => (max.log10().floor() as u32 + 1).min(MAX_NUMBER_DIGITS),
        Some(_) => 1,
        None => MAX_NUMBER_DIGITS,
    }
}
