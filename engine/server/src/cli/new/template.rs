//! The files that a new project begins with, made from those in `templates/`.
//!
//! The templates are a project in English and Chinese that checks and passes its tests as it lies there. Of a line that
//! begins with `en:` or `zh:` the languages asked for are kept, of a comment `# en: …` the first of them, and of a title or
//! a test's name `English / 中文` the half that is needed.

use super::Tongue;
use crate::project::FLOW_ENDING;

/// The flow that asks for the language: not needed for one.
const CHOICE: &str = "language.flow.yaml";

/// Files of a project: path, text.
const PROJECT: [(&str, &str); 7] = [
    (
        "strowger.toml",
        include_str!("../../../templates/project/strowger.toml"),
    ),
    (
        "routes.yaml",
        include_str!("../../../templates/project/routes.yaml"),
    ),
    (
        "queues.yaml",
        include_str!("../../../templates/project/queues.yaml"),
    ),
    (
        CHOICE,
        include_str!("../../../templates/project/language.flow.yaml"),
    ),
    (
        "reception.flow.yaml",
        include_str!("../../../templates/project/reception.flow.yaml"),
    ),
    (
        "message.flow.yaml",
        include_str!("../../../templates/project/message.flow.yaml"),
    ),
    (
        ".gitignore",
        include_str!("../../../templates/project/.gitignore"),
    ),
];
const README_EN: &str = include_str!("../../../templates/project/README.en.md");
const README_ZH: &str = include_str!("../../../templates/project/README.zh.md");
const FLOW: &str = include_str!("../../../templates/flow.flow.yaml");

/// What is put in place of the template's own words.
pub(super) struct Wording<'a> {
    /// What callers are spoken to in; the first is the default. Never empty, none twice.
    pub(super) languages: &'a [Tongue],
    /// `project.name`
    pub(super) name: &'a str,
    /// `project.title`, and what the greeting says: one line of text.
    pub(super) title: &'a str,
}

impl Wording<'_> {
    /// All files of a project: path, text.
    pub(super) fn project(&self) -> Vec<(&'static str, String)> {
        let readme = |tongue| match tongue {
            Tongue::En => README_EN,
            Tongue::Zh => README_ZH,
        };
        let [first, others @ ..] = self.languages else {
            unreachable!("a project has a language");
        };
        let mut files: Vec<(&str, String)> = PROJECT
            .iter()
            .filter(|(path, _)| *path != CHOICE || !others.is_empty())
            .map(|(path, text)| (*path, self.fill(path, text)))
            .collect();
        let other = |tongue: &Tongue| match tongue {
            Tongue::En => "README.en.md",
            Tongue::Zh => "README.zh.md",
        };
        let names = std::iter::once("README.md").chain(others.iter().map(other));
        for (name, tongue) in names.zip(std::iter::once(first).chain(others)) {
            let text = spoken(readme(*tongue), self.languages);
            // In Markdown a tag is a tag, unless it is told otherwise.
            files.push((name, text.replace("Acme", &self.title.replace('<', "\\<"))));
        }
        files
    }

    /// The flow that the number leads to.
    pub(super) fn entry(&self) -> &'static str {
        match self.languages.len() {
            1 => "reception",
            _ => "language",
        }
    }

    fn fill(&self, path: &str, template: &str) -> String {
        let title = match path.ends_with(FLOW_ENDING) {
            true => literal(self.title),
            false => self.title.to_owned(),
        };
        // Within double quotes TOML and YAML read what JSON writes.
        let quoted = serde_json::to_string(&title).expect("a text is JSON");
        let timezone = match self.languages[0] {
            Tongue::En => "Etc/UTC",
            Tongue::Zh => "Asia/Shanghai",
        };
        spoken(template, self.languages)
            .replace("flow: language }", &format!("flow: {} }}", self.entry()))
            .replace("Etc/UTC", timezone)
            .replace("\"acme\"", &format!("\"{}\"", self.name))
            .replace("Acme", &quoted[1..quoted.len() - 1])
    }
}

/// A text that a flow says as it is: nothing in it is an insertion or a tag.
fn literal(text: &str) -> String {
    let mut safe = String::new();
    let mut rest = text.chars().peekable();
    while let Some(letter) = rest.next() {
        match (letter, rest.peek()) {
            ('$', Some('{')) => safe.push_str("$$"),
            // An insertion of nothing keeps apart what together would be read.
            ('{', Some('{')) => safe.push_str("{${\"\"}"),
            ('<', Some(next)) if *next == '/' || next.is_ascii_alphabetic() => {
                safe.push_str("<${\"\"}");
            }
            _ => safe.push(letter),
        }
    }
    safe
}

/// A flow by itself; `below` when it lies in a folder of the project's.
pub(super) fn flow(name: &str, languages: &[Tongue], below: bool) -> String {
    let text = spoken(FLOW, languages).replace("flow: sample", &format!("flow: {name}"));
    match below {
        true => text.replacen("=.strowger/", "=../.strowger/", 1),
        false => text,
    }
}

/// A template in these languages.
fn spoken(template: &str, languages: &[Tongue]) -> String {
    let codes: Vec<&str> = languages.iter().map(|tongue| tongue.code()).collect();
    let lines = template
        .lines()
        .filter_map(|line| in_languages(line, languages));
    lines.map(|line| line + "\n").collect::<String>().replace(
        "languages: [en, zh]",
        &format!("languages: [{}]", codes.join(", ")),
    )
}

/// A line as it stands in these languages; `None` when it belongs to another, or tells of a file that only several have.
fn in_languages(line: &str, languages: &[Tongue]) -> Option<String> {
    let text = line.trim_start();
    let indent = &line[..line.len() - text.len()];
    for tongue in [Tongue::En, Tongue::Zh] {
        let tag = format!("{}: ", tongue.code());
        if text.starts_with(&tag) {
            return languages.contains(&tongue).then(|| line.to_owned());
        }
        if let Some(comment) = text
            .strip_prefix("# ")
            .and_then(|text| text.strip_prefix(&tag))
        {
            return (languages[0] == tongue).then(|| format!("{indent}# {comment}"));
        }
    }
    let alone = languages.len() == 1;
    if alone && line.contains(CHOICE) {
        return None;
    }
    match line.split_once(" / ") {
        // A title serves both languages; a test's name, like a comment, is read by who writes flows.
        Some((english, chinese)) if alone || line.ends_with(':') => {
            let begins = english.rfind(": ").map_or(indent.len(), |at| at + 2);
            let ends = chinese.find([':', ' ']).unwrap_or(chinese.len());
            Some(match languages[0] {
                Tongue::En => format!("{english}{}", &chinese[ends..]),
                Tongue::Zh => format!("{}{chinese}", &english[..begins]),
            })
        }
        _ => Some(line.to_owned()),
    }
}
