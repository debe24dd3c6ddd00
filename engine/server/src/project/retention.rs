//! `[retention]` of `strowger.toml`.

use schemars::JsonSchema;
use serde::Deserialize;
use strowger_flow::diagnostic::{Text, text};

/// Longest time that can be set, in days: a hundred years.
const MOST_DAYS: u32 = 36_525;
/// Rare contacts are kept so many times as long as others, unless `rare_days` says otherwise.
const RARE: u32 = 4;

/// Days that a line of the audit log is kept at least, and unless the project says otherwise. More than a year, so that the same
/// month of two years can be compared.
const AUDIT_DAYS_LEAST: u32 = 30;
const AUDIT_DAYS: u32 = 400;

/// `[retention]`: how long what is kept of contacts is kept, and the audit log. Without a table for a kind of what is kept of
/// contacts, for ever.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionSection {
    /// Journals: all that replay, trace and transcript show.
    pub journals: Option<KeepRows>,
    /// Records, and with a record all else of its contact.
    pub records: Option<KeepRows>,
    /// Recordings: whole calls and messages.
    pub recordings: Option<KeepFiles>,
    /// The audit log.
    pub audit: KeepAudit,
}

/// `[retention.audit]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeepAudit {
    /// Days after the change, 30 to 36525; default 400.
    pub days: u32,
}

impl Default for KeepAudit {
    fn default() -> Self {
        KeepAudit { days: AUDIT_DAYS }
    }
}

/// `[retention.journals]`, `[retention.records]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeepRows {
    /// Days after the contact's end; default none.
    pub days: Option<u32>,
    /// Days for rare contacts: those with an error, and the first of each distinct path. Default four times `days`.
    pub rare_days: Option<u32>,
    /// Most contacts; the oldest that are not rare go first. Default none.
    pub max_contacts: Option<u64>,
}

/// `[retention.recordings]`
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KeepFiles {
    /// Days after the contact's end; default none.
    pub days: Option<u32>,
    /// Days for rare contacts; default four times `days`.
    pub rare_days: Option<u32>,
    /// Most megabytes (of a million bytes); the oldest that are not rare go first. Default none.
    pub max_mb: Option<u64>,
}

/// What holds for one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Days after the contact's end.
    pub days: Option<u32>,
    /// Days for rare ones.
    pub rare_days: Option<u32>,
    /// Most contacts, or bytes.
    pub most: Option<u64>,
}

fn keep(days: Option<u32>, rare_days: Option<u32>, most: Option<u64>) -> Keep {
    let rare = days.map(|days| days.saturating_mul(RARE));
    Keep {
        days,
        rare_days: rare_days.or(rare),
        most,
    }
}

impl RetentionSection {
    /// What holds for journals, records and recordings.
    pub fn rules(&self) -> [Option<Keep>; 3] {
        let rows = |rows: &Option<KeepRows>| {
            rows.as_ref()
                .map(|rows| keep(rows.days, rows.rare_days, rows.max_contacts))
        };
        let recordings = self.recordings.as_ref().map(|files| {
            let bytes = files.max_mb.map(|mb| mb.saturating_mul(1_000_000));
            keep(files.days, files.rare_days, bytes)
        });
        [rows(&self.journals), rows(&self.records), recordings]
    }

    /// What is wrong, the table and key at which that stands, and what to do.
    pub(super) fn fault(&self) -> Option<(&'static str, &'static str, Text, Text)> {
        let KeepAudit { days } = self.audit;
        if !(AUDIT_DAYS_LEAST..=MOST_DAYS).contains(&days) {
            return Some((
                "audit",
                "days",
                text!(
                    "retention.audit.days is {AUDIT_DAYS_LEAST} to {MOST_DAYS}, not {days}",
                    "`retention.audit.days` 是 {AUDIT_DAYS_LEAST} 到 {MOST_DAYS}，而不是 {days}"
                ),
                text!(
                    "leave it out for {AUDIT_DAYS} days",
                    "不写就是 {AUDIT_DAYS} 天"
                ),
            ));
        }
        let kinds = ["journals", "records", "recordings"];
        for (kind, rule) in kinds.into_iter().zip(self.rules()) {
            let Some(Keep {
                days,
                rare_days,
                most,
            }) = rule
            else {
                continue;
            };
            let most_key = match kind {
                "recordings" => "max_mb",
                _ => "max_contacts",
            };
            if days.is_none() && most.is_none() {
                return Some((
                    kind,
                    "rare_days",
                    text!(
                        "retention.{kind} says neither `days` nor `{most_key}`: nothing would ever go",
                        "`retention.{kind}` 既没有写 `days` 也没有写 `{most_key}`：什么都不会被删除"
                    ),
                    Text::fixed("set one of the two", "写其中一个"),
                ));
            }
            for (key, value, most) in [
                ("days", days, MOST_DAYS),
                ("rare_days", rare_days, MOST_DAYS * RARE),
            ] {
                if value.is_some_and(|days| !(1..=most).contains(&days)) {
                    return Some((
                        kind,
                        key,
                        text!(
                            "retention.{kind}.{key} is 1 to {most}",
                            "`retention.{kind}.{key}` 是 1 到 {most}"
                        ),
                        Text::fixed(
                            "leave the table out to keep everything",
                            "不写这个表就全部保留",
                        ),
                    ));
                }
            }
            if let (Some(days), Some(rare)) = (days, rare_days)
                && rare < days
            {
                return Some((
                    kind,
                    "rare_days",
                    text!(
                        "retention.{kind}.rare_days {rare} is less than days {days}: the rare are kept longer",
                        "`retention.{kind}.rare_days` 的 {rare} 小于 `days` 的 {days}：少见的应保留更久"
                    ),
                    Text::fixed(
                        "leave it out for four times `days`",
                        "不写就是 `days` 的四倍",
                    ),
                ));
            }
            if most == Some(0) {
                return Some((
                    kind,
                    most_key,
                    text!(
                        "retention.{kind}.{most_key} is 1 or more",
                        "`retention.{kind}.{most_key}` 至少为 1"
                    ),
                    Text::fixed("leave it out for no such limit", "不写就没有这个限制"),
                ));
            }
        }
        None
    }
}
