//! What is told of calls' messages.

use std::time::Duration;

use tokio::sync::mpsc;

use super::super::config::{SipConfig, SipLimits};
use super::super::ladder::Told;
use super::placing::place;
use super::{Peer, World, respond};

fn world(limits: SipLimits) -> (World, mpsc::Receiver<Told>) {
    let (to, told) = mpsc::channel(4_096);
    let mut config = SipConfig::new("198.51.100.1:5060".parse().expect("an address"));
    config.limits = limits;
    config.ladder = Some(to);
    (World::with(config), told)
}

/// What was told since, in words: `1 INVITE 1000`, `1 again 0`, `1 over`.
fn words(told: &mut mpsc::Receiver<Told>) -> Vec<String> {
    let mut words = Vec::new();
    while let Ok(told) = told.try_recv() {
        words.push(match told {
            Told::Signal { leg, signal, .. } => format!("{leg} {signal}"),
            Told::Again { leg, n } => format!("{leg} again {n}"),
            Told::Cut { leg } => format!("{leg} cut"),
            Told::Refused(refused) => format!("{} refused {}", refused.leg, refused.status),
            Told::Over { leg } => format!("{leg} over"),
        });
    }
    words
}

#[test]
fn a_call_is_one_leg_from_its_invite_to_its_last_answer() {
    let (mut world, mut told) = world(SipLimits::default());
    let mut peer = Peer::new("whole");
    let call = world.up(&mut peer);
    assert_eq!(call.leg, Some(1));
    assert_eq!(
        words(&mut told),
        ["1 INVITE 1000", "1 200 OK (INVITE)", "1 ACK"]
    );
    let bye = peer.request("BYE", 2, "", "");
    world.receive(&bye);
    world.receive(&bye);
    assert_eq!(
        words(&mut told),
        ["1 BYE", "1 200 OK (BYE)", "1 again 3", "1 again 4"]
    );
    world.pass(Duration::from_secs(30));
    assert!(words(&mut told).is_empty());
    world.pass(Duration::from_secs(5));
    assert_eq!(words(&mut told), ["1 over"]);
}

#[test]
fn our_own_requests_and_repetitions_are_of_the_leg() {
    let (mut world, mut told) = world(SipLimits::default());
    let mut peer = Peer::new("ours");
    let call = world.up(&mut peer);
    words(&mut told);
    let (hung_up, sent) = world.act(call.call.hang_up());
    hung_up.expect("it is up");
    world.pass(Duration::from_millis(1_600));
    assert_eq!(words(&mut told), ["1 BYE", "1 again 3", "1 again 3"]);
    world.receive(&respond(&sent[0], 200, "OK", "", "", ""));
    assert_eq!(words(&mut told), ["1 200 OK (BYE)"]);
}

#[test]
fn a_call_that_nobody_takes_is_told_as_refused_once() {
    let (mut world, mut told) = world(SipLimits {
        calls: 0,
        ..SipLimits::default()
    });
    let peer = Peer::new("full");
    for _ in 0..2 {
        world.receive(&peer.invite());
    }
    world.receive(&peer.ack_refusal());
    assert_eq!(
        words(&mut told),
        [
            "1 INVITE 1000",
            "1 503 Service Unavailable (INVITE)",
            "1 refused 503",
            "1 again 0",
            "1 again 1",
            "1 ACK"
        ]
    );
    // A new attempt is another call.
    world.receive(&peer.invite().replace("CSeq: 1", "CSeq: 2"));
    let later = words(&mut told);
    assert_eq!(later[..2], ["1 over", "2 INVITE 1000"]);
    world.pass(Duration::from_secs(6));
    assert_eq!(words(&mut told), ["2 over"]);
}

#[test]
fn a_call_that_we_place_is_a_leg_of_its_own() {
    let (mut world, mut told) = world(SipLimits::default());
    let (call, sent) = place(&mut world);
    assert_eq!(call.leg, Some(1));
    world.receive(&respond(&sent, 486, "Busy Here", "b", "", ""));
    assert_eq!(
        words(&mut told),
        ["1 INVITE bob", "1 486 Busy Here (INVITE)", "1 ACK"]
    );
}

#[test]
fn a_leg_and_what_is_not_read_are_bounded() {
    let (mut world, mut told) = world(SipLimits::default());
    let mut peer = Peer::new("long");
    let _call = world.up(&mut peer);
    for cseq in 2..302 {
        world.receive(&peer.request("OPTIONS", cseq, "", ""));
    }
    let words = words(&mut told);
    let signals = words.iter().filter(|word| !word.ends_with("cut")).count();
    assert_eq!((signals, words.len()), (200, 603));

    // Nobody reads: calls go on, and what is lost is counted.
    for number in 0..4_000 {
        world.receive(&Peer::new(&format!("n{number}")).invite());
        world.incoming.try_recv().ok();
        world.pass(Duration::from_millis(1));
    }
    assert!(world.stats().ladder_lost > 0);
}
