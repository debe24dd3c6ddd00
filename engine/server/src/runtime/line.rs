//! What a contact is connected by: a telephone line, a terminal, a chat.

use std::future::Future;

use strowger_contact::call::{RecordOptions, TransferOptions};
use strowger_contact::{Entry, Input, Millis, Segment};

use crate::project::How;

/// To whom a contact is handed over, and how.
#[derive(Debug)]
pub struct Handover {
    /// A SIP or tel URI.
    pub uri: String,
    /// Who calls it.
    pub how: How,
    /// The caller's number; empty when withheld.
    pub caller: String,
    /// What the step asks for.
    pub options: TransferOptions,
    /// What whoever answers hears first.
    pub whisper: Vec<Segment>,
}

/// The contact's side of the engine. None of these may block or wait; what takes time comes back as an input.
pub trait Line: Send {
    /// Says something instead of whatever is being said; [`Input::PlayDone`] follows unless it repeats.
    fn play(&mut self, play: u32, segments: Vec<Segment>, repeat: bool);

    /// Is quiet; no [`Input::PlayDone`] follows for what was being said.
    fn stop(&mut self);

    /// Records; [`Input::EffectDone`] follows.
    fn record(&mut self, effect: u32, options: RecordOptions);

    /// Ends a recording early, as if by its end key.
    fn stop_recording(&mut self, effect: u32);

    /// Whether nothing of what the caller enters may be recorded from now on.
    fn mask(&mut self, masked: bool);

    /// Hands the contact over; [`Input::EffectDone`] follows.
    fn transfer(&mut self, effect: u32, handover: Handover);

    /// A transfer that was asked for waits until it may be made: whoever is on the line shall hear that something goes on.
    /// [`transfer`](Self::transfer) or [`cancel_transfer`](Self::cancel_transfer) follows.
    fn hand_over_waits(&mut self) {}

    /// Gives a transfer up; no [`Input::EffectDone`] needs to follow.
    fn cancel_transfer(&mut self, effect: u32);

    /// Closes the line.
    fn hang_up(&mut self);

    /// An entry was added to the journal. It is on its way to the disk.
    fn wrote(&mut self, _entry: &Entry) {}

    /// All that an input led to is done, or under way.
    fn handled(&mut self) {}

    /// Whether the contact may be dropped while nothing happens, and stopped without being ended: its journal is all that
    /// is needed to go on.
    fn sleeps(&self) -> bool {
        false
    }

    /// The contact is to be dropped until its deadline, or until something comes in. False when something has.
    fn sleep(&mut self, _deadline: Option<Millis>) -> bool {
        false
    }

    /// Waits, where it [sleeps](Self::sleeps), until all that was written is on the disk, however long the store is gone.
    /// Cancel-safe.
    fn stand_still(&mut self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// What the contact does next. Cancel-safe.
    fn event(&mut self) -> impl Future<Output = Input> + Send;

    /// What is left to do when the walk is over: sending the last packets, finishing files.
    fn close(self) -> impl Future<Output = ()> + Send;
}

/// The line of a contact whose caller is gone for good.
pub(crate) struct Nobody;

impl Line for Nobody {
    fn play(&mut self, _play: u32, _segments: Vec<Segment>, _repeat: bool) {}
    fn stop(&mut self) {}
    fn record(&mut self, _effect: u32, _options: RecordOptions) {}
    fn stop_recording(&mut self, _effect: u32) {}
    fn mask(&mut self, _masked: bool) {}
    fn transfer(&mut self, _effect: u32, _handover: Handover) {}
    fn cancel_transfer(&mut self, _effect: u32) {}
    fn hang_up(&mut self) {}

    async fn event(&mut self) -> Input {
        std::future::pending().await
    }

    async fn close(self) {}
}
