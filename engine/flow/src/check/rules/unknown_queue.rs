use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: a queue that `queues.yaml` does not have. Callers sent there would be refused.
    ///
    /// ```yaml
    /// desk:
    ///   queue: front-dest
    ///   meanwhile: { music: audio/hold.wav }
    ///   then: { else: bye }
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// desk:
    ///   queue: front-desk
    ///   meanwhile: { music: audio/hold.wav }
    ///   then: { else: bye }
    /// ```
    UNKNOWN_QUEUE = "unknown-queue", Error, "there is no such queue", "没有这个队列"
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
            &UNKNOWN_QUEUE,
            at,
            text!(
                "there is no queue called `{name}`",
                "没有名为 `{name}` 的队列"
            ),
        )
        .did_you_mean(at, meant, names);
}
