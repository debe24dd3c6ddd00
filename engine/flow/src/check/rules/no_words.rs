use crate::check::report::Report;
use crate::check::suggest::shown;
use crate::diagnostic::text;
use crate::expr::Span;
use crate::speak::LANGUAGES;

rule! {
    /// What it finds: a filter that puts a value into words, such as `number`, `date` or `money`, in a language that has none here. There are
    /// words for English and Chinese. In another language the action fails when it comes to that, and takes the error edge.
    ///
    /// ```yaml
    /// languages: [fr, en]
    /// vars: { n: { type: number, default: 3 } }
    /// start:
    ///   - say: { fr: "Il y en a ${n | number}.", en: "There are ${n | number}." }
    ///   - goto: bye
    /// ```
    ///
    /// Insert the value without a filter (a date is then figures), or write the words:
    ///
    /// ```yaml
    /// languages: [fr, en]
    /// vars: { n: { type: number, default: 3 } }
    /// start:
    ///   - say: { fr: "Il y en a ${n}.", en: "There are ${n | number}." }
    ///   - goto: bye
    /// ```
    NO_WORDS = "no-words", Error, "a value for which a language has no words", "该语言没有可用的读法"
}

pub(crate) fn none(report: &mut Report<'_>, at: Span, filter: &str, languages: &[String]) {
    let list = shown(languages);
    let known = shown(&LANGUAGES);
    report
        .find(
            &NO_WORDS,
            at,
            text!(
                "`{filter}` has no words in {list}; there are words in {known}",
                "`{filter}` 在 {list} 中没有读法；现有 {known}";
                list,
                known,
            ),
        )
        .help(text!(
            "leave `| {filter}` out, or write the words of each language yourself",
            "请去掉 `| {filter}`，或自行写出各语言的说法"
        ));
}
