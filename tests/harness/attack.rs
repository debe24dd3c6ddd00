//! Attacks in a centre of two tenants: mallory, whose plugins mean harm, and victim, whose contacts must not notice.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value as Json;
use tempfile::TempDir;

use crate::chat::Talk;
use crate::hall::{CHATS, Hall, Over};
use crate::program::component;
use crate::projects::project;

/// Longest chat of the victim's while attacks go on: three steps and two waits for a person who is a program.
const NEIGHBOURLY: Duration = Duration::from_secs(20);

/// The victim's number.
const NEIGHBOUR: &str = "900";

const VICTIM: &str = r#"flow: greeting
format: 1
languages: [en]
prompts:
  which: { en: Which number? }
  thanks: { en: "Thank you, ${number}." }
vars: { number: text }
steps:
  start:
    ask: which
    into: number
    expect: { digits: 1..4 }
    then: { ok: keep, no_input: silent, no_match: silent }
  keep:
    use: guest-burglar/keep@1
    then: { done: thanks, error: broken, else: broken }
  thanks:
    - say: thanks
    - hangup: well
  silent: { hangup: silent }
  broken: { hangup: broken }
"#;

/// A step of an attacker's plugin.
pub struct Attack<'a> {
    /// The number that leads to it.
    pub number: &'a str,
    /// The plugin and its step, `guest-reach/go`.
    pub step: &'a str,
    /// Its input, in YAML.
    pub with: String,
}

/// `guest-reach` with a plan.
pub fn reach(number: &str, plan: Json) -> Attack<'_> {
    Attack {
        number,
        step: "guest-reach/go",
        with: format!("{{ plan: '{plan}' }}"),
    }
}

/// The project of an attacker: a plugin for each that the attacks use, with the grants that it asks for. Each attack ends `over`
/// where its step ends well, `failed` or `late` where it does not.
pub fn attacker(tenant: &str, grants: &str, attacks: &[Attack]) -> Result<TempDir> {
    let mut plugins: Vec<(&str, Vec<u8>)> = Vec::new();
    let mut flows = Vec::new();
    for attack in attacks {
        let (plugin, _) = attack.step.split_once('/').context("a plugin and a step")?;
        if plugins.iter().all(|(name, _)| *name != plugin) {
            plugins.push((plugin, component(plugin)?));
        }
        let name = format!("attack{}", attack.number);
        let text = format!(
            "flow: {name}\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    - use: {}@1\n      with: {}\n      \
             timeout: 20s\n      then: {{ done: over, number: over, error: failed, timeout: late }}\n  \
             over: {{ hangup: over }}\n  failed: {{ hangup: failed }}\n  late: {{ hangup: late }}\n",
            attack.step, attack.with
        );
        flows.push((attack.number, name, text));
    }
    let flows: Vec<(&str, &str, String)> = flows
        .iter()
        .map(|(number, name, text)| (*number, name.as_str(), text.clone()))
        .collect();
    project(tenant, &plugins, grants, &flows)
}

impl Hall {
    /// A centre in which the victim's project is live; `rules` is the rest of mallory's file.
    pub fn beside_a_victim(rules: &str) -> Result<Hall> {
        Hall::beside_a_victim_of(rules, component("guest-burglar")?)
    }

    /// The same; the victim's steps come from this component.
    pub fn beside_a_victim_of(rules: &str, steps: Vec<u8>) -> Result<Hall> {
        let mallory = format!("numbers = [\"6*\"]\n{rules}");
        let victim = format!("numbers = [\"{NEIGHBOUR}\"]\n[grants]\nkv = true\n");
        let hall = Hall::open_with(CHATS, &[("mallory", &mallory), ("victim", &victim)])?;
        hall.publish(&project(
            "victim",
            &[("guest-burglar", steps)],
            "kv = true",
            &[(NEIGHBOUR, "greeting", VICTIM.to_owned())],
        )?)?;
        Ok(hall)
    }

    /// The same, with attacks of mallory's live.
    pub fn attacked(rules: &str, grants: &str, attacks: &[Attack]) -> Result<Hall> {
        let hall = Hall::beside_a_victim(rules)?;
        hall.publish(&attacker("mallory", grants, attacks)?)?;
        hall.neighbour()?;
        Ok(hall)
    }

    /// A contact of the victim's, from its beginning to its end.
    pub fn neighbour(&self) -> Result<()> {
        let begun = Instant::now();
        let mut talk = Talk::begin(self.engine.http, NEIGHBOUR, None)?;
        talk.asked("Which number?")?;
        talk.write("12")?;
        let reason = talk.ended()?;
        ensure!(
            reason == "well",
            "the neighbour ended `{reason}`: {:?}",
            talk.shown
        );
        ensure!(talk.times("Thank you, 12.") == 1, "{:?}", talk.shown);
        ensure!(
            begun.elapsed() < NEIGHBOURLY,
            "the neighbour took {:?}",
            begun.elapsed()
        );
        Ok(())
    }

    /// Does something while contacts of the victim's come and go; at least one of them is whole.
    pub fn beside_a_neighbour<T>(&self, attack: impl FnOnce() -> Result<T>) -> Result<T> {
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let neighbour = scope.spawn(|| -> Result<()> {
                loop {
                    self.neighbour()?;
                    if over.load(Ordering::Acquire) {
                        return Ok(());
                    }
                }
            });
            let done = attack();
            over.store(true, Ordering::Release);
            let unharmed = neighbour.join().expect("the neighbour does not panic");
            let done = done?;
            unharmed.context("the neighbour was hurt")?;
            let log = self.engine.program.log();
            ensure!(!log.contains("panicked at"), "the engine panicked: {log}");
            Ok(done)
        })
    }

    /// An attack beside a neighbour. It ends as a step ends.
    pub fn attack(&self, number: &str) -> Result<Over> {
        self.beside_a_neighbour(|| self.walked(number))
    }

    /// An attack with nobody beside it. It ends as a step ends.
    pub fn walked(&self, number: &str) -> Result<Over> {
        let over = self.over(&self.begin(number)?)?;
        ensure!(over.reason == "over", "{}: {}", over.reason, over.journal);
        Ok(over)
    }

    /// Begins so many chats, each of which waits in a step for what its contact writes.
    pub fn crowd(&self, number: &str, chats: usize) -> Result<Vec<Talk>> {
        let mut talks = Vec::new();
        for _ in 0..chats {
            talks.push(Talk::begin(self.engine.http, number, None)?);
        }
        for talk in &mut talks {
            talk.until("listening", |talk| {
                talk.over || talk.shown.iter().any(|event| event["kind"] == "listening")
            })?;
            ensure!(!talk.over, "{}", self.journal(&talk.id)?);
        }
        Ok(talks)
    }

    /// How often a rule has refused mallory something.
    pub fn refusals(&self, rule: &str) -> Result<u64> {
        let name = format!("plugin_refusals_total{{tenant=\"mallory\",limit=\"{rule}\"}}");
        self.engine.metric(&name)
    }
}

/// Some of a crowd go on where they were, to their end.
pub fn unharmed(talks: &mut [Talk]) -> Result<()> {
    for talk in talks.iter_mut().take(3) {
        talk.write("hello")?;
        assert_eq!(talk.ended()?, "unharmed");
    }
    Ok(())
}
