//! What a plan says that it takes of memory is what it takes, and a little more.

#[path = "support/mod.rs"]
mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use strowger_flow::check;
use strowger_flow::plan::Plan;

/// Bytes by which what is asked for is rounded up, and those that stand before it: of a 64-bit malloc.
const GRAIN: usize = 16;

thread_local! {
    /// What was given back, in bytes.
    static FREED: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, counting by thread.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

// SAFETY: everything is handed on to the system's allocator as it came; the counter allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are those that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let took = (layout.size() + 8).next_multiple_of(GRAIN).max(2 * GRAIN);
        // A thread that is ending has no counter any more; nothing is measured there.
        let _ = FREED.try_with(|freed| freed.set(freed.get() + took));
        // SAFETY: the pointer came from the system's allocator, with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn plan(file: &str, text: &str) -> Plan {
    let checked = check(file, text.as_bytes(), &support::project());
    let told: Vec<String> = checked
        .diagnostics
        .iter()
        .map(|found| found.render(text, false))
        .collect();
    checked.plan.unwrap_or_else(|| panic!("{}", told.concat()))
}

/// Holds what a flow's plan says against what is given back when it is dropped; how many bytes it takes.
fn check_plan(file: &str, text: &str) -> usize {
    let plan = plan(file, text);
    let says = plan.memory_bytes() - size_of::<Plan>();
    FREED.set(0);
    drop(plan);
    let took = FREED.get();
    assert!(
        (took..took * 5 / 2).contains(&says),
        "{file}: it says {says} and took {took}"
    );
    took
}

#[test]
fn a_plan_takes_no_more_memory_than_it_says() {
    for (file, text) in support::GOOD {
        check_plan(file, text);
    }
    // What takes the most for the least text: a name that each of its actions has, and actions of a few letters.
    let name = "n".repeat(100);
    let mut text = format!(
        "flow: small\nformat: 1\nlanguages: [en]\nvars:\n  a: {{ type: number, default: 1 }}\nsteps:\n  start:\n  - goto: {name}\n  {name}:\n"
    );
    for _ in 0..200 {
        text += "  - set: {a: 1}\n  - tag: {b: 1}\n";
    }
    text += "  - switch: a\n    then: { 1: end, else: end }\n  end:\n  - hangup: done\n";
    let took = check_plan("small.flow.yaml", &text);
    assert!(took > 20 * text.len(), "{took} of {}", text.len());
}

#[test]
fn plans_of_one_text_are_alike_wherever_their_files_lie() {
    let [(name, text), (_, other), _] = support::GOOD;
    let here = plan(&format!("/a/{name}"), text);
    assert!(here.is_like(&plan(&format!("/b/c/{name}"), text)));
    assert!(!here.is_like(&plan("/a/renamed.flow.yaml", text)));
    assert!(!here.is_like(&plan(&format!("/a/{name}"), other)));
    let longer = Plan {
        max_steps: here.max_steps + 1,
        ..here.clone()
    };
    assert!(!here.is_like(&longer));
}
