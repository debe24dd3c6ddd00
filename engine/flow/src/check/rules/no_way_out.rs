use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: a step from which no path leads to a person, a goodbye (`hangup:`), a `return:` or another flow. The caller can only
    /// go in circles until they give up.
    ///
    /// ```yaml
    /// main:
    ///   menu: For an order press 1.
    ///   press: { 1: orders }
    ///   then: { no_input: orders, no_match: orders }
    /// orders:
    ///   call: order-status
    ///   then: { else: main }
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// main:
    ///   menu: For an order press 1.
    ///   press: { 1: orders }
    ///   then: { no_input: bye, no_match: bye }
    /// orders:
    ///   call: order-status
    ///   then: { else: main }
    /// ```
    NO_WAY_OUT = "no-way-out", Error, "no way to a person or a goodbye", "走不到人工或告别"
}

pub(crate) fn stuck(report: &mut Report<'_>, at: Span, step: &str) {
    report
        .find(
            &NO_WAY_OUT,
            at,
            text!(
                "from `{step}` no way leads to a person, a goodbye or a return",
                "从 `{step}` 走不到人工、告别或返回"
            ),
        )
        .help(text!(
            "add a key or an outcome that leads out, such as `0: operator`",
            "请添加一条出路，例如 `0: operator`"
        ));
}
