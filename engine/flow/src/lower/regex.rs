//! What is wrong with a regular expression, in the languages of findings.

use regex_syntax::ast::ErrorKind;

use crate::diagnostic::Text;

/// What the reader of regular expressions found, in a few words.
pub(super) fn wrong(kind: &ErrorKind) -> Text {
    let (english, chinese) = match kind {
        ErrorKind::CaptureLimitExceeded => ("it has too many groups", "分组太多"),
        ErrorKind::ClassEscapeInvalid => (
            "this escape means nothing between `[` and `]`",
            "这个转义不能写在 `[` 和 `]` 之间",
        ),
        ErrorKind::ClassRangeInvalid => {
            ("this range ends before it begins", "范围的结尾在开头之前")
        }
        ErrorKind::ClassRangeLiteral => (
            "a range goes from one character to another",
            "范围的两端必须是单个字符",
        ),
        ErrorKind::ClassUnclosed => ("this `[` has no `]`", "`[` 没有对应的 `]`"),
        ErrorKind::DecimalEmpty
        | ErrorKind::RepetitionCountDecimalEmpty
        | ErrorKind::RepetitionCountUnclosed => (
            "between `{` and `}` stands how often, as in `{2}` or `{2,4}`",
            "`{` 和 `}` 之间应写次数，例如 `{2}` 或 `{2,4}`",
        ),
        ErrorKind::DecimalInvalid => ("this number is too large", "数字太大"),
        ErrorKind::EscapeHexEmpty
        | ErrorKind::EscapeHexInvalid
        | ErrorKind::EscapeHexInvalidDigit => (
            "this is no hexadecimal number of a character",
            "这不是字符的十六进制编号",
        ),
        ErrorKind::EscapeUnexpectedEof => (
            "a `\\` at the end escapes nothing",
            "末尾的 `\\` 后面没有字符",
        ),
        ErrorKind::EscapeUnrecognized => ("there is no such escape", "没有这个转义"),
        ErrorKind::FlagDanglingNegation
        | ErrorKind::FlagDuplicate { .. }
        | ErrorKind::FlagRepeatedNegation { .. }
        | ErrorKind::FlagUnexpectedEof
        | ErrorKind::FlagUnrecognized => ("these flags mean nothing", "这些标志没有意义"),
        ErrorKind::GroupNameDuplicate { .. } => {
            ("a group of this name is there already", "已有同名的分组")
        }
        ErrorKind::GroupNameEmpty
        | ErrorKind::GroupNameInvalid
        | ErrorKind::GroupNameUnexpectedEof => ("this is no name of a group", "这不是分组的名字"),
        ErrorKind::GroupUnclosed => ("this `(` has no `)`", "`(` 没有对应的 `)`"),
        ErrorKind::GroupUnopened => ("this `)` has no `(`", "`)` 没有对应的 `(`"),
        ErrorKind::NestLimitExceeded(_) => ("it is nested too deep", "嵌套太深"),
        ErrorKind::RepetitionCountInvalid => (
            "the first number of times is larger than the second",
            "第一个次数大于第二个",
        ),
        ErrorKind::RepetitionMissing => (
            "there is nothing that could be repeated",
            "前面没有可以重复的内容",
        ),
        ErrorKind::SpecialWordBoundaryUnclosed
        | ErrorKind::SpecialWordBoundaryUnrecognized
        | ErrorKind::SpecialWordOrRepetitionUnexpectedEof => (
            "this is neither a boundary of a word nor a number of times",
            "这既不是单词边界，也不是次数",
        ),
        ErrorKind::UnicodeClassInvalid => {
            ("there is no such class of characters", "没有这种字符类别")
        }
        ErrorKind::UnsupportedBackreference => {
            ("it cannot refer back to a group", "不支持引用前面的分组")
        }
        ErrorKind::UnsupportedLookAround => {
            ("it cannot look ahead or behind", "不支持向前或向后查看")
        }
        _ => ("it cannot be read", "无法读懂"),
    };
    Text::fixed(english, chinese)
}

#[cfg(test)]
mod tests {
    use regex_syntax::ast::parse::Parser;

    use super::wrong;

    #[test]
    fn what_is_wrong_is_said_in_both_languages() {
        for (pattern, english, chinese) in [
            ("(a", "this `(` has no `)`", "`(` 没有对应的 `)`"),
            (
                "a{3,2}",
                "the first number of times is larger than the second",
                "第一个次数大于第二个",
            ),
            (
                "*a",
                "there is nothing that could be repeated",
                "前面没有可以重复的内容",
            ),
            (
                "(?=a)",
                "it cannot look ahead or behind",
                "不支持向前或向后查看",
            ),
            (
                "[z-a]",
                "this range ends before it begins",
                "范围的结尾在开头之前",
            ),
            (
                "a\\",
                "a `\\` at the end escapes nothing",
                "末尾的 `\\` 后面没有字符",
            ),
        ] {
            let error = Parser::new().parse(pattern).expect_err(pattern);
            let said = wrong(error.kind());
            assert_eq!(
                (said.english(), said.chinese()),
                (english, chinese),
                "{pattern}"
            );
        }
    }
}
