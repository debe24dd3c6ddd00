//! Secrets: nothing that leaves the core shows their digits.

use strowger_contact::{Channel, EntryKind};

use crate::Walk;

const CARD: &str = "4111111111111111";

const FLOW: &str = r#"
flow: secrets
format: 1
vars: { card: secret }
global: { press: { 0: bye } }
steps:
  start:
    - say: "Welcome."
    - ask: "Your card?"
      into: card
      expect: { digits: 12..19 }
      sensitive: true
      then: { ok: after, no_input: bye, no_match: bye }
  after:
    menu: "One?"
    press: { 1: bye }
    then: { no_input: bye, no_match: bye }
  bye: { hangup: completed }
"#;

#[track_caller]
fn shows_nothing(walk: &Walk) {
    let text = format!("{:?}", walk.all);
    assert!(!text.contains(CARD), "the whole entry is shown");
    let keys = walk.pressed();
    assert!(!keys.contains("4111"), "its keys are shown: {keys}");
    assert!(!text.contains("4111"), "a part of it is shown");
}

fn ask() -> Walk {
    let mut walk = Walk::new(&[FLOW]);
    walk.check("connect", "run std/say@1")
        .check("end done", "run std/ask@1");
    walk
}

const HEARD: &str = "reply ok:secret:handle:s:1,last-four:1111,length:16";

#[test]
fn a_secret_entry_is_masked_and_comes_as_a_handle() {
    let mut walk = ask();
    walk.check("listen", "mask | play Your card?")
        .check(&format!("keys {CARD}#"), &format!("stop | {HEARD}"));
    assert_eq!(walk.contact.secret("s:1"), Some(CARD));
    shows_nothing(&walk);
    let ok = r#"end ok {"value":{"secret":"s:1","length":16,"lastFour":"1111"}}"#;
    walk.check(ok, "unmask | run std/menu@1")
        .check("listen", "play One?")
        .check("key 1", "stop | reply ok:choice:1");
    assert!(walk.pressed().ends_with('1'), "the next step is no secret");
}

#[test]
fn digits_too_many_of_a_secret_are_hidden_and_answer_nothing() {
    let flow = FLOW.replace("12..19", "4..4").replace("1: bye", "5: bye");
    let pin = || {
        let mut walk = Walk::new(&[&flow]);
        walk.all(&["connect", "end done"]);
        walk.check("listen", "mask | play Your card?");
        walk
    };
    let ok = r#"end ok {"value":{"secret":"s:1","length":4,"lastFour":"1234"}}"#;
    // All in one go, while the step still works and once the next one listens.
    let mut walk = pin();
    walk.run("keys 123498");
    walk.check(ok, "unmask | run std/menu@1")
        .check("listen", "play One?");
    walk.run("wait 900");
    walk.check("key 5", "")
        .check("wait 900", "")
        .check("key 5", "");
    assert_eq!(walk.pressed(), "••••••••");
    // Whoever hears the next question answers it.
    walk.check("wait 1001", "")
        .check("key 5", "stop | reply ok:choice:5");
    assert_eq!(walk.pressed(), "••••••••5");
    // The end key says that the entry is whole.
    let mut walk = pin();
    walk.run("keys 1234#");
    walk.check(ok, "unmask | run std/menu@1")
        .check("listen", "play One?")
        .check("key 5", "stop | reply ok:choice:5");
}

/// The secret is not asked for again, whatever happens.
fn given_up(channel: Channel) -> Walk {
    let flow = FLOW
        .replace("1: bye", "5: { to: bye, match: [five] }")
        .replace(
            "then: { ok: after, no_input: bye, no_match: bye }",
            "then: { ok: after, no_input: after, no_match: after, error: after, timeout: after }",
        );
    let mut walk = Walk::on(channel, &[&flow]);
    walk.all(&["connect", "end done"]);
    walk.check("listen", "mask | play Your card?");
    walk
}

#[test]
fn what_comes_right_after_a_step_that_got_no_secret_is_hidden_and_answers_nothing() {
    let mut silent = given_up(Channel::Voice);
    silent
        .check("played", "")
        .check("wait 5000", "reply ok:nothing");
    silent.check("end no_input", "unmask | run std/menu@1");
    let mut slow = given_up(Channel::Voice);
    slow.check("keys 4111", "stop")
        .check("wait 3000", "reply ok:unmatched:");
    // While the step comes to its end.
    slow.check("keys 11", "");
    slow.check("end no_match", "unmask | run std/menu@1");
    let mut failed = given_up(Channel::Voice);
    failed.check("keys 4111", "stop");
    failed.check("fail", "unmask | run std/menu@1");
    for (walk, before) in [(&mut silent, 0), (&mut slow, 6), (&mut failed, 4)] {
        walk.check("listen", "play One?");
        walk.check("wait 900", "").check("keys 5511", "");
        walk.check("wait 900", "").check("key 5", "");
        assert_eq!(walk.pressed(), "•".repeat(before + 5));
        // Whoever hears the next question answers it.
        walk.check("wait 1001", "")
            .check("key 5", "stop | reply ok:choice:5");
        assert!(walk.pressed().ends_with("•5"), "{}", walk.pressed());
        shows_nothing(walk);
    }
}

#[test]
fn a_chat_hides_what_is_written_right_after_a_step_that_got_no_secret() {
    let mut walk = given_up(Channel::Chat);
    walk.check("played", "")
        .check("wait 30000", "reply ok:nothing");
    walk.check(&format!("text my card is {CARD}"), "");
    walk.check("end no_input", "unmask | run std/menu@1");
    walk.check("listen", "play One?");
    walk.check("wait 1000", "")
        .check(&format!("text {CARD}"), "");
    let late = walk.journal().into_iter();
    let late = late.filter(|entry| matches!(entry.kind, EntryKind::Wrote { late: true, .. }));
    assert_eq!(late.count(), 2);
    shows_nothing(&walk);
    walk.check("wait 1", "")
        .check("text five", "stop | reply ok:choice:5");
    assert_eq!(
        written(&walk),
        ["•".repeat(27), "•".repeat(16), "five".to_owned()]
    );
    // What is made of the journal answers what was answered.
    let journal: Vec<_> = walk.journal().into_iter().cloned().collect();
    let (_, texts) = strowger_contact::recorded::heard(&journal);
    assert_eq!(texts.values().last().map(String::as_str), Some("five"));
}

#[test]
fn a_card_typed_too_early_is_dropped_unseen() {
    let mut walk = Walk::new(&[FLOW]);
    walk.run("connect");
    walk.check("say", "play Welcome.");
    walk.run(&format!("keys {CARD}"));
    walk.run("end done");
    walk.check("listen", "mask | play Your card?");
    shows_nothing(&walk);
    assert_eq!(walk.pressed(), "•".repeat(16));
    walk.check(&format!("keys {CARD}#"), &format!("stop | {HEARD}"));
    shows_nothing(&walk);
}

#[test]
fn a_broken_entry_stays_hidden_until_the_step_ends() {
    let mut walk = ask();
    walk.check("listen", "mask | play Your card?")
        .check("keys 4111", "stop")
        .check("wait 3000", "reply ok:unmatched:");
    // While the guest thinks, and in whatever it asks next.
    walk.run("keys 4111");
    walk.check(
        r#"call media.listen [{}, {"barge-in":true,"timeout-ms":5000,"gap-ms":100,"choices":[{"key":"1"}]}]"#,
        "reply ok:unmatched:",
    );
    walk.check("listen", "play Your card?");
    shows_nothing(&walk);
    walk.check("wait 0", "")
        .check("hang up", "reply err:hangup");
    walk.check("fail", "unmask | ended abandoned by caller");
}

#[test]
fn a_step_left_in_the_middle_is_unmasked() {
    let mut walk = ask();
    walk.check("listen", "mask | play Your card?")
        .check("key 0", "stop")
        .check("wait 3000", "cancel | unmask | hang up | ended completed");
}

#[test]
fn a_chat_is_no_exception() {
    let mut walk = Walk::on(Channel::Chat, &[FLOW]);
    walk.all(&["connect", "end done"]);
    walk.check("listen", "mask | play Your card?")
        .check("text 4111 1111 1111 1111", &format!("stop | {HEARD}"));
    shows_nothing(&walk);
    // What was written before the question is no answer to it.
    let mut walk = Walk::on(Channel::Chat, &[FLOW]);
    walk.all(&["connect", "text 5500 0000 0000 0004", "end done"]);
    walk.check("listen", "mask | play Your card?");
}

#[track_caller]
fn written(walk: &Walk) -> Vec<String> {
    let entries = walk.journal().into_iter();
    let texts = entries.filter_map(|entry| match &entry.kind {
        EntryKind::Wrote { text, .. } => Some(text.clone()),
        _ => None,
    });
    texts.collect()
}

#[test]
fn a_text_that_no_step_takes_is_hidden_as_a_key_is() {
    let mut walk = Walk::on(Channel::Chat, &[FLOW]);
    walk.all(&["connect", "end done", "listen", &format!("text {CARD}")]);
    walk.run(r#"end ok {"value":{"secret":"s:1","length":16,"lastFour":"1111"}}"#);
    // A turn late: the menu takes none of it.
    walk.check("listen", "play One?").check(
        "text hunter 918274",
        "stop | reply ok:unmatched:•••••••••••••",
    );
    shows_nothing(&walk);
    let hidden = "•".repeat(13);
    assert_eq!(written(&walk)[1..], [hidden]);
    assert!(!format!("{:?}", walk.journal()).contains("918274"));
    // What is taken is seen.
    walk.check("listen", "play One?")
        .check("text 1", "stop | reply ok:choice:1");
    assert_eq!(written(&walk)[2], "1");
}

const MENU: &str = r#"
flow: menu
format: 1
steps:
  start:
    - say: "Welcome."
    - menu: "One?"
      press: { 1: { to: bye, match: [yes] } }
      then: { no_input: bye, no_match: bye }
  bye: { hangup: completed }
"#;

#[test]
fn before_a_secret_is_asked_for_words_are_seen_and_digits_of_what_no_step_takes_are_not() {
    let mut walk = Walk::on(Channel::Chat, &[MENU]);
    walk.all(&["connect", "end done", "listen"]);
    walk.check(
        "text my order 20260302",
        "stop | reply ok:unmatched:my order ••••••••",
    );
    assert_eq!(written(&walk), ["my order ••••••••"]);
}

#[test]
fn what_is_written_ahead_outlives_a_crash_unless_it_may_be_a_secret() {
    // While something else is done: a word, and a card's number.
    let mut walk = Walk::on(Channel::Chat, &[MENU]);
    walk.all(&["connect", "text yes", "text my card 4111 1111 1111 1111"]);
    assert_eq!(written(&walk), ["yes".to_owned(), "•".repeat(27)]);
    assert!(walk.contact.holds_secrets(), "it is in memory alone");
    // What is made of the journal does not take what stands for it.
    walk.check("rebuilt", "");
    assert!(!walk.contact.holds_secrets());
    walk.run("end done");
    // The one word alone: what is asked next waits.
    walk.check("listen", "reply ok:choice:1");
    walk.check("listen", "play One?");
    assert!(!format!("{:?}", walk.journal()).contains("4111"));
}

/// A chat's journal is all there is of it: what is made of it must show the same, or the chat cannot go on.
#[test]
fn a_card_s_number_in_groups_that_came_before_the_question_is_hidden_alike_when_it_is_walked_again()
{
    for (card, heard) in [
        (CARD, "•".repeat(16)),
        ("4242 4242 4242 4242", ["••••"; 4].join(" ")),
        ("4242-4242-4242-4242", ["••••"; 4].join("-")),
        (
            "my card is 4242 4242 4242 4242",
            "my card is ".to_owned() + &["••••"; 4].join(" "),
        ),
        (
            "2026 4242424242424242",
            "•••• ".to_owned() + &"•".repeat(16),
        ),
    ] {
        let walked = |text: &str| {
            let mut walk = Walk::on(Channel::Chat, &[MENU]);
            walk.all(&["connect", &format!("text {text}"), "end done"]);
            walk.check("listen", &format!("reply ok:unmatched:{heard}"));
            walk.journal().into_iter().cloned().collect::<Vec<_>>()
        };
        let journal = walked(card);
        let (_, texts) = strowger_contact::recorded::heard(&journal);
        let text = texts.values().next().expect("one was written");
        assert!(!text.contains("42"), "{text}");
        assert_eq!(walked(text), journal, "{card}");
    }
}

#[test]
fn a_hidden_text_that_a_step_takes_is_known_from_what_it_heard() {
    let flow = FLOW.replace(
        "press: { 1: bye }",
        "press: { 1: { to: bye, match: [yes please] } }",
    );
    let mut walk = Walk::on(Channel::Chat, &[&flow]);
    walk.all(&["connect", "end done", "listen", &format!("text {CARD}")]);
    // Before the menu is asked.
    walk.run("text yes please");
    walk.run(r#"end ok {"value":{"secret":"s:1","length":16,"lastFour":"1111"}}"#);
    let done = walk.run("listen");
    assert_eq!(done, "reply ok:choice:1");
    let journal: Vec<_> = walk.journal().into_iter().cloned().collect();
    let place = journal.iter().find(
        |entry| matches!(&entry.kind, EntryKind::Wrote { text, .. } if *text == "•".repeat(10)),
    );
    let place = place.expect("it is hidden").seq;
    let (_, texts) = strowger_contact::recorded::heard(&journal);
    assert_eq!(texts[&place], "1", "the choice that it was");
}

#[test]
fn a_secret_that_is_forgotten_keeps_its_handle_and_is_of_no_use() {
    let mut walk = ask();
    walk.all(&["listen", &format!("keys {CARD}#")]);
    assert!(walk.contact.holds_secrets());
    walk.check("rebuilt", "").check("rebuilt", "");
    assert!(!walk.contact.holds_secrets());
    assert_eq!(walk.contact.secret("s:1"), None);
    let told = walk
        .journal()
        .into_iter()
        .filter(|entry| entry.kind == EntryKind::SecretsLost);
    assert_eq!(told.count(), 1);
    // Nothing that is due happens with it: it is no deadline.
    let mut late = ask();
    late.all(&["listen", "played"]);
    late.now += 3_600_000;
    late.check("rebuilt", "");
    for call in [
        r#"call http.fetch [{"method":"POST","url":"http://x/","secrets":[{"placeholder":"PAN","handle":"s:1"}]}]"#,
        r#"call media.is-card-number ["s:1"]"#,
    ] {
        let done = walk.run(call);
        assert!(done.starts_with("reply err:failed:secret-lost: "), "{done}");
    }
    // A step that ends by it has that code, and is not tried again.
    let mut failing = ask();
    failing.all(&[
        "listen",
        &format!("keys {CARD}#"),
        "rebuilt",
        r#"call media.is-card-number ["s:1"]"#,
    ]);
    failing.run("fail again");
    let failed = |kind: &EntryKind| matches!(kind, EntryKind::Failed { code, retries_left: 0, .. } if code == "secret-lost");
    assert!(
        failing
            .journal()
            .into_iter()
            .any(|entry| failed(&entry.kind))
    );
    // A new entry has a handle of its own.
    walk.run("listen");
    let done = walk.run(&format!("keys {CARD}#"));
    assert!(done.contains("s:2"), "{done}");
}

#[test]
fn a_step_can_use_only_its_own_secrets() {
    let mut walk = ask();
    walk.all(&["listen", &format!("keys {CARD}#")]);
    let fetch = r#"call http.fetch [{"method":"POST","url":"http://x/","secrets":[{"placeholder":"PAN","handle":"s:1"}]}]"#;
    walk.check(fetch, "http c-1:2:2");
    walk.run(r#"done {"err":"timeout"}"#);
    walk.run(r#"end ok {"value":{"secret":"s:1","length":16,"lastFour":"1111"}}"#);
    let done = walk.run(fetch);
    assert!(done.starts_with("reply err:invalid-argument:"), "{done}");
}

#[test]
fn an_outcome_cannot_make_a_secret_up() {
    let mut walk = ask();
    let done = walk.run(r#"end ok {"value":{"secret":"s:1","length":16,"lastFour":"1111"}}"#);
    assert_eq!(
        done,
        "play We are sorry, something went wrong on our side. Please try again later."
    );
}

#[test]
fn whether_an_entry_is_a_card_s_number_is_all_that_a_step_learns_of_its_middle() {
    for (typed, is) in [(CARD, "true"), ("4111111111111112", "false")] {
        let mut walk = ask();
        walk.run("listen");
        walk.run(&format!("keys {typed}#"));
        let asked = walk.run(r#"call media.is-card-number ["s:1"]"#);
        assert_eq!(asked, format!("reply ok:{is}"), "{typed}");
        let other = walk.run(r#"call media.is-card-number ["s:2"]"#);
        assert!(other.starts_with("reply err:"), "{other}");
        shows_nothing(&walk);
    }
}

const MESSAGE: &str = r#"
flow: message
format: 1
steps:
  start:
    - record: { beep: false }
      sensitive: true
      into: message
    - hangup: completed
"#;

const CAPTURE: &str =
    r#"call media.capture [{"beep":false,"max-ms":60000,"silence-ms":0,"sensitive":true}]"#;

#[test]
fn a_secret_message_is_masked_and_its_name_is_a_handle() {
    let mut walk = Walk::new(&[MESSAGE]);
    walk.check("connect", "run std/record@1")
        .check(CAPTURE, "mask | record")
        .check(
            r#"done {"ok":{"id":"c-1-1.wav","duration-ms":900,"ended-by":"key"}}"#,
            "reply ok:duration-ms:900,ended-by:key,id:s:1",
        );
    assert_eq!(walk.contact.secret("s:1"), Some("c-1-1.wav"));
    walk.check(
        r#"end done {"recording":{"secret":"s:1","length":0,"lastFour":""},"duration":900}"#,
        "unmask | hang up | ended completed",
    );
    let told = format!("{:?} {:?}", walk.all, walk.journal());
    assert!(told.contains("s:1"), "the handle is written down");
    assert!(!told.contains("c-1-1"), "{told}");
}

#[test]
fn a_secret_message_that_could_not_be_taken_has_no_handle() {
    let mut walk = Walk::new(&[MESSAGE]);
    walk.all(&["connect", CAPTURE]);
    walk.check(r#"done {"err":"timeout"}"#, "reply err:timeout");
    assert_eq!(walk.contact.secret("s:1"), None);
}

/// Journals of a walk whose caller pressed these keys, and of one in which those of the first's journal are pressed.
#[track_caller]
fn pressed_again(flow: &str, before: &[&str], keys: &str) {
    let walk = |keys: &str| {
        let mut walk = Walk::new(&[flow]);
        walk.all(before);
        walk.run(&format!("keys {keys}"));
        walk.run("wait 20000");
        walk
    };
    let entries = |walk: &Walk| -> Vec<_> { walk.journal().into_iter().cloned().collect() };
    let then = entries(&walk(keys));
    let (made, _) = strowger_contact::recorded::heard(&then);
    let made: String = made.into_values().collect();
    assert_eq!(entries(&walk(&made)), then, "{keys}: {made}");
    assert!(
        !keys.contains("12") || !made.contains("12"),
        "{keys}: {made}"
    );
}

#[test]
fn what_stands_for_hidden_digits_is_obeyed_no_more_than_they_were() {
    let flow = FLOW
        .replace(
            "expect: { digits: 12..19 }",
            "expect: { digits: 4..9 }\n      end_key: \"7\"",
        )
        .replace("press: { 0: bye }", "press: { 7: bye, 3: bye }");
    let before = ["connect", "end done", "listen"];
    for keys in [
        "12347",
        "712347",
        "1212",
        "123412341",
        "1234123417",
        "127",
        "12",
        "12*",
        "*",
        "7",
        "3",
        "1",
        "37",
        "12341234127",
    ] {
        pressed_again(&flow, &before, keys);
    }
    // What a recording does not take, and what a question does not that cannot be cut short.
    let capture =
        r#"call media.capture [{"beep":false,"max-ms":9000,"silence-ms":0,"end-key":"7"}]"#;
    pressed_again(&flow, &["connect", "end done", capture], "13*47");
    pressed_again(&flow, &["connect", "say"], "12");
    let deaf = flow.replace("sensitive: true", "sensitive: true\n      barge_in: false");
    pressed_again(&deaf, &before, "1237");
    let away = ["connect", "end done", "listen", "drop", "back"];
    pressed_again(&flow, &away, "73*4");
}
