//! A caller and the world around a contact, in virtual time; and the guests of the standard steps.

use serde_json::{Value as Json, json};
use strowger_contact::{Channel, Contact, Effect, EntryKind, Input, Output, Segment, StepFailure};
use strowger_flow::speak::speech_ms;

use super::flows::{Dice, LEAVE};
use crate::walk::{START, called, ended};

/// What audio without a text takes here, in milliseconds.
const AUDIO_MS: u64 = 10_000;

/// Most events of a walk: a contact of ten minutes has some thousand.
const MAX_EVENTS: u32 = 100_000;

/// What the flows say to those who wait in a queue.
const HOLD: &str = "Please hold.";

/// A text of a service that is longer than anybody thinks of, in letters: twenty seconds.
const LONG_TEXT: usize = 300;

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
    /// How often nobody was waited for there, or for less than a second.
    pub people: u32,
    /// The longest that nothing was heard while it was not the caller's turn, and where that was. Milliseconds.
    pub silence: (u64, String),
    /// What the host refused a guest: a prompt that could not be said, an expression without a value.
    pub refused: Option<String>,
    /// Whether services gave long texts.
    pub long_texts: bool,
}

/// A standard step that runs.
struct Guest {
    activation: u32,
    step: String,
    input: Json,
    misses: u64,
    /// The misses of each kind, as the reprompts count them: silences, and what does not fit.
    kinds: [u64; 2],
    /// The answer of an `ask`.
    answer: Option<String>,
    /// Whether it is being confirmed.
    confirming: bool,
}

impl Guest {
    /// The names under which the answer is known, once there is one.
    fn bindings(&self) -> Json {
        let Some(answer) = &self.answer else {
            return json!([]);
        };
        let value = json!({ "value": Json::from(answer.as_str()).to_string() });
        let names = [Some("value"), self.input["$into"].as_str()];
        names
            .into_iter()
            .flatten()
            .map(|name| json!({ "name": name, "value": value }))
            .collect()
    }
}

/// How a step ends: its outcome with the data, or its failure.
type StepEnd = Result<(String, Json), StepFailure>;

/// The sentence of a queue.
#[derive(Clone, Copy)]
struct Sentence {
    at: u64,
    /// Whether it is being said.
    said: bool,
    every: u64,
}

struct World {
    contact: Contact,
    dice: Dice,
    silent: bool,
    /// Nothing is spoken in a chat.
    chat: bool,
    long_texts: bool,
    /// How fast the speech program speaks, in fifths of what the checker counts.
    pace: u64,
    /// How queues and transfers end for somebody who does nothing.
    habit: u64,
    /// Since when nothing has been heard; `None` while something is heard, it is the caller's turn, or nobody is there.
    quiet_since: Option<u64>,
    silence: (u64, String),
    /// The step that was entered last.
    step: String,
    /// Whether it is the caller's turn.
    listening: bool,
    gone: bool,
    refused: Option<String>,
    people: u32,
    now: u64,
    outputs: Vec<Output>,
    guest: Option<Guest>,
    play: Option<(u64, u32)>,
    effect: Option<(u64, u32, Json)>,
    /// When the next sentence of a queue begins, or the one that is said ends.
    sentence: Option<Sentence>,
    /// When a plugin's own step ends, and how.
    ending: Option<(u64, u32, StepEnd)>,
    person: Option<u64>,
}

pub(super) fn run(contact: Contact, caller: Caller, channel: Channel) -> Ran {
    let (seed, silent) = match caller {
        Caller::Random(seed) => (seed, false),
        Caller::Silent(seed) => (seed, true),
    };
    let mut dice = Dice::new(seed);
    let long_texts = dice.one_in(3);
    let habit = dice.below(5);
    let pace = 2 + dice.below(4);
    let mut world = World {
        contact,
        dice,
        silent,
        chat: channel == Channel::Chat,
        long_texts,
        pace,
        habit,
        quiet_since: None,
        silence: (0, String::new()),
        step: String::new(),
        listening: false,
        gone: false,
        refused: None,
        people: 0,
        now: START,
        outputs: Vec::new(),
        guest: None,
        play: None,
        effect: None,
        sentence: None,
        ending: None,
        person: None,
    };
    world.falls_quiet();
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
        let sentence = world.sentence.map(|sentence| sentence.at);
        let at = [play, effect, ending, deadline, key_at, sentence]
            .into_iter()
            .flatten()
            .min()
            .expect("a contact always has a deadline");
        world.now = world.now.max(at);
        if play == Some(at) {
            let (_, play) = world.play.take().expect("just looked");
            world.falls_quiet();
            world.send(Input::PlayDone { play, error: None });
        } else if effect == Some(at) {
            let (_, effect, result) = world.effect.take().expect("just looked");
            world.sentence = None;
            if result["ok"] == "done" {
                // Somebody has come, and talked.
                world.sounds();
            }
            world.falls_quiet();
            world.send(Input::EffectDone {
                effect,
                result: result.into(),
            });
        } else if sentence == Some(at) {
            world.sentence();
        } else if ending == Some(at) {
            let (_, activation, outcome) = world.ending.take().expect("just looked");
            world.end(activation, outcome);
        } else if key_at == Some(at) {
            let keys = ['1', '2', '3', '9', '#', '7'];
            let key = keys[world.dice.below(keys.len() as u64) as usize];
            let input = match world.chat {
                true => Input::Text(key.to_string()),
                false => Input::Key(key),
            };
            world.send(input);
            if world.dice.one_in(300) {
                world.sounds();
                world.gone = true;
                world.send(Input::HungUp);
            }
            key_at = world.next_key();
        } else {
            world.send(Input::Tick);
        }
    }
    world.sounds();
    Ran {
        people: world.people,
        silence: world.silence,
        refused: world.refused,
        long_texts: world.long_texts,
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

    /// Nothing is heard from now on.
    fn falls_quiet(&mut self) {
        if !self.gone && !self.listening {
            self.quiet_since.get_or_insert(self.now);
        }
    }

    /// Something is heard from now on, or it is the caller's turn.
    fn sounds(&mut self) {
        if let Some(since) = self.quiet_since.take() {
            let silence = self.now - since;
            if silence > self.silence.0 {
                self.silence = (silence, self.step.clone());
            }
        }
    }

    /// The sentence of a queue begins or ends.
    fn sentence(&mut self) {
        let Some(sentence) = self.sentence.as_mut() else {
            return;
        };
        let ms = speech_ms(HOLD) * self.pace / 5;
        sentence.said = !sentence.said;
        if sentence.said {
            sentence.at += ms;
            self.sounds();
        } else {
            sentence.at += sentence.every.saturating_sub(ms);
            self.falls_quiet();
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
                let input = input.into_json();
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
                    kinds: misses,
                    answer: None,
                    confirming: false,
                });
                let prompt = self.guest.as_ref()?.input["prompt"].clone();
                self.ask(&[prompt])
            }
            Output::Cancel { .. } => {
                self.listening = false;
                self.falls_quiet();
                self.guest = None;
                self.ending = None;
                None
            }
            Output::CancelEffect { .. } => {
                self.effect = None;
                self.sentence = None;
                self.falls_quiet();
                None
            }
            Output::Reply { value, .. } => self.reply(&value),
            Output::Play { play, segments, .. } => {
                let words: Vec<String> = segments.iter().map(Segment::words).collect();
                let ms: u64 = words
                    .iter()
                    .map(|words| match words.starts_with('[') {
                        true => AUDIO_MS,
                        false if is_heard(words) => {
                            speech_ms(words) * self.pace / 5 + pauses_ms(words)
                        }
                        false => pauses_ms(words),
                    })
                    .sum();
                if words.iter().any(|words| is_heard(words)) {
                    self.sounds();
                }
                let ms = if self.chat { 0 } else { ms };
                self.play = Some((self.now + ms, play));
                None
            }
            Output::StopPlaying => {
                self.play = None;
                self.falls_quiet();
                None
            }
            Output::Perform { effect, what } => {
                // Who is transferred hears that it rings; who waits in a queue, what the flow says.
                let (rings, music, every) = match &what {
                    Effect::Enqueue { options, .. } => {
                        let every = u64::from(options.every_ms);
                        let says = options.say.is_some() && options.music.is_none();
                        (false, options.music.is_some(), says.then_some(every))
                    }
                    _ => (true, false, None),
                };
                // A queue's `timeout` comes when its longest wait is over; all else may come at once.
                let (wait, results) = match what {
                    Effect::Enqueue { options, .. } => {
                        let max_wait_ms = u64::from(options.max_wait_ms);
                        let at_once = ["full", "closed", "no-agents", "failed"];
                        let mut results: Vec<(u64, Json)> =
                            at_once.map(|outcome| (0, json!({ "ok": outcome }))).into();
                        results.push((max_wait_ms, json!({ "ok": "timeout" })));
                        (max_wait_ms, results)
                    }
                    _ => {
                        let refusals = ["busy", "no-answer", "declined", "failed"];
                        let results = refusals.map(|why| (0, json!({ "ok": { "refused": why } })));
                        (25_000, results.into())
                    }
                };
                // What keeps somebody who does nothing waiting is always the same.
                let pick = match self.silent {
                    true => self.habit,
                    false => self.dice.below(results.len() as u64),
                };
                let pick = pick as usize % results.len();
                let (after, result) = match !self.silent && self.dice.one_in(2) {
                    true => (self.dice.below(wait), json!({ "ok": "done" })),
                    false => results[pick].clone(),
                };
                self.people += u32::from(after < 1_000);
                if rings || (music && after > 0) {
                    self.sounds();
                }
                self.sentence = every.map(|every| Sentence {
                    at: self.now + every,
                    said: false,
                    every,
                });
                self.effect = Some((self.now + after, effect, result));
                None
            }
            Output::Journal(entry) => {
                if let EntryKind::Entered { verb, step, .. } = &entry.kind {
                    self.step.clone_from(step);
                    let people = matches!(verb.as_str(), "queue" | "transfer");
                    if people || step.starts_with(LEAVE) && verb == "goto" {
                        self.person = self.person.or(Some(self.now));
                    }
                }
                None
            }
            _ => None,
        }
    }

    /// A text of a service: a few words, none, or many.
    fn text(&mut self) -> String {
        match self.dice.below(3) {
            0 => String::new(),
            1 if self.long_texts => "word ".repeat(LONG_TEXT / 5),
            _ => "packed".to_owned(),
        }
    }

    /// A plugin's own step: it answers some time, or fails, or runs out of time.
    fn lookup(&mut self, activation: u32, timeout_ms: u64) -> Option<Input> {
        let order = json!({
            "order_no": "20260302", "status": "packed", "status_text": self.text(),
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
    fn ask(&mut self, prompts: &[Json]) -> Option<Input> {
        let guest = self.guest.as_ref()?;
        let input = &guest.input;
        let given: Vec<Json> = prompts
            .iter()
            .map(|prompt| json!({ "given": prompt }))
            .collect();
        let say = json!({ "prompts": given, "bindings": guest.bindings() });
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
            "std/ask@1" if guest.confirming => {
                let choices =
                    ["1", "2"].map(|key| json!({ "key": key, "label": null, "words": [] }));
                (
                    "media.listen",
                    vec![say, listen(input, choices.into(), Json::Null)],
                )
            }
            "std/ask@1" => {
                let digits = json!({ "min": 2, "max": 4, "end-key": "#" });
                ("media.listen", vec![say, listen(input, Vec::new(), digits)])
            }
            "std/queue@1" => {
                let meanwhile = &input["meanwhile"];
                let options = json!({
                    "max-wait-ms": input["max_wait"],
                    "music": meanwhile["music"],
                    "say": meanwhile["say"],
                    "every-ms": meanwhile["every"].as_u64().unwrap_or(30_000),
                });
                ("route.enqueue", vec![input["queue"].clone(), options])
            }
            "std/transfer@1" => (
                "route.transfer",
                vec![json!("supplier"), json!({ "ring-ms": 25_000 })],
            ),
            step => panic!("no guest for {step}"),
        };
        if function == "media.listen" {
            // Whatever becomes of its prompt, then it is the caller's turn.
            self.sounds();
            self.listening = true;
        }
        let guest = self.guest.as_ref()?;
        Some(called(guest.activation, function, args))
    }

    /// Whether an `ask` takes its answer.
    fn judge(&mut self) -> Option<Input> {
        let guest = self.guest.as_ref()?;
        match guest.input["valid"].as_str() {
            Some(valid) => {
                let args = vec![json!(valid), guest.bindings()];
                Some(called(guest.activation, "media.evaluate", args))
            }
            None => self.confirm(),
        }
    }

    /// Has the answer of an `ask` confirmed, where the flow wants that.
    fn confirm(&mut self) -> Option<Input> {
        let guest = self.guest.as_mut()?;
        let prompt = guest.input["confirm"].clone();
        if prompt.is_null() {
            return self.answered();
        }
        guest.confirming = true;
        self.ask(&[prompt])
    }

    /// Ends an `ask` with its answer.
    fn answered(&mut self) -> Option<Input> {
        let guest = self.guest.take()?;
        let data = json!({ "value": guest.answer });
        Some(ended(guest.activation, Ok(("ok".to_owned(), data))))
    }

    /// Asks again after a miss.
    fn again(&mut self, kind: usize, confirming: bool) -> Option<Input> {
        let guest = self.guest.as_mut()?;
        if !confirming {
            (guest.answer, guest.confirming) = (None, false);
        }
        let input = &guest.input;
        let lines = input["reprompt"][["no_input", "no_match"][kind]].as_array();
        let line = lines.and_then(|lines| {
            let last = lines.len().checked_sub(1)?;
            lines.get((guest.kinds[kind] as usize - 1).min(last))
        });
        let prompt = match (confirming, input["short"].is_null()) {
            (true, _) => &input["confirm"],
            (false, false) => &input["short"],
            (false, true) => &input["prompt"],
        };
        let prompts: Vec<Json> = line.into_iter().chain([prompt]).cloned().collect();
        self.ask(&prompts)
    }

    /// What the running standard step makes of an answer.
    fn reply(&mut self, value: &Json) -> Option<Input> {
        if let Some(error) = value.get("err").filter(|error| *error != "hangup") {
            self.refused.get_or_insert(error.to_string());
        }
        self.listening = false;
        self.falls_quiet();
        let guest = self.guest.as_mut()?;
        let activation = guest.activation;
        let ok = &value["ok"];
        let outcome = match guest.step.as_str() {
            "std/say@1" => "done".to_owned(),
            "std/queue@1" | "std/transfer@1" => match ok {
                Json::String(outcome) => outcome.replace('-', "_"),
                refused => match refused["refused"].as_str() {
                    Some(why) => why.replace('-', "_"),
                    None => "failed".to_owned(),
                },
            },
            _ => {
                match (ok["choice"].as_str(), ok["digits"].as_str()) {
                    (Some(key), _) if guest.answer.is_none() => key.to_owned(),
                    (Some("1"), _) => return self.answered(),
                    (None, Some(digits)) => {
                        guest.answer = Some(digits.to_owned());
                        return self.judge();
                    }
                    (None, None) if *ok == true => return self.confirm(),
                    _ => {
                        // A value called wrong is asked for again; one that is not heard to be right or wrong is asked about again.
                        let confirming = guest.confirming && *ok != json!({ "choice": "2" });
                        let kind = usize::from(ok != "nothing");
                        guest.misses += 1;
                        guest.kinds[kind] += 1;
                        if guest.misses < guest.input["attempts"].as_u64().unwrap_or(3) {
                            return self.again(kind, confirming);
                        }
                        ["no_input", "no_match"][kind].to_owned()
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

/// A call of the host.
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
        own: true,
    }
}

/// Whether anything of a text is heard: a letter or a digit outside its markup.
fn is_heard(text: &str) -> bool {
    let mut inside = false;
    text.chars().any(|c| {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            _ => {}
        }
        !inside && c.is_alphanumeric()
    })
}

/// The pauses of a text, which are written in whole seconds.
fn pauses_ms(text: &str) -> u64 {
    let after = text.split("<break time='").skip(1);
    let seconds = after.map(|rest| {
        rest.split('s')
            .next()
            .and_then(|number| number.parse().ok())
    });
    seconds
        .map(|seconds: Option<u64>| seconds.expect("whole seconds") * 1_000)
        .sum()
}
