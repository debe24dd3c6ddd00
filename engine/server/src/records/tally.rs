//! From a journal's entries, one after the other, to the record.

use std::collections::BTreeSet;

use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use strowger_contact::{Channel, Entry, EntryKind};

use super::record::{ContactRecord, Drop, Hop, Meters, Queued, Transferred, flow_word};
use crate::project::hex;
use crate::store::ContactRow;

/// Most actions in a record's path: a contact that walks in circles has thousands.
pub const MAX_HOPS: usize = 256;
/// Most different actions and outcomes that make a path's hash.
const MAX_WAYS: usize = 2_048;
/// Most tags of a record.
pub const MAX_TAGS: usize = 64;
/// Longest text of a tag, a name, a code or a message, in characters: callers and services choose some.
pub const MAX_TEXT: usize = 1_024;
/// Most transfers, and most queues, of a record.
const MAX_WAITS: usize = 64;
/// Most plugins of a record.
const MAX_PLUGINS: usize = 64;
/// Most steps of a plugin whose component is named in a record.
const MAX_STEPS: usize = 256;

/// What is known of a contact before its first entry.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    /// Its id.
    pub id: String,
    /// Whose.
    pub tenant: String,
    /// The first flow.
    pub flow: String,
    /// SHA-256 of its text.
    pub flow_hash: String,
    /// SHA-256 over all flows, plugins and audio files.
    pub content: String,
    /// `voice` or `chat`.
    pub channel: String,
    /// Caller.
    pub from: String,
    /// Called.
    pub to: String,
    /// Milliseconds since 1970.
    pub started_at: u64,
}

impl Subject {
    /// What the contact's row says.
    pub fn of(contact: &ContactRow) -> Subject {
        Subject {
            id: contact.id.clone(),
            tenant: contact.tenant.clone(),
            flow: contact.flow.clone(),
            flow_hash: contact.hash.clone(),
            content: contact.content.clone().unwrap_or_default(),
            channel: contact.channel.clone(),
            from: contact.from.clone(),
            to: contact.to.clone(),
            started_at: u64::try_from(contact.started_at).unwrap_or_default(),
        }
    }
}

/// A record in the making. Its memory is bounded however long the contact lasts.
#[derive(Debug)]
pub struct Tally {
    record: ContactRecord,
    ways: BTreeSet<String>,
    way: Sha256,
    /// The plugin of the running step.
    running: Option<String>,
    /// What is waited for.
    wait: Option<Wait>,
    /// Nobody is on the line: the last of `drops` lasts.
    away: bool,
    /// The last failure, in case it is what the contact ends by.
    last_code: Option<String>,
}

#[derive(Debug)]
struct Wait {
    name: String,
    since: u64,
    joined: Option<u64>,
    transfer: bool,
}

impl Tally {
    /// Begins a record.
    pub fn new(subject: Subject) -> Tally {
        Tally {
            record: ContactRecord {
                id: subject.id,
                tenant: subject.tenant,
                flow: subject.flow,
                flow_hash: subject.flow_hash,
                content: subject.content,
                channel: subject.channel,
                from: subject.from,
                to: subject.to,
                started_at: subject.started_at,
                ..ContactRecord::default()
            },
            ways: BTreeSet::new(),
            way: Sha256::new(),
            running: None,
            wait: None,
            away: false,
            last_code: None,
        }
    }

    /// Takes the next entry in.
    pub fn note(&mut self, entry: &Entry) {
        let record = &mut self.record;
        match &entry.kind {
            EntryKind::Started {
                channel,
                flow,
                hash,
                content,
                ..
            } => {
                record.flow.clone_from(flow);
                record.flow_hash.clone_from(hash);
                record.content.clone_from(content);
                record.channel = word(*channel).to_owned();
                record.answered_at = Some(entry.at);
            }
            EntryKind::Entered {
                flow,
                step,
                line,
                verb,
            } => {
                let hop = Hop {
                    flow: flow.clone(),
                    step: step.clone(),
                    line: *line,
                    verb: verb.clone(),
                    outcome: None,
                };
                self.way(format!("{flow}/{step} {verb}"));
                self.hop(hop);
            }
            EntryKind::Ran { plugin, digest, .. } => {
                self.running = Some(plugin.clone());
                if let Some(meters) = self.meters(plugin) {
                    if meters.digests.len() < MAX_STEPS || meters.digests.contains_key(plugin) {
                        meters.digests.insert(plugin.clone(), digest.clone());
                    }
                    meters.runs += 1;
                }
            }
            EntryKind::Asked {
                function, request, ..
            } => match function.as_str() {
                "route.transfer" => self.begin(entry.at, request, true),
                "route.enqueue" => self.begin(entry.at, request, false),
                _ => {}
            },
            EntryKind::Joined => {
                if let Some(wait) = &mut self.wait {
                    wait.joined.get_or_insert(entry.at);
                }
            }
            EntryKind::Call {
                function, result, ..
            } if matches!(function.as_str(), "route.transfer" | "route.enqueue") => {
                self.over(entry.at, &outcome_of(result));
            }
            EntryKind::Outcome {
                plugin,
                outcome,
                cpu_us,
                memory_bytes,
                host_calls,
                ..
            } => {
                self.used(plugin, *cpu_us, *memory_bytes, *host_calls);
                self.left(outcome.clone());
            }
            EntryKind::Failed {
                plugin,
                code,
                cpu_us,
                memory_bytes,
                host_calls,
                ..
            } => {
                // A step that ends because the caller is gone is no failure of its own.
                let failed = !matches!(code.as_str(), "hangup" | "cancelled");
                if failed {
                    self.record.failures += 1;
                    self.last_code = Some(cut(code));
                }
                // A verb of the flow itself fails without having run.
                if self.running.as_ref() == Some(plugin) {
                    self.used(plugin, *cpu_us, *memory_bytes, *host_calls);
                    if let Some(meters) = self.meters(plugin).filter(|_| failed) {
                        meters.failures += 1;
                    }
                }
                self.left(format!("!{}", cut(code)));
            }
            EntryKind::Tagged { values } => {
                for (name, value) in values.as_object().into_iter().flatten() {
                    self.tag(name, value);
                }
            }
            // Dropped again while the caller was asked, it is the same time without a line. A contact has few of them.
            EntryKind::Dropped { .. } if !self.away => {
                self.away = true;
                record.drops.push(Drop {
                    at: entry.at,
                    ..Drop::default()
                });
            }
            EntryKind::CalledBack { sip_call_id, .. } => {
                if let Some(drop) = record.drops.last_mut() {
                    drop.sip_call_id = Some(cut(sip_call_id));
                }
            }
            EntryKind::Resumed => self.back(entry.at, "resumed"),
            EntryKind::Declined => self.back(entry.at, "declined"),
            EntryKind::GivenUp => self.back(entry.at, "given-up"),
            EntryKind::Ended(ending) => {
                record.reason = cut(&ending.reason);
                record.error = ending.error.as_deref().map(cut);
                record.ended_by = match ending.by_caller {
                    true => "caller",
                    false if engines(&ending.reason) => "engine",
                    false => "flow",
                }
                .to_owned();
            }
            _ => {}
        }
    }

    /// The record of a contact that ended at this time; with a reason, when its journal has none because its engine
    /// was stopped.
    pub fn finish(mut self, ended_at: u64, reason: &str) -> ContactRecord {
        self.over(ended_at, "abandoned");
        self.back(ended_at, "ended");
        let mut record = self.record;
        if record.reason.is_empty() {
            record.reason = cut(reason);
            record.ended_by = "engine".to_owned();
        }
        if record.error.is_some() {
            record.error_code = Some(self.last_code.unwrap_or_else(|| record.reason.clone()));
        }
        self.way.update(record.reason.as_bytes());
        record.path_hash = hex(&self.way.finalize());
        record.ended_at = ended_at.max(record.started_at);
        record.total_ms = record.ended_at - record.started_at;
        let away = record.waiting_ms + record.transferred_ms + record.away_ms;
        record.flow_ms = record.total_ms.saturating_sub(away);
        record.sum_up();
        record
    }

    /// The time without a line is over.
    fn back(&mut self, at: u64, outcome: &str) {
        if let Some(drop) = self.record.drops.last_mut().filter(|_| self.away) {
            drop.away_ms = at.saturating_sub(drop.at);
            outcome.clone_into(&mut drop.outcome);
            self.record.away_ms += drop.away_ms;
        }
        self.away = false;
    }

    fn hop(&mut self, hop: Hop) {
        match self.record.path.len() < MAX_HOPS {
            true => self.record.path.push(hop),
            false => self.record.path_cut += 1,
        }
    }

    /// A step is left: its action gets the outcome.
    fn left(&mut self, outcome: String) {
        self.running = None;
        if let Some(hop) = self.record.path.last_mut()
            && self.record.path_cut == 0
        {
            let way = format!("{}/{} {} {outcome}", hop.flow, hop.step, hop.verb);
            hop.outcome = Some(outcome);
            self.way(way);
        }
    }

    fn way(&mut self, way: String) {
        if self.ways.len() < MAX_WAYS && !self.ways.contains(&way) {
            self.way.update(way.as_bytes());
            self.way.update([0]);
            self.ways.insert(way);
        }
    }

    /// The meters of a step's plugin; none for one plugin too many.
    fn meters(&mut self, step: &str) -> Option<&mut Meters> {
        let plugin = step.split('/').next().unwrap_or(step);
        let plugins = &mut self.record.plugins;
        if plugins.len() >= MAX_PLUGINS && !plugins.contains_key(plugin) {
            return None;
        }
        Some(plugins.entry(plugin.to_owned()).or_default())
    }

    fn used(&mut self, step: &str, cpu_us: u64, memory_bytes: u64, host_calls: u32) {
        if let Some(meters) = self.meters(step) {
            meters.cpu_us = meters.cpu_us.saturating_add(cpu_us);
            meters.memory_bytes = meters.memory_bytes.max(memory_bytes);
            meters.host_calls += u64::from(host_calls);
        }
    }

    fn tag(&mut self, name: &str, value: &Json) {
        let tags = &mut self.record.tags;
        if tags.len() >= MAX_TAGS && !tags.contains_key(name) {
            return;
        }
        let value = match value {
            Json::String(text) => Json::String(cut(text)),
            Json::Array(_) | Json::Object(_) => Json::String(cut(&value.to_string())),
            value => value.clone(),
        };
        tags.insert(cut(name), value);
    }

    fn begin(&mut self, at: u64, request: &Json, transfer: bool) {
        // One that is still waited for was left by the flow.
        self.over(at, "abandoned");
        let name = request.get(0).and_then(Json::as_str).unwrap_or_default();
        self.wait = Some(Wait {
            name: cut(name),
            since: at,
            joined: None,
            transfer,
        });
    }

    fn over(&mut self, at: u64, outcome: &str) {
        let Some(wait) = self.wait.take() else { return };
        let answered = wait.joined.unwrap_or(at);
        let waited = answered.saturating_sub(wait.since);
        let talked = at.saturating_sub(answered);
        let record = &mut self.record;
        record.waiting_ms += waited;
        record.transferred_ms += talked;
        if wait.transfer && record.transfers.len() < MAX_WAITS {
            // Whoever was joined was reached, whoever hangs up first.
            let outcome = match wait.joined {
                Some(_) => "done",
                None => outcome,
            };
            record.transfers.push(Transferred {
                target: wait.name,
                outcome: flow_word(outcome),
                ringing_ms: waited,
                talked_ms: talked,
            });
        } else if !wait.transfer && record.queues.len() < MAX_WAITS {
            record.queues.push(Queued {
                queue: wait.name,
                outcome: flow_word(outcome),
                waited_ms: waited,
            });
        }
    }
}

/// Reasons that are the engine's own.
fn engines(reason: &str) -> bool {
    matches!(
        reason,
        "error" | "vanished" | "too-long" | "shutdown" | "engine-stopped" | "fell-off"
    ) || super::early::REASONS.contains(&reason)
}

/// The word of a host call's result: `{"ok": "done"}`, `{"ok": {"refused": "busy"}}`, `{"err": "timeout"}`.
fn outcome_of(result: &Json) -> String {
    let mut result = result;
    loop {
        match result {
            Json::String(word) => return cut(word),
            Json::Object(fields) if fields.len() == 1 => {
                let (name, inner) = fields.iter().next().expect("it has one");
                // What follows an error's word is a sentence with names of hosts in it.
                match name.as_str() {
                    "ok" | "err" | "refused" => result = inner,
                    word => return cut(word),
                }
            }
            _ => return "unknown".to_owned(),
        }
    }
}

/// The channel's word in records.
pub(crate) fn word(channel: Channel) -> &'static str {
    match channel {
        Channel::Voice => "voice",
        Channel::Chat => "chat",
    }
}

/// A text of bounded length, without NUL, which PostgreSQL has not.
fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
    .replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use strowger_contact::Ending;

    use super::*;

    fn tallied(kinds: Vec<(u64, EntryKind)>, reason: &str) -> ContactRecord {
        let subject = Subject {
            started_at: 1_000,
            ..Subject::default()
        };
        let mut tally = Tally::new(subject);
        let mut last = 1_000;
        for (seq, (at, kind)) in (0..).zip(kinds) {
            last = at;
            tally.note(&Entry { seq, at, kind });
        }
        tally.finish(last, reason)
    }

    fn asked(function: &str, target: &str) -> EntryKind {
        EntryKind::Asked {
            activation: 1,
            call: 1,
            function: function.into(),
            request: json!([target, {}]).into(),
        }
    }

    fn answered(function: &str, result: Json) -> EntryKind {
        EntryKind::Call {
            activation: 1,
            call: 1,
            function: function.into(),
            result: result.into(),
        }
    }

    fn entered(step: &str) -> EntryKind {
        EntryKind::Entered {
            flow: "main".into(),
            step: step.into(),
            line: 7,
            verb: "menu".into(),
        }
    }

    fn outcome(word: &str) -> EntryKind {
        EntryKind::Outcome {
            plugin: "std/menu@1".into(),
            outcome: word.into(),
            data: json!({}).into(),
            cpu_us: 5,
            memory_bytes: 9,
            host_calls: 2,
        }
    }

    fn ended(reason: &str, by_caller: bool) -> EntryKind {
        EntryKind::Ended(Ending {
            reason: reason.into(),
            by_caller,
            error: None,
        })
    }

    #[test]
    fn time_is_divided_between_flow_waiting_and_people() {
        let record = tallied(
            vec![
                (2_000, asked("route.enqueue", "support")),
                (5_000, answered("route.enqueue", json!({"ok": "no-agents"}))),
                (6_000, asked("route.transfer", "+861")),
                (
                    6_500,
                    answered("route.transfer", json!({"ok": {"refused": "no-answer"}})),
                ),
                (7_000, asked("route.transfer", "sales")),
                (9_000, EntryKind::Joined),
                (19_000, ended("transferred", true)),
            ],
            "",
        );
        assert_eq!(record.total_ms, 18_000);
        assert_eq!((record.waiting_ms, record.transferred_ms), (5_500, 10_000));
        assert_eq!(record.flow_ms, 2_500);
        assert_eq!(record.queues[0].outcome, "no_agents");
        let told: Vec<_> = record
            .transfers
            .iter()
            .map(|t| (t.target.as_str(), t.outcome.as_str()))
            .collect();
        assert_eq!(told, [("+861", "no_answer"), ("sales", "done")]);
        assert_eq!(record.ended_by, "caller");
    }

    #[test]
    fn a_circle_makes_no_new_path_and_another_outcome_does() {
        let round = |times: usize| {
            let lap = [(1_000, entered("a")), (1_000, outcome("one"))];
            let mut kinds: Vec<_> = std::iter::repeat_n(lap, times).flatten().collect();
            kinds.push((1_001, ended("completed", false)));
            tallied(kinds, "")
        };
        assert_eq!(round(1).path_hash, round(1_000).path_hash);
        assert_eq!(round(1_000).path.len(), MAX_HOPS);
        assert_eq!(round(1_000).path_cut as usize, 1_000 - MAX_HOPS);
        let other = tallied(
            vec![
                (1_000, entered("a")),
                (1_000, outcome("two")),
                (1_001, ended("completed", false)),
            ],
            "",
        );
        assert_ne!(round(1).path_hash, other.path_hash);
        assert_eq!(round(3).plugins["std"].cpu_us, 15);
    }

    #[test]
    fn a_journal_without_an_end_gets_the_reason_of_its_engine() {
        let record = tallied(vec![(2_000, entered("a"))], "engine-stopped");
        assert_eq!(
            (record.reason.as_str(), record.ended_by.as_str()),
            ("engine-stopped", "engine")
        );
        assert!(!record.failed());
    }

    #[test]
    fn what_comes_from_outside_is_bounded() {
        let tags: serde_json::Map<String, Json> = (0..200)
            .map(|n| (format!("t{n}"), json!("x".repeat(5_000))))
            .collect();
        let record = tallied(
            vec![(
                1_000,
                EntryKind::Tagged {
                    values: tags.into(),
                },
            )],
            "error",
        );
        assert_eq!(record.tags.len(), MAX_TAGS);
        let longest = record
            .tags
            .values()
            .filter_map(Json::as_str)
            .map(|t| t.chars().count());
        assert_eq!(longest.max(), Some(MAX_TEXT + 1));
        assert_eq!(outcome_of(&json!({"err": {"denied": "no\0"}})), "denied");
    }
}
