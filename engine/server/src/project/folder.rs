//! Reading a project's folder, and checking all that stands in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::Digest;
use strowger_contact::{Program, ProgramError};
use strowger_flow::catalog::{Catalog, FlowSignature};
use strowger_flow::{Checked, Diagnostic};

use super::config::{Config, ConfigError};
use super::queues::QueuesFile;
use super::routes::Routes;
use super::steps::Steps;

/// Deepest folder below a project's that is looked into for audio.
const MAX_DEPTH: usize = 8;

/// A project as read from its folder.
#[derive(Debug)]
pub struct Project {
    /// Its folder.
    pub folder: PathBuf,
    /// `strowger.toml`
    pub config: Config,
    /// `routes.yaml`; empty when there is none.
    pub routes: Routes,
    /// `queues.yaml`; empty when there is none.
    pub queues: QueuesFile,
    /// All `*.flow.yaml` in the folder and in `flows/`, by path.
    pub flows: Vec<FlowFile>,
    /// All audio files, by path below the folder.
    pub audio: BTreeSet<String>,
}

/// One flow's file.
#[derive(Debug)]
pub struct FlowFile {
    /// Path as shown to people.
    pub path: PathBuf,
    /// Its bytes.
    pub source: Vec<u8>,
}

/// Why a project cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// `strowger.toml` is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// `routes.yaml` or `queues.yaml` does not say what it should.
    #[error("{path}: {message}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What and where.
        message: String,
    },
    /// The flows refer to something that is not there.
    #[error(transparent)]
    Program(#[from] ProgramError),
}

impl Project {
    /// Reads a project's folder. Flows are read, not yet checked.
    pub fn read(folder: &Path) -> Result<Project, ProjectError> {
        let config = Config::read(folder)?;
        let routes: Routes = yaml(&folder.join("routes.yaml"))?.unwrap_or_default();
        if let Some(number) = routes.duplicate() {
            let message = format!("`to: {number}` stands twice: remove one of the two routes");
            return Err(ProjectError::Invalid {
                path: folder.join("routes.yaml"),
                message,
            });
        }
        let queues = yaml(&folder.join("queues.yaml"))?.unwrap_or_default();
        let mut flows = Vec::new();
        for place in [folder.to_owned(), folder.join("flows")] {
            for path in files(&place)? {
                if path
                    .file_name()
                    .and_then(|name| name.to_str())
                    .is_some_and(|name| name.ends_with(".flow.yaml"))
                {
                    flows.push(FlowFile {
                        source: read(&path)?,
                        path,
                    });
                }
            }
        }
        flows.sort_by(|a, b| a.path.cmp(&b.path));
        let mut audio = BTreeSet::new();
        find_audio(folder, folder, 0, &mut audio)?;
        Ok(Project {
            folder: folder.to_owned(),
            config,
            routes,
            queues,
            flows,
            audio,
        })
    }

    /// What the flows may refer to.
    pub fn catalog(&self, steps: &Steps) -> Catalog {
        let signatures: BTreeMap<String, FlowSignature> = self
            .flows
            .iter()
            .filter_map(|file| strowger_flow::signature(&file.source))
            .collect();
        let mut catalog = catalog_of(steps);
        catalog.flows = Some(signatures);
        catalog.queues = Some(self.queues.queues.keys().cloned().collect());
        catalog.destinations = Some(self.queues.suppliers.keys().cloned().collect());
        catalog.audio = Some(self.audio.clone());
        catalog
    }

    /// Checks every flow, and that routes lead to flows.
    pub fn check(&self, catalog: &Catalog) -> Vec<(&FlowFile, Checked)> {
        self.flows
            .iter()
            .map(|file| {
                (
                    file,
                    strowger_flow::check(&file.path.display().to_string(), &file.source, catalog),
                )
            })
            .collect()
    }

    /// Complaints about the files beside the flows, each with what to do.
    pub fn complaints(&self, checked: &[(&FlowFile, Checked)]) -> Vec<String> {
        let mut complaints = Vec::new();
        if checked.is_empty() {
            return vec![format!(
                "{}: there is no flow: add a file such as main-menu.flow.yaml, here or in flows/",
                self.folder.display()
            )];
        }
        let mut names: BTreeMap<&str, &Path> = BTreeMap::new();
        for (file, checked) in checked {
            if let Some(name) = checked.name.as_deref()
                && let Some(other) = names.insert(name, &file.path)
            {
                complaints.push(format!(
                    "flow `{name}` stands in {} and in {}: names are unique in a project",
                    other.display(),
                    file.path.display()
                ));
            }
        }
        for route in &self.routes.routes {
            if !names.contains_key(route.flow.as_str()) {
                let known: Vec<_> = names.keys().copied().collect();
                complaints.push(format!(
                    "{}: number `{}` leads to flow `{}`, which is not there; the project's flows are {}",
                    self.folder.join("routes.yaml").display(),
                    route.to,
                    route.flow,
                    known.join(", ")
                ));
            }
        }
        complaints
    }

    /// Puts the program together from checked flows without errors.
    pub fn program(
        &self,
        checked: Vec<(&FlowFile, Checked)>,
        steps: &Steps,
    ) -> Result<Program, ProjectError> {
        let plans = checked.into_iter().filter_map(|(file, checked)| {
            let mut plan = checked.plan?;
            plan.hash = hex(&sha2::Sha256::digest(&file.source));
            Some(Arc::new(plan))
        });
        Ok(Program::new(plans, &steps.descriptions, self.configs())?)
    }

    /// What `env.config` answers, by plugin name.
    pub fn configs(&self) -> BTreeMap<String, String> {
        let plugins = self.config.plugins.iter();
        plugins
            .map(|(name, plugin)| {
                let json =
                    serde_json::to_string(&plugin.config).expect("a TOML table is a JSON object");
                (name.clone(), json)
            })
            .collect()
    }
}

/// A catalog of steps alone, for a file outside any project.
pub fn catalog_of(steps: &Steps) -> Catalog {
    let verbs = steps
        .descriptions
        .keys()
        .filter_map(|key| {
            let step = key.strip_prefix("std/")?.split('@').next()?;
            Some((step.to_owned(), key.clone()))
        })
        .collect();
    Catalog {
        steps: steps.descriptions.clone(),
        verbs,
        ..Catalog::default()
    }
}

/// Whether any of the findings is an error.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics
        .iter()
        .any(|diagnostic| diagnostic.level == strowger_flow::Level::Error)
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn yaml<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, ProjectError> {
    if !path.exists() {
        return Ok(None);
    }
    let text = String::from_utf8(read(path)?).map_err(|_| ProjectError::Invalid {
        path: path.to_owned(),
        message: "is not UTF-8 text".into(),
    })?;
    serde_yaml::from_str(&text)
        .map(Some)
        .map_err(|e| ProjectError::Invalid {
            path: path.to_owned(),
            message: e.to_string(),
        })
}

fn read(path: &Path) -> Result<Vec<u8>, ProjectError> {
    std::fs::read(path).map_err(|source| ProjectError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, ProjectError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let unreadable = |source| ProjectError::Unreadable {
        path: folder.to_owned(),
        source,
    };
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    entries
        .map(|entry| Ok(entry.map_err(unreadable)?.path()))
        .collect()
}

fn find_audio(
    root: &Path,
    folder: &Path,
    depth: usize,
    found: &mut BTreeSet<String>,
) -> Result<(), ProjectError> {
    for path in files(folder)? {
        let extension = path
            .extension()
            .and_then(|e| e.to_str())
            .unwrap_or("")
            .to_ascii_lowercase();
        // Hidden folders hold data and caches: a recording is no prompt.
        let hidden = path
            .file_name()
            .and_then(|name| name.to_str())
            .is_none_or(|name| name.starts_with('.'));
        if hidden {
            continue;
        }
        if path.is_dir() && depth < MAX_DEPTH {
            find_audio(root, &path, depth + 1, found)?;
        } else if matches!(
            extension.as_str(),
            "wav" | "mp3" | "ogg" | "oga" | "flac" | "ulaw" | "alaw"
        ) && let Ok(below) = path.strip_prefix(root)
        {
            found.insert(below.to_string_lossy().replace('\\', "/"));
        }
    }
    Ok(())
}
