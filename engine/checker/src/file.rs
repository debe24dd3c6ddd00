//! A file that is held: its text, what was found in it, and what an editor asks about it.

use strowger_flow::catalog::FlowSignature;
use strowger_flow::check::News;
use strowger_flow::diagnostic::Language;
use strowger_flow::editor::MAX_OFFERS;
use strowger_flow::fmt::format;
use strowger_flow::graph::Graph;
use strowger_flow::{Catalog, Checked, check, signature_of};

use crate::answer::{self, object, string};
use crate::reading::Reading;
use crate::refusal::Refusal;
use crate::request::{Drawing, Form};
use crate::units::Units;

/// A file.
#[derive(Debug)]
pub(crate) struct File {
    name: String,
    text: String,
    checked: Checked,
    /// Whether the catalogue has changed since.
    pub stale: bool,
    /// The flow's name at its first checking: what the given catalogue calls it.
    pub known_as: Option<String>,
    /// Name and signature, as of the last time the text could be read; the name alone of one that never could.
    pub signature: Option<(String, FlowSignature)>,
    reading: Reading,
}

impl File {
    pub fn new(name: &str, text: String, catalog: &Catalog) -> File {
        let checked = check(name, text.as_bytes(), catalog);
        let mut file = File {
            name: name.to_owned(),
            text,
            checked,
            stale: false,
            known_as: None,
            signature: None,
            reading: Reading::default(),
        };
        file.sign();
        file.known_as.clone_from(&file.checked.name);
        file
    }

    pub fn length(&self) -> usize {
        self.text.len()
    }

    /// Takes in a new text; `edited` is the unit of UTF-16 at which it was changed.
    pub fn edit(&mut self, text: String, edited: Option<usize>, catalog: &Catalog) {
        let readable = self.checked.name.is_some();
        let old = std::mem::replace(&mut self.text, text);
        let edited = edited.map(|unit| Units::new(&self.text).byte(unit));
        self.reading.edit(old, readable, edited);
        self.check(catalog);
    }

    /// Checks the text against a catalogue that has changed.
    pub fn check(&mut self, catalog: &Catalog) {
        self.checked = check(&self.name, self.text.as_bytes(), catalog);
        self.stale = false;
        self.sign();
    }

    /// Whether something new of other flows matters here.
    pub fn is_concerned(&self, news: &[News]) -> bool {
        news.iter().any(|news| news.concern(&self.checked))
    }

    /// While a file is broken, others may go on calling its flow.
    fn sign(&mut self) {
        if let (Some(name), Some(signature)) = (&self.checked.name, &self.checked.signature) {
            self.signature = Some((name.clone(), signature.clone()));
        } else if self.signature.is_none() {
            self.signature = signature_of(&self.name, self.text.as_bytes());
        }
    }

    /// The findings, the worst case and the flow's name; `affected` are the other files that must be checked again.
    pub fn findings(&self, affected: &[String], language: Language) -> String {
        let checked = &self.checked;
        let findings = checked.diagnostics.iter();
        let findings: Vec<String> = findings.map(|f| f.render_json_in(language)).collect();
        let worst = checked.render_worst_json(&self.name, language);
        let flow = checked.name.as_deref();
        object(&[
            ("flow", answer::json(&flow)),
            ("findings", format!("[{}]", findings.join(","))),
            ("worst", worst.unwrap_or_else(|| "null".to_owned())),
            ("affected", answer::json(&affected)),
        ])
    }

    /// What `strowger check` prints of the file.
    pub fn report(&self, form: Form, language: Language) -> String {
        let mut lines = String::new();
        for finding in &self.checked.diagnostics {
            lines.push_str(&match form {
                Form::Text => finding.render_in(language, &self.text, false),
                Form::Json => finding.render_json_in(language),
            });
            lines.push('\n');
        }
        let worst = match form {
            Form::Text => self.checked.render_worst(language),
            Form::Json => self.checked.render_worst_json(&self.name, language),
        };
        let worst = worst.map_or(String::new(), |line| line + "\n");
        object(&[("findings", string(&lines)), ("worst", string(&worst))])
    }

    pub fn complete(&mut self, at: usize, catalog: &Catalog) -> String {
        let at = Units::new(&self.text).byte(at);
        let sheet = self.reading.sheet(&self.text, catalog);
        let mut offers = sheet.complete(at, catalog);
        let all = offers.len() <= MAX_OFFERS;
        offers.truncate(MAX_OFFERS);
        answer::offers(offers, all, &Units::new(&self.text))
    }

    pub fn hover(&mut self, at: usize, language: Language, catalog: &Catalog) -> String {
        let at = Units::new(&self.text).byte(at);
        let sheet = self.reading.sheet(&self.text, catalog);
        let found = &self.checked.diagnostics;
        let hover = sheet.hover_with(found, at, catalog, language);
        answer::hover(hover, &Units::new(&self.text))
    }

    pub fn outline(&mut self, catalog: &Catalog) -> String {
        let outline = self.reading.sheet(&self.text, catalog).outline();
        answer::outline(outline, &Units::new(&self.text))
    }

    pub fn format(&self) -> Result<String, Refusal> {
        let text = format(&self.name, self.text.as_bytes()).map_err(Refusal::Layout)?;
        Ok(object(&[("text", string(&text))]))
    }

    pub fn graph(&self, form: Drawing, catalog: &Catalog) -> Result<String, Refusal> {
        let plan = self.checked.plan.as_ref();
        let plan = plan.ok_or_else(|| Refusal::HasErrors(self.name.clone()))?;
        let graph = Graph::new(plan, catalog);
        let drawn = match form {
            Drawing::Mermaid => graph.mermaid(),
            Drawing::Dot => graph.dot(),
            Drawing::Svg => graph.svg().map_err(Refusal::Drawing)?,
        };
        Ok(object(&[("graph", string(&drawn))]))
    }
}
