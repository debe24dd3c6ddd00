//! Who a request comes from, and what that one sees and changes.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde_json::{Value as Json, json};

use super::{Api, Problem};
use crate::access::{Permission, Role, is_scope, scope, tenant_of};
use crate::store::{Change, Outcome};

/// Who sent a request. An endpoint takes it as an argument; whether this one may use the endpoint was decided before.
#[derive(Debug, Clone)]
pub(crate) struct Principal {
    /// As the audit log names it: `token:ID`, `user:NAME`, or `loopback`.
    pub who: String,
    /// The name of the token or the user.
    pub name: String,
    /// The role.
    pub role: Role,
    /// The one tenant whose things this one sees; none for the whole centre.
    pub tenant: Option<String>,
    /// Until when, in milliseconds since 1970.
    pub expires_at: Option<i64>,
    pub(super) means: Means,
}

/// How somebody is known.
#[derive(Debug, Clone)]
pub(super) enum Means {
    Token,
    /// By the hash of the cookie.
    Session(Vec<u8>),
    /// By being on this machine before there is any token.
    Loopback,
}

impl Principal {
    pub(super) fn loopback() -> Principal {
        Principal {
            who: "loopback".to_owned(),
            name: "loopback".to_owned(),
            role: Role::Owner,
            tenant: None,
            expires_at: None,
            means: Means::Loopback,
        }
    }

    /// Whether this one sees what belongs to a tenant. What one does not see is answered as if it were not there.
    pub fn sees(&self, tenant: &str) -> bool {
        self.tenant.as_deref().is_none_or(|own| own == tenant)
    }

    /// The same of what belongs to a scope: the name of a tenant, or `*`.
    pub fn sees_scope(&self, scope: &str) -> bool {
        match tenant_of(scope) {
            Some(tenant) => self.sees(&tenant),
            None => self.tenant.is_none(),
        }
    }

    /// The tenant that a new token or user is to be of, none for the whole centre: this one's own where none is named. One that is none of
    /// the centre's is refused to who sees all of them: what is made for it would wake when somebody else gets the name.
    pub fn tenant_for(&self, scope: Option<&str>, api: &Api) -> Result<Option<String>, Problem> {
        match scope {
            Some(scope) if is_scope(scope) => match tenant_of(scope) {
                Some(tenant) if self.tenant.is_none() && api.centre.tenant(&tenant).is_none() => {
                    Err(Problem::not_found(format!(
                        "there is no tenant `{tenant}`; /v1/tenants lists them"
                    )))
                }
                tenant => Ok(tenant),
            },
            Some(_) => Err(Problem::unprocessable(
                "`tenant` is the name of a tenant, or `*` for the whole centre",
            )),
            None => Ok(self.tenant.clone()),
        }
    }

    /// Whether this one may hand out a role for a tenant: nobody hands out more than he has. `rule` says so of what is made.
    pub fn may_hand_out(
        &self,
        role: Role,
        tenant: Option<&str>,
        rule: &str,
    ) -> Result<(), Problem> {
        let outside = self.tenant.is_some() && self.tenant.as_deref() != tenant;
        match outside || !self.role.covers(role) {
            false => Ok(()),
            true => Err(Problem::forbidden(format!(
                "{rule}: you are {} of {}",
                self.role.name(),
                scope(self.tenant.as_deref())
            ))),
        }
    }

    /// Whether this one may do what a permission names.
    pub fn may(&self, permission: Permission) -> bool {
        self.role.may(permission)
    }

    /// A change by this one, for the audit log; it belongs to the own tenant unless [`Change::of_tenant`] says another.
    pub fn change(&self, at: u64, action: &str, object: impl Into<String>) -> Change {
        Change {
            at,
            who: self.who.clone(),
            role: self.role,
            tenant: self.tenant.clone(),
            action: action.to_owned(),
            object: object.into(),
            detail: json!({}),
            outcome: Outcome::Done,
        }
    }
}

impl Change {
    /// What is changed belongs to this tenant; none for the whole centre.
    pub fn of_tenant(self, tenant: Option<String>) -> Change {
        Change { tenant, ..self }
    }

    /// What else a reader should know; an object without secrets.
    pub fn with(self, detail: Json) -> Change {
        Change { detail, ..self }
    }

    /// It was tried, and not allowed.
    pub fn refused(self) -> Change {
        Change {
            outcome: Outcome::Refused,
            ..self
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Principal {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        // An endpoint that is open to everybody has nobody to ask for.
        parts
            .extensions
            .get::<Principal>()
            .cloned()
            .ok_or_else(|| Problem::unauthorized("send a token, or sign in"))
    }
}
