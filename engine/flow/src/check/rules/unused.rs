use crate::check::report::Report;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: a prompt, a variable or opening hours that are defined and never used, a mock of a test that nothing asks for, and
    /// data of a mock that nothing takes. Most often a name was changed in one place and not in the other.
    ///
    /// ```yaml
    /// prompts:
    ///   hello: { en: Hello. }
    ///   helo: { en: Hello there. }   # nothing says it
    /// greet:
    ///   - say: hello
    ///   - goto: bye
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// prompts:
    ///   hello: { en: Hello. }
    /// greet:
    ///   - say: hello
    ///   - goto: bye
    /// ```
    UNUSED = "unused", Warning, "something that nothing uses", "未使用"
}

pub(crate) fn unused(report: &mut Report<'_>, at: Span, what: Text, name: &str) {
    report
        .find(
            &UNUSED,
            at,
            text!("nothing uses the {what} `{name}`", "没有用到{what} `{name}`"; what),
        )
        .help(text!("remove it, or use it", "请删除或使用它"));
}

/// Of a result that nothing reads, under a name that is nearly that of a variable.
pub(crate) fn result(report: &mut Report<'_>, at: Span, name: &str, meant: &str) {
    let message = text!("nothing reads the result `{name}`", "没有用到结果 `{name}`");
    let _done = report
        .find(&UNUSED, at, message)
        .did_you_mean(at, Some(meant), &[]);
}

/// Of a mock of what neither the flow nor any that it leads to runs.
pub(crate) fn mock(report: &mut Report<'_>, at: Span, name: &str, meant: Option<&str>) {
    let message = text!(
        "nothing asks for the mock `{name}`: neither this flow nor one that it leads to runs it",
        "没有用到模拟 `{name}`：本流程及其通往的流程都不运行它"
    );
    let found = report.find(&UNUSED, at, message);
    let _done = match meant {
        Some(_) => found.did_you_mean(at, meant, &[]),
        None => found.help(text!("remove it, or correct its name", "请删除，或改正名字")),
    };
}

/// Of data that the mocked outcome does not have.
pub(crate) fn data(
    report: &mut Report<'_>,
    at: Span,
    mocked: &str,
    outcome: &str,
    name: &str,
    names: &[&str],
) {
    let message = text!(
        "nothing takes `{name}`: `{mocked}` gives no such thing with `{outcome}`",
        "没有用到 `{name}`：`{mocked}` 的 `{outcome}` 不带这个值"
    );
    lacking(report, at, message, names);
}

/// Of a field that a value of a mock does not have.
pub(crate) fn field(report: &mut Report<'_>, at: Span, place: &Text, name: &str, names: &[&str]) {
    let message = text!(
        "nothing reads `{name}`: {place} has no such field",
        "没有用到 `{name}`：{place} 没有这个字段";
        place
    );
    lacking(report, at, message, names);
}

fn lacking(report: &mut Report<'_>, at: Span, message: Text, names: &[&str]) {
    let found = report.find(&UNUSED, at, message);
    let _done = match names {
        [] => found.help(text!("remove it", "请删除")),
        names => {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            found.did_you_mean(at, None, &names)
        }
    };
}
