use crate::check::report::Report;
use crate::check::suggest::{nearest, plain};
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: a line under `then:` for an outcome that the step does not have, or a value that a `switch:` never
    /// sees.
    ///
    /// ```yaml
    /// lookup:
    ///   use: orders/lookup@1
    ///   with: { order_no: "20260302" }
    ///   as: order
    ///   then: { found: status, else: bye }
    /// status:
    ///   switch: order.status
    ///   then:
    ///     shiped: [ { say: It is on its way. }, { goto: bye } ]
    ///     else: bye
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// lookup:
    ///   use: orders/lookup@1
    ///   with: { order_no: "20260302" }
    ///   as: order
    ///   then: { found: status, else: bye }
    /// status:
    ///   switch: order.status
    ///   then:
    ///     shipped: [ { say: It is on its way. }, { goto: bye } ]
    ///     else: bye
    /// ```
    UNKNOWN_OUTCOME = "unknown-outcome", Error, "an outcome that never happens", "不存在的结果"
}

pub(crate) fn unknown(
    report: &mut Report<'_>,
    at: Span,
    name: &str,
    verb: Span,
    names: &[String],
    meant: Option<&str>,
) {
    let all = plain(names);
    let _done = report
        .find(
            &UNKNOWN_OUTCOME,
            at,
            text!(
                "this step never ends with `{name}`",
                "此步骤没有结果 `{name}`"
            ),
        )
        .label(verb, text!("its outcomes are: {all}", "它的结果有：{all}"; all))
        .did_you_mean(at, meant, names);
}

pub(crate) fn value(
    report: &mut Report<'_>,
    (at, name): (Span, &str),
    meant: Option<&str>,
    switch: Span,
    names: &[String],
) {
    let all = plain(names);
    let _done = report
        .find(
            &UNKNOWN_OUTCOME,
            at,
            text!("this value is never `{name}`", "这个值不会是 `{name}`"),
        )
        .label(switch, text!("it can be: {all}", "可能的值：{all}"; all))
        .did_you_mean(at, meant, names);
}

/// Of several lines of a `switch` whose values it never has; `meant` is the place of their names, and what is to stand there.
pub(crate) fn values(
    report: &mut Report<'_>,
    at: Span,
    written: &[String],
    switch: Span,
    names: &[String],
    meant: Option<(Span, String)>,
) {
    let (never, all) = (plain(written), plain(names));
    let found = report
        .find(
            &UNKNOWN_OUTCOME,
            at,
            text!("this value is never one of {never}", "这个值不会是其中任何一个：{never}"; never),
        )
        .label(switch, text!("it can be: {all}", "可能的值：{all}"; all))
        .help(text!("write the values that there are: {all}", "请写它会有的值：{all}"; all));
    if let Some((place, meant)) = meant {
        let _done = found.fix(place, meant);
    }
}

/// Of a number that is written otherwise than a `switch` on numbers has it.
pub(crate) fn number(report: &mut Report<'_>, at: Span, name: &str, meant: Option<&str>) {
    let message = text!("this value is never `{name}`", "这个值不会是 `{name}`");
    let found = report.find(&UNKNOWN_OUTCOME, at, message);
    let _done = match meant {
        Some(meant) => found.means(at, meant),
        None => found.help(text!(
            "it is a number, such as `2` or `2.5`",
            "它是数字，例如 `2` 或 `2.5`"
        )),
    };
}

pub(crate) fn of_flow(report: &mut Report<'_>, at: Span, name: &str, names: &[String]) {
    let meant = nearest(name, names.iter().map(String::as_str));
    let found = report.find(
        &UNKNOWN_OUTCOME,
        at,
        text!(
            "this flow has no outcome `{name}`",
            "此流程没有结果 `{name}`"
        ),
    );
    let _done = if names.is_empty() {
        found.help(text!(
            "declare it at the top: `outcomes: [{name}]`",
            "请在顶部声明：`outcomes: [{name}]`"
        ))
    } else {
        found.did_you_mean(at, meant, names)
    };
}

/// Of a line of a `switch` that is read as `else:`.
pub(crate) fn value_else(report: &mut Report<'_>, at: Span, name: &str) {
    let message = text!("this value is never `{name}`", "这个值不会是 `{name}`");
    let _done = report
        .find(&UNKNOWN_OUTCOME, at, message)
        .did_you_mean(at, Some("else"), &[]);
}

/// Of a line that is read as `else:`.
pub(crate) fn misspelt_else(report: &mut Report<'_>, at: Span, name: &str) {
    let message = text!(
        "this step never ends with `{name}`",
        "此步骤没有结果 `{name}`"
    );
    let _done = report
        .find(&UNKNOWN_OUTCOME, at, message)
        .did_you_mean(at, Some("else"), &[]);
}

/// Of a mock: what is mocked never ends so.
pub(crate) fn mocked(report: &mut Report<'_>, at: Span, name: &str, mocked: &str, meant: Option<&str>, names: &[String]) {
    let message = text!("`{mocked}` never ends with `{name}`", "`{mocked}` 没有结果 `{name}`");
    let _done = report
        .find(&UNKNOWN_OUTCOME, at, message)
        .did_you_mean(at, meant, names);
}

/// Of a reason for hanging up that is misspelt, as several tests agree.
pub(crate) fn defined(report: &mut Report<'_>, at: Span, name: &str, meant: &str) {
    let message = text!(
        "no test expects `{name}`, and several expect `{meant}`, with which this flow never ends",
        "没有测试期待 `{name}`，而有几个测试期待 `{meant}`，此流程没有这种结束方式"
    );
    let _done = report
        .find(&UNKNOWN_OUTCOME, at, message)
        .agreed(at, meant);
}

/// Of what a test says of the end.
pub(crate) fn ends(report: &mut Report<'_>, at: Span, name: &str, meant: &str) {
    let message = text!("this flow never ends with `{name}`", "此流程没有结束方式 `{name}`");
    let _done = report
        .find(&UNKNOWN_OUTCOME, at, message)
        .did_you_mean(at, Some(meant), &[]);
}

/// Of one that a flow declares and never returns, while it returns what is nearly so called.
pub(crate) fn declared(report: &mut Report<'_>, at: Span, name: &str, meant: &str) {
    let message = text!(
        "no `return:` names the outcome `{name}`, and `{meant}` is returned without being declared",
        "没有 `return:` 返回结果 `{name}`，而返回的 `{meant}` 没有声明"
    );
    let _done = report
        .find(&UNKNOWN_OUTCOME, at, message)
        .agreed(at, meant);
}
