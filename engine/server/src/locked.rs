//! Locks under which nothing panics half-way through a change.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a mutex holds, also where a thread has panicked with it: whoever calls this changes nothing in steps that could be left half
/// done.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
