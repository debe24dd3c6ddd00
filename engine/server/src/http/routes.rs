//! The one way an endpoint comes into the API: with what it asks of whoever uses it, and with its description.
//!
//! ```text
//! Routes::default()
//!     .add(Access::Needs(Permission::ContactsRead), routes!(contacts::list))
//! ```
//!
//! `routes!` takes a handler with `#[utoipa::path(…)]`: its address, parameters, 2xx answers and those refusals that are
//! its own. What all have is added here: the security, `x-permission`, and the refusals of the guard.

use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::UtoipaMethodRouter;

use super::guard::{ANSWER_WITHIN, Rule, guard};
use super::{Api, document};
use crate::access::Permission;

/// Most bytes of a push as it comes over the line. A tenant's own limit is for what is unpacked.
pub(crate) const MAX_PUSH: usize = 256 << 20;
/// How long a push may take, its body and the compilation of an interpreter included.
const PUSH_WITHIN: Duration = Duration::from_secs(300);

/// How long a chat's page may wait for something to be said: somewhat longer than it asks to.
const WAIT_WITHIN: Duration = Duration::from_secs(60);

/// What an endpoint asks of whoever uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Nothing: it tells and does nothing that anybody may not know or do.
    Open,
    /// Nothing of who says nothing while HTTP listens on loopback alone, else the permission.
    OpenOnLoopback(Permission),
    /// A token that is no API token: the one of the chat that is looked at. The endpoint asks for it itself; what it
    /// changes is in the contact's journal, and not in the audit log.
    OwnToken,
    /// To be somebody, in whatever role.
    SignedIn,
    /// The permission.
    Needs(Permission),
}

/// The endpoints of the API.
#[derive(Default)]
pub(crate) struct Routes {
    endpoints: Vec<Endpoint>,
}

struct Endpoint {
    access: Access,
    /// Whether its body is a whole project or component.
    push: bool,
    route: UtoipaMethodRouter<Api>,
}

impl Routes {
    /// Adds an endpoint.
    pub fn add(mut self, access: Access, route: UtoipaMethodRouter<Api>) -> Routes {
        let push = false;
        self.endpoints.push(Endpoint {
            access,
            push,
            route,
        });
        self
    }

    /// Adds an endpoint that takes a project or a component, which is large, and may have to be compiled.
    pub fn add_push(mut self, access: Access, route: UtoipaMethodRouter<Api>) -> Routes {
        let push = true;
        self.endpoints.push(Endpoint {
            access,
            push,
            route,
        });
        self
    }

    /// The router, each endpoint behind its guard.
    pub fn router(self, api: &Api) -> Router<Api> {
        let mut router = Router::new();
        for endpoint in self.endpoints {
            let Endpoint {
                access,
                push,
                route,
            } = endpoint;
            let (body_bytes, within) = match push {
                true => (MAX_PUSH, PUSH_WITHIN),
                // A page waits for what is said next.
                false if access == Access::OwnToken => (api.gate.body_bytes, WAIT_WITHIN),
                false => (api.gate.body_bytes, ANSWER_WITHIN),
            };
            let rule = Rule {
                api: api.clone(),
                access,
                body_bytes,
                push,
                within,
            };
            let (_, paths, methods) = route;
            let limit = DefaultBodyLimit::max(rule.body_bytes);
            let methods = methods
                .route_layer(limit)
                .route_layer(from_fn_with_state(rule, guard));
            for path in paths.paths.keys() {
                router = router.route(path, methods.clone());
            }
        }
        router
    }

    /// The description of all endpoints.
    pub fn document(self) -> OpenApi {
        let mut document = document::blank();
        for Endpoint { access, route, .. } in self.endpoints {
            let (schemas, paths, _) = route;
            for (path, item) in paths.paths {
                document::add(&mut document, path, item, access);
            }
            document::add_schemas(&mut document, schemas);
        }
        document
    }
}
