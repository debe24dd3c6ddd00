//! A contact's journal as a conversation that a person can read.

use std::fmt::Write as _;

use serde_json::Value as Json;
use strowger_contact::call::Digits;
use strowger_contact::{Entry, EntryKind, Offer, Segment};
use strowger_flow::unseen::in_its_lines;

/// Renders a journal: time since the start, who, and what. One event a line.
pub fn transcript(entries: &[Entry]) -> String {
    let start = entries.first().map_or(0, |entry| entry.at);
    let mut text = String::new();
    let mut step = String::new();
    let mut keys: Option<(u64, String)> = None;
    for entry in entries {
        let at = entry.at.saturating_sub(start);
        if let EntryKind::Pressed { key } = &entry.kind {
            keys.get_or_insert((at, String::new())).1.push(*key);
            continue;
        }
        if let Some(line) = line(&entry.kind, &mut step) {
            if let Some((at, keys)) = keys.take() {
                write_line(&mut text, at, "caller", &format!("pressed {keys}"));
            }
            write_line(&mut text, at, line.0, &line.1);
        }
    }
    if let Some((at, keys)) = keys {
        write_line(&mut text, at, "caller", &format!("pressed {keys}"));
    }
    text
}

/// What an entry tells a person: who, and what.
pub(crate) fn told(kind: &EntryKind) -> (&'static str, String) {
    match kind {
        EntryKind::Key { key } => ("caller", format!("key {key} arrives")),
        EntryKind::Pressed { key } => ("caller", format!("pressed {key}")),
        EntryKind::Played { error: None, .. } => ("engine", "has said it to the end".to_owned()),
        EntryKind::Played {
            error: Some(error), ..
        } => ("engine", format!("cannot play: {error}")),
        EntryKind::Tick { .. } => ("engine", "a deadline is there".to_owned()),
        EntryKind::Ran { plugin, input, .. } => ("plugin", format!("{plugin} runs with {input}")),
        EntryKind::Asked {
            function, request, ..
        } => ("plugin", format!("{function} {request}")),
        EntryKind::Call {
            function, result, ..
        } => ("engine", format!("{function} answers {result}")),
        EntryKind::Heard { heard } if heard != "nothing" => ("caller", format!("heard {heard}")),
        EntryKind::Offered {
            choices,
            digits,
            text,
            secret,
        } => (
            "engine",
            offer_told(choices, digits.as_ref(), *text, *secret),
        ),
        kind => line(kind, &mut String::new()).unwrap_or(("engine", String::new())),
    }
}

/// A text in one line, with nothing in it that a terminal would obey.
pub(crate) fn one_line(text: &str) -> String {
    in_its_lines(&text.replace(['\n', '\r'], " ")).into_owned()
}

/// What a chat may choose or write.
fn offer_told(choices: &[Offer], digits: Option<&Digits>, text: bool, secret: bool) -> String {
    let mut answers = Vec::new();
    if !choices.is_empty() {
        answers.push(format!("offers {}", buttons(choices)));
    }
    if let Some(Digits { min, max, end_key }) = digits {
        let mut asked = match min == max {
            true => format!("asks for {min} digits"),
            false => format!("asks for {min} to {max} digits"),
        };
        if let Some(key) = end_key {
            let _ = write!(asked, ", {key} at the end");
        }
        answers.push(asked);
    }
    if text {
        answers.push("asks for words".to_owned());
    }
    if answers.is_empty() {
        answers.push("listens".to_owned());
    }
    let answers = answers.join(", or ");
    match secret {
        true => format!("{answers}; the answer is a secret"),
        false => answers,
    }
}

fn buttons(choices: &[Offer]) -> String {
    let offered = choices.iter().map(|offer| match &offer.label {
        Some(label) => format!("[{} {label}]", offer.key),
        None => format!("[{}]", offer.key),
    });
    offered.collect::<Vec<_>>().join(" ")
}

fn write_line(text: &mut String, at: u64, who: &str, what: &str) {
    // What people and plugins wrote must not make lines of its own.
    let (minutes, seconds, tenths) = (at / 60_000, at / 1_000 % 60, at / 100 % 10);
    let what = one_line(what);
    writeln!(text, "{minutes:>3}:{seconds:02}.{tenths}  {who:<7} {what}")
        .expect("writing to a string");
}

/// How a step ended, with what it gave.
pub(crate) fn outcome_told(plugin: &str, outcome: &str, data: &Json) -> String {
    match data {
        Json::Object(fields) if fields.is_empty() => format!("{plugin}: {outcome}"),
        data => format!("{plugin}: {outcome} {data}"),
    }
}

/// How a step failed, and whether it is tried again.
pub(crate) fn failure_told(plugin: &str, code: &str, message: &str, retries_left: u32) -> String {
    let again = match retries_left {
        0 => "",
        _ => "; trying again",
    };
    format!("{plugin}: {code}: {message}{again}")
}

fn line(kind: &EntryKind, step: &mut String) -> Option<(&'static str, String)> {
    let said = |segments: &[Segment]| {
        segments
            .iter()
            .map(Segment::words)
            .collect::<Vec<_>>()
            .join(" ")
    };
    Some(match kind {
        EntryKind::Started { from, to, flow, .. } => (
            "call",
            format!(
                "from {} to {to}: flow {flow}",
                if from.is_empty() { "(withheld)" } else { from }
            ),
        ),
        EntryKind::Entered {
            flow,
            step: name,
            line,
            ..
        } => {
            let place = format!("{flow}:{line} {name}");
            if *step == place {
                return None;
            }
            step.clone_from(&place);
            ("flow", place)
        }
        EntryKind::Said { segments } => ("engine", format!("“{}”", said(segments))),
        EntryKind::Unsaid { error } => ("engine", format!("could not say it: {error}")),
        EntryKind::Wrote { text, .. } => ("caller", format!("wrote “{text}”")),
        EntryKind::Offered { choices, .. } if !choices.is_empty() => {
            ("engine", format!("offers {}", buttons(choices)))
        }
        EntryKind::Heard { heard } if heard == "nothing" => {
            ("caller", "said and pressed nothing".to_owned())
        }
        EntryKind::Outcome {
            plugin,
            outcome,
            data,
            ..
        } => ("plugin", outcome_told(plugin, outcome, data)),
        EntryKind::Failed {
            plugin,
            code,
            message,
            retries_left,
            ..
        } => ("plugin", failure_told(plugin, code, message, *retries_left)),
        EntryKind::GlobalKey { key } => ("flow", format!("key {key} works everywhere")),
        EntryKind::Set { values } => ("flow", format!("set {values}")),
        EntryKind::Tagged { values } => ("flow", format!("tag {values}")),
        EntryKind::Joined => (
            "call",
            "somebody answered and talks with the caller".to_owned(),
        ),
        EntryKind::HungUp => ("caller", "hung up".to_owned()),
        EntryKind::Vanished => ("call", "nothing more was heard of the caller".to_owned()),
        EntryKind::Dropped { vanished: false } => (
            "call",
            "the line dropped; the caller may come back".to_owned(),
        ),
        EntryKind::Dropped { vanished: true } => (
            "call",
            "nothing more was heard of the caller, who may come back".to_owned(),
        ),
        EntryKind::CalledBack { sip_call_id, .. } => {
            ("caller", format!("called again (Call-ID {sip_call_id})"))
        }
        EntryKind::Resumed => ("caller", "goes on where the line dropped".to_owned()),
        EntryKind::Declined => ("caller", "begins anew, in another contact".to_owned()),
        EntryKind::GivenUp => ("call", "the caller did not come back in time".to_owned()),
        EntryKind::SecretsLost => (
            "call",
            "goes on after the engine stopped; secrets entered before are lost".to_owned(),
        ),
        EntryKind::Ended(ending) => match &ending.error {
            Some(error) => ("call", format!("ended: {} ({error})", ending.reason)),
            None => ("call", format!("ended: {}", ending.reason)),
        },
        EntryKind::Key { .. }
        | EntryKind::Played { .. }
        | EntryKind::Tick { .. }
        | EntryKind::Ran { .. }
        | EntryKind::Asked { .. }
        | EntryKind::Pressed { .. }
        | EntryKind::Heard { .. }
        | EntryKind::Offered { .. }
        | EntryKind::Call { .. } => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_chat_may_answer_is_told_in_words() {
        let digits = Digits {
            min: 4,
            max: 6,
            end_key: Some("#".into()),
        };
        let offered = |choices: &[Offer], digits: Option<&Digits>, text, secret| {
            let kind = EntryKind::Offered {
                choices: choices.to_vec(),
                digits: digits.cloned(),
                text,
                secret,
            };
            told(&kind).1
        };
        let pin = offered(&[], Some(&digits), false, true);
        assert_eq!(
            pin,
            "asks for 4 to 6 digits, # at the end; the answer is a secret"
        );
        let choice = Offer {
            key: "1".into(),
            label: Some("yes".into()),
        };
        assert_eq!(
            offered(&[choice], None, true, false),
            "offers [1 yes], or asks for words"
        );
        assert_eq!(offered(&[], None, false, false), "listens");
    }
}
