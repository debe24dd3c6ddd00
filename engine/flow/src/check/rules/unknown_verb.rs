use crate::check::report::Report;
use crate::check::suggest::{nearest, shown};
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: a step without a verb that the engine or a standard plugin knows. Each step has exactly one: `say`,
    /// `menu`, `ask`, `use` and so on.
    ///
    /// ```yaml
    /// greet:
    ///   tell: Hello.
    ///   then: bye
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// greet:
    ///   say: Hello.
    ///   then: bye
    /// ```
    ///
    /// A client's plugin is written `use: plugin/step@1`.
    UNKNOWN_VERB = "unknown-verb", Error, "a step that does nothing we know", "未知的动词"
}

pub(crate) fn unknown(report: &mut Report<'_>, at: Span, verb: &str, names: &[String]) {
    report.strange_verb(at);
    let meant = nearest(verb, names.iter().map(String::as_str));
    let found = report.find(
        &UNKNOWN_VERB,
        at,
        text!("there is no verb `{verb}`", "没有动词 `{verb}`"),
    );
    let _done = match meant {
        Some(meant) => found.did_you_mean(at, Some(meant), names),
        None => {
            let names = shown(names);
            found.help(text!(
                "the verbs are: {names}; a client's plugin is written `use: plugin/step@1`",
                "动词有：{names}；客户插件写作 `use: 插件/步骤@1`";
                names,
            ))
        }
    };
}

pub(crate) fn none(report: &mut Report<'_>, at: Span, names: &[String]) {
    let names = shown(names);
    report
        .find(
            &UNKNOWN_VERB,
            at,
            text!("this step does nothing: it has no verb", "此步骤没有动词"),
        )
        .help(text!("the verbs are: {names}", "动词有：{names}"; names));
}

/// Of an action of which only options stand there: the line of its verb, which may have named anything, is gone.
pub(crate) fn gone(report: &mut Report<'_>, at: Span, names: &[String]) {
    report.strange_verb(at);
    none(report, at, names);
    report.spoil(at);
}

/// Of what is read as it was meant.
pub(crate) fn misspelt(report: &mut Report<'_>, at: Span, verb: &str, meant: &str) {
    let message = text!("there is no verb `{verb}`", "没有动词 `{verb}`");
    let _done = report.find(&UNKNOWN_VERB, at, message).did_you_mean(at, Some(meant), &[]);
}

/// Of a way of an `if`, or another one, as an action after it: whether there is another one, and the first way that has a hyphen of its own.
pub(crate) fn branch(
    report: &mut Report<'_>,
    at: Span,
    key: &str,
    (again, beside): (bool, Option<&str>),
    fix: Option<(Span, String)>,
) {
    let message = text!("there is no verb `{key}`", "没有动词 `{key}`");
    let another = Text::fixed(
        "write `- if:` again: whoever was led nowhere comes to it",
        "请再写一个 `- if:`：前面没有去向的来电会走到这里",
    );
    let help = match beside {
        None => another,
        Some(way) => {
            let beside = text!(
                "`{way}:` stands beside its `if:`, as far to the left: leave out the hyphen before it",
                "`{way}:` 与它的 `if:` 并列对齐：请去掉它前面的连字符"
            );
            match again {
                false => beside,
                true => Text::both(
                    format!("{}; {}", another.english(), beside.english()),
                    format!("{}；{}", another.chinese(), beside.chinese()),
                ),
            }
        }
    };
    let found = report.find(&UNKNOWN_VERB, at, message).help(help);
    if let Some((span, replacement)) = fix {
        let _done = found.fix(span, replacement);
    }
}

/// Of a key that names the verb as its value.
pub(crate) fn named_by(report: &mut Report<'_>, at: Span, key: &str, verb: &str) {
    let message = text!("there is no verb `{key}`", "没有动词 `{key}`");
    let _done = report.find(&UNKNOWN_VERB, at, message).help(text!(
        "the verb is the key: write `{verb}: …`",
        "动词就是键：请写 `{verb}: …`"
    ));
}
