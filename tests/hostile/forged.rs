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

/// A component in a component, so many times. Texts cannot be nested so deep, bytes can.
pub fn nested(depth: usize) -> Vec<u8> {
    /// How a component begins, and the section that holds another one.
    const PREAMBLE: [u8; 8] = *b"\0asm\x0d\0\x01\0";
    const COMPONENT: u8 = 4;
    let mut component = PREAMBLE.to_vec();
    for _ in 0..depth {
        let mut outer = PREAMBLE.to_vec();
        outer.push(COMPONENT);
        let mut length = component.len();
        while length >= 0x80 {
            outer.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        outer.push(length as u8);
        outer.extend(component);
        component = outer;
    }
    component
}

/// A plugin beside a thousand modules with a memory each.
pub fn crowd() -> Vec<u8> {
    let crowd = wat::parse_str(format!(
        "(component (core module $m (memory 1)) {})",
        "(core instance (instantiate $m))".repeat(1_000)
    ))
    .expect("the text is well-formed");
    // What follows the preamble of one component may follow the sections of another.
    [&Guest::default().build()[..], &crowd[8..]].concat()
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
