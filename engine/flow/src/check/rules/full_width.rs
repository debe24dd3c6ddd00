use crate::check::report::Report;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: a full-width sign, as a Chinese input method types it, where the language has a sign of its own: `：` for `:`, `，` for
    /// `,`, `－` for `-`, `（` for `(`, `１` for `1`. To the language such a sign is a letter of a text. What follows from it is not told as
    /// well.
    ///
    /// Also a blank that is none of the language, as it comes with what is copied from a web page: the no-break space (U+00A0), and the
    /// full-width blank (U+3000); and signs without a width, which nobody sees in a name, such as U+200B. And `＃` and `＊` as keys of a telephone, whose names are `hash` and `star`.
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
        // The names of keys.
        _ if shown.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            text!("write `{shown}`", "请写 `{shown}`")
        }
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

/// Of blanks that are none of the language; `fix` changes them and those of the same kind below.
pub(crate) fn blanks(
    report: &mut Report<'_>,
    (at, written): (Span, &str),
    fix: (Span, String),
) {
    let letter = written.chars().next().unwrap_or('\u{a0}');
    let (english, chinese) = match letter {
        '\u{3000}' => ("a full-width blank", "全角空格"),
        '\u{2007}' => ("a figure space", "数字空格"),
        '\u{202f}' => ("a narrow no-break space", "窄不换行空格"),
        _ => ("a no-break space", "不换行空格"),
    };
    let code = u32::from(letter);
    let message = text!(
        "{english} (U+{code:04X}) stands here, and is no blank of the language",
        "这里是{chinese}（U+{code:04X}），不是流程语言的空格"
    );
    let help = match goes_on(report, fix.0) {
        _ if fix.1.is_empty() => text!("remove it", "请删除它"),
        true => text!(
            "type a plain blank, here and in the lines below",
            "请改成普通空格，下面各行也一样"
        ),
        false => text!("type a plain blank", "请改成普通空格"),
    };
    found(report, at, message, help, fix);
}

/// Of signs without a width; `fix` removes them and others below.
pub(crate) fn unseen(report: &mut Report<'_>, (at, written): (Span, &str), fix: (Span, String)) {
    let code = u32::from(written.chars().next().unwrap_or('\u{200b}'));
    let message = text!(
        "a sign that nobody sees (U+{code:04X}) stands here, and is none of the language",
        "这里有一个看不见的符号（U+{code:04X}），不是流程语言的符号"
    );
    let help = match goes_on(report, fix.0) {
        true => text!(
            "remove it, here and in the lines below",
            "请删除它，下面各行也一样"
        ),
        false => text!("remove it", "请删除它"),
    };
    found(report, at, message, help, fix);
}

/// Whether a change goes on in the lines below.
fn goes_on(report: &Report<'_>, changed: Span) -> bool {
    report.lines().source()[changed.start..changed.end].contains('\n')
}

fn found(report: &mut Report<'_>, at: Span, message: Text, help: Text, (fix, by): (Span, String)) {
    report
        .find(&FULL_WIDTH, at, message)
        .help(help)
        .fix(fix, by);
}
