//! What all contacts share that walk one revision of one tenant's project.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value as Json, json};
use strowger_contact::call::CallError;
use strowger_contact::call::{HttpRequest, VAULT};
use strowger_contact::{Channel, Contact, Effect, Entry, EntryKind, Facts, Program};
use strowger_flow::unseen::in_one_line;
use strowger_plugin::{Host, HostConfig, Limits, Pauses, Share};
use strowger_voice::clip::Clip;
use strowger_voice::g711::Codec;

use super::driver::{Complaint, complaint};
use super::node::Node;
use crate::effects::{Allowance, Refusal, Secret, granted};
use crate::media::Shelf;
use crate::project::{
    Config, HandOver, How, QueuesFile, Steps, StoreSection, Unreachable, destination, hand_overs,
};
use crate::prompts::{Library, PromptError, Prompts};
use crate::records::Subject;
use crate::store::Record;

/// What a step may still be asked or answered, in bytes, where its tenant takes much more of the store than it may: a word of success or
/// failure.
pub(super) const A_WORD: usize = 256;
/// Characters of the words of a failure that a line of the log has.
const LOGGED_CHARS: usize = 1_000;
/// An audio file is not there.
const MISSING: &str = "missing";
/// An audio file is there, and no sound.
const DAMAGED: &str = "damaged";

/// What all contacts share that walk one revision of one tenant's project.
pub struct Engine {
    /// What it shares with other tenants.
    pub node: Arc<Node>,
    /// Whose project it is.
    pub tenant: String,
    /// The flows.
    pub program: Arc<Program>,
    /// The plugins.
    pub steps: Steps,
    /// Limits of every step.
    pub limits: Limits,
    /// The tenant's share of the threads on which guests run.
    pub share: Share,
    /// What the tenant's plugins may have of the world.
    pub allowance: Arc<Allowance>,
    /// Prompts, ready to play.
    pub prompts: Prompts,
    config: Config,
    queues: QueuesFile,
    /// Audio files that are not played, and why: each is told once. At most two entries a file that a flow names.
    spoken: Mutex<BTreeSet<(String, &'static str)>>,
}

/// Why an engine does not start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The plugin host.
    #[error(transparent)]
    Host(#[from] strowger_plugin::HostError),
}

/// Everything an engine is made of.
pub struct Parts {
    pub node: Arc<Node>,
    pub tenant: String,
    pub share: Share,
    pub allowance: Arc<Allowance>,
    pub limits: Limits,
    pub config: Config,
    pub queues: QueuesFile,
    pub program: Program,
    pub steps: Steps,
    pub prompts: Prompts,
}

/// Makes the plugin host; compiled code is cached below the data folder.
pub fn host(data: Option<&std::path::Path>) -> Result<Host, EngineError> {
    host_with(data, &StoreSection::default())
}

/// The same, with as much compiled code as the configuration allows.
pub(crate) fn host_with(
    data: Option<&std::path::Path>,
    section: &StoreSection,
) -> Result<Host, EngineError> {
    let standard = HostConfig::default();
    let config = HostConfig {
        cache_dir: data.map(|data| data.join("compiled")),
        cache_bytes: section.compiled_bytes().unwrap_or(standard.cache_bytes),
        ..HostConfig::default()
    };
    Ok(Host::new(config)?)
}

/// The prompts of a revision of a project, among those of its tenant.
pub fn prompts(folder: &std::path::Path, library: Arc<Library>, config: &Config) -> Prompts {
    let loudness = match config.prompts.loudness {
        crate::project::Loudness::Even => crate::prompts::Loudness::Even,
        crate::project::Loudness::Keep => crate::prompts::Loudness::Keep,
    };
    Prompts::of(library, folder.to_owned(), loudness)
}

impl Engine {
    /// Puts an engine together.
    pub fn new(parts: Parts) -> Engine {
        Engine {
            tenant: parts.tenant,
            program: Arc::new(parts.program),
            steps: parts.steps,
            limits: parts.limits,
            share: parts.share,
            allowance: parts.allowance,
            prompts: parts.prompts,
            config: parts.config,
            queues: parts.queues,
            spoken: Mutex::default(),
            node: parts.node,
        }
    }

    /// A new contact on a flow, written into the journal. `None` when there is no such flow.
    pub async fn contact(
        &self,
        flow: &str,
        channel: Channel,
        from: &str,
        to: &str,
        sip_call_id: Option<&str>,
    ) -> Option<Contact> {
        let now = self.node.clock.now();
        self.contact_since(now, flow, channel, from, to, sip_call_id)
            .await
    }

    /// The same for one that reached us some time ago, in milliseconds since 1970.
    pub(crate) async fn contact_since(
        &self,
        started_at: u64,
        flow: &str,
        channel: Channel,
        from: &str,
        to: &str,
        sip_call_id: Option<&str>,
    ) -> Option<Contact> {
        let seed: [u8; 32] = rand::random();
        let facts = Facts {
            id: contact_id(started_at, &seed),
            channel,
            from: from.to_owned(),
            to: to.to_owned(),
            started_at,
            seed,
        };
        let id = facts.id.clone();
        let contact = Contact::new(self.program.clone(), flow, facts)?;
        if let Some(writer) = &self.node.writer {
            let began = Record::Began {
                id,
                tenant: self.tenant.clone(),
                flow: flow.to_owned(),
                hash: self.hash_of(flow),
                content: self.program.content().to_owned(),
                channel: if channel == Channel::Voice {
                    "voice"
                } else {
                    "chat"
                },
                from: from.to_owned(),
                to: to.to_owned(),
                sip_call_id: sip_call_id.map(str::to_owned),
                at: started_at,
            };
            writer.write(began).await;
        }
        Some(contact)
    }

    /// SHA-256 of a flow's text; empty when there is no such flow.
    pub(crate) fn hash_of(&self, flow: &str) -> String {
        let plan = self.program.flow(flow);
        plan.map(|plan| plan.hash.clone()).unwrap_or_default()
    }

    /// What is known of a contact before it says anything of itself.
    pub(crate) fn subject(&self, contact: &Contact) -> Subject {
        let facts = contact.facts();
        Subject {
            id: facts.id.clone(),
            tenant: self.tenant.clone(),
            from: facts.from.clone(),
            to: facts.to.clone(),
            started_at: facts.started_at,
            // The journal's first entry says the rest.
            ..Subject::default()
        }
    }

    /// The URI of a transfer's target, and who calls it.
    pub(crate) fn destination(
        &self,
        target: &str,
        whispers: bool,
    ) -> Result<(String, How), Unreachable> {
        destination(&self.queues, &self.config.transfer, target, whispers)
    }

    /// Whether a step of a plugin may do this with its contact, where that hands the contact over.
    pub(crate) fn may_hand_over(&self, plugin: &str, what: &Effect) -> Result<(), Refusal> {
        let own = self.config.plugins.get(plugin);
        // A standard step puts contacts where the flow says.
        if own.is_some() && matches!(what, Effect::Transfer { .. } | Effect::Enqueue { .. }) {
            self.allowance.may_route()?;
        }
        match what {
            Effect::Enqueue { queue, .. } => {
                own.map_or(Ok(()), |own| granted::may_queue(&own.grants, queue))?;
                self.allowance.may_queue(queue)
            }
            Effect::Transfer {
                target, whisper, ..
            } => {
                // What cannot be called goes nowhere.
                let Ok((address, _)) = self.destination(target, !whisper.is_empty()) else {
                    return Ok(());
                };
                own.map_or(Ok(()), |own| granted::may_transfer(&own.grants, &address))?;
                self.allowance.may_transfer(&address)
            }
            _ => Ok(()),
        }
    }

    /// Where its flows hand contacts over, as they name it: the flow's file and each place.
    pub(crate) fn hand_overs(&self) -> impl Iterator<Item = (&str, HandOver)> {
        let (steps, transfer) = (&self.steps.descriptions, &self.config.transfer);
        self.program.flows().flat_map(move |plan| {
            let found = hand_overs(plan, steps, &self.queues, transfer);
            let file = plan.file.as_str();
            found.into_iter().map(move |place| (file, place))
        })
    }

    /// Waiting for a seat. No seat can sign in yet, so a queue is either closed or has nobody.
    pub(crate) fn enqueue(&self, queue: &str) -> Json {
        match self.queues.queues.get(queue) {
            Some(queue) if queue.closed => json!({ "ok": "closed" }),
            Some(_) => json!({ "ok": "no-agents" }),
            None => json!({ "ok": "failed" }),
        }
    }

    /// The `host:port` pairs a plugin may send requests to.
    pub(crate) fn granted_hosts(&self, plugin: &str) -> &[String] {
        self.config
            .plugins
            .get(plugin)
            .map_or(&[], |plugin| &plugin.grants.http)
    }

    /// The entries of the vault that a plugin may put into requests.
    pub(crate) fn granted_entries(&self, plugin: &str) -> &[String] {
        self.config
            .plugins
            .get(plugin)
            .map_or(&[], |plugin| &plugin.grants.vault)
    }

    /// What stands for the handles of a plugin's request that name entries of the vault; `known` are the others.
    pub(crate) async fn with_vault(
        &self,
        plugin: &str,
        request: &HttpRequest,
        mut known: Vec<Secret>,
    ) -> Result<Vec<Secret>, Refusal> {
        for field in &request.secrets {
            let Some(name) = field.handle.strip_prefix(VAULT) else {
                continue;
            };
            if known.iter().any(|secret| secret.handle == field.handle) {
                continue;
            }
            granted::may_use(self.granted_entries(plugin), name)?;
            self.allowance.may_use(name)?;
            let Node { vault, store, .. } = &*self.node;
            known.push(vault.secret(store.as_ref(), &self.tenant, name).await?);
        }
        Ok(known)
    }

    /// Linear memory that steps may hold together where the project is served from its folder, in MiB.
    pub(crate) fn memory_mib(&self) -> u32 {
        self.config.limits.memory_mib
    }

    /// What the tenant's recordings may take where the project is served from its folder, in MiB.
    pub(crate) fn recordings_mb(&self) -> u32 {
        self.config.limits.recordings_mb
    }

    /// Where its recordings are counted.
    pub(crate) fn shelf(&self) -> Arc<Shelf> {
        self.node.shelves.of(&self.tenant)
    }

    /// Whether whole calls are recorded.
    pub(crate) fn records_calls(&self) -> bool {
        self.config.recording.calls
    }

    /// The sound of a segment. A file that turns out to be no sound, and comes with its words, is spoken.
    pub(crate) async fn sound(
        &self,
        segment: strowger_contact::Segment,
        codec: Codec,
    ) -> Result<Arc<Clip>, PromptError> {
        use strowger_contact::Segment;
        let made = self
            .prompts
            .clip(&self.prompt(segment.clone()), codec)
            .await;
        match (&segment, made) {
            (
                Segment::Audio {
                    path,
                    text: Some(_),
                    ..
                },
                Err(error),
            ) if error.is_of_file(path) => {
                self.damaged(path, &error);
                self.prompts.clip(&self.prompt(segment), codec).await
            }
            (_, made) => made,
        }
    }

    /// The sounds of what is said, in order.
    pub(crate) async fn sounds(
        &self,
        segments: Vec<strowger_contact::Segment>,
        codec: Codec,
    ) -> Result<Vec<Arc<Clip>>, PromptError> {
        let mut clips = Vec::with_capacity(segments.len());
        for segment in segments {
            clips.push(self.sound(segment, codec).await?);
        }
        Ok(clips)
    }

    /// From now on, until the next start, the words of this file are spoken where the flow has them.
    pub(crate) fn damaged(&self, path: &str, error: &PromptError) {
        if self.spoken().insert((path.to_owned(), DAMAGED)) {
            tracing::warn!(
                "{error}; until the next start its text is spoken instead, where the flow has one"
            );
        }
    }

    /// What keeps a file from being played, as far as is known.
    pub(crate) fn unplayable(&self, path: &str) -> Option<&'static str> {
        if !self.prompts.exists(path) {
            if self.spoken().insert((path.to_owned(), MISSING)) {
                tracing::warn!(%path, "audio file is missing: its text is spoken instead, where the flow has one");
            }
            return Some(MISSING);
        }
        let damaged = self.spoken().contains(&(path.to_owned(), DAMAGED));
        damaged.then_some(DAMAGED)
    }

    fn spoken(&self) -> MutexGuard<'_, BTreeSet<(String, &'static str)>> {
        // No code under this lock panics half-way through a change.
        self.spoken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the prompt pipeline shall make of a segment. A file that cannot be played and comes with its words is
    /// spoken.
    pub(crate) fn prompt(&self, segment: strowger_contact::Segment) -> crate::prompts::Segment {
        use crate::prompts::Segment as Prompt;
        use strowger_contact::Segment;
        match segment {
            Segment::Text {
                text,
                language,
                voice,
            } => Prompt::Text {
                text: plain(&text),
                language,
                voice,
            },
            Segment::Audio {
                path,
                text: Some(text),
                language,
            } if self.unplayable(&path).is_some() => Prompt::Text {
                text: plain(&text),
                language,
                voice: None,
            },
            Segment::Audio { path, .. } => Prompt::Audio { path },
        }
    }

    /// Counts and logs what goes wrong in contacts.
    pub(crate) fn observe(&self, contact: &Contact, entry: &Entry) {
        let (tenant, contact) = (&self.tenant, &contact.facts().id);
        if let Some(Complaint {
            step,
            code,
            message,
        }) = complaint(&entry.kind)
        {
            self.node.count_failure();
            if self.may_log() {
                // Both may be a plugin's words.
                let (code, message) = (in_one_line(code), brief(message));
                let step = step.map(tracing::field::display);
                tracing::warn!(%tenant, %contact, step, %code, "{message}");
            }
        }
        if let EntryKind::Ended(ending) = &entry.kind {
            let reason = &ending.reason;
            match &ending.error {
                // That it ended is told of every contact.
                Some(error) => match self.may_log().then(|| brief(error)) {
                    Some(error) => {
                        tracing::error!(%tenant, %contact, %reason, "contact ended by a fault: {error}");
                    }
                    None => {
                        tracing::error!(%tenant, %contact, %reason, "contact ended by a fault, which its journal has");
                    }
                },
                None => tracing::info!(%contact, %reason, "contact ended"),
            }
        }
    }

    /// Why nothing of more than so many bytes goes into journals of the tenant's, where what is kept of it takes as much of the
    /// store as it may, or much more; `few` bytes always go in before that.
    pub(super) fn crowded(&self, few: usize) -> Option<(usize, Refusal)> {
        let weights = self.node.store.as_ref()?.weights();
        if !weights.full(&self.tenant) {
            return None;
        }
        let few = match weights.brims(&self.tenant) {
            true => few.min(A_WORD),
            false => few,
        };
        let text = "what is kept of this tenant takes as much of the store as it may";
        Some((few, Refusal::limit("journals_percent", text)))
    }

    /// What of the calls that are placed for transfers the tenant's contacts may have, in percent; none while there is no other tenant.
    pub(super) fn transfers_percent(&self) -> Option<u8> {
        let percent = self.allowance.transfers_percent();
        (percent < 100 && !self.share.is_alone()).then_some(percent)
    }

    /// Whether the log may have one more line with words of the tenant's. What is left out is counted.
    pub(super) fn may_log(&self) -> bool {
        self.allowance.may_log(&self.tenant, self.node.clock.now())
    }

    /// Writes down that a contact is over, and lets who runs beside look at it.
    pub(super) async fn ended(&self, ended: Record) {
        let (Some(writer), Record::Ended { id, .. }) = (&self.node.writer, &ended) else {
            return;
        };
        let id = id.clone();
        writer.write(ended).await;
        self.node.shadows.ended(&self.tenant, &id);
    }

    /// Waits until what has happened so far is on the disk, before something leaves the house. What waits for a person
    /// on the line gives a store that is gone a limited time to come back; a contact that `stands_still` has all the time.
    /// The step that asks for it is not busy meanwhile: its own time is for what it asks for.
    pub(crate) async fn durable(
        &self,
        pauses: &Pauses,
        stands_still: bool,
    ) -> Result<(), CallError> {
        let _pause = pauses.begin();
        let within = (!stands_still).then(|| self.node.store_wait());
        let written = self.node.durable_within(within).await;
        // What cannot be explained afterwards does not leave the house.
        written.map_err(|why| CallError::Unavailable(format!("the journal: {why}")))
    }

    /// How long a step may wait for the contact, a person or a clock before its instance is dropped.
    pub(crate) fn drop_waiting_after(&self) -> Duration {
        Duration::from_millis(self.config.steps.drop_waiting_after_ms)
    }
}

/// As much of a stranger's words as a line of the log has: their beginning, in one line.
pub(crate) fn brief(words: &str) -> String {
    let Some((end, _)) = words.char_indices().nth(LOGGED_CHARS) else {
        return in_one_line(words).into_owned();
    };
    let (shown, more) = words.split_at(end);
    format!(
        "{}… ({} more bytes; the whole is in the contact's journal)",
        in_one_line(shown),
        more.len()
    )
}

/// A text without its markup, of which the speech programs know nothing: tags are left out, and a pause
/// becomes a comma. Values inserted by a flow cannot hold tags, so what is cut is the designer's own.
pub(crate) fn plain(text: &str) -> String {
    if !text.contains('<') {
        return text.to_owned();
    }
    let mut words = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, tag)) = rest.split_once('<') {
        words.push_str(before);
        let Some((name, after)) = tag.split_once('>') else {
            rest = "";
            break;
        };
        if name.starts_with("break") {
            words.push_str(", ");
        }
        rest = after;
    }
    words.push_str(rest);
    words
}

/// Time first, so that ids sort by age; then chance.
pub(crate) fn contact_id(at: u64, seed: &[u8; 32]) -> String {
    use sha2::Digest;
    // The seed itself stays inside: who knows it can foretell the contact's random numbers.
    let digest = sha2::Sha256::digest(seed);
    format!("{at:011x}-{}", crate::project::hex(&digest[..8]))
}

#[cfg(test)]
mod tests {
    use super::{LOGGED_CHARS, brief, plain};

    #[test]
    fn the_log_has_the_beginning_of_what_failed() {
        assert_eq!(brief("two\nlines"), "two\\nlines");
        let whole = "李".repeat(LOGGED_CHARS);
        assert_eq!(brief(&whole), whole);
        assert_eq!(
            brief(&format!("{whole}李x")),
            format!("{whole}… (4 more bytes; the whole is in the contact's journal)")
        );
    }

    #[test]
    fn markup_is_not_read_aloud() {
        assert_eq!(plain("One<break time=\"1s\"/>two"), "One, two");
        assert_eq!(plain("<emphasis>Now</emphasis> press 1."), "Now press 1.");
        assert_eq!(plain("no tags"), "no tags");
        assert_eq!(plain("open <tag"), "open ");
    }
}
