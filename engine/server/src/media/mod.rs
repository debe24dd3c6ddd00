//! Media: RTP sockets, prompts out, keys in, recordings to disk.
//!
//! [`Media`] owns a few plain threads; no call's media ever waits for the tokio runtime, for a plugin or for
//! a disk. A call has a port of its own and a [`Stream`] handle; what happens on it comes as [`MediaEvent`]s
//! through the bounded channel that was given to [`Media::open`]. A command wakes its thread at once: the
//! first packet of a prompt leaves when it is asked for, not at the next 20 ms.
//!
//! | file | what |
//! |---|---|
//! | `worker` | the loop of one media thread |
//! | `leg` | one call on it: socket, machine, captures, events |
//! | `wheel` | which calls are due in which millisecond |
//! | `poll` | epoll and eventfd |
//! | `mailbox` | bounded queue into a thread, with a wake-up |
//! | `capture`, `recorder` | from packets to samples; from samples to files |
//! | `shelf` | what the recordings of each tenant take, and may take |
//! | `mend` | a recording whose writer was killed becomes a whole file |
//! | `ports`, `stats` | the port range; counters |

mod capture;
mod leg;
mod mailbox;
mod mend;
mod poll;
mod ports;
mod recorder;
mod shelf;
mod stats;
mod wheel;
mod worker;

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use strowger_voice::clip::Clip;
use thiserror::Error;
use tokio::sync::mpsc::Sender;

use self::leg::Leg;
use self::ports::Ports;
use self::recorder::Recorder;
use self::worker::{Command, Order, Worker};

pub use self::mend::mend;
pub use self::shelf::Shelf;
pub(crate) use self::shelf::{Load, RECORDINGS_MB, RECORDINGS_MB_RANGE, Shelves};
pub use self::stats::{LATENESS_BOUNDS, MediaStats};
pub use strowger_voice::sdp::{Direction, Remote};

/// The media side of the engine: its threads, its ports, its counters. Clones share them.
///
/// When the last clone and the last [`Stream`] are dropped, recordings are finished and the threads end.
#[derive(Clone)]
pub struct Media {
    inner: Arc<Inner>,
}

/// How to run the media side.
#[derive(Debug, Clone)]
pub struct MediaConfig {
    /// Address the RTP sockets are bound to; default 0.0.0.0.
    pub bind: IpAddr,
    /// Address told to the other side in SDP; default 127.0.0.1, which only calls on this machine reach.
    pub advertised: IpAddr,
    /// UDP ports for RTP, one per call, even ones only (RFC 3550 §11); default 10000 to 19998.
    pub ports: RangeInclusive<u16>,
    /// Media threads, 1 to 64; default 1, which is good for some thousand calls.
    pub threads: usize,
    /// After how long without a packet [`MediaEvent::Silent`] is told, looked at once a second; none: never. Default
    /// 60 s.
    pub silent_after: Option<Duration>,
    /// Unix niceness of the media threads, -20 to 19; default -10. Tried only: without the privilege the
    /// threads run like all others.
    pub nice: i32,
}

/// What happens on a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaEvent {
    /// A key went down; told at the first packet of its event.
    Digit {
        /// `0` to `9`, `*`, `#`, `A` to `D`.
        key: char,
        /// When the packet was read from its socket.
        at: Instant,
    },
    /// A prompt was heard to its end. Not told for prompts that were replaced or stopped.
    PlayDone {
        /// The number given to [`Stream::play`].
        play: u32,
    },
    /// A recording of [`Stream::record`] lies on disk.
    Recorded {
        /// [`RecordSpec::id`].
        id: u32,
        /// The WAV file: 8 kHz, 16 bits, one channel.
        path: PathBuf,
        /// Length in milliseconds; 0 when nothing was said.
        duration_ms: u64,
        /// What ended it.
        ended_by: RecordEnd,
    },
    /// The whole-call recording of [`Stream::tap`] lies on disk.
    Tapped {
        /// The WAV file: 8 kHz, 16 bits, left the caller, right the engine.
        path: PathBuf,
        /// Length in milliseconds.
        duration_ms: u64,
    },
    /// A recording could not be written, or not to its end.
    RecordFailed {
        /// [`RecordSpec::id`]; none for a whole-call recording.
        id: Option<u32>,
        /// The file that was to be.
        path: PathBuf,
        /// What there is of a whole-call recording: a file that can be played, and ends where writing failed.
        left: Option<PathBuf>,
        /// Cause and remedy, one sentence.
        reason: String,
    },
    /// The first packet of the caller came in.
    FirstPacket,
    /// No packet for [`MediaConfig::silent_after`] from a caller who had sent some and is not on hold. Told again when
    /// the silence goes on for as long.
    Silent,
    /// The stream is closed and its recordings are finished. The last event.
    Closed,
}

/// How two streams are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joint {
    /// Not at all.
    Apart,
    /// The other one hears this one.
    Heard,
    /// Each hears the other.
    Both,
}

/// What to record of the caller's speech.
#[derive(Debug, Clone)]
pub struct RecordSpec {
    /// Comes back in [`MediaEvent::Recorded`].
    pub id: u32,
    /// The WAV file to write; missing folders are made, an existing file is replaced.
    pub path: PathBuf,
    /// Whose recording it is, which bounds what they take together.
    pub shelf: Arc<Shelf>,
    /// Whether a tone marks the beginning. It is not part of the recording.
    pub beep: bool,
    /// Longest recording in milliseconds; at most [`RecordSpec::MAX_MS`].
    pub max_ms: u32,
    /// A silence this long ends the recording, in milliseconds, counted from its beginning too; 0: none does.
    pub silence_ms: u32,
    /// Whether the file's name is nobody's business: then no log and no event's reason has it.
    pub sensitive: bool,
}

impl RecordSpec {
    /// Longest recording that is made, in milliseconds: one hour, 58 MB.
    pub const MAX_MS: u32 = 3_600_000;

    /// Where it goes.
    fn place(&self) -> (PathBuf, Arc<Shelf>) {
        (self.path.clone(), Arc::clone(&self.shelf))
    }
}

/// What ended a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordEnd {
    /// [`Stream::stop_record`], or another recording that took its place.
    Stopped,
    /// [`RecordSpec::silence_ms`].
    Silence,
    /// [`RecordSpec::max_ms`].
    Max,
    /// The stream was closed.
    Hangup,
}

/// Why the media side refuses.
#[derive(Debug, Error)]
pub enum MediaError {
    /// A setting that cannot be.
    #[error("media settings: {0}")]
    Config(String),
    /// No port of the range is free.
    #[error(
        "all {count} RTP ports {first}-{last} are in use: widen the port range or take fewer calls at once"
    )]
    PortsExhausted {
        /// First port of the range.
        first: u16,
        /// Last port of the range.
        last: u16,
        /// Even ports in it.
        count: usize,
    },
    /// A socket could not be made or bound.
    #[error(
        "cannot open an RTP socket on {addr}: {source}. Check the bind address and the limit of open files"
    )]
    Socket {
        /// Address and port tried last.
        addr: SocketAddr,
        /// The system's reason.
        source: io::Error,
    },
    /// A thread or its wake-up could not be made.
    #[error("cannot start a media thread: {0}. Check the limits of processes and open files")]
    Thread(io::Error),
    /// The other side's address is of another IP version than the bound one.
    #[error(
        "cannot send to {remote} from {local}: offer the other side an address of its IP version"
    )]
    AddressFamily {
        /// Theirs.
        remote: SocketAddr,
        /// Ours.
        local: SocketAddr,
    },
    /// The queue into the media thread is full.
    #[error(
        "the media thread is {} commands behind: the machine is overloaded, take fewer calls",
        mailbox::CAPACITY
    )]
    Busy,
}

/// One call's media. Dropping it closes the stream.
///
/// Every method only queues a command; none waits. They may be called from any task or thread, and take
/// effect in the order of the calls.
pub struct Stream {
    id: u64,
    local: SocketAddr,
    bound: SocketAddr,
    worker: Arc<Worker>,
    media: Arc<Inner>,
}

struct Inner {
    config: MediaConfig,
    ports: Arc<Ports>,
    workers: Vec<Arc<Worker>>,
    /// After the workers, so that it outlives their last words.
    recorder: Recorder,
    opened: AtomicU64,
}

impl Default for MediaConfig {
    fn default() -> MediaConfig {
        MediaConfig {
            bind: Ipv4Addr::UNSPECIFIED.into(),
            advertised: Ipv4Addr::LOCALHOST.into(),
            ports: 10_000..=19_998,
            threads: 1,
            silent_after: Some(Duration::from_secs(60)),
            nice: -10,
        }
    }
}

impl Media {
    /// Starts the threads. Raises the process's soft limit of open files to its hard one: a call is a socket.
    pub fn start(config: MediaConfig) -> Result<Media, MediaError> {
        config.check()?;
        poll::raise_open_files();
        let ports = Arc::new(Ports::new(config.bind, config.ports.clone())?);
        let recorder = Recorder::start().map_err(MediaError::Thread)?;
        let workers = (0..config.threads)
            .map(|index| Worker::start(index, &config, recorder.mailbox()).map(Arc::new))
            .collect::<io::Result<Vec<_>>>()
            .map_err(MediaError::Thread)?;
        Ok(Media {
            inner: Arc::new(Inner {
                config,
                ports,
                workers,
                recorder,
                opened: AtomicU64::new(0),
            }),
        })
    }

    /// Opens a stream on a free port. Its events go to `events`, up to and including
    /// [`MediaEvent::Closed`].
    ///
    /// When that channel is full, digits are dropped and counted; other events are kept and sent later. A
    /// capacity of 64 or more holds everything an attentive reader may have pending.
    pub fn open(&self, events: Sender<MediaEvent>) -> Result<Stream, MediaError> {
        let id = self.inner.opened.fetch_add(1, Ordering::Relaxed);
        let worker = &self.inner.workers[id as usize % self.inner.workers.len()];
        self.inner.open(id, worker, events)
    }

    /// The counters of all threads, summed up.
    pub fn stats(&self) -> MediaStats {
        let inner = &self.inner;
        let mut stats = MediaStats::default();
        for worker in &inner.workers {
            worker.counters().add_to(&mut stats);
        }
        inner.recorder.counters().add_to(&mut stats);
        stats.ports_in_use = inner.ports.in_use();
        stats.ports_refused = inner.ports.refused();
        stats
    }
}

impl Inner {
    fn open(
        self: &Arc<Inner>,
        id: u64,
        worker: &Arc<Worker>,
        events: Sender<MediaEvent>,
    ) -> Result<Stream, MediaError> {
        let lease = self.ports.lease()?;
        let bound = lease.addr();
        let random = (
            RandomState::new().build_hasher().finish(),
            RandomState::new().build_hasher().finish(),
        );
        let voice = strowger_voice::stream::Stream::new(
            random.0 as u32,
            (random.0 >> 32) as u16,
            random.1 as u32,
        );
        let leg = Leg::new(id, lease, voice, events);
        worker.send(Command::Open(Box::new(leg)))?;
        let local = SocketAddr::new(self.config.advertised, bound.port());
        Ok(Stream {
            id,
            local,
            bound,
            worker: worker.clone(),
            media: self.clone(),
        })
    }
}

impl Stream {
    /// Opens another stream on the thread of this one, as [`Media::open`] does, so that the two can be
    /// [joined](Stream::join).
    pub fn open_beside(&self, events: Sender<MediaEvent>) -> Result<Stream, MediaError> {
        let id = self.media.opened.fetch_add(1, Ordering::Relaxed);
        self.media.open(id, &self.worker, events)
    }

    /// Sends on what is heard here to the stream of that [`id`](Stream::id), which is on the same thread, and with
    /// [`Joint::Both`] what is heard there to here. Each side gets a stream of its own sequence and time, in its own
    /// law; telephone events pass where the side knows them. What is played or pressed covers what would be sent on.
    pub fn join(&self, other: u64, joint: Joint) -> Result<(), MediaError> {
        self.order(Order::Join(other, joint))
    }

    /// Presses a key by RFC 4733, for the other side to hear; dropped and counted where it knows no such keys.
    pub fn press(&self, key: char) -> Result<(), MediaError> {
        self.order(Order::Press(key))
    }

    /// Unique within its [`Media`].
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The advertised address and the stream's port: what SDP says.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Takes what signalling agreed on, and the address that the signalling itself comes from: behind a NAT the
    /// audio comes from there too. Again after every later offer and answer.
    ///
    /// While [`Remote::direction`] forbids sending, prompts wait and go on afterwards.
    pub fn connect(&self, remote: Remote, signalling: IpAddr) -> Result<(), MediaError> {
        if remote.addr.is_ipv4() != self.bound.is_ipv4() && !remote.addr.ip().is_unspecified() {
            return Err(MediaError::AddressFamily {
                remote: remote.addr,
                local: self.bound,
            });
        }
        self.order(Order::Connect(remote, signalling))
    }

    /// Plays clips one after the other, at once and instead of what is playing.
    ///
    /// `play` comes back in [`MediaEvent::PlayDone`] when the end was heard; a prompt that is replaced or
    /// stopped is not told. Clips in the other G.711 law are converted. `repeat` plays without end.
    pub fn play(&self, play: u32, clips: Vec<Arc<Clip>>, repeat: bool) -> Result<(), MediaError> {
        self.order(Order::Play {
            play,
            clips,
            repeat,
        })
    }

    /// Stops what is playing; nothing is told.
    pub fn stop(&self) -> Result<(), MediaError> {
        self.order(Order::Stop)
    }

    /// Records what the caller says. A recording that is running is ended and told first.
    pub fn record(&self, spec: RecordSpec) -> Result<(), MediaError> {
        self.order(Order::Record(spec))
    }

    /// Ends the recording of [`Stream::record`]; [`MediaEvent::Recorded`] follows.
    pub fn stop_record(&self) -> Result<(), MediaError> {
        self.order(Order::StopRecord)
    }

    /// Records the whole call from now until it is closed: left the caller, right the engine.
    pub fn tap(&self, path: PathBuf, shelf: Arc<Shelf>) -> Result<(), MediaError> {
        self.order(Order::Tap(path, shelf))
    }

    /// Writes silence into the whole-call recording while `masked`: secrets are being entered.
    pub fn mask(&self, masked: bool) -> Result<(), MediaError> {
        self.order(Order::Mask(masked))
    }

    /// Closes the stream: recordings are finished, the port is free again, [`MediaEvent::Closed`] is told.
    pub fn close(self) {}

    fn order(&self, order: Order) -> Result<(), MediaError> {
        self.worker.send(Command::Order(self.id, order))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.worker.close(self.id);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        for worker in &self.workers {
            worker.stop();
        }
        self.recorder.stop();
    }
}

impl fmt::Debug for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Media")
            .field("config", &self.inner.config)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("id", &self.id)
            .field("local", &self.local)
            .finish_non_exhaustive()
    }
}

impl MediaConfig {
    /// Most media threads: more than any machine needs, few enough to be a typing error beyond.
    pub const MAX_THREADS: usize = 64;

    fn check(&self) -> Result<(), MediaError> {
        let fault = if !(1..=MediaConfig::MAX_THREADS).contains(&self.threads) {
            format!(
                "{} media threads: set 1 to {}",
                self.threads,
                MediaConfig::MAX_THREADS
            )
        } else if self.advertised.is_unspecified() {
            format!(
                "{} cannot be advertised: set the address callers reach",
                self.advertised
            )
        } else if self.advertised.is_ipv4() != self.bind.is_ipv4() {
            format!(
                "bound to {} but advertising {}: set two of one IP version",
                self.bind, self.advertised
            )
        } else {
            return Ok(());
        };
        Err(MediaError::Config(fault))
    }
}

#[cfg(test)]
mod tests;
