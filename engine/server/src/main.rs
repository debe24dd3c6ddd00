//! The `strowger` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    strowger_server::cli::main()
}
