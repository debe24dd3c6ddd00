//! How long a text takes to say, at most.
//!
//! The times were measured at espeak-ng with 160 words a minute, as the engine speaks by default, and rounded up: what a usual text of the
//! language takes is two thirds to nine tenths of what it counts as here. The engine's tests hold this against what it speaks.

/// A letter within a word.
const LETTER_MS: u64 = 60;

/// The beginning of a word: short words take longer than their letters.
const WORD_MS: u64 = 170;

/// A letter that is read by its name, `W` apart.
const SPELLED_MS: u64 = 230;

/// `W`, whose name has three syllables.
const SPELLED_W_MS: u64 = 430;

/// A letter with an accent, or one that English does not have, where it stands alone: its name is several words.
const ACCENTED_MS: u64 = 740;

/// A letter of another script that stands alone: it is read by its name. Words of such letters are words where the language uses them,
/// and that is what they count as.
const FOREIGN_MS: u64 = 760;

/// A letter of a Roman numeral: that is said as a number.
const NUMERAL_MS: u64 = 400;
/// `X` and `V`, which are more to say than the others.
const NUMERAL_X_MS: u64 = 640;
/// Beginning of a long numeral, and each of its letters: several of them are one word.
const LONG_NUMERAL_MS: (u64, u64) = (1_300, 150);

/// A Chinese character or a Korean syllable.
const SYLLABLE_MS: u64 = 400;

/// Digits of numbers of one to four digits, each: `2026` is said in fewer words than `777,777`.
const SHORT_NUMBER_MS: [u64; 4] = [520, 560, 640, 700];

/// Each digit of a longer number, or of one that may go on in what stands beside the text: `7` is "seven hundred" or "seventy", and a
/// group of three has its "million".
const DIGIT_MS: u64 = 760;

/// The pause at a full stop.
const STOP_MS: u64 = 420;

/// The pause at a question or exclamation mark.
const QUESTION_MS: u64 = 500;

/// The pause at a colon, a semicolon or a dash.
const COLON_MS: u64 = 380;

/// The pause at a comma.
const COMMA_MS: u64 = 220;

/// The pause at a single quotation mark.
const QUOTE_MS: u64 = 100;

/// A sign that is read by its name: "dollars", "at", "percent".
const SIGN_MS: u64 = 650;

/// "Percent", which is 百分之 in Chinese.
const PERCENT_MS: u64 = 1_200;

/// An emoji or the like: its name is words.
const SYMBOL_MS: u64 = 1_000;

/// What is silent after a text.
const END_MS: u64 = 120;

/// Longest word in capitals that counts as read letter by letter. Letters.
const LONGEST_SPELLED: usize = 4;

/// A sum of [`LETTERS`] counts those that are small, vowels and a `w`, each below the next.
const SMALL: u64 = 1 << 20;
const VOWEL: u64 = 1 << 40;
const WIDE: u64 = 1;
/// Longest word whose letters are summed: none of the counts runs over.
const MAX_SUMMED: usize = 1_000_000;

/// What each letter that English has adds to a sum: [`WIDE`], [`SMALL`], [`VOWEL`].
static LETTERS: [u64; 256] = {
    let mut letters = [0; 256];
    let mut byte = 0;
    while byte < 128u8 {
        if byte.is_ascii_alphabetic() {
            letters[byte as usize] = match byte.to_ascii_lowercase() {
                b'a' | b'e' | b'i' | b'o' | b'u' | b'y' => VOWEL,
                b'w' => WIDE,
                _ => 0,
            } | match byte.is_ascii_lowercase() {
                true => SMALL,
                false => 0,
            };
        }
        byte += 1;
    }
    letters
};

/// How long a text takes to say, at most, in milliseconds: as the engine speaks by default.
///
/// Of figures, abbreviations and signs it is what they are read as that counts. A text never takes longer than its parts one by one. Where
/// another program or another pace speaks, it is an estimate.
pub fn speech_ms(text: &str) -> u64 {
    measured_ms(text, plain)
}

/// `plain` tells what needs no closer look, if anything.
fn measured_ms(text: &str, plain: impl Fn(&str) -> Option<(u64, usize)>) -> u64 {
    let mut ms = 0;
    let mut before = None;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some((taken, length)) = plain(rest) {
            ms += taken;
            before = rest
                .as_bytes()
                .get(length - 1)
                .map(|byte| char::from(*byte));
            rest = &rest[length..];
            continue;
        }
        let run = |is: fn(char) -> bool| rest.find(|c| !is(c)).unwrap_or(rest.len());
        let (taken, length) = if is_syllable(c) {
            (SYLLABLE_MS, c.len_utf8())
        } else if let Some(ms) = named_ms(c) {
            (ms, c.len_utf8())
        } else if is_digit(c) {
            let length = run(is_digit);
            let open = before.is_none() || length == rest.len();
            (number_ms(rest[..length].chars().count(), open), length)
        } else if is_letter(c) {
            let length = run(is_letter);
            (word_ms(&rest[..length]), length)
        } else {
            let length = c.len_utf8();
            (sign_ms(c, before, rest[length..].chars().next()), length)
        };
        ms += taken;
        before = rest[..length].chars().next_back();
        rest = &rest[length..];
    }
    if ms == 0 { 0 } else { ms + END_MS }
}

/// About how long a usual text takes that counts as so many milliseconds: three quarters.
pub(crate) fn usual_ms(counted_ms: u64) -> u64 {
    counted_ms * 3 / 4
}

/// How long something takes at least that counts as so many milliseconds: no usual text counts as more than two and a half times what it takes.
pub(crate) fn shortest_ms(counted_ms: u64) -> u64 {
    counted_ms * 2 / 5
}

/// A number of so many digits; `open` where it may go on before or behind them.
fn number_ms(digits: usize, open: bool) -> u64 {
    let each = match SHORT_NUMBER_MS.get(digits - 1) {
        Some(each) if !open => *each,
        _ => DIGIT_MS,
    };
    digits as u64 * each
}

/// What begins a text where that is a blank or a word of the letters that English has, as nearly everything is: how long it takes, and how
/// many bytes it has. It is what the same signs count as below, told without a look at what all other scripts have.
fn plain(text: &str) -> Option<(u64, usize)> {
    let bytes = text.as_bytes();
    if bytes.first() == Some(&b' ') {
        return Some((0, 1));
    }
    let (mut letters, mut sum) = (0, 0);
    for byte in bytes.iter().take_while(|byte| byte.is_ascii_alphabetic()) {
        sum += LETTERS[usize::from(*byte)];
        letters += 1;
    }
    // What is behind it may be a letter of another kind.
    if letters == 0 || letters > MAX_SUMMED || bytes.get(letters).is_some_and(|b| !b.is_ascii()) {
        return None;
    }
    let count = |of: u64| sum / of % SMALL;
    let (capitals, vowels) = (count(SMALL) == 0, count(VOWEL) > 0);
    let wide = count(WIDE);
    let spelled_ms = (letters as u64 - wide) * SPELLED_MS + wide * SPELLED_W_MS;
    let word = &text[..letters];
    let ms = match bytes[0].is_ascii_uppercase() && is_numeral(word) {
        true => numeral_ms(word),
        false => spoken_ms(
            letters,
            spelled_ms,
            capitals && letters <= LONGEST_SPELLED || !vowels,
        ),
    };
    Some((ms, letters))
}

/// A word of so many letters: letter by letter, or as it is spoken.
fn spoken_ms(letters: usize, spelled_ms: u64, spelled: bool) -> u64 {
    WORD_MS
        + match spelled {
            true => spelled_ms,
            false => letters as u64 * LETTER_MS,
        }
}

/// A word: letter by letter where nobody could say it otherwise.
fn word_ms(word: &str) -> u64 {
    // Few words begin with a capital.
    if word.starts_with(|c: char| c.is_ascii_uppercase()) && is_numeral(word) {
        return numeral_ms(word);
    }
    let mut letters = word.chars();
    if let (Some(letter), None) = (letters.next(), letters.next())
        && !is_latin(letter)
    {
        return FOREIGN_MS;
    }
    let vowel = |c: char| !c.is_ascii() || LETTERS[c as usize] & VOWEL != 0;
    let (mut letters, mut spelled_ms, mut capitals, mut vowels) = (0, 0, true, false);
    for c in word.chars() {
        letters += 1;
        spelled_ms += match c {
            'w' | 'W' => SPELLED_W_MS,
            c if !c.is_ascii() => ACCENTED_MS,
            _ => SPELLED_MS,
        };
        capitals &= c.is_uppercase();
        vowels |= vowel(c);
    }
    let alone = letters == 1 && !word.is_ascii();
    let spelled = capitals && letters <= LONGEST_SPELLED || !vowels || alone;
    spoken_ms(letters, spelled_ms, spelled)
}

/// A number in Roman numerals. Alone, its letters take no less.
fn numeral_ms(numeral: &str) -> u64 {
    let letters = numeral.len() as u64;
    let each = numeral.bytes().map(|letter| match letter {
        b'X' | b'V' => NUMERAL_X_MS,
        _ => NUMERAL_MS,
    });
    let short = each.sum::<u64>() + (letters - 1) * END_MS;
    let (begin, each) = LONG_NUMERAL_MS;
    short.min(begin + letters * each)
}

/// Whether a word is a number in Roman numerals.
fn is_numeral(word: &str) -> bool {
    if !word.bytes().all(|letter| b"IVXLCDM".contains(&letter)) {
        return false;
    }
    let mut rest = word;
    for (one, five, ten) in [
        ("M", "", ""),
        ("C", "D", "M"),
        ("X", "L", "C"),
        ("I", "V", "X"),
    ] {
        let less = |of: &str| match of {
            "" => None,
            of => rest.strip_prefix(one)?.strip_prefix(of),
        };
        rest = match less(ten).or_else(|| less(five)) {
            Some(behind) => behind,
            None => {
                let behind = rest.strip_prefix(five).unwrap_or(rest);
                let ones = behind.len() - behind.trim_start_matches(one).len();
                &behind[ones.min(3)..]
            }
        };
    }
    !word.is_empty() && rest.is_empty()
}

/// Whether a letter is of the Latin script.
fn is_latin(c: char) -> bool {
    c <= '\u{2af}' || matches!(c, '\u{1e00}'..='\u{1eff}')
}

/// A sign between two others.
fn sign_ms(sign: char, before: Option<char>, after: Option<char>) -> u64 {
    let between = |is: fn(char) -> bool| before.is_some_and(is) && after.is_some_and(is);
    match sign {
        // The hyphen of a word, and the colon of a time.
        '-' if between(is_letter) => 0,
        ':' | '：' if between(is_digit) => 0,
        ',' | '，' | '、' | '(' | ')' | '（' | '）' | '[' | ']' | '【' | '】' | '“' | '”' | '"'
        | '「' | '」' | '《' | '》' => COMMA_MS,
        '.' | '。' | '．' | '…' => STOP_MS,
        '?' | '!' | '？' | '！' => QUESTION_MS,
        ':' | ';' | '：' | '；' | '-' | '–' | '—' => COLON_MS,
        '%' | '％' => PERCENT_MS,
        // An apostrophe, or the mark of a quotation.
        '\'' | '’' | '‘' if between(is_letter) => 0,
        '\'' | '’' | '‘' => QUOTE_MS,
        '<' | '>' | '_' | '^' | '|' | '\u{0}'..='\u{20}' => 0,
        '!'..='~' | '¡'..='¿' | '€' | '￥' => SIGN_MS,
        sign if sign.is_whitespace() || sign.is_control() => 0,
        _ => SYMBOL_MS,
    }
}

/// How long a letter or a number takes of which no word is made, as `Ⅷ`, `Ⓐ`, `ﬁ` and signs of scripts that are read one by one: by its name,
/// and the longest of its block.
fn named_ms(c: char) -> Option<u64> {
    // Letters of words are told by this alone.
    if c < '\u{17f}' && c != 'µ' {
        return None;
    }
    Some(match c {
        'µ' => 740,
        // The long s, and letters beside others.
        '\u{17f}' => 1_220,
        '\u{2b0}'..='\u{2ff}' => 800,
        // Thai and Lao; Ethiopic; Cherokee and the syllables of Canada.
        '\u{e00}'..='\u{eff}' => 1_400,
        '\u{1200}'..='\u{139f}' => 2_100,
        '\u{13a0}'..='\u{16ff}' => 1_550,
        // Letters of phonetics, and those that are like letters.
        '\u{1d00}'..='\u{1dbf}' => 1_320,
        '\u{2100}'..='\u{214f}' => 1_480,
        // Roman numerals and fractions, and what stands in a ring.
        '\u{2150}'..='\u{218b}' => 1_620,
        '\u{2460}'..='\u{24ff}' => 1_400,
        '\u{2c00}'..='\u{2dff}' => 1_400,
        // Signs of Chinese and Japanese, kana, bopomofo, single letters of Korean, and several in one.
        '\u{3005}'..='\u{3007}' => 1_680,
        '\u{3040}'..='\u{312f}' => 860,
        '\u{3130}'..='\u{318f}' => 1_020,
        '\u{31f0}'..='\u{31ff}' => 1_620,
        '\u{3200}'..='\u{33ff}' => 940,
        '\u{a000}'..='\u{abff}' => 1_600,
        '\u{fb00}'..='\u{fb06}' => 1_460,
        '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}' => 1_480,
        '\u{ff61}'..='\u{ff9f}' => 1_620,
        '\u{1d400}'..='\u{1d7cb}' => 1_740,
        _ => return None,
    })
}

/// Whether a character is a syllable by itself.
fn is_syllable(c: char) -> bool {
    // Letters of Latin text are told by this alone.
    c >= '\u{3400}'
        && matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

fn is_digit(c: char) -> bool {
    c.is_numeric() && !is_syllable(c) && named_ms(c).is_none()
}

fn is_letter(c: char) -> bool {
    c.is_alphabetic() && !is_syllable(c) && named_ms(c).is_none()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{is_numeral, measured_ms, speech_ms};

    proptest! {
        #[test]
        fn what_is_told_at_a_glance_is_what_a_closer_look_tells(text in "[abWwXyRIV7.,:%$ 中éµⅧﬁ’ㄅ-]{0,24}|\\PC{0,12}") {
            prop_assert_eq!(speech_ms(&text), measured_ms(&text, |_| None));
        }

        #[test]
        fn a_text_never_takes_longer_than_its_parts(text in "[ab7WI.,:%$ 中éµⅧﬁ’ㄅ-]{0,12}", at in 0usize..12) {
            splits(&text, at)?;
        }

        #[test]
        fn nor_do_numerals_and_other_scripts(text in "[IVXLCDMWaéÉбαא ]{0,8}", at in 0usize..8) {
            splits(&text, at)?;
        }
    }

    fn splits(text: &str, at: usize) -> Result<(), TestCaseError> {
        let at = text.char_indices().nth(at).map_or(text.len(), |(at, _)| at);
        let (one, other) = text.split_at(at);
        prop_assert!(
            speech_ms(text) <= speech_ms(one) + speech_ms(other),
            "{one:?} {other:?}"
        );
        Ok(())
    }

    #[test]
    fn roman_numerals_are_told_from_other_capitals() {
        for numeral in ["I", "IV", "XVIII", "MMXXVI", "LXXXVIII", "MCMXCIX", "CD"] {
            assert!(is_numeral(numeral), "{numeral}");
        }
        for word in ["", "IIII", "VX", "DVD", "ID", "LCD", "xi", "MILD", "IC"] {
            assert!(!is_numeral(word), "{word}");
        }
    }

    /// What espeak-ng 1.51 takes for them in American English, with 160 words a minute. Milliseconds.
    #[test]
    fn numerals_and_letters_by_their_names_count_as_no_less_than_they_take() {
        for (text, spoken) in [
            ("II", 998),
            ("XI", 1159),
            ("XX", 1218),
            ("XXI", 1531),
            ("XVIII", 1084),
            ("XLVIII", 1323),
            ("CLXXXV", 1790),
            ("MMXXVI XLVIII LXXXVIII", 3650),
            ("Louis XIV", 1463),
            ("α", 810),
            ("α β γ δ", 1808),
            ("é", 902),
            ("ß", 995),
            ("é è ü ñ ç ß", 3602),
            ("µ", 538),
            ("µm", 723),
            ("Ⅷ", 1572),
            ("Ⓐ", 1357),
            ("‘a’", 432),
            ("ﬁnd", 510),
            ("ﬃ", 1414),
            ("ㄅ", 804),
            ("カ", 836),
            ("ｶ", 1595),
            ("Ａ", 1432),
            ("々", 1656),
            ("㎏", 905),
            ("ʰ", 696),
            ("ℕ", 1441),
            ("ก", 1372),
            ("ሀ", 2091),
            ("𝐀", 1704),
        ] {
            let counted = speech_ms(text);
            assert!(counted >= spoken, "{text}: {counted} of {spoken} ms");
            assert!(
                counted <= spoken * 5 / 2 || text.starts_with(['ﬁ']),
                "{text}: {counted} of {spoken} ms"
            );
        }
    }
}
