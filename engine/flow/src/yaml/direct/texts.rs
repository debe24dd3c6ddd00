//! Texts: without quotes, in quotes, and as blocks of lines.

use std::borrow::Cow;

use super::super::tree::{Node, Scalar, Style};
use super::{Direct, Word};
use crate::expr::Span;

/// The next line of a text.
struct NextLine {
    /// Where the line begins.
    line: usize,
    /// Where the text does.
    begin: usize,
    /// How many empty lines are before it.
    empty: usize,
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

impl<'s> Direct<'s> {
    /// A text, of which only one in quotes may have several lines; in brackets, their signs end it.
    pub(super) fn word(&mut self, column: usize, flow: bool) -> Option<Word<'s>> {
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

    /// A text behind its key or dash, or below it, with what of it stands in the next lines.
    pub(super) fn words(&mut self, column: usize, word: Word<'s>) -> Option<Node<'s>> {
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

    /// A text behind `|` or `>` (YAML 1.2 §8.1): the lines that are further right than what is around them.
    pub(super) fn text(&mut self, column: usize, folded: bool) -> Option<Node<'s>> {
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
