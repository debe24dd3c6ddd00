//! What is wrong with a tenant's project before any contact walks it.

use std::collections::BTreeMap;
use std::path::Path;

use strowger_contact::Program;
use strowger_flow::Level;
use strowger_flow::diagnostic::{Language, Text, text};
use strowger_flow::plan::Plan;
use strowger_plugin::{Host, Plugin};

use super::aside::aside;
use super::config::{TenantConfig, TenantLimits};
use super::refusal::{Refusal, Told};
use crate::project::{
    Complaint, Examined, Finding, FlowFile, Grants, HandOver, Project, ProjectError, QueuesFile,
    Routes, Source, Steps, hand_overs,
};
use crate::runtime::Engine;
use crate::store::{Manifest, Store, StoreError};
use crate::trial::Bounds;

/// A project that may be served.
pub struct Sound {
    /// As read.
    pub project: Project,
    /// Its steps.
    pub steps: Steps,
    /// Its flows.
    pub program: Program,
    /// What is to be said of it all the same.
    pub warnings: Vec<Told>,
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
    shown: Shown,
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
    ///
    /// `numbers` are the centre's, where its tenants have numbers.
    pub fn sound(self, tenant: &str, numbers: Option<&Routes>) -> Result<Sound, Refusal> {
        let program = self.program?;
        let astray = numbers.map(|numbers| self.project.astray(numbers, tenant));
        let astray = astray.into_iter().flatten();
        let warnings = astray.map(|found| self.shown.told(&found.diagnostic));
        let warnings = warnings.collect();
        let capabilities = capabilities(&self.project, &self.steps);
        Ok(Sound {
            project: self.project,
            steps: self.steps,
            program,
            warnings,
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
    look(host, folder, tenant, config, ungranted)
        .await?
        .sound(tenant, None)
}

/// The same for those who have more to say of its plugins: an error is a project that cannot be looked at.
pub async fn look(
    host: &Host,
    folder: &Path,
    tenant: &str,
    config: &TenantConfig,
    ungranted: Ungranted,
) -> Result<Looked, Refusal> {
    let shown = Shown(folder.display().to_string());
    let at = folder.to_owned();
    let project = aside(move || Project::read(&at)).await?;
    let project = project.map_err(|error| shown.unreadable(&error))?;
    let limits = &config.limits.step;
    let (steps, complaints) = Steps::load(host, folder, &project.config.plugins, limits).await;
    if let Some(busy) = complaints.iter().find(|one| one.of_the_engine) {
        return Err(Refusal::Busy(shown.strip(busy.message.english())));
    }
    let (tenant, config) = (tenant.to_owned(), config.clone());
    aside(move || {
        judged(
            project,
            steps,
            &complaints,
            shown,
            &tenant,
            &config,
            ungranted,
        )
    })
    .await
}

/// What is wrong with a project whose plugins are loaded.
fn judged(
    project: Project,
    steps: Steps,
    complaints: &[Complaint],
    shown: Shown,
    tenant: &str,
    config: &TenantConfig,
    ungranted: Ungranted,
) -> Looked {
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
    let examined = Examined::of(&project, &steps, complaints);
    findings.extend(examined.beside.iter().cloned());
    if ungranted == Ungranted::Refused {
        for (file, checked) in &examined.checked {
            let plan = checked.plan.iter();
            findings.extend(plan.flat_map(|plan| astray(&project, &steps, file, plan, config)));
        }
    }
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
        // Of a file with a plan only warnings are left out.
        let files = examined.checked.iter().map(|(_, checked)| checked);
        let wrong = files.filter(|checked| checked.plan.is_none());
        Err(Refusal::Errors {
            left_out: wrong.map(|checked| checked.left_out).sum(),
            told,
            text,
        })
    };
    Looked {
        project,
        steps,
        program,
        shown,
    }
}

/// Whether a plugin's examples go as its description says, with its configuration in the project. Those of all plugins of a push
/// together may use [`TenantLimits::trial_ms`](super::TenantLimits), of which `bounds` has what is left.
pub async fn try_examples(
    plugin: &Plugin,
    config: &str,
    limits: &TenantLimits,
    bounds: &mut Bounds,
) -> Result<(), Refusal> {
    // What a plugin logs while it is tried is nobody's business here.
    let tried = crate::trial::examples(plugin, config, &limits.step, bounds, |_| {}).await;
    if bounds.gone.is_cancelled() {
        return Err(Refusal::Busy(
            "nobody waits for the answer any more".to_owned(),
        ));
    }
    if tried.wrong.is_empty() && tried.not_tried == 0 {
        return Ok(());
    }
    if let Some(why) = tried.unable {
        return Err(Refusal::Busy(why));
    }
    let name = &plugin.description().name;
    let wrong = tried.wrong.iter();
    let wrong = wrong.map(|wrong| Told::plain("plugin-example", format!("plugin {name}: {wrong}")));
    let rest = (tried.not_tried > 0).then(|| {
        let why = format!(
            "plugin {name}: {} of its examples were not tried: those of one push have {} ms of processor time together (limits.trial_ms), which are used up; \
             give fewer, or such as compute less",
            tried.not_tried, limits.trial_ms
        );
        Told::plain("plugin-trial", why)
    });
    Err(Refusal::plain(wrong.chain(rest).collect()))
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
        let addresses = asked.grants.transfers.iter().flatten();
        let addresses = addresses.filter(|address| !granted.has_address(address));
        missing.extend(addresses.map(|address| format!("transfer {address}")));
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
        findings.push(project.at_queue(queue, message, Some(help)));
    }
    findings
}

/// Where a flow hands contacts over to whom the operator does not grant.
fn astray(
    project: &Project,
    steps: &Steps,
    file: &FlowFile,
    plan: &Plan,
    config: &TenantConfig,
) -> Vec<Finding> {
    let source = Source::new(&file.path, &String::from_utf8_lossy(&file.source));
    let (descriptions, transfer) = (&steps.descriptions, &project.config.transfer);
    let found = hand_overs(plan, descriptions, &project.queues, transfer);
    let astray = found
        .into_iter()
        .filter(|place| !config.grants.reaches(&place.to));
    let told = astray.map(|HandOver { line, column, to }| {
        let at = source.line(line as usize, column as usize);
        let message = text!(
            "this hands contacts over to whom the operator has not granted: `{to}`",
            "这里转接到运营方没有授予的去处：`{to}`"
        );
        let help = Text::fixed(
            "ask the operator, who writes it into `queues` or `transfers` below [grants] of the tenant's file; or name another one",
            "请联系运营方（写在租户文件 `[grants]` 的 `queues` 或 `transfers` 里），或改写别的去处",
        );
        source.finding(Level::Error, at, message, Some(help))
    });
    told.collect()
}

/// The same of a revision that is ready to be served: `greeting.flow.yaml:6: transfer sip:desk@example.com`.
pub(super) fn astray_of(engine: &Engine, config: &TenantConfig) -> Vec<String> {
    let places = engine.hand_overs();
    let astray = places.filter(|(_, place)| !config.grants.reaches(&place.to));
    let told = astray.map(|(file, HandOver { line, to, .. })| {
        let name = Path::new(file).file_name().unwrap_or_default();
        format!("{}:{line}: {to}", name.to_string_lossy())
    });
    told.collect()
}

/// Queues that a project has and the operator does not grant.
fn foreign_queues<'q>(
    queues: &'q QueuesFile,
    config: &TenantConfig,
) -> impl Iterator<Item = &'q String> {
    let names = queues.queues.keys();
    names.filter(|queue| !config.grants.has_queue(queue))
}

/// Where the queues and suppliers of a revision stand among what it may touch: no plugin has such a name.
const QUEUES_FILE: &str = "queues.yaml";

/// What a revision may touch: each of its plugins, and its `queues.yaml`.
pub type Touched = BTreeMap<String, Vec<String>>;

/// What a project may touch that is not in the store yet.
pub fn touched_by(capabilities: &Touched, queues: &QueuesFile) -> Touched {
    let mut touched = capabilities.clone();
    let names = queues.queues.keys().map(|queue| format!("queue {queue}"));
    let suppliers = queues.suppliers.iter();
    let suppliers = suppliers.map(|(name, to)| format!("supplier {name} {}", to.sip));
    touched.insert(QUEUES_FILE.to_owned(), names.chain(suppliers).collect());
    touched
}

/// What a revision of the store may touch. A `queues.yaml` that cannot be read any more leads nowhere.
pub async fn touched(store: &Store, manifest: &Manifest) -> Result<Touched, StoreError> {
    let queues = match manifest.files.get(QUEUES_FILE) {
        Some(sha256) => store.blob(sha256).await?,
        None => None,
    };
    let queues = queues.and_then(|text| serde_yaml::from_slice(&text).ok());
    let queues = queues.unwrap_or_default();
    Ok(touched_by(&manifest.capabilities, &queues))
}

/// What a revision touches and the operator does not grant any more: `orders: http api.example:443`, `queue front-desk`.
pub async fn withdrawn(
    store: &Store,
    manifest: &Manifest,
    config: &TenantConfig,
) -> Result<Vec<String>, StoreError> {
    let mut lost = of_plugins(manifest, config);
    if config.grants.queues.is_some()
        && let Some(sha256) = manifest.files.get(QUEUES_FILE)
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
        Some(("route", to)) => {
            grants.route
                && match to.split_once(' ') {
                    Some(("queue", queue)) => grants.has_queue(queue),
                    Some(("transfer", address)) => grants.has_address(address),
                    _ => true,
                }
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

/// What each plugin may touch: what it imports, as far as it is granted.
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
                "route" => {
                    let Grants {
                        queues, transfers, ..
                    } = &config.grants;
                    if queues.is_none() && transfers.is_none() {
                        touched.push(import.clone());
                        continue;
                    }
                    for (what, named) in [("transfer", transfers), ("queue", queues)] {
                        match named {
                            None => touched.push(format!("route {what}")),
                            Some(named) => {
                                let named = named.iter();
                                touched.extend(named.map(|one| format!("route {what} {one}")));
                            }
                        }
                    }
                }
                "kv" => touched.push(import.clone()),
                // Granted always; whoever answers for the tenant hears of each all the same: who calls, beside a host that is
                // granted, is more than either.
                _ => touched.push(format!("import {import}")),
            }
        }
        all.insert(name.clone(), touched);
    }
    all
}

/// Names files as the one who pushed them knows them.
/// It holds the folder that they are laid out in.
struct Shown(String);

impl Shown {
    fn strip(&self, text: &str) -> String {
        // What is wrong with the folder as a whole is told of `.`.
        text.replace(&format!("{}/", self.0), "")
            .replace(&self.0, ".")
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
                left_out: 0,
                told: vec![self.told(&finding.diagnostic)],
                text: self.strip(&finding.render(Language::English, false)),
            };
        }
        let (message, help) = error.told();
        let mut told = Told::plain("project", self.strip(message.english()));
        told.help = help.map(|help| self.strip(help.english()));
        Refusal::one(told)
    }
}
