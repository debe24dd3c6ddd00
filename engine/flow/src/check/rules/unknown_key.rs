use crate::check::report::Report;
use crate::check::suggest::nearest;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: a key that means nothing where it stands. It would be ignored in silence, which is never what
    /// its author wanted.
    ///
    /// ```yaml
    /// main:
    ///   menu: For an order press 1.
    ///   atempts: 2
    ///   press: { 1: flow:order-status }
    ///   then: { else: bye }
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// main:
    ///   menu: For an order press 1.
    ///   attempts: 2
    ///   press: { 1: flow:order-status }
    ///   then: { else: bye }
    /// ```
    UNKNOWN_KEY = "unknown-key", Error, "a key that nobody reads", "未知的键"
}

fn lacks(place: &Text, key: &str) -> Text {
    text!("{place} has no `{key}`", "{place} 没有 `{key}`"; place)
}

pub(crate) fn unknown(report: &mut Report<'_>, at: Span, key: &str, place: &Text, names: &[String]) {
    report.strange(at);
    let meant = nearest(key, names.iter().map(String::as_str));
    let _done = report
        .find(
            &UNKNOWN_KEY,
            at,
            lacks(place, key),
        )
        .did_you_mean(at, meant, names);
}

/// Of `then:` beside a verb after which nothing comes, or which says itself what comes.
pub(crate) fn nothing_after(report: &mut Report<'_>, at: Span, place: &Text, help: Text) {
    report.strange(at);
    let _done = report
        .find(&UNKNOWN_KEY, at, lacks(place, "then"))
        .help(help);
}

/// Of what is read as it was meant.
pub(crate) fn misspelt(report: &mut Report<'_>, at: Span, key: &str, place: &Text, meant: &str) {
    let _done = report
        .find(&UNKNOWN_KEY, at, lacks(place, key))
        .did_you_mean(at, Some(meant), &[]);
}

/// Of a key whose value was written otherwise as well: what stands in place of both.
pub(crate) fn whole(
    report: &mut Report<'_>,
    (at, all): (Span, Span),
    key: &str,
    place: &Text,
    meant: &str,
) {
    let _done = report
        .find(&UNKNOWN_KEY, at, lacks(place, key))
        .help(text!("write `{meant}`", "请写 `{meant}`"))
        .fix(all, meant);
}

/// Of the two ways of an `if`, called otherwise.
pub(crate) fn ways(report: &mut Report<'_>, (at, all): (Span, Span), key: &str, meant: &str) {
    let _done = report
        .find(&UNKNOWN_KEY, at, lacks(&Text::fixed("`if`", "`if`"), key))
        .help(Text::fixed(
            "write `then:` for when it is so, and `else:` for when it is not",
            "条件成立时的去向写 `then:`，不成立时写 `else:`",
        ))
        .fix(all, meant);
}

/// Of outcomes that stand beside their step.
pub(crate) fn way_beside(report: &mut Report<'_>, at: Span, key: &str, place: &Text, lines: &str) {
    let _done = report.find(&UNKNOWN_KEY, at, lacks(place, key)).help(text!(
        "where a step goes stands under `then:`; write `then: {{ {lines} }}`",
        "步骤的去向写在 `then:` 下；请写 `then: {{ {lines} }}`"
    ));
}
