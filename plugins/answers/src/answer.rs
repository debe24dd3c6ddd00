//! What people type and write, read as values. `None` is "that is none".

use serde_json::{Value, json};

use crate::numerals::{figures, whole};

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

/// A number: from `12`, `-1,234.5`, `十二`, `1.5万` or `负三点五`. Spaces and commas between digits do not count.
pub fn number(text: &str) -> Option<f64> {
    if !grouped(text) {
        return None;
    }
    let bare: String = text.chars().filter(|c| !matches!(c, ' ' | ',')).collect();
    let (sign, digits) = match bare.strip_prefix(['-', '负', '負']) {
        Some(digits) => (-1.0, digits),
        None => (1.0, bare.as_str()),
    };
    let well_formed = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let value: f64 = match well_formed {
        true => digits.parse().ok()?,
        false => figures(digits)?.parse().ok()?,
    };
    value.is_finite().then_some(sign * value)
}

/// Whether commas stand where thousands begin, or nowhere: `1,5` and `12,34` are written for other numbers than 15 and 1234.
fn grouped(text: &str) -> bool {
    let mut numbers = text.split(|c: char| !(c.is_ascii_digit() || matches!(c, ',' | '.' | ' ')));
    numbers.all(|number| {
        let number: String = number.chars().filter(|c| *c != ' ').collect();
        let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
        let mut groups = whole.split(',');
        let first = groups.next().unwrap_or_default();
        let mut rest = groups.peekable();
        let begins = rest.peek().is_none() || (1..=3).contains(&first.len());
        begins && rest.all(|group| group.len() == 3) && !fraction.contains(',')
    })
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

/// A day of the calendar, in ISO 8601: from `20260302`, `2026-3-2`, `2026/03/02`, `2026年3月2日` or `二〇二六年三月二日`.
pub fn date(text: &str) -> Option<String> {
    let parts: Vec<u32> = if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        [&text[..4], &text[4..6], &text[6..]]
            .iter()
            .map(|part| part.parse().ok())
            .collect::<Option<_>>()?
    } else {
        let text = text.trim_end_matches(['日', '号']);
        text.split(['-', '/', '.', '年', '月'])
            .map(|part| u32::try_from(whole(part.trim())?).ok())
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

/// The halves of the day, and parts of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// `a.m.`: twelve comes before one.
    BeforeNoon,
    /// `p.m.`: noon is twelve.
    AfterNoon,
    /// `上午`: before noon, and noon itself is never meant for certain.
    Morning,
    /// `中午`: from eleven to two.
    Noon,
    /// `晚上`: twelve is midnight, and what is before five is night.
    Evening,
}

/// What a part of the day is called before the hour or after it.
const PARTS: [(&str, Part); 18] = [
    ("a.m.", Part::BeforeNoon),
    ("am", Part::BeforeNoon),
    ("p.m.", Part::AfterNoon),
    ("pm", Part::AfterNoon),
    ("凌晨", Part::BeforeNoon),
    ("半夜", Part::BeforeNoon),
    ("清晨", Part::Morning),
    ("早上", Part::Morning),
    ("早晨", Part::Morning),
    ("上午", Part::Morning),
    ("中午", Part::Noon),
    ("下午", Part::AfterNoon),
    ("午后", Part::AfterNoon),
    ("傍晚", Part::AfterNoon),
    ("晚上", Part::Evening),
    ("夜里", Part::Evening),
    ("晚", Part::Evening),
    ("早", Part::Morning),
];

/// A time of day: from `930`, `0930`, `9:30`, `9点30分`, `3 pm`, `3:30pm`, `下午3点`, `晚上八点半` or `三点一刻`.
pub fn time(text: &str) -> Option<String> {
    let small = text.to_ascii_lowercase();
    let around = |(called, part): &(&str, Part)| {
        let rest = small
            .strip_prefix(called)
            .or_else(|| small.strip_suffix(called));
        Some((rest?.trim(), *part))
    };
    let (clock, part) = match PARTS.iter().find_map(around) {
        Some((clock, part)) => (clock, Some(part)),
        None => (small.as_str(), None),
    };
    let (hour, minute) = clock_time(clock, part.is_some())?;
    let hour = match (part, hour) {
        (None, hour) => hour,
        (Some(Part::BeforeNoon), 12) => 0,
        (Some(Part::Morning), 12) => return None,
        (Some(Part::BeforeNoon | Part::Morning), 0..12) => hour,
        (Some(Part::Noon), 11 | 12) => hour,
        (Some(Part::Noon), 1 | 2) => hour + 12,
        (Some(Part::Evening), 0 | 12) => 0,
        (Some(Part::Evening), 1..=4) => hour,
        (Some(Part::AfterNoon | Part::Evening), 1..=11) => hour + 12,
        // `下午15点` says so twice.
        (Some(Part::AfterNoon), 12..24) | (Some(Part::Evening), 17..24) => hour,
        (Some(_), _) => return None,
    };
    (hour < 24 && minute < 60).then(|| format!("{hour:02}:{minute:02}:00"))
}

/// The hour and minute that are written. An hour stands alone only where a part of the day is named.
fn clock_time(text: &str, in_part: bool) -> Option<(u32, u32)> {
    let part = |text: &str| u32::try_from(whole(text.trim())?).ok();
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if digits && matches!(text.len(), 3 | 4) {
        let (hour, minute) = text.split_at(text.len() - 2);
        return Some((part(hour)?, part(minute)?));
    }
    if digits && in_part {
        return Some((part(text)?, 0));
    }
    if let Some((hour, minute)) = text.split_once(':') {
        return Some((part(hour)?, part(minute)?));
    }
    let (hour, minute) = text.split_once(['点', '點', '时', '時'])?;
    let minute = match minute.trim().trim_end_matches('分') {
        "" | "整" | "钟" | "鐘" => 0,
        "半" => 30,
        "一刻" => 15,
        "三刻" => 45,
        minute => part(minute)?,
    };
    Some((part(hour)?, minute))
}

/// An amount in the smallest unit, and its currency: the one that the text names, else `currency`. From `199.5元`, `$20`,
/// `20 usd`, `12元5角`, `十二块五` or `一百美元`.
pub fn money(text: &str, currency: &str) -> Option<(i64, String)> {
    // Nobody owes less than nothing: a sign is no part of an amount.
    if !grouped(text) || text.contains(['-', '−', '负', '負']) {
        return None;
    }
    if let Some(number) = figures(text) {
        return Some((smallest(&number, currency)?, currency.to_owned()));
    }
    for (called, code) in CURRENCIES {
        if let Some(number) = text.strip_suffix(called) {
            return Some((smallest(&figures(number)?, code)?, code.to_owned()));
        }
    }
    // What has the yuan's units is nothing else, even where it cannot be read.
    if text.contains(['元', '块', '圆', '角', '毛', '分']) {
        return Some((yuan(text)?, "CNY".to_owned()));
    }
    let of_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
    let (start, end) = (text.find(of_number)?, text.rfind(of_number)? + 1);
    let number = &text[start..end];
    let named = format!("{}{}", text[..start].trim(), text[end..].trim());
    let currency = match named.to_ascii_uppercase().as_str() {
        "" => currency.to_owned(),
        "人民币" | "RMB" => "CNY".to_owned(),
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
    smallest(&number, &currency).map(|amount| (amount, currency))
}

/// Currencies by their names in Chinese, beside the yuan's.
const CURRENCIES: [(&str, &str); 9] = [
    ("美元", "USD"),
    ("美金", "USD"),
    ("欧元", "EUR"),
    ("英镑", "GBP"),
    ("日元", "JPY"),
    ("港元", "HKD"),
    ("港币", "HKD"),
    ("韩元", "KRW"),
    ("新台币", "TWD"),
];

/// Yuan, jiao and fen, in fen: from `12元5角3分`, `十二块五`, `三毛` or `5分`.
fn yuan(text: &str) -> Option<i64> {
    let text = text.strip_prefix("人民币").unwrap_or(text).trim();
    let text = ["人民币", "钱", "整", "正"]
        .iter()
        .fold(text, |text, end| text.trim_end_matches(end));
    let (yuan, rest) = match text.split_once(['元', '块', '圆']) {
        Some((yuan, rest)) => (Some(figures(yuan)?), rest.trim()),
        None => (None, text),
    };
    let (jiao, rest) = match rest.split_once(['角', '毛']) {
        Some((jiao, rest)) => (Some(below_ten(jiao)?), rest.trim()),
        None => (None, rest),
    };
    let fen = rest.strip_suffix('分').map(below_ten);
    let (jiao, fen) = match (yuan.is_some(), jiao, fen) {
        (_, jiao, Some(fen)) => (jiao.unwrap_or_default(), fen?),
        (_, Some(jiao), None) if rest.is_empty() => (jiao, 0),
        // 12元50.
        (true, None, None) if rest.len() == 2 && rest.bytes().all(|byte| byte.is_ascii_digit()) => {
            let fen: u32 = rest.parse().ok()?;
            (fen / 10, fen % 10)
        }
        // 十二块五: what follows without its unit has the next one.
        (_, Some(jiao), None) => (jiao, below_ten(rest)?),
        (true, None, None) if rest.is_empty() => (0, 0),
        // 十二块零五: a zero stands for the jiao.
        (true, None, None) if let Some(fen) = rest.strip_prefix(['零', '0', '〇']) => {
            (0, below_ten(fen.trim())?)
        }
        (true, None, None) => (below_ten(rest)?, 0),
        (false, None, None) => return None,
    };
    let small = i64::from(jiao * 10 + fen);
    match yuan {
        Some(yuan) if small > 0 && yuan.contains('.') => None,
        Some(yuan) => smallest(&yuan, "CNY")?.checked_add(small),
        None => Some(small),
    }
}

/// How many jiao or fen there are: a digit, a zero before it where it is read so (十元零五分).
fn below_ten(text: &str) -> Option<u32> {
    let digit = whole(text.trim().trim_start_matches('零'))?;
    u32::try_from(digit).ok().filter(|digit| *digit < 10)
}

/// An amount in figures in the smallest unit of a currency. Counted in digits, not in floating point: nobody loses a cent.
fn smallest(number: &str, currency: &str) -> Option<i64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let decimals = decimals(currency);
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) || fraction.len() > decimals
    {
        return None;
    }
    format!("{whole}{fraction:0<decimals$}").parse().ok()
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
