//! Weighing recordings: whose there are, and how much they take.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::files::recordings;
use super::sweep::SweepError;
use crate::media::Shelves;
use crate::store::Store;

/// Time between two weighings at least: each reads the folder.
const PAUSE: Duration = Duration::from_secs(10);
/// The same where nobody wants one: so that what was removed by others is seen.
const EVERY: Duration = Duration::from_secs(600);
/// The same while some tenant has no more room.
const AGAIN: Duration = Duration::from_secs(60);

/// Weighs the recordings of a folder until told to stop, so that each tenant's are held to what they may take. Where one has no more
/// room, retention removes at once what is due.
pub(crate) async fn weigher(
    store: Store,
    folder: impl AsRef<Path>,
    shelves: Arc<Shelves>,
    stop: CancellationToken,
) {
    let mut owners = BTreeMap::new();
    // Whether retention is to be hurried where somebody has no room: it is of no use again and again.
    let mut hurries = true;
    loop {
        let before = shelves.taken();
        let found = weigh(&store, folder.as_ref(), &mut owners).await;
        let again = match found {
            Ok(found) => match shelves.weighed(&before, &found) {
                true if std::mem::take(&mut hurries) => {
                    store.weights().hurry();
                    AGAIN
                }
                true => AGAIN,
                false => {
                    hurries = true;
                    EVERY
                }
            },
            Err(error) => {
                tracing::warn!(
                    "it is not known how much recordings take, and asked again in a minute: {error}"
                );
                AGAIN
            }
        };
        let next = async {
            tokio::time::sleep(PAUSE).await;
            tokio::select! {
                () = shelves.wanted() => hurries,
                () = tokio::time::sleep(again) => true,
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            next = next => hurries = next,
        }
    }
}

/// Bytes of the recordings of each tenant. Whose a contact is stays known in `owners`, as long as it has recordings.
async fn weigh(
    store: &Store,
    folder: &Path,
    owners: &mut BTreeMap<String, String>,
) -> Result<BTreeMap<String, u64>, SweepError> {
    let files = recordings(folder).await?;
    owners.retain(|contact, _| files.contains_key(contact));
    let unknown: Vec<&str> = files
        .keys()
        .map(String::as_str)
        .filter(|contact| !owners.contains_key(*contact))
        .collect();
    owners.extend(store.tenants_of(&unknown).await?);
    let mut found = BTreeMap::new();
    for (contact, files) in &files {
        // What belongs to no contact is nobody's.
        if let Some(tenant) = owners.get(contact) {
            *found.entry(tenant.clone()).or_default() += files.bytes;
        }
    }
    Ok(found)
}
