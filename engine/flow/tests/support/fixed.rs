//! A text, what is found in it, and what `--fix` makes of it.

use strowger_flow::{check, fix};

use crate::support;

/// The rules that a text breaks, the help of the first of them, and the text after `--fix`.
pub fn told(text: &str) -> (Vec<&'static str>, String, String) {
    let catalog = support::project();
    let checked = check("a.flow.yaml", text.as_bytes(), &catalog);
    let rules = checked.diagnostics.iter().map(|found| found.rule).collect();
    let help = checked
        .diagnostics
        .first()
        .and_then(|found| found.help.clone());
    let help = help.map(|help| help.english().to_owned());
    let fixed = fix("a.flow.yaml", text.as_bytes(), &catalog).expect("it is text");
    (rules, help.unwrap_or_default(), fixed.text)
}

/// A small flow around some lines.
pub fn small(lines: &str) -> String {
    format!("flow: small\nformat: 1\nlanguages: [en]\n{lines}")
}
