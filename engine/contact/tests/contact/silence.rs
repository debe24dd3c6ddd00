//! What the caller hears while a step is busy.

use crate::Walk;

const FLOW: &str = r#"
flow: silence
format: 1
steps:
  start:
    use: orders/lookup@1
    with: { order_no: "20260302" }
    timeout: 3s
    retry: { times: 2, wait: 300ms }
    meanwhile: { after: 1s, say: "One moment.", music: audio/hold.ogg }
    then: { found: found, not_found: found, timeout: bye, error: bye }
  found:
    - say: "Found."
    - hangup: completed
  bye: { hangup: broken }
"#;

fn busy() -> Walk {
    let mut walk = Walk::new(&[FLOW]);
    walk.check("connect", "run orders/lookup@1");
    walk
}

#[test]
fn a_sentence_then_music_until_the_step_ends() {
    let mut walk = busy();
    walk.check("wait 999", "")
        .check("wait 1", "play One moment.")
        .check("played", "loop [audio/hold.ogg]")
        .check("wait 60000", "")
        .check("end found", "stop | run std/say@1")
        .check("say", "play Found.");
}

#[test]
fn a_sentence_is_finished_before_the_next_step_speaks() {
    let mut walk = busy();
    walk.check("wait 1000", "play One moment.")
        .check("end found", "run std/say@1")
        .check("say", "")
        .check("played", "play Found.")
        .check("played", "reply ok:finished");
    // Unless a key stops both.
    let mut walk = busy();
    walk.all(&["wait 1000", "end found", "say"]);
    walk.check("key 1", "stop | reply ok:interrupted")
        .check("played", "");
}

#[test]
fn a_quick_step_is_silent() {
    let mut walk = busy();
    walk.check("wait 999", "")
        .check("end found", "run std/say@1")
        .check("wait 5000", "");
}

#[test]
fn repetitions_do_not_say_it_again_and_music_goes_on() {
    let mut walk = busy();
    walk.all(&["wait 1000", "played"]);
    walk.check("wait 2000", "")
        .check("fail timeout", "")
        .check("wait 300", "run orders/lookup@1")
        .check("wait 3000", "")
        .check("end found", "stop | run std/say@1");
    // A failure before the time is over does not begin the silence anew.
    let mut walk = busy();
    walk.check("wait 800", "")
        .check("fail again", "")
        .check("wait 200", "play One moment.")
        .check("wait 100", "run orders/lookup@1");
}

#[test]
fn a_step_that_talked_and_falls_silent_counts_anew() {
    let mut walk = busy();
    let say = r#"call media.say [{"prompts":[{"text":{"text":"Hello."}}]}, true]"#;
    walk.check("wait 500", "")
        .check(say, "play Hello.")
        .check("wait 5000", "")
        .check("played", "reply ok:finished")
        .check("wait 999", "")
        .check("wait 1", "play One moment.");
}

#[test]
fn music_gives_way_to_the_step_and_to_recording() {
    let say = r#"call media.say [{"prompts":[{"text":{"text":"Hello."}}]}, true]"#;
    let mut walk = busy();
    walk.all(&["wait 1000", "played"]);
    walk.check(say, "play Hello.")
        .check("played", "reply ok:finished")
        .check("wait 1000", "loop [audio/hold.ogg]");
    walk.check(
        r#"call media.capture [{"beep":true,"max-ms":1000,"silence-ms":0}]"#,
        "stop | record",
    );
}

#[test]
fn missing_music_is_noted() {
    let mut walk = busy();
    walk.all(&["wait 1000", "played"]);
    walk.check("unplayed", "")
        .check("end found", "run std/say@1");
    let unsaid = walk.journal().into_iter().any(|entry| {
        matches!(&entry.kind, strowger_contact::EntryKind::Unsaid { error } if error == "no such file")
    });
    assert!(unsaid);
}
