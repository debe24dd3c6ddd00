//! Before there is any token: open on this machine alone, and closed by the first one.

use anyhow::Result;
use strowger_tests::http::{get, send};
use strowger_tests::program::{copy, free_port, strowger};

use crate::world::{Client, engine};

#[test]
fn the_first_token_closes_a_running_engine() -> Result<()> {
    let engine = engine("")?;
    assert!(
        engine.program.log().contains("no token was made yet"),
        "{}",
        engine.program.log()
    );
    let me = get(engine.http, "/v1/me")?.json()?;
    assert_eq!(
        (&me["who"], &me["role"]),
        (&"loopback".into(), &"owner".into())
    );
    // A page in the browser of somebody on this machine is not let in with him.
    for (fields, status) in [
        (&[("Host", "evil.example:8080")][..], 403),
        (&[("Host", "localhost:8080")], 200),
    ] {
        assert_eq!(
            send(engine.http, "GET", "/v1/contacts", fields, None)?.status,
            status,
            "{fields:?}"
        );
    }
    let body = Some(r#"{"name": "x", "role": "owner"}"#);
    let foreign = [("Origin", "https://evil.example")];
    assert_eq!(
        send(engine.http, "POST", "/v1/tokens", &foreign, body)?.status,
        403
    );

    let owner = Client::new(&engine, "owner", &[])?;
    assert_eq!(get(engine.http, "/v1/contacts")?.status, 401);
    assert_eq!(owner.ask("GET", "/v1/contacts")?.status, 200);
    assert_eq!(get(engine.http, "/healthz")?.status, 200);
    // Not opened again by revoking the last.
    assert_eq!(
        owner
            .ask("DELETE", &format!("/v1/tokens/{}", owner.id()))?
            .status,
        204
    );
    assert_eq!(owner.ask("GET", "/v1/contacts")?.status, 401);
    assert_eq!(get(engine.http, "/v1/contacts")?.status, 401);
    Ok(())
}

#[test]
fn an_address_that_others_reach_needs_a_token() -> Result<()> {
    let project = copy("bench")?;
    let data = project.path().join("data").display().to_string();
    strowger_tests::program::share_caches(&project.path().join("data"))?;
    let path = project.path().display().to_string();
    let (sip, at) = (
        format!("127.0.0.1:{}", free_port()?),
        format!("0.0.0.0:{}", free_port()?),
    );
    let (code, _, told) = strowger(&[
        "serve", &path, "--data", &data, "--sip", &sip, "--http", &at,
    ])?;
    assert_eq!(code, 2, "{told}");
    let sentence = told.lines().last().unwrap_or_default();
    for word in [
        &at,
        "no token was ever made",
        "strowger token new --role owner",
        &data,
    ] {
        assert!(sentence.contains(word), "no `{word}` in {sentence}");
    }
    Ok(())
}

#[test]
fn metrics_need_a_token_where_others_reach_them() -> Result<()> {
    use strowger_tests::Program;
    let project = copy("bench")?;
    let data = project.path().join("data");
    strowger_tests::program::share_caches(&data)?;
    let (path, data) = (
        project.path().display().to_string(),
        data.display().to_string(),
    );
    let of = ["--project", &path, "--data", &data];
    let mut tokens = Vec::new();
    for role in ["operator", "designer"] {
        let (code, token, told) = strowger(&[&["token", "new", "--role", role], &of[..]].concat())?;
        assert_eq!(code, 0, "{told}");
        tokens.push(format!("Bearer {}", token.trim()));
    }
    let (sip, port) = (format!("127.0.0.1:{}", free_port()?), free_port()?);
    let mut command = std::process::Command::new(strowger_tests::program::binary("strowger")?);
    command.args([
        "serve",
        &path,
        "--data",
        &data,
        "--sip",
        &sip,
        "--http",
        &format!("0.0.0.0:{port}"),
    ]);
    let log = project.path().join("log");
    let mut program = Program::start(command, "strowger", log.clone())?;
    program.wait_until("serving", std::time::Duration::from_secs(60), || {
        std::fs::read_to_string(&log).is_ok_and(|log| log.contains("serving "))
    })?;
    let here = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    assert_eq!(get(here, "/healthz")?.status, 200);
    assert_eq!(get(here, "/metrics")?.status, 401);
    for (token, status) in tokens.iter().zip([200, 403]) {
        let answer = send(here, "GET", "/metrics", &[("Authorization", token)], None)?;
        assert_eq!(answer.status, status, "{}", answer.body);
    }
    Ok(())
}

#[test]
fn a_store_that_is_deleted_is_missed_and_no_empty_one_takes_its_place() -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut engine = engine("")?;
    let authorization = format!("Bearer {}", engine.token("owner", &[])?);
    let http = engine.http;
    assert_eq!(get(engine.http, "/healthz")?.json()?["store"], "ok");
    let files = ["strowger.db", "strowger.db-wal", "strowger.db-shm"];
    for file in files {
        let mode = std::fs::metadata(engine.data.join(file))?
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let away = engine.data.join("away");
    std::fs::create_dir(&away)?;
    for file in files {
        std::fs::rename(engine.data.join(file), away.join(file))?;
    }
    assert_eq!(get(engine.http, "/healthz")?.json()?["store"], "gone");
    let body = serde_json::json!({ "name": "x", "role": "owner" }).to_string();
    let make = || {
        let fields = [("authorization", authorization.as_str())];
        send(http, "POST", "/v1/tokens", &fields, Some(&body))
    };
    let refused = make()?;
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert!(refused.body.contains("it was removed"), "{}", refused.body);
    // Nor does another verb make an empty one.
    let data = engine.data.display().to_string();
    let project = engine.project.display().to_string();
    let of = ["-p", &project, "--data", &data];
    let (code, _, told) = strowger(&[&["token", "new", "--role", "owner"][..], &of].concat())?;
    assert!(code == 2 && told.contains("is gone, and"), "{code} {told}");
    for file in files {
        std::fs::rename(away.join(file), engine.data.join(file))?;
    }
    assert_eq!(get(engine.http, "/healthz")?.json()?["store"], "ok");
    assert_eq!(make()?.status, 201);

    engine.program.kill()?;
    for file in files {
        std::fs::rename(engine.data.join(file), away.join(file))?;
    }
    let (code, _, told) = strowger(&["serve", &project, "--data", &data])?;
    assert_eq!(code, 2, "{told}");
    for word in ["strowger.db is gone", "strowger restore", "--new-store"] {
        assert!(told.contains(word), "no `{word}` in {told}");
    }
    for file in files {
        std::fs::rename(away.join(file), engine.data.join(file))?;
    }
    engine.restart()?;
    assert_eq!(get(engine.http, "/v1/contacts")?.status, 401);
    let fields = [("authorization", authorization.as_str())];
    assert_eq!(
        send(http, "GET", "/v1/contacts", &fields, None)?.status,
        200
    );
    Ok(())
}
