use crate::check::report::Report;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: an input that the plugin or the called flow does not have.
    ///
    /// ```yaml
    /// with: { order_number: "${order_no}" }   # it is called order_no
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
