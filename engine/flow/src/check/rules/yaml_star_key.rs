use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: `*:` among the keys of a `press:`. To YAML a star begins an alias.
    ///
    /// ```yaml
    /// main:
    ///   menu: For a person press star.
    ///   press:
    ///     *: bye
    ///   then: { else: bye }
    /// ```
    ///
    /// Write the key's name:
    ///
    /// ```yaml
    /// main:
    ///   menu: For a person press star.
    ///   press:
    ///     star: bye
    ///   then: { else: bye }
    /// ```
    YAML_STAR_KEY = "yaml-star-key", Error, "`*` cannot be a key in YAML", "YAML 中不能直接用 `*` 作键"
}

pub(crate) fn star_key(report: &mut Report<'_>, at: Span) {
    let star = Span {
        start: at.start,
        end: at.start + 1,
    };
    report
        .find(
            &YAML_STAR_KEY,
            star,
            text!(
                "YAML does not allow `*` as a key",
                "YAML 不允许直接用 `*` 作键"
            ),
        )
        .help(text!("write `star`", "请写 `star`"))
        .fix(star, "star");
}
