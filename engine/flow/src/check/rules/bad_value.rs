use crate::check::report::Report;
use crate::check::suggest::nearest;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: a list where a text is expected, a text where a map is expected, a word that is none of those that the
    /// field takes.
    ///
    /// ```yaml
    /// languages: zh, en
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// languages: [zh, en]
    /// ```
    BAD_VALUE = "bad-value", Error, "a value of the wrong shape", "值的形式不对"
}

pub(crate) fn shape(report: &mut Report<'_>, at: Span, key: &str, expected: &str, is: &str) {
    report
        .find(
            &BAD_VALUE,
            at,
            text!(
                "`{key}` takes {expected}, and this is {is}",
                "`{key}` 的值形式不对"
            ),
        )
        .help(text!("write {expected}", "应为：{expected}"));
}

pub(crate) fn word(report: &mut Report<'_>, at: Span, key: &str, written: &str, names: &[String]) {
    let meant = nearest(written, names.iter().map(String::as_str));
    let _done = report
        .find(
            &BAD_VALUE,
            at,
            text!(
                "`{key}` does not take `{written}`",
                "`{key}` 不接受 `{written}`"
            ),
        )
        .did_you_mean(at, meant, names);
}

pub(crate) fn why(report: &mut Report<'_>, at: Span, message: String, help: &str) {
    let found = report.find(&BAD_VALUE, at, Text::new(message));
    if !help.is_empty() {
        let _done = found.help(Text::new(help));
    }
}
