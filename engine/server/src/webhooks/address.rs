//! Which addresses are private, and names that lead to none of them.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_util::client::legacy::connect::dns::Name;
use tower_service::Service;

use crate::effects::private;

/// Whether an address is of this machine, of a local network, or for no single machine of the internet: what plugins do not
/// reach either.
pub fn is_private(address: IpAddr) -> bool {
    private(address).is_some()
}

/// Looks names up, and gives no private address unless they are allowed. It stands between a name and the connection, so
/// a name cannot lead elsewhere after it was looked at.
#[derive(Debug, Clone)]
pub(super) struct Resolver {
    pub allow_private: bool,
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found
                .filter(|address| allow_private || !is_private(address.ip()))
                .collect();
            match found.is_empty() {
                true => Err(std::io::Error::other(
                    "its name leads to no public address; for a service of your own network set allow_private = true",
                )),
                false => Ok(found.into_iter()),
            }
        })
    }
}
