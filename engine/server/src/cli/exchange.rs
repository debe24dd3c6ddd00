//! One exchange with the HTTP API of an engine that runs, for the verbs that talk with one.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::Args;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, StatusCode, http::request};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value as Json;

use super::Failure;
use crate::effects::causes;

/// Whose certificates are believed.
#[derive(Debug, Args)]
pub(super) struct Trust {
    /// A PEM file with the certificates of the authorities that are believed, in place of the public ones: for an engine whose
    /// certificate is by an authority of one's own.
    #[arg(long, value_name = "FILE", env = "STROWGER_CA")]
    ca: Option<PathBuf>,
}

impl Trust {
    /// Somebody who asks and reads answers of at most so many bytes.
    pub fn caller(&self, most: usize) -> Result<Caller, Failure> {
        let roots = self.ca.as_deref().map(authorities).transpose()?;
        Ok(Caller::new(most, roots))
    }
}

/// The certificates of a file.
fn authorities(path: &Path) -> Result<RootCertStore, Failure> {
    let wrong = |why: &dyn std::fmt::Display| {
        Failure::cannot(format!(
            "no certificates of an authority in {}: {why}; a PEM file has them, each from -----BEGIN CERTIFICATE----- on",
            path.display()
        ))
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))? {
        let certificate = certificate.map_err(|error| wrong(&error))?;
        roots.add(certificate).map_err(|error| wrong(&error))?;
    }
    match roots.is_empty() {
        true => Err(wrong(&"it has none")),
        false => Ok(roots),
    }
}

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
    /// Somebody is there whose certificate is by nobody that is believed, or for another name.
    Unbelieved(String),
    /// Somebody is there who does not speak HTTP.
    Strange(String),
    /// It broke off.
    Cut(String),
}

impl NoAnswer {
    fn of(error: &(dyn Error + 'static)) -> NoAnswer {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if let Some(rustls::Error::InvalidCertificate(why)) = of_tls(error) {
                return NoAnswer::Unbelieved(format!("{why:?}"));
            }
            let http = error.downcast_ref::<hyper::Error>();
            if http.is_some_and(hyper::Error::is_parse) {
                return NoAnswer::Strange(error.to_string());
            }
            cause = error.source();
        }
        NoAnswer::Silent(causes(error))
    }

    /// What to do about it, and of whom: for people.
    pub fn told(&self, url: &str) -> String {
        match self {
            NoAnswer::Unusable(why) => {
                format!("{url} cannot be asked: {why}; write http://HOST:PORT")
            }
            NoAnswer::Silent(why) => {
                format!("no answer from {url}: {why}; does the engine run there?")
            }
            NoAnswer::Unbelieved(why) => format!(
                "the certificate of {url} is not believed ({why}): write the name that it is for, and name the file with the certificate of its authority by \
                 --ca where that is one of your own"
            ),
            NoAnswer::Strange(why) => format!(
                "what answers at {url} does not speak HTTP ({why}): an engine with a certificate is https://HOST:PORT"
            ),
            NoAnswer::Cut(why) => format!("the answer of {url} broke off: {why}"),
        }
    }
}

/// What TLS says, where an error is by it. What an I/O error holds is not among its causes, and may be one again.
fn of_tls<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    let mut error = error;
    while let Some(io) = error.downcast_ref::<io::Error>() {
        error = io.get_ref()?;
    }
    error.downcast_ref()
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
    /// One that reads answers of at most so many bytes, and believes these authorities; none for the public ones.
    fn new(most: usize, roots: Option<RootCertStore>) -> Caller {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let versions = "the provider has the protocol versions that rustls calls safe";
        let builder = hyper_rustls::HttpsConnectorBuilder::new();
        let builder = match roots {
            None => builder
                .with_provider_and_webpki_roots(provider)
                .expect(versions),
            Some(roots) => builder.with_tls_config(
                ClientConfig::builder_with_provider(provider.into())
                    .with_safe_default_protocol_versions()
                    .expect(versions)
                    .with_root_certificates(roots)
                    .with_no_client_auth(),
            ),
        };
        let https = builder.https_or_http().enable_http1().build();
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
            .map_err(|error| NoAnswer::of(&error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), self.most)
            .collect()
            .await
            .map_err(|error| NoAnswer::Cut(error.to_string()))?;
        let body = serde_json::from_slice(&body.to_bytes()).unwrap_or(Json::Null);
        Ok(Answer { status, body })
    }
}
