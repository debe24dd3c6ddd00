//! Did you mean …?

use crate::diagnostic::Text;
use crate::expr::suggest::distance;

/// Most names shown when nothing is near.
const MAX_SHOWN: usize = 24;

/// Longest names that are compared: the comparison costs the product of both lengths.
const MAX_COMPARED: usize = 64;

/// The name nearest to a misspelt one, if one is near enough to be a slip: a third of the letters.
pub(crate) fn nearest<'n>(
    written: &str,
    names: impl IntoIterator<Item = &'n str>,
) -> Option<&'n str> {
    let wanted: Vec<char> = written.chars().collect();
    let length = wanted.len();
    if length == 0 || length > MAX_COMPARED {
        return None;
    }
    let allowed = (length / 3).max(1);
    names
        .into_iter()
        .filter(|name| {
            name.len() <= MAX_COMPARED && name.len().abs_diff(written.len()) <= 3 * allowed
        })
        .map(|name| (name.chars().collect::<Vec<char>>(), name))
        .map(|(letters, name)| (distance(&wanted, &letters), letters.len(), name))
        .filter(|(distance, length, _)| distance <= &allowed && distance < length)
        .min_by_key(|(distance, _, name)| (*distance, *name))
        .map(|(_, _, name)| name)
}

/// As many of the names as [`shown`] looks at: of a large flow that is full of typing errors, no finding takes them all.
pub(crate) fn some<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    names.take(MAX_SHOWN + 1).map(str::to_owned).collect()
}

/// Names for a help line: the first few, each in backticks.
pub(crate) fn shown<S: AsRef<str>>(names: &[S]) -> Text {
    Text::both(quoted(names, ", "), quoted(names, "、"))
}

/// All names for a label, which has no room for more than them.
pub(crate) fn plain(names: &[String]) -> Text {
    Text::both(names.join(", "), quoted(names, "、"))
}

fn quoted<S: AsRef<str>>(names: &[S], comma: &str) -> String {
    let mut shown: Vec<String> = names
        .iter()
        .take(MAX_SHOWN)
        .map(|name| format!("`{}`", name.as_ref()))
        .collect();
    if names.len() > MAX_SHOWN {
        shown.push("…".to_owned());
    }
    shown.join(comma)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_found_and_a_stranger_is_not() {
        let names = ["lookup", "status", "hello"];
        assert_eq!(nearest("loookup", names), Some("lookup"));
        assert_eq!(nearest("helo", names), Some("hello"));
        assert_eq!(nearest("tell", names), None);
        assert_eq!(nearest("sttaus", names), Some("status"));
        assert_eq!(nearest("", names), None);
    }
}
