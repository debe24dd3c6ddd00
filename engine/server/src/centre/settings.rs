//! What the `strowger.toml` of a revision decides for its callers beside what its plugins may touch: where numbers are called,
//! whether calls are recorded, and what plugins are configured with.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path};

use strowger_flow::unseen::quoted;

use crate::store::{Files, Manifest, Store, StoreError};

/// The file; what it changes is told under its name.
const SETTINGS_FILE: &str = "strowger.toml";

/// What a revision's `strowger.toml` says.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Settings {
    trunk: Option<String>,
    recorded: bool,
    plugins: BTreeMap<String, Plugged>,
    /// Some component that it names is none of the revision's files, or it cannot be read.
    unknown: bool,
}

/// One of its plugins.
#[derive(Debug, Clone, PartialEq)]
struct Plugged {
    /// Of its component.
    sha256: Option<String>,
    config: toml::Table,
}

impl Settings {
    /// What a text says to these files.
    pub(super) fn read(text: &str, files: &Files) -> Settings {
        let Ok(table) = toml::from_str::<toml::Table>(text) else {
            return Settings {
                unknown: true,
                ..Settings::default()
            };
        };
        let of = |section: &str, key: &str| table.get(section)?.as_table()?.get(key);
        let plugins = table.get("plugins").and_then(toml::Value::as_table);
        let plugins = plugins.into_iter().flatten().map(|(name, plugin)| {
            let component = plugin.get("component").and_then(toml::Value::as_str);
            let config = plugin.get("config").and_then(toml::Value::as_table);
            let plugged = Plugged {
                sha256: component
                    .and_then(place)
                    .and_then(|at| files.get(&at))
                    .cloned(),
                config: config.cloned().unwrap_or_default(),
            };
            (name.clone(), plugged)
        });
        let plugins: BTreeMap<String, Plugged> = plugins.collect();
        Settings {
            trunk: of("transfer", "trunk")
                .and_then(toml::Value::as_str)
                .map(str::to_owned),
            recorded: of("recording", "calls").and_then(toml::Value::as_bool) == Some(true),
            unknown: plugins.values().any(|plugin| plugin.sha256.is_none()),
            plugins,
        }
    }

    /// What a revision of the store says.
    pub(super) async fn of(store: &Store, manifest: &Manifest) -> Result<Settings, StoreError> {
        let text = match manifest.files.get(SETTINGS_FILE) {
            Some(sha256) => store.blob(sha256).await?,
            None => None,
        };
        let text = text.and_then(|text| String::from_utf8(text).ok());
        // No text of TOML: what cannot be read is known to be so.
        let text = text.as_deref().unwrap_or("=");
        Ok(Settings::read(text, &manifest.files))
    }

    /// The SHA-256 of the components that it names. Of one that is not found every file may be it: nothing gets by unseen.
    pub(super) fn components(&self, files: &Files) -> BTreeSet<String> {
        if self.unknown {
            return files.values().cloned().collect();
        }
        let plugins = self.plugins.values();
        plugins.filter_map(|plugin| plugin.sha256.clone()).collect()
    }

    /// Whether a plugin has the same component here and the same configuration.
    pub(super) fn runs_as(&self, other: &Settings, plugin: &str) -> bool {
        let here = self.plugins.get(plugin);
        here.is_some_and(|here| here.sha256.is_some() && other.plugins.get(plugin) == Some(here))
    }

    /// What it decides otherwise than the one before, so that callers notice and nothing else tells. Of a plugin's configuration,
    /// which may hold what is nobody's business, only the keys are named.
    pub(super) fn gains(&self, before: &Settings) -> Vec<String> {
        let mut gains = Vec::new();
        if let Some(trunk) = self.trunk.as_ref().filter(|_| self.trunk != before.trunk) {
            let was = before.trunk.as_deref().unwrap_or("none");
            gains.push(format!(
                "{SETTINGS_FILE}: transfer.trunk {trunk} instead of {was}"
            ));
        }
        if self.recorded && !before.recorded {
            gains.push(format!(
                "{SETTINGS_FILE}: recording.calls true instead of false"
            ));
        }
        for (name, plugin) in &self.plugins {
            let Some(was) = before.plugins.get(name) else {
                continue;
            };
            let mut keys = Vec::new();
            differing("", &was.config, &plugin.config, &mut keys);
            if !keys.is_empty() {
                gains.push(format!("{name}: other config: {}", keys.join(", ")));
            }
        }
        gains
    }

    /// What was decided before and is no more: numbers that went to a trunk, and that calls were recorded.
    pub(super) fn losses(&self, before: &Settings) -> Vec<String> {
        let mut losses = Vec::new();
        if let Some(was) = before.trunk.as_ref().filter(|_| self.trunk != before.trunk) {
            losses.push(format!("{SETTINGS_FILE}: transfer.trunk {was}"));
        }
        if before.recorded && !self.recorded {
            losses.push(format!("{SETTINGS_FILE}: recording.calls"));
        }
        losses
    }
}

/// The keys, in order and each with those above it, whose values differ.
fn differing(above: &str, was: &toml::Table, now: &toml::Table, keys: &mut Vec<String>) {
    let all: BTreeSet<&String> = was.keys().chain(now.keys()).collect();
    for key in all {
        let named = format!("{above}{}", quoted(key));
        match (was.get(key), now.get(key)) {
            (Some(toml::Value::Table(was)), Some(toml::Value::Table(now))) => {
                differing(&format!("{named}."), was, now, keys);
            }
            (was, now) if was == now => {}
            _ => keys.push(named),
        }
    }
}

/// Where a component lies among a revision's files.
fn place(component: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in Path::new(component).components() {
        match part {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::CurDir => {}
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::{Files, Settings, place};

    fn files(all: &[(&str, &str)]) -> Files {
        let all = all.iter();
        all.map(|(path, sha256)| ((*path).to_owned(), (*sha256).to_owned()))
            .collect()
    }

    #[test]
    fn what_callers_would_notice_is_a_gain_that_names_old_and_new() {
        let files = files(&[("plugins/orders.wasm", "0a")]);
        let read = |text: &str| Settings::read(text, &files);
        let plain = read("[recording]\ncalls = false\n[transfer]\nhow = \"bridge\"\n");
        let first = read("[transfer]\ntrunk = \"sip:a.example\"\n[recording]\ncalls = true\n");
        let other = read("[transfer]\ntrunk = \"sip:b.example\"\n[recording]\ncalls = true\n");
        assert_eq!(
            first.gains(&plain),
            [
                "strowger.toml: transfer.trunk sip:a.example instead of none",
                "strowger.toml: recording.calls true instead of false",
            ]
        );
        assert_eq!(first.gains(&Settings::default()), first.gains(&plain));
        assert_eq!(
            other.gains(&first),
            ["strowger.toml: transfer.trunk sip:b.example instead of sip:a.example"]
        );
        assert_eq!(
            other.losses(&first),
            ["strowger.toml: transfer.trunk sip:a.example"]
        );
        assert!(plain.gains(&first).is_empty());
        assert_eq!(
            plain.losses(&first),
            [
                "strowger.toml: transfer.trunk sip:a.example",
                "strowger.toml: recording.calls",
            ]
        );
        assert!(first.gains(&first).is_empty() && first.losses(&first).is_empty());
    }

    #[test]
    fn of_a_configuration_the_keys_that_differ_are_named_and_no_values() {
        let files = files(&[("plugins/orders.wasm", "0a")]);
        let read = |config: &str| {
            let component = "component = \"plugins/orders.wasm\"";
            let text = format!("[plugins.orders]\n{component}\n[plugins.orders.config]\n{config}");
            Settings::read(&text, &files)
        };
        let was = read(
            "url = \"http://a\"\nretries = 2\nsame = [1]\n[plugins.orders.config.lines]\nx = 1\ny = 2\n",
        );
        let now = read(
            "url = \"http://b\"\nsame = [1]\nnew = true\n[plugins.orders.config.lines]\nx = 1\ny = 3\n",
        );
        assert_eq!(
            now.gains(&was),
            ["orders: other config: lines.y, new, retries, url"]
        );
        assert!(now.runs_as(&now, "orders") && !now.runs_as(&was, "orders"));
        assert!(!now.runs_as(&now, "crm"));
        // What a plugin that is new may touch is a gain, and it is tried; its configuration is not another one.
        assert!(now.gains(&Settings::default()).is_empty());
    }

    #[test]
    fn components_are_those_that_are_named_unless_one_is_not_found() {
        let files = files(&[
            ("plugins/orders.wasm", "0a"),
            ("plugins/older.wasm", "0b"),
            ("strowger.toml", "0c"),
        ]);
        let of = |component: &str| {
            let text = format!("[plugins.orders]\ncomponent = \"{component}\"\n");
            let components = Settings::read(&text, &files).components(&files);
            components.into_iter().collect::<Vec<_>>()
        };
        assert_eq!(of("plugins/orders.wasm"), ["0a"]);
        assert_eq!(of("./x/../plugins//orders.wasm"), ["0a"]);
        assert_eq!(of("plugins/gone.wasm"), ["0a", "0b", "0c"]);
        let unreadable = Settings::read("[plugins", &files).components(&files);
        assert_eq!(unreadable.len(), 3);
        assert_eq!(place("../orders.wasm"), None);
        assert_eq!(place("/orders.wasm"), None);
    }
}
