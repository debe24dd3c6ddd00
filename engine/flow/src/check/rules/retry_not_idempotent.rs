use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: `retry:` on a plugin's step that does not say that running it twice does no harm. A retry after a timeout could
    /// place the same order twice.
    ///
    /// ```yaml
    /// note:
    ///   use: crm/note@2
    ///   with: { phone: "${call.from}", text: called }
    ///   timeout: 2s
    ///   retry: { times: 1 }
    ///   then: { else: bye }
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// note:
    ///   use: crm/note@2
    ///   with: { phone: "${call.from}", text: called }
    ///   timeout: 2s
    ///   then: { else: bye }
    /// ```
    RETRY_NOT_IDEMPOTENT = "retry-not-idempotent", Warning, "repeating a step that must not happen twice", "重试非幂等的步骤"
}

pub(crate) fn retry(report: &mut Report<'_>, at: Span, step: &str) {
    report
        .find(
            &RETRY_NOT_IDEMPOTENT,
            at,
            text!(
                "`{step}` does not say that it may safely run twice",
                "`{step}` 没有声明可以安全地重复执行"
            ),
        )
        .help(text!(
            "leave `retry:` out, or let its plugin declare `idempotent`",
            "请去掉 `retry:`，或由插件声明 `idempotent`"
        ));
}
