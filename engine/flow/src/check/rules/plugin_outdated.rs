use std::collections::BTreeMap;

use crate::check::report::Report;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: a step of which its plugin has a newer major version, and a step or an input that its plugin calls
    /// `deprecated`. The flow runs as before; the day will come on which it does not. The help says in the words of the
    /// plugin's author what to use instead, or what has changed.
    ///
    /// ```yaml
    /// start:
    ///   use: parcels/track@1
    ///   timeout: 2s
    ///   with: { number: "42" }
    ///   then: { found: bye, not_found: bye, error: bye, timeout: bye }
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// start:
    ///   use: parcels/track@2
    ///   timeout: 2s
    ///   with: { number: "42" }
    ///   then: { found: bye, not_found: bye, error: bye, timeout: bye }
    /// ```
    PLUGIN_OUTDATED = "plugin-outdated", Warning, "a step or an input that a plugin has left behind", "插件已不再推荐的步骤或输入"
}

pub(crate) fn newer(
    report: &mut Report<'_>,
    at: Span,
    key: &str,
    newest: &str,
    changes: &BTreeMap<String, String>,
) {
    let help = words(changes).unwrap_or_else(|| {
        text!(
            "look at what has changed, then write `{newest}`",
            "请先了解有何变化，再写 `{newest}`"
        )
    });
    report
        .find(
            &PLUGIN_OUTDATED,
            at,
            text!(
                "`{key}` is outdated: there is `{newest}`",
                "`{key}` 已过时：现有 `{newest}`"
            ),
        )
        .help(help);
}

pub(crate) fn step(
    report: &mut Report<'_>,
    at: Span,
    key: &str,
    instead: &BTreeMap<String, String>,
) {
    let found = report.find(
        &PLUGIN_OUTDATED,
        at,
        text!(
            "`{key}` is deprecated: its plugin will not keep it",
            "`{key}` 已弃用：插件今后不再保留它"
        ),
    );
    if let Some(instead) = words(instead) {
        let _done = found.help(instead);
    }
}

pub(crate) fn input(
    report: &mut Report<'_>,
    at: Span,
    name: &str,
    instead: &serde_json::Value,
) {
    let instead: BTreeMap<String, String> = instead
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(language, text)| Some((language.clone(), text.as_str()?.to_owned())))
        .collect();
    let found = report.find(
        &PLUGIN_OUTDATED,
        at,
        text!(
            "the input `{name}` is deprecated: its plugin will not keep it",
            "输入 `{name}` 已弃用：插件今后不再保留它"
        ),
    );
    if let Some(instead) = words(&instead) {
        let _done = found.help(instead);
    }
}

/// What a plugin's author wrote, in the languages of findings: what stands there in one language alone is quoted in
/// the other.
pub(super) fn words(texts: &BTreeMap<String, String>) -> Option<Text> {
    let of = |language: &str| {
        let same = |tag: &str| tag.split('-').next() == Some(language);
        texts.iter().find(|(tag, _)| same(tag)).map(|(_, text)| text)
    };
    let any = texts.values().next()?;
    let written = |language| of(language).cloned().unwrap_or_else(|| format!("\"{any}\""));
    let chinese = match of("zh") {
        Some(chinese) => chinese.clone(),
        None => format!("插件的说明：{}", written("zh")),
    };
    Some(Text::both(written("en"), chinese))
}
