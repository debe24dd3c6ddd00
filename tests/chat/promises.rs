//! A survey and a call back in writing.

use anyhow::{Context, Result};
use serde_json::json;
use strowger_tests::http;

use crate::world::{Talk, World, change};

const FLOW: &str = r#"flow: rated
format: 1
languages: [en, zh]
prompts:
  may_we: { en: "May we ask?", zh: 可以问几个问题吗？ }
  score: { en: "How was it?", zh: 请打分。 }
  words: { en: "Anything else?", zh: 还有什么建议？ }
steps:
  start:
    survey:
      - { name: score, ask: score, expect: { number: 1..5 } }
      - { name: words, ask: words, expect: text }
    invite: may_we
    skip: star
    timeout: 60s
    then: { done: again, else: bye }
  again:
    callback:
    within: 1h
    priority: 90
    timeout: 60s
    then: { booked: bye, declined: bye, no_input: bye, no_match: bye }
  bye: { hangup: completed }
"#;

#[test]
fn a_survey_and_a_call_back_survive_the_engine() -> Result<()> {
    let mut world = World::with("rated", FLOW)?;
    let mut talk = Talk::begin(world.engine.http, "700", Some("zh"))?;
    talk.asked("可以问几个问题吗？")?;
    let listening = talk.shown.last().context("it listens")?;
    assert_eq!(
        listening["choices"],
        json!([{ "key": "1", "label": "是" }, { "key": "2", "label": "否" }])
    );
    talk.write("是")?;
    talk.asked("请打分。")?;
    let listening = talk.shown.last().context("it listens")?;
    let points =
        (1..=5).map(|point| json!({ "key": point.to_string(), "label": point.to_string() }));
    let buttons: Vec<_> = points
        .chain([json!({ "key": "*", "label": "跳过" })])
        .collect();
    assert_eq!(listening["choices"], json!(buttons));
    talk.write("4")?;
    talk.asked("还有什么建议？")?;
    // Between two questions the engine is killed: the step goes on with the answers that it had.
    world.crash()?;
    talk.write("再快一点")?;
    // The step's own words, in which a number stands as it is read.
    talk.asked("我们可以在1小时内回拨 138 0013 8000。需要回电请按一")?;
    let listening = talk.shown.last().context("it listens")?;
    assert_eq!(
        listening["choices"][1],
        json!({ "key": "2", "label": "换一个号码" })
    );
    // A number in place of an answer is the one that is wanted.
    talk.write("021-6123 4567")?;
    talk.asked("我们将回拨")?;
    world.crash()?;
    talk.write("1")?;
    assert_eq!(talk.ended()?, "completed");
    let record = http::get(
        world.engine.http,
        &format!("/v1/contacts/{}/record", talk.id),
    )?
    .json()?;
    let tags = &record["tags"];
    assert_eq!(
        (&tags["score"], &tags["words"]),
        (&json!(4), &json!("再快一点"))
    );
    assert_eq!(
        (&tags["callback"], &tags["callback_priority"]),
        (&json!("02161234567"), &json!(90))
    );
    let list = http::get(world.engine.http, "/v1/records?tag=callback")?.json()?;
    assert_eq!(list["items"][0]["id"], talk.id.as_str());
    Ok(())
}

/// What a crash leaves between the chat's first entry and its key, and between the key and the chat.
#[test]
fn a_key_whose_chat_was_being_begun_in_a_crash_is_settled_by_the_next_start() -> Result<()> {
    let mut world = World::start(0, "")?;
    let begin = |world: &World, key: &str| {
        let body = json!({ "to": "700", "from": "+8613800138000" }).to_string();
        let fields = [("Idempotency-Key", key)];
        http::send(world.engine.http, "POST", "/v1/chats", &fields, Some(&body))
    };
    const BEGUN: &str = "6f1c9b1e-8a57-4ad1-9d4a-0f5b8c2d7e11";
    const LOST: &str = "0b7d0c5e-33f5-4a0c-9d3f-d2b0c7aa4e02";
    let first = begin(&world, BEGUN)?;
    let file = world.engine.data.join("strowger.db");
    world.engine.program.kill()?;
    change(&file, "UPDATE idempotency SET status = NULL")?;
    world.engine.restart()?;
    let later = begin(&world, BEGUN)?;
    assert_eq!(later.status, 201, "{}", later.body);
    assert_eq!(later.json()?, first.json()?);

    let lost = begin(&world, LOST)?.json()?;
    world.engine.program.kill()?;
    change(
        &file,
        "DELETE FROM frames WHERE contact = (SELECT MAX(contact) FROM chats)",
    )?;
    change(
        &file,
        "DELETE FROM contacts WHERE id = (SELECT MAX(contact) FROM chats)",
    )?;
    change(
        &file,
        "DELETE FROM chats WHERE contact = (SELECT MAX(contact) FROM chats)",
    )?;
    change(
        &file,
        "UPDATE idempotency SET status = NULL, body = NULL WHERE body NOT IN (SELECT CAST(contact AS BLOB) FROM chats)",
    )?;
    world.engine.restart()?;
    let anew = begin(&world, LOST)?;
    assert_eq!(anew.status, 201, "{}", anew.body);
    assert_eq!(anew.header("idempotency-replayed"), None);
    assert_ne!(anew.json()?["id"], lost["id"]);
    assert_eq!(begin(&world, BEGUN)?.json()?, first.json()?);
    Ok(())
}

#[test]
fn a_chat_that_is_begun_twice_with_one_key_is_one_chat() -> Result<()> {
    let mut world = World::start(0, "origins = [\"https://shop.example\"]\n")?;
    let begin = |world: &World, keys: &[&str], to: &str| {
        let body = json!({ "to": to, "from": "+8613800138000" }).to_string();
        let fields: Vec<_> = keys.iter().map(|key| ("Idempotency-Key", *key)).collect();
        http::send(world.engine.http, "POST", "/v1/chats", &fields, Some(&body))
    };
    const KEY: &str = "6f1c9b1e-8a57-4ad1-9d4a-0f5b8c2d7e11";
    let first = begin(&world, &[KEY], "700")?;
    assert_eq!(first.status, 201, "{}", first.body);
    assert_eq!(first.header("idempotency-replayed"), None);
    // Its answer was lost: the same chat is answered, after a crash too.
    let again = begin(&world, &[KEY], "700")?;
    world.crash()?;
    let later = begin(&world, &[KEY], "700")?;
    for answer in [&again, &later] {
        assert_eq!(answer.status, 201, "{}", answer.body);
        assert_eq!(answer.header("idempotency-replayed"), Some("true"));
        assert_eq!(answer.json()?, first.json()?);
    }
    let begun = first.json()?;
    let (id, token) = (
        begun["id"].as_str().context("an id")?,
        begun["token"].as_str().context("a token")?,
    );
    let events = format!("/v1/chats/{id}/events?wait=0");
    let seen = http::ask(world.engine.http, "GET", &events, Some(token), None)?;
    assert_eq!(seen.status, 200, "{}", seen.body);
    let all = http::get(world.engine.http, "/v1/contacts")?.json()?;
    assert_eq!(all["items"].as_array().map(Vec::len), Some(1), "{all}");
    // Nothing of it that opens the chat is in the store.
    let file = world.engine.data.join("strowger.db");
    for kept in [file.clone(), file.with_extension("db-wal")] {
        let bytes = std::fs::read(kept).unwrap_or_default();
        for secret in [token, KEY] {
            let found = bytes
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!found, "{secret} is in the store");
        }
    }
    // Another key is another chat, and so is none.
    for keys in [&["0e8bd2a7-02bb-4b7f-a6f6-c7e1c1a7b6f0"][..], &[]] {
        let other = begin(&world, keys, "700")?;
        assert_eq!(other.status, 201, "{}", other.body);
        assert_ne!(other.json()?["id"], begun["id"]);
    }
    // One key is for one body; it cannot be guessed, and is one. What was not begun leaves it free.
    assert_eq!(begin(&world, &[KEY], "701")?.status, 422);
    for keys in [&["short"][..], &[KEY, KEY]] {
        let refused = begin(&world, keys, "700")?;
        assert_eq!(refused.status, 400, "{}", refused.body);
    }
    const NEW: &str = "a2b9a1de-3a55-4a4e-9c0e-3d6f8f3a1c22";
    assert_eq!(begin(&world, &[NEW], "999")?.status, 404);
    assert_eq!(begin(&world, &[NEW], "700")?.status, 201);
    // A page may send it.
    let asks = [
        ("Origin", "https://shop.example"),
        ("Access-Control-Request-Method", "POST"),
    ];
    let may = http::send(world.engine.http, "OPTIONS", "/v1/chats", &asks, None)?;
    let allowed = may
        .header("access-control-allow-headers")
        .unwrap_or_default();
    assert!(allowed.contains("idempotency-key"), "{allowed}");
    Ok(())
}
