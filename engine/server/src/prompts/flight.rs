//! One piece of work for all who want its result.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use super::error::PromptError;

/// Work under way, by what it makes. The second to ask waits for the first one's result.
pub struct Flights<K, V> {
    open: Mutex<HashMap<K, Landing<V>>>,
    limit: usize,
}

impl<K, V> Flights<K, V>
where
    K: Clone + Eq + Hash + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// At most `limit` pieces of work at once; further ones are refused.
    pub fn new(limit: usize) -> Arc<Flights<K, V>> {
        Arc::new(Flights {
            open: Mutex::new(HashMap::new()),
            limit,
        })
    }

    /// The result of `work`, which runs as a task of its own: a caller who hangs up does not stop it for others.
    pub async fn join<F>(
        self: &Arc<Self>,
        key: K,
        work: impl FnOnce() -> F,
    ) -> Result<V, PromptError>
    where
        F: Future<Output = Result<V, PromptError>> + Send + 'static,
    {
        let mut landing = self.landing(key, work)?;
        match landing.wait_for(Option::is_some).await {
            Ok(result) => result.clone().unwrap_or(Err(PromptError::GivenUp)),
            // The task panicked or the runtime is going down.
            Err(_closed) => Err(PromptError::GivenUp),
        }
    }

    fn landing<F>(
        self: &Arc<Self>,
        key: K,
        work: impl FnOnce() -> F,
    ) -> Result<Landing<V>, PromptError>
    where
        F: Future<Output = Result<V, PromptError>> + Send + 'static,
    {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(landing) = open.get(&key) {
            return Ok(landing.clone());
        }
        if open.len() >= self.limit {
            return Err(PromptError::Busy {
                waiting: open.len(),
            });
        }
        let (land, landing) = watch::channel(None);
        open.insert(key.clone(), landing.clone());
        let slot = Slot {
            flights: Arc::clone(self),
            key,
        };
        let work = work();
        tokio::spawn(async move {
            let result = work.await;
            // Gone from the list before the news is out: who asks now finds the result where it was put.
            drop(slot);
            let _ = land.send(Some(result));
        });
        Ok(landing)
    }
}

/// Where the result appears.
type Landing<V> = watch::Receiver<Option<Result<V, PromptError>>>;

/// A place in the list, given back even by a panic.
struct Slot<K: Eq + Hash, V> {
    flights: Arc<Flights<K, V>>,
    key: K,
}

impl<K: Eq + Hash, V> Drop for Slot<K, V> {
    fn drop(&mut self) {
        self.flights
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.key);
    }
}
