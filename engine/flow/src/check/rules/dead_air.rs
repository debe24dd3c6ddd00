use crate::check::report::Report;
use crate::check::spent::Heard;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: a step that may keep the caller waiting for more than eight seconds without a sound: its timeout, times its
    /// attempts, with the pauses between them, and no `meanwhile:`, or one whose sentence is over long before. Silences of steps that follow
    /// each other without a sound between them add up. A queue is silent but for what its own
    /// `meanwhile:` lets be heard.
    ///
    /// ```yaml
    /// lookup:
    ///   use: orders/lookup@1
    ///   with: { order_no: "20260302" }
    ///   timeout: 5s
    ///   retry: { times: 2 }
    ///   then: { else: bye }
    /// ```
    ///
    /// Let something be heard meanwhile; `music:` goes on behind the sentence:
    ///
    /// ```yaml
    /// lookup:
    ///   use: orders/lookup@1
    ///   with: { order_no: "20260302" }
    ///   timeout: 5s
    ///   retry: { times: 2 }
    ///   meanwhile: { after: 1s, say: One moment please., music: audio/hold.wav }
    ///   then: { else: bye }
    /// ```
    DEAD_AIR = "dead-air", Warning, "more than eight seconds of silence", "静默超过八秒"
}

pub(crate) fn silent(report: &mut Report<'_>, at: Span, sum: Text, seconds: u64) {
    report
        .find(
            &DEAD_AIR,
            at,
            text!(
                "the caller may hear nothing for {seconds} seconds",
                "来电者可能有 {seconds} 秒听不到任何声音"
            ),
        )
        .here(sum)
        .help(text!(
            "add `meanwhile: {{ after: 1s, say: …, music: … }}`, or a shorter `timeout:`",
            "请添加 `meanwhile: {{ after: 1s, say: …, music: … }}`，或缩短 `timeout:`"
        ));
}

pub(crate) fn waiting(report: &mut Report<'_>, at: Span, seconds: u64) {
    report
        .find(
            &DEAD_AIR,
            at,
            text!(
                "the caller hears nothing for {seconds} seconds",
                "来电者有 {seconds} 秒听不到任何声音"
            ),
        )
        .help(text!(
            "say something before, and wait for less than 8 seconds at a time",
            "请先说明情况，且每次等待少于 8 秒"
        ));
}

/// People are waited for, and too little is heard.
pub(crate) fn queued(report: &mut Report<'_>, at: Span, seconds: u64, heard: Heard) {
    let sentences = heard == Heard::Sentences;
    let found = match sentences {
        false => text!(
            "the caller may hear nothing for {seconds} seconds while waiting",
            "等待时来电者可能有 {seconds} 秒听不到任何声音"
        ),
        true => text!(
            "the caller may hear nothing for {seconds} seconds before and between the sentences of `meanwhile`",
            "在 `meanwhile` 的话之前和每两次之间，来电者可能有 {seconds} 秒听不到任何声音"
        ),
    };
    let help = match sentences {
        false => Text::fixed(
            "add `meanwhile: { music: … }`, with a `say:` as you like",
            "请添加 `meanwhile: { music: … }`，也可以再加上 `say:`",
        ),
        true => Text::fixed(
            "add `music:` to `meanwhile:`, or say it at least every 8 seconds: `every: 8s`",
            "请给 `meanwhile:` 加上 `music:`，或至少每 8 秒说一次：`every: 8s`",
        ),
    };
    report.find(&DEAD_AIR, at, found).help(help);
}

pub(crate) fn after_sentence(report: &mut Report<'_>, at: Span, seconds: u64) {
    report
        .find(
            &DEAD_AIR,
            at,
            text!(
                "the caller may hear nothing for {seconds} seconds after the sentence of `meanwhile`",
                "说完 `meanwhile` 的那句话之后，来电者可能有 {seconds} 秒听不到任何声音"
            ),
        )
        .help(text!(
            "add `music:` to `meanwhile:`, or let the step take less time with `timeout:` and `retry:`",
            "请给 `meanwhile:` 加上 `music:`，或用 `timeout:` 和 `retry:` 缩短这个步骤的时间"
        ));
}

pub(crate) fn added_up(report: &mut Report<'_>, at: Span, before_ms: u64, own_ms: u64) {
    let seconds = before_ms.saturating_add(own_ms).div_ceil(1000);
    report
        .find(
            &DEAD_AIR,
            at,
            text!(
                "the caller may hear nothing for {seconds} seconds, with what came before",
                "连同之前的步骤，来电者可能有 {seconds} 秒听不到任何声音"
            ),
        )
        .here(text!(
            "{before_ms} ms of silence before, {own_ms} ms here",
            "之前已静默 {before_ms} ms，此处 {own_ms} ms"
        ))
        .help(text!(
            "say something between the steps, or add `meanwhile: {{ after: 1s, say: … }}`",
            "请在步骤之间说点什么，或添加 `meanwhile: {{ after: 1s, say: … }}`"
        ));
}
