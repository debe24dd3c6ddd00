//! What a step may use: the handles that the flow gave to it.

use std::collections::BTreeSet;
use std::sync::Arc;

use strowger_flow::unseen::quoted;
use strowger_flow::value::Value;

use crate::call::CallError;
use crate::program::StepTypes;

/// What a step was given: the only handles it may use.
#[derive(Debug, Default)]
pub(crate) struct Given {
    pub prompts: BTreeSet<u32>,
    pub expressions: BTreeSet<u32>,
    /// Handles of the secrets that it was given or heard itself.
    pub secrets: BTreeSet<String>,
    /// What the step's description says.
    pub step: Option<Arc<StepTypes>>,
    /// Bytes of the values that were put in, and of those that are kept beside them.
    pub bytes: usize,
}

/// Most bytes that a contact's variables take together, and most that are put into one action: 4 MiB. What a flow keeps is in no plugin's
/// memory, and one that made its texts longer and longer would take that of all others.
pub(crate) const MAX_HELD_BYTES: usize = 4 << 20;

impl Given {
    /// Nothing yet, beside variables that take so many bytes.
    pub fn beside(bytes: usize) -> Given {
        Given {
            bytes,
            ..Given::default()
        }
    }

    /// Counts a value that is put in.
    pub fn count(&mut self, value: &Value) -> Result<(), String> {
        self.bytes = self.bytes.saturating_add(value.held_bytes());
        within(self.bytes)
    }

    /// The number of a prompt, by its handle `p:N`.
    pub fn prompt(&self, handle: &str) -> Result<usize, CallError> {
        number(handle, "p:", &self.prompts).ok_or_else(|| not_given("prompt", handle))
    }

    /// The number of an expression, by its handle `e:N`.
    pub fn expression(&self, handle: &str) -> Result<usize, CallError> {
        number(handle, "e:", &self.expressions).ok_or_else(|| not_given("expression", handle))
    }
}

/// Whether variables may take so many bytes.
pub(crate) fn within(bytes: usize) -> Result<(), String> {
    match bytes > MAX_HELD_BYTES {
        true => Err(format!(
            "the contact's values would take more than {} MiB together: keep shorter texts, or fewer",
            MAX_HELD_BYTES >> 20
        )),
        false => Ok(()),
    }
}

fn number(handle: &str, kind: &str, given: &BTreeSet<u32>) -> Option<usize> {
    let id = handle.strip_prefix(kind)?.parse().ok()?;
    given.contains(&id).then_some(id as usize)
}

pub(crate) fn not_given(kind: &str, handle: &str) -> CallError {
    let shown = quoted(handle);
    CallError::InvalidArgument(format!(
        "`{shown}` is no {kind} that the flow gave to this step"
    ))
}

/// Collects the handles of all secrets in a value.
pub(crate) fn secrets_of(value: &Value, handles: &mut BTreeSet<String>) {
    match value {
        Value::Secret(secret) => {
            handles.insert(secret.handle.clone());
        }
        Value::List(items) => items.iter().for_each(|item| secrets_of(item, handles)),
        Value::Object(fields) => fields.values().for_each(|field| secrets_of(field, handles)),
        _ => {}
    }
}
