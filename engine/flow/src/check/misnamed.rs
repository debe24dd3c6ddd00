//! Flows whose name is misspelt where it is defined: `flow: mesage`, while several places of the project lead to `message`. That is one slip,
//! as it is with what a flow defines within itself (`defined`).

use std::collections::BTreeMap;

use super::Checked;
use super::defined::{MANY, mentions};
use super::report::Report;
use super::rules::unknown_flow::{self, UNKNOWN_FLOW};
use super::survey::File;
use crate::catalog::Catalog;
use crate::expr::Span;
use crate::lower::is_name;
use crate::yaml::Node;

/// Tells of such flows in place of what is told where they are led to.
pub(super) fn settle(files: &mut [File<'_>], all: &mut [Checked], catalog: &mut Catalog) {
    for (defined, meant) in slips(files, all, catalog) {
        let own = all
            .iter()
            .position(|checked| checked.name.as_ref() == Some(&defined));
        let Some((own, at)) = own.and_then(|own| Some((own, name_of(&files[own])?))) else {
            continue;
        };
        // As it was meant, so that what hangs on the name is checked with what the flow takes and gives.
        let Some(flows) = &mut catalog.flows else {
            return;
        };
        let Some(signature) = flows.remove(&defined) else {
            continue;
        };
        flows.insert(meant.clone(), signature);
        for (index, file) in files.iter_mut().enumerate() {
            if index != own && misses(&all[index]) {
                all[index] = file.check(catalog);
            }
        }
        if let Some(flows) = &mut catalog.flows
            && let Some(signature) = flows.remove(&meant)
        {
            flows.insert(defined.clone(), signature);
        }
        let Ok(text) = std::str::from_utf8(files[own].source) else {
            continue;
        };
        let mut report = Report::new(files[own].name, text);
        unknown_flow::defined(&mut report, at, &defined, &meant);
        let told = &mut all[own];
        told.diagnostics.extend(report.finish());
        told.diagnostics
            .sort_by_key(|found| (found.primary.span.start, found.primary.span.end, found.rule));
        // A flow with an error has no plan.
        told.plan = None;
        told.worst = None;
    }
}

/// Flows to which nothing leads, each with the one name that is nearly its own and to which several places lead.
fn slips(files: &[File<'_>], all: &[Checked], catalog: &Catalog) -> Vec<(String, String)> {
    let mut uses: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (file, checked) in files.iter().zip(all) {
        let found = checked.diagnostics.iter();
        for fix in found
            .filter(|found| found.rule == UNKNOWN_FLOW.slug)
            .filter_map(|found| found.fix.as_ref())
        {
            let written = file.source.get(fix.span.start..fix.span.end);
            if let Some(written) = written.and_then(|bytes| std::str::from_utf8(bytes).ok()) {
                let pair = (fix.replacement.clone(), written.to_owned());
                *uses.entry(pair).or_default() += 1;
            }
        }
    }
    // It stands where it is defined, and nowhere else.
    let alone = |name: &str| {
        let texts = files
            .iter()
            .filter_map(|file| std::str::from_utf8(file.source).ok());
        texts.map(|text| mentions(text, name)).sum::<usize>() == 1
    };
    let known = |name: &str| catalog.flows.iter().any(|flows| flows.contains_key(name));
    let of = |defined: &str| uses.keys().filter(|(name, _)| name == defined).count();
    uses.iter()
        .filter(|((defined, meant), times)| {
            **times >= MANY && of(defined) == 1 && is_name(meant) && !known(meant) && alone(defined)
        })
        .map(|(pair, _)| pair.clone())
        .collect()
}

/// Whether a flow leads to one that is not there.
fn misses(checked: &Checked) -> bool {
    let mut found = checked.diagnostics.iter();
    found.any(|found| found.rule == UNKNOWN_FLOW.slug)
}

/// Where a file names its flow.
fn name_of(file: &File<'_>) -> Option<Span> {
    let root = file.reading.as_ref()?.root.as_ref()?;
    root.map()?.value("flow").map(|name: &Node<'_>| name.span)
}
