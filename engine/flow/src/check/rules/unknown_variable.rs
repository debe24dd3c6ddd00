use crate::check::report::Report;
use crate::check::suggest::shown;
use crate::diagnostic::text;
use crate::expr::Span;
use crate::plan::Template;
use crate::value::Value;

rule! {
    /// What it finds: a name in an expression that is no input, no variable, no `as:` or `into:` of this flow, and none of the names
    /// that are always there: `call` and `now`.
    ///
    /// ```yaml
    /// vars: { tries: { type: number, default: 0 } }
    /// check:
    ///   - set: { tries: "${tries + 1}" }
    ///   - if: trys < 3
    ///     then: bye
    ///     else: bye
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// vars: { tries: { type: number, default: 0 } }
    /// check:
    ///   - set: { tries: "${tries + 1}" }
    ///   - if: tries < 3
    ///     then: bye
    ///     else: bye
    /// ```
    UNKNOWN_VARIABLE = "unknown-variable", Error, "there is no such variable", "没有这个变量"
}

pub(crate) fn unknown(
    report: &mut Report<'_>,
    at: Span,
    name: &str,
    meant: Option<&str>,
    names: &[String],
) {
    let _done = report
        .find(
            &UNKNOWN_VARIABLE,
            at,
            text!(
                "there is no variable called `{name}`",
                "没有名为 `{name}` 的变量"
            ),
        )
        .did_you_mean(at, meant, names);
}

/// How to declare a variable that is told already: one that is set to this and nowhere declared, as others are.
pub(crate) fn undeclared(
    report: &mut Report<'_>,
    at: Span,
    name: &str,
    value: &Template,
    others: &[String],
) {
    let (ty, default) = match value {
        Template::Literal(Value::Number(_)) | Template::Expr(_) => ("number", "0"),
        Template::Literal(Value::Bool(_)) => ("bool", "false"),
        // What no type reads is kept as it is written.
        Template::Literal(Value::Text(text)) if text.parse::<f64>().is_ok() => ("number", "0"),
        Template::Literal(Value::Text(text)) if matches!(text.as_str(), "true" | "false") => {
            ("bool", "false")
        }
        _ => ("text", "\"\""),
    };
    let sample = format!("{name}: {{ type: {ty}, default: {default} }}");
    let help = match others.is_empty() {
        true => text!(
            "declare it under `vars:`, such as `{sample}`",
            "请在 `vars:` 下声明，例如 `{sample}`"
        ),
        false => {
            let there = shown(others);
            text!(
                "declare it under `vars:`, such as `{sample}`; there are: {there}",
                "请在 `vars:` 下声明，例如 `{sample}`；已有：{there}";
                there,
            )
        }
    };
    report.advise(UNKNOWN_VARIABLE.slug, at, help);
}

/// Of a declared variable that nothing uses, while what is nearly so called is used and not declared.
pub(crate) fn declared(report: &mut Report<'_>, at: Span, name: &str, meant: &str) {
    let message = text!(
        "nothing uses the variable `{name}`, and `{meant}` is used without being declared",
        "没有用到变量 `{name}`，而用到的 `{meant}` 没有声明"
    );
    let _done = report
        .find(&UNKNOWN_VARIABLE, at, message)
        .agreed(at, meant);
}

/// Of a result that is kept under a name that nothing reads, while what is nearly so called has no value.
pub(crate) fn unread(report: &mut Report<'_>, at: Span, name: &str, meant: &str) {
    let message = text!(
        "nothing reads `{name}`, and `{meant}` lacks its value",
        "没有用到 `{name}`，而 `{meant}` 缺少值"
    );
    let _done = report
        .find(&UNKNOWN_VARIABLE, at, message)
        .agreed(at, meant);
}
