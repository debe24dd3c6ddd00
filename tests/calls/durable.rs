//! What leaves the house waits until its journal is on the disk: transfers while the store is gone.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use strowger_contact::EntryKind;
use strowger_tests::program::edit;
use strowger_tests::{Engine, Phone, Postgres, Supplier};
use strowger_voice::clip::Clip;
use strowger_voice::g711::Codec;

use crate::world::PROMPT;

/// Longest time until a store that is back is noticed, and what waited for it is done.
const BACK: Duration = Duration::from_secs(60);

/// A flow that waits for a key, so that the call is up when the store goes, and then hands over.
const FLOW: &str = r#"flow: over
format: 1
languages: [en]
prompts:
  press: { any: { audio: audio/second.ulaw } }
steps:
  start:
    - menu: press
      press: { 1: { to: over, match: ["one"] } }
      timeout: 60s
      then: { no_input: silent, no_match: silent }
  over:
    - transfer: "sip:desk@TARGET"
      ring: 20s
      then: { done: served, busy: busy, no_answer: late, declined: late, failed: late, error: unsaved }
  served: { hangup: served }
  busy: { hangup: busy }
  late: { hangup: late }
  unsaved: { hangup: unsaved }
  silent: { hangup: silent }
"#;

fn engine(server: &Postgres, how: &str, wait_s: u32, target: &str) -> Result<Engine> {
    server.create("strowger")?;
    let url = server.url("strowger");
    Engine::start("bench", |project| {
        std::fs::write(
            project.join("over.flow.yaml"),
            FLOW.replace("TARGET", target),
        )?;
        edit(&project.join("routes.yaml"), |text| {
            text + "  - { to: \"6\", flow: over }\n"
        })?;
        edit(&project.join("strowger.toml"), |text| {
            format!(
                "{text}\n[transfer]\nhow = \"{how}\"\n[store]\nurl = \"{url}\"\nwait_s = {wait_s}\n"
            )
        })
    })
}

/// What the engine lets a caller hear who waits: a second of it.
fn comfort() -> Clip {
    Clip::tone(Codec::Pcmu, 425.0, 1_000, -18.0)
}

fn transfer_answer(engine: &Engine, call_id: &str) -> Result<String> {
    let journal = engine.journal(call_id)?;
    let answers = journal.iter().filter_map(|entry| match &entry.kind {
        EntryKind::Call {
            function, result, ..
        } if function == "route.transfer" => Some(result.to_string()),
        _ => None,
    });
    Ok(answers.collect())
}

/// Neither the caller's telephone nor the engine calls anybody: after the wait the step takes its `error` edge.
#[test]
fn a_transfer_is_not_made_while_the_store_is_gone() -> Result<()> {
    for how in ["refer", "bridge"] {
        let mut server = Postgres::start()?;
        let supplier = Supplier::wait("supplier-refuses", &[("status", "486 Busy Here")])?;
        let mut engine = engine(&server, how, 3, &supplier.address.to_string())?;
        let mut phone = Phone::dial(engine.sip, "6", "call", &[])?;
        phone.first_sound(PROMPT)?;
        server.stop()?;
        let asked = Instant::now();
        phone.press("1")?;
        // Not silence.
        phone.hear(&comfort(), PROMPT)?;
        // The phone takes a BYE and no REFER.
        phone.ended()?;
        ensure!(
            asked.elapsed() >= Duration::from_secs(3),
            "{:?}",
            asked.elapsed()
        );
        ensure!(supplier.messages().is_empty(), "{}", supplier.messages());
        server.resume()?;
        let at = engine.http;
        engine.program.wait_until("the store", BACK, || {
            strowger_tests::http::get(at, "/metrics")
                .is_ok_and(|metrics| metrics.body.contains("strowger_store_up 1"))
        })?;
        ensure!(engine.reason(&phone.call_id)? == "unsaved", "{how}");
        let answer = transfer_answer(&engine, &phone.call_id)?;
        ensure!(
            answer.contains("unavailable") && answer.contains("the journal: "),
            "{how}: {answer}"
        );
        ensure!(engine.metric("store_lost_total")? == 0, "{how}");
    }
    Ok(())
}

#[test]
fn a_transfer_is_made_when_the_store_comes_back_in_time() -> Result<()> {
    let mut server = Postgres::start()?;
    let mut supplier = Supplier::wait("supplier-refuses", &[("status", "486 Busy Here")])?;
    let mut engine = engine(&server, "bridge", 60, &supplier.address.to_string())?;
    let mut phone = Phone::dial(engine.sip, "6", "call", &[])?;
    phone.first_sound(PROMPT)?;
    server.stop()?;
    phone.press("1")?;
    phone.hear(&comfort(), PROMPT)?;
    ensure!(supplier.messages().is_empty(), "{}", supplier.messages());
    server.resume()?;
    phone.ended()?;
    supplier.ended()?;
    ensure!(
        engine.reason(&phone.call_id)? == "busy",
        "{}",
        engine.program.log()
    );
    // What led to it was on the disk before it: the journal has the request, and no hole.
    let journal = engine.journal(&phone.call_id)?;
    let last = u32::try_from(journal.len())?;
    ensure!(journal.iter().map(|entry| entry.seq).eq(0..last));
    ensure!(engine.metric("store_lost_total")? == 0);
    Ok(())
}
