//! What a step asks of the world beyond the contact: HTTP and data.

mod http;
mod kv;

pub(crate) use http::causes;
pub use http::{HttpClient, HttpLimits};
pub(crate) use kv::perform as perform_kv;
