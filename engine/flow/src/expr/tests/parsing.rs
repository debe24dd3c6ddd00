//! Text to tree.

use proptest::prelude::*;

use super::{line, parsed};
use crate::expr::{Finding, MAX_BYTES, MAX_CHAIN, Span, parse, parse_pieces, single};
use crate::plan::Piece;

fn findings(text: &str) -> Vec<Finding> {
    parse(text, 0).err().unwrap_or_default()
}

#[track_caller]
fn refused(text: &str, expected: &str) {
    let lines: Vec<String> = findings(text)
        .iter()
        .map(|finding| line(text, finding))
        .collect();
    assert_eq!(lines, [expected], "{text}");
}

#[test]
fn precedence() {
    // Each text is read as the fully bracketed one beside it.
    for (text, bracketed) in [
        ("a or b and not c == d", "a or (b and (not (c == d)))"),
        ("1 + 2 * 3 - 4", "(1 + (2 * 3)) - 4"),
        ("a - b - c", "(a - b) - c"),
        ("\"n\" ~ 1 + 2", "\"n\" ~ (1 + 2)"),
        ("a ~ b == c ~ d", "(a ~ b) == (c ~ d)"),
        ("-a.b[0] | number", "(-((a.b)[0])) | number"),
        ("a + b | money", "a + (b | money)"),
        ("a if b else c if d else e", "a if b else (c if d else e)"),
        ("not a in b", "not (a in b)"),
        ("a not in b", "(a not in b)"),
        (
            "a is not none and b is none",
            "(a is not none) and (b is none)",
        ),
        (
            "x | default(1 + 1,) | number",
            "(x | default((1 + 1))) | number",
        ),
        ("order.if.none", "(order.if).none"),
        ("'it''s'", ""),
    ] {
        if bracketed.is_empty() {
            refused(
                text,
                "bad-expression @ 's': an operator is missing between two values",
            );
            continue;
        }
        assert_eq!(
            parsed(text).to_string(),
            parsed(bracketed).to_string(),
            "{text}"
        );
    }
}

#[test]
fn spans_are_bytes_of_the_file() {
    let expr = parse("\"订单\" ~ order.totl", 100).expect("an expression");
    assert_eq!(
        expr.span(),
        Span {
            start: 100,
            end: 121
        }
    );
    assert_eq!(
        expr.roots(),
        [(
            "order",
            Span {
                start: 111,
                end: 116
            }
        )]
    );
    assert_eq!(parsed(" tries ").as_name(), Some("tries"));
    assert_eq!(parsed("a.b.c").as_path(), Some(vec!["a", "b", "c"]));
    assert_eq!(parsed("b if a else c").roots().len(), 3);
    let read = parsed(r#"a.b > c[0] and (d | default(e)) in ["x", f["y"], -g] or 1 == 2"#);
    let places: Vec<String> = read.places().iter().map(ToString::to_string).collect();
    assert_eq!(places, ["a.b", "c[0]", "d", "e", "f[\"y\"]", "g"]);
}

#[test]
fn what_cannot_be_read_is_told_in_the_callers_words() {
    refused("", "bad-expression @ : an expression is missing");
    refused(
        "a +",
        "bad-expression @ : the expression breaks off: a value is missing",
    );
    refused(
        "(a",
        "bad-expression @ (: this bracket is never closed (add a `)`)",
    );
    refused("a)", "bad-expression @ ): this `)` closes nothing");
    refused(
        "a && b",
        "bad-expression @ &&: `&&` is not part of the expression language (write `and`)",
    );
    refused(
        "a = 1",
        "bad-expression @ =: `=` is not part of the expression language (write `==`)",
    );
    refused(
        "!a",
        "bad-expression @ !: `!` is not part of the expression language (write `not`)",
    );
    refused(
        "a ＞ 1",
        "bad-expression @ ＞: `＞` is not part of the expression language (write `>`)",
    );
    refused(
        "a == “x”",
        "bad-expression @ “: `“` is not part of the expression language (write `\"`)",
    );
    refused(
        "订单 == 1",
        "bad-expression @ 订单: `订单` is not a name (names are written in Latin letters; a text stands in quotes: `\"订单\"`)",
    );
    refused(
        "a == 0012",
        "bad-expression @ 0012: a number does not begin with 0: `0012` (digits that are not a quantity are text: write `\"0012\"`)",
    );
    refused(
        "wait > 3m",
        "bad-expression @ 3m: `3m` is neither a number nor a name (numbers have no unit here; compare with a quoted value, as in `wait > \"3m\"`)",
    );
    refused(
        "\"abc",
        "bad-expression @ \"abc: this text never ends (close it with a second `\"`)",
    );
    refused(
        "a if b",
        "bad-expression @ a if b: `if` has no `else` (write `a if b else …`)",
    );
    refused(
        "1 < a < 5",
        "bad-expression @ <: comparisons do not stand in a row (compare two at a time, as in `1 < a and a < 5`)",
    );
    refused(
        "a is defined",
        "bad-expression @ is defined: `is` asks for `none` and nothing else (write `a is none` for a value that is missing, `a == …` to compare)",
    );
    refused(
        "upper(a)",
        "bad-expression @ upper(: `upper` cannot be called: expressions have filters, not functions (write `value | upper`)",
    );
    refused(
        "a AND b",
        "bad-expression @ AND: an operator is missing before `AND` (write `and`)",
    );
    refused(
        "tags contains 1",
        "bad-expression @ contains: an operator is missing before `contains` (write `… in tags`)",
    );
    refused(
        "(a | upper).b | x y",
        "bad-expression @ y: an operator is missing before `y` (a text stands in quotes; values are connected by an operator)",
    );
    refused(
        "\"a\\q\"",
        "bad-expression @ \\q: `\\q` means nothing in a text (a backslash stands before a quote, a backslash, `n` or `t`; write `\\\\` for itself)",
    );
    refused(
        "a ; b",
        "bad-expression @ ;: `;` cannot stand in an expression",
    );
}

#[test]
fn braces_are_one_finding() {
    refused(
        "${tries > 2}",
        "braces-in-expression @ ${tries > 2}: this is an expression already: it takes no braces (write it bare: `tries > 2`)",
    );
    refused(
        "{{ tries }}",
        "braces-in-expression @ {{ tries }}: this is an expression already: it takes no braces (write it bare: `tries`)",
    );
    refused(
        "a > ${b}",
        "braces-in-expression @ ${: this is an expression already: it takes no braces (inside an expression nothing is wrapped in braces: write the name alone)",
    );
    assert!(parse("a == \"{x}\"", 0).is_ok());
}

#[test]
fn limits_are_findings() {
    let rule = |text: &str| findings(text).first().map(|finding| finding.rule);
    assert_eq!(rule(&"x".repeat(MAX_BYTES)), None);
    assert_eq!(rule(&"x".repeat(MAX_BYTES + 1)), Some("expression-limit"));
    assert_eq!(
        rule(&format!("{}x", "-".repeat(MAX_BYTES - 1))),
        Some("expression-limit")
    );
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("not ", ""),
        ("-", ""),
        ("x[", "]"),
        ("x|f(", ")"),
        ("1 if x else ", ""),
    ] {
        let nested = |depth: usize| format!("{}x{}", open.repeat(depth), close.repeat(depth));
        assert_eq!(rule(&nested(31)), None, "{open}");
        assert_eq!(rule(&nested(40)), Some("expression-limit"), "{open}");
    }
    assert_eq!(rule(&vec!["a"; MAX_CHAIN].join("+")), None);
    assert_eq!(
        rule(&vec!["a"; MAX_CHAIN + 2].join("+")),
        Some("expression-limit")
    );
}

#[test]
fn texts_with_expressions() {
    let shown = |text: &str| -> Vec<String> {
        let pieces = parse_pieces(text, 0).unwrap_or_else(|findings| panic!("{findings:?}"));
        let show = |piece: Piece| match piece {
            Piece::Text(text) => text,
            Piece::Expr(expr) => format!("<{expr}>"),
        };
        pieces.into_iter().map(show).collect()
    };
    assert_eq!(
        shown("您好 ${order.total | money}。"),
        ["您好 ", "<order.total | money>", "。"]
    );
    assert_eq!(shown("$5 and $${x} and {y}"), ["$5 and ${x} and {y}"]);
    assert_eq!(shown("${\"}\"}${a}"), ["<\"}\">", "<a>"]);
    assert_eq!(shown(""), [""; 0]);

    for (text, is) in [
        ("${a}", true),
        ("${\"}\"}", true),
        ("${a}${b}", false),
        (" ${a}", false),
        ("${a} ", false),
        ("$${a}", false),
        ("${a", false),
        ("", false),
        ("a", false),
    ] {
        assert_eq!(single(text), is, "{text}");
    }

    let lines = |text: &str| -> Vec<String> {
        let findings = parse_pieces(text, 0).err().unwrap_or_default();
        findings.iter().map(|finding| line(text, finding)).collect()
    };
    assert_eq!(
        lines("${a +} then ${}"),
        [
            "bad-expression @ : the expression breaks off: a value is missing",
            "bad-expression @ : an expression is missing",
        ]
    );
    assert_eq!(
        lines("x ${a"),
        [
            "bad-expression @ ${: this `${` is never closed (add a `}`; the characters themselves are written `$${`)",
        ]
    );
    assert_eq!(
        lines("Hello {{ name }}!"),
        ["braces-in-expression @ {{ name }}: double braces insert nothing (write `${name}`)",]
    );
    assert_eq!(
        lines("${\"a} b")[0],
        "bad-expression @ \"a: this text never ends (close it with a second `\"`)"
    );
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text: String, at in 0usize..1000) {
        for findings in [parse(&text, at).err(), parse_pieces(&text, at).err()].into_iter().flatten() {
            prop_assert!(!findings.is_empty());
            for finding in findings {
                prop_assert!(finding.span.start >= at && finding.span.end >= finding.span.start);
                prop_assert!(text.get(finding.span.start - at..finding.span.end - at).is_some());
            }
        }
        let _ = single(&text);
    }

    #[test]
    fn any_tokens_are_read_or_refused_and_written_as_they_are_read(
        tokens in prop::collection::vec(
            prop::sample::select(vec![
                "a", "b.c", "1", "2.5", "\"t\"", "true", "none", "[", "]", "(", ")", ",", ".", "|", "not", "and", "or",
                "if", "else", "is", "in", "-", "+", "*", "%", "/", "~", "==", "<", "${", "}", "'",
            ]),
            0..24,
        ),
    ) {
        let text = tokens.join(" ");
        if let Ok(expr) = parse(&text, 0) {
            let written = expr.to_string();
            let again = parse(&written, 0);
            prop_assert!(again.is_ok(), "{} -> {}: {:?}", text, written, again);
            prop_assert_eq!(again.expect("checked above").to_string(), written);
        }
    }
}
