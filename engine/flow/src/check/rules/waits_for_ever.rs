use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: a queue that leads back to itself when its longest wait is over. The caller waits until `max_duration`. (A way back by
    /// an outcome that may come at once, such as `full` or `no_agents`, or by `else:`, is no wait: that is a `silent-loop`.)
    ///
    /// ```yaml
    /// hold:
    ///   queue: general
    ///   meanwhile: { music: audio/hold.wav }
    ///   then: { done: bye, timeout: hold, else: bye }
    /// ```
    ///
    /// Offer something else after a while: a voicemail, a call back.
    ///
    /// ```yaml
    /// hold:
    ///   queue: general
    ///   meanwhile: { music: audio/hold.wav }
    ///   then: { done: bye, else: message }
    /// message:
    ///   - say: Please leave a message after the tone.
    ///   - record: { beep: true }
    ///     into: message
    ///   - goto: bye
    /// ```
    WAITS_FOR_EVER = "waits-for-ever", Warning, "a wait without an end", "没有尽头的等待"
}

pub(crate) fn waits(report: &mut Report<'_>, at: Span) {
    report
        .find(
            &WAITS_FOR_EVER,
            at,
            text!(
                "when nobody answers, the caller waits here again and again",
                "无人接听时，来电者会在这里反复等待"
            ),
        )
        .help(text!(
            "lead one of its outcomes to a voicemail, a call back or a goodbye",
            "请让其中一个结果通往留言、回拨或告别"
        ));
}
