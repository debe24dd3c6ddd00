//! `strowger check`

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use strowger_flow::diagnostic::{Text, text};
use strowger_flow::unseen::in_one_line;
use strowger_flow::{Catalog, Checked, Diagnostic, Level};
use strowger_plugin::{Host, HostConfig, Limits};
use strowger_voice::g711::Codec;

use super::findings::{Findings, Form};
use super::serve::{CentreFault, centre_config};
use super::{CANNOT, FOUND, Failure, OK, Tongue, flow_files};
use crate::centre::{Tenants, is_centre};
use crate::project::{
    Examined, FLOW_ENDING, Finding, FlowFile, Project, ProjectError, Source, Steps, catalog_of,
    has_errors, lengths, wrong_channel_alone,
};
use crate::prompts::{Loudness, PromptError, import};
use crate::scenario::Place;

/// Longest wait for a service to take a connection.
const CONNECT: Duration = Duration::from_secs(1);

/// Checks a project's folder, or single flow files outside any project.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger check                       check the project in this folder
  strowger check flows/aurora          check a project
  strowger check /etc/strowger         check a centre's own file and those of its tenants, as SIGHUP would read them
  strowger check menu.flow.yaml        check one file; standard steps are known
  strowger check --format json | jq    findings for a program
  strowger check --format sarif        for code scanning; github, junit and concise for others
  strowger check --language zh         the findings in Chinese
  strowger check --fix                 carry out the changes that findings propose, then check

Exit code: 0 no errors (warnings only, or nothing), 1 errors, 2 could not check.")]
pub(super) struct Check {
    /// A project's folder, or flow files.
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
    /// How findings are written.
    #[arg(long, value_enum, default_value = "text")]
    format: Form,
    /// The language of the findings.
    #[arg(long, value_enum, default_value = "en")]
    language: Tongue,
    /// Carry out the changes that findings propose; say on stderr what was changed.
    #[arg(long)]
    fix: bool,
}

impl Check {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        let host = Host::new(HostConfig {
            pool: Some(16),
            ..HostConfig::default()
        })
        .map_err(Failure::cannot)?;
        let mut worst = OK;
        let mut findings = Findings::new(self.format, self.language.into());
        // What lone files may refer to, loaded once for all of them.
        let mut standard: Option<Catalog> = None;
        for path in &self.paths {
            if is_centre(path) {
                worst = worst.max(centre(path, self.format, &mut findings));
                continue;
            }
            if path.is_dir() {
                worst = worst.max(self.project(&host, path, &mut findings).await?);
                continue;
            }
            let catalog = match standard.take() {
                Some(catalog) => catalog,
                None => catalog_of(&Steps::standard(&host).await.map_err(Failure::cannot)?),
            };
            worst = worst.max(self.file(path, &catalog, &mut findings)?);
            standard = Some(catalog);
        }
        findings.end();
        Ok(worst)
    }

    async fn project(
        &self,
        host: &Host,
        folder: &Path,
        findings: &mut Findings,
    ) -> Result<u8, Failure> {
        let project = match Project::read(folder) {
            Ok(project) => project,
            Err(error) => return self.unreadable(folder, error, findings),
        };
        let (steps, complaints) =
            Steps::load(host, folder, &project.config.plugins, &Limits::default()).await;
        let mut project = project;
        if self.fix {
            let mut catalog = project.catalog(&steps);
            // What is misspelt where it is defined is right where it is used.
            let mut surveyed = catalog.clone();
            project.survey(&mut surveyed);
            catalog.queues = surveyed.queues;
            catalog.destinations = surveyed.destinations;
            for flow in &mut project.flows {
                flow.source = mend(&flow.path, &flow.source, &catalog)?;
            }
        }
        let Examined {
            checked,
            mut beside,
            ..
        } = Examined::of(&project, &steps, &complaints);
        beside.extend(missing_programs(&project));
        beside.extend(silent_services(&project).await);
        beside.extend(damaged_audio(&project, &checked).await);
        for finding in &beside {
            findings.of_project(finding);
        }
        let mut errors = beside.iter().filter(|finding| finding.is_error()).count();
        for (file, checked) in &checked {
            let shown = file.path.display().to_string();
            told(findings, &shown, &checked.diagnostics, &file.source);
            errors += checked
                .diagnostics
                .iter()
                .filter(|diagnostic| diagnostic.level == strowger_flow::Level::Error)
                .count();
        }
        for (file, checked) in &checked {
            self.print_worst(&file.path.display().to_string(), checked);
        }
        let all: usize = checked
            .iter()
            .map(|(_, checked)| checked.diagnostics.len())
            .sum();
        let warnings = beside.len() + all - errors;
        if self.format == Form::Text {
            let count = |number: usize, what: &str, chinese: &str| {
                let plural = if number == 1 { "" } else { "s" };
                text!("{number} {what}{plural}", "{number} 个{chinese}")
            };
            let flows = count(project.flows.len(), "flow", "流程");
            let plugins = count(project.config.plugins.len(), "plugin", "插件");
            let errors = count(errors, "error", "错误");
            let warnings = count(warnings, "warning", "警告");
            let all = text!(
                "checked {flows} and {plugins}: {errors}, {warnings}",
                "已检查 {flows}和 {plugins}：{errors}，{warnings}";
                flows,
                plugins,
                errors,
                warnings,
            );
            eprintln!("{}", all.in_language(self.language.into()));
        }
        Ok(if errors > 0 { FOUND } else { OK })
    }

    fn file(&self, path: &Path, catalog: &Catalog, findings: &mut Findings) -> Result<u8, Failure> {
        let source = flow_files::read(path)?;
        let source = match self.fix {
            true => mend(path, &source, catalog)?,
            false => source,
        };
        let shown = path.display().to_string();
        let checked = alone(path, &source, catalog);
        told(findings, &shown, &checked.diagnostics, &source);
        if !shown.ends_with(FLOW_ENDING) {
            findings.of_project(&no_flow_of_a_project(&shown));
        }
        for finding in wrong_channel_alone(path, &source, &catalog.steps, &checked) {
            findings.of_project(&finding);
        }
        self.print_worst(&shown, &checked);
        Ok(if has_errors(&checked.diagnostics) {
            FOUND
        } else {
            OK
        })
    }

    /// The worst case of a flow without errors: a line for people, an object for programs.
    fn print_worst(&self, file: &str, checked: &Checked) {
        let line = match self.format {
            Form::Text => checked.render_worst(self.language.into()),
            Form::Json => checked.render_worst_json(file, self.language.into()),
            // These hold findings and nothing else.
            Form::Concise | Form::Github | Form::Sarif | Form::Junit => None,
        };
        if let Some(line) = line {
            // A closed pipe is the reader's choice.
            let _ = writeln!(std::io::stdout().lock(), "{line}");
        }
    }

    /// A project that cannot be read: a program that reads findings gets one like any other.
    fn unreadable(
        &self,
        folder: &Path,
        error: ProjectError,
        findings: &mut Findings,
    ) -> Result<u8, Failure> {
        if self.format == Form::Text {
            return Err(Failure::of_project(&error, self.language.into()));
        }
        findings.of_project(&error.finding(folder));
        Ok(CANNOT)
    }
}

/// Checks a centre's own file and those of its tenants; their projects are checked where they are pushed.
fn centre(folder: &Path, format: Form, findings: &mut Findings) -> u8 {
    let whole = |why: String| {
        let told = Text::both(why.clone(), why);
        Finding::whole(Level::Error, &folder.display().to_string(), told, None)
    };
    let own = centre_config(folder).err().map(|fault| match fault {
        CentreFault::Config(error) => ProjectError::from(error).finding(folder),
        CentreFault::Misplaced(why) => whole(why),
    });
    let tenants = Tenants::faults(folder);
    let tenants = tenants.iter().map(|fault| whole(fault.to_string()));
    let mut errors = 0;
    for finding in own.into_iter().chain(tenants) {
        findings.of_project(&finding);
        errors += 1;
    }
    if format == Form::Text {
        let plural = if errors == 1 { "" } else { "s" };
        eprintln!("{}: a centre, {errors} error{plural}", folder.display());
    }
    if errors == 0 { OK } else { FOUND }
}

/// Checks a file that stands alone. Its audio lies below the folder of the project around it, or beside it, and counts by its length
/// where it is there; nobody is told that it is not.
fn alone(path: &Path, source: &[u8], catalog: &Catalog) -> Checked {
    let shown = path.display().to_string();
    let checked = strowger_flow::check(&shown, source, catalog);
    let named: BTreeSet<&str> = checked
        .plan
        .iter()
        .flat_map(|plan| &plan.prompts)
        .flat_map(|prompt| prompt.voices.values().flatten())
        .filter_map(|voice| voice.audio.as_deref())
        .collect();
    if named.is_empty() {
        return checked;
    }
    let around = Place::sorted(&[path.to_owned()]).into_iter().next();
    let folder = around
        .and_then(|place| place.project)
        .or_else(|| path.parent().map(Path::to_owned))
        .unwrap_or_default();
    let audio_ms = lengths(&folder, named);
    if audio_ms.is_empty() {
        return checked;
    }
    let catalog = Catalog {
        audio_ms,
        ..catalog.clone()
    };
    strowger_flow::check(&shown, source, &catalog)
}

/// That a flow lies in a file that no project would load.
fn no_flow_of_a_project(file: &str) -> Finding {
    let message = text!(
        "no project loads this file: the names of flows' files end in `{FLOW_ENDING}`",
        "任何项目都不会加载这个文件：流程文件的名字以 `{FLOW_ENDING}` 结尾"
    );
    let stem = file
        .strip_suffix(".yaml")
        .or_else(|| file.strip_suffix(".yml"))
        .unwrap_or(file);
    let help = text!(
        "call it `{stem}{FLOW_ENDING}`",
        "请命名为 `{stem}{FLOW_ENDING}`"
    );
    Finding::whole(Level::Warning, file, message, Some(help))
}

/// Tells what was found in a file.
fn told(findings: &mut Findings, file: &str, found: &[Diagnostic], source: &[u8]) {
    findings.checked(file);
    let source = String::from_utf8_lossy(source);
    for diagnostic in found {
        findings.of_flow(diagnostic, &source);
    }
}

/// Carries out what the findings of a file propose; gives its bytes afterwards.
fn mend(path: &Path, source: &[u8], catalog: &Catalog) -> Result<Vec<u8>, Failure> {
    let shown = path.display().to_string();
    let fixed = match strowger_flow::fix(&shown, source, catalog) {
        Some(fixed) if !fixed.applied.is_empty() => fixed,
        // Nothing to change, or bytes that are no text: checking tells.
        _ => return Ok(source.to_owned()),
    };
    flow_files::replace(path, source, &fixed.text)?;
    for applied in &fixed.applied {
        let finding = &applied.finding;
        eprintln!(
            "{}:{}:{}: fixed {}: `{}` is now `{}`",
            finding.file,
            finding.primary.place.line,
            finding.primary.place.column,
            finding.rule,
            in_one_line(&applied.before),
            in_one_line(&applied.after)
        );
    }
    Ok(fixed.text.into_bytes())
}

/// Services that plugins may reach and that do not answer now: no error, since they may be back by the
/// time of a call, and every request has its `error` edge.
async fn silent_services(project: &Project) -> Vec<Finding> {
    let mut silent = Vec::new();
    for (plugin, config) in &project.config.plugins {
        for host in &config.grants.http {
            let connected =
                tokio::time::timeout(CONNECT, tokio::net::TcpStream::connect(host)).await;
            let most = CONNECT.as_secs();
            let why = match connected {
                Ok(Ok(_)) => continue,
                Ok(Err(error)) => Text::both(error.to_string(), format!("“{error}”")),
                Err(_) => text!("no answer within {most} s", "{most} 秒内没有应答"),
            };
            let message = text!(
                "plugin {plugin} may send requests to {host}, which does not answer ({why})",
                "插件 `{plugin}` 可以向 `{host}` 发送请求，但它没有应答（{why}）";
                why,
            );
            let help = text!(
                "start the service, or correct plugins.{plugin}.grants.http",
                "请启动该服务，或改正 `plugins.{plugin}.grants.http`"
            );
            silent.push(project.about_plugin(Level::Warning, plugin, message, help));
        }
    }
    silent
}

/// Programs that serving needs and this machine lacks.
fn missing_programs(project: &Project) -> Option<Finding> {
    let program = crate::prompts::SynthConfig::default().program;
    let found = std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(&program).is_file())
    });
    (!found && !Path::new(&program).is_file()).then(|| {
        Finding::whole(
            Level::Error,
            &project.source.file,
            text!(
                "the speech program `{program}` is not installed",
                "没有安装语音合成程序 `{program}`"
            ),
            Some(text!(
                "apt-get install {program}",
                "请运行 `apt-get install {program}`"
            )),
        )
    })
}

/// Audio files that prompts name and that cannot be played: their words are spoken, and where there are none the step
/// takes its `error` edge.
async fn damaged_audio(project: &Project, checked: &[(&FlowFile, Checked)]) -> Vec<Finding> {
    // By path: the flow that names the file first, and whether every prompt that does has its words too.
    let mut files: BTreeMap<String, (&FlowFile, bool)> = BTreeMap::new();
    for (file, checked) in checked {
        let prompts = checked.plan.iter().flat_map(|plan| &plan.prompts);
        for voice in prompts.flat_map(|prompt| prompt.voices.values().flatten()) {
            if let Some(path) = voice
                .audio
                .as_ref()
                .filter(|path| project.audio.contains(*path))
            {
                files.entry(path.clone()).or_insert((file, true)).1 &= voice.text.is_some();
            }
        }
    }
    let paths: Vec<String> = files.keys().cloned().collect();
    let folder = project.folder.clone();
    let decode = move || -> Vec<(String, PromptError)> {
        let tried = paths.into_iter().filter_map(|path| {
            let error = import::file(&folder, &path, Loudness::Keep, Codec::Pcmu).err()?;
            Some((path, error))
        });
        tried.collect()
    };
    // A panic there would be a bug of ours; it must not hide the other findings.
    let damaged = tokio::task::spawn_blocking(decode)
        .await
        .unwrap_or_default();
    let damaged = damaged.into_iter().filter_map(|(path, error)| {
        let (file, worded) = files.get(&path)?;
        let help = match worded {
            true => Text::fixed(
                "replace the file; until then its text is spoken instead",
                "请更换文件；在此之前会朗读它的文字",
            ),
            false => Text::fixed(
                "replace the file; as it is, the step that plays it ends in `error`",
                "请更换文件；现在播放它的步骤会以 `error` 结束",
            ),
        };
        let source = Source::new(&file.path, &String::from_utf8_lossy(&file.source));
        let (document, _) = strowger_flow::document(&source.file, &file.source);
        let at = document.and_then(|document| document.find("audio", &path));
        let at = at.map_or(0..0, |span| span.start..span.end);
        let chinese = match &error {
            PromptError::Audio { path, fault } => format!("音频文件 `{path}`：{}", fault.chinese()),
            other => format!("无法播放：“{other}”"),
        };
        let why = Text::both(error.to_string(), chinese);
        Some(source.finding(Level::Warning, at, why, Some(help)))
    });
    damaged.collect()
}
