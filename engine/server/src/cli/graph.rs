//! `strowger graph`

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use strowger_flow::{Checked, graph};

use super::{FOUND, Failure, OK, flow_files, known};
use crate::project::{Project, has_errors};

/// Draws a flow: a card for each step, an arrow for each way from step to step with the keys and outcomes that take it.
/// Of a project: a card for each flow, with the numbers that lead to it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger graph                                            how the flows of this project lead to each other
  strowger graph main-menu > main-menu.mmd                  a flow, as Mermaid, which wikis and forges draw
  strowger graph main-menu --format svg -o main-menu.svg    a picture, for any browser
  strowger graph flows/aurora --format svg -o aurora.svg    another project
  strowger graph menu.flow.yaml --format dot | dot -Tpdf    a file; Graphviz

Green: where contacts come in. Red: where the flow ends. Yellow: another flow. Dashed: `global`.

Exit code: 0 drawn, 1 a flow has errors (`strowger check` shows them), 2 could not run.")]
pub(super) struct Graph {
    /// A flow's name, its file, or a project's folder.
    #[arg(default_value = ".", value_name = "FLOW|PROJECT")]
    what: String,
    /// The project's folder, when the flow is given by its name.
    #[arg(long, short, default_value = ".")]
    project: PathBuf,
    /// What is written.
    #[arg(long, value_enum, default_value = "mermaid")]
    format: Drawing,
    /// Where it is written; stdout when left out.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Forms of a drawing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Drawing {
    /// A flowchart of Mermaid.
    Mermaid,
    /// The language of Graphviz.
    Dot,
    /// A picture.
    Svg,
}

impl Graph {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        let path = Path::new(&self.what);
        let graph = match (path.is_file(), path.is_dir()) {
            (true, _) => {
                let source = flow_files::read(path)?;
                let catalog = known::around(path).await?;
                let checked = strowger_flow::check(&path.display().to_string(), &source, &catalog);
                graph::Graph::new(plan(path, &checked)?, &catalog)
            }
            // A flow may be named as a folder is: then the folder counts if it is a project.
            (_, true) if path.join("strowger.toml").is_file() || self.what == "." => {
                whole(path).await?
            }
            _ => self.named().await?,
        };
        let text = match self.format {
            Drawing::Mermaid => graph.mermaid(),
            Drawing::Dot => graph.dot(),
            Drawing::Svg => graph.svg().map_err(Failure::cannot)?,
        };
        match &self.output {
            Some(output) => std::fs::write(output, text)
                .map_err(|e| Failure::cannot(format!("cannot write {}: {e}", output.display())))?,
            None => tell!("{}", text.trim_end()),
        }
        Ok(OK)
    }

    /// The flow of the project that is called so.
    async fn named(&self) -> Result<graph::Graph, Failure> {
        let (project, catalog) = known::of_project(&self.project).await?;
        let mut names = Vec::new();
        for flow in &project.flows {
            let Some((name, _)) = strowger_flow::signature(&flow.source) else {
                continue;
            };
            if name == self.what {
                let file = flow.path.display().to_string();
                let checked = strowger_flow::check(&file, &flow.source, &catalog);
                return Ok(graph::Graph::new(plan(&flow.path, &checked)?, &catalog));
            }
            names.push(name);
        }
        Err(Failure::cannot(format!(
            "there is no file, no project and no flow `{}`; the flows of {} are {}",
            self.what,
            self.project.display(),
            names.join(", ")
        )))
    }
}

/// All flows of a project.
async fn whole(folder: &Path) -> Result<graph::Graph, Failure> {
    let (project, mut catalog) = known::of_project(folder).await?;
    let checked = project.check(&mut catalog);
    let plans = checked
        .iter()
        .map(|(flow, checked)| plan(&flow.path, checked))
        .collect::<Result<Vec<_>, _>>()?;
    let Project { config, routes, .. } = &project;
    let title = config
        .project
        .title
        .as_ref()
        .unwrap_or(&config.project.name);
    let numbers: Vec<(&str, &str)> = routes
        .routes
        .iter()
        .map(|route| (route.to.as_str(), route.flow.as_str()))
        .collect();
    Ok(graph::Graph::of_project(title, &plans, &numbers))
}

fn plan<'c>(path: &Path, checked: &'c Checked) -> Result<&'c strowger_flow::plan::Plan, Failure> {
    match &checked.plan {
        Some(plan) if !has_errors(&checked.diagnostics) => Ok(plan),
        _ => Err(Failure::new(
            FOUND,
            format!(
                "{} has errors and cannot be drawn; `strowger check {}` shows them",
                path.display(),
                pasted(&path.display().to_string())
            ),
        )),
    }
}

/// A word of a command line as a shell takes it: in quotes where it has more than letters and usual signs.
fn pasted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-');
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::pasted;

    #[test]
    fn a_path_that_a_shell_would_part_is_in_quotes() {
        assert_eq!(pasted("flows/客服.flow.yaml"), "flows/客服.flow.yaml");
        assert_eq!(pasted("my flow.yaml"), "'my flow.yaml'");
        assert_eq!(pasted("it's"), r"'it'\''s'");
    }
}
