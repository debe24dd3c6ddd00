//! What a component's outside must look like, before anything is compiled.

use sha2::{Digest as _, Sha256};
use strowger_flow::unseen::quoted_up_to;
use wasmparser::component_types::ComponentEntityType;
use wasmparser::types::{Types, TypesRef};
use wasmparser::{BinaryReader, Instance, Parser, Payload, TypeRef, ValidPayload, Validator};

use crate::cache::hex;
use crate::effort::Effort;
use crate::engine::FEATURES;
use crate::error::LoadError;
use crate::grants::Grants;
use crate::interface::{Functions, GUEST, InterfaceName, SERVED, functions};
use crate::limits::{INTERPRETER_BYTES, Limits};
use crate::pool::{self, Shape};
use crate::wasi::{self, Service};

/// Most complaints told about one component; a component with more is past helping one by one.
const COMPLAINTS_MOST: usize = 100;

/// Longest name of an import that a message shows. Characters.
const NAME_CHARS: usize = 200;

/// How WebAssembly begins (core specification, 5.5.15).
const MAGIC: &[u8] = b"\0asm";

/// Bytes of the magic number, the version and the layer.
const PREAMBLE: usize = 8;

/// What serves an import.
#[derive(Debug, Clone)]
pub(crate) enum Served {
    /// A capability, by the short name `media`.
    Capability(String),
    /// Nothing: the interface holds only types.
    Types,
    /// The virtual WASI.
    Wasi {
        /// The name without the version: `wasi:io/poll`.
        path: String,
    },
}

/// An import of a component that the engine serves.
#[derive(Debug, Clone)]
pub(crate) struct Import {
    /// As it stands in the component: `strowger:media/media@1.0.0`.
    pub(crate) name: String,
    pub(crate) served: Served,
    /// The functions that it uses.
    pub(crate) functions: Vec<String>,
}

/// A component's outside.
#[derive(Debug)]
pub(crate) struct Inspection {
    /// SHA-256 of the bytes, lower-case hexadecimal.
    pub(crate) digest: String,
    pub(crate) imports: Vec<Import>,
    /// The name under which the guest interface is exported.
    pub(crate) guest: String,
    /// Whether it needs the room that interpreters have: it is large, or of many parts.
    pub(crate) interpreter: bool,
    pub(crate) complaints: Vec<LoadError>,
}

impl Inspection {
    /// Whether the component could be compiled and asked to describe itself: nothing is wrong with
    /// it but grants that are missing.
    pub(crate) fn runnable(&self) -> bool {
        self.complaints
            .iter()
            .all(|complaint| matches!(complaint, LoadError::NotGranted { .. }))
    }
}

/// Parses and validates the bytes and holds imports and exports against contract and grants.
pub(crate) fn inspect(bytes: &[u8], grants: &Grants, limits: &Limits) -> Inspection {
    let mut inspection = Inspection {
        digest: String::new(),
        imports: Vec::new(),
        guest: String::new(),
        interpreter: bytes.len() > INTERPRETER_BYTES,
        complaints: Vec::new(),
    };
    if bytes.len() > limits.component_bytes {
        inspection.complaints.push(LoadError::TooLarge {
            bytes: bytes.len(),
            most: limits.component_bytes,
        });
        return inspection;
    }
    inspection.digest = hex(&Sha256::digest(bytes));
    if let Some(looks) = no_wasm(bytes) {
        inspection.complaints.push(LoadError::NotWasm { looks });
        return inspection;
    }
    if Parser::is_core_wasm(bytes) {
        inspection.complaints.push(LoadError::NotAComponent);
        return inspection;
    }
    let invalid = |error: wasmparser::BinaryReaderError| match is_cut_off(bytes) {
        true => LoadError::CutOff { bytes: bytes.len() },
        false => LoadError::Invalid {
            offset: error.offset(),
            reason: in_one_line(error.message()),
        },
    };
    match outside(bytes) {
        Ok((outside, types)) => {
            let types = types.as_ref();
            inspection.complaints.extend(outside.too_large);
            inspection.interpreter |= !outside.shape.fits(&pool::NATIVE);
            for name in outside.imports {
                check_import(types, &name, grants, &mut inspection);
            }
            check_exports(types, &outside.exports, &mut inspection);
        }
        Err(error) => inspection.complaints.push(invalid(error)),
    }
    let count = inspection.complaints.len();
    if count > COMPLAINTS_MOST {
        inspection.complaints.truncate(COMPLAINTS_MOST);
        inspection.complaints.push(LoadError::More {
            count: count - COMPLAINTS_MOST,
        });
    }
    inspection
}

/// What bytes look like that do not begin as WebAssembly does; none for those that do.
fn no_wasm(bytes: &[u8]) -> Option<&'static str> {
    let begins = |with: &[u8]| bytes.starts_with(with);
    match bytes {
        [] => Some("the file is empty"),
        _ if begins(MAGIC) || MAGIC.starts_with(bytes) => None,
        _ if begins(b"\x7fELF") => Some("it is a program or library of this machine"),
        _ if begins(b"PK\x03\x04") || begins(b"\x1f\x8b") => Some("it is an archive"),
        _ if begins(b"version https://git-lfs") => {
            Some("it only points to a file that Git LFS keeps")
        }
        _ if std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0')) => {
            Some("the file holds text")
        }
        _ => Some("the file begins with other bytes"),
    }
}

/// Whether the file ends within its preamble or within a section, each of which says how long it is.
fn is_cut_off(bytes: &[u8]) -> bool {
    let Some(sections) = bytes.get(PREAMBLE..) else {
        return true;
    };
    let mut sections = BinaryReader::new(sections, PREAMBLE);
    while !sections.eof() {
        let length = sections.read_u8().and_then(|_kind| sections.read_var_u32());
        match length.map(|length| length as usize) {
            Ok(length) if length > sections.bytes_remaining() => return true,
            // Within what is there: cannot fail.
            Ok(length) => drop(sections.read_bytes(length)),
            // A length that is cut in two; a senseless one has bytes after it.
            Err(_) => return sections.eof(),
        }
    }
    false
}

/// A message of another library as a part of one of our sentences.
pub(crate) fn in_one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What is read of a component in one pass.
#[derive(Debug, Default)]
struct Outside {
    /// The names of the component's own imports, not those of components inside it.
    imports: Vec<String>,
    /// The names of its own exports.
    exports: Vec<String>,
    /// How many parts it has, components inside it included.
    shape: Shape,
    /// What would take the compiler too long, in all modules.
    too_large: Vec<LoadError>,
}

/// Validates the bytes and reads what there is of the outside.
fn outside(bytes: &[u8]) -> Result<(Outside, Types), wasmparser::BinaryReaderError> {
    let mut outside = Outside::default();
    let mut effort = Effort::default();
    let mut validator = Validator::new_with_features(FEATURES);
    let mut types = None;
    let mut depth = 0_usize;
    let mut parser = Parser::new(0);
    parser.set_features(FEATURES);
    for payload in parser.parse_all(bytes) {
        let payload = payload?;
        match validator.payload(&payload)? {
            ValidPayload::Func(function, body) => effort.function(function, &body)?,
            // The last to end is the component itself.
            ValidPayload::End(ended) => types = Some(ended),
            ValidPayload::Ok | ValidPayload::Parser(_) => {}
        }
        match payload {
            Payload::ModuleSection { .. } => {
                depth += 1;
                effort.module();
            }
            Payload::ComponentSection { .. } => depth += 1,
            Payload::TypeSection(section) => {
                for group in section {
                    effort.types(&group?);
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let is_function = matches!(import?.ty, TypeRef::Func(_));
                    effort.imported(u32::from(is_function));
                }
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    outside.imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    outside.exports.push(export?.name.name.to_owned());
                }
            }
            Payload::InstanceSection(section) => {
                for instance in section {
                    let instantiates = matches!(instance?, Instance::Instantiate { .. });
                    outside.shape.core_instances += u32::from(instantiates);
                }
            }
            Payload::MemorySection(section) => outside.shape.memories += section.count(),
            Payload::TableSection(section) => outside.shape.tables += section.count(),
            _ => {}
        }
    }
    outside.too_large = effort.complaints();
    // Whatever is whole has an end.
    Ok((outside, types.expect("a component that is validated ends")))
}

fn check_import(types: TypesRef<'_>, name: &str, grants: &Grants, inspection: &mut Inspection) {
    let shown = quoted_up_to(name, NAME_CHARS);
    let parsed = InterfaceName::parse(name);
    if name.starts_with("wasi:") {
        check_wasi(types, name, parsed, inspection);
        return;
    }
    let item = types.component_item_for_import(name).map(|item| item.ty);
    let (Some(served), Some(ComponentEntityType::Instance(instance))) =
        (SERVED.find(&parsed), item)
    else {
        inspection.complaints.push(LoadError::UnknownImport {
            import: shown,
            served: SERVED.list(),
        });
        return;
    };
    let imported = functions(types, instance);
    check_functions(&shown, &imported, served, inspection);
    let served = match parsed.capability() {
        "types" => Served::Types,
        capability => Served::Capability(capability.to_owned()),
    };
    if let Served::Capability(capability) = &served
        && !grants.allow(capability)
    {
        inspection.complaints.push(LoadError::NotGranted {
            import: shown,
            capability: capability.clone(),
        });
    }
    inspection.imports.push(Import {
        name: name.to_owned(),
        served,
        functions: imported.into_keys().collect(),
    });
}

/// An import of WASI needs no grant, for it leads nowhere; but only what is served is let in.
fn check_wasi(types: TypesRef<'_>, name: &str, parsed: InterfaceName, inspection: &mut Inspection) {
    let shown = quoted_up_to(name, NAME_CHARS);
    let item = types.component_item_for_import(name).map(|item| item.ty);
    let (Some(service), Some(ComponentEntityType::Instance(instance))) =
        (wasi::service(&parsed), item)
    else {
        let instead = match parsed.capability() {
            "http" => "; requests go through `strowger:http/client`",
            "keyvalue" => "; data is kept in `strowger:kv/store`",
            "config" => "; configuration is in `strowger:env/env`",
            _ => "",
        };
        inspection.complaints.push(LoadError::Wasi {
            import: shown,
            instead,
        });
        return;
    };
    let functions: Vec<_> = functions(types, instance).into_keys().collect();
    if let Service::Functions(known) = service {
        for function in &functions {
            if !known.contains(&function.as_str()) {
                inspection.complaints.push(LoadError::UnknownFunction {
                    import: shown.clone(),
                    function: quoted_up_to(function, NAME_CHARS),
                    known: known.join(", "),
                });
            }
        }
    }
    inspection.imports.push(Import {
        name: name.to_owned(),
        served: Served::Wasi { path: parsed.path },
        functions,
    });
}

/// Every function that is there must be one of ours, with our signature.
fn check_functions(
    import: &str,
    found: &Functions,
    served: &Functions,
    inspection: &mut Inspection,
) {
    for (function, found) in found {
        match served.get(function) {
            None => inspection.complaints.push(LoadError::UnknownFunction {
                import: import.to_owned(),
                function: quoted_up_to(function, NAME_CHARS),
                known: served.keys().cloned().collect::<Vec<_>>().join(", "),
            }),
            Some(expected) if expected != found => {
                inspection.complaints.push(LoadError::Signature {
                    import: import.to_owned(),
                    function: function.clone(),
                    found: found.clone(),
                    expected: expected.clone(),
                })
            }
            Some(_) => {}
        }
    }
}

fn check_exports(types: TypesRef<'_>, exports: &[String], inspection: &mut Inspection) {
    let missing = |export: &str| LoadError::MissingExport {
        export: export.to_owned(),
    };
    let guest = exports.iter().find(|name| {
        let name = InterfaceName::parse(name);
        // Patch releases only: a plugin's own exports are called, so a later minor may expect more.
        name.path == GUEST
            && name.version.is_some_and(|version| {
                (version.major, version.minor) == (1, 0) && version.pre.is_empty()
            })
    });
    let Some(guest) = guest else {
        inspection
            .complaints
            .push(missing("strowger:step/guest@1.0.0"));
        return;
    };
    let item = types.component_item_for_export(guest).map(|item| item.ty);
    let Some(ComponentEntityType::Instance(instance)) = item else {
        inspection.complaints.push(missing(guest));
        return;
    };
    let found = functions(types, instance);
    for (function, expected) in &SERVED.guest {
        match found.get(function) {
            None => inspection
                .complaints
                .push(missing(&format!("{guest}#{function}"))),
            Some(found) if found != expected => inspection.complaints.push(LoadError::Signature {
                import: guest.clone(),
                function: function.clone(),
                found: found.clone(),
                expected: expected.clone(),
            }),
            Some(_) => {}
        }
    }
    inspection.guest.clone_from(guest);
}
