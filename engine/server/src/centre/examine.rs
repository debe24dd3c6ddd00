//! What is wrong with a tenant's project before any contact walks it.

use std::collections::BTreeMap;
use std::path::Path;

use strowger_contact::Program;
use strowger_flow::Level;
use strowger_flow::diagnostic::{Language, Text, text};
use strowger_plugin::{Host, Limits, Plugin};

use super::config::TenantConfig;
use super::refusal::{Refusal, Told};
use crate::project::{Examined, Finding, Project, ProjectError, Steps};
use crate::store::Manifest;

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

impl Sound {
    /// The project's own plugins, by name.
    pub fn plugins(&self) -> BTreeMap<&str, &Plugin> {
        let plugins = self.steps.plugins.values();
        plugins
            .map(|plugin| (plugin.description().name.as_str(), plugin))
            .filter(|(name, _)| self.project.config.plugins.contains_key(*name))
            .collect()
    }
}

/// What is to be said of what a project asks for and the operator does not grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ungranted {
    /// It is an error.
    Refused,
    /// Nothing: its uses are refused one by one, since it was granted when the project came in.
    Held,
}

/// Examines the project in a folder as a tenant's: all complaints at once.
pub async fn examine(
    host: &Host,
    folder: &Path,
    tenant: &str,
    config: &TenantConfig,
    ungranted: Ungranted,
) -> Result<Sound, Refusal> {
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
    if !told.is_empty() {
        return Err(Refusal::Errors { told, text });
    }
    let program = examined
        .program(&steps)
        .map_err(|error| shown.unreadable(&error))?;
    let capabilities = capabilities(&project, &steps);
    Ok(Sound {
        project,
        steps,
        program,
        capabilities,
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
    let lines = told
        .iter()
        .map(|told| format!("error[{}]: {}\n", told.rule, told.message));
    Err(Refusal::Errors {
        text: lines.collect(),
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
    findings
}

/// What the plugins of a revision touch and the operator does not grant any more: `orders: http api.example:443`.
pub fn withdrawn(manifest: &Manifest, config: &TenantConfig) -> Vec<String> {
    let grants = &config.grants;
    let holds = |capability: &str| match capability.split_once(' ') {
        Some(("http", host)) => grants.has_host(host),
        Some(("vault", entry)) => grants.vault.iter().any(|known| known == entry),
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
                "kv" | "route" => touched.push(import.clone()),
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
