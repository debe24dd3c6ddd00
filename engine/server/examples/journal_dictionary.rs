//! Makes the dictionary that journals are compressed with, of journals: files of JSON lines, as
//! `/v1/contacts/ID/journal` gives them.
//!
//! ```text
//! cargo run -p strowger-server --example journal_dictionary -- OUT JOURNAL...
//! ```
//!
//! A dictionary that is in use is never changed: a better one is another form of frames.

use std::error::Error;

/// Bytes of the dictionary: more gives little, and each process reads it once.
const SIZE: usize = 32 << 10;
/// Lines that a commit often has of one contact.
const TOGETHER: usize = 6;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let out = arguments
        .next()
        .ok_or("usage: journal_dictionary OUT JOURNAL...")?;
    let mut samples: Vec<String> = Vec::new();
    for journal in arguments {
        let text = std::fs::read_to_string(&journal)?;
        let lines: Vec<&str> = text.lines().collect();
        samples.extend(lines.iter().map(|line| format!("{line}\n")));
        samples.extend(lines.chunks(TOGETHER).map(|lines| lines.join("\n")));
    }
    let dictionary = zstd::dict::from_samples(&samples, SIZE)?;
    std::fs::write(&out, &dictionary)?;
    eprintln!(
        "{out}: {} bytes of {} samples",
        dictionary.len(),
        samples.len()
    );
    Ok(())
}
