use std::fmt::Write as _;

use super::layout::{Layout, Way};
use super::measure::{LABEL_LINE, LINE, cut};
use super::{Graph, Kind};

/// How everything looks. Colours by class, so that a page that embeds the picture can choose others.
const STYLE: &str = "text{font:13px sans-serif;fill:#1a2b3c;text-anchor:middle}\
.name{font-weight:bold}.card rect{fill:#f4f7fb;stroke:#5b7ba6}.start rect{fill:#dcefe0;stroke:#3d8b52;stroke-width:2}\
.end rect{fill:#f9e6e3;stroke:#b25547}.flow rect{fill:#fdf3d8;stroke:#b08a2e}.global rect{fill:#fff;stroke:#888;\
stroke-dasharray:5 4}.way{fill:none;stroke:#5f6b78;stroke-width:1.3}.dashed{stroke-dasharray:4 4;stroke:#999}\
.label text{font-size:12px;fill:#34495e}.label rect{fill:#fff;opacity:.9}";

/// Writes the picture.
pub(super) fn write(graph: &Graph, layout: &Layout) -> String {
    let (width, height) = (layout.width.ceil(), layout.height.ceil());
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\">\n<title>{}</title>\n<style>{STYLE}</style>\n<defs><marker id=\"tip\" viewBox=\"0 0 10 10\" refX=\"9\" \
         refY=\"5\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L10 5L0 10z\" fill=\"#5f6b78\"/>\
         </marker></defs>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n",
        escaped(&graph.title)
    );
    for (arrow, way) in graph.arrows.iter().zip(&layout.arrows) {
        let dashed = match graph.cards[arrow.from].kind {
            Kind::Global => " dashed",
            _ => "",
        };
        let _ = writeln!(
            svg,
            "<path class=\"way{dashed}\" d=\"{}\" marker-end=\"url(#tip)\"/>",
            curve(way)
        );
    }
    for (card, place) in graph.cards.iter().zip(&layout.cards) {
        let class = match card.kind {
            Kind::Step => "card",
            Kind::Start => "card start",
            Kind::End => "card end",
            Kind::Flow => "card flow",
            Kind::Global => "card global",
        };
        let (left, top) = (place.x - place.width / 2.0, place.y - place.height / 2.0);
        let _ = write!(
            svg,
            "<g class=\"{class}\"><rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"6\"/>",
            place.width, place.height
        );
        let mut y = top + LINE;
        text(&mut svg, "name", place.x, y, &cut(&card.name));
        for line in &card.lines {
            y += LINE;
            text(&mut svg, "", place.x, y, &cut(line));
        }
        svg.push_str("</g>\n");
    }
    for way in &layout.arrows {
        let Some((place, lines)) = &way.label else {
            continue;
        };
        let (left, top) = (place.x - place.width / 2.0, place.y - place.height / 2.0);
        let _ = write!(
            svg,
            "<g class=\"label\"><rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
            place.width, place.height
        );
        for (index, line) in lines.iter().enumerate() {
            let y = top + LABEL_LINE * (index as f64 + 0.75);
            text(&mut svg, "", place.x, y, line);
        }
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

fn text(svg: &mut String, class: &str, x: f64, y: f64, words: &str) {
    let class = match class {
        "" => String::new(),
        class => format!(" class=\"{class}\""),
    };
    let _ = write!(
        svg,
        "<text{class} x=\"{x:.1}\" y=\"{y:.1}\">{}</text>",
        escaped(words)
    );
}

/// A smooth line through the points: between two of them it leaves and comes in vertically.
fn curve(way: &Way) -> String {
    let mut points = way.points.iter();
    let Some((x, y)) = points.next() else {
        return String::new();
    };
    let mut path = format!("M{x:.1} {y:.1}");
    if let (true, [from, beside, to]) = (way.own, way.points.as_slice()) {
        let _ = write!(
            path,
            "C{0:.1} {1:.1} {0:.1} {2:.1} {3:.1} {2:.1}",
            beside.0, from.1, to.1, to.0
        );
        return path;
    }
    let mut before = (*x, *y);
    for (x, y) in points {
        let half = (before.1 + y) / 2.0;
        if (before.0 - x).abs() < 0.05 {
            let _ = write!(path, "L{x:.1} {y:.1}");
        } else {
            let _ = write!(
                path,
                "C{:.1} {half:.1} {x:.1} {half:.1} {x:.1} {y:.1}",
                before.0
            );
        }
        before = (*x, *y);
    }
    path
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML knows no other control characters.
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
