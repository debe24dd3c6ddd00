use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: a text without quotes that a ` #` ends. To YAML a `#` after a blank begins a comment, so
    /// the caller would never hear the rest.
    ///
    /// ```yaml
    /// tell:
    ///   - say: Please dial extension #5 now.
    ///   - goto: bye
    /// ```
    ///
    /// Write quotes:
    ///
    /// ```yaml
    /// tell:
    ///   - say: "Please dial extension #5 now."
    ///   - goto: bye
    /// ```
    ///
    /// A comment that is meant has a blank after its `#`.
    ///
    /// Also `#:` among the keys of a `press:`, with a target behind it: that line is a comment, and the key would do nothing. Its name is
    /// `hash`.
    YAML_CUT = "yaml-cut", Error, "a `#` cuts a text short", "`#` 截断了文本"
}

pub(crate) fn cut_by_comment(report: &mut Report<'_>, at: Span) {
    report
        .find(
            &YAML_CUT,
            at,
            text!(
                "the text before this is cut short: ` #` begins a comment",
                "前面的文本被截断：` #` 表示注释开始"
            ),
        )
        .here(text!("nobody will hear this", "这部分不会被读出"))
        .help(text!(
            "put the whole text into quotes; a comment needs a blank after its `#`",
            "把整段文本放进引号；注释的 `#` 后要有空格"
        ));
}

/// Of the `#` at `at`, up to its colon, that was meant for a key of a `press:`.
pub(crate) fn hash_key(report: &mut Report<'_>, at: Span) {
    report
        .find(
            &YAML_CUT,
            at,
            text!(
                "`#` is no key in YAML: it begins a comment",
                "YAML 中 `#` 不能作键：它表示注释开始"
            ),
        )
        .help(text!("write `hash`", "请写 `hash`"))
        .fix(at, "hash");
}
