//! YAML files beside the flows, read as flows are: with the same traps told, and every value's place.
//!
//! Whoever reads such a file gives it a shape of its own; what is wrong with it as YAML, and where a value
//! stands that turns out to be wrong, comes from here.

use crate::check::report::Report;
use crate::check::rules::yaml_encoding;
use crate::diagnostic::Diagnostic;
use crate::expr::Span;
use crate::yaml::{self, Content, Node};

/// A YAML file that could be read.
#[derive(Debug)]
pub struct Document {
    root: Node<'static>,
}

/// Reads a YAML file that is no flow. `None` without findings means that nothing stands in it.
///
/// Never panics, whatever the bytes; time and memory are bounded by the limits of the `yaml-limit` rule.
pub fn document(file: &str, source: &[u8]) -> (Option<Document>, Vec<Diagnostic>) {
    let text = match std::str::from_utf8(source) {
        Ok(text) => text,
        Err(error) => {
            let shown = String::from_utf8_lossy(source);
            let mut report = Report::new(file, &shown);
            let start = error.valid_up_to();
            let end = start + 1;
            yaml_encoding::not_utf8(&mut report, Span { start, end });
            return (None, report.finish());
        }
    };
    let mut report = Report::new(file, text);
    let root = yaml::read(text, &mut report).root.map(Node::into_owned);
    (root.map(|root| Document { root }), report.finish())
}

impl Document {
    /// Where the value of a path stands: names of maps, and places in lists counted from 0.
    pub fn span(&self, path: &[&str]) -> Option<Span> {
        self.node(path).map(|node| node.span)
    }

    fn node(&self, path: &[&str]) -> Option<&Node<'static>> {
        let mut node = &self.root;
        for part in path {
            node = match &node.content {
                Content::Map(map) => map.value(part)?,
                Content::List(items) => items.get(part.parse::<usize>().ok()?)?,
                Content::Scalar(_) => return None,
            };
        }
        Some(node)
    }

    /// Where the key of a path's value stands; of a place in a list, the value.
    pub fn key(&self, path: &[&str]) -> Option<Span> {
        let (last, above) = path.split_last()?;
        match &self.node(above)?.content {
            Content::Map(map) => map.entry(last).map(|entry| entry.key_span),
            _ => self.span(path),
        }
    }

    /// Takes a value out, as if it did not stand there.
    pub fn remove(&mut self, path: &[&str]) {
        let Some((last, above)) = path.split_last() else {
            return;
        };
        let mut node = &mut self.root;
        for part in above {
            let below = match &mut node.content {
                Content::Map(map) => {
                    let mut entries = map.entries.iter_mut();
                    let entry = entries.find(|entry| entry.key == *part);
                    entry.map(|entry| &mut entry.value)
                }
                Content::List(items) => part.parse().ok().and_then(|at: usize| items.get_mut(at)),
                Content::Scalar(_) => None,
            };
            let Some(below) = below else { return };
            node = below;
        }
        match &mut node.content {
            Content::Map(map) => map.entries.retain(|entry| entry.key != *last),
            Content::List(items) => {
                if let Some(at) = last.parse::<usize>().ok().filter(|at| *at < items.len()) {
                    items.remove(at);
                }
            }
            Content::Scalar(_) => {}
        }
    }

    /// Where a value stands under a key of that name, wherever in the file; the first of several.
    pub fn find(&self, key: &str, value: &str) -> Option<Span> {
        let mut left = vec![&self.root];
        while let Some(node) = left.pop() {
            match &node.content {
                Content::Map(map) => {
                    let found = map.entries.iter().find(|entry| {
                        entry.key == key && entry.value.text().is_some_and(|text| text == value)
                    });
                    if let Some(entry) = found {
                        return Some(entry.value.span);
                    }
                    left.extend(map.entries.iter().rev().map(|entry| &entry.value));
                }
                Content::List(items) => left.extend(items.iter().rev()),
                Content::Scalar(_) => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_found_by_its_path() {
        let source = "routes:\n  - { to: \"1\", flow: menu }\n";
        let (document, findings) = document("routes.yaml", source.as_bytes());
        assert!(findings.is_empty(), "{findings:?}");
        let span = document
            .expect("it is YAML")
            .span(&["routes", "0", "flow"])
            .expect("it is there");
        assert_eq!(&source[span.start..span.end], "menu");
    }

    #[test]
    fn what_is_no_yaml_is_told_with_its_place() {
        for source in [
            &b"routes:\n  - { to: \"1\"\n"[..],
            b"a: [1",
            b"\xff\xfe",
            b"a: 1\n\tb: 2\n",
            b"{ a: 1, a: 2 }",
        ] {
            let (_, findings) = document("routes.yaml", source);
            assert!(!findings.is_empty(), "{source:?}");
            assert!(
                findings[0]
                    .render(&String::from_utf8_lossy(source), false)
                    .contains("routes.yaml:")
            );
        }
        let (document, findings) = document("routes.yaml", b"");
        assert!(document.is_none_or(|document| document.span(&["routes"]).is_none()));
        assert!(findings.is_empty());
    }
}
