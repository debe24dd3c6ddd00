use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::poll::Waker;

/// Most messages waiting for one thread. A media thread takes all of them every millisecond; a call causes
/// a handful a second.
pub const CAPACITY: usize = 16_384;

/// A bounded queue into a thread that sleeps on something else than the queue.
pub struct Mailbox<T> {
    state: Mutex<State<T>>,
    waker: Waker,
}

struct State<T> {
    waiting: VecDeque<T>,
    /// The thread sleeps and wants the waker's write; otherwise it looks here by itself soon.
    asleep: bool,
}

impl<T> Mailbox<T> {
    pub fn new() -> std::io::Result<Mailbox<T>> {
        Ok(Mailbox {
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                asleep: false,
            }),
            waker: Waker::new()?,
        })
    }

    /// Queues a message; gives it back if the queue is full.
    pub fn send(&self, message: T) -> Result<(), T> {
        let mut state = self.lock();
        if state.waiting.len() >= CAPACITY {
            return Err(message);
        }
        self.push(&mut state, message);
        Ok(())
    }

    /// Queues a message that must not be lost. For those whose number is bounded by something else, such as
    /// one close per open stream.
    pub fn send_always(&self, message: T) {
        let mut state = self.lock();
        self.push(&mut state, message);
    }

    /// Moves all messages to `into`, in order.
    pub fn take(&self, into: &mut VecDeque<T>) {
        let mut state = self.lock();
        if into.is_empty() {
            std::mem::swap(&mut state.waiting, into);
        } else {
            into.append(&mut state.waiting);
        }
    }

    /// Says that the thread is about to sleep; false if there is a message, then it must not.
    pub fn fall_asleep(&self) -> bool {
        let mut state = self.lock();
        state.asleep = state.waiting.is_empty();
        state.asleep
    }

    /// Says that the thread is up again, and whether the waker got it up.
    pub fn wake_up(&self, woken: bool) {
        self.lock().asleep = false;
        if woken {
            self.waker.clear();
        }
    }

    /// Sleeps until a message comes, at most `timeout`.
    pub fn sleep(&self, timeout: Duration) {
        if self.fall_asleep() {
            self.waker.wait(timeout);
            self.wake_up(true);
        }
    }

    /// What the thread's poll has to watch.
    pub fn waker(&self) -> &Waker {
        &self.waker
    }

    fn push(&self, state: &mut State<T>, message: T) {
        state.waiting.push_back(message);
        if std::mem::take(&mut state.asleep) {
            self.waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // No code that can panic runs under the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
