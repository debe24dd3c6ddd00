//! What goes wrong is told, and never the caller's dead end.

use std::path::Path;

use anyhow::Result;
use strowger_contact::EntryKind;
use strowger_tests::program::{edit, repository, strowger};
use strowger_tests::{OrderService, Phone};

use crate::world::{LANGUAGE_ZH, PROMPT, World, always_open};

#[test]
fn a_service_that_is_down_leads_to_a_person() -> Result<()> {
    let mut world = World::edited(always_open)?;
    world.orders.program.kill()?;
    let mut phone = world.dial("200")?;
    phone.hear(&*world.zh("请输入订单号，按井号键结束。")?, PROMPT)?;
    phone.press("20260302#1")?;
    phone.hear(&*world.zh("系统正忙，为您转接人工。")?, PROMPT)?;
    phone.ended()?;
    assert_eq!(world.engine.reason(&phone.call_id)?, "operator");
    Ok(())
}

#[test]
fn a_caller_who_vanished_is_hung_up_on_and_one_who_was_never_heard_stays() -> Result<()> {
    let mut world = World::edited(|project| {
        always_open(project)?;
        edit(&project.join("strowger.toml"), |text| {
            text + "\n[media]\nvanished_after_s = 4\n"
        })
    })?;
    // A telephone behind a router that lets nothing out: its owner listens all the same.
    let mut mute = world.dial("100")?;
    let mut gone = world.dial("100")?;
    gone.hear(&*world.zh(LANGUAGE_ZH)?, PROMPT)?;
    gone.press("2")?;
    gone.fall_silent();
    gone.ended()?;
    assert_eq!(world.engine.reason(&gone.call_id)?, "vanished");
    let journal = world.engine.journal(&gone.call_id)?;
    let told = |kind: EntryKind| journal.iter().any(|entry| entry.kind == kind);
    assert!(told(EntryKind::Vanished) && !told(EntryKind::HungUp));
    mute.cue()?;
    mute.ended()?;
    assert_eq!(world.engine.reason(&mute.call_id)?, "abandoned");
    Ok(())
}

#[test]
fn hostile_plugins_hurt_only_their_own_step() -> Result<()> {
    let components = repository().join("plugins/target/components");
    let world = World::edited(|project| {
        always_open(project)?;
        let mut toml = String::new();
        let mut routes = String::new();
        for (number, (guest, input)) in HOSTILE.iter().enumerate() {
            std::fs::copy(
                components.join(format!("guest-{guest}.wasm")),
                project.join("plugins").join(format!("guest-{guest}.wasm")),
            )?;
            toml +=
                &format!("\n[plugins.guest-{guest}]\ncomponent = \"plugins/guest-{guest}.wasm\"\n");
            std::fs::write(
                project.join(format!("hostile-{guest}.flow.yaml")),
                hostile_flow(guest, input),
            )?;
            routes += &format!("  - to: \"66{number}\"\n    flow: hostile-{guest}\n");
        }
        edit(&project.join("strowger.toml"), |text| text + &toml)?;
        edit(&project.join("routes.yaml"), |text| text + &routes)
    })?;
    let mut world = world;
    // A neighbour is on the line all the while, and hears every frame of its prompts.
    let mut neighbour = world.dial("100")?;
    let mut calls = Vec::new();
    for number in 0..HOSTILE.len() {
        calls.push(Phone::dial(
            world.engine.sip,
            &format!("66{number}"),
            "call",
            &[],
        )?);
    }
    neighbour.hear(&*world.zh(LANGUAGE_ZH)?, PROMPT)?;
    for (call, (guest, _)) in calls.iter_mut().zip(HOSTILE) {
        call.hear(&*world.en("The plugin failed.")?, PROMPT)?;
        call.ended()?;
        assert_eq!(world.engine.reason(&call.call_id)?, "survived", "{guest}");
        let journal = world.engine.journal(&call.call_id)?;
        let failed = journal
            .iter()
            .any(|entry| matches!(&entry.kind, EntryKind::Failed { .. }));
        assert!(failed, "{guest}: the failure is in the journal");
    }
    neighbour.cue()?;
    neighbour.ended()
}

/// Guests that attack, and the input that makes them do so.
const HOSTILE: [(&str, &str); 5] = [
    ("loop", ""),
    ("memory", ""),
    ("trap", ""),
    ("liar", "    with: { kind: unknown-outcome }\n"),
    ("recursion", ""),
];

fn hostile_flow(guest: &str, input: &str) -> String {
    format!(
        "flow: hostile-{guest}\nformat: 1\nlanguages: [en]\nprompts:\n  failed: {{ en: The plugin failed. }}\n\
         steps:\n  start:\n    use: guest-{guest}/go@1\n{input}    then:\n      done: fine\n      error: caught\n      \
         timeout: caught\n      else: fine\n  fine:\n    - hangup: unharmed\n  caught:\n    - say: failed\n    - hangup: survived\n"
    )
}

#[test]
fn a_missing_prompt_file_is_told_at_check_and_a_damaged_one_is_an_error_edge_at_run_time()
-> Result<()> {
    let mut world = World::edited(|project| {
        std::fs::write(
            project.join("torn.flow.yaml"),
            "flow: torn\nformat: 1\nlanguages: [en]\nprompts:\n  gone: { any: { audio: audio/gone.wav } }\n  \
             sorry: { en: Something is missing. }\nglobal: { error: sorry }\nsteps:\n  start:\n    - say: gone\n    \
             - hangup: completed\n  sorry:\n    - say: sorry\n    - hangup: told\n",
        )?;
        std::fs::copy(
            project.join("audio/en/goodbye.wav"),
            project.join("audio/gone.wav"),
        )?;
        edit(&project.join("routes.yaml"), |text| {
            format!("{text}  - to: \"500\"\n    flow: torn\n")
        })
    })?;
    // It was there when the project was checked; now it is not, and nothing of it is in memory.
    std::fs::remove_file(world.engine.project.join("audio/gone.wav"))?;
    world.engine.program.kill()?;
    let (code, out, _) = strowger(&["check", &world.engine.project.display().to_string()])?;
    assert!(
        code == 1 && out.contains("nothing-to-play") && out.contains("audio/gone.wav"),
        "{code}: {out}"
    );
    // A file that is there and is no sound is found when the prompt is to be heard.
    std::fs::write(world.engine.project.join("audio/gone.wav"), "no sound")?;
    world.engine.restart()?;
    let mut phone = world.dial("500")?;
    phone.hear(&*world.en("Something is missing.")?, PROMPT)?;
    phone.ended()?;
    assert_eq!(world.engine.reason(&phone.call_id)?, "told");
    Ok(())
}

#[test]
fn bad_projects_are_refused_in_a_sentence() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let project = folder.path();
    let shown = project.display().to_string();
    let refused = |what: &str, words: &[&str], code: i32| -> Result<()> {
        let (got, out, err) = strowger(&[
            "serve",
            &shown,
            "--sip",
            "127.0.0.1:0",
            "--http",
            "127.0.0.1:0",
        ])?;
        let said = out + &err;
        assert_eq!(got, code, "{what}: {said}");
        for word in words {
            assert!(said.contains(word), "{what}: no `{word}` in: {said}");
        }
        Ok(())
    };
    refused("no project", &["strowger.toml", "a project is a folder"], 2)?;
    let write = |name: &str, text: &str| std::fs::write(project.join(name), text);
    write("strowger.toml", "[project\n")?;
    refused("no TOML", &["strowger.toml:1:"], 2)?;
    write("strowger.toml", "[project]\nname = \"x\"\ncolour = 1\n")?;
    refused("unknown key", &["colour", "strowger.toml:3:1"], 2)?;
    write("strowger.toml", "[project]\nname = \"x\"\n")?;
    refused("no flow", &["there is no flow"], 1)?;
    write(
        "ok.flow.yaml",
        "flow: ok\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    - say: Hello.\n    - hangup: done\n",
    )?;
    write("routes.yaml", "routes:\n  - { to: \"1\", flow: nowhere }\n")?;
    refused("route to nowhere", &["nowhere", "routes.yaml"], 1)?;
    write("routes.yaml", "routes:\n  - { to: 1, flwo: x }\n")?;
    refused("typo in routes", &["routes.yaml:2:", "flwo", "help: "], 2)?;
    write("routes.yaml", "routes: []\n")?;
    std::fs::copy(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../engine/flow/tests/flows/broken.flow.yaml"),
        project.join("broken.flow.yaml"),
    )?;
    refused(
        "flow with errors",
        &["error[unknown-prompt]", "broken.flow.yaml:", "unknown-step"],
        1,
    )?;
    Ok(())
}

#[test]
fn a_taken_port_is_one_clear_sentence() -> Result<()> {
    let taken = std::net::UdpSocket::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    let bench = repository().join("flows/bench").display().to_string();
    let data = tempfile::TempDir::new()?;
    let data = data.path().display().to_string();
    let (code, _, err) = strowger(&[
        "serve",
        &bench,
        "--sip",
        &address,
        "--http",
        "127.0.0.1:0",
        "--data",
        &data,
    ])?;
    assert_eq!(code, 2, "{err}");
    assert!(
        err.lines()
            .any(|line| line.starts_with("strowger: ") && line.contains(&address)),
        "{err}"
    );
    Ok(())
}

#[test]
fn an_address_of_another_machine_is_one_clear_sentence() -> Result<()> {
    let bench = repository().join("flows/bench").display().to_string();
    let data = tempfile::TempDir::new()?;
    let data = data.path().display().to_string();
    // TEST-NET-3 (RFC 5737): nobody's.
    for (sip, http, option) in [
        ("203.0.113.5:5060", "127.0.0.1:0", "--sip"),
        ("127.0.0.1:0", "203.0.113.5:8080", "--http"),
    ] {
        let (code, _, err) = strowger(&[
            "serve", &bench, "--sip", sip, "--http", http, "--data", &data,
        ])?;
        assert_eq!(code, 2, "{err}");
        let told: Vec<_> = err
            .lines()
            .filter(|line| line.starts_with("strowger: "))
            .collect();
        assert_eq!(told.len(), 1, "{err}");
        for word in ["203.0.113.5", "not one of this machine", option] {
            assert!(told[0].contains(word), "no `{word}` in {err}");
        }
    }
    Ok(())
}

#[test]
fn a_flow_walks_in_the_terminal_as_on_the_phone() -> Result<()> {
    let orders = OrderService::start()?;
    let engine = strowger_tests::Engine::aurora(&orders)?;
    always_open(&engine.project)?;
    let project = engine.project.display().to_string();
    let data = engine.data.join("terminal").display().to_string();
    let call = |script: &str| {
        strowger(&[
            "call",
            "main-menu",
            "--project",
            &project,
            "--data",
            &data,
            "--script",
            script,
        ])
    };
    let (code, out, err) = call("2,1,20260302#,1,hangup")?;
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("should arrive on March 5"), "{out}");
    let (code, out, _) = call("1,,,")?;
    assert_eq!(code, 0, "{out}");
    assert!(
        out.contains("我没有听到您的选择") && out.contains("请在听到提示后按键"),
        "{out}"
    );
    let (code, _, err) = call("one")?;
    assert_eq!(code, 2);
    assert!(err.contains("`one` in the script"), "{err}");
    Ok(())
}
