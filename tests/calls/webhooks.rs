//! Events as others are told of them: signed requests that are tried again, and the stream.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use hmac::{Hmac, Mac};
use serde_json::Value as Json;
use sha2::Sha256;
use strowger_tests::program::{copy_project, edit, free_port, repository, strowger};
use strowger_tests::{Engine, Phone};

use crate::traced::{called, with_both};

pub const KEY: &str = "0123456789abcdef-of-the-test";

/// A request as it came.
pub struct Told {
    head: String,
    body: String,
}

impl Told {
    fn header(&self, name: &str) -> Result<&str> {
        let line = self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        });
        line.with_context(|| format!("no {name} in {}", self.head))
    }

    /// Checks the signature as a receiver would, by the documentation alone.
    pub fn check(&self) -> Result<Json> {
        let signature = self.header("strowger-signature")?;
        let (time, given) = signature.split_once(",v1=").context("two parts")?;
        let time = time.strip_prefix("t=").context("a time")?;
        let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes())?;
        mac.update(format!("{time}.{}", self.body).as_bytes());
        let bytes = mac.finalize().into_bytes();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(given, hex);
        Ok(serde_json::from_str(&self.body)?)
    }
}

/// A receiver that answers with these statuses, the last one for ever.
pub fn receiver(address: SocketAddr, statuses: &'static [u16]) -> Result<Receiver<Told>> {
    let listener = TcpListener::bind(address)?;
    let (told, requests) = channel();
    std::thread::spawn(move || {
        for (number, stream) in listener.incoming().flatten().enumerate() {
            let status = statuses[number.min(statuses.len() - 1)];
            if let Some(request) = answer(stream, status)
                && told.send(request).is_err()
            {
                return;
            }
        }
    });
    Ok(requests)
}

/// A receiver whose first caller waits for an answer until what is given back is dropped; all others are answered at once.
fn slow_receiver(address: SocketAddr) -> Result<(Receiver<Told>, Sender<()>)> {
    let listener = TcpListener::bind(address)?;
    let (told, requests) = channel();
    let (go_on, held) = channel::<()>();
    std::thread::spawn(move || {
        let mut held = Some(held);
        for stream in listener.incoming().flatten() {
            let (told, held) = (told.clone(), held.take());
            std::thread::spawn(move || {
                if let Some(held) = held {
                    // It ends as the other side is dropped.
                    let _ = held.recv();
                }
                if let Some(request) = answer(stream, 200) {
                    let _ = told.send(request);
                }
            });
        }
    });
    Ok((requests, go_on))
}

fn answer(stream: TcpStream, status: u16) -> Option<Told> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    })?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let mut stream = reader.into_inner();
    write!(
        stream,
        "HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    )
    .ok()?;
    Some(Told {
        head,
        body: String::from_utf8(body).ok()?,
    })
}

fn served(hook: &str) -> Result<Engine> {
    Engine::serve_with(&[("HOOK_KEY", KEY)], |project| {
        copy_project(&repository().join("flows/bench"), project)?;
        edit(&project.join("strowger.toml"), |text| {
            format!("{text}\n{hook}\n").replace("calls = false", "calls = true")
        })
    })
}

pub fn hook(address: SocketAddr, further: &str) -> String {
    format!(
        "[[webhooks]]\nname = \"crm\"\nurl = \"http://{address}/hook\"\nsecret_env = \"HOOK_KEY\"\nallow_private = true\n{further}"
    )
}

fn a_call(engine: &Engine) -> Result<String> {
    let mut phone = Phone::dial(engine.sip, "ivr", "call", &[])?;
    engine.contact_up(&phone.call_id)?;
    phone.cue()?;
    phone.ended()?;
    Ok(phone.call_id)
}

/// The numbers of `routes.yaml` of the project for load have one flow.
#[test]
fn what_happens_is_told_signed_and_again_until_it_is_taken() -> Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let mut engine = served(&hook(address, ""))?;
    // Nobody listens yet: what happens is told when somebody does.
    let call_id = a_call(&engine)?;
    assert!(!engine.reason(&call_id)?.is_empty());
    engine.program.kill()?;
    let requests = receiver(address, &[500, 200])?;
    engine.restart()?;
    let limit = Duration::from_secs(20);
    let first = requests.recv_timeout(limit)?;
    let mut bodies = vec![first.check()?];
    // The one that was answered 500 comes again.
    while bodies.len() < 3 {
        bodies.push(requests.recv_timeout(limit)?.check()?);
    }
    let id = engine.contact(&call_id)?["id"].clone();
    assert!(
        bodies.iter().all(|body| body["contact"] == id),
        "{bodies:?}"
    );
    let of = |kind: &str| bodies.iter().filter(|body| body["event"] == kind).count();
    assert_eq!(of("contact.began") + of("contact.ended"), 3);
    assert!(of("contact.began") >= 1 && of("contact.ended") >= 1);
    let ended = bodies
        .iter()
        .find(|body| body["event"] == "contact.ended")
        .context("just counted")?;
    assert_eq!(ended["record"]["id"], id);
    assert!(
        ended["record"]["path"]
            .as_array()
            .is_some_and(|path| !path.is_empty()),
        "{ended}"
    );
    assert_eq!(
        first.header("strowger-event")?,
        bodies[0]["event"].as_str().unwrap_or_default()
    );
    assert_eq!(
        first.header("strowger-delivery")?,
        bodies[0]["id"].as_str().unwrap_or_default()
    );
    assert!(!engine.program.log().contains(KEY));
    Ok(())
}

#[test]
fn one_slow_answer_holds_up_no_other_event() -> Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let (requests, go_on) = slow_receiver(address)?;
    let mut engine = served(&hook(address, "at_once = 2\ntimeout_s = 60"))?;
    for _ in 0..2 {
        let call_id = a_call(&engine)?;
        assert!(!engine.reason(&call_id)?.is_empty());
    }
    // Of two beginnings and two ends one is not answered, and takes one of two places.
    let limit = Duration::from_secs(20);
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(requests.recv_timeout(limit)?.check()?["id"].clone());
    }
    drop(go_on);
    ids.push(requests.recv_timeout(limit)?.check()?["id"].clone());
    let different: std::collections::BTreeSet<String> = ids.iter().map(Json::to_string).collect();
    assert_eq!(different.len(), 4, "each is told once: {ids:?}");
    Ok(())
}

/// What is told of an end is what there is at last: of a recording of which nothing could be written, nothing.
#[test]
fn no_recording_is_told_of_that_could_not_be_written() -> Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let requests = receiver(address, &[200])?;
    let engine = served(&hook(address, "events = [\"contact.ended\"]"))?;
    let limit = Duration::from_secs(20);
    let told = |requests: &Receiver<Told>| -> Result<Json> {
        a_call(&engine)?;
        requests.recv_timeout(limit)?.check()
    };
    let ended = told(&requests)?;
    let named = ended["record"]["recording"]
        .as_str()
        .context("a recording")?;
    assert!(std::path::Path::new(named).exists(), "{ended}");
    let folder = engine.data.join("recordings");
    std::fs::remove_dir_all(&folder)?;
    std::fs::write(&folder, "no folder")?;
    // Told in the moment in which the file was given up: by every one of some calls.
    for _ in 0..5 {
        let ended = told(&requests)?;
        assert!(ended["record"]["recording"].is_null(), "{ended}");
    }
    Ok(())
}

#[test]
fn a_call_that_is_up_when_the_engine_is_killed_is_over_and_told_once() -> Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let requests = receiver(address, &[200])?;
    let mut engine = served(&hook(address, ""))?;
    let mut phone = Phone::dial(engine.sip, "ivr", "call", &[])?;
    engine.contact_up(&phone.call_id)?;
    phone.first_sound(Duration::from_secs(20))?;
    phone.listen(Duration::from_millis(700));
    let limit = Duration::from_secs(20);
    let began = requests.recv_timeout(limit)?.check()?;
    assert_eq!(began["event"], "contact.began");
    // Killed with the call, and then again with nothing but what is to be told of it.
    for _ in 0..3 {
        engine.program.kill()?;
        engine.restart()?;
    }
    let id = engine.contact(&phone.call_id)?["id"].clone();
    let id = id.as_str().context("an id")?;
    let record = strowger_tests::http::get(engine.http, &format!("/v1/contacts/{id}/record"))?;
    let record = record.json()?;
    assert_eq!(
        (&record["reason"], &record["ended_by"]),
        (&"engine-stopped".into(), &"engine".into()),
        "{record}"
    );
    // It lasted as long as its journal, and ended when that was found out.
    let ms = |key: &str| record[key].as_u64().unwrap_or_default();
    assert!(ms("total_ms") > 0, "{record}");
    assert!(
        ms("started_at") + ms("total_ms") <= ms("ended_at"),
        "{record}"
    );
    // Another call, so that whatever is told twice is told before it.
    let call_id = a_call(&engine)?;
    let next = engine.contact(&call_id)?["id"].clone();
    let mut ended = std::collections::BTreeSet::new();
    loop {
        let told = requests.recv_timeout(limit)?.check()?;
        if told["event"] != "contact.ended" {
            continue;
        }
        if told["contact"] == next {
            break;
        }
        assert_eq!(told["contact"], id);
        assert_eq!(told["record"]["reason"], "engine-stopped");
        ended.insert(told["id"].as_str().context("an id")?.to_owned());
    }
    // A kill in mid-request may tell an event again, under its own name.
    assert_eq!(ended.len(), 1, "{ended:?}");
    Ok(())
}

#[test]
fn what_nobody_takes_is_a_dead_letter_that_can_be_sent_again() -> Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let mut engine = served(&hook(
        address,
        "events = [\"contact.ended\"]\nretry_for_s = 1",
    ))?;
    let call_id = a_call(&engine)?;
    assert!(!engine.reason(&call_id)?.is_empty());
    let project = engine.project.display().to_string();
    let data = engine.data.display().to_string();
    let webhooks = |verb: &[&str]| {
        let place = ["-p", &project, "--data", &data];
        strowger(&[&["webhooks"], verb, &place].concat())
    };
    let mut listed = String::new();
    engine
        .program
        .wait_until("a dead letter", Duration::from_secs(30), || {
            listed = webhooks(&["dead", "--format", "json"])
                .map(|(_, out, _)| out)
                .unwrap_or_default();
            !listed.is_empty()
        })?;
    let letter: Json = serde_json::from_str(&listed)?;
    assert_eq!(letter["hook"], "crm");
    assert!(
        letter["error"]
            .as_str()
            .is_some_and(|error| error.contains("refused")),
        "{letter}"
    );
    let (_, out, _) = webhooks(&["dead"])?;
    assert!(out.contains("contact.ended of "), "{out}");
    for wrong in [&["retry", "crn"][..], &["retry", "--event", "999999"]] {
        let (code, out, errors) = webhooks(wrong)?;
        assert_eq!((code, out.as_str()), (2, ""), "{errors}");
        assert!(errors.contains("there is no dead letter"), "{errors}");
    }
    let requests = receiver(address, &[204])?;
    let (code, out, _) = webhooks(&["retry", "crm"])?;
    assert_eq!((code, out.as_str()), (0, "1 are sent again\n"));
    let log = strowger_tests::http::get(engine.http, "/v1/audit")?.json()?;
    let lines = log["items"].as_array().into_iter().flatten();
    let lines: Vec<&Json> = lines
        .filter(|line| line["action"] == "webhook.retry")
        .collect();
    // What was refused above changed nothing.
    let [line] = lines.as_slice() else {
        panic!("one line: {log}");
    };
    assert_eq!(line["object"], "crm", "{line}");
    assert_eq!(line["detail"]["sent_again"], 1, "{line}");
    let told = requests.recv_timeout(Duration::from_secs(20))?.check()?;
    assert_eq!(told["event"], "contact.ended");
    engine
        .program
        .wait_until("it is crossed out", Duration::from_secs(10), || {
            webhooks(&["dead"]).is_ok_and(|(_, out, _)| out.is_empty())
        })?;
    Ok(())
}

#[test]
fn a_webhook_that_cannot_be_used_is_told_at_the_start() -> Result<()> {
    let folder = strowger_tests::program::copy("bench")?;
    let toml = folder.path().join("strowger.toml");
    let before = std::fs::read_to_string(&toml)?;
    let project = folder.path().display().to_string();
    for (hook, told) in [
        ("url = \"http://crm.example/h\"", "not https"),
        ("url = \"https://10.0.0.1/h\"", "private"),
        ("url = \"https://[::ffff:127.0.0.1]/h\"", "private"),
        (
            "url = \"https://u:p@crm.example/h\"",
            "a user or a password",
        ),
        ("url = \"nothing\"", "url is none"),
        (
            "url = \"https://crm.example/h\"\nname = \"otlp\"",
            "called `otlp`",
        ),
        (
            "url = \"https://crm.example/h\"\nevents = [\"contact.dies\"]",
            "contact.dies",
        ),
        (
            "url = \"https://crm.example/h\"\nat_once = 0",
            "at_once is 1 to 32",
        ),
    ] {
        std::fs::write(
            &toml,
            format!("{before}\n[[webhooks]]\nsecret_env = \"NO_SUCH_KEY\"\n{hook}\n"),
        )?;
        let (code, out, errors) = strowger(&["check", &project])?;
        let shown = format!("{out}{errors}");
        assert_ne!(code, 0, "{hook}: {shown}");
        assert!(shown.contains(told), "{hook}: {shown}");
    }
    std::fs::write(
        &toml,
        format!(
            "{before}\n[[webhooks]]\nsecret_env = \"NO_SUCH_KEY\"\nurl = \"https://crm.example/h\"\n"
        ),
    )?;
    let (sip, http) = (free_port()?, free_port()?);
    let (code, _, errors) = strowger(&[
        "serve",
        &project,
        "--sip",
        &format!("127.0.0.1:{sip}"),
        "--http",
        &format!("127.0.0.1:{http}"),
    ])?;
    assert_eq!(code, 2, "{errors}");
    assert!(
        errors.contains("NO_SUCH_KEY") && errors.contains("openssl rand"),
        "{errors}"
    );
    Ok(())
}

/// Reads a stream of events until there are so many.
fn streamed(
    address: SocketAddr,
    after: Option<&str>,
    count: usize,
    meanwhile: impl FnOnce() -> Result<()>,
) -> Result<Vec<(String, Json)>> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    let last = after.map_or(String::new(), |id| format!("Last-Event-ID: {id}\r\n"));
    write!(
        stream,
        "GET /v1/events HTTP/1.0\r\nHost: 127.0.0.1\r\n{last}\r\n"
    )?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    // The first comment says that the stream is on.
    while line.trim_end() != ": strowger" {
        line.clear();
        anyhow::ensure!(reader.read_line(&mut line)? > 0, "the stream ended");
    }
    meanwhile()?;
    let (mut id, mut events) = (String::new(), Vec::new());
    let end = Instant::now() + Duration::from_secs(30);
    while events.len() < count && Instant::now() < end {
        line.clear();
        anyhow::ensure!(reader.read_line(&mut line)? > 0, "the stream ended");
        if let Some(found) = line.trim_end().strip_prefix("id: ") {
            id = found.to_owned();
        } else if let Some(data) = line.strip_prefix("data: ") {
            events.push((id.clone(), serde_json::from_str(data)?));
        }
    }
    Ok(events)
}

#[test]
fn the_stream_tells_what_happens_and_goes_on_where_it_was() -> Result<()> {
    let engine = Engine::start("bench", |_| Ok(()))?;
    let events = streamed(engine.http, None, 2, || a_call(&engine).map(drop))?;
    let kinds: Vec<_> = events
        .iter()
        .map(|(_, event)| event["event"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(kinds, ["contact.began", "contact.ended"]);
    assert_eq!(events[1].1["record"]["id"], events[1].1["contact"]);
    // Whoever lost the connection after the first is told the second, though it is past.
    let again = streamed(engine.http, Some(&events[0].0), 1, || Ok(()))?;
    assert_eq!(again, events[1..]);
    let all = streamed(engine.http, Some("0"), 2, || Ok(()))?;
    assert_eq!(all, events);
    let mut stream = TcpStream::connect(engine.http)?;
    write!(
        stream,
        "GET /v1/events HTTP/1.0\r\nHost: 127.0.0.1\r\nLast-Event-ID: soon\r\n\r\n"
    )?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    assert!(
        text.contains(" 400 ") && text.contains("Last-Event-ID"),
        "{text}"
    );
    Ok(())
}

/// An attribute of a span, whatever its type.
fn attribute<'s>(span: &'s Json, key: &str) -> Option<&'s str> {
    let all = span["attributes"].as_array()?;
    let found = all.iter().find(|attribute| attribute["key"] == key)?;
    found["value"].as_object()?.values().next()?.as_str()
}

#[test]
fn a_collector_gets_a_trace_of_each_contact_without_numbers() -> Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let requests = receiver(address, &[503, 200])?;
    let engine = served(&format!(
        "[telemetry]\notlp_endpoint = \"http://{address}\""
    ))?;
    let call_id = a_call(&engine)?;
    let limit = Duration::from_secs(20);
    let refused = requests.recv_timeout(limit)?;
    let taken = requests.recv_timeout(limit)?;
    assert_eq!(
        refused.body, taken.body,
        "the same trace again, with the same ids"
    );
    assert!(taken.head.starts_with("POST /v1/traces "), "{}", taken.head);
    assert!(!taken.body.contains("13800138000"), "{}", taken.body);

    let export: Json = serde_json::from_str(&taken.body)?;
    let resource = &export["resourceSpans"][0]["resource"];
    assert_eq!(attribute(resource, "service.name"), Some("strowger"));
    let spans = export["resourceSpans"][0]["scopeSpans"][0]["spans"]
        .as_array()
        .context("spans")?;
    let hex = |id: &Json, digits: usize| {
        let id = id.as_str().unwrap_or_default();
        id.len() == digits && id.bytes().all(|digit| digit.is_ascii_hexdigit())
    };
    let time =
        |span: &Json, key: &str| span[key].as_str().and_then(|time| time.parse::<u64>().ok());
    let ids: Vec<&Json> = spans.iter().map(|span| &span["spanId"]).collect();
    for span in spans {
        assert!(
            hex(&span["traceId"], 32) && hex(&span["spanId"], 16),
            "{span}"
        );
        assert_eq!(span["traceId"], spans[0]["traceId"]);
        let (from, to) = (
            time(span, "startTimeUnixNano"),
            time(span, "endTimeUnixNano"),
        );
        assert!(from.is_some() && from <= to, "{span}");
        let parent = &span["parentSpanId"];
        assert!(parent.is_null() || ids.contains(&parent), "{span}");
        // It lasts no longer than what it is a part of.
        if let Some(around) = spans.iter().find(|other| other["spanId"] == *parent) {
            let (begins, ends) = (
                time(around, "startTimeUnixNano"),
                time(around, "endTimeUnixNano"),
            );
            assert!(begins <= from && to <= ends, "{span} in {around}");
        }
    }
    let roots: Vec<&Json> = spans
        .iter()
        .filter(|span| span["parentSpanId"].is_null())
        .collect();
    assert_eq!(roots.len(), 1);
    // The call's SIP messages are events of it, the last answer too.
    let events = roots[0]["events"].as_array().context("events")?;
    let sip = events.iter().filter(|event| event["name"] == "sip");
    let methods: Vec<_> = sip
        .filter(|event| attribute(event, "sip.way") == Some("in"))
        .filter_map(|event| attribute(event, "sip.method"))
        .collect();
    assert_eq!(methods, ["INVITE", "ACK", "BYE"], "{events:?}");
    assert!(
        events
            .iter()
            .is_sorted_by_key(|event| time(event, "timeUnixNano")),
        "{events:?}"
    );
    let contact = engine.contact(&call_id)?;
    assert_eq!(
        attribute(roots[0], "strowger.contact"),
        contact["id"].as_str()
    );
    assert_eq!(
        attribute(roots[0], "strowger.reason"),
        contact["reason"].as_str()
    );
    let step = spans
        .iter()
        .find(|span| attribute(span, "strowger.plugin").is_some());
    let step = step.context("a step's span")?;
    assert_eq!(step["parentSpanId"], roots[0]["spanId"]);
    assert!(attribute(step, "strowger.cpu_us").is_some(), "{step}");
    let call = spans
        .iter()
        .find(|span| span["name"] == "media.listen")
        .context("a host call's span")?;
    assert!(
        spans
            .iter()
            .any(|span| span["spanId"] == call["parentSpanId"]
                && attribute(span, "strowger.plugin").is_some())
    );
    Ok(())
}

#[test]
fn a_collector_is_told_which_way_conditions_led_and_no_value_of_theirs() -> Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let requests = receiver(address, &[200])?;
    let engine = Engine::serve_with(&[], |project| {
        copy_project(&repository().join("flows/bench"), project)?;
        with_both(project)?;
        edit(&project.join("strowger.toml"), |text| {
            format!("{text}\n[telemetry]\notlp_endpoint = \"http://{address}\"\n")
        })
    })?;
    let spans = |number: &str| -> Result<Vec<Json>> {
        called(&engine, number)?;
        let told = requests.recv_timeout(Duration::from_secs(20))?;
        let export: Json = serde_json::from_str(&told.body)?;
        let spans = export["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array();
        Ok(spans.context("spans")?.clone())
    };
    let why = spans("why")?;
    let events = why[0]["events"].as_array().context("events")?;
    let of = |name: &str| {
        let found = events.iter().filter(|event| event["name"] == name);
        found.collect::<Vec<_>>()
    };
    let (skipped, decided) = (of("skipped"), of("decided"));
    assert_eq!((skipped.len(), decided.len()), (1, 2), "{events:?}");
    assert_eq!(
        attribute(skipped[0], "strowger.expression"),
        Some("tries == 5")
    );
    for (key, value) in [
        ("strowger.expression", "tries > 2 and total < 10"),
        ("strowger.taken", "else"),
        ("strowger.to", "why:16 number"),
    ] {
        assert_eq!(attribute(decided[0], key), Some(value), "{events:?}");
    }
    let attributes = decided[0]["attributes"].as_array().context("attributes")?;
    let value = attributes
        .iter()
        .find(|attribute| attribute["key"] == "strowger.value");
    assert_eq!(
        value.context("whether it was true")?["value"]["boolValue"],
        false
    );
    let all = serde_json::to_string(&why)?;
    assert!(
        !all.contains("\"40\"") && !all.contains("unexplained"),
        "{all}"
    );
    assert!(why[0]["status"].is_null(), "{}", why[0]);

    let broken = spans("broken")?;
    assert_eq!(broken[0]["status"]["code"], 2, "{}", broken[0]);
    let all = serde_json::to_string(&broken[0]["events"])?;
    assert!(all.contains("strowger.failed"), "{all}");
    Ok(())
}

/// A disk that lost the end of a record: the contact is named, and nobody else's events wait for it.
#[test]
fn a_damaged_record_is_told_of_and_holds_up_nobody() -> Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let mut engine = served(&hook(address, "events = [\"contact.ended\"]"))?;
    let mut ids = Vec::new();
    // Nobody listens: both wait to be told.
    for _ in 0..2 {
        let call_id = a_call(&engine)?;
        assert!(!engine.reason(&call_id)?.is_empty());
        let id = engine.contact(&call_id)?["id"].clone();
        ids.push(id.as_str().context("an id")?.to_owned());
    }
    engine.program.kill()?;
    let damage = "UPDATE records SET body = substr(body, 1, 500) WHERE ended_at = (SELECT MIN(ended_at) FROM records)";
    assert_eq!(
        strowger_tests::change(&engine.data.join("strowger.db"), damage)?,
        1
    );
    let requests = receiver(address, &[200])?;
    engine.restart()?;
    let limit = Duration::from_secs(20);
    assert_eq!(requests.recv_timeout(limit)?.check()?["contact"], ids[1]);
    let next = a_call(&engine)?;
    assert!(!engine.reason(&next)?.is_empty());
    let next = engine.contact(&next)?["id"].clone();
    // The one before was told once.
    assert_eq!(requests.recv_timeout(limit)?.check()?["contact"], next);

    let project = engine.project.display().to_string();
    let data = engine.data.display().to_string();
    let place = ["-p", &project, "--data", &data];
    let run = |verb: &[&str]| strowger(&[verb, &place].concat());
    // It may wait for its turn a little, as nobody listened before.
    let told = format!("the record of contact {} is damaged", ids[0]);
    engine.program.wait_until("a dead letter", limit, || {
        run(&["webhooks", "dead"]).is_ok_and(|(_, letters, _)| letters.contains(&told))
    })?;
    let list = strowger_tests::http::get(engine.http, "/v1/records")?.json()?;
    let listed: Vec<_> = list["items"].as_array().into_iter().flatten().collect();
    assert_eq!(listed.len(), 2, "{list}");
    assert!(listed.iter().all(|record| record["id"] != ids[0]), "{list}");
    let one = strowger_tests::http::get(engine.http, &format!("/v1/contacts/{}/record", ids[0]))?;
    assert_eq!(one.status, 500);
    assert!(one.body.contains(&told), "{}", one.body);
    let ended = |events: Vec<(String, Json)>| -> Vec<Json> {
        let ended = events.into_iter().map(|(_, event)| event);
        let ended = ended.filter(|event| event["event"] == "contact.ended");
        ended.map(|event| event["contact"].clone()).collect()
    };
    // Three began, and of one the end is passed over.
    let events = streamed(engine.http, Some("0"), 5, || Ok(()))?;
    assert_eq!(ended(events), [Json::from(ids[1].as_str()), next]);
    let file = engine.data.join("out.jsonl");
    let shown = file.display().to_string();
    let (code, _, errors) = run(&["export", "--format", "jsonl", "-o", &shown])?;
    assert_eq!(code, 1, "{errors}");
    assert!(
        errors.contains(&ids[0]) && errors.contains("left out"),
        "{errors}"
    );
    assert_eq!(std::fs::read_to_string(&file)?.lines().count(), 2);
    let metrics = strowger_tests::http::get(engine.http, "/metrics")?.body;
    assert!(
        metrics.contains("\nstrowger_store_records_damaged 1\n"),
        "{metrics}"
    );
    let log = engine.program.log();
    assert!(log.contains(&format!("given up: {told}")), "{log}");
    Ok(())
}
