//! From folders and files to tests that can run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use strowger_contact::Program;
use strowger_flow::plan::Plan;
use strowger_flow::{Checked, Diagnostic, Level, Test};
use strowger_plugin::{Host, HostConfig, HostError, Limits};

use super::mocks;
use super::outside::callable;
use crate::project::{
    Examined, FlowFile, Project, ProjectError, Steps, catalog_of, errors_of, has_errors,
};

/// The file that makes a folder a project.
const PROJECT_FILE: &str = "strowger.toml";

/// The tests of a project, or of a lone file, with everything they need.
pub struct Suite {
    /// The flows with their tests, by file.
    pub flows: Vec<FlowTests>,
    /// Whether each step's instance is dropped at every call it makes, and built anew for the answer; no by default.
    pub rebuild: bool,
    /// Flows with errors that nothing tested leads to: file, and how many errors. Only where files of a project are tested.
    pub left_out: Vec<(String, usize)>,
    pub(super) program: Arc<Program>,
    pub(super) plans: Vec<Arc<Plan>>,
    pub(super) steps: Steps,
    pub(super) configs: BTreeMap<String, String>,
    /// The suppliers that transfers may name; none where they are not known.
    pub(super) suppliers: Option<BTreeSet<String>>,
    /// Runs the steps, for as long as the suite lives.
    _host: Host,
}

/// Instances that the hosts of several suites have together. Each takes some 4 GiB of addresses, of which a process has 128 TiB.
const INSTANCES: usize = 4_096;

/// Loads suites that are there at the same time.
pub struct Loader {
    pool: Option<u32>,
    /// What all files that stand alone share.
    alone: Option<(Host, Steps)>,
}

impl Loader {
    /// For so many places, whose tests run so many contacts at a time.
    pub fn new(places: usize, jobs: usize) -> Loader {
        let share = (INSTANCES / places.max(1)).max(2 * jobs);
        Loader {
            // As in serving, where there is one: of a large pool each plugin finds an instance that last ran itself, without new mappings.
            pool: (places > 1).then(|| u32::try_from(share).unwrap_or(u32::MAX)),
            alone: None,
        }
    }

    /// Loads and checks everything of a place; compiled plugins are kept in `cache`, if there is one.
    pub async fn load(
        &mut self,
        place: &Place,
        cache: Option<PathBuf>,
    ) -> Result<Suite, SuiteError> {
        if let Some(folder) = &place.project {
            let project = Project::read(folder)?;
            return Suite::project(host(cache, self.pool)?, project, &place.files).await;
        }
        let (host, steps) = match &self.alone {
            Some(shared) => shared.clone(),
            None => {
                let host = host(cache, self.pool)?;
                let steps = Steps::standard(&host).await;
                let steps = steps.map_err(|frames| SuiteError::Errors {
                    frames,
                    findings: Vec::new(),
                })?;
                self.alone.insert((host, steps)).clone()
            }
        };
        let file = place.files.first().map_or(Path::new(""), PathBuf::as_path);
        Suite::alone(host, steps, file).await
    }
}

/// A flow and its tests.
#[derive(Debug)]
pub struct FlowTests {
    /// Its file, as the user gave it.
    pub file: String,
    /// The checked flow.
    pub plan: Arc<Plan>,
    /// Its tests, in the order of the file.
    pub tests: Vec<Test>,
}

/// Why there is nothing to run.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// A project cannot be read.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// The plugin host does not start.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A file cannot be read.
    #[error("cannot read {path}: {source}; give a project's folder or a *.flow.yaml file")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Flows or plugins have errors.
    #[error(
        "{frames}\nflows with errors are not tested; correct them first (`strowger check` shows them again)"
    )]
    Errors {
        /// All of them, for people.
        frames: String,
        /// The same, for programs; empty where what is wrong has no place in a file.
        findings: Vec<Diagnostic>,
    },
}

/// What to test: a project, or files of one, or a file that stands alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The project's folder; `None` for a file that stands alone.
    pub project: Option<PathBuf>,
    /// The files to test; empty for all of the project.
    pub files: BTreeSet<PathBuf>,
}

impl Place {
    /// Sorts paths: folders are projects, a file belongs to the project in whose folder, or in whose
    /// `flows/`, it lies.
    pub fn sorted(paths: &[PathBuf]) -> Vec<Place> {
        let mut projects: BTreeMap<PathBuf, BTreeSet<PathBuf>> = BTreeMap::new();
        let mut whole = BTreeSet::new();
        let mut alone = Vec::new();
        for path in paths {
            if path.is_dir() {
                projects.entry(path.clone()).or_default();
                whole.insert(path.clone());
                continue;
            }
            match project_of(path) {
                Some(project) => {
                    projects.entry(project).or_default().insert(path.clone());
                }
                None => alone.push(Place {
                    project: None,
                    files: BTreeSet::from([path.clone()]),
                }),
            }
        }
        let projects = projects.into_iter().map(|(project, files)| Place {
            files: match whole.contains(&project) {
                true => BTreeSet::new(),
                false => files,
            },
            project: Some(project),
        });
        projects.chain(alone).collect()
    }
}

fn project_of(file: &Path) -> Option<PathBuf> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    if folder.join(PROJECT_FILE).is_file() {
        return Some(folder);
    }
    if folder.file_name().is_none_or(|name| name != "flows") {
        return None;
    }
    let above = match folder.parent() {
        Some(above) if !above.as_os_str().is_empty() => above.to_owned(),
        _ => PathBuf::from("."),
    };
    above.join(PROJECT_FILE).is_file().then_some(above)
}

impl Suite {
    /// Loads and checks everything; compiled plugins are kept in `cache`, if there is one.
    pub async fn load(place: &Place, cache: Option<PathBuf>) -> Result<Suite, SuiteError> {
        Loader::new(1, 1).load(place, cache).await
    }

    /// Checks a project that was read.
    pub async fn of(project: Project, cache: Option<PathBuf>) -> Result<Suite, SuiteError> {
        Suite::project(host(cache, None)?, project, &BTreeSet::new()).await
    }

    /// A flow as it was checked.
    pub fn plan(&self, flow: &str) -> Option<Arc<Plan>> {
        self.program.flow(flow).cloned()
    }

    /// Whether a transfer can go there.
    pub fn calls(&self, target: &str) -> bool {
        callable(target, self.suppliers.as_ref())
    }

    async fn project(
        host: Host,
        project: Project,
        files: &BTreeSet<PathBuf>,
    ) -> Result<Suite, SuiteError> {
        let folder = project.folder.as_path();
        let (mut steps, complaints) =
            Steps::load(&host, folder, &project.config.plugins, &Limits::default()).await;
        let mut examined = Examined::of(&project, &steps, &complaints);
        let wanted: BTreeSet<_> = files.iter().map(|file| canonical(file)).collect();
        if let Some(stranger) = files.iter().find(|file| {
            !project
                .flows
                .iter()
                .any(|flow| canonical(&flow.path) == canonical(file))
        }) {
            return Err(SuiteError::Unreadable {
                path: stranger.clone(),
                source: std::io::Error::new(std::io::ErrorKind::NotFound, "no flow of the project"),
            });
        }
        let left_out = match wanted.is_empty() {
            true => Vec::new(),
            false => narrow(&mut examined, &wanted),
        };
        if let Some(errors) = examined.errors() {
            return Err(SuiteError::Errors {
                frames: errors,
                findings: examined.faults().cloned().collect(),
            });
        }
        let chosen: Vec<(String, String, Vec<Test>)> = examined
            .checked
            .iter()
            .filter(|(file, _)| wanted.is_empty() || wanted.contains(&canonical(&file.path)))
            .filter_map(|(file, checked)| {
                let name = checked.name.clone()?;
                Some((name, file.path.display().to_string(), checked.tests.clone()))
            })
            .collect();
        steps.descriptions = mocks::partial(&steps.descriptions);
        let program = examined.program(&steps)?;
        let plans: Vec<_> = program.flows().cloned().collect();
        let flows = chosen
            .into_iter()
            .filter_map(|(name, file, tests)| {
                let plan = program.flow(&name)?.clone();
                Some(FlowTests { file, plan, tests })
            })
            .collect();
        Ok(Suite {
            flows,
            rebuild: false,
            left_out,
            program: Arc::new(program),
            plans,
            steps,
            configs: project.configs(),
            suppliers: Some(project.queues.suppliers.keys().cloned().collect()),
            _host: host,
        })
    }

    async fn alone(host: Host, mut steps: Steps, path: &Path) -> Result<Suite, SuiteError> {
        let source =
            crate::project::bytes::read(path).map_err(|source| SuiteError::Unreadable {
                path: path.to_owned(),
                source,
            })?;
        let placeless = |frames| SuiteError::Errors {
            frames,
            findings: Vec::new(),
        };
        let file = path.display().to_string();
        let checked = strowger_flow::check(&file, &source, &catalog_of(&steps));
        let Some(plan) = checked.plan.filter(|_| !has_errors(&checked.diagnostics)) else {
            let mut findings = checked.diagnostics;
            let frames = errors_of(&findings, &source).join("\n");
            findings.retain(|found| found.level == Level::Error);
            return Err(SuiteError::Errors { frames, findings });
        };
        let plan = Arc::new(plan);
        steps.descriptions = mocks::partial(&steps.descriptions);
        let program = Program::new([plan.clone()], &steps.descriptions, BTreeMap::new())
            .map_err(|error| placeless(error.to_string()))?;
        Ok(Suite {
            flows: vec![FlowTests {
                file,
                plan: plan.clone(),
                tests: checked.tests,
            }],
            rebuild: false,
            left_out: Vec::new(),
            program: Arc::new(program),
            plans: vec![plan],
            steps,
            configs: BTreeMap::new(),
            suppliers: None,
            _host: host,
        })
    }
}

/// Keeps of a project's flows those of some files, and those that they lead to; gives the others that have errors.
fn narrow(examined: &mut Examined<'_>, wanted: &BTreeSet<PathBuf>) -> Vec<(String, usize)> {
    let named = |(file, _): &&(&FlowFile, Checked)| wanted.contains(&canonical(&file.path));
    let all = &examined.checked;
    let mut needed: BTreeSet<String> = BTreeSet::new();
    let mut open: Vec<&Checked> = all
        .iter()
        .filter(named)
        .map(|(_, checked)| checked)
        .collect();
    while let Some(checked) = open.pop() {
        needed.extend(checked.name.clone());
        for name in &checked.leads {
            if needed.insert(name.clone()) {
                let mut flows = all.iter().map(|(_, checked)| checked);
                open.extend(flows.find(|flow| flow.name.as_ref() == Some(name)));
            }
        }
    }
    let mut left_out = Vec::new();
    examined.checked.retain(|(file, checked)| {
        let needs = wanted.contains(&canonical(&file.path))
            || checked
                .name
                .as_ref()
                .is_some_and(|name| needed.contains(name));
        let found = checked.diagnostics.iter();
        let errors = found.filter(|found| found.level == Level::Error).count();
        if !needs && errors > 0 {
            left_out.push((file.path.display().to_string(), errors));
        }
        needs
    });
    left_out
}

fn host(cache: Option<PathBuf>, pool: Option<u32>) -> Result<Host, HostError> {
    Host::new(HostConfig {
        cache_dir: cache,
        pool,
        ..HostConfig::default()
    })
}

fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
