use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: braces around a condition. `if:`, `when:`, `switch:` and `valid:` take a bare expression; braces insert a value
    /// into a text.
    ///
    /// ```yaml
    /// check:
    ///   if: ${call.priority > 50}
    ///   then: bye
    ///   else: bye
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// check:
    ///   if: call.priority > 50
    ///   then: bye
    ///   else: bye
    /// ```
    BRACES_IN_EXPRESSION = "braces-in-expression", Error, "`${ }` around a condition", "条件外多了 `${ }`"
}

pub(crate) fn braces(report: &mut Report<'_>, at: Span, key: &str, bare: Option<&str>) {
    let found = report.find(
        &BRACES_IN_EXPRESSION,
        at,
        text!(
            "`{key}` takes a bare expression, without `${{ }}`",
            "`{key}` 直接写表达式，不要 `${{ }}`"
        ),
    );
    if let Some(bare) = bare {
        let _done = found
            .help(text!("write it without the braces", "去掉花括号"))
            .fix(at, bare);
    }
}
