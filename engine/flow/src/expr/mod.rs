//! Expressions: text to tree, tree to type, tree to value.
//!
//! The language is small, typed and total: no statements, loops, lambdas, implicit conversion or
//! truthiness. The stages are one file each: `lexer` cuts text into tokens, `parser` makes
//! the tree, `infer` gives it a type and reports everything that cannot work, `eval` gives
//! it a value under a [`Budget`]. Nothing here reads a clock or fails by panicking.

mod channel;
mod counting;
mod eval;
mod extent;
mod fault;
mod filters;
mod finding;
mod infer;
mod lexer;
mod parser;
mod pieces;
pub(crate) mod suggest;
mod tree;

pub(crate) use counting::Limit;
pub use eval::{Budget, EvalError, Scope, UNITS, eval};
pub(crate) use extent::{Extent, Known, UNKNOWN_MS, extent};
pub(crate) use filters::puts_into_words;
pub use filters::{Argument, FILTERS, Filter, Gives, Kind as FilterKind};
pub use finding::{Change, Finding, Place, Span};
pub use infer::{Lookup, TypeScope, infer, infer_condition, infer_inserted};
pub use parser::{MAX_BYTES, MAX_CHAIN, MAX_NESTING, parse, parse_at};
pub(crate) use pieces::loose_braces;
pub use pieces::{parse_pieces, parse_pieces_at, single};
pub use suggest::closest;
pub use tree::Expr;

#[cfg(test)]
mod tests;
