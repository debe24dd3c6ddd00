//! Who asks: a token, a session, or, before there is any token and on loopback alone, whoever can reach the port.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use axum::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use subtle::ConstantTimeEq;

use super::credentials::{Credentials, Known, Mark, hash};
use super::principal::{Means, Principal};
use super::refusals::Refusals;
use super::{Peer, Problem};
use crate::access::{Passwords, Role, digest, parse_token, tenant_of};
use crate::centre::TenantLimits;
use crate::locked::lock;
use crate::project::HttpSection;
use crate::rate::{Bucket, Buckets, Crowd, Pace};
use crate::store::{Store, StoreError, TokenRow};

/// The cookie of a session.
pub(super) const COOKIE_NAME: &str = "strowger_session";
/// The header that a page of ours sends with a change: another site's page cannot.
pub(super) const OURS: &str = "x-strowger";

/// How long a token that was good goes on being good while the store is gone and cannot be asked, in milliseconds.
const REMEMBERED_MS: u64 = 600_000;
/// Most tokens remembered for that.
const REMEMBERED: usize = 1_024;

/// Sign-ins of one user from one source: 5 at once, then one in 30 seconds.
const SIGN_INS: Pace = Pace::new(1, 30_000, 5);
/// Sign-ins from one source, whoever it says it is: 20 at once, then one in 3 seconds.
const SIGN_INS_OF_SOURCE: Pace = Pace::new(1, 3_000, 20);
/// Sign-ins of one user from anywhere: 100 at once, then one in 6 seconds. Wide, since who guesses locks the user out.
const SIGN_INS_OF_USER: Pace = Pace::new(1, 6_000, 100);
/// Most buckets of each kind that are kept.
const MAX_BUCKETS: usize = 10_000;

/// Who requests are counted for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Payer {
    /// A token or a user, as the audit log names it.
    Known(String),
    /// An address that sends what does not let it in.
    Source(IpAddr),
    /// An address that nobody is known by, at one endpoint that is open or has tokens of its own: each has a count of its own.
    At(IpAddr, String),
}

/// Buckets that whoever asks has one of.
type Locked<K> = Mutex<Buckets<K>>;

/// What is known of who may come in.
#[derive(Debug)]
pub struct Gate {
    pub(super) store: Option<Store>,
    /// Whether HTTP listens on loopback alone.
    pub(super) loopback: bool,
    /// Whether HTTP is HTTPS.
    pub(super) tls: bool,
    /// Whether a token or a user was ever made, as far as is known. Never false again.
    guarded: AtomicBool,
    remembered: Mutex<HashMap<String, (TokenRow, u64)>>,
    credentials: Credentials,
    requests: Locked<Payer>,
    /// Of each tenant's tokens and users together.
    of_tenants: Mutex<HashMap<String, Bucket>>,
    /// One token is made at a time: they are counted before.
    pub(super) making: tokio::sync::Mutex<()>,
    /// One entry of a vault is changed at a time: it is held against `If-Match` before.
    pub(super) changing: tokio::sync::Mutex<()>,
    sign_ins: Locked<(IpAddr, String)>,
    sign_ins_of_source: Locked<IpAddr>,
    sign_ins_of_user: Locked<String>,
    pub(super) passwords: Passwords,
    /// Changes that were refused.
    pub(super) refusals: Refusals,
    /// Most bytes of a body.
    pub(super) body_bytes: usize,
}

impl Gate {
    /// For an engine that listens at an address. An address that others can reach needs a token to be there: `Err` says
    /// that there is none.
    pub async fn open(
        store: Option<Store>,
        at: IpAddr,
        config: &HttpSection,
    ) -> Result<Result<Gate, NoToken>, StoreError> {
        let guarded = match &store {
            Some(store) => store.has_access().await?,
            None => false,
        };
        let loopback = at.to_canonical().is_loopback();
        if !loopback && !guarded {
            return Ok(Err(NoToken));
        }
        let requests = Pace::new(config.requests_per_second, 1_000, config.burst);
        Ok(Ok(Gate {
            store,
            loopback,
            tls: config.tls_certificate.is_some(),
            guarded: AtomicBool::new(guarded),
            remembered: Mutex::default(),
            credentials: Credentials::default(),
            requests: buckets(requests),
            of_tenants: Mutex::default(),
            making: tokio::sync::Mutex::default(),
            changing: tokio::sync::Mutex::default(),
            sign_ins: buckets(SIGN_INS),
            sign_ins_of_source: buckets(SIGN_INS_OF_SOURCE),
            sign_ins_of_user: buckets(SIGN_INS_OF_USER),
            passwords: Passwords::default(),
            refusals: Refusals::default(),
            body_bytes: config.body_kib as usize * 1_024,
        }))
    }

    /// Whether nobody needs a token as things stand.
    pub fn is_open(&self) -> bool {
        !self.guarded.load(Ordering::Relaxed)
    }

    /// Who sent a request, or why that cannot be told. `None` came without anything, and without is not enough. What nobody is known by
    /// is looked up so often for one source alone; none where it has been let in.
    pub(super) async fn principal(
        &self,
        parts: &Parts,
        source: Option<IpAddr>,
        now: u64,
    ) -> Result<Option<Principal>, Problem> {
        if let Some(given) = parts.headers.get(AUTHORIZATION) {
            let text = given.to_str().ok().and_then(|text| text.split_once(' '));
            let token = text.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
            let parsed = token.and_then(|(_, token)| parse_token(token.trim()));
            let Some((id, secret)) = parsed else {
                return Err(Problem::unauthorized(
                    "this is no token: send `Authorization: Bearer strw_…`, as `strowger token new` printed it",
                ));
            };
            let hash = hash(&format!("{id}_{secret}"));
            self.worth_a_look(&hash, source, now, not_good)?;
            let found = self.bearer(id, secret, now).await;
            return self.found(hash, found, now).map(Some);
        }
        if let Some(cookie) = session_cookie(&parts.headers) {
            let hash = hash(cookie);
            self.worth_a_look(&hash, source, now, over)?;
            let found = self.session(cookie, now).await;
            return self.found(hash, found, now).map(Some);
        }
        if self.open_still().await? {
            from_this_machine(&parts.headers)?;
            return Ok(Some(Principal::loopback()));
        }
        Ok(None)
    }

    /// An error where a token or a session need not be looked up, or may not be now.
    fn worth_a_look(
        &self,
        hash: &Mark,
        source: Option<IpAddr>,
        now: u64,
        bad: fn() -> Problem,
    ) -> Result<(), Problem> {
        match self.credentials.known(hash, source, now) {
            Known::LookUp => Ok(()),
            Known::Bad => Err(bad()),
            Known::TooMany(wait) => {
                let seconds = seconds(wait);
                Err(Problem::too_many(
                    format!(
                        "too many tokens that nobody knows were sent from this address: go on in {seconds} s"
                    ),
                    seconds,
                ))
            }
        }
    }

    /// Notes what came of it, unless the store could not be asked.
    fn found(
        &self,
        hash: Mark,
        found: Result<Principal, Problem>,
        now: u64,
    ) -> Result<Principal, Problem> {
        match &found {
            Ok(_) => self.credentials.found(hash, true, now),
            Err(problem) if problem.is_unauthorized() => {
                self.credentials.found(hash, false, now);
            }
            Err(_) => {}
        }
        found
    }

    async fn bearer(&self, id: &str, secret: &str, now: u64) -> Result<Principal, Problem> {
        let store = self.store()?;
        let row = match store.token(id).await {
            Ok(Some(row)) => {
                self.remember(&row, now);
                row
            }
            Ok(None) => {
                self.remembered().remove(id);
                return Err(not_good());
            }
            // Whoever looks after a store that is gone needs the metrics to do so.
            Err(error) => {
                let known = self.remembered().get(id).cloned();
                match known.filter(|(_, at)| now.saturating_sub(*at) <= REMEMBERED_MS) {
                    Some((row, _)) => row,
                    None => return Err(error.into()),
                }
            }
        };
        let same = bool::from(row.hash.ct_eq(&digest(secret)));
        let role = Role::of_name(&row.role);
        let (true, false, Some(role)) = (same, row.expired(now), role) else {
            return Err(not_good());
        };
        if let Err(error) = store.token_used(&row, now).await {
            tracing::debug!("the use of a token is not noted: {error}");
        }
        Ok(Principal {
            who: format!("token:{}", row.id),
            name: row.name,
            role,
            tenant: tenant_of(&row.tenant),
            expires_at: row.expires_at,
            means: Means::Token,
        })
    }

    async fn session(&self, cookie: &str, now: u64) -> Result<Principal, Problem> {
        let hash = digest(cookie);
        let row = self.store()?.session(&hash, now).await?;
        let row = row.and_then(|row| Some((Role::of_name(&row.role)?, row)));
        let Some((role, row)) = row else {
            return Err(over());
        };
        Ok(Principal {
            who: format!("user:{}", row.name),
            name: row.name,
            role,
            tenant: tenant_of(&row.tenant),
            expires_at: Some(row.expires_at),
            means: Means::Session(hash),
        })
    }

    /// Whether still nobody needs a token. Another process may have made the first one since.
    async fn open_still(&self) -> Result<bool, Problem> {
        if !self.is_open() {
            return Ok(false);
        }
        let made = match &self.store {
            Some(store) => store.has_access().await?,
            None => false,
        };
        if made {
            self.guarded.store(true, Ordering::Relaxed);
            tracing::info!("a token was made: from now on the HTTP API lets nobody in without one");
        }
        Ok(!made)
    }

    /// Counts a request; 429 when there are too many.
    pub(super) fn count(&self, payer: &Payer, now: u64) -> Result<(), Problem> {
        lock(&self.requests).take(payer, now).map_err(too_many)
    }

    /// Counts a request of a tenant's, whichever of its tokens and users it comes from; 429 when there are too many.
    pub(super) fn count_tenant(
        &self,
        tenant: &str,
        limits: &TenantLimits,
        now: u64,
    ) -> Result<(), Problem> {
        let pace = Pace::new(limits.requests_per_second, 1_000, limits.burst);
        let mut all = lock(&self.of_tenants);
        let bucket = all.entry(tenant.to_owned()).or_default();
        bucket.take(pace, now).map_err(|wait| {
            let seconds = seconds(wait);
            Problem::too_many(
                format!(
                    "too many requests of tenant {tenant}, all its tokens and users together: go on in {seconds} s, and slower; limits.requests_per_second in the tenant's file is the limit"
                ),
                seconds,
            )
        })
    }

    /// 429 for a source that has sent too many requests which were not let in there.
    pub(super) fn tired_of(&self, payer: &Payer, now: u64) -> Result<(), Problem> {
        lock(&self.requests).peek(payer, now).map_err(too_many)
    }

    /// Counts an attempt to sign in; 429 when there are too many.
    pub(super) fn count_sign_in(&self, peer: Peer, name: &str, now: u64) -> Result<(), Problem> {
        let source = peer.network();
        let counted = lock(&self.sign_ins_of_source)
            .take(&source, now)
            .and_then(|()| lock(&self.sign_ins).take(&(source, name.to_owned()), now))
            .and_then(|()| lock(&self.sign_ins_of_user).take(&name.to_owned(), now));
        counted.map_err(|wait| {
            let seconds = seconds(wait);
            Problem::too_many(
                format!("too many attempts to sign in: try again in {seconds} s"),
                seconds,
            )
        })
    }

    pub(super) fn store(&self) -> Result<&Store, Problem> {
        self.store
            .as_ref()
            .ok_or_else(|| Problem::internal("this engine keeps nothing"))
    }

    fn remember(&self, row: &TokenRow, now: u64) {
        let mut remembered = self.remembered();
        if remembered.len() >= REMEMBERED && !remembered.contains_key(&row.id) {
            remembered.clear();
        }
        remembered.insert(row.id.clone(), (row.clone(), now));
    }

    fn remembered(&self) -> MutexGuard<'_, HashMap<String, (TokenRow, u64)>> {
        lock(&self.remembered)
    }
}

/// There is no token, and HTTP would listen where others can reach it.
#[derive(Debug)]
pub struct NoToken;

fn not_good() -> Problem {
    Problem::unauthorized(
        "this token is not good: it is unknown, revoked or expired; `strowger token list` shows those that are",
    )
}

fn over() -> Problem {
    Problem::unauthorized("this session is over: sign in again")
}

fn buckets<K: Eq + Hash + Clone>(pace: Pace) -> Locked<K> {
    // Whoever is known comes in though strangers knock.
    Mutex::new(Buckets::new(pace, MAX_BUCKETS, Crowd::Replaces))
}

/// A wait in milliseconds as `Retry-After` says it.
fn seconds(wait_ms: u64) -> u64 {
    wait_ms.div_ceil(1_000)
}

fn too_many(wait_ms: u64) -> Problem {
    let seconds = seconds(wait_ms);
    Problem::too_many(
        format!(
            "too many requests: go on in {seconds} s, and slower; http.requests_per_second in strowger.toml is the limit"
        ),
        seconds,
    )
}

/// Whether a request has a token or a session, good or not.
pub(super) fn says_who(headers: &HeaderMap) -> bool {
    headers.contains_key(axum::http::header::AUTHORIZATION) || session_cookie(headers).is_some()
}

/// The value of the session's cookie.
pub(super) fn session_cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';'));
    pairs.find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == COOKIE_NAME).then_some(value)
    })
}

/// Where no token is asked for, a page of another site must not be able to ask through the browser of somebody on this
/// machine: not by a name of its own that leads here.
fn from_this_machine(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(host) = headers.get(HOST) else {
        // HTTP/1.0; every browser sends it.
        return Ok(());
    };
    let host = host.to_str().unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>();
    if name == "localhost" || address.is_ok_and(|address| address.is_loopback()) {
        return Ok(());
    }
    Err(Problem::forbidden(
        "without a token only requests to localhost are let in: make one with `strowger token new`",
    ))
}

/// Holds a change against requests that another site's page makes in a browser which has our cookie, or which runs on
/// this machine while no token is needed.
pub(super) fn ours(
    principal: &Principal,
    method: &Method,
    headers: &HeaderMap,
) -> Result<(), Problem> {
    let changes = !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    let origin = headers
        .get(ORIGIN)
        .map(|origin| origin.to_str().unwrap_or_default());
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let same = origin.map(|origin| {
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        authority.is_some() && authority == host
    });
    // A page can send it to its own site alone, since we allow no other (CORS).
    let ours = headers.get(OURS).is_some_and(|value| value == "1");
    let allowed = match principal.means {
        _ if !changes => true,
        Means::Token => true,
        Means::Session(_) => ours || same == Some(true),
        Means::Loopback => ours || same != Some(false),
    };
    if allowed {
        return Ok(());
    }
    Err(Problem::forbidden(
        "a change made with a session comes from our own pages: send `X-Strowger: 1`, or use a token",
    ))
}

#[cfg(test)]
mod tests {
    use super::{from_this_machine, ours, session_cookie};
    use crate::access::Role;
    use crate::http::principal::{Means, Principal};
    use axum::http::{HeaderMap, HeaderName, Method};

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                value.parse().expect("a value"),
            )
        });
        pairs.collect()
    }

    #[test]
    fn a_change_by_a_browser_comes_from_our_own_pages() {
        let session = Principal {
            means: Means::Session(vec![]),
            role: Role::Owner,
            ..Principal::loopback()
        };
        let token = Principal {
            means: Means::Token,
            ..Principal::loopback()
        };
        let here = ("host", "cc.example:8443");
        let same = [here, ("origin", "https://cc.example:8443")];
        let other = [here, ("origin", "https://evil.example")];
        let opaque = [here, ("origin", "null")];
        let marked = [here, ("x-strowger", "1")];
        for (given, session_may, loopback_may) in [
            (&[here][..], false, true),
            (&same, true, true),
            (&other, false, false),
            (&opaque, false, false),
            (&marked, true, true),
        ] {
            let given = headers(given);
            let may = |principal: &Principal, method| ours(principal, &method, &given).is_ok();
            assert_eq!(may(&session, Method::POST), session_may, "{given:?}");
            assert_eq!(may(&session, Method::DELETE), session_may, "{given:?}");
            assert_eq!(
                may(&Principal::loopback(), Method::POST),
                loopback_may,
                "{given:?}"
            );
            assert!(
                may(&token, Method::POST) && may(&session, Method::GET),
                "{given:?}"
            );
        }
    }

    #[test]
    fn without_a_token_only_this_machine_is_let_in() {
        for (host, there) in [
            ("localhost:8080", true),
            ("127.0.0.1:8080", true),
            ("[::1]:8080", true),
            ("127.0.0.1", true),
            ("evil.example:8080", false),
            ("localhost.evil.example", false),
            ("192.0.2.1", false),
            ("", false),
        ] {
            let given = headers(&[("host", host)]);
            assert_eq!(from_this_machine(&given).is_ok(), there, "{host}");
        }
        assert!(from_this_machine(&HeaderMap::new()).is_ok());
    }

    #[test]
    fn the_cookie_is_found_among_others() {
        let given = headers(&[("cookie", "a=b; strowger_session=abc; strowger_session2=no")]);
        assert_eq!(session_cookie(&given), Some("abc"));
        assert_eq!(
            session_cookie(&headers(&[("cookie", "xstrowger_session=no")])),
            None
        );
    }
}
