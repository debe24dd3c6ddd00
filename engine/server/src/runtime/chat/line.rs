//! A chat as a line: what the flow says is shown when it is on the disk, what is posted comes in.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use strowger_contact::call::RecordOptions;
use strowger_contact::{Entry, EntryKind, Input, Millis, Segment, TransferResult};
use tokio::sync::oneshot;

use super::Chats;
use super::chat::{Act, Answered, Chat, Unanswered};
use super::event::ChatEvent;
use crate::runtime::line::{Handover, Line};

/// Pause between two attempts to write what is to be shown, while the store is gone.
const AGAIN: Duration = Duration::from_secs(1);

/// The chat's side of the engine.
pub(super) struct ChatLine {
    chats: Arc<Chats>,
    chat: Arc<Chat>,
    inputs: VecDeque<Input>,
    /// Names of the messages that were taken.
    taken: HashSet<String>,
    /// Who waits until what he posted is on the disk.
    waiting: Vec<oneshot::Sender<Answered>>,
    /// When the contact last did something.
    active_at: Millis,
    /// There is something to show that is not on the disk yet.
    news: bool,
}

impl ChatLine {
    /// A chat that begins; `begun` hears when that is on the disk.
    pub fn new(
        chats: Arc<Chats>,
        chat: Arc<Chat>,
        now: Millis,
        begun: oneshot::Sender<Answered>,
    ) -> ChatLine {
        ChatLine {
            chats,
            chat,
            inputs: VecDeque::new(),
            taken: HashSet::new(),
            waiting: vec![begun],
            active_at: now,
            news: false,
        }
    }

    /// A chat that goes on as its journal leaves it, with the play that had not come to its end.
    pub fn again(
        chats: Arc<Chats>,
        chat: Arc<Chat>,
        entries: &[Entry],
        play: Option<u32>,
    ) -> ChatLine {
        let mut taken = HashSet::new();
        let mut active_at = 0;
        for entry in entries {
            match &entry.kind {
                EntryKind::Wrote { message, .. } => {
                    taken.extend(message.clone());
                    active_at = entry.at;
                }
                EntryKind::Started { .. } => active_at = entry.at,
                _ => {}
            }
        }
        active_at = active_at.saturating_sub(chat.ahead.get().copied().unwrap_or_default());
        let played = play.map(|play| Input::PlayDone { play, error: None });
        ChatLine {
            chats,
            chat,
            inputs: played.into_iter().collect(),
            taken,
            waiting: Vec::new(),
            active_at,
            news: false,
        }
    }

    /// When the contact counts as gone.
    fn vanishes_at(&self) -> Millis {
        let idle = u64::from(self.chats.settings.idle_s) * 1_000;
        self.active_at.saturating_add(idle)
    }

    /// What was posted: an input, unless it was taken before.
    fn posted(&mut self) -> Option<Input> {
        loop {
            let post = self.chat.lock().inbox.pop_front()?;
            self.waiting.push(post.answer);
            self.active_at = self.chats.node.clock.now();
            match post.act {
                Act::Leave => return Some(Input::HungUp),
                Act::Write { id, text } => match self.taken.insert(id.clone()) {
                    true => return Some(Input::Message { id, text }),
                    // Whoever posts again did not hear that it was taken: he hears it now.
                    false => self.handled(),
                },
            }
        }
    }
}

impl Line for ChatLine {
    fn play(&mut self, play: u32, _segments: Vec<Segment>, repeat: bool) {
        // The journal's entry is what is shown; music is nothing to read.
        if !repeat {
            self.inputs.push_back(Input::PlayDone { play, error: None });
        }
    }

    fn stop(&mut self) {
        self.inputs
            .retain(|input| !matches!(input, Input::PlayDone { .. }));
    }

    fn record(&mut self, effect: u32, _options: RecordOptions) {
        // The contact core refuses it before it comes here.
        let result = json!({ "err": { "unavailable": "a chat has nothing to record" } }).into();
        self.inputs.push_back(Input::EffectDone { effect, result });
    }

    fn stop_recording(&mut self, _effect: u32) {}

    fn mask(&mut self, _masked: bool) {}

    fn transfer(&mut self, effect: u32, handover: Handover) {
        tracing::warn!(contact = %self.chat.id, uri = %handover.uri, "a chat cannot be transferred to a telephone: the transfer fails");
        let result = TransferResult::Failed.to_json().into();
        self.inputs.push_back(Input::EffectDone { effect, result });
    }

    fn cancel_transfer(&mut self, _effect: u32) {}

    fn hang_up(&mut self) {}

    async fn event(&mut self) -> Input {
        loop {
            if let Some(input) = self.inputs.pop_front() {
                return input;
            }
            let chat = self.chat.clone();
            // Before the inbox is looked into, so that nothing comes unnoticed.
            let came = chat.came.notified();
            if chat.has_posts() {
                // What cannot be written down is not walked on.
                self.stand_still().await;
                if let Some(input) = self.posted() {
                    return input;
                }
            }
            let vanishes = self.chats.node.clock.instant(self.vanishes_at());
            tokio::select! {
                () = came => {}
                () = tokio::time::sleep_until(vanishes) => return Input::Vanished,
            }
        }
    }

    async fn stand_still(&mut self) {
        let chat = self.chat.clone();
        loop {
            let came = chat.came.notified();
            let Err(why) = self.chats.node.durable().await else {
                return;
            };
            chat.refuse(&why);
            // What was taken as the store went is saved when it is back, and nobody hangs on for that.
            for post in std::mem::take(&mut self.waiting) {
                let _ = post.send(Err(Unanswered::Store(why.clone())));
            }
            tokio::select! {
                () = came => {}
                () = tokio::time::sleep(AGAIN) => {}
            }
        }
    }

    fn wrote(&mut self, entry: &Entry) {
        if let Some(event) = ChatEvent::of(entry) {
            self.chat.lock().log.push(event);
            self.news = true;
        }
    }

    fn handled(&mut self) {
        let waiting = std::mem::take(&mut self.waiting);
        if waiting.is_empty() && !std::mem::take(&mut self.news) {
            return;
        }
        let upto = self.chat.lock().newest();
        let (node, chat) = (self.chats.node.clone(), self.chat.clone());
        self.chats.tasks.spawn(async move {
            let mut saved = node.durable().await;
            for post in waiting {
                // Who posted may be gone.
                let _ = post.send(saved.clone().map_err(Unanswered::Store));
            }
            // What was shown is never unsaid, so it waits for a store that is gone.
            while saved.is_err() && !chat.lock().over {
                tokio::time::sleep(AGAIN).await;
                saved = node.durable().await;
            }
            chat.show(upto);
        });
    }

    fn sleeps(&self) -> bool {
        true
    }

    fn sleep(&mut self, deadline: Option<Millis>) -> bool {
        if !self.inputs.is_empty() || !self.waiting.is_empty() {
            return false;
        }
        let wakes_at = deadline.map_or(self.vanishes_at(), |at| at.min(self.vanishes_at()));
        let asleep = self.chat.fall_asleep(wakes_at);
        if asleep {
            // One that was woken meanwhile is woken once more, and finds nothing to do.
            self.chats.wake_at(wakes_at, &self.chat.id);
        }
        asleep
    }

    async fn close(mut self) {
        let upto = self.chat.lock().newest();
        if self.chats.node.durable().await.is_err() {
            let stop = self.chats.stop.clone();
            tokio::select! {
                () = self.stand_still() => {}
                () = stop.cancelled() => {}
            }
        }
        self.chat.end(upto);
        self.chats.forget(&self.chat.id);
    }
}
