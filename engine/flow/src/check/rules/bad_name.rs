use crate::check::report::Report;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: a name of a flow, step, prompt, variable, outcome or hours with capitals, blanks or the like. Names
    /// begin with a lower-case letter and go on with letters, digits, `_` and `-`. Those of variables have no `-`,
    /// which would be a minus.
    ///
    /// ```yaml
    /// number:
    ///   ask: Please enter your order number.
    ///   into: Order-No
    ///   expect: { digits: 8 }
    ///   then: { else: bye }
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// number:
    ///   ask: Please enter your order number.
    ///   into: order_no
    ///   expect: { digits: 8 }
    ///   then: { else: bye }
    /// ```
    BAD_NAME = "bad-name", Error, "a name that is not one", "名字不合规"
}

pub(crate) fn name(report: &mut Report<'_>, at: Span, name: &str, what: Text, variable: bool) {
    let found = report.find(
        &BAD_NAME,
        at,
        text!(
            "`{name}` cannot be the name of {what}",
            "`{name}` 不能用作{what}的名字";
            what,
        ),
    );
    let _done = if variable {
        found.help(text!(
            "a lower-case letter, then lower-case letters, digits and `_`",
            "以小写字母开头，后接小写字母、数字和 `_`"
        ))
    } else {
        found.help(text!(
            "a lower-case letter, then lower-case letters, digits, `_` and `-`",
            "以小写字母开头，后接小写字母、数字、`_` 和 `-`"
        ))
    };
}

/// Of a name that is there, apart from its capitals, blanks and hyphens.
pub(crate) fn meant(report: &mut Report<'_>, at: Span, name: &str, what: Text, meant: &str) {
    let message = text!(
        "`{name}` cannot be the name of {what}",
        "`{name}` 不能用作{what}的名字";
        what,
    );
    let _done = report
        .find(&BAD_NAME, at, message)
        .did_you_mean(at, Some(meant), &[]);
}

pub(crate) fn taken(report: &mut Report<'_>, at: Span, name: &str) {
    report
        .find(
            &BAD_NAME,
            at,
            text!(
                "`{name}` has a meaning of its own in expressions",
                "`{name}` 在表达式中已有含义"
            ),
        )
        .help(text!("choose another name", "请换一个名字"));
}
