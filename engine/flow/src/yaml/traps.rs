//! Where exactly a well-known slip stands.

use super::read::MAX_KEY;
use crate::diagnostic::line_start;
use crate::expr::Span;

/// Where the line of a byte ends: before the sign or the two that end it.
fn line_end(source: &str, at: usize) -> usize {
    let rest = &source[at..];
    let line = rest.split('\n').next().unwrap_or_default();
    at + line.strip_suffix('\r').unwrap_or(line).len()
}

/// The whole `${ … }` that begins at `at`, on its own line.
pub(super) fn braces(source: &str, at: usize) -> Span {
    let line = line_end(source, at);
    let mut depth = 0usize;
    for (index, byte) in source[at..line].bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Span {
                        start: at,
                        end: at + index + 1,
                    };
                }
            }
            _ => {}
        }
    }
    Span {
        start: at,
        end: line,
    }
}

/// Signs that people, keyboards and word processors write for quotes.
const QUOTES: [char; 17] = [
    '“', '”', '„', '‟', '‘', '’', '‚', '«', '»', '「', '」', '『', '』', '＂', '＇', '"', '\'',
];

/// A place with the quotes right before and behind it.
pub(super) fn with_quotes(source: &str, at: Span) -> Span {
    let before = source[..at.start].trim_end_matches(QUOTES);
    let after = source[at.end..].trim_start_matches(QUOTES);
    Span {
        start: before.len(),
        end: source.len() - after.len(),
    }
}

/// The first line that is none of a flow's: a mark of git where two versions differ, or the fence around code in a page.
pub(super) fn foreign_line(source: &str) -> Option<Span> {
    let mut start = 0;
    for line in source.split_inclusive('\n') {
        let text = line.trim_end();
        let mark = ["<<<<<<< ", "=======", ">>>>>>> ", "|||||||", "```", "~~~"];
        let marks = mark.iter().any(|mark| match *mark {
            "=======" => text == "=======",
            mark => text.starts_with(mark),
        });
        if marks {
            let end = start + text.len();
            return Some(Span { start, end });
        }
        start += line.len();
    }
    None
}

/// Whether a comment after `before` looks like the tail of a text: `Press #`, `Order #5`,
/// `${order # x}`. A comment that is meant has a blank after its `#`.
pub(super) fn cuts(before: &str, comment: &str) -> bool {
    let value = before.split_once(": ").map_or(before, |(_, value)| value);
    let value = value.trim().trim_start_matches("- ");
    let value = match value.starts_with(['[', '{']) {
        true => last_value(value),
        false => value,
    };
    let open = before.matches("${").count() > before.matches('}').count();
    // Chinese has no blanks: one word may be a whole sentence.
    let plain = !value.is_empty()
        && !value.starts_with(['"', '\'', '[', '{', '|', '>', '&', '*', '!'])
        && !value.ends_with([',', '{', '[', '}', ']', ':']);
    let glued = comment.is_empty() || comment.starts_with(|c: char| c.is_alphanumeric());
    open || (plain && glued)
}

/// The `#` of a comment, with what stands between it and its colon, where it reads like `#: a_target` on a line of its own or behind a
/// bracket.
pub(super) fn hash_key(source: &str, comment: Span) -> Option<Span> {
    let text = source.get(comment.start..comment.end)?;
    let behind = text.strip_prefix('#')?.trim_start_matches(' ');
    let target = behind.strip_prefix(':')?;
    let start = line_start(source, comment.start);
    let before = source[start..comment.start].trim();
    if !(before.is_empty() || before.ends_with(['{', ','])) {
        return None;
    }
    let column = comment.start - start;
    if target.starts_with(|c: char| !c.is_whitespace()) {
        return None;
    }
    let target = target.split_once(" #").map_or(target, |(target, _)| target);
    let is_target = match target.trim() {
        // What belongs to the key stands in the next lines.
        "" => {
            let mut below = source[comment.end..].lines().skip(1);
            let below = below.find(|line| !line.trim().is_empty())?;
            below.len() - below.trim_start_matches(' ').len() > column
        }
        target => {
            let named = target.trim_end_matches([' ', ',', '}']);
            let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
            target.starts_with("{ ") || (!named.is_empty() && named.chars().all(is_name))
        }
    };
    is_target.then(|| Span {
        start: comment.start,
        end: comment.start + text.len() - behind.len(),
    })
}

/// The comment on the line of a byte that looks like the tail of a text.
pub(super) fn cut_near(source: &str, at: usize) -> Option<Span> {
    let start = line_start(source, at);
    let end = line_end(source, at).max(start);
    let line = &source[start..end];
    let marks = line.match_indices(" #").map(|(mark, _)| mark + 1);
    let mut cut = marks.filter(|mark| cuts(&line[..*mark], &line[mark + 1..]));
    cut.next().map(|mark| Span {
        start: start + mark,
        end,
    })
}

/// The last value of a one-line map or list that goes on; nothing when that is in quotes.
fn last_value(line: &str) -> &str {
    let last = line.rsplit([',', '[', '{']).next().unwrap_or_default();
    let last = last
        .split_once(": ")
        .map_or(last, |(_, value)| value)
        .trim();
    match last.ends_with(['"', '\'']) {
        true => "",
        false => last,
    }
}

/// The word at a byte, or the one character there.
pub(super) fn token_at(source: &str, at: usize) -> Span {
    let rest = &source[at..];
    let length: usize = rest
        .chars()
        .take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
        .map(char::len_utf8)
        .sum();
    let length = if length == 0 {
        rest.chars()
            .next()
            .filter(|c| !matches!(c, '\n' | '\r'))
            .map_or(0, char::len_utf8)
    } else {
        length
    };
    Span {
        start: at,
        end: at + length,
    }
}

/// The tab that a complaint at a byte is about: on its line, or in the indentation of the next line that has one; a
/// text over several lines is complained about at its beginning.
pub(super) fn tab_near(source: &str, at: usize) -> Option<Span> {
    let mut line = line_start(source, at);
    let end = line_end(source, at).max(line);
    if let Some(tab) = source[line..end].find('\t') {
        return Some(tabs(source, line + tab));
    }
    line = source[end..]
        .find('\n')
        .map_or(source.len(), |line| end + line + 1);
    while line < source.len() {
        if let Some(tab) = tab_indent(source, line) {
            return Some(tab);
        }
        line += source[line..]
            .find('\n')
            .map_or(source.len(), |end| end + 1);
    }
    None
}

/// A tab and those right behind it: they are one indentation, and one finding.
fn tabs(source: &str, start: usize) -> Span {
    let count = source[start..]
        .bytes()
        .take_while(|byte| *byte == b'\t')
        .count();
    Span {
        start,
        end: (start + count.max(1)).min(source.len()),
    }
}

/// A tab among the blanks before a byte's line: the likely cause of any other complaint there.
pub(super) fn tab_indent(source: &str, at: usize) -> Option<Span> {
    let line = line_start(source, at);
    let blanks = source[line..]
        .bytes()
        .take_while(|byte| matches!(byte, b' ' | b'\t'));
    let tab = blanks.into_iter().position(|byte| byte == b'\t')?;
    Some(tabs(source, line + tab))
}

/// A `*` at or just before a byte.
pub(super) fn star_near(source: &str, at: usize) -> Option<Span> {
    [at, at.wrapping_sub(1)]
        .into_iter()
        .find(|index| source.as_bytes().get(*index) == Some(&b'*'))
        .map(|start| Span {
            start,
            end: start + 1,
        })
}

/// Whether a `*` with a blank behind it begins a line, as it does an item of a list in other texts. And whether the lines beside it, as
/// far to the right, are items of a list.
pub(super) fn star_item(source: &str, star: usize) -> Option<bool> {
    let (start, end) = (line_start(source, star), line_end(source, star).max(star));
    let behind = source[star + 1..end].strip_prefix(' ')?.trim_start();
    let margin = &source[start..star];
    if !margin.bytes().all(|byte| byte == b' ') || behind.is_empty() || behind.starts_with(':') {
        return None;
    }
    let item = |line: Option<&str>| {
        let rest = line.and_then(|line| line.strip_prefix(margin));
        rest.is_some_and(|rest| rest.starts_with("- "))
    };
    let above = source[..start].lines().next_back();
    let below = source[end..].lines().nth(1);
    Some(item(above) || item(below))
}

/// The `*` on the line of a byte that stands where a key may begin, with a colon behind it.
pub(super) fn star_key(source: &str, at: usize) -> Option<usize> {
    let start = line_start(source, at);
    let end = line_end(source, at).max(start);
    let line = &source[start..end];
    let mut stars = line.match_indices('*').map(|(star, _)| star);
    let star = stars.find(|star| {
        let (before, behind) = (&line[..*star], line[star + 1..].trim_start_matches(' '));
        let begins = before.trim_end_matches([' ', '-']).is_empty()
            || before.trim_end().ends_with(['{', ',']);
        let quotes = before.matches(['"', '\'']).count();
        begins && quotes.is_multiple_of(2) && behind.starts_with(':')
    })?;
    Some(start + star)
}

/// The key before a colon at a byte, when it is longer than YAML takes one for; with its characters.
pub(super) fn long_key(source: &str, colon: usize) -> Option<(Span, usize)> {
    let before = source.get(..colon)?;
    if !source[colon..].starts_with(':') {
        return None;
    }
    let line = before.rfind('\n').map_or(0, |end| end + 1);
    let text = &before[line..];
    if text.len() <= MAX_KEY {
        return None;
    }
    let text = text.trim_end();
    let start = match text.chars().next_back()? {
        quote @ ('"' | '\'') => text[..text.len() - 1].rfind(quote)?,
        _ => {
            let open = text.rfind(['{', '[', ',']).map_or(0, |at| at + 1);
            let rest = text[open..].trim_start_matches([' ', '-']);
            text.len() - rest.len()
        }
    };
    let (ahead, key) = text.split_at(start);
    let chars = key.chars().count();
    // What stands behind another key is that one's value.
    let begins = ahead.trim_end_matches([' ', '-']);
    let begins = begins.is_empty() || begins.ends_with(['{', '[', ',']);
    (chars > MAX_KEY && begins && !key.contains(": ")).then(|| {
        let span = Span {
            start: line + start,
            end: line + text.len(),
        };
        (span, chars)
    })
}
