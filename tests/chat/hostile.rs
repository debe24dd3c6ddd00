//! Who has no token, the wrong one, too much to say, or no end of it.

use std::io::Write as _;
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::{Value as Json, json};
use strowger_tests::http::{self, ask, send_raw};

use crate::world::{QUESTION, Talk, World};

/// Sends something, and checks the refusal: a problem document with a status and a word.
fn refused(response: http::Response, status: u16, word: &str) -> Result<()> {
    assert_eq!(response.status, status, "{}", response.body);
    assert!(
        response.head.contains("application/problem+json"),
        "{}",
        response.head
    );
    let problem = response.json()?;
    let detail = problem["detail"].as_str().unwrap_or_default();
    assert!(detail.contains(word), "no `{word}` in {detail}");
    Ok(())
}

#[test]
fn a_chat_opens_to_its_own_token_alone() -> Result<()> {
    let world = World::start(0, "")?;
    let http = world.engine.http;
    let (one, other) = (world.begin()?, world.begin()?);
    let message = json!({ "text": "1", "client_id": "a" });
    for (method, path, body) in [
        ("POST", "/messages", Some(&message)),
        ("GET", "/events?wait=0", None),
        ("DELETE", "", None),
    ] {
        let path = format!("/v1/chats/{}{path}", one.id);
        let with = |token: Option<&str>| ask(http, method, &path, token, body);
        refused(with(None)?, 401, "Authorization: Bearer")?;
        refused(with(Some(&other.token))?, 404, "no such chat")?;
        refused(with(Some("0000"))?, 404, "no such chat")?;
        refused(with(Some(&one.id))?, 404, "no such chat")?;
        let nowhere = path.replace(&one.id, "00000000000-0000000000000000");
        refused(
            ask(http, method, &nowhere, Some(&one.token), body)?,
            404,
            "no such chat",
        )?;
    }
    // The token is nowhere but with whoever began the chat.
    let journal = http::get(http, &format!("/v1/contacts/{}/journal", one.id))?.body;
    assert!(!journal.contains(&one.token));
    for file in ["strowger.db", "strowger.db-wal"] {
        let bytes = std::fs::read(world.engine.data.join(file)).unwrap_or_default();
        let found = bytes
            .windows(one.token.len())
            .any(|part| part == one.token.as_bytes());
        assert!(!found, "{file} holds a token");
    }
    assert!(!world.engine.program.log().contains(&one.token));
    Ok(())
}

#[test]
fn what_is_malformed_or_too_long_is_told() -> Result<()> {
    let world = World::start(0, "")?;
    let http = world.engine.http;
    let begin = |body: Json| ask(http, "POST", "/v1/chats", None, Some(&body));
    refused(begin(json!({ "to": "999" }))?, 404, "routes.yaml")?;
    refused(begin(json!({ "from": "700" }))?, 400, "missing field `to`")?;
    refused(
        begin(json!({ "to": "700", "wat": 1 }))?,
        400,
        "unknown field `wat`",
    )?;
    refused(
        begin(json!({ "to": "700", "language": "de" }))?,
        422,
        "it has en, zh",
    )?;
    refused(begin(json!({ "to": "7".repeat(200) }))?, 422, "128 bytes")?;
    refused(
        begin(json!({ "to": "700", "from": "a\u{0}b" }))?,
        422,
        "control character",
    )?;
    refused(
        send_raw(http, "POST", "/v1/chats", None, b"{\xff", &[])?,
        400,
        "JSON with `to`",
    )?;

    let mut talk = world.begin()?;
    talk.asked(QUESTION)?;
    refused(talk.post("a", "")?, 422, "1 to 4000 characters")?;
    refused(talk.post("a", &"字".repeat(4_001))?, 422, "has 4001")?;
    refused(talk.post("a", &"x".repeat(1 << 20))?, 413, "32768 bytes")?;
    refused(talk.post("", "1")?, 422, "client_id")?;
    refused(talk.post("a b", "1")?, 422, "visible ASCII")?;
    refused(talk.post(&"a".repeat(65), "1")?, 422, "1 to 64")?;
    let path = format!("/v1/chats/{}/events?after=x", talk.id);
    refused(
        ask(http, "GET", &path, Some(&talk.token), None)?,
        400,
        "`after` and `wait`",
    )?;
    // None of it came to the flow.
    assert_eq!(talk.times(QUESTION), 1);
    assert_eq!(talk.post("a", &"字".repeat(4_000))?.status, 202);
    Ok(())
}

#[test]
fn after_the_end_nothing_is_taken() -> Result<()> {
    let world = World::start(0, "")?;
    let http = world.engine.http;
    let mut talk = world.begin()?;
    talk.asked(QUESTION)?;
    let path = format!("/v1/chats/{}", talk.id);
    for _ in 0..2 {
        assert_eq!(
            ask(http, "DELETE", &path, Some(&talk.token), None)?.status,
            204
        );
    }
    assert_eq!(talk.ended()?, "abandoned");
    refused(talk.post("a", "1")?, 410, "over")?;
    let path = format!("{path}/events?after=4000000000");
    let events = ask(http, "GET", &path, Some(&talk.token), None)?.json()?;
    assert_eq!(events, json!({ "events": [], "over": true }));
    Ok(())
}

#[test]
fn a_thousand_messages_are_taken_or_refused_and_the_engine_stands() -> Result<()> {
    let world = World::start(0, "")?;
    let mut talk = world.begin()?;
    talk.asked(QUESTION)?;
    let mut taken = Vec::new();
    for n in 0..1_000 {
        let named = format!("flood{n}");
        match talk.post(&named, "nonsense")?.status {
            202 => taken.push(named),
            410 | 429 => {}
            status => panic!("{status}"),
        }
    }
    let journal = world.journal(&talk.id)?;
    let named: Vec<String> = journal
        .iter()
        .filter_map(|entry| match &entry.kind {
            strowger_contact::EntryKind::Wrote { message, .. } => message.clone(),
            _ => None,
        })
        .collect();
    assert_eq!(
        named, taken,
        "what was acknowledged is there, once and in order"
    );
    assert!(!taken.is_empty());
    let mut other = world.begin()?;
    other.asked(QUESTION)
}

#[test]
fn limits_are_held_and_told() -> Result<()> {
    let world = World::start(0, "at_once = 2")?;
    let (one, _two) = (world.begin()?, world.begin()?);
    let third = ask(
        world.engine.http,
        "POST",
        "/v1/chats",
        None,
        Some(&json!({ "to": "700" })),
    )?;
    assert!(
        third.head.to_lowercase().contains("retry-after"),
        "{}",
        third.head
    );
    // A visitor is told no limit by its name; whoever runs the engine is.
    refused(third, 503, "as many chats as can be")?;
    assert!(
        world.engine.program.log().contains("chat.at_once"),
        "{}",
        world.engine.program.log()
    );
    let path = format!("/v1/chats/{}", one.id);
    assert_eq!(
        ask(world.engine.http, "DELETE", &path, Some(&one.token), None)?.status,
        204
    );
    let mut one = one;
    one.ended()?;
    world.begin()?;
    Ok(())
}

#[test]
fn who_knocks_at_the_door_keeps_no_visitor_of_the_same_address_out() -> Result<()> {
    let world = World::with_rate("requests_per_second = 1\nburst = 4")?;
    let at = world.engine.http;
    let mut one = world.begin()?;
    one.asked(QUESTION)?;
    let events = format!("/v1/chats/{}/events?wait=0", one.id);
    let flood = |method: &str, path: &str, token: Option<&str>, body: Option<&Json>| {
        let statuses = (0..20).map(|_| Ok(ask(at, method, path, token, body)?.status));
        let statuses: Vec<u16> = statuses.collect::<Result<_>>()?;
        ensure!(statuses.contains(&429), "{path}: {statuses:?}");
        Ok::<(), anyhow::Error>(())
    };
    // Of everybody's, of chats that are none, of this one, and of nobody's number.
    flood("GET", "/healthz", None, None)?;
    flood("GET", "/v1/chats/1a20-fdee/events", Some("guess"), None)?;
    flood("GET", &events, Some("guess"), None)?;
    flood("GET", "/v1/contacts", Some("guess"), None)?;
    for _ in 0..20 {
        assert_eq!(ask(at, "GET", &events, Some(&one.token), None)?.status, 200);
    }
    world.begin()?;
    let nobody = json!({ "to": "nobody" });
    flood("POST", "/v1/chats", None, Some(&nobody))?;
    assert_eq!(ask(at, "GET", &events, Some(&one.token), None)?.status, 200);
    Ok(())
}

#[test]
fn pages_of_configured_origins_may_talk_and_others_are_told_nothing() -> Result<()> {
    let world = World::start(0, "origins = [\"https://shop.example\"]")?;
    let http = world.engine.http;
    let from = |origin: &str| {
        let fields = [
            ("Origin", origin),
            ("Access-Control-Request-Method", "POST"),
        ];
        send_raw(http, "OPTIONS", "/v1/chats", None, b"", &fields)
    };
    let allowed = from("https://shop.example")?;
    assert_eq!(allowed.status, 204);
    assert!(
        allowed
            .head
            .contains("access-control-allow-origin: https://shop.example")
    );
    let other = from("https://evil.example")?;
    assert!(
        !other.head.contains("access-control-allow-origin"),
        "{}",
        other.head
    );
    Ok(())
}

#[test]
fn without_a_word_in_the_project_no_chats_are_taken() -> Result<()> {
    let world = World::start(0, "")?;
    let mut engine = world.engine;
    engine.program.kill()?;
    strowger_tests::program::edit(&engine.project.join("strowger.toml"), |text| {
        text.replace("enabled = true", "enabled = false")
    })?;
    engine.restart()?;
    let begun = Talk::begin(engine.http, "700", None);
    let told = begun
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    assert!(
        told.contains("404") && told.contains("enabled = true"),
        "{told}"
    );
    Ok(())
}

#[test]
fn who_waits_in_one_chat_again_and_again_leaves_room_for_others() -> Result<()> {
    let mut world = World::start(0, "")?;
    let (mut one, mut other) = (world.begin()?, world.begin()?);
    one.asked(QUESTION)?;
    let http = world.engine.http;
    let path = format!("/v1/chats/{}/events", one.id);
    let (after, token) = (one.after(), one.token.clone());
    let mut waiting = Vec::new();
    for n in 0..8 {
        let mut stream = TcpStream::connect(http)?;
        // Some wait for an answer, some read a stream.
        let kind = ["*/*", "text/event-stream"][n % 2];
        write!(
            stream,
            "GET {path}?after={after}&wait=50 HTTP/1.1\r\nHost: a\r\nAccept: {kind}\r\nAuthorization: Bearer {token}\r\n\r\n"
        )?;
        waiting.push(stream);
    }
    let look = || ask(http, "GET", &format!("{path}?wait=0"), Some(&token), None);
    let limit = Duration::from_secs(30);
    let program = &mut world.engine.program;
    program.wait_until("eight wait", limit, || {
        look().is_ok_and(|answer| answer.status == 429)
    })?;
    let answer = look()?;
    assert_eq!(answer.header("retry-after"), Some("10"));
    refused(answer, 429, "8 requests wait for this chat's events")?;
    let metrics = http::get(http, "/metrics")?.body;
    assert!(
        !metrics.contains("strowger_chat_waits_refused_total 0\n"),
        "{metrics}"
    );
    // It can be written in, and the other one waits and is told.
    other.asked(QUESTION)?;
    drop(waiting);
    program.wait_until("nobody waits", limit, || {
        look().is_ok_and(|answer| answer.status == 200)
    })?;
    Ok(())
}
