//! Compiling, in turns: whoever brings many large components, or slow ones, holds up nobody else's.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::sync::oneshot;

use crate::runtime::lower_priority;

/// Components that are compiled at once, each on threads of its own. A share has one of them at most, so that the
/// next to come need not wait for it.
const AT_ONCE: usize = 2;
/// Shares of which it is known that they had their turn lately.
const LATELY_MOST: usize = 256;

/// Threads that compile, and who may use them next.
pub(crate) struct Compiler {
    state: Mutex<State>,
    /// Made when they are first needed: a start that finds all code on the disk compiles nothing.
    lanes: [OnceLock<ThreadPool>; AT_ONCE],
    threads: usize,
    niceness: u8,
}

struct State {
    free: Vec<usize>,
    /// Shares that compile.
    busy: Vec<u64>,
    /// Who waits, in the order of coming.
    waiting: VecDeque<(u64, oneshot::Sender<Turn>)>,
    /// Shares that had a turn, the latest last.
    lately: VecDeque<u64>,
}

/// A turn to compile; dropped, it is the next one's.
pub(crate) struct Turn {
    compiler: Arc<Compiler>,
    share: u64,
    lane: usize,
    /// Whether it is given back already.
    over: bool,
}

impl Compiler {
    /// Lanes of so many threads each (at least one), of the guests' priority: a large upload must not take the processor
    /// from media.
    pub(crate) fn new(threads: usize, niceness: u8) -> Arc<Compiler> {
        Arc::new(Compiler {
            state: Mutex::new(State {
                free: (0..AT_ONCE).rev().collect(),
                busy: Vec::new(),
                waiting: VecDeque::new(),
                lately: VecDeque::new(),
            }),
            lanes: Default::default(),
            threads: threads.max(1),
            niceness,
        })
    }

    /// Waits for a turn of a share. Of those that wait the one goes next whose share has none now and had its last the
    /// longest ago. Who gives up waiting loses nothing but its place.
    pub(crate) async fn turn(self: &Arc<Self>, share: u64) -> Turn {
        loop {
            let (give, get) = oneshot::channel();
            self.state().waiting.push_back((share, give));
            self.give();
            // Whoever waits is given a turn: `self` keeps the list.
            if let Ok(turn) = get.await {
                return turn;
            }
        }
    }

    /// Gives away what is free.
    fn give(self: &Arc<Self>) {
        loop {
            let Some((give, turn)) = self.next() else {
                return;
            };
            // Whoever has given up leaves its turn to the next.
            if let Err(unused) = give.send(turn) {
                unused.back();
            }
        }
    }

    fn next(self: &Arc<Self>) -> Option<(oneshot::Sender<Turn>, Turn)> {
        let mut state = self.state();
        let lane = *state.free.last()?;
        let since = |share: &u64| state.lately.iter().rposition(|lately| lately == share);
        let waiting = state.waiting.iter().enumerate();
        let may = waiting.filter(|(_, (share, _))| !state.busy.contains(share));
        // Of equals the first; none is before any.
        let (at, _) = may.min_by_key(|(_, (share, _))| since(share))?;
        let (share, give) = state.waiting.remove(at)?;
        state.free.pop();
        state.busy.push(share);
        state.lately.retain(|lately| *lately != share);
        state.lately.push_back(share);
        if state.lately.len() > LATELY_MOST {
            state.lately.pop_front();
        }
        let compiler = Arc::clone(self);
        Some((
            give,
            Turn {
                compiler,
                share,
                lane,
                over: false,
            },
        ))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Runs a piece of work, such as compiling, on this turn's threads; blocks until it is done.
    pub(crate) fn work<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        match self.threads() {
            Some(threads) => threads.install(work),
            // Without threads of its own it takes the caller's.
            None => work(),
        }
    }

    fn threads(&self) -> Option<&ThreadPool> {
        let Compiler {
            lanes,
            threads,
            niceness,
            ..
        } = &*self.compiler;
        let lane = &lanes[self.lane];
        if lane.get().is_none() {
            let (number, niceness) = (self.lane, *niceness);
            let made = ThreadPoolBuilder::new()
                .num_threads(*threads)
                .thread_name(move |index| format!("compile-{number}-{index}"))
                .start_handler(move |_| lower_priority(niceness))
                .build();
            match made {
                // A lane has one turn at a time, so nobody else has set it.
                Ok(made) => drop(lane.set(made)),
                Err(error) => tracing::warn!(%error, "no threads to compile on"),
            }
        }
        lane.get()
    }

    /// Gives the turn back without telling whoever waits.
    fn back(mut self) {
        self.free();
    }

    fn free(&mut self) {
        self.over = true;
        let mut state = self.compiler.state();
        state.free.push(self.lane);
        state.busy.retain(|share| *share != self.share);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if !self.over {
            self.free();
            self.compiler.give();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    use super::{Compiler, Turn};

    /// A turn, if it is there.
    fn now(waits: Pin<&mut impl Future<Output = Turn>>) -> Option<Turn> {
        match waits.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(turn) => Some(turn),
            Poll::Pending => None,
        }
    }

    #[test]
    fn a_share_with_many_to_compile_leaves_others_their_turn() {
        let compiler = Compiler::new(1, 0);
        let mut first = pin!(compiler.turn(1));
        let mut second = pin!(compiler.turn(1));
        let mut third = pin!(compiler.turn(1));
        let turn = now(first.as_mut()).expect("both lanes are free");
        assert!(now(second.as_mut()).is_none(), "one at a time");
        assert!(now(third.as_mut()).is_none());
        // Another share has the other lane at once, and a third one goes before who had a turn already.
        let mut other = pin!(compiler.turn(2));
        let others = now(other.as_mut()).expect("a lane is free");
        let mut late = pin!(compiler.turn(3));
        assert!(now(late.as_mut()).is_none());
        drop(turn);
        assert!(now(second.as_mut()).is_none());
        let late = now(late.as_mut()).expect("its turn");
        drop(others);
        let turn = now(second.as_mut()).expect("its turn");
        drop(late);
        assert!(now(third.as_mut()).is_none(), "one at a time");
        drop(turn);
        assert_eq!(now(third.as_mut()).expect("its turn").work(|| 7), 7);
    }

    #[test]
    fn whoever_gives_up_waiting_holds_up_nobody() {
        let compiler = Compiler::new(1, 0);
        let held = now(pin!(compiler.turn(1))).expect("free");
        let also = now(pin!(compiler.turn(2))).expect("free");
        {
            let mut gone = pin!(compiler.turn(3));
            assert!(now(gone.as_mut()).is_none());
            // Its turn comes, and it does not look any more.
            drop(held);
        }
        let mut next = pin!(compiler.turn(4));
        let next = now(next.as_mut()).expect("the lane is free again");
        drop((also, next));
        assert_eq!(compiler.state().free.len(), super::AT_ONCE);
        assert!(compiler.state().busy.is_empty());
    }
}
