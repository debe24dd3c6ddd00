//! What the rest of the server holds of a call.

use std::fmt;
use std::net::SocketAddr;
use std::time::Instant;

use tokio::sync::{mpsc, oneshot};

use super::error::SipError;

/// A call that has come in and waits for an answer.
///
/// Dropping `events` gives the call up: it is refused or hung up within a second.
#[derive(Debug)]
pub struct Incoming {
    /// Answers, refuses, transfers and ends the call.
    pub call: Call,
    /// `Call-ID` as received.
    pub call_id: String,
    /// User part of the `From` URI, percent-decoded; the number of a tel URI; empty where there is none.
    pub from_user: String,
    /// Display name of `From`, unquoted.
    pub from_display: Option<String>,
    /// `From` URI as received.
    pub from_uri: String,
    /// User part of the Request-URI, percent-decoded: the number that was dialled.
    pub to_user: String,
    /// Request-URI as received.
    pub to_uri: String,
    /// Header fields in order, names in their usual spelling; at most 64, values cut at 1,024 bytes.
    pub headers: Vec<(String, String)>,
    /// SDP offer; none asks us to offer in the answer (the caller's answer then comes with [`CallEvent::Acked`]).
    pub offer: Option<Vec<u8>>,
    /// How often the INVITE might still have been forwarded (`Max-Forwards`, RFC 3261 §20.22): 0 to 255; 70 where the
    /// caller does not say.
    pub max_forwards: u8,
    /// Its leg among the ladders; none where none is kept.
    pub leg: Option<u64>,
    /// Where the INVITE came from.
    pub source: SocketAddr,
    /// When its datagram was taken from the socket.
    pub received_at: Instant,
    /// What happens next; it ends when the call does.
    pub events: mpsc::Receiver<CallEvent>,
}

/// A call that we place.
///
/// Dropping `events` gives the call up: it is cancelled or hung up within a second.
#[derive(Debug)]
pub struct OutgoingCall {
    /// Cancels, ends and transfers the call, and sends INFO in it.
    pub call: Call,
    /// `Call-ID` chosen for it.
    pub call_id: String,
    /// Where its INVITE goes.
    pub peer: SocketAddr,
    /// Its leg among the ladders; none where none is kept.
    pub leg: Option<u64>,
    /// [`CallEvent::Ringing`], then [`CallEvent::Answered`] or [`CallEvent::Refused`], then what happens in the call.
    pub events: mpsc::Receiver<CallEvent>,
}

/// What the peer did.
///
/// The channel ends after [`Cancelled`](Self::Cancelled), [`Bye`](Self::Bye), [`Timeout`](Self::Timeout),
/// [`Failed`](Self::Failed) and [`Refused`](Self::Refused), and after our own refusal or hanging up.
#[derive(Debug)]
pub enum CallEvent {
    /// The ACK of our answer has come; media may be counted on. `sdp` is the peer's answer where we made the offer.
    Acked {
        /// SDP body of the ACK.
        sdp: Option<Vec<u8>>,
    },
    /// A re-INVITE or UPDATE wants other media (hold, a new address). Session refreshes without a new offer by UPDATE
    /// are answered without asking.
    Reinvite {
        /// The new offer; none asks us to make one.
        offer: Option<Vec<u8>>,
        /// Takes the answer.
        reply: Reply,
    },
    /// A key by INFO. An INFO that carries none is answered without telling.
    Key {
        /// The key.
        key: char,
        /// Takes the answer.
        reply: KeyReply,
    },
    /// MESSAGE (RFC 3428), already answered 200.
    Message {
        /// `Content-Type`, in lower case, without parameters.
        content_type: String,
        /// The body as received.
        body: Vec<u8>,
    },
    /// What became of our transfer so far (RFC 3515 §2.4.5).
    TransferProgress {
        /// Status of the transferred call: 100 trying, 180 ringing, 200 answered, 4xx to 6xx failed.
        status: u16,
        /// Its reason phrase.
        reason: String,
        /// No further progress will be told: the subscription is terminated.
        last: bool,
    },
    /// The peer hung up after it accepted our transfer. What becomes of that may still be told; the channel ends with
    /// the last of it, or when the call is hung up or the transfer given up.
    Left,
    /// The peer refuses to be transferred at all: REFER's own final status, 408 where it never answered.
    TransferRefused {
        /// Status.
        status: u16,
    },
    /// The peer asks us to call somebody else (REFER); only on calls that we placed.
    Refer {
        /// `Refer-To` URI.
        target: String,
        /// `Referred-By`, where given.
        referred_by: Option<String>,
        /// Accepts with progress, or refuses.
        reply: ReferReply,
    },
    /// A provisional response of 180 or above to a call that we place; `sdp` is early media's answer.
    Ringing {
        /// 180 to 199.
        status: u16,
        /// SDP body.
        sdp: Option<Vec<u8>>,
    },
    /// A call that we place was answered; the ACK is sent.
    Answered {
        /// SDP answer; empty where the peer sent none.
        sdp: Vec<u8>,
    },
    /// A call that we place was refused, redirected or not reached (408).
    Refused {
        /// Final status.
        status: u16,
        /// Its reason phrase.
        reason: String,
    },
    /// The caller gave up before the answer; 487 is sent.
    Cancelled,
    /// The peer hung up.
    Bye,
    /// The ACK of our answer never came (64·T1, 32 s); BYE is sent.
    Timeout,
    /// The call cannot go on: the connection broke or the session expired.
    Failed(String),
}

/// A handle on one call; clones act on the same call.
///
/// Each method returns when the endpoint has taken the order, not when the peer has answered.
#[derive(Clone)]
pub struct Call {
    pub(super) id: u64,
    pub(super) commands: mpsc::Sender<Command>,
}

impl fmt::Debug for Call {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Call")
            .field(&format_args!("{:016x}", self.id))
            .finish()
    }
}

impl Call {
    /// Sends 180 Ringing. 100 Trying needs no order: it goes out by itself when an answer takes longer than 100 ms.
    pub async fn ringing(&self) -> Result<(), SipError> {
        self.order(Order::Ringing).await
    }

    /// Sends 200 with this SDP, again and again until the ACK (RFC 3261 §13.3.1.4).
    pub async fn answer(&self, sdp: Vec<u8>) -> Result<(), SipError> {
        self.order(Order::Answer(sdp)).await
    }

    /// Refuses with a status from 300 to 699; an empty phrase means the usual one.
    pub async fn reject(&self, status: u16, reason_phrase: &str) -> Result<(), SipError> {
        if !(300..=699).contains(&status) {
            return Err(SipError::Status(status));
        }
        self.order(Order::Reject(status, reason_phrase.to_owned()))
            .await
    }

    /// Ends the call whatever its state: BYE once it is confirmed (after the ACK, RFC 3261 §15), 480 before our
    /// answer, CANCEL before theirs.
    pub async fn hang_up(&self) -> Result<(), SipError> {
        self.order(Order::HangUp).await
    }

    /// Asks the peer to call `target_uri` instead of us (blind transfer, RFC 3515). What becomes of it arrives as
    /// [`CallEvent::TransferProgress`] or [`CallEvent::TransferRefused`]; the call stays up until someone hangs up.
    ///
    /// `referred_by` is a URI, or a number at our own address: who hands over, for the target to show (RFC 3892). The
    /// call to the target is the peer's own, and comes from its own number.
    pub async fn refer(&self, target_uri: &str, referred_by: Option<&str>) -> Result<(), SipError> {
        let target = super::grammar::checked_uri(target_uri)?;
        let referred_by = referred_by.map(referrer).transpose()?;
        self.order(Order::Refer {
            target,
            referred_by,
        })
        .await
    }

    /// Waits no longer for the outcome of [`refer`](Self::refer), so that another may be asked for.
    ///
    /// SIP has no way to withdraw a REFER (RFC 3515 §2.4.4): the peer may still be connected to its target and hang
    /// up here. Its next NOTIFY is answered 481, which ends the subscription.
    pub async fn give_up_transfer(&self) -> Result<(), SipError> {
        self.order(Order::GiveUpTransfer).await
    }

    /// Sends an INFO, as for DTMF: `info("application/dtmf-relay", b"Signal=5\r\nDuration=160\r\n")`.
    pub async fn info(&self, content_type: &str, body: Vec<u8>) -> Result<(), SipError> {
        self.order(Order::Info {
            content_type: content_type.to_owned(),
            body,
        })
        .await
    }

    async fn order(&self, order: Order) -> Result<(), SipError> {
        let (done, taken) = oneshot::channel();
        let command = Command::Order {
            call: self.id,
            order,
            done,
        };
        self.commands
            .send(command)
            .await
            .map_err(|_| SipError::Closed)?;
        taken.await.map_err(|_| SipError::Closed)?
    }
}

/// A number as it stands, or a URI.
fn referrer(text: &str) -> Result<String, SipError> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    match !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Ok(text.to_owned()),
        false => super::grammar::checked_uri(text),
    }
}

/// The answer to a re-INVITE or UPDATE; dropped unused it refuses with 488, so the call goes on as it was.
#[derive(Debug)]
pub struct Reply {
    pub(super) call: u64,
    pub(super) cseq: u32,
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) used: bool,
}

impl Reply {
    /// Agrees, with this SDP.
    pub async fn answer(mut self, sdp: Vec<u8>) -> Result<(), SipError> {
        self.used = true;
        let reply = Command::Reply {
            call: self.call,
            cseq: self.cseq,
            answer: Ok(sdp),
        };
        self.commands
            .send(reply)
            .await
            .map_err(|_| SipError::Closed)
    }

    /// Refuses with a status from 300 to 699; the media stay as they were.
    pub async fn reject(mut self, status: u16) -> Result<(), SipError> {
        if !(300..=699).contains(&status) {
            return Err(SipError::Status(status));
        }
        self.used = true;
        let reply = Command::Reply {
            call: self.call,
            cseq: self.cseq,
            answer: Err(status),
        };
        self.commands
            .send(reply)
            .await
            .map_err(|_| SipError::Closed)
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if !self.used {
            // A full queue is no loss: the endpoint refuses by itself what stays unanswered for ten seconds.
            let reply = Command::Reply {
                call: self.call,
                cseq: self.cseq,
                answer: Err(488),
            };
            let _ = self.commands.try_send(reply);
        }
    }
}

/// The answer to a key by INFO. The endpoint answers 500 by itself what is left unanswered for four seconds, or dropped.
#[derive(Debug)]
pub struct KeyReply {
    pub(super) transaction: u128,
    pub(super) commands: mpsc::Sender<Command>,
}

impl KeyReply {
    /// Answers 200: it was heard.
    pub async fn heard(self) {
        self.answer(true).await;
    }

    /// Answers 500: it may have been heard, but a crash would lose it.
    pub async fn not_saved(self) {
        self.answer(false).await;
    }

    async fn answer(self, saved: bool) {
        let answer = Command::KeyReply {
            transaction: self.transaction,
            saved,
        };
        // An endpoint that is gone answers nobody.
        let _ = self.commands.send(answer).await;
    }
}

/// The answer to a REFER; dropped unused it refuses with 603.
#[derive(Debug)]
pub struct ReferReply {
    pub(super) call: u64,
    pub(super) cseq: u32,
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) used: bool,
}

impl ReferReply {
    /// Sends 202 and the first NOTIFY (100 Trying).
    pub async fn accept(&mut self) -> Result<(), SipError> {
        self.used = true;
        let reply = Command::ReferReply {
            call: self.call,
            cseq: self.cseq,
            refusal: None,
        };
        self.commands
            .send(reply)
            .await
            .map_err(|_| SipError::Closed)
    }

    /// Tells what became of the new call, after [`accept`](Self::accept). A final status (200 and above) ends the
    /// subscription.
    pub async fn notify(&self, status: u16, reason: &str) -> Result<(), SipError> {
        let (done, taken) = oneshot::channel();
        let order = Order::Notify {
            cseq: self.cseq,
            status,
            reason: reason.to_owned(),
        };
        let command = Command::Order {
            call: self.call,
            order,
            done,
        };
        self.commands
            .send(command)
            .await
            .map_err(|_| SipError::Closed)?;
        taken.await.map_err(|_| SipError::Closed)?
    }

    /// Refuses with a status from 300 to 699.
    pub async fn reject(mut self, status: u16) -> Result<(), SipError> {
        if !(300..=699).contains(&status) {
            return Err(SipError::Status(status));
        }
        self.used = true;
        let reply = Command::ReferReply {
            call: self.call,
            cseq: self.cseq,
            refusal: Some(status),
        };
        self.commands
            .send(reply)
            .await
            .map_err(|_| SipError::Closed)
    }
}

impl Drop for ReferReply {
    fn drop(&mut self) {
        if !self.used {
            let reply = Command::ReferReply {
                call: self.call,
                cseq: self.cseq,
                refusal: Some(603),
            };
            let _ = self.commands.try_send(reply);
        }
    }
}

/// What a handle asks of the endpoint's task.
#[derive(Debug)]
pub(super) enum Command {
    /// Something to do in one call; `done` is told whether it could be done.
    Order {
        call: u64,
        order: Order,
        done: oneshot::Sender<Result<(), SipError>>,
    },
    /// The answer to the re-INVITE or UPDATE of that CSeq.
    Reply {
        call: u64,
        cseq: u32,
        answer: Result<Vec<u8>, u16>,
    },
    /// The answer to the REFER of that CSeq.
    ReferReply {
        call: u64,
        cseq: u32,
        refusal: Option<u16>,
    },
    /// The answer to the INFO of that transaction.
    KeyReply { transaction: u128, saved: bool },
    /// Place a call.
    Place {
        place: Place,
        done: oneshot::Sender<Result<OutgoingCall, SipError>>,
    },
    /// Refuse new calls from now on; the calls that are up go on. Told when it is so.
    Drain { done: oneshot::Sender<()> },
    /// End everything; told when the last BYE is answered or given up.
    Shutdown { done: oneshot::Sender<()> },
}

/// What to do in one call.
#[derive(Debug)]
pub(super) enum Order {
    Ringing,
    Answer(Vec<u8>),
    Reject(u16, String),
    HangUp,
    Refer {
        target: String,
        referred_by: Option<String>,
    },
    GiveUpTransfer,
    Info {
        content_type: String,
        body: Vec<u8>,
    },
    Notify {
        cseq: u32,
        status: u16,
        reason: String,
    },
}

/// Who places a call.
#[derive(Debug)]
pub(super) enum Party {
    /// The value of `From`, without tag.
    Address(String),
    /// Somebody at our own address: the user part of the URI, escaped.
    User(String),
}

/// A call to place, its target already resolved.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) target: String,
    pub(super) from: Party,
    pub(super) offer: Vec<u8>,
    pub(super) peer: SocketAddr,
    pub(super) tcp: bool,
    pub(super) max_forwards: u8,
}
