use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: `&name` and `*name`. A flow is read by people top to bottom; what an alias stands for
    /// would have to be looked up, and would change in two places at once.
    ///
    /// ```yaml
    /// greet:
    ///   - say: &hello Hello.
    ///   - goto: bye
    /// ```
    ///
    /// Give the thing a name of its own (a step, a prompt) and use that name twice. A text that begins with
    /// `&` or `*` needs quotes.
    ///
    /// ```yaml
    /// prompts: { hello: Hello. }
    /// greet:
    ///   - say: hello
    ///   - say: hello
    ///   - goto: bye
    /// ```
    YAML_ANCHOR = "yaml-anchor", Error, "anchors and aliases are not part of the language", "不支持锚点和别名"
}

pub(crate) fn anchor(report: &mut Report<'_>, at: Span) {
    report
        .find(
            &YAML_ANCHOR,
            at,
            text!(
                "anchors (`&`) are not part of the flow language",
                "流程语言不支持锚点（`&`）"
            ),
        )
        .help(text!(
            "name a step or a prompt and use its name; a text that begins with `&` needs quotes",
            "请用步骤或提示的名字；以 `&` 开头的文本需要引号"
        ));
}

pub(crate) fn alias(report: &mut Report<'_>, at: Span) {
    report
        .find(
            &YAML_ANCHOR,
            at,
            text!(
                "aliases (`*`) are not part of the flow language",
                "流程语言不支持别名（`*`）"
            ),
        )
        .help(text!(
            "name a step or a prompt and use its name; a text that begins with `*` needs quotes",
            "请用步骤或提示的名字；以 `*` 开头的文本需要引号"
        ));
}
