//! Why a text is not YAML, in the languages of findings. The parser says it in English.

use granit_parser::ErrorKind;

use crate::diagnostic::Text;

/// What the parser says, and the same in Chinese.
pub(super) fn reason(kind: &ErrorKind) -> Text {
    let english = match kind {
        ErrorKind::UnexpectedCharacter { character } => {
            format!(
                "the character `{}` cannot stand here",
                character.escape_debug()
            )
        }
        kind => kind.to_string(),
    };
    Text::both(english, chinese(kind))
}

fn chinese(kind: &ErrorKind) -> String {
    use ErrorKind as Kind;
    let said = match kind {
        Kind::UnexpectedEofFlowSequence => "`[ ]` 列表还没有结束，文件就结束了",
        Kind::UnexpectedEofFlowMapping | Kind::UnexpectedEofImplicitFlowMapping => {
            "`{ }` 映射还没有结束，文件就结束了"
        }
        Kind::UnexpectedEofBlockSequence => "列表还没有结束，文件就结束了",
        Kind::UnexpectedEofBlockMapping => "映射还没有结束，文件就结束了",
        Kind::UnexpectedEof => "文件意外结束",
        Kind::ExpectedDocumentStart | Kind::InvalidDocumentEnd => "文档之后还有别的内容",
        Kind::ExpectedNodeContent => "这里缺少一个值",
        Kind::ExpectedBlockMappingKey => "映射里的这一行不是 `键: 值`",
        Kind::ExpectedFlowMappingSeparator => "`{ }` 映射里缺少 `,` 或 `}`",
        Kind::ExpectedFlowSequenceSeparator => "`[ ]` 列表里缺少 `,` 或 `]`",
        Kind::ExpectedBlockSequenceEntry => "列表里的这一行没有以 `-` 开头",
        Kind::SimpleKeyExpected => "键后面缺少 `:`",
        Kind::InvalidSimpleKey => "键必须写在同一行，后面跟 `:`",
        Kind::InvalidIndentation => "缩进不对",
        Kind::BomInsideDocument => "文件中间有字节顺序标记",
        Kind::UnexpectedCharacter { character } => {
            return format!("这里不能有字符 `{}`", character.escape_debug());
        }
        Kind::TabNotAllowed
        | Kind::TabInBlockIndentation
        | Kind::TabAtBlockScalarStart
        | Kind::TabInIndentation
        | Kind::TabInPlainScalar => "这里不能用制表符",
        Kind::CommentInterceptedScalar => "注释打断了跨行的文本",
        Kind::ExpectedWhitespace => "这里缺少空格",
        Kind::CommentNotSeparated => "注释的 `#` 前面要有空格",
        Kind::MissingAnchorOrAliasName => "`&` 或 `*` 后面缺少名字",
        Kind::UnknownAnchor => "没有这个锚点",
        Kind::MisplacedFlowCollectionEnd => "这个括号没有对应的开括号",
        Kind::MismatchedFlowCollectionEnd { open, close } => {
            return format!("括号 `{open}` 被 `{close}` 闭合");
        }
        Kind::UnclosedFlowCollection { open } => return format!("括号 `{open}` 没有闭合"),
        Kind::RecursionLimitExceeded => "嵌套太深",
        Kind::BlockEntryInFlowCollection => "`{ }` 或 `[ ]` 里不能用 `-` 列表",
        Kind::BlockSequenceEntryNotAllowed => "这里不能开始 `-` 列表",
        Kind::InvalidBlockEntryWhitespace => "`-` 后面要有空格",
        Kind::ZeroBlockScalarIndent | Kind::InvalidBlockScalarHeader => "`|` 或 `>` 后面的写法不对",
        Kind::InvalidBlockScalarIndent => "文本块里这一行的缩进不对",
        Kind::DocumentIndicatorInQuotedScalar => "引号里的文本被 `---` 或 `...` 打断",
        Kind::UnclosedQuotedScalar => "引号没有闭合",
        Kind::InvalidQuotedScalarIndent | Kind::InvalidFlowScalarIndent => "跨行文本的缩进不对",
        Kind::InvalidTrailingSingleQuotedScalar | Kind::InvalidTrailingDoubleQuotedScalar => {
            "结束的引号后面还有别的内容"
        }
        Kind::UnknownQuotedScalarEscape => "双引号里没有这种 `\\` 转义",
        Kind::InvalidQuotedScalarHexEscape
        | Kind::InvalidLowSurrogateHexEscape
        | Kind::InvalidLowSurrogate
        | Kind::MissingLowSurrogate
        | Kind::UnpairedLowSurrogate
        | Kind::InvalidUnicodeEscape => "`\\` 后面的字符编码不对",
        Kind::PlainScalarStartsWithDashFlowIndicator | Kind::UnexpectedEndOfPlainScalar => {
            "没有引号的文本不能这样写"
        }
        Kind::MappingKeyNotAllowed
        | Kind::FlowMappingValueAdjacentCollection
        | Kind::InvalidMappingValueWhitespace
        | Kind::InvalidColonPlacement
        | Kind::MappingValueNotAllowed => "这里不能有 `键: 值`",
        Kind::TooManyComments => "注释太多",
        // Tags, directives and what only other readers of the parser can meet.
        _ => "这种写法无法解析",
    };
    said.to_owned()
}
