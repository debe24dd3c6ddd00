use crate::check::report::Report;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: an input that the plugin or the called flow does not have.
    ///
    /// ```yaml
    /// lookup:
    ///   use: orders/lookup@1
    ///   with: { order_no: "20260302", fone: "${call.from}" }   # it is called phone
    ///   then: { else: bye }
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// lookup:
    ///   use: orders/lookup@1
    ///   with: { order_no: "20260302", phone: "${call.from}" }
    ///   then: { else: bye }
    /// ```
    UNKNOWN_INPUT = "unknown-input", Error, "a step does not take this", "未知的输入"
}

pub(crate) fn unknown(
    report: &mut Report<'_>,
    at: Span,
    name: &str,
    what: &Text,
    meant: Option<&str>,
    names: &[String],
) {
    let _done = report
        .find(
            &UNKNOWN_INPUT,
            at,
            text!("{what} has no input `{name}`", "{what} 没有输入 `{name}`"; what),
        )
        .did_you_mean(at, meant, names);
}

/// Of what is read as it was meant.
pub(crate) fn misspelt(report: &mut Report<'_>, at: Span, name: &str, what: &Text, meant: &str) {
    let message = text!("{what} has no input `{name}`", "{what} 没有输入 `{name}`"; what);
    let _done = report.find(&UNKNOWN_INPUT, at, message).did_you_mean(at, Some(meant), &[]);
}
