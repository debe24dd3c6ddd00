use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: a map or a list where a key is expected, often the rest of an unquoted brace.
    ///
    /// ```yaml
    /// note:
    ///   - tag: { { topic }: refund }
    ///   - goto: bye
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// note:
    ///   - tag: { topic: refund }
    ///   - goto: bye
    /// ```
    YAML_KEY = "yaml-key", Error, "a key that is not a name", "键不是名字"
}

pub(crate) fn complex_key(report: &mut Report<'_>, at: Span) {
    report
        .find(
            &YAML_KEY,
            at,
            text!(
                "a key must be a name, not a map or a list",
                "键必须是名字，不能是映射或列表"
            ),
        )
        .help(text!(
            "a text with braces or brackets needs quotes",
            "含括号的文本需要引号"
        ));
}
