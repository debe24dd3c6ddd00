//! Has the host do its work: a prompt that inserts itself, prompts by the thousand, values nested beyond any use, figures of
//! 200,000 digits to be put into words. Input `say`, a prompt with `value` in it. Data: `answers`.

use serde_json::{Value, json};
use strowger_guests::{answer, done, field, guest};
use strowger_sdk::media::{self, Binding, Bound, Prompt, SpokenValue, Utterance};
use strowger_sdk::{Failure, Outcome};

guest! { name: "guest-mirror", steps: ["go"], run: run }

fn run(_step: &str, input: &Value) -> Result<Outcome, Failure> {
    let own: String = field(input, "say");
    let say = |what: Utterance| answer(media::say(&what, false).map(|_| ()));
    let bound = |value: Bound| {
        Utterance::given(&own).bind(Binding {
            name: "value".to_owned(),
            value,
        })
    };
    let spoken = |value: String, style: &str| {
        say(Utterance::silence().then(Prompt::Spoken(SpokenValue {
            value,
            style: style.to_owned(),
            language: None,
        })))
    };
    let many = |count| (0..count).map(|_| Prompt::Given(own.clone())).collect();
    let crowd = |count| {
        let silence = Utterance::silence();
        (0..count).fold(silence, |all, _| all.then(Prompt::text("x")))
    };
    let answers = [
        say(bound(Bound::Prompts(vec![Prompt::Given(own.clone())]))),
        say(bound(Bound::Prompts(many(200)))),
        say(bound(Bound::Value(format!(
            "{}{}",
            "[".repeat(50_000),
            "]".repeat(50_000)
        )))),
        say(crowd(257)),
        spoken("9".repeat(200_000), "digits"),
        spoken(format!("\"{}\"", "9".repeat(200_000)), "digits"),
        spoken("1e308".to_owned(), "number"),
        spoken("-9223372036854775808".to_owned(), "ordinal"),
        spoken(
            "{\"amount\":9223372036854775807,\"currency\":\"XXX\"}".to_owned(),
            "money",
        ),
        spoken("1".to_owned(), &"x".repeat(10_000)),
    ];
    done(&json!({ "answers": answers }))
}
