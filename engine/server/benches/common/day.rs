//! The contacts of a day with the demo tenant: each is of another caller, who goes another way and enters another number.

use std::sync::Arc;

use strowger_contact::Channel;
use strowger_server::runtime::{Act, Driver, Engine, Finished, Pace, TerminalLine};
use tokio_util::sync::CancellationToken;

/// The program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What callers do, `N` being the number of an order.
const WAYS: [&str; 8] = [
    "2,1,N#,1",
    "2,1,N#,2",
    "1,1,N#,1",
    ",1,N#,hangup",
    "2,1,,N#,1",
    "2,7,1,N#,1",
    "2,1,12#,N#,1",
    "1,9,1,N#,",
];

pub fn caller(number: u32) -> String {
    format!("+86138{:08}", u64::from(number) * 7_919 % 100_000_000)
}

/// One contact from its beginning to its end, in virtual time. With `keep` its journal comes back too.
pub async fn walk(engine: &Arc<Engine>, number: u32, keep: bool) -> Finished {
    let contact = engine
        .contact("main-menu", Channel::Voice, &caller(number), "bench", None)
        .await
        .expect("the demo tenant has a main menu");
    let order = format!("2026{:04}", u64::from(number) * 104_729 % 10_000);
    let way = WAYS[number as usize % WAYS.len()].replace('N', &order);
    let acts = Act::script(&way).expect("a script");
    let line = TerminalLine::script(acts, true);
    let stop = CancellationToken::new();
    Driver::new(engine.clone(), contact, line, stop, Pace::Virtual, keep)
        .run()
        .await
}
