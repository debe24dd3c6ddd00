use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: a step or an action that no path from the start leads to. Either something should lead there, or it can go.
    ///
    /// ```yaml
    /// end:
    ///   - hangup: completed
    ///   - say: Goodbye.      # nobody is there any more
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// end:
    ///   - say: Goodbye.
    ///   - hangup: completed
    /// ```
    UNREACHABLE = "unreachable", Warning, "nobody ever comes here", "永远走不到"
}

pub(crate) fn step(report: &mut Report<'_>, at: Span, name: &str) {
    report
        .find(
            &UNREACHABLE,
            at,
            text!("no way leads to `{name}`", "没有路径通往 `{name}`"),
        )
        .help(text!(
            "lead something there, or remove it",
            "请让某处通往这里，或删除它"
        ));
}

pub(crate) fn action(report: &mut Report<'_>, at: Span, before: Option<Span>) {
    let mut found = report
        .find(
            &UNREACHABLE,
            at,
            text!("the call never comes this far", "电话走不到这里"),
        )
        .help(text!("remove it, or move it up", "请删除，或移到前面"));
    if let Some(before) = before {
        found = found.label(before, text!("it leaves here", "电话在此离开"));
    }
    drop(found);
}
