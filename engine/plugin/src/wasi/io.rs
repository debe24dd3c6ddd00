//! `wasi:io`: errors, pollables and streams. Streams lead to the log and from nowhere.

use wasmtime::component::{ComponentType, Lift, LinkerInstance, Lower, Resource};

use super::clock::{now, wait_until};
use super::{print, resource};
use crate::error::StepError;
use crate::link::ended;
use crate::meter::StepState;

/// Bytes that one write takes: what `check-write` permits, and the most that a blocking write may have
/// (`wasi:io/streams`, `blocking-write-and-flush`).
const WRITE_BYTES: u64 = 4_096;

/// Something to wait for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pollable {
    /// A stream: always ready.
    Now,
    /// A moment of the clock, in nanoseconds since 1970-01-01T00:00:00Z.
    At(u64),
}

/// Standard input, which is at its end.
#[derive(Debug)]
pub(super) struct InputStream;

/// Standard output or standard error.
#[derive(Debug, Clone, Copy)]
pub(super) enum OutputStream {
    /// Lines of the level `info`.
    Out,
    /// Lines of the level `warn`.
    Err,
}

/// `wasi:io/error.error`.
#[derive(Debug)]
pub(super) struct StreamFault(String);

/// `wasi:io/streams.stream-error`.
#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    LastOperationFailed(Resource<StreamFault>),
    #[component(name = "closed")]
    Closed,
}

type Streamed<T> = Result<(Result<T, StreamError>,), wasmtime::Error>;

pub(super) fn define_error(
    instance: &mut LinkerInstance<'_, StepState>,
) -> Result<(), wasmtime::Error> {
    resource::<StreamFault>(instance, "error")?;
    instance.func_wrap(
        "[method]error.to-debug-string",
        |store, (this,): (Resource<StreamFault>,)| {
            let StreamFault(text) = store.data().wasi.handles.get(&this)?;
            Ok((text.clone(),))
        },
    )
}

pub(super) fn define_poll(
    instance: &mut LinkerInstance<'_, StepState>,
) -> Result<(), wasmtime::Error> {
    resource::<Pollable>(instance, "pollable")?;
    instance.func_wrap_async(
        "[method]pollable.ready",
        |mut store, (this,): (Resource<Pollable>,)| {
            Box::new(async move {
                let state = store.data_mut();
                let ready = match *state.wasi.handles.get(&this)? {
                    Pollable::Now => true,
                    Pollable::At(moment) => now(state).await? >= moment,
                };
                Ok((ready,))
            })
        },
    )?;
    instance.func_wrap_async(
        "[method]pollable.block",
        |mut store, (this,): (Resource<Pollable>,)| {
            Box::new(async move {
                let state = store.data_mut();
                match *state.wasi.handles.get(&this)? {
                    Pollable::Now => Ok(()),
                    Pollable::At(moment) => wait_until(state, moment).await,
                }
            })
        },
    )?;
    instance.func_wrap_async("poll", |mut store, (these,): (Vec<Resource<Pollable>>,)| {
        Box::new(async move { Ok((poll(store.data_mut(), &these).await?,)) })
    })
}

/// Waits until at least one is ready; gives the indices of all that are.
async fn poll(
    state: &mut StepState,
    these: &[Resource<Pollable>],
) -> Result<Vec<u32>, wasmtime::Error> {
    let mut moments = Vec::with_capacity(these.len());
    for this in these {
        moments.push(match state.wasi.handles.get(this)? {
            Pollable::Now => 0,
            Pollable::At(moment) => *moment,
        });
    }
    let Some(first) = moments.iter().min().copied() else {
        let fault = "`poll` of nothing, which would wait for ever".to_owned();
        return Err(ended(StepError::BadOutput(fault)));
    };
    let mut shows = 0;
    if first > 0 {
        wait_until(state, first).await?;
        shows = now(state).await?;
    }
    let ready = (0..).zip(&moments).filter(|(_, moment)| **moment <= shows);
    Ok(ready.map(|(index, _)| index).collect())
}

pub(super) fn define_streams(
    instance: &mut LinkerInstance<'_, StepState>,
) -> Result<(), wasmtime::Error> {
    resource::<InputStream>(instance, "input-stream")?;
    resource::<OutputStream>(instance, "output-stream")?;
    for name in ["read", "blocking-read"] {
        instance.func_wrap(
            &format!("[method]input-stream.{name}"),
            |_, (_, _): (Resource<InputStream>, u64)| -> Streamed<Vec<u8>> {
                Ok((Err(StreamError::Closed),))
            },
        )?;
    }
    for name in ["skip", "blocking-skip"] {
        instance.func_wrap(
            &format!("[method]input-stream.{name}"),
            |_, (_, _): (Resource<InputStream>, u64)| -> Streamed<u64> {
                Ok((Err(StreamError::Closed),))
            },
        )?;
    }
    instance.func_wrap(
        "[method]input-stream.subscribe",
        |mut store, (_,): (Resource<InputStream>,)| {
            Ok((store.data_mut().wasi.hand_out(Pollable::Now)?,))
        },
    )?;
    instance.func_wrap(
        "[method]output-stream.subscribe",
        |mut store, (_,): (Resource<OutputStream>,)| {
            Ok((store.data_mut().wasi.hand_out(Pollable::Now)?,))
        },
    )?;
    instance.func_wrap(
        "[method]output-stream.check-write",
        |_, (_,): (Resource<OutputStream>,)| -> Streamed<u64> { Ok((Ok(WRITE_BYTES),)) },
    )?;
    for name in ["write", "blocking-write-and-flush"] {
        instance.func_wrap_async(
            &format!("[method]output-stream.{name}"),
            |mut store, (this, bytes): (Resource<OutputStream>, Vec<u8>)| {
                Box::new(async move { write(store.data_mut(), &this, &bytes).await })
            },
        )?;
    }
    for name in ["write-zeroes", "blocking-write-zeroes-and-flush"] {
        instance.func_wrap_async(
            &format!("[method]output-stream.{name}"),
            |mut store, (this, length): (Resource<OutputStream>, u64)| {
                Box::new(async move {
                    // One more than is permitted is refused like any number more.
                    let zeroes = vec![0_u8; length.min(WRITE_BYTES + 1) as usize];
                    write(store.data_mut(), &this, &zeroes).await
                })
            },
        )?;
    }
    // A line is told when it ends, whatever is flushed before: half lines help nobody.
    for name in ["flush", "blocking-flush"] {
        instance.func_wrap(
            &format!("[method]output-stream.{name}"),
            |_, (_,): (Resource<OutputStream>,)| -> Streamed<()> { Ok((Ok(()),)) },
        )?;
    }
    for name in ["splice", "blocking-splice"] {
        instance.func_wrap(
            &format!("[method]output-stream.{name}"),
            |_, (_, _, _): (Resource<OutputStream>, Resource<InputStream>, u64)| -> Streamed<u64> {
                Ok((Err(StreamError::Closed),))
            },
        )?;
    }
    Ok(())
}

async fn write(state: &mut StepState, this: &Resource<OutputStream>, bytes: &[u8]) -> Streamed<()> {
    let wasi = &mut state.wasi;
    if bytes.len() as u64 > WRITE_BYTES {
        let fault = StreamFault(format!("a write of more than {WRITE_BYTES} bytes"));
        let fault = wasi.hand_out(fault)?;
        return Ok((Err(StreamError::LastOperationFailed(fault)),));
    }
    let lines = match wasi.handles.get(this)? {
        OutputStream::Out => wasi.out.feed(bytes),
        OutputStream::Err => wasi.err.feed(bytes),
    };
    for line in lines {
        print(state, line).await?;
    }
    Ok((Ok(()),))
}
