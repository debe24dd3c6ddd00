//! The threads on which guests run, apart from signalling and media.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::{JoinError, JoinHandle};

/// A runtime of its own for guest code, so that a guest that computes to its limit delays no packet.
///
/// A step that is only suspended occupies no thread. Dropping the runtime cancels what still runs.
#[derive(Debug)]
pub struct GuestRuntime {
    runtime: Option<Runtime>,
    handle: Handle,
    threads: usize,
}

impl GuestRuntime {
    /// Starts `threads` threads (at least one). `niceness` from 0 to 19 lowers their priority against
    /// the process's other threads, where the system knows priorities of threads (Linux).
    pub fn new(threads: usize, niceness: u8) -> io::Result<Self> {
        let threads = threads.max(1);
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("guest")
            .enable_time()
            .on_thread_start(move || lower_priority(niceness))
            .build()?;
        Ok(Self {
            handle: runtime.handle().clone(),
            runtime: Some(runtime),
            threads,
        })
    }

    /// How many threads poll guests.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// The handle of the runtime, for tasks that shall live beside the guests.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Runs a future on the guest threads. Dropping the returned future cancels it there.
    pub fn run<F>(
        &self,
        future: F,
    ) -> impl Future<Output = Result<F::Output, JoinError>> + Send + use<F>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        AbortOnDrop(self.handle.spawn(future))
    }

    /// Runs a blocking piece of work, such as compiling, on a thread of the runtime's blocking pool.
    pub(crate) fn run_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        self.handle.spawn_blocking(work)
    }
}

/// Gives the compiler's threads the guests' number and priority: a large upload must not take the
/// processor from media either.
///
/// They belong to the process; whoever set them up before keeps them as they are.
pub(crate) fn share_with_compiler(threads: usize, niceness: u8) {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .thread_name(|index| format!("compile-{index}"))
        .start_handler(move |_| lower_priority(niceness));
    if let Err(error) = pool.build_global() {
        tracing::debug!(%error, "the compiler's threads were set up before");
    }
}

impl Drop for GuestRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Dropping a runtime waits for its threads, which an async caller must not do.
            runtime.shutdown_background();
        }
    }
}

/// A task that ends when nobody waits for it any more.
struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Future for AbortOnDrop<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(target_os = "linux")]
fn lower_priority(niceness: u8) {
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

#[cfg(not(target_os = "linux"))]
fn lower_priority(_niceness: u8) {}
