//! The one writer of journals and contact records: what comes in together is committed together.

use std::collections::BTreeMap;
use std::time::Duration;

use strowger_contact::Entry;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::Store;

/// Records waiting to be written; beyond, whoever writes waits.
const QUEUE: usize = 16_384;
/// Most records in one commit.
const BATCH: usize = 1_024;

/// Longest time a record waits for others to share its commit.
const LINGER: Duration = Duration::from_millis(40);

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
        /// SHA-256 over all flows and plugins of the project.
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
    /// A line of its journal.
    Entry(String, Entry),
    /// It ended.
    Ended {
        /// Its id.
        id: String,
        /// The disposition.
        reason: String,
        /// Milliseconds since 1970.
        at: u64,
    },
    /// It is being recorded.
    Recorded {
        /// Its id.
        id: String,
        /// The file.
        path: String,
    },
    /// Everything before this is on the disk when the answer comes, or it says why not.
    Flush(oneshot::Sender<Result<(), String>>),
}

/// Writes records in the order they come.
#[derive(Debug, Clone)]
pub struct Writer {
    records: mpsc::Sender<Record>,
}

impl Writer {
    /// Starts the writer. It ends when the last handle is gone and everything is written.
    pub fn start(store: Store) -> (Writer, JoinHandle<()>) {
        let (records, queue) = mpsc::channel(QUEUE);
        (Writer { records }, tokio::spawn(write(store, queue)))
    }

    /// Writes a record soon.
    pub async fn write(&self, record: Record) {
        // The queue closes only when the writer is gone, and it goes last.
        let _ = self.records.send(record).await;
    }

    /// Waits until everything written so far is on the disk; an error says why it is not.
    pub async fn flush(&self) -> Result<(), String> {
        let (done, flushed) = oneshot::channel();
        self.write(Record::Flush(done)).await;
        flushed
            .await
            .unwrap_or_else(|_| Err("the journal's writer has stopped".to_owned()))
    }
}

async fn write(store: Store, mut queue: mpsc::Receiver<Record>) {
    let mut batch = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut batch, BATCH).await > 0 {
        // Nobody waits for plain entries, so a moment's patience makes one commit of many.
        let patience = tokio::time::Instant::now() + LINGER;
        while batch.len() < BATCH
            && !batch
                .iter()
                .any(|record| matches!(record, Record::Flush(_)))
        {
            let room = BATCH - batch.len();
            match tokio::time::timeout_at(patience, queue.recv_many(&mut batch, room)).await {
                Ok(more) if more > 0 => {}
                _ => break,
            }
        }
        let done = commit(&store, &batch)
            .await
            .map_err(|error| error.to_string());
        if let Err(error) = &done {
            tracing::error!(%error, records = batch.len(), "journal entries could not be written");
        }
        for record in batch.drain(..) {
            if let Record::Flush(flushed) = record {
                let _ = flushed.send(done.clone());
            }
        }
    }
}

async fn commit(store: &Store, batch: &[Record]) -> Result<(), sqlx::Error> {
    let mut transaction = store.pool.begin().await?;
    let mut chunks: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for record in batch {
        match record {
            Record::Began {
                id,
                tenant,
                flow,
                hash,
                content,
                channel,
                from,
                to,
                sip_call_id,
                at,
            } => {
                sqlx::query(
                    "INSERT INTO contacts (id, tenant, flow, hash, channel, caller, called, sip_call_id, started_at, content) \
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                )
                .bind(id)
                .bind(tenant)
                .bind(flow)
                .bind(hash)
                .bind(channel)
                .bind(from)
                .bind(to)
                .bind(sip_call_id)
                .bind(*at as i64)
                .bind(content)
                .execute(&mut *transaction)
                .await?;
            }
            Record::Entry(contact, entry) => chunks.entry(contact).or_default().push(entry),
            Record::Ended { id, reason, at } => {
                sqlx::query("UPDATE contacts SET ended_at = ?, reason = ? WHERE id = ?")
                    .bind(*at as i64)
                    .bind(reason)
                    .bind(id)
                    .execute(&mut *transaction)
                    .await?;
            }
            Record::Recorded { id, path } => {
                sqlx::query("UPDATE contacts SET recording = ? WHERE id = ?")
                    .bind(path)
                    .bind(id)
                    .execute(&mut *transaction)
                    .await?;
            }
            Record::Flush(_) => {}
        }
    }
    for (contact, entries) in chunks {
        let mut body = String::new();
        for entry in &entries {
            body.push_str(
                &serde_json::to_string(entry).map_err(|e| sqlx::Error::Encode(e.into()))?,
            );
            body.push('\n');
        }
        sqlx::query("INSERT INTO chunks (contact, seq, body) VALUES (?, ?, ?)")
            .bind(contact)
            .bind(i64::from(entries[0].seq))
            .bind(body)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await
}
