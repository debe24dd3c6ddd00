//! A contact as a trace of OpenTelemetry: one trace a contact, a span a plugin's step, and within it one a host call.
//!
//! The form is OTLP's JSON (opentelemetry-proto 1.x, `ExportTraceServiceRequest`; ids in hexadecimal, times in
//! nanoseconds as texts). No number, no word of what was said, heard or entered is in it: the contact's id leads to the
//! journal for whoever may read that.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use strowger_contact::{Entry, EntryKind, Reason, What};

use crate::project::hex;
use crate::replay::Reasons;
use crate::sip::Way;
use crate::store::Ladder;

/// Most spans of a trace; further ones are counted in `strowger.spans_cut`.
const MAX_SPANS: usize = 1_000;
/// Most events of the contact's own span.
const MAX_EVENTS: usize = 500;
/// `SPAN_KIND_INTERNAL`, `SPAN_KIND_SERVER`, `SPAN_KIND_CLIENT`.
const INTERNAL: u32 = 1;
const SERVER: u32 = 2;
const CLIENT: u32 = 3;
/// `STATUS_CODE_ERROR`.
const ERROR: u32 = 2;

/// The request that hands a contact's trace to a collector.
pub fn export(
    contact: &str,
    tenant: &str,
    entries: &[Entry],
    ladder: &Ladder,
    reasons: &Reasons,
) -> Json {
    let mut trace = Trace::new(contact);
    let mut found = reasons.found.iter().peekable();
    for entry in entries {
        while let Some(reason) = found.next_if(|reason| reason.before <= entry.seq) {
            trace.explain(reason);
        }
        trace.note(entry);
    }
    found.for_each(|reason| trace.explain(reason));
    if reasons.lacking.is_some() {
        trace
            .root
            .attributes
            .extend(attributes([("strowger.unexplained", json!(true))]));
    }
    trace.climb(ladder);
    let spans = trace.finish(tenant);
    json!({ "resourceSpans": [{
        "resource": { "attributes": attributes([
            ("service.name", json!("strowger")),
            ("service.version", json!(env!("CARGO_PKG_VERSION"))),
            ("service.namespace", json!(tenant)),
        ]) },
        "scopeSpans": [{
            "scope": { "name": "strowger.contact", "version": env!("CARGO_PKG_VERSION") },
            "spans": spans,
        }],
    }] })
}

struct Span {
    id: String,
    parent: Option<String>,
    name: String,
    kind: u32,
    from: u64,
    to: u64,
    attributes: Vec<Json>,
    events: Vec<Json>,
    error: Option<String>,
}

struct Trace<'a> {
    contact: &'a str,
    root: Span,
    spans: Vec<Span>,
    /// Steps that run, by activation, and the call that each waits for.
    steps: BTreeMap<u32, Span>,
    calls: BTreeMap<u32, Span>,
    running: Option<u32>,
    place: String,
    cut: u64,
    last: u64,
}

impl<'a> Trace<'a> {
    fn new(contact: &'a str) -> Trace<'a> {
        let root = span(contact, "contact", None, "contact".to_owned(), SERVER, 0);
        Trace {
            contact,
            root,
            spans: Vec::new(),
            steps: BTreeMap::new(),
            calls: BTreeMap::new(),
            running: None,
            place: String::new(),
            cut: 0,
            last: 0,
        }
    }

    fn note(&mut self, entry: &Entry) {
        let at = entry.at;
        self.last = self.last.max(at);
        match &entry.kind {
            EntryKind::Started {
                channel,
                flow,
                hash,
                content,
                since,
                ..
            } => {
                self.root.from = if *since > 0 { (*since).min(at) } else { at };
                self.root.name = format!("contact {flow}");
                self.root.attributes.extend(attributes([
                    ("strowger.flow", json!(flow)),
                    ("strowger.flow_hash", json!(hash)),
                    ("strowger.content", json!(content)),
                    ("strowger.channel", json!(channel)),
                ]));
            }
            EntryKind::Entered {
                flow,
                step,
                line,
                verb,
            } => {
                self.place = format!("{flow}/{step}");
                let told = attributes([
                    ("strowger.step", json!(self.place)),
                    ("strowger.line", json!(line)),
                    ("strowger.verb", json!(verb)),
                ]);
                self.event(at, "entered", told);
            }
            EntryKind::Ran {
                activation,
                plugin,
                digest,
                ..
            } => {
                let parent = Some(self.root.id.clone());
                let name = format!("{} {plugin}", self.place);
                let own = format!("step {activation} {}", entry.seq);
                let mut step = span(self.contact, &own, parent, name, INTERNAL, at);
                step.attributes = attributes([
                    ("strowger.step", json!(self.place)),
                    ("strowger.plugin", json!(plugin)),
                    ("strowger.plugin_digest", json!(digest)),
                ]);
                self.steps.insert(*activation, step);
                self.running = Some(*activation);
            }
            EntryKind::Asked {
                activation,
                call,
                function,
                ..
            } => {
                let parent = self.steps.get(activation).map(|step| step.id.clone());
                let kind = match function.split('.').next() {
                    Some("http" | "client" | "kv" | "store" | "route") => CLIENT,
                    _ => INTERNAL,
                };
                let own = format!("call {activation} {call}");
                let call = span(self.contact, &own, parent, function.clone(), kind, at);
                self.calls.insert(*activation, call);
            }
            EntryKind::Call {
                activation, result, ..
            } => {
                if let Some(mut call) = self.calls.remove(activation) {
                    call.to = at;
                    if result.get("err").is_some() {
                        // The word alone: what follows it may name the caller.
                        let word = match &result["err"] {
                            Json::Object(fields) => fields.keys().next().cloned(),
                            word => word.as_str().map(str::to_owned),
                        };
                        call.error = Some(word.unwrap_or_default());
                    }
                    self.add(call);
                }
            }
            EntryKind::Outcome {
                outcome,
                cpu_us,
                memory_bytes,
                host_calls,
                ..
            } => self.step_over(at, outcome, None, (*cpu_us, *memory_bytes, *host_calls)),
            EntryKind::Failed {
                code,
                cpu_us,
                memory_bytes,
                host_calls,
                ..
            } => self.step_over(at, code, Some(code), (*cpu_us, *memory_bytes, *host_calls)),
            EntryKind::Said { .. } => self.event(at, "said", Vec::new()),
            EntryKind::Unsaid { .. } => self.event(at, "unsaid", Vec::new()),
            EntryKind::Heard { heard } => {
                let nothing = heard == "nothing";
                let told = attributes([("strowger.nothing", json!(nothing))]);
                self.event(at, "heard", told);
            }
            EntryKind::GlobalKey { .. } => self.event(at, "global key", Vec::new()),
            EntryKind::Joined => self.event(at, "joined", Vec::new()),
            EntryKind::HungUp => self.event(at, "hung up", Vec::new()),
            EntryKind::Vanished => self.event(at, "vanished", Vec::new()),
            EntryKind::Dropped { .. } => self.event(at, "dropped", Vec::new()),
            EntryKind::CalledBack { .. } => self.event(at, "called back", Vec::new()),
            EntryKind::Resumed => self.event(at, "resumed", Vec::new()),
            EntryKind::Declined => self.event(at, "declined", Vec::new()),
            EntryKind::GivenUp => self.event(at, "given up", Vec::new()),
            EntryKind::SecretsLost => self.event(at, "secrets lost", Vec::new()),
            EntryKind::Ended(ending) => {
                self.root.attributes.extend(attributes([
                    ("strowger.reason", json!(ending.reason)),
                    ("strowger.by_caller", json!(ending.by_caller)),
                ]));
                if ending.error.is_some() {
                    self.root.error = Some(ending.reason.clone());
                }
            }
            _ => {}
        }
    }

    /// What an expression gave: its text, whether it was true, and the way that was taken. No other value leaves the house.
    fn explain(&mut self, reason: &Reason) {
        let name = match reason.what {
            What::Skipped => "skipped",
            What::Decided => "decided",
            What::When | What::Made | What::Checked => "expression",
        };
        let mut told = attributes([
            (
                "strowger.step",
                json!(format!("{}/{}", reason.flow, reason.step)),
            ),
            ("strowger.line", json!(reason.line)),
            ("strowger.verb", json!(reason.verb)),
        ]);
        if let Some(taken) = &reason.taken {
            told.extend(attributes([("strowger.taken", json!(taken))]));
        }
        if let Some(to) = &reason.to {
            told.extend(attributes([("strowger.to", json!(to))]));
        }
        for (number, asked) in reason.asked.iter().enumerate() {
            let key = |what: &str| match number {
                0 => format!("strowger.{what}"),
                number => format!("strowger.{what}.{}", number + 1),
            };
            told.extend(attributes([(&key("expression"), json!(asked.expression))]));
            if let Some(is @ Json::Bool(_)) = &asked.value {
                told.extend(attributes([(&key("value"), is.clone())]));
            }
            if asked.error.is_some() {
                told.extend(attributes([(&key("failed"), json!(true))]));
            }
        }
        self.event(reason.at, name, told);
    }

    /// SIP messages are events of the contact's own span: method or status, and which way.
    fn climb(&mut self, ladder: &Ladder) {
        for signal in &ladder.signals {
            let way = match signal.way {
                Way::In => "in",
                Way::Out => "out",
            };
            let mut told = vec![
                ("sip.method", json!(signal.method())),
                ("sip.way", json!(way)),
                ("sip.leg", json!(signal.leg)),
                ("sip.cseq", json!(signal.cseq)),
                ("sip.retransmissions", json!(signal.again)),
            ];
            if let Some(status) = signal.status() {
                told.push(("sip.status", json!(status)));
            }
            let told = told.into_iter().flat_map(|pair| attributes([pair]));
            self.event(signal.at, "sip", told.collect());
            self.last = self.last.max(signal.at);
            if self.root.from == 0 || signal.at < self.root.from {
                self.root.from = signal.at;
            }
        }
        let cut = ladder.cut;
        if cut > 0 {
            self.root
                .attributes
                .extend(attributes([("sip.cut", json!(cut))]));
        }
        let at = |event: &Json| {
            event["timeUnixNano"]
                .as_str()
                .and_then(|at| at.parse::<u128>().ok())
        };
        self.root.events.sort_by_key(at);
    }

    fn step_over(
        &mut self,
        at: u64,
        outcome: &str,
        error: Option<&String>,
        (cpu_us, memory_bytes, host_calls): (u64, u64, u32),
    ) {
        let Some(activation) = self.running.take() else {
            return;
        };
        // The caller hung up, or the flow went on, while it waited.
        if let Some(mut call) = self.calls.remove(&activation) {
            call.to = at;
            self.add(call);
        }
        if let Some(mut step) = self.steps.remove(&activation) {
            step.to = at;
            step.error = error.cloned();
            step.attributes.extend(attributes([
                ("strowger.outcome", json!(outcome)),
                ("strowger.cpu_us", json!(cpu_us)),
                ("strowger.memory_bytes", json!(memory_bytes)),
                ("strowger.host_calls", json!(host_calls)),
            ]));
            self.add(step);
        }
    }

    fn event(&mut self, at: u64, name: &str, attributes: Vec<Json>) {
        if self.root.events.len() < MAX_EVENTS {
            let event =
                json!({ "timeUnixNano": nanos(at), "name": name, "attributes": attributes });
            self.root.events.push(event);
        }
    }

    fn add(&mut self, span: Span) {
        match self.spans.len() < MAX_SPANS {
            true => self.spans.push(span),
            false => self.cut += 1,
        }
    }

    fn finish(mut self, tenant: &str) -> Vec<Json> {
        let open: Vec<Span> = std::mem::take(&mut self.calls).into_values().collect();
        let steps: Vec<Span> = std::mem::take(&mut self.steps).into_values().collect();
        for mut span in open.into_iter().chain(steps) {
            span.to = self.last;
            self.add(span);
        }
        self.root.to = self.last;
        self.root.attributes.extend(attributes([
            ("strowger.contact", json!(self.contact)),
            ("strowger.tenant", json!(tenant)),
            ("strowger.spans_cut", json!(self.cut)),
        ]));
        let trace = digest(self.contact, "trace", 16);
        std::iter::once(self.root)
            .chain(self.spans)
            .map(|span| span.json(&trace))
            .collect()
    }
}

impl Span {
    fn json(self, trace: &str) -> Json {
        let mut told = json!({
            "traceId": trace,
            "spanId": self.id,
            "name": self.name,
            "kind": self.kind,
            "startTimeUnixNano": nanos(self.from),
            "endTimeUnixNano": nanos(self.to.max(self.from)),
            "attributes": self.attributes,
            "events": self.events,
        });
        if let Some(parent) = self.parent {
            told["parentSpanId"] = json!(parent);
        }
        if let Some(error) = self.error {
            told["status"] = json!({ "code": ERROR, "message": error });
        }
        told
    }
}

fn span(
    contact: &str,
    own: &str,
    parent: Option<String>,
    name: String,
    kind: u32,
    at: u64,
) -> Span {
    Span {
        id: digest(contact, own, 8),
        parent,
        name,
        kind,
        from: at,
        to: at,
        attributes: Vec::new(),
        events: Vec::new(),
        error: None,
    }
}

/// The same for ever, so that a trace that is sent twice is one.
fn digest(contact: &str, own: &str, bytes: usize) -> String {
    let digest = Sha256::digest(format!("{contact}\n{own}"));
    hex(&digest[..bytes])
}

fn nanos(ms: u64) -> String {
    (u128::from(ms) * 1_000_000).to_string()
}

fn attributes<const N: usize>(pairs: [(&str, Json); N]) -> Vec<Json> {
    let value = |value: &Json| match value {
        Json::Bool(is) => json!({ "boolValue": is }),
        // Whole numbers are texts in the JSON form of protobuf.
        Json::Number(number) => json!({ "intValue": number.to_string() }),
        Json::String(text) => json!({ "stringValue": text }),
        other => json!({ "stringValue": other.to_string() }),
    };
    pairs
        .iter()
        .map(|(key, of)| json!({ "key": key, "value": value(of) }))
        .collect()
}
