//! One step: a fresh instance, one call, an answer held against the description.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use strowger_flow::unseen::quoted;
use strowger_flow::value::MAX_DEPTH;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wasmtime::component::{ComponentType, Instance, Lift};
use wasmtime::{PoolConcurrencyLimitError, Store, Trap};

use crate::calls::HostCalls;
use crate::description::StepCheck;
use crate::error::{StepError, TrapKind};
use crate::limits::Limits;
use crate::link::ended;
use crate::memory::{Held, Holding};
use crate::meter::{CpuClock, Metered, Meters, StepState};
use crate::plugin::Inner;
use crate::printed::{Ear, Printing};
use crate::retold::Told;
use crate::schema::Unfit;
use crate::share::Share;
use crate::wasi::{self, Wasi};

/// Longest wait for a free instance of the pool.
///
/// A step that cannot start within two seconds is silence on the line; the flow's `error` edge is better.
const SLOT_WAIT: Duration = Duration::from_secs(2);

/// Most that what a guest passes in one call may occupy in the host, beside its byte list. Bytes.
const LIFTED_BESIDE_BYTES: usize = 24 << 20;

/// What a byte of a byte list occupies in the host while it is converted, at most. Bytes.
const LIFTED_PER_BYTE: usize = 40;

/// A step to run.
pub struct RunRequest {
    /// A step of the plugin's description.
    pub step: String,
    /// A JSON object that satisfies the step's input schema.
    pub input: String,
    /// What it may use.
    pub limits: Limits,
    /// Who answers its host calls.
    pub calls: Box<dyn HostCalls>,
    /// What the step was told by an earlier instance that was dropped, and where the answers of this one are
    /// remembered. None: the instance lasts as long as the step.
    pub told: Option<Told>,
    /// Ends the step from outside, if given. Dropping the future of the run does so too.
    pub cancel: Option<CancellationToken>,
}

/// How a step ended well.
#[derive(Debug, Clone, PartialEq)]
pub struct StepOutcome {
    /// An outcome of the description, or a key of an input named in `outcomesFrom`.
    pub name: String,
    /// An object that satisfies the outcome's schema.
    pub data: Value,
}

/// How a step ended, and what it used.
#[derive(Debug, Clone, PartialEq)]
pub struct StepReport {
    /// Its outcome, or why it has none.
    pub result: Result<StepOutcome, StepError>,
    /// What it used; where the step did not start, nothing but the processor time of checking its input.
    pub meters: Meters,
}

/// `outcome` of the contract.
#[derive(Debug, ComponentType, Lift)]
#[component(record)]
struct GuestOutcome {
    name: String,
    data: String,
}

/// `failure` of the contract.
#[derive(Debug, ComponentType, Lift)]
#[component(record)]
struct GuestFailure {
    code: String,
    message: String,
    retryable: bool,
}

/// Runs a step on the calling task, on a tenant's share of the instances.
pub(crate) async fn run(
    plugin: &Inner,
    share: &Share,
    held: Held,
    request: RunRequest,
) -> StepReport {
    let mut meters = Meters::default();
    let told = request.told.clone();
    let cpu = Arc::new(CpuClock::new());
    let result = attempt(plugin, share, held, request, &cpu, &mut meters).await;
    meters.cpu = cpu.charged();
    let result = match told.and_then(|told| told.unasked()) {
        // A crash or an overrun explains by itself why it asked no more.
        Some(call) if matches!(result, Ok(_) | Err(StepError::Failure { .. })) => {
            Err(StepError::NotRepeated {
                call,
                found: "ends instead of asking".into(),
            })
        }
        _ => result,
    };
    StepReport { result, meters }
}

async fn attempt(
    plugin: &Inner,
    share: &Share,
    held: Held,
    request: RunRequest,
    cpu: &Arc<CpuClock>,
    meters: &mut Meters,
) -> Result<StepOutcome, StepError> {
    let RunRequest {
        step,
        input,
        limits,
        calls,
        told,
        cancel,
    } = request;
    let calls: Box<dyn HostCalls> = match told {
        Some(told) => Box::new(told.again(calls)),
        None => calls,
    };
    let (check, input_value) = fitting(plugin, &step, &input, &limits, cpu)?;

    let body = async |store: &mut Store<StepState>| {
        let instance = instantiate(plugin, store).await?;
        store.data_mut().instantiated();
        let run = instance.get_typed_func::<(&str, &str), (Result<GuestOutcome, GuestFailure>,)>(
            &mut *store,
            plugin.run,
        )?;
        run.call_async(&mut *store, (&step, &input)).await
    };
    let wasi = Wasi::new(None);
    let (result, _) = guarded(
        plugin, share, held, &limits, calls, wasi, cancel, cpu, meters, body,
    )
    .await;
    let (result,) = result?;
    match result {
        Ok(outcome) => cpu.during(|| accept(outcome, check, &input_value, &limits, cpu)),
        Err(failure) => Err(failed(failure, &limits)),
    }
}

/// The step's description, and its input as JSON, where that satisfies it; on the clock of the step.
pub(crate) fn fitting<'p>(
    plugin: &'p Inner,
    step: &str,
    input: &str,
    limits: &Limits,
    cpu: &CpuClock,
) -> Result<(&'p StepCheck, Value), StepError> {
    cpu.during(|| fits(plugin, step, input, limits, cpu))
}

fn fits<'p>(
    plugin: &'p Inner,
    step: &str,
    input: &str,
    limits: &Limits,
    cpu: &CpuClock,
) -> Result<(&'p StepCheck, Value), StepError> {
    let Some(check) = plugin.steps.get(step) else {
        return Err(StepError::UnknownStep(step.to_owned()));
    };
    if input.len() > limits.input_bytes {
        return Err(StepError::InputLimit {
            bytes: input.len(),
            most: limits.input_bytes,
        });
    }
    let value: Value =
        serde_json::from_str(input).map_err(|error| StepError::BadInput(error.to_string()))?;
    let fit = check.input.check(&authors_part(&value), cpu.left(limits));
    fit.map_err(|unfit| match unfit {
        Unfit::Wrong(finding) => StepError::BadInput(finding),
        Unfit::Unfinished => StepError::CheckLimit {
            what: "input",
            limit: limits.cpu(),
        },
    })?;
    Ok((check, value))
}

/// The input without the engine's own fields (`$into`, `$kept`), of which an author's schema need not know.
fn authors_part(input: &Value) -> Cow<'_, Value> {
    match input {
        Value::Object(fields) if fields.keys().any(|name| name.starts_with('$')) => {
            let own = fields.iter().filter(|(name, _)| !name.starts_with('$'));
            Cow::Owned(
                own.map(|(name, value)| (name.clone(), value.clone()))
                    .collect(),
            )
        }
        input => Cow::Borrowed(input),
    }
}

/// A fresh instance. Where the machine has no room for one, such as too few open files or memory mappings, that is the
/// host's fault; a start function that traps is the plugin's.
async fn instantiate(
    plugin: &Inner,
    store: &mut Store<StepState>,
) -> Result<Instance, wasmtime::Error> {
    plugin
        .pre
        .instantiate_async(&mut *store)
        .await
        .map_err(|error| {
            let known = error.is::<StepError>()
                || error.is::<Trap>()
                || error.is::<PoolConcurrencyLimitError>();
            match known {
                true => error,
                false => ended(StepError::HostFault(format!(
                    "no instance can be made: {error:#}; are there open files (`ulimit -n`), memory mappings (vm.max_map_count) and memory left?"
                ))),
            }
        })
}

/// Asks a plugin to describe itself: under the limits of a step, with every import refused. And what it printed meanwhile, where
/// it began at all.
pub(crate) async fn describe(
    plugin: &Inner,
    limits: &Limits,
    ear: &Ear,
) -> (Result<String, StepError>, Option<Printing>) {
    let body = async |store: &mut Store<StepState>| {
        let instance = instantiate(plugin, store).await?;
        let describe = instance.get_typed_func::<(), (String,)>(&mut *store, plugin.describe)?;
        describe.call_async(&mut *store, ()).await
    };
    let calls = Box::new(crate::calls::NoCalls);
    let (wasi, mut meters) = (Wasi::new(Some(Printing::new(ear))), Meters::default());
    let share = &plugin.shared.share;
    let cpu = Arc::new(CpuClock::new());
    let (result, printing) = guarded(
        plugin,
        share,
        Held::default(),
        limits,
        calls,
        wasi,
        None,
        &cpu,
        &mut meters,
        body,
    )
    .await;
    let text = result.and_then(|(text,)| description(text, limits));
    (text, printing)
}

/// What a plugin said of itself, if it is not too long.
pub(crate) fn description(text: String, limits: &Limits) -> Result<String, StepError> {
    if text.len() > limits.description_bytes {
        return Err(StepError::OutputLimit {
            bytes: text.len(),
            most: limits.description_bytes,
        });
    }
    Ok(text)
}

/// Runs guest code on a store of its own, under all limits, and fills in the meters. And what it printed while it described itself.
#[allow(
    clippy::too_many_arguments,
    reason = "each is one thing that a run needs"
)]
async fn guarded<T>(
    plugin: &Inner,
    share: &Share,
    held: Held,
    limits: &Limits,
    calls: Box<dyn HostCalls>,
    wasi: Wasi,
    cancel: Option<CancellationToken>,
    cpu: &Arc<CpuClock>,
    meters: &mut Meters,
    body: impl AsyncFnOnce(&mut Store<StepState>) -> Result<T, wasmtime::Error>,
) -> (Result<T, StepError>, Option<Printing>) {
    let tier = &plugin.tier;
    let pool_busy = StepError::PoolBusy {
        pool: tier.pool.instances,
        most: share.instances(tier.pool.instances),
        waited: SLOT_WAIT,
    };
    let mut since = Instant::now();
    let _slot = match tier.slots.ask(share) {
        Ok(slot) => slot,
        Err(waiting) => match waiting.wait(SLOT_WAIT).await {
            Some(slot) => {
                // Waiting for a slot is neither the step's doing nor on its bill.
                since = Instant::now();
                slot
            }
            None => return (Err(pool_busy), None),
        },
    };

    let mut store = Store::new(
        &tier.engine,
        StepState::new(
            calls,
            tier.limits(limits),
            Arc::clone(cpu),
            since,
            wasi,
            Holding::new(share, held),
        ),
    );
    store.limiter(|state| state);
    store.set_hostcall_fuel(lifted_bytes(limits));
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|store| store.data().tick());

    let result = {
        let future = std::pin::pin!(async {
            let result = body(&mut store).await;
            wasi::finish(store.data_mut()).await;
            result
        });
        let metered = Metered { clock: cpu, future };
        match cancel {
            None => metered.await,
            Some(cancel) => tokio::select! {
                biased;
                () = cancel.cancelled() => Err(ended(StepError::Cancelled("the engine stopped it".into()))),
                result = metered => result,
            },
        }
    };
    store.data().read(meters);
    let printing = store.data_mut().wasi.printed();
    let result = result.map_err(|error| step_error(&error, pool_busy, limits));
    (result, printing)
}

/// Room for what a guest passes in one call: a byte list as long as it may be, and what is beside it.
fn lifted_bytes(limits: &Limits) -> usize {
    let list = limits.list_bytes.saturating_mul(LIFTED_PER_BYTE);
    list.saturating_add(LIFTED_BESIDE_BYTES)
}

/// How deep lists and objects are nested in a value.
fn depth(value: &Value) -> usize {
    let below = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(fields) => fields.values().map(depth).max(),
        _ => return 0,
    };
    1 + below.unwrap_or(0)
}

/// Holds an outcome against the description.
fn accept(
    outcome: GuestOutcome,
    check: &StepCheck,
    input: &Value,
    limits: &Limits,
    cpu: &CpuClock,
) -> Result<StepOutcome, StepError> {
    let bytes = outcome.name.len() + outcome.data.len();
    if bytes > limits.output_bytes {
        return Err(StepError::OutputLimit {
            bytes,
            most: limits.output_bytes,
        });
    }
    let schema = check.outcomes.get(&outcome.name);
    let from_input = || {
        check.outcomes_from.iter().any(|name| {
            let keys = input.get(name).and_then(Value::as_object);
            keys.is_some_and(|keys| keys.contains_key(&outcome.name))
        })
    };
    if schema.is_none() && !from_input() {
        return Err(StepError::UnknownOutcome(quoted(&outcome.name)));
    }
    let data: Value = serde_json::from_str(&outcome.data).map_err(|error| {
        StepError::BadOutput(format!(
            "the data of `{}` is not JSON: {error}",
            outcome.name
        ))
    })?;
    if !data.is_object() {
        return Err(StepError::BadOutput(format!(
            "the data of `{}` is not an object",
            outcome.name
        )));
    }
    if depth(&data) > MAX_DEPTH {
        return Err(StepError::BadOutput(format!(
            "the data of `{}` is lists or objects in each other, more than {MAX_DEPTH} deep",
            outcome.name
        )));
    }
    if let Some(schema) = schema {
        let fit = schema.check(&data, cpu.left(limits));
        fit.map_err(|unfit| match unfit {
            Unfit::Wrong(finding) => {
                StepError::BadOutput(format!("the data of `{}`: {finding}", outcome.name))
            }
            Unfit::Unfinished => StepError::CheckLimit {
                what: "outcome",
                limit: limits.cpu(),
            },
        })?;
    }
    Ok(StepOutcome {
        name: outcome.name,
        data,
    })
}

/// A plugin's own failure, unless even that is too large.
fn failed(failure: GuestFailure, limits: &Limits) -> StepError {
    let bytes = failure.code.len() + failure.message.len();
    if bytes > limits.output_bytes {
        return StepError::OutputLimit {
            bytes,
            most: limits.output_bytes,
        };
    }
    StepError::Failure {
        code: failure.code,
        message: failure.message,
        retryable: failure.retryable,
    }
}

/// What an error of the engine means for the step.
fn step_error(error: &wasmtime::Error, pool_busy: StepError, limits: &Limits) -> StepError {
    if let Some(error) = error.downcast_ref::<StepError>() {
        return error.clone();
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return pool_busy;
    }
    let Some(trap) = error.downcast_ref::<Trap>() else {
        // The engine's own words for a guest that breaks the rules of the boundary, such as a text that
        // is not UTF-8 or lies outside its memory.
        let words = format!("{error:#}");
        // Its type is wasmtime's own.
        return StepError::BadOutput(match words.contains("fuel allocated for hostcalls") {
            true => format!(
                "it passes more in one call than there is room for: a byte list has at most {} bytes (limits.step.list_bytes), a text {} (limits.step.string_bytes)",
                limits.list_bytes, limits.string_bytes
            ),
            false => words,
        });
    };
    let kind = match trap {
        Trap::StackOverflow => return StepError::StackLimit,
        Trap::UnreachableCodeReached => TrapKind::Unreachable,
        Trap::MemoryOutOfBounds => TrapKind::OutOfBounds,
        Trap::TableOutOfBounds | Trap::IndirectCallToNull | Trap::BadSignature => {
            TrapKind::BadTable
        }
        Trap::IntegerOverflow | Trap::IntegerDivisionByZero | Trap::BadConversionToInteger => {
            TrapKind::Arithmetic
        }
        Trap::CannotEnterComponent
        | Trap::CannotLeaveComponent
        | Trap::InvalidChar
        | Trap::InvalidDiscriminant
        | Trap::UnalignedPointer
        | Trap::StringOutOfBounds
        | Trap::ListOutOfBounds => return StepError::BadOutput(trap.to_string()),
        _ => TrapKind::Other,
    };
    StepError::Trap { kind }
}
