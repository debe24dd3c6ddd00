//! The two kinds of room for guests: many small instances, and some large ones for interpreters.

use std::time::Duration;

use wasmtime::Engine;

use crate::host::HostError;
use crate::limits::Limits;
use crate::pool::Pool;
use crate::slots::Slots;
use crate::ticker::Ticker;

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
    /// The tier of components that were compiled to WebAssembly.
    pub(crate) fn native(pool: Pool, tick: Duration) -> Result<Self, HostError> {
        Self::new(pool, tick, false)
    }

    /// The tier of interpreters beside that pool.
    pub(crate) fn interpreters(beside: &Pool, tick: Duration) -> Result<Self, HostError> {
        Self::new(beside.interpreters(), tick, true)
    }

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

    /// Instances alive now.
    pub(crate) fn in_use(&self) -> u32 {
        self.slots.in_use()
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
