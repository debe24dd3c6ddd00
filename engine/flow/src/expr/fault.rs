//! What can be wrong with the text of an expression, and what is said about it.

use super::filters::FILTERS;
use super::finding::{Change, Finding, Span};
use super::parser::{MAX_BYTES, MAX_CHAIN, MAX_NESTING};
use super::suggest::closest;
use super::tree::Expr;
use crate::check::suggest::shown;
use crate::diagnostic::{Text, text};

/// One thing that keeps an expression from being read.
#[derive(Debug)]
pub(super) enum Fault<'a> {
    /// A spelling of other languages or keyboards.
    Foreign { written: &'a str, meant: &'a str },
    /// Braces in an expression; what stands in them, when they are around the whole of it.
    Braces {
        written: &'a str,
        bare: Option<&'a str>,
    },
    /// `{{ name }}` in a text.
    DoubleBraces { written: &'a str, inner: &'a str },
    /// `${` without its `}`.
    OpenInsertion,
    /// `5s`.
    NumberWithUnit { written: &'a str },
    /// `007`.
    LeadingZero { written: &'a str },
    /// A number beyond what a number holds.
    TooLarge,
    /// A backslash before a character that needs none.
    Escape { character: char },
    /// A text without its second quote.
    OpenText { quote: char },
    /// A character that no expression has.
    Character { character: char },
    /// A word in letters that no name has.
    NoName { word: &'a str },
    /// More bytes than an expression may have.
    TooLong { bytes: usize },
    /// More nesting than an expression may have.
    TooDeep,
    /// More operators in a row than an expression may have.
    TooManyParts,
    /// There is no expression.
    Nothing,
    /// `a if c` without `else`.
    NoElse {
        value: &'a Expr,
        condition: &'a Expr,
    },
    /// `a < b < c`.
    Row,
    /// `is` before something other than `none`.
    Is { of: &'a Expr, negated: bool },
    /// `not` after an operator that binds tighter.
    Not,
    /// A `+` before a value.
    Plus,
    /// `|` without a name.
    NoFilterName,
    /// A dot without a name.
    NoFieldName,
    /// `f(x)`.
    Called { of: &'a Expr },
    /// An operator or a word of the language where a value belongs.
    NoValueBefore { found: &'a str },
    /// The end, where a value belongs.
    BreaksOff,
    /// A bracket without its partner.
    OpenBracket { close: &'a str },
    /// Something else where a bracket ends or an item follows.
    NoBracket { close: &'a str },
    /// A name after a complete expression.
    NoOperatorBefore { word: &'a str, expr: &'a Expr },
    /// A value after a complete expression.
    NoOperator,
    /// A closing bracket too many.
    ClosesNothing { symbol: &'a str },
    /// A field of something that needs brackets.
    FieldOfMore { expr: &'a Expr },
    /// A symbol after a complete expression.
    Symbol { symbol: &'a str },
}

impl Fault<'_> {
    /// The finding at a place.
    pub(super) fn at(self, span: Span) -> Finding {
        let rule = match self {
            Fault::Braces { .. } | Fault::DoubleBraces { .. } => "braces-in-expression",
            Fault::TooLong { .. } | Fault::TooDeep | Fault::TooManyParts => "expression-limit",
            _ => "bad-expression",
        };
        let change = self.change(span).map(Box::new);
        let (message, help) = self.said();
        Finding {
            rule,
            span,
            message,
            help: help.map(Box::new),
            change,
        }
    }

    /// The change that was meant, where there is one. Whether what comes of it can be read, the parser sees.
    fn change(&self, span: Span) -> Option<Change> {
        match self {
            // Powers and whole quotients are something else than what is nearest to them here.
            Fault::Foreign {
                written: "**" | "//",
                ..
            } => None,
            Fault::Foreign { written, meant } => Some(Change::new(span, *written, *meant)),
            Fault::NoOperatorBefore { word, .. } => {
                operator(word).map(|meant| Change::new(span, *word, meant))
            }
            Fault::Braces { written, bare } => bare.map(|bare| Change::new(span, *written, bare)),
            Fault::DoubleBraces { written, inner } => {
                Some(Change::new(span, *written, format!("${{{inner}}}")))
            }
            _ => None,
        }
    }

    /// The sentence, and what to do about it.
    fn said(self) -> (Text, Option<Text>) {
        match self {
            Fault::Foreign { written, meant } => (
                text!(
                    "`{written}` is not part of the expression language",
                    "表达式里没有 `{written}`"
                ),
                Some(text!("write `{meant}`", "请写 `{meant}`")),
            ),
            Fault::Braces { bare, .. } => (
                Text::fixed(
                    "this is an expression already: it takes no braces",
                    "这里已经是表达式，不需要花括号",
                ),
                Some(match bare {
                    Some(bare) => text!("write it bare: `{bare}`", "请直接写：`{bare}`"),
                    None => Text::fixed(
                        "inside an expression nothing is wrapped in braces: write the name alone",
                        "表达式里不用花括号：只写名字",
                    ),
                }),
            ),
            Fault::DoubleBraces { inner, .. } => (
                Text::fixed("double braces insert nothing", "双花括号不会插入任何内容"),
                Some(text!("write `${{{inner}}}`", "请写 `${{{inner}}}`")),
            ),
            Fault::OpenInsertion => (
                Text::fixed("this `${` is never closed", "这个 `${` 没有闭合"),
                Some(Text::fixed(
                    "add a `}`; the characters themselves are written `$${`",
                    "请加上 `}`；若要这两个字符本身，请写 `$${`",
                )),
            ),
            Fault::NumberWithUnit { written } => (
                text!(
                    "`{written}` is neither a number nor a name",
                    "`{written}` 既不是数字也不是名字"
                ),
                Some(text!(
                    "numbers have no unit here; compare with a quoted value, as in `wait > \"{written}\"`",
                    "这里的数字没有单位；请与加引号的值比较，例如 `wait > \"{written}\"`"
                )),
            ),
            Fault::LeadingZero { written } => (
                text!(
                    "a number does not begin with 0: `{written}`",
                    "数字不能以 0 开头：`{written}`"
                ),
                Some(text!(
                    "digits that are not a quantity are text: write `\"{written}\"`",
                    "不表示数量的数字是文本：请写 `\"{written}\"`"
                )),
            ),
            Fault::TooLarge => (
                Text::fixed("this number is too large", "这个数字太大"),
                None,
            ),
            Fault::Escape { character } => (
                text!(
                    "`\\{character}` means nothing in a text",
                    "`\\{character}` 在文本里没有意义"
                ),
                Some(Text::fixed(
                    "a backslash stands before a quote, a backslash, `n` or `t`; write `\\\\` for itself",
                    "反斜杠后面只能是引号、反斜杠、`n` 或 `t`；它本身写作 `\\\\`",
                )),
            ),
            Fault::OpenText { quote } => (
                Text::fixed("this text never ends", "这段文本没有结束"),
                Some(text!(
                    "close it with a second `{quote}`",
                    "请用另一个 `{quote}` 结束它"
                )),
            ),
            Fault::Character { character } => {
                let character = character.escape_debug();
                (
                    text!(
                        "`{character}` cannot stand in an expression",
                        "表达式里不能有 `{character}`"
                    ),
                    None,
                )
            }
            Fault::NoName { word } => (
                text!("`{word}` is not a name", "`{word}` 不是名字"),
                Some(text!(
                    "names are written in Latin letters; a text stands in quotes: `\"{word}\"`",
                    "名字用拉丁字母书写；文本要加引号：`\"{word}\"`"
                )),
            ),
            Fault::TooLong { bytes } => (
                text!(
                    "this expression has {bytes} bytes; the most is {MAX_BYTES}",
                    "表达式有 {bytes} 字节，最多 {MAX_BYTES} 字节"
                ),
                Some(IN_PARTS),
            ),
            Fault::TooDeep => (
                text!(
                    "this expression is nested deeper than {MAX_NESTING}",
                    "表达式嵌套超过 {MAX_NESTING} 层"
                ),
                Some(IN_PARTS),
            ),
            Fault::TooManyParts => (
                text!(
                    "this expression has more than {MAX_CHAIN} parts one after another",
                    "表达式连续超过 {MAX_CHAIN} 个部分"
                ),
                Some(IN_PARTS),
            ),
            Fault::Nothing => (Text::fixed("an expression is missing", "缺少表达式"), None),
            Fault::NoElse { value, condition } => (
                Text::fixed("`if` has no `else`", "`if` 缺少 `else`"),
                Some(text!(
                    "write `{value} if {condition} else …`",
                    "请写 `{value} if {condition} else …`"
                )),
            ),
            Fault::Row => (
                Text::fixed("comparisons do not stand in a row", "比较不能连写"),
                Some(Text::fixed(
                    "compare two at a time, as in `1 < a and a < 5`",
                    "一次比较两个，例如 `1 < a and a < 5`",
                )),
            ),
            Fault::Is { of, negated } => (
                Text::fixed(
                    "`is` asks for `none` and nothing else",
                    "`is` 只能用来判断 `none`",
                ),
                Some(match negated {
                    true => text!(
                        "write `{of} is not none` for a value that is there, `{of} != …` to compare",
                        "判断有值请写 `{of} is not none`，比较请写 `{of} != …`"
                    ),
                    false => text!(
                        "write `{of} is none` for a value that is missing, `{of} == …` to compare",
                        "判断无值请写 `{of} is none`，比较请写 `{of} == …`"
                    ),
                }),
            ),
            Fault::Not => (
                Text::fixed("`not` cannot stand here", "`not` 不能写在这里"),
                Some(Text::fixed(
                    "put brackets around it: `(not …)`",
                    "请加上括号：`(not …)`",
                )),
            ),
            Fault::Plus => (
                Text::fixed("`+` needs a value on its left", "`+` 左边缺少一个值"),
                None,
            ),
            Fault::NoFilterName => (
                Text::fixed("a filter's name follows `|`", "`|` 后面应是过滤器的名字"),
                None,
            ),
            Fault::NoFieldName => (
                Text::fixed("a field's name follows the dot", "点号后面应是字段的名字"),
                None,
            ),
            Fault::Called { of } => (
                text!(
                    "`{of}` cannot be called: expressions have filters, not functions",
                    "`{of}` 不能调用：表达式有过滤器，没有函数"
                ),
                Some(match of.as_name() {
                    Some("now") => Text::fixed("write `now`", "请写 `now`"),
                    Some("len" | "size" | "count") => {
                        Text::fixed("write `value | length`", "请写 `值 | length`")
                    }
                    Some("defined" | "is_defined" | "exists" | "isset" | "is_set") => {
                        Text::fixed("write `value is not none`", "请写 `值 is not none`")
                    }
                    Some("undefined" | "is_none" | "isnull" | "is_null" | "empty" | "is_empty") => {
                        Text::fixed("write `value is none`", "请写 `值 is none`")
                    }
                    Some(name) if FILTERS.iter().any(|filter| filter.name == name) => {
                        text!("write `value | {name}`", "请写 `值 | {name}`")
                    }
                    Some(_) => {
                        let names = FILTERS.iter().map(|filter| filter.name);
                        let filters = shown(&names.collect::<Vec<_>>());
                        text!("the filters are {filters}", "过滤器有：{filters}"; filters)
                    }
                    None => Text::fixed("write `value | filter`", "请写 `值 | 过滤器`"),
                }),
            ),
            Fault::NoValueBefore { found } => (
                text!(
                    "a value is missing before `{found}`",
                    "`{found}` 前面缺少一个值"
                ),
                None,
            ),
            Fault::BreaksOff => (
                Text::fixed(
                    "the expression breaks off: a value is missing",
                    "表达式不完整：缺少一个值",
                ),
                None,
            ),
            Fault::OpenBracket { close } => (
                Text::fixed("this bracket is never closed", "这个括号没有闭合"),
                Some(text!("add a `{close}`", "请加上 `{close}`")),
            ),
            Fault::NoBracket { close } => (
                text!(
                    "a `{close}` or a `,` is missing here",
                    "这里缺少 `{close}` 或 `,`"
                ),
                None,
            ),
            Fault::NoOperatorBefore { word, expr } => (
                text!(
                    "an operator is missing before `{word}`",
                    "`{word}` 前面缺少运算符"
                ),
                Some(operator_meant(word, expr)),
            ),
            Fault::NoOperator => (
                Text::fixed(
                    "an operator is missing between two values",
                    "两个值之间缺少运算符",
                ),
                None,
            ),
            Fault::ClosesNothing { symbol } => (
                text!(
                    "this `{symbol}` closes nothing",
                    "这个 `{symbol}` 没有对应的开括号"
                ),
                None,
            ),
            Fault::FieldOfMore { expr } => (
                Text::fixed("a field cannot be read here", "这里不能读取字段"),
                Some(text!(
                    "put brackets around what it belongs to: `({expr}).…`",
                    "请给它所属的部分加上括号：`({expr}).…`"
                )),
            ),
            Fault::Symbol { symbol } => (
                text!("`{symbol}` cannot stand here", "`{symbol}` 不能写在这里"),
                None,
            ),
        }
    }
}

/// The operator that a word stands for, or is a slip of.
fn operator(word: &str) -> Option<&'static str> {
    match word.to_lowercase().as_str() {
        "equals" | "eq" => Some("=="),
        "ne" | "neq" => Some("!="),
        "lt" => Some("<"),
        "gt" => Some(">"),
        "le" | "lte" => Some("<="),
        "ge" | "gte" => Some(">="),
        "be" | "then" | "else" | "contains" | "has" | "includes" => None,
        lower => closest(lower, ["and", "or", "in", "is", "if"]),
    }
}

/// What somebody meant who wrote a word where an operator belongs.
fn operator_meant(word: &str, expr: &Expr) -> Text {
    match word.to_lowercase().as_str() {
        "equals" | "eq" | "be" => Text::fixed("write `==`", "请写 `==`"),
        "then" => Text::fixed("write `a if condition else b`", "请写 `a if 条件 else b`"),
        "else" => Text::fixed(
            "`else` belongs to `a if condition else b`",
            "`else` 属于 `a if 条件 else b`",
        ),
        "contains" | "has" | "includes" => {
            text!("write `… in {expr}`", "请写 `… in {expr}`")
        }
        _ => match operator(word) {
            Some(meant) => text!("write `{meant}`", "请写 `{meant}`"),
            None => Text::fixed(
                "a text stands in quotes; values are connected by an operator",
                "文本要加引号；值之间用运算符连接",
            ),
        },
    }
}

const IN_PARTS: Text = Text::fixed(
    "put a part of it into a variable with `set:`",
    "请用 `set:` 把其中一部分放进变量",
);
