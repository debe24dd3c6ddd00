//! Alarms of contacts that are not in memory.

use std::collections::BTreeSet;

use strowger_contact::Millis;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;

/// When whom to wake, the earliest first. Times are milliseconds since 1970.
pub(super) type Alarms<K> = BTreeSet<(Millis, K)>;

/// Waits until the first alarm is due, and gives the time that it is then; none when `stop` ends the wait. `next` says when
/// that is, and is asked again whenever `changed` tells so.
pub(super) async fn ring(
    clock: &Clock,
    next: impl Fn() -> Option<Millis>,
    changed: &Notify,
    stop: &CancellationToken,
) -> Option<Millis> {
    loop {
        let next = next();
        let due = async {
            match next {
                Some(at) => tokio::time::sleep_until(clock.instant(at)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => return Some(clock.now()),
            () = changed.notified() => {}
            () = stop.cancelled() => return None,
        }
    }
}

/// Takes out those that are due. All of them at once: waking one may set another, so whatever lock the alarms are under is
/// not held meanwhile.
pub(super) fn take_due<K: Ord>(alarms: &mut Alarms<K>, now: Millis) -> Vec<K> {
    let mut due = Vec::new();
    while alarms.first().is_some_and(|(at, _)| *at <= now) {
        due.extend(alarms.pop_first().map(|(_, whom)| whom));
    }
    due
}

#[cfg(test)]
mod tests {
    use super::{Alarms, take_due};

    #[test]
    fn those_that_are_due_are_taken_out_in_order() {
        let mut alarms = Alarms::from([(5, "late"), (1, "first"), (3, "now"), (3, "also")]);
        assert_eq!(take_due(&mut alarms, 0), [""; 0]);
        assert_eq!(take_due(&mut alarms, 3), ["first", "also", "now"]);
        assert_eq!(alarms, [(5, "late")].into());
    }
}
