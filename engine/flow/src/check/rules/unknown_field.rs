use crate::check::report::Report;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: a field that the value does not have, by the description of whoever made it.
    ///
    /// ```yaml
    /// tell:
    ///   - say: "You called ${call.too | phone}."
    ///   - goto: bye
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// tell:
    ///   - say: "You called ${call.to | phone}."
    ///   - goto: bye
    /// ```
    UNKNOWN_FIELD = "unknown-field", Error, "there is no such field", "没有这个字段"
}

/// Of the name of a result that is misspelt, as several mocks agree.
pub(crate) fn defined(report: &mut Report<'_>, at: Span, mocked: &str, name: &str, meant: &str) {
    let message = text!(
        "no test gives `{name}` to `{mocked}`, and several give `{meant}`",
        "没有测试为 `{mocked}` 给出 `{name}`，而有几个测试给出 `{meant}`"
    );
    let _done = report
        .find(&UNKNOWN_FIELD, at, message)
        .agreed(at, meant);
}

/// Of a mock's data.
pub(crate) fn mocked(report: &mut Report<'_>, at: Span, mocked: &str, name: &str, meant: &str) {
    let message = text!("`{mocked}` gives no `{name}`", "`{mocked}` 不给出 `{name}`");
    let _done = report
        .find(&UNKNOWN_FIELD, at, message)
        .did_you_mean(at, Some(meant), &[]);
}

/// Of a field of a value in a mock's data.
pub(crate) fn of_mock(report: &mut Report<'_>, at: Span, place: &Text, name: &str, meant: &str) {
    let message = text!("{place} has no `{name}`", "{place} 没有 `{name}`"; place);
    let _done = report
        .find(&UNKNOWN_FIELD, at, message)
        .did_you_mean(at, Some(meant), &[]);
}
