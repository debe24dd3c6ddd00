//! What is wrong with a tenant's project before any contact walks it.

use std::collections::BTreeMap;
use std::path::Path;

use strowger_contact::Program;
use strowger_flow::Level;
use strowger_flow::diagnostic::{Language, Text, text};
use strowger_plugin::{Host, Limits, Plugin};

use super::config::TenantConfig;
use super::refusal::{Refusal, Told};
use crate::project::{Examined, Finding, Project, ProjectError, QueuesFile, Steps};
use crate::store::{Manifest, Store, StoreError};

/// A project that may be served.
pub struct Sound {
    /// As read.
    pub project: Project,
    /// Its steps.
    pub steps: Steps,
    /// Its flows.
    pub program: Program,
    /// What its plugins may touch, by plugin.
    pub capabilities: BTreeMap<String, Vec<String>>,
}

/// What is to be said of what a project asks for and the operator does not grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ungranted {
    /// It is an error.
    Refused,
    /// Nothing: its uses are refused one by one, since it was granted when the project came in.
    Held,
}

/// A project that was looked at, well or not.
pub struct Looked {
    project: Project,
    steps: Steps,
    program: Result<Program, Refusal>,
}

impl Looked {
    /// The project's own plugins that could be loaded, by name.
    pub fn plugins(&self) -> BTreeMap<&str, &Plugin> {
        let plugins = self.steps.plugins.values();
        plugins
            .map(|plugin| (plugin.description().name.as_str(), plugin))
            .filter(|(name, _)| self.project.config.plugins.contains_key(*name))
            .collect()
    }

    /// What its plugins are configured with.
    pub fn configs(&self) -> BTreeMap<String, String> {
        self.project.configs()
    }

    /// The project, if it may be served: else all that is wrong with it.
    pub fn sound(self) -> Result<Sound, Refusal> {
        let program = self.program?;
        let capabilities = capabilities(&self.project, &self.steps);
        Ok(Sound {
            project: self.project,
            steps: self.steps,
            program,
            capabilities,
        })
    }
}

/// Examines the project in a folder as a tenant's: all complaints at once.
pub async fn examine(
    host: &Host,
    folder: &Path,
    tenant: &str,
    config: &TenantConfig,
    ungranted: Ungranted,
) -> Result<Sound, Refusal> {
    look(host, folder, tenant, config, ungranted).await?.sound()
}

/// The same for those who have more to say of its plugins: an error is a project that cannot be looked at.
pub async fn look(
    host: &Host,
    folder: &Path,
    tenant: &str,
    config: &TenantConfig,
    ungranted: Ungranted,
) -> Result<Looked, Refusal> {
    let shown = Shown(format!("{}/", folder.display()));
    let project = Project::read(folder).map_err(|error| shown.unreadable(&error))?;
    let limits = &config.limits.step;
    let (steps, complaints) = Steps::load(host, folder, &project.config.plugins, limits).await;
    if let Some(busy) = complaints.iter().find(|one| one.of_the_engine) {
        return Err(Refusal::Busy(shown.strip(busy.message.english())));
    }
    let mut findings = match ungranted {
        Ungranted::Refused => not_granted(&project, tenant, config),
        Ungranted::Held => Vec::new(),
    };
    if project.config.project.name != tenant {
        let name = &project.config.project.name;
        let message = text!(
            "the project is `{name}` and the tenant `{tenant}`",
            "项目是 `{name}`，而租户是 `{tenant}`"
        );
        let help = Text::fixed(
            "push it to the tenant of its name, or correct project.name",
            "请推送到同名的租户，或改正 `project.name`",
        );
        findings.push(project.at_key(Level::Error, &["project", "name"], message, Some(help)));
    }
    let examined = Examined::of(&project, &steps, &complaints);
    findings.extend(examined.beside.iter().cloned());
    let mut told = Vec::new();
    let mut text = String::new();
    for finding in findings.iter().filter(|finding| finding.is_error()) {
        told.push(shown.told(&finding.diagnostic));
        text += &shown.strip(&finding.render(Language::English, false));
    }
    for (file, checked) in &examined.checked {
        let source = String::from_utf8_lossy(&file.source);
        let errors = checked
            .diagnostics
            .iter()
            .filter(|found| found.level == Level::Error);
        for found in errors {
            told.push(shown.told(found));
            text += &shown.strip(&found.render(&source, false));
            text += "\n";
        }
    }
    let program = if told.is_empty() {
        let program = examined.program(&steps);
        program.map_err(|error| shown.unreadable(&error))
    } else {
        Err(Refusal::Errors { told, text })
    };
    Ok(Looked {
        project,
        steps,
        program,
    })
}

/// Whether a plugin's examples go as its description says, with its configuration in the project.
pub async fn try_examples(plugin: &Plugin, config: &str, limits: &Limits) -> Result<(), Refusal> {
    // What a plugin logs while it is tried is nobody's business here.
    let tried = crate::trial::examples(plugin, config, limits, |_| {}).await;
    if tried.wrong.is_empty() {
        return Ok(());
    }
    if let Some(why) = tried.unable {
        return Err(Refusal::Busy(why));
    }
    let name = &plugin.description().name;
    let told: Vec<Told> = tried
        .wrong
        .iter()
        .map(|wrong| Told::plain("plugin-example", format!("plugin {name}: {wrong}")))
        .collect();
    Err(Refusal::Errors {
        text: told.iter().map(Told::line).collect(),
        told,
    })
}

/// What plugins ask for and the operator does not grant to the tenant.
fn not_granted(project: &Project, tenant: &str, config: &TenantConfig) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (plugin, asked) in &project.config.plugins {
        let granted = &config.grants;
        let hosts = asked.grants.http.iter();
        let hosts = hosts.filter(|host| !granted.has_host(host));
        let mut missing: Vec<String> = hosts.map(|host| format!("http {host}")).collect();
        if asked.grants.kv && !granted.kv {
            missing.push("kv".to_owned());
        }
        if asked.grants.route && !granted.route {
            missing.push("route".to_owned());
        }
        let queues = asked.grants.queues.iter().flatten();
        let queues = queues.filter(|queue| !granted.has_queue(queue));
        missing.extend(queues.map(|queue| format!("queue {queue}")));
        let entries = asked.grants.vault.iter();
        let entries = entries.filter(|entry| !granted.vault.contains(entry));
        missing.extend(entries.map(|entry| format!("vault {entry}")));
        for capability in missing {
            let message = text!(
                "plugin {plugin} asks for `{capability}`, which the operator has not granted to {tenant}",
                "插件 `{plugin}` 要求 `{capability}`，而运营方没有授予租户 `{tenant}`"
            );
            let help = Text::fixed(
                "ask the operator, who writes it below [grants] of the tenant's file; or ask for less in strowger.toml",
                "请联系运营方（写在租户文件的 `[grants]` 下），或在 `strowger.toml` 里少要一些",
            );
            let key = ["plugins", plugin.as_str(), "grants"];
            findings.push(project.at_key(Level::Error, &key, message, Some(help)));
        }
    }
    for queue in foreign_queues(&project.queues, config) {
        let message = text!(
            "queues.yaml has the queue `{queue}`, which the operator has not granted to {tenant}",
            "`queues.yaml` 里有队列 `{queue}`，而运营方没有授予租户 `{tenant}`"
        );
        let help = Text::fixed(
            "use one of the queues in [grants] of the tenant's file, or ask the operator to add it there",
            "请使用租户文件 `[grants]` 里的队列，或请运营方把它加进去",
        );
        let file = project.folder.join("queues.yaml").display().to_string();
        findings.push(Finding::whole(Level::Error, &file, message, Some(help)));
    }
    findings
}

/// Queues that a project has and the operator does not grant.
fn foreign_queues<'q>(
    queues: &'q QueuesFile,
    config: &TenantConfig,
) -> impl Iterator<Item = &'q String> {
    let names = queues.queues.keys();
    names.filter(|queue| !config.grants.has_queue(queue))
}

/// What a revision touches and the operator does not grant any more: `orders: http api.example:443`, `queue front-desk`.
pub async fn withdrawn(
    store: &Store,
    manifest: &Manifest,
    config: &TenantConfig,
) -> Result<Vec<String>, StoreError> {
    let mut lost = of_plugins(manifest, config);
    if config.grants.queues.is_some()
        && let Some(sha256) = manifest.files.get("queues.yaml")
        && let Some(text) = store.blob(sha256).await?
    {
        match serde_yaml::from_slice(&text) {
            Ok(queues) => {
                let foreign = foreign_queues(&queues, config);
                lost.extend(foreign.map(|queue| format!("queue {queue}")));
            }
            Err(_) => lost.push("the queues of a queues.yaml that cannot be read".to_owned()),
        }
    }
    Ok(lost)
}

fn of_plugins(manifest: &Manifest, config: &TenantConfig) -> Vec<String> {
    let grants = &config.grants;
    let holds = |capability: &str| match capability.split_once(' ') {
        Some(("http", host)) => grants.has_host(host),
        Some(("vault", entry)) => grants.vault.iter().any(|known| known == entry),
        Some(("route", queue)) => {
            let named = queue.strip_prefix("queue ");
            grants.route && named.is_none_or(|queue| grants.has_queue(queue))
        }
        _ => match capability {
            "kv" => grants.kv,
            "route" => grants.route,
            _ => true,
        },
    };
    let plugins = manifest.capabilities.iter();
    let all = plugins.flat_map(|(plugin, touched)| {
        let lost = touched.iter().filter(|capability| !holds(capability));
        lost.map(move |capability| format!("{plugin}: {capability}"))
    });
    all.collect()
}

/// What each plugin may touch beyond its contact: what it imports, as far as it is granted.
fn capabilities(project: &Project, steps: &Steps) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for plugin in steps.plugins.values() {
        let name = &plugin.description().name;
        let Some(config) = project.config.plugins.get(name) else {
            continue;
        };
        let mut touched = Vec::new();
        for import in plugin.imports() {
            match import.as_str() {
                "http" => {
                    touched.extend(config.grants.http.iter().map(|host| format!("http {host}")));
                    let entries = config.grants.vault.iter();
                    touched.extend(entries.map(|entry| format!("vault {entry}")));
                }
                "route" => match &config.grants.queues {
                    None => touched.push(import.clone()),
                    Some(queues) => {
                        touched.push("route transfer".to_owned());
                        touched.extend(queues.iter().map(|queue| format!("route queue {queue}")));
                    }
                },
                "kv" => touched.push(import.clone()),
                _ => {}
            }
        }
        all.insert(name.clone(), touched);
    }
    all
}

/// Names files as the one who pushed them knows them.
struct Shown(String);

impl Shown {
    fn strip(&self, text: &str) -> String {
        text.replace(&self.0, "")
    }

    fn told(&self, found: &strowger_flow::Diagnostic) -> Told {
        let place = &found.primary.place;
        Told {
            rule: found.rule.to_owned(),
            file: Some(self.strip(&found.file)),
            line: Some(place.line),
            column: Some(place.column),
            message: self.strip(found.message.english()),
            help: found.help.as_ref().map(|help| self.strip(help.english())),
        }
    }

    fn unreadable(&self, error: &ProjectError) -> Refusal {
        if let ProjectError::Config(crate::project::ConfigError::Invalid(finding)) = error {
            return Refusal::Errors {
                told: vec![self.told(&finding.diagnostic)],
                text: self.strip(&finding.render(Language::English, false)),
            };
        }
        let (message, help) = error.told();
        let mut told = Told::plain("project", self.strip(message.english()));
        told.help = help.map(|help| help.english().to_owned());
        Refusal::one(told)
    }
}
