//! What is said: languages, bindings, slots, spoken values.

use strowger_contact::Channel;

use crate::Walk;

const FLOW: &str = r#"
flow: prompts
format: 1
languages: [zh, en]
vars: { no: { type: text, default: "0042" } }
prompts:
  own: { zh: 你好, en: Hello }
  both:
    any:
      - { lang: zh, text: 中文请按一。 }
      - { lang: en, text: "For English, press two." }
  first: { zh: 只有中文 }
  recorded: { any: { audio: audio/bye.wav, text: Goodbye, chat: "Bye!" } }
  list: { any: "Choose: ${choices}" }
  value: { any: "It is ${no | digits}." }
  label: { any: the second }
steps:
  start:
    - set: { call.language: en, call.priority: 70 }
    - say: own
    - say: both
    - say: first
    - say: recorded
    - menu: list
      press: { 2: { to: ask, label: label } }
      then: { no_input: ask, no_match: ask }
  ask:
    ask: value
    into: no
    expect: { digits: 4 }
    valid: no != "9999"
    then: { ok: bye, no_input: bye, no_match: bye }
  bye: { hangup: completed }
"#;

#[test]
fn a_prompt_speaks_the_language_else_any_else_the_first() {
    let mut walk = Walk::new(&[FLOW]);
    walk.run("connect");
    assert_eq!(walk.contact.language(), "en");
    for said in [
        "play Hello",
        "play 中文请按一。 / For English, press two.",
        "play 只有中文",
        "play Goodbye",
    ] {
        walk.check("say", said);
        walk.all(&["played", "end done"]);
    }
}

#[test]
fn audio_is_read_in_a_chat() {
    let mut walk = Walk::on(Channel::Chat, &[FLOW]);
    walk.all(&["connect", "end done", "end done", "end done"]);
    walk.check("say", "play Bye!");
}

fn at_menu() -> Walk {
    let mut walk = Walk::new(&[FLOW]);
    walk.all(&["connect", "end done", "end done", "end done", "end done"]);
    walk
}

#[test]
fn a_name_may_stand_for_prompts() {
    let mut walk = at_menu();
    let label = walk.input["press"]["2"]["label"]
        .as_str()
        .expect("a label")
        .to_owned();
    let prompt = walk.input["prompt"].as_str().expect("a prompt").to_owned();
    let listen = format!(
        r#"call media.say [{{"prompts":[{{"given":"{prompt}"}}],"bindings":[{{"name":"choices","value":{{"prompts":[
            {{"text":{{"text":"For "}}}},{{"given":"{label}"}},{{"text":{{"text":", press "}}}},
            {{"spoken":{{"value":"2","style":"digits"}}}},{{"text":{{"text":"."}}}}]}}}}]}}, true]"#
    );
    walk.check(&listen, "play Choose: For the second, press 2.");
}

#[test]
fn a_name_that_nobody_bound_is_an_error() {
    let done = at_menu().run("listen");
    assert!(done.starts_with("reply err:failed:"), "{done}");
}

#[test]
fn values_are_bound_in_the_type_of_the_variable() {
    let mut walk = at_menu();
    walk.run("end 2");
    walk.check("listen", "play It is 0, 0, 4, 2.");
    walk.all(&["keys 1234"]);
    let bound = r#"[{"name":"no","value":{"value":"\"1234\""}}]"#;
    let valid = walk.input["valid"]
        .as_str()
        .expect("an expression")
        .to_owned();
    walk.check(
        &format!(r#"call media.evaluate ["{valid}", {bound}]"#),
        "reply ok:true",
    );
    let bound = bound.replace("1234", "9999");
    walk.check(
        &format!(r#"call media.evaluate ["{valid}", {bound}]"#),
        "reply ok:false",
    );
    let prompt = walk.input["prompt"].as_str().expect("a prompt").to_owned();
    walk.check(
        &format!(
            r#"call media.say [{{"prompts":[{{"given":"{prompt}"}}],"bindings":{bound}}}, true]"#
        ),
        "play It is 9, 9, 9, 9.",
    );
}

#[test]
fn a_steps_own_texts_are_one_sentence_and_given_prompts_stand_alone() {
    let mut walk = Walk::new(&[FLOW]);
    walk.run("connect");
    let prompt = walk.input["prompt"].as_str().expect("a prompt").to_owned();
    walk.check(
        &format!(
            r#"call media.say [{{"prompts":[{{"text":{{"text":"You have "}}}},{{"spoken":{{"value":"3","style":"number"}}}},
            {{"text":{{"text":" cases."}}}},{{"given":"{prompt}"}},{{"audio":"audio/x.wav"}},{{"text":{{"text":"好","language":"zh"}}}}]}}, true]"#
        ),
        "play You have three cases. / Hello / [audio/x.wav] / 好",
    );
}

#[test]
fn facts_follow_the_flow() {
    let mut walk = Walk::new(&[FLOW]);
    walk.run("connect");
    walk.check(
        "call contact.read",
        "reply channel:voice,from:+8613800138000,id:c-1,language:en,priority:70,started-at:1772445600000,to:100",
    );
}

#[test]
fn an_utterance_has_a_limit() {
    let mut walk = Walk::new(&[FLOW]);
    walk.run("connect");
    let prompts = vec![r#"{"text":{"text":"a"}}"#; 257].join(",");
    let done = walk.run(&format!(
        r#"call media.say [{{"prompts":[{prompts}]}}, true]"#
    ));
    assert!(done.starts_with("reply err:limit:"), "{done}");
    walk.check(
        r#"call media.say [{"prompts":[]}, true]"#,
        "reply ok:finished",
    );
}
