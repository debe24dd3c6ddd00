//! Where a test stands in the file of its flow.

/// The text of a flow's file with a case below `tests:`.
pub fn with_case(source: &str, case: &str) -> String {
    let mut text = String::with_capacity(source.len() + case.len() + 8);
    let mut placed = false;
    for line in source.split_inclusive('\n') {
        text.push_str(line);
        let bare = line.split('#').next().unwrap_or(line).trim_end();
        if !placed && bare == "tests:" {
            if !line.ends_with('\n') {
                text.push('\n');
            }
            text.push_str(case);
            placed = true;
        }
    }
    if !placed {
        if !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str("\ntests:\n");
        text.push_str(case);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::with_case;

    #[test]
    fn a_case_goes_below_tests_wherever_they_stand() {
        let case = "  \"x\":\n    run: []\n";
        assert_eq!(
            with_case("flow: a\n", case),
            format!("flow: a\n\ntests:\n{case}")
        );
        assert_eq!(
            with_case("flow: a\ntests:   # all\n  y: {}\nvars: {}", case),
            format!("flow: a\ntests:   # all\n{case}  y: {{}}\nvars: {{}}")
        );
    }
}
