//! Compiled code on disk, by content hash, and never from elsewhere.
//!
//! The engine trusts compiled code blindly: a flipped byte in it is a hole in the sandbox. So every
//! file carries a code (HMAC-SHA256) over itself and over everything it depends on, under a key that
//! only this node has. A file that does not fit is compiled anew, counted and told, never run.
//!
//! Beside the code lies what the plugin said of itself, so that a start runs no guest.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::hash::{Hash as _, Hasher};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::engine::PROFILE;

/// Length of the node's key and of a file's authentication code. Bytes.
const KEY_BYTES: usize = 32;

/// The node's key within the cache folder.
const KEY_FILE: &str = "node.key";

/// Most components whose code is kept. A file is three to five times its component.
const FILES_MOST: usize = 32_768;

/// Most bytes of compiled code, unless another bound is set: some hundred interpreters, or ten thousand small plugins.
pub(crate) const CACHE_BYTES: u64 = 4 << 30;

/// How old a file is that nobody writes any more before it has its name.
const ASIDE: Duration = Duration::from_secs(3_600);

/// What a file has: bytes that a guest chose are never taken for machine code, whatever their file is called.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Compiled code.
    Code,
    /// The answer of `describe`.
    Description,
}

impl Kind {
    fn extension(self) -> &'static str {
        match self {
            Kind::Code => "cwasm",
            Kind::Description => "description",
        }
    }
}

/// Why the code cache cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The folder or the key cannot be made or read.
    #[error("the code cache `{}` cannot be used: {source}; make the folder writable, or name another one", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Others may read the key.
    #[error("the key of the code cache `{}` may be read by others, who could then put machine code into this process; delete it and the compiled files beside it", path.display())]
    KeyExposed {
        /// The key.
        path: PathBuf,
    },
    /// The key is not one.
    #[error("the key of the code cache `{}` does not have {KEY_BYTES} bytes; delete it, and the code will be compiled anew", path.display())]
    KeyMalformed {
        /// The key.
        path: PathBuf,
    },
}

/// Compiled components by content hash.
#[derive(Debug)]
pub(crate) struct CodeCache {
    folder: PathBuf,
    key: [u8; KEY_BYTES],
    /// Everything besides the component that the compiled code depends on.
    environment: [u8; 32],
    /// Most bytes of it.
    most: u64,
    /// How many loaded plugins have each digest.
    used: Mutex<HashMap<String, usize>>,
    hits: AtomicU64,
    rejected: AtomicU64,
}

/// Keeps compiled code on the disk for as long as a plugin is loaded.
#[derive(Debug)]
pub(crate) struct InUse {
    cache: Arc<CodeCache>,
    digest: String,
}

impl Drop for InUse {
    fn drop(&mut self) {
        let mut used = self.cache.used();
        if let Some(count) = used.get_mut(&self.digest) {
            *count -= 1;
            if *count == 0 {
                used.remove(&self.digest);
            }
        }
    }
}

impl CodeCache {
    /// Opens the cache, making folder and key where there are none.
    pub(crate) fn open(engine: &Engine, folder: PathBuf, most: u64) -> Result<Self, CacheError> {
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| CacheError::Io { path, source }
        };
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        let key = node_key(&folder)?;
        let listing = Listing::of(&folder).map_err(at(&folder))?;
        // Nothing is loaded yet, so what was loaded last stays by its time.
        let pruned = listing.prune(FILES_MOST, most, |_| false);
        pruned.map_err(at(&folder))?;
        Ok(Self {
            folder,
            key,
            environment: environment(engine),
            most,
            used: Mutex::default(),
            hits: AtomicU64::new(0),
            rejected: AtomicU64::new(0),
        })
    }

    /// Components taken from the cache.
    pub(crate) fn hits(&self) -> u64 {
        self.hits.load(Ordering::Relaxed)
    }

    /// Files that were refused.
    pub(crate) fn rejected(&self) -> u64 {
        self.rejected.load(Ordering::Relaxed)
    }

    /// The compiled component of that digest, if it is here, whole and ours.
    pub(crate) fn load(&self, engine: &Engine, digest: &str) -> Option<Component> {
        let bytes = self.read(Kind::Code, digest)?;
        // SAFETY: the bytes were written by `store` under this node's key, so they are what this very
        // engine profile and version compiled; nothing else can have made the authentication code.
        match unsafe { Component::deserialize(engine, &bytes[KEY_BYTES..]) } {
            Ok(component) => {
                self.hits.fetch_add(1, Ordering::Relaxed);
                Some(component)
            }
            Err(error) => self.reject(&self.path(Kind::Code, digest), &format!("{error:#}")),
        }
    }

    /// Keeps a compiled component. A cache that cannot be written is told and does no harm.
    pub(crate) fn store(&self, digest: &str, component: &Component) {
        let written = component
            .serialize()
            .map_err(io::Error::other)
            .and_then(|compiled| self.write(Kind::Code, digest, &compiled));
        self.told(Kind::Code, digest, written);
        if let Err(error) = self.bound(digest) {
            tracing::warn!(path = %self.folder.display(), %error, "old compiled code cannot be removed");
        }
    }

    /// Says that a plugin with this digest is loaded, for as long as what comes back is kept.
    pub(crate) fn in_use(self: &Arc<Self>, digest: &str) -> InUse {
        *self.used().entry(digest.to_owned()).or_default() += 1;
        InUse {
            cache: Arc::clone(self),
            digest: digest.to_owned(),
        }
    }

    /// Removes what was loaded the longest ago beyond what may be kept: neither what is loaded nor what was written just now.
    fn bound(&self, written: &str) -> io::Result<()> {
        // Who begins to use something waits until this is over.
        let used = self.used();
        let digests = used.keys().map(String::as_str).chain([written]);
        let stay: HashSet<PathBuf> = digests.map(|one| self.path(Kind::Code, one)).collect();
        let listing = Listing::of(&self.folder)?;
        let left = listing.prune(FILES_MOST, self.most, |path| stay.contains(path))?;
        if left.removed > 0 {
            let (removed, bytes) = (left.removed, left.bytes);
            tracing::info!(
                removed,
                bytes,
                "compiled code that was not used for the longest is removed"
            );
        }
        if left.bytes > self.most {
            let (bytes, most) = (left.bytes, self.most);
            tracing::warn!(
                bytes,
                most,
                "the compiled code of the plugins that are loaded is more than may be kept; raise store.compiled_mb"
            );
        }
        Ok(())
    }

    fn used(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        // Nothing panics under this lock.
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is compiled code of that digest, good or not.
    pub(crate) fn has(&self, digest: &str) -> bool {
        self.path(Kind::Code, digest).exists()
    }

    /// Removes what is kept of that digest.
    pub(crate) fn forget(&self, digest: &str) {
        for kind in [Kind::Code, Kind::Description] {
            let path = self.path(kind, digest);
            if let Err(error) = remove(&path) {
                tracing::warn!(path = %path.display(), %error, "compiled code that nobody needs is not removed");
            }
        }
    }

    /// What the component of that digest said of itself, if it is here, whole and ours.
    pub(crate) fn description(&self, digest: &str) -> Option<String> {
        let mut bytes = self.read(Kind::Description, digest)?;
        String::from_utf8(bytes.split_off(KEY_BYTES)).ok()
    }

    /// Keeps what a component said of itself.
    pub(crate) fn store_description(&self, digest: &str, text: &str) {
        let written = self.write(Kind::Description, digest, text.as_bytes());
        self.told(Kind::Description, digest, written);
    }

    /// A file that is here, whole and ours: the authentication code, and behind it what it is of.
    fn read(&self, kind: Kind, digest: &str) -> Option<Vec<u8>> {
        let path = self.path(kind, digest);
        // The bytes that are checked are the bytes that run: the file is read once, into memory of
        // ours, and who changes it afterwards changes nothing.
        let mut bytes = Vec::new();
        let read = File::open(&path).and_then(|mut file| {
            // What is loaded stays the longest; where it cannot be noted, it only goes sooner.
            let _ = file.set_modified(SystemTime::now());
            file.read_to_end(&mut bytes)
        });
        if let Err(error) = read {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(path = %path.display(), %error, "compiled code cannot be read: compiling anew");
            }
            return None;
        }
        let Some((code, content)) = bytes.split_first_chunk::<KEY_BYTES>() else {
            return self.reject(&path, "it is cut short");
        };
        if self.mac(kind, digest, content).verify_slice(code).is_err() {
            return self.reject(
                &path,
                "it was not written by this node, or was changed since",
            );
        }
        Some(bytes)
    }

    fn told(&self, kind: Kind, digest: &str, written: io::Result<()>) {
        if let Err(error) = written {
            let path = self.path(kind, digest);
            tracing::warn!(path = %path.display(), %error, "compiled code is not kept: the next start compiles anew");
        }
    }

    fn write(&self, kind: Kind, digest: &str, content: &[u8]) -> io::Result<()> {
        let code = self.mac(kind, digest, content).finalize().into_bytes();
        // Written aside and renamed: a reader never sees half a file.
        let aside = self.folder.join(format!(
            "{digest}.{}.{}.tmp",
            std::process::id(),
            kind.extension()
        ));
        let result = (|| {
            let mut file = create_private(&aside)?;
            file.write_all(&code)?;
            file.write_all(content)?;
            drop(file);
            fs::rename(&aside, self.path(kind, digest))
        })();
        if result.is_err() {
            // The leftover is harmless: it has a name that is never read.
            let _ = fs::remove_file(&aside);
        }
        result
    }

    fn path(&self, kind: Kind, digest: &str) -> PathBuf {
        let environment = hex(&self.environment[..8]);
        let extension = kind.extension();
        self.folder
            .join(format!("{digest}-{environment}.{extension}"))
    }

    fn mac(&self, kind: Kind, digest: &str, content: &[u8]) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(&self.environment);
        for field in [kind.extension(), digest] {
            mac.update(&(field.len() as u64).to_le_bytes());
            mac.update(field.as_bytes());
        }
        mac.update(content);
        mac
    }

    fn reject<T>(&self, path: &Path, reason: &str) -> Option<T> {
        let count = self.rejected.fetch_add(1, Ordering::Relaxed) + 1;
        tracing::warn!(path = %path.display(), reason, count, "compiled code refused: compiling anew");
        None
    }
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// The hash of everything besides the component that its compiled code depends on. The engine's own
/// part covers its version, the target, the processor's features and all settings of the compiler.
fn environment(engine: &Engine) -> [u8; 32] {
    /// Feeds what is hashed into SHA-256, which unlike the standard hasher is the same everywhere.
    struct Feed(Sha256);
    impl Hasher for Feed {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut feed = Feed(Sha256::new());
    PROFILE.hash(&mut feed);
    env!("CARGO_PKG_VERSION").hash(&mut feed);
    (std::env::consts::ARCH, std::env::consts::OS).hash(&mut feed);
    engine.precompile_compatibility_hash().hash(&mut feed);
    feed.0.finalize().into()
}

/// The node's key: read, or made where there is none.
fn node_key(folder: &Path) -> Result<[u8; KEY_BYTES], CacheError> {
    let path = folder.join(KEY_FILE);
    let io = |source| CacheError::Io {
        path: path.clone(),
        source,
    };
    if !path.try_exists().map_err(io)? {
        let mut key = [0; KEY_BYTES];
        getrandom::fill(&mut key).map_err(|error| io(io::Error::other(error.to_string())))?;
        let aside = folder.join(format!("{KEY_FILE}.{}.tmp", std::process::id()));
        let mut file = create_private(&aside).map_err(io)?;
        file.write_all(&key)
            .and_then(|()| file.sync_all())
            .map_err(io)?;
        // A link, unlike a rename, leaves the key of another process that was quicker in its place.
        match fs::hard_link(&aside, &path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(io(error)),
            _ => {}
        }
        fs::remove_file(&aside).map_err(io)?;
    }
    let mut file = File::open(&path).map_err(io)?;
    if exposed(&file.metadata().map_err(io)?) {
        return Err(CacheError::KeyExposed { path });
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(io)?;
    bytes
        .try_into()
        .map_err(|_| CacheError::KeyMalformed { path })
}

/// Creates a file that only its owner may read. An old one of that name is replaced.
fn create_private(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

#[cfg(unix)]
fn exposed(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    metadata.mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn exposed(_metadata: &fs::Metadata) -> bool {
    false
}

/// A folder's files of compiled code.
#[derive(Debug, Default)]
struct Listing {
    /// When each was last loaded or written, its path, and its bytes with the description's beside it.
    code: Vec<(SystemTime, PathBuf, u64)>,
    bytes: u64,
}

impl Listing {
    fn of(folder: &Path) -> io::Result<Listing> {
        let mut listing = Listing::default();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = entry.path();
            let extension = path.extension().unwrap_or_default();
            let looked = match entry.metadata() {
                Ok(looked) => looked,
                // Somebody removed it meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            if extension == Kind::Code.extension() {
                let beside = path.with_extension(Kind::Description.extension());
                let beside = fs::metadata(beside).map_or(0, |beside| beside.len());
                let bytes = looked.len() + beside;
                listing.bytes += bytes;
                listing.code.push((looked.modified()?, path, bytes));
            } else if extension == "tmp"
                && looked.modified()?.elapsed().is_ok_and(|age| age > ASIDE)
            {
                // Of a process that ended while it wrote.
                remove(&path)?;
            }
        }
        listing.code.sort();
        Ok(listing)
    }

    /// Removes what was loaded the longest ago, with the descriptions beside it, until no more files and bytes are left
    /// than may be. What `stays` does.
    fn prune(self, files: usize, bytes: u64, stays: impl Fn(&Path) -> bool) -> io::Result<Left> {
        let mut left = Left {
            files: self.code.len(),
            bytes: self.bytes,
            removed: 0,
        };
        for (_, path, size) in self.code {
            if left.files <= files && left.bytes <= bytes {
                break;
            }
            if stays(&path) {
                continue;
            }
            remove(&path)?;
            remove(&path.with_extension(Kind::Description.extension()))?;
            left.files -= 1;
            left.bytes -= size;
            left.removed += 1;
        }
        Ok(left)
    }
}

/// What is left of a folder.
struct Left {
    files: usize,
    bytes: u64,
    removed: usize,
}

/// Removes a file that may be gone.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
