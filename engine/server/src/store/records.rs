//! Looking contact records up.

use sqlx::FromRow;

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
    /// Where the next page begins, when there may be one.
    pub next: Option<(u64, String)>,
}

#[derive(FromRow)]
struct Row {
    contact: String,
    ended_at: i64,
    body: String,
    sip_call_id: Option<String>,
    recording: Option<String>,
}

impl Row {
    fn record(self) -> Result<ContactRecord, StoreError> {
        let record: ContactRecord =
            serde_json::from_str(&self.body).map_err(|error| sqlx::Error::Decode(error.into()))?;
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
    ($tagged:literal) => {
        concat!(
            "SELECT r.contact, r.ended_at, r.body, c.sip_call_id, c.recording FROM records r ",
            "LEFT JOIN contacts c ON c.id = r.contact ",
            "WHERE (r.ended_at, r.contact) > ($1, $2) AND r.ended_at < $3 ",
            "AND ($4 IS NULL OR r.tenant = $4) AND ($5 IS NULL OR r.flow = $5) ",
            "AND ($6 IS NULL OR ",
            $tagged,
            ") ORDER BY r.ended_at, r.contact LIMIT $7"
        )
    };
}

/// How many there are; `$tagged` is whether one has the tag `$5`.
macro_rules! count {
    ($tagged:literal) => {
        concat!(
            "SELECT COUNT(*) FROM records r WHERE r.ended_at >= $1 AND r.ended_at < $2 ",
            "AND ($3 IS NULL OR r.tenant = $3) AND ($4 IS NULL OR r.flow = $4) ",
            "AND ($5 IS NULL OR ",
            $tagged,
            ")"
        )
    };
}

/// What is asked of SQLite, and of PostgreSQL: each reads JSON in its own way. PostgreSQL has no NUL in texts, and refuses one in a
/// name of a tag.
const SOME: [&str; 2] = [
    some!("EXISTS (SELECT 1 FROM json_each(r.body, '$.tags') t WHERE t.key = $6)"),
    some!(
        "EXISTS (SELECT 1 FROM json_object_keys(replace(r.body, '\\u0000', '\\ufffd')::json -> 'tags') k WHERE k = $6)"
    ),
];
const COUNT: [&str; 2] = [
    count!("EXISTS (SELECT 1 FROM json_each(r.body, '$.tags') t WHERE t.key = $5)"),
    count!(
        "EXISTS (SELECT 1 FROM json_object_keys(replace(r.body, '\\u0000', '\\ufffd')::json -> 'tags') k WHERE k = $5)"
    ),
];

fn millis(at: u64) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}

impl Store {
    /// The record of a contact that is over; `None` while it lasts, and when there is none.
    pub async fn record(&self, contact: &str) -> Result<Option<ContactRecord>, StoreError> {
        let row: Option<Row> = each!(self, pool => sqlx::query_as(ONE)
            .bind(contact)
            .fetch_optional(pool))?;
        row.map(Row::record).transpose()
    }

    /// Records, the oldest end first.
    pub async fn records(&self, filter: &RecordFilter) -> Result<Page, StoreError> {
        let limit = filter.limit.unwrap_or(PAGE).min(PAGE);
        // No id is empty, so the first page begins with the first record of its time.
        let (at, id) = match &filter.after {
            Some((at, id)) if *at >= filter.from => (*at, id.as_str()),
            _ => (filter.from, ""),
        };
        let some = self.written_for(SOME);
        let rows: Vec<Row> = each!(self, pool => sqlx::query_as(some)
            .bind(millis(at))
            .bind(id)
            .bind(filter.to.map_or(i64::MAX, millis))
            .bind(&filter.tenant)
            .bind(&filter.flow)
            .bind(&filter.tag)
            .bind(i64::from(limit))
            .fetch_all(pool))?;
        let next = rows
            .last()
            .filter(|_| rows.len() == limit as usize)
            .map(|row| {
                let at = u64::try_from(row.ended_at).unwrap_or_default();
                (at, row.contact.clone())
            });
        let records = rows.into_iter().map(Row::record);
        Ok(Page {
            records: records.collect::<Result<_, _>>()?,
            next,
        })
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
        let count: i64 = each!(self, pool => sqlx::query_scalar(count)
            .bind(millis(filter.from))
            .bind(filter.to.map_or(i64::MAX, millis))
            .bind(&filter.tenant)
            .bind(&filter.flow)
            .bind(&filter.tag)
            .fetch_one(pool))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }
}
