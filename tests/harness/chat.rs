//! Somebody who chats: posts messages and looks what is shown.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value as Json, json};

use crate::http::{self, Response};
use crate::program::POLL;

/// Longest time until something is shown.
pub const SOON: Duration = Duration::from_secs(60);

/// Somebody who writes.
pub struct Talk {
    http: SocketAddr,
    /// The contact's id.
    pub id: String,
    /// What the chat's requests carry.
    pub token: String,
    /// All that was shown, in order.
    pub shown: Vec<Json>,
    /// Whether the end was shown.
    pub over: bool,
    sent: u32,
}

impl Talk {
    /// Begins a chat with a number.
    pub fn begin(http: SocketAddr, to: &str, language: Option<&str>) -> Result<Talk> {
        let mut body = json!({ "to": to, "from": "+8613800138000" });
        if let Some(language) = language {
            body["language"] = json!(language);
        }
        let begun = http::ask(http, "POST", "/v1/chats", None, Some(&body))?;
        if begun.status != 201 {
            bail!("{} {}", begun.status, begun.body);
        }
        let begun = begun.json()?;
        let word = |name: &str| begun[name].as_str().map(str::to_owned).context("a word");
        Ok(Talk {
            http,
            id: word("id")?,
            token: word("token")?,
            shown: Vec::new(),
            over: false,
            sent: 0,
        })
    }

    /// The number of what was shown last.
    pub fn after(&self) -> u64 {
        self.shown
            .last()
            .map_or(0, |event| event["n"].as_u64().unwrap_or(0))
    }

    /// The same chat, of which nothing was seen yet.
    pub fn anew(self) -> Talk {
        Talk {
            shown: Vec::new(),
            over: false,
            ..self
        }
    }

    /// Posts a message under a name.
    pub fn post(&self, client_id: &str, text: &str) -> Result<Response> {
        let body = json!({ "text": text, "client_id": client_id });
        let path = format!("/v1/chats/{}/messages", self.id);
        http::ask(self.http, "POST", &path, Some(&self.token), Some(&body))
    }

    /// Writes, again and again until it is taken: the engine may be gone for a while.
    pub fn write(&mut self, text: &str) -> Result<()> {
        self.sent += 1;
        let named = format!("m{}", self.sent);
        let end = Instant::now() + SOON;
        loop {
            match self.post(&named, text) {
                Ok(taken) if matches!(taken.status, 202 | 410) => return Ok(()),
                Ok(refused) if refused.status != 503 => {
                    bail!("{} {}", refused.status, refused.body)
                }
                answer if Instant::now() > end => bail!("not taken: {answer:?}"),
                _ => std::thread::sleep(POLL),
            }
        }
    }

    /// Looks what is shown, waiting for it at most so many seconds; whether there was something.
    pub fn look(&mut self, wait: u64) -> Result<bool> {
        let path = format!(
            "/v1/chats/{}/events?after={}&wait={wait}",
            self.id,
            self.after()
        );
        let answer = http::ask(self.http, "GET", &path, Some(&self.token), None)?;
        if answer.status != 200 {
            bail!("{} {}", answer.status, answer.body);
        }
        let answer = answer.json()?;
        let events = answer["events"].as_array().context("events")?;
        let after = self.after();
        for event in events {
            let n = event["n"].as_u64().context("a number")?;
            if n <= after {
                bail!("{n} was shown before: {answer}");
            }
            self.shown.push(event.clone());
        }
        let last = events.last().is_some_and(|event| event["kind"] == "ended");
        if last && answer["over"] != true {
            bail!("the end is shown, and the chat is not over: {answer}");
        }
        self.over |= answer["over"] == true;
        Ok(!events.is_empty())
    }

    /// Waits until something is shown; the engine may be gone for a while.
    pub fn until(&mut self, what: &str, is: impl Fn(&Talk) -> bool) -> Result<()> {
        let end = Instant::now() + SOON;
        while !is(self) {
            if Instant::now() > end {
                bail!("no {what} within {SOON:?}: {:?}", self.shown);
            }
            if self.look(2).is_err() {
                std::thread::sleep(POLL);
            }
        }
        Ok(())
    }

    /// Waits until the flow listens after it has said this.
    pub fn asked(&mut self, text: &str) -> Result<()> {
        self.until(text, |talk| talk.listens_after(text))
    }

    /// Whether the flow listens after it has said this.
    pub fn listens_after(&self, text: &str) -> bool {
        let said = |event: &Json| {
            event["text"]
                .as_str()
                .is_some_and(|said| said.contains(text))
        };
        let last = self.shown.iter().rposition(said);
        last.is_some_and(|last| {
            let mut rest = self.shown[last..].iter();
            rest.any(|event| event["kind"] == "listening")
        })
    }

    /// Waits for the end; why it ended.
    pub fn ended(&mut self) -> Result<String> {
        self.until("end", |talk| talk.over)?;
        let last = self.shown.last().context("the end is shown")?;
        let reason = last["reason"].as_str().context("a reason")?;
        Ok(reason.to_owned())
    }

    /// How often something was said.
    pub fn times(&self, text: &str) -> usize {
        let said = |event: &&Json| {
            event["text"]
                .as_str()
                .is_some_and(|said| said.contains(text))
        };
        self.shown.iter().filter(said).count()
    }
}
