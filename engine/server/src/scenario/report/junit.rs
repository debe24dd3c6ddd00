//! JUnit's XML, as CI servers read it.

use std::fmt::{self, Write as _};

use super::totals;
use crate::scenario::run::{TestResult, Verdict};

/// One `testsuite` per flow. There are no times in it: a contact in virtual time takes none.
pub fn junit(results: &[TestResult]) -> String {
    let mut xml = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut xml, results);
    xml
}

fn write(xml: &mut String, results: &[TestResult]) -> fmt::Result {
    let (_, failed, skipped) = totals(results);
    writeln!(xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        xml,
        "<testsuites name=\"strowger\" tests=\"{}\" failures=\"{failed}\" skipped=\"{skipped}\" errors=\"0\">",
        results.len()
    )?;
    for tests in results.chunk_by(|a, b| a.file == b.file) {
        let (_, failed, skipped) = totals(tests);
        writeln!(
            xml,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\" skipped=\"{skipped}\" errors=\"0\">",
            escaped(&tests[0].flow),
            tests.len()
        )?;
        for test in tests {
            write!(
                xml,
                "    <testcase name=\"{}\" classname=\"{}\" file=\"{}\" line=\"{}\"",
                escaped(&test.name),
                escaped(&test.flow),
                escaped(&test.file),
                test.line
            )?;
            match &test.verdict {
                Verdict::Passed => writeln!(xml, "/>")?,
                Verdict::Skipped(why) => {
                    writeln!(
                        xml,
                        ">\n      <skipped message=\"{}\"/>\n    </testcase>",
                        escaped(why)
                    )?;
                }
                Verdict::Failed { miss, transcript } => {
                    let help = miss.help.as_ref().map(|help| format!("help: {help}\n"));
                    let body = format!(
                        "{}:{}\nexpected: {}\ngot: {}\n{}\n{transcript}",
                        test.file,
                        miss.line,
                        miss.expected,
                        miss.got.join("\n     "),
                        help.unwrap_or_default()
                    );
                    writeln!(
                        xml,
                        ">\n      <failure type=\"expectation\" message=\"expected {}\">{}</failure>\n    </testcase>",
                        escaped(&miss.expected),
                        escaped(&body)
                    )?;
                }
            }
        }
        writeln!(xml, "  </testsuite>")?;
    }
    writeln!(xml, "</testsuites>")
}

/// A text as XML 1.0 takes it: what has no place in it even as a reference becomes U+FFFD.
pub(crate) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\n' => safe.push('\n'),
            '\t' => safe.push('\t'),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn nothing_breaks_out_of_the_xml() {
        assert_eq!(
            escaped("a<b>&\"c\u{1b}\n"),
            "a&lt;b&gt;&amp;&quot;c\u{fffd}\n"
        );
    }
}
