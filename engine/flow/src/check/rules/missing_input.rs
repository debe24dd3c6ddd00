use crate::check::report::Report;
use crate::check::suggest::shown;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: an input that the plugin or the called flow cannot do without. A flow with such an input cannot be gone to by
    /// `flow:NAME`, nor by a line of `routes.yaml`: nobody gives it anything there. Let a flow `call:` it, or give the input a
    /// default. A test of such a flow gives it in `given: { inputs: … }`.
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

/// A flow that is gone to for good, which gives it nothing.
pub(crate) fn left_for(report: &mut Report<'_>, at: Span, flow: &str, names: &[String]) {
    let list = shown(names);
    report
        .find(
            &MISSING_INPUT,
            at,
            text!(
                "the flow `{flow}` needs {list}, and `flow:{flow}` gives it nothing",
                "流程 `{flow}` 需要 {list}，而 `flow:{flow}` 不提供任何输入";
                list,
            ),
        )
        .help(text!(
            "use `call: {flow}` with `with:`, or give the input a default in `{flow}`",
            "请改用 `call: {flow}` 和 `with:`，或在 `{flow}` 里给该输入一个默认值"
        ));
}

/// A test that begins a flow without its inputs.
pub(crate) fn tested(report: &mut Report<'_>, at: Span, names: &[String]) {
    let list = shown(names);
    let first = names.first().map(String::as_str).unwrap_or_default();
    report
        .find(
            &MISSING_INPUT,
            at,
            text!(
                "this test begins a flow that needs {list}",
                "此测试所开始的流程需要 {list}";
                list,
            ),
        )
        .help(text!(
            "add `given: {{ inputs: {{ {first}: … }} }}`",
            "请添加 `given: {{ inputs: {{ {first}: … }} }}`"
        ));
}
