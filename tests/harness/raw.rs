//! A telephone whose every word the test says: signalling alone, over UDP.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};

/// Longest wait for a response: a 200 without its ACK is repeated for 32 s, and BYE follows.
const ANSWER: Duration = Duration::from_secs(40);
/// Calls of this process.
static CALLS: AtomicU64 = AtomicU64::new(0);
/// What it offers: audio that nobody sends.
pub const OFFER: &str = "v=0\r\no=a 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

/// A telephone that says word by word what it is told to.
pub struct Raw {
    socket: UdpSocket,
    sip: SocketAddr,
    /// Whom it calls.
    pub number: String,
    /// SIP's name of the call.
    pub call_id: String,
    /// Its port.
    pub port: u16,
    /// The engine's tag, once known.
    to_tag: String,
}

impl Raw {
    /// One on a port of its own.
    pub fn new(sip: SocketAddr, number: &str) -> Result<Raw> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_read_timeout(Some(ANSWER))?;
        let port = socket.local_addr()?.port();
        Ok(Raw {
            socket,
            sip,
            number: number.to_owned(),
            // The system gives a port again soon.
            call_id: format!(
                "raw-{number}-{port}-{}",
                CALLS.fetch_add(1, Ordering::Relaxed)
            ),
            port,
            to_tag: String::new(),
        })
    }

    fn text(&self, method: &str, cseq: u32, lines: &str, body: &str) -> String {
        let Raw {
            sip,
            number,
            call_id,
            port,
            to_tag,
            ..
        } = self;
        // CANCEL, and the ACK of a refusal, have the branch of their INVITE.
        let branch = match method {
            "CANCEL" => "INVITE",
            method => method,
        };
        format!(
            "{method} sip:{number}@{sip} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{port}{branch}{cseq}\r\n\
             Max-Forwards: 70\r\nFrom: \"Ann\" <sip:+8613800138000@127.0.0.1:{port}>;tag=a{port}\r\nTo: <sip:{number}@{sip}>{to_tag}\r\n\
             Call-ID: {call_id}\r\nCSeq: {cseq} {method}\r\n{lines}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    /// Sends a request; `lines` are whole header lines.
    pub fn send(&self, method: &str, cseq: u32, lines: &str, body: &str) -> Result<()> {
        let text = self.text(method, cseq, lines, body);
        self.socket.send_to(text.as_bytes(), self.sip)?;
        Ok(())
    }

    /// Sends an INVITE with an offer.
    pub fn invite(&self, lines: &str) -> Result<()> {
        let contact = format!("Contact: <sip:a@127.0.0.1:{}>\r\n", self.port);
        let lines = format!("{contact}Content-Type: application/sdp\r\n{lines}");
        self.send("INVITE", 1, &lines, OFFER)
    }

    /// How long it waits for a message.
    pub fn patience(&self, limit: Duration) -> Result<()> {
        Ok(self.socket.set_read_timeout(Some(limit))?)
    }

    /// Answers a request of the other side with 200.
    pub fn agree(&self, request: &str) -> Result<()> {
        let kept = ["Via:", "From:", "To:", "Call-ID:", "CSeq:"];
        let mut answer = "SIP/2.0 200 OK\r\n".to_owned();
        for line in request.lines() {
            if kept.iter().any(|name| line.starts_with(name)) {
                answer.push_str(line);
                answer.push_str("\r\n");
            }
        }
        answer.push_str("Content-Length: 0\r\n\r\n");
        self.socket.send_to(answer.as_bytes(), self.sip)?;
        Ok(())
    }

    /// Waits for a message that begins so.
    pub fn until(&mut self, beginning: &str) -> Result<String> {
        let mut datagram = [0; 8_192];
        let mut others = Vec::new();
        loop {
            let read = self
                .socket
                .recv(&mut datagram)
                .with_context(|| format!("no {beginning} for {}, but {others:?}", self.call_id))?;
            let text = String::from_utf8_lossy(&datagram[..read]).into_owned();
            if text.starts_with(beginning) {
                let mut lines = text.lines();
                let to = lines.find(|line| line.starts_with("To:"));
                if let Some((_, tag)) = to.and_then(|to| to.split_once(";tag="))
                    && text.starts_with("SIP/2.0 2")
                {
                    self.to_tag = format!(";tag={tag}");
                }
                return Ok(text);
            }
            others.push(text.lines().next().unwrap_or_default().to_owned());
        }
    }
}
