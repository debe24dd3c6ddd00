use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use strowger_voice::wav;

/// Makes a recording playable whose writer was killed: its header says less than the file has, and the last sample may
/// be cut. A file that is whole stays as it is.
///
/// A file that is no recording of ours is refused and left alone.
pub fn mend(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut header = [0; wav::HEADER_BYTES];
    file.read_exact(&mut header)?;
    let channels = u16::from_le_bytes([header[22], header[23]]);
    // All but the two sizes.
    let ours = wav::header(channels, 0);
    let same = |range: std::ops::Range<usize>| header[range.clone()] == ours[range];
    let is_ours = (1..=2).contains(&channels) && same(0..4) && same(8..40);
    if !is_ours {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it does not begin like a recording of this engine",
        ));
    }
    let block = u64::from(channels) * 2;
    let present = file.metadata()?.len() - wav::HEADER_BYTES as u64;
    let whole = (present - present % block).min(wav::MAX_DATA_BYTES.into());
    let size = u32::try_from(whole).map_err(io::Error::other)?;
    let wanted = wav::header(channels, size);
    if present != whole {
        file.set_len(wav::HEADER_BYTES as u64 + whole)?;
    }
    if header != wanted {
        file.write_all_at(&wanted, 0)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use strowger_voice::wav::{Wav, WavError};

    use super::*;

    fn mended(bytes: &[u8]) -> (io::Result<()>, Vec<u8>) {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), bytes).expect("written");
        let done = mend(file.path());
        (done, std::fs::read(file.path()).expect("there"))
    }

    #[test]
    fn a_file_cut_off_at_any_byte_becomes_whole() {
        for channels in [1, 2] {
            for (told, bytes) in [(0, 0), (0, 1), (0, 9), (8, 19), (8, 8)] {
                let samples: Vec<u8> = (0..bytes).collect();
                let cut = [&wav::header(channels, told)[..], &samples].concat();
                let (done, file) = mended(&cut);
                done.expect("a recording");
                let block = usize::from(channels) * 2;
                let whole = samples.len() / block * block;
                let size = u32::try_from(whole).expect("small");
                assert_eq!(file[..44], wav::header(channels, size));
                assert_eq!(file[44..], samples[..whole]);
                let read: Result<Wav, WavError> = Wav::parse(&file);
                assert_eq!(read.expect("a WAV file").channels, channels);
            }
        }
    }

    #[test]
    fn what_is_no_recording_is_left_alone() {
        let mut seven = wav::header(1, 0);
        seven[22] = 7;
        for bytes in [&b""[..], b"RIFF", &[0; 100], &seven] {
            let (done, file) = mended(bytes);
            assert!(done.is_err());
            assert_eq!(file, bytes);
        }
    }
}
