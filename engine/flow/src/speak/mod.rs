//! Values as people say them, in English and Chinese.
//!
//! Speech engines differ in how they read `2026-03-05`, `12:00` or `110`; so values reach them as words.
//! In a chat the same filters write figures. [`say_as`] is the filters, [`render`] what stands in a text
//! without one, [`choice_phrase`] a menu's line. What comes out holds no markup.

/// Longest text that is spoken in one piece, in characters: about four minutes.
pub const MAX_SPOKEN_CHARS: usize = 4_000;

mod choices;
mod currency;
mod decimal;
mod digits;
mod english;
mod figures;
mod large;
mod longest;
mod mandarin;
pub(crate) mod markup;
mod neutral;
mod pace;

#[cfg(test)]
mod tests;

use crate::value::{self, Locale, Money, Type, Value};

pub use choices::{choice_phrase, key_name};
use decimal::Decimal;
pub use longest::longest_ms;
pub use pace::speech_ms;
pub(crate) use pace::{shortest_ms, usual_ms};

/// The languages that have words here, by their primary subtag.
pub const LANGUAGES: [&str; 2] = ["en", "zh"];

/// A language that has words here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Language {
    English,
    Mandarin,
}

impl Language {
    /// The language of a tag: `zh`, `zh-CN`, `en-GB`.
    fn of(tag: &str) -> Option<Language> {
        let primary = tag.split(['-', '_']).next().unwrap_or(tag);
        if primary.eq_ignore_ascii_case("en") {
            Some(Language::English)
        } else if primary.eq_ignore_ascii_case("zh") {
            Some(Language::Mandarin)
        } else {
            None
        }
    }
}

/// What older programs said of `last4` of an empty text.
pub const TOO_SHORT: &str = "this is too short to say its last four characters";

/// Says a value in a style: the name of one of the say-as filters.
///
/// Beside the types that the filter takes, the values that JSON has for them are read: an ISO date in a
/// text, an object with `amount` and `currency`, a duration as a number of milliseconds.
///
/// # Errors
///
/// One sentence, without the value: the style does not exist or does not fit the value, or the language has
/// no words here.
pub fn say_as(value: &Value, style: &str, locale: &Locale) -> Result<String, String> {
    let said = plain(value, style, locale)?;
    Ok(neutral::neutral(&said, locale))
}

fn plain(value: &Value, style: &str, locale: &Locale) -> Result<String, String> {
    match style {
        // These need no words.
        "upper" => return Ok(characters(value, style)?.to_uppercase()),
        "lower" => return Ok(characters(value, style)?.to_lowercase()),
        _ => {}
    }
    let language = Language::of(&locale.language).ok_or_else(|| {
        format!(
            "there are no words for the language `{}`; there are for en and zh",
            locale.language
        )
    })?;
    let spoken = locale.spoken;
    match style {
        "digits" => match value {
            Value::Number(number) if large::is_large(*number) && *number > 0.0 => {
                large::number(*number, language, spoken)
            }
            value => digits::digits(&characters(value, style)?, language, spoken),
        },
        "spell" => Ok(digits::spell(&characters(value, style)?, language, spoken)),
        "last4" => digits::spell_last_four(value, language, spoken),
        "phone" => Ok(digits::phone(&characters(value, style)?, language, spoken)),
        "number" => {
            let value = number(value, style)?;
            let Some(number) = Decimal::of(value) else {
                return large::number(value, language, spoken);
            };
            Ok(match (spoken, language) {
                (true, Language::English) => english::number(&number),
                (true, Language::Mandarin) => mandarin::number(&number),
                (false, _) => figures::number(&number),
            })
        }
        "percent" => {
            let value = number(value, style)?;
            let Some(number) = Decimal::of(value) else {
                return large::percent(value, language, spoken);
            };
            Ok(match (spoken, language) {
                (true, Language::English) => format!("{} percent", english::number(&number)),
                (true, Language::Mandarin) => mandarin::percent(&number),
                (false, _) => format!("{}%", figures::number(&number)),
            })
        }
        "ordinal" => {
            let value = number(value, style)?;
            if large::is_large(value) && value > 0.0 {
                return large::ordinal(value, language, spoken);
            }
            let Some(whole) = Decimal::of(value).and_then(|number| number.natural()) else {
                return Err("only whole numbers from 0 on have a place in a row".to_owned());
            };
            Ok(match (spoken, language) {
                (true, Language::English) => english::ordinal(whole),
                (true, Language::Mandarin) => format!("第{}", mandarin::plain_cardinal(whole)),
                (false, Language::English) => figures::english_ordinal(whole),
                (false, Language::Mandarin) => format!("第{whole}"),
            })
        }
        "money" => {
            let money = money(value)?;
            match (spoken, language) {
                (true, Language::English) => english::money(&money),
                (true, Language::Mandarin) => mandarin::money(&money),
                (false, _) => Ok(figures::money(&money)),
            }
        }
        "date" => {
            let date = match value {
                Value::Date(date) => *date,
                Value::DateTime(moment) => moment.date(),
                Value::Text(text) => match value::parse_literal(text, &Type::Date) {
                    Ok(Value::Date(date)) => date,
                    _ => moment(value, style)?.date(),
                },
                value => return Err(unfit(value, style)),
            };
            Ok(match (spoken, language) {
                (_, Language::English) => english::date(date),
                (true, Language::Mandarin) => mandarin::date(date),
                (false, Language::Mandarin) => figures::chinese_date(date),
            })
        }
        "time" => {
            let time = match value {
                Value::Time(time) => *time,
                Value::DateTime(moment) => moment.time(),
                Value::Text(text) => match value::parse_literal(text, &Type::Time) {
                    Ok(Value::Time(time)) => time,
                    _ => moment(value, style)?.time(),
                },
                value => return Err(unfit(value, style)),
            };
            Ok(match (spoken, language) {
                (true, Language::English) => english::time(time),
                (true, Language::Mandarin) => mandarin::time(time),
                (false, Language::English) => figures::english_time(time),
                (false, Language::Mandarin) => figures::chinese_time(time),
            })
        }
        "datetime" => {
            let moment = moment(value, style)?;
            let (date, time) = (moment.date(), moment.time());
            Ok(match (spoken, language) {
                (true, Language::English) => {
                    format!("{} at {}", english::date(date), english::time(time))
                }
                (true, Language::Mandarin) => {
                    format!("{}{}", mandarin::date(date), mandarin::time(time))
                }
                (false, Language::English) => {
                    format!("{} at {}", english::date(date), figures::english_time(time))
                }
                (false, Language::Mandarin) => {
                    format!(
                        "{} {}",
                        figures::chinese_date(date),
                        figures::chinese_time(time)
                    )
                }
            })
        }
        "duration" => {
            let ms = match value {
                Value::Duration(ms) => *ms,
                Value::Number(ms) if ms.fract() == 0.0 && ms.abs() < MAX_MS => *ms as i64,
                Value::Text(text) => match value::parse_literal(text, &Type::Duration) {
                    Ok(Value::Duration(ms)) => ms,
                    _ => return Err(unfit(value, style)),
                },
                value => return Err(unfit(value, style)),
            };
            Ok(match (spoken, language) {
                (true, Language::English) => english::duration(ms),
                (true, Language::Mandarin) => mandarin::duration(ms),
                (false, Language::English) => figures::english_duration(ms),
                (false, Language::Mandarin) => figures::chinese_duration(ms),
            })
        }
        "join" => match value {
            Value::List(_) if !value.holds_secret() => Ok(render(value, locale)),
            value => Err(unfit(value, style)),
        },
        _ => Err(format!("there is no way to say something as `{style}`")),
    }
}

/// What a value becomes when it is inserted into a text without a filter.
///
/// Dates, times, amounts, durations and telephone numbers are said as by their filters. Texts stay as
/// they are but for characters that a synthesiser could take for markup; numbers are plain figures,
/// without separators. `none` is nothing, a list is its items with commas between, an object is nothing,
/// and a secret is masked: the checker lets none of the last four come here.
pub fn render(value: &Value, locale: &Locale) -> String {
    let style = match value {
        Value::None | Value::Object(_) => return String::new(),
        Value::Secret(_) => return MASK.to_owned(),
        Value::Bool(bool) => {
            return digits::yes_or_no(*bool, Language::of(&locale.language)).to_owned();
        }
        Value::Number(number) => return figures::bare(*number),
        Value::Text(text) => return neutral::neutral(text, locale),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|item| render(item, locale)).collect();
            return items.join(list_separator(locale));
        }
        Value::Date(_) => "date",
        Value::Time(_) => "time",
        Value::DateTime(_) => "datetime",
        Value::Duration(_) => "duration",
        Value::Money(_) => "money",
        Value::Phone(_) => "phone",
    };
    say_as(value, style, locale).unwrap_or_else(|_| figures::language_neutral(value))
}

/// What stands between the items of a list.
pub fn list_separator(locale: &Locale) -> &'static str {
    match Language::of(&locale.language) {
        Some(Language::Mandarin) => "、",
        _ => ", ",
    }
}

/// Whether the language of a tag has words here.
pub(crate) fn has_words(tag: &str) -> bool {
    Language::of(tag).is_some()
}

/// Whether anything of a text without markup is heard: a letter or a digit.
pub(crate) fn is_heard(text: &str) -> bool {
    text.contains(char::is_alphanumeric)
}

/// What stands for a secret that came where it must not.
const MASK: &str = "••••";

/// A number of milliseconds that is not a duration: 2^53, where whole numbers stop being exact.
const MAX_MS: f64 = 9_007_199_254_740_992.0;

fn characters(value: &Value, style: &str) -> Result<String, String> {
    match value {
        Value::Text(text) | Value::Phone(text) => Ok(text.clone()),
        Value::Number(number) if style == "digits" && number.is_sign_positive() => {
            let whole = Decimal::of(*number).and_then(|number| number.natural());
            whole
                .map(|whole| whole.to_string())
                .ok_or_else(|| unfit(value, style))
        }
        value => Err(unfit(value, style)),
    }
}

fn number(value: &Value, style: &str) -> Result<f64, String> {
    match value {
        Value::Number(number) => Ok(*number),
        Value::Text(text) => match value::parse_literal(text, &Type::Number) {
            Ok(Value::Number(number)) => Ok(number),
            _ => Err(unfit(value, style)),
        },
        value => Err(unfit(value, style)),
    }
}

fn money(value: &Value) -> Result<Money, String> {
    let read = match value {
        Value::Money(money) => return Ok(money.clone()),
        Value::Text(text) => value::parse_literal(text, &Type::Money).ok(),
        Value::Object(_) if !value.holds_secret() => {
            value::from_json(&value.to_json(), &Type::Money).ok()
        }
        _ => None,
    };
    match read {
        Some(Value::Money(money)) => Ok(money),
        _ => Err(unfit(value, "money")),
    }
}

fn moment(value: &Value, style: &str) -> Result<jiff::Zoned, String> {
    let read = match value {
        Value::DateTime(moment) => return Ok(moment.clone()),
        Value::Text(text) => value::parse_literal(text, &Type::DateTime).ok(),
        _ => None,
    };
    match read {
        Some(Value::DateTime(moment)) => Ok(moment),
        _ => Err(unfit(value, style)),
    }
}

fn unfit(value: &Value, style: &str) -> String {
    match value {
        Value::None => format!("a value is missing where `{style}` should say one"),
        Value::Secret(_) => format!("a secret cannot be said as `{style}`"),
        value => {
            let ty = match value {
                Value::Text(_) => "this text".to_owned(),
                value => match Type::of(value) {
                    Type::List(_) => "a list".to_owned(),
                    ty => format!("a value of the type {ty}"),
                },
            };
            format!("{ty} cannot be said as `{style}`")
        }
    }
}
