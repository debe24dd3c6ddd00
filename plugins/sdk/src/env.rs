//! `env`: time, chance, configuration and the log.

use serde::de::DeserializeOwned;

pub use crate::bindings::strowger::env::env::{Civil, Level};

use crate::{Error, Failure, host};

/// Milliseconds since 1970-01-01T00:00:00Z.
pub fn now() -> u64 {
    host::env::now()
}

/// What the clocks show now in a time zone of the IANA database, such as `Asia/Shanghai`.
pub fn local_time(zone: &str) -> Result<Civil, Error> {
    host::env::local_time(zone)
}

/// Random bytes, at most 1,024.
pub fn random(length: u32) -> Result<Vec<u8>, Error> {
    host::env::random(length)
}

/// What the operator configured for this plugin, as JSON; `{}` when nothing.
pub fn config_text() -> String {
    host::env::config()
}

/// What the operator configured for this plugin. Fails with `bad-configuration`, naming the field.
pub fn config<T: DeserializeOwned>() -> Result<T, Failure> {
    serde_json::from_str(&host::env::config()).map_err(|error| {
        Failure::new(
            "bad-configuration",
            format!("the plugin's configuration in the project's settings: {error}"),
        )
    })
}

/// Writes a line to the log, with the contact, the flow's line and the step.
pub fn log(level: Level, message: &str) {
    host::env::log(level, message);
}
