use std::collections::BTreeMap;

use super::plugin_outdated;
use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: a `use:` whose `plugin/step@major` no plugin of the project offers.
    ///
    /// ```yaml
    /// lookup:
    ///   use: orders/lokup@1
    ///   with: { order_no: "20260302" }
    ///   then: { else: bye }
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// lookup:
    ///   use: orders/lookup@1
    ///   with: { order_no: "20260302" }
    ///   then: { else: bye }
    /// ```
    UNKNOWN_PLUGIN = "unknown-plugin", Error, "there is no such plugin or step of a plugin", "没有这个插件或插件步骤"
}

pub(crate) fn unknown(
    report: &mut Report<'_>,
    at: Span,
    name: &str,
    meant: Option<&str>,
    names: &[String],
) {
    let _done = report
        .find(
            &UNKNOWN_PLUGIN,
            at,
            text!(
                "no plugin of this project offers `{name}`",
                "项目中没有插件提供 `{name}`"
            ),
        )
        .did_you_mean(at, meant, names);
}

/// Of a flow outside any project.
pub(crate) fn outside(report: &mut Report<'_>, at: Span, name: &str) {
    report
        .find(
            &UNKNOWN_PLUGIN,
            at,
            text!(
                "outside a project no plugin is known, and so none that offers `{name}`",
                "项目之外没有已知的插件，因此没有提供 `{name}` 的插件"
            ),
        )
        .help(text!(
            "check the flow in its project: the folder with `strowger.toml`, which names its plugins",
            "请在项目中检查此流程：含有 `strowger.toml` 的文件夹，其中列出插件"
        ));
}

pub(crate) fn other_major(
    report: &mut Report<'_>,
    at: Span,
    name: &str,
    there: &str,
    changes: Option<&BTreeMap<String, String>>,
) {
    let help = changes.and_then(plugin_outdated::words).unwrap_or_else(|| {
        text!(
            "look at what is different there, then write `{there}`",
            "请先了解有何不同，再写 `{there}`"
        )
    });
    report
        .find(
            &UNKNOWN_PLUGIN,
            at,
            text!(
                "this project has `{there}`, not `{name}`",
                "项目里有 `{there}`，没有 `{name}`"
            ),
        )
        .help(help);
}

pub(crate) fn malformed(report: &mut Report<'_>, at: Span, name: &str) {
    report
        .find(
            &UNKNOWN_PLUGIN,
            at,
            text!(
                "`{name}` does not name a plugin's step",
                "`{name}` 不是插件步骤的写法"
            ),
        )
        .help(text!(
            "write `plugin/step@major`, as in `orders/lookup@1`",
            "请写 `插件/步骤@主版本`，例如 `orders/lookup@1`"
        ));
}
