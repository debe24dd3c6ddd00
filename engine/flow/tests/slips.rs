//! Slips that are easily made, and what is none: which rules a flow with one odd line breaks.

mod support;

use std::collections::BTreeSet;

use strowger_flow::diagnostic::Language;
use strowger_flow::{Catalog, check};

/// The rules that a flow breaks.
fn broken(text: &str) -> BTreeSet<&'static str> {
    let checked = check("a.flow.yaml", text.as_bytes(), &support::project());
    checked.diagnostics.iter().map(|found| found.rule).collect()
}

/// A flow that says a text, as it stands in the file.
fn saying(text: &str) -> String {
    format!(
        "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    - say: {text}\n    - hangup: completed\n"
    )
}

#[test]
fn a_text_that_a_number_sign_cuts_short_is_told_however_many_words_it_has() {
    for text in [
        "Order #123 is ready",
        "Dial #5",
        "您的订单 #123 已发货",
        "Your order #123",
    ] {
        assert_eq!(
            broken(&saying(text)),
            BTreeSet::from(["yaml-cut"]),
            "{text}"
        );
    }
    let nested = |text: &str| {
        saying("Hello.").replace(
            "- say: Hello.",
            &format!("- if: true\n      then: [ {{ say: {text} }} ]"),
        )
    };
    for text in ["Order #123", "Hello, dial #5"] {
        assert_eq!(
            broken(&nested(text)),
            BTreeSet::from(["yaml-cut"]),
            "{text}"
        );
    }
    for text in ["Goodbye. # said last", "\"Order #123\" #quoted"] {
        assert_eq!(broken(&saying(text)), BTreeSet::new(), "{text}");
    }
}

#[test]
fn signs_that_are_meant_for_quotes_around_an_insertion_are_one_slip() {
    let counting = |value: &str| {
        format!(
            "flow: a\nformat: 1\nlanguages: [en]\nvars: {{ n: {{ type: number, default: 0 }} }}\nsteps:\n  start:\n    - set: {{ n: {value} }}\n    - say: \"${{n}}\"\n    - hangup: completed\n"
        )
    };
    let right = counting("\"${n + 1}\"");
    assert_eq!(broken(&right), BTreeSet::new());
    for value in [
        "“${n + 1}\"",
        "“${n + 1}”",
        "${n + 1}”",
        "‘${n + 1}’",
        "「${n + 1}」",
        "${n + 1}\"",
    ] {
        let text = counting(value);
        let found = check("a.flow.yaml", text.as_bytes(), &support::project()).diagnostics;
        let rules: Vec<&str> = found.iter().map(|found| found.rule).collect();
        assert_eq!(rules, ["yaml-braces"], "{value}");
        let fixed = strowger_flow::fix("a.flow.yaml", text.as_bytes(), &support::project());
        assert_eq!(fixed.expect("it is text").text, right, "{value}");
    }
    // What is inserted is looked at all the same.
    let rules = broken(&counting("“${m + 1}”"));
    assert_eq!(rules, BTreeSet::from(["unknown-variable", "yaml-braces"]));
    // Around more than the insertion they may belong to the text.
    let rules = broken(&counting("0").replace("say: \"${n}\"", "say: { en: “Hi ${n}” }"));
    assert_eq!(rules, BTreeSet::from(["yaml-braces"]));
}

#[test]
fn a_comment_behind_a_key_or_in_a_flow_map_cuts_nothing() {
    let flow = "flow: a\nformat: 1\nlanguages: [en]\nsteps: #all\n  start: #first\n    menu: Hello.\n    press: {\n      1: bye, #one\n      2: bye } #two\n    then: { no_input: bye, no_match: bye }\n  bye: { hangup: completed }\n";
    assert_eq!(broken(flow), BTreeSet::new());
}

#[test]
fn a_verb_with_nothing_behind_it_is_one_finding() {
    let flow = |actions: &str| {
        format!(
            "flow: a\nformat: 1\nlanguages: [en]\nhours: {{ desk: {{ timezone: Asia/Shanghai, weekly: {{ mon: 09:00-18:00 }} }} }}\nsteps:\n  start:\n    - hours: desk\n      then: {{ open: told, closed: bye }}\n  told:\n{actions}    - goto: bye\n  bye: {{ hangup: completed }}\n"
        )
    };
    for verb in ["say", "ask", "menu", "transfer", "queue", "hours"] {
        for nothing in ["", " ~", " null", " # later"] {
            let text = flow(&format!("    - {verb}:{nothing}\n"));
            let found = check("a.flow.yaml", text.as_bytes(), &support::project()).diagnostics;
            let told: Vec<_> = found.iter().map(|found| found.message.english()).collect();
            assert_eq!(told, [format!("nothing stands after `{verb}:`")], "{text}");
        }
    }
    // What lacks beside it is told.
    let text = flow(
        "    - ask:\n      into: n\n      then: { no_input: bye, no_match: bye }\n    - say: \"${n}\"\n",
    );
    let found = check("a.flow.yaml", text.as_bytes(), &support::project()).diagnostics;
    let told: Vec<_> = found.iter().map(|found| found.message.english()).collect();
    assert_eq!(
        told,
        ["`ask` needs `expect`", "nothing stands after `ask:`"],
        "{text}"
    );
}

#[test]
fn a_target_that_is_like_its_own_step_is_one_finding() {
    let text = saying("Hello.").replace("- hangup: completed", "- goto: stort");
    assert_eq!(broken(&text), BTreeSet::from(["unknown-step"]));
}

#[test]
fn a_flow_speaks_at_least_one_language() {
    let text = saying("Hello.").replace("[en]", "[]");
    assert_eq!(broken(&text), BTreeSet::from(["bad-value"]));
}

#[test]
fn a_byte_order_mark_means_nothing() {
    for comment in ["#menu", "# menu", " #menu", "# menu #5"] {
        let text = format!("\u{feff}{comment}\n{}", saying("Hello."));
        assert_eq!(broken(&text), BTreeSet::new(), "{text}");
    }
}

#[test]
fn of_an_alias_that_is_merged_the_alias_is_told() {
    let text = saying("Hello.").replace("- say: Hello.", "- { <<: *hello, then: bye }");
    let found = check("a.flow.yaml", text.as_bytes(), &support::project()).diagnostics;
    let rules: Vec<&str> = found.iter().map(|found| found.rule).collect();
    assert!(rules.contains(&"yaml-anchor"), "{rules:?}");
    assert!(!rules.contains(&"unknown-verb"), "{rules:?}");
}

#[test]
fn an_amount_has_a_currency() {
    let asking = |expect: &str| {
        format!(
            "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    - ask: How much?\n      into: sum\n      expect: {expect}\n      then: {{ no_input: bye, no_match: bye }}\n    - say: \"${{sum | money}}\"\n    - goto: bye\n  bye: {{ hangup: completed }}\n"
        )
    };
    assert_eq!(broken(&asking("money")), BTreeSet::new());
    assert_eq!(broken(&asking("{ money: USD }")), BTreeSet::new());
    let wrong = broken(&asking("{ money: dollars }"));
    assert!(wrong.contains("bad-input"), "{wrong:?}");
}

#[test]
fn nothing_that_a_file_says_moves_the_cursor_of_a_terminal() {
    let odd = "\u{1b}[2J\u{9b}31m\u{7}\u{202e}\r";
    let written = "\\e[2J\\u009b31m\\a\\u202e\\r";
    let mut told = String::new();
    for text in [
        "flow: \"NAME\"\nformat: 1\nsteps:\n  start: { hangup: completed }\n",
        "flow: a\nformat: 1\nsteps:\n  start: { hangup: \"NAME\", \"NAME\": x }\n  \"NAME\": { goto: \"NAME2\" }\n",
        "flow: a\nformat: 1\noutcomes: [\"NAME\"]\nsteps:\n  start: { say: \"${NAME}\", then: { \"NAME\": start } }\n",
        "flow: a\nformat: 1\nvars: { x: { one_of: [\"NAME\", b] } }\nsteps:\n  start:\n    - set: { x: \"NAMES\" }\n    - switch: x\n      then: { b: start }\n",
        "flow: a\nformat: 1\nsteps:\n  start:\n    use: \"NAME/NAME@1\"\n    with: { \"NAME\": 1 }\n    then: bye\n  bye: { transfer: \"NAME\" }\n",
        "flow: a\nformat: 1\ntests: { \"NAME\": { mock: { \"queue.NAME\": { outcome: \"NAME\" } }, run: [ { expect: \"NAME\" } ] } }\nsteps:\n  start: { hangup: done }\n",
        // As they are, none of which YAML takes.
        "flow: a\nformat: 1\nsteps:\n  start: { say: RAW }\n",
        "flow: RAW\n",
        "# RAW\nflow: a\n",
        "flow: a\0\n",
    ] {
        let text = text.replace("NAME", written).replace("RAW", odd);
        let checked = check(odd, text.as_bytes(), &support::project());
        assert!(!checked.diagnostics.is_empty(), "{text:?}");
        for found in &checked.diagnostics {
            for language in [Language::English, Language::Chinese] {
                let frame = found.render_in(language, &text, false);
                let line = found.render_concise_in(language);
                for shown in [frame, line] {
                    let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
                    assert!(!shown.contains(bad), "{shown:?}");
                    told.push_str(&shown);
                }
            }
        }
        let line = checked.render_worst(Language::English).unwrap_or_default();
        assert!(!line.contains(char::is_control), "{line:?}");
    }
    assert!(
        told.contains("\\u{1b}[2J\\u{9b}31m\\u{7}\\u{202e}\\r"),
        "{told}"
    );
    assert!(
        told.contains("the control character `\\0` cannot stand here"),
        "{told}"
    );
    assert!(told.contains("这里不能有控制字符 `\\0`"), "{told}");
}

#[test]
fn a_text_that_is_too_long_to_be_spoken_is_an_error() {
    assert_eq!(broken(&saying(&"a ".repeat(1_900))), BTreeSet::new());
    assert_eq!(
        broken(&saying(&"a ".repeat(2_100))),
        BTreeSet::from(["bad-value"])
    );
}

#[test]
fn a_finding_about_a_huge_name_is_short() {
    let name = "A".repeat(500_000);
    let text = format!("flow: a\nformat: 1\nsteps:\n  {name}: {{ hangup: completed }}\n");
    let checked = check("a.flow.yaml", text.as_bytes(), &support::project());
    for found in &checked.diagnostics {
        assert!(found.message.english().len() < 3_000, "{}", found.rule);
    }
}

#[test]
fn a_prompt_without_a_word_is_told() {
    let asking = |prompt: &str| {
        format!(
            "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    ask: {prompt}\n    into: n\n    expect: digits\n    then: {{ ok: said, no_input: bye, no_match: bye }}\n  said: [{{ say: \"${{n | digits}}\" }}, {{ goto: bye }}]\n  bye: {{ hangup: completed }}\n"
        )
    };
    let menu = |label: &str| {
        format!(
            "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    menu: \"${{choices}}\"\n    press: {{ 1: {{ to: bye, label: {label} }} }}\n    then: {{ no_input: bye, no_match: bye }}\n  bye: {{ hangup: completed }}\n"
        )
    };
    for blank in [
        "\"\"",
        "\" \"",
        "' \t'",
        "{ en: \"\" }",
        "{ en: { text: \"\" } }",
        "|\n      \n",
    ] {
        assert_eq!(
            broken(&saying(blank)),
            BTreeSet::from(["bad-value"]),
            "{blank}"
        );
    }
    assert_eq!(broken(&asking("\"\"")), BTreeSet::from(["bad-value"]));
    assert_eq!(broken(&menu("\"\"")), BTreeSet::from(["bad-value"]));
    let named = "flow: a\nformat: 1\nprompts: { hello: \" \" }\nsteps:\n  start: [{ say: hello }, { hangup: completed }]\n";
    assert_eq!(broken(named), BTreeSet::from(["bad-value"]));
    // Music has no words.
    assert_eq!(
        broken(&saying(
            "{ en: { audio: audio/en/goodbye.wav, text: \"\" } }"
        )),
        BTreeSet::new()
    );
}

#[test]
fn a_file_that_holds_no_flow_says_what_it_holds() {
    for (text, rule, words) in [
        ("", "missing-key", "nothing stands in this file"),
        (
            "# to be written\n",
            "missing-key",
            "nothing stands in this file",
        ),
        ("---\n", "missing-key", "nothing stands in this file"),
        ("~\n", "missing-key", "nothing stands in this file"),
        (
            "- flow: a\n- format: 1\n",
            "bad-value",
            "this file is a list",
        ),
        ("[]", "bad-value", "this file is a list"),
        ("hello\n", "bad-value", "this file is a text"),
        ("\"\"", "bad-value", "this file is a text"),
    ] {
        let checked = check("a.flow.yaml", text.as_bytes(), &support::project());
        let [found] = &checked.diagnostics[..] else {
            panic!("{text:?}: {:?}", checked.diagnostics);
        };
        assert_eq!(found.rule, rule, "{text:?}");
        assert!(
            found.message.english().contains(words),
            "{:?}",
            found.message
        );
        let help = found.help.as_ref().expect("how a flow begins");
        assert!(help.english().contains("`flow: a-name`"), "{help:?}");
    }
}

#[test]
fn an_alias_is_one_finding_wherever_it_stands() {
    let flow = |start: &str, more: &str| {
        format!(
            "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n{start}  other: {{ say: Hello., then: bye }}\n  bye: {{ hangup: completed }}\n{more}"
        )
    };
    let menu =
        "    menu: Press 1.\n    press: { 1: other }\n    then: { no_input: bye, no_match: bye }\n";
    for text in [
        flow("    say: Hi.\n    then: *x\n", ""),
        flow("    *x\n", ""),
        flow("    - say: Hi.\n    - *x\n", ""),
        flow("    - *x\n    - goto: other\n", ""),
        flow("    say: *x\n    then: other\n", ""),
        flow("    goto: *x\n", ""),
        flow(&menu.replace("{ 1: other }", "*x"), ""),
        flow(&menu.replace("other", "*x"), ""),
        flow(&menu.replace("no_input: bye", "no_input: *x"), ""),
        flow(&menu.replace("{ no_input: bye, no_match: bye }", "*x"), ""),
        flow("    if: *x\n    then: other\n    else: bye\n", ""),
        flow("    switch: call.channel\n    then: *x\n", ""),
        flow("    choose:\n      - *x\n      - { else: other }\n", ""),
        flow("    choose: *x\n", ""),
        flow("    call: *x\n    then: { else: other }\n", ""),
        flow("    use: *x\n    then: { else: other }\n", ""),
        flow("    <<: *x\n    goto: other\n", ""),
        flow("    goto: other\n", "global: *x\n"),
        flow("    goto: bye\n", "global: { error: *x }\n"),
        flow("    goto: other\n", "start: *x\n"),
        "flow: a\nformat: 1\nlanguages: [en]\nsteps: *x\n".to_owned(),
        flow(
            "    say: *x\n    then: other\n",
            "prompts: { hello: Hello. }\n",
        ),
    ] {
        let checked = check("a.flow.yaml", text.as_bytes(), &support::project());
        let rules: Vec<&str> = checked.diagnostics.iter().map(|found| found.rule).collect();
        assert_eq!(rules, ["yaml-anchor"], "{text}");
    }
}

#[test]
fn an_alias_hides_no_mistake_of_another_action() {
    let text = "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    - say: *x\n    - menu: Press 1.\n      then: { no_input: bye, no_match: bye }\n  bye: { hangup: completed }\n";
    assert_eq!(
        broken(text),
        BTreeSet::from(["missing-input", "yaml-anchor"])
    );
}

#[test]
fn a_target_that_is_none_is_one_finding() {
    for target in ["", "{ a: b }", "Other Step", "repeat"] {
        let text = format!(
            "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    goto: {target}\n  other: {{ say: Hello., then: bye }}\n  bye: {{ hangup: completed }}\n"
        );
        let checked = check("a.flow.yaml", text.as_bytes(), &support::project());
        assert_eq!(
            checked.diagnostics.len(),
            1,
            "{text} {:?}",
            checked.diagnostics
        );
    }
}

#[test]
fn a_flow_without_a_step_is_one_finding() {
    for steps in ["{}", "", "[]"] {
        let text = format!("flow: a\nformat: 1\nlanguages: [en]\nsteps: {steps}\n");
        assert_eq!(broken(&text).len(), 1, "{steps}: {:?}", broken(&text));
    }
    assert_eq!(
        broken("flow: a\nformat: 1\nlanguages: [en]\nsteps: {}\n"),
        BTreeSet::from(["missing-key"])
    );
}

#[test]
fn what_may_be_missing_has_to_be_looked_at_first() {
    let flow = |text: &str| {
        format!(
            "flow: a\nformat: 1\nlanguages: [en]\nvars:\n  l: {{ type: list, default: [a, b] }}\n  o: {{ type: object, default: {{}} }}\nsteps:\n  start:\n    - say: '{text} ${{l | length}} ${{o is none}}'\n    - hangup: completed\n"
        )
    };
    for wrong in [
        "${l[3]}",
        "${l[3] | upper}",
        "${o.total | money}",
        "${o[\"total\"] | money}",
        "${l[3] if l[2] is not none else \"x\"}",
    ] {
        assert!(!broken(&flow(wrong)).is_empty(), "{wrong}");
    }
    for right in [
        "${l[3] | default(\"x\")}",
        "${l[3] if l[3] is not none else \"x\"}",
        "${o.total if o.total is not none else \"x\"}",
        "${\"x\" if o[\"total\"] is none else o[\"total\"] | upper}",
    ] {
        assert_eq!(broken(&flow(right)), BTreeSet::new(), "{right}");
    }
}

#[test]
fn a_file_with_very_many_findings_says_how_many_are_not_shown() {
    // Each is of a type that is none.
    let lines: String = (0..700).map(|n| format!("  odd{n}: x\n")).collect();
    let text = format!(
        "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start: {{ hangup: completed }}\nvars:\n{lines}"
    );
    let checked = check("a.flow.yaml", text.as_bytes(), &support::project());
    assert_eq!(checked.diagnostics.len(), 500);
    let help = checked.diagnostics[499].help.as_ref().expect("it says so");
    assert!(
        help.english().contains("200 or more further findings"),
        "{help:?}"
    );
}

#[test]
fn a_secret_is_not_read_back_by_its_own_step() {
    let asking = |expect: &str, confirm: &str| {
        format!(
            "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    - ask: Your number?\n      {expect}\n      confirm: \"{confirm}\"\n      then: {{ no_input: bye, no_match: bye }}\n    - goto: bye\n  bye: {{ hangup: completed }}\n"
        )
    };
    let whole = "Is it ${value}?";
    for secret in [
        "expect: card",
        "expect: { digits: 8..16 }\n      sensitive: true",
    ] {
        let rules = broken(&asking(secret, whole));
        assert_eq!(rules, BTreeSet::from(["secret-leak"]), "{secret}");
        let rules = broken(&asking(secret, "Does it end in ${value | last4}?"));
        assert_eq!(rules, BTreeSet::new(), "{secret}");
    }
    assert_eq!(broken(&asking("expect: digits", whole)), BTreeSet::new());
}

#[test]
fn a_field_that_no_schema_promises_needs_a_guard() {
    let broken = |outcome: serde_json::Value, said: &str| -> BTreeSet<&'static str> {
        let mut catalog = support::project();
        let lookup = catalog.steps.get_mut("orders/lookup@1").expect("there");
        lookup.outcomes.insert("found".to_owned(), outcome);
        let text = format!(
            "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    - use: orders/lookup@1\n      with: {{ order_no: \"12345678\" }}\n      as: order\n      then: {{ found: told, else: bye }}\n  told:\n    - say: \"It is {said}.\"\n    - goto: bye\n  bye: {{ hangup: completed }}\n"
        );
        let checked = check("a.flow.yaml", text.as_bytes(), &catalog);
        checked.diagnostics.iter().map(|found| found.rule).collect()
    };
    let total = serde_json::json!({ "format": "money" });
    let schema = |required: serde_json::Value| {
        let mut schema = serde_json::json!({ "type": "object", "properties": { "total": total } });
        if !required.is_null() {
            schema["required"] = required;
        }
        schema
    };
    let plain = "${order.total | money}";
    assert_eq!(
        broken(schema(serde_json::json!(["total"])), plain),
        BTreeSet::new()
    );
    for nothing in [serde_json::Value::Null, serde_json::json!([])] {
        assert_eq!(
            broken(schema(nothing.clone()), plain),
            BTreeSet::from(["type-mismatch"])
        );
        let guarded = "${order.total | money if order.total is not none else \\\"open\\\"}";
        assert_eq!(broken(schema(nothing), guarded), BTreeSet::new());
    }
}

#[test]
fn an_input_for_secrets_takes_texts_only_where_its_type_says_so() {
    let broken = |card: serde_json::Value, given: &str| -> BTreeSet<&'static str> {
        let mut catalog = support::project();
        let note = catalog.steps.get_mut("crm/note@2").expect("there");
        note.input = serde_json::json!({ "type": "object", "properties": { "card": card } });
        let text = format!(
            "flow: a\nformat: 1\nlanguages: [en]\nglobal: {{ error: bye }}\nsteps:\n  start:\n    - ask: Your card, please.\n      expect: card\n      into: card\n      then: {{ no_input: bye, no_match: bye }}\n    - use: crm/note@2\n      with: {{ card: \"{given}\" }}\n    - say: \"It ends in ${{card | last4}}.\"\n    - goto: bye\n  bye: {{ hangup: completed }}\n"
        );
        let checked = check("a.flow.yaml", text.as_bytes(), &catalog);
        checked.diagnostics.iter().map(|found| found.rule).collect()
    };
    let secret = |ty: &str| serde_json::json!({ "type": ty, "x-secret": true });
    for ty in ["string", "object"] {
        assert_eq!(broken(secret(ty), "${card}"), BTreeSet::new(), "{ty}");
    }
    assert_eq!(broken(secret("string"), "${call.id}"), BTreeSet::new());
    let only = secret("object");
    assert_eq!(broken(only.clone(), "4111"), BTreeSet::from(["bad-input"]));
    assert_eq!(
        broken(only.clone(), "no. ${call.id}"),
        BTreeSet::from(["bad-input"])
    );
    assert_eq!(
        broken(only, "${call.id}"),
        BTreeSet::from(["type-mismatch"])
    );
}

#[test]
fn defaults_are_held_to_account_whether_or_not_a_step_listens() {
    let deaf = "  start:\n    - wait: 1s\n    - goto: bye\n";
    let hears = "  start:\n    menu: \"Press 1.\"\n    press: { 1: bye }\n    then: { no_input: bye, no_match: bye }\n";
    let broken = |defaults: &str, start: &str| {
        broken(&format!(
            "flow: a\nformat: 1\nlanguages: [en]\ndefaults: {{ {defaults} }}\nsteps:\n{start}  bye: {{ hangup: completed }}\n"
        ))
    };
    for (defaults, rule) in [
        ("timeout: 5", Some("missing-unit")),
        ("timeout: 5 bananas", Some("bad-duration")),
        ("gap: [1]", Some("bad-value")),
        ("attempts: many", Some("bad-input")),
        ("attempts: 0", Some("bad-input")),
        ("barge_in: perhaps", Some("bad-input")),
        (
            "reprompt: { no_input: [nothing_such] }",
            Some("unknown-prompt"),
        ),
        ("reprompt: { no_inptu: [Again.] }", Some("unknown-input")),
        ("voice: [loud]", Some("bad-value")),
        ("voice: \"; rm -rf\"", Some("bad-value")),
        ("max_duration: 5", Some("missing-unit")),
        (
            "timeout: 4s, gap: 1s, attempts: 2, barge_in: false, voice: en-us",
            None,
        ),
        (
            "reprompt: { no_input: [Sorry.], no_match: [\"Again, ${choices}\"] }",
            None,
        ),
    ] {
        for start in [deaf, hears] {
            assert_eq!(
                broken(defaults, start),
                rule.into_iter().collect(),
                "{defaults}\n{start}"
            );
        }
    }
}

#[test]
fn the_voice_of_a_flow_speaks_all_texts_that_name_none() {
    let text = "flow: a\nformat: 1\nlanguages: [en]\ndefaults: { voice: en-us+f3 }\nprompts:\n  hello: { en: Hello. }\n  loud: { en: { text: Hello!, voice: en-gb } }\nsteps:\n  start:\n    - say: hello\n    - say: loud\n    - say: Goodbye.\n    - hangup: completed\n";
    let checked = check("a.flow.yaml", text.as_bytes(), &support::project());
    let plan = checked.plan.expect("no error");
    let voices = plan
        .prompts
        .iter()
        .flat_map(|prompt| prompt.voices.values().flatten());
    let voices: Vec<_> = voices.filter_map(|voice| voice.voice.as_deref()).collect();
    assert_eq!(voices, ["en-us+f3", "en-gb", "en-us+f3"]);
}

#[test]
fn what_may_stand_in_a_tag() {
    let tagging = |tag: &str| {
        broken(&format!(
            "flow: a\nformat: 1\nlanguages: [en]\ninputs: {{ card: secret, l: list }}\nsteps:\n  start:\n    - tag: {tag}\n    - if: call.channel == \"chat\"\n      then: bye\n      else: bye\n  bye: {{ hangup: completed }}\n"
        ))
        .into_iter()
        .filter(|rule| *rule != "unused")
        .collect::<BTreeSet<_>>()
    };
    let long = "a".repeat(201);
    for (tag, rule) in [
        ("vip", None),
        ("\"y${call.from}\"", None),
        ("\"${now}\"", None),
        ("{ reason: \"${call.from}\" }", None),
        ("\"y${cal.from}\"", Some("unknown-variable")),
        ("\"y${card}\"", Some("secret-leak")),
        ("\"y${l}\"", Some("type-mismatch")),
        ("\"y${call.from\"", Some("bad-expression")),
        ("{ \"y${call.from}\": 1 }", Some("bad-value")),
        (long.as_str(), Some("bad-value")),
    ] {
        let found = tagging(tag);
        match rule {
            Some(rule) => assert!(found.contains(rule), "{tag}: {found:?}"),
            None => assert_eq!(found, BTreeSet::new(), "{tag}"),
        }
    }
}

#[test]
fn a_prompt_is_put_together_of_lists_in_lists() {
    let text = "flow: a\nformat: 1\nlanguages: [en]\nprompts:\n  hello: { en: [One, [{ text: two }, [three]], four] }\nsteps:\n  start:\n    - say: hello\n    - hangup: completed\n";
    let checked = check("a.flow.yaml", text.as_bytes(), &support::project());
    let plan = checked.plan.expect("no error");
    let voices = plan.prompts[0].voices["en"].len();
    assert_eq!(voices, 4);
    for wrong in ["[]", "[a, []]", &format!("[{}]", "[a, b], ".repeat(33))] {
        let text = text.replace("[One, [{ text: two }, [three]], four]", wrong);
        assert_eq!(broken(&text), BTreeSet::from(["bad-value"]), "{wrong}");
    }
}

#[test]
fn a_number_is_said_digit_by_digit_when_it_is_a_whole_one() {
    for (said, rule) in [
        ("${5 | digits}", None),
        ("${5 | ordinal}", None),
        ("${-5 | number}", None),
        ("${2.5 | number}", None),
        ("${-5 | digits}", Some("type-mismatch")),
        ("${(-5) | digits}", Some("type-mismatch")),
        ("${2.5 | digits}", Some("type-mismatch")),
        ("${2.5 | ordinal}", Some("type-mismatch")),
    ] {
        assert_eq!(
            broken(&saying(&format!("\"{said}\""))),
            rule.into_iter().collect(),
            "{said}"
        );
    }
}

#[test]
fn a_pattern_of_a_test_is_a_regular_expression() {
    let hearing = |pattern: &str| {
        let text = format!(
            "{}tests:\n  t:\n    run:\n      - expect: {{ hear: {pattern}, ends: completed }}\n      - expect: {{ not_hear: {pattern} }}\n",
            saying("Hello.")
        );
        check("a.flow.yaml", text.as_bytes(), &support::project()).diagnostics
    };
    for good in ["/Hel+o/", "'/\\p{Han}(a|b)*/'", "(", "a/b"] {
        assert_eq!(hearing(good).len(), 0, "{good}: {:?}", hearing(good));
    }
    for bad in ["/(/", "'/a{2,1}/'", "'/[a/'", "'/\\y/'", "'/*/'"] {
        let found = hearing(bad);
        assert_eq!(found.len(), 2, "{bad}: {found:?}");
        assert!(found.iter().all(|found| found.rule == "bad-value"));
        let place = found[0].primary.place;
        assert_eq!((place.line, place.column), (11, 25), "{bad}");
    }
}

#[test]
fn a_line_of_a_megabyte_is_shown_around_what_is_wrong() {
    for filler in ["a", "好"] {
        let much = filler.repeat(300_000 / filler.len());
        let text = saying(&format!("\"{much}${{nosuch}}{much}\" # {much}")).replace("say:", "tag:");
        let checked = check("a.flow.yaml", text.as_bytes(), &support::project());
        let rules: BTreeSet<_> = checked.diagnostics.iter().map(|found| found.rule).collect();
        assert_eq!(rules, BTreeSet::from(["bad-value", "unknown-variable"]));
        for found in &checked.diagnostics {
            let frame = found.render(&text, false);
            assert!(frame.len() < 3_000, "{} bytes: {}", frame.len(), found.rule);
            assert!(frame.contains('…'), "{frame}");
            let place = found.primary.place;
            let column = match found.rule {
                "unknown-variable" => 15 + much.chars().count(),
                _ => 12,
            };
            assert_eq!((place.line, place.column as usize), (6, column));
            let head = format!("--> a.flow.yaml:{}:{}\n", place.line, place.column);
            assert!(frame.contains(&head), "{frame}");
            if found.rule == "unknown-variable" {
                assert!(frame.contains("${nosuch}"), "{frame}");
                // Six marks under six letters.
                let lines: Vec<&str> = frame.lines().collect();
                let at = lines
                    .iter()
                    .position(|line| line.contains("nosuch}"))
                    .expect("shown");
                assert_eq!(lines[at + 1].matches('^').count(), 6, "{frame}");
            }
        }
    }
}

#[test]
fn a_secret_for_what_nobody_knows_is_told_by_nothing_but_that() {
    let flow = |then: &str| {
        format!(
            "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    ask: Your card, please.\n    expect: card\n    into: card\n    \
             then: {{ ok: on, no_input: bye, no_match: bye }}\n  on:\n    {then}\n    then: {{ else: bye }}\n  bye: {{ hangup: completed }}\n"
        )
    };
    let rules = |text: &str, catalog: &Catalog| -> Vec<&'static str> {
        let found = check("a.flow.yaml", text.as_bytes(), catalog).diagnostics;
        found.iter().map(|found| found.rule).collect()
    };
    let called = flow("call: sub\n    with: { sec: \"${card}\" }");
    assert_eq!(rules(&called, &support::steps()), Vec::<&str>::new());
    let plugin = flow("use: bank/charge@1\n    with: { card: \"${card}\", other: \"${card}\" }");
    assert_eq!(rules(&plugin, &support::steps()), ["unknown-plugin"]);
    // A text around it is no place for a secret, whoever gets it.
    let inserted = flow("call: sub\n    with: { sec: \"my card is ${card}\" }");
    assert_eq!(rules(&inserted, &support::steps()), ["secret-leak"]);
}

#[test]
fn braces_that_insert_nothing_are_told_where_they_are_spoken() {
    for text in [
        "{call.from}",
        "Hello {name}.",
        "$ {x}",
        "$x}",
        "${call.to}}",
        "{% if x %}",
        "%{x}",
        "您好{x}。",
    ] {
        assert_eq!(
            broken_or_warned(&saying(&format!("\"{text}\""))),
            ["text-slip"],
            "{text}"
        );
    }
    for text in [
        "It costs $5.",
        "100 % | 50",
        "$${x} is written so.",
        "${call.to | phone}",
    ] {
        assert_eq!(
            broken_or_warned(&saying(&format!("\"{text}\""))),
            Vec::<&str>::new(),
            "{text}"
        );
    }
    let chat = saying("{ en: { text: Hello., chat: '{\"to\": \"${call.to}\"}' } }");
    assert_eq!(broken_or_warned(&chat), Vec::<&str>::new());
}

fn broken_or_warned(text: &str) -> Vec<&'static str> {
    let found = check("a.flow.yaml", text.as_bytes(), &support::project()).diagnostics;
    found.iter().map(|found| found.rule).collect()
}

#[test]
fn what_stands_in_an_input_is_called_by_its_name() {
    let flow = "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    queue: general\n    \
                meanwhile: { sayy: Please wait., every: 30s }\n    then: { done: bye, else: bye }\n  bye: { hangup: completed }\n";
    let found = check("a.flow.yaml", flow.as_bytes(), &support::project()).diagnostics;
    let told: Vec<&str> = found.iter().map(|found| found.message.english()).collect();
    assert_eq!(told, ["`meanwhile` has no `sayy`"]);
}

#[test]
fn one_slip_in_a_text_is_one_finding() {
    for (text, rule) in [
        ("Hello ${{ call.to }}.", "braces-in-expression"),
        ("<P>Hello.</P>", "bad-ssml"),
        ("<blink>Hello. <p>You.</p></blink>", "bad-ssml"),
        ("<P>Hello.</p>", "bad-ssml"),
    ] {
        assert_eq!(
            broken_or_warned(&saying(&format!("\"{text}\""))),
            [rule],
            "{text}"
        );
    }
    let flow = "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    use: orders/lookup@1\n    with: { order_no: \"20260302\" }\n    \
                as: order\n    then: { found: bye, not_found: tell, timeout: bye, error: bye }\n  tell:\n    - say: \"${order.eta}\"\n    \
                - goto: bye\n  bye: { hangup: completed }\n";
    assert_eq!(broken_or_warned(flow), ["unassigned-variable"]);
}

#[test]
fn a_blank_that_lacks_far_behind_in_a_line_is_one_finding() {
    let text = "flow: a\nformat: 1\nlanguages: [en]\nvars:\n  kind: { type: text, one_of: [small, large], default:small }\nsteps:\n  start:\n    - say: \"A ${kind} one.\"\n    - hangup: completed\n";
    let told = check("a.flow.yaml", text.as_bytes(), &support::project()).diagnostics;
    let told: Vec<_> = told
        .iter()
        .map(|found| (found.rule, found.primary.place.line))
        .collect();
    assert_eq!(told, [("yaml-colon", 5)]);
}

#[test]
fn a_choice_is_no_secret() {
    let flow = |expect: &str| {
        format!(
            "flow: a\nformat: 1\nlanguages: [en]\nvars: {{ x: secret }}\nsteps:\n  start:\n    ask: Well?\n    into: x\n    expect: {expect}\n    \
             sensitive: true\n    then: {{ ok: bye, no_input: bye, no_match: bye }}\n  bye: {{ hangup: completed }}\n"
        )
    };
    assert_eq!(broken(&flow("yes_no")), BTreeSet::from(["bad-input"]));
    assert_eq!(broken(&flow("{ digits: 4 }")), BTreeSet::new());
}

#[test]
fn an_apology_must_be_sayable_wherever_something_fails_and_short() {
    let flow = |apology: &str| {
        format!(
            "flow: a\nformat: 1\nlanguages: [en]\ninputs: {{ who: text }}\nvars:\n  tries: {{ type: number, default: 0 }}\n  late: text\nprompts:\n  apology: {apology}\nsteps:\n  start:\n    - set: {{ late: x, tries: \"${{tries + 1}}\" }}\n    - use: orders/lookup@1\n      with: {{ order_no: \"12345678\" }}\n      as: order\n      then: {{ else: bye }}\n  bye:\n    - say: \"${{late}}\"\n    - hangup: done\n"
        )
    };
    let told = |apology: &str| -> Vec<String> {
        let text = flow(apology);
        let mut catalog = support::project();
        catalog
            .audio
            .as_mut()
            .expect("known")
            .insert("audio/long.wav".to_owned());
        catalog.audio_ms.insert("audio/long.wav".to_owned(), 20_001);
        let all = check("a.flow.yaml", text.as_bytes(), &catalog).diagnostics;
        all.iter()
            .map(|found| format!("{}: {}", found.rule, found.message.english()))
            .collect()
    };
    for apology in [
        "\"Sorry, ${who}. You tried ${tries} times, from ${call.from | phone}.\"",
        "{ en: { audio: audio/hold.wav, text: Sorry. } }",
    ] {
        assert_eq!(told(apology), [""; 0], "{apology}");
    }
    for (apology, wanted) in [
        (
            "\"Sorry about ${late}.\"",
            "unassigned-variable: `late` may have no value",
        ),
        (
            "\"Sorry about ${order.status_text}, ${order.status}.\"",
            "unassigned-variable: `order` may have no value",
        ),
        ("\"Sorry, ${whom}.\"", "unknown-variable: "),
        ("\"Sorry, ${call.too}.\"", "unknown-field: "),
        (
            "{ en: { audio: audio/long.wav } }",
            "long-prompt: saying `apology` takes about 21 seconds",
        ),
    ] {
        let told = told(apology);
        assert_eq!(told.len(), 1, "{told:#?}");
        assert!(told[0].starts_with(wanted), "{told:#?}");
    }
    let long = format!("\"{}\"", "We are very sorry. ".repeat(30).trim());
    let told = told(&long);
    assert_eq!(told.len(), 1, "{told:#?}");
    assert!(told[0].starts_with("long-prompt: "), "{told:#?}");
}

#[test]
fn a_transfer_to_what_cannot_be_called_is_told_in_a_lone_file_too() {
    let transferring = |target: &str| {
        format!(
            "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    transfer: \"{target}\"\n    then: {{ else: bye }}\n  bye: {{ hangup: completed }}\n"
        )
    };
    let alone = Catalog {
        destinations: None,
        ..support::project()
    };
    for catalog in [&alone, &support::project()] {
        for target in ["", " ", "+", "sip:", "sip:a b@c", "sips:desk@", "tel:desk"] {
            let checked = check("a.flow.yaml", transferring(target).as_bytes(), catalog);
            let found = checked.diagnostics;
            let rules: Vec<&str> = found.iter().map(|found| found.rule).collect();
            assert_eq!(rules, ["unknown-destination"], "{target:?}");
            for (language, write) in [
                (Language::English, "write a number such as"),
                (Language::Chinese, "请写电话号码"),
            ] {
                let help = found[0]
                    .help
                    .as_ref()
                    .map(|help| help.in_language(language));
                assert!(help.is_some_and(|help| help.contains(write)), "{target:?}");
            }
        }
        for target in [
            "supplier-a",
            "+86 138-0013-8000",
            "sip:a@b.example",
            "tel:+123",
        ] {
            let checked = check("a.flow.yaml", transferring(target).as_bytes(), catalog);
            assert!(checked.diagnostics.is_empty(), "{target}: {checked:?}");
        }
    }
    // Another name may be a supplier's, where nobody knows them.
    assert_eq!(
        broken(&transferring("desk")),
        BTreeSet::from(["unknown-destination"])
    );
    let checked = check("a.flow.yaml", transferring("desk").as_bytes(), &alone);
    assert!(checked.diagnostics.is_empty(), "{checked:?}");
}
