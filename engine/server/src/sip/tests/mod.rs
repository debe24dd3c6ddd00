//! The endpoint as its peers see it.
//!
//! Most tests drive the state machine itself, in virtual time, with messages as text; `sockets` and `sipp` use the
//! network.

mod answering;
mod changes;
mod ladder;
mod limits;
mod malformed;
mod mutated;
mod placing;
mod sipp;
mod sockets;
mod transfers;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::call::{Call, CallEvent, Command, Incoming};
use super::config::SipConfig;
pub(super) use super::core::Path;
use super::core::{Core, Input, Output};
use super::stats::{Counters, SipStats};

/// An offer that the tests use.
pub(super) const SDP: &str = "v=0\r\no=a 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
/// Where the peer of most tests is.
pub(super) const PEER: &str = "192.0.2.7:5060";

/// The state machine alone, its clock in the test's hand.
pub(super) struct World {
    core: Core,
    pub(super) now: Instant,
    start: Instant,
    pub(super) incoming: mpsc::Receiver<Incoming>,
    commands: mpsc::Receiver<Command>,
    counters: Arc<Counters>,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(SipConfig::new(
            "198.51.100.1:5060".parse().expect("an address"),
        ))
    }

    pub(super) fn with(config: SipConfig) -> Self {
        let (new_calls, incoming) = mpsc::channel(8);
        let (handles, commands) = mpsc::channel(64);
        let counters = Arc::new(Counters::default());
        let now = Instant::now();
        let find = Box::new(|_| "198.51.100.1".parse().expect("an address"));
        let core = Core::new(
            config,
            5060,
            find,
            counters.clone(),
            new_calls,
            handles,
            now,
        );
        Self {
            core,
            now,
            start: now,
            incoming,
            commands,
            counters,
        }
    }

    /// What goes out when this comes in from [`PEER`] over UDP.
    pub(super) fn receive(&mut self, message: &str) -> Vec<String> {
        self.receive_bytes(message.as_bytes())
    }

    pub(super) fn receive_bytes(&mut self, bytes: &[u8]) -> Vec<String> {
        self.receive_on(bytes, Path::udp(PEER.parse().expect("an address")))
            .into_iter()
            .map(text)
            .collect()
    }

    pub(super) fn receive_on(&mut self, bytes: &[u8], path: Path) -> Vec<Output> {
        let mut out = Vec::new();
        self.core
            .handle(self.now, Input::Received { bytes, path }, &mut out);
        out
    }

    /// Runs one call of a handle; its result and what goes out.
    pub(super) fn act<T>(&mut self, action: impl Future<Output = T>) -> (T, Vec<String>) {
        let mut action = pin!(action);
        let mut context = Context::from_waker(Waker::noop());
        let mut sent = Vec::new();
        loop {
            if let Poll::Ready(result) = action.as_mut().poll(&mut context) {
                sent.extend(self.run_commands());
                return (result, sent);
            }
            sent.extend(self.run_commands());
        }
    }

    /// Takes the orders that dropped handles left.
    pub(super) fn run_commands(&mut self) -> Vec<String> {
        let mut out = Vec::new();
        while let Ok(command) = self.commands.try_recv() {
            self.core
                .handle(self.now, Input::Command(command), &mut out);
        }
        out.into_iter().map(text).collect()
    }

    pub(super) fn input(&mut self, input: Input<'_>) -> Vec<String> {
        let mut out = Vec::new();
        self.core.handle(self.now, input, &mut out);
        out.into_iter().map(text).collect()
    }

    /// Lets time pass; what goes out, each with the milliseconds since the start.
    pub(super) fn pass(&mut self, duration: Duration) -> Vec<(u128, String)> {
        let until = self.now + duration;
        let mut sent = Vec::new();
        while let Some(at) = self.core.deadline().filter(|at| *at <= until) {
            self.now = at;
            let mut out = Vec::new();
            self.core.expire(at, &mut out);
            sent.extend(
                out.into_iter()
                    .map(|output| ((at - self.start).as_millis(), text(output))),
            );
        }
        self.now = until;
        sent
    }

    pub(super) fn stats(&self) -> SipStats {
        self.counters.read()
    }

    /// A call from `peer` that has come in.
    pub(super) fn ring(&mut self, peer: &Peer) -> Incoming {
        let sent = self.receive(&peer.invite());
        assert!(sent.is_empty(), "nothing is due yet: {sent:?}");
        self.incoming.try_recv().expect("the call is handed over")
    }

    /// A call from `peer` that is up.
    pub(super) fn up(&mut self, peer: &mut Peer) -> Incoming {
        let mut incoming = self.ring(peer);
        let sent = self.answer(&incoming.call);
        peer.learn(&sent);
        assert!(self.receive(&peer.ack(1)).is_empty());
        assert!(matches!(
            incoming.events.try_recv(),
            Ok(CallEvent::Acked { sdp: None })
        ));
        incoming
    }

    pub(super) fn answer(&mut self, call: &Call) -> String {
        let (result, sent) = self.act(call.answer(SDP.into()));
        result.expect("the call waits for an answer");
        sent.into_iter().next().expect("a 200")
    }
}

/// A softphone's half of a dialog.
pub(super) struct Peer {
    pub(super) call_id: String,
    /// Our tag, once known.
    pub(super) their_tag: String,
    branch: u32,
}

impl Peer {
    pub(super) fn new(call_id: &str) -> Self {
        Self {
            call_id: call_id.to_owned(),
            their_tag: String::new(),
            branch: 0,
        }
    }

    /// A request; `lines` are whole header lines.
    pub(super) fn request(&mut self, method: &str, cseq: u32, lines: &str, body: &str) -> String {
        self.branch += 1;
        let branch = format!("z9hG4bK-{}-{}", self.call_id, self.branch);
        self.request_with(method, cseq, &branch, lines, body)
    }

    fn request_with(
        &self,
        method: &str,
        cseq: u32,
        branch: &str,
        lines: &str,
        body: &str,
    ) -> String {
        let tag = if self.their_tag.is_empty() {
            String::new()
        } else {
            format!(";tag={}", self.their_tag)
        };
        let cseq_method = method;
        format!(
            "{method} sip:1000@198.51.100.1 SIP/2.0\r\nVia: SIP/2.0/UDP {PEER};branch={branch};rport\r\n\
             Max-Forwards: 70\r\nFrom: \"Alice\" <sip:alice@192.0.2.7>;tag=from-{id}\r\n\
             To: <sip:1000@198.51.100.1>{tag}\r\nCall-ID: {id}\r\nCSeq: {cseq} {cseq_method}\r\n\
             Contact: <sip:alice@{PEER}>\r\n{lines}Content-Length: {length}\r\n\r\n{body}",
            id = self.call_id,
            length = body.len(),
        )
    }

    /// The INVITE; the same text each time.
    pub(super) fn invite(&self) -> String {
        let branch = format!("z9hG4bK-{}-invite", self.call_id);
        self.request_with(
            "INVITE",
            1,
            &branch,
            "Content-Type: application/sdp\r\n",
            SDP,
        )
    }

    /// CANCEL of that INVITE.
    pub(super) fn cancel(&self) -> String {
        self.request_with(
            "CANCEL",
            1,
            &format!("z9hG4bK-{}-invite", self.call_id),
            "",
            "",
        )
    }

    /// ACK of its refusal, in its transaction.
    pub(super) fn ack_refusal(&self) -> String {
        self.request_with(
            "ACK",
            1,
            &format!("z9hG4bK-{}-invite", self.call_id),
            "",
            "",
        )
    }

    pub(super) fn ack(&mut self, cseq: u32) -> String {
        self.request("ACK", cseq, "", "")
    }

    /// Takes our tag from a response.
    pub(super) fn learn(&mut self, response: &str) {
        self.their_tag = tag_in(header(response, "To")).to_owned();
    }
}

/// The only message of several.
pub(super) fn only(mut sent: Vec<String>) -> String {
    assert_eq!(sent.len(), 1, "one message: {sent:#?}");
    sent.remove(0)
}

/// Value of a header of a message.
pub(super) fn header<'a>(message: &'a str, name: &str) -> &'a str {
    let head = message.split("\r\n\r\n").next().unwrap_or_default();
    let found = head
        .split("\r\n")
        .filter_map(|line| line.split_once(": "))
        .find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("{name} in {message}")).1
}

pub(super) fn tag_in(address: &str) -> &str {
    address
        .split(";tag=")
        .nth(1)
        .unwrap_or_else(|| panic!("a tag in {address}"))
}

/// Checks the status of a response.
pub(super) fn status(message: &str) -> u16 {
    let code = message
        .strip_prefix("SIP/2.0 ")
        .and_then(|rest| rest.get(..3));
    code.and_then(|code| code.parse().ok())
        .unwrap_or_else(|| panic!("a response: {message}"))
}

/// A response to a request of ours.
pub(super) fn respond(
    request: &str,
    code: u16,
    reason: &str,
    tag: &str,
    lines: &str,
    body: &str,
) -> String {
    let to = header(request, "To");
    let tag = if to.contains(";tag=") || tag.is_empty() {
        String::new()
    } else {
        format!(";tag={tag}")
    };
    format!(
        "SIP/2.0 {code} {reason}\r\nVia: {}\r\nFrom: {}\r\nTo: {to}{tag}\r\nCall-ID: {}\r\nCSeq: {}\r\n{lines}\
         Content-Length: {}\r\n\r\n{body}",
        header(request, "Via"),
        header(request, "From"),
        header(request, "Call-ID"),
        header(request, "CSeq"),
        body.len(),
    )
}

fn text(output: Output) -> String {
    String::from_utf8_lossy(&output.bytes).into_owned()
}
