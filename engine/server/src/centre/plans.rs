//! The plans of a tenant's flows in memory: each once, however many of its revisions have it, and no more than the tenant may have.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use strowger_contact::Program;
use strowger_flow::plan::Plan;

/// Those of one tenant, of all its revisions that somebody walks or may walk.
#[derive(Debug)]
pub(super) struct Plans(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Bytes.
    most: u64,
    /// By the SHA-256 of the flow's text.
    loaded: BTreeMap<String, Vec<Loaded>>,
}

#[derive(Debug)]
struct Loaded {
    plan: Weak<Plan>,
    /// What it takes.
    bytes: u64,
}

/// What a program would bring its tenant's plans to, where that is more than they may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full {
    /// What the plans of the program take by themselves. Bytes.
    pub own: u64,
    /// What all would take together. Bytes.
    pub wanted: u64,
    /// Bytes.
    pub most: u64,
}

/// Whether plans may be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    /// They may: something new is to be served, or something old looked at.
    Held,
    /// They may not, and are counted: they are live already, or a contact in progress goes on with them.
    Free,
}

impl Plans {
    /// None yet, of a tenant whose plans may take so many bytes.
    pub fn new(most: u64) -> Plans {
        Plans(Mutex::new(State {
            most,
            loaded: BTreeMap::new(),
        }))
    }

    /// From now on they may take so many bytes; those that are loaded stay.
    pub fn set_most(&self, most: u64) {
        self.lock().most = most;
    }

    /// What those take that are in memory. Bytes.
    pub fn held(&self) -> u64 {
        self.lock().held()
    }

    /// Counts a program's plans as long as they are in memory. Those that are loaded already take the place of its own. It is left as it
    /// is where there is no room for the others.
    ///
    /// It looks at all that they hold: not for the threads that calls and chats run on.
    pub fn take_in(&self, program: &mut Program, bound: Bound) -> Result<(), Full> {
        let known = self.lock().of(program);
        let (mut shared, mut new) = (Vec::new(), Vec::new());
        let mut own = 0;
        for plan in program.flows() {
            let bytes = plan.memory_bytes() as u64;
            own += bytes;
            let like = known.iter().find(|known| known.is_like(plan));
            match like {
                Some(like) => shared.push(Arc::clone(like)),
                None => new.push((Arc::clone(plan), bytes)),
            }
        }
        let mut state = self.lock();
        let wanted = state.held() + new.iter().map(|(_, bytes)| bytes).sum::<u64>();
        if bound == Bound::Held && wanted > state.most && !new.is_empty() {
            return Err(Full {
                own,
                wanted,
                most: state.most,
            });
        }
        for (plan, bytes) in new {
            let loaded = state.loaded.entry(plan.hash.clone()).or_default();
            loaded.push(Loaded {
                plan: Arc::downgrade(&plan),
                bytes,
            });
        }
        drop(state);
        shared.into_iter().for_each(|plan| program.share(plan));
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What those take that are in memory; the others are forgotten.
    fn held(&mut self) -> u64 {
        self.loaded.retain(|_, loaded| {
            loaded.retain(|one| one.plan.strong_count() > 0);
            !loaded.is_empty()
        });
        self.loaded.values().flatten().map(|one| one.bytes).sum()
    }

    /// Those of the texts of a program's flows.
    fn of(&self, program: &Program) -> Vec<Arc<Plan>> {
        let loaded = program
            .flows()
            .filter_map(|plan| self.loaded.get(&plan.hash));
        loaded
            .flatten()
            .filter_map(|one| one.plan.upgrade())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use strowger_contact::Program;
    use strowger_flow::Catalog;
    use strowger_flow::plan::Plan;

    use super::{Bound, Full, Plans};

    /// A flow of so many actions.
    fn plan(name: &str, actions: usize) -> Arc<Plan> {
        let actions = "    - tag: { seen: yes }\n".repeat(actions);
        let text = format!(
            "flow: {name}\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n{actions}    - hangup: done\n"
        );
        let checked = strowger_flow::check("a.flow.yaml", text.as_bytes(), &Catalog::default());
        let plan = checked.plan.expect("it is well");
        Arc::new(Plan {
            hash: format!("{name} {}", actions.len()),
            ..plan
        })
    }

    fn program(plans: &[(&str, usize)]) -> Program {
        let plans = plans.iter().map(|(name, actions)| plan(name, *actions));
        Program::new(plans, &Default::default(), Default::default()).expect("whole")
    }

    fn bytes(name: &str, actions: usize) -> u64 {
        plan(name, actions).memory_bytes() as u64
    }

    #[test]
    fn what_two_revisions_have_is_there_once_and_goes_with_the_last_of_them() {
        let plans = Plans::new(u64::MAX);
        let mut first = program(&[("a", 100), ("b", 10)]);
        let mut second = program(&[("a", 100), ("b", 20)]);
        assert_eq!(plans.take_in(&mut first, Bound::Held), Ok(()));
        assert_eq!(plans.take_in(&mut second, Bound::Held), Ok(()));
        let [one, other] = [&first, &second].map(|program| program.flow("a").expect("it is there"));
        assert!(Arc::ptr_eq(one, other));
        assert_eq!(second.flow("b").map(|plan| plan.nodes.len()), Some(21));
        let both = bytes("a", 100) + bytes("b", 10) + bytes("b", 20);
        assert_eq!(plans.held(), both);
        drop(first);
        assert_eq!(plans.held(), both - bytes("b", 10));
        drop(second);
        assert_eq!(plans.held(), 0);
    }

    #[test]
    fn what_there_is_no_room_for_is_refused_until_somebody_goes() {
        let most = bytes("a", 100) + bytes("b", 100) / 2;
        let plans = Plans::new(most);
        let mut walked = program(&[("a", 100)]);
        assert_eq!(plans.take_in(&mut walked, Bound::Held), Ok(()));
        let mut new = program(&[("a", 100), ("b", 100)]);
        let full = Full {
            own: bytes("a", 100) + bytes("b", 100),
            wanted: bytes("a", 100) + bytes("b", 100),
            most,
        };
        assert_eq!(plans.take_in(&mut new, Bound::Held), Err(full));
        assert_eq!(plans.held(), bytes("a", 100));
        // What is walked already is counted, and not refused.
        let mut past = program(&[("b", 100)]);
        assert_eq!(plans.take_in(&mut past, Bound::Free), Ok(()));
        assert_eq!(plans.held(), bytes("a", 100) + bytes("b", 100));
        // The same once more takes nothing.
        let mut again = program(&[("a", 100)]);
        assert_eq!(plans.take_in(&mut again, Bound::Held), Ok(()));
        drop((walked, again));
        assert_eq!(plans.held(), bytes("b", 100));
        plans.set_most(full.wanted);
        assert_eq!(plans.take_in(&mut new, Bound::Held), Ok(()));
    }
}
