//! All I/O of the engine, and the `strowger` program.
//!
//! ```text
//! sip        signalling          media     audio threads         prompts   files and speech, ready to play
//! runtime    one task a contact  effects   HTTP and data         store     journals, records, data
//! project    a project's folder  serve     calls in, draining    http      the API: contacts, health, who may use it
//! scenario   a flow's tests, in virtual time           lsp      the language server, for editors
//! records    one a contact, and its forms              retention what goes, and when      webhooks  telling others
//! telemetry  a contact as a trace of OpenTelemetry
//! centre     tenants, what they publish, what is live  trial     a step alone, against a script
//! replay     contacts from their journals              shadow    a candidate beside what is live
//! access     roles and tokens    rate      rate limits           cli       the program's verbs
//! ```

pub mod access;
mod below;
pub mod centre;
pub mod cli;
pub mod clock;
mod digest;
pub mod effects;
pub mod http;
mod locked;
pub mod lsp;
pub mod media;
mod places;
pub mod project;
pub mod prompts;
mod rate;
pub mod records;
pub mod replay;
pub mod retention;
pub mod runtime;
pub mod scenario;
pub mod serve;
pub mod shadow;
pub mod sip;
pub mod store;
pub mod telemetry;
pub mod trial;
mod turns;
pub mod vault;
pub mod webhooks;
mod whole;
