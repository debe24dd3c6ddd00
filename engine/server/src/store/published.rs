//! What tenants publish: plugins' versions, revisions, and which of them is live.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::audit::{Audited, Change, audit};
use super::{Database, Store, StoreError};

/// Files of a revision, by path below the project's folder: each one's SHA-256.
pub type Files = BTreeMap<String, String>;

/// What a revision is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema, Deserialize)]
pub struct Manifest {
    /// The files.
    pub files: Files,
    /// What its plugins may touch, by plugin: `kv`, `route`, `http api.example:443`.
    pub capabilities: BTreeMap<String, Vec<String>>,
    /// Who had signed each of its plugins when it was pushed; null for nobody. A plugin that is missing here came by an older
    /// program.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub publishers: BTreeMap<String, Option<String>>,
}

/// A version of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PluginVersion {
    /// Counts the versions of the tenant, from 1.
    pub number: u64,
    /// The plugin.
    pub name: String,
    /// Its version, by semantic versioning.
    pub version: String,
    /// Of the component.
    pub sha256: String,
    /// Of the component, in bytes.
    pub size: u64,
    /// The capabilities that it imports.
    pub imports: Vec<String>,
    /// Whose signature it carries.
    #[schema(required)]
    pub publisher: Option<String>,
    /// That signature, Ed25519; none where none came, or it came to a program that did not keep it yet.
    #[serde(skip)]
    pub signature: Option<Vec<u8>>,
    /// When it came, in milliseconds since 1970.
    pub pushed_at: u64,
    /// Who brought it.
    pub pushed_by: String,
}

/// A revision of a tenant's project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Revision {
    /// From 1, in the order of coming.
    pub number: u64,
    /// SHA-256 over its flows and plugins, as contacts' records have it.
    pub content: String,
    /// What it is made of.
    pub manifest: Manifest,
    /// What its maker says of it.
    pub note: String,
    /// When it came, in milliseconds since 1970.
    pub pushed_at: u64,
    /// Who brought it.
    pub pushed_by: String,
}

/// Which revisions contacts walk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Release {
    /// From 1; the highest one holds.
    pub number: u64,
    /// The revision that is live.
    pub live: u64,
    /// The revision that some callers get instead.
    #[schema(required)]
    pub candidate: Option<u64>,
    /// How many of a hundred callers that are.
    pub percent: u8,
    /// The release that this one brought back, where it is a roll-back.
    #[schema(required)]
    pub restores: Option<u64>,
    /// Since when, in milliseconds since 1970.
    pub released_at: u64,
    /// Who released it.
    pub released_by: String,
}

/// A revision to be kept, with whatever of it is new.
#[derive(Debug)]
pub struct NewRevision<'a> {
    /// As in [`Revision::content`].
    pub content: &'a str,
    /// What it is made of.
    pub manifest: &'a Manifest,
    /// Its files, by SHA-256.
    pub blobs: &'a BTreeMap<String, Vec<u8>>,
    /// Its plugins that are new, and those that are there and come signed anew.
    pub versions: &'a [PluginVersion],
    /// What its maker says of it.
    pub note: &'a str,
    /// Who brings it and when, for the audit log; its object is completed by the revision's number.
    pub change: &'a Change,
}

/// Why nothing was published.
#[derive(Debug, thiserror::Error)]
pub enum PublishedError {
    /// The version is there with other bytes.
    #[error(
        "{name}@{version} is there already with other bytes (sha256 {known}): a version is never overwritten; raise the version"
    )]
    Taken {
        /// The plugin.
        name: String,
        /// Its version.
        version: String,
        /// What is there.
        known: String,
    },
    /// Somebody else released meanwhile.
    #[error("release {found} holds by now, not {expected}: look at it and decide again")]
    Overtaken {
        /// What was expected to hold; 0 for none.
        expected: u64,
        /// What holds.
        found: u64,
    },
    /// What shall be released went meanwhile.
    #[error(
        "revision {revision} is kept no longer (limits.revisions): release one that is, or push it again"
    )]
    Gone {
        /// Its number.
        revision: u64,
    },
    /// The store itself.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for PublishedError {
    fn from(error: sqlx::Error) -> PublishedError {
        PublishedError::Store(error.into())
    }
}

impl Store {
    /// Keeps plugins' versions and, in the same transaction, a revision with its files and the line of the audit log; gives
    /// the revision's number.
    pub async fn publish(
        &self,
        tenant: &str,
        new: NewRevision<'_>,
    ) -> Result<(u64, Audited), PublishedError> {
        self.reachable()?;
        let lock = self.publishing_lock();
        let manifest = json(new.manifest);
        let change = new.change;
        each!(self, pool => async {
            let mut transaction = pool.begin().await?;
            if let Some([turn, files]) = lock {
                sqlx::query(turn).bind(tenant).execute(&mut *transaction).await?;
                sqlx::query(files).execute(&mut *transaction).await?;
            }
            for (sha256, bytes) in new.blobs {
                sqlx::query("INSERT INTO blobs (sha256, bytes) VALUES ($1, $2) ON CONFLICT DO NOTHING")
                    .bind(sha256)
                    .bind(bytes.as_slice())
                    .execute(&mut *transaction)
                    .await?;
            }
            for version in new.versions {
                sqlx::query(PUT_VERSION)
                    .bind(tenant)
                    .bind(&version.name)
                    .bind(&version.version)
                    .bind(&version.sha256)
                    .bind(number_of(version.size))
                    .bind(json(&version.imports))
                    .bind(&version.publisher)
                    .bind(&version.signature)
                    .bind(number_of(version.pushed_at))
                    .bind(&version.pushed_by)
                    .execute(&mut *transaction)
                    .await?;
                let known: String = sqlx::query_scalar(
                    "SELECT sha256 FROM plugin_versions WHERE tenant = $1 AND name = $2 AND version = $3",
                )
                .bind(tenant)
                .bind(&version.name)
                .bind(&version.version)
                .fetch_one(&mut *transaction)
                .await?;
                if known != version.sha256 {
                    return Ok(Err(PublishedError::Taken {
                        name: version.name.clone(),
                        version: version.version.clone(),
                        known,
                    }));
                }
            }
            let number: i64 = sqlx::query_scalar(PUT_REVISION)
                .bind(tenant)
                .bind(new.content)
                .bind(&manifest)
                .bind(new.note)
                .bind(number_of(change.at))
                .bind(&change.who)
                .fetch_one(&mut *transaction)
                .await?;
            let number = unsigned(number);
            let change = change.numbered(tenant, number);
            let audited = audit!(&mut *transaction, &change)?;
            transaction.commit().await?;
            Ok::<_, sqlx::Error>(Ok((number, audited)))
        })?
    }

    /// The plugins' versions of a tenant, or of one plugin, newest first.
    pub async fn plugin_versions(
        &self,
        tenant: &str,
        name: Option<&str>,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<PluginVersion>, StoreError> {
        self.reachable()?;
        let rows: Vec<VersionRow> = each!(self, pool => sqlx::query_as(VERSIONS)
            .bind(tenant)
            .bind(name)
            .bind(before.map_or(i64::MAX, number_of))
            .bind(i64::from(limit))
            .fetch_all(pool))?;
        Ok(rows.into_iter().map(PluginVersion::from).collect())
    }

    /// A revision.
    pub async fn revision(
        &self,
        tenant: &str,
        number: u64,
    ) -> Result<Option<Revision>, StoreError> {
        let before = number.saturating_add(1);
        let found = self.revisions(tenant, Some(before), 1).await?;
        Ok(found.into_iter().find(|found| found.number == number))
    }

    /// The newest revision of a content.
    pub async fn revision_of(
        &self,
        tenant: &str,
        content: &str,
    ) -> Result<Option<u64>, StoreError> {
        self.reachable()?;
        let number: Option<i64> = each!(self, pool => sqlx::query_scalar(
            "SELECT MAX(number) FROM revisions WHERE tenant = $1 AND content = $2")
            .bind(tenant)
            .bind(content)
            .fetch_one(pool))?;
        Ok(number.map(unsigned))
    }

    /// A tenant's revisions of this content, the newest first, at most `limit`: they differ in what is no part of it, such as
    /// routes and the configuration of plugins.
    pub async fn revisions_of(
        &self,
        tenant: &str,
        content: &str,
        limit: u32,
    ) -> Result<Vec<u64>, StoreError> {
        self.reachable()?;
        let numbers: Vec<i64> = each!(self, pool => sqlx::query_scalar(
            "SELECT number FROM revisions WHERE tenant = $1 AND content = $2 ORDER BY number DESC LIMIT $3")
            .bind(tenant)
            .bind(content)
            .bind(i64::from(limit))
            .fetch_all(pool))?;
        Ok(numbers.into_iter().map(unsigned).collect())
    }

    /// What a tenant had released at a time, in milliseconds since 1970; none before its first release.
    pub async fn released_at(&self, tenant: &str, at: u64) -> Result<Option<Release>, StoreError> {
        self.reachable()?;
        let row: Option<ReleaseRow> = each!(self, pool => sqlx::query_as(RELEASED_AT)
            .bind(tenant)
            .bind(number_of(at))
            .fetch_optional(pool))?;
        Ok(row.map(Release::from))
    }

    /// A tenant's revisions, newest first, from the one before a number on.
    pub async fn revisions(
        &self,
        tenant: &str,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Revision>, StoreError> {
        self.reachable()?;
        let rows: Vec<RevisionRow> = each!(self, pool => sqlx::query_as(REVISIONS)
            .bind(tenant)
            .bind(before.map_or(i64::MAX, number_of))
            .bind(i64::from(limit))
            .fetch_all(pool))?;
        rows.into_iter().map(Revision::read).collect()
    }

    /// Revisions that came since a time in milliseconds since 1970.
    pub async fn revisions_since(&self, tenant: &str, since: u64) -> Result<u64, StoreError> {
        self.reachable()?;
        let count: i64 = each!(self, pool => sqlx::query_scalar(
            "SELECT COUNT(*) FROM revisions WHERE tenant = $1 AND pushed_at >= $2")
            .bind(tenant)
            .bind(number_of(since))
            .fetch_one(pool))?;
        Ok(unsigned(count))
    }

    /// A file by its SHA-256.
    pub async fn blob(&self, sha256: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.reachable()?;
        Ok(
            each!(self, pool => sqlx::query_scalar("SELECT bytes FROM blobs WHERE sha256 = $1")
            .bind(sha256)
            .fetch_optional(pool))?,
        )
    }

    /// Which revisions a tenant's contacts walk; none before the first release.
    pub async fn released(&self, tenant: &str) -> Result<Option<Release>, StoreError> {
        Ok(self.releases(tenant, None, 1).await?.into_iter().next())
    }

    /// A tenant's releases, newest first, from the one before a number on.
    pub async fn releases(
        &self,
        tenant: &str,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<Release>, StoreError> {
        self.reachable()?;
        let rows: Vec<ReleaseRow> = each!(self, pool => sqlx::query_as(RELEASES)
            .bind(tenant)
            .bind(before.map_or(i64::MAX, number_of))
            .bind(i64::from(limit))
            .fetch_all(pool))?;
        Ok(rows.into_iter().map(Release::from).collect())
    }

    /// Releases what is there, if release `expected` (0 for none) still holds; `release.number` is chosen here. The line of the audit log,
    /// whose object that number completes, is written with it.
    pub async fn release(
        &self,
        tenant: &str,
        expected: u64,
        release: &Release,
        change: &Change,
    ) -> Result<(u64, Audited), PublishedError> {
        self.reachable()?;
        let number = expected.saturating_add(1);
        let change = &change.numbered(tenant, number);
        let lock = self.publishing_lock();
        let revisions: Vec<u64> = std::iter::once(release.live)
            .chain(release.candidate)
            .collect();
        let done = each!(self, pool => async {
            let mut transaction = pool.begin().await?;
            if let Some([turn, files]) = lock {
                sqlx::query(turn).bind(tenant).execute(&mut *transaction).await?;
                sqlx::query(files).execute(&mut *transaction).await?;
            }
            let done = sqlx::query(PUT_RELEASE)
                .bind(tenant)
                .bind(number_of(number))
                .bind(number_of(release.live))
                .bind(release.candidate.map(number_of))
                .bind(i64::from(release.percent))
                .bind(release.restores.map(number_of))
                .bind(number_of(release.released_at))
                .bind(&release.released_by)
                .bind(number_of(expected))
                .execute(&mut *transaction)
                .await?;
            if done.rows_affected() != 1 {
                return Ok(Ok(None));
            }
            for revision in &revisions {
                let there: bool = sqlx::query_scalar(HAS_REVISION)
                    .bind(tenant)
                    .bind(number_of(*revision))
                    .fetch_one(&mut *transaction)
                    .await?;
                if !there {
                    return Ok(Err(PublishedError::Gone { revision: *revision }));
                }
            }
            let audited = audit!(&mut *transaction, change)?;
            transaction.commit().await?;
            Ok::<_, sqlx::Error>(Ok(Some(audited)))
        })??;
        if let Some(audited) = done {
            return Ok((number, audited));
        }
        let found = self.released(tenant).await?;
        Err(PublishedError::Overtaken {
            expected,
            found: found.map_or(0, |release| release.number),
        })
    }

    /// The newest release of each tenant that has one, by its number.
    pub async fn releases_now(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        self.reachable()?;
        let rows: Vec<(String, i64)> = each!(self, pool => sqlx::query_as(
            "SELECT tenant, MAX(number) FROM releases GROUP BY tenant").fetch_all(pool))?;
        let numbers = rows
            .into_iter()
            .map(|(tenant, number)| (tenant, unsigned(number)));
        Ok(numbers.collect())
    }

    /// Whether engines on other machines may write into it too.
    pub fn shared(&self) -> bool {
        matches!(self.database, Database::Server(_))
    }

    /// What the revisions of all tenants are made of, by tenant and number, behind one of them.
    pub async fn manifests(
        &self,
        after: &(String, u64),
        limit: u32,
    ) -> Result<Vec<(String, u64, Manifest)>, StoreError> {
        self.reachable()?;
        let rows: Vec<(String, i64, String)> = each!(self, pool => sqlx::query_as(
            "SELECT tenant, number, manifest FROM revisions WHERE (tenant, number) > ($1, $2) \
             ORDER BY tenant, number LIMIT $3")
            .bind(&after.0)
            .bind(number_of(after.1))
            .bind(i64::from(limit))
            .fetch_all(pool))?;
        rows.into_iter()
            .map(|(tenant, number, manifest)| {
                let manifest = serde_json::from_str(&manifest)
                    .map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
                Ok((tenant, unsigned(number), manifest))
            })
            .collect()
    }

    /// Of two that publish for one tenant the second waits, and no file goes while somebody publishes; SQLite has one
    /// writer anyway.
    pub(super) fn publishing_lock(&self) -> Option<[&'static str; 2]> {
        match &self.database {
            Database::File(_) => None,
            Database::Server(_) => Some([
                "SELECT pg_advisory_xact_lock(hashtext('publish'), hashtext($1))",
                "SELECT pg_advisory_xact_lock_shared(hashtext('files'))",
            ]),
        }
    }
}

const PUT_VERSION: &str = "INSERT INTO plugin_versions \
     (tenant, number, name, version, sha256, size, imports, publisher, signature, pushed_at, pushed_by) \
     SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3, $4, $5, $6, $7, $8, $9, $10 FROM plugin_versions WHERE tenant = $1 \
     ON CONFLICT (tenant, name, version) DO UPDATE SET publisher = excluded.publisher, signature = excluded.signature \
     WHERE excluded.signature IS NOT NULL AND plugin_versions.sha256 = excluded.sha256";
const PUT_REVISION: &str = "INSERT INTO revisions (tenant, number, content, manifest, note, pushed_at, pushed_by) \
     SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3, $4, $5, $6 FROM revisions WHERE tenant = $1 RETURNING number";
const VERSIONS: &str = "SELECT number, name, version, sha256, size, imports, publisher, signature, pushed_at, pushed_by \
     FROM plugin_versions WHERE tenant = $1 AND ($2 IS NULL OR name = $2) AND number < $3 ORDER BY number DESC LIMIT $4";
const REVISIONS: &str = "SELECT number, content, manifest, note, pushed_at, pushed_by FROM revisions \
     WHERE tenant = $1 AND number < $2 ORDER BY number DESC LIMIT $3";
const RELEASES: &str = "SELECT number, live, candidate, percent, restores, released_at, released_by FROM releases \
     WHERE tenant = $1 AND number < $2 ORDER BY number DESC LIMIT $3";
const HAS_REVISION: &str =
    "SELECT EXISTS (SELECT 1 FROM revisions WHERE tenant = $1 AND number = $2)";
const RELEASED_AT: &str = "SELECT number, live, candidate, percent, restores, released_at, released_by FROM releases \
     WHERE tenant = $1 AND released_at <= $2 ORDER BY number DESC LIMIT 1";
const PUT_RELEASE: &str = "INSERT INTO releases (tenant, number, live, candidate, percent, restores, released_at, released_by) \
     SELECT $1, $2, $3, $4, $5, $6, $7, $8 \
     WHERE $9 = (SELECT COALESCE(MAX(number), 0) FROM releases WHERE tenant = $1) ON CONFLICT DO NOTHING";

#[derive(sqlx::FromRow)]
struct VersionRow {
    number: i64,
    name: String,
    version: String,
    sha256: String,
    size: i64,
    imports: String,
    publisher: Option<String>,
    signature: Option<Vec<u8>>,
    pushed_at: i64,
    pushed_by: String,
}

impl From<VersionRow> for PluginVersion {
    fn from(row: VersionRow) -> PluginVersion {
        PluginVersion {
            number: unsigned(row.number),
            name: row.name,
            version: row.version,
            sha256: row.sha256,
            size: unsigned(row.size),
            // Written by `json` below.
            imports: serde_json::from_str(&row.imports).unwrap_or_default(),
            publisher: row.publisher,
            signature: row.signature,
            pushed_at: unsigned(row.pushed_at),
            pushed_by: row.pushed_by,
        }
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct RevisionRow {
    number: i64,
    content: String,
    manifest: String,
    note: String,
    pushed_at: i64,
    pushed_by: String,
}

impl Revision {
    pub(super) fn read(row: RevisionRow) -> Result<Revision, StoreError> {
        let manifest = serde_json::from_str(&row.manifest)
            .map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        Ok(Revision {
            number: unsigned(row.number),
            content: row.content,
            manifest,
            note: row.note,
            pushed_at: unsigned(row.pushed_at),
            pushed_by: row.pushed_by,
        })
    }
}

#[derive(sqlx::FromRow)]
struct ReleaseRow {
    number: i64,
    live: i64,
    candidate: Option<i64>,
    percent: i64,
    restores: Option<i64>,
    released_at: i64,
    released_by: String,
}

impl From<ReleaseRow> for Release {
    fn from(row: ReleaseRow) -> Release {
        Release {
            number: unsigned(row.number),
            live: unsigned(row.live),
            candidate: row.candidate.map(unsigned),
            percent: u8::try_from(row.percent).unwrap_or(0),
            restores: row.restores.map(unsigned),
            released_at: unsigned(row.released_at),
            released_by: row.released_by,
        }
    }
}

pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("maps and lists of texts are JSON")
}

pub(super) fn number_of(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
