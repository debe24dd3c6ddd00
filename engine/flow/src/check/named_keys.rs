//! The keys of a telephone that a text asks to press, in English or Chinese, as far as that is certain.

use crate::wide::narrow;

/// Keys that a text asks to press; nothing is made of a text that asks for none.
pub(super) fn spoken_keys(text: &str) -> Vec<&'static str> {
    let mut keys = Vec::new();
    english(text, &mut keys);
    chinese(text, &mut keys);
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Words that ask for a key.
const ASKING: [&str; 6] = ["press", "dial", "choose", "select", "push", "hit"];

/// Words that may stand between one of those and its key.
const BETWEEN: [&str; 5] = ["the", "key", "button", "number", "option"];

/// Words behind a number that is no key.
const COUNTED: [&str; 8] = [
    "times", "time", "seconds", "second", "minutes", "minute", "digits", "of",
];

/// Words before a number that is no key.
const RANGED: [&str; 9] = [
    "until", "till", "before", "after", "by", "at", "than", "to", "from",
];

fn english(text: &str, keys: &mut Vec<&'static str>) {
    let asks = |word: &str| ASKING.iter().any(|one| word.eq_ignore_ascii_case(one));
    // What was said of the last key of the sentence: whether what it is for stands behind it, or before.
    let (mut behind, mut before) = (false, false);
    let mut rest = text;
    let mut last = "";
    while let Some((word, end)) = next(rest) {
        let sign = rest[..end].trim_start_matches(' ');
        let gap = &sign[..sign.len() - word.len()];
        if gap.contains(['.', '!', '?', '\n']) {
            (behind, before) = (false, false);
        }
        rest = &rest[end..];
        if asks(word) {
            let mut from = rest;
            while let Some((word, end)) = next(from)
                && BETWEEN.iter().any(|one| word.eq_ignore_ascii_case(one))
            {
                from = &from[end..];
            }
            // Without `press` the number may be one of things: `choose 3 of them`.
            let sure = word.eq_ignore_ascii_case("press");
            if let Some((key, after)) = key_at(from)
                && (sure || ends(after))
            {
                keys.push(key);
                behind = follows(after, "for");
                before |= last.eq_ignore_ascii_case("for") || for_before(text, rest, word);
                rest = after;
                alternatives(&mut rest, keys);
            }
        } else if let Some(key) = key_named(word)
            && (behind || before)
            && !RANGED.iter().any(|one| last.eq_ignore_ascii_case(one))
        {
            let listed = gap.contains([',', ';']) || matches!(last, "or" | "and");
            let next_for = listed && behind && follows(rest, "for");
            let clause = before && for_before(text, rest, word) && ends(rest);
            if next_for || clause {
                keys.push(key);
            }
        }
        last = word;
    }
}

/// The next word of a text, and how many bytes it and what stands before it have.
fn next(text: &str) -> Option<(&str, usize)> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '*' | '#');
    let start = text.find(is_word)?;
    let length = text[start..].find(|c| !is_word(c));
    let end = length.map_or(text.len(), |length| start + length);
    Some((&text[start..end], end))
}

/// The key that a text begins with behind a blank, and what stands behind it.
fn key_at(text: &str) -> Option<(&'static str, &str)> {
    let (word, end) = next(text)?;
    let gap = &text[..end - word.len()];
    let key =
        key_named(word).filter(|_| gap.trim_matches([' ', '"', '\'', '“', '‘']).is_empty())?;
    let after = &text[end..];
    // More of it is a number that is dialled, or of things.
    let goes_on = after
        .strip_prefix(['-', '.'])
        .is_some_and(|more| more.starts_with(|c: char| c.is_ascii_alphanumeric()));
    let counted = COUNTED.iter().any(|one| follows(after, one));
    (!goes_on && !counted).then_some((key, after))
}

/// Whether a word is what a text goes on with, without a sign between.
fn follows(text: &str, word: &str) -> bool {
    next(text).is_some_and(|(next, end)| {
        next.eq_ignore_ascii_case(word) && text[..end - next.len()].trim().is_empty()
    })
}

/// Whether a key ends what is said of it.
fn ends(after: &str) -> bool {
    let sign = after.trim_start();
    let word = ["for", "to", "if", "or", "and"]
        .iter()
        .any(|one| follows(after, one));
    sign.is_empty() || word || sign.starts_with([',', '.', ';', '!', '?'])
}

/// Whether the clause in which a word stands begins with `for`: `word` stands right before `rest` in `text`.
fn for_before(text: &str, rest: &str, word: &str) -> bool {
    let head = &text[..text.len() - rest.len() - word.len()];
    let from = head
        .rfind([',', '.', ';', '!', '?', ':'])
        .map_or(0, |at| at + 1);
    let clause = head[from..].trim();
    let clause = clause
        .strip_prefix("and ")
        .or(clause.strip_prefix("or "))
        .unwrap_or(clause);
    let words = clause.split(' ').count();
    let first = clause
        .get(..4)
        .is_some_and(|first| first.eq_ignore_ascii_case("for "));
    first && (2..=6).contains(&words) && !clause.contains(|c: char| c.is_ascii_digit())
}

/// Keys that stand behind another one: `press 1 or 2`.
fn alternatives(rest: &mut &str, keys: &mut Vec<&'static str>) {
    while follows(rest, "or")
        && let Some((_, end)) = next(rest)
        && let Some((key, after)) = key_at(&rest[end..])
        && ends(after)
    {
        keys.push(key);
        *rest = after;
    }
}

/// Digits, as keys are called.
const DIGITS: [(&str, &str); 10] = [
    ("0", "zero"),
    ("1", "one"),
    ("2", "two"),
    ("3", "three"),
    ("4", "four"),
    ("5", "five"),
    ("6", "six"),
    ("7", "seven"),
    ("8", "eight"),
    ("9", "nine"),
];

fn key_named(word: &str) -> Option<&'static str> {
    let is = |name: &str| word.eq_ignore_ascii_case(name);
    match word {
        "*" => return Some("*"),
        "#" => return Some("#"),
        _ if is("star") => return Some("*"),
        _ if is("hash") || is("pound") => return Some("#"),
        _ => {}
    }
    let mut digits = DIGITS.iter();
    let key = digits.find(|(digit, name)| word == *digit || is(name));
    key.map(|(digit, _)| *digit)
}

fn chinese(text: &str, keys: &mut Vec<&'static str>) {
    for (at, matched) in text.match_indices(['按', '拨', '选']) {
        let mut rest = &text[at + matched.len()..];
        for between in ["择", "下", "键", "数字", "「", "“", "\""] {
            rest = rest.trim_start();
            rest = rest.strip_prefix(between).unwrap_or(rest);
        }
        // A choice may be one of things, so a sign or the word for a key has to follow.
        let sure = matched != "选";
        let Some((key, after)) = chinese_key(rest) else {
            continue;
        };
        if !sure && !chinese_ends(after) {
            continue;
        }
        keys.push(key);
        // `按一或二`.
        let mut rest = after;
        while let Some(more) = rest.trim_start().strip_prefix(['、', '或'])
            && let Some((key, after)) = chinese_key(more.strip_prefix('者').unwrap_or(more))
            && (chinese_ends(after) || after.trim_start().starts_with(['、', '或']))
        {
            keys.push(key);
            rest = after;
        }
    }
}

/// The key that a text begins with, and what stands behind it.
fn chinese_key(text: &str) -> Option<(&'static str, &str)> {
    let text = text.trim_start();
    let first = text.chars().next()?;
    let key = match narrow(first) {
        '零' => "0",
        '一' => "1",
        '二' => "2",
        '三' => "3",
        '四' => "4",
        '五' => "5",
        '六' => "6",
        '七' => "7",
        '八' => "8",
        '九' => "9",
        '星' | '*' => "*",
        '米' if text.starts_with("米字键") => "*",
        '井' | '#' => "#",
        digit => DIGITS.iter().find(|(name, _)| name.starts_with(digit))?.0,
    };
    let after = &text[first.len_utf8()..];
    // More digits are a number that is dialled, and `拨一个电话` names no key.
    let more = after.chars().next().map(narrow);
    let goes_on =
        more.is_some_and(|more| more.is_ascii_digit() || matches!(more, '个' | '次' | '通' | '下'));
    (!goes_on).then_some((key, after))
}

/// Whether nothing more is said of a key.
fn chinese_ends(after: &str) -> bool {
    let after = after.trim_start();
    let sign = |c: char| {
        matches!(
            narrow(c),
            ',' | '.' | ';' | '!' | '?' | '。' | '」' | '”' | '"'
        )
    };
    after.is_empty()
        || after.starts_with('键')
        || after.starts_with("号键")
        || after.starts_with(sign)
}

#[cfg(test)]
mod tests {
    use super::spoken_keys;

    #[test]
    fn keys_are_named_in_many_ways() {
        for (text, keys) in [
            ("Press 1 for sales, 2 for support.", "1 2"),
            (
                "Press one for sales, two for support, or three for a person.",
                "1 2 3",
            ),
            (
                "For sales press 1, for support 2, for all else choose 3 or dial 4.",
                "1 2 3 4",
            ),
            ("Press * to leave, press # to stay.", "# *"),
            ("Press the star key.", "*"),
            ("PRESS 7!", "7"),
            ("Press 1 or 2.", "1 2"),
            ("buy, press 2", "2"),
            ("Enter your number, or press star for a person.", "*"),
            (
                "查询请按一，人工请按零，按３返回，退出请按星号键。",
                "* 0 1 3",
            ),
            ("请按一或二。", "1 2"),
            ("请按 1、2 或 3。", "1 2 3"),
            ("请选择三。", "3"),
            ("请按下数字「５」。", "5"),
            ("请按米字键。", "*"),
        ] {
            assert_eq!(spoken_keys(text).join(" "), keys, "{text}");
        }
    }

    #[test]
    fn other_numbers_are_no_keys() {
        for text in [
            "",
            "You may choose 3 of our gifts.",
            "Dial 9-1-1, or 400 800.",
            "Enter 4 to 6 digits, then hash.",
            "We are open for 2 hours, for you at 3.",
            "It takes 5 minutes. For you, 7 more.",
            "Press it 2 times.",
            "请拨一个电话，或者选一种。",
            "请拨10086。",
            "按一下。",
            "选择一家店。",
        ] {
            assert_eq!(spoken_keys(text), Vec::<&str>::new(), "{text}");
        }
        for (text, keys) in [
            ("Press 1 for orders after 5, for us.", "1"),
            ("For sales press 1, for orders before 6, press 2.", "1 2"),
            ("Press 1 for 2 tickets, and 3 more.", "1"),
        ] {
            assert_eq!(spoken_keys(text).join(" "), keys, "{text}");
        }
    }
}
