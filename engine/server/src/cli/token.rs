//! `strowger token`

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use super::{FOUND, Failure, OK, data_folder, own_files, store_of, whoever};
use crate::access::{EVERY_TENANT, NewToken, Role, is_scope, is_token_name, tenant_of};
use crate::centre::{TENANTS, is_centre};
use crate::clock::Clock;
use crate::http::{MAX_DAYS, expiry};
use crate::store::{Change, Outcome, Store, TokenRow};

/// Tokens of a page, when all are listed.
const PAGE: u32 = 200;

/// Makes, lists and revokes tokens for the HTTP API, while the engine may be running.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger token new --role owner --project flows/aurora --data /var/lib/strowger
  strowger token new --role auditor --tenant aurora --name dashboards --expires 90
  strowger token list
  strowger token revoke 0199f2c5e1a7b3c2d4e

The token is printed once, on stdout, and kept nowhere; its id is the part after strw_. From the first token on, the
engine lets nobody in without one.

Exit code: 0 done, 1 there is no such token, 2 it cannot be done.")]
pub(super) struct Token {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a token and print it.
    New(New),
    /// List the tokens that were not revoked.
    List(Of),
    /// Revoke a token: from now on it is good for nothing.
    Revoke(Revoke),
}

#[derive(Debug, Args)]
struct New {
    /// What it may do: docs/operations.md has the table.
    #[arg(long)]
    role: Role,
    /// The tenant it belongs to; the whole centre by default.
    #[arg(long, default_value = EVERY_TENANT)]
    tenant: String,
    /// What it is for.
    #[arg(long, default_value = "made at the command line")]
    name: String,
    /// In how many days it is good no more; never by default.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_DAYS)))]
    expires: Option<u32>,
    #[command(flatten)]
    of: Of,
}

#[derive(Debug, Args)]
struct Revoke {
    /// Its id, as `token list` shows it.
    id: String,
    #[command(flatten)]
    of: Of,
}

/// Whose store.
#[derive(Debug, Args)]
pub(super) struct Of {
    /// The project's or the centre's folder.
    #[arg(long, short, default_value = ".")]
    project: PathBuf,
    /// Where `strowger serve` keeps its data; `PROJECT/.strowger` by default.
    #[arg(long)]
    data: Option<PathBuf>,
}

impl Of {
    /// The project's or the centre's folder.
    pub(super) fn folder(&self) -> &Path {
        &self.project
    }

    pub(super) async fn store(self) -> Result<Store, Failure> {
        own_files();
        let data = data_folder(self.data, &self.project);
        let place = store_of(&self.project, &data)?;
        Store::open(&place).await.map_err(Failure::cannot)
    }
}

impl Token {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        match self.what {
            What::New(new) => new.run().await,
            What::List(of) => list(of).await,
            What::Revoke(revoke) => revoke.run().await,
        }
    }
}

/// What the command line changes, as the audit log has it.
pub(super) fn change(
    action: &str,
    object: &str,
    tenant: &str,
    detail: serde_json::Value,
) -> Change {
    Change {
        at: Clock::start().now(),
        who: whoever(),
        // Who can write the store can do everything.
        role: Role::Owner,
        tenant: tenant_of(tenant),
        action: action.to_owned(),
        object: object.to_owned(),
        detail,
        outcome: Outcome::Done,
    }
}

/// A tenant as it is given at the command line.
pub(super) fn checked_scope(tenant: &str) -> Result<(), Failure> {
    if is_scope(tenant) {
        return Ok(());
    }
    Err(Failure::cannot(format!(
        "--tenant `{}` is no tenant: give its project.name, or * for the whole centre",
        tenant.escape_debug()
    )))
}

/// An error where a centre has no file of this tenant: a slip in a name would be found by nobody.
pub(super) fn known_tenant(tenant: &str, folder: &Path) -> Result<(), Failure> {
    let file = folder.join(TENANTS).join(format!("{tenant}.toml"));
    if tenant == EVERY_TENANT || !is_centre(folder) || file.is_file() {
        return Ok(());
    }
    Err(Failure::cannot(format!(
        "there is no tenant {tenant}: {} is not there; an empty file makes it",
        file.display()
    )))
}

impl New {
    async fn run(self) -> Result<u8, Failure> {
        checked_scope(&self.tenant)?;
        if !is_token_name(&self.name) {
            return Err(Failure::cannot(
                "--name is 1 to 64 characters, none of them a control character",
            ));
        }
        known_tenant(&self.tenant, self.of.folder())?;
        let store = self.of.store().await?;
        let now = Clock::start().now();
        let token = NewToken::make(now);
        let detail = json!({ "name": self.name, "role": self.role, "days": self.expires });
        let change = change("token.make", &token.id, &self.tenant, detail);
        let row = TokenRow {
            id: token.id,
            hash: token.digest,
            name: self.name,
            role: self.role.name().to_owned(),
            tenant: self.tenant,
            made_at: i64::try_from(now).unwrap_or(i64::MAX),
            made_by: change.who.clone(),
            expires_at: self.expires.map(|days| expiry(now, days)),
            used_at: None,
        };
        let _ = store
            .make_token(&row, &change)
            .await
            .map_err(Failure::cannot)?;
        store.close().await;
        eprintln!(
            "token {} of the role {}, for {}, in {}; keep it now, it is not shown again:",
            row.id,
            row.role,
            whose(&row.tenant),
            store.place()
        );
        tell!("{}", token.text);
        Ok(OK)
    }
}

/// A scope in words.
pub(super) fn whose(scope: &str) -> String {
    match scope {
        EVERY_TENANT => "the whole centre".to_owned(),
        tenant => format!("the tenant {tenant}"),
    }
}

/// A time in milliseconds since 1970, to the minute.
pub(super) fn when(at: i64) -> String {
    let at = jiff::Timestamp::from_millisecond(at).unwrap_or_default();
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

async fn list(of: Of) -> Result<u8, Failure> {
    let store = of.store().await?;
    let mut after: Option<String> = None;
    loop {
        let page = store
            .tokens(None, after.as_deref(), PAGE)
            .await
            .map_err(Failure::cannot)?;
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        for token in page {
            let expires = token.expires_at.map_or("never expires".to_owned(), |at| {
                format!("expires {}", when(at))
            });
            let used = token
                .used_at
                .map_or("never used".to_owned(), |at| format!("used {}", when(at)));
            tell!(
                "{}  {:9}  {}  {}, made {} by {}, {expires}, {used}",
                token.id,
                token.role,
                token.tenant,
                token.name,
                when(token.made_at),
                token.made_by
            );
        }
    }
    store.close().await;
    Ok(OK)
}

impl Revoke {
    async fn run(self) -> Result<u8, Failure> {
        let store = self.of.store().await?;
        let unknown = || {
            Failure::new(
                FOUND,
                "there is no such token; `strowger token list` shows those that are good",
            )
        };
        let token = store
            .token(&self.id)
            .await
            .map_err(Failure::cannot)?
            .ok_or_else(unknown)?;
        let detail = json!({ "name": token.name, "role": token.role });
        let change = change("token.revoke", &self.id, &token.tenant, detail);
        let revoked = store
            .revoke_token(&self.id, &change)
            .await
            .map_err(Failure::cannot)?;
        let _ = revoked.ok_or_else(unknown)?;
        store.close().await;
        eprintln!(
            "token {} ({}) is good for nothing any more",
            token.id, token.name
        );
        Ok(OK)
    }
}
