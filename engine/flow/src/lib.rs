//! The flow language: YAML text to a checked plan and its diagnostics; expressions; spoken values.
//!
//! [`fn@check`] is the whole of it: text and what is around it ([`Catalog`]) go in, a [`plan::Plan`] and
//! every finding come out. Nothing here reads a clock, a file or the environment, so a server and a
//! browser say the same about the same text.
//!
//! The stages are one folder each: `yaml` (text to a tree with places), `lower` (tree to a draft of the
//! plan: names, shapes, inputs), [`mod@check`] (the draft as a graph: types, variables, ways out; the
//! rules), [`diagnostic`] (what the designer sees).

#![warn(missing_docs)]

mod beside;
pub mod catalog;
pub mod check;
pub mod destination;
pub mod diagnostic;
mod document;
pub mod editor;
pub mod expr;
mod fix;
pub mod fmt;
pub mod graph;
mod hashed;
mod lower;
pub mod plan;
pub mod schema;
pub mod speak;
pub mod unseen;
pub mod value;
pub mod wide;
mod yaml;

pub use catalog::Catalog;
pub use check::rules::{RULES, Rule, nearest_rule, rule_of as rule};
pub use check::{Checked, WorstCase, by_name, check, signature, signature_of, survey};
pub use diagnostic::{Diagnostic, Level};
pub use document::{Document, document};
pub use fix::{Applied, Fixed, fix};
pub use lower::{Act, Expectation, Given, Reply, Test, answer_kinds};
