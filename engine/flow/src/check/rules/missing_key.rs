use crate::check::report::Report;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: a flow without `flow:`, `format:` or `steps:`, an action without what it acts on, and the like.
    ///
    /// ```yaml
    /// languages: [en]
    /// steps: { start: { hangup: done } }
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// flow: welcome
    /// format: 1
    /// languages: [en]
    /// steps: { start: { hangup: done } }
    /// ```
    MISSING_KEY = "missing-key", Error, "something necessary is not there", "缺少必需的键"
}

pub(crate) fn missing(report: &mut Report<'_>, at: Span, key: &str, place: Text, example: &str) {
    report
        .find(
            &MISSING_KEY,
            at,
            text!("{place} needs `{key}`", "{place} 缺少 `{key}`"; place),
        )
        .help(text!("add `{example}`", "请添加 `{example}`"));
}

pub(crate) fn value(report: &mut Report<'_>, at: Span, key: &str) {
    report
        .find(
            &MISSING_KEY,
            at,
            text!("nothing stands after `{key}:`", "`{key}:` 后面没有内容"),
        )
        .help(text!(
            "write the value, or remove the key",
            "请写上值，或删除该键"
        ));
}

/// Of what belongs to a step, whose first line is `first`: the line that names it lacks above it. `fix` is the place of that line, and it.
pub(crate) fn step(report: &mut Report<'_>, name: &str, (at, first): (Span, &str), fix: (Span, &str)) {
    report
        .find(
            &MISSING_KEY,
            at,
            text!(
                "`{first}` belongs to no step, and there is no step called `{name}`",
                "`{first}` 不属于任何步骤，而名为 `{name}` 的步骤不存在"
            ),
        )
        .help(text!(
            "write the line `{name}:` above it, in the column of the other steps",
            "请在它上面另起一行，与其他步骤对齐，写 `{name}:`"
        ))
        .fix(fix.0, fix.1);
}

/// Of the flow's steps, prompts and the like, the first of which is `name`: the line `key:` that holds them lacks above it. `fix` is
/// the place of that line, and it.
pub(crate) fn head(report: &mut Report<'_>, key: &str, (at, name): (Span, &str), fix: (Span, &str)) {
    report
        .find(
            &MISSING_KEY,
            at,
            text!("`{name}` stands below no `{key}:`", "`{name}` 上面没有 `{key}:`"),
        )
        .help(text!(
            "write the line `{key}:` above it, at the margin",
            "请在它上面另起一行，从行首写 `{key}:`"
        ))
        .fix(fix.0, fix.1);
}

/// Of opening hours that stand where their name should, at the first of their keys.
pub(crate) fn name_of_hours(report: &mut Report<'_>, at: Span) {
    report
        .find(
            &MISSING_KEY,
            at,
            Text::fixed("these opening hours have no name", "这些营业时间没有名字"),
        )
        .help(Text::fixed(
            "write a name such as `office:` above, and these lines below it, two columns further right",
            "请在上面写一个名字，例如 `office:`，并把这几行放在它下面、多缩进两格",
        ));
}

/// How a flow begins.
pub(crate) const BEGINNING: Text = Text::fixed(
    "a flow begins with `flow: a-name` and `format: 1`, and has `steps:`; `strowger new` writes one",
    "流程以 `flow: a-name` 和 `format: 1` 开头，并有 `steps:`；`strowger new` 可以生成一个",
);

/// Tells of a file in which nothing stands but blanks and comments.
pub(crate) fn nothing(report: &mut Report<'_>, at: Span) {
    report
        .find(
            &MISSING_KEY,
            at,
            Text::fixed("nothing stands in this file", "此文件里没有内容"),
        )
        .help(BEGINNING);
}

/// Of a flow that does not say where it begins, with a step that is nearly called `start`.
pub(crate) fn start(report: &mut Report<'_>, at: Span, name: &str) {
    let message = text!(
        "a flow begins at the step `start`, and there is `{name}`",
        "流程从步骤 `start` 开始，而这里是 `{name}`"
    );
    let _done = report
        .find(&MISSING_KEY, at, message)
        .means(at, "start");
}
