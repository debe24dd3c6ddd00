use crate::check::report::Report;
use crate::diagnostic::text;
use crate::expr::Span;

rule! {
    /// What it finds: a menu with more than six keys that are announced. Callers forget the first by the time they hear the last.
    ///
    /// ```yaml
    /// main:
    ///   menu: "${choices}"
    ///   press:
    ///     1: { to: bye, label: check an order }
    ///     2: { to: bye, label: place an order }
    ///     3: { to: bye, label: cancel an order }
    ///     4: { to: bye, label: return something }
    ///     5: { to: bye, label: change your address }
    ///     6: { to: bye, label: make a complaint }
    ///     0: { to: bye, label: speak to someone }
    ///   then: { else: bye }
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// main:
    ///   menu: "${choices}"
    ///   press:
    ///     1: { to: bye, label: talk about an order }
    ///     2: { to: bye, label: talk about your account }
    ///     0: { to: bye, label: speak to someone }
    ///   then: { else: bye }
    /// ```
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
