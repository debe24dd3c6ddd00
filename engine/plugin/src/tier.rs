//! The kinds of room for guests: many small instances, some large ones for interpreters, and a few of each with another stack.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use wasmtime::Engine;

use crate::host::HostError;
use crate::limits::{INTERPRETER_STACKS, Limits, STACKS};
use crate::pool::Pool;
use crate::slots::Slots;
use crate::ticker::Ticker;

/// What tells tiers apart: whether their guests are interpreters, and the stack that a guest has. The bound on the stack belongs
/// to an engine, not to an instance of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kind {
    pub(crate) interpreter: bool,
    /// Bytes: one of [`STACKS`] or of [`INTERPRETER_STACKS`].
    pub(crate) stack: usize,
}

impl Kind {
    /// The kind for a component under these limits.
    pub(crate) fn of(interpreter: bool, limits: &Limits) -> Kind {
        let (stacks, asked) = match interpreter {
            true => (&INTERPRETER_STACKS[..], limits.interpreter_stack_bytes),
            false => (&STACKS[..], limits.stack_bytes),
        };
        let within = stacks.iter().rev().find(|stack| **stack <= asked);
        let stack = *within.unwrap_or(&stacks[0]);
        Kind { interpreter, stack }
    }

    /// Whether it is the one for components under the limits that hold where nothing else is said.
    pub(crate) fn is_usual(self) -> bool {
        self == Kind::of(self.interpreter, &Limits::default())
    }

    /// Every kind there can be.
    #[cfg(test)]
    pub(crate) fn all() -> impl Iterator<Item = Kind> {
        let kinds = |interpreter| move |stack| Kind { interpreter, stack };
        let native = STACKS.into_iter().map(kinds(false));
        native.chain(INTERPRETER_STACKS.into_iter().map(kinds(true)))
    }
}

/// The tiers of a host. The usual one for small instances is made at the start, the others when they are first needed: most hosts
/// have none of them. One that was made stays.
pub(crate) struct Tiers {
    pub(crate) usual: Arc<Tier>,
    others: Mutex<BTreeMap<Kind, Arc<Tier>>>,
    tick: Duration,
}

impl Tiers {
    /// With that pool for small instances.
    pub(crate) fn new(pool: Pool, tick: Duration) -> Result<Tiers, HostError> {
        let usual = Tier::new(pool, tick, false)?;
        Ok(Tiers {
            usual: Arc::new(usual),
            others: Mutex::default(),
            tick,
        })
    }

    /// The tier of a kind.
    pub(crate) fn of(&self, kind: Kind) -> Result<Arc<Tier>, HostError> {
        if kind.is_usual() && !kind.interpreter {
            return Ok(Arc::clone(&self.usual));
        }
        let mut others = self.others();
        if let Some(tier) = others.get(&kind) {
            return Ok(Arc::clone(tier));
        }
        // Who comes for one meanwhile waits instead of making another.
        let pool = self.usual.pool.beside(kind);
        let tier = Arc::new(Tier::new(pool, self.tick, kind.interpreter)?);
        others.insert(kind, Arc::clone(&tier));
        Ok(tier)
    }

    /// How often their guests are looked at.
    pub(crate) fn tick(&self) -> Duration {
        self.tick
    }

    /// Interpreters that may be alive at once.
    pub(crate) fn interpreters(&self) -> u32 {
        let others = self.others();
        let interpreters = others.values().filter(|tier| tier.interpreter);
        interpreters.map(|tier| tier.pool.instances).sum()
    }

    /// Instances alive now, in all of them.
    pub(crate) fn in_use(&self) -> u32 {
        let others: u32 = self.others().values().map(|tier| tier.slots.in_use()).sum();
        self.usual.slots.in_use() + others
    }

    fn others(&self) -> MutexGuard<'_, BTreeMap<Kind, Arc<Tier>>> {
        // Where making a tier panics, there is none of its kind.
        self.others.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An engine with its pool of instances.
pub(crate) struct Tier {
    pub(crate) engine: Engine,
    pub(crate) pool: Pool,
    /// One per instance of the pool: who comes late waits instead of failing.
    pub(crate) slots: Slots,
    interpreter: bool,
    _ticker: Ticker,
}

impl Tier {
    fn new(pool: Pool, tick: Duration, interpreter: bool) -> Result<Self, HostError> {
        let engine = crate::engine::engine(&pool)
            .map_err(|error| HostError::Engine(format!("{error:#}")))?;
        let ticker = Ticker::start(&engine, tick).map_err(HostError::Threads)?;
        Ok(Self {
            engine,
            pool,
            slots: Slots::new(pool.instances),
            interpreter,
            _ticker: ticker,
        })
    }

    /// What a step may use here.
    pub(crate) fn limits(&self, limits: &Limits) -> Limits {
        let mut here = limits.clone();
        if self.interpreter {
            here.memory_bytes = limits.interpreter_memory_bytes;
            here.table_elements = limits.interpreter_table_elements;
        }
        here.table_elements = here.table_elements.min(self.pool.room.table_elements);
        here
    }
}
