//! What can go wrong, with its remedy.

use std::net::SocketAddr;

/// Why SIP could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum SipError {
    /// The address is taken, not ours, or not allowed.
    #[error(
        "cannot listen for SIP on {address} ({transport}): {cause}; {}",
        bind_remedy(cause, "--sip")
    )]
    Bind {
        /// Address asked for.
        address: SocketAddr,
        /// `UDP` or `TCP`.
        transport: &'static str,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// The endpoint has been shut down.
    #[error("the SIP endpoint is shut down; nothing can be sent any more")]
    Closed,
    /// The call has ended, so there is nobody to tell.
    #[error("the call is over; stop using its handle when its events end")]
    CallOver,
    /// The call is not in the state this needs.
    #[error("cannot {action} now: {state}")]
    State {
        /// What was asked.
        action: &'static str,
        /// Where the call stands, and what to wait for.
        state: &'static str,
    },
    /// The text is not a SIP or tel URI.
    #[error("`{text}` is not a SIP URI: {cause}; write it like sip:agent@203.0.113.5")]
    Uri {
        /// The text.
        text: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The host name of a target has no address.
    #[error("cannot find an address for `{host}`: {cause}; check the name or give an IP address")]
    Resolve {
        /// The host.
        host: String,
        /// The resolver's reason.
        cause: String,
    },
    /// A status that cannot be sent in this place.
    #[error("{0} is not a refusal; use a status from 300 to 699")]
    Status(u16),
}

/// What to do when an address cannot be listened on; `option` gives another.
pub fn bind_remedy(cause: &std::io::Error, option: &str) -> String {
    use std::io::ErrorKind;
    match cause.kind() {
        ErrorKind::AddrNotAvailable => format!(
            "the address is not one of this machine: give {option} one that is, or 0.0.0.0 for all of them; what callers \
             outside are told is sip.advertise in strowger.toml"
        ),
        ErrorKind::PermissionDenied => format!(
            "ports below 1024 need the right to bind them: choose a higher port with {option}"
        ),
        _ => {
            format!("stop the program that holds the port or choose another address with {option}")
        }
    }
}
