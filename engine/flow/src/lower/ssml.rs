//! The little markup that prompts may use.

use crate::check::report::Report;
use crate::check::rules::bad_ssml;
use crate::expr::Span;
use crate::speak::markup::{Tag, tags, wrong_attributes};
use crate::yaml::Scalar;

/// Checks that every tag is one that can be spoken, with the attributes that it has, and that tags close in their order.
pub(super) fn check(report: &mut Report<'_>, whole: Span, scalar: &Scalar) {
    let text = &scalar.text;
    // Each with whether it is told already that it is none.
    let mut open: Vec<(Tag<'_>, Span, bool)> = Vec::new();
    for tag in tags(text) {
        if report.is_full() {
            return;
        }
        let span = match scalar.exact {
            Some(start) => Span {
                start: start + tag.start,
                end: start + tag.end,
            },
            None => whole,
        };
        let told = open
            .last()
            .is_some_and(|(opened, _, told)| *told && opened.name.eq_ignore_ascii_case(tag.name));
        if tag.closing && told {
            open.pop();
            continue;
        }
        if !bad_ssml::TAGS.contains(&tag.name) {
            bad_ssml::unknown(report, span, tag.name);
            if !tag.closing && !tag.empty {
                open.push((tag, span, true));
            }
            continue;
        }
        if !tag.ended {
            bad_ssml::unbalanced(report, span, tag.name);
            continue;
        }
        for wrong in wrong_attributes(&tag) {
            bad_ssml::attribute(report, span, tag.name, &wrong);
        }
        if tag.closing {
            match open.pop() {
                Some((opened, ..)) if opened.name == tag.name => {}
                _ => bad_ssml::unbalanced(report, span, tag.name),
            }
        } else if !tag.empty {
            open.push((tag, span, false));
        }
    }
    for (tag, span, _) in open.into_iter().filter(|(.., told)| !told) {
        bad_ssml::unbalanced(report, span, tag.name);
    }
}
