//! A flow of any size, like those that people write.

use std::fmt::Write as _;

/// A flow like those that people write: menus, questions, plugins, choices, prompts in two languages. About 190 bytes and
/// 48 YAML events a step.
pub fn mixed(name: &str, steps: usize) -> String {
    let mut text = format!(
        "flow: {name}\nformat: 1\nlanguages: [en, zh]\nvars: {{ tries: {{ type: number, default: 0 }} }}\n\
         global: {{ press: {{ 0: person }}, error: person }}\nprompts:\n",
    );
    // Every other kind of step says nothing.
    for index in (0..steps).filter(|index| !matches!(index % 5, 2 | 3)) {
        let _ = writeln!(
            text,
            "  p{index}: {{ en: \"This is question {index}, and you have tried ${{tries}} times.\", zh: \"这是第 {index} 个问题，您已尝试 ${{tries}} 次。\" }}"
        );
    }
    text.push_str("steps:\n  start: { goto: s0 }\n");
    for index in 0..steps {
        let next = next(index, steps);
        let _ = match index % 5 {
            0 => writeln!(
                text,
                "  s{index}:\n    menu: p{index}\n    press: {{ 1: {next}, 2: s0, 3: {next} }}\n    then: {{ no_input: person, no_match: repeat }}"
            ),
            1 => writeln!(
                text,
                "  s{index}:\n    ask: p{index}\n    into: a{index}\n    expect: {{ digits: 8..12 }}\n    then: {{ ok: {next}, no_input: person, no_match: person }}"
            ),
            2 => writeln!(
                text,
                "  s{index}:\n    use: orders/lookup@1\n    with: {{ order_no: \"20260302\" }}\n    as: order{index}\n    timeout: 5s\n    then: {{ found: {next}, not_found: person }}"
            ),
            3 => writeln!(
                text,
                "  s{index}:\n    - set: {{ tries: \"${{tries + 1}}\" }}\n    - if: tries > {index} and call.language == \"en\"\n      then: {next}\n      else: person"
            ),
            _ => writeln!(text, "  s{index}:\n    - say: p{index}\n    - goto: {next}"),
        };
    }
    text.push_str("  person:\n    queue: general\n    meanwhile: { music: audio/hold.wav }\n    then: { done: bye, else: bye }\n  bye: { hangup: done }\n");
    text
}

pub fn next(index: usize, steps: usize) -> String {
    match index + 1 < steps {
        true => format!("s{}", index + 1),
        false => "person".to_owned(),
    }
}
