//! The virtual WASI: what standard toolchains import, answered from the host calls that a step has anyway.

use serde_json::{Value, json};
use strowger_plugin::{
    Grants, Limits, LoadError, Plugin, RunRequest, StepError, StepReport, TrapKind,
};

use crate::guest::{Guest, OK};
use crate::world::{Answer, Call, Scripted, go, host, load};

/// The time that these tests begin at. Milliseconds.
const START: u64 = 1_700_000_000_123;

/// A guest that imports these functions of that release of WASI.
fn guest(release: &'static str, imports: &'static str, run: &str) -> Guest {
    Guest {
        imports,
        run: run.into(),
        wasi: Some(release),
        ..Guest::default()
    }
}

/// Runs it on a host of its own: the clock begins at [`START`] and moves one second at every reading, sleeping
/// is answered so. Gives the report and the calls.
async fn run_with(guest: Guest, sleep: Value) -> (StepReport, Vec<Call>) {
    let host = host();
    let component = guest.build();
    let plugin = load(&host, &component)
        .await
        .unwrap_or_else(|complaints| panic!("{complaints:#?}"));
    let (report, calls) = run_plugin(&plugin, sleep).await;
    assert_eq!(host.report().in_use, 0);
    (report, calls)
}

async fn run_plugin(plugin: &Plugin, sleep: Value) -> (StepReport, Vec<Call>) {
    let mut now = START;
    let (calls, seen) = Scripted::new(move |interface, function| {
        Answer::Later(match (interface, function) {
            ("env", "now") => {
                now += 1_000;
                json!(now - 1_000)
            }
            ("env", "random") => json!({ "ok": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" }),
            ("env", "log") => Value::Null,
            ("wait", "sleep") => sleep.clone(),
            other => panic!("{other:?}"),
        })
    });
    let report = plugin.run(RunRequest { calls, ..go("{}") }).await;
    let seen = seen.lock().expect("nobody panicked with the lock").clone();
    (report, seen)
}

/// The calls as `function(arguments)`.
fn told(calls: &[Call]) -> Vec<String> {
    calls
        .iter()
        .map(|(_, function, args)| {
            let args: Vec<_> = args.iter().map(Value::to_string).collect();
            format!("{function}({})", args.join(", "))
        })
        .collect()
}

/// Checks that the guest's own checks hold, and which host calls it made.
async fn check(guest: Guest, expected: &[&str]) {
    let (report, calls) = run_with(guest, json!({ "ok": null })).await;
    report.result.expect("the guest's own checks hold");
    assert_eq!(told(&calls), expected);
}

const CLOCKS: &str = r#"
    (import "wasi:clocks/wall-clock@0.2.9" "now" (func $wall (param i32)))
    (import "wasi:clocks/monotonic-clock@0.2.9" "now" (func $monotonic (result i64)))
    (import "wasi:clocks/monotonic-clock@0.2.9" "subscribe-duration" (func $after (param i64) (result i32)))
    (import "wasi:clocks/monotonic-clock@0.2.9" "subscribe-instant" (func $at (param i64) (result i32)))
    (import "wasi:io/poll@0.2.9" "[method]pollable.ready" (func $ready (param i32) (result i32)))
    (import "wasi:io/poll@0.2.9" "[method]pollable.block" (func $block (param i32)))
    (import "wasi:io/poll@0.2.9" "[resource-drop]pollable" (func $drop (param i32)))
    (import "wasi:io/poll@0.2.9" "poll" (func $poll (param i32 i32 i32)))
    (import "strowger:env/env@1.0.0" "now" (func $now (result i64)))"#;

/// Traps unless the condition, one `i32`, holds.
fn assert(condition: &str) -> String {
    format!("(if (i32.eqz {condition}) (then unreachable))")
}

#[tokio::test]
async fn clocks_stand_still_between_host_calls() {
    let shows = |nanoseconds: u64| {
        let equal = format!("(i64.eq (call $monotonic) (i64.const {nanoseconds}))");
        assert(&equal)
    };
    let run = [
        // Three readings, one host call.
        "(call $wall (i32.const 1024))".to_owned(),
        assert("(i64.eq (i64.load (i32.const 1024)) (i64.const 1700000000))"),
        assert("(i32.eq (i32.load (i32.const 1032)) (i32.const 123000000))"),
        shows(START * 1_000_000),
        shows(START * 1_000_000),
        // Another host call: the clock is asked again, and shows a second more for each time it was.
        "(drop (call $now))".to_owned(),
        shows((START + 2_000) * 1_000_000),
        OK.to_owned(),
    ];
    check(
        guest("0.2.9", CLOCKS, &run.join("\n")),
        &["now()", "now()", "now()"],
    )
    .await;
}

#[tokio::test]
async fn a_wait_is_a_host_call_and_moves_the_clock() {
    let run = [
        // Half a millisecond more than five is six.
        "(local.set $i (call $after (i64.const 5500000)))".to_owned(),
        assert("(i32.eqz (call $ready (local.get $i)))"),
        "(call $block (local.get $i))".to_owned(),
        assert("(call $ready (local.get $i))"),
        "(call $drop (local.get $i))".to_owned(),
        assert(&format!(
            "(i64.eq (call $monotonic) (i64.const {}))",
            (START + 6) * 1_000_000
        )),
        OK.to_owned(),
    ];
    check(
        guest("0.2.9", CLOCKS, &run.join("\n")),
        &["now()", "sleep(6)"],
    )
    .await;
}

#[tokio::test]
async fn poll_waits_for_the_first() {
    let run = [
        "(i32.store (i32.const 1024) (call $after (i64.const 9000000)))".to_owned(),
        "(i32.store (i32.const 1028) (call $after (i64.const 4000000)))".to_owned(),
        "(call $poll (i32.const 1024) (i32.const 2) (i32.const 1040))".to_owned(),
        assert("(i32.eq (i32.load (i32.const 1044)) (i32.const 1))"),
        assert("(i32.eq (i32.load (i32.load (i32.const 1040))) (i32.const 1))"),
        OK.to_owned(),
    ];
    check(
        guest("0.2.9", CLOCKS, &run.join("\n")),
        &["now()", "sleep(4)"],
    )
    .await;
}

#[tokio::test]
async fn a_wait_is_over_when_the_caller_hangs_up() {
    let run = [
        "(local.set $i (call $at (i64.const -1)))".to_owned(),
        "(call $block (local.get $i))".to_owned(),
        assert("(call $ready (local.get $i))"),
        OK.to_owned(),
    ];
    let guest = guest("0.2.9", CLOCKS, &run.join("\n"));
    let (report, calls) = run_with(guest, json!({ "err": "hangup" })).await;
    report.result.expect("the clock is at the wait's end");
    // At most a day at a time.
    assert_eq!(told(&calls), ["now()", "sleep(86400000)"]);
}

#[tokio::test]
async fn a_wait_for_nothing_is_refused() {
    let run = format!("(call $poll (i32.const 1024) (i32.const 0) (i32.const 1040)) {OK}");
    let (report, _) = run_with(guest("0.2.9", CLOCKS, &run), Value::Null).await;
    assert_eq!(report.result.unwrap_err().code(), "step-bad-output");
}

const PRINTS: &str = r#"
    (import "wasi:random/random@0.2.0" "get-random-u64" (func $u64 (result i64)))
    (import "wasi:random/random@0.2.0" "get-random-bytes" (func $bytes (param i64 i32)))
    (import "wasi:random/insecure-seed@0.2.0" "insecure-seed" (func $seed (param i32)))
    (import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
    (import "wasi:cli/stderr@0.2.0" "get-stderr" (func $stderr (result i32)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush"
        (func $write (param i32 i32 i32 i32)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.write-zeroes" (func $zeroes (param i32 i64 i32)))
    (import "wasi:io/streams@0.2.0" "[resource-drop]output-stream" (func $drop (param i32)))
    (import "wasi:cli/exit@0.2.0" "exit" (func $exit (param i32)))"#;

#[tokio::test]
async fn chance_is_one_host_call_and_the_same_again() {
    // Prints the sixteen halves of a number as letters.
    let run = format!(
        "(call $seed (i32.const 1024))
         (call $bytes (i64.const 8) (i32.const 1040))
         (i64.store (i32.const 2000) (i64.xor (call $u64) (i64.load (i32.load (i32.const 1040)))))
         (loop $next
           (i32.store8 (i32.add (i32.const 2000) (local.get $i))
             (i32.add (i32.const 97)
               (i32.and (i32.const 15) (i32.load8_u (i32.add (i32.const 2000) (local.get $i))))))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $next (i32.lt_u (local.get $i) (i32.const 8))))
         (call $write (call $stdout) (i32.const 2000) (i32.const 8) (i32.const 1060)) {OK}"
    );
    let component = guest("0.2.0", PRINTS, &run).build();
    let host = host();
    let plugin = load(&host, &component).await.unwrap();
    let (report, first) = run_plugin(&plugin, Value::Null).await;
    report.result.expect("the step ends well");
    let (_, again) = run_plugin(&plugin, Value::Null).await;
    assert_eq!(first, again);
    let [(.., random), (.., printed)] = &first[..] else {
        panic!("{first:?}");
    };
    assert_eq!(random, &[json!(32)]);
    assert_eq!(printed[1].as_str().map(str::len), Some(8), "{printed:?}");
}

/// Prints a text from where `items` put it.
fn print(stream: &str, from: usize, length: usize) -> String {
    format!(
        "(call $write (call {stream}) (i32.const {from}) (i32.const {length}) (i32.const 1024))"
    )
}

#[tokio::test]
async fn what_is_printed_goes_to_the_log_line_by_line() {
    let text = "one\ntwo";
    let printing = |end: &str| Guest {
        items: format!("(data (i32.const 128) {:?})", text.replace('\n', "\\0a"))
            .replace("\\\\", "\\"),
        ..guest(
            "0.2.0",
            PRINTS,
            &format!(
                "{} {} {end}",
                print("$stderr", 128, 3),
                print("$stdout", 128, text.len())
            ),
        )
    };
    let lines = [
        r#"log("info", "one")"#,
        r#"log("info", "two")"#,
        r#"log("warn", "one")"#,
    ];
    check(printing(OK), &lines).await;
    // What was printed before a crash is what its author needs most.
    let (report, calls) = run_with(printing("unreachable"), Value::Null).await;
    let kind = TrapKind::Unreachable;
    assert_eq!(report.result, Err(StepError::Trap { kind }));
    assert_eq!(told(&calls), lines);
}

#[tokio::test]
async fn a_flood_of_lines_ends_the_step() {
    let run = format!(
        "(loop $again {} (br $again)) unreachable",
        print("$stdout", 128, 1)
    );
    let flood = Guest {
        items: r#"(data (i32.const 128) "\0a")"#.into(),
        ..guest("0.2.0", PRINTS, &run)
    };
    let (report, calls) = run_with(flood, Value::Null).await;
    // The streams that are handed out and never given back are bounded before the lines are.
    assert!(
        matches!(
            report.result,
            Err(StepError::MemoryLimit {
                most: 256,
                unit: "handles of WASI",
                ..
            })
        ),
        "{:?}",
        report.result
    );
    assert_eq!(calls.len(), 256);

    let run = "(local.set $i (call $stdout))
        (loop $again (call $write (local.get $i) (i32.const 128) (i32.const 1) (i32.const 1024)) (br $again))
        unreachable";
    let flood = Guest {
        items: r#"(data (i32.const 128) "\0a")"#.into(),
        ..guest("0.2.0", PRINTS, run)
    };
    let (report, calls) = run_with(flood, Value::Null).await;
    assert_eq!(report.result, Err(StepError::HostCallLimit { most: 1_000 }));
    assert_eq!(calls.len(), 1_000);
}

#[tokio::test]
async fn too_long_a_write_fails_and_too_much_chance_ends_the_step() {
    let run = [
        "(call $zeroes (call $stdout) (i64.const 5000) (i32.const 1024))".to_owned(),
        // `err(last-operation-failed(error))`.
        assert("(i32.load8_u (i32.const 1024))"),
        assert("(i32.eqz (i32.load8_u (i32.const 1028)))"),
        "(call $bytes (i64.const -1) (i32.const 1040))".to_owned(),
        OK.to_owned(),
    ];
    let (report, calls) = run_with(guest("0.2.0", PRINTS, &run.join("\n")), Value::Null).await;
    assert!(
        matches!(
            report.result,
            Err(StepError::MemoryLimit {
                unit: "random bytes at once",
                ..
            })
        ),
        "{:?}",
        report.result
    );
    assert_eq!(told(&calls), [""; 0]);
}

#[tokio::test]
async fn a_step_cannot_exit() {
    for status in [0, 1] {
        let run = format!("(call $exit (i32.const {status})) {OK}");
        let (report, _) = run_with(guest("0.2.0", PRINTS, &run), Value::Null).await;
        let kind = TrapKind::Exit;
        assert_eq!(report.result, Err(StepError::Trap { kind }));
    }
}

#[tokio::test]
async fn there_is_no_environment_no_file_and_no_network() {
    let imports = r#"
        (import "wasi:cli/environment@0.2.12" "get-environment" (func $environment (param i32)))
        (import "wasi:cli/environment@0.2.12" "get-arguments" (func $arguments (param i32)))
        (import "wasi:cli/terminal-stdout@0.2.12" "get-terminal-stdout" (func $terminal (param i32)))
        (import "wasi:cli/stdin@0.2.12" "get-stdin" (func $stdin (result i32)))
        (import "wasi:io/streams@0.2.12" "[method]input-stream.read" (func $read (param i32 i64 i32)))
        (import "wasi:filesystem/preopens@0.2.12" "get-directories" (func $directories (param i32)))
        (import "wasi:sockets/tcp-create-socket@0.2.12" "create-tcp-socket" (func $socket (param i32 i32)))
        (import "wasi:sockets/instance-network@0.2.12" "instance-network" (func $network (result i32)))
        (import "wasi:sockets/ip-name-lookup@0.2.12" "resolve-addresses"
            (func $resolve (param i32 i32 i32 i32)))"#;
    let nothing = |function: &str, place: u32| {
        let equal = format!("(i32.eqz (i32.load (i32.const {place})))");
        format!(
            "(i32.store (i32.const {place}) (i32.const 7)) (call {function} (i32.const 1024)) {}",
            assert(&equal)
        )
    };
    let denied = [
        assert("(i32.load8_u (i32.const 1024))"),
        assert("(i32.eq (i32.load8_u (i32.const 1028)) (i32.const 1))"),
    ]
    .concat();
    let run = [
        nothing("$environment", 1_028),
        nothing("$arguments", 1_028),
        nothing("$directories", 1_028),
        nothing("$terminal", 1_024),
        // At its end: `err(closed)`.
        "(call $read (call $stdin) (i64.const 10) (i32.const 1024))".to_owned(),
        denied.clone(),
        "(call $socket (i32.const 0) (i32.const 1024))".to_owned(),
        // The payload of this result is a handle or a byte, after four bytes.
        denied.clone(),
        "(call $resolve (call $network) (i32.const 64) (i32.const 2) (i32.const 1024))".to_owned(),
        denied,
        OK.to_owned(),
    ];
    check(guest("0.2.12", imports, &run.join("\n")), &[]).await;
}

#[tokio::test]
async fn every_release_of_0_2_is_admitted_and_nothing_else_of_wasi() {
    let host = host();
    for release in ["0.2.0", "0.2.5", "0.2.12", "0.2.40"] {
        let import: &'static str = match release {
            "0.2.0" => r#"(import "wasi:cli/stdout@0.2.0" "get-stdout" (func (result i32)))"#,
            "0.2.5" => r#"(import "wasi:cli/stdout@0.2.5" "get-stdout" (func (result i32)))"#,
            "0.2.12" => r#"(import "wasi:cli/stdout@0.2.12" "get-stdout" (func (result i32)))"#,
            _ => r#"(import "wasi:cli/stdout@0.2.40" "get-stdout" (func (result i32)))"#,
        };
        let component = guest(release, import, OK).build();
        // No capability is granted, and none is needed.
        let plugin = host
            .load(&component, &Grants::none(), &Limits::default())
            .await
            .unwrap_or_else(|complaints| panic!("{release}: {complaints:#?}"));
        assert_eq!(plugin.imports(), [""; 0]);
        let expected = ["error", "poll", "streams"].map(|name| format!("wasi:io/{name}@{release}"));
        let mut found = plugin.wasi().to_vec();
        found.retain(|name| name.starts_with("wasi:io/"));
        assert!(
            found.iter().all(|name| expected.contains(name)),
            "{found:?}"
        );
        assert!(
            plugin
                .wasi()
                .contains(&format!("wasi:cli/stdout@{release}"))
        );
        plugin.run(go("{}")).await.result.expect("it runs");
    }
    for (import, instead) in [
        (
            r#"(import "wasi:http/outgoing-handler@0.2.1" "handle" (func))"#,
            "`strowger:http/client`",
        ),
        (
            r#"(import "wasi:keyvalue/store@0.2.1" "open" (func))"#,
            "`strowger:kv/store`",
        ),
    ] {
        let component = guest("0.2.1", import, OK).build();
        let complaints = load(&host, &component).await.unwrap_err();
        let [complaint @ LoadError::Wasi { import: named, .. }] = &complaints[..] else {
            panic!("{complaints:#?}");
        };
        assert!(import.contains(named.as_str()), "{named}");
        assert!(complaint.to_string().contains(instead), "{complaint}");
    }
}

#[tokio::test]
async fn a_plugin_describes_itself_without_time_and_chance() {
    let describing = Guest {
        describe: Some(
            "(call $wall (i32.const 1024))
             (if (i64.ne (i64.load (i32.const 1024)) (i64.const 0)) (then unreachable))
             (call $block (call $after (i64.const 3000000)))
             (i32.store (i32.const 8) (i32.const 4096))
             (i32.store (i32.const 12) (i32.const 2000))
             (i32.const 8)",
        ),
        description: format!("{:<2000}", crate::guest::description().to_string()),
        ..guest("0.2.9", CLOCKS, OK)
    };
    load(&host(), &describing.build())
        .await
        .unwrap_or_else(|complaints| panic!("{complaints:#?}"));
}
