//! The files of one project, their findings, and what they may refer to.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use lsp_types::Uri;
use strowger_flow::catalog::{Catalog, FlowSignature};
use strowger_flow::check::{MAX_TURNS, News, learn};
use strowger_flow::diagnostic::Text;
use strowger_flow::editor::Sheet;
use strowger_flow::{Checked, Diagnostic, Level, check, signature, signature_of};
use strowger_plugin::{Host, Limits};

use super::workspace::{PROJECT_FILE, uri_of};
use crate::project::{
    Complaint, ConfigError, Finding, Project, ProjectError, Steps, catalog_of, leave_echoes_out,
};

/// A flow's file.
pub(super) struct File {
    /// As the editor writes it.
    pub uri: Uri,
    /// The editor's version while it is open.
    pub version: Option<i32>,
    /// What it looks like; bytes that are no UTF-8 are replaced.
    pub sheet: Sheet,
    /// Its bytes on the disk, when they are no UTF-8.
    raw: Option<Vec<u8>>,
    /// Name and signature, as of the last time it could be read.
    signature: Option<(String, FlowSignature)>,
    /// Its findings.
    pub findings: Vec<Diagnostic>,
    /// What else its last checking gave.
    checked: Option<Checked>,
    /// Whether it must be checked again.
    pub dirty: bool,
    /// Whether the editor has been told of findings and must be told when they are gone.
    pub told: bool,
}

/// The files around a `strowger.toml`, or those without one.
pub(super) struct Folder {
    /// The project's folder; `None` for files that stand alone.
    pub path: Option<PathBuf>,
    /// Its flows.
    pub files: BTreeMap<PathBuf, File>,
    /// What they may refer to.
    pub catalog: Catalog,
    /// What is wrong beside the flows: in `strowger.toml`, routes, queues and plugins.
    pub beside: Vec<Finding>,
    /// Whether that has been read anew and not been told yet.
    pub beside_is_new: bool,
    /// Files beside the flows that the editor has been told findings of.
    pub told: BTreeSet<PathBuf>,
    steps: Steps,
    /// Why plugins could not be loaded.
    complaints: Vec<Complaint>,
}

impl File {
    fn new(uri: Uri, bytes: &[u8], version: Option<i32>, catalog: &Catalog) -> File {
        let text = String::from_utf8_lossy(bytes);
        let name = uri.path().as_str().to_owned();
        File {
            uri,
            version,
            raw: std::str::from_utf8(bytes).is_err().then(|| bytes.to_vec()),
            signature: signature_of(&name, bytes),
            sheet: Sheet::read(&text, catalog, None, None),
            findings: Vec::new(),
            checked: None,
            dirty: true,
            told: false,
        }
    }

    fn bytes(&self) -> &[u8] {
        self.raw
            .as_deref()
            .unwrap_or(self.sheet.source().as_bytes())
    }
}

impl Folder {
    /// Reads a project's folder with its plugins; `None` for files that stand alone.
    pub async fn open(host: Option<&Host>, path: Option<PathBuf>) -> Folder {
        let mut folder = Folder {
            path,
            files: BTreeMap::new(),
            catalog: Catalog::default(),
            beside: Vec::new(),
            beside_is_new: false,
            told: BTreeSet::new(),
            steps: Steps::default(),
            complaints: Vec::new(),
        };
        folder.reload(host).await;
        folder
    }

    /// Reads everything but the open files anew from the disk.
    pub async fn reload(&mut self, host: Option<&Host>) {
        self.beside.clear();
        self.beside_is_new = true;
        let project = match &self.path {
            Some(path) => match Project::read(path) {
                Ok(project) => Some(project),
                Err(error) => {
                    let found = match error {
                        ProjectError::Config(ConfigError::Invalid(found)) => *found,
                        error => self.whole(error.told()),
                    };
                    self.beside.push(found);
                    None
                }
            },
            None => None,
        };
        self.load_steps(host, project.as_ref()).await;
        match project {
            Some(project) => self.take(project),
            None => {
                let complaints = self.complaints.iter();
                let told = complaints.map(|c| (c.message.clone(), c.help.clone()));
                let found: Vec<Finding> = told.map(|told| self.whole(told)).collect();
                self.beside.extend(found);
                // A project that cannot be read: what was known of it stays, since somebody is typing in it.
                if self.catalog.flows.is_none() {
                    self.catalog = catalog_of(&self.steps);
                }
            }
        }
        self.all_dirty();
    }

    /// A finding about the project as a whole.
    fn whole(&self, (message, help): (Text, Option<Text>)) -> Finding {
        let file = self.path.clone().unwrap_or_default().join(PROJECT_FILE);
        Finding::whole(Level::Error, &file.display().to_string(), message, help)
    }

    async fn load_steps(&mut self, host: Option<&Host>, project: Option<&Project>) {
        let Some(host) = host else { return };
        let plugins = match project {
            Some(project) => project.config.plugins.clone(),
            None if self.path.is_some() && !self.steps.descriptions.is_empty() => return,
            None => BTreeMap::new(),
        };
        let folder = self.path.clone().unwrap_or_else(|| PathBuf::from("."));
        (self.steps, self.complaints) =
            Steps::load(host, &folder, &plugins, &Limits::default()).await;
    }

    /// Takes over what was read, except for files that are open.
    fn take(&mut self, project: Project) {
        self.catalog = project.catalog(&self.steps);
        let gone: Vec<PathBuf> = self
            .files
            .iter()
            .filter(|(path, file)| {
                file.version.is_none()
                    && !file.told
                    && !project.flows.iter().any(|flow| flow.path == **path)
            })
            .map(|(path, _)| path.clone())
            .collect();
        for path in gone {
            self.files.remove(&path);
        }
        for flow in &project.flows {
            let open = self
                .files
                .get(&flow.path)
                .is_some_and(|file| file.version.is_some());
            if !open && let Some(uri) = uri_of(&flow.path) {
                let told = self.files.get(&flow.path).is_some_and(|file| file.told);
                let mut file = File::new(uri, &flow.source, None, &self.catalog);
                file.told = told;
                self.files.insert(flow.path.clone(), file);
            }
        }
        let deleted = |path: &Path| !project.flows.iter().any(|flow| flow.path == path);
        self.files.retain(|path, file| {
            // An empty file is what tells the editor that the findings of a deleted one are gone.
            if file.version.is_none() && deleted(path) {
                *file = File::new(file.uri.clone(), b"", None, &self.catalog);
                file.dirty = false;
                file.told = true;
            }
            true
        });
        self.signatures();
        // The files' own turns, when they are checked, tell of those that are open.
        let mut catalog = self.catalog.clone();
        let (checked, misnamed) = project.survey(&mut catalog);
        // A name that is misspelt where it is defined is told of there, and in no flow.
        self.catalog.queues = catalog.queues;
        self.catalog.destinations = catalog.destinations;
        self.beside
            .extend(project.findings(&self.complaints, &checked, &misnamed));
    }

    /// A file that the editor opened, or whose text it replaced.
    pub fn open_file(&mut self, path: PathBuf, uri: Uri, version: i32, text: &str) {
        let mut file = File::new(uri, text.as_bytes(), Some(version), &self.catalog);
        file.told = self.files.get(&path).is_some_and(|file| file.told);
        self.files.insert(path, file);
        self.signatures();
    }

    /// A file that the editor closed: what is on the disk counts again.
    pub fn close_file(&mut self, path: &Path) {
        let Some(file) = self.files.get(path) else {
            return;
        };
        let mut closed = match crate::project::bytes::read(path) {
            Ok(bytes) if self.path.is_some() => {
                File::new(file.uri.clone(), &bytes, None, &self.catalog)
            }
            // It stands alone, or nobody saved it.
            _ => {
                let mut gone = File::new(file.uri.clone(), b"", None, &self.catalog);
                gone.dirty = false;
                gone
            }
        };
        closed.told = true;
        self.files.insert(path.to_owned(), closed);
        self.signatures();
    }

    /// The text of an open file after a change; `edited` is the byte of the change.
    pub fn edit(&mut self, path: &Path, version: i32, text: &str, edited: usize) {
        let Some(file) = self.files.get_mut(path) else {
            return;
        };
        file.sheet = Sheet::read(text, &self.catalog, Some(edited), Some(&file.sheet));
        file.version = Some(version);
        file.raw = None;
        file.dirty = true;
        // While the file is broken, others may go on calling it.
        let new = signature(text.as_bytes());
        if new.is_some() && new != file.signature {
            file.signature = new;
            self.signatures();
        }
    }

    /// What the flows know of each other. When that has changed, all of them are checked again.
    fn signatures(&mut self) {
        if self.path.is_none() {
            return;
        }
        let mut all: BTreeMap<String, FlowSignature> = self
            .files
            .values()
            .filter_map(|file| file.signature.clone())
            .collect();
        // What only the checking of a flow shows is known from its last one.
        for (name, signature) in self.catalog.flows.iter().flatten() {
            if let Some(new) = all.get_mut(name) {
                new.learn(signature);
            }
        }
        if self.catalog.flows.as_ref() != Some(&all) {
            self.catalog.flows = Some(all);
            self.all_dirty();
        }
    }

    fn all_dirty(&mut self) {
        for file in self.files.values_mut() {
            let empty = file.version.is_none() && file.bytes().is_empty();
            file.dirty |= !empty;
        }
    }

    /// Checks what must be checked again; the files that the editor must be told of.
    pub fn check(&mut self) -> Vec<PathBuf> {
        let mut fresh: BTreeSet<PathBuf> = BTreeSet::new();
        for _ in 0..=MAX_TURNS {
            let mut checked: Vec<(PathBuf, Checked)> = Vec::new();
            for (path, file) in &mut self.files {
                if std::mem::take(&mut file.dirty) {
                    let name = path.display().to_string();
                    let found = check(&name, file.bytes(), &self.catalog);
                    checked.push((path.clone(), found));
                }
            }
            let mut news = Vec::new();
            for (path, mut found) in checked {
                news.extend(learn(&mut self.catalog, &found));
                if let Some(file) = self.files.get_mut(&path) {
                    let mut findings = std::mem::take(&mut found.diagnostics);
                    leave_echoes_out(file.bytes(), &mut findings, &self.complaints);
                    file.findings = findings;
                    file.checked = Some(found);
                }
                fresh.insert(path);
            }
            for file in self.files.values_mut() {
                let checked = file.checked.as_ref();
                file.dirty |= checked
                    .is_some_and(|checked| news.iter().any(|news: &News| news.concern(checked)));
            }
            if news.is_empty() {
                break;
            }
        }
        let mut changed = Vec::new();
        for (path, file) in &mut self.files {
            let gone = file.version.is_none() && file.bytes().is_empty();
            if !(fresh.contains(path) || gone && file.told) {
                continue;
            }
            if !file.findings.is_empty() || file.told || file.version.is_some() {
                changed.push(path.clone());
            }
            file.told = !file.findings.is_empty();
        }
        changed
    }
}
