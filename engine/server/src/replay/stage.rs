//! What contacts are replayed on: a project's flows and plugins, without lines, prompts and effects.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use strowger_contact::Program;
use strowger_plugin::{GuestTask, Host, HostConfig, Limits, Share};

use crate::project::{Project, Steps};
use crate::runtime::{EngineError, OpenError, checked_program};

/// Components that stand in for those of the project, by plugin name.
pub type Overrides = BTreeMap<String, PathBuf>;

/// What contacts are replayed on.
pub struct Stage {
    pub(super) program: Arc<Program>,
    pub(super) steps: Steps,
    pub(super) limits: Limits,
    files: BTreeMap<String, PathBuf>,
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
        let mut project = Project::read(folder)?;
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
        let (steps, program) = checked_program(&host, &project, &Limits::default()).await?;
        let files = project
            .flows
            .iter()
            .filter_map(|file| {
                let (name, _) = strowger_flow::signature(&file.source)?;
                Some((name, file.path.clone()))
            })
            .collect();
        Ok(Stage {
            program: Arc::new(program),
            steps,
            limits: Limits::default(),
            files,
            share: host.runtime().share(),
            host,
        })
    }

    /// The file a flow stands in.
    pub fn file(&self, flow: &str) -> Option<&Path> {
        self.files.get(flow).map(PathBuf::as_path)
    }

    /// SHA-256 over all flows, plugins and audio files.
    pub fn content(&self) -> &str {
        self.program.content()
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
