//! How much is taken on.

use std::time::Duration;

use super::super::config::{SipConfig, SipLimits};
use super::super::core::{Input, Path};
use super::{Peer, SDP, World, header, only, status};

fn world(limits: SipLimits) -> World {
    let mut config = SipConfig::new("198.51.100.1:5060".parse().expect("an address"));
    config.limits = limits;
    World::with(config)
}

fn invite_from(world: &mut World, source: &str, name: String) -> Option<u16> {
    let path = Path::udp(format!("{source}:5060").parse().expect("an address"));
    let sent = world.receive_on(Peer::new(&name).invite().as_bytes(), path);
    // Taken and given up at once: the limits on calls are another test's.
    drop(world.incoming.try_recv());
    sent.first()
        .map(|output| status(&String::from_utf8_lossy(&output.bytes)))
}

#[test]
fn new_calls_beyond_the_rate_are_told_to_come_back() {
    let limits = SipLimits {
        invites_per_second: 10,
        retry_after_s: 7,
        ..SipLimits::default()
    };
    let mut world = world(limits);
    for number in 0..10 {
        assert_eq!(
            invite_from(&mut world, "192.0.2.7", format!("in-{number}")),
            None
        );
    }
    let refused = only(world.receive(&Peer::new("over").invite()));
    assert_eq!(
        (status(&refused), header(&refused, "Retry-After")),
        (503, "7")
    );
    assert_eq!(world.stats().rate_limited, 1);
    assert_eq!(world.stats().active_calls, 10);
    world.pass(Duration::from_millis(100));
    assert_eq!(
        invite_from(&mut world, "192.0.2.7", "later".to_owned()),
        None,
        "one token has come back"
    );
    assert_eq!(
        invite_from(&mut world, "192.0.2.7", "much".to_owned()),
        Some(503)
    );
}

#[test]
fn one_source_does_not_use_up_the_rate_of_another() {
    let mut world = world(SipLimits {
        invites_per_second_per_source: 5,
        ..SipLimits::default()
    });
    let of_flooder: Vec<_> = (0..20)
        .map(|number| invite_from(&mut world, "192.0.2.66", format!("flood-{number}")))
        .collect();
    assert_eq!(
        of_flooder
            .iter()
            .filter(|status| **status == Some(503))
            .count(),
        15
    );
    assert_eq!(
        invite_from(&mut world, "192.0.2.7", "honest".to_owned()),
        None
    );
}

#[test]
fn forged_sources_share_one_bucket_when_the_table_is_full() {
    let limits = SipLimits {
        invites_per_second: 100_000,
        invites_per_second_per_source: 2,
        calls: 100_000,
        ..SipLimits::default()
    };
    let mut world = world(limits);
    let mut flood = |first: u32| {
        for number in first..first + 4_200 {
            let source = std::net::Ipv4Addr::from(0x0A00_0000 + number).to_string();
            let _ = invite_from(&mut world, &source, format!("forged-{number}"));
        }
        world.pass(Duration::from_secs(2));
        world.stats().rate_limited
    };
    assert_eq!(
        flood(0),
        102,
        "4,096 with a bucket of their own, two tokens for all the others"
    );
    assert_eq!(flood(10_000), 204, "quiet sources have made room");
}

#[test]
fn calls_at_once_are_limited() {
    let mut world = world(SipLimits {
        calls: 2,
        ..SipLimits::default()
    });
    let mut peer = Peer::new("a");
    let _first = world.up(&mut peer);
    let _second = world.ring(&Peer::new("b"));
    assert_eq!(status(&only(world.receive(&Peer::new("c").invite()))), 503);
    world.receive(&peer.request("BYE", 2, "", ""));
    let _third = world.ring(&Peer::new("c2"));
}

#[test]
fn an_overloaded_endpoint_refuses_new_calls_but_serves_those_that_are_up() {
    let (mut world, mut peer) = (World::new(), Peer::new("up"));
    let _incoming = world.up(&mut peer);
    world.input(Input::Overloaded(true));
    assert_eq!(
        status(&only(world.receive(&Peer::new("new").invite()))),
        503
    );
    assert_eq!(
        status(&only(world.receive(&peer.request("INFO", 2, "", "")))),
        200
    );
    world.input(Input::Overloaded(false));
    let _new = world.ring(&Peer::new("newer"));
}

#[test]
fn a_server_that_does_not_take_its_calls_refuses_them() {
    let mut world = World::new();
    for number in 0..8 {
        assert!(
            world
                .receive(&Peer::new(&format!("waiting-{number}")).invite())
                .is_empty()
        );
    }
    assert_eq!(
        status(&only(world.receive(&Peer::new("ninth").invite()))),
        503
    );
    assert_eq!(world.stats().active_calls, 8);
}

#[test]
fn headers_shown_to_the_flow_are_bounded() {
    let (mut world, mut peer) = (World::new(), Peer::new("headers"));
    let mut lines = format!("X-Long: {}\r\n", "é".repeat(1_000));
    for number in 0..100 {
        lines += &format!("X-{number}: v\r\n");
    }
    world.receive(&peer.request(
        "INVITE",
        1,
        &(lines + "Content-Type: application/sdp\r\n"),
        SDP,
    ));
    let incoming = world.incoming.try_recv().expect("a call");
    assert_eq!(incoming.headers.len(), 64);
    assert!(
        incoming
            .headers
            .iter()
            .all(|(_, value)| value.len() <= 1_024)
    );
}
