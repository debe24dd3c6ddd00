//! A flow's file, read once: what other flows need to know of it, and the tree that each checking of it begins with.

use super::report::Report;
use crate::catalog::{Catalog, FlowSignature};
use crate::lower::{flow_signature, respell_body, respell_head, unreadable_flow};
use crate::yaml::{self, Comment, Node};

/// A file as YAML, with what is wrong with it as such. Misspelt keys have their right names in its tree.
pub(super) struct Reading<'t> {
    pub file: &'t str,
    pub text: &'t str,
    pub root: Option<Node<'t>>,
    pub comments: Vec<Comment>,
    /// What was found so far.
    pub report: Report<'t>,
    /// Whether all of it is spelt as it was meant; before, its head is.
    spelt: bool,
}

impl<'t> Reading<'t> {
    pub fn of(file: &'t str, text: &'t str) -> Reading<'t> {
        let mut report = Report::new(file, text);
        let read = yaml::read(text, &mut report);
        let (mut root, comments) = (read.root, read.comments);
        if let Some(root) = &mut root {
            respell_head(root, &mut report);
        }
        Reading {
            file,
            text,
            root,
            comments,
            report,
            spelt: false,
        }
    }

    /// What other flows need to know of this one. Of one that cannot be read they know the name alone.
    pub fn signature(&self) -> Option<(String, FlowSignature)> {
        let read = self.root.as_ref().and_then(flow_signature);
        read.or_else(|| unreadable_flow(self.file, self.text))
    }

    /// Gives every misspelt key its right name. The steps, and what other flows take and give, are to be the same each time.
    pub fn respell(&mut self, catalog: &Catalog) {
        if let Some(root) = &mut self.root
            && !std::mem::replace(&mut self.spelt, true)
        {
            respell_body(root, catalog, &mut self.report);
        }
    }
}
