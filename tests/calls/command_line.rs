//! The program's verbs on projects with mistakes, and scripted calls.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;
use strowger_tests::program::{free_port, repository, strowger};
use tempfile::TempDir;

/// A project of one flow, in a folder of its own.
pub struct Project(TempDir);

impl Project {
    pub fn new(flow: &str) -> Result<Project> {
        let project = Project(TempDir::new()?);
        project.write("strowger.toml", "[project]\nname = \"x\"\n")?;
        project.write("x.flow.yaml", flow)?;
        project.write("routes.yaml", "routes: [ { to: \"1\", flow: x } ]\n")?;
        Ok(project)
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        Ok(std::fs::write(self.path().join(name), text)?)
    }

    pub fn run(&self, verb: &[&str]) -> Result<(i32, String, String)> {
        let folder = self.path().display().to_string();
        let data = self.path().join(".strowger").display().to_string();
        let mut arguments = verb.to_vec();
        match verb[0] {
            "call" => arguments.extend(["--project", &folder, "--data", &data]),
            _ => arguments.push(&folder),
        }
        strowger(&arguments)
    }
}

/// A flow without faults.
pub const HELLO: &str = "flow: x\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    - say: Hello.\n    - hangup: done\n";

/// Replays a contact of the terminal: exit code and all that is said.
fn walked_again(project: &Project, script: &str) -> Result<(i32, String)> {
    let (code, journal, err) =
        project.run(&["call", "x", "--script", script, "--format", "json"])?;
    assert_eq!(code, 0, "{err}");
    let file = project.path().join("call.jsonl");
    std::fs::write(&file, journal)?;
    let (file, folder) = (
        file.display().to_string(),
        project.path().display().to_string(),
    );
    let data = project.path().join(".strowger").display().to_string();
    let (code, out, err) = strowger(&["replay", &file, "-p", &folder, "--data", &data])?;
    Ok((code, out + &err))
}

#[test]
fn a_fraction_is_read_back_as_it_was_written() -> Result<()> {
    let flow = "flow: x
format: 1
languages: [en]
vars: { share: { type: number, default: 0 } }
steps:
  start:
    - set: { share: \"${1 / 11}\" }
    - set: { share: \"${123 / 7919 + share / 3}\" }
    - say: \"${share}\"
    - hangup: done
";
    let (code, told) = walked_again(&Project::new(flow)?, "")?;
    assert_eq!(code, 0, "{told}");
    Ok(())
}

#[test]
fn a_value_that_grows_inwards_has_an_end_before_its_journal_has_none() -> Result<()> {
    let flow = "flow: x
format: 1
languages: [en]
vars: { l: { type: list }, i: { type: number, default: 0 } }
global: { error: sorry }
steps:
  start:
    - set: { l: \"${[1]}\" }
    - goto: loop
  loop:
    - set: { l: \"${[l]}\", i: \"${i + 1}\" }
    - if: i < 130
      then: loop
      else: whole
  whole: { hangup: whole }
  sorry:
    - say: Sorry.
    - hangup: too_deep
";
    let project = Project::new(flow)?;
    let (code, told) = walked_again(&project, "")?;
    assert_eq!(code, 0, "{told}");
    let journal = std::fs::read_to_string(project.path().join("call.jsonl"))?;
    assert!(journal.contains("more than 64 deep"), "{journal}");
    assert!(journal.contains("too_deep"), "{journal}");
    Ok(())
}

#[test]
fn what_is_given_to_a_plugin_by_hand_is_json_or_told_as_none() -> Result<()> {
    for (arguments, wanted) in [
        (["greet", "{", "--config", "{}"], "the input is no JSON"),
        (
            ["greet", "[1]", "--config", "{}"],
            "the input is JSON, and no object",
        ),
        (
            ["greet", "{}", "--config", "garbage"],
            "--config is no JSON",
        ),
        (
            ["greet", "{}", "--config", "[1]"],
            "--config is JSON, and no object",
        ),
    ] {
        let own = ["plugin", "run", "--component", "no-such.wasm"];
        let (code, _, err) = strowger(&[&own[..], &arguments].concat())?;
        assert_eq!(code, 2, "{err}");
        assert!(err.contains(wanted), "{arguments:?}: {err}");
    }
    Ok(())
}

#[test]
fn a_file_that_is_no_token_is_told_as_that() -> Result<()> {
    let folder = TempDir::new()?;
    let file = folder.path().join("token");
    std::fs::write(&file, "# the token of the centre\nstrowger_abc\n")?;
    let file = file.display().to_string();
    let asked = ["release", "--list", "--tenant", "x", "--token-file", &file];
    let (code, _, err) = strowger(&asked)?;
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("is no token"), "{err}");
    Ok(())
}

#[test]
fn errors_of_plugins_files_and_flows_come_at_once() -> Result<()> {
    let project = Project::new(&HELLO.replace("Hello.", "nowhere"))?;
    project.write(
        "strowger.toml",
        "[project]\nname = \"x\"\n[plugins.orders]\ncomponent = \"no.wasm\"\n",
    )?;
    project.write("routes.yaml", "routes:\n  - { to: \"1\", flow: x\n")?;
    project.write("queues.yaml", "queues:\n  a: { titel: x }\n")?;
    let serve = ["serve", "--sip", "127.0.0.1:0", "--http", "127.0.0.1:0"];
    for verb in [&serve[..], &["call", "x", "--script", ""], &["check"]] {
        let (code, out, err) = project.run(verb)?;
        let said = out + &err;
        // A file beside the flows that cannot be read is no matter of the flows.
        let expected = if verb[0] == "check" { 1 } else { 2 };
        assert_eq!(code, expected, "{verb:?}: {said}");
        for word in [
            "strowger.toml:4:1",
            "cannot read",
            "routes.yaml:2:5",
            "queues.yaml:2:8",
            "error[unknown-prompt]",
            "x.flow.yaml:6:12",
        ] {
            assert!(said.contains(word), "{verb:?}: no `{word}` in {said}");
        }
        // Frames stand as they are; the sentence after them says who speaks.
        let spoken = said.lines().filter(|line| line.starts_with("strowger: "));
        assert_eq!(spoken.count(), usize::from(verb[0] != "check"), "{said}");
    }
    Ok(())
}

#[test]
fn a_pattern_that_fits_no_test_is_a_slip_and_not_success() -> Result<()> {
    let project = Project::new(&format!(
        "{HELLO}tests:\n  greets:\n    run: [ {{ expect: {{ ends: done }} }} ]\n"
    ))?;
    let (code, out, err) = project.run(&["test", "-k", "greets"])?;
    assert_eq!(code, 0, "{out}{err}");
    let (code, out, err) = project.run(&["test", "-k", "greetz"])?;
    assert_eq!(code, 2, "{out}{err}");
    assert!(
        err.contains("none of 1 has `greetz`") && err.contains("› greets"),
        "{err}"
    );
    Ok(())
}

#[test]
fn a_file_that_is_a_device_is_not_read() -> Result<()> {
    let project = Project::new(HELLO)?;
    let link = project.path().join("endless.flow.yaml");
    std::os::unix::fs::symlink("/dev/zero", link)?;
    for verb in ["check", "test"] {
        let (code, out, err) = project.run(&[verb])?;
        let said = out + &err;
        assert_eq!(code, 2, "{verb}: {said}");
        assert!(
            said.contains("endless.flow.yaml") && said.contains("no regular file"),
            "{verb}: {said}"
        );
    }
    Ok(())
}

#[test]
fn check_writes_for_editors_and_ci_servers() -> Result<()> {
    let project = Project::new(&HELLO.replace("Hello.", "nowhere"))?;
    let check = |form: &str, code: i32| -> Result<String> {
        let (got, out, err) = project.run(&["check", "--format", form])?;
        assert_eq!(got, code, "{form}: {out}{err}");
        Ok(out)
    };
    let concise = check("concise", 1)?;
    assert!(
        concise
            .lines()
            .any(|line| line.contains(".flow.yaml:6:12: error[unknown-prompt]: ")),
        "{concise}"
    );
    let github = check("github", 1)?;
    assert!(github.starts_with("::error file="), "{github}");
    assert!(
        github.contains("line=6,endLine=6,col=12,endColumn=19,title=unknown-prompt::"),
        "{github}"
    );
    let sarif: Value = serde_json::from_str(&check("sarif", 1)?)?;
    valid_sarif(&sarif)?;
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let results = run["results"].as_array().context("results")?;
    assert_eq!(results.len(), concise.lines().count(), "{sarif}");
    for result in results {
        let rule = &run["tool"]["driver"]["rules"]
            [result["ruleIndex"].as_u64().context("an index")? as usize];
        assert_eq!(rule["id"], result["ruleId"]);
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"]
            .as_str()
            .context("a place")?;
        assert!(uri.starts_with("file:///"), "{uri}");
        assert!(place["region"]["startLine"].as_u64() >= Some(1), "{result}");
        assert!(result["message"]["text"].is_string(), "{result}");
    }
    let junit = check("junit", 1)?;
    assert!(
        junit.contains("failures=\"1\"") && junit.contains("<failure type=\"error\""),
        "{junit}"
    );
    // Without a finding each is a whole document all the same, or nothing.
    let project = Project::new(HELLO)?;
    let well = |form: &str| -> Result<String> {
        let (code, out, err) = project.run(&["check", "--format", form])?;
        assert_eq!(code, 0, "{form}: {out}{err}");
        Ok(out)
    };
    assert_eq!(well("concise")?, "");
    assert_eq!(well("github")?, "");
    let sarif: Value = serde_json::from_str(&well("sarif")?)?;
    valid_sarif(&sarif)?;
    assert_eq!(sarif["runs"][0]["results"], serde_json::json!([]));
    let junit = well("junit")?;
    assert!(junit.contains("tests=\"1\" failures=\"0\""), "{junit}");
    // What cannot be read is a finding too.
    project.write("strowger.toml", "[project]\nname = \"x\"\ncolour = 1\n")?;
    let (code, out, _) = project.run(&["check", "--format", "sarif"])?;
    assert_eq!(code, 2, "{out}");
    let sarif: Value = serde_json::from_str(&out)?;
    valid_sarif(&sarif)?;
    assert_eq!(sarif["runs"][0]["results"][0]["level"], "error");
    // The whole of the flow that breaks many rules, with fixes, in Chinese too.
    let broken = repository().join("engine/flow/tests/flows/broken.flow.yaml");
    for language in ["en", "zh"] {
        let broken = broken.display().to_string();
        let arguments = [
            "check",
            "--format",
            "sarif",
            "--language",
            language,
            &broken,
        ];
        let (_, out, _) = strowger(&arguments)?;
        let sarif: Value = serde_json::from_str(&out)?;
        valid_sarif(&sarif)?;
        let results = sarif["runs"][0]["results"].as_array().context("results")?;
        assert!(results.len() >= 10, "{}", results.len());
        assert!(results.iter().any(|result| result["fixes"].is_array()));
    }
    Ok(())
}

/// Holds a document against the schema of OASIS: github.com/oasis-tcs/sarif-spec, `sarif-2.1/schema`, as of 2.1.0 errata 01.
fn valid_sarif(document: &Value) -> Result<()> {
    let schema: Value = serde_json::from_str(include_str!("sarif-schema-2.1.0.json"))?;
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&schema)
        .map_err(|error| anyhow::anyhow!("the schema: {error}"))?;
    let wrong: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    anyhow::ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn check_tells_everything_as_json_in_one_shape() -> Result<()> {
    let project = Project::new(&HELLO.replace("Hello.", "nowhere"))?;
    let check = |what: &str, code: i32| -> Result<Vec<Value>> {
        let (got, out, err) = project.run(&["check", "--format", "json"])?;
        assert_eq!(got, code, "{what}: {out}{err}");
        let findings: Vec<Value> = out
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()?;
        assert!(!findings.is_empty(), "{what}: {out}{err}");
        for finding in &findings {
            for member in [
                "rule",
                "level",
                "message",
                "file",
                "line",
                "column",
                "endLine",
                "endColumn",
                "help",
                "fix",
            ] {
                assert!(
                    finding.get(member).is_some(),
                    "{what}: no {member} in {finding}"
                );
            }
        }
        Ok(findings)
    };
    project.write(
        "routes.yaml",
        "routes:\n  - { to: \"1\", flow: y }\n  - { to: \"1\", flow: x }\n",
    )?;
    let findings = check("routes", 1)?;
    let lines: Vec<_> = findings
        .iter()
        .filter(|finding| finding["rule"] == "project")
        .map(|finding| finding["line"].as_u64())
        .collect();
    assert_eq!(lines, [Some(3), Some(2)], "{findings:?}");
    project.write("strowger.toml", "[project]\nname = \"x\"\ncolour = 1\n")?;
    assert_eq!(check("unknown key", 2)?[0]["line"], 3);
    project.write("strowger.toml", "[project]\nname = \"X\"\n")?;
    assert_eq!(check("not a name", 2)?[0]["line"], 2);
    std::fs::remove_file(project.path().join("strowger.toml"))?;
    assert!(check("no project", 2)?[0]["help"].is_string());
    Ok(())
}

#[test]
fn a_file_for_a_data_folder_is_said_in_so_many_words() -> Result<()> {
    let project = Project::new(HELLO)?;
    project.write("file", "")?;
    let folder = project.path().display().to_string();
    let file = project.path().join("file").display().to_string();
    let (code, _, err) = strowger(&[
        "call",
        "x",
        "--project",
        &folder,
        "--data",
        &file,
        "--script",
        "",
    ])?;
    assert_eq!(code, 2, "{err}");
    assert!(
        err.contains("data folder") && err.contains("is a file"),
        "{err}"
    );
    assert!(!err.contains("cache"), "{err}");
    Ok(())
}

#[test]
fn a_module_that_is_none_is_a_finding_and_a_missing_one_is_not() -> Result<()> {
    let folder = TempDir::new()?;
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("bad.wasm"), "not wasm")?;
    let componentize =
        |module: &str| strowger(&["plugin", "componentize", &path(module), "-o", &path("out")]);
    assert_eq!(componentize("bad.wasm")?.0, 1);
    assert_eq!(componentize("none.wasm")?.0, 2);
    Ok(())
}

const TRANSFERS: &str = "flow: x
format: 1
languages: [en]
steps:
  start:
    transfer: \"sip:a@127.0.0.1\"
    then: { done: a, busy: second, no_answer: second, declined: second, failed: second }
  second:
    transfer: \"sip:b@127.0.0.1\"
    then: { done: b, busy: gone, no_answer: gone, declined: gone, failed: gone }
  a: { hangup: at_a }
  b: { hangup: at_b }
  gone: { hangup: nobody }
";

#[test]
fn a_script_says_how_transfers_end() -> Result<()> {
    let project = Project::new(TRANSFERS)?;
    for (script, ends) in [
        ("", "at_a"),
        ("transfer=busy", "at_b"),
        ("transfer=no_answer,transfer=declined", "nobody"),
        ("transfer=failed,transfer=done", "at_b"),
    ] {
        let (code, out, err) = project.run(&["call", "x", "--script", script])?;
        assert_eq!(code, 0, "{out}{err}");
        assert!(
            err.contains(&format!("ended: {ends}")),
            "{script}: {out}{err}"
        );
    }
    let (code, _, err) = project.run(&["call", "x", "--script", "transfer=lost"])?;
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("no_answer"), "{err}");
    Ok(())
}

#[test]
fn the_terminal_tries_audio_files() -> Result<()> {
    let project = Project::new(
        "flow: x
format: 1
languages: [en]
prompts:
  broken: { en: { audio: audio/broken.wav } }
  spoken: { en: { audio: audio/spoken.wav, text: Spoken instead. } }
  worded: { en: { audio: audio/worded.wav, text: In its words. } }
global: { error: told }
steps:
  start: [ { say: spoken }, { say: worded }, { say: broken }, { hangup: deaf } ]
  told: { hangup: told }
",
    )?;
    std::fs::create_dir(project.path().join("audio"))?;
    project.write("audio/broken.wav", "no sound")?;
    project.write("audio/worded.wav", "no sound")?;
    let (code, out, err) = project.run(&["check"])?;
    assert_eq!(code, 0, "{out}{err}");
    assert!(
        out.contains("warning")
            && out.contains("audio/broken.wav")
            && out.contains("replace the file; as it is, the step that plays it ends in `error`")
            && out.contains("audio/worded.wav")
            && out.contains("replace the file; until then its text is spoken instead"),
        "{out}"
    );
    let (code, out, err) = project.run(&["call", "x", "--script", ""])?;
    assert_eq!(code, 0, "{out}{err}");
    assert!(
        err.contains("audio/spoken.wav is missing: its text is spoken")
            && err.contains("audio/worded.wav is damaged: its text is spoken"),
        "{err}"
    );
    assert!(
        out.contains("could not say it") && out.contains("audio/broken.wav"),
        "{out}"
    );
    assert!(err.contains("ended: told"), "{err}");
    Ok(())
}

#[test]
fn a_worst_case_counts_audio_by_its_file() -> Result<()> {
    let project = Project::new(
        "flow: x
format: 1
languages: [en]
prompts:
  long: { en: { audio: audio/long.ulaw } }
  broken: { en: { audio: audio/broken.wav, text: In its words. } }
steps:
  start:
    - say: long
    - if: call.channel == \"chat\"
      then: [{ say: broken }, { hangup: completed }]
    - hangup: completed
",
    )?;
    std::fs::create_dir(project.path().join("audio"))?;
    std::fs::write(
        project.path().join("audio/long.ulaw"),
        vec![0x55; 8_000 * 123],
    )?;
    let (code, out, err) = project.run(&["check"])?;
    assert!(
        code == 0 && out.contains("worst case of `x`: 125 s to a person"),
        "{code}: {out} {err}"
    );
    // The file has changed.
    std::fs::write(
        project.path().join("audio/long.ulaw"),
        vec![0x55; 8_000 * 7],
    )?;
    let (_, out, _) = project.run(&["check"])?;
    assert!(out.contains("`x`: 9 s to a person"), "{out}");
    // A file by itself is one of the project around it, as far as its audio goes.
    let alone = project.path().join("x.flow.yaml").display().to_string();
    let (code, out, err) = strowger(&["check", &alone])?;
    assert!(
        code == 0 && out.contains("`x`: 9 s to a person"),
        "{code}: {out} {err}"
    );
    // One that cannot be played is told where it is named.
    project.write("audio/broken.wav", "no sound")?;
    let (code, out, _) = project.run(&["check"])?;
    assert!(
        code == 0 && out.contains("x.flow.yaml:6:26") && out.contains("audio/broken.wav"),
        "{code}: {out}"
    );
    Ok(())
}

#[test]
fn what_is_secret_is_not_printed() -> Result<()> {
    let project = Project::new(
        "flow: x
format: 1
languages: [en]
steps:
  start:
    - ask: Your card, please.
      into: card
      expect: card
      then: { ok: said, no_input: bye, no_match: bye }
  said: [ { say: \"It ends in ${card | last4}.\" }, { goto: bye } ]
  bye: { hangup: done }
",
    )?;
    // The first does not end in its check digit.
    let script = "4111111111111112#,4111111111111111#";
    let (code, out, err) = project.run(&["call", "x", "--script", script])?;
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("1, 1, 1, 1"), "{out}");
    assert_eq!(out.matches("Your card, please.").count(), 2, "{out}");
    assert!(!(out + &err).contains("4111"), "the number is printed");
    Ok(())
}

#[test]
fn every_command_says_its_exit_codes() -> Result<()> {
    let (_, help, _) = strowger(&["--help"])?;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let mut verbs: Vec<Vec<&str>> = commands
        .map_while(|line| line.split_whitespace().next())
        .filter(|verb| *verb != "help")
        .map(|verb| vec![verb])
        .collect();
    assert!(verbs.len() > 8, "{help}");
    verbs.push(vec![]);
    verbs.push(vec!["plugin", "componentize"]);
    for mut verb in verbs {
        verb.push("--help");
        let (code, out, err) = strowger(&verb)?;
        assert_eq!(code, 0, "{verb:?}: {err}");
        for word in ["Examples:\n", "\nExit code: 0 ", ", 2 "] {
            assert!(out.contains(word), "{verb:?}: no `{word}` in {out}");
        }
    }
    Ok(())
}

/// A healthy stranger is not taken for a program of the demo, and a demo that is up keeps its orders.
#[test]
fn a_demo_whose_port_is_taken_touches_nothing() -> Result<()> {
    let data = TempDir::new()?;
    let orders = data.path().join("orders.db");
    std::fs::write(&orders, "of the demo that is up")?;
    let stranger = std::net::TcpListener::bind("127.0.0.1:0")?;
    let taken = stranger.local_addr()?.to_string();
    for name in ["SIP", "HTTP", "ORDERS"] {
        let mut demo = std::process::Command::new(repository().join("scripts/demo"));
        for other in ["SIP", "HTTP", "ORDERS"] {
            demo.env(other, format!("127.0.0.1:{}", free_port()?));
        }
        demo.env(name, &taken).env("DATA", data.path());
        let output = demo.env("ONCE", "1").output()?;
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{name}: {told}");
        let sentence = format!("cannot start, since another program has {taken}");
        assert!(told.contains(&sentence), "{name}: {told}");
    }
    assert_eq!(std::fs::read_to_string(&orders)?, "of the demo that is up");
    Ok(())
}
