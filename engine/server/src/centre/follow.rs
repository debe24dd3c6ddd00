//! What other engines on the same store release is live here too.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Centre, told};

/// Time between two looks at the releases: one query.
const EVERY: Duration = Duration::from_secs(1);
/// Looks that are left out after a release could not be served.
const PATIENCE: u32 = 60;

/// Takes over releases made elsewhere until told to stop. Where the store is this engine's alone there are none.
pub async fn follow(centre: Arc<Centre>, stop: CancellationToken) {
    let Some(store) = centre.node.store.clone().filter(|store| store.shared()) else {
        return;
    };
    // Tenants whose release could not be served, and for how many more looks they are left alone.
    let mut failed: BTreeMap<String, (u64, u32)> = BTreeMap::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        // A store that is gone is told by whoever writes.
        let Ok(releases) = store.releases_now().await else {
            continue;
        };
        for (name, number) in releases {
            let Some(tenant) = centre.tenant(&name) else {
                continue;
            };
            if tenant.release() >= number {
                failed.remove(&name);
                continue;
            }
            if let Some((_, left)) = failed.get_mut(&name).filter(|(of, _)| *of == number)
                && *left > 0
            {
                *left -= 1;
                continue;
            }
            if let Err(refusal) = centre.take_over(&tenant, &store).await {
                let what = format!(
                    "release {number} of another engine cannot be served here, and what was live stays so"
                );
                told(&tenant, &what, &refusal);
                failed.insert(name, (number, PATIENCE));
            }
        }
    }
}
