//! Compiling, in turns: whoever brings many large components, or slow ones, holds up nobody else's; a small one waits for no
//! large one.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};
use tokio::sync::oneshot;

use crate::runtime::lower_priority;

/// Components of any size that are compiled at once, each on threads of its own. A share has one of them at most, so that
/// the next to come need not wait for it.
const AT_ONCE: usize = 2;
/// Small ones that are compiled at once beside them.
const SMALL_AT_ONCE: usize = 1;
/// All lanes: the first ones take what comes, the last ones small components alone.
const LANES: usize = AT_ONCE + SMALL_AT_ONCE;
/// Most bytes of a small component: compiling takes a second per megabyte, and one of a language that compiles to WebAssembly
/// has 20 to 300 KB. What brings an interpreter along has megabytes.
const SMALL_BYTES: usize = 512 << 10;
/// Shares of which it is known that they had their turn lately.
const LATELY_MOST: usize = 256;

/// Threads that compile, and who may use them next.
pub(crate) struct Compiler {
    state: Mutex<State>,
    /// Made when they are first needed: a start that finds all code on the disk compiles nothing.
    lanes: [OnceLock<ThreadPool>; LANES],
    threads: usize,
    niceness: u8,
}

struct State {
    free: Vec<usize>,
    /// Whose components are compiled.
    busy: Vec<Whose>,
    /// Who waits, in the order of coming.
    waiting: VecDeque<(Whose, oneshot::Sender<Turn>)>,
    /// Shares that had a turn, the latest last.
    lately: VecDeque<u64>,
}

/// A share, and whether its component is small: it has one of each kind at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Whose {
    share: u64,
    small: bool,
}

impl Whose {
    /// The lane for it among those that are free; a small one leaves the others to who needs them.
    fn lane(self, free: &[usize]) -> Option<usize> {
        let own = free.iter().find(|lane| self.small == (**lane >= AT_ONCE));
        own.or_else(|| free.iter().find(|lane| self.small || **lane < AT_ONCE))
            .copied()
    }
}

/// A turn to compile; dropped, it is the next one's.
pub(crate) struct Turn {
    compiler: Arc<Compiler>,
    whose: Whose,
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
                free: (0..LANES).collect(),
                busy: Vec::new(),
                waiting: VecDeque::new(),
                lately: VecDeque::new(),
            }),
            lanes: Default::default(),
            threads: threads.max(1),
            niceness,
        })
    }

    /// Waits for a turn of a share, for a component of so many bytes. Of those that wait for a lane the one goes next whose
    /// share has none now and had its last the longest ago. Who gives up waiting loses nothing but its place.
    pub(crate) async fn turn(self: &Arc<Self>, share: u64, bytes: usize) -> Turn {
        let small = bytes <= SMALL_BYTES;
        loop {
            let (give, get) = oneshot::channel();
            let whose = Whose { share, small };
            self.state().waiting.push_back((whose, give));
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
        let since = |share: u64| state.lately.iter().rposition(|lately| *lately == share);
        let waiting = state.waiting.iter().enumerate();
        let may = waiting.filter_map(|(at, (whose, _))| {
            let lane = whose.lane(&state.free)?;
            (!state.busy.contains(whose)).then_some((at, lane, whose.share))
        });
        // Of equals the first; none is before any.
        let (at, lane, share) = may.min_by_key(|(_, _, share)| since(*share))?;
        let (whose, give) = state.waiting.remove(at)?;
        state.free.retain(|free| *free != lane);
        state.busy.push(whose);
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
                whose,
                lane,
                over: false,
            },
        ))
    }

    /// Until somebody waits for a turn.
    #[cfg(test)]
    pub(crate) async fn someone_waits(&self) {
        while self.state().waiting.is_empty() {
            tokio::task::yield_now().await;
        }
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
        state.busy.retain(|whose| *whose != self.whose);
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

    use super::{Compiler, SMALL_BYTES, Turn};

    const LARGE: usize = SMALL_BYTES + 1;

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
        let mut first = pin!(compiler.turn(1, LARGE));
        let mut second = pin!(compiler.turn(1, LARGE));
        let mut third = pin!(compiler.turn(1, LARGE));
        let turn = now(first.as_mut()).expect("both lanes are free");
        assert!(now(second.as_mut()).is_none(), "one at a time");
        assert!(now(third.as_mut()).is_none());
        // Another share has the other lane at once, and a third one goes before who had a turn already.
        let mut other = pin!(compiler.turn(2, LARGE));
        let others = now(other.as_mut()).expect("a lane is free");
        let mut late = pin!(compiler.turn(3, LARGE));
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
        let held = now(pin!(compiler.turn(1, LARGE))).expect("free");
        let also = now(pin!(compiler.turn(2, LARGE))).expect("free");
        {
            let mut gone = pin!(compiler.turn(3, LARGE));
            assert!(now(gone.as_mut()).is_none());
            // Its turn comes, and it does not look any more.
            drop(held);
        }
        let mut next = pin!(compiler.turn(4, LARGE));
        let next = now(next.as_mut()).expect("the lane is free again");
        drop((also, next));
        assert_eq!(compiler.state().free.len(), super::LANES);
        assert!(compiler.state().busy.is_empty());
    }

    #[test]
    fn a_small_component_waits_for_no_large_one() {
        let compiler = Compiler::new(1, 0);
        let small = SMALL_BYTES;
        let large = [1, 2].map(|share| now(pin!(compiler.turn(share, LARGE))).expect("free"));
        let mut third = pin!(compiler.turn(3, LARGE));
        assert!(now(third.as_mut()).is_none(), "both lanes are taken");
        // One of a share that compiles a large one, and one of another, the one after the other.
        let first = now(pin!(compiler.turn(1, small))).expect("the small ones' lane is free");
        let mut second = pin!(compiler.turn(4, small));
        assert!(now(second.as_mut()).is_none(), "one small one at a time");
        drop(first);
        let second = now(second.as_mut()).expect("its turn");
        // The lane of small ones is for no large one.
        drop(second);
        assert!(now(third.as_mut()).is_none());
        // A lane for all takes a small one too, where nobody else waits for it.
        let one = now(pin!(compiler.turn(5, small))).expect("its lane");
        drop(large);
        let third = now(third.as_mut()).expect("its turn");
        let other = now(pin!(compiler.turn(6, small))).expect("a lane is free");
        assert!(
            now(pin!(compiler.turn(6, small))).is_none(),
            "one of a share"
        );
        drop((one, third, other));
        assert_eq!(compiler.state().free.len(), super::LANES);
        assert!(compiler.state().busy.is_empty());
    }
}
