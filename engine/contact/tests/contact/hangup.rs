//! The caller hangs up, in every state.

use strowger_contact::EntryKind;

use crate::Walk;

const FLOW: &str = r#"
flow: hangup
format: 1
vars: { message: { type: text, default: nothing } }
global: { hangup: gone }
steps:
  start:
    - say: "Hello."
    - wait: 5s
    - use: crm/note@2
      with: { phone: "1", text: a }
      retry: { times: 1, wait: 1s }
      then: { noted: record, error: record, timeout: record }
  record:
    record: { beep: true, max: 90s }
    into: message
    then: { done: transfer, no_input: transfer }
  transfer:
    transfer: "+8613900139000"
    then: { done: bye, else: bye }
  gone:
    - say: "Nobody hears this."
    - use: crm/note@2
      with: { phone: "1", text: "left ${message}" }
      then: { noted: noted, error: noted, timeout: noted }
  noted: { hangup: noted }
  bye: { hangup: completed }
"#;

const PLAIN: &str = r#"
flow: plain
format: 1
steps:
  start:
    - say: "Hello."
    - hangup: completed
"#;

fn at(commands: &[&str]) -> Walk {
    Walk::after(FLOW, commands)
}

const AT_NOTE: [&str; 2] = ["end done", "wait 5000"];
const AT_RECORD: [&str; 3] = ["end done", "wait 5000", "end noted"];
const AT_TRANSFER: [&str; 4] = ["end done", "wait 5000", "end noted", "end no_input"];

#[test]
fn without_a_place_to_go_the_contact_is_abandoned() {
    let mut walk = Walk::new(&[PLAIN]);
    walk.check("hang up", "ended abandoned by caller");
    let mut walk = Walk::new(&[PLAIN]);
    walk.all(&["connect", "say"]);
    walk.check("hang up", "reply err:hangup")
        .check("hang up", "")
        .check("end done", "ended abandoned by caller");
}

#[test]
fn a_step_that_talks_is_told_and_the_flow_cleans_up() {
    at(&["say"])
        .check("hang up", "reply err:hangup")
        .check("fail", "run std/say@1")
        .check("say", "reply err:hangup")
        .check("fail", "run crm/note@2")
        .check("end noted", "ended noted");
}

#[test]
fn a_step_that_works_may_finish() {
    at(&AT_NOTE)
        .check("hang up", "")
        .check("call kv.get [\"k\"]", "kv crm")
        .check(r#"done {"ok":null}"#, "reply ok:null")
        .check("call wait.sleep [5]", "reply err:hangup")
        .check("end noted", "run std/say@1");
}

#[test]
fn waiting_and_trying_again_end_at_once() {
    at(&["end done"]).check("hang up", "run std/say@1");
    at(&["end done", "wait 5000", "fail timeout"])
        .check("hang up", "run std/say@1")
        .check("wait 1000", "");
}

#[test]
fn sleeping_and_waiting_for_keys_end_at_once() {
    at(&["call wait.sleep [9000]"]).check("hang up", "reply err:hangup");
    at(&[r#"call wait.wait-any [["input"]]"#])
        .check("hang up", "reply err:hangup")
        .check("wait 20000", "");
}

#[test]
fn a_message_left_by_hanging_up_is_kept() {
    let mut walk = at(&AT_RECORD);
    walk.check(
        r#"call media.capture [{"beep":true,"max-ms":90000,"silence-ms":0}]"#,
        "record",
    )
    .check("hang up", "")
    .check(
        r#"done {"ok":{"id":"r-1","duration-ms":900,"ended-by":"hangup"}}"#,
        "reply ok:duration-ms:900,ended-by:hangup,id:r-1",
    )
    .check(
        r#"end done {"recording":"r-1","duration":900}"#,
        "run std/say@1",
    )
    .check("fail", "run crm/note@2");
    assert_eq!(walk.input["text"], "left r-1");
}

#[test]
fn a_recording_ends_by_its_key() {
    at(&AT_RECORD)
        .check(
            r##"call media.capture [{"beep":true,"max-ms":90000,"silence-ms":0,"end-key":"#"}]"##,
            "record",
        )
        .check("key 1", "")
        .check("key #", "stop recording");
}

#[test]
fn who_was_handed_over_did_not_abandon_anything() {
    let transfer = r#"call route.transfer ["+8613900139000", {"ring-ms":25000}]"#;
    at(&AT_TRANSFER)
        .check(transfer, "transfer +8613900139000")
        .check(r#"done {"ok":"done"}"#, "reply ok:done")
        .check("hang up", "")
        .check("end done", "ended transferred by caller");
    // The line may close before the news of the hand-over.
    at(&AT_TRANSFER)
        .check(transfer, "transfer +8613900139000")
        .check("hang up", "")
        .check(r#"done {"ok":"done"}"#, "reply ok:done")
        .check("end done", "ended transferred by caller");
    at(&AT_TRANSFER)
        .check(transfer, "transfer +8613900139000")
        .check(r#"done {"ok":{"refused":"busy"}}"#, "reply ok:refused:busy")
        .check("hang up", "")
        .check("end busy", "run std/say@1");
}

#[test]
fn nothing_is_heard_of_who_is_gone() {
    let mut walk = at(&["say", "hang up"]);
    let journal = walk.journal().len();
    walk.check("key 1", "").check("text hello", "");
    assert_eq!(walk.journal().len(), journal);
    let mut walk = at(&["key 1"]);
    walk.run("hang up");
    let last = &walk.journal().last().expect("an entry").kind;
    assert!(matches!(last, EntryKind::HungUp));
}

#[test]
fn a_caller_who_vanished_is_hung_up_on_and_told_apart() {
    let mut walk = Walk::new(&[PLAIN]);
    walk.all(&["connect", "say"]);
    walk.check("vanish", "hang up | reply err:hangup")
        .check("hang up", "")
        .check("vanish", "")
        .check("end done", "ended vanished");
    assert!(
        walk.journal()
            .iter()
            .any(|entry| entry.kind == EntryKind::Vanished)
    );
    // The flow cleans up as after any caller who is gone.
    at(&["say"])
        .check("vanish", "hang up | reply err:hangup")
        .check("fail", "run std/say@1")
        .check("say", "reply err:hangup")
        .check("fail", "run crm/note@2")
        .check("end noted", "ended noted");
}
