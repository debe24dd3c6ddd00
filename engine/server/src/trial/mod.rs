//! A step that is tried alone, against a scripted caller instead of an engine.

mod caller;
mod walk;

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value as Json;
use strowger_plugin::{Limits, Plugin, RunRequest, StepReport};
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::runtime::Script;

pub use caller::Caller;
pub use walk::{Drops, Walked, walk};

/// Runs a step against a caller.
pub async fn step(
    plugin: &Plugin,
    step: &str,
    input: String,
    limits: &Limits,
    caller: Caller,
) -> StepReport {
    let request = RunRequest {
        step: step.to_owned(),
        input,
        limits: limits.clone(),
        calls: Box::new(caller),
        told: None,
        cancel: None,
    };
    plugin.run(request).await
}

/// What came of a plugin's examples.
#[derive(Debug, Default)]
pub struct Tried {
    /// How many went as they say.
    pub passed: usize,
    /// How many need a flow or the network, and were not judged.
    pub not_judged: usize,
    /// How many were not tried, since the bounds were reached.
    pub not_tried: usize,
    /// What is wrong with the others, a sentence each.
    pub wrong: Vec<String>,
    /// Why some could not be tried now, where that is the engine's doing; it stands in `wrong` too.
    pub unable: Option<String>,
    /// How often an instance was dropped by [`repeated`].
    pub dropped: usize,
}

/// How far examples are tried.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// Processor time that is left for all of them; those that would begin without any are not tried.
    pub cpu: Duration,
    /// Cancelled when nobody wants to know any more.
    pub gone: CancellationToken,
}

impl Default for Bounds {
    /// To the end.
    fn default() -> Bounds {
        Bounds {
            cpu: Duration::MAX,
            gone: CancellationToken::new(),
        }
    }
}

/// Runs every example of a plugin's description with a caller who is silent, as far as the bounds go, and takes from them what is
/// used; `config` is what the plugin reads as its configuration, a JSON object.
pub async fn examples(
    plugin: &Plugin,
    config: &str,
    limits: &Limits,
    bounds: &mut Bounds,
    told: fn(std::fmt::Arguments<'_>),
) -> Tried {
    let mut tried = Tried::default();
    for (name, described) in &plugin.description().steps {
        for (index, example) in described.examples.iter().enumerate() {
            if bounds.cpu.is_zero() || bounds.gone.is_cancelled() {
                tried.not_tried += 1;
                continue;
            }
            let caller = Caller::new(Script::default(), config.to_owned(), told);
            let outside = caller.outside();
            let input = example["input"].to_string();
            // Dropped, it ends.
            let report = tokio::select! {
                report = step(plugin, name, input, limits, caller) => report,
                () = bounds.gone.cancelled() => {
                    tried.not_tried += 1;
                    continue;
                }
            };
            bounds.cpu = bounds.cpu.saturating_sub(report.meters.cpu);
            if let Err(error) = &report.result
                && error.of_the_engine()
            {
                tried.unable = Some(error.to_string());
            }
            let wrong = match &report.result {
                _ if outside.load(Ordering::Relaxed) => {
                    tried.not_judged += 1;
                    continue;
                }
                Err(error) => Some(format!("{}: {error}", error.code())),
                Ok(outcome) if example["outcome"] != outcome.name.as_str() => Some(format!(
                    "the outcome is `{}`, the example says {}",
                    outcome.name, example["outcome"]
                )),
                Ok(outcome) => differs(&outcome.data, example.get("data")),
            };
            match wrong {
                None => tried.passed += 1,
                Some(wrong) => {
                    let wrong = format!("step {name}, example {}: {wrong}", index + 1);
                    tried.wrong.push(wrong);
                }
            }
        }
    }
    tried
}

/// Walks every example of a plugin's description twice, the second time on instances that are dropped at each host call,
/// and adds to `tried` what differs.
pub async fn repeated(plugin: &Plugin, config: &str, limits: &Limits, tried: &mut Tried) {
    let now = Clock::start().now();
    for (name, described) in &plugin.description().steps {
        for (index, example) in described.examples.iter().enumerate() {
            let input = example["input"].to_string();
            let caller =
                || Caller::new(Script::default(), config.to_owned(), |_| {}).begins_at(now);
            let kept = walk(plugin, name, &input, limits, caller(), Drops::Never).await;
            let dropped = walk(plugin, name, &input, limits, caller(), Drops::AtEachCall).await;
            tried.dropped += dropped.dropped;
            if let Some(other) = kept.differs(&dropped) {
                let number = index + 1;
                tried.wrong.push(format!(
                    "step {name}, example {number}: it does not repeat itself when its instance is dropped at each call: {other}"
                ));
            }
        }
    }
}

/// What is not as an example says, if it says anything of the data.
fn differs(data: &Json, expected: Option<&Json>) -> Option<String> {
    let expected = expected.filter(|expected| *expected != data)?;
    Some(format!("the data is {data}, the example says {expected}"))
}
