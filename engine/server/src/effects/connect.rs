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
            let connected = connect(&private, &to, |host, port| async move {
                // The system's resolver also reads what only looks like a name: `2130706433`, `0x7f.1`, `0177.0.0.1`.
                let found = tokio::net::lookup_host((host.as_str(), port)).await;
                found.map(Iterator::collect)
            });
            let connected = tokio::time::timeout(within, connected).await;
            connected.unwrap_or(Err(NoConnection::Slow(within)))
        })
    }
}

/// Connects to where a URL leads, its name asked for once.
async fn connect<F>(
    allowed: &BTreeSet<String>,
    to: &Uri,
    lookup: impl FnOnce(String, u16) -> F,
) -> Result<TokioIo<TcpStream>, NoConnection>
where
    F: Future<Output = io::Result<Vec<SocketAddr>>>,
{
    let Ok(service) = service(to) else {
        let why = "no address of the web";
        return Err(NoConnection::Failed(io::Error::other(why)));
    };
    // The service was made of the URL: host, and port behind the last colon.
    let (host, port) = service.rsplit_once(':').unwrap_or((&service, "0"));
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = port.parse().unwrap_or_default();
    let found: Vec<SocketAddr> = match host.parse::<IpAddr>() {
        Ok(literal) => vec![SocketAddr::new(literal, port)],
        Err(_) => lookup(host.to_owned(), port)
            .await
            .map_err(NoConnection::Failed)?,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A name server's answers, one after the other, as an attacker's gives them.
    async fn asked(
        allowed: &[&str],
        answers: &mut Vec<Vec<SocketAddr>>,
        to: &str,
    ) -> Result<SocketAddr, NoConnection> {
        let allowed = allowed.iter().map(|&service| service.to_owned()).collect();
        let to = to.parse().expect("a URL");
        let stream = connect(&allowed, &to, |_, _| {
            let answer = answers.remove(0);
            async move { Ok(answer) }
        });
        Ok(stream.await?.inner().peer_addr().expect("connected"))
    }

    #[tokio::test]
    async fn a_name_that_changes_its_mind_reaches_nothing_private() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let here = listener.local_addr().expect("an address");
        let metadata: SocketAddr = ([169, 254, 169, 254], 80).into();
        let mapped: SocketAddr = format!("[::ffff:127.0.0.1]:{}", here.port())
            .parse()
            .expect("an address");
        let url = format!("http://rebind.example:{}/", here.port());

        // Each request asks once, and is held to that answer: the next one, which would be private, is for the next request.
        let mut answers = vec![vec![here], vec![metadata, mapped], vec![here]];
        for kinds in [["loopback"], ["link-local"]] {
            let refused = asked(&[], &mut answers, &url).await;
            assert!(
                matches!(&refused, Err(NoConnection::Private { kind, .. }) if kinds.contains(kind)),
                "{refused:?}"
            );
        }
        assert_eq!(answers.len(), 1, "each asked once");
        // A service that the operator let through goes where its name leads, and to nowhere else's port.
        let service = format!("rebind.example:{}", here.port());
        assert_eq!(
            asked(&[&service], &mut answers, &url)
                .await
                .expect("let through"),
            here
        );
        let mut answers = vec![vec![here]];
        let refused = asked(&["rebind.example:1"], &mut answers, &url).await;
        assert!(refused.is_err(), "{refused:?}");
    }
}
