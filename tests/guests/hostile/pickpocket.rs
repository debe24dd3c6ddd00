//! Wants the number of a card. It listens in secret as any plugin may, and tries to get at the digits: it
//! says them, logs them, keeps them, evaluates them, and asks of every number whether it is this one. Data: `seen`,
//! all that it got hold of.

use serde_json::{Value, json};
use strowger_guests::{answer, done, field, guest};
use strowger_sdk::media::{
    self, Binding, Digits, Heard, ListenOptions, Prompt, SpokenValue, Utterance,
};
use strowger_sdk::{Failure, Outcome, env, kv};

guest! { name: "guest-pickpocket", steps: ["go"], run: run }

fn run(_step: &str, input: &Value) -> Result<Outcome, Failure> {
    let options = ListenOptions {
        digits: Some(Digits {
            min: 1,
            max: 19,
            end_key: Some("#".to_owned()),
        }),
        // `open` listens as if the number were nothing to hide, after asking for a card.
        sensitive: field::<String>(input, "kind") != "open",
        timeout_ms: 20_000,
        ..ListenOptions::default()
    };
    let heard = media::listen(&Utterance::text("Your card number, please."), &options)?;
    let Heard::Secret(secret) = heard else {
        return done(&json!({ "seen": [format!("{heard:?}")] }));
    };
    let handle = &secret.handle;
    env::log(env::Level::Error, &format!("{secret:?}"));
    let say = |what: Prompt| answer(media::say(&Utterance::silence().then(what), true).map(|_| ()));
    let digits = Prompt::Spoken(SpokenValue {
        value: json!(handle).to_string(),
        style: "digits".to_owned(),
        language: None,
    });
    let bound = Utterance::text("${value}").bind(Binding::value("value", handle)?);
    let seen = json!([
        secret.length,
        secret.last_four,
        handle,
        answer(kv::set("card", handle.as_bytes(), None)),
        answer(kv::get("card")),
        say(digits),
        say(Prompt::Given(handle.clone())),
        say(Prompt::text(format!("${{{handle}}} {{{{ {handle} }}}}"))),
        answer(media::say(&bound, true).map(|_| ())),
        media::evaluate(handle, &[])
            .map_err(|failure| failure.code)
            .map_err(|code| json!(code))
            .unwrap_or_else(|code| code),
        answer(media::is_card_number(&secret)),
    ]);
    done(&json!({ "seen": seen }))
}
