//! What is heard: the steps' own prompts, and what fills the silence while a step is busy.

use crate::Millis;
use crate::activation::Pending;
use crate::call::CallError;
use crate::contact::{Contact, State};
use crate::entry::EntryKind;
use crate::io::{Output, Segment, err, ok};
use crate::timers::Timer;

/// What is heard beside the steps' own prompts.
#[derive(Debug, Default)]
pub(crate) struct Aside {
    /// The play of a `meanwhile` sentence that is being said.
    pub sentence: Option<u32>,
    /// Whether the sentence of this step was said; repetitions of a failed step do not say it again.
    pub said: bool,
    /// The play of the music.
    pub music: Option<u32>,
    /// What a step wants said as soon as the sentence is over.
    pub queued: Option<(u32, Vec<Segment>)>,
}

impl Contact {
    /// Says something; a `meanwhile` sentence is finished first.
    pub(crate) fn start_play(
        &mut self,
        now: Millis,
        segments: Vec<Segment>,
        out: &mut Vec<Output>,
    ) -> u32 {
        self.last_play += 1;
        let play = self.last_play;
        self.aside.music = None;
        if self.aside.sentence.is_some() {
            self.aside.queued = Some((play, segments));
        } else {
            self.say(now, play, segments, out);
        }
        play
    }

    fn say(&mut self, now: Millis, play: u32, segments: Vec<Segment>, out: &mut Vec<Output>) {
        let said = EntryKind::Said {
            segments: segments.clone(),
        };
        self.write(now, said, out);
        out.push(Output::Play {
            play,
            segments,
            repeat: false,
        });
    }

    /// Silences whatever is heard.
    pub(crate) fn stop_playing(&mut self, out: &mut Vec<Output>) {
        self.aside.queued = None;
        self.aside.sentence = None;
        self.aside.music = None;
        out.push(Output::StopPlaying);
    }

    /// Something was said to its end, or could not be.
    pub(crate) fn play_done(
        &mut self,
        now: Millis,
        play: u32,
        error: Option<String>,
        out: &mut Vec<Output>,
    ) {
        let queued = self.aside.queued.as_ref();
        if queued.is_some_and(|(queued, _)| *queued == play) || !self.is_playing(play) {
            return;
        }
        let played = EntryKind::Played {
            play,
            error: error.clone(),
        };
        self.write(now, played, out);
        if self.apologised(now, play, error.as_ref(), out) {
            return;
        }
        if self.aside.sentence == Some(play) {
            self.unsaid(now, error.as_ref(), out);
            self.aside.sentence = None;
            match self.aside.queued.take() {
                Some((play, segments)) => self.say(now, play, segments, out),
                None => self.start_music(out),
            }
            return;
        }
        if self.aside.music == Some(play) {
            self.unsaid(now, error.as_ref(), out);
            self.aside.music = None;
            return;
        }
        let said = match self.activation().map(|activation| &mut activation.pending) {
            Some(Pending::Say { play: said, .. }) if *said == play => true,
            Some(Pending::Listen(listening)) if listening.play == Some(play) => {
                listening.play = None;
                false
            }
            _ => return,
        };
        self.unsaid(now, error.as_ref(), out);
        match error {
            Some(error) => self.reply(now, err(CallError::Unavailable(error)), out),
            None if said => self.reply(now, ok("finished"), out),
            None => self.await_first_key(now),
        }
    }

    /// Whether somebody waits for the end of a play.
    fn is_playing(&mut self, play: u32) -> bool {
        let aside = &self.aside;
        if aside.sentence == Some(play) || aside.music == Some(play) {
            return true;
        }
        if let State::Parting(parting) = &self.state {
            return parting.play == play;
        }
        match self.activation().map(|activation| &activation.pending) {
            Some(Pending::Say { play: said, .. }) => *said == play,
            Some(Pending::Listen(listening)) => listening.play == Some(play),
            _ => false,
        }
    }

    pub(crate) fn unsaid(&mut self, now: Millis, error: Option<&String>, out: &mut Vec<Output>) {
        if let Some(error) = error.cloned() {
            self.write(now, EntryKind::Unsaid { error }, out);
        }
    }

    /// From now on the running step is silent: after a while the caller shall hear something.
    pub(crate) fn falls_silent(&mut self, now: Millis) {
        let aside = &self.aside;
        if self.hung_up || self.away.is_some() || aside.sentence.is_some() || aside.music.is_some()
        {
            return;
        }
        let State::Step(activation) = &self.state else {
            return;
        };
        let call = self.step_call(activation.node);
        if let Some(meanwhile) = call.and_then(|call| call.meanwhile.as_ref())
            && !self.timers.is_set(Timer::Meanwhile)
        {
            let at = now.saturating_add(meanwhile.after_ms);
            self.timers.set(Timer::Meanwhile, at);
        }
    }

    /// A step has been silent for a while: let the caller hear something.
    pub(crate) fn meanwhile(&mut self, now: Millis, out: &mut Vec<Output>) {
        let meanwhile = self
            .silent_step()
            .and_then(|node| self.step_call(node)?.meanwhile.as_ref());
        let Some(prompt) = meanwhile.map(|meanwhile| meanwhile.say) else {
            return;
        };
        if let Some(prompt) = prompt.filter(|_| !self.aside.said)
            && let Ok(segments) = self.say_prompt(now, prompt)
            && !segments.is_empty()
        {
            self.aside.said = true;
            let play = self.start_play(now, segments, out);
            self.aside.sentence = Some(play);
        } else {
            self.start_music(out);
        }
    }

    /// The step that keeps the caller waiting in silence.
    fn silent_step(&self) -> Option<strowger_flow::plan::NodeId> {
        match &self.state {
            _ if self.hung_up => None,
            State::Step(activation) if !activation.pending.talks() => Some(activation.node),
            State::Retrying { node, .. } => Some(*node),
            _ => None,
        }
    }

    /// Plays the `meanwhile` music of the waiting step, if it has any.
    fn start_music(&mut self, out: &mut Vec<Output>) {
        let music = self
            .silent_step()
            .and_then(|node| self.step_call(node)?.meanwhile.as_ref()?.music.clone());
        if let Some(path) = music {
            self.last_play += 1;
            self.aside.music = Some(self.last_play);
            let segments = vec![Segment::Audio {
                path,
                text: None,
                language: self.language().to_owned(),
            }];
            out.push(Output::Play {
                play: self.last_play,
                segments,
                repeat: true,
            });
        }
    }
}
