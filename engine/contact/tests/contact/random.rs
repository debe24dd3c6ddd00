//! Whatever comes in, in whatever order: no panic, one end, the same each time.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use strowger_contact::{
    Channel, Contact, EntryKind, Input, Output, Program, StepFailure, StepResult,
};

use crate::walk::{START, facts, program};

const FLOW: &str = r#"
flow: random
format: 1
defaults: { max_steps: 100, max_duration: 30m }
vars: { card: secret, no: { type: text, default: "20260302" } }
global:
  press: { 0: person, star: start }
  error: sorry
  hangup: gone
  too_long: sorry
steps:
  start:
    - say: "Hello."
      barge_in: false
    - menu: "One, two, nine?"
      press: { 1: card, 12: look, 2: call, 9: repeat }
      then: { no_input: person, no_match: repeat }
  card:
    ask: "Card?"
    into: card
    expect: { digits: 4..6 }
    sensitive: true
    then: { ok: look, no_input: start, no_match: repeat }
  look:
    use: orders/lookup@1
    with: { order_no: "${no}" }
    as: order
    retry: { times: 2, wait: 300ms, factor: 2 }
    meanwhile: { after: 1s, say: "One moment.", music: audio/hold.ogg }
    then: { found: wait, not_found: record }
  wait:
    - wait: 2s
    - goto: start
  record:
    record: { beep: true, max: 90s }
    then: person
  call:
    call: called
    then: { done: start, other: person }
  person:
    queue: general
    then: { done: bye, else: bye }
  sorry:
    - say: "Sorry."
    - goto: person
  gone:
    - use: crm/note@2
      with: { phone: "1", text: gone }
      then: { noted: bye, error: bye, timeout: bye }
  bye: { hangup: completed }
"#;

const CALLED: &str = r#"
flow: called
format: 1
outcomes: [done, other]
global: { press: { star: back } }
steps:
  start:
    menu: "Inside."
    press: { 1: back, 2: other, 3: flow:random }
    then: { no_input: back, no_match: other }
  back: { return: done }
  other: { return: other }
"#;

static PROGRAM: LazyLock<Arc<Program>> = LazyLock::new(|| Arc::new(program(&[FLOW, CALLED])));

/// An input whose numbers follow what the contact asked for, or are off by a little.
#[derive(Debug, Clone)]
enum Act {
    /// The guest does what its step is there for.
    Role(usize),
    Key(char),
    Keys(String),
    Text(String),
    Played(i8, bool),
    Called(i8, usize),
    Ended(i8, usize),
    Done(i8, usize),
    HangUp,
    Vanish,
    Drop(bool),
    CallBack,
    GiveUp,
    Tick,
    Wait(u64),
    Back(u64),
    Connect,
    Shutdown,
}

fn act() -> impl Strategy<Value = Act> {
    let off = || prop_oneof![12 => Just(0_i8), 1 => Just(1), 1 => Just(-1)];
    prop_oneof![
        400 => any::<usize>().prop_map(Act::Role),
        40 => prop::sample::select("0123456789*#AxZ•".chars().collect::<Vec<_>>()).prop_map(Act::Key),
        40 => "[1-9]{4,7}#?".prop_map(Act::Keys),
        10 => ".{0,12}".prop_map(Act::Text),
        40 => (off(), prop::bool::weighted(0.1)).prop_map(|(off, bad)| Act::Played(off, bad)),
        20 => (off(), any::<usize>()).prop_map(|(off, which)| Act::Called(off, which)),
        10 => (off(), any::<usize>()).prop_map(|(off, which)| Act::Ended(off, which)),
        20 => (off(), any::<usize>()).prop_map(|(off, which)| Act::Done(off, which)),
        40 => Just(Act::Tick),
        10 => (0..20_000_u64).prop_map(Act::Wait),
        5 => (0..5_000_u64).prop_map(Act::Back),
        2 => Just(Act::Connect),
        2 => Just(Act::HangUp),
        1 => Just(Act::Vanish),
        4 => any::<bool>().prop_map(Act::Drop),
        8 => Just(Act::CallBack),
        1 => Just(Act::GiveUp),
        1 => Just(Act::Wait(u64::MAX)),
        1 => Just(Act::Shutdown),
    ]
}

/// What the guest of a step would do.
fn role(activation: u32, step: &str, which: usize) -> Input {
    let secret = json!({"value": {"secret": "s:1", "length": 4, "lastFour": ""}});
    let (outcome, data) = match (step, which % 5) {
        ("std/menu@1", 0..3) => return call_of(activation, 0),
        ("std/ask@1", 0..4) => return call_of(activation, 4),
        ("std/record@1", 0..2) => return call_of(activation, 8),
        ("std/say@1", 0..2) => return call_of(activation, 6),
        ("std/queue@1", 0..2) => return call_of(activation, 11),
        ("orders/lookup@1", 0..2) => return end_of(activation, 13 + which % 3),
        ("std/menu@1", _) => (["1", "1", "12", "2", "9"][which % 11 % 5], json!({})),
        ("std/ask@1", _) => ("ok", secret),
        ("orders/lookup@1", _) => ("found", json!({"eta": "2026-03-05"})),
        ("crm/note@2", _) => ("noted", json!({})),
        _ => ("done", json!({})),
    };
    Input::StepEnded {
        activation,
        result: result(Ok((outcome.to_owned(), data))),
    }
}

fn call_of(activation: u32, which: usize) -> Input {
    let (interface, function, args) = calls(which);
    Input::Called {
        activation,
        interface: interface.into(),
        function: function.into(),
        args: args.into(),
    }
}

fn end_of(activation: u32, which: usize) -> Input {
    Input::StepEnded {
        activation,
        result: result(outcome(which)),
    }
}

fn result(outcome: Result<(String, Json), StepFailure>) -> StepResult {
    StepResult {
        outcome: outcome.map(|(outcome, data)| (outcome, data.into())),
        cpu_us: 0,
        memory_bytes: 0,
        host_calls: 0,
    }
}

fn calls(which: usize) -> (&'static str, &'static str, Vec<Json>) {
    let listen = |sensitive: bool| {
        json!({
            "barge-in": !which.is_multiple_of(5), "timeout-ms": 5000, "gap-ms": 2000, "sensitive": sensitive,
            "choices": [{"key": "1"}, {"key": "12"}, {"key": "2", "label": {"text": {"text": "two"}}, "words": ["deux"]}],
            "digits": if which.is_multiple_of(2) { json!({"min": 3, "max": 5, "end-key": "#"}) } else { Json::Null },
        })
    };
    let say =
        json!({"prompts": [{"text": {"text": "Hello."}}, {"given": format!("p:{}", which % 4)}]});
    let own = json!({"prompts": [{"text": {"text": "Hello."}}]});
    match which % 16 {
        0..4 => ("media", "listen", vec![own, listen(false)]),
        4 => ("media", "listen", vec![own, listen(true)]),
        5 => ("media", "listen", vec![say, listen(false)]),
        6 => ("media", "say", vec![own, json!(true)]),
        7 => ("media", "say", vec![own, json!(false)]),
        8 => (
            "media",
            "capture",
            vec![json!({"beep": true, "max-ms": 9000, "silence-ms": 0})],
        ),
        9 => ("wait", "sleep", vec![json!(500)]),
        10 => ("wait", "wait-any", vec![json!(["input", {"elapsed": 700}])]),
        11 => (
            "route",
            "transfer",
            vec![json!("x"), json!({"ring-ms": 1000})],
        ),
        12 => (
            "http",
            "fetch",
            vec![
                json!({"method": "GET", "url": "http://x/", "secrets": [{"placeholder": "a", "handle": "s:1"}]}),
            ],
        ),
        13 => ("kv", "get", vec![json!("k")]),
        14 => ("env", "random", vec![json!(8)]),
        _ => ("media", "evaluate", vec![json!("e:0"), json!([])]),
    }
}

fn outcome(which: usize) -> Result<(String, Json), StepFailure> {
    let outcomes = [
        "done",
        "1",
        "2",
        "9",
        "12",
        "no_input",
        "no_match",
        "ok",
        "found",
        "not_found",
        "noted",
        "full",
        "nonsense",
    ];
    match which % 16 {
        13 => Err(failure(true, false)),
        14 => Err(failure(false, true)),
        15 => Err(failure(false, false)),
        which => {
            let data = match which {
                7 => json!({"value": {"secret": "s:1", "length": 4, "lastFour": ""}}),
                8 => json!({"eta": "2026-03-05"}),
                _ => json!({"no_input": 1}),
            };
            Ok((outcomes[which].to_owned(), data))
        }
    }
}

fn failure(timeout: bool, retryable: bool) -> StepFailure {
    StepFailure {
        code: "broken".into(),
        message: "it broke".into(),
        timeout,
        retryable,
        own: true,
    }
}

struct Ran {
    outputs: Vec<Output>,
    secrets: Vec<String>,
}

fn run(channel: Channel, acts: &[Act]) -> Ran {
    let mut contact =
        Contact::new(PROGRAM.clone(), "random", facts(channel)).expect("the flow is there");
    let mut now = START;
    let mut outputs = Vec::new();
    let (mut play, mut effect, mut activation) = (0_u32, 0_u32, 0_u32);
    let near = |number: u32, off: i8| number.wrapping_add_signed(i32::from(off));
    let mut step = String::new();
    contact.handle(now, Input::Connected, &mut outputs);
    for act in acts {
        for output in &outputs {
            match output {
                Output::Run {
                    activation: id,
                    step: name,
                    ..
                } => {
                    activation = *id;
                    step.clone_from(name);
                }
                Output::Play { play: id, .. } => play = *id,
                Output::Perform { effect: id, .. } => effect = *id,
                _ => {}
            }
        }
        let input = match act.clone() {
            Act::Key(key) => Input::Key(key),
            Act::Text(text) => Input::Text(text),
            Act::Played(off, bad) => Input::PlayDone {
                play: near(play, off),
                error: bad.then(|| "bad".to_owned()),
            },
            Act::Role(which) => role(activation, &step, which),
            Act::Keys(keys) => {
                for key in keys.chars() {
                    contact.handle(now, Input::Key(key), &mut outputs);
                }
                Input::Tick
            }
            Act::Called(off, which) => call_of(near(activation, off), which),
            Act::Ended(off, which) => end_of(near(activation, off), which),
            Act::Done(off, which) => Input::EffectDone {
                effect: near(effect, off),
                result: [
                    json!({"ok": "done"}),
                    json!({"ok": null}),
                    json!({"err": "timeout"}),
                    json!(3),
                ][which % 4]
                    .clone()
                    .into(),
            },
            Act::HangUp => Input::HungUp,
            Act::Vanish => Input::Vanished,
            Act::Drop(vanished) => Input::Dropped { vanished },
            Act::CallBack => Input::CalledBack {
                sip_call_id: "again".to_owned(),
                question: None,
            },
            Act::GiveUp => Input::GivenUp,
            Act::Tick => {
                // Not to the longest duration every time that nothing else is awaited.
                let near = contact
                    .deadline()
                    .filter(|at| *at < now.saturating_add(30_000));
                now = near.map_or(now, |at| at.max(now));
                Input::Tick
            }
            Act::Wait(ms) => {
                now = now.saturating_add(ms);
                Input::Tick
            }
            Act::Back(ms) => {
                now = now.saturating_sub(ms);
                Input::Tick
            }
            Act::Connect => Input::Connected,
            Act::Shutdown => Input::Shutdown,
        };
        contact.handle(now, input, &mut outputs);
        if let Some(at) = contact.deadline() {
            assert!(
                at > now || now == u64::MAX,
                "a deadline that is over was met"
            );
        }
    }
    let secrets = (1..100).map_while(|n| contact.secret(&format!("s:{n}")).map(str::to_owned));
    let secrets = secrets.collect();
    Ran { outputs, secrets }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_inputs_lead_to_one_end_and_the_same_twice(
        chat in any::<bool>(),
        acts in prop::collection::vec(act(), 0..300),
    ) {
        let channel = if chat { Channel::Chat } else { Channel::Voice };
        let ran = run(channel, &acts);

        let ends = ran.outputs.iter().filter(|output| matches!(output, Output::Ended(_))).count();
        prop_assert!(ends <= 1, "ended {ends} times");
        if ends == 1 {
            let last = ran.outputs.last();
            prop_assert!(matches!(last, Some(Output::Ended(_))), "something follows the end");
        }

        let mut seq = 0;
        let mut running = None;
        let mut closed = false;
        let mut masked = false;
        for output in &ran.outputs {
            match output {
                Output::Journal(entry) => {
                    prop_assert_eq!(entry.seq, seq, "the journal has a gap");
                    seq += 1;
                    match &entry.kind {
                        // Another line.
                        EntryKind::CalledBack { .. } => closed = false,
                        EntryKind::Resumed => masked = false,
                        _ => {}
                    }
                }
                Output::Run { activation, .. } => {
                    prop_assert!(running < Some(*activation));
                    running = Some(*activation);
                }
                Output::Reply { activation, .. } => prop_assert_eq!(running, Some(*activation)),
                Output::Mask(on) => {
                    prop_assert_ne!(masked, *on, "masked twice, or unmasked what was not");
                    masked = *on;
                }
                Output::HangUp => {
                    prop_assert!(!closed, "hung up twice");
                    closed = true;
                }
                _ => {}
            }
        }
        prop_assert!(!(ends == 1 && masked), "the end leaves the mask on");

        // Entries of one step of this flow have up to six digits: look for the long ones.
        for secret in ran.secrets.iter().filter(|secret| secret.len() >= 5) {
            for output in &ran.outputs {
                if let Output::Journal(entry) = output {
                    let text = format!("{:?}", entry.kind);
                    prop_assert!(!text.contains(secret.as_str()), "{secret} in {text}");
                }
            }
        }

        let again = run(channel, &acts);
        prop_assert_eq!(format!("{:?}", ran.outputs), format!("{:?}", again.outputs));
    }
}
