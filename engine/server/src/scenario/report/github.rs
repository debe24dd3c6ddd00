//! Annotations of GitHub Actions: a workflow command a line.

use strowger_flow::unseen::in_its_lines;

use crate::scenario::run::{TestResult, Verdict};

/// An `::error` per failure, on the line of the flow that failed, and a `::notice` with the totals.
pub fn github(results: &[TestResult]) -> String {
    let mut text = String::new();
    for test in results {
        if let Verdict::Failed { miss, .. } = &test.verdict {
            let help = miss.help.as_ref().map(|help| format!("\nhelp: {help}"));
            let message = format!(
                "expected {}\ngot {}{}",
                miss.expected,
                miss.got.join("\n    "),
                help.unwrap_or_default()
            );
            text.push_str(&format!(
                "::error file={},line={},title={}::{}\n",
                property(&test.file),
                miss.line,
                property(&format!("{} › {}", test.flow, test.name)),
                data(&message)
            ));
        }
    }
    let (passed, failed, skipped) = super::totals(results);
    text.push_str(&format!(
        "::notice title=strowger test::{passed} passed, {failed} failed, {skipped} skipped\n"
    ));
    text
}

/// A command's message: what ends a line is written in percent, as the runner decodes it. Its log is read on terminals, too.
pub(crate) fn data(text: &str) -> String {
    in_its_lines(&text.replace('\r', "\n"))
        .replace('%', "%25")
        .replace('\n', "%0A")
}

/// A command's property: the characters that end one, too.
pub(crate) fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::property;

    #[test]
    fn a_name_cannot_end_its_property() {
        assert_eq!(property("a: 50 %,\nb"), "a%3A 50 %25%2C%0Ab");
    }
}
