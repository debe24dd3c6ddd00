//! What is said: languages, bindings, slots, spoken values.

use strowger_contact::{Channel, EntryKind};

use crate::Walk;

const FLOW: &str = r#"
flow: prompts
format: 1
languages: [zh, en]
vars: { no: { type: text, default: "0042" } }
prompts:
  own: { zh: 你好, en: Hello }
  both:
    any:
      - { lang: zh, text: 中文请按一。 }
      - { lang: en, text: "For English, press two." }
  first: { zh: 只有中文 }
  recorded: { any: { audio: audio/bye.wav, text: Goodbye, chat: "Bye!" } }
  list: { any: "Choose: ${choices}" }
  value: { any: "It is ${no | digits}." }
  label: { any: the second }
steps:
  start:
    - set: { call.language: en, call.priority: 70 }
    - say: own
    - say: both
    - say: first
    - say: recorded
    - menu: list
      press: { 2: { to: ask, label: label } }
      then: { no_input: ask, no_match: ask }
  ask:
    ask: value
    into: no
    expect: { digits: 4 }
    valid: no != "9999"
    then: { ok: bye, no_input: bye, no_match: bye }
  bye: { hangup: completed }
"#;

#[test]
fn a_prompt_speaks_the_language_else_any_else_the_first() {
    let mut walk = Walk::new(&[FLOW]);
    walk.run("connect");
    assert_eq!(walk.contact.language(), "en");
    for said in [
        "play Hello",
        "play 中文请按一。 / For English, press two.",
        "play 只有中文",
        "play Goodbye",
    ] {
        walk.check("say", said);
        walk.all(&["played", "end done"]);
    }
}

#[test]
fn audio_is_read_in_a_chat() {
    let mut walk = Walk::on(Channel::Chat, &[FLOW]);
    walk.all(&["connect", "end done", "end done", "end done"]);
    walk.check("say", "play Bye!");
}

fn at_menu() -> Walk {
    let mut walk = Walk::new(&[FLOW]);
    walk.all(&["connect", "end done", "end done", "end done", "end done"]);
    walk
}

#[test]
fn a_name_may_stand_for_prompts() {
    let mut walk = at_menu();
    let label = walk.input["press"]["2"]["label"]
        .as_str()
        .expect("a label")
        .to_owned();
    let prompt = walk.input["prompt"].as_str().expect("a prompt").to_owned();
    let listen = format!(
        r#"call media.say [{{"prompts":[{{"given":"{prompt}"}}],"bindings":[{{"name":"choices","value":{{"prompts":[
            {{"text":{{"text":"For "}}}},{{"given":"{label}"}},{{"text":{{"text":", press "}}}},
            {{"spoken":{{"value":"2","style":"digits"}}}},{{"text":{{"text":"."}}}}]}}}}]}}, true]"#
    );
    walk.check(&listen, "play Choose: For the second, press 2.");
}

#[test]
fn a_name_that_nobody_bound_is_an_error() {
    let done = at_menu().run("listen");
    assert!(done.starts_with("reply err:failed:"), "{done}");
}

#[test]
fn values_are_bound_in_the_type_of_the_variable() {
    let mut walk = at_menu();
    walk.run("end 2");
    walk.check("listen", "play It is 0, 0, 4, 2.");
    walk.all(&["keys 1234"]);
    let bound = r#"[{"name":"no","value":{"value":"\"1234\""}}]"#;
    let valid = walk.input["valid"]
        .as_str()
        .expect("an expression")
        .to_owned();
    walk.check(
        &format!(r#"call media.evaluate ["{valid}", {bound}]"#),
        "reply ok:true",
    );
    let bound = bound.replace("1234", "9999");
    walk.check(
        &format!(r#"call media.evaluate ["{valid}", {bound}]"#),
        "reply ok:false",
    );
    let prompt = walk.input["prompt"].as_str().expect("a prompt").to_owned();
    walk.check(
        &format!(
            r#"call media.say [{{"prompts":[{{"given":"{prompt}"}}],"bindings":{bound}}}, true]"#
        ),
        "play It is 9, 9, 9, 9.",
    );
}

#[test]
fn a_steps_own_texts_are_one_sentence_and_given_prompts_stand_alone() {
    let mut walk = Walk::new(&[FLOW]);
    walk.run("connect");
    let prompt = walk.input["prompt"].as_str().expect("a prompt").to_owned();
    walk.check(
        &format!(
            r#"call media.say [{{"prompts":[{{"text":{{"text":"You have "}}}},{{"spoken":{{"value":"3","style":"number"}}}},
            {{"text":{{"text":" cases."}}}},{{"given":"{prompt}"}},{{"audio":"audio/x.wav"}},{{"text":{{"text":"好","language":"zh"}}}}]}}, true]"#
        ),
        "play You have three cases. / Hello / [audio/x.wav] / 好",
    );
}

#[test]
fn facts_follow_the_flow() {
    let mut walk = Walk::new(&[FLOW]);
    walk.run("connect");
    walk.check(
        "call contact.read",
        "reply channel:voice,from:+8613800138000,id:c-1,language:en,priority:70,started-at:1772445600000,to:100",
    );
}

#[test]
fn an_utterance_has_a_limit() {
    let mut walk = Walk::new(&[FLOW]);
    walk.run("connect");
    let prompts = vec![r#"{"text":{"text":"a"}}"#; 257].join(",");
    let done = walk.run(&format!(
        r#"call media.say [{{"prompts":[{prompts}]}}, true]"#
    ));
    assert!(done.starts_with("reply err:limit:"), "{done}");
    walk.check(
        r#"call media.say [{"prompts":[]}, true]"#,
        "reply ok:finished",
    );
}

const DAYS: &str = r#"
flow: days
format: 1
languages: [en]
steps:
  start:
    ask: Which day?
    into: day
    as: all
    expect: date
    valid: day >= now.date and value >= now.date
    confirm: "On ${day}, a ${value.weekday}?"
    then: { ok: look, no_input: bye, no_match: bye }
  look:
    if: day == all.value
    then: same
    else: bye
  same: { hangup: same }
  bye: { hangup: completed }
"#;

const DAY: &str = r#"[{"name":"day","value":{"value":"\"2026-03-05\""}},{"name":"value","value":{"value":"\"2026-03-05\""}}]"#;

/// The first of the handles that an input of the running step is.
fn handle(walk: &Walk, input: &str) -> String {
    walk.input[input].as_str().expect("a handle").to_owned()
}

#[test]
fn answers_are_bound_and_kept_in_the_type_that_is_expected() {
    let mut walk = Walk::new(&[DAYS]);
    walk.run("connect");
    let (valid, confirm) = (handle(&walk, "valid"), handle(&walk, "confirm"));
    let evaluate = format!(r#"call media.evaluate ["{valid}", {DAY}]"#);
    walk.check(&evaluate, "reply ok:true");
    let past = evaluate.replace("2026-03-05", "2026-03-01");
    walk.check(&past, "reply ok:false");
    let nonsense = evaluate.replace("2026-03-05", "soon");
    let refused = walk.run(&nonsense);
    assert!(
        refused.starts_with("reply err:invalid-argument:"),
        "{refused}"
    );
    let say = format!(
        r#"call media.say [{{"prompts":[{{"given":"{confirm}"}}],"bindings":{DAY}}}, true]"#
    );
    walk.check(&say, "play On March 5, 2026, a thursday?");
    walk.run("played");
    walk.check(r#"end ok {"value":"2026-03-05"}"#, "hang up | ended same");
}

#[test]
fn answers_in_journals_of_older_programs_are_what_json_has_for_them() {
    let mut walk = Walk::older(6, &[DAYS]);
    walk.run("connect");
    let valid = handle(&walk, "valid");
    let failed = walk.run(&format!(r#"call media.evaluate ["{valid}", {DAY}]"#));
    assert!(
        failed.starts_with("reply err:failed:`>=` cannot compare text"),
        "{failed}"
    );
}

#[test]
fn a_withheld_number_and_a_place_between_items_break_no_sentence() {
    let flow = "flow: short\nformat: 1\nlanguages: [en]\nvars:\n  z: { type: number, default: 0.5 }\n  t: { type: text, default: \"\" }\n  l: { type: list, default: [x, y] }\nsteps:\n  start:\n    - say: \"Ends in ${t | last4}, ${l[z] | default(\\\"none\\\")}.\"\n    - hangup: completed\n";
    let mut walk = Walk::new(&[flow]);
    walk.run("connect");
    walk.check("say", "play Ends in , none.");
    let last = r#"call media.say [{"prompts":[{"spoken":{"value":"\"\"","style":"last4"}}],"bindings":[]}, true]"#;
    let mut walk = Walk::older(7, &[flow]);
    walk.run("connect");
    let refused = "this is too short to say its last four characters";
    walk.check("say", &format!("reply err:failed:{refused}"));
    walk.check(last, &format!("reply err:invalid-argument:{refused}"));
}

#[test]
fn a_condition_without_a_value_is_false_of_the_answer() {
    let flow = "flow: dear\nformat: 1\nlanguages: [en]\nvars: { most: { type: money, default: 100.00 CNY } }\nsteps:\n  start:\n    ask: How much?\n    into: sum\n    expect: money\n    valid: sum < most\n    then: { else: bye }\n  bye: { hangup: completed }\n";
    let evaluate = |walk: &mut Walk, currency: &str| {
        let valid = handle(walk, "valid");
        walk.run(&format!(
            r#"call media.evaluate ["{valid}", [{{"name":"sum","value":{{"value":"{{\"amount\":2000,\"currency\":\"{currency}\"}}"}}}}]]"#
        ))
    };
    let mut walk = Walk::new(&[flow]);
    walk.run("connect");
    assert_eq!(evaluate(&mut walk, "CNY"), "reply ok:true");
    assert_eq!(
        evaluate(&mut walk, "USD"),
        "log warn the condition e:0 has no value and counts as false: amounts of different currencies cannot be compared | reply ok:false"
    );
    let mut walk = Walk::older(7, &[flow]);
    walk.run("connect");
    assert_eq!(
        evaluate(&mut walk, "USD"),
        "reply err:failed:amounts of different currencies cannot be compared"
    );
}

#[test]
fn a_priority_beyond_its_bounds_is_written_as_it_counts() {
    let flow = "flow: first\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    - set: { call.priority: \"${call.priority + 60.5}\" }\n    - say: Hello.\n    - hangup: completed\n";
    let mut walk = Walk::new(&[flow]);
    walk.run("connect");
    assert_eq!(walk.contact.priority(), 100);
    let journal = walk.journal();
    let set = journal.iter().find_map(|entry| match &entry.kind {
        EntryKind::Set { values } => Some(values.to_string()),
        _ => None,
    });
    assert_eq!(set.as_deref(), Some(r#"{"call.priority":100}"#));
}
