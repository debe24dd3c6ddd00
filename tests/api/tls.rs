//! HTTPS.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use strowger_tests::Engine;
use strowger_tests::http::{Response, talk};
use strowger_tests::program::{self, copy, free_port, strowger};

use crate::world::with_http;

/// An authority, and certificates by it.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Result<Authority> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Authority { issuer })
    }

    /// Writes `cert.pem` and `key.pem` for this machine, good for the years from and to.
    fn write(&self, folder: &Path, years: (i32, i32)) -> Result<()> {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()])?;
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        let key = KeyPair::generate()?;
        let issuer: &Issuer<'_, KeyPair> = &self.issuer;
        let certificate = params.signed_by(&key, issuer)?;
        std::fs::write(folder.join("cert.pem"), certificate.pem())?;
        std::fs::write(folder.join("key.pem"), key.serialize_pem())?;
        Ok(())
    }

    /// Asks over TLS; the answer, and the certificate that was shown.
    fn ask(&self, at: SocketAddr, path: &str) -> Result<(Response, CertificateDer<'static>)> {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone())?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost")?)?;
        let stream = TcpStream::connect(at)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        let mut stream = StreamOwned::new(client, stream);
        let answer = talk(
            &mut stream,
            &format!("localhost:{}", at.port()),
            "GET",
            path,
            &[],
            None,
        )?;
        let shown = stream
            .conn
            .peer_certificates()
            .and_then(|chain| chain.first());
        Ok((answer, shown.context("a certificate")?.clone().into_owned()))
    }
}

const SETTINGS: &str = "tls_certificate = \"cert.pem\"\ntls_key = \"key.pem\"";

#[test]
fn https_is_served_and_takes_a_new_certificate() -> Result<()> {
    let authority = Authority::new()?;
    let mut engine = Engine::start("bench", |project| {
        authority.write(project, (2020, 2090))?;
        program::edit(&project.join("strowger.toml"), |text| {
            with_http(&text, SETTINGS)
        })
    })?;
    let serving = format!("https://{}", engine.http);
    assert!(
        engine.program.log().contains(&serving),
        "{}",
        engine.program.log()
    );
    let (answer, first) = authority.ask(engine.http, "/v1/me")?;
    assert_eq!(
        (answer.status, answer.json()?["who"].as_str()),
        (200, Some("loopback"))
    );
    // Who speaks plain HTTP gets nothing, and holds nothing up.
    assert!(strowger_tests::http::get(engine.http, "/healthz").is_err());

    let hang_up = |engine: &Engine| -> Result<()> {
        let status = Command::new("kill")
            .args(["-HUP", &engine.program.id().to_string()])
            .status()?;
        anyhow::ensure!(status.success(), "the signal was not sent");
        Ok(())
    };
    let soon = Duration::from_secs(20);
    let log = |engine: &Engine| engine.program.log();
    authority.write(&engine.project, (2020, 2021))?;
    hang_up(&engine)?;
    let seen = engine.project.with_file_name("log");
    let told = |word: &'static str| {
        let seen = seen.clone();
        move || std::fs::read_to_string(&seen).is_ok_and(|log| log.contains(word))
    };
    engine
        .program
        .wait_until("refusal", soon, told("the certificate stays as it was"))?;
    assert!(log(&engine).contains("has expired"), "{}", log(&engine));
    assert_eq!(authority.ask(engine.http, "/healthz")?.1, first);
    authority.write(&engine.project, (2020, 2091))?;
    hang_up(&engine)?;
    engine.program.wait_until(
        "new certificate",
        soon,
        told("the certificate was read again"),
    )?;
    let (answer, second) = authority.ask(engine.http, "/healthz")?;
    assert_eq!(answer.status, 200);
    assert_ne!(first, second);
    Ok(())
}

#[test]
fn verbs_believe_the_authority_that_they_are_told() -> Result<()> {
    let authority = Authority::new()?;
    let engine = Engine::start("bench", |project| {
        authority.write(project, (2020, 2090))?;
        std::fs::write(project.join("ca.pem"), authority.issuer.pem())?;
        program::edit(&project.join("strowger.toml"), |text| {
            with_http(&text, SETTINGS)
        })
    })?;
    let at = |scheme: &str| format!("{scheme}://localhost:{}", engine.http.port());
    let file = |name: &str| engine.project.join(name).display().to_string();
    let release = |url: &str, more: &[&str]| {
        let fixed = ["release", "--tenant", "bench", "--to", url];
        strowger(&[&fixed[..], more].concat())
    };
    let (code, said, told) = release(&at("https"), &["--ca", &file("ca.pem")])?;
    assert_eq!(code, 0, "{said}{told}");
    for (url, more, words) in [
        (
            at("https"),
            vec![],
            "name the file with the certificate of its authority by --ca",
        ),
        // By another authority than the one that is named.
        (at("https"), vec!["--ca", "other"], "is not believed ("),
        // For another name.
        (
            format!("https://{}", engine.http),
            vec!["--ca", "ca.pem"],
            "write the name that it is for",
        ),
        (
            at("http"),
            vec![],
            "an engine with a certificate is https://",
        ),
        (at("https"), vec!["--ca", "strowger.toml"], "it has none"),
        (
            at("https"),
            vec!["--ca", "no.pem"],
            "no certificates of an authority in",
        ),
    ] {
        let other = Authority::new()?;
        std::fs::write(engine.project.join("other"), other.issuer.pem())?;
        let file = more.get(1).map(|name| file(name));
        let more: Vec<&str> = more
            .first()
            .copied()
            .into_iter()
            .chain(file.as_deref())
            .collect();
        let (code, _, told) = release(&url, &more)?;
        assert_eq!(code, 2, "{told}");
        assert!(told.contains(words), "no `{words}` in {told}");
    }
    Ok(())
}

#[test]
fn what_is_wrong_with_a_certificate_is_told_at_the_start() -> Result<()> {
    let authority = Authority::new()?;
    let project = copy("bench")?;
    let folder = project.path();
    program::edit(&folder.join("strowger.toml"), |text| {
        with_http(&text, SETTINGS)
    })?;
    let refused = |word: &str| -> Result<()> {
        let (sip, at) = (
            format!("127.0.0.1:{}", free_port()?),
            format!("127.0.0.1:{}", free_port()?),
        );
        let path = folder.display().to_string();
        let (code, _, told) = strowger(&["serve", &path, "--sip", &sip, "--http", &at])?;
        assert_eq!(code, 2, "{word}: {told}");
        assert_eq!(told.trim().lines().count(), 1, "{told}");
        assert!(
            told.contains(word) && told.contains("http.tls_"),
            "no `{word}` in {told}"
        );
        assert!(!told.contains("PRIVATE KEY-----\n"), "{told}");
        Ok(())
    };
    refused("cert.pem: there is no such file")?;
    authority.write(folder, (2020, 2021))?;
    refused("has expired")?;
    authority.write(folder, (2080, 2090))?;
    refused("is good from")?;
    authority.write(folder, (2020, 2090))?;
    let key = std::fs::read_to_string(folder.join("key.pem"))?;
    std::fs::remove_file(folder.join("key.pem"))?;
    refused("key.pem: there is no such file")?;
    std::fs::write(folder.join("key.pem"), "no key")?;
    refused("key.pem: has no private key in it")?;
    std::fs::write(folder.join("key.pem"), KeyPair::generate()?.serialize_pem())?;
    refused("is not the key of the certificate")?;
    std::fs::write(folder.join("cert.pem"), key)?;
    refused("cert.pem: has no certificate in it")?;
    Ok(())
}
