use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: a full-width sign, as a Chinese input method types it, where the language has a sign of its own: `：` for `:`, `，` for
    /// `,`, `－` for `-`, `（` for `(`, `１` for `1`. To the language such a sign is a letter of a text. What follows from it is not told as
    /// well.
    ///
    /// It is told when the other sign mends what is wrong there. So it is looked for in files up to 64 KiB. In spoken texts these signs are
    /// right.
    ///
    /// ```yaml
    /// start:
    ///   menu: 请按一。
    ///   press： { 1： bye }
    ///   then: { no_input: bye, no_match: bye }
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// start:
    ///   menu: 请按一。
    ///   press: { 1: bye }
    ///   then: { no_input: bye, no_match: bye }
    /// ```
    FULL_WIDTH = "full-width", Error, "a full-width sign in place of one of the language's", "应写半角符号的地方写了全角符号"
}

/// Dashes that word processors and web pages make of a hyphen.
const DASHES: [&str; 3] = ["–", "—", "−"];

/// Of the signs between the first and the last of them; `meant` is what belongs there.
pub(crate) fn signs(report: &mut Report<'_>, at: Span, written: &[String], meant: &str) {
    if written.iter().all(|sign| DASHES.contains(&sign.as_str())) {
        let dash = written.first().map_or("–", String::as_str);
        let message = text!(
            "`{dash}` is a dash, and none of the language",
            "`{dash}` 是破折号，不是流程语言的符号"
        );
        report
            .find(&FULL_WIDTH, at, message)
            .help(text!(
                "write the hyphen of the keyboard: `-`",
                "请写键盘上的连字符：`-`"
            ))
            .fix(at, meant);
        return;
    }
    let marks: Vec<String> = written.iter().map(|sign| format!("`{sign}`")).collect();
    let (english, chinese) = (marks.join(", "), marks.join("、"));
    let message = match written.len() {
        1 => text!(
            "{english} is a full-width sign, and none of the language",
            "{chinese} 是全角符号，不是流程语言的符号"
        ),
        _ => text!(
            "{english} are full-width signs, and none of the language",
            "{chinese} 是全角符号，不是流程语言的符号"
        ),
    };
    let shown = meant.trim_end();
    let help = match shown.len() < meant.len() {
        true => text!(
            "switch the input method to English signs, and type `{shown}` and a blank",
            "请把输入法切换到英文标点，写成 `{shown}` 加一个空格"
        ),
        false => text!(
            "switch the input method to English signs, and type `{shown}`",
            "请把输入法切换到英文标点，写成 `{shown}`"
        ),
    };
    report
        .find(&FULL_WIDTH, at, message)
        .help(help)
        .fix(at, meant);
}
