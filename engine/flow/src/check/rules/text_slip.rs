use crate::check::report::{Found, Report};
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: braces in a spoken text that insert nothing, such as `{name}`, `$ {name}`, `$name}`, `%{name}` or `{% if … %}`: nobody says
    /// braces, so a value was meant to stand there. So are `$name`, `$(name)` and `%name%` where `name` is a variable of the flow. Texts for a
    /// chat (`chat:`) may have any braces. In a value, as of `tag:`, `attach:` and `set:`, `{name}` is told where `name` is a variable of the
    /// flow. Full-width braces, as in `$｛name｝`, are told as well.
    ///
    /// ```yaml
    /// vars: { name: { type: text, default: Ada } }
    /// greet:
    ///   - say: Hello {name}.
    ///   - goto: bye
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// vars: { name: { type: text, default: Ada } }
    /// greet:
    ///   - say: Hello ${name}.
    ///   - goto: bye
    /// ```
    TEXT_SLIP = "text-slip", Warning, "braces in a spoken text that insert nothing", "朗读文本中没有插入任何值的花括号"
}

pub(crate) fn braces(report: &mut Report<'_>, at: Span, written: &str) {
    slip(report, at, written).help(text!(
            "a value is inserted by `${{ … }}`, such as `${{call.from | phone}}`; leave other braces out",
            "插入值请写 `${{ … }}`，例如 `${{call.from | phone}}`；其他花括号请去掉"
        ));
}

fn slip<'r, 'a>(report: &'r mut Report<'a>, at: Span, written: &str) -> Found<'r, 'a> {
    report.find(
        &TEXT_SLIP,
        at,
        text!(
            "`{written}` inserts nothing: it is said as it stands",
            "`{written}` 没有插入任何值，会原样读出"
        ),
    )
}

/// Of a variable's name in braces, in a value that is kept.
pub(crate) fn kept(
    report: &mut Report<'_>,
    at: Span,
    (written, path): (&str, &str),
    certain: bool,
) {
    let message = text!(
        "`{written}` inserts nothing: the value is `{written}` as it stands",
        "`{written}` 没有插入任何值，值就是 `{written}` 这几个字符"
    );
    let found = report.find(&TEXT_SLIP, at, message);
    let found = found.help(text!("write `${{{path}}}`", "请写 `${{{path}}}`"));
    if certain {
        let _done = found.fix(at, format!("${{{path}}}"));
    }
}

/// Of an insertion as another language writes it.
pub(crate) fn foreign(
    report: &mut Report<'_>,
    at: Span,
    (written, path): (&str, &str),
    certain: bool,
) {
    let found = slip(report, at, written).help(text!("write `${{{path}}}`", "请写 `${{{path}}}`"));
    if certain {
        let _done = found.fix(at, format!("${{{path}}}"));
    }
}
