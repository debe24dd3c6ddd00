//! `strowger plugin`

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{FOUND, Failure, OK};

/// Works on plugins.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger plugin componentize --help

Exit code: 0 done, 1 the plugin has an error, 2 a file cannot be read or written.")]
pub(super) struct PluginArguments {
    #[command(subcommand)]
    command: PluginCommand,
}

#[derive(Debug, Subcommand)]
enum PluginCommand {
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
        let PluginCommand::Componentize { module, output } = self.command;
        let core = std::fs::read(&module)
            .map_err(|e| Failure::cannot(format!("cannot read {}: {e}", module.display())))?;
        let component = strowger_plugin::componentize(&core)
            .map_err(|e| Failure::new(FOUND, format!("{}: {e}", module.display())))?;
        std::fs::write(&output, &component)
            .map_err(|e| Failure::cannot(format!("cannot write {}: {e}", output.display())))?;
        eprintln!("{}: {} bytes", output.display(), component.len());
        Ok(OK)
    }
}
