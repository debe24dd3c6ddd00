use crate::check::report::Report;
use crate::diagnostic::{Text, text};
use crate::expr::Span;

rule! {
    /// What it finds: a text of a menu or a question that takes more than about 30 seconds to say. Callers who know what they want have
    /// to sit through it; those who do not have forgotten its beginning.
    LONG_PROMPT = "long-prompt", Warning, "a prompt that takes too long", "提示过长"
}

pub(crate) fn long(report: &mut Report<'_>, at: Span, name: &Text, seconds: u64) {
    report
        .find(
            &LONG_PROMPT,
            at,
            text!(
                "saying {name} takes about {seconds} seconds",
                "读完 {name} 约需 {seconds} 秒";
                name,
            ),
        )
        .help(text!(
            "cut it down, or split it into several prompts",
            "请缩短或拆成几段"
        ));
}
