//! Results as people and programs read them. All of it depends on the results alone: the same tests give
//! the same bytes.

mod github;
mod json;
mod junit;
mod text;

pub use github::github;
pub(crate) use github::{data, property};
pub use json::json;
pub(crate) use junit::escaped;
pub use junit::junit;
pub use text::text;

use super::run::{TestResult, Verdict};

/// How many tests passed, failed and were skipped.
pub fn totals(results: &[TestResult]) -> (usize, usize, usize) {
    let count = |wanted: fn(&Verdict) -> bool| {
        results
            .iter()
            .filter(|result| wanted(&result.verdict))
            .count()
    };
    (
        count(|verdict| matches!(verdict, Verdict::Passed)),
        count(|verdict| matches!(verdict, Verdict::Failed { .. })),
        count(|verdict| matches!(verdict, Verdict::Skipped(_))),
    )
}
