//! YAML text to a tree in which everything knows where it stands.
//!
//! The tree is smaller than YAML: maps have text keys, scalars are text until a field says otherwise,
//! and anchors, aliases, tags and several documents do not exist. What YAML would allow beyond that, and
//! what it would quietly turn into something else, is a finding.

mod direct;
mod read;
mod syntax;
#[cfg(test)]
mod tests;
mod traps;
mod tree;

pub(crate) use read::read;
pub(crate) use tree::{Comment, Content, Entry, Map, Node, Scalar, Style};
