use std::borrow::Cow;

use granit_parser::{
    ErrorKind, Event, Parser, ScalarStyle, ScanError, StrInput, StructureStyle, options,
};

use super::direct;
use super::syntax::reason;
use super::traps;
use super::tree::{Comment, Content, Entry, Map, Node, Scalar, Style};
use crate::check::report::Report;
use crate::check::rules::{
    duplicate_key, yaml_anchor, yaml_braces, yaml_cut, yaml_documents, yaml_key, yaml_limit,
    yaml_star_key, yaml_syntax, yaml_tab, yaml_tag,
};
use crate::diagnostic::line_start;
use crate::expr::Span;
use crate::hashed::HashMap;

/// Longest file, in bytes: a flow that a person can read is a few hundred kilobytes at the most.
pub(crate) const MAX_BYTES: usize = 1024 * 1024;

/// Most parser events, values and marks: bounds memory and time. Measured as the peak of a process on 64 bits, with files of nearly so
/// many: reading takes up to 30 MiB (a map of 90,000 keys), checking up to 105 MiB (24,000 actions). The least that a step is written
/// with has seven, so that a flow of 20,000 steps has 140,000.
pub(crate) const MAX_EVENTS: usize = 200_000;

/// Deepest nesting of maps and lists: keeps every later walk over the tree off the stack's end.
pub(crate) const MAX_NESTING: usize = 64;

/// Most slips that are read around within one file: each costs another reading.
const MAX_REPAIRS: usize = 32;

/// Longest key, in characters: YAML 1.2 §7.4.2 and §8.2.2, "at most 1024 Unicode characters", so that a reader need not look further
/// ahead to know a key.
pub(crate) const MAX_KEY: usize = 1_024;

/// Lines within an open bracket that are looked through for what keeps it from being closed.
const CUT_LINES: usize = 40;

/// What reading gives.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Read<'s> {
    /// The tree; `None` when the file is not YAML or is over a limit.
    pub root: Option<Node<'s>>,
    /// All comments, in order.
    pub comments: Vec<Comment>,
}

/// Reads a file. Everything that is wrong with it as YAML goes into `report`.
pub(crate) fn read<'s>(source: &'s str, report: &mut Report<'_>) -> Read<'s> {
    if source.len() > MAX_BYTES {
        yaml_limit::too_large(report, source.len(), MAX_BYTES);
        return Read::default();
    }
    match direct::read(source) {
        Some(read) => {
            debug_assert!(
                agrees(source, &read),
                "not as the parser reads it: {source}"
            );
            read
        }
        None => parse(source, report),
    }
}

/// Whether the parser reads the same, and finds nothing.
pub(super) fn agrees(source: &str, read: &Read<'_>) -> bool {
    let mut report = Report::new("", source);
    parse(source, &mut report) == *read && report.finish().is_empty()
}

/// Reads a file with the parser of YAML.
fn parse<'s>(source: &'s str, report: &mut Report<'_>) -> Read<'s> {
    // `{ phone: ${call.from} }` and `*: bye` break YAML, and what was meant is certain. So that one such
    // slip hides no other finding, it is made harmless in a copy of the same length, and the copy is read.
    let mut copy: Option<String> = None;
    let mut quoted: Vec<(Span, Span)> = Vec::new();
    for _ in 0..=MAX_REPAIRS {
        let text = copy.as_deref().unwrap_or(source);
        match Reader::new(source, text, &quoted).run(report) {
            Outcome::Done(read) => return read,
            Outcome::Slipped(slip) => {
                let mut repaired = text.as_bytes().to_vec();
                match slip {
                    Slip::Braces(span) => {
                        let whole = traps::with_quotes(source, span);
                        yaml_braces::braces_in_flow_map(report, span, whole, source);
                        quoted.push((whole, span));
                        for byte in &mut repaired[span.start..span.end] {
                            if !byte.is_ascii_alphanumeric() && byte.is_ascii() {
                                *byte = b'_';
                            }
                        }
                    }
                    Slip::Star(at) => {
                        let end = at + 1;
                        yaml_star_key::star_key(report, Span { start: at, end });
                        repaired[at] = b'x';
                    }
                    Slip::Hash(span) => {
                        yaml_cut::hash_key(report, span);
                        repaired[span.start] = b'x';
                    }
                }
                match String::from_utf8(repaired) {
                    Ok(repaired) => copy = Some(repaired),
                    Err(_) => return Read::default(),
                }
            }
        }
    }
    Read::default()
}

enum Outcome<'s> {
    Done(Read<'s>),
    Slipped(Slip),
}

/// A certain mistake that breaks YAML, but can be read around.
enum Slip {
    /// An unquoted `${ … }` between braces or brackets.
    Braces(Span),
    /// `*:`, at this byte.
    Star(usize),
    /// `#:` among the keys of a `press:`, without its colon.
    Hash(Span),
}

/// A map or a list that is still open.
enum Open<'s> {
    /// A list, and where its values begin among those of all open lists.
    List(Span, usize),
    Map(OpenMap<'s>),
}

/// A map that is still open.
struct OpenMap<'s> {
    span: Span,
    /// Where its entries begin among those of all open maps.
    begin: usize,
    /// Where each key stands once the map is too large to be looked through; empty before.
    keys: HashMap<Cow<'s, str>, Span>,
    /// A key whose value has not come yet.
    key: Option<(Cow<'s, str>, Span)>,
}

/// Most entries of a map that are looked through one by one for a key that is there twice.
pub(super) const FEW_KEYS: usize = 16;

impl<'s> OpenMap<'s> {
    fn new(span: Span, begin: usize) -> OpenMap<'s> {
        OpenMap {
            span,
            begin,
            keys: HashMap::default(),
            key: None,
        }
    }

    /// Where a key stands that is there already.
    fn first(&self, key: &str, entries: &[Entry<'s>]) -> Option<Span> {
        match self.keys.is_empty() {
            true => {
                let mut own = entries[self.begin..].iter();
                own.find(|entry| entry.key == key)
                    .map(|entry| entry.key_span)
            }
            false => self.keys.get(key).copied(),
        }
    }

    /// Adds an entry whose key is not there yet.
    fn insert(&mut self, entry: Entry<'s>, entries: &mut Vec<Entry<'s>>) {
        if !self.keys.is_empty() {
            self.keys.insert(entry.key.clone(), entry.key_span);
        }
        entries.push(entry);
        let own = &entries[self.begin..];
        if own.len() == FEW_KEYS {
            let entries = own.iter();
            self.keys = entries.map(|e| (e.key.clone(), e.key_span)).collect();
        }
    }
}

struct Reader<'s, 'a> {
    /// As the user wrote it.
    source: &'s str,
    /// The same length; `${ … }` in flow maps made harmless.
    text: &'a str,
    /// Each of those with what stands around it for quotes, and without.
    quoted: &'a [(Span, Span)],
    open: Vec<Open<'s>>,
    /// The values of all open lists, the innermost last: so each list is made once, as long as it is.
    items: Vec<Node<'s>>,
    /// The same of maps.
    entries: Vec<Entry<'s>>,
    flow: usize,
    root: Option<Node<'s>>,
    comments: Vec<Comment>,
    found: Vec<Found>,
}

/// Findings wait until it is certain that this reading is the last one.
enum Found {
    Duplicate {
        key: String,
        again: Span,
        first: Span,
    },
    Key(Span),
    Anchor(Span),
    Alias(Span),
    Tag(Span),
    Cut(Span),
    Documents(Span),
    Events(Span),
    Nesting(Span),
    Syntax(usize, ErrorKind),
}

impl<'s, 'a> Reader<'s, 'a> {
    fn new(source: &'s str, text: &'a str, quoted: &'a [(Span, Span)]) -> Reader<'s, 'a> {
        Reader {
            source,
            text,
            quoted,
            open: Vec::new(),
            items: Vec::new(),
            entries: Vec::new(),
            flow: 0,
            root: None,
            comments: Vec::new(),
            found: Vec::new(),
        }
    }

    fn run(mut self, report: &mut Report<'_>) -> Outcome<'s> {
        let settings = options! {
            disallow_directives: true,
            emit_anchor_events: true,
            emit_unresolved_aliases: true,
            max_buffered_comment_events: MAX_EVENTS,
            flow_nesting_limit: MAX_NESTING,
            block_nesting_limit: MAX_NESTING,
            simple_key_max_lookahead: MAX_KEY,
        };
        let complete = match self.events(Parser::new_from_str_with_options(self.text, settings)) {
            Ok(complete) => complete,
            Err(slip) => return Outcome::Slipped(slip),
        };
        let broken = self
            .found
            .iter()
            .any(|found| matches!(found, Found::Syntax(..)));
        for found in std::mem::take(&mut self.found) {
            // `{{` is a map for a key only as long as nobody knows which brace is too many.
            if !broken || !matches!(found, Found::Key(_)) {
                self.tell(found, report);
            }
        }
        Outcome::Done(Read {
            root: self.root.filter(|_| complete),
            comments: self.comments,
        })
    }

    /// Walks all events. `Ok(false)` when the tree is not whole; `Err` at a slip that breaks it.
    fn events(&mut self, mut parser: Parser<'a, StrInput<'a>>) -> Result<bool, Slip> {
        let mut documents = 0usize;
        let mut seen = 0usize;
        while let Some(next) = parser.next_event() {
            seen += 1;
            if seen > MAX_EVENTS {
                let place = match next {
                    Ok((_, span)) => bytes(&span),
                    Err(_) => Span::default(),
                };
                self.found.push(Found::Events(place));
                return Ok(false);
            }
            let (event, span, tagged) = match next {
                Ok((event, span)) => {
                    let tagged = span
                        .tag_span()
                        .map_or_else(|| bytes(&span), |tag| bytes(&tag));
                    (event, bytes(&span), tagged)
                }
                Err(error) => {
                    if let Some(span) = self.braces_near(&error) {
                        return Err(Slip::Braces(span));
                    }
                    // An alias that is no first key is an error before it is one of the events.
                    if let Some(star) = traps::star_key(self.text, byte_of(&error, self.text)) {
                        return Err(Slip::Star(star));
                    }
                    self.syntax(&error);
                    return Ok(false);
                }
            };
            match event {
                Event::DocumentStart(..) => {
                    documents += 1;
                    if documents > 1 {
                        self.found.push(Found::Documents(span));
                        return Ok(true);
                    }
                }
                Event::Scalar(text, style, _, tag) => {
                    if tag.is_some() {
                        self.found.push(Found::Tag(tagged));
                    }
                    if let Some(braces) = self.braces(style, &text, span) {
                        return Err(Slip::Braces(braces));
                    }
                    let node = self.scalar(&text, style, span);
                    self.put(node);
                }
                Event::SequenceStart(style, _, tag) => {
                    if tag.is_some() {
                        self.found.push(Found::Tag(tagged));
                    }
                    self.enter(style, span, Open::List(span, self.items.len()))?;
                }
                Event::MappingStart(style, _, tag) => {
                    if tag.is_some() {
                        self.found.push(Found::Tag(tagged));
                    }
                    let open = OpenMap::new(span, self.entries.len());
                    self.enter(style, span, Open::Map(open))?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.leave(span),
                Event::Alias(_) | Event::UnresolvedAlias(_) => {
                    if self.text[span.start..].starts_with("*:") {
                        return Err(Slip::Star(span.start));
                    }
                    self.found.push(Found::Alias(span));
                    self.put(absent(span));
                }
                Event::Anchor(..) => self.found.push(Found::Anchor(span)),
                Event::Comment(text, _) => {
                    if let Some(key) = self.hash_key(span) {
                        return Err(Slip::Hash(key));
                    }
                    self.comment(&text, span);
                }
                _ => {}
            }
            if self.open.len() > MAX_NESTING {
                self.found.push(Found::Nesting(span));
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn enter(&mut self, style: StructureStyle, span: Span, open: Open<'s>) -> Result<(), Slip> {
        if style == StructureStyle::Flow || self.flow > 0 {
            // A map right after a `$` is the rest of an unquoted `${ … }`.
            if span.start > 0 && self.text.as_bytes().get(span.start - 1) == Some(&b'$') {
                return Err(Slip::Braces(traps::braces(self.source, span.start - 1)));
            }
            self.flow += 1;
        }
        self.open.push(open);
        Ok(())
    }

    fn leave(&mut self, span: Span) {
        self.flow = self.flow.saturating_sub(1);
        let Some(open) = self.open.pop() else { return };
        let (start, content) = match open {
            Open::List(start, begin) => (start, Content::List(self.items.split_off(begin))),
            Open::Map(open) => {
                let entries = self.entries.split_off(open.begin);
                (open.span, Content::Map(Map { entries }))
            }
        };
        // A block's end event stands at the next token; its last child says where it really ends.
        let last = match &content {
            Content::List(items) => items.last().map(|node| node.span.end),
            Content::Map(map) => map.entries.last().map(|entry| entry.span().end),
            Content::Scalar(_) => None,
        };
        let end = if span.end > span.start {
            span.end
        } else {
            last.unwrap_or(start.end)
        };
        self.put(Node {
            span: Span {
                start: start.start,
                end: end.max(start.start),
            },
            content,
        });
    }

    /// Hangs a finished node into what is open.
    fn put(&mut self, node: Node<'s>) {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List(..)) => self.items.push(node),
            Some(Open::Map(open)) => match open.key.take() {
                None => {
                    let name = match node.content {
                        Content::Scalar(scalar) => scalar.text,
                        _ => {
                            self.found.push(Found::Key(node.span));
                            Cow::default()
                        }
                    };
                    open.key = Some((name, node.span));
                }
                Some((key, key_span)) => match open.first(&key, &self.entries) {
                    Some(first) => self.found.push(Found::Duplicate {
                        key: key.into_owned(),
                        again: key_span,
                        first,
                    }),
                    None => {
                        let value = node;
                        let entry = Entry {
                            key,
                            key_span,
                            value,
                        };
                        open.insert(entry, &mut self.entries);
                    }
                },
            },
        }
    }

    fn scalar(&self, text: &str, style: ScalarStyle, span: Span) -> Node<'s> {
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
            _ => Style::Block,
        };
        // What was meant by quotes that are none is no part of the text.
        if let Some((_, inner)) = self.quoted.iter().find(|(whole, _)| *whole == span) {
            return Node {
                span,
                content: Content::Scalar(Scalar {
                    text: Cow::Borrowed(&self.source[inner.start..inner.end]),
                    style,
                    exact: Some(inner.start),
                }),
            };
        }
        // Taken from the user's own text, in case the copy was changed here.
        let start = if style == Style::Quoted {
            span.start + 1
        } else {
            span.start
        };
        let range = start..start + text.len();
        let written = self.source.get(range.clone());
        let exact = self.text.get(range) == Some(text);
        let text = match written {
            Some(written) if exact => Cow::Borrowed(written),
            _ => Cow::Owned(text.to_owned()),
        };
        Node {
            span,
            content: Content::Scalar(Scalar {
                text,
                style,
                exact: exact.then_some(start),
            }),
        }
    }

    /// The `#` of a comment that was meant for a key of the telephone: it stands where a key of a `press:` may begin, and a target
    /// behind its colon.
    fn hash_key(&self, comment: Span) -> Option<Span> {
        let key = traps::hash_key(self.text, comment)?;
        let presses = |map: &OpenMap<'_>| matches!(&map.key, Some((key, _)) if key == "press");
        let column = |at: usize| at - line_start(self.text, at);
        let at = column(key.start);
        // A block ends where a line begins further left, which is seen behind the comment.
        let over = |open: &&Open<'_>| {
            let (Open::List(span, _) | Open::Map(OpenMap { span, .. })) = open;
            self.flow == 0 && column(span.start) > at
        };
        let ended = self.open.iter().rev().take_while(over).count();
        let mut maps = self.open.iter().rev().skip(ended).map(|open| match open {
            Open::Map(map) => Some(map),
            Open::List(..) => None,
        });
        let inner = maps.next()??;
        let among = maps.next().flatten().is_some_and(presses);
        let fits = if self.flow > 0 {
            let before = self.text[..key.start].trim_end();
            among && inner.key.is_none() && before.ends_with(['{', ','])
        } else if column(inner.span.start) == at {
            among
        } else {
            // Before the first key, or below a `press:` without another one.
            let last = self.entries[inner.begin..].last();
            let alone = last.is_some_and(|last| last.key == "press" && last.value.absent());
            ended == 0 && (presses(inner) || (inner.key.is_none() && alone))
        };
        fits.then_some(key)
    }

    fn comment(&mut self, text: &str, mut span: Span) {
        // Of a line's end on Windows the first sign is no part of the comment.
        let text = text.strip_suffix('\r').unwrap_or(text);
        if self.text[span.start..span.end].ends_with('\r') {
            span.end -= 1;
        }
        let line = line_start(self.text, span.start);
        // A byte order mark at the beginning means nothing.
        let before = self.text[line..span.start].trim_start_matches('\u{feff}');
        let trailing = !before.trim().is_empty();
        if trailing && traps::cuts(before, text) {
            self.found.push(Found::Cut(span));
        }
        self.comments.push(Comment {
            span,
            text: text.to_owned(),
            trailing,
        });
    }

    /// A plain scalar in a flow map that ends in `$` right before a brace.
    fn braces(&self, style: ScalarStyle, text: &str, span: Span) -> Option<Span> {
        let broken = style == ScalarStyle::Plain
            && self.flow > 0
            && text.ends_with('$')
            && self.text[span.end..].starts_with('{');
        broken.then(|| traps::braces(self.source, span.end - 1))
    }

    /// The `${` of a flow map that an error comes from: the last one on its line, before it, unquoted.
    fn braces_near(&self, error: &ScanError) -> Option<Span> {
        if self.flow == 0 {
            return None;
        }
        let at = byte_of(error, self.text);
        let line = line_start(self.text, at);
        let open = self.text[line..at].rfind("${")? + line;
        let quotes = self.text[line..open].matches(['"', '\'']).count();
        quotes
            .is_multiple_of(2)
            .then(|| traps::braces(self.source, open))
    }

    fn syntax(&mut self, error: &ScanError) {
        let at = byte_of(error, self.text);
        self.found.push(Found::Syntax(at, error.kind().clone()));
    }

    fn tell(&self, found: Found, report: &mut Report<'_>) {
        match found {
            Found::Duplicate { key, again, first } => {
                duplicate_key::duplicate(report, &key, again, first)
            }
            Found::Key(span) => {
                yaml_key::complex_key(report, span);
                report.spoil(span);
            }
            Found::Anchor(span) => yaml_anchor::anchor(report, span),
            Found::Alias(span) => {
                yaml_anchor::alias(report, span);
                report.spoil(span);
            }
            Found::Tag(span) => yaml_tag::tag(report, span),
            Found::Cut(span) => yaml_cut::cut_by_comment(report, span),
            Found::Documents(span) => yaml_documents::several_documents(report, span),
            Found::Events(span) => yaml_limit::too_many_events(report, span, MAX_EVENTS),
            Found::Nesting(span) => yaml_limit::too_deep(report, span, MAX_NESTING),
            Found::Syntax(at, kind) => self.tell_syntax(at, &kind, report),
        }
    }

    /// The ` #` that keeps a bracket from being closed, where an error before a byte follows from that.
    fn cut_within(&self, at: usize) -> Option<Span> {
        let bracket = |span: &Span| self.source[span.start..].starts_with(['{', '[']);
        let open = self.open.iter().map(|open| match open {
            Open::List(span, _) => *span,
            Open::Map(open) => open.span,
        });
        let first = open.into_iter().find(bracket)?;
        let lines = self.source.get(first.start..at)?.match_indices('\n');
        let starts = lines.map(|(line, _)| first.start + line + 1);
        let mut starts = std::iter::once(first.start).chain(starts).take(CUT_LINES);
        starts.find_map(|start| traps::cut_near(self.source, start))
    }

    fn tell_syntax(&self, at: usize, kind: &ErrorKind, report: &mut Report<'_>) {
        if let Some(mark) = traps::foreign_line(self.source) {
            return yaml_syntax::foreign(report, mark, &self.source[mark.start..mark.end]);
        }
        let here = traps::token_at(self.source, at);
        match kind {
            ErrorKind::TabNotAllowed
            | ErrorKind::TabInBlockIndentation
            | ErrorKind::TabAtBlockScalarStart
            | ErrorKind::TabInIndentation
            | ErrorKind::TabInPlainScalar => match traps::tab_near(self.source, at) {
                Some(tab) => yaml_tab::tab(report, tab),
                None => yaml_syntax::syntax(report, here, reason(kind)),
            },
            ErrorKind::RecursionLimitExceeded => yaml_limit::too_deep(report, here, MAX_NESTING),
            ErrorKind::MissingAnchorOrAliasName => match traps::star_near(self.source, at) {
                Some(star) => match traps::star_item(self.source, star.start) {
                    Some(certain) => yaml_star_key::item(report, star, certain),
                    None => yaml_star_key::star_key(report, star),
                },
                None => yaml_syntax::syntax(report, here, reason(kind)),
            },
            ErrorKind::UnexpectedCharacter { character } if character.is_control() => {
                yaml_syntax::control(report, here, *character);
            }
            ErrorKind::DirectiveDisallowed => yaml_documents::directive(report, here),
            _ if let Some((key, chars)) = traps::long_key(self.source, at) => {
                yaml_limit::long_key(report, key, chars, MAX_KEY);
            }
            _ if let Some(cut) = self.cut_within(at) => yaml_cut::cut_by_comment(report, cut),
            _ => match traps::tab_indent(self.source, at) {
                Some(tab) => yaml_tab::tab(report, tab),
                None => yaml_syntax::syntax(report, here, reason(kind)),
            },
        }
    }
}

fn absent(span: Span) -> Node<'static> {
    Node {
        span,
        content: Content::Scalar(Scalar {
            text: Cow::default(),
            style: Style::Plain,
            exact: None,
        }),
    }
}

fn bytes(span: &granit_parser::Span) -> Span {
    let start = span.start.byte_offset().unwrap_or(0);
    let end = span.end.byte_offset().unwrap_or(start);
    Span {
        start,
        end: end.max(start),
    }
}

fn byte_of(error: &ScanError, text: &str) -> usize {
    let at = error.marker().byte_offset().unwrap_or(text.len());
    crate::diagnostic::floor(text, at)
}
