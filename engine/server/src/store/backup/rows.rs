//! Rows from one database into another, a page at a time.

use sqlx::FromRow;

/// Rows of a page.
const PAGE: i64 = 256;
/// Journals are larger.
const CHUNKS: i64 = 32;

#[derive(FromRow)]
pub(super) struct Contact {
    pub id: String,
    pub tenant: String,
    pub flow: String,
    pub hash: String,
    pub content: Option<String>,
    pub channel: String,
    pub caller: String,
    pub called: String,
    pub sip_call_id: Option<String>,
    pub started_at: i64,
    pub ended_at: Option<i64>,
    pub reason: Option<String>,
    pub recording: Option<String>,
}

#[derive(FromRow)]
pub(super) struct Chunk {
    pub contact: String,
    pub seq: i64,
    pub body: String,
}

#[derive(FromRow)]
pub(super) struct Frame {
    pub contact: String,
    pub seq: i64,
    pub body: Vec<u8>,
}

#[derive(FromRow)]
pub(super) struct Chat {
    pub contact: String,
    pub token: Vec<u8>,
}

#[derive(FromRow)]
pub(super) struct Key {
    pub tenant: String,
    pub plugin: String,
    pub key: String,
    pub value: Vec<u8>,
    pub expires_at: Option<i64>,
}

#[derive(FromRow)]
pub(super) struct Kept {
    pub contact: String,
    pub tenant: String,
    pub flow: String,
    pub started_at: i64,
    pub ended_at: i64,
    pub caller: String,
    pub called: String,
    pub failed: i64,
    pub path: String,
    pub body: String,
}

#[derive(FromRow)]
pub(super) struct Forgotten {
    pub id: String,
    pub at: i64,
    pub number: String,
    pub tenant: String,
    pub finished: i64,
    pub contacts: i64,
    pub recordings: i64,
}

#[derive(FromRow)]
pub(super) struct Token {
    pub id: String,
    pub hash: Vec<u8>,
    pub name: String,
    pub role: String,
    pub tenant: String,
    pub made_at: i64,
    pub made_by: String,
    pub expires_at: Option<i64>,
    pub used_at: Option<i64>,
    pub revoked_at: Option<i64>,
}

#[derive(FromRow)]
pub(super) struct User {
    pub name: String,
    pub password: String,
    pub role: String,
    pub tenant: String,
    pub made_at: i64,
    pub made_by: String,
}

#[derive(FromRow)]
pub(super) struct Audit {
    pub id: String,
    pub at: i64,
    pub who: String,
    pub role: String,
    pub tenant: String,
    pub action: String,
    pub object: String,
    pub detail: String,
    pub outcome: String,
}

pub(super) const CONTACTS: (&str, i64) = (
    "SELECT id, tenant, flow, hash, content, channel, caller, called, sip_call_id, started_at, ended_at, reason, \
     recording FROM contacts WHERE id > $1 ORDER BY id LIMIT $2",
    PAGE,
);
pub(super) const JOURNALS: (&str, i64) = (
    "SELECT contact, seq, body FROM chunks WHERE (contact, seq) > ($1, $2) ORDER BY contact, seq LIMIT $3",
    CHUNKS,
);
pub(super) const FRAMES: (&str, i64) = (
    "SELECT contact, seq, body FROM frames WHERE (contact, seq) > ($1, $2) ORDER BY contact, seq LIMIT $3",
    CHUNKS,
);
pub(super) const CHATS: (&str, i64) = (
    "SELECT contact, token FROM chats WHERE contact > $1 ORDER BY contact LIMIT $2",
    PAGE,
);
pub(super) const RECORDS: (&str, i64) = (
    "SELECT contact, tenant, flow, started_at, ended_at, caller, called, failed, path, body FROM records \
     WHERE contact > $1 ORDER BY contact LIMIT $2",
    PAGE,
);
pub(super) const FORGOTTEN: &str =
    "SELECT id, at, number, tenant, finished, contacts, recordings FROM forgotten ORDER BY at";
pub(super) const KEYS: (&str, i64) = (
    "SELECT tenant, plugin, key, value, expires_at FROM kv WHERE (tenant, plugin, key) > ($1, $2, $3) \
     ORDER BY tenant, plugin, key LIMIT $4",
    PAGE,
);
pub(super) const TOKENS: (&str, i64) = (
    "SELECT id, hash, name, role, tenant, made_at, made_by, expires_at, used_at, revoked_at FROM tokens \
     WHERE id > $1 ORDER BY id LIMIT $2",
    PAGE,
);
pub(super) const USERS: (&str, i64) = (
    "SELECT name, password, role, tenant, made_at, made_by FROM users WHERE name > $1 ORDER BY name LIMIT $2",
    PAGE,
);
pub(super) const AUDIT: (&str, i64) = (
    "SELECT id, at, who, role, tenant, action, object, detail, outcome FROM audit WHERE id > $1 ORDER BY id LIMIT $2",
    PAGE,
);

/// Files that tenants pushed: a page may be hundreds of megabytes.
pub(super) const BLOBS: (&str, i64) = (
    "SELECT sha256, bytes FROM blobs WHERE sha256 > $1 ORDER BY sha256 LIMIT $2",
    8,
);
pub(super) const VERSIONS: (&str, i64) = (
    "SELECT tenant, number, name, version, sha256, size, imports, publisher, pushed_at, pushed_by \
     FROM plugin_versions WHERE (tenant, number) > ($1, $2) ORDER BY tenant, number LIMIT $3",
    PAGE,
);
pub(super) const REVISIONS: (&str, i64) = (
    "SELECT tenant, number, content, manifest, note, pushed_at, pushed_by FROM revisions \
     WHERE (tenant, number) > ($1, $2) ORDER BY tenant, number LIMIT $3",
    PAGE,
);
pub(super) const RELEASES: (&str, i64) = (
    "SELECT tenant, number, live, candidate, percent, released_at, released_by FROM releases \
     WHERE (tenant, number) > ($1, $2) ORDER BY tenant, number LIMIT $3",
    PAGE,
);

/// A row of `plugin_versions`.
pub(super) type Version = (
    String,
    i64,
    String,
    String,
    String,
    i64,
    String,
    Option<String>,
    i64,
    String,
);
/// A row of `revisions`.
pub(super) type Revision = (String, i64, String, String, String, i64, String);
/// A row of `releases`.
pub(super) type Release = (String, i64, i64, Option<i64>, i64, i64, String);

/// Copies all rows from one connection to another; contacts lose the engine they ran in, and get the recording that
/// `recording` says. Sessions and answers kept for repeated requests are of the moment, and stay behind. A store of an
/// older program has no records. For every pair of connection types.
macro_rules! copy {
    ($from:expr, $to:expr, $records:expr, $recording:expr) => {{
        use $crate::store::backup::rows::{
            AUDIT, Audit, BLOBS, CHATS, CONTACTS, Chat, Chunk, Contact, FORGOTTEN, FRAMES, Forgotten, Frame, JOURNALS, KEYS, Kept, Key,
            RECORDS, RELEASES, REVISIONS, Release, Revision, TOKENS, Token, USERS, User, VERSIONS, Version,
        };
        let mut after = String::new();
        while $records {
            let page: Vec<Kept> = sqlx::query_as(RECORDS.0)
                .bind(&after)
                .bind(RECORDS.1)
                .fetch_all(&mut *$from)
                .await?;
            let Some(last) = page.last() else { break };
            after = last.contact.clone();
            for kept in page {
                sqlx::query(
                    "INSERT INTO records (contact, tenant, flow, started_at, ended_at, caller, called, failed, path, body) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                )
                .bind(kept.contact)
                .bind(kept.tenant)
                .bind(kept.flow)
                .bind(kept.started_at)
                .bind(kept.ended_at)
                .bind(kept.caller)
                .bind(kept.called)
                .bind(kept.failed)
                .bind(kept.path)
                .bind(kept.body)
                .execute(&mut *$to)
                .await?;
            }
        }
        if $records {
            let lines: Vec<Forgotten> = sqlx::query_as(FORGOTTEN).fetch_all(&mut *$from).await?;
            for line in lines {
                sqlx::query(
                    "INSERT INTO forgotten (id, at, number, tenant, finished, contacts, recordings) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7)",
                )
                .bind(line.id)
                .bind(line.at)
                .bind(line.number)
                .bind(line.tenant)
                .bind(line.finished)
                .bind(line.contacts)
                .bind(line.recordings)
                .execute(&mut *$to)
                .await?;
            }
        }
        let mut after = String::new();
        loop {
            let page: Vec<Contact> = sqlx::query_as(CONTACTS.0)
                .bind(&after)
                .bind(CONTACTS.1)
                .fetch_all(&mut *$from)
                .await?;
            let Some(last) = page.last() else { break };
            after = last.id.clone();
            for contact in page {
                let recording = contact.recording.as_deref().map(|file| $recording(&contact.id, file));
                sqlx::query(
                    "INSERT INTO contacts (id, tenant, flow, hash, content, channel, caller, called, sip_call_id, \
                     started_at, ended_at, reason, recording) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
                )
                .bind(contact.id)
                .bind(contact.tenant)
                .bind(contact.flow)
                .bind(contact.hash)
                .bind(contact.content)
                .bind(contact.channel)
                .bind(contact.caller)
                .bind(contact.called)
                .bind(contact.sip_call_id)
                .bind(contact.started_at)
                .bind(contact.ended_at)
                .bind(contact.reason)
                .bind(recording)
                .execute(&mut *$to)
                .await?;
            }
        }
        let mut after = (String::new(), -1_i64);
        loop {
            let page: Vec<Chunk> = sqlx::query_as(JOURNALS.0)
                .bind(&after.0)
                .bind(after.1)
                .bind(JOURNALS.1)
                .fetch_all(&mut *$from)
                .await?;
            let Some(last) = page.last() else { break };
            after = (last.contact.clone(), last.seq);
            for chunk in page {
                sqlx::query("INSERT INTO chunks (contact, seq, body) VALUES ($1, $2, $3)")
                    .bind(chunk.contact)
                    .bind(chunk.seq)
                    .bind(chunk.body)
                    .execute(&mut *$to)
                    .await?;
            }
        }
        let mut after = (String::new(), -1_i64);
        loop {
            let page: Vec<Frame> = sqlx::query_as(FRAMES.0)
                .bind(&after.0)
                .bind(after.1)
                .bind(FRAMES.1)
                .fetch_all(&mut *$from)
                .await?;
            let Some(last) = page.last() else { break };
            after = (last.contact.clone(), last.seq);
            for frame in page {
                sqlx::query("INSERT INTO frames (contact, seq, body) VALUES ($1, $2, $3)")
                    .bind(frame.contact)
                    .bind(frame.seq)
                    .bind(frame.body)
                    .execute(&mut *$to)
                    .await?;
            }
        }
        let mut after = String::new();
        loop {
            let page: Vec<Chat> = sqlx::query_as(CHATS.0)
                .bind(&after)
                .bind(CHATS.1)
                .fetch_all(&mut *$from)
                .await?;
            let Some(last) = page.last() else { break };
            after = last.contact.clone();
            for chat in page {
                sqlx::query("INSERT INTO chats (contact, token) VALUES ($1, $2)")
                    .bind(chat.contact)
                    .bind(chat.token)
                    .execute(&mut *$to)
                    .await?;
            }
        }
        let mut after = (String::new(), String::new(), String::new());
        loop {
            let page: Vec<Key> = sqlx::query_as(KEYS.0)
                .bind(&after.0)
                .bind(&after.1)
                .bind(&after.2)
                .bind(KEYS.1)
                .fetch_all(&mut *$from)
                .await?;
            let Some(last) = page.last() else { break };
            after = (last.tenant.clone(), last.plugin.clone(), last.key.clone());
            for key in page {
                sqlx::query(
                    "INSERT INTO kv (tenant, plugin, key, value, expires_at) VALUES ($1, $2, $3, $4, $5)",
                )
                .bind(key.tenant)
                .bind(key.plugin)
                .bind(key.key)
                .bind(key.value)
                .bind(key.expires_at)
                .execute(&mut *$to)
                .await?;
            }
        }
        let mut after = String::new();
        loop {
            let page: Vec<Token> = sqlx::query_as(TOKENS.0)
                .bind(&after)
                .bind(TOKENS.1)
                .fetch_all(&mut *$from)
                .await?;
            let Some(last) = page.last() else { break };
            after = last.id.clone();
            for token in page {
                sqlx::query(
                    "INSERT INTO tokens (id, hash, name, role, tenant, made_at, made_by, expires_at, used_at, \
                     revoked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                )
                .bind(token.id)
                .bind(token.hash)
                .bind(token.name)
                .bind(token.role)
                .bind(token.tenant)
                .bind(token.made_at)
                .bind(token.made_by)
                .bind(token.expires_at)
                .bind(token.used_at)
                .bind(token.revoked_at)
                .execute(&mut *$to)
                .await?;
            }
        }
        let mut after = String::new();
        loop {
            let page: Vec<User> = sqlx::query_as(USERS.0)
                .bind(&after)
                .bind(USERS.1)
                .fetch_all(&mut *$from)
                .await?;
            let Some(last) = page.last() else { break };
            after = last.name.clone();
            for user in page {
                sqlx::query(
                    "INSERT INTO users (name, password, role, tenant, made_at, made_by) \
                     VALUES ($1, $2, $3, $4, $5, $6)",
                )
                .bind(user.name)
                .bind(user.password)
                .bind(user.role)
                .bind(user.tenant)
                .bind(user.made_at)
                .bind(user.made_by)
                .execute(&mut *$to)
                .await?;
            }
        }
        let mut after = String::new();
        loop {
            let page: Vec<Audit> = sqlx::query_as(AUDIT.0)
                .bind(&after)
                .bind(AUDIT.1)
                .fetch_all(&mut *$from)
                .await?;
            let Some(last) = page.last() else { break };
            after = last.id.clone();
            for line in page {
                sqlx::query(
                    "INSERT INTO audit (id, at, who, role, tenant, action, object, detail, outcome) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                )
                .bind(line.id)
                .bind(line.at)
                .bind(line.who)
                .bind(line.role)
                .bind(line.tenant)
                .bind(line.action)
                .bind(line.object)
                .bind(line.detail)
                .bind(line.outcome)
                .execute(&mut *$to)
                .await?;
            }
        }
        let mut after = String::new();
        loop {
            let page: Vec<(String, Vec<u8>)> = sqlx::query_as(BLOBS.0)
                .bind(&after)
                .bind(BLOBS.1)
                .fetch_all(&mut *$from)
                .await?;
            let Some(last) = page.last() else { break };
            after = last.0.clone();
            for (sha256, bytes) in page {
                sqlx::query("INSERT INTO blobs (sha256, bytes) VALUES ($1, $2)")
                    .bind(sha256)
                    .bind(bytes)
                    .execute(&mut *$to)
                    .await?;
            }
        }
        let mut after = (String::new(), -1_i64);
        loop {
            let page: Vec<Version> = sqlx::query_as(VERSIONS.0)
                .bind(&after.0)
                .bind(after.1)
                .bind(VERSIONS.1)
                .fetch_all(&mut *$from)
                .await?;
            let Some(last) = page.last() else { break };
            after = (last.0.clone(), last.1);
            for row in page {
                sqlx::query(
                    "INSERT INTO plugin_versions (tenant, number, name, version, sha256, size, imports, publisher, \
                     pushed_at, pushed_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                )
                .bind(row.0)
                .bind(row.1)
                .bind(row.2)
                .bind(row.3)
                .bind(row.4)
                .bind(row.5)
                .bind(row.6)
                .bind(row.7)
                .bind(row.8)
                .bind(row.9)
                .execute(&mut *$to)
                .await?;
            }
        }
        let mut after = (String::new(), -1_i64);
        loop {
            let page: Vec<Revision> = sqlx::query_as(REVISIONS.0)
                .bind(&after.0)
                .bind(after.1)
                .bind(REVISIONS.1)
                .fetch_all(&mut *$from)
                .await?;
            let Some(last) = page.last() else { break };
            after = (last.0.clone(), last.1);
            for row in page {
                sqlx::query(
                    "INSERT INTO revisions (tenant, number, content, manifest, note, pushed_at, pushed_by) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7)",
                )
                .bind(row.0)
                .bind(row.1)
                .bind(row.2)
                .bind(row.3)
                .bind(row.4)
                .bind(row.5)
                .bind(row.6)
                .execute(&mut *$to)
                .await?;
            }
        }
        let mut after = (String::new(), -1_i64);
        loop {
            let page: Vec<Release> = sqlx::query_as(RELEASES.0)
                .bind(&after.0)
                .bind(after.1)
                .bind(RELEASES.1)
                .fetch_all(&mut *$from)
                .await?;
            let Some(last) = page.last() else { break };
            after = (last.0.clone(), last.1);
            for row in page {
                sqlx::query(
                    "INSERT INTO releases (tenant, number, live, candidate, percent, released_at, released_by) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7)",
                )
                .bind(row.0)
                .bind(row.1)
                .bind(row.2)
                .bind(row.3)
                .bind(row.4)
                .bind(row.5)
                .bind(row.6)
                .execute(&mut *$to)
                .await?;
            }
        }
    }};
}
pub(super) use copy;
