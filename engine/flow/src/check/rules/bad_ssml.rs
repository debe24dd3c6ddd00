use crate::check::report::Report;
use crate::check::suggest::{nearest, shown};
use crate::diagnostic::{Text, text};
use crate::expr::Span;
use crate::speak::markup::{MAX_BREAK_MS, Wrong};

rule! {
    /// What it finds: a tag in a text that is not closed, or is none of the SSML that prompts may use: `break`, `emphasis`, `prosody`,
    /// `say-as`, `sub`, `phoneme`, `lang`, `p`, `s`; an attribute that the tag does not have, or a value that it does not take, as SSML 1.1
    /// has them. A `break` is ten seconds at most: longer is a `wait:`.
    ///
    /// ```yaml
    /// pause:
    ///   - say: "One moment <brake time='1s'/> please."
    ///   - goto: bye
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// pause:
    ///   - say: "One moment <break time='1s'/> please."
    ///   - goto: bye
    /// ```
    BAD_SSML = "bad-ssml", Error, "markup that cannot be spoken", "语音标记有误"
}

pub(crate) fn unknown(report: &mut Report<'_>, at: Span, tag: &str) {
    let names: Vec<String> = TAGS.iter().map(|tag| (*tag).to_owned()).collect();
    let meant = nearest(tag, names.iter().map(String::as_str));
    let found = report.find(
        &BAD_SSML,
        at,
        text!(
            "`<{tag}>` is no markup that can be spoken",
            "`<{tag}>` 不是可用的语音标记"
        ),
    );
    let _done = match meant {
        Some(meant) => found.help(Text::did_you_mean(meant)),
        None => found.did_you_mean(at, None, &names),
    };
}

pub(crate) fn unbalanced(report: &mut Report<'_>, at: Span, tag: &str) {
    report
        .find(
            &BAD_SSML,
            at,
            text!(
                "`<{tag}>` is not closed in its order",
                "`<{tag}>` 没有正确闭合"
            ),
        )
        .help(text!(
            "close it with `</{tag}>` in the same text, or write `<{tag}/>`",
            "请在同一文本中用 `</{tag}>` 闭合，或写 `<{tag}/>`"
        ));
}

/// What is wrong with an attribute of a tag.
pub(crate) fn attribute(report: &mut Report<'_>, at: Span, tag: &str, wrong: &Wrong<'_>) {
    let (message, help) = match wrong {
        Wrong::Unreadable(written) => (
            text!(
                "`{written}` is no attribute of `<{tag}>`",
                "`{written}` 不是 `<{tag}>` 的属性"
            ),
            Text::fixed(
                "write it as `name=\"value\"`, or with single quotes",
                "请写成 `name=\"value\"`，也可以用单引号",
            ),
        ),
        Wrong::Unknown(name, known) => {
            let names: Vec<String> = known.iter().map(|one| one.name.to_owned()).collect();
            let message = text!(
                "`<{tag}>` has no attribute `{name}`",
                "`<{tag}>` 没有属性 `{name}`"
            );
            let meant = nearest(name, names.iter().map(String::as_str));
            let help = match meant {
                Some(meant) => Text::did_you_mean(meant),
                None => {
                    let names = shown(&names);
                    text!("there are: {names}", "现有：{names}"; names)
                }
            };
            (message, help)
        }
        Wrong::Value(name, value, takes) => (
            text!(
                "`{value}` is no value of `{name}` in `<{tag}>`",
                "`{value}` 不是 `<{tag}>` 中 `{name}` 的值"
            ),
            text!("write for example: `{takes}`", "例如：`{takes}`"),
        ),
        Wrong::TooLong(value) => {
            let most = MAX_BREAK_MS / 1_000;
            (
                text!(
                    "a pause of `{value}` is too long for a text: {most} seconds at most",
                    "文本中的停顿 `{value}` 太长：最多 {most} 秒"
                ),
                Text::fixed("let a `wait:` follow", "请在后面使用 `wait:`"),
            )
        }
        Wrong::Missing(name) => (
            text!(
                "`<{tag}>` means nothing without `{name}`",
                "`<{tag}>` 缺少 `{name}` 就没有意义"
            ),
            text!("add `{name}=\"…\"`", "请添加 `{name}=\"…\"`"),
        ),
    };
    report.find(&BAD_SSML, at, message).help(help);
}

/// The elements that prompts may use.
pub(crate) const TAGS: [&str; 9] = [
    "break", "emphasis", "prosody", "say-as", "sub", "phoneme", "lang", "p", "s",
];
