//! A record as a row of a table, for CSV and Parquet.

use jiff::Timestamp;
use serde_json::json;

use super::record::ContactRecord;

/// What a cell holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Text(Option<String>),
    Number(i64),
    /// Milliseconds since 1970.
    Time(Option<i64>),
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Time,
}

/// A column.
pub(super) struct Column {
    pub name: &'static str,
    pub kind: Kind,
    pub cell: fn(&ContactRecord) -> Cell,
}

fn text(text: impl Into<String>) -> Cell {
    Cell::Text(Some(text.into()))
}

fn number(number: impl TryInto<i64>) -> Cell {
    Cell::Number(number.try_into().unwrap_or(i64::MAX))
}

fn time(at: Option<u64>) -> Cell {
    Cell::Time(at.map(|at| i64::try_from(at).unwrap_or(i64::MAX)))
}

macro_rules! columns {
    ($($name:literal $kind:ident $cell:expr,)*) => {
        &[$(Column { name: $name, kind: Kind::$kind, cell: $cell },)*]
    };
}

/// All columns, in order. Lists are JSON in a text.
pub(super) const COLUMNS: &[Column] = columns! {
    "id" Text |r| text(&r.id),
    "tenant" Text |r| text(&r.tenant),
    "flow" Text |r| text(&r.flow),
    "flow_hash" Text |r| text(&r.flow_hash),
    "content" Text |r| text(&r.content),
    "channel" Text |r| text(&r.channel),
    "from" Text |r| text(&r.from),
    "to" Text |r| text(&r.to),
    "sip_call_id" Text |r| Cell::Text(r.sip_call_id.clone()),
    "started_at" Time |r| time(Some(r.started_at)),
    "answered_at" Time |r| time(r.answered_at),
    "ended_at" Time |r| time(Some(r.ended_at)),
    "total_ms" Number |r| number(r.total_ms),
    "flow_ms" Number |r| number(r.flow_ms),
    "waiting_ms" Number |r| number(r.waiting_ms),
    "transferred_ms" Number |r| number(r.transferred_ms),
    "reason" Text |r| text(&r.reason),
    "ended_by" Text |r| text(&r.ended_by),
    "error_code" Text |r| Cell::Text(r.error_code.clone()),
    "error" Text |r| Cell::Text(r.error.clone()),
    "failures" Number |r| number(r.failures),
    "tags" Text |r| text(json!(r.tags).to_string()),
    "path" Text |r| text(path(r)),
    "path_cut" Number |r| number(r.path_cut),
    "path_hash" Text |r| text(&r.path_hash),
    "transfer_target" Text |r| Cell::Text(r.transfers.last().map(|t| t.target.clone())),
    "transfer_outcome" Text |r| Cell::Text(r.transfers.last().map(|t| t.outcome.clone())),
    "transfers" Text |r| text(json!(r.transfers).to_string()),
    "queues" Text |r| text(json!(r.queues).to_string()),
    "cpu_us" Number |r| number(r.cpu_us()),
    "memory_bytes" Number |r| number(r.memory_bytes()),
    "host_calls" Number |r| number(r.host_calls()),
    "plugins" Text |r| text(json!(r.plugins).to_string()),
    "away_ms" Number |r| number(r.away_ms),
    "drops" Text |r| text(json!(r.drops).to_string()),
    "recording" Text |r| Cell::Text(r.recording.clone()),
};

/// `main/start menu=one > main/orders ask`: the actions with their outcomes.
fn path(record: &ContactRecord) -> String {
    let mut path = String::new();
    for hop in &record.path {
        if !path.is_empty() {
            path.push_str(" > ");
        }
        path.push_str(&format!("{}/{} {}", hop.flow, hop.step, hop.verb));
        if let Some(outcome) = &hop.outcome {
            path.push('=');
            path.push_str(outcome);
        }
    }
    path
}

/// A cell of a CSV file.
pub(super) fn csv(cell: Cell) -> String {
    match cell {
        Cell::Text(text) => harmless(text.unwrap_or_default()),
        Cell::Number(number) => number.to_string(),
        Cell::Time(None) => String::new(),
        Cell::Time(Some(at)) => {
            Timestamp::from_millisecond(at).map_or_else(|_| at.to_string(), |at| format!("{at:.3}"))
        }
    }
}

/// Keeps a spreadsheet from taking a text for a formula, by an apostrophe before it: callers choose some texts. A plain
/// number with a sign, as telephones have them, is left as it is.
fn harmless(text: String) -> String {
    let digits = text.strip_prefix(['+', '-']).unwrap_or_default();
    let number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    // Also in full width, which some spreadsheets take for the same; and what they skip before a formula.
    let risky = |c: char| {
        matches!(
            c,
            '=' | '+' | '-' | '@' | '|' | '%' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠'
        )
    };
    match text.trim_start_matches(' ').starts_with(risky) && !number {
        true => format!("'{text}"),
        false => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_a_formula() {
        for (text, cell) in [
            ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
            ("+8613800138000", "+8613800138000"),
            ("+86138+cmd|' /C calc'!A0", "'+86138+cmd|' /C calc'!A0"),
            ("-1+1", "'-1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("  =1", "'  =1"),
            ("\t=1", "'\t=1"),
            ("＝1", "'＝1"),
            ("alice", "alice"),
            ("", ""),
            ("+", "'+"),
        ] {
            assert_eq!(csv(Cell::Text(Some(text.to_owned()))), cell);
        }
    }

    #[test]
    fn times_are_those_of_the_world() {
        assert_eq!(
            csv(Cell::Time(Some(1_795_479_441_865))),
            "2026-11-24T00:17:21.865Z"
        );
        assert_eq!(csv(Cell::Time(None)), "");
    }
}
