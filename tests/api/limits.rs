//! Limits that every endpoint has, and the headers that every answer has.

use std::io::Write as _;
use std::net::TcpStream;

use anyhow::{Context, Result};
use strowger_tests::http::{get, send};
use strowger_tests::program::{self, copy, strowger};

use crate::world::{Client, engine, with_http};

#[test]
fn who_asks_too_much_is_told_when_to_go_on() -> Result<()> {
    let engine = engine("requests_per_second = 1\nburst = 10")?;
    let one = Client::new(&engine, "auditor", &[])?;
    let other = Client::new(&engine, "auditor", &[])?;
    let mut refused = None;
    for _ in 0..12 {
        let answer = one.ask("GET", "/v1/me")?;
        if answer.status == 429 {
            refused = Some(answer);
            break;
        }
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    let refused = refused.context("the eleventh or twelfth is too much")?;
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(
        refused.header("content-type"),
        Some("application/problem+json")
    );
    // Each has a bucket of its own.
    assert_eq!(other.ask("GET", "/v1/me")?.status, 200);
    // Who is nobody is counted by where he comes from.
    let tries: Vec<u16> = (0..12)
        .map(|_| Ok(get(engine.http, "/v1/me")?.status))
        .collect::<Result<_>>()?;
    assert!(
        tries.starts_with(&[401]) && tries.ends_with(&[429]),
        "{tries:?}"
    );
    Ok(())
}

#[test]
fn who_is_not_let_in_keeps_nobody_out_who_comes_from_the_same_address() -> Result<()> {
    let engine = engine("requests_per_second = 1\nburst = 4")?;
    let known = Client::new(&engine, "auditor", &[])?;
    let fresh = Client::new(&engine, "auditor", &[])?;
    assert_eq!(known.ask("GET", "/v1/me")?.status, 200);
    let strange = |text: String| Client {
        engine: &engine,
        token: text,
    };
    // One bit of a good one is another.
    let mut wrong = known.token.clone();
    wrong.replace_range(
        wrong.len() - 1..,
        if wrong.ends_with('0') { "1" } else { "0" },
    );
    let unknown = |n: usize| format!("strw_{n:019x}_{n:064x}");
    let tokens = (0..40).flat_map(|n| [unknown(n), unknown(0), wrong.clone(), "xx".to_owned()]);
    let refused = tokens.map(|token| Ok(strange(token).ask("GET", "/v1/contacts")?.status));
    let refused: Vec<u16> = refused.collect::<Result<_>>()?;
    assert!(
        refused.iter().all(|status| [401, 429].contains(status)),
        "{refused:?}"
    );
    assert!(
        refused.starts_with(&[401]) && refused.contains(&429),
        "{refused:?}"
    );
    let open = (0..40).map(|_| Ok(get(engine.http, "/healthz")?.status));
    let open: Vec<u16> = open.collect::<Result<_>>()?;
    assert!(open.starts_with(&[200]) && open.contains(&429), "{open:?}");
    for client in [&known, &fresh] {
        assert_eq!(client.ask("GET", "/v1/me")?.status, 200);
    }
    // What is open has a count of its own at each address.
    assert_eq!(get(engine.http, "/v1/openapi.json")?.status, 200);
    let names = r#"{"name": "rosa", "password": "nobody has this one"}"#;
    let sign_in = send(engine.http, "POST", "/v1/session", &[], Some(names))?;
    assert_eq!(sign_in.status, 401, "{}", sign_in.body);
    // Somebody whose token is good no longer is not let in, and counts as all who are not.
    let owner = Client::new(&engine, "owner", &[])?;
    let gone = format!("/v1/tokens/{}", fresh.id());
    assert_eq!(owner.ask("DELETE", &gone)?.status, 204);
    let status = fresh.ask("GET", "/v1/me")?.status;
    assert!([401, 429].contains(&status), "{status}");
    Ok(())
}

/// As many files as the system lets this program have.
fn raise_open_files() {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` lives as long as the calls. Where it is refused, connecting says so.
    unsafe {
        libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
        limit.rlim_cur = limit.rlim_max;
        libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit);
    }
}

#[test]
fn load_who_holds_all_connections_with_nothing_keeps_nobody_out() -> Result<()> {
    raise_open_files();
    let engine = engine("")?;
    let owner = Client::new(&engine, "owner", &[])?;
    let mut crowd = Vec::new();
    for said in [
        "",
        "GET /healthz HTTP/1.1\r\nHost: a\r\n",
        "POST /v1/session HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{",
    ] {
        for _ in 0..2_100 {
            let mut one = TcpStream::connect(engine.http)?;
            one.write_all(said.as_bytes())?;
            crowd.push(one);
        }
        assert_eq!(owner.ask("GET", "/v1/me")?.status, 200, "{said}");
        // Files of this program: those who came last stay.
        crowd.drain(..crowd.len() - 2_000);
    }
    let metrics = owner.ask("GET", "/metrics")?.body;
    let gave_way = metrics
        .lines()
        .find_map(|line| line.strip_prefix("strowger_http_gave_way_total "));
    let gave_way: u64 = gave_way.context("a counter")?.trim().parse()?;
    assert!(gave_way > 50, "{gave_way}");
    Ok(())
}

#[test]
fn a_body_has_a_largest_size() -> Result<()> {
    let engine = engine("body_kib = 1")?;
    let owner = Client::new(&engine, "owner", &[])?;
    let large = format!(r#"{{"name": "{}", "role": "auditor"}}"#, "x".repeat(2_000));
    for fields in [&[][..], &[("Idempotency-Key", "k")]] {
        let answer = owner.with("POST", "/v1/tokens", fields, Some(&large))?;
        assert_eq!(answer.status, 413, "{fields:?}: {}", answer.body);
    }
    let sign_in = send(engine.http, "POST", "/v1/session", &[], Some(&large))?;
    assert_eq!(sign_in.status, 413, "{}", sign_in.body);
    Ok(())
}

#[test]
fn a_head_has_a_largest_size() -> Result<()> {
    let engine = engine("")?;
    for (bytes, status) in [(30_000, 200), (200_000, 431)] {
        let long = "x".repeat(bytes);
        let answer = send(engine.http, "GET", "/healthz", &[("X-Long", &long)], None)?;
        assert_eq!(answer.status, status, "{bytes}: {}", answer.body);
    }
    Ok(())
}

#[test]
fn every_answer_tells_browsers_to_be_careful() -> Result<()> {
    let engine = engine("")?;
    for path in [
        "/healthz",
        "/v1/contacts",
        "/v1/contacts/nobody",
        "/nothing",
    ] {
        let answer = get(engine.http, path)?;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
            (
                "content-security-policy",
                "default-src 'none'; frame-ancestors 'none'",
            ),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
    }
    Ok(())
}

#[test]
fn settings_that_cannot_be_are_told() -> Result<()> {
    for (settings, word) in [
        (
            "requests_per_second = 0",
            "http.requests_per_second is 1 to 100000, not 0",
        ),
        ("burst = 0", "http.burst is 1 to 100000"),
        ("body_kib = 100000", "http.body_kib is 1 to 65536"),
        (
            "tls_key = \"key.pem\"",
            "http.tls_key stands without http.tls_certificate",
        ),
        (
            "tls_certificate = \"cert.pem\"",
            "http.tls_certificate stands without http.tls_key",
        ),
    ] {
        let project = copy("bench")?;
        program::edit(&project.path().join("strowger.toml"), |text| {
            with_http(&text, settings)
        })?;
        let (code, out, err) = strowger(&["check", &project.path().display().to_string()])?;
        assert_ne!(code, 0, "{settings}");
        assert!(
            format!("{out}{err}").contains(word),
            "{settings}: {out}{err}"
        );
    }
    Ok(())
}

#[test]
fn who_is_refused_again_and_again_does_not_fill_the_audit_log() -> Result<()> {
    let engine = engine("requests_per_second = 1000\nburst = 1000")?;
    let auditor = Client::new(&engine, "auditor", &[])?;
    let owner = Client::new(&engine, "owner", &[])?;
    for _ in 0..50 {
        assert_eq!(auditor.ask("DELETE", "/v1/users/rosa")?.status, 403);
    }
    let log = owner.ask("GET", "/v1/audit?limit=200")?.json()?;
    let lines = log["items"].as_array().context("lines")?;
    let refused = lines.iter().filter(|line| line["outcome"] == "refused");
    assert_eq!(refused.count(), 20);
    // Others are written down meanwhile, and all are counted.
    let other = Client::new(&engine, "auditor", &[])?;
    assert_eq!(other.ask("DELETE", "/v1/users/rosa")?.status, 403);
    let newest = owner.ask("GET", "/v1/audit?limit=1")?.json()?;
    let who = format!("token:{}", other.id());
    assert_eq!(newest["items"][0]["who"], who.as_str(), "{newest}");
    let metrics = owner.ask("GET", "/metrics")?.body;
    for line in [
        "strowger_http_changes_refused_total 51\n",
        "strowger_audit_left_out_total 30\n",
    ] {
        assert!(metrics.contains(line), "no {line} in {metrics}");
    }
    Ok(())
}
