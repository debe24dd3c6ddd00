//! A guest that runs on the replaying task: no thread, queue or timer lies between it and its contact.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use serde_json::Value as Json;
use strowger_plugin::{
    HostCallError, HostCallFuture, HostCalls, Limits, Plugin, RunRequest, StepReport,
};

/// What a guest does next.
pub(super) enum Act {
    /// It calls the host and waits for [`Guest::answer`].
    Called {
        interface: String,
        function: String,
        args: Vec<Json>,
    },
    /// It is done.
    Ended(StepReport),
}

/// Where question and answer change hands.
#[derive(Default)]
struct Exchange {
    asked: Option<(String, String, Vec<Json>)>,
    answer: Option<Json>,
}

type Shared = Arc<Mutex<Exchange>>;

/// A step that runs.
pub(super) struct Guest {
    pub activation: u32,
    run: Pin<Box<dyn Future<Output = StepReport> + Send>>,
    exchange: Shared,
    /// It has called the host and has no answer yet.
    pub waits: bool,
}

impl Guest {
    pub fn start(
        plugin: Plugin,
        activation: u32,
        step: String,
        input: String,
        limits: Limits,
    ) -> Guest {
        let exchange = Shared::default();
        let request = RunRequest {
            step,
            input,
            limits,
            calls: Box::new(Mouth(exchange.clone())),
            cancel: None,
        };
        Guest {
            activation,
            run: Box::pin(async move { plugin.run_here(request).await }),
            exchange,
            waits: false,
        }
    }

    /// Lets the guest run until it calls the host or ends.
    pub async fn act(&mut self) -> Act {
        let (run, exchange) = (&mut self.run, &self.exchange);
        let act = std::future::poll_fn(|context| {
            if let Poll::Ready(report) = run.as_mut().poll(context) {
                return Poll::Ready(Act::Ended(report));
            }
            // A tick of the engine may interrupt the guest before it has asked anything.
            match lock(exchange).asked.take() {
                Some((interface, function, args)) => Poll::Ready(Act::Called {
                    interface,
                    function,
                    args,
                }),
                None => Poll::Pending,
            }
        })
        .await;
        self.waits = matches!(act, Act::Called { .. });
        act
    }

    /// Answers the call; the guest goes on with the next [`Guest::act`].
    pub fn answer(&mut self, value: Json) {
        self.waits = false;
        lock(&self.exchange).answer = Some(value);
    }
}

fn lock(exchange: &Shared) -> std::sync::MutexGuard<'_, Exchange> {
    // Nothing is done under the lock that could leave it half done.
    exchange.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The guest's side.
struct Mouth(Shared);

impl HostCalls for Mouth {
    fn call<'a>(
        &'a mut self,
        interface: &'a str,
        function: &'a str,
        args: Vec<Json>,
    ) -> HostCallFuture<'a> {
        lock(&self.0).asked = Some((interface.to_owned(), function.to_owned(), args));
        // Whoever answers polls the guest again, so nobody needs to be woken.
        Box::pin(std::future::poll_fn(
            move |_| -> Poll<Result<Json, HostCallError>> {
                match lock(&self.0).answer.take() {
                    Some(answer) => Poll::Ready(Ok(answer)),
                    None => Poll::Pending,
                }
            },
        ))
    }
}
