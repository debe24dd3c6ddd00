use crate::check::report::Report;
use crate::diagnostic::{Text, text};
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

/// `fitting` are the units with which the number is neither too long nor too short for its place.
pub(crate) fn missing(
    report: &mut Report<'_>,
    at: Span,
    key: &str,
    number: &str,
    fitting: &[&str],
) {
    let found = report
        .find(
            &MISSING_UNIT,
            at,
            text!(
                "`{key}: {number}` has no unit",
                "`{key}: {number}` 没有单位"
            ),
        );
    let fits = |unit: &str| fitting.contains(&unit);
    // So many seconds would be minutes or hours: they may be milliseconds.
    let many = match number.len() {
        3 => fits("ms"),
        digits => digits > 3,
    };
    let _done = match many {
        false if fits("s") => found
            .help(text!("write `{number}s` for seconds", "秒请写 `{number}s`"))
            .fix(at, format!("{number}s")),
        true if fits("ms") && fits("s") => found.help(text!(
            "write `{number}ms` for milliseconds, or `{number}s` for seconds",
            "毫秒请写 `{number}ms`，秒请写 `{number}s`"
        )),
        _ if fitting.is_empty() => found.help(text!(
            "write it with a unit, such as `5s` or `3m`",
            "请写上单位，例如 `5s` 或 `3m`"
        )),
        _ => {
            let written: Vec<String> = fitting
                .iter()
                .map(|unit| format!("`{number}{unit}`"))
                .collect();
            let written = Text::both(written.join(" or "), written.join(" 或 "));
            found.help(text!("write {written}", "请写 {written}"; written))
        }
    };
}
