//! API tokens: making, listing and revoking them.

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use strowger_flow::unseen::quoted;
use utoipa::ToSchema;

use super::extract::{Body, Id, IfMatch};
use super::idempotency::KeptInstead;
use super::page::{Listed, Page, PageOfNames};
use super::principal::Principal;
use super::problem::ProblemBody;
use super::tagged::Tagged;
use super::{Api, Problem};
use crate::access::{NewToken, Role, is_token_name, scope, tenant_of};
use crate::store::TokenRow;

/// Longest time that a token may be good for, in days: ten years.
pub(crate) const MAX_DAYS: u32 = 3_650;

/// A token, without its secret.
#[derive(Serialize, ToSchema)]
pub(crate) struct Token {
    /// Its id, the second part of its text.
    id: String,
    /// What it is for.
    name: String,
    /// Its role.
    role: String,
    /// Its tenant, or `*`: the whole centre.
    tenant: String,
    /// Milliseconds since 1970.
    made_at: i64,
    /// Who made it.
    made_by: String,
    /// Milliseconds since 1970; null for never.
    #[schema(required)]
    expires_at: Option<i64>,
    /// When it was last used, to the hour, in milliseconds since 1970; null for never.
    #[schema(required)]
    used_at: Option<i64>,
}

impl From<TokenRow> for Token {
    fn from(row: TokenRow) -> Token {
        Token {
            id: row.id,
            name: row.name,
            role: row.role,
            tenant: row.tenant,
            made_at: row.made_at,
            made_by: row.made_by,
            expires_at: row.expires_at,
            used_at: row.used_at,
        }
    }
}

/// A new token.
#[derive(Serialize, ToSchema)]
pub(crate) struct MadeToken {
    #[serde(flatten)]
    about: Token,
    /// The token itself: this answer alone has it. Null when the answer is given again for an `Idempotency-Key`.
    #[schema(required)]
    token: Option<String>,
}

/// What a token shall be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedToken {
    /// What it is for.
    #[schema(min_length = 1, max_length = 64, pattern = r"^[^\x00-\x1f\x7f-\x9f]+$")]
    name: String,
    /// Its role; it may do no more than you.
    role: Role,
    /// Its tenant, or `*`; yours unless you say another.
    #[schema(max_length = 64, pattern = r"^(\*|[a-z][a-z0-9-]*)$")]
    tenant: Option<String>,
    /// For how many days it is good; for ever without.
    #[schema(minimum = 1, maximum = 3650)]
    days: Option<u32>,
}

/// List tokens
///
/// Those that were not revoked, the newest first; without their secrets.
#[utoipa::path(
    get, path = "/v1/tokens", operation_id = "list_tokens", tag = "access", params(PageOfNames),
    responses((status = 200, body = Page<Token>, headers(("Link" = String, description = "The next page; not on the last."))))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    principal: Principal,
    listed: Listed<String>,
) -> Result<Page<Token>, Problem> {
    let (tenant, after) = (principal.tenant.as_deref(), listed.after.as_deref());
    let store = api.gate.store()?;
    let rows = store.tokens(tenant, after, listed.rows()).await?;
    let tokens = rows.into_iter().map(Token::from);
    Ok(listed.page(tokens, |token| token.id.clone()))
}

/// Make a token
///
/// Its text stands in the answer and nowhere else. It may do no more than whoever makes it, and for no other tenant.
#[utoipa::path(
    post, path = "/v1/tokens", operation_id = "make_token", tag = "access", request_body = WantedToken,
    responses(
        (status = 201, body = MadeToken, headers(("Location" = String, description = "The token's address."))),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "The tenant has as many tokens as it may."),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "There is no such tenant."),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "The name, the days or the tenant is none."),
    )
)]
pub(crate) async fn make(
    State(api): State<Api>,
    principal: Principal,
    Body(wanted): Body<WantedToken>,
) -> Result<Response, Problem> {
    let tenant = principal.tenant_for(wanted.tenant.as_deref(), &api)?;
    if !is_token_name(&wanted.name) {
        return Err(Problem::unprocessable(
            "`name` is 1 to 64 characters, none of them a control character",
        ));
    }
    if wanted
        .days
        .is_some_and(|days| !(1..=MAX_DAYS).contains(&days))
    {
        return Err(Problem::unprocessable(format!(
            "`days` is 1 to {MAX_DAYS}; without it the token is good for ever"
        )));
    }
    let now = api.now();
    let token = NewToken::make(now);
    let change = principal
        .change(now, "token.make", &token.id)
        .of_tenant(tenant.clone())
        .with(json!({ "name": wanted.name, "role": wanted.role, "days": wanted.days }));
    let rule = "a token may do no more than whoever makes it";
    if let Err(refusal) = principal.may_hand_out(wanted.role, tenant.as_deref(), rule) {
        let _ = api.audit(&change.refused()).await?;
        return Err(refusal);
    }
    let row = TokenRow {
        id: token.id,
        hash: token.digest,
        name: wanted.name,
        role: wanted.role.name().to_owned(),
        tenant: scope(tenant.as_deref()).to_owned(),
        made_at: i64::try_from(now).unwrap_or(i64::MAX),
        made_by: principal.who,
        expires_at: wanted.days.map(|days| expiry(now, days)),
        used_at: None,
    };
    let store = api.gate.store()?;
    let _turn = api.gate.making.lock().await;
    if let Some(tenant) = &tenant {
        let most = api.centre.limits_of(tenant).tokens;
        let there = store.tokens(Some(tenant), None, most).await?;
        if there.len() >= most as usize {
            let _ = api.audit(&change.refused()).await?;
            return Err(Problem::conflict(format!(
                "tenant {tenant} may have {most} tokens (limits.tokens), and has no fewer: revoke those that nobody needs, expired ones too; /v1/tokens lists them"
            )));
        }
    }
    let audited = store.make_token(&row, &change).await?;
    let location = format!("/v1/tokens/{}", row.id);
    let mut made = MadeToken {
        about: row.into(),
        token: None,
    };
    let kept = serde_json::to_vec(&made).map_err(|e| Problem::internal(e.to_string()))?;
    made.token = Some(token.text);
    Ok((
        StatusCode::CREATED,
        (Extension(audited), Extension(KeptInstead(kept))),
        [(header::LOCATION, location)],
        Json(made),
    )
        .into_response())
}

/// When a token that is good for some days is so no more, in milliseconds since 1970.
pub(crate) fn expiry(now: u64, days: u32) -> i64 {
    i64::try_from(now + u64::from(days) * 86_400_000).unwrap_or(i64::MAX)
}

/// Look at a token
///
/// Without its secret.
#[utoipa::path(
    get, path = "/v1/tokens/{id}", operation_id = "get_token", tag = "access", params(("id" = String, Path, description = "The token's id.", max_length = 64)),
    responses(
        (status = 200, body = Token, headers(("ETag" = String))),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No such token, or another tenant's."),
    )
)]
pub(crate) async fn one(
    State(api): State<Api>,
    principal: Principal,
    Id(id): Id,
) -> Result<Tagged<Token>, Problem> {
    Ok(Tagged(seen(&api, &principal, &id).await?.into()))
}

/// Revoke a token
///
/// From now on it is good for nothing.
#[utoipa::path(
    delete, path = "/v1/tokens/{id}", operation_id = "revoke_token", tag = "access",
    params(
        ("id" = String, Path, description = "The token's id.", max_length = 64),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that a GET gave: revoke it only as it was then."),
    ),
    responses(
        (status = 204, description = "It is revoked."),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No such token, or another tenant's."),
        (status = 412, body = ProblemBody, content_type = "application/problem+json", description = "It was changed since."),
    )
)]
pub(crate) async fn revoke(
    State(api): State<Api>,
    principal: Principal,
    Id(id): Id,
    if_match: IfMatch,
) -> Result<Response, Problem> {
    let token = seen(&api, &principal, &id).await?;
    let change = principal
        .change(api.now(), "token.revoke", &id)
        .of_tenant(tenant_of(&token.tenant))
        .with(json!({ "name": token.name, "role": token.role }));
    if_match.check(&Token::from(token))?;
    let revoked = api.gate.store()?.revoke_token(&id, &change).await?;
    let audited = revoked.ok_or_else(|| unknown(&id))?;
    Ok((StatusCode::NO_CONTENT, Extension(audited)).into_response())
}

/// A token that somebody sees.
async fn seen(api: &Api, principal: &Principal, id: &str) -> Result<TokenRow, Problem> {
    let token = api.gate.store()?.token(id).await?;
    let seen = token.filter(|token| principal.sees_scope(&token.tenant));
    seen.ok_or_else(|| unknown(id))
}

fn unknown(id: &str) -> Problem {
    let shown = quoted(id);
    Problem::not_found(format!(
        "there is no token `{shown}`; /v1/tokens lists them"
    ))
}
