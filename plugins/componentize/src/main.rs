//! `componentize OUT_DIR MODULE.wasm…`: makes a component of each core module.
//!
//! A module built for `wasm32-unknown-unknown` with the SDK carries its component type in a custom
//! section; wrapping it needs nothing else. The tool refuses a module that imports anything but the
//! capabilities of `wit/`, which is how a dependency that smuggles in JavaScript glue or WASI is found.
//!
//! One line per component goes to stdout: name, bytes, capabilities. Exit code 1 when any module failed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use wasmparser::{ComponentTypeRef, Parser, Payload, Validator};
use wit_component::ComponentEncoder;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let modules: Vec<PathBuf>;
    let out = match arguments.next() {
        Some(out) => {
            modules = arguments.collect();
            out
        }
        None => {
            eprintln!("usage: componentize OUT_DIR MODULE.wasm...");
            return ExitCode::from(2);
        }
    };
    if let Err(error) = fs::create_dir_all(&out) {
        eprintln!("error: {}: {error}", out.display());
        return ExitCode::from(2);
    }
    let mut failed = false;
    for module in &modules {
        match make(module, &out) {
            Ok(made) => println!(
                "{:<28} {:>8} bytes  {}",
                made.name,
                made.bytes,
                made.capabilities.join(" ")
            ),
            Err(reason) => {
                eprintln!("error: {}: {reason}", module.display());
                failed = true;
            }
        }
    }
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// What was made of a module.
struct Made {
    name: String,
    bytes: usize,
    capabilities: Vec<String>,
}

/// Wraps one module, writes the component beside the others under the module's own name with hyphens.
fn make(module: &Path, out: &Path) -> Result<Made, String> {
    let bytes = fs::read(module).map_err(|error| error.to_string())?;
    refuse_foreign_imports(&bytes)?;
    let component = ComponentEncoder::default()
        .module(&bytes)
        .and_then(|encoder| encoder.validate(true).encode())
        .map_err(|error| {
            format!(
                "{error:#}; is it built for wasm32-unknown-unknown, and does it export a plugin?"
            )
        })?;
    Validator::new()
        .validate_all(&component)
        .map_err(|error| error.to_string())?;
    let capabilities = imports(&component).map_err(|error| error.to_string())?;
    if let Some(foreign) = capabilities.iter().find(|name| !name.starts_with(OURS)) {
        return Err(format!(
            "the component imports `{foreign}`; only `{OURS}…` can be granted"
        ));
    }

    let stem = module
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .replace('_', "-");
    let path = out.join(format!("{stem}.wasm"));
    // Written aside and renamed, so that a build cut off leaves no half component behind.
    let aside = path.with_extension("wasm.part");
    fs::write(&aside, &component)
        .and_then(|()| fs::rename(&aside, &path))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(Made {
        name: format!("{stem}.wasm"),
        bytes: component.len(),
        capabilities,
    })
}

/// Every capability's package begins so.
const OURS: &str = "strowger:";

/// Refuses a core module that imports anything but our capabilities, naming module and function.
fn refuse_foreign_imports(module: &[u8]) -> Result<(), String> {
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::ImportSection(section) = payload.map_err(|error| error.to_string())? {
            for import in section.into_imports() {
                let import = import.map_err(|error| error.to_string())?;
                if !import.module.starts_with(OURS) {
                    return Err(format!(
                        "imports `{}` from `{}`; find the dependency that brings it with `cargo tree` and turn \
                         off its JavaScript or WASI feature",
                        import.name, import.module
                    ));
                }
            }
        }
    }
    Ok(())
}

/// The instances that a component imports, without those that only lend types.
fn imports(component: &[u8]) -> wasmparser::Result<Vec<String>> {
    let mut names = Vec::new();
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::Version { .. } => depth += 1,
            Payload::End(_) => depth -= 1,
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section {
                    let import = import?;
                    let name = import.name.name;
                    let lends_types = name.starts_with("strowger:types/");
                    if matches!(import.ty, ComponentTypeRef::Instance(_)) && !lends_types {
                        names.push(name.to_owned());
                    }
                }
            }
            _ => {}
        }
    }
    Ok(names)
}
