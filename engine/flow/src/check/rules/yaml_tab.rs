use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: a tab among the blanks that begin a line. YAML does not say how wide a tab is, so it
    /// forbids it there.
    ///
    /// ```yaml
    /// flow: welcome
    /// format: 1
    /// steps:
    /// 	start: { hangup: done }
    /// ```
    ///
    /// Write blanks, two for each level, and tell your editor to do so.
    ///
    /// ```yaml
    /// flow: welcome
    /// format: 1
    /// steps:
    ///   start: { hangup: done }
    /// ```
    YAML_TAB = "yaml-tab", Error, "a tab where YAML wants blanks", "YAML 缩进中出现了制表符"
}

pub(crate) fn tab(report: &mut Report<'_>, at: Span) {
    report
        .find(
            &YAML_TAB,
            at,
            text!("a tab cannot indent a line", "不能用制表符缩进"),
        )
        .here(text!("a tab", "制表符"))
        .help(text!(
            "use blanks, two for each level",
            "请用空格，每级两个"
        ))
        .fix(at, "  ".repeat((at.end - at.start).max(1)));
}
