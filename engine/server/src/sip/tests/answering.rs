//! Calls that come in: answered, refused, cancelled, ended.

use std::time::Duration;

use super::super::call::CallEvent;
use super::super::error::SipError;
use super::{Peer, SDP, World, header, only, respond, status, tag_in};

#[test]
fn a_call_is_described_answered_and_ended_by_the_caller() {
    let (mut world, mut peer) = (World::new(), Peer::new("one"));
    let mut incoming = world.ring(&peer);
    assert_eq!(incoming.to_user, "1000");
    assert_eq!(incoming.to_uri, "sip:1000@198.51.100.1");
    assert_eq!(
        (
            incoming.from_user.as_str(),
            incoming.from_display.as_deref()
        ),
        ("alice", Some("Alice"))
    );
    assert_eq!(incoming.from_uri, "sip:alice@192.0.2.7");
    assert_eq!(incoming.offer.as_deref(), Some(SDP.as_bytes()));
    assert_eq!(incoming.source, super::PEER.parse().expect("an address"));
    assert!(
        incoming
            .headers
            .contains(&("Max-Forwards".to_owned(), "70".to_owned()))
    );

    let (rung, sent) = world.act(incoming.call.ringing());
    rung.expect("it can ring");
    let ringing = only(sent);
    assert_eq!(status(&ringing), 180);
    let ok = world.answer(&incoming.call);
    assert_eq!(status(&ok), 200);
    assert_eq!(
        tag_in(header(&ok, "To")),
        tag_in(header(&ringing, "To")),
        "one dialog, one tag"
    );
    assert_eq!(header(&ok, "Contact"), "<sip:strowger@198.51.100.1:5060>");
    assert_eq!(header(&ok, "Content-Type"), "application/sdp");
    assert!(ok.ends_with(SDP));
    assert!(header(&ok, "Via").contains(";rport=5060"), "RFC 3581: {ok}");

    peer.learn(&ok);
    assert!(world.receive(&peer.ack(1)).is_empty());
    assert!(matches!(
        incoming.events.try_recv(),
        Ok(CallEvent::Acked { sdp: None })
    ));
    let bye = peer.request("BYE", 2, "", "");
    let answered = only(world.receive(&bye));
    assert_eq!(status(&answered), 200);
    assert_eq!(
        world.receive(&bye),
        [answered],
        "the repeated BYE gets the same answer"
    );
    assert!(matches!(incoming.events.try_recv(), Ok(CallEvent::Bye)));
    assert!(incoming.events.try_recv().is_err() && incoming.events.is_closed());
    assert_eq!(world.stats().active_calls, 0);
    world.pass(Duration::from_secs(40));
    assert_eq!(world.stats().transactions, 0, "everything is forgotten");
}

#[test]
fn a_slow_answer_is_announced_with_100_and_a_repeated_invite_makes_no_second_call() {
    let (mut world, peer) = (World::new(), Peer::new("slow"));
    let _incoming = world.ring(&peer);
    let sent = world.pass(Duration::from_millis(450));
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!((sent[0].0, status(&sent[0].1)), (100, 100));
    assert!(
        !header(&sent[0].1, "To").contains("tag="),
        "100 makes no dialog"
    );
    assert_eq!(status(&only(world.receive(&peer.invite()))), 100);
    assert!(world.incoming.try_recv().is_err());
    assert_eq!(world.stats().retransmissions, 1);
}

#[test]
fn a_call_that_rings_long_says_so_every_minute() {
    let (mut world, peer) = (World::new(), Peer::new("patient"));
    let incoming = world.ring(&peer);
    let (rung, sent) = world.act(incoming.call.ringing());
    rung.expect("it can ring");
    let ringing = only(sent);
    let sent = world.pass(Duration::from_secs(130));
    assert_eq!(
        sent,
        [(60_000, ringing.clone()), (120_000, ringing)],
        "RFC 3261 §13.3.1.1"
    );
    let ok = world.answer(&incoming.call);
    assert_eq!(status(&ok), 200);
    let sent = world.pass(Duration::from_secs(20));
    assert!(
        sent.iter().all(|(_, message)| *message == ok),
        "no more ringing"
    );
}

#[test]
fn the_200_is_repeated_until_its_ack() {
    let (mut world, mut peer) = (World::new(), Peer::new("repeat"));
    let mut incoming = world.ring(&peer);
    let ok = world.answer(&incoming.call);
    let repeated = world.pass(Duration::from_millis(11_600));
    let times: Vec<_> = repeated.iter().map(|(at, _)| *at).collect();
    assert_eq!(
        times,
        [500, 1_500, 3_500, 7_500, 11_500],
        "T1 doubling up to T2 (RFC 3261 §13.3.1.4)"
    );
    assert!(repeated.iter().all(|(_, message)| *message == ok));
    assert!(
        world.receive(&peer.invite()).is_empty(),
        "a late copy of the INVITE is absorbed"
    );
    peer.learn(&ok);
    world.receive(&peer.ack(1));
    assert!(matches!(
        incoming.events.try_recv(),
        Ok(CallEvent::Acked { .. })
    ));
    assert!(world.pass(Duration::from_secs(60)).is_empty());
}

#[test]
fn without_an_ack_the_call_is_ended_after_32_seconds() {
    let (mut world, peer) = (World::new(), Peer::new("no-ack"));
    let mut incoming = world.ring(&peer);
    world.answer(&incoming.call);
    let sent = world.pass(Duration::from_millis(32_100));
    let (at, bye) = sent.last().expect("a BYE");
    assert!(
        *at == 32_000 && bye.starts_with("BYE sip:alice@192.0.2.7:5060 SIP/2.0\r\n"),
        "{bye}"
    );
    assert!(matches!(incoming.events.try_recv(), Ok(CallEvent::Timeout)));
    assert!(incoming.events.is_closed());
    world.pass(Duration::from_secs(40));
    assert_eq!(
        (world.stats().active_calls, world.stats().transactions),
        (0, 0),
        "even where the BYE gets no answer"
    );
}

#[test]
fn a_refusal_is_repeated_until_its_ack() {
    let (mut world, mut peer) = (World::new(), Peer::new("refused"));
    let incoming = world.ring(&peer);
    let (done, sent) = world.act(incoming.call.reject(404, "Unknown Number"));
    done.expect("it waits for an answer");
    let refusal = only(sent);
    assert!(refusal.starts_with("SIP/2.0 404 Unknown Number\r\n"));
    assert!(incoming.events.is_closed());
    assert_eq!(world.pass(Duration::from_millis(1_600)).len(), 2, "timer G");
    peer.learn(&refusal);
    assert!(world.receive(&peer.ack_refusal()).is_empty());
    assert!(world.pass(Duration::from_secs(40)).is_empty());
    assert_eq!(world.stats().transactions, 0);
}

#[test]
fn cancel_ends_a_ringing_call() {
    let (mut world, mut peer) = (World::new(), Peer::new("cancel"));
    let mut incoming = world.ring(&peer);
    let sent = world.receive(&peer.cancel());
    assert_eq!(
        (status(&sent[0]), header(&sent[0], "CSeq")),
        (200, "1 CANCEL")
    );
    assert_eq!(
        (status(&sent[1]), header(&sent[1], "CSeq")),
        (487, "1 INVITE")
    );
    assert_eq!(
        tag_in(header(&sent[0], "To")),
        tag_in(header(&sent[1], "To")),
        "RFC 3261 §9.2"
    );
    assert!(matches!(
        incoming.events.try_recv(),
        Ok(CallEvent::Cancelled)
    ));
    peer.learn(&sent[1]);
    world.receive(&peer.ack_refusal());
    let (late, _) = world.act(incoming.call.answer(SDP.into()));
    assert!(matches!(late, Err(SipError::CallOver)), "{late:?}");
}

#[test]
fn a_cancel_that_comes_after_the_answer_changes_nothing() {
    let (mut world, peer) = (World::new(), Peer::new("late-cancel"));
    let mut incoming = world.ring(&peer);
    world.answer(&incoming.call);
    assert_eq!(status(&only(world.receive(&peer.cancel()))), 200);
    assert!(incoming.events.try_recv().is_err());
    assert_eq!(world.stats().active_calls, 1);
    assert_eq!(
        status(&only(world.receive(&Peer::new("never").cancel()))),
        481
    );
}

#[test]
fn hanging_up_before_the_ack_waits_for_it() {
    let (mut world, mut peer) = (World::new(), Peer::new("early-end"));
    let incoming = world.ring(&peer);
    let ok = world.answer(&incoming.call);
    let (done, sent) = world.act(incoming.call.hang_up());
    done.expect("a call can always be ended");
    assert!(sent.is_empty(), "RFC 3261 §15: no BYE before the ACK");
    peer.learn(&ok);
    let bye = only(world.receive(&peer.ack(1)));
    assert!(bye.starts_with("BYE "), "{bye}");
    assert!(
        world
            .receive(&respond(&bye, 200, "OK", "", "", ""))
            .is_empty()
    );
    assert_eq!(world.stats().active_calls, 0);
}

#[test]
fn our_bye_is_repeated_until_it_is_answered() {
    let (mut world, mut peer) = (World::new(), Peer::new("bye"));
    let incoming = world.up(&mut peer);
    let (_, sent) = world.act(incoming.call.hang_up());
    let bye = only(sent);
    assert!(
        tag_in(header(&bye, "From")) == peer.their_tag
            && header(&bye, "To").ends_with(";tag=from-bye")
    );
    assert!(incoming.events.is_closed());
    assert_eq!(world.pass(Duration::from_millis(1_600)).len(), 2, "timer E");
    let info = peer.request("INFO", 3, "", "");
    assert_eq!(
        status(&only(world.receive(&info))),
        481,
        "the dialog is ending"
    );
    world.receive(&respond(&bye, 200, "OK", "", "", ""));
    assert!(world.pass(Duration::from_secs(40)).is_empty());
    assert_eq!(
        (world.stats().active_calls, world.stats().transactions),
        (0, 0)
    );
}

#[test]
fn byes_that_cross_end_the_call_once() {
    let (mut world, mut peer) = (World::new(), Peer::new("cross"));
    let incoming = world.up(&mut peer);
    let (_, sent) = world.act(incoming.call.hang_up());
    let ours = only(sent);
    assert_eq!(
        status(&only(world.receive(&peer.request("BYE", 2, "", "")))),
        200
    );
    assert_eq!(world.stats().active_calls, 0);
    assert!(
        world
            .receive(&respond(&ours, 481, "Gone", "", "", ""))
            .is_empty()
    );
}

#[test]
fn a_call_whose_owner_has_gone_is_ended() {
    let (mut world, mut peer) = (World::new(), Peer::new("owner"));
    drop(world.ring(&Peer::new("ringing")));
    drop(world.up(&mut peer));
    let sent: Vec<_> = world
        .pass(Duration::from_millis(1_100))
        .into_iter()
        .map(|(_, message)| message)
        .collect();
    assert!(
        sent.iter()
            .any(|message| message.starts_with("SIP/2.0 480 ")),
        "{sent:?}"
    );
    assert!(
        sent.iter().any(|message| message.starts_with("BYE ")),
        "{sent:?}"
    );
}

#[test]
fn a_call_without_an_offer_gets_ours_and_hands_over_the_answer() {
    let (mut world, mut peer) = (World::new(), Peer::new("delayed"));
    world.receive(&peer.request("INVITE", 1, "", ""));
    let mut incoming = world.incoming.try_recv().expect("a call");
    assert_eq!(incoming.offer, None);
    let ok = world.answer(&incoming.call);
    peer.learn(&ok);
    world.receive(&peer.request("ACK", 1, "Content-Type: application/sdp\r\n", SDP));
    match incoming.events.try_recv() {
        Ok(CallEvent::Acked { sdp: Some(sdp) }) => assert_eq!(sdp, SDP.as_bytes()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn routes_of_proxies_are_kept_and_used() {
    let (mut world, mut peer) = (World::new(), Peer::new("routed"));
    let lines = "Record-Route: <sip:203.0.113.9;lr>, <sip:203.0.113.8;lr>\r\nContent-Type: application/sdp\r\n";
    world.receive(&peer.request("INVITE", 1, lines, SDP));
    let incoming = world.incoming.try_recv().expect("a call");
    let ok = world.answer(&incoming.call);
    assert_eq!(
        header(&ok, "Record-Route"),
        "<sip:203.0.113.9;lr>, <sip:203.0.113.8;lr>"
    );
    peer.learn(&ok);
    world.receive(&peer.ack(1));
    let (_, sent) = world.act(incoming.call.hang_up());
    let bye = only(sent);
    let routes: Vec<_> = bye
        .split("\r\n")
        .filter(|line| line.starts_with("Route: "))
        .collect();
    assert_eq!(
        routes,
        ["Route: <sip:203.0.113.9;lr>", "Route: <sip:203.0.113.8;lr>"]
    );
    assert!(bye.starts_with("BYE sip:alice@192.0.2.7:5060 "));
}

#[test]
fn a_handle_says_what_it_cannot_do() {
    let (mut world, mut peer) = (World::new(), Peer::new("states"));
    let incoming = world.ring(&peer);
    let (early, _) = world.act(incoming.call.refer("sip:b@192.0.2.9", None));
    assert!(
        matches!(
            early,
            Err(SipError::State {
                action: "transfer",
                ..
            })
        ),
        "{early:?}"
    );
    let (odd, _) = world.act(incoming.call.reject(200, ""));
    assert!(matches!(odd, Err(SipError::Status(200))));
    peer.learn(&world.answer(&incoming.call));
    let (twice, sent) = world.act(incoming.call.answer(SDP.into()));
    assert!(
        matches!(
            twice,
            Err(SipError::State {
                action: "answer",
                ..
            })
        ) && sent.is_empty()
    );
    world.receive(&peer.ack(1));
    for bad in [
        "nobody",
        "sip:",
        "http://example.com",
        "sip:a@b\r\nX: y",
        "sip:a@b>;x=<",
    ] {
        let (refused, _) = world.act(incoming.call.refer(bad, None));
        assert!(
            matches!(refused, Err(SipError::Uri { .. })),
            "{bad}: {refused:?}"
        );
    }
}

#[test]
fn a_drained_endpoint_refuses_new_calls_and_a_shutdown_ends_the_others() {
    let (mut world, mut peer) = (World::new(), Peer::new("old"));
    let incoming = world.up(&mut peer);
    let ringing = world.ring(&Peer::new("ringing"));
    world.input(super::super::core::Input::Command(
        super::super::call::Command::Drain {
            done: tokio::sync::oneshot::channel().0,
        },
    ));
    let refused = only(world.receive(&Peer::new("new").invite()));
    assert_eq!(
        (status(&refused), header(&refused, "Retry-After")),
        (503, "2")
    );
    let (done, mut over) = tokio::sync::oneshot::channel();
    let sent = world.input(super::super::core::Input::Command(
        super::super::call::Command::Shutdown { done },
    ));
    assert!(incoming.events.is_closed() && ringing.events.is_closed());
    let bye = sent
        .iter()
        .find(|message| message.starts_with("BYE "))
        .expect("a BYE");
    assert!(
        sent.iter()
            .any(|message| message.starts_with("SIP/2.0 480 "))
    );
    assert!(over.try_recv().is_err());
    world.receive(&respond(bye, 200, "OK", "", "", ""));
    assert!(over.try_recv().is_ok());
}
