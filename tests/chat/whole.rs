//! Whole chats, as a page and as a person at the terminal have them.

use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde_json::json;
use strowger_tests::http;
use strowger_tests::program::binary;

use crate::world::{BOOKED, OFFER, QUESTION, Talk, World};

#[test]
fn an_order_is_looked_up_in_a_chat() -> Result<()> {
    let world = World::aurora()?;
    let mut talk = Talk::begin(world.engine.http, "200", Some("en"))?;
    talk.asked("Please enter your order number")?;
    let listening = talk.shown.last().context("it listens")?;
    assert_eq!(listening["digits"]["min"], 8, "{listening}");
    assert_eq!(listening["secret"], false);
    talk.write("20260302")?;
    talk.asked("Press 1 if that's right")?;
    talk.write("1")?;
    assert_eq!(talk.ended()?, "done");
    assert_eq!(talk.times("It has shipped"), 1, "{:?}", talk.shown);
    assert_eq!(world.orders.asked("GET /orders/{no}")?, 1);

    let contact = http::get(world.engine.http, &format!("/v1/contacts/{}", talk.id))?.json()?;
    assert_eq!(
        (&contact["channel"], &contact["reason"]),
        (&json!("chat"), &json!("done"))
    );
    let transcript = http::get(
        world.engine.http,
        &format!("/v1/contacts/{}/transcript", talk.id),
    )?;
    assert!(
        transcript.body.contains("wrote “20260302”"),
        "{}",
        transcript.body
    );
    // What was shown stays to be seen.
    let mut again = talk.anew();
    again.look(0)?;
    assert!(again.over && again.times("It has shipped") == 1);
    Ok(())
}

#[test]
fn choices_are_buttons_and_words_choose_them() -> Result<()> {
    let world = World::start(0, "")?;
    let mut talk = world.begin()?;
    talk.asked(QUESTION)?;
    talk.write("13800138000")?;
    talk.asked(OFFER)?;
    let listening = talk.shown.last().context("it listens")?;
    let expected =
        json!([{ "key": "1", "label": "please do" }, { "key": "2", "label": "no thanks" }]);
    assert_eq!(listening["choices"], expected);
    talk.write("Please do")?;
    assert_eq!(talk.ended()?, "booked");
    assert_eq!(talk.times(BOOKED), 1);
    assert_eq!(world.bookings()?, 1);
    Ok(())
}

/// Asks for a day to come and an amount below a limit, and reads both back.
const VISIT: &str = r#"flow: visit
format: 1
languages: [en]
vars: { limit: { type: money, default: 500.00 CNY } }
steps:
  start:
    ask: On which day shall we come?
    expect: date
    into: day
    valid: day >= now.date and value.year > 2000
    confirm: "On ${day}?"
    reprompt: { no_match: [That day is over.] }
    then: { ok: amount, no_input: bye, no_match: bye }
  amount:
    ask: How much may it cost?
    expect: money
    into: most
    as: answer
    valid: most <= limit
    confirm: "${(most + most) | money} for two?"
    reprompt: { no_match: [That is too much.] }
    then: { ok: held, no_input: bye, no_match: bye }
  held:
    if: day >= now.date and answer.value == most
    then: booked
    else: bye
  booked: { hangup: booked }
  bye: { hangup: completed }
"#;

#[test]
fn a_day_and_an_amount_are_held_against_what_the_flow_wants() -> Result<()> {
    let world = World::with("visit", VISIT)?;
    let mut talk = world.begin()?;
    talk.asked("On which day shall we come?")?;
    talk.write("2020-03-05")?;
    talk.asked("That day is over.")?;
    talk.write("2999-03-05")?;
    talk.asked("On March 5, 2999?")?;
    talk.write("1")?;
    talk.asked("How much may it cost?")?;
    talk.write("501")?;
    talk.asked("That is too much.")?;
    talk.write("¥100")?;
    talk.asked("¥200.00 for two?")?;
    talk.write("1")?;
    assert_eq!(talk.ended()?, "booked");
    Ok(())
}

#[test]
fn events_come_as_a_stream_too() -> Result<()> {
    let world = World::start(0, "")?;
    let mut talk = world.begin()?;
    talk.asked(QUESTION)?;
    let seen = talk.after();
    let left = http::ask(
        world.engine.http,
        "DELETE",
        &format!("/v1/chats/{}", talk.id),
        Some(&talk.token),
        None,
    )?;
    assert_eq!(left.status, 204);
    // A chat that is over ends its stream, so that all of it can be read.
    let stream = http::send_raw(
        world.engine.http,
        "GET",
        &format!("/v1/chats/{}/events", talk.id),
        Some(&talk.token),
        b"",
        &[
            ("Accept", "text/event-stream"),
            ("Last-Event-ID", &seen.to_string()),
        ],
    )?;
    assert!(stream.head.contains("text/event-stream"), "{}", stream.head);
    assert!(stream.body.contains("id: "), "{}", stream.body);
    assert!(!stream.body.contains(QUESTION), "{}", stream.body);
    assert!(
        stream
            .body
            .contains(r#""kind":"ended","reason":"abandoned","by_contact":true"#),
        "{}",
        stream.body
    );
    Ok(())
}

#[test]
fn a_person_can_try_it_in_the_terminal() -> Result<()> {
    let world = World::start(0, "")?;
    let mut chat = Command::new(binary("strowger")?)
        .args(["chat", &format!("http://{}", world.engine.http), "700"])
        .args(["--language", "en"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    chat.stdin
        .take()
        .context("stdin")?
        .write_all(b"13800138000\nyes\n")?;
    let output = chat.wait_with_output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(
        text,
        format!("{QUESTION}\n{OFFER}\n  [1] please do\n  [2] no thanks\n{BOOKED}\n")
    );

    let (code, _, told) = strowger_tests::program::strowger(&[
        "chat",
        &format!("http://{}", world.engine.http),
        "999",
    ])?;
    assert_eq!(code, 2);
    assert!(
        told.contains("no route for `999`; add it to routes.yaml"),
        "{told}"
    );
    Ok(())
}
