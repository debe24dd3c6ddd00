//! From a chat's journal back to the chat.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use strowger_contact::recorded::beginning;
use strowger_contact::{Ending, Entry, EntryKind, Millis};

use super::Chats;
use super::chat::Chat;
use super::event::ChatEvent;
use super::line::ChatLine;
use crate::centre::Bound;
use crate::clock::CLOCKS_DIFFER;
use crate::locked::lock;
use crate::replay::{Rebuilt, rebuild};
use crate::runtime::Engine;
use crate::runtime::driver::{Driver, Pace};
use crate::store::{Journal, Record, StoreError};

/// The disposition of a chat that cannot go on where it was.
const INTERRUPTED: &str = "interrupted";
/// Pause until a store that is gone is asked again.
const AGAIN: Duration = Duration::from_secs(1);
/// Longest pause until a chat looks again whether there is room for its values.
const ROOM_AGAIN: Duration = Duration::from_secs(16);

impl Chats {
    /// Builds a chat again and lets it go on. Whoever calls has marked it awake.
    pub(super) fn wake(self: &Arc<Self>, chat: Arc<Chat>) {
        let alarm = chat.lock().alarm.take();
        if let Some(at) = alarm {
            self.not_wake_at(at, &chat.id);
        }
        let chats = self.clone();
        self.tasks.spawn(async move {
            if let Some(driver) = chats.woken(&chat).await {
                driver.run_until_asleep().await;
            }
        });
    }

    /// The chat's task, as soon as its tenant's memory has room for what the contact's values hold; none when it is over, or the
    /// engine stops. What is posted meanwhile is not taken, to be sent again.
    async fn woken(self: &Arc<Self>, chat: &Arc<Chat>) -> Option<Driver<ChatLine>> {
        let mut pause = AGAIN;
        loop {
            let why = {
                let tenant = lock(&chat.home).tenant.clone();
                let _turn = self.waking.take(&tenant).await;
                let mut driver = self.rebuilt(chat).await?;
                match driver.hold_values() {
                    Ok(()) => {
                        self.resumed.fetch_add(1, Ordering::Relaxed);
                        return Some(driver);
                    }
                    Err(why) => why,
                }
            };
            tracing::warn!(contact = %chat.id, "a chat waits for memory: {why}");
            chat.refuse(&why);
            let mut until = pin!(tokio::time::sleep(pause));
            loop {
                tokio::select! {
                    () = self.stop.cancelled() => return None,
                    () = &mut until => break,
                    () = chat.came.notified() => chat.refuse(&why),
                }
            }
            pause = (pause * 2).min(ROOM_AGAIN);
        }
    }

    /// The chat's task; none when it is over, or the engine stops.
    async fn rebuilt(self: &Arc<Self>, chat: &Arc<Chat>) -> Option<Driver<ChatLine>> {
        let journal = loop {
            if self.stop.is_cancelled() {
                return None;
            }
            match self.journal(chat).await {
                Ok(journal) => break journal,
                Err(error) => {
                    // That the store is gone is told once, and not of every chat.
                    if !matches!(error, StoreError::Gone(_)) && !self.node.store_gone() {
                        tracing::warn!(contact = %chat.id, "a chat waits for its journal: {error}");
                    }
                    chat.refuse(&error.to_string());
                    tokio::time::sleep(AGAIN).await;
                }
            }
        };
        if let Some(why) = journal.newer() {
            tracing::error!(contact = %chat.id, "a chat is left as it is, and answers nobody: {why}");
            chat.leave_to_newer(&why);
            return None;
        }
        {
            let mut state = chat.lock();
            state.log = journal.entries.iter().filter_map(ChatEvent::of).collect();
            state.shown = state.newest();
            state.unread = false;
        }
        chat.shown.notify_waiters();
        let engine = self.home(chat, &journal.entries).await;
        let rebuilt = match &engine {
            Ok(engine) => rebuild(engine.program.clone(), &journal.entries).await,
            Err(why) => Err(why.clone()),
        };
        match (engine, rebuilt) {
            (Ok(engine), Ok(rebuilt)) => {
                Some(self.going_on(chat, engine, &journal.entries, rebuilt))
            }
            (_, Err(why)) | (Err(why), _) => {
                self.interrupt(chat, &journal.entries, why).await;
                None
            }
        }
    }

    /// The revision that a chat walks; why there is none.
    async fn home(&self, chat: &Chat, entries: &[Entry]) -> Result<Arc<Engine>, String> {
        let tenant = {
            let home = lock(&chat.home);
            if let Some(engine) = &home.engine {
                return Ok(engine.clone());
            }
            home.tenant.clone()
        };
        let begun = beginning(entries).map_err(|error| error.to_string())?;
        let engine = self.centre.engine_of(&tenant, &begun, Bound::Free).await?;
        lock(&chat.home).engine = Some(engine.clone());
        Ok(engine)
    }

    fn going_on(
        self: &Arc<Self>,
        chat: &Arc<Chat>,
        engine: Arc<Engine>,
        entries: &[Entry],
        rebuilt: Rebuilt,
    ) -> Driver<ChatLine> {
        let play = rebuilt.standing.play;
        let ahead = *chat.ahead.get_or_init(|| self.behind(chat, entries));
        let line = ChatLine::again(self.clone(), chat.clone(), entries, play);
        Driver::again(
            engine,
            rebuilt,
            entries,
            line,
            self.stop.clone(),
            Pace::Real,
        )
        .ahead(ahead)
    }

    /// By how much the machine's clock is behind what a chat's journal says.
    fn behind(&self, chat: &Chat, entries: &[Entry]) -> Millis {
        let last = entries.last().map_or(0, |entry| entry.at);
        let behind = last.saturating_sub(self.node.clock.now());
        if behind > CLOCKS_DIFFER {
            tracing::warn!(
                contact = %chat.id,
                "the clock of this machine went back: the chat's journal ends {} s from now, and the chat goes on from there",
                behind / 1_000
            );
        }
        behind
    }

    /// What is on the disk of a chat, all that can be read of it.
    async fn journal(&self, chat: &Chat) -> Result<Journal, StoreError> {
        let Some(store) = &self.node.store else {
            return Ok(Journal::default());
        };
        // What was written last may still be on its way.
        self.node.durable().await.map_err(StoreError::Gone)?;
        let journal = store.journal(&chat.id).await?;
        if let Some(torn) = &journal.torn
            && journal.newer().is_none()
        {
            tracing::error!(
                contact = %chat.id,
                entry = torn.seq,
                "a journal is broken and is cut there; the chat goes on from what is before: {}",
                torn.why
            );
            store.cut_journal(&chat.id, torn.seq).await?;
        }
        Ok(journal)
    }

    /// Ends a chat that cannot go on.
    async fn interrupt(&self, chat: &Chat, entries: &[Entry], why: String) {
        let ended = entries.iter().find_map(|entry| match &entry.kind {
            EntryKind::Ended(ending) => Some((ending.reason.clone(), entry.at)),
            _ => None,
        });
        let now = self.node.clock.now();
        let mut upto = chat.lock().newest();
        // The process may have been killed between the last entry and the record.
        let (reason, at) = match ended {
            Some(ended) => ended,
            None => {
                self.interrupted.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(contact = %chat.id, "a chat cannot go on and ends as {INTERRUPTED}: {why}");
                let ending = Ending {
                    reason: INTERRUPTED.to_owned(),
                    by_caller: false,
                    error: Some(why),
                };
                let entry = Entry {
                    seq: entries.last().map_or(0, |entry| entry.seq + 1),
                    at: now,
                    kind: EntryKind::Ended(ending),
                };
                if let Some(event) = ChatEvent::of(&entry) {
                    upto = event.n;
                    chat.lock().log.push(event);
                }
                self.write_down(Record::Entries(chat.id.clone(), vec![entry]))
                    .await;
                (INTERRUPTED.to_owned(), now)
            }
        };
        self.saved().await;
        // Made of what is on the disk by now.
        let ended = loop {
            match &self.node.store {
                None => break None,
                Some(store) => match store.end_of(&chat.id, &reason, at).await {
                    Ok(ended) => break ended,
                    Err(_) if self.stop.is_cancelled() => break None,
                    Err(_) => tokio::time::sleep(AGAIN).await,
                },
            }
        };
        if let Some(ended) = ended {
            self.write_down(ended).await;
            self.saved().await;
        }
        chat.end(upto);
        lock(&self.open).remove(&chat.id);
    }

    /// Waits until what was written down is on the disk, or the engine stops.
    async fn saved(&self) {
        while self.node.durable().await.is_err() && !self.stop.is_cancelled() {
            tokio::time::sleep(AGAIN).await;
        }
    }

    async fn write_down(&self, record: Record) {
        if let Some(writer) = &self.node.writer {
            writer.write(record).await;
        }
    }
}
