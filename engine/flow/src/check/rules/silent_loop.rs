use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: steps that lead back to themselves although the caller does nothing: no key, no answer. Such a call goes on
    /// until `max_duration`, and the caller hears the same thing again and again, or nothing at all.
    ///
    /// ```yaml
    /// hello:
    ///   say: Hello.
    ///   then: nudge
    /// nudge:
    ///   say: Still there?
    ///   then: hello
    /// ```
    ///
    /// Let the loop pass through a step that listens, or count and leave it:
    ///
    /// ```yaml
    /// hello:
    ///   menu: Hello. Press 1 to go on.
    ///   press: { 1: flow:order-status }
    ///   then: { no_input: nudge, no_match: bye }
    /// nudge:
    ///   - say: Still there?
    ///   - hangup: completed
    /// ```
    SILENT_LOOP = "silent-loop", Error, "a loop that no caller causes", "无来电者参与的循环"
}

pub(crate) fn looped(report: &mut Report<'_>, at: Span, path: &[(String, Span)]) {
    let names = path
        .iter()
        .map(|(name, _)| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(" → ");
    let mut found = report
        .find(
            &SILENT_LOOP,
            at,
            text!(
                "the call goes round and round although the caller does nothing",
                "来电者什么都没做，电话却在原地打转"
            ),
        )
        .here(text!("the loop begins here", "循环从这里开始"))
        .help(text!(
            "the loop: {names}; let it lead to a person, a goodbye or a step that listens",
            "循环：{names}；请让它通往人工、告别或等待输入的步骤"
        ));
    for (name, span) in path.iter().skip(1).take(3) {
        if *span != at && *name != path[0].0 {
            found = found.label(*span, text!("then here", "然后到这里"));
        }
    }
    drop(found);
}
