//! Did you mean …?

/// Most names shown when nothing is near.
const MAX_SHOWN: usize = 24;

/// Longest names that are compared: the comparison costs the product of both lengths.
const MAX_COMPARED: usize = 64;

/// The name nearest to a misspelt one, if one is near enough to be a slip: a third of the letters.
pub(crate) fn nearest<'n>(
    written: &str,
    names: impl IntoIterator<Item = &'n str>,
) -> Option<&'n str> {
    let length = written.chars().count();
    if length == 0 || length > MAX_COMPARED {
        return None;
    }
    let allowed = (length / 3).max(1);
    names
        .into_iter()
        .filter(|name| {
            name.len() <= MAX_COMPARED && name.len().abs_diff(written.len()) <= 3 * allowed
        })
        .map(|name| (distance(written, name), name))
        .filter(|(distance, name)| *distance <= allowed && *distance < name.chars().count())
        .min_by_key(|(distance, name)| (*distance, *name))
        .map(|(_, name)| name)
}

/// Names for a help line: the first few, each in backticks.
pub(crate) fn shown<S: AsRef<str>>(names: &[S]) -> String {
    let mut shown: Vec<String> = names
        .iter()
        .take(MAX_SHOWN)
        .map(|name| format!("`{}`", name.as_ref()))
        .collect();
    if names.len() > MAX_SHOWN {
        shown.push("…".to_owned());
    }
    shown.join(", ")
}

/// Letters to insert, delete, replace or swap with their neighbour (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            row[j] = (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
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
