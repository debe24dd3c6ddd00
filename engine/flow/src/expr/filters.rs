//! The filters, in one table: it drives the type checker, the evaluator and the documentation.

use crate::diagnostic::{Text, text};
use crate::value::{Type, Value};

/// A filter: `value | name(arguments)`.
#[derive(Debug)]
pub struct Filter {
    /// As it is written.
    pub name: &'static str,
    /// What may stand before the `|`; one of these.
    pub takes: &'static [Kind],
    /// What its one argument may be, if it has one.
    pub argument: Option<Argument>,
    /// What it gives.
    pub gives: Gives,
    /// What it does, for the documentation.
    pub summary: &'static str,
    /// What it does, for the documentation in Chinese.
    pub summary_zh: &'static str,
    /// An example: the expression, what is heard in English, what is heard in Chinese.
    pub example: (&'static str, &'static str, &'static str),
}

/// The argument of a filter.
#[derive(Debug)]
pub struct Argument {
    /// What it is called in the documentation.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// Whether it must be given.
    pub required: bool,
}

/// What a filter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `text`, also one of a fixed set.
    Text,
    /// `number`.
    Number,
    /// `money`.
    Money,
    /// `date`.
    Date,
    /// `time`.
    Time,
    /// `datetime`.
    DateTime,
    /// `phone`.
    Phone,
    /// `duration`.
    Duration,
    /// A list of what can be inserted into a text.
    List,
    /// `secret`.
    Secret,
    /// Everything that is not secret, `none` included.
    Anything,
}

/// What a filter gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gives {
    /// `text`: the way the language says the value, on this channel.
    Speech,
    /// `text`.
    Text,
    /// `number`.
    Number,
    /// The value, which is no longer `none`.
    Present,
}

const fn says(
    name: &'static str,
    takes: &'static [Kind],
    summary: &'static str,
    summary_zh: &'static str,
    example: (&'static str, &'static str, &'static str),
) -> Filter {
    Filter {
        name,
        takes,
        argument: None,
        gives: Gives::Speech,
        summary,
        summary_zh,
        example,
    }
}

/// All filters.
pub const FILTERS: &[Filter] = &[
    says(
        "digits",
        &[Kind::Text, Kind::Number, Kind::Phone],
        "Says the characters of an order number, a code or a whole number one by one.",
        "逐位读出订单号、验证码或整数。",
        ("\"2026\" | digits", "2, 0, 2, 6", "二零二六"),
    ),
    says(
        "spell",
        &[Kind::Text],
        "Says a text letter by letter.",
        "逐字读出一段文字。",
        ("\"AB1\" | spell", "A, B, 1", "A，B，一"),
    ),
    says(
        "number",
        &[Kind::Number],
        "Says a number in words; at most six decimals.",
        "把数字读成数词，最多六位小数。",
        ("110 | number", "one hundred ten", "一百一十"),
    ),
    says(
        "ordinal",
        &[Kind::Number],
        "Says a whole number as a place in a row.",
        "把整数读成序数。",
        ("3 | ordinal", "third", "第三"),
    ),
    says(
        "money",
        &[Kind::Money],
        "Says an amount with its currency.",
        "读出金额和币种。",
        (
            "order.total | money",
            "one hundred ninety-nine yuan",
            "一百九十九元",
        ),
    ),
    says(
        "date",
        &[Kind::Date, Kind::DateTime],
        "Says a day.",
        "读出日期。",
        ("order.eta | date", "March 5, 2026", "二零二六年三月五日"),
    ),
    says(
        "time",
        &[Kind::Time, Kind::DateTime],
        "Says a time of day; seconds are left out.",
        "读出时刻，不读秒。",
        ("now | time", "nine thirty AM", "上午九点三十分"),
    ),
    says(
        "datetime",
        &[Kind::DateTime],
        "Says a day and a time.",
        "读出日期和时刻。",
        (
            "now | datetime",
            "March 5, 2026 at nine thirty AM",
            "二零二六年三月五日上午九点三十分",
        ),
    ),
    says(
        "phone",
        &[Kind::Phone, Kind::Text],
        "Says a telephone number digit by digit, in groups.",
        "分组逐位读出电话号码，一读作幺。",
        (
            "call.from | phone",
            "plus 8 6, 1 3 8, 0 0 1 3, 8 0 0 0",
            "幺三八，零零幺三，八零零零",
        ),
    ),
    says(
        "duration",
        &[Kind::Duration],
        "Says a span of time, to the second from one second up.",
        "读出时长，一秒以上精确到秒。",
        (
            "queue.estimate | duration",
            "three minutes and thirty seconds",
            "三分钟三十秒",
        ),
    ),
    says(
        "percent",
        &[Kind::Number],
        "Says a number of hundredths: `15` is fifteen percent.",
        "读出百分数：15 即百分之十五。",
        ("15 | percent", "fifteen percent", "百分之十五"),
    ),
    Filter {
        name: "default",
        takes: &[Kind::Anything],
        argument: Some(Argument {
            name: "value",
            kind: Kind::Anything,
            required: true,
        }),
        gives: Gives::Present,
        summary: "Stands in for a value that is `none`.",
        summary_zh: "值为 none 时用它代替。",
        example: ("profile.surname | default(\"there\")", "there", "there"),
    },
    Filter {
        name: "upper",
        takes: &[Kind::Text],
        argument: None,
        gives: Gives::Text,
        summary: "Makes all letters capital.",
        summary_zh: "全部转为大写字母。",
        example: ("\"ab\" | upper", "AB", "AB"),
    },
    Filter {
        name: "lower",
        takes: &[Kind::Text],
        argument: None,
        gives: Gives::Text,
        summary: "Makes all letters small.",
        summary_zh: "全部转为小写字母。",
        example: ("\"AB\" | lower", "ab", "ab"),
    },
    Filter {
        name: "length",
        takes: &[Kind::Text, Kind::Phone, Kind::List],
        argument: None,
        gives: Gives::Number,
        summary: "Counts the characters of a text or the items of a list.",
        summary_zh: "文字的字符数或列表的项数。",
        example: ("[\"a\", \"b\"] | length", "2", "2"),
    },
    Filter {
        name: "join",
        takes: &[Kind::List],
        argument: Some(Argument {
            name: "between",
            kind: Kind::Text,
            required: false,
        }),
        gives: Gives::Text,
        summary: "Makes one text of a list; between the items stands a comma, or the text given.",
        summary_zh: "把列表连成一段文字，项间用顿号或所给文字。",
        example: ("[\"a\", \"b\"] | join", "a, b", "a、b"),
    },
    says(
        "last4",
        &[Kind::Secret, Kind::Text, Kind::Phone],
        "Says the last four characters one by one: all that may be said of a secret.",
        "逐位读出末四位；保密内容只能这样读。",
        ("card | last4", "1, 2, 3, 4", "一二三四"),
    ),
];

/// Whether a filter puts a value into the words of a language, so that it needs some.
pub(crate) fn puts_into_words(name: &str) -> bool {
    find(name).is_some_and(|filter| filter.gives == Gives::Speech)
}

/// The filter of a name.
pub(super) fn find(name: &str) -> Option<&'static Filter> {
    FILTERS.iter().find(|filter| filter.name == name)
}

impl Kind {
    /// Whether a type fits. Optional types do not fit anything but [`Kind::Anything`].
    pub(super) fn fits(self, ty: &Type) -> bool {
        match (self, ty) {
            (Kind::Secret, Type::Secret) => true,
            (_, ty) if ty.holds_secret() => false,
            (Kind::Anything, _) | (_, Type::Any) => true,
            (Kind::Text, Type::Text | Type::OneOf(_)) => true,
            (Kind::Number, Type::Number) => true,
            (Kind::Money, Type::Money) => true,
            (Kind::Date, Type::Date) => true,
            (Kind::Time, Type::Time) => true,
            (Kind::DateTime, Type::DateTime) => true,
            (Kind::Phone, Type::Phone) => true,
            (Kind::Duration, Type::Duration) => true,
            (Kind::List, Type::List(_)) => true,
            _ => false,
        }
    }

    /// Whether a value fits. A value of the type `text` may be a phone number, which is one of its values.
    pub(super) fn fits_value(self, value: &Value) -> bool {
        matches!(
            (self, value),
            (Kind::Secret, Value::Secret(_))
                | (Kind::Anything, _)
                | (Kind::Text, Value::Text(_) | Value::Phone(_))
                | (Kind::Number, Value::Number(_))
                | (Kind::Money, Value::Money(_))
                | (Kind::Date, Value::Date(_))
                | (Kind::Time, Value::Time(_))
                | (Kind::DateTime, Value::DateTime(_))
                | (Kind::Phone, Value::Phone(_))
                | (Kind::Duration, Value::Duration(_))
                | (Kind::List, Value::List(_))
        )
    }

    /// In the designer's words.
    pub(super) const fn text(self) -> Text {
        match self {
            Kind::Text => Text::fixed("text", "文本"),
            Kind::Number => Text::fixed("number", "数字"),
            Kind::Money => Text::fixed("money", "金额"),
            Kind::Date => Text::fixed("date", "日期"),
            Kind::Time => Text::fixed("time", "时刻"),
            Kind::DateTime => Text::fixed("datetime", "日期时间"),
            Kind::Phone => Text::fixed("phone", "电话号码"),
            Kind::Duration => Text::fixed("duration", "时长"),
            Kind::List => Text::fixed("list", "列表"),
            Kind::Secret => Text::fixed("secret", "机密"),
            Kind::Anything => Text::fixed("anything", "任意值"),
        }
    }
}

impl Filter {
    /// The types it takes, in the designer's words: `text, number or phone`.
    pub fn takes_text(&self) -> Text {
        let words: Vec<Text> = self.takes.iter().map(|kind| kind.text()).collect();
        let Some((last, others)) = words.split_last().filter(|(_, others)| !others.is_empty())
        else {
            return words.into_iter().next().unwrap_or_default();
        };
        let english: Vec<&str> = others.iter().map(Text::english).collect();
        let chinese: Vec<&str> = others.iter().map(Text::chinese).collect();
        let (english, chinese) = (english.join(", "), chinese.join("、"));
        let others = Text::both(english, chinese);
        text!("{others} or {last}", "{others}或{last}"; others, last)
    }
}
