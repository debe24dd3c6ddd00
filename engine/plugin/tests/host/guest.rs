//! Components for the tests, written as core modules by hand: each does exactly one thing.
//!
//! Memory: 8..32 the result of `run`, 64..1024 short texts, 1024..2048 results of host calls, from 4096
//! the description, from 32768 what the host allocates.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use wit_component::StringEncoding;
use wit_parser::Resolve;

/// A guest to build. The default one answers `ok` with `{}`.
pub struct Guest {
    /// Imports, as WebAssembly text.
    pub imports: &'static str,
    /// Body of `run`, with the locals `$step`, `$step_len`, `$input`, `$input_len`; gives the address
    /// of the result.
    pub run: String,
    /// Body of `describe`; none: the description.
    pub describe: Option<&'static str>,
    /// Further items of the module.
    pub items: String,
    /// What `describe` answers.
    pub description: String,
    /// Body of `cabi_realloc` with the locals `$old`, `$old_len`, `$align`, `$len`; none: a bump allocator.
    pub realloc: Option<&'static str>,
    /// Limits of the memory, in pages.
    pub memory: &'static str,
    /// The release of WASI whose interfaces may be imported too, such as `0.2.9`.
    pub wasi: Option<&'static str>,
}

impl Default for Guest {
    fn default() -> Self {
        Self {
            imports: "",
            run: OK.into(),
            describe: None,
            items: String::new(),
            description: description().to_string(),
            realloc: None,
            memory: "1",
            wasi: None,
        }
    }
}

/// Ends `run` with the outcome `ok` and no data.
pub const OK: &str = "(call $outcome (i32.const 64) (i32.const 2) (i32.const 66) (i32.const 2))";

/// A description with one step, `go`.
pub fn description() -> Value {
    json!({"name": "guest", "version": "1.0.0", "steps": {"go": {
        "input": {"type": "object", "properties": {"press": {"type": "object"}, "n": {"type": "integer"}}},
        "outcomesFrom": ["press"],
        "outcomes": {
            "ok": {},
            "number": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}
        }
    }}})
}

/// A guest that ends with that outcome.
pub fn answers(name: &str, data: &str) -> Vec<u8> {
    Guest {
        run: format!(
            "(call $outcome (i32.const 128) (i32.const {}) (i32.const 256) (i32.const {}))",
            name.len(),
            data.len()
        ),
        items: format!(
            "(data (i32.const 128) {}) (data (i32.const 256) {})",
            literal(name.as_bytes()),
            literal(data.as_bytes())
        ),
        ..Guest::default()
    }
    .build()
}

/// Makes a component so many bytes larger by what means nothing: a custom section (WebAssembly 2.0 §5.5.3) with its length in
/// LEB128, a name, zeros.
pub fn pad(component: &mut Vec<u8>, bytes: usize) {
    let name = b"padding";
    component.push(0);
    let mut length = 1 + name.len() + bytes;
    while length >= 0x80 {
        component.push(0x80 | (length & 0x7f) as u8);
        length >>= 7;
    }
    component.push(length as u8);
    component.push(name.len() as u8);
    component.extend(name);
    component.resize(component.len() + bytes, 0);
}

impl Guest {
    /// The component.
    pub fn build(&self) -> Vec<u8> {
        strowger_plugin::componentize(&self.module()).expect("the guest is well-formed")
    }

    /// The core module, with the name of its world in it.
    pub fn module(&self) -> Vec<u8> {
        let text = self.text();
        let mut module = wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let mut resolve = Resolve::default();
        let (mut package, _) = resolve
            .push_dir(contract())
            .expect("the WIT is well-formed");
        let mut world = "step";
        if let Some(release) = self.wasi {
            let text = include_str!("wasi.wit").replace("@RELEASE", &format!("@{release}"));
            package = resolve
                .push_source("wasi.wit", &text)
                .expect("the WIT of WASI is well-formed");
            world = "step-on-wasi";
        }
        let world = resolve
            .select_world(&[package], Some(world))
            .expect("the world is there");
        wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
            .expect("the module takes a custom section");
        module
    }

    fn text(&self) -> String {
        let describe = self.describe.map_or_else(
            || {
                format!(
                    "(i32.store (i32.const 8) (i32.const 4096)) (i32.store (i32.const 12) (i32.const {})) (i32.const 8)",
                    self.description.len()
                )
            },
            str::to_owned,
        );
        let realloc = self.realloc.unwrap_or(
            "(local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
             (global.set $heap (i32.add (local.get $at) (local.get $len)))
             (block $fits (loop $more
               (br_if $fits (i32.le_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536))))
               (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))
               unreachable))
             (local.get $at)",
        );
        format!(
            r#"(module
  {imports}
  (memory (export "memory") {memory})
  (global $heap (mut i32) (i32.const 32768))
  (data (i32.const 64) "ok{{}}")
  (data (i32.const 4096) {description})
  (func (export "cabi_realloc") (param $old i32) (param $old_len i32) (param $align i32) (param $len i32) (result i32)
    (local $at i32)
    {realloc})
  (func $outcome (param $name i32) (param $name_len i32) (param $data i32) (param $data_len i32) (result i32)
    (i32.store8 (i32.const 8) (i32.const 0))
    (i32.store (i32.const 12) (local.get $name))
    (i32.store (i32.const 16) (local.get $name_len))
    (i32.store (i32.const 20) (local.get $data))
    (i32.store (i32.const 24) (local.get $data_len))
    (i32.const 8))
  (func (export "strowger:step/guest@1.0.0#describe") (result i32) {describe})
  (func $run (export "strowger:step/guest@1.0.0#run")
    (param $step i32) (param $step_len i32) (param $input i32) (param $input_len i32) (result i32)
    (local $i i32)
    {run})
  {items}
)"#,
            imports = self.imports,
            memory = self.memory,
            description = literal(self.description.as_bytes()),
            run = self.run,
            items = self.items,
        )
    }
}

/// The folder of the contract: above the package of whoever builds guests.
fn contract() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let above = package.ancestors().map(|folder| folder.join("wit/1.0"));
    above
        .into_iter()
        .find(|folder| folder.is_dir())
        .expect("the repository has the contract")
}

/// Bytes as a literal of WebAssembly text.
pub fn literal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut out = String::from("\"");
    for byte in bytes {
        let _ = write!(out, "\\{byte:02x}");
    }
    out.push('"');
    out
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
