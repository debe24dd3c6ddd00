use crate::check::report::Report;
use crate::check::suggest::nearest;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: a tag in a text that is not closed, or is none of the SSML that prompts may use: `break`, `emphasis`, `prosody`,
    /// `say-as`, `sub`, `phoneme`, `lang`, `p`, `s`.
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
        Some(meant) => found.help(text!("did you mean `{meant}`?", "是否想写 `{meant}`？")),
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

/// The elements that prompts may use.
pub(crate) const TAGS: [&str; 9] = [
    "break", "emphasis", "prosody", "say-as", "sub", "phoneme", "lang", "p", "s",
];
