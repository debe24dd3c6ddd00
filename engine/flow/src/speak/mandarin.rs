//! Mandarin words, in simplified characters.
//!
//! Two is 两 before what is counted (两元, 两分钟) and at the head of a number before 千, 万 and 亿 (两万);
//! it is 二 everywhere else (十二, 二百, 一万二千, 第二).

use jiff::civil::{Date, Time};

use super::currency;
use super::decimal::Decimal;
use super::figures::parts;
use crate::value::Money;

const DIGITS: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];

/// 110: 一百一十; 20000: 两万.
pub(super) fn cardinal(number: u64) -> String {
    let words = plain_cardinal(number);
    match words.strip_prefix('二') {
        Some(rest) if rest.starts_with(['千', '万', '亿']) => format!("两{rest}"),
        _ => words,
    }
}

/// As [`cardinal`], but two is always 二: what stands after 第.
pub(super) fn plain_cardinal(number: u64) -> String {
    if number == 0 {
        return DIGITS[0].to_owned();
    }
    let words = positive(number);
    // Ten is 十 at the head and 一十 inside: 十一, but 一百一十一.
    match words.strip_prefix("一十") {
        Some(rest) => format!("十{rest}"),
        None => words,
    }
}

/// Groups of four digits, 亿 and 万; 零 stands once for the zeros between two digits, not for those at the
/// end of a group.
fn positive(number: u64) -> String {
    const YI: u64 = 100_000_000;
    const WAN: u64 = 10_000;
    for (size, name, zeros_below) in [(YI, "亿", YI / 10), (WAN, "万", WAN / 10)] {
        if number >= size {
            let (head, rest) = (number / size, number % size);
            let zero = if rest > 0 && rest < zeros_below {
                DIGITS[0]
            } else {
                ""
            };
            let tail = if rest > 0 {
                positive(rest)
            } else {
                String::new()
            };
            return format!("{}{name}{zero}{tail}", positive(head));
        }
    }
    let mut words = String::new();
    let mut zero = false;
    for (size, name) in [(1000, "千"), (100, "百"), (10, "十"), (1, "")] {
        let digit = (number / size % 10) as usize;
        if digit == 0 {
            zero = !words.is_empty();
        } else {
            if zero {
                words.push_str(DIGITS[0]);
            }
            zero = false;
            words.push_str(DIGITS[digit]);
            words.push_str(name);
        }
    }
    words
}

/// How many of something: 两, not 二.
fn counted(number: u64) -> String {
    if number == 2 {
        "两".to_owned()
    } else {
        cardinal(number)
    }
}

/// The digits one by one: 二零二六.
pub(super) fn digit_by_digit(digits: &str) -> String {
    let digit = |c: char| {
        c.to_digit(10)
            .map_or_else(|| c.to_string(), |digit| DIGITS[digit as usize].to_owned())
    };
    digits.chars().map(digit).collect()
}

/// -2.5: 负二点五.
pub(super) fn number(number: &Decimal) -> String {
    let sign = if number.negative { "负" } else { "" };
    let whole = cardinal(number.whole);
    if number.fraction.is_empty() {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}点{}", digit_by_digit(&number.fraction))
}

/// 15: 百分之十五.
pub(super) fn percent(percent: &Decimal) -> String {
    let size = Decimal {
        negative: false,
        ..percent.clone()
    };
    format!(
        "{}百分之{}",
        if percent.negative { "负" } else { "" },
        number(&size)
    )
}

/// 199.50 CNY: 一百九十九元五角; 199.05 CNY: 一百九十九元零五分.
pub(super) fn money(money: &Money) -> Result<String, String> {
    let amount = Decimal::of_units(money.amount, money.decimals());
    let Some(currency) = currency::named(&money.currency) else {
        return Ok(format!(
            "{} {}",
            number(&amount),
            super::english::spaced(&money.currency)
        ));
    };
    let sign = if amount.negative { "负" } else { "" };
    let part = money.amount.unsigned_abs() % money.units();
    let mut said = String::from(sign);
    if amount.whole > 0 || part == 0 {
        said.push_str(&counted(amount.whole));
        said.push_str(currency.mandarin);
    }
    let leads = amount.whole == 0;
    let small = |count: u64, leads: bool| {
        if leads {
            counted(count)
        } else {
            cardinal(count)
        }
    };
    if part > 0 && !currency.mandarin_part.is_empty() {
        said.push_str(if !leads && part < 10 { DIGITS[0] } else { "" });
        said.push_str(&small(part, leads));
        said.push_str(currency.mandarin_part);
    } else if part > 0 {
        let (jiao, fen) = (part / 10, part % 10);
        if jiao > 0 {
            said.push_str(&small(jiao, leads));
            said.push('角');
        } else if !leads {
            said.push_str(DIGITS[0]);
        }
        if fen > 0 {
            said.push_str(&small(fen, leads && jiao == 0));
            said.push('分');
        }
    }
    Ok(said)
}

/// 二零二六年三月五日.
pub(super) fn date(date: Date) -> String {
    let (era, year) = match i32::from(date.year()) {
        year @ 1.. => ("", year),
        year => ("公元前", 1 - year),
    };
    let year = digit_by_digit(&year.to_string());
    let month = plain_cardinal(date.month().unsigned_abs().into());
    let day = plain_cardinal(date.day().unsigned_abs().into());
    format!("{era}{year}年{month}月{day}日")
}

/// 15:05: 下午三点零五分. Seconds are left out.
pub(super) fn time(time: Time) -> String {
    let (hour, minute) = (time.hour().unsigned_abs(), time.minute().unsigned_abs());
    let part_of_day = match hour {
        0..5 => "凌晨",
        5..12 => "上午",
        12 => "中午",
        13..18 => "下午",
        _ => "晚上",
    };
    let on_dial = counted(u64::from(if hour > 12 { hour - 12 } else { hour }));
    match minute {
        0 => format!("{part_of_day}{on_dial}点"),
        1..10 => format!(
            "{part_of_day}{on_dial}点零{}分",
            DIGITS[usize::from(minute)]
        ),
        _ => format!("{part_of_day}{on_dial}点{}分", cardinal(minute.into())),
    }
}

/// 90,000 ms: 一分钟三十秒.
pub(super) fn duration(ms: i64) -> String {
    let names = ["天", "小时", "分钟", "秒", "毫秒"];
    let mut said = String::new();
    for (count, name) in parts(ms).into_iter().zip(names) {
        if count > 0 {
            said.push_str(&counted(count));
            said.push_str(name);
        }
    }
    match (said.is_empty(), ms < 0) {
        (true, _) => "零秒".to_owned(),
        (false, true) => format!("负{said}"),
        (false, false) => said,
    }
}
