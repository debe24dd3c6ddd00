//! Listening for keys and text: what a `media.listen` call waits for.
//!
//! The rules are those of the flow language's "Listening, exactly": a listening step's own keys come
//! first, then the global keys, and only what fits neither is unmatched.

use strowger_flow::plan::folded;

use crate::call::{Choice, Digits};
use crate::entry::HIDDEN;

/// What a key or a text leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Wait for another key, at most for the gap.
    More,
    /// A choice.
    Choice(String),
    /// A free entry.
    Digits(String),
    /// Free text.
    Text(String),
    /// A key of `global.press`.
    Global(String),
    /// Neither.
    Unmatched(String),
}

/// A listen call in progress.
#[derive(Debug)]
pub(crate) struct Listening {
    /// The play that is heard meanwhile.
    pub play: Option<u32>,
    pub barge_in: bool,
    pub timeout_ms: u64,
    pub gap_ms: u64,
    pub sensitive: bool,
    choices: Vec<(String, Vec<String>)>,
    digits: Option<Digits>,
    text: bool,
    /// Keys of `global.press`, each with what may be written instead.
    globals: Vec<(String, Vec<String>)>,
    entered: String,
}

impl Listening {
    /// `labels` are the written labels of the choices, `globals` the keys that work everywhere, with the words that may be
    /// written instead.
    pub fn new(
        options: &crate::call::ListenOptions,
        labels: Vec<Option<String>>,
        globals: Vec<(String, Vec<String>)>,
    ) -> Listening {
        let words = |choice: &Choice, label: Option<String>| {
            choice
                .words
                .iter()
                .cloned()
                .chain(label)
                .map(|word| folded(&word))
                .collect()
        };
        Listening {
            play: None,
            barge_in: options.barge_in,
            timeout_ms: options.timeout_ms.into(),
            gap_ms: options.gap_ms.into(),
            sensitive: options.sensitive,
            choices: options
                .choices
                .iter()
                .zip(labels)
                .map(|(choice, label)| (choice.key.clone(), words(choice, label)))
                .collect(),
            digits: options.digits.clone(),
            text: options.text,
            globals: globals
                .into_iter()
                .map(|(key, words)| (key, words.iter().map(|word| folded(word)).collect()))
                .collect(),
            entered: String::new(),
        }
    }

    /// Whether a key of this entry has been pressed.
    pub fn begun(&self) -> bool {
        !self.entered.is_empty()
    }

    /// The key that would have ended the entry.
    pub fn end_key(&self) -> Option<char> {
        self.digits.as_ref()?.end_key.as_ref()?.chars().next()
    }

    /// Takes a key. [`HIDDEN`] is a digit that nobody knows any more: no entry with it is whole, and nothing obeys it.
    pub fn key(&mut self, key: char) -> Verdict {
        if let Some(digits) = &self.digits {
            if digits
                .end_key
                .as_deref()
                .is_some_and(|end| end.starts_with(key))
                && self.begun()
            {
                return self.complete();
            }
            if key.is_ascii_digit() || key == HIDDEN {
                self.entered.push(key);
                return match self.entered.chars().count() as u32 >= digits.max {
                    true => self.complete(),
                    false => Verdict::More,
                };
            }
            if self.begun() {
                self.entered.push(key);
                return Verdict::Unmatched(self.entered.clone());
            }
        }
        self.entered.push(key);
        let longer =
            |keys: &str| keys.len() > self.entered.len() && keys.starts_with(&self.entered);
        if self.choices.iter().any(|(keys, _)| longer(keys)) {
            return Verdict::More;
        }
        if self.choices.iter().any(|(keys, _)| *keys == self.entered) {
            return Verdict::Choice(self.entered.clone());
        }
        if self.globals.iter().any(|(keys, _)| longer(keys)) {
            return Verdict::More;
        }
        if self.globals.iter().any(|(keys, _)| *keys == self.entered) {
            return Verdict::Global(self.entered.clone());
        }
        Verdict::Unmatched(self.entered.clone())
    }

    /// No further key came within the gap.
    pub fn complete(&self) -> Verdict {
        let entered = self.entered.clone();
        if let Some(digits) = &self.digits {
            let all_digits = entered.chars().all(|c| c.is_ascii_digit());
            if all_digits
                && entered.len() as u32 >= digits.min
                && entered.len() as u32 <= digits.max
            {
                return Verdict::Digits(entered);
            }
        }
        if self.choices.iter().any(|(keys, _)| *keys == entered) {
            return Verdict::Choice(entered);
        }
        if self.globals.iter().any(|(keys, _)| *keys == entered) {
            return Verdict::Global(entered);
        }
        Verdict::Unmatched(entered)
    }

    /// Takes a text of a chat.
    pub fn written(&self, text: &str) -> Verdict {
        let folded = folded(text);
        if let Some((keys, _)) = self
            .choices
            .iter()
            .find(|(keys, words)| *keys == folded || words.contains(&folded))
        {
            return Verdict::Choice(keys.clone());
        }
        if let Some(digits) = &self.digits {
            let bare: String = folded
                .chars()
                .filter(|c| !c.is_whitespace() && *c != '-')
                .collect();
            // Between digits a hyphen groups them; before them it makes a number negative, which no keys are.
            let grouped = !folded.starts_with('-');
            let fits = grouped && (digits.min..=digits.max).contains(&(bare.len() as u32));
            if fits && bare.chars().all(|c| c.is_ascii_digit()) {
                return Verdict::Digits(bare);
            }
        }
        if self.text {
            return Verdict::Text(text.trim().to_owned());
        }
        if let Some((keys, _)) = self
            .globals
            .iter()
            .find(|(keys, words)| *keys == folded || words.contains(&folded))
        {
            return Verdict::Global(keys.clone());
        }
        Verdict::Unmatched(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::ListenOptions;

    fn listening(
        choices: &[&str],
        digits: Option<(u32, u32, Option<&str>)>,
        globals: &[&str],
    ) -> Listening {
        let options = ListenOptions {
            barge_in: true,
            choices: choices
                .iter()
                .map(|key| Choice {
                    key: (*key).into(),
                    label: None,
                    words: vec!["Order".into()],
                })
                .collect(),
            digits: digits.map(|(min, max, end)| Digits {
                min,
                max,
                end_key: end.map(Into::into),
            }),
            text: false,
            timeout_ms: 5000,
            gap_ms: 2000,
            sensitive: false,
        };
        Listening::new(
            &options,
            vec![None; choices.len()],
            globals
                .iter()
                .map(|key| ((*key).into(), vec!["Operator ".into()]))
                .collect(),
        )
    }

    fn verdicts(mut listening: Listening, keys: &str) -> Verdict {
        let mut last = Verdict::More;
        for key in keys.chars() {
            last = listening.key(key);
            if last != Verdict::More {
                return last;
            }
        }
        assert_eq!(last, Verdict::More, "still waiting");
        listening.complete()
    }

    #[test]
    fn a_key_that_begins_a_longer_one_waits_for_the_gap() {
        assert_eq!(
            verdicts(listening(&["1", "12"], None, &[]), "1"),
            Verdict::Choice("1".into())
        );
        assert_eq!(
            verdicts(listening(&["1", "12"], None, &[]), "12"),
            Verdict::Choice("12".into())
        );
        assert_eq!(
            verdicts(listening(&["1", "12"], None, &[]), "13"),
            Verdict::Unmatched("13".into())
        );
    }

    #[test]
    fn own_keys_come_before_global_ones() {
        assert_eq!(
            verdicts(listening(&["0"], None, &["0"]), "0"),
            Verdict::Choice("0".into())
        );
        assert_eq!(
            verdicts(listening(&["1"], None, &["0"]), "0"),
            Verdict::Global("0".into())
        );
        assert_eq!(
            verdicts(listening(&["1"], None, &["0"]), "7"),
            Verdict::Unmatched("7".into())
        );
    }

    #[test]
    fn digits_end_at_the_end_key_the_most_or_the_gap() {
        let ask = || listening(&[], Some((8, 12, Some("#"))), &["0", "*"]);
        assert_eq!(
            verdicts(ask(), "20260302#"),
            Verdict::Digits("20260302".into())
        );
        assert_eq!(
            verdicts(ask(), "202603021234"),
            Verdict::Digits("202603021234".into())
        );
        assert_eq!(
            verdicts(ask(), "20260302"),
            Verdict::Digits("20260302".into())
        );
        assert_eq!(verdicts(ask(), "2026#"), Verdict::Unmatched("2026".into()));
        assert_eq!(
            verdicts(ask(), "0"),
            Verdict::Global("0".into()),
            "a lone global key is no entry of 8 digits"
        );
        assert_eq!(verdicts(ask(), "*"), Verdict::Global("*".into()));
        assert_eq!(verdicts(ask(), "#"), Verdict::Unmatched("#".into()));
    }

    #[test]
    fn a_chat_answers_with_keys_words_or_digits() {
        assert_eq!(
            listening(&["1"], None, &[]).written(" order "),
            Verdict::Choice("1".into())
        );
        assert_eq!(
            listening(&["1"], None, &[]).written("1"),
            Verdict::Choice("1".into())
        );
        let anywhere = listening(&["1"], None, &["0"]);
        for written in ["0", "operator", " OPERATOR"] {
            assert_eq!(anywhere.written(written), Verdict::Global("0".into()));
        }
        let ask = listening(&[], Some((8, 12, None)), &[]);
        assert_eq!(ask.written("2026-0302"), Verdict::Digits("20260302".into()));
    }

    #[test]
    fn a_hyphen_groups_digits_and_makes_no_number_negative() {
        let listening = listening(&[], Some((1, 12, None)), &[]);
        assert_eq!(
            listening.written("400-800-1234"),
            Verdict::Digits("4008001234".into())
        );
        assert_eq!(listening.written(" -5"), Verdict::Unmatched(" -5".into()));
    }
}
