use crate::check::report::Report;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: a key without a colon behind it, or without a blank behind its colon: to YAML that is a text, and no key. Also a key
    /// with two colons, which to YAML is another key, and one with `;`, ` :`, ` - `, ` -> ` or ` = ` for its colon; and a list whose commas lack, or are `;`.
    /// What follows from that is not told as well.
    ///
    /// It is told when the sign that lacks mends everything that is wrong there. So it is looked for in files up to 64 KiB.
    ///
    /// ```yaml
    /// start:
    ///   menu: For help, press one.
    ///   press: { 1: bye }
    ///   then: { no_input: bye, no_match:bye }
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// start:
    ///   menu: For help, press one.
    ///   press: { 1: bye }
    ///   then: { no_input: bye, no_match: bye }
    /// ```
    YAML_COLON = "yaml-colon", Error, "a key without a colon, or a colon without a blank", "键后缺少冒号，或冒号后缺少空格"
}

/// Of the word at `at`, behind which a colon lacks; the blank behind it, where that is gone too.
pub(crate) fn colon(report: &mut Report<'_>, at: Span, word: &str, sign: &str) {
    let message = text!("a colon is missing after `{word}`", "`{word}` 后面缺少冒号");
    told(report, at, word, message, sign);
}

/// Of the word and its colon at `at`, behind which a blank lacks.
pub(crate) fn blank(report: &mut Report<'_>, at: Span, word: &str) {
    let message = text!("a blank is missing after `{word}`", "`{word}` 后面缺少空格");
    told(report, at, word, message, " ");
}

/// Of a word and its colon behind which stands another colon: where that is, with the blank before it, and what is to stand there.
pub(crate) fn twice(report: &mut Report<'_>, word: &str, (at, written): (Span, String)) {
    report
        .find(
            &YAML_COLON,
            at,
            text!("one colon too many after `{word}`", "`{word}` 后面多了一个冒号"),
        )
        .help(text!("write `{word}`", "请写 `{word}`"))
        .fix(at, written);
}

/// Of the word at `at`, behind which another sign stands than a colon, or a blank before the colon. `fix` is its place, and what is to
/// stand there.
pub(crate) fn sign(
    report: &mut Report<'_>,
    (at, word): (Span, &str),
    sign: &str,
    fix: (Span, &str),
) {
    let message = match sign {
        ":" => text!(
            "the blank between `{word}` and its colon belongs behind the colon",
            "`{word}` 与冒号之间的空格应写在冒号之后"
        ),
        _ => text!(
            "`{sign}` stands behind `{word}` where a colon belongs",
            "`{word}` 后面应为冒号，而不是 `{sign}`"
        ),
    };
    amiss(report, at, message, &format!("{word}: …"), fix);
}

/// Of the word at `at`, behind which a comma lacks, or `sign` stands for one. `fix` is the place of them all, and what is to stand there.
pub(crate) fn comma(
    report: &mut Report<'_>,
    (at, word): (Span, &str),
    sign: &str,
    fix: (Span, String),
) {
    let message = match sign {
        "" => text!("a comma is missing after `{word}`", "`{word}` 后面缺少逗号"),
        _ => text!(
            "`{sign}` stands behind `{word}` where a comma belongs",
            "`{word}` 后面应为逗号，而不是 `{sign}`"
        ),
    };
    amiss(report, at, message, &format!("{word}, …"), fix);
}

fn amiss(
    report: &mut Report<'_>,
    at: Span,
    message: Text,
    meant: &str,
    (place, written): (Span, impl Into<String>),
) {
    report
        .find(&YAML_COLON, at, message)
        .help(text!("write `{meant}`", "请写 `{meant}`"))
        .fix(place, written);
}

fn told(
    report: &mut Report<'_>,
    at: Span,
    word: &str,
    message: Text,
    sign: &str,
) {
    let written = format!("{word}{}", sign.trim_end());
    let end = Span {
        start: at.end,
        end: at.end,
    };
    report
        .find(&YAML_COLON, at, message)
        .help(text!("write `{written} …`", "请写 `{written} …`"))
        .fix(end, sign);
}
