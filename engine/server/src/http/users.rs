//! People who sign in with a password: setting, listing and removing them.

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use strowger_flow::unseen::quoted;
use utoipa::ToSchema;

use super::extract::{Id, IfMatch, SecretBody};
use super::page::{Listed, Page, PageOfNames};
use super::principal::Principal;
use super::problem::ProblemBody;
use super::tagged::Tagged;
use super::{Api, Problem};
use crate::access::{Asks, Passwords, Role, is_user_name, scope, tenant_of};
use crate::store::{AccessError, UserRow};

/// Somebody who can sign in.
#[derive(Serialize, ToSchema)]
pub(crate) struct User {
    /// The name that is typed.
    name: String,
    /// The role.
    role: String,
    /// The tenant, or `*`: the whole centre.
    tenant: String,
    /// When the user was set, in milliseconds since 1970.
    made_at: i64,
    /// Who did.
    made_by: String,
}

impl From<UserRow> for User {
    fn from(row: UserRow) -> User {
        User {
            name: row.name,
            role: row.role,
            tenant: row.tenant,
            made_at: row.made_at,
            made_by: row.made_by,
        }
    }
}

/// What a user shall be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedUser {
    /// The password: 12 to 256 characters. Its argon2id hash is kept.
    #[schema(min_length = 12, max_length = 256)]
    password: String,
    /// The role; it may do no more than you.
    role: Role,
    /// The tenant, or `*`; yours unless you say another.
    #[schema(max_length = 64, pattern = r"^(\*|[a-z][a-z0-9-]*)$")]
    tenant: Option<String>,
}

/// List users
///
/// By name; without their passwords' hashes.
#[utoipa::path(
    get, path = "/v1/users", operation_id = "list_users", tag = "access", params(PageOfNames),
    responses((status = 200, body = Page<User>, headers(("Link" = String, description = "The next page; not on the last."))))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    principal: Principal,
    listed: Listed<String>,
) -> Result<Page<User>, Problem> {
    let rows = api.gate.store()?.users().await?.into_iter();
    let rows = rows.filter(|row| listed.follows(&row.name) && principal.sees_scope(&row.tenant));
    Ok(listed.page(rows.map(User::from), |user| user.name.clone()))
}

/// Look at a user
#[utoipa::path(
    get, path = "/v1/users/{name}", operation_id = "get_user", tag = "access",
    params(("name" = String, Path, description = "The name.", max_length = 64)),
    responses(
        (status = 200, body = User, headers(("ETag" = String))),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No such user, or another tenant's."),
    )
)]
pub(crate) async fn one(
    State(api): State<Api>,
    principal: Principal,
    Id(name): Id,
) -> Result<Tagged<User>, Problem> {
    Ok(Tagged(seen(&api, &principal, &name).await?.into()))
}

/// Set a user
///
/// A new one, or another password or role for one that is there, whose sessions end with it. From the first user on nobody
/// is let in without signing in or a token.
#[utoipa::path(
    put, path = "/v1/users/{name}", operation_id = "set_user", tag = "access", request_body = WantedUser,
    params(
        ("name" = String, Path, description = "The name to sign in with: lower-case letters, digits and .-_@, a letter first.", pattern = r"^[a-z][a-z0-9._@-]{0,63}$"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that a GET gave: change the user only as it was then."),
    ),
    responses(
        (status = 200, body = User, description = "The user can sign in.", headers(("ETag" = String))),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "The name has a control character, or there is no such tenant."),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "The name is taken, or there are too many users."),
        (status = 412, body = ProblemBody, content_type = "application/problem+json", description = "The user was changed since."),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "The name, the password or the tenant is none."),
    )
)]
pub(crate) async fn set(
    State(api): State<Api>,
    Id(name): Id,
    principal: Principal,
    if_match: IfMatch,
    SecretBody(wanted): SecretBody<WantedUser>,
) -> Result<Response, Problem> {
    if !is_user_name(&name) {
        return Err(Problem::unprocessable(
            "a user's name is lower-case letters, digits and .-_@, a letter first, at most 64",
        ));
    }
    let tenant = principal.tenant_for(wanted.tenant.as_deref(), &api)?;
    Passwords::check(&wanted.password)?;
    let now = api.now();
    let change = principal
        .change(now, "user.set", &name)
        .of_tenant(tenant.clone())
        .with(json!({ "role": wanted.role }));
    let store = api.gate.store()?;
    let before = store.user(&name).await?;
    let yours = |before: &UserRow| {
        let role = Role::of_name(&before.role);
        principal.sees_scope(&before.tenant) && role.is_none_or(|role| principal.role.covers(role))
    };
    let rule = "a user may do no more than whoever makes one";
    let refusal = match before.as_ref().is_none_or(yours) {
        true => principal
            .may_hand_out(wanted.role, tenant.as_deref(), rule)
            .err(),
        false => Some(Problem::conflict(format!(
            "`{name}` cannot be had: names are one centre's, and some are kept; choose another, such as `{name}.{}`",
            tenant.as_deref().unwrap_or("staff")
        ))),
    };
    if let Some(refusal) = refusal {
        let _ = api.audit(&change.refused()).await?;
        return Err(refusal);
    }
    match &before {
        Some(before) => if_match.check(&User::from(before.clone()))?,
        None => if_match.check_absent()?,
    }
    let asks = Asks::Tenant(principal.tenant.clone());
    let password = api.gate.passwords.hash(asks, wanted.password).await?;
    let _turn = api.gate.making.lock().await;
    if let (None, Some(tenant)) = (&before, &tenant) {
        let most = api.centre.limits_of(tenant).users;
        if store.users_of(tenant).await? >= u64::from(most) {
            let _ = api.audit(&change.refused()).await?;
            return Err(Problem::conflict(format!(
                "tenant {tenant} may have {most} users (limits.users), and has no fewer: remove those who are gone; /v1/users lists them"
            )));
        }
    }
    let row = UserRow {
        name,
        password,
        role: wanted.role.name().to_owned(),
        tenant: scope(tenant.as_deref()).to_owned(),
        made_at: i64::try_from(now).unwrap_or(i64::MAX),
        made_by: principal.who,
    };
    let audited = match store.set_user(&row, before.as_ref(), &change).await {
        // Another change came between: of a condition that is not true any more that is told, by 412 (RFC 9110 §13.1).
        Err(error @ AccessError::Limit(_)) if if_match.is_given() => {
            match store.user(&row.name).await? {
                Some(now) => if_match.check(&User::from(now))?,
                None => if_match.check_absent()?,
            }
            return Err(error.into());
        }
        done => done?,
    };
    Ok((Extension(audited), Tagged(User::from(row))).into_response())
}

/// Remove a user
///
/// The sessions end with it.
#[utoipa::path(
    delete, path = "/v1/users/{name}", operation_id = "remove_user", tag = "access",
    params(
        ("name" = String, Path, description = "The name.", max_length = 64),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that a GET gave: remove the user only as it was then."),
    ),
    responses(
        (status = 204, description = "The user is removed."),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No such user, or another tenant's."),
        (status = 412, body = ProblemBody, content_type = "application/problem+json", description = "The user was changed since."),
    )
)]
pub(crate) async fn remove(
    State(api): State<Api>,
    principal: Principal,
    Id(name): Id,
    if_match: IfMatch,
) -> Result<Response, Problem> {
    let user = seen(&api, &principal, &name).await?;
    let change = principal
        .change(api.now(), "user.remove", &name)
        .of_tenant(tenant_of(&user.tenant))
        .with(json!({ "role": user.role }));
    if_match.check(&User::from(user))?;
    let removed = api.gate.store()?.remove_user(&name, &change).await?;
    let audited = removed.ok_or_else(|| unknown(&name))?;
    Ok((StatusCode::NO_CONTENT, Extension(audited)).into_response())
}

/// A user that somebody sees.
async fn seen(api: &Api, principal: &Principal, name: &str) -> Result<UserRow, Problem> {
    let user = api.gate.store()?.user(name).await?;
    let seen = user.filter(|user| principal.sees_scope(&user.tenant));
    seen.ok_or_else(|| unknown(name))
}

fn unknown(name: &str) -> Problem {
    let shown = quoted(name);
    Problem::not_found(format!("there is no user `{shown}`; /v1/users lists them"))
}
