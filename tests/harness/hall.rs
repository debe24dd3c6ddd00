//! A centre that runs: what operators do with it, and contacts.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use crate::audio::Prompts;
use crate::http;
use crate::phone::Phone;
use crate::program::{Engine, POLL, strowger};

/// Chats for everybody, in the centre's `strowger.toml`.
pub const CHATS: &str = "[chat]\nenabled = true\nnew_per_minute = 60000\nmessages_per_minute = 6000\n\
    [http]\nrequests_per_second = 100000\nburst = 100000\n";

/// Longest time until a contact is over.
const OVER: Duration = Duration::from_secs(60);

/// A centre with some tenants, without anything live.
pub struct Hall {
    /// The program.
    pub engine: Engine,
}

impl Hall {
    /// Serves tenants, each with its file's text.
    pub fn open(tenants: &[(&str, &str)]) -> Result<Hall> {
        Hall::open_with("", tenants)
    }

    /// The same, with further lines in the centre's `strowger.toml`.
    pub fn open_with(settings: &str, tenants: &[(&str, &str)]) -> Result<Hall> {
        let engine = Engine::serve(|centre| {
            std::fs::create_dir_all(centre.join("tenants"))?;
            let settings = format!("[project]\nname = \"hall\"\n{settings}");
            std::fs::write(centre.join("strowger.toml"), settings)?;
            for (tenant, text) in tenants {
                std::fs::write(centre.join(format!("tenants/{tenant}.toml")), text)?;
            }
            Ok(())
        })?;
        Ok(Hall { engine })
    }

    /// Runs the program against this centre: exit code, and all that it said.
    pub fn run(&self, arguments: &[&str]) -> Result<(i32, String)> {
        let url = format!("http://{}", self.engine.http);
        let mut all = arguments.to_vec();
        all.extend(["--to", &url]);
        let (code, out, err) = strowger(&all)?;
        Ok((code, format!("{out}{err}")))
    }

    /// The same, and it must be well.
    pub fn done(&self, arguments: &[&str]) -> Result<String> {
        let (code, said) = self.run(arguments)?;
        ensure!(code == 0, "{arguments:?} ends with {code}: {said}");
        Ok(said)
    }

    /// The same, and it must be refused with these words.
    pub fn refused(&self, arguments: &[&str], words: &[&str]) -> Result<()> {
        let (code, said) = self.run(arguments)?;
        ensure!(code == 1, "{arguments:?} ends with {code}: {said}");
        for word in words {
            ensure!(said.contains(word), "{arguments:?}: no `{word}` in {said}");
        }
        Ok(())
    }

    /// What is at an address of the API.
    pub fn get(&self, path: &str) -> Result<Json> {
        http::get(self.engine.http, path)?.json()
    }

    /// The number of a tenant's live revision.
    pub fn live(&self, tenant: &str) -> Result<Option<u64>> {
        let tenant = self.get(&format!("/v1/tenants/{tenant}"))?;
        Ok(tenant["release"]["live"].as_u64())
    }

    /// Reads the tenants' files again, and waits until the log says what came of it.
    pub fn reload(&mut self, word: &str) -> Result<()> {
        let id = self.engine.program.id().to_string();
        let status = std::process::Command::new("kill")
            .args(["-HUP", &id])
            .status()?;
        ensure!(status.success(), "the engine could not be signalled");
        let log = self.engine.log();
        let limit = Duration::from_secs(30);
        self.engine.program.wait_until(word, limit, || {
            std::fs::read_to_string(&log).is_ok_and(|log| log.contains(word))
        })
    }

    /// Pushes a tenant's project and makes it live.
    pub fn publish(&self, project: &TempDir) -> Result<()> {
        let folder = project.path().display().to_string();
        self.done(&["push", &folder, "--release", "--accept", "all"])?;
        Ok(())
    }

    /// Begins a contact at a number; its id.
    pub fn begin(&self, number: &str) -> Result<String> {
        let body = json!({ "to": number, "from": "+8613800138000" });
        let begun = http::ask(self.engine.http, "POST", "/v1/chats", None, Some(&body))?;
        ensure!(begun.status == 201, "{} {}", begun.status, begun.body);
        let id = begun.json()?["id"].as_str().map(str::to_owned);
        id.context("an id")
    }

    /// Waits for a contact's end.
    pub fn over(&self, id: &str) -> Result<Over> {
        let end = Instant::now() + OVER;
        let reason = loop {
            let contact = self.get(&format!("/v1/contacts/{id}"))?;
            if let Some(reason) = contact["reason"].as_str() {
                break reason.to_owned();
            }
            ensure!(Instant::now() < end, "{id} is not over: {contact}");
            std::thread::sleep(POLL);
        };
        let journal = self.journal(id)?;
        Ok(Over { reason, journal })
    }

    /// A contact at a number ends `done`.
    pub fn calm(&self, number: &str) -> Result<()> {
        let over = self.over(&self.begin(number)?)?;
        ensure!(over.reason == "done", "{number}: {}", over.journal);
        Ok(())
    }

    /// The journal of a contact, as text.
    pub fn journal(&self, id: &str) -> Result<String> {
        Ok(http::get(self.engine.http, &format!("/v1/contacts/{id}/journal"))?.body)
    }

    /// Changes a tenant's file.
    pub fn rule(&self, tenant: &str, text: &str) -> Result<()> {
        let file = self.engine.project.join(format!("tenants/{tenant}.toml"));
        Ok(std::fs::write(file, text)?)
    }
}

/// A contact that is over.
pub struct Over {
    /// Why it ended.
    pub reason: String,
    /// Its journal, as text.
    pub journal: String,
}

impl Over {
    /// The data of its last step's outcome.
    pub fn data(&self) -> Result<Json> {
        let entries = self.journal.lines().map(serde_json::from_str::<Json>);
        let mut outcomes = entries.filter_map(|entry| {
            let entry = entry.ok()?;
            (entry["kind"] == "outcome").then(|| entry["data"].clone())
        });
        outcomes
            .next_back()
            .with_context(|| format!("no outcome: {}", self.journal))
    }

    /// What came of each request of `guest-reach`.
    pub fn answers(&self) -> Result<Vec<Json>> {
        let data = self.data()?;
        let answers = data["answers"].as_array().context("answers")?;
        Ok(answers.clone())
    }
}

/// The `ETag` of an answer.
pub fn etag(answer: &http::Response) -> Result<String> {
    let mut lines = answer.head.lines();
    let tag = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("etag")
            .then(|| value.trim().to_owned())
    });
    tag.ok_or_else(|| anyhow::anyhow!("no ETag: {}", answer.head))
}

/// Longest time until a prompt was heard to its end.
pub const PROMPT: Duration = Duration::from_secs(25);

/// Calls a number, hears the words and the end.
pub fn hears(hall: &Hall, project: &std::path::Path, number: &str, words: &str) -> Result<()> {
    let prompts = Prompts::new(project, &hall.engine.data.join("prompts"))?;
    let mut phone = Phone::dial(hall.engine.sip, number, "call", &[])?;
    phone.hear(&*prompts.text("en", words)?, PROMPT)?;
    phone.ended()
}
