//! The steps a project may use: the standard ones and those of its plugins.

use std::collections::BTreeMap;
use std::path::Path;

use strowger_flow::catalog::StepDescription;
use strowger_plugin::{Host, Limits, Plugin};

use super::component;
use super::config::PluginConfig;

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

/// Why a plugin cannot be used.
#[derive(Debug)]
pub struct Complaint {
    /// The plugin's name in strowger.toml; none for the standard steps.
    pub plugin: Option<String>,
    /// What is wrong and what to do.
    pub message: String,
}

impl Complaint {
    fn standard(message: String) -> Complaint {
        let plugin = None;
        Complaint { plugin, message }
    }

    fn of(plugin: &str, message: String) -> Complaint {
        let message = format!("plugin {plugin}: {message}");
        let plugin = Some(plugin.to_owned());
        Complaint { plugin, message }
    }
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
            complaints.push(Complaint::standard(
                "this program was built without the standard steps: run `make build`, which builds them first".into(),
            ));
        }
        for (name, component) in STANDARD {
            let all = strowger_plugin::Grants::all();
            match host.load(component, &all, limits).await {
                Ok(plugin) => steps.add(plugin),
                Err(errors) => complaints.extend(
                    errors
                        .iter()
                        .map(|e| Complaint::standard(format!("standard step {name}: {e}"))),
                ),
            }
        }
        for (name, config) in plugins {
            let component = match component::read(folder, config, limits.component_bytes) {
                Ok(component) => component,
                Err(wrong) => {
                    complaints.push(Complaint::of(name, wrong.to_string()));
                    continue;
                }
            };
            match host.load(&component, &grants(config), limits).await {
                Ok(plugin) if plugin.description().name == *name => steps.add(plugin),
                Ok(plugin) => complaints.push(Complaint::of(
                    name,
                    format!(
                        "the component calls itself `{}`; name it so in strowger.toml",
                        plugin.description().name
                    ),
                )),
                Err(errors) => {
                    let file = config.file().display();
                    complaints.extend(
                        errors
                            .iter()
                            .map(|e| Complaint::of(name, format!("{file}: {e}"))),
                    );
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
        let told: Vec<_> = complaints.into_iter().map(|told| told.message).collect();
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
        let description = plugin.description();
        let major = description.version.split('.').next().unwrap_or("0");
        for (name, step) in &description.steps {
            let key = format!("{}/{name}@{major}", description.name);
            self.descriptions.insert(key.clone(), step.clone());
            self.plugins.insert(key, plugin.clone());
        }
    }
}

/// Every plugin may talk with its contact, wait and look around; the rest must be granted.
fn grants(config: &PluginConfig) -> strowger_plugin::Grants {
    let asked = [
        ("http", !config.grants.http.is_empty()),
        ("kv", config.grants.kv),
        ("route", config.grants.route),
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
