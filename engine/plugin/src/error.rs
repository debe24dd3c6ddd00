//! Why a plugin was refused and why a step failed: causes with remedies, codes that stay.

use std::time::Duration;

/// Why a component was refused. A refusal lists all of them at once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Larger than [`Limits::component_bytes`](crate::Limits::component_bytes).
    #[error(
        "the component has {bytes} bytes, at most {most} are allowed; build it optimised and stripped of debug sections, or have the limit raised"
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// A function that would take the compiler too long.
    #[error(
        "function {function} of module {module} has {count} {what}, at most {most} are allowed, since compiling takes more than proportionally long: build it optimised, or split the function"
    )]
    FunctionTooLarge {
        /// Number of the module in the file, from 0.
        module: u32,
        /// Number of the function in the module, from 0, the imported ones first.
        function: u32,
        /// What it has too much of.
        what: &'static str,
        /// How much it has.
        count: u64,
        /// The limit.
        most: u64,
    },
    /// Code that would take the compiler too long, all functions together.
    #[error(
        "the functions of the component have {count} {what} together, at most {most} are allowed, since compiling would take too long: build it optimised, or leave out what no step uses"
    )]
    CodeTooLarge {
        /// What they have too much of.
        what: &'static str,
        /// How much they have.
        count: u64,
        /// The limit.
        most: u64,
    },
    /// A core module where a component is needed.
    #[error(
        "this is a core WebAssembly module, not a component; turn it into one with `wasm-tools component new` or `strowger plugin componentize`"
    )]
    NotAComponent,
    /// Anything but WebAssembly.
    #[error(
        "this is not WebAssembly: {looks}; build the plugin and name the `.wasm` file that comes out"
    )]
    NotWasm {
        /// What the file looks like.
        looks: &'static str,
    },
    /// The beginning of a component or module without its end.
    #[error(
        "the file ends in the middle, after {bytes} bytes; it was not copied or built to its end: do so again"
    )]
    CutOff {
        /// What there is of it.
        bytes: usize,
    },
    /// Damaged WebAssembly, or uses a feature that the engine leaves off.
    #[error(
        "not a valid component, at byte {offset}: {reason}; threads, 64-bit memories, garbage collection and exceptions are not supported"
    )]
    Invalid {
        /// Where, in bytes from the start.
        offset: usize,
        /// What is wrong.
        reason: String,
    },
    /// An import of a capability that the tenant does not have.
    #[error(
        "the plugin imports `{import}`, but the capability `{capability}` is not granted; grant it, or remove its use from the plugin"
    )]
    NotGranted {
        /// The import as it stands in the component.
        import: String,
        /// Its short name.
        capability: String,
    },
    /// An import that the engine does not serve.
    #[error("the plugin imports `{import}`, which this engine does not serve; served are {served}")]
    UnknownImport {
        /// The import as it stands in the component.
        import: String,
        /// The interfaces that are served, by name and version.
        served: String,
    },
    /// An import of WASI that is not served.
    #[error(
        "the plugin imports `{import}`, which is not served{instead}; of WASI 0.2 there are clocks, random, cli and io, and a filesystem and sockets that refuse everything: leave the import out, or build with the toolchain's option that stubs WASI (`--stub-wasi`)"
    )]
    Wasi {
        /// The import as it stands in the component.
        import: String,
        /// What serves the same purpose here, as a further part of the sentence, or nothing.
        instead: &'static str,
    },
    /// A function of a served interface that does not exist.
    #[error(
        "the plugin imports `{import}#{function}`, which the served interface does not have; it has {known}"
    )]
    UnknownFunction {
        /// The interface.
        import: String,
        /// The function.
        function: String,
        /// The functions that exist.
        known: String,
    },
    /// A function with another signature than the contract's.
    #[error(
        "`{import}#{function}` is declared as `{found}`, the contract says `{expected}`; rebuild the plugin against the WIT of that version"
    )]
    Signature {
        /// The interface.
        import: String,
        /// The function.
        function: String,
        /// The signature in the component.
        found: String,
        /// The signature of the contract.
        expected: String,
    },
    /// The export `strowger:step/guest@1.0` or one of its functions is not there.
    #[error(
        "the plugin does not export `{export}`; implement the world `step` of `strowger:step@1.0.0`"
    )]
    MissingExport {
        /// What is missing.
        export: String,
    },
    /// Well-formed, but the compiler or the pool refuses it.
    #[error("the component does not fit the engine: {reason}")]
    Unsupported {
        /// Why.
        reason: String,
    },
    /// `describe` failed or overran a limit.
    #[error("`describe` did not answer: {0}")]
    Describe(StepError),
    /// The description is not what the contract says.
    #[error("the description is wrong at `{path}`: {reason}")]
    Description {
        /// Where, as a path such as `steps.menu.input`.
        path: String,
        /// What is wrong and what is expected.
        reason: String,
    },
    /// There are more complaints than are told.
    #[error("… and {count} more complaints of that kind; correct the first ones and try again")]
    More {
        /// How many were left out.
        count: usize,
    },
    /// Whoever brought it went away before it was compiled.
    #[error(
        "whoever brought the component is gone, and it was not compiled: bring it again, and wait"
    )]
    Abandoned,
    /// Trouble of the engine's own.
    #[error("the engine could not load the plugin: {reason}; the plugin is not to blame")]
    Engine {
        /// What happened.
        reason: String,
    },
}

impl LoadError {
    /// The complaint's stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "plugin-too-large",
            Self::FunctionTooLarge { .. } | Self::CodeTooLarge { .. } => {
                "plugin-function-too-large"
            }
            Self::NotAComponent => "plugin-not-a-component",
            Self::NotWasm { .. } => "plugin-not-wasm",
            Self::CutOff { .. } => "plugin-cut-off",
            Self::Invalid { .. } => "plugin-invalid",
            Self::NotGranted { .. } => "plugin-not-granted",
            Self::UnknownImport { .. } => "plugin-unknown-import",
            Self::Wasi { .. } => "plugin-wasi",
            Self::UnknownFunction { .. } => "plugin-unknown-function",
            Self::Signature { .. } => "plugin-signature",
            Self::MissingExport { .. } => "plugin-missing-export",
            Self::Unsupported { .. } => "plugin-unsupported",
            Self::Describe(_) => "plugin-describe",
            Self::Description { .. } => "plugin-description",
            Self::More { .. } => "plugin-more",
            Self::Abandoned => "plugin-abandoned",
            Self::Engine { .. } => "plugin-engine",
        }
    }

    /// Whether nothing is known of the component, because of how the engine fares or because nobody waited.
    pub fn of_the_engine(&self) -> bool {
        match self {
            Self::Describe(error) => error.of_the_engine(),
            Self::Abandoned => true,
            _ => false,
        }
    }
}

/// Why a step has no outcome. Each is the flow's `error` edge ([`Self::Timeout`]: its `timeout` edge).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// The plugin itself said that it failed.
    #[error("the step failed with `{code}`: {message}")]
    Failure {
        /// The plugin's own word.
        code: String,
        /// One sentence for the operator.
        message: String,
        /// Whether running the step again may help.
        retryable: bool,
    },
    /// The guest's code trapped.
    #[error("the plugin crashed: {kind}; its author should look at the inputs of this step")]
    Trap {
        /// How.
        kind: TrapKind,
    },
    /// More CPU than [`Limits::cpu_ms`](crate::Limits::cpu_ms).
    #[error("the step used up its {} ms of processor time; shorten its work or have the limit raised", limit.as_millis())]
    CpuLimit {
        /// The limit.
        limit: Duration,
    },
    /// What was left of [`Limits::cpu_ms`](crate::Limits::cpu_ms) did not suffice to check input or outcome.
    #[error("the step's {} ms of processor time were used up while its {what} was held against its schema; simplify the schema, pass less, or have the limit raised", limit.as_millis())]
    CheckLimit {
        /// `input` or `outcome`.
        what: &'static str,
        /// The limit.
        limit: Duration,
    },
    /// Longer than [`Limits::busy_ms`](crate::Limits::busy_ms) outside the calls that wait.
    #[error("the step was busy for more than {} ms; give its requests a shorter timeout or have the limit raised", limit.as_millis())]
    Timeout {
        /// The limit.
        limit: Duration,
    },
    /// More linear memory or table elements than allowed.
    #[error(
        "the step asked for {wanted} {unit}, at most {most} are allowed; use less or have the limit raised"
    )]
    MemoryLimit {
        /// What it would have had.
        wanted: usize,
        /// The limit.
        most: usize,
        /// `bytes of memory` or `table elements`.
        unit: &'static str,
    },
    /// More than all steps of a tenant, and the values of its contacts, may hold at once.
    #[error(
        "the steps of the tenant and the values of its contacts would hold {wanted} bytes of memory together, at most {most} are allowed; let steps use less memory or end sooner, let flows keep shorter values, or have the tenant's limits.memory_mib raised"
    )]
    TenantMemoryLimit {
        /// What they would have had.
        wanted: u64,
        /// The limit.
        most: u64,
    },
    /// Recursion deeper than the guest's stack.
    #[error(
        "the step ran out of stack; look for recursion without an end, recurse less deep, or have the limit raised"
    )]
    StackLimit,
    /// More host calls than [`Limits::host_calls`](crate::Limits::host_calls).
    #[error("the step made more than {most} host calls; return to the flow instead of looping")]
    HostCallLimit {
        /// The limit.
        most: u32,
    },
    /// More bytes through host calls than [`Limits::journal_bytes`](crate::Limits::journal_bytes).
    #[error(
        "the step passed more than {most} bytes through host calls; fetch less or have the limit raised"
    )]
    JournalLimit {
        /// The limit.
        most: usize,
    },
    /// The input is larger than [`Limits::input_bytes`](crate::Limits::input_bytes).
    #[error(
        "the step's input has {bytes} bytes, at most {most} are allowed; give it less in `with:`"
    )]
    InputLimit {
        /// Its size.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// The outcome is larger than [`Limits::output_bytes`](crate::Limits::output_bytes).
    #[error(
        "the step's outcome has {bytes} bytes, at most {most} are allowed; the plugin should return less"
    )]
    OutputLimit {
        /// Its size.
        bytes: usize,
        /// The limit.
        most: usize,
    },
    /// The input does not satisfy the step's own schema.
    #[error("the step's input does not fit its description: {0}; correct `with:` in the flow")]
    BadInput(String),
    /// The plugin has no such step.
    #[error("the plugin has no step `{0}`; look at its description")]
    UnknownStep(String),
    /// The outcome's data is not JSON, or does not satisfy the outcome's schema, or the guest broke the
    /// rules of the component boundary.
    #[error("the plugin's answer breaks its own description: {0}; its author must correct it")]
    BadOutput(String),
    /// An outcome that the description does not list.
    #[error(
        "the plugin answered with the outcome `{0}`, which its description does not list; its author must correct it"
    )]
    UnknownOutcome(String),
    /// The instance was dropped in a long wait, and the one built in its place does something else: the step
    /// depends on more than its input and the answers to its calls.
    #[error(
        "the plugin does not repeat itself: at call {call} it {found}; a step must do the same again for the same input and answers"
    )]
    NotRepeated {
        /// Which call, counted from 1.
        call: usize,
        /// What it does now.
        found: String,
    },
    /// The step was stopped from outside.
    #[error("the step was cancelled: {0}")]
    Cancelled(String),
    /// No instance became free in time.
    #[error("no instance became free within {} ms, of {pool} in all and {most} for one tenant; let steps wait less, raise the pool or the tenant's limits.instances_percent, or add a machine", waited.as_millis())]
    PoolBusy {
        /// Instances in the pool.
        pool: u32,
        /// How many of them the tenant may hold.
        most: u32,
        /// How long the step waited.
        waited: Duration,
    },
    /// Trouble of the engine's own; the plugin is not to blame.
    #[error("the engine failed: {0}; the plugin is not to blame")]
    HostFault(String),
}

impl StepError {
    /// The error's stable code, which flows, logs and metrics show. A plugin's own
    /// failure is `step-failure`; its word is in the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Failure { .. } => "step-failure",
            Self::Trap { .. } => "step-trap",
            Self::CpuLimit { .. } | Self::CheckLimit { .. } => "step-cpu-limit",
            Self::Timeout { .. } => "step-timeout",
            Self::MemoryLimit { .. } | Self::TenantMemoryLimit { .. } => "step-memory-limit",
            Self::StackLimit => "step-stack-limit",
            Self::HostCallLimit { .. } => "step-host-call-limit",
            Self::JournalLimit { .. } => "step-journal-limit",
            Self::InputLimit { .. } => "step-input-limit",
            Self::OutputLimit { .. } => "step-output-limit",
            Self::BadInput(_) => "step-bad-input",
            Self::UnknownStep(_) => "step-unknown",
            Self::BadOutput(_) => "step-bad-output",
            Self::UnknownOutcome(_) => "step-unknown-outcome",
            Self::NotRepeated { .. } => "step-not-repeated",
            Self::Cancelled(_) => "step-cancelled",
            Self::PoolBusy { .. } => "step-pool-busy",
            Self::HostFault(_) => "step-host-fault",
        }
    }

    /// Whether it is the engine's trouble, or that of the moment, and says nothing about the plugin.
    pub fn of_the_engine(&self) -> bool {
        matches!(
            self,
            Self::PoolBusy { .. } | Self::TenantMemoryLimit { .. } | Self::HostFault(_)
        )
    }

    /// Whether running the step again, with the same input, may help.
    pub fn retryable(&self) -> bool {
        match self {
            Self::Failure { retryable, .. } => *retryable,
            Self::PoolBusy { .. }
            | Self::TenantMemoryLimit { .. }
            | Self::Timeout { .. }
            | Self::HostFault(_) => true,
            _ => false,
        }
    }
}

/// How a guest crashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TrapKind {
    /// `unreachable`: most languages' panic or abort.
    Unreachable,
    /// A read or write outside the memory.
    OutOfBounds,
    /// A table access outside the table, an empty or a wrongly typed entry.
    BadTable,
    /// An integer division by zero, an overflow of one, or a conversion that cannot be done.
    Arithmetic,
    /// It ended itself as a program does (`wasi:cli/exit`), which a step cannot.
    Exit,
    /// Anything else.
    Other,
}

impl std::fmt::Display for TrapKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Unreachable => "it panicked or aborted",
            Self::OutOfBounds => "memory access out of bounds",
            Self::BadTable => "call through a bad table entry",
            Self::Arithmetic => "division by zero or overflow",
            Self::Exit => "it called `exit`; a step ends by returning an outcome or a failure",
            Self::Other => "trap",
        })
    }
}
