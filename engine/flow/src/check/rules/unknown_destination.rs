use crate::check::report::Report;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: a `transfer:` to a name that is neither a supplier of the project, nor a telephone number, nor a SIP URI. What begins with
    /// `sip:`, `sips:` or `tel:` must be one that can be called, in a lone file too: `sip:desk@example.com`, `tel:+8613800138000`.
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
    let _done = match names.is_empty() {
        true => found.help(what_to_write()),
        false => found.did_you_mean(at, meant, names),
    };
}

/// A text that can be no supplier's name either: `why` says what is wrong with it.
pub(crate) fn malformed(report: &mut Report<'_>, at: Span, why: Text) {
    let found = report.find(&UNKNOWN_DESTINATION, at, why);
    let _done = found.help(what_to_write());
}

fn what_to_write() -> Text {
    Text::fixed(
        "write a number such as `+8613800138000`, a SIP URI such as `sip:desk@example.com`, or the name of a supplier in \
         queues.yaml",
        "请写电话号码（如 `+8613800138000`）、SIP 地址（如 `sip:desk@example.com`），或 `queues.yaml` 里服务商的名字",
    )
}
