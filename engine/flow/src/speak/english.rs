//! English words. Numbers have no "and" in them, so that an "and" is always between two things.

use jiff::civil::{Date, Time};

use super::currency;
use super::decimal::Decimal;
use super::figures::parts;
use crate::value::Money;

const ONES: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];

const TENS: [&str; 10] = [
    "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
];

/// Thousands and their powers; the largest number of 64 bits is eighteen quintillion.
const THOUSANDS: [&str; 7] = [
    "",
    "thousand",
    "million",
    "billion",
    "trillion",
    "quadrillion",
    "quintillion",
];

const ORDINALS: [(&str, &str); 7] = [
    ("one", "first"),
    ("two", "second"),
    ("three", "third"),
    ("five", "fifth"),
    ("eight", "eighth"),
    ("nine", "ninth"),
    ("twelve", "twelfth"),
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// 110: "one hundred ten".
pub(super) fn cardinal(number: u64) -> String {
    if number == 0 {
        return ONES[0].to_owned();
    }
    let mut groups = Vec::new();
    let mut rest = number;
    for name in THOUSANDS {
        let group = below_thousand(rest % 1000);
        if !group.is_empty() {
            groups.push(if name.is_empty() {
                group
            } else {
                format!("{group} {name}")
            });
        }
        rest /= 1000;
    }
    groups.reverse();
    groups.join(" ")
}

fn below_thousand(number: u64) -> String {
    let mut words = Vec::new();
    if number >= 100 {
        words.push(format!("{} hundred", ONES[(number / 100) as usize]));
    }
    match (number % 100) as usize {
        0 => {}
        small @ ..20 => words.push(ONES[small].to_owned()),
        tens if tens % 10 == 0 => words.push(TENS[tens / 10].to_owned()),
        both => words.push(format!("{}-{}", TENS[both / 10], ONES[both % 10])),
    }
    words.join(" ")
}

/// -2.5: "minus two point five".
pub(super) fn number(number: &Decimal) -> String {
    let sign = if number.negative { "minus " } else { "" };
    let whole = cardinal(number.whole);
    if number.fraction.is_empty() {
        return format!("{sign}{whole}");
    }
    let digits: Vec<&str> = number
        .fraction
        .bytes()
        .map(|digit| ONES[usize::from(digit - b'0')])
        .collect();
    format!("{sign}{whole} point {}", digits.join(" "))
}

/// 21: "twenty-first".
pub(super) fn ordinal(number: u64) -> String {
    let words = cardinal(number);
    let start = words.rfind([' ', '-']).map_or(0, |place| place + 1);
    let (before, last) = words.split_at(start);
    if let Some((_, ordinal)) = ORDINALS.iter().find(|(cardinal, _)| *cardinal == last) {
        return format!("{before}{ordinal}");
    }
    match last.strip_suffix('y') {
        Some(stem) => format!("{before}{stem}ieth"),
        None => format!("{before}{last}th"),
    }
}

/// 199.50 CNY: "one hundred ninety-nine yuan and fifty fen", as dollars and cents are. Shop assistants leave the
/// last word out; on a telephone line "ninety-nine yuan ninety-five" is too easily heard as another number.
pub(super) fn money(money: &Money) -> Result<String, String> {
    let amount = Decimal::of_units(money.amount, money.decimals());
    let Some(currency) = currency::named(&money.currency) else {
        return Ok(format!("{} {}", number(&amount), spaced(&money.currency)));
    };
    let sign = if amount.negative { "minus " } else { "" };
    let counted = |count: u64, (one, many): (&str, &str)| {
        format!(
            "{} {}",
            cardinal(count),
            if count == 1 { one } else { many }
        )
    };
    let part = money.amount.unsigned_abs() % money.units();
    let whole = counted(amount.whole, currency.english);
    Ok(if part == 0 {
        format!("{sign}{whole}")
    } else if amount.whole == 0 {
        format!("{sign}{}", counted(part, currency.english_part))
    } else {
        format!("{sign}{whole} and {}", counted(part, currency.english_part))
    })
}

/// "March 5, 2026": no synthesiser reads it wrong, and no reader takes it for the third of May.
pub(super) fn date(date: Date) -> String {
    let month = MONTHS[usize::from(date.month().unsigned_abs()) - 1];
    match date.year() {
        year @ 1.. => format!("{month} {}, {year}", date.day()),
        // The year before 1 is 1 BC.
        year => format!("{month} {}, {} BC", date.day(), 1 - i32::from(year)),
    }
}

/// 15:05: "three oh five PM". Seconds are left out.
pub(super) fn time(time: Time) -> String {
    let (hour, minute) = (time.hour().unsigned_abs(), time.minute().unsigned_abs());
    let half = if hour < 12 { "AM" } else { "PM" };
    let on_dial = ONES[usize::from(if hour % 12 == 0 { 12 } else { hour % 12 })];
    match (hour, minute) {
        (0, 0) => "midnight".to_owned(),
        (12, 0) => "noon".to_owned(),
        (_, 0) => format!("{on_dial} {half}"),
        (_, 1..10) => format!("{on_dial} oh {} {half}", ONES[usize::from(minute)]),
        _ => format!("{on_dial} {} {half}", cardinal(minute.into())),
    }
}

/// 90,000 ms: "one minute and thirty seconds".
pub(super) fn duration(ms: i64) -> String {
    let names = ["day", "hour", "minute", "second", "millisecond"];
    let mut said: Vec<String> = Vec::new();
    for (count, name) in parts(ms).into_iter().zip(names) {
        if count > 0 {
            said.push(format!(
                "{} {name}{}",
                cardinal(count),
                if count == 1 { "" } else { "s" }
            ));
        }
    }
    let sign = if ms < 0 { "minus " } else { "" };
    match said.split_last() {
        None => "zero seconds".to_owned(),
        Some((last, [])) => format!("{sign}{last}"),
        Some((last, others)) => format!("{sign}{} and {last}", others.join(", ")),
    }
}

/// The characters with spaces between.
pub(super) fn spaced(text: &str) -> String {
    let characters: Vec<String> = text.chars().map(String::from).collect();
    characters.join(" ")
}
