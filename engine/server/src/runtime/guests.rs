//! Steps that run: their instances, and the host calls that come from them.

use std::collections::HashMap;

use serde_json::Value as Json;
use strowger_contact::{StepFailure, StepResult};
use strowger_plugin::{
    HostCallError, HostCallFuture, HostCalls, Limits, Plugin, RunRequest, StepError, StepReport,
};
use tokio::sync::{mpsc, oneshot};

/// Calls and ends of one contact's steps waiting to be handled. A contact runs one step at a time, and a
/// guest waits for each answer: two are never there at once but around a cancellation.
const QUEUE: usize = 8;

/// What comes from a guest.
#[derive(Debug)]
pub(crate) enum GuestEvent {
    /// It calls the host.
    Called {
        activation: u32,
        interface: String,
        function: String,
        args: Vec<Json>,
        answer: oneshot::Sender<Json>,
    },
    /// It is done.
    Ended { activation: u32, result: StepResult },
}

/// The guests of one contact.
pub(crate) struct Guests {
    events: mpsc::Sender<GuestEvent>,
    queue: mpsc::Receiver<GuestEvent>,
    running: HashMap<u32, tokio::task::AbortHandle>,
    answers: HashMap<u32, oneshot::Sender<Json>>,
}

impl Guests {
    pub fn new() -> Guests {
        let (events, queue) = mpsc::channel(QUEUE);
        Guests {
            events,
            queue,
            running: HashMap::new(),
            answers: HashMap::new(),
        }
    }

    /// Starts a step on a fresh instance, on the guests' own threads.
    pub fn run(
        &mut self,
        threads: &tokio::runtime::Handle,
        plugin: Plugin,
        activation: u32,
        step: String,
        input: String,
        limits: Limits,
    ) {
        let calls = Bridge {
            activation,
            events: self.events.clone(),
        };
        let events = self.events.clone();
        let task = threads.spawn(async move {
            let request = RunRequest {
                step,
                input,
                limits,
                calls: Box::new(calls),
                cancel: None,
            };
            let report = plugin.run_here(request).await;
            let _ = events
                .send(GuestEvent::Ended {
                    activation,
                    result: step_result(report),
                })
                .await;
        });
        self.running.insert(activation, task.abort_handle());
    }

    /// The next thing that a guest does. Cancel-safe; waits for ever when nothing runs.
    pub async fn event(&mut self) -> GuestEvent {
        // The sender in `self` keeps the queue open.
        match self.queue.recv().await {
            Some(event) => event,
            None => std::future::pending().await,
        }
    }

    /// Notes where the answer to a host call goes.
    pub fn awaits(&mut self, activation: u32, answer: oneshot::Sender<Json>) {
        self.answers.insert(activation, answer);
    }

    /// Answers the host call that an activation waits for.
    pub fn answer(&mut self, activation: u32, value: Json) {
        if let Some(answer) = self.answers.remove(&activation) {
            let _ = answer.send(value);
        }
    }

    /// A step has ended.
    pub fn ended(&mut self, activation: u32) {
        self.running.remove(&activation);
        self.answers.remove(&activation);
    }

    /// Ends a step's instance.
    pub fn cancel(&mut self, activation: u32) {
        if let Some(task) = self.running.remove(&activation) {
            task.abort();
        }
        self.answers.remove(&activation);
    }

    /// Whether a guest computes right now, rather than waiting for an answer.
    pub fn computing(&self) -> bool {
        self.running.len() > self.answers.len()
    }
}

impl Drop for Guests {
    fn drop(&mut self) {
        for task in self.running.values() {
            task.abort();
        }
    }
}

/// Carries a guest's host calls to the task that owns the contact.
struct Bridge {
    activation: u32,
    events: mpsc::Sender<GuestEvent>,
}

impl HostCalls for Bridge {
    fn call<'a>(
        &'a mut self,
        interface: &'a str,
        function: &'a str,
        args: Vec<Json>,
    ) -> HostCallFuture<'a> {
        Box::pin(async move {
            let gone = || HostCallError::Stop("the contact is over".into());
            let (answer, answered) = oneshot::channel();
            let event = GuestEvent::Called {
                activation: self.activation,
                interface: interface.to_owned(),
                function: function.to_owned(),
                args,
                answer,
            };
            self.events.send(event).await.map_err(|_| gone())?;
            answered.await.map_err(|_| gone())
        })
    }
}

/// The step's own name in `plugin/step@major`.
pub(crate) fn step_name(step: &str) -> &str {
    let name = step.split_once('/').map_or(step, |(_, name)| name);
    name.split('@').next().unwrap_or(name)
}

/// How a step ended, in the contact core's words.
pub(super) fn step_result(report: StepReport) -> StepResult {
    let outcome = match report.result {
        Ok(outcome) => Ok((outcome.name, outcome.data)),
        Err(error) => Err(failure(&error)),
    };
    StepResult {
        outcome,
        cpu_us: u64::try_from(report.meters.cpu.as_micros()).unwrap_or(u64::MAX),
        memory_bytes: report.meters.peak_memory_bytes as u64,
        host_calls: report.meters.host_calls,
    }
}

fn failure(error: &StepError) -> StepFailure {
    StepFailure {
        code: match error {
            StepError::Failure { code, .. } => code.clone(),
            other => other.code().to_owned(),
        },
        message: error.to_string(),
        timeout: matches!(error, StepError::Timeout { .. }),
        retryable: error.retryable(),
    }
}
