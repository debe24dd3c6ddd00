use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: `!tag` before a value. In a flow the field says what a value is.
    ///
    /// ```yaml
    /// greet:
    ///   - say: !greeting Hello.
    ///   - goto: bye
    /// ```
    ///
    /// Leave the tag out. A text that begins with `!` needs quotes.
    ///
    /// ```yaml
    /// greet:
    ///   - say: Hello.
    ///   - goto: bye
    /// ```
    YAML_TAG = "yaml-tag", Error, "tags are not part of the language", "不支持标签"
}

pub(crate) fn tag(report: &mut Report<'_>, at: Span) {
    report
        .find(
            &YAML_TAG,
            at,
            text!(
                "tags (`!`) are not part of the flow language",
                "流程语言不支持标签（`!`）"
            ),
        )
        .help(text!(
            "leave the tag out; a text that begins with `!` needs quotes",
            "请去掉标签；以 `!` 开头的文本需要引号"
        ));
}
