//! How long the values of a type take to say, at most.

use std::sync::OnceLock;

use jiff::civil::{Date, Time};

use super::{Language, currency, say_as, speech_ms};
use crate::value::{Locale, Money, Value};

/// The styles whose values are bounded.
const STYLES: [&str; 12] = [
    "number", "percent", "ordinal", "digits", "money", "date", "time", "datetime", "duration",
    "last4", "figures", "phone",
];

/// Longest telephone number, with its plus. Characters; ITU-T E.164 §6.2.1 has 15 digits.
const LONGEST_PHONE: &str = "+777777777777777";

/// Longest whole number that is said: every group of it has all its words. Seven and three are the longest digits.
const LONGEST_WHOLE: f64 = 777_373_373_373_373.0;

/// Longest decimals that are said.
const LONGEST_FRACTION: f64 = 0.373_373;

/// Longest number of which digits are said, and longest power of ten.
const LONGEST_LARGE: [f64; 2] = [777_777_777_777_777_777_777.0, 7.373_373e277];

/// Longest figures of a number without a filter.
const LONGEST_FIGURES: &str = "-999999999999999999999.999999";

/// Per language, English first, the bounds of [`STYLES`]: some take longer to find than a flow takes to check.
static LONGEST: [[OnceLock<u64>; STYLES.len()]; 2] =
    [const { [const { OnceLock::new() }; STYLES.len()] }; 2];

/// Longest time, in milliseconds, that a value takes to say in a style: the name of a say-as filter, or `figures` for a number
/// without one, or `digits` for those of a number, or `phone` for a telephone number. `None` for styles whose values may be as long as one likes. In a language without
/// words here the values that are said at all are figures, which are no longer than English words.
pub fn longest_ms(style: &str, language: &str) -> Option<u64> {
    let place = STYLES.iter().position(|known| *known == style)?;
    let (index, language) = match Language::of(language) {
        Some(Language::Mandarin) => (1, "zh"),
        _ => (0, "en"),
    };
    Some(*LONGEST[index][place].get_or_init(|| longest(style, language)))
}

fn longest(style: &str, language: &str) -> u64 {
    let most = |values: &mut dyn Iterator<Item = Value>| {
        values
            .map(|value| measured(&value, style, language))
            .max()
            .unwrap_or(0)
    };
    match style {
        "number" | "percent" => [-LONGEST_WHOLE, -LONGEST_FRACTION]
            .into_iter()
            .map(|number| measured(&Value::Number(number), style, language))
            .sum(),
        "digits" => most(&mut LONGEST_LARGE.into_iter().map(Value::Number)),
        // What is too large for words is figures.
        "ordinal" => most(
            &mut [LONGEST_WHOLE, LONGEST_LARGE[0]]
                .into_iter()
                .map(Value::Number),
        ),
        "money" => most(&mut amounts()),
        "date" => most(&mut dates().map(Value::Date)),
        "time" => most(&mut times().map(Value::Time)),
        "datetime" => {
            let between = speech_ms(" at ");
            longest("date", language) + between + longest("time", language)
        }
        "duration" => most(&mut durations()),
        // Signs are read by their names.
        "last4" => most(
            &mut ["7777", "WWWW", "&&&&", "%%%%", "____"]
                .map(|text| Value::Text(text.into()))
                .into_iter(),
        ),
        "figures" => speech_ms(LONGEST_FIGURES),
        "phone" => measured(&Value::Phone(LONGEST_PHONE.into()), "phone", language),
        _ => 0,
    }
}

fn measured(value: &Value, style: &str, language: &str) -> u64 {
    let locale = Locale {
        language: language.to_owned(),
        spoken: true,
    };
    say_as(value, style, &locale).map_or(0, |words| speech_ms(&words))
}

/// Amounts of every number of digits in every currency; those that are too large to say are no words.
fn amounts() -> impl Iterator<Item = Value> {
    let figures = |digits: usize| -> Option<i64> {
        let written: String = "-773"
            .chars()
            .chain("373".chars().cycle())
            .take(digits)
            .collect();
        written.parse().ok()
    };
    let amounts: Vec<i64> = (2..=20).filter_map(figures).collect();
    let codes = currency::codes().chain(["XXX"]);
    codes.flat_map(move |code| {
        amounts.clone().into_iter().map(move |amount| {
            Value::Money(Money {
                amount,
                currency: code.to_owned(),
            })
        })
    })
}

/// Every day of a year whose number is long, before and after the beginning of the count.
fn dates() -> impl Iterator<Item = Date> {
    let days = |year: i16| {
        let first = Date::new(year, 1, 1).ok();
        first.into_iter().flat_map(move |first| {
            first
                .series(jiff::Span::new().days(1))
                .take_while(move |day| day.year() == year)
        })
    };
    days(7777).chain(days(-7777))
}

fn times() -> impl Iterator<Item = Time> {
    (0..24).flat_map(|hour| (0..60).filter_map(move |minute| Time::new(hour, minute, 0, 0).ok()))
}

/// Durations whose every part has long words.
fn durations() -> impl Iterator<Item = Value> {
    const DAY_S: i64 = 86_400;
    let days = [77_373_373_373, 0];
    let rest = [23 * 3_600 + 37 * 60 + 37, 17 * 3_600 + 17 * 60 + 17];
    let seconds = days
        .into_iter()
        .flat_map(move |days| rest.map(|rest| -(days * DAY_S + rest)));
    seconds.map(|seconds| Value::Duration(seconds * 1_000))
}
