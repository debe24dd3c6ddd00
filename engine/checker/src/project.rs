//! A project that is open: what its flows may refer to, and the files that are held.

use std::collections::BTreeMap;

use strowger_flow::Catalog;
use strowger_flow::catalog::FlowSignature;
use strowger_flow::check::News;
use strowger_flow::diagnostic::Language;

use crate::MAX_FILES;
use crate::file::File;
use crate::refusal::Refusal;

/// A project.
#[derive(Debug)]
pub(crate) struct Project {
    /// With the flows as the held files have them.
    catalog: Catalog,
    /// The flows as they came with the catalogue.
    given: Option<BTreeMap<String, FlowSignature>>,
    /// The length of the request that the catalogue came in.
    length: usize,
    files: BTreeMap<String, File>,
}

impl Project {
    pub fn new(catalog: Catalog, length: usize) -> Project {
        Project {
            given: catalog.flows.clone(),
            catalog,
            length,
            files: BTreeMap::new(),
        }
    }

    /// Bytes of catalogue and texts.
    pub fn held(&self) -> usize {
        self.length + self.files.values().map(File::length).sum::<usize>()
    }

    /// Bytes of a file's text; 0 when it is not held.
    pub fn length_of(&self, file: &str) -> usize {
        self.files.get(file).map_or(0, File::length)
    }

    /// Takes in the text of a file and checks it: its findings, and which other files must be checked again.
    pub fn check(
        &mut self,
        name: String,
        text: String,
        edited: Option<usize>,
        language: Language,
    ) -> Result<String, Refusal> {
        let full = self.files.len() >= MAX_FILES;
        match self.files.get_mut(&name) {
            Some(file) => file.edit(text, edited, &self.catalog),
            None if full => return Err(Refusal::TooManyFiles),
            None => {
                let file = File::new(&name, text, &self.catalog);
                self.files.insert(name.clone(), file);
            }
        }
        let mut affected = self.signatures();
        affected.retain(|other| *other != name);
        let (file, _) = self.fresh(&name)?;
        Ok(file.findings(&affected, language))
    }

    /// Lets go of a file: which others must be checked again.
    pub fn forget(&mut self, name: &str) -> Vec<String> {
        self.files.remove(name);
        self.signatures()
    }

    /// A file, checked against the catalogue as it is now.
    pub fn fresh(&mut self, name: &str) -> Result<(&mut File, &Catalog), Refusal> {
        let missing = || Refusal::NoSuchFile(name.to_owned());
        let file = self.files.get_mut(name).ok_or_else(missing)?;
        if file.stale {
            file.check(&self.catalog);
            // What others know of it may follow from what it knows of them.
            self.signatures();
        }
        let file = self.files.get_mut(name).ok_or_else(missing)?;
        Ok((file, &self.catalog))
    }

    /// What the flows know of each other, when it can be known at all. The files that must be checked again because it
    /// has changed.
    fn signatures(&mut self) -> Vec<String> {
        let Some(mut flows) = self.given.clone() else {
            return Vec::new();
        };
        for file in self.files.values() {
            if let Some(name) = &file.known_as {
                flows.remove(name);
            }
        }
        let signed = self
            .files
            .values()
            .filter_map(|file| file.signature.clone());
        flows.extend(signed);
        let before = self.catalog.flows.replace(flows).unwrap_or_default();
        let flows = self.catalog.flows.iter().flatten();
        let same_outside = flows.clone().count() == before.len()
            && flows.clone().all(|(name, now)| {
                before.get(name).is_some_and(|then| {
                    (&then.inputs, &then.outcomes) == (&now.inputs, &now.outcomes)
                })
            });
        // What only the checking of a flow shows concerns those alone that come to it; a name, an input or an outcome may
        // concern any.
        let news: Vec<News> = flows
            .filter_map(|(name, now)| {
                let then = before.get(name)?;
                News::between(name, then, now)
            })
            .collect();
        let mut concerned = Vec::new();
        for (name, file) in &mut self.files {
            if !same_outside || file.is_concerned(&news) {
                file.stale = true;
                concerned.push(name.clone());
            }
        }
        concerned
    }
}
