//! `[vault]` of `strowger.toml`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

/// `[vault]`. The variable `STROWGER_VAULT_KEY`, the key itself in base64, goes before `key_file`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct VaultSection {
    /// A file with the key that secrets in the store are sealed with, as `strowger vault key` makes it; nobody but its
    /// owner may read it. Its path begins at the folder of this file.
    pub key_file: Option<PathBuf>,
}
