//! Scripted contacts per second on one core: two menus and a goodbye, three steps in WebAssembly each.
//!
//! `cargo bench -p strowger-server --bench contacts` prints the rate of the best of several rounds: other
//! load on the machine makes a round slower, never faster.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;

use strowger_server::scenario::{Place, Suite, Verdict};

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
    let suite = match runtime.block_on(Suite::load(&place, None, 1)) {
        Ok(suite) => suite,
        Err(error) => panic!("{error}"),
    };
    let flow = &suite.flows[0];
    let test = &flow.tests[0];
    let mut best = 0.0_f64;
    for _ in 0..ROUNDS {
        let began = Instant::now();
        runtime.block_on(async {
            for _ in 0..CONTACTS {
                let result = suite.test(flow, test, false).await;
                assert_eq!(result.verdict, Verdict::Passed);
            }
        });
        best = best.max(f64::from(CONTACTS) / began.elapsed().as_secs_f64());
    }
    println!("{best:.0} contacts a second on one core");
}
