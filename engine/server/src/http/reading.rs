//! Journals and pages of records while they are read: each is whole in memory, a journal many times what it is in the store, and its
//! tenant's steps decide how much that is. So a tenant reads a few at once, and none on the threads that calls and chats run on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::response::Response;
use futures_util::StreamExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Problem;
use super::principal::Principal;

/// Journals and pages that a tenant's tokens and users read at once, up to the last byte of the answer; as many those of the whole centre.
/// Further ones wait, as long as an answer may take.
const AT_ONCE: usize = 4;

/// The journals and pages that are read.
#[derive(Debug, Clone, Default)]
pub(crate) struct Readings(Arc<Mutex<HashMap<Option<String>, Arc<Semaphore>>>>);

/// A place among those that read.
#[derive(Debug)]
pub(super) struct Reading {
    _permit: OwnedSemaphorePermit,
}

impl Readings {
    /// Waits for a place.
    pub(super) async fn begin(&self, principal: &Principal) -> Reading {
        let places = {
            // Nothing panics under this lock. There are no more of these than tenants.
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let places = all
                .entry(principal.tenant.clone())
                .or_insert_with(|| Arc::new(Semaphore::new(AT_ONCE)));
            Arc::clone(places)
        };
        let permit = places.acquire_owned().await;
        Reading {
            _permit: permit.expect("nobody closes it"),
        }
    }
}

impl Reading {
    /// Makes an answer on a thread for work that takes long. The place is kept until the answer is sent, or given up.
    pub async fn answered(
        self,
        make: impl FnOnce() -> Result<Response, Problem> + Send + 'static,
    ) -> Result<Response, Problem> {
        let made = tokio::task::spawn_blocking(move || (make(), self));
        let made = made.await.map_err(|error| {
            tracing::error!("what was asked for could not be made: {error}");
            Problem::internal("the engine has a fault here; its log has more")
        });
        let (answer, reading) = made?;
        let (head, body) = answer?.into_parts();
        let body = body.into_data_stream().map(move |piece| {
            let _kept = &reading;
            piece
        });
        Ok(Response::from_parts(head, Body::from_stream(body)))
    }
}
