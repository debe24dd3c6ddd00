//! Plugins that mean harm, in an engine that also serves somebody else: what each tries, how it is contained, and that
//! the other tenant notices nothing. Those that want the network, the store and the vault are in `tests/centre`.
//!
//! The guests are in `tests/guests/hostile`; what no compiler writes is written by hand, in `forged`.

mod centre;
mod crowding;
mod forged;
#[path = "../../engine/plugin/tests/host/guest.rs"]
#[allow(dead_code, reason = "the tests of the step host build more")]
mod guest;
mod pushing;
mod stealing;
mod walking;
