//! How a step ends well.

use serde::Serialize;

use crate::{Failure, Outcome};

impl Outcome {
    /// An outcome that carries nothing.
    pub fn named(name: impl Into<String>) -> Outcome {
        Outcome {
            name: name.into(),
            data: "{}".to_owned(),
        }
    }

    /// An outcome with data: something that serialises to a JSON object which satisfies the outcome's schema.
    ///
    /// Fails with `bad-output` when it cannot be written as JSON, as a map whose keys are not text.
    pub fn with(name: impl Into<String>, data: &impl Serialize) -> Result<Outcome, Failure> {
        let data = serde_json::to_string(data).map_err(|error| {
            Failure::new(
                "bad-output",
                format!("the outcome cannot be written as JSON: {error}"),
            )
        })?;
        Ok(Outcome {
            name: name.into(),
            data,
        })
    }
}
