//! The world around the guests: a small host, answers to their calls, one check.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use strowger_plugin::{
    Grants, Host, HostCallError, HostCallFuture, HostCalls, HostConfig, Limits, LoadError, NoCalls,
    Plugin, RunRequest, StepReport,
};

use crate::guest::Guest;

/// Instances of the hosts in these tests.
pub const POOL: u32 = 16;

/// A host without a cache.
pub fn host() -> Host {
    Host::new(HostConfig {
        pool: Some(POOL),
        guest_threads: 2,
        ..HostConfig::default()
    })
    .expect("this machine can run guests")
}

/// Loads with every capability granted.
pub async fn load(host: &Host, component: &[u8]) -> Result<Plugin, Vec<LoadError>> {
    host.load(component, &Grants::all(), &Limits::default())
        .await
}

/// A request for the step `go`.
pub fn go(input: &str) -> RunRequest {
    RunRequest {
        step: "go".into(),
        input: input.into(),
        limits: Limits::default(),
        calls: Box::new(NoCalls),
        told: None,
        cancel: None,
    }
}

/// Loads a guest and runs its step `go`.
pub async fn run(host: &Host, component: &[u8], request: RunRequest) -> StepReport {
    let plugin = load(host, component)
        .await
        .unwrap_or_else(|complaints| panic!("{complaints:#?}"));
    plugin.run(request).await
}

/// What a scripted host call does.
pub enum Answer {
    /// Answers at once.
    Now(Value),
    /// Answers after the task was put to sleep and woken.
    Later(Value),
    /// Never answers.
    Never,
    /// Fails.
    Fails(HostCallError),
}

/// A call as it was seen: interface, function, arguments.
pub type Call = (String, String, Vec<Value>);

/// Decides on an answer by interface and function.
type Decision = Box<dyn FnMut(&str, &str) -> Answer + Send>;

/// Answers by a function and remembers what was asked.
pub struct Scripted {
    answer: Decision,
    seen: Arc<Mutex<Vec<Call>>>,
}

impl Scripted {
    /// The answers, and where the calls are remembered.
    pub fn new(
        answer: impl FnMut(&str, &str) -> Answer + Send + 'static,
    ) -> (Box<Self>, Arc<Mutex<Vec<Call>>>) {
        let seen = Arc::default();
        let scripted = Self {
            answer: Box::new(answer),
            seen: Arc::clone(&seen),
        };
        (Box::new(scripted), seen)
    }
}

impl HostCalls for Scripted {
    fn call<'a>(
        &'a mut self,
        interface: &'a str,
        function: &'a str,
        args: Vec<Value>,
    ) -> HostCallFuture<'a> {
        let call = (interface.to_owned(), function.to_owned(), args);
        self.seen
            .lock()
            .expect("nobody panicked with the lock")
            .push(call);
        let answer = (self.answer)(interface, function);
        Box::pin(async move {
            match answer {
                Answer::Now(value) => Ok(value),
                Answer::Later(value) => {
                    tokio::task::yield_now().await;
                    Ok(value)
                }
                Answer::Never => std::future::pending().await,
                Answer::Fails(error) => Err(error),
            }
        })
    }
}

/// A guest with that body of `run`.
pub fn runs(run: &str) -> Vec<u8> {
    Guest {
        run: run.into(),
        ..Guest::default()
    }
    .build()
}
