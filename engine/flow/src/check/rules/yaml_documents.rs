use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: a second document after `---`. A file is one flow; whatever follows would not be read.
    ///
    /// ```yaml
    /// flow: welcome
    /// format: 1
    /// steps: { start: { hangup: done } }
    /// ---
    /// flow: goodbye
    /// format: 1
    /// steps: { start: { hangup: done } }
    /// ```
    ///
    /// Put the second flow into a file of its own.
    ///
    /// ```yaml
    /// flow: welcome
    /// format: 1
    /// steps: { start: { hangup: done } }
    /// ```
    YAML_DOCUMENTS = "yaml-documents", Error, "several documents in one file", "一个文件里有多个文档"
}

pub(crate) fn several_documents(report: &mut Report<'_>, at: Span) {
    report
        .find(
            &YAML_DOCUMENTS,
            at,
            text!(
                "a second document begins here; a file is one flow",
                "此处开始了第二个文档；一个文件只能有一个流程"
            ),
        )
        .help(text!("put it into a file of its own", "请放到单独的文件中"));
}

pub(crate) fn directive(report: &mut Report<'_>, at: Span) {
    report
        .find(
            &YAML_DOCUMENTS,
            at,
            text!(
                "YAML directives (`%`) are not part of the flow language",
                "流程语言不支持 YAML 指令（`%`）"
            ),
        )
        .help(text!(
            "remove the line; a text that begins with `%` needs quotes",
            "请删除该行；以 `%` 开头的文本需要引号"
        ));
}
