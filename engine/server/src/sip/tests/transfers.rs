//! REFER, by us and to us.

use super::super::call::CallEvent;
use super::super::error::SipError;
use super::{Peer, World, header, only, respond, status};

fn notify(peer: &mut Peer, cseq: u32, state: &str, fragment: &str) -> String {
    let lines =
        format!("Event: refer\r\nSubscription-State: {state}\r\nContent-Type: message/sipfrag\r\n");
    peer.request("NOTIFY", cseq, &lines, fragment)
}

#[test]
fn a_transfer_is_followed_to_its_end() {
    let (mut world, mut peer) = (World::new(), Peer::new("refer"));
    let mut incoming = world.up(&mut peer);
    let (done, sent) = world.act(
        incoming
            .call
            .refer("sip:agent@203.0.113.5", Some("sip:1000@198.51.100.1")),
    );
    done.expect("the call is up");
    let refer = only(sent);
    assert!(refer.starts_with("REFER sip:alice@192.0.2.7:5060 SIP/2.0\r\n"));
    assert_eq!(header(&refer, "Refer-To"), "<sip:agent@203.0.113.5>");
    assert_eq!(header(&refer, "Referred-By"), "<sip:1000@198.51.100.1>");
    assert_eq!(
        header(&refer, "Contact"),
        "<sip:strowger@198.51.100.1:5060>"
    );
    let (again, _) = world.act(incoming.call.refer("sip:other@203.0.113.5", None));
    assert!(matches!(again, Err(SipError::State { .. })));
    world.receive(&respond(&refer, 202, "Accepted", "", "", ""));
    for (cseq, state, fragment, expected) in [
        (
            2,
            "active;expires=60",
            "SIP/2.0 100 Trying\r\n",
            (100, "Trying", false),
        ),
        (3, "active", "SIP/2.0 180 Ringing", (180, "Ringing", false)),
        (
            4,
            "terminated;reason=noresource",
            "SIP/2.0 200 OK\r\n",
            (200, "OK", true),
        ),
    ] {
        assert_eq!(
            status(&only(
                world.receive(&notify(&mut peer, cseq, state, fragment))
            )),
            200
        );
        match incoming.events.try_recv() {
            Ok(CallEvent::TransferProgress {
                status,
                reason,
                last,
            }) => {
                assert_eq!((status, reason.as_str(), last), expected);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(
        status(&only(world.receive(&notify(
            &mut peer,
            5,
            "active",
            "SIP/2.0 200 OK"
        )))),
        481,
        "it is over"
    );
    assert_eq!(
        world.stats().active_calls,
        1,
        "the call stays until someone hangs up"
    );
}

#[test]
fn a_failed_or_unclear_outcome_is_told() {
    for (state, fragment, expected) in [
        ("terminated", "SIP/2.0 486 Busy Here", (486, "Busy Here")),
        ("active", "SIP/2.0 603 Decline", (603, "Decline")),
        ("terminated;reason=timeout", "", (100, "Unknown Outcome")),
        (
            "terminated",
            "gibberish \u{1F980}",
            (100, "Unknown Outcome"),
        ),
    ] {
        let (mut world, mut peer) = (World::new(), Peer::new("fail"));
        let mut incoming = world.up(&mut peer);
        let (_, sent) = world.act(incoming.call.refer("sip:agent@203.0.113.5", None));
        world.receive(&respond(&only(sent), 202, "Accepted", "", "", ""));
        world.receive(&notify(&mut peer, 2, state, fragment));
        match incoming.events.try_recv() {
            Ok(CallEvent::TransferProgress {
                status,
                reason,
                last: true,
            }) => {
                assert_eq!((status, reason.as_str()), expected);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_peer_that_does_not_transfer_says_so_or_is_silent() {
    let (mut world, mut peer) = (World::new(), Peer::new("405"));
    let mut incoming = world.up(&mut peer);
    let (_, sent) = world.act(incoming.call.refer("sip:agent@203.0.113.5", None));
    world.receive(&respond(&only(sent), 405, "Method Not Allowed", "", "", ""));
    assert!(matches!(
        incoming.events.try_recv(),
        Ok(CallEvent::TransferRefused { status: 405 })
    ));
    let (_, sent) = world.act(incoming.call.refer("sip:agent@203.0.113.5", None));
    only(sent);
    world.pass(std::time::Duration::from_millis(32_100));
    assert!(matches!(
        incoming.events.try_recv(),
        Ok(CallEvent::TransferRefused { status: 408 })
    ));
    assert_eq!(world.stats().active_calls, 1);
}

#[test]
fn a_notify_that_nobody_asked_for_is_refused() {
    let (mut world, mut peer) = (World::new(), Peer::new("stray"));
    let mut incoming = world.up(&mut peer);
    assert_eq!(
        status(&only(world.receive(&notify(
            &mut peer,
            2,
            "active",
            "SIP/2.0 200 OK"
        )))),
        481
    );
    assert!(incoming.events.try_recv().is_err());
}

#[test]
fn a_notify_without_a_status_is_refused_and_the_outcome_still_awaited() {
    let (mut world, mut peer) = (World::new(), Peer::new("rogue"));
    let mut incoming = world.up(&mut peer);
    let (_, sent) = world.act(incoming.call.refer("sip:agent@203.0.113.5", None));
    world.receive(&respond(&only(sent), 202, "Accepted", "", "", ""));
    let answer = only(world.receive(&notify(&mut peer, 2, "active", "all is well")));
    assert_eq!(status(&answer), 400);
    let lines = "Event: refer\r\nSubscription-State: active\r\nContent-Type: text/plain\r\n";
    let answer = only(world.receive(&peer.request("NOTIFY", 3, lines, "all is well")));
    assert_eq!(
        (status(&answer), header(&answer, "Accept")),
        (415, "message/sipfrag")
    );
    assert_eq!(world.stats().malformed_answered, 2);
    assert!(incoming.events.try_recv().is_err(), "nothing was learned");
    let empty = only(world.receive(&notify(&mut peer, 4, "active", "")));
    assert_eq!(status(&empty), 200);
    world.receive(&notify(&mut peer, 5, "terminated", "SIP/2.0 486 Busy Here"));
    assert!(matches!(
        incoming.events.try_recv(),
        Ok(CallEvent::TransferProgress {
            status: 486,
            last: true,
            ..
        })
    ));
}

#[test]
fn a_transfer_that_was_given_up_is_not_taken_for_the_next() {
    let (mut world, mut peer) = (World::new(), Peer::new("given-up"));
    let mut incoming = world.up(&mut peer);
    let (_, sent) = world.act(incoming.call.refer("sip:first@203.0.113.5", None));
    world.receive(&respond(&only(sent), 202, "Accepted", "", "", ""));
    let (done, sent) = world.act(incoming.call.give_up_transfer());
    done.expect("the call is up");
    assert!(sent.is_empty(), "SIP has nothing to say here");
    let (done, sent) = world.act(incoming.call.refer("sip:second@203.0.113.5", None));
    done.expect("another may be asked for");
    let second = only(sent);
    world.receive(&respond(&second, 202, "Accepted", "", "", ""));
    // Without a number it is the first one's; the answer ends that subscription.
    let late = only(world.receive(&notify(&mut peer, 2, "terminated", "SIP/2.0 200 OK")));
    assert_eq!(status(&late), 481);
    assert!(incoming.events.try_recv().is_err());
    // From a telephone that never numbers them: the first one's is gone.
    let news = only(world.receive(&notify(&mut peer, 3, "active", "SIP/2.0 180 Ringing")));
    assert_eq!(status(&news), 200);
    let cseq = header(&second, "CSeq")
        .split(' ')
        .next()
        .unwrap_or_default();
    let lines = format!(
        "Event: refer;id={cseq}\r\nSubscription-State: terminated\r\nContent-Type: message/sipfrag\r\n"
    );
    world.receive(&peer.request("NOTIFY", 4, &lines, "SIP/2.0 486 Busy Here"));
    let told: Vec<u16> = std::iter::from_fn(|| match incoming.events.try_recv() {
        Ok(CallEvent::TransferProgress { status, .. }) => Some(status),
        _ => None,
    })
    .collect();
    assert_eq!(told, [180, 486]);
    // A refusal that comes when nobody waits any more says nothing of the next.
    let (_, sent) = world.act(incoming.call.refer("sip:third@203.0.113.5", None));
    let third = only(sent);
    world.act(incoming.call.give_up_transfer()).0.expect("up");
    world
        .act(incoming.call.refer("sip:fourth@203.0.113.5", None))
        .0
        .expect("up");
    world.receive(&respond(&third, 603, "Decline", "", "", ""));
    assert!(incoming.events.try_recv().is_err());
    let news = only(world.receive(&notify(&mut peer, 5, "active", "SIP/2.0 180 Ringing")));
    assert_eq!(status(&news), 200, "the third never made a subscription");
}

#[test]
fn a_peer_that_leaves_for_its_transfer_still_tells_how_it_went() {
    let (mut world, mut peer) = (World::new(), Peer::new("leaves"));
    let mut incoming = world.up(&mut peer);
    let (_, sent) = world.act(incoming.call.refer("sip:agent@203.0.113.5", None));
    world.receive(&respond(&only(sent), 202, "Accepted", "", "", ""));
    let bye = peer.request("BYE", 2, "", "");
    assert_eq!(status(&only(world.receive(&bye))), 200);
    assert_eq!(status(&only(world.receive(&bye))), 200, "its repetition");
    assert!(matches!(incoming.events.try_recv(), Ok(CallEvent::Left)));
    let (refused, sent) = world.act(incoming.call.refer("sip:other@203.0.113.5", None));
    assert!(matches!(refused, Err(SipError::CallOver)) && sent.is_empty());
    let info = peer.request("INFO", 3, "Content-Type: application/dtmf\r\n", "1");
    assert_eq!(status(&only(world.receive(&info))), 481, "the call is over");
    for (cseq, state, fragment, code) in [
        (4, "active", "SIP/2.0 180 Ringing", 180),
        (5, "terminated;reason=noresource", "SIP/2.0 200 OK", 200),
    ] {
        let told = world.receive(&notify(&mut peer, cseq, state, fragment));
        assert_eq!(status(&only(told)), 200);
        match incoming.events.try_recv() {
            Ok(CallEvent::TransferProgress { status, .. }) => assert_eq!(status, code),
            other => panic!("{other:?}"),
        }
    }
    assert!(incoming.events.try_recv().is_err() && incoming.events.is_closed());
    assert_eq!(world.stats().active_calls, 0);
}

#[test]
fn nobody_waits_for_a_peer_that_left_and_was_given_up() {
    for give_up in [true, false] {
        let (mut world, mut peer) = (World::new(), Peer::new("left"));
        let mut incoming = world.up(&mut peer);
        let (_, sent) = world.act(incoming.call.refer("sip:agent@203.0.113.5", None));
        world.receive(&respond(&only(sent), 202, "Accepted", "", "", ""));
        world.receive(&peer.request("BYE", 2, "", ""));
        assert!(matches!(incoming.events.try_recv(), Ok(CallEvent::Left)));
        let (done, sent) = match give_up {
            true => world.act(incoming.call.give_up_transfer()),
            false => world.act(incoming.call.hang_up()),
        };
        assert!(
            done.is_ok() && sent.is_empty(),
            "no BYE follows a BYE: {sent:?}"
        );
        assert_eq!(world.stats().active_calls, 0);
        let late = world.receive(&notify(&mut peer, 3, "active", "SIP/2.0 200 OK"));
        assert_eq!(status(&only(late)), 481);
    }
}

#[test]
fn a_bye_before_the_transfer_is_accepted_is_a_bye() {
    let (mut world, mut peer) = (World::new(), Peer::new("crossed"));
    let mut incoming = world.up(&mut peer);
    let (_, _refer) = world.act(incoming.call.refer("sip:agent@203.0.113.5", None));
    world.receive(&peer.request("BYE", 2, "", ""));
    assert!(matches!(incoming.events.try_recv(), Ok(CallEvent::Bye)));
    assert_eq!(world.stats().active_calls, 0);
}

#[test]
fn a_number_that_hands_over_is_at_our_address() {
    for (given, expected) in [
        ("4001", Some("<sip:4001@198.51.100.1:5060>")),
        ("+864001", Some("<sip:+864001@198.51.100.1:5060>")),
        ("sip:desk@example.com", Some("<sip:desk@example.com>")),
        ("Aurora", None),
        ("4001\r\nX: y", None),
        ("+", None),
    ] {
        let (mut world, mut peer) = (World::new(), Peer::new("by"));
        let incoming = world.up(&mut peer);
        let (done, sent) = world.act(incoming.call.refer("sip:agent@203.0.113.5", Some(given)));
        match expected {
            Some(expected) => assert_eq!(header(&only(sent), "Referred-By"), expected),
            None => assert!(matches!(done, Err(SipError::Uri { .. })) && sent.is_empty()),
        }
    }
}
