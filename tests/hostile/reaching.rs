//! What a plugin reaches for over the network, in the store and of contacts: each is contained, and another tenant's contact
//! ends well meanwhile.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value as Json, json};
use strowger_tests::Hall;
use strowger_tests::attack::{Attack, attacker, reach};
use strowger_tests::hall::CHATS;
use strowger_tests::program::strowger;
use strowger_tests::upstream::{Upstream, echo, reply};

/// What was refused, as the guest was told.
fn refused<'a>(answer: &'a Json, kind: &str) -> &'a str {
    answer["err"][kind]
        .as_str()
        .unwrap_or_else(|| panic!("no {kind}: {answer}"))
}

#[test]
fn nothing_private_is_reached_however_it_is_spelled() -> Result<()> {
    let inside = Upstream::start(echo)?;
    let port = inside.address.port();
    let hosts: Vec<String> = [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "0.0.0.0",
        "localhost",
        "LOCALHOST",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "169.254.169.254",
        "[fe80::1]",
        "[fd00::1]",
        "10.0.0.1",
        "100.64.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
    ]
    .iter()
    .map(|host| format!("{host}:{port}"))
    .collect();
    let requests = hosts
        .iter()
        .map(|host| json!({ "url": format!("http://{host}/secret") }));
    let plan: Vec<Json> = requests.collect();
    let grants = format!("http = {}", json!(hosts));
    let rules = format!("[grants]\n{grants}\n[limits.step]\nbusy_ms = 20000\n");
    let hall = Hall::attacked(&rules, &grants, &[reach("600", json!(plan))])?;
    let answers = hall.attack("600")?.answers()?;
    assert_eq!(answers.len(), hosts.len());
    for (host, answer) in hosts.iter().zip(&answers) {
        let told = refused(answer, "denied");
        let named = format!("http to {}: resolves to the ", host.to_lowercase());
        assert!(told.starts_with(&named), "{host}: {told}");
        assert!(told.contains("limits.http.private"), "{host}: {told}");
    }
    assert_eq!(inside.asked().len(), 0);
    assert_eq!(hall.refusals("http.private")?, hosts.len() as u64);
    Ok(())
}

#[test]
fn redirects_lead_nowhere_that_a_request_may_not_go() -> Result<()> {
    let inside = Upstream::start(echo)?;
    let other = Upstream::start(echo)?;
    let (inner, next) = (inside.address, other.address);
    let outer = Upstream::start(move |asked, to| {
        let location = match asked.path() {
            "/inside" => format!("http://{inner}/secret"),
            // The same, spelled otherwise.
            "/spelled" => format!("http://2130706433:{}/secret", inner.port()),
            "/stranger" => "http://stranger.example/".to_owned(),
            "/file" => "file:///etc/passwd".to_owned(),
            "/round" => "/round".to_owned(),
            _ => format!("http://{next}/there"),
        };
        reply(
            to,
            "307 Temporary Redirect",
            &format!("Location: {location}\r\n"),
            b"",
        )
    })?;
    let url = |path: &str| format!("http://{}{path}", outer.address);
    let headers = json!([["authorization", "Bearer mine"], ["x-other", "1"]]);
    let plan = json!([
        { "url": url("/inside") },
        { "url": url("/spelled") },
        { "url": url("/stranger") },
        { "url": url("/file") },
        { "url": url("/round") },
        { "url": url("/other"), "headers": headers },
    ]);
    let hosts = [outer.address, inner, next].map(|address| address.to_string());
    let grants = format!("http = {}", json!(hosts));
    let rules = format!(
        "[grants]\n{grants}\n[limits.http]\nredirects = 3\nprivate = [\"{}\", \"{next}\"]\n",
        outer.address
    );
    let hall = Hall::attacked(&rules, &grants, &[reach("600", plan)])?;
    let answers = hall.attack("600")?.answers()?;
    // The URL's own reading makes an address of a number, which is granted and private.
    for at in [0, 1] {
        let told = refused(&answers[at], "denied");
        assert!(told.contains("loopback address 127.0.0.1"), "{told}");
    }
    let told = refused(&answers[2], "denied");
    assert!(
        told.contains("stranger.example:80: not among the hosts"),
        "{told}"
    );
    let told = answers[3]["err"].to_string();
    assert!(told.contains("is no address"), "{told}");
    let told = refused(&answers[4], "limit");
    assert!(told.contains("limits.http.redirects"), "{told}");
    assert_eq!(answers[5]["ok"]["status"], 200);
    assert_eq!(inside.asked().len(), 0);
    let asked = other.asked();
    let head = asked[0].head.to_lowercase();
    assert!(
        head.contains("x-other: 1") && !head.contains("authorization"),
        "{head}"
    );
    // By default the plugin gets the redirect itself.
    let grants = format!("http = [\"{}\"]", outer.address);
    let rules = format!(
        "[grants]\n{grants}\n[limits.http]\nprivate = [\"{}\"]\n",
        outer.address
    );
    let hall = Hall::attacked(
        &rules,
        &grants,
        &[reach("600", json!([{ "url": url("/inside") }]))],
    )?;
    assert_eq!(hall.attack("600")?.answers()?[0]["ok"]["status"], 307);
    Ok(())
}

#[test]
fn services_that_drip_burst_or_lie_cost_nobody_else() -> Result<()> {
    let zeros = vec![0; 8 << 20];
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&zeros)?;
    let bomb = encoder.finish()?;
    let packed = bomb.len();
    let service = Upstream::start(move |asked, to| match asked.path() {
        "/drip" => {
            write!(to, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")?;
            loop {
                to.write_all(b"x")?;
                to.flush()?;
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        "/drip-head" => loop {
            to.write_all(b"H")?;
            to.flush()?;
            std::thread::sleep(Duration::from_millis(50));
        },
        "/endless" => {
            write!(to, "HTTP/1.1 200 OK\r\n\r\n")?;
            loop {
                to.write_all(&[b'x'; 65_536])?;
            }
        }
        "/gzip" => reply(to, "200 OK", "Content-Encoding: gzip\r\n", &bomb),
        "/lines" => {
            let lines: String = (0..5_000).map(|n| format!("X-{n}: 1\r\n")).collect();
            reply(to, "200 OK", &lines, b"")
        }
        "/long" => reply(
            to,
            "200 OK",
            &format!("X: {}\r\n", "x".repeat(1 << 20)),
            b"",
        ),
        _ => echo(asked, to),
    })?;
    let url = |path: &str| json!({ "url": format!("http://{}{path}", service.address) });
    let mut flood = url("/");
    flood["more"] = json!(101);
    let mut wide = url("/");
    (wide["more"], wide["bytes"]) = (json!(50), json!(1_000));
    let plan = json!([
        url("/drip"),
        url("/drip-head"),
        url("/endless"),
        url("/gzip"),
        url("/lines"),
        url("/long"),
        flood,
        wide,
        url("/"),
    ]);
    let mut many = url("/");
    many["times"] = json!(60);
    let grants = format!("http = [\"{}\"]", service.address);
    let rules = format!(
        "[grants]\n{grants}\n[limits.step]\nbusy_ms = 20000\n[limits.http]\nprivate = [\"{}\"]\ntotal_ms = 1500\n\
         response_bytes = 100000\n",
        service.address
    );
    let attacks = [reach("600", plan), reach("601", json!([many]))];
    let hall = Hall::attacked(&rules, &grants, &attacks)?;
    let answers = hall.attack("600")?.answers()?;
    assert_eq!(answers[0]["err"], "timeout");
    assert_eq!(answers[1]["err"], "timeout");
    for (at, limit) in [
        (2, "http.response_bytes"),
        (4, "http.header_bytes"),
        (5, "http.header_bytes"),
        (6, "http.headers"),
        (7, "http.header_bytes"),
    ] {
        let told = refused(&answers[at], "limit");
        assert!(told.contains(&format!("(limits.{limit})")), "{at}: {told}");
    }
    // What is packed is handed on as it came.
    assert_eq!(answers[3]["ok"]["bytes"], packed);
    assert_eq!(answers[8]["ok"]["status"], 200);
    assert_eq!(hall.refusals("http.total_ms")?, 2);
    assert_eq!(hall.refusals("http.header_bytes")?, 3);
    let before = service.asked().len();
    let answers = hall.attack("601")?.answers()?;
    assert!(refused(&answers[0], "limit").contains("(limits.http.per_step)"));
    assert_eq!(service.asked().len() - before, 50);
    assert_eq!(hall.refusals("http.per_step")?, 10);
    Ok(())
}

/// A service's side of TLS with this certificate.
fn served_by(
    certificate: rustls::pki_types::CertificateDer<'static>,
    key: &rcgen::KeyPair,
) -> Result<std::sync::Arc<rustls::ServerConfig>> {
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der())
        .map_err(anyhow::Error::msg)?;
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)?;
    Ok(std::sync::Arc::new(tls))
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_not_believed() -> Result<()> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
    let tls = served_by(made.cert.der().clone(), &made.signing_key)?;
    let service = Upstream::start_tls(tls, echo)?;
    let host = format!("localhost:{}", service.address.port());
    let grants = format!("http = [\"{host}\"]");
    let rules = format!("[grants]\n{grants}\n[limits.http]\nprivate = [\"{host}\"]\n");
    let plan = json!([{ "url": format!("https://{host}/") }]);
    let hall = Hall::attacked(&rules, &grants, &[reach("600", plan)])?;
    let answers = hall.attack("600")?.answers()?;
    let told = refused(&answers[0], "unavailable");
    assert!(told.contains("certificate"), "{told}");
    assert_eq!(service.asked().len(), 0);
    Ok(())
}

#[test]
fn an_authority_of_one_tenants_own_is_believed_for_that_tenant_alone() -> Result<()> {
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = rcgen::CertifiedIssuer::self_signed(params, rcgen::KeyPair::generate()?)?;
    let key = rcgen::KeyPair::generate()?;
    let issuer: &rcgen::Issuer<'_, rcgen::KeyPair> = &authority;
    let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()])?;
    let certificate = params.signed_by(&key, issuer)?;
    let service = Upstream::start_tls(served_by(certificate.der().clone(), &key)?, echo)?;

    let host = format!("localhost:{}", service.address.port());
    let grants = format!("http = [\"{host}\"]");
    let rules = |numbers: &str, more: &str| {
        format!(
            "numbers = [\"{numbers}\"]\n[grants]\n{grants}\n[limits.http]\nprivate = [\"{host}\"]\n{more}"
        )
    };
    let asks = |number| reach(number, json!([{ "url": format!("https://{host}/") }]));
    let (lyra, mallory) = (rules("7*", ""), rules("6*", ""));
    let mut hall = Hall::open_with(CHATS, &[("lyra", &lyra), ("mallory", &mallory)])?;
    hall.publish(&attacker("lyra", &grants, &[asks("700")])?)?;
    hall.publish(&attacker("mallory", &grants, &[asks("600")])?)?;
    let stranger = |hall: &Hall, number: &str| -> Result<()> {
        let answers = hall.walked(number)?.answers()?;
        let told = refused(&answers[0], "unavailable");
        ensure!(told.contains("certificate"), "{told}");
        Ok(())
    };
    stranger(&hall, "700")?;
    stranger(&hall, "600")?;

    // What cannot be used is told with its file, and changes nothing.
    let centre = hall.engine.project.clone();
    let believes = rules("7*", "authorities = [\"ca.pem\"]\n");
    hall.rule("lyra", &believes)?;
    let own = certificate.pem();
    for (text, words) in [
        (None, "there is no such file"),
        (Some("-----BEGIN CERTIFICATE-----\n!\n"), "is no PEM file"),
        (Some("rubbish"), "has no certificate in it"),
        (Some(own.as_str()), "is no authority's"),
    ] {
        if let Some(text) = text {
            std::fs::write(centre.join("ca.pem"), text)?;
        }
        let (code, out, err) = strowger(&["check", &centre.display().to_string()])?;
        let said = format!("{out}{err}");
        ensure!(code != 0, "{said}");
        for word in ["lyra.toml", "limits.http.authorities", "ca.pem", words] {
            ensure!(said.contains(word), "no `{word}`: {said}");
        }
    }
    hall.reload("is no authority's")?;
    stranger(&hall, "700")?;

    std::fs::write(centre.join("ca.pem"), authority.pem())?;
    hall.reload("the tenants' files are read again")?;
    assert_eq!(hall.walked("700")?.answers()?[0]["ok"]["status"], 200);
    stranger(&hall, "600")?;
    // One that nobody names any more is nobody's.
    hall.rule("lyra", &lyra)?;
    assert_eq!(service.asked().len(), 1);
    hall.engine.program.kill()?;
    hall.engine.restart()?;
    stranger(&hall, "700")
}

#[test]
fn a_plugin_keeps_no_more_and_asks_no_oftener_than_it_may() -> Result<()> {
    let flood = |number, bytes: u32, times: u32| Attack {
        number,
        step: "guest-flood/go",
        with: format!("{{ kind: kv, bytes: {bytes}, times: {times} }}"),
    };
    let attacks = [
        flood("600", 10, 40),
        flood("601", 60_000, 15),
        flood("602", 70_000, 5),
    ];
    // The flood itself takes most of a step's usual time.
    let rules = "[grants]\nkv = true\n[limits.kv]\nkeys = 20\nbytes = 300000\n[limits.step]\ncpu_ms = 2000\n";
    let hall = Hall::attacked(rules, "kv = true", &attacks)?;
    assert_eq!(hall.attack("600")?.data()?["refused"], 20);
    assert_eq!(hall.refusals("kv.keys")?, 20);
    // Keys 0 to 14 are there already and grow: 15 small ones, of which four more fit as large ones.
    let kept = 15
        - hall.attack("601")?.data()?["refused"]
            .as_u64()
            .context("a number")?;
    assert_eq!(kept, 4);
    assert_eq!(hall.refusals("kv.bytes")?, 11);
    assert_eq!(hall.attack("602")?.data()?["refused"], 5);
    assert_eq!(hall.refusals("kv.value_bytes")?, 5);

    let rules = "[grants]\nkv = true\n[limits.kv]\noperations_per_second = 1\n";
    let hall = Hall::attacked(rules, "kv = true", &[flood("600", 10, 200)])?;
    let refused = hall.attack("600")?.data()?["refused"].as_u64();
    // One at once, and one for each second that it takes.
    assert!(
        refused.is_some_and(|refused| (100..200).contains(&refused)),
        "{refused:?}"
    );
    assert_eq!(
        hall.refusals("kv.operations_per_second")?,
        refused.unwrap_or(0)
    );
    Ok(())
}

#[test]
fn keys_of_another_tenant_and_plugin_are_not_there() -> Result<()> {
    let get = |number, key: &str| Attack {
        number,
        step: "guest-kv/get",
        with: format!("{{ key: \"{key}\" }}"),
    };
    let attacks = [
        get("600", "k"),
        get("601", "../vega/guest-kv/k"),
        get("602", "vega\\0guest-kv\\0k"),
        get("603", "%' OR tenant = 'victim' --"),
    ];
    let hall = Hall::attacked("[grants]\nkv = true\n", "kv = true", &attacks)?;
    // The neighbour keeps `k`.
    hall.rule("lyra", "numbers = [\"7*\"]\n[grants]\nkv = true\n")?;
    let mut hall = hall;
    hall.reload("the tenants' files are read again")?;
    let keep = Attack {
        number: "700",
        step: "guest-kv/exercise",
        with: "{ key: \"k\" }".to_owned(),
    };
    let own = Attack {
        number: "701",
        step: "guest-kv/get",
        with: "{ key: \"k\" }".to_owned(),
    };
    hall.publish(&attacker("lyra", "kv = true", &[keep, own])?)?;
    assert_eq!(
        hall.over(&hall.begin("700")?)?.data()?["left"],
        json!({ "ok": null })
    );
    for number in ["600", "601", "603"] {
        assert_eq!(
            hall.attack(number)?.data()?["get"],
            json!({ "ok": null }),
            "{number}"
        );
    }
    assert!(hall.attack("602")?.data()?["get"]["err"].is_object());
    assert_eq!(
        hall.over(&hall.begin("701")?)?.data()?["get"],
        json!({ "ok": "left" })
    );
    Ok(())
}

#[test]
fn a_flood_of_log_lines_is_left_out() -> Result<()> {
    let flood = |number, times: u32, bytes: u32| Attack {
        number,
        step: "guest-flood/go",
        with: format!("{{ kind: log, bytes: {bytes}, times: {times} }}"),
    };
    // The guest can keep data too, and must be granted that.
    let rules = "[grants]\nkv = true\n[limits.log]\nlines_per_step = 20\nbytes_per_step = 1000\nlines_per_second = 30\n";
    let attacks = [flood("600", 500, 10), flood("601", 10, 300)];
    let hall = Hall::attacked(rules, "kv = true", &attacks)?;
    let lines = |hall: &Hall, word: &str| {
        let log = hall.engine.program.log();
        log.lines().filter(|line| line.contains(word)).count()
    };
    hall.attack("600")?;
    assert_eq!(lines(&hall, &"x".repeat(10)), 20);
    assert_eq!(hall.refusals("log.lines_per_step")?, 480);
    hall.attack("601")?;
    assert_eq!(lines(&hall, &"x".repeat(300)), 3);
    assert_eq!(hall.refusals("log.bytes_per_step")?, 7);
    assert_eq!(lines(&hall, "log lines of plugins are left out"), 1);
    // More steps than the tenant may have lines a second.
    let ids: Vec<String> = (0..20).map(|_| hall.begin("600")).collect::<Result<_>>()?;
    for id in ids {
        assert_eq!(hall.over(&id)?.reason, "over");
    }
    assert!(hall.refusals("log.lines_per_second")? > 0);
    Ok(())
}

#[test]
fn a_request_is_one_request() -> Result<()> {
    let service = Upstream::start(echo)?;
    let address = service.address;
    let grants = format!("http = [\"{address}\"]");
    let rules = format!("[grants]\n{grants}\n[limits.http]\nprivate = [\"{address}\"]\n");
    let smuggle = Attack {
        number: "600",
        step: "guest-smuggler/go",
        with: format!("{{ plan: \"http://{address}\" }}"),
    };
    let hall = Hall::attacked(&rules, &grants, &[smuggle])?;
    let answers = hall.attack("600")?.answers()?;
    assert_eq!(answers.len(), 17);
    // All but the one whose address has the line break in its escaped form, which it keeps.
    let went: Vec<usize> = (0..17).filter(|&at| !answers[at]["ok"].is_null()).collect();
    let asked = service.asked();
    assert_eq!(went.len(), asked.len(), "{answers:?}");
    for asked in &asked {
        let head = asked.head.to_lowercase();
        let mut lines = head.lines();
        let first = lines.next().unwrap_or_default();
        ensure!(first == "get /%0d%0ax-injected:%201 http/1.1", "{head}");
        ensure!(!lines.any(|line| line.starts_with("x-injected")), "{head}");
    }
    assert_eq!(went, [12], "{answers:?}");
    Ok(())
}

#[test]
fn a_key_opens_what_was_kept_under_it_and_nothing_else() -> Result<()> {
    let keeps = Attack {
        number: "600",
        step: "guest-picklock/go",
        with: "{}".to_owned(),
    };
    let hall = Hall::attacked("[grants]\nkv = true\n", "kv = true", &[keeps])?;
    let data = hall.attack("600")?.data()?;
    assert_eq!(data["kept"], "mine", "{data}");
    let answers = data["answers"].as_array().context("answers")?;
    assert_eq!(answers.len(), 16);
    for [got, deleted, swapped] in answers.iter().map(|each| [&each[0], &each[1], &each[2]]) {
        // Nothing is there, or the key is none.
        ensure!(got["ok"] == false || got["ok"].is_null(), "{got}");
        ensure!(got["ok"] == false || got["err"].is_object(), "{got}");
        ensure!(deleted["ok"].is_null(), "{deleted}");
        ensure!(swapped.is_object(), "{swapped}");
    }
    for at in [9, 10, 11, 14, 15] {
        ensure!(answers[at][0]["err"].is_object(), "{at}: {}", answers[at]);
    }
    Ok(())
}

#[test]
fn contacts_are_handed_over_to_whom_the_operator_grants_alone() -> Result<()> {
    let hijack = Attack {
        number: "600",
        step: "guest-hijacker/go",
        with: "{}".to_owned(),
    };
    let rules = "[grants]\nroute = true\ntransfers = [\"sip:desk@desk.example\"]\n";
    let hall = Hall::attacked(rules, "route = true", &[hijack])?;
    let answers = hall.attack("600")?.answers()?;
    assert_eq!(answers.len(), 15);
    let granted = "the operator does not grant it";
    let denied = answers
        .iter()
        .filter(|answer| answer.to_string().contains(granted));
    assert_eq!(denied.count() as u64, hall.refusals("route.transfers")?);
    for answer in &answers[..14] {
        let told = answer.to_string();
        let nowhere = ["invalid-argument", "refused", "limit"];
        ensure!(
            told.contains(granted)
                || nowhere
                    .iter()
                    .any(|word| told.to_lowercase().contains(word)),
            "{told}"
        );
    }
    ensure!(hall.refusals("route.transfers")? >= 9, "{answers:?}");
    Ok(())
}
