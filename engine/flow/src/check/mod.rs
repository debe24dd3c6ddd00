//! Checks a flow: text in, plan and findings out.
//!
//! The order of the stages is the order of this function. Each adds its findings to one report and
//! leaves behind as much as it understood, so that one pass tells everything.

mod apology;
mod assign;
mod counters;
mod defined;
mod foreign;
mod graph;
mod hyphen;
mod in_chat;
mod listening;
mod longest;
mod loops;
mod mended;
mod misnamed;
mod mistaken;
mod named_keys;
mod placeholder;
mod reading;
mod repeated;
pub(crate) mod report;
mod results;
mod returned;
pub mod rules;
mod said;
mod spent;
mod strange;
mod strong;
pub(crate) mod suggest;
mod suppress;
mod survey;
mod tested;
pub(crate) mod types;
mod undeclared;
mod words;
mod worst;

use std::collections::BTreeSet;

pub use apology::APOLOGY;
pub(crate) use assign::unassigned_at;
pub use defined::{MANY, mentions};
pub(crate) use mended::wrong_sign;
use reading::Reading;
use report::Report;
pub use spent::CHAT_PATIENCE;
pub use survey::{MAX_TURNS, News, by_name, learn, survey};
pub use worst::{APOLOGY_MS, GOODBYE_MS, WorstCase};

use crate::catalog::{Catalog, FlowSignature};
use crate::diagnostic::{Diagnostic, Level, line_start};
use crate::expr::Span;
use crate::lower::{Draft, Test, flow_signature, lower, unreadable_flow};
use crate::plan::{Declaration, Plan};

/// What checking gives.
#[derive(Debug)]
pub struct Checked {
    /// The plan; `None` exactly when there is an error among the diagnostics.
    pub plan: Option<Plan>,
    /// Every finding, in the order of the file.
    pub diagnostics: Vec<Diagnostic>,
    /// How many findings there are beside those, at least; of one file no more than 500 are told.
    pub left_out: usize,
    /// What other flows need to know of this one; there as soon as the flow has a name.
    pub signature: Option<FlowSignature>,
    /// The flow's name.
    pub name: Option<String>,
    /// The worst that can happen to a caller; there exactly when there is a plan.
    pub worst: Option<WorstCase>,
    /// The other flows that it calls or leads to.
    pub leads: BTreeSet<String>,
    /// The flow's tests.
    pub tests: Vec<Test>,
}

/// Checks a flow. `file` is its name in findings, `source` its bytes as they lie on the disk.
///
/// Never panics, whatever the bytes; time and memory are bounded by the limits of the `yaml-limit` rule.
pub fn check(file: &str, source: &[u8], catalog: &Catalog) -> Checked {
    let text = match std::str::from_utf8(source) {
        Ok(text) => text,
        Err(error) => return not_utf8(file, source, error.valid_up_to()),
    };
    check_text(file, text, catalog, 0)
}

/// Checks a text in which so many slips have been mended already.
fn check_text(file: &str, text: &str, catalog: &Catalog, slips: usize) -> Checked {
    check_reading(&mut Reading::of(file, text), catalog, slips)
}

/// The same of a file that was read before.
fn check_reading(reading: &mut Reading<'_>, catalog: &Catalog, slips: usize) -> Checked {
    let (file, text) = (reading.file, reading.text);
    let checked = checked(reading, catalog);
    let mended = mended::mended(file, text, catalog, &checked.diagnostics, slips);
    mended.unwrap_or(checked)
}

/// Checks a file as it stands.
fn checked(reading: &mut Reading<'_>, catalog: &Catalog) -> Checked {
    reading.respell(catalog);
    let (file, text) = (reading.file, reading.text);
    let mut report = reading.report.clone();
    let Some(root) = &reading.root else {
        if report.diagnostics().is_empty() {
            rules::missing_key::nothing(&mut report, Span::default());
        }
        return Checked {
            plan: None,
            left_out: report.left_out(),
            diagnostics: report.finish(),
            signature: None,
            name: None,
            worst: None,
            leads: BTreeSet::new(),
            tests: Vec::new(),
        };
    };
    let signature = flow_signature(root);
    let (mut draft, mut report) = lower(root, catalog, report);
    let tested = tested::Tested::of(root);
    let doubtful = results::respell(&mut draft, &tested, &mut report);
    let flows = catalog.flows.as_ref();
    let graph = graph::Graph::new(&draft, flows);
    let counters = counters::Counters::new(&graph, &draft);
    let strange = strange::Strange::of(root, &report);
    graph.unreachable(&draft, &strange, &mut report);
    graph.dead_ends(&draft, &mut report);
    let loops = loops::check(&graph, &counters, &draft, flows, &mut report);
    let assigned = assign::Assignments::new(&graph, &draft);
    types::check(&graph, &draft, &assigned, &mut report);
    foreign::check(&draft, &assigned, &mut report);
    words::check(&draft, &mut report);
    apology::check(&draft, catalog, &assigned, &mut report);
    results::settle(doubtful, &mut report);
    listening::check(&graph, &draft, &mut report);
    let (worst, passive) = worst::check(&graph, &counters, &draft, catalog, &assigned, &mut report);
    let returned = returned::results(&graph, &draft, &assigned);
    follow_ups(&draft, &mut report);
    report.remove(|found| strange.explains(found, text));
    defined::settle(root, &tested, &mut report);
    let known = |name: &str| {
        draft.inputs.contains_key(name) || draft.vars.contains_key(name) || assigned.is_set(name)
    };
    hyphen::settle(known, &mut report);
    undeclared::settle(&draft, &tested, &mut report);
    mistaken::settle(loops, &draft, root, &strange, &mut report);
    placeholder::settle(root, &mut report);
    suppress::apply(root, &reading.comments, &mut report);
    repeated::settle(&mut report);
    let wrong = |found: &&Diagnostic| found.level == Level::Error;
    let errors = report.diagnostics().iter().any(|found| wrong(&found));
    // A loop over several flows is known of none of them once a mistake in one keeps that from being known.
    let known = report
        .diagnostics()
        .iter()
        .filter(wrong)
        .all(|found| LEAVE_WAYS_ALONE.contains(&found.rule));
    let leads = draft.runs.leads.clone();
    let (name, tests) = (draft.flow.clone(), draft.tests.clone());
    let runs = (!errors).then(|| std::mem::take(&mut draft.runs));
    let plan = if errors { None } else { plan(file, draft) };
    let signature = signature.map(|(_, mut signature)| {
        signature.passive = known.then_some(passive);
        signature.results = known.then_some(returned);
        signature.runs = runs;
        signature
    });
    Checked {
        worst: plan.as_ref().map(|_| worst),
        leads,
        plan,
        left_out: report.left_out(),
        diagnostics: report.finish(),
        signature,
        name,
        tests,
    }
}

/// Errors that change neither where a flow leads nor how long that takes: what happens in it to somebody who does nothing is known all the
/// same.
const LEAVE_WAYS_ALONE: [&str; 14] = [
    "bad-ssml",
    "impossible-comparison",
    "no-way-out",
    "no-words",
    "nothing-to-play",
    "secret-leak",
    "silent-loop",
    "type-mismatch",
    "unassigned-variable",
    "unknown-destination",
    "unknown-field",
    "unknown-filter",
    "unknown-queue",
    "unknown-variable",
];

/// Name and signature of a flow, without checking it: for the catalogue of a project's flows, which the
/// checking of each of them needs. `None` when the text is no flow or has no name.
pub fn signature(source: &[u8]) -> Option<(String, FlowSignature)> {
    let text = std::str::from_utf8(source).ok()?;
    flow_signature(&Reading::of("", text).root?)
}

/// The same for a flow of a project, whatever its text: of one that cannot be read, the others know the name alone, and
/// what they give it and expect of it is not held against it. So nothing is told of them because of it.
///
/// The name is then that of a line `flow: NAME`, or of the file; `None` when neither is a name.
pub fn signature_of(file: &str, source: &[u8]) -> Option<(String, FlowSignature)> {
    match std::str::from_utf8(source) {
        Ok(text) => Reading::of(file, text).signature(),
        Err(_) => unreadable_flow(file, &String::from_utf8_lossy(source)),
    }
}

/// Takes back what was found missing only because something in its action could not be read: that is told already.
fn follow_ups(draft: &Draft<'_>, report: &mut Report<'_>) {
    meant_to_insert(report);
    unread_there(report);
    without_value(report);
    strayed_voice(draft, report);
    let gaps = report.gaps();
    if gaps.is_empty() {
        return;
    }
    let has_gap = |span: &Span| {
        let first = gaps.partition_point(|gap| gap.start < span.start);
        gaps.get(first).is_some_and(|gap| gap.start < span.end)
    };
    let actions: Vec<Span> = draft
        .facts
        .iter()
        .map(|facts| facts.span)
        .filter(has_gap)
        .collect();
    let merge = |span: Span, text: &str| text.get(span.start..span.end) == Some("<<");
    let text = report.lines().source();
    report.remove(|found| match found.rule {
        // Of `<<: *name` the alias is told.
        "unknown-key" | "unknown-verb" => merge(found.primary.span, text),
        "missing-input" | "missing-key" | "missing-outcome" => {
            let at = found.primary.span.start;
            actions
                .iter()
                .any(|action| (action.start..action.end).contains(&at))
        }
        // It may have been used there.
        "unused" => true,
        _ => false,
    });
}

/// Rules of texts in which a name may have been meant to be inserted.
const UNREAD: [&str; 4] = [
    "bad-expression",
    "bad-ssml",
    "braces-in-expression",
    "text-slip",
];

/// Takes back that nothing uses what is named in the line of a text whose insertions cannot be read.
fn unread_there(report: &mut Report<'_>) {
    let text = report.lines().source();
    let unread = report.diagnostics().iter();
    let unread = unread.filter(|found| UNREAD.contains(&found.rule));
    let line = |found: &Diagnostic| {
        let at = found.primary.span.start.min(text.len());
        let start = line_start(text, at);
        let end = text[at..].find('\n').map_or(text.len(), |end| at + end);
        &text[start..end]
    };
    let words: BTreeSet<&str> = unread
        .flat_map(|found| line(found).split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')))
        .collect();
    if !words.is_empty() {
        report.remove(|found| {
            let at = found.primary.span;
            found.rule == "unused"
                && text
                    .get(at.start..at.end)
                    .is_some_and(|name| words.contains(name))
        });
    }
}

/// Takes back that the type of an expression does not fit where it reads what has no value: that is told.
fn without_value(report: &mut Report<'_>) {
    let found = report.diagnostics().iter();
    let lacking: Vec<Span> = found
        .filter(|found| found.rule == rules::unassigned_variable::UNASSIGNED_VARIABLE.slug)
        .map(|found| found.primary.span)
        .collect();
    report.remove(|found| {
        let at = found.primary.span;
        let holds = |span: &Span| at.start <= span.start && span.end <= at.end;
        found.rule == rules::type_mismatch::TYPE_MISMATCH.slug && lacking.iter().any(holds)
    });
}

/// Takes back that nothing uses a prompt that is called as a language of the flow, where a prompt lacks its text in that language: the text
/// stands in the wrong column.
fn strayed_voice(draft: &Draft<'_>, report: &mut Report<'_>) {
    let lacks =
        |found: &Diagnostic| found.rule == rules::missing_translation::MISSING_TRANSLATION.slug;
    if report.diagnostics().iter().any(lacks) {
        let text = report.lines().source();
        report.remove(|found| {
            let at = found.primary.span;
            let name = text.get(at.start..at.end).unwrap_or_default();
            found.rule == "unused" && draft.languages.iter().any(|language| language == name)
        });
    }
}

/// Takes back that nothing uses what braces of a text were to insert.
fn meant_to_insert(report: &mut Report<'_>) {
    let text = report.lines().source();
    let written = |span: Span| text.get(span.start..span.end).unwrap_or_default();
    let slips = report.diagnostics().iter();
    let slips = slips.filter(|found| found.rule == rules::text_slip::TEXT_SLIP.slug);
    let words: BTreeSet<&str> = slips
        .flat_map(|found| {
            written(found.primary.span).split(|c: char| !(c.is_alphanumeric() || c == '_'))
        })
        .collect();
    if !words.is_empty() {
        report
            .remove(|found| found.rule == "unused" && words.contains(written(found.primary.span)));
    }
}

fn not_utf8(file: &str, source: &[u8], valid: usize) -> Checked {
    let text = String::from_utf8_lossy(source);
    let mut report = Report::new(file, &text);
    let at = Span {
        start: valid,
        end: valid + 1,
    };
    rules::yaml_encoding::not_utf8(&mut report, at);
    Checked {
        plan: None,
        left_out: report.left_out(),
        diagnostics: report.finish(),
        signature: None,
        name: None,
        worst: None,
        leads: BTreeSet::new(),
        tests: Vec::new(),
    }
}

fn plan(file: &str, draft: Draft<'_>) -> Option<Plan> {
    let declarations = |all: std::collections::BTreeMap<String, crate::lower::Declared>| {
        all.into_iter()
            .map(|(name, declared)| {
                let declaration = Declaration {
                    ty: declared.ty,
                    default: declared.default,
                    secret: declared.secret,
                };
                (name, declaration)
            })
            .collect()
    };
    Some(Plan {
        flow: draft.flow?,
        file: file.to_owned(),
        hash: String::new(),
        languages: draft.languages,
        inputs: declarations(draft.inputs),
        outcomes: draft.outcomes,
        vars: declarations(draft.vars),
        prompts: draft
            .prompts
            .into_iter()
            .map(|prompt| prompt.prompt)
            .collect(),
        expressions: draft.expressions,
        nodes: draft.nodes,
        start: draft.start?,
        global: draft.global,
        max_duration_ms: draft.max_duration_ms,
        max_steps: draft.max_steps,
    })
}
