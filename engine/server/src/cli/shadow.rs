//! `strowger shadow`

use clap::{Args, Subcommand};
use hyper::Method;
use serde_json::{Value as Json, json};

use super::remote::Remote;
use super::{FOUND, Failure, Format, OK};

/// Lets a revision run beside a tenant's live contacts, and tells how they would have gone on it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger shadow start 12 --tenant vega                 beside every contact, for a twentieth of a processor
  strowger shadow start 12 --tenant vega --percent 10 --cpu 2%
  strowger shadow report --tenant vega                   what would change, so far
  strowger shadow stop --tenant vega                     the same, and no more

A contact is followed when it is over: its journal is walked again on the revision, the requests of its plugins are
answered from it, and nothing is sent. Contacts beyond the processor time are left out and counted. A shadow ends with
the engine.

Exit code: 0 done, and with `report` and `stop` nothing differs, 1 something differs, or it is refused, 2 it could not be
asked.")]
pub(super) struct ShadowArguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start one: from now on contacts that end are followed.
    Start {
        /// The revision.
        #[arg(value_parser = clap::value_parser!(u64).range(1..))]
        revision: u64,
        /// Of a hundred contacts, how many are followed.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u8).range(1..=100))]
        percent: u8,
        /// Processor time that it may use: a part of one processor such as 5%, or milliseconds a second such as 50ms.
        #[arg(long, default_value = "5%", value_parser = cpu)]
        cpu: u32,
        #[command(flatten)]
        at: At,
    },
    /// What it has found so far, or had when it was stopped.
    #[command(visible_alias = "status")]
    Report(At),
    /// Stop it.
    Stop(At),
}

#[derive(Debug, Args)]
struct At {
    /// The tenant.
    #[arg(long)]
    tenant: String,
    #[command(flatten)]
    remote: Remote,
    /// How the report is written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Milliseconds a second.
fn cpu(text: &str) -> Result<u32, String> {
    let read = match (text.strip_suffix('%'), text.strip_suffix("ms")) {
        (Some(percent), _) => percent
            .parse::<u32>()
            .ok()
            .and_then(|part| part.checked_mul(10)),
        (_, Some(ms)) => ms.parse().ok(),
        _ => None,
    };
    read.filter(|ms| (1..=1_000).contains(ms)).ok_or_else(|| {
        "write a part of one processor, 1% to 100%, or milliseconds a second, 1ms to 1000ms"
            .to_owned()
    })
}

impl ShadowArguments {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        let json = [("content-type", "application/json")];
        let (at, report, began) = match self.command {
            Command::Start {
                revision,
                percent,
                cpu,
                at,
            } => {
                let order =
                    json!({ "revision": revision, "percent": percent, "cpu_ms_per_s": cpu });
                let body = order.to_string().into_bytes();
                let report = at.ask(Method::PUT, &json, body).await?;
                (at, report, true)
            }
            Command::Report(at) => {
                let report = at.ask(Method::GET, &[], Vec::new()).await?;
                (at, report, false)
            }
            Command::Stop(at) => {
                let report = at.ask(Method::DELETE, &[], Vec::new()).await?;
                (at, report, false)
            }
        };
        match at.format {
            Format::Json => tell!("{report}"),
            Format::Text if began => tell!(
                "revision {} shadows {}, {} % of its contacts, for {} ms of processor time a second; it ends with the engine",
                report["revision"],
                at.tenant,
                report["percent"],
                report["cpu_ms_per_s"]
            ),
            Format::Text => print(&at.tenant, &report),
        }
        match report["different"].as_u64() {
            Some(0) | None => Ok(OK),
            Some(_) => Ok(FOUND),
        }
    }
}

impl At {
    async fn ask(
        &self,
        method: Method,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Json, Failure> {
        let path = format!("/v1/tenants/{}/shadow", self.tenant);
        self.remote.ask(method, &path, headers, body).await
    }
}

fn print(tenant: &str, report: &Json) {
    let runs = match report["running"] == true {
        true => "shadows",
        false => "shadowed",
    };
    tell!("revision {} {runs} {tenant}", report["revision"]);
    tell!(
        "{} contacts ended: {} the same, {} differ, {} waiting; {} ms of processor time",
        report["ended"],
        report["same"],
        report["different"],
        report["waiting"],
        report["cpu_ms"]
    );
    for group in list(&report["groups"]) {
        let examples: Vec<&str> = list(&group["examples"]).filter_map(Json::as_str).collect();
        tell!("{:>8}  {}", text(&group["contacts"]), text(&group["edge"]));
        tell!(
            "          {}, such as {}",
            text(&group["place"]),
            examples.join(", ")
        );
    }
    count(&report["in_other_groups"], "in further ways");
    for (request, contacts) in report["new_requests"].as_object().into_iter().flatten() {
        count(
            contacts,
            &format!("would send what they never sent: {request}"),
        );
    }
    let skipped = &report["skipped"];
    for (key, words) in [
        ("not_chosen", "not followed: beyond the percentage"),
        (
            "over_budget",
            "not followed: the processor time was used up",
        ),
        ("queue_full", "not followed: too many waited"),
        ("on_candidate", "not followed: they walked this revision"),
        ("no_journal", "not followed: their journal cannot be read"),
        ("busy", "not followed: the machine had no room or time"),
        (
            "fault",
            "not followed: a fault of the engine, which the log has",
        ),
    ] {
        count(&skipped[key], words);
    }
    for (why, contacts) in skipped["not_replayed"].as_object().into_iter().flatten() {
        count(contacts, &format!("not replayed: {why}"));
    }
}

fn count(contacts: &Json, words: &str) {
    if contacts.as_u64() > Some(0) {
        tell!("{:>8}  {words}", text(contacts));
    }
}

fn list(json: &Json) -> impl Iterator<Item = &Json> {
    json.as_array().into_iter().flatten()
}

fn text(json: &Json) -> String {
    json.as_str()
        .map_or_else(|| json.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::cpu;

    #[test]
    fn processor_time_is_a_part_or_milliseconds() {
        assert_eq!(cpu("5%"), Ok(50));
        assert_eq!(cpu("50ms"), Ok(50));
        for wrong in ["5", "0%", "101%", "1001ms", "-1%", "%", "4294967295%"] {
            assert!(cpu(wrong).is_err(), "{wrong}");
        }
    }
}
