//! Why a request is not fulfilled.

use strowger_flow::fmt::Refused;
use strowger_flow::graph::DrawError;

use crate::{MAX_FILES, MAX_HELD_BYTES, MAX_PROJECTS, MAX_REQUEST_BYTES};

/// Why a request is not fulfilled: the sentence says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the request cannot be read: {0}")]
    Unreadable(serde_json::Error),
    #[error(
        "the request has {0} bytes, at most {MAX_REQUEST_BYTES} are taken; a flow may have 1 MiB"
    )]
    TooLong(usize),
    #[error("there is no open project {0}; open it first")]
    NoSuchProject(u32),
    #[error("the project has no file {0:?}; check it first")]
    NoSuchFile(String),
    #[error("there is no rule {0:?}{hint}", hint = hint(.0))]
    NoSuchRule(String),
    #[error("{MAX_PROJECTS} projects are open; close one first")]
    TooManyProjects,
    #[error("{MAX_FILES} files of the project are held; forget one first")]
    TooManyFiles,
    #[error(
        "more than {MAX_HELD_BYTES} bytes of texts and catalogues would be held; close a project or forget a file first"
    )]
    HeldTooMuch,
    #[error("{0}")]
    Layout(Refused),
    #[error("{0} has errors and cannot be drawn; its findings say which")]
    HasErrors(String),
    #[error("{0}")]
    Drawing(DrawError),
}

impl Refusal {
    /// The same for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Unreadable(_) => "unreadable",
            Refusal::TooLong(_) => "too-long",
            Refusal::NoSuchProject(_) => "no-such-project",
            Refusal::NoSuchFile(_) => "no-such-file",
            Refusal::NoSuchRule(_) => "no-such-rule",
            Refusal::TooManyProjects => "too-many-projects",
            Refusal::TooManyFiles => "too-many-files",
            Refusal::HeldTooMuch => "held-too-much",
            Refusal::Layout(_) => "not-laid-out",
            Refusal::HasErrors(_) => "has-errors",
            Refusal::Drawing(_) => "too-large",
        }
    }
}

fn hint(slug: &str) -> String {
    strowger_flow::nearest_rule(slug).map_or(String::new(), |rule| {
        format!("; did you mean {:?}?", rule.slug)
    })
}
