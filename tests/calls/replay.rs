//! `strowger replay` and `strowger trace`: contacts of the terminal and of real calls, walked again.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value as Json;
use strowger_server::replay::{
    Cause, Overrides, Recording, Replayed, Rerun, Stage, Verdict, from_file, replay,
};
use strowger_tests::program::{
    aurora, callbacks, copy_project, edit, free_port, repository, share_caches, strowger,
};
use strowger_tests::{OrderService, Raw};
use tempfile::TempDir;

use crate::world::{World, always_open};

const SCRIPT: &str = "2,1,20260302#,1";

/// A copy of the demo tenant, its order service, and a contact's journal in a file.
struct Recorded {
    folder: TempDir,
    project: PathBuf,
    journal: PathBuf,
    _orders: OrderService,
}

impl Recorded {
    /// A caller asks for an order in the terminal.
    fn order() -> Result<Recorded> {
        let orders = OrderService::start()?;
        let folder = TempDir::new()?;
        let project = folder.path().join("project");
        aurora(&project, orders.address)?;
        share_caches(&folder.path().join("data"))?;
        let recorded = Recorded {
            journal: folder.path().join("call.jsonl"),
            folder,
            project,
            _orders: orders,
        };
        recorded.call("main-menu", SCRIPT)?;
        Ok(recorded)
    }

    fn call(&self, flow: &str, script: &str) -> Result<()> {
        let project = text(&self.project);
        let (code, journal, errors) = strowger(&[
            "call",
            flow,
            "--script",
            script,
            "--format",
            "json",
            "--project",
            &project,
            "--data",
            &self.data(),
        ])?;
        assert_eq!(code, 0, "{errors}");
        Ok(std::fs::write(&self.journal, journal)?)
    }

    fn data(&self) -> String {
        text(&self.folder.path().join("data"))
    }

    /// Replays the journal: exit code, stdout, stderr.
    fn replay(&self, further: &[&str]) -> Result<(i32, String, String)> {
        let (journal, project, data) = (text(&self.journal), text(&self.project), self.data());
        let own = ["replay", &journal, "--project", &project, "--data", &data];
        strowger(&[&own[..], further].concat())
    }

    /// Another copy of the project, changed.
    fn draft(&self, file: &str, change: impl FnOnce(String) -> String) -> Result<String> {
        let draft = self.folder.path().join("draft");
        copy_project(&self.project, &draft)?;
        edit(&draft.join(file), change)?;
        Ok(text(&draft))
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// The orders' plugin with another path in its request.
fn another_request(component: &[u8]) -> Result<Vec<u8>> {
    let mut component = component.to_vec();
    let path = b"/orders/\xc0\x00";
    let at = component
        .windows(path.len())
        .position(|bytes| bytes == path);
    component[at.context("the request's path is in the component")? + 1] = b'0';
    Ok(component)
}

/// The line of a file that holds a text, from 1.
fn line_of(file: &Path, needle: &str) -> Result<usize> {
    let text = std::fs::read_to_string(file)?;
    let line = text.lines().position(|line| line.contains(needle));
    Ok(line.context("the line is there")? + 1)
}

#[test]
fn a_terminal_call_walks_again_as_it_did_without_its_service() -> Result<()> {
    let recorded = Recorded::order()?;
    let journal = std::fs::read_to_string(&recorded.journal)?;
    assert!(journal.contains("http.fetch"), "the order was looked up");
    // Recorded answers serve: the service may be gone.
    let Recorded {
        folder,
        project,
        journal,
        _orders,
    } = recorded;
    drop(_orders);
    let (data, project, journal) = (
        text(&folder.path().join("data")),
        text(&project),
        text(&journal),
    );
    let (code, out, errors) = strowger(&["replay", &journal, "-p", &project, "--data", &data])?;
    assert_eq!((code, errors.as_str()), (0, ""), "{out}");
    assert!(out.contains("the same"), "{out}");
    assert!(out.contains("flows and plugins are those of then"), "{out}");
    let (code, out, _) = strowger(&[
        "replay", &journal, "-p", &project, "--data", &data, "--format", "json",
    ])?;
    let result: Json = serde_json::from_str(&out)?;
    assert_eq!((code, &result["verdict"]), (0, &"same".into()));
    assert_eq!(result["unchanged"], true);
    Ok(())
}

#[test]
fn a_changed_flow_shows_its_first_difference_with_file_and_line() -> Result<()> {
    let recorded = Recorded::order()?;
    // A comment alone shifts lines, and nothing else.
    let draft = recorded.draft("main-menu.flow.yaml", |text| {
        format!("# A comment.\n{text}")
    })?;
    let (code, out, errors) = recorded.replay(&["--on", &draft])?;
    assert_eq!(code, 0, "{out}{errors}");
    assert!(!out.contains("are those of then"), "{out}");

    let draft = recorded.draft("main-menu.flow.yaml", |text| {
        text.replace(
            "{ to: orders, label: orders",
            "{ to: operator, label: orders",
        )
    })?;
    let file = Path::new(&draft).join("main-menu.flow.yaml");
    let line = line_of(&file, "menu: main_menu")?;
    let (code, out, errors) = recorded.replay(&["--on", &draft])?;
    assert_eq!(code, 1, "{out}{errors}");
    assert!(out.contains(&format!("{}:{line}", file.display())), "{out}");
    assert!(
        out.contains("orders, call") || out.contains("orders"),
        "{out}"
    );
    let (_, out, _) = recorded.replay(&["--on", &draft, "--format", "json"])?;
    let result: Json = serde_json::from_str(&out)?;
    assert_eq!(result["verdict"], "differs");
    assert_eq!(result["cause"], "flow");
    assert_eq!(result["then"]["entry"]["step"], "orders");
    assert_eq!(result["now"]["entry"]["step"], "operator");
    // What the caller would be led to leaves the house, which the old contact did not.
    for (wait, new) in [("3m", Json::Null), ("2m", Json::from("route.enqueue"))] {
        let draft = recorded.draft("main-menu.flow.yaml", |text| {
            text.replace("{ to: orders, label: orders", "{ to: desk, label: orders")
                .replace("max_wait: 3m", &format!("max_wait: {wait}"))
        })?;
        let (_, out, _) = recorded.replay(&["--on", &draft, "--format", "json"])?;
        let result: Json = serde_json::from_str(&out)?;
        // It waited for three minutes later on, which is none that it never made.
        assert_eq!(result["new_request"], new, "{wait}: {result}");
        let (_, out, _) = recorded.replay(&["--on", &draft])?;
        assert_eq!(out.contains("it was not sent"), !new.is_null(), "{out}");
    }
    // Behind another difference that leads nowhere new, nothing is told.
    let draft = recorded.draft("main-menu.flow.yaml", |text| {
        text.replace("{ to: orders, label: orders", "{ to: repeat, label: orders")
    })?;
    let (code, out, _) = recorded.replay(&["--on", &draft, "--format", "json"])?;
    let result: Json = serde_json::from_str(&out)?;
    assert_eq!(
        (code, &result["verdict"]),
        (1, &Json::from("differs")),
        "{out}"
    );
    assert!(result.get("new_request").is_none(), "{result}");
    Ok(())
}

#[test]
fn a_changed_plugin_s_new_request_is_told_and_not_sent() -> Result<()> {
    let recorded = Recorded::order()?;
    let old = recorded.project.join("plugins/aurora-orders.wasm");
    let component = another_request(&std::fs::read(&old)?)?;
    let new = recorded.folder.path().join("new.wasm");
    std::fs::write(&new, component)?;
    let plugin = format!("orders={}", new.display());
    let (code, out, errors) = recorded.replay(&["--plugin", &plugin])?;
    assert_eq!(code, 1, "{out}{errors}");
    assert!(out.contains("/0rders/20260302"), "{out}");
    assert!(out.contains("it was not sent"), "{out}");
    assert!(out.contains("the plugin is another one"), "{out}");
    let (code, out, errors) = recorded.replay(&["--plugin", &plugin, "--format", "json"])?;
    assert_eq!(code, 1, "{out}{errors}");
    let result: Json = serde_json::from_str(&out)?;
    let edge = result["edge"].as_str().context("an edge")?;
    assert!(
        edge.ends_with("ask http.fetch -> ask http.fetch with another path"),
        "{edge}"
    );
    let (code, _, errors) = recorded.replay(&["--plugin", "ordres=x.wasm"])?;
    assert_eq!(code, 2);
    assert!(errors.contains("orders"), "{errors}");
    Ok(())
}

/// What stands in for a plugin comes from the command line: strowger.toml is not at fault for it.
#[test]
fn a_stand_in_that_cannot_be_used_is_told_as_the_option_s_fault() -> Result<()> {
    let recorded = Recorded::order()?;
    let text_file = recorded.folder.path().join("notes.txt");
    std::fs::write(&text_file, "no component")?;
    let other = recorded.project.join("plugins/aurora-crm.wasm");
    for (file, told) in [
        (
            recorded.folder.path().join("nowhere.wasm"),
            "correct the path of --plugin",
        ),
        (text_file, "this is not WebAssembly"),
        (other, "is no orders: give --plugin another file"),
    ] {
        let plugin = format!("orders={}", file.display());
        let (code, out, errors) = recorded.replay(&["--plugin", &plugin])?;
        assert_eq!((code, out.as_str()), (2, ""), "{errors}");
        assert!(errors.contains(told), "no `{told}`: {errors}");
        assert!(
            errors.contains(&format!("has errors with --plugin {plugin}")),
            "{errors}"
        );
        for wrong in ["strowger.toml", "is not served", "strowger check"] {
            assert!(!errors.contains(wrong), "`{wrong}`: {errors}");
        }
    }
    Ok(())
}

#[test]
fn a_plugin_s_changed_configuration_is_told_as_the_cause() -> Result<()> {
    let recorded = Recorded::order()?;
    let draft = recorded.draft("strowger.toml", |text| {
        let changed = text.replace("base_url = \"http://", "base_url = \"https://");
        assert_ne!(changed, text);
        changed
    })?;
    let (code, out, errors) = recorded.replay(&["--on", &draft, "--format", "json"])?;
    assert_eq!(code, 1, "{out}{errors}");
    let result: Json = serde_json::from_str(&out)?;
    assert_eq!(result["cause"], "configuration", "{result}");
    let edge = result["edge"].as_str().context("an edge")?;
    assert!(
        edge.ends_with("configuration -> configuration with another base_url"),
        "{edge}"
    );
    let (_, out, _) = recorded.replay(&["--on", &draft])?;
    assert!(
        out.contains("`config` in strowger.toml is another one"),
        "{out}"
    );
    Ok(())
}

#[test]
fn another_configuration_that_no_step_reads_is_told_as_a_change_all_the_same() -> Result<()> {
    let recorded = Recorded::order()?;
    let unchanged = |draft: &str| -> Result<bool> {
        let (code, out, errors) = recorded.replay(&["--on", draft, "--format", "json"])?;
        assert_eq!(code, 0, "{out}{errors}");
        let result: Json = serde_json::from_str(&out)?;
        result["unchanged"].as_bool().context("true or false")
    };
    let here = text(&recorded.project);
    assert!(unchanged(&here)?, "nothing is another one");
    // The caller booked no callback, so no step read it: the components are those of then.
    let draft = recorded.draft("strowger.toml", |text| {
        let at = text
            .find("[plugins.callbacks]")
            .expect("the demo tenant has it");
        let (before, callbacks) = text.split_at(at);
        let changed = callbacks.replacen("base_url = \"http://", "base_url = \"https://", 1);
        assert_ne!(changed, callbacks);
        format!("{before}{changed}")
    })?;
    assert!(!unchanged(&draft)?);
    // A journal before format 6 does not say, and nothing is promised of it.
    edit(&recorded.journal, |journal| {
        let (before, rest) = journal
            .split_once("\"configuration\":\"")
            .expect("it is named");
        let (_, after) = rest.split_once("\",").expect("the text ends");
        format!("{before}{after}").replacen("\"format\":6", "\"format\":5", 1)
    })?;
    assert!(!unchanged(&here)?);
    Ok(())
}

/// A step of several actions.
const PLACED: &str = r#"flow: placed
format: 1
languages: [en]
steps:
  start:
    - say: Your order is placed.
    - tag: placed
    - goto: bye
  bye: { hangup: completed }
"#;

#[test]
fn another_verb_in_the_same_step_is_told_on_both_sides_with_its_own_line() -> Result<()> {
    let recorded = Recorded::order()?;
    std::fs::write(recorded.project.join("placed.flow.yaml"), PLACED)?;
    recorded.call("placed", "1")?;
    let draft = recorded.draft("placed.flow.yaml", |flow| {
        flow.replace("tag: placed", "say: Thank you.")
    })?;
    let file = Path::new(&draft).join("placed.flow.yaml");
    let line = line_of(&file, "Thank you")?;
    let (code, out, errors) = recorded.replay(&["--on", &draft])?;
    assert_eq!(code, 1, "{out}{errors}");
    for told in [
        format!("{}:{line}  step `start`, say;", file.display()),
        format!("then: flow placed:{line} start (tag)"),
        format!("now:  flow placed:{line} start (say)"),
    ] {
        assert!(out.contains(&told), "no `{told}`: {out}");
    }
    Ok(())
}

/// A caller who is asked for a secret, gives none, and then chooses.
const LATE: &str = r#"flow: late
format: 1
languages: [en]
vars: { pin: secret }
steps:
  start:
    ask: Your PIN?
    into: pin
    expect: { digits: 4..4 }
    sensitive: true
    attempts: 1
    then: { ok: bye, no_input: pause, no_match: pause }
  pause:
    - wait: 2s
    - goto: choice
  choice:
    menu: For sales, press 1.
    press: { 1: sales }
    then: { no_input: bye, no_match: bye }
  sales: { hangup: sales }
  bye: { hangup: completed }
"#;

#[test]
fn a_pause_that_was_changed_is_told_however_little_it_was() -> Result<()> {
    let recorded = Recorded::order()?;
    std::fs::write(recorded.project.join("late.flow.yaml"), LATE)?;
    recorded.call("late", ",1")?;
    for (pause, told) in [
        ("1500ms", "its time is over 0.5 s before that"),
        ("1s", "its time is over 1.0 s before that"),
        ("3s", "it goes on waiting"),
    ] {
        let draft = recorded.draft("late.flow.yaml", |flow| flow.replace("2s", pause))?;
        let (code, out, errors) = recorded.replay(&["--on", &draft])?;
        assert_eq!(code, 1, "{pause}: {out}{errors}");
        assert!(out.contains(told), "{pause}: {out}");
    }
    // An engine that was late then is no change of the flow's.
    let late = std::fs::read_to_string(&recorded.journal)?;
    let mut entries: Vec<Json> = late
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let tick = entries.iter().rposition(|entry| entry["kind"] == "tick");
    let tick = tick.context("its pause was over")?;
    assert_eq!(entries[tick]["late_ms"], 0);
    entries[tick]["late_ms"] = 700.into();
    for entry in &mut entries[tick..] {
        let at = entry["at"].as_u64().context("a time")?;
        entry["at"] = (at + 700).into();
    }
    let lines: String = entries.iter().map(|entry| format!("{entry}\n")).collect();
    std::fs::write(&recorded.journal, lines)?;
    let draft = recorded.draft("late.flow.yaml", |flow| format!("# A comment.\n{flow}"))?;
    let (code, out, errors) = recorded.replay(&["--on", &draft])?;
    assert_eq!(code, 0, "{out}{errors}");
    Ok(())
}

#[test]
fn a_request_that_is_granted_no_more_is_refused_and_told() -> Result<()> {
    let recorded = Recorded::order()?;
    let draft = recorded.draft("strowger.toml", |text| {
        let (before, orders) = text
            .split_once("[plugins.orders]")
            .expect("the demo tenant has it");
        let (own, after) = orders.split_once("\n[").expect("another table follows");
        let own: String = own
            .lines()
            .map(|line| match line.contains("grants") {
                true => "grants = { http = [\"other.example:443\"] }\n".to_owned(),
                false => format!("{line}\n"),
            })
            .collect();
        assert!(own.contains("other.example"), "{own}");
        format!("{before}[plugins.orders]{own}\n[{after}")
    })?;
    let (code, out, errors) = recorded.replay(&["--on", &draft, "--format", "json"])?;
    assert_eq!(code, 1, "{out}{errors}");
    let result: Json = serde_json::from_str(&out)?;
    assert_eq!(result["cause"], "grants", "{result}");
    let now = &result["now"]["entry"];
    assert_eq!(now["function"], "http.fetch", "{result}");
    assert!(now["result"]["err"]["denied"].is_string(), "{result}");
    let (_, out, _) = recorded.replay(&["--on", &draft])?;
    assert!(out.contains("not among the hosts granted"), "{out}");
    Ok(())
}

#[test]
fn a_service_that_the_operator_names_no_more_is_refused_and_told() -> Result<()> {
    let recorded = Recorded::order()?;
    let draft = recorded.draft("strowger.toml", |text| {
        let lines = text.lines().filter(|line| !line.starts_with("private = "));
        let closed: String = lines.map(|line| format!("{line}\n")).collect();
        assert!(closed.len() < text.len(), "{text}");
        closed
    })?;
    let (code, out, errors) = recorded.replay(&["--on", &draft, "--format", "json"])?;
    assert_eq!(code, 1, "{out}{errors}");
    let result: Json = serde_json::from_str(&out)?;
    assert_eq!(result["cause"], "grants", "{result}");
    let (_, out, _) = recorded.replay(&["--on", &draft])?;
    assert!(out.contains("limits.http.private"), "{out}");
    Ok(())
}

#[test]
fn other_audio_files_are_a_note_and_no_difference() -> Result<()> {
    let recorded = Recorded::order()?;
    let draft = recorded.draft("strowger.toml", |text| text)?;
    let mut found = vec![PathBuf::from(&draft)];
    let mut sounds = Vec::new();
    while let Some(folder) = found.pop() {
        for file in std::fs::read_dir(folder)? {
            let path = file?.path();
            match path.is_dir() {
                true => found.push(path),
                false if path.extension().is_some_and(|kind| kind == "wav") => sounds.push(path),
                false => {}
            }
        }
    }
    let sound = sounds.first().context("the demo tenant has audio")?;
    let mut bytes = std::fs::read(sound)?;
    *bytes.last_mut().context("a sample")? ^= 1;
    std::fs::write(sound, bytes)?;
    let (code, out, errors) = recorded.replay(&["--on", &draft, "--format", "json"])?;
    assert_eq!(code, 0, "{out}{errors}");
    let result: Json = serde_json::from_str(&out)?;
    assert_eq!(result["unchanged"], false);
    assert!(
        result["notes"].to_string().contains("audio files"),
        "{result}"
    );
    let (_, out, _) = recorded.replay(&["--on", &draft])?;
    assert!(out.contains("audio files are not those of then"), "{out}");
    let (_, out, _) = recorded.replay(&[])?;
    assert!(!out.contains("audio files"), "{out}");
    Ok(())
}

#[test]
fn a_journal_of_format_5_is_replayed_as_it_was_then() -> Result<()> {
    let recorded = Recorded::order()?;
    std::fs::write(recorded.project.join("late.flow.yaml"), LATE)?;
    recorded.call("late", ",1")?;
    let (code, out, errors) = recorded.replay(&[])?;
    assert_eq!(code, 0, "{out}{errors}");
    // Up to format 5 a key that came within a second after a step that got no secret was the next step's answer: so would the
    // caller's have been, had the flow paused for half a second.
    let draft = recorded.draft("late.flow.yaml", |flow| flow.replace("2s", "500ms"))?;
    let journal = std::fs::read_to_string(&recorded.journal)?;
    let mut entries: Vec<Json> = journal
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    assert_eq!(entries[0]["format"], strowger_contact::FORMAT, "{journal}");
    let pause = entries
        .iter()
        .position(|entry| entry["kind"] == "entered" && entry["verb"] == "wait")
        .context("it paused")?;
    for entry in &mut entries[pause + 1..] {
        let at = entry["at"].as_u64().context("a time")?;
        entry["at"] = (at - 1_500).into();
    }
    assert!(
        entries
            .iter()
            .any(|entry| entry["kind"] == "pressed" && entry["key"] == "1")
    );
    let replayed = |entries: &[Json]| -> Result<(i32, String, String)> {
        let lines: String = entries.iter().map(|entry| format!("{entry}\n")).collect();
        std::fs::write(&recorded.journal, lines)?;
        recorded.replay(&["--on", &draft])
    };
    // Today it is hidden, and nobody's answer.
    let (code, out, _) = replayed(&entries)?;
    assert_eq!(code, 1, "{out}");
    entries[0]["format"] = 5.into();
    let begun = entries[0].as_object_mut().context("an entry")?;
    begun.remove("configuration").context("format 6 names it")?;
    let (code, out, errors) = replayed(&entries)?;
    assert_eq!(code, 0, "{out}{errors}");
    assert!(out.contains("the same"), "{out}");
    Ok(())
}

#[test]
fn a_plugin_that_does_not_repeat_itself_is_told_as_such() -> Result<()> {
    let recorded = Recorded::order()?;
    // The same component, input and answers, but then it asked something else.
    edit(&recorded.journal, |text| {
        text.replace("/orders/20260302?", "/orders/20260302?try=1&")
    })?;
    let (code, out, _) = recorded.replay(&["--format", "json"])?;
    let result: Json = serde_json::from_str(&out)?;
    assert_eq!(
        (code, &result["cause"]),
        (1, &"not-repeated".into()),
        "{out}"
    );
    let (_, out, _) = recorded.replay(&[])?;
    assert!(out.contains("does not repeat itself"), "{out}");
    Ok(())
}

/// A step's time may be over in the moment in which its answer comes: the journal has both, and the guest had neither. How far
/// it comes in its processor time is the machine's.
#[test]
fn a_step_whose_time_was_over_as_its_answer_came_walks_again_as_it_did() -> Result<()> {
    const FLOW: &str = r#"flow: book
format: 1
languages: [en]
steps:
  start:
    - use: callbacks/book@1
      with: { phone: "+8613800138000" }
      then: { booked: booked, error: unsaved, timeout: unsaved }
  booked: { hangup: booked }
  unsaved: { hangup: unsaved }
"#;
    let folder = TempDir::new()?;
    let (project, data) = (folder.path().join("project"), folder.path().join("data"));
    // Nobody listens there.
    let orders = (std::net::Ipv4Addr::LOCALHOST, free_port()?).into();
    callbacks(&project, "late", orders, ("book", FLOW), "routes: []\n", "")?;
    share_caches(&data)?;
    let (project, data) = (text(&project), text(&data));
    let of = ["--project", &project, "--data", &data];
    let call = ["call", "book", "--script", "1", "--format", "json"];
    let (code, journal, errors) = strowger(&[&call[..], &of].concat())?;
    assert_eq!(code, 0, "{errors}");
    let mut entries: Vec<Json> = journal
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let failed = entries.iter().position(|entry| entry["kind"] == "failed");
    let failed = failed.context("the step fails")?;
    assert_eq!(entries[failed - 1]["kind"], "call", "{journal}");
    let file = folder.path().join("late.jsonl");
    // Another version, as far as anybody can tell: the same with a section that nothing reads.
    let mut another = std::fs::read(Path::new(&project).join("plugins/aurora-callbacks.wasm"))?;
    another.extend([0, 5, 4, b'n', b'o', b't', b'e']);
    let other = folder.path().join("another.wasm");
    std::fs::write(&other, another)?;
    let other = format!("callbacks={}", other.display());
    // A plugin that calls its own failure so is run, and fails otherwise by now.
    for (code, own, plugin, wanted) in [
        ("step-timeout", false, None, "the same"),
        ("step-timeout", true, None, "does not repeat itself"),
        ("step-cpu-limit", false, None, "taken from the journal"),
        ("step-cpu-limit", true, None, "does not repeat itself"),
        (
            "step-cpu-limit",
            false,
            Some(&other),
            "a matter of the machine",
        ),
    ] {
        entries[failed]["code"] = code.into();
        entries[failed]["message"] = "the step was busy for more than 5000 ms".into();
        if !own {
            let engine_s = entries[failed].as_object_mut().context("an entry")?;
            engine_s.remove("returned_retryable");
        } else {
            entries[failed]["returned_retryable"] = true.into();
        }
        let lines: Vec<String> = entries.iter().map(Json::to_string).collect();
        std::fs::write(&file, lines.join("\n") + "\n")?;
        let shown = text(&file);
        let mut arguments = [&["replay", &shown][..], &of].concat();
        if let Some(plugin) = plugin {
            arguments.extend(["--plugin", plugin]);
        }
        let (exit, out, errors) = strowger(&arguments)?;
        let same = !own && plugin.is_none();
        assert_eq!(exit, i32::from(!same), "{code}: {out}{errors}");
        assert!(out.contains(wanted), "{code}: {out}");
        if plugin.is_some() {
            arguments.extend(["--format", "json"]);
            let (_, out, _) = strowger(&arguments)?;
            let told: Json = serde_json::from_str(&out)?;
            assert_eq!(told["cause"], "time", "{out}");
        }
    }
    Ok(())
}

/// What callers do, so that steps come to most of their outcomes.
const SCRIPTS: [&str; 7] = [
    SCRIPT,
    "1,1,20260302#,1",
    "2,1,,20260302#,1",
    "2,7,1,20260302#,2",
    "2,1,12#,20260302#,1",
    ",1,20260302#,hangup",
    "2,1,99999999#,1",
];

/// A prompt and a step more before all others, where only errors lead: they shift the numbers of those after them.
fn shifted(flow: String) -> String {
    flow.replace("\n  error: sorry\n", "\n  error: extra\n")
        .replace(
            "\nprompts:\n",
            "\nprompts:\n  wait: { zh: 请稍候, en: One moment. }\n",
        )
        .replace(
            "\nsteps:\n",
            "\nsteps:\n  extra:\n    - say: wait\n    - goto: sorry\n",
        )
}

/// Replays journals on a project: with every step, and with the changed ones alone.
fn both_ways(
    project: &Path,
    data: &Path,
    plugins: &Overrides,
    recordings: &[Recording],
) -> Result<Vec<[Replayed; 2]>> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let stage = Arc::new(Stage::open(project, data, plugins).await?);
        let (on, recordings) = (stage.clone(), recordings.to_vec());
        let replayed = stage.run(async move {
            let mut replayed = Vec::new();
            for recording in &recordings {
                let every = replay(&on, recording, Rerun::Every).await;
                replayed.push([every, replay(&on, recording, Rerun::Changed).await]);
            }
            replayed
        });
        replayed.await.map_err(|end| anyhow::anyhow!("{end:?}"))
    })
}

#[test]
fn running_only_changed_steps_finds_the_same_differences() -> Result<()> {
    let recorded = Recorded::order()?;
    let mut recordings = Vec::new();
    for script in SCRIPTS {
        recorded.call("main-menu", script)?;
        recordings.push(from_file(&recorded.journal)?);
    }
    let data = recorded.folder.path().join("data");
    let main_menu = "main-menu.flow.yaml";
    let orders = "order-status.flow.yaml";
    // What each change makes of the seven: how many walk as they did.
    type Change = fn(String) -> String;
    let drafts: [(&str, Change, usize); 6] = [
        (main_menu, |text| text, 7),
        // Numbers of prompts and expressions shift.
        (main_menu, shifted, 7),
        (
            main_menu,
            |text| {
                text.replace(
                    "{ to: orders, label: orders",
                    "{ to: operator, label: orders",
                )
            },
            0,
        ),
        (
            orders,
            |text| text.replace("digits: 8..12", "digits: 9..12"),
            0,
        ),
        (orders, |text| text.replace("times: 2", "times: 3"), 7),
        (
            orders,
            |text| text.replace("not_found: not_found\n", "not_found: busy\n"),
            6,
        ),
    ];
    for (number, (file, change, same)) in drafts.into_iter().enumerate() {
        let draft = PathBuf::from(recorded.draft(file, change)?);
        let both = both_ways(&draft, &data, &Overrides::new(), &recordings)?;
        for [every, changed] in &both {
            assert_eq!(every, changed, "change {number}");
        }
        let walked = both
            .iter()
            .filter(|[every, _]| every.verdict == Verdict::Same);
        assert_eq!(walked.count(), same, "change {number}: {both:#?}");
    }
    // Another component of one plugin runs wherever it is asked.
    let component = recorded.project.join("plugins/aurora-orders.wasm");
    let other = recorded.folder.path().join("new.wasm");
    std::fs::write(&other, another_request(&std::fs::read(&component)?)?)?;
    let overrides = Overrides::from([("orders".to_owned(), other)]);
    let both = both_ways(&recorded.project, &data, &overrides, &recordings)?;
    let differ = |replayed: &Replayed| matches!(&replayed.verdict, Verdict::Differs(how) if how.cause == Cause::Plugin);
    assert!(both.iter().any(|[_, changed]| differ(changed)), "{both:#?}");
    for [every, changed] in &both {
        assert_eq!(every, changed, "another component");
    }
    Ok(())
}

#[test]
fn a_failure_that_a_plugin_returned_is_taken_from_the_journal_and_tried_again_as_the_flow_says()
-> Result<()> {
    let recorded = Recorded::order()?;
    let (there, nowhere) = (recorded._orders.address.to_string(), free_port()?);
    edit(&recorded.project.join("strowger.toml"), |text| {
        text.replace(&there, &format!("127.0.0.1:{nowhere}"))
    })?;
    recorded.call("main-menu", SCRIPT)?;
    let journal = std::fs::read_to_string(&recorded.journal)?;
    assert!(journal.contains("\"returned_retryable\":true"), "{journal}");
    let data = recorded.folder.path().join("data");
    let orders = "order-status.flow.yaml";
    for (times, same) in [("times: 2", true), ("times: 3", false)] {
        let draft = recorded.draft(orders, |flow| flow.replace("times: 2", times))?;
        let recording = from_file(&recorded.journal)?;
        let both = both_ways(Path::new(&draft), &data, &Overrides::new(), &[recording])?;
        // What it took to fail is in the one alone.
        let edges = both[0].each_ref().map(|replayed| match &replayed.verdict {
            Verdict::Differs(how) => {
                // How often a step is tried is the flow's to say.
                assert_eq!(how.cause, Cause::Flow, "{times}");
                Some((how.seq, how.edge.clone()))
            }
            _ => None,
        });
        assert_eq!(edges[0], edges[1], "{times}");
        assert_eq!(edges[1].is_none(), same, "{times}: {both:?}");
    }
    // It did not run: or it would be told that it asks something else.
    edit(&recorded.journal, |text| {
        text.replace("/orders/20260302?", "/orders/20260302?try=1&")
    })?;
    let recording = from_file(&recorded.journal)?;
    let both = both_ways(&recorded.project, &data, &Overrides::new(), &[recording])?;
    let [every, changed] = &both[0];
    assert!(
        matches!(&every.verdict, Verdict::Differs(how) if how.cause == Cause::NotRepeated),
        "{every:?}"
    );
    assert_eq!(changed.verdict, Verdict::Same);
    Ok(())
}

#[test]
fn of_a_plugin_that_does_not_repeat_itself_only_running_it_tells() -> Result<()> {
    let recorded = Recorded::order()?;
    edit(&recorded.journal, |text| {
        text.replace("/orders/20260302?", "/orders/20260302?try=1&")
    })?;
    let data = recorded.folder.path().join("data");
    let recording = from_file(&recorded.journal)?;
    let [[every, changed]] = both_ways(&recorded.project, &data, &Overrides::new(), &[recording])?
        .try_into()
        .map_err(|_| anyhow::anyhow!("one contact"))?;
    assert!(
        matches!(&every.verdict, Verdict::Differs(how) if how.cause == Cause::NotRepeated),
        "{every:?}"
    );
    assert_eq!(changed.verdict, Verdict::Same);
    // Of many contacts some are replayed whole, the first among them.
    let whole = (0..64).filter(|number| Rerun::of_many(*number) == Rerun::Every);
    assert_eq!(whole.collect::<Vec<_>>(), [0, 32]);
    Ok(())
}

#[test]
fn a_torn_last_entry_is_told_and_the_rest_is_replayed() -> Result<()> {
    let recorded = Recorded::order()?;
    let journal = std::fs::read(&recorded.journal)?;
    std::fs::write(&recorded.journal, &journal[..journal.len() - 20])?;
    let (code, out, errors) = recorded.replay(&[])?;
    assert_eq!(code, 0, "{out}{errors}");
    assert!(out.contains("broken off"), "{out}");
    // A hole in the middle is no torn end.
    let text = String::from_utf8(journal)?;
    let holed: String = text
        .lines()
        .filter(|line| !line.contains("\"seq\":9,"))
        .fold(String::new(), |all, line| all + line + "\n");
    std::fs::write(&recorded.journal, holed)?;
    let (code, _, errors) = recorded.replay(&[])?;
    assert_eq!(code, 2);
    assert!(errors.contains("entry 9 is missing"), "{errors}");
    std::fs::write(&recorded.journal, "{\"seq\":0}\nnonsense\n")?;
    let (code, _, errors) = recorded.replay(&[])?;
    assert_eq!(code, 2);
    assert!(errors.contains("call.jsonl:1"), "{errors}");
    Ok(())
}

#[test]
fn a_journal_of_the_first_format_is_shown_and_refused_for_replay() -> Result<()> {
    let journal = text(&repository().join("tests/calls/journals/format-1.jsonl"));
    let (code, out, errors) = strowger(&["trace", &journal])?;
    assert_eq!(code, 0, "{errors}");
    assert!(out.contains("flow vip-routing"), "{out}");
    let project = text(&repository().join("flows/aurora"));
    let folder = TempDir::new()?;
    share_caches(folder.path())?;
    let data = text(folder.path());
    let (code, _, errors) = strowger(&["replay", &journal, "-p", &project, "--data", &data])?;
    assert_eq!(code, 2);
    assert!(errors.contains("format 1"), "{errors}");
    Ok(())
}

#[test]
fn a_secret_is_in_no_journal_and_its_contact_walks_again() -> Result<()> {
    let recorded = Recorded::order()?;
    let flow = r#"flow: card
format: 1
vars: { card: secret }
steps:
  start:
    - ask: "Your card?"
      into: card
      expect: { digits: 12..19 }
      sensitive: true
      then: { ok: bye, no_input: bye, no_match: bye }
  bye: { hangup: completed }
"#;
    std::fs::write(recorded.project.join("card.flow.yaml"), flow)?;
    recorded.call("card", "4111222233334444#")?;
    let journal = std::fs::read_to_string(&recorded.journal)?;
    assert!(journal.contains("4444"), "the handle tells the last four");
    assert!(!journal.contains("41112222") && !journal.contains("\"key\":\"1\""));
    let (code, out, errors) = recorded.replay(&[])?;
    assert_eq!(code, 0, "{out}{errors}");
    Ok(())
}

#[test]
fn real_calls_are_replayed_traced_and_compared_and_one_cut_by_a_crash_too() -> Result<()> {
    let mut world = World::edited(always_open)?;
    let mut phone = world.dial("100")?;
    phone.listen(Duration::from_millis(300));
    phone.press("2120260302#1")?;
    phone.listen(Duration::from_millis(1_500));
    phone.cue()?;
    phone.ended()?;
    assert_eq!(world.engine.reason(&phone.call_id)?, "abandoned");
    let whole = world.engine.contact(&phone.call_id)?;
    assert_eq!(whole["content"].as_str().map(str::len), Some(64));
    let whole = whole["id"].as_str().context("an id")?.to_owned();
    let address = format!("/v1/contacts/{whole}/trace");
    let events = strowger_tests::http::get(world.engine.http, &address)?.json()?;
    let metered = events.as_array().into_iter().flatten().any(|event| {
        event["kind"] == "outcome" && event["meters"]["memory_bytes"].as_u64() > Some(0)
    });
    assert!(metered, "{events}");

    // One that ends before its flow begins.
    let mut nobody = Raw::new(world.engine.sip, "999")?;
    nobody.invite("")?;
    nobody.until("SIP/2.0 404")?;
    nobody.send("ACK", 1, "", "")?;
    assert_eq!(world.engine.reason(&nobody.call_id)?, "no-route");

    let mut phone = world.dial("100")?;
    phone.listen(Duration::from_millis(300));
    phone.press("21")?;
    phone.listen(Duration::from_millis(800));
    // Asking for the journal makes it durable; then the engine is killed in mid-call.
    let entries = world.engine.journal(&phone.call_id)?.len();
    let cut = world.engine.contact(&phone.call_id)?;
    let cut = cut["id"].as_str().context("an id")?.to_owned();
    world.engine.program.kill()?;
    let (project, data) = (text(&world.engine.project), text(&world.engine.data));
    for (id, note) in [(&whole, "the same"), (&cut, "its engine was stopped")] {
        let (code, out, errors) = strowger(&["replay", id, "-p", &project, "--data", &data])?;
        assert_eq!(code, 0, "{out}{errors}");
        assert!(out.contains(note), "{out}");
    }
    assert!(entries > 10);
    let (code, out, _) = strowger(&["trace", &cut, "-p", &project, "--data", &data])?;
    assert_eq!(code, 0);
    assert!(out.contains("pressed 1"), "{out}");

    // Sets: the last so many, those of a flow, and what another component would send.
    let set = |further: &[&str]| {
        let own = ["replay", "-p", &project, "--data", &data];
        strowger(&[&own[..], further].concat())
    };
    let (code, out, errors) = set(&["--against", "5", "--flow", "main-menu"])?;
    assert_eq!(code, 0, "{out}{errors}");
    assert!(out.contains("1 contacts: 1 the same"), "{out}");
    let (code, _, errors) = set(&["--against", "last-1d", "--flow", "order-status"])?;
    assert_eq!(code, 2, "{errors}");
    assert!(
        errors.contains("began in flow `order-status` ended in that time")
            && errors.contains("main-menu"),
        "{errors}"
    );
    // Of one contact there is no flow to choose.
    for of_many in [&["--flow", "main-menu"][..], &["--every-step"]] {
        let (code, out, errors) = set(&[&[whole.as_str()], of_many].concat())?;
        assert_eq!((code, out.as_str()), (2, ""), "{of_many:?}: {errors}");
        assert!(errors.contains("cannot be used with"), "{errors}");
    }
    for nonsense in ["0", "last-x", "last-1y", "-1"] {
        let (code, _, errors) = set(&[&format!("--against={nonsense}")])?;
        assert_eq!(code, 2, "{nonsense}: {errors}");
    }
    let old = Path::new(&project).join("plugins/aurora-orders.wasm");
    let new = another_request(&std::fs::read(old)?)?;
    let file = Path::new(&data).join("new.wasm");
    std::fs::write(&file, new)?;
    let plugin = format!("orders={}", file.display());
    let (code, out, errors) = set(&["--against", "all", "--plugin", &plugin, "--format", "json"])?;
    assert_eq!(code, 1, "{out}{errors}");
    let summary: Json = serde_json::from_str(out.lines().last().context("a summary")?)?;
    let summary = &summary["summary"];
    assert_eq!(summary["groups"][0]["cause"], "plugin", "{summary}");
    assert_eq!(summary["groups"][0]["examples"], serde_json::json!([whole]));
    let place = summary["groups"][0]["place"].as_str().unwrap_or_default();
    assert!(place.contains(".flow.yaml:"), "{summary}");
    let requests = summary["new_requests"].as_object().context("requests")?;
    assert!(
        requests
            .keys()
            .any(|request| request.ends_with("http.fetch")),
        "{summary}"
    );
    let (_, out, _) = set(&["--against", "all", "--plugin", &plugin])?;
    assert!(out.contains("would send what they never sent"), "{out}");

    edit(&Path::new(&project).join("main-menu.flow.yaml"), |text| {
        text.replace(
            "{ to: orders, label: orders",
            "{ to: operator, label: orders",
        )
    })?;
    let against = [
        "replay",
        "--against",
        "last-1d",
        "-p",
        &project,
        "--data",
        &data,
    ];
    let (code, out, errors) = strowger(&against)?;
    assert_eq!(code, 1, "{out}{errors}");
    assert!(
        out.contains("2 contacts: 0 the same, 1 differ, 1 not replayed"),
        "{out}"
    );
    assert!(
        out.contains("1  not replayed: the contact ended before its flow began, as `no-route`"),
        "{out}"
    );
    let (code, _, errors) = set(&["--against", "all", "--on", "draft"])?;
    assert_eq!(code, 2);
    assert!(
        errors.contains("served from its folder") && errors.contains("--on ../draft"),
        "{errors}"
    );
    assert!(
        out.contains("main-menu/main: step orders (call) -> step operator"),
        "{out}"
    );
    assert!(out.contains(&whole), "{out}");
    Ok(())
}
