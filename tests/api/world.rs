//! What every test of the API needs.

use anyhow::Result;
use serde_json::Value as Json;
use strowger_tests::http::{Response, send};
use strowger_tests::{Engine, program};

/// An engine with lines in its `[http]`.
pub fn engine(settings: &str) -> Result<Engine> {
    Engine::start("bench", |project| {
        program::edit(&project.join("strowger.toml"), |text| {
            with_http(&text, settings)
        })
    })
}

/// A `strowger.toml` with further lines in its `[http]`.
pub fn with_http(text: &str, settings: &str) -> String {
    match text.contains("[http]\n") {
        true => text.replacen("[http]\n", &format!("[http]\n{settings}\n"), 1),
        false => format!("{text}\n[http]\n{settings}\n"),
    }
}

/// Somebody who asks with a token.
pub struct Client<'a> {
    pub engine: &'a Engine,
    pub token: String,
}

impl Client<'_> {
    /// One with a new token, made at the command line.
    pub fn new<'a>(engine: &'a Engine, role: &str, options: &[&str]) -> Result<Client<'a>> {
        let token = engine.token(role, options)?;
        Ok(Client { engine, token })
    }

    pub fn ask(&self, method: &str, path: &str) -> Result<Response> {
        self.with(method, path, &[], None)
    }

    pub fn post(&self, path: &str, body: &Json) -> Result<Response> {
        self.with("POST", path, &[], Some(&body.to_string()))
    }

    pub fn with(
        &self,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
        body: Option<&str>,
    ) -> Result<Response> {
        let token = format!("Bearer {}", self.token);
        let fields = [&[("Authorization", token.as_str())], fields].concat();
        send(self.engine.http, method, path, &fields, body)
    }

    /// The id in the token.
    pub fn id(&self) -> &str {
        self.token.split('_').nth(1).unwrap_or_default()
    }
}
