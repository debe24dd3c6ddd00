//! `wasi:clocks`: both clocks show the contact's time, which moves at host calls only.

use serde_json::{Value, json};
use wasmtime::component::{ComponentType, Lift, LinkerInstance, Lower};

use super::io::Pollable;
use crate::error::StepError;
use crate::interface::Class;
use crate::link::{ended, host_call};
use crate::meter::StepState;

/// The contact's clock counts milliseconds, and so do these. Nanoseconds.
const MILLISECOND: u64 = 1_000_000;

/// Longest single wait that is asked of the contact: a day, the most that `wait.sleep` takes. Milliseconds.
const WAIT_MOST_MS: u64 = 86_400_000;

/// The clock of a step.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// What it shows. Nanoseconds since 1970-01-01T00:00:00Z; never less than before.
    shows: u64,
    /// The number of host calls when it was last set: it stands still until the next.
    set_at: Option<u32>,
}

impl Clock {
    fn set(&mut self, nanoseconds: u64, host_calls: u32) {
        self.shows = self.shows.max(nanoseconds);
        self.set_at = Some(host_calls);
    }
}

/// What the clock shows. Nanoseconds since 1970-01-01T00:00:00Z.
///
/// Asked of the contact once between two host calls; whoever reads a clock in a loop costs no journal.
pub(super) async fn now(state: &mut StepState) -> Result<u64, wasmtime::Error> {
    if state.wasi.describes.is_some() || state.wasi.clock.set_at == Some(state.host_calls) {
        return Ok(state.wasi.clock.shows);
    }
    let answer = host_call(state, "env", "now", Class::Local, Vec::new()).await?;
    let milliseconds = answer.as_u64().ok_or_else(|| {
        ended(StepError::HostFault(
            "the answer to `env.now` is not a time".into(),
        ))
    })?;
    let host_calls = state.host_calls;
    let clock = &mut state.wasi.clock;
    clock.set(milliseconds.saturating_mul(MILLISECOND), host_calls);
    Ok(clock.shows)
}

/// Waits until the clock shows that moment.
///
/// WASI knows no failure of a clock: when the caller hangs up the wait is over at once and the clock jumps to
/// its end, so that a guest that checks whether it has slept enough does not try again for ever.
pub(super) async fn wait_until(state: &mut StepState, moment: u64) -> Result<(), wasmtime::Error> {
    loop {
        let shows = now(state).await?;
        if shows >= moment {
            return Ok(());
        }
        let ms = (moment - shows).div_ceil(MILLISECOND).min(WAIT_MOST_MS);
        let mut until = shows.saturating_add(ms * MILLISECOND);
        if state.wasi.describes.is_some() {
            until = moment;
        } else {
            let answer = host_call(state, "wait", "sleep", Class::Wait, vec![json!(ms)]).await?;
            match answer.get("err") {
                None => {}
                Some(Value::String(gone)) if gone == "hangup" => until = moment,
                Some(error) => {
                    let reason = format!("it cannot wait: {error}");
                    return Err(ended(StepError::Cancelled(reason)));
                }
            }
        }
        let host_calls = state.host_calls;
        state.wasi.clock.set(until, host_calls);
    }
}

/// `wasi:clocks/wall-clock.datetime`.
#[derive(Debug, ComponentType, Lift, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

impl Datetime {
    fn of(nanoseconds: u64) -> Self {
        const SECOND: u64 = 1_000 * MILLISECOND;
        Self {
            seconds: nanoseconds / SECOND,
            nanoseconds: (nanoseconds % SECOND) as u32,
        }
    }
}

pub(super) fn define_wall(
    instance: &mut LinkerInstance<'_, StepState>,
) -> Result<(), wasmtime::Error> {
    instance.func_wrap_async("now", |mut store, ()| {
        Box::new(async move { Ok((Datetime::of(now(store.data_mut()).await?),)) })
    })?;
    instance.func_wrap("resolution", |_, ()| Ok((Datetime::of(MILLISECOND),)))
}

pub(super) fn define_monotonic(
    instance: &mut LinkerInstance<'_, StepState>,
) -> Result<(), wasmtime::Error> {
    instance.func_wrap_async("now", |mut store, ()| {
        Box::new(async move { Ok((now(store.data_mut()).await?,)) })
    })?;
    instance.func_wrap("resolution", |_, ()| Ok((MILLISECOND,)))?;
    instance.func_wrap("subscribe-instant", |mut store, (moment,): (u64,)| {
        let wasi = &mut store.data_mut().wasi;
        Ok((wasi.hand_out(Pollable::At(moment))?,))
    })?;
    instance.func_wrap_async("subscribe-duration", |mut store, (duration,): (u64,)| {
        Box::new(async move {
            let state = store.data_mut();
            let moment = now(state).await?.saturating_add(duration);
            Ok((state.wasi.hand_out(Pollable::At(moment))?,))
        })
    })
}
