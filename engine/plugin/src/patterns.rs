//! What the patterns of a stranger's schemas occupy in the host, once compiled.

use std::collections::HashMap;

use regex_automata::meta::{Config, Regex};
use serde_json::Value;

/// Largest automaton of one pattern. Bytes; `^[0-9]{1,16}$` has one of two KiB.
pub(crate) const PATTERN_BYTES: usize = 256 << 10;

/// What the engine of a pattern remembers between two texts, for each thread that uses it. Bytes.
///
/// Enough for all states of the patterns that people write. The library's own default is 2 MiB, which hundreds of patterns
/// cannot have each.
pub(crate) const PATTERN_CACHE_BYTES: usize = 64 << 10;

/// What all patterns of a plugin may occupy, caches included. Bytes.
///
/// Some four hundred patterns of the size that people write; the largest plugin known has thirty. They stay in memory as long as
/// the plugin is loaded, so this bounds what a plugin costs by being there.
pub(crate) const PATTERNS_BYTES: usize = 32 << 20;

/// Bytes of a compiled pattern for each of its states, at least: with these a size says how many states there are at most.
const BYTES_PER_STATE: usize = 24;

/// What the patterns of one plugin may still occupy.
#[derive(Debug)]
pub(crate) struct PatternRoom {
    left: usize,
    count: usize,
}

impl Default for PatternRoom {
    fn default() -> Self {
        PatternRoom {
            left: PATTERNS_BYTES,
            count: 0,
        }
    }
}

impl PatternRoom {
    /// Makes room for the patterns of a schema, each once; gives how many states each has at most. One that is no pattern is left
    /// to whoever compiles the schema.
    pub(crate) fn take(&mut self, schema: &Value) -> Result<HashMap<String, u64>, String> {
        let mut states = HashMap::new();
        self.take_below(schema, &mut states)?;
        Ok(states)
    }

    fn take_below(
        &mut self,
        schema: &Value,
        states: &mut HashMap<String, u64>,
    ) -> Result<(), String> {
        match schema {
            Value::Object(keywords) => {
                for (keyword, value) in keywords {
                    match (keyword.as_str(), value) {
                        ("pattern", Value::String(pattern)) => self.take_one(pattern, states)?,
                        ("patternProperties", Value::Object(named)) => {
                            for (pattern, below) in named {
                                self.take_one(pattern, states)?;
                                self.take_below(below, states)?;
                            }
                        }
                        (_, value) => self.take_below(value, states)?,
                    }
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.take_below(item, states)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn take_one(&mut self, pattern: &str, states: &mut HashMap<String, u64>) -> Result<(), String> {
        if states.contains_key(pattern) {
            return Ok(());
        }
        let config = Config::new()
            .nfa_size_limit(Some(PATTERN_BYTES))
            .hybrid_cache_capacity(PATTERN_CACHE_BYTES);
        let mut builder = Regex::builder();
        let Ok(compiled) = builder.configure(config).build(&in_ascii(pattern)) else {
            return Ok(());
        };
        let bytes = compiled.memory_usage();
        self.count += 1;
        self.left = self
            .left
            .checked_sub(bytes + PATTERN_CACHE_BYTES)
            .ok_or_else(|| {
                format!(
                    "its patterns, with those of the schemas before it, occupy more than {} MiB ({} patterns so far): \
                     shorten their repetitions, or check what they stand for in the step itself",
                    PATTERNS_BYTES >> 20,
                    self.count
                )
            })?;
        states.insert(pattern.to_owned(), (bytes / BYTES_PER_STATE) as u64);
        Ok(())
    }
}

/// A pattern with the classes that ECMA-262 understands as ASCII written out, as the validator reads them.
fn in_ascii(pattern: &str) -> String {
    let mut written = String::with_capacity(pattern.len());
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            written.push(letter);
            continue;
        }
        match letters.next() {
            Some('d') => written.push_str("[0-9]"),
            Some('D') => written.push_str("[^0-9]"),
            Some('w') => written.push_str("[A-Za-z0-9_]"),
            Some('W') => written.push_str("[^A-Za-z0-9_]"),
            other => {
                written.push('\\');
                written.extend(other);
            }
        }
    }
    written
}
