//! Why a file beside the flows cannot be read, in the languages of findings. The readers of TOML and YAML say it
//! in English, most of it in the fixed sentences of `serde::de::Error`.

use std::borrow::Cow;
use std::io::{Error, ErrorKind};

use strowger_flow::diagnostic::Text;

/// What a reader of TOML or YAML says, and the same in Chinese.
pub(super) fn reason(said: &str) -> Text {
    let chinese = known(said)
        .or_else(|| sip_uri(said))
        .or_else(|| toml(said))
        .unwrap_or_else(|| format!("无法读取：“{said}”"));
    Text::both(said.to_owned(), chinese)
}

/// What the operating system says of a file, and the same in Chinese.
pub(super) fn unreadable(error: &Error) -> Text {
    let chinese = match error.kind() {
        ErrorKind::NotFound => Cow::Borrowed("文件不存在"),
        ErrorKind::PermissionDenied => "没有读取的权限".into(),
        ErrorKind::IsADirectory => "这是一个文件夹".into(),
        ErrorKind::InvalidData => "内容不是 UTF-8".into(),
        _ => format!("“{error}”").into(),
    };
    Text::both(error.to_string(), chinese)
}

/// What is told of an address that is no SIP URI, in Chinese.
fn sip_uri(said: &str) -> Option<String> {
    let (text, rest) = said.split_once(" is not a SIP URI: ")?;
    let (cause, write) = rest.split_once("; write it like ")?;
    let cause = match cause {
        "it holds a space, quote, bracket or control character" => {
            "里面有空格、引号、括号或控制字符"
        }
        "its scheme, host or port cannot be read" => "协议、主机或端口无法读懂",
        "its scheme is not sip, sips or tel" => "协议不是 sip、sips 或 tel",
        other => other,
    };
    Some(format!("{text} 不是 SIP 地址：{cause}；请写成 {write}"))
}

/// What the reader of TOML says, in Chinese.
fn toml(said: &str) -> Option<String> {
    let (found, expected) = match said.split_once(", expected ") {
        Some((found, expected)) => (found, Some(expected)),
        None => (said, None),
    };
    let found = match found {
        "unclosed table" | "unclosed array table" => "表名没有结束",
        "unclosed array" => "列表没有结束",
        "unclosed inline table" => "`{` 没有对应的 `}`",
        "missing assignment between key-value pairs" | "key with no value" => "键后面没有 `=`",
        "extra assignment between key-value pairs" | "extra `=`" | "unexpected `=` in array" => {
            "多了一个 `=`"
        }
        "missing value" | "missing value for key" => "`=` 后面没有值",
        "invalid value" => "这不是值",
        "string values must be quoted" => "文本要加引号",
        "missing opening quote" | "invalid basic string" | "invalid literal string" => {
            "文本的引号不成对"
        }
        "missing comma between array elements" | "missing comma between key-value pairs" => {
            "两项之间缺少逗号"
        }
        "extra comma in array" | "extra comma in inline table" => "多了一个逗号",
        "invalid unquoted key" | "unquoted keys cannot be empty" => "这不是键",
        "unexpected key or value" | "unexpected content" => "这里不应有内容",
        "unexpected leading zero" => "数字不能以 0 开头",
        "missing escaped value" | "too few unicode value digits" => "没有这个转义",
        "duplicate key" => "键重复",
        _ => return None,
    };
    let expected = match expected {
        None => String::new(),
        Some("nothing") => String::new(),
        Some(expected) => format!("，应为 {}", plain(expected)),
    };
    Some(format!("{found}{expected}"))
}

/// A sentence of serde's, in Chinese.
fn known(said: &str) -> Option<String> {
    // The YAML reader says first under which key.
    let (place, said) = match said.split_once(": ") {
        Some((place, rest)) if !place.contains([' ', '`']) => (format!("`{place}`："), rest),
        _ => (String::new(), said),
    };
    let kinds = [
        ("unknown field ", "没有字段 "),
        ("unknown variant ", "没有这个值 "),
        ("missing field ", "缺少字段 "),
        ("duplicate field ", "字段重复 "),
        ("invalid type: ", "类型不对："),
        ("invalid value: ", "值不对："),
        ("invalid length ", "长度不对："),
        ("duplicate key", "键重复"),
        ("duplicate entry with key ", "键重复 "),
    ];
    let (rest, kind) = kinds
        .iter()
        .find_map(|(english, chinese)| Some((said.strip_prefix(english)?, chinese)))?;
    let (found, expected) = match rest.split_once(", expected ") {
        Some((found, expected)) => (found, Some(expected)),
        None => (rest, None),
    };
    let expected = expected.map_or_else(String::new, |expected| {
        format!("，应为 {}", plain(expected))
    });
    Some(format!("{place}{kind}{}{expected}", plain(found)))
}

/// serde's words for the kinds of values; names stand in backticks and stay.
fn plain(words: &str) -> String {
    let mut chinese = words.to_owned();
    for (english, word) in [
        ("one of ", "其中之一："),
        (" or ", " 或 "),
        ("a whole number that is not negative", "非负整数"),
        ("a whole number from ", "整数，范围 "),
        (" to ", " 到 "),
        ("a string", "文本"),
        ("string ", "文本 "),
        ("a boolean", "`true` 或 `false`"),
        ("boolean ", "真假值 "),
        ("an integer", "整数"),
        ("integer ", "整数 "),
        ("floating point ", "小数 "),
        ("a sequence", "列表"),
        ("sequence", "列表"),
        ("a map", "映射"),
        ("map", "映射"),
        ("unit value", "空值"),
        ("null", "空值"),
        ("struct ", "映射 "),
        ("minutes, as in ", "分钟数，例如 "),
        ("basic string", "带引号的文本"),
        ("literal string", "带引号的文本"),
        ("newline", "换行"),
        ("key", "键"),
        ("value", "值"),
        ("socket address", "地址和端口"),
        ("IP address", "IP 地址"),
    ] {
        chinese = outside_names(&chinese, english, word);
    }
    chinese
}

/// Replaces a word wherever it stands outside backticks and quotes.
fn outside_names(text: &str, word: &str, by: &str) -> String {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find(['`', '"']) {
        let quote = &rest[open..=open];
        parts.push(rest[..open].replace(word, by));
        let end = rest[open + 1..]
            .find(quote)
            .map_or(rest.len(), |end| open + end + 2);
        parts.push(rest[open..end].to_owned());
        rest = &rest[end..];
    }
    parts.push(rest.replace(word, by));
    parts.concat()
}

#[cfg(test)]
mod tests {
    use super::reason;

    #[track_caller]
    fn chinese(said: &str, expected: &str) {
        assert_eq!(reason(said).chinese(), expected);
        assert_eq!(reason(said).english(), said);
    }

    #[test]
    fn the_sentences_of_serde_have_a_chinese_wording() {
        chinese(
            "unknown field `colour`, expected one of `to`, `flow`",
            "没有字段 `colour`，应为 其中之一：`to`, `flow`",
        );
        chinese("missing field `flow`", "缺少字段 `flow`");
        chinese(
            "routes: invalid type: string \"a map\", expected a sequence",
            "`routes`：类型不对：文本 \"a map\"，应为 列表",
        );
        chinese(
            "invalid type: integer `3`, expected a string",
            "类型不对：整数 `3`，应为 文本",
        );
    }

    #[test]
    fn addresses_and_the_sentences_of_toml_have_a_chinese_wording() {
        chinese(
            "`sip:` is not a SIP URI: its scheme, host or port cannot be read; write it like sip:agent@203.0.113.5",
            "`sip:` 不是 SIP 地址：协议、主机或端口无法读懂；请写成 sip:agent@203.0.113.5",
        );
        chinese("unclosed table, expected `]`", "表名没有结束，应为 `]`");
        chinese(
            "invalid type: string \"ten\", expected minutes, as in `resume: 10`, or `{ minutes: 10, say: { en: … } }`",
            "类型不对：文本 \"ten\"，应为 分钟数，例如 `resume: 10`, 或 `{ minutes: 10, say: { en: … } }`",
        );
    }

    #[test]
    fn what_nobody_foresaw_is_quoted() {
        chinese("the moon is down", "无法读取：“the moon is down”");
    }
}
