//! The memory that a step's first allocations come from: it is there when the instance begins.
//!
//! An instance lives for one step, and most steps allocate some kilobytes. The standard library's allocator asks the
//! host for a page before it gives out the first byte, and growing a memory costs the host two changes of its
//! protection, one now and one before the slot is used again: more than all else about the instance. What does not fit
//! in here comes from the standard allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, UnsafeCell};

/// Bytes of the arena. A page of WebAssembly: what a step uses beyond costs it the growth that every step paid before.
const ARENA: usize = 64 << 10;

/// Gives out its bytes from the front; takes back what was given out last.
#[repr(C, align(16))]
pub(crate) struct Arena {
    bytes: UnsafeCell<[u8; ARENA]>,
    /// Where the free part begins.
    free: Cell<usize>,
}

// SAFETY: it is made for `wasm32` without atomics, which has one thread; tests keep theirs to one thread.
unsafe impl Sync for Arena {}

impl Arena {
    pub(crate) const fn new() -> Arena {
        Arena {
            bytes: UnsafeCell::new([0; ARENA]),
            free: Cell::new(0),
        }
    }

    fn base(&self) -> *mut u8 {
        self.bytes.get().cast()
    }

    /// The place of a block in the arena; none for one of the standard allocator.
    fn place(&self, block: *mut u8) -> Option<usize> {
        let place = block.addr().checked_sub(self.base().addr())?;
        (place < ARENA).then_some(place)
    }

    /// Where a block given out last ends: only that one can grow, or be taken back.
    fn is_last(&self, place: usize, size: usize) -> bool {
        place + size == self.free.get()
    }
}

// SAFETY: blocks of the arena lie in `bytes`, aligned as asked and apart from each other, since `free` only goes back over
// the block that was given out last when that one is given back; all others are the standard allocator's.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let base = self.base().addr();
        let begin = (base + self.free.get()).next_multiple_of(layout.align()) - base;
        match begin.checked_add(layout.size()) {
            // A block begins before the arena's end, so that it is known again, even an empty one.
            Some(end) if end <= ARENA && begin < ARENA => {
                self.free.set(end);
                // SAFETY: `begin` is within `bytes`.
                unsafe { self.base().add(begin) }
            }
            // SAFETY: the same demand.
            _ => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match self.place(block) {
            Some(place) if self.is_last(place, layout.size()) => self.free.set(place),
            Some(_) => {}
            // SAFETY: the standard allocator gave it out.
            None => unsafe { System.dealloc(block, layout) },
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(place) = self.place(block) else {
            // SAFETY: the standard allocator gave it out.
            return unsafe { System.realloc(block, layout, size) };
        };
        if self.is_last(place, layout.size()) && size <= ARENA - place {
            self.free.set(place + size);
            return block;
        }
        if size <= layout.size() {
            return block;
        }
        // SAFETY: the caller sees to it that the new size, rounded up, does not overflow.
        let grown = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !grown.is_null() {
            // SAFETY: both are at least as long, and apart.
            unsafe { grown.copy_from_nonoverlapping(block, layout.size()) };
            // SAFETY: it is given back once.
            unsafe { self.dealloc(block, layout) };
        }
        grown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A block that is given out, and what was written into it.
    struct Block {
        at: *mut u8,
        layout: Layout,
        letter: u8,
    }

    impl Block {
        fn is_whole(&self, bytes: usize) -> bool {
            // SAFETY: it was written that long.
            let bytes = unsafe { std::slice::from_raw_parts(self.at, bytes) };
            bytes.iter().all(|byte| *byte == self.letter)
        }
    }

    #[test]
    fn blocks_stay_apart_and_whole_in_any_order() {
        let arena = Box::new(Arena::new());
        let mut chance = 88_172_645_463_325_252_u64;
        let mut next = |below: usize| {
            chance ^= chance << 13;
            chance ^= chance >> 7;
            chance ^= chance << 17;
            usize::try_from(chance % below as u64).expect("small")
        };
        let mut blocks: Vec<Block> = Vec::new();
        let (mut inside, mut outside) = (0, 0);
        for turn in 0..20_000_u32 {
            let letter = turn as u8;
            match next(4) {
                0 | 1 if blocks.len() < 200 => {
                    let layout =
                        Layout::from_size_align(next(600) + 1, 1 << next(6)).expect("small");
                    // SAFETY: it is not empty.
                    let at = unsafe { arena.alloc(layout) };
                    assert!(!at.is_null() && at.addr() % layout.align() == 0);
                    match arena.place(at) {
                        Some(_) => inside += 1,
                        None => outside += 1,
                    }
                    // SAFETY: it is that long.
                    unsafe { at.write_bytes(letter, layout.size()) };
                    blocks.push(Block { at, layout, letter });
                }
                2 if !blocks.is_empty() => {
                    let index = next(blocks.len());
                    let block = &mut blocks[index];
                    let size = next(900) + 1;
                    // SAFETY: it was given out with this layout.
                    block.at = unsafe { arena.realloc(block.at, block.layout, size) };
                    assert!(block.is_whole(size.min(block.layout.size())), "turn {turn}");
                    block.layout =
                        Layout::from_size_align(size, block.layout.align()).expect("small");
                    // SAFETY: it is that long.
                    unsafe { block.at.write_bytes(block.letter, size) };
                }
                _ if !blocks.is_empty() => {
                    let block = blocks.swap_remove(next(blocks.len()));
                    assert!(block.is_whole(block.layout.size()), "turn {turn}");
                    // SAFETY: it was given out with this layout.
                    unsafe { arena.dealloc(block.at, block.layout) };
                }
                _ => {}
            }
        }
        assert!(inside > 50 && outside > 50, "{inside} {outside}");
        for block in blocks {
            assert!(block.is_whole(block.layout.size()));
            // SAFETY: it was given out with this layout.
            unsafe { arena.dealloc(block.at, block.layout) };
        }
    }

    #[test]
    fn the_block_given_out_last_grows_in_place_and_is_taken_back() {
        let arena = Box::new(Arena::new());
        let layout = Layout::from_size_align(100, 8).expect("small");
        // SAFETY: sizes and layouts are those that were given out.
        unsafe {
            let first = arena.alloc(layout);
            let grown = arena.realloc(first, layout, 5_000);
            assert_eq!(first, grown);
            arena.dealloc(grown, Layout::from_size_align(5_000, 8).expect("small"));
            assert_eq!(arena.alloc(layout), first);
            // What is larger than the arena is the standard allocator's.
            let large = Layout::from_size_align(ARENA + 1, 8).expect("small");
            let block = arena.alloc(large);
            assert!(arena.place(block).is_none());
            arena.dealloc(block, large);
        }
    }
}
