//! HTTPS by configuration: a certificate and its key in PEM files, looked at before anything is served.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{InconsistentKeys, ServerConfig};
use tokio_rustls::TlsAcceptor;
use x509_parser::parse_x509_certificate;

use crate::project::HttpSection;

/// Largest PEM file, in bytes: a chain of certificates has some ten thousand.
const MAX_FILE: u64 = 1 << 20;

/// The certificate in use, which a SIGHUP replaces.
#[derive(Clone)]
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    current: Arc<RwLock<Arc<ServerConfig>>>,
}

/// Why HTTPS cannot be served.
#[derive(Debug, thiserror::Error)]
#[error("{key} {path}: {why}", path = .path.display())]
pub struct TlsError {
    /// The key of `strowger.toml`.
    key: &'static str,
    path: PathBuf,
    why: String,
}

const CERTIFICATE: &str = "http.tls_certificate";
const KEY: &str = "http.tls_key";

impl Tls {
    /// What `[http]` of a project names; none when it names nothing. `now` is in milliseconds since 1970.
    pub fn of(config: &HttpSection, project: &Path, now: u64) -> Result<Option<Tls>, TlsError> {
        let (Some(certificate), Some(key)) = (&config.tls_certificate, &config.tls_key) else {
            return Ok(None);
        };
        let (certificate, key) = (project.join(certificate), project.join(key));
        let current = Arc::new(RwLock::new(load(&certificate, &key, now)?));
        Ok(Some(Tls {
            certificate,
            key,
            current,
        }))
    }

    /// Reads the files again. What cannot be used changes nothing.
    pub fn reload(&self, now: u64) -> Result<(), TlsError> {
        let fresh = load(&self.certificate, &self.key, now)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// For the next connection.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner);
        TlsAcceptor::from(current.clone())
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tls({})", self.certificate.display())
    }
}

fn load(certificate: &Path, key: &Path, now: u64) -> Result<Arc<ServerConfig>, TlsError> {
    let wrong = |key: &'static str, path: &Path, why: String| TlsError {
        key,
        path: path.to_owned(),
        why,
    };
    let of_certificate = |why| wrong(CERTIFICATE, certificate, why);
    let of_key = |why| wrong(KEY, key, why);
    let chain = read(certificate).map_err(of_certificate)?;
    let chain: Vec<CertificateDer> = CertificateDer::pem_slice_iter(&chain)
        .collect::<Result<_, _>>()
        .map_err(|error| of_certificate(format!("is no PEM file ({error})")))?;
    let Some(own) = chain.first() else {
        return Err(of_certificate(
            "has no certificate in it; it begins with -----BEGIN CERTIFICATE-----".to_owned(),
        ));
    };
    let (_, parsed) = parse_x509_certificate(own).map_err(|error| {
        of_certificate(format!("its first certificate cannot be read ({error})"))
    })?;
    let now = i64::try_from(now / 1_000).unwrap_or(i64::MAX);
    let validity = parsed.validity();
    if validity.not_after.timestamp() < now {
        return Err(of_certificate(format!(
            "has expired, {}; renew it",
            validity.not_after
        )));
    }
    if validity.not_before.timestamp() > now {
        return Err(of_certificate(format!(
            "is good from {} only; is this machine's clock right?",
            validity.not_before
        )));
    }
    let secret = read(key).map_err(of_key)?;
    // Never the parser's own words: they may hold a line of the key.
    let secret = PrivateKeyDer::from_pem_slice(&secret).map_err(|_| {
        of_key("has no private key in it; it begins with -----BEGIN PRIVATE KEY-----, without a passphrase".to_owned())
    })?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| of_certificate(error.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => of_key(format!(
                "is not the key of the certificate {}",
                certificate.display()
            )),
            error => of_key(format!("cannot be used ({error})")),
        })?;
    let mut config = config;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let size = std::fs::metadata(path)
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                "there is no such file; its path begins at the project's folder".to_owned()
            }
            _ => format!("cannot be read: {error}"),
        })?
        .len();
    if size > MAX_FILE {
        return Err(format!(
            "has {size} bytes, and a PEM file at most {MAX_FILE}"
        ));
    }
    std::fs::read(path)
        .map_err(|error| format!("cannot be read: {error}; the engine's user needs to"))
}
