//! What a tenant may take of what all share: chats, requests, tokens, pushes. Others have theirs all the same.

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use strowger_tests::Hall;
use strowger_tests::attack::{attacker, reach};
use strowger_tests::hall::CHATS;
use strowger_tests::program::component;
use strowger_tests::projects::{altered, digest, project, says};
use strowger_tests::{Engine, Phone, Talk, http};

use crate::guest::{Guest, description};

/// A project of one flow that asks and waits.
fn waits(tenant: &str, number: &str) -> Result<tempfile::TempDir> {
    let folder = says(tenant, number, "unused")?;
    std::fs::write(
        folder.path().join("greeting.flow.yaml"),
        "flow: greeting\nformat: 1\nlanguages: [en]\nprompts:\n  which: { en: Which number? }\n\
         vars: { number: text }\nsteps:\n  start:\n    ask: which\n    into: number\n    expect: { digits: 1..4 }\n    \
         then: { ok: bye, no_input: bye, no_match: bye }\n  bye: { hangup: done }\n",
    )?;
    Ok(folder)
}

#[test]
fn one_tenants_chats_leave_room_for_anothers() -> Result<()> {
    let hall = Hall::open_with(
        CHATS,
        &[
            ("mallory", "numbers = [\"6*\"]\n[limits]\nchats = 2\n"),
            ("vega", "numbers = [\"7*\"]\n"),
        ],
    )?;
    hall.publish(&waits("mallory", "6")?)?;
    hall.publish(&waits("vega", "7")?)?;
    let begin = |to| Talk::begin(hall.engine.http, to, None);
    let mut talks = [begin("6")?, begin("6")?];
    let third = begin("6").err().context("it has two already")?.to_string();
    ensure!(
        third.contains("503") && third.contains("try again later"),
        "{third}"
    );
    // Who is refused is a stranger.
    ensure!(
        !third.contains("mallory") && !third.contains("limits"),
        "{third}"
    );
    begin("7")?;
    // One that ends makes room.
    talks[0].asked("Which number?")?;
    talks[0].write("12")?;
    talks[0].ended()?;
    begin("6")?;
    Ok(())
}

#[test]
fn many_tokens_are_no_way_around_a_tenants_limits() -> Result<()> {
    let hall = Hall::open(&[
        (
            "mallory",
            "[limits]\ntokens = 4\nrequests_per_second = 1\nburst = 12\n",
        ),
        ("vega", ""),
    ])?;
    let owner = hall.engine.token("owner", &["--tenant", "mallory"])?;
    let make = || {
        let wanted = json!({ "name": "another", "role": "auditor" });
        http::ask(
            hall.engine.http,
            "POST",
            "/v1/tokens",
            Some(&owner),
            Some(&wanted),
        )
    };
    let mut tokens = Vec::new();
    for _ in 0..3 {
        let made = make()?;
        ensure!(made.status == 201, "{}", made.body);
        tokens.push(
            made.json()?["token"]
                .as_str()
                .context("a token")?
                .to_owned(),
        );
    }
    let fifth = make()?;
    ensure!(
        fifth.status == 409 && fifth.body.contains("limits.tokens"),
        "{fifth:?}"
    );
    // Each of them has a bucket of its own, and all have one together.
    let mut statuses = Vec::new();
    for token in tokens.iter().cycle().take(30) {
        let answer = http::ask(hall.engine.http, "GET", "/v1/me", Some(token), None)?;
        if answer.status == 429 {
            ensure!(answer.header("retry-after").is_some(), "{}", answer.head);
            ensure!(
                answer.body.contains("limits.requests_per_second"),
                "{}",
                answer.body
            );
        }
        statuses.push(answer.status);
    }
    ensure!(
        statuses[0] == 200 && statuses.contains(&429),
        "{statuses:?}"
    );
    let neighbour = hall.engine.token("owner", &["--tenant", "vega"])?;
    let answer = http::ask(hall.engine.http, "GET", "/v1/me", Some(&neighbour), None)?;
    ensure!(answer.status == 200, "{}", answer.body);
    Ok(())
}

#[test]
fn a_push_that_is_too_large_is_refused_unread() -> Result<()> {
    let hall = Hall::open(&[("mallory", "[limits]\nupload_bytes = 100000\nfiles = 10\n")])?;
    for path in ["revisions", "plugins"] {
        let mut stream = TcpStream::connect(hall.engine.http)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        // Not a byte of the body: the answer does not wait for one.
        write!(
            stream,
            "POST /v1/tenants/mallory/{path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/octet-stream\r\nContent-Length: 240000000\r\n\r\n",
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        ensure!(
            answer.starts_with("HTTP/1.1 413") && answer.contains("limits.upload_bytes"),
            "{path}: {answer}"
        );
    }
    Ok(())
}

#[test]
fn a_tenant_has_two_pushes_under_way() -> Result<()> {
    let hall = Hall::open(&[("mallory", ""), ("vega", "numbers = [\"7*\"]\n")])?;
    let begin = || -> Result<TcpStream> {
        let mut stream = TcpStream::connect(hall.engine.http)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        write!(
            stream,
            "POST /v1/tenants/mallory/revisions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/octet-stream\r\nExpect: 100-continue\r\nContent-Length: 1000\r\n\r\n",
        )?;
        Ok(stream)
    };
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = begin()?;
        // It says so once somebody reads the body, and that is after the push was let in.
        let mut continues = [0; 12];
        stream.read_exact(&mut continues)?;
        ensure!(continues == *b"HTTP/1.1 100", "{continues:?}");
        held.push(stream);
    }
    let mut third = String::new();
    begin()?.read_to_string(&mut third)?;
    ensure!(
        third.starts_with("HTTP/1.1 429") && third.to_lowercase().contains("retry-after"),
        "{third}"
    );
    hall.done(&[
        "push",
        &says("vega", "7", "Hello.")?.path().display().to_string(),
    ])?;
    Ok(())
}

/// Whether compiled code of a component is kept.
fn compiled(engine: &Engine, component: &[u8]) -> Result<bool> {
    let digest = digest(component);
    for entry in std::fs::read_dir(engine.data.join("compiled"))? {
        let name = entry?.file_name();
        if name.to_string_lossy().starts_with(&digest) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[test]
fn refused_pushes_count_and_leave_no_code() -> Result<()> {
    let rules =
        "numbers = [\"6*\"]\n[grants]\nhttp = [\"a.example:443\"]\n[limits]\nuploads_per_day = 3\n";
    let hall = Hall::open_with(CHATS, &[("mallory", rules)])?;
    let grants = "http = [\"a.example:443\"]";
    hall.publish(&attacker("mallory", grants, &[reach("600", json!([]))])?)?;
    ensure!(
        compiled(&hall.engine, &component("guest-reach")?)?,
        "what is live"
    );
    let folder = tempfile::TempDir::new()?;
    // The version that is there, with other bytes each time.
    for (word, words) in [
        ("no-plug", "is there already with other bytes"),
        ("no-plus", "is there already with other bytes"),
        ("no-plot", "limits.uploads_per_day"),
    ] {
        let file = folder.path().join(format!("{word}.wasm"));
        let bytes = altered(&component("guest-reach")?, "no-plan", word)?;
        std::fs::write(&file, &bytes)?;
        let file = file.display().to_string();
        let (code, said) = hall.run(&["plugin", "push", &file, "--tenant", "mallory"])?;
        ensure!(code != 0 && said.contains(words), "{word}: {code} {said}");
        ensure!(!compiled(&hall.engine, &bytes)?, "{word} is kept");
    }
    Ok(())
}

#[test]
fn archives_that_cannot_be_unpacked_count() -> Result<()> {
    let hall = Hall::open(&[("mallory", "[limits]\nuploads_per_day = 2\n")])?;
    let push = || {
        let path = "/v1/tenants/mallory/revisions";
        let kind = [("Content-Type", "application/x-tar")];
        http::send_raw(hall.engine.http, "POST", path, None, b"no archive", &kind)
    };
    for _ in 0..2 {
        let refused = push()?;
        ensure!(refused.status == 400, "{}", refused.body);
    }
    // It is not unpacked any more.
    let refused = push()?;
    ensure!(
        refused.status == 429 && refused.body.contains("limits.uploads_per_day"),
        "{} {}",
        refused.status,
        refused.body
    );
    Ok(())
}

#[test]
fn limits_in_the_centres_own_file_are_refused() -> Result<()> {
    let refused = Hall::open_with("[limits.http]\ntotal_ms = 1000\n", &[("vega", "")]);
    let said = refused.err().context("it starts")?.to_string();
    ensure!(
        said.contains("limits: a centre's own file limits nobody"),
        "{said}"
    );
    Ok(())
}

/// A project with a plugin whose examples compute without end: its folder.
fn computes(tenant: &str, examples: usize) -> Result<tempfile::TempDir> {
    let folder = says(tenant, "*", "Nobody hears this.")?;
    let mut description = description();
    description["steps"]["go"]["examples"] =
        vec![json!({ "input": {}, "outcome": "ok" }); examples].into();
    let guest = Guest {
        run: "(loop $again (br $again)) (i32.const 0)".to_owned(),
        description: description.to_string(),
        ..Guest::default()
    };
    std::fs::write(folder.path().join("guest.wasm"), guest.build())?;
    strowger_tests::program::edit(&folder.path().join("strowger.toml"), |text| {
        text + "[plugins.guest]\ncomponent = \"guest.wasm\"\n"
    })?;
    Ok(folder)
}

#[test]
fn a_push_whose_plugins_are_tried_for_long_holds_up_no_roll_back_and_ends_with_its_client()
-> Result<()> {
    let limits = "[limits]\ntrial_ms = 600000\n[limits.step]\ncpu_ms = 10000\nbusy_ms = 600000\n";
    let mut hall = Hall::open(&[("mallory", &format!("numbers = [\"6*\"]\n{limits}"))])?;
    for words in ["One.", "Two."] {
        hall.publish(&says("mallory", "*", words)?)?;
    }
    let project = computes("mallory", 32)?;
    let mut tree = strowger_server::centre::archive::Tree::new();
    for name in [
        "strowger.toml",
        "routes.yaml",
        "greeting.flow.yaml",
        "guest.wasm",
    ] {
        tree.insert(name.to_owned(), std::fs::read(project.path().join(name))?);
    }
    let archive = strowger_server::centre::archive::pack(&tree)?;
    let mut push = TcpStream::connect(hall.engine.http)?;
    write!(
        push,
        "POST /v1/tenants/mallory/revisions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\n\r\n",
        archive.len()
    )?;
    push.write_all(&archive)?;
    // It is in its turn as soon as its folder is there.
    let revisions = hall.engine.data.join("revisions");
    hall.engine
        .program
        .wait_until("its folder", Duration::from_secs(60), || {
            std::fs::read_dir(&revisions).is_ok_and(|folders| folders.count() == 3)
        })?;
    hall.done(&["release", "--tenant", "mallory", "--roll-back"])?;
    assert_eq!(hall.live("mallory")?, Some(1));
    hall.done(&["release", "2", "--tenant", "mallory"])?;
    assert_eq!(hall.live("mallory")?, Some(2));
    push.set_nonblocking(true)?;
    let unanswered = push.read(&mut [0; 16]).expect_err("it is tried yet");
    assert_eq!(unanswered.kind(), std::io::ErrorKind::WouldBlock);
    // Nobody waits for it any more: the next push has its turn, and nothing of the first one is kept.
    drop(push);
    hall.publish(&says("mallory", "*", "Three.")?)?;
    assert_eq!(hall.live("mallory")?, Some(3));
    Ok(())
}

#[test]
fn the_examples_of_a_push_have_processor_time_together() -> Result<()> {
    let hall = Hall::open(&[("mallory", "numbers = [\"6*\"]\n[limits]\ntrial_ms = 150\n")])?;
    let project = computes("mallory", 32)?;
    let folder = project.path().display().to_string();
    hall.refused(
        &["push", &folder],
        &[
            "error[plugin-example]",
            "error[plugin-trial]",
            "30 of its examples were not tried",
            "limits.trial_ms",
        ],
    )?;
    Ok(())
}

/// A project of many flows, each of many steps: it is well, and takes long to check.
fn many_flows(tenant: &str) -> Result<tempfile::TempDir> {
    let flow = |name: &str| {
        let mut text = format!(
            "flow: {name}\nformat: 1\nlanguages: [en]\ndefaults: {{ max_duration: 4h }}\nvars: {{ n: text }}\nsteps:\n"
        );
        for step in 0..300 {
            let name = if step == 0 {
                "start".to_owned()
            } else {
                format!("s{step}")
            };
            let next = step + 1;
            text += &format!(
                "  {name}:\n    ask: \"Number {step}?\"\n    into: n\n    expect: {{ digits: 1..4 }}\n    then: {{ ok: s{next}, no_input: s{next}, no_match: s{next} }}\n"
            );
        }
        text + "  s300: { hangup: done }\n"
    };
    let names: Vec<String> = (0..30).map(|flow| format!("flow{flow}")).collect();
    let numbers: Vec<String> = (100..130).map(|number| number.to_string()).collect();
    let flows: Vec<(&str, &str, String)> = numbers
        .iter()
        .zip(&names)
        .map(|(number, name)| (number.as_str(), name.as_str(), flow(name)))
        .collect();
    project(tenant, &[], "", &flows)
}

#[test]
fn load_projects_that_take_long_to_check_hold_nobody_up() -> Result<()> {
    // One for each thread on which contacts are walked and requests answered.
    let names: Vec<String> = (0..std::thread::available_parallelism()?.get())
        .map(|number| format!("busy-{number}"))
        .collect();
    let tenants: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    let hall = Hall::open_with(CHATS, &tenants)?;
    let projects = names.iter().map(|name| many_flows(name));
    let projects: Vec<tempfile::TempDir> = projects.collect::<Result<_>>()?;
    let begun = Instant::now();
    let slowest = std::thread::scope(|scope| -> Result<Duration> {
        let pushes: Vec<_> = projects
            .iter()
            .map(|project| {
                let hall = &hall;
                scope.spawn(move || hall.done(&["push", &project.path().display().to_string()]))
            })
            .collect();
        let mut slowest = Duration::ZERO;
        while pushes.iter().any(|push| !push.is_finished()) {
            let asked = Instant::now();
            hall.get("/healthz")?;
            slowest = slowest.max(asked.elapsed());
        }
        for push in pushes {
            push.join().expect("a push does not panic")?;
        }
        Ok(slowest)
    })?;
    let took = begun.elapsed();
    eprintln!(
        "{} pushes took {took:?}, the slowest answer meanwhile {slowest:?}",
        names.len()
    );
    ensure!(
        slowest < (took / 4).max(Duration::from_secs(1)),
        "an answer took {slowest:?} of {took:?}"
    );
    Ok(())
}

/// A telephone that is always busy, at a port.
struct Busy {
    port: u16,
    stop: Arc<AtomicBool>,
    answers: Option<JoinHandle<()>>,
}

impl Busy {
    fn start() -> Result<Busy> {
        let socket = UdpSocket::bind(("127.0.0.1", 0))?;
        socket.set_read_timeout(Some(Duration::from_millis(50)))?;
        let port = socket.local_addr()?.port();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let answers = std::thread::spawn(move || {
            let mut bytes = [0; 1 << 16];
            while !stopped.load(Ordering::Relaxed) {
                let Ok((count, from)) = socket.recv_from(&mut bytes) else {
                    continue;
                };
                let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
                if text.starts_with("INVITE ") {
                    // The caller asks again where this is lost.
                    let _ = socket.send_to(busy(&text).as_bytes(), from);
                }
            }
        });
        Ok(Busy {
            port,
            stop,
            answers: Some(answers),
        })
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.answers.take().map(JoinHandle::join);
    }
}

/// The answer to a call.
fn busy(invite: &str) -> String {
    let kept = invite.split("\r\n").filter_map(|line| {
        let (name, _) = line.split_once(':')?;
        match name.to_ascii_lowercase().as_str() {
            "to" => Some(format!("{line};tag=busy\r\n")),
            "via" | "from" | "call-id" | "cseq" => Some(format!("{line}\r\n")),
            _ => None,
        }
    });
    let kept: String = kept.collect();
    format!("SIP/2.0 486 Busy Here\r\n{kept}Content-Length: 0\r\n\r\n")
}

/// A project of one flow that tries a telephone so many times, whatever comes of it, and ends as the last try did.
fn dials(tenant: &str, number: &str, port: u16, times: usize) -> Result<tempfile::TempDir> {
    let ends = "busy: { hangup: was-busy }\n  bad: { hangup: not-reached }\n";
    let tries = (0..times).map(|n| {
        let then = match n + 1 == times {
            true => "busy: busy, else: bad".to_owned(),
            false => format!("else: s{}", n + 1),
        };
        let step = if n == 0 { "start".to_owned() } else { format!("s{n}") };
        format!("  {step}:\n    transfer: sip:desk@127.0.0.1:{port}\n    ring: 5s\n    then: {{ {then} }}\n")
    });
    let tries: String = tries.collect();
    let flow = format!("flow: dials\nformat: 1\nlanguages: [en]\nsteps:\n{tries}  {ends}");
    let project = project(tenant, &[], "", &[(number, "dials", flow)])?;
    let toml = project.path().join("strowger.toml");
    strowger_tests::program::edit(&toml, |text| text + "[transfer]\nhow = \"bridge\"\n")?;
    Ok(project)
}

#[test]
fn one_tenants_transfers_leave_calls_for_anothers() -> Result<()> {
    let desk = Busy::start()?;
    let mut hall = Hall::open_with(
        "[transfer]\ncalls_per_minute = 8\n",
        &[
            ("mallory", "numbers = [\"6*\"]\n"),
            ("vega", "numbers = [\"7*\"]\n"),
        ],
    )?;
    hall.publish(&dials("mallory", "6", desk.port, 20)?)?;
    hall.publish(&dials("vega", "7", desk.port, 1)?)?;
    let mut call = |number| {
        let mut phone = Phone::dial(hall.engine.sip, number, "call", &[])?;
        phone.ended()?;
        hall.engine.reason(&phone.call_id)
    };
    assert_eq!(call("6")?, "not-reached");
    assert_eq!(call("7")?, "was-busy");
    let of = |tenant: &str| {
        let metric = |name: &str| {
            let name = format!("tenant_transfer_calls{name}{{tenant=\"{tenant}\"}}");
            hall.engine.metric(&name)
        };
        anyhow::Ok([metric("_total")?, metric("_refused_total")?, metric("")?])
    };
    assert_eq!(of("mallory")?, [4, 16, 0]);
    assert_eq!(of("vega")?, [1, 0, 0]);
    let log = hall.engine.program.log();
    let told =
        |line: &str| line.contains("tenant mallory") && line.contains("limits.transfers_percent");
    ensure!(log.lines().any(told), "{log}");
    Ok(())
}

#[test]
fn one_contact_places_no_more_calls_than_it_may() -> Result<()> {
    let desk = Busy::start()?;
    let mut hall = Hall::open_with(
        "[transfer]\ncalls_per_contact = 3\n",
        &[("vega", "numbers = [\"7*\"]\n")],
    )?;
    for (times, reason) in [(4, "not-reached"), (3, "was-busy")] {
        hall.publish(&dials("vega", "7", desk.port, times)?)?;
        let mut phone = Phone::dial(hall.engine.sip, "7", "call", &[])?;
        phone.ended()?;
        assert_eq!(hall.engine.reason(&phone.call_id)?, reason);
    }
    assert_eq!(hall.engine.metric("transfer_calls_total")?, 6);
    let log = hall.engine.program.log();
    ensure!(log.contains("transfer.calls_per_contact"), "{log}");
    Ok(())
}
