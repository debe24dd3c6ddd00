//! Loops that nobody causes: what proves that they end, and what does not; within a flow and between flows.

mod support;

use std::collections::BTreeSet;

use strowger_flow::{Catalog, Checked, check, signature, survey};

/// A flow with number variables `n` and `m`, and steps as they stand in the file.
fn flow(steps: &str) -> String {
    format!(
        "flow: a\nformat: 1\nlanguages: [en]\nvars:\n  n: {{ type: number, default: 0 }}\n  m: {{ type: number, default: 0 }}\n  most: {{ type: number, default: 3 }}\nstart: s\nsteps:\n{steps}  bye: [{{ say: \"${{n}} ${{m}} ${{most}}\" }}, {{ hangup: completed }}]\n"
    )
}

fn checked(steps: &str) -> Checked {
    check("a.flow.yaml", flow(steps).as_bytes(), &support::project())
}

fn errors(checked: &Checked) -> Vec<&'static str> {
    let errors = checked
        .diagnostics
        .iter()
        .filter(|found| found.level == strowger_flow::Level::Error);
    errors.map(|found| found.rule).collect()
}

/// A loop of one round trip: what it sets, its condition, and what follows when it is true and when not.
fn loop_of(set: &str, condition: &str, then: &str, otherwise: &str) -> String {
    format!(
        "  s:\n    - set: {{ {set} }}\n    - say: Again.\n    - if: {condition}\n      then: {then}\n      else: {otherwise}\n"
    )
}

#[test]
fn a_counter_that_reaches_a_constant_ends_a_loop() {
    for steps in [
        loop_of("n: \"${n + 1}\"", "n < 3", "s", "bye"),
        loop_of("n: \"${1 + n}\"", "3 > n", "s", "bye"),
        loop_of("n: \"${n + 0.5}\"", "n <= 3", "s", "bye"),
        loop_of("n: \"${n + 1}\"", "n >= 3", "bye", "s"),
        loop_of("n: \"${n + 1}\"", "not (n >= 3)", "s", "bye"),
        loop_of("n: \"${n + 1}\"", "n < 3 and call.channel == \"voice\"", "s", "bye"),
        loop_of("n: \"${n + 1}\"", "n >= 3 or call.channel == \"chat\"", "bye", "s"),
        loop_of("n: \"${n - 1}\"", "n > -3", "s", "bye"),
        loop_of("n: \"${n - 1}\"", "n <= -3", "bye", "s"),
        loop_of("n: \"${n + 1}\"", "n < most", "s", "bye"),
        // The test stands first.
        "  s:\n    choose:\n      - { when: n >= 3, then: bye }\n      - else: t\n  t:\n    - set: { n: \"${n + 1}\" }\n    - goto: s\n".to_owned(),
        // Two ways back, both counted and held.
        "  s:\n    - set: { n: \"${n + 1}\" }\n    - if: n >= 3\n      then: bye\n    - if: call.channel == \"chat\"\n      then: s\n      else: t\n  t:\n    - wait: 1s\n    - goto: s\n".to_owned(),
        // A loop in a loop.
        "  s:\n    - set: { n: \"${n + 1}\", m: 0 }\n    - goto: t\n  t:\n    - set: { m: \"${m + 1}\" }\n    - say: Again.\n    - if: m < 3\n      then: t\n    - if: n < 3\n      then: s\n      else: bye\n".to_owned(),
        // What holds it is whether an action runs at all.
        "  s:\n    - queue: general\n      when: n < 3\n      then: { done: bye, else: t }\n    - goto: bye\n  t:\n    - set: { n: \"${n + 1}\" }\n    - goto: s\n".to_owned(),
        "  s:\n    - set: { n: \"${n + 1}\" }\n    - queue: general\n      when: n >= 3\n      then: { else: bye }\n    - goto: s\n".to_owned(),
    ] {
        assert_eq!(errors(&checked(&steps)), [""; 0], "{steps}");
    }
}

#[test]
fn what_does_not_prove_an_end_is_a_silent_loop() {
    for steps in [
        // The wrong way.
        loop_of("n: \"${n + 1}\"", "n > -1", "s", "bye"),
        loop_of("n: \"${n - 1}\"", "n < 3", "s", "bye"),
        loop_of("n: \"${n + 1}\"", "n >= 3", "s", "bye"),
        loop_of("n: \"${n + 1}\"", "n < 3", "bye", "s"),
        // No step at all, or one of nothing.
        loop_of("n: \"${n}\"", "n < 3", "s", "bye"),
        loop_of("n: \"${n + 0}\"", "n < 3", "s", "bye"),
        loop_of("n: \"${n * 2}\"", "n < 3", "s", "bye"),
        loop_of("n: \"${n + m}\"", "n < 3", "s", "bye"),
        loop_of("n: \"${n + -1}\"", "n < 3", "s", "bye"),
        loop_of("n: \"${n + 0.0000001}\"", "n < 3", "s", "bye"),
        // Another variable counts.
        loop_of("m: \"${m + 1}\"", "n < 3", "s", "bye"),
        // What it is held against moves along.
        loop_of("n: \"${n + 1}\", m: \"${m + 1}\"", "n < m", "s", "bye"),
        loop_of("n: \"${n + 1}\", most: \"${most + 1}\"", "n < most", "s", "bye"),
        // The condition may hold for another reason.
        loop_of("n: \"${n + 1}\"", "n < 3 or call.channel == \"voice\"", "s", "bye"),
        loop_of("n: \"${n + 1}\"", "n >= 3 and call.channel == \"chat\"", "bye", "s"),
        // Equality can be stepped over, and a difference holds for ever after.
        loop_of("n: \"${n + 2}\"", "n == 3", "bye", "s"),
        loop_of("n: \"${n + 1}\"", "n != 3", "s", "bye"),
        // `max_steps` would end it first.
        loop_of("n: \"${n + 1}\"", "n < 1000000", "s", "bye"),
        // It is set back on the way.
        "  s:\n    - set: { n: \"${n + 1}\" }\n    - set: { n: 0 }\n    - if: n < 3\n      then: s\n      else: bye\n".to_owned(),
        // It counts up and down.
        "  s:\n    - set: { n: \"${n + 1}\" }\n    - set: { n: \"${n - 1}\" }\n    - if: n < 3\n      then: s\n      else: bye\n".to_owned(),
        // It does not count on every way round.
        "  s:\n    - if: call.channel == \"voice\"\n      then: t\n    - set: { n: \"${n + 1}\" }\n    - goto: t\n  t:\n    - say: Again.\n    - if: n < 3\n      then: s\n      else: bye\n".to_owned(),
        "  s:\n    - set: { n: \"${n + 1}\" }\n      when: call.channel == \"chat\"\n    - say: Again.\n    - if: n < 3\n      then: s\n      else: bye\n".to_owned(),
        // The comparison does not stand on every way round.
        "  s:\n    - set: { n: \"${n + 1}\" }\n    - if: call.channel == \"voice\"\n      then: s\n    - if: n < 3\n      then: s\n      else: bye\n".to_owned(),
        // The comparison is skipped at times, and the way goes round all the same.
        "  s:\n    - set: { n: \"${n + 1}\" }\n    - if: n >= 3\n      when: call.channel == \"chat\"\n      then: bye\n    - goto: s\n".to_owned(),
        // A plugin gives it a value in the loop.
        "  s:\n    - set: { n: \"${n + 1}\" }\n    - use: crm/profile@1\n      with: { phone: \"${call.from}\" }\n      as: n\n      meanwhile: { music: audio/hold.wav }\n      then: { else: t }\n  t:\n    - if: n < 3\n      then: s\n      else: bye\n".to_owned(),
        // The inner loop is set back by the outer one, which nothing counts.
        "  s:\n    - set: { m: 0 }\n    - goto: t\n  t:\n    - set: { m: \"${m + 1}\" }\n    - say: Again.\n    - if: m < 3\n      then: t\n    - if: call.channel == \"voice\"\n      then: s\n      else: bye\n".to_owned(),
    ] {
        let found = checked(&steps);
        assert!(errors(&found).contains(&"silent-loop"), "{:?} {steps}", errors(&found));
    }
}

#[test]
fn a_counter_has_to_begin_with_a_number() {
    let given = "flow: a\nformat: 1\nlanguages: [en]\ninputs: { left: number }\nvars: { n: { type: number, default: 0 } }\nstart: s\nsteps:\n  s:\n    - set: { n: \"${left}\" }\n    - goto: t\n  t:\n    - set: { n: \"${n - 1}\" }\n    - say: Again.\n    - if: n > 0\n      then: t\n      else: bye\n  bye: { hangup: completed }\n";
    let found = check("a.flow.yaml", given.as_bytes(), &support::project());
    assert_eq!(errors(&found), ["silent-loop"]);
    let number = given
        .replace("\"${left}\"", "5")
        .replace("inputs: { left: number }\n", "");
    let found = check("a.flow.yaml", number.as_bytes(), &support::project());
    assert_eq!(errors(&found), [""; 0]);
}

#[test]
fn the_bounds_count_the_rounds() {
    for (steps, silence_ms, to_person_ms) in [
        // Three rounds of five seconds, and a goodbye.
        (
            "  s:\n    - wait: 5s\n    - set: { n: \"${n + 1}\" }\n    - if: n < 3\n      then: s\n      else: bye\n",
            15_000,
            15_000,
        ),
        // The test stands first: three rounds as well.
        (
            "  s:\n    choose:\n      - { when: n >= 3, then: bye }\n      - else: t\n  t:\n    - set: { n: \"${n + 1}\" }\n    - wait: 5s\n    - goto: s\n",
            15_000,
            15_000,
        ),
        // Counted down from zero to minus two, and the value is looked at after the wait.
        (
            "  s:\n    - set: { n: \"${n - 1}\" }\n    - wait: 7s\n    - if: n > -2\n      then: s\n      else: bye\n",
            14_000,
            14_000,
        ),
    ] {
        let found = checked(steps);
        let rules: BTreeSet<&str> = found.diagnostics.iter().map(|found| found.rule).collect();
        assert_eq!(rules, BTreeSet::from(["dead-air"]), "{steps}");
        let worst = found.worst.expect("no error");
        let goodbye = worst.to_person_ms - to_person_ms;
        assert_eq!(worst.silence_ms, silence_ms, "{steps}");
        // A number in figures, and two that never change.
        assert!(
            (20_000..26_000).contains(&goodbye),
            "{} {steps}",
            worst.to_person_ms
        );
    }
}

#[test]
fn the_bounds_count_fractions_as_they_add_up() {
    // The rounds are those that the expressions themselves make, in which 0.1 eight times is less than 0.8.
    let once = |set: &str, condition: &str| {
        format!(
            "  s:\n    - wait: 1s\n    - set: {{ n: \"${{{set}}}\" }}\n    - if: {condition}\n      then: s\n      else: bye\n"
        )
    };
    // The other way adds more, and takes longer.
    let twice = "  s:\n    - set: { n: \"${n + 0.1}\" }\n    - if: call.channel == \"voice\"\n      then: t\n    - set: { n: \"${n + 0.25}\" }\n    - goto: t\n  t:\n    - wait: 1s\n    - if: n < 0.8\n      then: s\n      else: bye\n".to_owned();
    let down = format!(
        "  s:\n    - set: {{ m: 1 }}\n    - goto: t\n{}",
        once("m - 0.1", "m > 0")
            .replace("  s:", "  t:")
            .replace("then: s", "then: t")
            .replace("{ n:", "{ m:")
    );
    for (steps, seconds) in [
        (once("n + 0.1", "n < 0.8"), 9),
        (once("0.1 + n", "n <= 0.8"), 9),
        (once("n + 0.1", "n < 0.5"), 5),
        (once("n + 1.1", "n < 8.8"), 9),
        (once("n - 0.1", "n > -0.8"), 9),
        (once("n + 0.5", "n < 3"), 6),
        (once("n + 0.5", "n <= 3"), 7),
        (down, 11),
        (twice, 9),
        // So many are reckoned: one more than they are, perhaps, and never fewer.
        (once("n + 0.1", "n < 150"), 1_501),
        (once("n + 0.001", "n < 4"), 4_001),
    ] {
        let text = format!(
            "{}defaults: {{ max_duration: 2h, max_steps: 100000 }}\n",
            flow(&steps)
        );
        let found = check("a.flow.yaml", text.as_bytes(), &support::project());
        assert_eq!(errors(&found), [""; 0], "{steps}");
        assert_eq!(
            found.worst.expect("no error").silence_ms,
            seconds * 1_000,
            "{steps}"
        );
    }
}

#[test]
fn the_silence_of_a_counted_loop_is_told_once() {
    let steps = "  s:\n    - wait: 3s\n    - wait: 2s\n    - set: { n: \"${n + 1}\" }\n    - if: n < 3\n      then: s\n      else: bye\n";
    let found = checked(steps);
    let rules: Vec<&str> = found.diagnostics.iter().map(|found| found.rule).collect();
    assert_eq!(rules, ["dead-air"]);
}

/// Checks flows as a project has them.
fn project(texts: &[&str]) -> (Vec<Checked>, Catalog) {
    let mut catalog = support::steps();
    let signatures = texts.iter().filter_map(|text| signature(text.as_bytes()));
    catalog.flows = Some(signatures.collect());
    let files: Vec<(&str, &[u8])> = texts
        .iter()
        .map(|text| ("x.flow.yaml", text.as_bytes()))
        .collect();
    let checked = survey(&files, &mut catalog);
    (checked, catalog)
}

fn named(name: &str, steps: &str) -> String {
    format!("flow: {name}\nformat: 1\nlanguages: [en]\nsteps:\n{steps}")
}

#[test]
fn flows_that_lead_to_each_other_are_a_silent_loop() {
    let to = |flow: &str| format!("  start:\n    - say: Hello.\n    - goto: flow:{flow}\n");
    let (a, b, c) = (
        named("a", &to("b")),
        named("b", &to("c")),
        named("c", &to("a")),
    );
    let (checked, _) = project(&[&a, &b, &c]);
    for checked in &checked {
        assert_eq!(errors(checked), ["silent-loop"]);
    }
    // A mistake in what one of them says hides nothing; one in where it leads does.
    let mistaken = b.replace("Hello.", "\"Hello ${nobody}.\"");
    let (checked, _) = project(&[&a, &mistaken, &c]);
    assert_eq!(errors(&checked[0]), ["silent-loop"]);
    assert_eq!(errors(&checked[1]), ["unknown-variable", "silent-loop"]);
    assert_eq!(errors(&checked[2]), ["silent-loop"]);
    let unread = b.replace("say: Hello.", "sya: Hello.");
    let (checked, _) = project(&[&a, &unread, &c]);
    assert_eq!(errors(&checked[0]), [""; 0]);
    // One of them listens first.
    let listens = named(
        "c",
        "  start:\n    menu: Press 1.\n    press: { 1: flow:a }\n    then: { no_input: bye, no_match: bye }\n  bye: { hangup: completed }\n",
    );
    let (checked, _) = project(&[&a, &b, &listens]);
    for checked in &checked {
        assert_eq!(errors(checked), [""; 0]);
    }
    // Somebody who does nothing goes round all the same.
    let silence = listens.replace("no_input: bye", "no_input: flow:a");
    let (checked, _) = project(&[&a, &b, &silence]);
    for checked in &checked {
        assert_eq!(errors(checked), ["silent-loop"]);
    }
    let itself = named("a", &to("a"));
    assert_eq!(errors(&project(&[&itself]).0[0]), ["silent-loop"]);
    let calls = named(
        "a",
        "  start:\n    - call: a\n    - goto: bye\n  bye: { hangup: completed }\n",
    );
    assert_eq!(errors(&project(&[&calls]).0[0]), ["silent-loop"]);
}

#[test]
fn what_a_called_flow_is_given_may_have_no_value_again_and_again() {
    let caller = |with: &str, then: &str| {
        format!(
            "flow: a\nformat: 1\nlanguages: [en]\nvars: {{ n: {{ type: number, default: 0 }} }}\nsteps:\n  start:\n    - set: {{ n: \"${{n * 2}}\" }}\n    - call: b\n      with: {{ p: \"{with}\" }}\n      then: {then}\n  bye: {{ hangup: completed }}\n"
        )
    };
    let called = "flow: b\nformat: 1\nlanguages: [en]\ninputs: { p: number }\noutcomes: [done]\nsteps:\n  start:\n    - say: \"${p}\"\n    - return: done\n";
    for then in ["{ done: bye, error: start }", "{ done: bye, else: start }"] {
        let (checked, _) = project(&[&caller("${1 / n}", then), called]);
        assert_eq!(errors(&checked[0]), ["silent-loop"], "{then}");
        let (checked, _) = project(&[&caller("${n}", then), called]);
        assert_eq!(errors(&checked[0]), [""; 0], "{then}");
    }
    // So does a flow that has no line for it break, whoever called it.
    let outer = "flow: c\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    call: a\n    then: { done: bye, error: start }\n  bye: { hangup: completed }\n";
    let inner = |with: &str| {
        let text = caller(with, "{ done: bye }");
        text.replace("languages:", "outcomes: [done]\nlanguages:")
            .replace("bye: { hangup: completed }", "bye: { return: done }")
    };
    let (checked, _) = project(&[outer, &inner("${1 / n}"), called]);
    assert_eq!(errors(&checked[0]), ["silent-loop"]);
    let (checked, _) = project(&[outer, &inner("${n}"), called]);
    assert_eq!(errors(&checked[0]), [""; 0]);
}

#[test]
fn a_called_flow_that_only_waits_is_no_way_out_of_a_loop() {
    let caller = "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    call: b\n    then: { done: start, other: bye, error: bye }\n  bye: { hangup: completed }\n";
    let waits = "flow: b\nformat: 1\nlanguages: [en]\noutcomes: [done, other]\nsteps:\n  start:\n    - wait: 3s\n    - return: done\n";
    let (checked, _) = project(&[caller, waits]);
    assert_eq!(errors(&checked[0]), ["silent-loop"]);
    // Only the outcome that somebody has to press for goes round.
    let listens = "flow: b\nformat: 1\nlanguages: [en]\noutcomes: [done, other]\nsteps:\n  start:\n    menu: Press 1.\n    press: { 1: [ { return: done } ] }\n    then: { no_input: [ { return: other } ], no_match: [ { return: done } ] }\n";
    let (checked, _) = project(&[caller, listens]);
    assert_eq!(errors(&checked[0]), [""; 0]);
    let silence = listens.replace(
        "no_input: [ { return: other } ]",
        "no_input: [ { return: done } ]",
    );
    let (checked, _) = project(&[caller, &silence]);
    assert_eq!(errors(&checked[0]), ["silent-loop"]);
}

#[test]
fn the_bounds_hold_over_calls() {
    let caller = "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    - wait: 5s\n    - call: b\n    - wait: 4s\n    - hangup: completed\n";
    let waits = "flow: b\nformat: 1\nlanguages: [en]\noutcomes: [done]\nsteps:\n  start:\n    - call: c\n    - wait: 2s\n    - return: done\n";
    let deep = "flow: c\nformat: 1\nlanguages: [en]\noutcomes: [done]\nsteps:\n  start:\n    - wait: 1s\n    - return: done\n";
    let (checked, _) = project(&[caller, waits, deep]);
    let worst = checked[0].worst.as_ref().expect("no error");
    assert_eq!((worst.silence_ms, worst.to_person_ms), (12_000, 12_000));
    assert_eq!(worst.calls, [""; 0]);
    assert!(
        checked[0]
            .diagnostics
            .iter()
            .any(|found| found.rule == "dead-air")
    );
    // Something is heard in the middle of it.
    let spoken = waits.replace(
        "    - wait: 2s\n",
        "    - say: Please hold the line.\n    - wait: 2s\n",
    );
    let (checked, _) = project(&[caller, &spoken, deep]);
    let worst = checked[0].worst.as_ref().expect("no error");
    assert_eq!(worst.silence_ms, 6_000);
    assert!(
        (12_001..16_000).contains(&worst.to_person_ms),
        "{}",
        worst.to_person_ms
    );
}

#[test]
fn audio_counts_by_its_length() {
    let says = |voice: &str| {
        let text = format!(
            "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    - say: {{ en: {voice} }}\n    - hangup: completed\n"
        );
        let mut catalog = support::project();
        catalog
            .audio_ms
            .insert("audio/en/goodbye.wav".to_owned(), 25_000);
        check("a.flow.yaml", text.as_bytes(), &catalog)
            .worst
            .expect("no error")
            .to_person_ms
    };
    assert_eq!(says("{ audio: audio/en/goodbye.wav }"), 25_000);
    assert_eq!(
        says("{ audio: audio/en/goodbye.wav, text: Goodbye. }"),
        25_000
    );
    // Its length is not known.
    assert_eq!(says("{ audio: audio/hold.wav }"), 10_000);
}

#[test]
fn a_file_that_stands_alone_knows_where_it_leads_itself() {
    for steps in [
        "  start:\n    say: Hi.\n    then: flow:lone\n",
        "  start:\n    - say: Hi.\n    - call: lone\n    - hangup: completed\n",
        "  start:\n    - wait: 2s\n    - goto: flow:lone\n",
        "  start:\n    queue: general\n    then: { done: bye, full: flow:lone, else: bye }\n  bye: { hangup: completed }\n",
    ] {
        let text = format!("flow: lone\nformat: 1\nlanguages: [en]\nsteps:\n{steps}");
        let alone = check("lone.flow.yaml", text.as_bytes(), &support::steps());
        assert_eq!(errors(&alone), ["silent-loop"], "{text}");
        assert!(alone.worst.is_none());
        // Of another flow nobody knows where it leads.
        let other = text
            .replace("flow:lone", "flow:other")
            .replace("call: lone", "call: other");
        let other = check("lone.flow.yaml", other.as_bytes(), &support::steps());
        assert_eq!(errors(&other), [""; 0], "{text}");
    }
    // Whoever has to press a key for it goes round by their own doing.
    let asked = "flow: lone\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    menu: Press 1.\n    press: { 1: flow:lone }\n    then: { else: bye }\n  bye: { hangup: completed }\n";
    let alone = check("lone.flow.yaml", asked.as_bytes(), &support::steps());
    assert_eq!(errors(&alone), [""; 0]);
}

#[test]
fn a_slip_in_what_counts_a_loop_is_one_finding() {
    let flow = "flow: a\nformat: 1\nlanguages: [en]\nvars:\n  tries: { type: number, default: 0 }\nsteps:\n  start:\n    - set: { tries: \"${tries + 1}\" }\n    - say: Still there?\n    - if: tries < 3\n      then: start\n      else: bye\n  bye: { hangup: completed }\n";
    let told = |text: &str| -> Vec<&'static str> {
        let found = check("a.flow.yaml", text.as_bytes(), &support::project());
        found.diagnostics.iter().map(|found| found.rule).collect()
    };
    assert_eq!(told(flow), [""; 0]);
    for (right, wrong) in [
        ("if: tries < 3", "if: trie < 3"),
        ("if: tries < 3", "if: tries < \"3\""),
        ("if: tries < 3", "if: tries < three"),
        ("if: tries < 3", "if: tries <"),
        ("\"${tries + 1}\"", "\"${tires + 1}\""),
        ("set: { tries:", "set: { treis:"),
        ("\"${tries + 1}\"", "\"{tries + 1}\""),
        ("\"${tries + 1}\"", "\"${tries + 1\""),
        ("\"${tries + 1}\"", "\"${tries  1}\""),
        ("\"${tries + 1}\"", "\"${tries++}\""),
        ("\"${tries + 1}\"", "tries + 1"),
        ("\nvars:", "\nvariables:"),
        ("type: number", "type: numbr"),
        ("default: 0", "default: zero"),
        ("default: 0", "defualt: 0"),
        ("  tries: { type", "  treis: { type"),
    ] {
        assert!(flow.contains(right), "{right}");
        let text = flow.replacen(right, wrong, 1);
        let told = told(&text);
        assert_eq!(told.len(), 1, "{wrong}: {told:?}");
        assert_ne!(told[0], "silent-loop", "{wrong}");
    }
    // What else is told is that a text is no number.
    let text = flow.replacen("type: number", "type: string", 1);
    assert!(!told(&text).contains(&"silent-loop"));
    // A mistake elsewhere says nothing of the loop.
    let endless = flow.replace("if: tries < 3", "if: tries > -3");
    assert_eq!(told(&endless), ["silent-loop"]);
    let elsewhere = endless.replace("say: Still there?", "say: \"Still there, ${nobody}?\"");
    let mut both = told(&elsewhere);
    both.sort_unstable();
    assert_eq!(both, ["silent-loop", "unknown-variable"]);
    // One that nothing counts is told whatever else is wrong.
    let bare = flow
        .replace("    - set: { tries: \"${tries + 1}\" }\n", "")
        .replace(
            "    - if: tries < 3\n      then: start\n      else: bye\n",
            "    - goto: start\n",
        )
        .replace("say: Still", "say: \"${nobody}\"\n    - say: Still");
    assert!(told(&bare).contains(&"silent-loop"), "{:?}", told(&bare));
}
