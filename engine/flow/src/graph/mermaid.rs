use std::fmt::Write as _;

use super::{Graph, Kind};

/// Writes a flowchart.
pub(super) fn write(graph: &Graph) -> String {
    // JSON's text is YAML's too, whatever the title is.
    let title = serde_json::Value::from(graph.title.as_str());
    let mut text = format!("---\ntitle: {title}\n---\nflowchart TD\n");
    for (index, found) in graph.cards.iter().enumerate() {
        let mut label = format!("<b>{}</b>", escaped(&found.name));
        for line in &found.lines {
            label.push_str("<br/>");
            label.push_str(&escaped(line));
        }
        let (open, close) = match found.kind {
            Kind::Step => ("[", "]"),
            Kind::Start => ("([", "])"),
            Kind::End => ("[[", "]]"),
            Kind::Flow => ("[/", "/]"),
            Kind::Global => ("{{", "}}"),
        };
        let _ = writeln!(text, "  s{index}{open}\"{label}\"{close}");
    }
    for arrow in &graph.arrows {
        let line = match graph.cards[arrow.from].kind {
            Kind::Global => "-.->",
            _ => "-->",
        };
        let label = match arrow.labels.is_empty() {
            true => String::new(),
            false => format!("|\"{}\"|", escaped(&arrow.labels.join(", "))),
        };
        let _ = writeln!(text, "  s{} {line}{label} s{}", arrow.from, arrow.to);
    }
    text
}

/// Mermaid reads HTML and its own `#quot;` in labels.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '#' => escaped.push_str("#35;"),
            '"' => escaped.push_str("#quot;"),
            '<' => escaped.push_str("#lt;"),
            '>' => escaped.push_str("#gt;"),
            '&' => escaped.push_str("#amp;"),
            '`' => escaped.push_str("#96;"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
