//! Chats: written contacts, which outlive the process that began them.
//!
//! A chat's journal is all there is of it: what is shown, what was taken in and where the flow stands are made of it. So
//! a chat in which nobody writes is dropped whole, and built again from its journal when there is something to do, as
//! it is when the process was killed.

#[allow(clippy::module_inception)]
mod chat;
mod event;
mod line;
mod wake;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sha2::Digest;
use strowger_contact::{Channel, EntryKind, Millis};
use strowger_flow::unseen::quoted;
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::chat::{Act, Chat, Full, Home, Post, Unanswered};
pub use self::event::{ChatEvent, Shown};
use self::line::ChatLine;
use super::alarms::{Alarms, ring, take_due};
use super::driver::{Driver, Pace};
use super::node::Node;
use crate::centre::{Admitted, Centre, NotAdmitted, Seat};
use crate::locked::lock;
use crate::places::{NoPlace, Place, Places};
use crate::project::ChatSection;
use crate::rate::{self, Buckets, Crowd};
use crate::store::{OpenChat, Record, StoreError};
use crate::turns::Turns;

/// Chats that are being built again at once, and those of one tenant: each reads its journal.
const WAKING: usize = 16;
const WAKING_OF_TENANT: usize = WAKING / 2;
/// Who waits for events at once: below the HTTP side's connections, so that those who write get in.
const LISTENERS: usize = 1_792;
/// The same of one tenant's chats where there are others: room for each chat that a tenant may have unless its file says otherwise.
const LISTENERS_OF_TENANT: usize = LISTENERS / 2;
/// The same of one chat: its page in some tabs, and connections that broke and are not known to have.
const LISTENERS_OF_CHAT: usize = 8;
/// The last of all are for tenants whose visitors have none.
const LISTENERS_KEPT: usize = LISTENERS / 8;
/// Sources whose chats are counted one by one.
const MAX_SOURCES: usize = 10_000;
/// How long the end of the program waits for chats to lie down.
const CLOSING: Duration = Duration::from_secs(5);
/// Longest wait for a chat's journal by somebody who asks what was said, however short they mean to wait for what comes.
const READING: Duration = Duration::from_secs(10);

/// All open chats of an engine.
pub struct Chats {
    centre: Arc<Centre>,
    node: Arc<Node>,
    settings: ChatSection,
    open: Mutex<HashMap<String, Arc<Chat>>>,
    /// When sleeping chats are to be woken.
    alarms: Mutex<Alarms<String>>,
    alarm_set: Notify,
    waking: Turns,
    sources: Mutex<Buckets<IpAddr>>,
    /// Lets all chats lie down.
    stop: CancellationToken,
    tasks: TaskTracker,
    /// By tenant; those of chats that are over, which wait for nothing, have one place in common.
    listeners: Places<Option<String>>,
    listeners_of_chats: Places<String>,
    resumed: AtomicU64,
    interrupted: AtomicU64,
}

/// A chat that has begun.
#[derive(Debug)]
pub struct Begun {
    /// Its contact.
    pub id: String,
    /// Opens it; nobody else has it.
    pub token: String,
}

/// A place among those who wait for events.
#[derive(Debug)]
pub(crate) struct Listener {
    _of_chat: Place<String>,
    _of_tenant: Place<Option<String>>,
}

/// Why a chat does not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// Nothing leads there, or there is no room.
    #[error(transparent)]
    NotAdmitted(#[from] NotAdmitted),
    /// The flow does not speak it.
    #[error("the flow has no language `{language}`; it has {known}")]
    NoLanguage {
        /// What was asked for.
        language: String,
        /// What there is.
        known: String,
    },
    /// The engine stops.
    #[error("the engine is being stopped: try again in a moment")]
    Stopping,
    /// Too many chats.
    #[error("there are as many chats as chat.at_once allows: try again later")]
    TooMany,
    /// Its tenant has as many as it may.
    #[error("tenant {0} has as many chats as it may (limits.chats): try again later")]
    TooManyOfTenant(String),
    /// One source begins too many.
    #[error(
        "too many chats were begun from this address: chat.new_per_minute says how many may be"
    )]
    TooManyBegun,
    /// Too many messages.
    #[error(
        "too many messages in this chat: chat.messages_per_minute says how many are taken; send it again in a minute"
    )]
    TooFast,
    /// Too many wait for its events.
    #[error(
        "{LISTENERS_OF_CHAT} requests wait for this chat's events already: end one, or try again later"
    )]
    TooManyWait,
    /// Too many wait for events of its tenant's chats, or of all.
    #[error("too many wait for events at once: try again later")]
    TooManyWaitInAll,
    /// Those posted before are not taken in yet.
    #[error("messages posted before are still being taken in: send it again in a moment")]
    Busy,
    /// No such chat, or not with this token.
    #[error("there is no such chat, or the token is that of another one")]
    Unknown,
    /// It has ended.
    #[error("the chat is over; its events say why")]
    Over,
    /// What should be on the disk is not: a chat stands still until the store is back. A message was not taken, or it was
    /// when the store went, and is saved when that is back.
    #[error(
        "it is not saved: {0}; send it again, a message with the same client_id: that is taken once"
    )]
    Unsaved(String),
    /// What was said is in the store, and cannot be had from there in time.
    #[error("what was said cannot be read from the store now: try again in a moment")]
    Unread,
    /// A newer program wrote its journal, and has it for itself.
    #[error("the chat goes on when the newer version runs again: {0}")]
    Newer(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Chats {
    /// No chats yet; see [`Chats::resume`].
    pub fn new(centre: Arc<Centre>, settings: ChatSection) -> Arc<Chats> {
        let of_tenant = match centre.publishes() {
            true => LISTENERS_OF_TENANT,
            false => LISTENERS,
        };
        let chats = Arc::new(Chats {
            sources: Mutex::new(Buckets::new(
                rate::Pace::per_minute(settings.new_per_minute),
                MAX_SOURCES,
                Crowd::Shares,
            )),
            node: centre.node.clone(),
            centre,
            settings,
            open: Mutex::default(),
            alarms: Mutex::default(),
            alarm_set: Notify::new(),
            waking: Turns::new(WAKING, WAKING_OF_TENANT),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            listeners: Places::new(LISTENERS, of_tenant, LISTENERS_KEPT),
            listeners_of_chats: Places::new(LISTENERS, LISTENERS_OF_CHAT, 0),
            resumed: AtomicU64::new(0),
            interrupted: AtomicU64::new(0),
        });
        tokio::spawn(chats.clone().keep_alarms());
        chats
    }

    /// Takes up the chats that were open when the engine last ended.
    pub async fn resume(self: &Arc<Self>) -> Result<usize, StoreError> {
        let Some(store) = &self.node.store else {
            return Ok(0);
        };
        let settled = store.settle_visits().await?;
        if settled > 0 {
            tracing::info!(
                keys = settled,
                "Idempotency-Keys of chats that were being begun are settled by what there is of these"
            );
        }
        let open = store.open_chats().await?;
        let count = open.len();
        for OpenChat { id, token, tenant } in open {
            // Who was let in before goes on, however many there are.
            let seat = self.centre.tenant(&tenant).and_then(|tenant| tenant.seat());
            let home = Home {
                tenant,
                engine: None,
                _chat: seat.as_ref().and_then(Seat::chat),
                _seat: seat,
            };
            let chat = Arc::new(Chat::earlier(id.clone(), token, home));
            lock(&self.open).insert(id, chat.clone());
            self.wake(chat);
        }
        Ok(count)
    }

    /// Counts one more chat of a source, if there may be one now.
    pub fn count_begun(&self, source: IpAddr) -> Result<(), ChatError> {
        let taken = lock(&self.sources).take(&source, self.node.clock.now());
        taken.map_err(|_| ChatError::TooManyBegun)
    }

    /// Begins a chat, which opens by the token that is made for its id. It is on the disk when this comes back. A source is
    /// counted; none was before. `visit` is the visitor's key, as it is kept.
    pub async fn begin(
        self: &Arc<Self>,
        to: &str,
        from: &str,
        language: Option<String>,
        source: Option<IpAddr>,
        token: impl FnOnce(&str) -> String,
        visit: Option<String>,
    ) -> Result<Begun, ChatError> {
        if self.stop.is_cancelled() {
            return Err(ChatError::Stopping);
        }
        let Admitted {
            engine, flow, seat, ..
        } = self.centre.admit(to, &sample(from))?;
        let plan = engine.program.flow(&flow);
        let known = plan.map(|plan| plan.languages.clone()).unwrap_or_default();
        if let Some(language) = language
            .as_ref()
            .filter(|language| !known.contains(language))
        {
            return Err(ChatError::NoLanguage {
                language: quoted(language),
                known: known.join(", "),
            });
        }
        if let Some(source) = source {
            self.count_begun(source)?;
        }
        let now = self.node.clock.now();
        if lock(&self.open).len() >= self.settings.at_once as usize {
            return Err(ChatError::TooMany);
        }
        // Nothing is begun of which nobody will know.
        self.node.durable().await.map_err(ChatError::Unsaved)?;
        let place = seat
            .chat()
            .ok_or_else(|| ChatError::TooManyOfTenant(engine.tenant.clone()))?;
        let contact = engine.contact(&flow, Channel::Chat, from, to, None).await;
        // Routes were checked against the flows when the project was loaded.
        let mut contact = contact.ok_or_else(|| NotAdmitted::NoRoute(quoted(to)))?;
        contact.begin_with(language, Default::default());
        let id = contact.facts().id.clone();
        let token = token(&id);
        let hash = hash(&token);
        if let Some(writer) = &self.node.writer {
            let record = Record::Chat {
                id: id.clone(),
                token: hash,
                visit,
            };
            writer.write(record).await;
        }
        let home = Home {
            tenant: engine.tenant.clone(),
            engine: Some(engine.clone()),
            _seat: Some(seat),
            _chat: Some(place),
        };
        let chat = Arc::new(Chat::new(id.clone(), hash, home));
        lock(&self.open).insert(id.clone(), chat.clone());
        let (answer, begun) = oneshot::channel();
        let line = ChatLine::new(self.clone(), chat.clone(), now, answer);
        let driver = Driver::new(engine, contact, line, self.stop.clone(), Pace::Real, false);
        self.tasks.spawn(driver.run_until_asleep());
        match begun.await {
            Ok(Ok(())) => Ok(Begun { id, token }),
            failed => {
                // Nobody will ever know its token.
                let (answer, _) = oneshot::channel();
                let act = Act::Leave;
                let _ = chat.post(Post { act, answer }, now, 0);
                Err(unanswered(failed))
            }
        }
    }

    /// Takes a message in. It is on the disk when this comes back; the same `client_id` is taken once.
    pub async fn write(
        self: &Arc<Self>,
        id: &str,
        token: &str,
        client_id: String,
        text: String,
    ) -> Result<(), ChatError> {
        let act = Act::Write {
            id: client_id,
            text,
        };
        self.post(id, token, act).await
    }

    /// The contact leaves.
    pub async fn leave(self: &Arc<Self>, id: &str, token: &str) -> Result<(), ChatError> {
        self.post(id, token, Act::Leave).await
    }

    async fn post(self: &Arc<Self>, id: &str, token: &str, act: Act) -> Result<(), ChatError> {
        let named = match &act {
            Act::Write { id, .. } => Some(id.clone()),
            Act::Leave => None,
        };
        match (self.hand_in(id, token, act).await, named) {
            // Whoever posts again after the end did not hear that it was taken before it: he hears it now.
            (Err(ChatError::Over), Some(named)) if self.took(id, &named).await? => Ok(()),
            (handed_in, _) => handed_in,
        }
    }

    /// Whether a chat that is over took a message of this name.
    async fn took(&self, id: &str, named: &str) -> Result<bool, ChatError> {
        let store = self.node.store.as_ref().ok_or(ChatError::Unknown)?;
        let journal = store.journal(id).await?;
        let mut entries = journal.entries.iter();
        Ok(entries.any(|entry| {
            matches!(&entry.kind, EntryKind::Wrote { message: Some(message), .. } if message == named)
        }))
    }

    async fn hand_in(self: &Arc<Self>, id: &str, token: &str, act: Act) -> Result<(), ChatError> {
        let Some(chat) = self.found(id, token)? else {
            // It is over, if it ever was.
            self.former(id, token).await?;
            return Err(ChatError::Over);
        };
        if matches!(act, Act::Write { .. }) {
            let tenant = lock(&chat.home).tenant.clone();
            let store = self.node.store.as_ref();
            if store.is_some_and(|store| store.weights().brims(&tenant)) {
                return Err(NotAdmitted::Crowded(tenant).into());
            }
        }
        let (answer, answered) = oneshot::channel();
        let now = self.node.clock.now();
        let wakes = chat
            .post(Post { act, answer }, now, self.settings.messages_per_minute)
            .map_err(|full| match full {
                Full::Over => ChatError::Over,
                Full::Newer(why) => ChatError::Newer(why),
                Full::TooFast => ChatError::TooFast,
                Full::Busy => ChatError::Busy,
            })?;
        if wakes {
            self.wake(chat);
        }
        match answered.await {
            Ok(Ok(())) => Ok(()),
            failed => Err(unanswered(failed)),
        }
    }

    /// What is shown after a number, and whether that is all there will ever be. Waits for something at most so long; what was
    /// shown already is not missing for want of time, so a chat that lies in its journal is read first. Fails when it cannot be
    /// read within some seconds.
    pub async fn events(
        self: &Arc<Self>,
        id: &str,
        token: &str,
        after: u32,
        wait: Duration,
    ) -> Result<(Vec<ChatEvent>, bool), ChatError> {
        let Some(chat) = self.found(id, token)? else {
            self.former(id, token).await?;
            return Ok((self.told(id, after).await?, true));
        };
        let begun = tokio::time::Instant::now();
        loop {
            let shown = chat.shown.notified();
            tokio::pin!(shown);
            // From here on nothing is shown unnoticed.
            shown.as_mut().enable();
            let unread = {
                let state = chat.lock();
                if let Some(why) = &state.newer {
                    return Err(ChatError::Newer(why.clone()));
                }
                let more = state.shown > after;
                if state.over || (more && !state.log.is_empty()) {
                    let seen = |event: &&ChatEvent| event.n > after && event.n <= state.shown;
                    let events: Vec<_> = state.log.iter().filter(seen).cloned().collect();
                    // The last thing to be seen may be so a moment before the chat is taken down.
                    let over = state.over || events.last().is_some_and(ChatEvent::is_last);
                    if over || !events.is_empty() {
                        return Ok((events, over));
                    }
                }
                state.holds_unread(after)
            };
            if unread && chat.rouse() {
                self.wake(chat.clone());
            }
            let wait = if unread { wait.max(READING) } else { wait };
            tokio::select! {
                () = shown => {}
                () = tokio::time::sleep_until(begun + wait) => return match unread {
                    true => Err(ChatError::Unread),
                    false => Ok((Vec::new(), false)),
                },
                // Whoever waits shall wait at the next engine.
                () = self.stop.cancelled() => return Err(ChatError::Stopping),
            }
        }
    }

    /// A place among those who wait for events, for whoever has the chat's token.
    pub(crate) async fn listener(&self, id: &str, token: &str) -> Result<Listener, ChatError> {
        let tenant = match self.found(id, token)? {
            Some(chat) => Some(lock(&chat.home).tenant.clone()),
            None => {
                self.former(id, token).await?;
                None
            }
        };
        let in_all = |_| ChatError::TooManyWaitInAll;
        let of_chat = self.listeners_of_chats.take(id.to_owned());
        let _of_chat = of_chat.map_err(|none| match none {
            NoPlace::OfThis => ChatError::TooManyWait,
            NoPlace::AtAll => ChatError::TooManyWaitInAll,
        })?;
        let _of_tenant = self.listeners.take(tenant).map_err(in_all)?;
        Ok(Listener {
            _of_chat,
            _of_tenant,
        })
    }

    /// How often somebody who wanted to wait for events was refused.
    pub(crate) fn listeners_refused(&self) -> u64 {
        self.listeners.refused() + self.listeners_of_chats.refused()
    }

    /// What the project says of chats.
    pub(crate) fn settings(&self) -> &ChatSection {
        &self.settings
    }

    /// Times that a chat was built again from its journal.
    pub fn resumed(&self) -> u64 {
        self.resumed.load(Ordering::Relaxed)
    }

    /// Chats that could not be built again.
    pub fn interrupted(&self) -> u64 {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// Chats that are open, and those of them that a task walks.
    pub fn count(&self) -> (usize, usize) {
        let open = lock(&self.open);
        let awake = open.values().filter(|chat| chat.lock().awake).count();
        (open.len(), awake)
    }

    /// Lets all chats lie down, to be taken up by the next engine on these data.
    pub async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        let waited = tokio::time::timeout(CLOSING, self.tasks.wait()).await;
        if waited.is_err() {
            tracing::warn!(
                "chats were still busy when the engine stopped: they go on as their journals leave them"
            );
        }
    }

    /// Whether a chat is open, and the token its own.
    pub(crate) fn opens(&self, id: &str, token: &str) -> bool {
        matches!(self.found(id, token), Ok(Some(_)))
    }

    /// An open chat, if the token is its own.
    fn found(&self, id: &str, token: &str) -> Result<Option<Arc<Chat>>, ChatError> {
        let Some(chat) = lock(&self.open).get(id).cloned() else {
            return Ok(None);
        };
        match chat.token == hash(token) {
            true => Ok(Some(chat)),
            false => Err(ChatError::Unknown),
        }
    }

    /// Fails unless there was such a chat, with this token.
    async fn former(&self, id: &str, token: &str) -> Result<(), ChatError> {
        let store = self.node.store.as_ref().ok_or(ChatError::Unknown)?;
        match store.chat_token(id).await? {
            Some(known) if known == hash(token) => Ok(()),
            _ => Err(ChatError::Unknown),
        }
    }

    /// What a chat that is over has shown.
    async fn told(&self, id: &str, after: u32) -> Result<Vec<ChatEvent>, ChatError> {
        let store = self.node.store.as_ref().ok_or(ChatError::Unknown)?;
        let journal = store.journal(id).await?;
        let events = journal.entries.iter().filter_map(ChatEvent::of);
        Ok(events.filter(|event| event.n > after).collect())
    }

    /// Is over, and known only to the store from now on.
    fn forget(&self, id: &str) {
        lock(&self.open).remove(id);
    }

    /// Wakes a chat that sleeps at a time.
    fn wake_at(&self, at: Millis, id: &str) {
        lock(&self.alarms).insert((at, id.to_owned()));
        self.alarm_set.notify_one();
    }

    /// Whoever was to wake it is too late, or too early.
    fn not_wake_at(&self, at: Millis, id: &str) {
        lock(&self.alarms).remove(&(at, id.to_owned()));
    }

    async fn keep_alarms(self: Arc<Self>) {
        let next = || lock(&self.alarms).first().map(|(at, _)| *at);
        while let Some(now) = ring(&self.node.clock, next, &self.alarm_set, &self.stop).await {
            let due = take_due(&mut lock(&self.alarms), now);
            for id in due {
                let chat = lock(&self.open).get(&id).cloned();
                if let Some(chat) = chat.filter(|chat| chat.rouse()) {
                    self.wake(chat);
                }
            }
        }
    }
}

/// By what a chat is sorted into the hundred parts of a release: who writes from a web page has no address of his own, and a
/// page gives all its chats the same.
fn sample(from: &str) -> String {
    let number = from.trim_start_matches('+');
    match !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
        true => from.to_owned(),
        false => crate::access::random_secret(),
    }
}

/// Why a post was not taken.
fn unanswered(failed: Result<Result<(), Unanswered>, oneshot::error::RecvError>) -> ChatError {
    match failed {
        Ok(Err(Unanswered::Store(why))) => ChatError::Unsaved(why),
        Ok(Err(Unanswered::Over)) => ChatError::Over,
        Ok(Err(Unanswered::Newer(why))) => ChatError::Newer(why),
        // The chat lay down before it came to this post.
        _ => ChatError::Stopping,
    }
}

fn hash(token: &str) -> [u8; 32] {
    sha2::Sha256::digest(token.as_bytes()).into()
}
