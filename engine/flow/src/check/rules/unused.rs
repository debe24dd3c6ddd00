use crate::check::report::Report;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: a prompt, a variable or opening hours that are defined and never used. Most often a name was changed in one
    /// place and not in the other.
    ///
    /// ```yaml
    /// prompts:
    ///   hello: { en: Hello. }
    ///   helo: { en: Hello there. }   # nothing says it
    /// greet:
    ///   - say: hello
    ///   - goto: bye
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// prompts:
    ///   hello: { en: Hello. }
    /// greet:
    ///   - say: hello
    ///   - goto: bye
    /// ```
    UNUSED = "unused", Warning, "something that nothing uses", "未使用"
}

pub(crate) fn unused(report: &mut Report<'_>, at: Span, what: Text, name: &str) {
    report
        .find(
            &UNUSED,
            at,
            text!("nothing uses the {what} `{name}`", "没有用到{what} `{name}`"; what),
        )
        .help(text!("remove it, or use it", "请删除或使用它"));
}

/// Of a result that nothing reads, under a name that is nearly that of a variable.
pub(crate) fn result(report: &mut Report<'_>, at: Span, name: &str, meant: &str) {
    let message = text!("nothing reads the result `{name}`", "没有用到结果 `{name}`");
    let _done = report
        .find(&UNUSED, at, message)
        .did_you_mean(at, Some(meant), &[]);
}
