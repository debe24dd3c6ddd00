//! Where chats are begun from: nobody begins more than so many a minute.

use std::collections::HashMap;
use std::net::IpAddr;

use strowger_contact::Millis;

/// What is counted by, in milliseconds.
const MINUTE: Millis = 60_000;
/// Sources that are remembered at once; beyond, those of former minutes are looked for and left out.
const MAX_SOURCES: usize = 10_000;

/// Chats begun this minute, by source.
pub(super) struct Sources {
    a_minute: u32,
    seen: HashMap<IpAddr, (Millis, u32)>,
}

impl Sources {
    pub fn new(a_minute: u32) -> Sources {
        Sources {
            a_minute,
            seen: HashMap::new(),
        }
    }

    /// Counts a chat, unless there were too many.
    pub fn allows(&mut self, source: IpAddr, now: Millis) -> bool {
        if self.seen.len() >= MAX_SOURCES && !self.seen.contains_key(&source) {
            self.seen
                .retain(|_, (since, _)| now.saturating_sub(*since) < MINUTE);
            if self.seen.len() >= MAX_SOURCES {
                return false;
            }
        }
        let (since, begun) = self.seen.entry(source).or_insert((now, 0));
        if now.saturating_sub(*since) >= MINUTE {
            (*since, *begun) = (now, 0);
        }
        *begun += 1;
        *begun <= self.a_minute
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn source(n: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from_bits(n))
    }

    #[test]
    fn each_source_has_its_own_minute() {
        let mut sources = Sources::new(2);
        let begun: Vec<bool> = (0..3).map(|at| sources.allows(source(1), at)).collect();
        assert_eq!(begun, [true, true, false]);
        assert!(sources.allows(source(2), 3));
        assert!(sources.allows(source(1), MINUTE));
    }

    #[test]
    fn sources_are_bounded() {
        let mut sources = Sources::new(1);
        for n in 0..MAX_SOURCES as u32 {
            assert!(sources.allows(source(n), 0));
        }
        assert!(!sources.allows(source(u32::MAX), 1));
        assert!(sources.allows(source(u32::MAX), MINUTE));
        assert_eq!(sources.seen.len(), 1);
    }
}
