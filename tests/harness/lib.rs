//! Real programs for the tests: the engine, the order service, PostgreSQL, SIPp, and a telephone's audio.
//!
//! Everything runs on loopback with ports and folders of its own, and ends with the value that holds it.

pub mod attack;
pub mod audio;
pub mod change;
pub mod chat;
pub mod hall;
pub mod http;
pub mod moments;
pub mod phone;
pub mod postgres;
pub mod program;
pub mod projects;
pub mod raw;
pub mod saved;
pub mod supplier;
pub mod torn;
pub mod upstream;

pub use audio::{Ear, Prompts};
pub use change::{an_hour_ahead, change, rewrite};
pub use chat::Talk;
pub use hall::Hall;
pub use moments::Moments;
pub use phone::Phone;
pub use postgres::Postgres;
pub use program::{Engine, OrderService, Program};
pub use raw::Raw;
pub use supplier::Supplier;
pub use upstream::Upstream;
