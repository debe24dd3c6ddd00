//! Ready clips in memory; the ones not heard for longest make room.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use strowger_voice::clip::Clip;
use strowger_voice::g711::Codec;

use super::segment::Segment;

/// Clips by what they say and their codec, bounded by bytes.
pub struct Shelf {
    limit: usize,
    bytes: usize,
    clips: HashMap<Arc<Segment>, Vec<(Codec, Entry)>>,
    /// Every clip by the time of its last use, counted in uses.
    order: BTreeMap<u64, (Arc<Segment>, Codec)>,
    uses: u64,
    evicted: u64,
}

struct Entry {
    clip: Arc<Clip>,
    used: u64,
}

impl Shelf {
    /// At most `limit` bytes of audio.
    pub fn new(limit: usize) -> Shelf {
        Shelf {
            limit,
            bytes: 0,
            clips: HashMap::new(),
            order: BTreeMap::new(),
            uses: 0,
            evicted: 0,
        }
    }

    /// A clip, which becomes the one used last.
    pub fn take(&mut self, segment: &Segment, codec: Codec) -> Option<Arc<Clip>> {
        let (_, entry) = self
            .clips
            .get_mut(segment)?
            .iter_mut()
            .find(|(each, _)| *each == codec)?;
        self.uses += 1;
        let place = self.order.remove(&entry.used)?;
        entry.used = self.uses;
        self.order.insert(self.uses, place);
        Some(Arc::clone(&entry.clip))
    }

    /// Puts a clip in; others make room. One larger than the whole shelf is not kept.
    pub fn put(&mut self, segment: &Segment, codec: Codec, clip: Arc<Clip>) {
        self.remove(segment, codec);
        let size = cost(segment, &clip);
        if size > self.limit {
            return;
        }
        while self.bytes + size > self.limit {
            let Some((_, (oldest, codec))) = self.order.pop_first() else {
                break;
            };
            self.remove(&oldest, codec);
            self.evicted += 1;
        }
        self.uses += 1;
        self.bytes += size;
        let key = self
            .clips
            .get_key_value(segment)
            .map(|(key, _)| Arc::clone(key));
        let key = key.unwrap_or_else(|| Arc::new(segment.clone()));
        self.order.insert(self.uses, (Arc::clone(&key), codec));
        self.clips.entry(key).or_default().push((
            codec,
            Entry {
                clip,
                used: self.uses,
            },
        ));
    }

    /// Drops the clips of all audio files.
    pub fn forget_audio(&mut self) {
        let files: Vec<_> = self
            .order
            .values()
            .filter(|(key, _)| matches!(**key, Segment::Audio { .. }))
            .cloned()
            .collect();
        for (segment, codec) in files {
            self.remove(&segment, codec);
        }
    }

    /// How many clips.
    pub fn len(&self) -> usize {
        self.clips.values().map(Vec::len).sum()
    }

    /// Bytes in use, names included.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many clips had to make room so far.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    fn remove(&mut self, segment: &Segment, codec: Codec) {
        let Some(clips) = self.clips.get_mut(segment) else {
            return;
        };
        let Some(at) = clips.iter().position(|(each, _)| *each == codec) else {
            return;
        };
        let (_, entry) = clips.swap_remove(at);
        let empty = clips.is_empty();
        self.bytes -= cost(segment, &entry.clip);
        self.order.remove(&entry.used);
        if empty {
            self.clips.remove(segment);
        }
    }
}

/// What a clip takes, roughly: audio, name, and the book-keeping around it.
fn cost(segment: &Segment, clip: &Clip) -> usize {
    let name = match segment {
        Segment::Text { text, .. } => text.len(),
        Segment::Audio { path } => path.len(),
    };
    clip.bytes().len() + name + OVERHEAD
}

/// Book-keeping of one clip, in bytes.
const OVERHEAD: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn named(path: &str) -> Segment {
        Segment::Audio {
            path: path.to_owned(),
        }
    }

    #[test]
    fn the_one_not_used_for_longest_makes_room() {
        let clip = || Arc::new(Clip::new(Codec::Pcmu, &[0; 1_600]));
        let mut shelf = Shelf::new(3 * (1_600 + 1 + OVERHEAD));
        for name in ["a", "b", "c"] {
            shelf.put(&named(name), Codec::Pcmu, clip());
        }
        assert!(shelf.take(&named("a"), Codec::Pcmu).is_some());
        assert!(shelf.take(&named("a"), Codec::Pcma).is_none());
        shelf.put(&named("d"), Codec::Pcmu, clip());
        let there: Vec<bool> = ["a", "b", "c", "d"]
            .map(|name| shelf.take(&named(name), Codec::Pcmu).is_some())
            .into();
        assert_eq!(there, [true, false, true, true]);
        assert_eq!((shelf.len(), shelf.evicted()), (3, 1));
        // The same again takes no more room.
        let bytes = shelf.bytes();
        shelf.put(&named("d"), Codec::Pcmu, clip());
        assert_eq!(shelf.bytes(), bytes);
        shelf.put(
            &named("giant"),
            Codec::Pcmu,
            Arc::new(Clip::new(Codec::Pcmu, &[0; 100_000])),
        );
        assert_eq!(shelf.len(), 3);
        shelf.forget_audio();
        assert_eq!((shelf.len(), shelf.bytes()), (0, 0));
    }
}
