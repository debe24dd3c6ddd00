//! `strowger plugin push` and `strowger plugin key`

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum as _};
use hyper::Method;

use super::super::push::{Releasing, asked, pushed_told};
use super::super::remote::Remote;
use super::super::{Failure, OK};
use super::kit::Kit;
use super::{host, load, read, refused};
use crate::centre::Onto;
use crate::centre::signature::{SigningKey, Statement};
use crate::http::SIGNATURE;

/// Pushes a plugin's component to a centre: a revision with it in place of the version that is there.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger plugin push --tenant aurora                      the component of the plugin in this folder
  strowger plugin push orders.wasm --tenant aurora --key acme.key --release

The engine checks the component, runs its examples and checks every flow of the tenant with it; what breaks a flow is
refused with the flow's line. A version that is there is never overwritten.

Exit code: 0 it is there, 1 it is refused, 2 it could not be pushed.")]
pub(in crate::cli) struct PluginPush {
    /// The component; default is that of the plugin in this folder.
    component: Option<PathBuf>,
    /// The tenant.
    #[arg(long)]
    tenant: String,
    #[command(flatten)]
    remote: Remote,
    /// Sign with the key in this file; `strowger plugin key` makes one.
    #[arg(long)]
    key: Option<PathBuf>,
    /// What is new, for those who look at the revisions.
    #[arg(long, default_value = "")]
    note: String,
    /// Which revision it is put into; `live` with --release, so that nothing else goes live with it, else `newest`.
    #[arg(long, value_enum)]
    onto: Option<Onto>,
    #[command(flatten)]
    releasing: Releasing,
}

impl PluginPush {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        let path = match self.component {
            Some(path) => path,
            None => Kit::open(Path::new("."))?.component(),
        };
        let component = read(&path)?;
        let signature = match &self.key {
            Some(key) => Some(sign(key, &path, &component, &self.tenant).await?),
            None => None,
        };
        let mut headers = vec![("content-type", "application/octet-stream")];
        if let Some(signature) = &signature {
            headers.push((SIGNATURE, signature.as_str()));
        }
        let onto = self.onto.unwrap_or(match self.releasing.release {
            true => Onto::Live,
            false => Onto::Newest,
        });
        // The API has the names of the option.
        let onto = onto.to_possible_value();
        let onto = onto.as_ref().map_or("", PossibleValue::get_name);
        let query = asked(&[("note", &self.note), ("onto", onto)]);
        let to = format!("/v1/tenants/{}/plugins{query}", self.tenant);
        let pushed = self
            .remote
            .ask(Method::POST, &to, &headers, component)
            .await?;
        pushed_told(&pushed);
        let tenant = &self.tenant;
        self.releasing
            .carry_out(&self.remote, tenant, &pushed)
            .await
    }
}

/// Signs a component: its name and version are what it says of itself.
pub(in crate::cli) async fn sign(
    key: &Path,
    path: &Path,
    component: &[u8],
    tenant: &str,
) -> Result<String, Failure> {
    let text = std::fs::read_to_string(key)
        .map_err(|e| Failure::cannot(format!("cannot read {}: {e}", key.display())))?;
    let key =
        SigningKey::read(&text).map_err(|e| Failure::cannot(format!("{}: {e}", key.display())))?;
    let plugin = load(&host(None)?, component)
        .await
        .map_err(|complaints| refused(path, &complaints))?;
    Ok(Statement::of(tenant, &plugin).sign(&key))
}

/// Makes a key to sign plugins with, and prints its public part.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger plugin key acme.key

The public key goes to the operator, who writes it into the tenant's file:

  [publishers]
  acme = \"…\"

The file is readable by you alone. Keep it apart from the plugin.

Exit code: 0 the key is written, 2 it cannot be.")]
pub(in crate::cli) struct Key {
    /// Where the private key goes; a file that is there is kept.
    file: PathBuf,
}

impl Key {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let (key, text) = SigningKey::generate().map_err(Failure::cannot)?;
        let unwritable = |e: std::io::Error| {
            Failure::cannot(format!("cannot write {}: {e}", self.file.display()))
        };
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.file)
            .map_err(unwritable)?;
        writeln!(file, "{text}").map_err(unwritable)?;
        tell!("{}", key.public());
        Ok(OK)
    }
}
