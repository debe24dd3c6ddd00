//! The language on the way from flow to flow: each is walked in one of its own, and the choice of the caller is kept.

use strowger_contact::{Channel, EntryKind};

use crate::Walk;

/// Chinese is chosen, then a flow is called that is English alone, and one is left for.
const BOTH: &str = r#"
flow: both
format: 1
languages: [en, zh]
steps:
  start:
    - set: { call.language: zh }
    - call: english
      then: { done: again }
  again:
    - say: { en: Good day., zh: 您好。 }
    - goto: flow:french
"#;

/// Says a number in words, goes by the language, and hands it on.
const ENGLISH: &str = r#"
flow: english
format: 1
languages: [en]
outcomes: [done]
vars:
  n: { type: number, default: 5 }
  own: { one_of: [en], default: en }
prompts:
  things: { any: "${n | number} in ${call.language}" }
steps:
  start:
    - say: things
    - set: { own: "${call.language}" }
    - switch: own
      then: { en: out }
  out:
    - switch: call.language
      then: { en: back }
  back: { return: done }
"#;

const FRENCH: &str = r#"
flow: french
format: 1
languages: [fr, zh-TW]
steps:
  start:
    - say: { any: "${call.language}" }
    - goto: flow:chosen
"#;

/// The caller's choice is known here again, though it is not the first of these languages.
const CHOSEN: &str = r#"
flow: chosen
format: 1
languages: [en, fr, zh]
steps:
  start:
    - say: { any: "${5 | digits}" , fr: cinq }
    - hangup: completed
"#;

/// An English flow in which another one lets the caller choose.
const CHOOSES: &str = r#"
flow: chooses
format: 1
languages: [en]
steps:
  start:
    - call: choice
      then: { done: next, error: bye }
  next:
    - switch: call.language
      then: { en: say }
  say:
    - say: { any: "${1.5 | number}, ${call.language}" }
    - goto: flow:chosen
  bye: { hangup: early }
"#;

const CHOICE: &str = r#"
flow: choice
format: 1
languages: [en, zh]
outcomes: [done]
steps:
  start:
    - set: { call.language: zh }
    - return: done
"#;

#[test]
fn a_flow_is_walked_in_its_own_language_and_its_caller_in_the_chosen_one() {
    for (channel, five) in [(Channel::Voice, "五"), (Channel::Chat, "5")] {
        let mut walk = Walk::on(channel, &[BOTH, ENGLISH, FRENCH, CHOSEN]);
        walk.run("connect");
        let read = walk.run("call contact.read");
        assert!(read.contains("language:en"), "{read}");
        let words = match channel {
            Channel::Voice => "play five in en",
            Channel::Chat => "play 5 in en",
        };
        walk.check("say", words);
        walk.run("played");
        walk.check("end done", "run std/say@1")
            .check("say", "play 您好。");
        assert_eq!(walk.contact.language(), "zh");
        walk.run("played");
        walk.run("end done");
        walk.check("say", "play fr");
        assert_eq!(walk.contact.language(), "fr");
        walk.run("played");
        walk.run("end done");
        walk.check("say", &format!("play {five}"));
        walk.run("played");
        walk.check("end done", "hang up | ended completed");
    }
}

#[test]
fn what_a_called_flow_lets_be_chosen_holds_where_it_is_spoken() {
    let mut walk = Walk::new(&[CHOOSES, CHOICE, CHOSEN]);
    walk.check("connect", "run std/say@1")
        .check("say", "play one point five, en");
    walk.run("played");
    walk.run("end done");
    walk.check("say", "play 五");
    assert_eq!(walk.contact.language(), "zh");
}

#[test]
fn the_question_to_go_on_and_the_last_words_are_in_the_language_of_the_flow() {
    let broken = "flow: english\nformat: 1\nlanguages: [en]\noutcomes: [done]\nvars: { z: { type: number, default: 0 } }\nsteps:\n  start:\n    - say: Hello.\n    - set: { z: \"${1 / z}\" }\n    - return: done\n";
    let mut walk = Walk::new(&[BOTH, broken, FRENCH, CHOSEN]);
    walk.run("connect");
    walk.run("say");
    walk.run("drop");
    walk.check(
        "back",
        "play We were cut off. Press 1 to go on where we were, or 2 to begin anew.",
    );
    walk.all(&["played", "key 1", "played"]);
    // None of the two says where errors lead: the last words are those of the first.
    let last = walk.run("end done");
    assert!(
        last.ends_with("play 非常抱歉，我们的系统出了问题，请您稍后再试。"),
        "{last}"
    );
}

#[test]
fn journals_of_older_programs_have_the_chosen_language_in_every_flow() {
    let mut walk = Walk::older(7, &[CHOOSES, CHOICE, CHOSEN]);
    walk.check(
        "connect",
        "play 非常抱歉，我们的系统出了问题，请您稍后再试。",
    );
    let journal = walk.journal();
    let failed = journal.iter().find_map(|entry| match &entry.kind {
        EntryKind::Failed { message, .. } => Some(message.clone()),
        _ => None,
    });
    assert_eq!(
        failed.as_deref(),
        Some("`switch` has no line for `zh` and no `else`")
    );
}
