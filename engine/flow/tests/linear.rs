//! The work of the checker grows with the size of the flow and no faster, for good flows and for bad ones.
//!
//! Work is counted in what is allocated, which a busy machine does not change.

#[path = "support/large.rs"]
mod large;
#[path = "support/mod.rs"]
mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use strowger_flow::check;

/// Steps of the smaller flow of each comparison; the larger one has ten times as many.
const SMALL: usize = 100;

/// Most by which work may grow when a flow grows ten times.
const MOST: u64 = 12;

thread_local! {
    static WORK: Cell<Work> = const { Cell::new(Work { times: 0, bytes: 0 }) };
}

/// What was allocated.
#[derive(Debug, Clone, Copy)]
struct Work {
    times: u64,
    bytes: u64,
}

/// The system's allocator, counting by thread.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

// SAFETY: everything is handed on to the system's allocator as it came; the counter allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let count = |work: &Cell<Work>| {
            let Work { times, bytes } = work.get();
            work.set(Work {
                times: times + 1,
                bytes: bytes + layout.size() as u64,
            });
        };
        // A thread that is ending has no counter any more; nothing is measured there.
        let _ = WORK.try_with(count);
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from the system's allocator, with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// What checking a text takes; its findings beside it.
fn work(text: &str) -> (Work, usize) {
    let catalog = support::project();
    let before = WORK.get();
    let checked = check("large.flow.yaml", text.as_bytes(), &catalog);
    let after = WORK.get();
    let work = Work {
        times: after.times - before.times,
        bytes: after.bytes - before.bytes,
    };
    (work, checked.diagnostics.len())
}

/// Holds that ten times the flow is at most [`MOST`] times the work.
fn grows_with_its_size(flow: impl Fn(usize) -> String) {
    grows_by(MOST, flow);
}

/// The same with so many times.
fn grows_by(most: u64, flow: impl Fn(usize) -> String) {
    let (small, few) = work(&flow(SMALL));
    let (large, many) = work(&flow(10 * SMALL));
    assert!(
        large.times <= most * small.times && large.bytes <= most * small.bytes,
        "{small:?} and {few} findings at {SMALL} steps, {large:?} and {many} findings at ten times as many"
    );
}

/// A flow whose steps are made one by one.
fn steps(count: usize, step: impl Fn(usize) -> String) -> String {
    let steps: String = (0..count).map(step).collect();
    format!(
        "flow: large\nformat: 1\nsteps:\n  start: {{ goto: s0 }}\n{steps}  s{count}: {{ hangup: done }}\n"
    )
}

#[test]
fn flows_without_a_fault() {
    grows_with_its_size(|count| large::mixed("large", count));
    grows_with_its_size(|count| large::plain("large", count));
}

#[test]
fn flows_that_read_every_answer() {
    let step = |index: usize| {
        format!(
            "  s{index}:\n    ask: \"Number {index}?\"\n    into: a{index}\n    expect: digits\n    then: {{ ok: t{index}, no_input: s0, no_match: s{index} }}\n  \
             t{index}: [{{ say: \"${{a{index}}}\" }}, {{ goto: s{} }}]\n",
            index + 1
        )
    };
    // What is known of 1,000 variables at 2,000 places takes a bit each; that alone may grow faster.
    let (small, _) = work(&steps(SMALL, step));
    let (large, _) = work(&steps(10 * SMALL, step));
    assert!(large.times <= MOST * small.times, "{small:?} {large:?}");
    assert!(large.bytes <= 2 * MOST * small.bytes, "{small:?} {large:?}");
}

#[test]
fn flows_of_steps_that_nobody_comes_to() {
    grows_with_its_size(|count| {
        steps(count, |index| format!("  s{index}: {{ goto: s{count} }}\n"))
    });
}

#[test]
fn flows_of_loops() {
    grows_with_its_size(|count| {
        steps(count, |index| {
            format!(
                "  s{index}:\n    - set: {{ n: 1 }}\n    - if: now.hour > 3\n      then: s{index}\n      else: s{}\n",
                index + 1
            )
        })
    });
}

#[test]
fn flows_whose_findings_are_allowed() {
    grows_with_its_size(|count| {
        steps(count, |index| {
            format!(
                "  s{index}:\n    - wait: 9s # strowger: allow(dead-air) the line is tested\n    - goto: s{}\n",
                index + 1
            )
        })
    });
}

#[test]
fn flows_of_misspelt_names() {
    grows_with_its_size(|count| {
        steps(count, |index| {
            format!("  s{index}:\n    - say: prompt-{index}\n    - goto: z{index}z\n")
        })
    });
    // Each name is compared with others as long as a file has its share of comparisons: of the small flow's names that takes less.
    grows_by(15, |count| {
        steps(count, |index| {
            format!(
                "  s{index}:\n    - if: value{index} > 3\n      then: s{index}x\n      else: s{}\n    - set: {{ other{index}: 1 }}\n",
                index + 1
            )
        })
    });
}
