//! Authorities that a tenant's requests believe besides the usual ones.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::parse_x509_certificate;

/// Largest PEM file, in bytes: all the usual web authorities have some 200 KiB.
const MAX_FILE: u64 = 1 << 20;
/// Most certificates of all files of a tenant: as many as the usual web authorities are, and more.
const MAX_CERTIFICATES: usize = 256;

/// Certificates of authorities, as they stand in files; they have been looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Authorities(Arc<Vec<CertificateDer<'static>>>);

/// A file of `limits.http.authorities` that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("limits.http.authorities {}: {why}", .file.display())]
pub struct NoAuthorities {
    file: PathBuf,
    why: String,
}

impl Authorities {
    /// Reads files, whose paths begin at a folder.
    pub(crate) fn read(folder: &Path, files: &[String]) -> Result<Authorities, NoAuthorities> {
        let mut all = Vec::new();
        for file in files {
            let file = folder.join(file);
            match certificates(&file) {
                Ok(certificates) => all.extend(certificates),
                Err(why) => return Err(NoAuthorities { file, why }),
            }
            if all.len() > MAX_CERTIFICATES {
                let why = format!(
                    "with it there are more than {MAX_CERTIFICATES} certificates; name those alone that are needed"
                );
                return Err(NoAuthorities { file, why });
            }
        }
        Ok(Authorities(Arc::new(all)))
    }

    /// These and the usual web authorities.
    pub(super) fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        for certificate in self.0.iter() {
            let added = roots.add(certificate.clone());
            added.expect("it was added to another store when it was read");
        }
        roots
    }
}

/// The certificates of a PEM file; why they cannot be used.
fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let mut text = Vec::new();
    let opened = File::open(file).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut text));
    opened.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            "there is no such file; its path begins at the folder of strowger.toml".to_owned()
        }
        _ => format!("cannot be read: {error}; the engine's user needs to"),
    })?;
    if text.len() as u64 > MAX_FILE {
        return Err(format!(
            "has more than {MAX_FILE} bytes, the most of a PEM file"
        ));
    }
    let found: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("is no PEM file ({error})"))?;
    if found.is_empty() {
        return Err(
            "has no certificate in it; it begins with -----BEGIN CERTIFICATE-----".to_owned(),
        );
    }
    for (index, certificate) in found.iter().enumerate() {
        let number = index + 1;
        let (_, parsed) = parse_x509_certificate(certificate)
            .map_err(|error| format!("its certificate {number} cannot be read ({error})"))?;
        // Of version 1 none says so, and old authorities have such (RFC 5280 §4.2.1.9).
        if parsed.version().0 >= 2 && !parsed.is_ca() {
            return Err(format!(
                "its certificate {number}, of {}, is no authority's: name the certificate of who signed it",
                parsed.subject()
            ));
        }
        let added = RootCertStore::empty().add(certificate.clone());
        added.map_err(|error| format!("its certificate {number} cannot be used ({error})"))?;
    }
    Ok(found)
}
