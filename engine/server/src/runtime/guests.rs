//! Steps that run: their instances, and the host calls that come from them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;
use strowger_contact::{StepFailure, StepResult};
use strowger_plugin::{
    Class, GuestTask, Held, Host, HostCallError, HostCallFuture, HostCalls, Limits, Meters, Parked,
    Pauses, Plugin, Recorded, RunRequest, Share, StepError, StepReport, Told, class,
};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;

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

/// A step to run, and to run again when its instance was dropped.
#[derive(Clone)]
pub(crate) struct StepRun {
    pub plugin: Plugin,
    pub activation: u32,
    /// The step's own name.
    pub step: String,
    pub input: String,
    pub limits: Limits,
}

/// The guests of one contact.
pub(crate) struct Guests {
    host: Host,
    /// The tenant's share of the threads on which guests run.
    share: Share,
    /// How long an instance may wait before it is dropped, to be built anew when its answer is there.
    drop_after: Duration,
    /// Notified when somebody needs the place of an instance that waits.
    wanted: Arc<Notify>,
    events: mpsc::Sender<GuestEvent>,
    queue: mpsc::Receiver<GuestEvent>,
    running: HashMap<u32, Running>,
    /// Ends of steps that could not go on: what they were told has no room, or their time is over.
    refused: VecDeque<GuestEvent>,
    /// When they stand still.
    pauses: Pauses,
}

/// A step that has begun and not ended.
struct Running {
    run: StepRun,
    told: Told,
    /// None when it was dropped.
    instance: Option<GuestTask<()>>,
    /// What the instance holds of memory.
    held: Held,
    /// Where the answer to its call goes; none while it computes.
    answer: Option<oneshot::Sender<Json>>,
    /// Since when it is busy, unless it waits, and for how long guests had stood still by then.
    since: (Instant, Duration),
    /// How long it has been busy before that.
    busy: Duration,
    /// When it began to wait for the contact, a person or a clock.
    waits_since: Option<Instant>,
    /// Its place among the instances that can make place for others, while it waits so.
    parked: Option<Parked>,
}

impl Guests {
    /// See `steps.drop_waiting_after_ms` of the configuration for `drop_after`.
    pub fn new(host: &Host, share: &Share, drop_after: Duration) -> Guests {
        let (events, queue) = mpsc::channel(QUEUE);
        Guests {
            host: host.clone(),
            share: share.clone(),
            drop_after,
            wanted: Arc::default(),
            events,
            queue,
            running: HashMap::new(),
            refused: VecDeque::new(),
            pauses: Pauses::default(),
        }
    }

    /// When they stand still: what they wait for then is neither theirs nor of anybody they asked.
    pub fn pauses(&self) -> &Pauses {
        &self.pauses
    }

    /// Starts a step on a fresh instance.
    pub fn run(&mut self, run: StepRun) {
        let activation = run.activation;
        let mut running = Running {
            run,
            told: Told::new(&self.share),
            instance: None,
            held: Held::default(),
            answer: None,
            since: (Instant::now(), self.pauses.total()),
            busy: Duration::ZERO,
            waits_since: None,
            parked: None,
        };
        running.start(&self.host, &self.share, self.bridge(activation));
        self.running.insert(activation, running);
    }

    /// Takes up a step that ran in a process that is gone, from what it was told there, when it has spent so much of its time.
    /// With `waits`, interface and function of the call whose answer it awaits, it needs no instance before that is there.
    /// False where it ends instead: its time is over, or its tenant's memory has no room for what it was told.
    pub fn again(
        &mut self,
        run: StepRun,
        calls: Vec<Recorded>,
        waits: Option<(&str, &str)>,
        spent: Duration,
    ) -> bool {
        let activation = run.activation;
        let told = match Told::recorded(&self.share, calls) {
            Ok(told) => told,
            Err(full) => {
                self.refuse(activation, full);
                return false;
            }
        };
        let mut running = Running {
            run,
            told,
            instance: None,
            held: Held::default(),
            answer: None,
            since: (Instant::now(), self.pauses.total()),
            busy: spent,
            waits_since: None,
            parked: None,
        };
        let waits_for = waits.map(|(interface, function)| class(interface, function));
        if waits_for != Some(Class::Wait)
            && let Some(over) = running.over(&self.pauses)
        {
            self.refuse(activation, over);
            return false;
        }
        if waits.is_none() {
            running.start(&self.host, &self.share, self.bridge(activation));
        }
        self.running.insert(activation, running);
        if let Some((interface, function)) = waits {
            // Nobody hears it: the answer starts the instance.
            let (answer, _) = oneshot::channel();
            self.awaits(activation, interface, function, answer);
        }
        true
    }

    /// The next thing that a guest does. Cancel-safe; waits for ever when nothing runs.
    pub async fn event(&mut self) -> GuestEvent {
        loop {
            if let Some(event) = self.refused.pop_front() {
                return event;
            }
            let left = self.left_without_instance();
            let over = async move {
                match left {
                    Some(left) => tokio::time::sleep(left).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                // The sender in `self` keeps the queue open.
                Some(event) = self.queue.recv() => return event,
                () = over => self.end_overdue(),
            }
        }
    }

    /// How long until the time of a step may be over that has no instance which would notice, and does not wait for the contact,
    /// a person or a clock.
    fn left_without_instance(&self) -> Option<Duration> {
        let alone = self.running.values().filter(|running| running.is_alone());
        let left = alone.map(|running| running.left(&self.pauses));
        left.min()
    }

    /// Ends such steps whose time is over.
    fn end_overdue(&mut self) {
        let alone = self.running.iter().filter(|(_, step)| step.is_alone());
        let over = alone.filter_map(|(id, step)| Some((*id, step.over(&self.pauses)?)));
        for (activation, over) in over.collect::<Vec<_>>() {
            self.running.remove(&activation);
            self.refuse(activation, over);
        }
    }

    /// Notes that a guest has called the host, and where the answer goes.
    pub fn awaits(
        &mut self,
        activation: u32,
        interface: &str,
        function: &str,
        answer: oneshot::Sender<Json>,
    ) {
        if let Some(running) = self.running.get_mut(&activation) {
            running.answer = Some(answer);
            if class(interface, function) == Class::Wait {
                running.busy = running.spent(&self.pauses);
                running.waits_since = Some(Instant::now());
                if running.droppable() {
                    let plugin = &running.run.plugin;
                    running.parked = Some(plugin.park(&self.share, &running.held, &self.wanted));
                }
            }
        }
    }

    fn bridge(&self, activation: u32) -> Bridge {
        Bridge {
            activation,
            events: self.events.clone(),
            pauses: self.pauses.clone(),
        }
    }

    /// Ends a step that has no instance.
    fn refuse(&mut self, activation: u32, why: StepError) {
        let result = step_result(StepReport {
            result: Err(why),
            meters: Meters::default(),
        });
        let ended = GuestEvent::Ended { activation, result };
        self.refused.push_back(ended);
    }

    /// Answers the host call that an activation waits for. An instance that was dropped is built anew, or the step ends where
    /// its tenant's memory has no room for what it was told, or its time is over.
    pub fn answer(&mut self, activation: u32, value: Json) {
        let calls = self.bridge(activation);
        let Some(running) = self.running.get_mut(&activation) else {
            return;
        };
        let Some(answer) = running.answer.take() else {
            return;
        };
        let instance = running.instance.is_some();
        if let Err(full) = running.told.answer(&value, instance) {
            self.running.remove(&activation);
            return self.refuse(activation, full);
        }
        running.parked = None;
        if running.waits_since.take().is_some() {
            running.since = (Instant::now(), self.pauses.total());
        }
        if running.instance.is_some() {
            let _ = answer.send(value);
        } else if let Some(over) = running.over(&self.pauses) {
            self.running.remove(&activation);
            self.refuse(activation, over);
        } else {
            running.start(&self.host, &self.share, calls);
        }
    }

    /// When the next waiting instance shall be dropped.
    pub fn drop_at(&self) -> Option<Instant> {
        let waiting = self.running.values().filter(|running| running.droppable());
        let since = waiting.filter_map(|running| running.waits_since).min()?;
        Some(since + self.drop_after)
    }

    /// Waits until somebody needs the place of an instance that waits; [`Self::drop_waiting`] gives it.
    pub fn wanted(&self) -> impl Future<Output = ()> + use<> {
        let wanted = Arc::clone(&self.wanted);
        async move { wanted.notified().await }
    }

    /// Drops the instances that have waited long enough, or whose place somebody needs; says how many.
    pub fn drop_waiting(&mut self) -> u64 {
        let now = Instant::now();
        let mut dropped = 0;
        for running in self.running.values_mut() {
            let due = |since: Instant| since + self.drop_after <= now;
            let wanted = running.parked.as_ref().is_some_and(Parked::wanted);
            if running.droppable() && (wanted || running.waits_since.is_some_and(due)) {
                if let Some(parked) = running.parked.take() {
                    parked.give_up();
                }
                // Ended by being dropped.
                running.instance = None;
                dropped += 1;
            }
        }
        dropped
    }

    /// A step has ended.
    pub fn ended(&mut self, activation: u32) {
        self.running.remove(&activation);
    }

    /// Ends a step's instance.
    pub fn cancel(&mut self, activation: u32) {
        // Ended by being dropped.
        self.running.remove(&activation);
    }

    /// Whether nothing of a guest is there but what it was told.
    pub fn asleep(&self) -> bool {
        let mut guests = self.running.values();
        let rest = guests.all(|running| running.instance.is_none() && running.answer.is_some());
        rest && self.refused.is_empty()
    }

    /// Whether a guest computes right now, rather than waiting for an answer.
    pub fn computing(&self) -> bool {
        let mut guests = self.running.values();
        guests.any(|running| running.answer.is_none()) || !self.refused.is_empty()
    }
}

impl Running {
    /// How long it has been busy.
    fn spent(&self, pauses: &Pauses) -> Duration {
        match self.waits_since {
            Some(_) => self.busy,
            None => {
                let (since, paused) = self.since;
                let paused = pauses.total().saturating_sub(paused);
                self.busy + since.elapsed().saturating_sub(paused)
            }
        }
    }

    /// How long it may be busy.
    fn limit(&self) -> Duration {
        Duration::from_millis(self.run.limits.busy_ms)
    }

    /// What it has left of that.
    fn left(&self, pauses: &Pauses) -> Duration {
        self.limit().saturating_sub(self.spent(pauses))
    }

    /// What it ends with where it has nothing left.
    fn over(&self, pauses: &Pauses) -> Option<StepError> {
        let limit = self.limit();
        let over = self.left(pauses).is_zero();
        over.then_some(StepError::Timeout { limit })
    }

    /// Whether it is busy with a call, and has no instance that would notice when its time is over.
    fn is_alone(&self) -> bool {
        self.instance.is_none() && self.waits_since.is_none()
    }

    /// Sets a fresh instance going, which is told again what the step was told.
    fn start(&mut self, host: &Host, share: &Share, calls: Bridge) {
        let StepRun {
            plugin,
            activation,
            step,
            input,
            limits,
        } = self.run.clone();
        let spent = self.spent(&calls.pauses).as_millis();
        let spent = u64::try_from(spent).unwrap_or(u64::MAX);
        let limit = self.limit();
        let events = calls.events.clone();
        let request = RunRequest {
            step,
            input,
            limits: Limits {
                busy_ms: limits.busy_ms.saturating_sub(spent),
                ..limits
            },
            calls: Box::new(calls),
            told: Some(self.told.clone()),
            cancel: None,
        };
        let of = share.clone();
        self.held = Held::default();
        let held = self.held.clone();
        let run = async move {
            let mut report = plugin.run_held(&of, held, request).await;
            // What it had before counts: told is what its flow gives it.
            if let Err(StepError::Timeout { limit: left }) = &mut report.result {
                *left = limit;
            }
            let result = step_result(report);
            let _ = events.send(GuestEvent::Ended { activation, result }).await;
        };
        self.instance = Some(host.runtime().spawn(share, run));
    }

    /// Whether it waits in a way, and with a memory, that let it be dropped.
    fn droppable(&self) -> bool {
        self.waits_since.is_some() && self.instance.is_some() && self.told.whole()
    }
}

/// Carries a guest's host calls to the task that owns the contact.
struct Bridge {
    activation: u32,
    events: mpsc::Sender<GuestEvent>,
    pauses: Pauses,
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

    fn pauses(&self) -> Option<Pauses> {
        Some(self.pauses.clone())
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
        Ok(outcome) => Ok((outcome.name, outcome.data.into())),
        Err(error) => Err(failure(&error)),
    };
    StepResult {
        outcome,
        cpu_us: u64::try_from(report.meters.cpu.as_micros()).unwrap_or(u64::MAX),
        memory_bytes: report.meters.peak_memory_bytes as u64,
        host_calls: report.meters.host_calls,
    }
}

/// Why a step has no outcome, in the contact core's words.
pub(crate) fn failure(error: &StepError) -> StepFailure {
    StepFailure {
        code: match error {
            StepError::Failure { code, .. } if is_own_word(code) => code.clone(),
            other => other.code().to_owned(),
        },
        message: error.to_string(),
        timeout: matches!(error, StepError::Timeout { .. }),
        retryable: error.retryable(),
        own: matches!(error, StepError::Failure { .. }),
    }
}

/// Longest word of a plugin's own for a failure. Bytes.
const MOST_WORD: usize = 64;

/// Whether a code may be a plugin's word for its failure: one word, and none of those by which the engine tells of its own. In
/// place of another stands `step-failure`; the message has it.
fn is_own_word(code: &str) -> bool {
    let engines =
        code.starts_with("step-") || matches!(code, "secret-lost" | "expression" | "bad-output");
    let word = (1..=MOST_WORD).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_graphic());
    word && !engines
}

#[cfg(test)]
mod tests {
    use strowger_plugin::StepError;

    use super::failure;

    #[test]
    fn a_plugin_fails_by_words_of_its_own() {
        for (said, code) in [
            ("crm-unreachable", "crm-unreachable"),
            ("timeout", "timeout"),
            ("step-timeout", "step-failure"),
            ("step-trap", "step-failure"),
            ("secret-lost", "step-failure"),
            ("bad-output", "step-failure"),
            ("", "step-failure"),
            ("two words", "step-failure"),
            ("\u{202e}drow", "step-failure"),
            (&"x".repeat(65), "step-failure"),
        ] {
            let told = failure(&StepError::Failure {
                code: said.to_owned(),
                message: "why".to_owned(),
                retryable: true,
            });
            assert_eq!(told.code, code, "{said}");
            assert!(told.own && told.retryable && told.message.contains(said));
        }
    }
}
