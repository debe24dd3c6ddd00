//! Signalling: refusals, hold, INFO, TCP, and what is no SIP at all.

use std::net::UdpSocket;
use std::time::Duration;

use anyhow::Result;
use strowger_contact::EntryKind;
use strowger_tests::program::{free_port, strowger};
use strowger_tests::{Engine, Phone, Supplier};

use crate::world::{LANGUAGE_EN, LANGUAGE_ZH, MENU_EN, PROMPT, World, always_open};

#[test]
fn an_unknown_number_is_refused_with_404_and_a_log_line() -> Result<()> {
    let world = World::start()?;
    Phone::dial(world.engine.sip, "999", "refused-404", &[])?.ended()?;
    assert_eq!(world.engine.metric("calls_unknown_number_total")?, 1);
    assert!(
        world.engine.program.log().contains("999"),
        "{}",
        world.engine.program.log()
    );
    Ok(())
}

#[test]
fn an_offer_without_a_codec_of_ours_is_refused_with_488() -> Result<()> {
    let world = World::start()?;
    Phone::dial(world.engine.sip, "100", "refused-488", &[])?.ended()?;
    assert_eq!(world.engine.metric("calls_unusable_offer_total")?, 1);
    Ok(())
}

#[test]
fn dialling_where_nobody_listens_fails_with_what_to_do() -> Result<()> {
    let port = free_port()?;
    for target in [
        format!("sip:100@127.0.0.1:{port}"),
        format!("sip:100@127.0.0.1:{port};transport=tcp"),
    ] {
        let (code, _, err) = strowger(&["dial", &target])?;
        assert_eq!(code, 2, "{target}: {err}");
        let told = err.contains(&target) && err.contains("is `strowger serve` running there");
        assert!(told, "{err}");
    }
    Ok(())
}

#[test]
fn what_dial_cannot_do_is_told_before_the_call() -> Result<()> {
    let gone = std::env::temp_dir().join("strowger-no-such-folder/heard.wav");
    let gone = gone.display().to_string();
    for (arguments, told) in [
        (&["--record", &gone][..], "name another file with --record"),
        (&["--max", "18446744073709551615"], "1..=86400"),
        (&["--max", "0"], "1..=86400"),
        (&["--on-refer", "9999"], "100..=699"),
        (&["--from", "a b\"<>"], "is no number"),
        (&["--bind", "0.0.0.0"], "name one address of this machine"),
        (
            &["--bind", "192.0.2.77"],
            "name one address of this machine",
        ),
    ] {
        let target = format!("sip:100@127.0.0.1:{}", free_port()?);
        let (code, out, err) = strowger(&[&["dial", &target], arguments].concat())?;
        assert_eq!(code, 2, "{arguments:?}: {out}{err}");
        assert!(err.contains(told), "{arguments:?}: {err}");
        assert!(!out.contains("call-id"), "{arguments:?}: {out}");
    }
    Ok(())
}

#[test]
fn keys_that_the_other_side_cannot_hear_are_told() -> Result<()> {
    for (laws, keys, told) in [
        ("0 8", "1", true),
        ("0 8", "hangup", false),
        ("0 8 101", "1", false),
    ] {
        let supplier = Supplier::wait("supplier", &[("laws", laws)])?;
        let target = format!("sip:desk@{}", supplier.address);
        let (code, out, err) = strowger(&["dial", &target, "--keys", keys, "--max", "1"])?;
        assert_eq!(code, 0, "{laws} {keys}: {out}{err}");
        let said = out.contains("the answer has no telephone-event");
        assert_eq!(said, told, "{laws} {keys}: {out}");
    }
    Ok(())
}

#[test]
fn options_are_answered() -> Result<()> {
    let world = World::start()?;
    Phone::dial(world.engine.sip, "100", "options", &[])?.ended()
}

/// Sends a request of no dialog, with a body of SDP or none; the final response.
fn answer_to(sip: std::net::SocketAddr, method: &str, body: &str) -> Result<String> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.set_read_timeout(Some(Duration::from_secs(8)))?;
    let port = socket.local_addr()?.port();
    socket.send_to(
        format!(
            "{method} sip:hold@{sip} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{port}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:a@127.0.0.1:{port}>;tag=a{port}\r\nTo: <sip:hold@{sip}>\r\n\
             Call-ID: raw-{port}\r\nCSeq: 1 {method}\r\nContact: <sip:a@127.0.0.1:{port}>\r\n\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .as_bytes(),
        sip,
    )?;
    let mut datagram = [0; 4_096];
    loop {
        let read = socket.recv(&mut datagram)?;
        let response = String::from_utf8_lossy(&datagram[..read]).into_owned();
        if !response.starts_with("SIP/2.0 1") {
            return Ok(response);
        }
    }
}

#[test]
fn an_offer_is_for_one_host_that_listens() -> Result<()> {
    let engine = Engine::start("bench", |_| Ok(()))?;
    for (address, port, status, answer) in [
        ("127.0.0.1", 4_000, "200", "a=sendrecv"),
        // The hold of RFC 2543 (RFC 3264 §8.4): an answer, and nothing is sent.
        ("0.0.0.0", 4_000, "200", "a=recvonly"),
        ("255.255.255.255", 4_000, "488", ""),
        ("239.255.255.250", 4_000, "488", ""),
        ("224.2.1.1/127", 4_000, "488", ""),
        // A stream that is refused (RFC 3264 §6); no other is offered.
        ("127.0.0.1", 0, "488", ""),
        ("127.0.0.1", 70_000, "400", ""),
    ] {
        let sdp = format!(
            "v=0\r\no=a 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\n"
        );
        let response = answer_to(engine.sip, "INVITE", &sdp)?;
        assert!(
            response.starts_with(&format!("SIP/2.0 {status} ")) && response.contains(answer),
            "{address}:{port}: {response}"
        );
    }
    Ok(())
}

#[test]
fn what_is_said_to_be_allowed_is() -> Result<()> {
    let engine = Engine::start("bench", |_| Ok(()))?;
    let allow = |response: &str| {
        let line = response
            .lines()
            .find_map(|line| line.strip_prefix("Allow: "));
        line.unwrap_or_default().to_owned()
    };
    let options = answer_to(engine.sip, "OPTIONS", "")?;
    assert!(options.starts_with("SIP/2.0 200 "), "{options}");
    let allowed = allow(&options);
    assert!(allowed.contains("INVITE"), "{options}");
    for method in ["MESSAGE", "REFER", "SUBSCRIBE", "PUBLISH", "REGISTER"] {
        assert!(!allowed.contains(method), "{options}");
        let refused = answer_to(engine.sip, method, "")?;
        assert!(refused.starts_with("SIP/2.0 405 "), "{refused}");
        assert_eq!(allow(&refused), allowed, "{refused}");
    }
    Ok(())
}

#[test]
fn a_call_over_tcp_sounds_the_same() -> Result<()> {
    let world = World::edited(always_open)?;
    let mut phone = Phone::dial(world.engine.sip, "100", "call", &[("transport", "t1")])?;
    phone.hear(&*world.zh(LANGUAGE_ZH)?, PROMPT)?;
    phone.press("2")?;
    world.hears(&mut phone, MENU_EN)
}

#[test]
fn a_key_by_sip_info_counts() -> Result<()> {
    let world = World::edited(always_open)?;
    let mut phone = Phone::dial(world.engine.sip, "100", "info", &[("key", "2")])?;
    phone.hear(&*world.zh(LANGUAGE_ZH)?, PROMPT)?;
    phone.cue()?;
    world.hears(&mut phone, MENU_EN)?;
    phone.cue()?;
    phone.ended()
}

#[test]
fn a_key_before_the_ack_is_type_ahead() -> Result<()> {
    let world = World::edited(always_open)?;
    let mut phone = Phone::dial(world.engine.sip, "100", "info-early", &[("key", "2")])?;
    world.hears(&mut phone, MENU_EN)?;
    phone.cue()?;
    phone.ended()
}

#[test]
fn keys_of_another_source_are_nobody_s() -> Result<()> {
    let world = World::edited(always_open)?;
    let mut phone = world.dial("100")?;
    phone.hear(&*world.zh(LANGUAGE_ZH)?, PROMPT)?;
    // Chinese, if it counted.
    phone.strangers_key('1')?;
    phone.hear(&*world.en(LANGUAGE_EN)?, PROMPT)?;
    phone.press("2")?;
    phone.strangers_key('1')?;
    world.hears(&mut phone, MENU_EN)?;
    phone.cue()?;
    phone.ended()?;
    let journal = world.engine.journal(&phone.call_id)?;
    let keys = journal.iter().filter_map(|entry| match entry.kind {
        EntryKind::Key { key } => Some(key),
        _ => None,
    });
    assert_eq!(keys.collect::<Vec<_>>(), ['2']);
    assert!(world.engine.metric("rtp_foreign_total")? > 20);
    Ok(())
}

#[test]
fn on_hold_nothing_is_sent_and_afterwards_the_call_goes_on() -> Result<()> {
    hold(&[])
}

/// RFC 3264, section 8.2: audio is taken away by port 0, and may come back.
#[test]
fn audio_that_is_taken_away_comes_back() -> Result<()> {
    hold(&[("held_port", "0")])
}

fn hold(keys: &[(&str, &str)]) -> Result<()> {
    let world = World::edited(always_open)?;
    let mut phone = Phone::dial(world.engine.sip, "100", "hold", keys)?;
    phone.hear(&*world.zh(LANGUAGE_ZH)?, PROMPT)?;
    phone.press("2")?;
    let before = phone.ear.len();
    phone.more_than(before, PROMPT)?;
    phone.cue()?;
    phone.until_quiet(Duration::from_secs(1), PROMPT)?;
    let held = phone.ear.len();
    phone.listen(Duration::from_millis(500));
    assert_eq!(phone.ear.len(), held, "audio while on hold");
    phone.cue()?;
    // The prompt goes on after the hold.
    phone.more_than(held, PROMPT)?;
    phone.cue()?;
    phone.ended()
}

#[test]
fn what_is_no_sip_is_survived() -> Result<()> {
    let world = World::start()?;
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let long = vec![b'x'; 9_000];
    let hostile: [&[u8]; 8] = [
        b"",
        b"\0\0\0\0",
        b"INVITE",
        b"INVITE sip:100@x SIP/2.0\r\n\r\n",
        b"INVITE sip:100@x SIP/2.0\r\nContent-Length: 18446744073709551615\r\n\r\nv=0",
        b"SIP/2.0 200 OK\r\nVia: \xff\xfe\r\n\r\n",
        b"REGISTER sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bKx\r\nCSeq: -1 REGISTER\r\n\r\n",
        &long,
    ];
    for datagram in hostile {
        socket.send_to(datagram, world.engine.sip)?;
    }
    let mut phone = world.dial("100")?;
    phone.hear(&*world.zh(LANGUAGE_ZH)?, PROMPT)?;
    for datagram in [
        &b""[..],
        b"\x80",
        b"\x80\x65\0\x01",
        &[0xff; 2_000],
        b"\x90\x65\0\x01\0\0\0\0\0\0\0\0\0\0\xff\xff",
    ] {
        phone.send_raw(datagram)?;
    }
    phone.hear(&*world.en(crate::world::LANGUAGE_EN)?, PROMPT)?;
    assert!(
        world.engine.metric("sip_malformed_dropped_total")? > 0,
        "what is no SIP is counted"
    );
    assert!(
        world.engine.metric("rtp_malformed_total")? > 0,
        "what is no RTP is counted"
    );
    phone.cue()?;
    phone.ended()
}
