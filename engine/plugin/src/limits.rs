//! What a component and a step may use: every limit with unit, default and reason, in one place.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a component and one step of it may use. Set per tenant; the defaults suit steps that talk with
/// a contact and call a service or two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Size of the component. Bytes; default 24 MiB.
    ///
    /// Enough for a whole interpreter with its library (CPython has 18 MiB). Compiling takes about a second per
    /// MiB of code, and code stays resident.
    pub component_bytes: usize,
    /// Size of the answer to `describe`. Bytes; default 256 KiB.
    ///
    /// It is kept in memory as long as the plugin is loaded and shown in forms.
    pub description_bytes: usize,
    /// Linear memory, the sum over all memories of the instance. Bytes; default 16 MiB; at most
    /// [`MEMORY_MOST`].
    ///
    /// Ten thousand waiting steps must fit into one machine. A growth beyond it ends the step, so that
    /// the author sees the limit and not an `unreachable` in the allocator.
    pub memory_bytes: usize,
    /// The same for a component that carries an interpreter (see [`INTERPRETER_BYTES`]). Bytes; default 64 MiB;
    /// at most [`MEMORY_MOST`].
    ///
    /// An interpreter begins with its whole library in memory; most of that is shared between steps.
    pub interpreter_memory_bytes: usize,
    /// Elements over all tables. Count; default 10,000; at most [`TABLE_ELEMENTS_MOST`].
    ///
    /// Tables hold function references; a large program has a few thousand.
    pub table_elements: usize,
    /// The same for a component that carries an interpreter. Count; default 64,000; at most
    /// [`INTERPRETER_TABLE_ELEMENTS_MOST`].
    pub interpreter_table_elements: usize,
    /// Stack of the guest's own frames. Bytes: one of [`STACKS`]; default 128 KiB. What lies between two of them counts as the
    /// lower one.
    ///
    /// Enough for the recursion of a JSON parser at its depth limit; small enough that endless recursion ends within a
    /// millisecond. The bound belongs to an engine and not to an instance of it, so each size has an engine and a pool of its
    /// own; all but the default's have room for fewer instances.
    pub stack_bytes: usize,
    /// The same for a component that carries an interpreter, where each call of its language is several large frames. Bytes:
    /// one of [`INTERPRETER_STACKS`]; default 1 MiB.
    pub interpreter_stack_bytes: usize,
    /// CPU of one step: its active time on a processor, host calls' own work included.
    /// Milliseconds; default 100. Enforced at the epoch tick, so the overrun is at most about one tick.
    ///
    /// A step decides and formats; a hundred milliseconds is a thousand times what that takes.
    pub cpu_ms: u64,
    /// Time a step may take outside the calls that wait for the contact, a person or a clock
    /// ([`Class::Wait`](crate::Class::Wait)). Milliseconds; default 5,000.
    ///
    /// This is the silence a caller may hear while a step thinks or asks a slow service.
    pub busy_ms: u64,
    /// Host calls of one step. Count; default 1,000.
    ///
    /// Each is a journal entry; a step that loops should return to the flow instead.
    pub host_calls: u32,
    /// Arguments and results of all host calls of one step. Bytes; default 4 MiB.
    ///
    /// The journal keeps them all, and a rebuilt instance is answered from it.
    pub journal_bytes: usize,
    /// Input of one step. Bytes of JSON; default 64 KiB.
    pub input_bytes: usize,
    /// Data of an outcome, and text of a failure. Bytes; default 64 KiB.
    ///
    /// Outcomes become variables of the contact and are kept with it.
    pub output_bytes: usize,
    /// One text passed to a host call. Bytes; default 256 KiB.
    pub string_bytes: usize,
    /// One byte list passed to a host call, such as the body of a request. Bytes; default 1 MiB.
    pub list_bytes: usize,
}

/// Highest value of [`Limits::memory_bytes`]: what a slot of the pool can hold. Bytes.
pub const MEMORY_MOST: usize = 256 << 20;

/// Highest value of [`Limits::table_elements`] for one table: what a slot of the pool can hold. Count.
pub const TABLE_ELEMENTS_MOST: usize = 10_000;

/// Highest value of [`Limits::interpreter_table_elements`] for one table. Count.
pub const INTERPRETER_TABLE_ELEMENTS_MOST: usize = 64_000;

/// A component larger than this, or of more parts than a small program has, counts as one that carries an
/// interpreter: it runs in a pool of its own, with more room and fewer instances. Bytes.
///
/// Plugins compiled to WebAssembly have 20 to 500 KiB; the smallest JavaScript engine has one MiB.
pub const INTERPRETER_BYTES: usize = 1 << 20;

/// Largest code of one function. Bytes.
///
/// Compiling takes more than twice as long for twice as large a function, and nothing can stop it. The largest of CPython as it is
/// built for WebAssembly has 417 KiB, that of QuickJS 53 KiB.
pub(crate) const FUNCTION_BYTES: usize = 640 << 10;

/// Code from which on a function counts as large. Bytes.
pub(crate) const LARGE_FUNCTION_BYTES: usize = 64 << 10;

/// Code of all large functions of a component. Bytes; CPython has 670 KiB in three of them.
pub(crate) const LARGE_FUNCTIONS_BYTES: usize = 2 << 20;

/// Most local variables of a function times bytes of its code.
///
/// The compiler may remember each variable at each branch: this bounds that to some hundred MiB. CPython's have four million at
/// most, with 271 variables.
pub(crate) const FUNCTION_LOCALS_BYTES: u64 = 128 << 20;

/// What [`Limits::stack_bytes`] may be, in rising order: few, since each that is used costs a pool. Bytes.
pub const STACKS: [usize; 4] = [32 << 10, 64 << 10, 128 << 10, 256 << 10];

/// What [`Limits::interpreter_stack_bytes`] may be, in rising order. Bytes.
pub const INTERPRETER_STACKS: [usize; 3] = [512 << 10, 1 << 20, 2 << 20];

/// What a step's fiber has beyond the guest's stack, for the frames of the host. Bytes; only touched pages are resident.
pub(crate) const HOST_STACK_BYTES: usize = 384 << 10;

/// [`HOST_STACK_BYTES`] of an interpreter.
pub(crate) const INTERPRETER_HOST_STACK_BYTES: usize = 1 << 20;

impl Limits {
    /// [`Self::cpu_ms`] as a duration.
    pub(crate) fn cpu(&self) -> Duration {
        Duration::from_millis(self.cpu_ms)
    }

    /// [`Self::busy_ms`] as a duration.
    pub(crate) fn busy(&self) -> Duration {
        Duration::from_millis(self.busy_ms)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            component_bytes: 24 << 20,
            description_bytes: 256 << 10,
            memory_bytes: 16 << 20,
            interpreter_memory_bytes: 64 << 20,
            table_elements: 10_000,
            interpreter_table_elements: 64_000,
            stack_bytes: 128 << 10,
            interpreter_stack_bytes: 1 << 20,
            cpu_ms: 100,
            busy_ms: 5_000,
            host_calls: 1_000,
            journal_bytes: 4 << 20,
            input_bytes: 64 << 10,
            output_bytes: 64 << 10,
            string_bytes: 256 << 10,
            list_bytes: 1 << 20,
        }
    }
}
