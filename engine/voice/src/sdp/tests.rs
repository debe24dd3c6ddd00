use proptest::prelude::*;

use super::*;

fn session() -> Session {
    Session::new(42, "192.0.2.1:10000".parse().expect("an address"))
}

fn offer(lines: &[&str]) -> Vec<u8> {
    let mut text = String::from("v=0\r\no=a 1 1 IN IP4 192.0.2.9\r\ns=-\r\n");
    for line in lines {
        text.push_str(line);
        text.push_str("\r\n");
    }
    text.into_bytes()
}

fn answered(lines: &[&str]) -> Answered {
    session().answer(&offer(lines)).expect("usable")
}

fn refusal(lines: &[&str]) -> SdpError {
    session().answer(&offer(lines)).expect_err("unusable")
}

const C: &str = "c=IN IP4 192.0.2.9";
const T: &str = "t=0 0";

#[test]
fn the_answer_to_an_ordinary_offer() {
    let answered = answered(&[
        C,
        T,
        "m=audio 4000 RTP/AVP 18 8 0 101",
        "a=rtpmap:18 G729/8000",
        "a=rtpmap:8 PCMA/8000",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:101 telephone-event/8000",
        "a=fmtp:101 0-16",
        "a=ptime:30",
    ]);
    assert_eq!(
        answered.remote,
        Remote {
            addr: "192.0.2.9:4000".parse().expect("an address"),
            codec: Codec::Pcma,
            payload_type: 8,
            dtmf_pt: Some(101),
            direction: Direction::SendRecv,
        }
    );
    assert_eq!(answered.ptime_ms, Some(30));
    assert_eq!(
        answered.sdp,
        "v=0\r\no=- 42 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
         m=audio 10000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
         a=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    );
}

#[test]
fn static_types_need_no_rtpmap_and_dynamic_ones_may_be_ours() {
    assert_eq!(
        answered(&[C, T, "m=audio 4000 RTP/AVP 0"]).remote.codec,
        Codec::Pcmu
    );
    let mapped = answered(&[C, T, "m=audio 4000 RTP/AVP 97 0", "a=rtpmap:97 pcma/8000/1"]);
    assert_eq!(
        (mapped.remote.codec, mapped.remote.payload_type),
        (Codec::Pcma, 97)
    );
    assert!(mapped.sdp.contains("RTP/AVP 97\r\na=rtpmap:97 PCMA/8000"));
}

#[test]
fn telephone_event_counts_only_at_our_clock_rate() {
    let lines = [
        C,
        T,
        "m=audio 4000 RTP/AVP 0 100 96",
        "a=rtpmap:100 telephone-event/48000",
    ];
    assert_eq!(answered(&lines).remote.dtmf_pt, None);
    let with = [&lines[..], &["a=rtpmap:96 telephone-event/8000"]].concat();
    assert_eq!(answered(&with).remote.dtmf_pt, Some(96));
    // A number that is mapped but not listed in m= is not offered.
    let unlisted = [
        C,
        T,
        "m=audio 4000 RTP/AVP 0",
        "a=rtpmap:96 telephone-event/8000",
    ];
    assert_eq!(answered(&unlisted).remote.dtmf_pt, None);
}

#[test]
fn media_address_stands_over_session_address() {
    let answered = answered(&[C, T, "m=audio 4000 RTP/AVP 0", "c=IN IP4 198.51.100.7"]);
    assert_eq!(
        answered.remote.addr,
        "198.51.100.7:4000".parse().expect("an address")
    );
}

#[test]
fn other_lines_are_refused_with_port_zero() {
    let answered = answered(&[
        C,
        T,
        "m=video 5000 RTP/AVP 96",
        "a=rtpmap:96 VP8/90000",
        "m=audio 5002 RTP/SAVP 0",
        "m=audio 5004 RTP/AVP 0",
        "a=sendonly",
        "m=audio 5006 RTP/AVP 8",
    ]);
    let lines: Vec<&str> = answered
        .sdp
        .lines()
        .filter(|line| line.starts_with("m="))
        .collect();
    assert_eq!(
        lines,
        [
            "m=video 0 RTP/AVP 96",
            "m=audio 0 RTP/SAVP 0",
            "m=audio 10000 RTP/AVP 0",
            "m=audio 0 RTP/AVP 8",
        ]
    );
    assert_eq!(answered.remote.addr.port(), 5004);
    assert_eq!(answered.remote.direction, Direction::RecvOnly);
}

#[test]
fn hold_and_resume_in_both_styles() {
    let mut session = session();
    let mut direction = |lines: &[&str]| {
        let all = [&[C, T, "m=audio 4000 RTP/AVP 0"], lines].concat();
        let answered = session.answer(&offer(&all)).expect("usable");
        let attribute = format!("a={}\r\n", answered.remote.direction.name());
        assert!(answered.sdp.ends_with(&attribute), "{}", answered.sdp);
        let version = answered.sdp.split(' ').nth(2).map(str::to_owned);
        (
            answered.remote.direction,
            version.expect("o= has a version"),
        )
    };
    assert_eq!(direction(&[]), (Direction::SendRecv, "1".into()));
    assert_eq!(
        direction(&["a=sendonly"]),
        (Direction::RecvOnly, "2".into())
    );
    assert_eq!(
        direction(&["a=sendonly"]),
        (Direction::RecvOnly, "2".into()),
        "nothing changed"
    );
    assert_eq!(
        direction(&["a=inactive"]),
        (Direction::Inactive, "3".into())
    );
    assert_eq!(
        direction(&["a=recvonly"]),
        (Direction::SendOnly, "4".into())
    );
    assert_eq!(
        direction(&["a=sendrecv"]),
        (Direction::SendRecv, "5".into())
    );
    assert_eq!(
        direction(&["c=IN IP4 0.0.0.0"]),
        (Direction::RecvOnly, "6".into())
    );
    assert_eq!(
        direction(&["c=IN IP4 0.0.0.0", "a=recvonly"]).0,
        Direction::Inactive
    );
    let at_session = answered(&[C, T, "a=sendonly", "m=audio 4000 RTP/AVP 0"]);
    assert_eq!(at_session.remote.direction, Direction::RecvOnly);
}

#[test]
fn a_failed_offer_changes_nothing() {
    let mut session = session();
    let good = offer(&[C, T, "m=audio 4000 RTP/AVP 0"]);
    let first = session.answer(&good).expect("usable");
    assert!(
        session
            .answer(&offer(&[C, T, "m=audio 4000 RTP/AVP 18"]))
            .is_err()
    );
    assert_eq!(session.answer(&good).expect("usable"), first);
}

#[test]
fn what_cannot_be_used_says_why() {
    let codec = refusal(&[C, T, "m=audio 4000 RTP/AVP 18 9", "m=video 1 RTP/AVP 0"]);
    assert_eq!(
        codec,
        SdpError::NoCommonCodec {
            offered: "18 9".into()
        }
    );
    assert_eq!(codec.status(), 488);
    assert_eq!(
        refusal(&[C, T, "m=audio 4000 RTP/AVP 0", "a=rtpmap:0 G729/8000"]),
        SdpError::NoCommonCodec {
            offered: "0".into()
        }
    );
    assert_eq!(refusal(&[C, T, "m=audio 0 RTP/AVP 0"]), SdpError::NoAudio);
    assert_eq!(
        refusal(&[C, T, "m=audio 4000 UDP/TLS/RTP/SAVPF 0"]),
        SdpError::NoAudio
    );
    assert_eq!(refusal(&[C, T]), SdpError::NoAudio);
    assert!(matches!(
        refusal(&[T, "m=audio 4000 RTP/AVP 0"]),
        SdpError::Address(_)
    ));
    assert!(matches!(
        refusal(&["c=IN IP4 phone.example.com", T, "m=audio 4000 RTP/AVP 0"]),
        SdpError::Address(_)
    ));
    for group in [
        "IP4 224.2.1.1/127",
        "IP4 239.255.255.250",
        "IP4 255.255.255.255",
        "IP6 ff15::101",
        "IP6 ::ffff:255.255.255.255",
    ] {
        let refusal = refusal(&[&format!("c=IN {group}"), T, "m=audio 4000 RTP/AVP 0"]);
        assert!(
            matches!(refusal, SdpError::Address(_)),
            "{group}: {refusal}"
        );
        assert_eq!(refusal.status(), 488);
    }
    assert!(matches!(
        refusal(&["c=IN IP6 2001:db8::1", T, "m=audio 4000 RTP/AVP 0"]),
        SdpError::AddressFamily { .. }
    ));
    assert_eq!(refusal(&["m=audio 99999 RTP/AVP 0"]).status(), 400);
    assert!(matches!(
        session().answer(b"hello"),
        Err(SdpError::Malformed(_))
    ));
    assert_eq!(session().answer(&[b'a'; 20_000]), Err(SdpError::TooLarge));
    assert_eq!(refusal(&["m=audio 1 RTP/AVP 0"; 17]).status(), 513);
}

#[test]
fn internet_protocol_version_six() {
    let mut session = Session::new(1, "[2001:db8::1]:10000".parse().expect("an address"));
    let answered = session
        .answer(&offer(&[
            "c=IN IP6 2001:db8::9",
            T,
            "m=audio 4000 RTP/AVP 0",
        ]))
        .expect("usable");
    assert_eq!(
        answered.remote.addr,
        "[2001:db8::9]:4000".parse().expect("an address")
    );
    assert!(answered.sdp.contains("c=IN IP6 2001:db8::1\r\n"));
}

#[test]
fn our_offer_meets_our_answer() {
    let (mut caller, mut callee) = (
        session(),
        Session::new(7, "192.0.2.2:20000".parse().expect("an address")),
    );
    let offer = caller.offer(Direction::SendRecv);
    assert!(offer.contains("m=audio 10000 RTP/AVP 0 8 101\r\n"));
    let answer = callee.answer(offer.as_bytes()).expect("usable");
    assert_eq!(answer.remote.addr.port(), 10_000);
    let remote = caller.accept(answer.sdp.as_bytes()).expect("usable");
    assert_eq!(
        (remote.addr.port(), remote.codec, remote.dtmf_pt),
        (20_000, Codec::Pcmu, Some(101))
    );
    // The caller holds: same lines, next version, other direction.
    let hold = caller.offer(Direction::SendOnly);
    assert!(
        hold.contains("o=- 42 2 ") && hold.ends_with("a=sendonly\r\n"),
        "{hold}"
    );
    assert_eq!(
        callee
            .answer(hold.as_bytes())
            .expect("usable")
            .remote
            .direction,
        Direction::RecvOnly
    );
    let closed = b"v=0\r\nm=audio 0 RTP/AVP 0\r\n";
    assert_eq!(
        caller.accept(closed).expect("taken away").direction,
        Direction::Inactive
    );
    assert_eq!(session().accept(closed), Err(SdpError::NoAudio));
}

#[test]
fn audio_that_a_later_offer_takes_away_may_come_back() {
    let mut session = session();
    let open = offer(&[C, T, "m=audio 4000 RTP/AVP 8"]);
    let away = offer(&[C, T, "m=audio 0 RTP/AVP 8"]);
    let first = session.answer(&open).expect("usable").remote;
    let answered = session.answer(&away).expect("RFC 3264, section 8.2");
    assert!(
        answered.sdp.ends_with("m=audio 0 RTP/AVP 8\r\n"),
        "{}",
        answered.sdp
    );
    let nobody_sends = Remote {
        direction: Direction::Inactive,
        ..first
    };
    assert_eq!(answered.remote, nobody_sends);
    assert_eq!(session.answer(&open).expect("usable").remote, first);
    // Asked to offer while there is none, we offer it again, in the same place.
    session.answer(&away).expect("again");
    let ours = session.offer(Direction::SendRecv);
    assert!(ours.contains("m=audio 10000 RTP/AVP 0 8 101\r\n"), "{ours}");
    assert_eq!(ours.matches("m=").count(), 1, "{ours}");
    assert_eq!(
        session.accept(&away).expect("declined").direction,
        Direction::Inactive
    );
    // An audio line in words that are not ours is refused as ever, and so is a description without any.
    for lines in [
        &[C, T, "m=audio 0 RTP/AVP 8", "m=audio 4002 RTP/SAVP 8"][..],
        &[C, T, "m=video 0 RTP/AVP 8"],
    ] {
        assert_eq!(session.answer(&offer(lines)), Err(SdpError::NoAudio));
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = session().answer(&bytes);
    }

    #[test]
    fn no_lines_panic(lines in prop::collection::vec(
        prop_oneof![
            "m=(audio|video) [0-9]{1,6}(/[0-9])? RTP/AVP( [0-9]{1,3}){0,4}",
            "c=IN (IP4|IP6) [0-9a-f:./]{0,20}",
            "a=rtpmap:[0-9 ]{0,4}(PCMU|telephone-event)?/?[0-9]{0,12}/?",
            "a=(ptime:[0-9]{0,12}|sendonly|inactive|fmtp:[0-9]* .*)",
            "[a-z]=.{0,30}",
        ], 0..12)) {
        let text = format!("v=0\r\n{}\r\n", lines.join("\r\n"));
        let mut session = session();
        if let Ok(answered) = session.answer(text.as_bytes()) {
            // What we answer is itself a description that can be read.
            prop_assert!(Session::new(1, session.local).accept(answered.sdp.as_bytes()).is_ok());
        }
    }
}
