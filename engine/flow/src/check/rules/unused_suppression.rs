use crate::check::report::Report;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: `# strowger: allow(RULE) reason` where the rule finds nothing, names no rule, or gives no reason. Left in place it would
    /// hide the next real finding.
    ///
    /// ```yaml
    /// lookup: # strowger: allow(dead-air) legacy system, replaced in May
    ///   use: orders/lookup@1
    ///   with: { order_no: "20260302" }
    ///   timeout: 5s
    ///   then: { else: bye }
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// lookup: # strowger: allow(dead-air) legacy system, replaced in May
    ///   use: orders/lookup@1
    ///   with: { order_no: "20260302" }
    ///   timeout: 9s
    ///   then: { else: bye }
    /// ```
    UNUSED_SUPPRESSION = "unused-suppression", Warning, "a suppression that suppresses nothing", "无效的抑制"
}

pub(crate) fn nothing(report: &mut Report<'_>, at: Span, rule: &str) {
    report
        .find(
            &UNUSED_SUPPRESSION,
            at,
            text!(
                "there is no `{rule}` here to allow",
                "此处没有可抑制的 `{rule}`"
            ),
        )
        .help(text!("remove the comment", "请删除该注释"));
}

pub(crate) fn malformed(report: &mut Report<'_>, at: Span) {
    report
        .find(
            &UNUSED_SUPPRESSION,
            at,
            text!(
                "this suppression is not understood, and suppresses nothing",
                "无法理解这条抑制，不起作用"
            ),
        )
        .help(text!(
            "write `# strowger: allow(RULE) the reason`",
            "请写 `# strowger: allow(规则) 原因`"
        ));
}

pub(crate) fn unknown(report: &mut Report<'_>, at: Span, rule: &str, meant: Option<&str>) {
    let found = report.find(
        &UNUSED_SUPPRESSION,
        at,
        text!("there is no rule `{rule}`", "没有规则 `{rule}`"),
    );
    if let Some(meant) = meant {
        let _done = found.help(Text::did_you_mean(meant));
    }
}

pub(crate) fn reasonless(report: &mut Report<'_>, at: Span, rule: &str) {
    report
        .find(
            &UNUSED_SUPPRESSION,
            at,
            text!("why is `{rule}` allowed here?", "为什么允许 `{rule}`？"),
        )
        .help(text!(
            "add the reason after the bracket: `# strowger: allow({rule}) the reason`",
            "请在括号后写明原因"
        ));
}
