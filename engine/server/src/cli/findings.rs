//! Findings as people, editors and CI servers read them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};

use clap::ValueEnum;
use serde_json::{Value as Json, json};
use strowger_flow::diagnostic::{Language, Place};
use strowger_flow::unseen::in_its_lines;
use strowger_flow::{Diagnostic, Level};

use crate::project::Finding;
use crate::scenario::report::{data, escaped, property};

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// For people: each with the lines it is about.
    Text,
    /// One JSON object a line.
    Json,
    /// One line each: `FILE:LINE:COLUMN: error[RULE]: MESSAGE`.
    Concise,
    /// Annotations of GitHub Actions.
    Github,
    /// One SARIF 2.1.0 document.
    Sarif,
    /// One JUnit document: a test a file, failed by its errors.
    Junit,
}

/// Where findings go. Those forms that are one document are written by [`Findings::end`].
pub(super) struct Findings {
    form: Form,
    language: Language,
    kept: Vec<Diagnostic>,
    files: Vec<String>,
}

impl Findings {
    pub(super) fn new(form: Form, language: Language) -> Findings {
        Findings {
            form,
            language,
            kept: Vec::new(),
            files: Vec::new(),
        }
    }

    /// A file was checked, whatever was found.
    pub(super) fn checked(&mut self, file: &str) {
        self.files.push(file.to_owned());
    }

    /// A finding about a flow, with its text.
    pub(super) fn of_flow(&mut self, found: &Diagnostic, source: &str) {
        let colour = std::io::stdout().is_terminal();
        self.tell(found, |language| found.render_in(language, source, colour));
    }

    /// A finding about the project.
    pub(super) fn of_project(&mut self, finding: &Finding) {
        let colour = std::io::stdout().is_terminal();
        self.tell(&finding.diagnostic, |language| {
            finding.render(language, colour)
        });
    }

    fn tell(&mut self, found: &Diagnostic, frame: impl FnOnce(Language) -> String) {
        let line = match self.form {
            Form::Text => frame(self.language),
            Form::Json => found.render_json_in(self.language),
            Form::Concise => found.render_concise_in(self.language),
            Form::Github => annotation(found, self.language),
            Form::Sarif | Form::Junit => {
                self.kept.push(found.clone());
                return;
            }
        };
        say(&line);
    }

    /// Writes what is written as a whole.
    pub(super) fn end(self) {
        match self.form {
            Form::Sarif => say(&sarif(&self.kept, self.language).to_string()),
            Form::Junit => {
                say(junit("strowger check", &self.files, &self.kept, self.language).trim_end())
            }
            Form::Text | Form::Json | Form::Concise | Form::Github => {}
        }
    }
}

fn say(line: &str) {
    // A closed pipe is the reader's choice.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// What to do, as a line after the message.
fn help(found: &Diagnostic, language: Language) -> String {
    let help = found.help.as_ref();
    help.map_or(String::new(), |help| {
        format!("\nhelp: {}", help.in_language(language))
    })
}

/// The message, and after it what to do.
fn words(found: &Diagnostic, language: Language) -> String {
    format!(
        "{}{}",
        found.message.in_language(language),
        help(found, language)
    )
}

/// A workflow command: an annotation on the lines of the finding.
pub(super) fn annotation(found: &Diagnostic, language: Language) -> String {
    let place = found.primary.place;
    // Columns of an annotation are heeded on a single line alone.
    let columns = match place.line == place.end_line {
        true => format!(",col={},endColumn={}", place.column, place.end_column),
        false => String::new(),
    };
    format!(
        "::{} file={},line={},endLine={}{columns},title={}::{}",
        found.level.name(),
        property(&in_its_lines(bare(&found.file))),
        place.line,
        place.end_line,
        property(found.rule),
        data(&words(found, language))
    )
}

/// A log of the Static Analysis Results Interchange Format (OASIS, SARIF 2.1.0).
fn sarif(findings: &[Diagnostic], language: Language) -> Json {
    let mut rules: BTreeMap<&str, usize> = findings.iter().map(|found| (found.rule, 0)).collect();
    for (index, place) in rules.values_mut().enumerate() {
        *place = index;
    }
    let described: Vec<Json> = rules
        .keys()
        .map(|rule| json!({ "id": rule, "help": { "text": format!("strowger explain {rule}") } }))
        .collect();
    let results: Vec<Json> = findings
        .iter()
        .map(|found| {
            let mut result = json!({
                "ruleId": found.rule,
                "ruleIndex": rules[found.rule],
                "level": found.level.name(),
                "message": { "text": words(found, language) },
                "locations": [{ "physicalLocation": location(found, found.primary.place) }],
            });
            if !found.labels.is_empty() {
                let related = found.labels.iter().enumerate().map(|(id, label)| {
                    json!({
                        "id": id,
                        "physicalLocation": location(found, label.place),
                        "message": { "text": label.text.in_language(language) },
                    })
                });
                result["relatedLocations"] = related.collect();
            }
            if let Some(fix) = &found.fix {
                result["fixes"] = json!([{
                    "artifactChanges": [{
                        "artifactLocation": { "uri": uri(&found.file) },
                        "replacements": [{
                            "deletedRegion": region(fix.place),
                            "insertedContent": { "text": fix.replacement },
                        }],
                    }],
                }]);
            }
            result
        })
        .collect();
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "strowger",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": described,
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn location(found: &Diagnostic, place: Place) -> Json {
    json!({
        "artifactLocation": { "uri": uri(&found.file) },
        "region": region(place),
    })
}

fn region(place: Place) -> Json {
    json!({
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    })
}

/// A path as forges compare it with those of their repositories: without the dot of the folder at hand.
fn bare(path: &str) -> &str {
    path.strip_prefix("./").unwrap_or(path)
}

/// A path as a reference (RFC 3986 §4.1), an absolute one with its scheme (RFC 8089).
fn uri(path: &str) -> String {
    let path = bare(path);
    let mut uri = String::new();
    if path.starts_with('/') {
        uri.push_str("file://");
    }
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            // Writing to a string cannot fail.
            byte => drop(write!(uri, "%{byte:02X}")),
        }
    }
    uri
}

/// A suite of that name with a test a file: failed by an error, passed with what warnings say.
pub(super) fn junit(
    suite: &str,
    files: &[String],
    findings: &[Diagnostic],
    language: Language,
) -> String {
    let mut tests: BTreeMap<&str, Vec<&Diagnostic>> = BTreeMap::new();
    for file in files {
        tests.entry(file).or_default();
    }
    for found in findings {
        tests.entry(&found.file).or_default().push(found);
    }
    let is_error = |found: &&Diagnostic| found.level == Level::Error;
    let failed = tests
        .values()
        .filter(|found| found.iter().any(is_error))
        .count();
    let head = format!(
        "name=\"{suite}\" tests=\"{}\" failures=\"{failed}\" errors=\"0\"",
        tests.len()
    );
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites {head}>\n  <testsuite {head}>\n"
    );
    for (file, found) in tests {
        let file = escaped(file);
        xml += &format!("    <testcase name=\"{file}\" classname=\"{suite}\" file=\"{file}\"");
        if found.is_empty() {
            xml += "/>\n";
            continue;
        }
        let all: Vec<String> = found
            .iter()
            .map(|found| {
                let help = help(found, language).replacen('\n', "\n  ", 1);
                found.render_concise_in(language) + &help
            })
            .collect();
        let errors = found.iter().filter(|found| is_error(found)).count();
        let element = match errors {
            0 => "system-out",
            _ => "failure",
        };
        let about = match errors {
            0 => String::new(),
            errors => format!(
                " type=\"error\" message=\"{errors} of {} findings\"",
                found.len()
            ),
        };
        xml += &format!(
            ">\n      <{element}{about}>{}</{element}>\n    </testcase>\n",
            escaped(&all.join("\n"))
        );
    }
    xml + "  </testsuite>\n</testsuites>\n"
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn a_path_is_a_reference() {
        assert_eq!(uri("flows/a b.flow.yaml"), "flows/a%20b.flow.yaml");
        assert_eq!(
            uri("./预约 #1%.flow.yaml"),
            "%E9%A2%84%E7%BA%A6%20%231%25.flow.yaml"
        );
        assert_eq!(uri("/srv/预约.yaml"), "file:///srv/%E9%A2%84%E7%BA%A6.yaml");
    }
}
