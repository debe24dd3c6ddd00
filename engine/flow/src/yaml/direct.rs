//! Reads the YAML that flows are written in straight into the tree.
//!
//! An editor asks for a whole check at every key press, and a parser that knows all of YAML is the largest part of one. Nearly every flow
//! gets along with a small part of it: maps and lists, in lines and in brackets, and texts. [`read`] knows that part alone and says
//! nothing: at whatever it is not certain of, and at every mistake, it gives up, and the parser reads the file from its beginning.
//! Where it does not give up, it gives what the parser would: a build with debug assertions holds that against the parser each time.

use std::borrow::Cow;
use std::collections::HashSet;

use super::read::{MAX_EVENTS, MAX_KEY, Read};
use super::traps;
use super::tree::{Comment, Content, Entry, Map, Node, Scalar, Style};
use crate::expr::Span;

/// Deepest nesting that is read here: well within what the parser takes, as each level is a call on the stack.
const MAX_DEPTH: usize = 32;

/// Events of the parser that stand for nothing in the tree: the beginnings and ends of the stream and of the document, with some to spare.
const OTHER_EVENTS: usize = 16;

/// Most entries of a map that are compared one by one for a key that is there twice.
const FEW_KEYS: usize = 16;

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

/// The next line of a text.
struct NextLine {
    /// Where the line begins.
    line: usize,
    /// Where the text does.
    begin: usize,
    /// How many empty lines are before it.
    empty: usize,
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

    /// A text behind its key or dash, or below it, with what of it stands in the next lines.
    fn words(&mut self, column: usize, word: Word<'s>) -> Option<Node<'s>> {
        let word = match word.scalar.style {
            Style::Plain => self.further(column, word)?,
            _ => word,
        };
        self.end_line()?;
        Some(word.node())
    }

    /// The next lines of a text without quotes: those that are further right than what is around them (YAML 1.2 §7.3.3).
    fn further(&mut self, column: usize, word: Word<'s>) -> Option<Word<'s>> {
        let mut own: Option<String> = None;
        while let Some(next) = self.next_line(self.at + self.blanks(self.at), column)
            && self.bytes[next.begin] != b'#'
        {
            let own = own.get_or_insert_with(|| word.scalar.text.to_string());
            fold(own, next.empty);
            self.line = next.line;
            self.at = self.plain_end(next.begin, false);
            own.push_str(&self.source[next.begin..self.at]);
        }
        let start = word.span.start;
        Some(match own {
            None => word,
            Some(own) => self.owned(own, Style::Plain, start, start, self.at),
        })
    }

    /// Where a text goes on behind the end of a line: further right than what is around it. `None` where it does not.
    fn next_line(&self, end: usize, column: usize) -> Option<NextLine> {
        let mut at = end;
        let mut empty = 0;
        loop {
            if self.bytes.get(at) != Some(&b'\n') {
                return None;
            }
            let line = at + 1;
            let begin = line + self.blanks(line);
            match self.bytes.get(begin)? {
                b'\n' => empty += 1,
                _ if begin - line <= column => return None,
                _ => return Some(NextLine { line, begin, empty }),
            }
            at = begin;
        }
    }

    /// How many blanks stand at a place.
    fn blanks(&self, at: usize) -> usize {
        let behind = self.bytes[at..].iter();
        behind.take_while(|byte| **byte == b' ').count()
    }

    /// A text behind `|` or `>` (YAML 1.2 §8.1): the lines that are further right than what is around them.
    fn text(&mut self, column: usize, folded: bool) -> Option<Node<'s>> {
        self.events += 1;
        self.at += 1;
        let chomping = self.byte().filter(|byte| matches!(byte, b'-' | b'+'));
        self.at += usize::from(chomping.is_some());
        if !self.is_gap(self.at) {
            return None;
        }
        self.spaces();
        match self.byte()? {
            b'\n' => self.at += 1,
            b'#' => self.comment()?,
            _ => return None,
        }
        let indent = self.blanks(self.at);
        let start = self.at + indent;
        if indent <= column {
            return None;
        }
        let mut text = String::new();
        let mut empty = 0;
        // The parser has a text end where the next token begins.
        let end = loop {
            let blanks = self.blanks(self.at);
            let begin = self.at + blanks;
            match self.bytes.get(begin) {
                // A line of more blanks than that has a text; before the first text, there is none yet.
                Some(b'\n') if blanks > indent || begin == start => return None,
                Some(b'\n') => {
                    empty += 1;
                    self.at = begin + 1;
                    continue;
                }
                None if blanks > 0 => return None,
                None => break begin,
                Some(_) if blanks < indent && blanks > column => return None,
                Some(_) if blanks < indent => break begin,
                Some(_) if folded && blanks > indent => return None,
                Some(_) => {}
            }
            let end = begin + self.source[begin..].find('\n')?;
            if begin != start {
                match folded {
                    true => fold(&mut text, empty),
                    false => text.extend(std::iter::repeat_n('\n', empty + 1)),
                }
            }
            empty = 0;
            text.push_str(&self.source[self.at + indent..end]);
            self.at = end + 1;
        };
        match chomping {
            Some(b'-') => {}
            None => text.push('\n'),
            Some(_) => text.extend(std::iter::repeat_n('\n', empty + 1)),
        }
        let word = self.owned(text, Style::Block, start, start, end);
        self.lines()?;
        Some(word.node())
    }

    /// A text that may not be what stands in the file from `from` on.
    fn owned(&self, text: String, style: Style, from: usize, start: usize, end: usize) -> Word<'s> {
        let written = self.source.get(from..from + text.len());
        let written = written.filter(|written| *written == text);
        Word {
            scalar: Scalar {
                exact: written.map(|_| from),
                text: written.map_or(Cow::Owned(text), Cow::Borrowed),
                style,
            },
            span: Span { start, end },
        }
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

    /// A text, of which only one in quotes may have several lines; in brackets, their signs end it.
    fn word(&mut self, column: usize, flow: bool) -> Option<Word<'s>> {
        self.events += 1;
        match self.byte()? {
            b'"' => self.double(column),
            b'\'' => self.single(column),
            _ => self.plain(flow),
        }
    }

    /// YAML 1.2 §7.3.3, on one line.
    fn plain(&mut self, flow: bool) -> Option<Word<'s>> {
        let start = self.at;
        match self.byte()? {
            b',' | b'[' | b']' | b'{' | b'}' | b'#' | b'&' | b'*' | b'!' | b'|' | b'>' | b'%'
            | b'@' | b'`' | b' ' | b'\n' => return None,
            b'-' | b'?' | b':' if self.is_gap(start + 1) || (flow && self.is_sign(start + 1)) => {
                return None;
            }
            // Marks of documents stand at the beginning of a line.
            b'-' | b'.' if start == self.line && self.source[start..].starts_with(['-', '.']) => {
                let mark = self.source.get(start..start + 3);
                if mark.is_some_and(|mark| mark == "---" || mark == "...") {
                    return None;
                }
            }
            _ => {}
        }
        let end = self.plain_end(start, flow);
        self.at = end;
        Some(Word {
            scalar: Scalar {
                text: Cow::Borrowed(&self.source[start..end]),
                style: Style::Plain,
                exact: Some(start),
            },
            span: Span { start, end },
        })
    }

    /// Where a text without quotes ends on its line.
    fn plain_end(&self, start: usize, flow: bool) -> usize {
        let mut end = start;
        let mut at = start;
        while let Some(&byte) = self.bytes.get(at) {
            match byte {
                b'\n' => break,
                b':' if self.is_gap(at + 1) || (flow && self.is_sign(at + 1)) => break,
                b'#' if self.bytes[at - 1] == b' ' => break,
                b',' | b'[' | b']' | b'{' | b'}' if flow => break,
                b' ' => {}
                _ => end = at + 1,
            }
            at += 1;
        }
        end
    }

    /// Whether a sign of maps and lists in brackets stands at a place.
    fn is_sign(&self, at: usize) -> bool {
        matches!(self.bytes.get(at), Some(b',' | b'[' | b']' | b'{' | b'}'))
    }

    /// YAML 1.2 §7.3.1, with the escapes that people use.
    fn double(&mut self, column: usize) -> Option<Word<'s>> {
        let mut read = Quoted::at(self.at);
        loop {
            match self.bytes.get(read.at)? {
                b'"' => break,
                b'\n' => self.fold_quoted(&mut read, column)?,
                b'\\' => {
                    let meant = match self.bytes.get(read.at + 1)? {
                        b'n' => '\n',
                        b't' => '\t',
                        escaped @ (b'"' | b'\\' | b'/') => char::from(*escaped),
                        _ => return None,
                    };
                    read.take(self.source, read.at);
                    read.push(meant);
                    read.skip(2);
                }
                _ => read.at += 1,
            }
        }
        Some(self.quoted(read))
    }

    /// YAML 1.2 §7.3.2.
    fn single(&mut self, column: usize) -> Option<Word<'s>> {
        let mut read = Quoted::at(self.at);
        loop {
            match self.bytes.get(read.at)? {
                b'\'' if self.bytes.get(read.at + 1) == Some(&b'\'') => {
                    read.take(self.source, read.at + 1);
                    read.skip(2);
                }
                b'\'' => break,
                b'\n' => self.fold_quoted(&mut read, column)?,
                _ => read.at += 1,
            }
        }
        Some(self.quoted(read))
    }

    /// The end of a line within quotes: the blanks around it count for one, or empty lines for ends of lines.
    fn fold_quoted(&mut self, read: &mut Quoted, column: usize) -> Option<()> {
        let next = self.next_line(read.at, column)?;
        let line = self.source[read.from..read.at].trim_end_matches(' ');
        read.take(self.source, read.from + line.len());
        fold(read.own.get_or_insert_default(), next.empty);
        self.line = next.line;
        read.at = next.begin;
        read.from = next.begin;
        Some(())
    }

    /// A text in quotes, which has been read up to the last one.
    fn quoted(&mut self, mut read: Quoted) -> Word<'s> {
        self.at = read.at + 1;
        if read.own.is_some() {
            read.take(self.source, read.at);
        }
        let start = read.start;
        match read.own {
            Some(own) => self.owned(own, Style::Quoted, start, start - 1, self.at),
            None => Word {
                scalar: Scalar {
                    text: Cow::Borrowed(&self.source[start..read.at]),
                    style: Style::Quoted,
                    exact: Some(start),
                },
                span: Span {
                    start: start - 1,
                    end: self.at,
                },
            },
        }
    }

    /// A map or a list in brackets, within what is in lines at a column.
    fn flow(&mut self, column: usize) -> Option<Node<'s>> {
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
            let mut keys = HashSet::with_capacity(entries.len());
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

/// A text in quotes that is being read.
struct Quoted {
    /// Behind the first quote.
    start: usize,
    at: usize,
    /// From where on it is not yet in `own`.
    from: usize,
    /// What it is where that does not stand in the file.
    own: Option<String>,
}

impl Quoted {
    /// Behind a quote.
    fn at(quote: usize) -> Quoted {
        Quoted {
            start: quote + 1,
            at: quote + 1,
            from: quote + 1,
            own: None,
        }
    }

    fn take(&mut self, source: &str, end: usize) {
        let own = self.own.get_or_insert_default();
        own.push_str(&source[self.from..end]);
        self.from = end;
    }

    fn push(&mut self, meant: char) {
        self.own.get_or_insert_default().push(meant);
    }

    fn skip(&mut self, bytes: usize) {
        self.at += bytes;
        self.from = self.at;
    }
}

/// The end of a line within a text: a blank, or as many ends of lines as there are empty ones.
fn fold(text: &mut String, empty: usize) {
    match empty {
        0 => text.push(' '),
        _ => text.extend(std::iter::repeat_n('\n', empty)),
    }
}
