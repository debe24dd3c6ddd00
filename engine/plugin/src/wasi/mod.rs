//! WASI as the guests of standard toolchains expect it, and virtual throughout.
//!
//! Rust's `wasm32-wasip2`, CPython, JavaScript engines and wasi-libc import a dozen interfaces of WASI 0.2
//! whether a program uses them or not. They are served by name, each in the file of its own subject, and lead
//! nowhere but to what a step has anyway: the clock is `env.now`, chance grows from `env.random`, a wait is
//! `wait.sleep`, standard output is `env.log`. All of these are host calls like any other, so they are
//! journalled, counted and limited as such, and a contact that is walked again sees the same clock and the
//! same chance. There is no file, no socket, no environment and no argument.
//!
//! A guest links against whatever 0.2 release its toolchain knows; a later one only adds to an earlier one, so
//! every 0.2.x is served, function by function.

mod cli;
mod clock;
mod io;
mod random;
mod refused;

use serde_json::Value;
use wasmtime::component::{LinkerInstance, Resource, ResourceTable, ResourceTableError};

use self::cli::Lines;
use self::clock::Clock;
use self::random::Chance;
use crate::error::StepError;
use crate::interface::{Class, InterfaceName};
use crate::link::{ended, host_call};
use crate::meter::StepState;
use crate::printed::Printing;

/// Most streams, pollables and other handles that a step may hold at once. Count.
///
/// An interpreter holds three streams and one pollable for each wait.
const HANDLES_MOST: usize = 256;

/// How an interface is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// These functions, each with an answer.
    Functions(&'static [&'static str]),
    /// Whatever it has: every function answers that access is denied.
    Refusing,
}

/// The interfaces that are served, by path.
const SERVED: &[(&str, Service)] = &[
    (
        "wasi:cli/environment",
        Service::Functions(&["get-environment", "get-arguments", "initial-cwd"]),
    ),
    (
        "wasi:cli/exit",
        Service::Functions(&["exit", "exit-with-code"]),
    ),
    ("wasi:cli/stdin", Service::Functions(&["get-stdin"])),
    ("wasi:cli/stdout", Service::Functions(&["get-stdout"])),
    ("wasi:cli/stderr", Service::Functions(&["get-stderr"])),
    ("wasi:cli/terminal-input", Service::Functions(&[])),
    ("wasi:cli/terminal-output", Service::Functions(&[])),
    (
        "wasi:cli/terminal-stdin",
        Service::Functions(&["get-terminal-stdin"]),
    ),
    (
        "wasi:cli/terminal-stdout",
        Service::Functions(&["get-terminal-stdout"]),
    ),
    (
        "wasi:cli/terminal-stderr",
        Service::Functions(&["get-terminal-stderr"]),
    ),
    (
        "wasi:clocks/wall-clock",
        Service::Functions(&["now", "resolution"]),
    ),
    (
        "wasi:clocks/monotonic-clock",
        Service::Functions(&[
            "now",
            "resolution",
            "subscribe-instant",
            "subscribe-duration",
        ]),
    ),
    (
        "wasi:io/error",
        Service::Functions(&["[method]error.to-debug-string"]),
    ),
    (
        "wasi:io/poll",
        Service::Functions(&["[method]pollable.ready", "[method]pollable.block", "poll"]),
    ),
    (
        "wasi:io/streams",
        Service::Functions(&[
            "[method]input-stream.read",
            "[method]input-stream.blocking-read",
            "[method]input-stream.skip",
            "[method]input-stream.blocking-skip",
            "[method]input-stream.subscribe",
            "[method]output-stream.check-write",
            "[method]output-stream.write",
            "[method]output-stream.blocking-write-and-flush",
            "[method]output-stream.flush",
            "[method]output-stream.blocking-flush",
            "[method]output-stream.subscribe",
            "[method]output-stream.write-zeroes",
            "[method]output-stream.blocking-write-zeroes-and-flush",
            "[method]output-stream.splice",
            "[method]output-stream.blocking-splice",
        ]),
    ),
    (
        "wasi:random/random",
        Service::Functions(&["get-random-bytes", "get-random-u64"]),
    ),
    (
        "wasi:random/insecure",
        Service::Functions(&["get-insecure-random-bytes", "get-insecure-random-u64"]),
    ),
    (
        "wasi:random/insecure-seed",
        Service::Functions(&["insecure-seed"]),
    ),
    ("wasi:filesystem/types", Service::Refusing),
    (
        "wasi:filesystem/preopens",
        Service::Functions(&["get-directories"]),
    ),
    ("wasi:sockets/network", Service::Refusing),
    (
        "wasi:sockets/instance-network",
        Service::Functions(&["instance-network"]),
    ),
    ("wasi:sockets/ip-name-lookup", Service::Refusing),
    ("wasi:sockets/tcp", Service::Refusing),
    ("wasi:sockets/tcp-create-socket", Service::Refusing),
    ("wasi:sockets/udp", Service::Refusing),
    ("wasi:sockets/udp-create-socket", Service::Refusing),
];

/// How the interface of that name is served; none when it is not, or not in that version.
pub(crate) fn service(name: &InterfaceName) -> Option<Service> {
    let version = name.version.as_ref()?;
    if (version.major, version.minor) != (0, 2) || !version.pre.is_empty() {
        return None;
    }
    let (_, service) = SERVED.iter().find(|(path, _)| *path == name.path)?;
    Some(*service)
}

/// Defines an interface under the name that the component has for it: all of it that is served, and of a
/// refusing one the functions that the component imports.
pub(crate) fn define(
    mut instance: LinkerInstance<'_, StepState>,
    path: &str,
    functions: &[String],
) -> Result<(), wasmtime::Error> {
    match path {
        "wasi:io/error" => io::define_error(&mut instance),
        "wasi:io/poll" => io::define_poll(&mut instance),
        "wasi:io/streams" => io::define_streams(&mut instance),
        "wasi:clocks/wall-clock" => clock::define_wall(&mut instance),
        "wasi:clocks/monotonic-clock" => clock::define_monotonic(&mut instance),
        "wasi:random/random" => random::define_random(&mut instance, ""),
        "wasi:random/insecure" => random::define_random(&mut instance, "insecure-"),
        "wasi:random/insecure-seed" => random::define_seed(&mut instance),
        _ => match path.split_once('/') {
            Some(("wasi:cli", name)) => cli::define(&mut instance, name),
            Some(("wasi:filesystem" | "wasi:sockets", name)) => {
                refused::define(&mut instance, path, name, functions)
            }
            _ => Ok(()),
        },
    }
}

/// What a step has of WASI.
pub(crate) struct Wasi {
    handles: ResourceTable,
    clock: Clock,
    chance: Option<Chance>,
    out: Lines,
    err: Lines,
    /// What it prints while the plugin describes itself: nobody is there who could be called, and the answer must not depend on
    /// time or chance. None while a step runs.
    describes: Option<Printing>,
}

impl Wasi {
    pub(crate) fn new(describes: Option<Printing>) -> Self {
        let mut handles = ResourceTable::new();
        handles.set_max_capacity(HANDLES_MOST);
        Self {
            handles,
            clock: Clock::default(),
            chance: None,
            out: Lines::new("info"),
            err: Lines::new("warn"),
            describes,
        }
    }

    /// What was printed while the plugin described itself; none where a step ran.
    pub(crate) fn printed(&mut self) -> Option<Printing> {
        self.describes.take()
    }

    /// A new handle for the guest.
    fn hand_out<T: Send + 'static>(&mut self, thing: T) -> Result<Resource<T>, wasmtime::Error> {
        self.handles.push(thing).map_err(|error| match error {
            ResourceTableError::Full => ended(StepError::MemoryLimit {
                wanted: HANDLES_MOST + 1,
                most: HANDLES_MOST,
                unit: "handles of WASI",
            }),
            other => other.into(),
        })
    }
}

/// Ends what a guest has printed without ending the line. A step that is over for another reason, or that has
/// used up its host calls, has ended already: what is left is then dropped.
pub(crate) async fn finish(state: &mut StepState) {
    for line in [state.wasi.out.rest(), state.wasi.err.rest()]
        .into_iter()
        .flatten()
    {
        if print(state, line).await.is_err() {
            return;
        }
    }
}

/// A line of the guest's into its log.
async fn print(
    state: &mut StepState,
    (level, line): (&'static str, String),
) -> Result<(), wasmtime::Error> {
    if let Some(printing) = &mut state.wasi.describes {
        printing.line(line);
        return state.count_call();
    }
    let args = vec![Value::from(level), Value::from(line)];
    host_call(state, "env", "log", Class::Local, args).await?;
    Ok(())
}

/// Defines a resource whose handles lie in the step's table.
fn resource<T: Send + 'static>(
    instance: &mut LinkerInstance<'_, StepState>,
    name: &str,
) -> Result<(), wasmtime::Error> {
    let ty = wasmtime::component::ResourceType::host::<T>();
    instance.resource(name, ty, |mut store, handle| {
        let handles = &mut store.data_mut().wasi.handles;
        handles.delete(Resource::<T>::new_own(handle))?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_0_2_release_is_served_and_no_other() {
        for (name, served) in [
            ("wasi:cli/stdout@0.2.0", true),
            ("wasi:cli/stdout@0.2.12", true),
            ("wasi:cli/stdout@0.2.0-rc-2023-12-05", false),
            ("wasi:cli/stdout@0.3.0", false),
            ("wasi:cli/stdout@1.2.0", false),
            ("wasi:cli/stdout", false),
            ("wasi:cli/run@0.2.0", false),
            ("wasi:http/outgoing-handler@0.2.0", false),
            ("wasi:keyvalue/store@0.2.0", false),
            ("wasi:config/store@0.2.0", false),
            ("wasi:sockets/tcp@0.2.9", true),
        ] {
            let found = service(&InterfaceName::parse(name));
            assert_eq!(found.is_some(), served, "{name}");
        }
    }
}
