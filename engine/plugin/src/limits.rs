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

/// Code of all functions of a component. Bytes; CPython has 6.3 MiB, QuickJS 1.3 MiB.
///
/// This and the bounds below leave room for two to three times what CPython has. Measured at them (wasmtime optimised)
/// are, in seconds of processor time and MiB at the most: 24 functions of 990 loops and 170 variables 2.9 and 265; 24 of
/// 1,480 blocks, each with a branch, and as many variables 0.5 and 225; loops 43 deep 0.1 and 124; 39,000 functions 1.2 and 372; 12.6 MiB of loads and stores
/// in functions of 63 KiB 4.6 and 340; three of 640 KiB of them 0.8 and 437; CPython 10 and 546.
pub(crate) const CODE_BYTES: usize = 16 << 20;

/// Functions of a component. Count; CPython has 13,400.
///
/// Each costs the compiler something, however small it is: a file of 24 MiB has room for millions.
pub(crate) const FUNCTIONS_MOST: u32 = 40_000;

/// Parameters and results of one type of functions or blocks. Count; CPython has 19, as compilers pass more in memory.
///
/// An instruction of two bytes moves as many values as its type has.
pub(crate) const TYPE_VALUES: usize = 64;

/// Values that a function holds at its branches: the sum over all of them of its variables and of what is on its operand
/// stack. Count.
///
/// The compiler may remember each of them for each branch: this is what it takes time and memory for. The largest of CPython has
/// 167,000, that of QuickJS 142,000.
pub(crate) const FUNCTION_HELD: u64 = 512 << 10;

/// The same over all functions of a component, small ones included. Count; CPython has 4.7 million, QuickJS 1.2 million.
pub(crate) const HELD: u64 = 12 << 20;

/// Values that the instructions of a function take and give, those of calls and branches included. Count; CPython has 284,000 at
/// most.
///
/// A call of two bytes may give as many as a type has.
pub(crate) const FUNCTION_MOVED: u64 = 1 << 20;

/// The same over all functions of a component. Count; CPython has 4.1 million.
pub(crate) const MOVED: u64 = 16 << 20;

/// Loops of a function, each counted as often as it is deep in others. Count.
///
/// The compiler's time grows with the cube of how deep loops are in one another, and with the square of how many there
/// are. QuickJS has 313, with loops 21 deep; CPython 270.
pub(crate) const FUNCTION_LOOPS: u64 = 1_000;

/// The same over all functions of a component. Count; CPython has 13,700.
pub(crate) const LOOPS: u64 = 40_000;

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
