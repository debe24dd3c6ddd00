//! Signing in with a password.

use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde_json::{Value as Json, json};
use strowger_tests::Engine;
use strowger_tests::http::{Response, get, send};
use strowger_tests::program::{binary, strowger};

use crate::world::{Client, engine};

const PASSWORD: &str = "four words in a row";

/// Runs `strowger user` on an engine's store, with a text on stdin: exit code and what was said.
fn user(engine: &Engine, arguments: &[&str], stdin: &str) -> Result<(i32, String)> {
    let mut child = Command::new(binary("strowger")?)
        .arg("user")
        .args(arguments)
        .arg("--project")
        .arg(&engine.project)
        .arg("--data")
        .arg(&engine.data)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    // One that refuses its arguments does not read.
    let _ = child
        .stdin
        .take()
        .context("a pipe")?
        .write_all(stdin.as_bytes());
    let output = child.wait_with_output()?;
    let told = [output.stdout, output.stderr].concat();
    Ok((output.status.code().unwrap_or(-1), String::from_utf8(told)?))
}

fn sign_in(engine: &Engine, name: &str, password: &str) -> Result<Response> {
    let body = json!({ "name": name, "password": password }).to_string();
    send(engine.http, "POST", "/v1/session", &[], Some(&body))
}

/// The cookie of a new session, as a browser sends it.
fn cookie(answer: &Response) -> Result<String> {
    let set = answer.header("set-cookie").context("a cookie")?;
    Ok(set.split(';').next().unwrap_or_default().to_owned())
}

#[test]
fn a_session_begins_with_a_password_and_ends_with_the_user() -> Result<()> {
    let engine = engine("")?;
    let add = ["add", "rosa", "--role", "owner", "--tenant", "bench"];
    assert_eq!(user(&engine, &add, "short\n")?.0, 2);
    let (code, told) = user(&engine, &add, &format!("{PASSWORD}\n"))?;
    assert_eq!(code, 0, "{told}");
    assert_eq!(user(&engine, &add, &format!("{PASSWORD}\n"))?.0, 2);
    assert_eq!(
        user(&engine, &["add", "No Name", "--role", "owner"], PASSWORD)?.0,
        2
    );
    // Whoever has a user needs one.
    assert_eq!(get(engine.http, "/v1/contacts")?.status, 401);

    let began = sign_in(&engine, "rosa", PASSWORD)?;
    assert_eq!(began.status, 201, "{}", began.body);
    let set = began.header("set-cookie").context("a cookie")?;
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Secure"), "no TLS: {set}");
    let me = began.json()?;
    assert_eq!(
        (&me["who"], &me["tenant"]),
        (&json!("user:rosa"), &json!("bench"))
    );
    let cookie = cookie(&began)?;
    let with = |method: &str, path: &str, more: &[(&str, &str)], body: Option<&str>| {
        send(
            engine.http,
            method,
            path,
            &[&[("Cookie", cookie.as_str())], more].concat(),
            body,
        )
    };
    assert_eq!(with("GET", "/v1/me", &[], None)?.status, 200);
    // A change comes from our own pages.
    let wanted = Some(r#"{"name": "x", "role": "auditor"}"#);
    let here = format!("http://{}", engine.http);
    for (more, status) in [
        (&[][..], 403),
        (&[("Origin", "https://evil.example")], 403),
        (&[("X-Strowger", "1")], 201),
        (&[("Origin", here.as_str())], 201),
    ] {
        assert_eq!(
            with("POST", "/v1/tokens", more, wanted)?.status,
            status,
            "{more:?}"
        );
    }
    assert_eq!(with("DELETE", "/v1/session", &[], None)?.status, 403);
    let ended = with("DELETE", "/v1/session", &[("X-Strowger", "1")], None)?;
    assert_eq!(ended.status, 204, "{}", ended.body);
    assert!(
        ended
            .header("set-cookie")
            .is_some_and(|set| set.contains("Max-Age=0"))
    );
    assert_eq!(with("GET", "/v1/me", &[], None)?.status, 401);

    let began = sign_in(&engine, "rosa", PASSWORD)?;
    let again = self::cookie(&began)?;
    let (code, told) = user(&engine, &["remove", "rosa"], "")?;
    assert_eq!(code, 0, "{told}");
    assert_eq!(user(&engine, &["remove", "rosa"], "")?.0, 1);
    assert_eq!(
        send(engine.http, "GET", "/v1/me", &[("Cookie", &again)], None)?.status,
        401
    );
    Ok(())
}

#[test]
fn users_are_set_and_removed_over_the_api() -> Result<()> {
    let engine = engine("")?;
    let owner = Client::new(&engine, "owner", &[])?;
    let tenants = Client::new(&engine, "owner", &["--tenant", "bench"])?;
    let designer = Client::new(&engine, "designer", &[])?;
    let rosa = |role: &str, password: &str| json!({ "role": role, "password": password });
    let set = |who: &Client<'_>, name: &str, wanted: &Json| {
        who.with(
            "PUT",
            &format!("/v1/users/{name}"),
            &[],
            Some(&wanted.to_string()),
        )
    };
    for (name, wanted, status) in [
        ("rosa", rosa("operator", "short"), 422),
        ("No", rosa("operator", PASSWORD), 422),
        ("rosa", rosa("king", PASSWORD), 422),
        ("rosa", json!({ "role": "operator" }), 422),
        ("rosa", rosa("operator", PASSWORD), 200),
    ] {
        assert_eq!(set(&owner, name, &wanted)?.status, status, "{wanted}");
    }
    assert_eq!(
        set(&designer, "mia", &rosa("auditor", PASSWORD))?.status,
        403
    );
    // An owner of a tenant makes users of it, and neither sees nor changes others.
    let made = set(&tenants, "mia", &rosa("auditor", PASSWORD))?;
    assert_eq!(
        (made.status, &made.json()?["tenant"]),
        (200, &json!("bench"))
    );
    let whole = json!({ "role": "auditor", "password": PASSWORD, "tenant": "*" });
    assert_eq!(set(&tenants, "ina", &whole)?.status, 403);
    assert_eq!(
        set(&tenants, "rosa", &rosa("auditor", PASSWORD))?.status,
        409
    );
    assert_eq!(tenants.ask("GET", "/v1/users/rosa")?.status, 404);
    assert_eq!(tenants.ask("DELETE", "/v1/users/rosa")?.status, 404);
    let names = |who: &Client<'_>| -> Result<Vec<String>> {
        let page = who.ask("GET", "/v1/users")?.json()?;
        let items = page["items"].as_array().into_iter().flatten();
        Ok(items
            .filter_map(|user| user["name"].as_str().map(str::to_owned))
            .collect())
    };
    assert_eq!(names(&owner)?, ["mia", "rosa"]);
    assert_eq!(names(&tenants)?, ["mia"]);
    let page = owner.ask("GET", "/v1/users?limit=1")?;
    assert!(
        page.json()?["next"].is_string() && !page.body.contains("argon2"),
        "{}",
        page.body
    );

    // Another password ends the session; a change of what was changed meanwhile does not happen.
    let cookie = cookie(&sign_in(&engine, "rosa", PASSWORD)?)?;
    let me = |cookie: &str| send(engine.http, "GET", "/v1/me", &[("Cookie", cookie)], None);
    assert_eq!(me(&cookie)?.status, 200);
    let before = owner.ask("GET", "/v1/users/rosa")?;
    let tag = before.header("etag").context("a tag")?.to_owned();
    assert_eq!(
        set(&owner, "rosa", &rosa("operator", "other words in a row"))?.status,
        200
    );
    assert_eq!(me(&cookie)?.status, 401);
    assert_eq!(sign_in(&engine, "rosa", PASSWORD)?.status, 401);
    assert_eq!(
        sign_in(&engine, "rosa", "other words in a row")?.status,
        201
    );
    let late = owner.with("DELETE", "/v1/users/rosa", &[("If-Match", &tag)], None)?;
    assert_eq!(late.status, 412, "{}", late.body);
    assert_eq!(owner.ask("DELETE", "/v1/users/rosa")?.status, 204);
    assert_eq!(owner.ask("DELETE", "/v1/users/rosa")?.status, 404);
    assert_eq!(
        sign_in(&engine, "rosa", "other words in a row")?.status,
        401
    );
    let log = owner.ask("GET", "/v1/audit")?.body;
    assert!(
        log.contains("user.set") && log.contains("user.remove"),
        "{log}"
    );
    assert!(!log.contains(PASSWORD), "{log}");
    Ok(())
}

#[test]
fn guessing_is_told_nothing_and_slowed_down() -> Result<()> {
    let engine = engine("")?;
    let (code, told) = user(&engine, &["add", "rosa", "--role", "auditor"], PASSWORD)?;
    assert_eq!(code, 0, "{told}");
    let unknown = sign_in(&engine, "nobody", PASSWORD)?;
    let wrong = sign_in(&engine, "rosa", "four words in a raw")?;
    assert_eq!((unknown.status, wrong.status), (401, 401));
    assert_eq!(unknown.body, wrong.body);
    let answers: Vec<Response> = (0..6)
        .map(|_| sign_in(&engine, "rosa", "wrong again and again"))
        .collect::<Result<_>>()?;
    let last = answers.last().context("six")?;
    assert_eq!(last.status, 429, "{}", last.body);
    let wait: u64 = last.header("retry-after").context("when")?.parse()?;
    assert!((1..=30).contains(&wait), "{wait}");
    // The right one has to wait too: else one would know that it is right.
    assert_eq!(sign_in(&engine, "rosa", PASSWORD)?.status, 429);
    // Others do not wait for it.
    assert_eq!(sign_in(&engine, "nobody", PASSWORD)?.status, 401);

    let (project, data) = (
        engine.project.display().to_string(),
        engine.data.display().to_string(),
    );
    let (_, token, _) = strowger(&[
        "token",
        "new",
        "--role",
        "auditor",
        "--project",
        &project,
        "--data",
        &data,
    ])?;
    let token = format!("Bearer {}", token.trim());
    let log = send(
        engine.http,
        "GET",
        "/v1/audit",
        &[("Authorization", &token)],
        None,
    )?
    .json()?;
    let lines: Vec<&Json> = log["items"]
        .as_array()
        .context("items")?
        .iter()
        .filter(|line| line["action"] == "session.make")
        .collect();
    assert!(
        lines.len() >= 6 && lines.iter().all(|line| line["outcome"] == "refused"),
        "{log}"
    );
    // A name that is none may have been a password.
    assert!(!log.to_string().contains("nobody"), "{log}");
    assert!(!log.to_string().contains("again and again"), "{log}");
    Ok(())
}
