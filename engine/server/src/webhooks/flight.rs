//! The requests of one webhook that are under way.

use std::collections::HashMap;
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
    /// Their events.
    events: HashMap<Id, i64>,
}

impl Flight {
    /// Whether an event is being told.
    pub(super) fn has(&self, event: i64) -> bool {
        self.events.values().any(|under_way| *under_way == event)
    }

    /// How many more may be under way.
    pub(super) fn room(&self, at_once: u32) -> usize {
        (at_once as usize).saturating_sub(self.events.len())
    }

    /// Begins to tell an event.
    pub(super) fn begin(&mut self, delivery: Delivery, exchange: ResponseFuture, limit: Duration) {
        let event = delivery.event;
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
