//! Failures: repetitions, edges, and error paths that are broken themselves.

use crate::Walk;
use strowger_contact::EntryKind;

const APOLOGY: &str =
    "play We are sorry, something went wrong on our side. Please try again later.";

const ORDER: &str = r#"
flow: order
format: 1
vars: { no: { type: text, default: "20260302" } }
global: { error: sorry }
steps:
  start:
    use: orders/lookup@1
    with: { order_no: "${no}" }
    as: order
    timeout: 3s
    retry: { times: 2, wait: 300ms, factor: 2, only: [timeout] }
    then: { found: bye, not_found: bye, timeout: late }
  late: { hangup: late }
  sorry:
    - say: "Sorry."
    - menu: "One to try again."
      press: { 1: start }
      then: { no_input: bye, no_match: bye }
  bye: { hangup: completed }
"#;

fn order() -> Walk {
    let mut walk = Walk::new(&[ORDER]);
    walk.check("connect", "run orders/lookup@1");
    walk
}

#[test]
fn a_step_is_tried_again_after_growing_pauses() {
    order()
        .check("fail timeout", "")
        .check("wait 299", "")
        .check("wait 1", "run orders/lookup@1")
        .check("fail timeout", "")
        .check("wait 599", "")
        .check("wait 1", "run orders/lookup@1")
        .check("fail timeout", "hang up | ended late");
}

#[test]
fn only_what_the_flow_names_is_tried_again() {
    order().check("fail again", "run std/say@1");
    let both = ORDER.replace("only: [timeout]", "only: [error]");
    let mut walk = Walk::new(&[&both]);
    walk.run("connect");
    walk.check("fail again", "")
        .check("wait 300", "run orders/lookup@1")
        .check("fail", "run std/say@1");
}

#[test]
fn a_repetition_makes_the_same_requests() {
    let fetch = r#"call http.fetch [{"method":"POST","url":"http://x/","headers":[]}]"#;
    let mut walk = order();
    walk.check(fetch, "http c-1:1:1");
    walk.check(
        r#"done {"ok":{"status":500,"headers":[],"body":""}}"#,
        "reply ok:body:,headers:[],status:500",
    );
    walk.check(fetch, "http c-1:1:2");
    walk.all(&["fail timeout", "wait 300"]);
    walk.check(fetch, "http c-1:1:1");
}

#[test]
fn a_broken_error_path_goes_on_once_and_never_in_circles() {
    let mut walk = order();
    walk.check("fail", "run std/say@1")
        .check("fail", "run std/menu@1")
        .check("fail", APOLOGY)
        .check("played", "hang up | ended error");
    assert_eq!(walk.entered(), ["start", "sorry", "sorry"]);
}

#[test]
fn who_was_heard_may_fall_again() {
    let mut walk = order();
    walk.all(&["fail", "fail", "listen", "key 1"]);
    walk.check("end 1", "run orders/lookup@1")
        .check("fail", "run std/say@1");
}

#[test]
fn an_expression_that_fails_is_an_error_of_its_step() {
    let flow = ORDER
        .replace(
            "no: { type: text, default: \"20260302\" }",
            "n: { type: number, default: 0 }",
        )
        .replace("\"${no}\"", "\"x${1 / n}\"");
    let mut walk = Walk::new(&[&flow]);
    walk.check("connect", "run std/say@1");
    assert_eq!(walk.entered(), ["start", "sorry"]);
}

const OUTER: &str = r#"
flow: outer
format: 1
global: { error: outer_sorry }
steps:
  start:
    call: inner
    then: { done: bye }
  outer_sorry:
    - say: "Outer."
    - hangup: sorry
  bye: { hangup: completed }
"#;

const INNER: &str = r#"
flow: inner
format: 1
outcomes: [done]
steps:
  start:
    - say: "Inner."
    - return: done
"#;

#[test]
fn errors_climb_out_of_called_flows() {
    let mut walk = Walk::new(&[OUTER, INNER]);
    walk.check("connect", "run std/say@1")
        .check("fail", "run std/say@1")
        .check("say", "play Outer.");

    // The line of the `call` comes before what holds everywhere.
    let own = OUTER.replace(
        "{ done: bye }",
        "{ done: bye, error: own }\n  own: { hangup: own }",
    );
    let mut walk = Walk::new(&[&own, INNER]);
    walk.check("connect", "run std/say@1")
        .check("fail", "hang up | ended own");

    // The inner flow's own handling comes before both; when that breaks too, it is skipped.
    let inner = INNER.replace(
        "steps:",
        "global: { error: oops }\nsteps:\n  oops:\n    - say: \"Oops.\"\n    - return: done",
    );
    let mut walk = Walk::new(&[&own, &inner]);
    walk.all(&["connect", "fail"]);
    walk.check("say", "play Oops.")
        .check("unplayed", "reply err:unavailable:no such file")
        .check("fail", "hang up | ended completed");
}

/// A call that is given what has no value, also on the way of `global.error`.
const UNGIVEN: &str = r#"
flow: ungiven
format: 1
global: { error: oops }
vars: { z: { type: number, default: 0 } }
steps:
  start:
    call: inner
    with: { p: "${1 / z}" }
    then: { done: bye, error: late }
  late:
    - set: { z: "${1 / z}" }
    - hangup: never
  oops:
    - call: inner
      with: { p: "${1 / z}" }
      then: { done: bye, error: own }
    - hangup: skipped
  own: { hangup: own }
  bye: { hangup: completed }
"#;

fn given() -> String {
    INNER.replace("outcomes", "inputs: { p: number }\noutcomes")
}

#[test]
fn a_call_that_cannot_be_made_takes_its_own_error_line() {
    let mut walk = Walk::new(&[UNGIVEN, &given()]);
    walk.check("connect", "hang up | ended own");
    assert_eq!(walk.entered(), ["start", "late", "oops", "own"]);
    // Without a line of its own what holds everywhere takes it.
    let bare = UNGIVEN.replace(", error: late", "");
    let mut walk = Walk::new(&[&bare, &given()]);
    walk.check("connect", "hang up | ended own");
    assert_eq!(walk.entered(), ["start", "oops", "own"]);
    let otherwise = UNGIVEN.replace("error: late", "else: late");
    let mut walk = Walk::new(&[&otherwise, &given()]);
    walk.run("connect");
    assert_eq!(walk.entered(), ["start", "late", "oops", "own"]);
}

#[test]
fn in_journals_of_older_programs_it_did_not() {
    let mut walk = Walk::older(7, &[UNGIVEN, &given()]);
    walk.check("connect", "hang up | ended skipped");
    assert_eq!(walk.entered(), ["start", "oops", "oops"]);
}

#[test]
fn a_hangup_that_fails_is_skipped_where_other_actions_are() {
    let flow = r#"
flow: early
format: 1
global: { error: oops, hangup: gone }
vars: { z: { type: number, default: 0 } }
steps:
  start:
    - set: { z: "${1 / z}" }
    - hangup: never
  oops:
    - hangup: early
      when: 1 / z > 3
    - say: "Sorry."
    - hangup: sorry
  gone:
    - hangup: early
      when: 1 / z > 3
    - tag: { gone: "yes" }
    - hangup: gone
"#;
    let mut walk = Walk::new(&[flow]);
    walk.check("connect", "run std/say@1")
        .all(&["say", "hang up"]);
    walk.check("end done", "ended gone");
    let mut walk = Walk::older(7, &[flow]);
    walk.check("connect", APOLOGY);
}

#[test]
fn without_any_edge_the_contact_is_over() {
    let mut walk = Walk::new(&[INNER]);
    walk.check("connect", "run std/say@1")
        .check("fail", APOLOGY);
    assert!(
        !walk.contact.ended(),
        "nobody is cut off in the middle of it"
    );
    walk.check("key 1", "")
        .check("played", "hang up | ended error");
    assert!(walk.contact.ended());
}

#[test]
fn an_apology_never_holds_the_contact() {
    // The line says nothing of its end.
    let mut walk = Walk::new(&[INNER]);
    walk.all(&["connect", "fail"]);
    walk.check("wait 19999", "")
        .check("wait 1", "hang up | ended error");
    // It cannot be said at all.
    let mut walk = Walk::new(&[INNER]);
    walk.all(&["connect", "fail"]);
    walk.check("unplayed", "hang up | ended error");
    // Nobody is there to hear it.
    let mut walk = Walk::new(&[INNER]);
    walk.all(&["connect", "fail"]);
    walk.check("hang up", "ended error");
    let mut walk = Walk::new(&[INNER]);
    walk.all(&["connect", "fail"]);
    walk.check("shutdown", "hang up | ended shutdown");
}

#[test]
fn what_the_engine_cannot_let_go_on_ends_at_once() {
    let mut walk = Walk::new(&[INNER]);
    walk.all(&["connect"]);
    walk.check(
        "fault the journal is full",
        "cancel | hang up | ended error",
    );
}

#[test]
fn a_flow_may_apologise_in_its_own_words() {
    let own = INNER.replace(
        "steps:",
        "languages: [zh, en]\nprompts: { apology: { zh: { audio: audio/sorry.wav, text: 抱歉。 }, en: Sorry. } }\nsteps:",
    );
    let mut walk = Walk::new(&[&own]);
    walk.all(&["connect"]);
    walk.check("fail", "play 抱歉。")
        .check(
            "unplayed",
            "play 非常抱歉，我们的系统出了问题，请您稍后再试。",
        )
        .check("played", "hang up | ended error");
}

#[test]
fn an_apology_that_is_not_said_to_its_end_is_told_in_the_journal() {
    let told = |walk: &Walk| -> Vec<String> {
        let entries = walk.journal().into_iter();
        let unsaid = entries.filter_map(|entry| match &entry.kind {
            EntryKind::Unsaid { error } => Some(error.clone()),
            _ => None,
        });
        unsaid.collect()
    };
    let with = |apology: &str| {
        let flow = INNER.replace("steps:", &format!("{apology}\nsteps:"));
        let mut walk = Walk::new(&[&flow]);
        walk.run("connect");
        walk
    };
    let mut walk = with("prompts: { apology: Sorry. }");
    walk.check("fail", "play Sorry.");
    walk.check("wait 20000", "hang up | ended error");
    assert_eq!(
        told(&walk),
        ["the prompt `apology`: not over after 20 seconds, it was cut off"]
    );
    // It divides by nought.
    let mut walk = with(
        "vars: { n: { type: number, default: 0 } }\nprompts: { apology: \"Call back in ${60 / n} minutes.\" }",
    );
    walk.check("fail", APOLOGY);
    let [why] = told(&walk).try_into().expect("one");
    let why: String = why;
    assert!(why.starts_with("the prompt `apology`: "), "{why}");
    // The standing sentence has nothing to tell.
    let mut walk = with("");
    walk.check("fail", APOLOGY)
        .check("wait 20000", "hang up | ended error");
    assert_eq!(told(&walk), [""; 0]);
}

#[test]
fn what_the_description_promises_is_there_or_the_step_has_failed() {
    let flow = r#"
flow: promised
format: 1
steps:
  start:
    use: crm/caller@2
    with: { phone: "1" }
    as: known
    then: { known: hello, unknown: bye, error: late, timeout: late }
  hello:
    - say: "Hello ${known.surname}."
    - hangup: completed
  late: { hangup: late }
  bye: { hangup: completed }
"#;
    let mut walk = Walk::new(&[flow]);
    walk.all(&["connect"]);
    walk.check(r#"end known {"id":"7"}"#, "hang up | ended late");
}

#[test]
fn an_outcome_that_breaks_its_schema_is_an_error() {
    order().check(r#"end found {"eta":"no day at all"}"#, "run std/say@1");
    order().check(
        r#"end found {"order_no":"1","status":"packed","status_text":"","total":{"amount":1,"currency":"CNY"}}"#,
        "hang up | ended completed",
    );
}

#[test]
fn what_a_step_asked_for_goes_with_it() {
    let fetch = r#"call http.fetch [{"method":"POST","url":"http://x/","headers":[]}]"#;
    for (left, expected) in [
        // Its time is over; a pause, then the next attempt.
        ("fail timeout", "cancel effect"),
        // It trapped while it waited.
        ("fail", "cancel effect | run std/say@1"),
        (
            "shutdown",
            "cancel | cancel effect | hang up | ended shutdown",
        ),
    ] {
        let mut walk = order();
        walk.run(fetch);
        walk.check(left, expected)
            .check(r#"done {"ok":{"status":200,"headers":[],"body":""}}"#, "");
    }
    // An effect that has been answered is not cancelled.
    let mut walk = order();
    walk.all(&[fetch, r#"done {"err":"timeout"}"#]);
    walk.check("fail timeout", "");
}

/// What the flows have in common: `n` is nought, so whatever is divided by it fails.
const NOUGHT: &str =
    "flow: nought\nformat: 1\nlanguages: [en]\nvars: { n: { type: number, default: 0 } }\n";

#[test]
fn a_choice_that_fails_where_nothing_takes_over_finds_nothing_true() {
    for choice in [
        "if: 100 / n > 2, then: f, else: g",
        "choose: [{ when: 100 / n > 2, then: f }, { else: g }]",
        "switch: (100 / n) | number, then: { one: f, else: g }",
    ] {
        let flow = format!(
            "{NOUGHT}global: {{ error: again, hangup: left }}\nsteps:\n  start: {{ {choice} }}\n  again: {{ {choice} }}\n  left: {{ {choice} }}\n  f: {{ hangup: found }}\n  g: {{ hangup: none }}\n"
        );
        Walk::new(&[&flow]).check("connect", "hang up | ended none");
        // The caller is gone: the first failure has nobody to apologise to.
        let flow = flow.replacen(
            &format!("start: {{ {choice} }}"),
            "start: { wait: 1m, then: f }",
            1,
        );
        let mut walk = Walk::new(&[&flow]);
        walk.run("connect");
        walk.check("hang up", "ended none");
    }
}

#[test]
fn a_list_goes_on_after_a_choice_that_fails() {
    let flow = format!(
        "{NOUGHT}global: {{ error: again }}\nsteps:\n  start: {{ if: 100 / n > 2, then: f, else: f }}\n  again:\n    - if: 100 / n > 2\n      then: f\n    - hangup: went-on\n  f: {{ hangup: found }}\n"
    );
    Walk::new(&[&flow]).check("connect", "hang up | ended went-on");
}

#[test]
fn a_switch_without_a_way_on_ends_with_an_apology() {
    let flow = format!(
        "{NOUGHT}global: {{ error: again }}\nsteps:\n  start: {{ if: 100 / n > 2, then: f, else: f }}\n  again:\n    switch: 100 / n > 2\n    then: {{ true: f, false: f }}\n  f: {{ hangup: found }}\n"
    );
    Walk::new(&[&flow])
        .check("connect", APOLOGY)
        .check("played", "hang up | ended error");
}

/// A flow whose text grows to 64 KiB, and that keeps so many copies of it.
fn growing(copies: usize, step: &str) -> String {
    let mut flow = String::from(
        "flow: growing\nformat: 1\nvars:\n  t: { type: text, default: \"0123456789abcdef\" }\n",
    );
    for copy in 0..copies {
        flow += &format!("  v{copy}: {{ type: text, default: \"\" }}\n");
    }
    flow += "global: { error: sorry }\nsteps:\n  start:\n";
    for _ in 0..12 {
        flow += "    - set: { t: \"${t ~ t}\" }\n";
    }
    flow += step;
    flow += "    - say: Done.\n    - hangup: completed\n  sorry:\n    - hangup: too-much\n";
    // Each of them is read somewhere.
    flow += "  read:\n";
    for copy in 0..copies {
        flow += &format!("    - if: v{copy} == \"x\"\n      then: sorry\n");
    }
    flow + "    - hangup: completed\n"
}

#[test]
fn what_a_contact_keeps_is_bounded_in_one_action_and_over_all() {
    let at_once = |copies: usize| {
        let sets: String = (0..copies)
            .map(|copy| format!(" v{copy}: \"${{t}}\","))
            .collect();
        growing(copies, &format!("    - set: {{{sets} }}\n"))
    };
    let one_by_one = |copies: usize| {
        let sets: String = (0..copies)
            .map(|copy| format!("    - set: {{ v{copy}: \"${{t}}\" }}\n"))
            .collect();
        growing(copies, &sets)
    };
    for flow in [at_once as fn(usize) -> String, one_by_one] {
        // 64 KiB each: 4 MiB are 64 of them, with the one that they are made of.
        Walk::new(&[&flow(60)]).check("connect", "run std/say@1");
        let mut walk = Walk::new(&[&flow(64)]);
        walk.check("connect", "hang up | ended too-much");
        let why = walk.journal().iter().find_map(|entry| match &entry.kind {
            EntryKind::Failed { message, .. } => Some(message.clone()),
            _ => None,
        });
        let why = why.expect("what failed");
        assert!(why.contains("more than 4 MiB together"), "{why}");
    }
}

#[test]
fn what_a_contact_keeps_takes_no_more_memory_than_its_length() {
    const COPIES: usize = 20;
    let sets: String = (0..COPIES)
        .map(|copy| format!("    - set: {{ v{copy}: \"${{t}}{copy}\" }}\n"))
        .collect();
    let mut walk = Walk::new(&[&growing(COPIES, &sets)]);
    let before = walk.contact.memory_bytes();
    assert!(before < 64 << 10, "{before}");
    walk.check("connect", "run std/say@1");
    // 64 KiB each, with the one that they are made of.
    let (took, length) = (walk.contact.memory_bytes(), (COPIES + 1) << 16);
    assert!(
        (length..length + (64 << 10)).contains(&took),
        "{took} bytes for {length}"
    );
}
