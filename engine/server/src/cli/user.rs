//! `strowger user`

use std::io::Read as _;

use clap::{Args, Subcommand};
use serde_json::json;

use super::token::{Of, change, checked_scope, known_tenant, when, whose};
use super::{FOUND, Failure, OK};
use crate::access::{Asks, EVERY_TENANT, MAX_PASSWORD_BYTES, Passwords, Role, is_user_name};
use crate::store::UserRow;

/// Adds, lists and removes people who sign in with a password, while the engine may be running.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger user add rosa --role designer --tenant aurora <password.txt
  strowger user list
  strowger user remove rosa

The password is the first line on stdin, 12 characters at least. For another password, remove the user and add it
again. From the first user on, the engine lets nobody in without signing in or a token.

Exit code: 0 done, 1 there is no such user, 2 it cannot be done.")]
pub(super) struct User {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Add a user; the password comes on stdin.
    Add(Add),
    /// List all users.
    List(Of),
    /// Remove a user and end the sessions.
    Remove(Remove),
}

#[derive(Debug, Args)]
struct Add {
    /// The name to sign in with: lower-case letters, digits and .-_@, a letter first.
    name: String,
    /// What the user may do: docs/operations.md has the table.
    #[arg(long)]
    role: Role,
    /// The tenant; the whole centre by default.
    #[arg(long, default_value = EVERY_TENANT)]
    tenant: String,
    #[command(flatten)]
    of: Of,
}

#[derive(Debug, Args)]
struct Remove {
    /// The name.
    name: String,
    #[command(flatten)]
    of: Of,
}

impl User {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        match self.what {
            What::Add(add) => add.run().await,
            What::List(of) => list(of).await,
            What::Remove(remove) => remove.run().await,
        }
    }
}

impl Add {
    async fn run(self) -> Result<u8, Failure> {
        checked_scope(&self.tenant)?;
        known_tenant(&self.tenant, self.of.folder())?;
        if !is_user_name(&self.name) {
            return Err(Failure::cannot(
                "a user's name is lower-case letters, digits and .-_@, a letter first, at most 64",
            ));
        }
        let password =
            first_line().map_err(|why| Failure::cannot(format!("the password on stdin {why}")))?;
        let password = Passwords::default()
            .hash(Asks::Tenant(None), password)
            .await
            .map_err(Failure::cannot)?;
        let store = self.of.store().await?;
        let change = change(
            "user.make",
            &self.name,
            &self.tenant,
            json!({ "role": self.role }),
        );
        let user = UserRow {
            name: self.name,
            password,
            role: self.role.name().to_owned(),
            tenant: self.tenant,
            made_at: i64::try_from(change.at).unwrap_or(i64::MAX),
            made_by: change.who.clone(),
        };
        let _ = store
            .set_user(&user, None, &change)
            .await
            .map_err(Failure::cannot)?;
        store.close().await;
        eprintln!(
            "user {} of the role {}, for {}, in {}",
            user.name,
            user.role,
            whose(&user.tenant),
            store.place()
        );
        Ok(OK)
    }
}

/// The first line on stdin, without its end.
fn first_line() -> Result<String, String> {
    // One byte more than may be, and the end of the line.
    let most = MAX_PASSWORD_BYTES as u64 + 3;
    let mut bytes = Vec::new();
    let read = std::io::stdin().take(most).read_to_end(&mut bytes);
    read.map_err(|error| format!("cannot be read: {error}"))?;
    let line = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    String::from_utf8(line.to_vec()).map_err(|_| "is no UTF-8 text".to_owned())
}

async fn list(of: Of) -> Result<u8, Failure> {
    let store = of.store().await?;
    for user in store.users().await.map_err(Failure::cannot)? {
        tell!(
            "{}  {}  {}  made {} by {}",
            user.name,
            user.role,
            user.tenant,
            when(user.made_at),
            user.made_by
        );
    }
    store.close().await;
    Ok(OK)
}

impl Remove {
    async fn run(self) -> Result<u8, Failure> {
        let store = self.of.store().await?;
        let unknown = || {
            Failure::new(
                FOUND,
                "there is no such user; `strowger user list` shows them",
            )
        };
        let user = store
            .user(&self.name)
            .await
            .map_err(Failure::cannot)?
            .ok_or_else(unknown)?;
        let change = change(
            "user.remove",
            &user.name,
            &user.tenant,
            json!({ "role": user.role }),
        );
        let removed = store
            .remove_user(&user.name, &change)
            .await
            .map_err(Failure::cannot)?;
        let _ = removed.ok_or_else(unknown)?;
        store.close().await;
        eprintln!("user {} is removed, and the sessions are over", user.name);
        Ok(OK)
    }
}
