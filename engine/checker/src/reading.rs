//! A file as an editor sees it, read when somebody asks: a key press needs the findings alone.

use strowger_flow::Catalog;
use strowger_flow::editor::Sheet;

/// What has been read of a file for an editor, and what could be.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// The present text; none until somebody asks.
    sheet: Option<Sheet>,
    /// Whose names stay while the text cannot be read.
    before: Option<Before>,
    /// The byte that was changed last.
    edited: Option<usize>,
}

/// An earlier text.
#[derive(Debug)]
enum Before {
    Text(String),
    Sheet(Box<Sheet>),
}

impl Reading {
    /// A new text has come. `old` is the one before it, `edited` the byte that was changed.
    pub fn edit(&mut self, old: String, readable: bool, edited: Option<usize>) {
        match self.sheet.take() {
            // It has the names of those before it.
            Some(sheet) => self.before = Some(Before::Sheet(Box::new(sheet))),
            None if readable => self.before = Some(Before::Text(old)),
            None => {}
        }
        self.edited = edited;
    }

    /// The present text, read.
    pub fn sheet(&mut self, text: &str, catalog: &Catalog) -> &Sheet {
        if self.sheet.is_none() {
            let before = match self.before.take() {
                Some(Before::Text(text)) => Some(Box::new(Sheet::read(&text, catalog, None, None))),
                Some(Before::Sheet(sheet)) => Some(sheet),
                None => None,
            };
            let sheet = Sheet::read(text, catalog, self.edited, before.as_deref());
            self.before = before.map(Before::Sheet);
            self.sheet = Some(sheet);
        }
        self.sheet.as_ref().expect("just read")
    }
}
