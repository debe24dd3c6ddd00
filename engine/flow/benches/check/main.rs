//! What checking costs, by size, in processor time: one flow of 1, 10 and up to 100 times 50 steps, and projects of as many flows.

#[path = "../../tests/support/large.rs"]
mod large;
#[path = "../../tests/support/mod.rs"]
mod support;

mod cpu_time;

use std::hint::black_box;

use cpu_time::CpuTime;
use criterion::measurement::Measurement;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput};
use granit_parser::Parser;
use strowger_flow::editor::Sheet;
use strowger_flow::{Catalog, check, survey};

/// The program's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Steps of an ordinary flow.
const STEPS: usize = 50;

fn main() {
    let catalog = support::project();
    let mut criterion = Criterion::default()
        .with_measurement(CpuTime)
        .configure_from_args()
        .sample_size(10);

    let mut group = criterion.benchmark_group("yaml parser alone, 50 mixed steps, times");
    events(&mut group, 1);
    events(&mut group, 10);
    group.finish();

    let mut group = criterion.benchmark_group("one flow of 50 mixed steps, times");
    // The limit of YAML events is near at 40 times.
    for times in [1, 10, 40] {
        one(
            &mut group,
            times,
            &large::mixed("large", STEPS * times),
            &catalog,
        );
    }
    group.finish();

    let mut group = criterion.benchmark_group("one flow of 50 plain steps, times");
    for times in [1, 10, 100] {
        one(
            &mut group,
            times,
            &large::plain("large", STEPS * times),
            &catalog,
        );
    }
    group.finish();

    let mut group = criterion.benchmark_group("a project of flows of 50 mixed steps");
    for flows in [10, 100, 1_000] {
        project(&mut group, flows, &catalog);
    }
    group.finish();

    let mut group = criterion.benchmark_group("a key press in a flow of 300 mixed steps");
    key_press(&mut group, &catalog);
    group.finish();
    criterion.final_summary();
}

/// The YAML parser on the same text, its events thrown away: what no checker on it can do without.
fn events(group: &mut BenchmarkGroup<'_, impl Measurement>, times: usize) {
    let text = large::mixed("large", STEPS * times);
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_with_input(
        BenchmarkId::from_parameter(times),
        &text,
        |bencher, text| {
            bencher.iter(|| {
                let parser = Parser::new_from_str(black_box(text));
                parser.fold(0, |count, event| {
                    event.expect("it is YAML");
                    count + 1
                })
            });
        },
    );
}

/// One flow, checked as a whole.
fn one(
    group: &mut BenchmarkGroup<'_, impl Measurement>,
    times: usize,
    text: &str,
    catalog: &Catalog,
) {
    let checked = check("large.flow.yaml", text.as_bytes(), catalog);
    assert!(checked.plan.is_some(), "{:?}", checked.diagnostics.first());
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_with_input(BenchmarkId::from_parameter(times), text, |bencher, text| {
        bencher.iter(|| check("large.flow.yaml", black_box(text.as_bytes()), catalog));
    });
}

/// What an editor asks after a key press: the findings, and what could be written at the cursor.
fn key_press(group: &mut BenchmarkGroup<'_, impl Measurement>, catalog: &Catalog) {
    let text = large::mixed("large", 300);
    let at = text.find("with: {").expect("a plugin's step") + "with: {".len();
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("check", |bencher| {
        bencher.iter(|| check("large.flow.yaml", black_box(text.as_bytes()), catalog));
    });
    group.bench_function("read for an editor and complete", |bencher| {
        bencher.iter(|| {
            let sheet = Sheet::read(black_box(&text), catalog, Some(at), None);
            let offers = sheet.complete(at, catalog);
            assert!(!offers.is_empty(), "something can be written there");
        });
    });
}

/// A project as `strowger check` reads it: each flow checked against what the others are.
fn project(group: &mut BenchmarkGroup<'_, impl Measurement>, flows: usize, around: &Catalog) {
    let texts: Vec<String> = (0..flows)
        .map(|index| large::mixed(&format!("flow-{index}"), STEPS))
        .collect();
    let bytes: usize = texts.iter().map(String::len).sum();
    let files: Vec<(&str, &[u8])> = texts
        .iter()
        .map(|text| ("large.flow.yaml", text.as_bytes()))
        .collect();
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_with_input(
        BenchmarkId::from_parameter(flows),
        &files,
        |bencher, files| {
            bencher.iter(|| {
                let checked = survey(black_box(files), &mut around.clone());
                assert!(checked.iter().all(|checked| checked.plan.is_some()));
            });
        },
    );
}
