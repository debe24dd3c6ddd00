use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: two verbs in one step. Order in a map never matters, so nobody could say which comes first.
    ///
    /// ```yaml
    /// start:
    ///   say: Hello.
    ///   hangup: completed
    /// ```
    ///
    /// Write a list, whose order matters:
    ///
    /// ```yaml
    /// start:
    ///   - say: Hello.
    ///   - hangup: completed
    /// ```
    TWO_VERBS = "two-verbs", Error, "a step that does two things", "一个步骤有两个动词"
}

pub(crate) fn two(report: &mut Report<'_>, first: (&str, Span), second: (&str, Span)) {
    let (one, one_span) = first;
    let (two, two_span) = second;
    report
        .find(
            &TWO_VERBS,
            two_span,
            text!(
                "this step has two verbs, `{one}` and `{two}`",
                "此步骤有两个动词 `{one}` 和 `{two}`"
            ),
        )
        .here(text!("the second", "第二个"))
        .label(one_span, text!("the first", "第一个"))
        .help(text!(
            "write a list, one `- {one}: …` after the other",
            "请写成列表，依次 `- {one}: …`"
        ));
}
