use crate::check::report::Report;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: a line, or a line with what belongs to it, that stands too far right or too far left, so that it belongs to
    /// something else than it was meant to. What follows from that is not told as well.
    ///
    /// It is told when moving it mends everything that is wrong with it. So it is looked for in files up to 64 KiB.
    ///
    /// ```yaml
    /// start:
    ///   menu: For help, press one.
    ///   press:
    ///     1: bye
    ///     then: { no_input: bye, no_match: bye }
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// start:
    ///   menu: For help, press one.
    ///   press:
    ///     1: bye
    ///   then: { no_input: bye, no_match: bye }
    /// ```
    YAML_INDENT = "yaml-indent", Error, "a line that stands too far right or left", "缩进多了或少了的行"
}

/// Of a line whose text at `at` is `name`: it is to begin `by` columns further right, or left where that is negative, under the
/// line that is `under`, or at the margin. `fix` is the place and the text of the lines as they were meant.
pub(crate) fn indent(
    report: &mut Report<'_>,
    (at, name): (Span, &str),
    by: isize,
    under: Option<&str>,
    fix: (Span, String),
) {
    let columns = by.unsigned_abs();
    let many = match columns {
        1 => "one column".to_owned(),
        2 => "two columns".to_owned(),
        3 => "three columns".to_owned(),
        _ => format!("{columns} columns"),
    };
    let (side, more) = match by < 0 {
        true => ("right", "多"),
        false => ("left", "少"),
    };
    let belongs = match under {
        Some(under) => text!("it belongs under `{under}`", "应在 `{under}` 之下"),
        None => Text::fixed("it belongs at the margin", "应从行首开始"),
    };
    let message = text!(
        "`{name}` stands {many} too far {side}: {belongs}",
        "`{name}` {more}缩进了 {columns} 格：{belongs}";
        belongs
    );
    let help = text!(
        "what stands below a line and further right belongs to it",
        "写在一行之下且更靠右的内容属于该行"
    );
    report
        .find(&YAML_INDENT, at, message)
        .help(help)
        .fix(fix.0, fix.1);
}
