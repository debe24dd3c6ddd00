//! Revisions in the store, for whoever looks at them without serving them.

use std::path::{Path, PathBuf};

use strowger_flow::unseen::quoted;

use super::tree::{self, NotLaidOut};
use crate::store::{Revision, Store, StoreError};

/// Which of a tenant's revisions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Which {
    /// The one that is live.
    Live,
    /// The newest one that is not live.
    Draft,
    /// The one of this number.
    Number(u64),
    /// The newest one with this content; the live one where there is none.
    Content(String),
}

/// Why there is no such revision.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotStored {
    /// The tenant has pushed nothing, or there is none of this name.
    #[error(
        "tenant {0} has pushed no revision into this store: `strowger push` does; or name a project's folder with --project or --on"
    )]
    Nothing(String),
    /// Nothing was released.
    #[error("tenant {tenant} has released nothing yet: say which revision, as in --on {newest}")]
    NothingLive {
        /// Whose.
        tenant: String,
        /// Its newest revision.
        newest: u64,
    },
    /// All there is is live.
    #[error("tenant {0} has no revision beside the live one: push the draft first")]
    NoDraft(String),
    /// No revision has this number.
    #[error("tenant {tenant} has no revision {number}, its newest is {newest}")]
    NoNumber {
        /// Whose.
        tenant: String,
        /// What was asked for.
        number: u64,
        /// Its newest revision.
        newest: u64,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The data folder.
    #[error("revision {number} cannot be laid out below {data}: {why}")]
    Folder {
        /// Which.
        number: u64,
        /// The data folder.
        data: String,
        /// Why.
        why: String,
    },
}

/// Finds a revision.
pub(crate) async fn find(
    store: &Store,
    tenant: &str,
    which: &Which,
) -> Result<Revision, NotStored> {
    // Of the two newest at most one is live.
    let newest = store.revisions(tenant, None, 2).await?;
    let Some(first) = newest.first().map(|revision| revision.number) else {
        return Err(NotStored::Nothing(quoted(tenant)));
    };
    let live = store.released(tenant).await?.map(|release| release.live);
    let number = match which {
        Which::Draft => {
            let mut drafts = newest.into_iter();
            let draft = drafts.find(|revision| Some(revision.number) != live);
            return draft.ok_or_else(|| NotStored::NoDraft(tenant.to_owned()));
        }
        Which::Number(number) => Some(*number),
        Which::Content(content) => store.revision_of(tenant, content).await?.or(live),
        Which::Live => live,
    };
    let number = number.ok_or_else(|| NotStored::NothingLive {
        tenant: tenant.to_owned(),
        newest: first,
    })?;
    let found = store.revision(tenant, number).await?;
    found.ok_or_else(|| NotStored::NoNumber {
        tenant: tenant.to_owned(),
        number,
        newest: first,
    })
}

/// The folder with a revision's files below the data folder, where the engine keeps them too; made if it is not there.
pub(crate) async fn lay_out(
    store: &Store,
    data: &Path,
    tenant: &str,
    revision: &Revision,
) -> Result<PathBuf, NotStored> {
    let folder = tree::lay_out(store, data, tenant, revision).await;
    folder.map_err(|error| match error {
        NotLaidOut::Store(error) => error.into(),
        NotLaidOut::Disk(why) => NotStored::Folder {
            number: revision.number,
            data: data.display().to_string(),
            why,
        },
    })
}
