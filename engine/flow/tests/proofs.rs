//! What check says of a flow holds: no input is missing, no loop is silent, no value is undefined.

mod support;
#[path = "support/told.rs"]
mod told;
#[path = "support/whole.rs"]
mod whole;

use std::collections::BTreeSet;

use strowger_flow::check;
use whole::{checked, findings, first_of, flow, rules};

mod inputs {
    use super::*;

    const NEEDS: &str = "flow: needs\nformat: 1\ninputs: { who: text, much: { type: number, default: 1 } }\nsteps:\n  start:\n    - say: \"Hello ${who}, ${much}.\"\n    - hangup: completed\n";

    /// What is told of a flow beside `needs`.
    fn beside(text: &str) -> Vec<String> {
        let mut catalog = support::project();
        let flows = catalog.flows.as_mut().expect("a project");
        flows.extend(strowger_flow::signature(NEEDS.as_bytes()));
        let found = check("a.flow.yaml", text.as_bytes(), &catalog).diagnostics;
        // Some of these flows have steps that nothing leads to.
        found
            .iter()
            .filter(|found| found.rule != "unreachable")
            .map(|found| format!("{}: {}", found.rule, found.message.english()))
            .collect()
    }

    #[test]
    fn every_way_into_a_flow_for_good_is_one_without_its_inputs() {
        let menu = |press: &str, then: &str| {
            format!(
                "  start:\n    menu: Press 1.\n    press: {{ 1: {press} }}\n    then: {{ {then} }}\n"
            )
        };
        for (head, steps) in [
            ("", "  start:\n    - goto: flow:needs\n".to_owned()),
            ("", "  start:\n    say: Hello.\n    then: flow:needs\n".to_owned()),
            ("", menu("flow:needs", "no_input: bye, no_match: bye")),
            ("", menu("{ to: flow:needs }", "no_input: bye, no_match: bye")),
            ("", menu("bye", "no_input: flow:needs, no_match: bye")),
            ("", menu("bye", "no_input: bye, no_match: flow:needs")),
            ("", menu("bye", "else: flow:needs")),
            ("", menu("bye", "no_input: [{ say: Goodbye. }, { goto: flow:needs }], no_match: bye")),
            ("", "  start:\n    if: call.priority > 50\n    then: flow:needs\n    else: bye\n".to_owned()),
            ("", "  start:\n    if: call.priority > 50\n    then: bye\n    else: flow:needs\n".to_owned()),
            ("", "  start:\n    choose:\n      - { when: call.priority > 50, then: flow:needs }\n      - else: bye\n".to_owned()),
            ("", "  start:\n    switch: call.channel\n    then: { voice: flow:needs, chat: bye }\n".to_owned()),
            ("", "  start:\n    queue: general\n    meanwhile: { music: audio/hold.wav }\n    then: { done: bye, full: flow:needs, else: bye }\n".to_owned()),
            ("", "  start:\n    use: crm/caller@2\n    with: { phone: \"${call.from}\" }\n    then: { error: flow:needs, else: bye }\n".to_owned()),
            ("global: { press: { 9: flow:needs } }\n", menu("bye", "else: bye")),
            ("global: { error: flow:needs }\n", menu("bye", "else: bye")),
            ("global: { hangup: flow:needs }\n", menu("bye", "else: bye")),
            ("global: { too_long: flow:needs }\n", menu("bye", "else: bye")),
        ] {
            let text = flow(head, &steps);
            let told = "missing-input: the flow `needs` needs `who`, and `flow:needs` gives it nothing";
            assert_eq!(beside(&text), [told], "{text}");
            // With a default nothing is missing.
            let other = text.replace("flow:needs", "flow:order-status");
            assert_eq!(beside(&other), [""; 0], "{other}");
        }
    }

    #[test]
    fn a_file_that_stands_alone_knows_what_it_needs_itself() {
        let again = NEEDS.replace("- hangup: completed", "- menu: Again?\n      press: { 1: flow:needs }\n      then: { else: bye }\n  bye: { hangup: completed }");
        let found = check("a.flow.yaml", again.as_bytes(), &support::steps());
        assert_eq!(rules(&found), ["missing-input"]);
    }

    #[test]
    fn a_test_gives_what_its_flow_needs() {
        let test = |given: &str| {
            let text = format!(
                "{NEEDS}tests:\n  one:\n{given}    run: [{{ expect: {{ ends: completed }} }}]\n"
            );
            beside(&text.replace("flow: needs", "flow: a"))
        };
        let told = "missing-input: this test begins a flow that needs `who`";
        assert_eq!(test(""), [told]);
        assert_eq!(test("    given: { inputs: { much: 2 } }\n"), [told]);
        assert_eq!(test("    given: { inputs: { who: Anna } }\n"), [""; 0]);
        // A slip is told once.
        assert_eq!(test("    given: { inputs: { whom: Anna } }\n").len(), 1);
    }
}

mod loops {
    use super::*;

    #[test]
    fn what_comes_at_once_is_no_wait() {
        for steps in [
            "  start:\n    queue: front-desk\n    max_wait: 1s\n    then: { done: bye, else: start }\n",
            "  start:\n    queue: front-desk\n    then: { done: bye, no_agents: start, else: bye }\n",
            "  start:\n    queue: front-desk\n    then: { done: bye, full: start, else: bye }\n",
            "  start:\n    queue: front-desk\n    then: { done: bye, closed: repeat, else: bye }\n",
            "  start:\n    queue: front-desk\n    then: { done: bye, failed: start, else: bye }\n",
            // No wait at all.
            "  start:\n    queue: front-desk\n    max_wait: 0s\n    then: { done: bye, timeout: start, else: bye }\n",
            "  start:\n    queue: front-desk\n    max_wait: 999ms\n    then: { done: bye, timeout: start, else: bye }\n",
            "  start:\n    transfer: supplier-a\n    then: { done: bye, busy: start, else: bye }\n",
            "  start:\n    transfer: supplier-a\n    then: { done: bye, busy: repeat, else: bye }\n",
            "  start:\n    transfer: supplier-a\n    then: { done: bye, declined: start, else: bye }\n",
            // 480 comes at once.
            "  start:\n    transfer: supplier-a\n    then: { done: bye, no_answer: start, else: bye }\n",
            // Two queues that lead to each other.
            "  start:\n    queue: front-desk\n    then: { done: bye, full: other, else: bye }\n  other:\n    queue: general\n    then: { done: bye, no_agents: start, else: bye }\n",
        ] {
            let found = checked(&flow("", steps));
            assert!(
                rules(&found).contains(&"silent-loop"),
                "{:?} {steps}",
                rules(&found)
            );
            assert!(found.worst.is_none());
        }
    }

    #[test]
    fn the_longest_wait_for_people_is_one() {
        for steps in [
            "  start:\n    queue: front-desk\n    meanwhile: { music: audio/hold.wav }\n    then: { done: bye, timeout: start, else: bye }\n",
            "  start:\n    queue: front-desk\n    max_wait: 1s\n    meanwhile: { music: audio/hold.wav }\n    then: { done: bye, timeout: repeat, else: bye }\n",
            // After the wait another queue is tried once.
            "  start:\n    queue: front-desk\n    meanwhile: { music: audio/hold.wav }\n    then: { done: bye, timeout: other, else: bye }\n  other:\n    queue: general\n    meanwhile: { music: audio/hold.wav }\n    then: { done: bye, full: start, else: bye }\n",
        ] {
            let found = checked(&flow("", steps));
            let told: BTreeSet<&str> = rules(&found).into_iter().collect();
            assert_eq!(told, BTreeSet::from(["waits-for-ever"]), "{steps}");
        }
    }

    #[test]
    fn a_counted_way_back_to_a_queue_ends() {
        let steps = "  start:\n    - set: { n: \"${n + 1}\" }\n    - queue: front-desk\n      meanwhile: { music: audio/hold.wav }\n      then: { done: bye, else: again }\n  again:\n    if: n < 3\n    then: start\n    else: bye\n";
        let text = flow("vars: { n: { type: number, default: 0 } }\n", steps);
        assert_eq!(findings(&text), [""; 0]);
    }
}

mod results {
    use super::*;

    const HEAD: &str = "flow: b\nformat: 1\nlanguages: [en]\noutcomes: [ok, no]\n";

    /// What is told of a flow that calls another with these steps, and says this of an outcome.
    fn told(steps: &str, said: &str) -> Vec<String> {
        let called = format!("{HEAD}steps:\n{steps}");
        let caller = flow(
            "",
            &format!(
                "  start:\n    call: b\n    as: r\n    then: {{ ok: said, no: bye, error: bye }}\n  said:\n    - say: \"{said}\"\n    - goto: bye\n"
            ),
        );
        let found = first_of(&[&caller, &called]).diagnostics;
        let told = found.iter();
        told.map(|found| format!("{}: {}", found.rule, found.message.english()))
            .collect()
    }

    #[test]
    fn what_every_return_of_an_outcome_gives_is_there() {
        let one = "  start: { return: ok, with: { num: \"12\", n: \"${2 + 3}\" } }\n";
        assert_eq!(told(one, "${r.num | digits} ${r.n | number}"), [""; 0]);
        let asked = |other: &str| {
            format!(
                "  start:\n    ask: How many?\n    expect: digits\n    into: d\n    then: {{ ok: got, no_input: other, no_match: other }}\n  got: {{ return: ok, with: {{ num: \"${{d}}\" }} }}\n  other: {other}\n"
            )
        };
        // By another way with another value, by another outcome with none, or by none at all.
        for other in [
            "{ return: ok, with: { num: none } }",
            "{ return: no }",
            "{ hangup: completed }",
        ] {
            assert_eq!(told(&asked(other), "${r.num | digits}"), [""; 0], "{other}");
        }
        let may_be_none = ["type-mismatch: `r.num` may be none: it cannot stand in `| digits`"];
        for other in [
            "{ return: ok }",
            "{ return: ok, with: { nun: 5 } }",
            "{ return: ok, with: { num: \"${none}\" } }",
        ] {
            assert_eq!(
                told(&asked(other), "${r.num | digits}"),
                may_be_none,
                "{other}"
            );
            assert_eq!(
                told(&asked(other), "${r.num | default(\\\"7\\\") | digits}"),
                [""; 0]
            );
        }
    }

    #[test]
    fn results_have_the_types_they_are_given_with() {
        let one = "  start: { return: ok, with: { num: \"12\", o: { a: \"${1}\" } } }\n";
        assert_eq!(told(one, "${r.num + 1}").len(), 1);
        assert_eq!(told(one, "${r.o.a + 1}"), [""; 0]);
        assert_eq!(told(one, "${r.o.b}").len(), 1);
    }

    #[test]
    fn what_a_called_flow_gets_of_another_is_known_too() {
        let caller = flow(
            "",
            "  start:\n    call: b\n    as: r\n    then: { ok: said, error: bye }\n  said:\n    - say: \"${r.x}\"\n    - goto: bye\n",
        );
        let through = "flow: b\nformat: 1\nlanguages: [en]\noutcomes: [ok]\nsteps:\n  start:\n    call: c\n    as: s\n    then: { ok: back, error: back2 }\n  back: { return: ok, with: { x: \"${s.y}\" } }\n  back2: { return: ok, with: { x: nothing } }\n";
        let gives = |with: &str| {
            format!(
                "flow: c\nformat: 1\nlanguages: [en]\noutcomes: [ok]\nsteps:\n  start: {{ return: ok, with: {{ {with} }} }}\n"
            )
        };
        let rules_of = |with: &str| rules(&first_of(&[&caller, through, &gives(with)]));
        assert_eq!(rules_of("y: here"), [""; 0]);
        assert_eq!(rules_of("z: here"), ["type-mismatch"]);
        // Of a flow with an error nobody knows what it was to give.
        assert_eq!(rules_of("z: here }, then: { bye"), [""; 0]);
    }

    #[test]
    fn flows_that_call_themselves_come_to_an_end() {
        let caller = flow(
            "",
            "  start:\n    call: b\n    as: r\n    then: { ok: said, no: bye, error: bye }\n  said:\n    - say: \"${r.depth}\"\n    - goto: bye\n",
        );
        let called = format!(
            "{HEAD}steps:\n  start:\n    - menu: Deeper?\n      press: {{ 1: down }}\n      then: {{ no_input: flat, no_match: flat }}\n  down:\n    call: b\n    as: s\n    then: {{ ok: up, no: flat, error: flat }}\n  up: {{ return: ok, with: {{ depth: \"${{s.depth}}\", all: \"${{s}}\", both: [\"${{s}}\", \"${{s}}\"] }} }}\n  flat: {{ return: ok, with: {{ depth: 0, all: none, both: [] }} }}\n"
        );
        let found = first_of(&[&caller, &called]);
        assert_eq!(rules(&found), [""; 0]);
    }

    #[test]
    fn of_a_flow_that_cannot_be_known_nothing_is_told() {
        let alone = flow(
            "",
            "  start:\n    call: b\n    as: r\n    then: { ok: said, error: bye }\n  said:\n    - say: \"${r.num | digits} ${r.foo}\"\n    - goto: bye\n",
        );
        let found = check("a.flow.yaml", alone.as_bytes(), &support::steps());
        assert_eq!(rules(&found), [""; 0]);
    }
}

mod values {
    use super::*;

    fn rules_of(head: &str, steps: &str) -> Vec<&'static str> {
        rules(&checked(&flow(head, steps)))
    }

    #[test]
    fn the_last_four_of_a_short_secret_are_not_said() {
        let ask = |expect: &str, say: &str| {
            format!(
                "  start:\n    ask: Your code?\n    expect: {expect}\n    sensitive: true\n    into: code\n    then: {{ ok: said, no_input: bye, no_match: bye }}\n  said:\n    - say: \"{say}\"\n    - goto: bye\n"
            )
        };
        let said = "${code | last4}";
        for expect in [
            "{ digits: 3 }",
            "{ digits: 4 }",
            "{ digits: 4..16 }",
            "digits",
        ] {
            assert_eq!(
                rules_of("", &ask(expect, said)),
                ["type-mismatch"],
                "{expect}"
            );
        }
        for expect in ["{ digits: 8 }", "{ digits: 8..16 }", "card"] {
            assert_eq!(rules_of("", &ask(expect, said)), [""; 0], "{expect}");
        }
        // In the step's own words, too.
        let confirmed = ask("{ digits: 4 }", "Thank you.").replace(
            "    into: code\n",
            "    into: code\n    confirm: \"${value | last4}?\"\n",
        );
        assert_eq!(rules_of("", &confirmed), ["type-mismatch"]);
        let message = findings(&flow("", &ask("{ digits: 3 }", said)));
        assert_eq!(
            message,
            [
                "type-mismatch 12: `code` has 3 digits at most, and `last4` shows nothing of a secret of fewer than 8"
            ]
        );
    }

    #[test]
    fn an_object_that_stands_in_the_flow_has_the_types_it_is_written_with() {
        let vars = "vars: { o: { type: object, default: { a: 1, b: { c: x } } }, l: { type: list, default: [1, 2] } }\n";
        let compared = |condition: &str| {
            format!(
                "  start:\n    if: {condition}\n    then: bye\n    else: other\n  other: {{ hangup: \"${{o.a}} ${{l | join}}\" }}\n"
            )
        };
        let compared = |condition: &str| {
            compared(condition).replace(
                "{ hangup: \"${o.a} ${l | join}\" }",
                "[{ say: \"${o.a} ${l | join}\" }, { goto: bye }]",
            )
        };
        for condition in [
            "o.a == 1",
            "o.a is not none and o.a == 1",
            "o.a + 1 > 0",
            "o.b.c == 1",
            "l[0] is not none and l[0] == 1",
        ] {
            let found = rules_of(vars, &compared(condition));
            assert!(!found.is_empty(), "{condition}");
        }
        for condition in [
            "o.a == \"1\"",
            "o.b.c == \"x\"",
            "o.z is none",
            "l[0] is not none and l[0] == \"1\"",
        ] {
            assert_eq!(rules_of(vars, &compared(condition)), [""; 0], "{condition}");
        }
        // Where it may be given another value, that may be anything again.
        let set = "  start:\n    - set: { o: { a: \"${call.priority}\" } }\n      when: call.priority > 50\n    - if: o.a is not none and o.a == 1\n      then: bye\n      else: bye\n";
        assert_eq!(
            rules_of(
                &vars.replace(", l: { type: list, default: [1, 2] }", ""),
                set
            ),
            [""; 0]
        );
    }

    #[test]
    fn a_variable_of_some_words_keeps_to_them() {
        let head = "vars: { x: { type: text, default: en }, w: { one_of: [red, blue], default: red }, v: { one_of: [red, green], default: red } }\n";
        let set = |set: &str| {
            format!(
                "  start:\n    - set: {{ {set} }}\n    - say: \"${{x}} ${{w}} ${{v}}\"\n    - goto: bye\n"
            )
        };
        for wrong in [
            "call.language: \"${x}\"",
            "w: \"${x}\"",
            "w: \"${v}\"",
            "w: \"${call.from}\"",
        ] {
            assert_eq!(rules_of(head, &set(wrong)), ["type-mismatch"], "{wrong}");
        }
        for wrong in ["call.language: \"z${x}\"", "w: \"r${x}\""] {
            assert_eq!(rules_of(head, &set(wrong)), ["bad-value"], "{wrong}");
        }
        for right in [
            "call.language: en",
            "call.language: \"${\\\"en\\\"}\"",
            "call.language: \"${call.language}\"",
            "w: red",
            "w: \"${w}\"",
            "x: \"${w}\"",
        ] {
            assert_eq!(rules_of(head, &set(right)), [""; 0], "{right}");
        }
    }

    #[test]
    fn attributes_of_markup_have_values_that_mean_something() {
        let said = |markup: &str| {
            let text = format!("  start:\n    - say: \"Hello {markup} there.\"\n    - goto: bye\n");
            findings(&flow("", &text))
        };
        for (markup, told) in [
            (
                "<break time='9999s'/>",
                "a pause of `9999s` is too long for a text: 10 seconds at most",
            ),
            (
                "<break time='soon'/>",
                "`soon` is no value of `time` in `<break>`",
            ),
            ("<break time=1s/>", "`time=1s` is no attribute of `<break>`"),
            ("<break tmie='1s'/>", "`<break>` has no attribute `tmie`"),
            (
                "<break strength='huge'/>",
                "`huge` is no value of `strength` in `<break>`",
            ),
            (
                "<prosody rate='bogus'>x</prosody>",
                "`bogus` is no value of `rate` in `<prosody>`",
            ),
            (
                "<prosody pitch='up'>x</prosody>",
                "`up` is no value of `pitch` in `<prosody>`",
            ),
            (
                "<prosody volume='10'>x</prosody>",
                "`10` is no value of `volume` in `<prosody>`",
            ),
            (
                "<emphasis level='much'>x</emphasis>",
                "`much` is no value of `level` in `<emphasis>`",
            ),
            (
                "<say-as>5</say-as>",
                "`<say-as>` means nothing without `interpret-as`",
            ),
            (
                "<say-as interpret-as=''>5</say-as>",
                "`` is no value of `interpret-as` in `<say-as>`",
            ),
            ("<sub>x</sub>", "`<sub>` means nothing without `alias`"),
            (
                "<phoneme>x</phoneme>",
                "`<phoneme>` means nothing without `ph`",
            ),
            (
                "<lang>x</lang>",
                "`<lang>` means nothing without `xml:lang`",
            ),
            (
                "<lang xml:lang='english!'>x</lang>",
                "`english!` is no value of `xml:lang` in `<lang>`",
            ),
        ] {
            assert_eq!(said(markup), [format!("bad-ssml 6: {told}")], "{markup}");
        }
        for markup in [
            "<break/>",
            "<break time='500ms'/>",
            "<break time=\\\"1.5s\\\" strength=\\\"weak\\\"/>",
            "<break time='${call.priority}ms'/>",
            "<prosody rate='80%' pitch='+2st' volume='+6dB'>x</prosody>",
            "<emphasis>x</emphasis>",
            "<say-as interpret-as='date' format='ymd'>x</say-as>",
            "<sub alias='World Wide Web'>WWW</sub>",
            "<phoneme alphabet='ipa' ph='təˈmeɪtoʊ'>x</phoneme>",
            "<lang xml:lang='zh-CN'>x</lang>",
            "<p xml:lang='en'>x</p>",
        ] {
            assert_eq!(said(markup), [""; 0], "{markup}");
        }
    }
}

/// Actions of the engine that fail: what they divide by may be nought.
mod failing {
    use super::{checked, rules};

    fn flow(global: &str, steps: &str) -> String {
        format!(
            "flow: a\nformat: 1\nlanguages: [en]\nvars: {{ n: {{ type: number, default: 0 }}, x: text }}\nglobal: {{ {global} }}\nsteps:\n{steps}"
        )
    }

    #[test]
    fn what_follows_global_error_may_come_before_any_assignment() {
        for fails in [
            "set: { n: \"${100 / n}\" }",
            "tag: \"t${100 / n}\"",
            "if: 100 / n > 2\n      then: e",
            "set: { x: b }\n      when: 100 / n > 2",
        ] {
            let text = flow(
                "error: e",
                &format!(
                    "  start:\n    - {fails}\n    - set: {{ x: a }}\n    - goto: f\n  f:\n    - say: \"${{x}}.\"\n    - goto: e\n  e:\n    - hangup: \"done\"\n"
                ),
            );
            assert_eq!(rules(&checked(&text)), [""; 0], "{fails}");
            let text = text.replace(
                "- hangup: \"done\"",
                "- say: \"Hi ${x}.\"\n    - hangup: done",
            );
            assert_eq!(rules(&checked(&text)), ["unassigned-variable"], "{fails}");
        }
    }

    #[test]
    fn what_is_skipped_after_an_error_or_a_hang_up_has_no_value() {
        for global in ["error: e", "hangup: e"] {
            let text = flow(
                global,
                "  start:\n    - say: Hello.\n    - hangup: done\n  e:\n    - set: { x: \"${(100 / n) | number}\" }\n    - tag: \"${x}\"\n    - hangup: done\n",
            );
            assert_eq!(rules(&checked(&text)), ["unassigned-variable"], "{global}");
            let sure = text.replace("(100 / n)", "(n / 100)");
            assert_eq!(rules(&checked(&sure)), [""; 0], "{global}");
        }
    }

    #[test]
    fn the_way_of_an_action_that_fails_counts_in_the_worst_case() {
        let seconds = |action: &str| {
            let steps = format!(
                "  start:\n    menu: \"Press 1.\"\n    press: {{ 1: bye }}\n    attempts: 1\n    timeout: 5s\n    then: {{ no_input: e, no_match: e }}\n  e:\n    - {action}\n    - goto: bye\n  late:\n    - wait: 10s\n    - goto: bye\n  bye: {{ hangup: completed }}\n"
            );
            let found = checked(&flow("error: late", &steps));
            found.worst.expect("no error").to_person_ms
        };
        let sure = seconds("set: { n: \"${n / 100}\" }");
        assert_eq!(seconds("set: { n: \"${100 / n}\" }"), sure + 10_000);
        assert_eq!(seconds("tag: \"t${100 / n}\""), sure + 10_000);
    }
}
