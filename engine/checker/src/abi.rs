//! How JavaScript reaches the checker: five functions over numbers.
//!
//! A request is written into room that this side gives, and the answer is read where this side left it, so no memory
//! changes its owner and nothing must be freed:
//!
//! 1. `strowger_request(length)` gives the address of room for so many bytes; 0 when that is too long.
//! 2. `strowger_ask()` answers the request written there, and gives the length of the answer.
//! 3. `strowger_answer()` gives the address of the answer, which stays until the next request.
//!
//! After a trap nothing but `strowger_fault` and `strowger_fault_length` may be called: they lead to what a panic said.

use std::cell::RefCell;
use std::panic;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::{Checker, MAX_REQUEST_BYTES};

/// Room for a request that is kept for the next one, in bytes: an ordinary flow fits many times.
const KEPT_BYTES: usize = 1024 * 1024;

/// What a panic said; empty while there was none.
static FAULT: Mutex<String> = Mutex::new(String::new());

thread_local! {
    static DESK: RefCell<Desk> = RefCell::default();
}

/// The checker with the request and the answer at hand.
#[derive(Default)]
struct Desk {
    checker: Checker,
    hooked: bool,
    request: Vec<u8>,
    answer: String,
}

/// Room for a request of so many bytes; null when it is longer than [`MAX_REQUEST_BYTES`].
#[unsafe(no_mangle)]
pub extern "C" fn strowger_request(length: usize) -> *mut u8 {
    DESK.with_borrow_mut(|desk| {
        if !std::mem::replace(&mut desk.hooked, true) {
            listen();
        }
        if length > MAX_REQUEST_BYTES {
            return std::ptr::null_mut();
        }
        desk.request.clear();
        desk.request.shrink_to(KEPT_BYTES);
        desk.request.resize(length, 0);
        desk.request.as_mut_ptr()
    })
}

/// Answers the request; the length of the answer in bytes.
#[unsafe(no_mangle)]
pub extern "C" fn strowger_ask() -> usize {
    DESK.with_borrow_mut(|desk| {
        desk.answer = desk.checker.ask(&desk.request);
        desk.answer.len()
    })
}

/// The answer, in UTF-8.
#[unsafe(no_mangle)]
pub extern "C" fn strowger_answer() -> *const u8 {
    DESK.with_borrow(|desk| desk.answer.as_ptr())
}

/// What a panic said, in UTF-8.
#[unsafe(no_mangle)]
pub extern "C" fn strowger_fault() -> *const u8 {
    fault().as_ptr()
}

/// Its length in bytes; 0 when there was no panic.
#[unsafe(no_mangle)]
pub extern "C" fn strowger_fault_length() -> usize {
    fault().len()
}

fn fault() -> MutexGuard<'static, String> {
    FAULT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps what a panic says: the trap that follows in a browser says nothing. Elsewhere the caller has its own hook.
fn listen() {
    if cfg!(target_arch = "wasm32") {
        panic::set_hook(Box::new(|info| *fault() = info.to_string()));
    }
}
