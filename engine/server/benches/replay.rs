//! How many contacts a second are replayed, with the demo tenant's plugins in WebAssembly. The rate is by the processor
//! time of the process, which another process on the machine does not change much.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use strowger_contact::EntryKind;
use strowger_server::replay::{Overrides, Recording, Rerun, Stage, Verdict, replay};
use strowger_server::runtime::open;
use strowger_server::store::Ladder;

#[path = "common/day.rs"]
mod day;
#[path = "common/processor.rs"]
mod processor;

use processor::processor_time;

/// Contacts of the day.
const CONTACTS: u32 = 2_000;
/// How often the day is replayed; the best round counts.
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../flows/aurora");
        let data = std::env::temp_dir().join("strowger-replay-bench");
        let (engine, _) = open(&project, &data, false).await?;
        let engine = Arc::new(engine);
        let mut day = Vec::new();
        for number in 0..CONTACTS {
            day.push(Recording {
                name: day::caller(number),
                entries: day::walk(&engine, number, true).await.entries,
                ladder: Ladder::default(),
                torn: false,
                hole: None,
                kind: None,
                tenant: None,
            });
        }
        let mean = |wanted: fn(&EntryKind) -> bool| {
            let entries = day.iter().flat_map(|recording| &recording.entries);
            entries.filter(|entry| wanted(&entry.kind)).count() as f64 / f64::from(CONTACTS)
        };
        let steps = mean(|kind| matches!(kind, EntryKind::Ran { .. }));
        let calls = mean(|kind| matches!(kind, EntryKind::Asked { .. }));
        let stage = Arc::new(Stage::open(&project, &data, &Overrides::new()).await?);
        let there = stage.clone();
        let best = there
            .run(async move {
                let mut best = [Duration::MAX; 2];
                for round in 0..2 * ROUNDS {
                    // In turns, so that what else the machine does is in both.
                    let rerun = [Rerun::Every, Rerun::Changed][round % 2];
                    let used = processor_time();
                    for recording in &day {
                        let replayed = replay(&stage, recording, rerun).await;
                        assert_eq!(replayed.verdict, Verdict::Same);
                    }
                    let best = &mut best[round % 2];
                    *best = (*best).min(processor_time() - used);
                }
                best
            })
            .await
            .map_err(|end| format!("the replay gave nothing: {end:?}"))?;
        let [every, changed] = best.map(|best| f64::from(CONTACTS) / best.as_secs_f64());
        println!(
            "replayed contacts a second of processor time, {steps:.1} steps of plugins and {calls:.1} host calls each:"
        );
        println!("  every step run                              {every:.0}");
        println!("  components and inputs are those of then     {changed:.0}");
        Ok(())
    })
}
