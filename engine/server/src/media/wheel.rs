use strowger_voice::FRAME_MS;

/// Phases of 1 ms within one frame.
const PHASES: u64 = FRAME_MS as u64;

/// Which legs are due in which millisecond: each leg in the wheel is due every 20 ms, at its own phase.
#[derive(Default)]
pub struct Wheel {
    phases: [Vec<u32>; PHASES as usize],
}

impl Wheel {
    /// Puts a leg at the phase of this millisecond.
    pub fn insert(&mut self, leg: u32, millis: u64) {
        self.phase(millis).push(leg);
    }

    /// Takes a leg out of the phase it was inserted at.
    pub fn remove(&mut self, leg: u32, millis: u64) {
        let phase = self.phase(millis);
        if let Some(index) = phase.iter().position(|entry| *entry == leg) {
            phase.swap_remove(index);
        }
    }

    /// The legs due in this millisecond, to be given back with [`Wheel::restore`].
    pub fn take(&mut self, millis: u64) -> Vec<u32> {
        std::mem::take(self.phase(millis))
    }

    /// Gives back the legs that stay at this phase, and with them the memory.
    pub fn restore(&mut self, millis: u64, mut legs: Vec<u32>) {
        let phase = self.phase(millis);
        legs.append(phase);
        *phase = legs;
    }

    /// The first millisecond from `from` on in which a leg is due; none if the wheel is empty.
    pub fn next(&self, from: u64) -> Option<u64> {
        (from..from + PHASES).find(|millis| !self.phases[(millis % PHASES) as usize].is_empty())
    }

    fn phase(&mut self, millis: u64) -> &mut Vec<u32> {
        &mut self.phases[(millis % PHASES) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn legs_come_round_at_their_phase() {
        let mut wheel = Wheel::default();
        assert_eq!(wheel.next(7), None);
        wheel.insert(1, 1_003);
        wheel.insert(2, 1_003);
        wheel.insert(3, 1_010);
        assert_eq!(wheel.next(1_003), Some(1_003));
        assert_eq!(wheel.next(1_004), Some(1_010));
        assert_eq!(wheel.next(1_011), Some(1_023));
        wheel.remove(1, 1_043);
        let due = wheel.take(1_023);
        assert_eq!(due, [2]);
        wheel.insert(4, 1_023);
        wheel.restore(1_023, due);
        assert_eq!(wheel.take(1_043), [2, 4]);
        wheel.remove(9, 0);
    }
}
