use crate::check::report::Report;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: a `call:` or a `flow:NAME` whose flow is not in the project.
    ///
    /// ```yaml
    /// orders:
    ///   call: order-state
    ///   then: { else: bye }
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// orders:
    ///   call: order-status
    ///   then: { else: bye }
    /// ```
    ///
    /// The name is what the other file says after `flow:`, not the file's name.
    UNKNOWN_FLOW = "unknown-flow", Error, "there is no such flow", "没有这个流程"
}

pub(crate) fn unknown(
    report: &mut Report<'_>,
    at: Span,
    name: &str,
    meant: Option<&str>,
    names: &[String],
) {
    let _done = report
        .find(
            &UNKNOWN_FLOW,
            at,
            text!(
                "there is no flow called `{name}` in this project",
                "项目中没有名为 `{name}` 的流程"
            ),
        )
        .did_you_mean(at, meant, names);
}

/// Of a flow that is misspelt where it is defined. A route of the project may have its name, so that no change is certain.
pub(crate) fn defined(report: &mut Report<'_>, at: Span, name: &str, meant: &str) {
    report
        .find(
            &UNKNOWN_FLOW,
            at,
            text!(
                "nothing leads to a flow called `{name}`, and several places to `{meant}`",
                "没有地方通往流程 `{name}`，却有多处通往 `{meant}`"
            ),
        )
        .help(Text::did_you_mean(meant));
}
