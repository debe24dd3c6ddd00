use crate::check::report::Report;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: text that cannot be read as YAML at all, such as a quote or a bracket that is never
    /// closed, or a line that is indented like nothing around it.
    ///
    /// Also `//` where a comment is meant, which begins with `#`.
    ///
    /// Nothing can be checked behind such a place, so it is often the only finding. Mend it and check again.
    ///
    /// ```yaml
    /// prompts: { hello: "Hello }
    /// greet:
    ///   - say: hello
    ///   - goto: bye
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// prompts: { hello: "Hello" }
    /// greet:
    ///   - say: hello
    ///   - goto: bye
    /// ```
    YAML_SYNTAX = "yaml-syntax", Error, "the text is not YAML", "文本不是有效的 YAML"
}

pub(crate) fn syntax(report: &mut Report<'_>, at: Span, why: Text) {
    report
        .find(
            &YAML_SYNTAX,
            at,
            text!("this is not YAML: {why}", "不是有效的 YAML：{why}"; why),
        )
        .help(text!(
            "look for a missing quote, bracket or blank here or just before",
            "检查此处或前面是否缺少引号、括号或空格"
        ));
}

/// A line that something else than a person wrote into the file, or that stands around it in a page.
pub(crate) fn foreign(report: &mut Report<'_>, at: Span, line: &str) {
    let (message, help) = match line.starts_with(['`', '~']) {
        true => (
            Text::fixed(
                "this line is the fence around code in a page, and no part of a flow",
                "这一行是网页里代码块的围栏，不是流程的内容",
            ),
            Text::fixed(
                "remove this line, and the one at the end of the code",
                "请删除这一行和代码末尾的那一行",
            ),
        ),
        false => (
            Text::fixed(
                "this line is a mark of git: two versions of the file differ here",
                "这一行是 git 的冲突标记：文件的两个版本在这里不同",
            ),
            Text::fixed(
                "keep the lines of one version, and remove those of the other and the marks `<<<<<<<`, `=======` and `>>>>>>>`",
                "请保留其中一个版本的内容，删除另一个版本以及 `<<<<<<<`、`=======`、`>>>>>>>` 这些标记",
            ),
        ),
    };
    report.find(&YAML_SYNTAX, at, message).help(help);
}

/// `//`, which begins no comment; with the change where that is all that is wrong.
pub(crate) fn slashes(report: &mut Report<'_>, at: Span, fix: Option<(Span, String)>) {
    let found = report
        .find(
            &YAML_SYNTAX,
            at,
            Text::fixed("`//` begins no comment in YAML", "YAML 的注释不以 `//` 开头"),
        )
        .help(Text::fixed(
            "begin it with `#`; what is no comment stands without `//`",
            "请用 `#` 开头；不是注释的内容不要写 `//`",
        ));
    if let Some((place, written)) = fix {
        found.fix(place, written);
    }
}

/// A control character, which no YAML has in it.
pub(crate) fn control(report: &mut Report<'_>, at: Span, character: char) {
    let shown = character.escape_debug();
    report
        .find(
            &YAML_SYNTAX,
            at,
            text!(
                "this is not YAML: the control character `{shown}` cannot stand here",
                "不是有效的 YAML：这里不能有控制字符 `{shown}`"
            ),
        )
        .help(text!(
            "take it out; a file full of them is no text, or has another encoding than UTF-8",
            "请删除它；如果文件里有很多这样的字符，它就不是文本，或者编码不是 UTF-8"
        ));
}
