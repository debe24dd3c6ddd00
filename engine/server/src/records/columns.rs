//! A record as a row of a table, for CSV and Parquet.

use jiff::Timestamp;
use serde::Serialize;
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

fn list(value: &impl Serialize) -> Cell {
    text(json!(value).to_string())
}

/// All columns: the fields of a record, by the same names and in the same order as in its JSON. Lists and maps are their JSON
/// in a text.
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
    "away_ms" Number |r| number(r.away_ms),
    "reason" Text |r| text(&r.reason),
    "ended_by" Text |r| text(&r.ended_by),
    "error_code" Text |r| Cell::Text(r.error_code.clone()),
    "error" Text |r| Cell::Text(r.error.clone()),
    "failures" Number |r| number(r.failures),
    "tags" Text |r| list(&r.tags),
    "path" Text |r| list(&r.path),
    "path_cut" Number |r| number(r.path_cut),
    "path_hash" Text |r| text(&r.path_hash),
    "transfers" Text |r| list(&r.transfers),
    "transfer_target" Text |r| Cell::Text(r.transfer_target.clone()),
    "transfer_outcome" Text |r| Cell::Text(r.transfer_outcome.clone()),
    "queues" Text |r| list(&r.queues),
    "drops" Text |r| list(&r.drops),
    "cpu_us" Number |r| number(r.cpu_us),
    "memory_bytes" Number |r| number(r.memory_bytes),
    "host_calls" Number |r| number(r.host_calls),
    "plugins" Text |r| list(&r.plugins),
    "recording" Text |r| Cell::Text(r.recording.clone()),
};

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
/// number with a sign, as telephones have them, is left as it is. A text that begins with an apostrophe gets another one, so
/// that whoever reads the file takes away the first and has the text.
fn harmless(text: String) -> String {
    let digits = text.strip_prefix(['+', '-']).unwrap_or_default();
    let number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    // Also in full width, which some spreadsheets take for the same; and what they skip before a formula.
    let risky = |c: char| {
        matches!(
            c,
            '\'' | '='
                | '+'
                | '-'
                | '@'
                | '|'
                | '%'
                | '\t'
                | '\r'
                | '\n'
                | '＝'
                | '＋'
                | '－'
                | '＠'
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
            ("'=1", "''=1"),
            ("alice", "alice"),
            ("", ""),
            ("+", "'+"),
        ] {
            assert_eq!(csv(Cell::Text(Some(text.to_owned()))), cell);
        }
    }

    #[test]
    fn columns_are_the_fields_of_a_record() {
        let names: Vec<_> = COLUMNS.iter().map(|column| column.name).collect();
        let line = serde_json::to_string(&ContactRecord::default()).expect("a record");
        let fields: serde_json::Map<String, serde_json::Value> =
            serde_json::from_str(&line).expect("an object");
        assert_eq!(names.len(), fields.len(), "{line}");
        let mut after = 0;
        for name in names {
            let place = line[after..].find(&format!("\"{name}\":"));
            after += place.unwrap_or_else(|| panic!("{name} is not next in {line}"));
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
