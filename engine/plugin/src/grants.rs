//! The capabilities that an operator granted.

use std::collections::BTreeSet;

use crate::interface::CAPABILITIES;

/// The capabilities a plugin may import, by short name (`contact`, `media`, `route`, `wait`, `http`,
/// `kv`, `env`). Finer rules, such as which hosts `http` reaches, belong to the provider of the
/// capability and are answered with `denied`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    names: BTreeSet<String>,
}

impl Grants {
    /// Every capability that this engine serves.
    pub fn all() -> Self {
        Self::only(CAPABILITIES)
    }

    /// No capability: pure computation.
    pub fn none() -> Self {
        Self::default()
    }

    /// Just these capabilities. Unknown names grant nothing.
    pub fn only<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self {
            names: names.into_iter().map(Into::into).collect(),
        }
    }

    /// Whether the capability of this short name is granted.
    pub fn allow(&self, capability: &str) -> bool {
        self.names.contains(capability)
    }
}
