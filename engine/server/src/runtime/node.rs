//! What all tenants of one process share: the plugin host, the store, the clock.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use strowger_plugin::Host;

use super::engine::{host, host_with};
use super::open::OpenError;
use crate::clock::Clock;
use crate::media::Shelves;
use crate::project::{StoreSection, VaultSection, mark_data};
use crate::prompts::{Studio, SynthConfig};
use crate::shadow::Shadows;
use crate::store::{Place, Record, Store, Writer, room_for_recordings};
use crate::vault::Vault;

/// Pause between two looks at a store that is gone.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// A store that is there and slow has so long, whatever the limit.
const ONE_TRY: Duration = Duration::from_millis(100);
/// How long the end of the program waits for a store that is gone.
const SETTLE: Duration = Duration::from_secs(10);

/// What all tenants of one process share.
pub struct Node {
    /// The host of the plugins, kept for as long as they run.
    pub host: Host,
    /// Journals and data; none in the terminal.
    pub store: Option<Store>,
    /// What opens the secrets in the store.
    pub vault: Vault,
    /// The journal's writer; none in the terminal.
    pub writer: Option<Writer>,
    /// Time.
    pub clock: Clock,
    /// What makes the prompts.
    pub studio: Arc<Studio>,
    /// Where everything lies that is no one's project: recordings, caches, the store's file.
    pub data: PathBuf,
    /// What the recordings of each tenant take, and may take.
    pub(crate) shelves: Arc<Shelves>,
    /// How long what leaves the house waits for a store that is gone.
    store_wait: Duration,
    /// Revisions that run beside what is live.
    pub shadows: Shadows,
    failures: AtomicU64,
    dropped: AtomicU64,
    resumed: AtomicU64,
    /// Keeps the data folder ours for as long as the node lives.
    _lock: Option<File>,
}

impl Node {
    /// A node whose contacts are written into the store at `place`; its data folder belongs to this process until it
    /// ends.
    ///
    /// A vault with something in it that cannot be opened keeps it from opening.
    pub async fn open(
        place: &Place,
        data: &Path,
        vault: Vault,
        section: &StoreSection,
    ) -> Result<Arc<Node>, OpenError> {
        make(data)?;
        let host = host_with(Some(data), section)?;
        let lock = own(data)?;
        let store = Store::open(place).await?;
        store.mark()?;
        vault.check(&store).await?;
        let (writer, _) = Writer::start(store.clone());
        Ok(Node::new(
            host,
            Some((store, writer)),
            vault,
            data,
            Some(lock),
            section.wait(),
        ))
    }

    /// A node that keeps nothing of its contacts.
    pub fn without_store(data: &Path) -> Result<Arc<Node>, OpenError> {
        make(data)?;
        let vault = Vault::of(&VaultSection::default(), data);
        let wait = StoreSection::default().wait();
        Ok(Node::new(host(Some(data))?, None, vault, data, None, wait))
    }

    fn new(
        host: Host,
        kept: Option<(Store, Writer)>,
        vault: Vault,
        data: &Path,
        lock: Option<File>,
        store_wait: Duration,
    ) -> Arc<Node> {
        let (store, writer) = kept.unzip();
        let max_mb = match store.as_ref().map(Store::place) {
            Some(Place::File { max_mb, .. }) => *max_mb,
            Some(Place::Server { .. }) | None => None,
        };
        Arc::new(Node {
            host,
            store,
            vault,
            writer,
            clock: Clock::start(),
            studio: Studio::new(SynthConfig::default()),
            data: data.to_owned(),
            shelves: Arc::new(shelves(data, max_mb)),
            store_wait,
            shadows: Shadows::default(),
            failures: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            resumed: AtomicU64::new(0),
            _lock: lock,
        })
    }

    /// Where recordings go.
    pub fn recordings(&self) -> PathBuf {
        recordings(&self.data)
    }

    /// Writes down where the recording of a contact lies; none where it turns out that there is none.
    pub(crate) async fn recorded(&self, contact: &str, file: Option<&Path>) {
        if let Some(writer) = &self.writer {
            writer
                .write(Record::Recorded {
                    id: contact.to_owned(),
                    path: file.map(|file| file.display().to_string()),
                })
                .await;
        }
    }

    /// Waits until what has happened so far is on the disk, before something leaves the house.
    pub(crate) async fn durable(&self) -> Result<(), String> {
        match &self.writer {
            Some(writer) => writer.flush().await,
            None => Ok(()),
        }
    }

    /// The same, in no hurry: with what else is written meanwhile.
    pub(crate) async fn kept(&self) -> Result<(), String> {
        match &self.writer {
            Some(writer) => writer.kept().await,
            None => Ok(()),
        }
    }

    /// As [`Self::durable`], where a store that is gone has so long to come back; without a limit, as long as it takes.
    pub(crate) async fn durable_within(&self, limit: Option<Duration>) -> Result<(), String> {
        let mut why = "the store does not answer".to_owned();
        let written = async {
            while let Err(error) = self.durable().await {
                why = error;
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        let in_time = match limit {
            // Written at once, it needs no time.
            Some(limit) => tokio::time::timeout(limit.max(ONE_TRY), written)
                .await
                .is_ok(),
            None => {
                written.await;
                true
            }
        };
        if in_time { Ok(()) } else { Err(why) }
    }

    /// How long what leaves the house waits for a store that is gone.
    pub(crate) fn store_wait(&self) -> Duration {
        self.store_wait
    }

    /// Whether the store is known to take nothing at present.
    pub(crate) fn store_gone(&self) -> bool {
        let gone = self.store.as_ref().map(Store::gone);
        gone.flatten().is_some()
    }

    /// Waits for the same before the program ends, and for a store that is gone to come back.
    pub(crate) async fn settled(&self) -> Result<(), String> {
        match &self.writer {
            Some(writer) => writer.settle(SETTLE).await,
            None => Ok(()),
        }
    }

    /// A step or a prompt failed.
    pub(crate) fn count_failure(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// Failures of steps and prompts since the start.
    pub fn failures(&self) -> u64 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Instances were dropped in long waits.
    pub(crate) fn count_dropped(&self, instances: u64) {
        self.dropped.fetch_add(instances, Ordering::Relaxed);
    }

    /// A caller goes on with a call that dropped.
    pub(crate) fn count_resumed(&self) {
        self.resumed.fetch_add(1, Ordering::Relaxed);
    }

    /// Callers who went on with a call that dropped, since the start.
    pub fn resumed(&self) -> u64 {
        self.resumed.load(Ordering::Relaxed)
    }

    /// Instances dropped in long waits since the start.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

fn recordings(data: &Path) -> PathBuf {
    data.join("recordings")
}

/// The shelves of a data folder, on the disk that its recordings lie on, or will lie on.
fn shelves(data: &Path, max_mb: Option<u32>) -> Shelves {
    let (data, own) = (data.to_owned(), recordings(data));
    Shelves::new(Box::new(move || {
        let folder = if own.is_dir() { &own } else { &data };
        room_for_recordings(folder, max_mb)
    }))
}

/// Makes the data folder, so that whatever is wrong with it is told of it and not of something in it.
fn make(data: &Path) -> Result<(), OpenError> {
    let why = match data.metadata() {
        Ok(found) if !found.is_dir() => "is a file, not a folder".to_owned(),
        _ => match crate::store::own_folder(data) {
            Ok(()) => {
                others_may_enter(data);
                // Before anything lies in it that a project could take for its own.
                match mark_data(data) {
                    Ok(()) => return Ok(()),
                    Err(e) => format!("cannot be written ({e})"),
                }
            }
            Err(e) => format!("cannot be made ({e})"),
        },
    };
    Err(OpenError::Data {
        folder: data.display().to_string(),
        why,
    })
}

/// Tells of a data folder that was made otherwise. Whoever did may have had a reason.
fn others_may_enter(data: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = data
        .metadata()
        .map_or(0, |found| found.permissions().mode());
    if mode & 0o077 != 0 {
        tracing::warn!(
            "others on this machine may look into the data folder {0} (mode {1:o}), where journals and recordings lie: `chmod 700 {0}`",
            data.display(),
            mode & 0o777
        );
    }
}

/// Makes the data folder, and takes it for this process as long as the file is kept.
pub(crate) fn take(data: &Path) -> Result<File, OpenError> {
    make(data)?;
    own(data)
}

/// Takes the data folder for this process. The lock is the system's and ends with the process.
fn own(data: &Path) -> Result<File, OpenError> {
    let refused = |why: String| OpenError::Data {
        folder: data.display().to_string(),
        why,
    };
    let file =
        File::create(data.join("lock")).map_err(|e| refused(format!("cannot be written ({e})")))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(refused("is in use by another engine".to_owned())),
        Err(TryLockError::Error(e)) => Err(refused(format!("cannot be locked ({e})"))),
    }
}
