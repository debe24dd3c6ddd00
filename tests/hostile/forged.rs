//! Components that no compiler writes: each breaks one rule of the component boundary.

use serde_json::{Value, json};

use crate::guest::{Guest, OK, description, literal};

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

/// A guest that answers a list of 32,000 ones, each of which is to satisfy this.
pub fn lists(name: &str, each: &Value) -> Vec<u8> {
    let data = format!("{{\"a\":[{}]}}", vec!["1"; 32_000].join(","));
    let mut description = description();
    description["name"] = name.into();
    description["steps"]["go"]["outcomes"]["ok"] =
        json!({"type": "object", "properties": {"a": {"items": each}}});
    Guest {
        run: format!(
            "(call $outcome (i32.const 64) (i32.const 2) (i32.const 131072) (i32.const {}))",
            data.len()
        ),
        items: format!("(data (i32.const 131072) {})", literal(data.as_bytes())),
        memory: "4",
        description: description.to_string(),
        ..Guest::default()
    }
    .build()
}

/// As many alternatives as a schema may have; a one satisfies none.
pub fn alternatives() -> Value {
    let branches: Vec<_> = (0..950).map(|n| json!({"minimum": n + 5})).collect();
    json!({ "anyOf": branches })
}

/// A guest whose schemas have 2,000 patterns, none of which is too large.
pub fn patterned() -> Vec<u8> {
    let step = |step: usize| {
        let patterns: Vec<_> = (0..190)
            .map(|n| json!({"pattern": format!("\\w{{100}}{step}x{n}")}))
            .collect();
        json!({"input": {"type": "object", "anyOf": patterns}, "outcomes": {"ok": {}}})
    };
    let mut description = description();
    description["name"] = "patterned".into();
    description["steps"] = (0..11).map(|n| (format!("s{n}"), step(n))).collect();
    Guest {
        description: description.to_string(),
        memory: "4",
        ..Guest::default()
    }
    .build()
}

/// A guest with a function that takes the compiler long.
pub fn endless_function() -> Vec<u8> {
    let adding = "(global.set $heap (i32.add (global.get $heap) (i32.const 1)))";
    let items = format!("(func $large {})", adding.repeat(300_000));
    with_items("long", OK, &items)
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
