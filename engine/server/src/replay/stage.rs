//! What contacts are replayed on: a project's flows and plugins, without lines, prompts and effects.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use strowger_contact::Program;
use strowger_contact::recorded::Beginning;
use strowger_plugin::{GuestTask, Host, HostConfig, Limits, Share};

use super::granted::Granted;
use crate::centre::Sound;
use crate::project::{Project, Steps};
use crate::runtime::{EngineError, OpenError, checked_program};

/// Longest time for a step where others go first, in milliseconds: beyond, the machine has no time for it.
const UNHURRIED_MS: u64 = 60_000;

/// Components that stand in for those of the project, by plugin name.
pub type Overrides = BTreeMap<String, PathBuf>;

/// What contacts are replayed on.
pub struct Stage {
    pub(super) program: Arc<Program>,
    pub(super) steps: Steps,
    limits: Limits,
    /// Whether a step may take longer than its flow allows, as long as it does not compute longer: where others go
    /// first, time that passes says nothing of the step.
    unhurried: bool,
    files: BTreeMap<String, PathBuf>,
    pub(super) granted: Granted,
    host: Host,
    share: Share,
}

impl Stage {
    /// Reads a project; compiled plugins are kept in the data folder.
    pub async fn open(
        folder: &Path,
        data: &Path,
        overrides: &Overrides,
    ) -> Result<Stage, OpenError> {
        let project = Project::read(folder)?;
        Stage::of(project, data, overrides, Limits::default(), |path| {
            path.to_owned()
        })
        .await
    }

    /// Takes into account what another project, on which the contacts were, let its plugins reach inside of a network.
    pub(crate) fn after(mut self, had: &Path) -> Result<Stage, OpenError> {
        self.granted.close(&Project::read(had)?);
        Ok(self)
    }

    /// Reads a revision that lies in a folder of the store's, under its tenant's limits. Its files are named as they
    /// were pushed.
    pub(crate) async fn open_revision(
        folder: &Path,
        data: &Path,
        overrides: &Overrides,
        limits: Limits,
    ) -> Result<Stage, OpenError> {
        let project = Project::read(folder)?;
        let pushed = |path: &Path| path.strip_prefix(folder).unwrap_or(path).to_owned();
        Stage::of(project, data, overrides, limits, pushed).await
    }

    /// A tenant's revision beside what it has live, on the background lane of the same host.
    pub(crate) fn beside(host: &Host, sound: Sound, limits: Limits) -> Stage {
        let Sound {
            project,
            steps,
            program,
            ..
        } = sound;
        let pushed = |path: &Path| {
            path.strip_prefix(&project.folder)
                .unwrap_or(path)
                .to_owned()
        };
        Stage {
            program: Arc::new(program),
            steps,
            limits,
            unhurried: true,
            files: files(&project, pushed),
            granted: Granted::of(&project),
            host: host.clone(),
            share: host.runtime().background_share(),
        }
    }

    async fn of(
        mut project: Project,
        data: &Path,
        overrides: &Overrides,
        limits: Limits,
        named: impl Fn(&Path) -> PathBuf,
    ) -> Result<Stage, OpenError> {
        for (name, component) in overrides {
            let known: Vec<_> = project.config.plugins.keys().cloned().collect();
            let Some(plugin) = project.config.plugins.get_mut(name) else {
                return Err(OpenError::NoPlugin {
                    name: name.clone(),
                    known: known.join(", "),
                });
            };
            plugin.stand_in = Some(component.clone());
        }
        let host = Host::new(HostConfig {
            cache_dir: Some(data.join("compiled")),
            // No calls are served here: every processor replays.
            guest_threads: std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
            ..HostConfig::default()
        })
        .map_err(EngineError::from)?;
        let (steps, program) = checked_program(&host, &project, &limits).await?;
        let share = host.runtime().share();
        Ok(Stage {
            program: Arc::new(program),
            steps,
            limits,
            unhurried: false,
            files: files(&project, named),
            granted: Granted::of(&project),
            share,
            host,
        })
    }

    /// The file a flow stands in.
    pub fn file(&self, flow: &str) -> Option<&Path> {
        self.files.get(flow).map(PathBuf::as_path)
    }

    /// The flows, and what is known of the steps.
    pub(crate) fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// Whose guests run when contacts are replayed on it.
    pub(crate) fn share(&self) -> &Share {
        &self.share
    }

    /// What a step may use of which its flow says how long it may take, in milliseconds.
    pub(super) fn limits(&self, timeout_ms: u64) -> Limits {
        let limits = self.limits.clone();
        match self.unhurried {
            false => Limits {
                busy_ms: timeout_ms,
                ..limits
            },
            true => Limits {
                busy_ms: UNHURRIED_MS,
                cpu_ms: limits.cpu_ms.min(timeout_ms),
                ..limits
            },
        }
    }

    /// SHA-256 over all flows, plugins and audio files.
    pub fn content(&self) -> &str {
        self.program.content()
    }

    /// Whether a contact that began so walked these flows and plugins, to the last byte and with the same configuration.
    pub(super) fn is_of(&self, begun: &Beginning) -> bool {
        !begun.content.is_empty()
            && begun.content == self.content()
            && begun.configuration == self.program.configuration()
    }

    /// Whether a contact that began so may have heard other audio files.
    pub(super) fn has_other_audio(&self, begun: &Beginning) -> bool {
        !begun.audio.is_empty() && begun.audio != self.program.audio()
    }

    /// Runs something where guests run.
    pub fn run<F>(&self, future: F) -> GuestTask<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.host.runtime().spawn(&self.share, future)
    }
}

/// The file of each flow, as it shall be named.
fn files(project: &Project, named: impl Fn(&Path) -> PathBuf) -> BTreeMap<String, PathBuf> {
    let flows = project.flows.iter();
    let flows = flows.filter_map(|file| {
        let (name, _) = strowger_flow::signature(&file.source)?;
        Some((name, named(&file.path)))
    });
    flows.collect()
}
