//! What stands before every endpoint: who asks, how often, whether this one may; and behind it: was a change written down,
//! is it known already.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::RequestExt as _;
use axum::extract::{MatchedPath, RawPathParams, Request, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::gate::Payer;
use super::idempotency::{self, KEY};
use super::principal::Principal;
use super::problem::Why;
use super::refusals::Noted;
use super::routes::Access;
use super::uploads::{Upload, Uploads};
use super::{Api, Peer, Problem, chat, gate, tagged};
use crate::store::{Audited, Change};

/// How long an endpoint may take for the head of its answer. Reading the body is part of that.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Most characters of an address that go into the audit log.
const MAX_OBJECT_CHARS: usize = 128;

/// Whether whoever asked still waits: cancelled when the connection is gone, or the time for an answer is over.
#[derive(Debug, Clone)]
pub(super) struct Gone(pub CancellationToken);

/// What holds for one endpoint.
#[derive(Clone)]
pub(super) struct Rule {
    pub api: Api,
    pub access: Access,
    pub body_bytes: usize,
    /// Whether its body is a whole project or component.
    pub push: bool,
    /// How long the endpoint may take.
    pub within: Duration,
}

/// Lets a request through to its endpoint, or does not.
pub(super) async fn guard(State(rule): State<Rule>, mut request: Request, next: Next) -> Response {
    match admit(&rule, &mut request).await {
        Ok(principal) => carry_out(&rule, principal, request, next).await,
        Err(problem) => problem.into_response(),
    }
}

/// Who may go on; `None` where nobody is asked for.
async fn admit(rule: &Rule, request: &mut Request) -> Result<Option<Principal>, Problem> {
    let (api, now) = (&rule.api, rule.api.now());
    let peer = request.extensions().get::<Peer>().copied();
    let source = peer.unwrap_or_default().network();
    let asked = match rule.access {
        Access::Open | Access::OwnToken => None,
        // Who says who it is sees what that one may see.
        Access::OpenOnLoopback(_) if api.gate.loopback && !gate::says_who(request.headers()) => {
            None
        }
        Access::SignedIn => Some(None),
        Access::OpenOnLoopback(permission) | Access::Needs(permission) => Some(Some(permission)),
    };
    if rule.access == Access::OwnToken {
        // Many people may write from behind one address: who has a running chat's token is held to what chats are. Who has none is
        // counted, in `carry_out`.
        if !chat::opens_one(api, request).await {
            api.gate.tired_of(&at(source, request), now)?;
        }
        return Ok(None);
    }
    let Some(permission) = asked else {
        api.gate.count(&at(source, request), now)?;
        // Before there is any token whoever is on this machine is the owner.
        if matches!(rule.access, Access::OpenOnLoopback(_)) {
            let (parts, body) = std::mem::take(request).into_parts();
            let known = api.gate.principal(&parts, Some(source), now).await;
            *request = Request::from_parts(parts, body);
            if let Ok(Some(principal)) = known {
                request.extensions_mut().insert(principal);
            }
        }
        return Ok(None);
    };
    // Whoever has a good token is counted by that alone, whatever else comes from where he is.
    let (parts, body) = std::mem::take(request).into_parts();
    let known = api.gate.principal(&parts, Some(source), now).await;
    *request = Request::from_parts(parts, body);
    let principal = match known {
        Ok(Some(principal)) => principal,
        unknown => {
            api.gate.count(&Payer::Source(source), now)?;
            unknown?;
            return Err(Problem::unauthorized(
                "send a token, `Authorization: Bearer strw_…`, which `strowger token new` makes; or sign in, POST /v1/session",
            ));
        }
    };
    api.gate.count(&Payer::Known(principal.who.clone()), now)?;
    if let Some(tenant) = &principal.tenant {
        let limits = api.centre.limits_of(tenant);
        api.gate.count_tenant(tenant, &limits, now)?;
    }
    let allowed = match permission.filter(|permission| !principal.may(*permission)) {
        None => api
            .served(&principal)
            .and_then(|()| gate::ours(&principal, request.method(), request.headers())),
        Some(permission) => Err(Problem::forbidden(format!(
            "the role {} has not the permission {}: ask an owner for a token of another role",
            principal.role.name(),
            permission.name()
        ))),
    };
    if let Err(problem) = allowed {
        note(api, refusal(&principal, request, now)).await;
        return Err(problem);
    }
    has_room(api, &principal, request)?;
    request.extensions_mut().insert(principal.clone());
    Ok(Some(principal))
}

/// Who pays for a request of which nobody is known, at its endpoint.
fn at(source: IpAddr, request: &Request) -> Payer {
    let path = request.extensions().get::<MatchedPath>();
    Payer::At(source, path.map_or("", MatchedPath::as_str).to_owned())
}

/// 507 for a change by one of a tenant whose lines of the audit log take as much of the store as they may: each change is one more.
/// What takes something away goes on, and so does a roll-back: neither can be done for ever.
fn has_room(api: &Api, principal: &Principal, request: &Request) -> Result<(), Problem> {
    let (Some(tenant), Some(store)) = (&principal.tenant, &api.node.store) else {
        return Ok(());
    };
    let path = request.extensions().get::<MatchedPath>();
    let rolls_back = path.is_some_and(|path| path.as_str().ends_with("/rollback"));
    let makes = changes(request.method()) && request.method() != Method::DELETE && !rolls_back;
    match makes && store.weights().audit_full(tenant) {
        false => Ok(()),
        true => Err(Problem::of(
            StatusCode::INSUFFICIENT_STORAGE,
            format!(
                "the audit log of tenant {tenant} takes as much of the store as it may, an eighth of what limits.journals_percent gives it: \
                 nothing new is made until lines of it go. What removes something, and a roll-back, is done; ask the operator for more room"
            ),
        )),
    }
}

/// A change that was tried and not allowed, for the audit log; what only looks is not in it.
fn refusal(principal: &Principal, request: &Request, now: u64) -> Option<Change> {
    if !changes(request.method()) {
        return None;
    }
    let path = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("?", MatchedPath::as_str);
    let object: String = request
        .uri()
        .path()
        .chars()
        .take(MAX_OBJECT_CHARS)
        .collect();
    Some(
        principal
            .change(now, &format!("{} {path}", request.method()), object)
            .refused(),
    )
}

/// An attempt to change what a tenant has, to be written down if it is refused.
async fn publication(rule: &Rule, principal: &Principal, request: &mut Request) -> Option<Change> {
    let path = request.extensions().get::<MatchedPath>()?;
    if !path.as_str().starts_with("/v1/tenants/{") {
        return None;
    }
    // As the endpoint reads it: `%76ega` is `vega`.
    let named = request.extract_parts::<RawPathParams>().await.ok()?;
    let (_, tenant) = named.iter().next()?;
    // A name that is nobody's is in nobody's log.
    if !principal.sees(tenant) || rule.api.centre.tenant(tenant).is_none() {
        return None;
    }
    let tenant = Some(tenant.to_owned());
    let change = refusal(principal, request, rule.api.now())?;
    Some(change.of_tenant(tenant))
}

/// The attempt as it is written down, if it was refused for what it is, or for a limit.
fn refused_so(attempt: Option<Change>, answer: &Response) -> Option<Change> {
    let status = answer.status();
    let again = answer.extensions().get::<idempotency::Again>().is_some();
    let change = attempt.filter(|_| status.is_client_error() && !again)?;
    let why = answer.extensions().get::<Why>().map(|why| why.0.as_str());
    Some(change.with(json!({ "status": status.as_u16(), "why": why })))
}

/// Writes a refusal into the audit log, or counts it where the same one was refused too often in this minute.
async fn note(api: &Api, refused: Option<Change>) {
    let Some(change) = refused else { return };
    let refusals = &api.gate.refusals;
    match refusals.note(&change.who, change.tenant.as_deref(), change.at) {
        Noted::Written => write_down(api, &change).await,
        Noted::Counted => {}
        Noted::FirstCounted { whose, over_in } => {
            let api = api.clone();
            tokio::spawn(async move {
                tokio::time::sleep(over_in).await;
                let left_out = api.gate.refusals.left_out_of(&whose);
                let told = Change {
                    at: api.now(),
                    action: "audit.left-out".to_owned(),
                    object: String::new(),
                    ..change
                };
                write_down(&api, &told.with(json!({ "refusals": left_out }))).await;
            });
        }
    }
}

async fn write_down(api: &Api, refused: &Change) {
    if let Err(problem) = api.audit(refused).await {
        tracing::warn!(who = %refused.who, "a refusal is not in the audit log: {problem:?}");
    }
}

async fn carry_out(
    rule: &Rule,
    principal: Option<Principal>,
    mut request: Request,
    next: Next,
) -> Response {
    let peer = request.extensions().get::<Peer>().copied();
    let stranger =
        (rule.access == Access::OwnToken).then(|| at(peer.unwrap_or_default().network(), &request));
    let attempt = match &principal {
        Some(principal) => publication(rule, principal, &mut request).await,
        None => None,
    };
    let (request, upload) = match rule.push {
        false => (request, None),
        true => match Uploads::admit(&rule.api, request).await {
            Ok((request, upload)) => (request, Some(upload)),
            Err(problem) => {
                let answer = problem.into_response();
                note(&rule.api, refused_so(attempt, &answer)).await;
                return answer;
            }
        },
    };
    let answer = answered(rule, principal, request, (attempt, upload), next).await;
    let strange = [StatusCode::UNAUTHORIZED, StatusCode::NOT_FOUND];
    if let Some(stranger) = stranger.filter(|_| strange.contains(&answer.status())) {
        // Told at the next request.
        let _ = rule.api.gate.count(&stranger, rule.api.now());
    }
    answer
}

async fn answered(
    rule: &Rule,
    principal: Option<Principal>,
    mut request: Request,
    (attempt, upload): (Option<Change>, Option<Arc<Upload>>),
    next: Next,
) -> Response {
    let asked: HeaderMap = request.headers().clone();
    let method = request.method().clone();
    if !changes(&method) {
        let answer = tokio::time::timeout(rule.within, next.run(request)).await;
        return tagged::unless_known(&asked, answer.unwrap_or_else(|_| too_slow(rule.within)));
    }
    // A change goes on to its end though the client be gone: half of one is worse than one that nobody waits for. What has not
    // begun may be given up.
    let gone = CancellationToken::new();
    request.extensions_mut().insert(Gone(gone.clone()));
    let _waits = gone.drop_guard();
    let (rule, within) = (rule.clone(), rule.within);
    let journalled = rule.access == Access::OwnToken;
    let store = rule.api.node.store.clone();
    let tenant = principal
        .as_ref()
        .and_then(|principal| principal.tenant.clone());
    let done = tokio::spawn(async move {
        let answer = match (principal, method == Method::POST && asked.contains_key(KEY)) {
            (Some(principal), true) => {
                idempotency::once(&rule.api, &principal, rule.body_bytes, request, next).await
            }
            _ => next.run(request).await,
        };
        // Its part of the memory is held up to here.
        let answer = match upload.and_then(|upload| upload.refusal()) {
            Some(problem) => problem.into_response(),
            None => answer,
        };
        let refused = refused_so(attempt, &answer);
        note(&rule.api, refused).await;
        answer
    });
    match tokio::time::timeout(within, done).await {
        Ok(Ok(answer)) if journalled => answer,
        Ok(Ok(answer)) => {
            if let (Some(_), Some(store)) = (answer.extensions().get::<Audited>(), store) {
                store.health().kept();
                if let Some(tenant) = &tenant {
                    store.weights().audited(tenant);
                }
            }
            written_down(answer)
        }
        Ok(Err(error)) => {
            tracing::error!("an endpoint failed: {error}");
            Problem::internal("the engine has a fault here; its log has more").into_response()
        }
        Err(_) => too_slow(within),
    }
}

/// A change that is not in the audit log is a fault of ours, and is not passed over.
fn written_down(answer: Response) -> Response {
    let known = answer.extensions().get::<Audited>().is_some()
        || answer.extensions().get::<idempotency::Again>().is_some();
    if answer.status().is_success() && !known {
        tracing::error!(status = %answer.status(), "an endpoint changes something and does not write it into the audit log");
        return Problem::internal(
            "the change was made and is not in the audit log: this is a fault of the engine",
        )
        .into_response();
    }
    answer
}

fn too_slow(within: Duration) -> Response {
    Problem::of(
        StatusCode::SERVICE_UNAVAILABLE,
        format!(
            "no answer within {} s; look whether it was done before you try again",
            within.as_secs()
        ),
    )
    .into_response()
}

/// Whether a method changes something (RFC 9110 §9.2.1).
pub(super) fn changes(method: &Method) -> bool {
    !method.is_safe()
}

#[cfg(test)]
mod tests {
    use super::written_down;
    use crate::store::{Audited, Store};
    use axum::extract::Extension;
    use axum::http::StatusCode;
    use axum::response::IntoResponse;

    /// The proof can be had from the store alone.
    async fn proof() -> Audited {
        let folder = tempfile::TempDir::new().expect("a folder");
        let place = crate::store::Place::file(folder.path());
        let store = Store::open(&place).await.expect("a store");
        let change = crate::http::principal::Principal::loopback().change(1, "thing.make", "1");
        store.audit(&change).await.expect("written")
    }

    #[tokio::test]
    async fn a_change_that_is_not_written_down_is_a_fault() {
        for (answer, status) in [
            (
                StatusCode::CREATED.into_response(),
                StatusCode::INTERNAL_SERVER_ERROR,
            ),
            (
                StatusCode::NO_CONTENT.into_response(),
                StatusCode::INTERNAL_SERVER_ERROR,
            ),
            (
                (StatusCode::CREATED, Extension(proof().await)).into_response(),
                StatusCode::CREATED,
            ),
            (StatusCode::CONFLICT.into_response(), StatusCode::CONFLICT),
        ] {
            assert_eq!(written_down(answer).status(), status);
        }
    }
}
