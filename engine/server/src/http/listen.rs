//! Connections of the HTTP interface, with limits: a peer that stalls costs a little and holds nothing up.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::{Peer, Tls};

/// Connections served at once; further ones wait in the system's queue.
const MAX_CONNECTIONS: usize = 2_048;

/// Most that is kept of a head that is not whole, and read at once, in bytes; a head has at most twice as much. All connections
/// together hold 256 MiB of what nobody has asked a token for.
const HEAD_BYTES: usize = 64 << 10;

/// How long a peer may take for the head of a request, and how long a connection may lie idle between two.
const HEAD_WITHIN: Duration = Duration::from_secs(15);

/// How long a peer may take for the TLS handshake.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);

/// How long requests in progress are waited for when the engine stops.
const FINISH_WITHIN: Duration = Duration::from_secs(2);

/// Pause after a failed accept, which is mostly want of file descriptors.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Answers requests until `closed`, then lets those in progress finish within two seconds.
pub async fn listen(
    listener: TcpListener,
    tls: Option<Tls>,
    api: Router,
    closed: CancellationToken,
) {
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let connections = TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = closed.cancelled() => break,
            accepted = accept(&listener, &slots) => accepted,
        };
        let Some((stream, peer, slot)) = accepted else {
            continue;
        };
        let (api, closed) = (api.clone(), closed.clone());
        // Each connection takes the certificate as it is now.
        let acceptor = tls.as_ref().map(Tls::acceptor);
        connections.spawn(async move {
            match acceptor {
                None => converse(stream, peer, api, closed).await,
                Some(acceptor) => {
                    let handshake = tokio::time::timeout(HANDSHAKE_WITHIN, acceptor.accept(stream));
                    match handshake.await {
                        Ok(Ok(stream)) => converse(stream, peer, api, closed).await,
                        Ok(Err(error)) => tracing::debug!(%error, source = %peer, "no TLS with a client"),
                        Err(_) => tracing::debug!(source = %peer, "a client did not end its TLS handshake"),
                    }
                }
            }
            drop(slot);
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

async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(TcpStream, Peer, OwnedSemaphorePermit)> {
    // Never closed, so this never fails.
    let slot = slots.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, Peer(peer), slot)),
        Err(error) => {
            tracing::warn!(%error, "an HTTP connection cannot be accepted");
            tokio::time::sleep(ACCEPT_AGAIN).await;
            None
        }
    }
}

async fn converse<S>(stream: S, peer: Peer, api: Router, closed: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let api = api.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        request
    });
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
        tracing::debug!(%error, "an HTTP connection broke");
    }
}
