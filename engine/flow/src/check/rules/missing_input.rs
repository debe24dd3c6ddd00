use crate::check::report::Report;
use crate::check::suggest::shown;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: an input that the plugin or the called flow cannot do without.
    ///
    /// ```yaml
    /// lookup:
    ///   use: orders/lookup@1
    ///   with: { phone: "${call.from}" }
    ///   then: { else: bye }
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// lookup:
    ///   use: orders/lookup@1
    ///   with: { phone: "${call.from}", order_no: "20260302" }
    ///   then: { else: bye }
    /// ```
    MISSING_INPUT = "missing-input", Error, "a step lacks what it needs", "缺少必需的输入"
}

pub(crate) fn missing(report: &mut Report<'_>, at: Span, what: &Text, names: &[String]) {
    let list = shown(names);
    let first = names.first().map(String::as_str).unwrap_or_default();
    report
        .find(
            &MISSING_INPUT,
            at,
            text!("{what} needs {list}", "{what} 需要 {list}"; what, list),
        )
        .help(text!("add `{first}: …`", "请添加 `{first}: …`"));
}
