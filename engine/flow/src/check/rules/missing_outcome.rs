use crate::check::report::Report;
use crate::check::suggest::{plain, shown};
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: an outcome of a step that can happen and has no line of its own and no `else:`. For `error` and
    /// `timeout` a line under `global: { error: … }` is enough.
    ///
    /// A caller who meets that outcome would be dropped.
    ///
    /// ```yaml
    /// lookup:
    ///   use: orders/lookup@1
    ///   with: { order_no: "20260302" }
    ///   then:
    ///     found: bye
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// lookup:
    ///   use: orders/lookup@1
    ///   with: { order_no: "20260302" }
    ///   then:
    ///     found: bye
    ///     not_found: [ { say: I can't find that order. }, { goto: bye } ]
    ///     else: bye
    /// ```
    MISSING_OUTCOME = "missing-outcome", Error, "an outcome that leads nowhere", "有结果没有去向"
}

pub(crate) fn missing(
    report: &mut Report<'_>,
    at: Span,
    verb: (Span, &[String]),
    missing: &[String],
) {
    let names = shown(missing);
    let (verb, all) = verb;
    let all = plain(all);
    let first = missing.first().map(String::as_str).unwrap_or_default();
    report
        .find(
            &MISSING_OUTCOME,
            at,
            text!(
                "where does the call go on {names}?",
                "{names} 时电话去哪里？";
                names,
            ),
        )
        .here(text!("not covered here", "此处未覆盖"))
        .label(verb, text!("its outcomes are: {all}", "它的结果有：{all}"; all))
        .help(text!(
            "add `{first}:`, or `else:` for everything left",
            "请添加 `{first}:`，或用 `else:` 覆盖其余结果"
        ));
}

pub(crate) fn otherwise(report: &mut Report<'_>, at: Span, what: Text) {
    report
        .find(
            &MISSING_OUTCOME,
            at,
            text!(
                "where does the call go when {what}?",
                "{what}时电话去哪里？";
                what,
            ),
        )
        .help(text!("add `else:`", "请添加 `else:`"));
}
