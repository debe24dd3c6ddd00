//! The order in which guests get their threads: tenants take turns, and who computes much stands back.
//!
//! There are two lanes, each with threads of its own. A guest runs in the quick lane until it has computed for long, or
//! while its tenant has used more than its part; then it goes on in the slow lane, whose threads run when
//! no other wants the processor.
//! In both, tenants with something to do take turns, whatever number of guests each has. Beside them is the background
//! lane, one thread of that kind, for what no contact waits for.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_task::Runnable;

use crate::meter::SpentOnThread;
use crate::share::Share;

/// Processor time after which a guest goes on in the slow lane. Two ticks: a step that decides and formats never
/// gets there.
const QUICK: Duration = Duration::from_millis(20);

/// What is known of a task beside its future.
pub(crate) struct Task {
    share: Share,
    /// Processor time used. Nanoseconds. The threads keep it too, for a task may end while it runs.
    used: Arc<AtomicU64>,
}

impl Task {
    pub(crate) fn new(share: Share) -> Task {
        Task {
            share,
            used: Arc::default(),
        }
    }
}

/// The lanes.
pub(crate) struct Lanes {
    quick: Lane,
    slow: Lane,
    background: Lane,
}

/// Which lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Quick,
    Slow,
    Background,
}

/// Guests that are ready to run.
#[derive(Default)]
struct Lane {
    state: Mutex<State>,
    ready: Condvar,
}

#[derive(Default)]
struct State {
    /// By tenant.
    queues: HashMap<u64, VecDeque<Runnable<Task>>>,
    /// The tenants that have something in their queue, in the order of their turns.
    turns: VecDeque<u64>,
    /// Threads that wait.
    idle: usize,
    closed: bool,
}

impl Lanes {
    pub(crate) fn new() -> Lanes {
        Lanes {
            quick: Lane::default(),
            slow: Lane::default(),
            background: Lane::default(),
        }
    }

    /// Takes a task that is ready.
    pub(crate) fn put(&self, runnable: Runnable<Task>) {
        let task = runnable.metadata();
        let lane = if task.share.is_background() {
            &self.background
        } else if self.stands_back(task) {
            &self.slow
        } else {
            &self.quick
        };
        lane.put(runnable);
    }

    /// Whether a guest has to leave the quick lane to others.
    fn stands_back(&self, task: &Task) -> bool {
        let used = u128::from(task.used.load(Ordering::Relaxed));
        used > QUICK.as_nanos() || task.share.in_debt(task.share.now())
    }

    /// Runs what is ready in a lane until it is closed.
    pub(crate) fn work(&self, which: Which) {
        let lane = match which {
            Which::Quick => &self.quick,
            Which::Slow => &self.slow,
            Which::Background => &self.background,
        };
        while let Some(runnable) = lane.next() {
            // A tenant that began much at once has all of it in the queue before the first of it has computed.
            if which == Which::Quick && self.stands_back(runnable.metadata()) {
                self.slow.put(runnable);
                continue;
            }
            // Once it has run the task may be gone.
            let (share, used) = {
                let task = runnable.metadata();
                (task.share.clone(), Arc::clone(&task.used))
            };
            let spent = SpentOnThread::begin();
            runnable.run();
            let spent = spent.end();
            used.fetch_add(spent, Ordering::Relaxed);
            share.charge(share.now(), spent);
        }
    }

    /// Ends the threads, and the tasks that are ready.
    pub(crate) fn close(&self) {
        for lane in [&self.quick, &self.slow, &self.background] {
            let mut state = lane.lock();
            state.closed = true;
            let queues = std::mem::take(&mut state.queues);
            drop(state);
            lane.ready.notify_all();
            drop(queues);
        }
    }
}

impl Lane {
    fn put(&self, runnable: Runnable<Task>) {
        let id = runnable.metadata().share.id();
        let mut state = self.lock();
        if state.closed {
            drop(state);
            // Dropped here, which ends the task.
            return;
        }
        let state = &mut *state;
        let queue = state.queues.entry(id).or_default();
        if queue.is_empty() {
            state.turns.push_back(id);
        }
        queue.push_back(runnable);
        if state.idle > 0 {
            self.ready.notify_one();
        }
    }

    /// The next task, waited for; none when the lane is closed.
    fn next(&self) -> Option<Runnable<Task>> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(runnable) = state.take() {
                return Some(runnable);
            }
            state.idle += 1;
            state = self
                .ready
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The first task of the tenant whose turn it is.
    fn take(&mut self) -> Option<Runnable<Task>> {
        let id = self.turns.pop_front()?;
        let queue = self.queues.get_mut(&id)?;
        let runnable = queue.pop_front();
        if queue.is_empty() {
            self.queues.remove(&id);
        } else {
            self.turns.push_back(id);
        }
        runnable
    }
}
