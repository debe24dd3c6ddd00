use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: a `transfer:` to a name that is neither a supplier of the project, nor a telephone number, nor a SIP URI.
    ///
    /// ```yaml
    /// hand_over:
    ///   transfer: suplier-a
    ///   then: { else: bye }
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// hand_over:
    ///   transfer: supplier-a
    ///   then: { else: bye }
    /// ```
    UNKNOWN_DESTINATION = "unknown-destination", Error, "a transfer to nowhere", "转接目标不存在"
}

pub(crate) fn unknown(
    report: &mut Report<'_>,
    at: Span,
    name: &str,
    meant: Option<&str>,
    names: &[String],
) {
    let found = report.find(
        &UNKNOWN_DESTINATION,
        at,
        text!(
            "`{name}` is no supplier of this project, no telephone number and no SIP URI",
            "`{name}` 既不是项目的供应商，也不是电话号码或 SIP 地址"
        ),
    );
    let _done = found.did_you_mean(at, meant, names);
}
