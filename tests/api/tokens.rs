//! Tokens over the API and at the command line; pages, tags and keys, which all endpoints have, shown on them.

use anyhow::{Context, Result};
use serde_json::json;
use strowger_tests::program::strowger;

use crate::world::{Client, engine};

#[test]
fn a_token_is_shown_once_and_revoked_for_good() -> Result<()> {
    let engine = engine("")?;
    let owner = Client::new(&engine, "owner", &["--name", "the first"])?;
    let made = owner.post(
        "/v1/tokens",
        &json!({ "name": "a dashboard", "role": "auditor", "days": 30 }),
    )?;
    assert_eq!(made.status, 201, "{}", made.body);
    let location = made.header("location").context("an address")?.to_owned();
    let made = made.json()?;
    let token = made["token"].as_str().context("a token")?.to_owned();
    let auditor = Client {
        engine: &engine,
        token,
    };
    let me = auditor.ask("GET", "/v1/me")?.json()?;
    assert_eq!(me["who"], format!("token:{}", auditor.id()));
    assert_eq!(
        (&me["name"], &me["role"], &me["tenant"]),
        (&json!("a dashboard"), &json!("auditor"), &json!("*"))
    );
    assert_eq!(me["expires_at"], made["expires_at"]);

    let one = owner.ask("GET", &location)?.json()?;
    assert!(one["used_at"].is_i64(), "{one}");
    assert!(
        one.get("token").is_none() && one.get("hash").is_none(),
        "{one}"
    );
    for (body, status) in [
        (json!({ "name": "", "role": "auditor" }), 422),
        (json!({ "name": "x", "role": "root" }), 422),
        (json!({ "name": "x", "role": "auditor", "days": 0 }), 422),
        (
            json!({ "name": "x", "role": "auditor", "tenant": "No Tenant" }),
            422,
        ),
        (json!({ "name": "x", "role": "auditor", "more": 1 }), 422),
    ] {
        assert_eq!(owner.post("/v1/tokens", &body)?.status, status, "{body}");
    }
    assert_eq!(
        owner.with("POST", "/v1/tokens", &[], Some("{"))?.status,
        400
    );
    let text = [("Content-Type", "text/plain")];
    assert_eq!(
        owner.with("POST", "/v1/tokens", &text, Some("{}"))?.status,
        415
    );

    // The command line lists both, without secrets, and revokes.
    let (project, data) = (
        engine.project.display().to_string(),
        engine.data.display().to_string(),
    );
    let of = ["--project", &project, "--data", &data];
    let (code, list, _) = strowger(&[&["token", "list"], &of[..]].concat())?;
    assert_eq!((code, list.lines().count()), (0, 2), "{list}");
    assert!(
        list.contains("the first") && list.contains("a dashboard"),
        "{list}"
    );
    assert!(
        !list.contains(&auditor.token[30..]) && !list.contains("strw_"),
        "{list}"
    );
    let revoke = [&["token", "revoke", auditor.id()], &of[..]].concat();
    assert_eq!(strowger(&revoke)?.0, 0);
    assert_eq!(strowger(&revoke)?.0, 1);
    assert_eq!(auditor.ask("GET", "/v1/me")?.status, 401);
    assert_eq!(owner.ask("GET", &location)?.status, 404);

    let log = owner.ask("GET", "/v1/audit")?.json()?;
    let lines = log["items"].as_array().context("items")?;
    let told: Vec<(&str, &str)> = lines
        .iter()
        .map(|line| {
            (
                line["action"].as_str().unwrap_or_default(),
                line["who"].as_str().unwrap_or_default(),
            )
        })
        .collect();
    let by_owner = format!("token:{}", owner.id());
    assert_eq!(told.len(), 3, "{log}");
    assert_eq!(told[1], ("token.make", by_owner.as_str()));
    assert!(
        told[0].0 == "token.revoke" && told[0].1.starts_with("cli"),
        "{log}"
    );
    let everything = format!("{log}{}", engine.program.log());
    assert!(
        !everything.contains(&auditor.token[30..]),
        "a secret is told"
    );
    Ok(())
}

#[test]
fn a_token_expires() -> Result<()> {
    let engine = engine("")?;
    let owner = Client::new(&engine, "owner", &[])?;
    let short = Client::new(&engine, "auditor", &["--expires", "1"])?;
    assert_eq!(short.ask("GET", "/v1/me")?.status, 200);
    // A day later, as far as the store is concerned.
    let sql = "UPDATE tokens SET expires_at = expires_at - 86400000 WHERE expires_at IS NOT NULL";
    strowger_tests::change(&engine.data.join("strowger.db"), sql)?;
    assert_eq!(short.ask("GET", "/v1/me")?.status, 401);
    assert_eq!(owner.ask("GET", "/v1/me")?.status, 200);
    Ok(())
}

#[test]
fn lists_come_in_pages() -> Result<()> {
    let engine = engine("")?;
    let owner = Client::new(&engine, "owner", &[])?;
    for number in 0..5 {
        let wanted = json!({ "name": format!("n{number}"), "role": "auditor" });
        assert_eq!(owner.post("/v1/tokens", &wanted)?.status, 201);
    }
    for (path, all) in [("/v1/tokens", 6), ("/v1/audit", 6)] {
        let mut seen = Vec::new();
        let mut address = format!("{path}?limit=4");
        loop {
            let page = owner.ask("GET", &address)?;
            let link = page.header("link").map(str::to_owned);
            let page = page.json()?;
            for item in page["items"].as_array().context("items")? {
                seen.push(item["id"].as_str().context("an id")?.to_owned());
            }
            let Some(next) = page["next"].as_str() else {
                assert_eq!(link, None);
                break;
            };
            address = format!("{path}?limit=4&after={next}");
            assert_eq!(link, Some(format!("<?limit=4&after={next}>; rel=\"next\"")));
        }
        let mut sorted = seen.clone();
        sorted.sort();
        sorted.dedup();
        sorted.reverse();
        assert_eq!(
            (seen.len(), &seen),
            (all, &sorted),
            "{path}: each once, the newest first"
        );
    }
    for wrong in [
        "limit=0",
        "limit=201",
        "limit=x",
        "after=",
        "after=%00",
        "limit=1&limit=2",
        "nonsense=1",
    ] {
        for path in ["/v1/tokens", "/v1/audit", "/v1/contacts"] {
            let answer = owner.ask("GET", &format!("{path}?{wrong}"))?;
            assert_eq!(answer.status, 400, "{path}?{wrong}: {}", answer.body);
        }
    }
    assert_eq!(owner.ask("GET", "/v1/contacts?after=nonsense")?.status, 400);
    assert_eq!(owner.ask("GET", "/v1/audit?after=zz")?.status, 400);
    Ok(())
}

#[test]
fn nothing_is_fetched_twice_or_changed_unseen() -> Result<()> {
    let engine = engine("")?;
    let owner = Client::new(&engine, "owner", &[])?;
    let made = owner.post("/v1/tokens", &json!({ "name": "x", "role": "auditor" }))?;
    let location = made.header("location").context("an address")?.to_owned();
    let first = owner.ask("GET", &location)?;
    let tag = first.header("etag").context("a tag")?.to_owned();
    let weak = format!("W/{tag}");
    for (known, status) in [
        (tag.as_str(), 304),
        (&weak, 304),
        ("*", 304),
        ("\"other\"", 200),
    ] {
        let again = owner.with("GET", &location, &[("If-None-Match", known)], None)?;
        assert_eq!(again.status, status, "{known}");
        assert_eq!(again.body.is_empty(), status == 304, "{known}");
        assert_eq!(again.header("etag"), Some(tag.as_str()), "{known}");
    }
    // It is used, and so another one than was seen.
    let token = made.json()?["token"]
        .as_str()
        .context("a token")?
        .to_owned();
    Client {
        engine: &engine,
        token,
    }
    .ask("GET", "/v1/me")?;
    let refused = owner.with("DELETE", &location, &[("If-Match", &tag)], None)?;
    assert_eq!(refused.status, 412, "{}", refused.body);
    let now = owner.ask("GET", &location)?;
    let now = now.header("etag").context("a tag")?;
    assert_eq!(
        owner
            .with("DELETE", &location, &[("If-Match", now)], None)?
            .status,
        204
    );
    assert_eq!(
        owner
            .with("DELETE", &location, &[("If-Match", now)], None)?
            .status,
        404
    );
    Ok(())
}

#[test]
fn a_request_that_is_sent_twice_is_done_once() -> Result<()> {
    let engine = engine("")?;
    let owner = Client::new(&engine, "owner", &[])?;
    let other = Client::new(&engine, "owner", &[])?;
    let wanted = json!({ "name": "x", "role": "auditor" }).to_string();
    let key = [("Idempotency-Key", "f3a1")];
    let first = owner.with("POST", "/v1/tokens", &key, Some(&wanted))?;
    let again = owner.with("POST", "/v1/tokens", &key, Some(&wanted))?;
    assert_eq!((first.status, again.status), (201, 201), "{}", again.body);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(first.header("location"), again.header("location"));
    let (first, again) = (first.json()?, again.json()?);
    assert_eq!(first["id"], again["id"]);
    // The secret was shown once, and is kept nowhere.
    assert!(
        first["token"].is_string() && again["token"].is_null(),
        "{again}"
    );
    let another = json!({ "name": "y", "role": "auditor" }).to_string();
    assert_eq!(
        owner
            .with("POST", "/v1/tokens", &key, Some(&another))?
            .status,
        422
    );
    // A key is one's own.
    let theirs = other.with("POST", "/v1/tokens", &key, Some(&another))?;
    assert_eq!(theirs.status, 201);
    assert_eq!(
        owner.ask("GET", "/v1/tokens")?.json()?["items"]
            .as_array()
            .map(Vec::len),
        Some(4)
    );
    let twice = [("Idempotency-Key", "one"), ("Idempotency-Key", "two")];
    let told = owner.with("POST", "/v1/tokens", &twice, Some(&wanted))?;
    assert_eq!(told.status, 400, "{}", told.body);
    assert!(told.body.contains("twice"), "{}", told.body);
    for wrong in ["", "two words", &"k".repeat(129)] {
        let fields = [("Idempotency-Key", wrong)];
        assert_eq!(
            owner
                .with("POST", "/v1/tokens", &fields, Some(&wanted))?
                .status,
            400,
            "{wrong}"
        );
    }
    let file = std::fs::read(engine.data.join("strowger.db"))?;
    let log = std::fs::read(engine.data.join("strowger.db-wal")).unwrap_or_default();
    let secret = first["token"]
        .as_str()
        .context("a token")?
        .rsplit('_')
        .next()
        .context("a secret")?
        .as_bytes();
    for kept in [file, log] {
        assert!(
            !kept.windows(secret.len()).any(|bytes| bytes == secret),
            "the store has a secret"
        );
    }
    Ok(())
}
