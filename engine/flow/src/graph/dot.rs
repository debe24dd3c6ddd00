use std::fmt::Write as _;

use super::{Graph, Kind};

/// Writes a digraph.
pub(super) fn write(graph: &Graph) -> String {
    let mut text = format!(
        "digraph \"{}\" {{\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=11];\n",
        escaped(&graph.title)
    );
    for (index, found) in graph.cards.iter().enumerate() {
        let mut label = escaped(&found.name);
        for line in &found.lines {
            label.push_str("\\n");
            label.push_str(&escaped(line));
        }
        let look = match found.kind {
            Kind::Step => "",
            Kind::Start => ", penwidth=2",
            Kind::End => ", peripheries=2",
            Kind::Flow => ", shape=cds",
            Kind::Global => ", style=dashed",
        };
        let _ = writeln!(text, "  s{index} [label=\"{label}\"{look}];");
    }
    for arrow in &graph.arrows {
        let dashed = match graph.cards[arrow.from].kind {
            Kind::Global => ", style=dashed",
            _ => "",
        };
        let label = escaped(&arrow.labels.join(", "));
        let _ = writeln!(
            text,
            "  s{} -> s{} [label=\"{label}\"{dashed}];",
            arrow.from, arrow.to
        );
    }
    text.push_str("}\n");
    text
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace(|c: char| c.is_control(), " ")
}
