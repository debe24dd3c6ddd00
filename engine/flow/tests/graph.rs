//! Drawings of flows: every step and every way is in them, and no two cards or labels overlap.

mod support;

use strowger_flow::check;
use strowger_flow::graph::{DrawError, Graph, Kind};

fn graph(file: &str, text: &str) -> Graph {
    let catalog = support::project();
    let checked = check(file, text.as_bytes(), &catalog);
    let plan = checked.plan.unwrap_or_else(|| panic!("{file} has errors"));
    Graph::new(&plan, &catalog)
}

/// The rectangles of cards and labels: left, top, right, bottom.
fn rectangles(svg: &str) -> Vec<[f64; 4]> {
    svg.split("<g class=")
        .skip(1)
        .map(|group| {
            let number = |name: &str| -> f64 {
                let at = group.find(&format!(" {name}=\"")).expect("an attribute");
                let rest = &group[at + name.len() + 3..];
                rest[..rest.find('"').expect("its end")]
                    .parse()
                    .expect("a number")
            };
            let (x, y) = (number("x"), number("y"));
            [x, y, x + number("width"), y + number("height")]
        })
        .collect()
}

fn apart(svg: &str) {
    let all = rectangles(svg);
    for (index, a) in all.iter().enumerate() {
        assert!(a[0] >= 0.0 && a[1] >= 0.0, "{a:?} is outside");
        for b in &all[index + 1..] {
            let overlap = a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
            assert!(!overlap, "{a:?} and {b:?} overlap in\n{svg}");
        }
    }
}

#[test]
fn the_examples_are_drawn_without_overlaps() {
    for (file, text) in support::GOOD {
        let graph = graph(file, text);
        let svg = graph.svg().expect("small enough");
        apart(&svg);
        for card in &graph.cards {
            assert!(svg.contains(&format!(">{}</text>", card.name)));
        }
        insta::assert_snapshot!(file, graph.mermaid());
    }
}

#[test]
fn keys_and_outcomes_of_inline_lists_lead_to_where_they_end() {
    let (file, text) = support::GOOD[0];
    let graph = graph(file, text);
    assert_eq!(graph.cards[0].kind, Kind::Start);
    let named = |name: &str| {
        let card = graph.cards.iter().position(|card| card.name == name);
        card.unwrap_or_else(|| panic!("no card {name}"))
    };
    let labels = |from: &str, to: &str| {
        let arrow = graph
            .arrows
            .iter()
            .find(|arrow| arrow.from == named(from) && arrow.to == named(to));
        arrow.map(|arrow| arrow.labels.clone()).unwrap_or_default()
    };
    let mut all = labels("language", "check_hours");
    all.sort();
    assert_eq!(all, ["1", "2", "no_input", "no_match"]);
    assert_eq!(labels("main", "flow:vip-routing"), ["2"]);
    assert_eq!(labels("main", "main"), ["9"]);
    assert_eq!(labels("global", "sorry"), ["error"]);
}

#[test]
fn a_label_of_many_ways_is_not_longer_than_a_card() {
    let asks = "    - ask: What?\n      expect: digits\n      into: d\n      then: { no_input: bye, no_match: bye }\n";
    let text = format!(
        "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n{}    - say: \"${{d | digits}}\"\n    - goto: bye\n  bye: {{ hangup: completed }}\n",
        asks.repeat(12)
    );
    let svg = graph("a.flow.yaml", &text).svg().expect("it can be drawn");
    assert!(svg.contains("… +"), "{svg}");
    assert!(svg.matches("ok, then ok").count() <= 9, "{svg}");
    apart(&svg);
}

#[test]
fn texts_of_flows_cannot_leave_their_place() {
    let text = "flow: a\nformat: 1\nlanguages: [en]\nvars: { x: { type: text, default: a } }\nsteps:\n  start:\n    if: x == \"</text><script>\\\"|#\"\n    then: bye\n    else: bye\n  bye: { hangup: done }\n";
    let graph = graph("a", text);
    let svg = graph.svg().expect("small");
    assert!(!svg.contains("<script") && svg.contains("&lt;"), "{svg}");
    assert!(!graph.mermaid().contains("</text>"));
    apart(&svg);
}

#[test]
fn a_flow_too_large_for_a_picture_is_told_so() {
    let mut text = String::from("flow: large\nformat: 1\nsteps:\n  start: { goto: s0 }\n");
    for index in 0..1000 {
        text.push_str(&format!(
            "  s{index}: {{ say: \"Hello.\", then: s{} }}\n",
            index + 1
        ));
    }
    text.push_str("  s1000: { hangup: done }\n");
    let graph = graph("large", &text);
    assert!(matches!(graph.svg(), Err(DrawError::TooLarge { .. })));
    assert_eq!(graph.dot().matches(" -> ").count(), 1001);
}
