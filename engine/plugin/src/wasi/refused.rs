//! `wasi:filesystem` and `wasi:sockets`: there is no file and no network.
//!
//! The libraries of interpreters import both whole. A guest starts without a folder and without a socket, so
//! most of their functions cannot even be called; the few that can answer that access is denied.

use wasmtime::component::types::ComponentFunc;
use wasmtime::component::{LinkerInstance, Resource, Type, Val};

use super::resource;
use crate::error::StepError;
use crate::link::ended;
use crate::meter::StepState;

/// The cases of the two packages' `error-code` for what is not allowed (`wasi:filesystem/types`,
/// `wasi:sockets/network`).
const DENIED: [&str; 2] = ["access", "access-denied"];

/// A file, folder, socket or answer, of which there is none.
enum Nothing {}

/// The network that a socket would be bound to.
struct Network;

/// The resources that an interface defines.
fn resources(path: &str) -> &'static [&'static str] {
    match path {
        "wasi:filesystem/types" => &["descriptor", "directory-entry-stream"],
        "wasi:sockets/tcp" => &["tcp-socket"],
        "wasi:sockets/udp" => &[
            "udp-socket",
            "incoming-datagram-stream",
            "outgoing-datagram-stream",
        ],
        "wasi:sockets/ip-name-lookup" => &["resolve-address-stream"],
        _ => &[],
    }
}

pub(super) fn define(
    instance: &mut LinkerInstance<'_, StepState>,
    path: &str,
    interface: &str,
    functions: &[String],
) -> Result<(), wasmtime::Error> {
    for name in resources(path) {
        resource::<Nothing>(instance, name)?;
    }
    match interface {
        "preopens" => {
            return instance.func_wrap("get-directories", |_, ()| {
                Ok((Vec::<(Resource<Nothing>, String)>::new(),))
            });
        }
        "network" => resource::<Network>(instance, "network")?,
        "instance-network" => {
            return instance.func_wrap("instance-network", |mut store, ()| {
                Ok((store.data_mut().wasi.hand_out(Network)?,))
            });
        }
        _ => {}
    }
    for function in functions {
        let place = format!("{path}#{function}");
        instance.func_new(function, move |mut store, ty, params, results| {
            // A handle that a guest lends must be taken. It can only be one of those that are handed out.
            for param in params {
                if let Val::Resource(handle) = param {
                    Resource::<Network>::try_from_resource_any(*handle, &mut store)?;
                }
            }
            match (results.first_mut(), denial(&ty)) {
                (Some(slot), Some(denied)) => *slot = denied,
                _ => {
                    let fault = format!("it called `{place}`, which has no answer here");
                    return Err(ended(StepError::BadOutput(fault)));
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// The answer that access is denied, if that is how the function fails.
fn denial(ty: &ComponentFunc) -> Option<Val> {
    let Some(Type::Result(result)) = ty.results().next() else {
        return None;
    };
    let Some(Type::Enum(codes)) = result.err() else {
        return None;
    };
    let denied = DENIED
        .into_iter()
        .find(|denied| codes.names().any(|name| name == *denied))?;
    Some(Val::Result(Err(Some(Box::new(Val::Enum(denied.into()))))))
}
