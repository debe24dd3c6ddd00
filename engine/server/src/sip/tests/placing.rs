//! Calls that we place.

use std::time::Duration;

use super::super::call::{Call, CallEvent, Command, OutgoingCall, Party, Place};
use super::super::core::Input;
use super::{PEER, SDP, World, header, only, respond, status, tag_in};

const ANSWER: &str = "Contact: <sip:bob@192.0.2.7:5062>\r\nContent-Type: application/sdp\r\n";

pub(super) fn place(world: &mut World) -> (OutgoingCall, String) {
    let (done, mut placed) = tokio::sync::oneshot::channel();
    let place = Place {
        target: "sip:bob@192.0.2.7".to_owned(),
        from: Party::Address("\"Demo\" <sip:demo@198.51.100.1>".to_owned()),
        offer: SDP.into(),
        peer: PEER.parse().expect("an address"),
        tcp: false,
        max_forwards: 70,
    };
    let sent = world.input(Input::Command(Command::Place { place, done }));
    (
        placed.try_recv().expect("told").expect("placed"),
        only(sent),
    )
}

#[test]
fn a_number_calls_from_our_own_address_and_nobody_from_none() {
    for (user, from) in [
        ("+8613800138000", "<sip:+8613800138000@198.51.100.1:5060>"),
        ("", "\"Anonymous\" <sip:anonymous@anonymous.invalid>"),
    ] {
        let mut world = World::new();
        let (done, _placed) = tokio::sync::oneshot::channel();
        let place = Place {
            target: "sip:bob@192.0.2.7".to_owned(),
            from: Party::User(user.to_owned()),
            offer: SDP.into(),
            peer: PEER.parse().expect("an address"),
            tcp: false,
            max_forwards: 70,
        };
        let invite = only(world.input(Input::Command(Command::Place { place, done })));
        let (address, tag) = header(&invite, "From").split_once(";tag=").expect("a tag");
        assert_eq!(address, from);
        assert!(!tag.is_empty());
    }
}

fn up(world: &mut World) -> (OutgoingCall, String, String) {
    let (mut call, invite) = place(world);
    let ack = only(world.receive(&respond(&invite, 200, "OK", "bob", ANSWER, SDP)));
    assert!(matches!(
        call.events.try_recv(),
        Ok(CallEvent::Answered { .. })
    ));
    (call, invite, ack)
}

/// A request of the called peer in the dialog.
fn from_callee(invite: &str, method: &str, cseq: u32, lines: &str, body: &str) -> String {
    format!(
        "{method} sip:strowger@198.51.100.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP {PEER};branch=z9hG4bK-callee-{cseq}\r\n\
         Max-Forwards: 70\r\nFrom: {};tag=bob\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: {cseq} {method}\r\n\
         Contact: <sip:bob@192.0.2.7:5062>\r\n{lines}Content-Length: {}\r\n\r\n{body}",
        header(invite, "To"),
        header(invite, "From"),
        header(invite, "Call-ID"),
        body.len(),
    )
}

#[test]
fn a_call_rings_is_answered_and_acknowledged() {
    let mut world = World::new();
    let (mut call, invite) = place(&mut world);
    assert!(invite.starts_with("INVITE sip:bob@192.0.2.7 SIP/2.0\r\n") && invite.ends_with(SDP));
    assert_eq!(
        header(&invite, "Contact"),
        "<sip:strowger@198.51.100.1:5060>"
    );
    assert!(header(&invite, "Allow").contains("REFER"));
    world.receive(&respond(&invite, 100, "Trying", "", "", ""));
    world.receive(&respond(&invite, 180, "Ringing", "bob", "", ""));
    assert!(matches!(
        call.events.try_recv(),
        Ok(CallEvent::Ringing {
            status: 180,
            sdp: None
        })
    ));
    assert!(
        world.pass(Duration::from_secs(60)).is_empty(),
        "it may ring as long as it likes"
    );
    let ok = respond(&invite, 200, "OK", "bob", ANSWER, SDP);
    let ack = only(world.receive(&ok));
    assert!(
        ack.starts_with("ACK sip:bob@192.0.2.7:5062 SIP/2.0\r\n")
            && header(&ack, "CSeq") == "1 ACK"
    );
    assert_ne!(
        header(&ack, "Via"),
        header(&invite, "Via"),
        "a transaction of its own"
    );
    match call.events.try_recv() {
        Ok(CallEvent::Answered { sdp }) => assert_eq!(sdp, SDP.as_bytes()),
        other => panic!("{other:?}"),
    }
    assert_eq!(
        world.receive(&ok),
        [ack],
        "the repeated 200 is acknowledged again"
    );
    let (_, sent) = world.act(call.call.hang_up());
    let bye = only(sent);
    assert!(bye.starts_with("BYE sip:bob@192.0.2.7:5062 ") && header(&bye, "CSeq") == "2 BYE");
    world.receive(&respond(&bye, 200, "OK", "", "", ""));
    assert_eq!(world.stats().active_calls, 0);
}

#[test]
fn a_refusal_is_acknowledged_in_its_transaction() {
    let mut world = World::new();
    let (mut call, invite) = place(&mut world);
    let busy = respond(&invite, 486, "Busy Here", "bob", "", "");
    let ack = only(world.receive(&busy));
    assert_eq!(header(&ack, "Via"), header(&invite, "Via"));
    assert_eq!(tag_in(header(&ack, "To")), "bob");
    match call.events.try_recv() {
        Ok(CallEvent::Refused {
            status: 486,
            reason,
        }) => assert_eq!(reason, "Busy Here"),
        other => panic!("{other:?}"),
    }
    assert!(call.events.is_closed());
}

#[test]
fn an_invite_that_nobody_answers_is_repeated_and_given_up() {
    let mut world = World::new();
    let (mut call, _invite) = place(&mut world);
    let times: Vec<_> = world
        .pass(Duration::from_secs(33))
        .into_iter()
        .map(|(at, _)| at)
        .collect();
    assert_eq!(times, [500, 1_500, 3_500, 7_500, 15_500, 31_500], "timer A");
    assert!(matches!(
        call.events.try_recv(),
        Ok(CallEvent::Refused { status: 408, .. })
    ));
    assert_eq!(
        (world.stats().active_calls, world.stats().transactions),
        (0, 0)
    );
}

#[test]
fn a_call_is_cancelled_once_it_has_been_heard_of() {
    let mut world = World::new();
    let (call, invite) = place(&mut world);
    let (_, sent) = world.act(call.call.hang_up());
    assert!(sent.is_empty(), "RFC 3261 §9.1: not before a response");
    let cancel = only(world.receive(&respond(&invite, 180, "Ringing", "bob", "", "")));
    assert!(cancel.starts_with("CANCEL sip:bob@192.0.2.7 SIP/2.0\r\n"));
    assert_eq!(
        header(&cancel, "Via"),
        header(&invite, "Via"),
        "the INVITE's branch"
    );
    world.receive(&respond(&cancel, 200, "OK", "bob", "", ""));
    let ack = only(world.receive(&respond(&invite, 487, "Request Terminated", "bob", "", "")));
    assert!(ack.starts_with("ACK "));
    world.pass(Duration::from_secs(70));
    assert_eq!(
        (world.stats().active_calls, world.stats().transactions),
        (0, 0)
    );
}

#[test]
fn an_answer_that_crosses_our_cancel_is_hung_up() {
    let mut world = World::new();
    let (call, invite) = place(&mut world);
    world.receive(&respond(&invite, 180, "Ringing", "bob", "", ""));
    let (_, sent) = world.act(call.call.hang_up());
    assert!(only(sent).starts_with("CANCEL "));
    let sent = world.receive(&respond(&invite, 200, "OK", "bob", ANSWER, SDP));
    assert!(
        sent[0].starts_with("ACK ") && sent[1].starts_with("BYE "),
        "{sent:?}"
    );
}

#[test]
fn a_cancelled_call_ends_even_without_its_487() {
    let mut world = World::new();
    let (call, invite) = place(&mut world);
    world.receive(&respond(&invite, 180, "Ringing", "bob", "", ""));
    world.act(call.call.hang_up()).0.expect("up");
    world.pass(Duration::from_secs(33));
    assert_eq!(
        (world.stats().active_calls, world.stats().transactions),
        (0, 0)
    );
}

#[test]
fn a_second_branch_of_a_fork_is_acknowledged_and_ended() {
    let mut world = World::new();
    let (_call, invite, _ack) = up(&mut world);
    let sent = world.receive(&respond(&invite, 200, "OK", "eve", ANSWER, SDP));
    assert!(
        sent[0].starts_with("ACK ") && sent[1].starts_with("BYE "),
        "{sent:?}"
    );
    assert!(
        sent.iter()
            .all(|message| tag_in(header(message, "To")) == "eve")
    );
    assert_eq!(world.stats().active_calls, 1);
}

#[test]
fn the_called_peer_may_change_ask_and_end() {
    let mut world = World::new();
    let (mut call, invite, _ack) = up(&mut world);
    world.receive(&from_callee(
        &invite,
        "INVITE",
        1,
        "Content-Type: application/sdp\r\n",
        SDP,
    ));
    let Ok(CallEvent::Reinvite { reply, .. }) = call.events.try_recv() else {
        panic!("a re-INVITE")
    };
    let (_, sent) = world.act(reply.answer(SDP.into()));
    assert_eq!(status(&only(sent)), 200);
    world.receive(&from_callee(&invite, "ACK", 1, "", ""));
    assert_eq!(
        status(&only(
            world.receive(&from_callee(&invite, "BYE", 2, "", ""))
        )),
        200
    );
    assert!(matches!(call.events.try_recv(), Ok(CallEvent::Bye)));
}

#[test]
fn a_refer_is_accepted_and_reported_on() {
    let mut world = World::new();
    let (mut call, invite, _ack) = up(&mut world);
    let lines = "Refer-To: <sip:agent@203.0.113.5>\r\nReferred-By: <sip:ivr@192.0.2.7>\r\n";
    assert!(
        world
            .receive(&from_callee(&invite, "REFER", 7, lines, ""))
            .is_empty()
    );
    let Ok(CallEvent::Refer {
        target,
        referred_by,
        mut reply,
    }) = call.events.try_recv()
    else {
        panic!("a REFER")
    };
    assert_eq!(
        (target.as_str(), referred_by.as_deref()),
        ("sip:agent@203.0.113.5", Some("<sip:ivr@192.0.2.7>"))
    );
    let (_, sent) = world.act(reply.accept());
    assert_eq!(status(&sent[0]), 202);
    assert_eq!(header(&sent[1], "Event"), "refer;id=7");
    assert!(sent[1].starts_with("NOTIFY ") && sent[1].ends_with("\r\n\r\nSIP/2.0 100 Trying\r\n"));
    let (done, sent) = world.act(reply.notify(200, "OK\r\nX: y"));
    done.expect("it is open");
    let last = only(sent);
    assert_eq!(
        header(&last, "Subscription-State"),
        "terminated;reason=noresource"
    );
    assert!(last.ends_with("\r\n\r\nSIP/2.0 200 OKX: y\r\n"));
    let (late, _) = world.act(reply.notify(200, "OK"));
    late.expect_err("the outcome is told once");
    world.receive(&from_callee(&invite, "REFER", 8, lines, ""));
    drop(call.events.try_recv().expect("a REFER"));
    assert_eq!(
        status(&only(world.run_commands())),
        603,
        "a dropped reply refuses"
    );
    assert_eq!(
        status(&only(
            world.receive(&from_callee(&invite, "REFER", 9, "", ""))
        )),
        400,
        "no Refer-To"
    );
}

#[test]
fn a_broken_connection_refuses_the_call() {
    let mut world = World::new();
    let (done, mut placed) = tokio::sync::oneshot::channel();
    let peer = PEER.parse().expect("an address");
    let place = Place {
        target: "sip:bob@192.0.2.7;transport=tcp".to_owned(),
        from: Party::Address("<sip:demo@198.51.100.1>".to_owned()),
        offer: Vec::new(),
        peer,
        tcp: true,
        max_forwards: 70,
    };
    let invite = only(world.input(Input::Command(Command::Place { place, done })));
    assert!(header(&invite, "Via").starts_with("SIP/2.0/TCP "));
    assert!(header(&invite, "Contact").contains(";transport=tcp"));
    let mut call = placed.try_recv().expect("told").expect("placed");
    assert!(
        world.pass(Duration::from_secs(5)).is_empty(),
        "nothing is repeated on a stream"
    );
    world.input(Input::Disconnected {
        connection: 1,
        peer,
    });
    assert!(matches!(
        call.events.try_recv(),
        Ok(CallEvent::Refused { status: 503, .. })
    ));
}

#[test]
fn a_handle_outlives_its_call() {
    let mut world = World::new();
    let (call, invite) = place(&mut world);
    world.receive(&respond(&invite, 486, "Busy Here", "bob", "", ""));
    let handle: Call = call.call.clone();
    let (over, sent) = world.act(handle.hang_up());
    over.expect_err("the call is over");
    assert!(sent.is_empty());
}
