//! Dialogs (RFC 3261 §12).

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::super::call::CallEvent;
use super::super::grammar::{self, Head};
use super::super::timers::ClientId;
use super::super::values::NameAddr;
use super::super::wire::RequestHead;
use super::in_dialog::allow;
use super::session::{Session, SessionAnswer};
use super::transaction::{ClientTransaction, Kind};
use super::{Core, MAX_FORWARDS, Path, SUPPORTED};

/// One call as SIP sees it.
#[derive(Debug)]
pub(super) struct Dialog {
    pub(super) outgoing: bool,
    pub(super) call_id: String,
    /// Our address with our tag, as in a header.
    pub(super) local: String,
    /// The peer's address with its tag.
    pub(super) remote: String,
    pub(super) remote_tag: String,
    pub(super) local_seq: u32,
    pub(super) remote_seq: u32,
    /// The peer's `Contact` URI.
    pub(super) target: String,
    /// Route set, next hop first.
    pub(super) routes: Vec<String>,
    pub(super) path: Path,
    /// Where the peer was last heard from: where to send when its `Contact` leads nowhere.
    pub(super) heard_from: Path,
    pub(super) stage: Stage,
    /// None once the owner has been told the end, or has ended the call.
    pub(super) events: Option<mpsc::Sender<CallEvent>>,
    /// `Record-Route` lines for responses that set up the dialog.
    pub(super) record_route: String,
    /// The INVITE that made the dialog, while we have not answered it.
    pub(super) invite: Option<u128>,
    /// A re-INVITE, UPDATE or REFER that the owner has to answer.
    pub(super) asked: Option<Asked>,
    /// Our 200 to an INVITE, until its ACK.
    pub(super) answer: Option<Answer>,
    /// The owner hung up while the ACK was still missing (RFC 3261 §15).
    pub(super) end_after_ack: bool,
    pub(super) session: Option<Session>,
    /// What the 200 to the open INVITE or UPDATE says about the session.
    pub(super) session_answer: SessionAnswer,
    /// The peer said that it understands UPDATE.
    pub(super) peer_updates: bool,
    /// CSeq of our REFER whose progress is awaited.
    pub(super) transfer: Option<u32>,
    /// The peer has accepted that REFER.
    pub(super) transfer_accepted: bool,
    /// A transfer was given up whose subscription the peer still holds.
    pub(super) transfer_given_up: bool,
    /// CSeq of the peer's REFER that we report on.
    pub(super) referral: Option<u32>,
    /// Of a call that we placed.
    pub(super) placed: Option<Placed>,
}

/// Where a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// Not answered.
    Early,
    /// We answered 200; no ACK yet.
    Answered,
    /// Up.
    Confirmed,
    /// The peer has hung up to follow our REFER. What it subscribed us to outlives the call (RFC 5057 §4.1), so its
    /// NOTIFYs are still taken.
    Left,
    /// We sent BYE or CANCEL and wait for the response.
    Ending,
}

/// A request that waits for the owner.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) key: u128,
    pub(super) cseq: u32,
    pub(super) what: AskedFor,
}

/// What it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AskedFor {
    Reinvite,
    Update,
    Refer,
}

/// A 200 that is repeated until its ACK.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) cseq: u32,
    pub(super) bytes: Bytes,
    pub(super) path: Path,
    pub(super) pause: Duration,
}

/// What is special about a call that we placed.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) invite: ClientId,
    /// The Request-URI of the INVITE, for its CANCEL and the ACK of a refusal.
    pub(super) uri: String,
    /// `To` without tag.
    pub(super) to: String,
    /// The owner hung up before any response: CANCEL must wait for one (RFC 3261 §9.1).
    pub(super) cancel_wanted: bool,
}

impl Dialog {
    /// Whether a request with these marks belongs to this dialog.
    pub(super) fn matches(&self, call_id: &str, remote_tag: &str) -> bool {
        self.call_id == call_id && self.remote_tag == remote_tag
    }

    /// Takes the remote target from a `Contact` and works out the next hop.
    pub(super) fn aim(&mut self, head: &Head, heard_from: Path) {
        self.heard_from = heard_from;
        if let Some(contact) = contact_of(head) {
            self.target = contact.to_owned();
        }
        self.path = self.next_hop();
    }

    /// Notes where the peer speaks from now: another port of its NAT, a new connection.
    pub(super) fn heard(&mut self, path: Path) {
        if self.heard_from != path {
            self.heard_from = path;
            self.path = self.next_hop();
        }
    }

    /// Where requests go: the first route or the remote target, if it is an address that can be reached from here;
    /// else where the peer was heard from. On a stream always back on it while it lives.
    fn next_hop(&self) -> Path {
        let next = match self.routes.first() {
            Some(route) => NameAddr::parse(route).map(|route| route.uri),
            None => Some(self.target.as_str()),
        };
        let fallback = self.heard_from;
        let Some(target) = next.and_then(|uri| grammar::target(uri).ok()) else {
            return fallback;
        };
        let Some(ip) = target.ip.filter(|ip| is_reachable(*ip, fallback.peer.ip())) else {
            return fallback;
        };
        let peer = SocketAddr::new(ip, target.port.unwrap_or(5060));
        if fallback.tcp {
            return Path { peer, ..fallback };
        }
        if target.tcp {
            Path::tcp(peer, 0)
        } else {
            Path::udp(peer)
        }
    }
}

/// The `Contact` URI of a message, if it can stand in a Request-Line.
pub(super) fn contact_of(head: &Head) -> Option<&str> {
    let contact = head.list("Contact").next().and_then(NameAddr::parse)?;
    (!contact.uri.contains(char::is_whitespace)).then_some(contact.uri)
}

/// A private address in a `Contact` of a peer that speaks from a public one is behind a NAT that we cannot enter
/// except where its packets come out.
fn is_reachable(target: IpAddr, source: IpAddr) -> bool {
    !target.is_unspecified() && (target == source || !is_private(target) || is_private(source))
}

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

impl Core {
    /// `Contact`, `Allow` and `Supported` lines for responses that set up or change a dialog over this path.
    pub(super) fn dialog_lines(&mut self, path: Path, outgoing: bool) -> String {
        let mut lines = self.contact_line(path);
        let allow = allow(outgoing);
        let _ = write!(lines, "Allow: {allow}\r\nSupported: {SUPPORTED}\r\n");
        lines
    }

    /// The `Contact` line for this path.
    pub(super) fn contact_line(&mut self, path: Path) -> String {
        let transport = if path.tcp { ";transport=tcp" } else { "" };
        format!(
            "Contact: <sip:strowger@{}{transport}>\r\n",
            self.sent_by(path)
        )
    }

    /// Sends a request in a dialog; its CSeq, or none where the dialog is gone.
    pub(super) fn request_in(
        &mut self,
        now: Instant,
        call: u64,
        kind: Kind,
        headers: &str,
        body: &[u8],
    ) -> Option<u32> {
        let path = self.dialogs.get(&call)?.path;
        let contact = match kind {
            // Target refreshes and subscriptions carry where to reach us.
            Kind::Refer | Kind::Notify | Kind::Refresh => self.contact_line(path),
            _ => String::new(),
        };
        let sent_by = self.sent_by(path);
        let branch = self.ids.fresh();
        let dialog = self.dialogs.get_mut(&call)?;
        dialog.local_seq += 1;
        let cseq = dialog.local_seq;
        let head = RequestHead {
            method: kind.method(),
            uri: &dialog.target,
            tcp: path.tcp,
            sent_by: &sent_by,
            branch,
            routes: &dialog.routes,
            from: &dialog.local,
            to: &dialog.remote,
            call_id: &dialog.call_id,
            cseq,
            max_forwards: MAX_FORWARDS,
        };
        let headers = format!(
            "{contact}{headers}User-Agent: {}\r\n",
            self.config.user_agent
        );
        let request = head.request(&headers, body);
        let client = ClientTransaction::new(kind, path, call, cseq, request);
        self.open_client(
            now,
            ClientId {
                branch,
                cancel: false,
            },
            client,
        );
        Some(cseq)
    }

    /// Sends BYE and tells the owner no more.
    pub(super) fn bye(&mut self, now: Instant, call: u64) {
        let Some(dialog) = self.dialogs.get_mut(&call) else {
            return;
        };
        dialog.stage = Stage::Ending;
        dialog.events = None;
        dialog.answer = None;
        dialog.session = None;
        if let Some(asked) = dialog.asked.take() {
            self.respond(now, asked.key, 487, "Request Terminated", "", &[]);
        }
        self.request_in(now, call, Kind::Bye, "", &[]);
    }
}
