//! A flow's `tests:`, run against the real steps in virtual time.
//!
//! ```text
//! suite      a project's folder, or files -> flows with their tests, compiled plugins
//! run        tests -> results, in parallel; each test is one contact
//! script     the acts of a test, and where time goes between them
//! expect     what must be so, and what there is instead
//! world      one contact: the core, its time, things that are due
//! steps  outside  story      what the core asks for: steps, the world outside, and what is said and written down
//! guest      a step that runs, polled in place      mocks  stub  hours  memory   what stands for the world
//! saved      a contact's journal as a test
//! record     what happened, as a transcript         coverage  report             what people and programs read
//! ```

mod coverage;
mod expect;
mod hours;
mod memory;
mod mocks;
mod outside;
mod pace;
mod record;
pub(crate) mod report;
mod run;
mod saved;
mod script;
mod steps;
mod story;
mod stub;
mod suite;
mod world;

pub(crate) use memory::Memory;

pub use coverage::{Coverage, FlowCoverage, Point};
pub use report::{github, json, junit, text, totals};
pub use run::{Chosen, TestResult, Verdict};
pub use saved::{Form, Pace, Placed, Saved, has_case, saved, with_case};
pub use script::Miss;
pub use suite::{FlowTests, Loader, Place, Suite, SuiteError};
