//! What can be asked. Places in a text are counted in UTF-16 units, as JavaScript's strings are.

use serde::Deserialize;
use strowger_flow::Catalog;
use strowger_flow::diagnostic::Language;

/// A request.
#[derive(Debug, Deserialize)]
#[serde(tag = "ask", rename_all = "camelCase", deny_unknown_fields)]
pub(crate) enum Request {
    /// What this module is, and its limits.
    About {},
    /// Opens a project: all that its flows may refer to.
    Open { catalog: Box<Catalog> },
    /// Closes a project; one that is closed already stays so.
    Close { project: u32 },
    /// Takes in the text of a file, and checks it.
    Check {
        project: u32,
        file: String,
        text: String,
        /// Where the text was changed last.
        #[serde(default)]
        edited: Option<usize>,
        #[serde(default)]
        language: Tongue,
    },
    /// Lets go of a file: what the catalogue says of its flow counts again.
    Forget { project: u32, file: String },
    /// What `strowger check` prints of a file.
    Report {
        project: u32,
        file: String,
        form: Form,
        #[serde(default)]
        language: Tongue,
    },
    /// What could be written at a place.
    Complete {
        project: u32,
        file: String,
        at: usize,
    },
    /// What stands at a place.
    Hover {
        project: u32,
        file: String,
        at: usize,
        #[serde(default)]
        language: Tongue,
    },
    /// The file's sections with what they name.
    Outline { project: u32, file: String },
    /// The text in the one layout.
    Format { project: u32, file: String },
    /// The flow as a picture.
    Graph {
        project: u32,
        file: String,
        form: Drawing,
    },
    /// The page of a rule.
    Explain {
        rule: String,
        #[serde(default)]
        language: Tongue,
    },
    /// All rules.
    Rules {
        #[serde(default)]
        language: Tongue,
    },
}

/// The language that findings and pages are told in.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Tongue {
    #[default]
    En,
    Zh,
}

impl From<Tongue> for Language {
    fn from(tongue: Tongue) -> Language {
        match tongue {
            Tongue::En => Language::English,
            Tongue::Zh => Language::Chinese,
        }
    }
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Form {
    Text,
    Json,
}

/// How a flow is drawn.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Drawing {
    Mermaid,
    Dot,
    Svg,
}
