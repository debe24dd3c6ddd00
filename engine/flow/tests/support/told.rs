//! Findings as tests name them.

use strowger_flow::Diagnostic;

/// Findings as `rule LINE: message`.
pub fn told(found: &[Diagnostic]) -> Vec<String> {
    let told = found.iter().map(|found| {
        let line = found.primary.place.line;
        format!("{} {line}: {}", found.rule, found.message.english())
    });
    told.collect()
}
