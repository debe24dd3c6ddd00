//! Connections of plugins' requests: to addresses that were looked at, and to no other.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use super::address::private;
use super::http::service;

/// Opens connections. A name is resolved once, and what is connected to is what was looked at: it cannot mean something
/// else a moment later.
#[derive(Debug, Clone)]
pub(super) struct Connector {
    /// `host:port` pairs that may be private addresses.
    pub private: Arc<BTreeSet<String>>,
    /// Longest time until a connection is there, its name's resolution included.
    pub within: Duration,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoConnection {
    /// It would lead to where plugins do not go.
    #[error(
        "resolves to the {kind} address {address}, and only public ones are reached unless the operator names `{service}` in limits.http.private"
    )]
    Private {
        /// Where the request goes.
        service: String,
        /// What that is.
        address: IpAddr,
        /// What kind of address.
        kind: &'static str,
    },
    /// There is no such name, or nobody listens.
    #[error("{0}")]
    Failed(io::Error),
    /// It took too long.
    #[error("no connection within {} ms", .0.as_millis())]
    Slow(Duration),
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TcpStream>;
    type Error = NoConnection;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NoConnection>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let Connector { private, within } = self.clone();
        Box::pin(async move {
            let connected = tokio::time::timeout(within, connect(&private, &to)).await;
            connected.unwrap_or(Err(NoConnection::Slow(within)))
        })
    }
}

async fn connect(allowed: &BTreeSet<String>, to: &Uri) -> Result<TokioIo<TcpStream>, NoConnection> {
    let Ok(service) = service(to) else {
        let why = "no address of the web";
        return Err(NoConnection::Failed(io::Error::other(why)));
    };
    // The service was made of the URL: host, and port behind the last colon.
    let (host, port) = service.rsplit_once(':').unwrap_or((&service, "0"));
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = port.parse().unwrap_or_default();
    // The system's resolver also reads what only looks like a name: `2130706433`, `0x7f.1`, `0177.0.0.1`.
    let found: Vec<SocketAddr> = match host.parse::<IpAddr>() {
        Ok(literal) => vec![SocketAddr::new(literal, port)],
        Err(_) => {
            let found = tokio::net::lookup_host((host, port)).await;
            found.map_err(NoConnection::Failed)?.collect()
        }
    };
    let mut refused = None;
    let mut failed = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    let anywhere = allowed.contains(&service);
    for address in found {
        if let Some(kind) = private(address.ip()).filter(|_| !anywhere) {
            refused = refused.or(Some((address.ip(), kind)));
            continue;
        }
        match TcpStream::connect(address).await {
            Ok(stream) => {
                let _ = stream.set_nodelay(true);
                return Ok(TokioIo::new(stream));
            }
            Err(error) => failed = error,
        }
    }
    match refused {
        Some((address, kind)) => Err(NoConnection::Private {
            service,
            address,
            kind,
        }),
        None => Err(NoConnection::Failed(failed)),
    }
}
