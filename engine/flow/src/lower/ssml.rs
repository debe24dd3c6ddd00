//! The little markup that prompts may use.

use crate::check::report::Report;
use crate::check::rules::bad_ssml;
use crate::expr::Span;
use crate::speak::markup::{Tag, tags, wrong_attributes};
use crate::yaml::Scalar;

/// Checks that every tag is one that can be spoken, with the attributes that it has, and that tags close in their order.
pub(super) fn check(report: &mut Report<'_>, whole: Span, scalar: &Scalar) {
    let text = &scalar.text;
    let mut open: Vec<(Tag<'_>, Span)> = Vec::new();
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
        if !bad_ssml::TAGS.contains(&tag.name) {
            bad_ssml::unknown(report, span, tag.name);
            continue;
        }
        if !tag.ended {
            bad_ssml::unbalanced(report, span, tag.name);
        } else if tag.closing {
            match open.pop() {
                Some((opened, _)) if opened.name == tag.name => {}
                _ => bad_ssml::unbalanced(report, span, tag.name),
            }
        } else if !tag.empty {
            open.push((tag, span));
        }
        if tag.ended {
            for wrong in wrong_attributes(&tag) {
                bad_ssml::attribute(report, span, tag.name, &wrong);
            }
        }
    }
    for (tag, span) in open {
        bad_ssml::unbalanced(report, span, tag.name);
    }
}
