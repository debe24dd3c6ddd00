use crate::check::report::Report;
use crate::check::suggest::nearest;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: an `audio:` whose file is not in the project, in a prompt that has no `text:` to speak instead. There is nothing
    /// that a caller could hear: the step fails as soon as it comes to that prompt.
    ///
    /// ```yaml
    /// prompts:
    ///   goodbye: { en: { audio: audio/en/godbye.wav } }
    /// end:
    ///   - say: goodbye
    ///   - hangup: completed
    /// ```
    ///
    /// Correct the path, or give the words too, which are spoken while the file is missing and read in a chat:
    ///
    /// ```yaml
    /// prompts:
    ///   goodbye: { en: { audio: audio/en/goodbye.wav, text: Goodbye. } }
    /// end:
    ///   - say: goodbye
    ///   - hangup: completed
    /// ```
    NOTHING_TO_PLAY = "nothing-to-play", Error, "a prompt that nobody can hear", "没有任何可播放的内容"
}

pub(crate) fn missing(report: &mut Report<'_>, at: Span, path: &str, names: &[String]) {
    let meant = nearest(path, names.iter().map(String::as_str));
    let found = report.find(
        &NOTHING_TO_PLAY,
        at,
        text!(
            "there is no file `{path}` in the project, and no text to say instead",
            "项目中没有文件 `{path}`，也没有可代替朗读的文字"
        ),
    );
    let _done = match meant {
        // No fix, as in `missing-audio`: the wrong file would be heard.
        Some(meant) => found.help(Text::did_you_mean(meant)),
        None => found.help(text!(
            "add the file, or `text:` beside `audio:`",
            "请添加该文件，或在 `audio:` 旁写上 `text:`"
        )),
    };
}

pub(crate) fn outside(report: &mut Report<'_>, at: Span, path: &str) {
    report
        .find(
            &NOTHING_TO_PLAY,
            at,
            text!(
                "`{path}` does not lie in the project, and there is no text to say instead",
                "`{path}` 不在项目内，也没有可代替朗读的文字"
            ),
        )
        .help(text!(
            "paths begin at the project's folder and never contain `..`; or add `text:`",
            "路径从项目文件夹开始，且不能含 `..`；也可以写上 `text:`"
        ));
}
