//! The order service from outside: its HTTP interface and its command line.

mod api;
mod client;
mod program;
