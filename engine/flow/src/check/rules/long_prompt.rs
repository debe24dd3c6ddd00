use crate::check::report::Report;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: a text of a menu or a question that takes more than about 30 seconds to say. Callers who know what they want have
    /// to sit through it; those who do not have forgotten its beginning. And a prompt `apology`, its audio files included, that takes more
    /// than 20 seconds: it is cut off then.
    ///
    /// ```yaml
    /// main:
    ///   menu: >-
    ///     Welcome to Aurora, the shop for light in every room of your house, and thank you very much for calling us today.
    ///     Before we begin, let us tell you that all our lamps are made to last for thirty years, and that this month the
    ///     whole range of lamps for the garden can be had at a quarter off, as long as stocks last. Our opening hours have
    ///     changed: we are now here from eight in the morning until ten at night, on Saturdays as well, and on most holidays.
    ///     For an order press 1.
    ///   press: { 1: flow:order-status }
    ///   then: { else: bye }
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// main:
    ///   menu: Welcome to Aurora. For an order press 1.
    ///   press: { 1: flow:order-status }
    ///   then: { else: bye }
    /// ```
    LONG_PROMPT = "long-prompt", Warning, "a prompt that takes too long", "提示过长"
}

pub(crate) fn long(report: &mut Report<'_>, at: Span, name: &Text, seconds: u64) {
    report
        .find(
            &LONG_PROMPT,
            at,
            text!(
                "saying {name} takes about {seconds} seconds",
                "读完 {name} 约需 {seconds} 秒";
                name,
            ),
        )
        .help(text!(
            "cut it down, or split it into several prompts",
            "请缩短或拆成几段"
        ));
}

/// Of the prompt that is said when a contact ends by a fault.
pub(crate) fn apology(report: &mut Report<'_>, at: Span, seconds: u64, most: u64) {
    report
        .find(
            &LONG_PROMPT,
            at,
            text!(
                "saying `apology` takes about {seconds} seconds, and after {most} it is cut off",
                "读完 `apology` 约需 {seconds} 秒，而 {most} 秒后就会被打断"
            ),
        )
        .help(text!("cut it down", "请缩短"));
}
