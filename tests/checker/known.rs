//! Projects and lone files with what they may refer to, as `strowger check` knows it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use strowger_flow::Catalog;
use strowger_plugin::{Host, HostConfig, Limits};
use strowger_server::project::{Project, Steps, catalog_of};
use strowger_tests::program::{repository, strowger};

/// Files that the program is told of together.
pub struct Known {
    /// What is checked: a project's folder, or files.
    paths: Vec<PathBuf>,
    /// What the files may refer to.
    pub catalog: Catalog,
    /// Each flow with its text, in the order of the program.
    pub flows: Vec<(String, String)>,
}

impl Known {
    /// Files outside any project.
    fn alone(paths: Vec<PathBuf>, steps: &Steps) -> Result<Known> {
        let flows = paths.iter().map(|path| {
            let text = std::fs::read_to_string(path)?;
            Ok((path.display().to_string(), text))
        });
        Ok(Known {
            flows: flows.collect::<Result<_>>()?,
            catalog: catalog_of(steps),
            paths,
        })
    }

    /// A project.
    async fn project(folder: &Path, host: &Host) -> Result<Known> {
        let project = Project::read(folder)?;
        let plugins = &project.config.plugins;
        let (steps, complaints) = Steps::load(host, folder, plugins, &Limits::default()).await;
        if let Some(complaint) = complaints.first() {
            bail!("{}: {}", folder.display(), complaint.message.english());
        }
        let mut catalog = project.catalog(&steps);
        project.check(&mut catalog);
        let flows = project.flows.iter().map(|flow| {
            let text = String::from_utf8(flow.source.clone())?;
            Ok((flow.path.display().to_string(), text))
        });
        Ok(Known {
            flows: flows.collect::<Result<_>>()?,
            catalog,
            paths: vec![folder.to_owned()],
        })
    }

    /// What `strowger check` prints of them.
    pub fn printed(&self, format: &str) -> Result<String> {
        let paths = self.paths.iter().map(|path| path.to_str());
        let paths: Option<Vec<&str>> = paths.collect();
        let paths = paths.context("paths of this repository are text")?;
        let arguments = [&["check", "--format", format][..], &paths].concat();
        let (code, out, err) = strowger(&arguments)?;
        if code > 1 {
            bail!("strowger check: {err}");
        }
        Ok(out)
    }

    /// Whether it is a project: then the worst cases stand after all findings, and before them what is wrong beside the
    /// flows.
    pub fn is_project(&self) -> bool {
        self.catalog.flows.is_some()
    }
}

/// The examples of rules and the flows that the checker is tested with, and every project of this repository.
pub fn all() -> Result<Vec<Known>> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let host = Host::new(HostConfig {
            pool: Some(16),
            ..HostConfig::default()
        })?;
        let steps = Steps::standard(&host).await.map_err(anyhow::Error::msg)?;
        let tests = repository().join("engine/flow/tests");
        let mut all = vec![Known::alone(examples(&tests)?, &steps)?];
        for folder in below(&repository().join("flows"))? {
            if folder.join("strowger.toml").is_file() {
                all.push(Known::project(&folder, &host).await?);
            }
        }
        Ok(all)
    })
}

/// The texts of the examples, by file name.
pub fn texts() -> Result<BTreeMap<String, String>> {
    let files = examples(&repository().join("engine/flow/tests"))?;
    let texts = files.iter().map(|path| {
        let name = path.file_name().unwrap_or_default();
        let text = std::fs::read_to_string(path)?;
        Ok((name.to_string_lossy().into_owned(), text))
    });
    texts.collect()
}

fn examples(tests: &Path) -> Result<Vec<PathBuf>> {
    let mut files = below(&tests.join("rules"))?;
    files.extend(below(&tests.join("flows"))?);
    // What a page holds is text: an example of bytes that are none cannot be written there.
    files.retain(|path| {
        path.to_string_lossy().ends_with(".flow.yaml") && std::fs::read_to_string(path).is_ok()
    });
    Ok(files)
}

fn below(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}
