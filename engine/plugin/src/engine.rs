//! The engine's profile: what guests may use, and how their code is made.

use wasmtime::{Config, Engine, InstanceAllocationStrategy, OptLevel, WasmFeatures};

use crate::pool::Pool;

/// Names the settings below in the key of the code cache. Change it whenever a setting changes that
/// makes other machine code.
pub(crate) const PROFILE: &str = "strowger-step-2";

/// What components may use: WebAssembly 2.0, wider constants, relaxed SIMD (made deterministic), several
/// memories and the component model. Where components are composed, as a JavaScript engine with its WASI is,
/// the engine itself copies between their memories with code that has both. Threads, 64-bit memories, garbage collection, exceptions and tail calls are off:
/// no guest toolchain that we serve needs them, and each is more surface to attack.
pub(crate) const FEATURES: WasmFeatures = WasmFeatures::FLOATS
    .union(WasmFeatures::MUTABLE_GLOBAL)
    .union(WasmFeatures::SATURATING_FLOAT_TO_INT)
    .union(WasmFeatures::SIGN_EXTENSION)
    .union(WasmFeatures::REFERENCE_TYPES)
    .union(WasmFeatures::MULTI_VALUE)
    .union(WasmFeatures::BULK_MEMORY)
    .union(WasmFeatures::SIMD)
    .union(WasmFeatures::RELAXED_SIMD)
    .union(WasmFeatures::EXTENDED_CONST)
    .union(WasmFeatures::MULTI_MEMORY)
    .union(WasmFeatures::COMPONENT_MODEL);

/// The engine of steps that serve contacts.
pub(crate) fn engine(pool: &Pool) -> Result<Engine, wasmtime::Error> {
    let mut config = Config::new();
    config
        .concurrency_support(false)
        .wasm_features(WasmFeatures::all().difference(FEATURES), false)
        .wasm_features(FEATURES, true)
        .epoch_interruption(true)
        .max_wasm_stack(pool.stack)
        .async_stack_size(pool.fiber_stack())
        .memory_init_cow(true)
        .cranelift_opt_level(OptLevel::Speed)
        // A step must give the same answer on every machine, floats included, or its journal cannot
        // be replayed elsewhere.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        // Walking the stack on each trap costs more than the step itself.
        .wasm_backtrace_max_frames(None)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool.allocation()));
    Engine::new(&config)
}
