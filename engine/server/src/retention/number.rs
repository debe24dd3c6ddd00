//! A telephone number in all the ways in which it is written: by telephones, by people and by programs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value as Json;
use strowger_flow::unseen::quoted_up_to;
use strowger_flow::wide::narrow;

use super::digits::{digit, said, times};

/// Characters of what is no number that a message quotes.
const SHOWN: usize = 40;
/// Fewest digits of a number: fewer are in every journal, as times and counts.
const FEWEST_DIGITS: usize = 5;
/// Most digits of a number (E.164 has 15), with a prefix for abroad.
const MOST_DIGITS: usize = 20;
/// Digits that a mention has at least, where the number has so many: fewer are found in what is no number.
const MENTIONED: usize = 8;
/// How deep a text that is JSON itself is looked into: a body in an answer, a document in that.
const NESTED: usize = 4;
/// Digits that a number without country's code and trunk prefix has at least to be taken for this one.
const BARE: usize = 7;
/// Countries' codes of two digits (ITU-T E.164, list of assigned codes); 1 and 7 have one digit, all others three.
const TWO_DIGITS: [&str; 44] = [
    "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47",
    "48", "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65",
    "66", "81", "82", "84", "86", "90", "91", "92", "93", "94", "95", "98",
];

/// Why a text is no number that can be looked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// It is none.
    #[error(
        "`{0}` is no number that can be forgotten: it has {FEWEST_DIGITS} to {MOST_DIGITS} digits, such as +8613800138000"
    )]
    Number(String),
    /// The country's code is none.
    #[error("`{0}` is no country's code: it has one to three digits, such as 49")]
    Country(String),
    /// The number is another country's.
    #[error(
        "{0} is no number of country {1}: leave --country out, or write the number as it is dialled there"
    )]
    Abroad(String, String),
}

/// A telephone number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    digits: String,
    forms: Vec<String>,
    sought: String,
    as_written: bool,
}

impl Number {
    /// Reads a number: with `+` or `00` and the country's code, or as it is dialled in a country whose code is given. Without
    /// either it has its country's code already, unless it begins with a nought: then nobody knows the country, and it is
    /// looked for as it is written.
    ///
    /// With a country the number as it is dialled there is the number too.
    pub fn read(text: &str, country: Option<&str>) -> Result<Number, NumberError> {
        let refused = || NumberError::Number(quoted_up_to(text, SHOWN));
        let written = digits_of(text).filter(|written| written.alone);
        let written = written.ok_or_else(refused)?;
        if !(FEWEST_DIGITS..=MOST_DIGITS).contains(&written.digits.len()) {
            return Err(refused());
        }
        let country = country.map(country_of).transpose()?;
        let abroad = written.international();
        let (digits, code) = match (abroad, &country) {
            (Some(digits), Some(code)) if !digits.starts_with(code.as_str()) => {
                return Err(NumberError::Abroad(format!("+{digits}"), code.clone()));
            }
            (Some(digits), _) => (digits.to_owned(), code_of(digits)),
            (None, Some(code)) => {
                let digits = written.digits.as_str();
                let inland = digits.strip_prefix(trunk(code)).filter(|_| code != "1");
                let whole = digits.starts_with(code.as_str()) && digits.len() >= code.len() + BARE;
                match inland {
                    Some(inland) => (format!("{code}{inland}"), Some(code.as_str())),
                    None if whole => (digits.to_owned(), Some(code.as_str())),
                    None => (format!("{code}{digits}"), Some(code.as_str())),
                }
            }
            (None, None) => (written.digits.clone(), None),
        };
        let as_written = abroad.is_none() && country.is_none() && digits.starts_with('0');
        let code = match as_written {
            true => None,
            false => code.or_else(|| code_of(&digits)),
        };
        Ok(Number::of(&digits, code, country.is_some(), as_written))
    }

    fn of(digits: &str, code: Option<&str>, inland: bool, as_written: bool) -> Number {
        let national = code.and_then(|code| digits.strip_prefix(code));
        // `+49 (0)30 …`: the nought is not dialled from abroad, and written all the same.
        let national = national.map(|rest| rest.strip_prefix('0').unwrap_or(rest));
        let (digits, mut forms) = match (code, national) {
            (Some(code), Some(national)) => (
                format!("{code}{national}"),
                vec![format!("{code}{national}"), format!("{code}0{national}")],
            ),
            _ => (digits.to_owned(), vec![digits.to_owned()]),
        };
        if !as_written {
            // How a trunk or a person writes that it is abroad: `00`, a single nought, North America's 011.
            let abroad = forms
                .iter()
                .flat_map(|form| ["00", "0", "011"].map(|prefix| format!("{prefix}{form}")));
            forms.extend(abroad.collect::<Vec<_>>());
        }
        if let (true, Some(code), Some(national)) = (inland, code, national) {
            forms.push(format!("{}{national}", trunk(code)));
            forms.push(format!("0{national}"));
            if national.len() >= BARE {
                forms.push(national.to_owned());
            }
        }
        let sought = match national {
            Some(national) if national.len() >= MENTIONED => national,
            _ => {
                let known = digits.trim_start_matches('0');
                &known[known.len().saturating_sub(MENTIONED)..]
            }
        };
        Number {
            sought: sought.to_owned(),
            digits,
            forms,
            as_written,
        }
    }

    /// Its digits, with the country's code where that is known.
    pub fn digits(&self) -> &str {
        &self.digits
    }

    /// Whether nobody knows its country: only what is written in the same way is found to be the number.
    pub fn as_written(&self) -> bool {
        self.as_written
    }

    /// Whether an address is the number: as digits in any script's form and with any signs between them, as `tel:` or `sip:`
    /// URI, with parameters, host and a name, in quotes, with words before or behind it, or without.
    pub fn is(&self, address: &str) -> bool {
        digits_of(address).is_some_and(|written| self.forms.contains(&written.digits))
    }

    /// Whether a text has its digits, with or without signs between them: all of them but the country's code, which few write.
    pub fn is_in(&self, text: &str) -> bool {
        self.is_said_in(text) || (text.contains('%') && self.is_said_in(&unescaped(text)))
    }

    fn is_said_in(&self, text: &str) -> bool {
        // Any letter's digit that is no ASCII is one letter: only words of ASCII say one.
        let mut plain = String::with_capacity(text.len());
        let mut again = 1;
        let mut rest = text;
        while let Some(letter) = rest.chars().next() {
            let word = rest.find(|c: char| !c.is_ascii_alphabetic());
            let word = &rest[..word.unwrap_or(rest.len())];
            rest = &rest[word.len().max(letter.len_utf8())..];
            if let Some(digit) = digit(letter).or_else(|| said(word)) {
                plain.extend(std::iter::repeat_n(digit, again));
                again = 1;
            } else if let Some(often) = times(word) {
                again = often;
            } else if letter.is_alphanumeric() {
                plain.push(' ');
                again = 1;
            }
            // Whatever else is written between the digits of a number.
        }
        plain.contains(&self.sought)
    }

    /// Whether lines of JSON have its digits: a text or a number in them, the bytes that stand there in base64 (bodies of requests
    /// and responses, values of keys), or JSON that stands in either. A line that is no JSON is looked through as it is.
    pub fn is_in_json(&self, lines: &str) -> bool {
        lines.lines().any(|line| match serde_json::from_str(line) {
            Ok(value) => self.is_in_value(&value, NESTED),
            Err(_) => self.is_in(line),
        })
    }

    /// Whether bytes have its digits, as a text or in the texts of JSON.
    pub fn is_in_bytes(&self, bytes: &[u8]) -> bool {
        self.is_in_text(&String::from_utf8_lossy(bytes), NESTED)
    }

    /// Whether a text has its digits. Where it is JSON, signs are written in letters there.
    fn is_in_text(&self, text: &str, deep: usize) -> bool {
        let json = deep > 0 && text.trim_start().starts_with(['{', '[', '"']);
        let value = || serde_json::from_str::<Json>(text).ok();
        self.is_in(text) || json && value().is_some_and(|value| self.is_in_value(&value, deep - 1))
    }

    fn is_in_value(&self, value: &Json, deep: usize) -> bool {
        match value {
            Json::Null | Json::Bool(_) => false,
            Json::Number(number) => self.is_in(&number.to_string()),
            Json::String(text) => self.is_in_text(text, deep) || self.is_in_base64(text, deep),
            Json::Array(items) => items.iter().any(|item| self.is_in_value(item, deep)),
            Json::Object(fields) => fields
                .iter()
                .any(|(name, value)| self.is_in(name) || self.is_in_value(value, deep)),
        }
    }

    /// Whether a text is base64 of bytes that have its digits.
    fn is_in_base64(&self, text: &str, deep: usize) -> bool {
        // Three bytes are four letters.
        let long_enough = text.len() / 4 * 3 >= self.sought.len() && text.len().is_multiple_of(4);
        long_enough
            && BASE64
                .decode(text)
                .is_ok_and(|bytes| self.is_in_text(&String::from_utf8_lossy(&bytes), deep))
    }
}

/// What an address has of a number.
struct Written {
    plus: bool,
    digits: String,
    /// Nothing is beside them but what stands between the digits of a number.
    alone: bool,
}

impl Written {
    /// The digits from the country's code on, where it says that it has one: no country's code begins with a nought.
    fn international(&self) -> Option<&str> {
        match self.plus {
            true => Some(&self.digits),
            false => self.digits.strip_prefix("00"),
        }
    }
}

/// The number that an address is; none where it is none.
fn digits_of(address: &str) -> Option<Written> {
    let address = unescaped(address);
    // `"Rosa" <sip:+49…@host>`, RFC 3261 §20.10.
    let address = match address.split_once('<') {
        Some((_, rest)) => rest.split('>').next().unwrap_or_default(),
        None => &address,
    };
    let folded: String = address.chars().map(folded).collect();
    let letters = |text: &str| {
        text.chars()
            .all(|c| c.is_ascii_alphabetic() || is_between(c))
    };
    let rest = match folded.split_once(':') {
        Some((scheme, rest)) if letters(scheme) => rest,
        _ => &folded,
    };
    let user = rest.split(['@', ';', '?', ',']).next().unwrap_or_default();
    let (mut plus, mut digits) = (false, String::new());
    let part = |letter: char| !letter.is_alphanumeric() && letter != '+';
    for word in user.split(part).filter(|word| !word.is_empty()) {
        let (signed, rest) = match word.strip_prefix('+') {
            Some(rest) => (true, rest),
            None => (false, word),
        };
        if rest.bytes().all(|byte| byte.is_ascii_digit()) {
            if signed && (plus || !digits.is_empty()) {
                return None;
            }
            plus |= signed;
            digits.push_str(rest);
        } else if rest
            .chars()
            .any(|letter| letter.is_ascii_digit() || letter == '+')
        {
            return None;
        } else if !digits.is_empty() {
            // `(mobile)`, and whatever is behind that.
            break;
        }
    }
    let mut signs = user.chars();
    let alone = signs.all(|c| c.is_ascii_digit() || c == '+' || is_between(c));
    (!digits.is_empty()).then_some(Written {
        plus,
        digits,
        alone,
    })
}

/// A letter without what forms and scripts make of it: full width, as East Asian keyboards have it, and digits of all scripts.
fn folded(letter: char) -> char {
    digit(letter).unwrap_or_else(|| narrow(letter))
}

/// Whether people and programs write a sign between the digits of a number.
fn is_between(sign: char) -> bool {
    sign.is_whitespace()
        || matches!(sign, '-' | '(' | ')' | '.' | '/')
        // Hyphens, dashes and the minus sign; what is not seen.
        || matches!(sign, '\u{ad}' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// An address whose escapes (RFC 3986 §2.1) are characters.
fn unescaped(address: &str) -> String {
    let bytes = address.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let byte = escape
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        plain.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// A country's code as it is given.
fn country_of(text: &str) -> Result<String, NumberError> {
    let digits = text.trim();
    let digits = digits.strip_prefix('+').unwrap_or(digits);
    let code = (1..=3).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0');
    match code && code_of(digits) == Some(digits) {
        true => Ok(digits.to_owned()),
        false => Err(NumberError::Country(quoted_up_to(text, SHOWN))),
    }
}

/// The country's code that a number begins with.
fn code_of(digits: &str) -> Option<&str> {
    let two = digits.get(..2);
    let long = match digits.as_bytes().first()? {
        b'0' => return None,
        b'1' | b'7' => 1,
        _ if two.is_some_and(|two| TWO_DIGITS.contains(&two)) => 2,
        _ => 3,
    };
    digits.get(..long)
}

/// What is dialled before a national number in its country.
fn trunk(code: &str) -> &'static str {
    match code {
        "1" => "1",
        "7" => "8",
        "36" => "06",
        _ => "0",
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;

    use super::{BASE64, Number, NumberError};

    fn read(text: &str, country: Option<&str>) -> Number {
        Number::read(text, country).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    const SPELLINGS: [&str; 29] = [
        "+4930123456",
        "4930123456",
        "004930123456",
        "04930123456",
        "0114930123456",
        "tel:+4930123456",
        "TEL:+49-30-123456;phone-context=+49",
        "sip:+4930123456@trunk.example",
        "sips:004930123456@[::1]:5061;user=phone",
        "\"Rosa\" <sip:+4930123456@trunk.example>;tag=1",
        "%2B4930123456",
        "+49 30 123456",
        "+49-30-12-34-56",
        "+49 (0)30 123456",
        "+49/30.123456",
        "0049 (0) 30 123456",
        "＋４９ ３０ １２３４５６",
        "+49\u{a0}30\u{2011}123456",
        "\u{202a}+49 30 123456\u{202c}",
        "+٤٩٣٠١٢٣٤٥٦",
        "+४९ ३० १२३४५६",
        "+49 30 123456 (mobile)",
        "\"+49 30 123456\"",
        "'+4930123456'",
        "Rosa: +49 30 123456 ext 12",
        "+49_30_123456",
        "+49\n30\n123456",
        "+4️⃣9️⃣3️⃣0️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣",
        "四九三零幺二三四五六",
    ];

    #[test]
    fn a_number_is_the_same_however_it_is_written() {
        for asked in [
            "+49 30 123456",
            "004930123456",
            "tel:+4930123456",
            "+49 (0)30 123456",
        ] {
            let number = read(asked, None);
            assert_eq!(number.digits(), "4930123456", "{asked}");
            for text in SPELLINGS {
                assert!(number.is(text), "{asked}: {text}");
                assert!(
                    number.is_in(&format!("call {text}, please")),
                    "{asked}: {text}"
                );
            }
            for other in [
                "030123456",
                "30123456",
                "+4930123457",
                "+14930123456",
                "alice",
                "",
                "web",
                "user4930123456",
                "49 or 30123456",
            ] {
                assert!(!number.is(other), "{asked}: {other}");
            }
        }
    }

    #[test]
    fn as_it_is_dialled_in_its_country_it_is_the_number_there_alone() {
        for (asked, country, national) in [
            (
                "030 123456",
                "49",
                vec![
                    "030123456",
                    "(030) 12 34 56",
                    "tel:030123456;phone-context=+49",
                    "0 30/123456",
                    "30123456",
                ],
            ),
            (
                "+4930123456",
                "+49",
                vec!["030123456", "０３０－１２３４５６"],
            ),
            (
                "138 0013 8000",
                "86",
                vec!["13800138000", "013800138000", "+8613800138000"],
            ),
            (
                "8 (495) 123-45-67",
                "7",
                vec!["84951234567", "+74951234567", "0074951234567"],
            ),
            ("06 1 234 5678", "36", vec!["0612345678", "+3612345678"]),
            (
                "(212) 555-1234",
                "1",
                vec!["2125551234", "12125551234", "+12125551234"],
            ),
            ("1-212-555-1234", "1", vec!["2125551234", "12125551234"]),
            ("06 1234 5678", "39", vec!["0612345678", "+390612345678"]),
        ] {
            let number = read(asked, Some(country));
            for text in national {
                assert!(number.is(text), "{asked} of {country}: {text}");
            }
        }
        let number = read("+4930123456", Some("49"));
        assert!(SPELLINGS.iter().all(|text| number.is(text)));
        assert!(!number.is("+4330123456") && !number.is("0130123456"));
        // Too short to be told from an extension.
        assert!(!read("+49301234", Some("49")).is("301234"));
    }

    #[test]
    fn of_an_unknown_country_a_number_is_what_is_written() {
        let number = read("030 123456", None);
        assert!(number.as_written());
        assert!(number.is("030-123456") && !number.is("+4930123456") && !number.is("30123456"));
        // That it may be another's as well is for people to see.
        assert!(number.is_in("from +49 30 123456"));
    }

    #[test]
    fn a_number_is_mentioned_without_its_country_s_code_too() {
        let number = read("+8613800138000", None);
        for text in [
            "138 0013 8000",
            "x1380013-8000",
            "138%200013%2D8000",
            "1３8００１３８０００",
            "1,3,8,0,0,1,3,8,0,0,0",
            "'138'0013'8000'",
            "13,800,138,000",
            "[138,001,38000]",
            "138 — 0013 – 8000",
            "%31%33%38%30%30%31%33%38%30%30%30",
            "我的电话是一三八零零一三八〇〇〇",
            "幺三八零零幺三八零零零",
            "one three eight zero zero one three eight zero zero zero",
            "It's One-Three-Eight, double oh, 1 3 eight, triple zero.",
        ] {
            assert!(number.is_in(text), "{text}");
        }
        for text in [
            "one three eight and zero zero one three eight zero zero zero",
            "one three eight double zero one three eight double zero",
            "1380013double8000",
            "1380013800",
            "138001 and 38000",
            "8613800137999",
        ] {
            assert!(!number.is_in(text), "{text}");
        }
        assert!(!read("+12345678", None).is_in("2345678"));
        assert!(read("123456", None).is_in("123456"));
    }

    #[test]
    fn a_number_is_found_in_the_bytes_of_a_body() {
        let number = read("+493055512347", None);
        let line = |body: &str| {
            let body = BASE64.encode(body);
            format!("{{\"answer\":{{\"status\":200,\"headers\":[],\"body\":\"{body}\"}}}}")
        };
        for body in [
            "{\"callback\":\"+49 30 555 1234-7\"}",
            "tel=03055512347",
            "\u{feff}call +493055512347",
        ] {
            assert!(!number.is_in(&line(body)), "{body}");
            assert!(number.is_in_json(&line(body)), "{body}");
        }
        assert!(!number.is_in_json(&line("+493055512348")));
        assert!(number.is_in_json("{\"text\":\"+49 (0)30 55512347\"}"));
    }

    #[test]
    fn a_number_is_found_in_the_texts_of_json_and_not_across_them() {
        let number = read("+8613700137999", None);
        let text = serde_json::json!({ "text": "call:\n137\n0013\t7999", "at": 1 }).to_string();
        let within = serde_json::json!({ "answer": [text] }).to_string();
        let body = serde_json::json!({ "body": BASE64.encode(&text) }).to_string();
        for lines in [
            text.clone(),
            within.clone(),
            body,
            format!("{{}}\n{within}"),
            "{\"value\":13700137999}".to_owned(),
            "{\"13700137999\":1}".to_owned(),
            "{\"text\":\"[137,0013,7999]\"}".to_owned(),
            "{\"text\":\"[13700,137999]\"}".to_owned(),
            // Cut off.
            "{\"text\":\"137 0013 7999".to_owned(),
        ] {
            assert!(number.is_in_json(&lines), "{lines}");
        }
        assert!(number.is_in_bytes(text.as_bytes()));
        for lines in ["[13700,137999]", "{\"a\":\"1370013\"}\n{\"a\":\"7999\"}"] {
            assert!(!number.is_in_json(lines), "{lines}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "",
            "100",
            "%",
            "alice",
            "1234567%",
            "123456789012345678901",
            "++861380013",
        ] {
            let refused = Number::read(text, None);
            assert!(matches!(refused, Err(NumberError::Number(_))), "{text}");
        }
        for country in ["", "0", "4949", "de", "9"] {
            let refused = Number::read("030123456", Some(country));
            assert!(matches!(refused, Err(NumberError::Country(_))), "{country}");
        }
        let refused = Number::read("+8613800138000", Some("49"));
        assert!(matches!(refused, Err(NumberError::Abroad(..))));
    }
}
