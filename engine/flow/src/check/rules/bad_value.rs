use crate::check::report::Report;
use crate::check::suggest::nearest;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: a list where a text is expected, a text where a map is expected, a word that is none of those that the
    /// field takes, a prompt without a word.
    ///
    /// ```yaml
    /// languages: zh, en
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// languages: [zh, en]
    /// ```
    BAD_VALUE = "bad-value", Error, "a value of the wrong shape", "值的形式不对"
}

pub(crate) fn shape(report: &mut Report<'_>, at: Span, key: &str, expected: &Text, is: Text) {
    report
        .find(
            &BAD_VALUE,
            at,
            text!(
                "`{key}` takes {expected}, and this is {is}",
                "`{key}` 应为{expected}，而这里是{is}";
                expected,
                is,
            ),
        )
        .help(text!("write {expected}", "请写{expected}"; expected));
}

pub(crate) fn word(report: &mut Report<'_>, at: Span, key: &str, written: &str, names: &[String]) {
    let meant = nearest(written, names.iter().map(String::as_str));
    word_for(report, at, key, written, meant, names);
}

/// Of a word of which it is known which one was meant, or that nobody knows.
pub(crate) fn word_for(
    report: &mut Report<'_>,
    at: Span,
    key: &str,
    written: &str,
    meant: Option<&str>,
    names: &[String],
) {
    let _done = report
        .find(
            &BAD_VALUE,
            at,
            text!(
                "`{key}` does not take `{written}`",
                "`{key}` 不接受 `{written}`"
            ),
        )
        .did_you_mean(at, meant, names);
}

/// Of what is read as it was meant.
pub(crate) fn slip(report: &mut Report<'_>, at: Span, message: Text, meant: &str) {
    let _done = report
        .find(&BAD_VALUE, at, message)
        .means(at, meant);
}

/// Of an act of a test, with the word that may have been meant and what stands behind it, and whether that is certain.
pub(crate) fn act(
    report: &mut Report<'_>,
    at: Span,
    written: &str,
    meant: Option<(&str, bool)>,
    names: &[String],
) {
    let message = text!("`run` does not take `{written}`", "`run` 不接受 `{written}`");
    let found = report.find(&BAD_VALUE, at, message);
    let _done = match meant {
        Some((meant, true)) => found.means(at, meant),
        Some((meant, false)) => found.help(Text::did_you_mean(meant)),
        None => found.did_you_mean(at, None, names),
    };
}

/// Of a word that is misspelt where it is defined, as all agree that use it.
pub(crate) fn defined(report: &mut Report<'_>, at: Span, message: Text, meant: &str) {
    let _done = report.find(&BAD_VALUE, at, message).agreed(at, meant);
}

/// Of an input that is to be given a value.
pub(crate) fn input(report: &mut Report<'_>, at: Span, name: &str) {
    let message = text!(
        "`{name}` is an input of this flow, and inputs never change",
        "`{name}` 是此流程的输入，输入不能改变"
    );
    let help = Text::fixed(
        "choose another name: what changes is a variable",
        "请换一个名字：会变的是变量",
    );
    why(report, at, message, Some(help));
}

/// Of a name that `as:` and `into:` of a step both have.
pub(crate) fn one_name_for_two(report: &mut Report<'_>, at: Span, name: &str) {
    let message = text!(
        "`as:` and `into:` both name `{name}`, which can only keep one of the two",
        "`as:` 和 `into:` 都写了 `{name}`，它只能保存其中一个"
    );
    let help = Text::fixed(
        "`into:` takes the answer, `as:` all that the step gives: leave one out, or give it another name",
        "`into:` 保存回答，`as:` 保存步骤给出的全部数据：请去掉其中一个，或换一个名字",
    );
    why(report, at, message, Some(help));
}

pub(crate) fn why(report: &mut Report<'_>, at: Span, message: Text, help: Option<Text>) {
    let found = report.find(&BAD_VALUE, at, message);
    if let Some(help) = help {
        let _done = found.help(help);
    }
}
