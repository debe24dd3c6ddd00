//! What checking costs, by size: flows of 50 steps, and one flow that is 10 and 40 times as large: the limit of events is near.

mod large;
#[path = "../tests/support/mod.rs"]
mod support;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use strowger_flow::check;

use large::flow;

/// Steps of an ordinary flow.
const STEPS: usize = 50;

fn main() {
    let catalog = support::project();
    let mut criterion = Criterion::default().configure_from_args().sample_size(10);
    let mut group = criterion.benchmark_group("check");
    for times in [1, 10, 40] {
        let text = flow(STEPS * times);
        let checked = check("large.flow.yaml", text.as_bytes(), &catalog);
        assert!(checked.plan.is_some(), "{:?}", checked.diagnostics.first());
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_with_input(
            BenchmarkId::new("one flow of 50 steps times", times),
            &text,
            |bencher, text| {
                bencher.iter(|| check("large.flow.yaml", black_box(text.as_bytes()), &catalog));
            },
        );
    }
    group.finish();
    criterion.final_summary();
}
