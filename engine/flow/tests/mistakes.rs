//! Mistakes that people make who know YAML, another language of flows, or half of this one: each is one finding, whose
//! advice says what to write.

mod support;

use strowger_flow::check;

/// A flow in which all of this is right.
const RIGHT: &str = r#"flow: a
format: 1
languages: [en, zh]
vars:
  tries: { type: number, default: 0 }
  size: { type: text, one_of: [small, large], default: small }
  paid: { type: bool, default: false }
hours:
  desk:
    timezone: Asia/Shanghai
    weekly:
      mon-fri: 09:00-18:00
prompts:
  again:
    en: Once more, please.
    zh: 请再来一次。
  sorry:
    en: Sorry.
    zh: 抱歉。
steps:
  start:
    hours: desk
    then: { open: begin, closed: bye }
  begin:
    - set: { tries: "${tries + 1}" }
    - ask: { en: Your order number, zh: 请输入订单号 }
      expect: { digits: 8 }
      into: number
      reprompt: { no_match: [again] }
      then: { no_input: bye, no_match: bye }
    - use: orders/lookup@1
      with: { order_no: "${number}" }
      as: the_person
      then: { found: told, not_found: bye, timeout: bye, error: bye }
  told:
    - choose:
        - when: size == "small" and not paid and tries < 3
          then: [{ say: sorry }]
        - else: [{ say: again }]
    - say: { en: "${the_person.status_text} ${the_person.status_text}", zh: "${the_person.status_text}" }
    - switch: size
      then: { small: bye, else: large }
  large:
    - say: again
    - goto: bye
  bye: { hangup: completed }
"#;

/// What is told of a text, as `rule line: message; help`.
fn told(text: &str) -> Vec<String> {
    let checked = check("a.flow.yaml", text.as_bytes(), &support::project());
    let found = checked.diagnostics.iter().map(|found| {
        let help = found.help.as_ref().map_or("", |help| help.english());
        format!(
            "{} {}: {}; {help}",
            found.rule,
            found.primary.place.line,
            found.message.english()
        )
    });
    found.collect()
}

/// Writes each mistake, as what is right, what was written and what is to be told, into [`RIGHT`] by itself.
#[track_caller]
fn each_is_one_finding(mistakes: &[(&str, &str, &str)]) {
    let mut failed = Vec::new();
    for (right, wrong, wanted) in mistakes {
        assert!(RIGHT.contains(right), "{right}");
        let text = RIGHT.replacen(right, wrong, 1);
        let told = told(&text);
        if !matches!(told.as_slice(), [one] if one.contains(wanted)) {
            failed.push(format!("{wrong}\n    {}", told.join("\n    ")));
        }
    }
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
}

#[test]
fn a_flow_without_mistakes_has_none() {
    assert_eq!(told(RIGHT), [""; 0]);
}

#[test]
fn a_mistake_is_one_finding_and_its_advice_says_what_to_write() {
    let mistakes = [
        // (what is right, what was written, what has to be told)
        (
            "use: orders/lookup@1",
            "plugin: orders/lookup@1",
            "did you mean `use`",
        ),
        (
            "use: orders/lookup@1",
            "step: orders/lookup@1",
            "did you mean `use`",
        ),
        ("as: the_person", "as: The_person", "`the_person`"),
        ("as: the_person", "as: the-person", "`the_person`"),
        (
            "{ type: number, default: 0 }",
            "0",
            "{ type: number, default: 0 }",
        ),
        (
            "{ type: bool, default: false }",
            "false",
            "{ type: bool, default: false }",
        ),
        ("default: small", "default: others", "one of"),
        ("languages: [en, zh]", "languages: en, zh", "[en, zh]"),
        ("languages: [en, zh]", "languages: en, zh]", "[en, zh]"),
        ("languages: [en, zh]", "languages: [en zh]", "`en, zh`"),
        ("languages: [en, zh]", "languages: [en, zhh]", "`zh`"),
        ("languages: [en, zh]", "languages: [em, zh]", "`en`"),
        ("languages: [en, zh]", "languages: [english, zh]", "`en`"),
        ("  start:\n", "  start::\n", "one colon too many"),
        ("  told:\n", "  told::\n", "one colon too many"),
        ("  desk:\n", "  desk::\n", "one colon too many"),
        ("languages: [en, zh]", "languages: [en, cn]", "`zh`"),
        (
            "- else: [{ say: again }]",
            "- then: [{ say: again }]",
            "else",
        ),
        ("else: large }", "default: large }", "`else`"),
        ("type: bool", "type: boolean", "`bool`"),
        ("type: number", "type: integer", "`number`"),
        ("{ type: text,", "{ type: string,", "`text`"),
        ("- goto: bye", "- bye", "goto: bye"),
        (
            "reprompt: { no_match: [again] }",
            "reprompt: { no_match: again }",
            "[again]",
        ),
        ("      into: number\n", "      as: number\n", "`number."),
        ("\"${tries + 1}\"", "tries + 1", "${tries + 1}"),
        ("bye: { hangup: completed }", "bye: hangup", "hangup:"),
        ("not_found: bye,", "missing: bye,", "`not_found`"),
        ("order_no: \"${number}\"", "order_no: number", "${number}"),
        ("order_no: \"${number}\"", "order_no: \"12ab\"", "shape"),
        ("mon-fri:", "mon,tue,wed,thu,fri:", "mon-fri"),
    ];
    each_is_one_finding(&mistakes);
}

#[test]
fn a_full_width_sign_where_the_language_has_its_own_is_one_finding() {
    let mistakes = [
        // (what is right, what was written, what is to be typed)
        ("flow: a", "flow：a", "`:` and a blank"),
        ("format: 1", "format: １", "`1`"),
        ("languages: [en, zh]", "languages: [en，zh]", "`,`"),
        (
            "languages: [en, zh]",
            "languages: ［en， zh］",
            "`[en, zh]`",
        ),
        ("languages: [en, zh]", "languages: 【en、zh】", "`[en,zh]`"),
        ("steps:\n", "steps：\n", "`:`"),
        ("  start:\n    hours", "  start：\n    hours", "`:`"),
        ("    hours: desk", "    hours：desk", "`:`"),
        (
            "    then: { open: begin, closed: bye }",
            "    then： { open： begin， closed： bye }",
            "`: { open: begin, closed:`",
        ),
        (
            "{ open: begin, closed: bye }",
            "｛ open: begin, closed: bye ｝",
            "`{ open: begin, closed: bye }`",
        ),
        (
            "mon-fri: 09:00-18:00",
            "mon-fri: 09：00－18：00",
            "`:00-18:`",
        ),
        ("mon-fri:", "mon－fri:", "`-`"),
        ("expect: { digits: 8 }", "expect: { digits： 8 }", "`:`"),
        ("expect: { digits: 8 }", "expect: { digits: ８ }", "`8`"),
        ("expect: { digits: 8 }", "expect: （ digits: 8 ）", ""),
        ("use: orders/lookup@1", "use: orders/lookup＠1", "`@`"),
        ("use: orders/lookup@1", "use: orders／lookup@1", "`/`"),
        (
            "    - say: again\n    - goto",
            "    - say： again\n    - goto",
            "`:`",
        ),
        (
            "    - say: again\n    - goto",
            "    － say: again\n    - goto",
            "`-`",
        ),
        ("    - goto: bye", "    - goto：bye", "`:`"),
        (
            "bye: { hangup: completed }",
            "bye: { hangup：completed }",
            "`:`",
        ),
        ("    zh: 抱歉。", "    zh： 抱歉，请稍候。", "`:`"),
        (
            "when: size == \"small\" and not paid and tries < 3",
            "when: size ＝＝ \"small\" and not paid and tries < 3",
            "`==",
        ),
        (
            "when: size == \"small\" and not paid and tries < 3",
            "when: size == “small” and not paid and tries < 3",
            "`\"",
        ),
        (
            "when: size == \"small\" and not paid and tries < 3",
            "when: size == \"small\" and not paid and tries < ３",
            "`3`",
        ),
        (
            "when: size == \"small\" and not paid and tries < 3",
            "when: （size == \"small\"） and not paid and tries < 3",
            "`(",
        ),
        ("tries + 1}\"", "tries ＋ 1}\"", "`+`"),
        ("tries + 1}\"", "tries － 1}\"", "`-`"),
    ];
    each_is_one_finding(&mistakes);
    // What is wrong behind it is told as well.
    let text = RIGHT.replacen(
        "    - say: again\n    - goto",
        "    - say： 您好，<b>\n    - goto",
        1,
    );
    let rules: Vec<String> = told(&text);
    assert_eq!(rules.len(), 2, "{rules:#?}");
    assert!(
        rules[0].starts_with("full-width") && rules[1].starts_with("bad-ssml"),
        "{rules:#?}"
    );
    // In texts they are right, whatever else is wrong there.
    let text = RIGHT.replacen("zh: 抱歉。", "zh: 抱歉，（请稍候）：１。", 1);
    assert_eq!(told(&text), [""; 0]);
    let text = text.replacen("then: [{ say: sorry }]", "then: [{ say: sory }]", 1);
    let told = told(&text);
    assert!(
        matches!(told.as_slice(), [one] if one.starts_with("unknown-prompt")),
        "{told:#?}"
    );
}

#[test]
fn nothing_has_one_name() {
    for nothing in ["null", "nil", "undefined", "None", "NULL", "nothing"] {
        let written = format!("when: size != {nothing} and not paid");
        let text = RIGHT.replacen(
            "when: size == \"small\" and not paid and tries < 3",
            &written,
            1,
        );
        let told = told(&text);
        assert!(
            matches!(told.as_slice(), [one] if one.contains("none")),
            "{nothing}: {told:#?}"
        );
    }
}

/// [`RIGHT`] with a menu and a test.
fn with_test(act: &str) -> String {
    format!(
        "{RIGHT}tests:\n  one:\n    given: {{ hours: {{ desk: open }} }}\n    run:\n      - {act}\n"
    )
}

#[test]
fn keys_of_a_test_are_written_as_they_are_pressed() {
    assert_eq!(told(&with_test("press: \"1#\"")), [""; 0]);
    for (act, wanted) in [
        ("press: hash", "did you mean `\"#\"`?"),
        ("press: star", "did you mean `\"*\"`?"),
        ("press: Hash", "did you mean `\"#\"`?"),
        ("press: pound", "`\"123#\"`"),
        ("press: 1 hash", "`\"123#\"`"),
        ("press: #", "\"#\""),
        ("press: ＃", "`#`"),
        (
            "expect: { used: orders/lokup }",
            "did you mean `orders/lookup`?",
        ),
        (
            "expect: { used: [orders/lookup@2] }",
            "did you mean `orders/lookup@1`?",
        ),
        ("expect: { queue: front-dsk }", "did you mean `front-desk`?"),
        (
            "expect: { transfer: suplier-a }",
            "did you mean `supplier-a`?",
        ),
        ("expect: { step: lage }", "did you mean `large`?"),
        ("expect: agian", "did you mean `again`?"),
    ] {
        let told = told(&with_test(act));
        assert!(
            matches!(told.as_slice(), [one] if one.contains(wanted)),
            "{act}: {told:#?}"
        );
    }
    assert_eq!(
        told(&with_test("expect: { used: [orders/lookup@1] }")),
        [""; 0]
    );
}

#[test]
fn what_is_pressed_leads_to_a_step_or_to_a_flow_by_its_full_name() {
    let menu = |target: &str| {
        RIGHT.replacen(
            "    - say: again\n    - goto: bye",
            &format!("    - menu: \"Press 2.\"\n      press: {{ 2: {target} }}\n      then: {{ no_input: bye, no_match: bye }}"),
            1,
        )
    };
    assert_eq!(told(&menu("flow:order-status")), [""; 0]);
    for (target, wanted) in [
        ("order-status", "`flow:order-status`"),
        ("order-statu", "flow:order-status"),
        ("main_menu", "flow:main-menu"),
    ] {
        let told = told(&menu(target));
        assert!(
            matches!(told.as_slice(), [one] if one.contains(wanted)),
            "{target}: {told:#?}"
        );
    }
}

#[test]
fn a_value_that_stands_where_a_name_has_to_is_told_with_what_it_is() {
    for (inserted, wanted) in [
        ("${30m|number}", "`30m`"),
        ("${30m | number}", "`30m`"),
        ("${5s}", "`5s`"),
        ("${09:30}", "`09`"),
        ("${2026-03-05 | date}", "`03`"),
        ("${199.00 CNY | money}", "`CNY`"),
    ] {
        let text = RIGHT.replacen("zh: 抱歉。", &format!("zh: \"{inserted}\""), 1);
        let told = told(&text);
        assert!(
            matches!(told.as_slice(), [one] if one.contains(wanted)),
            "{inserted}: {told:#?}"
        );
        println!("{inserted}: {told:#?}");
    }
}

#[test]
fn nothing_comes_after_what_leads_away() {
    each_is_one_finding(&[
        (
            "    - say: again\n    - goto: bye",
            "    - say: again\n    - goto: bye\n      then: bye",
            "`goto` has no `then`; nothing comes after `goto`: leave `then:` out",
        ),
        (
            "    - say: again\n    - goto: bye",
            "    - say: again\n    - goto: bye\n      then: { done: bye }",
            "`goto` has no `then`; nothing comes after `goto`: leave `then:` out",
        ),
        (
            "bye: { hangup: completed }",
            "bye: { hangup: completed, then: large }",
            "`hangup` has no `then`; nothing comes after `hangup`: leave `then:` out",
        ),
        (
            "    - choose:\n",
            "    - then: bye\n      choose:\n",
            "`choose` has no `then`; each line of `choose` has a `then:` of its own",
        ),
    ]);
}

/// A flow with what [`RIGHT`] has not: a menu, a queue, a transfer, an `if`.
const CALL: &str = r#"flow: a
format: 1
languages: [en]
vars:
  tries: { type: number, default: 0 }
  size: { type: text, one_of: [small, large], default: small }
  paid: { type: bool, default: false }
hours:
  desk:
    timezone: Asia/Shanghai
    weekly:
      mon-fri: 09:00-18:00
    closed: [2026-12-25]
prompts:
  again: Once more, please.
  sorry: Sorry.
global:
  press: { 0: person }
  error: person
steps:
  start:
    hours: desk
    then: { open: main, closed: bye }
  main:
    menu: For orders press 1, for a person press 2.
    press: { 1: begin, 2: { to: person, label: a person } }
    attempts: 3
    reprompt: { no_input: [again] }
    then: { no_input: person, no_match: person }
  begin:
    - set: { tries: "${tries + 1}" }
    - ask: Your order number
      expect: { digits: 8 }
      into: number
      then: { no_input: bye, no_match: bye }
    - use: orders/lookup@1
      with: { order_no: "${number}" }
      as: the_order
      then: { found: told, not_found: bye, timeout: bye }
  told:
    - choose:
        - when: size == "small" and not paid and tries < 3
          then: [{ say: sorry }]
        - else: [{ say: again }]
    - say: "Your order is ${the_order.status_text}."
    - if: tries < 3 and not paid
      then: look
      else: bye
  look:
    - tag: { reason: refund }
    - switch: size
      then: { small: bye, else: large }
  large:
    - say: again
    - wait: 2s
    - goto: bye
  person:
    queue: general
    meanwhile: { music: audio/hold.wav }
    max_wait: 5m
    then: { timeout: supplier, done: bye, else: bye }
  supplier:
    transfer: supplier-a
    ring: 25s
    then: { done: bye, else: bye }
  bye: { hangup: completed }
"#;

const WAYS: &str = "      then: look\n      else: bye";
const IF: &str = "    - if: tries < 3 and not paid";
const SWITCH: &str = "      then: { small: bye, else: large }";
const PRESS: &str = "    press: { 1: begin, 2: { to: person, label: a person } }";
const MISSED: &str = "    then: { no_input: person, no_match: person }";
const SAY: &str = "    - say: again\n";

/// (what is right, what was written, what has to be told, whether carrying out the fixes makes it right)
const OF_OTHER_PRODUCTS: &[(&str, &str, &str, bool)] = &[
    // Names of keys and verbs: Twilio Studio, Amazon Connect, Asterisk, Genesys, jambonz, GitHub Actions, Ansible.
    (
        "languages: [en]",
        "language: en",
        "write `languages: [en]`",
        true,
    ),
    (
        "languages: [en]",
        "lang: [en]",
        "did you mean `languages`?",
        true,
    ),
    (
        "languages: [en]",
        "locale: english",
        "write `languages: [en]`",
        true,
    ),
    ("vars:\n", "variables:\n", "did you mean `vars`?", true),
    ("prompts:\n", "texts:\n", "did you mean `prompts`?", true),
    ("steps:\n", "tasks:\n", "did you mean `steps`?", true),
    (
        "hours:\n  desk",
        "business_hours:\n  desk",
        "did you mean `hours`?",
        true,
    ),
    ("    timezone:", "    tz:", "did you mean `timezone`?", true),
    (
        "    closed:",
        "    holidays:",
        "did you mean `closed`?",
        true,
    ),
    (
        "  error: person",
        "  on_error: person",
        "did you mean `error`?",
        true,
    ),
    ("one_of:", "enum:", "did you mean `one_of`?", true),
    ("  start:\n", "  Start:\n", "did you mean `start`?", true),
    (
        "    transfer:",
        "    transfer_to:",
        "did you mean `transfer`?",
        true,
    ),
    (
        "    transfer:",
        "    transfer_call:",
        "did you mean `transfer`?",
        true,
    ),
    (
        "    ring: 25s",
        "    timeout: 25s",
        "did you mean `ring`?",
        true,
    ),
    (
        "    queue:",
        "    transfer_to_queue:",
        "did you mean `queue`?",
        true,
    ),
    (
        "    max_wait:",
        "    timeout:",
        "did you mean `max_wait`?",
        true,
    ),
    (
        "{ hangup: completed }",
        "{ terminate: completed }",
        "did you mean `hangup`?",
        true,
    ),
    (
        "{ hangup: completed }",
        "{ endCall: completed }",
        "did you mean `hangup`?",
        true,
    ),
    (
        "    - ask:",
        "    - get_digits:",
        "did you mean `ask`?",
        true,
    ),
    ("    - set:", "    - set_fact:", "did you mean `set`?", true),
    (
        "    - goto:",
        "    - redirect:",
        "did you mean `goto`?",
        true,
    ),
    (
        "    - switch:",
        "    - match:",
        "did you mean `switch`?",
        true,
    ),
    (
        SWITCH,
        "      cases: { small: bye, else: large }",
        "did you mean `then`?",
        true,
    ),
    ("    press:", "    options:", "did you mean `press`?", true),
    ("    press:", "    on:", "did you mean `press`?", true),
    (
        MISSED,
        "    on: { no_input: person, no_match: person }",
        "did you mean `then`?",
        true,
    ),
    (
        "    attempts:",
        "    max_attempts:",
        "did you mean `attempts`?",
        true,
    ),
    (
        "no_match: person }",
        "invalid: person }",
        "did you mean `no_match`?",
        true,
    ),
    (
        "closed: bye }",
        "out_of_hours: bye }",
        "did you mean `closed`?",
        true,
    ),
    ("      with:", "      inputs:", "did you mean `with`?", true),
    ("      as:", "      register:", "did you mean `as`?", true),
    ("      as:", "      into:", "did you mean `as`?", true),
    (
        "      into:",
        "      save_as:",
        "did you mean `into`?",
        true,
    ),
    (
        "        - when:",
        "        - if:",
        "did you mean `when`?",
        true,
    ),
    (
        "        - else:",
        "        - default:",
        "did you mean `else`?",
        true,
    ),
    (
        SAY,
        "    - name: greet\n      say: again\n",
        "did you mean `title`?",
        true,
    ),
    // The two ways of an `if`.
    (
        WAYS,
        "      true: look\n      false: bye",
        "write `then:`",
        true,
    ),
    (
        WAYS,
        "      no: bye\n      yes: look",
        "write `then:`",
        true,
    ),
    (
        WAYS,
        "      then: { true: look, false: bye }",
        "write `then: look`",
        false,
    ),
    (
        WAYS,
        "      then: { then: look, else: bye }",
        "write `then: look`",
        false,
    ),
    (
        WAYS,
        "      do: look\n      else: bye",
        "did you mean `then`?",
        true,
    ),
    // Conditions.
    (IF, "    - if: !paid and tries < 3", "write `not`", true),
    (IF, "    - if: !tries and not paid", "write `not`", false),
    (IF, "    - if: $tries < 3", "write `tries`", true),
    (IF, "    - if: tries lt 3", "write `<`", true),
    (
        IF,
        "    - if: len(size) > 3",
        "write `value | length`",
        false,
    ),
    // What stands beside, below, or in a list.
    (
        MISSED,
        "    default: person",
        "then: { else: person }",
        false,
    ),
    (
        SWITCH,
        "      then: { small: bye }\n      default: large",
        "then: { small: bye, else: large }",
        false,
    ),
    (
        MISSED,
        "    no_input: person\n    no_match: person",
        "then: { no_input: person, no_match: person }",
        false,
    ),
    (
        SWITCH,
        "      small: bye\n      else: large",
        "then: { small: bye, else: large }",
        false,
    ),
    (
        SWITCH,
        "      then: { small: bye }\n      else: large",
        "then: { small: bye, else: large }",
        false,
    ),
    (
        "    then: { open: main, closed: bye }",
        "    open: main\n    closed: bye",
        "then: { open: main, closed: bye }",
        false,
    ),
    (
        PRESS,
        "    press:\n      - 1: begin\n      - 2: person",
        "`1: begin`",
        false,
    ),
    (
        PRESS,
        "    press:\n      - key: 1\n        to: begin\n      - key: 2\n        to: person",
        "`1: begin`",
        false,
    ),
    (
        "then: [{ say: sorry }]",
        "then: { say: sorry }",
        "did you mean `[{ say: sorry }]`?",
        true,
    ),
    (
        SAY,
        "    - type: say\n      prompt: again\n",
        "write `say: …`",
        false,
    ),
    (
        SAY,
        "    - action: say\n      text: again\n",
        "write `say: …`",
        false,
    ),
    (
        "{ hangup: completed }",
        "{ type: hangup }",
        "write `hangup: …`",
        false,
    ),
];

#[test]
fn what_other_products_have_people_write_is_one_finding() {
    assert_eq!(told(CALL), [""; 0]);
    let nested = "    - if:\n        when: tries < 3\n        then: look\n        else: bye";
    let nested = (format!("{IF}\n{WAYS}"), nested, "stands beside it", false);
    let mut failed = Vec::new();
    let others = OF_OTHER_PRODUCTS.iter().copied();
    for (right, wrong, wanted, mended) in
        others.chain([(nested.0.as_str(), nested.1, nested.2, nested.3)])
    {
        assert!(CALL.contains(right), "{right}");
        let text = CALL.replacen(right, wrong, 1);
        let told = told(&text);
        if !matches!(told.as_slice(), [one] if one.contains(wanted)) {
            failed.push(format!("{wrong}\n    {}", told.join("\n    ")));
        }
        let fixed = strowger_flow::fix("a.flow.yaml", text.as_bytes(), &support::project());
        let left = self::told(&fixed.expect("the text is UTF-8").text);
        if left.is_empty() != mended {
            failed.push(format!("{wrong}\n    after its fixes: {left:#?}"));
        }
    }
    assert!(failed.is_empty(), "\n{}", failed.join("\n"));
}

#[test]
fn what_has_no_verb_that_we_know_goes_round_in_no_loop() {
    for strange in ["{ vanish: completed }", "{ beam_up: them }"] {
        let text = CALL.replacen("{ hangup: completed }", strange, 1);
        let told = told(&text);
        assert!(
            matches!(told.as_slice(), [one] if one.starts_with("unknown-verb")),
            "{strange}: {told:#?}"
        );
    }
}
