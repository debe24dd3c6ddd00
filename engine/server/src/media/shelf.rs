//! What recordings take on the disk: so much of each tenant, and nothing of what stays free for the store.
//!
//! Whoever writes counts what is added. What others remove is not seen, so all is weighed now and then, and when there is no more
//! room.

use std::collections::BTreeMap;
use std::io;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::locked::lock;

/// Default of `limits.recordings_mb`.
pub(crate) const RECORDINGS_MB: u32 = 10_240;
/// What it can be.
pub(crate) const RECORDINGS_MB_RANGE: RangeInclusive<u32> = 1..=1 << 24;

/// What there has to be room for so that a recording begins, in bytes: eight seconds of a whole call. Without it each call of a
/// tenant that has no more room would leave a moment of sound.
const BEGINS: u64 = 256 << 10;

/// Time between two looks at the disk; what is written meanwhile is counted.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Says how many bytes recordings may still take on the disk.
pub(crate) type Left = Box<dyn Fn() -> io::Result<u64> + Send + Sync>;

/// The recordings of all tenants.
pub(crate) struct Shelves {
    disk: Arc<Disk>,
    of: Mutex<BTreeMap<String, Arc<Shelf>>>,
    wanted: Arc<Notify>,
}

/// The recordings of one tenant.
pub struct Shelf {
    tenant: String,
    disk: Arc<Disk>,
    state: Mutex<State>,
    /// It is to be weighed.
    wanted: Arc<Notify>,
}

/// What a shelf has, at least what lies there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Load {
    /// Bytes.
    pub taken: u64,
    /// What they may be.
    pub most: u64,
    /// Recordings that ended early, or did not begin, for want of room, since the start.
    pub cut: u64,
}

struct State {
    load: Load,
    /// That there is no more room was told.
    told: bool,
}

/// The disk that recordings lie on.
struct Disk {
    left: Left,
    every: Duration,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    at: Option<Instant>,
    left: u64,
    /// That there is no more room was told.
    told: bool,
}

/// What one file has of a shelf.
pub(super) struct Held {
    shelf: Arc<Shelf>,
    bytes: u64,
}

impl Shelves {
    /// On a disk of which recordings may take what is left.
    pub fn new(left: Left) -> Shelves {
        Shelves::looking(left, LOOK_EVERY)
    }

    fn looking(left: Left, every: Duration) -> Shelves {
        let disk = Disk {
            left,
            every,
            seen: Mutex::default(),
        };
        Shelves {
            disk: Arc::new(disk),
            of: Mutex::default(),
            wanted: Arc::new(Notify::new()),
        }
    }

    /// A tenant's; with the default limit, unless it was given another.
    pub fn of(&self, tenant: &str) -> Arc<Shelf> {
        let mut of = lock(&self.of);
        if let Some(shelf) = of.get(tenant) {
            return Arc::clone(shelf);
        }
        let most = u64::from(RECORDINGS_MB) << 20;
        let shelf = Arc::new(Shelf::new(tenant, &self.disk, &self.wanted, most));
        of.insert(tenant.to_owned(), Arc::clone(&shelf));
        shelf
    }

    /// What tenants may have from now on, in bytes.
    pub fn bound(&self, most: BTreeMap<String, u64>) {
        for (tenant, most) in most {
            lock(&self.of(&tenant).state).load.most = most;
        }
        self.weigh();
    }

    /// All is to be weighed soon: something was removed.
    pub fn weigh(&self) {
        self.wanted.notify_one();
    }

    /// Waits until all is to be weighed.
    pub async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// What each tenant has.
    pub fn taken(&self) -> BTreeMap<String, u64> {
        let of = lock(&self.of);
        let taken = of.iter();
        taken
            .map(|(tenant, shelf)| (tenant.clone(), shelf.load().taken))
            .collect()
    }

    /// What was found of each, where `before` is what they had when that was begun. Says whether somebody has no room.
    pub fn weighed(&self, before: &BTreeMap<String, u64>, found: &BTreeMap<String, u64>) -> bool {
        for tenant in found.keys() {
            self.of(tenant);
        }
        let shelves: Vec<Arc<Shelf>> = lock(&self.of).values().cloned().collect();
        let mut full = false;
        for shelf in shelves {
            let bytes = |of: &BTreeMap<String, u64>| of.get(&shelf.tenant).copied();
            full |= shelf.weighed(bytes(before), bytes(found));
        }
        full
    }
}

impl Shelf {
    fn new(tenant: &str, disk: &Arc<Disk>, wanted: &Arc<Notify>, most: u64) -> Shelf {
        let load = Load {
            taken: 0,
            most,
            cut: 0,
        };
        Shelf {
            tenant: tenant.to_owned(),
            disk: Arc::clone(disk),
            state: Mutex::new(State { load, told: false }),
            wanted: Arc::clone(wanted),
        }
    }

    /// Nobody's, on a disk without an end: for what is recorded outside of an engine.
    pub fn endless() -> Arc<Shelf> {
        let Shelves { disk, wanted, .. } = Shelves::new(Box::new(|| Ok(u64::MAX)));
        Arc::new(Shelf::new("", &disk, &wanted, u64::MAX))
    }

    /// What it has.
    pub(crate) fn load(&self) -> Load {
        lock(&self.state).load
    }

    /// Why no recording can begin, as far as the tenant's limit says; the disk is asked when it is written to.
    pub(crate) fn refusal(&self) -> Option<String> {
        let mut state = lock(&self.state);
        let why = self.beyond(state.load, BEGINS)?;
        self.refuse(&mut state, &why);
        Some(why)
    }

    fn beyond(&self, load: Load, bytes: u64) -> Option<String> {
        let Load { taken, most, .. } = load;
        (taken.saturating_add(bytes) > most).then(|| {
            format!(
                "the recordings of tenant {} take {} MiB, and may take {} (limits.recordings_mb): remove old ones by \
                 [retention.recordings], or raise the limit",
                self.tenant,
                taken >> 20,
                most >> 20
            )
        })
    }

    /// Takes so many bytes, if there are so many and `spare`.
    fn take(&self, bytes: u64, spare: u64) -> io::Result<()> {
        let mut state = lock(&self.state);
        let full = |why| io::Error::new(io::ErrorKind::StorageFull, why);
        if let Some(why) = self.beyond(state.load, bytes.max(spare)) {
            self.refuse(&mut state, &why);
            return Err(full(why));
        }
        if let Err(error) = self.disk.take(bytes, spare) {
            state.load.cut += 1;
            return Err(error);
        }
        state.load.taken += bytes;
        Ok(())
    }

    fn refuse(&self, state: &mut State, why: &str) {
        state.load.cut += 1;
        if !std::mem::replace(&mut state.told, true) {
            tracing::error!(tenant = %self.tenant, "no more is recorded: {why}");
            self.wanted.notify_one();
        }
    }

    fn give_back(&self, bytes: u64) {
        let load = &mut lock(&self.state).load;
        load.taken = load.taken.saturating_sub(bytes);
    }

    fn weighed(&self, before: Option<u64>, found: Option<u64>) -> bool {
        let mut state = lock(&self.state);
        let since = state.load.taken.saturating_sub(before.unwrap_or_default());
        state.load.taken = found.unwrap_or_default() + since;
        let full = self.beyond(state.load, BEGINS).is_some();
        if state.told && !full {
            state.told = false;
            tracing::info!(tenant = %self.tenant, "is recorded again: there is room for its recordings");
        }
        full
    }
}

impl Disk {
    fn take(&self, bytes: u64, spare: u64) -> io::Result<()> {
        let mut seen = lock(&self.seen);
        if seen.at.is_none_or(|at| at.elapsed() >= self.every) {
            seen.left = (self.left)()?;
            seen.at = Some(Instant::now());
        }
        if seen.left < bytes.max(spare) {
            let why = "the disk that recordings lie on is nearly full, and what is left of it stays for calls, chats and pushes: make room \
                       on it, or remove old recordings by [retention.recordings]";
            if !std::mem::replace(&mut seen.told, true) {
                tracing::error!("no more is recorded: {why}");
            }
            return Err(io::Error::new(io::ErrorKind::StorageFull, why));
        }
        if seen.told && spare > 0 {
            seen.told = false;
            tracing::info!("recordings begin again: there is room on their disk");
        }
        seen.left -= bytes;
        Ok(())
    }
}

impl Held {
    /// Nothing yet.
    pub fn new(shelf: Arc<Shelf>) -> Held {
        Held { shelf, bytes: 0 }
    }

    /// Takes the first bytes, if there is room for some seconds beside them.
    pub fn begin(&mut self, bytes: u64) -> io::Result<()> {
        self.shelf.take(bytes, BEGINS)?;
        self.bytes += bytes;
        Ok(())
    }

    /// Takes more.
    pub fn take(&mut self, bytes: u64) -> io::Result<()> {
        self.shelf.take(bytes, 0)?;
        self.bytes += bytes;
        Ok(())
    }

    /// Gives back what is more than so many.
    pub fn keep(&mut self, bytes: u64) {
        let spare = self.bytes.saturating_sub(bytes);
        self.bytes -= spare;
        self.shelf.give_back(spare);
    }
}

impl std::fmt::Debug for Shelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shelf")
            .field("tenant", &self.tenant)
            .field("load", &self.load())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::ErrorKind;
    use std::time::Duration;

    use super::{BEGINS, Held, Load, Shelves};

    const MIB: u64 = 1 << 20;

    fn shelves(left: u64, most: u64) -> Shelves {
        // Once: what is taken counts, however long it takes.
        let shelves = Shelves::looking(Box::new(move || Ok(left)), Duration::MAX);
        shelves.bound(BTreeMap::from([("vega".to_owned(), most)]));
        shelves
    }

    fn of(bytes: u64) -> BTreeMap<String, u64> {
        BTreeMap::from([("vega".to_owned(), bytes)])
    }

    #[test]
    fn a_tenant_has_so_much_and_its_neighbour_is_left_alone() {
        let shelves = shelves(u64::MAX, MIB);
        let vega = shelves.of("vega");
        let mut one = Held::new(vega.clone());
        one.begin(44).expect("room");
        one.take(MIB - 44).expect("room");
        let refused = one.take(1).expect_err("it is full");
        assert_eq!(refused.kind(), ErrorKind::StorageFull);
        assert!(
            refused.to_string().contains("limits.recordings_mb"),
            "{refused}"
        );
        assert!(vega.refusal().is_some());
        Held::new(shelves.of("lyra")).begin(44).expect("room");
        // A shorter file has given back the rest.
        one.keep(MIB - BEGINS);
        assert_eq!(vega.refusal(), None);
        let mut two = Held::new(vega.clone());
        two.begin(44).expect("room for some seconds");
        two.take(BEGINS).expect_err("and no more");
        let load = Load {
            taken: MIB - BEGINS + 44,
            most: MIB,
            cut: 3,
        };
        assert_eq!(vega.load(), load);
    }

    #[test]
    fn what_is_left_of_the_disk_stays_for_others() {
        let shelves = shelves(BEGINS + 50, u64::MAX);
        let mut one = Held::new(shelves.of("vega"));
        one.begin(44).expect("room");
        let mut two = Held::new(shelves.of("lyra"));
        two.begin(44).expect("room");
        let refused = Held::new(shelves.of("lyra")).begin(44);
        let refused = refused.expect_err("no room for some seconds");
        assert_eq!(refused.kind(), ErrorKind::StorageFull);
        one.take(BEGINS - 38).expect("what is there");
        two.take(1).expect_err("no more");
        assert_eq!(shelves.of("lyra").load().cut, 2);
    }

    #[test]
    fn what_was_removed_makes_room_once_it_is_weighed() {
        let shelves = shelves(u64::MAX, MIB);
        let vega = shelves.of("vega");
        let mut one = Held::new(vega.clone());
        one.begin(MIB - BEGINS).expect("room");
        assert!(!shelves.weighed(&shelves.taken(), &of(MIB - BEGINS)));
        one.take(BEGINS).expect("room");
        let before = shelves.taken();
        assert_eq!(before, of(MIB));
        assert!(shelves.weighed(&before, &of(MIB)), "it is full");
        assert!(vega.refusal().is_some());
        // What came meanwhile counts.
        shelves.bound(of(2 * MIB));
        one.take(7).expect("room");
        assert!(!shelves.weighed(&before, &of(100)));
        assert_eq!(vega.load().taken, 107);
        // And who has nothing there has nothing.
        shelves.weighed(&shelves.taken(), &BTreeMap::new());
        assert_eq!(vega.load().taken, 0);
    }
}
