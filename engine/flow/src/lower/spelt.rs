//! Times, days, durations and ranges as people write them elsewhere: what they would be here.

/// Units of durations, each with its names.
const UNITS: [(&str, &[&str]); 4] = [
    (
        "ms",
        &[
            "msec",
            "msecs",
            "millis",
            "millisecond",
            "milliseconds",
            "毫秒",
        ],
    ),
    ("s", &["sec", "secs", "second", "seconds", "秒", "秒钟"]),
    ("m", &["min", "mins", "minute", "minutes", "分", "分钟"]),
    ("h", &["hr", "hrs", "hour", "hours", "小时"]),
];

/// Days from Monday on, each with its names.
const DAYS: [(&str, &[&str]); 7] = [
    ("mon", &["monday", "montag", "mo", "周一", "星期一"]),
    (
        "tue",
        &["tuesday", "tues", "dienstag", "di", "周二", "星期二"],
    ),
    ("wed", &["wednesday", "mittwoch", "mi", "周三", "星期三"]),
    (
        "thu",
        &[
            "thursday",
            "thur",
            "thurs",
            "donnerstag",
            "do",
            "周四",
            "星期四",
        ],
    ),
    ("fri", &["friday", "freitag", "fr", "周五", "星期五"]),
    ("sat", &["saturday", "samstag", "sa", "周六", "星期六"]),
    (
        "sun",
        &["sunday", "sonntag", "so", "周日", "星期日", "星期天"],
    ),
];

/// What stands between two ends elsewhere; the longest first.
const BETWEEN: [&str; 9] = ["...", "..", " to ", " bis ", "–", "—", "到", "至", "-"];

/// Two ends, without blanks around them.
fn ends(written: &str) -> Option<(&str, &str)> {
    let mut between = BETWEEN.iter();
    let (from, to) = between.find_map(|between| written.split_once(between))?;
    Some((from.trim(), to.trim()))
}

/// `5 seconds` as `5s`.
pub(super) fn duration(written: &str) -> Option<String> {
    let written = written.trim().to_lowercase();
    let number = written.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = written[number.len()..].trim();
    let whole = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let names = |(ours, names): &&(&str, &[&str])| *ours == unit || names.contains(&unit);
    let (ours, _) = UNITS.iter().find(names).filter(|_| whole)?;
    Some(format!("{number}{ours}"))
}

/// `9am-5pm` as `09:00-17:00`.
pub(super) fn span(written: &str) -> Option<String> {
    let (from, to) = ends(written)?;
    Some(format!("{}-{}", time(from)?, time(to)?))
}

/// A time of day with hours and minutes of two digits.
fn time(written: &str) -> Option<String> {
    let small = written.to_lowercase();
    let half = |half: &str| small.strip_suffix(half).map(str::trim_end);
    let (digits, noon) = match (half("am"), half("pm")) {
        (Some(digits), _) => (digits, Some(0)),
        (_, Some(digits)) => (digits, Some(12)),
        _ => (small.as_str(), None),
    };
    let (hours, minutes) = digits.split_once([':', '.', 'h']).unwrap_or((digits, "00"));
    let minutes = if minutes.is_empty() { "00" } else { minutes };
    let number = |text: &str| {
        let short = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        short.then(|| text.parse::<u32>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let hours = match noon {
        // Twelve comes before one.
        Some(noon) if (1..=12).contains(&hours) => hours % 12 + noon,
        Some(_) => return None,
        None => hours,
    };
    let fits = hours < 24 && minutes < 60 || hours == 24 && minutes == 0;
    fits.then(|| format!("{hours:02}:{minutes:02}"))
}

/// `Monday-Friday` as `mon-fri`.
pub(super) fn days(written: &str) -> Option<String> {
    let small = written.trim().to_lowercase();
    match small.as_str() {
        "weekdays" | "workdays" | "工作日" => return Some("mon-fri".to_owned()),
        "weekend" | "weekends" | "周末" => return Some("sat-sun".to_owned()),
        "daily" | "every day" | "everyday" | "每天" => return Some("mon-sun".to_owned()),
        _ => {}
    }
    let day = |written: &str| {
        let mut days = DAYS.iter();
        let named = days.find(|(ours, names)| *ours == written || names.contains(&written));
        named.map(|(ours, _)| *ours)
    };
    match (day(&small), ends(&small)) {
        (Some(one), _) => Some(one.to_owned()),
        (None, Some((from, to))) => Some(format!("{}-{}", day(from)?, day(to)?)),
        (None, None) => None,
    }
}

/// `8-12` as `8..12`.
pub(super) fn range(written: &str) -> Option<String> {
    let (from, to) = ends(written)?;
    let whole = |text: &str| {
        (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    (whole(from) && whole(to)).then(|| format!("{from}..{to}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_elsewhere_has_a_form_here() {
        for (written, ours) in [
            ("5 seconds", "5s"),
            ("5sec", "5s"),
            ("2 Min", "2m"),
            ("3 小时", "3h"),
            ("1 S", "1s"),
        ] {
            assert_eq!(duration(written).as_deref(), Some(ours), "{written}");
        }
        for written in ["five seconds", "5 fortnights", "", "s", "1.5 s", "5 5"] {
            assert_eq!(duration(written), None, "{written}");
        }
        for (written, ours) in [
            ("9am-5pm", "09:00-17:00"),
            ("9-17", "09:00-17:00"),
            ("9:00-17:00", "09:00-17:00"),
            ("09.00 to 17.30", "09:00-17:30"),
            ("12am–12pm", "00:00-12:00"),
            ("8 bis 24", "08:00-24:00"),
            ("9h30 - 17h", "09:30-17:00"),
        ] {
            assert_eq!(span(written).as_deref(), Some(ours), "{written}");
        }
        for written in ["9", "9-25", "13pm-5pm", "always", "9:75-10:00", "-"] {
            assert_eq!(span(written), None, "{written}");
        }
        for (written, ours) in [
            ("Monday-Friday", "mon-fri"),
            ("Mo-Fr", "mon-fri"),
            ("monday to friday", "mon-fri"),
            ("周一至周五", "mon-fri"),
            ("weekend", "sat-sun"),
            ("Sunday", "sun"),
        ] {
            assert_eq!(days(written).as_deref(), Some(ours), "{written}");
        }
        assert_eq!(days("someday"), None);
        for (written, ours) in [("8-12", "8..12"), ("8...12", "8..12"), ("8 to 12", "8..12")] {
            assert_eq!(range(written).as_deref(), Some(ours), "{written}");
        }
        assert_eq!(range("a-b"), None);
    }
}
