use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: bytes that are not UTF-8, as in a file saved as GBK or Latin-1. Guessing would give callers
    /// wrong words.
    ///
    /// This page cannot hold such bytes, so that they are written here as `\xHH`: `你好` saved as GBK.
    ///
    /// ```yaml
    /// greet:
    ///   - say: \xC4\xE3\xBA\xC3
    ///   - goto: bye
    /// ```
    ///
    /// Save the file as UTF-8:
    ///
    /// ```yaml
    /// greet:
    ///   - say: 你好
    ///   - goto: bye
    /// ```
    YAML_ENCODING = "yaml-encoding", Error, "the file is not UTF-8", "文件不是 UTF-8 编码"
}

pub(crate) fn not_utf8(report: &mut Report<'_>, at: Span) {
    report
        .find(
            &YAML_ENCODING,
            at,
            text!(
                "from here on the file is not UTF-8",
                "从此处开始不是 UTF-8 编码"
            ),
        )
        .help(text!("save the file as UTF-8", "请把文件另存为 UTF-8"));
}
