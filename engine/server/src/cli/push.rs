//! `strowger push`

use std::path::{Path, PathBuf};

use clap::Args;
use hyper::Method;
use serde_json::{Value as Json, json};

use super::plugin::sign;
use super::remote::Remote;
use super::{Failure, OK};
use crate::below::below;
use crate::centre::archive::{Tree, pack};
use crate::centre::signature::BESIDE;
use crate::project::Project;

/// Pushes a project to a centre, where it is checked and kept as a revision.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger push                                   the project in this folder, to http://127.0.0.1:8080
  strowger push flows/aurora --to https://calls.example.com --release
  strowger push --release --percent 10            one caller in ten gets it
  strowger push --key acme.key                    signs the plugins' components, where the tenant wants that

What is pushed is what the engine reads: strowger.toml, routes.yaml, queues.yaml, the flows, the audio files and the
plugins' components, with their signatures (NAME.wasm.sig) where they lie beside them. The tenant is project.name.

Exit code: 0 it is there, 1 it has errors or is refused, 2 it could not be pushed.")]
pub(super) struct Push {
    /// The project's folder.
    #[arg(default_value = ".")]
    project: PathBuf,
    #[command(flatten)]
    remote: Remote,
    /// Sign the plugins' components with the key in this file; `strowger plugin key` makes one.
    #[arg(long)]
    key: Option<PathBuf>,
    /// What is new, for those who look at the revisions.
    #[arg(long, default_value = "")]
    note: String,
    #[command(flatten)]
    releasing: Releasing,
}

/// Whether what was pushed is released at once.
#[derive(Debug, Args)]
pub(super) struct Releasing {
    /// Release it at once.
    #[arg(long)]
    pub(super) release: bool,
    /// How many of a hundred callers get it.
    #[arg(long, default_value_t = 100, requires = "release", value_parser = clap::value_parser!(u8).range(1..=100))]
    percent: u8,
    /// A gain that you accept, as the push told it, such as `orders: kv` or `strowger.toml: recording.calls true instead of
    /// false`; `all` for all. May stand more than once.
    #[arg(long, requires = "release")]
    accept: Vec<String>,
}

impl Push {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        let project = Project::read(&self.project)?;
        let tenant = project.config.project.name.clone();
        let mut tree = files(&project)?;
        if let Some(key) = &self.key {
            for plugin in project.config.plugins.values() {
                let path = written(&plugin.component);
                let place = project.folder.join(&plugin.component);
                if let Some(component) = tree.get(&path) {
                    let signature = sign(key, &place, component, &tenant).await?;
                    tree.insert(format!("{path}{BESIDE}"), signature.into_bytes());
                }
            }
        }
        let count = tree.len();
        let archive = pack(&tree).map_err(Failure::cannot)?;
        eprintln!(
            "pushing {count} files, {} KiB packed",
            archive.len().div_ceil(1024)
        );
        let path = format!(
            "/v1/tenants/{tenant}/revisions{}",
            asked(&[("note", &self.note)])
        );
        let kind = [("content-type", "application/octet-stream")];
        let pushed = self.remote.ask(Method::POST, &path, &kind, archive).await?;
        pushed_told(&pushed);
        self.releasing
            .carry_out(&self.remote, &tenant, &pushed)
            .await
    }
}

impl Releasing {
    /// Releases what was pushed, if that was asked for.
    pub(super) async fn carry_out(
        &self,
        remote: &Remote,
        tenant: &str,
        pushed: &Json,
    ) -> Result<u8, Failure> {
        if !self.release {
            let revision = &pushed["revision"];
            eprintln!(
                "nothing is live of it yet: `strowger release {revision} --tenant {tenant}` makes it so"
            );
            return Ok(OK);
        }
        let order = json!({
            "revision": pushed["revision"],
            "percent": self.percent,
            "accept": self.accept,
        });
        let path = format!("/v1/tenants/{tenant}/release");
        let kind = [("content-type", "application/json")];
        let body = order.to_string().into_bytes();
        let release = remote.ask(Method::PUT, &path, &kind, body).await?;
        released_told(&release);
        Ok(OK)
    }
}

/// A query of these, without those that are empty.
pub(super) fn asked(parts: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parts.iter().filter(|(_, value)| !value.is_empty()));
    match query.finish() {
        query if query.is_empty() => query,
        query => format!("?{query}"),
    }
}

/// Says what became of a push.
pub(super) fn pushed_told(pushed: &Json) {
    match pushed["onto"].as_u64() {
        Some(onto) => tell!("revision {}, of revision {onto}", pushed["revision"]),
        None => tell!("revision {}", pushed["revision"]),
    }
    for plugin in pushed["plugins"].as_array().into_iter().flatten() {
        let text = |key: &str| plugin[key].as_str().unwrap_or_default();
        let signed = match plugin["publisher"].as_str() {
            Some(publisher) => format!("signed by {publisher}"),
            None => "not signed".to_owned(),
        };
        tell!("plugin {}@{}, new, {signed}", text("name"), text("version"));
    }
    for version in pushed["signed"].as_array().into_iter().flatten() {
        tell!("signed anew: {}", version.as_str().unwrap_or_default());
    }
    for step in pushed["back"].as_array().into_iter().flatten() {
        tell!("goes back: {}", step.as_str().unwrap_or_default());
    }
    for warning in pushed["warnings"].as_array().into_iter().flatten() {
        let text = |key: &str| warning[key].as_str().unwrap_or_default();
        tell!(
            "warning: {}:{}: {}; {}",
            text("file"),
            warning["line"],
            text("message"),
            text("help")
        );
    }
    let unused = pushed["unused"].as_array().into_iter().flatten();
    let unused: Vec<&str> = unused.filter_map(Json::as_str).collect();
    if !unused.is_empty() {
        tell!(
            "does nothing here: {} of strowger.toml; the operator of the centre says it",
            unused.join(", ")
        );
    }
    for (key, words) in [
        ("gains", "may touch, new"),
        ("loses", "may no longer touch"),
    ] {
        for capability in pushed[key].as_array().into_iter().flatten() {
            tell!("{words}: {}", capability.as_str().unwrap_or_default());
        }
    }
}

/// Says what is live.
pub(super) fn released_told(release: &Json) {
    match release["candidate"].as_u64() {
        Some(candidate) => tell!(
            "revision {} is live, revision {candidate} for {} % of callers",
            release["live"],
            release["percent"]
        ),
        None => tell!("revision {} is live", release["live"]),
    }
}

/// What the engine reads of a project.
fn files(project: &Project) -> Result<Tree, Failure> {
    let folder = &project.folder;
    let mut paths: Vec<PathBuf> = ["strowger.toml", "routes.yaml", "queues.yaml"]
        .into_iter()
        .map(PathBuf::from)
        .filter(|path| folder.join(path).exists())
        .collect();
    for flow in &project.flows {
        let below = flow.path.strip_prefix(folder).unwrap_or(&flow.path);
        paths.push(below.to_owned());
    }
    paths.extend(project.audio.iter().map(PathBuf::from));
    let plugins = project.config.plugins.values();
    for plugin in plugins {
        let beside = PathBuf::from(format!("{}{BESIDE}", plugin.component.display()));
        paths.extend(folder.join(&beside).is_file().then_some(beside));
        paths.push(plugin.component.clone());
    }
    let mut tree = Tree::new();
    for path in paths {
        let place = folder.join(&path);
        let unread =
            |e: std::io::Error| Failure::cannot(format!("cannot read {}: {e}", place.display()));
        // What a folder of somebody else's links to is no part of it, and may be anything that this user can read.
        let real = below(folder, &path).map_err(unread)?.ok_or_else(|| {
            Failure::cannot(format!(
                "{} leads out of the project, and nothing is pushed; put a copy of the file in its place",
                place.display()
            ))
        })?;
        let bytes = std::fs::read(real).map_err(unread)?;
        tree.insert(written(&path), bytes);
    }
    Ok(tree)
}

fn written(path: &Path) -> String {
    let parts = path.components().filter_map(|part| match part {
        std::path::Component::Normal(part) => Some(part.to_string_lossy()),
        std::path::Component::ParentDir => Some("..".into()),
        _ => None,
    });
    parts.collect::<Vec<_>>().join("/")
}
