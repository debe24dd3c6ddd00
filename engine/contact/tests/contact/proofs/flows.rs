//! Random flows: structured, so that the checker accepts many; careless, so that it has something to refuse.

use std::fmt::Write as _;

/// A small generator of numbers: the flow is a function of its seed.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Dice {
        Dice(seed ^ 0x9E37_79B9_7F4A_7C15)
    }

    /// A number below `sides` (splitmix64).
    pub(super) fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % sides.max(1)
    }

    pub(super) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

/// The flow `random`, and the flow `called` that it may call.
pub(super) fn random(seed: u64) -> Vec<String> {
    let mut dice = Dice::new(seed);
    let main = flow(&mut dice, "random", &["called"], false, false);
    let called = flow(&mut dice, "called", &[], false, false);
    vec![main, called]
}

/// How long a flow's contacts last: sometimes less than the minute that they have after it, or fewer actions than a way has.
fn lasts(dice: &mut Dice) -> String {
    let time = ["10m", "10m", "30s"][dice.below(3) as usize];
    let actions = [200, 200, 12][dice.below(3) as usize];
    format!("max_duration: {time}, max_steps: {actions}")
}

/// Two to four flows that call each other and leave for each other, `random` first.
pub(super) fn several(seed: u64) -> Vec<String> {
    const NAMES: [&str; 4] = ["random", "second", "third", "fourth"];
    let mut dice = Dice::new(seed);
    let names = &NAMES[..2 + dice.below(3) as usize];
    let needy = dice.one_in(3);
    let mut flows = Vec::new();
    for (index, name) in names.iter().enumerate() {
        // As a rule those that come after it; now and then any, itself too: the checker has to see the circle.
        let others = match dice.one_in(6) {
            true => names,
            false => &names[index + 1..],
        };
        flows.push(flow(&mut dice, name, others, true, needy));
    }
    flows
}

/// A flow that cannot begin without an input.
const NEEDY: &str = "third";

/// A step that leaves for another flow: its name says so to whoever reads the journal.
pub(super) const LEAVE: &str = "leave";

/// A flow that may call `others` and, if `leaves`, go there for good; `needy` whether [`NEEDY`] needs an input.
fn flow(dice: &mut Dice, name: &str, others: &[&str], leaves: bool, needy: bool) -> String {
    let main = name == "random";
    // Nobody can go there for good; now and then somebody tries.
    let for_good: Vec<&str> = others
        .iter()
        .filter(|other| !needy || **other != NEEDY || dice.one_in(2))
        .copied()
        .collect();
    let for_good = for_good.as_slice();
    let steps = 2 + dice.below(if leaves { 6 } else { 9 });
    let mut text = format!("flow: {name}\nformat: 1\n");
    if !main || leaves {
        text.push_str("outcomes: [done, other]\n");
    }
    if needy && name == NEEDY {
        text.push_str("inputs: { who: text, many: { type: number, default: 3 } }\n");
    }
    text.push_str("vars: { n: { type: number, default: 0 }, word: { type: text, default: red }, late: text, no_words: { type: text, default: \"\" }, code: { type: text, default: \"20260302443820260302\" }, huge: { type: number, default: 900000000000000 }, part: { type: number, default: 1 } }\n");
    let _ = writeln!(text, "defaults: {{ {} }}", lasts(dice));
    let mut global = vec!["error: sorry".to_owned()];
    if dice.one_in(3) {
        global.push(format!("press: {{ 9: {} }}", any(dice, steps)));
    }
    match dice.below(8) {
        0 | 1 => global.push("too_long: bye".to_owned()),
        2 => global.push(format!("too_long: {}", any(dice, steps))),
        3 => global.push("too_long: late".to_owned()),
        4..7 if leaves && !for_good.is_empty() => {
            global.push(format!("too_long: flow:{}", for_good[0]));
        }
        _ => {}
    }
    let _ = writeln!(text, "global: {{ {} }}", global.join(", "));
    text.push_str("start: s0\nsteps:\n");
    for index in 0..steps {
        let _ = writeln!(text, "  s{index}:");
        step(dice, &mut text, index, steps, others, needy);
    }
    for other in for_good.iter().filter(|_| leaves) {
        let first = ["say: \"Over to them.\"", "wait: 2s", "tag: over"][dice.below(3) as usize];
        let _ = writeln!(
            text,
            "  {LEAVE}-{other}:\n    - {first}\n    - goto: flow:{other}"
        );
    }
    if leaves
        && let Some(other) = for_good
            .iter()
            .max_by_key(|other| **other == NEEDY && needy)
    {
        // Ways there: for whoever presses a key, and for whoever does nothing.
        let hop = format!("{LEAVE}-{other}");
        text = text.replacen("2: s0", &format!("2: flow:{other}"), 1);
        text = text.replacen("not_found: bye", &format!("not_found: {hop}"), 1);
        text = text.replacen("no_input: bye", &format!("no_input: {hop}"), 1);
        text = text.replacen("else: s", &format!("else: {hop} # s"), 1);
    }
    if needy && name == NEEDY {
        text = text.replacen(
            "start: s0\nsteps:\n",
            "start: hello\nsteps:\n  hello:\n    - say: \"Hello ${who}.\"\n    - goto: s0\n",
            1,
        );
    }
    if global.iter().any(|line| line.ends_with(": late")) {
        let first = ["wait: 2s", "say: \"Time is up.\""][dice.below(2) as usize];
        let wait = ["2s", "40s", "90s"][dice.below(3) as usize];
        let _ = writeln!(
            text,
            "  late:\n    - {first}\n    - wait: {wait}\n    - goto: bye"
        );
    }
    text.push_str("  sorry:\n    - say: \"Sorry about that.\"\n    - goto: bye\n");
    match main {
        true => text.push_str("  bye: { hangup: completed }\n"),
        false => {
            let _ = writeln!(
                text,
                "  bye:\n    return: done\n    with: {{ {} }}",
                results(dice)
            );
        }
    }
    text
}

/// A later step: nothing on the way goes in circles by itself.
fn ahead(dice: &mut Dice, index: u64, steps: u64) -> String {
    // Now and then a mistake: the checker has to see the circle.
    if dice.one_in(40) {
        return any(dice, steps);
    }
    let left = steps - index - 1;
    match dice.below(left + 1) {
        0 => "bye".to_owned(),
        further => format!("s{}", index + further),
    }
}

/// Any step: where only the caller can lead.
fn any(dice: &mut Dice, steps: u64) -> String {
    match dice.below(steps + 1) {
        0 => "bye".to_owned(),
        step => format!("s{}", step - 1),
    }
}

/// What a flow gives back: as a rule a word, sometimes a number or what may not be there.
fn results(dice: &mut Dice) -> String {
    let mut given = Vec::new();
    if !dice.one_in(4) {
        given.push(["word: blue", "word: \"${word}\""][dice.below(2) as usize]);
    }
    if dice.one_in(2) {
        given.push(["many: \"${n}\"", "many: \"${huge}\"", "many: 12"][dice.below(3) as usize]);
    }
    if dice.one_in(12) {
        given.push("answer: \"${answer}\"");
    }
    // Another flow's results, and what an outcome may leave out.
    match dice.below(40) {
        0 => given.push("later: \"${back.word}\""),
        1 => given.push("later: \"${order.eta}\""),
        2 => given.push("later: \"${back.later}\""),
        _ => {}
    }
    given.join(", ")
}

/// What may be said: sometimes a value that is not there on every way.
fn words(dice: &mut Dice) -> &'static str {
    match dice.below(28) {
        20 => "${huge | number}",
        21 => "${(0 - huge) | percent} ${huge | ordinal} ${huge | digits}",
        22 => "${back.word}",
        12 => "${no_words}",
        13 => "<break time='2s'/>",
        14 => "${code | digits}",
        15 => "${n | number}",
        16 => "Your order: ${order.total | money}, ${order.status_text}.",
        17 => "${answer | digits}",
        18 => "${no_words}<break time='1s'/> ... <break time='3s'/>",
        0 => "You said ${answer}.",
        1 => "The order is ${order.status_text}.",
        2 => "It comes ${order.eta | default(now.date) | date}.",
        3 => "Later: ${late}.",
        4..7 => "That was number ${n}, ${word}.",
        _ => "Please wait a moment, we are looking at it.",
    }
}

/// The answer in what is said before there is one: now and then, since the checker has to see it, and a step before may have given it.
fn unanswered(dice: &mut Dice) -> &'static str {
    match dice.below(80) {
        0 => ", not ${answer | digits}",
        1 => ", not ${value | digits}",
        _ => "",
    }
}

/// What an `ask:` says and tests beside its question.
fn answered(dice: &mut Dice) -> String {
    let mut lines = String::new();
    if dice.one_in(3) {
        let _ = writeln!(lines, "    short: \"Again{}.\"", unanswered(dice));
    }
    if dice.one_in(3) {
        let (silent, wrong) = (unanswered(dice), unanswered(dice));
        let _ = writeln!(
            lines,
            "    reprompt: {{ no_input: [\"Nothing{silent}.\"], no_match: [\"That is wrong{wrong}.\", \"Wrong again.\"] }}"
        );
    }
    match dice.below(6) {
        0 => lines.push_str("    valid: answer != \"11\"\n"),
        1 => lines.push_str("    valid: value != \"12\" and answer != \"22\"\n"),
        _ => {}
    }
    match dice.below(6) {
        0 => lines.push_str("    confirm: \"Is it ${answer | digits}?\"\n"),
        1 => lines.push_str("    confirm: \"${value | digits}, is it?\"\n"),
        _ => {}
    }
    lines
}

fn step(dice: &mut Dice, text: &mut String, index: u64, steps: u64, others: &[&str], needy: bool) {
    let next = ahead(dice, index, steps);
    let _ = match dice.below(14) {
        0 | 1 => writeln!(text, "    - say: \"{}\"\n    - goto: {next}", words(dice)),
        2..5 => {
            let (a, b) = (any(dice, steps), any(dice, steps));
            let no_match = match dice.one_in(3) {
                true => "repeat".to_owned(),
                false => any(dice, steps),
            };
            writeln!(
                text,
                "    menu: \"{}\"\n    attempts: {}\n    timeout: {}s\n    press: {{ 1: {a}, 2: {b}, 12: {next} }}\n    then: {{ no_input: {next}, no_match: {no_match} }}",
                words(dice),
                1 + dice.below(3),
                1 + dice.below(6)
            )
        }
        5 => {
            let wrong = any(dice, steps);
            let attempts = 1 + dice.below(3);
            let silent = ahead(dice, index, steps);
            let own = answered(dice);
            writeln!(
                text,
                "    ask: \"Your number{}?\"\n    into: answer\n    expect: {{ digits: 2..4 }}\n    attempts: {attempts}\n{own}    then: {{ ok: {next}, no_input: {silent}, no_match: {wrong} }}",
                unanswered(dice),
            )
        }
        6 => {
            // A loop with a limit: of whole numbers, or of fractions whose sums are rounded.
            let back = match dice.one_in(3) {
                true => format!("s{index}"),
                false => any(dice, steps),
            };
            let (step, limit) = match dice.below(6) {
                0 => ("0.1", "0.8"),
                1 => ("1.1", "8.8"),
                2 => ("0.3", "1.8"),
                _ => ("1", ["1", "2", "3", "4", "5", "6"][dice.below(6) as usize]),
            };
            let between = match dice.below(3) {
                0 => "wait: 1s",
                1 => "say: \"Again, ${huge | number}.\"",
                _ => "say: \"Again.\"",
            };
            writeln!(
                text,
                "    - set: {{ n: \"${{n + {step}}}\", huge: \"${{huge * 10}}\" }}\n    - {between}\n    - if: n < {limit}\n      then: {back}\n      else: {next}"
            )
        }
        7 | 8 => {
            let status = ahead(dice, index, steps);
            let retry = match dice.below(6) {
                0 | 1 => "    retry: { times: 2, wait: 300ms, factor: 2 }\n",
                2 => "    retry: { times: 4, wait: 10s, factor: 100, only: [timeout] }\n",
                _ => "",
            };
            writeln!(
                text,
                "    use: orders/lookup@1\n    with: {{ order_no: \"20260302\" }}\n    as: order\n    timeout: 3s\n{retry}    then: {{ found: {next}, not_found: {status} }}"
            )
        }
        9 => writeln!(
            text,
            "    - wait: {}s\n    - set: {{ word: \"w${{n}}\", late: now{} }}\n    - goto: {next}",
            1 + dice.below(3),
            // Of nought, or of a round later.
            ["", ", part: \"${100 / n}\"", ", part: \"${100 / (n - 1)}\""][dice.below(3) as usize]
        ),
        10 => {
            let other = ahead(dice, index, steps);
            writeln!(
                text,
                "    switch: word\n    then: {{ red: {next}, blue: {other}, else: bye }}"
            )
        }
        11 if !others.is_empty() => {
            let called = others[dice.below(others.len() as u64) as usize];
            // Now and then without what it needs.
            let given = match (called, needy && !dice.one_in(8)) {
                (NEEDY, true) => "    with: { who: \"${word}\" }\n",
                _ => "",
            };
            let done = match dice.below(8) {
                0..3 => "${back.word}",
                3 => "${back.many | number}",
                4 => "${back.later | default(word)}",
                _ => "",
            };
            let done = match done {
                "" => next,
                words => format!("[{{ say: \"Back: {words}\" }}, {{ goto: {next} }}]"),
            };
            writeln!(
                text,
                "    call: {called}\n{given}    as: back\n    then: {{ done: {done}, other: {}, error: bye }}",
                ahead(dice, index, steps)
            )
        }
        11 => writeln!(text, "    return: other\n    with: {{ {} }}", results(dice)),
        12 => {
            // Now and then back: the checker has to see which outcomes take their time.
            let back = match dice.below(4) {
                0 => format!("timeout: s{index}, "),
                1 => format!("full: s{index}, "),
                2 => format!("no_agents: {}, ", any(dice, steps)),
                _ => String::new(),
            };
            let wait = ["1m", "1s", "0s", "10m"][dice.below(4) as usize];
            let meanwhile = match dice.below(5) {
                0 => "    meanwhile: { music: audio/hold.wav }\n",
                1 => "    meanwhile: { say: Please hold., every: 7s }\n",
                2 => "    meanwhile: { say: Please hold. }\n",
                3 => "    meanwhile: { music: audio/hold.wav, say: Please hold., every: 20s }\n",
                _ => "",
            };
            writeln!(
                text,
                "    queue: general\n    max_wait: {wait}\n{meanwhile}    then: {{ done: bye, {back}else: {next} }}"
            )
        }
        _ => {
            let back = match dice.below(6) {
                0 => "busy: repeat, ".to_owned(),
                1 => format!("busy: {}, ", any(dice, steps)),
                _ => String::new(),
            };
            writeln!(
                text,
                "    transfer: supplier\n    then: {{ done: bye, {back}else: {next} }}"
            )
        }
    };
}
