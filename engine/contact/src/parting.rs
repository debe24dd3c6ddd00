//! The last words of a contact that we end: by a fault of ours, or because it has lasted too long.
//!
//! A line that goes dead in the middle of a sentence tells the caller nothing, and they call again into
//! the same fault. So whoever is still there hears an apology first: the prompt `apology` of the flow, if
//! it has one that can be said, else a standing sentence in the contact's language.

use strowger_flow::check::{APOLOGY, APOLOGY_MS};
use strowger_flow::plan::PromptId;

use crate::Millis;
use crate::call::CallError;
use crate::contact::{Contact, State};
use crate::io::{Output, Segment};
use crate::timers::Timer;

/// The first format of journals that tell of an apology that was not said, or not to its end.
const APOLOGY_TOLD: u32 = 6;
const ENGLISH: &str = "We are sorry, something went wrong on our side. Please try again later.";
const CHINESE: &str = "非常抱歉，我们的系统出了问题，请您稍后再试。";

/// A contact that says its last words.
#[derive(Debug)]
pub(crate) struct Parting {
    /// The play of the apology.
    pub play: u32,
    /// Whether that is the standing sentence, after which nothing else can be tried.
    standing: bool,
    /// The disposition, and what went wrong.
    reason: &'static str,
    error: Option<String>,
}

impl Contact {
    /// Ends a contact that the flow does not end itself; whoever is still on the line hears an apology first.
    pub(crate) fn part(
        &mut self,
        now: Millis,
        reason: &'static str,
        error: Option<String>,
        out: &mut Vec<Output>,
    ) {
        if self.hung_up || self.handed_over || self.away.is_some() {
            return self.end(now, reason, false, error, out);
        }
        self.cancel_step(out);
        self.drop_ahead(now, out);
        self.aside = Default::default();
        self.timers
            .set(Timer::Duration, now.saturating_add(APOLOGY_MS));
        let own = self.own_apology(now, out);
        let standing = own.is_none();
        let segments = own.unwrap_or_else(|| self.standing_apology());
        let play = self.start_play(now, segments, out);
        self.state = State::Parting(Parting {
            play,
            standing,
            reason,
            error,
        });
    }

    /// What the flow says itself. Where it has such a prompt and that cannot be said, the journal tells why.
    fn own_apology(&mut self, now: Millis, out: &mut Vec<Output>) -> Option<Vec<Segment>> {
        let plan = &self.frame().plan;
        let id = plan
            .prompts
            .iter()
            .position(|prompt| prompt.name.as_deref() == Some(APOLOGY))?;
        let id = PromptId(u32::try_from(id).ok()?);
        let why = match self.say_prompt(now, id) {
            Ok(segments) if !segments.is_empty() => return Some(segments),
            Ok(_) => format!("it has no words in `{}`", self.language()),
            Err(
                CallError::Failed(why) | CallError::InvalidArgument(why) | CallError::Limit(why),
            ) => why,
            Err(_) => "it cannot be said".to_owned(),
        };
        self.not_apologised(now, &why, out);
        None
    }

    /// Why the flow's own apology was not said, or not to its end.
    fn not_apologised(&mut self, now: Millis, why: &str, out: &mut Vec<Output>) {
        if self.format >= APOLOGY_TOLD {
            let why = format!("the prompt `{APOLOGY}`: {why}");
            self.unsaid(now, Some(&why), out);
        }
    }

    /// The time for the last words is over before they are.
    pub(crate) fn cut_off(&mut self, now: Millis, out: &mut Vec<Output>) {
        if let State::Parting(Parting {
            standing: false, ..
        }) = &self.state
        {
            let seconds = APOLOGY_MS / 1_000;
            let why = format!("not over after {seconds} seconds, it was cut off");
            self.not_apologised(now, &why, out);
        }
        self.leave(now, out);
    }

    fn standing_apology(&self) -> Vec<Segment> {
        let (language, text) = match self.language().split('-').next() {
            Some("zh") => (self.language(), CHINESE),
            Some("en") => (self.language(), ENGLISH),
            _ => ("en", ENGLISH),
        };
        vec![Segment::Text {
            text: text.to_owned(),
            language: language.to_owned(),
            voice: None,
        }]
    }

    /// The apology was said, or could not be. True when that was what the play was for.
    pub(crate) fn apologised(
        &mut self,
        now: Millis,
        play: u32,
        error: Option<&String>,
        out: &mut Vec<Output>,
    ) -> bool {
        let State::Parting(parting) = &self.state else {
            return false;
        };
        if parting.play == play {
            let standing = parting.standing;
            self.unsaid(now, error, out);
            if error.is_some() && !standing {
                let segments = self.standing_apology();
                let again = self.start_play(now, segments, out);
                if let State::Parting(parting) = &mut self.state {
                    parting.play = again;
                    parting.standing = true;
                }
            } else {
                self.leave(now, out);
            }
        }
        true
    }

    /// Ends a contact that has said its last words, or has no more time for them.
    pub(crate) fn leave(&mut self, now: Millis, out: &mut Vec<Output>) {
        if let State::Parting(parting) = std::mem::replace(&mut self.state, State::New) {
            self.end(now, parting.reason, false, parting.error, out);
        }
    }
}
