use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: a key that stands twice in one map; a word of a chat that means two keys of one `press:`. Most YAML
    /// readers silently keep the last of two keys, so half of what was written would never happen. `1` and `"1"` are the same key, and so are `star` and `"*"`.
    ///
    /// A word of a chat means two keys which lead to different places where the same `label` or `match` stands twice, or is another
    /// key. Whoever writes it only ever gets the first of them.
    ///
    /// ```yaml
    /// main:
    ///   menu: For an order press 1.
    ///   press:
    ///     1: flow:order-status
    ///     1: flow:vip-routing
    ///   then: { else: bye }
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// main:
    ///   menu: For an order press 1, for your adviser press 2.
    ///   press:
    ///     1: flow:order-status
    ///     2: flow:vip-routing
    ///   then: { else: bye }
    /// ```
    DUPLICATE_KEY = "duplicate-key", Error, "the same key twice", "键重复"
}

/// Of the line of a key that stands above it already, with nothing below; `line` is all of it.
pub(crate) fn line(report: &mut Report<'_>, (at, key): (Span, &str), first: Span, line: Span) {
    report
        .find(
            &DUPLICATE_KEY,
            at,
            text!("the line `{key}:` stands here twice", "`{key}:` 这一行重复出现"),
        )
        .here(text!("again here", "此处重复"))
        .label(first, text!("first here", "首次出现"))
        .help(text!("remove one of the two lines", "请删除其中一行"))
        .fix(line, "");
}

/// Of a word that leads a chat to the first of two keys, where it should lead to the other as well.
pub(crate) fn word(
    report: &mut Report<'_>,
    (at, word): (Span, &str),
    first: Span,
    (one, other): (&str, &str),
) {
    report
        .find(
            &DUPLICATE_KEY,
            at,
            text!(
                "in a chat `{word}` means both the key {one} and the key {other}",
                "在聊天中，`{word}` 既表示按键 {one} 又表示按键 {other}"
            ),
        )
        .here(text!("again here", "此处重复"))
        .label(first, text!("first here", "首次出现"))
        .help(text!(
            "give each key words of its own",
            "请让每个按键有自己的词"
        ));
}

pub(crate) fn duplicate(report: &mut Report<'_>, key: &str, again: Span, first: Span) {
    report
        .find(
            &DUPLICATE_KEY,
            again,
            text!("`{key}` stands here twice", "`{key}` 重复出现"),
        )
        .here(text!("again here", "此处重复"))
        .label(first, text!("first here", "首次出现"))
        .help(text!(
            "remove one of them, or give it another name",
            "请删除其中一个或改名"
        ));
}
