//! The interfaces this engine serves, read from the WIT itself, and how a component's own are compared.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::LazyLock;

use wasmparser::component_types::{
    ComponentDefinedType, ComponentEntityType, ComponentFuncTypeId, ComponentInstanceTypeId,
    ComponentValType,
};
use wasmparser::types::TypesRef;
use wasmparser::{Validator, WasmFeatures};
use wit_parser::Resolve;

/// The capabilities that can be granted, by short name.
pub const CAPABILITIES: [&str; 7] = ["contact", "media", "route", "wait", "http", "kv", "env"];

/// The contract `wit/1.0`, a file for each package, in the order of its dependencies.
pub const CONTRACT: [(&str, &str); 9] = [
    (
        "types.wit",
        include_str!("../../../wit/1.0/deps/types/types.wit"),
    ),
    (
        "contact.wit",
        include_str!("../../../wit/1.0/deps/contact/contact.wit"),
    ),
    (
        "media.wit",
        include_str!("../../../wit/1.0/deps/media/media.wit"),
    ),
    (
        "route.wit",
        include_str!("../../../wit/1.0/deps/route/route.wit"),
    ),
    (
        "wait.wit",
        include_str!("../../../wit/1.0/deps/wait/wait.wit"),
    ),
    (
        "http.wit",
        include_str!("../../../wit/1.0/deps/http/http.wit"),
    ),
    ("kv.wit", include_str!("../../../wit/1.0/deps/kv/kv.wit")),
    ("env.wit", include_str!("../../../wit/1.0/deps/env/env.wit")),
    ("step.wit", include_str!("../../../wit/1.0/step.wit")),
];

/// How a host call counts for the journal and for the time a step may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Answered from what is at hand: facts, time, chance, configuration, the log. No timer guards it.
    Local,
    /// Asks a store and changes nothing.
    Read,
    /// Waits for the contact, for people or for a clock: does not count as busy time. Handing over a
    /// contact (`route`) is of this class although it must not be repeated.
    Wait,
    /// Changes something outside; its journal entry comes first.
    Effect,
}

/// The class of a function of a served interface, both by short name (`media`, `listen`).
/// An unknown one counts as [`Class::Effect`], the most careful.
pub fn class(interface: &str, function: &str) -> Class {
    match (interface, function) {
        ("contact", _) | ("env", _) | ("media", "evaluate" | "is-card-number") => Class::Local,
        ("media" | "route" | "wait", _) => Class::Wait,
        ("kv", "get") => Class::Read,
        _ => Class::Effect,
    }
}

/// An interface: the signature of each function, by name.
pub(crate) type Functions = BTreeMap<String, String>;

/// The name of an interface, taken apart: `strowger:media/media@1.0.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InterfaceName {
    /// `strowger:media/media`.
    pub(crate) path: String,
    /// `1.0.0`, if there is one.
    pub(crate) version: Option<semver::Version>,
}

impl InterfaceName {
    /// Takes a name apart; a version that is none is no version.
    pub(crate) fn parse(name: &str) -> Self {
        match name.split_once('@') {
            Some((path, version)) => Self {
                path: path.to_owned(),
                version: semver::Version::parse(version).ok(),
            },
            None => Self {
                path: name.to_owned(),
                version: None,
            },
        }
    }

    /// `media` of `strowger:media/media`: the package's name without the namespace.
    pub(crate) fn capability(&self) -> &str {
        let package = self.path.split('/').next().unwrap_or_default();
        package.split_once(':').map_or(package, |(_, name)| name)
    }
}

/// What this engine serves and what it calls.
#[derive(Debug)]
pub(crate) struct Contract {
    /// Served interfaces by path such as `strowger:media/media`, with their versions.
    pub(crate) imports: BTreeMap<String, (semver::Version, Functions)>,
    /// The functions that a plugin exports.
    pub(crate) guest: Functions,
}

/// The path of the interface that a plugin exports.
pub(crate) const GUEST: &str = "strowger:step/guest";

/// The contract of this engine.
pub(crate) static SERVED: LazyLock<Contract> = LazyLock::new(|| {
    Contract::read()
        .expect("the WIT that this crate was built with is well-formed: a test reads it")
});

impl Contract {
    /// The served interface of that name, if its major version is served.
    pub(crate) fn find(&self, name: &InterfaceName) -> Option<&Functions> {
        let (served, functions) = self.imports.get(&name.path)?;
        let asked = name.version.as_ref()?;
        (asked.major == served.major && asked.pre.is_empty()).then_some(functions)
    }

    /// The served interfaces, for messages.
    pub(crate) fn list(&self) -> String {
        let names: Vec<_> = self
            .imports
            .iter()
            .filter(|(path, _)| path.as_str() != "strowger:types/types")
            .map(|(path, (version, _))| format!("{path}@{version}"))
            .collect();
        names.join(", ")
    }

    fn read() -> Result<Self, String> {
        let mut resolve = Resolve::default();
        let mut last = None;
        for (name, text) in CONTRACT {
            let package = resolve
                .push_source(name, text)
                .map_err(|error| format!("{error:#}"))?;
            last = Some(package);
        }
        let package = last.ok_or("no WIT")?;
        let binary =
            wit_component::encode(&resolve, package).map_err(|error| format!("{error:#}"))?;
        let types = Validator::new_with_features(WasmFeatures::default())
            .validate_all(&binary)
            .map_err(|error| error.to_string())?;
        let types = types.as_ref();

        // The binary form nests the world as the type of a component, exported by a component.
        let outer = match types.component_item_for_export("step").map(|item| item.ty) {
            Some(ComponentEntityType::Type { referenced, .. }) => referenced,
            other => return Err(format!("no world `step`: {other:?}")),
        };
        let wasmparser::component_types::ComponentAnyTypeId::Component(outer) = outer else {
            return Err("`step` is not a world".into());
        };
        let Some(ComponentEntityType::Component(world)) =
            types[outer].exports.values().map(|item| item.ty).next()
        else {
            return Err("the world is empty".into());
        };

        let mut contract = Self {
            imports: BTreeMap::new(),
            guest: Functions::new(),
        };
        for (name, item) in &types[world].imports {
            if let ComponentEntityType::Instance(instance) = item.ty {
                let name = InterfaceName::parse(name);
                let version = name.version.ok_or("an interface without a version")?;
                let functions = functions(types, instance);
                contract.imports.insert(name.path, (version, functions));
            }
        }
        for (name, item) in &types[world].exports {
            if let ComponentEntityType::Instance(instance) = item.ty
                && InterfaceName::parse(name).path == GUEST
            {
                contract.guest = functions(types, instance);
            }
        }
        Ok(contract)
    }
}

/// The functions of an instance with their signatures.
pub(crate) fn functions(types: TypesRef<'_>, instance: ComponentInstanceTypeId) -> Functions {
    types[instance]
        .exports
        .iter()
        .filter_map(|(name, item)| match item.ty {
            ComponentEntityType::Func(function) => Some((name.clone(), signature(types, function))),
            _ => None,
        })
        .collect()
}

/// A function's signature, written out down to the last field, so that equal texts are equal types.
fn signature(types: TypesRef<'_>, function: ComponentFuncTypeId) -> String {
    let function = &types[function];
    let mut out = String::new();
    if function.async_ {
        out.push_str("async ");
    }
    out.push_str("func(");
    for (index, (name, ty)) in function.params.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        let _ = write!(out, "{comma}{name}: ");
        write_type(types, ty, &mut out);
    }
    out.push(')');
    if let Some(ty) = &function.result {
        out.push_str(" -> ");
        write_type(types, ty, &mut out);
    }
    out
}

/// Longest signature that is written out. Bytes; a type that is longer cannot be one of ours, and types
/// that share parts can be exponentially long when written out.
const SIGNATURE_BYTES: usize = 16 << 10;

fn write_type(types: TypesRef<'_>, ty: &ComponentValType, out: &mut String) {
    if out.len() > SIGNATURE_BYTES {
        out.push('…');
        return;
    }
    let id = match ty {
        ComponentValType::Primitive(primitive) => {
            let _ = write!(out, "{primitive}");
            return;
        }
        ComponentValType::Type(id) => *id,
    };
    match &types[id] {
        ComponentDefinedType::Primitive(primitive) => {
            let _ = write!(out, "{primitive}");
        }
        ComponentDefinedType::Record(record) => {
            let fields = record
                .fields
                .iter()
                .map(|(name, ty)| (name.to_string(), Some(*ty)));
            write_members(types, "record", fields, out);
        }
        ComponentDefinedType::Variant(variant) => {
            let cases = variant
                .cases
                .iter()
                .map(|(name, case)| (name.to_string(), case.ty));
            write_members(types, "variant", cases, out);
        }
        ComponentDefinedType::Enum(names) => {
            write_members(
                types,
                "enum",
                names.iter().map(|name| (name.to_string(), None)),
                out,
            );
        }
        ComponentDefinedType::Flags(names) => {
            write_members(
                types,
                "flags",
                names.iter().map(|name| (name.to_string(), None)),
                out,
            );
        }
        ComponentDefinedType::List { element, .. } => {
            out.push_str("list<");
            write_type(types, element, out);
            out.push('>');
        }
        ComponentDefinedType::Option { ty, .. } => {
            out.push_str("option<");
            write_type(types, ty, out);
            out.push('>');
        }
        ComponentDefinedType::Tuple(tuple) => {
            out.push_str("tuple<");
            for (index, ty) in tuple.types.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write_type(types, ty, out);
            }
            out.push('>');
        }
        ComponentDefinedType::Result { ok, err, .. } => {
            out.push_str("result<");
            match ok {
                Some(ty) => write_type(types, ty, out),
                None => out.push('_'),
            }
            if let Some(ty) = err {
                out.push_str(", ");
                write_type(types, ty, out);
            }
            out.push('>');
        }
        // Resources, streams, futures and the rest: no contract of ours has them, so any text that
        // no contract contains tells the difference.
        other => {
            let kind = format!("{other:?}");
            let kind = kind
                .split(['(', ' ', '{'])
                .next()
                .unwrap_or_default()
                .to_lowercase();
            out.push_str(&kind);
        }
    }
}

fn write_members(
    types: TypesRef<'_>,
    kind: &str,
    members: impl Iterator<Item = (String, Option<ComponentValType>)>,
    out: &mut String,
) {
    out.push_str(kind);
    out.push('{');
    for (index, (name, ty)) in members.enumerate() {
        out.push_str(if index == 0 { "" } else { ", " });
        out.push_str(&name);
        if let Some(ty) = ty {
            out.push_str(": ");
            write_type(types, &ty, out);
        }
    }
    out.push('}');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_is_read_whole() {
        let served = &*SERVED;
        let capabilities: Vec<_> = served
            .imports
            .keys()
            .map(|path| {
                InterfaceName {
                    path: path.clone(),
                    version: None,
                }
                .capability()
                .to_owned()
            })
            .filter(|name| name != "types")
            .collect();
        let mut expected = CAPABILITIES.to_vec();
        expected.sort_unstable();
        let mut found = capabilities;
        found.sort_unstable();
        assert_eq!(found, expected);
        assert_eq!(served.guest["describe"], "func() -> string");
        assert_eq!(
            served.guest["run"],
            "func(step: string, input: string) -> result<record{name: string, data: string}, \
             record{code: string, message: string, retryable: bool}>"
        );
        assert_eq!(served.imports["strowger:env/env"].1["now"], "func() -> u64");
    }

    #[test]
    fn every_served_function_has_a_class_of_its_own_choice() {
        for (path, (_, functions)) in &SERVED.imports {
            let name = InterfaceName {
                path: path.clone(),
                version: None,
            };
            for function in functions.keys() {
                let class = class(name.capability(), function);
                let effect = matches!(
                    (name.capability(), function.as_str()),
                    ("http", "fetch") | ("kv", "set" | "delete" | "compare-and-set")
                );
                assert_eq!(class == Class::Effect, effect, "{path}#{function}");
            }
        }
    }

    #[test]
    fn minor_versions_are_compatible_and_majors_are_not() {
        for (name, served) in [
            ("strowger:media/media@1.0.0", true),
            ("strowger:media/media@1.7.3", true),
            ("strowger:media/media@2.0.0", false),
            ("strowger:media/media@1.0.0-draft", false),
            ("strowger:media/media", false),
            ("strowger:media/other@1.0.0", false),
        ] {
            assert_eq!(
                SERVED.find(&InterfaceName::parse(name)).is_some(),
                served,
                "{name}"
            );
        }
    }
}
