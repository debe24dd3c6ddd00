//! Many calls at once, and an engine that dies.

use std::io::Write as _;
use std::net::{TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use strowger_tests::program::Program;
use strowger_tests::{Ear, Phone, phone};
use strowger_voice::rtp::Packet;
use strowger_voice::wav;

use crate::world::{LANGUAGE_EN, LANGUAGE_ZH, PROMPT, World, always_open};

/// Calls whose audio is heard here. SIPp makes one more, whose audio goes to a socket of its own.
const CALLS: usize = 200;
/// SIPp gives each call the next port but three.
const PORT_STEP: u16 = 4;

#[test]
fn load_two_hundred_calls_at_once_each_hear_their_prompt() -> Result<()> {
    let mut world = World::edited(always_open)?;
    let (base, sockets) = consecutive_ports(CALLS)?;
    let folder = tempfile::TempDir::new()?;
    let mut command = phone::many(
        world.engine.sip,
        "100",
        "many",
        (CALLS + 1, 50),
        12_000,
        Some(base),
    )?;
    command.current_dir(folder.path()).args(["-timeout", "90"]);
    let mut sipp = Program::start(command, "sipp", folder.path().join("log"))?;
    let mut ears: Vec<Ear> = sockets.iter().map(|_| Ear::default()).collect();
    let end = Instant::now() + Duration::from_secs(90);
    let mut most = 0;
    let mut looked = Instant::now();
    let code = loop {
        let mut quiet = true;
        for (socket, ear) in sockets.iter().zip(&mut ears) {
            let mut buffer = [0; 2_048];
            while let Ok(length) = socket.recv(&mut buffer) {
                quiet = false;
                if let Ok(packet) = Packet::parse(&buffer[..length]) {
                    ear.take(packet.payload);
                }
            }
        }
        if looked.elapsed() > Duration::from_millis(500) {
            looked = Instant::now();
            most = most.max(world.engine.metric("calls")?);
        }
        if let Ok(code) = sipp.wait(Duration::ZERO) {
            break code;
        }
        ensure!(
            Instant::now() < end,
            "the calls did not end:\n{}",
            sipp.log()
        );
        if quiet {
            std::thread::sleep(Duration::from_millis(2));
        }
    };
    ensure!(code == 0, "SIPp says {code}:\n{}", sipp.log());
    assert_eq!(most, CALLS as u64 + 1, "calls up at once");
    let (zh, en) = (world.zh(LANGUAGE_ZH)?, world.en(LANGUAGE_EN)?);
    for (number, ear) in ears.iter_mut().enumerate() {
        let nearest = ear.nearest(&zh);
        assert!(
            ear.hears(&zh),
            "call {number}: {nearest} of {} frames in a row",
            zh.len()
        );
        assert!(ear.hears(&en), "call {number}: the second prompt");
    }
    let http = world.engine.http;
    world
        .engine
        .program
        .wait_until("end of all calls", Duration::from_secs(20), || {
            let left = strowger_tests::http::get(http, "/healthz").and_then(|answer| answer.json());
            left.is_ok_and(|health| health["calls"] == 0)
        })?;
    assert_eq!(
        world.engine.metric("media_ports_in_use")?,
        0,
        "every port is free again"
    );
    Ok(())
}

#[test]
fn an_engine_killed_in_mid_call_starts_again_and_knows_what_happened() -> Result<()> {
    let mut world = World::edited(always_open)?;
    let mut phone = world.dial("100")?;
    world.to_menu(&mut phone)?;
    // A request leaves the house only after the journal is on the disk; so ask for an order.
    phone.press("120260302#1")?;
    world.hears(
        &mut phone,
        "It has shipped and should arrive on March 5, 2026.",
    )?;
    world.engine.program.kill()?;
    world.engine.restart()?;
    assert_eq!(world.engine.reason(&phone.call_id)?, "engine-stopped");
    let journal = world.engine.journal(&phone.call_id)?;
    assert!(journal.len() > 10, "{} entries", journal.len());
    // The recording was not closed by anybody, and yet it is known and whole.
    let contact = world.engine.contact(&phone.call_id)?;
    let recording = contact["recording"].as_str().context("it was recorded")?;
    let file = std::fs::read(recording)?;
    let samples = (file.len() - wav::HEADER_BYTES) as u32;
    ensure!(
        file[40..44] == samples.to_le_bytes(),
        "the header tells the length"
    );
    let recorded = wav::Wav::parse(&file)?;
    assert_eq!(recorded.channels, 2);
    let seconds = recorded.samples.len() / 2 / 8_000;
    ensure!(seconds >= 10, "{seconds} s of a call with three prompts");
    let heard = recorded.samples.iter().skip(1).step_by(2);
    ensure!(
        heard.into_iter().any(|sample| *sample != 0),
        "what the engine said"
    );
    let gapless = journal
        .iter()
        .enumerate()
        .all(|(index, entry)| entry.seq as usize == index);
    assert!(gapless, "entries are numbered without gaps");
    let mut next = world.dial("100")?;
    next.hear(&*world.zh(LANGUAGE_ZH)?, PROMPT)?;
    next.cue()?;
    next.ended()
}

#[test]
fn a_stopped_engine_lets_calls_end() -> Result<()> {
    let mut world = World::edited(always_open)?;
    let mut phone = world.dial("100")?;
    phone.hear(&*world.zh(LANGUAGE_ZH)?, PROMPT)?;
    let http = world.engine.http;
    // Somebody who never finishes a request keeps nobody waiting.
    let mut stalled = TcpStream::connect(http)?;
    stalled.write_all(b"GET /heal")?;
    world.engine.program.terminate()?;
    let drains = || {
        let health = strowger_tests::http::get(http, "/healthz")?;
        let says = health.json()?["status"] == "draining";
        anyhow::Ok(health.status == 503 && says)
    };
    world
        .engine
        .program
        .wait_until("drain", Duration::from_secs(20), || {
            drains().unwrap_or(false)
        })?;
    // Nobody new gets in, and is told to come back.
    Phone::dial(world.engine.sip, "100", "refused-503", &[])?.ended()?;
    // The call that is up goes on to its end.
    assert!(drains()?, "the engine waits for the call");
    phone.press("2")?;
    world.hears(&mut phone, crate::world::MENU_EN)?;
    phone.cue()?;
    phone.ended()?;
    assert_eq!(world.engine.program.wait(Duration::from_secs(20))?, 0);
    drop(stalled);
    Ok(())
}

/// Who was answered and does not acknowledge may take 32 seconds to be given up; a second signal does not wait for it.
#[test]
fn a_second_signal_ends_a_call_that_is_not_acknowledged() -> Result<()> {
    let mut world = World::start()?;
    let caller = UdpSocket::bind("127.0.0.1:0")?;
    caller.set_read_timeout(Some(Duration::from_secs(10)))?;
    let (from, sip) = (caller.local_addr()?, world.engine.sip);
    let offer = format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {} RTP/AVP 0\r\n",
        from.port() - 1
    );
    let invite = format!(
        "INVITE sip:100@{sip} SIP/2.0\r\nVia: SIP/2.0/UDP {from};branch=z9hG4bK-1\r\nMax-Forwards: 70\r\n\
         From: <sip:a@{from}>;tag=a\r\nTo: <sip:100@{sip}>\r\nCall-ID: unacknowledged\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:a@{from}>\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{offer}",
        offer.len()
    );
    caller.send_to(invite.as_bytes(), sip)?;
    let mut answer = [0; 4_096];
    loop {
        let length = caller.recv(&mut answer)?;
        if answer[..length].starts_with(b"SIP/2.0 200") {
            break;
        }
    }
    world.engine.program.terminate()?;
    world
        .engine
        .program
        .terminate_after("draining", Duration::from_secs(20))?;
    assert_eq!(world.engine.program.wait(Duration::from_secs(15))?, 0);
    Ok(())
}

/// Sockets on the ports that SIPp will name, and SIPp's first port.
fn consecutive_ports(count: usize) -> Result<(u16, Vec<UdpSocket>)> {
    for base in (20_000..60_000).step_by(1_000) {
        let ports = (1..=count as u16).map(|call| base + call * PORT_STEP);
        let bound: Option<Vec<UdpSocket>> = ports
            .map(|port| {
                let socket = UdpSocket::bind(("127.0.0.1", port)).ok()?;
                socket.set_nonblocking(true).ok()?;
                Some(socket)
            })
            .collect();
        if let Some(sockets) = bound {
            return Ok((base, sockets));
        }
    }
    anyhow::bail!("no {count} ports in a row are free")
}
