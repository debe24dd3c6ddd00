use crate::check::report::Report;
use crate::diagnostic::Text;
use crate::expr::Span;

rule! {
    /// What it finds: an unknown time zone, a day that is none, a time that no clock shows.
    ///
    /// ```yaml
    /// hours:
    ///   support:
    ///     timezone: Asia/Shanghai
    ///     weekly: { mon-fri: 9-18 }
    /// desk:
    ///   hours: support
    ///   then: { open: bye, closed: bye }
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// hours:
    ///   support:
    ///     timezone: Asia/Shanghai
    ///     weekly: { mon-fri: 09:00-18:00 }
    /// desk:
    ///   hours: support
    ///   then: { open: bye, closed: bye }
    /// ```
    BAD_HOURS = "bad-hours", Error, "opening hours that are none", "营业时间有误"
}

pub(crate) fn bad(report: &mut Report<'_>, at: Span, why: Text, help: Text) {
    report.find(&BAD_HOURS, at, why).help(help);
}

/// Of what is read as it was meant.
pub(crate) fn meant(report: &mut Report<'_>, at: Span, why: Text, meant: &str) {
    let _done = report.find(&BAD_HOURS, at, why).means(at, meant);
}
