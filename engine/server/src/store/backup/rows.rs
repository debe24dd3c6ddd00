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
pub(super) struct Rungs {
    pub contact: String,
    pub leg: i64,
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
pub(super) const LADDERS: (&str, i64) = (
    "SELECT contact, leg, seq, body FROM ladders WHERE (contact, leg, seq) > ($1, $2, $3) ORDER BY contact, leg, seq LIMIT $4",
    CHUNKS,
);
pub(super) const CALL_IDS: (&str, i64) = (
    "SELECT contact, call_id FROM call_ids WHERE (contact, call_id) > ($1, $2) ORDER BY contact, call_id LIMIT $3",
    PAGE,
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
    "SELECT tenant, number, name, version, sha256, size, imports, publisher, signature, pushed_at, pushed_by \
     FROM plugin_versions WHERE (tenant, number) > ($1, $2) ORDER BY tenant, number LIMIT $3",
    PAGE,
);
pub(super) const REVISIONS: (&str, i64) = (
    "SELECT tenant, number, content, manifest, note, pushed_at, pushed_by FROM revisions \
     WHERE (tenant, number) > ($1, $2) ORDER BY tenant, number LIMIT $3",
    PAGE,
);
pub(super) const RELEASES: (&str, i64) = (
    "SELECT tenant, number, live, candidate, percent, restores, released_at, released_by FROM releases \
     WHERE (tenant, number) > ($1, $2) ORDER BY tenant, number LIMIT $3",
    PAGE,
);
/// The same of a program that kept no signatures, and did not note which releases are roll-backs.
pub(super) const VERSIONS_UNSIGNED: (&str, i64) = (
    "SELECT tenant, number, name, version, sha256, size, imports, publisher, CAST(NULL AS BYTEA), pushed_at, pushed_by \
     FROM plugin_versions WHERE (tenant, number) > ($1, $2) ORDER BY tenant, number LIMIT $3",
    PAGE,
);
pub(super) const RELEASES_FORWARD: (&str, i64) = (
    "SELECT tenant, number, live, candidate, percent, CAST(NULL AS BIGINT), released_at, released_by FROM releases \
     WHERE (tenant, number) > ($1, $2) ORDER BY tenant, number LIMIT $3",
    PAGE,
);

pub(super) const VAULT: (&str, i64) = (
    "SELECT tenant, name, hosts, key, sealed, set_at, set_by FROM vault WHERE (tenant, name) > ($1, $2) \
     ORDER BY tenant, name LIMIT $3",
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
    Option<Vec<u8>>,
    i64,
    String,
);
/// A row of `revisions`.
pub(super) type Revision = (String, i64, String, String, String, i64, String);
/// A row of `releases`.
pub(super) type Release = (String, i64, i64, Option<i64>, i64, Option<i64>, i64, String);

/// Copies one table, a page after the other: rows behind `last` by the cursor, each of them into the other side.
macro_rules! table {
    (
        $from:expr, $to:expr, $page:ident: $row:ty,
        $last:ident after [$($cursor:ident = $start:expr => $next:expr),+],
        $insert:expr,
        $each:ident into [$($value:expr),+]
    ) => {{
        $(let mut $cursor = $start;)+
        loop {
            let page: Vec<$row> = sqlx::query_as($page.0)
                $(.bind(&$cursor))+
                .bind($page.1)
                .fetch_all(&mut *$from)
                .await?;
            let Some($last) = page.last() else { break };
            ($($cursor,)+) = ($($next,)+);
            for $each in page {
                sqlx::query($insert)
                    $(.bind($value))+
                    .execute(&mut *$to)
                    .await?;
            }
        }
    }};
}
pub(super) use table;

/// Copies all rows from one connection to another; contacts lose the engine they ran in, and get the recording that
/// `recording` says. Sessions and answers kept for repeated requests are of the moment, and stay behind. A store of an
/// older program has no records, no vault, no ladders, no further calls or no signatures. For every pair of connection types.
macro_rules! copy {
    ($from:expr, $to:expr, $records:expr, $vault:expr, $ladders:expr, $call_ids:expr, $signed:expr, $recording:expr) => {{
        use $crate::store::backup::rows::{
            AUDIT, Audit, BLOBS, CALL_IDS, CHATS, CONTACTS, Chat, Chunk, Contact, FORGOTTEN, FRAMES, Forgotten, Frame, JOURNALS, KEYS, Kept, Key, LADDERS,
            RECORDS, RELEASES, RELEASES_FORWARD, REVISIONS, Release, Revision, Rungs, TOKENS, Token, USERS, User, VAULT, VERSIONS,
            VERSIONS_UNSIGNED, Version, table,
        };
        let (versions, releases) = match $signed {
            true => (VERSIONS, RELEASES),
            false => (VERSIONS_UNSIGNED, RELEASES_FORWARD),
        };
        if $records {
            table!(
                $from, $to, RECORDS: Kept,
                last after [contact = String::new() => last.contact.clone()],
                "INSERT INTO records (contact, tenant, flow, started_at, ended_at, caller, called, failed, path, body) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                kept into [kept.contact, kept.tenant, kept.flow, kept.started_at, kept.ended_at, kept.caller, kept.called, kept.failed, kept.path, kept.body]
            );
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
        table!(
            $from, $to, CONTACTS: Contact,
            last after [id = String::new() => last.id.clone()],
            "INSERT INTO contacts (id, tenant, flow, hash, content, channel, caller, called, sip_call_id, started_at, ended_at, reason, recording) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            contact into [contact.id.clone(), contact.tenant, contact.flow, contact.hash, contact.content, contact.channel, contact.caller, contact.called, contact.sip_call_id, contact.started_at, contact.ended_at, contact.reason, contact.recording.as_deref().map(|file| $recording(&contact.id, file))]
        );
        table!(
            $from, $to, JOURNALS: Chunk,
            last after [contact = String::new() => last.contact.clone(), seq = -1_i64 => last.seq],
            "INSERT INTO chunks (contact, seq, body) \
             VALUES ($1, $2, $3)",
            chunk into [chunk.contact, chunk.seq, chunk.body]
        );
        table!(
            $from, $to, FRAMES: Frame,
            last after [contact = String::new() => last.contact.clone(), seq = -1_i64 => last.seq],
            "INSERT INTO frames (contact, seq, body) \
             VALUES ($1, $2, $3)",
            chunk into [chunk.contact, chunk.seq, chunk.body]
        );
        if $ladders {
            table!(
                $from, $to, LADDERS: Rungs,
                last after [contact = String::new() => last.contact.clone(), leg = -1_i64 => last.leg, seq = -1_i64 => last.seq],
                "INSERT INTO ladders (contact, leg, seq, body) \
                 VALUES ($1, $2, $3, $4)",
                rungs into [rungs.contact, rungs.leg, rungs.seq, rungs.body]
            );
        }
        if $call_ids {
            table!(
                $from, $to, CALL_IDS: (String, String),
                last after [contact = String::new() => last.0.clone(), call_id = String::new() => last.1.clone()],
                "INSERT INTO call_ids (contact, call_id) \
                 VALUES ($1, $2)",
                row into [row.0, row.1]
            );
        }
        table!(
            $from, $to, CHATS: Chat,
            last after [contact = String::new() => last.contact.clone()],
            "INSERT INTO chats (contact, token) \
             VALUES ($1, $2)",
            chat into [chat.contact, chat.token]
        );
        table!(
            $from, $to, KEYS: Key,
            last after [tenant = String::new() => last.tenant.clone(), plugin = String::new() => last.plugin.clone(), name = String::new() => last.key.clone()],
            "INSERT INTO kv (tenant, plugin, key, value, expires_at) \
             VALUES ($1, $2, $3, $4, $5)",
            key into [key.tenant, key.plugin, key.key, key.value, key.expires_at]
        );
        table!(
            $from, $to, TOKENS: Token,
            last after [id = String::new() => last.id.clone()],
            "INSERT INTO tokens (id, hash, name, role, tenant, made_at, made_by, expires_at, used_at, revoked_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            token into [token.id, token.hash, token.name, token.role, token.tenant, token.made_at, token.made_by, token.expires_at, token.used_at, token.revoked_at]
        );
        table!(
            $from, $to, USERS: User,
            last after [name = String::new() => last.name.clone()],
            "INSERT INTO users (name, password, role, tenant, made_at, made_by) \
             VALUES ($1, $2, $3, $4, $5, $6)",
            user into [user.name, user.password, user.role, user.tenant, user.made_at, user.made_by]
        );
        table!(
            $from, $to, AUDIT: Audit,
            last after [id = String::new() => last.id.clone()],
            "INSERT INTO audit (id, at, who, role, tenant, action, object, detail, outcome) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            line into [line.id, line.at, line.who, line.role, line.tenant, line.action, line.object, line.detail, line.outcome]
        );
        table!(
            $from, $to, BLOBS: (String, Vec<u8>),
            last after [sha256 = String::new() => last.0.clone()],
            "INSERT INTO blobs (sha256, bytes) \
             VALUES ($1, $2)",
            row into [row.0, row.1]
        );
        table!(
            $from, $to, versions: Version,
            last after [tenant = String::new() => last.0.clone(), number = -1_i64 => last.1],
            "INSERT INTO plugin_versions (tenant, number, name, version, sha256, size, imports, publisher, signature, pushed_at, pushed_by) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
            row into [row.0, row.1, row.2, row.3, row.4, row.5, row.6, row.7, row.8, row.9, row.10]
        );
        table!(
            $from, $to, REVISIONS: Revision,
            last after [tenant = String::new() => last.0.clone(), number = -1_i64 => last.1],
            "INSERT INTO revisions (tenant, number, content, manifest, note, pushed_at, pushed_by) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            row into [row.0, row.1, row.2, row.3, row.4, row.5, row.6]
        );
        table!(
            $from, $to, releases: Release,
            last after [tenant = String::new() => last.0.clone(), number = -1_i64 => last.1],
            "INSERT INTO releases (tenant, number, live, candidate, percent, restores, released_at, released_by) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            row into [row.0, row.1, row.2, row.3, row.4, row.5, row.6, row.7]
        );
        if $vault {
            table!(
            $from, $to, VAULT: $crate::store::VaultRow,
            last after [tenant = String::new() => last.tenant.clone(), name = String::new() => last.name.clone()],
            "INSERT INTO vault (tenant, name, hosts, key, sealed, set_at, set_by) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            row into [row.tenant, row.name, row.hosts, row.key, row.sealed, row.set_at, row.set_by]
            );
        }
    }};
}
pub(super) use copy;
