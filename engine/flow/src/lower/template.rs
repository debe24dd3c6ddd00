//! Scalars that hold expressions, and the small literals of options.

use super::insertions::Insertions;
use super::{Binds, Lowerer, Want, spelt};
use crate::check::rules::{
    bad_duration, bad_expression, bad_value, braces_in_expression, missing_unit, rule_of,
};
use crate::check::suggest::Proof;
use crate::diagnostic::{Text, text};
use crate::expr::{self, Expr, Finding, Place};
use crate::plan::{NodeId, Piece, Template};
use crate::value::{Type, UNITS, Value, parse_literal};
use crate::yaml::{Node, Scalar};

impl<'t> Lowerer<'t> {
    /// No names but the flow's own.
    pub(super) fn no_binds(&self) -> Binds {
        self.unbound.clone()
    }

    /// A bare expression, such as a condition.
    pub(super) fn bare(&mut self, key: &str, node: &'t Node<'t>) -> Option<Expr> {
        if let Some(expr) = self.in_double_braces(key, node) {
            return Some(expr);
        }
        if self.in_tag(node) {
            return None;
        }
        self.expect_text(key, node, Text::fixed("an expression", "表达式"))?;
        let scalar = node.scalar()?;
        let at = scalar.exact.unwrap_or(node.span.start);
        let mut text = scalar.text.as_ref();
        let mut at = at + (text.len() - text.trim_start().len());
        text = text.trim();
        if expr::single(text) {
            let bare = &text[2..text.len() - 1];
            let fix = scalar.exact.map(|_| bare.trim());
            braces_in_expression::braces(&mut self.report, node.span, key, fix);
            text = bare;
            at += 2;
        } else if text.contains("${") {
            braces_in_expression::braces(&mut self.report, node.span, key, None);
            return None;
        }
        let place = match scalar.exact {
            Some(_) => Place::Exact(at),
            None => Place::Within(node.span),
        };
        match expr::parse_at(text, place) {
            Ok(expr) => Some(expr),
            Err(findings) => {
                self.findings(findings);
                None
            }
        }
    }

    /// `if: !paid and tries < 3`, which YAML takes for a tag before the rest: told once, as what it is.
    fn in_tag(&mut self, node: &Node<'_>) -> bool {
        let source = self.report.lines().source();
        let mut told = self.report.diagnostics().iter();
        let tag = told.find_map(|found| {
            let at = found.primary.span;
            let between = source.get(at.end..node.span.start)?;
            (found.rule == "yaml-tag" && between.trim().is_empty()).then_some(at)
        });
        let Some(tag) = tag.filter(|_| node.scalar().is_some()) else {
            return false;
        };
        let written = source.get(tag.start..node.span.end.max(tag.end));
        let Some(Err(findings)) = written.map(|written| expr::parse(written.trim(), tag.start))
        else {
            return false;
        };
        self.report
            .remove(|found| found.rule == "yaml-tag" && found.primary.span == tag);
        self.findings(findings);
        true
    }

    /// `if: {{ tries < 3 }}`, which YAML takes for a map within a map: told once, as what it is.
    fn in_double_braces(&mut self, key: &str, node: &'t Node<'t>) -> Option<Expr> {
        node.map()?;
        let source = self.report.lines().source();
        let written = source.get(node.span.start..node.span.end)?;
        let inner = written.strip_prefix("{{")?.strip_suffix("}}")?;
        let bare = inner.trim();
        let at = node.span.start + 2 + (inner.len() - inner.trim_start().len());
        let expr = expr::parse(bare, at).ok()?;
        self.report.remove(|found| {
            let at = found.primary.span;
            found.rule == "yaml-key" && node.span.start <= at.start && at.end <= node.span.end
        });
        braces_in_expression::braces(&mut self.report, node.span, key, Some(bare));
        Some(expr)
    }

    /// A condition of an action.
    pub(super) fn condition(&mut self, id: NodeId, key: &str, node: &'t Node<'t>) -> Option<Expr> {
        let expr = self.bare(key, node)?;
        let binds = self.no_binds();
        self.used(id, &expr, &binds, Want::Condition);
        Some(expr)
    }

    /// A text with `${ … }` in it, in pieces.
    pub(super) fn pieces(&mut self, node: &Node, scalar: &Scalar) -> Option<Vec<Piece>> {
        let insertions = Insertions::new(self.report.lines().source(), node, scalar);
        match expr::parse_pieces_at(&scalar.text, &|part| insertions.place(part)) {
            Ok(pieces) => Some(pieces),
            Err(findings) => {
                self.findings(findings);
                None
            }
        }
    }

    /// A text for a field that takes text; a single `${ … }` keeps its type and must be of type `ty`.
    pub(super) fn text_template(
        &mut self,
        id: NodeId,
        node: &'t Node<'t>,
        binds: &Binds,
        place: &Text,
        ty: &Type,
        secret: bool,
    ) -> Option<Template> {
        let scalar = node.scalar()?;
        let mut pieces = self.pieces(node, scalar)?;
        if expr::single(&scalar.text) && pieces.len() == 1 {
            if let Some(Piece::Expr(expr)) = pieces.pop() {
                let want = Want::Value {
                    place: place.clone(),
                    ty: ty.clone(),
                    secret,
                };
                self.used(id, &expr, binds, want);
                return Some(Template::Expr(expr));
            }
            return None;
        }
        if let [] | [Piece::Text(_)] = pieces.as_slice() {
            let text = match pieces.pop() {
                Some(Piece::Text(text)) => text,
                _ => String::new(),
            };
            return Some(Template::Literal(Value::Text(text)));
        }
        for piece in &pieces {
            if let Piece::Expr(expr) = piece {
                let want = Want::Inserted {
                    place: place.clone(),
                };
                self.used(id, expr, binds, want);
            }
        }
        Some(Template::Text(pieces))
    }

    /// Takes over what is wrong with an expression.
    pub(super) fn findings(&mut self, findings: Vec<Finding>) {
        for finding in findings {
            tell(&mut self.report, finding);
        }
    }

    /// A duration in milliseconds.
    pub(super) fn duration(&mut self, key: &str, node: &Node) -> Option<u64> {
        self.duration_within(key, node, (0, u64::MAX))
    }

    /// The same of which the least and the most are known; a number without a unit is only taken for what fits there.
    pub(super) fn duration_within(
        &mut self,
        key: &str,
        node: &Node,
        (least, most): (u64, u64),
    ) -> Option<u64> {
        let text = match node.text() {
            Some(text) => text,
            None => {
                self.wrong_shape(
                    key,
                    node,
                    Text::fixed("a duration such as `5s`", "时长，例如 `5s`"),
                );
                return None;
            }
        };
        match parse_literal(text, &Type::Duration) {
            Ok(Value::Duration(ms)) if ms >= 0 => u64::try_from(ms).ok(),
            Ok(_) => {
                let why = Text::fixed("a duration cannot be negative", "时长不能为负");
                bad_duration::bad(&mut self.report, node.span, why);
                None
            }
            Err(_) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                let number = text.parse::<u64>().unwrap_or(u64::MAX);
                let fits = |ms: u64| (least..=most).contains(&number.saturating_mul(ms));
                let shortest_first = UNITS.iter().rev();
                let units = shortest_first.map(|(unit, ms)| (*unit, ms.unsigned_abs()));
                let mut units = units.filter(|(_, ms)| fits(*ms));
                let fitting: Vec<&str> = units.clone().map(|(unit, _)| unit).collect();
                missing_unit::missing(&mut self.report, node.span, key, text, &fitting);
                // Taken for seconds, or for what they may be else, so that nothing else is said about it.
                let number = text.parse::<u64>().ok()?;
                Some(match units.next() {
                    None => least,
                    Some(_) if text.len() < 4 && fits(1000) => number * 1000,
                    Some((_, ms)) => number * ms,
                })
            }
            Err(why) => {
                match spelt::duration(text) {
                    Some(meant) => {
                        bad_duration::spelt(&mut self.report, node.span, why, &meant);
                    }
                    None => bad_duration::bad(&mut self.report, node.span, why),
                }
                None
            }
        }
    }

    /// A whole number within bounds.
    pub(super) fn whole(&mut self, key: &str, node: &Node, least: u32, most: u32) -> Option<u32> {
        match node.text().map(str::parse::<u32>) {
            Some(Ok(number)) if (least..=most).contains(&number) => Some(number),
            None => {
                self.wrong_shape(key, node, Text::fixed("a whole number", "整数"));
                None
            }
            _ => {
                let why = text!(
                    "`{key}` is a whole number from {least} to {most}",
                    "`{key}` 是 {least} 到 {most} 的整数"
                );
                bad_value::why(&mut self.report, node.span, why, None);
                None
            }
        }
    }

    /// `true` or `false`.
    pub(super) fn yes_or_no(&mut self, key: &str, node: &Node) -> Option<bool> {
        match node.text() {
            Some("true") => Some(true),
            Some("false") => Some(false),
            Some(other) => {
                let names = ["true".to_owned(), "false".to_owned()];
                bad_value::word(&mut self.report, node.span, key, other, &names);
                None
            }
            None => {
                self.wrong_shape(
                    key,
                    node,
                    Text::fixed("`true` or `false`", "`true` 或 `false`"),
                );
                None
            }
        }
    }
}

/// A finding of the expression language as one of the file.
pub(crate) fn tell(report: &mut crate::check::report::Report<'_>, finding: Finding) {
    let rule = rule_of(finding.rule).unwrap_or(&bad_expression::BAD_EXPRESSION);
    let source = report.lines().source();
    let change = finding.change.filter(|change| change.fits(source));
    let mut found = report.find(rule, finding.span, finding.message);
    if let Some(help) = finding.help {
        found = found.help(*help);
    }
    if let Some(change) = change {
        // Of signs it is known what they are for; a name is the nearest one.
        let named = rule.slug.starts_with("unknown-") || rule.slug == "impossible-comparison";
        let _done = match named {
            true => found.guess(change.span, &change.replacement, &[], Proof::of(rule.slug)),
            false => found.fix(change.span, change.replacement),
        };
    }
}
