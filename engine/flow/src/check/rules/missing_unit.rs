use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: a bare number where a duration is expected. Three seconds or three minutes? A caller would notice the
    /// difference.
    ///
    /// ```yaml
    /// pause:
    ///   - wait: 3
    ///   - goto: bye
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// pause:
    ///   - wait: 3s
    ///   - goto: bye
    /// ```
    ///
    /// The units are `ms`, `s`, `m` and `h`: `250ms`, `5s`, `3m`, `1h30m`.
    MISSING_UNIT = "missing-unit", Error, "a duration without a unit", "时长缺少单位"
}

pub(crate) fn missing(report: &mut Report<'_>, at: Span, key: &str, number: &str) {
    let found = report
        .find(
            &MISSING_UNIT,
            at,
            text!(
                "`{key}: {number}` has no unit",
                "`{key}: {number}` 没有单位"
            ),
        );
    // So many seconds are hours: they may be milliseconds.
    let _done = match number.len() {
        ..4 => found
            .help(text!("write `{number}s` for seconds", "秒请写 `{number}s`"))
            .fix(at, format!("{number}s")),
        _ => found.help(text!(
            "write `{number}ms` for milliseconds, or `{number}s` for seconds",
            "毫秒请写 `{number}ms`，秒请写 `{number}s`"
        )),
    };
}
