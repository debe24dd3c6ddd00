//! Branches as other languages write them: read as they were meant, and told once.

use std::borrow::Cow;

use super::habits::is_otherwise;
use crate::check::report::Report;
use crate::check::rules::{two_verbs, unknown_key, unknown_verb};
use crate::diagnostic::Text;
use crate::expr::Span;
use crate::yaml::{Content, Entry, Map, Node};

/// `if` after another one, elsewhere.
const ELSE_IF: [&str; 5] = ["elif", "elseif", "elsif", "else if", "else_if"];

/// The ways of a `switch`, elsewhere.
const CASES: [&str; 4] = ["cases", "case", "branches", "arms"];

/// What stands beside an `if` for itself.
const OF_IF: [&str; 5] = ["if", "else", "when", "title", "global"];

/// `- if: …` with `goto: bye` or `say: hello` beside it, which was meant to be done when it is so.
pub(super) fn verb_beside_if(
    map: &mut Map<'_>,
    is_verb: impl Fn(&str) -> bool,
    report: &mut Report<'_>,
) {
    let own = |entry: &Entry<'_>| OF_IF.contains(&entry.key.as_ref());
    let mut others = map.entries.iter().filter(|entry| !own(entry));
    let mut verbs = map.entries.iter().filter(|entry| is_verb(&entry.key));
    let (Some(first), Some(second), None) = (verbs.next(), verbs.next(), verbs.next()) else {
        return;
    };
    if first.key != "if" || map.entry("then").is_some() {
        return;
    }
    let (verb, at) = (second.key.to_string(), second.key_span);
    let (alone, span) = (others.nth(1).is_none(), second.span());
    let first = first.key_span;
    if verb == "goto" && alone {
        let target = second.value.text().unwrap_or("…");
        let meant = format!("then: {target}");
        let fix = Some((at, "then".to_owned()));
        two_verbs::beside_if(report, first, (&verb, at), &meant, fix);
        if let Some(entry) = map.entries.iter_mut().find(|entry| entry.key == "goto") {
            entry.key = Cow::Borrowed("then");
        }
        return;
    }
    let written = report.lines().source().get(span.start..span.end);
    // What means something else between brackets is not moved there.
    let quoted = |text: &str| text.ends_with('"') && text.matches('"').count() == 2;
    let bare = |text: &str| !text.contains([',', '[', ']', '{', '}', '#', '"', '\'']);
    let movable = |text: &&str| alone && !text.contains('\n') && (quoted(text) || bare(text));
    let moved = written
        .filter(movable)
        .map(|text| format!("then: [{{ {text} }}]"));
    let meant = match &moved {
        Some(moved) => moved.clone(),
        None => format!("then: [{{ {verb}: … }}]"),
    };
    let fix = moved.map(|moved| (span, moved));
    two_verbs::beside_if(report, first, (&verb, at), &meant, fix);
    let (kept, action) = std::mem::take(&mut map.entries).into_iter().partition(own);
    map.entries = kept;
    let action = Node {
        span,
        content: Content::Map(Map { entries: action }),
    };
    map.entries.push(Entry {
        key: Cow::Borrowed("then"),
        key_span: at,
        value: Node {
            span,
            content: Content::List(vec![action]),
        },
    });
}

/// `- elif:` and `- else:` as actions after an `- if:`: the one is another `if`, the other stands beside the one before it.
pub(super) fn chains(items: &mut Vec<Node<'_>>, report: &mut Report<'_>) {
    let mut index = 0;
    while index < items.len() {
        let is_if = items[index]
            .map()
            .is_some_and(|map| map.entry("if").is_some());
        if is_if {
            chain(items, index, report);
        }
        index += 1;
    }
}

/// The actions that go on with the `if` at a place of a list.
fn chain(items: &mut Vec<Node<'_>>, mut last: usize, report: &mut Report<'_>) {
    let source = report.lines().source();
    // What is changed: its place, and what comes there.
    let mut changes: Vec<(Span, &str)> = Vec::new();
    let mut fixable = true;
    let mut told: Option<(Span, String)> = None;
    let (mut again, mut beside) = (false, None);
    while let Some(Content::Map(next)) = items.get(last + 1).map(|item| &item.content) {
        let Some(first) = next.entries.first() else {
            break;
        };
        if ELSE_IF.contains(&first.key.as_ref()) {
            told.get_or_insert((first.key_span, first.key.to_string()));
            changes.push((first.key_span, "if"));
            again = true;
            last += 1;
            if let Content::Map(map) = &mut items[last].content {
                map.entries[0].key = Cow::Borrowed("if");
            }
            continue;
        }
        let ways = |entry: &Entry<'_>| matches!(entry.key.as_ref(), "then" | "else");
        let Content::Map(own) = &items[last].content else {
            break;
        };
        let open = |entry: &Entry<'_>| own.entry(&entry.key).is_none();
        if !next.entries.iter().all(|entry| ways(entry) && open(entry)) {
            break;
        }
        told.get_or_insert((first.key_span, first.key.to_string()));
        beside.get_or_insert(first.key.to_string());
        let before = source[..first.key_span.start].trim_end_matches(' ');
        match before.ends_with('-') {
            true => changes.push((
                Span {
                    start: before.len() - 1,
                    end: before.len(),
                },
                " ",
            )),
            false => fixable = false,
        }
        let next = items.remove(last + 1);
        if let (Content::Map(own), Content::Map(next)) = (&mut items[last].content, next.content) {
            own.entries.extend(next.entries);
        }
    }
    let Some((at, key)) = told else { return };
    let mut fix: Option<(Span, String)> = None;
    for (span, come) in changes {
        let (whole, text) = fix.get_or_insert_with(|| {
            (
                Span {
                    end: span.start,
                    ..span
                },
                String::new(),
            )
        });
        text.push_str(&source[whole.end..span.start]);
        text.push_str(come);
        whole.end = span.end;
    }
    let fix = fix.filter(|_| fixable);
    unknown_verb::branch(report, at, &key, (again, beside.as_deref()), fix);
}

/// `cases:` of a `switch` for `then:`, and `default:` beside it.
pub(super) fn cases(map: &mut Map<'_>, place: &Text, report: &mut Report<'_>) {
    if map.entry("then").is_some() {
        return;
    }
    let named = |entry: &Entry<'_>| CASES.contains(&entry.key.as_ref());
    let Some(index) = map.entries.iter().position(named) else {
        return;
    };
    let entry = &map.entries[index];
    let Content::Map(lines) = &entry.value.content else {
        return;
    };
    let (at, key) = (entry.key_span, entry.key.to_string());
    let rest = |entry: &Entry<'_>| entry.key == "else" || is_otherwise(&entry.key);
    let elsewhere = |key: &str| is_otherwise(key) && key != "else";
    let alone = !map.entries.iter().any(rest);
    let alone = alone && !lines.entries.iter().any(|line| elsewhere(&line.key));
    let mut lines = lines.entries.clone();
    if !lines.iter().any(rest) {
        lines.extend(map.entries.iter().find(|entry| rest(entry)).cloned());
    }
    map.entries.retain(|entry| !rest(entry));
    if let Some(line) = lines.iter_mut().find(|entry| rest(entry)) {
        line.key = Cow::Borrowed("else");
    }
    if alone {
        unknown_key::misspelt(report, at, &key, place, "then");
    } else {
        let shown = lines
            .iter()
            .map(|line| format!("{}: {}", line.key, line.value.text().unwrap_or("…")));
        let shown: Vec<String> = shown.collect();
        unknown_key::way_beside(report, at, &key, place, &shown.join(", "));
    }
    if let Some(entry) = map.entries.iter_mut().find(|entry| named(entry)) {
        entry.key = Cow::Borrowed("then");
        entry.value.content = Content::Map(Map { entries: lines });
    }
}
