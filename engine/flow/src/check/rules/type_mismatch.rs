use crate::check::report::Report;
use crate::diagnostic::{Text, text};
use crate::expr::Span;
use crate::value::Type;

rule! {
    /// What it finds: a value of one type where another is expected: a text compared by size with a number, a text given to a field that
    /// takes a number. Nothing is ever converted in silence.
    ///
    /// ```yaml
    /// check:
    ///   if: call.priority > "fifty"
    ///   then: bye
    ///   else: bye
    /// ```
    ///
    /// Write instead:
    ///
    /// ```yaml
    /// check:
    ///   if: call.priority > 50
    ///   then: bye
    ///   else: bye
    /// ```
    TYPE_MISMATCH = "type-mismatch", Error, "a value of the wrong kind", "类型不匹配"
}

pub(crate) fn mismatch(report: &mut Report<'_>, at: Span, what: &Text, expected: &Type, is: &Type) {
    // Of an object, a field that would fit was meant.
    let meant = match is {
        Type::Object { fields, .. } => fields
            .iter()
            .find(|(_, ty)| expected.accepts(ty))
            .map(|(field, _)| field),
        _ => None,
    };
    let written = report.lines().source().get(at.start..at.end);
    let help = meant.zip(written).map(|(field, written)| {
        text!(
            "write `{written}.{field}`; `into:` in place of `as:` keeps that value alone",
            "请写 `{written}.{field}`；用 `into:` 代替 `as:` 则只保留该值"
        )
    });
    let (expected, is) = (expected.with_article(), is.with_article());
    let found = report.find(
        &TYPE_MISMATCH,
        at,
        text!(
            "{what} takes {expected}, and this is {is}",
            "{what} 需要 {expected}，而这里是 {is}";
            what,
            expected,
            is,
        ),
    );
    if let Some(help) = help {
        let _done = found.help(help);
    }
}

pub(crate) fn unsayable(report: &mut Report<'_>, at: Span, is: &Type) {
    let is = is.with_article();
    report
        .find(
            &TYPE_MISMATCH,
            at,
            text!("{is} cannot be said as it stands", "{is} 不能直接读出"; is),
        )
        .help(text!(
            "name one of its fields, or join a list with `| join`",
            "请写出它的某个字段，或用 `| join` 连接列表"
        ));
}

pub(crate) fn maybe_none(report: &mut Report<'_>, at: Span) {
    report
        .find(&TYPE_MISMATCH, at, text!("this may be `none`, and then nothing can be said", "这个值可能是 `none`，那样就无话可说"))
        .help(text!("give it a default: `${{ … | default(\"…\") }}`, or skip the step: `when: … is not none`", "请给默认值 `${{ … | default(\"…\") }}`，或跳过该步骤 `when: … is not none`"));
}


/// The last four characters of a secret that may have too few: the least and the most digits that it has, and the least that are shown of.
pub(crate) fn too_short(
    report: &mut Report<'_>,
    at: Span,
    name: &str,
    (least, most): (u32, u32),
    shown: u32,
) {
    let message = match most < shown {
        true => text!(
            "`{name}` has {most} digits at most, and `last4` shows nothing of a secret of fewer than {shown}",
            "`{name}` 最多 {most} 位，而少于 {shown} 位的机密不会被 `last4` 读出任何内容"
        ),
        false => text!(
            "`{name}` may have {least} digits, and `last4` shows nothing of a secret of fewer than {shown}",
            "`{name}` 可能只有 {least} 位，而少于 {shown} 位的机密不会被 `last4` 读出任何内容"
        ),
    };
    report.find(&TYPE_MISMATCH, at, message).help(text!(
        "leave it out, or ask for {shown} digits at least",
        "请去掉它，或至少要求 {shown} 位数字"
    ));
}
