//! `wait`: letting time pass.

pub use crate::bindings::strowger::wait::wait::Condition;

use crate::{Error, host};

/// Waits so many milliseconds.
pub fn sleep(ms: u64) -> Result<(), Error> {
    host::wait::sleep(ms)
}

/// Waits for whichever comes first and gives its index in `conditions`.
pub fn any(conditions: &[Condition]) -> Result<u32, Error> {
    host::wait::wait_any(conditions)
}
