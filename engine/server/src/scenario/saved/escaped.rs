//! What YAML takes in no text as it is.

use std::fmt::Write as _;

/// A case in which what YAML forbids is written out. All that anybody wrote stands there between double quotes, as JSON, which
/// leaves these characters as they are.
pub(super) fn escaped(case: &str) -> String {
    let mut text = String::with_capacity(case.len());
    for letter in case.chars() {
        let written = match letter {
            '\u{7f}' => write!(text, "\\x7f"),
            // The next line, U+0085, is one that YAML takes.
            '\u{80}'..='\u{84}' | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => {
                write!(text, "\\u{:04x}", u32::from(letter))
            }
            letter => {
                text.push(letter);
                Ok(())
            }
        };
        written.expect("writing to a string");
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use strowger_flow::editor::keys_below;

    use super::escaped;

    #[test]
    fn every_text_is_one_that_yaml_reads_as_it_was() {
        for letter in ['\u{7f}', '\u{80}', '\u{9f}', '\u{fffe}', '\u{ffff}'] {
            let name = format!("a{letter}b 你");
            let raw = format!("tests:\n  {}: {{}}\n", json!(name));
            assert!(keys_below(&raw, &["tests"]).is_empty(), "{raw:?}");
            let written = escaped(&raw);
            assert!(!written.contains(letter), "{written:?}");
            let keys = keys_below(&written, &["tests"]);
            let names: Vec<&str> = keys.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, [name.as_str()], "{written:?}");
        }
        assert_eq!(escaped("a: \"\u{85}你\u{a0}\""), "a: \"\u{85}你\u{a0}\"");
    }
}
