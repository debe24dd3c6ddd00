//! Connections of the HTTP interface, with limits: a peer that stalls costs a little and holds nothing up.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::attended::Turn;
use super::lingering::{LINGERS, Lingering};
use super::seats::{Seat, Seats, Taken};
use super::timely::Timely;
use super::{Peer, Tls};

/// Connections served at once. A further one has the place of one that waits for its peer; where all work, it waits.
const MAX_CONNECTIONS: usize = 2_048;

/// Most that is kept of a head that is not whole, and read at once, in bytes; a head has at most twice as much. All connections
/// together hold 256 MiB of what nobody has asked a token for.
const HEAD_BYTES: usize = 64 << 10;

/// How long a peer may take for the head of a request, and how long a connection may lie idle between two.
const HEAD_WITHIN: Duration = Duration::from_secs(15);

/// How long a peer may take for the TLS handshake.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);

/// How long a peer may take nothing of what is written to it, be that an answer, a download or a stream of events: then the
/// connection ends, and what was to be sent is forgotten.
const TAKEN_WITHIN: Duration = Duration::from_secs(30);

/// How long requests in progress are waited for when the engine stops.
const FINISH_WITHIN: Duration = Duration::from_secs(2);

/// Pause after a failed accept, which is mostly want of file descriptors.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Connections whose peers took nothing for too long.
static STALLED: AtomicU64 = AtomicU64::new(0);

/// Connections that gave way to others, and those that did not get a place.
static GAVE_WAY: AtomicU64 = AtomicU64::new(0);

/// Connections that were ended since the start of the program because there were too many, and others had fewer.
pub(super) fn gave_way() -> u64 {
    GAVE_WAY.load(Ordering::Relaxed)
}

/// Connections that were ended since the start of the program because their peers took nothing of what was written to them.
pub(super) fn stalled() -> u64 {
    STALLED.load(Ordering::Relaxed)
}

/// Answers requests until `closed`, then lets those in progress finish within two seconds.
pub async fn listen(
    listener: TcpListener,
    tls: Option<Tls>,
    api: Router,
    closed: CancellationToken,
) {
    listen_with(listener, tls, api, closed, MAX_CONNECTIONS).await;
}

async fn listen_with(
    listener: TcpListener,
    tls: Option<Tls>,
    api: Router,
    closed: CancellationToken,
    most: usize,
) {
    let seats = Seats::new(most);
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = closed.cancelled() => break,
            accepted = accept(&listener, &seats) => accepted,
        };
        let Some((stream, peer, taken)) = accepted else {
            continue;
        };
        let seat = taken.seat();
        let stream = Timely::new(stream, TAKEN_WITHIN, seat.clone());
        let (api, closed) = (api.clone(), closed.clone());
        // Each connection takes the certificate as it is now.
        let acceptor = tls.as_ref().map(Tls::acceptor);
        connections.spawn(async move {
            let from = (peer, seat.clone());
            let served = async {
                let Some(acceptor) = acceptor else {
                    return converse(stream, from, api, closed).await;
                };
                let handshake = tokio::time::timeout(HANDSHAKE_WITHIN, acceptor.accept(stream));
                match handshake.await {
                    Ok(Ok(stream)) => converse(stream, from, api, closed).await,
                    Ok(Err(error)) => {
                        tracing::debug!(%error, source = %peer, "no TLS with a client")
                    }
                    Err(_) => {
                        tracing::debug!(source = %peer, "a client did not end its TLS handshake")
                    }
                }
            };
            tokio::select! {
                () = served => {}
                () = seat.gone() => sent_away(peer),
            }
            drop(taken);
        });
    }
    connections.close();
    if tokio::time::timeout(FINISH_WITHIN, connections.wait())
        .await
        .is_err()
    {
        tracing::info!(
            connections = connections.len(),
            "HTTP requests were still unfinished when the engine stopped"
        );
    }
}

/// A connection that ends though nothing is wrong with it.
fn sent_away(peer: Peer) {
    GAVE_WAY.fetch_add(1, Ordering::Relaxed);
    tracing::debug!(source = %peer, "a connection gave way: there are as many as can be, and its source has most of those that wait");
}

async fn accept(listener: &TcpListener, seats: &Arc<Seats>) -> Option<(TcpStream, Peer, Taken)> {
    match listener.accept().await {
        Ok((stream, peer)) => {
            // The system does the same with what it has taken over and nobody acknowledges, also after the end.
            if let Err(error) = SockRef::from(&stream).set_tcp_user_timeout(Some(TAKEN_WITHIN)) {
                tracing::debug!(%error, "a connection has no time limit in the system");
            }
            let peer = Peer(peer);
            let Some(taken) = seats.take(peer.network()).await else {
                sent_away(peer);
                return None;
            };
            Some((stream, peer, taken))
        }
        Err(error) => {
            tracing::warn!(%error, "an HTTP connection cannot be accepted");
            tokio::time::sleep(ACCEPT_AGAIN).await;
            None
        }
    }
}

async fn converse<S>(
    stream: S,
    (peer, seat): (Peer, Arc<Seat>),
    api: Router,
    closed: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let api = tower::service_fn(move |mut request: Request<Incoming>| {
        let turn = Turn::begins(&seat);
        request.extensions_mut().insert(peer);
        let answer = api.clone().oneshot(request.map(|body| turn.arriving(body)));
        async move { Ok::<_, Infallible>(answer.await?.map(|body| turn.leaving(body))) }
    });
    let stream = Lingering::new(stream, LINGERS, closed.clone());
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(api))
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = closed.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref());
        if cause.is_some_and(|cause: &std::io::Error| cause.kind() == ErrorKind::TimedOut) {
            STALLED.fetch_add(1, Ordering::Relaxed);
        }
        tracing::debug!(%error, "an HTTP connection broke");
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Arc;
    use std::time::Duration;

    use axum::Router;
    use axum::body::{Body, Bytes};
    use axum::http::StatusCode;
    use axum::routing::{get, put};
    use futures_util::stream;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::net::{TcpListener, TcpStream};
    use tokio_util::sync::CancellationToken;

    use super::{Seat, Timely, converse, gave_way, listen, listen_with, stalled};
    use crate::http::Peer;

    /// What is answered: more than a connection holds, whole or piece by piece without an end.
    fn answers() -> Router {
        let endless = || {
            let pieces =
                stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(&[0; 4096])));
            Body::from_stream(pieces)
        };
        Router::new()
            .route("/whole", get(async || vec![0_u8; 8 << 20]))
            .route("/endless", get(async move || endless()))
            .route("/short", get(async || "short"))
    }

    fn nobody() -> (Peer, Arc<Seat>) {
        (Peer::default(), Seat::alone())
    }

    #[tokio::test]
    async fn an_answer_that_nobody_reads_ends_its_connection() {
        for path in ["/whole", "/endless"] {
            let (there, mut here) = duplex(4096);
            // Pipelined: the second answer would wait behind the first.
            let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
            let all = request.repeat(2);
            here.write_all(all.as_bytes()).await.expect("room");
            let before = stalled();
            let stream = Timely::new(there, Duration::from_millis(50), Seat::alone());
            // It comes to its end though the other end stays open.
            converse(stream, nobody(), answers(), CancellationToken::new()).await;
            assert!(stalled() > before, "{path}");
            let mut got = Vec::new();
            here.read_to_end(&mut got).await.expect("what was sent");
            assert!((1..=4096).contains(&got.len()), "{path}: {}", got.len());
        }
    }

    /// A client that writes head and body apart, as many do, is answered before the body is there.
    #[tokio::test]
    async fn who_is_still_sending_gets_the_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let closed = CancellationToken::new();
        let refuses = Router::new().route("/refused", put(async || StatusCode::FORBIDDEN));
        let served = tokio::spawn(listen(listener, None, refuses, closed.clone()));
        for version in ["1.0", "1.1"] {
            let mut client = TcpStream::connect(address).await.expect("a connection");
            let head =
                format!("PUT /refused HTTP/{version}\r\nHost: a\r\nContent-Length: 60000\r\n\r\n");
            client.write_all(head.as_bytes()).await.expect("the head");
            // The whole answer is there, and its end.
            client.readable().await.expect("an answer");
            for _ in 0..60 {
                client.write_all(&[b' '; 1000]).await.expect("the body");
            }
            let mut got = String::new();
            client.read_to_string(&mut got).await.expect("the answer");
            assert!(got.contains(" 403 Forbidden"), "{got}");
        }
        closed.cancel();
        served.await.expect("an end");
    }

    #[tokio::test]
    async fn whoever_reads_is_not_cut_off() {
        let (there, mut here) = duplex(4096);
        let request =
            "GET /whole HTTP/1.1\r\nHost: a\r\n\r\nGET /short HTTP/1.0\r\nHost: a\r\n\r\n";
        here.write_all(request.as_bytes()).await.expect("room");
        let stream = Timely::new(there, Duration::from_secs(30), Seat::alone());
        let served = converse(stream, nobody(), answers(), CancellationToken::new());
        let mut got = Vec::new();
        let ((), read) = tokio::join!(served, here.read_to_end(&mut got));
        read.expect("the answers");
        assert!(
            got.len() > 8 << 20 && got.ends_with(b"short"),
            "{}",
            got.len()
        );
    }

    /// Whatever a crowd of connections waits with, who comes then is answered; who waits for us is left alone.
    #[tokio::test]
    async fn who_waits_with_nothing_gives_way_to_who_asks() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let (closed, go_on) = (CancellationToken::new(), CancellationToken::new());
        let waits = go_on.clone();
        let slow = async move || {
            waits.cancelled().await;
            "at last"
        };
        let api = answers()
            .route("/slow", get(slow))
            .route("/sent", put(async |body: Bytes| body));
        let served = tokio::spawn(listen_with(listener, None, api, closed.clone(), 8));
        let connect = async |text: &str| {
            let mut client = TcpStream::connect(address).await.expect("a connection");
            client.write_all(text.as_bytes()).await.expect("it is sent");
            client
        };
        let mut waiting = connect("GET /slow HTTP/1.0\r\nHost: a\r\n\r\n").await;
        let before = gave_way();
        let mut crowd = Vec::new();
        for said in [
            "",
            "GET /short HTTP/1.1\r\nHost:",
            "GET /short HTTP/1.1\r\nHost: a\r\n\r\n",
            "PUT /sent HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf",
            "GET /endless HTTP/1.1\r\nHost: a\r\n\r\n",
        ] {
            for _ in 0..20 {
                crowd.push(connect(said).await);
            }
            let mut got = String::new();
            let mut asks = connect("GET /short HTTP/1.0\r\nHost: a\r\n\r\n").await;
            asks.read_to_string(&mut got).await.expect("an answer");
            assert!(got.ends_with("short"), "{said}: {got}");
        }
        assert!(gave_way() >= before + 80, "{}", gave_way() - before);
        go_on.cancel();
        let mut got = String::new();
        waiting.read_to_string(&mut got).await.expect("an answer");
        assert!(got.ends_with("at last"), "{got}");
        closed.cancel();
        served.await.expect("an end");
    }
}
