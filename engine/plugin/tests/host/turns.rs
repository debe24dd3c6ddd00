//! Whoever brings many large components holds up nobody else's.

use strowger_plugin::{Grants, Limits};
use tokio::sync::mpsc;

use crate::guest::{Guest, OK};
use crate::world::host;

/// Functions of a component that takes some time to compile.
const MANY: usize = 4_000;
/// How many of these come at once.
const LARGE: usize = 5;

/// A component with many functions, or few; each number makes another one.
fn component(functions: usize, number: usize) -> Vec<u8> {
    let items: String = (0..functions)
        .map(|at| {
            format!(
                "(func $f{at} (param i32) (result i32) (i32.mul (i32.add (local.get 0) (i32.const {at})) (i32.const {number})))"
            )
        })
        .collect();
    Guest {
        run: OK.into(),
        items,
        ..Guest::default()
    }
    .build()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_component_does_not_wait_for_anothers_large_ones() {
    let host = host();
    let (many, other) = (host.runtime().share(), host.runtime().share());
    let (over, mut ended) = mpsc::unbounded_channel();
    let load = |share, component: Vec<u8>, name: &'static str| {
        let host = host.compiling_for(share);
        let over = over.clone();
        async move {
            let (grants, limits) = (Grants::all(), Limits::default());
            let plugin = host.load(&component, &grants, &limits).await;
            plugin.expect("it is well");
            over.send(name).expect("somebody listens");
        }
    };
    for number in 1..=LARGE {
        tokio::spawn(load(&many, component(MANY, number), "large"));
    }
    // All of them have come by the time that the first is compiled.
    assert_eq!(ended.recv().await, Some("large"));
    tokio::spawn(load(&other, component(1, 9), "small"));
    let mut before = 1;
    while ended.recv().await == Some("large") {
        before += 1;
    }
    // One may have been under way already; the others wait for their turn.
    assert!(before <= 2, "{before} of {LARGE} large ones went before");
}
