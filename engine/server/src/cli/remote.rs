//! Talks with the HTTP API of an engine that runs elsewhere.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use clap::Args;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Method, Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value as Json;

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
        let request = request.body(Full::new(Bytes::from(body))).map_err(|e| {
            Failure::cannot(format!(
                "{url} cannot be asked: {e}; write --to http://HOST:PORT"
            ))
        })?;
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        let https = hyper_rustls::HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::aws_lc_rs::default_provider())
            .map_err(Failure::cannot)?
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new()).build(https);
        let exchange = async {
            let response = client.request(request).await.map_err(|e| {
                let mut why = e.to_string();
                let mut cause = std::error::Error::source(&e);
                while let Some(inner) = cause {
                    why = format!("{why}: {inner}");
                    cause = inner.source();
                }
                Failure::cannot(format!(
                    "no answer from {base}: {why}; does the engine run there?"
                ))
            })?;
            let status = response.status();
            let body = Limited::new(response.into_body(), MAX_ANSWER)
                .collect()
                .await;
            let body =
                body.map_err(|e| Failure::cannot(format!("the answer of {base} broke off: {e}")))?;
            Ok::<_, Failure>((status, body.to_bytes()))
        };
        let (status, body) = tokio::time::timeout(ANSWER_WITHIN, exchange)
            .await
            .map_err(|_| {
                let seconds = ANSWER_WITHIN.as_secs();
                Failure::cannot(format!("no answer from {base} within {seconds} s"))
            })??;
        let answer: Json = serde_json::from_slice(&body).unwrap_or(Json::Null);
        if status.is_success() {
            return Ok(answer);
        }
        Err(refused(status, &answer))
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
        Ok(text.map(|text| text.trim().to_owned()))
    }
}

/// What the engine refused, as it says it: findings with their frames, then the sentence.
fn refused(status: StatusCode, answer: &Json) -> Failure {
    let sentence = match answer["detail"].as_str() {
        Some(detail) => detail.to_owned(),
        None => format!("the engine answers {status}"),
    };
    let message = match answer["text"].as_str() {
        Some(text) => format!("{}\n{sentence}", text.trim_end()),
        None => sentence,
    };
    let code = match status {
        StatusCode::UNPROCESSABLE_ENTITY | StatusCode::CONFLICT | StatusCode::FORBIDDEN => FOUND,
        _ => CANNOT,
    };
    Failure::new(code, message)
}
