//! `strowger lsp`

use clap::Args;

use super::{FOUND, Failure, OK};

/// Speaks the Language Server Protocol 3.17 on stdin and stdout: an editor starts it, not a person.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger lsp                          what an editor starts for files named *.flow.yaml
  vim.lsp.start({ cmd = { 'strowger', 'lsp' }, root_dir = vim.fs.root(0, 'strowger.toml') })

docs/flow-language.md, \"In an editor\", sets up VS Code, Neovim and Helix.

Exit code: 0 the editor said `shutdown` and `exit`, 1 it went away without, 2 its messages could not be read.")]
pub(super) struct Lsp {
    /// Taken and ignored: editors add it to name the transport, and there is one.
    #[arg(long)]
    stdio: bool,
}

impl Lsp {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        let ended = crate::lsp::serve(tokio::io::stdin(), tokio::io::stdout()).await;
        match ended.map_err(Failure::cannot)? {
            crate::lsp::Ended::Asked => Ok(OK),
            crate::lsp::Ended::Left => Ok(FOUND),
        }
    }
}
