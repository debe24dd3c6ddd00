//! Turns at work of which only so much is done at once: tenants take them in turn, and none has them all.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// So many turns at once, and so many of each tenant. A handle.
#[derive(Debug, Clone)]
pub(crate) struct Turns(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    each: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    free: usize,
    /// Turns that each tenant has; who has none is not here.
    taken: BTreeMap<String, usize>,
    /// Who waits, by tenant; the tenant whose turn is next is in front.
    waiting: VecDeque<(String, VecDeque<oneshot::Sender<Turn>>)>,
}

/// A turn, until this is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    tenant: String,
    turns: Arc<Shared>,
}

impl Turns {
    /// So many in all, and so many of each tenant.
    pub fn new(all: usize, each: usize) -> Turns {
        Turns(Arc::new(Shared {
            each,
            state: Mutex::new(State {
                free: all,
                taken: BTreeMap::new(),
                waiting: VecDeque::new(),
            }),
        }))
    }

    /// Waits for a tenant's turn; of one tenant who came first has it first.
    pub async fn take(&self, tenant: &str) -> Turn {
        let (give, get) = oneshot::channel();
        self.0.lock().wait(tenant, give);
        pass_on(&self.0);
        get.await.expect("who waits is kept until it has its turn")
    }
}

/// Gives what is free to those who wait.
fn pass_on(turns: &Arc<Shared>) {
    while let Some((tenant, give)) = turns.next() {
        let turn = Turn {
            tenant,
            turns: Arc::clone(turns),
        };
        // Who gave up meanwhile gives it back, and that gives it to the next.
        let _ = give.send(turn);
    }
}

impl Shared {
    /// Takes a turn for the next who may have one.
    fn next(&self) -> Option<(String, oneshot::Sender<Turn>)> {
        self.lock().next(self.each)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics under this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wait(&mut self, tenant: &str, give: oneshot::Sender<Turn>) {
        let mut waiting = self.waiting.iter_mut();
        match waiting.find(|(waits, _)| waits == tenant) {
            Some((_, own)) => own.push_back(give),
            None => self
                .waiting
                .push_back((tenant.to_owned(), VecDeque::from([give]))),
        }
    }

    fn next(&mut self, each: usize) -> Option<(String, oneshot::Sender<Turn>)> {
        if self.free == 0 {
            return None;
        }
        self.waiting.retain_mut(|(_, own)| {
            own.retain(|give| !give.is_closed());
            !own.is_empty()
        });
        let taken = |tenant: &String| self.taken.get(tenant).copied().unwrap_or_default();
        let may = self
            .waiting
            .iter()
            .position(|(tenant, _)| taken(tenant) < each)?;
        let (tenant, mut own) = self.waiting.remove(may)?;
        let give = own.pop_front()?;
        if !own.is_empty() {
            self.waiting.push_back((tenant.clone(), own));
        }
        self.free -= 1;
        *self.taken.entry(tenant.clone()).or_default() += 1;
        Some((tenant, give))
    }

    fn give_back(&mut self, tenant: &str) {
        self.free += 1;
        if let Some(own) = self.taken.get_mut(tenant) {
            *own -= 1;
            if *own == 0 {
                self.taken.remove(tenant);
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.lock().give_back(&self.tenant);
        pass_on(&self.turns);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::{Turn, Turns};

    type Waiting<'a> = Pin<Box<dyn Future<Output = Turn> + 'a>>;

    /// The turn, if it is there.
    fn now(waiting: &mut Waiting<'_>) -> Option<Turn> {
        let mut context = Context::from_waker(Waker::noop());
        match waiting.as_mut().poll(&mut context) {
            Poll::Ready(turn) => Some(turn),
            Poll::Pending => None,
        }
    }

    fn wait<'a>(turns: &'a Turns, tenant: &'a str) -> Waiting<'a> {
        Box::pin(turns.take(tenant))
    }

    #[test]
    fn a_neighbour_is_not_behind_all_that_one_has() {
        let turns = Turns::new(3, 2);
        let mut aurora: Vec<_> = (0..100).map(|_| wait(&turns, "aurora")).collect();
        let had: Vec<_> = aurora.iter_mut().filter_map(now).collect();
        assert_eq!(had.len(), 2, "no tenant has all");
        let (mut vega, mut lyra) = (wait(&turns, "vega"), wait(&turns, "lyra"));
        let first = now(&mut vega).expect("one is left");
        assert!(now(&mut lyra).is_none(), "all are taken");
        drop(first);
        assert!(
            now(&mut lyra).is_some(),
            "it is lyra's turn, of those who have fewer"
        );
        drop(had);
        let had: Vec<_> = aurora[2..].iter_mut().filter_map(now).collect();
        assert_eq!(had.len(), 2);
    }

    #[test]
    fn tenants_take_turns_and_who_gave_up_has_none() {
        let turns = Turns::new(1, 1);
        let first = now(&mut wait(&turns, "aurora")).expect("free");
        let (mut gone, mut second) = (wait(&turns, "aurora"), wait(&turns, "aurora"));
        let mut other = wait(&turns, "vega");
        let polled = [&mut gone, &mut second, &mut other].map(|waits| now(waits).is_some());
        assert_eq!(polled, [false; 3]);
        drop(gone);
        drop(first);
        // One that has its turn and never looks gives it back.
        assert!(now(&mut other).is_none(), "aurora's second came first");
        drop(second);
        assert!(now(&mut other).is_some());
        let state = turns.0.lock();
        assert!(state.waiting.is_empty() && state.free == 1 && state.taken.is_empty());
    }
}
