//! What is wrong with a TOML text, in words for people, and where its keys stand.

use std::ops::Range;

use strowger_flow::diagnostic::Text;

use super::reading::reason;

/// What is wrong with a TOML text, with the path to the value that it is about, and what to do.
pub(crate) fn told(text: &str, error: &toml::de::Error) -> (Text, Text) {
    let (message, help) = in_words(error.message().trim());
    let path = error.span().and_then(|span| path_at(text, span.start));
    let message = match path {
        Some(path) => Text::both(
            format!("{path}: {}", message.english()),
            format!("`{path}`：{}", message.chinese()),
        ),
        None => message,
    };
    (message, help)
}

/// The dotted path to the value that begins at a byte; none at a key, which names itself, and in a text that is no TOML.
fn path_at(text: &str, at: usize) -> Option<String> {
    use toml::de::{DeTable, DeValue};
    let root = DeTable::parse(text).ok()?;
    let top = root.get_ref().iter();
    let mut left: Vec<_> = top
        .map(|(key, value)| (key.get_ref().to_string(), value))
        .collect();
    while let Some((path, value)) = left.pop() {
        match value.get_ref() {
            DeValue::Table(table) => left.extend(
                table
                    .iter()
                    .map(|(key, value)| (format!("{path}.{}", key.get_ref()), value)),
            ),
            DeValue::Array(items) => {
                left.extend(items.iter().map(|item| (path.clone(), item)));
            }
            _ => {}
        }
        if value.span().start == at && !matches!(value.get_ref(), DeValue::Table(_)) {
            return Some(path);
        }
    }
    None
}

/// The parser's message without the names of the parser's types, and what to write instead.
fn in_words(message: &str) -> (Text, Text) {
    if message.ends_with("socket address syntax") || message.ends_with("expected socket address") {
        return (
            Text::fixed("this is not an address with a port", "这不是带端口的地址"),
            Text::fixed(
                "write an IP address and a port, such as \"127.0.0.1:5060\"; names are not looked up",
                "写 IP 地址和端口，例如 \"127.0.0.1:5060\"；不解析域名",
            ),
        );
    }
    if message.ends_with("IP address syntax") || message.ends_with("expected IP address") {
        return (
            Text::fixed("this is not an IP address", "这不是 IP 地址"),
            Text::fixed(
                "write an IP address, such as \"203.0.113.5\"; names are not looked up",
                "写 IP 地址，例如 \"203.0.113.5\"；不解析域名",
            ),
        );
    }
    let help = Text::fixed(
        "the README lists the tables and keys of strowger.toml",
        "README 里列出了 `strowger.toml` 的各个表和键",
    );
    let numbers = [
        ("u8", "a whole number from 0 to 255"),
        ("u64", "a whole number that is not negative"),
        ("u16", "a whole number from 0 to 65535"),
        ("u32", "a whole number from 0 to 4294967295"),
        ("usize", "a whole number that is not negative"),
    ];
    let number = numbers.iter().find_map(|(kind, words)| {
        let before = message.strip_suffix(kind)?.strip_suffix("expected ")?;
        Some(format!("{before}expected {words}"))
    });
    // Where a table belongs the parser names the type that reads it.
    let table = message
        .split_once("expected struct ")
        .map(|(before, _)| format!("{before}expected a map"));
    let plain = number.or(table);
    (reason(plain.as_deref().unwrap_or(message)), help)
}

/// Where a key stands, or the longest part of its path that does; the first line when nothing of it does.
pub(crate) fn key(text: &str, path: &[&str]) -> Range<usize> {
    use toml::de::{DeTable, DeValue};
    let Ok(root) = DeTable::parse(text) else {
        return 0..0;
    };
    let mut table = root.get_ref();
    let mut at = 0..0;
    for part in path {
        let Some((key, value)) = table.iter().find(|(key, _)| key.get_ref() == part) else {
            break;
        };
        at = key.span();
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    at
}
