//! Ready clips in memory; of those that nobody plays the ones not heard for longest make room.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use strowger_voice::clip::Clip;
use strowger_voice::g711::Codec;

use super::content::Content;

/// Clips by what they say and their codec, bounded by bytes.
pub struct Shelf {
    limit: usize,
    bytes: usize,
    clips: HashMap<Arc<Content>, Vec<(Codec, Entry)>>,
    /// Every clip by the time of its last use, counted in uses.
    order: BTreeMap<u64, (Arc<Content>, Codec)>,
    uses: u64,
    evicted: u64,
}

/// There is no room, since what is there is being played.
#[derive(Debug, PartialEq, Eq)]
pub struct Full {
    /// Most bytes.
    pub limit: usize,
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
    pub fn take(&mut self, content: &Content, codec: Codec) -> Option<Arc<Clip>> {
        let (_, entry) = self
            .clips
            .get_mut(content)?
            .iter_mut()
            .find(|(each, _)| *each == codec)?;
        self.uses += 1;
        let place = self.order.remove(&entry.used)?;
        entry.used = self.uses;
        self.order.insert(self.uses, place);
        Some(Arc::clone(&entry.clip))
    }

    /// Puts a clip in; others that nobody plays make room. Without enough of them it is refused, and none goes.
    pub fn put(&mut self, content: &Content, codec: Codec, clip: Arc<Clip>) -> Result<(), Full> {
        self.remove(content, codec);
        let size = cost(content, &clip);
        let spare = self.limit.saturating_sub(size);
        if size > self.limit || !self.make_room(spare, false) {
            return Err(Full { limit: self.limit });
        }
        self.uses += 1;
        self.bytes += size;
        let key = self
            .clips
            .get_key_value(content)
            .map(|(key, _)| Arc::clone(key));
        let key = key.unwrap_or_else(|| Arc::new(content.clone()));
        self.order.insert(self.uses, (Arc::clone(&key), codec));
        self.clips.entry(key).or_default().push((
            codec,
            Entry {
                clip,
                used: self.uses,
            },
        ));
        Ok(())
    }

    /// From now on at most `limit` bytes; what nobody plays makes room at once.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
        self.make_room(limit, true);
    }

    /// Removes what nobody plays, not used for longest first, until no more than so many bytes are left; whether they are. Where
    /// they cannot be, `some` tells whether what can go goes.
    fn make_room(&mut self, most: usize, some: bool) -> bool {
        let mut left = self.bytes;
        let mut going = Vec::new();
        for (content, codec) in self.order.values() {
            if left <= most {
                break;
            }
            if let Some(size) = self.idle(content, *codec) {
                left -= size;
                going.push((Arc::clone(content), *codec));
            }
        }
        let enough = left <= most;
        if enough || some {
            for (content, codec) in going {
                self.remove(&content, codec);
                self.evicted += 1;
            }
        }
        enough
    }

    /// What a clip takes that nobody has but the shelf.
    fn idle(&self, content: &Content, codec: Codec) -> Option<usize> {
        let mut of_it = self.clips.get(content)?.iter();
        let (_, entry) = of_it.find(|(each, _)| *each == codec)?;
        // Whoever is to have it gets it from here, which is locked.
        (Arc::strong_count(&entry.clip) == 1).then(|| cost(content, &entry.clip))
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

    fn remove(&mut self, content: &Content, codec: Codec) {
        let Some(clips) = self.clips.get_mut(content) else {
            return;
        };
        let Some(at) = clips.iter().position(|(each, _)| *each == codec) else {
            return;
        };
        let (_, entry) = clips.swap_remove(at);
        let empty = clips.is_empty();
        self.bytes -= cost(content, &entry.clip);
        self.order.remove(&entry.used);
        if empty {
            self.clips.remove(content);
        }
    }
}

/// What a clip takes, roughly: audio, name, and the book-keeping around it.
fn cost(content: &Content, clip: &Clip) -> usize {
    clip.bytes().len() + content.name_bytes() + OVERHEAD
}

/// Book-keeping of one clip, in bytes.
const OVERHEAD: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Content {
        Content::Text {
            text: name.to_owned(),
            language: String::new(),
            voice: None,
        }
    }

    fn clip(bytes: usize) -> Arc<Clip> {
        Arc::new(Clip::new(Codec::Pcmu, &vec![0; bytes]))
    }

    fn there(shelf: &mut Shelf, names: &[&str]) -> Vec<bool> {
        let taken = |name: &&str| shelf.take(&named(name), Codec::Pcmu).is_some();
        names.iter().map(taken).collect()
    }

    #[test]
    fn the_one_not_used_for_longest_makes_room() {
        let mut shelf = Shelf::new(3 * (1_600 + 1 + OVERHEAD));
        let put = |shelf: &mut Shelf, name: &str, bytes| {
            shelf.put(&named(name), Codec::Pcmu, clip(bytes))
        };
        for name in ["a", "b", "c"] {
            put(&mut shelf, name, 1_600).expect("room");
        }
        assert!(shelf.take(&named("a"), Codec::Pcmu).is_some());
        assert!(shelf.take(&named("a"), Codec::Pcma).is_none());
        put(&mut shelf, "d", 1_600).expect("room");
        assert_eq!(
            there(&mut shelf, &["a", "b", "c", "d"]),
            [true, false, true, true]
        );
        assert_eq!((shelf.len(), shelf.evicted()), (3, 1));
        // The same again takes no more room.
        let bytes = shelf.bytes();
        put(&mut shelf, "d", 1_600).expect("room");
        assert_eq!(shelf.bytes(), bytes);
        let limit = shelf.limit;
        assert_eq!(put(&mut shelf, "g", 100_000), Err(Full { limit }));
        assert_eq!(shelf.len(), 3, "none goes for it");
        shelf.set_limit(0);
        assert_eq!((shelf.len(), shelf.bytes()), (0, 0));
    }

    #[test]
    fn what_is_played_stays_and_counts() {
        let mut shelf = Shelf::new(3 * (1_600 + 1 + OVERHEAD));
        for name in ["a", "b", "c"] {
            let put = shelf.put(&named(name), Codec::Pcmu, clip(1_600));
            put.expect("room");
        }
        let played = ["a", "b"].map(|name| shelf.take(&named(name), Codec::Pcmu));
        assert!(played.iter().all(Option::is_some));
        // One that all three would have to go for is refused, and the idle one stays.
        let large = shelf.put(&named("l"), Codec::Pcmu, clip(4_000));
        assert!(large.is_err());
        assert_eq!(there(&mut shelf, &["a", "b", "c"]), [true; 3]);
        // Though it was used last, it goes before those that are played.
        shelf
            .put(&named("d"), Codec::Pcmu, clip(1_600))
            .expect("room");
        assert_eq!(
            there(&mut shelf, &["a", "b", "c", "d"]),
            [true, true, false, true]
        );
        shelf.set_limit(0);
        assert_eq!(there(&mut shelf, &["a", "b", "d"]), [true, true, false]);
        drop(played);
        shelf.set_limit(0);
        assert_eq!(shelf.len(), 0);
    }
}
