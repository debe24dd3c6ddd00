//! The catalogue that the tests check against.

use std::collections::BTreeMap;

use strowger_flow::catalog::{Catalog, FlowSignature, PluginDescription};

const PLUGINS: [&str; 6] = [
    include_str!("../catalog/std.json"),
    include_str!("../catalog/orders.json"),
    include_str!("../catalog/crm.json"),
    include_str!("../catalog/callbacks.json"),
    include_str!("../catalog/parcels-1.json"),
    include_str!("../catalog/parcels-2.json"),
];

/// The flows that are good, by file name.
pub const GOOD: [(&str, &str); 3] = [
    (
        "main-menu.flow.yaml",
        include_str!("../flows/main-menu.flow.yaml"),
    ),
    (
        "order-status.flow.yaml",
        include_str!("../flows/order-status.flow.yaml"),
    ),
    (
        "vip-routing.flow.yaml",
        include_str!("../flows/vip-routing.flow.yaml"),
    ),
];

/// The standard steps and the example plugins; nothing known of flows, queues and files.
pub fn steps() -> Catalog {
    let mut catalog = Catalog::default();
    for text in PLUGINS {
        let plugin: PluginDescription =
            serde_json::from_str(text).expect("the test catalogue is well-formed");
        add(&mut catalog, plugin);
    }
    catalog
}

/// Takes a plugin's steps into a catalogue.
pub fn add(catalog: &mut Catalog, plugin: PluginDescription) {
    let major = plugin.version.split('.').next().unwrap_or("1").to_owned();
    for (name, step) in plugin.steps {
        let key = format!("{}/{name}@{major}", plugin.name);
        if plugin.name == "std" {
            catalog.verbs.insert(name, key.clone());
        }
        catalog.steps.insert(key, step);
    }
}

/// The same within the example project.
pub fn project() -> Catalog {
    let mut catalog = steps();
    let flows: BTreeMap<String, FlowSignature> = GOOD
        .iter()
        .filter_map(|(_, text)| strowger_flow::signature(text.as_bytes()))
        .collect();
    catalog.flows = Some(flows);
    let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    catalog.queues = names(&["front-desk", "vip-aurora", "vip-borealis", "general"]);
    catalog.destinations = names(&["supplier-a", "supplier-b"]);
    catalog.audio = names(&[
        "audio/zh/goodbye.wav",
        "audio/en/goodbye.wav",
        "audio/hold.wav",
    ]);
    catalog
}
