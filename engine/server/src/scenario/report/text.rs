//! For people.

use std::fmt::{self, Write as _};

use strowger_flow::unseen::in_its_lines;

use super::totals;
use crate::scenario::coverage::{Coverage, FlowCoverage, Point};
use crate::scenario::run::{TestResult, Verdict};

/// All results, failures with their conversations, and the coverage, if it is wanted.
pub fn text(results: &[TestResult], coverage: Option<&Coverage>) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, results, coverage);
    // Names and what is said come from files.
    in_its_lines(&text).into_owned()
}

fn write(text: &mut String, results: &[TestResult], coverage: Option<&Coverage>) -> fmt::Result {
    for tests in results.chunk_by(|a, b| a.file == b.file) {
        writeln!(text, "{}", tests[0].file)?;
        for test in tests {
            match &test.verdict {
                Verdict::Passed => writeln!(text, "  ok    {}", test.name)?,
                Verdict::Failed { .. } => writeln!(text, "  FAIL  {}", test.name)?,
                Verdict::Skipped(why) => writeln!(text, "  skip  {} ({why})", test.name)?,
            }
            if matches!(test.verdict, Verdict::Passed) {
                for mock in &test.unused_mocks {
                    writeln!(text, "        note: nothing asked for the mock `{mock}`")?;
                }
            }
        }
    }
    for test in results {
        if let Verdict::Failed { miss, transcript } = &test.verdict {
            writeln!(text, "\nFAIL {} › {}", test.flow, test.name)?;
            if let Some(title) = &test.title {
                writeln!(text, "  {title}")?;
            }
            writeln!(text, "  --> {}:{}", test.file, miss.line)?;
            writeln!(text, "  expected  {}", miss.expected)?;
            for (index, got) in miss.got.iter().enumerate() {
                let head = if index == 0 { "got" } else { "" };
                writeln!(text, "  {head:<8}  {}", indented(got))?;
            }
            for mock in &test.unused_mocks {
                writeln!(text, "  note      nothing asked for the mock `{mock}`")?;
            }
            if let Some(help) = &miss.help {
                writeln!(text, "  help      {help}")?;
            }
            writeln!(text)?;
            text.push_str(transcript);
        }
    }
    for flow in coverage.into_iter().flat_map(|coverage| &coverage.flows) {
        write_coverage(text, flow)?;
    }
    let (passed, failed, skipped) = totals(results);
    let of = if results.len() == 1 { "test" } else { "tests" };
    writeln!(
        text,
        "\n{} {of}: {passed} passed, {failed} failed, {skipped} skipped",
        results.len()
    )
}

/// Further lines of a text below its first.
fn indented(text: &str) -> String {
    text.replace('\n', "\n            ")
}

fn write_coverage(text: &mut String, flow: &FlowCoverage) -> fmt::Result {
    writeln!(
        text,
        "\ncoverage of {} ({}): {:.0} %",
        flow.flow,
        flow.file,
        flow.percent()
    )?;
    for (what, points) in [
        ("steps", &flow.steps),
        ("lines", &flow.lines),
        ("edges", &flow.edges),
    ] {
        let walked = points.iter().filter(|point| point.walked > 0).count();
        writeln!(text, "  {what}  {walked} of {} walked", points.len())?;
        let missed = points.iter().filter(|point| point.walked == 0);
        for Point { line, name, .. } in missed {
            writeln!(text, "         not walked: {}:{line}  {name}", flow.file)?;
        }
    }
    Ok(())
}
