use crate::check::report::Report;
use crate::diagnostic::Text;
use crate::expr::Span;

rule! {
    /// What it finds: a duration that is not written as `250ms`, `5s`, `3m` or `1h30m`, or is too long or too short for its place.
    ///
    /// ```yaml
    /// pause:
    ///   - wait: 3 seconds
    ///   - goto: bye
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// pause:
    ///   - wait: 3s
    ///   - goto: bye
    /// ```
    BAD_DURATION = "bad-duration", Error, "not a duration", "不是有效的时长"
}

/// Of one that is written as elsewhere.
pub(crate) fn spelt(report: &mut Report<'_>, at: Span, why: Text, meant: &str) {
    let _done = report
        .find(&BAD_DURATION, at, why)
        .means(at, meant);
}

pub(crate) fn bad(report: &mut Report<'_>, at: Span, why: Text) {
    let _done = report.find(&BAD_DURATION, at, why);
}
