//! Types of expressions where they stand, and whether their variables have a value there.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::apology::{self, APOLOGY};
use super::assign::Assignments;
use super::graph::Graph;
use super::report::Report;
use super::rules::{
    missing_outcome, secret_leak, type_mismatch, unassigned_variable, unknown_outcome, unused,
};
use super::said::digits_of;
use super::suggest::{misspelt, nearest};
use crate::catalog::bound_inputs;
use crate::diagnostic::Text;
use crate::expr::{self, Expr, Lookup, Span, TypeScope};
use crate::hashed::HashSet;
use crate::lower::template::tell;
use crate::lower::{Binds, Draft, MAX_COMPARED, Use, Want, is_otherwise, is_variable};
use crate::plan::Action;
use crate::value::{Secret, Type, Value};

/// Shortest secret of which anything is shown, in characters.
const MIN_SHOWN: u32 = Secret::SHOWN_FROM as u32;

pub(super) fn check(
    graph: &Graph<'_>,
    draft: &Draft<'_>,
    assigned: &Assignments<'_>,
    report: &mut Report<'_>,
) {
    let call = type_of_call(&draft.languages);
    let mut checker = Checker {
        graph,
        draft,
        assigned,
        report,
        call,
        read: HashSet::default(),
        roots: Vec::new(),
        never: HashSet::default(),
        to_compare: Cell::new(MAX_COMPARED),
        digits: digits_of(draft),
    };
    for used in &draft.uses {
        checker.used(used);
    }
    let mut seen: HashSet<(usize, usize, Vec<&str>)> = HashSet::default();
    for used in &draft.prompt_uses {
        // The same prompt in the same step is looked at once for all inputs that know the same names.
        let names = used.binds.keys().map(String::as_str).collect();
        if seen.insert((used.node.0 as usize, used.prompt, names)) {
            for expr in &draft.prompts[used.prompt].exprs {
                checker.inserted(
                    used.node.0 as usize,
                    expr,
                    &used.binds,
                    &Text::fixed("a prompt", "提示"),
                );
            }
        }
    }
    if let (Some(apology), Some(start)) = (apology::place(draft), draft.start)
        && !draft.prompts[apology].used
    {
        let certain = |expr: &&Expr| {
            let roots = expr.roots();
            let mut roots = roots.iter();
            // Of the others it is told that they may have no value, or that they are unknown.
            roots.all(|(name, _)| apology::is_certain(name, draft) || !assigned.is_set(name))
        };
        let said = Text::fixed("a prompt", "提示");
        for expr in draft.prompts[apology].exprs.iter().filter(certain) {
            checker.inserted(start.0 as usize, expr, &Binds::default(), &said);
        }
    }
    let read = checker.read;
    for prompt in &draft.prompts {
        if let Some(name) = prompt
            .prompt
            .name
            .as_ref()
            .filter(|name| !prompt.used && *name != APOLOGY)
        {
            unused::unused(report, prompt.span, Text::fixed("prompt", "提示"), name);
        }
    }
    let in_unused: HashSet<&str> = draft
        .prompts
        .iter()
        .filter(|prompt| !prompt.used)
        .flat_map(|prompt| &prompt.exprs)
        .flat_map(Expr::roots)
        .map(|(name, _)| name)
        .collect();
    for (name, var) in &draft.vars {
        let mentioned = read.contains(name.as_str()) || in_unused.contains(name.as_str());
        if !assigned.is_set(name) && !mentioned && is_variable(name) && var.understood {
            unused::unused(report, var.span, Text::fixed("variable", "变量"), name);
        }
    }
}

/// What every flow knows about its contact.
pub(crate) fn type_of_call(languages: &[String]) -> Type {
    let fields = [
        ("id", Type::Text),
        ("from", Type::Phone),
        ("to", Type::Phone),
        ("language", Type::OneOf(languages.to_vec())),
        (
            "channel",
            Type::OneOf(vec!["voice".to_owned(), "chat".to_owned()]),
        ),
        ("priority", Type::Number),
        ("started_at", Type::DateTime),
    ];
    Type::Object {
        fields: fields
            .into_iter()
            .map(|(name, ty)| (name.to_owned(), ty))
            .collect(),
        open: false,
    }
}

struct Checker<'c, 'd, 'm, 'r> {
    graph: &'c Graph<'c>,
    draft: &'c Draft<'d>,
    assigned: &'c Assignments<'c>,
    report: &'m mut Report<'r>,
    call: Type,
    /// Variables that are read somewhere.
    read: HashSet<&'c str>,
    /// Room for those of an expression.
    roots: Vec<(&'c str, Span)>,
    /// Those of which it is told that nothing ever gives them a value.
    never: HashSet<&'c str>,
    /// How many more names may be looked through for suggestions.
    to_compare: Cell<usize>,
    /// The least and the most digits of the variables that are nothing but digits.
    digits: BTreeMap<&'c str, (u32, u32)>,
}

/// The variables at one node.
pub(super) struct Here<'c> {
    pub node: usize,
    pub draft: &'c Draft<'c>,
    pub assigned: &'c Assignments<'c>,
    pub call: &'c Type,
    pub binds: &'c BTreeMap<String, Type>,
    /// How many more names may be looked through for suggestions.
    pub to_compare: &'c Cell<usize>,
}

impl<'c> Here<'c> {
    /// The type of what has the same wherever it is read: a step's own names, the call, inputs.
    fn given(&self, name: &str) -> Option<&'c Type> {
        match (self.binds.get(name), name) {
            (Some(ty), _) => Some(ty),
            (None, "call") => Some(self.call),
            (None, "now") => Some(&Type::DateTime),
            (None, _) => self.draft.inputs.get(name).map(|input| &input.ty),
        }
    }
}

impl TypeScope for Here<'_> {
    fn variable(&self, name: &str) -> Lookup {
        if let Some(ty) = self.given(name) {
            return Lookup::Known(ty.clone());
        }
        match self.assigned.type_of(name, self.node) {
            // That it has no value here is told apart, with the way; its type is checked all the same.
            Some(ty) => Lookup::Known(ty),
            None if bound_elsewhere(self.draft, self.node, name).is_some() => {
                Lookup::Known(Type::Any)
            }
            None => Lookup::Unknown,
        }
    }

    fn field(&self, name: &str, field: &str) -> Option<Type> {
        let is = self.given(name);
        match is.or_else(|| self.assigned.one_type_of(name, self.node))? {
            Type::Object { fields, .. } => fields.get(field).cloned(),
            _ => None,
        }
    }

    /// None once this file has had its share of comparisons.
    fn names(&self) -> Vec<String> {
        let count = self.binds.len() + self.draft.inputs.len() + self.assigned.names().len();
        match self.to_compare.get().checked_sub(count) {
            Some(left) => self.to_compare.set(left),
            None => return Vec::new(),
        }
        let mut names: Vec<String> = self
            .binds
            .keys()
            .chain(self.draft.inputs.keys())
            .cloned()
            .collect();
        names.extend(self.assigned.names().map(str::to_owned));
        names.extend(["call".to_owned(), "now".to_owned()]);
        names.sort();
        names.dedup();
        names
    }
}

/// The inputs of a node's step in which a name has a value, when the step gives it one in some of them only.
fn bound_elsewhere(draft: &Draft<'_>, node: usize, name: &str) -> Option<Vec<String>> {
    let description = draft.facts.get(node)?.description?;
    bound_inputs(description.binds.get(name)?)
}

impl<'c> Checker<'c, '_, '_, '_> {
    /// Tells of secrets that are, or may be, too short to say their last four characters.
    fn too_short(&mut self, node: usize, expr: &'c Expr, binds: &Binds) {
        for (name, at) in expr.names_before("last4") {
            // What a step calls its answer in its own prompts is the answer it asks for.
            let (digits, secret) = match binds.get(name) {
                Some(ty) => (self.draft.facts[node].digits, *ty == Type::Secret),
                None => {
                    let ty = self.assigned.type_of(name, node);
                    (self.digits.get(name).copied(), ty == Some(Type::Secret))
                }
            };
            if let Some((least, most)) = digits.filter(|(least, _)| *least < MIN_SHOWN && secret) {
                type_mismatch::too_short(self.report, at, name, (least, most), MIN_SHOWN);
            }
        }
    }

    /// The type of an expression at a node, after telling what is wrong with it.
    fn infer(&mut self, node: usize, expr: &'c Expr, binds: &Binds) -> Type {
        self.too_short(node, expr, binds);
        let mut roots = std::mem::take(&mut self.roots);
        expr.roots_into(&mut roots);
        for (name, at) in roots.iter().copied() {
            self.read.insert(name);
            if binds.contains_key(name) || self.draft.inputs.contains_key(name) {
                continue;
            }
            let Some(known) = self.assigned.known(name, node) else {
                match bound_elsewhere(self.draft, node, name) {
                    Some(inputs) => unassigned_variable::elsewhere(self.report, at, name, &inputs),
                    None => self.slip(name),
                }
                continue;
            };
            if known.never {
                let declared = self.draft.vars.get(name);
                // Whoever declares it anew may give it a default.
                let understood = declared.is_none_or(|var| var.understood);
                if understood && self.never.insert(name) {
                    let declared = declared.map(|var| var.span);
                    unassigned_variable::never(self.report, at, name, declared);
                }
            } else if known.unassigned && !self.report.is_full() {
                let way = self
                    .assigned
                    .way_without(self.graph, self.draft, name, node);
                let only = self.assigned.only_place(name);
                unassigned_variable::unassigned(self.report, at, name, &way, only);
            }
        }
        self.roots = roots;
        let here = Here {
            node,
            draft: self.draft,
            assigned: self.assigned,
            call: &self.call,
            binds,
            to_compare: &self.to_compare,
        };
        let (ty, findings) = expr::infer(expr, &here);
        let wrong = !findings.is_empty();
        // What a misspelt name was to make sure of is not known: `order.eta | date if oder.eta is not none else "soon"`.
        // Nor are the values that come by a way that nobody knows.
        let by_unknown_ways = !self.graph.reachable[node] && self.graph.has_lost_ways(self.draft);
        let lost = by_unknown_ways
            || findings
                .iter()
                .any(|found| matches!(found.rule, "unknown-variable" | "unknown-field"));
        let findings = findings
            .into_iter()
            .filter(|found| !lost || found.rule != "type-mismatch");
        for finding in findings {
            tell(self.report, finding);
        }
        if wrong { Type::Any } else { ty }
    }

    /// A name that nothing has: the variable that was probably meant is not unused as well, so that one slip is one
    /// finding.
    fn slip(&mut self, name: &str) {
        let vars = &self.draft.vars;
        let Some(left) = self.to_compare.get().checked_sub(vars.len()) else {
            return;
        };
        self.to_compare.set(left);
        self.read
            .extend(nearest(name, vars.keys().map(String::as_str)));
    }

    fn used(&mut self, used: &'c Use) {
        let node = used.node.0 as usize;
        let at = used.expr.span();
        match &used.want {
            Want::Inserted { place } => self.inserted(node, &used.expr, &used.binds, place),
            Want::Condition => {
                let is = self.infer(node, &used.expr, &used.binds);
                if is.holds_secret() {
                    secret_leak::leak(
                        self.report,
                        at,
                        &Text::fixed("a condition", "条件"),
                        self.source(&used.expr),
                    );
                } else if !Type::Bool.accepts(&is) {
                    type_mismatch::mismatch(
                        self.report,
                        at,
                        &Text::fixed("a condition", "条件"),
                        &Type::Bool,
                        &is,
                    );
                }
            }
            Want::Value { place, ty, secret } => {
                let is = self.infer(node, &used.expr, &used.binds);
                // A variable and an input keep their words: every `switch:` on it, and the call's language, relies on them.
                let action = &self.draft.nodes[node].action;
                let kept = matches!(action, Action::Set(_) | Action::Call { .. })
                    && matches!(ty.without_none(), Type::OneOf(_));
                let fits = if kept { ty.accepts(&is) } else { fits(ty, &is) };
                if is.holds_secret() && !secret {
                    secret_leak::leak(self.report, at, place, self.source(&used.expr));
                } else if !(fits || (*secret && *ty == Type::Any)) {
                    type_mismatch::mismatch(self.report, at, place, ty, &is);
                }
            }
            Want::Secret { place } => {
                let is = self.infer(node, &used.expr, &used.binds);
                if !matches!(is, Type::Secret | Type::Any) {
                    type_mismatch::mismatch(self.report, at, place, &Type::Secret, &is);
                }
            }
            Want::Switch {
                arms,
                otherwise,
                then,
            } => {
                let is = self.infer(node, &used.expr, &used.binds);
                self.switch(at, &is, arms, *otherwise, *then, &used.expr);
            }
        }
    }

    /// An expression whose value becomes part of a text.
    fn inserted(&mut self, node: usize, expr: &'c Expr, binds: &Binds, place: &Text) {
        let is = self.infer(node, expr, binds);
        let at = expr.span();
        match &is {
            ty if ty.holds_secret() => secret_leak::leak(self.report, at, place, self.source(expr)),
            Type::Object { .. } | Type::List(_) => type_mismatch::unsayable(self.report, at, &is),
            Type::Optional(_) | Type::None => type_mismatch::maybe_none(self.report, at),
            _ => {}
        }
    }

    /// Where the first variable of an expression got its value.
    fn source(&self, expr: &Expr) -> Option<Span> {
        expr.roots()
            .first()
            .and_then(|(name, _)| self.assigned.only_place(name))
    }

    /// Tells of a `switch` of which no line is a value that there is, nor nearly: one slip, however many lines it has. Whether it is one.
    fn other_words(
        &mut self,
        at: Span,
        is: &Type,
        arms: &[(String, Span)],
        otherwise: bool,
        words: &[String],
    ) -> bool {
        let strange = |name: &String| {
            !words.contains(name)
                && nearest(name, words.iter().map(String::as_str)).is_none()
                && !is_otherwise(name)
                && misspelt(name, "else").is_none()
        };
        let many = arms.len() > 1 || !otherwise;
        if arms.is_empty() || !many || !arms.iter().all(|(name, _)| strange(name)) {
            return false;
        }
        let bool = *is.without_none() == Type::Bool;
        let meant = |name: &String| match bool {
            true => bool_meant(name),
            // The first letters of one word, such as a day's.
            false => {
                let begins = |word: &&String| name.len() >= 3 && word.starts_with(name.as_str());
                let mut some = words.iter().filter(begins);
                some.next()
                    .filter(|_| some.next().is_none())
                    .map(String::as_str)
            }
        };
        // The lines may stand below each other: the names are changed, and what is between them stays.
        let source = self.report.lines().source();
        let mut fix: Option<(Span, String)> = None;
        let mut taken: BTreeSet<&str> = BTreeSet::new();
        for (name, span) in arms {
            let Some(word) = meant(name).filter(|word| taken.insert(word)) else {
                fix = None;
                break;
            };
            let between = |from: usize| source.get(from..span.start).unwrap_or_default();
            let (place, text) = fix.get_or_insert((
                Span {
                    end: span.start,
                    ..*span
                },
                String::new(),
            ));
            text.push_str(between(place.end));
            text.push_str(word);
            place.end = span.end;
        }
        let names: Vec<String> = arms.iter().map(|(name, _)| name.clone()).collect();
        unknown_outcome::values(self.report, arms[0].1, &names, at, words, fix);
        true
    }

    fn switch(
        &mut self,
        at: Span,
        is: &Type,
        arms: &[(String, Span)],
        otherwise: bool,
        then: Span,
        expr: &Expr,
    ) {
        let words: Vec<String> = match is.without_none() {
            Type::OneOf(words) => words.clone(),
            Type::Bool => vec!["true".to_owned(), "false".to_owned()],
            Type::Any => return,
            Type::Secret => {
                secret_leak::leak(
                    self.report,
                    at,
                    &Text::fixed("a comparison", "比较"),
                    self.source(expr),
                );
                return;
            }
            ty @ (Type::Text | Type::Phone | Type::Number) => {
                if *ty == Type::Number {
                    for (name, span) in arms.iter().filter(|(name, _)| !is_otherwise(name)) {
                        let number: Option<f64> = name.trim().parse().ok();
                        let number = number.filter(|number| number.is_finite());
                        let meant = number.and_then(|number| Value::Number(number).to_literal());
                        if meant.as_ref() != Some(name) {
                            unknown_outcome::number(self.report, *span, name, meant.as_deref());
                        }
                    }
                }
                if !otherwise {
                    missing_outcome::otherwise(
                        self.report,
                        then,
                        Text::fixed("it is something else", "值是别的"),
                    );
                }
                return;
            }
            _ => {
                type_mismatch::mismatch(
                    self.report,
                    at,
                    &Text::fixed("`switch`", "`switch`"),
                    &Type::Text,
                    is,
                );
                return;
            }
        };
        let mut covered: BTreeSet<&str> = BTreeSet::new();
        let mut otherwise = otherwise;
        if self.other_words(at, is, arms, otherwise, &words) {
            return;
        }
        // What has its line already is not meant by another one.
        let has_line = |word: &&String| arms.iter().any(|(name, _)| name == *word);
        let open: Vec<&str> = words
            .iter()
            .filter(|word| !has_line(word))
            .map(String::as_str)
            .collect();
        for (name, span) in arms {
            match words.iter().find(|word| *word == name) {
                Some(word) => {
                    covered.insert(word);
                }
                None if !otherwise && (is_otherwise(name) || misspelt(name, "else").is_some()) => {
                    unknown_outcome::value_else(self.report, *span, name);
                    otherwise = true;
                }
                None => {
                    let meant = nearest(name, open.iter().copied());
                    unknown_outcome::value(self.report, (*span, name), meant, at, &words);
                    covered.extend(meant);
                }
            }
        }
        let missing: Vec<String> = words
            .iter()
            .filter(|word| !covered.contains(word.as_str()))
            .cloned()
            .collect();
        if !otherwise && !missing.is_empty() {
            missing_outcome::missing(self.report, then, (at, &words), &missing);
        } else if !otherwise && matches!(is, Type::Optional(_)) {
            missing_outcome::otherwise(
                self.report,
                then,
                Text::fixed("it is `none`", "值是 `none` "),
            );
        }
    }
}

/// The word for true or false that is meant by one of other languages.
fn bool_meant(word: &str) -> Option<&'static str> {
    Some(match word.to_ascii_lowercase().as_str() {
        "yes" | "y" | "on" | "1" | "true" | "是" => "true",
        "no" | "n" | "off" | "0" | "false" | "否" => "false",
        _ => return None,
    })
}

/// Whether a value may be handed to a field. Looser than between expressions where JSON makes no
/// difference: a date is a string there, and a text may turn out to be one of a few words.
fn fits(field: &Type, is: &Type) -> bool {
    match (field.without_none(), is) {
        (Type::Secret, is) => !matches!(is, Type::Object { .. } | Type::List(_)),
        (Type::Text, Type::Date | Type::Time | Type::DateTime) => true,
        (Type::OneOf(_) | Type::Phone, Type::Text | Type::OneOf(_) | Type::Phone) => {
            match (field.without_none(), is) {
                (Type::OneOf(words), Type::OneOf(some)) => {
                    some.iter().any(|word| words.contains(word))
                }
                _ => true,
            }
        }
        _ => field.accepts(is),
    }
}
