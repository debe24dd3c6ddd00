//! The standard step `survey`: asks some questions one after the other, and keeps the answers that there are.

mod question;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std_answers::{barge_in, end_key, gap, timeout};
use strowger_sdk::contact::{self, Facts};
use strowger_sdk::media::{self, Heard, ListenOptions, RecordOptions, RecordingEnd, Utterance};
use strowger_sdk::{Attempts, Error, Failure, Miss, Outcome, Reprompt};

use question::{Question, invitation};

strowger_sdk::plugin! {
    description: "../description.json",
    steps: { "survey" => survey },
}

/// How long the tone before a recorded answer lasts, in milliseconds.
const TONE_MS: u32 = 200;

/// What the flow gives. Defaults are those of the description.
#[derive(Deserialize)]
struct Survey {
    questions: Vec<Question>,
    /// Asks whether to take part.
    invite: Option<String>,
    skip: Option<String>,
    #[serde(default = "attempts")]
    attempts: u32,
    #[serde(default = "timeout")]
    timeout: u32,
    #[serde(default = "gap")]
    gap: u32,
    #[serde(default = "end_key")]
    end_key: String,
    #[serde(default = "barge_in")]
    barge_in: bool,
    #[serde(default = "max")]
    max: u32,
    #[serde(default)]
    reprompt: Reprompt,
    #[serde(default, rename = "$kept")]
    kept: Taken,
}

/// What has been answered; the data of every outcome.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct Taken {
    answers: Map<String, Value>,
    answered: usize,
    /// Misses at the question that was asked last.
    no_input: u32,
    no_match: u32,
}

/// How a question ended.
enum Reply {
    Answer(Value),
    /// Left open: the contact wants the next one.
    Skipped,
    /// The attempts are used up.
    Out(Miss),
    /// The contact is gone.
    Gone,
}

/// What the contact did, once.
enum Act {
    Answer(Value),
    Skip,
    Miss(Miss),
}

fn survey(mut input: Survey) -> Result<Outcome, Failure> {
    input.end_key = media::key(&input.end_key).to_owned();
    input.skip = input.skip.map(|key| media::key(&key).to_owned());
    question::check(&input)?;
    let facts = contact::read();
    let mut taken = std::mem::take(&mut input.kept);
    // What is kept of a survey that is asked again is of the question that it ended with.
    let mut misses = Attempts {
        no_input: taken.no_input,
        no_match: taken.no_match,
    };
    // Whoever has answered something has said by that whether to take part.
    if let Some(invite) = input.invite.take().filter(|_| taken.answers.is_empty()) {
        match input.ask(&invitation(invite), &facts, &mut misses)? {
            Reply::Answer(Value::Bool(true)) => misses = Attempts::default(),
            Reply::Answer(_) | Reply::Skipped => return taken.ends("declined", misses),
            Reply::Out(miss) => return taken.ends(miss.outcome(), misses),
            Reply::Gone => return Err(Error::Hangup.into()),
        }
    }
    for question in &input.questions {
        if taken.answers.contains_key(&question.name) {
            continue;
        }
        match input.ask(question, &facts, &mut misses)? {
            Reply::Answer(value) => {
                taken.answers.insert(question.name.clone(), value);
                taken.answered += 1;
            }
            Reply::Skipped => {}
            // Nobody is left who could be asked, but what was answered counts.
            Reply::Gone if taken.answered == 0 => return Err(Error::Hangup.into()),
            Reply::Gone => return taken.ends("partial", misses),
            Reply::Out(_) if taken.answered > 0 => return taken.ends("partial", misses),
            Reply::Out(miss) => return taken.ends(miss.outcome(), misses),
        }
        misses = Attempts::default();
    }
    taken.ends("done", misses)
}

impl Taken {
    fn ends(mut self, outcome: &str, misses: Attempts) -> Result<Outcome, Failure> {
        (self.no_input, self.no_match) = (misses.no_input, misses.no_match);
        Outcome::with(outcome, &self)
    }
}

impl Survey {
    /// Asks one question until there is an answer, or no attempt left.
    fn ask(
        &self,
        question: &Question,
        facts: &Facts,
        misses: &mut Attempts,
    ) -> Result<Reply, Failure> {
        let mut what = Utterance::given(question.ask.clone());
        loop {
            let act = match question.is_spoken(facts) {
                true => self.record(&what, facts),
                false => self.listen(&what, question, facts),
            };
            let miss = match act {
                Ok(Act::Answer(value)) => return Ok(Reply::Answer(value)),
                Ok(Act::Skip) => return Ok(Reply::Skipped),
                Ok(Act::Miss(miss)) => miss,
                Err(Refused::Gone) => return Ok(Reply::Gone),
                Err(Refused::Failed(failure)) => return Err(failure),
            };
            let Some(line) = misses.miss(miss, self.attempts, &self.reprompt) else {
                return Ok(Reply::Out(miss));
            };
            let again = question.short.as_ref().unwrap_or(&question.ask);
            what = Utterance::given_after(line, again.clone());
        }
    }

    fn listen(&self, what: &Utterance, question: &Question, facts: &Facts) -> Result<Act, Refused> {
        let language = facts.primary_language();
        let mut choices = question.choices(&language);
        choices.extend(question.skip(self.skip.as_deref(), &language));
        let options = ListenOptions {
            barge_in: self.barge_in,
            choices,
            digits: question.digits(&self.end_key),
            text: question.is_written(),
            timeout_ms: self.timeout,
            gap_ms: self.gap,
            sensitive: false,
        };
        let heard = media::listen(what, &options)?;
        if question.is_skipped(self.skip.as_deref(), &heard) {
            return Ok(Act::Skip);
        }
        Ok(match question.read(&heard)? {
            Some(value) => Act::Answer(value),
            None if heard == Heard::Nothing => Act::Miss(Miss::NoInput),
            None => Act::Miss(Miss::NoMatch),
        })
    }

    /// Free words of a caller.
    fn record(&self, what: &Utterance, facts: &Facts) -> Result<Act, Refused> {
        let skip = self.skip.as_deref();
        // A key that skips does so while the question is still being said.
        let options = ListenOptions {
            barge_in: self.barge_in,
            choices: question::skip_choice(skip, &facts.primary_language())
                .into_iter()
                .collect(),
            timeout_ms: 0,
            ..ListenOptions::default()
        };
        if let Heard::Choice(_) = media::listen(what, &options)? {
            return Ok(Act::Skip);
        }
        let recording = media::capture(&RecordOptions {
            beep: true,
            max_ms: self.max,
            // The tone is a part of the wait; a silence of nought would never end it.
            silence_ms: self.timeout.saturating_sub(TONE_MS).max(1),
            // One key can end it: the one that skips does where nothing was said.
            end_key: Some(skip.unwrap_or(&self.end_key).to_owned()),
            sensitive: false,
        })?;
        Ok(match recording.duration_ms {
            0 if skip.is_some() && recording.ended_by == RecordingEnd::Key => Act::Skip,
            0 if recording.ended_by == RecordingEnd::Hangup => return Err(Refused::Gone),
            0 => Act::Miss(Miss::NoInput),
            _ => Act::Answer(recording.id.into()),
        })
    }
}

/// Why there is nothing to read.
enum Refused {
    Gone,
    Failed(Failure),
}

impl From<Error> for Refused {
    fn from(error: Error) -> Refused {
        match error {
            Error::Hangup => Refused::Gone,
            error => Refused::Failed(error.into()),
        }
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Refused {
        Refused::Failed(failure)
    }
}

fn attempts() -> u32 {
    2
}

fn max() -> u32 {
    60_000
}

#[cfg(test)]
mod tests;
