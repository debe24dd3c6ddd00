//! The calls that the engine places for bridged transfers, and how many that may be: in all, of each tenant, and for each contact.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::ladder::Ladders;
use crate::project::TransferSection;
use crate::sip::Dialer;

/// Places calls within the project's limits, and counts them.
#[derive(Debug)]
pub struct Outgoing {
    pub(super) dialer: Dialer,
    pub(super) ladders: Ladders,
    /// Longest conversation.
    pub(super) longest: Duration,
    at_once: usize,
    per_minute: usize,
    per_contact: u32,
    placed: Mutex<Placed>,
}

/// What is placed, in all and of each tenant.
#[derive(Debug, Default)]
struct Placed {
    all: Calls,
    of: BTreeMap<String, Calls>,
}

/// Calls that are placed.
#[derive(Debug, Default)]
struct Calls {
    counts: CallCounts,
    rate: Rate,
}

/// How many calls there are and were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallCounts {
    /// That are being placed or are up.
    pub up: usize,
    /// Placed since the start.
    pub placed: u64,
    /// That a limit forbade since the start.
    pub refused: u64,
}

/// Who wants a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker<'a> {
    /// The contact's tenant.
    pub tenant: &'a str,
    /// What of all calls its contacts may have, in percent; none while there is no other tenant.
    pub percent: Option<u8>,
    /// Which of the contact's calls it is, from 1.
    pub nth: u32,
}

/// One of the calls at once; dropping it makes room for another.
#[derive(Debug)]
pub(super) struct Place {
    outgoing: Arc<Outgoing>,
    tenant: String,
}

/// Why no call may be placed now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Full {
    #[error(
        "{0} calls were placed for this contact's transfers, as many as may be: let the flow give up earlier, or raise transfer.calls_per_contact in strowger.toml if they are wanted"
    )]
    OfContact(u32),
    #[error(
        "{most} calls placed for transfers of tenant {tenant} are up, as many as it may have beside others: raise limits.transfers_percent in its file, or transfer.calls in strowger.toml, if they are wanted"
    )]
    OfTenantAtOnce { tenant: String, most: usize },
    #[error(
        "{most} calls were placed for transfers of tenant {tenant} within a minute, as many as it may have beside others: raise limits.transfers_percent in its file, or transfer.calls_per_minute in strowger.toml, if they are wanted"
    )]
    OfTenantPerMinute { tenant: String, most: usize },
    #[error(
        "{0} calls placed for transfers are up, as many as may be: raise transfer.calls in strowger.toml if they are wanted"
    )]
    AtOnce(usize),
    #[error(
        "{0} calls were placed for transfers within a minute, as many as may be: raise transfer.calls_per_minute in strowger.toml if they are wanted"
    )]
    PerMinute(usize),
}

/// The calls begun within the last minute, whenever one looks: a burst at the end of one minute and another at the
/// beginning of the next are one burst to whoever pays for them.
#[derive(Debug, Default)]
struct Rate {
    /// When they began, the earliest first.
    begun: VecDeque<Instant>,
}

impl Outgoing {
    /// None are up yet.
    pub fn new(dialer: Dialer, ladders: Ladders, settings: &TransferSection) -> Outgoing {
        Outgoing {
            dialer,
            ladders,
            longest: Duration::from_secs(settings.longest_s.into()),
            at_once: settings.calls as usize,
            per_minute: settings.calls_per_minute as usize,
            per_contact: settings.calls_per_contact,
            placed: Mutex::default(),
        }
    }

    /// Of all.
    pub fn counts(&self) -> CallCounts {
        self.placed().all.counts
    }

    /// Of a tenant.
    pub fn counts_of(&self, tenant: &str) -> CallCounts {
        let placed = self.placed();
        placed
            .of
            .get(tenant)
            .map_or_else(CallCounts::default, |calls| calls.counts)
    }

    /// Takes room for one more call.
    pub(super) fn admit(
        self: &Arc<Outgoing>,
        asker: Asker<'_>,
        now: Instant,
    ) -> Result<Place, Full> {
        let Asker { tenant, nth, .. } = asker;
        let per_contact = self.per_contact;
        let beyond = (nth > per_contact).then_some(Full::OfContact(per_contact));
        let most = [self.at_once, self.per_minute];
        self.placed().admit(asker, most, beyond, now)?;
        Ok(Place {
            outgoing: Arc::clone(self),
            tenant: tenant.to_owned(),
        })
    }

    fn placed(&self) -> MutexGuard<'_, Placed> {
        // No code that can panic runs under the lock.
        self.placed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Placed {
    /// Counts one more call, unless it is refused already or one of the bounds, at once and within a minute, forbids it.
    fn admit(
        &mut self,
        asker: Asker<'_>,
        [at_once, per_minute]: [usize; 2],
        refused: Option<Full>,
        now: Instant,
    ) -> Result<(), Full> {
        let Asker {
            tenant, percent, ..
        } = asker;
        let Placed { all, of } = self;
        let own = of.entry(tenant.to_owned()).or_default();
        let part = |most: usize| {
            let percent = usize::from(percent.unwrap_or(100));
            (most * percent / 100).max(1)
        };
        let tenant = || tenant.to_owned();
        let [own_at_once, own_per_minute] = [at_once, per_minute].map(part);
        let full = match refused {
            Some(full) => Some(full),
            None if percent.is_some() && own.counts.up >= own_at_once => {
                Some(Full::OfTenantAtOnce {
                    tenant: tenant(),
                    most: own_at_once,
                })
            }
            None if percent.is_some() && own.rate.within_a_minute(now) >= own_per_minute => {
                Some(Full::OfTenantPerMinute {
                    tenant: tenant(),
                    most: own_per_minute,
                })
            }
            None if all.counts.up >= at_once => Some(Full::AtOnce(at_once)),
            None if all.rate.within_a_minute(now) >= per_minute => {
                Some(Full::PerMinute(per_minute))
            }
            None => None,
        };
        for calls in [all, own] {
            match full {
                Some(_) => calls.counts.refused += 1,
                None => {
                    calls.counts.up += 1;
                    calls.counts.placed += 1;
                    calls.rate.begun.push_back(now);
                }
            }
        }
        full.map_or(Ok(()), Err)
    }

    /// A call of a tenant is over.
    fn over(&mut self, tenant: &str) {
        self.all.counts.up -= 1;
        if let Some(own) = self.of.get_mut(tenant) {
            own.counts.up -= 1;
        }
    }
}

impl Rate {
    /// How many began within the minute that ends now.
    fn within_a_minute(&mut self, now: Instant) -> usize {
        const MINUTE: Duration = Duration::from_secs(60);
        while let Some(first) = self.begun.front()
            && now.duration_since(*first) >= MINUTE
        {
            self.begun.pop_front();
        }
        self.begun.len()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.outgoing.placed().over(&self.tenant);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANY: usize = 1_000;

    fn asker(tenant: &str, percent: Option<u8>) -> Asker<'_> {
        Asker {
            tenant,
            percent,
            nth: 1,
        }
    }

    #[test]
    fn no_minute_has_more_calls_than_its_share() {
        let mut placed = Placed::default();
        let start = Instant::now();
        let mut admits = |seconds| {
            let now = start + Duration::from_secs(seconds);
            placed
                .admit(asker("vega", None), [MANY, 2], None, now)
                .is_ok()
        };
        assert_eq!([0, 30, 59].map(&mut admits), [true, true, false]);
        // The call at 30 is still within the minute that ends now.
        assert_eq!(
            [60, 61, 62, 89].map(&mut admits),
            [true, false, false, false]
        );
        assert_eq!([90, 91, 120].map(&mut admits), [true, false, true]);
        // What is not used is not saved up.
        assert_eq!([600, 601, 602].map(&mut admits), [true, true, false]);
    }

    #[test]
    fn one_tenant_leaves_the_calls_of_others_alone() {
        let mut placed = Placed::default();
        let now = Instant::now();
        let most = [MANY, 4];
        let mut admit = |tenant, percent| placed.admit(asker(tenant, percent), most, None, now);
        let full = Err(Full::OfTenantPerMinute {
            tenant: "vega".to_owned(),
            most: 2,
        });
        assert_eq!(admit("vega", Some(50)), Ok(()));
        assert_eq!(admit("vega", Some(50)), Ok(()));
        assert_eq!(admit("vega", Some(50)), full);
        assert_eq!(admit("lyra", Some(50)), Ok(()));
        // However small its part, a tenant has one.
        assert_eq!(admit("deneb", Some(1)), Ok(()));
        assert_eq!(admit("altair", Some(50)), Err(Full::PerMinute(4)));
        let counts = |up, placed, refused| CallCounts {
            up,
            placed,
            refused,
        };
        assert_eq!(placed.all.counts, counts(4, 4, 2));
        assert_eq!(placed.of["vega"].counts, counts(2, 2, 1));
    }

    #[test]
    fn calls_that_last_count_to_their_tenant_until_they_are_over() {
        let mut placed = Placed::default();
        let now = Instant::now();
        let most = [4, MANY];
        let vega = asker("vega", Some(50));
        let full = Err(Full::OfTenantAtOnce {
            tenant: "vega".to_owned(),
            most: 2,
        });
        assert_eq!(placed.admit(vega, most, None, now), Ok(()));
        assert_eq!(placed.admit(vega, most, None, now), Ok(()));
        assert_eq!(placed.admit(vega, most, None, now), full);
        placed.over("vega");
        assert_eq!(placed.admit(vega, most, None, now), Ok(()));
        // Alone it has all, and what is refused names what holds for all.
        let alone = asker("vega", None);
        assert_eq!(placed.admit(alone, most, None, now), Ok(()));
        assert_eq!(placed.admit(alone, most, None, now), Ok(()));
        assert_eq!(placed.admit(alone, most, None, now), Err(Full::AtOnce(4)));
    }
}
