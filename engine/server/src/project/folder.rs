//! Reading a project's folder, and checking all that stands in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::Digest;
use strowger_contact::{Program, ProgramError};
use strowger_flow::catalog::{Catalog, FlowSignature};
use strowger_flow::diagnostic::{Text, text};
use strowger_flow::expr::closest;
use strowger_flow::{Checked, Diagnostic, Document, Level};

use super::complaint::Complaint;
use super::config::{Config, ConfigError};
use super::finding::{Finding, Source};
use super::lengths::lengths;
use super::marked::is_data;
use super::misnamed::{self, Misnamed};
use super::queues::QueuesFile;
use super::reading::unreadable;
use super::routes::Routes;
use super::side::side;
use super::steps::Steps;
use super::toml_fault::key;

/// Deepest folder below a project's that is looked into for audio.
const MAX_DEPTH: usize = 8;

/// A project as read from its folder.
#[derive(Debug)]
pub struct Project {
    /// Its folder.
    pub folder: PathBuf,
    /// `strowger.toml`
    pub config: Config,
    /// The text of `strowger.toml`.
    pub source: Source,
    /// `routes.yaml`; empty when there is none.
    pub routes: Routes,
    /// `queues.yaml`; empty when there is none.
    pub queues: QueuesFile,
    /// All `*.flow.yaml` in the folder and in `flows/`, by path.
    pub flows: Vec<FlowFile>,
    /// All audio files, by path below the folder.
    pub audio: BTreeSet<String>,
    /// What is wrong with `routes.yaml` and `queues.yaml` by themselves.
    findings: Vec<Finding>,
    /// Whether `queues.yaml` says what queues and suppliers there are.
    pub(super) queues_known: bool,
    /// Whether `routes.yaml` says what routes there are.
    routes_known: bool,
    /// `routes.yaml` with its places, when it can be read.
    routes_file: Option<(Source, Document)>,
    /// The same of `queues.yaml`.
    queues_file: Option<(Source, Document)>,
}

/// One flow's file.
#[derive(Debug)]
pub struct FlowFile {
    /// Path as shown to people.
    pub path: PathBuf,
    /// Its bytes.
    pub source: Vec<u8>,
}

impl FlowFile {
    /// What other flows need to know of it.
    fn signature(&self) -> Option<(String, FlowSignature)> {
        strowger_flow::signature_of(&self.path.display().to_string(), &self.source)
    }
}

/// Why a project cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// `strowger.toml` is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The flows refer to something that is not there.
    #[error(transparent)]
    Program(#[from] ProgramError),
}

impl ProjectError {
    /// What is wrong, and what to do, in the languages of findings.
    pub fn told(&self) -> (Text, Option<Text>) {
        match self {
            ProjectError::Config(ConfigError::Invalid(found)) => (
                found.diagnostic.message.clone(),
                found.diagnostic.help.clone(),
            ),
            ProjectError::Config(ConfigError::Unreadable { path, source })
            | ProjectError::Unreadable { path, source } => {
                let (path, why) = (path.display(), unreadable(source));
                let message = text!("cannot read {path}: {why}", "无法读取 `{path}`：{why}"; why);
                let help = matches!(self, ProjectError::Config(_)).then(|| {
                    Text::fixed(
                        "a project is a folder with a strowger.toml",
                        "项目是一个含有 `strowger.toml` 的文件夹",
                    )
                });
                (message, help)
            }
            ProjectError::Config(ConfigError::NotText { path }) => {
                let path = path.display();
                let message = text!(
                    "{path} is not UTF-8 text: save it as UTF-8",
                    "`{path}` 不是 UTF-8 文本：请存为 UTF-8"
                );
                (message, None)
            }
            ProjectError::Program(error) => {
                let said = error.to_string();
                let chinese = format!("流程之间不相符：“{said}”");
                (Text::both(said, chinese), None)
            }
        }
    }

    /// The same as a finding, for programs that read findings; of a file that cannot be read it is told there.
    pub fn finding(&self, folder: &Path) -> Finding {
        if let ProjectError::Config(ConfigError::Invalid(finding)) = self {
            return finding.as_ref().clone();
        }
        let file = match self {
            ProjectError::Unreadable { path, .. } => path.clone(),
            _ => folder.join("strowger.toml"),
        };
        let (message, help) = self.told();
        Finding::whole(Level::Error, &file.display().to_string(), message, help)
    }
}

impl Project {
    /// Reads a project's folder. Flows are read, not yet checked.
    pub fn read(folder: &Path) -> Result<Project, ProjectError> {
        let source = Config::source(folder)?;
        let config = Config::parse(&source)?;
        let mut findings = Vec::new();
        let routes = side(&folder.join("routes.yaml"), ROUTES, &mut findings)?;
        let routes_known = findings.is_empty();
        let (routes, routes_file) = routes.unwrap_or_default();
        let before = findings.len();
        let queues = side(&folder.join("queues.yaml"), QUEUES, &mut findings)?;
        let queues_known = findings.len() == before;
        let (queues, queues_file) = queues.unwrap_or_default();
        let mut flows = Vec::new();
        for place in [folder.to_owned(), folder.join("flows")] {
            for path in files(&place)? {
                if path
                    .file_name()
                    .and_then(|name| name.to_str())
                    .is_some_and(|name| name.ends_with(FLOW_ENDING))
                {
                    flows.push(FlowFile {
                        source: read(&path)?,
                        path,
                    });
                }
            }
        }
        flows.sort_by(|a, b| a.path.cmp(&b.path));
        let mut audio = BTreeSet::new();
        find_audio(folder, folder, 0, &mut audio)?;
        Ok(Project {
            folder: folder.to_owned(),
            config,
            source,
            routes,
            queues,
            flows,
            audio,
            findings,
            queues_known,
            routes_known,
            routes_file,
            queues_file,
        })
    }

    /// Whether `routes.yaml` and `queues.yaml` could be read, as far as they are there.
    pub fn reads(&self) -> bool {
        !self.findings.iter().any(Finding::is_error)
    }

    /// What the flows may refer to.
    pub fn catalog(&self, steps: &Steps) -> Catalog {
        let mut catalog = self.surroundings(steps);
        let signatures = self.flows.iter().filter_map(FlowFile::signature);
        catalog.flows = Some(strowger_flow::by_name(signatures));
        catalog
    }

    /// The same without what they know of each other.
    pub(super) fn surroundings(&self, steps: &Steps) -> Catalog {
        let mut catalog = catalog_of(steps);
        // Where the file cannot be read, nobody is told that what stands in it is not there.
        if self.queues_known {
            catalog.queues = Some(self.queues.queues.keys().cloned().collect());
            catalog.destinations = Some(self.queues.suppliers.keys().cloned().collect());
        }
        catalog.audio = Some(self.audio.clone());
        catalog.audio_ms = lengths(&self.folder, self.audio.iter().map(String::as_str));
        catalog
    }

    /// Checks every flow. The catalogue then knows the flows as they stand in the folder, and what each does to a caller who
    /// does nothing.
    pub fn check(&self, catalog: &mut Catalog) -> Vec<(&FlowFile, Checked)> {
        self.survey(catalog).0
    }

    /// The same, and the names that are misspelt in `queues.yaml`. The catalogue then has them as they were meant too, and the
    /// flows are checked with that.
    pub fn survey(&self, catalog: &mut Catalog) -> (Vec<(&FlowFile, Checked)>, Vec<Misnamed>) {
        let names: Vec<String> = self
            .flows
            .iter()
            .map(|file| file.path.display().to_string())
            .collect();
        let files: Vec<(&str, &[u8])> = names
            .iter()
            .zip(&self.flows)
            .map(|(name, file)| (name.as_str(), file.source.as_slice()))
            .collect();
        let mut checked = strowger_flow::survey(&files, catalog);
        let texts: Vec<&str> = self
            .flows
            .iter()
            .map(|file| std::str::from_utf8(&file.source).unwrap_or_default())
            .collect();
        let plugins = self.config.plugins.values();
        let granted: Vec<&str> = plugins
            .flat_map(|plugin| plugin.grants.queues.iter().flatten())
            .map(String::as_str)
            .collect();
        let misnamed = misnamed::find(&texts, &checked, &granted, catalog);
        if !misnamed.is_empty() {
            checked = strowger_flow::survey(&files, catalog);
        }
        (self.flows.iter().zip(checked).collect(), misnamed)
    }

    /// What is wrong beside the flows: with plugins, routes, queues, and between the files.
    pub fn findings(
        &self,
        complaints: &[Complaint],
        checked: &[(&FlowFile, Checked)],
        misnamed: &[Misnamed],
    ) -> Vec<Finding> {
        let mut findings: Vec<Finding> = complaints.iter().map(|c| self.plugin(c)).collect();
        findings.extend(self.findings.iter().cloned());
        findings.extend(misnamed.iter().map(|slip| self.misnamed(slip)));
        findings.extend(self.no_queues(misnamed));
        if checked.is_empty() {
            let folder = self.folder.display().to_string();
            findings.push(Finding::whole(
                Level::Error,
                &folder,
                text!("{folder}: there is no flow", "`{folder}` 里没有流程"),
                Some(Text::fixed(
                    "add a file such as main-menu.flow.yaml, here or in flows/",
                    "请在这里或 `flows/` 里添加文件，例如 `main-menu.flow.yaml`",
                )),
            ));
            return findings;
        }
        let mut names: BTreeMap<&str, &Path> = BTreeMap::new();
        for (file, checked) in checked {
            if let Some(name) = checked.name.as_deref()
                && let Some(other) = names.insert(name, &file.path)
            {
                let (other, file) = (other.display(), file.path.display().to_string());
                findings.push(Finding::whole(
                    Level::Error,
                    &file,
                    text!(
                        "flow `{name}` stands in {other} and in {file}",
                        "流程 `{name}` 在 `{other}` 和 `{file}` 里都有"
                    ),
                    Some(Text::fixed(
                        "names are unique in a project: rename one of the two",
                        "项目里的名字不能重复：请改掉其中一个",
                    )),
                ));
            }
        }
        let Some((source, document)) = &self.routes_file else {
            return findings;
        };
        for (index, route) in self.routes.routes.iter().enumerate() {
            let Some(resume) = &route.resume else {
                continue;
            };
            let mut plans = checked.iter().filter_map(|(_, flow)| flow.plan.as_ref());
            let plan = plans.find(|plan| plan.flow == route.flow);
            let languages = plan.map(|plan| plan.languages.as_slice());
            let index = index.to_string();
            for (keys, message, help) in resume.wrong(languages) {
                let route = ["routes", &index, "resume"];
                let exact: Vec<&str> = route.into_iter().chain(keys).collect();
                // In its short form it has no keys.
                let span = document.span(&exact).or_else(|| document.span(&route));
                let at = span.map_or(0..0, |span| span.start..span.end);
                findings.push(source.finding(Level::Error, at, message, Some(help)));
            }
        }
        let mut wrong = |index: usize, field, message: Text, help: Text| {
            let span = document.span(&["routes", &index.to_string(), field]);
            let at = span.map_or(0..0, |span| span.start..span.end);
            findings.push(source.finding(Level::Error, at, message, Some(help)));
        };
        for (index, message, help) in self.routes.unmatchable() {
            wrong(index, "to", message, help);
        }
        for index in self.routes.duplicates() {
            let to = &self.routes.routes[index].to;
            wrong(
                index,
                "to",
                text!("`to: {to}` stands twice", "`to: {to}` 出现了两次"),
                Text::fixed("remove one of the two routes", "请删除其中一条路由"),
            );
        }
        // Of a flow that cannot be read that is told, and not that it is missing.
        let unread: BTreeSet<String> = checked
            .iter()
            .filter(|(_, checked)| checked.name.is_none())
            .filter_map(|(file, _)| file.signature())
            .map(|(name, _)| name)
            .collect();
        for (index, route) in self.routes.routes.iter().enumerate() {
            if !names.contains_key(route.flow.as_str()) && !unread.contains(&route.flow) {
                let known: Vec<_> = names.keys().copied().collect();
                let known = Text::both(known.join(", "), format!("`{}`", known.join("`、`")));
                let (to, flow) = (&route.to, &route.flow);
                wrong(
                    index,
                    "flow",
                    text!(
                        "number `{to}` leads to flow `{flow}`, which is not there",
                        "号码 `{to}` 通往流程 `{flow}`，而它不存在"
                    ),
                    text!("the project's flows are {known}", "项目的流程有：{known}"; known),
                );
            }
        }
        for (index, flow, needed) in self.without_inputs(checked) {
            let list = Text::both(needed.join(", "), format!("`{}`", needed.join("`、`")));
            wrong(
                index,
                "flow",
                text!(
                    "the flow `{flow}` needs {list}, and a call gives it nothing",
                    "流程 `{flow}` 需要 {list}，而来电不提供任何输入";
                    list
                ),
                text!(
                    "give the input a default in `{flow}`, or lead to a flow that has `call: {flow}` with `with:`",
                    "请在 `{flow}` 里给该输入一个默认值，或通往一个用 `call: {flow}` 和 `with:` 调用它的流程"
                ),
            );
        }
        findings
    }

    /// Routes to flows that cannot begin without inputs: the place in the list, the flow, and what it needs.
    fn without_inputs<'p>(
        &'p self,
        checked: &[(&FlowFile, Checked)],
    ) -> Vec<(usize, &'p str, Vec<String>)> {
        let needed = |flow: &str| {
            let mut flows = checked.iter().map(|(_, checked)| checked);
            let found = flows.find(|checked| checked.name.as_deref() == Some(flow));
            found.and_then(|checked| Some(checked.signature.as_ref()?.needed()))
        };
        let routes = self.routes.routes.iter().enumerate();
        routes
            .filter_map(|(index, route)| Some((index, route.flow.as_str(), needed(&route.flow)?)))
            .filter(|(_, _, needed)| !needed.is_empty())
            .collect()
    }

    /// That no number leads to any flow; nothing where `routes.yaml` cannot be read, which is told.
    pub(super) fn no_route(&self) -> Option<Finding> {
        if !self.routes_known || !self.routes.routes.is_empty() {
            return None;
        }
        let message = Text::fixed(
            "no call can come in: the project has no route in routes.yaml",
            "没有电话能打进来：项目的 `routes.yaml` 里没有路由",
        );
        Some(match &self.routes_file {
            Some((source, _)) => source.finding(Level::Warning, 0..0, message, Some(ROUTES)),
            None => self.at_key(Level::Warning, &["project"], message, Some(ROUTES)),
        })
    }

    /// A complaint about a plugin, at the line of `strowger.toml` that names its component; where another one stands in for
    /// that, the line is not at fault.
    fn plugin(&self, complaint: &Complaint) -> Finding {
        let plugins = &self.config.plugins;
        let stands_in = complaint
            .plugin
            .as_ref()
            .and_then(|plugin| plugins.get(plugin)?.stand_in.as_ref());
        match &complaint.plugin {
            Some(_) if let Some(file) = stands_in => Finding::whole(
                Level::Error,
                &file.display().to_string(),
                complaint.message.clone(),
                complaint.help.clone(),
            ),
            Some(plugin) => self.at_key(
                Level::Error,
                &["plugins", plugin, "component"],
                complaint.message.clone(),
                complaint.help.clone(),
            ),
            None => Finding::whole(
                Level::Error,
                &self.source.file,
                complaint.message.clone(),
                complaint.help.clone(),
            ),
        }
    }

    /// A finding at a plugin's table in `strowger.toml`.
    pub fn about_plugin(&self, level: Level, plugin: &str, message: Text, help: Text) -> Finding {
        self.at_key(level, &["plugins", plugin], message, Some(help))
    }

    /// A finding at a queue of `queues.yaml`.
    pub(crate) fn at_queue(&self, queue: &str, message: Text, help: Option<Text>) -> Finding {
        self.in_queues(&["queues", queue], message, help)
    }

    /// A finding at a key of `queues.yaml`.
    pub(super) fn in_queues(&self, key: &[&str], message: Text, help: Option<Text>) -> Finding {
        let level = Level::Error;
        match &self.queues_file {
            Some((source, document)) => {
                let span = document.key(key);
                let at = span.map_or(0..0, |span| span.start..span.end);
                source.finding(level, at, message, help)
            }
            None => {
                let file = self.folder.join("queues.yaml").display().to_string();
                Finding::whole(level, &file, message, help)
            }
        }
    }

    /// The routes that none of a centre's calls takes, where these are the centre's numbers: the tenant's are others.
    pub(crate) fn astray(&self, numbers: &Routes, tenant: &str) -> Vec<Finding> {
        let routes = self.routes.routes.iter().enumerate();
        let astray = routes.filter(|(_, route)| !numbers.leads(&route.to, tenant));
        let told = astray.map(|(index, route)| {
            let to = &route.to;
            let message = text!(
                "`to: {to}` is none of the numbers of {tenant}: no call comes here by this route",
                "`to: {to}` 不是租户 {tenant} 的号码：没有呼叫会走这条路由"
            );
            let help = Text::fixed(
                "ask the operator, who writes it into `numbers` of the tenant's file; or remove the route",
                "请联系运营方（写在租户文件的 `numbers` 里），或删除这条路由",
            );
            match &self.routes_file {
                Some((source, document)) => {
                    let span = document.span(&["routes", &index.to_string(), "to"]);
                    let at = span.map_or(0..0, |span| span.start..span.end);
                    source.finding(Level::Warning, at, message, Some(help))
                }
                None => {
                    let file = self.folder.join("routes.yaml").display().to_string();
                    Finding::whole(Level::Warning, &file, message, Some(help))
                }
            }
        });
        told.collect()
    }

    /// A finding at a key of `strowger.toml`.
    pub(crate) fn at_key(
        &self,
        level: Level,
        path: &[&str],
        message: Text,
        help: Option<Text>,
    ) -> Finding {
        let at = key(&self.source.text, path);
        self.source.finding(level, at, message, help)
    }

    /// Puts the program together from checked flows without errors.
    pub fn program(
        &self,
        checked: Vec<(&FlowFile, Checked)>,
        steps: &Steps,
    ) -> Result<Program, ProjectError> {
        let plans = checked.into_iter().filter_map(|(file, checked)| {
            let mut plan = checked.plan?;
            plan.hash = hex(&sha2::Sha256::digest(&file.source));
            Some(Arc::new(plan))
        });
        let program = Program::new(plans, &steps.descriptions, self.configs())?;
        let digests = steps.digests();
        let sounds = listed(&self.sounds());
        let content = content(&program, &digests, &sounds);
        let audio = hex(&sha2::Sha256::digest(sounds));
        Ok(program.identified(digests, content, configuration(&self.configs()), audio))
    }

    /// SHA-256 of each audio file, by path: a plugin may name any of them. Of one that cannot be read it is known that it
    /// cannot.
    fn sounds(&self) -> BTreeMap<&str, String> {
        let files = self.audio.iter().map(|path| {
            let bytes = super::bytes::read(&self.folder.join(path));
            let digest = bytes.map(|bytes| hex(&sha2::Sha256::digest(bytes)));
            let unread = |error: std::io::Error| error.kind().to_string();
            (path.as_str(), digest.unwrap_or_else(unread))
        });
        files.collect()
    }

    /// What `env.config` answers, by plugin name.
    pub fn configs(&self) -> BTreeMap<String, String> {
        let plugins = self.config.plugins.iter();
        plugins
            .map(|(name, plugin)| {
                let json =
                    serde_json::to_string(&plugin.config).expect("a TOML table is a JSON object");
                (name.clone(), json)
            })
            .collect()
    }
}

/// A catalog of steps alone, for a file outside any project.
pub fn catalog_of(steps: &Steps) -> Catalog {
    let verbs = steps
        .descriptions
        .keys()
        .filter_map(|key| {
            let step = key.strip_prefix("std/")?.split('@').next()?;
            Some((step.to_owned(), key.clone()))
        })
        .collect();
    Catalog {
        steps: steps.descriptions.clone(),
        verbs,
        ..Catalog::default()
    }
}

/// How the name of a flow's file ends: a project reads those in its folder and in `flows/`, and no others.
pub(crate) const FLOW_ENDING: &str = ".flow.yaml";

/// Leaves out of a file's findings that a step is unknown where its plugin could not be loaded: that has been told
/// once, with the reason. What is nearly the plugin's name means it.
pub fn leave_echoes_out(source: &[u8], findings: &mut Vec<Diagnostic>, complaints: &[Complaint]) {
    findings.retain(|found| {
        let span = found.primary.span;
        let written = source.get(span.start..span.end).unwrap_or_default();
        let plugin = written.split(|byte| *byte == b'/').next();
        let plugin = plugin.and_then(|name| std::str::from_utf8(name).ok());
        let lost = complaints.iter().filter_map(|c| c.plugin.as_deref());
        found.rule != "unknown-plugin" || plugin.is_none_or(|name| closest(name, lost).is_none())
    });
}

/// Whether any of the findings is an error.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics
        .iter()
        .any(|diagnostic| diagnostic.level == strowger_flow::Level::Error)
}

/// SHA-256 over the hashes of all flows, plugins and audio files: the same for the same project, whatever the machine.
fn content(program: &Program, digests: &BTreeMap<String, String>, sounds: &str) -> String {
    let flows = program
        .flows()
        .map(|plan| format!("flow {} {}\n", plan.flow, plan.hash));
    let steps = digests
        .iter()
        .map(|(step, digest)| format!("step {step} {digest}\n"));
    let mut all: String = flows.chain(steps).collect();
    all.push_str(sounds);
    hex(&sha2::Sha256::digest(all))
}

/// A line an audio file.
fn listed(sounds: &BTreeMap<&str, String>) -> String {
    let sounds = sounds.iter();
    sounds
        .map(|(path, digest)| format!("audio {path:?} {digest}\n"))
        .collect()
}

/// SHA-256 over what `env.config` answers to plugins; empty where that is nothing to all of them.
fn configuration(configs: &BTreeMap<String, String>) -> String {
    let configured = configs.iter().filter(|(_, config)| *config != "{}");
    let all: String = configured
        .map(|(plugin, config)| format!("config {plugin} {config}\n"))
        .collect();
    match all.is_empty() {
        true => all,
        false => hex(&sha2::Sha256::digest(all)),
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a `routes.yaml` looks like.
const ROUTES: Text = Text::fixed(
    "a route is written `- { to: \"100\", flow: main-menu }`, below `routes:`",
    "路由写在 `routes:` 之下，形如 `- { to: \"100\", flow: main-menu }`",
);

/// What a `queues.yaml` looks like.
const QUEUES: Text = Text::fixed(
    "a queue is written `front-desk: { title: Front desk }`, below `queues:`, and a supplier \
     `partner: { sip: \"sip:desk@example.com\" }`, below `suppliers:`",
    "队列写在 `queues:` 之下，形如 `front-desk: { title: 前台 }`；供应商写在 `suppliers:` 之下，\
     形如 `partner: { sip: \"sip:desk@example.com\" }`",
);

pub(super) fn read(path: &Path) -> Result<Vec<u8>, ProjectError> {
    super::bytes::read(path).map_err(|source| ProjectError::Unreadable {
        path: path.to_owned(),
        source,
    })
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, ProjectError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let unreadable = |source| ProjectError::Unreadable {
        path: folder.to_owned(),
        source,
    };
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    entries
        .map(|entry| Ok(entry.map_err(unreadable)?.path()))
        .collect()
}

fn find_audio(
    root: &Path,
    folder: &Path,
    depth: usize,
    found: &mut BTreeSet<String>,
) -> Result<(), ProjectError> {
    for path in files(folder)? {
        let extension = path
            .extension()
            .and_then(|e| e.to_str())
            .unwrap_or("")
            .to_ascii_lowercase();
        // Hidden folders hold data and caches, as does a data folder of another name: a recording is no prompt.
        let hidden = path
            .file_name()
            .and_then(|name| name.to_str())
            .is_none_or(|name| name.starts_with('.'));
        if hidden {
            continue;
        }
        if path.is_dir() && is_data(&path) {
            continue;
        }
        if path.is_dir() && depth < MAX_DEPTH {
            find_audio(root, &path, depth + 1, found)?;
        } else if matches!(
            extension.as_str(),
            "wav" | "mp3" | "ogg" | "oga" | "flac" | "ulaw" | "alaw"
        ) && let Ok(below) = path.strip_prefix(root)
        {
            found.insert(below.to_string_lossy().replace('\\', "/"));
        }
    }
    Ok(())
}
