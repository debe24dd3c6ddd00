//! The step host: loads, checks, limits and runs sandboxed step components.
//!
//! A plugin is a WebAssembly component after `wit/1.0/step.wit`. [`Host::load`] parses it, holds its
//! imports against the capabilities that the operator granted, compiles it (or takes the machine code
//! from an authenticated cache), asks it to describe itself and checks the answer; every complaint is
//! told at once. [`Plugin::run`] runs one step on a fresh instance and always ends in a
//! [`StepReport`]: a trap, an overrun or a lie of the guest is a [`StepError`] with a code, never a
//! panic and never another contact's trouble.
//!
//! The host knows nothing about telephony: whatever a guest asks for goes through one door,
//! [`HostCalls::call`], as JSON made from the component's own types (see [`value`]).
//!
//! ```no_run
//! # async fn example(component: Vec<u8>, calls: Box<dyn strowger_plugin::HostCalls>)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! use strowger_plugin::{Grants, Host, HostConfig, Limits, RunRequest};
//!
//! let host = Host::new(HostConfig::default())?;
//! println!("{}", host.report());
//! let plugin = host
//!     .load(&component, &Grants::only(["contact", "media"]), &Limits::default())
//!     .await
//!     .map_err(|complaints| complaints[0].to_string())?;
//! let report = plugin
//!     .run(RunRequest {
//!         step: "say".into(),
//!         input: r#"{"prompt":"p1"}"#.into(),
//!         limits: Limits::default(),
//!         calls,
//!         told: None,
//!         cancel: None,
//!     })
//!     .await;
//! match report.result {
//!     Ok(outcome) => println!("{} {}", outcome.name, outcome.data),
//!     Err(error) => eprintln!("{}: {error}", error.code()),
//! }
//! # Ok(())
//! # }
//! ```

mod admit;
mod cache;
mod calls;
mod checking;
mod compiler;
mod componentize;
mod description;
mod effort;
mod engine;
mod error;
mod grants;
// The integration tests' guests name this crate from outside.
#[cfg(test)]
extern crate self as strowger_plugin;
#[cfg(test)]
#[path = "../tests/host/guest.rs"]
#[allow(dead_code, reason = "the tests of the step host build more")]
mod guest;
mod host;
mod interface;
mod lanes;
mod limits;
mod link;
mod memory;
mod meter;
mod patterns;
mod pauses;
mod plugin;
mod pool;
mod printed;
mod retold;
mod run;
mod runtime;
mod schema;
mod share;
mod slots;
mod ticker;
mod tier;
pub mod value;
mod wasi;

pub use calls::{HostCallError, HostCallFuture, HostCalls, NoCalls};
pub use componentize::{ComponentizeError, componentize, componentize_for};
pub use error::{LoadError, StepError, TrapKind};
pub use grants::Grants;
pub use host::{Host, HostConfig, HostError, HostReport};
pub use interface::{CAPABILITIES, CONTRACT, Class, class};
pub use limits::{
    INTERPRETER_BYTES, INTERPRETER_STACKS, INTERPRETER_TABLE_ELEMENTS_MOST, Limits, MEMORY_MOST,
    STACKS, TABLE_ELEMENTS_MOST,
};
pub use memory::{Held, Holding};
pub use meter::Meters;
pub use pauses::{Pause, Pauses};
pub use plugin::Plugin;
pub use printed::{Ear, Printed};
pub use retold::{Recorded, Told};
pub use run::{RunRequest, StepOutcome, StepReport};
pub use runtime::{GuestEnd, GuestRuntime, GuestTask, lower_priority};
pub use share::Share;
pub use slots::Parked;
