//! Digits in all scripts, and those that are said in English.

/// The noughts of Unicode's decimal digits (general category Nd, Unicode 16); the nine others follow each.
const NOUGHTS: [u32; 76] = [
    0x30, 0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66,
    0xde6, 0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90,
    0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
    0x104a0, 0x10d30, 0x10d40, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0,
    0x11650, 0x116c0, 0x116d0, 0x116da, 0x11730, 0x118e0, 0x11950, 0x11bf0, 0x11c50, 0x11d50,
    0x11da0, 0x11f50, 0x16130, 0x16a60, 0x16ac0, 0x16b50, 0x16d70, 0x1ccf0, 0x1d7ce, 0x1d7d8,
    0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e5f1, 0x1e950, 0x1fbf0,
];

/// The digit that a letter is, in any script; in Chinese those too that stand in numbers read out digit by digit.
pub(super) fn digit(letter: char) -> Option<char> {
    if letter.is_ascii() {
        return Some(letter).filter(char::is_ascii_digit);
    }
    let value = match letter {
        '零' | '〇' => 0,
        '一' | '幺' => 1,
        '二' | '两' | '兩' => 2,
        '三' => 3,
        '四' => 4,
        '五' => 5,
        '六' => 6,
        '七' => 7,
        '八' => 8,
        '九' => 9,
        letter => {
            let letter = u32::from(letter);
            let after = NOUGHTS.partition_point(|nought| *nought <= letter);
            letter - NOUGHTS.get(after.checked_sub(1)?)?
        }
    };
    char::from_digit(value, 10)
}

/// The digit that an English word says where a number is told digit by digit.
pub(super) fn said(word: &str) -> Option<char> {
    const SAID: [(&str, char); 14] = [
        ("zero", '0'),
        ("nought", '0'),
        ("naught", '0'),
        ("oh", '0'),
        ("o", '0'),
        ("one", '1'),
        ("two", '2'),
        ("three", '3'),
        ("four", '4'),
        ("five", '5'),
        ("six", '6'),
        ("seven", '7'),
        ("eight", '8'),
        ("nine", '9'),
    ];
    let said = SAID
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(word));
    said.map(|(_, digit)| *digit)
}

/// How often an English word says that the digit behind it comes: `double seven`.
pub(super) fn times(word: &str) -> Option<usize> {
    match word {
        _ if word.eq_ignore_ascii_case("double") => Some(2),
        _ if word.eq_ignore_ascii_case("triple") || word.eq_ignore_ascii_case("treble") => Some(3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{NOUGHTS, digit};

    #[test]
    fn digits_of_all_scripts_are_digits_and_nothing_else_is() {
        assert!(NOUGHTS.is_sorted());
        for nought in NOUGHTS {
            let ten = (nought..nought + 10).filter_map(char::from_u32);
            assert_eq!(ten.filter_map(digit).collect::<String>(), "0123456789");
        }
        for (text, digits) in [
            ("१३७००१३७९९९", "13700137999"),
            ("１３７٠٠۱۳۷", "13700137"),
            ("零〇一幺二两三四五六七八九", "0011223456789"),
        ] {
            assert_eq!(text.chars().filter_map(digit).collect::<String>(), digits);
        }
        assert_eq!("/:a十百½①Ⅳ".chars().filter_map(digit).count(), 0);
    }
}
