use serde_json::{Value, json};

use super::{Diagnostic, Fix, Label, Language};

pub(super) fn render(diagnostic: &Diagnostic, language: Language) -> String {
    let place = diagnostic.primary.place;
    json!({
        "rule": diagnostic.rule,
        "level": diagnostic.level.name(),
        "message": diagnostic.message.in_language(language),
        "file": diagnostic.file,
        "line": place.line,
        "column": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
        "help": diagnostic.help.as_ref().map(|help| help.in_language(language)),
        "fix": diagnostic.fix.as_ref().map(fix),
        "labels": diagnostic.labels.iter().map(|l| label(l, language)).collect::<Vec<_>>(),
    })
    .to_string()
}

fn fix(fix: &Fix) -> Value {
    json!({
        "line": fix.place.line,
        "column": fix.place.column,
        "endLine": fix.place.end_line,
        "endColumn": fix.place.end_column,
        "replacement": fix.replacement,
    })
}

fn label(label: &Label, language: Language) -> Value {
    json!({
        "line": label.place.line,
        "column": label.place.column,
        "endLine": label.place.end_line,
        "endColumn": label.place.end_column,
        "text": label.text.in_language(language),
    })
}
