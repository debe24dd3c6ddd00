use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: a step that may take longer than the flow's `max_duration`: a queue's `max_wait`, a `record:`, a `timeout` times its
    /// attempts. The contact is over before, and the outcome that was to come then never does.
    ///
    /// ```yaml
    /// hold:
    ///   queue: general
    ///   meanwhile: { music: audio/hold.wav }
    ///   max_wait: 1h
    ///   then: { done: bye, timeout: message, else: bye }
    /// message:
    ///   - say: Please leave a message after the tone.
    ///   - record: { beep: true }
    ///   - goto: bye
    /// ```
    ///
    /// Give the step less time, or the contact more (`defaults: { max_duration: 2h }`):
    ///
    /// ```yaml
    /// hold:
    ///   queue: general
    ///   meanwhile: { music: audio/hold.wav }
    ///   max_wait: 10m
    ///   then: { done: bye, timeout: message, else: bye }
    /// message:
    ///   - say: Please leave a message after the tone.
    ///   - record: { beep: true }
    ///   - goto: bye
    /// ```
    OVER_MAX_DURATION = "over-max-duration", Warning, "a step that outlasts the contact", "步骤比通话还长"
}

pub(crate) fn longer(report: &mut Report<'_>, at: Span, verb: &str, ms: u64, most_ms: u64) {
    let (seconds, most) = (ms.div_ceil(1_000), most_ms / 1_000);
    report
        .find(
            &OVER_MAX_DURATION,
            at,
            text!(
                "`{verb}` may take {seconds} seconds, and the contact is over after {most}",
                "`{verb}` 可能持续 {seconds} 秒，而通话在 {most} 秒后结束"
            ),
        )
        .help(text!(
            "shorten it, or raise `max_duration:` under `defaults:`",
            "请缩短它，或在 `defaults:` 下调大 `max_duration:`"
        ));
}
