use crate::check::report::Report;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: an action after which nothing comes. The contact would fall off the end of the flow, and the caller would hear
    /// nothing more.
    ///
    /// ```yaml
    /// start:
    ///   say: Hello.
    /// ```
    ///
    /// Write `then:`, or end the call:
    ///
    /// ```yaml
    /// start:
    ///   - say: Hello.
    ///   - hangup: completed
    /// ```
    DEAD_END = "dead-end", Error, "the flow ends in the middle", "流程中途断开"
}

pub(crate) fn dead(report: &mut Report<'_>, at: Span, what: Text) {
    report
        .find(
            &DEAD_END,
            at,
            text!("nothing comes after {what}", "{what} 之后没有去向"; what),
        )
        .here(text!("the call falls off the end here", "电话在此中断"))
        .help(text!(
            "add `then:`, or end with `hangup:` or `return:`",
            "请添加 `then:`，或以 `hangup:`、`return:` 结束"
        ));
}
