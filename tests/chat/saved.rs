//! A chat as a test of its flow, and as a journal that is damaged.

use std::time::Duration;

use anyhow::{Context, Result};
use strowger_contact::EntryKind;
use strowger_tests::program::strowger;
use strowger_tests::saved::{green, put};

use crate::world::{Talk, World, change};

/// Books at a slow service, and asks for more when that is done; what is written meanwhile answers that.
const FLOW: &str = r#"flow: callback
format: 1
languages: [en, zh]
prompts:
  sure: { en: "Shall we call you back?", zh: 需要回拨吗？ }
  more: { en: "It is booked. Shall we write to you as well?", zh: 已经预约。需要再发一条短信吗？ }
  last: { en: "In the morning?", zh: 上午吗？ }
  please: { en: please do, zh: 好的 }
  thanks: { en: no thanks, zh: 不用 }
steps:
  start:
    menu: sure
    press: { 1: { to: book, label: please }, 2: { to: unsaved, label: thanks } }
    then: { no_input: silent, no_match: unclear }
  book:
    - use: callbacks/book@1
      with: { phone: "+8613800138000" }
      timeout: 30s
      then: { booked: more, error: unsaved, timeout: unsaved }
  more:
    menu: more
    press: { 1: { to: unsaved, label: please }, 2: { to: last, label: thanks } }
    then: { no_input: silent, no_match: unclear }
  last:
    menu: last
    press: { 1: { to: booked, label: please }, 2: { to: unsaved, label: thanks } }
    then: { no_input: silent, no_match: unclear }
  booked: { hangup: booked }
  unsaved: { hangup: unsaved }
  silent: { hangup: silent }
  unclear: { hangup: unclear }
"#;

/// How long the service takes, in milliseconds: both answers are written meanwhile.
const SLOW_MS: u64 = 5_000;

#[test]
fn a_step_that_outlived_its_engine_answers_in_time_in_the_test() -> Result<()> {
    // What the engine was down counts for no step's time limit, and a test has no engine that is down.
    let mut world = World::on(&FLOW.replace("timeout: 30s", "timeout: 2s"), 1_500, "")?;
    let mut talk = Talk::begin(world.engine.http, "700", Some("en"))?;
    talk.asked("Shall we call you back?")?;
    talk.write("please do")?;
    world.crash()?;
    talk.asked("It is booked. Shall we write to you as well?")?;
    talk.write("no thanks")?;
    talk.asked("In the morning?")?;
    talk.write("please do")?;
    assert_eq!(talk.ended()?, "booked");
    let (project, data) = (&world.engine.project, &world.engine.data);
    green((project, data), &talk.id, "callback", "resumed")?;
    Ok(())
}

#[test]
fn its_language_and_what_was_written_while_a_step_worked_are_in_the_test() -> Result<()> {
    let world = World::on(FLOW, SLOW_MS, "")?;
    let mut talk = Talk::begin(world.engine.http, "700", Some("zh"))?;
    talk.asked("需要回拨吗？")?;
    talk.write("好的")?;
    talk.write("不用")?;
    talk.write("好的")?;
    assert_eq!(talk.ended()?, "booked");
    let journal = world.journal(&talk.id)?;
    let at = |is: &dyn Fn(&EntryKind) -> bool| {
        let mut entries = journal.iter().filter(|entry| is(&entry.kind));
        entries.next_back().map(|entry| entry.seq)
    };
    let wrote = at(&|kind| matches!(kind, EntryKind::Wrote { .. })).context("a text")?;
    let booked =
        at(&|kind| matches!(kind, EntryKind::Outcome { outcome, .. } if outcome == "booked"));
    assert!(
        Some(wrote) < booked,
        "written while the step worked: {journal:?}"
    );
    let (project, data) = (&world.engine.project, &world.engine.data);
    let case = green((project, data), &talk.id, "callback", "in a hurry")?;
    for has in [
        "language: \"zh\"",
        "expect: { step: \"book\", used: \"callbacks/book\" }",
        "wait: ",
        "send: \"不用\"",
        "ends: \"booked\"",
    ] {
        assert!(case.contains(has), "no `{has}` in {case}");
    }
    assert_eq!(case.matches("send: ").count(), 3, "{case}");

    // In the other language the words fit nothing; without what was written meanwhile the chat does not come to its end.
    let file = project.join("callback.flow.yaml");
    let without: String = case
        .lines()
        .filter(|line| !line.contains("send: \"不用\""))
        .map(|line| format!("{line}\n"))
        .collect();
    for (name, other) in [
        (
            "in English",
            case.replace("language: \"zh\"", "language: \"en\""),
        ),
        ("left out", without),
    ] {
        put(&file, &other.replace("in a hurry", name))?;
        let (code, out, _) = strowger(&["test", &file.display().to_string(), "-k", name])?;
        assert_eq!(code, 1, "{name}: {out}");
    }
    Ok(())
}

/// What comes within a second of a secret that was none answers nothing. In a test of a chat no time passes by itself.
#[test]
fn who_answers_a_while_after_a_secret_that_was_none_does_so_in_the_test() -> Result<()> {
    const PIN: &str = r#"flow: callback
format: 1
languages: [en]
vars: { pin: secret }
steps:
  start:
    - ask: "Your pin?"
      into: pin
      expect: { digits: 4..8 }
      sensitive: true
      attempts: 1
      then: { ok: unsaved, no_input: sure, no_match: sure }
  sure:
    - menu: "Shall we call you back?"
      press: { 1: booked, 2: unsaved }
      then: { no_input: unsaved, no_match: unsaved }
  booked: { hangup: booked }
  unsaved: { hangup: unsaved }
"#;
    let world = World::on(PIN, 0, "")?;
    let mut talk = world.begin()?;
    talk.asked("Your pin?")?;
    talk.write("what pin")?;
    talk.asked("Shall we call you back?")?;
    // The second is one of the clock on the wall.
    std::thread::sleep(Duration::from_millis(1_200));
    talk.write("1")?;
    assert_eq!(talk.ended()?, "booked");
    let (project, data) = (&world.engine.project, &world.engine.data);
    let case = green((project, data), &talk.id, "callback", "thinks")?;
    assert!(case.contains("- wait: 1"), "{case}");
    Ok(())
}

/// A key that works everywhere is written in a chat, and that once.
#[test]
fn a_key_that_works_everywhere_is_sent_once() -> Result<()> {
    const GLOBAL: &str = r#"flow: callback
format: 1
languages: [en]
global: { press: { 0: people } }
steps:
  start:
    menu: "Shall we call you back?"
    press: { 1: unsaved, 2: unsaved }
    then: { no_input: unsaved, no_match: unsaved }
  unsaved: { hangup: unsaved }
  people: { hangup: people }
"#;
    let world = World::on(GLOBAL, 0, "")?;
    let mut talk = world.begin()?;
    talk.asked("Shall we call you back?")?;
    talk.write("0")?;
    assert_eq!(talk.ended()?, "people");
    let (project, data) = (&world.engine.project, &world.engine.data);
    let case = green((project, data), &talk.id, "callback", "wants people")?;
    assert_eq!(case.matches("send: \"0\"").count(), 1, "{case}");
    assert!(!case.contains("press: "), "{case}");
    Ok(())
}

/// However many digits a number has, and however small it is: a test has it as flows write numbers.
#[test]
fn tags_of_very_large_and_very_small_numbers_are_in_the_test() -> Result<()> {
    const ASKS: &str = r#"flow: callback
format: 1
languages: [en]
vars: { n: number }
steps:
  start:
    - ask: "How much?"
      into: n
      expect: number
      then: { ok: mark, no_input: unsaved, no_match: unsaved }
  mark:
    - tag: { n: "${n}" }
    - goto: unsaved
  unsaved: { hangup: unsaved }
"#;
    let world = World::on(ASKS, 0, "")?;
    let (project, data) = (&world.engine.project, &world.engine.data);
    for (name, number) in [
        ("small", "0.000001"),
        ("large", "12345678901234567890"),
        ("round", "10000000000000000"),
        ("smaller", "0.00000025"),
        ("plain", "42.5"),
    ] {
        let mut talk = world.begin()?;
        talk.asked("How much?")?;
        talk.write(number)?;
        assert_eq!(talk.ended()?, "unsaved", "{name}");
        let case = green((project, data), &talk.id, "callback", name)?;
        assert!(case.contains("tag: "), "{name}: {case}");
    }
    Ok(())
}

/// What comes when nothing is asked any more is nobody's answer: a test has nobody to send it to.
#[test]
fn what_no_step_took_is_left_out_and_told() -> Result<()> {
    const LAST: &str = r#"flow: callback
format: 1
languages: [en]
steps:
  start:
    menu: "Shall we call you back?"
    press: { 1: book, 2: unsaved }
    then: { no_input: unsaved, no_match: unsaved }
  book:
    - use: callbacks/book@1
      with: { phone: "+8613800138000" }
      timeout: 30s
      then: { booked: booked, error: unsaved, timeout: unsaved }
  booked: { hangup: booked }
  unsaved: { hangup: unsaved }
"#;
    let world = World::on(LAST, SLOW_MS, "")?;
    let mut talk = world.begin()?;
    talk.asked("Shall we call you back?")?;
    talk.write("1")?;
    talk.write("thanks")?;
    assert_eq!(talk.ended()?, "booked");
    let (project, data) = (&world.engine.project, &world.engine.data);
    let case = green((project, data), &talk.id, "callback", "thanked")?;
    assert_eq!(case.matches("send: ").count(), 1, "{case}");
    Ok(())
}

/// What a test of the rest would show is another contact's.
#[test]
fn no_test_is_made_of_a_journal_with_a_hole_and_such_journals_are_one_group() -> Result<()> {
    let mut world = World::on(FLOW, 0, "")?;
    let mut short = world.begin()?;
    short.asked("Shall we call you back?")?;
    short.write("2")?;
    assert_eq!(short.ended()?, "unsaved");
    let mut long = world.begin()?;
    for (question, answer) in [
        ("Shall we call you back?", "1"),
        ("Shall we write to you as well?", "2"),
        ("In the morning?", "2"),
    ] {
        long.asked(question)?;
        long.write(answer)?;
    }
    assert_eq!(long.ended()?, "unsaved");
    world.engine.program.kill()?;
    let store = world.engine.data.join("strowger.db");
    // Of one the beginning, of the other what came right after it.
    for lost in [
        "UPDATE frames SET body = x'00' WHERE contact = (SELECT MIN(contact) FROM chats) AND seq = 0",
        "DELETE FROM frames WHERE contact = (SELECT MAX(contact) FROM chats) AND seq = \
         (SELECT MIN(seq) FROM frames WHERE contact = (SELECT MAX(contact) FROM chats) AND seq > 0)",
    ] {
        assert_eq!(change(&store, lost)?, 1);
    }
    let (project, data) = (&world.engine.project, &world.engine.data);
    let (project, data) = (project.display().to_string(), data.display().to_string());
    let run = |verb: &[&str]| strowger(&[verb, &["--project", &project, "--data", &data]].concat());
    let (code, case, told) = run(&["trace", &long.id, "--save-as-test", "x"])?;
    assert_eq!(code, 2, "{case}{told}");
    assert!(
        case.is_empty() && told.contains("cannot be read"),
        "{case}{told}"
    );
    let (_, out, told) = run(&["replay", "--against", "all"])?;
    let groups = out.matches("not replayed: the journal is damaged").count();
    assert_eq!(groups, 1, "{out}{told}");
    assert!(
        out.contains("       2  not replayed: the journal is damaged"),
        "{out}"
    );
    Ok(())
}

/// A disk that forgot the beginning, or a frame of a program to come: nothing of it can be told, and that is no empty journal.
#[test]
fn a_journal_whose_beginning_is_lost_is_told_as_damaged() -> Result<()> {
    let mut world = World::on(FLOW, 0, "")?;
    let mut talk = world.begin()?;
    talk.asked("Shall we call you back?")?;
    talk.write("2")?;
    assert_eq!(talk.ended()?, "unsaved");
    world.engine.program.kill()?;
    let store = world.engine.data.join("strowger.db");
    change(&store, "UPDATE frames SET body = x'0901' WHERE seq = 0")?;
    let (project, data) = (&world.engine.project, &world.engine.data);
    let (project, data) = (project.display().to_string(), data.display().to_string());
    let run = |verb: &[&str]| strowger(&[verb, &["--project", &project, "--data", &data]].concat());
    for others in [true, false] {
        if !others {
            change(&store, "DELETE FROM frames WHERE seq > 0")?;
        }
        for verb in [
            &["trace", &talk.id][..],
            &["trace", &talk.id, "--save-as-test", "x"],
            &["replay", &talk.id],
        ] {
            let (code, out, told) = run(verb)?;
            assert_eq!(code, 2, "{verb:?}: {out}{told}");
            let told = out + &told;
            assert!(told.contains("it has form 9"), "{verb:?}: {told}");
            assert!(!told.contains("is empty"), "{verb:?}: {told}");
        }
    }
    Ok(())
}
