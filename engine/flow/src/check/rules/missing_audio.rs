use crate::check::report::Report;
use crate::check::suggest::nearest;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: an `audio:` or a `music:` whose file is not in the project, or whose path leads out of it. The text is spoken instead, where there is one.
    ///
    /// ```yaml
    /// prompts:
    ///   goodbye: { en: { audio: audio/en/godbye.wav, text: Goodbye. } }
    /// end:
    ///   - say: goodbye
    ///   - hangup: completed
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// prompts:
    ///   goodbye: { en: { audio: audio/en/goodbye.wav, text: Goodbye. } }
    /// end:
    ///   - say: goodbye
    ///   - hangup: completed
    /// ```
    ///
    /// Paths begin at the project's folder.
    MISSING_AUDIO = "missing-audio", Warning, "an audio file that is not there", "音频文件不存在"
}

pub(crate) fn missing(report: &mut Report<'_>, at: Span, path: &str, names: &[String]) {
    let meant = nearest(path, names.iter().map(String::as_str));
    let found = report.find(
        &MISSING_AUDIO,
        at,
        text!(
            "there is no file `{path}` in the project",
            "项目中没有文件 `{path}`"
        ),
    );
    let _done = match meant {
        // No fix: a file that was not recorded yet looks like a slip of its neighbour, and `check --fix` would let a
        // caller hear the wrong words.
        Some(meant) => found.help(Text::did_you_mean(meant)),
        None => found.help(text!(
            "paths begin at the project's folder, as in `audio/en/hello.wav`",
            "路径从项目文件夹开始，例如 `audio/en/hello.wav`"
        )),
    };
}

pub(crate) fn outside(report: &mut Report<'_>, at: Span, path: &str) {
    report
        .find(
            &MISSING_AUDIO,
            at,
            text!(
                "`{path}` does not lie in the project",
                "`{path}` 不在项目内"
            ),
        )
        .help(text!(
            "paths begin at the project's folder and never contain `..`",
            "路径从项目文件夹开始，且不能含 `..`"
        ));
}
