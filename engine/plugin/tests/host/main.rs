//! The step host at its boundary: real components in, reports out.

mod cache;
mod calls;
mod containment;
mod forged;
mod guest;
mod loading;
mod outcomes;
mod turns;
mod wasi;
mod world;
