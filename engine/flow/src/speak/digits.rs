//! Characters one by one: order numbers, codes, telephone numbers.

use super::Language;
use super::mandarin;
use crate::value::Value;

/// The digits of an order number or code, each by itself.
///
/// In English `2, 0, 2, 6`: the commas keep a synthesiser from reading a number. In Chinese 二零二六, in
/// groups of three or four, since characters are read one by one anyway. In a chat as it stands.
pub(super) fn digits(text: &str, language: Language, spoken: bool) -> Result<String, String> {
    if !spoken {
        return Ok(text.to_owned());
    }
    let said: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '.' | '_'))
        .collect();
    let all_digits = crate::value::all_digits(&said);
    Ok(match language {
        Language::Mandarin if all_digits => grouped(&said)
            .map(mandarin::digit_by_digit)
            .collect::<Vec<_>>()
            .join("，"),
        language => spell(&said, language, true),
    })
}

/// Letter by letter; signs by their names.
pub(super) fn spell(text: &str, language: Language, spoken: bool) -> String {
    if !spoken {
        return text.to_owned();
    }
    let said = text
        .chars()
        .map(|c| character(c, language))
        .collect::<Vec<_>>();
    said.join(if language == Language::Mandarin {
        "，"
    } else {
        ", "
    })
}

fn character(c: char, language: Language) -> String {
    if let Some((_, english, chinese)) = SIGNS.iter().find(|(sign, ..)| *sign == c) {
        let name = if language == Language::Mandarin {
            chinese
        } else {
            english
        };
        return (*name).to_owned();
    }
    match language {
        Language::Mandarin if c.is_ascii_digit() => {
            mandarin::digit_by_digit(c.encode_utf8(&mut [0; 4]))
        }
        _ => c.to_uppercase().collect(),
    }
}

const SIGNS: [(char, &str, &str); 12] = [
    (' ', "space", "空格"),
    ('-', "dash", "横杠"),
    ('_', "underscore", "下划线"),
    ('.', "dot", "点"),
    ('@', "at", "艾特"),
    ('/', "slash", "斜杠"),
    (':', "colon", "冒号"),
    ('+', "plus", "加号"),
    ('#', "hash", "井号"),
    ('*', "star", "星号"),
    ('&', "ampersand", "和号"),
    ('%', "percent", "百分号"),
];

/// The last four characters of a secret, a text or a telephone number.
pub(super) fn spell_last_four(
    value: &Value,
    language: Language,
    spoken: bool,
) -> Result<String, String> {
    let last_four = match value {
        Value::Secret(secret) => secret.last_four.clone(),
        Value::Text(text) | Value::Phone(text) => {
            let skipped = text.chars().count().saturating_sub(4);
            text.chars().skip(skipped).collect()
        }
        value => return Err(super::unfit(value, "last4")),
    };
    // Of a short secret nothing may be said, and who withholds a number has none: nobody must lose the call by that.
    if last_four.is_empty() {
        return Ok(String::new());
    }
    digits(&last_four, language, spoken)
}

/// A telephone number in groups. One is 幺 in Chinese; a number of our own country loses its +86 there.
/// A withheld number is called so; an address that is not a number is spelt.
pub(super) fn phone(text: &str, language: Language, spoken: bool) -> String {
    let bare = address(text);
    if bare.is_empty() || bare.eq_ignore_ascii_case("anonymous") {
        return match language {
            Language::English => "a withheld number".to_owned(),
            Language::Mandarin => "未显示的号码".to_owned(),
        };
    }
    let number: String = bare
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')'))
        .collect();
    let (country, rest) = match number.strip_prefix('+') {
        Some(digits) if crate::value::all_digits(digits) => digits.split_at(country_code(digits)),
        None if crate::value::all_digits(&number) => ("", number.as_str()),
        _ => return spell(bare, language, spoken),
    };
    let at_home = language == Language::Mandarin && country == "86";
    let mobile = rest.len() == 11 && rest.starts_with('1');
    let mut groups: Vec<String> = Vec::new();
    if !country.is_empty() && !at_home {
        groups.push(match (spoken, language) {
            (false, _) => format!("+{country}"),
            (true, Language::English) => format!("plus {}", super::english::spaced(country)),
            (true, Language::Mandarin) => format!("加{}", yao(country)),
        });
    }
    // Landlines of the mainland: the area code is 10, 2x or three digits, and has a 0 before it at home.
    // Numbers of services (400, 800) have neither.
    let service = rest.len() == 10 && rest.starts_with(['4', '8']) && rest[1..].starts_with("00");
    if country == "86" && !mobile && !service && rest.len() > 8 {
        let length = if rest.starts_with("10") || rest.starts_with('2') {
            2
        } else {
            3
        };
        let (area, local) = rest.split_at(length);
        groups.push(group(
            &if at_home {
                format!("0{area}")
            } else {
                area.to_owned()
            },
            language,
            spoken,
        ));
        groups.extend(grouped(local).map(|part| group(part, language, spoken)));
    } else {
        groups.extend(grouped(rest).map(|part| group(part, language, spoken)));
    }
    groups.join(match (spoken, language) {
        (false, _) => " ",
        (true, Language::English) => ", ",
        (true, Language::Mandarin) => "，",
    })
}

/// The number in a SIP or tel address; other texts as they are.
fn address(text: &str) -> &str {
    let text = text.trim();
    let bare = ["sips:", "sip:", "tel:"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    match bare {
        Some(bare) => bare.split(['@', ';']).next().unwrap_or(bare),
        None => text,
    }
}

fn group(digits: &str, language: Language, spoken: bool) -> String {
    match (spoken, language) {
        (false, _) => digits.to_owned(),
        (true, Language::English) => super::english::spaced(digits),
        (true, Language::Mandarin) => yao(digits),
    }
}

fn yao(digits: &str) -> String {
    mandarin::digit_by_digit(digits).replace('一', "幺")
}

/// Digits in the groups in which they are said: up to five together, else threes and fours
/// (11 digits: 3-4-4).
fn grouped(digits: &str) -> impl Iterator<Item = &str> {
    let mut rest = digits;
    std::iter::from_fn(move || {
        let length = match rest.len() {
            0 => return None,
            short @ 1..=5 => short,
            left if left % 4 == 0 => 4,
            _ => 3,
        };
        let (group, after) = rest.split_at(length);
        rest = after;
        Some(group)
    })
}

/// The length of the country's code at the head of an international number (ITU-T E.164).
fn country_code(digits: &str) -> usize {
    let two: u32 = digits
        .get(..2)
        .and_then(|two| two.parse().ok())
        .unwrap_or(0);
    match two {
        _ if digits.len() < 3 => 0,
        10..=19 | 70..=79 => 1,
        20
        | 27
        | 30..=34
        | 36
        | 39..=41
        | 43..=49
        | 51..=58
        | 60..=66
        | 81
        | 82
        | 84
        | 86
        | 90..=95
        | 98 => 2,
        _ => 3,
    }
}

/// A truth value in a text.
pub(super) fn yes_or_no(bool: bool, language: Option<Language>) -> &'static str {
    match (bool, language) {
        (true, Some(Language::Mandarin)) => "是",
        (false, Some(Language::Mandarin)) => "否",
        (true, _) => "yes",
        (false, _) => "no",
    }
}
