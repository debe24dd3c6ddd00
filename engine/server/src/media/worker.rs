use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::IpAddr;
use std::os::fd::AsRawFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use strowger_voice::clip::Clip;
use strowger_voice::sdp::Remote;

use super::leg::{Leg, Read, Surroundings};
use super::mailbox::Mailbox;
use super::poll::{self, Poll};
use super::recorder::RecorderQueue;
use super::stats::Counters;
use super::wheel::Wheel;
use super::{Joint, MediaConfig, MediaError, RecordSpec, Shelf};

/// Largest datagram that is looked at, in bytes; RTP audio has 172, the rest of a larger one is cut off.
const MAX_DATAGRAM: usize = 2_048;

/// How far behind its clock a thread catches up, in milliseconds. Beyond it, telephones have played their
/// buffers empty anyway, and a burst of old packets would only be thrown away.
const MAX_CATCH_UP: u64 = 60;

/// How often streams are looked through for silence.
const SWEEP: Duration = Duration::from_secs(1);

/// Longest sleep of a paced thread. What comes in meanwhile is read in one go, which saves a wake-up per
/// packet; a key waits half of this on average.
const PACE: Duration = Duration::from_millis(1);

/// Packets read per millisecond, on average, from which on the thread is paced.
const PACED_FROM: u64 = 3;

/// Milliseconds over which that average is taken.
const RATE_WINDOW: u64 = 32;

/// Sent packets after which the clock is read again within one millisecond's turn.
const SENDS_PER_CLOCK: u32 = 8;

/// The token of the mailbox's wake-up; sockets have slot and generation.
const WAKER: u64 = u64::MAX;

/// A media thread, as the rest of the engine sees it.
pub struct Worker {
    mailbox: Arc<Mailbox<Command>>,
    counters: Arc<Counters>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What a media thread is told.
pub enum Command {
    /// Serve this stream.
    Open(Box<Leg>),
    /// Do something with the stream of this number.
    Order(u64, Order),
    /// End the stream of this number.
    Close(u64),
    /// End all streams and the thread.
    End,
}

/// What is done with a stream.
pub enum Order {
    Connect(Remote, IpAddr),
    Play {
        play: u32,
        clips: Vec<Arc<Clip>>,
        repeat: bool,
    },
    Stop,
    Record(RecordSpec),
    StopRecord,
    Tap(PathBuf, Arc<Shelf>),
    Mask(bool),
    Join(u64, Joint),
    Press(char),
}

impl Worker {
    pub fn start(
        index: usize,
        config: &MediaConfig,
        recorder: Arc<RecorderQueue>,
    ) -> io::Result<Worker> {
        let mailbox = Arc::new(Mailbox::new()?);
        let counters = Arc::new(Counters::default());
        let poll = Poll::new()?;
        poll.add(mailbox.waker().descriptor(), WAKER)?;
        let (nice, silent_after) = (config.nice, config.silent_after);
        let thread_loop = Loop {
            epoch: Instant::now(),
            mailbox: mailbox.clone(),
            counters: counters.clone(),
            recorder,
            poll,
            slots: Vec::new(),
            free: Vec::new(),
            by_id: HashMap::new(),
            wheel: Wheel::default(),
            next: 0,
            silent_after,
            swept: Duration::ZERO,
            rate: Rate::default(),
        };
        let thread = std::thread::Builder::new()
            .name(format!("media-{index}"))
            .spawn(move || {
                if !poll::prefer_this_thread(nice) {
                    tracing::info!(
                        nice,
                        "media threads run at normal priority: the niceness was refused"
                    );
                }
                thread_loop.run();
            })?;
        Ok(Worker {
            mailbox,
            counters,
            thread: Mutex::new(Some(thread)),
        })
    }

    pub fn send(&self, command: Command) -> Result<(), MediaError> {
        self.mailbox.send(command).map_err(|_| MediaError::Busy)
    }

    /// Closes a stream, however full the queue is: there is one close per open.
    pub fn close(&self, stream: u64) {
        self.mailbox.send_always(Command::Close(stream));
    }

    /// Closes all streams and ends the thread.
    pub fn stop(&self) {
        self.mailbox.send_always(Command::End);
        if let Some(thread) = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
        {
            // A panic of the thread has been reported by its hook; there is nothing to add.
            let _ = thread.join();
        }
    }

    pub fn counters(&self) -> &Counters {
        &self.counters
    }
}

/// What a leg needs of this thread, as of now. A macro, because a method would borrow all of the thread.
macro_rules! surroundings {
    ($thread:expr) => {
        Surroundings {
            now: $thread.epoch.elapsed(),
            counters: &$thread.counters,
            recorder: &$thread.recorder,
        }
    };
}

/// A media thread's own state.
struct Loop {
    /// The start of this thread's time.
    epoch: Instant,
    mailbox: Arc<Mailbox<Command>>,
    counters: Arc<Counters>,
    recorder: Arc<RecorderQueue>,
    poll: Poll,
    slots: Vec<Slot>,
    free: Vec<u32>,
    by_id: HashMap<u64, u32>,
    wheel: Wheel,
    /// The first millisecond whose turn has not been.
    next: u64,
    silent_after: Option<Duration>,
    swept: Duration,
    rate: Rate,
}

struct Slot {
    /// Counts the legs that were here, so that a wait's report on an earlier one is noticed.
    generation: u32,
    leg: Option<Box<Leg>>,
}

/// How many packets come in per millisecond.
#[derive(Default)]
struct Rate {
    since: u64,
    packets: u64,
    paced: bool,
}

impl Loop {
    fn run(mut self) {
        let mut commands = VecDeque::new();
        let mut buffer = [0; MAX_DATAGRAM];
        loop {
            self.turns();
            self.sweep();
            let ready = self.wait();
            // Between the report that packets are there and reading them: a packet that was sent after an
            // order was given is never read before the order is carried out.
            self.mailbox.take(&mut commands);
            for command in commands.drain(..) {
                if let Command::End = command {
                    return self.end();
                }
                self.perform(command);
            }
            self.read(ready, &mut buffer);
        }
    }

    /// Everything that is due up to now.
    fn turns(&mut self) {
        let now = millis(self.now());
        if self
            .wheel
            .next(self.next)
            .is_some_and(|due| due + MAX_CATCH_UP < now)
        {
            let target = now - MAX_CATCH_UP;
            self.counters.ticks_skipped.add(target - self.next);
            self.next = target;
        }
        while let Some(due) = self.wheel.next(self.next).filter(|due| *due <= now) {
            self.turn(due);
            self.next = due + 1;
        }
        self.next = self.next.max(now + 1);
    }

    /// One millisecond's turn.
    fn turn(&mut self, due: u64) {
        let clock = Duration::from_millis(due);
        let mut legs = self.wheel.take(due);
        let mut around = surroundings!(self);
        let mut sends = 0;
        legs.retain(|index| {
            let Some(leg) = self.slots[*index as usize].leg.as_mut() else {
                return false;
            };
            if due < leg.due {
                return true;
            }
            if leg.turn(&around) {
                self.counters.late(around.now.saturating_sub(clock));
                sends += 1;
                if sends % SENDS_PER_CLOCK == 0 {
                    around.now = self.epoch.elapsed();
                }
            }
            if !leg.is_active() {
                leg.phase = None;
            }
            leg.phase.is_some()
        });
        self.wheel.restore(due, legs);
    }

    fn perform(&mut self, command: Command) {
        match command {
            Command::Open(leg) => self.open(leg),
            Command::Order(stream, order) => self.obey(stream, order),
            Command::Close(stream) => self.close(stream),
            Command::End => {}
        }
    }

    fn obey(&mut self, stream: u64, order: Order) {
        let around = surroundings!(self);
        // Missing when its socket could not be watched; `open` said so.
        let Some(index) = self.by_id.get(&stream).copied() else {
            return;
        };
        let Some(leg) = self.slots[index as usize].leg.as_mut() else {
            return;
        };
        let mut first = None;
        match order {
            Order::Connect(remote, signalling) => leg.connect(&around, remote, signalling),
            Order::Play {
                play,
                clips,
                repeat,
            } => first = Some(leg.play(&around, play, clips, repeat)),
            Order::Stop => leg.stop(&around),
            Order::Record(spec) => first = leg.record(&around, spec),
            Order::StopRecord => leg.stop_record(&around),
            Order::Tap(path, shelf) => leg.tap(&around, path, shelf),
            Order::Mask(masked) => leg.mask(&around, masked),
            Order::Join(other, joint) => {
                leg.send_on((joint != Joint::Apart).then_some(other));
                let back = (joint == Joint::Both).then_some(stream);
                if let Some(other) = self.by_id.get(&other)
                    && let Some(other) = self.slots[*other as usize].leg.as_mut()
                {
                    other.send_on(back);
                }
            }
            Order::Press(key) => leg.press(&around, key),
        }
        let now = around.now;
        match first {
            Some(first) => self.rephase(index, now, first),
            None => self.schedule(index, now),
        }
    }

    fn open(&mut self, mut leg: Box<Leg>) {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot {
                generation: 0,
                leg: None,
            });
            (self.slots.len() - 1) as u32
        });
        let slot = &mut self.slots[index as usize];
        slot.generation = slot.generation.wrapping_add(1);
        let token = (u64::from(slot.generation) << 32) | u64::from(index);
        if let Err(error) = self.poll.add(leg.socket().as_raw_fd(), token) {
            tracing::error!(%error, "an RTP socket cannot be watched; its stream is closed");
            self.free.push(index);
            leg.phase = None;
            return leg.close(&surroundings!(self));
        }
        self.by_id.insert(leg.id, index);
        slot.leg = Some(leg);
        self.counters.streams.set(self.by_id.len() as u64);
    }

    fn close(&mut self, stream: u64) {
        let Some(index) = self.by_id.remove(&stream) else {
            return;
        };
        // Before its end is told, so that nobody who hears of it still counts it.
        self.counters.streams.set(self.by_id.len() as u64);
        if let Some(leg) = self.slots[index as usize].leg.take() {
            if let Some(phase) = leg.phase {
                self.wheel.remove(index, phase);
            }
            leg.close(&surroundings!(self));
        }
        self.free.push(index);
    }

    /// Sends the first packet of a prompt at once if it is due, and lets the leg's clock run from it.
    fn rephase(&mut self, index: u32, now: Duration, first: Duration) {
        let around = surroundings!(self);
        let Some(leg) = self.slots[index as usize].leg.as_mut() else {
            return;
        };
        if let Some(phase) = leg.phase.take() {
            self.wheel.remove(index, phase);
        }
        leg.due = if first <= now {
            leg.send_next(&around);
            millis(now) + u64::from(strowger_voice::FRAME_MS)
        } else {
            millis(first) + 1
        };
        if leg.is_active() {
            leg.phase = Some(leg.due);
            self.wheel.insert(index, leg.due);
        }
    }

    /// Puts a leg that has become active into the wheel.
    fn schedule(&mut self, index: u32, now: Duration) {
        if let Some(leg) = self.slots[index as usize].leg.as_mut()
            && leg.phase.is_none()
            && leg.is_active()
        {
            leg.due = millis(now) + 1;
            leg.phase = Some(leg.due);
            self.wheel.insert(index, leg.due);
        }
    }

    /// Sleeps until there is something to do; says how many sockets can be read.
    fn wait(&mut self) -> usize {
        let now = self.now();
        let due = self.wheel.next(self.next).map(Duration::from_millis);
        let sweep = self.swept + SWEEP;
        let pause = due.unwrap_or(sweep).min(sweep).saturating_sub(now);
        if self.rate.paced {
            std::thread::sleep(pause.min(PACE));
            return self.poll.wait(Duration::ZERO);
        }
        if !self.mailbox.fall_asleep() {
            return self.poll.wait(Duration::ZERO);
        }
        let ready = self.poll.wait(pause);
        let woken = (0..ready).any(|index| self.poll.token(index) == WAKER);
        self.mailbox.wake_up(woken);
        ready
    }

    /// Reads one datagram from every socket that has some; the next wait reports those that have more.
    fn read(&mut self, ready: usize, buffer: &mut [u8]) {
        let at = Instant::now();
        let mut around = surroundings!(self);
        around.now = at.saturating_duration_since(self.epoch);
        let mut packets = 0;
        let mut stirred = Vec::new();
        for token in (0..ready)
            .map(|index| self.poll.token(index))
            .filter(|token| *token != WAKER)
        {
            let (index, generation) = (token as u32, (token >> 32) as u32);
            let Some(slot) = self.slots.get_mut(index as usize) else {
                continue;
            };
            let Some(leg) = slot.leg.as_mut().filter(|_| slot.generation == generation) else {
                continue;
            };
            let read = leg.read(&around, at, buffer);
            packets += u64::from(read != Read::Nothing);
            if leg.phase.is_none() && leg.is_active() {
                stirred.push(index);
            }
            if let Read::ToSendOn(other, relayed) = read
                && let Some(other) = self.by_id.get(&other)
                && let Some(other) = self.slots[*other as usize].leg.as_mut()
            {
                other.relay(&around, &relayed);
            }
        }
        let now = around.now;
        self.rate.count(millis(now), packets);
        for index in stirred {
            self.schedule(index, now);
        }
    }

    fn sweep(&mut self) {
        let around = surroundings!(self);
        if around.now < self.swept + SWEEP {
            return;
        }
        self.swept = around.now;
        let mut stirred = Vec::new();
        for (index, slot) in self.slots.iter_mut().enumerate() {
            if let Some(leg) = &mut slot.leg {
                if let Some(limit) = self.silent_after {
                    leg.check_silence(&around, limit);
                }
                if leg.phase.is_none() && leg.is_active() {
                    stirred.push(index as u32);
                }
            }
        }
        let now = around.now;
        for index in stirred {
            self.schedule(index, now);
        }
    }

    fn end(mut self) {
        let streams: Vec<u64> = self.by_id.keys().copied().collect();
        for stream in streams {
            self.close(stream);
        }
    }

    fn now(&self) -> Duration {
        self.epoch.elapsed()
    }
}

impl Rate {
    fn count(&mut self, now: u64, packets: u64) {
        self.packets += packets;
        let window = now.saturating_sub(self.since);
        if window >= RATE_WINDOW {
            self.paced = self.packets >= PACED_FROM * window;
            self.since = now;
            self.packets = 0;
        }
    }
}

fn millis(time: Duration) -> u64 {
    time.as_millis() as u64
}
