//! Messages broken by chance: whatever comes, the endpoint still answers the next OPTIONS.

use bytes::BytesMut;
use proptest::prelude::*;

use super::super::stream::{Cut, cut};
use super::{Peer, World, only, status};

/// A message of the kind that the endpoint takes seriously.
fn seeds() -> impl Strategy<Value = Vec<u8>> {
    let mut peer = Peer::new("seed");
    let mut seeds = vec![peer.invite(), peer.cancel(), peer.ack(1)];
    for method in [
        "BYE", "OPTIONS", "INFO", "UPDATE", "REFER", "NOTIFY", "MESSAGE",
    ] {
        seeds.push(peer.request(
            method,
            2,
            "Require: timer\r\nSession-Expires: 90;refresher=uas\r\nSupported: timer\r\n",
            "x",
        ));
    }
    seeds.push(super::respond(
        &peer.invite(),
        200,
        "OK",
        "x",
        "Contact: <sip:a@b>\r\n",
        "y",
    ));
    prop::sample::select(seeds).prop_map(String::into_bytes)
}

/// One thing that happens to a message.
#[derive(Debug, Clone)]
enum Mutation {
    Set(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Remove(prop::sample::Index, usize),
    Insert(prop::sample::Index, Vec<u8>),
    Double(prop::sample::Index, usize),
}

fn mutations() -> impl Strategy<Value = Vec<Mutation>> {
    let at = any::<prop::sample::Index>;
    let telling = prop::sample::select(vec![
        "\r\n",
        "\r\n\r\n",
        "<",
        ">",
        "\"",
        "\\",
        ";",
        ",",
        ":",
        "@",
        "[",
        "]",
        "%",
        " ",
        "\0",
        "é",
        "\u{F7FF}",
        "tag=",
        ";branch=",
        "Via: ",
        "Content-Length: 0\r\n",
        "SIP/2.0",
        "sip:",
    ]);
    let one = prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Mutation::Set(at, byte)),
        at().prop_map(Mutation::Cut),
        (at(), 1..60_usize).prop_map(|(at, length)| Mutation::Remove(at, length)),
        (at(), telling).prop_map(|(at, text)| Mutation::Insert(at, text.into())),
        (at(), prop::collection::vec(any::<u8>(), 1..8))
            .prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        (at(), 1..120_usize).prop_map(|(at, length)| Mutation::Double(at, length)),
    ];
    prop::collection::vec(one, 0..6)
}

fn mutate(mut bytes: Vec<u8>, mutations: &[Mutation]) -> Vec<u8> {
    for mutation in mutations {
        if bytes.is_empty() {
            break;
        }
        match mutation {
            Mutation::Set(at, byte) => {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            Mutation::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Mutation::Remove(at, length) => {
                let at = at.index(bytes.len());
                bytes.drain(at..(at + length).min(bytes.len()));
            }
            Mutation::Insert(at, more) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, more.iter().copied());
            }
            Mutation::Double(at, length) => {
                let at = at.index(bytes.len());
                let piece = bytes[at..(at + length).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_datagram_stops_the_endpoint(messages in prop::collection::vec((seeds(), mutations()), 1..6)) {
        let mut world = World::new();
        let mut owners = Vec::new();
        for (seed, mutations) in &messages {
            let bytes = mutate(seed.clone(), mutations);
            for sent in world.receive_bytes(&bytes) {
                prop_assert!(sent.contains("\r\n\r\n") || sent == "\r\n");
                prop_assert!(sent == "\r\n" || sent.starts_with("SIP/2.0 "), "only answers: {}", sent);
            }
            while let Ok(incoming) = world.incoming.try_recv() {
                let (_, _) = world.act(incoming.call.answer(b"v=0\r\n".to_vec()));
                owners.push(incoming);
            }
        }
        let options = only(world.receive(&Peer::new("after").request("OPTIONS", 1, "", "")));
        prop_assert_eq!(status(&options), 200);
        drop(owners);
        world.pass(std::time::Duration::from_secs(120));
        prop_assert_eq!((world.stats().active_calls, world.stats().transactions), (0, 0));
    }

    #[test]
    fn no_stream_stops_the_endpoint(messages in prop::collection::vec((seeds(), mutations()), 1..6), step in 1..400_usize) {
        let mut world = World::new();
        let path = super::Path::tcp("192.0.2.7:5060".parse().expect("an address"), 1);
        let bytes: Vec<u8> = messages.iter().flat_map(|(seed, mutations)| mutate(seed.clone(), mutations)).collect();
        let mut received = BytesMut::new();
        'stream: for chunk in bytes.chunks(step) {
            received.extend_from_slice(chunk);
            loop {
                match cut(&mut received) {
                    Cut::Message(message) => {
                        prop_assert!(!message.is_empty());
                        world.receive_on(&message, path);
                    }
                    Cut::Broken(message) => {
                        world.receive_on(&message, path);
                        break 'stream;
                    }
                    Cut::Ping => {}
                    Cut::More => break,
                }
            }
        }
        let options = only(world.receive(&Peer::new("after").request("OPTIONS", 1, "", "")));
        prop_assert_eq!(status(&options), 200);
    }

    #[test]
    fn escaping_is_undone_exactly(bytes in prop::collection::vec(any::<u8>(), 0..200), private in "[\u{F770}-\u{F810}é]{0,8}") {
        let mut bytes = bytes;
        bytes.extend_from_slice(private.as_bytes());
        let text = super::super::examine::escape(&bytes).into_owned();
        prop_assert_eq!(super::super::examine::restore(text), bytes);
    }
}
