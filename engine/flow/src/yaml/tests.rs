//! Reading directly gives what the parser gives, or nothing.

use proptest::prelude::*;
use proptest::sample::select;

use super::direct;
use super::read::agrees;

/// A value as it is laid out.
#[derive(Debug, Clone)]
enum Laid {
    /// Behind its key or dash, on the same line.
    Inline(&'static str),
    /// Keys with what stands behind their colons, and how far further right they are.
    Map(Vec<(&'static str, Laid)>, usize),
    /// The same of a list; its dashes may stand below the key.
    List(Vec<Laid>, usize),
}

const KEYS: &[&str] = &["a", "b", "c d", "\"e\"", "'f'", "您", "g ", "a:b"];

const VALUES: &[&str] = &[
    "x",
    "y z",
    "1",
    "~",
    "null",
    "中文 \u{a0}",
    "${x}",
    "\"q\"",
    "\"${a + \\\"b\\\"}\"",
    "'s'",
    "'it''s'",
    "\"\\\\\"",
    "\"\\u4e2d\"",
    "",
    "",
    "{}",
    "[ ]",
    "{ a: 1, 'b': [c, d] }",
    "[a, { b: c }, \"d\"]",
    "[a,\n          b]",
    "{ a: 1, # c\n            b: 2 }",
    "x # c",
    "x  ",
    "x #",
    "\"q\"  # c, d",
    "a-b",
    "-x",
    "?x",
    ":x",
    "x#y",
    "{ a: x:y, b: c-d }",
    "|\n            x",
    "x\n            y",
    "\"x\n            y\"",
    "'x \n\n            y'",
    "x y\n\n\n            z # c",
    ">-\n            x y\n            z\n\n            w",
    "|\n            x\n              y\n\n",
    "|+ # c\n            x\n\n\n",
    ">\n            x\n",
    "|\n\n            x",
    "\n            x\n            y",
    "\n            \"x y\" # c",
    "\n            [a]",
    "\"x\\\n            y\"",
];

/// What breaks it, or means something else.
const SLIPS: &[&str] = &[
    "#", " # ", "#: x", ": ", ":", "- ", "-", "{", "}", "[", "]", ",", "\"", "'", "\\", "*", "*: ",
    "&a ", "!t ", "?", "? ", "%", "@", "|", ">", "\n", "\n\n", " ", "  ", "\n  ", "\n    ",
    "---\n", "...", "\t", "\r", "${x}",
];

fn laid() -> impl Strategy<Value = Laid> {
    let value = select(VALUES).prop_map(Laid::Inline);
    value.prop_recursive(4, 24, 4, |inner| {
        let entry = (select(KEYS), inner.clone());
        let map = (prop::collection::vec(entry, 1..4), 1..4usize);
        let list = (prop::collection::vec(inner, 1..4), 0..3usize);
        prop_oneof![
            2 => map.prop_map(|(entries, further)| Laid::Map(entries, further)),
            1 => list.prop_map(|(items, further)| Laid::List(items, further)),
        ]
    })
}

impl Laid {
    /// Writes the value behind a colon or a dash; a map or list behind a dash begins on its line.
    fn write(&self, column: usize, dash: bool, text: &mut String) {
        let begin = |first: bool, at: usize, text: &mut String| match first && dash {
            true => text.push(' '),
            false => text.push_str(&format!("\n{}", " ".repeat(at))),
        };
        match self {
            Laid::Inline("") => {}
            Laid::Inline(value) => text.push_str(&format!(" {value}")),
            Laid::Map(entries, further) => {
                let at = if dash { column + 2 } else { column + further };
                for (index, (key, value)) in entries.iter().enumerate() {
                    begin(index == 0, at, text);
                    text.push_str(&format!("{key}:"));
                    value.write(at, false, text);
                }
            }
            Laid::List(items, further) => {
                let at = if dash { column + 2 } else { column + further };
                for (index, item) in items.iter().enumerate() {
                    begin(index == 0, at, text);
                    text.push('-');
                    item.write(at, true, text);
                }
            }
        }
    }
}

/// A map in lines.
fn text() -> impl Strategy<Value = String> {
    let entry = (select(&["a", "b", "c", "'d'", "e f"][..]), laid());
    prop::collection::vec(entry, 1..4).prop_map(|entries| {
        let mut text = String::new();
        for (key, value) in entries {
            text.push_str(&format!("{key}:"));
            value.write(0, false, &mut text);
            text.push('\n');
        }
        text
    })
}

/// The same with so many slips, each at a place of its own.
fn slipped() -> impl Strategy<Value = String> {
    let slip = (any::<prop::sample::Index>(), 0..3usize, select(SLIPS));
    (text(), prop::collection::vec(slip, 1..3)).prop_map(|(text, slips)| {
        let mut chars: Vec<char> = text.chars().collect();
        for (place, cut, slip) in slips {
            let at = place.index(chars.len() + 1);
            let end = (at + cut).min(chars.len());
            chars.splice(at..end, slip.chars());
        }
        chars.into_iter().collect()
    })
}

fn holds(text: &str) -> Result<(), TestCaseError> {
    if let Some(read) = direct::read(text) {
        prop_assert!(agrees(text, &read), "not as the parser reads it: {text:?}");
    }
    Ok(())
}

proptest! {
    // A case takes microseconds.
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn what_is_laid_out_well_is_read_as_the_parser_reads_it(text in text()) {
        holds(&text)?;
    }

    #[test]
    fn what_has_slips_is_read_as_the_parser_reads_it(text in slipped()) {
        holds(&text)?;
    }
}

#[test]
fn a_flow_as_people_write_it_needs_no_parser() {
    for text in [
        include_str!("../../tests/flows/main-menu.flow.yaml"),
        include_str!("../../tests/flows/order-status.flow.yaml"),
        include_str!("../../tests/flows/vip-routing.flow.yaml"),
    ] {
        let read = direct::read(text).expect("nothing unusual stands in it");
        assert!(agrees(text, &read));
    }
}
