//! Aurora's rule for who is served first, and by whom.
//!
//! | tier | priority |
//! |---|---|
//! | platinum | 90 |
//! | gold with open cases | 60, and 5 more for each case, up to 80 |
//! | gold | 55 |
//! | standard | 50, and 5 more when a case is open |
//!
//! By day the shop's own advisers are asked first and the partner is the fallback, by night it is the
//! other way round. Platinum customers always ask for their own adviser first.

use serde::{Deserialize, Serialize};
use strowger_sdk::{Failure, Outcome, env};

strowger_sdk::plugin! {
    description: "../description.json",
    steps: { "decide" => decide },
}

/// What the flow gives. Defaults are those of the description.
#[derive(Deserialize)]
struct Decide {
    tier: Tier,
    #[serde(default)]
    open_cases: u32,
    house: String,
    partner: String,
    #[serde(default = "timezone")]
    timezone: String,
    /// Hour of the day.
    #[serde(default = "from")]
    from: u8,
    /// Hour of the day, not counted.
    #[serde(default = "to")]
    to: u8,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Tier {
    Platinum,
    Gold,
    Standard,
}

#[derive(Serialize)]
struct Decision {
    priority: u32,
    supplier: String,
    fallback: String,
}

fn decide(input: Decide) -> Result<Outcome, Failure> {
    let hour = env::local_time(&input.timezone)?.hour;
    let by_day = (input.from..input.to).contains(&hour);
    let priority = match (input.tier, input.open_cases) {
        (Tier::Platinum, _) => 90,
        (Tier::Gold, 0) => 55,
        (Tier::Gold, cases) => 60 + cases.min(4) * 5,
        (Tier::Standard, 0) => 50,
        (Tier::Standard, _) => 55,
    };
    let (supplier, fallback) = match by_day || input.tier == Tier::Platinum {
        true => (input.house, input.partner),
        false => (input.partner, input.house),
    };
    let outcome = if priority >= 60 { "vip" } else { "standard" };
    Outcome::with(
        outcome,
        &Decision {
            priority,
            supplier,
            fallback,
        },
    )
}

fn timezone() -> String {
    "Asia/Shanghai".to_owned()
}

fn from() -> u8 {
    9
}

fn to() -> u8 {
    21
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use strowger_sdk::harness::{Script, check_description};

    fn decide(tier: &str, open_cases: u32, hour: u8) -> (String, Value) {
        let input = json!({ "tier": tier, "open_cases": open_cases, "house": "aurora", "partner": "borealis" });
        let ran = Script::new()
            .at((2026, 3, 2), 1, (hour, 0))
            .run(|| super::run("decide", &input.to_string()));
        let (outcome, data) = ran.outcome();
        (outcome.to_owned(), data)
    }

    #[test]
    fn the_description_is_sound() {
        check_description(super::DESCRIPTION, super::STEPS);
    }

    #[test]
    fn tier_and_open_cases_make_the_priority() {
        for (tier, cases, outcome, priority) in [
            ("platinum", 0, "vip", 90),
            ("gold", 0, "standard", 55),
            ("gold", 1, "vip", 65),
            ("gold", 9, "vip", 80),
            ("standard", 0, "standard", 50),
            ("standard", 3, "standard", 55),
        ] {
            let (name, data) = decide(tier, cases, 10);
            assert_eq!(
                (name.as_str(), &data["priority"]),
                (outcome, &json!(priority)),
                "{tier} with {cases}"
            );
        }
    }

    #[test]
    fn the_hour_decides_who_is_asked_first() {
        let asked = |tier, hour| {
            let (_, data) = decide(tier, 1, hour);
            format!(
                "{} {}",
                data["supplier"].as_str().unwrap_or("?"),
                data["fallback"].as_str().unwrap_or("?")
            )
        };
        assert_eq!(asked("gold", 9), "aurora borealis");
        assert_eq!(asked("gold", 21), "borealis aurora");
        assert_eq!(asked("platinum", 3), "aurora borealis");
    }
}
