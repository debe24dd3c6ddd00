use crate::check::report::Report;
use crate::check::suggest::{nearest, shown};
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: a prompt without a text in one of the flow's languages and without `any`, or with a text in a language that the flow
    /// does not speak. Callers of the missing language would hear another.
    ///
    /// ```yaml
    /// languages: [zh, en]
    /// prompts:
    ///   goodbye: { zh: 再见。 }
    /// end:
    ///   - say: goodbye
    ///   - hangup: completed
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// languages: [zh, en]
    /// prompts:
    ///   goodbye: { zh: 再见。, en: Goodbye. }
    /// end:
    ///   - say: goodbye
    ///   - hangup: completed
    /// ```
    MISSING_TRANSLATION = "missing-translation", Warning, "a prompt lacks a language", "提示缺少译文"
}

pub(crate) fn missing(report: &mut Report<'_>, at: Span, name: &str, languages: &[String]) {
    let list = shown(languages);
    let first = languages.first().map(String::as_str).unwrap_or_default();
    report
        .find(
            &MISSING_TRANSLATION,
            at,
            text!(
                "the prompt `{name}` has no text in {list}",
                "提示 `{name}` 缺少 {list} 的文本";
                list,
            ),
        )
        .help(text!(
            "add `{first}:`, or `any:` if it suits every language",
            "请添加 `{first}:`，或用 `any:` 适用所有语言"
        ));
}

/// The language that was probably meant, of those that the prompt lacks, or `any`.
pub(crate) fn meant<'l>(language: &str, languages: &'l [String]) -> Option<&'l str> {
    nearest(language, languages.iter().map(String::as_str).chain(["any"]))
}

pub(crate) fn unused_language(
    report: &mut Report<'_>,
    at: Span,
    language: &str,
    (lacking, languages): (&[String], &[String]),
) {
    let meant = meant(language, lacking);
    let found = report
        .find(
            &MISSING_TRANSLATION,
            at,
            text!(
                "`{language}` is none of this flow's languages",
                "`{language}` 不是此流程的语言"
            ),
        );
    let _done = match (meant, lacking) {
        // The only one that lacks.
        (Some(meant), [lacks]) if meant == lacks => found.means(at, meant),
        _ => found.did_you_mean(at, meant, languages),
    };
}

/// Of a language under another name, read as it was meant.
pub(crate) fn called(report: &mut Report<'_>, at: Span, name: &str, meant: &str) {
    let message = text!(
        "`{name}` is none of this flow's languages",
        "`{name}` 不是此流程的语言"
    );
    let _done = report
        .find(&MISSING_TRANSLATION, at, message)
        .means(at, meant);
}
