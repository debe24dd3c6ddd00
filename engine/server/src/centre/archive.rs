//! A project's folder as it is pushed: a tar archive (POSIX.1-2017, pax), plain or compressed by gzip.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Component, Path};

use flate2::read::MultiGzDecoder;
use strowger_flow::unseen::{in_one_line, is_unseen};

/// How gzip begins (RFC 1952 §2.3.1).
const GZIP: &[u8] = &[0x1f, 0x8b];
/// Longest path of a file, in bytes.
const MAX_PATH: usize = 200;
/// Folders in one another.
const MAX_DEPTH: usize = 8;
/// Most things that are told of one archive.
const TOLD_MOST: usize = 20;
/// Bytes of zeros at its end: two blocks of 512 (POSIX.1-2017, pax, "ustar Interchange Format").
const END: u64 = 1_024;

/// Files by their path below the project's folder.
pub type Tree = BTreeMap<String, Vec<u8>>;

/// What an archive may hold.
#[derive(Debug, Clone, Copy)]
pub struct ArchiveLimits {
    /// Bytes, unpacked, all files together.
    pub bytes: usize,
    /// Files.
    pub files: usize,
}

/// Why an archive is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It is no archive, or a part of one.
    #[error(
        "the archive cannot be read: {0}; send a tar file, plain or compressed by gzip, and all of it"
    )]
    Broken(String),
    /// Several things are wrong with what is in it.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Several(Vec<ArchiveError>),
    /// There is no file in it.
    #[error(
        "the archive holds no file: pack the project's folder itself, as `tar -C PROJECT -c .` does"
    )]
    Empty,
    /// It holds something that is no file.
    #[error("`{0}` in the archive is neither a file nor a folder: links and devices are not taken")]
    NoFile(String),
    /// A path leads out of the folder, or is none.
    #[error(
        "the path `{0}` in the archive cannot be: it must stay in the project, have at most 200 bytes, 8 folders in one another, and no control characters or such as turn text"
    )]
    Path(String),
    /// A file of the form of a signature is none.
    #[error(
        "`{0}` is no signature: 64 bytes in base64, as `strowger push --key` puts it beside a component"
    )]
    Signature(String),
    /// A path is a file's and a folder's.
    #[error(
        "`{file}` in the archive is a file, and `{below}` would lie in it: rename one of the two"
    )]
    InFile {
        /// The file.
        file: String,
        /// What lies below it.
        below: String,
    },
    /// A path is there twice.
    #[error("`{0}` stands twice in the archive")]
    Twice(String),
    /// Too much.
    #[error(
        "the archive holds more than {0} bytes: leave out what the flows do not use, or ask the operator for more (limits.upload_bytes)"
    )]
    Bytes(usize),
    /// Too many.
    #[error(
        "the archive holds more than {0} files: leave out what the flows do not use, or ask the operator for more (limits.files)"
    )]
    Files(usize),
}

/// Reads an archive. Hidden files and folders are left out: they hold data, caches and editors' notes.
pub fn unpack(bytes: &[u8], limits: ArchiveLimits) -> Result<Tree, ArchiveError> {
    if bytes.starts_with(GZIP) {
        // The reader below stops at the limit, so a bomb is never unpacked.
        read(MultiGzDecoder::new(bytes), limits)
    } else {
        read(bytes, limits)
    }
}

fn read(reader: impl Read, limits: ArchiveLimits) -> Result<Tree, ArchiveError> {
    let broken = |error: std::io::Error| ArchiveError::Broken(error.to_string());
    // Headers and padding come on top of the files: 1 KiB a file, and the end.
    let most = limits.bytes as u64 + (limits.files as u64 + 2) * 2_048;
    let mut archive = tar::Archive::new(Ended {
        inner: reader.take(most),
        zeros: 0,
    });
    let mut wrong = Vec::new();
    let mut tree = Tree::new();
    let mut room = limits.bytes;
    let mut entries = 0_usize;
    for entry in archive.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        entries += 1;
        // Folders count too, so that an archive of nothing but folders ends.
        if entries > limits.files.saturating_mul(2) {
            return Err(ArchiveError::Files(limits.files));
        }
        let raw = entry.path_bytes().into_owned();
        let shown = || {
            String::from_utf8_lossy(&raw)
                .chars()
                .take(80)
                .collect::<String>()
        };
        let kind = entry.header().entry_type();
        if kind.is_dir() || kind.is_pax_global_extensions() {
            continue;
        }
        if !kind.is_file() {
            wrong.push(ArchiveError::NoFile(in_one_line(&shown()).into_owned()));
            continue;
        }
        let Some(path) = clean(&raw) else {
            wrong.push(ArchiveError::Path(in_one_line(&shown()).into_owned()));
            continue;
        };
        if path.split('/').any(|part| part.starts_with('.')) {
            continue;
        }
        if entry.size() > room as u64 {
            return Err(ArchiveError::Bytes(limits.bytes));
        }
        let mut content = Vec::with_capacity(entry.size() as usize);
        entry.read_to_end(&mut content).map_err(broken)?;
        if content.len() as u64 != entry.size() {
            return Err(ArchiveError::Broken(format!("`{path}` is cut off")));
        }
        room -= content.len();
        if tree.len() == limits.files {
            return Err(ArchiveError::Files(limits.files));
        }
        if tree.insert(path.clone(), content).is_some() {
            wrong.push(ArchiveError::Twice(path));
        }
    }
    whole(archive.into_inner(), limits)?;
    if tree.is_empty() && wrong.is_empty() {
        return Err(ArchiveError::Empty);
    }
    for path in tree.keys() {
        let above = path.match_indices('/').map(|(at, _)| &path[..at]);
        for file in above {
            if tree.contains_key(file) {
                wrong.push(ArchiveError::InFile {
                    file: file.to_owned(),
                    below: path.clone(),
                });
            }
        }
    }
    wrong.truncate(TOLD_MOST);
    match wrong.len() {
        0 => Ok(tree),
        1 => Err(wrong.swap_remove(0)),
        _ => Err(ArchiveError::Several(wrong)),
    }
}

/// Whether a stream goes on as an archive ends, with zeros, and comes to its own end: gzip has its checksum there
/// (RFC 1952 §2.3.1), which nobody holds against the content who stops before.
fn whole(
    mut rest: Ended<std::io::Take<impl Read>>,
    limits: ArchiveLimits,
) -> Result<(), ArchiveError> {
    let mut chunk = [0; 8 << 10];
    loop {
        match rest.read(&mut chunk) {
            Ok(0) if rest.inner.limit() == 0 => return Err(ArchiveError::Bytes(limits.bytes)),
            Ok(0) if rest.zeros < END => {
                return Err(ArchiveError::Broken("it has no end".to_owned()));
            }
            Ok(0) => return Ok(()),
            Ok(read) if chunk[..read].iter().any(|byte| *byte != 0) => {
                return Err(ArchiveError::Broken("something follows its end".to_owned()));
            }
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(ArchiveError::Broken(error.to_string())),
        }
    }
}

/// Counts the zeros at the end of what is read.
struct Ended<R> {
    inner: R,
    zeros: u64,
}

impl<R: Read> Read for Ended<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let zeros = buffer[..read].iter().rev().take_while(|byte| **byte == 0);
        match zeros.count() {
            all if all == read => self.zeros += read as u64,
            some => self.zeros = some as u64,
        }
        Ok(read)
    }
}

/// A path with `/` between its parts and without `.`; none where it leaves the folder or is odd.
fn clean(raw: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(raw).ok()?;
    if text.len() > MAX_PATH || text.chars().any(is_unseen) || text.contains('\\') {
        return None;
    }
    let mut parts = Vec::new();
    for part in Path::new(text).components() {
        match part {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::CurDir => {}
            _ => return None,
        }
    }
    (!parts.is_empty() && parts.len() <= MAX_DEPTH).then(|| parts.join("/"))
}

/// Packs files, compressed.
pub fn pack(tree: &Tree) -> std::io::Result<Vec<u8>> {
    let compressed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let mut builder = tar::Builder::new(compressed);
    for (path, content) in tree {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, content.as_slice())?;
    }
    let mut compressed = builder.into_inner()?;
    compressed.flush()?;
    compressed.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: ArchiveLimits = ArchiveLimits {
        bytes: 1 << 16,
        files: 8,
    };

    fn header(path: &str, kind: tar::EntryType, size: u64) -> tar::Header {
        let mut header = tar::Header::new_gnu();
        // By hand: the library itself refuses to write a path that climbs.
        let name = &mut header.as_gnu_mut().expect("gnu").name;
        name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_mode(0o644);
        header.set_cksum();
        header
    }

    fn archive(entries: &[(&str, tar::EntryType, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, kind, content) in entries {
            let header = header(path, *kind, content.len() as u64);
            builder.append(&header, *content).expect("in memory");
        }
        builder.into_inner().expect("in memory")
    }

    #[test]
    fn files_come_back_and_hidden_ones_stay_out() {
        let file = tar::EntryType::Regular;
        let bytes = archive(&[
            ("./strowger.toml", file, b"a"),
            ("flows/a.flow.yaml", file, b"b"),
            (".strowger/db", file, b"c"),
        ]);
        let tree = unpack(&bytes, LIMITS).expect("whole");
        assert_eq!(
            tree.keys().collect::<Vec<_>>(),
            ["flows/a.flow.yaml", "strowger.toml"]
        );
        let again = unpack(&pack(&tree).expect("in memory"), LIMITS).expect("whole");
        assert_eq!(again, tree);
    }

    #[test]
    fn what_is_wrong_is_told() {
        let file = tar::EntryType::Regular;
        let large = vec![0; LIMITS.bytes + 1];
        let many: Vec<String> = (0..9).map(|n| format!("f{n}")).collect();
        let many: Vec<_> = many
            .iter()
            .map(|name| (name.as_str(), file, &b""[..]))
            .collect();
        for (bytes, words) in [
            (
                archive(&[("../out", file, b"a")]),
                "must stay in the project",
            ),
            (
                archive(&[("/etc/passwd", file, b"a")]),
                "must stay in the project",
            ),
            (
                archive(&[("a/../../b", file, b"a")]),
                "must stay in the project",
            ),
            (
                archive(&[("link", tar::EntryType::Symlink, b"")]),
                "neither a file",
            ),
            (
                archive(&[("pipe", tar::EntryType::Fifo, b"")]),
                "neither a file",
            ),
            (archive(&[("a", file, b"1"), ("./a", file, b"2")]), "twice"),
            (
                archive(&[("audio", file, b"1"), ("audio/b.wav", file, b"2")]),
                "`audio/b.wav` would lie in it",
            ),
            (archive(&[("a", file, &large)]), "more than 65536 bytes"),
            (archive(&many), "more than 8 files"),
            (archive(&[]), "no file"),
            (
                archive(&[("a", file, &[7; 600])])[..700].to_vec(),
                "cannot be read",
            ),
            (
                archive(&[
                    ("../out", file, b"a"),
                    ("a\u{202e}b", file, b""),
                    ("/c", file, b""),
                ]),
                "`../out` in the archive cannot be: it must stay in the project, have at most 200 bytes, 8 folders in one another, and no control characters or such as turn text; the path `a\\u{202e}b`",
            ),
            // Whole but for its end, as a broken upload leaves it.
            (archive(&[("a", file, b"1")])[..1_024].to_vec(), "no end"),
            (
                [archive(&[("a", file, b"1")]), b"more".to_vec()].concat(),
                "something follows its end",
            ),
            (b"PK\x03\x04 not a tar".to_vec(), "cannot be read"),
            (vec![0x1f, 0x8b, 1, 2, 3], "cannot be read"),
        ] {
            let told = unpack(&bytes, LIMITS).expect_err(words).to_string();
            assert!(told.contains(words), "{words}: {told}");
        }
    }

    #[test]
    fn a_compressed_archive_is_read_to_its_end() {
        let content = vec![7; 20_000];
        let bytes = pack(&Tree::from([("a".to_owned(), content)])).expect("in memory");
        unpack(&bytes, LIMITS).expect("whole");
        let mut wrong_sum = bytes.clone();
        let at = bytes.len() - 8;
        wrong_sum[at] ^= 1;
        for damaged in [
            wrong_sum,
            bytes[..bytes.len() - 8].to_vec(),
            bytes[..bytes.len() - 1].to_vec(),
            [&bytes[..], b"more"].concat(),
        ] {
            let told = unpack(&damaged, LIMITS).expect_err("damaged").to_string();
            assert!(told.contains("cannot be read"), "{told}");
        }
        // Zeros without end behind it are no archive either, and are not read on for ever.
        let zeros = archive(&[("a", tar::EntryType::Regular, b"1")]);
        let zeros = [zeros, vec![0; 1 << 20]].concat();
        assert!(matches!(
            unpack(&zeros, LIMITS),
            Err(ArchiveError::Bytes(_))
        ));
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let zeros = vec![0; 64 << 20];
        let bytes = pack(&Tree::from([("zeros".to_owned(), zeros)])).expect("in memory");
        assert!(bytes.len() < 100_000);
        assert!(matches!(
            unpack(&bytes, LIMITS),
            Err(ArchiveError::Bytes(_))
        ));
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_archive_or_an_error(
            bytes in prop::collection::vec(any::<u8>(), 0..2_000),
            gzip in any::<bool>(),
        ) {
            let bytes = match gzip { true => [GZIP, &bytes].concat(), false => bytes };
            let _ = unpack(&bytes, LIMITS);
        }

        #[test]
        fn a_changed_archive_is_an_archive_or_an_error(at in 0_usize..2_048, with in any::<u8>()) {
            let mut bytes = archive(&[("a", tar::EntryType::Regular, b"1")]);
            let at = at % bytes.len();
            bytes[at] = with;
            let _ = unpack(&bytes, LIMITS);
        }
    }
}
