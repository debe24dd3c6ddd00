//! Vaults: what is in them by name. No value leaves by this way.

use axum::extract::{Extension, FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::extract::{IfMatch, SecretBody};
use super::page::{Listed, Page, PageOfNames};
use super::principal::Principal;
use super::problem::ProblemBody;
use super::tagged::Tagged;
use super::tenants::Named;
use super::{Api, Problem};
use crate::store::{Store, VaultRow};
use crate::vault::{KEY_VARIABLE, Like, NewEntry, VaultError, check_name};

/// An entry of a vault, without its value.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VaultEntry {
    /// Its name; plugins write `vault:` before it.
    name: String,
    /// Where its value may be sent, `host:port`.
    hosts: Vec<String>,
    /// When it was set, in milliseconds since 1970.
    set_at: i64,
    /// Who set it.
    set_by: String,
}

impl From<VaultRow> for VaultEntry {
    fn from(row: VaultRow) -> VaultEntry {
        VaultEntry {
            hosts: row.hosts(),
            name: row.name,
            set_at: row.set_at,
            set_by: row.set_by,
        }
    }
}

/// What is put into a vault.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedEntry {
    /// The secret: one line of text, 8 to 8192 bytes. Nothing gives it back.
    #[schema(min_length = 8, max_length = 8192)]
    value: String,
    /// Where it may be sent, `host:port`.
    #[schema(min_items = 1, max_items = 16)]
    hosts: Vec<String>,
}

/// The name in the path.
pub(crate) struct EntryName(String);

impl FromRequestParts<Api> for EntryName {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        struct InPath {
            name: String,
        }
        let Path(InPath { name }) = Path::from_request_parts(parts, api).await?;
        Ok(EntryName(name))
    }
}

/// List a vault
///
/// Names and hosts; no values, which nobody can read.
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/vault", operation_id = "list_vault", tag = "vault",
    params(("tenant" = String, Path, description = "The tenant's name.", max_length = 64), PageOfNames),
    responses(
        (status = 200, body = Page<VaultEntry>, headers(("Link" = String, description = "The next page; not on the last."))),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No such tenant, or not yours."),
    )
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Named(tenant): Named,
    listed: Listed<String>,
) -> Result<Page<VaultEntry>, Problem> {
    let rows = api.gate.store()?.vault(Some(&tenant)).await?;
    let rows = rows.into_iter().filter(|row| listed.follows(&row.name));
    Ok(listed.page(rows.map(VaultEntry::from), |entry| entry.name.clone()))
}

/// Look at a vault's entry
///
/// Its hosts, and who set it when; no value.
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/vault/{name}", operation_id = "get_vault_entry", tag = "vault",
    params(
        ("tenant" = String, Path, description = "The tenant's name.", max_length = 64),
        ("name" = String, Path, description = "The entry's name.", max_length = 64),
    ),
    responses(
        (status = 200, body = VaultEntry, headers(("ETag" = String))),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No such entry or tenant, or not yours."),
    )
)]
pub(crate) async fn one(
    State(api): State<Api>,
    Named(tenant): Named,
    EntryName(name): EntryName,
) -> Result<Tagged<VaultEntry>, Problem> {
    check_name(&name).map_err(|_| absent())?;
    let row = api.gate.store()?.vault_entry(&tenant, &name).await?;
    Ok(Tagged(row.ok_or_else(absent)?.into()))
}

fn absent() -> Problem {
    Problem::not_found("nothing of this name is in the vault")
}

/// The entry that is there, if the request's `If-Match` fits it.
async fn as_it_was(
    store: &Store,
    tenant: &str,
    name: &str,
    if_match: &IfMatch,
) -> Result<(), Problem> {
    // What is no name is in no vault, and PostgreSQL takes no NUL.
    if !if_match.is_given() || check_name(name).is_err() {
        return Ok(());
    }
    match store.vault_entry(tenant, name).await? {
        Some(row) => if_match.check(&VaultEntry::from(row)),
        None => if_match.check_absent(),
    }
}

/// Set a vault's entry
///
/// In place of the one of its name, if there is one. Requests that begin from now on have the new value.
#[utoipa::path(
    put, path = "/v1/tenants/{tenant}/vault/{name}", operation_id = "set_vault_entry", tag = "vault", request_body = WantedEntry,
    params(
        ("tenant" = String, Path, description = "The tenant's name.", max_length = 64),
        ("name" = String, Path, description = "The entry's name: lower-case letters, digits and -_., a letter first.", max_length = 64),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that a GET of the entry gave: change it only as it was then."),
    ),
    responses(
        (status = 200, body = VaultEntry, description = "It is kept.", headers(("ETag" = String, description = "For the next `If-Match`."))),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No such tenant, or not yours."),
        (status = 412, body = ProblemBody, content_type = "application/problem+json", description = "It was changed since."),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "There is no master key, it is not the one that the other entries are sealed with, or there are too many entries."),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "The name, the value or a host is none."),
    )
)]
pub(crate) async fn set(
    State(api): State<Api>,
    Named(tenant): Named,
    EntryName(name): EntryName,
    principal: Principal,
    if_match: IfMatch,
    SecretBody(wanted): SecretBody<WantedEntry>,
) -> Result<Response, Problem> {
    let store = api.gate.store()?;
    let entry = NewEntry::of(&tenant, &name, &wanted.hosts, &wanted.value);
    let entry = entry.map_err(|error| refused(&api, error))?;
    let change = principal
        .change(api.now(), "vault.set", &name)
        .of_tenant(Some(tenant.clone()))
        .with(json!({ "hosts": entry.hosts() }));
    let _turn = api.gate.changing.lock().await;
    as_it_was(store, &tenant, &name, &if_match).await?;
    let kept = api.node.vault.set(store, &entry, Like::All, &change).await;
    let (row, audited) = kept.map_err(|error| refused(&api, error))?;
    Ok((Extension(audited), Tagged(VaultEntry::from(row))).into_response())
}

/// Why a value is not kept. An entry of the centre's other tenants is for the log alone.
fn refused(api: &Api, error: VaultError) -> Problem {
    match error {
        VaultError::Entry(why) => Problem::unprocessable(why),
        VaultError::Key(why) | VaultError::Limit(why) => Problem::conflict(why),
        VaultError::OtherKey { .. } => {
            tracing::error!("{error}");
            Problem::conflict(match api.node.vault.file() {
                Some(_) => {
                    "what is in the vaults is sealed with another master key than the one in the file of vault.key_file: put the key there that \
                     it is sealed with, such as the new one of `strowger vault rekey`, and try again"
                        .to_owned()
                }
                None => format!(
                    "what is in the vaults is sealed with another master key than the one in {KEY_VARIABLE} when the engine was started: start it \
                     again with the one that it is sealed with, such as the new one of `strowger vault rekey`, and try again"
                ),
            })
        }
        VaultError::Store(error) => error.into(),
    }
}

/// Remove a vault's entry
///
/// Requests that begin from now on do not have it.
#[utoipa::path(
    delete, path = "/v1/tenants/{tenant}/vault/{name}", operation_id = "remove_vault_entry", tag = "vault",
    params(
        ("tenant" = String, Path, description = "The tenant's name.", max_length = 64),
        ("name" = String, Path, description = "The entry's name.", max_length = 64),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that a GET of the entry gave: change it only as it was then."),
    ),
    responses(
        (status = 204, description = "It is removed."),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No such entry or tenant, or not yours."),
        (status = 412, body = ProblemBody, content_type = "application/problem+json", description = "It was changed since."),
    )
)]
pub(crate) async fn remove(
    State(api): State<Api>,
    Named(tenant): Named,
    EntryName(name): EntryName,
    principal: Principal,
    if_match: IfMatch,
) -> Result<Response, Problem> {
    check_name(&name).map_err(|_| absent())?;
    let change = principal
        .change(api.now(), "vault.remove", &name)
        .of_tenant(Some(tenant.clone()));
    let store = api.gate.store()?;
    let _turn = api.gate.changing.lock().await;
    as_it_was(store, &tenant, &name, &if_match).await?;
    let removed = store.remove_vault_entry(&tenant, &name, &change).await?;
    let audited = removed.ok_or_else(absent)?;
    Ok((StatusCode::NO_CONTENT, Extension(audited)).into_response())
}
