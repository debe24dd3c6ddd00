//! "Listening, exactly."

use strowger_contact::{Channel, EntryKind, Output};

use crate::Walk;

const MENU: &str = r#"
flow: menu
format: 1
languages: [en]
global:
  press: { 0: person, star: person }
  error: person
steps:
  start:
    menu: "One or two?"
    press:
      1: next
      2: { to: next, label: second, match: [deux] }
      9: repeat
      12: person
    then: { no_input: bye, no_match: bye }
  next:
    menu: "Now three."
    barge_in: false
    press: { 3: bye, 0: bye }
    then: { no_input: bye, no_match: bye }
  person: { hangup: person }
  bye: { hangup: completed }
prompts:
  second: { en: the second }
"#;

const ASK: &str = r#"
flow: ask
format: 1
languages: [en]
vars: { no: text }
global: { press: { 0: person } }
steps:
  start:
    ask: "Your number?"
    into: no
    expect: { digits: 4..6 }
    then: { ok: next, no_input: bye, no_match: bye }
  next:
    menu: "Press hash for more."
    press: { hash: bye, 1: bye }
    global: false
    then: { no_input: bye, no_match: bye }
  person: { hangup: person }
  bye: { hangup: completed }
"#;

fn menu() -> Walk {
    let mut walk = Walk::new(&[MENU]);
    walk.check("connect", "run std/menu@1");
    walk
}

fn ask() -> Walk {
    let mut walk = Walk::new(&[ASK]);
    walk.check("connect", "run std/ask@1");
    walk
}

#[test]
fn a_key_stops_the_prompt() {
    menu()
        .check("listen", "play One or two?")
        .check("key 2", "stop | reply ok:choice:2");
}

#[test]
fn a_key_after_the_prompt_stops_nothing() {
    menu()
        .check("listen", "play One or two?")
        .check("played", "")
        .check("key 2", "reply ok:choice:2");
}

#[test]
fn silence_counts_from_the_end_of_the_prompt() {
    menu()
        .check("listen", "play One or two?")
        .check("wait 60000", "")
        .check("played", "")
        .check("wait 4999", "")
        .check("wait 1", "reply ok:nothing");
}

#[test]
fn a_key_that_begins_a_longer_one_waits_for_the_gap() {
    menu()
        .check("listen", "play One or two?")
        .check("key 1", "stop")
        .check("wait 1999", "")
        .check("wait 1", "reply ok:choice:1");
    menu()
        .check("listen", "play One or two?")
        .check("keys 12", "stop | reply ok:choice:12");
}

#[test]
fn typed_ahead_keys_answer_across_steps_and_nothing_is_said() {
    let mut walk = Walk::new(&[MENU]);
    walk.check("key 2", "").check("connect", "run std/menu@1");
    walk.check("key 2", "")
        .check("listen", "reply ok:choice:2")
        .check("key 3", "")
        .check("end 2", "run std/menu@1");
    // The next step does not want to be interrupted: what was typed before it is dropped.
    walk.check("listen", "play Now three.")
        .check("key 3", "")
        .check("played", "")
        .check("key 3", "reply ok:choice:3");
    assert_eq!(
        walk.pressed(),
        "2••3",
        "a key is shown when a step takes it"
    );
}

#[test]
fn a_key_interrupts_a_say_and_is_kept() {
    let flow = r#"
flow: say
format: 1
steps:
  start:
    - say: "Hello."
    - say: "The law says you hear this."
      barge_in: false
    - menu: "One?"
      press: { 1: bye }
      then: { no_input: bye, no_match: bye }
  bye: { hangup: completed }
"#;
    let mut walk = Walk::new(&[flow]);
    walk.check("connect", "run std/say@1")
        .check("say", "play Hello.")
        .check("key 1", "stop | reply ok:interrupted")
        .check("end done", "run std/say@1")
        .check("say", "play The law says you hear this.")
        .check("key 1", "")
        .check("played", "reply ok:finished")
        .check("end done", "run std/menu@1")
        .check("listen", "play One?");
}

#[test]
fn own_keys_come_before_global_ones() {
    let mut walk = menu();
    walk.all(&["listen", "key 2", "end 2"]);
    walk.check("listen", "play Now three.")
        .check("played", "")
        .check("key 0", "reply ok:choice:0");
    menu()
        .check("listen", "play One or two?")
        .check("key 0", "stop | cancel | hang up | ended person");
    menu()
        .check("listen", "play One or two?")
        .check("key *", "stop | cancel | hang up | ended person");
}

#[test]
fn a_step_may_refuse_global_keys() {
    let mut walk = ask();
    walk.all(&["listen", "keys 1234#", r#"end ok {"value":"1234"}"#]);
    walk.check("listen", "play Press hash for more.")
        .check("key 0", "stop | reply ok:unmatched:0");
}

#[test]
fn what_fits_nothing_is_unmatched() {
    menu()
        .check("listen", "play One or two?")
        .check("key 7", "stop | reply ok:unmatched:7");
    menu()
        .check("listen", "play One or two?")
        .check("keys 13", "stop | reply ok:unmatched:13");
}

#[test]
fn an_entry_ends_by_its_key_its_length_or_the_gap() {
    ask()
        .check("listen", "play Your number?")
        .check("keys 1234#", "stop | reply ok:digits:1234");
    ask()
        .check("listen", "play Your number?")
        .check("keys 123456", "stop | reply ok:digits:123456");
    ask()
        .check("listen", "play Your number?")
        .check("keys 1234", "stop")
        .check("wait 2999", "")
        .check("wait 1", "reply ok:digits:1234");
    ask()
        .check("listen", "play Your number?")
        .check("keys 12", "stop")
        .check("wait 3000", "reply ok:unmatched:12");
    ask()
        .check("listen", "play Your number?")
        .check("key 0", "stop")
        .check("wait 3000", "cancel | hang up | ended person");
}

#[test]
fn an_end_key_after_a_full_entry_belongs_to_it() {
    let next = |walk: &mut Walk| {
        walk.run(r#"end ok {"value":"123456"}"#);
        walk.check("listen", "play Press hash for more.");
    };
    let mut walk = ask();
    walk.all(&["listen", "keys 123456", "key #"]);
    next(&mut walk);
    walk.check("key #", "stop | reply ok:choice:#");

    // Later than the gap it is a key of its own.
    let mut walk = ask();
    walk.all(&["listen", "keys 123456"]);
    next(&mut walk);
    walk.run("wait 3001");
    walk.check("key #", "stop | reply ok:choice:#");

    // The same when everything was typed ahead, and when the gap ended the entry.
    let mut walk = ask();
    walk.run("keys 123456#");
    walk.check("listen", "reply ok:digits:123456");
    next(&mut walk);
    let mut walk = ask();
    walk.all(&["listen", "keys 1234", "wait 3000", "key #"]);
    next(&mut walk);
    // Another key in between makes it a key of its own again.
    let mut walk = ask();
    walk.run("keys 1234561#");
    walk.check("listen", "reply ok:digits:123456");
    walk.run(r#"end ok {"value":"123456"}"#);
    walk.check("listen", "reply ok:choice:1");
}

#[test]
fn repeat_keeps_what_the_step_left() {
    let mut walk = menu();
    walk.all(&["listen", "key 9"]);
    walk.check(r#"end 9 {"no_input":1}"#, "run std/menu@1");
    assert_eq!(walk.input["$kept"]["no_input"], 1);
    walk.all(&["listen", "key 2", "end 2"]);
    assert!(walk.input.get("$kept").is_none(), "entered from elsewhere");
}

#[test]
fn a_chat_answers_with_key_label_or_word_and_is_given_time() {
    for text in ["2", "The Second", " DEUX "] {
        let mut walk = Walk::on(Channel::Chat, &[MENU]);
        walk.check("connect", "run std/menu@1")
            .check("listen", "play One or two?")
            .check(&format!("text {text}"), "stop | reply ok:choice:2");
    }
    let mut walk = Walk::on(Channel::Chat, &[MENU]);
    walk.all(&["connect", "listen", "played"]);
    walk.check("wait 29999", "")
        .check("wait 1", "reply ok:nothing");
    let mut walk = Walk::on(Channel::Chat, &[MENU]);
    walk.all(&["connect", "text 2"]);
    walk.check("listen", "reply ok:choice:2");
}

#[test]
fn a_chat_writes_the_words_of_a_global_key() {
    let flow = MENU.replace(
        "0: person, star",
        "0: { to: person, label: second, match: [help, 人工] }, star",
    );
    // The menu's own label comes first.
    let mut walk = Walk::on(Channel::Chat, &[&flow]);
    walk.all(&["connect", "listen"]);
    walk.check("text the second", "stop | reply ok:choice:2");
    let flow = flow.replace("label: second, match: [deux]", "match: [deux]");
    for text in ["0", "HELP", "人工", "The second"] {
        let mut walk = Walk::on(Channel::Chat, &[&flow]);
        walk.all(&["connect", "listen"]);
        walk.check(
            &format!("text {text}"),
            "stop | cancel | hang up | ended person",
        );
    }
    let mut walk = Walk::on(Channel::Chat, &[&flow]);
    walk.all(&["connect", "listen"]);
    walk.check("text nobody", "stop | reply ok:unmatched:nobody");
}

#[test]
fn what_a_chat_is_offered_is_written_down_and_a_call_is_offered_nothing() {
    let offered = |walk: &Walk| -> Vec<String> {
        let entries = walk.all.iter().filter_map(|output| match output {
            Output::Journal(entry) => Some(&entry.kind),
            _ => None,
        });
        entries
            .filter_map(|kind| match kind {
                EntryKind::Offered { choices, .. } => Some(choices),
                _ => None,
            })
            .flatten()
            .map(|offer| format!("{} {}", offer.key, offer.label.as_deref().unwrap_or("-")))
            .collect()
    };
    let mut walk = Walk::on(Channel::Chat, &[MENU]);
    walk.all(&["connect", "listen"]);
    let both = offered(&walk);
    assert!(both.contains(&"2 the second".to_owned()), "{both:?}");
    let mut walk = menu();
    walk.run("listen");
    assert!(offered(&walk).is_empty());
}

#[test]
fn a_prompt_that_cannot_be_played_is_an_answer() {
    menu()
        .check("listen", "play One or two?")
        .check("unplayed", "reply err:unavailable:no such file");
}

#[test]
fn malformed_listening_is_refused() {
    let options = |change: &str| {
        format!(
            r#"call media.listen [{{}}, {{"barge-in":true,"timeout-ms":1,"gap-ms":1{change}}}]"#
        )
    };
    for change in [
        r#","choices":[{"key":"x"}]"#,
        r#","choices":[{"key":""}]"#,
        r#","digits":{"min":0,"max":4}"#,
        r#","digits":{"min":5,"max":4}"#,
        r#","digits":{"min":1,"max":65}"#,
        r#","digits":{"min":1,"max":4,"end-key":"12"}"#,
        r#","timeout-ms":600001"#,
        r#","choices":5"#,
    ] {
        let done = menu().run(&options(change));
        assert!(
            done.starts_with("reply err:invalid-argument:"),
            "{change}: {done}"
        );
    }
    assert_eq!(
        menu().run(&options("")),
        "",
        "listens to nothing in particular"
    );
}
