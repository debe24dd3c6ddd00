use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: one lower-case word where a prompt is expected, and no prompt of that name. Anything that is not one
    /// lower-case word is the text itself.
    ///
    /// ```yaml
    /// prompts: { hello: Hello. }
    /// greet:
    ///   - say: helo
    ///   - goto: bye
    /// ```
    ///
    /// Write the name of a prompt under `prompts:`, or the words: `say: "Hello."`
    ///
    /// ```yaml
    /// prompts: { hello: Hello. }
    /// greet:
    ///   - say: hello
    ///   - say: How are you?
    ///   - goto: bye
    /// ```
    UNKNOWN_PROMPT = "unknown-prompt", Error, "there is no such prompt", "没有这个提示"
}

pub(crate) fn unknown(
    report: &mut Report<'_>,
    at: Span,
    name: &str,
    meant: Option<&str>,
    names: &[String],
) {
    let found = report.find(
        &UNKNOWN_PROMPT,
        at,
        text!(
            "there is no prompt called `{name}`",
            "没有名为 `{name}` 的提示"
        ),
    );
    let _done = match meant {
        Some(_) => found.did_you_mean(at, meant, names),
        None => found.help(text!(
            "define it under `prompts:`; to say the word itself, write it with a capital or a full stop",
            "请在 `prompts:` 下定义；若要直接朗读这个词，请加上标点"
        )),
    };
}

/// Of one that is defined under a name that nothing uses, while several places use what is nearly so called.
pub(crate) fn defined(report: &mut Report<'_>, at: Span, name: &str, meant: &str) {
    let message = text!(
        "nothing uses the prompt `{name}`, and there is no prompt `{meant}`, which several places use",
        "没有用到提示 `{name}`，而多处用到的提示 `{meant}` 不存在"
    );
    let _done = report
        .find(&UNKNOWN_PROMPT, at, message)
        .agreed(at, meant);
}
