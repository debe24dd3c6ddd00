//! Messages in the spirit of RFC 4475: odd but right, and wrong in many ways.

use super::{PEER, Peer, SDP, World, header, only, status};

/// A right INVITE into which one thing is put or from which one is taken.
fn changed(from: &str, to: &str) -> String {
    let invite = Peer::new("odd").invite();
    assert!(invite.contains(from), "{from}");
    invite.replacen(from, to, 1)
}

fn refused(world: &mut World, message: &str) -> u16 {
    let answers = world.receive(message);
    assert_eq!(answers.len(), 1, "one answer to {message}");
    let answer = only(answers);
    assert!(world.incoming.try_recv().is_err(), "no call: {message}");
    status(&answer)
}

#[test]
fn odd_but_right_invites_are_calls() {
    let folded = "Via: SIP/2.0/UDP 192.0.2.7:5060\r\n ;branch=z9hG4bK-odd-invite\r\n\t;rport\r\n";
    let via = format!("Via: SIP/2.0/UDP {PEER};branch=z9hG4bK-odd-invite;rport\r\n");
    let cases = [
        ("folded lines", changed(&via, folded)),
        (
            "compact names",
            changed("From:", "f:")
                .replace("To:", "t :")
                .replace("Call-ID:", "i:")
                .replace("Contact:", "m  :"),
        ),
        (
            "spaces in Via",
            changed(
                &via,
                &via.replace(
                    "SIP/2.0/UDP 192.0.2.7:5060",
                    "SIP / 2.0 / UDP   192.0.2.7 : 5060",
                ),
            ),
        ),
        (
            "upper and lower case",
            changed("Content-Length", "cOnTeNt-LENGTH").replace("CSeq:", "cseq:"),
        ),
        (
            "two Vias in one line",
            changed(
                ";rport\r\n",
                ";rport, SIP/2.0/TCP 10.0.0.1;branch=z9hG4bKx\r\n",
            ),
        ),
        (
            "a comma and angle in a quoted name",
            changed("\"Alice\"", "\"A, <b> \\\" ;tag=x\""),
        ),
        (
            "a semicolon in the user part",
            changed("INVITE sip:1000@", "INVITE sip:1000;a=b@"),
        ),
        (
            "a percent in the user part",
            changed("INVITE sip:1000@", "INVITE sip:%31000@"),
        ),
        (
            "a leading empty line",
            format!("\r\n\r\n{}", Peer::new("odd").invite()),
        ),
        (
            "an unknown header",
            changed("Max-Forwards", "X-Unheard-Of: \u{7F}¿?\r\nMax-Forwards"),
        ),
        (
            "a tel URI",
            changed(
                "INVITE sip:1000@198.51.100.1",
                "INVITE tel:1000;phone-context=+1",
            ),
        ),
        (
            "more than Content-Length announces",
            format!("{}trailing bytes", Peer::new("odd").invite()),
        ),
        ("no Max-Forwards", changed("Max-Forwards: 70\r\n", "")),
        (
            "a branch of RFC 2543",
            changed(";branch=z9hG4bK-odd-invite", ""),
        ),
        (
            "a header without a value",
            changed("Max-Forwards", "Subject:\r\nMax-Forwards"),
        ),
        (
            "an IPv6 sent-by",
            changed("UDP 192.0.2.7:5060", "UDP [2001:db8::9:1]:5060"),
        ),
    ];
    for (what, invite) in cases {
        let mut world = World::new();
        let sent = world.receive(&invite);
        let incoming = world
            .incoming
            .try_recv()
            .unwrap_or_else(|_| panic!("{what}: {sent:?}"));
        assert_eq!(incoming.offer.as_deref(), Some(SDP.as_bytes()), "{what}");
        assert_eq!(incoming.to_user, "1000", "{what}");
    }
}

#[test]
fn without_content_length_the_datagram_is_the_body() {
    let mut world = World::new();
    let length = format!("Content-Length: {}\r\n", SDP.len());
    assert!(world.receive(&changed(&length, "")).is_empty());
    assert_eq!(
        world.incoming.try_recv().expect("a call").offer.as_deref(),
        Some(SDP.as_bytes())
    );
}

#[test]
fn one_byte_that_is_not_utf8_loses_nothing_and_goes_back_as_it_came() {
    let mut world = World::new();
    let invite = changed("Alice", "Jos@@").replace("Call-ID: odd", "Call-ID: ##odd");
    let bytes: Vec<u8> = invite
        .bytes()
        .map(|byte| if byte == b'#' { 0xFF } else { byte })
        .collect::<Vec<_>>()
        .split(|byte| *byte == 0)
        .flatten()
        .copied()
        .collect();
    let at = bytes
        .windows(5)
        .position(|window| window == b"Jos@@")
        .expect("the name");
    let mut bytes = bytes;
    bytes.splice(at + 3..at + 5, [0xE9]);
    assert!(world.receive_bytes(&bytes).is_empty());
    let incoming = world.incoming.try_recv().expect("a call");
    assert_eq!(
        incoming.from_display.as_deref(),
        Some("José"),
        "a lone byte is shown as Latin-1"
    );
    assert_eq!(incoming.offer.as_deref(), Some(SDP.as_bytes()));
    assert!(
        incoming
            .headers
            .iter()
            .any(|(name, _)| name == "Content-Type"),
        "later headers are there"
    );
    let mut out = Vec::new();
    world
        .act(incoming.call.reject(486, ""))
        .0
        .expect("it waits");
    for output in world.receive_on(&bytes, super::Path::udp(PEER.parse().expect("an address"))) {
        out.extend_from_slice(&output.bytes);
    }
    assert!(
        out.windows(15)
            .any(|window| window == b"Call-ID: \xFF\xFFodd\r"),
        "{}",
        String::from_utf8_lossy(&out)
    );
    assert!(out.windows(4).any(|window| window == b"Jos\xE9"));
}

#[test]
fn wrong_requests_are_answered() {
    let length = format!("Content-Length: {}", SDP.len());
    let cases = [
        (
            "a body shorter than announced",
            400,
            changed(&length, "Content-Length: 9999"),
        ),
        (
            "an enormous length",
            400,
            changed(&length, "Content-Length: 18446744073709551615"),
        ),
        (
            "a length beyond any number",
            400,
            changed(&length, &format!("Content-Length: {}", "9".repeat(60))),
        ),
        (
            "a negative length",
            400,
            changed(&length, "Content-Length: -5"),
        ),
        (
            "two lengths that differ",
            400,
            changed(&length, &format!("{length}\r\nl: 3")),
        ),
        ("no end of the headers", 400, changed("\r\n\r\n", "\r\n")),
        (
            "two From",
            400,
            changed("To:", "From: <sip:x@y>;tag=z\r\nTo:"),
        ),
        (
            "a CSeq of another method",
            400,
            changed("1 INVITE", "1 BYE"),
        ),
        (
            "a CSeq beyond 2^31",
            400,
            changed("CSeq: 1 ", "CSeq: 9292394834772304023312 "),
        ),
        ("a CSeq without method", 400, changed("1 INVITE", "1")),
        ("no contact", 400, changed("Contact:", "X-Contact:")),
        (
            "spaces in the Request-URI",
            400,
            changed("INVITE sip:1000@", "INVITE sip:10 00@"),
        ),
        (
            "brackets around the Request-URI",
            400,
            changed(
                "INVITE sip:1000@198.51.100.1",
                "INVITE <sip:1000@198.51.100.1>",
            ),
        ),
        (
            "two spaces in the Request-Line",
            400,
            changed("INVITE sip", "INVITE  sip"),
        ),
        (
            "no host",
            400,
            changed("INVITE sip:1000@198.51.100.1", "INVITE sip:"),
        ),
        (
            "a method that is no token",
            400,
            changed("INVITE sip", "IN{VITE sip"),
        ),
        (
            "an unfinished From",
            400,
            changed("<sip:alice@192.0.2.7>", "<sip:alice@192.0.2.7"),
        ),
        ("a NUL", 400, changed("Max-Forwards: 70", "Subject: a\0b")),
        (
            "a lone CR",
            400,
            changed("Max-Forwards: 70", "Subject: a\rInjected: b"),
        ),
        (
            "odd Max-Forwards",
            400,
            changed("Max-Forwards: 70", "Max-Forwards: many"),
        ),
        (
            "too many headers",
            400,
            changed(
                "Max-Forwards",
                &format!("{}Max-Forwards", "A: b\r\n".repeat(200)),
            ),
        ),
        (
            "an unknown version",
            505,
            changed("SIP/2.0\r\n", "SIP/7.0\r\n"),
        ),
        (
            "an unknown scheme",
            416,
            changed("INVITE sip:1000@198.51.100.1", "INVITE nobody:opaque"),
        ),
        (
            "an unknown body",
            415,
            changed("application/sdp", "application/unheard"),
        ),
        (
            "a packed body",
            415,
            changed("Content-Type", "Content-Encoding: gzip\r\nContent-Type"),
        ),
        (
            "an unknown extension",
            420,
            changed(
                "Max-Forwards",
                "Require: timer, nothingSupportsThis, 100rel\r\nMax-Forwards",
            ),
        ),
        (
            "an unknown method",
            405,
            Peer::new("odd").request("NEWMETHOD", 1, "", ""),
        ),
        (
            "a method in lower case",
            405,
            Peer::new("odd").request("invite", 1, "", ""),
        ),
        (
            "a REGISTER",
            405,
            Peer::new("odd").request("REGISTER", 1, "", ""),
        ),
        (
            "a datagram too large",
            513,
            changed(
                "Content-Type",
                &format!("X: {}\r\nContent-Type", "y".repeat(9_000)),
            ),
        ),
    ];
    let mut world = World::new();
    for (what, expected, message) in cases {
        assert_eq!(refused(&mut world, &message), expected, "{what}");
    }
    let extension = changed("Max-Forwards", "Require: 100rel\r\nMax-Forwards");
    assert_eq!(
        header(&only(world.receive(&extension)), "Unsupported"),
        "100rel"
    );
    assert_eq!(header(&only(world.receive(&extension)), "Call-ID"), "odd");
    let (first, second) = (
        only(world.receive(&extension)),
        only(world.receive(&extension)),
    );
    assert_eq!(
        first, second,
        "the same request, the same answer, tag and all"
    );
    assert_eq!(world.stats().active_calls, 0);
}

#[test]
fn what_cannot_or_must_not_be_answered_is_dropped_and_counted() {
    let mut world = World::new();
    let cases: Vec<Vec<u8>> = vec![
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00\x01\x00\x01".to_vec(),
        b"SIP/2.0 200 OK\r\n\r\n".to_vec(),
        b"SIP/2.0 999 Odd\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK0123456789abcdef\r\nCSeq: 1 INVITE\r\n\r\n".to_vec(),
        b"INVITE sip:a@b SIP/2.0\r\n\r\n".to_vec(),
        changed("Via:", "X-Via:").into_bytes(),
        changed("Call-ID:", "X-Call-ID:").into_bytes(),
        changed("SIP/2.0/UDP 192.0.2.7:5060", "SIP/2.0/UDP 192.0.2.7:port").into_bytes(),
        Peer::new("odd").ack(1).replace("CSeq: 1 ACK", "CSeq: x ACK").into_bytes(),
        vec![0xFF; 1_200],
        vec![b'A'; 20_000],
    ];
    let count = cases.len() as u64;
    for bytes in cases {
        assert!(
            world.receive_bytes(&bytes).is_empty(),
            "{}",
            String::from_utf8_lossy(&bytes)
        );
    }
    assert_eq!(world.stats().malformed_dropped, count);
}

#[test]
fn keep_alives_are_no_messages() {
    let mut world = World::new();
    assert_eq!(world.receive("\r\n\r\n"), ["\r\n"]);
    for quiet in ["\r\n", "", "\0", "  \r\n"] {
        assert!(world.receive(quiet).is_empty());
    }
    assert_eq!(world.stats().malformed_dropped, 0);
}

#[test]
fn sdp_inside_a_multipart_is_found() {
    let body = format!(
        "--b1\r\nContent-Type: application/isup\r\n\r\n\u{1}\u{2}\r\n--b1\r\nContent-Type: application/sdp\r\n\r\n{SDP}\r\n--b1--\r\n"
    );
    let mut world = World::new();
    world.receive(&Peer::new("isup").request(
        "INVITE",
        1,
        "Content-Type: multipart/mixed; boundary=\"b1\"\r\n",
        &body,
    ));
    let offer = world
        .incoming
        .try_recv()
        .expect("a call")
        .offer
        .expect("an offer");
    assert!(offer.starts_with(SDP.as_bytes()));
}

#[test]
fn responses_go_where_the_via_says() {
    let mut world = World::new();
    let source = "203.0.113.77:40000".parse().expect("an address");
    let options = Peer::new("nat").request("OPTIONS", 1, "", "");
    let answer = &world.receive_on(options.as_bytes(), super::Path::udp(source))[0];
    assert_eq!(answer.path.peer, source, "rport asks for the source port");
    let text = String::from_utf8_lossy(&answer.bytes).into_owned();
    assert!(
        header(&text, "Via").ends_with(";rport=40000;received=203.0.113.77"),
        "{text}"
    );
    let without = Peer::new("nat2")
        .request("OPTIONS", 1, "", "")
        .replace(";rport", "");
    let answer = &world.receive_on(without.as_bytes(), super::Path::udp(source))[0];
    assert_eq!(
        answer.path.peer,
        "203.0.113.77:5060".parse().expect("an address"),
        "RFC 3261 §18.2.2"
    );
}
