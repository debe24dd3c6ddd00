use serde_json::{Value, json};
use strowger_sdk::harness::{Script, check_description};

#[test]
fn the_description_is_sound() {
    check_description(super::DESCRIPTION, super::STEPS);
}

/// A shop on weekdays 09:00–21:00 and a bar on Friday and Saturday 22:00–02:00, closed on the national
/// days but for one, and with a make-up working day.
fn hours() -> Value {
    json!({
        "timezone": "Asia/Shanghai",
        "weekly": [
            { "days": [1, 2, 3, 4, 5], "from": 540, "to": 1260 },
            { "days": [5, 6], "from": 1320, "to": 120 },
        ],
        "closed": [["2026-10-01", "2026-10-03"], ["2027-01-01", "2027-01-01"]],
        "open": [
            { "date": "2026-10-10", "from": 540, "to": 1080 },
            { "date": "2026-10-02", "from": 1380, "to": 60 },
        ],
    })
}

fn at(date: (i32, u8, u8), weekday: u8, time: (u8, u8)) -> String {
    let input = json!({ "hours": hours() }).to_string();
    Script::new()
        .at(date, weekday, time)
        .run(|| super::run("hours", &input))
        .outcome()
        .0
        .to_owned()
}

#[test]
fn a_span_holds_from_its_first_minute_to_the_one_before_its_last() {
    assert_eq!(at((2026, 3, 2), 1, (8, 59)), "closed");
    assert_eq!(at((2026, 3, 2), 1, (9, 0)), "open");
    assert_eq!(at((2026, 3, 2), 1, (20, 59)), "open");
    assert_eq!(at((2026, 3, 2), 1, (21, 0)), "closed");
    assert_eq!(at((2026, 3, 1), 7, (12, 0)), "closed");
}

#[test]
fn a_span_across_midnight_belongs_to_the_day_on_which_it_begins() {
    assert_eq!(at((2026, 3, 6), 5, (23, 0)), "open");
    assert_eq!(at((2026, 3, 7), 6, (1, 59)), "open");
    assert_eq!(at((2026, 3, 7), 6, (2, 0)), "closed");
    assert_eq!(
        at((2026, 3, 8), 7, (1, 0)),
        "open",
        "Saturday's night ends on Sunday"
    );
    assert_eq!(at((2026, 3, 9), 1, (1, 0)), "closed", "Sunday has none");
    assert_eq!(at((2026, 3, 6), 5, (1, 0)), "closed", "Thursday has none");
}

#[test]
fn closed_days_are_holidays_from_midnight_to_midnight() {
    assert_eq!(at((2026, 10, 1), 4, (11, 0)), "holiday");
    assert_eq!(at((2026, 10, 3), 6, (23, 0)), "holiday");
    assert_eq!(
        at((2026, 10, 4), 7, (1, 0)),
        "closed",
        "the closed Saturday had no night"
    );
    assert_eq!(at((2027, 1, 1), 5, (0, 30)), "holiday");
    assert_eq!(
        at((2027, 1, 2), 6, (1, 0)),
        "closed",
        "Friday was closed, its night too"
    );
    assert_eq!(at((2027, 1, 2), 6, (22, 30)), "open");
}

#[test]
fn days_of_their_own_beat_closed_ones_and_the_week() {
    assert_eq!(at((2026, 10, 10), 6, (10, 0)), "open");
    assert_eq!(
        at((2026, 10, 10), 6, (22, 30)),
        "closed",
        "its own hours replace Saturday's"
    );
    assert_eq!(at((2026, 10, 11), 7, (1, 0)), "closed");
    assert_eq!(at((2026, 10, 2), 5, (23, 30)), "open");
    assert_eq!(
        at((2026, 10, 2), 5, (12, 0)),
        "closed",
        "a day with hours of its own is no holiday"
    );
    assert_eq!(
        at((2026, 10, 3), 6, (0, 30)),
        "open",
        "its night reaches into the holiday"
    );
}

#[test]
fn the_whole_day_is_written_from_midnight_to_midnight() {
    let always =
        json!({ "hours": { "timezone": "UTC", "weekly": [{ "days": [1], "from": 0, "to": 0 }] } });
    for (weekday, time, expected) in [
        (1, (0, 0), "open"),
        (1, (23, 59), "open"),
        (2, (0, 0), "closed"),
    ] {
        let script = Script::new().at((2026, 3, 1 + weekday), weekday, time);
        assert_eq!(
            script
                .run(|| super::run("hours", &always.to_string()))
                .outcome()
                .0,
            expected
        );
    }
}

#[test]
fn leap_days_exist_when_they_do() {
    let with = |day: &str| {
        let input = json!({ "hours": { "timezone": "UTC", "closed": [[day, day]] } }).to_string();
        Script::new()
            .at((2028, 2, 29), 2, (12, 0))
            .run(|| super::run("hours", &input))
    };
    assert_eq!(with("2028-02-29").outcome().0, "holiday");
    assert_eq!(with("2026-02-29").failure(), "bad-input");
    assert_eq!(with("someday").failure(), "bad-input");
}
