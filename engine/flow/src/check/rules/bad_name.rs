use crate::check::report::Report;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: a name of a flow, step, prompt, variable, outcome or hours with capitals, blanks or the like; a name
    /// that is an input and a variable, or a word of expressions. Names begin with a lower-case letter and go on with letters,
    /// digits, `_` and `-`. Those of variables have no `-`, which would be a minus.
    ///
    /// Words of expressions are such as `call` or `not`. An expression says a name alone, so of one that stands under `inputs:` and under
    /// `vars:` nobody could tell which of the two is meant.
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
        .means(at, meant);
}

/// Of a name that is an input and a variable.
pub(crate) fn twice(
    report: &mut Report<'_>,
    name: &str,
    (at, under): (Span, &str),
    (first, there): (Span, &str),
) {
    let message = text!(
        "`{name}` stands under `{there}` and under `{under}`, and an expression cannot tell them apart",
        "`{name}` 既在 `{there}` 下又在 `{under}` 下，表达式无法区分"
    );
    report
        .find(&BAD_NAME, at, message)
        .here(text!("again here", "此处重复"))
        .label(first, text!("first here", "首次出现"))
        .help(text!(
            "give one of them another name, or remove it",
            "请给其中一个换名字，或删除它"
        ));
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
