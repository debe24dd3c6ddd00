//! Versions of plugins: who signed them, and which may come.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;
use strowger_plugin::Plugin;

use super::TenantConfig;
use super::refusal::Refusal;
use super::signature::Statement;
use super::tenant::Tenant;
use crate::store::{PluginVersion, Revision};

/// Versions looked at of one plugin.
pub(super) const MAX_VERSIONS: u32 = 1_000;

/// The signatures that came with a push, by the SHA-256 of the components that they are for.
pub(super) struct Signer(pub(super) BTreeMap<String, Vec<u8>>);

impl Signer {
    /// Who signed a component; an error where a signature came that nobody known has made.
    pub(super) fn publisher(
        &self,
        tenant: &str,
        config: &TenantConfig,
        plugin: &Plugin,
    ) -> Result<Option<String>, Refusal> {
        let Some(signature) = self.0.get(plugin.digest()) else {
            return Ok(None);
        };
        let statement = Statement::of(tenant, plugin);
        match statement.publisher(config, signature) {
            Some(publisher) => Ok(Some(publisher.to_owned())),
            None => Err(Refusal::Denied(format!(
                "the signature is none of tenant {tenant}'s publishers for {}@{} with these bytes",
                statement.plugin, statement.version
            ))),
        }
    }
}

/// Whether a version that was kept may still go into revisions and live, now that the tenant's file is as it is.
pub(super) fn trusted(
    tenant: &Tenant,
    config: &TenantConfig,
    known: &PluginVersion,
) -> Result<(), Refusal> {
    if !config.signed {
        return Ok(());
    }
    let PluginVersion { name, version, .. } = known;
    let why = match &known.publisher {
        Some(publisher) if config.publishers.contains_key(publisher) => return Ok(()),
        Some(publisher) => format!("{publisher}, who signed it, is no publisher any more"),
        None => "it is not signed".to_owned(),
    };
    Err(Refusal::Denied(format!(
        "plugins of tenant {} must be signed by one of its publishers, and of {name}@{version} {why}: push a newer version by `strowger plugin push --key`",
        tenant.name
    )))
}

/// A version must not be older than others of the same major number: one that was signed once and had a hole does not
/// come back.
pub(super) fn newer(name: &str, version: &str, known: &[PluginVersion]) -> Result<(), Refusal> {
    // Versions were parsed when the descriptions were read.
    let Ok(version) = Version::parse(version) else {
        return Ok(());
    };
    let known = known
        .iter()
        .filter_map(|known| Version::parse(&known.version).ok());
    let same_major = known.filter(|known| known.major == version.major);
    match same_major.max() {
        Some(newest) if newest > version => Err(Refusal::Conflict(format!(
            "{name}@{version} is older than {name}@{newest}, which is there: a version is newer than all of its major number; to go back, release a \
             revision that has it, or push its code under a newer version"
        ))),
        _ => Ok(()),
    }
}

/// That a version is older than the one in a revision, of whatever major number.
pub(super) fn went_back(
    name: &str,
    version: &str,
    known: &[PluginVersion],
    newest: Option<&Revision>,
) -> Option<String> {
    let files: BTreeSet<&String> = newest?.manifest.files.values().collect();
    let before = known.iter().filter(|known| files.contains(&known.sha256));
    let before = before.filter_map(|known| Version::parse(&known.version).ok());
    let before = before.max()?;
    let version = Version::parse(version).ok()?;
    (version < before).then(|| format!("{name} {before} -> {version}"))
}

#[cfg(test)]
mod tests {
    use super::{PluginVersion, Revision, went_back};
    use crate::store::{Files, Manifest};

    #[test]
    fn an_older_version_is_told_across_major_numbers() {
        let version = |version: &str| PluginVersion {
            number: 0,
            name: "orders".to_owned(),
            version: version.to_owned(),
            sha256: format!("sha of {version}"),
            size: 1,
            imports: Vec::new(),
            publisher: None,
            pushed_at: 0,
            pushed_by: String::new(),
        };
        let known = ["1.9.0", "2.0.0", "2.1.0"].map(version);
        let file = ("plugins/orders.wasm".to_owned(), "sha of 2.0.0".to_owned());
        let newest = Revision {
            number: 7,
            content: String::new(),
            manifest: Manifest {
                files: Files::from([file]),
                ..Manifest::default()
            },
            note: String::new(),
            pushed_at: 0,
            pushed_by: String::new(),
        };
        let told = |to| went_back("orders", to, &known, Some(&newest));
        assert_eq!(told("1.9.0").as_deref(), Some("orders 2.0.0 -> 1.9.0"));
        assert_eq!(told("2.0.0"), None);
        assert_eq!(told("2.1.0"), None);
        assert_eq!(went_back("orders", "1.9.0", &known, None), None);
    }
}
