//! Builds the standard steps' components into the program, where the guests' build left them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let components = root.join("plugins/target/components");
    println!("cargo:rerun-if-changed={}", components.display());
    let mut files: Vec<PathBuf> = std::fs::read_dir(&components)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or("");
            name.starts_with("std-") && name.ends_with(".wasm")
        })
        .collect();
    files.sort();
    let mut code = String::from("static STANDARD: &[(&str, &[u8])] = &[\n");
    for file in &files {
        let file = file
            .canonicalize()
            .expect("a file just listed can be resolved");
        println!("cargo:rerun-if-changed={}", file.display());
        let name = file
            .file_stem()
            .and_then(|stem| stem.to_str())
            .unwrap_or("");
        writeln!(
            code,
            "    ({name:?}, include_bytes!({:?})),",
            file.display().to_string()
        )
        .expect("writing to a string");
    }
    code.push_str("];\n");
    let out = PathBuf::from(std::env::var("OUT_DIR").expect("cargo sets OUT_DIR"));
    std::fs::write(out.join("standard.rs"), code).expect("cargo's OUT_DIR can be written");
    if files.is_empty() {
        println!(
            "cargo:warning=no standard steps in plugins/target/components: run `make guests` first"
        );
    }
}
