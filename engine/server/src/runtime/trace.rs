//! A contact's journal, its SIP messages and what its flow's expressions gave as one list of events in time order.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Value as Json, json};
use strowger_contact::{Entry, EntryKind, Reason, What};
use strowger_flow::unseen::in_one_line;
use utoipa::ToSchema;

use super::transcript::told;
use crate::replay::Reasons;
use crate::sip::{Signal, Way};
use crate::store::{CALLED_BACK, Ladder};

/// One event of a contact.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TraceEvent {
    /// The number of its journal entry, or of its SIP message within its leg; of what an expression gave, that of the entry
    /// that comes next.
    pub seq: u32,
    /// Milliseconds since 1970.
    pub at: u64,
    /// Milliseconds since the contact began.
    pub after_ms: u64,
    /// Who: `call`, `flow`, `engine`, `plugin`, `caller` or `sip`.
    pub who: &'static str,
    /// What, as the journal calls it; `sip`; `skipped` and `expression` for what a flow's expressions gave; `unexplained` where
    /// that cannot be told.
    pub kind: String,
    /// In words.
    pub text: String,
    /// The flow's name at that time.
    pub flow: String,
    /// The named step at that time.
    pub step: String,
    /// The line in the flow's file.
    pub line: u32,
    /// The step's activation, for what a plugin does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub activation: Option<u32>,
    /// Which attempt at the step this is, from 1; told where a plugin is started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// What the plugin used, where it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub meters: Option<Json>,
    /// How long the answer to a host call took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<u64>,
    /// Everything the journal holds of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub entry: Option<EntryKind>,
    /// The SIP message that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sip: Option<Signal>,
    /// What the flow's expressions gave, and where that led.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub reason: Option<Reason>,
}

/// Whether a message came before what the journal has of the same moment, which it led to. A request of the engine's own comes
/// after, and what answers it at once: the contact made it send that.
pub(crate) fn leads(signal: &Signal, among: &[Signal]) -> bool {
    let asks = |other: &Signal| {
        other.way == Way::Out
            && other.status().is_none()
            && (other.at, other.leg, &other.cseq) == (signal.at, signal.leg, &signal.cseq)
    };
    match (signal.way, signal.status()) {
        (Way::In, None) | (Way::Out, Some(_)) => true,
        (Way::Out, None) => false,
        (Way::In, Some(_)) => !among.iter().any(asks),
    }
}

/// The events of a contact, by time: of one moment, messages before what they led to, and after what led to them.
pub fn trace(entries: &[Entry], ladder: &Ladder, reasons: &Reasons) -> Vec<TraceEvent> {
    let mut journal = explained(of_journal(entries), reasons);
    for event in &mut journal {
        // What people and plugins wrote must not make lines of its own.
        if let Cow::Owned(shown) = in_one_line(&event.text) {
            event.text = shown;
        }
    }
    let Some(first) = ladder.signals.first() else {
        return journal;
    };
    let mut events: Vec<TraceEvent> = ladder.signals.iter().map(of_signal).collect();
    events.extend(journal);
    // A stable sort: entries stay in their order, whose times never go back.
    let place = |event: &TraceEvent| match &event.sip {
        Some(signal) if leads(signal, &ladder.signals) => 0,
        None => 1,
        Some(_) => 2,
    };
    events.sort_by_cached_key(|event| (event.at, place(event)));
    let mut place = (String::new(), String::new(), 0);
    for event in &mut events {
        event.after_ms = event.at.saturating_sub(first.at);
        match event.sip {
            Some(_) => (event.flow, event.step, event.line) = place.clone(),
            None => place = (event.flow.clone(), event.step.clone(), event.line),
        }
    }
    events
}

fn of_signal(signal: &Signal) -> TraceEvent {
    TraceEvent {
        who: "sip",
        text: rung(signal),
        sip: Some(signal.clone()),
        ..TraceEvent::bare(signal.n, signal.at, "sip".to_owned())
    }
}

impl TraceEvent {
    /// Of which nothing but its number, time and kind is known yet.
    fn bare(seq: u32, at: u64, kind: String) -> TraceEvent {
        TraceEvent {
            seq,
            at,
            after_ms: 0,
            who: "engine",
            kind,
            text: String::new(),
            flow: String::new(),
            step: String::new(),
            line: 0,
            activation: None,
            attempt: None,
            meters: None,
            took_ms: None,
            entry: None,
            sip: None,
            reason: None,
        }
    }
}

/// The events of a journal, with what the flow's expressions gave between them.
fn explained(journal: Vec<TraceEvent>, reasons: &Reasons) -> Vec<TraceEvent> {
    let mut events = Vec::with_capacity(journal.len() + reasons.found.len());
    let mut found = reasons.found.iter().peekable();
    let begun = journal.first().map_or(0, |event| event.at - event.after_ms);
    let told = |reason: &Reason| {
        let kind = match reason.what {
            What::Skipped => "skipped",
            What::When | What::Decided | What::Made | What::Checked => "expression",
        };
        let Reason {
            flow,
            step,
            line,
            verb,
            ..
        } = reason;
        TraceEvent {
            after_ms: reason.at.saturating_sub(begun),
            who: "flow",
            text: format!("{flow}:{line} {step}, {verb}: {reason}"),
            flow: flow.clone(),
            step: step.clone(),
            line: *line,
            reason: Some(reason.clone()),
            ..TraceEvent::bare(reason.before, reason.at, kind.to_owned())
        }
    };
    let mut unexplained = reasons.lacking.as_ref();
    for event in journal {
        while let Some(reason) = found.next_if(|reason| reason.before <= event.seq) {
            events.push(told(reason));
        }
        let (seq, at, after_ms) = (event.seq, event.at, event.after_ms);
        events.push(event);
        // Told where the flow begins.
        if let Some(why) = unexplained.take() {
            events.push(TraceEvent {
                after_ms,
                text: format!("cannot tell what the flow's conditions gave: {why}"),
                ..TraceEvent::bare(seq, at, "unexplained".to_owned())
            });
        }
    }
    events.extend(found.map(told));
    events
}

/// A message as a rung between two sides: the caller stands left of the engine, whom a transfer calls right of it.
fn rung(signal: &Signal) -> String {
    /// Characters of the arrow with its word.
    const WIDE: usize = 34;
    let word = format!(" {signal} ");
    let dashes = WIDE.saturating_sub(word.chars().count() + 3);
    let of_caller = signal.leg == 0 || signal.leg >= CALLED_BACK;
    let left_to_right = (signal.way == Way::In) == of_caller;
    let arrow = match left_to_right {
        true => format!("──{word}{}▶", "─".repeat(dashes)),
        false => format!("◀──{word}{}", "─".repeat(dashes)),
    };
    let mut text = match of_caller {
        true => format!("caller {arrow} engine"),
        false => format!("engine {arrow} target"),
    };
    let cseq = signal.cseq.split(' ').next().unwrap_or_default();
    text.push_str(&format!("  {}, CSeq {cseq}", signal.peer));
    if signal.method() == "INVITE" && signal.status().is_none() {
        for name in ["from", "to"] {
            if let Some(value) = signal.headers.get(name) {
                text.push_str(&format!(", {name} {value}"));
            }
        }
    }
    for name in ["refer-to", "reason", "retry-after"] {
        if let Some(value) = signal.headers.get(name) {
            text.push_str(&format!(", {name} {value}"));
        }
    }
    if let Some(body) = &signal.body {
        text.push_str(&format!(", [{body}]"));
    }
    if signal.again > 0 {
        text.push_str(&format!(", {} more times", signal.again));
    }
    text
}

fn of_journal(entries: &[Entry]) -> Vec<TraceEvent> {
    let start = entries.first().map_or(0, |entry| match entry.kind {
        // The line may have opened some time after the contact reached us.
        EntryKind::Started { since, .. } if since > 0 => since.min(entry.at),
        _ => entry.at,
    });
    let (mut flow, mut step, mut line) = (String::new(), String::new(), 0);
    let mut running = None;
    let mut attempt = 1;
    let mut asked = None;
    entries
        .iter()
        .map(|entry| {
            let mut event = TraceEvent {
                after_ms: entry.at.saturating_sub(start),
                entry: Some(entry.kind.clone()),
                ..TraceEvent::bare(entry.seq, entry.at, kind_of(&entry.kind))
            };
            (event.who, event.text) = told(&entry.kind);
            match &entry.kind {
                EntryKind::Started { flow: first, .. } => flow.clone_from(first),
                EntryKind::Entered {
                    flow: entered,
                    step: name,
                    line: at,
                    verb,
                } => {
                    flow.clone_from(entered);
                    step.clone_from(name);
                    line = *at;
                    attempt = 1;
                    event.text = format!("{entered}:{at} {name}, {verb}");
                }
                EntryKind::Ran { activation, .. } => {
                    running = Some(*activation);
                    event.attempt = Some(attempt);
                }
                EntryKind::Asked { activation, .. } => {
                    running = Some(*activation);
                    asked = Some(entry.at);
                }
                EntryKind::Call { activation, .. } => {
                    running = Some(*activation);
                    event.took_ms = asked
                        .take()
                        .map(|asked: u64| entry.at.saturating_sub(asked));
                }
                EntryKind::Outcome {
                    cpu_us,
                    memory_bytes,
                    host_calls,
                    ..
                } => {
                    event.meters = Some(json!({
                        "cpu_us": cpu_us, "memory_bytes": memory_bytes, "host_calls": host_calls,
                    }));
                    event.text = format!(
                        "{} ({:.1} ms of CPU, {} KiB of memory)",
                        event.text,
                        *cpu_us as f64 / 1_000.0,
                        memory_bytes.div_ceil(1_024)
                    );
                }
                EntryKind::Failed { retries_left, .. } if *retries_left > 0 => attempt += 1,
                _ => {}
            }
            event.flow.clone_from(&flow);
            event.step.clone_from(&step);
            event.line = line;
            if event.who == "plugin" || event.took_ms.is_some() {
                event.activation = running;
            }
            event
        })
        .collect()
}

/// The journal's word for it.
fn kind_of(kind: &EntryKind) -> String {
    let json = serde_json::to_value(kind).unwrap_or_default();
    let kind = json.get("kind").and_then(Json::as_str);
    kind.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use strowger_contact::Ending;

    use super::*;

    #[test]
    fn of_one_moment_what_led_to_a_message_comes_before_it() {
        let signal = |way, n, what: &str, cseq: &str| Signal {
            n,
            at: 5,
            leg: 0,
            way,
            what: what.to_owned(),
            cseq: cseq.to_owned(),
            peer: String::new(),
            headers: Default::default(),
            body: None,
            again: 0,
        };
        let entry = |seq, kind| Entry { seq, at: 5, kind };
        let ended = EntryKind::Ended(Ending {
            reason: "completed".to_owned(),
            by_caller: false,
            error: None,
        });
        let order = |signals: &[Signal], entries: &[Entry]| -> Vec<String> {
            let mut ladder = Ladder::default();
            ladder.signals.extend_from_slice(signals);
            let events = trace(entries, &ladder, &Reasons::default()).into_iter();
            events
                .map(|event| event.sip.map_or(event.kind, |signal| signal.what))
                .collect()
        };
        let by_us = [
            signal(Way::Out, 0, "BYE", "1 BYE"),
            signal(Way::In, 1, "200 OK", "1 BYE"),
        ];
        let ends = [entry(0, ended.clone())];
        assert_eq!(order(&by_us, &ends), ["ended", "BYE", "200 OK"]);
        let by_them = [
            signal(Way::In, 0, "BYE", "2 BYE"),
            signal(Way::Out, 1, "200 OK", "2 BYE"),
        ];
        let ends = [entry(0, EntryKind::HungUp), entry(1, ended)];
        assert_eq!(
            order(&by_them, &ends),
            ["BYE", "200 OK", "hung-up", "ended"]
        );
    }
}
