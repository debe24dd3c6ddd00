//! `strowger release`

use clap::Args;
use hyper::Method;
use serde_json::{Value as Json, json};

use super::push::released_told;
use super::remote::Remote;
use super::token::when;
use super::{Failure, OK};

/// Makes a tenant's revision live, for all callers or some; rolls back; says what is live.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger release --tenant aurora                what is live
  strowger release 7 --tenant aurora              revision 7 for every new contact
  strowger release 7 --tenant aurora --percent 10 for one caller in ten; the others keep what is live
  strowger release --tenant aurora --roll-back    what was live before; again, what was live before that
  strowger release --tenant aurora --list         the last releases, and which of them are roll-backs

Contacts in progress keep the revision they began with.

Exit code: 0 done, 1 refused, 2 it could not be asked.")]
pub(super) struct ReleaseArguments {
    /// The revision.
    #[arg(conflicts_with = "roll_back")]
    revision: Option<u64>,
    /// The tenant.
    #[arg(long)]
    tenant: String,
    #[command(flatten)]
    remote: Remote,
    /// How many of a hundred callers get it.
    #[arg(long, default_value_t = 100, requires = "revision", value_parser = clap::value_parser!(u8).range(1..=100))]
    percent: u8,
    /// A gain that you accept, as the push told it; `all` for all. May stand more than once.
    #[arg(long, requires = "revision")]
    accept: Vec<String>,
    /// Make live what was live before: a candidate is withdrawn, else the live revision.
    #[arg(long)]
    roll_back: bool,
    /// List the last 50 releases, the newest first; nothing changes.
    #[arg(long, conflicts_with_all = ["revision", "roll_back"])]
    list: bool,
}

impl ReleaseArguments {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        let path = format!("/v1/tenants/{}/release", self.tenant);
        let kind = [("content-type", "application/json")];
        if self.list {
            let path = format!("{path}s");
            let page = self.remote.ask(Method::GET, &path, &[], Vec::new()).await?;
            for release in page["items"].as_array().into_iter().flatten() {
                listed(release);
            }
            return Ok(OK);
        }
        let release = if self.roll_back {
            let path = format!("{path}/rollback");
            self.remote
                .ask(Method::POST, &path, &[], Vec::new())
                .await?
        } else if let Some(revision) = self.revision {
            let order =
                json!({ "revision": revision, "percent": self.percent, "accept": self.accept });
            let body = order.to_string().into_bytes();
            self.remote.ask(Method::PUT, &path, &kind, body).await?
        } else {
            let path = format!("/v1/tenants/{}", self.tenant);
            let mut tenant = self.remote.ask(Method::GET, &path, &[], Vec::new()).await?;
            let release = tenant["release"].take();
            if release.is_null() {
                tell!("nothing is live");
                return Ok(OK);
            }
            release
        };
        released_told(&release);
        Ok(OK)
    }
}

/// A release as a line of a list.
fn listed(release: &Json) {
    let number = |key: &str| release[key].as_u64();
    let at = when(release["released_at"].as_i64().unwrap_or_default());
    let by = release["released_by"].as_str().unwrap_or_default();
    let some = number("candidate").map_or(String::new(), |candidate| {
        format!(", revision {candidate} for {} %", release["percent"])
    });
    let back = number("restores").map_or(String::new(), |restored| {
        format!(", a roll-back to release {restored}")
    });
    tell!(
        "{}  revision {}{some}{back}  {at}  {by}",
        release["number"],
        release["live"]
    );
}
