//! The plugin kits at the command line: each template is begun, built, tested and inspected, runs a step, and answers a call.

mod repeats;

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use strowger_tests::program::{binary, repository, share_caches, strowger};
use strowger_tests::{Engine, http};
use tempfile::TempDir;

/// A plugin in a folder of its own.
struct Kit {
    folder: PathBuf,
    _above: TempDir,
}

impl Kit {
    /// Begins the plugin `greeter`, and lends it the packages that `make setup` installed.
    fn new(language: &str) -> Result<Kit> {
        let above = TempDir::new()?;
        let folder = above.path().join("greeter");
        let path = folder.display().to_string();
        let (code, _, err) = strowger(&["plugin", "new", "greeter", "--lang", language, &path])?;
        ensure!(code == 0, "{err}");
        share_caches(&folder.join(".strowger"))?;
        match language {
            "js" | "ts" => symlink(
                installed(&repository().join("tests/kits/node_modules"))?,
                folder.join("node_modules"),
            )?,
            "python" => symlink(
                installed(&tools()?.join("kits/python"))?,
                folder.join(".toolchain"),
            )?,
            "rust" => {
                // The versions that the SDK is built with are on this machine; newer ones may not be.
                std::fs::copy(
                    repository().join("plugins/Cargo.lock"),
                    folder.join("Cargo.lock"),
                )?;
                // The libraries are compiled once for all runs of this test.
                let built = tools()?.with_file_name("test-cache").join("rust-kit");
                std::fs::create_dir_all(&built)?;
                symlink(built, folder.join("target"))?;
            }
            "c" => {}
            other => anyhow::bail!("no kit `{other}`"),
        }
        Ok(Kit {
            folder,
            _above: above,
        })
    }

    /// Runs the program in the plugin's folder: exit code, stdout, stderr.
    fn run(&self, arguments: &[&str]) -> Result<(i32, String, String)> {
        let mut command = Command::new(binary("strowger")?);
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env("CARGO", cargo()?)
            .stdin(Stdio::null());
        let output = command.output()?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok((
            output.status.code().unwrap_or(-1),
            text(output.stdout),
            text(output.stderr),
        ))
    }

    /// Runs what must succeed.
    fn must(&self, arguments: &[&str]) -> Result<(String, String)> {
        let (code, out, err) = self.run(arguments)?;
        ensure!(code == 0, "{arguments:?}: {code}\n{out}{err}");
        Ok((out, err))
    }

    /// What is inside the component.
    fn inspection(&self) -> Result<Value> {
        let (out, _) = self.must(&[
            "plugin",
            "inspect",
            "greeter.wasm",
            "--format",
            "json",
            "--data",
            ".strowger",
        ])?;
        Ok(serde_json::from_str(&out)?)
    }

    /// The way of every template: build, inspect, test, run, call. Gives what `inspect` says.
    fn walk(&self) -> Result<Value> {
        self.must(&["plugin", "build"])?;
        let inspected = self.inspection()?;
        assert_eq!(
            inspected["capabilities"],
            json!(["env", "media"]),
            "{inspected}"
        );
        assert_eq!(
            inspected["steps"],
            json!({ "greet": { "outcomes": ["greeted"] } })
        );

        let (_, told) = self.must(&["plugin", "test"])?;
        ensure!(told.contains("examples: 2 passed, 0 failed"), "{told}");
        let dropped = told
            .split_once("their instances were dropped at ")
            .and_then(|(_, rest)| rest.split(' ').next()?.parse::<usize>().ok());
        ensure!(dropped.is_some_and(|calls| calls >= 4), "{told}");

        let (out, told) = self.must(&["plugin", "run", "greet", r#"{"prompt": "p:0"}"#])?;
        let outcome: Value = serde_json::from_str(&out)?;
        assert_eq!(outcome["outcome"], "greeted");
        let greeting = outcome["data"]["greeting"].as_str().context("a greeting")?;
        ensure!(greeting.starts_with("Good "), "{out}");
        ensure!(
            told.contains(&format!("says: p:0 greeting = \"{greeting}\"")),
            "{told}"
        );
        ensure!(told.contains("ms of processor time"), "{told}");

        // A refused host call is a failure of its name in every kit.
        let (code, _, told) = self.run(&[
            "plugin",
            "run",
            "greet",
            r#"{"prompt": "p:0", "zone": "Nowhere/Else"}"#,
        ])?;
        ensure!(
            code == 1 && told.contains("`invalid-argument`"),
            "{code}: {told}"
        );

        self.must(&["check"])?;
        self.must(&["test"])?;
        // In every language a step comes back to where it was when its instance is dropped at each call.
        self.must(&["test", "--rebuild"])?;
        let (heard, ended) = self.must(&["call", "hello", "--script", ""])?;
        ensure!(
            heard.contains("You reached the plugin greeter") && ended.contains("ended: completed"),
            "{heard}{ended}"
        );
        Ok(inspected)
    }
}

/// The cargo that builds for WebAssembly on this machine.
fn cargo() -> Result<String> {
    let wrapper = repository().join("scripts/wasm-cargo");
    Ok(wrapper.to_str().context("a path in UTF-8")?.to_owned())
}

/// Where `make setup` puts tools.
fn tools() -> Result<PathBuf> {
    let program = binary("strowger")?;
    let target = program.ancestors().nth(2).context("it lies in target/*")?;
    Ok(target.join("tools"))
}

fn installed(path: &Path) -> Result<&Path> {
    ensure!(
        path.is_dir(),
        "{} is missing: run `make setup`",
        path.display()
    );
    Ok(path)
}

#[test]
fn rust() -> Result<()> {
    let inspected = Kit::new("rust")?.walk()?;
    assert_eq!(inspected["wasi"], json!([]));
    assert_eq!(inspected["interpreter"], false);
    Ok(())
}

#[test]
fn c() -> Result<()> {
    let kit = Kit::new("c")?;
    let inspected = kit.walk()?;
    assert_eq!(inspected["wasi"], json!([]));
    assert_eq!(inspected["interpreter"], false);

    // A missing compiler is told with what to install.
    let mut command = Command::new(binary("strowger")?);
    command
        .args(["plugin", "build"])
        .current_dir(&kit.folder)
        .env("CLANG", "no-such-clang");
    let told = String::from_utf8_lossy(&command.output()?.stderr).into_owned();
    ensure!(
        told.contains("no-such-clang") && told.contains("apt-get install clang lld"),
        "{told}"
    );
    Ok(())
}

#[test]
fn javascript() -> Result<()> {
    let kit = Kit::new("js")?;
    let inspected = kit.walk()?;
    assert_eq!(inspected["interpreter"], true);
    let wasi = inspected["wasi"].to_string();
    ensure!(wasi.contains("wasi:clocks/wall-clock@0.2"), "{wasi}");

    // A bug is a failure that says where it is, and what is printed reaches the log.
    let source = kit.folder.join("src/greeting.js");
    let text = std::fs::read_to_string(&source)?;
    let broken = text.replace(
        "{\n",
        "{\n  console.log('hour', hour, new Date().getUTCFullYear() > 2000);\n  hour.no.such;\n",
    );
    std::fs::write(&source, broken)?;
    kit.must(&["plugin", "build"])?;
    let (code, _, told) = kit.run(&["plugin", "run", "greet", r#"{"prompt": "p:0"}"#])?;
    assert_eq!(code, 1, "{told}");
    for word in [
        "log info: hour ",
        " true",
        "log error:",
        "greeting.js",
        "`bug`",
    ] {
        ensure!(told.contains(word), "no `{word}` in {told}");
    }
    Ok(())
}

#[test]
fn typescript() -> Result<()> {
    let kit = Kit::new("ts")?;
    kit.walk()?;
    // Types are checked.
    let source = kit.folder.join("src/plugin.ts");
    let text = std::fs::read_to_string(&source)?;
    std::fs::write(
        &source,
        text.replace("localTime(zone).hour", "localTime(zone).our"),
    )?;
    let (code, _, told) = kit.run(&["plugin", "build"])?;
    ensure!(code == 1 && told.contains("plugin.ts"), "{code}: {told}");
    Ok(())
}

#[test]
fn python_answers_a_telephone_call() -> Result<()> {
    let kit = Kit::new("python")?;
    let inspected = kit.walk()?;
    assert_eq!(inspected["interpreter"], true);
    let wasi = inspected["wasi"].to_string();
    ensure!(wasi.contains("wasi:sockets/tcp@0.2"), "{wasi}");

    // The packages of the build are no part of the project.
    std::fs::remove_file(kit.folder.join(".toolchain"))?;
    let folder = kit.folder.to_str().context("a path in UTF-8")?;
    let mut engine = Engine::start(folder, |_| Ok(()))?;
    let (code, told, err) = strowger(&["dial", &format!("sip:100@{}", engine.sip)])?;
    assert_eq!(code, 0, "{told}{err}");
    let call_id = told
        .lines()
        .find_map(|line| line.strip_prefix("call-id "))
        .context("the call's name")?;
    assert_eq!(engine.reason(call_id)?, "completed");
    let contact = engine.contact(call_id)?;
    let id = contact["id"].as_str().context("its id")?;
    let journal = http::get(engine.http, &format!("/v1/contacts/{id}/journal"))?.body;
    ensure!(
        journal.contains("greeted") && journal.contains("env.local-time"),
        "{journal}"
    );
    Ok(())
}

#[test]
fn what_cannot_be_done_is_told() -> Result<()> {
    let above = TempDir::new()?;
    let folder = above.path().join("x");
    let path = folder.display().to_string();
    for (arguments, word) in [
        (
            &["new", "Bad Name", "--lang", "js", &path][..],
            "is no name",
        ),
        (
            &["new", "std", "--lang", "js", &path],
            "the name of the standard steps",
        ),
        (&["new", "x", "--lang", "cobol", &path], "cobol"),
        (
            &["new", "x", "--lang", "js", "--sdk", ".", &path],
            "--lang rust",
        ),
        (&["build", "--folder", &path], "strowger plugin new"),
        (&["inspect", &path], "cannot read"),
    ] {
        let mut all = vec!["plugin"];
        all.extend(arguments);
        let (code, _, told) = strowger(&all)?;
        ensure!(
            code == 2 && told.contains(word),
            "{arguments:?}: {code} {told}"
        );
    }
    std::fs::create_dir(&folder)?;
    std::fs::write(folder.join("mine.txt"), "mine")?;
    let (code, _, told) = strowger(&["plugin", "new", "x", "--lang", "js", &path])?;
    ensure!(code == 2 && told.contains("there already"), "{code} {told}");
    // Complaints about a component come all at once, as findings of the file.
    let file = folder.join("no.wasm");
    std::fs::write(&file, "no")?;
    let (code, _, told) = strowger(&["plugin", "inspect", &file.display().to_string()])?;
    ensure!(
        code == 1 && told.contains("error[plugin-not-wasm]"),
        "{code} {told}"
    );
    Ok(())
}
