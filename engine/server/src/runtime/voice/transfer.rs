//! A call that is handed over: by the caller's own telephone (REFER, RFC 3515), or by a second call of ours.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use strowger_contact::call::CallError;
use strowger_contact::{Input, TransferResult};
use strowger_voice::clip::Clip;
use tokio::time::Instant;

use super::VoiceLine;
use crate::project::How;
use crate::runtime::bridge::{Bridge, Caller, Key, Told, refusal, send_info};
use crate::runtime::line::Handover;

/// After `ring` the far side may still need a moment to tell how it went.
const TRANSFER_GRACE: Duration = Duration::from_secs(2);
/// What the caller hears while it rings on the other side and the flow plays nothing: 425 Hz, 1 s on and 4 s off
/// (ITU-T E.180 §5), in dB below full scale.
const RINGBACK: (f32, u32, u32, f32) = (425.0, 1_000, 4_000, -18.0);
/// Number of the ringing tone among the plays; those of a contact begin at 1.
const RINGING: u32 = 0;

/// A transfer that the caller's telephone makes.
pub(super) struct Transfer {
    pub(super) effect: u32,
    pub(super) until: Instant,
    /// The last report that was not the end: 100 trying, 180 ringing.
    told: Option<u16>,
}

impl VoiceLine {
    /// Begins a transfer: asks the caller's telephone, or calls the target.
    pub(super) fn hand_over(&mut self, effect: u32, handover: Handover) {
        if handover.how == How::Bridge {
            return self.bridge(effect, handover);
        }
        // What it heard while the transfer waited.
        self.stop_ringing();
        let Handover {
            uri: target,
            options,
            ..
        } = handover;
        let until = Instant::now() + Duration::from_millis(options.ring_ms.into()) + TRANSFER_GRACE;
        self.transfer = Some(Transfer {
            effect,
            until,
            told: None,
        });
        let call = self.call.clone();
        let contact = self.contact.clone();
        let unasked = self.unasked.0.clone();
        let before = self.asking.take();
        self.asking = Some(tokio::spawn(async move {
            if let Some(before) = before {
                let _ = before.await;
            }
            // A refusal by the other side comes as an event; this is our own side not being able to ask.
            if let Err(error) = call.refer(&target, options.caller_id.as_deref()).await {
                tracing::warn!(%contact, %target, "transfer: {error}");
                let _ = unasked.send(effect).await;
            }
        }));
    }

    /// What the caller's telephone reports of the transfer.
    pub(super) fn transfer_progress(&mut self, status: u16, last: bool) -> Option<Input> {
        let result = match status {
            200..=299 => TransferResult::Done,
            300.. => refusal(status),
            // A telephone that has gone and tells no more has followed the transfer.
            _ if last && self.left => TransferResult::Done,
            // The other side stopped telling before it knew.
            _ if last => TransferResult::Failed,
            _ => {
                if let Some(transfer) = &mut self.transfer {
                    transfer.told = Some(status);
                }
                return None;
            }
        };
        self.transferred(result)
    }

    /// The caller's telephone accepted the transfer and hung up. Whether it follows the transfer or its owner gave up,
    /// its reports tell: no hang-up is booked before the transfer is settled.
    pub(super) fn caller_left(&mut self) -> Option<Input> {
        let Some(transfer) = &mut self.transfer else {
            self.give_up_transfer();
            return self.caller_gone();
        };
        if transfer.told.is_some_and(|status| status >= 180) {
            // It reports as it goes, so the end is on its way.
            transfer.until = transfer.until.min(Instant::now() + TRANSFER_GRACE);
        }
        self.gone = true;
        self.left = true;
        self.hush();
        None
    }

    /// The transfer has ended so.
    pub(super) fn transferred(&mut self, result: TransferResult) -> Option<Input> {
        let transfer = self.transfer.take()?;
        let done = Input::EffectDone {
            effect: transfer.effect,
            result: result.to_json().into(),
        };
        if !std::mem::take(&mut self.left) {
            return Some(done);
        }
        // Nobody is there for what the flow does next: the contact knows before it walks on.
        self.inputs.push_back(done);
        Some(Input::HungUp)
    }

    /// The time of the transfer is over. A telephone that is still on the line has rung in vain. One that left without a
    /// report is taken at its word: it accepted the transfer. One that had begun to report and never told of an end
    /// belongs to a caller who gave up.
    pub(super) fn transfer_overdue(&mut self) -> Option<Input> {
        self.give_up_transfer();
        let told = self.transfer.as_ref().and_then(|transfer| transfer.told);
        match (self.left, told) {
            (false, _) => self.transferred(TransferResult::NoAnswer),
            (true, None) => self.transferred(TransferResult::Done),
            (true, Some(_)) => {
                self.left = false;
                self.hung_up_in_transfer();
                Some(Input::HungUp)
            }
        }
    }

    /// Nobody waits for the transfer any more; the next one must not be taken for it.
    pub(super) fn give_up_transfer(&mut self) {
        let call = self.call.clone();
        let asked = self.asking.take();
        self.asking = Some(tokio::spawn(async move {
            if let Some(asked) = asked {
                let _ = asked.await;
            }
            // Refused only when the call is over, and the transfer with it.
            let _ = call.give_up_transfer().await;
        }));
    }

    /// Nobody waits for this transfer any more.
    pub(super) fn take_back(&mut self, effect: u32) {
        if self.bridge.is_none() && self.transfer.is_none() {
            self.stop_ringing();
        }
        if self
            .bridge
            .take_if(|bridge| bridge.effect == effect)
            .is_some()
        {
            self.stop_ringing();
        }
        if self
            .transfer
            .take_if(|transfer| transfer.effect == effect)
            .is_some()
        {
            self.give_up_transfer();
            if std::mem::take(&mut self.left) {
                self.inputs.push_back(Input::HungUp);
            }
        }
    }

    /// The call goes, and the transfer with it: its subscription, or the second call.
    pub(super) fn hung_up_in_transfer(&mut self) {
        if let Some(bridge) = self.bridge.take() {
            // Who has talked with the other side was handed over.
            let result = match bridge.joined {
                true => TransferResult::Done.to_json(),
                false => json!({ "err": CallError::Hangup }),
            };
            self.inputs.push_back(Input::EffectDone {
                effect: bridge.effect,
                result: result.into(),
            });
        }
        if let Some(transfer) = self.transfer.take() {
            let result = json!({ "err": CallError::Hangup }).into();
            self.inputs.push_back(Input::EffectDone {
                effect: transfer.effect,
                result,
            });
        }
    }

    /// Calls the target and joins it with the caller.
    pub(super) fn bridge(&mut self, effect: u32, handover: Handover) {
        self.placed += 1;
        let begun = Bridge::begin(
            &self.engine,
            &self.outgoing,
            effect,
            handover,
            Caller {
                contact: &self.contact,
                ahead: self.ahead,
                stream: &self.stream,
                codec: self.codec,
                max_forwards: self.max_forwards,
                nth: self.placed,
            },
        );
        match begun {
            Ok(bridge) => self.bridge = Some(bridge),
            Err(error) => {
                tracing::warn!(contact = %self.contact, "transfer: {error}");
                self.stop_ringing();
                self.inputs.push_back(Input::EffectDone {
                    effect,
                    result: TransferResult::Failed.to_json().into(),
                });
            }
        }
    }

    /// What the second call tells.
    pub(super) async fn bridged(&mut self, told: Told) -> Option<Input> {
        match told {
            Told::Rings => {
                // Some networks say it again and again; the tone goes on.
                if !std::mem::replace(&mut self.rings, true) {
                    self.ring_back();
                }
                None
            }
            Told::Sounds => {
                self.stop_ringing();
                None
            }
            Told::Joined => {
                self.stop_ringing();
                let bridge = self.bridge.as_mut()?;
                bridge.joined = true;
                Some(Input::Joined {
                    effect: bridge.effect,
                })
            }
            Told::Key(key) => {
                match (self.events, key.in_audio) {
                    // It has gone on as it came.
                    (true, true) => {}
                    (true, false) => {
                        let done = self.stream.press(key.key);
                        self.told(done);
                    }
                    (false, _) => send_info(&self.call, key.key).await,
                }
                None
            }
            Told::Over(result) => {
                self.stop_ringing();
                let bridge = self.bridge.take()?;
                Some(Input::EffectDone {
                    effect: bridge.effect,
                    result: result.to_json().into(),
                })
            }
        }
    }

    /// The caller pressed a key: for whom he talks with, or for the flow.
    pub(super) fn pressed_now(&mut self, key: Key) -> Option<Input> {
        match &self.bridge {
            Some(bridge) if bridge.joined => {
                bridge.press(key);
                None
            }
            _ => Some(Input::Key(key.key)),
        }
    }

    /// Lets the caller hear that it rings, unless the flow lets him hear something else.
    pub(super) fn ring_back(&mut self) {
        if !self.rings || self.playing || self.wanted.is_some() || self.gone {
            return;
        }
        let (hertz, on_ms, off_ms, level_db) = RINGBACK;
        let clips = vec![
            Arc::new(Clip::tone(self.codec, hertz, on_ms, level_db)),
            Arc::new(Clip::silence(self.codec, off_ms)),
        ];
        let done = self.stream.play(RINGING, clips, true);
        self.told(done);
    }

    /// It rings no more.
    pub(super) fn stop_ringing(&mut self) {
        if std::mem::take(&mut self.rings) && !self.playing && self.wanted.is_none() {
            let done = self.stream.stop();
            self.told(done);
        }
    }
}
