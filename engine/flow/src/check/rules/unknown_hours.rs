use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: a `hours:` step whose name is not defined under the flow's `hours:`.
    ///
    /// ```yaml
    /// hours:
    ///   support:
    ///     timezone: Asia/Shanghai
    ///     weekly: { mon-fri: 09:00-18:00 }
    /// desk:
    ///   hours: suport
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
    UNKNOWN_HOURS = "unknown-hours", Error, "there are no such hours", "没有这个营业时间"
}

pub(crate) fn unknown(
    report: &mut Report<'_>,
    at: Span,
    name: &str,
    meant: Option<&str>,
    names: &[String],
) {
    let found = report.find(
        &UNKNOWN_HOURS,
        at,
        text!(
            "there are no hours called `{name}`",
            "没有名为 `{name}` 的营业时间"
        ),
    );
    let _done = match meant {
        Some(_) => found.did_you_mean(at, meant, names),
        None => found.help(text!(
            "define them under `hours:` at the top of the file",
            "请在文件顶部的 `hours:` 下定义"
        )),
    };
}

/// Of one that is defined under a name that nothing uses, while several places use what is nearly so called.
pub(crate) fn defined(report: &mut Report<'_>, at: Span, name: &str, meant: &str) {
    let message = text!(
        "nothing uses the hours `{name}`, and there are no hours `{meant}`, which several places use",
        "没有用到营业时间 `{name}`，而多处用到的营业时间 `{meant}` 不存在"
    );
    let _done = report
        .find(&UNKNOWN_HOURS, at, message)
        .agreed(at, meant);
}
