//! A centre of two tenants: mallory, whose plugins attack, and victim, whose contacts must not notice.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use strowger_tests::program::{component, strowger};
use strowger_tests::{Engine, Talk, http};
use tempfile::TempDir;

/// Longest chat of the victim's while attacks go on: three steps and two waits for a person who is a program.
const NEIGHBOURLY: Duration = Duration::from_secs(20);

const VICTIM: &str = r#"flow: greeting
format: 1
languages: [en]
prompts:
  which: { en: Which number? }
  thanks: { en: "Thank you, ${number}." }
vars: { number: text }
steps:
  start:
    ask: which
    into: number
    expect: { digits: 1..4 }
    then: { ok: keep, no_input: silent, no_match: silent }
  keep:
    use: guest-burglar/keep@1
    then: { done: thanks, error: broken, else: broken }
  thanks:
    - say: thanks
    - hangup: well
  silent: { hangup: silent }
  broken: { hangup: broken }
"#;

/// A step of mallory's.
pub struct Attack {
    /// What it tries, in a word.
    pub name: &'static str,
    /// The component's name among the guests, or the bytes of one that was forged.
    pub component: Component,
    /// `with:` of the step, in YAML's short form.
    pub with: &'static str,
    /// How it ends.
    pub end: End,
}

pub enum Component {
    Built(&'static str),
    Forged(Vec<u8>),
}

/// How an attack ends.
pub enum End {
    /// The step fails with this code, and the flow goes on by its `error` edge.
    Fails(&'static str),
    /// The step ends well, since nothing it did was forbidden; the host calls it made were answered so that these words
    /// stand in its journal.
    Goes(&'static [&'static str]),
}

/// The engine, with the victim's project live.
pub struct Centre {
    pub engine: Engine,
}

impl Centre {
    /// Serves both; `rules` is the rest of mallory's file.
    pub fn open(rules: &str) -> Result<Centre> {
        Centre::open_with(rules, component("guest-burglar")?)
    }

    /// The same; the victim's steps come from this component.
    pub fn open_with(rules: &str, steps: Vec<u8>) -> Result<Centre> {
        let engine = Engine::serve(|centre| {
            std::fs::create_dir_all(centre.join("tenants"))?;
            std::fs::write(
                centre.join("strowger.toml"),
                "[project]\nname = \"centre\"\n[http]\nrequests_per_second = 100000\nburst = 100000\n\
                 [chat]\nenabled = true\nnew_per_minute = 60000\nmessages_per_minute = 6000\n",
            )?;
            std::fs::write(
                centre.join("tenants/victim.toml"),
                "numbers = [\"700\"]\n[grants]\nkv = true\n",
            )?;
            std::fs::write(
                centre.join("tenants/mallory.toml"),
                format!("numbers = [\"66*\"]\n{rules}"),
            )?;
            Ok(())
        })?;
        let centre = Centre { engine };
        let project = project(
            "victim",
            &[("guest-burglar", steps)],
            "kv = true",
            &[("700", "greeting", VICTIM.to_owned())],
        )?;
        centre.release("victim", project.path())?;
        Ok(centre)
    }

    /// Pushes a tenant's project and makes it live.
    pub fn release(&self, tenant: &str, project: &Path) -> Result<()> {
        let (code, said) = self.run(&["push", &project.display().to_string()])?;
        ensure!(code == 0, "{said}");
        let number = said
            .split("revision ")
            .nth(1)
            .and_then(|rest| rest.split(|c: char| !c.is_ascii_digit()).next())
            .context("a number")?;
        let release = ["release", number, "--tenant", tenant, "--accept", "all"];
        let (code, said) = self.run(&release)?;
        ensure!(code == 0, "{said}");
        Ok(())
    }

    /// Runs a verb against this centre.
    pub fn run(&self, arguments: &[&str]) -> Result<(i32, String)> {
        let url = format!("http://{}", self.engine.http);
        let (code, out, err) = strowger(&[arguments, &["--to", &url]].concat())?;
        Ok((code, out + &err))
    }

    /// A contact of the victim's, from its beginning to its end.
    pub fn neighbour(&self) -> Result<()> {
        let begun = Instant::now();
        let mut talk = Talk::begin(self.engine.http, "700", None)?;
        talk.asked("Which number?")?;
        talk.write("12")?;
        let reason = talk.ended()?;
        ensure!(
            reason == "well",
            "the neighbour ended `{reason}`: {:?}",
            talk.shown
        );
        ensure!(talk.times("Thank you, 12.") == 1, "{:?}", talk.shown);
        ensure!(
            begun.elapsed() < NEIGHBOURLY,
            "the neighbour took {:?}",
            begun.elapsed()
        );
        Ok(())
    }

    /// Does something while contacts of the victim's come and go; at least one of them is whole.
    pub fn beside_a_neighbour<T>(&self, attack: impl FnOnce() -> Result<T>) -> Result<T> {
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let neighbour = scope.spawn(|| -> Result<()> {
                loop {
                    self.neighbour()?;
                    if over.load(Ordering::Acquire) {
                        return Ok(());
                    }
                }
            });
            let done = attack();
            over.store(true, Ordering::Release);
            let unharmed = neighbour.join().expect("the neighbour does not panic");
            let done = done?;
            unharmed.context("the neighbour was hurt")?;
            let log = self.engine.program.log();
            ensure!(!log.contains("panicked at"), "the engine panicked: {log}");
            Ok(done)
        })
    }

    /// Begins so many chats, each of which waits in a step for what its contact writes.
    pub fn crowd(&self, number: &str, chats: usize) -> Result<Vec<Talk>> {
        let mut talks = Vec::new();
        for _ in 0..chats {
            talks.push(Talk::begin(self.engine.http, number, None)?);
        }
        for talk in &mut talks {
            talk.until("listening", |talk| {
                talk.over || talk.shown.iter().any(|event| event["kind"] == "listening")
            })?;
            ensure!(!talk.over, "{}", self.journal(&talk.id)?);
        }
        Ok(talks)
    }

    /// The journal of a contact, as text.
    pub fn journal(&self, id: &str) -> Result<String> {
        Ok(http::get(self.engine.http, &format!("/v1/contacts/{id}/journal"))?.body)
    }
}

/// Some of a crowd go on where they were, to their end.
pub fn unharmed(talks: &mut [Talk]) -> Result<()> {
    for talk in talks.iter_mut().take(3) {
        talk.write("hello")?;
        assert_eq!(talk.ended()?, "unharmed");
    }
    Ok(())
}

/// A flow of one step, `plugin/step`, that goes on whatever comes of it: to the end `unharmed` with its first outcome, to
/// `survived` by `error` and `timeout`. `lines` stand below `use:`.
pub fn flow(name: &str, step: &str, outcome: &str, lines: &[&str]) -> String {
    let lines: String = lines.iter().map(|line| format!("    {line}\n")).collect();
    format!(
        "flow: {name}\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    use: {step}@1\n{lines}    \
         then: {{ {outcome}: fine, error: caught, timeout: caught, else: fine }}\n  \
         fine: {{ hangup: unharmed }}\n  caught: {{ hangup: survived }}\n"
    )
}

/// A tenant's project: plugins by name, each with the same grants, and flows by number.
pub fn project(
    tenant: &str,
    plugins: &[(&str, Vec<u8>)],
    grants: &str,
    flows: &[(&str, &str, String)],
) -> Result<TempDir> {
    let folder = TempDir::new()?;
    let at = |name: String| folder.path().join(name);
    std::fs::create_dir(at("plugins".into()))?;
    let mut toml = format!("[project]\nname = \"{tenant}\"\n");
    for (name, bytes) in plugins {
        std::fs::write(at(format!("plugins/{name}.wasm")), bytes)?;
        toml += &format!(
            "[plugins.{name}]\ncomponent = \"plugins/{name}.wasm\"\ngrants = {{ {grants} }}\n"
        );
    }
    std::fs::write(at("strowger.toml".into()), toml)?;
    let mut routes = "routes:\n".to_owned();
    for (number, name, text) in flows {
        std::fs::write(at(format!("{name}.flow.yaml")), text)?;
        routes += &format!("  - {{ to: \"{number}\", flow: {name} }}\n");
    }
    std::fs::write(at("routes.yaml".into()), routes)?;
    Ok(folder)
}
