//! What people type and write, read as values. `None` is "that is none".

use serde_json::{Value, json};

/// A text without outer space, with the digits, signs and spaces of East Asian keyboards made plain.
pub fn plain(text: &str) -> String {
    let plain = text.trim().chars().map(|c| match c {
        '０'..='９' | '：' | '．' | '－' | '＋' | '／' | '，' | '（' | '）' => {
            // Full-width forms lie at a fixed distance from ASCII (Unicode block FF00).
            char::from_u32(c as u32 - 0xFEE0).unwrap_or(c)
        }
        '\u{3000}' => ' ',
        c => c,
    });
    plain.collect()
}

/// A number; spaces and commas between digits do not count.
pub fn number(text: &str) -> Option<f64> {
    let bare: String = text.chars().filter(|c| !matches!(c, ' ' | ',')).collect();
    let (sign, digits) = match bare.strip_prefix('-') {
        Some(digits) => (-1.0, digits),
        None => (1.0, bare.as_str()),
    };
    let well_formed = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let value: f64 = if well_formed {
        digits.parse().ok()?
    } else {
        return None;
    };
    value.is_finite().then_some(sign * value)
}

/// A number as JSON: a whole one without a decimal point.
pub fn json_number(number: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() <= EXACT {
        json!(number as i64)
    } else {
        json!(number)
    }
}

/// A day of the calendar, in ISO 8601: from `20260302`, `2026-3-2`, `2026/03/02` or `2026年3月2日`.
pub fn date(text: &str) -> Option<String> {
    let parts: Vec<u32> = if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        [&text[..4], &text[4..6], &text[6..]]
            .iter()
            .map(|part| part.parse().ok())
            .collect::<Option<_>>()?
    } else {
        let text = text.trim_end_matches(['日', '号']);
        text.split(['-', '/', '.', '年', '月'])
            .map(|part| part.trim().parse().ok())
            .collect::<Option<_>>()?
    };
    let [year, month, day] = parts.try_into().ok()?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    ((1000..=9999).contains(&year) && (1..=days).contains(&day))
        .then(|| format!("{year}-{month:02}-{day:02}"))
}

/// A time of day: from `930`, `0930`, `9:30` or `9点30分`.
pub fn time(text: &str) -> Option<String> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let (hour, minute) = match text.len() {
        3 | 4 if digits => text.split_at(text.len() - 2),
        _ => text.trim_end_matches('分').split_once([':', '点', '时'])?,
    };
    let minute = if minute.is_empty() && !text.contains(':') {
        "0"
    } else {
        minute
    };
    let (hour, minute): (u32, u32) = (hour.trim().parse().ok()?, minute.trim().parse().ok()?);
    (hour < 24 && minute < 60).then(|| format!("{hour:02}:{minute:02}:00"))
}

/// An amount in the smallest unit, and its currency: the one that the text names, else `currency`.
pub fn money(text: &str, currency: &str) -> Option<(i64, String)> {
    let number: String = text
        .chars()
        .filter(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | ' ' | '-'))
        .collect();
    let named: String = text.chars().filter(|c| !number.contains(*c)).collect();
    let currency = match named.to_ascii_uppercase().as_str() {
        "" => currency.to_owned(),
        "元" | "块" | "块钱" | "人民币" | "RMB" => "CNY".to_owned(),
        // Both the yuan and the yen are written so: only the flow's own currency can tell.
        "¥" | "￥" => if currency == "JPY" { "JPY" } else { "CNY" }.to_owned(),
        "$" => if currency.ends_with('D') {
            currency
        } else {
            "USD"
        }
        .to_owned(),
        "€" => "EUR".to_owned(),
        "£" => "GBP".to_owned(),
        code if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase()) => {
            code.to_owned()
        }
        _ => return None,
    };
    let number: String = number.chars().filter(|c| !matches!(c, ' ' | ',')).collect();
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    let decimals = decimals(&currency);
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || fraction.len() > decimals
    {
        return None;
    }
    // Counted in digits, not in floating point: nobody loses a cent.
    format!("{whole}{fraction:0<decimals$}")
        .parse()
        .ok()
        .map(|amount| (amount, currency))
}

/// How many decimals a currency has (ISO 4217).
fn decimals(currency: &str) -> usize {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX"
        | "UYI" | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

/// A telephone number: digits, after a `+` where one was written. Spaces, hyphens, dots and brackets do not count.
pub fn phone(text: &str, (fewest, most): (u32, u32)) -> Option<String> {
    let bare: String = text
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')'))
        .collect();
    let digits = bare.strip_prefix('+').unwrap_or(&bare);
    let fits = (fewest as usize..=most as usize).contains(&digits.len());
    (fits && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(bare)
}
