//! A call whose line dropped, and whose caller may come back and go on where it broke.
//!
//! Nothing that was asked is lost: a call that waits for the caller is held and made again when they are back, so a prompt
//! is said from its beginning and a half entry is forgotten. What needs no caller goes on to the end of its step, and no
//! step is begun meanwhile.

use strowger_flow::plan::{Action, Edge, Node, NodeId};

use crate::Millis;
use crate::activation::Pending;
use crate::contact::{Contact, State};
use crate::entry::{EntryKind, HIDDEN};
use crate::facts::Channel;
use crate::io::{Output, Segment};
use crate::talk::is_key;
use crate::timers::{Timer, Timers};
use crate::veil::veiled;

/// How often the line of one contact may drop and be taken up again: with the longest window, five days.
pub const MAX_DROPS: u32 = 5;
/// How long the caller has to answer once the question was asked, in milliseconds.
const ANSWER_MS: Millis = 8_000;
/// The key that goes on, and the key that begins anew.
const GO_ON: char = '1';
const ANEW: char = '2';

const ENGLISH: &str = "We were cut off. Press 1 to go on where we were, or 2 to begin anew.";
const CHINESE: &str = "刚才通话中断了。继续请按一，重新开始请按二。";

/// A contact without a line.
#[derive(Debug)]
pub(crate) struct Away {
    vanished: bool,
    /// What is left of the deadlines that ran.
    left: Timers,
    /// Where the flow goes on, when its step ended meanwhile.
    edge: Option<Edge>,
    /// The caller is back, and is being asked.
    question: Option<Question>,
}

#[derive(Debug)]
struct Question {
    /// None once it was said.
    play: Option<u32>,
}

impl Contact {
    /// Whether the caller may go on later if the line drops now: the flow is neither over nor saying goodbye, nobody else
    /// is being called, and nothing secret was entered. Whoever calls from the same number need not be the same person.
    pub fn may_come_back(&self) -> bool {
        if self.asks_to_go_on() {
            return true;
        }
        let open = self.facts.channel == Channel::Voice
            && !self.hung_up
            && !self.handed_over
            && !self.too_long
            && self.people.is_none()
            && self.away.is_none();
        open && self.secrets.is_empty()
            && self.drops < MAX_DROPS
            && match &self.state {
                State::Step(step) => match step.pending {
                    Pending::Effect { transfer: true, .. } => false,
                    // Its name is a secret.
                    Pending::Capture {
                        sensitive: true, ..
                    } => false,
                    // Whoever is asked something is not done, whatever the answer leads to; nor is who speaks the answer. A message
                    // is left at the end of a call, and who hangs up then has left it.
                    Pending::Listen(_) => true,
                    Pending::Capture { .. } if step.listened => true,
                    _ => !self.says_goodbye(self.after(self.frames.len() - 1, step.node)),
                },
                State::Waiting(edge) => {
                    !self.says_goodbye(vec![(self.frames.len() - 1, edge.clone())])
                }
                State::Retrying { .. } => true,
                State::New | State::Parting(_) | State::Ended => false,
            }
    }

    /// Whether the line has dropped, and nobody has come back yet.
    pub fn away(&self) -> bool {
        self.away.is_some()
    }

    /// Whether the caller is back and is being asked whether to go on.
    pub fn asks_to_go_on(&self) -> bool {
        self.away
            .as_ref()
            .is_some_and(|away| away.question.is_some())
    }

    /// Whether only the caller, or the end of the time for coming back, can bring the contact on.
    pub fn rests(&self) -> bool {
        let quiet = match &self.state {
            State::Step(step) => matches!(step.pending, Pending::Held),
            _ => true,
        };
        quiet && self.away() && !self.asks_to_go_on() && self.timers.next().is_none()
    }

    /// Whether the caller came back and began anew: the line belongs to another contact.
    pub fn declined(&self) -> bool {
        self.declined
    }

    /// The line is gone.
    pub(crate) fn dropped(&mut self, now: Millis, vanished: bool, out: &mut Vec<Output>) {
        if let Some(away) = &mut self.away {
            if away.question.take().is_some() {
                self.timers.clear(Timer::Listen);
                self.write(now, EntryKind::Dropped { vanished }, out);
                if vanished {
                    out.push(Output::HangUp);
                }
            }
            return;
        }
        if !self.may_come_back() {
            let how = match vanished {
                true => EntryKind::Vanished,
                false => EntryKind::HungUp,
            };
            return self.caller_gone(now, how, out);
        }
        self.drops += 1;
        self.write(now, EntryKind::Dropped { vanished }, out);
        self.drop_ahead(now, out);
        self.swallow = None;
        self.secret_rest = None;
        self.aside = Default::default();
        for timer in [Timer::Listen, Timer::Meanwhile] {
            self.timers.clear(timer);
        }
        if let State::Step(step) = &mut self.state
            && step.asks.is_some()
            && !matches!(step.pending, Pending::None | Pending::Capture { .. })
        {
            // It waits anew from its beginning.
            self.timers.clear(Timer::Wait);
            step.pending = Pending::Held;
        }
        let left = self.timers.pause(now);
        self.away = Some(Box::new(Away {
            vanished,
            left,
            edge: None,
            question: None,
        }));
        if vanished {
            // The line does not close by itself.
            out.push(Output::HangUp);
        }
    }

    /// The caller is there again, and is asked.
    pub(crate) fn called_back(
        &mut self,
        now: Millis,
        sip_call_id: String,
        question: Option<String>,
        out: &mut Vec<Output>,
    ) {
        if !self.away() || self.asks_to_go_on() {
            return;
        }
        let words = self.question(question.as_deref());
        let entry = EntryKind::CalledBack {
            sip_call_id,
            question,
        };
        self.write(now, entry, out);
        let play = Some(self.start_play(now, vec![words], out));
        if let Some(away) = &mut self.away {
            away.question = Some(Question { play });
        }
    }

    fn question(&self, own: Option<&str>) -> Segment {
        let standing = match self.language().split('-').next() {
            Some("zh") => (self.language(), CHINESE),
            Some("en") => (self.language(), ENGLISH),
            _ => ("en", ENGLISH),
        };
        let (language, text) = match own {
            Some(own) => (self.language(), own),
            None => standing,
        };
        Segment::Text {
            text: text.to_owned(),
            language: language.to_owned(),
            voice: None,
        }
    }

    /// The question was said, or could not be.
    pub(crate) fn asked_back(
        &mut self,
        now: Millis,
        play: u32,
        error: Option<String>,
        out: &mut Vec<Output>,
    ) {
        let question = self.away.as_mut().and_then(|away| away.question.as_mut());
        let Some(question) = question.filter(|question| question.play == Some(play)) else {
            return;
        };
        question.play = None;
        let played = EntryKind::Played {
            play,
            error: error.clone(),
        };
        self.write(now, played, out);
        self.unsaid(now, error.as_ref(), out);
        match error {
            // Nobody can answer what was not heard.
            Some(_) => self.given_up(now, EntryKind::Declined, out),
            None => self
                .timers
                .set(Timer::Listen, now.saturating_add(ANSWER_MS)),
        }
    }

    /// A key while nobody is on the line, or in answer to the question.
    pub(crate) fn answer_key(&mut self, now: Millis, key: char, out: &mut Vec<Output>) {
        if !self.asks_to_go_on() || !is_key(key) {
            return;
        }
        let answers = matches!(key, GO_ON | ANEW);
        // Any other one may be of a secret that is typed too early.
        let (shown, taken) = match answers {
            true => (key, key),
            false => (veiled(key), HIDDEN),
        };
        self.write(now, EntryKind::Key { key: shown }, out);
        self.write(now, EntryKind::Pressed { key: taken }, out);
        match key {
            GO_ON => self.resumed(now, out),
            ANEW => self.given_up(now, EntryKind::Declined, out),
            _ => {}
        }
    }

    fn resumed(&mut self, now: Millis, out: &mut Vec<Output>) {
        let Some(away) = self.come_back(now, EntryKind::Resumed, out) else {
            return;
        };
        for timer in [Timer::Wait, Timer::Retry] {
            self.timers.go_on(timer, &away.left, now);
        }
        if let Some(edge) = away.edge {
            return self.walk(now, edge, out);
        }
        let State::Step(step) = &mut self.state else {
            return;
        };
        if step.masked {
            // This line does not know of it yet.
            out.push(Output::Mask(true));
        }
        if matches!(step.pending, Pending::Held) {
            step.pending = Pending::None;
            match step.asks.clone() {
                Some(call) => self.try_perform(now, &call, out),
                None => debug_assert!(false, "what is held is known"),
            }
        } else {
            self.falls_silent(now);
        }
    }

    /// The caller does not go on with this contact: they begin anew, or did not come back.
    pub(crate) fn given_up(&mut self, now: Millis, how: EntryKind, out: &mut Vec<Output>) {
        self.declined = how == EntryKind::Declined;
        let Some(away) = self.come_back(now, how, out) else {
            return;
        };
        self.hung_up = true;
        self.vanished = away.vanished;
        match &self.state {
            State::Step(_) => self.interrupt_for_hang_up(now, out),
            _ => {
                self.timers.clear(Timer::Retry);
                let edge = self.after_hang_up(now, out);
                self.go_on(now, edge, out);
            }
        }
    }

    /// Ends the time without a line, and the question.
    fn come_back(
        &mut self,
        now: Millis,
        how: EntryKind,
        out: &mut Vec<Output>,
    ) -> Option<Box<Away>> {
        let away = self.away.take()?;
        self.timers.clear(Timer::Listen);
        if away
            .question
            .as_ref()
            .is_some_and(|question| question.play.is_some())
        {
            out.push(Output::StopPlaying);
        }
        self.timers.go_on(Timer::Duration, &away.left, now);
        self.write(now, how, out);
        Some(away)
    }

    /// Follows an edge, if there is one; while nobody is on the line the flow stops there.
    pub(crate) fn go_on_unless_away(
        &mut self,
        now: Millis,
        edge: Option<Edge>,
        out: &mut Vec<Output>,
    ) {
        match &mut self.away {
            Some(away) => {
                if edge.is_some() {
                    away.edge = edge;
                }
            }
            None => self.go_on(now, edge, out),
        }
    }

    /// Whether nothing but the end is ahead: a caller who hangs up then was not cut off.
    fn says_goodbye(&self, mut ahead: Vec<(usize, Edge)>) -> bool {
        let mut seen = Vec::new();
        while let Some((depth, edge)) = ahead.pop() {
            let Edge::Node(id) = edge else {
                match edge {
                    Edge::End => continue,
                    Edge::Repeat | Edge::Flow(_) | Edge::Node(_) => return false,
                }
            };
            if seen.contains(&(depth, id)) {
                continue;
            }
            seen.push((depth, id));
            match &self.node(depth, id).action {
                Action::Step(_) | Action::Call { .. } | Action::Wait(_) => return false,
                Action::HangUp { .. } => {}
                Action::Return { .. } => match self.frames[depth].called_by {
                    None => {}
                    Some(call) => ahead.extend(self.after(depth - 1, call)),
                },
                Action::Choose { .. }
                | Action::Switch { .. }
                | Action::Set(_)
                | Action::Tag { .. }
                | Action::Goto => ahead.extend(self.after(depth, id)),
            }
        }
        true
    }

    /// The ways on from an action of a frame, but for those of failures.
    fn after(&self, depth: usize, id: NodeId) -> Vec<(usize, Edge)> {
        let node = self.node(depth, id);
        let fails = |name: &str| matches!(name, "error" | "timeout");
        let (mut edges, otherwise): (Vec<&Edge>, Option<&Edge>) = match &node.action {
            Action::Step(call) => {
                let edges = call.edges.iter().filter(|(name, _)| !fails(name));
                (
                    edges.map(|(_, edge)| edge).collect(),
                    call.otherwise.as_ref(),
                )
            }
            Action::Call {
                edges, otherwise, ..
            } => {
                let edges = edges.iter().filter(|(name, _)| !fails(name));
                (edges.map(|(_, edge)| edge).collect(), otherwise.as_ref())
            }
            Action::Choose { arms, otherwise } => {
                (arms.iter().map(|(_, edge)| edge).collect(), Some(otherwise))
            }
            Action::Switch {
                arms, otherwise, ..
            } => (arms.values().collect(), otherwise.as_ref()),
            _ => (Vec::new(), None),
        };
        edges.extend(otherwise);
        edges.push(&node.next);
        edges
            .into_iter()
            .map(|edge| (depth, edge.clone()))
            .collect()
    }

    fn node(&self, depth: usize, id: NodeId) -> &Node {
        &self.frames[depth].plan.nodes[id.0 as usize]
    }
}
