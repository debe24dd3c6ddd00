use crate::check::report::Report;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: a variable that is read on a path on which nothing has given it a value. An `as:` has one only after an outcome that
    /// carries data: not after `error` or `timeout`.
    ///
    /// ```yaml
    /// lookup:
    ///   use: orders/lookup@1
    ///   with: { order_no: "20260302" }
    ///   as: order
    ///   then: { found: tell, else: tell }
    /// tell:
    ///   - say: "${order.status_text}"
    ///   - goto: bye
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// lookup:
    ///   use: orders/lookup@1
    ///   with: { order_no: "20260302" }
    ///   as: order
    ///   then: { found: tell, else: bye }
    /// tell:
    ///   - say: "${order.status_text}"
    ///   - goto: bye
    /// ```
    ///
    /// The help shows the path. Lead it elsewhere, or give the variable a default under `vars:`.
    ///
    /// An `ask:` has its answer only once one was given: under the name of `into:`, and as `value`, in `confirm:` and `valid:`, and not in
    /// `short:` or `reprompt:`, which are said when nothing that fits was heard.
    UNASSIGNED_VARIABLE = "unassigned-variable", Error, "a variable that may have no value yet", "变量可能尚未赋值"
}

pub(crate) fn unassigned(
    report: &mut Report<'_>,
    at: Span,
    name: &str,
    path: &str,
    assigned: Option<Span>,
) {
    let mut found = report
        .find(
            &UNASSIGNED_VARIABLE,
            at,
            text!(
                "`{name}` has no value when the call comes this way",
                "电话走到这里时 `{name}` 可能没有值"
            ),
        )
        .help(text!("the way: {path}", "路径：{path}"));
    if let Some(assigned) = assigned {
        found = found.label(
            assigned,
            text!("it gets its value only here", "只在这里赋值"),
        );
    }
    drop(found);
}

pub(crate) fn never(report: &mut Report<'_>, at: Span, name: &str, declared: Option<Span>) {
    let mut found = report
        .find(
            &UNASSIGNED_VARIABLE,
            at,
            text!("nothing ever gives `{name}` a value", "`{name}` 从未被赋值"),
        )
        .help(text!(
            "give it a default under `vars:`, or `set:` it before",
            "请在 `vars:` 下给默认值，或事先 `set:`"
        ));
    if let Some(declared) = declared {
        found = found.label(
            declared,
            text!("declared without a default", "声明时没有默认值"),
        );
    }
    drop(found);
}

/// In the prompt `apology`.
pub(crate) fn in_apology(report: &mut Report<'_>, at: Span, name: &str) {
    report
        .find(
            &UNASSIGNED_VARIABLE,
            at,
            text!(
                "`{name}` may have no value when the apology is said",
                "说出道歉提示时 `{name}` 可能没有值"
            ),
        )
        .help(text!(
            "it is said wherever something fails: give `{name}` a default under `vars:`, or leave it out",
            "任何地方出错都会说这条提示：请在 `vars:` 下给 `{name}` 默认值，或不用它"
        ));
}

/// A name that a step gives a value in other inputs than this one.
pub(crate) fn elsewhere(report: &mut Report<'_>, at: Span, name: &str, inputs: &[String]) {
    let quoted = |and: &str| {
        let names: Vec<String> = inputs.iter().map(|input| format!("`{input}`")).collect();
        names.join(and)
    };
    let (and, comma) = (quoted(" and "), quoted("、"));
    report
        .find(
            &UNASSIGNED_VARIABLE,
            at,
            text!("`{name}` has no value here", "`{name}` 在这里没有值"),
        )
        .help(Text::both(
            format!("the step gives `{name}` a value in {and} only"),
            format!("此步骤只在 {comma} 中给 `{name}` 赋值"),
        ));
}
