//! Keeps the SIP messages of contacts, and makes contacts of the calls that end before their flow begins.
//!
//! One task. The endpoint tells it of every message by the leg it is of; whoever has the call says whose contact that is.
//! Until then messages wait here; those of a call that is not written down go.

use std::collections::HashMap;
use std::mem::take;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use strowger_contact::{Ending, Entry, EntryKind, Millis};
use tokio::sync::{mpsc, oneshot};

use super::engine::{Engine, contact_id};
use super::node::Node;
use crate::centre::Centre;
use crate::rate::{Bucket, Buckets, Crowd, Pace};
use crate::records::{Subject, Tally, early};
use crate::sip::{Incoming, Refused, Told};
use crate::store::{CALLED_BACK, Record, Rung};

/// Orders waiting for the keeper; beyond, whoever gives them waits.
const ORDERS: usize = 1_024;
/// Messages taken in one turn.
const BATCH: usize = 1_024;
/// How long a message waits for others of its call, to be written with them.
const GATHER: Duration = Duration::from_millis(250);
/// Early ends written down of one address: so many at once, and one every five seconds. Scanners try numbers by the
/// thousand, and what they do is told in sum.
const OF_A_SOURCE: Pace = Pace::new(1, 5_000, 20);
/// The same for all addresses together: one a second.
const OF_ALL: Pace = Pace::new(1, 1_000, 120);
/// Addresses remembered.
const SOURCES: usize = 4_096;
/// How often calls that were not written down are told in the log.
const TOLD_EVERY: Duration = Duration::from_secs(10);

/// A call that ends before its flow begins.
#[derive(Clone)]
pub struct Early {
    leg: Option<u64>,
    source: IpAddr,
    at: Instant,
    from: String,
    to: String,
    call_id: String,
    /// Who takes the call, and on which flow; none while nobody does.
    taken: Option<(Arc<Engine>, String)>,
    reason: &'static str,
    by_caller: bool,
}

impl Early {
    /// Of a call that has come in.
    pub fn of(call: &Incoming) -> Early {
        Early {
            leg: call.leg,
            source: call.source.ip(),
            at: call.received_at,
            from: call.from_user.clone(),
            to: call.to_user.clone(),
            call_id: call.call_id.clone(),
            taken: None,
            reason: early::CANCELLED,
            by_caller: true,
        }
    }

    /// Whose it is, as far as it came.
    pub fn taken(mut self, engine: &Arc<Engine>, flow: &str) -> Early {
        self.taken = Some((engine.clone(), flow.to_owned()));
        self
    }

    /// Why the engine ends it.
    pub fn because(self, reason: &'static str) -> Early {
        Early {
            reason,
            by_caller: false,
            ..self
        }
    }
}

/// What the keeper is asked.
enum Order {
    /// A leg is a contact's.
    Keep { leg: u64, whose: Kept },
    /// A call has ended early.
    Early(Box<Early>),
    /// What was told so far is on its way to the store when the answer comes.
    Flush(oneshot::Sender<()>),
}

/// A handle on the keeper. Clones are of the same.
#[derive(Debug, Clone)]
pub struct Ladders {
    orders: mpsc::Sender<Order>,
    unwritten: Arc<AtomicU64>,
}

impl std::fmt::Debug for Order {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Order")
    }
}

impl Ladders {
    /// Starts the keeper; it ends when the endpoint and all handles are gone. `told` is the other end of
    /// [`SipConfig::ladder`](crate::sip::SipConfig::ladder).
    pub fn start(centre: Arc<Centre>, told: mpsc::Receiver<Told>) -> Ladders {
        let (orders, to_keeper) = mpsc::channel(ORDERS);
        let unwritten = Arc::new(AtomicU64::new(0));
        let keeper = Keeper {
            node: centre.node.clone(),
            centre,
            told,
            orders: to_keeper,
            legs: HashMap::new(),
            dirty: Vec::new(),
            sources: Buckets::new(OF_A_SOURCE, SOURCES, Crowd::Shares),
            all: Bucket::default(),
            unwritten: unwritten.clone(),
            untold: HashMap::new(),
            told_at: None,
        };
        tokio::spawn(keeper.run());
        Ladders { orders, unwritten }
    }

    /// From now on a leg is a contact's: `number` 0 for the caller's call, else the effect of the transfer that placed
    /// it, or from [`CALLED_BACK`] on a further call of a caller who was cut off. One of those that was another contact's
    /// until now, since its caller begins anew, is in the ladder of this one from its beginning; the other's ends here.
    ///
    /// `ahead` is by how much the contact's clock is ahead of the machine's, in milliseconds.
    pub async fn keep(&self, leg: Option<u64>, contact: &str, number: u32, ahead: Millis) {
        if let Some(leg) = leg {
            let whose = Kept {
                contact: contact.to_owned(),
                number,
                ahead,
            };
            let keep = Order::Keep { leg, whose };
            // Without its keeper there are no ladders; calls go on.
            let _ = self.orders.send(keep).await;
        }
    }

    /// A call has ended before its flow began.
    pub async fn early(&self, early: Early) {
        let _ = self.orders.send(Order::Early(Box::new(early))).await;
    }

    /// Waits until what the endpoint has told so far is on its way to the store.
    pub async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        if self.orders.send(Order::Flush(done)).await.is_ok() {
            let _ = flushed.await;
        }
    }

    /// Calls that ended early and were not written down, because there were too many.
    pub fn unwritten(&self) -> u64 {
        self.unwritten.load(Ordering::Relaxed)
    }
}

/// Messages of one leg.
#[derive(Default)]
struct Leg {
    whose: Whose,
    /// What is not written yet.
    rungs: Vec<Rung>,
    /// Records written.
    written: u32,
    /// What is written of a call that may yet become another contact's: at most what the endpoint keeps of a leg.
    kept: Vec<Rung>,
    over: bool,
}

#[derive(Default)]
enum Whose {
    /// Nobody has said.
    #[default]
    Unknown,
    Contact(Kept),
    /// A call that is not written down.
    Nobody,
}

/// What a leg is to the contact that has it.
#[derive(Debug, Clone)]
struct Kept {
    contact: String,
    /// Which of its legs.
    number: u32,
    /// By how much its clock is ahead of the machine's, in milliseconds.
    ahead: Millis,
}

struct Keeper {
    node: Arc<Node>,
    centre: Arc<Centre>,
    told: mpsc::Receiver<Told>,
    orders: mpsc::Receiver<Order>,
    legs: HashMap<u64, Leg>,
    /// Legs that have something to write.
    dirty: Vec<u64>,
    sources: Buckets<IpAddr>,
    all: Bucket,
    unwritten: Arc<AtomicU64>,
    /// Those that the log does not have yet, by address.
    untold: HashMap<IpAddr, u64>,
    told_at: Option<Instant>,
}

impl Keeper {
    async fn run(mut self) {
        let mut came = Vec::with_capacity(BATCH);
        let mut endpoint = true;
        let mut due: Option<tokio::time::Instant> = None;
        loop {
            if !self.dirty.is_empty() || !self.untold.is_empty() {
                due.get_or_insert(tokio::time::Instant::now() + GATHER);
            }
            let until = due;
            tokio::select! {
                taken = self.told.recv_many(&mut came, BATCH), if endpoint => {
                    endpoint = taken > 0;
                    for told in came.drain(..) {
                        self.take(told).await;
                    }
                }
                order = self.orders.recv() => match order {
                    Some(Order::Keep { leg, whose }) => {
                        self.belongs(leg, Whose::Contact(whose)).await;
                    }
                    Some(Order::Early(early)) => self.early(*early).await,
                    Some(Order::Flush(done)) => {
                        while let Ok(told) = self.told.try_recv() {
                            self.take(told).await;
                        }
                        self.write().await;
                        // Whoever asked may have gone.
                        let _ = done.send(());
                    }
                    None => {
                        self.write().await;
                        return;
                    }
                },
                () = async { tokio::time::sleep_until(until.unwrap_or_else(tokio::time::Instant::now)).await }, if until.is_some() => {
                    due = None;
                    self.write().await;
                    self.tell();
                }
            }
        }
    }

    /// A leg is a contact's from now on, or from its beginning where it was another's.
    async fn belongs(&mut self, number: u64, whose: Whose) {
        if matches!(self.leg(number).whose, Whose::Contact(..)) {
            // What came until now is that contact's too.
            self.write_leg(number).await;
            let leg = self.leg(number);
            leg.rungs = take(&mut leg.kept);
            leg.written = 0;
        }
        self.leg(number).whose = whose;
        self.dirty.push(number);
    }

    fn leg(&mut self, leg: u64) -> &mut Leg {
        self.legs.entry(leg).or_default()
    }

    async fn take(&mut self, told: Told) {
        match told {
            Told::Signal {
                leg,
                at,
                mut signal,
            } => {
                signal.at = self.node.clock.at(at);
                self.add(leg, Rung::Sip(*signal));
            }
            Told::Again { leg, n } => {
                let rungs = &mut self.leg(leg).rungs;
                let before = rungs.iter_mut().find_map(|rung| match rung {
                    Rung::Sip(signal) if signal.n == n => Some(&mut signal.again),
                    Rung::SipAgain { n: of, times, .. } if *of == n => Some(times),
                    _ => None,
                });
                match before {
                    Some(times) => *times = times.saturating_add(1),
                    None => self.add(
                        leg,
                        Rung::SipAgain {
                            leg: 0,
                            n,
                            times: 1,
                        },
                    ),
                }
            }
            Told::Cut { leg } => {
                let rungs = &mut self.leg(leg).rungs;
                match rungs.last_mut() {
                    Some(Rung::SipCut { times, .. }) => *times = times.saturating_add(1),
                    _ => self.add(leg, Rung::SipCut { leg: 0, times: 1 }),
                }
            }
            Told::Refused(refused) => {
                let Refused {
                    leg,
                    at,
                    source,
                    call_id,
                    from,
                    to,
                    status,
                    draining,
                } = *refused;
                let early = Early {
                    leg: Some(leg),
                    source: source.ip(),
                    at,
                    from,
                    to,
                    call_id,
                    taken: None,
                    reason: early::of_status(status, draining),
                    by_caller: false,
                };
                self.early(early).await;
            }
            Told::Over { leg } => {
                if let Some(known) = self.legs.get_mut(&leg) {
                    known.over = true;
                    self.dirty.push(leg);
                }
            }
        }
    }

    fn add(&mut self, leg: u64, rung: Rung) {
        let known = self.leg(leg);
        if matches!(known.whose, Whose::Nobody) {
            return;
        }
        known.rungs.push(rung);
        self.dirty.push(leg);
    }

    /// Hands to the writer what there is.
    async fn write(&mut self) {
        let mut dirty = take(&mut self.dirty);
        dirty.sort_unstable();
        dirty.dedup();
        for number in dirty {
            self.write_leg(number).await;
            // Whoever has a call says whose it is before it is long over.
            if self.legs.get(&number).is_some_and(|leg| leg.over) {
                self.legs.remove(&number);
            }
        }
    }

    /// Hands to the writer what there is of a leg, where it is known whose that is.
    async fn write_leg(&mut self, number: u64) {
        let Some(leg) = self.legs.get_mut(&number) else {
            return;
        };
        let Whose::Contact(whose) = &leg.whose else {
            return;
        };
        if leg.rungs.is_empty() {
            return;
        }
        let Kept {
            contact: id,
            number: of,
            ahead,
        } = whose.clone();
        let mut rungs = take(&mut leg.rungs);
        // Only a caller who was cut off is asked whether to begin anew. The other contact has a clock of its own.
        if of >= CALLED_BACK && !leg.over {
            leg.kept.extend(rungs.iter().cloned());
        }
        for rung in &mut rungs {
            match rung {
                Rung::Sip(signal) => {
                    signal.leg = of;
                    signal.at += ahead;
                }
                Rung::SipAgain { leg, .. } | Rung::SipCut { leg, .. } => *leg = of,
            }
        }
        let record = Record::Rungs {
            id,
            leg: of,
            seq: leg.written,
            rungs,
        };
        leg.written += 1;
        if let Some(writer) = &self.node.writer {
            writer.write(record).await;
        }
    }

    /// Writes a contact of a call that ended early, if there is room for it.
    async fn early(&mut self, early: Early) {
        let now = self.node.clock.now();
        if !self.admit(early.source, now) {
            self.unwritten.fetch_add(1, Ordering::Relaxed);
            if self.untold.len() < SOURCES || self.untold.contains_key(&early.source) {
                *self.untold.entry(early.source).or_default() += 1;
            }
            if let Some(leg) = early.leg {
                let leg = self.leg(leg);
                leg.whose = Whose::Nobody;
                leg.rungs.clear();
            }
            return;
        }
        let at = self.node.clock.at(early.at);
        let id = contact_id(at, &rand::random());
        tracing::info!(contact = %id, source = %early.source, to = %early.to, reason = early.reason, "the call ended before its flow began");
        let mut subject = Subject {
            id: id.clone(),
            channel: "voice".to_owned(),
            from: early.from,
            to: early.to,
            started_at: at,
            ..Subject::default()
        };
        match &early.taken {
            Some((engine, flow)) => {
                subject.tenant.clone_from(&engine.tenant);
                subject.flow.clone_from(flow);
                subject.flow_hash = engine.hash_of(flow);
                engine.program.content().clone_into(&mut subject.content);
            }
            None => {
                if let Some((tenant, live)) = self.centre.owner(&subject.to, &subject.from) {
                    subject.tenant = tenant;
                    subject.content = live.unwrap_or_default();
                }
            }
        }
        let ended = Entry {
            seq: 0,
            at: now,
            kind: EntryKind::Ended(Ending {
                reason: early.reason.to_owned(),
                by_caller: early.by_caller,
                error: None,
            }),
        };
        let began = Record::Began {
            id: id.clone(),
            tenant: subject.tenant.clone(),
            flow: subject.flow.clone(),
            hash: subject.flow_hash.clone(),
            content: subject.content.clone(),
            channel: "voice",
            from: subject.from.clone(),
            to: subject.to.clone(),
            sip_call_id: Some(early.call_id),
            at,
        };
        let mut tally = Tally::new(subject);
        tally.note(&ended);
        let record = tally.finish(now, early.reason);
        if let Some(writer) = &self.node.writer {
            writer.write(began).await;
            writer.write(Record::Entries(id.clone(), vec![ended])).await;
            writer
                .write(Record::Ended {
                    id: id.clone(),
                    reason: early.reason.to_owned(),
                    at: now,
                    record: Some(Box::new(record)),
                })
                .await;
        }
        if let Some(leg) = early.leg {
            let whose = Kept {
                contact: id,
                number: 0,
                ahead: 0,
            };
            self.belongs(leg, Whose::Contact(whose)).await;
        }
    }

    /// Whether one more early end may be written down.
    fn admit(&mut self, source: IpAddr, now: u64) -> bool {
        let admitted = self
            .all
            .peek(OF_ALL, now)
            .and_then(|()| self.sources.take(&source, now))
            .and_then(|()| self.all.take(OF_ALL, now));
        admitted.is_ok()
    }

    /// Tells in the log what was not written down.
    fn tell(&mut self) {
        let now = Instant::now();
        if self.untold.is_empty() || self.told_at.is_some_and(|at| now < at + TOLD_EVERY) {
            return;
        }
        self.told_at = Some(now);
        let untold = take(&mut self.untold);
        let calls: u64 = untold.values().sum();
        if let Some((most, of)) = untold.iter().max_by_key(|(_, calls)| **calls) {
            tracing::warn!(
                calls,
                addresses = untold.len(),
                "calls ended before their flow began and are not written down, because there were too many; {of} of them from {most}"
            );
        }
    }
}
