//! The three flows of the demo tenant, walked by telephone.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use strowger_contact::{Entry, EntryKind};
use strowger_tests::program::{POLL, edit};
use strowger_tests::{Engine, Phone};

use crate::world::{
    ASK_ORDER, CHOICES_EN, LAST_CHANCE, NOT_AN_OPTION, PROMPT, STILL_THERE, World, always_open,
};

#[test]
fn a_caller_asks_for_an_order_in_english() -> Result<()> {
    let mut world = World::edited(always_open)?;
    let mut phone = world.dial("100")?;
    world.to_menu(&mut phone)?;
    phone.press("1")?;
    world.hears(&mut phone, ASK_ORDER)?;
    phone.press("20260302#")?;
    world.hears(
        &mut phone,
        "I have 2, 0, 2, 6, 0, 3, 0, 2. Press 1 if that's right, or 2 to try again.",
    )?;
    phone.press("1")?;
    world.hears(
        &mut phone,
        "It has shipped and should arrive on March 5, 2026.",
    )?;
    // The order flow comes back to the menu; hang up there.
    world.hears(&mut phone, "Welcome to Aurora. To check an order, press 1. To reach member services, press 2. To speak to someone, press 0.")?;
    phone.cue()?;
    phone.ended()?;
    assert_eq!(phone.ear.odd_frames(), 0);
    assert_eq!(world.engine.reason(&phone.call_id)?, "abandoned");
    Ok(())
}

#[test]
fn a_caller_does_not_notice_that_every_waiting_instance_is_dropped() -> Result<()> {
    let mut world = World::edited(|project| {
        always_open(project)?;
        edit(&project.join("strowger.toml"), |text| {
            format!("{text}\n[steps]\ndrop_waiting_after_ms = 0\n")
        })
    })?;
    let mut phone = world.dial("100")?;
    world.to_menu(&mut phone)?;
    // A wrong key first: counters live in the instance, and must come back with it.
    phone.press("7")?;
    world.hears(&mut phone, NOT_AN_OPTION)?;
    world.hears(&mut phone, CHOICES_EN)?;
    phone.press("1")?;
    world.hears(&mut phone, ASK_ORDER)?;
    phone.press("20260302#1")?;
    world.hears(
        &mut phone,
        "It has shipped and should arrive on March 5, 2026.",
    )?;
    let dropped = world.engine.metric("step_instances_dropped_total")?;
    ensure!(dropped >= 6, "only {dropped} instances were dropped");
    phone.cue()?;
    phone.ended()?;
    ensure!(world.engine.metric("failures_total")? == 0);
    assert_eq!(world.engine.reason(&phone.call_id)?, "abandoned");
    Ok(())
}

#[test]
fn a_caller_asks_for_an_order_in_chinese() -> Result<()> {
    let mut world = World::edited(always_open)?;
    let mut phone = world.dial("200")?;
    phone.hear(&*world.zh("请输入订单号，按井号键结束。")?, PROMPT)?;
    phone.press("20260303#")?;
    phone.hear(
        &*world.zh("您输入的是 二零二六，零三零三。正确请按一，重新输入请按二。")?,
        PROMPT,
    )?;
    phone.press("1")?;
    phone.hear(&*world.zh("您的订单还未付款，应付 九十九元。")?, PROMPT)?;
    phone.ended()?;
    assert_eq!(world.engine.reason(&phone.call_id)?, "done");
    Ok(())
}

#[test]
fn three_silences_lead_to_a_person_and_then_to_the_mailbox() -> Result<()> {
    let mut world = World::edited(always_open)?;
    let mut phone = world.dial("100")?;
    world.to_menu(&mut phone)?;
    world.hears(&mut phone, STILL_THERE)?;
    world.hears(&mut phone, CHOICES_EN)?;
    world.hears(&mut phone, LAST_CHANCE)?;
    world.hears(&mut phone, CHOICES_EN)?;
    // Nobody is signed in: the flow takes a message.
    phone.hear(&*world.prompts.audio("audio/en/closed.mp3")?, PROMPT)?;
    phone.hear(
        &*world.prompts.audio("audio/en/goodbye.wav")?,
        Duration::from_secs(60),
    )?;
    phone.ended()?;
    assert_eq!(world.engine.reason(&phone.call_id)?, "completed");
    Ok(())
}

#[test]
fn wrong_keys_are_told_and_then_lead_to_a_person() -> Result<()> {
    let mut world = World::edited(always_open)?;
    let mut phone = world.dial("100")?;
    world.to_menu(&mut phone)?;
    for _ in 0..2 {
        phone.press("7")?;
        world.hears(&mut phone, NOT_AN_OPTION)?;
        world.hears(&mut phone, CHOICES_EN)?;
    }
    phone.press("8")?;
    phone.hear(&*world.prompts.audio("audio/en/closed.mp3")?, PROMPT)?;
    phone.cue()?;
    phone.ended()?;
    assert_eq!(world.engine.reason(&phone.call_id)?, "abandoned");
    Ok(())
}

#[test]
fn keys_typed_ahead_skip_the_prompts() -> Result<()> {
    let world = World::edited(always_open)?;
    let mut phone = world.dial("100")?;
    // Not one prompt is waited for.
    phone.first_sound(PROMPT)?;
    phone.press("2120260302#1")?;
    world.hears(
        &mut phone,
        "It has shipped and should arrive on March 5, 2026.",
    )?;
    phone.cue()?;
    phone.ended()?;
    Ok(())
}

#[test]
fn a_platinum_member_is_passed_to_the_second_supplier_when_the_first_is_busy() -> Result<()> {
    let mut world = World::start()?;
    let mut phone = Phone::dial(
        world.engine.sip,
        "300",
        "refer-twice",
        &[("first", "486"), ("second", "200")],
    )?;
    phone.hear(&*world.zh("王女士，正在为您接通专属顾问。")?, PROMPT)?;
    phone.hear(
        &*world.zh("顾问都在忙，正在为您转接合作服务团队。")?,
        PROMPT,
    )?;
    phone.ended()?;
    assert_eq!(world.engine.reason(&phone.call_id)?, "completed");
    let journal = world.engine.journal(&phone.call_id)?;
    let outcomes: Vec<String> = journal
        .iter()
        .filter_map(|entry| match &entry.kind {
            EntryKind::Outcome {
                plugin, outcome, ..
            } => Some(format!("{plugin} {outcome}")),
            _ => None,
        })
        .collect();
    let expected = [
        "crm/caller@2 known",
        "vip/decide@1 vip",
        "std/say@1 done",
        "std/queue@1 no_agents",
        "std/transfer@1 busy",
        "std/say@1 done",
        "std/transfer@1 done",
    ];
    assert_eq!(outcomes, expected);
    Ok(())
}

#[test]
fn when_no_supplier_answers_a_callback_is_booked() -> Result<()> {
    let mut world = World::start()?;
    for (scenario, keys) in [
        ("refer-twice", &[("first", "480"), ("second", "603")][..]),
        ("refer-refused", &[]),
    ] {
        let mut phone = Phone::dial(world.engine.sip, "300", scenario, keys)?;
        phone.ended()?;
        assert_eq!(
            world.engine.reason(&phone.call_id)?,
            "callback_booked",
            "{scenario}"
        );
    }
    let stats = strowger_tests::http::get(world.orders.address, "/stats")?.body;
    assert!(stats.contains("callbacks"), "{stats}");
    Ok(())
}

#[test]
fn hanging_up_in_every_step_ends_the_contact_there() -> Result<()> {
    let mut world = World::edited(always_open)?;
    // Each line: the number, what is pressed, and the step and verb in which the caller leaves.
    for (number, keys, step, verb) in [
        ("100", "", "language", "menu"),
        ("100", "2", "main", "menu"),
        ("100", "21", "start", "ask"),
        ("100", "2120260302#", "start", "ask"),
        ("100", "2120260302#1", "status", "say"),
        ("100", "20", "closed", "say"),
        // The notice lasts four seconds; then the mailbox records.
        ("100", "20", "closed", "record"),
        ("200", "", "start", "ask"),
    ] {
        let mut phone = world.dial(number)?;
        phone.first_sound(PROMPT)?;
        phone.press(keys)?;
        let there = |entry: &Entry| matches!(&entry.kind, EntryKind::Entered { step: at, verb: doing, .. } if at == step && doing == verb);
        let end = Instant::now() + PROMPT;
        // An entry is in the journal a moment after it is true.
        let call_id = phone.call_id.clone();
        let journal = || world.engine.journal(&call_id);
        while !journal().is_ok_and(|journal| journal.iter().any(there)) {
            ensure!(Instant::now() < end, "never in `{step}` after `{keys}`");
            phone.listen(POLL);
        }
        phone.cue()?;
        phone.ended()?;
        assert_eq!(
            world.engine.reason(&phone.call_id)?,
            "abandoned",
            "after `{keys}`"
        );
        let journal = world.engine.journal(&phone.call_id)?;
        let last = journal.iter().rev().find_map(|entry| match &entry.kind {
            EntryKind::Entered { step, .. } => Some(step.as_str()),
            _ => None,
        });
        assert_eq!(last, Some(step), "after `{keys}`");
        assert!(journal.iter().any(|entry| entry.kind == EntryKind::HungUp));
    }
    Ok(())
}

#[test]
fn a_member_who_hangs_up_in_any_step_is_noted_before_the_contact_ends() -> Result<()> {
    let mut world = World::start()?;
    // While the greeting is said, which lasts for seconds, and while a supplier's telephone rings.
    let ringing = [("first", "180 Ringing")];
    for (scenario, step) in [("call", "hello"), ("refer-hangup", "first_supplier")] {
        let mut phone = Phone::dial(world.engine.sip, "300", scenario, &ringing)?;
        if scenario == "call" {
            phone.first_sound(PROMPT)?;
            phone.cue()?;
        }
        phone.ended()?;
        // `global.hangup` leads to a step that needs no caller.
        assert_eq!(world.engine.reason(&phone.call_id)?, "completed", "{step}");
        let journal = world.engine.journal(&phone.call_id)?;
        let gone = journal
            .iter()
            .position(|entry| entry.kind == EntryKind::HungUp)
            .context("the caller hung up")?;
        let last = journal[..gone]
            .iter()
            .rev()
            .find_map(|entry| match &entry.kind {
                EntryKind::Entered { step, .. } => Some(step.as_str()),
                _ => None,
            });
        assert_eq!(last, Some(step));
        let noted = journal[gone..].iter().any(|entry| {
            matches!(&entry.kind, EntryKind::Outcome { plugin, outcome, .. } if plugin == "crm/note@2" && outcome == "noted")
        });
        assert!(noted, "{step}: {journal:?}");
    }
    Ok(())
}

#[test]
fn a_supplier_who_does_not_answer_in_time_is_not_taken_for_the_next() -> Result<()> {
    let mut world = World::edited(|project| {
        edit(&project.join("vip-routing.flow.yaml"), |text| {
            text.replace("ring: 20s", "ring: 1s")
        })
    })?;
    let mut phone = Phone::dial(world.engine.sip, "300", "refer-silent", &[])?;
    phone.ended()?;
    assert_eq!(world.engine.reason(&phone.call_id)?, "completed");
    let journal = world.engine.journal(&phone.call_id)?;
    let transfers: Vec<&str> = journal
        .iter()
        .filter_map(|entry| match &entry.kind {
            EntryKind::Outcome {
                plugin, outcome, ..
            } if plugin == "std/transfer@1" => Some(outcome.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(transfers, ["no_answer", "done"]);
    Ok(())
}

/// Who leaves when a transfer is accepted goes where it leads, and the contact ends by it.
#[test]
fn a_telephone_that_leaves_for_its_transfer_has_not_hung_up() -> Result<()> {
    let mut engine = Engine::start("bench", |project| {
        std::fs::write(
            project.join("away.flow.yaml"),
            "flow: away\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    transfer: \"sip:desk@127.0.0.1:9\"\n    \
             ring: 1s\n    caller_id: \"4001\"\n    then: { done: went, else: stayed }\n  went: { hangup: went }\n  stayed: { hangup: stayed }\n",
        )?;
        edit(&project.join("routes.yaml"), |text| {
            text + "  - { to: away, flow: away }\n"
        })
    })?;
    for (scenario, first, outcome, reason) in [
        ("refer-leaves", "", "done", "transferred"),
        ("refer-leaves-told", "200 OK", "done", "transferred"),
        ("refer-leaves-told", "486 Busy Here", "busy", "abandoned"),
        ("refer-hangup", "100 Trying", "", "abandoned"),
        ("refer-hangup", "180 Ringing", "", "abandoned"),
    ] {
        let mut phone = Phone::dial(engine.sip, "away", scenario, &[("first", first)])?;
        let call_id = phone.call_id.clone();
        phone.ended()?;
        assert_eq!(engine.reason(&call_id)?, reason, "{scenario} {first}");
        let journal = engine.journal(&call_id)?;
        let transferred = journal.iter().find_map(|entry| match &entry.kind {
            EntryKind::Outcome {
                plugin, outcome, ..
            } if plugin == "std/transfer@1" => Some(outcome.as_str()),
            _ => None,
        });
        assert_eq!(
            transferred.unwrap_or_default(),
            outcome,
            "{scenario} {first}: {journal:?}"
        );
        assert!(journal.iter().any(|entry| entry.kind == EntryKind::HungUp));
    }
    Ok(())
}
