use crate::check::report::Report;
use crate::diagnostic::Text;
use crate::expr::Span;

rule! {
    /// What it finds: a value that the plugin's description rules out: too large, too small, not one of the words it knows, a text where it
    /// wants a list.
    ///
    /// ```yaml
    /// desk:
    ///   queue: general
    ///   meanwhile: { music: audio/hold.wav }
    ///   priority: 500        # 0 to 100
    ///   then: { else: bye }
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// desk:
    ///   queue: general
    ///   meanwhile: { music: audio/hold.wav }
    ///   priority: 50
    ///   then: { else: bye }
    /// ```
    BAD_INPUT = "bad-input", Error, "a step cannot work with this value", "输入值无效"
}

pub(crate) fn bad(report: &mut Report<'_>, at: Span, message: Text, help: Option<Text>) {
    let found = report.find(&BAD_INPUT, at, message);
    if let Some(help) = help {
        let _done = found.help(help);
    }
}
