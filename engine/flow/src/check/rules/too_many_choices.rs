use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: a menu with more than six keys that are announced. Callers forget the first by the time they hear the last.
    TOO_MANY_CHOICES = "too-many-choices", Warning, "more choices than a caller can keep in mind", "选项过多"
}

pub(crate) fn too_many(report: &mut Report<'_>, at: Span, count: usize, limit: usize) {
    report
        .find(
            &TOO_MANY_CHOICES,
            at,
            text!(
                "{count} choices are more than a caller keeps in mind",
                "{count} 个选项太多，来电者记不住"
            ),
        )
        .help(text!(
            "offer at most {limit}, and the rest in a second menu",
            "最多 {limit} 个，其余放到第二级菜单"
        ));
}
