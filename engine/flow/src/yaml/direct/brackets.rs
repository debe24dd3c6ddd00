//! Maps and lists in brackets (YAML 1.2 §7.4).

use super::super::tree::{Content, Entry, Node};
use super::{Direct, Word};
use crate::expr::Span;

impl<'s> Direct<'s> {
    /// A map or a list in brackets, within what is in lines at a column.
    pub(super) fn flow(&mut self, column: usize) -> Option<Node<'s>> {
        self.enter()?;
        let start = self.at;
        let is_map = self.byte()? == b'{';
        let close = if is_map { b'}' } else { b']' };
        let (items, entries) = (self.items.len(), self.entries.len());
        self.at += 1;
        loop {
            self.flow_gap(column)?;
            if self.byte()? == close {
                break;
            }
            if is_map {
                let key = self.word(column, true)?;
                self.colon(&key)?;
                self.flow_gap(column)?;
                let value = self.flow_value(column)?;
                self.entries.push(Entry {
                    key: key.scalar.text,
                    key_span: key.span,
                    value,
                });
            } else {
                let item = self.flow_value(column)?;
                self.items.push(item);
            }
            self.flow_gap(column)?;
            match self.byte()? {
                b',' => self.at += 1,
                byte if byte == close => break,
                _ => return None,
            }
        }
        self.at += 1;
        self.leave();
        let content = match is_map {
            true => Content::Map(self.close(entries)?),
            false => Content::List(self.items.split_off(items)),
        };
        let span = Span {
            start,
            end: self.at,
        };
        Some(Node { span, content })
    }

    fn flow_value(&mut self, column: usize) -> Option<Node<'s>> {
        match self.byte()? {
            b'{' | b'[' => self.flow(column),
            _ => self.word(column, true).map(Word::node),
        }
    }

    /// Blanks, comments and ends of lines in brackets; the next line is further right than what is in lines around them.
    fn flow_gap(&mut self, column: usize) -> Option<()> {
        self.spaces();
        match self.byte()? {
            b'\n' => self.at += 1,
            b'#' if self.bytes[self.at - 1] == b' ' => self.comment()?,
            b'#' => return None,
            _ => return Some(()),
        }
        self.lines()?;
        self.next.filter(|next| *next > column).map(|_| ())
    }

    /// Whether a sign of maps and lists in brackets stands at a place.
    pub(super) fn is_sign(&self, at: usize) -> bool {
        matches!(self.bytes.get(at), Some(b',' | b'[' | b']' | b'{' | b'}'))
    }
}
