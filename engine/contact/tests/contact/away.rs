//! The line drops, and the caller comes back or does not.

use strowger_contact::recorded::heard;
use strowger_contact::{Channel, EntryKind, HIDDEN, MAX_DROPS};

use crate::Walk;

const QUESTION: &str = "play We were cut off. Press 1 to go on where we were, or 2 to begin anew.";

const FLOW: &str = r#"
flow: order
format: 1
languages: [en, zh]
vars: { no: text, pin: secret, message: { type: text, default: nothing } }
global: { hangup: gone, press: { star: person } }
steps:
  start:
    - say: { en: Welcome., zh: 欢迎。 }
    - ask: { en: "Your order?", zh: 订单号？ }
      into: no
      expect: { digits: 4..6 }
      then: { ok: look, no_input: person, no_match: person }
  look:
    - use: orders/lookup@1
      with: { order_no: "${no}" }
      retry: { times: 1, wait: 2s }
      then: { found: pause, not_found: pause, error: person, timeout: person }
  pause:
    - wait: 5s
    - menu: { en: "Order ${no}?", zh: "订单 ${no}？" }
      press: { 1: card, 2: leave, 3: chinese, 4: person }
      then: { no_input: person, no_match: person }
  chinese:
    - set: { call.language: zh }
    - goto: pause
  card:
    - ask: { en: "Your PIN?", zh: 密码？ }
      into: pin
      expect: { digits: 4 }
      sensitive: true
      then: { ok: after, no_input: person, no_match: person }
  after:
    - menu: { en: "What next?", zh: 还要什么？ }
      press: { 1: bye }
      then: { no_input: person, no_match: person }
  leave:
    - record: { beep: true, max: 90s }
      into: message
      then: { done: pause, no_input: pause }
  person:
    - queue: general
      then: { done: bye, else: bye }
  bye:
    - say: { en: Goodbye., zh: 再见。 }
    - tag: { bye: "yes" }
    - hangup: completed
  gone:
    - use: crm/note@2
      with: { phone: "1", text: "left ${message}" }
      then: { noted: noted, error: noted, timeout: noted }
  noted: { hangup: noted }
"#;

fn at(commands: &[&str]) -> Walk {
    Walk::after(FLOW, commands)
}

const ASKED: [&str; 2] = ["end done", "listen"];
const LOOKS: [&str; 2] = ["end done", r#"end ok {"value":"2026"}"#];
const PAUSES: [&str; 3] = [LOOKS[0], LOOKS[1], "end found"];
const MENU: [&str; 5] = [LOOKS[0], LOOKS[1], "end found", "wait 5000", "listen"];

fn kinds(walk: &Walk) -> Vec<&EntryKind> {
    walk.journal()
        .into_iter()
        .map(|entry| &entry.kind)
        .collect()
}

#[test]
fn a_prompt_is_said_again_from_its_beginning_and_a_half_entry_is_forgotten() {
    let mut walk = at(&ASKED);
    walk.check("keys 20", "stop").check("drop", "");
    assert!(walk.contact.rests());
    walk.check("wait 600000", "")
        .check("back", QUESTION)
        .check("played", "")
        .check("key 1", "play Your order?")
        .check("played", "")
        .check("keys 2031#", "reply ok:digits:2031");
    assert_eq!(walk.pressed(), "2012031#");
}

#[test]
fn what_was_typed_ahead_and_what_was_set_stand_and_nothing_is_run_twice() {
    let mut walk = at(&MENU);
    walk.check("drop", "")
        .check("back", QUESTION)
        .check("key 1", "stop | play Order 2026?")
        .check("key 1", "stop | reply ok:choice:1");
    let ran = |kind: &&&EntryKind| matches!(kind, EntryKind::Ran { plugin, .. } if plugin == "orders/lookup@1");
    assert_eq!(kinds(&walk).iter().filter(ran).count(), 1);
    assert_eq!(
        walk.entered()
            .iter()
            .filter(|step| **step == "look")
            .count(),
        1
    );
}

#[test]
fn a_wrong_key_at_the_question_is_no_part_of_what_is_answered_next() {
    for (wrong, answer, reply) in [
        ("7", "1", "stop | reply ok:choice:1"),
        ("56", "2", "stop | reply ok:choice:2"),
    ] {
        let mut walk = at(&MENU);
        walk.all(&["drop", "back"]);
        let before = walk.journal().len();
        walk.all(&[&format!("keys {wrong}"), "key 1"]);
        walk.check(&format!("key {answer}"), reply);
        let journal: Vec<_> = walk.journal().into_iter().cloned().collect();
        let (keys, _) = heard(&journal);
        let again: String = keys.range(before as u32..).map(|(_, key)| *key).collect();
        let hidden: String = wrong.chars().map(|_| HIDDEN).collect();
        assert_eq!(again, format!("{hidden}1{answer}"), "{wrong}");
    }
}

#[test]
fn the_question_is_in_the_contacts_language_or_in_the_operators_words() {
    let mut walk = at(&MENU);
    walk.all(&["key 3", "end 3", "wait 5000", "listen", "drop"]);
    walk.check("back", "play 刚才通话中断了。继续请按一，重新开始请按二。")
        .check("drop", "")
        .check("back Weiter mit 1.", "play Weiter mit 1.")
        .check("key 1", "stop | play 订单 2026？");
}

#[test]
fn two_silence_or_a_question_that_cannot_be_said_begin_anew_and_the_flow_cleans_up() {
    for (answer, expected) in [
        (&["key 2"][..], "stop | reply err:hangup"),
        (&["played", "wait 8000"], "reply err:hangup"),
        (&["unplayed"], "reply err:hangup"),
        (
            &["key 3", "key *", "played", "wait 8000"],
            "reply err:hangup",
        ),
    ] {
        let mut walk = at(&MENU);
        walk.all(&["drop", "back"]);
        assert_eq!(walk.all(answer), expected, "{answer:?}");
        assert!(walk.contact.declined());
        walk.check("fail", "run crm/note@2")
            .check("end noted", "ended noted");
    }
}

#[test]
fn nobody_comes_back_and_the_contact_is_over_as_it_would_have_been() {
    let mut walk = at(&MENU);
    walk.check("drop", "")
        .check("give up", "reply err:hangup")
        .check("fail", "run crm/note@2")
        .check("end noted", "ended noted");
    assert!(!walk.contact.declined());
}

#[test]
fn the_line_drops_again_while_it_asks_and_so_often_at_most() {
    let mut walk = at(&MENU);
    walk.check("drop", "")
        .check("back", QUESTION)
        .check("drop", "")
        .check("played", "")
        .check("key 1", "")
        .check("back", QUESTION)
        .check("key 1", "stop | play Order 2026?");
    for _ in 1..MAX_DROPS {
        walk.all(&["drop", "back", "key 1"]);
    }
    assert!(!walk.contact.may_come_back());
    walk.check("drop", "reply err:hangup");
}

#[test]
fn a_step_that_works_ends_and_the_flow_waits_there() {
    let mut walk = at(&LOOKS);
    walk.check("drop", "");
    assert!(!walk.contact.rests());
    walk.check("fail again", "")
        .check("wait 2000", "run orders/lookup@1")
        .check("end found", "");
    assert!(walk.contact.rests());
    walk.check("wait 60000", "")
        .check("back", QUESTION)
        .check("key 1", "stop")
        .check("wait 4999", "")
        .check("wait 1", "run std/menu@1");
}

#[test]
fn a_wait_of_the_flow_and_its_longest_duration_stand_still() {
    let mut walk = at(&PAUSES);
    walk.check("wait 3000", "")
        .check("drop", "")
        // Longer than a contact may last.
        .check("wait 86000000", "")
        .check("back", QUESTION)
        .check("key 1", "stop")
        .check("wait 1999", "")
        .check("wait 1", "run std/menu@1");
}

#[test]
fn a_call_that_needs_the_caller_is_held_and_made_when_they_are_back() {
    let mut walk = at(&LOOKS);
    walk.check("drop", "").check("call wait.sleep [700]", "");
    assert!(walk.contact.rests());
    walk.check("call env.now", "")
        .check("back", QUESTION)
        .check("key 1", "stop")
        .check("wait 700", "reply ok:null");
}

#[test]
fn a_recording_ends_with_the_line_and_what_was_said_is_kept() {
    let mut walk = at(&MENU);
    walk.all(&["key 2", "end 2"]);
    walk.run(r#"call media.capture [{"beep":true,"max-ms":9000,"silence-ms":0}]"#);
    walk.check("drop", "");
    assert!(!walk.contact.rests());
    let recorded = r#"done {"ok":{"id":"c-1-1.wav","duration-ms":900,"ended-by":"hangup"}}"#;
    walk.check(
        recorded,
        "reply ok:duration-ms:900,ended-by:hangup,id:c-1-1.wav",
    )
    .check(r#"end done {"recording":"c-1-1.wav","duration":900}"#, "")
    .check("back", QUESTION)
    .check("key 1", "stop");
}

/// A survey's last question, after which the flow ends: whoever speaks the answer was cut off; whoever
/// leaves a message there has left it.
#[test]
fn who_speaks_an_answer_goes_on_and_who_leaves_a_message_is_done() {
    const LAST: &str = r#"
flow: last
format: 1
languages: [en]
vars: { message: { type: text, default: none } }
steps:
  start:
    - record: { beep: true, max: 90s }
      into: message
      then: { done: bye, no_input: bye }
  bye: { hangup: completed }
"#;
    const SPEAKS: &str = r#"call media.capture [{"beep":true,"max-ms":9000,"silence-ms":0}]"#;
    let mut message = Walk::after(LAST, &[]);
    message.run(SPEAKS);
    assert!(!message.contact.may_come_back());
    let mut answer = Walk::after(LAST, &[]);
    answer.run(r#"call media.listen [{}, {"barge-in":true,"timeout-ms":0,"gap-ms":0,"choices":[{"key":"1"}]}]"#);
    answer.run("wait 0");
    answer.run(SPEAKS);
    assert!(answer.contact.may_come_back());
}

#[test]
fn who_has_entered_a_secret_does_not_go_on_and_who_was_about_to_enters_it_anew() {
    let mut walk = at(&MENU);
    walk.all(&["key 1", "end 1", "listen", "keys 41"]);
    walk.check("drop", "")
        .check("back", QUESTION)
        .check("key 1", "stop | mask | play Your PIN?")
        .check(
            "keys 4222",
            "stop | reply ok:secret:handle:s:1,last-four:,length:4",
        );
    assert_eq!(walk.pressed(), "1••1••••", "no digit of it is shown");
    assert!(!walk.contact.may_come_back());
    walk.all(&[
        r#"end ok {"value":{"secret":"s:1","length":4,"lastFour":""}}"#,
        "listen",
    ]);
    walk.check("drop", "reply err:hangup");
}

#[test]
fn a_caller_who_hears_goodbye_or_waits_for_a_person_was_not_cut_off() {
    let mut walk = at(&MENU);
    walk.all(&[
        "key 4",
        "end 4",
        r#"call route.enqueue ["general",{"max-wait-ms":1000}]"#,
    ]);
    assert!(!walk.contact.may_come_back(), "in the queue");
    walk.all(&[r#"done {"ok":"no-agents"}"#, "end other", "say"]);
    assert!(!walk.contact.may_come_back(), "at the goodbye");
    walk.check("drop", "reply err:hangup");
    let mut chat = Walk::on(Channel::Chat, &[FLOW]);
    chat.all(&["connect", "end done", "listen"]);
    assert!(!chat.contact.may_come_back(), "a chat has no line");
}
