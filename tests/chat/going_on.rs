//! A chat goes on after its engine was killed, wherever it was.

use std::time::Duration;

use anyhow::{Context, Result};
use strowger_contact::{Entry, EntryKind};
use strowger_tests::program::edit;
use strowger_tests::saved::{green, replays};
use strowger_tests::{Postgres, an_hour_ahead, rewrite};

use crate::world::{BOOKED, FLOW, OFFER, QUESTION, Talk, World, change, one};

/// How often something was written, by the journal.
fn wrote(world: &World, id: &str, text: &str) -> Result<usize> {
    let journal = world.journal(id)?;
    let written = |kind: &EntryKind| matches!(kind, EntryKind::Wrote { text: t, .. } if t == text);
    Ok(journal.iter().filter(|entry| written(&entry.kind)).count())
}

/// A chat that has named its number, and may say whether it is called back; arguments as of [`World::start`].
fn offered(delay_ms: u64, settings: &str) -> Result<(World, Talk)> {
    let world = World::start(delay_ms, settings)?;
    let mut talk = world.begin()?;
    talk.asked(QUESTION)?;
    talk.write("13800138000")?;
    talk.asked(OFFER)?;
    Ok((world, talk))
}

#[test]
fn killed_between_question_and_answer_nothing_is_asked_twice() -> Result<()> {
    let mut world = World::start(0, "")?;
    let mut talk = world.begin()?;
    talk.asked(QUESTION)?;
    world.crash()?;
    talk.write("13800138000")?;
    talk.asked(OFFER)?;
    world.crash()?;
    talk.write("1")?;
    assert_eq!(talk.ended()?, "booked");
    for text in [QUESTION, OFFER, BOOKED] {
        assert_eq!(talk.times(text), 1, "{text}: {:?}", talk.shown);
    }
    assert_eq!(wrote(&world, &talk.id, "13800138000")?, 1);
    assert_eq!(world.bookings()?, 1);
    Ok(())
}

#[test]
fn on_postgresql_too_nothing_is_asked_twice_and_it_books_once() -> Result<()> {
    let server = Postgres::start()?;
    server.create("chats")?;
    let store = format!("[store]\nurl = \"{}\"", server.url("chats"));
    let mut world = World::start(1_500, &store)?;
    let mut talk = world.begin()?;
    talk.asked(QUESTION)?;
    world.crash()?;
    talk.write("13800138000")?;
    talk.asked(OFFER)?;
    talk.write("1")?;
    let orders = &world.orders;
    world
        .engine
        .program
        .wait_until("request", Duration::from_secs(20), || {
            orders
                .asked("POST /callbacks")
                .is_ok_and(|asked| asked == 1)
        })?;
    world.crash()?;
    assert_eq!(talk.ended()?, "booked");
    for text in [QUESTION, OFFER, BOOKED] {
        assert_eq!(talk.times(text), 1, "{text}: {:?}", talk.shown);
    }
    assert_eq!(world.bookings()?, 1);
    Ok(())
}

#[test]
fn killed_between_request_and_answer_it_books_once() -> Result<()> {
    let (mut world, mut talk) = offered(1_500, "")?;
    talk.write("1")?;
    let orders = &world.orders;
    world
        .engine
        .program
        .wait_until("request", Duration::from_secs(20), || {
            orders
                .asked("POST /callbacks")
                .is_ok_and(|asked| asked == 1)
        })?;
    world.crash()?;
    assert_eq!(talk.ended()?, "booked");
    assert_eq!(
        world.orders.asked("POST /callbacks")?,
        2,
        "it is asked again"
    );
    assert_eq!(world.bookings()?, 1, "and with the same key");
    assert_eq!(talk.times(BOOKED), 1);
    Ok(())
}

#[test]
fn a_message_that_was_acknowledged_is_taken_once_however_often_it_is_posted() -> Result<()> {
    let mut world = World::start(0, "")?;
    let mut talk = world.begin()?;
    talk.asked(QUESTION)?;
    assert_eq!(talk.post("first", "13800138000")?.status, 202);
    assert_eq!(talk.post("first", "13800138000")?.status, 202);
    world.crash()?;
    assert_eq!(talk.post("first", "13800138000")?.status, 202);
    talk.asked(OFFER)?;
    assert_eq!(wrote(&world, &talk.id, "13800138000")?, 1);
    Ok(())
}

#[test]
fn a_sleeping_chat_is_rebuilt_by_the_next_message() -> Result<()> {
    let mut world = World::start(0, "[steps]\ndrop_waiting_after_ms = 0")?;
    let mut talk = world.begin()?;
    talk.asked(QUESTION)?;
    let http = world.engine.http;
    world
        .engine
        .program
        .wait_until("sleep", Duration::from_secs(20), || {
            let text = strowger_tests::http::get(http, "/metrics").map(|r| r.body);
            text.is_ok_and(|text| text.contains("strowger_chats_awake 0\n"))
        })?;
    talk.write("13800138000")?;
    talk.asked(OFFER)?;
    talk.write("1")?;
    assert_eq!(talk.ended()?, "booked");
    assert!(world.engine.metric("chats_resumed_total")? >= 1);
    assert_eq!((talk.times(QUESTION), world.bookings()?), (1, 1));
    Ok(())
}

/// Whoever only looks, and does not wait, wants what there is: neither sleep nor a new process makes that nothing.
#[test]
fn what_was_said_is_there_at_once_however_the_chat_is_kept() -> Result<()> {
    let mut world = World::start(0, "[steps]\ndrop_waiting_after_ms = 0")?;
    let mut talk = world.begin()?;
    talk.asked(QUESTION)?;
    let shown = talk.shown.clone();
    let path = format!("/v1/chats/{}/events?after=0&wait=0", talk.id);
    for kept in ["asleep", "asleep again", "by a process that is gone"] {
        let http = world.engine.http;
        let program = &mut world.engine.program;
        match kept {
            "by a process that is gone" => world.crash()?,
            _ => program.wait_until("sleep", Duration::from_secs(20), || {
                let text = strowger_tests::http::get(http, "/metrics").map(|r| r.body);
                text.is_ok_and(|text| text.contains("strowger_chats_awake 0\n"))
            })?,
        }
        let http = world.engine.http;
        let answer = strowger_tests::http::ask(http, "GET", &path, Some(&talk.token), None)?;
        assert_eq!(answer.json()?["events"], serde_json::json!(shown), "{kept}");
    }
    Ok(())
}

#[test]
fn an_engine_that_is_stopped_hands_its_chats_to_the_next() -> Result<()> {
    let mut world = World::start(0, "")?;
    let mut talk = world.begin()?;
    talk.asked(QUESTION)?;
    world.engine.program.terminate()?;
    assert_eq!(world.engine.program.wait(Duration::from_secs(40))?, 0);
    world.engine.restart()?;
    talk.write("13800138000")?;
    talk.asked(OFFER)?;
    assert_eq!(talk.times(QUESTION), 1);
    Ok(())
}

#[test]
fn a_chat_whose_flow_was_changed_meanwhile_is_interrupted() -> Result<()> {
    let mut world = World::start(0, "")?;
    let mut talk = world.begin()?;
    talk.asked(QUESTION)?;
    world.engine.program.kill()?;
    edit(&world.engine.project.join("callback.flow.yaml"), |text| {
        text.replace("Which number", "What number")
    })?;
    world.engine.restart()?;
    assert_eq!(talk.ended()?, "interrupted");
    let log = std::fs::read_to_string(world.engine.project.with_file_name("log2"))?;
    assert!(
        log.contains("flows, plugins or audio files were changed"),
        "{log}"
    );
    let contact =
        strowger_tests::http::get(world.engine.http, &format!("/v1/contacts/{}", talk.id))?;
    assert_eq!(contact.json()?["reason"], "interrupted");
    world.engine.program.terminate()?;
    world.engine.program.wait(Duration::from_secs(40))?;
    edit(&world.engine.project.join("callback.flow.yaml"), |text| {
        text.replace("What number", "Which number")
    })?;
    let place = (world.engine.project.as_path(), world.engine.data.as_path());
    let told = replays(place, &talk.id)?;
    assert!(told.contains("since it could not go on"), "{told}");
    green(place, &talk.id, "callback", "waiting")?;
    Ok(())
}

#[test]
fn time_goes_on_while_the_engine_is_down() -> Result<()> {
    let mut world = World::start(0, "")?;
    edit(&world.engine.project.join("callback.flow.yaml"), |text| {
        text.replace("timeout: 60s", "timeout: 500ms")
    })?;
    world.crash()?;
    let mut talk = world.begin()?;
    talk.asked(QUESTION)?;
    world.engine.program.kill()?;
    // 6 times 500 ms in a chat: over while nobody is there.
    std::thread::sleep(Duration::from_millis(3_500));
    world.engine.restart()?;
    talk.until("another question", |talk| talk.times(QUESTION) >= 2)?;
    assert_eq!(talk.ended()?, "silent");
    let journal = world.journal(&talk.id)?;
    let ticks: Vec<u64> = journal
        .iter()
        .filter(|entry| matches!(entry.kind, EntryKind::Tick { .. }))
        .map(|entry| entry.at)
        .collect();
    let began = journal.first().context("a beginning")?.at;
    assert!(ticks[0] - began >= 3_000, "{ticks:?}");
    Ok(())
}

/// The flow of these tests, whose booking may take so long, and says when it took longer.
fn hurried(timeout: &str) -> String {
    let flow = FLOW.replace("timeout: 20s", &format!("timeout: {timeout}"));
    let flow = flow.replace("timeout: unsaved }", "timeout: late }");
    format!("{flow}  late: {{ hangup: late }}\n")
}

/// A chat whose booking is under way at a service that answers so late; the next thing is that the engine is killed.
fn booking(timeout: &str, delay_ms: u64) -> Result<(World, Talk)> {
    let mut world = World::on(&hurried(timeout), delay_ms, "")?;
    let mut talk = world.begin()?;
    talk.asked(QUESTION)?;
    talk.write("13800138000")?;
    talk.asked(OFFER)?;
    talk.write("1")?;
    let orders = &world.orders;
    let limit = Duration::from_secs(20);
    world.engine.program.wait_until("request", limit, || {
        orders
            .asked("POST /callbacks")
            .is_ok_and(|asked| asked == 1)
    })?;
    Ok((world, talk))
}

/// From the begin of a step that asked something to its end, and what that ended with; a replay finds the same.
fn timed_out(world: &mut World, talk: &mut Talk) -> Result<u64> {
    assert_eq!(talk.ended()?, "late");
    let journal = world.journal(&talk.id)?;
    let asks = |entry: &Entry| matches!(&entry.kind, EntryKind::Asked { function, .. } if function == "client.send" || function.starts_with("http"));
    // Its time begins with the step and not with the request.
    let before = journal.iter().take_while(|entry| !asks(entry));
    let begun = before
        .filter(|entry| matches!(entry.kind, EntryKind::Entered { .. }))
        .last();
    let failed = journal.iter().find_map(|entry| match &entry.kind {
        EntryKind::Failed { code, message, .. } => Some((entry.at, code, message)),
        _ => None,
    });
    let (at, code, message) = failed.context("a failure")?;
    assert_eq!(code, "step-timeout");
    assert!(message.contains("more than 4000 ms") || message.contains("more than 2000 ms"));
    world.engine.program.terminate()?;
    world.engine.program.wait(Duration::from_secs(40))?;
    replays((&world.engine.project, &world.engine.data), &talk.id)?;
    Ok(at - begun.context("a step")?.at)
}

/// The begin of the step is the last that reached the disk: nobody was asked anything. The engine is down for longer than the step may take,
/// and the step has all of its time.
#[test]
fn a_step_that_had_asked_nothing_takes_no_time_while_the_engine_is_down() -> Result<()> {
    let (mut world, mut talk) = booking("3s", 1_000)?;
    world.engine.program.kill()?;
    let begins = |entry: &Entry| matches!(&entry.kind, EntryKind::Ran { plugin, .. } if plugin.starts_with("callbacks/"));
    rewrite(&world.engine.data, &talk.id, |mut entries| {
        let begun = entries.iter().position(begins);
        entries.truncate(begun.map_or(0, |begun| begun + 1));
        entries.iter_mut().for_each(|entry| entry.at -= 10_000);
        entries
    })?;
    world.engine.restart()?;
    assert_eq!(talk.ended()?, "booked");
    assert_eq!(world.bookings()?, 1);
    assert_eq!(talk.times(BOOKED), 1, "{:?}", talk.shown);
    Ok(())
}

/// The service would answer the request that is sent again, and the step has no time for it.
#[test]
fn a_step_that_goes_on_has_what_is_left_of_its_time() -> Result<()> {
    let (mut world, mut talk) = booking("4s", 9_000)?;
    world.crash()?;
    let took = timed_out(&mut world, &mut talk)?;
    assert!(took >= 4_000, "{took}");
    Ok(())
}

#[test]
fn a_step_whose_time_is_over_while_the_engine_is_down_asks_nothing_again() -> Result<()> {
    let (mut world, mut talk) = booking("2s", 9_000)?;
    world.engine.program.kill()?;
    std::thread::sleep(Duration::from_millis(2_500));
    world.engine.restart()?;
    let took = timed_out(&mut world, &mut talk)?;
    assert!(took >= 2_500, "{took}");
    assert_eq!(world.orders.asked("POST /callbacks")?, 1);
    Ok(())
}

/// Whoever keeps the alarms waited for itself once, and with it all chats.
#[test]
fn sleeping_chats_are_woken_by_the_clock() -> Result<()> {
    let mut world = World::start(0, "[steps]\ndrop_waiting_after_ms = 50")?;
    edit(&world.engine.project.join("callback.flow.yaml"), |text| {
        text.replace("timeout: 60s", "timeout: 500ms")
    })?;
    world.crash()?;
    let mut talks = Vec::new();
    for _ in 0..3 {
        let mut talk = world.begin()?;
        talk.asked(QUESTION)?;
        talks.push(talk);
    }
    let limit = Duration::from_secs(20);
    let http = world.engine.http;
    world.engine.program.wait_until("sleep", limit, || {
        let text = strowger_tests::http::get(http, "/metrics").map(|r| r.body);
        text.is_ok_and(|text| text.contains("strowger_chats_awake 0\n"))
    })?;
    for talk in &mut talks {
        talk.until("another question", |talk| talk.times(QUESTION) >= 2)?;
        assert_eq!(talk.ended()?, "silent");
    }
    world.begin()?.asked(QUESTION)?;
    Ok(())
}

#[test]
fn a_journal_whose_last_frame_is_torn_goes_on_from_what_is_before() -> Result<()> {
    let (mut world, talk) = offered(0, "")?;
    world.engine.program.kill()?;
    let file = world.engine.data.join("strowger.db");
    let frames = one(&file, "SELECT COUNT(*) FROM frames")?;
    assert!(frames > 1, "{frames}");
    let torn = change(
        &file,
        "UPDATE frames SET body = substr(body, 1, length(body) - 3) \
         WHERE seq = (SELECT MAX(seq) FROM frames)",
    )?;
    assert_eq!(torn, 1);
    world.engine.restart()?;
    // What was lost is asked again: it is not known any more.
    let mut again = talk.anew();
    again.until("question", |talk| talk.times(QUESTION) == 1)?;
    let log = std::fs::read_to_string(world.engine.project.with_file_name("log2"))?;
    assert!(
        log.contains("a journal is broken and is cut there"),
        "{log}"
    );
    if !again.listens_after(OFFER) {
        again.write("13800138000")?;
    }
    again.asked(OFFER)?;
    again.write("1")?;
    assert_eq!(again.ended()?, "booked");
    let journal = world.journal(&again.id)?;
    assert!(
        journal
            .iter()
            .map(|entry| entry.seq)
            .eq(0..journal.len() as u32)
    );
    Ok(())
}

/// What an engine finds that was replaced by an older one: frames of a form that it does not know.
#[test]
fn a_journal_that_a_newer_program_wrote_is_left_as_it_is() -> Result<()> {
    let (mut world, mut talk) = offered(0, "")?;
    world.engine.program.kill()?;
    let file = world.engine.data.join("strowger.db");
    let of_form = |form: &'static str| change(&file, form);
    let newer = of_form(
        "UPDATE frames SET body = CAST(x'02' || substr(body, 2) AS BLOB) \
         WHERE seq = (SELECT MAX(seq) FROM frames)",
    )?;
    assert_eq!(newer, 1);
    let frames = one(&file, "SELECT COUNT(*) FROM frames")?;
    world.engine.restart()?;
    let refused = |answer: strowger_tests::http::Response| {
        assert_eq!(answer.status, 503, "{}", answer.body);
        assert!(answer.body.contains("newer version"), "{}", answer.body);
    };
    // As long as it is asked: it is not built again by the next message.
    for name in ["a", "b"] {
        refused(talk.post(name, "1")?);
    }
    let events = format!("/v1/chats/{}/events?after=0&wait=0", talk.id);
    let http = world.engine.http;
    refused(strowger_tests::http::ask(
        http,
        "GET",
        &events,
        Some(&talk.token),
        None,
    )?);
    let log = std::fs::read_to_string(world.engine.project.with_file_name("log2"))?;
    assert!(log.contains("a chat is left as it is"), "{log}");
    assert!(!log.contains("is cut there"), "{log}");
    world.engine.program.kill()?;
    assert_eq!(one(&file, "SELECT COUNT(*) FROM frames")?, frames);
    // The newer program, to which it is of form 1 here, goes on.
    of_form(
        "UPDATE frames SET body = CAST(x'01' || substr(body, 2) AS BLOB) \
         WHERE seq = (SELECT MAX(seq) FROM frames)",
    )?;
    world.engine.restart()?;
    talk.write("1")?;
    assert_eq!(talk.ended()?, "booked");
    assert_eq!(talk.times(QUESTION), 1, "nothing is asked twice");
    assert_eq!(world.bookings()?, 1);
    Ok(())
}

/// What the engine finds when the machine's clock was an hour ahead, and was set right while it was down: a journal that
/// ends in an hour.
#[test]
fn a_chat_goes_on_when_the_clock_went_back() -> Result<()> {
    let (mut world, mut talk) = offered(0, "[steps]\ndrop_waiting_after_ms = 50")?;
    world.engine.program.kill()?;
    an_hour_ahead(&world.engine.data, &talk.id)?;
    world.engine.restart()?;
    let before = world.journal(&talk.id)?.len();
    talk.write("yes")?;
    let ended = talk.ended()?;
    let log = std::fs::read_to_string(world.engine.project.with_file_name("log2"))?;
    assert_eq!(ended, "booked", "{log}");
    assert_eq!((talk.times(OFFER), talk.times(BOOKED)), (1, 1));
    let journal = world.journal(&talk.id)?;
    assert!(journal.len() > before);
    assert!(
        journal.iter().is_sorted_by_key(|entry| entry.at),
        "{journal:#?}"
    );
    // It has lasted as long as it did, not an hour less.
    let (first, last) = (
        journal.first().context("one")?,
        journal.last().context("one")?,
    );
    assert!(last.at - first.at < 60_000, "{first:?} {last:?}");
    assert!(log.contains("the clock of this machine went back"), "{log}");
    Ok(())
}
