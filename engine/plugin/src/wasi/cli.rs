//! `wasi:cli`: what is printed becomes log lines; nothing comes in.

use wasmtime::component::LinkerInstance;

use super::io::{InputStream, OutputStream};
use super::resource;
use crate::error::{StepError, TrapKind};
use crate::link::ended;
use crate::meter::StepState;

/// Longest line that is kept together, in bytes; what is longer goes on in a further line. The log cuts a line
/// at 2,000 characters, which have at most four bytes each.
const LINE_BYTES: usize = 8_000;

/// Bytes on their way to become log lines.
#[derive(Debug)]
pub(super) struct Lines {
    level: &'static str,
    begun: Vec<u8>,
}

impl Lines {
    pub(super) fn new(level: &'static str) -> Self {
        let begun = Vec::new();
        Self { level, begun }
    }

    /// The lines that these bytes complete, with their level.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        for byte in bytes {
            match byte {
                b'\n' => lines.extend(self.take(true)),
                byte => self.begun.push(*byte),
            }
            if self.begun.len() == LINE_BYTES {
                lines.extend(self.take(true));
            }
        }
        lines
    }

    /// The line that was begun, if one was.
    pub(super) fn rest(&mut self) -> Option<(&'static str, String)> {
        self.take(false)
    }

    fn take(&mut self, even_empty: bool) -> Option<(&'static str, String)> {
        if self.begun.is_empty() && !even_empty {
            return None;
        }
        let bytes = std::mem::take(&mut self.begun);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(&bytes);
        Some((self.level, String::from_utf8_lossy(bytes).into_owned()))
    }
}

/// A terminal, of which there is none.
enum Terminal {}

pub(super) fn define(
    instance: &mut LinkerInstance<'_, StepState>,
    interface: &str,
) -> Result<(), wasmtime::Error> {
    match interface {
        "environment" => {
            instance.func_wrap("get-environment", |_, ()| {
                Ok((Vec::<(String, String)>::new(),))
            })?;
            instance.func_wrap("get-arguments", |_, ()| Ok((Vec::<String>::new(),)))?;
            instance.func_wrap("initial-cwd", |_, ()| Ok((None::<String>,)))
        }
        "exit" => {
            instance.func_wrap("exit", |_, (_,): (Result<(), ()>,)| exited())?;
            instance.func_wrap("exit-with-code", |_, (_,): (u8,)| exited())
        }
        "stdin" => instance.func_wrap("get-stdin", |mut store, ()| {
            Ok((store.data_mut().wasi.hand_out(InputStream)?,))
        }),
        "stdout" => instance.func_wrap("get-stdout", |mut store, ()| {
            Ok((store.data_mut().wasi.hand_out(OutputStream::Out)?,))
        }),
        "stderr" => instance.func_wrap("get-stderr", |mut store, ()| {
            Ok((store.data_mut().wasi.hand_out(OutputStream::Err)?,))
        }),
        "terminal-input" | "terminal-output" => resource::<Terminal>(instance, interface),
        terminal => instance.func_wrap(&format!("get-{terminal}"), |_, ()| {
            Ok((None::<wasmtime::component::Resource<Terminal>>,))
        }),
    }
}

/// A step is no program that could end before its time.
fn exited() -> Result<(), wasmtime::Error> {
    Err(ended(StepError::Trap {
        kind: TrapKind::Exit,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_lines() {
        let mut lines = Lines::new("info");
        let texts = |lines: Vec<(&'static str, String)>| {
            lines
                .into_iter()
                .map(|(_, line)| line)
                .collect::<Vec<String>>()
        };
        assert_eq!(texts(lines.feed(b"on")), [""; 0]);
        assert_eq!(texts(lines.feed(b"e\r\n\ntwo")), ["one", ""]);
        assert_eq!(texts(lines.feed(b"\xff\n")), ["two\u{fffd}"]);
        assert_eq!(lines.rest(), None);
        let long = vec![b'x'; LINE_BYTES + 1];
        assert_eq!(texts(lines.feed(&long)), ["x".repeat(LINE_BYTES)]);
        assert_eq!(lines.rest(), Some(("info", "x".to_owned())));
    }
}
