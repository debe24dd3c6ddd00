//! The one writer of journals and contact records: what comes in together is committed together.
//!
//! While the store is gone, nothing that was written stops: records are held in memory and tried again, and whoever
//! needs them on the disk is told at once that they are not.

mod commit;
mod held;

use std::time::{Duration, Instant};

use strowger_contact::Entry;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::error::Elapsed;

use self::commit::{Session, of_the_data};
use self::held::{Held, Item};
use super::error::is_full;
use super::{Place, Rung, Store, StoreError};
use crate::records::ContactRecord;

/// Records waiting to be taken by the writer; beyond, whoever writes waits.
const QUEUE: usize = 16_384;
/// Most records in one commit.
const BATCH: usize = 1_024;
/// Longest time a record waits for others to share its commit.
const LINGER: Duration = Duration::from_millis(40);
/// Pause between two attempts while the store is gone.
const RETRY: Duration = Duration::from_secs(1);
/// Longest time that one commit may take: it has a thousand rows at most.
const COMMIT_WITHIN: Duration = Duration::from_secs(15);
/// How long nothing is written until a server is asked whether it is still there: what `/healthz` and `strowger_store_up`
/// say is not older than this.
const ASKED_AFTER: Duration = Duration::from_secs(1);
/// Longest time until it has answered that.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);

/// Something to write down.
#[derive(Debug)]
pub enum Record {
    /// A contact began.
    Began {
        /// Its id.
        id: String,
        /// Whose.
        tenant: String,
        /// The flow it walks.
        flow: String,
        /// SHA-256 of the flow's text.
        hash: String,
        /// SHA-256 over all flows, plugins and audio files of the project.
        content: String,
        /// `voice` or `chat`.
        channel: &'static str,
        /// Caller.
        from: String,
        /// Called.
        to: String,
        /// SIP's own name of the call.
        sip_call_id: Option<String>,
        /// Milliseconds since 1970.
        at: u64,
    },
    /// What one input led to, of its journal: all of these entries are on the disk, or none is.
    Entries(String, Vec<Entry>),
    /// SIP messages of one of its calls.
    Rungs {
        /// Its id.
        id: String,
        /// 0: the caller's call; else the effect of the transfer that placed it.
        leg: u32,
        /// Number of this record within the leg, from 0.
        seq: u32,
        /// The messages.
        rungs: Vec<Rung>,
    },
    /// It is a chat.
    Chat {
        /// Its id.
        id: String,
        /// SHA-256 of the token that opens it.
        token: [u8; 32],
        /// The visitor's key by which it is begun, as it is kept: it names the chat from this commit on.
        visit: Option<String>,
    },
    /// Its line dropped, and its caller may come back.
    Dropped {
        /// Its id.
        id: String,
        /// The route's number, as `routes.yaml` has it.
        binding: String,
        /// Until then, in milliseconds since 1970.
        until: u64,
    },
    /// Nobody can come back to it: it goes on, or is over.
    NotDropped {
        /// Its id.
        id: String,
    },
    /// It ended.
    Ended {
        /// Its id.
        id: String,
        /// The disposition.
        reason: String,
        /// Milliseconds since 1970.
        at: u64,
        /// What is kept of it.
        record: Option<Box<ContactRecord>>,
    },
    /// It is being recorded, or what there is of its recording is known.
    Recorded {
        /// Its id.
        id: String,
        /// The file; none where there is none after all.
        path: Option<String>,
    },
}

/// Writes records in the order they come.
#[derive(Debug, Clone)]
pub struct Writer {
    items: mpsc::Sender<Item>,
}

impl Writer {
    /// Starts the writer. It ends when the last handle is gone and everything is written.
    pub fn start(store: Store) -> (Writer, JoinHandle<()>) {
        let (items, queue) = mpsc::channel(QUEUE);
        let writing = Writing {
            held: Held::new(store.clone()),
            session: Session::new(store.clone()),
            store,
            queue,
            open: true,
        };
        (Writer { items }, tokio::spawn(writing.run()))
    }

    /// Writes a record soon.
    pub async fn write(&self, record: Record) {
        // The queue closes only when the writer is gone, and it goes last.
        let _ = self.items.send(Item::of(record)).await;
    }

    /// Writes entries of the journal of a tenant's contact soon; the bytes of their lines.
    pub async fn write_entries(&self, tenant: &str, contact: String, entries: Vec<Entry>) -> usize {
        let item = Item::of(Record::Entries(contact, entries)).of_tenant(tenant);
        let bytes = item.text_bytes();
        let _ = self.items.send(item).await;
        bytes
    }

    /// Waits until everything written so far is on the disk; an error says why it is not.
    pub async fn flush(&self) -> Result<(), String> {
        self.written(true).await
    }

    /// The same with the next commit, which this does not bring on.
    pub async fn kept(&self) -> Result<(), String> {
        self.written(false).await
    }

    async fn written(&self, hurried: bool) -> Result<(), String> {
        let (done, flushed) = oneshot::channel();
        let _ = self.items.send(Item::Flush { done, hurried }).await;
        flushed
            .await
            .unwrap_or_else(|_| Err("the journal's writer has stopped".to_owned()))
    }

    /// Flushes, and gives a store that is gone some time to come back.
    pub async fn settle(&self, limit: Duration) -> Result<(), String> {
        let end = Instant::now() + limit;
        loop {
            match self.flush().await {
                Err(_) if Instant::now() < end => tokio::time::sleep(RETRY).await,
                done => return done,
            }
        }
    }
}

/// Writes the ends of contacts of an engine that is gone, before any writer runs.
pub(super) async fn write_ends(store: &Store, ends: Vec<Record>) -> Result<(), StoreError> {
    let batch: Vec<Item> = ends.into_iter().map(Item::of).collect();
    Ok(Session::new(store.clone()).commit(&batch).await?)
}

/// The writer's task.
struct Writing {
    store: Store,
    session: Session,
    queue: mpsc::Receiver<Item>,
    open: bool,
    held: Held,
}

impl Writing {
    async fn run(mut self) {
        loop {
            if self.held.is_empty() {
                match self.next().await {
                    Ok(Some(item)) => self.held.take(item),
                    Ok(None) => return,
                    Err(_) => {
                        self.write_down(Vec::new()).await;
                        continue;
                    }
                }
            }
            self.gather().await;
            let batch = self.held.batch(BATCH);
            self.write_down(batch).await;
        }
    }

    /// What comes while nothing is held, none when nothing ever will again; an error when nothing has come for so long that a
    /// server is asked. A file needs no question: whoever asks how the store is looks whether it is there.
    async fn next(&mut self) -> Result<Option<Item>, Elapsed> {
        match self.store.place {
            Place::Server { .. } => tokio::time::timeout(ASKED_AFTER, self.queue.recv()).await,
            Place::File { .. } => Ok(self.queue.recv().await),
        }
    }

    /// Nobody waits for plain records, so a moment's patience makes one commit of many.
    async fn gather(&mut self) {
        let patience = tokio::time::Instant::now() + LINGER;
        while self.open && self.held.len() < BATCH && !self.held.hurried() {
            let room = BATCH - self.held.len();
            let mut came = Vec::new();
            match tokio::time::timeout_at(patience, self.queue.recv_many(&mut came, room)).await {
                Ok(0) => self.open = false,
                Ok(_) => came.into_iter().for_each(|item| self.held.take(item)),
                Err(_) => break,
            }
        }
    }

    /// Writes a batch down, however long the store is gone. Its bounds stay: when a commit's answer was lost it may
    /// have been done, and then the same rows are there already. A batch of nothing asks whether the store is there, until it is.
    async fn write_down(&mut self, mut batch: Vec<Item>) {
        let mut since: Option<Instant> = None;
        loop {
            match self.attempt(&batch).await {
                Ok(()) => {
                    if !batch.is_empty() {
                        self.store.health.kept();
                    }
                    self.back(since);
                    let happened = batch.iter().any(|item| {
                        let item = match item {
                            Item::Record(record) => record,
                            _ => return false,
                        };
                        matches!(item, Record::Began { .. } | Record::Ended { .. })
                    });
                    if happened {
                        self.store.news.send_modify(|news| *news += 1);
                    }
                    return self.held.wrote(batch);
                }
                Err(error) if of_the_data(&error) => {
                    self.back(since);
                    return self.held.refused(batch, &error);
                }
                Err(error) => {
                    self.lost(&error);
                    let why = format!("the store is gone: {error}");
                    batch.retain_mut(|item| item.keep_or_refuse(&why));
                    self.held.refuse_flushes(&why);
                    since.get_or_insert_with(Instant::now);
                    self.wait(RETRY).await;
                    if batch.is_empty() && !self.open {
                        return;
                    }
                }
            }
        }
    }

    /// The store takes what is written again.
    fn back(&self, since: Option<Instant>) {
        if let Some(since) = since {
            self.store.health.regain();
            tracing::info!(
                seconds = since.elapsed().as_secs(),
                waiting = self.store.health.waiting(),
                "the store is back: what waited for it is being written"
            );
        }
    }

    /// Commits, and meanwhile takes what comes in.
    async fn attempt(&mut self, batch: &[Item]) -> Result<(), sqlx::Error> {
        let Writing {
            session,
            queue,
            held,
            open,
            store,
        } = self;
        // What is written into a file that was removed is lost.
        store.in_place()?;
        let limit = match batch.is_empty() {
            true => ANSWERED_WITHIN,
            false => COMMIT_WITHIN,
        };
        let commit = super::within(limit, session.commit(batch));
        tokio::pin!(commit);
        loop {
            let mut came = Vec::new();
            tokio::select! {
                done = &mut commit => break done,
                some = queue.recv_many(&mut came, BATCH), if *open && held.has_room() => {
                    *open = some > 0;
                    came.into_iter().for_each(|item| held.take(item));
                }
            }
        }
    }

    /// Takes what comes in for a while.
    async fn wait(&mut self, pause: Duration) {
        let end = tokio::time::Instant::now() + pause;
        while self.open {
            let mut came = Vec::new();
            match tokio::time::timeout_at(end, self.queue.recv_many(&mut came, BATCH)).await {
                Ok(0) => self.open = false,
                Ok(_) => came.into_iter().for_each(|item| self.held.take(item)),
                Err(_) => return,
            }
        }
        tokio::time::sleep_until(end).await;
    }

    /// Tells it once, until the store is back.
    fn lost(&mut self, error: &sqlx::Error) {
        self.session.forget();
        if is_full(error) {
            self.store.health.fill();
        }
        if self.store.health.lose(error.to_string()) {
            tracing::error!(
                "the store cannot be written, {}: {error}{}; calls go on, what is to be written waits in memory and is \
                 tried again every second, and what needs it on the disk fails until then",
                self.store.place,
                if is_full(error) {
                    self.store.weights().told()
                } else {
                    String::new()
                },
            );
        }
    }
}
