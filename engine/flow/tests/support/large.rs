//! Flows of any size, for measuring how the work of the checker grows.

mod mixed;

use std::fmt::Write as _;

pub use mixed::mixed;
use mixed::next;

/// A flow of short steps, of which several thousand fit into one file. About 90 bytes and 15 YAML events a step.
pub fn plain(name: &str, steps: usize) -> String {
    let mut text = format!(
        "flow: {name}\nformat: 1\nvars: {{ tries: {{ type: number, default: 0 }} }}\nsteps:\n  start: {{ goto: s0 }}\n"
    );
    for index in 0..steps {
        let next = next(index, steps);
        let _ = match index % 2 {
            0 => writeln!(
                text,
                "  s{index}:\n    - say: \"This is announcement {index} of many.\"\n    - goto: {next}"
            ),
            _ => writeln!(
                text,
                "  s{index}:\n    - set: {{ tries: \"${{tries + 1}}\" }}\n    - if: tries > {index}\n      then: {next}\n      else: person"
            ),
        };
    }
    text.push_str("  person: { hangup: done }\n");
    text
}
