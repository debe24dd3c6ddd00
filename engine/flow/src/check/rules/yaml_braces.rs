use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: an unquoted `${ … }` between `{ }` or `[ ]`. To YAML its braces open another map.
    ///
    /// ```yaml
    /// who:
    ///   use: crm/caller@2
    ///   with: { phone: ${call.from} }
    ///   then: { else: bye }
    /// ```
    ///
    /// Write quotes:
    ///
    /// ```yaml
    /// who:
    ///   use: crm/caller@2
    ///   with: { phone: "${call.from}" }
    ///   then: { else: bye }
    /// ```
    ///
    /// On lines of their own, as in `phone: ${call.from}`, no quotes are needed.
    YAML_BRACES = "yaml-braces", Error, "`${ … }` without quotes in a one-line map or list", "单行映射或列表中的 `${ … }` 缺少引号"
}

/// `whole` is the place with what stands around it for quotes, such as `“`.
pub(crate) fn braces_in_flow_map(report: &mut Report<'_>, at: Span, whole: Span, source: &str) {
    let written = source.get(at.start..at.end).unwrap_or_default();
    let before = source[..whole.start].trim_end_matches(' ');
    let after = source[whole.end..].trim_start_matches(' ');
    // Quotes around the braces alone are right only where nothing else belongs to the same text.
    let alone = before.ends_with(['{', '[', ',', ':'])
        && after.starts_with(['}', ']', ',', '\n', '\r'])
        && written.ends_with('}')
        && !written.contains(['"', '\\']);
    let at = if alone { whole } else { at };
    let found = report.find(
        &YAML_BRACES,
        at,
        text!(
            "between `{{ }}` or `[ ]`, a `${{ … }}` needs quotes",
            "在 `{{ }}` 或 `[ ]` 中，`${{ … }}` 需要引号"
        ),
    );
    let _done = if alone {
        found
            .help(text!("write \"{written}\"", "请写 \"{written}\""))
            .fix(at, format!("\"{written}\""))
    } else {
        found.help(text!(
            "put the whole text into quotes, or write it on a line of its own",
            "请把整段文本放进引号，或单独写一行"
        ))
    };
}
