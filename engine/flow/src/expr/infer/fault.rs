//! What can be wrong with the types of an expression, and what is said about it.

use super::words::{fields_help, filter_help, listed, word};
use crate::diagnostic::{Text, text};
use crate::expr::filters::{FILTERS, Filter, Kind};
use crate::expr::finding::{Finding, Span};
use crate::expr::suggest::closest;
use crate::expr::tree::{Expr, Kind as Part, Operator};
use crate::value::Type;

/// What takes a value, as a finding names it.
#[derive(Debug, Clone, Copy)]
pub(super) enum With<'a> {
    /// A text that is said or written.
    Text,
    /// A condition.
    Condition,
    /// A list.
    List,
    /// An operator or a word of the language.
    Symbol(&'a str),
    /// A filter.
    Filter(&'a str),
    /// Reading a field.
    Field(&'a str),
}

impl With<'_> {
    fn words(self) -> Text {
        match self {
            With::Text => Text::fixed("a text", "文本"),
            With::Condition => Text::fixed("a condition", "条件"),
            With::List => Text::fixed("a list", "列表"),
            With::Symbol(symbol) => Text::same(format!("`{symbol}`")),
            With::Filter(name) => Text::same(format!("`| {name}`")),
            With::Field(name) => Text::same(format!("`.{name}`")),
        }
    }
}

/// One thing that cannot work.
#[derive(Debug)]
pub(super) enum Fault<'a> {
    /// A secret where it could be seen.
    Secret {
        expr: &'a Expr,
        ty: &'a Type,
        with: With<'a>,
    },
    /// A field of a secret.
    SecretField { of: &'a Expr },
    /// `none` where a value is needed.
    None { with: With<'a> },
    /// What may be `none` where a value is needed.
    MaybeNone { expr: &'a Expr, with: With<'a> },
    /// An object in a text.
    Object {
        expr: &'a Expr,
        ty: &'a Type,
        with: With<'a>,
    },
    /// A list in a text whose items cannot be said.
    ListOf {
        expr: &'a Expr,
        inner: &'a Type,
        with: With<'a>,
    },
    /// A condition that is neither true nor false.
    Condition { expr: &'a Expr, ty: &'a Type },
    /// Items of two types.
    Mixed { all: &'a Type, other: &'a Type },
    /// A variable without a value on some way.
    Unassigned { name: &'a str },
    /// A name that nothing has.
    NoVariable { name: &'a str, names: &'a [String] },
    /// A field that an object does not have.
    NoField {
        of: &'a Expr,
        ty: &'a Type,
        name: &'a str,
    },
    /// A part that a value does not have; the parts that it has.
    NoPart {
        of: &'a Expr,
        ty: &'a Type,
        name: &'a str,
        parts: &'a [&'a str],
    },
    /// A list indexed by something other than a number.
    ListIndex { index: &'a Expr, ty: &'a Type },
    /// A list indexed by a number that is written with a fraction.
    Fraction { index: &'a Expr },
    /// A division by a zero that is written there.
    ByZero { operator: Operator },
    /// An object indexed by something other than a text.
    ObjectIndex { index: &'a Expr, ty: &'a Type },
    /// `[ ]` of something that is neither.
    Index { of: &'a Expr, ty: &'a Type },
    /// A filter that does not exist.
    NoFilter { name: &'a str },
    /// A filter after a value that it does not take.
    FilterTakes {
        filter: &'a Filter,
        of: &'a Expr,
        ty: &'a Type,
    },
    /// A number with a sign or a fraction, after a filter that says whole ones from 0 on.
    NotNatural { filter: &'a Filter, of: &'a Expr },
    /// A list whose items cannot be joined.
    Joined { of: &'a Expr, inner: &'a Type },
    /// Too many or too few values in a filter's brackets.
    Arguments { filter: &'a Filter },
    /// A value in a filter's brackets that it does not take.
    Argument {
        filter: &'a Filter,
        kind: Kind,
        ty: &'a Type,
    },
    /// A default of another type.
    Default {
        of: &'a Expr,
        is: &'a Type,
        default: &'a Type,
    },
    /// A sign before something that has none.
    Negated { of: &'a Expr, ty: &'a Type },
    /// The sides of `if` have two types.
    Sides {
        a: &'a Expr,
        yes: &'a Type,
        b: &'a Expr,
        no: &'a Type,
    },
    /// `x == none`.
    ComparedWithNone { of: &'a Expr, operator: Operator },
    /// A text that a value never is.
    Never {
        of: &'a Expr,
        text: &'a str,
        values: &'a [String],
        operator: Operator,
    },
    /// Two sets without a common text.
    NothingInCommon {
        a: &'a Expr,
        some: &'a [String],
        b: &'a Expr,
        others: &'a [String],
        operator: Operator,
    },
    /// Two types that an operator does not compare.
    Incomparable {
        a: &'a Expr,
        left: &'a Type,
        b: &'a Expr,
        right: &'a Type,
        operator: Operator,
    },
    /// `in` something that holds nothing.
    Membership {
        b: &'a Expr,
        ty: &'a Type,
        operator: Operator,
    },
    /// Looked for in a list of which it is never an item.
    NoItem {
        a: &'a Expr,
        left: &'a Type,
        b: &'a Expr,
        inner: &'a Type,
    },
    /// Two types that an operator does not compute with.
    Arithmetic {
        a: &'a Expr,
        left: &'a Type,
        b: &'a Expr,
        right: &'a Type,
        operator: Operator,
    },
    /// A quoted value that cannot be read as what it is compared with.
    Literal { why: Text },
}

impl Fault<'_> {
    /// The finding at a place.
    pub(super) fn at(self, span: Span) -> Finding {
        let rule = match self {
            Fault::Secret { .. } | Fault::SecretField { .. } => "secret-leak",
            Fault::Unassigned { .. } => "unassigned-variable",
            Fault::NoVariable { .. } => "unknown-variable",
            Fault::NoField { .. } | Fault::NoPart { .. } => "unknown-field",
            Fault::NoFilter { .. } => "unknown-filter",
            Fault::Never { .. } | Fault::NothingInCommon { .. } => "impossible-comparison",
            _ => "type-mismatch",
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

    /// The sentence, and what to do about it.
    fn said(self) -> (Text, Option<Text>) {
        match self {
            Fault::Secret { expr, ty, with } => {
                let with = with.words();
                let message = match ty {
                    Type::Secret => text!(
                        "`{expr}` is a secret: it cannot stand in {with}",
                        "`{expr}` 是机密，不能用于 {with}"; with
                    ),
                    _ => text!(
                        "`{expr}` holds a secret: it cannot stand in {with}",
                        "`{expr}` 含有机密，不能用于 {with}"; with
                    ),
                };
                (message, Some(SECRET_HELP))
            }
            Fault::SecretField { of } => (
                text!(
                    "`{of}` is a secret: it has no fields",
                    "`{of}` 是机密，没有字段"
                ),
                Some(SECRET_HELP),
            ),
            Fault::None { with } => {
                let with = with.words();
                (
                    text!("`none` cannot stand in {with}", "`none` 不能用于 {with}"; with),
                    None,
                )
            }
            Fault::MaybeNone { expr, with } => {
                let help = match with {
                    With::Text | With::Symbol("~") => text!(
                        "give it a value for that case: `{expr} | default(\"…\")`",
                        "请为这种情况给出值：`{expr} | default(\"…\")`"
                    ),
                    _ => text!(
                        "give it a value for that case: `{expr} | default(…)`, or ask `{expr} is not none`",
                        "请为这种情况给出值：`{expr} | default(…)`，或判断 `{expr} is not none`"
                    ),
                };
                let with = with.words();
                let message = text!(
                    "`{expr}` may be none: it cannot stand in {with}",
                    "`{expr}` 可能是 `none`，不能用于 {with}"; with
                );
                (message, Some(help))
            }
            Fault::Object { expr, ty, with } => {
                let with = with.words();
                let message = text!(
                    "`{expr}` is an object: it cannot stand in {with}",
                    "`{expr}` 是对象，不能用于 {with}"; with
                );
                (message, fields_help(expr, ty))
            }
            Fault::ListOf { expr, inner, with } => {
                let (inner, with) = (word(inner), with.words());
                let message = text!(
                    "`{expr}` is a list of {inner}: it cannot stand in {with}",
                    "`{expr}` 是{inner}的列表，不能用于 {with}"; inner, with
                );
                (message, None)
            }
            Fault::Condition { expr, ty } => {
                let is = word(ty);
                let message = text!(
                    "a condition is true or false; `{expr}` is {is}",
                    "条件只能成立或不成立；`{expr}` 是 {is}"; is
                );
                (message, Some(condition_help(expr, ty)))
            }
            Fault::Mixed { all, other } => {
                let (all, other) = (word(all), word(other));
                (
                    text!("this list has {all} and {other}", "此列表里有 {all} 和 {other}"; all, other),
                    Some(Text::fixed(
                        "all items of a list have the same type",
                        "列表各项的类型要相同",
                    )),
                )
            }
            Fault::Unassigned { name } => (
                text!(
                    "`{name}` has no value yet on some way to this place",
                    "在通往这里的某条路径上，`{name}` 还没有值"
                ),
                Some(Text::fixed(
                    "give it a value on every way, or declare it under `vars:` with a default",
                    "请在每条路径上给它赋值，或在 `vars:` 下声明默认值",
                )),
            ),
            Fault::NoVariable { name, names } => (
                text!("there is no variable `{name}`", "没有变量 `{name}`"),
                word_meant(name)
                    .or_else(|| did_you_mean(name, names.iter().map(String::as_str)))
                    .or_else(|| {
                        let names = (!names.is_empty()).then(|| listed(names.iter()))?;
                        Some(text!("known here: {names}", "这里有：{names}"; names))
                    }),
            ),
            Fault::NoField { of, ty, name } => {
                let help = match ty {
                    Type::Object { fields, .. } => {
                        let meant = closest(name, fields.keys().map(String::as_str));
                        meant.map(|meant| {
                            let fields = listed(fields.keys());
                            text!(
                                "did you mean `{meant}`? its fields: {fields}",
                                "是否想写 `{meant}`？它的字段：{fields}"; fields
                            )
                        })
                    }
                    _ => None,
                };
                let message = text!("`{of}` has no field `{name}`", "`{of}` 没有字段 `{name}`");
                (message, help.or_else(|| fields_help(of, ty)))
            }
            Fault::NoPart {
                of,
                ty,
                name,
                parts,
            } => {
                let is = word(ty);
                let message = text!(
                    "`{of}` is {is}: it has no field `{name}`",
                    "`{of}` 是 {is}，没有字段 `{name}`"; is
                );
                let help = did_you_mean(name, parts.iter().copied()).or_else(|| {
                    let parts = (!parts.is_empty()).then(|| listed(parts.iter()))?;
                    Some(text!("it has {parts}", "它有：{parts}"; parts))
                });
                (message, help)
            }
            Fault::ListIndex { index, ty } => {
                let is = word(ty);
                let message = text!(
                    "a list is indexed by a number from 0; `{index}` is {is}",
                    "列表的下标是从 0 开始的数字；`{index}` 是 {is}"; is
                );
                (message, None)
            }
            Fault::Fraction { index } => {
                let message = text!(
                    "a list is indexed by whole numbers from 0; `{index}` is none",
                    "列表的下标是从 0 开始的整数；`{index}` 不是"
                );
                (message, None)
            }
            Fault::ByZero { operator } => {
                let symbol = operator.symbol();
                let message = text!(
                    "nothing can be divided by zero: this `{symbol}` fails always",
                    "不能除以零：这里的 `{symbol}` 总是出错"
                );
                (message, None)
            }
            Fault::ObjectIndex { index, ty } => {
                let is = word(ty);
                let message = text!(
                    "an object is indexed by a text; `{index}` is {is}",
                    "对象的下标是文本；`{index}` 是 {is}"; is
                );
                (message, None)
            }
            Fault::Index { of, ty } => {
                let is = word(ty);
                let message = text!(
                    "`{of}` is {is}: only a list or an object takes `[ ]`",
                    "`{of}` 是 {is}：只有列表和对象能用 `[ ]`"; is
                );
                (message, None)
            }
            Fault::NoFilter { name } => {
                let names = || FILTERS.iter().map(|filter| filter.name);
                let help = did_you_mean(name, names()).unwrap_or_else(|| {
                    let filters = listed(names());
                    text!("the filters are {filters}", "过滤器有：{filters}"; filters)
                });
                (
                    text!("there is no filter `{name}`", "没有过滤器 `{name}`"),
                    Some(help),
                )
            }
            Fault::FilterTakes { filter, of, ty } => {
                let (takes, is, name) = (filter.takes_text(), word(ty), filter.name);
                let message = text!(
                    "`| {name}` takes {takes}; `{of}` is {is}",
                    "`| {name}` 需要 {takes}；`{of}` 是 {is}"; takes, is
                );
                (message, filter_help(filter, of, ty))
            }
            Fault::NotNatural { filter, of } => {
                let name = filter.name;
                let message = text!(
                    "`| {name}` says whole numbers from 0 on; `{of}` is none",
                    "`| {name}` 只读非负整数；`{of}` 不是"
                );
                let help = Text::fixed(
                    "`| number` says any number in words",
                    "`| number` 可以把任何数字读成数词",
                );
                (message, Some(help))
            }
            Fault::Joined { of, inner } => {
                let inner = word(inner);
                let message = text!(
                    "`{of}` is a list of {inner}: its items cannot stand in a text",
                    "`{of}` 是{inner}的列表，各项不能放进文本"; inner
                );
                (message, None)
            }
            Fault::Arguments { filter } => {
                let (name, example) = (filter.name, filter.example.0);
                let message = match &filter.argument {
                    None => text!(
                        "`{name}` takes nothing in brackets",
                        "`{name}` 的括号里不写任何值"
                    ),
                    Some(argument) if !argument.required => text!(
                        "`{name}` takes at most one value in brackets",
                        "`{name}` 的括号里最多写一个值"
                    ),
                    Some(_) => text!(
                        "`{name}` takes exactly one value in brackets",
                        "`{name}` 的括号里要写一个值"
                    ),
                };
                (
                    message,
                    Some(text!("as in `{example}`", "例如 `{example}`")),
                )
            }
            Fault::Argument { filter, kind, ty } => {
                let (name, takes, is) = (filter.name, kind.text(), word(ty));
                let message = text!(
                    "`{name}` takes {takes} in brackets; this is {is}",
                    "`{name}` 的括号里需要 {takes}；这里是 {is}"; takes, is
                );
                (message, None)
            }
            Fault::Default { of, is, default } => {
                let (is, default) = (word(is), word(default));
                let message = text!(
                    "`{of}` is {is}, but its default is {default}",
                    "`{of}` 是 {is}，默认值却是 {default}"; is, default
                );
                (message, None)
            }
            Fault::Negated { of, ty } => {
                let is = word(ty);
                let message = text!(
                    "`-` takes a number; `{of}` is {is}",
                    "`-` 需要数字；`{of}` 是 {is}"; is
                );
                (message, None)
            }
            Fault::Sides { a, yes, b, no } => {
                let (yes, no) = (word(yes), word(no));
                let message = text!(
                    "`{a}` is {yes}, but `{b}` is {no}",
                    "`{a}` 是 {yes}，`{b}` 却是 {no}"; yes, no
                );
                let help = Text::fixed(
                    "both sides of `if` have the same type",
                    "`if` 两边的类型要相同",
                );
                (message, Some(help))
            }
            Fault::ComparedWithNone { of, operator } => {
                let symbol = operator.symbol();
                let message = text!(
                    "`none` is not compared with `{symbol}`",
                    "`none` 不能用 `{symbol}` 比较"
                );
                let help = match operator {
                    Operator::NotEqual => {
                        text!("write `{of} is not none`", "请写 `{of} is not none`")
                    }
                    _ => text!("write `{of} is none`", "请写 `{of} is none`"),
                };
                (message, Some(help))
            }
            Fault::Never {
                of,
                text,
                values,
                operator,
            } => {
                let (never, all) = (never(operator), listed(values.iter()));
                let message = text!(
                    "`{of}` {never} \"{text}\"",
                    "`{of}` {never} \"{text}\""; never
                );
                let help = match closest(text, values.iter().map(String::as_str)) {
                    Some(meant) => text!(
                        "did you mean \"{meant}\"? it is one of: {all}",
                        "是否想写 \"{meant}\"？可能的值：{all}"; all
                    ),
                    None => text!("it is one of: {all}", "可能的值：{all}"; all),
                };
                (message, Some(help))
            }
            Fault::NothingInCommon {
                a,
                some,
                b,
                others,
                operator,
            } => {
                let (never, some, others) =
                    (never(operator), listed(some.iter()), listed(others.iter()));
                let message = text!(
                    "`{a}` {never} `{b}`: they have no value in common",
                    "`{a}` {never} `{b}`：它们没有共同的值"; never
                );
                let help = text!(
                    "`{a}` is one of: {some}; `{b}`: {others}",
                    "`{a}` 可能的值：{some}；`{b}`：{others}"; some, others
                );
                (message, Some(help))
            }
            Fault::Incomparable {
                a,
                left,
                b,
                right,
                operator,
            } => {
                let (is, other, symbol) = (word(left), word(right), operator.symbol());
                let message = text!(
                    "`{a}` is {is}, `{b}` is {other}: `{symbol}` cannot compare them",
                    "`{a}` 是 {is}，`{b}` 是 {other}：`{symbol}` 不能比较它们"; is, other
                );
                (message, comparison_help((a, left), (b, right), operator))
            }
            Fault::NoItem { a, left, b, inner } => {
                let (is, items) = (word(left), word(inner));
                let message = text!(
                    "`{b}` is a list of {items}, `{a}` is {is}: it is never in it",
                    "`{b}` 是{items}的列表，`{a}` 是 {is}：它不会在其中"; is, items
                );
                let help = match (left, inner) {
                    (Type::Number, inner) if super::is_text(inner) => Some(as_text(a)),
                    _ => None,
                };
                (message, help)
            }
            Fault::Membership { b, ty, operator } => {
                let (is, symbol) = (word(ty), operator.symbol());
                let message = text!(
                    "`{symbol}` looks into a list or a text; `{b}` is {is}",
                    "`{symbol}` 在列表或文本里查找；`{b}` 是 {is}"; is
                );
                (message, None)
            }
            Fault::Arithmetic {
                a,
                left,
                b,
                right,
                operator,
            } => {
                let (is, other, symbol) = (word(left), word(right), operator.symbol());
                let message = text!(
                    "`{symbol}` does not work on {is} and {other}",
                    "`{symbol}` 不能用于 {is} 和 {other}"; is, other
                );
                let filtered = [a, b]
                    .into_iter()
                    .find(|side| matches!(side.kind, Part::Filter(..)));
                let texts = super::is_text(left) || super::is_text(right);
                let help = match filtered {
                    Some(side) => text!(
                        "a filter takes only the value just before it: put brackets around the rest of `{side}`",
                        "过滤器只作用于紧挨在前面的值：请给 `{side}` 的其余部分加上括号"
                    ),
                    None if operator == Operator::Add && texts => text!(
                        "texts are joined by `~`: `{a} ~ {b}`",
                        "文本用 `~` 连接：`{a} ~ {b}`"
                    ),
                    None => text!(
                        "`{a}` is {is}, `{b}` is {other}",
                        "`{a}` 是 {is}，`{b}` 是 {other}"; is, other
                    ),
                };
                (message, Some(help))
            }
            Fault::Literal { why } => (why, None),
        }
    }
}

const SECRET_HELP: Text = Text::fixed(
    "a secret goes whole to an input marked `x-secret`, or through `| last4`",
    "机密只能整个交给标记了 `x-secret` 的输入，或经过 `| last4`",
);

fn did_you_mean<'n>(written: &str, names: impl IntoIterator<Item = &'n str>) -> Option<Text> {
    let meant = closest(written, names)?;
    Some(Text::did_you_mean(meant))
}

fn never(operator: Operator) -> Text {
    match operator {
        Operator::NotEqual => Text::fixed("always differs from", "总是不等于"),
        _ => Text::fixed("is never", "永远不会是"),
    }
}

fn condition_help(expr: &Expr, ty: &Type) -> Text {
    match ty {
        Type::Optional(inner) if **inner == Type::Bool => text!(
            "give it a value for that case: `{expr} | default(false)`",
            "请为 `none` 的情况给出值：`{expr} | default(false)`"
        ),
        Type::Optional(_) => text!(
            "to ask whether it is there, write `{expr} is not none`",
            "判断是否有值，请写 `{expr} is not none`"
        ),
        Type::Number => text!(
            "compare it, as in `{expr} > 0`",
            "请比较，例如 `{expr} > 0`"
        ),
        Type::List(_) => text!(
            "to ask whether it has items, write `{expr} | length > 0`",
            "判断是否有内容，请写 `{expr} | length > 0`"
        ),
        Type::OneOf(texts) => {
            let first = texts.first().map_or("", String::as_str);
            text!(
                "compare it, as in `{expr} == \"{first}\"`",
                "请比较，例如 `{expr} == \"{first}\"`"
            )
        }
        _ => text!(
            "compare it, as in `{expr} == …`",
            "请比较，例如 `{expr} == …`"
        ),
    }
}

fn comparison_help(
    (a, left): (&Expr, &Type),
    (b, right): (&Expr, &Type),
    operator: Operator,
) -> Option<Text> {
    let ordered = !matches!(
        operator,
        Operator::Equal | Operator::NotEqual | Operator::In | Operator::NotIn
    );
    if ordered && super::is_text(left) && super::is_text(right) {
        return Some(Text::fixed(
            "texts have no order; compare them with `==` or `in`",
            "文本没有大小之分，请用 `==` 或 `in` 比较",
        ));
    }
    let one_of = |of: &Expr, values: &[String]| {
        let values = listed(values.iter());
        text!("`{of}` is one of: {values}", "`{of}` 可能的值：{values}"; values)
    };
    let day = |of: &Expr| text!("compare the day: `{of}.date`", "请比较日期：`{of}.date`");
    let time = |of: &Expr| {
        text!(
            "compare the time of day: `{of}.time`",
            "请比较时刻：`{of}.time`"
        )
    };
    Some(match (left, right) {
        (Type::OneOf(values), Type::Number) if a.as_text().is_none() => one_of(a, values),
        (Type::Number, Type::OneOf(values)) if b.as_text().is_none() => one_of(b, values),
        (Type::Number, Type::OneOf(_)) => return unquoted(b),
        (Type::OneOf(_), Type::Number) => return unquoted(a),
        (left, Type::Number) if super::is_text(left) => as_text(b),
        (Type::Number, right) if super::is_text(right) => as_text(a),
        (Type::Date, Type::DateTime) => day(b),
        (Type::DateTime, Type::Date) => day(a),
        (Type::Time, Type::DateTime) => time(b),
        (Type::DateTime, Type::Time) => time(a),
        (Type::Money, Type::Number) => text!(
            "name the currency: `\"{b}.00 CNY\"`",
            "请写上币种：`\"{b}.00 CNY\"`"
        ),
        (Type::Duration, Type::Number) => {
            text!("name the unit: `\"{b}s\"`", "请写上单位：`\"{b}s\"`")
        }
        _ => return None,
    })
}

/// How a number is written that is compared with texts.
fn as_text(of: &Expr) -> Text {
    match of.kind {
        Part::Number(_) => text!(
            "put the digits in quotes: `\"{of}\"`",
            "请给数字加上引号：`\"{of}\"`"
        ),
        _ => text!(
            "make a text of it: `{of} ~ \"\"`",
            "请把它变成文本：`{of} ~ \"\"`"
        ),
    }
}

/// A quoted number compared with a number.
fn unquoted(literal: &Expr) -> Option<Text> {
    let text = literal.as_text()?;
    text.parse::<f64>().ok()?;
    Some(text!(
        "leave out the quotes: `{text}`",
        "请去掉引号：`{text}`"
    ))
}

/// What to write for a word that other languages have for a value of this one.
pub(super) fn word_meant(name: &str) -> Option<Text> {
    match name.to_lowercase().as_str() {
        "null" | "nil" | "undefined" | "none" | "nothing" => Some(Text::fixed(
            "the absence of a value is `none`: write `… is none` or `… is not none`",
            "没有值写作 `none`：请写 `… is none` 或 `… is not none`",
        )),
        word @ ("true" | "false") => Some(Text::did_you_mean(word)),
        _ => None,
    }
}
