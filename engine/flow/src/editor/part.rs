//! The parts of a file: every key and every value with what it is in the language.

use crate::catalog::{FlowSignature, StepDescription};
use crate::expr::Span;
use crate::yaml::{Map, Node};

use super::mention::Kind;

/// A key or a value.
#[derive(Debug, Clone)]
pub(super) struct Part<'t> {
    /// What it is.
    pub role: Role<'t>,
    /// Where it stands.
    pub span: Span,
    /// Its text.
    pub text: &'t str,
    /// The byte at which the text begins, when it stands there letter for letter.
    pub exact: Option<usize>,
    /// Whether it is the key of an entry.
    pub key: bool,
    /// The map that it stands in as a key.
    pub siblings: Option<&'t Map<'t>>,
    /// Byte of the key that this is the value of.
    pub owner: usize,
}

/// What a part is.
#[derive(Debug, Clone)]
pub(super) enum Role<'t> {
    /// One of known keys, or nothing yet where a map with such keys belongs.
    Key(Keys<'t>),
    /// The name of something, where that is defined or used.
    Name(Kind, Place),
    /// The name of an input or outcome of another flow, as a key.
    Of(Kind, &'t str, Keys<'t>),
    /// Where the contact goes.
    Target {
        /// Whether `repeat` may stand here.
        repeat: bool,
    },
    /// Where the contact goes, or, on a line of its own, a map of outcomes.
    Then(&'t Map<'t>),
    /// An action that is not a map yet.
    Action,
    /// A prompt's name or text.
    Prompt,
    /// A spoken text or another text with `${ … }` in it.
    Text,
    /// A bare expression.
    Bare,
    /// A value of an input.
    Value(&'t serde_json::Value),
    /// `plugin/step@major`.
    Plugin,
    /// One of a few words.
    Words(&'static [&'static str]),
    /// What an answer may be.
    Expect,
    /// A language of the flow.
    Language,
    /// A file of audio.
    Audio,
    /// Anything.
    Free,
}

/// Whether a name is defined here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// This is what others refer to.
    Defines,
    /// This refers to it.
    Refers,
}

/// The keys that a map may have.
#[derive(Debug, Clone, Copy)]
pub(super) enum Keys<'t> {
    /// Fixed keys, with what each means.
    Fixed(&'static [(&'static str, &'static str)]),
    /// Of an action: verbs and the options of the verb that is there.
    Action(Option<&'t Map<'t>>),
    /// Inputs of a step, or members of an object among them.
    Schema(&'t serde_json::Value),
    /// Inputs of a flow.
    Inputs(&'t FlowSignature),
    /// Outcomes of an action.
    Outcomes(&'t Map<'t>),
    /// Keys of a telephone.
    Press,
    /// Languages of the flow.
    Languages,
    /// Variables that `set:` may change.
    Set,
    /// What a test can answer for.
    Mocks,
    /// Names that the designer chooses.
    Any,
}

/// A step's description with its key.
pub(super) type Described<'t> = (&'t str, &'t StepDescription);

impl<'t> Part<'t> {
    /// A value that is a scalar.
    pub fn value(role: Role<'t>, node: &'t Node<'t>, owner: usize) -> Option<Part<'t>> {
        let scalar = node.scalar()?;
        Some(Part {
            role,
            span: node.span,
            text: if scalar.absent() { "" } else { &scalar.text },
            exact: scalar.exact,
            key: false,
            siblings: None,
            owner,
        })
    }

    /// Where its text stands, quotes not counted.
    pub fn inner(&self) -> Span {
        match self.exact {
            Some(start) => Span {
                start,
                end: start + self.text.len(),
            },
            None => self.span,
        }
    }
}
