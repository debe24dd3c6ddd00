//! The host: one engine, one pool, one cache, one set of guest threads.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use wasmtime::Engine;

use crate::cache::{CACHE_BYTES, CacheError, CodeCache};
use crate::compiler::Compiler;
use crate::error::LoadError;
use crate::grants::Grants;
use crate::limits::Limits;
use crate::plugin::{self, Client, Plugin};
use crate::pool::Pool;
use crate::printed::Ear;
use crate::runtime::GuestRuntime;
use crate::share::Share;
use crate::tier::Tiers;

/// How to set up a [`Host`].
#[derive(Debug, Clone)]
pub struct HostConfig {
    /// Folder of the compiled code; none: every start compiles anew. Default: none.
    ///
    /// The folder holds `node.key` too, readable by its owner only: whoever can read the key can put
    /// machine code into this process.
    pub cache_dir: Option<PathBuf>,
    /// Most bytes of compiled code in that folder; default 4 GiB. Beyond it goes what was loaded the longest ago and is not
    /// loaded now.
    pub cache_bytes: u64,
    /// Instances that may be alive at once; none: as many as the machine can hold. Default: none.
    pub pool: Option<u32>,
    /// Threads that run guests, and as many that compile. Default: 1. Never those of media or signalling.
    pub guest_threads: usize,
    /// How much lower than normal the priority of those threads is: 0 to 19. Default: 5.
    pub guest_niceness: u8,
    /// How often a running guest is looked at. Milliseconds, at least 1; default 10.
    ///
    /// A shorter tick stops endless loops sooner and costs a wake-up each.
    pub epoch_tick_ms: u64,
}

impl Default for HostConfig {
    fn default() -> Self {
        Self {
            cache_dir: None,
            cache_bytes: CACHE_BYTES,
            pool: None,
            guest_threads: 1,
            guest_niceness: 5,
            epoch_tick_ms: 10,
        }
    }
}

/// Why the host cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HostError {
    /// The pool needs more mappings than the kernel allows.
    #[error(
        "a pool of {asked} instances needs more memory mappings than the kernel allows (at most {most} instances with vm.max_map_count = {max_map_count}); run `sysctl -w vm.max_map_count={needed}` or ask for a smaller pool"
    )]
    PoolTooLarge {
        /// Instances asked for.
        asked: u32,
        /// Instances that fit.
        most: u32,
        /// The kernel's limit.
        max_map_count: u64,
        /// The limit that would do.
        needed: u64,
    },
    /// The pool needs more address space than a process has.
    #[error(
        "a pool of {asked} instances does not fit into a process's address space; ask for at most {most} and add a machine"
    )]
    PoolBeyondAddressSpace {
        /// Instances asked for.
        asked: u32,
        /// Instances that fit.
        most: u32,
    },
    /// A pool of none.
    #[error(
        "a pool of 0 instances runs nothing; ask for at least 1, or leave the size to the engine"
    )]
    EmptyPool,
    /// The engine itself would not start.
    #[error(
        "the WebAssembly engine does not start: {0}; it needs a 64-bit processor and a few gigabytes of address space per instance (look at `ulimit -v`)"
    )]
    Engine(String),
    /// Threads would not start.
    #[error("the guest threads do not start: {0}; look at `ulimit -u`")]
    Threads(#[source] io::Error),
    /// The code cache cannot be used.
    #[error(transparent)]
    Cache(#[from] CacheError),
}

/// Loads and runs plugins. A handle: clones share everything.
#[derive(Clone)]
pub struct Host {
    pub(crate) shared: Arc<Shared>,
    /// For whom it compiles.
    compiles_as: Share,
    /// Cancelled when nobody waits for what it compiles.
    gone: Option<CancellationToken>,
    /// Who hears what components print while they describe themselves.
    ear: Ear,
    /// The name under which a component is loaded, where it has one.
    name: Option<String>,
}

/// What all plugins of a host share.
pub(crate) struct Shared {
    pub(crate) tiers: Tiers,
    pub(crate) cache: Option<Arc<CodeCache>>,
    pub(crate) runtime: GuestRuntime,
    pub(crate) compiler: Arc<Compiler>,
    /// For guests that are nobody's: descriptions, and steps that are run alone.
    pub(crate) share: Share,
}

impl Host {
    /// Probes the machine, cuts the pool and starts the guest threads.
    pub fn new(config: HostConfig) -> Result<Self, HostError> {
        let pool = Pool::probe(config.pool)?;
        let tick = Duration::from_millis(config.epoch_tick_ms.max(1));
        let tiers = Tiers::new(pool, tick)?;
        // All tiers make the same machine code.
        let cache = match config.cache_dir {
            Some(folder) => {
                let cache = CodeCache::open(&tiers.usual.engine, folder, config.cache_bytes)?;
                Some(Arc::new(cache))
            }
            None => None,
        };
        let runtime = GuestRuntime::new(config.guest_threads, config.guest_niceness)
            .map_err(HostError::Threads)?;
        let share = runtime.nobodys();
        Ok(Self {
            compiles_as: share.clone(),
            gone: None,
            ear: Ear::default(),
            name: None,
            shared: Arc::new(Shared {
                tiers,
                cache,
                share,
                compiler: Compiler::new(config.guest_threads, config.guest_niceness),
                runtime,
            }),
        })
    }

    /// What was found and chosen.
    pub fn report(&self) -> HostReport {
        let shared = &self.shared;
        let pool = &shared.tiers.usual.pool;
        HostReport {
            pool: pool.instances,
            interpreters: shared.tiers.interpreters(),
            in_use: shared.tiers.in_use(),
            keep_resident: pool.keep_resident,
            pagemap_scan: pool.pagemap_scan,
            max_map_count: pool.max_map_count,
            guest_threads: shared.runtime.threads(),
            epoch_tick: shared.tiers.tick(),
            cache_hits: shared.cache.as_ref().map_or(0, |cache| cache.hits()),
            cache_rejected: shared.cache.as_ref().map_or(0, |cache| cache.rejected()),
        }
    }

    /// The same host, compiling for a tenant: it takes turns with others.
    pub fn compiling_for(&self, share: &Share) -> Host {
        Host {
            compiles_as: share.clone(),
            gone: None,
            ..self.clone()
        }
    }

    /// The same host, for somebody who hears what components print while they describe themselves.
    #[must_use]
    pub fn heard_by(&self, ear: Ear) -> Host {
        Host {
            ear,
            ..self.clone()
        }
    }

    /// The same host, for a component that is known by this name until it says its own.
    #[must_use]
    pub fn loading(&self, name: &str) -> Host {
        Host {
            name: Some(name.to_owned()),
            ..self.clone()
        }
    }

    /// The same host, for somebody who may go away: when that is cancelled, what still waits for its turn to be compiled is given
    /// up ([`LoadError::Abandoned`]). What is being compiled goes on to its end, since the compiler cannot be stopped.
    #[must_use]
    pub fn until_gone(&self, gone: &CancellationToken) -> Host {
        Host {
            gone: Some(gone.clone()),
            ..self.clone()
        }
    }

    /// The threads that run guests.
    pub fn runtime(&self) -> &GuestRuntime {
        &self.shared.runtime
    }

    /// The engine itself, for benchmarks that measure what the host adds to it.
    #[doc(hidden)]
    pub fn engine(&self) -> &Engine {
        &self.shared.tiers.usual.engine
    }

    /// Those of some components, by their SHA-256 in lower-case hexadecimal, whose compiled code is not kept.
    pub fn uncached(&self, digests: impl IntoIterator<Item = String>) -> Vec<String> {
        let Some(cache) = &self.shared.cache else {
            return Vec::new();
        };
        let digests = digests.into_iter();
        digests.filter(|digest| !cache.has(digest)).collect()
    }

    /// Keeps no compiled code of these components: nobody needs them. Plugins that are loaded go on.
    pub fn forget(&self, digests: &[String]) {
        if let Some(cache) = &self.shared.cache {
            digests.iter().for_each(|digest| cache.forget(digest));
        }
    }

    /// Checks a component, compiles it and asks it to describe itself.
    ///
    /// Nothing of it stays when this fails, and all complaints that could be found are told at once.
    pub async fn load(
        &self,
        component: &[u8],
        grants: &Grants,
        limits: &Limits,
    ) -> Result<Plugin, Vec<LoadError>> {
        let client = Client {
            share: self.compiles_as.id(),
            gone: self.gone.as_ref(),
            ear: &self.ear,
            name: self.name.as_deref(),
        };
        plugin::load(&self.shared, client, component, grants, limits).await
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Host").field(&self.report()).finish()
    }
}

/// What the host found on this machine and chose, and how it fares. Its `Display` is one line for the
/// operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostReport {
    /// Instances that may be alive at once, of those with the usual stack.
    pub pool: u32,
    /// Interpreters that may be alive at once beside them; 0 as long as none was loaded.
    pub interpreters: u32,
    /// Instances alive now, interpreters and those with other stacks included.
    pub in_use: u32,
    /// Memory of a freed instance that stays resident. Bytes.
    pub keep_resident: usize,
    /// Whether the kernel tells which pages were written (`PAGEMAP_SCAN`, Linux 6.7 and later).
    pub pagemap_scan: bool,
    /// The kernel's limit on memory mappings.
    pub max_map_count: u64,
    /// Threads that run guests.
    pub guest_threads: usize,
    /// How often a running guest is looked at.
    pub epoch_tick: Duration,
    /// Components taken from the code cache since the start.
    pub cache_hits: u64,
    /// Cache files that were not ours, or not whole, since the start: each was compiled anew.
    pub cache_rejected: u64,
}

impl fmt::Display for HostReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scan = if self.pagemap_scan {
            "reset by PAGEMAP_SCAN"
        } else {
            "no PAGEMAP_SCAN: Linux 6.7 or later would make steps twice as fast"
        };
        write!(
            f,
            "step host: {} instances (vm.max_map_count {}), {} KiB each kept warm ({scan}), {} guest thread{}, {} ms tick",
            self.pool,
            self.max_map_count,
            self.keep_resident >> 10,
            self.guest_threads,
            if self.guest_threads == 1 { "" } else { "s" },
            self.epoch_tick.as_millis(),
        )
    }
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::{Host, HostConfig};
    use crate::error::LoadError;
    use crate::guest;
    use crate::{Grants, Limits};

    #[tokio::test]
    async fn what_waits_for_its_turn_is_given_up_when_nobody_waits_for_it() {
        let host = Host::new(HostConfig::default()).expect("a host");
        let component = guest::Guest::default().build();
        let (grants, limits) = (Grants::all(), Limits::default());
        // All lanes are taken.
        let mut held = Vec::new();
        for share in 100..103 {
            held.push(host.shared.compiler.turn(share, component.len()).await);
        }
        let share = host.runtime().share();
        let gone = CancellationToken::new();
        let client = host.compiling_for(&share).until_gone(&gone);
        let mut load = std::pin::pin!(client.load(&component, &grants, &limits));
        // Looking at it takes threads of its own; then it waits.
        tokio::select! {
            biased;
            loaded = &mut load => panic!("it had no turn: {loaded:?}"),
            () = host.shared.compiler.someone_waits() => {}
        }
        gone.cancel();
        let refused = load.await.expect_err("nobody waits for it");
        assert!(matches!(refused[..], [LoadError::Abandoned]), "{refused:?}");
        // It took nobody's turn along, and whoever waits gets it compiled.
        drop(held);
        let client = host.compiling_for(&share);
        let plugin = client.load(&component, &grants, &limits);
        assert!(plugin.await.is_ok());
    }
}
