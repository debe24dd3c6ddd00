//! Components that no compiler writes: each breaks one rule of the component boundary.

use crate::guest::{Guest, OK, description};

/// A guest under a name of its own.
pub fn named(name: &str, guest: Guest) -> Vec<u8> {
    let mut description = description();
    description["name"] = name.into();
    Guest {
        description: description.to_string(),
        ..guest
    }
    .build()
}

/// A guest with that body of `run`.
pub fn runs(name: &str, run: &str) -> Vec<u8> {
    let guest = Guest {
        run: run.into(),
        ..Guest::default()
    };
    named(name, guest)
}

/// A guest that calls the log, or whatever else, in a way that the boundary forbids.
pub fn calls(name: &str, run: &str) -> Vec<u8> {
    let guest = Guest {
        imports: r#"(import "strowger:env/env@1.0.0" "log" (func $log (param i32 i32 i32)))
            (import "strowger:env/env@1.0.0" "random" (func $random (param i32 i32)))"#,
        run: format!("{run} {OK}"),
        ..Guest::default()
    };
    named(name, guest)
}

/// A guest whose allocator is this.
pub fn allocates(name: &str, realloc: &'static str) -> Vec<u8> {
    let guest = Guest {
        realloc: Some(realloc),
        ..Guest::default()
    };
    named(name, guest)
}

/// A guest with further items in its module.
pub fn with_items(name: &str, run: &str, items: &str) -> Vec<u8> {
    let guest = Guest {
        run: run.into(),
        items: items.into(),
        ..Guest::default()
    };
    named(name, guest)
}

/// A component that imports a thousand interfaces.
pub fn importer() -> Vec<u8> {
    let imports: String = (0..1_000)
        .map(|number| format!("(import \"acme:i{number}/api@1.0.0\" (instance))"))
        .collect();
    wat::parse_str(format!("(component {imports})")).expect("the text is well-formed")
}

/// A component that wants the engine's own files or sockets.
pub fn wants(import: &str) -> Vec<u8> {
    wat::parse_str(format!("(component (import \"{import}\" (instance)))"))
        .expect("the text is well-formed")
}
