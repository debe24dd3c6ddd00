//! `wasi:random`: all three of its interfaces draw from one generator, which `env.random` seeds.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde_json::json;
use wasmtime::component::LinkerInstance;

use crate::error::StepError;
use crate::interface::Class;
use crate::link::{ended, host_call};
use crate::meter::StepState;

/// Bytes of a seed.
const SEED_BYTES: usize = 32;

/// What a plugin that describes itself draws from: the same for all.
const DESCRIBING: [u8; SEED_BYTES] = [0; SEED_BYTES];

/// A step's generator.
pub(super) struct Chance(ChaCha20Rng);

/// The step's generator, seeded at its first use: one entry of the journal, however much is drawn.
async fn chance(state: &mut StepState) -> Result<&mut ChaCha20Rng, wasmtime::Error> {
    if state.wasi.chance.is_none() {
        let seed = match state.wasi.describes.is_some() {
            true => DESCRIBING,
            false => seed(state).await?,
        };
        state.wasi.chance = Some(Chance(ChaCha20Rng::from_seed(seed)));
    }
    let Chance(generator) = state.wasi.chance.as_mut().expect("just seeded");
    Ok(generator)
}

async fn seed(state: &mut StepState) -> Result<[u8; SEED_BYTES], wasmtime::Error> {
    let args = vec![json!(SEED_BYTES)];
    let answer = host_call(state, "env", "random", Class::Local, args).await?;
    let bytes = answer
        .get("ok")
        .and_then(|bytes| BASE64.decode(bytes.as_str()?).ok())
        .and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| {
        let fault = "the answer to `env.random` is not as many bytes as asked for";
        ended(StepError::HostFault(fault.into()))
    })
}

/// `get-random-bytes` and `get-random-u64`, or those with `insecure-` in the name.
pub(super) fn define_random(
    instance: &mut LinkerInstance<'_, StepState>,
    kind: &str,
) -> Result<(), wasmtime::Error> {
    let bytes = format!("get-{kind}random-bytes");
    instance.func_wrap_async(&bytes, |mut store, (length,): (u64,)| {
        Box::new(async move {
            let state = store.data_mut();
            let most = state.limits.list_bytes;
            let wanted = usize::try_from(length).unwrap_or(usize::MAX);
            if wanted > most {
                return Err(ended(StepError::MemoryLimit {
                    wanted,
                    most,
                    unit: "random bytes at once",
                }));
            }
            let mut bytes = vec![0_u8; wanted];
            chance(state).await?.fill_bytes(&mut bytes);
            Ok((bytes,))
        })
    })?;
    let number = format!("get-{kind}random-u64");
    instance.func_wrap_async(&number, |mut store, ()| {
        Box::new(async move { Ok((chance(store.data_mut()).await?.next_u64(),)) })
    })
}

pub(super) fn define_seed(
    instance: &mut LinkerInstance<'_, StepState>,
) -> Result<(), wasmtime::Error> {
    instance.func_wrap_async("insecure-seed", |mut store, ()| {
        Box::new(async move {
            let chance = chance(store.data_mut()).await?;
            Ok(((chance.next_u64(), chance.next_u64()),))
        })
    })
}
