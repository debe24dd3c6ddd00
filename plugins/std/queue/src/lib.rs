//! The standard step `queue`: waits for somebody who can take the contact.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use strowger_sdk::route::{self, Attachment, QueueOptions, Queued};
use strowger_sdk::{Failure, Outcome};

strowger_sdk::plugin! {
    description: "../description.json",
    steps: { "queue" => queue },
}

/// What the flow gives. Defaults are those of the description.
#[derive(Deserialize)]
struct Queue {
    queue: String,
    priority: Option<u32>,
    #[serde(default)]
    skills: Vec<String>,
    #[serde(default)]
    attach: BTreeMap<String, Value>,
    #[serde(default = "max_wait")]
    max_wait: u32,
    #[serde(default)]
    meanwhile: Meanwhile,
}

/// What is heard while waiting.
#[derive(Deserialize)]
#[serde(default)]
struct Meanwhile {
    music: Option<String>,
    say: Option<String>,
    every: u32,
}

impl Default for Meanwhile {
    fn default() -> Meanwhile {
        Meanwhile {
            music: None,
            say: None,
            every: 30_000,
        }
    }
}

fn queue(input: Queue) -> Result<Outcome, Failure> {
    let attach = input
        .attach
        .iter()
        .map(|(name, value)| Attachment::new(name, value));
    let options = QueueOptions {
        priority: input.priority,
        skills: input.skills,
        attach: attach.collect::<Result<_, _>>()?,
        max_wait_ms: input.max_wait,
        music: input.meanwhile.music,
        say: input.meanwhile.say,
        every_ms: input.meanwhile.every,
    };
    let outcome = match route::enqueue(&input.queue, &options)? {
        Queued::Done => "done",
        Queued::Timeout => "timeout",
        Queued::Full => "full",
        Queued::Closed => "closed",
        Queued::NoAgents => "no_agents",
        Queued::Failed => "failed",
    };
    Ok(Outcome::named(outcome))
}

fn max_wait() -> u32 {
    600_000
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use strowger_sdk::harness::{Script, check_description, described_default};
    use strowger_sdk::route::Queued;

    #[test]
    fn the_description_is_sound() {
        check_description(super::DESCRIPTION, super::STEPS);
    }

    #[test]
    fn everything_the_flow_says_goes_along() {
        let input = json!({
            "queue": "vip-aurora",
            "priority": 90,
            "skills": ["lang:zh", "vip"],
            "attach": { "reason": "general", "customer": { "id": "c-42" } },
            "max_wait": 45_000,
            "meanwhile": { "music": "audio/hold.wav", "say": "p:2", "every": 20_000 },
        });
        let ran = Script::new()
            .queued(Ok(Queued::Done))
            .run(|| super::run("queue", &input.to_string()));
        assert_eq!(ran.outcome().0, "done");
        let (name, options) = &ran.queues[0];
        assert_eq!(
            (name.as_str(), options.priority, options.max_wait_ms),
            ("vip-aurora", Some(90), 45_000)
        );
        assert_eq!(options.skills, ["lang:zh", "vip"]);
        assert_eq!(
            (
                options.attach[0].name.as_str(),
                options.attach[0].value.as_str()
            ),
            ("customer", r#"{"id":"c-42"}"#)
        );
        assert_eq!(
            (
                options.music.as_deref(),
                options.say.as_deref(),
                options.every_ms
            ),
            (Some("audio/hold.wav"), Some("p:2"), 20_000)
        );
    }

    #[test]
    fn each_end_has_its_outcome() {
        let ends = [
            (Queued::Timeout, "timeout"),
            (Queued::Full, "full"),
            (Queued::Closed, "closed"),
            (Queued::NoAgents, "no_agents"),
            (Queued::Failed, "failed"),
        ];
        for (end, outcome) in ends {
            let ran = Script::new()
                .queued(Ok(end))
                .run(|| super::run("queue", r#"{"queue": "general"}"#));
            assert_eq!(ran.outcome().0, outcome);
            assert_eq!(
                (ran.queues[0].1.max_wait_ms, ran.queues[0].1.every_ms),
                (600_000, 30_000)
            );
        }
    }

    #[test]
    fn defaults_are_those_of_the_description() {
        let described = described_default(super::DESCRIPTION, "queue", "max_wait");
        assert_eq!(described, json!(super::max_wait()));
    }
}
