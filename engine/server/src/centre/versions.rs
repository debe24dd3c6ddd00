//! Versions of plugins: who signed them, and which may come.

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;
use strowger_plugin::Plugin;

use super::TenantConfig;
use super::refusal::Refusal;
use super::settings::Settings;
use super::signature::Statement;
use crate::store::{Manifest, PluginVersion, Store, StoreError};

/// Versions looked at of one plugin.
pub(super) const MAX_VERSIONS: u32 = 1_000;

/// The signatures that came with a push, by the SHA-256 of the components that they are for.
pub(super) struct Signer(pub(super) BTreeMap<String, Vec<u8>>);

impl Signer {
    /// The signature that came for a component.
    pub(super) fn of(&self, plugin: &Plugin) -> Option<&Vec<u8>> {
        self.0.get(plugin.digest())
    }

    /// Who signed a component; an error where a signature came that nobody known has made.
    pub(super) fn publisher(
        &self,
        tenant: &str,
        config: &TenantConfig,
        plugin: &Plugin,
    ) -> Result<Option<String>, Refusal> {
        let Some(signature) = self.of(plugin) else {
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

/// The components that a revision's plugins are: a file that nothing names is none.
async fn components(store: &Store, manifest: &Manifest) -> Result<BTreeSet<String>, StoreError> {
    let settings = Settings::of(store, manifest).await?;
    Ok(settings.components(&manifest.files))
}

/// The plugins of a revision that may not go live now that the tenant's file is as it is, each with the reason.
pub(super) async fn untrusted(
    store: &Store,
    tenant: &str,
    config: &TenantConfig,
    manifest: &Manifest,
) -> Result<Vec<String>, StoreError> {
    let mut all = Vec::new();
    if !config.signed {
        return Ok(all);
    }
    let components = components(store, manifest).await?;
    let mut before = None;
    loop {
        let page = store
            .plugin_versions(tenant, None, before, MAX_VERSIONS)
            .await?;
        let Some(last) = page.last() else {
            return Ok(all);
        };
        before = Some(last.number);
        let there = |known: &&PluginVersion| components.contains(&known.sha256);
        for known in page.iter().filter(there) {
            if let Some(why) = distrusted(tenant, config, known) {
                all.push(format!("{}@{}: {why}", known.name, known.version));
            }
        }
    }
}

/// Why a version is none of today's publishers', by their keys of today.
fn distrusted(tenant: &str, config: &TenantConfig, known: &PluginVersion) -> Option<String> {
    let Some(publisher) = &known.publisher else {
        return Some("it is not signed".to_owned());
    };
    let Some(signature) = &known.signature else {
        return Some(format!(
            "{publisher} signed it, and an older program did not keep the signature"
        ));
    };
    let statement = Statement {
        tenant,
        plugin: &known.name,
        version: &known.version,
        sha256: &known.sha256,
    };
    if statement.publisher(config, signature).is_some() {
        return None;
    }
    Some(match config.publishers.contains_key(publisher) {
        true => format!("{publisher}, who signed it, has another key by now"),
        false => format!("{publisher}, who signed it, is no publisher any more"),
    })
}

/// Who signed each plugin of a revision; none for nobody.
pub(super) type Signers = BTreeMap<String, Option<String>>;

/// Who had signed a revision's plugins when it was pushed; of one that an older program kept, who has signed them by now.
pub(super) async fn signers(
    store: &Store,
    tenant: &str,
    manifest: &Manifest,
) -> Result<Signers, StoreError> {
    let components = components(store, manifest).await?;
    let mut all = manifest.publishers.clone();
    for name in manifest.capabilities.keys() {
        if !all.contains_key(name) {
            let known = store
                .plugin_versions(tenant, Some(name), None, MAX_VERSIONS)
                .await?;
            let mut known = known.into_iter();
            let same = known.find(|known| components.contains(&known.sha256));
            all.insert(name.clone(), same.and_then(|known| known.publisher));
        }
    }
    Ok(all)
}

/// Plugins that another publisher has signed than before, or nobody any more: `orders: signed by lyra instead of acme`. Whoever
/// may sign for a tenant does not take over what callers know as somebody else's.
pub(super) fn resigned(before: &Signers, after: &Signers) -> Vec<String> {
    let changed = after.iter().filter_map(|(plugin, now)| {
        let was = before.get(plugin)?.as_ref()?;
        match now {
            Some(now) if now == was => None,
            Some(now) => Some(format!("{plugin}: signed by {now} instead of {was}")),
            None => Some(format!("{plugin}: signed by nobody instead of {was}")),
        }
    });
    changed.collect()
}

/// Who had signed the plugins that come after: those that are live, and of a name that is not live whoever else signed a version
/// of it once. A plugin that was removed does not come back as somebody else's unseen. What was live of it and what was only
/// pushed is not told apart, for revisions go and versions stay.
pub(super) async fn known_signers(
    store: &Store,
    tenant: &str,
    live: Signers,
    after: &Signers,
) -> Result<Signers, StoreError> {
    let mut known = live;
    for (plugin, now) in after {
        if !known.contains_key(plugin) {
            let other = signed_once(store, tenant, plugin, now.as_deref()).await?;
            known.insert(plugin.clone(), other);
        }
    }
    Ok(known)
}

/// The publisher but this one who signed a version of a plugin last.
async fn signed_once(
    store: &Store,
    tenant: &str,
    plugin: &str,
    but: Option<&str>,
) -> Result<Option<String>, StoreError> {
    let mut before = None;
    loop {
        let page = store
            .plugin_versions(tenant, Some(plugin), before, MAX_VERSIONS)
            .await?;
        let Some(last) = page.last() else {
            return Ok(None);
        };
        before = Some(last.number);
        let mut signed = page.into_iter().filter_map(|known| known.publisher);
        if let Some(other) = signed.find(|other| Some(other.as_str()) != but) {
            return Ok(Some(other));
        }
    }
}

/// A version must not be older than the one among the live components of the same major number: one that was signed once and
/// had a hole does not come back. What was pushed and never released is in nobody's way.
pub(super) fn not_older(
    name: &str,
    version: &str,
    known: &[PluginVersion],
    live: &BTreeSet<String>,
) -> Result<(), Refusal> {
    // Versions were parsed when the descriptions were read.
    let Ok(version) = Version::parse(version) else {
        return Ok(());
    };
    match among(known, live)
        .filter(|live| live.major == version.major)
        .max()
    {
        Some(live) if live > version => Err(Refusal::Conflict(format!(
            "{name}@{version} is older than {name}@{live}, which is live: what is pushed is at least as new as the live version of its major number; \
             to go back, release a revision that has it, or push its code under a newer version"
        ))),
        _ => Ok(()),
    }
}

/// Those of a plugin's versions that are among some components.
fn among(known: &[PluginVersion], components: &BTreeSet<String>) -> impl Iterator<Item = Version> {
    let there = known
        .iter()
        .filter(move |known| components.contains(&known.sha256));
    there.filter_map(|known| Version::parse(&known.version).ok())
}

/// That a version is older than the one among the newest components, of whatever major number.
pub(super) fn went_back(
    name: &str,
    version: &str,
    known: &[PluginVersion],
    newest: &BTreeSet<String>,
) -> Option<String> {
    let before = among(known, newest).max()?;
    let version = Version::parse(version).ok()?;
    (version < before).then(|| format!("{name} {before} -> {version}"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{
        PluginVersion, Signers, Statement, TenantConfig, distrusted, not_older, resigned, went_back,
    };
    use crate::centre::signature::{SigningKey, signature};

    #[test]
    fn a_version_is_held_against_the_keys_of_today() {
        let (key, text) = SigningKey::generate().expect("chance");
        let (other, _) = SigningKey::generate().expect("chance");
        let statement = Statement {
            tenant: "aurora",
            plugin: "orders",
            version: "1.0.0",
            sha256: "00",
        };
        let signed = SigningKey::read(&text).expect("a key");
        let signed = signature(&statement.sign(&signed)).expect("64 bytes");
        let known = |publisher: Option<&str>, signature| PluginVersion {
            number: 1,
            name: "orders".to_owned(),
            version: "1.0.0".to_owned(),
            sha256: "00".to_owned(),
            size: 1,
            imports: Vec::new(),
            publisher: publisher.map(str::to_owned),
            signature,
            pushed_at: 0,
            pushed_by: String::new(),
        };
        let by_acme = known(Some("acme"), Some(signed));
        let publishers = |publishers: &[(&str, &SigningKey)]| TenantConfig {
            publishers: publishers
                .iter()
                .map(|(name, key)| ((*name).to_owned(), key.public()))
                .collect(),
            signed: true,
            ..TenantConfig::default()
        };
        let why = |config: &[(&str, &SigningKey)], version| {
            distrusted("aurora", &publishers(config), version)
        };
        assert_eq!(why(&[("acme", &key)], &by_acme), None);
        // The key counts, whatever it is called.
        assert_eq!(why(&[("acme", &other), ("acme-2", &key)], &by_acme), None);
        for (config, version, words) in [
            (&[("acme", &other)], &by_acme, "has another key by now"),
            (&[("lyra", &other)], &by_acme, "is no publisher any more"),
            (
                &[("acme", &key)],
                &known(Some("acme"), None),
                "did not keep",
            ),
            (&[("acme", &key)], &known(None, None), "it is not signed"),
        ] {
            let told = why(config, version).unwrap_or_default();
            assert!(told.contains(words), "{words}: {told}");
        }
    }

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
            signature: None,
            pushed_at: 0,
            pushed_by: String::new(),
        };
        let known = ["1.9.0", "2.0.0", "2.1.0"].map(version);
        let newest = BTreeSet::from(["sha of 2.0.0".to_owned()]);
        let told = |to| went_back("orders", to, &known, &newest);
        assert_eq!(told("1.9.0").as_deref(), Some("orders 2.0.0 -> 1.9.0"));
        assert_eq!(told("2.0.0"), None);
        assert_eq!(told("2.1.0"), None);
        assert_eq!(went_back("orders", "1.9.0", &known, &BTreeSet::new()), None);
        // What is live decides, of the same major number; drafts such as 2.1.0 are in nobody's way.
        let older = |version, live| not_older("orders", version, &known, live).is_err();
        for (version, refused) in [
            ("2.0.0-rc.1", true),
            ("2.0.0", false),
            ("2.0.1", false),
            ("1.9.0", false),
        ] {
            assert_eq!(older(version, &newest), refused, "{version}");
        }
        assert!(!older("0.1.0", &BTreeSet::new()));
    }

    #[test]
    fn another_publisher_is_a_gain() {
        let signers = |all: &[(&str, Option<&str>)]| -> Signers {
            let all = all.iter();
            all.map(|(plugin, by)| ((*plugin).to_owned(), by.map(str::to_owned)))
                .collect()
        };
        let before = signers(&[
            ("a", Some("acme")),
            ("b", Some("acme")),
            ("c", None),
            ("d", Some("acme")),
        ]);
        let after = signers(&[
            ("a", Some("acme")),
            ("b", Some("lyra")),
            ("c", Some("lyra")),
            ("d", None),
            ("e", Some("lyra")),
        ]);
        assert_eq!(
            resigned(&before, &after),
            [
                "b: signed by lyra instead of acme",
                "d: signed by nobody instead of acme"
            ]
        );
    }
}
