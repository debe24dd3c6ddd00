use serde_json::json;

use super::Language;
use crate::check::{Checked, WorstCase};
use crate::expr::UNKNOWN_MS;
use crate::unseen::in_its_lines;

/// Most names in the line; the JSON has all of them.
const MAX_NAMES: usize = 4;

impl WorstCase {
    /// What stands in brackets behind the time to a person: the chat's, where it is another, and what the time does not hold for.
    fn beside(&self, language: Language) -> String {
        let chat = seconds(self.chat_to_person_ms);
        let differs = chat != seconds(self.to_person_ms);
        let (calls, texts) = (
            names(&self.calls, language),
            names(&self.unmeasured, language),
        );
        let (mut parts, chinese) = (Vec::new(), language == Language::Chinese);
        if differs {
            parts.push(match chinese {
                false => format!("{chat} s in a chat"),
                true => format!("聊天中为 {chat} 秒"),
            });
        }
        if !calls.is_empty() {
            parts.push(match chinese {
                false => format!("and the time in {calls}"),
                true => format!("另加 {calls} 的时间"),
            });
        }
        if !texts.is_empty() {
            let each = UNKNOWN_MS / 1_000;
            parts.push(match chinese {
                false => format!("{each} s for each of {texts}, whose length is not known"),
                true => format!("{texts} 长度未知，各按 {each} 秒计算"),
            });
        }
        match (parts.is_empty(), chinese) {
            (true, _) => String::new(),
            (_, false) => format!(" ({})", parts.join("; ")),
            (_, true) => format!("（{}）", parts.join("；")),
        }
    }
}

/// The first of some names, and that there are more.
fn names(all: &[String], language: Language) -> String {
    let between = match language {
        Language::English => ", ",
        Language::Chinese => "、",
    };
    let shown = all.iter().take(MAX_NAMES).map(String::as_str);
    let more = (all.len() > MAX_NAMES).then_some("…");
    let names = shown.chain(more).collect::<Vec<_>>().join(between);
    in_its_lines(&names).into_owned()
}

impl Checked {
    /// The worst case of a flow without errors in one line for people, without a line break.
    pub fn render_worst(&self, language: Language) -> Option<String> {
        let (worst, name) = (self.worst.as_ref()?, self.name.as_ref()?);
        let (person, end) = (seconds(worst.to_person_ms), seconds(worst.to_end_ms));
        let (silent, line) = (seconds(worst.silence_ms), worst.silence_line);
        let beside = worst.beside(language);
        Some(match language {
            Language::English => {
                let silence = match silent {
                    0 => "never silent".to_owned(),
                    silent => format!("at most {silent} s of silence (line {line})"),
                };
                format!(
                    "worst case of `{name}`: {person} s to a person or a goodbye{beside}, {silence}, over after {end} s"
                )
            }
            Language::Chinese => {
                let silence = match silent {
                    0 => "没有静默".to_owned(),
                    silent => format!("最长静默 {silent} 秒（第 {line} 行）"),
                };
                format!(
                    "`{name}` 的最坏情况：{person} 秒后接通人工或道别{beside}，{silence}，{end} 秒后结束"
                )
            }
        })
    }

    /// The same as one line of JSON, without a line break: a finding of the level `note` about `file`, with the
    /// times in milliseconds.
    pub fn render_worst_json(&self, file: &str, language: Language) -> Option<String> {
        let (worst, name) = (self.worst.as_ref()?, self.name.as_ref()?);
        let (person, silent) = (seconds(worst.to_person_ms), seconds(worst.silence_ms));
        let beside = worst.beside(language);
        let message = match language {
            Language::English => {
                format!(
                    "worst case: {person} s to a person or a goodbye{beside}, {silent} s of silence"
                )
            }
            Language::Chinese => {
                format!("最坏情况：{person} 秒后接通人工或道别{beside}，最长静默 {silent} 秒")
            }
        };
        let line = json!({
            "rule": "worst-case",
            "level": "note",
            "message": message,
            "file": file,
            "line": 1,
            "column": 1,
            "endLine": 1,
            "endColumn": 1,
            "help": null,
            "fix": null,
            "flow": name,
            "toPersonMs": worst.to_person_ms,
            "chatToPersonMs": worst.chat_to_person_ms,
            "unmeasured": worst.unmeasured,
            "toEndMs": worst.to_end_ms,
            "silenceMs": worst.silence_ms,
            "silenceLine": worst.silence_line,
            "calls": worst.calls,
        });
        Some(line.to_string())
    }
}

fn seconds(ms: u64) -> u64 {
    ms.div_ceil(1000)
}
