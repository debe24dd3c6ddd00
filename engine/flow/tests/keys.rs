//! The keys of the telephone: how they are written, in signs of either width, and how a text names them.

mod support;

use std::collections::BTreeSet;

use strowger_flow::check;

/// The rules that a flow breaks.
fn broken(text: &str) -> BTreeSet<&'static str> {
    let checked = check("a.flow.yaml", text.as_bytes(), &support::project());
    checked.diagnostics.iter().map(|found| found.rule).collect()
}

/// A menu of which these are the keys, in lines of their own.
fn pressing(keys: &str) -> String {
    format!(
        "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    menu: Hello.\n    press:\n{keys}    then: {{ no_input: bye, no_match: bye }}\n  bye: {{ hangup: completed }}\n"
    )
}

#[test]
fn a_star_is_a_key_wherever_it_stands_among_the_keys() {
    let right = [
        "      star: bye\n      1: bye\n",
        "      1: bye\n      star: bye\n",
        "      1: bye\n      star : bye\n      2: bye\n",
        "      1: bye\n      star: { to: bye }\n",
        "      1: bye\n      star:\n        to: bye\n      2: bye\n",
        "      1: bye\n      star: bye # as ever\n",
    ];
    for right in right.map(pressing) {
        assert_eq!(broken(&right), BTreeSet::new(), "{right}");
        let wrong = right.replace("star:", "*:").replace("star :", "* :");
        let found = check("a.flow.yaml", wrong.as_bytes(), &support::project()).diagnostics;
        let rules: Vec<&str> = found.iter().map(|found| found.rule).collect();
        assert_eq!(rules, ["yaml-star-key"], "{wrong}");
        let fixed = strowger_flow::fix("a.flow.yaml", wrong.as_bytes(), &support::project());
        assert_eq!(fixed.expect("it is text").text, right);
    }
    // What else is wrong is told as well, and a key that is there twice.
    let wrong = pressing("      1: nowhere\n      *: bye\n      2: bye\n      * : { to: bye }\n");
    let found = check("a.flow.yaml", wrong.as_bytes(), &support::project()).diagnostics;
    let rules: Vec<&str> = found.iter().map(|found| found.rule).collect();
    let all = [
        "unknown-step",
        "yaml-star-key",
        "duplicate-key",
        "yaml-star-key",
    ];
    assert_eq!(rules, all);
}

#[test]
fn a_hash_is_a_key_wherever_it_stands_among_the_keys() {
    let right = [
        pressing("      hash: bye\n      1: bye\n"),
        pressing("      1: bye\n      hash: bye\n"),
        pressing("      1: bye\n      hash: bye # as ever\n      2: bye\n"),
        pressing("      hash: bye\n"),
        pressing("      # One key.\n      hash: bye\n"),
        pressing("      1: { to: bye }\n      hash: { to: bye, label: End }\n      2: bye\n"),
        pressing("      1:\n        to: bye\n      hash:\n        to: bye\n"),
        pressing("      1:\n        - say: Hello.\n        - goto: bye\n      hash: bye\n"),
        pressing("      1: bye\n").replace(
            "press:\n      1: bye",
            "press: {\n      1: bye,\n      hash: bye\n    }",
        ),
        pressing("      1: bye\n").replace("press:\n      1: bye", "press: { 1: bye, hash: bye }"),
        pressing("      1: bye\n").replace(
            "steps:",
            "global:\n  press:\n    hash: bye\n    0: bye\nsteps:",
        ),
    ];
    for right in right {
        assert_eq!(broken(&right), BTreeSet::new(), "{right}");
        for hash in ["#", "# "] {
            let wrong = right.replace("hash", hash);
            let found = check("a.flow.yaml", wrong.as_bytes(), &support::project()).diagnostics;
            let rules: Vec<&str> = found.iter().map(|found| found.rule).collect();
            assert_eq!(rules, ["yaml-cut"], "{wrong}");
            let fixed = strowger_flow::fix("a.flow.yaml", wrong.as_bytes(), &support::project());
            assert_eq!(fixed.expect("it is text").text, right);
        }
    }
    // What it leads to is looked at.
    let rules = broken(&pressing("      1: bye\n      #: nowhere\n"));
    assert_eq!(rules, BTreeSet::from(["unknown-step", "yaml-cut"]));
    // A comment is one.
    for keys in [
        "      1: bye\n      # 2: bye\n",
        "      1: bye\n      #2: bye\n",
        "      # : as they are announced\n      1: bye\n",
        "      1: bye # the hash: bye\n",
        "      1: bye #: bye\n",
        "      1: bye\n      #:bye\n",
        "      1: bye\n    #: bye\n",
        "      1: bye\n     #: bye\n",
        "      1: bye\n        #: bye\n      2: bye\n",
        "#: bye\n      1: bye\n",
        "      1:\n        #: bye\n        to: bye\n",
    ] {
        let text = pressing(keys);
        let rules: BTreeSet<&str> = broken(&text);
        assert_eq!(rules, BTreeSet::new(), "{text}");
    }
    let elsewhere = pressing("      1: bye\n").replace("    then:", "    #: bye\n    then:");
    assert_eq!(broken(&elsewhere), BTreeSet::new());
}

#[test]
fn a_full_width_key_without_a_digit_has_a_name() {
    for (wide, name) in [("＃", "hash"), ("＊", "star")] {
        for colon in [":", "：", " :"] {
            let right = pressing("      1: bye\n      NAME: bye\n      2: { to: bye }\n");
            let wrong = right.replace("NAME:", &format!("{wide}{colon}"));
            let right = right.replace("NAME:", &format!("{name}{}", colon.replace('：', ":")));
            let found = check("a.flow.yaml", wrong.as_bytes(), &support::project()).diagnostics;
            let rules: Vec<&str> = found.iter().map(|found| found.rule).collect();
            assert_eq!(rules, ["full-width"], "{wrong}");
            let fixed = strowger_flow::fix("a.flow.yaml", wrong.as_bytes(), &support::project());
            assert_eq!(fixed.expect("it is text").text, right);
        }
        let line = pressing("      1: bye\n");
        let line = line.replace("press:\n      1: bye", "press: { 1: bye, NAME: bye }");
        let fixed = strowger_flow::fix(
            "a.flow.yaml",
            line.replace("NAME", wide).as_bytes(),
            &support::project(),
        );
        assert_eq!(fixed.expect("it is text").text, line.replace("NAME", name));
    }
    // Nothing that is a key becomes a comment.
    let wrong = pressing("      1: bye\n      ＃2: bye\n");
    let fixed = strowger_flow::fix("a.flow.yaml", wrong.as_bytes(), &support::project());
    assert_eq!(fixed.expect("it is text").text, wrong);
}

#[test]
fn a_blank_that_is_none_of_the_language_is_named() {
    let right = pressing("      1: bye\n      2:\n        to: bye\n");
    let right = right.replace(
        "  bye: {",
        "  other:\n    - say: Hello there.\n    - goto: bye\n  bye: {",
    );
    let right = right.replace("1: bye", "1: other");
    assert_eq!(broken(&right), BTreeSet::new());
    for (blank, name) in [
        ('\u{a0}', "a no-break space (U+00A0)"),
        ('\u{2007}', "a figure space (U+2007)"),
        ('\u{202f}', "a narrow no-break space (U+202F)"),
        ('\u{3000}', "a full-width blank (U+3000)"),
    ] {
        let odd = |text: &str| text.replace(' ', &blank.to_string());
        for plain in [
            "say: ",
            "- say: ",
            "    - say: ",
            "    - say: Hello there.\n    - goto: bye\n",
            "  other:\n",
            "        to: ",
            "flow: ",
            "steps:\n  start:\n    menu: ",
            "{ no_input: bye, no_match: bye }",
        ] {
            assert!(right.contains(plain), "{plain}");
            // In the text that is spoken it stays.
            let wrong = odd(plain).replace(&odd("Hello there"), "Hello there");
            let wrong = right.replacen(plain, &wrong, 1);
            let found = check("a.flow.yaml", wrong.as_bytes(), &support::project()).diagnostics;
            let told: Vec<_> = found
                .iter()
                .map(|found| (found.rule, found.message.english()))
                .collect();
            let [("full-width", message)] = told.as_slice() else {
                panic!("{wrong}{told:#?}");
            };
            assert!(message.starts_with(name), "{message}");
            let fixed = strowger_flow::fix("a.flow.yaml", wrong.as_bytes(), &support::project());
            assert_eq!(fixed.expect("it is text").text, right);
        }
        let spoken = right.replace("Hello there", &odd("Hello there"));
        assert_eq!(broken(&spoken), BTreeSet::new());
        let rules = broken(&spoken.replace("goto: bye", "goto: nowhere"));
        assert_eq!(rules, BTreeSet::from(["unknown-step"]));
    }
}

#[test]
fn keys_are_named_in_chinese_with_digits_of_either_width() {
    let menu = |text: &str| pressing("      1: bye\n").replace("Hello.", text);
    for text in [
        "请按２。",
        "请按 2。",
        "请按\u{3000}2。",
        "请拨三。",
        "请拨 4 转人工。",
        "查订单请按1，转人工请按零",
        "结束请按＃。",
        "结束请按 # 号键。",
        "重听请按＊号键。",
    ] {
        let text = menu(&format!("\"{text}\""));
        assert_eq!(
            broken(&text),
            BTreeSet::from(["spoken-key-unmapped"]),
            "{text}"
        );
    }
    for text in [
        "请按１。",
        "请按 一。",
        "请拨1。",
        "请拨 400-810-8888。",
        "也可拨一个电话。",
        "请按键。",
    ] {
        assert_eq!(broken(&menu(text)), BTreeSet::new(), "{text}");
    }
}

#[test]
fn a_global_key_may_have_words() {
    let with = |key: &str| {
        broken(&format!(
            "flow: a\nformat: 1\nlanguages: [en]\nprompts: {{ person: {{ en: a person }} }}\nglobal: {{ press: {{ 0: {key} }} }}\nsteps:\n  start:\n    menu: \"Press 1.\"\n    press: {{ 1: bye }}\n    then: {{ no_input: bye, no_match: bye }}\n  bye: {{ hangup: completed }}\n"
        ))
    };
    for (key, rule) in [
        ("{ to: bye, label: person, match: [help] }", None),
        ("{ to: bye, label: nobody }", Some("unknown-prompt")),
        (
            "{ to: bye, label: \"${call.from}\", match: [help] }",
            Some("bad-value"),
        ),
        ("{ to: bye, match: help }", Some("bad-value")),
        ("{ label: person }", Some("missing-key")),
    ] {
        let found = with(key);
        match rule {
            Some(rule) => assert!(found.contains(rule), "{key}: {found:?}"),
            None => assert!(
                !found.iter().any(|rule| *rule != "unused"),
                "{key}: {found:?}"
            ),
        }
    }
}

#[test]
fn every_key_that_is_said_in_vain_is_told_at_once() {
    let text = "flow: a\nformat: 1\nlanguages: [en, zh]\nsteps:\n  start:\n    menu: { en: \"Press 1, press 2 or press 3.\", zh: 请按一，或按四，或按五。 }\n    press: { 1: bye }\n    then: { no_input: bye, no_match: bye }\n  bye: { hangup: completed }\n";
    let checked = check("a.flow.yaml", text.as_bytes(), &support::project());
    let [found] = checked.diagnostics.as_slice() else {
        panic!("{:?}", checked.diagnostics);
    };
    assert_eq!(found.rule, "spoken-key-unmapped");
    assert_eq!(
        found.message.english(),
        "the prompt says to press 2, 3, 4, 5, and these keys do nothing here"
    );
    assert_eq!(found.labels.len(), 2);
}

/// The rules, messages and helps that are told of the keys of a menu.
fn told_of(press: &str) -> Vec<(&'static str, u32, String)> {
    let text = format!(
        "flow: a\nformat: 1\nlanguages: [en, zh]\nprompts:\n  one: {{ en: Help me, zh: 帮我 }}\n  two: {{ en: help me, zh: 人工 }}\n  three: {{ en: Orders, zh: 订单 }}\nsteps:\n  start:\n    menu: \"${{choices}}\"\n    press:\n{press}    then: {{ no_input: bye, no_match: bye }}\n  a: {{ say: A here., then: bye }}\n  b: {{ say: B here., then: bye }}\n  bye: {{ hangup: completed }}\n"
    );
    let checked = check("a.flow.yaml", text.as_bytes(), &support::project());
    let found = checked.diagnostics.into_iter();
    found
        .filter(|found| found.rule != "unused" && found.rule != "unreachable")
        .map(|found| {
            let line = found.primary.place.line;
            (found.rule, line, found.message.english().to_owned())
        })
        .collect()
}

#[test]
fn words_of_a_chat_lead_to_one_key() {
    let both = "means both the key 1 and the key 2";
    for (press, line, word) in [
        ("      1: { to: a, match: [\"2\"] }\n      2: b\n", 12, "2"),
        (
            "      1: a\n      2: { to: b, match: [\" 1 \"] }\n",
            13,
            "1",
        ),
        (
            "      1: { to: a, match: [x, Hello] }\n      2: { to: b, match: [hello] }\n",
            13,
            "hello",
        ),
        (
            "      1: { to: a, label: one }\n      2: { to: b, label: two }\n",
            13,
            "help me",
        ),
        (
            "      1: { to: a, match: [ÉCOLE] }\n      2: { to: b, match: [école] }\n",
            13,
            "école",
        ),
        (
            "      1: { to: a, label: three }\n      2: { to: b, match: [订单] }\n",
            13,
            "订单",
        ),
    ] {
        let found = told_of(press);
        assert_eq!(found.len(), 1, "{press}{found:?}");
        let (rule, at, message) = &found[0];
        assert_eq!((*rule, *at), ("duplicate-key", line), "{press}{message}");
        assert_eq!(*message, format!("in a chat `{word}` {both}"));
    }
    for press in [
        // To the same place.
        "      1: { to: a, match: [x], label: one }\n      2: { to: a, match: [x], label: one }\n",
        // The same key.
        "      1: { to: a, match: [x, x, \"1\"], label: one }\n      2: { to: b, match: [y] }\n",
    ] {
        assert_eq!(told_of(press), [], "{press}");
    }
}

#[test]
fn the_help_writes_keys_as_the_language_does() {
    let text = "flow: a\nformat: 1\nlanguages: [zh]\nsteps:\n  start:\n    menu: 退出请按星号键，重听请按井号键。\n    press: { 1: bye }\n    then: { else: bye }\n  bye: { hangup: completed }\n";
    let checked = check("a.flow.yaml", text.as_bytes(), &support::project());
    let help = checked.diagnostics[0].help.as_ref().expect("there is help");
    assert!(
        help.english()
            .starts_with("add `hash:`, `star:` to `press:`"),
        "{}",
        help.english()
    );
}

#[test]
fn a_star_that_a_question_names_leads_somewhere() {
    let asks = |global: &str, ask: &str| {
        broken(&format!(
            "flow: a\nformat: 1\nlanguages: [en]\n{global}steps:\n  start:\n    ask: \"Enter your number, or press star for a person.\"\n{ask}    then: {{ ok: bye, no_input: bye, no_match: bye }}\n  bye: {{ hangup: completed }}\n"
        ))
    };
    let digits = "    expect: { digits: 6 }\n";
    let told = BTreeSet::from(["spoken-key-unmapped"]);
    assert_eq!(asks("", digits), told);
    assert_eq!(
        asks("global: { press: { star: bye } }\n", digits),
        BTreeSet::new()
    );
    let ended = "    expect: { digits: 4..6 }\n    end_key: star\n";
    assert_eq!(asks("", ended), BTreeSet::new());
    // Of an amount it is the point.
    assert_eq!(asks("", "    expect: money\n"), BTreeSet::new());
}

#[test]
fn a_label_that_names_another_key_is_told() {
    let found = told_of("      1: { to: a, label: \"buy, press 2\" }\n");
    let rules: Vec<_> = found.iter().map(|found| found.0).collect();
    assert_eq!(rules, ["spoken-key-unmapped"]);
}
