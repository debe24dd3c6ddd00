//! `strowger test` as a person or a CI server sees it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value as Json;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenario")
}

/// Runs `strowger test` in the folder of the fixtures; compiled plugins are kept among the build's files.
fn test(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_strowger"))
        .arg("test")
        .args(arguments)
        .args(["--data", concat!(env!("CARGO_TARGET_TMPDIR"), "/scenario")])
        .current_dir(fixtures())
        .output()
        .expect("the program runs")
}

fn told(arguments: &[&str], code: i32) -> String {
    let output = test(arguments);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{stderr}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn passing_tests_and_their_coverage() {
    insta::assert_snapshot!(told(&["passing", "--coverage"], 0));
}

#[test]
fn the_gap_after_a_key_passes_by_itself() {
    let text = told(&["entry/codes.flow.yaml"], 0);
    assert!(
        text.ends_with("2 tests: 2 passed, 0 failed, 0 skipped\n"),
        "{text}"
    );
}

#[test]
fn failures_show_line_expectation_and_conversation() {
    insta::assert_snapshot!(told(&["failing"], 1));
}

#[test]
fn junit_holds_failures_and_skips() {
    let text = told(&["failing", "passing", "--format", "junit", "-k", "n"], 1);
    insta::assert_snapshot!(text);
}

#[test]
fn github_annotates_the_line_that_failed() {
    insta::assert_snapshot!(told(&["failing", "--format", "github"], 1));
}

#[test]
fn json_is_one_object_a_line() {
    let text = told(
        &[
            "failing",
            "-k",
            "speech on the telephone",
            "--format",
            "json",
            "--coverage",
        ],
        1,
    );
    for line in text.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("an object a line");
    }
    insta::assert_snapshot!(text);
}

#[test]
fn a_file_is_tested_within_its_project_and_a_pattern_chooses() {
    let text = told(&["passing/main.flow.yaml", "-k", "HOLIDAY"], 0);
    assert!(
        text.contains("ok    on a holiday a message is left"),
        "{text}"
    );
    assert!(
        text.ends_with("1 test: 1 passed, 0 failed, 0 skipped\n"),
        "{text}"
    );
}

#[test]
fn the_same_tests_give_the_same_bytes_on_any_number_of_threads() {
    let one = told(&["passing", "failing", "--coverage", "-j", "1"], 1);
    let many = told(&["passing", "failing", "--coverage", "-j", "8"], 1);
    assert_eq!(one, many);
}

#[test]
fn results_go_into_a_file() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tests.xml");
    let name = file.display().to_string();
    let stdout = told(&["passing", "--format", "junit", "--output", &name], 0);
    assert_eq!(stdout, "");
    let xml = std::fs::read_to_string(&file).expect("written");
    assert!(xml.starts_with("<?xml"), "{xml}");
}

#[test]
fn what_cannot_be_run_says_what_to_do() {
    let output = test(&["nowhere.flow.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        stderr.contains("give a project's folder or a *.flow.yaml file"),
        "{stderr}"
    );
}

#[test]
fn programs_are_told_why_nothing_was_run() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("not-run");
    let broken = folder.join("broken");
    std::fs::create_dir_all(&broken).expect("a folder");
    let flow = "flow: slip\nformat: 1\nsteps:\n  start:\n    - say: Hello.\n    - hangup: completd\n      thne: start\n";
    let file = folder.join("slip.flow.yaml").display().to_string();
    std::fs::write(&file, flow).expect("written");
    std::fs::write(broken.join("strowger.toml"), "[project\n").expect("written");
    let broken = broken.display().to_string();
    let nowhere = folder.join("nowhere.flow.yaml").display().to_string();
    let toml = format!("{broken}/strowger.toml");
    for (given, code, named) in [
        (&file, 1, &file),
        (&broken, 2, &toml),
        (&nowhere, 2, &nowhere),
    ] {
        let json = told(&[given, "--format", "json"], code);
        assert!(!json.is_empty(), "{given}");
        for line in json.lines() {
            let line: Json = serde_json::from_str(line).expect("JSON");
            assert_eq!(line["kind"], "finding", "{line}");
            assert_eq!(line["level"], "error", "{line}");
            assert_eq!(line["file"], named.as_str(), "{line}");
        }
        let github = told(&[given, "--format", "github"], code);
        assert!(
            github.starts_with(&format!("::error file={named},line=")),
            "{github}"
        );
        let xml = folder.join("tests.xml").display().to_string();
        assert_eq!(
            told(&[given, "--format", "junit", "--output", &xml], code),
            ""
        );
        let xml = std::fs::read_to_string(&xml).expect("written");
        let head = "<testsuites name=\"strowger test\" tests=\"1\" failures=\"1\"";
        assert!(xml.contains(head) && xml.contains(named), "{xml}");
    }
}

#[test]
fn what_was_heard_too_early_or_nearly_is_told() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("near");
    std::fs::create_dir_all(&folder).expect("a folder");
    let flow = "flow: near\nformat: 1\nlanguages: [en]\nprompts: { offer: To buy a lamp press one. }\nsteps:\n  start:\n    \
                menu: offer\n    press: { 1: sold }\n    then: { no_input: sold, no_match: sold }\n  \
                sold: [ { say: Your lamp is on its way. }, { say: Thank you and goodbye. }, { hangup: completed } ]\n\
                tests:\n  a prompt before the key:\n    run:\n      - press: 1\n      - expect: offer\n  \
                words before the key:\n    run:\n      - press: 1\n      - expect: { hear: buy a lamp }\n  \
                nearly these words:\n    run:\n      - press: 1\n      - expect: { hear: Your lamps are on their way }\n  \
                nothing like these:\n    run:\n      - press: 1\n      - expect: { hear: 'Zzz, qqq, xxx' }\n";
    std::fs::write(folder.join("near.flow.yaml"), flow).expect("written");
    let file = folder.join("near.flow.yaml").display().to_string();
    let of = |name: &str| told(&["-k", name, &file], 1);
    let early = "got       heard before the caller's last act: “To buy a lamp press one.” (offer)";
    assert!(
        of("a prompt before").contains(early),
        "{}",
        of("a prompt before")
    );
    assert!(of("words before").contains(early), "{}", of("words before"));
    let nearly = of("nearly these");
    assert!(
        nearly.contains("got       nearest: “Your lamp is on its way.”"),
        "{nearly}"
    );
    let nothing = of("nothing like");
    assert!(
        !nothing.contains("nearest") && !nothing.contains("before the caller"),
        "{nothing}"
    );
    assert!(
        nothing.contains("heard “Thank you and goodbye.”"),
        "{nothing}"
    );
}

/// Writes a flow into a folder of its own; the file.
fn flow_file(name: &str, flow: &str) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join(format!("{name}.flow.yaml"));
    std::fs::write(&file, flow).expect("written");
    file.display().to_string()
}

#[test]
fn no_output_shows_a_secret() {
    let flow = r#"flow: secrets
format: 1
languages: [en]
steps:
  start:
    ask: Please enter your card number.
    expect: card
    into: card
    then: { ok: order, no_input: bye, no_match: bye }
  order:
    ask: Now your order number.
    expect: { digits: 8 }
    into: number
    then: { ok: word, no_input: bye, no_match: bye }
  word:
    ask: And your password.
    expect: text
    sensitive: true
    into: word
    then: { ok: message, no_input: bye, no_match: bye }
  message:
    record:
    sensitive: true
    into: spoken
    then: bye
  bye: { hangup: completed }
tests:
  a card on the telephone:
    run:
      - press: "4111111111111111#"
      - press: "20260302"
      - expect: { hear: something else }
  a card too early:
    run:
      - wait: 100ms
      - press: "4111111111111111#"
      - press: "20260302"
      - silence: 3
      - press: "4222222222222"
  a password in a chat:
    given: { channel: chat }
    run:
      - send: 4111 1111 1111 1111
      - press: "20260302"
      - send: hunter2topsecret
      - expect: { hear: something else }
  a card after the end:
    run:
      - press: "4111111111111111"
      - hangup
      - press: "4222222222222"
  a card that is not asked for:
    run:
      - press: "4111111111111111#"
      - silence: 3
      - press: "4222222222222"
"#;
    let file = flow_file("secrets", flow);
    for format in ["text", "json", "junit", "github"] {
        let text = told(&["--format", format, &file], 1);
        for secret in ["4111", "11111", "4222", "2222", "hunter2", "topse"] {
            assert!(!text.contains(secret), "{format}: {secret}\n{text}");
        }
    }
    let text = told(&[&file], 1);
    assert!(text.contains("presses •••••••••••••••••\n"), "{text}");
    assert!(text.contains("presses 20260302\n"), "{text}");
    assert!(text.contains("writes “••••••••••••••••”"), "{text}");
}

#[test]
fn what_is_said_into_a_secret_recording_is_not_shown() {
    let flow = "flow: said\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    record:\n    sensitive: true\n    into: spoken\n    \
                then: again\n  again:\n    record:\n    then: bye\n  bye: { hangup: completed }\n\
                tests:\n  two messages:\n    run:\n      - say: my name is Ada\n      - silence\n      \
                - say: and this is for all\n      - expect: { ends: abandoned }\n";
    let text = told(&[&flow_file("said", flow)], 1);
    assert!(!text.contains("Ada"), "{text}");
    assert!(text.contains("says “•"), "{text}");
    assert!(text.contains("says “and this is for all”"), "{text}");
}

#[test]
fn nobody_waits_longer_than_a_queue_or_a_ringing_telephone_lets_them() {
    let flow = r#"flow: waits
format: 1
languages: [en]
steps:
  start:
    queue: desk
    max_wait: 2m
    then: { done: bye, timeout: call, else: other }
  call:
    transfer: "+8613800138000"
    ring: 10s
    then: { done: bye, no_answer: late, busy: other, declined: other, failed: other }
  late: [ { say: Nobody was there. }, { hangup: nobody } ]
  other: [ { say: Something else. }, { hangup: other } ]
  bye: { hangup: completed }
tests:
  a mock that takes longer:
    mock:
      queue.desk: { outcome: done, after: 2h }
      transfer.+8613800138000: { outcome: busy, after: 1h }
    run:
      - expect: { queue: desk }
      - expect: { ends: nobody, within: 2m15s }
  a mock within the time:
    mock: { queue.desk: { outcome: done, after: 2m } }
    run:
      - expect: { ends: completed, within: 2m }
  people who talk:
    mock:
      queue.desk: { outcome: timeout }
      transfer.+8613800138000: { outcome: done, after: 20m }
    run:
      - expect: { ends: completed }
"#;
    let text = told(&[&flow_file("waits", flow)], 0);
    assert!(text.contains("3 passed"), "{text}");
}

#[test]
fn what_people_talk_after_a_transfer_is_not_the_contact_s_time() {
    let flow = r#"flow: talk
format: 1
languages: [en]
defaults: { max_duration: 1m }
steps:
  start:
    transfer: "+8613800138000"
    ring: 20s
    whisper: Hello.
    then: { done: after, else: other }
  after: [ { wait: 50s }, { say: You are back. }, { hangup: completed } ]
  other: { hangup: other }
tests:
  people who talk for hours:
    mock: { transfer.+8613800138000: { outcome: done, after: 2h } }
    run:
      - expect: { hear: You are back. }
      - expect: { ends: completed, within: 2h1m }
  ringing is the contact's time:
    mock: { transfer.+8613800138000: { outcome: busy, after: 20s } }
    run:
      - expect: { ends: other, within: 20s }
  who hangs up while people talk was handed over:
    mock: { transfer.+8613800138000: { outcome: done, after: 2h } }
    run:
      - expect: { transfer: "+8613800138000" }
      - wait: 1h
      - hangup
      - expect: { ends: transferred }
"#;
    let text = told(&[&flow_file("talk", flow)], 0);
    assert!(text.contains("3 passed"), "{text}");
    // Before the talk and after it the time runs.
    let late = flow.replace("wait: 50s", "wait: 70s");
    let text = told(&[&flow_file("talk-late", &late)], 1);
    assert!(text.contains("the contact ends: too-long"), "{text}");
}

#[test]
fn nothing_that_a_flow_says_moves_the_cursor_of_a_terminal() {
    let flow = r#"flow: odd
format: 1
languages: [en]
steps:
  start:
    - say: "One\e[2J\u009b31m two"
    - tag: "three\a"
    - hangup: completed
tests:
  "named \e]0;x\a":
    title: "called \e[1m"
    run:
      - expect: { hear: "nobody \e[31m says it" }
  passes: { skip: "\e[5m", run: [ hangup ] }
"#;
    let file = flow_file("odd", flow);
    for format in ["text", "github", "junit", "json"] {
        let text = told(&["--format", format, &file], 1);
        let bad = |c: char| c.is_control() && c != '\n';
        let shown = match format {
            // Where a program reads it each is escaped in the form's own way, and CI servers show no XML on terminals.
            "junit" | "json" => text.replace(|c| ('\u{80}'..='\u{9f}').contains(&c), ""),
            _ => text.clone(),
        };
        assert!(!shown.contains(bad), "{format}: {shown:?}");
        assert!(text.contains("One"), "{format}: {text}");
    }
    let text = told(&[&file], 1);
    for shown in [
        "“One\\u{1b}[2J",
        "named \\u{1b}]0;x\\u{7}",
        "called \\u{1b}[1m",
        "\\u{1b}[5m",
    ] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
}

#[test]
fn a_line_drops_and_its_caller_comes_back_or_does_not() {
    let flow = |run: &str| {
        let flow = r#"flow: cut
format: 1
languages: [en]
vars: { pin: secret }
global: { hangup: gone }
prompts: { which: { en: "One or two?" } }
steps:
  start:
    menu: which
    press: { 1: bye, 2: secret }
    then: { no_input: bye, no_match: bye }
  secret:
    ask: "Your PIN?"
    into: pin
    expect: { digits: 4..4 }
    sensitive: true
    then: { ok: after, no_input: bye, no_match: bye }
  after:
    menu: "Well?"
    press: { 1: bye }
    then: { no_input: bye, no_match: bye }
  gone: { hangup: abandoned }
  bye: { hangup: completed }
tests:
  one:
"#;
        flow_file("cut", &format!("{flow}    {run}\n"))
    };
    for run in [
        // Asked, and asked again.
        "run: [ drop, wait: 10m, call_back, { expect: { hear: cut off } }, press: 1, { expect: which }, press: 1, { expect: { ends: completed } } ]",
        "run: [ drop, call_back, press: 2, { expect: { ends: abandoned } } ]",
        "run: [ drop, call_back, silence, { expect: { ends: abandoned } } ]",
        "run: [ drop, wait: 1m, hangup, { expect: { ends: abandoned } } ]",
        "run: [ drop, call_back, drop, call_back, press: 1, { expect: which } ]",
    ] {
        let text = told(&[&flow(run)], 0);
        assert!(text.contains("1 passed"), "{run}: {text}");
    }
    for (run, why) in [
        (
            "run: [ press: 2, press: 1234, drop ]",
            "a line that can drop so that the caller may come back",
        ),
        (
            "given: { channel: chat }\n    run: [ drop ]",
            "write `hangup`",
        ),
        ("run: [ call_back ]", "write `drop`"),
        ("run: [ drop, press: 1 ]", "the line has dropped"),
    ] {
        let text = told(&[&flow(run)], 1);
        assert!(text.contains(why), "{run}: {text}");
    }
}

#[test]
fn ways_of_global_have_their_line() {
    let flow = "flow: lines\nformat: 1\nlanguages: [en]\nglobal:\n  press:\n    0: bye\n    star: { to: bye }\n  error: bye\n  \
                hangup: gone\n  too_long: bye\nsteps:\n  start:\n    menu: Press one.\n    press: { 1: bye }\n    \
                then: { no_input: bye, no_match: bye }\n  gone: { hangup: abandoned }\n  bye: { hangup: completed }\n\
                tests:\n  one:\n    run: [ press: 1 ]\n";
    let file = flow_file("lines", flow);
    let text = told(&["--coverage", &file], 0);
    let json = told(&["--coverage", "--format", "json", &file], 0);
    for (name, line) in [
        ("press 0", 6),
        ("press *", 7),
        ("error", 8),
        ("hangup", 9),
        ("too_long", 10),
    ] {
        let shown = format!("{file}:{line}  global → {name}");
        assert!(text.contains(&shown), "{shown}\n{text}");
        let shown = format!(r#""line":{line},"name":"global → {name}""#);
        assert!(json.contains(&shown), "{shown}\n{json}");
    }
}

#[test]
fn the_demo_project_passes_its_tests() {
    let aurora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../flows/aurora");
    let text = told(&[&aurora.display().to_string()], 0);
    assert!(text.contains(" 0 failed"), "{text}");
}

#[test]
fn a_change_runs_the_tests_again() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("watched");
    std::fs::create_dir_all(&folder).expect("a folder");
    let flow = |ends: &str| {
        format!(
            "flow: one\nformat: 1\nlanguages: [en]\nsteps:\n  start: {{ hangup: completed }}\n\
             tests:\n  ends:\n    run:\n      - expect: {{ ends: {ends} }}\n"
        )
    };
    let file = folder.join("one.flow.yaml");
    std::fs::write(&file, flow("other")).expect("written");
    let mut program = Command::new(env!("CARGO_BIN_EXE_strowger"))
        .args(["test", "--watch", "one.flow.yaml", "--data"])
        .arg(concat!(env!("CARGO_TARGET_TMPDIR"), "/scenario"))
        .current_dir(&folder)
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the program runs");
    let talk = BufReader::new(program.stderr.take().expect("a pipe"));
    let mut lines = talk.lines().map_while(Result::ok);
    let mut said = |what: &str| lines.find(|line| line.contains(what)).expect("it goes on");
    let first = said(" passed, ");
    std::fs::write(&file, flow("completed")).expect("written");
    let second = said(" passed, ");
    // Some editors put another file in a file's place, which is not there for a moment.
    std::fs::remove_file(&file).expect("removed");
    said("cannot read one.flow.yaml");
    std::fs::write(&file, flow("other")).expect("written");
    let third = said(" passed, ");
    // It watches until it is interrupted.
    program.kill().expect("still there");
    program.wait().expect("ended");
    assert!(first.starts_with("0 passed, 1 failed"), "{first}");
    assert!(second.starts_with("1 passed, 0 failed"), "{second}");
    assert!(third.starts_with("0 passed, 1 failed"), "{third}");
}

/// A host of its own for each would need more addresses than a process has.
#[test]
fn many_files_that_stand_alone_are_tested_together() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("alone");
    std::fs::create_dir_all(&folder).expect("a folder");
    let files: Vec<String> = (0..12)
        .map(|number| {
            let file = folder.join(format!("f{number}.flow.yaml"));
            let flow = format!(
                "flow: f{number}\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    - say: Hello.\n    - hangup: completed\n\
                 tests:\n  ends:\n    run:\n      - expect: {{ hear: Hello. }}\n      - expect: {{ ends: completed }}\n"
            );
            std::fs::write(&file, flow).expect("written");
            file.display().to_string()
        })
        .collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let output = test(&files);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("12 passed, 0 failed"), "{told}");
}

#[test]
fn several_projects_are_tested_together() {
    let flow = "flow: one\nformat: 1\nlanguages: [en]\nsteps:\n  start: { hangup: completed }\n\
                tests:\n  ends:\n    run:\n      - expect: { ends: completed }\n";
    let folders: Vec<String> = (0..6)
        .map(|number| {
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("several/p{number}"));
            std::fs::create_dir_all(&folder).expect("a folder");
            std::fs::write(
                folder.join("strowger.toml"),
                format!("[project]\nname = \"p{number}\"\n"),
            )
            .expect("written");
            std::fs::write(folder.join("one.flow.yaml"), flow).expect("written");
            folder.display().to_string()
        })
        .collect();
    let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
    let output = test(&folders);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("6 passed, 0 failed"), "{told}");
}

/// A project with the plugins of the demo tenant and one flow; its folder.
fn demo_with(name: &str, flow: &str) -> String {
    let aurora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../flows/aurora");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("demo-{name}"));
    std::fs::create_dir_all(folder.join("plugins")).expect("a folder");
    std::fs::copy(aurora.join("strowger.toml"), folder.join("strowger.toml")).expect("the demo");
    for plugin in std::fs::read_dir(aurora.join("plugins")).expect("`make guests` was run") {
        let plugin = plugin.expect("readable");
        let copy = folder.join("plugins").join(plugin.file_name());
        std::fs::copy(plugin.path(), copy).expect("copied");
    }
    std::fs::write(folder.join(format!("{name}.flow.yaml")), flow).expect("written");
    folder.display().to_string()
}

#[test]
fn a_request_that_nobody_mocks_fails_and_says_how_to_mock_it() {
    let flow = "flow: ask\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    use: crm/caller@2\n    \
                with: { phone: \"${call.from}\" }\n    then: { known: bye, unknown: bye, timeout: bye, error: bye }\n  \
                bye: { hangup: completed }\ntests:\n  asks the service:\n    run:\n      - expect: { ends: completed }\n";
    let output = test(&[&demo_with("ask", flow)]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(
        output.status.code(),
        Some(1),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        text.contains("`crm/caller` sends a request (GET http://127.0.0.1:8090/"),
        "{text}"
    );
    assert!(
        text.contains("`mock: { crm/caller: { outcome: … } }`"),
        "{text}"
    );
}

#[test]
fn a_mocked_step_that_is_too_slow_times_out() {
    let flow = "flow: slow\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    use: crm/caller@2\n    \
                with: { phone: \"${call.from}\" }\n    timeout: 3s\n    \
                then: { known: bye, unknown: bye, timeout: late, error: bye }\n  \
                late: { hangup: late }\n  bye: { hangup: completed }\n\
                tests:\n  slow:\n    mock: { crm/caller: { outcome: unknown, after: 1h } }\n    run:\n      \
                - expect: { ends: late, within: 3s }\n  just in time:\n    mock: { crm/caller: { outcome: unknown, after: 3s } }\n    \
                run:\n      - expect: { ends: completed, within: 3s }\n";
    let text = told(&[&demo_with("slow", flow)], 0);
    assert!(text.contains("2 passed"), "{text}");
}

#[test]
fn a_mocked_step_refuses_an_input_that_the_real_one_refuses() {
    let flow = "flow: refuse\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    use: orders/lookup@1\n    \
                with: { order_no: \"${call.to}\" }\n    \
                then: { found: bye, not_found: bye, timeout: bye, error: refused }\n  \
                refused: { hangup: refused }\n  bye: { hangup: completed }\n\
                tests:\n  too short:\n    given: { call.to: \"123\" }\n    mock: { orders/lookup: { outcome: not_found } }\n    run:\n      \
                - expect: { ends: completed }\n  long enough:\n    given: { call.to: \"12345678\" }\n    \
                mock: { orders/lookup: { outcome: not_found } }\n    run:\n      - expect: { ends: completed }\n";
    let text = told(&[&demo_with("refuse", flow)], 1);
    assert!(text.contains("1 passed, 1 failed"), "{text}");
    assert!(
        text.contains("the step's input does not fit its description"),
        "{text}"
    );
    assert!(text.contains("it ended with `refused`"), "{text}");
}

/// An answer of a kind, and an expression over it (`$`) that is true only where it is of the kind's own type.
struct Answered {
    expect: &'static str,
    act: &'static str,
    holds: &'static str,
}

/// What must be so of an answer of each kind, wherever a flow has a name for it.
fn answered(kind: &str) -> Answered {
    let (expect, act, holds) = match kind {
        "digits" => (
            "{ digits: 4 }",
            "press: 1234",
            "$ == '1234' and ($ | length) == 4",
        ),
        "yes_no" => ("yes_no", "press: 1", "$ and not (not $)"),
        "number" => (
            "{ number: 1..200 }",
            "press: '100#'",
            "$ % 2 == 0 and $ + 1 > 100",
        ),
        "date" => (
            "date",
            "press: 20260110",
            "$ >= now.date and $.day == 10 and $ - now.date < '720h'",
        ),
        "time" => (
            "time",
            "press: 1030",
            "$ > '09:00' and $ > now.time and $.hour == 10",
        ),
        "money" => (
            "money",
            "press: '100#'",
            "$ < limit and $ + $ == '200.00 CNY' and $.currency == 'CNY'",
        ),
        "phone" => (
            "phone",
            "press: '13800138001#'",
            "$ != call.from and ($ | length) > 5",
        ),
        "text" => (
            "text",
            "send: lamps",
            "$ == 'lamps' and ($ | upper) == 'LAMPS'",
        ),
        "card" => ("card", "press: '4111111111111111#'", "($ | last4) != ''"),
        "one_of" => (
            "{ one_of: [red, blue] }",
            "press: 2",
            "$ == 'blue' and $ in ['blue']",
        ),
        kind => panic!("`expect: {kind}` is new: say here what holds of such an answer"),
    };
    Answered { expect, act, holds }
}

/// Asks for one answer of each kind and holds it against `holds` in `valid:`, in `confirm:` and behind the step, by each of its names.
#[test]
fn an_answer_is_of_the_type_that_its_kind_says_wherever_it_has_a_name() {
    let mut files = Vec::new();
    for kind in strowger_flow::answer_kinds() {
        let Answered { expect, act, holds } = answered(kind);
        let by = |name: &str| holds.replace('$', name);
        let channel = if act.starts_with("send") {
            "chat"
        } else {
            "voice"
        };
        let head =
            "format: 1\nlanguages: [en]\nvars: { limit: { type: money, default: 500.00 CNY } }\n";
        let ways = "  good: { hangup: good }\n  bad: { hangup: bad }\n";
        let flow = format!(
            "flow: asked-{kind}\n{head}steps:\n  start:\n    ask: What is it?\n    expect: {expect}\n    into: x\n    as: all\n    \
             valid: ({}) and ({})\n    confirm: \"${{'right' if ({}) and ({}) else 'wrong'}}?\"\n    \
             then: {{ ok: look, no_input: bad, no_match: bad }}\n  look:\n    if: ({}) and ({})\n    then: good\n    else: bad\n{ways}\
             tests:\n  {kind}:\n    given: {{ channel: {channel} }}\n    run: [ {{ {act} }}, {{ expect: {{ hear: right }} }}, {{ press: 1 }}, \
             {{ expect: {{ ends: good }} }} ]\n",
            by("x"),
            by("value"),
            by("x"),
            by("value"),
            by("x"),
            by("all.value"),
        );
        files.push(flow_file(&format!("asked-{kind}"), &flow));
        // A survey takes no secrets.
        if kind == "card" {
            continue;
        }
        let flow = format!(
            "flow: surveyed-{kind}\n{head}steps:\n  start:\n    survey: [ {{ name: q, ask: What is it?, expect: {expect} }} ]\n    into: some\n    \
             as: all\n    then: {{ done: look, else: bad }}\n  look:\n    \
             if: some.q is not none and all.answers.q is not none and ({}) and ({})\n    then: good\n    else: bad\n{ways}\
             tests:\n  {kind}:\n    given: {{ channel: {channel} }}\n    run: [ {{ {act} }}, {{ expect: {{ ends: good }} }} ]\n",
            by("some.q"),
            by("all.answers.q"),
        );
        files.push(flow_file(&format!("surveyed-{kind}"), &flow));
    }
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let text = told(&files, 0);
    let all = format!("{} passed, 0 failed", files.len());
    assert!(text.contains(&all), "{text}");
}

/// A day in the past and an amount above a variable's are no answers, and the step goes on asking.
#[test]
fn a_date_and_an_amount_are_held_against_the_flow_s_own() {
    let flow = r#"flow: visit
format: 1
languages: [en]
vars:
  limit: { type: money, default: 500.00 CNY }
steps:
  start:
    ask: On which day shall we come?
    expect: date
    into: day
    valid: day >= now.date
    confirm: "On ${day.weekday}, ${day}?"
    reprompt: { no_match: [That day is over.] }
    then: { ok: amount, no_input: bye, no_match: bye }
  amount:
    ask: How much may it cost?
    expect: money
    into: most
    valid: most <= limit and value > "0.00 CNY"
    confirm: "${most}, and ${(most + most) | money} for two?"
    reprompt: { no_match: [That is too much.] }
    then: { ok: booked, no_input: bye, no_match: bye }
  booked: { hangup: booked }
  bye: { hangup: completed }
tests:
  both:
    run:
      - press: "20260104"
      - expect: { hear: That day is over. }
      - press: "20260110"
      - expect: { hear: "On saturday, January 10, 2026?" }
      - press: 1
      - press: "501#"
      - expect: { hear: That is too much. }
      - press: "100#"
      - expect: { hear: "one hundred yuan, and two hundred yuan for two?" }
      - press: 1
      - expect: { ends: booked }
  in a chat:
    given: { channel: chat }
    run:
      - send: 2026-1-10
      - expect: { hear: "On saturday, January 10, 2026?" }
      - press: 1
      - send: 501
      - expect: { hear: That is too much. }
      - send: "¥100"
      - expect: { hear: "¥100.00, and ¥200.00 for two?" }
      - press: 1
      - expect: { ends: booked }
"#;
    let text = told(&[&flow_file("visit", flow)], 0);
    assert!(text.contains("2 passed"), "{text}");
}

#[test]
fn a_chat_is_joined_to_no_telephone() {
    let flow = r#"flow: unjoined
format: 1
languages: [en]
steps:
  start:
    transfer: "+8613800138000"
    ring: 20s
    then: { done: bye, no_answer: late, failed: alone, else: bye }
  alone: [ { say: Please call us. }, { hangup: alone } ]
  late: { hangup: late }
  bye: { hangup: completed }
tests:
  in a chat:
    given: { channel: chat }
    run: [ { expect: { transfer: "+8613800138000", hear: Please call us. } }, { expect: { ends: alone, within: 0s } } ]
  on the telephone:
    run: [ { expect: { transfer: "+8613800138000" } }, { silence: 1 }, { expect: { ends: late } } ]
"#;
    let text = told(&[&flow_file("unjoined", flow)], 0);
    assert!(text.contains("2 passed"), "{text}");
}

/// What a flow computes beyond the bounds counts as the nearest, wherever it is seen.
#[test]
fn a_priority_is_a_whole_number_from_0_to_100() {
    let flow = r#"flow: first
format: 1
languages: [en]
steps:
  start:
    - set: { call.priority: "${call.priority + 60}" }
    - set: { call.priority: "${call.priority + 60}" }
    - say: "It is ${call.priority}."
    - set: { call.priority: "${0 - call.priority}" }
    - say: "It is ${call.priority}."
    - set: { call.priority: "${70.9}" }
    - say: "It is ${call.priority}."
    - hangup: completed
tests:
  bounds: { run: [ { expect: { hear: It is 100. } }, { expect: { hear: It is 0. } }, { expect: { hear: It is 70., priority: 70 } } ] }
"#;
    let text = told(&[&flow_file("first", flow)], 0);
    assert!(text.contains("1 passed"), "{text}");
}
