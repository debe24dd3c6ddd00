//! `strowger fmt`

use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use strowger_flow::fmt::{Refused, format};

use super::{FOUND, Failure, OK, flow_files};

/// U+FEFF in UTF-8, as some editors begin a file.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// Most bytes read from stdin: a flow may have 1 MiB, and more is told as a finding.
const STDIN_BYTES: u64 = 2 * 1024 * 1024;

/// Lays out flow files: two blanks a level, one blank after colons and commas, at most one empty line. Comments,
/// words, quotes and the order of everything stay, and lines end as the first one does, in LF or in CR LF; a byte order mark is removed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger fmt                       lay out the flows of the project in this folder
  strowger fmt menu.flow.yaml        lay out one file
  strowger fmt --check               change nothing; say which files would change
  strowger fmt - < menu.flow.yaml    from stdin to stdout, for editors

Exit code: 0 laid out (with --check: nothing to do), 1 a file cannot be read as YAML (with --check: or would
change), 2 could not run. A file that cannot be laid out stays as it is.")]
pub(super) struct Fmt {
    /// Flow files, a project's folder, or `-` for stdin.
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
    /// Change nothing, and say which files would change.
    #[arg(long)]
    check: bool,
}

impl Fmt {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        let mut worst = OK;
        for path in &self.paths {
            if path == Path::new("-") {
                worst = worst.max(self.stdin()?);
                continue;
            }
            for file in flow_files::list(path)? {
                worst = worst.max(self.file(&file)?);
            }
        }
        Ok(worst)
    }

    fn stdin(&self) -> Result<u8, Failure> {
        let mut source = Vec::new();
        std::io::stdin()
            .lock()
            .take(STDIN_BYTES)
            .read_to_end(&mut source)
            .map_err(|e| Failure::cannot(format!("cannot read stdin: {e}")))?;
        let written = match format("stdin", &source) {
            Ok(written) => written,
            Err(refused) => return Ok(tell("stdin", &source, &refused)),
        };
        if self.check {
            let same = written.as_bytes() == source;
            return Ok(if same { OK } else { FOUND });
        }
        std::io::stdout()
            .lock()
            .write_all(written.as_bytes())
            .map_err(|e| Failure::cannot(format!("cannot write to stdout: {e}")))?;
        Ok(OK)
    }

    fn file(&self, path: &Path) -> Result<u8, Failure> {
        let source = flow_files::read(path)?;
        let shown = path.display().to_string();
        let written = match format(&shown, &source) {
            Ok(written) => written,
            Err(refused) => return Ok(tell(&shown, &source, &refused)),
        };
        if written.as_bytes() == source {
            return Ok(OK);
        }
        // Which no editor shows, and may be all that is different.
        let mark = match source.starts_with(BYTE_ORDER_MARK) {
            true => ", without its byte order mark",
            false => "",
        };
        if self.check {
            tell!("{shown}: would change{mark}; run `strowger fmt {shown}`");
            return Ok(FOUND);
        }
        flow_files::replace(path, &source, &written)?;
        tell!("{shown}: laid out{mark}");
        Ok(OK)
    }
}

fn tell(shown: &str, source: &[u8], refused: &Refused) -> u8 {
    match refused {
        Refused::Unreadable(findings) => {
            let source = String::from_utf8_lossy(source).replace("\r\n", "\n");
            let source = source.trim_start_matches('\u{feff}');
            for finding in findings {
                eprintln!(
                    "{}",
                    finding.render(source, std::io::stderr().is_terminal())
                );
            }
            eprintln!("{shown}: left as it is, since it cannot be read as a whole");
        }
        Refused::Unlike => eprintln!(
            "{shown}: left as it is: some value is written in a way that has no layout of ours; write it more simply, \
             such as a long text in quotes on one line"
        ),
    }
    FOUND
}
