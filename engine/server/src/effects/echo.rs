//! Where bytes repeat a secret, however texts are written within texts.
//!
//! Each byte may be escaped or not, so there are more ways to write a text than could be looked for. Layer by layer the
//! writing is taken off instead (escapes of JSON, then those of URLs, then what base64 and hexadecimal have between their letters),
//! and the secret is looked for in what the bytes say then. Each byte of that knows where it stood.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD, URL_SAFE};

/// What bytes say, and where each byte of it stood.
struct Reading {
    bytes: Vec<u8>,
    /// Where what stands for each byte begins, and how long it is.
    from: Vec<u32>,
    length: Vec<u8>,
}

impl Reading {
    /// The bytes themselves.
    fn of(bytes: &[u8]) -> Reading {
        Reading {
            bytes: bytes.to_vec(),
            // A response has less than 4 GiB.
            from: (0..bytes.len() as u32).collect(),
            length: vec![1; bytes.len()],
        }
    }

    fn with_room(room: usize) -> Reading {
        Reading {
            bytes: Vec::with_capacity(room),
            from: Vec::with_capacity(room),
            length: Vec::with_capacity(room),
        }
    }

    /// Takes over bytes that some of another reading stand for.
    fn take(&mut self, said: &[u8], of: &Reading, stood: Range<usize>) {
        let place = of.place(stood);
        for byte in said {
            self.bytes.push(*byte);
            self.from.push(place.start as u32);
            // The longest is a percent escape of which JSON escapes each letter: 18.
            self.length.push((place.end - place.start) as u8);
        }
    }

    /// Where some of its bytes stood.
    fn place(&self, bytes: Range<usize>) -> Range<usize> {
        let last = bytes.end - 1;
        let end = self.from[last] as usize + usize::from(self.length[last]);
        self.from[bytes.start] as usize..end
    }

    /// Without escapes of JSON (RFC 8259 §7); what is no escape stays.
    fn without_json(&self) -> Reading {
        let mut reading = Reading::with_room(self.bytes.len());
        let mut at = 0;
        while at < self.bytes.len() {
            let (said, length) = match json_escape(&self.bytes[at..]) {
                Some((letter, length)) => (letter, length),
                None => {
                    reading.take(&self.bytes[at..=at], self, at..at + 1);
                    at += 1;
                    continue;
                }
            };
            let mut buffer = [0; 4];
            let said = said.encode_utf8(&mut buffer).as_bytes();
            reading.take(said, self, at..at + length);
            at += length;
        }
        reading
    }

    /// Without percent escapes (RFC 3986 §2.1); `plus` is what `+` stands for, a blank in forms.
    fn without_percent(&self, plus: u8) -> Reading {
        let mut reading = Reading::with_room(self.bytes.len());
        let mut at = 0;
        while let Some(&byte) = self.bytes.get(at) {
            let escaped = match (byte, self.bytes.get(at + 1..at + 3)) {
                (b'%', Some(&[high, low])) => digit(high).zip(digit(low)),
                _ => None,
            };
            let (said, length) = match (escaped, byte) {
                (Some((high, low)), _) => (high << 4 | low, 3),
                (None, b'+') => (plus, 1),
                (None, byte) => (byte, 1),
            };
            reading.take(&[said], self, at..at + length);
            at += length;
        }
        reading
    }

    /// Without some bytes, the others in lower case if asked for.
    fn without(&self, left_out: impl Fn(u8) -> bool, lower: bool) -> Reading {
        let mut reading = Reading::with_room(self.bytes.len());
        for (at, &byte) in self.bytes.iter().enumerate() {
            if !left_out(byte) {
                let said = if lower {
                    byte.to_ascii_lowercase()
                } else {
                    byte
                };
                reading.take(&[said], self, at..at + 1);
            }
        }
        reading
    }

    /// Notes where it has something.
    fn find(&self, what: &[u8], found: &mut Vec<Range<usize>>) {
        let Some((first, rest)) = what.split_first() else {
            return;
        };
        let mut at = 0;
        while let Some(next) = self.bytes[at..].iter().position(|byte| byte == first) {
            at += next;
            match self.bytes[at + 1..].starts_with(rest) {
                true => {
                    found.push(self.place(at..at + what.len()));
                    at += what.len();
                }
                false => at += 1,
            }
        }
    }
}

/// What an escape of JSON at the beginning of some bytes stands for, and how long it is.
fn json_escape(bytes: &[u8]) -> Option<(char, usize)> {
    let &[b'\\', kind, ..] = bytes else {
        return None;
    };
    let plain = match kind {
        b'"' | b'\\' | b'/' => char::from(kind),
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            let first = code_unit(bytes)?;
            if let Some(letter) = char::from_u32(first.into()) {
                return Some((letter, 6));
            }
            let second = code_unit(bytes.get(6..)?)?;
            let letter = char::decode_utf16([first, second]).next()?.ok()?;
            return Some((letter, 12));
        }
        _ => return None,
    };
    Some((plain, 2))
}

/// The number of `\uXXXX`.
fn code_unit(bytes: &[u8]) -> Option<u16> {
    let [b'\\', b'u', digits @ ..] = bytes.get(..6)? else {
        return None;
    };
    let mut digits = digits.iter();
    digits.try_fold(0, |number, byte| {
        Some(number << 4 | u16::from(digit(*byte)?))
    })
}

/// The value of a hexadecimal digit.
fn digit(byte: u8) -> Option<u8> {
    let value = char::from(byte).to_digit(16)?;
    u8::try_from(value).ok()
}

/// What stands where a text was written, for whoever reads it as what it is: itself, and, where that is another text, the inside of a string
/// of JSON; either one read letter by letter as of one byte each, as ISO 8859-1 or Windows-1252, though it is UTF-8. What is written
/// again then is the wrong letters.
pub(super) fn forms(text: &str) -> Vec<String> {
    let mut forms = vec![text.to_owned(), inside_json(text)];
    for form in &forms.clone() {
        if !form.is_ascii() {
            forms.push(form.bytes().map(char::from).collect());
            forms.push(form.bytes().map(windows_1252).collect());
        }
    }
    forms.sort();
    forms.dedup();
    forms
}

/// A text as it stands between the quotes of a string of JSON (RFC 8259 §7).
pub(super) fn inside_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// The letter of a byte in the encoding that most who say ISO 8859-1 mean (WHATWG, Encoding Standard, index windows-1252).
fn windows_1252(byte: u8) -> char {
    const FROM_80: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => FROM_80[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// Where bytes repeat one of some texts, in the order of places; what overlaps or touches is one.
pub(super) fn echoes(bytes: &[u8], texts: &[&str]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let plain = Reading::of(bytes);
    let in_all = |reading: &Reading, found: &mut Vec<Range<usize>>| {
        for text in texts {
            reading.find(text.as_bytes(), found);
        }
    };
    in_all(&plain, &mut found);
    let mut said = vec![plain];
    if bytes.contains(&b'\\') {
        let reading = said[0].without_json();
        in_all(&reading, &mut found);
        // Some escape each `/` in base64, and nothing else.
        said = vec![reading];
    }
    if said[0].bytes.contains(&b'%') {
        let reading = said[0].without_percent(b'+');
        in_all(&reading, &mut found);
        said.push(reading);
    }
    if said[0].bytes.contains(&b'+') {
        in_all(&said[0].without_percent(b' '), &mut found);
    }
    let letters: Vec<String> = texts.iter().flat_map(|text| in_base64(text)).collect();
    let digits = texts
        .iter()
        .map(|text| crate::project::hex(text.as_bytes()));
    let digits: Vec<String> = digits.collect();
    for reading in &said {
        // RFC 2045 §6.8 breaks lines of base64; RFC 4648 §5 has `-` as a letter.
        let joined = reading.without(|byte| byte.is_ascii_whitespace(), false);
        for form in &letters {
            joined.find(form.as_bytes(), &mut found);
        }
        let between = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b':' | b'-');
        let joined = joined.without(between, true);
        for form in &digits {
            joined.find(form.as_bytes(), &mut found);
        }
    }
    found.sort_by_key(|place| place.start);
    let mut merged: Vec<Range<usize>> = Vec::new();
    for place in found {
        match merged.last_mut() {
            Some(last) if place.start <= last.end => last.end = last.end.max(place.end),
            _ => merged.push(place),
        }
    }
    merged
}

/// A text in base64 of either alphabet, wherever in what is written so it begins.
pub(super) fn in_base64(text: &str) -> Vec<String> {
    let mut forms: Vec<String> = [&STANDARD, &URL_SAFE]
        .into_iter()
        .flat_map(|base64| {
            let alone = base64.encode(text).trim_end_matches('=').to_owned();
            let amid = (0..3).map(|before| amid(base64, text, before));
            std::iter::once(alone).chain(amid)
        })
        .collect();
    forms.sort();
    forms.dedup();
    forms
}

/// The letters of base64 (RFC 4648 §4) that a text alone decides where `before` bytes, but for whole threes, and others stand before and
/// behind it. The letter at either end may have some bits of it, too.
fn amid(base64: &GeneralPurpose, text: &str, before: usize) -> String {
    let mut bytes = vec![0; before];
    bytes.extend(text.bytes());
    let (from, to) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
    base64.encode(bytes)[from..to].to_owned()
}

#[cfg(test)]
mod tests {
    use super::{echoes, forms};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    /// Bytes with what repeats a text hidden.
    fn hidden(bytes: &str, text: &str) -> String {
        let mut clean = bytes.to_owned();
        for place in echoes(bytes.as_bytes(), &[text]).into_iter().rev() {
            clean.replace_range(place, "•");
        }
        clean
    }

    #[test]
    fn whatever_is_escaped_of_it_a_text_is_found() {
        let key = "S3cr/t+Key 🔑";
        let percent: String = key.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let json: String = key
            .encode_utf16()
            .map(|unit| format!("\\u{unit:04x}"))
            .collect();
        let in_both: String = json.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let base64 = STANDARD.encode(key);
        let mime: String = base64
            .as_bytes()
            .chunks(5)
            .map(|line| format!("{}\r\n", std::str::from_utf8(line).expect("letters")))
            .collect();
        let hex: Vec<String> = key.bytes().map(|byte| format!("{byte:02X}")).collect();
        for (written, what) in [
            (key.to_owned(), "plain"),
            (percent.clone(), "every byte"),
            ("S%33cr/t%2bKey%20%F0%9F%94%91".to_owned(), "some bytes"),
            ("S3cr%2Ft%2BKey+%F0%9F%94%91".to_owned(), "a form"),
            (json.clone(), "every letter"),
            ("\\u00533cr\\/t+Key \u{1f511}".to_owned(), "some letters"),
            (percent.replace('%', "\\u0025"), "a URL in JSON"),
            (mime.trim_end().to_owned(), "lines of base64"),
            (
                mime.trim_end().replace("\r\n", "\\r\\n"),
                "lines of base64 in JSON",
            ),
            (base64.replace('/', "\\/"), "base64 in JSON"),
            (hex.join(":"), "a fingerprint"),
            (hex.join(" ").to_lowercase(), "a dump"),
            (hex.concat(), "hexadecimal"),
        ] {
            // Text around it is left, but for what pads base64.
            let around = hidden(&format!("<{written}>"), key);
            assert_eq!(around.replace('=', ""), "<•>", "{what}: {written}");
        }
        // Not the other way round: what is escaped for JSON and then for a URL.
        assert_eq!(hidden(&in_both, key), in_both);
        assert_eq!(hidden("S3cr/t+Kez", key), "S3cr/t+Kez");
        assert_eq!(
            hidden("%S3%4 \\u12 \\ud83d\\q +", key),
            "%S3%4 \\u12 \\ud83d\\q +"
        );
    }

    #[test]
    fn a_text_read_as_of_one_byte_a_letter_is_found() {
        let hidden = |bytes: &str, text: &str| {
            let forms = forms(text);
            let forms: Vec<&str> = forms.iter().map(String::as_str).collect();
            let mut clean = bytes.to_owned();
            for place in echoes(bytes.as_bytes(), &forms).into_iter().rev() {
                clean.replace_range(place, "•");
            }
            clean
        };
        let key = "clé-ü€-42";
        let base64 = |text: &str| STANDARD.encode(text).trim_end_matches('=').to_owned();
        let latin = "cl\u{c3}\u{a9}-\u{c3}\u{bc}\u{e2}\u{82}\u{ac}-42";
        for written in [
            key,
            latin,
            "cl\\u00c3\\u00a9-\\u00C3\\u00BC\\u00e2\\u0082\\u00ac-42",
            // Of Windows.
            "clÃ©-Ã¼â‚¬-42",
            "cl\\u00c3\\u00a9-\\u00c3\\u00bc\\u00e2\\u201a\\u00ac-42",
            "cl%C3%83%C2%A9-%C3%83%C2%BC%C3%A2%C2%82%C2%AC-42",
            &base64(latin),
            &crate::project::hex(latin.as_bytes()),
        ] {
            assert_eq!(hidden(&format!("<{written}>"), key), "<•>", "{written}");
        }
        // What is escaped in JSON once more: a service that shows the JSON that it was sent in JSON.
        let key = "k\"\\ü-42";
        for written in [
            "k\\\"\\\\ü-42",
            "k\\\\\\\"\\\\\\\\ü-42",
            "k\\\\\\\"\\\\\\\\\\u00c3\\u00bc-42",
        ] {
            assert_eq!(hidden(&format!("<{written}>"), key), "<•>", "{written}");
        }
        assert_eq!(forms("t0p-s3cret"), ["t0p-s3cret"]);
        assert_eq!(hidden("<clÃ©-Ã¼-42>", "clé-ü€-42"), "<clÃ©-Ã¼-42>");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let places = echoes(&bytes, &["secret", "5\\%"]);
            prop_assert!(places.iter().all(|place| place.end <= bytes.len()));
        }

        #[test]
        fn what_is_escaped_at_random_is_found(how in prop::collection::vec(0..3, 12)) {
            let text = "T0p-s3cr&t_9";
            let written: String = text.chars().zip(how).map(|(letter, how)| match how {
                0 => letter.to_string(),
                1 => format!("%{:02x}", u32::from(letter)),
                _ => format!("\\u{:04X}", u32::from(letter)),
            }).collect();
            prop_assert_eq!(hidden(&written, text), "•");
        }
    }
}
