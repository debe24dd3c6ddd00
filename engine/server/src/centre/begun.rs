//! Which revision a contact goes on with: the one that it began on.

use std::sync::Arc;

use strowger_contact::recorded::Beginning;

use super::plans::Bound;
use super::tenant::Tenant;
use super::{Centre, Engine};
use crate::store::Store;

/// Most revisions of one content that are looked at for the one with a contact's configuration. They differ in nothing else
/// than `strowger.toml`, `routes.yaml` and `queues.yaml`.
const OF_ONE_CONTENT: u32 = 64;
/// The first format of journals that names the configuration of plugins.
const NAMES_CONFIGURATION: u32 = 6;

impl Centre {
    /// The engine that a contact began on, where it is in memory to take contacts.
    pub(crate) fn at_hand(&self, tenant: &str, begun: &Beginning) -> Option<Arc<Engine>> {
        self.tenant(tenant)?.engine(|engine| is_own(engine, begun))
    }

    /// The engine that a contact of an earlier process goes on with, or is looked at with; why there is none. Where it only is looked
    /// at, its flows are held to what the tenant's may take of memory.
    pub(crate) async fn engine_of(
        &self,
        tenant: &str,
        begun: &Beginning,
        bound: Bound,
    ) -> Result<Arc<Engine>, String> {
        let found = self.tenant(tenant);
        let tenant = found.ok_or_else(|| format!("there is no tenant {tenant} any more"))?;
        let live = tenant.engine(|engine| is_own(engine, begun));
        if let Some(store) = self.node.store.as_ref().filter(|_| self.publishes()) {
            match self.released_to(&tenant, store, begun, bound).await {
                Ok(Some(engine)) => return Ok(engine),
                Ok(None) => {}
                // The store may be gone just now, and what is live is as good.
                Err(why) => return live.ok_or(why),
            }
        }
        let of_content = |engine: &Engine| engine.program.content() == begun.content;
        let engine = live.or_else(|| tenant.engine(of_content));
        // Whoever builds the contact again tells in what the live revision differs from its own.
        let engine = engine.or_else(|| tenant.live().map(|live| live.served.engine));
        engine.ok_or_else(|| format!("tenant {} has nothing live", tenant.name))
    }

    /// The revision of a contact: one that was released when it began comes before any other that is the same to it, of which
    /// the newest comes first.
    async fn released_to(
        &self,
        tenant: &Tenant,
        store: &Store,
        begun: &Beginning,
        bound: Bound,
    ) -> Result<Option<Arc<Engine>>, String> {
        let (name, content) = (&tenant.name, &begun.content);
        let of_content = store.revisions_of(name, content, OF_ONE_CONTENT).await;
        let of_content = of_content.map_err(|error| error.to_string())?;
        let released = store.released_at(name, begun.facts.started_at).await;
        let released = released.map_err(|error| error.to_string())?;
        let of_then = |number: &u64| {
            let released = released.as_ref();
            released.is_some_and(|of| of.live == *number || of.candidate == Some(*number))
        };
        let (first, rest): (Vec<u64>, Vec<u64>) = of_content.into_iter().partition(of_then);
        let mut unable = None;
        for number in first.into_iter().chain(rest) {
            let engine = match tenant.at_hand(number) {
                Some(served) => Ok(served.engine),
                None => self.past(tenant, number, bound).await,
            };
            match engine {
                Ok(engine) if is_own(&engine, begun) => return Ok(Some(engine)),
                Ok(_) => {}
                Err(why) => unable = unable.or(Some(why)),
            }
        }
        unable.map_or(Ok(None), Err)
    }
}

/// Whether a contact that began so walks on this engine as on its own.
fn is_own(engine: &Engine, begun: &Beginning) -> bool {
    let program = &engine.program;
    program.content() == begun.content
        && (begun.format < NAMES_CONFIGURATION || program.configuration() == begun.configuration)
}
