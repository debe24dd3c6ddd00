//! Makes the tree: a Pratt parser. From loose to tight:
//!
//! | level | operators |
//! |---|---|
//! | 0 | `a if c else b` (to the right) |
//! | 1 | `or` |
//! | 2 | `and` |
//! | 3 | `not a` |
//! | 4 | `==` `!=` `<` `<=` `>` `>=` `in` `not in` `is none` `is not none` (not in a row) |
//! | 5 | `~` |
//! | 6 | `+` `-` |
//! | 7 | `*` `/` `%` |
//! | 8 | `-a` |
//! | 9 | `\| filter` |
//! | 10 | `.name` `[index]` |

use super::fault::Fault;
use super::finding::{Change, Finding, Place, Span};
use super::lexer::{Token, TokenKind, tokens};
use super::tree::{Expr, Kind, Operator};

/// Longest expression, in bytes: longer ones belong into variables, and every stage is bounded by it.
pub const MAX_BYTES: usize = 1024;

/// Deepest nesting of brackets, signs, `not`, `if` and arguments: keeps the parser's recursion small.
pub const MAX_NESTING: usize = 32;

/// Most operators, fields or filters one after another (`a + b + c …`): the tree is as deep as these are
/// many, and every stage walks it by recursion.
pub const MAX_CHAIN: usize = 128;

/// The words that are no names.
const WORDS: [&str; 10] = [
    "and", "or", "not", "in", "is", "if", "else", "true", "false", "none",
];

const NOT: u8 = 3;
const COMPARISON: u8 = 4;

/// Parses an expression. `at` is the place of its first byte in the file.
///
/// # Errors
///
/// `bad-expression` for what cannot be read, `braces-in-expression` for `${ … }` and `{{ … }}`,
/// `expression-limit` beyond [`MAX_BYTES`], [`MAX_NESTING`] or [`MAX_CHAIN`]. The list is never empty.
pub fn parse(text: &str, at: usize) -> Result<Expr, Vec<Finding>> {
    let whole = Span {
        start: at,
        end: at + text.len(),
    };
    if text.len() > MAX_BYTES {
        let bytes = text.len();
        return Err(vec![Fault::TooLong { bytes }.at(whole)]);
    }
    read(text, whole).map_err(|mut finding| {
        finding.change = finding
            .change
            .take()
            .and_then(|change| proven(*change, text, at))
            .map(Box::new);
        vec![finding]
    })
}

fn read(text: &str, whole: Span) -> Result<Expr, Finding> {
    let tokens = tokens(text, whole.start)?;
    let mut parser = Parser {
        tokens,
        position: 0,
        nesting: 0,
    };
    parser.whole(whole)
}

/// A change after which the expression can be read, or further at least than to the change; with blanks around it where
/// a word would touch another.
fn proven(mut change: Change, text: &str, at: usize) -> Option<Change> {
    let (start, end) = (change.span.start - at, change.span.end - at);
    let (before, after) = (text.get(..start)?, text.get(end..)?);
    if change
        .replacement
        .starts_with(|c: char| c.is_ascii_alphabetic())
    {
        if before.ends_with(|c: char| !c.is_whitespace() && c != '(') {
            change.replacement.insert(0, ' ');
        }
        if after.starts_with(|c: char| !c.is_whitespace() && c != '(') {
            change.replacement.push(' ');
        }
    }
    let meant = format!("{before}{}{after}", change.replacement);
    let whole = Span {
        start: 0,
        end: meant.len(),
    };
    let changed = before.len() + change.replacement.len();
    match read(&meant, whole) {
        Ok(_) => Some(change),
        Err(finding) => (finding.span.start > changed).then_some(change),
    }
}

/// As [`parse`], for a text that may be written otherwise than it reads: then everything points at the whole place.
///
/// # Errors
///
/// As [`parse`].
pub fn parse_at(text: &str, place: Place) -> Result<Expr, Vec<Finding>> {
    match place {
        Place::Exact(at) => parse(text, at),
        Place::Within(span) => match parse(text, 0) {
            Ok(mut expr) => {
                expr.move_to(span);
                Ok(expr)
            }
            Err(mut findings) => {
                for finding in &mut findings {
                    finding.span = span;
                    finding.change = None;
                }
                Err(findings)
            }
        },
    }
}

struct Parser {
    /// Ended by `End`, at which `position` stops.
    tokens: Vec<Token>,
    position: usize,
    nesting: usize,
}

impl Parser {
    fn whole(&mut self, span: Span) -> Result<Expr, Finding> {
        if self.tokens.len() == 1 {
            return Err(Fault::Nothing.at(span));
        }
        let expr = self.expression()?;
        if self.peek().kind != TokenKind::End {
            return Err(self.unexpected_rest(&expr));
        }
        if chain_is_too_long(&expr) {
            return Err(Fault::TooManyParts.at(expr.span));
        }
        Ok(expr)
    }

    /// Level 0.
    fn expression(&mut self) -> Result<Expr, Finding> {
        self.enter()?;
        let value = self.operators(1)?;
        let expr = if self.take_word("if") {
            let condition = self.operators(1)?;
            if !self.take_word("else") {
                let span = value.span.to(condition.span);
                let (value, condition) = (&value, &condition);
                return Err(Fault::NoElse { value, condition }.at(span));
            }
            let otherwise = self.expression()?;
            let span = value.span.to(otherwise.span);
            let kind = Kind::Choice(Box::new(condition), Box::new(value), Box::new(otherwise));
            Expr { kind, span }
        } else {
            value
        };
        self.leave();
        Ok(expr)
    }

    /// Everything that binds at least as tightly as a level.
    fn operators(&mut self, level: u8) -> Result<Expr, Finding> {
        let mut left = self.prefix(level)?;
        let mut compared = false;
        while let Some((operator, its_level, length)) = self.operator() {
            if its_level < level {
                break;
            }
            if its_level == COMPARISON && std::mem::replace(&mut compared, true) {
                return Err(Fault::Row.at(self.peek().span));
            }
            let symbol_span = self.peek().span;
            self.position += length;
            left = match operator {
                Some(operator) => {
                    let right = self.operators(its_level + 1)?;
                    let span = left.span.to(right.span);
                    Expr {
                        kind: Kind::Binary(operator, Box::new(left), Box::new(right)),
                        span,
                    }
                }
                None => self.is_none(left, symbol_span)?,
            };
            // `a and b == c` restarts the row, `a == b == c` does not.
            compared = its_level == COMPARISON;
        }
        Ok(left)
    }

    /// The operator that comes next, its level and its number of tokens; `is` has no operator of its own.
    fn operator(&self) -> Option<(Option<Operator>, u8, usize)> {
        let operator = match &self.peek().kind {
            TokenKind::Symbol(symbol) => match *symbol {
                "==" => Operator::Equal,
                "!=" => Operator::NotEqual,
                "<" => Operator::Less,
                "<=" => Operator::LessOrEqual,
                ">" => Operator::Greater,
                ">=" => Operator::GreaterOrEqual,
                "~" => Operator::Join,
                "+" => Operator::Add,
                "-" => Operator::Subtract,
                "*" => Operator::Multiply,
                "/" => Operator::Divide,
                "%" => Operator::Remainder,
                _ => return None,
            },
            TokenKind::Name(word) => match word.as_str() {
                "or" => Operator::Or,
                "and" => Operator::And,
                "in" => Operator::In,
                "not" if self.word_at(1, "in") => {
                    return Some((Some(Operator::NotIn), COMPARISON, 2));
                }
                "is" => return Some((None, COMPARISON, 1)),
                _ => return None,
            },
            _ => return None,
        };
        Some((Some(operator), operator.level(), 1))
    }

    /// What follows `is`.
    fn is_none(&mut self, of: Expr, is: Span) -> Result<Expr, Finding> {
        let negated = self.take_word("not");
        let end = self.peek().span;
        if self.take_word("none") {
            let span = of.span.to(end);
            return Ok(Expr {
                kind: Kind::IsNone(Box::new(of), !negated),
                span,
            });
        }
        let of = &of;
        Err(Fault::Is { of, negated }.at(is.to(end)))
    }

    fn prefix(&mut self, level: u8) -> Result<Expr, Finding> {
        let start = self.peek().span;
        if self.take_word("not") {
            if level > NOT {
                return Err(Fault::Not.at(start));
            }
            self.enter()?;
            let of = self.operators(NOT)?;
            self.leave();
            let span = start.to(of.span);
            return Ok(Expr {
                kind: Kind::Not(Box::new(of)),
                span,
            });
        }
        let signed = self.sign()?;
        self.filters(signed)
    }

    /// Level 8. A filter takes the sign along: `-3 | number` says "minus three".
    fn sign(&mut self) -> Result<Expr, Finding> {
        let start = self.peek().span;
        if self.take_symbol("-") {
            self.enter()?;
            let of = self.sign()?;
            self.leave();
            let span = start.to(of.span);
            return Ok(Expr {
                kind: Kind::Negate(Box::new(of)),
                span,
            });
        }
        if self.peek().kind == TokenKind::Symbol("+") {
            return Err(Fault::Plus.at(start));
        }
        let atom = self.atom()?;
        self.fields(atom)
    }

    fn filters(&mut self, mut of: Expr) -> Result<Expr, Finding> {
        while self.take_symbol("|") {
            let (name, name_span) = self.name(Fault::NoFilterName)?;
            let mut arguments = Vec::new();
            let mut end = name_span;
            if self.take_symbol("(") {
                (arguments, end) = self.items(")", name_span)?;
            }
            let span = of.span.to(end);
            of = Expr {
                kind: Kind::Filter(Box::new(of), name, name_span, arguments),
                span,
            };
            // A field of what the filter gave: `(x | f).y` needs its brackets.
        }
        Ok(of)
    }

    fn fields(&mut self, mut of: Expr) -> Result<Expr, Finding> {
        loop {
            if self.take_symbol(".") {
                let (name, name_span) = self.name(Fault::NoFieldName)?;
                let span = of.span.to(name_span);
                of = Expr {
                    kind: Kind::Field(Box::new(of), name, name_span),
                    span,
                };
            } else if self.peek().kind == TokenKind::Symbol("[") {
                let open = self.peek().span;
                self.position += 1;
                let index = self.expression()?;
                let end = self.close("]", open)?;
                let span = of.span.to(end);
                of = Expr {
                    kind: Kind::Index(Box::new(of), Box::new(index)),
                    span,
                };
            } else if self.peek().kind == TokenKind::Symbol("(") {
                let span = of.span.to(self.peek().span);
                return Err(Fault::Called { of: &of }.at(span));
            } else {
                return Ok(of);
            }
        }
    }

    fn atom(&mut self) -> Result<Expr, Finding> {
        let token = &mut self.tokens[self.position];
        let span = token.span;
        let kind = match &mut token.kind {
            TokenKind::Number(number) => Kind::Number(*number),
            TokenKind::Text(text) => Kind::Text(std::mem::take(text)),
            TokenKind::Name(name) => match name.as_str() {
                "true" => Kind::Bool(true),
                "false" => Kind::Bool(false),
                "none" => Kind::None,
                found if WORDS.contains(&found) => {
                    return Err(Fault::NoValueBefore { found }.at(span));
                }
                _ => Kind::Name(std::mem::take(name)),
            },
            TokenKind::Symbol("(") => {
                self.position += 1;
                let mut inner = self.expression()?;
                let end = self.close(")", span)?;
                inner.span = span.to(end);
                return Ok(inner);
            }
            TokenKind::Symbol("[") => {
                self.position += 1;
                let (items, end) = self.items("]", span)?;
                return Ok(Expr {
                    kind: Kind::List(items),
                    span: span.to(end),
                });
            }
            TokenKind::Symbol(found) => return Err(Fault::NoValueBefore { found }.at(span)),
            TokenKind::End => return Err(Fault::BreaksOff.at(span)),
        };
        self.position += 1;
        Ok(Expr { kind, span })
    }

    /// Expressions between commas up to a closing bracket; a comma may stand after the last one.
    fn items(&mut self, close: &'static str, open: Span) -> Result<(Vec<Expr>, Span), Finding> {
        let mut items = Vec::new();
        loop {
            let end = self.peek().span;
            if self.take_symbol(close) {
                return Ok((items, end));
            }
            items.push(self.expression()?);
            if !self.take_symbol(",") {
                let end = self.close(close, open)?;
                return Ok((items, end));
            }
        }
    }

    fn close(&mut self, close: &'static str, open: Span) -> Result<Span, Finding> {
        let span = self.peek().span;
        if self.take_symbol(close) {
            return Ok(span);
        }
        if self.peek().kind == TokenKind::End {
            return Err(Fault::OpenBracket { close }.at(open));
        }
        Err(Fault::NoBracket { close }.at(span))
    }

    fn name(&mut self, expected: Fault<'_>) -> Result<(String, Span), Finding> {
        let token = self.peek().clone();
        match token.kind {
            TokenKind::Name(name) => {
                self.position += 1;
                Ok((name, token.span))
            }
            _ => Err(expected.at(token.span)),
        }
    }

    /// Something stands behind a complete expression.
    fn unexpected_rest(&self, expr: &Expr) -> Finding {
        let token = self.peek();
        let fault = match &token.kind {
            TokenKind::Name(word) => Fault::NoOperatorBefore { word, expr },
            TokenKind::Symbol(symbol @ (")" | "]")) => Fault::ClosesNothing { symbol },
            TokenKind::Symbol(".") => Fault::FieldOfMore { expr },
            TokenKind::Symbol(symbol) => Fault::Symbol { symbol },
            _ => Fault::NoOperator,
        };
        fault.at(token.span)
    }

    fn peek(&self) -> &Token {
        // `position` never passes the `End` token: only tokens of other kinds are taken.
        &self.tokens[self.position]
    }

    fn word_at(&self, ahead: usize, word: &str) -> bool {
        let token = self.tokens.get(self.position + ahead);
        matches!(token, Some(Token { kind: TokenKind::Name(name), .. }) if name == word)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let taken = self.word_at(0, word);
        self.position += usize::from(taken);
        taken
    }

    fn take_symbol(&mut self, symbol: &'static str) -> bool {
        let taken = self.peek().kind == TokenKind::Symbol(symbol);
        self.position += usize::from(taken);
        taken
    }

    fn enter(&mut self) -> Result<(), Finding> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(Fault::TooDeep.at(self.peek().span));
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.nesting -= 1;
    }
}

/// Whether some way from the root goes to the left, which the parser's loops made, more than
/// [`MAX_CHAIN`] times. Walks that way without recursion.
fn chain_is_too_long(expr: &Expr) -> bool {
    let mut open = vec![(expr, 0usize)];
    while let Some((expr, depth)) = open.pop() {
        if depth > MAX_CHAIN {
            return true;
        }
        match &expr.kind {
            Kind::None | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Name(_) => {}
            Kind::List(items) => open.extend(items.iter().map(|item| (item, depth + 1))),
            Kind::Field(of, _, _) | Kind::Negate(of) | Kind::Not(of) | Kind::IsNone(of, _) => {
                open.push((of, depth + 1));
            }
            Kind::Filter(of, _, _, arguments) => {
                open.push((of, depth + 1));
                open.extend(arguments.iter().map(|argument| (argument, depth + 1)));
            }
            Kind::Index(a, b) | Kind::Binary(_, a, b) => {
                open.push((a, depth + 1));
                open.push((b, depth + 1));
            }
            Kind::Choice(condition, a, b) => {
                open.push((condition, depth + 1));
                open.push((a, depth + 1));
                open.push((b, depth + 1));
            }
        }
    }
    false
}
