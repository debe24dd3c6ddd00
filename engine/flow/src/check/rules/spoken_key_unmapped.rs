use crate::check::report::Report;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: a menu's prompt that says "press 3" or 「请按三」 where the step has no such key, a label
    /// that names another key, and a question for digits that says "press star" where no star leads anywhere. Callers would press it.
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

/// A key as it is written in `press:`.
fn written(key: &str) -> &str {
    match key {
        "*" => "star",
        "#" => "hash",
        key => key,
    }
}

/// `keys` are all that the step's prompts name in vain, `said` the texts that do.
/// Only where the step has `press:` a key can be added there; `presses` says whether it does.
pub(crate) fn unmapped(
    report: &mut Report<'_>,
    at: Span,
    keys: &[&str],
    said: &[Span],
    presses: bool,
) {
    let lines: Vec<String> = keys.iter().map(|key| format!("`{}:`", written(key))).collect();
    let (lines, chinese) = (lines.join(", "), lines.join("、"));
    let lines = Text::both(lines, chinese);
    let named = Text::both(keys.join(", "), keys.join("、"));
    let message = match keys.len() {
        1 => text!(
            "the prompt says to press {named}, and that key does nothing here",
            "提示让人按 {named}，但此处没有这个键";
            named,
        ),
        _ => text!(
            "the prompt says to press {named}, and these keys do nothing here",
            "提示让人按 {named}，但此处没有这些键";
            named,
        ),
    };
    let mut found = report.find(&SPOKEN_KEY_UNMAPPED, at, message);
    for text in said.iter().take(MOST_SHOWN) {
        found = found.label(*text, text!("said here", "提示在这里"));
    }
    let _done = match presses {
        true => found.help(text!(
            "add {lines} to `press:`, or let `${{choices}}` say the keys",
            "请在 `press:` 添加 {lines}，或用 `${{choices}}` 朗读按键";
            lines,
        )),
        false => found.help(text!(
            "add {lines} to `global.press`, or do not name the key",
            "请在 `global.press` 添加 {lines}，或不要提到这个键";
            lines,
        )),
    };
}

/// Most texts that are shown; a prompt has one a language.
const MOST_SHOWN: usize = 4;
