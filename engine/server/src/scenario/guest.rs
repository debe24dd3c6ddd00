//! A step of a plugin that runs in a test: polled in place, without a task or a thread of its own.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use serde_json::Value as Json;
use strowger_contact::StepResult;
use strowger_plugin::{HostCallFuture, HostCalls, Limits, Plugin, RunRequest, StepReport};

use crate::runtime::step_result;

/// What a guest does next.
pub(super) enum Turn {
    /// It calls the host and waits for [`Guest::answer`].
    Called(Question),
    /// It is done.
    Ended(StepResult),
}

/// A host call.
pub(super) struct Question {
    pub interface: String,
    pub function: String,
    pub args: Vec<Json>,
}

/// A step that runs.
pub(super) struct Guest {
    pub activation: u32,
    /// Whether it waits for an answer.
    pub waits: bool,
    work: Pin<Box<dyn Future<Output = StepReport> + Send>>,
    desk: Arc<Mutex<Desk>>,
}

/// Where a guest's question is put down, and the answer to it.
#[derive(Default)]
struct Desk {
    question: Option<Question>,
    answer: Option<Json>,
}

impl Guest {
    /// Starts a step on a fresh instance.
    pub fn start(
        plugin: Plugin,
        activation: u32,
        step: String,
        input: String,
        limits: Limits,
    ) -> Guest {
        let desk = Arc::new(Mutex::new(Desk::default()));
        let calls = Box::new(Clerk(desk.clone()));
        let work = async move {
            let request = RunRequest {
                step,
                input,
                limits,
                calls,
                cancel: None,
            };
            plugin.run_here(request).await
        };
        Guest {
            activation,
            waits: false,
            work: Box::pin(work),
            desk,
        }
    }

    /// Lets the guest compute until it asks something or is done.
    pub async fn turn(&mut self) -> Turn {
        let (work, desk) = (&mut self.work, &self.desk);
        let turn = poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(report) => Poll::Ready(Turn::Ended(step_result(report))),
            Poll::Pending => match lock(desk).question.take() {
                Some(question) => Poll::Ready(Turn::Called(question)),
                // It only gave way after a while of computing.
                None => Poll::Pending,
            },
        })
        .await;
        self.waits = matches!(turn, Turn::Called(_));
        turn
    }

    /// Answers its question.
    pub fn answer(&mut self, value: Json) {
        lock(&self.desk).answer = Some(value);
        self.waits = false;
    }
}

/// Takes a guest's questions to the desk.
struct Clerk(Arc<Mutex<Desk>>);

impl HostCalls for Clerk {
    fn call<'a>(
        &'a mut self,
        interface: &'a str,
        function: &'a str,
        args: Vec<Json>,
    ) -> HostCallFuture<'a> {
        lock(&self.0).question = Some(Question {
            interface: interface.to_owned(),
            function: function.to_owned(),
            args,
        });
        let desk = &self.0;
        // Nobody is woken: whoever answers polls the guest next.
        Box::pin(poll_fn(move |_| match lock(desk).answer.take() {
            Some(answer) => Poll::Ready(Ok(answer)),
            None => Poll::Pending,
        }))
    }
}

fn lock(desk: &Mutex<Desk>) -> std::sync::MutexGuard<'_, Desk> {
    // A desk is whole after every statement.
    desk.lock().unwrap_or_else(PoisonError::into_inner)
}
