//! What a step used.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::thread::LocalKey;
use std::time::Duration;

use tokio::time::Instant;
use wasmtime::{ResourceLimiter, UpdateDeadline};

use crate::calls::HostCalls;
use crate::error::StepError;
use crate::limits::{Limits, MEMORY_MOST};
use crate::link::ended;
use crate::memory::Holding;
use crate::pauses::Pauses;
use crate::value::Measure;
use crate::wasi::Wasi;

/// What one step used, for the bill and for its author.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Meters {
    /// Active time on a processor: instantiation, guest code, the host calls' own work, and checking input and outcome. Exact to
    /// what the process is kept from running in pieces shorter than a millisecond.
    pub cpu: Duration,
    /// From the moment an instance was free to the end, waiting for the contact included.
    pub wall: Duration,
    /// The part of `wall` outside the calls that wait for the contact, a person or a clock.
    pub busy: Duration,
    /// The part of `wall` until the instance was ready.
    pub instantiate: Duration,
    /// Most linear memory, the sum over all memories. Bytes.
    pub peak_memory_bytes: usize,
    /// Host calls made.
    pub host_calls: u32,
    /// Arguments and results that passed through host calls. Bytes, approximately.
    pub journal_bytes: usize,
}

/// What the store of a running step holds: who answers its calls, and what it used so far.
pub(crate) struct StepState {
    pub(crate) calls: Box<dyn HostCalls>,
    pub(crate) limits: Limits,
    pub(crate) cpu: Arc<CpuClock>,
    pub(crate) busy: BusyClock,
    pub(crate) measure: Measure,
    pub(crate) host_calls: u32,
    pub(crate) wasi: Wasi,
    holding: Holding,
    peak_memory_bytes: usize,
    instantiate: Duration,
    memory_bytes: usize,
    table_elements: usize,
}

impl StepState {
    pub(crate) fn new(
        calls: Box<dyn HostCalls>,
        limits: Limits,
        cpu: Arc<CpuClock>,
        since: Instant,
        wasi: Wasi,
        holding: Holding,
    ) -> Self {
        let pauses = calls.pauses();
        Self {
            busy: BusyClock {
                since,
                waited: Duration::ZERO,
                paused_before: pauses.as_ref().map_or(Duration::ZERO, Pauses::total),
                pauses,
                limit: limits.busy(),
            },
            calls,
            cpu,
            measure: Measure {
                string_bytes: limits.string_bytes,
                list_bytes: limits.list_bytes,
                seen: 0,
            },
            limits,
            host_calls: 0,
            wasi,
            holding,
            peak_memory_bytes: 0,
            instantiate: Duration::ZERO,
            memory_bytes: 0,
            table_elements: 0,
        }
    }

    /// Notes that the instance is ready.
    pub(crate) fn instantiated(&mut self) {
        self.instantiate = self.busy.spent();
    }

    /// Fills in what the step used, except its processor time.
    pub(crate) fn read(&self, meters: &mut Meters) {
        meters.wall = self.busy.since.elapsed();
        meters.busy = self.busy.spent_of(meters.wall);
        meters.instantiate = self.instantiate;
        meters.peak_memory_bytes = self.peak_memory_bytes;
        meters.host_calls = self.host_calls;
        meters.journal_bytes = self.measure.seen;
    }

    /// What the engine does at every tick while the guest runs: go on, after giving way to others, or end.
    pub(crate) fn tick(&self) -> Result<UpdateDeadline, wasmtime::Error> {
        if self.cpu.charge() > self.limits.cpu() {
            return Err(ended(StepError::CpuLimit {
                limit: self.limits.cpu(),
            }));
        }
        if self.busy.left().is_zero() {
            return Err(ended(self.busy.over()));
        }
        Ok(UpdateDeadline::Yield(1))
    }

    /// Counts a host call, and ends the step when it makes too many.
    pub(crate) fn count_call(&mut self) -> Result<(), wasmtime::Error> {
        let most = self.limits.host_calls;
        self.host_calls = self.host_calls.saturating_add(1);
        if self.host_calls > most {
            return Err(ended(StepError::HostCallLimit { most }));
        }
        Ok(())
    }

    /// Ends the step when too much has passed through its host calls.
    pub(crate) fn check_journal(&self) -> Result<(), wasmtime::Error> {
        let most = self.limits.journal_bytes;
        if self.measure.seen > most {
            return Err(ended(StepError::JournalLimit { most }));
        }
        Ok(())
    }
}

impl ResourceLimiter for StepState {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, wasmtime::Error> {
        let most = self.limits.memory_bytes.min(MEMORY_MOST);
        if maximum.is_some_and(|maximum| maximum < most && desired > maximum) {
            // The module's own bound: growing fails, and the guest may handle that.
            return Ok(false);
        }
        let wanted = self
            .memory_bytes
            .saturating_sub(current)
            .saturating_add(desired);
        if wanted > most {
            return Err(ended(StepError::MemoryLimit {
                wanted,
                most,
                unit: "bytes of memory",
            }));
        }
        // It never shrinks.
        let more = desired.saturating_sub(current);
        self.holding.grow(more).map_err(ended)?;
        self.memory_bytes = wanted;
        self.peak_memory_bytes = self.peak_memory_bytes.max(wanted);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool, wasmtime::Error> {
        let most = self.limits.table_elements;
        if maximum.is_some_and(|maximum| maximum < most && desired > maximum) {
            return Ok(false);
        }
        let wanted = self
            .table_elements
            .saturating_sub(current)
            .saturating_add(desired);
        if wanted > most {
            return Err(ended(StepError::MemoryLimit {
                wanted,
                most,
                unit: "table elements",
            }));
        }
        self.table_elements = wanted;
        Ok(true)
    }
}

/// A step that stood still has its time looked at again no earlier: with little left it would be looked at all the while.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// The time a step takes outside the calls that wait.
#[derive(Debug)]
pub(crate) struct BusyClock {
    since: Instant,
    /// Time spent in calls that wait, without pauses.
    waited: Duration,
    /// When the step stood still.
    pauses: Option<Pauses>,
    /// For how long before it began.
    paused_before: Duration,
    limit: Duration,
}

impl BusyClock {
    /// Busy time so far.
    pub(crate) fn spent(&self) -> Duration {
        self.spent_of(self.since.elapsed())
    }

    /// The busy part of so much time.
    fn spent_of(&self, elapsed: Duration) -> Duration {
        elapsed.saturating_sub(self.waited + self.paused())
    }

    /// For how long the step has stood still.
    fn paused(&self) -> Duration {
        let total = self.pauses.as_ref().map_or(Duration::ZERO, Pauses::total);
        total.saturating_sub(self.paused_before)
    }

    /// A call begins that waits; [`Self::waited`] takes what this gives when it is answered.
    pub(crate) fn waits(&self) -> (Instant, Duration) {
        (Instant::now(), self.paused())
    }

    /// A call is answered that waited.
    pub(crate) fn waited(&mut self, (since, paused): (Instant, Duration)) {
        let paused = self.paused().saturating_sub(paused);
        self.waited += since.elapsed().saturating_sub(paused);
    }

    /// When to look next whether there is busy time left.
    pub(crate) fn look_after(&self) -> Duration {
        match self.pauses.is_some() {
            true => self.left().max(LOOK_AGAIN),
            false => self.left(),
        }
    }

    /// Busy time until the limit.
    pub(crate) fn left(&self) -> Duration {
        self.limit.saturating_sub(self.spent())
    }

    /// What the step ends with when there is none left.
    pub(crate) fn over(&self) -> StepError {
        StepError::Timeout { limit: self.limit }
    }
}

/// Processor time of one step: the sum of its polls.
///
/// Asking the kernel for a thread's processor time costs as much as the rest of a host call, so a
/// poll shorter than [`SHORT_POLL`] is charged by the wall clock, which cannot be far off; a longer one,
/// during which the thread may have lost the processor, by the smaller of the two.
#[derive(Debug)]
pub(crate) struct CpuClock {
    /// Nanoseconds charged so far. Only the task of the step writes it, so a plain store will do.
    charged: AtomicU64,
    /// Since when nothing is charged, by [`monotonic_nanos`]. Written by the same.
    segment: AtomicU64,
}

/// Longest poll that is charged by the wall clock alone.
pub(crate) const SHORT_POLL: Duration = Duration::from_millis(1);

thread_local! {
    /// What the thread's own clock said when it was last asked for a step. Nanoseconds.
    static ANCHOR: Cell<u64> = const { Cell::new(0) };
}

impl CpuClock {
    pub(crate) fn new() -> Self {
        Self {
            charged: AtomicU64::new(0),
            segment: AtomicU64::new(0),
        }
    }

    /// Charges what passed since the last call of this or of `resume`, and gives the sum.
    pub(crate) fn charge(&self) -> Duration {
        let now = monotonic_nanos();
        let wall = now.saturating_sub(self.segment.load(Ordering::Relaxed));
        self.segment.store(now, Ordering::Relaxed);
        let sum = self.charged.load(Ordering::Relaxed) + on_processor(wall, &ANCHOR);
        self.charged.store(sum, Ordering::Relaxed);
        Duration::from_nanos(sum)
    }

    /// Does something that takes no break, and charges it.
    pub(crate) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        self.resume();
        let result = work();
        self.charge();
        result
    }

    /// Processor time until the limit, of what was charged so far.
    pub(crate) fn left(&self, limits: &Limits) -> Duration {
        limits.cpu().saturating_sub(self.charged())
    }

    /// Starts to charge.
    fn resume(&self) {
        self.segment.store(monotonic_nanos(), Ordering::Relaxed);
    }

    /// Processor time charged so far.
    pub(crate) fn charged(&self) -> Duration {
        Duration::from_nanos(self.charged.load(Ordering::Relaxed))
    }
}

/// A future whose polls are charged to a [`CpuClock`].
pub(crate) struct Metered<'a, F> {
    pub(crate) clock: &'a CpuClock,
    pub(crate) future: Pin<&'a mut F>,
}

impl<F: Future> Future for Metered<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.clock.resume();
        let result = self.future.as_mut().poll(cx);
        self.clock.charge();
        result
    }
}

/// What a piece of work takes of the processor that takes no break on its thread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SpentOnThread(u64);

thread_local! {
    /// The same for what steps are a part of: within such a piece a step asks too.
    static LONG: Cell<u64> = const { Cell::new(0) };
}

impl SpentOnThread {
    pub(crate) fn begin() -> Self {
        Self(monotonic_nanos())
    }

    /// What it took, in nanoseconds.
    pub(crate) fn end(self) -> u64 {
        on_processor(monotonic_nanos().saturating_sub(self.0), &LONG)
    }
}

/// What a piece of work took of the processor that took so long on the wall, both in nanoseconds: the same where that is short.
/// During a long piece the thread may have lost the processor, which the kernel knows. Short ones since the last long one of
/// `asked` are in its answer too, so the smaller of the two is right.
fn on_processor(wall: u64, asked: &'static LocalKey<Cell<u64>>) -> u64 {
    if u128::from(wall) < SHORT_POLL.as_nanos() {
        return wall;
    }
    let thread = thread_cpu_nanos();
    wall.min(thread.saturating_sub(asked.replace(thread)))
}

/// The processor time that the calling thread has used. Nanoseconds.
pub(crate) fn thread_cpu_nanos() -> u64 {
    clock_nanos(libc::CLOCK_THREAD_CPUTIME_ID)
}

/// The system's clock that never goes back. Nanoseconds since it was started. A poll asks twice, and `Instant` takes half as
/// long again.
fn monotonic_nanos() -> u64 {
    clock_nanos(libc::CLOCK_MONOTONIC)
}

fn clock_nanos(clock: libc::clockid_t) -> u64 {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid place for the answer and lives as long as the call.
    let result = unsafe { libc::clock_gettime(clock, &raw mut time) };
    debug_assert_eq!(result, 0, "every thread has these clocks");
    (time.tv_sec as u64) * 1_000_000_000 + time.tv_nsec as u64
}
