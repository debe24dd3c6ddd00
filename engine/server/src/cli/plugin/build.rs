//! `strowger plugin build`

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::Args;

use super::super::{FOUND, Failure, OK};
use super::kit::{Kit, Language};
use super::{componentize, read, write};

/// Builds the plugin's component, `NAME.wasm`, with the tools of its language.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger plugin build
  strowger plugin build --folder ../greeter

It says which tool it uses. What is missing of a language's own packages is installed into the plugin's folder, by npm
or pip, and told before; anything else is named, with the command that installs it. `CARGO`, `NPM`, `NODE`, `PYTHON` and
`CLANG` in the environment choose other programs of that kind.

Exit code: 0 the component is written, 1 the plugin does not build, 2 a tool is missing.")]
pub(super) struct Build {
    /// The plugin's folder.
    #[arg(long, short, default_value = ".")]
    folder: PathBuf,
}

impl Build {
    pub(super) fn run(self) -> Result<u8, Failure> {
        let kit = Kit::open(&self.folder)?;
        let built = build(&kit);
        if built.is_err() {
            // What `test` and `push` find must not be the plugin as it was before.
            match std::fs::remove_file(kit.component()) {
                Ok(()) => eprintln!(
                    "{} of an earlier build is removed",
                    kit.component().display()
                ),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => eprintln!(
                    "{} is that of an earlier build, and cannot be removed: {error}",
                    kit.component().display()
                ),
            }
        }
        built?;
        Ok(OK)
    }
}

fn build(kit: &Kit) -> Result<(), Failure> {
    let component = match kit.language {
        Language::Rust => rust(kit)?,
        Language::Js => javascript(kit, "src", "src/plugin.js")?,
        Language::Ts => typescript(kit)?,
        Language::Python => python(kit)?,
        Language::C => c(kit)?,
    };
    match component {
        Some(component) => write(&kit.component(), &component),
        None => Ok(()),
    }
}

/// A program of the user's choice, or the usual one.
pub(super) fn program(variable: &str, usual: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| usual.to_owned())
}

/// Runs a tool in the plugin's folder. What it says is talk.
///
/// # Errors
/// It cannot be started (with what to do), or it failed.
pub(super) fn tool(
    kit: &Kit,
    program: &str,
    arguments: &[impl AsRef<OsStr>],
    remedy: &str,
) -> Result<(), Failure> {
    let mut command = Command::new(program);
    command.args(arguments);
    run(kit, command, remedy)
}

fn run(kit: &Kit, mut command: Command, remedy: &str) -> Result<(), Failure> {
    let shown = Path::new(command.get_program()).display().to_string();
    let status = command
        .current_dir(&kit.folder)
        .stdin(Stdio::null())
        .stdout(Stdio::from(std::io::stderr()))
        .status()
        .map_err(|error| Failure::cannot(format!("cannot run {shown}: {error}; {remedy}")))?;
    match status.success() {
        true => Ok(()),
        false => Err(Failure::new(
            FOUND,
            format!("{shown} failed, see above; {remedy}"),
        )),
    }
}

/// A path that does not change its meaning in the plugin's folder.
fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(Failure::cannot)
}

const TARGET: &str = "wasm32-unknown-unknown";

fn rust(kit: &Kit) -> Result<Option<Vec<u8>>, Failure> {
    let cargo = program("CARGO", "cargo");
    eprintln!("building with {cargo} for {TARGET}");
    let remedy =
        "the build needs Rust 1.95 or later with `rustup target add wasm32-unknown-unknown`";
    let arguments = [
        "build",
        "--release",
        "--target",
        TARGET,
        "--target-dir",
        "target",
    ];
    tool(kit, &cargo, &arguments, remedy)?;
    let file = format!("{}.wasm", kit.name.replace('-', "_"));
    let module = kit
        .folder
        .join("target")
        .join(TARGET)
        .join("release")
        .join(file);
    componentize(&read(&module)?, &module).map(Some)
}

/// The tool that wraps QuickJS and a script as a component.
const QJS: &str = "node_modules/componentize-qjs/bin/componentize-qjs";

/// Makes a component of a script and the modules beside it.
fn javascript(kit: &Kit, root: &str, script: &str) -> Result<Option<Vec<u8>>, Failure> {
    let description = description(kit)?;
    let text = format!("export default {};\n", as_literal(&description));
    let path = kit.folder.join(root).join("description.js");
    std::fs::write(&path, text)
        .map_err(|e| Failure::cannot(format!("cannot write {}: {e}", path.display())))?;
    packages(kit)?;
    let node = program("NODE", "node");
    eprintln!("building with componentize-qjs (QuickJS)");
    let (component, wit) = (absolute(&kit.component())?, "wit");
    let component = component.display().to_string();
    let arguments = [
        QJS,
        "--wit",
        wit,
        "--world",
        "plugin",
        "--js",
        script,
        "--module-root",
        root,
        "--sync",
        "--output",
        &component,
    ];
    tool(
        kit,
        &node,
        &arguments,
        "the build needs Node.js 18 or later",
    )?;
    Ok(None)
}

fn typescript(kit: &Kit) -> Result<Option<Vec<u8>>, Failure> {
    let text = format!(
        "/** What the plugin says of itself: description.json. */\nexport default {} as string;\n",
        as_literal(&description(kit)?)
    );
    let path = kit.folder.join("src/description.ts");
    std::fs::write(&path, text)
        .map_err(|e| Failure::cannot(format!("cannot write {}: {e}", path.display())))?;
    packages(kit)?;
    eprintln!("checking types with tsc");
    let node = program("NODE", "node");
    let arguments = ["node_modules/typescript/bin/tsc", "--project", "."];
    tool(kit, &node, &arguments, "correct what the compiler names")?;
    javascript(kit, "build", "build/plugin.js")
}

/// Installs the packages of package.json, unless they are there.
fn packages(kit: &Kit) -> Result<(), Failure> {
    let wanted = match kit.language {
        Language::Ts => &["componentize-qjs", "typescript"][..],
        _ => &["componentize-qjs"],
    };
    let there = |name: &&str| kit.folder.join("node_modules").join(name).is_dir();
    if wanted.iter().all(there) {
        return Ok(());
    }
    let npm = program("NPM", "npm");
    eprintln!(
        "installing {} into node_modules, with {npm}",
        wanted.join(" and ")
    );
    let arguments = ["install", "--no-audit", "--no-fund"];
    tool(
        kit,
        &npm,
        &arguments,
        "the build needs Node.js 18 or later with npm, and the network once",
    )
}

/// Where pip puts componentize-py.
const TOOLCHAIN: &str = ".toolchain";

fn python(kit: &Kit) -> Result<Option<Vec<u8>>, Failure> {
    let text = format!(
        "\"\"\"What the plugin says of itself: description.json.\"\"\"\n\nDESCRIPTION = {}\n",
        as_literal(&description(kit)?)
    );
    let path = kit.folder.join("description.py");
    std::fs::write(&path, text)
        .map_err(|e| Failure::cannot(format!("cannot write {}: {e}", path.display())))?;
    let toolchain = absolute(&kit.folder.join(TOOLCHAIN))?;
    if !toolchain.join("componentize_py").is_dir() {
        let python = program("PYTHON", "python3");
        eprintln!(
            "installing requirements.txt into {TOOLCHAIN}, with {python} -m pip (about 40 MB)"
        );
        let arguments = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--requirement",
            "requirements.txt",
            "--target",
            TOOLCHAIN,
        ];
        let remedy = "the build needs Python 3.10 or later with pip, and the network once";
        tool(kit, &python, &arguments, remedy)?;
    }
    eprintln!("building with componentize-py (CPython)");
    let program = toolchain.join("bin/componentize-py");
    let component = absolute(&kit.component())?;
    let mut command = Command::new(&program);
    command
        .env("PYTHONPATH", &toolchain)
        .args([
            "--quiet",
            "--wit-path",
            "wit",
            "--world",
            "plugin",
            "componentize",
            "--python-path",
            ".",
            "app",
        ])
        .arg("--output")
        .arg(&component);
    let remedy = format!("remove {TOOLCHAIN} to have it installed anew");
    run(kit, command, &remedy)?;
    Ok(None)
}

/// How the C kit is compiled: freestanding, every call of `memcpy` an instruction.
const C_FLAGS: [&str; 12] = [
    "--target=wasm32-unknown-unknown",
    "-std=c11",
    "-O3",
    "-Wall",
    "-Wextra",
    "-mbulk-memory",
    "-nostdlib",
    "-ffreestanding",
    "-Wl,--no-entry",
    "-Wl,--strip-all",
    "-o",
    "build/plugin.wasm",
];

fn c(kit: &Kit) -> Result<Option<Vec<u8>>, Failure> {
    let folder = kit.folder.join("build");
    let path = folder.join("description.h");
    let text = format!("#define DESCRIPTION {}\n", as_literal(&description(kit)?));
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::write(&path, text))
        .map_err(|e| Failure::cannot(format!("cannot write {}: {e}", path.display())))?;
    let clang = program("CLANG", "clang");
    eprintln!("building with {clang} for {TARGET}");
    let mut arguments = C_FLAGS.to_vec();
    arguments.push("src/plugin.c");
    let remedy =
        "the build needs clang 14 or later with wasm-ld (Debian: `apt-get install clang lld`)";
    tool(kit, &clang, &arguments, remedy)?;
    let world = kit.folder.join("wit/world.wit");
    let world = String::from_utf8_lossy(&read(&world)?).into_owned();
    strowger_plugin::componentize_for(&read(&folder.join("plugin.wasm"))?, &world)
        .map(Some)
        .map_err(|error| Failure::new(FOUND, format!("{}: {error}", kit.name)))
}

/// The description as one line of JSON.
fn description(kit: &Kit) -> Result<String, Failure> {
    let path = kit.folder.join("description.json");
    let bytes = read(&path)?;
    let value: serde_json::Value = serde_json::from_slice(&bytes)
        .map_err(|error| Failure::new(FOUND, format!("{}: {error}", path.display())))?;
    Ok(value.to_string())
}

/// A text as a literal of JavaScript, TypeScript, Python or C, which all take those of JSON for printable text.
fn as_literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
