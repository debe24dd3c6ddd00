//! The `strowger` program.

use std::process::ExitCode;

/// A contact allocates much that is small and soon gone, on one thread, and frees it on another: replays, which do nothing
/// else, do a third more a second than with the C library's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    strowger_server::cli::main()
}
