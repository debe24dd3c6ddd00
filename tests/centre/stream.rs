//! The stream of events: each tenant is told of its own contacts, and of nobody else's.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::Value as Json;
use strowger_tests::Hall;
use strowger_tests::hall::hears;
use strowger_tests::projects::says;

/// All events from the first on, as they are given to a token, until the stream has told of so many.
fn events(http: SocketAddr, token: &str, count: usize) -> Result<Vec<Json>> {
    let mut stream = TcpStream::connect(http)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    write!(
        stream,
        "GET /v1/events HTTP/1.0\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nLast-Event-ID: 0\r\n\r\n"
    )?;
    let mut reader = BufReader::new(stream);
    let mut told = Vec::new();
    let mut line = String::new();
    while told.len() < count {
        line.clear();
        ensure!(
            reader.read_line(&mut line)? > 0,
            "the stream ended: {told:?}"
        );
        if let Some(data) = line.strip_prefix("data: ") {
            told.push(serde_json::from_str(data)?);
        }
    }
    Ok(told)
}

#[test]
fn a_tenant_s_token_is_told_of_that_tenant_s_contacts_alone() -> Result<()> {
    let hall = Hall::open(&[
        ("vega", "numbers = [\"100\"]"),
        ("altair", "numbers = [\"200\"]"),
    ])?;
    let mut projects = Vec::new();
    for (tenant, number) in [("vega", "100"), ("altair", "200")] {
        let project = says(tenant, number, "Good morning to you.")?;
        let folder = project.path().display().to_string();
        hall.done(&["push", &folder])?;
        hall.done(&["release", "1", "--tenant", tenant])?;
        projects.push(project);
    }
    // One after the other, so that whoever sees too much sees it first.
    for (project, number) in projects.iter().zip(["100", "200"]) {
        hears(&hall, project.path(), number, "Good morning to you.")?;
    }
    for (project, number) in projects.iter().zip(["100", "200"]) {
        hears(&hall, project.path(), number, "Good morning to you.")?;
    }
    for (tenant, expected) in [("vega", "100"), ("altair", "200")] {
        let token = hall.engine.token("owner", &["--tenant", tenant])?;
        let told = events(hall.engine.http, &token, 4)?;
        for event in &told {
            ensure!(event["tenant"] == tenant, "{tenant} is told {event}");
            if event["event"] == "contact.ended" {
                ensure!(event["record"]["to"] == expected, "{event}");
            }
        }
        let kinds: Vec<_> = told.iter().map(|event| &event["event"]).collect();
        ensure!(
            kinds
                == [
                    "contact.began",
                    "contact.ended",
                    "contact.began",
                    "contact.ended"
                ],
            "{told:?}"
        );
    }
    let all = events(hall.engine.http, &hall.engine.token("owner", &[])?, 8)?;
    ensure!(all.iter().filter(|event| event["tenant"] == "vega").count() == 4);
    Ok(())
}

/// What a stream of events begins with: its status, and the stream.
fn begun(http: SocketAddr, token: &str) -> Result<(String, BufReader<TcpStream>)> {
    let mut stream = TcpStream::connect(http)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    write!(
        stream,
        "GET /v1/events HTTP/1.0\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n\r\n"
    )?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let status = line.split(' ').nth(1).unwrap_or_default().to_owned();
    Ok((status, reader))
}

#[test]
fn a_tenant_s_streams_take_none_of_another_s_places() -> Result<()> {
    let mut hall = Hall::open(&[
        ("vega", "numbers = [\"100\"]"),
        ("altair", "numbers = [\"200\"]"),
    ])?;
    let first = hall.engine.token("auditor", &["--tenant", "vega"])?;
    let second = hall.engine.token("auditor", &["--tenant", "vega"])?;
    let altair = hall.engine.token("auditor", &["--tenant", "altair"])?;
    let all = hall.engine.token("owner", &[])?;
    let http = hall.engine.http;
    let mut streams = Vec::new();
    // A tenant's tokens have theirs together.
    for (token, count) in [(&first, 4), (&second, 4), (&altair, 8), (&all, 8)] {
        for _ in 0..count {
            let (status, stream) = begun(http, token)?;
            ensure!(status == "200", "{status}");
            streams.push(stream);
        }
    }
    for token in [&first, &second, &altair, &all] {
        ensure!(begun(http, token)?.0 == "429");
    }
    let metrics = strowger_tests::http::ask(http, "GET", "/metrics", Some(&all), None)?.body;
    ensure!(
        metrics.contains("strowger_event_streams_refused_total 4\n"),
        "{metrics}"
    );
    // Whoever ends one gives its place back.
    drop(streams.remove(0));
    let limit = Duration::from_secs(30);
    hall.engine.program.wait_until("a place", limit, || {
        begun(http, &second).is_ok_and(|(status, _)| status == "200")
    })?;
    Ok(())
}
