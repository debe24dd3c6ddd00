//! Where a test stands in the file of its flow.

use strowger_flow::diagnostic::line_start;
use strowger_flow::document;
use strowger_flow::editor::keys_below;

/// The key below which tests stand.
const TESTS: &str = "tests";

/// A file with a case in it.
#[derive(Debug, PartialEq, Eq)]
pub struct Placed {
    /// The text of the file.
    pub text: String,
    /// The case as it stands there, as far to the right as the tests that there are.
    pub case: String,
}

/// Whether there is a test of this name in a flow's file.
pub fn has_case(source: &str, name: &str) -> bool {
    keys_below(source, &[TESTS])
        .iter()
        .any(|(there, _)| there == name)
}

/// The text of a flow's file with a case below `tests:`; none where what stands there is no block that takes another one.
pub fn with_case(source: &str, case: &str) -> Option<Placed> {
    let (document, _) = document("", source.as_bytes());
    let spans = document.as_ref().and_then(|document| {
        let (key, value) = (document.key(&[TESTS])?, document.span(&[TESTS])?);
        Some((key, value))
    });
    let Some((key, value)) = spans else {
        let mut text = source.to_owned();
        end_line(&mut text);
        text.push_str("\ntests:\n");
        text.push_str(case);
        let case = case.to_owned();
        return Some(Placed { text, case });
    };
    if let Some((_, first)) = keys_below(source, &[TESTS]).first() {
        let line = line_start(source, first.start);
        let before = &source[line..first.start];
        let blanks = before.trim_end_matches(['"', '\'']);
        if blanks.is_empty() || blanks.bytes().any(|byte| byte != b' ') {
            return None;
        }
        let case = moved(case, blanks.len());
        let text = format!("{}{case}{}", &source[..line], &source[line..]);
        return Some(Placed { text, case });
    }
    // Nothing stands there, or that there is nothing.
    let written = source.get(value.start..value.end)?;
    let bare: String = written.chars().filter(|c| !c.is_whitespace()).collect();
    let rest = match bare.as_str() {
        "" => key.end,
        "{}" | "~" | "null" => value.end,
        _ => return None,
    };
    let kept = if rest == value.end { value.start } else { rest };
    let end = source[rest..]
        .find('\n')
        .map_or(source.len(), |break_at| rest + break_at + 1);
    let mut text = format!("{}{}", &source[..kept], &source[rest..end]);
    end_line(&mut text);
    text.push_str(case);
    text.push_str(&source[end..]);
    let case = case.to_owned();
    Some(Placed { text, case })
}

fn end_line(text: &mut String) {
    if !text.ends_with('\n') {
        text.push('\n');
    }
}

/// A case, which is made two blanks from the left, so many from there.
fn moved(case: &str, blanks: usize) -> String {
    let lines = case.split_inclusive('\n');
    lines
        .map(|line| {
            let line = line.strip_prefix("  ").unwrap_or(line);
            format!("{:blanks$}{line}", "")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{has_case, with_case};

    const CASE: &str = "  \"x\":\n    run: []\n";

    fn placed(source: &str) -> Option<String> {
        with_case(source, CASE).map(|placed| placed.text)
    }

    #[test]
    fn a_case_goes_below_tests_wherever_they_stand() {
        for (source, expected) in [
            ("flow: a\n", format!("flow: a\n\ntests:\n{CASE}")),
            ("flow: a", format!("flow: a\n\ntests:\n{CASE}")),
            (
                "flow: a\ntests:   # all\n  y: {}\nvars: {}",
                format!("flow: a\ntests:   # all\n{CASE}  y: {{}}\nvars: {{}}"),
            ),
            (
                "\u{feff}flow: a\n\"tests\":\n  \"y\": {}\n",
                format!("\u{feff}flow: a\n\"tests\":\n{CASE}  \"y\": {{}}\n"),
            ),
            ("flow: a\ntests:", format!("flow: a\ntests:\n{CASE}")),
            ("tests: {}\nflow: a\n", format!("tests: \n{CASE}flow: a\n")),
            (
                "tests: { } # none\nflow: a\n",
                format!("tests:  # none\n{CASE}flow: a\n"),
            ),
        ] {
            assert_eq!(
                placed(source).as_deref(),
                Some(expected.as_str()),
                "{source}"
            );
        }
    }

    #[test]
    fn a_case_stands_below_the_others_as_they_do() {
        let placed = with_case("tests:\n    'y':\n        run: []\n", CASE).expect("a block");
        assert_eq!(placed.case, "    \"x\":\n      run: []\n");
        assert_eq!(
            placed.text,
            "tests:\n    \"x\":\n      run: []\n    'y':\n        run: []\n"
        );
    }

    #[test]
    fn what_is_no_block_takes_no_case() {
        for source in ["flow: a\ntests: { y: {} }\n", "flow: a\ntests: none\n"] {
            assert_eq!(placed(source), None, "{source}");
        }
    }

    #[test]
    fn a_name_is_there_however_it_is_written() {
        let source = "tests:\n  \"a \\\"b\\\"\": {}\n  late: {}\n";
        for (name, there) in [("a \"b\"", true), ("late", true), ("tests", false)] {
            assert_eq!(has_case(source, name), there, "{name}");
        }
    }
}
