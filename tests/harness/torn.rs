//! What a loss of power leaves of SQLite's write-ahead log: whole commits, and the beginning of one more.
//!
//! A commit that was acknowledged is on the disk, every byte of it. The one that was being written then was not acknowledged,
//! and its frames may be there in part, or scrambled. The file's form is told in <https://www.sqlite.org/fileformat2.html#walformat>.

use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::Moments;

/// Bytes before the first frame.
const HEADER: usize = 32;
/// Bytes before a frame's page.
const FRAME_HEADER: usize = 24;

/// The write-ahead log of a data folder, as it is now.
pub struct Log {
    path: PathBuf,
    bytes: Vec<u8>,
    page: usize,
    /// Ends of the commits in it, in bytes.
    commits: Vec<usize>,
}

impl Log {
    /// Reads it; none where there is none, as after all of it went into the database.
    pub fn read(data: &Path) -> Result<Option<Log>> {
        let path = data.join("strowger.db-wal");
        let bytes = std::fs::read(&path).unwrap_or_default();
        if bytes.len() < HEADER {
            return Ok(None);
        }
        let number = |at: usize| {
            let four = bytes[at..at + 4].try_into().map(u32::from_be_bytes);
            four.context("four bytes")
        };
        let magic = number(0)?;
        ensure!(magic & !1 == 0x377f_0682, "no write-ahead log: {magic:x}");
        let page = number(8)? as usize;
        let salts = bytes[16..24].to_vec();
        let mut commits = Vec::new();
        let mut at = HEADER;
        // Frames of an earlier round, with other salts, lie behind those of this one.
        while at + FRAME_HEADER + page <= bytes.len() && bytes[at + 8..at + 16] == salts {
            let commits_here = number(at + 4)? != 0;
            at += FRAME_HEADER + page;
            if commits_here {
                commits.push(at);
            }
        }
        Ok(Some(Log {
            path,
            bytes,
            page,
            commits,
        }))
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Ends of the commits in it, in bytes.
    pub fn commits(&self) -> &[usize] {
        &self.commits
    }

    /// Writes behind the last commit what a frame of the next one begins with, cut off or scrambled at some byte, over whatever
    /// lies there.
    pub fn tear(&self, moments: &mut Moments) -> Result<()> {
        let end = self.commits.last().copied().unwrap_or(HEADER);
        let whole = FRAME_HEADER + self.page;
        let mut frame = vec![0; whole];
        // A page of the database, said to be the end of a commit, under the salts of now.
        frame[3] = 1 + (moments.next(200)) as u8;
        frame[7] = 200;
        frame[8..16].copy_from_slice(&self.bytes[16..24]);
        for byte in &mut frame[16..] {
            *byte = moments.next(256) as u8;
        }
        let kept = 1 + moments.next(whole as u64) as usize;
        let mut file = std::fs::OpenOptions::new().write(true).open(&self.path)?;
        file.seek(SeekFrom::Start(end as u64))?;
        file.write_all(&frame[..kept])?;
        Ok(())
    }
}
