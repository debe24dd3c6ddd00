//! Signing in with a password, for people: a session is a cookie that a browser keeps and no script sees.

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::extract::SecretBody;
use super::gate::COOKIE_NAME;
use super::principal::{Means, Principal};
use super::{Api, Peer, Problem};
use crate::access::{
    Asks, Permission, Role, digest, is_user_name, random_secret, scope, tenant_of,
};
use crate::store::{Change, Outcome};

/// How long a session lasts, in seconds: a working day.
const LASTS_S: u64 = 12 * 3_600;

/// What is typed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignIn {
    /// The user's name.
    #[schema(max_length = 64)]
    name: String,
    /// The password.
    #[schema(format = Password, max_length = 256)]
    password: String,
}

/// Who one is.
#[derive(Serialize, ToSchema)]
pub(crate) struct Me {
    /// As the audit log says it: `token:ID`, `user:NAME`, or `loopback` before there is any token.
    who: String,
    /// The name of the token or the user.
    name: String,
    /// The role.
    role: Role,
    /// The tenant, or `*`: the whole centre.
    tenant: String,
    /// What the role may do.
    permissions: Vec<Permission>,
    /// Until when, in milliseconds since 1970; null for ever.
    #[schema(required)]
    expires_at: Option<i64>,
}

impl Me {
    fn of(principal: &Principal) -> Me {
        Me {
            who: principal.who.clone(),
            name: principal.name.clone(),
            role: principal.role,
            tenant: scope(principal.tenant.as_deref()).to_owned(),
            permissions: principal.role.permissions(),
            expires_at: principal.expires_at,
        }
    }
}

/// Who am I?
///
/// The role, the tenant, and what they allow.
#[utoipa::path(get, path = "/v1/me", operation_id = "get_me", tag = "access", responses((status = 200, body = Me)))]
pub(crate) async fn me(principal: Principal) -> Json<Me> {
    Json(Me::of(&principal))
}

/// Sign in
///
/// Begins a session of 12 hours. A wrong password and an unknown user get the same answer, after the same time.
#[utoipa::path(
    post, path = "/v1/session", operation_id = "sign_in", tag = "access", request_body = SignIn,
    responses(
        (status = 201, body = Me, headers(("Set-Cookie" = String, description = "The session: HttpOnly, SameSite=Strict."))),
        (status = 401, body = super::problem::ProblemBody, content_type = "application/problem+json",
         description = "No such user, or another password."),
    )
)]
pub(crate) async fn sign_in(
    State(api): State<Api>,
    peer: Option<Extension<Peer>>,
    SecretBody(given): SecretBody<SignIn>,
) -> Result<Response, Problem> {
    let peer = peer.map_or_else(Peer::default, |Extension(peer)| peer);
    let now = api.now();
    let store = api.gate.store()?;
    // A text that can be no name would only fill the limits' memory.
    let name = if is_user_name(&given.name) {
        given.name
    } else {
        "?".to_owned()
    };
    api.gate.count_sign_in(peer, &name, now)?;
    let user = store.user(&name).await?;
    let hash = user.as_ref().map(|user| user.password.clone());
    let asks = Asks::Source(peer.to_string());
    let verified = api.gate.passwords.verify(asks, given.password, hash);
    let verified = verified.await;
    let right = verified.map_err(|error| Problem::internal(error.to_string()))?;
    let mut change = Change {
        at: now,
        who: format!("user:{name}"),
        role: Role::Auditor,
        tenant: None,
        action: "session.make".to_owned(),
        // A name that is none may be a password, typed into the wrong field.
        object: if user.is_some() {
            name.clone()
        } else {
            "?".to_owned()
        },
        detail: json!({ "source": peer.to_string() }),
        outcome: Outcome::Refused,
    };
    let known = user.and_then(|user| Some((Role::of_name(&user.role)?, user)));
    if let Some((role, user)) = &known {
        (change.role, change.tenant) = (*role, tenant_of(&user.tenant));
    } else {
        change.who = "user:?".to_owned();
    }
    let (true, Some((role, user))) = (right, known) else {
        let _ = api.audit(&change).await?;
        return Err(Problem::unauthorized(
            "there is no such user, or the password is another one",
        ));
    };
    change.outcome = Outcome::Done;
    let secret = random_secret();
    let expires_at = now + LASTS_S * 1_000;
    let audited = store
        .make_session(&digest(&secret), &user.name, expires_at, &change)
        .await?;
    let me = Me::of(&Principal {
        who: change.who,
        name: user.name,
        role,
        tenant: tenant_of(&user.tenant),
        expires_at: i64::try_from(expires_at).ok(),
        means: Means::Session(Vec::new()),
    });
    let cookie = cookie(&secret, LASTS_S, api.gate.tls);
    Ok((
        StatusCode::CREATED,
        Extension(audited),
        [(header::SET_COOKIE, cookie)],
        Json(me),
    )
        .into_response())
}

/// Sign out
///
/// Ends the session that the request came with.
#[utoipa::path(
    delete, path = "/v1/session", operation_id = "sign_out", tag = "access",
    responses(
        (status = 204, description = "It is over."),
        (status = 404, body = super::problem::ProblemBody, content_type = "application/problem+json",
         description = "The request came with a token, and no session."),
    )
)]
pub(crate) async fn sign_out(
    State(api): State<Api>,
    principal: Principal,
) -> Result<Response, Problem> {
    let Means::Session(hash) = &principal.means else {
        return Err(Problem::not_found(
            "there is no session to end: you came with a token, or from this machine",
        ));
    };
    let change = principal.change(api.now(), "session.end", &principal.name);
    let audited = api.gate.store()?.end_session(hash, &change).await?;
    let gone = cookie("", 0, api.gate.tls);
    Ok((
        StatusCode::NO_CONTENT,
        Extension(audited),
        [(header::SET_COOKIE, gone)],
    )
        .into_response())
}

fn cookie(value: &str, seconds: u64, tls: bool) -> HeaderValue {
    let secure = if tls { "; Secure" } else { "" };
    let cookie = format!(
        "{COOKIE_NAME}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}"
    );
    HeaderValue::from_str(&cookie).expect("a cookie of ours is of visible ASCII")
}
