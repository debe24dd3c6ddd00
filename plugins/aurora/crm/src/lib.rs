//! Aurora's customers: who is calling, and notes about them, at the shop's order service.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strowger_sdk::http::{Request, encode};
use strowger_sdk::{Failure, Outcome, contact, env};

strowger_sdk::plugin! {
    description: "../description.json",
    steps: { "caller" => caller, "note" => note },
}

/// What the operator configures.
#[derive(Deserialize)]
struct Config {
    /// Where the service listens, without a slash at the end.
    base_url: String,
}

#[derive(Deserialize)]
struct Caller {
    phone: String,
}

#[derive(Deserialize, Serialize)]
struct Note {
    phone: String,
    text: String,
}

/// A customer as the service tells it.
#[derive(Deserialize)]
struct Customer {
    id: String,
    tier: String,
    surname: String,
    /// By language.
    honorific: BTreeMap<String, String>,
    open_cases: u32,
}

/// A customer as the flow gets it.
#[derive(Serialize)]
struct Known {
    id: String,
    tier: String,
    surname: String,
    honorific: String,
    open_cases: u32,
}

fn caller(input: Caller) -> Result<Outcome, Failure> {
    if input.phone.is_empty() {
        return Ok(Outcome::named("unknown"));
    }
    let facts = contact::read();
    // The service writes names in these two languages.
    let language = if facts.primary_language() == "zh" {
        "zh"
    } else {
        "en"
    };
    let phone = encode(&input.phone);
    let response = Request::get(format!(
        "{}/customers?phone={phone}&lang={language}",
        base_url()?
    ))
    .send()?;
    match response.status {
        200 => {
            let customer: Customer = response.json()?;
            let honorific = facts
                .choose(&customer.honorific)
                .unwrap_or_default()
                .to_owned();
            Outcome::with(
                "known",
                &Known {
                    id: customer.id,
                    tier: customer.tier,
                    surname: customer.surname,
                    honorific,
                    open_cases: customer.open_cases,
                },
            )
        }
        404 => Ok(Outcome::named("unknown")),
        _ => Err(response.unexpected(SERVICE)),
    }
}

fn note(input: Note) -> Result<Outcome, Failure> {
    let response = Request::post(format!("{}/customers/notes", base_url()?))
        .json(&input)?
        .send()?;
    match response.status {
        201 => Ok(Outcome::named("noted")),
        _ => Err(response.unexpected(SERVICE)),
    }
}

fn base_url() -> Result<String, Failure> {
    Ok(env::config::<Config>()?.base_url)
}

/// As failures name it.
const SERVICE: &str = "the customer service";

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use strowger_sdk::harness::{Ran, Script, check_description};

    fn run(script: Script, step: &str, input: Value) -> Ran {
        let script = script.config(&json!({ "base_url": "http://crm.test" }));
        script.run(|| super::run(step, &input.to_string()))
    }

    #[test]
    fn the_description_is_sound() {
        check_description(super::DESCRIPTION, super::STEPS);
    }

    #[test]
    fn a_known_caller_is_addressed_in_the_language_of_the_contact() {
        let customer = json!({
            "id": "c-42", "tier": "platinum", "surname": "王",
            "honorific": { "en": "Ms", "zh": "女士" }, "open_cases": 0,
        });
        let script = Script::new().language("zh").answer(200, &customer);
        let ran = run(script, "caller", json!({ "phone": "+8613800138000" }));
        let known = json!({ "id": "c-42", "tier": "platinum", "surname": "王", "honorific": "女士", "open_cases": 0 });
        assert_eq!(ran.outcome(), ("known", known));
        assert_eq!(
            ran.requests[0].url,
            "http://crm.test/customers?phone=%2B8613800138000&lang=zh"
        );
    }

    #[test]
    fn a_caller_may_be_unknown_or_withhold_the_number() {
        let ran = run(
            Script::new().answer(404, &json!({})),
            "caller",
            json!({ "phone": "+1" }),
        );
        assert_eq!(ran.outcome().0, "unknown");
        let ran = run(Script::new(), "caller", json!({ "phone": "" }));
        assert_eq!((ran.outcome().0, ran.requests.len()), ("unknown", 0));
    }

    #[test]
    fn a_note_is_noted() {
        let note = json!({ "phone": "+8613800138000", "text": "挂断" });
        let ran = run(
            Script::new().answer(201, &json!({ "id": "note-1" })),
            "note",
            note.clone(),
        );
        assert_eq!(ran.outcome().0, "noted");
        assert_eq!(ran.requests[0].body, Some(note.to_string().into_bytes()));
        assert_eq!(
            run(Script::new().answer(500, &json!({})), "note", note).failure(),
            "unexpected-status"
        );
    }
}
