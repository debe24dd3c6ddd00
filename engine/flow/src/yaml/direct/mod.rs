//! Reads the YAML that flows are written in straight into the tree.
//!
//! An editor asks for a whole check at every key press, and a parser that knows all of YAML is the largest part of one. Nearly every flow
//! gets along with a small part of it: maps and lists, in lines and in brackets, and texts. [`read`] knows that part alone and says
//! nothing: at whatever it is not certain of, and at every mistake, it gives up, and the parser reads the file from its beginning.
//! Where it does not give up, it gives what the parser would: a build with debug assertions holds that against the parser each time.

mod brackets;
mod texts;

use std::borrow::Cow;

use super::read::{FEW_KEYS, MAX_EVENTS, MAX_KEY, Read};
use super::traps;
use super::tree::{Comment, Content, Entry, Map, Node, Scalar, Style};
use crate::expr::Span;
use crate::hashed::HashSet;

/// Deepest nesting that is read here: well within what the parser takes, as each level is a call on the stack.
const MAX_DEPTH: usize = 32;

/// Events of the parser that stand for nothing in the tree: the beginnings and ends of the stream and of the document, with some to spare.
const OTHER_EVENTS: usize = 16;

/// Reads a file; `None` when it has something in it that only the parser knows, or can tell.
pub(super) fn read(source: &str) -> Option<Read<'_>> {
    if !only_common_characters(source) {
        return None;
    }
    let mut reader = Direct {
        source,
        bytes: source.as_bytes(),
        at: 0,
        line: 0,
        next: None,
        items: Vec::new(),
        entries: Vec::new(),
        comments: Vec::new(),
        events: OTHER_EVENTS,
        depth: 0,
    };
    reader.lines()?;
    let root = match reader.next {
        Some(0) => reader.block(0)?,
        _ => return None,
    };
    let whole = reader.next.is_none() && reader.events <= MAX_EVENTS;
    whole.then_some(Read {
        root: Some(root),
        comments: reader.comments,
    })
}

/// Whether no character has a meaning of its own in YAML beside those of ASCII: no tab, no other end of a line than `\n`, no byte order
/// mark, nothing that is not to be printed (YAML 1.2 §5.1 and §5.4).
fn only_common_characters(source: &str) -> bool {
    let bytes = source.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        match byte {
            b' '..=b'~' | b'\n' => {}
            0..=0x7F => return false,
            // U+0080 to U+009F: control characters, the next line among them.
            0xC2 if bytes.get(at).is_some_and(|next| *next < 0xA0) => return false,
            // U+2028 and U+2029: separators of lines and paragraphs.
            0xE2 if matches!(bytes.get(at..at + 2), Some([0x80, 0xA8 | 0xA9])) => return false,
            // U+FEFF, the byte order mark; U+FFFE and U+FFFF, no characters.
            0xEF if matches!(
                bytes.get(at..at + 2),
                Some([0xBB, 0xBF] | [0xBF, 0xBE | 0xBF])
            ) =>
            {
                return false;
            }
            _ => {}
        }
    }
    true
}

struct Direct<'s> {
    source: &'s str,
    bytes: &'s [u8],
    /// The byte that is looked at.
    at: usize,
    /// Where its line begins.
    line: usize,
    /// Once a line has ended: the column of the next token, which `at` stands at; none at the end of the file.
    next: Option<usize>,
    /// The values of all open lists, the innermost last: so each list is made once, as long as it is.
    items: Vec<Node<'s>>,
    /// The same of maps.
    entries: Vec<Entry<'s>>,
    comments: Vec<Comment>,
    /// What the parser would have counted.
    events: usize,
    depth: usize,
}

/// A text before it is known whether it is a key.
struct Word<'s> {
    scalar: Scalar<'s>,
    span: Span,
}

impl<'s> Word<'s> {
    fn node(self) -> Node<'s> {
        Node {
            span: self.span,
            content: Content::Scalar(self.scalar),
        }
    }
}

impl<'s> Direct<'s> {
    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Whether a blank, the end of a line or of the file stands at a place.
    fn is_gap(&self, at: usize) -> bool {
        matches!(self.bytes.get(at), None | Some(b' ' | b'\n'))
    }

    fn spaces(&mut self) {
        while self.byte() == Some(b' ') {
            self.at += 1;
        }
    }

    /// From the beginning of a line to the next token, whose column becomes `next`.
    fn lines(&mut self) -> Option<()> {
        loop {
            self.line = self.at;
            self.spaces();
            match self.byte() {
                None => {
                    self.next = None;
                    return Some(());
                }
                Some(b'\n') => self.at += 1,
                Some(b'#') => self.comment()?,
                Some(_) => {
                    self.next = Some(self.at - self.line);
                    return Some(());
                }
            }
        }
    }

    /// What follows the last token of a line: nothing, or a comment. Then on to the next token.
    fn end_line(&mut self) -> Option<()> {
        self.spaces();
        match self.byte() {
            None => {}
            Some(b'\n') => self.at += 1,
            Some(b'#') if self.bytes[self.at - 1] == b' ' => self.comment()?,
            Some(_) => return None,
        }
        self.lines()
    }

    /// A comment, to the beginning of the next line. Those that were meant for something else are the parser's.
    fn comment(&mut self) -> Option<()> {
        let start = self.at;
        let end = self.source[start..].find('\n');
        let end = end.map_or(self.bytes.len(), |end| start + end);
        let span = Span { start, end };
        let text = &self.source[start + 1..end];
        let before = &self.source[self.line..start];
        let trailing = !before.trim().is_empty();
        if (trailing && traps::cuts(before, text)) || traps::hash_key(self.source, span).is_some() {
            return None;
        }
        self.comments.push(Comment {
            span,
            text: text.to_owned(),
            trailing,
        });
        self.events += 1;
        self.at = (end + 1).min(self.bytes.len());
        Some(())
    }

    /// A map or a list in lines, which begins at a column.
    fn block(&mut self, column: usize) -> Option<Node<'s>> {
        match self.is_item() {
            true => self.list(column, false),
            false => {
                let word = self.word(column, false)?;
                self.map(column, word)
            }
        }
    }

    /// Whether a `-` for an item of a list stands here.
    fn is_item(&self) -> bool {
        self.byte() == Some(b'-') && self.is_gap(self.at + 1)
    }

    /// A map in lines, once its first key is read.
    fn map(&mut self, column: usize, first: Word<'s>) -> Option<Node<'s>> {
        self.enter()?;
        let begin = self.entries.len();
        let start = first.span.start;
        let mut end = first.span.end;
        let mut key = first;
        loop {
            let colon = self.colon(&key)?;
            let value = self.value(column, colon)?;
            end = end.max(value.span.end);
            self.entries.push(Entry {
                key: key.scalar.text,
                key_span: key.span,
                value,
            });
            match self.next {
                Some(next) if next == column => key = self.word(column, false)?,
                Some(next) if next > column => return None,
                _ => break,
            }
        }
        self.leave();
        let content = Content::Map(self.close(begin)?);
        let span = Span { start, end };
        Some(Node { span, content })
    }

    /// A list in lines. Without an indentation of its own, as YAML allows below a key, it ends at the next key.
    fn list(&mut self, column: usize, below_key: bool) -> Option<Node<'s>> {
        self.enter()?;
        let begin = self.items.len();
        let mut start = self.at;
        loop {
            self.at += 1;
            self.spaces();
            if below_key && self.items.len() == begin {
                start = self.at;
            }
            let item = self.item(column)?;
            self.items.push(item);
            match self.next {
                Some(next) if next == column && self.is_item() => {}
                Some(next) if next == column && !below_key => return None,
                Some(next) if next > column => return None,
                _ => break,
            }
        }
        self.leave();
        let items = self.items.split_off(begin);
        let end = items.last().map_or(start, |item| item.span.end);
        let span = Span { start, end };
        let content = Content::List(items);
        Some(Node { span, content })
    }

    /// What stands behind the `-` of a list in lines, or in a line of its own below a key.
    fn item(&mut self, column: usize) -> Option<Node<'s>> {
        let own = self.at - self.line;
        match self.byte()? {
            b'{' | b'[' => {
                let node = self.flow(column)?;
                self.end_line()?;
                Some(node)
            }
            sign @ (b'|' | b'>') => self.text(column, sign == b'>'),
            _ if self.is_item() => self.list(own, false),
            _ => {
                let word = self.word(column, false)?;
                match self.is_colon() {
                    true => self.map(own, word),
                    false => self.words(column, word),
                }
            }
        }
    }

    /// How many blanks stand at a place.
    fn blanks(&self, at: usize) -> usize {
        let behind = self.bytes[at..].iter();
        behind.take_while(|byte| **byte == b' ').count()
    }

    /// What stands behind a key of a map in lines.
    fn value(&mut self, column: usize, colon: usize) -> Option<Node<'s>> {
        self.spaces();
        match self.byte() {
            None | Some(b'\n' | b'#') => {
                self.end_line()?;
                match self.next {
                    Some(next) if next > column => self.item(column),
                    Some(next) if next == column && self.is_item() => self.list(column, true),
                    _ => {
                        self.events += 1;
                        Some(absent(colon))
                    }
                }
            }
            Some(b'{' | b'[') => {
                let node = self.flow(column)?;
                self.end_line()?;
                Some(node)
            }
            Some(sign @ (b'|' | b'>')) => self.text(column, sign == b'>'),
            Some(_) => {
                let word = self.word(column, false)?;
                self.words(column, word)
            }
        }
    }

    /// Whether a colon stands here that makes a key of what is before it.
    fn is_colon(&self) -> bool {
        let behind = self.bytes[self.at..].iter();
        let blanks = behind.take_while(|byte| **byte == b' ').count();
        let colon = self.at + blanks;
        self.bytes.get(colon) == Some(&b':') && self.is_gap(colon + 1)
    }

    /// The colon behind a key.
    fn colon(&mut self, key: &Word<'s>) -> Option<usize> {
        // In bytes, of which a character has one at least.
        let one_line = !self.source[key.span.start..key.span.end].contains('\n');
        if !one_line || key.span.end - key.span.start >= MAX_KEY || !self.is_colon() {
            return None;
        }
        self.spaces();
        self.at += 1;
        Some(self.at - 1)
    }

    /// A map or a list begins.
    fn enter(&mut self) -> Option<()> {
        self.events += 2;
        self.depth += 1;
        (self.depth <= MAX_DEPTH).then_some(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    /// The map of the entries from a place on, unless a key is there twice.
    fn close(&mut self, begin: usize) -> Option<Map<'s>> {
        let entries = self.entries.split_off(begin);
        let twice = if entries.len() <= FEW_KEYS {
            let mut rest = entries.as_slice();
            let mut twice = false;
            while let [first, others @ ..] = rest {
                twice |= others.iter().any(|other| other.key == first.key);
                rest = others;
            }
            twice
        } else {
            let mut keys = HashSet::with_capacity_and_hasher(entries.len(), Default::default());
            !entries.iter().all(|entry| keys.insert(entry.key.as_ref()))
        };
        (!twice).then_some(Map { entries })
    }
}

/// What stands behind a colon where nothing does.
fn absent(colon: usize) -> Node<'static> {
    Node {
        span: Span {
            start: colon,
            end: colon,
        },
        content: Content::Scalar(Scalar {
            text: Cow::Borrowed("~"),
            style: Style::Plain,
            exact: None,
        }),
    }
}
