//! Who may do what: roles and permissions, API tokens, passwords. Nothing here knows HTTP or the store.

mod password;
mod role;
mod token;

pub use password::{Asks, MAX_PASSWORD_BYTES, MIN_PASSWORD_CHARS, PasswordError, Passwords};
pub use role::{PERMISSIONS, Permission, Role};
pub use token::{NewToken, digest, parse_token, random_secret};

use strowger_flow::unseen::is_unseen;

/// How "every tenant, and the engine itself" is written where a tenant could stand.
pub const EVERY_TENANT: &str = "*";

/// Longest name of a token or a user, in characters: it stands in lists and in the audit log.
pub const MAX_NAME_CHARS: usize = 64;

/// A tenant, or all of them, as it is stored and shown.
pub fn scope(tenant: Option<&str>) -> &str {
    tenant.unwrap_or(EVERY_TENANT)
}

/// What [`scope`] wrote.
pub fn tenant_of(scope: &str) -> Option<String> {
    (scope != EVERY_TENANT).then(|| scope.to_owned())
}

/// Whether a text may be the name of a user: it is typed, and stands behind `user:` in the audit log.
pub fn is_user_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-_@".contains(c);
    (1..=MAX_NAME_CHARS).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(allowed)
}

/// Whether a text may be the name of a token: shown to people, never looked up.
pub fn is_token_name(name: &str) -> bool {
    (1..=MAX_NAME_CHARS).contains(&name.chars().count()) && !name.chars().any(is_unseen)
}

/// Whether a text may be a token's or a user's scope.
pub fn is_scope(scope: &str) -> bool {
    scope == EVERY_TENANT || crate::project::is_project_name(scope) && scope.len() <= MAX_NAME_CHARS
}
