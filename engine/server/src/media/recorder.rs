use std::collections::{HashMap, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use strowger_voice::g711::Codec;
use strowger_voice::{SAMPLE_RATE, wav};
use tokio::sync::mpsc::error::TrySendError;

use super::MediaEvent;
use super::RecordEnd;
use super::leg::Tell;
use super::mailbox::Mailbox;
use super::shelf::{Held, Shelf};
use super::stats::Counters;

/// Samples between two writes of the header, so that the file of a killed engine is whole up to the last
/// ten seconds.
const HEADER_EVERY: u64 = 10 * SAMPLE_RATE as u64;

/// How long an event is offered to a contact that does not read its queue.
const TELL_FOR: Duration = Duration::from_secs(10);

/// How often it is offered.
const TELL_EVERY: Duration = Duration::from_millis(50);

/// Most events waiting for slow contacts; beyond it they are dropped and counted.
const MAX_UNTOLD: usize = 4_096;

/// Longest sleep without work; only a bound, every task wakes the thread.
const IDLE: Duration = Duration::from_secs(60);

/// Longest hole that is filled with silence at once, in samples per channel: a minute of a stalled disk.
const MAX_HOLE: u64 = 60 * SAMPLE_RATE as u64;

/// The thread that writes recordings. A slow disk delays files, never packets.
pub struct Recorder {
    queue: Arc<RecorderQueue>,
    counters: Arc<Counters>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// The way into the recorder thread.
pub struct RecorderQueue {
    mailbox: Mailbox<Task>,
    files: AtomicU64,
}

/// Something for the recorder to do.
pub enum Task {
    /// Make a file.
    Begin {
        file: u64,
        path: PathBuf,
        shelf: Arc<Shelf>,
        channels: u16,
        codec: Codec,
    },
    /// Append G.711 bytes, the channels in turn, that begin at this sample.
    Audio { file: u64, at: u64, bytes: Vec<u8> },
    /// Cut or fill the file to its length, close it and tell.
    End {
        file: u64,
        samples: u64,
        subject: Subject,
    },
    /// Tell an event after everything that came before it.
    Tell(Tell, MediaEvent),
    /// Finish what is queued and end.
    Stop,
}

/// Whose file it is, and whom to tell of it.
pub enum Subject {
    /// The recording of a step.
    Recording {
        id: u32,
        ended_by: RecordEnd,
        spoken: bool,
        /// Whether its name stays out of the log.
        sensitive: bool,
        tell: Tell,
    },
    /// The recording of the whole call.
    Tap(Tell),
}

impl Recorder {
    pub fn start() -> io::Result<Recorder> {
        let queue = Arc::new(RecorderQueue {
            mailbox: Mailbox::new()?,
            files: AtomicU64::new(0),
        });
        let counters = Arc::new(Counters::default());
        let writer = Writer {
            queue: queue.clone(),
            counters: counters.clone(),
            files: HashMap::new(),
            untold: VecDeque::new(),
        };
        let thread = std::thread::Builder::new()
            .name("recorder".to_owned())
            .spawn(move || writer.run())?;
        Ok(Recorder {
            queue,
            counters,
            thread: Mutex::new(Some(thread)),
        })
    }

    pub fn mailbox(&self) -> Arc<RecorderQueue> {
        self.queue.clone()
    }

    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Finishes what is queued.
    pub fn stop(&self) {
        self.queue.send_always(Task::Stop);
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
}

impl RecorderQueue {
    /// Orders a file; the number stands for it from then on.
    pub fn begin(&self, (path, shelf): (PathBuf, Arc<Shelf>), channels: u16, codec: Codec) -> u64 {
        let file = self.files.fetch_add(1, Ordering::Relaxed);
        self.send_always(Task::Begin {
            file,
            path,
            shelf,
            channels,
            codec,
        });
        file
    }

    /// Queues audio; refused when the disk is too far behind.
    pub fn send(&self, task: Task) -> Result<(), Task> {
        self.mailbox.send(task)
    }

    /// Queues what must not be lost: bounded by the number of streams and their commands.
    pub fn send_always(&self, task: Task) {
        self.mailbox.send_always(task);
    }
}

struct Writer {
    queue: Arc<RecorderQueue>,
    counters: Arc<Counters>,
    files: HashMap<u64, Recorded>,
    untold: VecDeque<(Instant, Tell, MediaEvent)>,
}

impl Writer {
    fn run(mut self) {
        let mut tasks = VecDeque::new();
        loop {
            self.queue.mailbox.take(&mut tasks);
            for task in tasks.drain(..) {
                if !self.perform(task) {
                    return;
                }
            }
            self.tell_untold();
            self.queue.mailbox.sleep(if self.untold.is_empty() {
                IDLE
            } else {
                TELL_EVERY
            });
        }
    }

    /// False when it was the last task.
    fn perform(&mut self, task: Task) -> bool {
        match task {
            Task::Begin {
                file,
                path,
                shelf,
                channels,
                codec,
            } => {
                let recorded = Recorded::create(path, shelf, channels, codec);
                self.files.insert(file, recorded);
            }
            Task::Audio { file, at, bytes } => {
                if let Some(recorded) = self.files.get_mut(&file) {
                    recorded.append(at, &bytes);
                }
            }
            Task::End {
                file,
                samples,
                subject,
            } => {
                if let Some(recorded) = self.files.remove(&file) {
                    self.end(recorded, samples, subject);
                }
            }
            Task::Tell(tell, event) => self.tell(tell, event),
            Task::Stop => return false,
        }
        true
    }

    fn end(&mut self, recorded: Recorded, samples: u64, subject: Subject) {
        let path = recorded.path.clone();
        let fault = recorded.finish(samples).err().map(|cut| {
            let Cut {
                error,
                samples,
                mut held,
            } = cut;
            self.counters.record_failed.count();
            let shown = subject.shown(&path).display();
            tracing::error!(path = %shown, %error, "a recording could not be written");
            // Ours says what to do.
            let remedy = match error.get_ref() {
                Some(_) => "",
                None => ". Check the data folder's space and permissions",
            };
            let left = subject.left(&path, samples);
            if left.is_none() {
                held.keep(0);
            }
            Fault {
                reason: format!("cannot write {shown}: {error}{remedy}"),
                left,
            }
        });
        let event = subject.event(path, samples, fault);
        let (Subject::Recording { tell, .. } | Subject::Tap(tell)) = subject;
        self.tell(tell, event);
    }

    fn tell(&mut self, tell: Tell, event: MediaEvent) {
        if self
            .untold
            .iter()
            .any(|(_, other, _)| other.same_channel(&tell))
        {
            self.keep(tell, event);
        } else if let Err(TrySendError::Full(event)) = tell.try_send(event) {
            self.keep(tell, event);
        }
    }

    fn keep(&mut self, tell: Tell, event: MediaEvent) {
        if self.untold.len() < MAX_UNTOLD {
            self.untold
                .push_back((Instant::now() + TELL_FOR, tell, event));
        } else {
            self.counters.events_dropped.count();
        }
    }

    fn tell_untold(&mut self) {
        let now = Instant::now();
        let mut blocked: Vec<Tell> = Vec::new();
        for (until, tell, event) in std::mem::take(&mut self.untold) {
            let waits = blocked.iter().any(|other| other.same_channel(&tell));
            let event = if waits {
                Some(event)
            } else {
                tell.try_send(event).err().and_then(untaken)
            };
            let Some(event) = event else { continue };
            if now >= until {
                self.counters.events_dropped.count();
                continue;
            }
            blocked.push(tell.clone());
            self.untold.push_back((until, tell, event));
        }
    }
}

fn untaken(error: TrySendError<MediaEvent>) -> Option<MediaEvent> {
    match error {
        TrySendError::Full(event) => Some(event),
        TrySendError::Closed(_) => None,
    }
}

/// Why a recording is not there, or not whole.
pub struct Fault {
    /// Cause and remedy, one sentence.
    pub reason: String,
    /// As in [`MediaEvent::RecordFailed`].
    pub left: Option<PathBuf>,
}

impl Subject {
    /// Leaves of a file that was cut, after so many samples, what somebody wants: of a whole call all that there is, under
    /// a name that says so; of a step's recording nothing, since the step is told that there is none.
    fn left(&self, path: &Path, samples: u64) -> Option<PathBuf> {
        let cut = match self {
            Subject::Tap(_) if samples > 0 => {
                let stem = path.file_stem()?.to_str()?;
                Some(path.with_file_name(format!("{stem}-cut.wav")))
            }
            Subject::Tap(_) | Subject::Recording { .. } => None,
        };
        let done = match &cut {
            Some(cut) => fs::rename(path, cut),
            None => fs::remove_file(path),
        };
        match done {
            Ok(()) => cut,
            Err(_) if !path.exists() => None,
            Err(error) => {
                let shown = self.shown(path).display();
                tracing::error!(path = %shown, %error, "what is left of a recording keeps its name");
                // It is there, and whole up to where it was cut.
                cut.map(|_| path.to_owned())
            }
        }
    }
}

/// A recording that could not be written to its end.
struct Cut {
    error: io::Error,
    /// Samples per channel that are there.
    samples: u64,
    /// What they take.
    held: Held,
}

/// A file that is being written.
struct Recorded {
    path: PathBuf,
    channels: u16,
    codec: Codec,
    /// The file, or the first fault; after it nothing more is tried.
    file: io::Result<File>,
    /// Samples per channel; none is added once there is a fault.
    written: u64,
    /// Samples per channel when the header was written last.
    in_header: u64,
    /// What the file takes of what its tenant may have.
    held: Held,
    buffer: Vec<u8>,
}

impl Recorded {
    fn create(path: PathBuf, shelf: Arc<Shelf>, channels: u16, codec: Codec) -> Recorded {
        let mut held = Held::new(shelf);
        let file = held
            .begin(wav::HEADER_BYTES as u64)
            .and_then(|()| create(&path, &wav::header(channels, 0)));
        Recorded {
            path,
            channels,
            codec,
            file,
            written: 0,
            in_header: 0,
            held,
            buffer: Vec::new(),
        }
    }

    /// Appends bytes that begin at sample `at`; a hole before them becomes silence.
    fn append(&mut self, at: u64, bytes: &[u8]) {
        let samples = bytes.len() as u64 / u64::from(self.channels);
        if self.bytes_at(at + samples) > u64::from(wav::MAX_DATA_BYTES) {
            return;
        }
        self.fill(at);
        self.buffer.clear();
        wav::append(self.codec, bytes, &mut self.buffer);
        self.hold(self.buffer.len() as u64);
        self.attempt(|recorded, file| file.write_all(&recorded.buffer));
        self.wrote(samples);
        if self.written - self.in_header >= HEADER_EVERY {
            self.in_header = self.written;
            self.attempt(Recorded::write_header);
        }
    }

    fn finish(mut self, samples: u64) -> Result<(), Cut> {
        self.fill(samples);
        self.written = self.written.min(samples);
        self.attempt(Recorded::close);
        self.held.keep(self.bytes());
        match self.file {
            Ok(_) => Ok(()),
            Err(error) => Err(Cut {
                error,
                samples: self.written,
                held: self.held,
            }),
        }
    }

    /// Makes the file as long as what was written, and its header say so.
    fn close(&self, file: &mut File) -> io::Result<()> {
        file.set_len(self.bytes())?;
        self.write_header(file)
    }

    fn wrote(&mut self, samples: u64) {
        if self.file.is_ok() {
            self.written += samples;
        }
    }

    fn fill(&mut self, up_to: u64) {
        let hole = up_to.saturating_sub(self.written).min(MAX_HOLE);
        if hole > 0 {
            let zeros = vec![0; self.bytes_at(hole) as usize];
            self.hold(zeros.len() as u64);
            self.attempt(|_, file| file.write_all(&zeros));
            self.wrote(hole);
        }
    }

    /// Takes room for what is about to be written. Where there is none, the file ends here.
    fn hold(&mut self, bytes: u64) {
        if self.file.is_ok()
            && let Err(error) = self.held.take(bytes)
        {
            self.attempt(|_, _| Err(error));
        }
    }

    /// Length of the file.
    fn bytes(&self) -> u64 {
        wav::HEADER_BYTES as u64 + self.bytes_at(self.written)
    }

    fn write_header(&self, file: &mut File) -> io::Result<()> {
        file.write_all_at(
            &wav::header(self.channels, self.bytes_at(self.written) as u32),
            0,
        )
    }

    fn bytes_at(&self, samples: u64) -> u64 {
        samples * u64::from(self.channels) * 2
    }

    fn attempt(&mut self, act: impl FnOnce(&Recorded, &mut File) -> io::Result<()>) {
        // Taken out for the call, so that it sees the rest of the recording.
        let taken = std::mem::replace(&mut self.file, Err(io::ErrorKind::Other.into()));
        self.file = taken.and_then(|mut file| match act(self, &mut file) {
            Ok(()) => Ok(file),
            Err(error) => {
                // Its header is there already, and a shorter file needs no room: what was written before can be heard.
                if let Err(error) = self.close(&mut file) {
                    tracing::warn!(%error, "a recording that was cut cannot be closed");
                }
                Err(error)
            }
        });
    }
}

/// Readable for the engine's user only: it is somebody's voice.
fn create(path: &Path, header: &[u8]) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(header)?;
    Ok(file)
}
