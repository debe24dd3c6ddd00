//! Counters in the text form that Prometheus reads.

use std::fmt::Write as _;
use std::sync::atomic::Ordering;

use axum::extract::State;

use super::Api;

pub(crate) async fn metrics(State(api): State<Api>) -> String {
    let traffic = &api.traffic;
    let media = api.media.stats();
    let mut text = String::new();
    let mut line = |name: &str, kind: &str, help: &str, value: u64| {
        writeln!(
            text,
            "# HELP strowger_{name} {help}\n# TYPE strowger_{name} {kind}\nstrowger_{name} {value}"
        )
        .expect("writing to a string");
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
        "failures_total",
        "counter",
        "Failures of steps and prompts.",
        api.engine.failures(),
    );
    line(
        "media_ports_in_use",
        "gauge",
        "Audio ports in use.",
        media.ports_in_use,
    );
    text
}
