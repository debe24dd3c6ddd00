//! Moments as a flow and a client's system read them.

/// A moment in RFC 3339, UTC, to the second; `ms` is milliseconds since 1970-01-01T00:00:00Z.
///
/// Days are counted in the Gregorian calendar by eras of 400 years, which have 146,097 days each and here begin in March: so a leap day is
/// the last of its year.
pub fn rfc3339(ms: u64) -> String {
    const DAY_S: u64 = 86_400;
    // From 0000-03-01 to 1970-01-01.
    const EPOCH_DAYS: u64 = 719_468;
    const ERA_DAYS: u64 = 146_097;
    let seconds = ms / 1_000;
    let days = seconds / DAY_S + EPOCH_DAYS;
    let (era, day) = (days / ERA_DAYS, days % ERA_DAYS);
    let year = (day - day / 1_460 + day / 36_524 - day / (ERA_DAYS - 1)) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    // March is the first month of such a year.
    let (month, later) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = era * 400 + year + later;
    let (hour, minute, second) = (seconds % DAY_S / 3_600, seconds % 3_600 / 60, seconds % 60);
    format!("{year:04}-{month:02}-{day_of_month:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::rfc3339;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (ms, moment) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400_000, "2000-02-29T00:00:00Z"),
            (1_772_416_800_999, "2026-03-02T02:00:00Z"),
            (1_798_761_599_000, "2026-12-31T23:59:59Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(ms), moment);
        }
    }
}
