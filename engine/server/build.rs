//! Builds into the program the standard steps' components, where the guests' build left them, and what a new plugin
//! begins with: the kits' templates and the SDK's sources.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    // Of the run, not of the build of this program: a target folder may have moved with its sources.
    let here = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let here = Path::new(&here);
    let root = here.join("../..");
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
    write("standard.rs", &code);
    if files.is_empty() {
        println!(
            "cargo:warning=no standard steps in plugins/target/components: run `make guests` first"
        );
    }

    let kits = here.join("kits");
    let code = texts("TEMPLATES", &kits) + &texts("SDK", &root.join("plugins/sdk"));
    write("kits.rs", &code);
}

fn write(name: &str, code: &str) {
    let out = PathBuf::from(std::env::var("OUT_DIR").expect("cargo sets OUT_DIR"));
    std::fs::write(out.join(name), code).expect("cargo's OUT_DIR can be written");
}

/// A table of the texts below a folder, by their paths in it.
fn texts(name: &str, folder: &Path) -> String {
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    below(folder, &mut files);
    files.sort();
    let mut code = format!("static {name}: &[(&str, &str)] = &[\n");
    for file in files {
        let path = file
            .strip_prefix(folder)
            .expect("it was found in the folder")
            .display()
            .to_string();
        let file = file
            .canonicalize()
            .expect("a file just listed can be resolved")
            .display()
            .to_string();
        writeln!(code, "    ({path:?}, include_str!({file:?})),").expect("writing to a string");
    }
    code.push_str("];\n");
    code
}

fn below(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).expect("the folder belongs to the sources");
    for entry in entries.flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => below(&path, files),
            false => files.push(path),
        }
    }
}
