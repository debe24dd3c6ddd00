//! Fuzzing of everything in this crate that takes text from outside.
//!
//! ```text
//! cargo run --example fuzz -- TARGET EXECUTIONS [SEED]      TARGET: yaml, expressions, flows
//! ```
//!
//! A deterministic mutator over a corpus: an execution is a function of the seed and its number, so a crash
//! repeats by its two numbers, which are printed before the panic's message. An execution slower than
//! `SLOW` is printed too, and makes the run fail. It needs no nightly compiler and knows no coverage; what it
//! has instead is a corpus that shows every rule and every verb.

#![expect(
    clippy::disallowed_methods,
    reason = "a program for developers reads its arguments and the clock"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use strowger_flow::catalog::Catalog;
use strowger_flow::expr::{self, Budget, Lookup, Scope, TypeScope};
use strowger_flow::value::{Locale, Type, Value};
use strowger_flow::{check, signature};

/// Longest an execution may take: inputs are a few kilobytes.
const SLOW: Duration = Duration::from_secs(1);

/// Longest input, in bytes: what grows by itself is cut.
const MAX_INPUT: usize = 16 * 1024;

/// Most changes of one input.
const MAX_CHANGES: u64 = 8;

/// What is likely to hurt.
const SHARDS: [&str; 40] = [
    "${",
    "}",
    "{",
    "[",
    "]",
    "(",
    ")",
    "- ",
    ": ",
    "\n",
    "\r\n",
    "\t",
    "  ",
    "\"",
    "'",
    "&a ",
    "*a ",
    "!!t ",
    "# ",
    "|\n",
    ">\n",
    "---\n",
    "...\n",
    "\u{feff}",
    "\0",
    "您",
    "\u{202e}",
    "then: ",
    "repeat",
    "else: ",
    "not ",
    "-",
    " if a else ",
    "| default(",
    "1e308",
    "99999999999999999999",
    "<break>",
    "</p>",
    "allow(",
    "\\",
];

const RULES: &str = include_str!("corpus/flows.yaml");
const EXPRESSIONS: &str = include_str!("corpus/expressions.txt");

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize| {
        arguments
            .get(index)
            .and_then(|text| text.parse::<u64>().ok())
    };
    let (Some(target), Some(executions)) = (arguments.first(), number(1)) else {
        eprintln!("usage: fuzz yaml|expressions|flows EXECUTIONS [SEED]");
        return ExitCode::from(2);
    };
    let seed = number(2).unwrap_or(1);
    let Some((corpus, run)) = target_of(target) else {
        eprintln!("error: there is no target `{target}`: it is yaml, expressions or flows");
        return ExitCode::from(2);
    };
    let world = World {
        catalog: support::project(),
        bare: Catalog::default(),
    };
    let began = Instant::now();
    let (mut slowest, mut slow) = (Duration::ZERO, 0);
    for execution in 0..executions {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ execution);
        let input = mutated(&mut dice, &corpus);
        let at = Instant::now();
        let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(&world, &input)));
        if ran.is_err() {
            println!(
                "{target}: execution {execution} of seed {seed} panicked on {:?}",
                String::from_utf8_lossy(&input)
            );
            return ExitCode::from(1);
        }
        let took = at.elapsed();
        slowest = slowest.max(took);
        if took > SLOW {
            slow += 1;
            println!(
                "{target}: execution {execution} of seed {seed} took {took:?} on {:?}",
                String::from_utf8_lossy(&input)
            );
        }
    }
    println!(
        "{target}: {executions} executions, seed {seed}, {:.0} a second, slowest {slowest:?}, {slow} slow, no crash",
        executions as f64 / began.elapsed().as_secs_f64()
    );
    ExitCode::from(u8::from(slow > 0))
}

struct World {
    catalog: Catalog,
    bare: Catalog,
}

type Target = fn(&World, &[u8]);

fn target_of(name: &str) -> Option<(Vec<Vec<u8>>, Target)> {
    let flows = || {
        let good = support::GOOD.iter().map(|(_, text)| *text);
        RULES.split("\n---\n").chain(good).map(Vec::from).collect()
    };
    Some(match name {
        "yaml" => (flows(), yaml as Target),
        "flows" => (flows(), whole),
        "expressions" => (EXPRESSIONS.lines().map(Vec::from).collect(), expression),
        _ => return None,
    })
}

/// Reading alone, with nothing known around the file.
fn yaml(world: &World, input: &[u8]) {
    signature(input);
    check("fuzz.flow.yaml", input, &world.bare);
}

/// A whole flow in its project; every finding is drawn in both languages.
fn whole(world: &World, input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let checked = check("fuzz.flow.yaml", input, &world.catalog);
    for found in checked.diagnostics.iter().take(5) {
        found.render(&text, false);
        found.render_json_in(strowger_flow::diagnostic::Language::Chinese);
    }
}

/// An expression is read, typed, written out, read again and evaluated.
fn expression(_: &World, input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let _ = expr::parse_pieces(&text, 0);
    let Ok(parsed) = expr::parse(&text, 0) else {
        return;
    };
    expr::infer(&parsed, &Names);
    let locale = Locale {
        language: "zh".to_owned(),
        spoken: true,
    };
    let _ = expr::eval(&parsed, &Names, &locale, &mut Budget::default());
}

struct Names;

impl TypeScope for Names {
    fn variable(&self, name: &str) -> Lookup {
        match Scope::variable(self, name) {
            Some(value) => Lookup::Known(Type::of(&value)),
            None => Lookup::Unknown,
        }
    }

    fn names(&self) -> Vec<String> {
        ["a", "n", "t", "xs", "o"].map(str::to_owned).to_vec()
    }
}

impl Scope for Names {
    fn variable(&self, name: &str) -> Option<Value> {
        Some(match name {
            "a" => Value::None,
            "n" => Value::Number(-12.5),
            "t" => Value::Text("13800138000".to_owned()),
            "xs" => Value::List(vec![Value::Number(1.0), Value::Bool(true)]),
            "o" => Value::Object(BTreeMap::from([("a".to_owned(), Value::Number(1e15))])),
            _ => return None,
        })
    }
}

/// Numbers from a seed (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) as usize % sides.max(1)
    }
}

fn mutated(dice: &mut Dice, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut input = corpus[dice.below(corpus.len())].clone();
    for _ in 0..=dice.below(MAX_CHANGES as usize) {
        let at = dice.below(input.len() + 1);
        let end = (at + dice.below(24)).min(input.len());
        match dice.below(8) {
            0 => {
                input.drain(at..end);
            }
            1 | 2 => {
                let shard = SHARDS[dice.below(SHARDS.len())].repeat(1 + dice.below(3));
                input.splice(at..end, shard.bytes());
            }
            3 => {
                let shard = SHARDS[dice.below(SHARDS.len())];
                input.splice(at..at, shard.bytes());
            }
            4 => {
                // A piece of another input.
                let other = &corpus[dice.below(corpus.len())];
                let from = dice.below(other.len() + 1);
                let to = (from + dice.below(120)).min(other.len());
                input.splice(at..end, other[from..to].iter().copied());
            }
            5 => {
                let piece = input[at..end].to_vec();
                input.splice(at..at, piece.repeat(1 + dice.below(40)));
            }
            6 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte = dice.below(256) as u8;
                }
            }
            _ => {
                // Lines change places.
                let lines: Vec<&[u8]> = input.split(|byte| *byte == b'\n').collect();
                let (a, b) = (dice.below(lines.len()), dice.below(lines.len()));
                let mut lines = lines;
                lines.swap(a, b);
                input = lines.join(&b'\n');
            }
        }
        input.truncate(MAX_INPUT);
    }
    input
}
