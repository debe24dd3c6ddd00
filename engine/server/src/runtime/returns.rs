//! Calls whose line dropped: their callers may come back, for a time, and go on where they broke.
//!
//! Such a call is not in memory: its journal is all there is of it, as of a sleeping chat, and so it outlives the process.
//! One is kept for a caller and a number; a caller is told by nothing but the number they call from.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use strowger_contact::recorded::beginning;
use strowger_contact::{Ending, Entry, EntryKind, Input, Millis};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::alarms::{Alarms, ring, take_due};
use super::driver::{Driver, Pace};
use super::engine::Engine;
use super::line::Nobody;
use super::node::Node;
use crate::centre::{Bound, Centre};
use crate::clock::CLOCKS_DIFFER;
use crate::replay::{Rebuilt, rebuild};
use crate::store::{Journal, OpenDrop, Record, StoreError};
use crate::turns::Turns;

/// Calls whose callers may come back, at once; one more gives up the one that has the least time left of the tenant that has the most.
const OPEN: usize = 10_000;
/// Calls that are given up at once, and those of one tenant: each reads its journal.
const GIVING_UP: usize = 16;
const GIVING_UP_OF_TENANT: usize = GIVING_UP / 2;
/// How long the end of the program waits for those that are being given up.
const CLOSING: Duration = Duration::from_secs(5);
/// What stands for a number that is withheld (RFC 3323 §4.1.1.3, and what gateways write).
const WITHHELD: [&str; 8] = [
    "anonymous",
    "unavailable",
    "unknown",
    "restricted",
    "private",
    "withheld",
    "invalid",
    "none",
];

/// Whose call it is: a tenant, a route's number, and who calls.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Caller {
    tenant: String,
    binding: String,
    from: String,
}

impl Caller {
    /// None for one who does not say who they are: two such are not the same.
    pub fn known(tenant: &str, binding: &str, from: &str) -> Option<Caller> {
        let known = from.chars().any(char::is_alphanumeric)
            && !WITHHELD.iter().any(|word| from.eq_ignore_ascii_case(word));
        known.then(|| Caller {
            tenant: tenant.to_owned(),
            binding: binding.to_owned(),
            from: from.to_owned(),
        })
    }
}

/// A call whose line dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken {
    /// Its contact.
    pub id: String,
    /// Until then it may go on, in milliseconds since 1970, by the contact's own clock.
    pub until: Millis,
    /// By how much that is ahead of the machine's, which went back while no engine ran. Milliseconds.
    pub ahead: Millis,
}

impl Broken {
    /// A call that waited when the engine last ended, as its journal leaves it: its time goes on from there, so that nobody has
    /// longer to come back than was left then.
    fn left(id: String, until: Millis, journal_ends: Millis, now: Millis) -> Broken {
        Broken {
            id,
            until,
            ahead: journal_ends.saturating_sub(now),
        }
    }

    /// When it is to be given up, by the machine's clock.
    fn due(&self) -> Millis {
        self.until.saturating_sub(self.ahead)
    }
}

/// A broken call that was built again.
pub(crate) struct Again {
    pub engine: Arc<Engine>,
    pub rebuilt: Rebuilt,
    pub entries: Vec<Entry>,
}

/// All calls whose callers may come back.
pub struct Returns {
    centre: Arc<Centre>,
    node: Arc<Node>,
    open: Mutex<Open>,
    changed: Notify,
    giving_up: Turns,
    stop: CancellationToken,
    tasks: TaskTracker,
    declined: AtomicU64,
    given_up: AtomicU64,
    interrupted: AtomicU64,
}

#[derive(Default)]
struct Open {
    broken: HashMap<Caller, Broken>,
    /// How many of them each tenant has.
    of: HashMap<String, usize>,
    /// When each is to be given up.
    alarms: Alarms<Caller>,
    /// The newest call of each caller that is up.
    calls: HashMap<Caller, u64>,
    newest: u64,
}

/// A call of a caller who may come back, as long as it is up.
pub(crate) struct Turn {
    returns: Arc<Returns>,
    caller: Caller,
    number: u64,
}

/// Why a broken call is not built again.
enum NotBuilt {
    /// A newer program wrote its journal, and goes on with it: it is left as it is.
    Newer(String),
    /// It ends.
    Broken(String),
}

impl From<String> for NotBuilt {
    fn from(why: String) -> NotBuilt {
        NotBuilt::Broken(why)
    }
}

impl Open {
    /// Lets a call wait for its caller; an earlier one of theirs waits no more.
    fn insert(&mut self, caller: Caller, broken: Broken) -> Option<(Caller, Broken)> {
        let earlier = self.remove(&caller);
        self.alarms.insert((broken.due(), caller.clone()));
        *self.of.entry(caller.tenant.clone()).or_default() += 1;
        self.broken.insert(caller.clone(), broken);
        Some((caller, earlier?))
    }

    /// Lets a caller's call wait no more.
    fn remove(&mut self, caller: &Caller) -> Option<Broken> {
        let broken = self.broken.remove(caller)?;
        self.alarms.remove(&(broken.due(), caller.clone()));
        if let Some(own) = self.of.get_mut(&caller.tenant) {
            *own -= 1;
            if *own == 0 {
                self.of.remove(&caller.tenant);
            }
        }
        Some(broken)
    }

    /// Takes out the call that has the least time left of the tenant that has the most: what one has many of is nobody else's loss.
    fn crowded_out(&mut self) -> Option<(Caller, Broken)> {
        let (tenant, _) = self.of.iter().max_by_key(|(_, own)| **own)?;
        let mut alarms = self.alarms.iter().map(|(_, caller)| caller);
        let caller = alarms.find(|caller| caller.tenant == *tenant)?.clone();
        let broken = self.remove(&caller)?;
        Some((caller, broken))
    }
}

impl Returns {
    /// None yet; see [`Returns::resume`]. `stop` ends what is under way.
    pub fn new(centre: Arc<Centre>, stop: CancellationToken) -> Arc<Returns> {
        let returns = Arc::new(Returns {
            node: centre.node.clone(),
            centre,
            open: Mutex::default(),
            changed: Notify::new(),
            giving_up: Turns::new(GIVING_UP, GIVING_UP_OF_TENANT),
            stop,
            tasks: TaskTracker::new(),
            declined: AtomicU64::new(0),
            given_up: AtomicU64::new(0),
            interrupted: AtomicU64::new(0),
        });
        tokio::spawn(returns.clone().keep_alarms());
        returns
    }

    /// Takes up the calls that were waiting for their callers when the engine last ended; how many.
    pub async fn resume(self: &Arc<Self>) -> Result<usize, StoreError> {
        let Some(store) = &self.node.store else {
            return Ok(0);
        };
        let open = store.open_drops().await?;
        let count = open.len();
        let (mut behind, mut most) = (0, 0);
        for drop in open {
            let OpenDrop {
                id,
                tenant,
                caller,
                binding,
                until_at,
            } = drop;
            let caller = Caller {
                tenant,
                binding,
                from: caller,
            };
            let until = u64::try_from(until_at).unwrap_or_default();
            let journal_ends = store.journal_ends(&id).await?;
            let broken = Broken::left(id, until, journal_ends, self.node.clock.now());
            if broken.ahead > CLOCKS_DIFFER {
                behind += 1;
                most = most.max(broken.ahead);
            }
            self.wait(caller, broken);
        }
        if behind > 0 {
            tracing::warn!(
                calls = behind,
                "the clock of this machine went back: journals of calls that wait for their callers end up to {} s from now, and the calls go on from there",
                most / 1_000
            );
        }
        Ok(count)
    }

    /// A caller's call begins.
    pub(crate) fn begin(self: &Arc<Self>, caller: Caller) -> Turn {
        let mut open = self.open();
        open.newest += 1;
        let number = open.newest;
        open.calls.insert(caller.clone(), number);
        drop(open);
        Turn {
            returns: self.clone(),
            caller,
            number,
        }
    }

    /// Lets a broken call wait for its caller, instead of an earlier one of theirs.
    fn wait(self: &Arc<Self>, caller: Caller, broken: Broken) {
        let mut open = self.open();
        let earlier = open.insert(caller, broken);
        let crowded_out = (open.broken.len() > OPEN).then(|| open.crowded_out());
        let crowded_out = crowded_out.flatten();
        if let Some((caller, broken)) = &crowded_out {
            tracing::warn!(
                contact = %broken.id, tenant = %caller.tenant,
                "a caller has less time to come back: {OPEN} calls wait for theirs, and of no tenant more than of this one"
            );
        }
        let out = earlier.into_iter().chain(crowded_out);
        drop(open);
        self.changed.notify_one();
        for (caller, broken) in out {
            self.give_up(caller, broken);
        }
    }

    /// Takes what a caller may go on with.
    fn take(&self, caller: &Caller) -> Option<Broken> {
        let now = self.node.clock.now();
        let mut open = self.open();
        // Whoever is late finds the alarm at work.
        if open.broken.get(caller)?.due() <= now {
            return None;
        }
        open.remove(caller)
    }

    /// Builds a broken call again. One that cannot be ends; that is counted and logged.
    pub(crate) async fn again(&self, tenant: &str, broken: &Broken) -> Option<Again> {
        let why = match self.rebuilt(tenant, broken).await {
            Ok(again) => return Some(again),
            Err(NotBuilt::Newer(why)) => {
                tracing::error!(contact = %broken.id, "a call that dropped is left as it is: {why}");
                return None;
            }
            Err(NotBuilt::Broken(why)) => why,
        };
        self.interrupted.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(contact = %broken.id, "a call that dropped cannot go on: {why}");
        if let Err(error) = self.end(broken, why).await {
            // The next start finds it, and ends it.
            tracing::error!(contact = %broken.id, "and cannot be ended: {error}");
        }
        None
    }

    async fn rebuilt(&self, tenant: &str, broken: &Broken) -> Result<Again, NotBuilt> {
        let entries = self.journal(&broken.id).await?.entries;
        let begun = beginning(&entries).map_err(|error| error.to_string())?;
        let engine = self.centre.engine_of(tenant, &begun, Bound::Free).await?;
        let rebuilt = rebuild(engine.program.clone(), &entries).await?;
        Ok(Again {
            engine,
            rebuilt,
            entries,
        })
    }

    async fn journal(&self, id: &str) -> Result<Journal, NotBuilt> {
        let store = self.node.store.as_ref();
        let store = store.ok_or_else(|| "the engine has no store".to_owned())?;
        // What was written last may still be on its way.
        self.node.durable().await?;
        let journal = store.journal(id).await.map_err(|error| error.to_string())?;
        if let Some(why) = journal.newer() {
            return Err(NotBuilt::Newer(why));
        }
        if let Some(torn) = &journal.torn {
            let why = format!("its journal is broken at entry {}: {}", torn.seq, torn.why);
            return Err(NotBuilt::Broken(why));
        }
        Ok(journal)
    }

    /// Ends a call that cannot be built again, as it would have ended: its caller is gone.
    async fn end(&self, broken: &Broken, why: String) -> Result<(), StoreError> {
        let (Some(store), Some(writer)) = (&self.node.store, &self.node.writer) else {
            return Ok(());
        };
        let at = self.node.clock.now() + broken.ahead;
        let id = &broken.id;
        let entries = store.journal(id).await?.entries;
        let vanished = entries
            .iter()
            .rev()
            .find_map(|entry| match entry.kind {
                EntryKind::Dropped { vanished } => Some(vanished),
                _ => None,
            })
            .unwrap_or_default();
        let reason = if vanished { "vanished" } else { "abandoned" };
        let over = |entry: &Entry| matches!(entry.kind, EntryKind::Ended(_));
        if let Some(last) = entries.last().filter(|last| !over(last)) {
            let ending = Ending {
                reason: reason.to_owned(),
                by_caller: !vanished,
                error: Some(why),
            };
            let entry = Entry {
                seq: last.seq + 1,
                at,
                kind: EntryKind::Ended(ending),
            };
            writer.write(Record::Entries(id.clone(), vec![entry])).await;
            self.node.durable().await.map_err(StoreError::Gone)?;
        }
        if let Some(ended) = store.end_of(id, reason, at).await? {
            writer.write(ended).await;
        }
        writer.write(Record::NotDropped { id: id.clone() }).await;
        Ok(())
    }

    /// Nobody came, or somebody began anew: the flow goes on without its caller.
    fn give_up(self: &Arc<Self>, caller: Caller, broken: Broken) {
        let returns = self.clone();
        self.tasks.spawn(async move {
            let turn = returns.giving_up.take(&caller.tenant).await;
            if returns.stop.is_cancelled() {
                return;
            }
            let Some(again) = returns.again(&caller.tenant, &broken).await else {
                return;
            };
            drop(turn);
            returns.given_up.fetch_add(1, Ordering::Relaxed);
            // The flow of who was let in goes on to its end, however many there are.
            let tenant = returns.centre.tenant(&caller.tenant);
            let _seat = tenant.and_then(|tenant| tenant.seat());
            let Again {
                engine,
                rebuilt,
                entries,
            } = again;
            let stop = returns.stop.clone();
            Driver::again(engine, rebuilt, &entries, Nobody, stop, Pace::Real)
                .first([Input::Dropped { vanished: false }, Input::GivenUp])
                .was_dropped(broken.until)
                .ahead(broken.ahead)
                .run()
                .await;
        });
    }

    /// Lets what is left of a contact whose caller began anew come to its end.
    pub(crate) fn declined(&self, rest: Driver<Nobody>) {
        self.declined.fetch_add(1, Ordering::Relaxed);
        self.tasks.spawn(async move {
            rest.run().await;
        });
    }

    /// Since the start: callers who began anew, who did not come back; calls that could not be built again.
    pub fn counts(&self) -> [u64; 3] {
        [&self.declined, &self.given_up, &self.interrupted]
            .map(|count| count.load(Ordering::Relaxed))
    }

    /// Calls whose callers may come back now.
    pub fn waiting(&self) -> usize {
        self.open().broken.len()
    }

    /// Waits for what is under way. What still waits for its caller does so in the next engine.
    pub async fn close(&self) {
        self.tasks.close();
        if tokio::time::timeout(CLOSING, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                "calls whose callers did not come back were still busy when the engine stopped"
            );
        }
    }

    async fn keep_alarms(self: Arc<Self>) {
        let next = || self.open().alarms.first().map(|(at, _)| *at);
        while let Some(now) = ring(&self.node.clock, next, &self.changed, &self.stop).await {
            for (caller, broken) in self.overdue(now) {
                self.give_up(caller, broken);
            }
        }
    }

    /// Takes out the calls whose callers have no time left.
    fn overdue(&self, now: Millis) -> Vec<(Caller, Broken)> {
        let mut open = self.open();
        let callers = take_due(&mut open.alarms, now).into_iter();
        callers
            .filter_map(|caller| {
                let broken = open.remove(&caller)?;
                Some((caller, broken))
            })
            .collect()
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        // Nothing is done under this lock that could leave it half done.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// What the caller may go on with.
    pub fn take(&self) -> Option<Broken> {
        self.returns.take(&self.caller)
    }

    /// The line dropped: the call waits for its caller, once that is on the disk, unless they have called again meanwhile
    /// and began anew.
    pub async fn wait(&self, broken: Broken) {
        if let Err(error) = self.returns.node.durable().await {
            tracing::warn!(contact = %broken.id, "a call waits for its caller in memory alone: {error}");
        }
        let newest = self.returns.open().calls.get(&self.caller).copied();
        match newest == Some(self.number) {
            true => self.returns.wait(self.caller.clone(), broken),
            false => self.returns.give_up(self.caller.clone(), broken),
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut open = self.returns.open();
        if open.calls.get(&self.caller) == Some(&self.number) {
            open.calls.remove(&self.caller);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Broken, Caller, Open, take_due};

    #[test]
    fn who_does_not_say_who_they_are_is_nobody_in_particular() {
        for from in [
            "",
            "anonymous",
            "Anonymous",
            "unavailable",
            "Restricted",
            "*",
            "+",
        ] {
            assert!(Caller::known("t", "100", from).is_none(), "{from}");
        }
        for from in ["+8613800138000", "200", "alice"] {
            assert!(Caller::known("t", "100", from).is_some(), "{from}");
        }
    }

    #[test]
    fn where_the_clock_went_back_nobody_has_longer_than_was_left() {
        const HOUR: u64 = 3_600_000;
        let of = |now| Broken::left("of an hour".to_owned(), HOUR + 60_000, HOUR, now);
        // As long as it was, whatever the clock shows.
        for now in [0, HOUR - 1, HOUR] {
            assert_eq!(of(now).due(), now + 60_000, "{now}");
        }
        // Time that passed while the engine was down counts.
        assert_eq!(of(HOUR + 50_000).due(), HOUR + 60_000);
        let caller = Caller::known("t", "100", "200").expect("it says who");
        let mut open = Open::default();
        open.insert(caller.clone(), of(0));
        assert_eq!(take_due(&mut open.alarms, 59_999), []);
        assert_eq!(take_due(&mut open.alarms, 60_000), vec![caller.clone()]);
        open.insert(caller.clone(), of(0));
        open.remove(&caller);
        assert!(open.alarms.is_empty(), "{:?}", open.alarms);
    }

    #[test]
    fn whose_calls_are_the_most_gives_one_of_them_up() {
        let mut open = Open::default();
        let caller = |tenant: &str, n: u64| Caller {
            tenant: tenant.to_owned(),
            binding: "100".to_owned(),
            from: n.to_string(),
        };
        let broken = |until| Broken {
            id: format!("of {until}"),
            until,
            ahead: 0,
        };
        // Of all, vega's one has the least time left.
        assert_eq!(open.insert(caller("vega", 1), broken(1)), None);
        for n in 2..6 {
            assert_eq!(open.insert(caller("aurora", n), broken(n)), None);
        }
        let earlier = open.insert(caller("aurora", 2), broken(9));
        assert_eq!(earlier, Some((caller("aurora", 2), broken(2))));
        assert_eq!(open.crowded_out(), Some((caller("aurora", 3), broken(3))));
        assert_eq!(open.crowded_out(), Some((caller("aurora", 4), broken(4))));
        assert_eq!(open.remove(&caller("aurora", 5)), Some(broken(5)));
        assert_eq!(open.remove(&caller("aurora", 5)), None);
        assert_eq!(open.insert(caller("vega", 2), broken(2)), None);
        assert_eq!(open.crowded_out(), Some((caller("vega", 1), broken(1))));
        assert_eq!(open.broken.len(), open.alarms.len());
        assert_eq!(open.of.values().sum::<usize>(), open.broken.len());
    }
}
