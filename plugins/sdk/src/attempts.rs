//! Counting the times that a contact did not answer, or not in a way that fits.

use serde::{Deserialize, Serialize};

/// How an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Miss {
    /// Nothing was pressed, said or written until the time was over.
    NoInput,
    /// Something was, and it does not fit.
    NoMatch,
}

impl Miss {
    /// The outcome's name: `no_input` or `no_match`.
    pub fn outcome(self) -> &'static str {
        match self {
            Miss::NoInput => "no_input",
            Miss::NoMatch => "no_match",
        }
    }
}

/// What is said before the prompt is said again: handles of prompts, one line per miss of a kind.
/// The last line of a ladder repeats; an empty ladder says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Reprompt {
    /// After silence.
    pub no_input: Vec<String>,
    /// After something that does not fit.
    pub no_match: Vec<String>,
}

/// Attempts of a listening step: two counters that choose the line of their ladder, and one limit for both.
///
/// As data of an outcome it comes back in the input's field `$kept` when the flow says `repeat`, which is
/// how the counters outlive the step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attempts {
    /// Silences so far.
    pub no_input: u32,
    /// Entries so far that did not fit.
    pub no_match: u32,
}

impl Attempts {
    /// Misses of both kinds.
    pub fn total(&self) -> u32 {
        self.no_input.saturating_add(self.no_match)
    }

    /// Counts a miss. While the limit leaves another attempt, gives the line of the ladder to say first,
    /// as none or one handle; `None` when the attempts are used up, and the step ends with this miss.
    pub fn miss(&mut self, miss: Miss, limit: u32, reprompt: &Reprompt) -> Option<Option<String>> {
        let (count, ladder) = match miss {
            Miss::NoInput => (&mut self.no_input, &reprompt.no_input),
            Miss::NoMatch => (&mut self.no_match, &reprompt.no_match),
        };
        *count = count.saturating_add(1);
        let line = (*count as usize).min(ladder.len());
        let line = line
            .checked_sub(1)
            .and_then(|index| ladder.get(index))
            .cloned();
        (self.total() < limit).then_some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::{Attempts, Miss, Reprompt};

    #[test]
    fn each_kind_climbs_its_own_ladder_and_both_share_the_limit() {
        let reprompt = Reprompt {
            no_input: vec!["i1".into(), "i2".into()],
            no_match: vec!["m1".into()],
        };
        let mut attempts = Attempts::default();
        let mut miss = |miss| attempts.miss(miss, 6, &reprompt);
        assert_eq!(miss(Miss::NoInput), Some(Some("i1".into())));
        assert_eq!(miss(Miss::NoMatch), Some(Some("m1".into())));
        assert_eq!(miss(Miss::NoInput), Some(Some("i2".into())));
        assert_eq!(
            miss(Miss::NoMatch),
            Some(Some("m1".into())),
            "the last line repeats"
        );
        assert_eq!(miss(Miss::NoInput), Some(Some("i2".into())));
        assert_eq!(
            miss(Miss::NoInput),
            None,
            "the sixth miss uses up six attempts"
        );
    }

    #[test]
    fn an_empty_ladder_says_nothing() {
        assert_eq!(
            Attempts::default().miss(Miss::NoInput, 2, &Reprompt::default()),
            Some(None)
        );
        assert_eq!(
            Attempts::default().miss(Miss::NoInput, 1, &Reprompt::default()),
            None
        );
    }
}
