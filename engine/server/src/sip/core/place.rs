//! Calls that we place (RFC 3261 §13.2).

use std::time::Instant;

use tokio::sync::mpsc;

use super::super::call::{OutgoingCall, Party, Place};
use super::super::config::EVENT_QUEUE;
use super::super::error::SipError;
use super::super::timers::{ClientId, Timer};
use super::super::wire::{RequestHead, tag_text};
use super::dialog::{Dialog, Placed, Stage};
use super::session::SessionAnswer;
use super::transaction::{ClientTransaction, Kind};
use super::{ALLOW_CALLEE, Core, GIVE_UP, MAX_FORWARDS, Path};

/// Who calls when nobody is to be named (RFC 3323 §4.1).
const ANONYMOUS: &str = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";

impl Core {
    /// Sends the INVITE.
    pub(super) fn place(&mut self, now: Instant, place: Place) -> Result<OutgoingCall, SipError> {
        if self.shutdown.is_some() {
            return Err(SipError::Closed);
        }
        if self.dialogs.len() >= self.config.limits.calls {
            let state = "as many calls as the limit allows are up; raise `calls` or wait";
            return Err(SipError::State {
                action: "place a call",
                state,
            });
        }
        let mut call = self.ids.fresh();
        while self.dialogs.contains_key(&call) {
            call = self.ids.fresh();
        }
        let path = if place.tcp {
            Path::tcp(place.peer, 0)
        } else {
            Path::udp(place.peer)
        };
        let sent_by = self.sent_by(path);
        let call_id = format!("{}@{sent_by}", tag_text(self.ids.fresh()));
        let id = ClientId {
            branch: self.ids.fresh(),
            cancel: false,
        };
        let from = match place.from {
            Party::Address(address) => address,
            Party::User(user) if user.is_empty() => ANONYMOUS.to_owned(),
            Party::User(user) => format!("<sip:{user}@{sent_by}>"),
        };
        let local = format!("{from};tag={}", tag_text(call));
        let to = format!("<{}>", place.target);
        // No `Supported: timer`: with it the callee could leave the refreshing to us.
        let mut headers = self.contact_line(path);
        headers += &format!(
            "Allow: {ALLOW_CALLEE}\r\nUser-Agent: {}\r\n",
            self.config.user_agent
        );
        if !place.offer.is_empty() {
            headers += "Content-Type: application/sdp\r\n";
        }
        let head = RequestHead {
            method: "INVITE",
            uri: &place.target,
            tcp: path.tcp,
            sent_by: &sent_by,
            branch: id.branch,
            routes: &[],
            from: &local,
            to: &to,
            call_id: &call_id,
            cseq: 1,
            max_forwards: place.max_forwards,
        };
        let request = head.request(&headers, &place.offer);
        let (events, to_owner) = mpsc::channel(EVENT_QUEUE);
        let dialog = Dialog {
            outgoing: true,
            call_id: call_id.clone(),
            local,
            remote: to.clone(),
            remote_tag: String::new(),
            local_seq: 1,
            remote_seq: 0,
            target: place.target.clone(),
            routes: Vec::new(),
            path,
            heard_from: path,
            stage: Stage::Early,
            events: Some(events),
            record_route: String::new(),
            invite: None,
            asked: None,
            answer: None,
            end_after_ack: false,
            session: None,
            session_answer: SessionAnswer::None,
            peer_updates: false,
            transfer: None,
            transfer_accepted: false,
            transfer_given_up: false,
            referral: None,
            placed: Some(Placed {
                invite: id,
                uri: place.target,
                to,
                cancel_wanted: false,
            }),
        };
        self.dialogs.insert(call, dialog);
        let ladders = self.ladders.as_mut();
        let leg = ladders.and_then(|ladders| ladders.placed(now, &call_id, &tag_text(call), call));
        self.open_client(
            now,
            id,
            ClientTransaction::new(Kind::Invite, path, call, 1, request),
        );
        self.watch(now);
        Ok(OutgoingCall {
            call: self.handle_of(call),
            call_id,
            peer: place.peer,
            leg,
            events: to_owner,
        })
    }

    /// Cancels the INVITE, which has had a provisional response.
    pub(super) fn send_cancel(&mut self, now: Instant, call: u64) {
        let Some(dialog) = self.dialogs.get(&call) else {
            return;
        };
        let Some(path) = dialog
            .placed
            .as_ref()
            .and_then(|placed| self.clients.get(&placed.invite))
            .map(|client| client.path)
        else {
            return;
        };
        let sent_by = self.sent_by(path);
        let Some(dialog) = self.dialogs.get(&call) else {
            return;
        };
        let Some(placed) = &dialog.placed else { return };
        let id = ClientId {
            branch: placed.invite.branch,
            cancel: true,
        };
        let head = RequestHead {
            method: "CANCEL",
            uri: &placed.uri,
            tcp: path.tcp,
            sent_by: &sent_by,
            branch: id.branch,
            routes: &[],
            from: &dialog.local,
            to: &placed.to,
            call_id: &dialog.call_id,
            cseq: 1,
            max_forwards: MAX_FORWARDS,
        };
        let request = head.request("", &[]);
        let invite = placed.invite;
        self.open_client(
            now,
            id,
            ClientTransaction::new(Kind::Cancel, path, call, 1, request),
        );
        self.timers.set(now + GIVE_UP, Timer::CancelOver(invite));
    }
}
