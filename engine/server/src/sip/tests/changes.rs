//! What happens in a call that is up.

use std::time::Duration;

use super::super::call::{CallEvent, Incoming};
use super::super::error::SipError;
use super::{Peer, SDP, World, header, only, respond, status};

const SDP_TYPE: &str = "Content-Type: application/sdp\r\n";

#[test]
fn a_reinvite_is_answered_by_the_owner() {
    let (mut world, mut peer) = (World::new(), Peer::new("hold"));
    let mut incoming = world.up(&mut peer);
    let hold = format!("{SDP}a=sendonly\r\n");
    let invite = peer.request("INVITE", 2, SDP_TYPE, &hold);
    assert!(world.receive(&invite).is_empty());
    let Ok(CallEvent::Reinvite {
        offer: Some(offer),
        reply,
    }) = incoming.events.try_recv()
    else {
        panic!("a re-INVITE")
    };
    assert_eq!(offer, hold.as_bytes());
    let (done, sent) = world.act(reply.answer(SDP.into()));
    done.expect("the endpoint lives");
    let ok = only(sent);
    assert_eq!((status(&ok), header(&ok, "CSeq")), (200, "2 INVITE"));
    assert!(ok.ends_with(SDP));
    assert_eq!(
        world.pass(Duration::from_millis(600)).len(),
        1,
        "repeated until the ACK"
    );
    world.receive(&peer.ack(2));
    assert!(world.pass(Duration::from_secs(60)).is_empty());
    assert!(
        incoming.events.try_recv().is_err(),
        "the ACK of a re-INVITE with an offer is no news"
    );
}

#[test]
fn a_refused_reinvite_leaves_the_call_up() {
    let (mut world, mut peer) = (World::new(), Peer::new("488"));
    let mut incoming = world.up(&mut peer);
    world.receive(&peer.request("INVITE", 2, SDP_TYPE, SDP));
    let Ok(CallEvent::Reinvite { reply, .. }) = incoming.events.try_recv() else {
        panic!("a re-INVITE")
    };
    let (_, sent) = world.act(reply.reject(488));
    assert_eq!(status(&only(sent)), 488);
    assert_eq!(world.stats().active_calls, 1);

    world.receive(&peer.request("INVITE", 3, SDP_TYPE, SDP));
    drop(incoming.events.try_recv().expect("a re-INVITE"));
    assert_eq!(
        status(&only(world.run_commands())),
        488,
        "a dropped reply refuses"
    );

    world.receive(&peer.request("INVITE", 4, SDP_TYPE, SDP));
    let held = incoming.events.try_recv().expect("a re-INVITE");
    let late = world.pass(Duration::from_millis(10_100));
    let statuses: Vec<_> = late.iter().map(|(_, message)| status(message)).collect();
    assert!(
        statuses.contains(&500),
        "an owner that does not answer: {statuses:?}"
    );
    drop(held);
    assert!(
        world.run_commands().is_empty(),
        "the late refusal finds nothing open"
    );
}

#[test]
fn overlapping_changes_are_refused_491() {
    let (mut world, mut peer) = (World::new(), Peer::new("glare"));
    let mut incoming = world.up(&mut peer);
    world.receive(&peer.request("INVITE", 2, SDP_TYPE, SDP));
    assert_eq!(
        status(&only(
            world.receive(&peer.request("INVITE", 3, SDP_TYPE, SDP))
        )),
        491
    );
    let Ok(CallEvent::Reinvite { reply, .. }) = incoming.events.try_recv() else {
        panic!("a re-INVITE")
    };
    world
        .act(reply.answer(SDP.into()))
        .0
        .expect("the endpoint lives");
    assert_eq!(
        status(&only(
            world.receive(&peer.request("INVITE", 4, SDP_TYPE, SDP))
        )),
        491,
        "no ACK yet"
    );
    assert_eq!(
        status(&only(
            world.receive(&peer.request("UPDATE", 5, SDP_TYPE, SDP))
        )),
        491
    );
}

#[test]
fn an_update_refreshes_at_once_or_carries_an_offer() {
    let (mut world, mut peer) = (World::new(), Peer::new("update"));
    let mut incoming = world.up(&mut peer);
    let ok = only(world.receive(&peer.request("UPDATE", 2, "", "")));
    assert_eq!(
        (status(&ok), header(&ok, "Contact")),
        (200, "<sip:strowger@198.51.100.1:5060>")
    );
    assert!(incoming.events.try_recv().is_err());
    world.receive(&peer.request("UPDATE", 3, SDP_TYPE, SDP));
    let Ok(CallEvent::Reinvite {
        offer: Some(_),
        reply,
    }) = incoming.events.try_recv()
    else {
        panic!("an offer")
    };
    let (_, sent) = world.act(reply.answer(SDP.into()));
    let ok = only(sent);
    assert_eq!((status(&ok), header(&ok, "CSeq")), (200, "3 UPDATE"));
    let repeated = world.pass(Duration::from_secs(5));
    assert!(repeated.is_empty(), "an UPDATE has no ACK: {repeated:?}");
}

#[test]
fn info_and_message_are_answered_and_handed_over() {
    let (mut world, mut peer) = (World::new(), Peer::new("info"));
    let mut incoming = world.up(&mut peer);
    let body = "Signal=5\r\nDuration=160\r\n";
    let info = peer.request(
        "INFO",
        2,
        "Content-Type: application/DTMF-Relay; x=y\r\n",
        body,
    );
    assert!(world.receive(&info).is_empty(), "its owner answers");
    assert!(world.receive(&info).is_empty(), "its repetition too");
    let Ok(CallEvent::Key { key: '5', reply }) = incoming.events.try_recv() else {
        panic!("a key")
    };
    let ((), sent) = world.act(reply.heard());
    let ok = only(sent);
    assert_eq!((status(&ok), header(&ok, "CSeq")), (200, "2 INFO"));
    assert_eq!(
        status(&only(world.receive(&info))),
        200,
        "its repetition too"
    );
    assert!(incoming.events.try_recv().is_err(), "once");
    let late = world.pass(Duration::from_secs(5));
    assert!(late.is_empty(), "no other answer comes: {late:?}");
    assert_eq!(
        status(&only(world.receive(&peer.request(
            "MESSAGE",
            3,
            "Content-Type: text/plain\r\n",
            "hi"
        )))),
        200
    );
    assert!(
        matches!(incoming.events.try_recv(), Ok(CallEvent::Message { body, .. }) if body == b"hi")
    );
}

#[test]
fn a_key_that_is_not_saved_is_told_as_such_and_counts_once() {
    let (mut world, mut peer) = (World::new(), Peer::new("unsaved"));
    let mut incoming = world.up(&mut peer);
    let headers = "Content-Type: application/dtmf\r\n";
    for (cseq, silent) in [(2, true), (3, false)] {
        let info = peer.request("INFO", cseq, headers, "7");
        assert!(world.receive(&info).is_empty());
        let Ok(CallEvent::Key { key: '7', reply }) = incoming.events.try_recv() else {
            panic!("a key")
        };
        let refused = match silent {
            true => {
                drop(reply);
                let sent = world.pass(Duration::from_secs(5));
                only(sent.into_iter().map(|(_, sent)| sent).collect())
            }
            false => only(world.act(reply.not_saved()).1),
        };
        assert!(
            refused.starts_with("SIP/2.0 500 Not Saved\r\n"),
            "{refused}"
        );
        assert_eq!(status(&only(world.receive(&info))), 500, "its repetition");
        assert!(incoming.events.try_recv().is_err(), "once");
    }
    assert_eq!(world.stats().active_calls, 1);
}

#[test]
fn a_call_whose_owner_has_gone_is_hung_up_behind_the_answer_to_its_last_key() {
    let (mut world, mut peer) = (World::new(), Peer::new("last-key"));
    let Incoming {
        call, mut events, ..
    } = world.up(&mut peer);
    let info = peer.request("INFO", 2, "Content-Type: application/dtmf\r\n", "7");
    assert!(world.receive(&info).is_empty());
    let Ok(CallEvent::Key { key: '7', reply }) = events.try_recv() else {
        panic!("a key")
    };
    drop((call, events));
    let early = world.pass(Duration::from_secs(3));
    assert!(early.is_empty(), "{early:?}");
    assert_eq!(status(&only(world.act(reply.heard()).1)), 200);
    let bye = world.pass(Duration::from_secs(2));
    assert!(
        bye.iter().any(|(_, sent)| sent.starts_with("BYE ")),
        "{bye:?}"
    );
}

#[test]
fn an_owner_that_does_not_read_is_not_flooded() {
    let (mut world, mut peer) = (World::new(), Peer::new("flood"));
    let mut incoming = world.up(&mut peer);
    let headers = "Content-Type: application/dtmf\r\n";
    let answers: Vec<_> = (2..60)
        .map(|cseq| world.receive(&peer.request("INFO", cseq, headers, "1")))
        .collect();
    let taken = answers.iter().filter(|sent| sent.is_empty());
    assert_eq!(taken.count(), 32);
    let refused = answers.into_iter().last().expect("an answer");
    assert_eq!(status(&only(refused)), 503);
    assert_eq!(world.stats().events_refused, 26);
    world.receive(&peer.request("BYE", 60, "", ""));
    let mut read = 0;
    while incoming.events.try_recv().is_ok() {
        read += 1;
    }
    assert!(
        read == 32 && incoming.events.is_closed(),
        "the end of the channel tells that the call is over"
    );
}

#[test]
fn what_is_not_allowed_is_refused_with_allow() {
    let (mut world, mut peer) = (World::new(), Peer::new("405"));
    let _incoming = world.up(&mut peer);
    for (cseq, method) in [
        (2, "SUBSCRIBE"),
        (3, "REFER"),
        (4, "PUBLISH"),
        (5, "PRACK"),
        (6, "FOO.bar"),
    ] {
        let refused = only(world.receive(&peer.request(method, cseq, "", "")));
        assert_eq!(status(&refused), 405, "{method}");
        assert!(header(&refused, "Allow").contains("INVITE, ACK"));
    }
    let options = only(world.receive(&peer.request("OPTIONS", 7, "", "")));
    assert_eq!(status(&options), 200);
    assert!(header(&options, "Accept").contains("application/sdp"));
    assert_eq!(header(&options, "Supported"), "timer");
}

#[test]
fn requests_for_no_dialog_are_refused_481() {
    let mut world = World::new();
    let mut peer = Peer::new("ghost");
    for tag in ["", "0123456789abcdef", "x", "ÿ"] {
        peer.their_tag = tag.to_owned();
        for method in ["BYE", "INFO", "UPDATE", "NOTIFY"] {
            assert_eq!(
                status(&only(world.receive(&peer.request(method, 2, "", "")))),
                481,
                "{method} {tag}"
            );
        }
        assert!(world.receive(&peer.ack(2)).is_empty());
    }
    peer.their_tag = "0123456789abcdef".to_owned();
    assert_eq!(
        status(&only(
            world.receive(&peer.request("INVITE", 2, SDP_TYPE, SDP))
        )),
        481
    );
}

#[test]
fn another_callers_tags_open_nothing() {
    let (mut world, mut peer) = (World::new(), Peer::new("mine"));
    let _incoming = world.up(&mut peer);
    let mut thief = Peer::new("theirs");
    thief.their_tag.clone_from(&peer.their_tag);
    assert_eq!(
        status(&only(world.receive(&thief.request("BYE", 2, "", "")))),
        481
    );
    assert_eq!(world.stats().active_calls, 1);
}

#[test]
fn an_old_cseq_is_refused() {
    let (mut world, mut peer) = (World::new(), Peer::new("cseq"));
    let _incoming = world.up(&mut peer);
    world.receive(&peer.request("INFO", 9, "", ""));
    assert_eq!(
        status(&only(world.receive(&peer.request("INFO", 8, "", "")))),
        500
    );
}

#[test]
fn a_session_timer_is_agreed_and_a_vanished_peer_is_hung_up() {
    let (mut world, mut peer) = (World::new(), Peer::new("timer"));
    let lines = "Supported: timer\r\nSession-Expires: 90\r\nContent-Type: application/sdp\r\n";
    world.receive(&peer.request("INVITE", 1, lines, SDP));
    let mut incoming = world.incoming.try_recv().expect("a call");
    let ok = world.answer(&incoming.call);
    assert_eq!(header(&ok, "Session-Expires"), "90;refresher=uac");
    peer.learn(&ok);
    world.receive(&peer.ack(1));
    world.pass(Duration::from_secs(50));
    let update = peer.request(
        "UPDATE",
        2,
        "Supported: timer\r\nSession-Expires: 90;refresher=uac\r\n",
        "",
    );
    assert_eq!(
        header(&only(world.receive(&update)), "Session-Expires"),
        "90;refresher=uac"
    );
    assert!(world.pass(Duration::from_secs(50)).is_empty(), "refreshed");
    let sent = world.pass(Duration::from_secs(12));
    assert!(
        sent.first()
            .is_some_and(|(_, message)| message.starts_with("BYE ")),
        "{sent:?}"
    );
    assert!(matches!(
        incoming.events.try_recv(),
        Ok(CallEvent::Acked { .. })
    ));
    assert!(matches!(
        incoming.events.try_recv(),
        Ok(CallEvent::Failed(_))
    ));
}

#[test]
fn we_refresh_by_update_where_the_peer_asks_us_to() {
    let (mut world, mut peer) = (World::new(), Peer::new("uas"));
    let lines = "Supported: timer\r\nAllow: INVITE, UPDATE\r\nSession-Expires: 120;refresher=uas\r\nContent-Type: application/sdp\r\n";
    world.receive(&peer.request("INVITE", 1, lines, SDP));
    let mut incoming = world.incoming.try_recv().expect("a call");
    let ok = world.answer(&incoming.call);
    assert_eq!(header(&ok, "Session-Expires"), "120;refresher=uas");
    peer.learn(&ok);
    world.receive(&peer.ack(1));
    for _ in 0..3 {
        let sent = world.pass(Duration::from_secs(60));
        let update = &sent.first().expect("an UPDATE").1;
        assert!(
            update.starts_with("UPDATE ")
                && header(update, "Session-Expires") == "120;refresher=uac",
            "{update}"
        );
        world.receive(&respond(update, 200, "OK", "", "", ""));
    }
    let sent = world.pass(Duration::from_secs(60));
    world.receive(&respond(&sent[0].1, 481, "Gone", "", "", ""));
    let _acked = incoming.events.try_recv();
    assert!(
        matches!(incoming.events.try_recv(), Ok(CallEvent::Failed(_))),
        "the peer forgot the call"
    );
}

#[test]
fn a_short_session_is_refused_422() {
    let (mut world, mut peer) = (World::new(), Peer::new("422"));
    let lines = "Supported: timer\r\nSession-Expires: 30\r\nContent-Type: application/sdp\r\n";
    let refused = only(world.receive(&peer.request("INVITE", 1, lines, SDP)));
    assert_eq!((status(&refused), header(&refused, "Min-SE")), (422, "90"));
}

#[test]
fn our_own_info_needs_a_call_that_is_up() {
    let (mut world, mut peer) = (World::new(), Peer::new("our-info"));
    let incoming = world.ring(&peer);
    let (early, _) = world.act(
        incoming
            .call
            .info("application/dtmf-relay", b"Signal=1\r\n".to_vec()),
    );
    assert!(matches!(early, Err(SipError::State { .. })));
    peer.learn(&world.answer(&incoming.call));
    world.receive(&peer.ack(1));
    let (done, sent) = world.act(
        incoming
            .call
            .info("application/dtmf-relay\r\nX: y", b"Signal=1\r\n".to_vec()),
    );
    done.expect("the call is up");
    let info = only(sent);
    assert_eq!(
        header(&info, "Content-Type"),
        "application/dtmf-relayX: y",
        "no header is smuggled in"
    );
    assert!(info.ends_with("\r\n\r\nSignal=1\r\n"));
}

#[test]
fn an_info_that_carries_no_key_is_refused_and_counted() {
    let (mut world, mut peer) = (World::new(), Peer::new("info-bad"));
    let mut incoming = world.up(&mut peer);
    let relay = "Content-Type: application/dtmf-relay\r\n";
    let mut refused = 0;
    for (cseq, headers, body, expected) in [
        (2, "", "", 200),
        (3, relay, "Signal=16\r\nDuration=160\r\n", 400),
        (4, relay, "Duration=160\r\n", 400),
        (5, "Content-Type: application/dtmf\r\n", "nine", 400),
        (
            6,
            "Content-Type: application/media_control+xml\r\n",
            "<media_control/>",
            415,
        ),
        (7, "", "Signal=5\r\n", 415),
        (8, "Info-Package: nack\r\n", "", 469),
    ] {
        let answer = only(world.receive(&peer.request("INFO", cseq, headers, body)));
        assert_eq!(status(&answer), expected, "{headers}{body}");
        match expected {
            415 => assert!(header(&answer, "Accept").contains("application/dtmf-relay")),
            469 => assert!(answer.contains("\r\nRecv-Info:\r\n"), "{answer}"),
            _ => {}
        }
        refused += u64::from(expected >= 400);
        assert_eq!(world.stats().info_refused, refused);
    }
    assert!(incoming.events.try_recv().is_err(), "none was told");
    let info = peer.request("INFO", 9, relay, "Signal=9\r\n");
    assert!(world.receive(&info).is_empty());
    assert!(matches!(
        incoming.events.try_recv(),
        Ok(CallEvent::Key { key: '9', .. })
    ));
}
