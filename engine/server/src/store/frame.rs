//! How journal lines lie on the disk: one zstd frame a commit and contact, behind a byte that says which form it has.
//!
//! Commits are small, some hundred bytes of one contact, so what compresses them is a dictionary of what journals
//! say again and again. It is part of the form: a better one gets a new number, and the old one stays.

use std::io;
use std::sync::LazyLock;

use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};

/// JSON lines in a zstd frame with checksum (RFC 8878) and [`DICTIONARY`].
const FORM: u8 = 1;
/// Made by `examples/journal_dictionary.rs` of journals of the demo tenant.
static DICTIONARY: &[u8] = include_bytes!("journal-1.dict");
/// zstd's own default.
const LEVEL: i32 = 3;
/// Most bytes of lines in one frame: a commit has 8 MiB, and one entry more of at most 4 MiB.
const MAX_LINES: usize = 32 << 20;

static ENCODER: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(DICTIONARY, LEVEL));
static DECODER: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(DICTIONARY));

/// Why a frame cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    /// A newer program wrote it, or it is none.
    #[error("it has form {0}, and this program reads form {FORM}")]
    Form(u8),
    /// It is broken off or changed.
    #[error("it cannot be unpacked: {0}")]
    Broken(#[from] io::Error),
    /// What came out is no text.
    #[error("it holds no text")]
    NotText,
    /// Nothing is there.
    #[error("it is empty")]
    Empty,
}

/// Bytes of lines beyond which what packed them is let go: it holds several times as much.
const LARGE_LINES: usize = 256 << 10;

/// Packs one frame after the other: what that takes is made once, and costs more than a small frame does.
#[derive(Default)]
pub(crate) struct Packer {
    compressor: Option<Compressor<'static>>,
}

impl Packer {
    /// Journal lines as they are stored.
    pub(crate) fn pack(&mut self, lines: &str) -> Vec<u8> {
        self.packed(lines)
            .expect("memory for a frame, the one thing that can be missing")
    }

    fn packed(&mut self, lines: &str) -> io::Result<Vec<u8>> {
        let mut compressor = match self.compressor.take() {
            Some(compressor) => compressor,
            None => {
                let mut new = Compressor::with_prepared_dictionary(&ENCODER)?;
                new.include_checksum(true)?;
                new
            }
        };
        let packed = compressor.compress(lines.as_bytes())?;
        if lines.len() < LARGE_LINES {
            self.compressor = Some(compressor);
        }
        let mut frame = Vec::with_capacity(1 + packed.len());
        frame.push(FORM);
        frame.extend(packed);
        Ok(frame)
    }
}

/// Whether a newer program wrote a frame, in a form that this one does not know.
pub(crate) fn is_newer(frame: &[u8]) -> bool {
    frame.first().is_some_and(|form| *form > FORM)
}

/// Opens one frame after the other, a journal's for one: what that takes is made once.
#[derive(Default)]
pub(crate) struct Unpacker {
    decompressor: Option<Decompressor<'static>>,
    lines: Vec<u8>,
}

impl Unpacker {
    /// The journal lines of a frame.
    pub(crate) fn unpack(&mut self, frame: &[u8]) -> Result<&str, FrameError> {
        let (form, packed) = frame.split_first().ok_or(FrameError::Empty)?;
        if *form != FORM {
            return Err(FrameError::Form(*form));
        }
        if packed.is_empty() {
            return Err(FrameError::Empty);
        }
        let decompressor = match &mut self.decompressor {
            Some(decompressor) => decompressor,
            none => none.insert(Decompressor::with_prepared_dictionary(&DECODER)?),
        };
        let bytes = Decompressor::upper_bound(packed).unwrap_or(MAX_LINES);
        self.lines.clear();
        self.lines.reserve(bytes.min(MAX_LINES));
        decompressor.decompress_to_buffer(packed, &mut self.lines)?;
        std::str::from_utf8(&self.lines).map_err(|_| FrameError::NotText)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pack(lines: &str) -> Vec<u8> {
        Packer::default().pack(lines)
    }

    fn unpack(frame: &[u8]) -> Result<String, FrameError> {
        Unpacker::default().unpack(frame).map(str::to_owned)
    }

    /// A frame as the first program with frames wrote it: it opens for ever.
    const FIRST: &[u8] = include_bytes!("frame-1.bin");
    const FIRST_LINES: &str = include_str!("frame-1.jsonl");

    #[test]
    fn the_first_form_opens() {
        assert_eq!(unpack(FIRST).expect("a frame"), FIRST_LINES);
    }

    #[test]
    fn lines_are_much_smaller_in_a_frame() {
        let packed = pack(FIRST_LINES).len();
        assert!(
            packed * 5 < FIRST_LINES.len(),
            "{packed} of {}",
            FIRST_LINES.len()
        );
    }

    #[test]
    fn frames_are_opened_one_after_the_other_whatever_came_before() {
        let mut unpacker = Unpacker::default();
        let short = pack("{}\n");
        for _ in 0..2 {
            assert_eq!(unpacker.unpack(FIRST).expect("a frame"), FIRST_LINES);
            assert!(unpacker.unpack(&FIRST[..FIRST.len() / 2]).is_err());
            assert_eq!(unpacker.unpack(&short).expect("a frame"), "{}\n");
        }
    }

    #[test]
    fn frames_are_the_same_whatever_was_packed_before() {
        let mut packer = Packer::default();
        let large = FIRST_LINES.repeat(LARGE_LINES / FIRST_LINES.len() + 1);
        for lines in [FIRST_LINES, "{}\n", "", large.as_str(), FIRST_LINES] {
            let frame = packer.pack(lines);
            assert_eq!(frame, pack(lines));
            assert_eq!(unpack(&frame).expect("a frame"), lines);
        }
    }

    #[test]
    fn a_frame_of_another_form_is_told_as_such() {
        let error = unpack(&[9, 1, 2]).expect_err("no frame");
        assert_eq!(
            error.to_string(),
            "it has form 9, and this program reads form 1"
        );
        assert!(matches!(unpack(&[]), Err(FrameError::Empty)));
    }

    proptest! {
        #[test]
        fn what_is_packed_comes_out(lines in ".{0,2000}") {
            prop_assert_eq!(unpack(&pack(&lines)).expect("a frame"), lines);
        }

        #[test]
        fn any_bytes_are_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = unpack(&bytes);
            let _ = unpack(&[&[FORM], bytes.as_slice()].concat());
        }

        #[test]
        fn a_torn_or_changed_frame_is_told(cut in any::<prop::sample::Index>(), flip in any::<bool>()) {
            let mut frame = pack(FIRST_LINES);
            let at = cut.index(frame.len());
            match flip {
                true => {
                    frame[at] ^= 0x10;
                    // A frame's header has a bit that means nothing (RFC 8878 §3.1.1.1.1.3).
                    prop_assert!(unpack(&frame).map_or(true, |lines| lines == FIRST_LINES));
                }
                false => {
                    frame.truncate(at);
                    prop_assert!(unpack(&frame).is_err());
                }
            }
        }
    }
}
