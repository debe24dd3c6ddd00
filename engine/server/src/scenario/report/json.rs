//! For programs: one JSON object a line.

use serde_json::{Value as Json, json as object};

use super::totals;
use crate::scenario::coverage::{Coverage, FlowCoverage, Point};
use crate::scenario::run::{TestResult, Verdict};

/// A line per test (`kind: test`), per flow's coverage (`coverage`), and one `summary`.
pub fn json(results: &[TestResult], coverage: Option<&Coverage>) -> String {
    let tests = results.iter().map(test);
    let flows = coverage
        .into_iter()
        .flat_map(|coverage| &coverage.flows)
        .map(flow);
    let (passed, failed, skipped) = totals(results);
    let summary = object!({
        "kind": "summary",
        "tests": results.len(),
        "passed": passed,
        "failed": failed,
        "skipped": skipped,
    });
    let lines = tests.chain(flows).chain([summary]);
    lines.map(|line| format!("{line}\n")).collect()
}

fn test(result: &TestResult) -> Json {
    let mut line = object!({
        "kind": "test",
        "flow": result.flow,
        "file": result.file,
        "line": result.line,
        "test": result.name,
        "title": result.title,
        "virtualMs": result.lasted_ms,
        "unusedMocks": result.unused_mocks,
    });
    match &result.verdict {
        Verdict::Passed => line["result"] = "passed".into(),
        Verdict::Skipped(why) => {
            line["result"] = "skipped".into();
            line["reason"] = why.as_str().into();
        }
        Verdict::Failed { miss, transcript } => {
            line["result"] = "failed".into();
            line["failure"] = object!({
                "line": miss.line,
                "expected": miss.expected,
                "got": miss.got,
                "help": miss.help,
                "transcript": transcript,
            });
        }
    }
    line
}

fn flow(flow: &FlowCoverage) -> Json {
    let points = |points: &[Point]| -> Json {
        let points = points.iter();
        points
            .map(
                |point| object!({ "line": point.line, "name": point.name, "walked": point.walked }),
            )
            .collect()
    };
    object!({
        "kind": "coverage",
        "flow": flow.flow,
        "file": flow.file,
        "percent": (flow.percent() * 10.0).round() / 10.0,
        "steps": points(&flow.steps),
        "lines": points(&flow.lines),
        "edges": points(&flow.edges),
    })
}
