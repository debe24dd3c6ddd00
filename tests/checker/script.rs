//! The script of requests.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Value as Json, json};
use strowger_checker::Checker;
use strowger_flow::{Catalog, RULES};

use crate::known::{self, Known};

/// Places of a text that are asked about: one in so many units, and its neighbours are left out.
const EVERY: usize = 61;

/// Requests in order, and which of them ask for what the program prints.
pub struct Script {
    /// The requests, in JSON.
    pub requests: Vec<String>,
    /// The files that the program is told of, each with its reports by their form: indices of requests.
    reports: Vec<(Known, Vec<BTreeMap<&'static str, usize>>)>,
    projects: u32,
}

impl Script {
    /// All that is asked.
    pub fn new() -> Result<Script> {
        let mut script = Script {
            requests: Vec::new(),
            reports: Vec::new(),
            projects: 0,
        };
        script.ask(json!({ "ask": "about" }));
        for known in known::all()? {
            let project = script.open(&known.catalog);
            let flows = known.flows.iter();
            let reports = flows
                .map(|(file, text)| {
                    script.check(project, file, text, "en");
                    ["text", "json"]
                        .map(|form| (form, script.report(project, file, form, "en")))
                        .into()
                })
                .collect();
            script.reports.push((known, reports));
            script.ask(json!({ "ask": "close", "project": project }));
        }
        script.questions()?;
        script.rules();
        script.hostile();
        Ok(script)
    }

    /// The answers of the checker in this process.
    pub fn native(&self) -> Vec<String> {
        let mut checker = Checker::default();
        let requests = self.requests.iter();
        requests
            .map(|request| checker.ask(request.as_bytes()))
            .collect()
    }

    /// Holds the reports of a form among the answers against what the program prints.
    pub fn printed_by_the_program(&self, form: &str, answers: &[String]) -> Result<()> {
        for (known, reports) in &self.reports {
            let told = reports
                .iter()
                .map(|report| {
                    let answer: Json = serde_json::from_str(&answers[report[form]])?;
                    let part = |part: &str| {
                        let text = answer["answer"][part].as_str().map(str::to_owned);
                        text.with_context(|| answer.to_string())
                    };
                    Ok((part("findings")?, part("worst")?))
                })
                .collect::<Result<Vec<_>>>()?;
            let told: Vec<(&str, &str)> = told
                .iter()
                .map(|(findings, worst)| (findings.as_str(), worst.as_str()))
                .collect();
            let printed = known.printed(form)?;
            let (beside, told): (_, String) = if known.is_project() {
                let findings = told.iter().map(|(findings, _)| *findings);
                let told: String = findings
                    .chain(told.iter().map(|(_, worst)| *worst))
                    .collect();
                let beside = printed.strip_suffix(&told).map(str::to_owned);
                (beside.unwrap_or_default(), told)
            } else {
                let parts = told
                    .iter()
                    .flat_map(|(findings, worst)| [*findings, *worst]);
                (String::new(), parts.collect())
            };
            assert!(!told.is_empty());
            assert!(
                printed == format!("{beside}{told}"),
                "the program prints\n{printed}\nand this process says\n{told}"
            );
            assert!(is_beside(&beside, form), "{beside}");
        }
        Ok(())
    }

    /// Everything that an editor asks, of every example and in both languages, with the plugins of the examples.
    fn questions(&mut self) -> Result<()> {
        let project = self.open(&crate::catalog::project());
        for (file, text) in &known::texts()? {
            for language in ["en", "zh"] {
                self.check(project, file, text, language);
                for form in ["text", "json"] {
                    self.report(project, file, form, language);
                }
            }
            for ask in ["outline", "format"] {
                self.ask(json!({ "ask": ask, "project": project, "file": file }));
            }
            for form in ["mermaid", "dot", "svg"] {
                self.ask(json!({ "ask": "graph", "project": project, "file": file, "form": form }));
            }
            let units = text.encode_utf16().count();
            for at in (0..units + EVERY).step_by(EVERY) {
                self.ask(json!({ "ask": "complete", "project": project, "file": file, "at": at }));
                self.ask(json!({ "ask": "hover", "project": project, "file": file, "at": at, "language": "zh" }));
            }
        }
        self.ask(json!({ "ask": "close", "project": project }));
        Ok(())
    }

    fn rules(&mut self) {
        for language in ["en", "zh"] {
            self.ask(json!({ "ask": "rules", "language": language }));
            for rule in RULES {
                self.ask(json!({ "ask": "explain", "rule": rule.slug, "language": language }));
            }
        }
    }

    /// Texts and requests that nobody means well, nested as deep as anybody may write: a browser has less room for a
    /// stack than a program has.
    fn hostile(&mut self) {
        let project = self.open(&crate::catalog::project());
        let deep = |open: &str, close: &str, times: usize| {
            format!("{}{}", open.repeat(times), close.repeat(times))
        };
        let flow = |value: &str| {
            format!(
                "flow: a\nformat: 1\nsteps:\n  start:\n    - say: \"${{{value}}}\"\n    - hangup: done\n"
            )
        };
        let texts = [
            deep("[", "]", 5_000),
            deep("{a: ", "}", 5_000),
            "- ".repeat(20_000),
            "a:\n".repeat(20_000),
            flow(&deep("(", ")", 20_000)),
            flow(&"not ".repeat(20_000)),
            flow(&"1 + ".repeat(20_000)),
            flow(&"a.b".repeat(20_000)),
            flow(&"x | money ".repeat(5_000)),
            "\u{feff}\u{0}\u{7f}\u{2028}\u{e000}😀".to_owned(),
            "x".repeat(2 * 1024 * 1024),
            String::new(),
        ];
        for (index, text) in texts.iter().enumerate() {
            let file = format!("{index}.flow.yaml");
            self.check(project, &file, text, "en");
            for form in ["text", "json"] {
                self.report(project, &file, form, "zh");
            }
            for ask in ["outline", "format"] {
                self.ask(json!({ "ask": ask, "project": project, "file": file }));
            }
            for at in [0, 7, 70, usize::MAX] {
                self.ask(
                    json!({ "ask": "complete", "project": project, "file": file, "at": at as u32 }),
                );
                self.ask(
                    json!({ "ask": "hover", "project": project, "file": file, "at": at as u32 }),
                );
            }
        }
        for request in [
            String::new(),
            "null".to_owned(),
            "{".to_owned(),
            deep("[", "]", 100_000),
            format!("{{\"ask\":{}}}", deep("[", "]", 100_000)),
            json!({ "ask": "nothing" }).to_string(),
            json!({ "ask": "check" }).to_string(),
            json!({ "ask": "open", "catalog": { "steps": { "a/b@1": 7 } } }).to_string(),
            json!({ "ask": "hover", "project": 9999, "file": "a", "at": 0 }).to_string(),
            json!({ "ask": "hover", "project": project, "file": "none", "at": 0 }).to_string(),
            json!({ "ask": "complete", "project": project, "file": "0.flow.yaml", "at": -1 })
                .to_string(),
        ] {
            self.requests.push(request);
        }
        self.ask(json!({ "ask": "close", "project": project }));
    }

    fn open(&mut self, catalog: &Catalog) -> u32 {
        self.ask(json!({ "ask": "open", "catalog": catalog }));
        self.projects += 1;
        self.projects
    }

    fn check(&mut self, project: u32, file: &str, text: &str, language: &str) {
        self.ask(json!({ "ask": "check", "project": project, "file": file, "text": text, "language": language }));
    }

    fn report(&mut self, project: u32, file: &str, form: &str, language: &str) -> usize {
        self.ask(json!({ "ask": "report", "project": project, "file": file, "form": form, "language": language }));
        self.requests.len() - 1
    }

    fn ask(&mut self, request: Json) {
        self.requests.push(request.to_string());
    }
}

/// Whether nothing but findings about what stands beside the flows is there.
fn is_beside(printed: &str, format: &str) -> bool {
    let mut lines = printed.lines();
    match format {
        "json" => lines.all(|line| {
            serde_json::from_str::<Json>(line).is_ok_and(|found| found["rule"] == "project")
        }),
        _ => lines.all(|line| {
            let begins = |word: &str| line.starts_with(word);
            let finding = begins("error[") || begins("warning[") || begins("worst case");
            !finding || line.contains("[project]: ")
        }),
    }
}
