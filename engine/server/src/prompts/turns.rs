//! Turns at what only so many may do at once: whoever waits gets one after the other tenants that wait, not after all that they want.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// So many at once in the whole process, tenant by tenant.
pub struct Turns {
    state: Mutex<State>,
}

struct State {
    /// Turns that nobody has; then nobody waits.
    free: usize,
    /// Who waits, by tenant, in the order of asking.
    waiting: HashMap<Arc<str>, VecDeque<oneshot::Sender<Turn>>>,
    /// The tenants of which somebody waits; the first one's turn is next.
    next: VecDeque<Arc<str>>,
}

/// A turn, as long as it lives. Then it is the next one's.
pub struct Turn(Option<Arc<Turns>>);

impl Turns {
    /// At most so many at once.
    pub fn new(most: usize) -> Arc<Turns> {
        Arc::new(Turns {
            state: Mutex::new(State {
                free: most,
                waiting: HashMap::new(),
                next: VecDeque::new(),
            }),
        })
    }

    /// Waits for a turn of this tenant's.
    pub async fn take(self: &Arc<Self>, whose: &str) -> Turn {
        let turn = {
            let mut state = self.state();
            if state.free > 0 {
                state.free -= 1;
                return Turn(Some(Arc::clone(self)));
            }
            state.wait(whose)
        };
        // Whoever waits is given one, or given up with the turns themselves, which this call keeps.
        turn.await
            .expect("the turns are there as long as somebody waits")
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wait(&mut self, whose: &str) -> oneshot::Receiver<Turn> {
        let (give, turn) = oneshot::channel();
        match self.waiting.get_mut(whose) {
            Some(others) => others.push_back(give),
            None => {
                let whose: Arc<str> = whose.into();
                self.next.push_back(Arc::clone(&whose));
                self.waiting.insert(whose, VecDeque::from([give]));
            }
        }
        turn
    }

    /// Who has waited longest of the tenant whose turn it is.
    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        let whose = self.next.pop_front()?;
        let of_it = self.waiting.get_mut(&whose)?;
        let first = of_it.pop_front();
        match of_it.is_empty() {
            true => drop(self.waiting.remove(&whose)),
            false => self.next.push_back(whose),
        }
        first
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(turns) = self.0.take() else {
            return;
        };
        let mut state = turns.state();
        while let Some(next) = state.next() {
            match next.send(Turn(Some(Arc::clone(&turns)))) {
                Ok(()) => return,
                // Who waited has gone: this is the next one's, and no turn to give back.
                Err(mut unwanted) => drop(unwanted.0.take()),
            }
        }
        state.free += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::Turns;

    /// Lets every task that can go on do so; they run one at a time.
    async fn settle() {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn tenants_take_turns_whatever_one_of_them_wants() {
        let turns = Turns::new(1);
        let order: Arc<Mutex<Vec<&str>>> = Arc::default();
        let held = turns.take("mallory").await;
        let mut gone = Vec::new();
        for whose in ["mallory", "mallory", "mallory", "gone", "vega", "vega"] {
            let (turns, order) = (Arc::clone(&turns), Arc::clone(&order));
            let task = tokio::spawn(async move {
                let turn = turns.take(whose).await;
                order.lock().expect("whole").push(whose);
                tokio::task::yield_now().await;
                drop(turn);
            });
            settle().await;
            if whose == "gone" {
                gone.push(task);
            }
        }
        // Whoever goes while waiting takes nobody's turn.
        for task in gone {
            task.abort();
        }
        settle().await;
        assert!(order.lock().expect("whole").is_empty());
        drop(held);
        settle().await;
        let order = order.lock().expect("whole").clone();
        assert_eq!(order, ["mallory", "vega", "mallory", "vega", "mallory"]);
        // The turn is there again.
        drop(turns.take("vega").await);
        let state = turns.state();
        assert_eq!(
            (state.free, state.waiting.len(), state.next.len()),
            (1, 0, 0)
        );
    }
}
