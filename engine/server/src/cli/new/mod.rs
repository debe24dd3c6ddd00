//! `strowger new`

mod stage;
mod template;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use strowger_flow::Catalog;
use strowger_flow::editor::{Kind, name_fault};

use super::{Failure, OK, Tongue, known, schema};
use crate::project::{FLOW_ENDING, Project, is_project_name};
use stage::Stage;
use template::Wording;

/// Makes a project that checks, passes its tests and answers a call as it is: a greeting with a menu, opening hours, a front
/// desk, and a message when nobody is there. Or adds a flow with tests to a project.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger new acme                                     a project in English and Chinese
  strowger new acme --title \"Acme Lamps\" --language en  in English, greeting callers of Acme Lamps
  strowger new . --name acme --language zh              in this folder, when nothing is in it yet
  strowger new --flow complaints                        one more flow, in the project of this folder

A folder with something in it is left alone, and a flow that is there already.

Exit code: 0 made, 2 could not be made; then nothing is left behind.")]
pub(super) struct New {
    /// The folder to make; it may exist if nothing is in it.
    #[arg(required_unless_present = "flow", conflicts_with = "flow")]
    folder: Option<PathBuf>,
    /// The project's name: lower-case letters, digits and hyphens, a letter first; the folder's name when left out.
    #[arg(long, conflicts_with = "flow")]
    name: Option<String>,
    /// The name that callers hear and people read; made of the project's name when left out.
    #[arg(long, conflicts_with = "flow")]
    title: Option<String>,
    /// What callers are spoken to in, the default first: `en`, `zh`, `en,zh` or `zh,en`; `en,zh` when left out, or for a flow the
    /// languages of the project's flows.
    #[arg(long, value_enum, value_delimiter = ',')]
    language: Vec<Tongue>,
    /// Add a flow of this name to a project.
    #[arg(long, value_name = "NAME")]
    flow: Option<String>,
    /// The project that the flow is added to.
    #[arg(long, short, default_value = ".", requires = "flow")]
    project: PathBuf,
}

impl New {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        let mut languages = self.language.clone();
        languages.dedup();
        if languages.len() < self.language.len() || languages.len() > 2 {
            return Err(Failure::cannot(
                "--language names a language twice: write `en`, `zh`, `en,zh` or `zh,en`",
            ));
        }
        match (&self.flow, &self.folder) {
            (Some(flow), _) => add_flow(flow, &self.project, languages).await,
            (None, Some(folder)) => self.make_project(folder, languages).await,
            (None, None) => unreachable!("clap asks for one of them"),
        }
    }

    async fn make_project(&self, folder: &Path, mut languages: Vec<Tongue>) -> Result<u8, Failure> {
        if languages.is_empty() {
            languages = vec![Tongue::En, Tongue::Zh];
        }
        let name = project_name(self.name.as_deref(), folder)?;
        let title = match &self.title {
            Some(title) => checked_title(title)?,
            None => title_of(&name),
        };
        let wording = Wording {
            languages: &languages,
            name: &name,
            title: &title,
        };
        let stage = Stage::for_folder(folder)?;
        for (path, text) in wording.project() {
            stage.write(path, &text)?;
        }
        let (project, mut catalog) = known::of_project(stage.folder()).await?;
        for (_, checked) in project.check(&mut catalog) {
            // The template has no findings: what there is comes from the title in the greeting.
            if let Some(found) = checked.diagnostics.first() {
                return Err(Failure::cannot(format!(
                    "no greeting can be made of the title `{title}`: {}; choose another --title",
                    found.message.english()
                )));
            }
        }
        schema::write_of(stage.folder(), &catalog)?;
        for path in stage.place()? {
            tell!("{}", path.display());
        }
        let shown = folder.display();
        eprintln!(
            "
{title} is ready. Next:
  cd {shown}
  strowger check             is all well?
  strowger test              the tests that stand in its flows
  strowger call {entry:<13}walk it in the terminal
  strowger serve .           take calls; another terminal places one: strowger dial sip:100@127.0.0.1:5060
README.md says what to make your own first.",
            entry = wording.entry()
        );
        Ok(OK)
    }
}

/// Writes a flow into a project.
async fn add_flow(name: &str, folder: &Path, mut languages: Vec<Tongue>) -> Result<u8, Failure> {
    if let Some(fault) = name_fault(Kind::Flow, name) {
        return Err(Failure::cannot(format!(
            "`{}` cannot be the name of a flow: {fault}",
            name.escape_debug()
        )));
    }
    let (project, mut catalog) = known::of_project(folder).await?;
    let known = catalog.flows.get_or_insert_default();
    if known.contains_key(name) {
        return Err(Failure::cannot(format!(
            "there is a flow `{name}` already; choose another name"
        )));
    }
    if languages.is_empty() {
        languages = languages_of(&project, &catalog);
    }
    let below = folder_of_flows(&project);
    let path = below.join(format!("{name}{FLOW_ENDING}"));
    let text = template::flow(name, &languages, below != project.folder);
    catalog
        .flows
        .get_or_insert_default()
        .extend(strowger_flow::signature(text.as_bytes()));
    write_new(&path, &text)?;
    schema::write_of(folder, &catalog)?;
    tell!("{}", path.display());
    eprintln!(
        "
Lead callers there: `goto: flow:{name}` or `call: {name}` in another flow, or a number in routes.yaml. Then:
  strowger test {}",
        path.display()
    );
    Ok(OK)
}

/// The name that is given, or that of the folder.
fn project_name(given: Option<&str>, folder: &Path) -> Result<String, Failure> {
    let whole = std::path::absolute(folder).map_err(|e| {
        Failure::cannot(format!("cannot find the folder {}: {e}", folder.display()))
    })?;
    let of_folder = whole.file_name().and_then(|name| name.to_str());
    let name = given.or(of_folder).unwrap_or_default();
    if is_project_name(name) {
        return Ok(name.to_owned());
    }
    let near: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let near = near.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let near = match is_project_name(near) {
        true => near,
        false => "my-project",
    };
    Err(Failure::cannot(format!(
        "`{}` cannot be the name of a project: use lower-case letters, digits and hyphens, a letter first, such as \
         --name {near}",
        name.escape_debug()
    )))
}

/// `my-shop` is My Shop.
fn title_of(name: &str) -> String {
    let words = name.split('-').filter(|word| !word.is_empty());
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    words.map(capital).collect::<Vec<_>>().join(" ")
}

/// A title is one line of text.
fn checked_title(title: &str) -> Result<String, Failure> {
    let title = title.trim();
    // Both are line breaks to YAML.
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if title.is_empty() || title.contains(breaks) {
        return Err(Failure::cannot(
            "--title is a line of text that callers hear, such as \"Acme Lamps\"",
        ));
    }
    Ok(title.to_owned())
}

/// The languages of a project's flows that a template is written in, as its first flow without errors has them; English when
/// there is none.
fn languages_of(project: &Project, catalog: &Catalog) -> Vec<Tongue> {
    let checked = project.check(&mut catalog.clone());
    let plans = checked
        .iter()
        .filter_map(|(_, checked)| checked.plan.as_ref());
    let spoken = plans.map(|plan| {
        let codes = plan.languages.iter();
        codes
            .filter_map(|code| Tongue::of_code(code))
            .collect::<Vec<_>>()
    });
    spoken
        .into_iter()
        .find(|tongues| !tongues.is_empty())
        .unwrap_or_else(|| vec![Tongue::En])
}

/// Where a project keeps its flows: its folder, or `flows/` where all of them lie there.
fn folder_of_flows(project: &Project) -> PathBuf {
    let flows = project.folder.join("flows");
    let mut files = project.flows.iter().peekable();
    let all = files.peek().is_some() && files.all(|file| file.path.parent() == Some(&flows));
    if all { flows } else { project.folder.clone() }
}

/// Writes a file that is not there yet, as a whole or not at all.
fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        let advice = match error.kind() {
            std::io::ErrorKind::AlreadyExists => "choose another name",
            _ => "nothing was written",
        };
        Failure::cannot(format!(
            "cannot write {}: {error}; {advice}",
            path.display()
        ))
    };
    let mut file = std::fs::File::create_new(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(|error| {
        let _ = std::fs::remove_file(path);
        failed(error)
    })
}
