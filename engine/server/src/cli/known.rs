//! What flows may refer to: a catalogue for commands that need no more of a project.

use std::path::Path;

use strowger_flow::Catalog;
use strowger_plugin::{Host, HostConfig, Limits};

use super::Failure;
use crate::project::{Project, Steps, catalog_of};
use crate::scenario::Place;

/// Instances of steps at a time: plugins are only asked what they are.
const POOL: u32 = 16;

/// The standard steps, outside any project.
pub(super) async fn standard() -> Result<Catalog, Failure> {
    let steps = Steps::standard(&host()?).await.map_err(Failure::cannot)?;
    Ok(catalog_of(&steps))
}

/// A project and what its flows may refer to.
pub(super) async fn of_project(folder: &Path) -> Result<(Project, Catalog), Failure> {
    let project = Project::read(folder)?;
    let plugins = &project.config.plugins;
    let (steps, complaints) = Steps::load(&host()?, folder, plugins, &Limits::default()).await;
    if !complaints.is_empty() {
        let told: Vec<_> = complaints.iter().map(|told| told.line()).collect();
        return Err(Failure::cannot(told.join("\n")));
    }
    let catalog = project.catalog(&steps);
    Ok((project, catalog))
}

/// What a flow's file may refer to: the project that it stands in, or the standard steps.
pub(super) async fn around(file: &Path) -> Result<Catalog, Failure> {
    let places = Place::sorted(&[file.to_owned()]);
    match places.into_iter().find_map(|place| place.project) {
        Some(folder) => Ok(of_project(&folder).await?.1),
        None => standard().await,
    }
}

fn host() -> Result<Host, Failure> {
    Host::new(HostConfig {
        pool: Some(POOL),
        ..HostConfig::default()
    })
    .map_err(Failure::cannot)
}
