use serde_json::json;

use super::Language;
use crate::check::Checked;

impl Checked {
    /// The worst case of a flow without errors in one line for people, without a line break.
    pub fn render_worst(&self, language: Language) -> Option<String> {
        let (worst, name) = (self.worst.as_ref()?, self.name.as_ref()?);
        let (person, end) = (seconds(worst.to_person_ms), seconds(worst.to_end_ms));
        let (silent, line) = (seconds(worst.silence_ms), worst.silence_line);
        Some(match language {
            Language::English => {
                let calls = match worst.calls.as_slice() {
                    [] => String::new(),
                    calls => format!(" (and the time in {})", calls.join(", ")),
                };
                let silence = match silent {
                    0 => "never silent".to_owned(),
                    silent => format!("at most {silent} s of silence (line {line})"),
                };
                format!(
                    "worst case of `{name}`: {person} s to a person or a goodbye{calls}, {silence}, over after {end} s"
                )
            }
            Language::Chinese => {
                let calls = match worst.calls.as_slice() {
                    [] => String::new(),
                    calls => format!("（另加 {} 的时间）", calls.join("、")),
                };
                let silence = match silent {
                    0 => "没有静默".to_owned(),
                    silent => format!("最长静默 {silent} 秒（第 {line} 行）"),
                };
                format!(
                    "`{name}` 的最坏情况：{person} 秒后接通人工或道别{calls}，{silence}，{end} 秒后结束"
                )
            }
        })
    }

    /// The same as one line of JSON, without a line break: a finding of the level `note` about `file`, with the
    /// times in milliseconds.
    pub fn render_worst_json(&self, file: &str, language: Language) -> Option<String> {
        let (worst, name) = (self.worst.as_ref()?, self.name.as_ref()?);
        let (person, silent) = (seconds(worst.to_person_ms), seconds(worst.silence_ms));
        let message = match language {
            Language::English => {
                format!("worst case: {person} s to a person or a goodbye, {silent} s of silence")
            }
            Language::Chinese => {
                format!("最坏情况：{person} 秒后接通人工或道别，最长静默 {silent} 秒")
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
