//! What a component prints while it describes itself: no contact is there whose log it could go to, so whoever has it loaded
//! hears of it, afterwards and up to a bound.

use std::fmt;
use std::sync::Arc;

/// Most characters of a line that are kept: as many as a step's line in the log has.
const LINE_CHARS: usize = 2_000;

/// Who hears what components print while they describe themselves, and how much of it.
#[derive(Clone)]
pub struct Ear {
    /// Lines of one component. Count; default 100.
    pub lines: u32,
    /// Bytes of one component. Default 16 KiB.
    pub bytes: usize,
    /// Is told of each component that printed something; by default it is logged. Runs on the guest threads.
    pub told: Arc<dyn Fn(Printed) + Send + Sync>,
}

impl Default for Ear {
    fn default() -> Self {
        Self {
            lines: 100,
            bytes: 16 << 10,
            told: Arc::new(|printed| {
                let plugin = &printed.plugin;
                for line in &printed.lines {
                    tracing::warn!(%plugin, line, "a plugin that describes itself printed");
                }
                let left_out = printed.beyond_lines + printed.beyond_bytes;
                if left_out > 0 {
                    tracing::warn!(%plugin, "left out {left_out} lines that it printed while it described itself");
                }
            }),
        }
    }
}

impl fmt::Debug for Ear {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ear")
            .field("lines", &self.lines)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

/// What one component printed while it described itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Printed {
    /// The plugin's name; of one that could not say it, the name under which it is loaded, or else the component's SHA-256.
    pub plugin: String,
    /// As it printed them, as many as are heard.
    pub lines: Vec<String>,
    /// Lines that are left out because there were too many.
    pub beyond_lines: u64,
    /// Lines that are left out because they had too many bytes.
    pub beyond_bytes: u64,
}

/// [`Printed`] while it is being printed.
#[derive(Debug)]
pub(crate) struct Printing {
    lines: u32,
    bytes: usize,
    printed: Printed,
}

impl Printing {
    pub(crate) fn new(ear: &Ear) -> Self {
        Self {
            lines: ear.lines,
            bytes: ear.bytes,
            printed: Printed::default(),
        }
    }

    /// Keeps a line, or counts it.
    pub(crate) fn line(&mut self, mut line: String) {
        if let Some((end, _)) = line.char_indices().nth(LINE_CHARS) {
            line.truncate(end);
        }
        if self.lines == 0 {
            self.printed.beyond_lines += 1;
        } else if line.len() > self.bytes {
            self.printed.beyond_bytes += 1;
        } else {
            self.lines -= 1;
            self.bytes -= line.len();
            self.printed.lines.push(line);
        }
    }

    /// What there is, under the plugin's name; none where nothing was printed.
    pub(crate) fn over(self, plugin: &str) -> Option<Printed> {
        let Printed {
            lines,
            beyond_lines,
            beyond_bytes,
            ..
        } = &self.printed;
        let some = !lines.is_empty() || beyond_lines + beyond_bytes > 0;
        some.then(|| Printed {
            plugin: plugin.to_owned(),
            ..self.printed
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Ear, LINE_CHARS, Printed, Printing};

    fn printed(lines: u32, bytes: usize, printed: &[&str]) -> Option<Printed> {
        let ear = Ear {
            lines,
            bytes,
            ..Ear::default()
        };
        let mut printing = Printing::new(&ear);
        for line in printed {
            printing.line((*line).to_owned());
        }
        printing.over("loud")
    }

    #[test]
    fn what_is_beyond_is_counted() {
        assert_eq!(printed(2, 10, &[]), None);
        let kept = |lines: &[&str], beyond_lines, beyond_bytes| {
            Some(Printed {
                plugin: "loud".to_owned(),
                lines: lines.iter().map(|line| (*line).to_owned()).collect(),
                beyond_lines,
                beyond_bytes,
            })
        };
        assert_eq!(
            printed(2, 10, &["", "one", "two"]),
            kept(&["", "one"], 1, 0)
        );
        // A shorter line has room where a longer one had none.
        assert_eq!(
            printed(9, 5, &["one", "two", "no"]),
            kept(&["one", "no"], 0, 1)
        );
        assert_eq!(printed(0, 5, &["one", "two"]), kept(&[], 2, 0));
    }

    #[test]
    fn a_line_is_cut_between_characters() {
        let long = "李".repeat(LINE_CHARS + 1);
        let printed = printed(1, 1 << 20, &[&long]).expect("a line");
        assert_eq!(printed.lines, ["李".repeat(LINE_CHARS)]);
    }
}
