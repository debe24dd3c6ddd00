//! Bridged transfers: the engine calls the supplier, whispers, and joins the two.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use strowger_contact::EntryKind;
use strowger_tests::program::{edit, repository, strowger};
use strowger_tests::{Engine, Phone, Supplier};
use strowger_voice::clip::Clip;
use strowger_voice::g711::Codec;

use crate::world::{PROMPT, World};
use strowger_tests::saved::green;

/// The flow that hands over to the supplier at the port that was dialled, and tells the outcome by its reason.
const FLOW: &str = "flow: over
format: 1
languages: [en]
prompts:
  note: { any: { audio: audio/bye.ulaw } }
  after: { any: { audio: audio/second.ulaw } }
steps:
  start:
    - transfer: \"sip:desk@127.0.0.1:${call.to}\"
      ring: 20s
      caller_id: \"4001\"
      then: { done: after, busy: busy, no_answer: no_answer, declined: declined, failed: failed }
  after:
    - say: after
    - hangup: served
  busy: { hangup: busy }
  no_answer: { hangup: no_answer }
  declined: { hangup: declined }
  failed: { hangup: failed }
";

/// An engine that bridges, with the flow above changed by `change`.
fn engine(change: impl FnOnce(String) -> String) -> Result<Engine> {
    limited("", change)
}

/// The same with further settings of transfers.
fn limited(settings: &str, change: impl FnOnce(String) -> String) -> Result<Engine> {
    Engine::start("bench", |project| {
        std::fs::write(project.join("over.flow.yaml"), change(FLOW.to_owned()))?;
        edit(&project.join("routes.yaml"), |text| {
            text + "  - { to: \"6*\", flow: over }\n"
        })?;
        edit(&project.join("strowger.toml"), |text| {
            text.replace("calls = false", "calls = true")
                + "\n[transfer]\nhow = \"bridge\"\n"
                + settings
        })
    })
}

fn whispering(flow: String) -> String {
    flow.replace("caller_id:", "whisper: note\n      caller_id:")
}

/// A caller who is handed over to this supplier.
fn caller(engine: &Engine, supplier: &Supplier) -> Result<Phone> {
    let port = supplier.address.port().to_string();
    Phone::dial(engine.sip, &port, "call", &[])
}

/// Waits until the two are joined.
fn joined(engine: &Engine, phone: &mut Phone) -> Result<()> {
    let end = Instant::now() + PROMPT;
    let is = |kind: &EntryKind| *kind == EntryKind::Joined;
    while !engine
        .journal(&phone.call_id)
        .is_ok_and(|journal| journal.iter().any(|entry| is(&entry.kind)))
    {
        ensure!(
            Instant::now() < end,
            "never joined: {}",
            engine.program.log()
        );
        phone.listen(Duration::from_millis(20));
    }
    Ok(())
}

/// An audio file of the bench project, as it is played.
fn file(name: &str) -> Result<Clip> {
    let path = repository().join("flows/bench/audio").join(name);
    Ok(Clip::new(Codec::Pcmu, &std::fs::read(path)?))
}

/// Half a second that nobody else says.
fn words(hertz: f32) -> Clip {
    Clip::tone(Codec::Pcmu, hertz, 500, -12.0)
}

/// What the engine lets a caller hear while it rings: one second of it.
fn ringback() -> Clip {
    Clip::tone(Codec::Pcmu, 425.0, 1_000, -18.0)
}

/// The outcome of the transfer in a call's journal.
fn outcome(engine: &Engine, call_id: &str) -> Result<String> {
    let journal = engine.journal(call_id)?;
    let outcome = journal.iter().find_map(|entry| match &entry.kind {
        EntryKind::Outcome {
            plugin, outcome, ..
        } if plugin == "std/transfer@1" => Some(outcome.clone()),
        _ => None,
    });
    outcome.context("the transfer ended")
}

/// The call as a test of its flow passes, and says how it ended.
fn saved(engine: &Engine, phone: &Phone, name: &str, has: &str) -> Result<()> {
    let contact = engine.contact(&phone.call_id)?;
    let id = contact["id"].as_str().context("an id")?;
    let case = green((&engine.project, &engine.data), id, "over", name)?;
    ensure!(case.contains(has), "no `{has}`: {case}");
    Ok(())
}

/// Each says something, and the other hears it, byte for byte.
fn talk(phone: &mut Phone, supplier: &Supplier) -> Result<()> {
    let (question, answer) = (words(620.0), words(1_310.0));
    phone.say(&question)?;
    supplier.hear(&question, PROMPT, || phone.listen(Duration::from_millis(5)))?;
    supplier.say(&answer)?;
    phone.hear(&answer, PROMPT)
}

#[test]
fn the_two_talk_and_the_flow_goes_on_when_the_supplier_leaves() -> Result<()> {
    let mut supplier = Supplier::wait("supplier", &[])?;
    let mut engine = engine(|flow| flow)?;
    let mut phone = caller(&engine, &supplier)?;
    phone.first_sound(PROMPT)?;
    joined(&engine, &mut phone)?;
    talk(&mut phone, &supplier)?;
    let invite = supplier.messages();
    ensure!(
        invite.contains(&format!("From: <sip:4001@{}>", engine.sip)),
        "{invite}"
    );
    supplier.cue()?;
    supplier.ended()?;
    phone.hear(&file("second.ulaw")?, PROMPT)?;
    phone.ended()?;
    assert_eq!(engine.reason(&phone.call_id)?, "served");
    assert_eq!(outcome(&engine, &phone.call_id)?, "done");
    assert_eq!(engine.metric("transfer_calls")?, 0);
    assert_eq!(engine.metric("transfer_calls_total")?, 1);
    saved(&engine, &phone, "the supplier leaves", "ends: \"served\"")
}

#[test]
fn a_caller_who_hangs_up_ends_both_calls_and_was_transferred() -> Result<()> {
    let mut supplier = Supplier::wait("supplier", &[])?;
    let mut engine = engine(|flow| flow)?;
    let mut phone = caller(&engine, &supplier)?;
    phone.first_sound(PROMPT)?;
    joined(&engine, &mut phone)?;
    talk(&mut phone, &supplier)?;
    phone.cue()?;
    phone.ended()?;
    supplier.ended()?;
    assert_eq!(engine.reason(&phone.call_id)?, "transferred");
    assert_eq!(outcome(&engine, &phone.call_id)?, "done");
    saved(
        &engine,
        &phone,
        "the caller leaves",
        "ends: \"transferred\"",
    )
}

#[test]
fn a_caller_who_gives_up_while_it_rings_cancels_the_call() -> Result<()> {
    let mut supplier = Supplier::wait("supplier-rings", &[])?;
    let mut engine = engine(|flow| flow)?;
    let mut phone = caller(&engine, &supplier)?;
    phone.hear(&ringback(), PROMPT)?;
    phone.cue()?;
    phone.ended()?;
    supplier.ended()?;
    assert_eq!(engine.reason(&phone.call_id)?, "abandoned");
    saved(&engine, &phone, "gives up", "ends: \"abandoned\"")
}

#[test]
fn every_refusal_has_its_outcome() -> Result<()> {
    let mut engine = engine(|flow| flow)?;
    for (status, reason) in [
        ("486 Busy Here", "busy"),
        ("600 Busy Everywhere", "busy"),
        ("480 Temporarily Unavailable", "no_answer"),
        ("603 Decline", "declined"),
        ("403 Forbidden", "declined"),
        ("404 Not Found", "failed"),
        ("302 Moved Temporarily", "failed"),
    ] {
        let mut supplier = Supplier::wait("supplier-refuses", &[("status", status)])?;
        let mut phone = caller(&engine, &supplier)?;
        phone.ended()?;
        supplier.ended()?;
        assert_eq!(engine.reason(&phone.call_id)?, reason, "{status}");
    }
    Ok(())
}

#[test]
fn who_does_not_answer_in_time_is_cancelled() -> Result<()> {
    let mut supplier = Supplier::wait("supplier-rings", &[])?;
    let mut engine = engine(|flow| flow.replace("ring: 20s", "ring: 1s"))?;
    let mut phone = caller(&engine, &supplier)?;
    phone.ended()?;
    supplier.ended()?;
    assert_eq!(engine.reason(&phone.call_id)?, "no_answer");
    Ok(())
}

#[test]
fn the_supplier_alone_hears_the_whisper_while_it_rings_for_the_caller() -> Result<()> {
    let mut supplier = Supplier::wait("supplier", &[])?;
    let mut engine = engine(whispering)?;
    let note = file("bye.ulaw")?;
    let mut phone = caller(&engine, &supplier)?;
    phone.first_sound(PROMPT)?;
    let early = words(880.0);
    phone.say(&early)?;
    supplier.hear(&note, PROMPT, || phone.listen(Duration::from_millis(5)))?;
    ensure!(
        supplier.heard_first(&note),
        "the caller was heard before the join"
    );
    ensure!(!phone.ear.hears(&note), "the caller heard the whisper");
    joined(&engine, &mut phone)?;
    talk(&mut phone, &supplier)?;
    supplier.cue()?;
    supplier.ended()?;
    phone.ended()?;
    assert_eq!(engine.reason(&phone.call_id)?, "served");
    Ok(())
}

#[test]
fn who_hangs_up_on_the_whisper_has_declined() -> Result<()> {
    let mut supplier = Supplier::wait("supplier", &[])?;
    let mut engine = engine(|flow| whispering(flow.replace("audio/bye.ulaw", "audio/long.ulaw")))?;
    let mut phone = caller(&engine, &supplier)?;
    supplier.until("ACK sip:", PROMPT, || {
        phone.listen(Duration::from_millis(5));
    })?;
    supplier.cue()?;
    phone.ended()?;
    supplier.ended()?;
    assert_eq!(engine.reason(&phone.call_id)?, "declined");
    Ok(())
}

#[test]
fn early_media_is_heard_in_place_of_the_ringing_tone() -> Result<()> {
    let mut supplier = Supplier::wait("supplier-early", &[])?;
    let mut engine = engine(|flow| flow)?;
    let mut phone = caller(&engine, &supplier)?;
    supplier.until("SIP/2.0 183", PROMPT, || {
        phone.listen(Duration::from_millis(5))
    })?;
    let announcement = words(1_040.0);
    supplier.say(&announcement)?;
    phone.hear(&announcement, PROMPT)?;
    supplier.cue()?;
    joined(&engine, &mut phone)?;
    talk(&mut phone, &supplier)?;
    supplier.cue()?;
    supplier.ended()?;
    phone.ended()?;
    assert_eq!(engine.reason(&phone.call_id)?, "served");
    Ok(())
}

#[test]
fn who_holds_hears_nothing_and_comes_back() -> Result<()> {
    let mut supplier = Supplier::wait("supplier-holds", &[])?;
    let mut engine = engine(|flow| flow)?;
    let mut phone = caller(&engine, &supplier)?;
    phone.first_sound(PROMPT)?;
    joined(&engine, &mut phone)?;
    talk(&mut phone, &supplier)?;
    supplier.cue()?;
    supplier.until("a=inactive", PROMPT, || {
        phone.listen(Duration::from_millis(5))
    })?;
    supplier.until("2 ACK", PROMPT, || phone.listen(Duration::from_millis(5)))?;
    phone.listen(Duration::from_millis(200));
    let held = supplier.packets();
    phone.say(&words(740.0))?;
    assert_eq!(supplier.packets(), held, "audio while on hold");
    supplier.cue()?;
    supplier.until("3 ACK", PROMPT, || phone.listen(Duration::from_millis(5)))?;
    talk(&mut phone, &supplier)?;
    supplier.cue()?;
    supplier.ended()?;
    phone.ended()?;
    assert_eq!(engine.reason(&phone.call_id)?, "served");
    Ok(())
}

#[test]
fn a_caller_who_holds_hears_nothing_and_comes_back() -> Result<()> {
    let mut supplier = Supplier::wait("supplier", &[])?;
    let mut engine = engine(|flow| flow)?;
    let port = supplier.address.port().to_string();
    let mut phone = Phone::dial(engine.sip, &port, "hold", &[])?;
    phone.first_sound(PROMPT)?;
    joined(&engine, &mut phone)?;
    talk(&mut phone, &supplier)?;
    phone.cue()?;
    phone.until_quiet(Duration::from_millis(500), PROMPT)?;
    let held = phone.ear.len();
    supplier.say(&words(740.0))?;
    phone.listen(Duration::from_secs(1));
    assert_eq!(phone.ear.len(), held, "audio while on hold");
    phone.cue()?;
    phone.listen(Duration::from_millis(500));
    talk(&mut phone, &supplier)?;
    phone.cue()?;
    phone.ended()?;
    supplier.ended()?;
    assert_eq!(engine.reason(&phone.call_id)?, "transferred");
    Ok(())
}

#[test]
fn keys_reach_the_supplier_in_the_form_it_knows_and_not_the_journal() -> Result<()> {
    let engine = engine(|flow| flow)?;
    for (scenario, laws) in [
        ("call", "0 8 101"),
        ("call", "0 8"),
        ("info", "0 8 101"),
        ("info", "0 8"),
    ] {
        let supplier = Supplier::wait("supplier", &[("laws", laws)])?;
        let port = supplier.address.port().to_string();
        let mut phone = Phone::dial(engine.sip, &port, scenario, &[("key", "7")])?;
        phone.first_sound(PROMPT)?;
        joined(&engine, &mut phone)?;
        talk(&mut phone, &supplier)?;
        match scenario {
            "info" => phone.cue()?,
            _ => phone.press("7")?,
        }
        if laws.contains("101") {
            for _ in 0..400 {
                phone.listen(Duration::from_millis(5));
                if !supplier.keys().is_empty() {
                    break;
                }
            }
            assert_eq!(supplier.keys(), "7", "{scenario}");
        } else {
            supplier.until("Signal=7", PROMPT, || {
                phone.listen(Duration::from_millis(5))
            })?;
            assert_eq!(supplier.keys(), "", "{scenario}");
        }
        let journal = engine.journal(&phone.call_id)?;
        let told = |kind: &EntryKind| matches!(kind, EntryKind::Key { .. });
        assert!(!journal.iter().any(|entry| told(&entry.kind)), "{scenario}");
    }
    Ok(())
}

#[test]
fn the_two_may_speak_different_laws() -> Result<()> {
    let supplier = Supplier::wait("supplier", &[("laws", "8 101")])?;
    let engine = engine(|flow| flow)?;
    let mut phone = caller(&engine, &supplier)?;
    phone.first_sound(PROMPT)?;
    joined(&engine, &mut phone)?;
    let converted = |clip: &Clip, to: Codec| {
        let mut bytes = vec![0; clip.bytes().len()];
        clip.codec().convert_into(to, clip.bytes(), &mut bytes);
        Clip::new(to, &bytes)
    };
    let question = words(620.0);
    phone.say(&question)?;
    supplier.hear(&converted(&question, Codec::Pcma), PROMPT, || {
        phone.listen(Duration::from_millis(5));
    })?;
    assert_eq!(supplier.laws(), [Codec::Pcma.payload_type()]);
    let answer = converted(&words(1_310.0), Codec::Pcma);
    supplier.say(&answer)?;
    phone.hear(&converted(&answer, Codec::Pcmu), PROMPT)
}

#[test]
fn an_answer_without_a_description_fails_and_is_hung_up() -> Result<()> {
    let mut supplier = Supplier::wait("supplier-mute", &[])?;
    let mut engine = engine(|flow| flow)?;
    let mut phone = caller(&engine, &supplier)?;
    phone.ended()?;
    supplier.ended()?;
    assert_eq!(engine.reason(&phone.call_id)?, "failed");
    Ok(())
}

#[test]
fn the_recording_has_the_caller_left_and_the_supplier_right() -> Result<()> {
    let mut supplier = Supplier::wait("supplier", &[])?;
    let mut engine = engine(|flow| flow)?;
    let mut phone = caller(&engine, &supplier)?;
    phone.first_sound(PROMPT)?;
    joined(&engine, &mut phone)?;
    talk(&mut phone, &supplier)?;
    supplier.cue()?;
    supplier.ended()?;
    phone.ended()?;
    engine.reason(&phone.call_id)?;
    let contact = engine.contact(&phone.call_id)?;
    let path = contact["recording"]
        .as_str()
        .context("it is recorded")?
        .to_owned();
    let whole = |path: &str| std::fs::read(path).is_ok_and(|wav| holds(&wav, 0, &words(620.0)));
    engine
        .program
        .wait_until("recording", PROMPT, || whole(&path))?;
    let wav = std::fs::read(&path)?;
    assert!(holds(&wav, 1, &words(1_310.0)), "the supplier, right");
    assert!(!holds(&wav, 0, &words(1_310.0)) && !holds(&wav, 1, &words(620.0)));
    Ok(())
}

/// Whether a channel of a recording holds a clip, sample by sample.
fn holds(wav: &[u8], channel: usize, clip: &Clip) -> bool {
    let samples: Vec<i16> = wav
        .get(44..)
        .unwrap_or_default()
        .chunks_exact(4)
        .filter_map(|pair| pair.get(2 * channel..2 * channel + 2)?.try_into().ok())
        .map(i16::from_le_bytes)
        .collect();
    let wanted: Vec<i16> = clip
        .bytes()
        .iter()
        .map(|byte| clip.codec().decode(*byte))
        .collect();
    samples.windows(wanted.len()).any(|found| found == wanted)
}

#[test]
fn calls_beyond_the_limits_fail_and_are_counted() -> Result<()> {
    let mut supplier = Supplier::wait("supplier-refuses", &[("status", "486 Busy Here")])?;
    let mut engine = limited("calls_per_minute = 1\n", |flow| flow)?;
    for (reason, refused) in [("busy", 0), ("failed", 1)] {
        let mut phone = caller(&engine, &supplier)?;
        phone.ended()?;
        assert_eq!(engine.reason(&phone.call_id)?, reason);
        assert_eq!(engine.metric("transfer_calls_refused_total")?, refused);
    }
    supplier.ended()?;
    let log = engine.program.log();
    ensure!(log.contains("transfer.calls_per_minute"), "{log}");
    Ok(())
}

#[test]
fn a_member_is_joined_with_the_second_supplier_when_the_first_is_busy() -> Result<()> {
    let mut first = Supplier::wait("supplier-refuses", &[("status", "486 Busy Here")])?;
    let mut second = Supplier::wait("supplier", &[])?;
    let mut world = World::edited(|project| {
        edit(&project.join("queues.yaml"), |text| {
            text.replace(
                "127.0.0.1:5066\"",
                &format!("{}\", how: bridge", first.address),
            )
            .replace(
                "127.0.0.1:5067\"",
                &format!("{}\", how: bridge", second.address),
            )
        })
    })?;
    let mut phone = Phone::dial(world.engine.sip, "300", "call", &[])?;
    phone.hear(
        &*world.zh("顾问都在忙，正在为您转接合作服务团队。")?,
        PROMPT,
    )?;
    first.ended()?;
    joined(&world.engine, &mut phone)?;
    phone.first_sound(PROMPT)?;
    talk(&mut phone, &second)?;
    second.cue()?;
    second.ended()?;
    phone.ended()?;
    assert_eq!(world.engine.reason(&phone.call_id)?, "completed");
    Ok(())
}

#[test]
fn a_replay_of_a_bridged_call_calls_nobody() -> Result<()> {
    let mut supplier = Supplier::wait("supplier", &[])?;
    let mut engine = engine(whispering)?;
    let mut phone = caller(&engine, &supplier)?;
    phone.first_sound(PROMPT)?;
    supplier.hear(&file("bye.ulaw")?, PROMPT, || {
        phone.listen(Duration::from_millis(5))
    })?;
    joined(&engine, &mut phone)?;
    talk(&mut phone, &supplier)?;
    phone.cue()?;
    phone.ended()?;
    supplier.ended()?;
    assert_eq!(engine.reason(&phone.call_id)?, "transferred");
    let placed = engine.metric("transfer_calls_total")?;
    let id = engine.contact(&phone.call_id)?["id"]
        .as_str()
        .context("an id")?
        .to_owned();
    let (project, data) = (
        engine.project.display().to_string(),
        engine.data.display().to_string(),
    );
    let (code, out, err) = strowger(&["replay", &id, "-p", &project, "--data", &data])?;
    assert_eq!(code, 0, "{out}{err}");
    let (_, trace, _) = strowger(&["trace", &id, "-p", &project, "--data", &data])?;
    ensure!(trace.contains("talks with the caller"), "{trace}");
    assert_eq!(engine.metric("transfer_calls_total")?, placed);
    Ok(())
}

#[test]
fn a_call_that_goes_on_may_be_forwarded_once_less_than_the_caller_s() -> Result<()> {
    let mut engine = engine(|flow| flow)?;
    for (hops, onward) in [("70", "69"), ("12", "11"), ("1", "0")] {
        let mut supplier = Supplier::wait("supplier", &[])?;
        let port = supplier.address.port().to_string();
        let mut phone = Phone::dial(engine.sip, &port, "forwarded", &[("hops", hops)])?;
        joined(&engine, &mut phone)?;
        let invite = supplier.messages();
        let (head, _) = invite.split_once("Content-Type").context("an INVITE")?;
        assert!(
            head.contains(&format!("Max-Forwards: {onward}")),
            "{hops}: {invite}"
        );
        supplier.cue()?;
        supplier.ended()?;
        phone.ended()?;
        assert_eq!(outcome(&engine, &phone.call_id)?, "done");
    }
    // The caller is answered all the same; nobody else is called.
    let supplier = Supplier::wait("supplier", &[])?;
    let port = supplier.address.port().to_string();
    let mut phone = Phone::dial(engine.sip, &port, "forwarded", &[("hops", "0")])?;
    phone.ended()?;
    assert_eq!(engine.reason(&phone.call_id)?, "failed");
    assert_eq!(supplier.messages(), "");
    ensure!(
        engine.program.log().contains("483 Too Many Hops"),
        "{}",
        engine.program.log()
    );
    Ok(())
}
