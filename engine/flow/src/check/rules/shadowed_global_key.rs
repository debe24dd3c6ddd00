use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: a key in a step's `press:` that `global.press` has too, with another target. Callers learn that 0 is the operator; here
    /// it is not.
    ///
    /// ```yaml
    /// global:
    ///   press: { 0: desk }
    /// main:
    ///   menu: For an order press 1, to end the call press 0.
    ///   press: { 1: flow:order-status, 0: bye }
    ///   then: { no_input: desk, no_match: desk }
    /// desk:
    ///   queue: general
    ///   meanwhile: { music: audio/hold.wav }
    ///   then: { else: bye }
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// global:
    ///   press: { 0: desk }
    /// main:
    ///   menu: For an order press 1, to end the call press 9.
    ///   press: { 1: flow:order-status, 9: bye }
    ///   then: { no_input: desk, no_match: desk }
    /// desk:
    ///   queue: general
    ///   meanwhile: { music: audio/hold.wav }
    ///   then: { else: bye }
    /// ```
    SHADOWED_GLOBAL_KEY = "shadowed-global-key", Warning, "a key means something else here than everywhere", "按键与全局按键含义不同"
}

pub(crate) fn shadowed(report: &mut Report<'_>, at: Span, key: &str, global: Span) {
    report
        .find(
            &SHADOWED_GLOBAL_KEY,
            at,
            text!(
                "elsewhere `{key}` leads to another place",
                "别处的 `{key}` 通往另一处"
            ),
        )
        .label(global, text!("everywhere else", "其他地方"))
        .help(text!(
            "choose another key, or opt out openly with `global: false`",
            "请换一个键，或明确写 `global: false`"
        ));
}
