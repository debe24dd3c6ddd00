use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: a target that is no step of this flow. For everything else the checker goes on as if the nearest name had
    /// been written, so that one slip is one finding.
    ///
    /// ```yaml
    /// start:
    ///   say: Hello.
    ///   then: loookup
    /// lookup:
    ///   call: order-status
    ///   then: { else: bye }
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// start:
    ///   say: Hello.
    ///   then: lookup
    /// lookup:
    ///   call: order-status
    ///   then: { else: bye }
    /// ```
    ///
    /// Targets are the names under `steps:`, `flow:NAME` for another flow, and `repeat` in the lines of a listening step.
    UNKNOWN_STEP = "unknown-step", Error, "there is no such step", "没有这个步骤"
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
            &UNKNOWN_STEP,
            at,
            text!(
                "there is no step called `{name}`",
                "没有名为 `{name}` 的步骤"
            ),
        )
        .did_you_mean(at, meant, names);
}

/// Of one that is defined under a name that nothing uses, while several places use what is nearly so called.
pub(crate) fn defined(report: &mut Report<'_>, at: Span, name: &str, meant: &str) {
    let message = text!(
        "nothing leads to the step `{name}`, and there is no step `{meant}`, where several places lead",
        "没有去往步骤 `{name}` 的地方，而多处去往的步骤 `{meant}` 不存在"
    );
    let _done = report
        .find(&UNKNOWN_STEP, at, message)
        .agreed(at, meant);
}

/// Of a flow's name without the word before it.
pub(crate) fn flow(report: &mut Report<'_>, at: Span, name: &str, flow: &str) {
    let message = text!(
        "there is no step called `{name}`",
        "没有名为 `{name}` 的步骤"
    );
    let meant = format!("flow:{flow}");
    let _done = report
        .find(&UNKNOWN_STEP, at, message)
        .did_you_mean(at, Some(&meant), &[]);
}
