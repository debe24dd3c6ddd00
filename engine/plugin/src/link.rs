//! The one wrapper through which every import of every component is answered.

use std::sync::{Arc, OnceLock};

use serde_json::Value;
use wasmtime::StoreContextMut;
use wasmtime::component::types::ComponentFunc;
use wasmtime::component::{Component, InstancePre, Linker, Type, Val};

use crate::admit::{Import, Served};
use crate::calls::{HostCallError, HostCallFuture};
use crate::error::StepError;
use crate::interface::{Class, class};
use crate::meter::{BusyClock, StepState};
use crate::value::{self, Refusal};
use crate::wasi;

/// What an import leads to.
struct Target {
    interface: String,
    function: String,
    class: Class,
    types: OnceLock<Types>,
}

/// The types of a function, which are those of its component: looking them up at each call costs as much as converting a number.
struct Types {
    params: Vec<(String, Type)>,
    result: Option<Type>,
}

impl Types {
    fn of(ty: &ComponentFunc) -> Self {
        let params = ty.params().map(|(name, ty)| (name.to_owned(), ty));
        Self {
            params: params.collect(),
            result: ty.results().next(),
        }
    }
}

/// Links a component's imports, and only those, to the wrapper.
pub(crate) fn link(
    component: &Component,
    imports: &[Import],
) -> Result<InstancePre<StepState>, wasmtime::Error> {
    let mut linker = Linker::new(component.engine());
    for import in imports {
        let mut instance = linker.instance(&import.name)?;
        let capability = match &import.served {
            Served::Capability(capability) => capability,
            Served::Types => continue,
            Served::Wasi { path } => {
                wasi::define(instance, path, &import.functions)?;
                continue;
            }
        };
        for function in &import.functions {
            let target = Arc::new(Target {
                interface: capability.clone(),
                function: function.clone(),
                class: class(capability, function),
                types: OnceLock::new(),
            });
            instance.func_new_async(function, move |store, ty, params, results| {
                let target = Arc::clone(&target);
                Box::new(async move { answer(store, &ty, params, results, &target).await })
            })?;
        }
    }
    linker.instantiate_pre(component)
}

/// Answers one host call.
async fn answer(
    mut store: StoreContextMut<'_, StepState>,
    ty: &ComponentFunc,
    params: &[Val],
    results: &mut [Val],
    target: &Target,
) -> Result<(), wasmtime::Error> {
    let state = store.data_mut();
    let types = target.types.get_or_init(|| Types::of(ty));
    let result = types.result.as_ref();
    state.count_call()?;

    let mut args = Vec::with_capacity(params.len());
    for (param, (name, ty)) in params.iter().zip(&types.params) {
        match value::to_json(param, ty, &mut state.measure) {
            Ok(arg) => args.push(arg),
            Err(refusal) => {
                let text = refusal.told(target, name);
                let refused = result.and_then(|ty| limit_error(ty, &text));
                let (Some(slot), Some(refused)) = (results.first_mut(), refused) else {
                    return Err(ended(StepError::BadOutput(text)));
                };
                *slot = refused;
                return Ok(());
            }
        }
    }
    let answer = call(
        state,
        &target.interface,
        &target.function,
        target.class,
        args,
    )
    .await?;
    match (results.first_mut(), result) {
        (Some(slot), Some(ty)) => {
            *slot = value::from_json(answer, ty)
                .map_err(|mismatch| target.fault(&mismatch.to_string()))?;
        }
        _ if answer.is_null() => {}
        _ => return Err(target.fault("an answer where the function has none")),
    }
    Ok(())
}

/// Makes a host call on behalf of the guest, which asked for it by another name: counted, limited and
/// journalled as its own are.
pub(crate) async fn host_call(
    state: &mut StepState,
    interface: &str,
    function: &str,
    class: Class,
    args: Vec<Value>,
) -> Result<Value, wasmtime::Error> {
    state.count_call()?;
    state.measure.seen += args.iter().map(value::size).sum::<usize>();
    call(state, interface, function, class, args).await
}

/// Hands a call that was counted and measured to whoever answers, within the time that its class has.
async fn call(
    state: &mut StepState,
    interface: &str,
    function: &str,
    class: Class,
    args: Vec<Value>,
) -> Result<Value, wasmtime::Error> {
    state.check_journal()?;
    let call = state.calls.call(interface, function, args);
    let answer = match class {
        Class::Wait => {
            let since = state.busy.waits();
            let answer = call.await;
            state.busy.waited(since);
            answer
        }
        // Answered from what is at hand: not worth a timer, which costs as much as the call.
        Class::Local => call.await,
        // On the heap: its timer is larger than all else that a call keeps, and most calls have none.
        Class::Read | Class::Effect => Box::pin(in_time(call, &state.busy)).await?,
    };
    let answer = answer.map_err(|error| {
        ended(match error {
            HostCallError::Stop(reason) => StepError::Cancelled(reason),
            HostCallError::NotRepeated { call, function } => StepError::NotRepeated {
                call,
                found: format!("asks `{function}`, with other words or at another time"),
            },
            HostCallError::Bad(reason) => StepError::HostFault(reason),
        })
    })?;
    state.measure.seen += value::size(&answer);
    state.check_journal()?;
    Ok(answer)
}

/// The answer to a call that the step's busy time bounds.
async fn in_time(
    mut call: HostCallFuture<'_>,
    busy: &BusyClock,
) -> Result<Result<Value, HostCallError>, wasmtime::Error> {
    loop {
        match tokio::time::timeout(busy.look_after(), &mut call).await {
            Ok(answer) => return Ok(answer),
            Err(_) if busy.left().is_zero() => return Err(ended(busy.over())),
            // It stood still meanwhile.
            Err(_) => {}
        }
    }
}

impl Target {
    /// An answer of ours that the guest cannot be given.
    fn fault(&self, reason: &str) -> wasmtime::Error {
        ended(StepError::HostFault(format!(
            "the answer to `{}.{}` does not fit: {reason}",
            self.interface, self.function
        )))
    }
}

impl Refusal {
    fn told(&self, target: &Target, argument: &str) -> String {
        let place = format!("`{argument}` of `{}.{}`", target.interface, target.function);
        match self {
            Self::TooLong { what, bytes, most } => {
                format!("{place} holds a {what} of {bytes} bytes, at most {most} are allowed")
            }
            Self::Unsupported(kind) => format!("{place} holds a {kind}, which has no form in JSON"),
        }
    }
}

/// The `limit(text)` of the shared error type, if that is how the function fails.
fn limit_error(ty: &Type, text: &str) -> Option<Val> {
    let Type::Result(result) = ty else {
        return None;
    };
    let Some(Type::Variant(error)) = result.err() else {
        return None;
    };
    let case = error.cases().find(|case| case.name == "limit")?;
    matches!(case.ty, Some(Type::String)).then(|| {
        let text = Val::String(text.to_owned());
        let error = Val::Variant("limit".into(), Some(Box::new(text)));
        Val::Result(Err(Some(Box::new(error))))
    })
}

/// Carries a step's end through the engine as an error.
pub(crate) fn ended(error: StepError) -> wasmtime::Error {
    wasmtime::Error::new(error)
}
