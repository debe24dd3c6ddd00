//! One exchange with the HTTP API of an engine that runs, for the verbs that talk with one.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, StatusCode, http::request};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value as Json;

use crate::effects::causes;

/// Asks; keeps its connections.
pub(super) struct Caller {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    /// Longest answer, in bytes.
    most: usize,
}

/// What came back.
pub(super) struct Answer {
    pub status: StatusCode,
    /// Null where it is no JSON.
    pub body: Json,
}

/// Why nothing came back.
pub(super) enum NoAnswer {
    /// The address is none, or a header cannot be sent.
    Unusable(String),
    /// Nobody is there.
    Silent(String),
    /// It broke off.
    Cut(String),
}

impl Answer {
    /// Why something was refused, in the engine's own words.
    pub fn refusal(&self) -> String {
        match self.body["detail"].as_str() {
            Some(detail) => detail.to_owned(),
            None => format!("the engine answers {}", self.status),
        }
    }
}

impl Caller {
    /// One that reads answers of at most so many bytes.
    pub fn new(most: usize) -> Caller {
        let https = hyper_rustls::HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::aws_lc_rs::default_provider())
            .expect("the provider has the protocol versions that rustls calls safe")
            .https_or_http()
            .enable_http1()
            .build();
        let client = Client::builder(TokioExecutor::new()).build(https);
        Caller { client, most }
    }

    /// Sends a request and reads the answer whole.
    pub async fn exchange(
        &self,
        request: request::Builder,
        body: Vec<u8>,
    ) -> Result<Answer, NoAnswer> {
        let request: Request<_> = request
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| NoAnswer::Unusable(error.to_string()))?;
        let response = self
            .client
            .request(request)
            .await
            .map_err(|error| NoAnswer::Silent(causes(&error)))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), self.most)
            .collect()
            .await
            .map_err(|error| NoAnswer::Cut(error.to_string()))?;
        let body = serde_json::from_slice(&body.to_bytes()).unwrap_or(Json::Null);
        Ok(Answer { status, body })
    }
}
