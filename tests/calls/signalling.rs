//! Signalling: refusals, hold, INFO, TCP, and what is no SIP at all.

use std::net::UdpSocket;
use std::time::Duration;

use anyhow::Result;
use strowger_tests::Phone;
use strowger_tests::program::{free_port, strowger};

use crate::world::{LANGUAGE_ZH, MENU_EN, PROMPT, World, always_open};

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
fn options_are_answered() -> Result<()> {
    let world = World::start()?;
    Phone::dial(world.engine.sip, "100", "options", &[])?.ended()
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
fn on_hold_nothing_is_sent_and_afterwards_the_call_goes_on() -> Result<()> {
    let world = World::edited(always_open)?;
    let mut phone = Phone::dial(world.engine.sip, "100", "hold", &[])?;
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
