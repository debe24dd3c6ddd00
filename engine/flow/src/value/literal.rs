//! Values as they are written in a flow.

use std::str::FromStr;

use super::{Money, Type, Value};
use crate::check::suggest::shown;
use crate::diagnostic::{Text, text};

/// The units of a written duration in milliseconds, longest first.
pub(crate) const UNITS: [(&str, i64); 4] =
    [("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Longest duration that can be written, in milliseconds: a year of 366 days. Anything longer in a call
/// centre's flow is a slip of the pen.
pub const MAX_DURATION_MS: i64 = 366 * 24 * 3_600_000;

/// Most characters of a telephone number: 15 digits (E.164) with an access code and an extension.
const MAX_PHONE_DIGITS: usize = 32;

/// Reads a scalar of a flow as a value of a type.
///
/// `number` takes `42` and `-2.5`; `bool` only `true` and `false`; `date` `2026-03-05`; `time` `09:30`
/// or `09:30:15`; `datetime` `2026-03-05T09:30+08:00`, with a zone in brackets if need be; `duration`
/// `250ms`, `5s`, `3m`, `1h30m`; `money` `199.00 CNY`; `phone` digits with `+`, spaces and hyphens.
///
/// # Errors
///
/// One sentence that says what is wrong and how the value is written.
pub fn parse_literal(text: &str, ty: &Type) -> Result<Value, Text> {
    match ty {
        Type::Any | Type::Text => Ok(Value::Text(text.to_owned())),
        Type::None if text == "none" => Ok(Value::None),
        Type::None => Err(text!(
            "`{text}` stands where only `none` can",
            "`{text}` 所在之处只能是 `none`"
        )),
        Type::Optional(_) if text == "none" => Ok(Value::None),
        Type::Optional(inner) => parse_literal(text, inner),
        Type::OneOf(texts) if texts.iter().any(|one| one == text) => {
            Ok(Value::Text(text.to_owned()))
        }
        Type::OneOf(texts) => {
            let texts = shown(texts);
            Err(text!(
                "`{text}` is not one of {texts}",
                "`{text}` 不是 {texts} 之一";
                texts,
            ))
        }
        Type::Bool => match text {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ => Err(text!(
                "`{text}` is not a bool: write `true` or `false`",
                "`{text}` 不是真假值：请写 `true` 或 `false`"
            )),
        },
        Type::Number => number(text).map(Value::Number),
        Type::Date => date(text).map(Value::Date),
        Type::Time => time(text).map(Value::Time),
        Type::DateTime => datetime(text).map(Value::DateTime),
        Type::Duration => duration(text).map(Value::Duration),
        Type::Money => money(text).map(Value::Money),
        Type::Phone => phone(text).map(Value::Phone),
        Type::List(_) => Err(text!(
            "`{text}` is not a list: write `[{text}]`, or one `- item` a line",
            "`{text}` 不是列表：请写 `[{text}]`，或每行一个 `- 项`"
        )),
        Type::Object { .. } => Err(text!(
            "`{text}` is not an object: write `name: value` lines",
            "`{text}` 不是对象：请写 `名字: 值` 的行"
        )),
        Type::Secret => Err(Text::fixed(
            "a secret is never written in a flow; it comes from the caller",
            "机密从不写在流程里，它来自来电者",
        )),
    }
}

impl Value {
    /// The value as a flow writes it, and as [`parse_literal`] reads it: the same in every language and
    /// on every channel. Texts are themselves; the items of a list have commas between them.
    ///
    /// `None` for `none`, objects and secrets, and for lists that hold one: no scalar stands for them.
    pub fn to_literal(&self) -> Option<String> {
        Some(match self {
            Value::None | Value::Object(_) | Value::Secret(_) => return None,
            Value::Bool(bool) => bool.to_string(),
            Value::Number(number) => written_number(*number),
            Value::Text(text) | Value::Phone(text) => text.clone(),
            Value::Date(date) => date.to_string(),
            Value::Time(time) => time.to_string(),
            Value::DateTime(moment) => moment
                .timestamp()
                .display_with_offset(moment.offset())
                .to_string(),
            Value::Duration(ms) => written_duration(*ms),
            Value::Money(money) => written_money(money),
            Value::List(items) => {
                let items: Option<Vec<String>> = items.iter().map(Value::to_literal).collect();
                items?.join(", ")
            }
        })
    }
}

/// `42`, `2.5`. A fraction has 15 digits at most, as many as a number keeps whatever is done to it: `0.1 * 3` is 0.3.
fn written_number(number: f64) -> String {
    // Zero below zero is a leftover of arithmetic.
    if number == 0.0 {
        return "0".to_owned();
    }
    if number.fract() == 0.0 {
        return number.to_string();
    }
    let rounded = format!("{number:.14e}").parse().unwrap_or(number);
    rounded.to_string()
}

/// `1h30m`; a duration below zero has a minus before it, which no flow may write.
fn written_duration(ms: i64) -> String {
    let mut written = String::from(if ms < 0 { "-" } else { "" });
    let mut rest = ms.unsigned_abs();
    for (name, size) in UNITS {
        let size = size.unsigned_abs();
        if rest >= size {
            written.push_str(&format!("{}{name}", rest / size));
            rest %= size;
        }
    }
    if ms == 0 { "0s".to_owned() } else { written }
}

/// `199.00 CNY`.
fn written_money(money: &Money) -> String {
    let sign = if money.amount < 0 { "-" } else { "" };
    let (size, units, decimals) = (
        money.amount.unsigned_abs(),
        money.units(),
        money.decimals() as usize,
    );
    let fraction = match decimals {
        0 => String::new(),
        width => format!(".{:0width$}", size % units),
    };
    format!("{sign}{}{fraction} {}", size / units, money.currency)
}

/// A decimal number: digits, at most one sign and one point; no exponent, no separators.
fn number(text: &str) -> Result<f64, Text> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    if !all_digits(whole) || !all_digits(fraction) {
        return Err(text!(
            "`{text}` is not a number: write `42` or `2.5`",
            "`{text}` 不是数字：请写 `42` 或 `2.5`"
        ));
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => Err(text!(
            "`{text}` is too large for a number",
            "`{text}` 作为数字太大"
        )),
    }
}

/// A day: `2026-03-05`.
pub(crate) fn date(text: &str) -> Result<jiff::civil::Date, Text> {
    if !has_shape(text, "0000-00-00") {
        return Err(text!(
            "`{text}` is not a date: write year-month-day, as in `2026-03-05`",
            "`{text}` 不是日期：请写年-月-日，例如 `2026-03-05`"
        ));
    }
    jiff::civil::Date::from_str(text).map_err(|_| {
        text!(
            "there is no day `{text}` in the calendar",
            "日历上没有 `{text}` 这一天"
        )
    })
}

/// A time of day: `09:30`, `09:30:15`.
pub(crate) fn time(text: &str) -> Result<jiff::civil::Time, Text> {
    if !has_shape(text, "00:00") && !has_shape(text, "00:00:00") {
        return Err(text!(
            "`{text}` is not a time: write hours and minutes, as in `09:30`",
            "`{text}` 不是时刻：请写小时和分钟，例如 `09:30`"
        ));
    }
    // 60 would be read as a leap second, of which the clock on the wall knows nothing.
    let fields: Vec<i8> = text
        .split(':')
        .filter_map(|field| field.parse().ok())
        .collect();
    let second = fields.get(2).copied().unwrap_or(0);
    jiff::civil::Time::new(fields[0], fields[1], second, 0).map_err(|_| {
        text!(
            "there is no time `{text}`: hours go to 23, minutes and seconds to 59",
            "没有时刻 `{text}`：小时到 23，分和秒到 59"
        )
    })
}

/// A moment: `2026-03-05T09:30+08:00`, `2026-03-05T01:30Z`, or with a zone in brackets.
pub(crate) fn datetime(text: &str) -> Result<jiff::Zoned, Text> {
    let wrong = || {
        text!(
            "`{text}` is not a moment: write `2026-03-05T09:30+08:00`, with the zone's offset",
            "`{text}` 不是日期时间：请写 `2026-03-05T09:30+08:00`，带上时区偏移"
        )
    };
    if text.contains('[') {
        return jiff::Zoned::from_str(text).map_err(|_| wrong());
    }
    let pieces = jiff::fmt::temporal::Pieces::parse(text).map_err(|_| wrong())?;
    let offset = pieces
        .to_numeric_offset()
        .or_else(|| text.ends_with(['Z', 'z']).then_some(jiff::tz::Offset::UTC));
    let (Some(time), Some(offset)) = (pieces.time(), offset) else {
        return Err(wrong());
    };
    let moment = pieces
        .date()
        .to_datetime(time)
        .to_zoned(jiff::tz::TimeZone::fixed(offset));
    moment.map_err(|_| wrong())
}

/// Milliseconds: `250ms`, `5s`, `3m`, `1h30m`; the units in this order, each at most once.
fn duration(text: &str) -> Result<i64, Text> {
    let how = Text::fixed(
        "`250ms`, `5s`, `3m` or `1h30m`",
        "`250ms`、`5s`、`3m` 或 `1h30m`",
    );
    if text.is_empty() {
        return Err(text!(
            "a duration is missing: write {how}",
            "缺少时长：请写 {how}";
            how,
        ));
    }
    if all_digits(text) {
        return Err(text!(
            "`{text}` has no unit: write `{text}s` for seconds or `{text}ms` for milliseconds",
            "`{text}` 没有单位：秒写 `{text}s`，毫秒写 `{text}ms`"
        ));
    }
    let mut rest = text;
    let mut total: i64 = 0;
    let mut next_unit = 0;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (count, after) = rest.split_at(digits);
        let letters = after.len()
            - after
                .trim_start_matches(|c: char| c.is_ascii_alphabetic())
                .len();
        let (unit, after) = after.split_at(letters);
        let place = UNITS
            .iter()
            .skip(next_unit)
            .position(|(name, _)| *name == unit);
        let (Ok(count), Some(place)) = (count.parse::<i64>(), place) else {
            return Err(text!(
                "`{text}` is not a duration: write {how}",
                "`{text}` 不是时长：请写 {how}";
                how,
            ));
        };
        let unit_ms = UNITS[next_unit + place].1;
        total = count
            .checked_mul(unit_ms)
            .and_then(|part| total.checked_add(part))
            .filter(|total| *total <= MAX_DURATION_MS)
            .ok_or_else(|| text!("`{text}` is longer than a year", "`{text}` 超过一年"))?;
        next_unit += place + 1;
        rest = after;
    }
    Ok(total)
}

/// An amount and a currency: `199.00 CNY`.
fn money(text: &str) -> Result<Money, Text> {
    let wrong = || {
        text!(
            "`{text}` is not an amount of money: write `199.00 CNY`",
            "`{text}` 不是金额：请写 `199.00 CNY`"
        )
    };
    let (amount, currency) = text.split_once(' ').ok_or_else(wrong)?;
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(wrong());
    }
    let mut money = Money {
        amount: 0,
        currency: currency.to_owned(),
    };
    let (negative, digits) = match amount.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, amount),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    if !all_digits(whole) || !all_digits(fraction) {
        return Err(wrong());
    }
    let decimals = money.decimals() as usize;
    let given = if digits.contains('.') { fraction } else { "" };
    if given.len() > decimals {
        return Err(text!(
            "`{text}` has more decimals than {currency}, which has {decimals}",
            "`{text}` 的小数位太多：`{currency}` 有 {decimals} 位"
        ));
    }
    let number = format!(
        "{}{whole}{given:0<decimals$}",
        if negative { "-" } else { "" }
    );
    money.amount = number
        .parse()
        .map_err(|_| text!("`{text}` is too large an amount", "`{text}` 金额太大"))?;
    Ok(money)
}

/// A telephone number: an optional `+`, then digits; spaces, hyphens, dots and brackets are left out.
fn phone(text: &str) -> Result<String, Text> {
    let number: String = text
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')'))
        .collect();
    let digits = number.strip_prefix('+').unwrap_or(&number);
    if all_digits(digits) && digits.len() <= MAX_PHONE_DIGITS {
        Ok(number)
    } else {
        Err(text!(
            "`{text}` is not a telephone number: write it as in `+8613800138000`",
            "`{text}` 不是电话号码：请写成 `+8613800138000`"
        ))
    }
}

/// Whether there is at least one character and all are ASCII digits.
pub(crate) fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text has the shape of another, in which `0` stands for any digit.
fn has_shape(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text.bytes().zip(shape.bytes()).all(|(byte, like)| {
            if like == b'0' {
                byte.is_ascii_digit()
            } else {
                byte == like
            }
        })
}
