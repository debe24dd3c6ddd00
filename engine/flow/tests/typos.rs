//! A typo is one finding: in every example flow, every key, every verb, every reference is misspelt in turn.

#[path = "support/pages.rs"]
mod pages;
#[path = "support/shipped.rs"]
mod shipped;
mod support;

use std::collections::{BTreeMap, BTreeSet};

use granit_parser::{Event, Parser, options};
use strowger_flow::editor::{Kind, Sheet};
use strowger_flow::{Catalog, Diagnostic, RULES, check};

/// A word of a flow that can be misspelt.
#[derive(Debug, Clone)]
struct Word {
    start: usize,
    text: String,
    what: What,
    /// What is alike in all flows: words of one kind are misspelt in each way once, and now and then again.
    class: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// A key, a verb, a name that is defined elsewhere: its slip is one finding, at the word.
    One,
    /// A name where it is defined, which is right as it stands: every place that uses it is a finding, and nothing else.
    Definition,
    /// A name that nothing else refers to: no finding.
    Free,
}

/// Keys that stand for something else than one of the language, by their path without lists; `*` is any name, `…` is anything above or below.
/// Everything that is not here is [`What::One`].
const EXCEPTIONS: &[(&str, What, &str)] = &[
    (
        "tests *",
        What::Free,
        "a test's name is a sentence for people",
    ),
    (
        "… tag *",
        What::Free,
        "tags are the flow's own words, for reports",
    ),
    (
        "… attach *",
        What::Free,
        "what is attached is the flow's own words, for the agent's screen",
    ),
];

fn exception(path: &[String]) -> Option<What> {
    let path: Vec<&String> = path.iter().filter(|part| *part != "-").collect();
    let fits = |pattern: &str| {
        let parts: Vec<&str> = pattern.split(' ').collect();
        let (parts, path) = match (parts.first(), parts.last()) {
            (Some(&"…"), _) if path.len() >= parts.len() => {
                (&parts[1..], &path[path.len() - parts.len() + 1..])
            }
            (_, Some(&"…")) if path.len() >= parts.len() - 1 => {
                (&parts[..parts.len() - 1], &path[..parts.len() - 1])
            }
            _ => (&parts[..], &path[..]),
        };
        parts.len() == path.len()
            && parts
                .iter()
                .zip(path)
                .all(|(part, is)| *part == "*" || *part == is.as_str())
    };
    EXCEPTIONS
        .iter()
        .find(|(pattern, ..)| fits(pattern))
        .map(|(_, what, _)| *what)
}

/// Every key of a map, with its path.
fn keys(source: &str) -> Vec<(Vec<String>, usize)> {
    struct Level {
        list: bool,
        /// Whether a key comes next.
        key: bool,
    }
    let mut found = Vec::new();
    let mut levels: Vec<Level> = Vec::new();
    let mut path: Vec<String> = Vec::new();
    let mut parser = Parser::new_from_str_with_options(source, options! {});
    // A value is there: in a map, its key is done with.
    fn done(levels: &mut [Level], path: &mut Vec<String>) {
        if let Some(level) = levels.last_mut().filter(|level| !level.list) {
            level.key = true;
            path.pop();
        }
    }
    while let Some(event) = parser.next_event() {
        let (event, span) = event.expect("a flow without findings is YAML");
        match event {
            Event::Scalar(text, ..) => match levels.last_mut() {
                Some(level) if !level.list && level.key => {
                    level.key = false;
                    path.push(text.to_string());
                    let start = span.start.byte_offset().expect("a place");
                    let quoted = usize::from(!source[start..].starts_with(text.as_ref()));
                    found.push((path.clone(), start + quoted));
                }
                _ => done(&mut levels, &mut path),
            },
            Event::SequenceStart(..) => {
                levels.push(Level {
                    list: true,
                    key: false,
                });
                path.push("-".to_owned());
            }
            Event::MappingStart(..) => levels.push(Level {
                list: false,
                key: true,
            }),
            Event::SequenceEnd => {
                levels.pop();
                path.pop();
                done(&mut levels, &mut path);
            }
            Event::MappingEnd => {
                levels.pop();
                done(&mut levels, &mut path);
            }
            _ => {}
        }
    }
    found
}

/// Keys below which others mean something of their own.
const PLACES: [&str; 19] = [
    "global",
    "weekly",
    "press",
    "then",
    "choose",
    "set",
    "with",
    "retry",
    "meanwhile",
    "reprompt",
    "expect",
    "record",
    "tests",
    "given",
    "mock",
    "run",
    "vars",
    "inputs",
    "any",
];

/// Words that say what a name is for that stands behind them.
const BEFORE: [&str; 29] = [
    "as", "into", "goto", "then", "else", "to", "call", "start", "error", "hangup", "too_long",
    "say", "menu", "ask", "label", "short", "queue", "transfer", "use", "if", "when", "switch",
    "confirm", "no_input", "no_match", "expect", "step", "return", "hours",
];

/// Every word of a flow that can be misspelt, in order.
fn words(source: &str, catalog: &Catalog) -> Vec<Word> {
    let mut words: BTreeMap<usize, Word> = BTreeMap::new();
    for (path, start) in keys(source) {
        let text = path.last().expect("a key").clone();
        let above = path.iter().rev().skip(1).find(|part| *part != "-");
        let above = above.filter(|above| PLACES.contains(&above.as_str()));
        let class = format!("{} / {text}", above.map_or("*", |above| above));
        let what = exception(&path).unwrap_or(What::One);
        words.insert(
            start,
            Word {
                start,
                text,
                what,
                class,
            },
        );
    }
    let sheet = Sheet::read(source, catalog, None, None);
    for mention in sheet.mentions(catalog) {
        let what = match mention.defines {
            true => What::Definition,
            false => What::One,
        };
        let before =
            source[..mention.span.start].trim_end_matches(|c: char| !c.is_ascii_lowercase());
        let before = before
            .rsplit(|c: char| !c.is_ascii_lowercase() && c != '_')
            .next()
            .unwrap_or_default();
        let before = if BEFORE.contains(&before) {
            before
        } else {
            "*"
        };
        let class = format!("{:?} {what:?} after {before}", mention.kind);
        let (start, text) = (mention.span.start, mention.name);
        if mention.kind != Kind::Flow || !mention.defines {
            words.insert(
                start,
                Word {
                    start,
                    text,
                    what,
                    class,
                },
            );
        }
    }
    for word in values(source) {
        words.entry(word.start).or_insert(word);
    }
    words.into_values().collect()
}

/// Words that are values: kinds of answers, types, and in expressions filters and what every contact has.
fn values(source: &str) -> Vec<Word> {
    let mut found = Vec::new();
    let word = |start: usize, text: &str, of: &str| Word {
        start,
        text: text.to_owned(),
        what: What::One,
        class: format!("value of {of} {text}"),
    };
    for (of, marks) in [
        ("type", &["type: "][..]),
        ("expect", &["expect: "]),
        ("channel", &["channel: "]),
        (
            "call",
            &["${call.", "if: call.", "when: call.", "switch: call."],
        ),
        ("filter", &[" | "]),
    ] {
        for mark in marks {
            for (at, _) in source.match_indices(mark) {
                let start = at + mark.len();
                let text: String = source[start..]
                    .chars()
                    .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                    .collect();
                let line = source[..at].rfind('\n').map_or(0, |line| line + 1);
                let behind = source[start + text.len()..].chars().next().unwrap_or('\n');
                // In a test, a prompt's name is expected.
                let other = match of {
                    "expect" => source[line..at].contains('-') || behind == '/',
                    "filter" => !source[line..at].contains("${") || source[line..at].contains('#'),
                    _ => false,
                };
                if !text.is_empty() && !other {
                    found.push(word(start, &text, of));
                }
            }
        }
    }
    found
}

/// A word with one letter dropped, with two neighbours exchanged, with one letter doubled; where, the seed decides.
fn slips(word: &str, seed: usize) -> Vec<(&'static str, String)> {
    let letters: Vec<char> = word.chars().collect();
    let here: Vec<usize> = (0..letters.len())
        .filter(|at| letters[*at].is_ascii_lowercase())
        .collect();
    if here.is_empty() {
        return Vec::new();
    }
    let at = here[seed % here.len()];
    let without: String = letters
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != at)
        .map(|(_, c)| c)
        .collect();
    let mut doubled = letters.clone();
    doubled.insert(at, letters[at]);
    let mut slips = vec![("dropped", without), ("doubled", doubled.iter().collect())];
    let pairs: Vec<usize> = (1..letters.len())
        .filter(|at| {
            letters[*at] != letters[at - 1]
                && letters[*at].is_ascii_lowercase()
                && letters[at - 1].is_ascii_lowercase()
        })
        .collect();
    if !pairs.is_empty() {
        let at = pairs[seed % pairs.len()];
        let mut swapped = letters;
        swapped.swap(at - 1, at);
        slips.push(("swapped", swapped.iter().collect()));
    }
    // A blank more or less at the margin is no slip in a word.
    slips.retain(|(_, slip)| !slip.is_empty() && !slip.starts_with(' '));
    slips
}

/// The same text with another word in a word's place.
fn with(source: &str, word: &Word, slip: &str) -> String {
    format!(
        "{}{slip}{}",
        &source[..word.start],
        &source[word.start + word.text.len()..]
    )
}

/// What is wrong with the findings of a slip; nothing when they are as they should be.
fn fault(word: &Word, slip: &str, text: &str, found: &[Diagnostic]) -> Option<String> {
    let at = |found: &Diagnostic| &text[found.primary.span.start..found.primary.span.end];
    let right = match word.what {
        What::One => {
            let there = |found: &Diagnostic| {
                found.primary.span.start <= word.start + slip.len()
                    && word.start <= found.primary.span.end
            };
            matches!(found, [one] if there(one))
        }
        What::Definition => {
            let places: BTreeSet<usize> =
                found.iter().map(|found| found.primary.span.start).collect();
            // Unless it is believed that the definition is the slip, or nothing needs it: a variable that `into:` makes anyway.
            let here = matches!(found, [one] if matches!(one.rule, "unknown-variable" | "unknown-step" | "unknown-outcome" | "unknown-prompt" | "unknown-hours" | "unused" | "missing-key") && at(one) == slip);
            here || places.len() == found.len()
                && found.iter().all(|found| {
                    found.rule.starts_with("unknown-") && at(found).contains(&word.text)
                })
        }
        What::Free => found.is_empty(),
    };
    let told: Vec<String> = found
        .iter()
        .map(|found| {
            format!(
                "{}:{} {} {} [{}]",
                found.primary.place.line,
                found.primary.place.column,
                found.rule,
                found.message.english(),
                at(found).lines().next().unwrap_or_default()
            )
        })
        .collect();
    (!right).then(|| told.join("; "))
}

/// Every text that is checked: name, text, what is around it.
fn texts() -> Vec<(String, String, Catalog)> {
    let mut texts = Vec::new();
    for project in shipped::projects() {
        for (file, text) in &project.flows {
            texts.push((
                format!("{}/{file}", project.name),
                text.clone(),
                project.catalog.clone(),
            ));
        }
    }
    let catalog = support::project();
    for rule in RULES {
        if let [_, right] = &pages::examples(rule.page)[..] {
            texts.push((
                format!("explain {}", rule.slug),
                pages::whole(right),
                catalog.clone(),
            ));
        }
    }
    texts
}

#[test]
fn every_slip_is_one_finding() {
    /// Of a class that has been misspelt already, one word in so many is misspelt again.
    const AGAIN: usize = 61;
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let (mut tried, mut faults) = (0, Vec::new());
    let mut number = 0;
    for (name, source, catalog) in texts() {
        for word in words(&source, &catalog) {
            number += 1;
            let times = seen.entry(word.class.clone()).or_default();
            *times += 1;
            if *times > 1 && number % AGAIN != 0 {
                continue;
            }
            for (how, slip) in slips(&word.text, *times + number) {
                let text = with(&source, &word, &slip);
                let found = check("a.flow.yaml", text.as_bytes(), &catalog).diagnostics;
                tried += 1;
                if let Some(told) = fault(&word, &slip, &text, &found) {
                    let line = source[..word.start].lines().count();
                    faults.push(format!(
                        "{name}:{line} {} {how} {slip} ({:?} {}): {told}",
                        word.text, word.what, word.class
                    ));
                }
            }
        }
    }
    assert!(tried > 1_500, "{tried} slips are too few");
    assert!(
        faults.is_empty(),
        "{} of {tried}\n{}",
        faults.len(),
        faults.join("\n")
    );
}

/// Checks every project with one flow changed, a file after the other; what is wrong with the findings.
fn in_projects(change: impl Fn(&str, &Catalog) -> Vec<String>) -> Vec<String> {
    let mut faults = Vec::new();
    for project in shipped::projects() {
        if project.flows.len() < 2 {
            continue;
        }
        for (index, (file, source)) in project.flows.iter().enumerate() {
            for text in change(source, &project.catalog) {
                let mut flows = project.flows.clone();
                flows[index].1.clone_from(&text);
                let (_, checked) = project.survey(&flows);
                for ((other, _), checked) in flows.iter().zip(checked) {
                    let count = checked.diagnostics.len();
                    if (other == file && count != 1) || (other != file && count != 0) {
                        let found = checked.diagnostics.iter();
                        let told: Vec<&str> = found.map(|found| found.message.english()).collect();
                        let at = source
                            .lines()
                            .zip(text.lines())
                            .position(|(a, b)| a != b)
                            .unwrap_or_default()
                            + 1;
                        faults.push(format!(
                            "{}/{file}:{at}: in {other}: {told:?}",
                            project.name
                        ));
                    }
                }
            }
        }
    }
    faults
}

#[test]
fn a_slip_is_no_finding_of_another_flow() {
    const HEAD: [&str; 6] = ["flow", "inputs", "outcomes", "type", "default", "secret"];
    let faults = in_projects(|source, _| {
        let keys = keys(source).into_iter();
        let head = keys.filter(|(path, _)| path.len() == 1 || matches!(path[0].as_str(), "inputs"));
        let head =
            head.filter(|(path, _)| path.last().is_some_and(|key| HEAD.contains(&key.as_str())));
        let words = head.map(|(path, start)| Word {
            start,
            text: path.last().expect("a key").clone(),
            what: What::One,
            class: String::new(),
        });
        let slipped = words.flat_map(|word| {
            let slips = slips(&word.text, word.start);
            slips.into_iter().map(move |(_, slip)| (word.clone(), slip))
        });
        slipped
            .map(|(word, slip)| with(source, &word, &slip))
            .collect()
    });
    assert!(faults.is_empty(), "{}\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn what_is_left_open_is_one_finding_of_one_file() {
    let faults = in_projects(|source, _| {
        let lines: Vec<&str> = source.lines().collect();
        let begins = |number: &usize| {
            lines[*number].trim_end().ends_with(':') && !lines[*number].contains('#')
        };
        let places: Vec<usize> = (0..lines.len()).filter(begins).collect();
        let some = places.iter().step_by(7);
        some.flat_map(|number| {
            ["[", "{", "\"", "'"].map(|open| {
                let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
                lines[*number] += " ";
                lines[*number] += open;
                lines.join("\n") + "\n"
            })
        })
        .collect()
    });
    assert!(faults.is_empty(), "{}\n{}", faults.len(), faults.join("\n"));
}

/// The findings of a flow: rule and the text they stand at.
fn found(text: &str) -> Vec<(&'static str, String)> {
    let found = check("a.flow.yaml", text.as_bytes(), &support::project()).diagnostics;
    let at = |found: &Diagnostic| text[found.primary.span.start..found.primary.span.end].to_owned();
    found.iter().map(|found| (found.rule, at(found))).collect()
}

/// The findings of the small flow with one place of it written otherwise.
fn found_with(right: &str, written: &str) -> Vec<(&'static str, String)> {
    assert!(SMALL.contains(right), "{right}");
    found(&SMALL.replacen(right, written, 1))
}

#[test]
fn slips_as_they_are_made() {
    for (right, slip) in [
        (
            "    then:\n      no_input: bye",
            "    than:\n      no_input: bye",
        ),
        ("    press:", "    pres:"),
        ("    menu:", "    menuu:"),
        ("    into: order_no", "    itno: order_no"),
        ("      else: bye", "      esle: bye"),
        ("      else: bye", "      ELSE: bye"),
        ("\nstart: menu", "\nstrat: menu"),
        ("\nsteps:", "\nstepz:"),
        ("\nprompts:", "\npromts:"),
        ("\nvars:", "\nvar:"),
        ("default: 0", "defalt: 0"),
        ("    as: order", "    sa: order"),
        ("    use: orders", "    ues: orders"),
        ("    ask: number", "    aks: number"),
        ("      hash: menu", "      hsah: menu"),
        ("    tries: { type", "    tries: { tpye"),
        ("      mon-fri:", "      mon-fir:"),
        ("en: Which", "ne: Which"),
    ] {
        let found = found_with(right, slip);
        assert_eq!(found.len(), 1, "{slip}: {found:?}");
    }
    assert_eq!(found(SMALL), []);
}

#[test]
fn a_key_that_means_nothing_leaves_open_what_hangs_on_it() {
    for (right, stranger) in [
        (
            "    then:\n      no_input: bye",
            "    afterwards:\n      no_input: bye",
        ),
        ("    press:", "    buttons:"),
        ("    menu:", "    offer:"),
        ("    expect:", "    kind_of_answer:"),
        ("    into: order_no", "    remember: order_no"),
        ("    with: {", "    arguments: {"),
        ("    as: order", "    result: order"),
        ("\nprompts:", "\nsentences:"),
        ("\nvars:", "\nmemory:"),
        ("\nhours:", "\nbusiness_time:"),
        ("\nsteps:", "\nplan_of_call:"),
        ("\nstart: menu", "\nbegin_with: menu"),
        ("    hours: shop", "    clock: shop"),
        ("- choose:", "- decide:"),
    ] {
        let found = found_with(right, stranger);
        let one =
            matches!(&found[..], [("unknown-key" | "unknown-verb", at)] if stranger.contains(at));
        assert!(one, "{stranger}: {found:?}");
    }
}

#[test]
fn a_slip_hides_no_other_mistake() {
    // Beside each slip, five mistakes elsewhere.
    let wrong = SMALL
        .replacen("goto: menu", "goto: nowhere_at_all", 1)
        .replacen("${order.total | money}", "${order.sum_of_all | money}", 1)
        .replacen("09:00-18:00", "9-18", 1)
        .replacen("    timeout: 3s", "    timeout: 3", 1)
        .replacen(
            "hello: Hello.",
            "hello: Hello.\n  nobody_says_this: Nothing.",
            1,
        );
    let mistakes: BTreeSet<_> = found(&wrong).into_iter().collect();
    assert_eq!(mistakes.len(), 5, "{mistakes:?}");
    for (right, slip) in [
        ("    press:", "    pres:"),
        ("    menu:", "    offer:"),
        (
            "    then:\n      no_input: bye",
            "    afterwards:\n      no_input: bye",
        ),
        ("    into: order_no", "    remember: order_no"),
        ("\nvars:", "\nvar:"),
    ] {
        let found: BTreeSet<_> = found(&wrong.replacen(right, slip, 1)).into_iter().collect();
        assert!(found.is_superset(&mistakes), "{slip}: {found:?}");
        assert_eq!(found.len(), 6, "{slip}: {found:?}");
    }
}

/// A flow that has a little of everything.
const SMALL: &str = r#"flow: small
format: 1
languages: [en]
vars:
    tries: { type: number, default: 0 }
hours:
  shop:
    timezone: Asia/Shanghai
    weekly:
      mon-fri: 09:00-18:00
prompts:
  hello: Hello.
  number:
    en: Which number?
start: menu
steps:
  menu:
    menu: hello
    press:
      1: ask
      hash: menu
    then:
      no_input: bye
      no_match: bye
  ask:
    ask: number
    into: order_no
    expect: digits
    then:
      ok: lookup
      else: bye
  lookup:
    use: orders/lookup@1
    with: { order_no: "${order_no}" }
    as: order
    timeout: 3s
    then:
      found: open
      not_found: again
      timeout: bye
      error: bye
  again:
    - set: { tries: "${tries + 1}" }
    - choose:
        - { when: tries < 3, then: ask }
        - else: bye
  open:
    hours: shop
    then: { open: tell, closed: bye }
  tell:
    - say: "${order.total | money}"
    - say: Press a key.
    - goto: menu
  bye:
    hangup: completed
"#;

/// A flow with one of its lines changed: how, and the text. Lines of texts over several lines are no lines of the language.
fn line_slips(source: &str) -> Vec<(usize, &'static str, String)> {
    let lines: Vec<&str> = source.lines().collect();
    let mut slips = Vec::new();
    let mut texts = None;
    for (number, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let content = line.trim();
        if texts.is_some_and(|above| indent > above) {
            continue;
        }
        let folded =
            content.ends_with(['>', '|']) || content.ends_with(">-") || content.ends_with("|-");
        texts = folded.then_some(indent);
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let mut slip = |how: &'static str, line: String| {
            let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
            lines[number] = line;
            slips.push((number + 1, how, lines.join("\n") + "\n"));
        };
        slip("right", format!("  {line}"));
        if let Some(line) = line.strip_prefix("  ") {
            slip("left", line.to_owned());
        }
        let Some((key, value)) = content.split_once(':') else {
            continue;
        };
        let name = key.trim_start_matches("- ");
        if !name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        {
            continue;
        }
        let margin = &line[..indent];
        slip("no colon", format!("{margin}{key}{value}"));
        if let Some(value) = value.strip_prefix(' ') {
            slip("no blank", format!("{margin}{key}:{value}"));
        }
    }
    slips
}

#[test]
fn a_line_that_slips_is_one_finding() {
    /// One slip in so many is tried: each may be looked for by many trials.
    const EVERY: usize = 13;
    let (mut number, mut tried, mut faults) = (0, 0, Vec::new());
    for (name, source, catalog) in texts() {
        for (line, how, text) in line_slips(&source) {
            number += 1;
            if number % EVERY != 0 {
                continue;
            }
            tried += 1;
            let found = check("a.flow.yaml", text.as_bytes(), &catalog).diagnostics;
            // Of lines beside each other that do not stand in one column either may be the one that slipped.
            let right = match &found[..] {
                [] => true,
                [one] if matches!(one.rule, "yaml-indent" | "yaml-colon") => {
                    (one.primary.place.line as usize).abs_diff(line) <= 5 && one.fix.is_some()
                }
                [_] => true,
                _ => false,
            };
            if !right {
                let told = found.iter().take(4);
                let told: Vec<String> = told.map(Diagnostic::render_concise).collect();
                let written = source.lines().nth(line - 1).unwrap_or_default();
                let (written, told) = (written.trim(), told.join("; "));
                faults.push(format!("{name}:{line} {how} `{written}`: {told}"));
            }
        }
    }
    assert!(tried > 800, "{tried} slips are too few");
    let (count, faults) = (faults.len(), faults.join("\n"));
    assert!(count == 0, "{count} of {tried}\n{faults}");
}

/// The findings of the small flow with one line of it moved, or with one place of it written otherwise: rule, place and fixed.
fn one_finding(right: &str, slip: &str) -> (String, String) {
    assert!(SMALL.contains(right), "{right}");
    let text = SMALL.replacen(right, slip, 1);
    let found = check("a.flow.yaml", text.as_bytes(), &support::project()).diagnostics;
    let [one] = &found[..] else {
        let told: Vec<String> = found.iter().map(Diagnostic::render_concise).collect();
        panic!("{slip:?}: {}", told.join("\n"));
    };
    let fix = one
        .fix
        .as_ref()
        .unwrap_or_else(|| panic!("{slip:?}: {}", one.render_concise()));
    let (start, end) = (fix.span.start, fix.span.end);
    let fixed = format!("{}{}{}", &text[..start], fix.replacement, &text[end..]);
    assert_eq!(fixed, SMALL, "{slip:?}");
    (one.rule.to_owned(), one.message.english().to_owned())
}

#[test]
fn the_slip_is_told_and_its_fix_is_the_text_as_it_was() {
    for (right, slip, message) in [
        (
            "    press:\n      1: ask\n      hash: menu\n    then:",
            "    press:\n      1: ask\n      hash: menu\n      then:",
            "`then` stands two columns too far right: it belongs under `menu`",
        ),
        (
            "\n  ask:",
            "\nask:",
            "`ask` stands two columns too far left: it belongs under `steps`",
        ),
        (
            "\nsteps:",
            "\n  steps:",
            "`steps` stands two columns too far right: it belongs at the margin",
        ),
        (
            "then: { open: tell, closed: bye }",
            "then: { open: tell, closed:bye }",
            "a blank is missing after `closed:`",
        ),
        (
            "then: { open: tell, closed: bye }",
            "then { open: tell, closed: bye }",
            "a colon is missing after `then`",
        ),
        (
            "      no_input: bye\n      no_match: bye",
            "      no_input: bye\n      no_match:bye",
            "a blank is missing after `no_match:`",
        ),
        ("  menu:\n", "  menu\n", "a colon is missing after `menu`"),
        (
            "  lookup:",
            "  Lookup:",
            "`Lookup` cannot be the name of a step",
        ),
        (
            "  number:\n",
            "  Number:\n",
            "`Number` cannot be the name of a prompt",
        ),
        (
            "  bye:",
            "  bey:",
            "nothing leads to the step `bey`, and there is no step `bye`, where several places lead",
        ),
    ] {
        assert_eq!(one_finding(right, slip).1, message);
    }
}

#[test]
fn a_slip_beside_others_is_one_of_them() {
    let text = SMALL
        .replacen("\n  ask:", "\nask:", 1)
        .replacen("closed: bye }", "closed:bye }", 1)
        .replacen("    timeout: 3s", "    timeout: 3", 1);
    let found = found(&text);
    let rules: Vec<&str> = found.iter().map(|(rule, _)| *rule).collect();
    assert_eq!(
        rules,
        ["yaml-indent", "missing-unit", "yaml-colon"],
        "{found:?}"
    );
}

#[test]
fn outcomes_that_are_misspelt_where_they_are_declared_are_one_finding_of_one_file() {
    let faults = in_projects(|source, _| {
        let list = source.lines().find(|line| line.starts_with("outcomes: ["));
        let names = list.map(|list| {
            list["outcomes: [".len()..]
                .split(']')
                .next()
                .unwrap_or_default()
        });
        let names = names.into_iter().flat_map(|names| names.split(", "));
        let slipped = names.flat_map(|name| {
            let list = list.expect("a list");
            let slips = slips(name, name.len());
            let slipped = slips
                .into_iter()
                .map(|(_, slip)| list.replacen(name, &slip, 1));
            slipped
                .map(|slipped| source.replacen(list, &slipped, 1))
                .collect::<Vec<_>>()
        });
        slipped.collect()
    });
    assert!(faults.is_empty(), "{}\n{}", faults.len(), faults.join("\n"));
}
