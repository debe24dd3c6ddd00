use serde_json::{Map as JsonMap, Value as Json, json};

use super::names::is_name;
use super::{Lowerer, spelt};
use crate::check::rules::{bad_hours, bad_name, missing_key};
use crate::diagnostic::{Text, text};
use crate::value::{Type, Value, parse_literal};
use crate::yaml::{Content, Entry, Map, Node};

/// Days as they are written, Monday first (ISO 8601).
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Keys of opening hours.
pub(super) const HOURS_KEYS: [&str; 4] = ["timezone", "weekly", "closed", "open"];

/// Most days that one line of `closed:` may cover.
const MAX_CLOSED_DAYS: i32 = 3660;

impl<'t> Lowerer<'t> {
    /// `hours:` of the flow.
    pub(super) fn all_hours(&mut self, node: &'t Node<'t>) {
        let Some(map) = self.expect_map(
            "hours",
            node,
            Text::fixed(
                "a map of named opening hours",
                "营业时间的映射，每个一个名字",
            ),
        ) else {
            return;
        };
        // What stands there is told of once, and nobody knows the name that `hours:` steps call it by.
        let own = |entry: &Entry<'_>| HOURS_KEYS.contains(&entry.key.as_ref());
        let zone = map.value("timezone").and_then(Node::text);
        if zone.is_some_and(|zone| !zone.is_empty()) && map.entries.iter().all(own) {
            missing_key::name_of_hours(&mut self.report, map.entries[0].key_span);
            self.unnamed_hours = true;
            return;
        }
        for entry in &map.entries {
            if !is_name(&entry.key) {
                bad_name::name(
                    &mut self.report,
                    entry.key_span,
                    &entry.key,
                    Text::fixed("opening hours", "营业时间"),
                    false,
                );
            }
            let hours = match self.expect_map(
                &entry.key,
                &entry.value,
                Text::fixed(
                    "a map with `timezone` and `weekly`",
                    "含有 `timezone` 和 `weekly` 的映射",
                ),
            ) {
                Some(map) => self.hours(entry.key_span, map),
                None => json!({}),
            };
            self.hours.insert(entry.key.to_string(), hours);
        }
    }

    fn hours(&mut self, at: crate::expr::Span, map: &'t Map<'t>) -> Json {
        self.unknown_keys(map, Text::fixed("`hours`", "`hours`"), &HOURS_KEYS);
        let mut hours = JsonMap::new();
        match map.value("timezone") {
            None => missing_key::missing(
                &mut self.report,
                at,
                "timezone:",
                Text::fixed("`hours`", "`hours`"),
                "timezone: Asia/Shanghai",
            ),
            Some(node) => {
                if let Some(zone) = self.expect_text(
                    "timezone",
                    node,
                    Text::fixed(
                        "a time zone such as `Asia/Shanghai`",
                        "时区，例如 `Asia/Shanghai`",
                    ),
                ) {
                    if jiff::tz::TimeZone::get(zone).is_err() {
                        bad_hours::bad(
                            &mut self.report,
                            node.span,
                            text!("there is no time zone `{zone}`", "没有时区 `{zone}`"),
                            text!(
                                "write a name of the IANA list, such as `Asia/Shanghai`",
                                "请写 IANA 时区名，例如 `Asia/Shanghai`"
                            ),
                        );
                    }
                    hours.insert("timezone".to_owned(), json!(zone));
                }
            }
        }
        let mut weekly = Vec::new();
        match map.value("weekly") {
            None => missing_key::missing(
                &mut self.report,
                at,
                "weekly:",
                Text::fixed("`hours`", "`hours`"),
                "weekly: { mon-fri: 09:00-18:00 }",
            ),
            Some(node) => {
                let lines = self.expect_map(
                    "weekly",
                    node,
                    Text::fixed(
                        "a map such as `{ mon-fri: 09:00-18:00 }`",
                        "映射，例如 `{ mon-fri: 09:00-18:00 }`",
                    ),
                );
                for entry in lines.into_iter().flat_map(|map| &map.entries) {
                    let Some(days) = days(&entry.key) else {
                        let key = &entry.key;
                        bad_hours::bad(
                            &mut self.report,
                            entry.key_span,
                            text!("`{key}` is neither a day nor days", "`{key}` 不是星期"),
                            match spelt::days(&entry.key) {
                                Some(meant) => Text::did_you_mean(meant),
                                None => {
                                    text!("write `mon`, or `mon-fri`", "请写 `mon` 或 `mon-fri`")
                                }
                            },
                        );
                        continue;
                    };
                    for (from, to) in self.spans(&entry.key, &entry.value) {
                        weekly.push(json!({ "days": days, "from": from, "to": to }));
                    }
                }
            }
        }
        hours.insert("weekly".to_owned(), Json::Array(weekly));
        let closed = map
            .value("closed")
            .map(|node| self.closed(node))
            .unwrap_or_default();
        hours.insert("closed".to_owned(), Json::Array(closed));
        let open = map
            .value("open")
            .map(|node| self.open(node))
            .unwrap_or_default();
        hours.insert("open".to_owned(), Json::Array(open));
        Json::Object(hours)
    }

    /// One span of time, or several.
    fn spans(&mut self, key: &str, node: &'t Node<'t>) -> Vec<(u32, u32)> {
        match &node.content {
            Content::List(items) => {
                if let Some(span) = self.two_times(node, items) {
                    return vec![span];
                }
                let spans = items.iter().filter_map(|item| self.span(key, item));
                spans.collect()
            }
            _ => self.span(key, node).into_iter().collect(),
        }
    }

    /// `[09:00, 18:00]` for `09:00-18:00`.
    fn two_times(&mut self, node: &Node<'_>, items: &[Node<'_>]) -> Option<(u32, u32)> {
        let [from, to] = items else { return None };
        let (from, to) = (from.text()?, to.text()?);
        let span = (minute(from)?, minute(to)?);
        bad_hours::meant(
            &mut self.report,
            node.span,
            text!(
                "these are two times, and a span of time is one value",
                "这里是两个时间，而时间段是一个值"
            ),
            &format!("{from}-{to}"),
        );
        Some(span)
    }

    fn span(&mut self, key: &str, node: &'t Node<'t>) -> Option<(u32, u32)> {
        let written = self.expect_text(
            key,
            node,
            Text::fixed(
                "a span of time such as `09:00-18:00`",
                "时间段，例如 `09:00-18:00`",
            ),
        )?;
        let minutes = written
            .split_once('-')
            .and_then(|(from, to)| Some((minute(from.trim())?, minute(to.trim())?)));
        match minutes {
            Some((from, to)) if from < 24 * 60 && from != to => Some((from, to)),
            _ => {
                bad_hours::bad(
                    &mut self.report,
                    node.span,
                    text!(
                        "`{written}` is not a span of time",
                        "`{written}` 不是时间段"
                    ),
                    match spelt::span(written).filter(|meant| meant != written) {
                        Some(meant) => Text::did_you_mean(meant),
                        None => text!(
                            "write hours and minutes, as in `09:00-18:00`; it may cross midnight",
                            "请写小时和分钟，例如 `09:00-18:00`；可以跨过午夜"
                        ),
                    },
                );
                None
            }
        }
    }

    fn closed(&mut self, node: &'t Node<'t>) -> Vec<Json> {
        let Some(items) = self.expect_list(
            "closed",
            node,
            Text::fixed(
                "a list of days such as `[2026-10-01..2026-10-03]`",
                "日期的列表，例如 `[2026-10-01..2026-10-03]`",
            ),
        ) else {
            return Vec::new();
        };
        let mut closed = Vec::new();
        for item in items {
            let Some(written) = self.expect_text(
                "closed",
                item,
                Text::fixed("a day such as `2026-10-01`", "日期，例如 `2026-10-01`"),
            ) else {
                continue;
            };
            let (first, last) = written.split_once("..").unwrap_or((written, written));
            let days = (date(first.trim()), date(last.trim()));
            match days {
                (Some(first), Some(last))
                    if first <= last && days_between(first, last) <= MAX_CLOSED_DAYS =>
                {
                    closed.push(json!([first.to_string(), last.to_string()]));
                }
                (Some(first), Some(last)) if first > last => bad_hours::meant(
                    &mut self.report,
                    item.span,
                    text!(
                        "`{written}` ends before it begins",
                        "`{written}` 的结束早于开始"
                    ),
                    &format!("{last}..{first}"),
                ),
                (Some(_), Some(_)) => bad_hours::bad(
                    &mut self.report,
                    item.span,
                    text!(
                        "`{written}` is more than {MAX_CLOSED_DAYS} days",
                        "`{written}` 超过 {MAX_CLOSED_DAYS} 天"
                    ),
                    text!(
                        "write the days as several spans, or leave the hours out",
                        "请分成几段来写，或不写营业时间"
                    ),
                ),
                _ => self.bad_day(item, written),
            }
        }
        closed
    }

    fn open(&mut self, node: &'t Node<'t>) -> Vec<Json> {
        let Some(map) = self.expect_map(
            "open",
            node,
            Text::fixed(
                "a map such as `{ 2026-10-10: 09:00-18:00 }`",
                "映射，例如 `{ 2026-10-10: 09:00-18:00 }`",
            ),
        ) else {
            return Vec::new();
        };
        let mut open = Vec::new();
        for entry in &map.entries {
            let Some(day) = date(&entry.key) else {
                self.bad_day_at(entry.key_span, &entry.key);
                continue;
            };
            for (from, to) in self.spans(&entry.key, &entry.value) {
                open.push(json!({ "date": day.to_string(), "from": from, "to": to }));
            }
        }
        open
    }

    fn bad_day(&mut self, node: &Node, written: &str) {
        self.bad_day_at(node.span, written);
    }

    fn bad_day_at(&mut self, at: crate::expr::Span, written: &str) {
        bad_hours::bad(
            &mut self.report,
            at,
            text!(
                "`{written}` is no day of the calendar",
                "`{written}` 不是有效日期"
            ),
            text!(
                "write `2026-10-01`, or `2026-10-01..2026-10-03`",
                "请写 `2026-10-01` 或 `2026-10-01..2026-10-03`"
            ),
        );
    }
}

/// `mon`, or `mon-fri`, as ISO numbers; a range may cross the end of the week.
fn days(written: &str) -> Option<Vec<usize>> {
    let (first, last) = written.split_once('-').unwrap_or((written, written));
    let number = |day: &str| DAYS.iter().position(|known| *known == day.trim());
    let (first, last) = (number(first)?, number(last)?);
    let length = (last + 7 - first) % 7;
    Some((0..=length).map(|step| (first + step) % 7 + 1).collect())
}

/// Minute of the day; `24:00` is its end.
fn minute(written: &str) -> Option<u32> {
    if written == "24:00" {
        return Some(24 * 60);
    }
    let (hours, minutes) = written.split_once(':')?;
    let two = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !two(hours) || !two(minutes) {
        return None;
    }
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

fn date(written: &str) -> Option<jiff::civil::Date> {
    match parse_literal(written, &Type::Date) {
        Ok(Value::Date(date)) => Some(date),
        _ => None,
    }
}

fn days_between(first: jiff::civil::Date, last: jiff::civil::Date) -> i32 {
    first.until(last).map_or(i32::MAX, |span| span.get_days())
}
