//! `strowger schema`: what a project's files look like, and what its flows may refer to.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::Value as Json;
use strowger_flow::Catalog;

use super::{Failure, OK, known};
use crate::project::{Config, QueuesFile, Routes};

/// Prints the JSON Schema (draft 2020-12) of a project's files, for editors and other programs: of flows with the standard
/// steps and those of the project's plugins. Or the catalogue that the checker of a page opens.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger schema                    of flows, with the plugins of the project in this folder
  strowger schema flows/aurora       with those of another project
  strowger schema --kind config      of strowger.toml
  strowger schema --write            all kinds, into .strowger/*.schema.json of the project
  strowger schema --catalogue flows/aurora > catalogue.json
                                     what flows of the project may refer to, for `open` of checker.js

Outside any project flows have the standard steps only.

Editors find the schema by the first line of a file, below the project's folder:
  # yaml-language-server: $schema=.strowger/flow.schema.json      in a flow
  # yaml-language-server: $schema=.strowger/routes.schema.json    in routes.yaml
  #:schema .strowger/config.schema.json                           in strowger.toml
Write them again when plugins, queues or the flows' inputs have changed.

Exit code: 0 written, 2 could not run.")]
pub(super) struct Schema {
    /// The project's folder; this one when left out.
    project: Option<PathBuf>,
    /// Which file is described.
    #[arg(long, value_enum, default_value = "flow")]
    kind: Kind,
    /// Write all kinds into the project's folder, where the first lines of its files look for them.
    #[arg(long, conflicts_with = "kind")]
    write: bool,
    /// Print what the project's flows may refer to, as `check` knows it: the JSON that `open` of checker.js takes. Outside any
    /// project, the standard steps, as a lone file is checked.
    #[arg(long, conflicts_with_all = ["kind", "write"])]
    catalogue: bool,
}

/// Files of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    /// `*.flow.yaml`
    Flow,
    /// The `tests:` of a flow, by themselves.
    Tests,
    /// `strowger.toml`
    Config,
    /// `routes.yaml`
    Routes,
    /// `queues.yaml`
    Queues,
}

impl Schema {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        let here = Path::new(".");
        let folder = self.project.as_deref();
        if self.write {
            let folder = folder.unwrap_or(here);
            let (_, catalog) = known::of_project(folder).await?;
            for path in write_of(folder, &catalog)? {
                eprintln!("{}: written", path.display());
            }
            return Ok(OK);
        }
        // The others are the same in every project.
        if self.kind != Kind::Flow {
            tell!("{}", text(&self.kind.schema(&Catalog::default())));
            return Ok(OK);
        }
        let folder = folder.or_else(|| here.join("strowger.toml").exists().then_some(here));
        let (project, mut catalog) = match folder {
            Some(folder) => {
                let (project, catalog) = known::of_project(folder).await?;
                (Some(project), catalog)
            }
            None => {
                eprintln!("no project here (no strowger.toml): the standard steps only");
                (None, known::standard().await?)
            }
        };
        if !self.catalogue {
            tell!("{}", text(&self.kind.schema(&catalog)));
            return Ok(OK);
        }
        // Only their checking shows what the flows do to a caller, and what they give back.
        if let Some(project) = project {
            project.check(&mut catalog);
        }
        tell!("{}", text(&catalog));
        Ok(OK)
    }
}

impl Kind {
    fn schema(self, catalog: &Catalog) -> Json {
        match self {
            Kind::Flow => strowger_flow::schema::flow(catalog),
            Kind::Tests => strowger_flow::schema::tests(),
            Kind::Config => schemars::schema_for!(Config).to_value(),
            Kind::Routes => schemars::schema_for!(Routes).to_value(),
            Kind::Queues => schemars::schema_for!(QueuesFile).to_value(),
        }
    }

    /// Where the schema lies below a project's folder.
    pub(super) fn path(self) -> &'static str {
        match self {
            Kind::Flow => ".strowger/flow.schema.json",
            Kind::Tests => ".strowger/tests.schema.json",
            Kind::Config => ".strowger/config.schema.json",
            Kind::Routes => ".strowger/routes.schema.json",
            Kind::Queues => ".strowger/queues.schema.json",
        }
    }
}

/// Writes all schemas of a project, whose flows may refer to what is in `catalog`, to where the first lines of its files look
/// for them.
pub(super) fn write_of(project: &Path, catalog: &Catalog) -> Result<Vec<PathBuf>, Failure> {
    let mut written = Vec::new();
    for kind in Kind::value_variants() {
        let path = project.join(kind.path());
        let failed =
            |e: std::io::Error| Failure::cannot(format!("cannot write {}: {e}", path.display()));
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let text = text(&kind.schema(catalog)) + "\n";
        std::fs::write(&path, text).map_err(failed)?;
        written.push(path);
    }
    Ok(written)
}

fn text(json: &impl Serialize) -> String {
    serde_json::to_string_pretty(json).expect("schemas and catalogues can be written as JSON")
}
