//! All flows of a project, which know of each other what each does to a caller who does nothing.

use std::collections::BTreeSet;

use crate::catalog::{Catalog, FlowSignature};

use super::{Checked, check};

/// Most turns until the flows know everything of each other: as deep as contacts may be in calls, and one more.
pub const MAX_TURNS: usize = 33;

/// Checks all flows of a project: names of files and their bytes, in order. What each flow does to a caller who does nothing, and what it
/// gives to those who call it, goes into the catalogue, and those that call it or lead to it are checked again with it, until nothing new comes. What the
/// catalogue knew of that before is forgotten.
///
/// The catalogue has to have the [`signature`](super::signature)s of the flows, or none is known.
pub fn survey(files: &[(&str, &[u8])], catalog: &mut Catalog) -> Vec<Checked> {
    for signature in catalog.flows.iter_mut().flatten() {
        signature.1.forget();
    }
    let mut all: Vec<Checked> = files
        .iter()
        .map(|(file, source)| check(file, source, catalog))
        .collect();
    let mut fresh: Vec<usize> = (0..all.len()).collect();
    for _ in 0..MAX_TURNS {
        let news: Vec<News> = fresh
            .iter()
            .filter_map(|index| learn(catalog, &all[*index]))
            .collect();
        if news.is_empty() {
            break;
        }
        let affected = |checked: &Checked| news.iter().any(|news| news.concern(checked));
        fresh = (0..all.len())
            .filter(|index| affected(&all[*index]))
            .collect();
        for index in &fresh {
            let (file, source) = files[*index];
            all[*index] = check(file, source, catalog);
        }
    }
    all
}

/// That something else is known of a flow than before.
#[derive(Debug)]
pub struct News {
    flow: String,
    /// Whether it leads to other flows than before, which concerns those too that lead to it over others.
    leads: bool,
}

impl News {
    /// What is new of a flow, where what its checking shows was one thing and is another.
    pub fn between(flow: &str, then: &FlowSignature, now: &FlowSignature) -> Option<News> {
        let nowhere = BTreeSet::new();
        let [was, is] = [then, now].map(|signature| {
            let passive = signature.passive.as_ref();
            passive.map_or(&nowhere, |passive| &passive.leads)
        });
        let same = (&then.passive, &then.results) == (&now.passive, &now.results);
        (!same).then(|| News {
            flow: flow.to_owned(),
            leads: was != is,
        })
    }

    /// Whether a flow has to be checked again.
    pub fn concern(&self, checked: &Checked) -> bool {
        match self.leads {
            true => !checked.leads.is_empty(),
            false => checked.leads.contains(&self.flow),
        }
    }
}

/// Takes into the catalogue what the checking of a flow shows; what is new.
pub fn learn(catalog: &mut Catalog, checked: &Checked) -> Option<News> {
    let flow = checked.name.as_ref()?;
    let known: &mut FlowSignature = catalog.flows.as_mut()?.get_mut(flow)?;
    let nothing = FlowSignature::default();
    let signature = checked.signature.as_ref().unwrap_or(&nothing);
    let news = News::between(flow, known, signature)?;
    known.learn(signature);
    Some(news)
}
