use crate::check::report::Report;
use crate::check::suggest::nearest;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: a key that means nothing where it stands. It would be ignored in silence, which is never what
    /// its author wanted.
    ///
    /// ```yaml
    /// main:
    ///   menu: For an order press 1.
    ///   atempts: 2
    ///   press: { 1: flow:order-status }
    ///   then: { else: bye }
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// main:
    ///   menu: For an order press 1.
    ///   attempts: 2
    ///   press: { 1: flow:order-status }
    ///   then: { else: bye }
    /// ```
    UNKNOWN_KEY = "unknown-key", Error, "a key that nobody reads", "未知的键"
}

pub(crate) fn unknown(report: &mut Report<'_>, at: Span, key: &str, place: &Text, names: &[String]) {
    report.strange(at);
    let meant = nearest(key, names.iter().map(String::as_str));
    let _done = report
        .find(
            &UNKNOWN_KEY,
            at,
            text!("{place} has no `{key}`", "{place} 没有 `{key}`"; place),
        )
        .did_you_mean(at, meant, names);
}

/// Of `then:` beside a verb after which nothing comes, or which says itself what comes.
pub(crate) fn nothing_after(report: &mut Report<'_>, at: Span, place: &Text, help: Text) {
    report.strange(at);
    let message = text!("{place} has no `then`", "{place} 没有 `then`"; place);
    let _done = report.find(&UNKNOWN_KEY, at, message).help(help);
}

/// Of what is read as it was meant.
pub(crate) fn misspelt(report: &mut Report<'_>, at: Span, key: &str, place: &Text, meant: &str) {
    let message = text!("{place} has no `{key}`", "{place} 没有 `{key}`"; place);
    let _done = report.find(&UNKNOWN_KEY, at, message).did_you_mean(at, Some(meant), &[]);
}
