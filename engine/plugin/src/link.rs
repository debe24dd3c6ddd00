//! The one wrapper through which every import of every component is answered.

use std::sync::Arc;

use tokio::time::Instant;
use wasmtime::StoreContextMut;
use wasmtime::component::types::ComponentFunc;
use wasmtime::component::{Component, InstancePre, Linker, Type, Val};

use crate::admit::Import;
use crate::calls::HostCallError;
use crate::error::StepError;
use crate::interface::{Class, class};
use crate::meter::StepState;
use crate::value::{self, Refusal};

/// What an import leads to.
struct Target {
    interface: String,
    function: String,
    class: Class,
}

/// Links a component's imports, and only those, to the wrapper.
pub(crate) fn link(
    component: &Component,
    imports: &[Import],
) -> Result<InstancePre<StepState>, wasmtime::Error> {
    let mut linker = Linker::new(component.engine());
    for import in imports {
        let mut instance = linker.instance(&import.name)?;
        let Some(capability) = &import.capability else {
            continue;
        };
        for function in &import.functions {
            let target = Arc::new(Target {
                interface: capability.clone(),
                function: function.clone(),
                class: class(capability, function),
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
    let result = ty.results().next();
    state.host_calls += 1;
    if state.host_calls > state.limits.host_calls {
        return Err(ended(StepError::HostCallLimit {
            most: state.limits.host_calls,
        }));
    }

    let mut args = Vec::with_capacity(params.len());
    for (param, (name, ty)) in params.iter().zip(ty.params()) {
        match value::to_json(param, &ty, &mut state.measure) {
            Ok(arg) => args.push(arg),
            Err(refusal) => {
                let text = refusal.told(target, name);
                let refused = result.as_ref().and_then(|ty| limit_error(ty, &text));
                let (Some(slot), Some(refused)) = (results.first_mut(), refused) else {
                    return Err(ended(StepError::BadOutput(text)));
                };
                *slot = refused;
                return Ok(());
            }
        }
    }
    state.check_journal()?;

    let call = state.calls.call(&target.interface, &target.function, args);
    let answer = match target.class {
        Class::Wait => {
            let since = Instant::now();
            let answer = call.await;
            state.busy.waited += since.elapsed();
            answer
        }
        // Answered from what is at hand: not worth a timer, which costs as much as the call.
        Class::Local => call.await,
        Class::Read | Class::Effect => match tokio::time::timeout(state.busy.left(), call).await {
            Ok(answer) => answer,
            Err(_) => return Err(ended(state.busy.over())),
        },
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

    match (results.first_mut(), result) {
        (Some(slot), Some(ty)) => {
            *slot = value::from_json(answer, &ty)
                .map_err(|mismatch| target.fault(&mismatch.to_string()))?;
        }
        _ if answer.is_null() => {}
        _ => return Err(target.fault("an answer where the function has none")),
    }
    Ok(())
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
