//! Core modules to components.

use wit_component::ComponentEncoder;

/// Why a core module cannot become a component.
#[derive(Debug, thiserror::Error)]
#[error(
    "the module cannot become a component: {reason}; build it with bindings made from the WIT of `strowger:step`"
)]
pub struct ComponentizeError {
    /// What is missing or wrong.
    pub reason: String,
}

/// Makes a component from a core module that was built with `wit-bindgen` for a target without WASI,
/// such as `wasm32-unknown-unknown`. The module itself says which world it implements.
pub fn componentize(core_module: &[u8]) -> Result<Vec<u8>, ComponentizeError> {
    let encode = || {
        ComponentEncoder::default()
            .validate(true)
            .module(core_module)?
            .encode()
    };
    encode().map_err(|error| ComponentizeError {
        reason: crate::admit::in_one_line(&format!("{error:#}")),
    })
}
