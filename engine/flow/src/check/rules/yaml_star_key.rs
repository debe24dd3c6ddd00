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
    /// Also `* say: Hello.` for an item of a list, which begins with a hyphen: `- say: Hello.`
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

/// Of a `*` at the beginning of a line that is to be an item of a list; `certain` where the lines beside it are.
pub(crate) fn item(report: &mut Report<'_>, star: Span, certain: bool) {
    let found = report
        .find(
            &YAML_STAR_KEY,
            star,
            text!(
                "an item of a list begins with `-`, not with `*`",
                "列表的每一项以 `-` 开头，而不是 `*`"
            ),
        )
        .help(text!("write `-`", "请写 `-`"));
    if certain {
        let _done = found.fix(star, "-");
    }
}
