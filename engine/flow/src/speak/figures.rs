//! Values in figures: what is read in a chat.

use jiff::civil::{Date, Time};

use super::currency;
use super::decimal::Decimal;
use crate::value::{Money, Value};

/// 1,234.5: groups of three digits, with commas in both languages.
pub(super) fn number(number: &Decimal) -> String {
    let sign = if number.negative { "-" } else { "" };
    let point = if number.fraction.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{}", grouped(number.whole), number.fraction)
}

/// First number that is written with a power of ten: its figures say nothing any more.
pub(super) const POWERS_FROM: f64 = 1e21;

/// The number as it stands in a text without a filter: 12345, 2.5. At most six decimals, as with the filter `number`: `0.1 * 3`
/// is 0.3.
pub(super) fn bare(number: f64) -> String {
    if !number.is_finite() || number.abs() >= POWERS_FROM {
        return format!("{number:e}");
    }
    let written = format!("{number:.6}");
    let figures = written.trim_end_matches('0').trim_end_matches('.');
    // Zero below zero is a leftover of arithmetic.
    match figures {
        "-0" => "0".to_owned(),
        figures => figures.to_owned(),
    }
}

/// ¥199.00; the code behind the figures where no symbol is known.
pub(super) fn money(money: &Money) -> String {
    let amount = Decimal::of_units(money.amount, money.decimals());
    let sign = if amount.negative { "-" } else { "" };
    let decimals = money.decimals() as usize;
    let point = if decimals == 0 { "" } else { "." };
    let figures = format!(
        "{}{point}{:0<decimals$}",
        grouped(amount.whole),
        amount.fraction
    );
    match currency::named(&money.currency) {
        Some(currency) => format!("{sign}{}{figures}", currency.symbol),
        None => format!("{sign}{figures} {}", money.currency),
    }
}

/// 1st, 2nd, 3rd, 11th.
pub(super) fn english_ordinal(number: u64) -> String {
    let ending = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{}{ending}", grouped(number))
}

/// 2026年3月5日.
pub(super) fn chinese_date(date: Date) -> String {
    let (era, year) = match i32::from(date.year()) {
        year @ 1.. => ("", year),
        year => ("公元前", 1 - year),
    };
    format!("{era}{year}年{}月{}日", date.month(), date.day())
}

/// 3:05 PM; noon and midnight by name, since 12:00 PM is read both ways.
pub(super) fn english_time(time: Time) -> String {
    let (hour, minute) = (time.hour(), time.minute());
    let half = if hour < 12 { "AM" } else { "PM" };
    let on_dial = if hour % 12 == 0 { 12 } else { hour % 12 };
    match (hour, minute) {
        (0, 0) => "midnight".to_owned(),
        (12, 0) => "noon".to_owned(),
        _ => format!("{on_dial}:{minute:02} {half}"),
    }
}

/// 15:05.
pub(super) fn chinese_time(time: Time) -> String {
    format!("{:02}:{:02}", time.hour(), time.minute())
}

/// 1 h 30 min.
pub(super) fn english_duration(ms: i64) -> String {
    counted(ms, [" d", " h", " min", " s", " ms"], " ", "0 s")
}

/// 1小时30分钟.
pub(super) fn chinese_duration(ms: i64) -> String {
    counted(ms, ["天", "小时", "分钟", "秒", "毫秒"], "", "0秒")
}

fn counted(ms: i64, names: [&str; 5], between: &str, nothing: &str) -> String {
    let parts = parts(ms)
        .into_iter()
        .zip(names)
        .filter(|(count, _)| *count > 0);
    let written: Vec<String> = parts
        .map(|(count, name)| format!("{count}{name}"))
        .collect();
    if written.is_empty() {
        return nothing.to_owned();
    }
    format!("{}{}", if ms < 0 { "-" } else { "" }, written.join(between))
}

/// Days, hours, minutes, seconds, milliseconds of a duration without its sign. From one second up it is
/// rounded to the nearest second: nobody says milliseconds of a minute.
pub(super) fn parts(ms: i64) -> [u64; 5] {
    let size = ms.unsigned_abs();
    if size < 1000 {
        return [0, 0, 0, 0, size];
    }
    let seconds = size / 1000 + u64::from(size % 1000 >= 500);
    [
        seconds / 86_400,
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60,
        0,
    ]
}

/// A typed value in a language that has no words here: ISO figures.
pub(super) fn language_neutral(value: &Value) -> String {
    match value {
        Value::Date(date) => date.to_string(),
        Value::Time(time) => chinese_time(*time),
        Value::DateTime(moment) => format!("{} {}", moment.date(), chinese_time(moment.time())),
        Value::Duration(ms) => english_duration(*ms),
        Value::Money(money) => format!(
            "{} {}",
            number(&Decimal::of_units(money.amount, money.decimals())),
            money.currency
        ),
        Value::Phone(number) => number.clone(),
        _ => String::new(),
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut written = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    written
}
