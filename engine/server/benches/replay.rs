//! How many contacts a second are replayed: the demo tenant's order call, its plugins in WebAssembly. The rate is by the
//! processor time of the process, which another process on the machine does not change much.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use strowger_contact::Channel;
use strowger_server::replay::{Overrides, Recording, Stage, Verdict, replay};
use strowger_server::runtime::{Act, Driver, Pace, TerminalLine, open};
use tokio_util::sync::CancellationToken;

#[path = "common/processor.rs"]
mod processor;

use processor::processor_time;

/// How long contacts are replayed for one figure.
const MEASURE: Duration = Duration::from_secs(3);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../flows/aurora");
        let data = std::env::temp_dir().join("strowger-replay-bench");
        let (engine, _) = open(&project, &data, false).await?;
        let engine = Arc::new(engine);
        let contact = engine
            .contact("main-menu", Channel::Voice, "+8613800138000", "bench", None)
            .await
            .ok_or("the demo tenant has a main menu")?;
        let line = TerminalLine::script(Act::script("2,1,20260302#,1")?, true);
        let stop = CancellationToken::new();
        let finished = Driver::new(engine.clone(), contact, line, stop, Pace::Virtual, true)
            .run()
            .await;
        let recording = Arc::new(Recording {
            name: "bench".to_owned(),
            entries: finished.entries,
            ladder: strowger_server::store::Ladder::default(),
            torn: false,
            tenant: None,
        });
        let steps = recording
            .entries
            .iter()
            .filter(|entry| matches!(entry.kind, strowger_contact::EntryKind::Ran { .. }))
            .count();
        let stage = Arc::new(Stage::open(&project, &data, &Overrides::new()).await?);
        let there = stage.clone();
        let (contacts, took) = there
            .run(async move {
                let (start, used) = (Instant::now(), processor_time());
                let mut contacts = 0_u32;
                while start.elapsed() < MEASURE {
                    let replayed = replay(&stage, &recording).await;
                    assert_eq!(replayed.verdict, Verdict::Same);
                    contacts += 1;
                }
                (contacts, processor_time() - used)
            })
            .await
            .map_err(|end| format!("the replay gave nothing: {end:?}"))?;
        let rate = f64::from(contacts) / took.as_secs_f64();
        println!(
            "replayed contacts a second of processor time: {rate:.0} ({steps} plugin steps each)"
        );
        Ok(())
    })
}
