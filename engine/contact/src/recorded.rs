//! From a journal back to the inputs of the contact.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::Value as Json;

use crate::card::is_card_number;
use crate::contact::Contact;
use crate::entry::{Entry, EntryKind, FORMAT, HIDDEN};
use crate::facts::Facts;
use crate::io::Ending;
use crate::program::Program;
use crate::talk::{MAX_TYPED_AHEAD, MAX_WRITTEN_AHEAD};
use crate::veil::is_hidden;

/// The first format that holds the inputs.
const OLDEST: u32 = 2;
/// Stand for the digits of a secret, in the order of preference: which ones it had is nowhere written down, and no flow or
/// plugin sees it.
pub const ANY_DIGITS: [char; 10] = ['7', '0', '1', '2', '3', '4', '5', '6', '8', '9'];
/// The host call that tells whether a secret entry could be a card's number.
const IS_CARD_NUMBER: &str = "media.is-card-number";
/// The host call that takes keys and texts.
const LISTEN: &str = "media.listen";
/// Longest secret that is made up again, in characters.
const MAX_SECRET: usize = 4_000;

/// What a journal says of the contact's beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning {
    /// Facts from which the same contact can be made.
    pub facts: Facts,
    /// The first flow.
    pub flow: String,
    /// SHA-256 of its text.
    pub hash: String,
    /// SHA-256 over all flows, plugins and audio files; empty when nobody named it.
    pub content: String,
    /// SHA-256 over the configurations of its plugins; empty where none has one, and before format 6.
    pub configuration: String,
    /// SHA-256 over the audio files alone; empty where the journal does not say.
    pub audio: String,
    /// The language it begins in, where that is not the flow's first.
    pub language: Option<String>,
    /// The journal's format.
    pub format: u32,
}

impl Beginning {
    /// The same contact, before it is connected. `None` when the program has no such flow.
    pub fn contact(&self, program: Arc<Program>) -> Option<Contact> {
        let mut contact = Contact::new(program, &self.flow, self.facts.clone())?;
        contact.begin_with(self.language.clone(), BTreeMap::new());
        contact.format = self.format;
        Some(contact)
    }
}

/// Why a journal cannot be replayed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordedError {
    /// It is of an older format.
    #[error(
        "the journal is of format {0}, which does not hold the contact's inputs: it can be read with `strowger trace`, not replayed"
    )]
    Older(u32),
    /// It is of a newer format.
    #[error(
        "the journal is of format {0}, this program knows up to {FORMAT}: use the newer program"
    )]
    Newer(u32),
    /// The contact never began to walk: how it ended, where that is known.
    #[error("the contact ended before its flow began{}: there is nothing to replay", as_told(.0))]
    NeverStarted(Option<String>),
    /// Nothing is there.
    #[error(
        "the journal is empty: retention removed it, or the engine was stopped before anything was written"
    )]
    Empty,
    /// It was read while the contact lasted.
    #[error(
        "the journal lacks the contact's seed, which is told only when the contact is over: fetch it again then"
    )]
    NoSeed,
    /// An entry is missing.
    #[error("entry {missing} is missing: the journal is not whole, fetch it again")]
    Gap {
        /// Its number.
        missing: u32,
    },
}

fn as_told(reason: &Option<String>) -> String {
    match reason {
        Some(reason) => format!(", as `{reason}`"),
        None => String::new(),
    }
}

/// Where the engine ended a contact that it could not go on with, such as a call that waited for its caller when the project was changed:
/// what happened until then, and that end. No flow knows of it.
pub fn cut_short(entries: &[Entry]) -> Option<(&[Entry], &Ending)> {
    let (last, before) = entries.split_last()?;
    let EntryKind::Ended(ending) = &last.kind else {
        return None;
    };
    let last = before.last().map(|entry| &entry.kind);
    let waited = matches!(last, Some(EntryKind::Dropped { .. }));
    let engines = waited || ending.reason == "interrupted";
    (engines && ending.error.is_some()).then_some((before, ending))
}

/// The beginning of the contact that a journal tells of.
pub fn beginning(entries: &[Entry]) -> Result<Beginning, RecordedError> {
    for (number, entry) in (0..).zip(entries) {
        if entry.seq != number {
            return Err(RecordedError::Gap { missing: number });
        }
    }
    let Some(EntryKind::Started {
        channel,
        from,
        to,
        flow,
        hash,
        format,
        id,
        since,
        content,
        configuration,
        audio,
        seed,
        language,
    }) = entries.first().map(|entry| &entry.kind)
    else {
        let ended = entries.iter().find_map(|entry| match &entry.kind {
            EntryKind::Ended(ending) => Some(ending.reason.clone()),
            _ => None,
        });
        return Err(match entries.is_empty() {
            true => RecordedError::Empty,
            false => RecordedError::NeverStarted(ended),
        });
    };
    match *format {
        OLDEST..=FORMAT => {}
        older if older < OLDEST => return Err(RecordedError::Older(older)),
        newer => return Err(RecordedError::Newer(newer)),
    }
    let seed = seed
        .as_deref()
        .and_then(bytes)
        .ok_or(RecordedError::NoSeed)?;
    Ok(Beginning {
        facts: Facts {
            id: id.clone(),
            channel: *channel,
            from: from.clone(),
            to: to.clone(),
            started_at: *since,
            seed,
        },
        flow: flow.clone(),
        hash: hash.clone(),
        content: content.clone(),
        configuration: configuration.clone(),
        audio: audio.clone(),
        language: language.clone(),
        format: *format,
    })
}

fn bytes(seed: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if seed.len() != 2 * bytes.len() || !seed.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&seed[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

/// What the step that listens was asked for.
#[derive(Default)]
struct Listen {
    /// The key that ends an entry, where that is a digit, and how many digits an entry has at most.
    end: Option<(char, u64)>,
    /// What chooses: keys and words.
    choices: Vec<String>,
}

impl Listen {
    fn asked(request: &Json) -> Listen {
        let options = &request[1];
        let digits = &options["digits"];
        let end = digits["end-key"]
            .as_str()
            .and_then(|key| key.chars().next());
        let choices = options["choices"].as_array().into_iter().flatten();
        let choices = choices.flat_map(|choice| {
            let words = choice["words"].as_array().into_iter().flatten();
            std::iter::once(&choice["key"]).chain(words)
        });
        Listen {
            end: end
                .filter(char::is_ascii_digit)
                .map(|end| (end, digits["max"].as_u64().unwrap_or(u64::MAX))),
            choices: choices
                .filter_map(Json::as_str)
                .map(str::to_owned)
                .collect(),
        }
    }

    /// A text that gives the same handle as a secret did, and that the step obeys no more than it.
    fn stand_in(&self, secret: &Json) -> String {
        let last = secret.get("last-four").and_then(Json::as_str).unwrap_or("");
        let length = secret.get("length").and_then(Json::as_u64).unwrap_or(0);
        let length = usize::try_from(length).map_or(MAX_SECRET, |length| length.min(MAX_SECRET));
        let rest = length.saturating_sub(last.chars().count());
        let made_of = |digit: char| {
            let mut text: String = std::iter::repeat_n(digit, rest).collect();
            text.push_str(last);
            text
        };
        let obeyed = |digit: char, text: &String| {
            self.end.is_some_and(|(end, _)| end == digit) || self.choices.contains(text)
        };
        let mut texts = ANY_DIGITS.iter().map(|digit| (*digit, made_of(*digit)));
        let text = texts.find(|(digit, text)| !obeyed(*digit, text));
        text.map_or_else(|| made_of(ANY_DIGITS[0]), |(_, text)| text)
    }
}

/// The keys and texts that came in, by the number of their entry. What was hidden is made up again so
/// that it leads to the same answer: a secret of the same length with the same last four characters. A key that was part of
/// no answer stays [`HIDDEN`], which a contact takes for a digit that nothing obeys.
pub fn heard(entries: &[Entry]) -> (BTreeMap<u32, char>, BTreeMap<u32, String>) {
    let mut keys = BTreeMap::new();
    let mut texts = BTreeMap::new();
    let mut ahead: VecDeque<u32> = VecDeque::new();
    // Hidden digits that the listening step took since it began to listen.
    let mut taken: Vec<u32> = Vec::new();
    // The text that the listening step took, and those that wait for one that listens.
    let mut written: Option<u32> = None;
    let mut written_ahead: VecDeque<u32> = VecDeque::new();
    let mut listens = false;
    let mut listen = Listen::default();
    // The key that was taken last, until time goes by.
    let mut last: Option<u32> = None;
    // What stands for the secret heard last, and where it is spelled.
    let mut said: Option<(String, Vec<u32>, Option<u32>)> = None;
    for entry in entries {
        match &entry.kind {
            EntryKind::Key { key } => {
                keys.insert(entry.seq, *key);
                ahead.push_back(entry.seq);
            }
            EntryKind::Pressed { key } => {
                // A key that found no room ahead is dropped before those that did.
                let seq = match *key == HIDDEN && ahead.len() > MAX_TYPED_AHEAD {
                    true => ahead.pop_back(),
                    false => ahead.pop_front(),
                };
                let Some(seq) = seq else { continue };
                last = Some(seq);
                if *key != HIDDEN {
                    keys.insert(seq, *key);
                } else if keys.get(&seq) == Some(&HIDDEN) {
                    taken.push(seq);
                }
            }
            EntryKind::Wrote { text, late, .. } => {
                texts.insert(entry.seq, text.clone());
                match listens {
                    _ if *late => {}
                    true => written = Some(entry.seq),
                    false if written_ahead.len() < MAX_WRITTEN_AHEAD => {
                        written_ahead.push_back(entry.seq);
                    }
                    false => {}
                }
            }
            EntryKind::Tick { .. } => last = None,
            EntryKind::Asked {
                function, request, ..
            } => {
                taken.clear();
                (written, last) = (None, None);
                listens = function == LISTEN;
                listen = match listens {
                    true => Listen::asked(request),
                    false => Listen::default(),
                };
            }
            // What was written before a secret is asked for is no answer to it.
            EntryKind::Offered { secret: true, .. } => written_ahead.clear(),
            // The listening step will hear all of it again. What was pressed at the question of who came back is none of it.
            EntryKind::Dropped { .. } | EntryKind::Resumed | EntryKind::Declined => taken.clear(),
            EntryKind::GlobalKey { key } => {
                listens = false;
                written = written.or_else(|| written_ahead.pop_front());
                take_end_key(&mut keys, &mut taken, last, &listen, 0);
                spell(&mut keys, &taken, key);
                reveal(&mut texts, written, key);
            }
            EntryKind::Heard { heard } => {
                listens = false;
                if heard != "nothing" {
                    written = written.or_else(|| written_ahead.pop_front());
                }
                let open = ["choice", "digits", "text"];
                let mut open = open.iter().filter_map(|kind| heard.get(kind)?.as_str());
                let open = open.next();
                let secret = heard.get("secret");
                let length = match secret {
                    Some(secret) => secret["length"].as_u64().unwrap_or_default(),
                    None => heard["digits"]
                        .as_str()
                        .map_or(0, |digits| digits.len() as u64),
                };
                if heard != "nothing" {
                    take_end_key(&mut keys, &mut taken, last, &listen, length);
                }
                if let Some(text) = open {
                    spell(&mut keys, &taken, text);
                    reveal(&mut texts, written, text);
                }
                let unmatched = heard.get("unmatched").and_then(Json::as_str);
                if let Some(text) = unmatched.filter(|text| !text.is_empty() && !is_hidden(text)) {
                    reveal(&mut texts, written, &unmatched_card(text));
                }
                if let Some(secret) = secret {
                    let text = listen.stand_in(secret);
                    spell(&mut keys, &taken, &text);
                    reveal(&mut texts, written, &text);
                    said = Some((text, taken.clone(), written));
                }
            }
            // What was told of the entry must be true of what stands for it. Steps ask about the entry heard last.
            EntryKind::Call {
                function, result, ..
            } if function == IS_CARD_NUMBER => {
                let is = result.get("ok").and_then(Json::as_bool);
                if let (Some(is), Some((text, taken, written))) = (is, &said) {
                    let text = checked(text, is);
                    spell(&mut keys, taken, &text);
                    if let Some(written) = written {
                        texts.insert(*written, text);
                    }
                }
            }
            EntryKind::Outcome { .. } | EntryKind::Failed { .. } => listens = false,
            EntryKind::SecretsLost => {
                written_ahead.retain(|seq| !texts.get(seq).is_some_and(|text| is_hidden(text)));
            }
            _ => {}
        }
    }
    (keys, texts)
}

/// Lets a hidden text be the one that led to what was heard.
fn reveal(texts: &mut BTreeMap<u32, String>, written: Option<u32>, heard: &str) {
    if let Some(text) = written.and_then(|seq| texts.get_mut(&seq))
        && is_hidden(text)
    {
        heard.clone_into(text);
    }
}

/// What stands for a text with a card's number in it that came before anything was asked, and fitted no answer then: what
/// was heard of it shows its words, while the entry of its coming shows nothing. Zeros are a card's number by their check
/// digit (ISO/IEC 7812-1 annex B), however many they are, so it is hidden now as it was.
fn unmatched_card(heard: &str) -> String {
    heard.replace(HIDDEN, "0")
}

/// The hidden key that was taken last, right before what was heard, ended the entry of `length` digits: where an entry is not as
/// long as it may be, no other digit does.
fn take_end_key(
    keys: &mut BTreeMap<u32, char>,
    taken: &mut Vec<u32>,
    last: Option<u32>,
    listen: &Listen,
    length: u64,
) {
    if let Some((end, most)) = listen.end
        && length < most
        && last.is_some()
        && taken.last().copied() == last
    {
        keys.extend(taken.pop().map(|seq| (seq, end)));
    }
}

/// Lets the last of these keys be those of a text, from its end on.
fn spell(keys: &mut BTreeMap<u32, char>, taken: &[u32], text: &str) {
    let digits = text.chars().rev().filter(char::is_ascii_digit);
    for (seq, digit) in taken.iter().rev().zip(digits) {
        keys.insert(*seq, digit);
    }
}

/// The same text with another first digit, such that it is the number of a card, or is none.
fn checked(text: &str, is_card: bool) -> String {
    let mut letters = text.chars();
    let Some(_) = letters.next() else {
        return text.to_owned();
    };
    let rest = letters.as_str();
    // One digit of ten makes it right, the nine others wrong; a text that is no digits never is one.
    let mut tries = (0..10).map(|digit| format!("{digit}{rest}"));
    tries
        .find(|tried| is_card_number(tried) == is_card)
        .unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{checked, is_card_number};

    #[test]
    fn what_stands_for_a_secret_is_checked_alike() {
        for (text, is_card) in [
            ("7777777777771111", true),
            ("7777777777771112", false),
            ("7", true),
        ] {
            let text = checked(text, is_card);
            assert_eq!(is_card_number(&text), is_card, "{text}");
        }
        assert_eq!(checked("", true), "");
    }
}
