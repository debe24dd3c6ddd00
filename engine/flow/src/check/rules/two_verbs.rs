use crate::check::report::Report;
use crate::diagnostic::{Text, text};
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

fn has_two(one: &str, two: &str) -> Text {
    text!(
        "this step has two verbs, `{one}` and `{two}`",
        "此步骤有两个动词 `{one}` 和 `{two}`"
    )
}

/// Of a verb beside an `if`, which is to be done when that is so: how that is written.
pub(crate) fn beside_if(
    report: &mut Report<'_>,
    first: Span,
    (verb, at): (&str, Span),
    meant: &str,
    fix: Option<(Span, String)>,
) {
    let found = report
        .find(&TWO_VERBS, at, has_two("if", verb))
        .here(text!("the second", "第二个"))
        .label(first, text!("the first", "第一个"))
        .help(text!(
            "what comes when it is so stands under `then:`; write `{meant}`",
            "条件成立时的去向写在 `then:` 下；请写 `{meant}`"
        ));
    if let Some((span, replacement)) = fix {
        let _done = found.fix(span, replacement);
    }
}

/// Of an action of a list that has no hyphen of its own; `fix` writes it.
pub(crate) fn no_hyphen(
    report: &mut Report<'_>,
    (one, first): (&str, Span),
    (two, second): (&str, Span),
    fix: (Span, String),
) {
    report
        .find(&TWO_VERBS, second, has_two(one, two))
        .here(text!("the second", "第二个"))
        .label(first, text!("the first", "第一个"))
        .help(text!(
            "an action of a list begins with a hyphen: write `- {two}: …`",
            "列表里的每个动作以连字符开头：请写 `- {two}: …`"
        ))
        .fix(fix.0, fix.1);
}

pub(crate) fn two(report: &mut Report<'_>, first: (&str, Span), second: (&str, Span)) {
    let (one, one_span) = first;
    let (two, two_span) = second;
    report
        .find(
            &TWO_VERBS,
            two_span,
            has_two(one, two),
        )
        .here(text!("the second", "第二个"))
        .label(one_span, text!("the first", "第一个"))
        .help(text!(
            "write a list, one `- {one}: …` after the other",
            "请写成列表，依次 `- {one}: …`"
        ));
}
