//! How much room there is for what can wait, such as pushes: some of it stays for what contacts write, which cannot.

use std::ffi::CString;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use sqlx::sqlite::SqliteConnection;

use super::{Database, Place, Store, StoreError};

/// What stays for contacts at least, in bytes.
const KEPT_LEAST: u64 = 8 << 20;

/// What ends first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// `store.max_mb`.
    Max,
    /// The disk of the data folder.
    Disk,
}

/// Room for what can wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Bytes that it may take.
    pub left: u64,
    /// Bytes that stay for contacts beside that.
    pub kept: u64,
    /// What ends first.
    pub bound: Bound,
}

impl Room {
    /// Of what is free in the file below its bound, where it has one, and on the disk, on which each byte is written so many
    /// times.
    fn of(max_mb: Option<u32>, in_file: u64, on_disk: u64, times: u64) -> Room {
        let kept = kept(max_mb);
        let disk = Room {
            left: on_disk.saturating_sub(kept) / times,
            kept,
            bound: Bound::Disk,
        };
        let file = max_mb.map(|_| Room {
            left: in_file.saturating_sub(kept),
            kept,
            bound: Bound::Max,
        });
        match file {
            Some(file) if file.left <= disk.left => file,
            _ => disk,
        }
    }
}

impl Store {
    /// How much of what can wait there is room for now. Of a database elsewhere nobody here knows: there it is the disk of the
    /// data folder alone, on which revisions are laid out.
    pub async fn room(&self) -> Result<Room, StoreError> {
        self.reachable()?;
        let disk = |folder: &Path| {
            let disk = Disk::of(folder).map_err(|error| StoreError::Query(sqlx::Error::Io(error)));
            disk.map(|disk| disk.free)
        };
        match (&self.database, &self.place) {
            (Database::File(pool), Place::File { folder, max_mb }) => {
                let mut connection = pool.acquire().await?;
                let page = pragma(&mut connection, "PRAGMA page_size").await?;
                let most = pragma(&mut connection, "PRAGMA max_page_count").await?;
                let pages = pragma(&mut connection, "PRAGMA page_count").await?;
                let unused = pragma(&mut connection, "PRAGMA freelist_count").await?;
                let in_file = (most.saturating_sub(pages) + unused) * page;
                // In the write-ahead log, in the file itself, and as files of a folder.
                Ok(Room::of(*max_mb, in_file, disk(folder)?, 3))
            }
            (_, Place::File { folder, .. } | Place::Server { folder, .. }) => {
                Ok(Room::of(None, 0, disk(folder)?, 1))
            }
        }
    }
}

async fn pragma(connection: &mut SqliteConnection, text: &'static str) -> Result<u64, sqlx::Error> {
    let value: i64 = sqlx::query_scalar(text).fetch_one(connection).await?;
    Ok(value.unsigned_abs())
}

/// What stays for contacts.
fn kept(max_mb: Option<u32>) -> u64 {
    let max = max_mb.map(|mb| u64::from(mb) << 20);
    // A file that has no room for both has half for each.
    max.map_or(KEPT_LEAST, |max| (max / 10).max(KEPT_LEAST).min(max / 2))
}

/// Bytes that recordings may take on the disk of their folder. They leave three times what stays for contacts there, so that pushes
/// have room too, and a twentieth of the disk, a GiB at most.
pub(crate) fn room_for_recordings(folder: &Path, max_mb: Option<u32>) -> io::Result<u64> {
    Disk::of(folder).map(|disk| disk.for_recordings(max_mb))
}

/// A disk, in bytes.
#[derive(Debug, Clone, Copy)]
struct Disk {
    /// What is free for whoever is not root.
    free: u64,
    /// All of it.
    whole: u64,
}

impl Disk {
    fn for_recordings(self, max_mb: Option<u32>) -> u64 {
        let part = (self.whole / 20).min(1 << 30);
        self.free.saturating_sub((kept(max_mb) * 3).max(part))
    }

    /// The one that a folder is on.
    fn of(folder: &Path) -> io::Result<Disk> {
        let path = CString::new(folder.as_os_str().as_bytes())?;
        let mut told = MaybeUninit::<libc::statvfs>::uninit();
        // SAFETY: the path ends with a zero, and `told` has room for the answer.
        if unsafe { libc::statvfs(path.as_ptr(), told.as_mut_ptr()) } != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: it was filled, since the call succeeded.
        let told = unsafe { told.assume_init() };
        Ok(Disk {
            free: told.f_bavail.saturating_mul(told.f_frsize),
            whole: told.f_blocks.saturating_mul(told.f_frsize),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Bound, Disk, Room, room_for_recordings};

    const MIB: u64 = 1 << 20;

    #[test]
    fn a_tenth_of_the_store_stays_for_contacts() {
        let of = |max_mb, in_file, on_disk| {
            let room = Room::of(max_mb, in_file * MIB, on_disk * MIB, 3);
            (room.left / MIB, room.kept / MIB, room.bound)
        };
        assert_eq!(of(Some(200), 100, 900), (80, 20, Bound::Max));
        // At least so much, and never all of a small file.
        assert_eq!(of(Some(60), 30, 900), (22, 8, Bound::Max));
        assert_eq!(of(Some(4), 3, 900), (1, 2, Bound::Max));
        assert_eq!(of(Some(60), 5, 900), (0, 8, Bound::Max));
        // A byte is three on the disk.
        assert_eq!(of(Some(200), 200, 110), (30, 20, Bound::Disk));
        assert_eq!(of(None, 0, 38), (10, 8, Bound::Disk));
        assert_eq!(of(None, 0, 7), (0, 8, Bound::Disk));
    }

    #[test]
    fn a_disk_says_what_is_free_on_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let disk = Disk::of(folder.path()).expect("it can be asked");
        assert!(disk.free > 0 && disk.free <= disk.whole, "{disk:?}");
        let gone = room_for_recordings(&folder.path().join("none"), None);
        let gone = gone.expect_err("there is none");
        assert_eq!(gone.kind(), std::io::ErrorKind::NotFound);
    }

    #[test]
    fn recordings_leave_room_for_contacts_and_pushes() {
        let of = |max_mb, free, whole| {
            let disk = Disk {
                free: free * MIB,
                whole: whole * MIB,
            };
            disk.for_recordings(max_mb) / MIB
        };
        assert_eq!(of(None, 60, 70), 36);
        assert_eq!(of(None, 20, 70), 0);
        assert_eq!(of(Some(200), 100, 1_000), 40);
        // A twentieth of the disk, and no more than a GiB.
        assert_eq!(of(Some(200), 900, 4_000), 700);
        assert_eq!(of(Some(200), 2_024, 400_000), 1_000);
        // Pushes have room where recordings have none.
        let room = Room::of(None, 0, 24 * MIB, 3);
        assert!(room.left > 5 * MIB, "{room:?}");
    }
}
