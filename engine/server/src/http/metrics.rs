//! Counters in the text form that Prometheus reads.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use axum::extract::{Extension, State};

use super::principal::Principal;
use super::{Api, events, listen};
use crate::centre::Tenant;
use crate::media::Load;
use crate::runtime::CallCounts;

/// Counters
///
/// In the text form that Prometheus reads. A tenant's token or user gets the lines of its tenant, one of the whole centre all.
/// While HTTP listens on loopback alone, whoever says nothing gets the engine's lines, which name no tenant.
#[utoipa::path(get, path = "/metrics", operation_id = "metrics", tag = "engine", responses((status = 200, body = String, content_type = "text/plain", description = "The counters.")))]
pub(crate) async fn metrics(
    State(api): State<Api>,
    principal: Option<Extension<Principal>>,
) -> String {
    let Some(Extension(principal)) = principal else {
        return of_engine(&api);
    };
    let own = principal.tenant;
    let mut text = match &own {
        None => of_engine(&api),
        Some(_) => String::new(),
    };
    of_tenants(&api, own.as_deref(), &mut text);
    text
}

/// What counts for the whole engine.
fn of_engine(api: &Api) -> String {
    let traffic = &api.traffic;
    let outgoing = api.outgoing.counts();
    let media = api.media.stats();
    let sip = api.sip.read();
    let mut text = String::new();
    let mut line = |name: &str, kind: &str, help: &str, value: u64| {
        head(&mut text, name, kind, help);
        writeln!(text, "strowger_{name} {value}").expect("writing to a string");
    };
    line(
        "calls",
        "gauge",
        "Calls that are up.",
        traffic.calls.load(Ordering::Relaxed) as u64,
    );
    line(
        "calls_answered_total",
        "counter",
        "Calls answered.",
        traffic.answered.load(Ordering::Relaxed),
    );
    line(
        "calls_unknown_number_total",
        "counter",
        "Calls refused 404.",
        traffic.unknown_number.load(Ordering::Relaxed),
    );
    line(
        "calls_unusable_offer_total",
        "counter",
        "Calls refused for their offer.",
        traffic.unusable_offer.load(Ordering::Relaxed),
    );
    line(
        "calls_no_port_total",
        "counter",
        "Calls refused for want of an audio port.",
        traffic.no_port.load(Ordering::Relaxed),
    );
    line(
        "calls_early_unwritten_total",
        "counter",
        "Calls that ended before their flow began and have no record, because there were too many.",
        api.ladders.unwritten(),
    );
    line(
        "sip_ladder_lost_total",
        "counter",
        "SIP messages that are in no ladder, because there were too many.",
        sip.ladder_lost,
    );
    line(
        "transfer_calls",
        "gauge",
        "Calls placed for transfers that are being placed or up.",
        outgoing.up as u64,
    );
    line(
        "transfer_calls_total",
        "counter",
        "Calls placed for transfers.",
        outgoing.placed,
    );
    line(
        "transfer_calls_refused_total",
        "counter",
        "Transfers that failed because a limit of such calls was reached.",
        outgoing.refused,
    );
    line(
        "failures_total",
        "counter",
        "Failures of steps and prompts.",
        api.node.failures(),
    );
    line(
        "step_instances_dropped_total",
        "counter",
        "Instances dropped in a long wait; each is built anew when its step goes on.",
        api.node.dropped(),
    );
    line(
        "media_ports_in_use",
        "gauge",
        "Audio ports in use.",
        media.ports_in_use,
    );
    line(
        "http_stalled_total",
        "counter",
        "HTTP connections ended because their peers took nothing of what was written to them.",
        listen::stalled(),
    );
    line(
        "http_gave_way_total",
        "counter",
        "HTTP connections ended, or not taken, because there were as many as can be.",
        listen::gave_way(),
    );
    line(
        "event_streams_refused_total",
        "counter",
        "Streams of events refused because there were too many.",
        events::refused(),
    );
    let [refused, left_out] = api.gate.refusals.counts();
    line(
        "http_changes_refused_total",
        "counter",
        "Changes that were tried over HTTP and not allowed.",
        refused,
    );
    line(
        "audit_left_out_total",
        "counter",
        "Those of them that have no line of their own in the audit log, because there were too many.",
        left_out,
    );
    let [declined, given_up, interrupted] = api.returns.counts();
    let waiting = api.returns.waiting() as u64;
    for (name, kind, help, value) in [
        (
            "calls_dropped",
            "gauge",
            "Calls that dropped and whose callers may come back.",
            waiting,
        ),
        (
            "calls_resumed_total",
            "counter",
            "Callers who went on with a call that had dropped.",
            api.node.resumed(),
        ),
        (
            "calls_declined_total",
            "counter",
            "Callers who came back after a drop and began anew.",
            declined,
        ),
        (
            "calls_given_up_total",
            "counter",
            "Calls that dropped and whose callers did not come back in time.",
            given_up,
        ),
        (
            "calls_not_resumed_total",
            "counter",
            "Calls that dropped and could not be built again, as when their revision is gone.",
            interrupted,
        ),
    ] {
        line(name, kind, help, value);
    }
    if let Some(chats) = &api.chats {
        let (open, awake) = chats.count();
        line("chats", "gauge", "Chats that are open.", open as u64);
        line(
            "chats_awake",
            "gauge",
            "Open chats that are held in memory whole; the others are their journals.",
            awake as u64,
        );
        line(
            "chats_resumed_total",
            "counter",
            "Times that a chat was built again from its journal.",
            chats.resumed(),
        );
        line(
            "chats_interrupted_total",
            "counter",
            "Chats that could not be built again, and were ended.",
            chats.interrupted(),
        );
        line(
            "chat_waits_refused_total",
            "counter",
            "Requests for a chat's events refused because too many waited.",
            chats.listeners_refused(),
        );
    }
    if let Some(store) = &api.node.store {
        let health = store.health();
        line(
            "store_up",
            "gauge",
            "Whether the store takes what is written.",
            u64::from(store.gone().is_none()),
        );
        line(
            "store_waiting",
            "gauge",
            "Records that wait to be written.",
            health.waiting(),
        );
        line(
            "store_outages_total",
            "counter",
            "Times that the store was gone.",
            health.outages(),
        );
        line(
            "store_lost_total",
            "counter",
            "Records given up: refused by the store, or beyond what is held while it is gone.",
            health.lost(),
        );
        line(
            "store_records_damaged",
            "gauge",
            "Contacts whose record was found damaged since the start, and left out; the log names each once.",
            health.damaged(),
        );
        line(
            "revision_files_mended_total",
            "counter",
            "Files of revisions in the data folder that were not as they were pushed, and were laid out again.",
            health.mended(),
        );
    }
    let more = [
        (
            "sip_malformed_dropped_total",
            "Messages that were not SIP: dropped.",
            sip.malformed_dropped,
        ),
        (
            "sip_malformed_answered_total",
            "Malformed requests answered with a refusal.",
            sip.malformed_answered,
        ),
        (
            "sip_info_refused_total",
            "INFOs refused because they carry no key.",
            sip.info_refused,
        ),
        (
            "sip_rate_limited_total",
            "New calls refused 503 by a limit.",
            sip.rate_limited,
        ),
        (
            "sip_retransmissions_total",
            "Messages absorbed as retransmissions.",
            sip.retransmissions,
        ),
        (
            "rtp_packets_in_total",
            "Audio packets received.",
            media.packets_in,
        ),
        (
            "rtp_packets_out_total",
            "Audio packets sent.",
            media.packets_out,
        ),
        (
            "recordings_failed_total",
            "Recordings that could not be written, or not to their end, whatever the reason.",
            media.record_failed,
        ),
        (
            "rtp_malformed_total",
            "Datagrams that were not RTP: dropped.",
            media.malformed,
        ),
        (
            "rtp_foreign_total",
            "Audio packets from a source that is not the caller's: dropped.",
            media.foreign,
        ),
        (
            "media_events_dropped_total",
            "Keys lost because a contact did not take them.",
            media.events_dropped,
        ),
    ];
    for (name, help, value) in more {
        line(name, "counter", help, value);
    }
    text
}

/// What says what the lines below are.
fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    writeln!(
        text,
        "# HELP strowger_{name} {help}\n# TYPE strowger_{name} {kind}"
    )
    .expect("writing to a string");
}

/// One measure, by its name, kind and help, of each tenant, or of one.
fn of_each(
    api: &Api,
    own: Option<&str>,
    text: &mut String,
    (name, kind, help): (&str, &str, &str),
    measure: impl Fn(&Tenant) -> u64,
) {
    head(text, name, kind, help);
    for tenant in api.centre.tenants() {
        if own.is_none_or(|own| own == tenant.name) {
            let (value, tenant) = (measure(&tenant), &tenant.name);
            writeln!(text, "strowger_{name}{{tenant=\"{tenant}\"}} {value}")
                .expect("writing to a string");
        }
    }
}

/// What counts for each tenant, or for one.
fn of_tenants(api: &Api, own: Option<&str>, text: &mut String) {
    head(
        text,
        "plugin_refusals_total",
        "counter",
        "Calls of plugins refused, by tenant and limit.",
    );
    for tenant in api.centre.tenants() {
        if own.is_some_and(|own| own != tenant.name) {
            continue;
        }
        for (limit, refused) in tenant.allowance.refused() {
            // Names of tenants and limits need no quoting.
            let name = &tenant.name;
            writeln!(
                text,
                "strowger_plugin_refusals_total{{tenant=\"{name}\",limit=\"{limit}\"}} {refused}"
            )
            .expect("writing to a string");
        }
    }
    type Count = fn(CallCounts) -> u64;
    let calls: [(&str, &str, &str, Count); 3] = [
        (
            "tenant_transfer_calls",
            "gauge",
            "Calls placed for transfers of a tenant's that are being placed or up.",
            |calls| calls.up as u64,
        ),
        (
            "tenant_transfer_calls_total",
            "counter",
            "Calls placed for transfers of a tenant's.",
            |calls| calls.placed,
        ),
        (
            "tenant_transfer_calls_refused_total",
            "counter",
            "Transfers of a tenant's that failed because a limit of such calls was reached.",
            |calls| calls.refused,
        ),
    ];
    for (name, kind, help, count) in calls {
        of_each(api, own, text, (name, kind, help), |tenant| {
            count(api.outgoing.counts_of(&tenant.name))
        });
    }
    type Measure = fn(Load) -> u64;
    let recordings: [(&str, &str, &str, Measure); 3] = [
        (
            "recordings_bytes",
            "gauge",
            "Bytes that the recordings of a tenant take on the disk.",
            |load| load.taken,
        ),
        (
            "recordings_bytes_most",
            "gauge",
            "What they may take.",
            |load| load.most,
        ),
        (
            "recordings_cut_total",
            "counter",
            "Recordings of a tenant that ended early, or did not begin, because there was no more room for them.",
            |load| load.cut,
        ),
    ];
    for (name, kind, help, measure) in recordings {
        of_each(api, own, text, (name, kind, help), |tenant| {
            measure(api.node.shelves.of(&tenant.name).load())
        });
    }
    let flows = (
        "tenant_flow_bytes",
        "gauge",
        "Memory that a tenant's flows take, those of all its revisions in memory.",
    );
    match api.centre.publishes() {
        true => of_each(api, own, text, flows, Tenant::flows_held),
        // A project that is served from its folder has one revision, and no bound on it.
        false => head(text, flows.0, flows.1, flows.2),
    }
    let bounded = api
        .node
        .store
        .as_ref()
        .map(|store| store.weights().bounded());
    let bounded = bounded.unwrap_or_default();
    let bounded: Vec<_> = bounded
        .iter()
        .filter(|(tenant, _)| own.is_none_or(|own| own == tenant.as_str()))
        .collect();
    head(
        text,
        "kept_bytes",
        "gauge",
        "Bytes of the store that what is kept of a tenant takes, where that is bounded.",
    );
    for (tenant, (parts, _)) in &bounded {
        for (of, bytes) in parts.named() {
            writeln!(
                text,
                "strowger_kept_bytes{{tenant=\"{tenant}\",of=\"{of}\"}} {bytes}"
            )
            .expect("writing to a string");
        }
    }
    head(text, "kept_bytes_most", "gauge", "What all of it may take.");
    for (tenant, (_, most)) in &bounded {
        writeln!(
            text,
            "strowger_kept_bytes_most{{tenant=\"{tenant}\"}} {most}"
        )
        .expect("writing to a string");
    }
}
