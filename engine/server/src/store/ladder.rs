//! The SIP messages of contacts. They lie beside the journals, not in them: what a contact did can be replayed, and what
//! was said on the wire about it is no part of that.

use serde::{Deserialize, Serialize};

use super::frame::Unpacker;
use super::{Store, StoreError};
use crate::retention::Number;
use crate::sip::Signal;

/// A line of a ladder as it is kept, in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Rung {
    /// A message.
    Sip(Signal),
    /// A message came or went again.
    SipAgain {
        /// Its leg.
        leg: u32,
        /// Its number.
        n: u32,
        /// How often.
        times: u32,
    },
    /// Messages that are left out: there were too many.
    SipCut {
        /// Their leg.
        leg: u32,
        /// How many.
        times: u32,
    },
}

/// Legs from here on are further calls of a contact's caller, who was cut off and called again.
pub const CALLED_BACK: u32 = 1 << 31;

/// The SIP messages of a contact, in the order of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ladder {
    /// The messages.
    pub signals: Vec<Signal>,
    /// Further ones, which are not kept.
    pub cut: u64,
    /// Rows that cannot be read.
    pub lost: u32,
}

impl Ladder {
    /// Takes a line in.
    pub fn add(&mut self, rung: Rung) {
        match rung {
            Rung::Sip(signal) => self.signals.push(signal),
            Rung::SipAgain { leg, n, times } => {
                let mut signals = self.signals.iter_mut().rev();
                if let Some(signal) = signals.find(|signal| signal.leg == leg && signal.n == n) {
                    signal.again = signal.again.saturating_add(times);
                }
            }
            Rung::SipCut { times, .. } => self.cut += u64::from(times),
        }
    }

    /// In the order of time; of one millisecond, in the order they were noted.
    pub fn sorted(mut self) -> Ladder {
        self.signals.sort_by_key(|signal| signal.at);
        self
    }
}

impl Store {
    /// A contact's SIP messages; none for a chat, and for contacts of programs that did not keep them.
    pub async fn ladder(&self, contact: &str) -> Result<Ladder, StoreError> {
        let mut ladder = Ladder::default();
        let mut unpacker = Unpacker::default();
        for row in self.ladder_rows(contact).await? {
            let Ok(lines) = unpacker.unpack(&row) else {
                ladder.lost += 1;
                continue;
            };
            for line in lines.lines() {
                match serde_json::from_str(line) {
                    Ok(rung) => ladder.add(rung),
                    Err(_) => ladder.lost += 1,
                }
            }
        }
        Ok(ladder.sorted())
    }

    /// Whether a contact's ladder holds a number's digits.
    pub(super) async fn ladder_says(
        &self,
        contact: &str,
        number: &Number,
    ) -> Result<bool, StoreError> {
        let mut unpacker = Unpacker::default();
        let mut rows = self.ladder_rows(contact).await?.into_iter();
        Ok(rows.any(|row| {
            unpacker
                .unpack(&row)
                .is_ok_and(|lines| number.is_in_json(lines))
        }))
    }

    async fn ladder_rows(&self, contact: &str) -> Result<Vec<Vec<u8>>, StoreError> {
        if !self.laddered {
            return Ok(Vec::new());
        }
        Ok(each!(self, pool => sqlx::query_scalar(
            "SELECT body FROM ladders WHERE contact = $1 ORDER BY leg, seq",
        )
        .bind(contact)
        .fetch_all(pool))?)
    }
}
