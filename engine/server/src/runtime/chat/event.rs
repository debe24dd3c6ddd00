//! What a person in a chat is shown: the journal's entries that are meant for him, in order.

use serde::Serialize;
use strowger_contact::call::Digits;
use strowger_contact::{Entry, EntryKind, Offer, Segment};

use crate::runtime::plain;

/// Something that is shown. Its number grows from event to event, with gaps, and stays for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChatEvent {
    /// Its number: one more than that of its journal entry.
    pub n: u32,
    /// What.
    #[serde(flatten)]
    pub what: Shown,
}

/// What is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Shown {
    /// The flow says something.
    Text {
        /// What; a line each prompt.
        text: String,
        /// BCP 47, of its first words.
        language: String,
    },
    /// The flow listens: what may be chosen or written.
    Listening {
        /// Buttons: what is sent, and what stands on it.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        choices: Vec<Offer>,
        /// Digits are expected.
        #[serde(skip_serializing_if = "Option::is_none")]
        digits: Option<Digits>,
        /// Any text is an answer.
        text: bool,
        /// What is written is a secret: it shall not be seen.
        secret: bool,
    },
    /// The chat is over.
    Ended {
        /// The disposition.
        reason: String,
        /// Whether the contact left.
        by_contact: bool,
    },
}

impl ChatEvent {
    /// What an entry shows, if it does.
    pub fn of(entry: &Entry) -> Option<ChatEvent> {
        let what = match &entry.kind {
            EntryKind::Said { segments } => said(segments)?,
            EntryKind::Offered {
                choices,
                digits,
                text,
                secret,
            } => Shown::Listening {
                choices: choices.clone(),
                digits: digits.clone(),
                text: *text,
                secret: *secret,
            },
            EntryKind::Ended(ending) => Shown::Ended {
                reason: ending.reason.clone(),
                by_contact: ending.by_caller,
            },
            _ => return None,
        };
        let n = entry.seq.saturating_add(1);
        Some(ChatEvent { n, what })
    }

    /// Whether nothing comes after it.
    pub(super) fn is_last(&self) -> bool {
        matches!(self.what, Shown::Ended { .. })
    }
}

/// The words of what is said. A sound without words is nothing to read.
fn said(segments: &[Segment]) -> Option<Shown> {
    let mut lines = Vec::new();
    let mut said_in = None;
    for segment in segments {
        let (words, language) = match segment {
            Segment::Text { text, language, .. }
            | Segment::Audio {
                text: Some(text),
                language,
                ..
            } => (plain(text), language),
            Segment::Audio { text: None, .. } => continue,
        };
        if !words.trim().is_empty() {
            lines.push(words);
            said_in.get_or_insert(language);
        }
    }
    Some(Shown::Text {
        text: lines.join("\n"),
        language: said_in?.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: EntryKind) -> serde_json::Value {
        let entry = Entry {
            seq: 6,
            at: 1,
            kind,
        };
        serde_json::to_value(ChatEvent::of(&entry)).expect("JSON")
    }

    fn text(text: &str, language: &str) -> Segment {
        Segment::Text {
            text: text.into(),
            language: language.into(),
            voice: None,
        }
    }

    #[test]
    fn what_is_said_is_shown_as_text() {
        let said = |segments| event(EntryKind::Said { segments });
        let both = said(vec![
            text("您好。", "zh"),
            text("Good<break time=\"1s\"/>day.", "en"),
        ]);
        let expected = serde_json::json!({"n": 7, "kind": "text", "text": "您好。\nGood, day.", "language": "zh"});
        assert_eq!(both, expected);
        let sound = Segment::Audio {
            path: "audio/ding.wav".into(),
            text: None,
            language: "en".into(),
        };
        assert_eq!(said(vec![sound]), serde_json::Value::Null);
    }

    #[test]
    fn what_is_offered_is_shown_without_what_is_not_there() {
        let offered = event(EntryKind::Offered {
            choices: vec![Offer {
                key: "1".into(),
                label: None,
            }],
            digits: None,
            text: false,
            secret: false,
        });
        let expected = serde_json::json!({
            "n": 7, "kind": "listening", "choices": [{"key": "1"}], "text": false, "secret": false
        });
        assert_eq!(offered, expected);
    }

    #[test]
    fn keys_and_ticks_are_nobodys_to_see() {
        assert_eq!(
            event(EntryKind::Tick { late_ms: Some(0) }),
            serde_json::Value::Null
        );
    }
}
