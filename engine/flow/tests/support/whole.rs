//! Whole flows and projects, checked beside the steps of the tests.

use strowger_flow::{Checked, check};

use crate::support;
use crate::told::told;

pub fn checked(text: &str) -> Checked {
    check("a.flow.yaml", text.as_bytes(), &support::project())
}

pub fn rules(checked: &Checked) -> Vec<&'static str> {
    checked.diagnostics.iter().map(|found| found.rule).collect()
}

/// The findings of a flow of these steps, as `rule LINE: message`.
pub fn findings(text: &str) -> Vec<String> {
    told(&checked(text).diagnostics)
}

/// A flow of these steps, whose other parts stand in `head`.
pub fn flow(head: &str, steps: &str) -> String {
    format!(
        "flow: a\nformat: 1\nlanguages: [en]\n{head}steps:\n{steps}  bye: {{ hangup: completed }}\n"
    )
}

/// The first of some flows of a project, checked beside the others.
pub fn first_of(texts: &[&str]) -> Checked {
    surveyed(texts).swap_remove(0)
}

/// What is told of each flow of a project.
pub fn surveyed(texts: &[&str]) -> Vec<Checked> {
    let mut catalog = support::project();
    let signatures = texts
        .iter()
        .filter_map(|text| strowger_flow::signature(text.as_bytes()));
    catalog.flows = Some(signatures.collect());
    let files: Vec<(&str, &[u8])> = texts
        .iter()
        .map(|text| ("a.flow.yaml", text.as_bytes()))
        .collect();
    strowger_flow::survey(&files, &mut catalog)
}
