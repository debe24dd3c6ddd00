//! Whatever comes in, in whatever order: no panic, one end, the same each time.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use strowger_contact::{Channel, Contact, Input, Output, Program, StepFailure, StepResult};

use crate::walk::{START, facts, program};

const FLOW: &str = r#"
flow: random
format: 1
defaults: { max_steps: 60, max_duration: 5m }
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
    Key(char),
    Text(String),
    Played(i8, bool),
    Called(i8, usize),
    Ended(i8, usize),
    Done(i8, usize),
    HangUp,
    Tick,
    Wait(u64),
    Back(u64),
    Connect,
    Shutdown,
}

fn act() -> impl Strategy<Value = Act> {
    let off = || prop_oneof![12 => Just(0_i8), 1 => Just(1), 1 => Just(-1)];
    prop_oneof![
        8 => prop::sample::select("0123456789*#AxZ•".chars().collect::<Vec<_>>()).prop_map(Act::Key),
        1 => ".{0,12}".prop_map(Act::Text),
        6 => (off(), any::<bool>()).prop_map(|(off, bad)| Act::Played(off, bad)),
        12 => (off(), any::<usize>()).prop_map(|(off, which)| Act::Called(off, which)),
        8 => (off(), any::<usize>()).prop_map(|(off, which)| Act::Ended(off, which)),
        4 => (off(), any::<usize>()).prop_map(|(off, which)| Act::Done(off, which)),
        1 => Just(Act::HangUp),
        4 => Just(Act::Tick),
        3 => prop_oneof![0..20_000_u64, Just(u64::MAX)].prop_map(Act::Wait),
        1 => (0..5_000_u64).prop_map(Act::Back),
        1 => Just(Act::Connect),
        1 => prop_oneof![9 => Just(Act::Tick), 1 => Just(Act::Shutdown)],
    ]
}

fn calls(which: usize) -> (&'static str, &'static str, Vec<Json>) {
    let listen = |sensitive: bool| {
        json!({
            "barge-in": which % 5 != 0, "timeout-ms": 5000, "gap-ms": 2000, "sensitive": sensitive,
            "choices": [{"key": "1"}, {"key": "12"}, {"key": "2", "label": {"text": {"text": "two"}}, "words": ["deux"]}],
            "digits": if which % 2 == 0 { json!({"min": 3, "max": 5, "end-key": "#"}) } else { Json::Null },
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
    contact.handle(now, Input::Connected, &mut outputs);
    for act in acts {
        for output in &outputs {
            match output {
                Output::Run { activation: id, .. } => activation = *id,
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
            Act::Called(off, which) => {
                let (interface, function, args) = calls(which);
                Input::Called {
                    activation: near(activation, off),
                    interface: interface.into(),
                    function: function.into(),
                    args,
                }
            }
            Act::Ended(off, which) => Input::StepEnded {
                activation: near(activation, off),
                result: StepResult {
                    outcome: outcome(which),
                    cpu_us: 0,
                    memory_bytes: 0,
                    host_calls: 0,
                },
            },
            Act::Done(off, which) => Input::EffectDone {
                effect: near(effect, off),
                result: [
                    json!({"ok": "done"}),
                    json!({"ok": null}),
                    json!({"err": "timeout"}),
                    json!(3),
                ][which % 4]
                    .clone(),
            },
            Act::HangUp => Input::HungUp,
            Act::Tick => {
                now = contact.deadline().map_or(now, |at| at.max(now));
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
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_inputs_lead_to_one_end_and_the_same_twice(
        chat in any::<bool>(),
        acts in prop::collection::vec(act(), 0..120),
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
        let mut waiting = false;
        let mut masked = false;
        for output in &ran.outputs {
            match output {
                Output::Journal(entry) => {
                    prop_assert_eq!(entry.seq, seq, "the journal has a gap");
                    seq += 1;
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
                Output::HangUp => waiting = true,
                _ => {}
            }
        }
        prop_assert!(!(ends == 1 && masked), "the end leaves the mask on");
        prop_assert!(!waiting || ends == 1);

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
