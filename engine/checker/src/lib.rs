//! The flow checker as one WebAssembly module: what a browser asks about flows, in JSON.
//!
//! [`Checker::ask`] is the whole of it: a request goes in, an answer comes out, and open projects are held in between,
//! so that a key press carries the text and nothing else. The knowledge is `strowger-flow`'s. `abi` is how a
//! page reaches it, and `web/checker.js` is the page's side of that.

#![warn(missing_docs)]

mod abi;
mod answer;
mod file;
mod project;
mod reading;
mod refusal;
mod request;
mod units;

use std::collections::BTreeMap;

use serde_json::json;
use strowger_flow::RULES;
use strowger_flow::diagnostic::Language;

use answer::object;
use project::Project;
use refusal::Refusal;
use request::Request;

/// Longest request, in bytes: a flow of 1 MiB whose every letter JSON escapes, and room to spare.
pub const MAX_REQUEST_BYTES: usize = 8 * 1024 * 1024;

/// Most projects that are open at a time.
pub const MAX_PROJECTS: usize = 16;

/// Most files that are held of a project.
pub const MAX_FILES: usize = 1_000;

/// Most bytes of texts and catalogues that are held at a time, by their length in requests: a page has 4 GiB at most,
/// and what is known of a flow takes many times its text.
pub const MAX_HELD_BYTES: usize = 64 * 1024 * 1024;

/// Open projects, and the answers to questions about them.
#[derive(Debug, Default)]
pub struct Checker {
    projects: BTreeMap<u32, Project>,
    opened: u32,
}

impl Checker {
    /// Answers a request: `{"answer": …}`, or `{"error": {"code": …, "message": …}}` when it is not fulfilled.
    ///
    /// Never panics, whatever the bytes.
    pub fn ask(&mut self, request: &[u8]) -> String {
        match self.answer(request) {
            Ok(answer) => object(&[("answer", answer)]),
            Err(refusal) => {
                let error = json!({ "code": refusal.code(), "message": refusal.to_string() });
                object(&[("error", error.to_string())])
            }
        }
    }

    /// The answer, as JSON.
    fn answer(&mut self, request: &[u8]) -> Result<String, Refusal> {
        let length = request.len();
        if length > MAX_REQUEST_BYTES {
            return Err(Refusal::TooLong(length));
        }
        match serde_json::from_slice(request).map_err(Refusal::Unreadable)? {
            Request::About {} => Ok(about()),
            Request::Rules { language } => Ok(rules(language.into())),
            Request::Explain { rule, language } => {
                let found = strowger_flow::rule(&rule).ok_or(Refusal::NoSuchRule(rule))?;
                Ok(json!({ "page": found.explain(language.into()) }).to_string())
            }
            Request::Open { catalog } => self.open(Project::new(*catalog, length)),
            Request::Close { project } => {
                self.projects.remove(&project);
                Ok("null".to_owned())
            }
            Request::Check {
                project,
                file,
                text,
                edited,
                language,
            } => {
                let others = self.held() - self.project(project)?.length_of(&file);
                if others + text.len() > MAX_HELD_BYTES {
                    return Err(Refusal::HeldTooMuch);
                }
                let project = self.project(project)?;
                project.check(file, text, edited, language.into())
            }
            Request::Forget { project, file } => {
                let affected = self.project(project)?.forget(&file);
                Ok(json!({ "affected": affected }).to_string())
            }
            Request::Report {
                project,
                file,
                form,
                language,
            } => {
                let (file, _) = self.project(project)?.fresh(&file)?;
                Ok(file.report(form, language.into()))
            }
            Request::Complete { project, file, at } => {
                let (file, catalog) = self.project(project)?.fresh(&file)?;
                Ok(file.complete(at, catalog))
            }
            Request::Hover {
                project,
                file,
                at,
                language,
            } => {
                let (file, catalog) = self.project(project)?.fresh(&file)?;
                Ok(file.hover(at, language.into(), catalog))
            }
            Request::Outline { project, file } => {
                let (file, catalog) = self.project(project)?.fresh(&file)?;
                Ok(file.outline(catalog))
            }
            Request::Format { project, file } => {
                let (file, _) = self.project(project)?.fresh(&file)?;
                file.format()
            }
            Request::Graph {
                project,
                file,
                form,
            } => {
                let (file, catalog) = self.project(project)?.fresh(&file)?;
                file.graph(form, catalog)
            }
        }
    }

    fn open(&mut self, project: Project) -> Result<String, Refusal> {
        if self.projects.len() >= MAX_PROJECTS {
            return Err(Refusal::TooManyProjects);
        }
        if self.held() + project.held() > MAX_HELD_BYTES {
            return Err(Refusal::HeldTooMuch);
        }
        self.opened = self.opened.wrapping_add(1);
        self.projects.insert(self.opened, project);
        Ok(json!({ "project": self.opened }).to_string())
    }

    fn project(&mut self, number: u32) -> Result<&mut Project, Refusal> {
        let project = self.projects.get_mut(&number);
        project.ok_or(Refusal::NoSuchProject(number))
    }

    fn held(&self) -> usize {
        self.projects.values().map(Project::held).sum()
    }
}

fn about() -> String {
    let limits = json!({
        "requestBytes": MAX_REQUEST_BYTES,
        "projects": MAX_PROJECTS,
        "files": MAX_FILES,
        "heldBytes": MAX_HELD_BYTES,
    });
    json!({ "version": env!("CARGO_PKG_VERSION"), "limits": limits }).to_string()
}

fn rules(language: Language) -> String {
    let rules = RULES.iter().map(|rule| {
        let title = rule.title(language);
        json!({ "rule": rule.slug, "level": rule.level.name(), "title": title })
    });
    json!({ "rules": rules.collect::<Vec<_>>() }).to_string()
}
