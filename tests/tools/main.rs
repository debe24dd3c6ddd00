//! The program's verbs that need no call: what a designer types, and what they read.

mod beside;
mod check;
mod check_fix;
mod coverage;
mod docs;
mod explain;
mod fmt;
mod graph;
mod new;
mod schema;
