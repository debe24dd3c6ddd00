//! Releases: which revisions take new contacts.

use serde_json::json;
use strowger_flow::unseen::quoted;

use super::Centre;
use super::examine::{Touched, astray_of, touched, withdrawn};
use super::refusal::{Refusal, within};
use super::serving::{prime, wanted};
use super::settings::Settings;
use super::tenant::{Live, Served, Tenant};
use super::versions::{known_signers, resigned, signers, untrusted};
use crate::store::{Audited, Change, Release, Revision, Store};

/// Releases looked back upon for one to roll back to.
const LOOK_BACK: u32 = 1_000;

/// What shall be released.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// The revision.
    pub revision: u64,
    /// How many of a hundred callers get it, 1 to 100 for all.
    pub percent: u64,
    /// What of its gains the operator accepts, as they are told; `all` for all.
    pub accept: Vec<String>,
    /// The release that must still hold (0 for none); none for whichever does.
    pub expected: Option<u64>,
}

/// Stands for all gains.
const ALL: &str = "all";

/// What an order makes of what is live.
struct Due {
    release: Release,
    /// The release that must still hold for it.
    expected: u64,
    /// The gains that it accepts.
    accepted: Vec<String>,
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
        // Whether it may be released is asked before anything is compiled for it, and again when nothing can come between.
        self.due(&store, &tenant, &order, &change).await?;
        let config = tenant.config();
        let ready = self.ready(&tenant, &config, &store, order.revision).await?;
        prime(std::iter::once(&ready.engine)).await;
        let _turn = tenant.publishing.lock().await;
        let Due {
            release,
            expected,
            accepted,
        } = self.due(&store, &tenant, &order, &change).await?;
        let change = change.with(json!({
            "live": release.live, "candidate": release.candidate, "percent": release.percent, "accepted": accepted,
        }));
        self.swap(&tenant, &store, expected, (release, ready), &change)
            .await
    }

    /// The release that an order makes of what is live now, and the release that must still hold for it; why there is none.
    async fn due(
        &self,
        store: &Store,
        tenant: &Tenant,
        order: &Order,
        change: &Change,
    ) -> Result<Due, Refusal> {
        let percent: u8 = within("percent", order.percent, 1..=100)?;
        let revision = wanted(store, tenant, order.revision).await?;
        self.allowed(store, tenant, &revision).await?;
        let before = store.released(&tenant.name).await?;
        let touches = touched(store, &revision.manifest).await?;
        let settings = Settings::of(store, &revision.manifest).await?;
        let mut known = gained(&Touched::default(), &touches);
        known.extend(settings.gains(&Settings::default()));
        let gains = match &before {
            Some(before) => {
                let live = wanted(store, tenant, before.live).await?;
                let mut gains = gained(&touched(store, &live.manifest).await?, &touches);
                gains.extend(settings.gains(&Settings::of(store, &live.manifest).await?));
                let was = signers(store, &tenant.name, &live.manifest).await?;
                let now = signers(store, &tenant.name, &revision.manifest).await?;
                let was = known_signers(store, &tenant.name, was, &now).await?;
                gains.extend(resigned(&was, &now));
                gains
            }
            None => known.clone(),
        };
        // What it touches and was live before may be accepted once more: whoever releases twice need not ask what is new.
        known.extend(gains.iter().cloned());
        let is_known = |name: &&String| *name == ALL || known.contains(name);
        if let Some(unknown) = order.accept.iter().find(|name| !is_known(name)) {
            return Err(Refusal::Invalid {
                field: "accept",
                why: format!(
                    "accept: `{}` is nothing that revision {} has and the live one has not ({}); name these as they are told, or `{ALL}`",
                    quoted(unknown),
                    revision.number,
                    if gains.is_empty() {
                        "none".to_owned()
                    } else {
                        gains.join(", ")
                    },
                ),
            });
        }
        let accepts = |gain: &String| {
            let mut named = order.accept.iter();
            named.any(|name| name == ALL || name == gain)
        };
        let (accepted, missing): (Vec<String>, Vec<String>) = gains.into_iter().partition(accepts);
        if !missing.is_empty() {
            return Err(Refusal::NotAccepted(missing));
        }
        let (live, candidate) = match (&before, percent) {
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
            percent: candidate.map_or(0, |_| percent),
            restores: None,
            released_at: change.at,
            released_by: change.who.clone(),
        };
        Ok(Due {
            release,
            expected,
            accepted,
        })
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
        let releases = store.releases(&tenant.name, None, LOOK_BACK).await?;
        let Some(now) = releases.first() else {
            return Err(Refusal::Conflict(format!(
                "tenant {} has released nothing yet",
                tenant.name
            )));
        };
        let Before { live, restores } = before(&releases).ok_or_else(|| {
            Refusal::Conflict(format!(
                "nothing was live before revision {}: there is nothing to roll back to; release another revision by its number",
                now.live
            ))
        })?;
        let revision = store.revision(&tenant.name, live).await?;
        let revision = revision.ok_or_else(|| {
            Refusal::Conflict(format!(
                "revision {live}, which was live before, is kept no longer (limits.revisions): release one that is, by its number"
            ))
        })?;
        self.allowed(&store, &tenant, &revision).await?;
        let release = Release {
            number: 0,
            live,
            candidate: None,
            percent: 0,
            restores: Some(restores),
            released_at: change.at,
            released_by: change.who.clone(),
        };
        let expected = expected.unwrap_or(now.number);
        let change = change.with(json!({ "live": live, "restores": restores }));
        // Mostly it is in memory, prompts and all.
        let config = tenant.config();
        let ready = self.ready(&tenant, &config, &store, live).await?;
        self.swap(&tenant, &store, expected, (release, ready), &change)
            .await
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
        let untrusted = untrusted(store, &tenant.name, &config, &revision.manifest).await?;
        if !untrusted.is_empty() {
            return Err(Refusal::Denied(format!(
                "plugins of tenant {} must be signed by one of its publishers, and these of revision {} are not: {}; push them again, or newer \
                 versions of them, with --key",
                tenant.name,
                revision.number,
                untrusted.join(", ")
            )));
        }
        Ok(())
    }

    /// Makes a release hold for the sake of a revision, which is ready to take contacts. The caller has the turn to publish.
    async fn swap(
        &self,
        tenant: &Tenant,
        store: &Store,
        expected: u64,
        (mut release, ready): (Release, Served),
        change: &Change,
    ) -> Result<(Release, Audited), Refusal> {
        let config = tenant.config();
        let astray = astray_of(&ready.engine, &config);
        if !astray.is_empty() {
            return Err(Refusal::Denied(format!(
                "flows of revision {} hand contacts over to whom the operator has not granted to {}: {}; ask the operator, who writes it into \
                 `queues` or `transfers` below [grants] of the tenant's file, or release a revision that needs less",
                ready.revision,
                tenant.name,
                astray.join(", ")
            )));
        }
        // Nothing that cannot take contacts is released. Beside a candidate it is what takes them now.
        let live = match release.candidate {
            None => Live {
                release: None,
                served: ready,
                candidate: None,
            },
            Some(_) => Live {
                release: None,
                served: self.ready(tenant, &config, store, release.live).await?,
                candidate: Some((ready, release.percent)),
            },
        };
        let written = store.release(&tenant.name, expected, &release, change);
        let (number, audited) = written.await?;
        release.number = number;
        tracing::info!(tenant = %tenant.name, live = release.live, candidate = ?release.candidate, percent = release.percent, by = %release.released_by, "released");
        tenant.swap(Live {
            release: Some(release.clone()),
            ..live
        });
        tenant.warm_up();
        // A revision that some keep may still need it.
        self.note_lost(tenant).await;
        Ok((release, audited))
    }
}

/// What a roll-back makes live.
#[derive(Debug, PartialEq, Eq)]
struct Before {
    /// The revision.
    live: u64,
    /// The release that it is brought back from.
    restores: u64,
}

/// What was live before the newest of some releases, the newest of them first. A roll-back stands for the release that it
/// brought back: what comes before it is what came before that one, so that one after the other goes on backwards.
fn before(releases: &[Release]) -> Option<Before> {
    let now = releases.first()?;
    let mut place = stands_for(releases, now)?;
    loop {
        let mut older = releases.iter();
        let older = older.find(|release| release.number < place.number)?;
        place = stands_for(releases, older)?;
        // A candidate that is withdrawn leaves what is live as it was.
        let withdrawn = now.candidate.is_some() && older.candidate.is_none();
        if place.live != now.live || withdrawn {
            return Some(Before {
                live: place.live,
                restores: place.number,
            });
        }
    }
}

/// The release itself, or the one that it brought back.
fn stands_for<'r>(releases: &'r [Release], mut release: &'r Release) -> Option<&'r Release> {
    // Each names an older one.
    while let Some(older) = release.restores {
        release = releases.iter().find(|release| release.number == older)?;
    }
    Some(release)
}

/// What stands for all that begins so: `route queue front-desk` is no more than `route queue`.
const WHOLE: [&str; 3] = ["route", "route queue", "route transfer"];

/// What one may touch and another may not.
pub(super) fn gained(before: &Touched, after: &Touched) -> Vec<String> {
    let mut gains = Vec::new();
    for (who, capabilities) in after {
        for capability in capabilities {
            let covers = |had: &String| {
                let rest = capability.strip_prefix(had.as_str());
                let whole = WHOLE.contains(&had.as_str());
                rest.is_some_and(|rest| rest.is_empty() || whole && rest.starts_with(' '))
            };
            if !before.get(who).is_some_and(|had| had.iter().any(covers)) {
                gains.push(format!("{who}: {capability}"));
            }
        }
    }
    gains
}

#[cfg(test)]
mod tests {
    use super::{Release, before};

    /// A tenant's releases, the newest first.
    #[derive(Default)]
    struct History(Vec<Release>);

    impl History {
        fn add(&mut self, live: u64, candidate: Option<u64>, restores: Option<u64>) {
            let release = Release {
                number: self.0.len() as u64 + 1,
                live,
                candidate,
                percent: candidate.map_or(0, |_| 10),
                restores,
                released_at: 0,
                released_by: String::new(),
            };
            self.0.insert(0, release);
        }

        fn release(mut self, live: u64) -> History {
            self.add(live, None, None);
            self
        }

        fn some_get(mut self, candidate: u64) -> History {
            let live = self.0[0].live;
            self.add(live, Some(candidate), None);
            self
        }

        /// Rolls back; the revision that is live then, none where there is nothing to roll back to.
        fn back(&mut self) -> Option<u64> {
            let before = before(&self.0)?;
            self.add(before.live, None, Some(before.restores));
            Some(before.live)
        }

        /// Rolls back until there is nothing more.
        fn all_the_way(&mut self) -> Vec<u64> {
            std::iter::from_fn(|| self.back()).take(20).collect()
        }
    }

    fn released(live: &[u64]) -> History {
        let none = History::default();
        live.iter().fold(none, |all, &live| all.release(live))
    }

    #[test]
    fn roll_backs_go_back_one_after_the_other_and_never_up_again() {
        for (live, backwards) in [
            (&[][..], &[][..]),
            (&[1], &[]),
            (&[1, 2], &[1]),
            (&[1, 2, 3, 4, 5, 6, 7], &[6, 5, 4, 3, 2, 1]),
            // An older revision was released: what it took the place of comes back.
            (&[3, 1], &[3]),
            (&[1, 3, 1], &[3, 1]),
            // The same once more.
            (&[4, 5, 5], &[4]),
        ] {
            assert_eq!(released(live).all_the_way(), backwards, "{live:?}");
        }
    }

    #[test]
    fn what_is_released_after_a_roll_back_is_rolled_back_first() {
        let mut history = released(&[1, 2, 3]);
        assert_eq!(history.back(), Some(2));
        assert_eq!(history.back(), Some(1));
        // By hand, forward again.
        let mut history = history.release(3);
        assert_eq!(history.all_the_way(), [1]);
        let mut history = history.release(4).release(5);
        assert_eq!(history.back(), Some(4));
        assert_eq!(history.release(6).all_the_way(), [4, 1]);
    }

    #[test]
    fn a_candidate_is_withdrawn_first() {
        let mut history = released(&[1, 2]).some_get(3).some_get(3);
        assert_eq!(history.all_the_way(), [2, 1]);
        // It became live: what was live beside it comes back, once.
        let mut history = released(&[1]).some_get(2).release(2);
        assert_eq!(history.all_the_way(), [1]);
        // After a roll-back.
        let mut history = released(&[1, 2, 3]);
        assert_eq!(history.back(), Some(2));
        assert_eq!(history.some_get(4).all_the_way(), [2, 1]);
    }
}
