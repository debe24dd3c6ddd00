//! Slips whose meaning is certain: one finding, in the words of what was meant, with the change that mends it.

mod support;

use strowger_flow::editor::Sheet;
use strowger_flow::{Diagnostic, check, fix};

/// A good flow of a menu that counts, a question and a queue.
const FLOW: &str = r#"flow: t
format: 1
languages: [en]
vars: { tries: { type: number, default: 0 }, name: { type: text, default: x } }
prompts:
  hello: Hello there.
  bye: Goodbye.
hours:
  office:
    timezone: Asia/Shanghai
    weekly: { mon-fri: 09:00-17:00 }
steps:
  start:
    - hours: office
      then: { open: main, closed: bye }
  main:
    menu: hello
    press:
      1: { to: order, label: check an order }
      2: { to: person, label: talk to us }
    attempts: 3
    timeout: 5s
    then:
      no_input: again
      no_match: again
  again:
    - set: { tries: "${tries + 1}" }
    - if: tries < 3
      then: main
      else: bye
  order:
    ask: Your number?
    into: order_no
    expect: { digits: 8..12 }
    confirm: "I have ${order_no | digits}. 1 or 2."
    then: { ok: said, no_input: bye, no_match: bye }
  said:
    - say: "Thanks for ${order_no | digits}, ${name}."
    - say: "From ${call.from | phone}."
    - goto: bye
  person:
    queue: front-desk
    meanwhile: { music: audio/hold.wav }
    max_wait: 5m
    then: { done: bye, timeout: bye, full: bye, closed: bye, no_agents: bye, failed: bye }
  bye:
    - say: bye
    - hangup: completed
tests:
  one:
    run:
      - press: 1
      - silence
      - hangup
"#;

fn with(from: &str, to: &str) -> String {
    let text = FLOW.replacen(from, to, 1);
    assert_ne!(text, FLOW, "{from}");
    text
}

/// As [`with`], where what was meant may be what stands there.
fn with_or_same(from: &str, to: &str) -> String {
    FLOW.replacen(from, to, 1)
}

fn found(text: &str) -> Vec<Diagnostic> {
    check("a.flow.yaml", text.as_bytes(), &support::project()).diagnostics
}

fn told(found: &[Diagnostic]) -> Vec<String> {
    let line = |found: &Diagnostic| {
        let help = found.help.as_ref().map(|help| help.english().to_owned());
        format!(
            "{} {}: {}; {}",
            found.primary.place.line,
            found.rule,
            found.message.english(),
            help.unwrap_or_default()
        )
    };
    found.iter().map(line).collect()
}

#[test]
fn the_flow_is_good() {
    assert_eq!(told(&found(FLOW)), Vec::<String>::new());
}

#[test]
fn what_is_certain_inside_an_expression_is_mended() {
    for (from, to, meant) in [
        (
            "if: tries < 3",
            "if: tries <> 3 and tries < 3",
            "if: tries != 3 and tries < 3",
        ),
        (
            "if: tries < 3",
            "if: tries < 3 and tries = 1",
            "if: tries < 3 and tries == 1",
        ),
        (
            "if: tries < 3",
            "if: tries < 3&&tries != 9",
            "if: tries < 3 and tries != 9",
        ),
        (
            "if: tries < 3",
            "if: tries < 3 adn tries != 9",
            "if: tries < 3 and tries != 9",
        ),
        (
            "if: tries < 3",
            "if: tries < 3 and !(tries == 9)",
            "if: tries < 3 and not(tries == 9)",
        ),
        ("if: tries < 3", "if: tries ＜ 3", "if: tries < 3"),
        ("if: tries < 3", "if: tries < ３", "if: tries < 3"),
        ("if: tries < 3", "if: {{ tries < 3 }}", "if: tries < 3"),
        ("if: tries < 3", "if: '{{ tries < 3 }}'", "if: 'tries < 3'"),
        ("if: tries < 3", "if: Tries < 3", "if: tries < 3"),
        ("if: tries < 3", "if: tries < '3'", "if: tries < 3"),
        ("no | digits}, $", "no | digts}, $", "no | digits}, $"),
        (
            "${call.from | phone}",
            "${call.fro | phone}",
            "${call.from | phone}",
        ),
        ("${name}", "{{ name }}", "${name}"),
        ("${name}", "$name", "${name}"),
        ("${name}", "$(name)", "${name}"),
        ("${name}", "%name%", "${name}"),
    ] {
        let text = with(from, to);
        let findings = found(&text);
        let proposed = findings.iter().filter(|found| found.fix.is_some());
        assert_eq!(proposed.count(), 1, "{to}: {:?}", told(&findings));
        let fixed = fix("a.flow.yaml", text.as_bytes(), &support::project());
        let fixed = fixed.expect("it is text").text;
        assert_eq!(fixed, with_or_same(from, meant), "{to}");
        assert_eq!(told(&found(&fixed)), Vec::<String>::new(), "{to}");
    }
}

#[test]
fn where_the_file_has_it_otherwise_or_the_change_could_not_be_read_there_is_none() {
    for (from, to) in [
        // Escaped, so that no byte of the file is certain to be the sign's.
        ("if: tries < 3", "if: \"tries \\u003C> 3\""),
        // A quote would end the text.
        ("\"${tries + 1}\"", "\"${tries + ( “1” | length)}\""),
        // `not` cannot stand there.
        ("if: tries < 3", "if: tries < 3 and true == !false"),
        // A power is no product.
        ("if: tries < 3", "if: tries ** 2 < 3"),
    ] {
        let findings = found(&with(from, to));
        let told = told(&findings);
        let wrong = |found: &&Diagnostic| found.rule == "bad-expression";
        let wrong: Vec<&Diagnostic> = findings.iter().filter(wrong).collect();
        assert_eq!(wrong.len(), 1, "{to}: {told:?}");
        assert!(wrong[0].fix.is_none(), "{to}: {told:?}");
    }
}

#[test]
fn one_slip_is_one_finding_that_says_what_to_write() {
    for (from, to, rule, help) in [
        (
            "if: tries < 3",
            "if: {{ tries < 3 }}",
            "braces-in-expression",
            "without the braces",
        ),
        ("into: order_no", "into: orderNo", "bad-name", "`order_no`"),
        (
            "type: text, default: x",
            "type: text, default x",
            "yaml-colon",
            "`default: …`",
        ),
        (
            "closed: bye, no_agents",
            "closed bye, no_agents",
            "yaml-colon",
            "`closed: …`",
        ),
        ("type: number", "type: string", "bad-value", "`number`"),
        ("09:00-17:00", "09:00–17:00", "full-width", "hyphen"),
        ("[en]", "[eng]", "bad-value", "`en`"),
        ("${name}", "{{name}}", "braces-in-expression", "`${name}`"),
        ("${name}", "<name>", "bad-ssml", ""),
        ("${name}", "{name}", "text-slip", ""),
        (
            "no_input: again",
            "no_input: repeat",
            "silent-loop",
            "lead its `no_input`",
        ),
    ] {
        let findings = found(&with(from, to));
        let told = told(&findings);
        let [one] = findings.as_slice() else {
            panic!("{to}: {told:#?}");
        };
        assert_eq!(one.rule, rule, "{to}: {told:?}");
        assert!(told[0].contains(help), "{to}: {told:?}");
    }
}

#[test]
fn a_price_and_a_name_that_nothing_has_are_texts() {
    for said in ["That is $5, 5% off.", "$unknown and %unknown%."] {
        assert_eq!(
            told(&found(&with("From ${call.from | phone}.", said))),
            Vec::<String>::new()
        );
    }
}

#[test]
fn a_number_in_a_list_of_texts_is_told_as_what_it_is() {
    let list = "([\"1\"] if tries < 1 else [\"2\"])";
    let text = with(
        "if: tries < 3",
        &format!("if: tries < 3 and tries in {list}"),
    );
    let told = told(&found(&text));
    let mismatch = told.iter().find(|line| line.contains("type-mismatch"));
    let mismatch = mismatch.unwrap_or_else(|| panic!("{told:?}"));
    assert!(
        mismatch.contains("is a list of text, `tries` is a number"),
        "{mismatch}"
    );
    assert!(mismatch.contains("`tries ~ \"\"`"), "{mismatch}");
}

#[test]
fn a_test_sees_what_an_answer_was_put_into() {
    let expecting = |value: &str| {
        let act = format!("- hangup\n      - expect: {{ vars: {{ {value} }} }}\n");
        found(&with("- hangup\n", &act))
    };
    assert_eq!(
        told(&expecting("order_no: \"12345678\"")),
        Vec::<String>::new()
    );
    let wrong = expecting("order_na: \"12345678\"");
    assert_eq!(wrong.len(), 1);
    assert!(told(&wrong)[0].contains("`order_no`"), "{:?}", told(&wrong));
}

#[test]
fn a_flow_of_twenty_thousand_steps_is_checked_and_beyond_it_is_told_where() {
    let steps = |count: usize| {
        let mut text =
            String::from("flow: a\nformat: 1\nsteps:\n  start: { wait: 1s, then: s1 }\n");
        for index in 1..count {
            let next = (index + 1) % count;
            let next = match next {
                0 => "bye".to_owned(),
                next => format!("s{next}"),
            };
            text.push_str(&format!("  s{index}: {{ wait: 1s, then: {next} }}\n"));
        }
        text.push_str("  bye: { hangup: completed }\n");
        text
    };
    let text = steps(20_000);
    assert!(text.len() < 1024 * 1024);
    let rules: Vec<&str> = found(&text).iter().map(|found| found.rule).collect();
    assert!(!rules.contains(&"yaml-limit"), "{rules:?}");
    let most = found(&format!("list: [{}]\n", "1,".repeat(250_000)));
    let limit = most.iter().find(|found| found.rule == "yaml-limit");
    let limit = limit.expect("the file has too many values");
    assert!(limit.primary.span.start > 100_000, "{:?}", limit.primary);
}

#[test]
fn a_flow_that_is_misspelt_where_it_is_named_is_told_there() {
    let leading = |flow: &str| {
        format!(
            "flow: {flow}\nformat: 1\nlanguages: [en]\noutcomes: [done]\nsteps:\n  start:\n    call: message\n    then: {{ done: again, error: bye }}\n  again: {{ goto: flow:message }}\n  bye: {{ hangup: completed }}\n"
        )
    };
    let (first, second) = (leading("first"), leading("second"));
    let named = |name: &str| {
        format!(
            "flow: {name}\nformat: 1\nlanguages: [en]\noutcomes: [done]\nsteps:\n  start: {{ return: done }}\n"
        )
    };
    let told = |name: &str| -> Vec<String> {
        let message = named(name);
        let files = [&first, &second, &message].map(|text| ("a.flow.yaml", text.as_bytes()));
        let mut catalog = support::steps();
        let checked = strowger_flow::survey(&files, &mut catalog);
        let flows = catalog.flows.expect("the flows are known");
        assert!(flows.contains_key(name), "{:?}", flows.keys());
        for checked in &checked {
            let wrong = checked.diagnostics.iter();
            let wrong = wrong.filter(|found| found.level == strowger_flow::Level::Error);
            assert_eq!(checked.plan.is_none(), wrong.count() > 0);
        }
        checked
            .iter()
            .flat_map(|checked| told(&checked.diagnostics))
            .collect()
    };
    assert_eq!(told("message"), Vec::<String>::new());
    let slip = told("mesage");
    assert!(
        matches!(slip.as_slice(), [one] if one.starts_with("1 unknown-flow") && one.ends_with("`message`?")),
        "{slip:?}"
    );
}

/// A flow whose tests name the variable that takes an answer, and how the flow ends.
const TESTED: &str = "flow: t
format: 1
languages: [en]
steps:
  start:
    use: orders/lookup@1
    with: { order_no: \"12345678\" }
    as: order
    then: { found: bye, not_found: bye, error: bye, timeout: bye }
  bye: { hangup: looked_up }
tests:
  one:
    mock:
      orders/lookup: { outcome: found, order: { status: shipped, status_text: on its way } }
    run: [ expect: { ends: looked_up } ]
  two:
    mock:
      orders/lookup: { outcome: found, order: { status: shipped, status_text: on its way } }
    run: [ expect: { ends: looked_up } ]
";

#[test]
fn what_several_tests_agree_on_is_misspelt_where_it_is_defined() {
    let catalog = support::project();
    let found = |text: &str| check("t.flow.yaml", text.as_bytes(), &catalog).diagnostics;
    assert_eq!(told(&found(TESTED)), Vec::<String>::new());
    for (right, wrong, line) in [
        ("as: order\n", "as: ordter\n", 8),
        ("hangup: looked_up", "hangup: loked_up", 10),
    ] {
        let text = TESTED.replacen(right, wrong, 1);
        let slip = found(&text);
        assert!(
            matches!(slip.as_slice(), [one] if one.primary.place.line == line),
            "{wrong}: {:?}",
            told(&slip)
        );
        let fixed = fix("t.flow.yaml", text.as_bytes(), &catalog).expect("the text is UTF-8");
        assert_eq!(fixed.text, TESTED, "{wrong}");
    }
    // One test alone is the slip.
    for (right, wrong) in [
        ("ends: looked_up", "ends: loked_up"),
        (" order: {", " ordter: {"),
    ] {
        let text = TESTED.replacen(right, wrong, 1);
        let fixed = fix("t.flow.yaml", text.as_bytes(), &catalog).expect("the text is UTF-8");
        assert_eq!(fixed.text, TESTED, "{wrong}");
    }
}

#[test]
fn a_line_that_begins_like_a_key_is_never_more_of_the_value_above() {
    let text = FLOW.replacen(
        "    max_wait: 5m\n",
        "  skills:8[\"vip\"]\n    max_wait: 5m\n",
        1,
    );
    let catalog = support::project();
    let fixed = fix("t.flow.yaml", text.as_bytes(), &catalog).expect("the text is UTF-8");
    let left = check("t.flow.yaml", fixed.text.as_bytes(), &catalog);
    assert!(left.plan.is_none(), "{}", fixed.text);
}

/// What an editor offers behind a mark in a text.
fn offered(text: &str, mark: &str) -> Vec<String> {
    let at = text.find(mark).expect("the mark is there") + mark.len();
    let catalog = support::project();
    let sheet = Sheet::read(text, &catalog, Some(at), None);
    let offers = sheet.complete(at, &catalog);
    offers.into_iter().map(|offer| offer.label).collect()
}

#[test]
fn an_editor_offers_what_may_stand_there_and_nothing_else() {
    let offers = offered(FLOW, "if: ");
    assert!(offers.contains(&"tries".to_owned()), "{offers:?}");
    for bound in ["choices", "value"] {
        assert!(!offers.contains(&bound.to_owned()), "{offers:?}");
    }
    let offers = offered(&with("expect: { digits: 8..12 }", "expect: "), "expect: ");
    for kind in ["one_of", "digits", "yes_no"] {
        assert!(offers.contains(&kind.to_owned()), "{offers:?}");
    }
    let text = with("    run:", "    mock: {  }\n    run:");
    let offers = offered(&text, "mock: { ");
    for mock in ["queue.front-desk", "transfer.supplier-a", "orders/lookup"] {
        assert!(offers.contains(&mock.to_owned()), "{offers:?}");
    }
}

#[test]
fn an_editor_puts_last_what_has_no_value_yet() {
    let text = with(
        "    - hours: office",
        "    - tag: x\n      when: \n    - hours: office",
    );
    let catalog = support::project();
    let at = text.find("when: ").expect("the mark is there") + "when: ".len();
    let offers = Sheet::read(&text, &catalog, Some(at), None).complete(at, &catalog);
    let place = |name: &str| {
        let mut offers = offers.iter();
        offers.position(|offer| offer.label == name).expect(name)
    };
    let detail = |name: &str| offers[place(name)].detail.as_str();
    assert!(place("tries") < place("and") && place("and") < place("order_no"));
    assert_eq!(place("order_no"), offers.len() - 1);
    assert!(detail("order_no").ends_with("may have no value here yet"));
    assert!(!detail("tries").contains("no value"));
    // Behind the question it has one.
    let text = with(
        "    - say: \"From",
        "    - tag: x\n      when: \n    - say: \"From",
    );
    let offers = offered(&text, "when: ");
    let place = |name: &str| offers.iter().position(|offer| offer == name);
    assert!(place("order_no") < place("and"), "{offers:?}");
}

#[test]
fn a_word_of_another_language_for_a_type_is_told_with_ours() {
    for (word, ours) in [
        ("string", "text"),
        ("String", "text"),
        ("varchar", "text"),
        ("int", "number"),
        ("integer", "number"),
        ("float", "number"),
        ("boolean", "bool"),
        ("array", "list"),
        ("json", "object"),
        ("timestamp", "datetime"),
    ] {
        for declared in [
            format!("extra: {word}"),
            format!("extra: {{ type: {word} }}"),
        ] {
            let text = with("vars: { ", &format!("vars: {{ {declared}, "));
            let text = text.replace("name}.", "name}, ${extra}, ${extra}.");
            let found =
                told(&check("a.flow.yaml", text.as_bytes(), &support::project()).diagnostics);
            assert!(
                matches!(found.as_slice(), [one] if one.contains("bad-value") && one.ends_with(&format!("`{ours}`?"))),
                "{declared}: {found:?}"
            );
        }
    }
}

#[test]
fn that_nothing_gives_a_variable_a_value_is_told_once() {
    let text = with("vars: { ", "vars: { extra: text, ");
    let text = text
        .replace("name}.", "name}, ${extra}.")
        .replace("phone}.", "phone}. ${extra}");
    let found = told(&check("a.flow.yaml", text.as_bytes(), &support::project()).diagnostics);
    assert!(
        matches!(found.as_slice(), [one] if one.contains("unassigned-variable")),
        "{found:?}"
    );
}

#[test]
fn a_slip_in_what_counts_a_loop_is_one_finding_wherever_it_is_counted() {
    let looped = |condition: &str| {
        let steps = [
            format!(
                "    - goto: bye\n      when: {}\n    - set: {{ tries: \"${{tries + 1}}\" }}\n    - goto: main\n",
                condition.replace('<', ">=")
            ),
            format!(
                "    - set: {{ tries: \"${{tries + 1}}\" }}\n    - queue: front-desk\n      meanwhile: {{ music: audio/hold.wav }}\n      when: {condition}\n      then: {{ done: bye, else: main }}\n    - goto: bye\n"
            ),
            format!(
                "    - set: {{ tries: \"${{tries + 1}}\" }}\n    - if: {condition}\n      then: main\n      else: bye\n"
            ),
        ];
        steps.map(|steps| {
            format!("flow: a\nformat: 1\nlanguages: [en]\nvars: {{ tries: {{ type: number, default: 0 }} }}\nsteps:\n  start: {{ goto: main }}\n  main:\n{steps}  bye: {{ hangup: completed }}\n")
        })
    };
    for condition in [
        "Tries < 3",
        "trys < 3",
        "tries < \"3\"",
        "tries = 3",
        "call.tries < 3",
    ] {
        for text in looped(condition) {
            let found =
                told(&check("a.flow.yaml", text.as_bytes(), &support::project()).diagnostics);
            assert_eq!(found.len(), 1, "{text}\n{found:?}");
        }
    }
    for text in looped("tries < 3") {
        let found = told(&check("a.flow.yaml", text.as_bytes(), &support::project()).diagnostics);
        assert_eq!(found, [""; 0], "{text}");
    }
}

#[test]
fn a_place_holder_that_was_left_is_one_finding() {
    for (right, left) in [
        ("queue: front-desk", "queue: <name>"),
        (
            "- say: \"Thanks for ${order_no | digits}, ${name}.\"",
            "- say: <text>",
        ),
        ("hours: office", "hours: <hours>"),
        ("then: main", "then: <step>"),
        ("hangup: completed", "hangup: <reason>"),
        ("attempts: 3", "attempts: <number>"),
        ("max_wait: 5m", "max_wait: \"<duration>\""),
        ("expect: { digits: 8..12 }", "expect: <what is expected>"),
        ("flow: t", "flow: <name>"),
        ("- press: 1", "- press: <key>"),
    ] {
        let text = with(right, left);
        let found = check("a.flow.yaml", text.as_bytes(), &support::project()).diagnostics;
        let own: Vec<_> = found
            .iter()
            .filter(|found| found.rule == "placeholder")
            .collect();
        assert_eq!(own.len(), 1, "{left}: {:?}", told(&found));
        let beside = found
            .iter()
            .filter(|found| !matches!(found.rule, "placeholder" | "unused" | "unreachable"));
        assert_eq!(beside.count(), 0, "{left}: {:?}", told(&found));
        let help = own[0].help.as_ref().expect("help").english();
        assert!(help.contains("without `<` and `>`"), "{help}");
    }
    for fine in [
        "- say: \"Press <break time='1s'/> 1.\"",
        "- tag: { x: \"a < b > c\" }",
    ] {
        let text = with("- goto: bye", &format!("{fine}\n    - goto: bye"));
        assert_eq!(
            told(&check("a.flow.yaml", text.as_bytes(), &support::project()).diagnostics),
            [""; 0],
            "{fine}"
        );
    }
}

#[test]
fn what_is_written_as_in_other_products_is_told_in_the_words_of_this_language() {
    for (right, elsewhere, meant) in [
        ("- say: bye", "- play: bye", "say"),
        ("- say: bye", "- speak: bye", "say"),
        ("ask: Your number?", "gather: Your number?", "ask"),
        ("- goto: bye", "- jump: bye", "goto"),
        ("hangup: completed", "end: completed", "hangup"),
        ("into: order_no", "save: order_no", "into"),
        ("into: order_no", "into: \"${order_no}\"", "order_no"),
        ("attempts: 3", "retries: 3", "attempts"),
        ("1: { to: order", "1: { goto: order", "to"),
        ("1: { to: order", "1: { next: order", "to"),
        ("label: check an order", "text: check an order", "label"),
        ("flow: t", "name: t", "flow"),
        ("format: 1", "version: 1", "format"),
        ("steps:", "states:", "steps"),
        (
            "type: number, default: 0",
            "type: number, value: 0",
            "default",
        ),
        ("timeout: 5s", "timeout: 5 seconds", "5s"),
        ("max_wait: 5m", "max_wait: 5 min", "5m"),
        ("mon-fri: 09:00-17:00", "mon-fri: 9am-5pm", "09:00-17:00"),
        ("mon-fri: 09:00-17:00", "mon-fri: 9-17", "09:00-17:00"),
        (
            "mon-fri: 09:00-17:00",
            "Monday-Friday: 09:00-17:00",
            "mon-fri",
        ),
        ("{ digits: 8..12 }", "{ digits: 8-12 }", "8..12"),
    ] {
        let text = with(right, elsewhere);
        let told = told(&found(&text));
        assert!(
            matches!(told.as_slice(), [one] if one.ends_with(&format!("did you mean `{meant}`?"))),
            "{elsewhere}: {told:#?}"
        );
    }
    let branches = with(
        "      then: main\n      else: bye",
        "      true: main\n      false: bye",
    );
    let told = told(&found(&branches));
    assert!(
        matches!(told.as_slice(), [one] if one.contains("write `then:`")),
        "{told:#?}"
    );
}

#[test]
fn values_of_a_switch_are_the_flow_s_own() {
    for (value, ways) in [
        ("100 > 2", "true: f, false: f"),
        ("\"${word}\"", "otherwise: f, next: f, else: f"),
        ("\"${word}\"", "false: f, end: f, else: f"),
        ("name", "anna: f, elsa: f"),
        ("name", "elsa: f, anna: f"),
    ] {
        let text = format!(
            "flow: t\nformat: 1\nlanguages: [en]\nvars: {{ word: {{ type: text, default: a }}, name: {{ one_of: [anna, elsa], default: anna }} }}\nsteps:\n  start:\n    set: {{ word: b }}\n  \
             ways:\n    switch: {value}\n    then: {{ {ways} }}\n  f: {{ hangup: found }}\n"
        );
        let told = told(&found(&text));
        assert!(
            !told.iter().any(|told| told.contains("outcome")),
            "{ways}: {told:#?}"
        );
    }
    // What is none of them is a slip.
    let text = "flow: t\nformat: 1\nlanguages: [en]\nvars: { name: { one_of: [anna, elsa, karl], default: anna } }\nsteps:\n  start:\n    \
                switch: name\n    then: { elsa: f, esle: f }\n  f: { hangup: found }\n";
    let told = told(&found(text));
    assert!(
        matches!(told.as_slice(), [one] if one.ends_with("did you mean `else`?")),
        "{told:#?}"
    );
}
