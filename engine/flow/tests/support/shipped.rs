//! The example projects, as they are shipped, with the plugins that they use.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_yaml::Value;
use strowger_flow::catalog::{Catalog, PluginDescription};
use strowger_flow::{Checked, signature_of, survey};

/// An example project whose flows have nothing wrong.
pub struct Project {
    pub name: String,
    /// What its flows may refer to, with all that each knows of the others.
    pub catalog: Catalog,
    /// Names of files and their texts.
    pub flows: Vec<(String, String)>,
}

/// All of them.
#[expect(
    clippy::disallowed_methods,
    reason = "a test may read the projects beside it"
)]
pub fn projects() -> Vec<Project> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let list = |folder: PathBuf| -> Vec<PathBuf> {
        let entries = std::fs::read_dir(&folder).expect("the folder is there");
        let mut paths: Vec<PathBuf> = entries
            .map(|entry| entry.expect("an entry").path())
            .collect();
        paths.sort();
        paths
    };
    let read = |path: &Path| std::fs::read_to_string(path).expect("a file can be read");
    let mut steps = Catalog::default();
    for plugin in list(root.join("plugins/std"))
        .into_iter()
        .chain(list(root.join("plugins/aurora")))
    {
        let path = plugin.join("description.json");
        if path.exists() {
            let plugin: PluginDescription =
                serde_json::from_str(&read(&path)).expect("a description");
            super::support::add(&mut steps, plugin);
        }
    }
    let mut projects = Vec::new();
    for folder in list(root.join("flows")) {
        if !folder.join("routes.yaml").exists() {
            continue;
        }
        let mut project = Project {
            name: name_of(&folder),
            catalog: steps.clone(),
            flows: Vec::new(),
        };
        for path in list(folder.clone()) {
            let name = name_of(&path);
            if name.ends_with(".flow.yaml") {
                project.flows.push((name, read(&path)));
            }
        }
        let named = |key: &str| -> BTreeSet<String> {
            let path = folder.join("queues.yaml");
            if !path.exists() {
                return BTreeSet::new();
            }
            let queues: Value = serde_yaml::from_str(&read(&path)).expect("YAML");
            let map = queues[key].as_mapping().cloned().unwrap_or_default();
            map.keys()
                .filter_map(|key| key.as_str().map(str::to_owned))
                .collect()
        };
        project.catalog.audio = Some(audio(&folder));
        project.catalog.queues = Some(named("queues"));
        project.catalog.destinations = Some(named("suppliers"));
        project.learn();
        projects.push(project);
    }
    assert!(projects.len() >= 7, "there are {} projects", projects.len());
    projects
}

/// The audio files of a project.
#[expect(
    clippy::disallowed_methods,
    reason = "a test may look at the projects beside it"
)]
fn audio(project: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![project.join("audio")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(below) = path.strip_prefix(project) {
                found.insert(below.to_string_lossy().into_owned());
            }
        }
    }
    found
}

impl Project {
    /// Takes into the catalogue what the flows say of themselves, and checks that nothing is wrong with them.
    fn learn(&mut self) {
        let (catalog, checked) = self.survey(&self.flows);
        self.catalog = catalog;
        for ((file, text), checked) in self.flows.iter().zip(checked) {
            let found = checked.diagnostics.iter();
            let frames: String = found.map(|found| found.render(text, false)).collect();
            assert!(frames.is_empty(), "{}/{file}:\n{frames}", self.name);
        }
    }

    /// Checks the project with these flows in place of its own.
    pub fn survey(&self, flows: &[(String, String)]) -> (Catalog, Vec<Checked>) {
        let files: Vec<(&str, &[u8])> = flows
            .iter()
            .map(|(file, text)| (file.as_str(), text.as_bytes()))
            .collect();
        let mut catalog = self.catalog.clone();
        let signatures = files
            .iter()
            .filter_map(|(file, text)| signature_of(file, text));
        catalog.flows = Some(signatures.collect());
        let checked = survey(&files, &mut catalog);
        (catalog, checked)
    }
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned()
}
