//! The endpoint on the network: loopback, a peer made of plain sockets, and ourselves as the caller.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::super::{CallEvent, Incoming, OutgoingCall, Sip, SipConfig, SipError};
use super::{PEER, Peer, SDP, header, status};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

async fn endpoint() -> (Sip, mpsc::Receiver<Incoming>) {
    Sip::bind(SipConfig::new("127.0.0.1:0".parse().expect("an address")))
        .await
        .expect("a free port")
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("in time")
}

async fn next(call: &mut mpsc::Receiver<CallEvent>) -> Option<CallEvent> {
    soon(call.recv()).await
}

/// One whole message from a stream.
async fn read(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    loop {
        let byte = soon(stream.read_u8()).await.expect("more");
        text.push(char::from(byte));
        if text.ends_with("\r\n\r\n") {
            let mut body = vec![0; header(&text, "Content-Length").parse().expect("a length")];
            soon(stream.read_exact(&mut body)).await.expect("a body");
            return text + &String::from_utf8_lossy(&body);
        }
    }
}

async fn exchange(socket: &UdpSocket, to: SocketAddr, message: &[u8]) -> String {
    socket.send_to(message, to).await.expect("sent");
    let mut buffer = [0; 4_096];
    let length = soon(socket.recv(&mut buffer)).await.expect("received");
    String::from_utf8_lossy(&buffer[..length]).into_owned()
}

#[tokio::test]
async fn a_taken_port_is_one_clear_sentence() {
    let (sip, _incoming) = endpoint().await;
    let again = Sip::bind(SipConfig::new(sip.local_addr()))
        .await
        .expect_err("taken");
    let text = again.to_string();
    assert!(matches!(
        again,
        SipError::Bind {
            transport: "UDP",
            ..
        }
    ));
    assert!(
        text.contains(&sip.local_addr().to_string()) && text.contains("--sip"),
        "{text}"
    );
    let tcp_only = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = tcp_only.local_addr().expect("bound");
    let refused = Sip::bind(SipConfig::new(taken))
        .await
        .expect_err("taken for TCP");
    assert!(
        matches!(
            refused,
            SipError::Bind {
                transport: "TCP",
                ..
            }
        ),
        "{refused}"
    );
}

#[tokio::test]
async fn bound_to_all_addresses_it_names_the_one_the_peer_can_reach() {
    let config = SipConfig::new("0.0.0.0:0".parse().expect("an address"));
    let (sip, mut incoming) = Sip::bind(config).await.expect("a free port");
    let to = SocketAddr::from(([127, 0, 0, 1], sip.local_addr().port()));
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    socket
        .send_to(Peer::new("any").invite().as_bytes(), to)
        .await
        .expect("sent");
    let call = soon(incoming.recv()).await.expect("a call");
    call.call.answer(SDP.into()).await.expect("it waits");
    let mut buffer = [0; 4_096];
    let length = soon(socket.recv(&mut buffer)).await.expect("a response");
    let ok = String::from_utf8_lossy(&buffer[..length]);
    assert_eq!(header(&ok, "Contact"), format!("<sip:strowger@{to}>"));
}

#[tokio::test]
async fn datagrams_that_are_too_large_or_nonsense_leave_it_answering() {
    let (sip, _incoming) = endpoint().await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let large = Peer::new("large").request("OPTIONS", 1, "", &"x".repeat(40_000));
    assert_eq!(
        status(&exchange(&socket, sip.local_addr(), large.as_bytes()).await),
        513
    );
    for nonsense in [&b"\xFF\xFE"[..], b"", b"OPTIONS", &[0; 60_000]] {
        socket
            .send_to(nonsense, sip.local_addr())
            .await
            .expect("sent");
    }
    let options = Peer::new("after").request("OPTIONS", 1, "", "");
    assert_eq!(
        status(&exchange(&socket, sip.local_addr(), options.as_bytes()).await),
        200
    );
    let stats = sip.meter().read();
    assert_eq!(
        (stats.malformed_answered, stats.malformed_dropped),
        (1, 2),
        "{stats:?}"
    );
    assert_eq!(stats.requests.get("OPTIONS"), Some(&1));
}

#[tokio::test]
async fn the_wait_of_a_datagram_is_known() {
    let address = "127.0.0.1:0".parse().expect("an address");
    let (socket, _listener) = super::super::bind::bind_both(address).expect("a free port");
    let to = socket.local_addr().expect("bound");
    let sender = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let mut buffer = [0; 8];
    let asked_before = super::super::bind::waited(&socket);
    assert_eq!(asked_before, None, "nothing was taken yet");
    sender.send_to(b"x", to).await.expect("sent");
    soon(socket.recv(&mut buffer)).await.expect("received");
    let waited = super::super::bind::waited(&socket).expect("it is stamped");
    assert!(waited < PATIENCE, "{waited:?}");
}

#[tokio::test]
async fn a_stream_is_cut_wherever_it_is_split() {
    let (sip, _incoming) = endpoint().await;
    let mut stream = TcpStream::connect(sip.local_addr())
        .await
        .expect("connected");
    let mut peer = Peer::new("stream");
    let (one, two) = (
        peer.request("OPTIONS", 1, "", "body"),
        peer.request("OPTIONS", 2, "", ""),
    );
    let both = format!("\r\n\r\n{one}\r\n{two}");
    for piece in both.as_bytes().chunks(7) {
        stream.write_all(piece).await.expect("sent");
        stream.flush().await.expect("sent");
        tokio::task::yield_now().await;
    }
    let mut pong = [0; 2];
    soon(stream.read_exact(&mut pong)).await.expect("a pong");
    assert_eq!(&pong, b"\r\n");
    assert_eq!(header(&read(&mut stream).await, "CSeq"), "1 OPTIONS");
    assert_eq!(header(&read(&mut stream).await, "CSeq"), "2 OPTIONS");
    assert_eq!(sip.meter().read().tcp_connections, 1);
}

#[tokio::test]
async fn an_enormous_length_on_a_stream_is_answered_and_closes_it() {
    let (sip, _incoming) = endpoint().await;
    for length in ["18446744073709551615", "70000", "-1", "x"] {
        let mut stream = TcpStream::connect(sip.local_addr())
            .await
            .expect("connected");
        let bad = Peer::new("big")
            .request("OPTIONS", 1, "", "")
            .replace("Content-Length: 0", &format!("l: {length}"));
        stream.write_all(bad.as_bytes()).await.expect("sent");
        assert_eq!(status(&read(&mut stream).await), 400, "{length}");
        let mut rest = Vec::new();
        soon(stream.read_to_end(&mut rest)).await.expect("closed");
        assert!(rest.is_empty());
    }
    let mut stream = TcpStream::connect(sip.local_addr())
        .await
        .expect("connected");
    stream
        .write_all(Peer::new("fine").request("OPTIONS", 1, "", "").as_bytes())
        .await
        .expect("sent");
    assert_eq!(status(&read(&mut stream).await), 200);
}

#[tokio::test]
async fn connections_are_limited() {
    let mut config = SipConfig::new("127.0.0.1:0".parse().expect("an address"));
    config.limits.tcp_connections = 1;
    let (sip, _incoming) = Sip::bind(config).await.expect("a free port");
    let mut first = TcpStream::connect(sip.local_addr())
        .await
        .expect("connected");
    first.write_all(b"\r\n\r\n").await.expect("sent");
    let mut pong = [0; 2];
    soon(first.read_exact(&mut pong)).await.expect("a pong");
    let mut second = TcpStream::connect(sip.local_addr())
        .await
        .expect("connected");
    let mut rest = Vec::new();
    let closed = soon(second.read_to_end(&mut rest)).await;
    assert!(closed.is_err() || rest.is_empty(), "closed at once");
}

async fn call_between(tcp: bool) {
    let ((callee, mut incoming), (caller, _none)) = (endpoint().await, endpoint().await);
    let transport = if tcp { ";transport=tcp" } else { "" };
    let target = format!("sip:1000@{}{transport}", callee.local_addr());
    let placed = caller
        .call(
            &target,
            "\"Demo \\\"D\\\"\" <sip:demo@127.0.0.1>",
            SDP.into(),
        )
        .await;
    let OutgoingCall {
        call: ours,
        events: mut our_events,
        call_id,
        ..
    } = placed.expect("placed");
    let mut theirs = soon(incoming.recv()).await.expect("a call");
    assert_eq!(
        (theirs.to_user.as_str(), theirs.from_display.as_deref()),
        ("1000", Some("Demo \"D\""))
    );
    assert_eq!(theirs.call_id, call_id);
    theirs.call.ringing().await.expect("it rings");
    assert!(matches!(
        next(&mut our_events).await,
        Some(CallEvent::Ringing { status: 180, .. })
    ));
    theirs.call.answer(SDP.into()).await.expect("it waits");
    assert!(
        matches!(next(&mut our_events).await, Some(CallEvent::Answered { sdp }) if sdp == SDP.as_bytes())
    );
    assert!(matches!(
        next(&mut theirs.events).await,
        Some(CallEvent::Acked { sdp: None })
    ));

    ours.info("application/dtmf-relay", b"Signal=7\r\n".to_vec())
        .await
        .expect("up");
    let Some(CallEvent::Key { key: '7', reply }) = next(&mut theirs.events).await else {
        panic!("a key")
    };
    reply.heard().await;

    theirs
        .call
        .refer("sip:agent@203.0.113.5", None)
        .await
        .expect("up");
    let Some(CallEvent::Refer {
        target, mut reply, ..
    }) = next(&mut our_events).await
    else {
        panic!("a REFER")
    };
    assert_eq!(target, "sip:agent@203.0.113.5");
    reply.accept().await.expect("open");
    reply.notify(200, "OK").await.expect("open");
    let progress = next(&mut theirs.events).await;
    assert!(
        matches!(
            progress,
            Some(CallEvent::TransferProgress {
                status: 100,
                last: false,
                ..
            })
        ),
        "{progress:?}"
    );
    let progress = next(&mut theirs.events).await;
    assert!(
        matches!(
            progress,
            Some(CallEvent::TransferProgress {
                status: 200,
                last: true,
                ..
            })
        ),
        "{progress:?}"
    );

    theirs.call.hang_up().await.expect("up");
    assert!(matches!(next(&mut our_events).await, Some(CallEvent::Bye)));
    assert!(next(&mut our_events).await.is_none() && next(&mut theirs.events).await.is_none());
    soon(async { tokio::join!(callee.shutdown(), caller.shutdown()) }).await;
}

#[tokio::test]
async fn we_call_ourselves_over_udp() {
    call_between(false).await;
}

#[tokio::test]
async fn we_call_ourselves_over_tcp() {
    call_between(true).await;
}

#[tokio::test]
async fn a_call_to_a_closed_port_over_tcp_is_refused_at_once() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port");
    let (sip, _incoming) = endpoint().await;
    let target = format!("sip:nobody@{closed};transport=tcp");
    let mut call = sip
        .call(&target, "sip:demo@127.0.0.1", SDP.into())
        .await
        .expect("placed");
    assert!(matches!(
        next(&mut call.events).await,
        Some(CallEvent::Refused { status: 503, .. })
    ));
}

#[tokio::test]
async fn targets_that_cannot_be_called_are_refused_with_the_reason() {
    let (sip, _incoming) = endpoint().await;
    for (target, from) in [
        ("sips:a@127.0.0.1", "sip:demo@127.0.0.1"),
        ("tel:+15551234", "sip:demo@127.0.0.1"),
        ("nonsense", "sip:demo@127.0.0.1"),
        ("sip:a@127.0.0.1", "sip:a@b\r\nX:y"),
        ("sip:a@127.0.0.1", "\"x\" <sip:a@b"),
    ] {
        let refused = sip.call(target, from, Vec::new()).await.expect_err(target);
        assert!(matches!(refused, SipError::Uri { .. }), "{refused}");
    }
    let refused = sip
        .call(
            "sip:a@no-such-host.invalid",
            "sip:demo@127.0.0.1",
            Vec::new(),
        )
        .await
        .expect_err("unknown");
    assert!(matches!(refused, SipError::Resolve { .. }), "{refused}");
}

#[tokio::test]
async fn a_shutdown_refuses_ends_and_frees_the_port() {
    let (sip, mut incoming) = endpoint().await;
    let address = sip.local_addr();
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    // The Via asks for rport, so the 480 comes back here.
    socket
        .send_to(Peer::new("ringing").invite().as_bytes(), address)
        .await
        .expect("sent");
    let call = soon(incoming.recv()).await.expect("a call");
    soon(sip.shutdown()).await;
    assert!(matches!(call.call.ringing().await, Err(SipError::Closed)));
    let mut buffer = [0; 4_096];
    let length = soon(socket.recv(&mut buffer)).await.expect("a response");
    assert_eq!(status(&String::from_utf8_lossy(&buffer[..length])), 480);
    let (again, _incoming) = Sip::bind(SipConfig::new(address))
        .await
        .expect("free again");
    drop(again);
    assert!(PEER.parse::<SocketAddr>().is_ok());
}
