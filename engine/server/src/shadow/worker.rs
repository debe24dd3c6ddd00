//! One contact after the other: read from the store, walked on the candidate, counted.

use std::sync::Arc;
use std::time::Duration;

use strowger_contact::EntryKind;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::Shadow;
use super::budget::Budget;
use crate::replay::{Packed, Replayed, Rerun, Stage, Verdict, replay};
use crate::store::{Store, StoreError};

/// Longest wait until the journal of a contact that is over is in the store: the writer commits within milliseconds,
/// and a store that is gone is not waited for with a full queue.
const STORED_WITHIN: Duration = Duration::from_secs(10);
/// Longest time for one contact. On the background lane of a busy machine little computing takes long.
const WALKED_WITHIN: Duration = Duration::from_secs(60);
/// The code of a step that found no place in the pool: that is the machine's doing, not the candidate's.
const POOL_BUSY: &str = "step-pool-busy";

/// What becomes of a contact.
enum Fate {
    Replayed(Replayed),
    OverBudget,
    OnCandidate,
    NoJournal,
    Busy,
    Fault(String),
}

/// Follows contacts until the shadow is stopped.
pub(super) async fn follow(
    shadow: Arc<Shadow>,
    stage: Arc<Stage>,
    store: Store,
    mut budget: Budget,
    mut waiting: mpsc::Receiver<String>,
) {
    let mut walked = 0;
    loop {
        let next = async {
            let contact = waiting.recv().await?;
            let fate = match budget.left() {
                true => {
                    // As `strowger replay --against` does.
                    let rerun = Rerun::of_many(walked);
                    walked += 1;
                    walk(&store, &stage, &contact, rerun).await
                }
                false => Fate::OverBudget,
            };
            Some((contact, fate))
        };
        let (contact, fate) = tokio::select! {
            // What is under way is dropped, and ends at its next pause.
            () = shadow.stop.cancelled() => return,
            next = next => match next {
                Some(next) => next,
                None => return,
            },
        };
        shadow.count(&contact, &fate);
    }
}

impl Shadow {
    fn count(&self, contact: &str, fate: &Fate) {
        let mut state = self.state();
        // What it found is told as it was when it was stopped.
        if state.stopped_at.is_some() {
            return;
        }
        match fate {
            Fate::Replayed(replayed) => state.summary.add(replayed),
            Fate::OverBudget => state.skipped.over_budget += 1,
            Fate::OnCandidate => state.skipped.on_candidate += 1,
            Fate::NoJournal => state.skipped.no_journal += 1,
            Fate::Busy => state.skipped.busy += 1,
            Fate::Fault(why) => {
                state.skipped.fault += 1;
                tracing::error!(tenant = %self.tenant, revision = self.revision, contact, "a shadow's contact ended by a fault: {why}");
            }
        }
    }
}

async fn walk(store: &Store, stage: &Arc<Stage>, contact: &str, rerun: Rerun) -> Fate {
    let Some(content) = stored(store, contact).await else {
        return Fate::NoJournal;
    };
    // What its plugins were configured to stands in its journal.
    let perhaps_on_candidate = content == stage.content();
    let Ok(packed) = Packed::of(store, contact).await else {
        return Fate::NoJournal;
    };
    let on = Arc::clone(stage);
    // Unpacking counts for the budget too.
    let walked = stage.run(async move {
        let recording = packed.recording();
        match perhaps_on_candidate && recording.walked(&on) {
            true => None,
            false => Some(replay(&on, &recording, rerun).await),
        }
    });
    match timeout(WALKED_WITHIN, walked).await {
        Ok(Ok(None)) => Fate::OnCandidate,
        Ok(Ok(Some(replayed))) if found_no_place(&replayed) => Fate::Busy,
        Ok(Ok(Some(replayed))) => Fate::Replayed(replayed),
        Ok(Err(end)) => Fate::Fault(end.to_string()),
        Err(_) => Fate::Busy,
    }
}

/// Waits until all of a contact is in the store: its content; none when that does not come.
async fn stored(store: &Store, contact: &str) -> Option<String> {
    let mut news = store.news();
    let end = Instant::now() + STORED_WITHIN;
    loop {
        news.mark_unchanged();
        match store.contact(contact).await {
            Ok(Some(row)) if row.ended_at.is_some() => {
                return Some(row.content.unwrap_or_default());
            }
            Ok(_) | Err(StoreError::Gone(_)) => {}
            Err(error) => {
                tracing::warn!(contact, "a shadow cannot read a contact: {error}");
                return None;
            }
        }
        timeout_at(end, news.changed()).await.ok()?.ok()?;
    }
}

fn found_no_place(replayed: &Replayed) -> bool {
    match &replayed.verdict {
        Verdict::Differs(difference) => matches!(
            &difference.now.entry,
            Some(EntryKind::Failed { code, .. }) if code == POOL_BUSY
        ),
        _ => false,
    }
}
