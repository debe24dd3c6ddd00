//! What a step asks of the world beyond the contact: HTTP and data.

mod http;
mod kv;

pub use http::{HttpClient, HttpLimits};
pub(crate) use kv::perform as perform_kv;
