//! A guest that runs where its contact is handled: polled in place, without a task, queue or timer between them.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use serde_json::Value as Json;
use strowger_contact::Input;
use strowger_plugin::{HostCallFuture, HostCalls, RunRequest, StepReport, Told};

use super::guests::{StepRun, step_result};

/// A step that runs.
pub(crate) struct Guest {
    pub activation: u32,
    /// It has called the host and has no answer yet.
    pub waits: bool,
    step: StepRun,
    run: Pin<Box<dyn Future<Output = StepReport> + Send>>,
    exchange: Shared,
    /// Where its instance is dropped at each call and built anew: what it was told.
    told: Option<Told>,
    /// How often it was dropped.
    dropped: usize,
}

/// Where question and answer change hands.
#[derive(Default)]
struct Exchange {
    asked: Option<Call>,
    answer: Option<Json>,
}

type Shared = Arc<Mutex<Exchange>>;

struct Call {
    interface: String,
    function: String,
    args: Vec<Json>,
}

impl Guest {
    /// Starts a step on a fresh instance; it computes only in [`Guest::turn`]. With `rebuild` the instance is dropped
    /// at each of its calls and built anew for the answer.
    pub fn start(step: StepRun, rebuild: bool) -> Guest {
        let told = rebuild.then(Told::default);
        let (run, exchange) = instance(&step, told.as_ref());
        Guest {
            activation: step.activation,
            waits: false,
            step,
            run,
            exchange,
            told,
            dropped: 0,
        }
    }

    /// How often its instance was dropped.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// Lets the guest compute until it calls the host or ends; gives what its contact hears of it.
    pub async fn turn(&mut self) -> Input {
        let activation = self.activation;
        let (run, exchange) = (&mut self.run, &self.exchange);
        let input = poll_fn(|context| {
            if let Poll::Ready(report) = run.as_mut().poll(context) {
                let result = step_result(report);
                return Poll::Ready(Input::StepEnded { activation, result });
            }
            match lock(exchange).asked.take() {
                Some(call) => Poll::Ready(Input::Called {
                    activation,
                    interface: call.interface,
                    function: call.function,
                    args: call.args.into(),
                }),
                // It only gave way after a while of computing.
                None => Poll::Pending,
            }
        })
        .await;
        self.waits = matches!(input, Input::Called { .. });
        input
    }

    /// Answers the call; the guest goes on with the next [`Guest::turn`].
    pub fn answer(&mut self, value: Json) {
        self.waits = false;
        if let Some(told) = &self.told {
            // It is on nobody's memory: there is room, or the instance is kept.
            let room = told.answer(&value, true);
            if room.is_ok() && told.whole() {
                self.dropped += 1;
                (self.run, self.exchange) = instance(&self.step, Some(told));
                return;
            }
        }
        lock(&self.exchange).answer = Some(value);
    }
}

/// A fresh instance, which begins to compute when it is polled.
fn instance(
    step: &StepRun,
    told: Option<&Told>,
) -> (Pin<Box<dyn Future<Output = StepReport> + Send>>, Shared) {
    let StepRun {
        plugin,
        step,
        input,
        limits,
        ..
    } = step.clone();
    let exchange = Shared::default();
    let request = RunRequest {
        step,
        input,
        limits,
        calls: Box::new(Asker(exchange.clone())),
        told: told.cloned(),
        cancel: None,
    };
    let run = Box::pin(async move { plugin.run_here(request).await });
    (run, exchange)
}

fn lock(exchange: &Shared) -> MutexGuard<'_, Exchange> {
    // Nothing is done under the lock that could leave it half done.
    exchange.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The guest's side of the exchange.
struct Asker(Shared);

impl HostCalls for Asker {
    fn call<'a>(
        &'a mut self,
        interface: &'a str,
        function: &'a str,
        args: Vec<Json>,
    ) -> HostCallFuture<'a> {
        lock(&self.0).asked = Some(Call {
            interface: interface.to_owned(),
            function: function.to_owned(),
            args,
        });
        // Whoever answers polls the guest again, so nobody needs to be woken.
        Box::pin(poll_fn(move |_| match lock(&self.0).answer.take() {
            Some(answer) => Poll::Ready(Ok(answer)),
            None => Poll::Pending,
        }))
    }
}
