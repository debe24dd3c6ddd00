//! Talks with the HTTP API of an engine that runs elsewhere.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use hyper::{Method, Request, StatusCode};
use serde_json::Value as Json;

use super::exchange::{Answer, Trust};
use super::{CANNOT, FOUND, Failure};

/// Longest wait for an answer: a push with an interpreter in it is compiled first.
const ANSWER_WITHIN: Duration = Duration::from_secs(300);
/// Longest answer, in bytes.
const MAX_ANSWER: usize = 16 << 20;
/// Where a token is looked for.
const TOKEN: &str = "STROWGER_TOKEN";

/// Which engine, and how it is asked.
#[derive(Debug, Args)]
pub(super) struct Remote {
    /// The address of the engine's HTTP API.
    #[arg(
        long = "to",
        env = "STROWGER_URL",
        default_value = "http://127.0.0.1:8080"
    )]
    url: String,
    /// A file with the API token; default is the variable STROWGER_TOKEN.
    #[arg(long)]
    token_file: Option<PathBuf>,
    #[command(flatten)]
    trust: Trust,
}

impl Remote {
    /// Asks; gives the answer's body. A refusal is a failure that tells all that the engine said.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Json, Failure> {
        let base = self.url.trim_end_matches('/');
        let url = format!("{base}{path}");
        let mut request = Request::builder().method(method).uri(&url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(token) = self.token()? {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let caller = self.trust.caller(MAX_ANSWER)?;
        let answer = tokio::time::timeout(ANSWER_WITHIN, caller.exchange(request, body))
            .await
            .map_err(|_| {
                let seconds = ANSWER_WITHIN.as_secs();
                Failure::cannot(format!("no answer from {base} within {seconds} s"))
            })?
            .map_err(|why| Failure::cannot(why.told(base)))?;
        if answer.status.is_success() {
            return Ok(answer.body);
        }
        Err(refused(&answer))
    }

    fn token(&self) -> Result<Option<String>, Failure> {
        let text = match &self.token_file {
            Some(path) => {
                let unreadable =
                    |e| Failure::cannot(format!("cannot read {}: {e}", path.display()));
                Some(std::fs::read_to_string(path).map_err(unreadable)?)
            }
            None => std::env::var(TOKEN).ok(),
        };
        let token = text.map(|text| text.trim().to_owned());
        // What is no single word is no token, and would be no header either.
        if let Some(token) = &token
            && !token.bytes().all(|byte| byte.is_ascii_graphic())
        {
            let place = match &self.token_file {
                Some(path) => path.display().to_string(),
                None => format!("the variable {TOKEN}"),
            };
            return Err(Failure::cannot(format!(
                "{place} is no token: it is one word on one line, as `strowger token new` printed it"
            )));
        }
        Ok(token)
    }
}

/// What the engine refused, as it says it: findings with their frames, then the sentence.
fn refused(answer: &Answer) -> Failure {
    let sentence = answer.refusal();
    let message = match answer.body["text"].as_str() {
        Some(text) => format!("{}\n{sentence}", text.trim_end()),
        None => sentence,
    };
    let code = match answer.status {
        StatusCode::UNPROCESSABLE_ENTITY | StatusCode::CONFLICT | StatusCode::FORBIDDEN => FOUND,
        _ => CANNOT,
    };
    Failure::new(code, message)
}
