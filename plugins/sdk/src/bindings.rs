//! What `wit/1.0` says, as Rust types: generated, so that there is one contract and no copy of it.
#![allow(
    missing_docs,
    reason = "the generator documents items, not the modules around them"
)]

wit_bindgen::generate!({
    path: "../../wit/1.0",
    world: "step",
    generate_all,
    pub_export_macro: true,
    default_bindings_module: "strowger_sdk::bindings",
    additional_derives: [PartialEq, serde::Serialize, serde::Deserialize],
});
