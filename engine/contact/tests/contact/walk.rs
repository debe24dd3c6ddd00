//! Drives a contact by short commands and shows what it does as one line.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use strowger_contact::recorded::Beginning;
use strowger_contact::{
    Channel, Contact, Effect, Entry, EntryKind, Facts, Input, Output, Program, Segment,
    StepFailure, StepResult,
};
use strowger_flow::catalog::PluginDescription;
use strowger_flow::{Catalog, Level};

const PLUGINS: [&str; 13] = [
    include_str!("../../../../plugins/std/ask/description.json"),
    include_str!("../../../../plugins/std/callback/description.json"),
    include_str!("../../../../plugins/std/hours/description.json"),
    include_str!("../../../../plugins/std/menu/description.json"),
    include_str!("../../../../plugins/std/queue/description.json"),
    include_str!("../../../../plugins/std/record/description.json"),
    include_str!("../../../../plugins/std/say/description.json"),
    include_str!("../../../../plugins/std/survey/description.json"),
    include_str!("../../../../plugins/std/transfer/description.json"),
    include_str!("../../../../plugins/aurora/callbacks/description.json"),
    include_str!("../../../../plugins/aurora/crm/description.json"),
    include_str!("../../../../plugins/aurora/orders/description.json"),
    include_str!("../../../../plugins/aurora/vip/description.json"),
];
/// 2026-03-02T10:00:00Z.
pub(crate) const START: u64 = 1_772_445_600_000;

pub(crate) fn catalog() -> Catalog {
    let mut catalog = Catalog::default();
    for text in PLUGINS {
        let plugin: PluginDescription = serde_json::from_str(text).expect("a description");
        let major = plugin.version.split('.').next().expect("a version");
        for (name, step) in &plugin.steps {
            let key = format!("{}/{name}@{major}", plugin.name);
            if plugin.name == "std" {
                catalog.verbs.insert(name.clone(), key.clone());
            }
            catalog.steps.insert(key, step.clone());
        }
    }
    catalog
}

/// The program of these flows; every one of them must be without errors.
pub(crate) fn program(flows: &[&str]) -> Program {
    let mut catalog = catalog();
    let signatures = flows
        .iter()
        .filter_map(|text| strowger_flow::signature(text.as_bytes()));
    catalog.flows = Some(signatures.collect());
    let plans = flows.iter().map(|text| {
        let checked = strowger_flow::check("test.flow.yaml", text.as_bytes(), &catalog);
        let Some(plan) = checked.plan else {
            let why: Vec<String> = checked
                .diagnostics
                .iter()
                .filter(|found| found.level == Level::Error)
                .map(|found| format!("{}: {}", found.rule, found.message.english()))
                .collect();
            panic!("{text}\n{why:#?}");
        };
        Arc::new(plan)
    });
    let plans: Vec<_> = plans.collect();
    let configs = BTreeMap::from([("orders".to_owned(), r#"{"shop":7}"#.to_owned())]);
    Program::new(plans, &catalog.steps, configs).expect("a whole program")
}

pub(crate) fn facts(channel: Channel) -> Facts {
    Facts {
        id: "c-1".into(),
        channel,
        from: "+8613800138000".into(),
        to: "100".into(),
        started_at: START,
        seed: [7; 32],
    }
}

/// A contact and the world around it.
pub(crate) struct Walk {
    pub(crate) contact: Contact,
    pub(crate) now: u64,
    /// Everything that came out so far.
    pub(crate) all: Vec<Output>,
    activation: u32,
    /// The input of the step that runs.
    pub(crate) input: Json,
    plays: Vec<u32>,
    effect: u32,
}

impl Walk {
    /// A call that walks the first of these flows, not yet connected.
    pub(crate) fn new(flows: &[&str]) -> Walk {
        Walk::on(Channel::Voice, flows)
    }

    /// The same once it is connected, and these have run.
    pub(crate) fn after(flow: &str, commands: &[&str]) -> Walk {
        let mut walk = Walk::new(&[flow]);
        walk.run("connect");
        walk.all(commands);
        walk
    }

    /// A call that walks as in a journal of this format, not yet connected.
    pub(crate) fn older(format: u32, flows: &[&str]) -> Walk {
        let mut walk = Walk::new(flows);
        let (flow, _) = strowger_flow::signature(flows[0].as_bytes()).expect("a name");
        let older = Beginning {
            facts: facts(Channel::Voice),
            flow,
            hash: String::new(),
            content: String::new(),
            configuration: String::new(),
            audio: String::new(),
            language: None,
            format,
        };
        let contact = older.contact(Arc::new(program(flows)));
        walk.contact = contact.expect("the flow is there");
        walk
    }

    pub(crate) fn on(channel: Channel, flows: &[&str]) -> Walk {
        let (name, _) = strowger_flow::signature(flows[0].as_bytes()).expect("a name");
        let contact = Contact::new(Arc::new(program(flows)), &name, facts(channel));
        Walk {
            contact: contact.expect("the flow is in the program"),
            now: START,
            all: Vec::new(),
            activation: 0,
            input: Json::Null,
            plays: Vec::new(),
            effect: 0,
        }
    }

    /// Runs a command and compares what the contact does.
    #[track_caller]
    pub(crate) fn check(&mut self, command: &str, expected: &str) -> &mut Walk {
        let done = self.run(command);
        assert_eq!(done, expected, "\nafter `{command}`");
        self
    }

    /// Runs commands, one after the other, whatever they lead to; gives what the last one led to.
    pub(crate) fn all(&mut self, commands: &[&str]) -> String {
        let mut last = String::new();
        for command in commands {
            last = self.run(command);
        }
        last
    }

    /// | command | what happens |
    /// |---|---|
    /// | `connect`, `hang up`, `shutdown` | |
    /// | `drop`, `back [QUESTION]`, `give up` | the line is gone; the caller is there again; nobody came |
    /// | `rebuilt` | the contact was made again from its journal |
    /// | `key K`, `keys KKK`, `text T` | the caller does something |
    /// | `played`, `unplayed` | the last play ends, well or not |
    /// | `wait MS` | time passes; every deadline on the way is met |
    /// | `listen`, `say` | the guest does what its input says |
    /// | `call I.F ARGS` | the guest calls |
    /// | `end OUTCOME [DATA]` | the step ends |
    /// | `fail`, `fail again`, `fail timeout` | the step fails: for good, retryably, by time |
    /// | `done JSON` | the last effect ends |
    /// | `join` | whoever the last effect called has answered |
    pub(crate) fn run(&mut self, command: &str) -> String {
        let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
        let activation = self.activation;
        let input = match verb {
            "connect" => Input::Connected,
            "hang" => Input::HungUp,
            "vanish" => Input::Vanished,
            "shutdown" => Input::Shutdown,
            "fault" => Input::Fault(rest.to_owned()),
            "drop" => Input::Dropped { vanished: false },
            "back" => Input::CalledBack {
                sip_call_id: "second".into(),
                question: (!rest.is_empty()).then(|| rest.to_owned()),
            },
            "give" => Input::GivenUp,
            "rebuilt" => Input::Rebuilt,
            "key" => Input::Key(rest.chars().next().expect("a key")),
            "keys" => {
                let keys: Vec<String> = rest.chars().map(|key| format!("key {key}")).collect();
                let done = keys.iter().map(|key| self.run(key));
                let done: Vec<String> = done.filter(|done| !done.is_empty()).collect();
                return done.join(" | ");
            }
            "text" => Input::Text(rest.to_owned()),
            "played" | "unplayed" => Input::PlayDone {
                play: *self.plays.last().expect("a play"),
                error: (verb == "unplayed").then(|| "no such file".to_owned()),
            },
            "wait" => return self.wait(rest.parse().expect("milliseconds")),
            "listen" => {
                let args = vec![self.utterance(), self.listen_options()];
                called(activation, "media.listen", args)
            }
            "say" => {
                let barge_in = self.input.get("barge_in").cloned().unwrap_or(json!(true));
                called(activation, "media.say", vec![self.utterance(), barge_in])
            }
            "call" => {
                let (function, args) = rest.split_once(' ').unwrap_or((rest, "[]"));
                let args: Json = serde_json::from_str(args).expect("JSON");
                let args = args.as_array().expect("a list").clone();
                called(activation, function, args)
            }
            "end" => {
                let (outcome, data) = rest.split_once(' ').unwrap_or((rest, "{}"));
                let data = serde_json::from_str(data).expect("JSON");
                ended(activation, Ok((outcome.to_owned(), data)))
            }
            "fail" => ended(
                activation,
                Err(StepFailure {
                    code: "broken".into(),
                    message: "it broke".into(),
                    timeout: rest == "timeout",
                    retryable: rest == "again",
                    own: true,
                }),
            ),
            "join" => Input::Joined {
                effect: self.effect,
            },
            "done" => Input::EffectDone {
                effect: self.effect,
                result: serde_json::from_str::<Json>(rest).expect("JSON").into(),
            },
            verb => panic!("no such command: {verb}"),
        };
        self.send(input)
    }

    /// Sends an input; gives what the contact does, without its journal.
    pub(crate) fn send(&mut self, input: Input) -> String {
        let from = self.all.len();
        self.contact.handle(self.now, input, &mut self.all);
        for output in &self.all[from..] {
            match output {
                Output::Run {
                    activation, input, ..
                } => {
                    self.activation = *activation;
                    self.input = Json::clone(input);
                }
                Output::Play { play, .. } => self.plays.push(*play),
                Output::Perform { effect, .. } => self.effect = *effect,
                _ => {}
            }
        }
        let shown: Vec<String> = self.all[from..].iter().filter_map(show).collect();
        shown.join(" | ")
    }

    fn wait(&mut self, ms: u64) -> String {
        let until = self.now + ms;
        let mut done = Vec::new();
        while let Some(at) = self.contact.deadline().filter(|at| *at <= until) {
            self.now = at.max(self.now);
            done.push(self.send(Input::Tick));
        }
        self.now = until;
        done.retain(|done| !done.is_empty());
        done.join(" | ")
    }

    fn utterance(&self) -> Json {
        json!({ "prompts": [{ "given": self.input["prompt"] }], "bindings": [] })
    }

    /// As the standard steps `menu` and `ask` listen.
    fn listen_options(&self) -> Json {
        let input = &self.input;
        let press = input["press"].as_object().cloned().unwrap_or_default();
        let choices: Vec<Json> = press
            .iter()
            .map(|(name, press)| {
                let label = press.get("label").map(|label| json!({ "given": label }));
                let words = press.get("match").cloned().unwrap_or(json!([]));
                json!({ "key": key_of(name), "label": label, "words": words })
            })
            .collect();
        let digits = input["expect"]["max"].as_u64().map(|max| {
            let min = &input["expect"]["min"];
            json!({ "min": min, "max": max, "end-key": "#" })
        });
        let ask = digits.is_some();
        let or = |name: &str, default: Json| input.get(name).cloned().unwrap_or(default);
        json!({
            "barge-in": or("barge_in", json!(true)),
            "choices": choices,
            "digits": digits,
            "timeout-ms": or("timeout", json!(5_000)),
            "gap-ms": or("gap", json!(if ask { 3_000 } else { 2_000 })),
            "sensitive": or("sensitive", json!(false)),
        })
    }

    /// The journal so far.
    pub(crate) fn journal(&self) -> Vec<&Entry> {
        let entries = self.all.iter().filter_map(|output| match output {
            Output::Journal(entry) => Some(entry),
            _ => None,
        });
        entries.collect()
    }

    /// The keys of the journal.
    pub(crate) fn pressed(&self) -> String {
        let keys = self
            .journal()
            .into_iter()
            .filter_map(|entry| match entry.kind {
                EntryKind::Pressed { key } => Some(key),
                _ => None,
            });
        keys.collect()
    }

    /// The named steps that were entered, in order.
    pub(crate) fn entered(&self) -> Vec<&str> {
        let steps = self
            .journal()
            .into_iter()
            .filter_map(|entry| match &entry.kind {
                EntryKind::Entered { step, .. } => Some(step.as_str()),
                _ => None,
            });
        steps.collect()
    }
}

fn key_of(name: &str) -> &str {
    match name {
        "star" => "*",
        "hash" => "#",
        key => key,
    }
}

/// A guest calls the host.
pub(crate) fn called(activation: u32, function: &str, args: Vec<Json>) -> Input {
    let (interface, function) = function.split_once('.').expect("interface.function");
    Input::Called {
        activation,
        interface: interface.into(),
        function: function.into(),
        args: args.into(),
    }
}

/// A step's end, with meters that tests can tell apart.
pub fn ended(activation: u32, outcome: Result<(String, Json), StepFailure>) -> Input {
    Input::StepEnded {
        activation,
        result: StepResult {
            outcome: outcome.map(|(outcome, data)| (outcome, data.into())),
            cpu_us: 1,
            memory_bytes: 2,
            host_calls: 3,
        },
    }
}

fn show(output: &Output) -> Option<String> {
    Some(match output {
        Output::Run { step, .. } => format!("run {step}"),
        Output::Cancel { .. } => "cancel".into(),
        Output::Reply { value, .. } => format!("reply {}", plain(value)),
        Output::Play {
            segments, repeat, ..
        } => {
            let words: Vec<String> = segments.iter().map(Segment::words).collect();
            let verb = if *repeat { "loop" } else { "play" };
            format!("{verb} {}", words.join(" / "))
        }
        Output::StopPlaying => "stop".into(),
        Output::Perform { what, .. } => match what {
            Effect::Http {
                idempotency_key, ..
            } => format!("http {idempotency_key}"),
            Effect::Kv { plugin, .. } => format!("kv {plugin}"),
            Effect::Transfer {
                target, whisper, ..
            } => {
                let words: Vec<String> = whisper.iter().map(Segment::words).collect();
                match words.is_empty() {
                    true => format!("transfer {target}"),
                    false => format!("transfer {target} whispering {}", words.join(" / ")),
                }
            }
            Effect::Enqueue {
                queue, priority, ..
            } => format!("queue {queue} {priority}"),
            Effect::Record { .. } => "record".into(),
        },
        Output::CancelEffect { .. } => "cancel effect".into(),
        Output::StopRecording { .. } => "stop recording".into(),
        Output::Mask(true) => "mask".into(),
        Output::Mask(false) => "unmask".into(),
        Output::Journal(_) => return None,
        Output::Log { level, message, .. } => format!("log {level} {message}"),
        Output::HangUp => "hang up".into(),
        Output::Ended(ending) => match ending.by_caller {
            true => format!("ended {} by caller", ending.reason),
            false => format!("ended {}", ending.reason),
        },
    })
}

/// JSON without the quotes, for tests to be read.
fn plain(value: &Json) -> String {
    value.to_string().replace(['"', '{', '}'], "")
}
