//! How many instances the machine can hold, and the pool cut for them.

use wasmtime::{Enabled, PoolingAllocationConfig};

use crate::host::HostError;
use crate::limits::{
    HOST_STACK_BYTES, INTERPRETER_HOST_STACK_BYTES, INTERPRETER_TABLE_ELEMENTS_MOST, Limits,
    MEMORY_MOST, TABLE_ELEMENTS_MOST,
};
use crate::tier::Kind;

/// Memory mappings that one instance needs at most: four for its memory and tables, two for its stack.
/// Measured; the kernel's limit on mappings (`vm.max_map_count`) is what bounds the pool.
const MAPPINGS_PER_INSTANCE: u64 = 6;

/// Mappings left to the rest of the process: libraries, threads, heaps, machine code.
const MAPPINGS_RESERVED: u64 = 2_000;

/// Part of the remaining mappings that the pool may use, in percent. Beyond the kernel's limit even
/// `malloc` fails, so there is a margin.
const MAPPINGS_SHARE_PERCENT: u64 = 80;

/// Most instances of a pool: each reserves a little over 4 GiB of address space, of which there are 128 TiB.
const POOL_MOST: u32 = 16_000;

/// Value assumed for `vm.max_map_count` where it cannot be read: Linux's default.
const MAX_MAP_COUNT_DEFAULT: u64 = 65_530;

/// Memory of a freed slot that stays resident and is reset by copying instead of by the kernel. Bytes.
/// With `PAGEMAP_SCAN` only pages that were written are reset, so it may cover whole guests.
const KEEP_RESIDENT_SCANNED: usize = 1 << 20;

/// The same without `PAGEMAP_SCAN` (before Linux 6.7), where all of it is reset every time. Bytes.
const KEEP_RESIDENT_BLIND: usize = 64 << 10;

/// Interpreters that may be alive at once, as a part of the instances: one in so many.
///
/// Each keeps up to half a MiB resident while it waits. Their mappings, and those of the pools of other stacks, fit into the
/// margin of [`MAPPINGS_SHARE_PERCENT`], which is a quarter of what the instances take.
const INTERPRETERS_SHARE: u32 = 32;

/// The same for each other stack of interpreters.
const OTHER_INTERPRETERS_SHARE: u32 = 64;

/// Instances of each stack but the default's, as a part of the instances: one in so many.
const OTHERS_SHARE: u32 = 24;

/// Fewest instances of a pool beside another, however small that is.
const BESIDE_LEAST: u32 = 4;

/// How many parts a component has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) core_instances: u32,
    pub(crate) memories: u32,
    pub(crate) tables: u32,
}

impl Shape {
    /// Whether a component of this shape has its place there.
    pub(crate) fn fits(&self, room: &Room) -> bool {
        let most = &room.shape;
        self.core_instances <= most.core_instances
            && self.memories <= most.memories
            && self.tables <= most.tables
    }
}

/// What one component may have in a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Room {
    shape: Shape,
    /// Slots that the pool holds for each instance, of core instances and of tables: few components use all.
    slots: Shape,
    pub(crate) table_elements: usize,
    /// What a fiber has for the frames of the host.
    host_stack: usize,
}

/// The room of components that were compiled to WebAssembly.
pub(crate) const NATIVE: Room = Room {
    shape: Shape {
        core_instances: 8,
        memories: 2,
        tables: 8,
    },
    slots: Shape {
        core_instances: 8,
        memories: 1,
        tables: 4,
    },
    table_elements: TABLE_ELEMENTS_MOST,
    host_stack: HOST_STACK_BYTES,
};

/// The room of components that carry an interpreter; CPython is linked together from dozens of modules.
const INTERPRETER: Room = Room {
    shape: Shape {
        core_instances: 100,
        memories: 8,
        tables: 16,
    },
    slots: Shape {
        core_instances: 64,
        memories: 2,
        tables: 8,
    },
    table_elements: INTERPRETER_TABLE_ELEMENTS_MOST,
    host_stack: INTERPRETER_HOST_STACK_BYTES,
};

/// The measured shape of a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pool {
    pub(crate) instances: u32,
    pub(crate) room: Room,
    /// What a guest has for its own frames.
    pub(crate) stack: usize,
    pub(crate) keep_resident: usize,
    pub(crate) pagemap_scan: bool,
    pub(crate) max_map_count: u64,
}

impl Pool {
    /// The pool for this machine: `asked` instances, or as many as it can hold.
    pub(crate) fn probe(asked: Option<u32>) -> Result<Self, HostError> {
        let max_map_count = max_map_count();
        let pagemap_scan = PoolingAllocationConfig::is_pagemap_scan_available();
        Ok(Self {
            instances: size(asked, max_map_count)?,
            room: NATIVE,
            stack: Limits::default().stack_bytes,
            keep_resident: if pagemap_scan {
                KEEP_RESIDENT_SCANNED
            } else {
                KEEP_RESIDENT_BLIND
            },
            pagemap_scan,
            max_map_count,
        })
    }

    /// The pool of another kind beside this one, of the usual kind.
    pub(crate) fn beside(&self, kind: Kind) -> Self {
        let (room, share) = match (kind.interpreter, kind.is_usual()) {
            (false, true) => return *self,
            (false, false) => (NATIVE, OTHERS_SHARE),
            (true, true) => (INTERPRETER, INTERPRETERS_SHARE),
            (true, false) => (INTERPRETER, OTHER_INTERPRETERS_SHARE),
        };
        Self {
            instances: (self.instances / share).max(BESIDE_LEAST),
            room,
            stack: kind.stack,
            ..*self
        }
    }

    /// Stack of a step's fiber, guest and host frames together.
    pub(crate) fn fiber_stack(&self) -> usize {
        self.stack + self.room.host_stack
    }

    /// The pooling allocator's configuration of this shape.
    pub(crate) fn allocation(&self) -> PoolingAllocationConfig {
        let n = self.instances;
        let Room {
            shape,
            slots,
            table_elements,
            ..
        } = self.room;
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(n)
            .total_memories(n.saturating_mul(slots.memories))
            .total_stacks(n)
            .total_tables(n.saturating_mul(slots.tables))
            .total_core_instances(n.saturating_mul(slots.core_instances))
            .max_core_instances_per_component(shape.core_instances)
            .max_memories_per_component(shape.memories)
            .max_tables_per_component(shape.tables)
            .max_memory_size(MEMORY_MOST)
            .table_elements(table_elements)
            .max_unused_warm_slots((n / 10).max(1))
            .linear_memory_keep_resident(self.keep_resident)
            .table_keep_resident(self.keep_resident)
            .pagemap_scan(if self.pagemap_scan {
                Enabled::Yes
            } else {
                Enabled::No
            });
        pool
    }
}

/// The number of instances: what was asked for, if the machine can hold it, or what it can hold.
fn size(asked: Option<u32>, max_map_count: u64) -> Result<u32, HostError> {
    let spare = max_map_count.saturating_sub(MAPPINGS_RESERVED);
    let holds = spare * MAPPINGS_SHARE_PERCENT / 100 / MAPPINGS_PER_INSTANCE;
    let holds = u32::try_from(holds).unwrap_or(u32::MAX);
    match asked {
        Some(0) => Err(HostError::EmptyPool),
        Some(asked) if asked > POOL_MOST => Err(HostError::PoolBeyondAddressSpace {
            asked,
            most: POOL_MOST,
        }),
        Some(asked) if asked > holds => Err(HostError::PoolTooLarge {
            asked,
            most: holds,
            max_map_count,
            needed: mappings_for(asked),
        }),
        Some(asked) => Ok(asked),
        None if holds == 0 => Err(HostError::PoolTooLarge {
            asked: 1,
            most: 0,
            max_map_count,
            needed: mappings_for(1),
        }),
        None => Ok(holds.min(POOL_MOST)),
    }
}

/// The `vm.max_map_count` that a pool of `instances` needs.
fn mappings_for(instances: u32) -> u64 {
    let mappings = u64::from(instances) * MAPPINGS_PER_INSTANCE * 100;
    mappings.div_ceil(MAPPINGS_SHARE_PERCENT) + MAPPINGS_RESERVED
}

/// The kernel's limit on memory mappings of a process.
fn max_map_count() -> u64 {
    std::fs::read_to_string("/proc/sys/vm/max_map_count")
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(MAX_MAP_COUNT_DEFAULT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_sysctl_holds_8470() {
        assert_eq!(size(None, 65_530).unwrap(), 8_470);
    }

    #[test]
    fn a_large_machine_is_bounded_by_address_space() {
        assert_eq!(size(None, 1 << 30).unwrap(), POOL_MOST);
    }

    #[test]
    fn too_large_a_pool_is_refused_with_the_line_to_run() {
        let refusal = size(Some(12_000), 65_530).unwrap_err();
        assert_eq!(
            refusal.to_string(),
            "a pool of 12000 instances needs more memory mappings than the kernel allows (at most 8470 \
             instances with vm.max_map_count = 65530); run `sysctl -w vm.max_map_count=92000` or ask for a smaller pool"
        );
    }

    #[test]
    fn the_line_to_run_suffices() {
        for asked in [1, 100, 8_471, 12_000, 15_999] {
            assert_eq!(size(Some(asked), mappings_for(asked)).unwrap(), asked);
        }
    }

    #[test]
    fn all_pools_together_stay_within_the_kernels_limit() {
        // Two memories of an interpreter, and its tables: twice what a small program's have.
        const MAPPINGS_PER_INTERPRETER: u64 = 10;
        for max_map_count in [65_530, 262_144, 1 << 20] {
            let usual = Pool {
                instances: size(None, max_map_count).unwrap(),
                room: NATIVE,
                stack: Limits::default().stack_bytes,
                keep_resident: 0,
                pagemap_scan: false,
                max_map_count,
            };
            let mappings: u64 = Kind::all()
                .map(|kind| {
                    let each = match kind.interpreter {
                        true => MAPPINGS_PER_INTERPRETER,
                        false => MAPPINGS_PER_INSTANCE,
                    };
                    u64::from(usual.beside(kind).instances) * each
                })
                .sum();
            let most = max_map_count - MAPPINGS_RESERVED;
            assert!(mappings <= most, "{mappings} of {most}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(matches!(size(Some(0), 65_530), Err(HostError::EmptyPool)));
        assert!(size(None, 100).is_err());
        assert!(size(Some(20_000), 1 << 30).is_err());
    }
}
