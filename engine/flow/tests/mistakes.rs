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
        ("languages: [en, zh]", "languages: [english, zh]", "`en`"),
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
