//! What the plugins that contacts are replayed on may ask of the world.
//!
//! An answer of then stands only for a call that would be let through now: without this a replay on a project with narrower
//! grants would show nothing, and the first real contact would be refused.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use strowger_contact::Effect;
use strowger_contact::call::VAULT;

use crate::effects::{Refusal, granted, may_reach, may_send};
use crate::project::{Grants, Project, QueuesFile, TransferSection, destination};

/// What the plugins of a project are granted, and where their hand-overs lead.
pub(super) struct Granted {
    plugins: BTreeMap<String, Grants>,
    queues: QueuesFile,
    transfer: TransferSection,
    /// Services at private addresses that may be reached.
    private: Vec<String>,
    /// Services at private addresses that were reached then, and may not be reached now.
    closed: Vec<String>,
}

impl Granted {
    pub fn of(project: &Project) -> Granted {
        let plugins = project.config.plugins.iter();
        Granted {
            plugins: plugins
                .map(|(name, plugin)| (name.clone(), plugin.grants.clone()))
                .collect(),
            queues: project.queues.clone(),
            transfer: project.config.transfer.clone(),
            private: project.config.limits.http.private.clone(),
            closed: Vec::new(),
        }
    }

    /// Refuses what a project let its plugins reach inside of a network, and this one does not. Only what it had itself is
    /// held against it: in a centre that is the operator's word, and no project's.
    pub fn close(&mut self, had: &Project) {
        let still = &self.private;
        let is_kept = |service: &String| still.iter().any(|one| one.eq_ignore_ascii_case(service));
        let closed = had.config.limits.http.private.iter();
        self.closed = closed.filter(|one| !is_kept(one)).cloned().collect();
    }

    /// What a step of this plugin is answered in place of what it asks for; none where it may ask.
    pub fn refused(&self, plugin: &str, what: &Effect) -> Option<Json> {
        self.may(plugin, what)
            .err()
            .map(|refusal| json!({ "err": refusal.error }))
    }

    fn may(&self, plugin: &str, what: &Effect) -> Result<(), Refusal> {
        // The standard steps put contacts where the flow says, and ask for nothing else.
        let Some(own) = self.plugins.get(plugin) else {
            return Ok(());
        };
        match what {
            Effect::Http { request, .. } => {
                for field in &request.secrets {
                    if let Some(entry) = field.handle.strip_prefix(VAULT) {
                        granted::may_use(&own.vault, entry)?;
                    }
                }
                may_send(&request.url, &own.http)?;
                may_reach(&request.url, &self.closed)
            }
            Effect::Enqueue { queue, .. } => granted::may_queue(own, queue),
            Effect::Transfer {
                target, whisper, ..
            } => match destination(&self.queues, &self.transfer, target, !whisper.is_empty()) {
                Ok((address, _)) => granted::may_transfer(own, &address),
                // What cannot be called goes nowhere.
                Err(_) => Ok(()),
            },
            // `kv` and `route` as a whole are held against what a component imports, when it is loaded.
            Effect::Kv { .. } | Effect::Record { .. } => Ok(()),
        }
    }
}
