//! The HTTP API as its clients see it: who may do what, and what all endpoints have in common.

mod conditions;
mod description;
mod first_start;
mod limits;
mod operations;
mod others;
mod roles;
mod sessions;
mod tls;
mod tokens;
mod world;
