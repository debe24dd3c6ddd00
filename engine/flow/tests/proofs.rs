//! What check says of a flow holds: no input is missing, no loop is silent, no silence is longer than it says.

mod support;
#[path = "support/told.rs"]
mod told;

use std::collections::BTreeSet;

use strowger_flow::diagnostic::Language;
use strowger_flow::speak::speech_ms;
use strowger_flow::{Checked, check};
use told::told;

fn checked(text: &str) -> Checked {
    check("a.flow.yaml", text.as_bytes(), &support::project())
}

fn rules(checked: &Checked) -> Vec<&'static str> {
    checked.diagnostics.iter().map(|found| found.rule).collect()
}

/// The findings of a flow of these steps, as `rule LINE: message`.
fn findings(text: &str) -> Vec<String> {
    told(&checked(text).diagnostics)
}

/// A flow of these steps, whose other parts stand in `head`.
fn flow(head: &str, steps: &str) -> String {
    format!(
        "flow: a\nformat: 1\nlanguages: [en]\n{head}steps:\n{steps}  bye: {{ hangup: completed }}\n"
    )
}

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
            ("", "  start:\n    queue: general\n    then: { done: bye, full: flow:needs, else: bye }\n".to_owned()),
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
            "  start:\n    queue: front-desk\n    then: { done: bye, timeout: start, else: bye }\n",
            "  start:\n    queue: front-desk\n    max_wait: 1s\n    then: { done: bye, timeout: repeat, else: bye }\n",
            // After the wait another queue is tried once.
            "  start:\n    queue: front-desk\n    then: { done: bye, timeout: other, else: bye }\n  other:\n    queue: general\n    then: { done: bye, full: start, else: bye }\n",
        ] {
            let found = checked(&flow("", steps));
            let told: BTreeSet<&str> = rules(&found).into_iter().collect();
            assert_eq!(told, BTreeSet::from(["waits-for-ever"]), "{steps}");
        }
    }

    #[test]
    fn a_counted_way_back_to_a_queue_ends() {
        let steps = "  start:\n    - set: { n: \"${n + 1}\" }\n    - queue: front-desk\n      then: { done: bye, else: again }\n  again:\n    if: n < 3\n    then: start\n    else: bye\n";
        let text = flow("vars: { n: { type: number, default: 0 } }\n", steps);
        assert_eq!(findings(&text), [""; 0]);
    }
}

/// The first of some flows of a project, checked beside the others.
fn first_of(texts: &[&str]) -> Checked {
    let mut catalog = support::project();
    let signatures = texts
        .iter()
        .filter_map(|text| strowger_flow::signature(text.as_bytes()));
    catalog.flows = Some(signatures.collect());
    let files: Vec<(&str, &[u8])> = texts
        .iter()
        .map(|text| ("a.flow.yaml", text.as_bytes()))
        .collect();
    strowger_flow::survey(&files, &mut catalog).swap_remove(0)
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

mod silence {
    use super::*;

    #[test]
    fn silence_goes_on_in_the_flow_that_takes_over() {
        let quiet = "flow: b\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    - wait: 7s\n    - goto: flow:c\n";
        let quieter = "flow: c\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    - wait: 3s\n    - say: Goodbye.\n    - hangup: completed\n";
        let of = |head: &str, steps: &str| {
            let found = first_of(&[&flow(head, steps), quiet, quieter]);
            let worst = found.worst.as_ref().expect("no error");
            let mut told = rules(&found);
            told.retain(|rule| *rule != "unreachable");
            (worst.silence_ms, worst.silence_line, told)
        };
        let leaves = "  start:\n    - say: Hello.\n    - wait: 5s\n    - goto: flow:b\n";
        // 5 s here, 7 s there and 3 s in the one after that.
        assert_eq!(of("", leaves), (15_000, 8, vec![]));
        let leaves = leaves.replace("flow:b", "flow:c");
        assert_eq!(of("", &leaves), (8_000, 8, vec![]));
        let waits = leaves.replace("5s", "6s");
        assert_eq!(of("", &waits), (9_000, 8, vec!["dead-air"]));
        // Where something is said between, nothing adds up.
        let says = leaves.replace("    - goto", "    - say: One moment.\n    - goto");
        assert_eq!(of("", &says).0, 5_000);
        // After the limit of its time, too.
        let long = "  start:\n    - say: Hello.\n    - wait: 58s\n    - wait: 58s\n    - hangup: completed\n";
        let head = "defaults: { max_duration: 1m }\nglobal: { too_long: flow:b }\n";
        assert_eq!(of(head, long).0, 70_000);
        let head = "defaults: { max_duration: 1m }\nglobal: { too_long: late }\n";
        let late = format!("{long}  late:\n    - wait: 2s\n    - goto: flow:b\n");
        assert_eq!(of(head, &late).0, 72_000);
    }

    #[test]
    fn after_the_sentence_of_a_busy_step_it_is_silent() {
        let busy = |before: &str, meanwhile: &str| {
            let steps = format!(
                "  start:\n    - say: Hello.\n{before}    - use: crm/caller@2\n      with: {{ phone: \"${{call.from}}\" }}\n      timeout: 12s\n      meanwhile: {{ after: 1s, {meanwhile} }}\n      then: {{ else: bye }}\n"
            );
            let told = findings(&flow("", &steps));
            told.into_iter()
                .filter(|told| told.starts_with("dead-air"))
                .collect::<Vec<_>>()
        };
        let told = "the caller may hear nothing for 11 seconds after the sentence of `meanwhile`";
        let say = "say: One moment.";
        assert_eq!(busy("", say), [format!("dead-air 7: {told}")]);
        // What was before does not add to that, and is not told as if it did.
        let wait = "    - wait: 250ms\n";
        assert_eq!(busy(wait, say), [format!("dead-air 8: {told}")]);
        let music = "say: One moment., music: audio/hold.wav";
        assert_eq!(busy(wait, music), [""; 0]);
    }

    #[test]
    fn a_called_flow_that_lasts_too_long_is_silent_as_long_as_its_caller_says() {
        let caller = flow(
            "defaults: { max_duration: 1m }\n",
            "  start:\n    - say: Hello.\n    - wait: 8s\n    - call: b\n      then: { done: bye, error: bye }\n",
        );
        let called = "flow: b\nformat: 1\nlanguages: [en]\noutcomes: [done]\ndefaults: { max_duration: 1m }\nglobal: { too_long: late }\nsteps:\n  start:\n    - wait: 4m\n    - return: done\n  late:\n    - wait: 50s\n    - return: done\n";
        let found = first_of(&[&caller, called]);
        // Nobody counts what of that is before the time is over and what after it: the caller's minute, and the one to leave.
        assert_eq!(found.worst.expect("no error").silence_ms, 120_000);
    }

    #[test]
    fn who_has_lasted_too_long_may_have_heard_nothing_before() {
        let steps = "  start:\n    - say: Hello.\n    - wait: 58s\n    - wait: 58s\n    - hangup: completed\n  late:\n    - wait: 50s\n    - say: Goodbye.\n    - hangup: completed\n";
        let text = flow(
            "defaults: { max_duration: 1m }\nglobal: { too_long: late }\n",
            steps,
        );
        // Of the first minute, which is as long as it lasts, and the 50 seconds after it.
        assert_eq!(checked(&text).worst.expect("no error").silence_ms, 110_000);
    }

    #[test]
    fn after_a_short_time_there_is_still_a_minute_of_silence() {
        let head = "defaults: { max_duration: 30s }\nglobal: { too_long: late }\n";
        let menu = |name: &str, next: &str| {
            format!(
                "  {name}:\n    menu: Press 1.\n    press: {{ 1: {next} }}\n    then: {{ else: bye }}\n"
            )
        };
        let (start, late) = (menu("start", "start"), menu("late", "quiet"));
        let silence_ms = |late: &str| {
            let worst = checked(&flow(head, &format!("{start}{late}"))).worst;
            worst.expect("no error").silence_ms
        };
        let quiet =
            "  quiet:\n    - wait: 25s\n    - wait: 25s\n    - say: Goodbye.\n    - goto: bye\n";
        assert_eq!(silence_ms(&format!("{late}{quiet}")), 50_000);
        let quieter = quiet.replace("    - say", "    - wait: 50s\n    - say");
        assert_eq!(silence_ms(&format!("{late}{quieter}")), 60_000);
        // What is silent in the minute was not silent before it, too.
        let alone = quiet.replace("quiet", "late");
        assert_eq!(silence_ms(&alone), 50_000);
        // A step that a contact may come to in its time lasts no longer than that, nor does one with nowhere to go then.
        let once = format!("{}{}", menu("start", "quiet"), quiet);
        let worst = |head: &str, steps: &str| checked(&flow(head, steps)).worst.expect("no error");
        let head = "defaults: { max_duration: 30s }\n";
        assert_eq!(worst(head, &once).silence_ms, 30_000);
        let head = "defaults: { max_duration: 30s }\nglobal: { too_long: bye }\n";
        assert_eq!(worst(head, &once).silence_ms, 30_000);
    }

    #[test]
    fn a_flow_called_in_the_last_minute_is_silent_as_long_as_that() {
        let caller = flow(
            "defaults: { max_duration: 30s }\nglobal: { too_long: late }\n",
            "  start:\n    menu: Press 1.\n    press: { 1: start }\n    then: { else: bye }\n  late:\n    - say: Goodbye soon.\n    - call: b\n      then: { done: bye, error: bye }\n",
        );
        let called = |steps: &str| {
            let text = format!(
                "flow: b\nformat: 1\nlanguages: [en]\noutcomes: [done]\ndefaults: {{ max_duration: 30s }}\nsteps:\n  start:\n{steps}    - return: done\n"
            );
            let found = first_of(&[&caller, &text]);
            found.worst.expect("no error").silence_ms
        };
        assert_eq!(called("    - wait: 50s\n"), 50_000);
        assert_eq!(
            called("    - say: Hello.\n    - wait: 50s\n    - say: Hello.\n"),
            50_000
        );
        assert_eq!(called("    - say: Hello.\n    - wait: 50s\n"), 50_000);
    }

    #[test]
    fn a_file_that_is_not_there_is_its_text_which_may_be_empty() {
        let head = "vars: { x: { type: text, default: \"\" } }\n";
        let steps = "  start:\n    - set: { x: \"${call.from | digits}\" }\n    - wait: 7s\n    - say: { any: [ { audio: audio/none.wav, text: \"${x}\" } ] }\n    - wait: 7s\n    - say: Goodbye.\n    - hangup: completed\n";
        let text = flow(head, steps);
        assert_eq!(checked(&text).worst.expect("no error").silence_ms, 14_000);
        assert!(rules(&checked(&text)).contains(&"dead-air"));
    }

    #[test]
    fn a_pause_between_attempts_is_a_minute_at_most() {
        let steps = "  start:\n    use: crm/caller@2\n    with: { phone: \"${call.from}\" }\n    timeout: 3s\n    retry: { times: 10, wait: 10s, factor: 100, only: [ONLY] }\n    then: { else: bye }\n";
        // Eleven attempts of 3 s; pauses of 10 s, and of a minute nine times.
        let told = "dead-air 9: the caller may hear nothing for 583 seconds";
        for only in ["timeout, error", "timeout", "error"] {
            let text = flow("", &steps.replace("ONLY", only));
            assert_eq!(findings(&text), [told]);
            let worst = checked(&text).worst.expect("no error");
            assert_eq!((worst.silence_ms, worst.to_person_ms), (583_000, 583_000));
        }
    }

    #[test]
    fn nobody_hears_silence_after_a_hang_up() {
        let quiet = "  quiet:\n    - wait: 9s\n    - use: crm/caller@2\n      with: { phone: \"${call.from}\" }\n      timeout: 60s\n      then: { else: bye }\n";
        let menu =
            "  start:\n    menu: Press 1.\n    press: { 1: bye }\n    then: { else: NEXT }\n";
        let text = flow(
            "global: { hangup: quiet }\n",
            &format!("{}{quiet}", menu.replace("NEXT", "bye")),
        );
        assert_eq!(findings(&text), [""; 0]);
        assert_eq!(checked(&text).worst.expect("no error").silence_ms, 0);
        // Whoever comes there over the line hears it.
        let text = flow(
            "global: { hangup: quiet }\n",
            &format!("{}{quiet}", menu.replace("NEXT", "quiet")),
        );
        assert_eq!(rules(&checked(&text)), ["dead-air", "dead-air"]);
        assert_eq!(checked(&text).worst.expect("no error").silence_ms, 69_000);
    }
}

mod texts {
    use super::*;

    /// Waits of seven seconds with something said between and after them.
    fn between(head: &str, prompt: &str) -> Checked {
        let steps = format!(
            "  start:\n    - wait: 7s\n    - say: {prompt}\n    - wait: 7s\n    - say: {prompt}\n    - wait: 7s\n    - say: Goodbye.\n    - goto: bye\n"
        );
        checked(&flow(head, &steps))
    }

    #[test]
    fn what_may_be_no_words_ends_no_silence() {
        let text = "vars: { x: { type: text, default: \"\" }, y: { type: text, default: word } }\n";
        let set = "vars: { x: { type: text, default: word } }\nglobal: { press: { 9: other } }\n";
        for (head, prompt, silence_ms) in [
            (text, "\"${x}\"", 21_000),
            (text, "\" ${x} \"", 21_000),
            (text, "\"${x} ... ${x}\"", 21_000),
            (text, "\"<p>${x}</p>\"", 21_000),
            (text, "\"${x | upper}\"", 21_000),
            (text, "\"${x ~ x}\"", 21_000),
            (text, "\"${x if call.priority > 50 else y}\"", 21_000),
            (text, "\"${call.id}\"", 21_000),
            (text, "\"${call.from | phone}\"", 7_000),
            (text, "\"<break time='2s'/>\"", 25_000),
            (text, "\"<break time='2s'/>${x}\"", 25_000),
            (text, "{ en: { chat: Only to read. } }", 21_000),
            (set, "\"${x}\"", 21_000),
            // Something is always heard.
            (text, "\"Word.\"", 7_000),
            (text, "\"${y}\"", 7_000),
            (text, "\"${x} and ${x}\"", 7_000),
            (text, "\"${x ~ y}\"", 7_000),
            (text, "\"${x}<p>Word.</p>\"", 7_000),
            (text, "\"${call.priority}\"", 7_000),
            (text, "\"${now | date}\"", 7_000),
            (text, "\"${call.channel}\"", 7_000),
            (
                text,
                "{ en: { audio: audio/hold.wav, chat: Music. } }",
                7_000,
            ),
            // A pause before and behind the words adds up with what is around.
            (
                text,
                "\"<break time='500ms'/>Word.<break time='2s'/>\"",
                9_500,
            ),
            (text, "\"Word.<break time='8s'/>Word.\"", 8_000),
        ] {
            let mut found = between(head, prompt);
            if head == set {
                // It is given another value somewhere.
                let steps = format!(
                    "  start:\n    - wait: 7s\n    - say: {prompt}\n    - wait: 7s\n    - say: {prompt}\n    - wait: 7s\n    - menu: Press 1.\n      press: {{ 1: bye }}\n      then: {{ else: bye }}\n  other:\n    - set: {{ x: \"${{call.id}}\" }}\n    - goto: bye\n"
                );
                found = checked(&flow(head, &steps));
            }
            let worst = found
                .worst
                .as_ref()
                .unwrap_or_else(|| panic!("{prompt}: {:?}", rules(&found)));
            assert_eq!(worst.silence_ms, silence_ms, "{prompt}");
            assert_eq!(
                rules(&found).contains(&"dead-air"),
                silence_ms > 8_000,
                "{prompt}"
            );
        }
    }

    #[test]
    fn a_pause_in_a_text_is_told_where_it_is_too_long() {
        for prompt in [
            "\"<break time='9s'/>\"",
            "\"Word.<break time='9s'/>Word.\"",
            "\"<break time='9s'/>Word.\"",
        ] {
            let found = checked(&flow(
                "",
                &format!("  start:\n    - say: {prompt}\n    - goto: bye\n"),
            ));
            assert_eq!(rules(&found), ["dead-air"], "{prompt}");
            assert_eq!(found.worst.expect("no error").silence_ms, 9_000, "{prompt}");
        }
    }

    #[test]
    fn markup_without_a_word_says_nothing() {
        for prompt in ["\"<p></p>\"", "\"<p> <s/> </p>\""] {
            let found = findings(&flow(
                "",
                &format!("  start:\n    - say: {prompt}\n    - goto: bye\n"),
            ));
            assert_eq!(found, ["bad-value 6: this prompt says nothing"], "{prompt}");
        }
    }

    #[test]
    fn an_inserted_value_counts_with_the_longest_of_its_kind() {
        let long = "word ".repeat(380);
        let vars = format!(
            "vars: {{ x: {{ type: text, default: \"{long}\" }}, n: {{ type: number, default: 0 }}, w: {{ one_of: [red, {}] }}, p: text }}\n",
            "b".repeat(150)
        );
        let ms = |prompt: &str| {
            let steps = format!(
                "  start:\n    - set: {{ n: \"${{n + 1}}\", w: red }}\n    - ask: Your number?\n      expect: {{ digits: 2..6 }}\n      into: d\n      attempts: 1\n      timeout: 1s\n      then: {{ no_input: bye, no_match: bye }}\n    - say: \"{prompt}\"\n    - goto: bye\n"
            );
            // Nobody who does nothing comes there, so the way is looked at without the question.
            let steps = steps
                .replace("no_input: bye", "no_input: said")
                .replace("    - say:", "    - goto: said\n  said:\n    - say:");
            let steps = match prompt.contains("${d") {
                true => {
                    steps.replace("no_input: said", "no_input: other")
                        + "  other:\n    - set: { d: \"12\" }\n    - goto: said\n"
                }
                false => steps,
            };
            let found = checked(&flow(&vars, &steps));
            let worst = found
                .worst
                .as_ref()
                .unwrap_or_else(|| panic!("{prompt}: {:?}", findings(&flow(&vars, &steps))));
            let question = speech_ms("Your number?") + 1_000;
            (
                worst.to_person_ms.saturating_sub(question),
                worst.unmeasured.join(" "),
            )
        };
        // Measured: it stands in the flow.
        assert_eq!(ms("${x}"), (speech_ms(&long), String::new()));
        assert_eq!(ms("${w}"), (speech_ms(&"b".repeat(150)), String::new()));
        let digits = "${'12345678901234567890' | digits}".replace('\'', "\\\"");
        let words = "1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0";
        assert_eq!(ms(&digits), (speech_ms(words), String::new()));
        // By its type.
        let (number, unknown) = ms("${n}");
        assert!(
            (20_000..25_000).contains(&number) && unknown.is_empty(),
            "{number} {unknown}"
        );
        let (number, unknown) = ms("${n | number}");
        assert!(
            (15_000..35_000).contains(&number) && unknown.is_empty(),
            "{number} {unknown}"
        );
        let (date, unknown) = ms("${now | date}");
        assert!(
            (4_000..7_000).contains(&date) && unknown.is_empty(),
            "{date} {unknown}"
        );
        // Nobody knows.
        for (prompt, name) in [
            ("${call.id}", "call.id"),
            ("${call.from | phone}", "call.from | phone"),
            ("${call.id ~ x}", "call.id ~ x"),
        ] {
            assert_eq!(ms(prompt).1, name, "{prompt}");
        }
    }

    #[test]
    fn the_line_says_what_it_does_not_know_and_what_a_chat_is_like() {
        let steps = "  start:\n    menu: \"Press 1, ${call.id}.\"\n    press: { 1: bye }\n    then: { else: bye }\n";
        let found = checked(&flow("", steps));
        let worst = found.worst.as_ref().expect("no error");
        // Three times five seconds, six times as long in a chat, where nothing is spoken.
        assert_eq!(worst.chat_to_person_ms, 90_000);
        assert!(
            (29_000..30_000).contains(&worst.to_person_ms),
            "{}",
            worst.to_person_ms
        );
        let line = found.render_worst(Language::English).expect("no error");
        assert_eq!(
            line,
            "worst case of `a`: 30 s to a person or a goodbye (90 s in a chat; 3 s for each of call.id, whose length is not known), never silent, over after 1880 s"
        );
        let line = found.render_worst(Language::Chinese).expect("no error");
        assert_eq!(
            line,
            "`a` 的最坏情况：30 秒后接通人工或道别（聊天中为 90 秒；call.id 长度未知，各按 3 秒计算），没有静默，1880 秒后结束"
        );
        let json = found
            .render_worst_json("a.flow.yaml", Language::English)
            .expect("no error");
        for part in [
            "\"toPersonMs\":29",
            "\"chatToPersonMs\":90000",
            "\"unmeasured\":[\"call.id\"]",
        ] {
            assert!(json.contains(part), "{part} in {json}");
        }
    }

    #[test]
    fn a_chat_is_counted_over_calls_too() {
        let called = "flow: b\nformat: 1\nlanguages: [en]\noutcomes: [done]\nsteps:\n  start:\n    menu: Press 1.\n    press: { 1: [{ return: done }] }\n    then: { else: [{ return: done }] }\n";
        let caller = flow(
            "",
            "  start:\n    - wait: 1s\n    - call: b\n    - goto: bye\n",
        );
        let mut catalog = support::project();
        catalog.flows.as_mut().expect("a project").extend(
            [called, &caller]
                .into_iter()
                .filter_map(|text| strowger_flow::signature(text.as_bytes())),
        );
        let files = [
            ("a.flow.yaml", caller.as_bytes()),
            ("b.flow.yaml", called.as_bytes()),
        ];
        let all = strowger_flow::survey(&files, &mut catalog);
        let worst = all[0].worst.as_ref().expect("no error");
        assert_eq!(worst.chat_to_person_ms, 91_000);
        assert!(worst.to_person_ms < 25_000);
    }

    /// `max_duration` and `max_steps` are those of the flow in which the contact began.
    #[test]
    fn a_called_flow_lasts_as_long_as_its_caller_says() {
        let called = "flow: b\nformat: 1\nlanguages: [en]\noutcomes: [done]\ndefaults: { max_duration: 30s, max_steps: 1 }\nsteps:\n  start:\n    menu: Press 1.\n    attempts: 3\n    timeout: 25s\n    press: { 1: [{ return: done }] }\n    then: { else: rest }\n  rest: { wait: 20s, then: out }\n  out: { return: done }\n";
        let caller = flow("", "  start:\n    - call: b\n    - goto: bye\n");
        let mut catalog = support::project();
        catalog.flows.as_mut().expect("a project").extend(
            [called, &caller]
                .into_iter()
                .filter_map(|text| strowger_flow::signature(text.as_bytes())),
        );
        let files = [
            ("a.flow.yaml", caller.as_bytes()),
            ("b.flow.yaml", called.as_bytes()),
        ];
        let all = strowger_flow::survey(&files, &mut catalog);
        let worst = |index: usize| all[index].worst.as_ref().expect("no error");
        // Three questions of 25 s, and 20 s.
        let whole = worst(0).to_person_ms;
        assert!((95_000..110_000).contains(&whole), "{whole}");
        assert_eq!(worst(0).silence_ms, 20_000);
        assert_eq!(worst(1).to_person_ms, 110_000);
    }

    #[test]
    fn who_has_had_too_many_actions_hears_a_goodbye_too() {
        let steps =
            "  start:\n    - wait: 1s\n    - say: Still here.\n    - wait: 1s\n    - goto: bye\n";
        let most = |actions: &str| {
            let checked = checked(&flow(
                &format!("defaults: {{ max_steps: {actions} }}\n"),
                steps,
            ));
            checked.worst.expect("no error").to_person_ms
        };
        let whole = most("100");
        assert!(whole < 5_000, "{whole}");
        assert_eq!(most("3"), whole + 80_000);
    }

    #[test]
    fn a_step_that_outlasts_the_contact_is_told() {
        let rules_of =
            |steps: &str| rules(&checked(&flow("defaults: { max_duration: 30m }\n", steps)));
        let queue = |wait: &str| {
            format!(
                "  start:\n    queue: front-desk\n    max_wait: {wait}\n    then: {{ done: bye, else: bye }}\n"
            )
        };
        assert_eq!(rules_of(&queue("1h")), ["over-max-duration"]);
        assert_eq!(rules_of(&queue("30m")), [""; 0]);
        let menu = "  start:\n    menu: Press 1.\n    attempts: 10\n    timeout: 4m\n    press: { 1: bye }\n    then: { else: bye }\n";
        assert_eq!(rules_of(menu), ["over-max-duration"]);
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
