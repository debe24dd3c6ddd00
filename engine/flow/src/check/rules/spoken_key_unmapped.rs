use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: a menu's prompt that says "press 3" or 「请按三」 where the step has no such key. Callers would press it.
    ///
    /// ```yaml
    /// main:
    ///   menu: For an order press 1, for a person press 0.
    ///   press: { 1: flow:order-status }
    ///   then: { else: bye }
    /// ```
    ///
    /// Use `${choices}`: then prompt and keys cannot disagree.
    ///
    /// ```yaml
    /// main:
    ///   menu: "${choices}"
    ///   press:
    ///     1: { to: flow:order-status, label: check an order }
    ///     0: { to: bye, label: end the call }
    ///   then: { else: bye }
    /// ```
    SPOKEN_KEY_UNMAPPED = "spoken-key-unmapped", Warning, "a prompt names a key that does nothing", "提示里的按键无效"
}

pub(crate) fn unmapped(report: &mut Report<'_>, at: Span, key: &str, prompt: Span) {
    report
        .find(
            &SPOKEN_KEY_UNMAPPED,
            at,
            text!(
                "the prompt says to press {key}, and that key does nothing here",
                "提示让人按 {key}，但此处没有这个键"
            ),
        )
        .label(prompt, text!("said here", "提示在这里"))
        .help(text!(
            "add `{key}:` to `press:`, or let `${{choices}}` say the keys",
            "请在 `press:` 添加 `{key}:`，或用 `${{choices}}` 朗读按键"
        ));
}
