//! Attacks from within a step: each ends as its own contact's error, and the contact goes on by the flow's edge.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use strowger_tests::Hall;
use strowger_tests::Talk;
use strowger_tests::attack::{self, unharmed};
use strowger_tests::hall::CHATS;
use strowger_tests::program::component;
use strowger_tests::projects::{flow, project};

use crate::forged::{allocates, alternatives, calls, lists, named, runs, with_items};
use crate::guest::Guest;

use Component::{Built, Forged};
use End::{Fails, Goes};

/// A step of mallory's.
struct Attack {
    /// What it tries, in a word.
    name: &'static str,
    component: Component,
    /// `with:` of the step, in YAML's short form.
    with: &'static str,
    end: End,
}

/// What an attack comes in.
enum Component {
    /// Among the guests, by name.
    Built(&'static str),
    /// The bytes of one that was forged.
    Forged(Vec<u8>),
}

/// How an attack ends.
enum End {
    /// The step fails with this code, and the flow goes on by its `error` edge.
    Fails(&'static str),
    /// The step ends well, since nothing it did was forbidden; the host calls it made were answered so that these words
    /// stand in its journal.
    Goes(&'static [&'static str]),
}

/// Levels of recursion that take some 90 KiB of stack.
const LEVELS: u32 = 1_100;
/// Longest time until instances have given way to others.
const SOON: Duration = Duration::from_secs(60);

/// How often each attacks at once.
const TIMES: usize = 3;

fn attacks() -> Vec<Attack> {
    let attack = |name, component, with, end| Attack {
        name,
        component,
        with,
        end,
    };
    const LOOP: &str = "(loop $again (br $again)) unreachable";
    vec![
        // Processor time.
        attack("loop", Built("guest-loop"), "", Fails("step-cpu-limit")),
        attack(
            "fill",
            Built("guest-loop"),
            "{ kind: fill }",
            Fails("step-cpu-limit"),
        ),
        attack(
            "drip",
            Built("guest-hog"),
            "{ kind: drip }",
            Fails("step-cpu-limit"),
        ),
        attack(
            "loop-in-allocator",
            Forged(allocates("allocator", LOOP)),
            "",
            Fails("step-cpu-limit"),
        ),
        attack(
            "loop-after-return",
            Forged(with_items(
                "after",
                crate::guest::OK,
                "(func (export \"cabi_post_strowger:step/guest@1.0.0#run\") (param i32) (loop $again (br $again)))",
            )),
            "",
            Fails("step-cpu-limit"),
        ),
        // Memory, tables, stack.
        attack(
            "memory",
            Built("guest-memory"),
            "",
            Fails("step-memory-limit"),
        ),
        attack(
            "reserve",
            Built("guest-memory"),
            "{ kind: reserve }",
            Fails("step-memory-limit"),
        ),
        attack(
            "table",
            Forged(with_items(
                "table",
                "(loop $again (drop (table.grow $t (ref.null func) (i32.const 1000))) (br $again)) unreachable",
                "(table $t 1 funcref)",
            )),
            "",
            Fails("step-memory-limit"),
        ),
        attack(
            "recursion",
            Built("guest-recursion"),
            "",
            Fails("step-stack-limit"),
        ),
        // Crashes, in each phase of a step.
        attack("panic", Built("guest-trap"), "", Fails("step-trap")),
        attack(
            "bounds",
            Built("guest-trap"),
            "{ kind: bounds }",
            Fails("step-trap"),
        ),
        attack(
            "late",
            Built("guest-trap"),
            "{ kind: late }",
            Fails("step-trap"),
        ),
        attack(
            "divide",
            Forged(runs("divide", "(i32.div_u (i32.const 1) (local.get $i))")),
            "",
            Fails("step-trap"),
        ),
        attack(
            "wild-call",
            Forged(with_items(
                "wild",
                "(call_indirect (result i32) (local.get $i))",
                "(table 1 funcref)",
            )),
            "",
            Fails("step-trap"),
        ),
        attack(
            "trap-in-allocator",
            Forged(allocates("broken-allocator", "unreachable")),
            "",
            Fails("step-trap"),
        ),
        attack(
            "trap-after-return",
            Forged(with_items(
                "after-trap",
                crate::guest::OK,
                "(func (export \"cabi_post_strowger:step/guest@1.0.0#run\") (param i32) unreachable)",
            )),
            "",
            Fails("step-trap"),
        ),
        // Floods.
        attack(
            "calls",
            Built("guest-loop"),
            "{ kind: host }",
            Fails("step-host-call-limit"),
        ),
        attack(
            "log",
            Built("guest-flood"),
            "{ bytes: 1000 }",
            Fails("step-host-call-limit"),
        ),
        attack(
            "log-bytes",
            Built("guest-flood"),
            "{ bytes: 200000 }",
            Fails("step-journal-limit"),
        ),
        attack(
            "chance",
            Built("guest-flood"),
            "{ kind: random, bytes: 16 }",
            Fails("step-host-call-limit"),
        ),
        attack(
            "chance-by-the-megabyte",
            Built("guest-flood"),
            "{ kind: random, bytes: 1000000, times: 3 }",
            Goes(&["\"limit\""]),
        ),
        // Lies about what comes out.
        attack(
            "huge",
            Built("guest-liar"),
            "{ kind: huge, bytes: 1000000 }",
            Fails("step-output-limit"),
        ),
        attack(
            "deep",
            Built("guest-liar"),
            "{ kind: deep, levels: 20000 }",
            Fails("step-bad-output"),
        ),
        attack(
            "huge-name",
            Built("guest-liar"),
            "{ kind: huge-name, bytes: 1000000 }",
            Fails("step-output-limit"),
        ),
        attack(
            "huge-failure",
            Built("guest-liar"),
            "{ kind: huge-failure, bytes: 1000000 }",
            Fails("step-output-limit"),
        ),
        attack(
            "not-json",
            Built("guest-liar"),
            "{ kind: not-json }",
            Fails("step-bad-output"),
        ),
        attack(
            "not-object",
            Built("guest-liar"),
            "{ kind: not-object }",
            Fails("step-bad-output"),
        ),
        attack(
            "confusion",
            Built("guest-liar"),
            "{ kind: wrong-data }",
            Fails("step-bad-output"),
        ),
        attack(
            "outcome",
            Built("guest-liar"),
            "{ kind: unknown-outcome }",
            Fails("step-unknown-outcome"),
        ),
        attack(
            "faults",
            Forged(lists("faults", &alternatives())),
            "",
            Fails("step-bad-output"),
        ),
        attack(
            "long-check",
            Forged(lists(
                "long-check",
                &serde_json::json!({ "not": alternatives() }),
            )),
            "",
            Fails("step-cpu-limit"),
        ),
        // Over the boundary, where no compiler goes.
        attack(
            "utf8-out",
            Forged(named(
                "utf8",
                Guest {
                    run:
                        "(call $outcome (i32.const 128) (i32.const 4) (i32.const 66) (i32.const 2))"
                            .into(),
                    items: "(data (i32.const 128) \"\\ff\\fe\\c3\\28\")".into(),
                    ..Guest::default()
                },
            )),
            "",
            Fails("step-bad-output"),
        ),
        attack(
            "length-out",
            Forged(runs(
                "length",
                "(call $outcome (i32.const 64) (i32.const 2) (i32.const 66) (i32.const 0x7fffffff))",
            )),
            "",
            Fails("step-bad-output"),
        ),
        attack(
            "length-wraps",
            Forged(runs(
                "wraps",
                "(call $outcome (i32.const 64) (i32.const 2) (i32.const -16) (i32.const 64))",
            )),
            "",
            Fails("step-bad-output"),
        ),
        attack(
            "result-beyond-memory",
            Forged(runs("beyond", "(i32.const 0x7ffffff0)")),
            "",
            Fails("step-bad-output"),
        ),
        attack(
            "result-not-aligned",
            Forged(runs("crooked", "(i32.const 9)")),
            "",
            Fails("step-bad-output"),
        ),
        attack(
            "no-such-case",
            Forged(runs(
                "caseless",
                "(i32.store8 (i32.const 8) (i32.const 7)) (i32.const 8)",
            )),
            "",
            Fails("step-bad-output"),
        ),
        attack(
            "utf8-in",
            Forged(calls(
                "utf8-in",
                "(i32.store (i32.const 200) (i32.const 0x28c3feff)) (call $log (i32.const 1) (i32.const 200) (i32.const 4))",
            )),
            "",
            Fails("step-bad-output"),
        ),
        attack(
            "length-in",
            Forged(calls(
                "length-in",
                "(call $log (i32.const 1) (i32.const 64) (i32.const 0x7fffffff))",
            )),
            "",
            Fails("step-bad-output"),
        ),
        attack(
            "no-such-level",
            Forged(calls(
                "level",
                "(call $log (i32.const 99) (i32.const 64) (i32.const 2))",
            )),
            "",
            Fails("step-bad-output"),
        ),
        attack(
            "answer-beyond-memory",
            Forged(calls(
                "answer",
                "(call $random (i32.const 8) (i32.const 0x7ffffff0))",
            )),
            "",
            Fails("step-bad-output"),
        ),
        attack(
            "allocator-gives-what-is-not-there",
            Forged(allocates("lying-allocator", "(i32.const 0x7ffffff0)")),
            "",
            Fails("step-bad-output"),
        ),
        // Numbers and times that cannot be, and more of anything than anybody needs.
        attack(
            "clocks",
            Built("guest-clockwork"),
            "",
            Goes(&[
                "waits at most 86400000 ms",
                "1 to 64 conditions",
                "timeout-ms and gap-ms are at most",
            ]),
        ),
        attack(
            "nan",
            Built("guest-figures"),
            "{ kind: nan }",
            Fails("step-bad-output"),
        ),
        attack(
            "infinite",
            Built("guest-figures"),
            "{ kind: infinite }",
            Fails("step-bad-output"),
        ),
        attack(
            "endless-figure",
            Built("guest-figures"),
            "{ kind: endless }",
            Fails("step-bad-output"),
        ),
        attack(
            "beyond-64-bits",
            Built("guest-figures"),
            // It is the nearest number there is.
            "{ kind: beyond }\n    as: figure",
            Goes(&["\"data\":{\"n\":-9.223372036854776e+18}"]),
        ),
        attack(
            "fraction",
            Built("guest-figures"),
            "{ kind: fraction }",
            Fails("step-bad-output"),
        ),
        attack(
            "exponent",
            Built("guest-figures"),
            "{ kind: exponent }\n    as: figure",
            Goes(&["\"data\":{\"n\":0.0}"]),
        ),
        attack(
            "list-of-figures",
            Built("guest-figures"),
            "{ times: 5000 }",
            Fails("step-bad-output"),
        ),
        attack(
            "mirror",
            Built("guest-mirror"),
            "{ say: \"Hello ${value}\" }",
            Goes(&["an utterance has at most 256 prompts"]),
        ),
        attack(
            "auction",
            Built("guest-auctioneer"),
            "",
            Goes(&["at most 64 choices", "digits: 1 <= min <= max <= 64"]),
        ),
        attack(
            "mimic",
            Built("guest-mimic"),
            "{ kind: typed }\n    as: card",
            Fails("bad-output"),
        ),
        attack(
            "mimic-in-any-data",
            Built("guest-mimic"),
            "{}\n    as: card",
            Fails("bad-output"),
        ),
        // Handles that were never given.
        attack(
            "prompt",
            Built("guest-forger"),
            "{ kind: prompt }",
            Goes(&["invalid-argument"]),
        ),
        attack(
            "value",
            Built("guest-forger"),
            "{ kind: value }",
            Goes(&["invalid-argument"]),
        ),
        attack(
            "file",
            Built("guest-forger"),
            "{ kind: audio }",
            Goes(&["\"err\""]),
        ),
        attack(
            "secret",
            Built("guest-forger"),
            "{ kind: secret }",
            Goes(&["invalid-argument"]),
        ),
    ]
}

/// The name that a component gives itself.
fn name_of(component: &[u8]) -> Result<String> {
    let text = String::from_utf8_lossy(component);
    let at = text.find("\"name\":\"").context("a description")?;
    let rest = &text[at + 8..];
    Ok(rest[..rest.find('"').context("a name")?].to_owned())
}

#[test]
fn load_every_attack_hurts_its_own_step_alone() -> Result<()> {
    let attacks = attacks();
    let mut plugins: Vec<(String, Vec<u8>)> = Vec::new();
    let mut flows = Vec::new();
    let numbers: Vec<String> = (0..attacks.len()).map(|n| format!("66{n:02}")).collect();
    for (attack, number) in attacks.iter().zip(&numbers) {
        let (plugin, bytes, outcome) = match &attack.component {
            Built(name) => ((*name).to_owned(), component(name)?, "done"),
            Forged(bytes) => {
                // Such a description is at the end of the module, where the name stands as it is.
                (name_of(bytes)?, bytes.clone(), "ok")
            }
        };
        let with = format!("with: {}", attack.with);
        let lines: &[&str] = match attack.with {
            "" => &[],
            _ => &[&with],
        };
        let text = flow(attack.name, &format!("{plugin}/go"), outcome, lines);
        flows.push((number.as_str(), attack.name, text));
        if plugins.iter().all(|(name, _)| *name != plugin) {
            plugins.push((plugin, bytes));
        }
    }
    let plugins: Vec<(&str, Vec<u8>)> = plugins
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.clone()))
        .collect();
    // Few calls, so that a flood of them meets this limit before that on processor time, however slow the build is.
    let hall = Hall::beside_a_victim("[grants]\nkv = true\n[limits.step]\nhost_calls = 400\n")?;
    hall.publish(&project("mallory", &plugins, "kv = true", &flows)?)?;

    let mut wrong = Vec::new();
    hall.beside_a_neighbour(|| {
        for (attack, number) in attacks.iter().zip(&numbers) {
            let mut talks = Vec::new();
            for _ in 0..TIMES {
                talks.push(Talk::begin(hall.engine.http, number, None)?);
            }
            for talk in &mut talks {
                let reason = talk.ended().context(attack.name)?;
                let journal = hall.journal(&talk.id)?;
                let (expected, words): (&str, Vec<String>) = match &attack.end {
                    Fails(code) => ("survived", vec![format!("\"code\":\"{code}\"")]),
                    Goes(words) => (
                        "unharmed",
                        words.iter().map(|word| (*word).to_owned()).collect(),
                    ),
                };
                if reason != expected || !words.iter().all(|word| journal.contains(word)) {
                    wrong.push(format!("{}: {reason}\n{journal}", attack.name));
                }
            }
        }
        Ok(())
    })?;
    ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Nothing is left of it: no instance, no contact.
    let health = strowger_tests::http::get(hall.engine.http, "/healthz")?.json()?;
    ensure!(health["status"] == "ok", "{health}");
    hall.neighbour()
}

#[test]
fn load_waiting_with_all_the_memory_there_is() -> Result<()> {
    const CONTACTS: usize = 100;
    let hall = Hall::beside_a_victim(&format!("[limits]\ncontacts = {CONTACTS}\n"))?;
    let flow = flow(
        "hog",
        "guest-hog/go",
        "done",
        &["with: { bytes: 8000000 }", "timeout: 30m"],
    );
    let plugins = [("guest-hog", component("guest-hog")?)];
    hall.publish(&project("mallory", &plugins, "", &[("6600", "hog", flow)])?)?;
    let mut talks = hall.beside_a_neighbour(|| {
        let talks = hall.crowd("6600", CONTACTS)?;
        let more = Talk::begin(hall.engine.http, "6600", None).err();
        let refusal = more.map(|error| error.to_string()).unwrap_or_default();
        ensure!(
            refusal.contains("503"),
            "{CONTACTS} contacts are all that mallory has: {refusal}"
        );
        Ok(talks)
    })?;
    // Each is still there, and its memory with it.
    unharmed(&mut talks)?;
    hall.neighbour()
}

#[test]
fn recursion_is_as_deep_as_the_tenants_own_stack() -> Result<()> {
    let rules = |number: &str, stack: u32| {
        format!("numbers = [\"{number}*\"]\n[limits.step]\nstack_bytes = {stack}\n")
    };
    let (low, high) = (rules("61", 32 << 10), rules("63", 256 << 10));
    let usual = "numbers = [\"62*\"]\n";
    let tenants = [("low", low.as_str()), ("usual", usual), ("high", &high)];
    let mut hall = Hall::open_with(CHATS, &tenants)?;
    // The same component, with the numbers of what fits into the usual stack and of what does not.
    for (tenant, number) in [("low", "61"), ("usual", "62"), ("high", "63")] {
        let numbers = [format!("{number}0"), format!("{number}1")];
        let attacks = [(0, LEVELS), (1, LEVELS * 2)].map(|(at, levels)| attack::Attack {
            number: &numbers[at],
            step: "guest-recursion/go",
            with: format!("{{ levels: {levels} }}"),
        });
        hall.publish(&attack::attacker(tenant, "", &attacks)?)?;
    }
    let ends = |hall: &Hall, number: &str, well: bool| -> Result<()> {
        let over = hall.over(&hall.begin(number)?)?;
        let limit = over.journal.contains("step-stack-limit");
        let as_it_should = (over.reason == "over") == well && limit != well;
        ensure!(as_it_should, "{number}: {}: {}", over.reason, over.journal);
        Ok(())
    };
    for (number, well) in [
        ("610", false),
        ("620", true),
        ("611", false),
        ("621", false),
        ("630", true),
        ("631", true),
    ] {
        ends(&hall, number, well)?;
    }
    // What the operator changes holds for what is live.
    hall.rule("low", &rules("61", 64 << 10))?;
    hall.rule("high", "numbers = [\"63*\"]\n")?;
    hall.reload("the tenants' files are read again")?;
    ends(&hall, "610", false)?;
    ends(&hall, "630", true)?;
    ends(&hall, "631", false)
}

#[test]
fn load_filling_the_memory_between_short_waits() -> Result<()> {
    const CONTACTS: usize = 30;
    // A third of them has room at once; none waits long enough to be dropped for that alone.
    let hall = Hall::beside_a_victim("[limits]\nmemory_mib = 96\n")?;
    let with = ["with: { kind: nap, bytes: 8000000 }", "timeout: 30m"];
    let flow = flow("nap", "guest-hog/go", "done", &with);
    let plugins = [("guest-hog", component("guest-hog")?)];
    hall.publish(&project("mallory", &plugins, "", &[("6600", "nap", flow)])?)?;
    let dropped = || -> Result<f64> {
        let metrics = strowger_tests::http::get(hall.engine.http, "/metrics")?.body;
        let mut lines = metrics.lines();
        let count = lines.find_map(|line| {
            line.strip_prefix("strowger_step_instances_dropped_total ")?
                .trim()
                .parse()
                .ok()
        });
        count.context("the counter")
    };
    hall.beside_a_neighbour(|| {
        let mut talks = Vec::new();
        for _ in 0..CONTACTS {
            talks.push(Talk::begin(hall.engine.http, "6600", None)?);
        }
        let begun = Instant::now();
        while dropped()? < (CONTACTS / 3) as f64 {
            ensure!(begun.elapsed() < SOON, "nobody gave way");
            hall.neighbour()?;
        }
        Ok(())
    })?;
    hall.neighbour()
}
