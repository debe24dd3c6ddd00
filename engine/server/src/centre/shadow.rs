//! A revision that shadows what is live.

use super::Centre;
use super::plans::Bound;
use super::refusal::{Refusal, within};
use super::serving::loaded;
use crate::replay::Stage;
use crate::shadow::{Beginning, Extent, Report};

/// Highest part of one processor, in milliseconds a second: the background lane has one thread.
pub(crate) const CPU_MOST: u64 = 1_000;

/// How much of what is live a shadow follows, as a request has it.
pub(crate) fn extent(percent: u64, cpu_ms_per_s: u64) -> Result<Extent, Refusal> {
    Ok(Extent {
        percent: within("percent", percent, 1..=100)?,
        cpu_ms_per_s: within("cpu_ms_per_s", cpu_ms_per_s, 1..=CPU_MOST)?,
    })
}

impl Centre {
    /// Lets a revision run beside a tenant's live contacts, with nothing of it leaving the house.
    pub(crate) async fn shadow(
        &self,
        tenant: &str,
        revision: u64,
        extent: Extent,
    ) -> Result<Report, Refusal> {
        let (tenant, store) = self.publisher(tenant)?;
        let shadows = &self.node.shadows;
        let runs = |revision: u64| {
            Refusal::Conflict(format!(
                "revision {revision} shadows {} already: stop it first",
                tenant.name
            ))
        };
        // Before anything is compiled; what counts is asked again when it begins.
        if let Some(revision) = shadows.running(&tenant.name) {
            return Err(runs(revision));
        }
        let live = tenant.live().and_then(|live| live.release);
        if live.is_some_and(|release| release.live == revision && release.candidate.is_none()) {
            return Err(Refusal::Conflict(format!(
                "revision {revision} is live for all callers: there is nothing to compare it with"
            )));
        }
        let config = tenant.config();
        let sound = self.sound(&tenant, &config, &store, revision).await?;
        let sound = loaded(&tenant, sound, Bound::Held).await?;
        let stage = Stage::beside(&self.node.host, sound, config.limits.step.clone());
        let report = shadows.start(Beginning {
            tenant: tenant.name.clone(),
            revision,
            extent,
            at: self.node.clock.now(),
            stage,
            store,
        });
        let report = report.map_err(runs)?;
        tracing::info!(tenant = %tenant.name, revision, percent = extent.percent, cpu_ms_per_s = extent.cpu_ms_per_s, "a shadow begins");
        Ok(report)
    }
}
