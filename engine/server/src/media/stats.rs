use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// Upper bounds of the lateness classes, in microseconds; one more class holds everything later.
pub const LATENESS_BOUNDS: [u64; 9] =
    [250, 500, 1_000, 2_000, 3_000, 5_000, 10_000, 20_000, 50_000];

/// The counters of the media side at one moment. All but the two gauges only grow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MediaStats {
    /// Gauge: open streams.
    pub streams: u64,
    /// Gauge: ports of the range that are taken.
    pub ports_in_use: u64,
    /// Streams refused for want of a port or a socket.
    pub ports_refused: u64,
    /// Datagrams read.
    pub packets_in: u64,
    /// Packets sent.
    pub packets_out: u64,
    /// Datagrams that are not RTP, and event packets that are too short.
    pub malformed: u64,
    /// Packets of a source that is not the call's.
    pub foreign: u64,
    /// Packets before the stream was connected, or of a payload type that was not agreed on.
    pub unexpected: u64,
    /// RTCP packets, which are not evaluated.
    pub rtcp: u64,
    /// Keys told.
    pub digits: u64,
    /// Packets the kernel refused to send.
    pub send_failed: u64,
    /// Events dropped because the contact did not read its queue.
    pub events_dropped: u64,
    /// Milliseconds of sending left out because a thread did not run for so long.
    pub ticks_skipped: u64,
    /// Received packets that came too late for the recording, or too early.
    pub record_late: u64,
    /// Pieces of recordings dropped because the disk was too slow; silence stands in for them.
    pub record_dropped: u64,
    /// Recordings that could not be written.
    pub record_failed: u64,
    /// Sent packets by lateness against their 20 ms clock; classes as in [`LATENESS_BOUNDS`].
    pub lateness: [u64; LATENESS_BOUNDS.len() + 1],
}

impl MediaStats {
    /// The bound of the class in which the given share of packets lies (0.99 for p99); none before the
    /// first packet or when it is in the open class.
    pub fn lateness_quantile(&self, share: f64) -> Option<Duration> {
        let total: u64 = self.lateness.iter().sum();
        let rank = (total as f64 * share).ceil() as u64;
        let mut seen = 0;
        let class = self.lateness.iter().position(|count| {
            seen += count;
            seen >= rank && seen > 0
        });
        class
            .and_then(|class| LATENESS_BOUNDS.get(class))
            .map(|bound| Duration::from_micros(*bound))
    }
}

/// One thread's counters: written by it alone, read by anybody.
#[derive(Debug, Default)]
pub struct Counters {
    pub streams: Counter,
    pub packets_in: Counter,
    pub packets_out: Counter,
    pub malformed: Counter,
    pub foreign: Counter,
    pub unexpected: Counter,
    pub rtcp: Counter,
    pub digits: Counter,
    pub send_failed: Counter,
    pub events_dropped: Counter,
    pub ticks_skipped: Counter,
    pub record_late: Counter,
    pub record_dropped: Counter,
    pub record_failed: Counter,
    lateness: [Counter; LATENESS_BOUNDS.len() + 1],
}

/// A number that one thread writes.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn count(&self) {
        self.add(1);
    }

    pub fn add(&self, more: u64) {
        // There is one writer, so a load and a store will do; a locked addition would cost 5 ns a packet.
        self.set(self.value() + more);
    }

    pub fn set(&self, value: u64) {
        self.0.store(value, Relaxed);
    }

    fn value(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

impl Counters {
    pub fn late(&self, by: Duration) {
        let micros = by.as_micros() as u64;
        let class = LATENESS_BOUNDS.iter().position(|bound| micros <= *bound);
        self.lateness[class.unwrap_or(LATENESS_BOUNDS.len())].count();
    }

    pub fn add_to(&self, stats: &mut MediaStats) {
        stats.streams += self.streams.value();
        stats.packets_in += self.packets_in.value();
        stats.packets_out += self.packets_out.value();
        stats.malformed += self.malformed.value();
        stats.foreign += self.foreign.value();
        stats.unexpected += self.unexpected.value();
        stats.rtcp += self.rtcp.value();
        stats.digits += self.digits.value();
        stats.send_failed += self.send_failed.value();
        stats.events_dropped += self.events_dropped.value();
        stats.ticks_skipped += self.ticks_skipped.value();
        stats.record_late += self.record_late.value();
        stats.record_dropped += self.record_dropped.value();
        stats.record_failed += self.record_failed.value();
        for (sum, class) in stats.lateness.iter_mut().zip(&self.lateness) {
            *sum += class.value();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_class_bounds() {
        let (counters, mut stats) = (Counters::default(), MediaStats::default());
        assert_eq!(stats.lateness_quantile(0.99), None);
        for micros in [10, 100, 900, 100_000] {
            counters.late(Duration::from_micros(micros));
        }
        counters.add_to(&mut stats);
        assert_eq!(
            stats.lateness_quantile(0.5),
            Some(Duration::from_micros(250))
        );
        assert_eq!(
            stats.lateness_quantile(0.75),
            Some(Duration::from_micros(1_000))
        );
        assert_eq!(stats.lateness_quantile(1.0), None);
    }
}
