//! A caller and the world around a contact, in virtual time; and the guests of the standard steps.

use serde_json::{Value as Json, json};
use strowger_contact::{Contact, Effect, EntryKind, Input, Output, StepFailure};
use strowger_flow::speak::speech_ms;

use super::flows::{Dice, LEAVE};
use crate::walk::{START, ended};

/// What audio without a text takes here, in milliseconds.
const AUDIO_MS: u64 = 10_000;

/// Most events of a walk: a contact of ten minutes has some thousand.
const MAX_EVENTS: u32 = 100_000;

/// Who calls. The seed decides also what the services answer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Caller {
    /// Presses keys at random moments.
    Random(u64),
    /// Does nothing.
    Silent(u64),
}

/// A walk that is over.
pub(super) struct Ran {
    pub outputs: Vec<Output>,
    pub now: u64,
    pub ended: bool,
    /// When a step that people stand behind was first entered, or one that leaves for another flow.
    pub person: Option<u64>,
}

/// A standard step that runs.
struct Guest {
    activation: u32,
    step: String,
    input: Json,
    misses: u64,
}

/// How a step ends: its outcome with the data, or its failure.
type StepEnd = Result<(String, Json), StepFailure>;

struct World {
    contact: Contact,
    dice: Dice,
    silent: bool,
    now: u64,
    outputs: Vec<Output>,
    guest: Option<Guest>,
    play: Option<(u64, u32)>,
    effect: Option<(u64, u32, Json)>,
    /// When a plugin's own step ends, and how.
    ending: Option<(u64, u32, StepEnd)>,
    person: Option<u64>,
}

pub(super) fn run(contact: Contact, caller: Caller) -> Ran {
    let (seed, silent) = match caller {
        Caller::Random(seed) => (seed, false),
        Caller::Silent(seed) => (seed, true),
    };
    let mut world = World {
        contact,
        dice: Dice::new(seed),
        silent,
        now: START,
        outputs: Vec::new(),
        guest: None,
        play: None,
        effect: None,
        ending: None,
        person: None,
    };
    world.send(Input::Connected);
    let mut key_at = world.next_key();
    for _ in 0..MAX_EVENTS {
        if world.contact.ended() {
            break;
        }
        let play = world.play.map(|(at, _)| at);
        let effect = world.effect.as_ref().map(|(at, ..)| *at);
        let ending = world.ending.as_ref().map(|(at, ..)| *at);
        let deadline = world.contact.deadline();
        let at = [play, effect, ending, deadline, key_at]
            .into_iter()
            .flatten()
            .min()
            .expect("a contact always has a deadline");
        world.now = world.now.max(at);
        if play == Some(at) {
            let (_, play) = world.play.take().expect("just looked");
            world.send(Input::PlayDone { play, error: None });
        } else if effect == Some(at) {
            let (_, effect, result) = world.effect.take().expect("just looked");
            world.send(Input::EffectDone { effect, result });
        } else if ending == Some(at) {
            let (_, activation, outcome) = world.ending.take().expect("just looked");
            world.end(activation, outcome);
        } else if key_at == Some(at) {
            let keys = ['1', '2', '3', '9', '#', '7'];
            let key = keys[world.dice.below(keys.len() as u64) as usize];
            world.send(Input::Key(key));
            if world.dice.one_in(300) {
                world.send(Input::HungUp);
            }
            key_at = world.next_key();
        } else {
            world.send(Input::Tick);
        }
    }
    Ran {
        ended: world.contact.ended(),
        now: world.now,
        outputs: world.outputs,
        person: world.person,
    }
}

impl World {
    fn next_key(&mut self) -> Option<u64> {
        let pause = 200 + self.dice.below(9_000);
        (!self.silent).then_some(self.now + pause)
    }

    /// Hands an input over and lets the world answer, until there is nothing left to answer at this moment.
    fn send(&mut self, input: Input) {
        let mut next = Some(input);
        while let Some(input) = next.take() {
            let from = self.outputs.len();
            self.contact.handle(self.now, input, &mut self.outputs);
            for index in from..self.outputs.len() {
                let output = self.outputs[index].clone();
                // A contact asks one thing of its guest at a time.
                next = self.answer(output).or(next);
            }
        }
    }

    fn end(&mut self, activation: u32, outcome: Result<(String, Json), StepFailure>) {
        let result = ended(activation, outcome);
        self.send(result);
    }

    fn answer(&mut self, output: Output) -> Option<Input> {
        match output {
            Output::Run {
                activation,
                step,
                input,
                timeout_ms,
            } => {
                let input: Json = serde_json::from_str(&input).expect("the input is JSON");
                let kept = &input["$kept"];
                let misses = ["no_input", "no_match"].map(|kind| kept[kind].as_u64().unwrap_or(0));
                self.ending = None;
                if step.starts_with("orders/") {
                    return self.lookup(activation, timeout_ms);
                }
                self.guest = Some(Guest {
                    activation,
                    step,
                    input,
                    misses: misses.iter().sum(),
                });
                self.ask("prompt")
            }
            Output::Cancel { .. } => {
                self.guest = None;
                self.ending = None;
                None
            }
            Output::Reply { value, .. } => self.reply(&value),
            Output::Play { play, segments, .. } => {
                let ms: u64 = segments
                    .iter()
                    .map(|segment| match segment.words() {
                        words if words.starts_with('[') => AUDIO_MS,
                        words => speech_ms(&words),
                    })
                    .sum();
                self.play = Some((self.now + ms, play));
                None
            }
            Output::StopPlaying => {
                self.play = None;
                None
            }
            Output::Perform { effect, what } => {
                let (wait, result) = match what {
                    Effect::Enqueue { .. } => (600_000, json!({"ok": "timeout"})),
                    _ => (25_000, json!({"ok": {"refused": "no-answer"}})),
                };
                let at = self.now + self.dice.below(wait);
                let done = self.dice.one_in(2);
                let result = if done { json!({"ok": "done"}) } else { result };
                self.effect = Some((at, effect, result));
                None
            }
            Output::Journal(entry) => {
                if let EntryKind::Entered { verb, step, .. } = &entry.kind
                    && (matches!(verb.as_str(), "queue" | "transfer")
                        || step.starts_with(LEAVE) && verb == "goto")
                {
                    self.person = self.person.or(Some(self.now));
                }
                None
            }
            _ => None,
        }
    }

    /// A plugin's own step: it answers some time, or fails, or runs out of time.
    fn lookup(&mut self, activation: u32, timeout_ms: u64) -> Option<Input> {
        let order = json!({
            "order_no": "20260302", "status": "packed", "status_text": "packed",
            "total": { "amount": 19_900, "currency": "CNY" },
        });
        let mut with_eta = order.clone();
        with_eta["eta"] = json!("2026-03-05");
        let (ms, outcome) = match self.dice.below(6) {
            0 => (timeout_ms, Err(failure(true))),
            1 => (self.dice.below(timeout_ms), Err(failure(false))),
            2 => (
                self.dice.below(timeout_ms),
                Ok(("not_found".to_owned(), json!({}))),
            ),
            3 => (
                self.dice.below(timeout_ms),
                Ok(("found".to_owned(), with_eta)),
            ),
            _ => (self.dice.below(timeout_ms), Ok(("found".to_owned(), order))),
        };
        self.ending = Some((self.now + ms, activation, outcome));
        None
    }

    /// What the running standard step asks of the host.
    fn ask(&mut self, prompt: &str) -> Option<Input> {
        let guest = self.guest.as_ref()?;
        let input = &guest.input;
        let say = json!({ "prompts": [{ "given": input[prompt] }], "bindings": [] });
        let (function, args) = match guest.step.as_str() {
            "std/say@1" => ("media.say", vec![say, json!(true)]),
            "std/menu@1" => {
                let keys = input["press"].as_object().into_iter().flatten();
                let choices: Vec<Json> = keys
                    .map(|(key, _)| json!({ "key": key, "label": null, "words": [] }))
                    .collect();
                (
                    "media.listen",
                    vec![say, listen(input, choices, Json::Null)],
                )
            }
            "std/ask@1" => {
                let digits = json!({ "min": 2, "max": 4, "end-key": "#" });
                ("media.listen", vec![say, listen(input, Vec::new(), digits)])
            }
            "std/queue@1" => ("route.enqueue", vec![input["queue"].clone(), json!({})]),
            "std/transfer@1" => (
                "route.transfer",
                vec![json!("supplier"), json!({ "ring-ms": 25_000 })],
            ),
            step => panic!("no guest for {step}"),
        };
        let (interface, function) = function.split_once('.').expect("interface.function");
        Some(Input::Called {
            activation: guest.activation,
            interface: interface.to_owned(),
            function: function.to_owned(),
            args,
        })
    }

    /// What the running standard step makes of an answer.
    fn reply(&mut self, value: &Json) -> Option<Input> {
        let guest = self.guest.as_mut()?;
        let activation = guest.activation;
        let ok = &value["ok"];
        let outcome = match guest.step.as_str() {
            "std/say@1" => "done".to_owned(),
            "std/queue@1" | "std/transfer@1" => match ok {
                Json::String(outcome) => outcome.replace('-', "_"),
                _ => "failed".to_owned(),
            },
            _ => {
                if let Some(key) = ok["choice"].as_str() {
                    key.to_owned()
                } else if let Some(digits) = ok["digits"].as_str() {
                    let data = json!({ "value": digits });
                    self.guest = None;
                    return Some(ended(activation, Ok(("ok".to_owned(), data))));
                } else {
                    guest.misses += 1;
                    if guest.misses < guest.input["attempts"].as_u64().unwrap_or(3) {
                        return self.ask("prompt");
                    }
                    match ok == "nothing" {
                        true => "no_input".to_owned(),
                        false => "no_match".to_owned(),
                    }
                }
            }
        };
        let data = match outcome.as_str() {
            "no_input" | "no_match" => json!({ "no_input": guest.misses, "no_match": 0 }),
            _ => json!({}),
        };
        self.guest = None;
        Some(ended(activation, Ok((outcome, data))))
    }
}

fn listen(input: &Json, choices: Vec<Json>, digits: Json) -> Json {
    json!({
        "barge-in": true,
        "choices": choices,
        "digits": digits,
        "timeout-ms": input["timeout"],
        "gap-ms": input["gap"],
        "sensitive": false,
    })
}

fn failure(timeout: bool) -> StepFailure {
    StepFailure {
        code: "broken".into(),
        message: "it broke".into(),
        timeout,
        retryable: true,
    }
}
