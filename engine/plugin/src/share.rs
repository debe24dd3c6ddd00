//! Who uses the guest threads, and whether it has used more than its part.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::memory::{Held, Holding, Memory};
use crate::meter::SpentOnThread;

/// Part of one processor that a tenant's guests may use before they have to stand back for those of others.
/// Hundredths; a step takes far less than a millisecond, so this is hundreds of steps a second.
const ALLOWED_PERCENT: u64 = 20;

/// What a tenant may use at once beyond that part: a burst of calls, or a plugin that computes for once.
const BURST: Duration = Duration::from_millis(30);

/// The same of what the engine does for a tenant's guests, which is more than they do themselves: thousands of calls of theirs
/// answered and journalled in a second.
const ENGINE_ALLOWED_PERCENT: u64 = 50;
const ENGINE_BURST: Duration = Duration::from_millis(100);

/// Whose guests run: a tenant, on the threads and in the pools of instances. A handle; clones are the same one.
///
/// As long as there is one share alone, nobody has to stand back for anybody.
#[derive(Debug, Clone)]
pub struct Share(Arc<State>);

#[derive(Debug)]
struct State {
    id: u64,
    /// How many shares there are.
    all: Arc<AtomicUsize>,
    began: Instant,
    /// What its guests compute.
    guests: Account,
    /// What the engine does for them.
    engine: Account,
    /// All processor time used since it was made. Nanoseconds.
    used: AtomicU64,
    /// Whether its guests run in the background lane.
    background: bool,
    /// Part of a pool's instances that it may hold while there are others. Hundredths.
    instances_percent: AtomicU8,
    /// What its instances hold.
    memory: Memory,
}

impl Share {
    /// A share beside the others that `all` counts.
    pub(crate) fn among(id: u64, all: &Arc<AtomicUsize>) -> Share {
        Share::made(id, all, false)
    }

    /// A share of what is done when nobody else wants the processor; no tenant has to stand back for it.
    pub(crate) fn in_background(id: u64) -> Share {
        Share::made(id, &Arc::default(), true)
    }

    fn made(id: u64, all: &Arc<AtomicUsize>, background: bool) -> Share {
        all.fetch_add(1, Ordering::Relaxed);
        Share(Arc::new(State {
            id,
            all: Arc::clone(all),
            began: Instant::now(),
            guests: Account::new(ALLOWED_PERCENT, BURST),
            engine: Account::new(ENGINE_ALLOWED_PERCENT, ENGINE_BURST),
            used: AtomicU64::new(0),
            background,
            instances_percent: AtomicU8::new(100),
            memory: Memory::default(),
        }))
    }

    /// Processor time that its tasks have used since it was made; a task that runs is counted up to its last pause.
    pub fn used(&self) -> Duration {
        Duration::from_nanos(self.0.used.load(Ordering::Relaxed))
    }

    /// Sets which part of each pool's instances it may hold while there are other shares, in hundredths, 1 to 100;
    /// 100 before it is set.
    pub fn set_instances_percent(&self, percent: u8) {
        let percent = percent.clamp(1, 100);
        self.0.instances_percent.store(percent, Ordering::Relaxed);
    }

    /// Sets how much linear memory its instances may hold together, with what its steps were told and what is counted by
    /// [`Share::hold`], in bytes; without a limit before it is set.
    pub fn set_memory_most(&self, bytes: u64) {
        self.0.memory.set_most(bytes);
    }

    /// Linear memory that its instances hold together, with what its steps were told and what is counted by [`Share::hold`], in
    /// bytes.
    pub fn memory_held(&self) -> u64 {
        self.0.memory.held()
    }

    /// Something of the tenant's that is counted to the memory of its instances; nothing yet.
    pub fn hold(&self) -> Holding {
        Holding::new(self, Held::default())
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.0.memory
    }

    /// Whether there is no other.
    pub fn is_alone(&self) -> bool {
        self.0.all.load(Ordering::Relaxed) <= 1
    }

    /// Most instances that it may hold of a pool of so many; at least one.
    pub(crate) fn instances(&self, of: u32) -> u32 {
        if self.is_alone() {
            return of;
        }
        let percent = u64::from(self.0.instances_percent.load(Ordering::Relaxed));
        // No more than `of`, since it is at most a hundred hundredths.
        ((u64::from(of) * percent / 100) as u32).max(1)
    }

    /// Whether its guests run in the background lane.
    pub(crate) fn is_background(&self) -> bool {
        self.0.background
    }

    /// Tells shares apart.
    pub(crate) fn id(&self) -> u64 {
        self.0.id
    }

    /// Does what a tenant's guests make the engine do, such as answering their calls and journalling them, at that tenant's cost:
    /// who asks much stands back as who computes much does. It is not counted as [`used`](Share::used), which is the guests' own.
    pub async fn charged<F: Future>(&self, work: F) -> F::Output {
        let mut work = pin!(work);
        poll_fn(|cx| {
            let spent = SpentOnThread::begin();
            let polled = work.as_mut().poll(cx);
            self.0.engine.charge(self.now(), spent.end());
            polled
        })
        .await
    }

    /// Nanoseconds since it began.
    pub(crate) fn now(&self) -> u64 {
        self.0.began.elapsed().as_nanos() as u64
    }

    /// Writes down its guests' processor time; times are nanoseconds since it began.
    pub(crate) fn charge(&self, now: u64, spent: u64) {
        self.0.used.fetch_add(spent, Ordering::Relaxed);
        self.0.guests.charge(now, spent);
    }

    /// Whether it has used more than its part, while there are others.
    pub(crate) fn in_debt(&self, now: u64) -> bool {
        let State { guests, engine, .. } = &*self.0;
        !self.is_alone() && (guests.in_debt(now) || engine.in_debt(now))
    }
}

/// Processor time used beyond the part of a processor that is allowed.
#[derive(Debug)]
struct Account {
    allowed_percent: u64,
    /// Nanoseconds.
    burst: u64,
    /// Nanoseconds, as of `at`.
    debt: AtomicU64,
    /// Nanoseconds since the share began.
    at: AtomicU64,
}

impl Account {
    fn new(allowed_percent: u64, burst: Duration) -> Account {
        Account {
            allowed_percent,
            burst: burst.as_nanos() as u64,
            debt: AtomicU64::new(0),
            at: AtomicU64::new(0),
        }
    }

    /// Adds what was used. Two threads that do so at once may forget a little of what is paid off between them: this is a measure
    /// of manners, not a bill.
    fn charge(&self, now: u64, spent: u64) {
        let debt = self.debt(now).saturating_add(spent);
        self.debt.store(debt, Ordering::Relaxed);
        self.at.store(now, Ordering::Relaxed);
    }

    fn in_debt(&self, now: u64) -> bool {
        self.debt(now) > self.burst
    }

    fn debt(&self, now: u64) -> u64 {
        let passed = now.saturating_sub(self.at.load(Ordering::Relaxed));
        let paid = passed / 100 * self.allowed_percent;
        self.debt.load(Ordering::Relaxed).saturating_sub(paid)
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.all.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::thread_cpu_nanos;

    const MS: u64 = 1_000_000;

    #[test]
    fn who_uses_more_than_its_part_is_in_debt_until_time_has_passed() {
        let all = Arc::new(AtomicUsize::new(0));
        let (one, other) = (Share::among(1, &all), Share::among(2, &all));
        // A fifth of the time is nobody's debt.
        for ms in 0..10_000 {
            one.charge(ms * MS, MS / 5);
        }
        assert!(!one.in_debt(10_000 * MS));
        one.charge(10_000 * MS, 40 * MS);
        assert!(one.in_debt(10_000 * MS));
        assert!(!other.in_debt(10_000 * MS));
        assert!(one.in_debt(10_040 * MS));
        assert!(!one.in_debt(10_060 * MS));
        one.charge(10_060 * MS, 500 * MS);
        assert!(one.in_debt(10_060 * MS));
        drop(other);
        assert!(!one.in_debt(10_060 * MS), "alone");
    }

    #[tokio::test]
    async fn what_the_engine_does_for_a_guest_is_owed_by_its_share_and_not_its_guests_own_time() {
        let all = Arc::new(AtomicUsize::new(0));
        let (one, other) = (Share::among(1, &all), Share::among(2, &all));
        one.charged(std::future::ready(())).await;
        assert!(!one.in_debt(one.now()));
        one.charged(async {
            let begun = thread_cpu_nanos();
            while thread_cpu_nanos() - begun < 2 * ENGINE_BURST.as_nanos() as u64 {
                std::hint::spin_loop();
            }
        })
        .await;
        assert!(one.in_debt(one.now()));
        assert_eq!(one.used(), Duration::ZERO);
        assert!(!other.in_debt(other.now()));
    }
}
