//! The requests of one webhook that are under way, and whose turn the next ones are.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use hyper::StatusCode;
use hyper::body::Incoming;
use hyper_util::client::legacy::ResponseFuture;
use tokio::task::{Id, JoinSet};

use crate::store::Delivery;

/// How a request ended: told, or why not, and whether it never will be.
pub(super) type Told = Result<(), (bool, String)>;
/// What was told, and how that ended.
pub(super) type Answer = (Delivery, Told);

/// The requests of one webhook that are under way.
#[derive(Default)]
pub(super) struct Flight {
    requests: JoinSet<Answer>,
    /// Their events, and of whose contacts these tell.
    events: HashMap<Id, (i64, String)>,
    /// When each tenant had its last turn, counted in turns; those of whom something is still to be told, and of others nothing is lost
    /// with them.
    turns: BTreeMap<String, u64>,
    turn: u64,
}

impl Flight {
    /// Whether an event is being told.
    pub(super) fn has(&self, event: i64) -> bool {
        self.events
            .values()
            .any(|(under_way, _)| *under_way == event)
    }

    /// Of what is to be told of each tenant, what is to be begun now, where so many may be under way: next is always one of the tenant
    /// that has the fewest under way, and of several such the one whose last turn is the longest ago. So a tenant of whom much is to be
    /// told makes nobody wait for more than what is told already.
    pub(super) fn in_turn(
        &mut self,
        mut waiting: BTreeMap<String, VecDeque<Delivery>>,
        at_once: u32,
    ) -> Vec<Delivery> {
        self.turns.retain(|tenant, _| waiting.contains_key(tenant));
        let mut under_way: BTreeMap<String, usize> = BTreeMap::new();
        for (_, tenant) in self.events.values() {
            *under_way.entry(tenant.clone()).or_default() += 1;
        }
        let mut begun = Vec::new();
        for _ in 0..self.room(at_once) {
            waiting.retain(|_, due| !due.is_empty());
            let rank = |tenant: &str| {
                let has = under_way.get(tenant).copied().unwrap_or_default();
                (has, self.turns.get(tenant).copied().unwrap_or_default())
            };
            let next = waiting.iter_mut().min_by_key(|(tenant, _)| rank(tenant));
            let Some((tenant, due)) = next else {
                break;
            };
            begun.extend(due.pop_front());
            self.turn += 1;
            self.turns.insert(tenant.clone(), self.turn);
            *under_way.entry(tenant.clone()).or_default() += 1;
        }
        begun
    }

    /// How many more may be under way.
    pub(super) fn room(&self, at_once: u32) -> usize {
        (at_once as usize).saturating_sub(self.events.len())
    }

    /// Begins to tell an event.
    pub(super) fn begin(&mut self, delivery: Delivery, exchange: ResponseFuture, limit: Duration) {
        let event = (delivery.event, delivery.tenant.clone());
        let request = self.requests.spawn(async move {
            let answer = tokio::time::timeout(limit, exchange).await;
            (delivery, told(answer, limit))
        });
        self.events.insert(request.id(), event);
    }

    /// Waits for the next answer: none at all while nothing is under way, and none to a request that panicked.
    pub(super) async fn answered(&mut self) -> Option<Option<Answer>> {
        let ended = self.requests.join_next_with_id().await?;
        let (id, answer) = match ended {
            Ok((id, answer)) => (id, Some(answer)),
            Err(error) => (error.id(), None),
        };
        self.events.remove(&id);
        Some(answer)
    }
}

fn told<E>(
    answer: Result<Result<hyper::Response<Incoming>, hyper_util::client::legacy::Error>, E>,
    limit: Duration,
) -> Told {
    match answer {
        Err(_) => Err((false, format!("no answer within {} s", limit.as_secs()))),
        Ok(Err(error)) => Err((false, cause(&error))),
        Ok(Ok(answer)) if answer.status().is_success() => Ok(()),
        Ok(Ok(answer)) => {
            // 410 says that nobody is there any more, and never will be.
            let gone = answer.status() == StatusCode::GONE;
            Err((gone, format!("answered {}", answer.status())))
        }
    }
}

/// The innermost reason of a failed request; the outer ones say only that it failed.
fn cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, VecDeque};

    use super::Flight;
    use crate::store::Delivery;

    /// What is to be told of tenants: so much of each.
    fn waiting(tenants: &[(&str, i64)]) -> BTreeMap<String, VecDeque<Delivery>> {
        let each = tenants.iter().map(|(tenant, count)| {
            let due = (0..*count).map(|event| Delivery {
                hook: "crm".to_owned(),
                event,
                tenant: (*tenant).to_owned(),
                since: 0,
                due: 0,
                attempts: 0,
                error: None,
            });
            ((*tenant).to_owned(), due.collect())
        });
        each.collect()
    }

    /// Whose turn it is, one after the other, where so many may be under way and nothing is answered.
    fn check(flight: &mut Flight, tenants: &[(&str, i64)], at_once: u32, expected: &[&str]) {
        let begun = flight.in_turn(waiting(tenants), at_once);
        let whose: Vec<&str> = begun.iter().map(|one| one.tenant.as_str()).collect();
        assert_eq!(whose, expected, "{tenants:?}");
    }

    #[test]
    fn tenants_take_turns_at_being_told_of() {
        let mut flight = Flight::default();
        check(
            &mut flight,
            &[("aurora", 9), ("vega", 1)],
            4,
            &["aurora", "vega", "aurora", "aurora"],
        );
        // One at a time: who had the last turn comes last.
        let both = [("aurora", 9), ("vega", 9)];
        check(&mut flight, &both, 1, &["vega"]);
        check(&mut flight, &both, 1, &["aurora"]);
        check(
            &mut flight,
            &[("aurora", 9), ("lyra", 1), ("vega", 9)],
            1,
            &["lyra"],
        );
        check(&mut flight, &[("aurora", 9)], 2, &["aurora", "aurora"]);
        assert_eq!(
            flight.turns.len(),
            1,
            "who is not waiting is not remembered"
        );
        check(&mut flight, &[], 2, &[]);
    }

    #[tokio::test]
    async fn who_has_the_fewest_under_way_is_next() {
        let mut flight = Flight::default();
        for (tenant, event) in [("aurora", 100), ("aurora", 101), ("vega", 102)] {
            let request = flight.requests.spawn(std::future::pending());
            flight
                .events
                .insert(request.id(), (event, tenant.to_owned()));
        }
        let both = [("aurora", 9), ("vega", 9)];
        check(&mut flight, &both, 3, &[]);
        check(&mut flight, &both, 6, &["vega", "aurora", "vega"]);
        assert!(flight.has(101) && !flight.has(1));
    }
}
