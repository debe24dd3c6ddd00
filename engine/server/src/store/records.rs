//! Looking contact records up.

use std::borrow::Cow;

use sqlx::error::BoxDynError;
use sqlx::{Decode, FromRow, Postgres, Sqlite, Type};

use super::{Database, Store, StoreError};
use crate::records::ContactRecord;

/// Most records of a page.
const PAGE: u32 = 1_000;

/// Which records.
#[derive(Debug, Clone, Default)]
pub struct RecordFilter {
    /// Ended at this time or later, in milliseconds since 1970.
    pub from: u64,
    /// Ended before this time; none for no bound.
    pub to: Option<u64>,
    /// Of this tenant.
    pub tenant: Option<String>,
    /// That began in this flow.
    pub flow: Option<String>,
    /// That have a tag of this name.
    pub tag: Option<String>,
    /// After the one that ended then and has this id, in the order of the list.
    pub after: Option<(u64, String)>,
    /// At most so many; default and highest 1,000.
    pub limit: Option<u32>,
}

/// Some of the records.
#[derive(Debug, Default)]
pub struct Page {
    /// The oldest end first.
    pub records: Vec<ContactRecord>,
    /// Contacts of this stretch whose records are damaged, and left out.
    pub damaged: Vec<String>,
    /// Where the next page begins, when there may be one.
    pub next: Option<(u64, String)>,
}

#[derive(FromRow)]
struct Row {
    contact: String,
    ended_at: i64,
    body: Body,
    sip_call_id: Option<String>,
    recording: Option<String>,
}

/// What is kept as a record. A damaged one may be no text either, and the rows beside it are to be had nevertheless.
pub(super) struct Body(Vec<u8>);

impl Body {
    /// As text, whatever it is.
    pub(super) fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }
}

impl Type<Sqlite> for Body {
    fn type_info() -> <Sqlite as sqlx::Database>::TypeInfo {
        <Vec<u8> as Type<Sqlite>>::type_info()
    }

    /// SQLite takes any value in any column.
    fn compatible(_: &<Sqlite as sqlx::Database>::TypeInfo) -> bool {
        true
    }
}

impl<'r> Decode<'r, Sqlite> for Body {
    fn decode(value: <Sqlite as sqlx::Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Body(<Vec<u8> as Decode<Sqlite>>::decode(value)?))
    }
}

impl Type<Postgres> for Body {
    fn type_info() -> <Postgres as sqlx::Database>::TypeInfo {
        <String as Type<Postgres>>::type_info()
    }
}

impl<'r> Decode<'r, Postgres> for Body {
    fn decode(value: <Postgres as sqlx::Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        Ok(Body(
            <String as Decode<Postgres>>::decode(value)?.into_bytes(),
        ))
    }
}

impl Row {
    fn record(self) -> Result<ContactRecord, StoreError> {
        let record: ContactRecord =
            serde_json::from_slice(&self.body.0).map_err(|error| StoreError::DamagedRecord {
                contact: self.contact,
                why: error.to_string(),
            })?;
        let mut record = record.renewed();
        record.sip_call_id = self.sip_call_id;
        record.recording = self.recording;
        Ok(record)
    }
}

const ONE: &str = "SELECT r.contact, r.ended_at, r.body, c.sip_call_id, c.recording FROM records r \
                   LEFT JOIN contacts c ON c.id = r.contact WHERE r.contact = $1";
/// Records of a kind; `$tagged` is whether one has the tag `$6`.
macro_rules! some {
    ($($tagged:tt)*) => {
        concat!(
            "SELECT r.contact, r.ended_at, r.body, c.sip_call_id, c.recording FROM records r ",
            "LEFT JOIN contacts c ON c.id = r.contact ",
            "WHERE (r.ended_at, r.contact) > ($1, $2) AND r.ended_at < $3 ",
            "AND ($4 IS NULL OR r.tenant = $4) AND ($5 IS NULL OR r.flow = $5) ",
            "AND ($6 IS NULL OR ",
            $($tagged)*,
            ") ORDER BY r.ended_at, r.contact LIMIT $7"
        )
    };
}

/// How many there are; `$tagged` is whether one has the tag `$5`.
macro_rules! count {
    ($($tagged:tt)*) => {
        concat!(
            "SELECT COUNT(*) FROM records r WHERE r.ended_at >= $1 AND r.ended_at < $2 ",
            "AND ($3 IS NULL OR r.tenant = $3) AND ($4 IS NULL OR r.flow = $4) ",
            "AND ($5 IS NULL OR ",
            $($tagged)*,
            ")"
        )
    };
}

/// Whether SQLite finds a tag in a record. One that is damaged may have had it: it is told of, not passed over.
macro_rules! in_file {
    ($tag:literal) => {
        concat!(
            "CASE WHEN json_valid(r.body) THEN EXISTS (SELECT 1 FROM json_each(r.body, '$.tags') t WHERE t.key = ",
            $tag,
            ") ELSE 1 END"
        )
    };
}

/// The same of PostgreSQL, which has no NUL in texts, refuses one in a name of a tag, and fails where a record is damaged.
macro_rules! in_server {
    ($tag:literal) => {
        concat!(
            "EXISTS (SELECT 1 FROM json_object_keys(replace(r.body, '\\u0000', '\\ufffd')::json -> 'tags') k WHERE k = ",
            $tag,
            ")"
        )
    };
}

/// What is asked of SQLite, and of PostgreSQL: each reads JSON in its own way.
const SOME: [&str; 2] = [some!(in_file!("$6")), some!(in_server!("$6"))];
const COUNT: [&str; 2] = [count!(in_file!("$5")), count!(in_server!("$5"))];

fn millis(at: u64) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}

/// Whether a server could not read what it looked through (SQLSTATE class 22, PostgreSQL documentation, appendix A).
fn is_of_data(error: &StoreError) -> bool {
    let StoreError::Query(sqlx::Error::Database(error)) = error else {
        return false;
    };
    error.code().is_some_and(|code| code.starts_with("22"))
}

impl Store {
    /// The record of a contact that is over; `None` while it lasts, and when there is none.
    pub async fn record(&self, contact: &str) -> Result<Option<ContactRecord>, StoreError> {
        let row: Option<Row> = each!(self, pool => sqlx::query_as(ONE)
            .bind(contact)
            .fetch_optional(pool))?;
        let record = row.map(Row::record).transpose();
        record.inspect_err(|error| self.tell_damaged(error))
    }

    /// Records, the oldest end first. Damaged ones are left out and named.
    pub async fn records(&self, filter: &RecordFilter) -> Result<Page, StoreError> {
        let limit = filter.limit.unwrap_or(PAGE).min(PAGE);
        // No id is empty, so the first page begins with the first record of its time.
        let (mut at, mut id) = match &filter.after {
            Some((at, id)) if *at >= filter.from => (*at, id.clone()),
            _ => (filter.from, String::new()),
        };
        let mut page = Page::default();
        let mut asked = limit;
        // The tag that is looked for here, where the database cannot.
        let mut sifted = None;
        loop {
            let tag = filter.tag.as_ref().filter(|_| sifted.is_none());
            let rows = match self.rows(filter, tag, millis(at), &id, asked).await {
                Err(error) if tag.is_some() && is_of_data(&error) => {
                    sifted = tag;
                    asked = PAGE;
                    continue;
                }
                rows => rows?,
            };
            let more = rows.len() == asked as usize && !rows.is_empty();
            for row in rows {
                at = u64::try_from(row.ended_at).unwrap_or_default();
                id.clone_from(&row.contact);
                match row.record() {
                    Ok(record) => {
                        let wanted = sifted.is_none_or(|tag| record.tags.contains_key(tag));
                        page.records.extend(Some(record).filter(|_| wanted));
                    }
                    Err(error) => {
                        self.tell_damaged(&error);
                        page.damaged.push(id.clone());
                    }
                }
                if page.records.len() == limit as usize {
                    page.next = Some((at, id));
                    return Ok(page);
                }
            }
            if !more {
                return Ok(page);
            }
            // In place of those that were left out.
            asked = PAGE;
        }
    }

    async fn rows(
        &self,
        filter: &RecordFilter,
        tag: Option<&String>,
        at: i64,
        id: &str,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError> {
        let some = self.written_for(SOME);
        Ok(each!(self, pool => sqlx::query_as(some)
            .bind(at)
            .bind(id)
            .bind(filter.to.map_or(i64::MAX, millis))
            .bind(&filter.tenant)
            .bind(&filter.flow)
            .bind(tag)
            .bind(i64::from(limit))
            .fetch_all(pool))?)
    }

    /// Names a contact whose record is damaged in the log, once.
    fn tell_damaged(&self, error: &StoreError) {
        if let StoreError::DamagedRecord { contact, .. } = error
            && self.health.damage(contact)
        {
            tracing::error!(%contact, "{error}");
        }
    }

    /// The one of two statements that is written for this store's database.
    fn written_for(&self, [file, server]: [&'static str; 2]) -> &'static str {
        match &self.database {
            Database::File(_) => file,
            Database::Server(_) => server,
        }
    }

    /// An error when the store is of a program that kept no records yet: it is only looked at.
    async fn has_records(&self) -> Result<(), StoreError> {
        match self.has_table("records").await? {
            true => Ok(()),
            false => Err(StoreError::Older {
                place: self.place.to_string(),
            }),
        }
    }

    /// How many records there are of a kind; pages do not matter.
    pub async fn count_records(&self, filter: &RecordFilter) -> Result<u64, StoreError> {
        self.has_records().await?;
        let count = self.written_for(COUNT);
        let counted: Result<i64, StoreError> = each!(self, pool => sqlx::query_scalar(count)
            .bind(millis(filter.from))
            .bind(filter.to.map_or(i64::MAX, millis))
            .bind(&filter.tenant)
            .bind(&filter.flow)
            .bind(&filter.tag)
            .fetch_one(pool))
        .map_err(StoreError::from);
        match counted {
            Err(error) if filter.tag.is_some() && is_of_data(&error) => {
                self.count_here(filter).await
            }
            counted => Ok(u64::try_from(counted?).unwrap_or_default()),
        }
    }

    /// The same, where the database cannot count: as many as are found.
    async fn count_here(&self, filter: &RecordFilter) -> Result<u64, StoreError> {
        let mut filter = RecordFilter {
            after: None,
            limit: None,
            ..filter.clone()
        };
        let mut count = 0;
        loop {
            let page = self.records(&filter).await?;
            count += (page.records.len() + page.damaged.len()) as u64;
            match page.next {
                Some(next) => filter.after = Some(next),
                None => return Ok(count),
            }
        }
    }
}
