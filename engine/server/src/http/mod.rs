//! The HTTP API: health, metrics, contacts, and who may use it.
//!
//! ```text
//! listen, tls   connections          observe       headers and a log line for every answer
//! seats         who gives way        attended      how far a request on each is
//! timely        who takes nothing    document      OpenAPI, from the endpoints themselves
//! routes        endpoints come in    guard         before each: who, how often, may it; behind: was it written down
//! gate          who asks             credentials   which tokens were good lately
//! problem, page, tagged, extract, idempotency      what endpoints share
//! ```

mod attended;
mod audit;
mod chat;
mod contacts;
mod credentials;
mod document;
mod engine;
mod events;
mod extract;
mod gate;
mod guard;
mod idempotency;
mod lingering;
mod listen;
mod metrics;
mod observe;
mod page;
mod principal;
mod problem;
mod reading;
mod records;
mod refusals;
mod routes;
mod seats;
mod session;
mod shadow;
mod tagged;
mod tenants;
mod timely;
mod tls;
mod tokens;
mod uploads;
mod users;
mod vault;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::http::{Method, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use utoipa::openapi::OpenApi;
use utoipa_axum::routes;

use crate::access::Permission;
use crate::centre::Centre;
use crate::media::Media;
use crate::runtime::{Chats, Ladders, Node, Outgoing, Returns};
use crate::serve::Traffic;
use crate::store::{Audited, Change};

pub use gate::{Gate, NoToken};
pub use listen::listen;
use principal::Principal;
pub(crate) use problem::Problem;
use routes::{Access, Routes};
pub(crate) use tenants::SIGNATURE;
pub use tls::{Tls, TlsError};
pub(crate) use tokens::{MAX_DAYS, expiry};

/// What the HTTP side looks at.
#[derive(Clone)]
pub struct Api {
    /// What all tenants share.
    pub node: Arc<Node>,
    /// Who is served.
    pub centre: Arc<Centre>,
    /// The audio.
    pub media: Media,
    /// Counters of calls.
    pub traffic: Arc<Traffic>,
    /// The calls that transfers place, and their counters.
    pub outgoing: Arc<Outgoing>,
    /// Counters of SIP.
    pub sip: crate::sip::SipMeter,
    /// The SIP messages of contacts.
    pub ladders: Ladders,
    /// Who may come in.
    pub gate: Arc<Gate>,
    /// The pushes that come in.
    pub(crate) uploads: uploads::Uploads,
    /// The journals and pages of records that are read.
    pub(crate) readings: reading::Readings,
    /// The chats; none when none are taken.
    pub chats: Option<Arc<Chats>>,
    /// The calls whose callers may come back.
    pub returns: Arc<Returns>,
}

impl Api {
    /// Milliseconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        self.node.clock.now()
    }

    /// Waits until what contacts have done so far is in the store.
    pub(crate) async fn settled(&self) -> Result<(), Problem> {
        self.ladders.flush().await;
        self.node.durable().await.map_err(Problem::unavailable)
    }

    /// Whether whoever asks belongs to what is served: to a tenant that has a file, or to the whole centre.
    pub(crate) fn served(&self, principal: &Principal) -> Result<(), Problem> {
        match &principal.tenant {
            // A project that is served alone has no tenants' files.
            Some(tenant) if self.centre.publishes() && self.centre.tenant(tenant).is_none() => {
                Err(Problem::forbidden(format!(
                    "tenant {tenant} is not served here any more: ask the operator"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Writes a change into the audit log, before the answer leaves. The answer carries what comes back, as an
    /// `Extension`. A change of the store goes by the store's own function, which writes both at once.
    pub(crate) async fn audit(&self, change: &Change) -> Result<Audited, Problem> {
        Ok(self.gate.store()?.audit(change).await?)
    }
}

/// Every endpoint, with what it asks of whoever uses it.
fn endpoints() -> Routes {
    use Access::{Needs, Open, OpenOnLoopback, OwnToken, SignedIn};
    use Permission::{
        AuditRead, ContactsRead, MetricsRead, PluginsPush, ProjectsPush, RecordsRead, ReleasesMake,
        ShadowsRun, TenantsRead, TokensManage, UsersManage, VaultManage,
    };
    Routes::default()
        .add(Open, routes!(engine::health))
        .add(Open, routes!(engine::openapi))
        .add(OpenOnLoopback(MetricsRead), routes!(metrics::metrics))
        .add(Needs(ContactsRead), routes!(contacts::list))
        .add(Needs(ContactsRead), routes!(contacts::one))
        .add(Needs(ContactsRead), routes!(contacts::journal))
        .add(Needs(ContactsRead), routes!(contacts::trace))
        .add(Needs(ContactsRead), routes!(contacts::transcript))
        .add(Needs(ContactsRead), routes!(records::one))
        .add(Needs(RecordsRead), routes!(records::list))
        .add(Needs(RecordsRead), routes!(events::stream))
        .add(Open, routes!(session::sign_in))
        .add(SignedIn, routes!(session::sign_out))
        .add(SignedIn, routes!(session::me))
        .add(Needs(TokensManage), routes!(tokens::list))
        .add(Needs(TokensManage), routes!(tokens::make))
        .add(Needs(TokensManage), routes!(tokens::one))
        .add(Needs(TokensManage), routes!(tokens::revoke))
        .add(Needs(UsersManage), routes!(users::list))
        .add(Needs(UsersManage), routes!(users::one))
        .add(Needs(UsersManage), routes!(users::set))
        .add(Needs(UsersManage), routes!(users::remove))
        .add(Needs(AuditRead), routes!(audit::list))
        .add(OwnToken, routes!(chat::begin))
        .add(OwnToken, routes!(chat::write))
        .add(OwnToken, routes!(chat::leave))
        .add(OwnToken, routes!(chat::events))
        .add(Needs(TenantsRead), routes!(tenants::list))
        .add(Needs(TenantsRead), routes!(tenants::one))
        .add(Needs(TenantsRead), routes!(tenants::revisions))
        .add(Needs(TenantsRead), routes!(tenants::revision))
        .add(Needs(TenantsRead), routes!(tenants::plugins))
        .add_push(Needs(ProjectsPush), routes!(tenants::push_project))
        .add_push(Needs(PluginsPush), routes!(tenants::push_plugin))
        .add(Needs(TenantsRead), routes!(tenants::released_now))
        .add(Needs(TenantsRead), routes!(tenants::releases))
        .add(Needs(ReleasesMake), routes!(tenants::release))
        .add(Needs(ReleasesMake), routes!(tenants::roll_back))
        .add(Needs(ContactsRead), routes!(shadow::report))
        .add(Needs(ShadowsRun), routes!(shadow::start))
        .add(Needs(ShadowsRun), routes!(shadow::stop))
        .add(Needs(VaultManage), routes!(vault::list))
        .add(Needs(VaultManage), routes!(vault::one))
        .add(Needs(VaultManage), routes!(vault::set))
        .add(Needs(VaultManage), routes!(vault::remove))
}

/// All routes.
pub fn router(api: Api) -> Router {
    endpoints()
        .router(&api)
        .fallback(async || {
            Problem::not_found(
                "there is nothing at this address; /v1/openapi.json says what there is",
            )
        })
        .method_not_allowed_fallback(async |method: Method| {
            Problem::of(
                StatusCode::METHOD_NOT_ALLOWED,
                format!("{method} is not possible here; `Allow` says what is"),
            )
        })
        .layer(from_fn_with_state(api.clone(), chat::cross_origin))
        .layer(from_fn(observe::observe))
        .with_state(api)
}

/// The API's description, OpenAPI 3.1.
pub fn openapi() -> OpenApi {
    endpoints().document()
}

/// Where a request comes from: the other end of its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Peer(pub SocketAddr);

impl Peer {
    /// The network that it counts for: who has an IPv6 address has 2^64 of them.
    fn network(self) -> IpAddr {
        match self.0.ip().to_canonical() {
            IpAddr::V6(address) => {
                let prefix = u128::from(address) & !u128::from(u64::MAX);
                IpAddr::V6(Ipv6Addr::from(prefix))
            }
            address => address,
        }
    }
}

impl Default for Peer {
    /// Nobody in particular: a request that came over no connection.
    fn default() -> Self {
        Peer(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)))
    }
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0.ip().to_canonical())
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{Peer, openapi};
    use serde_json::Value as Json;

    /// What others rely on, of every endpoint there is or will be.
    #[test]
    fn every_endpoint_says_what_it_needs_and_how_it_refuses() {
        let document = serde_json::to_value(openapi()).expect("it is JSON");
        assert!(
            document["openapi"]
                .as_str()
                .is_some_and(|v| v.starts_with("3.1."))
        );
        let mut names = std::collections::BTreeSet::new();
        for (path, item) in document["paths"].as_object().expect("paths") {
            for (method, operation) in item.as_object().expect("operations") {
                let shown = format!("{method} {path}");
                assert!(operation["x-permission"].is_string(), "{shown}");
                assert!(operation["summary"].is_string(), "{shown}");
                assert_eq!(
                    operation["tags"].as_array().map(Vec::len),
                    Some(1),
                    "{shown}"
                );
                let name = operation["operationId"].as_str().expect("a name");
                assert!(
                    names.insert(name.to_owned()),
                    "{shown}: another one is called {name}"
                );
                let answers = operation["responses"].as_object().expect("answers");
                assert!(
                    answers.keys().any(|status| status.starts_with('2')),
                    "{shown}"
                );
                let open =
                    operation["x-permission"] == "open" || operation["x-permission"] == "chat";
                for (status, there) in [("401", !open), ("429", true), ("503", true)] {
                    let told = answers.contains_key(status);
                    assert!(told || !there, "{shown}: {status}");
                }
                for (status, answer) in answers.iter().filter(|(status, _)| status.starts_with('4'))
                {
                    let body = &answer["content"]["application/problem+json"]["schema"]["$ref"];
                    assert_eq!(body, "#/components/schemas/Problem", "{shown}: {status}");
                }
                assert!(
                    answers
                        .values()
                        .all(|answer| answer["description"].is_string()),
                    "{shown}"
                );
            }
        }
        assert!(names.len() > 10);
        let text = document.to_string();
        for reference in text.split("\"#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap_or_default();
            assert!(
                document["components"]["schemas"][name] != Json::Null,
                "no schema {name}"
            );
        }
    }

    #[test]
    fn addresses_of_one_network_count_together() {
        for (one, other, same) in [
            ("2001:db8::1", "2001:db8::ffff:1", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
            ("192.0.2.1", "192.0.2.2", false),
            ("::ffff:192.0.2.1", "192.0.2.1", true),
        ] {
            let network =
                |text: &str| Peer((text.parse::<IpAddr>().expect(text), 7).into()).network();
            assert_eq!(network(one) == network(other), same, "{one} {other}");
        }
    }
}
