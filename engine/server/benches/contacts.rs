//! Scripted contacts per second on one core: two menus and a goodbye, three steps in WebAssembly each.
//!
//! `cargo bench --bench contacts` prints the best of several rounds, by the processor time of the process (what a
//! core of its own would do) and by the wall: other load on the machine makes a round slower, never faster.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use strowger_server::scenario::{Place, Suite, Verdict};

#[path = "common/processor.rs"]
mod processor;

use processor::processor_time;

/// Contacts of a round.
const CONTACTS: u32 = 5_000;
/// Rounds.
const ROUNDS: u32 = 5;

fn main() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/contacts.flow.yaml");
    let place = Place {
        project: None,
        files: BTreeSet::from([file]),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a thread");
    let suite = match runtime.block_on(Suite::load(&place, None)) {
        Ok(suite) => suite,
        Err(error) => panic!("{error}"),
    };
    let flow = &suite.flows[0];
    let test = &flow.tests[0];
    let mut best = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        let (began, used) = (Instant::now(), processor_time());
        runtime.block_on(async {
            for _ in 0..CONTACTS {
                let result = suite.test(flow, test, false).await;
                assert_eq!(result.verdict, Verdict::Passed);
            }
        });
        best.0 = best.0.min(processor_time() - used);
        best.1 = best.1.min(began.elapsed());
    }
    let rate = |took: Duration| f64::from(CONTACTS) / took.as_secs_f64();
    println!(
        "{:.0} contacts a second of processor time, {:.0} by the wall",
        rate(best.0),
        rate(best.1)
    );
}
