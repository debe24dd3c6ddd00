//! Core modules to components.

use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

use crate::interface::CONTRACT;

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

/// Makes a component from a core module that says nothing of its world, such as one that C wrote by hand after the
/// canonical ABI. `world` is a WIT text with one world, whose packages are those of [`CONTRACT`].
pub fn componentize_for(core_module: &[u8], world: &str) -> Result<Vec<u8>, ComponentizeError> {
    let wrong = |reason: String| ComponentizeError {
        reason: crate::admit::in_one_line(&reason),
    };
    let mut resolve = Resolve::default();
    let mut package = None;
    for (name, text) in CONTRACT.into_iter().chain([("world.wit", world)]) {
        let pushed = resolve.push_source(name, text);
        package = Some(pushed.map_err(|error| wrong(format!("{error:#}")))?);
    }
    let package = package.expect("the contract has packages");
    let world = resolve
        .select_world(&[package], None)
        .map_err(|error| wrong(format!("{error:#}")))?;
    let mut module = core_module.to_vec();
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
        .map_err(|error| wrong(format!("{error:#}")))?;
    componentize(&module)
}
