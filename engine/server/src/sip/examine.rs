//! Looks at bytes from outside before the parser does.
//!
//! What the parser would misread is repaired (a missing `Content-Length`, bytes that are not UTF-8), what it could not
//! read at all is answered as far as it can be (RFC 3261 §8.2, RFC 4475), the rest is dropped.

use std::borrow::Cow;

use super::config::{DATAGRAM_BYTES, HEAD_BYTES, HEADER_FIELDS};
use super::grammar::{self, Message};
use super::wire::Echo;

/// What bytes turned out to be.
#[derive(Debug)]
pub(super) enum Examined {
    /// A SIP message, parsed.
    Message(Box<Message>),
    /// An empty line or two; `pong` where an answer is expected (RFC 5626 §4.4.1).
    KeepAlive {
        /// Whether to answer with an empty line.
        pong: bool,
    },
    /// A request that must be refused, with what a response needs of it.
    Refused {
        /// Status of the response.
        status: u16,
        /// Reason phrase that says what is wrong.
        reason: &'static str,
        /// Header fields to repeat.
        echo: Box<Echo>,
    },
    /// A well-formed request of a method that we do not know.
    UnknownMethod(Box<Echo>),
    /// Nothing that can be answered.
    Dropped,
}

/// Examines a datagram: one message, its end is the datagram's.
pub(super) fn examine_datagram(bytes: &[u8]) -> Examined {
    if bytes
        .iter()
        .all(|byte| matches!(byte, b'\r' | b'\n' | b' ' | b'\t' | 0))
    {
        return Examined::KeepAlive {
            pong: bytes == b"\r\n\r\n",
        };
    }
    if bytes.len() > DATAGRAM_BYTES {
        // Whom to answer stands near the front, whether or not the head ends before the cut.
        let front = &bytes[..DATAGRAM_BYTES];
        let head = head_end(front).map_or(front, |(head, _)| &front[..head]);
        return refuse(&escape(head), 513, "Message Too Large");
    }
    examine(bytes, false)
}

/// Examines one message cut out of a stream by its `Content-Length`.
pub(super) fn examine_framed(bytes: &[u8]) -> Examined {
    examine(bytes, true)
}

/// Length of the head without its empty line, and where the body begins.
pub(super) fn head_end(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(at) = bytes[from..]
        .iter()
        .position(|byte| *byte == b'\r')
        .map(|at| at + from)
    {
        if bytes[at..].starts_with(b"\r\n\r\n") {
            return Some((at, at + 4));
        }
        from = at + 1;
    }
    None
}

/// `Content-Length` of a head: `Ok(None)` where it is absent, an error where it is no number or two that differ.
pub(super) fn content_length(head: &str) -> Result<Option<usize>, ()> {
    let mut found = None;
    for (name, value) in fields(head) {
        if !(name.eq_ignore_ascii_case("Content-Length") || name.eq_ignore_ascii_case("l")) {
            continue;
        }
        let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        // A length that no machine can hold is a length beyond every limit, not a different kind of error.
        let length = if digits {
            value.parse().unwrap_or(usize::MAX)
        } else {
            return Err(());
        };
        if found.is_some_and(|other| other != length) {
            return Err(());
        }
        found = Some(length);
    }
    Ok(found)
}

/// Text of a head in which every byte that is not UTF-8 stands as one private character (U+F780 to U+F7FF), so that
/// tags and Call-IDs go back exactly as they came; [`restore`] undoes it.
pub(super) fn escape(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        // Only text with the lead byte of that range can hold such characters of its own.
        Ok(text) if !bytes.contains(&0xEF) || !text.chars().any(is_escaped) => Cow::Borrowed(text),
        _ => {
            let mut text = String::with_capacity(bytes.len() + 16);
            for chunk in bytes.utf8_chunks() {
                for character in chunk.valid().chars() {
                    if is_escaped(character) {
                        let mut buffer = [0; 4];
                        text.extend(character.encode_utf8(&mut buffer).bytes().map(escaped));
                    } else {
                        text.push(character);
                    }
                }
                text.extend(chunk.invalid().iter().copied().map(escaped));
            }
            Cow::Owned(text)
        }
    }
}

/// The bytes behind escaped text.
pub(super) fn restore(text: String) -> Vec<u8> {
    if !text.as_bytes().contains(&0xEF) || !text.chars().any(is_escaped) {
        return text.into_bytes();
    }
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        if is_escaped(character) {
            bytes.push(original(character));
        } else {
            let mut buffer = [0; 4];
            bytes.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
        }
    }
    bytes
}

/// Escaped text for people: a lone byte is most often Latin-1.
pub(super) fn shown(text: &str) -> String {
    text.chars()
        .map(|character| {
            if is_escaped(character) {
                char::from(original(character))
            } else {
                character
            }
        })
        .collect()
}

fn examine(bytes: &[u8], framed: bool) -> Examined {
    let leading = bytes
        .iter()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'))
        .count();
    let bytes = &bytes[leading..];
    let Some((head_length, body_at)) = head_end(bytes) else {
        // Without its empty line a message is cut off; what is there may still tell whom to answer.
        return refuse(
            &escape(&bytes[..bytes.len().min(HEAD_BYTES)]),
            400,
            "Message Without End Of Headers",
        );
    };
    if head_length > HEAD_BYTES {
        return refuse(&escape(&bytes[..HEAD_BYTES]), 513, "Headers Too Large");
    }
    // With its empty line, as the parser wants it.
    let whole = escape(&bytes[..body_at]);
    let head = whole.trim_end_matches("\r\n");
    let body = &bytes[body_at..];
    let start_line = head.split("\r\n").next().unwrap_or_default();
    // A lone CR or another control character may end a line for the next one who reads it.
    let lone = |(at, byte): (usize, u8)| match byte {
        b'\r' => !head[at + 1..].starts_with('\n'),
        _ => byte < b' ' && !matches!(byte, b'\n' | b'\t'),
    };
    if head.bytes().enumerate().any(lone) {
        return refuse(head, 400, "Control Character In Header");
    }
    if fields(head).count() > HEADER_FIELDS {
        return refuse(head, 400, "Too Many Headers");
    }
    let Ok(length) = content_length(head) else {
        return refuse(head, 400, "Bad Content-Length");
    };
    // RFC 3261 §18.3: a body longer than announced ends where announced, one shorter is an error.
    let body = match length {
        Some(length) if length > body.len() => {
            return refuse(head, 400, "Body Shorter Than Content-Length");
        }
        Some(length) => &body[..length],
        None if framed => &[],
        None => body,
    };
    if start_line.starts_with("SIP/") {
        return grammar::parse_response(&whole, body).map_or(Examined::Dropped, |response| {
            Examined::Message(Box::new(Message::Response(response)))
        });
    }
    let mut parts = start_line.split(' ');
    let (Some(method), Some(uri), Some(version), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return refuse(head, 400, "Bad Request-Line");
    };
    if !is_token(method) || uri.is_empty() || uri.starts_with('<') {
        return refuse(head, 400, "Bad Request-Line");
    }
    match version.strip_prefix("SIP/") {
        Some("2.0") => {}
        Some(other)
            if other
                .split('.')
                .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())) =>
        {
            return refuse(head, 505, "Version Not Supported");
        }
        _ => return refuse(head, 400, "Bad Request-Line"),
    }
    if !grammar::is_known_method(method) {
        return match Echo::of(fields(head)) {
            Some(echo) => Examined::UnknownMethod(Box::new(echo)),
            None => Examined::Dropped,
        };
    }
    match grammar::parse_request(&whole, uri, body) {
        Ok(request) => Examined::Message(Box::new(Message::Request(request))),
        Err(reason) => refuse(head, 400, reason),
    }
}

/// The header fields of a head, folded lines joined.
pub(super) fn fields(head: &str) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
    let mut lines = head
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .skip(1)
        .peekable();
    std::iter::from_fn(move || {
        loop {
            let line = lines.next()?;
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            let mut value = Cow::Borrowed(value.trim());
            while let Some(folded) = lines.next_if(|line| line.starts_with([' ', '\t'])) {
                let joined = value.to_mut();
                joined.push(' ');
                joined.push_str(folded.trim());
            }
            return Some((name.trim(), value));
        }
    })
}

/// A refusal, if the head is that of a request that may be answered: an ACK never is, a response never is.
fn refuse(head: &str, status: u16, reason: &'static str) -> Examined {
    let start = head.split(['\r', '\n']).next().unwrap_or_default();
    if start.starts_with("SIP/") || start.starts_with("ACK ") || !start.contains("SIP/") {
        return Examined::Dropped;
    }
    match Echo::of(fields(head)) {
        Some(echo) => Examined::Refused {
            status,
            reason,
            echo: Box::new(echo),
        },
        None => Examined::Dropped,
    }
}

/// RFC 3261 §25.1 `token`.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte))
}

fn is_escaped(character: char) -> bool {
    ('\u{F780}'..='\u{F7FF}').contains(&character)
}

fn escaped(byte: u8) -> char {
    char::from_u32(0xF700 + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn original(character: char) -> u8 {
    (u32::from(character) & 0xFF) as u8
}
