//! The steps a project may use: the standard ones and those of its plugins.

use std::collections::BTreeMap;
use std::path::Path;

use strowger_flow::catalog::StepDescription;
use strowger_flow::diagnostic::{Text, text};
use strowger_plugin::{Host, Limits, Plugin};

use super::complaint::Complaint;
use super::component;
use super::plugin::{Grants, PluginConfig};

include!(concat!(env!("OUT_DIR"), "/standard.rs"));

/// The components of the standard steps, built into the program.
pub fn standard_components() -> &'static [(&'static str, &'static [u8])] {
    STANDARD
}

/// Loaded plugins and the steps they offer.
#[derive(Clone, Default)]
pub struct Steps {
    /// By `plugin/step@major`.
    pub plugins: BTreeMap<String, Plugin>,
    /// By `plugin/step@major`.
    pub descriptions: BTreeMap<String, StepDescription>,
}

impl Steps {
    /// Loads the standard steps and the given plugins: those that can be used, and every complaint about the others.
    pub async fn load(
        host: &Host,
        folder: &Path,
        plugins: &BTreeMap<String, PluginConfig>,
        limits: &Limits,
    ) -> (Steps, Vec<Complaint>) {
        let mut steps = Steps::default();
        let mut complaints = Vec::new();
        if STANDARD.is_empty() {
            complaints.push(Complaint::standard(Text::fixed(
                "this program was built without the standard steps: run `make build`, which builds them first",
                "此程序没有包含标准步骤：请运行 `make build`，它会先构建它们",
            )));
        }
        for (name, component) in STANDARD {
            let all = strowger_plugin::Grants::all();
            match host.load(component, &all, limits).await {
                Ok(plugin) => steps.add(plugin),
                Err(errors) => {
                    complaints.extend(errors.iter().map(|e| Complaint::of_standard(name, e)));
                }
            }
        }
        for (name, config) in plugins {
            let component = match component::read(folder, config, limits.component_bytes) {
                Ok(component) => component,
                Err(wrong) => {
                    let mut complaint = Complaint::of_file(name, &wrong);
                    if config.stand_in.is_some() {
                        complaint.help = Some(Text::fixed(
                            "correct the path of --plugin, or build what it names",
                            "请改正 `--plugin` 的路径，或先构建它指向的组件",
                        ));
                    }
                    complaints.push(complaint);
                    continue;
                }
            };
            match host
                .loading(name)
                .load(&component, &config.grants.capabilities(), limits)
                .await
            {
                Ok(plugin) if plugin.description().name == *name => steps.add(plugin),
                Ok(plugin) => {
                    // So that flows that use it by its own name are checked with what it says of itself.
                    steps.describe(&plugin);
                    let called = &plugin.description().name;
                    let message = text!(
                        "the component calls itself `{called}`",
                        "组件自称 `{called}`"
                    );
                    let help = match &config.stand_in {
                        None => Text::fixed(
                            "name it so in strowger.toml",
                            "请在 `strowger.toml` 里也这样命名",
                        ),
                        Some(file) => {
                            let file = file.display();
                            text!(
                                "{file} is no {name}: give --plugin another file, or the plugin that this is",
                                "`{file}` 不是 `{name}`：请给 `--plugin` 另一个文件，或写上它所属的插件"
                            )
                        }
                    };
                    complaints.push(Complaint::of(name, message, Some(help)));
                }
                Err(errors) => {
                    let file = config.file().display().to_string();
                    let errors = errors.iter();
                    complaints.extend(errors.map(|e| Complaint::of_component(name, &file, e)));
                }
            }
        }
        (steps, complaints)
    }

    /// The standard steps alone, for a file outside any project.
    ///
    /// # Errors
    /// What is wrong with this program's own steps, a line each.
    pub async fn standard(host: &Host) -> Result<Steps, String> {
        let (none, here) = (BTreeMap::new(), Path::new("."));
        let (steps, complaints) = Steps::load(host, here, &none, &Limits::default()).await;
        if complaints.is_empty() {
            return Ok(steps);
        }
        let told: Vec<_> = complaints.iter().map(Complaint::line).collect();
        Err(told.join("\n"))
    }

    /// SHA-256 of each step's plugin, by `plugin/step@major`.
    pub fn digests(&self) -> BTreeMap<String, String> {
        let plugins = self.plugins.iter();
        plugins
            .map(|(step, plugin)| (step.clone(), plugin.digest().to_owned()))
            .collect()
    }

    fn add(&mut self, plugin: Plugin) {
        for (key, step) in steps_of(&plugin) {
            self.descriptions.insert(key.clone(), step.clone());
            self.plugins.insert(key, plugin.clone());
        }
    }

    /// Takes what a plugin says of its steps, and not the steps.
    fn describe(&mut self, plugin: &Plugin) {
        for (key, step) in steps_of(plugin) {
            let known = self.descriptions.entry(key);
            known.or_insert_with(|| step.clone());
        }
    }
}

/// A plugin's steps, by `plugin/step@major`.
fn steps_of(plugin: &Plugin) -> impl Iterator<Item = (String, &StepDescription)> {
    let description = plugin.description();
    let major = description.version.split('.').next().unwrap_or("0");
    let steps = description.steps.iter();
    steps.map(move |(name, step)| (format!("{}/{name}@{major}", description.name), step))
}

impl Grants {
    /// The capabilities that these let a plugin import: every plugin may talk with its contact, wait and look around;
    /// the rest must be granted.
    pub(crate) fn capabilities(&self) -> strowger_plugin::Grants {
        let asked = [
            ("http", !self.http.is_empty()),
            ("kv", self.kv),
            ("route", self.route),
        ];
        let granted = asked
            .into_iter()
            .filter_map(|(capability, granted)| granted.then_some(capability));
        strowger_plugin::Grants::only(
            ["contact", "media", "wait", "env"]
                .into_iter()
                .chain(granted),
        )
    }
}
