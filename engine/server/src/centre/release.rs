//! Releases: which revisions take new contacts.

use std::collections::BTreeSet;

use serde_json::json;

use super::Centre;
use super::examine::withdrawn;
use super::refusal::Refusal;
use super::serving::{Serving, wanted};
use super::tenant::{Live, Tenant};
use super::versions::{MAX_VERSIONS, trusted};
use crate::store::{Audited, Change, Manifest, Release, Revision, Store};

/// Releases looked back upon for one to roll back to.
const LOOK_BACK: u32 = 100;

/// What shall be released.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// The revision.
    pub revision: u64,
    /// How many of a hundred callers get it; 100 for all.
    pub percent: u8,
    /// What of its gains the operator accepts, as they are told; `all` for all.
    pub accept: Vec<String>,
    /// The release that must still hold (0 for none); none for whichever does.
    pub expected: Option<u64>,
}

impl Centre {
    /// Makes a revision live, for all callers or for some. Contacts in progress keep theirs.
    pub async fn release(
        &self,
        tenant: &str,
        order: Order,
        change: Change,
    ) -> Result<(Release, Audited), Refusal> {
        let (tenant, store) = self.publisher(tenant)?;
        if !(1..=100).contains(&order.percent) {
            return Err(Refusal::Conflict("percent is 1 to 100".to_owned()));
        }
        let _turn = tenant.publishing.lock().await;
        let revision = wanted(&store, &tenant, order.revision).await?;
        self.allowed(&store, &tenant, &revision).await?;
        let before = store.released(&tenant.name).await?;
        let gains = match &before {
            Some(before) => {
                let live = wanted(&store, &tenant, before.live).await?;
                gained(&live.manifest, &revision.manifest)
            }
            None => gained(&Manifest::default(), &revision.manifest),
        };
        let accepted = |gain: &String| {
            order
                .accept
                .iter()
                .any(|known| known == "all" || known == gain)
        };
        let missing: Vec<String> = gains.into_iter().filter(|gain| !accepted(gain)).collect();
        if !missing.is_empty() {
            return Err(Refusal::NotAccepted(missing));
        }
        let (live, candidate) = match (&before, order.percent) {
            (_, 100) => (order.revision, None),
            (Some(before), _) if before.live != order.revision => {
                (before.live, Some(order.revision))
            }
            (Some(_), _) => {
                return Err(Refusal::Conflict(format!(
                    "revision {} is live already for all callers",
                    order.revision
                )));
            }
            (None, _) => {
                return Err(Refusal::Conflict(
                    "the first release is for all callers: nothing else is live yet".to_owned(),
                ));
            }
        };
        let expected = order
            .expected
            .unwrap_or(before.as_ref().map_or(0, |before| before.number));
        let release = Release {
            number: 0,
            live,
            candidate,
            percent: candidate.map_or(0, |_| order.percent),
            released_at: change.at,
            released_by: change.who.clone(),
        };
        let change = change.with(json!({
            "live": release.live, "candidate": release.candidate, "percent": release.percent, "accepted": order.accept,
        }));
        self.swap(&tenant, &store, expected, release, &change).await
    }

    /// Makes live what was live before: a candidate is withdrawn, or the live revision gives way to the one before it.
    ///
    /// Only while release `expected` holds, if one is given.
    pub async fn roll_back(
        &self,
        tenant: &str,
        expected: Option<u64>,
        change: Change,
    ) -> Result<(Release, Audited), Refusal> {
        let (tenant, store) = self.publisher(tenant)?;
        let _turn = tenant.publishing.lock().await;
        let releases = store.releases(&tenant.name, LOOK_BACK).await?;
        let Some(now) = releases.first() else {
            return Err(Refusal::Conflict(format!(
                "tenant {} has released nothing yet",
                tenant.name
            )));
        };
        let live = match now.candidate {
            Some(_) => now.live,
            None => live_before(&releases).ok_or_else(|| {
                Refusal::Conflict(format!(
                    "nothing but revision {} was live: there is nothing to roll back to",
                    now.live
                ))
            })?,
        };
        let revision = wanted(&store, &tenant, live).await?;
        self.allowed(&store, &tenant, &revision).await?;
        let release = Release {
            number: 0,
            live,
            candidate: None,
            percent: 0,
            released_at: change.at,
            released_by: change.who.clone(),
        };
        let expected = expected.unwrap_or(now.number);
        let change = change.with(json!({ "live": live }));
        self.swap(&tenant, &store, expected, release, &change).await
    }

    /// Whether a revision may go live, as the tenant's file has it now: its plugins are signed where they must be, and what
    /// they touch is granted.
    async fn allowed(
        &self,
        store: &Store,
        tenant: &Tenant,
        revision: &Revision,
    ) -> Result<(), Refusal> {
        let config = tenant.config();
        let lost = withdrawn(store, &revision.manifest, &config).await?;
        if !lost.is_empty() {
            return Err(Refusal::Denied(format!(
                "revision {} needs what the operator has not granted to {}: {}; ask the operator, who writes it below [grants] of the tenant's \
                 file, or release a revision that needs less",
                revision.number,
                tenant.name,
                lost.join(", ")
            )));
        }
        if !config.signed {
            return Ok(());
        }
        let files: BTreeSet<&String> = revision.manifest.files.values().collect();
        let mut before = None;
        loop {
            let page = store
                .plugin_versions(&tenant.name, None, before, MAX_VERSIONS)
                .await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            before = Some(last.number);
            for known in page.iter().filter(|known| files.contains(&known.sha256)) {
                trusted(tenant, &config, known)?;
            }
        }
    }

    async fn swap(
        &self,
        tenant: &Tenant,
        store: &Store,
        expected: u64,
        mut release: Release,
        change: &Change,
    ) -> Result<(Release, Audited), Refusal> {
        // Nothing that cannot take contacts is released.
        let config = tenant.config();
        let live = self.live_of(tenant, &config, store, release.clone(), Serving::Ready);
        let live = live.await?;
        let written = store.release(&tenant.name, expected, &release, change);
        let (number, audited) = written.await?;
        release.number = number;
        tracing::info!(tenant = %tenant.name, live = release.live, candidate = ?release.candidate, percent = release.percent, by = %release.released_by, "released");
        tenant.swap(Live {
            release: Some(release.clone()),
            ..live
        });
        // A revision that some keep may still need it.
        self.note_withdrawn(tenant).await;
        Ok((release, audited))
    }
}

/// What was live before the newest of some releases. One that was live earlier too came back: what counts then is what was
/// live before it the first time, so that rolling back again goes on backwards; if there is nothing, what gave way to it.
fn live_before(releases: &[Release]) -> Option<u64> {
    let (now, earlier) = releases.split_first()?;
    let other = |releases: &[Release]| {
        let mut others = releases.iter().filter(|release| release.live != now.live);
        others.next().map(|release| release.live)
    };
    let same = earlier
        .iter()
        .position(|release| release.live == now.live && release.candidate.is_none());
    // A release whose candidate was withdrawn, or which had one before, is the same release.
    let gave_way = earlier
        .first()
        .is_some_and(|before| before.live != now.live);
    match same.filter(|_| gave_way) {
        Some(at) => other(&earlier[at + 1..]).or_else(|| other(earlier)),
        None => other(earlier),
    }
}

/// What a manifest may touch and another may not. `route` is all that begins so: `route transfer`, `route queue front-desk`.
pub(super) fn gained(before: &Manifest, after: &Manifest) -> Vec<String> {
    let mut gains = Vec::new();
    for (plugin, capabilities) in &after.capabilities {
        for capability in capabilities {
            let whole = capability
                .split(' ')
                .next()
                .filter(|whole| *whole == "route");
            let had = |had: &Vec<String>| {
                let mut had = had.iter();
                had.any(|one| one == capability || Some(one.as_str()) == whole)
            };
            if !before.capabilities.get(plugin).is_some_and(had) {
                gains.push(format!("{plugin}: {capability}"));
            }
        }
    }
    gains
}

#[cfg(test)]
mod tests {
    use super::{Release, live_before};

    /// Releases of these revisions, the oldest first.
    fn released(live: &[u64]) -> Vec<Release> {
        let releases = live.iter().zip(1..).map(|(&live, number)| Release {
            number,
            live,
            candidate: None,
            percent: 0,
            released_at: 0,
            released_by: String::new(),
        });
        let mut releases: Vec<Release> = releases.collect();
        releases.reverse();
        releases
    }

    #[test]
    fn one_goes_back_in_the_order_of_releases() {
        for (live, before) in [
            (&[][..], None),
            (&[1], None),
            (&[1, 2], Some(1)),
            // An older revision was released: what it took the place of comes back.
            (&[3, 1], Some(3)),
            (&[1, 3, 1], Some(3)),
            // Rolled back once, and again.
            (&[5, 6, 7], Some(6)),
            (&[5, 6, 7, 6], Some(5)),
            (&[5, 6, 7, 6, 5], Some(6)),
            // The same once more, for all after for some.
            (&[4, 5, 5], Some(4)),
        ] {
            assert_eq!(live_before(&released(live)), before, "{live:?}");
        }
    }
}
