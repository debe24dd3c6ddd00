//! Who uses the guest threads, and whether it has used more than its part.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::memory::Memory;

/// Part of one processor that a tenant's guests may use before they have to stand back for those of others.
/// Hundredths; a step takes far less than a millisecond, so this is hundreds of steps a second.
const ALLOWED_PERCENT: u64 = 20;

/// What a tenant may use at once beyond that part: a burst of calls, or a plugin that computes for once.
const BURST: Duration = Duration::from_millis(30);

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
    /// Processor time used beyond the part allowed. Nanoseconds, as of `at`.
    debt: AtomicU64,
    /// Nanoseconds since the threads began.
    at: AtomicU64,
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
            debt: AtomicU64::new(0),
            at: AtomicU64::new(0),
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

    /// Sets how much linear memory its instances may hold together, with what its steps were told, in bytes; without a limit
    /// before it is set.
    pub fn set_memory_most(&self, bytes: u64) {
        self.0.memory.set_most(bytes);
    }

    /// Linear memory that its instances hold together, with what its steps were told, in bytes.
    pub fn memory_held(&self) -> u64 {
        self.0.memory.held()
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

    /// Writes down processor time; times are nanoseconds since the threads began. Two threads that charge at once may
    /// forget a little of what is paid off between them: this is a measure of manners, not a bill.
    pub(crate) fn charge(&self, now: u64, spent: u64) {
        self.0.used.fetch_add(spent, Ordering::Relaxed);
        let debt = self.debt(now).saturating_add(spent);
        self.0.debt.store(debt, Ordering::Relaxed);
        self.0.at.store(now, Ordering::Relaxed);
    }

    /// Whether it has used more than its part, while there are others.
    pub(crate) fn in_debt(&self, now: u64) -> bool {
        !self.is_alone() && u128::from(self.debt(now)) > BURST.as_nanos()
    }

    fn debt(&self, now: u64) -> u64 {
        let passed = now.saturating_sub(self.0.at.load(Ordering::Relaxed));
        let paid = passed / 100 * ALLOWED_PERCENT;
        self.0.debt.load(Ordering::Relaxed).saturating_sub(paid)
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
}
