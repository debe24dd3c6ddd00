//! One commit: the rows of a batch.

use std::collections::BTreeMap;

use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, QueryBuilder};

use super::Record;
use super::held::Item;
use crate::records::ContactRecord;
use crate::store::frame::Packer;
use crate::store::weights::{A_CONTACT, A_LADDER, Part, Weights};
use crate::store::{CONNECT_WITHIN, Place, Store, VISITORS, file_options, millis, within};

/// Rows of one statement: SQLite takes 32,766 parameters, PostgreSQL 65,535.
const ROWS: usize = 1_024;

/// The statements, for either type of connection.
macro_rules! rows {
    ($connection:expr, $batch:expr, $engine:expr, $packer:expr, $weights:expr) => {{
        let mut transaction = $connection.begin().await?;
        let began: Vec<&Record> = of($batch, |record| matches!(record, Record::Began { .. }));
        for began in began.chunks(ROWS) {
            let mut sql = QueryBuilder::new(
                "INSERT INTO contacts (id, tenant, flow, hash, channel, caller, called, sip_call_id, started_at, \
                 content, engine) ",
            );
            sql.push_values(began, |mut row, record| {
                let Record::Began { id, tenant, flow, hash, content, channel, from, to, sip_call_id, at } = record
                else {
                    return;
                };
                row.push_bind(id)
                    .push_bind(tenant)
                    .push_bind(flow)
                    .push_bind(hash)
                    .push_bind(*channel)
                    .push_bind(printable(from))
                    .push_bind(printable(to))
                    .push_bind(sip_call_id.as_deref().map(printable))
                    .push_bind(millis(*at))
                    .push_bind(content)
                    .push_bind($engine);
            });
            sql.push(" ON CONFLICT (id) DO NOTHING");
            sql.build().execute(&mut *transaction).await?;
        }
        // What it takes, by tenant.
        let mut taken: BTreeMap<&str, u64> = BTreeMap::new();
        for record in &began {
            if let Record::Began { tenant, channel, .. } = record {
                let ladder = if *channel == "voice" { A_LADDER } else { 0 };
                *taken.entry(tenant).or_default() += A_CONTACT + ladder;
            }
        }
        let kept: Vec<(&ContactRecord, String)> = kept($batch, $weights);
        for kept in kept.chunks(ROWS) {
            let mut sql = QueryBuilder::new(
                "INSERT INTO records (contact, tenant, flow, started_at, ended_at, caller, called, failed, path, body) ",
            );
            sql.push_values(kept, |mut row, (record, body)| {
                *taken.entry(&record.tenant).or_default() += body.len() as u64;
                row.push_bind(&record.id)
                    .push_bind(&record.tenant)
                    .push_bind(&record.flow)
                    .push_bind(millis(record.started_at))
                    .push_bind(millis(record.ended_at))
                    .push_bind(printable(&record.from))
                    .push_bind(printable(&record.to))
                    .push_bind(i64::from(record.failed()))
                    .push_bind(&record.path_hash)
                    .push_bind(body);
            });
            sql.push(" ON CONFLICT (contact) DO NOTHING");
            sql.build().execute(&mut *transaction).await?;
        }
        let events: Vec<Event> = events($batch);
        for events in events.chunks(ROWS) {
            let mut sql = QueryBuilder::new("INSERT INTO events (at, kind, contact, engine) ");
            sql.push_values(events, |mut row, event| {
                row.push_bind(millis(event.at))
                    .push_bind(event.kind)
                    .push_bind(event.contact)
                    .push_bind($engine);
            });
            // What was committed already, when the answer was lost, is told once.
            sql.push(" ON CONFLICT (contact, kind) DO NOTHING");
            sql.build().execute(&mut *transaction).await?;
        }
        for record in of($batch, |record| !matches!(record, Record::Began { .. })) {
            match record {
                Record::Ended { id, reason, at, .. } => {
                    sqlx::query("UPDATE contacts SET ended_at = $1, reason = $2 WHERE id = $3")
                        .bind(millis(*at))
                        .bind(printable(reason))
                        .bind(id)
                        .execute(&mut *transaction)
                        .await?;
                }
                Record::Recorded { id, path } => {
                    sqlx::query("UPDATE contacts SET recording = $1 WHERE id = $2")
                        .bind(path)
                        .bind(id)
                        .execute(&mut *transaction)
                        .await?;
                }
                Record::Chat { id, token, visit } => {
                    sqlx::query(
                        "INSERT INTO chats (contact, token) VALUES ($1, $2) ON CONFLICT (contact) DO NOTHING",
                    )
                    .bind(id)
                    .bind(token.as_slice())
                    .execute(&mut *transaction)
                    .await?;
                    if let Some(key) = visit {
                        sqlx::query("UPDATE idempotency SET body = $1 WHERE who = $2 AND key = $3")
                            .bind(id.as_bytes())
                            .bind(VISITORS)
                            .bind(key)
                            .execute(&mut *transaction)
                            .await?;
                    }
                }
                Record::Dropped { id, binding, until } => {
                    sqlx::query(
                        "INSERT INTO drops (contact, binding, until_at) VALUES ($1, $2, $3) \
                         ON CONFLICT (contact) DO UPDATE SET binding = excluded.binding, until_at = excluded.until_at",
                    )
                    .bind(id)
                    .bind(binding)
                    .bind(millis(*until))
                    .execute(&mut *transaction)
                    .await?;
                }
                Record::NotDropped { id } => {
                    sqlx::query("DELETE FROM drops WHERE contact = $1")
                        .bind(id)
                        .execute(&mut *transaction)
                        .await?;
                }
                Record::Began { .. } | Record::Entries(..) | Record::Rungs { .. } => {}
            }
        }
        let chunks: Vec<Chunk> = chunks($batch);
        for chunks in chunks.chunks(ROWS) {
            let mut sql = QueryBuilder::new("INSERT INTO frames (contact, seq, body) ");
            sql.push_values(chunks, |mut row, chunk| {
                let body = $packer.pack(&chunk.body);
                if let Some(tenant) = chunk.tenant {
                    *taken.entry(tenant).or_default() += body.len() as u64;
                }
                row.push_bind(chunk.contact)
                    .push_bind(i64::from(chunk.seq))
                    .push_bind(body);
            });
            sql.push(" ON CONFLICT (contact, seq) DO NOTHING");
            sql.build().execute(&mut *transaction).await?;
        }
        for (contact, call_id) in call_ids($batch) {
            sqlx::query("INSERT INTO call_ids (contact, call_id) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                .bind(contact)
                .bind(printable(call_id))
                .execute(&mut *transaction)
                .await?;
        }
        let rungs: Vec<Rungs> = rungs($batch);
        for rungs in rungs.chunks(ROWS) {
            let mut sql = QueryBuilder::new("INSERT INTO ladders (contact, leg, seq, body) ");
            sql.push_values(rungs, |mut row, rungs| {
                row.push_bind(rungs.contact)
                    .push_bind(i64::from(rungs.leg))
                    .push_bind(i64::from(rungs.seq))
                    .push_bind($packer.pack(rungs.text));
            });
            sql.push(" ON CONFLICT (contact, leg, seq) DO NOTHING");
            sql.build().execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(taken)
    }};
}
/// The writer's own connection, made when it is needed.
pub(super) struct Session {
    store: Store,
    connection: Option<Side>,
    packer: Packer,
}

enum Side {
    File(SqliteConnection),
    Server(PgConnection),
}

impl Session {
    pub fn new(store: Store) -> Session {
        Session {
            store,
            connection: None,
            packer: Packer::default(),
        }
    }

    /// Gives the connection up: what state it is in is not known.
    pub fn forget(&mut self) {
        self.connection = None;
    }

    /// Writes a batch down in one transaction. What is there already stays as it is.
    pub async fn commit(&mut self, batch: &[Item]) -> Result<(), sqlx::Error> {
        let Session {
            store,
            connection,
            packer,
        } = self;
        let connection = match connection {
            Some(connection) => connection,
            None => connection.insert(connect(&store.place).await?),
        };
        let engine = store.engine.as_deref();
        let taken: Result<BTreeMap<&str, u64>, sqlx::Error> = match connection {
            Side::File(connection) => rows!(connection, batch, engine, packer, store.weights()),
            Side::Server(connection) => rows!(connection, batch, engine, packer, store.weights()),
        };
        for (tenant, bytes) in taken? {
            store.weights().wrote(tenant, Part::Contacts, bytes);
        }
        Ok(())
    }
}

async fn connect(place: &Place) -> Result<Side, sqlx::Error> {
    match place {
        Place::File { folder, .. } => {
            // The file is there since the start; one that was taken away is not made anew without tables.
            let options = file_options(place, folder).create_if_missing(false);
            SqliteConnection::connect_with(&options)
                .await
                .map(Side::File)
        }
        Place::Server { options, .. } => {
            within(CONNECT_WITHIN, PgConnection::connect_with(options))
                .await
                .map(Side::Server)
        }
    }
}

/// What a batch holds of one contact's journal.
struct Chunk<'a> {
    tenant: Option<&'a str>,
    contact: &'a str,
    seq: u32,
    body: String,
}

fn chunks(batch: &[Item]) -> Vec<Chunk<'_>> {
    let mut chunks: BTreeMap<&str, Chunk> = BTreeMap::new();
    for item in batch {
        if let Item::Lines {
            tenant,
            contact,
            seq,
            text,
            ..
        } = item
        {
            let chunk = chunks.entry(contact).or_insert_with(|| Chunk {
                tenant: tenant.as_deref(),
                contact,
                seq: *seq,
                body: String::new(),
            });
            chunk.body.push_str(text);
        }
    }
    chunks.into_values().collect()
}

/// The further calls that a batch tells of, by contact.
fn call_ids(batch: &[Item]) -> impl Iterator<Item = (&str, &str)> {
    batch.iter().filter_map(|item| match item {
        Item::Lines {
            contact,
            call_id: Some(call_id),
            ..
        } => Some((contact.as_str(), call_id.as_str())),
        _ => None,
    })
}

/// What a batch holds of one call's SIP messages.
struct Rungs<'a> {
    contact: &'a str,
    leg: u32,
    seq: u32,
    text: &'a str,
}

fn rungs(batch: &[Item]) -> Vec<Rungs<'_>> {
    let rungs = batch.iter().filter_map(|item| match item {
        Item::Rungs {
            contact,
            leg,
            seq,
            text,
        } => Some(Rungs {
            contact,
            leg: *leg,
            seq: *seq,
            text,
        }),
        _ => None,
    });
    rungs.collect()
}

/// The records in a batch, each as it is kept: of a tenant that takes more of the store than it may, without what makes one large.
fn kept<'a>(batch: &'a [Item], weights: &Weights) -> Vec<(&'a ContactRecord, String)> {
    let ended = batch.iter().filter_map(|item| match item {
        Item::Record(Record::Ended { record, .. }) => record.as_deref(),
        _ => None,
    });
    let kept = ended.map(|record| {
        let body = match weights.full(&record.tenant) {
            true => serde_json::to_string(&record.clone().lean()),
            false => serde_json::to_string(record),
        };
        (record, body.expect("a record is of JSON's types"))
    });
    kept.collect()
}

/// What others want to be told of a batch.
struct Event<'a> {
    kind: &'static str,
    contact: &'a str,
    at: u64,
}

fn events(batch: &[Item]) -> Vec<Event<'_>> {
    let events = batch.iter().filter_map(|item| match item {
        Item::Record(Record::Began { id, at, .. }) => Some(Event {
            kind: "contact.began",
            contact: id,
            at: *at,
        }),
        Item::Record(Record::Ended { id, at, .. }) => Some(Event {
            kind: "contact.ended",
            contact: id,
            at: *at,
        }),
        _ => None,
    });
    events.collect()
}

fn of(batch: &[Item], which: impl Fn(&Record) -> bool) -> Vec<&Record> {
    let records = batch.iter().filter_map(|item| match item {
        Item::Record(record) if which(record) => Some(record),
        _ => None,
    });
    records.collect()
}

/// Callers choose some of these texts, and PostgreSQL has no NUL in a text.
fn printable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Whether an error is of what was to be written, and not of the store: it will be the same the next time.
pub(super) fn of_the_data(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Encode(_) => true,
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            match error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
                // Data exception, integrity constraint violation (SQLSTATE classes), program limit exceeded.
                Some(_) => {
                    code.starts_with("22") || code.starts_with("23") || code.starts_with("54")
                }
                // SQLITE_TOOBIG, SQLITE_CONSTRAINT, SQLITE_MISMATCH; the low byte is the primary code.
                None => code
                    .parse::<u32>()
                    .is_ok_and(|code| matches!(code & 0xff, 18..=20)),
            }
        }
        _ => false,
    }
}
