use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: a place-holder of a documentation or a template that is left as it was.
    ///
    /// ```yaml
    /// desk:
    ///   queue: <name>
    ///   meanwhile: { music: audio/hold.wav }
    ///   then: { else: bye }
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// desk:
    ///   queue: general
    ///   meanwhile: { music: audio/hold.wav }
    ///   then: { else: bye }
    /// ```
    PLACEHOLDER = "placeholder", Error, "a place-holder that nobody has filled in", "占位符没有替换"
}

pub(crate) fn left(report: &mut Report<'_>, at: Span, written: &str) {
    let inner = written.trim_matches(['<', '>']);
    report
        .find(
            &PLACEHOLDER,
            at,
            text!(
                "`{written}` is a place-holder",
                "`{written}` 是占位符"
            ),
        )
        .help(text!(
            "write your own `{inner}` in its place, without `<` and `>`",
            "请换成你自己的内容（`{inner}`），不要写 `<` 和 `>`"
        ));
}
