//! What a pushed project's `strowger.toml` says in vain: where calls come in, where data is kept and who is told is the
//! operator's to say.

use crate::project::{Config, Project};

/// Sections that only the centre's own `strowger.toml` and the tenants' files say.
const OPERATORS: &[&str] = &[
    "chat",
    "http",
    "limits",
    "log",
    "media",
    "retention",
    "sip",
    "store",
    "telemetry",
    "vault",
    "webhooks",
];

/// Keys of the kind in sections that are otherwise the project's.
const OPERATORS_KEYS: &[(&str, &str)] = &[
    ("transfer", "calls"),
    ("transfer", "calls_per_minute"),
    ("transfer", "calls_per_contact"),
    ("transfer", "longest_s"),
];

/// The parts of a project's configuration that do nothing in a centre.
pub(super) fn parts(project: &Project) -> Vec<String> {
    // It was read a moment ago, from a folder that nobody else writes.
    let source = Config::source(&project.folder);
    source.map_or_else(|_| Vec::new(), |source| named(&source.text))
}

fn named(text: &str) -> Vec<String> {
    let table: toml::Table = toml::from_str(text).unwrap_or_default();
    let sections = OPERATORS.iter();
    let sections = sections.filter(|section| table.contains_key(**section));
    let keys = OPERATORS_KEYS.iter().filter(|(section, key)| {
        let section = table.get(*section).and_then(toml::Value::as_table);
        section.is_some_and(|section| section.contains_key(*key))
    });
    let sections = sections.map(|section| (*section).to_owned());
    let keys = keys.map(|(section, key)| format!("{section}.{key}"));
    sections.chain(keys).collect()
}

#[cfg(test)]
mod tests {
    use super::{OPERATORS, named};
    use crate::project::Config;

    #[test]
    fn what_the_operator_says_is_named() {
        let text = "[project]\nname = \"vega\"\n[store]\nwait_s = 3\n[transfer]\nhow = \"refer\"\ncalls = 5\n[[webhooks]]\nurl = \"https://vega.example/\"";
        assert_eq!(named(text), ["store", "webhooks", "transfer.calls"]);
        assert!(named("[project]\nname = \"vega\"\n[transfer]\nhow = \"refer\"").is_empty());
    }

    #[test]
    fn every_section_is_the_operators_or_the_projects() {
        let projects = [
            "plugins",
            "project",
            "prompts",
            "recording",
            "steps",
            "transfer",
        ];
        let schema = schemars::schema_for!(Config);
        let sections = schema.as_value()["properties"]
            .as_object()
            .expect("an object");
        for section in sections.keys() {
            let (operators, own) = (
                OPERATORS.contains(&section.as_str()),
                projects.contains(&section.as_str()),
            );
            assert!(operators != own, "{section}: whose is it?");
        }
        assert_eq!(sections.len(), OPERATORS.len() + projects.len());
    }
}
