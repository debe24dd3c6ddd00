//! Transfers whose call the engine places: the whisper, the join, and what time and keys mean meanwhile.

use strowger_contact::EntryKind;

use crate::walk::Walk;

const FLOW: &str = r#"
flow: over
format: 1
languages: [en, zh]
defaults: { max_duration: 60s }
prompts:
  note:
    en: "A call from ${call.from | phone}."
    zh: "来电 ${call.from | phone}。"
global:
  press: { "9": gone }
  too_long: late
steps:
  start:
    - set: { call.language: zh }
    - transfer: "sip:desk@192.0.2.1"
      whisper: note
      meanwhile: { after: 0s, music: audio/hold.wav }
      then: { done: after, else: gone }
  after: { hangup: served }
  gone: { hangup: gone }
  late: { hangup: late }
"#;

const TRANSFER: &str =
    r#"call route.transfer ["sip:desk@192.0.2.1", {"ring-ms":25000, "whisper":"p:0"}]"#;

fn calling() -> Walk {
    let mut walk = Walk::new(&[FLOW]);
    walk.check("connect", "run std/transfer@1 | loop [audio/hold.wav]");
    walk
}

#[test]
fn the_whisper_is_said_in_the_contacts_language_and_must_be_the_steps_own() {
    let mut walk = calling();
    let whispers = walk.run(TRANSFER);
    assert!(
        whispers.starts_with("transfer sip:desk@192.0.2.1 whispering 来电 "),
        "{whispers}"
    );
    calling().check(
        &TRANSFER.replace("p:0", "p:7"),
        "reply err:invalid-argument:`p:7` is no prompt that the flow gave to this step",
    );
}

#[test]
fn the_join_ends_the_music_and_stops_the_clock_until_the_people_are_done() {
    let mut walk = calling();
    walk.run(TRANSFER);
    walk.check("wait 50000", "")
        .check("join", "stop")
        .check("join", "")
        // An hour of talk, and keys that are not the flow's.
        .check("wait 3600000", "")
        .check("key 9", "")
        .check(r#"done {"ok":"done"}"#, "reply ok:done")
        .check("end done", "hang up | ended served");
    let joined = walk
        .journal()
        .iter()
        .filter(|entry| entry.kind == EntryKind::Joined)
        .count();
    assert_eq!(joined, 1);
}

#[test]
fn what_was_left_of_the_longest_duration_is_what_is_left() {
    let mut walk = calling();
    walk.run(TRANSFER);
    walk.all(&[
        "wait 50000",
        "join",
        "wait 3600000",
        r#"done {"ok":"done"}"#,
    ]);
    walk.check("wait 9000", "");
    assert!(walk.run("wait 2000").contains("ended late"));
    // Without a join the clock runs on, as while it rings.
    let mut walk = calling();
    walk.run(TRANSFER);
    assert!(walk.run("wait 61000").contains("ended late"));
}

#[test]
fn a_caller_who_hangs_up_on_people_was_transferred() {
    let mut walk = calling();
    walk.run(TRANSFER);
    walk.all(&["wait 0", "join"]);
    walk.check("hang up", "")
        .check(r#"done {"ok":"done"}"#, "reply ok:done")
        .check("end done", "ended transferred by caller");
}
