//! What a test's clock would show at a moment of the contact.

use strowger_contact::Millis;

use crate::scenario::pace;

/// The time of a test since its last act. It is that of the contact, but that a prompt takes as long as tests take to say it.
#[derive(Debug)]
pub(super) struct Clock {
    /// Prompts take no other time than then: none in a chat.
    same: bool,
    /// The moment of the contact from which on both clocks go alike.
    from: Millis,
    /// What the test's clock shows there.
    shows: Millis,
    /// A prompt is being said: how long that takes.
    says: Option<Millis>,
}

impl Clock {
    pub fn new(same: bool, from: Millis) -> Clock {
        Clock {
            same,
            from,
            shows: 0,
            says: None,
        }
    }

    /// The time since the last act.
    pub fn at(&self, at: Millis) -> Millis {
        let since = at.saturating_sub(self.from);
        self.shows + self.says.map_or(since, |says| since.min(says))
    }

    /// When what is being said will be over.
    pub fn turn(&self, at: Millis) -> Millis {
        match self.says {
            Some(says) => self.shows + says,
            None => self.at(at),
        }
    }

    /// Something is being said from here on.
    pub fn said(&mut self, at: Millis, words: &str) {
        (self.shows, self.from) = (self.at(at), at);
        self.says = (!self.same).then(|| pace::spoken_ms(words));
    }

    /// What was being said is over.
    pub fn played(&mut self, at: Millis) {
        (self.shows, self.from) = (self.turn(at), at);
        self.says = None;
    }

    /// Nothing is being said any more, whether or not it came to its end.
    pub fn stopped(&mut self, at: Millis) {
        (self.shows, self.from) = (self.at(at), at);
        self.says = None;
    }

    /// So much of the time until here passes in no test.
    pub fn lost(&mut self, at: Millis, time: Millis) {
        self.from = self.from.saturating_add(time).min(at);
    }

    /// The contact did something.
    pub fn acted(&mut self, at: Millis) {
        *self = Clock::new(self.same, at);
    }
}

#[cfg(test)]
mod tests {
    use super::Clock;

    #[test]
    fn a_prompt_takes_its_time_in_the_test_and_all_else_that_of_the_contact() {
        let mut clock = Clock::new(false, 10_000);
        clock.said(11_000, "0123456789");
        assert_eq!((clock.at(11_100), clock.turn(11_100)), (1_100, 1_660));
        assert_eq!(clock.at(15_000), 1_660, "slower than in a test");
        clock.played(15_000);
        assert_eq!(clock.at(17_000), 3_660);
        clock.lost(17_000, 500);
        assert_eq!(clock.at(17_000), 3_160);
        clock.lost(17_000, 60_000);
        assert_eq!(clock.at(17_000), 1_660);
        clock.said(17_000, "0123456789");
        clock.stopped(17_100);
        assert_eq!(clock.at(18_000), 2_660, "cut short");
        clock.acted(17_000);
        assert_eq!(clock.at(17_001), 1);
    }

    #[test]
    fn what_is_said_in_no_time_leaves_the_clock_alone() {
        let mut clock = Clock::new(true, 0);
        clock.said(100, "many words");
        assert_eq!((clock.at(3_000), clock.turn(3_000)), (3_000, 3_000));
    }
}
