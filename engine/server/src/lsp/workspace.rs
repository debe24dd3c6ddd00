//! The projects whose files an editor has open.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use lsp_types::{
    CodeDescription, Diagnostic as Told, DiagnosticRelatedInformation, DiagnosticSeverity,
    Location, NumberOrString, PublishDiagnosticsParams, TextDocumentContentChangeEvent, Uri,
};
use strowger_flow::diagnostic::Language;
use strowger_flow::{Diagnostic, Level};
use strowger_plugin::{Host, HostConfig};

use super::position::{self, Lines};
use super::project::{File, Folder};
use crate::project::FLOW_ENDING;

/// The file that makes a folder a project.
pub(super) const PROJECT_FILE: &str = "strowger.toml";

/// Instances of steps at a time: plugins are only asked what they are.
const POOL: u32 = 16;

/// Everything that is open.
pub(super) struct Workspace {
    host: Option<Host>,
    /// By the project's folder; `None` is for files that stand alone.
    folders: BTreeMap<Option<PathBuf>, Folder>,
    /// The language that findings are told in.
    pub language: Language,
}

impl Workspace {
    /// Makes one; the error is why plugins cannot be loaded.
    pub fn new() -> (Workspace, Option<String>) {
        let host = Host::new(HostConfig {
            pool: Some(POOL),
            ..HostConfig::default()
        });
        let (host, fault) = match host {
            Ok(host) => (Some(host), None),
            Err(error) => (
                None,
                Some(format!("steps of plugins are not known: {error}")),
            ),
        };
        let workspace = Workspace {
            host,
            folders: BTreeMap::new(),
            language: Language::English,
        };
        (workspace, fault)
    }

    /// Opens the project of a folder, if it is one.
    pub async fn open_project(&mut self, folder: &Path) {
        if folder.join(PROJECT_FILE).is_file() {
            self.folder(Some(folder.to_owned())).await;
        }
    }

    async fn folder(&mut self, path: Option<PathBuf>) -> &mut Folder {
        if !self.folders.contains_key(&path) {
            let folder = Folder::open(self.host.as_ref(), path.clone()).await;
            self.folders.insert(path.clone(), folder);
        }
        self.folders
            .entry(path)
            .or_insert_with(|| unreachable!("just inserted"))
    }

    /// A file that the editor opened.
    pub async fn open(&mut self, uri: Uri, version: i32, text: &str) {
        if !uri.as_str().ends_with(FLOW_ENDING) {
            return;
        }
        let path = path_of(&uri);
        let folder = self.folder(project_of(&path)).await;
        folder.open_file(path, uri, version, text);
    }

    /// Changes of an open file, in order.
    pub fn change(&mut self, uri: &Uri, version: i32, events: Vec<TextDocumentContentChangeEvent>) {
        let path = path_of(uri);
        let Some(folder) = self.holder(&path) else {
            return;
        };
        let Some(file) = folder.files.get(&path) else {
            return;
        };
        let mut text = file.sheet.source().to_owned();
        let mut edited = 0;
        for event in events {
            edited = position::change(&mut text, event);
        }
        folder.edit(&path, version, &text, edited);
    }

    /// A file that the editor closed.
    pub fn close(&mut self, uri: &Uri) {
        let path = path_of(uri);
        if let Some(folder) = self.holder(&path) {
            folder.close_file(&path);
        }
    }

    /// Something on the disk has changed: the project that holds it is read again.
    pub async fn disk_changed(&mut self, uri: &Uri) {
        let path = path_of(uri);
        let host = self.host.as_ref();
        for (root, folder) in &mut self.folders {
            if root.as_ref().is_some_and(|root| path.starts_with(root)) {
                folder.reload(host).await;
            }
        }
    }

    fn holder(&mut self, path: &Path) -> Option<&mut Folder> {
        self.folders
            .values_mut()
            .find(|folder| folder.files.contains_key(path))
    }

    /// A file and its project.
    pub fn find(&self, uri: &Uri) -> Option<(&Folder, &File)> {
        let path = path_of(uri);
        self.folders
            .values()
            .find_map(|folder| Some((folder, folder.files.get(&path)?)))
    }

    /// Checks what must be checked again; what the editor is to be told.
    pub fn check(&mut self) -> Vec<PublishDiagnosticsParams> {
        let language = self.language;
        let mut told = Vec::new();
        for folder in self.folders.values_mut() {
            for path in folder.check() {
                let file = &folder.files[&path];
                told.push(PublishDiagnosticsParams {
                    uri: file.uri.clone(),
                    version: file.version,
                    diagnostics: findings(file, language),
                });
            }
            told.extend(beside(folder, language));
        }
        told
    }
}

/// The findings of a file as the editor takes them.
fn findings(file: &File, language: Language) -> Vec<Told> {
    let lines = Lines::new(file.sheet.source());
    let findings = file.findings.iter();
    findings
        .map(|finding| told(finding, &file.uri, &lines, language))
        .collect()
}

/// One finding as the editor takes it.
pub(super) fn told(finding: &Diagnostic, uri: &Uri, lines: &Lines<'_>, language: Language) -> Told {
    let mut message = finding.message.in_language(language).to_owned();
    if let Some(help) = &finding.help {
        let word = match language {
            Language::English => "help: ",
            Language::Chinese => "帮助：",
        };
        message.push_str(&format!("\n{word}{}", help.in_language(language)));
    }
    let related: Vec<DiagnosticRelatedInformation> = finding
        .labels
        .iter()
        .filter(|label| !label.text.is_empty())
        .map(|label| DiagnosticRelatedInformation {
            location: Location {
                uri: uri.clone(),
                range: lines.range(label.span),
            },
            message: label.text.in_language(language).to_owned(),
        })
        .collect();
    Told {
        range: lines.range(finding.primary.span),
        severity: Some(match finding.level {
            Level::Error => DiagnosticSeverity::ERROR,
            Level::Warning => DiagnosticSeverity::WARNING,
        }),
        code: Some(NumberOrString::String(finding.rule.to_owned())),
        code_description: None::<CodeDescription>,
        source: Some("strowger".to_owned()),
        message,
        related_information: (!related.is_empty()).then_some(related),
        ..Told::default()
    }
}

/// What is wrong beside the flows: where it stands, else at the head of `strowger.toml`. A file that was told
/// of before and has nothing any more is told empty.
fn beside(folder: &mut Folder, language: Language) -> Vec<PublishDiagnosticsParams> {
    let Some(root) = folder.path.as_ref() else {
        return Vec::new();
    };
    if !std::mem::take(&mut folder.beside_is_new) {
        return Vec::new();
    }
    let mut found: BTreeMap<PathBuf, Vec<Told>> = BTreeMap::new();
    for path in std::mem::take(&mut folder.told) {
        found.insert(path, Vec::new());
    }
    for finding in &folder.beside {
        let text = finding.text().unwrap_or_default();
        let file = PathBuf::from(&finding.diagnostic.file);
        let placed = finding.text().is_some();
        let path = if placed {
            file
        } else {
            root.join(PROJECT_FILE)
        };
        let Some(uri) = uri_of(&path) else { continue };
        let told = told(&finding.diagnostic, &uri, &Lines::new(text), language);
        found.entry(path).or_default().push(told);
    }
    let told = found.iter().filter(|(_, told)| !told.is_empty());
    folder.told = told.map(|(path, _)| path.clone()).collect();
    found
        .into_iter()
        .filter_map(|(path, diagnostics)| {
            Some(PublishDiagnosticsParams {
                uri: uri_of(&path)?,
                version: None,
                diagnostics,
            })
        })
        .collect()
}

/// The file of a URI. One that is no file, such as a text that was never saved, stands for itself.
pub(super) fn path_of(uri: &Uri) -> PathBuf {
    let file = url::Url::parse(uri.as_str())
        .ok()
        .and_then(|url| url.to_file_path().ok());
    file.unwrap_or_else(|| PathBuf::from(uri.as_str()))
}

/// The URI of a file.
pub(super) fn uri_of(path: &Path) -> Option<Uri> {
    let absolute = std::path::absolute(path).ok()?;
    let url = url::Url::from_file_path(absolute).ok()?;
    Uri::from_str(url.as_str()).ok()
}

/// The project of a flow's file: flows stand in its folder or in `flows/` below it.
fn project_of(path: &Path) -> Option<PathBuf> {
    let folder = path.parent()?;
    let above = folder
        .parent()
        .filter(|_| folder.file_name().is_some_and(|name| name == "flows"));
    let found = [Some(folder), above]
        .into_iter()
        .flatten()
        .find(|folder| folder.join(PROJECT_FILE).is_file());
    found.map(Path::to_owned)
}
