//! The threads on which guests run, apart from signalling and media.

use std::fmt;
use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use async_task::FallibleTask;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

use crate::lanes::{Lanes, Task, Which};
use crate::share::Share;

/// The lowest priority there is, for where the system has no idle class of threads.
const LOWEST: u8 = 19;

/// Threads of their own for guest code, so that a guest that computes to its limit delays no packet; and in lanes, so
/// that it delays no other tenant's guest (see `lanes`).
///
/// A step that is only suspended occupies no thread. Dropping the runtime cancels what still runs.
pub struct GuestRuntime {
    /// Timers of the guests' tasks, and compiling.
    runtime: Option<Runtime>,
    handle: Handle,
    lanes: Arc<Lanes>,
    threads: usize,
    shares: Arc<AtomicUsize>,
    next_share: AtomicU64,
}

impl GuestRuntime {
    /// Starts `threads` threads (at least one) for each of the two lanes of contacts, and one for the background. `niceness` from 0 to 19 lowers their priority against
    /// the process's other threads, where the system knows priorities of threads (Linux). The slow and the background lane get what
    /// all others leave.
    pub fn new(threads: usize, niceness: u8) -> io::Result<Self> {
        let threads = threads.max(1);
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("guest-time")
            .enable_time()
            .on_thread_start(move || lower_priority(niceness))
            .build()?;
        let handle = runtime.handle().clone();
        let lanes = Arc::new(Lanes::new());
        let started = Self {
            runtime: Some(runtime),
            handle: handle.clone(),
            lanes: Arc::clone(&lanes),
            threads,
            shares: Arc::default(),
            next_share: AtomicU64::new(0),
        };
        for (which, name, threads) in [
            (Which::Quick, "guest", threads),
            (Which::Slow, "guest-slow", threads),
            (Which::Background, "guest-idle", 1),
        ] {
            for index in 0..threads {
                let (lanes, handle) = (Arc::clone(&lanes), handle.clone());
                // On an error the lanes are closed by the drop of `started`.
                std::thread::Builder::new()
                    .name(format!("{name}-{index}"))
                    .spawn(move || {
                        match which {
                            Which::Quick => lower_priority(niceness),
                            Which::Slow | Which::Background => take_what_is_left(),
                        }
                        let _timers = handle.enter();
                        lanes.work(which);
                    })?;
            }
        }
        Ok(started)
    }

    /// How many threads poll guests, in each of the two lanes of contacts.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// The share of a tenant in these threads: its guests take turns with those of other shares.
    pub fn share(&self) -> Share {
        let id = self.next_share.fetch_add(1, Ordering::Relaxed);
        Share::among(id, &self.shares)
    }

    /// A share of the background lane, for what no contact waits for. It takes turns with others of the kind alone.
    pub fn background_share(&self) -> Share {
        Share::in_background(self.next_share.fetch_add(1, Ordering::Relaxed))
    }

    /// A share that is no tenant's and is not counted among them.
    pub(crate) fn nobodys(&self) -> Share {
        let id = self.next_share.fetch_add(1, Ordering::Relaxed);
        Share::among(id, &Arc::default())
    }

    /// Runs a future on the guest threads. Dropping the task ends it there, at its next suspension.
    pub fn spawn<F>(&self, share: &Share, future: F) -> GuestTask<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let lanes = Arc::clone(&self.lanes);
        let (runnable, task) = async_task::Builder::new()
            .propagate_panic(true)
            .metadata(Task::new(share.clone()))
            .spawn(|_| future, move |runnable| lanes.put(runnable));
        runnable.schedule();
        GuestTask(task.fallible())
    }

    /// Runs a blocking piece of work, such as compiling, on a thread of the runtime's blocking pool.
    pub(crate) fn run_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        self.handle.spawn_blocking(work)
    }
}

impl fmt::Debug for GuestRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuestRuntime")
            .field("threads", &self.threads)
            .finish_non_exhaustive()
    }
}

impl Drop for GuestRuntime {
    fn drop(&mut self) {
        self.lanes.close();
        if let Some(runtime) = self.runtime.take() {
            // Dropping a runtime waits for its threads, which an async caller must not do.
            runtime.shutdown_background();
        }
    }
}

/// A task on the guest threads. Dropping it ends it at its next suspension.
#[must_use = "dropped, it ends"]
pub struct GuestTask<T>(FallibleTask<T, Task>);

/// Why a task gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GuestEnd {
    /// The threads are gone.
    #[error("the guests' threads are gone")]
    Cancelled,
    /// The code of a provider of host calls panicked, with these words.
    #[error("a provider of host calls panicked: {0}")]
    Panicked(String),
}

impl<T> Future for GuestTask<T> {
    type Output = Result<T, GuestEnd>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // A panic of the task is the awaiting side's to tell; it must not end this one's thread.
        match catch_unwind(AssertUnwindSafe(|| Pin::new(&mut self.0).poll(cx))) {
            Ok(polled) => polled.map(|done| done.ok_or(GuestEnd::Cancelled)),
            Err(panic) => {
                let words = panic
                    .downcast_ref::<&str>()
                    .map(|words| (*words).to_owned());
                let words = words.or_else(|| panic.downcast_ref::<String>().cloned());
                let words = words.unwrap_or_else(|| "without words".to_owned());
                Poll::Ready(Err(GuestEnd::Panicked(words)))
            }
        }
    }
}

/// Gives the calling thread a lower priority than the process's other threads have: a niceness of 0 (no lower) to 19, where
/// the system knows priorities of threads (Linux).
#[cfg(target_os = "linux")]
pub fn lower_priority(niceness: u8) {
    if niceness == 0 {
        return;
    }
    // SAFETY: `setpriority` with PRIO_PROCESS and 0 acts on the calling thread only and touches no memory.
    let result = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, i32::from(niceness.min(19))) };
    if result != 0 {
        tracing::warn!(
            error = %io::Error::last_os_error(),
            "guest threads keep the normal priority"
        );
    }
}

/// Does nothing on this system.
#[cfg(not(target_os = "linux"))]
pub fn lower_priority(_niceness: u8) {}

/// Makes the calling thread one that any other takes the processor from at once, when it wakes. A lower priority alone lets
/// who wakes wait for the end of a time slice, which is milliseconds (sched(7), `SCHED_IDLE`).
#[cfg(target_os = "linux")]
fn take_what_is_left() {
    let parameter = libc::sched_param { sched_priority: 0 };
    // SAFETY: `sched_setscheduler` with 0 acts on the calling thread only and reads the parameter.
    let result = unsafe { libc::sched_setscheduler(0, libc::SCHED_IDLE, &raw const parameter) };
    if result != 0 {
        tracing::warn!(
            error = %io::Error::last_os_error(),
            "guests that compute much cannot be made to give way at once; they get the lowest priority"
        );
        lower_priority(LOWEST);
    }
}

#[cfg(not(target_os = "linux"))]
fn take_what_is_left() {}
