//! One open chat: what is shown of it, and what waits to be taken in.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use strowger_contact::Millis;
use tokio::sync::{Notify, oneshot};

use super::event::ChatEvent;
use crate::centre::{ChatSeat, Seat};
use crate::rate::{Bucket, Pace};
use crate::runtime::Engine;

/// Most posts of one chat that wait to be taken in.
const MAX_WAITING: usize = 16;

/// What became of a post.
pub(super) type Answered = Result<(), Unanswered>;

/// Why a post was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// It is not on the disk: why. The same post may be sent again; whether it was taken meanwhile makes no difference.
    Store(String),
    /// The chat is over.
    Over,
    /// A newer program has it: why.
    Newer(String),
}

/// What the contact does.
#[derive(Debug)]
pub(super) enum Act {
    /// Writes.
    Write {
        /// The name of the message.
        id: String,
        text: String,
    },
    /// Leaves.
    Leave,
}

/// Something that was posted, and who waits until it is on the disk.
#[derive(Debug)]
pub(super) struct Post {
    pub act: Act,
    pub answer: oneshot::Sender<Answered>,
}

/// What a chat walks.
pub(super) struct Home {
    /// Whose it is.
    pub tenant: String,
    /// The revision; none until a chat that an earlier process began is woken.
    pub engine: Option<Arc<Engine>>,
    /// The chat's place among its tenant's contacts.
    pub _seat: Option<Seat>,
    /// The same among its tenant's chats.
    pub _chat: Option<ChatSeat>,
}

/// An open chat. It is small: while nobody writes, this is all there is of it in memory.
pub(super) struct Chat {
    pub id: String,
    /// SHA-256 of the token that opens it.
    pub token: [u8; 32],
    /// Something was posted.
    pub came: Notify,
    /// By how much its contact's clock is ahead of the machine's, which went back while no engine ran. Milliseconds; known
    /// from when it is first built again.
    pub ahead: OnceLock<Millis>,
    /// There is more to be seen, or the chat is over.
    pub shown: Notify,
    pub home: Mutex<Home>,
    state: Mutex<State>,
}

/// What is known of an open chat.
#[derive(Default)]
pub(super) struct State {
    /// A task walks it.
    pub awake: bool,
    pub inbox: VecDeque<Post>,
    /// What was said so far; empty while it sleeps.
    pub log: Vec<ChatEvent>,
    /// What was said is in the journal alone, from which the log is to be read before anything of it can be seen.
    pub unread: bool,
    /// Up to which number the log is on the disk and may be seen.
    pub shown: u32,
    pub over: bool,
    /// Why it is left to a newer program, which wrote its journal: as long as this one runs, nothing of it is shown or taken.
    pub newer: Option<String>,
    /// When it is to be woken.
    pub alarm: Option<Millis>,
    /// How many messages may be written still.
    written: Bucket,
}

/// Why something cannot be posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Full {
    /// The chat is over.
    Over,
    /// A newer program has it: why.
    Newer(String),
    /// Too many messages this minute.
    TooFast,
    /// Too many wait to be taken in.
    Busy,
}

impl State {
    /// Whether there is, or may be, something after a number that is in the journal alone. Nothing is known of a chat of an
    /// earlier process until its journal was read once.
    pub fn holds_unread(&self, after: u32) -> bool {
        self.unread && (self.shown > after || self.shown == 0)
    }

    /// The number of what was said last.
    pub fn newest(&self) -> u32 {
        self.log.last().map_or(self.shown, |event| event.n)
    }
}

impl Chat {
    /// One that begins.
    pub fn new(id: String, token: [u8; 32], home: Home) -> Chat {
        Chat::of(id, token, home, false)
    }

    /// One that an earlier process began, of which only the journal is there.
    pub fn earlier(id: String, token: [u8; 32], home: Home) -> Chat {
        Chat::of(id, token, home, true)
    }

    fn of(id: String, token: [u8; 32], home: Home, unread: bool) -> Chat {
        Chat {
            id,
            token,
            came: Notify::new(),
            ahead: OnceLock::new(),
            shown: Notify::new(),
            home: Mutex::new(home),
            state: Mutex::new(State {
                awake: true,
                unread,
                ..State::default()
            }),
        }
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing is done under the lock that could leave it half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Posts something; true when the chat sleeps and is to be woken by whoever asks. `a_minute` bounds messages.
    pub fn post(&self, post: Post, now: Millis, a_minute: u32) -> Result<bool, Full> {
        let mut state = self.lock();
        if state.over {
            return Err(Full::Over);
        }
        if let Some(why) = &state.newer {
            return Err(Full::Newer(why.clone()));
        }
        if let Act::Write { .. } = post.act {
            let pace = Pace::per_minute(a_minute);
            if state.written.peek(pace, now).is_err() {
                return Err(Full::TooFast);
            }
            if state.inbox.len() >= MAX_WAITING {
                return Err(Full::Busy);
            }
            // It was there a moment ago, under the same lock.
            let _ = state.written.take(pace, now);
        }
        state.inbox.push_back(post);
        let wakes = !std::mem::replace(&mut state.awake, true);
        drop(state);
        self.came.notify_one();
        Ok(wakes)
    }

    /// True when it slept and is to be woken by whoever asks.
    pub fn rouse(&self) -> bool {
        let mut state = self.lock();
        !state.over && state.newer.is_none() && !std::mem::replace(&mut state.awake, true)
    }

    /// Lets what was said be seen up to a number.
    pub fn show(&self, upto: u32) {
        let mut state = self.lock();
        state.shown = state.shown.max(upto);
        drop(state);
        self.shown.notify_waiters();
    }

    /// Whether something waits to be taken in.
    pub fn has_posts(&self) -> bool {
        !self.lock().inbox.is_empty()
    }

    /// Tells all who posted that the store is gone, and why: messages are not taken, to be sent again. Who leaves is believed,
    /// and leaves when the store is back.
    pub fn refuse(&self, why: &str) {
        let mut state = self.lock();
        let posts = std::mem::take(&mut state.inbox);
        for Post { act, answer } in posts {
            // Who posted may be gone.
            let _ = answer.send(Err(Unanswered::Store(why.to_owned())));
            if matches!(act, Act::Leave) && state.inbox.is_empty() {
                let (answer, _) = oneshot::channel();
                state.inbox.push_back(Post { act, answer });
            }
        }
    }

    /// Is left to a newer program, by which it was written: whoever posts or waits hears so, and nothing wakes it.
    pub fn leave_to_newer(&self, why: &str) {
        let mut state = self.lock();
        state.newer = Some(why.to_owned());
        let inbox = std::mem::take(&mut state.inbox);
        drop(state);
        for post in inbox {
            let _ = post.answer.send(Err(Unanswered::Newer(why.to_owned())));
        }
        self.shown.notify_waiters();
    }

    /// Goes to sleep, unless there is something to do.
    pub fn fall_asleep(&self, wakes_at: Millis) -> bool {
        let mut state = self.lock();
        let idle = state.inbox.is_empty() && state.shown >= state.newest();
        if idle {
            state.awake = false;
            state.alarm = Some(wakes_at);
            state.log = Vec::new();
            // Of one that has shown nothing yet there is nothing to read.
            state.unread = state.shown > 0;
            state.inbox = VecDeque::new();
        }
        idle
    }

    /// Is over; whoever still posts hears so.
    pub fn end(&self, upto: u32) {
        let mut state = self.lock();
        state.over = true;
        state.shown = state.shown.max(upto);
        let inbox = std::mem::take(&mut state.inbox);
        drop(state);
        for post in inbox {
            let _ = post.answer.send(Err(Unanswered::Over));
        }
        self.shown.notify_waiters();
    }
}
