//! `strowger plugin new`

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::super::{Failure, OK};
use super::kit::{Language, WORLD, is_name, sdk};

/// Begins a plugin: a folder that builds, tests and answers a call.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger plugin new greeter --lang rust
  strowger plugin new crm --lang ts ../plugins/crm
  strowger plugin new orders --lang rust --sdk ../strowger/plugins/sdk

Nothing is downloaded: `strowger plugin build` says what it needs.

Exit code: 0 the folder is made, 2 it cannot be.")]
pub(super) struct New {
    /// The plugin's name: lower-case letters, digits and hyphens.
    name: String,
    /// The language it is written in.
    #[arg(long, value_enum)]
    lang: Language,
    /// The folder; the name by default. It must be empty or not exist.
    folder: Option<PathBuf>,
    /// Rust: the folder of an SDK to use where it lies, instead of a copy of this program's own.
    #[arg(long, value_name = "FOLDER")]
    sdk: Option<PathBuf>,
}

impl New {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let Self {
            name,
            lang,
            folder,
            sdk,
        } = self;
        if name == "std" {
            return Err(Failure::cannot(
                "`std` is the name of the standard steps, and no other plugin may have it: choose another, such as `order-status`",
            ));
        }
        if !is_name(&name) {
            return Err(Failure::cannot(format!(
                "`{name}` is no name of a plugin: use lower-case letters, digits and hyphens, such as `order-status`"
            )));
        }
        if lang == Language::Rust && RUST_TAKES.contains(&name.as_str()) {
            return Err(Failure::cannot(format!(
                "`{name}` is the name of a crate that a plugin in Rust is made with, and cargo takes two of one name for one: choose another, such as `order-status`"
            )));
        }
        if sdk.is_some() && lang != Language::Rust {
            return Err(Failure::cannot("--sdk is for --lang rust"));
        }
        let sdk = sdk.map(|sdk| absolute(&sdk)).transpose()?;
        let folder = folder.unwrap_or_else(|| PathBuf::from(&name));
        let full = fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some());
        if full || folder.is_file() {
            return Err(Failure::cannot(format!(
                "{} is there already; name another folder, or empty it",
                folder.display()
            )));
        }
        for (path, text) in files(&name, lang, sdk.as_deref()) {
            let path = folder.join(path);
            let parent = path.parent().unwrap_or(&folder);
            fs::create_dir_all(parent)
                .and_then(|()| fs::write(&path, text))
                .map_err(|e| Failure::cannot(format!("cannot write {}: {e}", path.display())))?;
        }
        eprintln!(
            "{}: begun; next: cd {0} && strowger plugin build && strowger plugin test",
            folder.display()
        );
        Ok(OK)
    }
}

fn absolute(sdk: &Path) -> Result<PathBuf, Failure> {
    match sdk.join("Cargo.toml").is_file() {
        true => fs::canonicalize(sdk).map_err(Failure::cannot),
        false => Err(Failure::cannot(format!(
            "{} has no Cargo.toml; name the folder of the SDK's crate",
            sdk.display()
        ))),
    }
}

/// The files of a new plugin, by path.
fn files(name: &str, language: Language, sdk_folder: Option<&Path>) -> Vec<(String, String)> {
    let rust = language == Language::Rust;
    let (sdk_path, members) = match sdk_folder {
        Some(folder) => (folder.display().to_string(), ""),
        None => ("vendor/sdk".to_owned(), MEMBERS),
    };
    let mut files: Vec<_> = language
        .templates()
        .map(|(path, text)| {
            let text = text
                .replace("{{name}}", name)
                .replace("{{sdk}}", &sdk_path)
                .replace("{{members}}", members);
            let path = match path {
                WORLD => "wit/world.wit",
                "gitignore" => ".gitignore",
                // Under its own name cargo would take the template for a package.
                path => path
                    .strip_suffix(".txt")
                    .filter(|_| path.starts_with("Cargo"))
                    .unwrap_or(path),
            };
            (path.to_owned(), text)
        })
        .collect();
    if rust && sdk_folder.is_some() {
        return files;
    }
    // The SDK looks for the contract in the folder of its version; other tools for the packages a world uses.
    let contract = strowger_plugin::CONTRACT.iter().map(|(package, text)| {
        let package = package.trim_end_matches(".wit");
        let path = match (rust, package) {
            (true, "step") => "wit/1.0/step.wit".to_owned(),
            (true, package) => format!("wit/1.0/deps/{package}/{package}.wit"),
            (false, package) => format!("wit/deps/{package}/{package}.wit"),
        };
        (path, (*text).to_owned())
    });
    files.extend(contract);
    if rust {
        let copies = sdk()
            .iter()
            .map(|(path, text)| (format!("vendor/sdk/{path}"), (*text).to_owned()));
        files.extend(copies);
    }
    files
}

/// The crates that the template for Rust depends on.
const RUST_TAKES: [&str; 5] = [
    "schemars",
    "serde",
    "serde-json",
    "strowger-sdk",
    "wit-bindgen",
];

/// With a copy of the SDK the plugin is a workspace of two.
const MEMBERS: &str = "\n[workspace]\nmembers = [\"vendor/sdk\"]\n";

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    #[test]
    fn no_place_is_left_open() {
        for language in Language::value_variants() {
            let files = files("greeter", *language, None);
            for (path, text) in &files {
                for place in ["{{name}}", "{{sdk}}", "{{members}}"] {
                    assert!(!text.contains(place), "{path}");
                }
            }
            for needed in [
                "plugin.toml",
                "strowger.toml",
                "description.json",
                ".gitignore",
            ] {
                assert!(
                    files.iter().any(|(path, _)| path == needed),
                    "{language:?}: {needed}"
                );
            }
        }
    }

    #[test]
    fn the_rust_kit_takes_the_versions_of_the_sdks_own_workspace() {
        let ours = include_str!("../../../../../plugins/Cargo.toml");
        let theirs = files("greeter", Language::Rust, None);
        let (_, theirs) = theirs
            .iter()
            .find(|(path, _)| path == "Cargo.toml")
            .expect("the kit has one");
        for dependency in [
            "schemars = {",
            "serde = {",
            "serde_json = {",
            "wit-bindgen = {",
        ] {
            let line = |text: &str| {
                text.lines()
                    .find(|line| line.starts_with(dependency) && line.contains("version"))
                    .map(str::to_owned)
            };
            assert_eq!(line(theirs), line(ours), "{dependency}");
        }
    }
}
