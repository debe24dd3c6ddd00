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

use super::finding::{Finding, Span};
use super::lexer::{Token, TokenKind, tokens};
use super::suggest::closest;
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
        let message = format!(
            "this expression has {} bytes; the most is {MAX_BYTES}",
            text.len()
        );
        return Err(vec![
            Finding::new("expression-limit", whole, message)
                .with_help("put a part of it into a variable with `set:`"),
        ]);
    }
    let tokens = tokens(text, at).map_err(|finding| vec![finding])?;
    let mut parser = Parser {
        tokens,
        position: 0,
        nesting: 0,
    };
    parser.whole(whole).map_err(|finding| vec![finding])
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
            return Err(Finding::new(
                "bad-expression",
                span,
                "an expression is missing",
            ));
        }
        let expr = self.expression()?;
        if self.peek().kind != TokenKind::End {
            return Err(self.unexpected_rest(&expr));
        }
        if chain_is_too_long(&expr) {
            let message =
                format!("this expression has more than {MAX_CHAIN} parts one after another");
            return Err(Finding::new("expression-limit", expr.span, message)
                .with_help("put a part of it into a variable with `set:`"));
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
                return Err(Finding::new("bad-expression", span, "`if` has no `else`")
                    .with_help(format!("write `{value} if {condition} else …`")));
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
                let span = self.peek().span;
                return Err(Finding::new(
                    "bad-expression",
                    span,
                    "comparisons do not stand in a row",
                )
                .with_help("compare two at a time, as in `1 < a and a < 5`"));
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
        let help = if negated {
            format!("write `{of} is not none` for a value that is there, `{of} != …` to compare")
        } else {
            format!("write `{of} is none` for a value that is missing, `{of} == …` to compare")
        };
        Err(Finding::new(
            "bad-expression",
            is.to(end),
            "`is` asks for `none` and nothing else",
        )
        .with_help(help))
    }

    fn prefix(&mut self, level: u8) -> Result<Expr, Finding> {
        let start = self.peek().span;
        if self.take_word("not") {
            if level > NOT {
                return Err(
                    Finding::new("bad-expression", start, "`not` cannot stand here")
                        .with_help("put brackets around it: `(not …)`"),
                );
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
            return Err(Finding::new(
                "bad-expression",
                start,
                "`+` needs a value on its left",
            ));
        }
        let atom = self.atom()?;
        self.fields(atom)
    }

    fn filters(&mut self, mut of: Expr) -> Result<Expr, Finding> {
        while self.take_symbol("|") {
            let (name, name_span) = self.name("a filter's name follows `|`")?;
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
                let (name, name_span) = self.name("a field's name follows the dot")?;
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
                let message =
                    format!("`{of}` cannot be called: expressions have filters, not functions");
                let help = match of.as_name() {
                    Some(name) => format!("write `value | {name}`"),
                    None => "write `value | filter`".to_owned(),
                };
                return Err(
                    Finding::new("bad-expression", of.span.to(self.peek().span), message)
                        .with_help(help),
                );
            } else {
                return Ok(of);
            }
        }
    }

    fn atom(&mut self) -> Result<Expr, Finding> {
        let token = self.peek().clone();
        let span = token.span;
        let kind = match token.kind {
            TokenKind::Number(number) => Kind::Number(number),
            TokenKind::Text(text) => Kind::Text(text),
            TokenKind::Name(name) => match name.as_str() {
                "true" => Kind::Bool(true),
                "false" => Kind::Bool(false),
                "none" => Kind::None,
                word if WORDS.contains(&word) => {
                    let message = format!("a value is missing before `{word}`");
                    return Err(Finding::new("bad-expression", span, message));
                }
                _ => Kind::Name(name),
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
            TokenKind::Symbol(symbol) => {
                let message = format!("a value is missing before `{symbol}`");
                return Err(Finding::new("bad-expression", span, message));
            }
            TokenKind::End => {
                return Err(Finding::new(
                    "bad-expression",
                    span,
                    "the expression breaks off: a value is missing",
                ));
            }
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
            return Err(
                Finding::new("bad-expression", open, "this bracket is never closed")
                    .with_help(format!("add a `{close}`")),
            );
        }
        Err(Finding::new(
            "bad-expression",
            span,
            format!("a `{close}` or a `,` is missing here"),
        ))
    }

    fn name(&mut self, expected: &str) -> Result<(String, Span), Finding> {
        let token = self.peek().clone();
        match token.kind {
            TokenKind::Name(name) => {
                self.position += 1;
                Ok((name, token.span))
            }
            _ => Err(Finding::new("bad-expression", token.span, expected)),
        }
    }

    /// Something stands behind a complete expression.
    fn unexpected_rest(&self, expr: &Expr) -> Finding {
        let token = self.peek();
        let finding = |message: String| Finding::new("bad-expression", token.span, message);
        match &token.kind {
            TokenKind::Name(word) => {
                let help = match word.to_lowercase().as_str() {
                    "equals" | "eq" | "be" => "write `==`".to_owned(),
                    "then" => "write `a if condition else b`".to_owned(),
                    "else" => "`else` belongs to `a if condition else b`".to_owned(),
                    "contains" | "has" | "includes" => format!("write `… in {expr}`"),
                    lower => match closest(lower, ["and", "or", "in", "is", "if"]) {
                        Some(meant) => format!("write `{meant}`"),
                        None => "a text stands in quotes; values are connected by an operator"
                            .to_owned(),
                    },
                };
                finding(format!("an operator is missing before `{word}`")).with_help(help)
            }
            TokenKind::Symbol(symbol @ (")" | "]")) => {
                finding(format!("this `{symbol}` closes nothing"))
            }
            TokenKind::Symbol(".") => finding("a field cannot be read here".to_owned()).with_help(
                format!("put brackets around what it belongs to: `({expr}).…`"),
            ),
            TokenKind::Symbol(symbol) => finding(format!("`{symbol}` cannot stand here")),
            _ => finding("an operator is missing between two values".to_owned()),
        }
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
            let message = format!("this expression is nested deeper than {MAX_NESTING}");
            return Err(Finding::new("expression-limit", self.peek().span, message)
                .with_help("put a part of it into a variable with `set:`"));
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
