//! `strowger plugin`

mod build;
mod inspect;
mod kit;
mod new;
mod push;
mod run;
mod test;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use strowger_plugin::{Grants, Host, HostConfig, Limits, LoadError, Plugin};

pub(super) use push::sign;

use super::{FOUND, Failure, OK};

/// Works on plugins.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger plugin new greeter --lang python     a folder with a plugin that works
  cd greeter
  strowger plugin build                         greeter.wasm
  strowger plugin test                          its own tests, then its examples in the real host
  strowger plugin run greet '{\"prompt\": \"p:0\"}'
  strowger plugin inspect greeter.wasm          what it may touch
  strowger plugin push --tenant aurora          to a centre that serves the tenant

Exit code: 0 done, 1 the plugin has an error, 2 a file or a tool cannot be used.")]
pub(super) struct PluginArguments {
    #[command(subcommand)]
    command: PluginCommand,
}

#[derive(Debug, Subcommand)]
enum PluginCommand {
    /// Begin a plugin: a folder that builds, tests and answers a call.
    New(new::New),
    /// Build the plugin's component.
    Build(build::Build),
    /// Run the plugin's own tests, then the examples of its description in the real host.
    Test(test::Test),
    /// Run one step in the real host, with a scripted caller.
    Run(run::Run),
    /// Say what a component is and what it may touch.
    Inspect(inspect::Inspect),
    /// Push a component to a centre, where it is checked and kept.
    Push(push::PluginPush),
    /// Make a key to sign plugins with.
    Key(push::Key),
    /// Make a component of a core module that wit-bindgen's guest bindings were compiled into.
    #[command(after_help = "Examples:
  strowger plugin componentize target/wasm32-unknown-unknown/release/orders.wasm --output orders.wasm

Exit code: 0 the component is written, 1 the module cannot become one, 2 a file cannot be read or written.")]
    Componentize {
        /// The core module.
        module: PathBuf,
        /// Where the component goes.
        #[arg(long, short)]
        output: PathBuf,
    },
}

impl PluginArguments {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        match self.command {
            PluginCommand::New(new) => new.run(),
            PluginCommand::Build(build) => build.run(),
            PluginCommand::Test(test) => test.run().await,
            PluginCommand::Run(run) => run.run().await,
            PluginCommand::Inspect(inspect) => inspect.run().await,
            PluginCommand::Push(push) => push.run().await,
            PluginCommand::Key(key) => key.run(),
            PluginCommand::Componentize { module, output } => {
                let component = componentize(&read(&module)?, &module)?;
                write(&output, &component)?;
                Ok(OK)
            }
        }
    }
}

fn componentize(core: &[u8], module: &Path) -> Result<Vec<u8>, Failure> {
    strowger_plugin::componentize(core)
        .map_err(|e| Failure::new(FOUND, format!("{}: {e}", module.display())))
}

/// Most that is read of a file, in bytes: a module with all its debug sections has less, a device has no end.
const MAX_FILE_BYTES: u64 = 256 << 20;

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = File::open(path)
        .and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|e| Failure::cannot(format!("cannot read {}: {e}", path.display())))?;
    if read as u64 > MAX_FILE_BYTES {
        return Err(Failure::cannot(format!(
            "{} has more than {} MiB, which no component has: is it the right file?",
            path.display(),
            MAX_FILE_BYTES >> 20
        )));
    }
    Ok(bytes)
}

/// Writes a component and says how large it is.
fn write(path: &Path, component: &[u8]) -> Result<(), Failure> {
    std::fs::write(path, component)
        .map_err(|e| Failure::cannot(format!("cannot write {}: {e}", path.display())))?;
    eprintln!("{}: {} bytes", path.display(), component.len());
    Ok(())
}

/// A host as `serve` has it, but for one plugin. Machine code is kept in the folder, if there is one: compiling an
/// interpreter takes seconds.
fn host(data: Option<&Path>) -> Result<Host, Failure> {
    Host::new(HostConfig {
        cache_dir: data.map(|data| data.join("compiled")),
        pool: Some(POOL),
        guest_threads: std::thread::available_parallelism().map_or(1, usize::from),
        ..HostConfig::default()
    })
    .map_err(Failure::cannot)
}

/// Instances of that host: one step runs at a time.
const POOL: u32 = 4;

/// Loads a component with every capability granted: what it asks for is shown, and whoever serves it decides.
async fn load(host: &Host, component: &[u8]) -> Result<Plugin, Vec<LoadError>> {
    host.load(component, &Grants::all(), &Limits::default())
        .await
}

/// Complaints as findings of a file.
fn refused(path: &Path, complaints: &[LoadError]) -> Failure {
    let mut message = String::new();
    for complaint in complaints {
        message += &format!(
            "{}: error[{}]: {complaint}\n",
            path.display(),
            complaint.code()
        );
    }
    Failure::new(FOUND, message + "the component cannot be loaded")
}
