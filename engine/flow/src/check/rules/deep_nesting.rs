use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: an inline list more than two deep. Nobody can follow it any more.
    ///
    /// ```yaml
    /// check:
    ///   if: call.channel == "voice"
    ///   then:
    ///     - if: call.priority > 50
    ///       then:
    ///         - if: call.language == "en"
    ///           then: [ { say: One moment please. }, { goto: bye } ]
    ///           else: bye
    ///       else: bye
    ///   else: bye
    /// ```
    ///
    /// Give the inner list a step name of its own and go there.
    ///
    /// ```yaml
    /// check:
    ///   if: call.channel == "voice"
    ///   then:
    ///     - if: call.priority > 50
    ///       then: urgent
    ///       else: bye
    ///   else: bye
    /// urgent:
    ///   if: call.language == "en"
    ///   then: [ { say: One moment please. }, { goto: bye } ]
    ///   else: bye
    /// ```
    DEEP_NESTING = "deep-nesting", Warning, "lists within lists within lists", "嵌套过深"
}

pub(crate) fn deep(report: &mut Report<'_>, at: Span, limit: usize) {
    report
        .find(
            &DEEP_NESTING,
            at,
            text!(
                "this list is more than {limit} lists deep",
                "列表嵌套超过 {limit} 层"
            ),
        )
        .help(text!(
            "make it a step of its own and write its name here",
            "请单独写成步骤，这里只写名字"
        ));
}
