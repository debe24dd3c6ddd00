//! All flows of a project, which know of each other what each does to a caller who does nothing.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, FlowSignature};

use super::reading::Reading;
use super::{Checked, check, check_reading, misnamed, signature_of};

/// Most turns until the flows know everything of each other: as deep as contacts may be in calls, and one more.
pub const MAX_TURNS: usize = 33;

/// Text whose reading is kept until all flows are checked, in bytes. A reading takes some ten times as much memory as its text;
/// files beyond that are read again whenever they are checked.
const KEPT_BYTES: usize = 16 * 1024 * 1024;

/// A flow's file.
pub(super) struct File<'t> {
    pub name: &'t str,
    pub source: &'t [u8],
    /// There when it is UTF-8, and among the first [`KEPT_BYTES`].
    pub reading: Option<Reading<'t>>,
}

impl File<'_> {
    fn signature(&self) -> Option<(String, FlowSignature)> {
        match &self.reading {
            Some(reading) => reading.signature(),
            None => signature_of(self.name, self.source),
        }
    }

    pub fn check(&mut self, catalog: &Catalog) -> Checked {
        match &mut self.reading {
            Some(reading) => check_reading(reading, catalog, 0),
            None => check(self.name, self.source, catalog),
        }
    }
}

/// Signatures by the names of their flows; of two with one name, the one that can be read.
pub fn by_name(
    signatures: impl Iterator<Item = (String, FlowSignature)>,
) -> BTreeMap<String, FlowSignature> {
    let mut all: BTreeMap<String, FlowSignature> = BTreeMap::new();
    for (name, signature) in signatures {
        if !signature.unreadable || !all.contains_key(&name) {
            all.insert(name, signature);
        }
    }
    all
}

/// Checks all flows of a project: names of files and their bytes, in order. What other flows need to know of each goes into the
/// catalogue: how it is called, what it takes and gives back, and what it does to a caller who does nothing. Those that call it or
/// lead to it are checked again with that, until nothing new comes. What the catalogue knew of that before is forgotten.
pub fn survey(files: &[(&str, &[u8])], catalog: &mut Catalog) -> Vec<Checked> {
    let mut kept = 0;
    let mut files: Vec<File<'_>> = files
        .iter()
        .map(|&(name, source)| {
            kept += source.len();
            let text = std::str::from_utf8(source).ok();
            let text = text.filter(|_| kept <= KEPT_BYTES);
            File {
                name,
                source,
                reading: text.map(|text| Reading::of(name, text)),
            }
        })
        .collect();
    let known = catalog.flows.get_or_insert_default();
    for signature in known.values_mut() {
        signature.forget();
    }
    known.extend(by_name(files.iter().filter_map(File::signature)));
    let mut all: Vec<Checked> = files.iter_mut().map(|file| file.check(catalog)).collect();
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
            all[*index] = files[*index].check(catalog);
        }
    }
    misnamed::settle(&mut files, &mut all, catalog);
    all
}

/// That something else is known of a flow than before.
#[derive(Debug)]
pub struct News {
    flow: String,
    /// Whether it leads to other flows than before, or runs something else, which concerns those too that lead to it over others.
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
        let leads = was != is || then.runs != now.runs;
        let same = (&then.passive, &then.results) == (&now.passive, &now.results);
        (!same || leads).then(|| News {
            flow: flow.to_owned(),
            leads,
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
