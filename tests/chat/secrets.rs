//! A secret that was entered is in memory alone: what becomes of the chat that needs it when that is gone.

use std::time::Duration;

use anyhow::{Context, Result};
use strowger_contact::EntryKind;
use strowger_tests::program::strowger;
use strowger_tests::projects::beside_a_service;
use strowger_tests::upstream::reply;
use strowger_tests::{Engine, Talk, Upstream, http};

const PIN: &str = "Your PIN, please.";
const SURE: &str = "Shall we pay?";
const AGAIN: &str = "Once more, please: your PIN was lost.";
const PAID: &str = "It is paid.";

/// Asks for a PIN, waits for a word, and pays; when the PIN was lost it asks anew.
const FLOW: &str = r#"flow: pay
format: 1
languages: [en]
vars: { pin: secret, tries: { type: number, default: 0 } }
steps:
  start:
    ask: "Your PIN, please."
    into: pin
    expect: { digits: 4..8 }
    sensitive: true
    timeout: 60s
    then: { ok: sure, no_input: bye, no_match: bye }
  sure:
    menu: "Shall we pay?"
    timeout: 60s
    press: { 1: pay, 2: bye }
    then: { no_input: bye, no_match: bye }
  pay:
    use: guest-till/pay@1
    with: { url: "http://SERVICE/pay", pin: "${pin}" }
    retry: { times: 3, wait: 100ms }
    then: { done: paid, error: lost, timeout: bye }
  lost:
    - set: { tries: "${tries + 1}" }
    - say: "Once more, please: your PIN was lost."
    - ask: "Your PIN again."
      into: pin
      expect: { digits: 4..8 }
      sensitive: true
      timeout: 60s
      then: { ok: last, no_input: bye, no_match: bye }
  last:
    use: guest-till/pay@1
    with: { url: "http://SERVICE/pay", pin: "${pin}" }
    then: { done: paid, error: bye, timeout: bye }
  paid:
    - say: "It is paid."
    - hangup: paid
  bye: { hangup: unpaid }
"#;

struct World {
    engine: Engine,
    service: Upstream,
}

impl World {
    fn start(settings: &str) -> Result<World> {
        let service = Upstream::start(|_, to| reply(to, "200 OK", "", b"ok"))?;
        let engine = Engine::serve(|project| {
            beside_a_service(
                project,
                "guest-till",
                ("pay", FLOW),
                service.address,
                settings,
            )
        })?;
        Ok(World { engine, service })
    }

    /// What the service was sent.
    fn sent(&self) -> Vec<String> {
        let asked = self.service.asked().into_iter();
        asked.map(|asked| asked.body).collect()
    }

    fn crash(&mut self) -> Result<()> {
        self.engine.program.kill()?;
        self.engine.restart()
    }

    fn journal(&self, id: &str) -> Result<Vec<strowger_contact::Entry>> {
        let text = http::get(self.engine.http, &format!("/v1/contacts/{id}/journal"))?.body;
        text.lines()
            .map(|line| Ok(serde_json::from_str(line)?))
            .collect()
    }
}

/// A chat that has written its PIN, which was lost with the process, and is asked for it again.
fn lost(pin: &str) -> Result<(World, Talk)> {
    let mut world = World::start("")?;
    let mut talk = Talk::begin(world.engine.http, "700", None)?;
    talk.asked(PIN)?;
    talk.write(pin)?;
    talk.asked(SURE)?;
    world.crash()?;
    talk.write("1")?;
    talk.asked(AGAIN)?;
    Ok((world, talk))
}

/// People write numbers as they are printed. The journal has a dot a character, and what stands for the secret has its digits
/// alone.
#[test]
fn one_that_is_written_with_blanks_and_hyphens_keeps_no_chat_from_going_on() -> Result<()> {
    let (mut world, mut talk) = lost(" 4815 16-23  ")?;
    talk.write("2342-1108 ")?;
    assert_eq!(talk.ended()?, "paid");
    assert_eq!(world.sent(), ["pin=23421108;"]);
    world.engine.program.terminate()?;
    world.engine.program.wait(Duration::from_secs(40))?;
    let (project, data) = (&world.engine.project, &world.engine.data);
    let (project, data) = (project.display().to_string(), data.display().to_string());
    let (code, out, err) = strowger(&["replay", &talk.id, "--project", &project, "--data", &data])?;
    assert_eq!(code, 0, "{out}{err}");
    Ok(())
}

#[test]
fn one_that_was_lost_with_the_process_is_told_by_its_code_and_no_wrong_request_leaves() -> Result<()>
{
    let (mut world, mut talk) = lost("48151623")?;
    assert!(world.sent().is_empty(), "{:?}", world.sent());
    // Killed once more, it walks to the same place.
    world.crash()?;
    talk.write("23421108")?;
    assert_eq!(talk.ended()?, "paid");
    assert_eq!(talk.times(PAID), 1);
    assert_eq!(world.sent(), ["pin=23421108;"]);
    let journal = world.journal(&talk.id)?;
    let failed: Vec<_> = journal
        .iter()
        .filter_map(|entry| match &entry.kind {
            EntryKind::Failed {
                code, retries_left, ..
            } => Some((code.as_str(), *retries_left)),
            _ => None,
        })
        .collect();
    // Though the flow would try three times more: it would be lost each time.
    assert_eq!(failed, [("secret-lost", 0)]);
    let lost = journal
        .iter()
        .filter(|entry| entry.kind == EntryKind::SecretsLost)
        .count();
    assert_eq!(lost, 1, "told once");
    let log = std::fs::read_to_string(world.engine.project.with_file_name("log2"))?;
    let text = serde_json::to_string(&journal)?;
    for secret in ["48151623", "23421108"] {
        assert!(!text.contains(secret) && !log.contains(secret));
    }
    // A replay loses it in the same place.
    world.engine.program.terminate()?;
    world.engine.program.wait(Duration::from_secs(40))?;
    let (project, data) = (&world.engine.project, &world.engine.data);
    let (project, data) = (project.display().to_string(), data.display().to_string());
    let (code, out, err) = strowger(&["replay", &talk.id, "--project", &project, "--data", &data])?;
    assert_eq!(code, 0, "{out}{err}");
    // However long the engine was down: the question's time was over before it could say anything.
    let at = journal
        .iter()
        .position(|entry| entry.kind == EntryKind::SecretsLost);
    let mut late = journal[..=at.expect("it was told")].to_vec();
    late.last_mut().expect("it has entries").at += 24 * 3_600 * 1_000;
    let lines: Vec<String> = late
        .iter()
        .map(serde_json::to_string)
        .collect::<Result<_, _>>()?;
    let file = world.engine.project.with_file_name("late.jsonl");
    std::fs::write(&file, lines.join("\n"))?;
    let file = file.display().to_string();
    let (code, out, err) = strowger(&["replay", &file, "--project", &project, "--data", &data])?;
    assert_eq!(code, 0, "{out}{err}");
    Ok(())
}

#[test]
fn a_chat_that_holds_one_stays_in_memory_and_loses_nothing_while_nobody_writes() -> Result<()> {
    let mut world = World::start("[steps]\ndrop_waiting_after_ms = 0")?;
    let mut talk = Talk::begin(world.engine.http, "700", None)?;
    talk.asked(PIN)?;
    let asleep = |world: &mut World, chats: u64| {
        let http = world.engine.http;
        world
            .engine
            .program
            .wait_until("sleep", Duration::from_secs(20), || {
                let text = http::get(http, "/metrics").map(|found| found.body);
                text.is_ok_and(|text| text.contains(&format!("strowger_chats_awake {chats}\n")))
            })
    };
    asleep(&mut world, 0)?;
    talk.write("48151623")?;
    talk.asked(SURE)?;
    // Another one lies down meanwhile, after its own words; this one does not.
    let mut other = Talk::begin(world.engine.http, "700", None)?;
    other.asked(PIN)?;
    asleep(&mut world, 1)?;
    talk.write("1")?;
    assert_eq!(talk.ended()?, "paid");
    assert_eq!(world.sent().first().context("a request")?, "pin=48151623;");
    Ok(())
}

/// Typed once more, a turn too late: the menu takes none of it, and it is a PIN all the same.
#[test]
fn one_that_comes_a_turn_late_is_seen_nowhere() -> Result<()> {
    // No moment and no id of a contact has as many digits like these.
    const LATE: &str = "9182736";
    let mut world = World::start("")?;
    let mut talk = Talk::begin(world.engine.http, "700", None)?;
    talk.asked(PIN)?;
    talk.write("48151623")?;
    talk.asked(SURE)?;
    talk.write(LATE)?;
    talk.until("question", |talk| talk.times(SURE) == 2)?;
    talk.write("1")?;
    assert_eq!(talk.ended()?, "paid");
    let journal = world.journal(&talk.id)?;
    let texts: Vec<_> = journal
        .iter()
        .filter_map(|entry| match &entry.kind {
            EntryKind::Wrote { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(texts, ["••••••••", "•••••••", "1"]);
    let mut seen = vec![serde_json::to_string(&journal)?];
    for part in ["", "/trace", "/transcript", "/record"] {
        let path = format!("/v1/contacts/{}{part}", talk.id);
        seen.push(http::get(world.engine.http, &path)?.body);
    }
    seen.push(world.engine.program.log());
    world.engine.program.terminate()?;
    world.engine.program.wait(Duration::from_secs(40))?;
    let (project, data) = (&world.engine.project, &world.engine.data);
    let (project, data) = (project.display().to_string(), data.display().to_string());
    let run = |verb: &[&str]| strowger(&[verb, &["--project", &project, "--data", &data]].concat());
    let (code, case, told) = run(&["trace", &talk.id, "--save-as-test", "late"])?;
    assert_eq!(code, 0, "{case}{told}");
    assert!(
        case.contains("send: \"•••••••\"") && told.contains("stands as `•`"),
        "{case}{told}"
    );
    let (_, trace, _) = run(&["trace", &talk.id])?;
    assert!(
        trace.contains("asks for 4 to 8 digits") && !trace.contains("Offered"),
        "{trace}"
    );
    seen.extend([case, told, trace]);
    for text in &seen {
        assert!(!text.contains(LATE) && !text.contains("48151623"), "{text}");
    }
    let (code, out, err) = run(&["replay", &talk.id])?;
    assert_eq!(code, 0, "{out}{err}");

    // As a program of format 4 wrote it, with the text for all to see, it is replayed as well.
    let lines: Vec<String> = journal
        .iter()
        .map(serde_json::to_string)
        .collect::<Result<_, _>>()?;
    let older = lines
        .join("\n")
        .replace("\"•••••••\"", &format!("\"{LATE}\""));
    let format = |format: u32| format!("\"format\":{format}");
    let now = format(strowger_contact::FORMAT);
    assert!(older.contains(&now), "{older}");
    let older = older.replacen(&now, &format(4), 1);
    assert!(older.matches(LATE).count() >= 3, "{older}");
    let file = world.engine.project.with_file_name("format-4.jsonl");
    std::fs::write(&file, older)?;
    let file = file.display().to_string();
    let (code, out, err) = run(&["replay", &file])?;
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("the same"), "{out}");
    Ok(())
}

/// Somebody writes a card's number, as it is printed on it, while nothing is asked. What became of it is rebuilt by the next
/// process, and by a replay.
#[test]
fn a_card_s_number_that_comes_before_the_question_keeps_no_chat_from_going_on() -> Result<()> {
    const FLOW: &str = r#"flow: desk
format: 1
languages: [en]
steps:
  start:
    - say: "One moment, please."
    - wait: 3s
    - menu: "Shall we go on?"
      timeout: 60s
      press: { 1: on, 2: bye }
      then: { no_input: bye, no_match: bye }
  on: { hangup: went-on }
  bye: { hangup: left }
"#;
    let mut engine = Engine::serve(|project| {
        std::fs::create_dir_all(project)?;
        std::fs::write(project.join("desk.flow.yaml"), FLOW)?;
        let routes = "routes:\n  - { to: \"700\", flow: desk }\n";
        std::fs::write(project.join("routes.yaml"), routes)?;
        let toml = "[project]\nname = \"desk\"\n[chat]\nenabled = true\n";
        Ok(std::fs::write(project.join("strowger.toml"), toml)?)
    })?;
    let mut talk = Talk::begin(engine.http, "700", None)?;
    talk.until("greeting", |talk| talk.times("One moment") == 1)?;
    talk.write("my card is 4242 4242 4242 4242")?;
    // It fits no answer, so the menu is asked once more.
    talk.asked("Shall we go on?")?;
    engine.program.kill()?;
    engine.restart()?;
    talk.write("1")?;
    assert_eq!(talk.ended()?, "went-on", "{}", engine.program.log());
    engine.program.terminate()?;
    engine.program.wait(Duration::from_secs(40))?;
    let (project, data) = (
        engine.project.display().to_string(),
        engine.data.display().to_string(),
    );
    let replay = ["replay", &talk.id, "--project", &project, "--data", &data];
    let (code, out, err) = strowger(&replay)?;
    assert_eq!(code, 0, "{out}{err}");
    Ok(())
}
