//! `strowger openapi`

use clap::Args;

use super::{Failure, OK};

/// Prints the description of the HTTP API, OpenAPI 3.1.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger openapi >strowger.openapi.json

A running engine serves the same at /v1/openapi.json.

Exit code: 0 printed, 2 it cannot be printed.")]
pub(super) struct Openapi {}

impl Openapi {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        let text = crate::http::openapi()
            .to_pretty_json()
            .map_err(Failure::cannot)?;
        tell!("{text}");
        Ok(OK)
    }
}
