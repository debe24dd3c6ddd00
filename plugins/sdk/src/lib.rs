//! Write a step of a Strowger contact flow as a plain function.
//!
//! ```text
//! use serde::Deserialize;
//! use strowger_sdk::media::{self, Utterance};
//! use strowger_sdk::{Failure, Outcome};
//!
//! strowger_sdk::plugin! {
//!     description: "../description.json",
//!     steps: { "greet" => greet },
//! }
//!
//! #[derive(Deserialize)]
//! struct Greet {
//!     prompt: String,
//! }
//!
//! fn greet(input: Greet) -> Result<Outcome, Failure> {
//!     media::say(&Utterance::given(input.prompt), true)?;
//!     Ok(Outcome::named("greeted"))
//! }
//! ```
//!
//! Or the description is made from types as well, so that nothing of them stands twice: see [`Step`].
//!
//! A step runs from top to bottom on an instance of its own; every capability is an ordinary blocking
//! call, and `?` turns its refusal into the flow's `error` edge. What a plugin calls is what it imports,
//! and what it imports is what the operator must grant: unused capabilities are not in the component.
//!
//! Built for any other target than `wasm32`, the capabilities are those of the [`harness`]: a scripted
//! caller in the test, so that `cargo test` needs neither an engine nor a network.

pub mod bindings;

#[cfg(any(
    test,
    all(
        feature = "arena",
        target_arch = "wasm32",
        not(target_feature = "atomics")
    )
))]
mod arena;
mod attempts;
pub mod contact;
pub mod env;
mod failure;
#[cfg(not(target_arch = "wasm32"))]
pub mod harness;
pub mod http;
pub mod kv;
pub mod media;
mod outcome;
mod plugin;
pub mod route;
mod step;
pub mod wait;

pub use attempts::{Attempts, Miss, Reprompt};
pub use bindings::exports::strowger::step::guest::{Failure, Outcome};
pub use bindings::strowger::types::types::Error;
pub use plugin::{unknown_step, with_input};
pub use schemars;
pub use step::{About, Step, describe, described, run_step};

#[cfg(all(
    feature = "arena",
    target_arch = "wasm32",
    not(target_feature = "atomics")
))]
#[global_allocator]
static ARENA: arena::Arena = arena::Arena::new();

/// Where calls of the capabilities go: to the engine, or in a test on the author's machine to the script.
#[cfg(target_arch = "wasm32")]
mod host {
    pub use crate::bindings::strowger::contact::contact;
    pub use crate::bindings::strowger::env::env;
    pub use crate::bindings::strowger::http::client as http;
    pub use crate::bindings::strowger::kv::store as kv;
    pub use crate::bindings::strowger::media::media;
    pub use crate::bindings::strowger::route::route;
    pub use crate::bindings::strowger::wait::wait;
}
#[cfg(not(target_arch = "wasm32"))]
use harness::host;
