use crate::check::report::Report;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: a value of type `secret` in a prompt, a tag, an attachment, a plain variable, or an input that does not promise
    /// to keep it (`x-secret`). Card numbers and PINs must not be spoken, stored or shown.
    ///
    /// ```yaml
    /// card:
    ///   ask: Please enter the number of your card.
    ///   into: card
    ///   expect: card
    ///   then: { ok: read_back, else: bye }
    /// read_back:
    ///   - say: "I have ${card}."
    ///   - goto: bye
    /// ```
    ///
    /// Say its last four digits instead: `${card | last4}`.
    ///
    /// ```yaml
    /// card:
    ///   ask: Please enter the number of your card.
    ///   into: card
    ///   expect: card
    ///   then: { ok: read_back, else: bye }
    /// read_back:
    ///   - say: "I have a card ending in ${card | last4}."
    ///   - goto: bye
    /// ```
    SECRET_LEAK = "secret-leak", Error, "a secret where it could be heard or read", "机密泄露"
}

pub(crate) fn leak(report: &mut Report<'_>, at: Span, place: &Text, source: Option<Span>) {
    let mut found = report
        .find(
            &SECRET_LEAK,
            at,
            text!("a secret must not go into {place}", "机密不能进入 {place}"; place),
        )
        .here(text!("this is secret", "这是机密"))
        .help(text!(
            "use `| last4`, or hand it to an input that is marked as secret",
            "请用 `| last4`，或交给标记为机密的输入"
        ));
    if let Some(source) = source {
        found = found.label(source, text!("it comes from here", "来源"));
    }
    drop(found);
}
